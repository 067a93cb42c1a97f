/* Every cell of the state tables. */
#include "scheduler/table.h"
#include "tests/unit/test.h"

/* The states a task event leads to; "-" where it cannot happen.  Columns in the order of
   TASK_EVENTS: ready unready give start | succeed fail skip upstream_fail | retry again wake
   reschedule defer | clear restart | mark_success mark_failed mark_skipped remove |
   expand. */
static const struct {
    enum task_state from;
    const char *to[TASK_EVENT_COUNT];
} task_cells[] = {
#define SF "success", "failed", "skipped"
    {TASK_NONE, {"scheduled", "-", "-", "-", SF, "upstream_failed", "-", "-", "-", "-", "-", "none",
                    "-", SF, "removed", "-"}},
    {TASK_SCHEDULED, {"-", "none", "queued", "-", SF, "upstream_failed", "-", "-", "-", "-", "-",
                         "none", "-", SF, "removed", "-"}},
    {TASK_QUEUED, {"-", "-", "-", "running", SF, "-", "up_for_retry", "scheduled", "-",
                      "up_for_reschedule", "deferred", "restarting", "-", SF, "-", "removed"}},
    {TASK_RUNNING, {"-", "-", "-", "-", SF, "-", "up_for_retry", "scheduled", "-",
                       "up_for_reschedule", "deferred", "restarting", "-", SF, "-", "removed"}},
    {TASK_SUCCESS, {"-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "none", "-",
                       SF, "removed", "-"}},
    {TASK_FAILED, {"-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "none", "-", SF,
                      "removed", "-"}},
    {TASK_SKIPPED, {"-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "none", "-",
                       SF, "removed", "-"}},
    {TASK_UP_FOR_RETRY, {"-", "none", "-", "-", SF, "upstream_failed", "-", "-", "scheduled", "-",
                            "-", "none", "-", SF, "removed", "-"}},
    {TASK_UP_FOR_RESCHEDULE, {"-", "none", "-", "-", SF, "upstream_failed", "-", "-", "scheduled",
                                 "-", "-", "none", "-", SF, "removed", "-"}},
    {TASK_DEFERRED, {"-", "-", "-", "-", SF, "upstream_failed", "up_for_retry", "-", "scheduled",
                        "-", "-", "none", "-", SF, "removed", "-"}},
    {TASK_UPSTREAM_FAILED, {"-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "none",
                               "-", SF, "removed", "-"}},
    {TASK_REMOVED, {"-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "none", "-",
                       "-", "-", "-", "-", "-"}},
    {TASK_RESTARTING, {"-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-",
                          "restarting", "none", SF, "-", "-"}},
};

TEST(every_task_state_moves_on_every_event_as_written)
{
    CHECK_INT(ARRAY_SIZE(task_cells), TASK_STATE_COUNT);
    for (size_t row = 0; row < ARRAY_SIZE(task_cells); row++) {
        CHECK_INT(task_cells[row].from, row);
        for (size_t event = 0; event < TASK_EVENT_COUNT; event++) {
            enum task_state to;
            bool possible = task_transition((enum task_state)row, (enum task_event)event, &to);
            CHECK_STR(possible ? task_state_name(to) : "-", task_cells[row].to[event]);
        }
    }
}

/* start succeed fail clear reopen */
static const char *const run_cells[RUN_STATE_COUNT][RUN_EVENT_COUNT] = {
    [RUN_QUEUED] = {"running", "success", "failed", "queued", "-"},
    [RUN_RUNNING] = {"-", "success", "failed", "running", "-"},
    [RUN_SUCCESS] = {"-", "success", "failed", "queued", "running"},
    [RUN_FAILED] = {"-", "success", "failed", "queued", "running"},
};

TEST(every_run_state_moves_on_every_event_as_written)
{
    for (size_t state = 0; state < RUN_STATE_COUNT; state++)
        for (size_t event = 0; event < RUN_EVENT_COUNT; event++) {
            enum run_state to;
            bool possible = run_transition((enum run_state)state, (enum run_event)event, &to);
            CHECK_STR(possible ? run_state_name(to) : "-", run_cells[state][event]);
        }
}

TEST(events_have_names_of_their_own)
{
    for (size_t a = 0; a < TASK_EVENT_COUNT; a++)
        for (size_t b = 0; b < a; b++)
            CHECK(strcmp(task_event_name((enum task_event)a), task_event_name((enum task_event)b)));
    for (size_t a = 0; a < RUN_EVENT_COUNT; a++)
        for (size_t b = 0; b < a; b++)
            CHECK(strcmp(run_event_name((enum run_event)a), run_event_name((enum run_event)b)));
}
