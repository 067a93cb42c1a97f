/* Attempts: what each way of ending does to the task. */
#include "tests/unit/scheduler/world.h"

static void start(struct world *w, const char *tasks)
{
    world_init(w, NULL);
    world_adopt(w, dag_build("d", tasks));
    REQUIRE(world_trigger(w, "d", time_of("2030-01-01")) == OK);
}

static void end_with(struct world *w, const char *task_id, const struct attempt_result *result)
{
    struct attempt_under_way *a = world_attempt(w, task_id);
    REQUIRE(a != NULL);
    world_end(w, a, result);
}

TEST(a_failure_is_retried_after_its_delay_and_then_is_final)
{
    struct world w;
    start(&w, "a: {sql: db, retries: 2, retry_delay: 300}\n");
    world_end_task(&w, "a", OUTCOME_FAILED);
    CHECK_STR(world_state(&w, "a"), "up_for_retry");
    CHECK_STR(world_task(&w, "a")->reason_text,
        "boom; attempt 2 of 3 follows at 2030-01-01T00:05:00+00:00");
    CHECK_INT(scheduler_count(w.s).active, 0);
    world_advance(&w, 299 * US_PER_SECOND);
    CHECK(world_attempt(&w, "a") == NULL);
    world_advance(&w, US_PER_SECOND);
    REQUIRE(world_attempt(&w, "a") != NULL);
    CHECK_INT(world_attempt(&w, "a")->try_number, 2);
    CHECK(world_attempt(&w, "a")->fresh);
    world_end_task(&w, "a", OUTCOME_FAILED);
    world_advance(&w, 300 * US_PER_SECOND);
    CHECK_INT(world_attempt(&w, "a")->try_number, 3);
    world_end_task(&w, "a", OUTCOME_FAILED);
    CHECK_STR(world_state(&w, "a"), "failed");
    CHECK_INT(world_task(&w, "a")->reason, REASON_RETRIES_USED_UP);
    CHECK_STR(world_run_state(&w), "failed");
    CHECK_INT(map_count(w.attempts), 3);
    world_done(&w);
}

TEST(a_retry_that_was_planned_before_a_crash_is_made_at_its_time)
{
    struct world w;
    start(&w, "a: {sql: db, retries: 1, retry_delay: 300}\n");
    world_end_task(&w, "a", OUTCOME_FAILED);
    world_advance(&w, 100 * US_PER_SECOND);
    world_crash(&w);
    world_advance(&w, 199 * US_PER_SECOND);
    CHECK(world_attempt(&w, "a") == NULL);
    world_advance(&w, US_PER_SECOND);
    CHECK(world_attempt(&w, "a") != NULL);
    world_done(&w);
}

TEST(a_hopeless_failure_is_not_retried)
{
    struct world w;
    start(&w, "a: {sql: db, retries: 2}\n");
    end_with(&w, "a",
        &(struct attempt_result){.outcome = OUTCOME_FAILED,
            .error_class = CLASS_SQL,
            .sqlstate = "42P01",
            .message = "relation \"x\" does not exist",
            .exit_code = -1});
    CHECK_STR(world_state(&w, "a"), "failed");
    CHECK_INT(world_task(&w, "a")->reason, REASON_NOT_RETRIED);
    CHECK_STR(world_task(&w, "a")->reason_text, "relation \"x\" does not exist");
    world_done(&w);
}

TEST(a_task_without_a_transaction_is_retried_as_a_new_generation)
{
    struct world w;
    start(&w, "a: {sql: db, retries: 2, retry_delay: 300}\n");
    CHECK_INT(world_task(&w, "a")->generation, 0);
    struct attempt_result failure = {.outcome = OUTCOME_FAILED,
        .error_class = CLASS_SQL,
        .sqlstate = "XX000",
        .new_generation = true,
        .exit_code = -1};
    end_with(&w, "a", &failure);
    CHECK_STR(world_state(&w, "a"), "up_for_retry");
    int64_t second = world_task(&w, "a")->generation;
    CHECK(second != 0);
    world_advance(&w, 300 * US_PER_SECOND);
    REQUIRE(world_attempt(&w, "a") != NULL);
    CHECK_INT(world_attempt(&w, "a")->try_number, 2);
    /* A retry for another reason keeps it. */
    failure.new_generation = false;
    end_with(&w, "a", &failure);
    CHECK(world_task(&w, "a")->generation == second);
    world_done(&w);
}

