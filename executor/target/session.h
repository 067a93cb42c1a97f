/*
 * One connection to a PostgreSQL or Greenplum server, on the loop: non-blocking libpq in single-row
 * mode.
 *
 * A session runs one text at a time (one statement, or several of our own) by the simple protocol,
 * gives rows as they come and tells how it ended.  Of each turn of the loop it takes a bounded
 * share.  A COPY whose data nobody takes on is ended: what the server sends is discarded, what it
 * asks for is refused.
 *
 * libpq's socket is polled through a duplicate, because libpq may close it while the loop still
 * polls.
 */
#ifndef EXECUTOR_TARGET_SESSION_H
#define EXECUTOR_TARGET_SESSION_H

#include <libpq-fe.h>
#include <uv.h>
#include "base/error.h"
#include "executor/handles.h"
#include "executor/target/connect.h"

struct session;

/* How a text ended. */
struct query_end {
    bool lost;             /* the connection is gone; `error` may hold the server's last words */
    const PGresult *error; /* the first error, NULL = none.  Its fields may be missing.  Valid
                              during the call, as are the others */
    const char *tag;       /* of the last command: "INSERT 0 12"; "" for an empty text */
    int64_t rows; /* of the last command: affected, returned or copied; -1 = it has no count */
    const char *first_tag; /* the same of the text's first command */
    int64_t first_rows;
    size_t commands; /* that ended without an error */
    int columns;     /* of the last command's rows; -1 = it gives none */
    bool discarded;  /* the rows of a COPY TO STDOUT that nobody took on */
    PGTransactionStatusType transaction;
};

/* Who uses the session.  `row` may be NULL: rows are discarded as they come.  In `done` the session
   may be given another text or closed; in the others not. */
struct session_user {
    void *user;
    void (*row)(
        void *user, const PGresult *row); /* one row; also the empty last one is not given */
    void (*notice)(void *user, const PGresult *notice);
    /* The server begins a COPY FROM STDIN (`in`) or TO STDOUT; true takes its data on.  May be
       NULL. */
    bool (*copy)(void *user, bool in);
    /* FROM STDIN: what was put is on its way, and there is room for more. */
    void (*copy_ready)(void *user);
    /* TO STDOUT: a row as the server formats it; NULL: that was all, an error may follow. */
    void (*copy_data)(void *user, const char *data, size_t size);
    void (*done)(void *user, const struct query_end *end);
    void (*idle_lost)(void *user); /* the connection went away while nothing ran */
};

/* Takes the connection over.  On failure it is closed. */
enum status session_new(struct handles *handles, struct connected *connected, struct session **ret,
    struct error *err) MUST_CHECK;
/* Closes the connection; what the server has not committed is rolled back there.  Memory goes when
   the loop has closed the handles.  NULL is fine. */
void session_close(struct session *session);

void session_set_user(struct session *session, const struct session_user *user);
const struct server_facts *session_facts(const struct session *session);
PGconn *session_connection(struct session *session);

/* Sends a text; nothing else may be under way.  Trouble is told by `done`, never from within. */
void session_query(struct session *session, const char *sql);
/* The same for one statement with bound values (text; NULL = null), by the extended protocol. */
void session_query_bound(
    struct session *session, const char *sql, int count, const char *const *values);
/* Prepares one statement under a name; the server finds out what its parameters are. */
void session_prepare(struct session *session, const char *name, const char *sql);
/* Runs what was prepared, with bound values as above. */
void session_query_prepared(
    struct session *session, const char *name, int count, const char *const *values);
bool session_busy(const struct session *session);

/* COPY FROM STDIN, after `copy` or `copy_ready`: sends up to COPY_CHUNK bytes, which are copied;
   `copy_ready` follows.  Trouble with the connection is told by `done`. */
void session_copy_put(struct session *session, const char *data, size_t size);
/* That was all; with a reason the server refuses the COPY with it.  At any time after `copy`. */
void session_copy_end(struct session *session, const char *refusal);
/* COPY TO STDOUT: nothing more is taken from the server until it goes on. */
void session_copy_hold(struct session *session);
void session_copy_go_on(struct session *session);

/* A copy of what PQcancel needs; the caller frees it with PQfreeCancel.  Any thread may use it. */
PGcancel *session_cancel_handle(struct session *session);

#endif
