/* What happened, for the log, the page and the ledger. */
#include <stdio.h>

#include "executor/limits.h"
#include "executor/operators/sql_attempt.h"
#include "executor/target/sql_value.h"

/* ---- errors ---------------------------------------------------------------------------------- */

/* The template's line, and the rendered one when it reads differently. */
static void add_lines(const struct sql_place *place, struct strbuf *out)
{
    const char *rendered = place->rendered_line ? place->rendered_line : "";
    if (place->template_line) {
        const char *colon = strchr(place->place, ':');
        int line = 0;
        int64_t number = 0;
        if (colon && parse_int64(slice_make(colon + 1, strcspn(colon + 1, ":")), &number))
            line = (int)number;
        strbuf_printf(out, "%5d | %s\n", line, place->template_line);
        if (str_equal(place->template_line, rendered))
            return;
    }
    if (*rendered)
        strbuf_printf(out, "rendered line %u | %s\n", place->rendered_number, rendered);
}

static char *full_message(const struct sql_error *error, const struct sql_place *place,
    const char *doing, struct arena *arena)
{
    struct strbuf text = {0};
    if (doing)
        strbuf_printf(&text, "%s: ", doing);
    strbuf_add_str(&text, sql_error_text(error, arena));
    strbuf_add_char(&text, '\n');
    if (place)
        add_lines(place, &text);
    if (error->context)
        strbuf_printf(&text, "CONTEXT: %s\n", error->context);
    struct slice trimmed = slice_trim(slice_make(text.text, text.size));
    char *message = arena_strndup(arena, trimmed.p, trimmed.size);
    strbuf_done(&text);
    return message;
}

static struct attempt_result make_failure(struct sql_attempt *s, const struct sql_error *error,
    const struct sql_place *place, const char *doing)
{
    struct arena *arena = s->attempt->arena;
    struct attempt_result result = {
        .outcome = OUTCOME_FAILED,
        .error_class = CLASS_SQL,
        .exit_code = -1,
        .message = full_message(error, place, doing, arena),
        .place = place ? place->place : NULL,
        .detail = sql_report_detail(s, error),
    };
    if (error->sqlstate)
        snprintf(result.sqlstate, sizeof(result.sqlstate), "%s", error->sqlstate);
    attempt_say(s->attempt, LOG_KIND_ERROR, "%s%s%s", place && place->place ? place->place : "",
        place && place->place ? ": error: " : "", result.message);
    return result;
}

struct attempt_result sql_report_error(
    struct sql_attempt *s, const PGresult *pg, struct slice statement, const char *doing)
{
    struct arena *arena = s->attempt->arena;
    struct sql_error error =
        sql_error_read(pg, s->session ? session_connection(s->session) : NULL, arena);
    if (!statement.p)
        return make_failure(s, &error, NULL, doing);
    size_t offset = sql_error_offset(&error, s->sql->text, statement);
    struct sql_place place = sql_place_find(s->sql, offset, arena);
    return make_failure(s, &error, &place, doing);
}

struct attempt_result sql_report_refusal(
    struct sql_attempt *s, const char *sqlstate, size_t offset, const char *message)
{
    struct sql_place place = sql_place_find(s->sql, offset, s->attempt->arena);
    struct sql_error error = {.severity = "ERROR", .sqlstate = sqlstate, .message = message};
    return make_failure(s, &error, &place, NULL);
}

struct attempt_result sql_report_check_error(
    struct sql_attempt *s, const PGresult *pg, const struct sql_check_query *q, bool sampling)
{
    struct arena *arena = s->attempt->arena;
    struct sql_error error = sql_error_read(pg, session_connection(s->session), arena);
    struct slice text = slice_of(sampling ? q->sample : q->text);
    struct sql_place place = {0};
    size_t offset = sampling ? 0 : sql_error_offset(&error, text, text);
    bool inside = q->field && !sampling && offset >= q->field_offset &&
                  offset - q->field_offset < q->field->text.size;
    if (inside)
        place = sql_place_find(q->field, offset - q->field_offset, arena);
    if (!place.place)
        place.place = q->place;
    return make_failure(s, &error, &place, "a check");
}

struct attempt_result sql_report_check(
    struct sql_attempt *s, const char *at, const char *message, const char *detail)
{
    struct sql_place place = {.place = at};
    struct sql_error error = {
        .severity = "ERROR", .sqlstate = "P0004", .message = message, .detail = detail};
    return make_failure(s, &error, &place, NULL);
}

