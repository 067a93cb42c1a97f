#include "executor/operators/sql_check.h"

#include "executor/operators/sql_attempt.h"
#include "executor/target/sql_value.h"
#include "language/sql/name.h"

enum {
    /* Bytes of a condition, and columns and bytes of a value of a row, that messages show. */
    SHOWN_CONDITION = 200,
    SHOWN_COLUMNS = 12,
    SHOWN_VALUE = 80,
};

static const char *const check_words[] = {
    [CHECK_ROW_COUNT] = "row_count",
    [CHECK_NOT_NULL] = "not_null",
    [CHECK_UNIQUE] = "unique",
    [CHECK_ACCEPTED_VALUES] = "accepted_values",
    [CHECK_SQL] = "sql",
};

static const struct rendered *part(const struct sql_attempt *s, size_t i, const char *name)
{
    return rendered_find(
        &s->attempt->rendered, arena_printf(s->attempt->arena, "checks[%zu].%s", i, name));
}

static enum status find_table(const struct sql_attempt *s, size_t i, struct sql_check_query *q,
    char **ret_quoted, struct error *err)
{
    struct arena *arena = s->attempt->arena;
    const struct rendered *field = part(s, i, "table");
    struct slice table = field ? slice_trim(field->text) : (struct slice){0};
    enum status status = OK;
    if (field)
        q->table = arena_strndup(arena, table.p, table.size);
    else
        status = check_only_table(
            s->attempt->project, s->attempt->task, s->sql->text, arena, &q->table, err);
    if (status)
        return status;
    *ret_quoted = sql_name_quoted(slice_of(q->table), arena);
    if (*ret_quoted)
        return OK;
    return error_set(err, ERR_VALUE_RANGE, "`%s` is not the name of a table", q->table);
}

/* ---- texts ----------------------------------------------------------------------------------- */

static void add_columns(
    struct strbuf *out, const struct names *columns, const char *between, struct arena *arena)
{
    for (size_t i = 0; i < columns->count; i++)
        strbuf_printf(
            out, "%s%s", i ? between : "", sql_column_quoted(slice_of(columns->at[i]), arena));
}

static void add_value(struct strbuf *out, const json_t *value, struct arena *arena)
{
    if (json_is_string(value)) {
        strbuf_add_str(out, sql_literal(arena, json_string_value(value)));
    } else {
        struct json_writer w = json_begin(out);
        json_tree(&w, value);
    }
}

/* NULL stands for itself: it is always accepted. */
static void add_list(struct strbuf *out, const json_t *values, struct arena *arena)
{
    size_t added = 0;
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *value = json_array_get(values, i);
        if (json_is_null(value))
            continue;
        strbuf_add_str(out, added++ ? ", " : " NOT IN (");
        add_value(out, value, arena);
    }
    strbuf_add_str(out, added ? ")" : " IS NOT NULL");
}

/* What makes a row one to blame. */
static void add_blame(const struct sql_attempt *s, size_t i, struct strbuf *out)
{
    const struct sql_check *check = &s->task->checks[i];
    const struct rendered *field = part(s, i, "accepted_values");
    struct arena *arena = s->attempt->arena;
    CLEANUP(json_decrefp) json_t *values = NULL;
    bool listed = field && json_parse(field->text.p, field->text.size, NULL, &values, NULL) == OK;
    for (size_t k = 0; k < check->columns.count; k++) {
        const char *column = check->columns.at[k];
        strbuf_printf(out, "%s%s", k ? " OR " : "", sql_column_quoted(slice_of(column), arena));
        if (listed)
            add_list(out, json_object_get(values, column), arena);
        else
            strbuf_add_str(out, " IS NULL");
    }
}

/* " FROM t WHERE (…)" with `more` as a further condition. */
static void add_from(struct strbuf *out, struct sql_check_query *q, const char *table,
    const struct rendered *where, const char *more)
{
    strbuf_printf(out, " FROM %s", table);
    if (where) {
        strbuf_add_str(out, " WHERE (");
        q->field = where;
        q->field_offset = out->size;
        strbuf_add_slice(out, where->text);
        strbuf_add_str(out, "\n)"); /* the condition may end in a comment */
    }
    if (*more)
        strbuf_printf(out, "%s(%s)", where ? " AND " : " WHERE ", more);
}

static void make_count(const struct sql_attempt *s, size_t i, struct sql_check_query *q,
    const char *table, const char *blame)
{
    struct strbuf text = {.arena = s->attempt->arena}, sample = text;
    struct strbuf columns = text;
    const struct rendered *where = part(s, i, "where");
    add_columns(&columns, &q->check->columns, ", ", s->attempt->arena);
    strbuf_add_str(&text, "SELECT count(*)");
    add_from(&text, q, table, where, blame);
    q->text = strbuf_finish(&text, s->attempt->arena).p;
    if (!*blame)
        return;
    size_t offset = q->field_offset;
    strbuf_printf(&sample, "SELECT %s, *", strbuf_text(&columns));
    add_from(&sample, q, table, where, blame);
    strbuf_printf(&sample, " LIMIT %d", CHECK_SAMPLE_ROWS);
    q->sample = strbuf_finish(&sample, s->attempt->arena).p;
    q->field_offset = offset;
}

