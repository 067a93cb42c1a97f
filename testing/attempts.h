/*
 * Tasks of a test, carried out by the executor as a daemon's would be: same rendering, same
 * protocol, same ledger; but on scratch databases, one after the other, without retries.
 */
#ifndef TESTING_ATTEMPTS_H
#define TESTING_ATTEMPTS_H

#include "testing/scratch.h"
#include "testing/testfile.h"

struct test_run; /* a loop with an executor */

/* `project` is the test's own: its connections lead to scratch databases, its state folder is a
   temporary one.  It and the DAG outlive the run. */
enum status test_run_new(const struct project *project, const struct dag *dag,
    const struct sql_test *test, struct arena *arena, struct test_run **ret,
    struct error *err) MUST_CHECK;
void test_run_free(struct test_run *run); /* NULL is fine */

/* Runs a task, a mapped one with all its instances, as `generation`.  A failed one is an error with
   the task's message, SQLSTATE and place in the user's files; interrupted: ERR_INTERRUPTED. */
enum status test_run_task(struct test_run *run, const struct task *task, int64_t generation,
    struct error *err) MUST_CHECK;

#endif
