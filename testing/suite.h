/*
 * A run of tests: templates are made once, then worker processes take tests one after the other,
 * each test on databases of its own.  Results come in the order of the tests.
 */
#ifndef TESTING_SUITE_H
#define TESTING_SUITE_H

#include "testing/scratch.h"
#include "testing/update.h"

#define TEST_OUTCOMES(ROW)                                                                         \
    ROW(PASSED, "passed")                                                                          \
    ROW(FAILED, "failed")   /* something is not as expected */                                     \
    ROW(BROKEN, "broken")   /* it cannot be carried out as it is written */                        \
    ROW(NOT_RUN, "not run") /* interrupted before */

enum test_outcome {
#define ROW(id, name) TEST_##id,
    TEST_OUTCOMES(ROW)
#undef ROW
        TEST_OUTCOME_COUNT
};
const char *test_outcome_name(enum test_outcome outcome);

struct test_result {
    const struct sql_test *test;
    enum test_outcome outcome;
    const char *text;  /* what differs or went wrong, lines; "" when it passed */
    const char *notes; /* what a reader should know all the same; "" */
    int64_t duration_us;
    const struct test_update *updates; /* that would make it pass; none after an error */
    size_t update_count;
};

struct suite_options {
    const struct project *project;
    const struct sql_test *tests;
    size_t count;
    unsigned jobs;           /* side by side; 0 = as many as the machine has processors */
    bool twice;              /* run tasks again for the same date, and tell what that changes */
    struct scratch *scratch; /* of the caller, for several runs; NULL: made and dropped here */
    void *user;
    void (*notice)(void *user, const char *text);               /* what takes time; may be NULL */
    void (*told)(void *user, const struct test_result *result); /* each, in order */
};

/* Runs them.  *ret_failed: tests that did not pass.  Mistakes in what tests name (an unknown DAG)
   are in `diagnostics`, and then nothing runs: ERR_DEFINITION.  ERR_SCRATCH, ERR_MIGRATION …: no
   databases; ERR_INTERRUPTED after SIGINT, when everything is cleaned up.  The process must have
   no other threads. */
enum status suite_run(const struct suite_options *options, struct arena *arena,
    struct diagnostics *diagnostics, size_t *ret_failed, struct error *err) MUST_CHECK;

/* Whether an interruption was asked for: what runs now is to end, and clean up after itself. */
bool suite_interrupted(void);

#endif
