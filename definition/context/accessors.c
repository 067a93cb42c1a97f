/* `var.value.NAME`, `var.json.NAME` and `conn.NAME`. */
#include "definition/context/connection_uri.h"
#include "definition/context/context_data.h"
#include "definition/project.h"

/* --- what is not there ---------------------------------------------------------------------- */

static void note_missing(struct context *context, const char *kind, struct slice name)
{
    context->missing_kind = kind;
    context->missing = arena_strndup(context->arena, name.p, name.size);
}

/* `accessor.get(name, default)` */
static enum status get_arguments(const struct jinja_call *call, const char *name_word,
    struct slice *ret_name, struct jinja_value *ret_default, bool *ret_has_default,
    struct error *err)
{
    const char *const names[] = {name_word, "default"};
    struct jinja_value v[2];
    enum status status = jinja_arguments(call, names, 2, 1, v, err);
    if (status == OK)
        status = jinja_argument_text(call, name_word, v[0], NULL, ret_name, err);
    *ret_has_default = !jinja_is_absent(v[1]);
    *ret_default = *ret_has_default ? v[1] : jinja_none();
    return status;
}

static void note_texts(struct context *context, struct jinja_value value)
{
    struct jinja_value key, item;
    if (value.kind == JINJA_STRING)
        secrets_add(&context->secrets, jinja_text(value));
    for (size_t i = 0; value.kind == JINJA_LIST && i < value.list->count; i++)
        note_texts(context, value.list->items[i]);
    for (size_t at = 0; value.kind == JINJA_MAPPING && jinja_mapping_next(value, &at, &key, &item);)
        note_texts(context, item);
}

struct jinja_value context_secret(struct context *context, struct jinja_value value)
{
    note_texts(context, value);
    return jinja_mark(value, JINJA_SECRET);
}

/* --- variables ------------------------------------------------------------------------------ */

static enum status json_value(struct context *context, const struct variable *variable,
    struct jinja_value *ret, struct error *err)
{
    struct error inner;
    json_t *json = NULL;
    if (json_parse(variable->value, strlen(variable->value), NULL, &json, &inner) != OK) {
        error_set(err, ERR_TEMPLATE_VALUE, "the variable `%s` is not JSON: %s", variable->name,
            inner.message);
        error_hint(err, "var.value.%s gives its text", variable->name);
        return ERR_TEMPLATE_VALUE;
    }
    *ret = jinja_from_json(context->arena, json);
    json_decref(json);
    return OK;
}

static enum status find_variable(struct context *context, struct slice name, bool json,
    struct jinja_value *ret, struct error *err)
{
    const char *text = arena_strndup(context->arena, name.p, name.size);
    const struct variable *variable = project_find_variable(context->project, text);
    enum status status = OK;
    if (!variable)
        return OK;
    if (variable->problem)
        return stored_unreadable("variable", text, variable->problem, err);
    if (json)
        status = json_value(context, variable, ret, err);
    else
        *ret = jinja_string(variable->value);
    if (status == OK && (variable->secret || name_is_sensitive(variable->name)))
        *ret = context_secret(context, *ret);
    return status;
}

static const struct jinja_class value_class, json_class;

static enum status variable_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    (void)render;
    struct context *context = ((struct record *)self)->context;
    enum status status = find_variable(context, name, self->class == &json_class, ret, err);
    if (status == OK && jinja_is_absent(*ret))
        note_missing(context, "variable", name);
    return status;
}

static enum status variable_item(struct jinja_render *render, struct jinja_object *self,
    struct jinja_value key, struct jinja_value *ret, struct error *err)
{
    return key.kind == JINJA_STRING ? variable_attribute(render, self, jinja_text(key), ret, err)
                                    : OK;
}

static enum status variable_get(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct context *context = context_of(call);
    bool json = call->self.object->class == &json_class, has_default;
    struct slice name;
    struct jinja_value fallback, value = {0};
    enum status status = get_arguments(call, "key", &name, &fallback, &has_default, err);
    if (status == OK)
        status = find_variable(context, name, json, &value, err);
    if (status)
        return status;
    *ret = jinja_is_absent(value) ? fallback : value;
    if (!jinja_is_absent(value) || has_default)
        return OK;
    note_missing(context, "variable", name);
    error_set(err, ERR_TEMPLATE_UNDEFINED, "there is no variable `%.*s`", SLICE_ARG(name));
    context_explain_missing(context, err);
    return ERR_TEMPLATE_UNDEFINED;
}

