#include "executor/target/session.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "executor/limits.h"

struct session {
    PGconn *conn;
    struct server_facts facts;
    struct session_user user;
    struct handles *handles;
    uv_poll_t poll;
    uv_idle_t turn; /* runs while rows are left over from a turn */
    int fd;         /* duplicate of libpq's socket */
    int events;     /* polled for; 0 = not polled */
    unsigned open_handles;
    bool busy, closing, failed_to_send;

    /* Of the text under way. */
    PGresult *error;
    char tag[64], first_tag[64];
    int64_t rows, first_rows;
    size_t commands;
    int columns;
    bool discarded;
    bool copying_in, put;    /* `put`: what was put is not all with the system yet */
    bool copying_out, taken; /* `taken`: the user takes the data */
    bool held;
};

static void pump(struct session *session);
static void watch(struct session *session, bool writable);

static void on_notice(void *user, const PGresult *notice)
{
    struct session *session = user;
    if (session->user.notice)
        session->user.notice(session->user.user, notice);
}

static void on_turn(uv_idle_t *turn)
{
    pump(turn->data);
}

static void stop_watching(struct session *session)
{
    session->events = 0;
    uv_poll_stop(&session->poll);
}

static void drain_idle(struct session *session)
{
    bool ok = PQconsumeInput(session->conn) != 0;
    PGnotify *notify;
    while ((notify = PQnotifies(session->conn)))
        PQfreemem(notify);
    if (ok && PQstatus(session->conn) == CONNECTION_OK) {
        watch(session, false);
        return;
    }
    stop_watching(session);
    if (session->user.idle_lost)
        session->user.idle_lost(session->user.user);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct session *session = poll->data;
    if (status) /* a reset: libuv polls no more, but there may be more to read than one look gives
                 */
        session->events = 0;
    if (session->busy)
        pump(session);
    else
        drain_idle(session);
}

static void watch(struct session *session, bool writable)
{
    int events = UV_READABLE | (writable ? UV_WRITABLE : 0);
    if (events == session->events)
        return; /* each change is a system call */
    session->events = events;
    uv_poll_start(&session->poll, events, on_poll);
}

enum status session_new(
    struct handles *handles, struct connected *connected, struct session **ret, struct error *err)
{
    struct session *session = mem_alloc_zero(1, sizeof(*session));
    session->conn = take(connected->conn);
    session->facts = connected->facts;
    session->fd = fcntl(PQsocket(session->conn), F_DUPFD_CLOEXEC, 0);
    int rc = session->fd < 0 ? -errno : uv_poll_init(handles->loop, &session->poll, session->fd);
    if (rc || PQsetnonblocking(session->conn, 1)) {
        PQfinish(session->conn);
        if (session->fd >= 0)
            close(session->fd);
        mem_free(session);
        return error_set(err, ERR_CONNECT, "cannot watch the connection: %s", uv_strerror(rc));
    }
    uv_idle_init(handles->loop, &session->turn);
    session->handles = handles;
    handles_add(handles);
    session->open_handles = 2;
    session->poll.data = session->turn.data = session;
    PQsetNoticeReceiver(session->conn, on_notice, session);
    watch(session, false);
    *ret = session;
    return OK;
}

static void on_closed(uv_handle_t *handle)
{
    struct session *session = handle->data;
    if (--session->open_handles)
        return;
    struct handles *handles = session->handles;
    close(session->fd);
    mem_free(session);
    handles_drop(handles);
}

void session_close(struct session *session)
{
    if (!session || session->closing)
        return;
    session->closing = true;
    session->user = (struct session_user){0};
    PQclear(take(session->error));
    uv_poll_stop(&session->poll);
    PQfinish(take(session->conn));
    uv_close((uv_handle_t *)&session->poll, on_closed);
    uv_close((uv_handle_t *)&session->turn, on_closed);
}

void session_set_user(struct session *session, const struct session_user *user)
{
    session->user = *user;
}

