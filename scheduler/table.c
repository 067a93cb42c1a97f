#include "scheduler/table.h"

#include <stddef.h>
#include <stdint.h>

static const char *const task_event_names[] = {
#define ROW(id, name) [TASK_EVENT_##id] = name,
    TASK_EVENTS(ROW)
#undef ROW
};

static const char *const run_event_names[] = {
#define ROW(id, name) [RUN_EVENT_##id] = name,
    RUN_EVENTS(ROW)
#undef ROW
};

/* Cells hold the state plus one: what is not written is zero, "cannot happen". */
#define TO(state) (uint8_t)(TASK_##state + 1)
#define EVENT(event) [TASK_EVENT_##event]

/* The three marks are possible in every state: they are the user's word. */
#define MARKS                                                                                      \
    EVENT(MARK_SUCCESS) = TO(SUCCESS), EVENT(MARK_FAILED) = TO(FAILED),                            \
    EVENT(MARK_SKIPPED) = TO(SKIPPED)
/* What may end a task that has no attempt under way. */
#define ENDS                                                                                       \
    EVENT(FAIL) = TO(FAILED), EVENT(SKIP) = TO(SKIPPED), EVENT(UPSTREAM_FAIL) = TO(UPSTREAM_FAILED)
/* What an attempt may end in. */
#define ATTEMPT_ENDS                                                                               \
    EVENT(SUCCEED) = TO(SUCCESS), EVENT(FAIL) = TO(FAILED), EVENT(SKIP) = TO(SKIPPED),             \
    EVENT(RETRY) = TO(UP_FOR_RETRY), EVENT(AGAIN) = TO(SCHEDULED), EVENT(CLEAR) = TO(RESTARTING)
#define FINISHED EVENT(CLEAR) = TO(NONE), EVENT(REMOVE) = TO(REMOVED), MARKS

static const uint8_t task_table[TASK_STATE_COUNT][TASK_EVENT_COUNT] = {
    /* SUCCEED without an attempt: an empty task, or an old attempt that turned out committed. */
    [TASK_NONE] = {EVENT(READY) = TO(SCHEDULED), EVENT(SUCCEED) = TO(SUCCESS),
        EVENT(CLEAR) = TO(NONE), EVENT(REMOVE) = TO(REMOVED), ENDS, MARKS},
    [TASK_SCHEDULED] = {EVENT(UNREADY) = TO(NONE), EVENT(GIVE) = TO(QUEUED),
        EVENT(SUCCEED) = TO(SUCCESS), EVENT(CLEAR) = TO(NONE), EVENT(REMOVE) = TO(REMOVED), ENDS,
        MARKS},
    [TASK_QUEUED] = {EVENT(START) = TO(RUNNING), EVENT(EXPAND) = TO(REMOVED),
        EVENT(RESCHEDULE) = TO(UP_FOR_RESCHEDULE), EVENT(DEFER) = TO(DEFERRED), ATTEMPT_ENDS,
        MARKS},
    [TASK_RUNNING] = {EVENT(EXPAND) = TO(REMOVED), EVENT(RESCHEDULE) = TO(UP_FOR_RESCHEDULE),
        EVENT(DEFER) = TO(DEFERRED), ATTEMPT_ENDS, MARKS},
    [TASK_UP_FOR_RETRY] = {EVENT(WAKE) = TO(SCHEDULED), EVENT(UNREADY) = TO(NONE),
        EVENT(SUCCEED) = TO(SUCCESS), EVENT(CLEAR) = TO(NONE), EVENT(REMOVE) = TO(REMOVED), ENDS,
        MARKS},
    [TASK_UP_FOR_RESCHEDULE] = {EVENT(WAKE) = TO(SCHEDULED), EVENT(UNREADY) = TO(NONE),
        EVENT(SUCCEED) = TO(SUCCESS), EVENT(CLEAR) = TO(NONE), EVENT(REMOVE) = TO(REMOVED), ENDS,
        MARKS},
    [TASK_DEFERRED] = {EVENT(WAKE) = TO(SCHEDULED), EVENT(RETRY) = TO(UP_FOR_RETRY),
        EVENT(SUCCEED) = TO(SUCCESS), EVENT(CLEAR) = TO(NONE), EVENT(REMOVE) = TO(REMOVED), ENDS,
        MARKS},
    [TASK_RESTARTING] = {EVENT(RESTART) = TO(NONE), EVENT(CLEAR) = TO(RESTARTING), MARKS},
    [TASK_SUCCESS] = {FINISHED},
    [TASK_FAILED] = {FINISHED},
    [TASK_SKIPPED] = {FINISHED},
    [TASK_UPSTREAM_FAILED] = {FINISHED},
    /* The task may be there again in the version that a clear takes. */
    [TASK_REMOVED] = {EVENT(CLEAR) = TO(NONE)},
};

#undef TO
#define TO(state) (uint8_t)(RUN_##state + 1)
#define RUN_EVENT(event) [RUN_EVENT_##event]

static const uint8_t run_table[RUN_STATE_COUNT][RUN_EVENT_COUNT] = {
    [RUN_QUEUED] = {RUN_EVENT(START) = TO(RUNNING), RUN_EVENT(SUCCEED) = TO(SUCCESS),
        RUN_EVENT(FAIL) = TO(FAILED), RUN_EVENT(CLEAR) = TO(QUEUED)},
    [RUN_RUNNING] = {RUN_EVENT(SUCCEED) = TO(SUCCESS), RUN_EVENT(FAIL) = TO(FAILED),
        RUN_EVENT(CLEAR) = TO(RUNNING)},
    [RUN_SUCCESS] = {RUN_EVENT(SUCCEED) = TO(SUCCESS), RUN_EVENT(FAIL) = TO(FAILED),
        RUN_EVENT(CLEAR) = TO(QUEUED), RUN_EVENT(REOPEN) = TO(RUNNING)},
    [RUN_FAILED] = {RUN_EVENT(SUCCEED) = TO(SUCCESS), RUN_EVENT(FAIL) = TO(FAILED),
        RUN_EVENT(CLEAR) = TO(QUEUED), RUN_EVENT(REOPEN) = TO(RUNNING)},
};

const char *task_event_name(enum task_event event)
{
    return task_event_names[event];
}

bool task_transition(enum task_state from, enum task_event event, enum task_state *ret)
{
    uint8_t cell = task_table[from][event];
    if (cell)
        *ret = (enum task_state)(cell - 1);
    return cell != 0;
}

const char *run_event_name(enum run_event event)
{
    return run_event_names[event];
}

bool run_transition(enum run_state from, enum run_event event, enum run_state *ret)
{
    uint8_t cell = run_table[from][event];
    if (cell)
        *ret = (enum run_state)(cell - 1);
    return cell != 0;
}
