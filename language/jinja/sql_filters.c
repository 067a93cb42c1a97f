/*
 * SQL's filters: `literal`, `identifier` and `bind`.  Their results are fit to stand in a
 * statement, so they are no longer marked as untrusted (secrets stay secret).
 */
#include <math.h>
#include "language/jinja/filters.h"

/* 'text' with quotes doubled; E'text' when there are backslashes, so that it reads the same
   whatever standard_conforming_strings is. */
static void append_literal_text(struct slice s, struct strbuf *out)
{
    bool backslash = memchr(s.p, '\\', s.size) != NULL;
    bool plain = !backslash && !memchr(s.p, '\'', s.size);
    strbuf_add_str(out, backslash ? "E'" : "'");
    strbuf_add(out, s.p, plain ? s.size : 0);
    for (size_t at = plain ? s.size : 0; at < s.size;) {
        size_t start = at;
        while (at < s.size && s.p[at] != '\'' && s.p[at] != '\\')
            at++;
        strbuf_add(out, s.p + start, at - start);
        if (at < s.size) {
            strbuf_add_char(out, s.p[at]);
            strbuf_add_char(out, s.p[at++]);
        }
    }
    strbuf_add_char(out, '\'');
}

static enum status append_quoted_text(
    call_t call, struct slice s, struct strbuf *out, struct error *err)
{
    if (memchr(s.p, '\0', s.size))
        return error_set(
            err, ERR_TEMPLATE_VALUE, "%s(): text for SQL cannot hold a zero byte", call->name);
    append_literal_text(s, out);
    return OK;
}

static enum status append_literal(
    call_t call, struct jinja_value v, unsigned depth, struct strbuf *out, struct error *err);

static enum status append_array(
    call_t call, struct jinja_value items, unsigned depth, struct strbuf *out, struct error *err)
{
    enum status status = OK;
    if (items.list->count == 0) {
        strbuf_add_str(out, "'{}'");
        return OK;
    }
    strbuf_add_str(out, "ARRAY[");
    for (size_t i = 0; !status && i < items.list->count; i++) {
        if (i)
            strbuf_add_str(out, ", ");
        status = append_literal(call, items.list->items[i], depth, out, err);
    }
    strbuf_add_char(out, ']');
    return status;
}

static enum status append_number(struct jinja_value v, struct strbuf *out, struct error *err)
{
    if (v.kind != JINJA_FLOAT || isfinite(v.real)) {
        /* A sign is bracketed: `5 -{{ x | literal }}` must not become a comment. */
        bool negative = v.kind == JINJA_FLOAT ? signbit(v.real) : v.integer < 0;
        strbuf_add_str(out, negative ? "(" : "");
        enum status status = jinja_append_text(NULL, v, out, err);
        strbuf_add_str(out, negative ? ")" : "");
        return status;
    }
    strbuf_add_str(out, isnan(v.real) ? "'NaN'::float8"
                        : v.real < 0  ? "'-Infinity'::float8"
                                      : "'Infinity'::float8");
    return OK;
}

static enum status append_literal(
    call_t call, struct jinja_value v, unsigned depth, struct strbuf *out, struct error *err)
{
    struct jinja_value items, text;
    enum status status = OK;
    jinja_note_marks(call->render, v);
    status = jinja_check_size(call->render, out->size, err);
    if (status)
        return status;
    if (++depth > JINJA_NESTING_MAX)
        return error_set(err, ERR_TEMPLATE_DEPTH_LIMIT,
            "a value is nested more than %d levels deep", JINJA_NESTING_MAX);
    switch ((enum jinja_kind)v.kind) {
    case JINJA_UNDEFINED: return jinja_undefined_error(call->render, v, err);
    case JINJA_NONE: strbuf_add_str(out, "NULL"); return OK;
    case JINJA_BOOL: strbuf_add_str(out, v.boolean ? "true" : "false"); return OK;
    case JINJA_INT:
    case JINJA_FLOAT: return append_number(v, out, err);
    case JINJA_STRING: return append_quoted_text(call, jinja_text(v), out, err);
    case JINJA_LIST:
    case JINJA_TUPLE: return append_array(call, v, depth, out, err);
    case JINJA_MAPPING:
        return error_set(err, ERR_TEMPLATE_TYPE,
            "%s() cannot make a literal of a mapping: write `x | tojson | %s`", call->name,
            call->name);
    case JINJA_OBJECT: break;
    }
    if (v.object->class->next || v.object->class->iterate) {
        status = jinja_collect(call->render, call->arena, v, &items, err);
        return status ? status : append_array(call, items, depth, out, err);
    }
    if (v.object->class->call)
        return error_set(err, ERR_TEMPLATE_TYPE, "%s() cannot make a literal of a '%s'", call->name,
            jinja_type_name(v));
    status = jinja_filter_text(call, v, &text, err);
    return status ? status : append_quoted_text(call, jinja_text(text), out, err);
}

static enum status filter_literal(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value"};
    struct jinja_value v;
    struct strbuf out = {.arena = call->arena};
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    if (!status)
        status = append_literal(call, v, 0, &out, err);
    *ret = jinja_mark(
        jinja_take_text(call->arena, &out), strcmp(call->name, "bind") == 0 ? JINJA_BOUND : 0);
    return status;
}

/* Lower-case names of plain characters stay bare unless SQL might read them as keywords; so all
   are quoted, which is right for every name. */
static enum status append_identifier(
    call_t call, struct jinja_value v, struct strbuf *out, struct error *err)
{
    struct jinja_value text;
    enum status status = OK;
    if (v.kind == JINJA_UNDEFINED)
        return jinja_undefined_error(call->render, v, err);
    status = jinja_filter_text(call, v, &text, err);
    if (status)
        return status;
    if (v.kind == JINJA_NONE || text.size == 0 || memchr(text.text, '\0', text.size))
        return error_set(err, ERR_TEMPLATE_VALUE,
            "identifier(): a name cannot be empty, none or hold a zero byte");
    strbuf_add_char(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        if (text.text[i] == '"')
            strbuf_add_char(out, '"');
        strbuf_add_char(out, text.text[i]);
    }
    strbuf_add_char(out, '"');
    return OK;
}

/* A name, or a list of names that qualify each other: schema, table. */
static enum status filter_identifier(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"name"};
    struct jinja_value v;
    struct strbuf out = {0};
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    bool several = !status && (v.kind == JINJA_LIST || v.kind == JINJA_TUPLE);
    if (several && v.list->count == 0)
        status = error_set(err, ERR_TEMPLATE_VALUE, "identifier(): the list of names is empty");
    for (size_t i = 0; several && !status && i < v.list->count; i++) {
        if (i)
            strbuf_add_char(&out, '.');
        status = append_identifier(call, v.list->items[i], &out, err);
    }
    if (!status && !several)
        status = append_identifier(call, v, &out, err);
    *ret = jinja_take_text(call->arena, &out);
    return status;
}

enum { SQL_ROW = JINJA_ROW_CLEARS | JINJA_ROW_WHEN_RENDERED };
const struct jinja_row jinja_sql_filters[] = {{"bind", filter_literal, SQL_ROW, NULL},
    {"identifier", filter_identifier, SQL_ROW, NULL}, {"literal", filter_literal, SQL_ROW, NULL},
    {NULL, NULL, 0, NULL}};
