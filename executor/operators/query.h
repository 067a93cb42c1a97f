/*
 * One statement that only reads, for an attempt: what branches, short circuits, sensors and
 * expansions ask a database.
 *
 * It runs in a READ ONLY transaction that is rolled back when the rows are there.  Nothing is
 * written, no ledger either: asking twice is as good as asking once.  Sessions, settings, bound
 * values, timeouts, the log, the places of errors and confirmed cancelling are those of SQL tasks.
 *
 * A query that fails ends its attempt, with the same words as a failed SQL task.
 */
#ifndef EXECUTOR_OPERATORS_QUERY_H
#define EXECUTOR_OPERATORS_QUERY_H

#include "executor/attempt.h"

struct query;

struct query_value {
    const char *text; /* as the server writes it; NULL = null */
    unsigned type;    /* its number in pg_type: sql_value_json makes JSON of it */
};
struct query_rows {
    size_t count, column_count;
    const char *const *columns;       /* their names */
    const struct query_value *values; /* row by row */
    const char *detail;               /* for the attempt's result */
};

struct query_options {
    /* Connection, parameters, settings and statement_timeout are taken from it. */
    const struct sql_task *sql;
    const char *field; /* the rendered field that is the statement: "sql" */
    size_t rows_max;   /* more rows fail it; so do more than XCOM_MAX bytes */
    bool first_only;   /* only the first row is wanted, however many there are */
    /* The rows are there, in the attempt's arena, and the session is given back: the attempt may be
       finished, or the next query started. */
    void (*done)(struct attempt *attempt, void *user, const struct query_rows *rows);
    void *user;
};

/* Starts; `done` is not called from within.  NULL: it could not start, and the attempt has ended.
   The query lives in the attempt's arena; query_free goes before the next one and in the operator's
   `done`. */
struct query *query_start(struct attempt *attempt, const struct query_options *options);
/* For the operator's `cancel`: the attempt ends, with confirmation. */
void query_cancel(struct query *query, bool force);
/* Lets go of all it holds.  NULL is fine. */
void query_free(struct query *query);

/* For the operator's `recover`: ends what an earlier daemon's query left running on the server,
   then the attempt as interrupted.  Gives what query_cancel and query_free take; NULL: it has ended
   already. */
struct query *query_recover(struct attempt *attempt);

#endif
