#include "executor/target/sql_error.h"

#include <stdio.h>
#include <strings.h>

#include "executor/limits.h"
#include "language/sql/lex.h"

void sql_notice_ignore(void *user, const char *message)
{
    (void)user;
    (void)message;
}

/* ---- reading --------------------------------------------------------------------------------- */

static const char *field(const PGresult *result, int code, struct arena *arena)
{
    const char *text = result ? PQresultErrorField(result, code) : NULL;
    if (!text)
        return NULL;
    size_t size = strlen(text);
    return arena_strndup(arena, text, size < ATTEMPT_MESSAGE_MAX ? size : ATTEMPT_MESSAGE_MAX);
}

static int64_t number_field(const PGresult *result, int code)
{
    const char *text = result ? PQresultErrorField(result, code) : NULL;
    int64_t number = 0;
    return text && parse_int64(slice_of(text), &number) ? number : 0;
}

/* Greenplum appends " (seg1 127.0.0.1:16434 pid=9268)" or "(entry db …)" to the message. */
static void split_segment(struct sql_error *error, struct arena *arena)
{
    const char *message = error->message;
    if (!message || !str_ends(message, ")"))
        return;
    const char *open = strrchr(message, '(');
    if (!open || open == message || !strstr(open, " pid=") ||
        !(str_starts(open, "(seg") || str_starts(open, "(entry db")))
        return;
    error->segment = arena_strndup(arena, open + 1, strlen(open) - 2);
    struct slice rest = slice_trim(slice_make(message, (size_t)(open - message)));
    error->message = arena_strndup(arena, rest.p, rest.size);
}

/* A result without fields: libpq's own words. */
static const char *plain_message(const PGresult *result, const PGconn *conn, struct arena *arena)
{
    const char *text = result ? PQresultErrorMessage(result) : "";
    if (!*text && conn)
        text = PQerrorMessage(conn);
    struct slice trimmed = slice_trim(slice_of(text));
    if (!trimmed.size)
        return "the connection was lost";
    return arena_strndup(arena, trimmed.p, trimmed.size);
}

struct sql_error sql_error_read(const PGresult *result, const PGconn *conn, struct arena *arena)
{
    struct sql_error error = {
        .severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED, arena),
        .sqlstate = field(result, PG_DIAG_SQLSTATE, arena),
        .message = field(result, PG_DIAG_MESSAGE_PRIMARY, arena),
        .detail = field(result, PG_DIAG_MESSAGE_DETAIL, arena),
        .hint = field(result, PG_DIAG_MESSAGE_HINT, arena),
        .context = field(result, PG_DIAG_CONTEXT, arena),
        .internal_query = field(result, PG_DIAG_INTERNAL_QUERY, arena),
        .schema = field(result, PG_DIAG_SCHEMA_NAME, arena),
        .table = field(result, PG_DIAG_TABLE_NAME, arena),
        .column = field(result, PG_DIAG_COLUMN_NAME, arena),
        .constraint = field(result, PG_DIAG_CONSTRAINT_NAME, arena),
        .position = number_field(result, PG_DIAG_STATEMENT_POSITION),
        .internal_position = number_field(result, PG_DIAG_INTERNAL_POSITION),
    };
    if (!error.severity) /* Greenplum 6 has the localised one only */
        error.severity = field(result, PG_DIAG_SEVERITY, arena);
    if (!error.message)
        error.message = plain_message(result, conn, arena);
    split_segment(&error, arena);
    return error;
}

char *sql_error_text(const struct sql_error *error, struct arena *arena)
{
    struct strbuf text = {0};
    strbuf_add_str(&text, error->message);
    if (error->sqlstate)
        strbuf_printf(&text, " (SQLSTATE %s)", error->sqlstate);
    if (error->detail)
        strbuf_printf(&text, "\nDETAIL: %s", error->detail);
    if (error->hint)
        strbuf_printf(&text, "\nHINT: %s", error->hint);
    char *copy = strbuf_to_arena(&text, arena);
    strbuf_done(&text);
    return copy;
}

static void put_text(struct json_writer *w, const char *key, const char *value)
{
    if (value)
        json_kv_str(w, key, value);
}