TEST(a_loss_after_commit_was_sent_costs_no_retry_three_times)
{
    struct world w;
    start(&w, "a: {sql: db, retries: 0}\n");
    for (int n = 1; n <= 4; n++) {
        CHECK_INT(world_attempt(&w, "a")->try_number, 1);
        CHECK_INT(world_attempt(&w, "a")->number, n);
        CHECK_INT(world_attempt(&w, "a")->fresh, n > 1);
        end_with(&w, "a", &(struct attempt_result){.outcome = OUTCOME_LOST, .may_commit = true});
    }
    CHECK(world_attempt(&w, "a") == NULL);
    CHECK_STR(world_state(&w, "a"), "queued");
    CHECK_INT(world_task(&w, "a")->reason, REASON_SETTLING);
    world_end_void(&w, "a", VOID_INSERTED);
    CHECK_STR(world_state(&w, "a"), "failed");
    world_done(&w);
}

TEST(the_next_attempt_of_the_generation_settles_a_loss_without_a_void)
{
    struct world w;
    start(&w, "a: {sql: db}\n");
    end_with(&w, "a", &(struct attempt_result){.outcome = OUTCOME_LOST, .may_commit = true});
    CHECK(world_task(&w, "a")->unsettled);
    CHECK(!world_attempt(&w, "a")->void_before);
    end_with(&w, "a",
        &(struct attempt_result){.outcome = OUTCOME_SUCCESS,
            .committed_before = true,
            .message = "committed by attempt 1"});
    CHECK_STR(world_state(&w, "a"), "success");
    CHECK_INT(world_task(&w, "a")->reason, REASON_COMMITTED_BEFORE);
    CHECK_STR(world_task(&w, "a")->reason_text, "committed by attempt 1");
    CHECK(!world_task(&w, "a")->unsettled);
    world_done(&w);
}

TEST(an_interruption_costs_no_retry_ten_times)
{
    struct world w;
    start(&w, "a: {bash: 1}\n");
    for (int n = 1; n <= 10; n++) {
        world_end_task(&w, "a", OUTCOME_INTERRUPTED);
        CHECK_STR(world_state(&w, "a"), "queued");
        CHECK_INT(world_attempt(&w, "a")->try_number, 1);
    }
    world_end_task(&w, "a", OUTCOME_INTERRUPTED);
    CHECK_STR(world_state(&w, "a"), "failed");
    world_done(&w);
}

TEST(before_a_failure_is_final_nothing_can_commit_any_more)
{
    struct world w;
    start(&w, "a: {sql: db}\nb: {bash: 1, depends_on: [a], trigger_rule: all_done}\n");
    end_with(&w, "a", &(struct attempt_result){.outcome = OUTCOME_FAILED, .may_commit = true});
    CHECK_INT(world_task(&w, "a")->reason, REASON_SETTLING);
    CHECK(world_attempt(&w, "b") == NULL);
    world_end_void(&w, "a", VOID_INSERTED);
    CHECK_STR(world_state(&w, "a"), "failed");
    CHECK_STR(world_task(&w, "a")->reason_text, "boom");
    CHECK(world_attempt(&w, "b") != NULL);
    world_done(&w);
}

