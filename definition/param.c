#include "definition/param.h"
#include <math.h>
#include <regex.h>
#include "base/clock.h"

const struct param *dag_find_param(const struct dag *dag, const char *name)
{
    for (size_t i = 0; i < dag->param_count; i++)
        if (str_equal(dag->params[i].name, name))
            return &dag->params[i];
    return NULL;
}

struct check {
    const char *where; /* "trees", "trees[2]", "trees.depth" */
    const json_t *schema;
    struct error *err;
};

static enum status check_value(const struct check *check, const json_t *value);

static bool is_type(const json_t *value, const char *type)
{
    if (str_equal(type, "integer"))
        return json_is_integer(value) ||
               (json_is_real(value) && json_real_value(value) == floor(json_real_value(value)));
    return (str_equal(type, "string") && json_is_string(value)) ||
           (str_equal(type, "number") && json_is_number(value)) ||
           (str_equal(type, "boolean") && json_is_boolean(value)) ||
           (str_equal(type, "null") && json_is_null(value)) ||
           (str_equal(type, "array") && json_is_array(value)) ||
           (str_equal(type, "object") && json_is_object(value));
}

static const char *type_of(const json_t *value)
{
    static const char *const names[] = {[JSON_OBJECT] = "object",
        [JSON_ARRAY] = "array",
        [JSON_STRING] = "string",
        [JSON_INTEGER] = "integer",
        [JSON_REAL] = "number",
        [JSON_TRUE] = "boolean",
        [JSON_FALSE] = "boolean",
        [JSON_NULL] = "null"};
    return names[json_typeof(value)];
}

static void add_json(struct strbuf *out, const json_t *value)
{
    struct json_writer w = json_begin(out);
    json_tree(&w, value);
}

static enum status check_type(const struct check *c, const json_t *limit, const json_t *value)
{
    size_t i;
    json_t *type;
    if (json_is_string(limit)) {
        if (is_type(value, json_string_value(limit)))
            return OK;
        return error_set(c->err, ERR_PARAM, "the parameter `%s` must be of type %s, this is %s",
            c->where, json_string_value(limit), type_of(value));
    }
    json_array_foreach(limit, i, type) if (is_type(value, json_string_value(type))) return OK;
    struct strbuf types = {0};
    add_json(&types, limit);
    enum status status = error_set(c->err, ERR_PARAM,
        "the parameter `%s` must be of one of the types %s, this is %s", c->where, types.text,
        type_of(value));
    strbuf_done(&types);
    return status;
}

static enum status check_enum(const struct check *c, const json_t *limit, const json_t *value)
{
    size_t i;
    json_t *one;
    json_array_foreach(limit, i, one) if (json_equal(one, value)) return OK;
    struct strbuf values = {0}, got = {0};
    add_json(&values, limit);
    add_json(&got, value);
    enum status status = error_set(c->err, ERR_PARAM,
        "the parameter `%s` must be one of %s, this is %s", c->where, values.text, got.text);
    strbuf_done(&values);
    strbuf_done(&got);
    return status;
}

static enum status check_const(const struct check *c, const json_t *limit, const json_t *value)
{
    if (json_equal(limit, value))
        return OK;
    return error_set(c->err, ERR_PARAM, "the parameter `%s` has just one value", c->where);
}

static enum status must_be(const struct check *c, const char *what, const json_t *limit)
{
    char number[32];
    if (json_is_integer(limit))
        snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(limit));
    else
        format_double(json_number_value(limit), number);
    return error_set(c->err, ERR_PARAM, "the parameter `%s` must %s %s", c->where, what, number);
}

static enum status check_minimum(const struct check *c, const json_t *limit, const json_t *value)
{
    bool ok = !json_is_number(value) || json_number_value(value) >= json_number_value(limit);
    return ok ? OK : must_be(c, "be at least", limit);
}

static enum status check_maximum(const struct check *c, const json_t *limit, const json_t *value)
{
    bool ok = !json_is_number(value) || json_number_value(value) <= json_number_value(limit);
    return ok ? OK : must_be(c, "be at most", limit);
}

static enum status check_above(const struct check *c, const json_t *limit, const json_t *value)
{
    bool ok = !json_is_number(value) || json_number_value(value) > json_number_value(limit);
    return ok ? OK : must_be(c, "be greater than", limit);
}

static enum status check_below(const struct check *c, const json_t *limit, const json_t *value)
{
    bool ok = !json_is_number(value) || json_number_value(value) < json_number_value(limit);
    return ok ? OK : must_be(c, "be less than", limit);
}

static enum status check_multiple(const struct check *c, const json_t *limit, const json_t *value)
{
    double quotient = json_number_value(value) / json_number_value(limit);
    bool ok = !json_is_number(value) || fabs(quotient - round(quotient)) < 1e-9;
    return ok ? OK : must_be(c, "be a multiple of", limit);
}

static size_t text_length(const json_t *value)
{
    return utf8_length(json_string_value(value), json_string_length(value));
}