void sql_error_json(const struct sql_error *error, struct json_writer *w)
{
    put_text(w, "severity", error->severity);
    put_text(w, "sqlstate", error->sqlstate);
    put_text(w, "message", error->message);
    put_text(w, "detail", error->detail);
    put_text(w, "hint", error->hint);
    put_text(w, "context", error->context);
    put_text(w, "internal_query", error->internal_query);
    put_text(w, "schema", error->schema);
    put_text(w, "table", error->table);
    put_text(w, "column", error->column);
    put_text(w, "constraint", error->constraint);
    put_text(w, "segment", error->segment);
    if (error->position)
        json_kv_int(w, "position", error->position);
}

void sql_error_set(
    struct error *err, enum status status, const PGresult *result, const PGconn *conn)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct sql_error error = sql_error_read(result, conn, arena);
    error_set(err, status, "%s%s%s", error.message, error.detail ? ": " : "",
        error.detail ? error.detail : "");
    if (!err)
        return;
    if (error.hint)
        error_hint(err, "%s", error.hint);
    if (error.sqlstate)
        snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", error.sqlstate);
}

/* ---- finding the place ----------------------------------------------------------------------- */

enum { NOWHERE = -1 };

/* The byte of the n-th character (from 1) of text; its end when there are fewer. */
static size_t byte_of_character(struct slice text, int64_t n)
{
    size_t i = 0;
    for (int64_t k = 1; k < n && i < text.size; k++) {
        uint32_t code_point;
        size_t size = utf8_decode(text.p + i, text.size - i, &code_point);
        i += size ? size : 1;
    }
    return i;
}

static int64_t offset_in(struct slice whole, const char *p)
{
    return (int64_t)(p - whole.p);
}

static const char *find_text(struct slice where, const char *what)
{
    size_t size = strlen(what);
    return size && where.size ? memmem(where.p, where.size, what, size) : NULL;
}

/* The inner query, where it stands in the statement or elsewhere in the text. */
static int64_t find_internal(
    const struct sql_error *error, struct slice rendered, struct slice statement)
{
    if (!error->internal_query || error->internal_position < 1)
        return NOWHERE;
    struct slice query = slice_trim(slice_of(error->internal_query));
    size_t blank = (size_t)(query.p - error->internal_query);
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *text = arena_strndup(arena, query.p, query.size);
    const char *found = find_text(statement, text);
    if (!found)
        found = find_text(rendered, text);
    if (!found)
        return NOWHERE;
    size_t inside = byte_of_character(slice_of(error->internal_query), error->internal_position);
    return offset_in(rendered, found) + (int64_t)(inside > blank ? inside - blank : 0);
}

/* The first dollar-quoted body at or behind `from`. */
static bool find_body(struct slice text, size_t from, struct slice *ret)
{
    struct sql_token token;
    while ((token = sql_lex(text, &from)).kind != SQL_END && token.kind != SQL_SEMICOLON) {
        if (token.kind == SQL_DOLLAR) {
            *ret = slice_make(text.p + token.body_offset, token.body_size);
            return true;
        }
    }
    return false;
}

static bool names(struct slice text, struct sql_token token, struct slice name)
{
    if (token.kind == SQL_QUOTED)
        return slice_equal(slice_make(text.p + token.offset + 1, token.size - 2), name);
    return token.kind == SQL_WORD && token.size == name.size &&
           strncasecmp(text.p + token.offset, name.p, name.size) == 0;
}

/* The body of the function of that name that the text creates: `function [schema.]name (`. */
static bool find_function(struct slice text, struct slice name, struct slice *ret)
{
    size_t position = 0;
    struct sql_token token, before = {0};
    bool creating = false;
    while ((token = sql_lex(text, &position)).kind != SQL_END) {
        if (sql_token_is(text, token, "function") || sql_token_is(text, token, "procedure"))
            creating = true;
        else if (token.kind == SQL_SEMICOLON)
            creating = false;
        else if (creating && token.kind == SQL_OPEN) {
            if (names(text, before, name) && find_body(text, position, ret))
                return true;
            creating = false;
        }
        before = token;
    }
    return false;
}

static int64_t line_of_body(struct slice rendered, struct slice body, int64_t line)
{
    const char *p = body.p, *end = body.p + body.size;
    for (int64_t k = 1; k < line; k++) {
        const char *newline = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
        if (!newline)
            return NOWHERE;
        p = newline + 1;
    }
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return offset_in(rendered, p);
}

