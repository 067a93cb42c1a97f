/* The words of the contract and their properties. */
#include "definition/model/state.h"
#include "tests/unit/test.h"

TEST(every_word_reads_back_as_itself)
{
    for (int i = 0; i < TASK_STATE_COUNT; i++) {
        enum task_state state;
        CHECK(task_state_parse(task_state_name((enum task_state)i), &state));
        CHECK_INT(state, i);
    }
    for (int i = 0; i < RUN_STATE_COUNT; i++) {
        enum run_state state;
        CHECK(run_state_parse(run_state_name((enum run_state)i), &state));
        CHECK_INT(state, i);
    }
    for (int i = 0; i < RUN_TYPE_COUNT; i++) {
        enum run_type type;
        CHECK(run_type_parse(run_type_name((enum run_type)i), &type));
        CHECK_INT(type, i);
    }
    for (int i = 0; i < TRIGGER_RULE_COUNT; i++) {
        enum trigger_rule rule;
        CHECK(trigger_rule_parse(trigger_rule_name((enum trigger_rule)i), &rule));
        CHECK_INT(rule, i);
    }
}

TEST(other_words_are_refused)
{
    enum task_state task;
    enum run_state run;
    enum run_type type;
    enum trigger_rule rule;
    CHECK(!task_state_parse("done", &task));
    CHECK(!task_state_parse("", &task));
    CHECK(!run_state_parse("skipped", &run));
    CHECK(!run_type_parse("asset", &type));
    CHECK(!trigger_rule_parse("ALL_DONE", &rule));
}

TEST(finished_states_are_airflows)
{
    static const enum task_state finished[] = {
        TASK_SUCCESS, TASK_FAILED, TASK_SKIPPED, TASK_UPSTREAM_FAILED, TASK_REMOVED};
    int count = 0;
    for (int i = 0; i < TASK_STATE_COUNT; i++)
        count += task_state_finished((enum task_state)i);
    CHECK_INT(count, ARRAY_SIZE(finished));
    for (size_t i = 0; i < ARRAY_SIZE(finished); i++)
        CHECK(task_state_finished(finished[i]));
    CHECK(task_state_success_like(TASK_SUCCESS) && task_state_success_like(TASK_SKIPPED));
    CHECK(!task_state_success_like(TASK_REMOVED));
    CHECK(task_state_failed_like(TASK_FAILED) && task_state_failed_like(TASK_UPSTREAM_FAILED));
    CHECK(!task_state_failed_like(TASK_UP_FOR_RETRY));
    CHECK(task_state_holds_slots(TASK_RUNNING) && task_state_holds_slots(TASK_QUEUED));
    CHECK(!task_state_holds_slots(TASK_DEFERRED) && !task_state_holds_slots(TASK_SCHEDULED));
    CHECK(run_state_finished(RUN_SUCCESS) && run_state_finished(RUN_FAILED));
    CHECK(!run_state_finished(RUN_QUEUED) && !run_state_finished(RUN_RUNNING));
}
