#include "definition/endpoint.h"
#include <math.h>
#include "base/clock.h"
#include "definition/limits.h"
#include "definition/param.h"

/* ---- values ---------------------------------------------------------------------------------- */

static bool is_type(const struct param *param, const char *type)
{
    return str_equal(json_string_value(json_object_get(param->schema, "type")), type);
}

/* A list whose place in the query is an array of SQL. */
static bool is_array(const struct param *param)
{
    const json_t *items = json_object_get(param->schema, "items");
    return is_type(param, "array") &&
           !str_equal(json_string_value(json_object_get(items, "type")), "object");
}

static void add_json(struct strbuf *out, const json_t *value)
{
    struct json_writer w = json_begin(out);
    json_tree(&w, value);
}

/* Whole ones without a point: `3.0` is no integer to the server. */
static void add_number(struct strbuf *out, const json_t *value)
{
    enum { EXACT_BITS = 53 }; /* of a double */
    double real = json_number_value(value);
    char text[32];
    if (json_is_integer(value)) {
        strbuf_printf(out, "%lld", (long long)json_integer_value(value));
    } else if (real == floor(real) && fabs(real) < ldexp(1, EXACT_BITS)) {
        strbuf_printf(out, "%lld", (long long)real);
    } else {
        format_double(real, text);
        strbuf_add_str(out, text);
    }
}

static void add_element_text(struct strbuf *out, const char *text)
{
    strbuf_add_char(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            strbuf_add_char(out, '\\');
        strbuf_add_char(out, *text);
    }
    strbuf_add_char(out, '"');
}

static enum status add_array(
    struct strbuf *out, const char *name, const json_t *list, unsigned depth, struct error *err);

static enum status add_element(
    struct strbuf *out, const char *name, const json_t *value, unsigned depth, struct error *err)
{
    switch (json_typeof(value)) {
    case JSON_ARRAY: return add_array(out, name, value, depth, err);
    case JSON_OBJECT:
        return error_set(
            err, ERR_PARAM, "the parameter `%s` is a list of values, not of objects", name);
    case JSON_STRING: add_element_text(out, json_string_value(value)); break;
    case JSON_NULL: strbuf_add_str(out, "NULL"); break;
    case JSON_TRUE:
    case JSON_FALSE: strbuf_add_str(out, json_is_true(value) ? "true" : "false"); break;
    default: add_number(out, value); break;
    }
    return OK;
}

static enum status add_array(
    struct strbuf *out, const char *name, const json_t *list, unsigned depth, struct error *err)
{
    size_t i;
    json_t *value;
    if (depth == ENDPOINT_ARRAY_DEPTH_MAX)
        return error_set(err, ERR_PARAM, "the parameter `%s` has lists in lists more than %d deep",
            name, ENDPOINT_ARRAY_DEPTH_MAX);
    strbuf_add_char(out, '{');
    json_array_foreach(list, i, value)
    {
        if (i)
            strbuf_add_char(out, ',');
        enum status status = add_element(out, name, value, depth + 1, err);
        if (status != OK)
            return status;
    }
    strbuf_add_char(out, '}');
    return OK;
}

static enum status bind_value(const struct param *param, const json_t *value, struct arena *arena,
    const char **ret, struct error *err)
{
    CLEANUP(strbuf_done) struct strbuf text = {0};
    enum status status = OK;
    switch (json_typeof(value)) {
    case JSON_NULL: *ret = NULL; return OK;
    case JSON_STRING: strbuf_add_str(&text, json_string_value(value)); break;
    case JSON_ARRAY:
        if (is_array(param))
            status = add_array(&text, param->name, value, 0, err);
        else
            add_json(&text, value);
        break;
    case JSON_OBJECT: add_json(&text, value); break;
    default: status = add_element(&text, param->name, value, 0, err); break;
    }
    if (status == OK)
        *ret = strbuf_to_arena(&text, arena);
    return status;
}

/* ---- requests -------------------------------------------------------------------------------- */

static enum status check_names(
    const struct endpoint *endpoint, const json_t *given, struct error *err)
{
    const char *names[ENDPOINT_PARAMS_MAX];
    const char *name;
    json_t *value;
    size_t count = endpoint->param_count;
    for (size_t i = 0; i < count; i++)
        names[i] = endpoint->params[i].name;
    json_object_foreach((json_t *)(uintptr_t)given, name, value)
    {
        bool known = false;
        for (size_t i = 0; i < count && !known; i++)
            known = str_equal(name, names[i]);
        if (known)
            continue;
        error_set(err, ERR_PARAM, "the endpoint has no parameter `%.200s`", name);
        const char *near = suggest(name, names, count);
        if (near)
            error_hint(err, "did you mean `%s`?", near);
        else
            error_hint(err, "GET the same address to see its parameters");
        return ERR_PARAM;
    }
    return OK;
}

enum status endpoint_bind(const struct endpoint *endpoint, const json_t *given, struct arena *arena,
    const char *const **ret, struct error *err)
{
    if (given && !json_is_object(given)) {
        error_set(err, ERR_INVALID, "the request is not a JSON object");
        error_hint(err, "send the parameters by name: {\"name\": value}");
        return ERR_INVALID;
    }
    const char **values = arena_array(arena, const char *, endpoint->param_count);
    enum status status = check_names(endpoint, given, err);
    for (size_t i = 0; status == OK && i < endpoint->param_count; i++) {
        const struct param *param = &endpoint->params[i];
        const json_t *value = json_object_get(given, param->name);
        value = value ? value : param->default_value;
        status = param_check(param, value, err);
        if (status == OK)
            status = bind_value(param, value, arena, &values[i], err);
    }
    if (status == OK)
        *ret = values;
    return status;
}

/* ---- description ----------------------------------------------------------------------------- */

void endpoint_describe(const struct endpoint *endpoint, struct json_writer *w)
{
    json_kv_str(w, "name", endpoint->name);
    json_kv_str(w, "description", endpoint->description);
    json_key(w, "params");
    json_object_begin(w);
    for (size_t i = 0; i < endpoint->param_count; i++) {
        const struct param *param = &endpoint->params[i];
        json_key(w, param->name);
        if (param->schema) {
            json_tree(w, param->schema);
            continue;
        }
        json_object_begin(w);
        json_key(w, "default");
        json_tree(w, param->default_value);
        json_object_end(w);
    }
    json_object_end(w);
    json_kv_int(w, "timeout_ms", endpoint->timeout_us / US_PER_MS);
    json_kv_int(w, "cache_ms", endpoint->cache_us / US_PER_MS);
    json_kv_int(w, "max_concurrent", endpoint->max_concurrent);
    json_kv_int(w, "max_waiting", endpoint->max_waiting);
    json_kv_int(w, "max_body_bytes", endpoint->max_body_bytes);
    json_kv_int(w, "max_rows", endpoint->max_rows);
}
