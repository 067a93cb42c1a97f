/*
 * Filters for HTML, URLs and JSON.
 */
#include <math.h>
#include "language/jinja/filters.h"
#include "language/jinja/unicode.h"

static enum status one_value(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value"};
    return jinja_arguments(call, names, 1, 1, ret, err);
}

static enum status escape_value(
    call_t call, struct jinja_value v, bool force, struct jinja_value *ret, struct error *err)
{
    struct jinja_value text;
    enum status status = jinja_filter_text(call, v, &text, err);
    if (status)
        return status;
    *ret = text;
    if (force || !(text.marks & JINJA_SAFE)) {
        struct strbuf out = {.arena = call->arena};
        jinja_escape_html(jinja_text(text), &out);
        *ret = jinja_mark(jinja_take_text(call->arena, &out), text.marks);
    }
    *ret = jinja_mark(*ret, JINJA_SAFE);
    return OK;
}

static enum status filter_escape(call_t call, struct jinja_value *ret, struct error *err)
{
    struct jinja_value v;
    enum status status = one_value(call, &v, err);
    return status ? status : escape_value(call, v, false, ret, err);
}

static enum status filter_forceescape(call_t call, struct jinja_value *ret, struct error *err)
{
    struct jinja_value v;
    enum status status = one_value(call, &v, err);
    return status ? status : escape_value(call, v, true, ret, err);
}

static enum status filter_safe(call_t call, struct jinja_value *ret, struct error *err)
{
    struct jinja_value v;
    enum status status = one_value(call, &v, err);
    if (!status)
        status = jinja_filter_text(call, v, ret, err);
    if (!status)
        *ret = jinja_mark(*ret, JINJA_SAFE);
    return status;
}

static enum status filter_striptags(call_t call, struct jinja_value *ret, struct error *err)
{
    struct jinja_value v, text;
    enum status status = one_value(call, &v, err);
    if (!status)
        status = jinja_filter_text(call, v, &text, err);
    if (status)
        return status;
    struct strbuf out = {0};
    jinja_strip_tags(call->arena, jinja_text(text), &out);
    *ret = jinja_take_text(call->arena, &out);
    return OK;
}

static void quote_url(struct slice s, bool query, struct strbuf *out)
{
    for (size_t i = 0; i < s.size; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
                     (c && strchr("_.-~", c)) || (c == '/' && !query);
        if (plain)
            strbuf_add_char(out, (char)c);
        else if (c == ' ' && query)
            strbuf_add_char(out, '+');
        else
            strbuf_printf(out, "%%%02X", c);
    }
}

static enum status quote_value(
    call_t call, struct jinja_value v, bool query, struct strbuf *out, struct error *err)
{
    struct jinja_value text;
    enum status status = jinja_filter_text(call, v, &text, err);
    if (!status)
        quote_url(jinja_text(text), query, out);
    return status;
}

static enum status filter_urlencode(call_t call, struct jinja_value *ret, struct error *err)
{
    struct jinja_value v, pairs, key, value;
    struct strbuf out = {0};
    enum status status = one_value(call, &v, err);
    if (!status && v.kind == JINJA_MAPPING) {
        pairs = jinja_list_new(call->arena, 0);
        for (size_t cursor = 0; jinja_mapping_next(v, &cursor, &key, &value);)
            jinja_list_add(call->arena, pairs, jinja_tuple2(call->arena, key, value));
    } else if (!status && (v.kind == JINJA_LIST || v.kind == JINJA_TUPLE ||
                              (v.kind == JINJA_OBJECT &&
                                  (v.object->class->iterate || v.object->class->next)))) {
        status = jinja_collect(call->render, call->arena, v, &pairs, err);
    } else if (!status) {
        status = quote_value(call, v, false, &out, err);
        pairs = jinja_list_new(call->arena, 0);
    }
    for (size_t i = 0; !status && i < pairs.list->count; i++) {
        struct jinja_value pair;
        status = jinja_collect(call->render, call->arena, pairs.list->items[i], &pair, err);
        if (!status && pair.list->count != 2)
            status = error_set(err, ERR_TEMPLATE_VALUE, "urlencode() takes pairs");
        if (i)
            strbuf_add_char(&out, '&');
        if (!status)
            status = quote_value(call, pair.list->items[0], true, &out, err);
        strbuf_add_char(&out, '=');
        if (!status)
            status = jinja_check_size(call->render, out.size, err);
        if (!status)
            status = quote_value(call, pair.list->items[1], true, &out, err);
    }
    *ret = jinja_take_text(call->arena, &out);
    return status;
}

