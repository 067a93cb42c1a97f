/*
 * What a ledger and its server know of one metadata, read as a list: for comparing the two
 * (executor/reconcile.h).  Everything here blocks, and writes nothing.
 */
#ifndef EXECUTOR_TARGET_LEDGER_LIST_H
#define EXECUTOR_TARGET_LEDGER_LIST_H

#include <libpq-fe.h>
#include "base/error.h"
#include "base/memory.h"

/* Which rows: claims of one DAG with a logical date from `from_us` up to, without, `to_us`
   (TIME_NONE: no end on that side), made at `since_us` or later. */
struct ledger_range {
    const char *metadata_id, *dag_id;
    int64_t from_us, to_us, since_us;
};
struct ledger_row {
    int64_t logical_us;
    const char *task_id;
    int32_t map_index;
    int64_t generation;
    const char *attempt; /* that claimed it */
    bool is_void, has_result;
};
struct ledger_rows {
    struct ledger_row *at;
    size_t count;
};
/* By logical date, task, map index and generation.  More than LEDGER_ROWS_MAX are ERR_LIMIT. */
enum status ledger_list_rows(PGconn *conn, const char *schema, const struct ledger_range *range,
    struct arena *arena, struct ledger_rows *ret, struct error *err) MUST_CHECK;

/* The DAGs of which there are claims made at `since_us` or later, sorted. */
enum status ledger_list_dags(PGconn *conn, const char *schema, const char *metadata_id,
    int64_t since_us, struct arena *arena, const char *const **ret, size_t *ret_count,
    struct error *err) MUST_CHECK;

/* A session that an attempt (of any metadata) is at work in. */
struct ledger_session {
    int pid;
    const char *start; /* of the backend: with the pid, who it is */
    const char *attempt;
};
struct ledger_sessions {
    struct ledger_session *at;
    size_t count;
};
enum status ledger_list_sessions(
    PGconn *conn, struct arena *arena, struct ledger_sessions *ret, struct error *err) MUST_CHECK;

#endif
