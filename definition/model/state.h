/*
 * The states of runs and task instances, trigger rules and run types: the words of the contract,
 * spelled as in Airflow.  Each is a table from which names, parsing and predicates are made.
 */
#ifndef DEFINITION_MODEL_STATE_H
#define DEFINITION_MODEL_STATE_H

#include <stdbool.h>

/* ROW(enum suffix, name, finished, success-like, failed-like, holds slots) */
#define TASK_STATES(ROW)                                                                           \
    ROW(NONE, "none", 0, 0, 0, 0)                                                                  \
    ROW(SCHEDULED, "scheduled", 0, 0, 0, 0)                                                        \
    ROW(QUEUED, "queued", 0, 0, 0, 1)                                                              \
    ROW(RUNNING, "running", 0, 0, 0, 1)                                                            \
    ROW(SUCCESS, "success", 1, 1, 0, 0)                                                            \
    ROW(FAILED, "failed", 1, 0, 1, 0)                                                              \
    ROW(SKIPPED, "skipped", 1, 1, 0, 0)                                                            \
    ROW(UP_FOR_RETRY, "up_for_retry", 0, 0, 0, 0)                                                  \
    ROW(UP_FOR_RESCHEDULE, "up_for_reschedule", 0, 0, 0, 0)                                        \
    ROW(DEFERRED, "deferred", 0, 0, 0, 0)                                                          \
    ROW(UPSTREAM_FAILED, "upstream_failed", 1, 0, 1, 0)                                            \
    ROW(REMOVED, "removed", 1, 0, 0, 0)                                                            \
    ROW(RESTARTING, "restarting", 0, 0, 0, 1)

enum task_state {
#define ROW(id, name, finished, success, failed, slots) TASK_##id,
    TASK_STATES(ROW)
#undef ROW
        TASK_STATE_COUNT
};

/* ROW(enum suffix, name, finished) */
#define RUN_STATES(ROW)                                                                            \
    ROW(QUEUED, "queued", 0)                                                                       \
    ROW(RUNNING, "running", 0)                                                                     \
    ROW(SUCCESS, "success", 1)                                                                     \
    ROW(FAILED, "failed", 1)

enum run_state {
#define ROW(id, name, finished) RUN_##id,
    RUN_STATES(ROW)
#undef ROW
        RUN_STATE_COUNT
};

/* ROW(enum suffix, name; also the prefix of run ids) */
#define RUN_TYPES(ROW)                                                                             \
    ROW(SCHEDULED, "scheduled")                                                                    \
    ROW(MANUAL, "manual")                                                                          \
    ROW(BACKFILL, "backfill")                                                                      \
    ROW(ASSET, "asset_triggered")

enum run_type {
#define ROW(id, name) RUN_TYPE_##id,
    RUN_TYPES(ROW)
#undef ROW
        RUN_TYPE_COUNT
};

#define TRIGGER_RULES(ROW)                                                                         \
    ROW(ALL_SUCCESS, "all_success")                                                                \
    ROW(ALL_FAILED, "all_failed")                                                                  \
    ROW(ALL_DONE, "all_done")                                                                      \
    ROW(ALL_DONE_MIN_ONE_SUCCESS, "all_done_min_one_success")                                      \
    ROW(ALL_SKIPPED, "all_skipped")                                                                \
    ROW(ONE_FAILED, "one_failed")                                                                  \
    ROW(ONE_SUCCESS, "one_success")                                                                \
    ROW(ONE_DONE, "one_done")                                                                      \
    ROW(NONE_FAILED, "none_failed")                                                                \
    ROW(NONE_FAILED_MIN_ONE_SUCCESS, "none_failed_min_one_success")                                \
    ROW(NONE_SKIPPED, "none_skipped")                                                              \
    ROW(ALWAYS, "always")                                                                          \
    ROW(ALL_DONE_SETUP_SUCCESS, "all_done_setup_success")

enum trigger_rule {
#define ROW(id, name) RULE_##id,
    TRIGGER_RULES(ROW)
#undef ROW
        TRIGGER_RULE_COUNT
};

const char *task_state_name(enum task_state state);
bool task_state_parse(const char *name, enum task_state *ret);
bool task_state_finished(enum task_state state);
bool task_state_success_like(enum task_state state);
bool task_state_failed_like(enum task_state state);
bool task_state_holds_slots(enum task_state state);
const char *run_state_name(enum run_state state);
bool run_state_parse(const char *name, enum run_state *ret);
bool run_state_finished(enum run_state state);
const char *run_type_name(enum run_type type);
bool run_type_parse(const char *name, enum run_type *ret);
const char *trigger_rule_name(enum trigger_rule rule);
bool trigger_rule_parse(const char *name, enum trigger_rule *ret);

#endif