static enum status check_attribute_name(struct jinja_value key, struct error *err)
{
    if (key.kind != JINJA_STRING)
        return error_set(err, ERR_TEMPLATE_TYPE, "an attribute's name must be a string");
    for (size_t i = 0; i < key.size; i++)
        if (key.text[i] && strchr(" \t\n\v\f\r/>=", key.text[i]))
            return error_set(err, ERR_TEMPLATE_VALUE, "Invalid character in attribute name: '%.*s'",
                SLICE_ARG(jinja_text(key)));
    return OK;
}

/* `name="value"`, both escaped. */
static enum status add_attribute(call_t call, struct jinja_value key, struct jinja_value value,
    struct jinja_builder *b, struct error *err)
{
    struct jinja_value text;
    enum status status = check_attribute_name(key, err);
    if (!status)
        status = jinja_check_size(call->render, b->text.size, err);
    if (!status)
        status = escape_value(call, key, false, &text, err);
    if (!status)
        status = jinja_builder_add_value(b, call->render, text, false, err);
    jinja_builder_add(b, "=\"", 2);
    if (!status)
        status = escape_value(call, value, false, &text, err);
    if (!status)
        status = jinja_builder_add_value(b, call->render, text, false, err);
    jinja_builder_add(b, "\"", 1);
    return status;
}

static enum status filter_xmlattr(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"d", "autospace"};
    struct jinja_value values[2], key, value;
    struct jinja_builder b = {.text.arena = call->arena};
    enum status status = jinja_arguments(call, names, 2, 1, values, err);
    if (!status && values[0].kind != JINJA_MAPPING)
        status = error_set(err, ERR_TEMPLATE_TYPE, "xmlattr() takes a mapping, not '%s'",
            jinja_type_name(values[0]));
    bool space = !status && jinja_argument_bool(values[1], true);
    for (size_t cursor = 0; !status && jinja_mapping_next(values[0], &cursor, &key, &value);) {
        if (value.kind == JINJA_NONE || value.kind == JINJA_UNDEFINED)
            continue;
        if (b.text.size || space)
            jinja_builder_add(&b, " ", 1);
        status = add_attribute(call, key, value, &b, err);
    }
    *ret = jinja_mark(jinja_builder_end(&b, call->arena), call->autoescape ? JINJA_SAFE : 0);
    return status;
}

/* JSON as Python's json.dumps writes it, with what HTML would misread escaped. */
struct dump {
    call_t call;
    struct strbuf out;
    bool pretty;
    struct slice indent;
    struct error *err;
};

static void dump_text(struct dump *d, struct slice s)
{
    static const char from[] = "\"\\\n\r\t\f\b", to[] = "\"\\nrtfb";
    strbuf_add_char(&d->out, '"');
    for (size_t at = 0; at < s.size;) {
        uint32_t c = jinja_char_next(s, &at);
        const char *simple = c && c < 0x80 ? strchr(from, (int)c) : NULL;
        if (simple)
            strbuf_printf(&d->out, "\\%c", to[simple - from]);
        else if (c >= 0x10000)
            strbuf_printf(&d->out, "\\u%04x\\u%04x", 0xD800 + ((c - 0x10000) >> 10),
                0xDC00 + ((c - 0x10000) & 0x3FF));
        else if (c < 0x20 || c >= 0x7F || strchr("<>&'", (int)c))
            strbuf_printf(&d->out, "\\u%04x", c);
        else
            strbuf_add_char(&d->out, (char)c);
    }
    strbuf_add_char(&d->out, '"');
}

static void dump_break(struct dump *d, unsigned depth)
{
    if (!d->pretty)
        return;
    strbuf_add_char(&d->out, '\n');
    for (unsigned i = 0; i < depth; i++)
        strbuf_add_slice(&d->out, d->indent);
}

static enum status dump_value(struct dump *d, struct jinja_value v, unsigned depth);

static enum status dump_items(struct dump *d, struct jinja_value v, unsigned depth)
{
    enum status status = OK;
    strbuf_add_char(&d->out, '[');
    for (size_t i = 0; !status && i < v.list->count; i++) {
        if (i)
            strbuf_add_str(&d->out, d->pretty ? "," : ", ");
        dump_break(d, depth);
        status = dump_value(d, v.list->items[i], depth);
    }
    if (v.list->count)
        dump_break(d, depth - 1);
    strbuf_add_char(&d->out, ']');
    return status;
}

static enum status dump_key(struct dump *d, struct jinja_value key)
{
    struct slice text = jinja_text(key);
    enum status status = OK;
    if (key.kind == JINJA_BOOL)
        text = slice_of(key.boolean ? "true" : "false");
    else if (key.kind == JINJA_NONE)
        text = slice_of("null");
    else if (jinja_is_number(key))
        status = jinja_to_text(key, d->call->arena, &text, d->err);
    else if (key.kind != JINJA_STRING)
        status = error_set(d->err, ERR_TEMPLATE_TYPE,
            "keys must be str, int, float, bool or None, not %s", jinja_type_name(key));
    if (!status)
        dump_text(d, text);
    return status;
}