static const struct jinja_method variable_methods[] = {{"get", variable_get}, {NULL, NULL}};
static const struct jinja_class value_class = {
    .type_name = "var.value",
    .methods = variable_methods,
    .attribute = variable_attribute,
    .item = variable_item,
    .text = record_text,
};
static const struct jinja_class json_class = {
    .type_name = "var.json",
    .methods = variable_methods,
    .attribute = variable_attribute,
    .item = variable_item,
    .text = record_text,
};
static const struct jinja_class var_class = {RECORD_CLASS("var")};

struct jinja_value context_var(struct context *context)
{
    struct record *var = record_new(context, &var_class, NULL);
    record_put(var, "value", record_value(record_new(context, &value_class, NULL)));
    record_put(var, "json", record_value(record_new(context, &json_class, NULL)));
    return record_value(var);
}

/* --- connections ---------------------------------------------------------------------------- */

static enum status get_uri(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    const struct record *record = (const struct record *)call->self.object;
    *ret = jinja_mapping_get(record->fields, "uri");
    return jinja_arguments(call, NULL, 0, 0, NULL, err);
}

static const struct jinja_method connection_methods[] = {{"get_uri", get_uri}, {NULL, NULL}};
static const struct jinja_class connection_class = {
    RECORD_CLASS("Connection"), .methods = connection_methods};

static void put_extra(struct context *context, struct record *record, const json_t *extra)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_tree(&w, extra);
    record_put(record, "extra", jinja_mark(text_value(context->arena, &text), JINJA_SECRET));
    record_put(
        record, "extra_dejson", jinja_mark(jinja_from_json(context->arena, extra), JINJA_SECRET));
}

static struct jinja_value connection_new(
    struct context *context, const struct connection *connection)
{
    struct connection_parts parts;
    connection_uri_parse(context->arena, connection->uri, &parts);
    struct record *record = record_new(context, &connection_class, connection->name);
    record_put(record, "conn_id", jinja_string(connection->name));
    record_put(record, "conn_type", jinja_string(parts.type));
    record_put(record, "description", jinja_none());
    record_put(record, "host", text_or_none(parts.host));
    record_put(record, "port", parts.port ? jinja_int(parts.port) : jinja_none());
    record_put(record, "login", text_or_none(parts.login));
    record_put(record, "password", context_secret(context, text_or_none(parts.password)));
    record_put(record, "schema", text_or_none(parts.database));
    record_put(record, "dialect", jinja_string(dialect_name(connection->dialect)));
    record_put(record, "uri", context_secret(context, text_or_none(connection->uri)));
    put_extra(context, record, parts.extra);
    json_decref(parts.extra);
    return record_value(record);
}

static struct jinja_value find_connection(struct context *context, struct slice name)
{
    const char *text = arena_strndup(context->arena, name.p, name.size);
    const struct connection *connection = project_find_connection(context->project, text);
    return connection ? connection_new(context, connection) : (struct jinja_value){0};
}

static enum status connection_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    (void)render, (void)err;
    struct context *context = ((struct record *)self)->context;
    *ret = find_connection(context, name);
    if (jinja_is_absent(*ret))
        note_missing(context, "connection", name);
    return OK;
}

static enum status connection_item(struct jinja_render *render, struct jinja_object *self,
    struct jinja_value key, struct jinja_value *ret, struct error *err)
{
    return key.kind == JINJA_STRING ? connection_attribute(render, self, jinja_text(key), ret, err)
                                    : OK;
}

static enum status connection_get(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct context *context = context_of(call);
    struct slice name;
    struct jinja_value fallback;
    bool has_default;
    enum status status = get_arguments(call, "conn_id", &name, &fallback, &has_default, err);
    if (status)
        return status;
    *ret = find_connection(context, name);
    if (!jinja_is_absent(*ret))
        return OK;
    *ret = fallback;
    if (has_default)
        return OK;
    note_missing(context, "connection", name);
    error_set(err, ERR_TEMPLATE_UNDEFINED, "there is no connection `%.*s`", SLICE_ARG(name));
    context_explain_missing(context, err);
    return ERR_TEMPLATE_UNDEFINED;
}

static const struct jinja_method accessor_methods[] = {{"get", connection_get}, {NULL, NULL}};
static const struct jinja_class accessor_class = {
    .type_name = "conn",
    .methods = accessor_methods,
    .attribute = connection_attribute,
    .item = connection_item,
    .text = record_text,
};

struct jinja_value context_connection_accessor(struct context *context)
{
    return record_value(record_new(context, &accessor_class, NULL));
}
