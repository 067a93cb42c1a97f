#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "executor/limits.h"
#include "executor/serving/serving_internal.h"
#include "executor/target/cancelling.h"
#include "executor/target/sql_error.h"
#include "executor/target/sql_value.h"

static const char statement_name[] = "dag_endpoint";

static void on_end(void *user, const struct query_end *end);

/* Closes the line, and goes on without it. */
static void drop(struct line *line)
{
    struct line_pool *pool = line->pool;
    pool_drop_line(line);
    pool_go_on(pool);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void refuse_answer(struct line *line, const struct error *err)
{
    struct ask *ask = take(line->ask);
    ask->line = NULL;
    line_leave(line);
    ask_answer(ask, err);
}

/* JSON has each name once in an object. */
static bool check_columns(struct line *line, const PGresult *row)
{
    struct error err;
    for (int i = 0; i < PQnfields(row); i++)
        for (int j = 0; j < i; j++) {
            if (!str_equal(PQfname(row, i), PQfname(row, j)))
                continue;
            error_set(&err, ERR_ENDPOINT_ANSWER, "the query of `%s` has two columns `%s`",
                line->pool->endpoint->name, PQfname(row, i));
            error_hint(&err, "name them apart in the query: `… AS name`");
            refuse_answer(line, &err);
            return false;
        }
    return true;
}

static bool check_size(struct line *line)
{
    const struct endpoint *endpoint = line->pool->endpoint;
    struct error err;
    if (line->ask->count >= (size_t)endpoint->max_rows)
        error_set(&err, ERR_ENDPOINT_ANSWER, "the query of `%s` gives more than %d rows",
            endpoint->name, endpoint->max_rows);
    else if (line->ask->json.size > SERVING_ANSWER_MAX)
        error_set(&err, ERR_ENDPOINT_ANSWER, "the answer of `%s` takes more than %d MiB",
            endpoint->name, SERVING_ANSWER_MAX / (1024 * 1024));
    else
        return true;
    error_hint(&err, "ask for less, write a LIMIT into the query, or raise `max_rows`");
    refuse_answer(line, &err);
    return false;
}

static void on_row(void *user, const PGresult *row)
{
    struct line *line = user;
    struct ask *ask = line->ask;
    if (line->state != LINE_ASKING || !ask || (ask->count == 0 && !check_columns(line, row)) ||
        !check_size(line))
        return;
    struct json_writer w = json_begin(&ask->json);
    if (ask->count++)
        strbuf_add_char(&ask->json, ',');
    sql_row_json(&w, row, 0);
}

/* ---- the server's errors --------------------------------------------------------------------- */

static const char *sqlstate_of(const struct query_end *end)
{
    const char *state = end->error ? PQresultErrorField(end->error, PG_DIAG_SQLSTATE) : NULL;
    return state ? state : "";
}

/* The connection went, or the server is going: another session may answer. */
static bool is_lost(const struct query_end *end)
{
    return end->lost || str_starts(sqlstate_of(end), "57P");
}

/* The prepared statement is not what it was: a table was changed, or someone deallocated it. */
static bool is_stale(const struct query_end *end)
{
    const char *state = sqlstate_of(end);
    const char *message =
        end->error ? PQresultErrorField(end->error, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    return str_equal(state, "26000") ||
           (str_equal(state, "0A000") && message && strstr(message, "cached plan"));
}

/* What callers get: no detail, context or query, which can hold what others may not see. */
static void set_error(const struct line *line, const struct query_end *end, struct error *err)
{
    const char *name = line->pool->endpoint->name, *state = sqlstate_of(end);
    const char *message =
        end->error ? PQresultErrorField(end->error, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    if (is_lost(end)) {
        error_set(err, ERR_CONNECT, "the connection of `%s` was lost", name);
        error_hint(err, "try again in a moment");
        return;
    }
    if (str_equal(state, "57014")) {
        error_set(err, ERR_TIMEOUT, "the query of `%s` took longer than its `timeout`", name);
        return;
    }
    error_set(err, ERR_ENDPOINT_SQL, "the query of `%s` failed: %s (SQLSTATE %s)", name,
        message ? message : "no reason given", state);
    snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", state);
}

/* The daemon's log has all of it. */
static void log_failure(const struct line *line, const struct query_end *end)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    if (is_lost(end) || !end->error)
        return;
    struct sql_error error = sql_error_read(end->error, session_connection(line->session), arena);
    log_line(LOG_WARNING, "endpoint `%s`: %s", line->pool->endpoint->name,
        sql_error_text(&error, arena));
}

/* ---- one after the other --------------------------------------------------------------------- */

static void rest(struct line *line)
{
    line->state = LINE_RESTING;
    line->since_us = clock_now().mono_us;
    if (line->stale)
        drop(line);
    else
        pool_go_on(line->pool);
}

static void end_transaction(struct line *line)
{
    line->state = LINE_ENDING;
    session_query(line->session, "ROLLBACK");
}

/* It only reads, so that it may be asked again. */
static void fail_ask(struct line *line, const struct query_end *end)
{
    struct ask *ask = take(line->ask);
    bool lost = is_lost(end), again = (lost || is_stale(end)) && !ask->tried;
    struct error err;
    ask->line = NULL;
    if (!again) {
        set_error(line, end, &err);
        log_failure(line, end);
    }
    if (lost || is_stale(end)) { /* as those at rest will be */
        pool_close_resting(line->pool, INT64_MAX);
        pool_drop_line(line);
    } else {
        end_transaction(line);
    }
    if (again)
        ask_again(ask);
    else
        ask_answer(ask, &err);
}

/* The session cannot be made ready: neither could another one. */
static void fail_ready(struct line *line, const struct query_end *end)
{
    struct line_pool *pool = line->pool;
    struct error err;
    set_error(line, end, &err);
    log_failure(line, end);
    pool_drop_line(line);
    pool_refuse(pool, &err);
}

static void go_on(struct line *line)
{
    struct ask *ask = line->ask;
    switch (line->state) {
    case LINE_SETTING:
        line->state = LINE_PREPARING;
        session_prepare(line->session, statement_name, line->pool->endpoint->sql);
        break;
    case LINE_PREPARING:
    case LINE_ENDING: rest(line); break;
    case LINE_BEGINNING:
        line->state = LINE_ASKING;
        session_query_prepared(
            line->session, statement_name, (int)line->pool->endpoint->param_count, ask->values);
        break;
    case LINE_ASKING:
        line->ask = NULL;
        ask->line = NULL;
        end_transaction(line);
        ask_answer(ask, NULL);
        break;
    case LINE_RESTING:
    case LINE_LEAVING: drop(line); break;
    }
}

static void on_end(void *user, const struct query_end *end)
{
    struct line *line = user;
    if (!end->error && !end->lost) {
        go_on(line);
        return;
    }
    switch (line->state) {
    case LINE_SETTING:
    case LINE_PREPARING: fail_ready(line, end); break;
    case LINE_BEGINNING:
    case LINE_ASKING: fail_ask(line, end); break;
    default: drop(line); break;
    }
}

static void on_idle_lost(void *user)
{
    drop(user);
}

/* ---- from outside ---------------------------------------------------------------------------- */

struct line *line_new(struct line_pool *pool, struct connected *connected, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct session *session;
    if (session_new(&pool->serving->handles, connected, &session, err) != OK)
        return NULL;
    struct line *line = mem_alloc_zero(1, sizeof(*line));
    line->pool = pool;
    line->session = session;
    const struct session_user user = {
        .user = line, .row = on_row, .done = on_end, .idle_lost = on_idle_lost};
    session_set_user(session, &user);
    session_query(session, connect_settings_text(pool->connection, true, arena));
    return line;
}

/* The server's timeout is the sooner one of the two: after it the session can be used again. */
void line_start(struct line *line, struct ask *ask)
{
    char text[160];
    int64_t left_ms = (ask->until_us - clock_now().mono_us) / US_PER_MS;
    snprintf(text, sizeof(text),
        "BEGIN READ ONLY; SET LOCAL statement_timeout = %lld; SET LOCAL transaction_read_only = on",
        (long long)(left_ms > 1 ? left_ms : 1));
    line->ask = ask;
    ask->line = line;
    line->state = LINE_BEGINNING;
    session_query(line->session, text);
}

void line_leave(struct line *line)
{
    line->state = LINE_LEAVING;
    /* Whether it could be sent is of no use to anybody: the session's end tells. */
    (void)cancelling_start(line->pool->serving->cancels, line->session, NULL, NULL);
}

void line_free(struct line *line)
{
    session_close(line->session);
    mem_free(line);
}