static enum status check_min_length(const struct check *c, const json_t *limit, const json_t *value)
{
    bool ok = !json_is_string(value) || text_length(value) >= (size_t)json_integer_value(limit);
    return ok ? OK : must_be(c, "have a length of at least", limit);
}

static enum status check_max_length(const struct check *c, const json_t *limit, const json_t *value)
{
    bool ok = !json_is_string(value) || text_length(value) <= (size_t)json_integer_value(limit);
    return ok ? OK : must_be(c, "have a length of at most", limit);
}

static enum status check_pattern(const struct check *c, const json_t *limit, const json_t *value)
{
    regex_t regex;
    if (!json_is_string(value) ||
        regcomp(&regex, json_string_value(limit), REG_EXTENDED | REG_NOSUB) != 0)
        return OK;
    int result = regexec(&regex, json_string_value(value), 0, NULL, 0);
    regfree(&regex);
    if (result == 0)
        return OK;
    return error_set(c->err, ERR_PARAM, "the parameter `%s` must match the pattern %s", c->where,
        json_string_value(limit));
}

static enum status check_format(const struct check *c, const json_t *limit, const json_t *value)
{
    const char *format = json_string_value(limit);
    bool date = str_equal(format, "date");
    if (!json_is_string(value) || (!date && !str_equal(format, "date-time")))
        return OK;
    int64_t us;
    bool has_offset, date_only;
    if (time_parse_iso(slice_of(json_string_value(value)), &us, &has_offset, &date_only, NULL) ==
            OK &&
        (!date || date_only))
        return OK;
    return error_set(c->err, ERR_PARAM, "the parameter `%s` must be a %s such as %s", c->where,
        date ? "date" : "time", date ? "2007-04-12" : "2007-04-12T08:30:00+02:00");
}

static enum status check_min_items(const struct check *c, const json_t *limit, const json_t *value)
{
    bool ok = !json_is_array(value) || json_array_size(value) >= (size_t)json_integer_value(limit);
    return ok ? OK : must_be(c, "have a number of items of at least", limit);
}

static enum status check_max_items(const struct check *c, const json_t *limit, const json_t *value)
{
    bool ok = !json_is_array(value) || json_array_size(value) <= (size_t)json_integer_value(limit);
    return ok ? OK : must_be(c, "have a number of items of at most", limit);
}

static enum status check_unique(const struct check *c, const json_t *limit, const json_t *value)
{
    size_t count = json_is_true(limit) && json_is_array(value) ? json_array_size(value) : 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (json_equal(json_array_get(value, i), json_array_get(value, j)))
                return error_set(
                    c->err, ERR_PARAM, "the parameter `%s` must not hold an item twice", c->where);
    return OK;
}

static enum status check_items(const struct check *c, const json_t *limit, const json_t *value)
{
    size_t i;
    json_t *item;
    if (!json_is_array(value))
        return OK;
    json_array_foreach(value, i, item)
    {
        char where[256];
        snprintf(where, sizeof(where), "%.200s[%zu]", c->where, i);
        struct check inner = {where, limit, c->err};
        enum status status = check_value(&inner, item);
        if (status != OK)
            return status;
    }
    return OK;
}

static enum status check_properties(const struct check *c, const json_t *limit, const json_t *value)
{
    const char *key;
    json_t *schema;
    json_object_foreach((json_t *)(uintptr_t)limit, key, schema)
    {
        const json_t *member = json_object_get(value, key);
        char where[256];
        snprintf(where, sizeof(where), "%.120s.%.120s", c->where, key);
        struct check inner = {where, schema, c->err};
        enum status status = member ? check_value(&inner, member) : OK;
        if (status != OK)
            return status;
    }
    return OK;
}

static enum status check_required(const struct check *c, const json_t *limit, const json_t *value)
{
    size_t i;
    json_t *name;
    json_array_foreach(limit, i,
        name) if (json_is_object(value) &&
                  !json_object_get(value, json_string_value(name))) return error_set(c->err,
        ERR_PARAM, "the parameter `%s` needs `%s`", c->where, json_string_value(name));
    return OK;
}

static enum status check_additional(const struct check *c, const json_t *limit, const json_t *value)
{
    const char *key;
    json_t *member;
    const json_t *properties = json_object_get(c->schema, "properties");
    if (!json_is_false(limit) || !json_is_object(value))
        return OK;
    json_object_foreach((json_t *)(uintptr_t)value, key,
        member) if (!json_object_get(properties, key)) return error_set(c->err, ERR_PARAM,
        "the parameter `%s` has no member `%s`", c->where, key);
    return OK;
}

/* What a keyword's own value must be, in a letter: n number, i whole number, s text, a list,
   o object, b boolean, t type, x anything. */
