/* One test, in a worker. */
#ifndef TESTING_CASE_H
#define TESTING_CASE_H

#include "testing/scratch.h"
#include "testing/suite.h"

/* What a test refers to, found before anything runs. */
struct test_case {
    const struct sql_test *test;
    const struct dag *dag;
    const struct task **tasks; /* in order */
    size_t task_count;
    struct names connections; /* whose scratch databases it needs; the first is the default */
};

/* Finds DAG, tasks and connections; what is not there is added to `diagnostics`. */
bool case_resolve(const struct project *project, const struct dag *dag, const struct sql_test *test,
    struct arena *arena, struct diagnostics *diagnostics, struct test_case *ret);

/* Runs it.  The result's texts are in `arena`. */
void case_run(const struct test_case *c, const struct project *project, struct scratch *scratch,
    bool twice, struct arena *arena, struct test_result *ret);

#endif
