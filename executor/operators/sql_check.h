/*
 * The checks of a SQL task (CONTRACT, "Task kinds"): queries that its attempt sends behind its
 * statements, in the same transaction.
 *
 * A check of a table is one query that counts, and, when it does not hold, one more for a few of
 * the rows to blame.  All checks are made even when one fails; what fails the attempt then has the
 * SQLSTATE P0004 (assert_failure).  Its class is none of the hopeless ones, so that it is retried
 * as other failures are: the data may just have been late.
 */
#ifndef EXECUTOR_OPERATORS_SQL_CHECK_H
#define EXECUTOR_OPERATORS_SQL_CHECK_H

#include <libpq-fe.h>
#include "definition/check.h"
#include "definition/context/context.h"
#include "scheduler/plan.h"

struct sql_attempt;
struct query_end;

enum {
    /* Rows to blame that are shown. */
    CHECK_SAMPLE_ROWS = 5,
};

/* One of them, with what it came to. */
struct sql_check_query {
    const struct sql_check *check;
    const char *place;            /* of the check: "dags/x.yaml:12:7" */
    const char *table;            /* for people; NULL of a query */
    const struct rendered *field; /* the part of `text` that the user wrote, NULL = none */
    size_t field_offset;          /* where it begins there */
    const char *text, *sample;    /* `sample` NULL: no rows are to blame */
    struct check_count wanted;    /* CHECK_ROW_COUNT */

    bool done, holds;
    int64_t rows; /* counted, or to blame */
    int64_t seen; /* CHECK_SQL: rows in all */
    int64_t took_us;
    const char *sampled[CHECK_SAMPLE_ROWS]; /* JSON objects */
    size_t sampled_count;
};
struct sql_checks {
    struct sql_check_query *at;
    size_t count;
    size_t next;   /* which runs, or is to */
    bool sampling; /* its rows to blame are asked for */
};

/* Makes their queries from what was rendered.  False: the attempt has ended, nothing was sent. */
bool sql_checks_prepare(struct sql_attempt *s);
/* Whether another query is to be sent, and it. */
bool sql_checks_left(const struct sql_attempt *s);
const char *sql_check_begin(struct sql_attempt *s);
void sql_check_row(struct sql_attempt *s, const PGresult *row);
/* The query has ended.  False: the attempt fails with *ret. */
bool sql_check_end(struct sql_attempt *s, const struct query_end *end, struct attempt_result *ret);
/* "2 checks warned: …" for the attempt's message; NULL when none did. */
const char *sql_checks_warning(const struct sql_attempt *s);
/* The checks that were made, as a member of the open JSON object. */
void sql_checks_json(const struct sql_attempt *s, struct json_writer *w);

#endif