static void make_unique(
    const struct sql_attempt *s, size_t i, struct sql_check_query *q, const char *table)
{
    struct arena *arena = s->attempt->arena;
    struct strbuf text = {.arena = arena}, sample = text, columns = text, known = text;
    const struct rendered *where = part(s, i, "where");
    const struct names *names = &q->check->columns;
    add_columns(&columns, names, ", ", arena);
    add_columns(&known, names, " IS NOT NULL AND ", arena);
    strbuf_add_str(&known, " IS NOT NULL");
    const char *more = strbuf_text(&known), *by = strbuf_text(&columns);
    strbuf_add_str(&text, "SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n");
    add_from(&text, q, table, where, more);
    size_t offset = q->field_offset;
    strbuf_printf(&text, " GROUP BY %s HAVING count(*) > 1) q", by);
    strbuf_printf(&sample, "SELECT %s, count(*)", by);
    add_from(&sample, q, table, where, more);
    strbuf_printf(&sample, " GROUP BY %s HAVING count(*) > 1 ORDER BY count(*) DESC, %s LIMIT %d",
        by, by, CHECK_SAMPLE_ROWS);
    q->text = strbuf_finish(&text, arena).p;
    q->sample = strbuf_finish(&sample, arena).p;
    q->field_offset = offset;
}

/* What a where clause or a query holds must stay inside of it. */
static enum status check_one_statement(
    const struct sql_attempt *s, const struct sql_check_query *q, struct error *err)
{
    struct sql_statements statements;
    size_t offset;
    enum status status = sql_split(slice_of(q->text), s->attempt->arena, &statements, &offset, err);
    if (status)
        return status;
    if (statements.count == 1 && statements.at[0].control == SQL_CONTROL_NONE)
        return OK;
    return error_set(err, ERR_VALUE_RANGE, "a check is one query%s",
        statements.count > 1 ? ", not several statements" : "");
}

static enum status make_query(
    const struct sql_attempt *s, size_t i, struct sql_check_query *q, struct error *err)
{
    struct arena *arena = s->attempt->arena;
    const struct rendered *count = part(s, i, "row_count");
    struct strbuf blame = {.arena = arena};
    char *table = NULL;
    enum status status = OK;
    if (q->check->kind == CHECK_SQL) {
        q->field = part(s, i, "sql");
        q->text = arena_strndup(arena, q->field->text.p, q->field->text.size);
        return check_one_statement(s, q, err);
    }
    status = find_table(s, i, q, &table, err);
    if (status == OK && count)
        status = check_count_read(count->text, &q->wanted, err);
    if (status)
        return status;
    add_blame(s, i, &blame);
    if (q->check->kind == CHECK_UNIQUE)
        make_unique(s, i, q, table);
    else
        make_count(s, i, q, table, strbuf_text(&blame));
    return check_one_statement(s, q, err);
}

bool sql_checks_prepare(struct sql_attempt *s)
{
    struct arena *arena = s->attempt->arena;
    s->checks.count = s->reader ? 0 : s->task->check_count;
    s->checks.at = arena_array(arena, struct sql_check_query, s->checks.count);
    for (size_t i = 0; i < s->checks.count; i++) {
        struct sql_check_query *q = &s->checks.at[i];
        struct error err;
        *q = (struct sql_check_query){.check = &s->task->checks[i]};
        q->place = arena_printf(
            arena, "%s:%u:%u", s->attempt->effect.dag->file, q->check->line, q->check->column);
        if (make_query(s, i, q, &err) == OK)
            continue;
        error_context(&err, "check %s: ", check_words[q->check->kind]);
        error_place(&err, s->attempt->effect.dag->file, q->check->line, q->check->column, NULL);
        sql_end_error(s, CLASS_TEMPLATE, &err);
        return false;
    }
    return true;
}

/* ---- running --------------------------------------------------------------------------------- */

bool sql_checks_left(const struct sql_attempt *s)
{
    return s->checks.next < s->checks.count;
}

const char *sql_check_begin(struct sql_attempt *s)
{
    const struct sql_check_query *q = &s->checks.at[s->checks.next];
    if (s->checks.sampling)
        return q->sample;
    attempt_say(s->attempt, LOG_KIND_SQL, "check %zu/%zu %s: %s%s%s", s->checks.next + 1,
        s->checks.count, q->place, q->table ? q->table : "", q->table ? ": " : "",
        check_words[q->check->kind]);
    return q->text;
}

