#include "executor/operators/query.h"

#include "executor/limits.h"
#include "executor/operators/sql_attempt.h"

struct query {
    struct sql_attempt sql;
    struct query_options options;
    struct sql_reader reader;
    size_t bytes, ignored;
    VEC(struct query_value) values;
    struct query_rows rows;
};

static struct query *of(struct sql_attempt *s)
{
    return CONTAINER_OF(s, struct query, sql);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void take_columns(struct query *q, const PGresult *row)
{
    struct arena *arena = q->sql.attempt->arena;
    q->rows.column_count = (size_t)PQnfields(row);
    const char **names = arena_array(arena, const char *, q->rows.column_count);
    for (size_t i = 0; i < q->rows.column_count; i++)
        names[i] = arena_strdup(arena, PQfname(row, (int)i));
    q->rows.columns = names;
}

static void take_row(struct sql_attempt *s, const PGresult *row)
{
    struct query *q = of(s);
    struct arena *arena = s->attempt->arena;
    if (s->rows_refused || s->rows_enough)
        return;
    if (PQnfields(row) == 0) {
        sql_refuse_rows(s, "the query gives rows without a column");
        return;
    }
    if (q->options.first_only && q->rows.count) {
        if (++q->ignored == QUERY_ROWS_IGNORED_MAX)
            sql_enough_rows(s);
        return;
    }
    if (q->rows.count == q->options.rows_max) {
        sql_refuse_rows(
            s, arena_printf(arena, "the query gives more than %zu rows", q->options.rows_max));
        return;
    }
    if (!q->rows.count++)
        take_columns(q, row);
    for (int i = 0; i < PQnfields(row); i++) {
        bool null = PQgetisnull(row, 0, i);
        struct query_value value = {.type = PQftype(row, i)};
        q->bytes += null ? 0 : (size_t)PQgetlength(row, 0, i);
        if (q->bytes > XCOM_MAX) {
            sql_refuse_rows(s, "the rows of the query take more than 1 MiB");
            return;
        }
        value.text = null ? NULL : arena_strdup(arena, PQgetvalue(row, 0, i));
        vec_push(&q->values, value);
    }
}

static void all_read(struct sql_attempt *s)
{
    struct query *q = of(s);
    struct arena *arena = s->attempt->arena;
    q->rows.detail = sql_report_detail(s, NULL);
    q->rows.values = arena_memdup(arena, q->values.at, q->values.count * sizeof(*q->values.at));
    sql_release(s);
    q->options.done(s->attempt, q->options.user, &q->rows);
}

/* ---- start ----------------------------------------------------------------------------------- */

/* The text has one statement: a second one could be anything. */
static bool check_one(struct sql_attempt *s)
{
    if (s->statements.count == 1)
        return true;
    size_t offset = s->statements.count ? s->statements.at[1].offset : 0;
    struct attempt_result failure = sql_report_refusal(s, "42601", offset,
        s->statements.count ? "one statement is asked for, this is a second one"
                            : "one statement is asked for, there is none");
    sql_end(s, &failure);
    return false;
}

static struct query *new_query(struct attempt *attempt, const struct sql_task *task)
{
    static const struct sql_reader reader = {take_row, all_read};
    struct query *q = arena_new_of(attempt->arena, struct query);
    struct sql_task *sql = arena_memdup(attempt->arena, task, sizeof(*task));
    sql->transaction = true;
    sql->isolation = ISOLATION_DEFAULT;
    sql->result = RESULT_NONE;
    sql_init(&q->sql, attempt, sql);
    q->sql.reader = &reader;
    return q;
}

struct query *query_start(struct attempt *attempt, const struct query_options *options)
{
    struct query *q = new_query(attempt, options->sql);
    q->options = *options;
    q->sql.field = options->field;
    if (attempt->cancelled) { /* between two queries */
        struct attempt_result cancelled = sql_cancelled_result(&q->sql);
        sql_end(&q->sql, &cancelled);
        return NULL;
    }
    if (!sql_find_connection(&q->sql) || !sql_read_text(&q->sql) || !check_one(&q->sql))
        return NULL;
    sql_acquire(&q->sql);
    return q;
}

void query_cancel(struct query *q, bool force)
{
    sql_stop(&q->sql, force);
}

void query_free(struct query *q)
{
    if (!q)
        return;
    sql_release(&q->sql);
    vec_done(&q->values);
}

/* ---- recover --------------------------------------------------------------------------------- */

static void end_interrupted(struct sql_attempt *s)
{
    sql_end(s, &(struct attempt_result){.outcome = OUTCOME_INTERRUPTED, .exit_code = -1});
}

static void on_ended(struct settle *settle)
{
    struct sql_attempt *s = settle->owner;
    if (s) {
        s->settle = NULL;
        attempt_say_lines(
            s->attempt, LOG_KIND_INFO, slice_make(strbuf_text(&settle->said), settle->said.size));
        if (settle->status)
            attempt_say(
                s->attempt, LOG_KIND_INFO, "the database cannot be asked: %s", settle->err.message);
        end_interrupted(s);
    }
    settle_free(settle);
}

struct query *query_recover(struct attempt *attempt)
{
    static const struct sql_task none;
    struct query *q = new_query(attempt, &none);
    struct sql_attempt *s = &q->sql;
    const char *name = attempt->has_memo ? attempt->memo.connection : NULL;
    s->connection = name ? project_find_connection(attempt->project, name) : NULL;
    if (!s->connection) { /* it never came so far, or nobody knows where it was */
        end_interrupted(s);
        return NULL;
    }
    s->settle = settle_new(SETTLE_END, s->connection, s, on_ended);
    s->settle->match.application_name =
        arena_strdup(s->settle->arena, attempt->effect.attempt.text);
    settle_run(attempt_admin(attempt), s->settle);
    return q;
}
