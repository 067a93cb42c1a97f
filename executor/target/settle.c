#include "executor/target/settle.h"

#include <poll.h>

#include "executor/copy_file.h"
#include "executor/limits.h"
#include "executor/target/connect.h"

static const char own_name[] = "dag"; /* not a UUID: nobody takes it for an attempt */

static bool over(const struct settle *s)
{
    return clock_now().mono_us >= s->deadline_us;
}

static enum status open_connection(struct settle *s, struct connected *ret)
{
    enum status status = connect_blocking(s->connection, own_name, ret, &s->err);
    if (status || !s->ledger_id[0] || str_equal(s->ledger_id, ret->facts.ledger_id))
        return status;
    PQfinish(take(ret->conn));
    return error_set(&s->err, ERR_LEDGER_OTHER,
        "connection `%s` leads to another database now (ledger %s instead of %s)",
        s->connection->name, ret->facts.ledger_id, s->ledger_id);
}

static void work_end(struct settle *s)
{
    struct connected connected = {0};
    s->status = open_connection(s, &connected);
    if (s->status == OK)
        s->status = backend_end(
            connected.conn, connected.facts.dialect, &s->match, &s->said, &s->gone, &s->err);
    PQfinish(connected.conn);
}

static void work_unblock(struct settle *s)
{
    struct connected connected = {0};
    s->status = open_connection(s, &connected);
    if (s->status == OK)
        s->status = backend_end_blockers(
            connected.conn, connected.facts.dialect, s->waiting_pid, &s->said, &s->found, &s->err);
    PQfinish(connected.conn);
}

/* ---- void ------------------------------------------------------------------------------------ */

/* Waits for the claim; ends the attempt that holds it when it takes long.  False when the deadline
 * came. */
static bool wait_for_claim(struct settle *s, struct connected *connected)
{
    PGconn *conn = connected->conn;
    bool looked = false;
    while (PQconsumeInput(conn) && PQisBusy(conn)) {
        struct pollfd fd = {.fd = PQsocket(conn), .events = POLLIN};
        int ready = poll(&fd, 1, looked ? CLAIM_WAIT_PAUSE_MS : CLAIM_WAIT_SHOWN_MS);
        if (ready)
            continue;
        if (over(s))
            return false;
        struct settle look = *s;
        look.said = (struct strbuf){0};
        look.waiting_pid = connected->facts.pid;
        work_unblock(&look);
        strbuf_add_slice(&s->said, slice_make(strbuf_text(&look.said), look.said.size));
        strbuf_done(&look.said);
        looked = true;
    }
    return true;
}

static PGresult *claim_result(PGconn *conn)
{
    PGresult *last = NULL, *result;
    while ((result = PQgetResult(conn))) {
        PQclear(last);
        last = result;
    }
    return last;
}

static enum status read_entry(struct settle *s, PGconn *conn)
{
    CLEANUP(pq_clearp) PGresult *result = NULL;
    enum status status =
        connect_query(conn, ledger_read_sql(s->arena, s->connection->ledger_schema, &s->key),
            ERR_LEDGER, &result, &s->err);
    if (status == OK)
        s->entry = ledger_entry_read(result, s->arena);
    return status;
}

/* One try; ERR_CONNECT is worth another. */
static enum status insert_void(struct settle *s, struct connected *connected)
{
    PGconn *conn = connected->conn;
    enum status status = connect_begin(conn, connected->facts.dialect, ERR_LEDGER, &s->err);
    if (status)
        return status;
    const char *sql =
        ledger_claim_sql(s->arena, s->connection->ledger_schema, &s->key, s->attempt, 0, true);
    if (!PQsendQuery(conn, sql))
        return error_set(&s->err, ERR_CONNECT, "%s", PQerrorMessage(conn));
    if (!wait_for_claim(s, connected))
        return error_set(
            &s->err, ERR_CONNECT, "another transaction still holds the claim, and does not end");
    CLEANUP(pq_clearp) PGresult *result = claim_result(conn);
    if (PQresultStatus(result) == PGRES_COMMAND_OK) {
        s->inserted = true;
        return connect_commit(conn, ERR_LEDGER, &s->err);
    }
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (!sqlstate || !str_equal(sqlstate, "23505"))
        return error_set(&s->err, PQstatus(conn) == CONNECTION_OK ? ERR_LEDGER : ERR_CONNECT, "%s",
            PQresultErrorMessage(result));
    status = connect_run(conn, "ROLLBACK", ERR_LEDGER, &s->err);
    if (status == OK)
        status = read_entry(s, conn);
    /* A claim without result is as good as a void one: nobody else can claim the key. */
    s->inserted = s->entry.state == LEDGER_VOID || s->entry.state == LEDGER_PARTLY;
    return status;
}