static bool has_before(const PGresult *row, int column)
{
    for (int i = 0; i < column; i++)
        if (str_equal(PQfname(row, i), PQfname(row, column)))
            return true;
    return false;
}

static void add_shown(struct json_writer *w, const PGresult *row, int column)
{
    const char *text = PQgetisnull(row, 0, column) ? NULL : PQgetvalue(row, 0, column);
    size_t size = text ? strlen(text) : 0;
    if (size <= SHOWN_VALUE) {
        sql_value_json(w, text, PQftype(row, column));
        return;
    }
    struct strbuf cut = {0};
    for (size = SHOWN_VALUE; size && ((unsigned char)text[size] & 0xc0) == 0x80;)
        size--; /* not within a character */
    strbuf_add(&cut, text, size);
    strbuf_add_str(&cut, "…");
    json_str(w, strbuf_text(&cut));
    strbuf_done(&cut);
}

/* The checked columns come first in the row, and again among the others. */
static void keep_sample(struct sql_check_query *q, const PGresult *row, struct arena *arena)
{
    if (q->sampled_count == CHECK_SAMPLE_ROWS)
        return;
    struct strbuf text = {.arena = arena};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    for (int i = 0, shown = 0; i < PQnfields(row) && shown < SHOWN_COLUMNS; i++) {
        if (has_before(row, i))
            continue;
        json_key(&w, PQfname(row, i));
        add_shown(&w, row, i);
        shown++;
    }
    json_object_end(&w);
    q->sampled[q->sampled_count++] = strbuf_finish(&text, arena).p;
}

static bool is_true(const PGresult *row)
{
    return PQnfields(row) > 0 && PQftype(row, 0) == SQL_TYPE_BOOL && !PQgetisnull(row, 0, 0) &&
           *PQgetvalue(row, 0, 0) == 't';
}

void sql_check_row(struct sql_attempt *s, const PGresult *row)
{
    struct sql_check_query *q = &s->checks.at[s->checks.next];
    if (s->checks.sampling) {
        keep_sample(q, row, s->attempt->arena);
    } else if (q->check->kind != CHECK_SQL) {
        (void)parse_int64(slice_of(PQgetvalue(row, 0, 0)), &q->rows);
    } else {
        q->seen++;
        if (is_true(row))
            return;
        q->rows++;
        keep_sample(q, row, s->attempt->arena);
    }
}

/* ---- what they say --------------------------------------------------------------------------- */

static void add_where(const struct sql_check_query *q, struct strbuf *out)
{
    if (q->check->kind == CHECK_SQL || !q->field)
        return;
    struct slice where = slice_trim(q->field->text);
    size_t size = where.size < SHOWN_CONDITION ? where.size : SHOWN_CONDITION;
    while (size && size < where.size && ((unsigned char)where.p[size] & 0xc0) == 0x80)
        size--;
    strbuf_printf(out, " where %.*s%s", (int)size, where.p, size < where.size ? " …" : "");
}

static void add_names(const struct names *names, struct strbuf *out)
{
    for (size_t i = 0; i < names->count; i++)
        strbuf_printf(out, "%s`%s`", i ? ", " : "", names->at[i]);
}

/* "3 rows of `t` have NULL in `uid` where …" */
static char *describe(const struct sql_attempt *s, const struct sql_check_query *q)
{
    static const char *const says[][2] = {[CHECK_NOT_NULL] = {"has NULL in", "have NULL in"},
        [CHECK_UNIQUE] = {"is a duplicate in", "are duplicates in"},
        [CHECK_ACCEPTED_VALUES] = {
            "has a value that is not accepted in", "have values that are not accepted in"}};
    struct strbuf out = {.arena = s->attempt->arena};
    long long rows = q->rows;
    const char *plural = rows == 1 ? "row" : "rows";
    size_t i = (size_t)(q - s->checks.at);
    if (q->check->kind == CHECK_ROW_COUNT) {
        struct slice wanted = slice_trim(part(s, i, "row_count")->text);
        strbuf_printf(&out, "`%s` has %lld %s", q->table, rows, plural);
        add_where(q, &out);
        strbuf_printf(&out, ", and %.*s is asked for", SLICE_ARG(wanted));
    } else if (q->check->kind == CHECK_SQL) {
        strbuf_printf(&out,
            q->seen ? "of %lld rows of the query %lld do not give true" : "the query gives no row",
            (long long)q->seen, rows);
    } else {
        strbuf_printf(
            &out, "%lld %s of `%s` %s ", rows, plural, q->table, says[q->check->kind][rows != 1]);
        add_names(&q->check->columns, &out);
        add_where(q, &out);
    }
    return (char *)strbuf_finish(&out, s->attempt->arena).p;
}