static const struct keyword {
    const char *name;
    char form;
    enum status (*check)(const struct check *, const json_t *limit, const json_t *value);
} keywords[] = {
    {"type", 't', check_type},
    {"enum", 'a', check_enum},
    {"const", 'x', check_const},
    {"minimum", 'n', check_minimum},
    {"maximum", 'n', check_maximum},
    {"exclusiveMinimum", 'n', check_above},
    {"exclusiveMaximum", 'n', check_below},
    {"multipleOf", 'n', check_multiple},
    {"minLength", 'i', check_min_length},
    {"maxLength", 'i', check_max_length},
    {"pattern", 's', check_pattern},
    {"format", 's', check_format},
    {"items", 'o', check_items},
    {"minItems", 'i', check_min_items},
    {"maxItems", 'i', check_max_items},
    {"uniqueItems", 'b', check_unique},
    {"properties", 'o', check_properties},
    {"required", 'a', check_required},
    {"additionalProperties", 'b', check_additional},
    {"title", 's', NULL},
    {"description", 's', NULL},
    {"default", 'x', NULL},
    {"examples", 'a', NULL},
};

static enum status check_value(const struct check *check, const json_t *value)
{
    for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
        const json_t *limit = json_object_get(check->schema, keywords[i].name);
        if (!limit || !keywords[i].check)
            continue;
        enum status status = keywords[i].check(check, limit, value);
        if (status != OK)
            return status;
    }
    return OK;
}

enum status param_check(const struct param *param, const json_t *value, struct error *err)
{
    if (!value)
        value = param->default_value;
    if (!value)
        return error_set(
            err, ERR_PARAM, "the parameter `%s` has no default: give it a value", param->name);
    struct check check = {param->name, param->schema, err};
    return param->schema ? check_value(&check, value) : OK;
}

enum status param_check_conf(const struct dag *dag, const json_t *conf, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < dag->param_count; i++) {
        const json_t *value = json_object_get(conf, dag->params[i].name);
        if (value)
            status = param_check(&dag->params[i], value, err);
    }
    return status;
}

/* ---- declarations ---- */

static bool is_type_name(const json_t *type)
{
    static const char *const types[] = {
        "string", "number", "integer", "boolean", "null", "array", "object"};
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (json_is_string(type) && str_equal(json_string_value(type), types[i]))
            return true;
    return false;
}

static bool is_form(char form, const json_t *value)
{
    size_t i;
    json_t *type;
    switch (form) {
    case 'n': return json_is_number(value);
    case 'i': return json_is_integer(value) && json_integer_value(value) >= 0;
    case 's': return json_is_string(value);
    case 'a': return json_is_array(value);
    case 'o': return json_is_object(value);
    case 'b': return json_is_boolean(value);
    case 't':
        json_array_foreach(value, i, type) if (!is_type_name(type)) return false;
        return json_is_array(value) ? json_array_size(value) > 0 : is_type_name(value);
    default: return true;
    }
}

static const struct keyword *find_keyword(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
        if (str_equal(keywords[i].name, name))
            return &keywords[i];
    return NULL;
}

static enum status unknown_keyword(const char *param, const char *name, struct error *err)
{
    const char *names[ARRAY_SIZE(keywords)];
    for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
        names[i] = keywords[i].name;
    enum status status =
        error_set(err, ERR_PARAM, "`%s` is no keyword of the parameter `%s`", name, param);
    const char *near = suggest(name, names, ARRAY_SIZE(keywords));
    if (near)
        error_hint(err, "did you mean `%s`?", near);
    return status;
}

static enum status check_regex(const char *param, const json_t *pattern, struct error *err)
{
    regex_t regex;
    if (!pattern)
        return OK;
    int result = regcomp(&regex, json_string_value(pattern), REG_EXTENDED | REG_NOSUB);
    if (result != 0)
        return error_set(err, ERR_PARAM, "the pattern of the parameter `%s` cannot be read", param);
    regfree(&regex);
    return OK;
}

static enum status check_inner(const char *param, const json_t *schema, struct error *err)
{
    const char *key;
    json_t *member;
    const json_t *items = json_object_get(schema, "items");
    enum status status = items ? param_schema_check(param, items, err) : OK;
    json_object_foreach(json_object_get(schema, "properties"), key, member) if (status == OK)
        status = param_schema_check(key, member, err);
    return status;
}

enum status param_schema_check(const char *name, const json_t *schema, struct error *err)
{
    const char *key;
    json_t *value;
    if (!json_is_object(schema))
        return error_set(err, ERR_PARAM, "the declaration of `%s` is no mapping", name);
    json_object_foreach((json_t *)(uintptr_t)schema, key, value)
    {
        const struct keyword *keyword = find_keyword(key);
        if (!keyword)
            return unknown_keyword(name, key, err);
        if (!is_form(keyword->form, value))
            return error_set(
                err, ERR_PARAM, "`%s` of the parameter `%s` is not what it should be", key, name);
    }
    enum status status = check_regex(name, json_object_get(schema, "pattern"), err);
    return status == OK ? check_inner(name, schema, err) : status;
}