TEST(an_attempt_that_turns_out_committed_is_a_success)
{
    struct world w;
    start(&w, "a: {sql: db}\n");
    end_with(&w, "a", &(struct attempt_result){.outcome = OUTCOME_FAILED, .may_commit = true});
    world_end_void(&w, "a", VOID_COMMITTED);
    CHECK_STR(world_state(&w, "a"), "success");
    CHECK_INT(world_task(&w, "a")->reason, REASON_COMMITTED_BEFORE);
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(while_the_database_is_unreachable_the_task_is_in_doubt_and_is_asked_about_again)
{
    struct world w;
    start(&w, "a: {sql: db}\n");
    end_with(&w, "a", &(struct attempt_result){.outcome = OUTCOME_FAILED, .may_commit = true});
    int64_t delays_s[] = {10, 20, 40, 80, 160, 300, 300};
    for (size_t n = 0; n < ARRAY_SIZE(delays_s); n++) {
        world_end_void(&w, "a", VOID_UNREACHABLE);
        CHECK_INT(world_task(&w, "a")->reason, REASON_IN_DOUBT);
        CHECK(strstr(world_task(&w, "a")->reason_text, "; asked again at 20") != NULL);
        CHECK_STR(world_run_state(&w), "running");
        world_advance(&w, delays_s[n] * US_PER_SECOND - 1);
        CHECK(world_void(&w, "a") == NULL);
        world_advance(&w, 1);
        CHECK(world_void(&w, "a") != NULL);
    }
    world_crash(&w);
    CHECK(world_void(&w, "a") != NULL);
    world_end_void(&w, "a", VOID_INSERTED);
    CHECK_STR(world_state(&w, "a"), "failed");
    world_done(&w);
}

TEST(partly_committed_is_failed_and_never_retried)
{
    struct world w;
    start(&w, "a: {sql: db, retries: 5}\n");
    world_end_task(&w, "a", OUTCOME_PARTLY);
    CHECK_STR(world_state(&w, "a"), "failed");
    CHECK_INT(world_task(&w, "a")->reason, REASON_PARTLY_COMMITTED);
    world_done(&w);
}

TEST(an_attempt_that_finds_its_generation_void_ends_the_task)
{
    struct world w;
    start(&w, "a: {sql: db, retries: 5}\n");
    world_end_task(&w, "a", OUTCOME_SUPERSEDED);
    CHECK_STR(world_state(&w, "a"), "failed");
    CHECK_INT(world_task(&w, "a")->reason, REASON_SUPERSEDED);
    world_done(&w);
}

TEST(execution_timeout_cancels_the_attempt_and_counts_as_a_failure)
{
    struct world w;
    start(&w, "a: {sql: db, retries: 1, retry_delay: 60, execution_timeout: 600}\n");
    world_started(&w, world_attempt(&w, "a"));
    world_advance(&w, 599 * US_PER_SECOND);
    CHECK(!world_attempt(&w, "a")->cancelled);
    world_advance(&w, US_PER_SECOND);
    CHECK(world_attempt(&w, "a")->cancelled);
    CHECK_INT(world_attempt(&w, "a")->why, REASON_TIMED_OUT);
    CHECK_STR(world_state(&w, "a"), "running");
    world_end_task(&w, "a", OUTCOME_CANCELLED);
    CHECK_STR(world_state(&w, "a"), "up_for_retry");
    world_advance(&w, 60 * US_PER_SECOND);
    world_started(&w, world_attempt(&w, "a"));
    world_advance(&w, 600 * US_PER_SECOND);
    world_end_task(&w, "a", OUTCOME_CANCELLED);
    CHECK_STR(world_state(&w, "a"), "failed");
    CHECK_INT(world_task(&w, "a")->reason, REASON_TIMED_OUT);
    CHECK_STR(world_task(&w, "a")->reason_text, "stopped: execution_timeout of 10m was reached");
    world_done(&w);
}

TEST(a_success_that_beats_the_timeout_stays_a_success)
{
    struct world w;
    start(&w, "a: {sql: db, execution_timeout: 10}\n");
    world_started(&w, world_attempt(&w, "a"));
    world_advance(&w, 10 * US_PER_SECOND);
    CHECK(world_attempt(&w, "a")->cancelled);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "a"), "success");
    world_done(&w);
}