static void add_sample(const struct sql_check_query *q, struct strbuf *out)
{
    for (size_t i = 0; i < q->sampled_count; i++)
        strbuf_printf(out, "\n  %s", q->sampled[i]);
}

static size_t count_broken(const struct sql_checks *checks, bool warns)
{
    size_t count = 0;
    for (size_t i = 0; i < checks->count; i++)
        count += checks->at[i].done && !checks->at[i].holds && checks->at[i].check->warns == warns;
    return count;
}

/* The first that fails is the error, the others and the rows are its detail. */
static void all_failed(struct sql_attempt *s, struct attempt_result *ret)
{
    struct strbuf detail = {.arena = s->attempt->arena};
    const struct sql_check_query *first = NULL;
    for (size_t i = 0; i < s->checks.count; i++) {
        const struct sql_check_query *q = &s->checks.at[i];
        if (q->holds || q->check->warns)
            continue;
        if (first)
            strbuf_printf(&detail, "\n%s: check failed: %s", q->place, describe(s, q));
        first = first ? first : q;
        add_sample(q, &detail);
    }
    const char *message = arena_printf(s->attempt->arena, "check failed: %s", describe(s, first));
    *ret = sql_report_check(s, first->place, message, detail.size ? strbuf_text(&detail) : NULL);
}

static void tell(struct sql_attempt *s, const struct sql_check_query *q)
{
    struct strbuf text = {0};
    char took[32];
    sql_report_took(q->took_us, took);
    if (q->holds) {
        attempt_say(s->attempt, LOG_KIND_SQL, "check %zu/%zu holds (%s)", s->checks.next + 1,
            s->checks.count, took);
        return;
    }
    add_sample(q, &text);
    attempt_say(s->attempt, q->check->warns ? LOG_KIND_NOTICE : LOG_KIND_SQL,
        "check %zu/%zu %s: %s%s (%s)", s->checks.next + 1, s->checks.count,
        q->check->warns ? "WARNING" : "failed", describe(s, q), strbuf_text(&text), took);
    strbuf_done(&text);
}

static bool holds(const struct sql_check_query *q)
{
    if (q->check->kind == CHECK_ROW_COUNT)
        return check_count_holds(&q->wanted, q->rows);
    return q->rows == 0 && (q->check->kind != CHECK_SQL || q->seen > 0);
}

bool sql_check_end(struct sql_attempt *s, const struct query_end *end, struct attempt_result *ret)
{
    struct sql_checks *checks = &s->checks;
    struct sql_check_query *q = &checks->at[checks->next];
    q->took_us += clock_now().mono_us - s->began_us;
    if (end->error) {
        *ret = sql_report_check_error(s, end->error, q, checks->sampling);
        return false;
    }
    if (!checks->sampling) {
        q->done = true;
        q->holds = holds(q);
        checks->sampling = !q->holds && q->sample;
        if (checks->sampling)
            return true;
    }
    checks->sampling = false;
    tell(s, q);
    checks->next++;
    if (sql_checks_left(s) || !count_broken(checks, false))
        return true;
    all_failed(s, ret);
    return false;
}

const char *sql_checks_warning(const struct sql_attempt *s)
{
    size_t count = count_broken(&s->checks, true);
    struct arena *arena = s->attempt->arena;
    for (size_t i = 0; count && i < s->checks.count; i++) {
        const struct sql_check_query *q = &s->checks.at[i];
        if (q->done && !q->holds && q->check->warns && count == 1)
            return arena_printf(arena, "a check warned: %s", describe(s, q));
        if (q->done && !q->holds && q->check->warns)
            return arena_printf(arena, "%zu checks warned, the first: %s", count, describe(s, q));
    }
    return NULL;
}

void sql_checks_json(const struct sql_attempt *s, struct json_writer *w)
{
    if (!s->checks.count)
        return;
    json_key(w, "checks");
    json_array_begin(w);
    for (size_t i = 0; i < s->checks.count && s->checks.at[i].done; i++) {
        const struct sql_check_query *q = &s->checks.at[i];
        json_object_begin(w);
        json_kv_str(w, "check", check_words[q->check->kind]);
        json_kv_str(w, "place", q->place);
        if (q->table)
            json_kv_str(w, "table", q->table);
        json_kv_str(w, "severity", q->check->warns ? "warn" : "error");
        json_kv_bool(w, "holds", q->holds);
        json_kv_int(w, "rows", q->rows);
        json_key(w, "ms");
        json_double(w, (double)q->took_us / 1000.0);
        if (q->sampled_count) {
            json_key(w, "sample");
            json_array_begin(w);
            for (size_t k = 0; k < q->sampled_count; k++)
                json_raw(w, q->sampled[k]);
            json_array_end(w);
        }
        json_object_end(w);
    }
    json_array_end(w);
}