/* ---- notices --------------------------------------------------------------------------------- */

void sql_report_notice(struct sql_attempt *s, const PGresult *notice)
{
    if (++s->notices > SESSION_NOTICES_MAX)
        return;
    if (s->notices == SESSION_NOTICES_MAX) {
        attempt_say(s->attempt, LOG_KIND_NOTICE, "%d notices: further ones are only counted",
            SESSION_NOTICES_MAX);
        return;
    }
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct sql_error fields = sql_error_read(notice, NULL, arena);
    attempt_say(s->attempt, LOG_KIND_NOTICE, "%s: %s%s%s%s%s",
        fields.severity ? fields.severity : "NOTICE", fields.message,
        fields.detail ? "\nDETAIL: " : "", fields.detail ? fields.detail : "",
        fields.hint ? "\nHINT: " : "", fields.hint ? fields.hint : "");
}

/* ---- statements ------------------------------------------------------------------------------ */

enum {
    /* Bytes of a statement's first line that the log shows. */
    SHOWN_STATEMENT = 100,
};

void sql_report_begin(struct sql_attempt *s)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const struct sql_statement *statement = &s->statements.at[s->at];
    struct sql_place place = sql_place_find(s->sql, statement->offset, arena);
    if (!place.file || !s->file || !str_equal(s->file, place.file))
        s->file = place.file ? arena_strdup(s->attempt->arena, place.file) : NULL;
    s->line = place.line;
    struct slice text = slice_make(s->sql->text.p + statement->offset, statement->size);
    const char *newline = memchr(text.p, '\n', text.size);
    size_t size = newline ? (size_t)(newline - text.p) : text.size;
    bool cut = newline || size > SHOWN_STATEMENT;
    size = size > SHOWN_STATEMENT ? SHOWN_STATEMENT : size;
    while (size && ((unsigned char)text.p[size] & 0xc0) == 0x80)
        size--; /* not within a character */
    attempt_say(s->attempt, LOG_KIND_SQL, "%zu/%zu %s%s%.*s%s", s->at + 1, s->statements.count,
        place.place ? place.place : "", place.place ? ": " : "", (int)size, text.p,
        cut ? " …" : "");
}

static void keep_statement(struct sql_attempt *s, const struct query_end *end, int64_t took_us)
{
    s->done_count++;
    if (s->done.count == ATTEMPT_STATEMENTS_KEPT)
        return;
    struct arena *arena = s->attempt->arena;
    struct sql_done_statement done = {.tag = arena_strdup(arena, end->tag),
        .rows = end->rows,
        .took_us = took_us,
        .file = s->file,
        .line = s->line};
    vec_push(&s->done, done);
}

void sql_report_took(int64_t took_us, char ret[32])
{
    if (took_us < US_PER_SECOND)
        snprintf(ret, 32, "%.1f ms", (double)took_us / 1000.0);
    else
        duration_format(took_us, ret);
}

void sql_report_done(struct sql_attempt *s, const struct query_end *end)
{
    int64_t took_us = clock_now().mono_us - s->began_us;
    char took[32];
    sql_report_took(took_us, took);
    keep_statement(s, end, took_us);
    if (s->notices > SESSION_NOTICES_MAX)
        attempt_say(s->attempt, LOG_KIND_NOTICE, "%u notices in all", s->notices);
    attempt_say(s->attempt, LOG_KIND_SQL, "%zu/%zu %s (%s)%s", s->at + 1, s->statements.count,
        *end->tag ? end->tag : "done", took, end->discarded ? "; the rows were discarded" : "");
    const struct copy_file *file = sql_copy_file(s);
    if (file)
        attempt_say(s->attempt, LOG_KIND_SQL, "%lld bytes %s `%s`", (long long)file->bytes,
            file->part ? "for" : "from", file->shown);
}

/* ---- detail ---------------------------------------------------------------------------------- */

static void add_statements(const struct sql_attempt *s, struct json_writer *w)
{
    json_key(w, "statements");
    json_array_begin(w);
    for (size_t i = 0; i < s->done.count; i++) {
        const struct sql_done_statement *done = &s->done.at[i];
        json_object_begin(w);
        if (done->file)
            json_kv_str(w, "file", done->file);
        json_kv_int(w, "line", done->line);
        json_kv_str(w, "tag", done->tag);
        if (done->rows >= 0)
            json_kv_int(w, "rows", done->rows);
        json_key(w, "ms");
        json_double(w, (double)done->took_us / 1000.0);
        json_object_end(w);
    }
    json_array_end(w);
    if (s->done_count > s->done.count)
        json_kv_int(w, "statements_left_out", (int64_t)(s->done_count - s->done.count));
}