TEST(execution_timeout_survives_a_crash)
{
    struct world w;
    start(&w, "a: {bash: 1, execution_timeout: 600}\n");
    world_started(&w, world_attempt(&w, "a"));
    world_advance(&w, 400 * US_PER_SECOND);
    world_crash(&w);
    world_advance(&w, 199 * US_PER_SECOND);
    CHECK(!world_attempt(&w, "a")->cancelled);
    world_advance(&w, US_PER_SECOND);
    CHECK(world_attempt(&w, "a")->cancelled);
    world_done(&w);
}

TEST(events_about_attempts_that_nobody_knows_change_nothing)
{
    struct world w;
    start(&w, "a: {bash: 1}\n");
    struct attempt_under_way a = *world_attempt(&w, "a");
    struct attempt_id stranger = {"00000000-0000-4000-8000-000000000000"};
    struct attempt_result result = {.outcome = OUTCOME_FAILED, .exit_code = 1};
    size_t changes = w.changes;
    world_apply(&w, &(struct event){.kind = EVENT_ATTEMPT_STARTED, .attempt = stranger});
    world_apply(&w,
        &(struct event){.kind = EVENT_ATTEMPT_FINISHED, .attempt = stranger, .result = &result});
    world_apply(&w, &(struct event){.kind = EVENT_VOID_DONE, .attempt = stranger});
    CHECK_INT(w.changes, changes);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    changes = w.changes;
    world_apply(&w, &(struct event){.kind = EVENT_ATTEMPT_STARTED, .attempt = a.id});
    world_apply(
        &w, &(struct event){.kind = EVENT_ATTEMPT_FINISHED, .attempt = a.id, .result = &result});
    CHECK_INT(w.changes, changes);
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(an_attempt_that_ends_without_a_start_is_taken_in)
{
    struct world w;
    start(&w, "a: {bash: 1}\n");
    end_with(&w, "a", &(struct attempt_result){.outcome = OUTCOME_FAILED, .exit_code = 1});
    CHECK_STR(world_state(&w, "a"), "failed");
    world_done(&w);
}

TEST(attempts_found_interrupted_after_a_crash_start_again)
{
    struct world w;
    start(&w, "a: {sql: db}\n");
    world_started(&w, world_attempt(&w, "a"));
    world_crash(&w);
    CHECK_STR(world_state(&w, "a"), "running");
    CHECK_INT(scheduler_count(w.s).active, 1);
    end_with(&w, "a", &(struct attempt_result){.outcome = OUTCOME_INTERRUPTED, .may_commit = true});
    CHECK_INT(world_attempt(&w, "a")->number, 2);
    CHECK_INT(world_attempt(&w, "a")->try_number, 1);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(an_attempts_row_names_its_log_version_and_numbers)
{
    struct world w;
    start(&w, "a: {sql: db}\n");
    struct attempt_id id = world_attempt(&w, "a")->id;
    CHECK(uuid_valid(id.text));
    const struct attempt_record *row = map_get(w.attempts, id.text);
    CHECK_STR(row->log, "logs/d/manual__2030-01-01T00:00:00+00:00/a.1.log");
    CHECK_STR(row->version, w.versions.at[0]->version);
    CHECK_INT(row->state, ATTEMPT_QUEUED);
    world_started(&w, world_attempt(&w, "a"));
    row = map_get(w.attempts, id.text);
    CHECK_INT(row->state, ATTEMPT_RUNNING);
    end_with(&w, "a",
        &(struct attempt_result){.outcome = OUTCOME_FAILED,
            .error_class = CLASS_SQL,
            .sqlstate = "22012",
            .message = "division by zero",
            .exit_code = -1});
    row = map_get(w.attempts, id.text);
    CHECK_INT(row->state, ATTEMPT_ENDED);
    CHECK_STR(row->outcome, "failed");
    CHECK_STR(row->sqlstate, "22012");
    CHECK_STR(row->message, "division by zero");
    world_done(&w);
}