/* It had committed: what it wrote takes its place, because nobody else will see to it. */
static void place_files(struct settle *s)
{
    struct attempt_result result;
    if (s->entry.state != LEDGER_COMMITTED || !ledger_body_read(s->entry.body, s->arena, &result))
        return;
    struct copy_places places = copy_places_read(result.detail, s->arena);
    s->unplaced = copy_places_put(&places, &s->place_err) != OK;
    for (size_t i = 0; i < places.count && !s->unplaced; i++)
        strbuf_printf(&s->said, "`%s` is in its place\n", places.at[i].path);
}

/* Between two tries; *pause_ms is the next one. */
static void wait_longer(unsigned *pause_ms)
{
    backend_pause_ms(*pause_ms);
    *pause_ms = *pause_ms < EXECUTOR_RETRY_PAUSE_MAX_MS ? *pause_ms * 2 : *pause_ms;
}

/* True when the server was reached, whatever came of it. */
static bool try_void(struct settle *s)
{
    struct connected connected = {0};
    s->inserted = false;
    s->status = open_connection(s, &connected);
    bool reached = connected.conn;
    if (s->status == OK)
        s->status = insert_void(s, &connected);
    if (s->status == OK)
        place_files(s);
    PQfinish(connected.conn);
    return reached;
}

static void work_void(struct settle *s)
{
    unsigned pause_ms = EXECUTOR_RETRY_PAUSE_MS;
    int64_t seen_us = clock_now().mono_us;
    for (;;) {
        if (try_void(s))
            seen_us = clock_now().mono_us;
        int64_t away_us = clock_now().mono_us - seen_us;
        if (s->status != ERR_CONNECT || over(s) || away_us >= EXECUTOR_VOID_AWAY_MS * US_PER_MS)
            return;
        wait_longer(&pause_ms);
    }
}

/* ---- recover --------------------------------------------------------------------------------- */

static enum status recover_once(struct settle *s)
{
    struct connected connected = {0};
    enum status status = open_connection(s, &connected);
    if (status)
        return status;
    status = backend_end(
        connected.conn, connected.facts.dialect, &s->match, &s->said, &s->gone, &s->err);
    if (status == OK && !s->gone)
        status = error_set(&s->err, ERR_CONNECT, "the old attempt's backend does not end");
    if (status == OK && s->connection->ledger)
        status = read_entry(s, connected.conn);
    PQfinish(connected.conn);
    return status;
}

static void work_recover(struct settle *s)
{
    unsigned pause_ms = EXECUTOR_RETRY_PAUSE_MS;
    while ((s->status = recover_once(s)) == ERR_CONNECT && !over(s))
        wait_longer(&pause_ms);
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static void (*const works[])(struct settle *s) = {
    [SETTLE_END] = work_end,
    [SETTLE_UNBLOCK] = work_unblock,
    [SETTLE_VOID] = work_void,
    [SETTLE_RECOVER] = work_recover,
};

static void on_work(struct offload_job *job)
{
    struct settle *s = CONTAINER_OF(job, struct settle, job);
    works[s->kind](s);
}

static void on_done(struct offload_job *job)
{
    struct settle *s = CONTAINER_OF(job, struct settle, job);
    s->done(s);
}

static void on_discard(struct offload_job *job)
{
    settle_free(CONTAINER_OF(job, struct settle, job));
}

struct settle *settle_new(enum settle_kind kind, const struct connection *connection, void *owner,
    void (*done)(struct settle *settle))
{
    struct settle *s = mem_alloc_zero(1, sizeof(*s));
    s->arena = arena_new();
    s->kind = kind;
    s->connection = connection_copy(connection, s->arena);
    s->owner = owner;
    s->done = done;
    s->deadline_us = INT64_MAX;
    s->job = (struct offload_job){.work = on_work, .done = on_done, .discard = on_discard};
    return s;
}

void settle_set_key(struct settle *s, const struct ledger_key *key)
{
    s->key = *key;
    s->key.metadata_id = arena_strdup(s->arena, key->metadata_id);
    s->key.dag_id = arena_strdup(s->arena, key->dag_id);
    s->key.task_id = arena_strdup(s->arena, key->task_id);
}

void settle_run(struct offload *offload, struct settle *s)
{
    offload_run(offload, &s->job);
}

void settle_free(struct settle *s)
{
    strbuf_done(&s->said);
    arena_free(s->arena);
    mem_free(s);
}