char *sql_report_detail(struct sql_attempt *s, const struct sql_error *error)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    char hash[HASH_TEXT_SIZE];
    json_object_begin(&w);
    if (s->sql) {
        hash_sha256(s->sql->text.p, s->sql->text.size, hash);
        json_kv_str(&w, "hash", hash);
    }
    if (s->session) {
        const struct server_facts *facts = session_facts(s->session);
        json_kv_str(&w, "server", facts->number);
        json_kv_int(&w, "backend", facts->pid);
        if (s->ledger) /* what only reads has no row there */
            json_kv_str(&w, "ledger", facts->ledger_id);
    }
    add_statements(s, &w);
    sql_checks_json(s, &w);
    sql_touched_json(s, &w);
    if (!error)
        sql_copies_json(s, &w);
    if (error) {
        json_key(&w, "error");
        json_object_begin(&w);
        sql_error_json(error, &w);
        json_object_end(&w);
    }
    json_object_end(&w);
    /* Error fields quote the server, which may quote what was pasted into the text. */
    char *detail = attempt_log_mask(
        s->attempt->log, slice_make(strbuf_text(&text), text.size), s->attempt->arena);
    strbuf_done(&text);
    return detail;
}

/* ---- XCom ------------------------------------------------------------------------------------ */

static void add_value(struct json_writer *w, const PGresult *row, int column)
{
    const char *text = PQgetisnull(row, 0, column) ? NULL : PQgetvalue(row, 0, column);
    sql_value_json(w, text, PQftype(row, column));
}

static void add_row(struct json_writer *w, const PGresult *row)
{
    json_object_begin(w);
    for (int i = 0; i < PQnfields(row); i++) {
        json_key(w, PQfname(row, i));
        add_value(w, row, i);
    }
    json_object_end(w);
}

void sql_report_result_set(struct sql_attempt *s)
{
    if (s->task->result == RESULT_NONE || s->xcom_statement == s->at + 1)
        return;
    s->xcom_statement = s->at + 1;
    s->xcom_rows = 0;
    s->xcom_refused = NULL;
    strbuf_clear(&s->xcom);
    s->xcom.limit = XCOM_MAX;
}

static const char *twice(const PGresult *row)
{
    for (int i = 1; i < PQnfields(row); i++)
        for (int k = 0; k < i; k++)
            if (str_equal(PQfname(row, i), PQfname(row, k)))
                return PQfname(row, i);
    return NULL;
}

static void refuse_row(struct sql_attempt *s, const char *message)
{
    s->xcom_refused = message;
    if (s->at + 1 == s->statements.count)
        sql_refuse_rows(s, message); /* another result can no longer take its place */
}

void sql_report_row(struct sql_attempt *s, const PGresult *row)
{
    sql_report_result_set(s);
    if (s->xcom_refused || (s->xcom_rows++ && s->task->result != RESULT_ROWS))
        return;
    const char *name = s->xcom_rows == 1 && s->task->result != RESULT_SCALAR ? twice(row) : NULL;
    if (name) {
        refuse_row(s,
            arena_printf(s->attempt->arena,
                "the result has two columns called `%s`: write `AS …` to tell them apart", name));
        return;
    }
    if (s->xcom_rows > 1)
        strbuf_add_str(&s->xcom, ", ");
    struct json_writer w = json_begin(&s->xcom);
    if (s->task->result == RESULT_SCALAR)
        add_value(&w, row, 0);
    else
        add_row(&w, row);
    if (s->xcom.over)
        refuse_row(s, "the result is larger than an XCom may be (1 MiB as JSON): leave it in a"
                      " table, or ask for less");
}

char *sql_report_xcom(struct sql_attempt *s)
{
    struct arena *arena = s->attempt->arena;
    const char *text = strbuf_text(&s->xcom);
    switch (s->task->result) {
    case RESULT_NONE: return NULL;
    case RESULT_ROWS: return arena_printf(arena, "[%s]", text);
    default: return s->xcom.size ? arena_strdup(arena, text) : arena_strdup(arena, "null");
    }
}
