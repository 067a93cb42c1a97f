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

/* Undeclared ones are passed on as they are. */
static void put_others(struct context *context, const json_t *from, struct jinja_value params)
{
    for (void *at = json_object_iter((json_t *)from); at;
         at = json_object_iter_next((json_t *)from, at)) {
        const char *name = json_object_iter_key(at);
        if (!dag_find_param(context->dag, name))
            jinja_mapping_put(context->arena, params, arena_strdup(context->arena, name),
                jinja_from_json(context->arena, json_object_iter_value(at)));
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
        enum status status = param_check(param, value, err);
        if (status) {
            error_place(err, dag->file, param->line, param->column, NULL);
            return status;
        }
        if (value)
            jinja_mapping_put(
                context->arena, params, param->name, jinja_from_json(context->arena, value));
    }
    put_others(context, context->task->params, params);
    put_others(context, conf, params);
    *ret = jinja_mark(params, JINJA_UNTRUSTED);
    return OK;
}
