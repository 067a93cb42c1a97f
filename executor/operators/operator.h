/*
 * Operators: the acting side of task kinds.  One row of functions per way to act; a table leads
 * from each kind to its row.
 *
 * How to add one:
 *  1. write executor/operators/<name>.c with a `const struct operator operator_<name>`;
 *  2. declare it below and name it in the table of operator.c for its kinds;
 *  3. give it a row in tests/unit/executor/operator_rows.c: operator_test.c fails for a kind that
 *     can run and has none, and runs the shared suite on every row (cancel, timeout, force,
 * restart, stop, at each point that the kind has).
 *
 * All functions are called on the loop's thread.  None may block: no file of unknown size, no name
 * resolution, no waiting; long work goes to offload.h.  None may call the executor's callbacks: an
 * operator answers through attempt_finish (executor/attempt.h), once.
 */
#ifndef EXECUTOR_OPERATORS_OPERATOR_H
#define EXECUTOR_OPERATORS_OPERATOR_H

#include <stdbool.h>
#include <stdint.h>
#include "definition/model/model.h"

struct attempt;
struct void_request;

struct operator
{
    const char *name; /* "sql" */

    /* Whether the task's fields are rendered before `start`.  When rendering fails, `start` is not
       called and the attempt ends with the template's error. */
    bool renders;

    /* Whether the attempt goes on without the daemon: executor_stop leaves it alone. */
    bool outlives_daemon;

    /* Begins to act.  Called once, after rendering, never after `recover`.  The attempt's log is
       open. May finish the attempt before it returns. */
    void (*start)(struct attempt * attempt);

    /* Takes over an attempt that an earlier daemon had started; nothing was rendered.  Called once
       instead of `start`.  The attempt may have ended, be running, or never have begun; it must not
       begin to act now. */
    void (*recover)(struct attempt * attempt);

    /* Ends it with confirmation; with `force` gives up confirmation.  May be called at any time
       between `start` or `recover` and the finish, any number of times; the attempt still finishes
       through attempt_finish, with what really happened. */
    void (*cancel)(struct attempt * attempt, bool force);

    /* Releases what the operator holds (attempt->own).  Always called, exactly once, for every
       attempt whose `start` or `recover` was called: after attempt_finish, or when the executor is
       freed under way.  Handles of the loop are closed here, through attempt_close_handle. */
    void (*done)(struct attempt * attempt);
};

extern const struct operator operator_empty;
extern const struct operator operator_sql;
extern const struct operator operator_process;
extern const struct operator operator_decide;
extern const struct operator operator_wait;
extern const struct operator operator_http;
extern const struct operator operator_trigger;
extern const struct operator operator_expand; /* of every kind: a mapped task's own attempt */

/* The row for a kind; NULL for a kind that cannot be acted on yet. */
const struct operator* operator_find(enum task_kind kind);
/* The row for an attempt of the task. */
const struct operator* operator_of(const struct task *task, int32_t map_index);
/* The row of that name, or NULL. */
const struct operator* operator_named(const char *name);

#endif
