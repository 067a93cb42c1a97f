/*
 * Which state follows on which event: the whole of what task instances and runs may do.
 *
 * How to add an event: a row in TASK_EVENTS, its column in table.c, the same column in the
 * expectation of tests/unit/scheduler/table_test.c, which walks every cell.
 */
#ifndef SCHEDULER_TABLE_H
#define SCHEDULER_TABLE_H

#include <stdbool.h>
#include "definition/model/state.h"

/* ROW(enum suffix, name) */
#define TASK_EVENTS(ROW)                                                                           \
    ROW(READY, "ready")     /* its trigger rule is met */                                          \
    ROW(UNREADY, "unready") /* an upstream was cleared before it started */                        \
    ROW(GIVE, "give")       /* it has its slots: an attempt is handed to the executor */           \
    ROW(START, "start")     /* the attempt runs */                                                 \
    ROW(SUCCEED, "succeed")                                                                        \
    ROW(FAIL, "fail")                                                                              \
    ROW(SKIP, "skip")                                                                              \
    ROW(UPSTREAM_FAIL, "upstream_fail")                                                            \
    ROW(RETRY, "retry")           /* the attempt failed; another one follows after a delay */      \
    ROW(AGAIN, "again")           /* the attempt ended without cost: another one at once */        \
    ROW(WAKE, "wake")             /* the retry delay, the poke interval or the wait is over */     \
    ROW(RESCHEDULE, "reschedule") /* a sensor waits for its next poke */                           \
    ROW(DEFER, "defer")           /* it waits for something outside, without a slot */             \
    ROW(CLEAR, "clear")           /* run again, as a new generation */                             \
    ROW(RESTART, "restart")       /* the cleared attempt is gone */                                \
    ROW(MARK_SUCCESS, "mark_success")                                                              \
    ROW(MARK_FAILED, "mark_failed")                                                                \
    ROW(MARK_SKIPPED, "mark_skipped")                                                              \
    ROW(REMOVE, "remove") /* the version it takes does not have the task, or the index */          \
    ROW(EXPAND, "expand") /* a mapped task has its values: its instances take its place */

enum task_event {
#define ROW(id, name) TASK_EVENT_##id,
    TASK_EVENTS(ROW)
#undef ROW
        TASK_EVENT_COUNT
};
const char *task_event_name(enum task_event event);
/* False when the event cannot happen in that state; *ret is then left alone. */
bool task_transition(enum task_state from, enum task_event event, enum task_state *ret);

/* ROW(enum suffix, name) */
#define RUN_EVENTS(ROW)                                                                            \
    ROW(START, "start")     /* max_active_runs allows it */                                        \
    ROW(SUCCEED, "succeed") /* every leaf is success-like */                                       \
    ROW(FAIL, "fail")       /* a leaf failed, or it was ended early */                             \
    ROW(CLEAR, "clear")     /* tasks of it run again: it waits for its turn */                     \
    ROW(REOPEN, "reopen")   /* a mark left something to run: it goes on at once */

enum run_event {
#define ROW(id, name) RUN_EVENT_##id,
    RUN_EVENTS(ROW)
#undef ROW
        RUN_EVENT_COUNT
};
const char *run_event_name(enum run_event event);
bool run_transition(enum run_state from, enum run_event event, enum run_state *ret);

#endif
