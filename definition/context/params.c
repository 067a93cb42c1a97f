/* The values of `params`. */
#include "definition/context/context_data.h"
#include "definition/param.h"

/* The value that counts: the run's conf, the task's, the default; NULL when there is none. */
static const json_t *value_of(
    const struct context *context, const json_t *conf, const struct param *param)
{
    const json_t *value = json_object_get(conf, param->name);
    if (!value)
        value = json_object_get(context->task->params, param->name);
    return value ? value : param->default_value;
}

/* A value of these types pastes nothing into SQL but a number or a word. */
static bool is_plain_type(const char *type)
{
    static const char *const plain[] = {"integer", "number", "boolean", "null"};
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        if (str_equal(plain[i], type))
            return true;
    return false;
}

/* The declaration lets in only such values, or only those that it lists itself.  `type` is a word
   or a list of words. */
static bool is_plain(const struct param *param)
{
    const json_t *type = json_object_get(param->schema, "type");
    if (json_object_get(param->schema, "enum") || json_object_get(param->schema, "const"))
        return true;
    if (json_is_string(type))
        return is_plain_type(json_string_value(type));
    for (size_t i = 0; i < json_array_size(type); i++) {
        const char *word = json_string_value(json_array_get(type, i));
        if (!word || !is_plain_type(word))
            return false;
    }
    return json_array_size(type) > 0;
}

/* A value that a plain declaration lets in. */
static struct jinja_value plain_sample(struct arena *arena, const struct param *param)
{
    const json_t *type = json_object_get(param->schema, "type");
    const json_t *listed = json_object_get(param->schema, "const");
    if (!listed)
        listed = json_array_get(json_object_get(param->schema, "enum"), 0);
    if (!listed)
        listed = json_object_get(param->schema, "minimum");
    if (listed)
        return jinja_from_json(arena, listed);
    const char *word = json_string_value(json_is_array(type) ? json_array_get(type, 0) : type);
    if (str_equal(word, "boolean"))
        return jinja_bool(true);
    return str_equal(word, "null") ? jinja_none() : jinja_int(1);
}

/* The marks sit on the values, so that one which the declaration vouches for has none. */
static void put_declared(struct context *context, const struct param *param,
    struct jinja_value value, struct jinja_value params)
{
    unsigned marks = is_plain(param) ? 0 : JINJA_UNTRUSTED;
    jinja_mapping_put(context->arena, params, param->name, jinja_mark(value, marks));
}

/* A parameter that only a run gives a value. */
static void put_unknown(
    struct context *context, const struct param *param, struct jinja_value params)
{
    if (!is_plain(param)) {
        put_declared(context, param, context_sample(context), params);
        return;
    }
    *context->attempt->sampled = true;
    put_declared(context, param, plain_sample(context->arena, param), params);
}

/* Undeclared ones are passed on as they are.  Their names, too, come from outside. */
static void put_others(struct context *context, const json_t *from, struct jinja_value params)
{
    for (void *at = json_object_iter((json_t *)from); at;
         at = json_object_iter_next((json_t *)from, at)) {
        const char *name = json_object_iter_key(at);
        if (!dag_find_param(context->dag, name))
            jinja_mapping_put_value(context->arena, params,
                jinja_mark(jinja_string(arena_strdup(context->arena, name)), JINJA_UNTRUSTED),
                jinja_mark(
                    jinja_from_json(context->arena, json_object_iter_value(at)), JINJA_UNTRUSTED));
    }
}

enum status context_params(
    struct context *context, const json_t *conf, struct jinja_value *ret, struct error *err)
{
    const struct dag *dag = context->dag;
    struct jinja_value params = jinja_mapping_new(context->arena);
    for (size_t i = 0; i < dag->param_count; i++) {
        const struct param *param = &dag->params[i];
        const json_t *value = value_of(context, conf, param);
        if (!value && context->attempt->sampled) {
            put_unknown(context, param, params);
            continue;
        }
        enum status status = param_check(param, value, err);
        if (status) {
            error_place(err, dag->file, param->line, param->column, NULL);
            return status;
        }
        if (value)
            put_declared(context, param, jinja_from_json(context->arena, value), params);
    }
    put_others(context, context->task->params, params);
    put_others(context, conf, params);
    *ret = params;
    return OK;
}
