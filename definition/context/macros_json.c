/* `macros.json`: Python's dumps and loads. */
#include "definition/context/context_data.h"
#include "definition/context/date_method.h"

struct dump {
    struct strbuf *out;
    int64_t indent; /* spaces a level, -1 = all in one line */
    bool sort_keys;
};

static void add_string(struct strbuf *out, struct slice s)
{
    strbuf_add_char(out, '"');
    for (size_t i = 0; i < s.size;) {
        static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
        uint32_t c;
        size_t size = utf8_decode(s.p + i, s.size - i, &c);
        const char *escaped = c && c < 128 ? strchr(plain, (int)c) : NULL;
        if (escaped)
            strbuf_printf(out, "\\%c", letters[escaped - plain]);
        else if (c >= 0x10000)
            strbuf_printf(out, "\\u%04x\\u%04x", 0xD800 + ((c - 0x10000) >> 10),
                0xDC00 + ((c - 0x10000) & 0x3FF));
        else if (c < 32 || c > 126)
            strbuf_printf(out, "\\u%04x", c);
        else
            strbuf_add_char(out, (char)c);
        i += size ? size : 1;
    }
    strbuf_add_char(out, '"');
}

static void add_break(const struct dump *d, bool first, unsigned depth)
{
    if (!first)
        strbuf_add_str(d->out, d->indent < 0 ? ", " : ",");
    if (d->indent < 0)
        return;
    strbuf_add_char(d->out, '\n');
    strbuf_add_repeat(d->out, ' ', (size_t)d->indent * depth);
}

static void add_json(const struct dump *d, const json_t *json, unsigned depth);

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_object(const struct dump *d, const json_t *json, unsigned depth)
{
    size_t count = json_object_size(json), n = 0;
    const char **keys = mem_alloc((count + 1) * sizeof(*keys));
    for (void *at = json_object_iter((json_t *)json); at;
         at = json_object_iter_next((json_t *)json, at))
        keys[n++] = json_object_iter_key(at);
    if (d->sort_keys)
        qsort(keys, count, sizeof(*keys), compare_keys);
    strbuf_add_char(d->out, '{');
    for (size_t i = 0; i < count; i++) {
        add_break(d, i == 0, depth + 1);
        add_string(d->out, slice_of(keys[i]));
        strbuf_add_str(d->out, ": ");
        add_json(d, json_object_get(json, keys[i]), depth + 1);
    }
    if (count && d->indent >= 0)
        add_break(d, true, depth);
    strbuf_add_char(d->out, '}');
    mem_free(keys);
}

static void add_array(const struct dump *d, const json_t *json, unsigned depth)
{
    strbuf_add_char(d->out, '[');
    for (size_t i = 0; i < json_array_size(json); i++) {
        add_break(d, i == 0, depth + 1);
        add_json(d, json_array_get(json, i), depth + 1);
    }
    if (json_array_size(json) && d->indent >= 0)
        add_break(d, true, depth);
    strbuf_add_char(d->out, ']');
}

static void add_json(const struct dump *d, const json_t *json, unsigned depth)
{
    char number[32];
    switch (json_typeof(json)) {
    case JSON_OBJECT: add_object(d, json, depth); break;
    case JSON_ARRAY: add_array(d, json, depth); break;
    case JSON_STRING:
        add_string(d->out, slice_make(json_string_value(json), json_string_length(json)));
        break;
    case JSON_INTEGER: strbuf_printf(d->out, "%lld", (long long)json_integer_value(json)); break;
    case JSON_REAL:
        format_double(json_real_value(json), number);
        strbuf_add_str(d->out, number);
        break;
    case JSON_TRUE: strbuf_add_str(d->out, "true"); break;
    case JSON_FALSE: strbuf_add_str(d->out, "false"); break;
    case JSON_NULL: strbuf_add_str(d->out, "null"); break;
    }
}

static enum status dumps(const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"obj", "indent", "sort_keys"};
    enum { INDENT_MAX = 32 };
    struct jinja_value v[3];
    struct strbuf text = {0};
    struct dump dump = {.out = &text};
    json_t *json = NULL;
    enum status status = jinja_arguments(call, names, 3, 1, v, err);
    if (status == OK && v[1].kind == JINJA_NONE)
        v[1] = (struct jinja_value){0};
    if (status == OK)
        status = jinja_argument_int(call, names[1], v[1], -1, &dump.indent, err);
    if (status == OK && dump.indent > INDENT_MAX)
        status = error_set(err, ERR_TEMPLATE_VALUE, "dumps(): `indent` is at most %d", INDENT_MAX);
    if (status == OK)
        status = jinja_to_json(v[0], call->arena, &json, err);
    if (status)
        return status;
    dump.sort_keys = jinja_argument_bool(v[2], false);
    add_json(&dump, json, 0);
    json_decref(json);
    *ret = text_value(call->arena, &text);
    return OK;
}

static enum status loads(const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"s"};
    struct jinja_value v[1];
    struct slice text;
    struct error inner;
    json_t *json = NULL;
    enum status status = jinja_arguments(call, names, 1, 1, v, err);
    if (status == OK)
        status = jinja_argument_text(call, names[0], v[0], NULL, &text, err);
    if (status)
        return status;
    if (json_parse(text.p, text.size, NULL, &json, &inner) != OK)
        return error_set(err, ERR_TEMPLATE_VALUE, "loads(): %s", inner.message);
    *ret = jinja_from_json(call->arena, json);
    json_decref(json);
    return OK;
}

struct jinja_value context_json_module(struct context *context)
{
    static const struct jinja_class class = {RECORD_CLASS("module")};
    struct record *module = record_new(context, &class, "<module 'json'>");
    record_put_function(module, "dumps", dumps);
    record_put_function(module, "loads", loads);
    return record_value(module);
}