static enum status dump_entries(struct dump *d, struct jinja_value v, unsigned depth)
{
    size_t count = jinja_mapping_count(v), at = 0;
    struct jinja_sort_cell *cells = arena_array(d->call->arena, struct jinja_sort_cell, count + 1);
    for (size_t cursor = 0;
         at < count && jinja_mapping_next(v, &cursor, &cells[at].key, &cells[at].value);)
        at++;
    enum status status = jinja_sort(d->call->render, cells, count, false, d->err);
    strbuf_add_char(&d->out, '{');
    for (size_t i = 0; !status && i < count; i++) {
        if (i)
            strbuf_add_str(&d->out, d->pretty ? "," : ", ");
        dump_break(d, depth);
        status = dump_key(d, cells[i].key);
        strbuf_add_str(&d->out, ": ");
        if (!status)
            status = dump_value(d, cells[i].value, depth);
    }
    if (count)
        dump_break(d, depth - 1);
    strbuf_add_char(&d->out, '}');
    return status;
}

static enum status dump_value(struct dump *d, struct jinja_value v, unsigned depth)
{
    enum status status = jinja_step(d->call->render, d->err);
    jinja_note_marks(d->call->render, v);
    if (!status && ++depth > JINJA_NESTING_MAX)
        status = error_set(d->err, ERR_TEMPLATE_DEPTH_LIMIT,
            "a value is nested more than %d levels deep", JINJA_NESTING_MAX);
    if (!status)
        status = jinja_check_size(d->call->render, d->out.size, d->err);
    if (!status && v.kind == JINJA_OBJECT && v.object->class->json)
        status = v.object->class->json(v.object, d->call->arena, &v, d->err);
    if (status)
        return status;
    switch ((enum jinja_kind)v.kind) {
    case JINJA_NONE: strbuf_add_str(&d->out, "null"); return OK;
    case JINJA_BOOL: strbuf_add_str(&d->out, v.boolean ? "true" : "false"); return OK;
    case JINJA_INT: return jinja_append_text(d->call->render, v, &d->out, d->err);
    case JINJA_FLOAT:
        if (isfinite(v.real))
            return jinja_append_text(d->call->render, v, &d->out, d->err);
        strbuf_add_str(&d->out, isnan(v.real) ? "NaN" : v.real < 0 ? "-Infinity" : "Infinity");
        return OK;
    case JINJA_STRING: dump_text(d, jinja_text(v)); return OK;
    case JINJA_LIST:
    case JINJA_TUPLE: return dump_items(d, v, depth);
    case JINJA_MAPPING: return dump_entries(d, v, depth);
    default: break;
    }
    return error_set(d->err, ERR_TEMPLATE_TYPE, "Object of type %s is not JSON serializable",
        jinja_type_name(v));
}

static enum status filter_tojson(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "indent"};
    struct jinja_value values[2];
    int64_t width = 0;
    struct dump d = {.call = call, .err = err};
    enum status status = jinja_arguments(call, names, 2, 1, values, err);
    d.pretty = !jinja_is_absent(values[1]) && values[1].kind != JINJA_NONE;
    struct strbuf spaces = {0};
    if (!status && d.pretty && values[1].kind == JINJA_STRING) {
        d.indent = jinja_text(values[1]);
    } else if (!status && d.pretty) {
        status = jinja_argument_int(call, "indent", values[1], 0, &width, err);
        width = width < 0 ? 0 : width > 1000 ? 1000 : width;
        strbuf_add_repeat(&spaces, ' ', (size_t)width);
        d.indent = slice_make(strbuf_text(&spaces), spaces.size);
    }
    if (!status)
        status = dump_value(&d, values[0], 0);
    strbuf_done(&spaces);
    *ret = jinja_mark(jinja_take_text(call->arena, &d.out), JINJA_SAFE);
    return status;
}

const struct jinja_row jinja_html_filters[] = {{"e", filter_escape, 0, NULL},
    {"escape", filter_escape, 0, NULL}, {"forceescape", filter_forceescape, 0, NULL},
    {"safe", filter_safe, 0, NULL}, {"striptags", filter_striptags, 0, NULL},
    {"tojson", filter_tojson, 0, NULL}, {"urlencode", filter_urlencode, 0, NULL},
    {"urlize", jinja_filter_urlize, 0, NULL}, {"xmlattr", filter_xmlattr, 0, NULL},
    {NULL, NULL, 0, NULL}};
