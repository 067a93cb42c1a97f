/*
 * The statements of DAGs, prepared by a server: names, columns and types that no parser knows.
 *
 * A scratch database is made from the migrations as for tests (testing/scratch.h): tables and no
 * rows, never the connection's own.  Of each SQL task, upstreams first, queries and calls are
 * prepared, and statements that make, change or drop something are carried out, so that what
 * follows finds it; of COPY the query, or the table and columns, are prepared as a query.  The body
 * of a DO block is compiled as a function's, and queries in it are prepared, with parameters for
 * variables. All is in one transaction of a DAG, which is rolled back.
 */
#ifndef TESTING_PREPARE_H
#define TESTING_PREPARE_H

#include <signal.h>
#include "testing/scratch.h"

struct prepare_options {
    const struct project *project;
    struct scratch *scratch;
    const volatile sig_atomic_t *stop; /* not 0: end soon, with ERR_INTERRUPTED */
};

/* Adds a finding "database" for each statement that its server refuses, and "sql-not-checked" for
   each task some of whose statements nobody asks it about.  A table that a task of the
   DAG makes out of the server's sight here (in a DO block, by MADlib) is not missed. */
enum status prepare_dag(const struct prepare_options *options, const struct dag *dag,
    struct diagnostics *findings, struct error *err) MUST_CHECK;

#endif