const struct server_facts *session_facts(const struct session *session)
{
    return &session->facts;
}

PGconn *session_connection(struct session *session)
{
    return session->conn;
}

bool session_busy(const struct session *session)
{
    return session->busy;
}

PGcancel *session_cancel_handle(struct session *session)
{
    return PQgetCancel(session->conn);
}

static void start_text(struct session *session)
{
    assert(!session->busy && !session->closing);
    session->busy = true;
    session->tag[0] = session->first_tag[0] = '\0';
    session->rows = session->first_rows = -1;
    session->commands = 0;
    session->columns = -1;
    session->discarded = session->copying_in = session->put = false;
    session->copying_out = session->taken = session->held = false;
}

static void sent(struct session *session, bool ok)
{
    session->failed_to_send = !ok;
    if (!ok) {
        uv_idle_start(&session->turn, on_turn); /* told from the loop, never from within */
        return;
    }
    PQsetSingleRowMode(session->conn);
    watch(session, PQflush(session->conn) == 1);
}

void session_query(struct session *session, const char *sql)
{
    start_text(session);
    sent(session, PQsendQuery(session->conn, sql));
}

void session_query_bound(
    struct session *session, const char *sql, int count, const char *const *values)
{
    start_text(session);
    sent(session, PQsendQueryParams(session->conn, sql, count, NULL, values, NULL, NULL, 0));
}

void session_prepare(struct session *session, const char *name, const char *sql)
{
    start_text(session);
    sent(session, PQsendPrepare(session->conn, name, sql, 0, NULL));
}

void session_query_prepared(
    struct session *session, const char *name, int count, const char *const *values)
{
    start_text(session);
    sent(session, PQsendQueryPrepared(session->conn, name, count, values, NULL, NULL, 0));
}

/* ---- COPY ------------------------------------------------------------------------------------ */

void session_copy_put(struct session *session, const char *data, size_t size)
{
    assert(session->copying_in && !session->put && size <= COPY_CHUNK);
    session->put = true;
    (void)PQputCopyData(session->conn, data, (int)size); /* its failure is told by the results */
    watch(session, true);
}

void session_copy_end(struct session *session, const char *refusal)
{
    assert(session->copying_in);
    session->copying_in = session->put = false;
    /* Zero means that it would block; libpq then sends it with the next flush all the same. */
    (void)PQputCopyEnd(session->conn, refusal);
    watch(session, true);
}

void session_copy_hold(struct session *session)
{
    session->held = true;
}

void session_copy_go_on(struct session *session)
{
    session->held = false;
    uv_idle_start(&session->turn, on_turn);
}

static void give_data(struct session *session, const char *data, int size)
{
    if (session->taken)
        session->user.copy_data(session->user.user, data, (size_t)size);
}

/* Reads what a COPY TO STDOUT sends; true when it has ended, false when it is to be waited for. */
static bool drain_copy(struct session *session, unsigned *budget)
{
    while (*budget && !session->held) {
        char *data = NULL;
        int n = PQgetCopyData(session->conn, &data, 1);
        /* Of a connection that is gone libpq says for ever that it would have to wait. */
        if (n == 0 && PQstatus(session->conn) == CONNECTION_OK)
            return false;
        if (n <= 0) {
            session->copying_out = false;
            if (n == -1)
                give_data(session, NULL, 0);
            return !session->held;
        }
        give_data(session, data, n);
        PQfreemem(data);
        (*budget)--;
    }
    return false;
}

static void begin_copy_in(struct session *session)
{
    session->copying_in = true;
    if (!session->user.copy || !session->user.copy(session->user.user, true))
        session_copy_end(session, "nothing is there to COPY from");
}

static void begin_copy_out(struct session *session)
{
    session->copying_out = true;
    session->taken = session->user.copy && session->user.copy(session->user.user, false);
    session->discarded |= !session->taken;
}

/* ---- results --------------------------------------------------------------------------------- */

