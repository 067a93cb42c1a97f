/*
 * The ledger: who may commit what, in the target database itself (docs/exactly-once.md).
 *
 * Tables in the connection's `ledger_schema`: `ledger` (one row: the ledger's random id), `claim`
 * and `result`.  Tasks only INSERT.  The key of both is (metadata id, DAG, logical date, task, map
 * index or −1, generation); on Greenplum they are heap tables distributed by (dag_id, task_id).
 *
 * The texts made here go through simple queries on the attempt's own connection, with every value
 * as a literal (functions might be evaluated on segments).  The functions that take a PGconn block.
 */
#ifndef EXECUTOR_TARGET_LEDGER_H
#define EXECUTOR_TARGET_LEDGER_H

#include <libpq-fe.h>
#include "base/clock.h"
#include "base/error.h"
#include "definition/model/model.h"
#include "language/sql/name.h"
#include "scheduler/plan.h"

struct ledger_key {
    const char *metadata_id;
    const char *dag_id;
    int64_t logical_us;
    const char *task_id;
    int32_t map_index; /* -1 = not mapped */
    int64_t generation;
};

/* Reads the ledger's id; makes schema and tables first when they are not there (safe when several
   do it at once).  A ledger made by a newer dag is refused. */
enum status ledger_open(PGconn *conn, const struct connection *connection,
    char ret_id[UUID_TEXT_SIZE], struct error *err) MUST_CHECK;
/* The same, and makes nothing: the id is empty where there is no ledger. */
enum status ledger_look(PGconn *conn, const struct connection *connection,
    char ret_id[UUID_TEXT_SIZE], struct error *err) MUST_CHECK;
/* Whether the connection's role may use the ledger that is `there`, or make the one that is not.
   ERR_LEDGER with the GRANT to run when it may not. */
enum status ledger_check_rights(
    PGconn *conn, const struct connection *connection, bool there, struct error *err) MUST_CHECK;

/* INSERT of a claim: fails with 23505 when the key was claimed before, waits while another
   transaction holds it.  `txid` as read in this transaction; 0 with `is_void`. */
char *ledger_claim_sql(struct arena *arena, const char *schema, const struct ledger_key *key,
    const char *attempt, int64_t txid, bool is_void);
/* INSERT of the result; fails with 23502 when our claim of this very transaction is not there, so
   that a COMMIT in the same text is not reached. */
char *ledger_result_sql(struct arena *arena, const char *schema, const struct ledger_key *key,
    const char *attempt, int64_t txid, const char *body);
/* SELECT attempt, void, body (NULL without result) of the key. */
char *ledger_read_sql(struct arena *arena, const char *schema, const struct ledger_key *key);

/* What the ledger says of a key. */
enum ledger_state {
    LEDGER_FREE,      /* no row is visible: proves nothing */
    LEDGER_VOID,      /* nothing of it can commit */
    LEDGER_COMMITTED, /* there is a result */
    LEDGER_PARTLY,    /* a claim without result was committed */
};
struct ledger_entry {
    enum ledger_state state;
    const char *attempt; /* whose; in the arena */
    const char *body;    /* JSON of the result */
};
struct ledger_entry ledger_entry_read(const PGresult *result, struct arena *arena);

/* A time as a literal of timestamptz. */
char *ledger_time_literal(struct arena *arena, int64_t us);

/* The body of a result row from and to what the success event carries. */
char *ledger_body(struct arena *arena, int64_t started_us, int64_t ended_us, const char *detail,
    const char *xcom);
/* False when it is not what ledger_body writes. */
bool ledger_body_read(const char *body, struct arena *arena, struct attempt_result *ret);

#endif
