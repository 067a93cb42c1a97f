/*
 * Connecting, and what is to be known of a server before it is used.  Everything here blocks: it
 * runs on threads of offload.h, or in a command.
 */
#ifndef EXECUTOR_TARGET_CONNECT_H
#define EXECUTOR_TARGET_CONNECT_H

#include <libpq-fe.h>
#include "base/clock.h"
#include "base/error.h"
#include "definition/model/model.h"

enum { LEDGER_ID_SIZE = UUID_TEXT_SIZE, BACKEND_START_SIZE = 32 };

/* SQL, true when a language is installed whose state outlives DISCARD ALL (PL/Python …). */
#define KEEPS_STATE_SQL                                                                            \
    "EXISTS (SELECT 1 FROM pg_catalog.pg_language"                                                 \
    " WHERE lanname NOT IN ('internal', 'c', 'sql', 'plpgsql'))"

struct server_facts {
    char version[160]; /* version() as the server says it */
    char number[32];   /* "15.4", "6.24.3": of Greenplum its own */
    enum dialect dialect;
    int32_t pid;                            /* of the backend */
    char backend_start[BACKEND_START_SIZE]; /* UTC, "2026-11-20 11:40:00.123456": with the pid, who
                                               it is */
    bool keeps_state; /* a language whose state outlives DISCARD ALL is installed (PL/Python …) */
    char ledger_id[LEDGER_ID_SIZE]; /* empty without a ledger */
};

/* Fills `number` and `dialect` from `version`, as PostgreSQL ("PostgreSQL 15.4 (Debian …)") and
   Greenplum ("PostgreSQL 9.4.26 (Greenplum Database 6.24.3 build …)") write it. */
void server_facts_version(struct server_facts *facts);

struct connected {
    PGconn *conn;
    struct server_facts facts;
};

/*
 * Connects by the connection's uri (libpq's habits hold: services, ~/.pgpass, PG*), asks who is
 * there, and makes the ledger when the connection has one and the database has not.  Waits while a
 * server starts up. Errors: ERR_CONNECT (err->sqlstate where the server gave one), ERR_DIALECT
 * naming both, ERR_POOLER, ERR_LEDGER.  Messages never hold the password.
 */
enum status connect_blocking(const struct connection *connection, const char *application_name,
    struct connected *ret, struct error *err) MUST_CHECK;
/* The same to look around: no ledger is made, and its id is empty where there is none. */
enum status connect_to_look(const struct connection *connection, const char *application_name,
    struct connected *ret, struct error *err) MUST_CHECK;

/* A query that sets the connection's settings for the session's life, and whether its transactions
   may write.  Statements are read with them, and prepared ones read again when they change. */
char *connect_settings_text(
    const struct connection *connection, bool read_only, struct arena *arena);

/* Runs one text and gives its last result (PQclear by the caller).  Fills err with the server's
   message, SQLSTATE and `status` when it fails. */
enum status connect_query(PGconn *conn, const char *sql, enum status failed, PGresult **ret,
    struct error *err) MUST_CHECK;
/* The same for a text whose result does not matter. */
enum status connect_run(
    PGconn *conn, const char *sql, enum status failed, struct error *err) MUST_CHECK;
/* BEGIN of a transaction of our own that writes: READ COMMITTED, durable, and no timeout of the
   role's ends it. */
enum status connect_begin(
    PGconn *conn, enum dialect dialect, enum status failed, struct error *err) MUST_CHECK;
/* COMMIT.  Only that answer is a success: an aborted transaction's COMMIT is answered by ROLLBACK,
   without an error. */
enum status connect_commit(PGconn *conn, enum status failed, struct error *err) MUST_CHECK;

/* A deep copy in the arena, so that a thread may use it whatever becomes of the project. */
struct connection *connection_copy(const struct connection *connection, struct arena *arena);

static inline void pq_clear(PGresult *result)
{
    PQclear(result);
}
DEFINE_CLEANUP(PGresult, pq_clear);
DEFINE_CLEANUP(PGconn, PQfinish);

#endif
