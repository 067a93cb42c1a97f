/*
 * Ending other backends, with confirmation.  Everything here blocks: threads of offload.h only.
 *
 * What was done is told in words for the attempt's log, a line each, in `said`.
 */
#ifndef EXECUTOR_TARGET_BACKEND_H
#define EXECUTOR_TARGET_BACKEND_H

#include <libpq-fe.h>
#include "base/error.h"
#include "definition/model/model.h"

/* The application_name of a session that an attempt is at work in is the attempt's UUID: a literal
   of the pattern. */
#define ATTEMPT_NAME_PATTERN "'^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'"

/* Which backends: those of that application_name, and the one of that pid and start when given. */
struct backend_match {
    const char *application_name;
    int32_t pid;       /* 0 = none */
    const char *start; /* as in struct server_facts */
};

/*
 * One round: pg_terminate_backend, then looks until they are gone or CONFIRM_ROUND_MS is over. Gone
 * means out of pg_stat_activity; on Greenplum their sessions' locks out of pg_locks too (of all
 * segments).
 */
enum status backend_end(PGconn *conn, enum dialect dialect, const struct backend_match *match,
    struct strbuf *said, bool *ret_gone, struct error *err) MUST_CHECK;

/* Terminates the attempts (known by an application_name that is a UUID) whose uncommitted claim the
   backend `waiting_pid` waits for.  *ret_found: how many there were. */
enum status backend_end_blockers(PGconn *conn, enum dialect dialect, int32_t waiting_pid,
    struct strbuf *said, int *ret_found, struct error *err) MUST_CHECK;

/* Sleeps; for rounds on threads. */
void backend_pause_ms(long ms);

#endif