static void keep_end(struct session *session, PGresult *result)
{
    const char *tag = PQcmdStatus(result);
    snprintf(session->tag, sizeof(session->tag), "%s", tag);
    session->columns = PQresultStatus(result) == PGRES_TUPLES_OK ? PQnfields(result) : -1;
    const char *rows = PQcmdTuples(result);
    if (!*rows || !parse_int64(slice_of(rows), &session->rows))
        session->rows = -1;
    if (session->commands++ == 0) {
        session->first_rows = session->rows;
        memcpy(session->first_tag, session->tag, sizeof(session->tag));
    }
}

/* The first error counts, but one with a SQLSTATE is worth more than one without fields. */
static void keep_error(struct session *session, PGresult *result)
{
    if (session->error && (PQresultErrorField(session->error, PG_DIAG_SQLSTATE) ||
                              !PQresultErrorField(result, PG_DIAG_SQLSTATE))) {
        PQclear(result);
        return;
    }
    PQclear(session->error);
    session->error = result;
}

static void take_result(struct session *session, PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
        if (session->user.row)
            session->user.row(session->user.user, result);
        break;
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK: keep_end(session, result); break;
    case PGRES_EMPTY_QUERY: break;
    case PGRES_COPY_IN: begin_copy_in(session); break;
    case PGRES_COPY_OUT: begin_copy_out(session); break;
    case PGRES_COPY_BOTH: (void)PQputCopyEnd(session->conn, "replication is not for tasks"); break;
    default: keep_error(session, result); return;
    }
    PQclear(result);
}

static void finish(struct session *session)
{
    uv_idle_stop(&session->turn);
    session->busy = false;
    bool lost = PQstatus(session->conn) != CONNECTION_OK;
    if (lost)
        stop_watching(session);
    else
        watch(session, false);
    PGresult *error = take(session->error);
    struct query_end end = {
        .lost = lost,
        .error = error,
        .tag = session->tag,
        .rows = session->rows,
        .first_tag = session->first_tag,
        .first_rows = session->first_rows,
        .commands = session->commands,
        .columns = session->columns,
        .discarded = session->discarded,
        .transaction = PQtransactionStatus(session->conn),
    };
    if (session->user.done)
        session->user.done(session->user.user, &end);
    PQclear(error);
}

/* Whether the server waits for our data.  Of a lost connection libpq tells the server's last words
   only when the COPY is ended. */
static bool copies_in(struct session *session)
{
    if (session->copying_in && PQstatus(session->conn) != CONNECTION_OK)
        session_copy_end(session, "the connection is lost");
    return session->copying_in;
}

/* What has come in, up to the turn's share; true when the text has ended. */
static bool take_results(struct session *session)
{
    unsigned budget = SESSION_ROWS_PER_TURN;
    while (budget) {
        if (session->copying_out && !drain_copy(session, &budget))
            break;
        bool sends = copies_in(session);
        /* PQisBusy hands out notices, also while we send. */
        if (PQisBusy(session->conn) || session->held || sends)
            break;
        PGresult *result = PQgetResult(session->conn);
        if (!result)
            return true;
        take_result(session, result);
        budget = budget ? budget - 1 : 0;
    }
    if (budget || session->held)
        uv_idle_stop(&session->turn);
    else
        uv_idle_start(&session->turn, on_turn);
    return false;
}

/* What is left to send, and whom to wake when it is gone. */
static void flush(struct session *session)
{
    bool left = PQflush(session->conn) == 1;
    if (session->held)
        stop_watching(session);
    else
        watch(session, left);
    if (session->put && !left) {
        session->put = false;
        session->user.copy_ready(session->user.user);
    }
}

static void pump(struct session *session)
{
    if (!session->failed_to_send)
        (void)PQconsumeInput(session->conn); /* its failure is told by the results */
    if (session->failed_to_send || take_results(session)) {
        if (session->failed_to_send && !session->error)
            session->error = PQmakeEmptyPGresult(session->conn, PGRES_FATAL_ERROR);
        finish(session);
        return;
    }
    flush(session);
}
