#include "executor/target/backend.h"

#include <time.h>

#include "executor/limits.h"
#include "executor/target/connect.h"
#include "executor/target/ledger.h"

void backend_pause_ms(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static char *match_condition(const struct backend_match *match, struct arena *arena)
{
    char *by_name = arena_printf(arena, "application_name = %s",
        sql_literal(arena, match->application_name ? match->application_name : ""));
    if (!match->pid)
        return by_name;
    return arena_printf(arena,
        "(%s OR (pid = %d AND pg_catalog.to_char(backend_start AT TIME ZONE 'UTC',"
        " 'YYYY-MM-DD HH24:MI:SS.US') = %s))",
        by_name, (int)match->pid, sql_literal(arena, match->start));
}

/* Terminates what matches; the sessions' numbers (Greenplum) as a list for SQL, "" for none. */
static enum status terminate(PGconn *conn, bool greenplum, const char *condition,
    struct strbuf *said, struct strbuf *ret_sessions, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(pq_clearp) PGresult *result = NULL;
    enum status status = connect_query(conn,
        arena_printf(arena,
            "SELECT pid, pg_catalog.pg_terminate_backend(pid), %s FROM pg_catalog.pg_stat_activity"
            " WHERE pid <> pg_catalog.pg_backend_pid() AND %s",
            greenplum ? "sess_id" : "0", condition),
        ERR_CONNECT, &result, err);
    if (status)
        return status;
    for (int i = 0; i < PQntuples(result); i++) {
        strbuf_printf(said, "pg_terminate_backend(%s)%s\n", PQgetvalue(result, i, 0),
            *PQgetvalue(result, i, 1) == 't' ? "" : " was refused");
        strbuf_printf(
            ret_sessions, "%s%s", ret_sessions->size ? ", " : "", PQgetvalue(result, i, 2));
    }
    return OK;
}

static enum status is_gone(PGconn *conn, bool greenplum, const char *condition,
    const char *sessions, bool *ret, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(pq_clearp) PGresult *result = NULL;
    const char *locks =
        greenplum && *sessions
            ? arena_printf(arena,
                  " + (SELECT count(*) FROM pg_catalog.pg_locks WHERE mppsessionid IN (%s))",
                  sessions)
            : "";
    enum status status = connect_query(conn,
        arena_printf(arena,
            "SELECT (SELECT count(*) FROM pg_catalog.pg_stat_activity"
            " WHERE pid <> pg_catalog.pg_backend_pid() AND %s)%s",
            condition, locks),
        ERR_CONNECT, &result, err);
    if (status == OK)
        *ret = PQntuples(result) == 1 && str_equal(PQgetvalue(result, 0, 0), "0");
    return status;
}

enum status backend_end(PGconn *conn, enum dialect dialect, const struct backend_match *match,
    struct strbuf *said, bool *ret_gone, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    bool greenplum = dialect != DIALECT_POSTGRESQL;
    const char *condition = match_condition(match, arena);
    struct strbuf sessions = {0};
    enum status status = terminate(conn, greenplum, condition, said, &sessions, err);
    int64_t until = clock_now().mono_us + CONFIRM_ROUND_MS * US_PER_MS;
    bool gone = false;
    while (status == OK) {
        status = is_gone(conn, greenplum, condition, strbuf_text(&sessions), &gone, err);
        if (status || gone || clock_now().mono_us > until)
            break;
        backend_pause_ms(CONFIRM_PAUSE_MS);
    }
    strbuf_done(&sessions);
    *ret_gone = gone;
    return status;
}

static const char blockers_postgresql[] =
    "SELECT a.pid, a.application_name, pg_catalog.pg_terminate_backend(a.pid)"
    " FROM (SELECT DISTINCT h.pid FROM pg_catalog.pg_locks w JOIN pg_catalog.pg_locks h"
    "   ON h.locktype = w.locktype AND h.transactionid = w.transactionid AND h.granted"
    "   WHERE w.pid = %d AND w.locktype = 'transactionid' AND NOT w.granted) b"
    " JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid"
    " WHERE a.application_name ~ " ATTEMPT_NAME_PATTERN;

/* On Greenplum the wait is on a segment; the session's number leads back to the coordinator. */
static const char blockers_greenplum[] =
    "SELECT a.pid, a.application_name, pg_catalog.pg_terminate_backend(a.pid)"
    " FROM (SELECT DISTINCT h.mppsessionid FROM pg_catalog.pg_locks w JOIN pg_catalog.pg_locks h"
    "   ON h.locktype = w.locktype AND h.transactionid = w.transactionid AND h.granted"
    "   AND h.gp_segment_id = w.gp_segment_id"
    "   WHERE w.mppsessionid = (SELECT sess_id FROM pg_catalog.pg_stat_activity WHERE pid = %d)"
    "   AND w.locktype = 'transactionid' AND NOT w.granted) b"
    " JOIN pg_catalog.pg_stat_activity a ON a.sess_id = b.mppsessionid"
    " WHERE a.application_name ~ " ATTEMPT_NAME_PATTERN;

enum status backend_end_blockers(PGconn *conn, enum dialect dialect, int32_t waiting_pid,
    struct strbuf *said, int *ret_found, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(pq_clearp) PGresult *result = NULL;
    const char *sql = dialect == DIALECT_POSTGRESQL
                          ? arena_printf(arena, blockers_postgresql, (int)waiting_pid)
                          : arena_printf(arena, blockers_greenplum, (int)waiting_pid);
    enum status status = connect_query(conn, sql, ERR_CONNECT, &result, err);
    if (status)
        return status;
    *ret_found = PQntuples(result);
    for (int i = 0; i < PQntuples(result); i++)
        strbuf_printf(said, "attempt %s still held the claim: pg_terminate_backend(%s)%s\n",
            PQgetvalue(result, i, 1), PQgetvalue(result, i, 0),
            *PQgetvalue(result, i, 2) == 't' ? "" : " was refused");
    return OK;
}