/* What a line of CONTEXT says about where: the routine's name and the line in its body. */
struct context_line {
    bool anonymous;
    struct slice name;
    int64_t line;
};

static int64_t number_at(const char *p, const char *end)
{
    size_t size = 0;
    while (p + size < end && p[size] >= '0' && p[size] <= '9')
        size++;
    int64_t number;
    return parse_int64(slice_make(p, size), &number) ? number : 0;
}

/* `PL/pgSQL function f(integer) line 3 at RETURN`, `… inline_code_block line 3 at …`,
   `  PL/Python function "f", line 5, in g`, `  PL/Python anonymous code block, line 5, in <module>`
 */
static bool read_context_line(struct slice text, struct context_line *ret)
{
    const char *end = text.p + text.size;
    const char *line = find_text(text, " line ");
    const char *function = find_text(text, " function ");
    if (!line)
        return false;
    ret->line = number_at(line + strlen(" line "), end);
    ret->anonymous = find_text(text, "inline_code_block line ") ||
                     find_text(text, "anonymous code block, line ");
    if (ret->anonymous || !function)
        return ret->anonymous && ret->line > 0;
    const char *from = function + strlen(" function ");
    if (*from == '"') {
        const char *close = memchr(from + 1, '"', (size_t)(end - from - 1));
        ret->name = close ? slice_make(from + 1, (size_t)(close - from - 1)) : slice_make("", 0);
    } else {
        const char *open = memchr(from, '(', (size_t)(end - from));
        const char *start = open ? open : from;
        while (start > from && start[-1] != '.' && start[-1] != '"')
            start--;
        ret->name = slice_make(start, open ? (size_t)(open - start) : 0);
    }
    return ret->name.size && ret->line > 0;
}

static int64_t find_context_line(
    const struct context_line *line, struct slice rendered, struct slice statement)
{
    struct slice body;
    bool found = line->anonymous ? find_body(statement, 0, &body)
                                 : find_function(rendered, line->name, &body);
    return found ? line_of_body(rendered, body, line->line) : NOWHERE;
}

/* Innermost first; a Python traceback has its innermost line last, so that one wins there. */
static int64_t find_context(
    const struct sql_error *error, struct slice rendered, struct slice statement)
{
    int64_t found = NOWHERE;
    struct slice rest = slice_of(error->context);
    while (rest.size) {
        const char *end = memchr(rest.p, '\n', rest.size);
        size_t size = end ? (size_t)(end - rest.p) : rest.size;
        struct context_line line = {0};
        bool traceback = size && rest.p[0] == ' ';
        if ((found == NOWHERE || traceback) && read_context_line(slice_make(rest.p, size), &line)) {
            int64_t offset = find_context_line(&line, rendered, statement);
            found = offset == NOWHERE ? found : offset;
        }
        if (found != NOWHERE && !traceback)
            break;
        rest.p += end ? size + 1 : size;
        rest.size -= end ? size + 1 : size;
    }
    return found;
}

size_t sql_error_offset(
    const struct sql_error *error, struct slice rendered, struct slice statement)
{
    size_t start = (size_t)(statement.p - rendered.p);
    if (error->position > 0)
        return start + byte_of_character(statement, error->position);
    int64_t offset = find_internal(error, rendered, statement);
    if (offset == NOWHERE && error->context)
        offset = find_context(error, rendered, statement);
    return offset == NOWHERE ? start : (size_t)offset;
}

struct sql_place sql_place_find(const struct rendered *rendered, size_t offset, struct arena *arena)
{
    struct sql_place place = {0};
    struct slice text = rendered->text;
    if (offset >= text.size)
        offset = text.size ? text.size - 1 : 0;
    struct text_position here = text_locate(text.p, text.size, offset);
    place.rendered_number = here.line;
    place.rendered_line = arena_strndup(arena, here.text.p, here.text.size);
    struct jinja_origin origin;
    if (!rendered->map || !jinja_map_find(rendered->map, offset, &origin))
        return place;
    place.place = arena_printf(arena, "%s:%u:%u", origin.file, origin.line, origin.column);
    place.file = arena_strdup(arena, origin.file);
    place.line = origin.line;
    place.column = origin.column;
    place.template_line = arena_strndup(arena, origin.source_line.p, origin.source_line.size);
    return place;
}
