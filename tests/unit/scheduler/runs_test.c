/* Runs from their first task to their verdict. */
#include "tests/unit/scheduler/world.h"

TEST(a_chain_runs_in_order_and_the_run_succeeds)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, dag_build("d", "a: {sql: db}\nb: {sql: db, depends_on: [a]}\n"));
    CHECK_INT(world_trigger(&w, "d", time_of("2030-01-01")), OK);
    CHECK_STR(world_last_run(&w)->run_id, "manual__2030-01-01T00:00:00+00:00");
    CHECK_STR(world_run_state(&w), "running");
    CHECK_STR(world_state(&w, "a"), "queued");
    CHECK_STR(world_state(&w, "b"), "none");
    CHECK(world_attempt(&w, "b") == NULL);
    world_started(&w, world_attempt(&w, "a"));
    CHECK_STR(world_state(&w, "a"), "running");
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "a"), "success");
    CHECK_STR(world_state(&w, "b"), "queued");
    world_end_task(&w, "b", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_INT(world_last_run(&w)->reason, REASON_ALL_LEAVES_DONE);
    CHECK_INT(w.ended_runs, 1);
    CHECK_INT(scheduler_count(w.s).runs, 0);
    CHECK_INT(scheduler_count(w.s).instances, 0);
    CHECK_INT(scheduler_count(w.s).active, 0);
    world_done(&w);
}

/* A world with one DAG and one run of it by hand. */
static void start(struct world *w, struct dag *dag)
{
    world_init(w, NULL);
    world_adopt(w, dag);
    REQUIRE(world_trigger(w, dag->dag_id, time_of("2030-01-01")) == OK);
}

TEST(a_failed_task_fails_what_follows_and_the_reason_names_it)
{
    struct world w;
    start(&w, dag_build("d", "load: {sql: db}\nscore: {sql: db, depends_on: [load]}\n"));
    world_end_task(&w, "load", OUTCOME_FAILED);
    CHECK_STR(world_state(&w, "load"), "failed");
    CHECK_STR(world_task(&w, "load")->reason_text, "boom");
    CHECK_STR(world_state(&w, "score"), "upstream_failed");
    CHECK_STR(world_task(&w, "score")->reason_text, "`load` failed");
    CHECK_STR(world_run_state(&w), "failed");
    CHECK_STR(world_last_run(&w)->reason_text, "`score` is upstream_failed");
    world_done(&w);
}

TEST(a_skip_names_who_was_skipped)
{
    struct world w;
    start(&w, dag_build("d", "choose: {bash: 1}\nb: {bash: 1, depends_on: [choose]}\n"));
    world_end_task(&w, "choose", OUTCOME_SKIPPED);
    CHECK_STR(world_state(&w, "b"), "skipped");
    CHECK_INT(world_task(&w, "b")->reason, REASON_UPSTREAM_SKIPPED);
    CHECK_STR(world_task(&w, "b")->reason_text, "skipped: `choose` was skipped");
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(an_unmet_rule_names_rule_and_causes)
{
    struct world w;
    start(&w, dag_build("d", "a: {bash: 1}\n"
                             "undo: {bash: 1, depends_on: [a], trigger_rule: one_failed}\n"));
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "undo"), "skipped");
    CHECK_STR(world_task(&w, "undo")->reason_text,
        "skipped: its rule one_failed is not met: `a` succeeded");
    world_done(&w);
}

TEST(empty_tasks_need_no_attempt)
{
    struct world w;
    start(&w, dag_build("d", "a: {empty: {}}\nb: {empty: {}, depends_on: [a]}\n"));
    CHECK_INT(w.starts, 0);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_INT(world_task(&w, "b")->reason, REASON_NO_WORK);
    world_done(&w);
}

TEST(a_run_over_its_time_fails_and_its_unfinished_tasks_are_skipped)
{
    struct world w;
    struct dag *dag = dag_build("d", "a: {bash: 1}\nb: {bash: 1, depends_on: [a]}\n");
    dag->run_timeout_us = 10 * US_PER_MINUTE;
    start(&w, dag);
    world_started(&w, world_attempt(&w, "a"));
    world_advance(&w, 9 * US_PER_MINUTE);
    CHECK(!world_attempt(&w, "a")->cancelled);
    world_advance(&w, 2 * US_PER_MINUTE);
    CHECK(world_attempt(&w, "a")->cancelled);
    CHECK_STR(world_state(&w, "a"), "running");
    CHECK_STR(world_state(&w, "b"), "skipped");
    CHECK_STR(world_run_state(&w), "running");
    world_end_task(&w, "a", OUTCOME_CANCELLED);
    CHECK_STR(world_state(&w, "a"), "skipped");
    CHECK_STR(world_run_state(&w), "failed");
    CHECK_INT(world_last_run(&w)->reason, REASON_RUN_TIMED_OUT);
    world_done(&w);
}

TEST(run_timeout_survives_a_crash)
{
    struct world w;
    struct dag *dag = dag_build("d", "a: {bash: 1}\n");
    dag->run_timeout_us = 10 * US_PER_MINUTE;
    start(&w, dag);
    world_started(&w, world_attempt(&w, "a"));
    world_advance(&w, 6 * US_PER_MINUTE);
    world_crash(&w);
    world_advance(&w, 3 * US_PER_MINUTE);
    CHECK(!world_attempt(&w, "a")->cancelled);
    world_advance(&w, 2 * US_PER_MINUTE);
    CHECK(world_attempt(&w, "a")->cancelled);
    world_crash(&w);
    world_end_task(&w, "a", OUTCOME_INTERRUPTED);
    CHECK_STR(world_state(&w, "a"), "skipped");
    CHECK_STR(world_run_state(&w), "failed");
    world_done(&w);
}

TEST(fail_fast_stops_the_rest_at_the_first_failure)
{
    struct world w;
    struct dag *dag = dag_build("d", "a: {bash: 1}\nb: {bash: 1}\nc: {bash: 1, depends_on: [b]}\n");
    dag->fail_fast = true;
    start(&w, dag);
    world_started(&w, world_attempt(&w, "b"));
    world_end_task(&w, "a", OUTCOME_FAILED);
    CHECK(world_attempt(&w, "b")->cancelled);
    CHECK_STR(world_state(&w, "c"), "skipped");
    CHECK_INT(world_task(&w, "c")->reason, REASON_FAIL_FAST);
    world_end_task(&w, "b", OUTCOME_CANCELLED);
    CHECK_STR(world_state(&w, "b"), "failed");
    CHECK_STR(world_run_state(&w), "failed");
    CHECK_INT(world_last_run(&w)->reason, REASON_FAIL_FAST);
    world_done(&w);
}

TEST(teardowns_go_on_when_a_run_is_cancelled)
{
    struct world w;
    start(&w, dag_build("d", "make: {bash: 1, setup: true}\n"
                             "work: {bash: 1, depends_on: [make]}\n"
                             "drop: {bash: 1, depends_on: [make, work], teardown: true}\n"));
    world_end_task(&w, "make", OUTCOME_SUCCESS);
    struct run_id run = world_last_run(&w)->id;
    CHECK_INT(
        world_request(&w,
            &(struct request){.kind = REQUEST_CANCEL, .dag_id = "d", .runs = &run, .run_count = 1}),
        OK);
    world_end_task(&w, "work", OUTCOME_CANCELLED);
    CHECK_STR(world_state(&w, "work"), "failed");
    CHECK_STR(world_run_state(&w), "running");
    world_end_task(&w, "drop", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "failed");
    CHECK_INT(world_last_run(&w)->reason, REASON_RUN_CANCELLED);
    world_done(&w);
}

TEST(a_run_whose_tasks_wait_for_each_other_is_a_deadlock)
{
    struct world w;
    start(&w, dag_build("d", "a: {bash: 1, depends_on: [b]}\nb: {bash: 1, depends_on: [a]}\n"));
    CHECK_STR(world_run_state(&w), "failed");
    CHECK_INT(world_last_run(&w)->reason, REASON_DEADLOCK);
    CHECK_INT(w.starts, 0);
    world_done(&w);
}

static void run_once(struct world *w, const char *date, enum attempt_outcome outcome)
{
    REQUIRE(world_trigger(w, "d", time_of(date)) == OK);
    world_end_task(w, "a", outcome);
}

TEST(failures_in_a_row_pause_the_dag_and_a_success_starts_the_count_anew)
{
    struct world w;
    struct dag *dag = dag_build("d", "a: {bash: 1}\n");
    dag->max_consecutive_failed_runs = 3;
    world_init(&w, NULL);
    world_adopt(&w, dag);
    run_once(&w, "2030-01-01", OUTCOME_FAILED);
    run_once(&w, "2030-01-02", OUTCOME_FAILED);
    run_once(&w, "2030-01-03", OUTCOME_SUCCESS);
    run_once(&w, "2030-01-04", OUTCOME_FAILED);
    run_once(&w, "2030-01-05", OUTCOME_FAILED);
    CHECK_INT(w.paused_effects, 0);
    run_once(&w, "2030-01-06", OUTCOME_FAILED);
    CHECK_INT(w.paused_effects, 1);
    struct dag_record record;
    REQUIRE(scheduler_dag(w.s, "d", &record));
    CHECK(record.paused);
    CHECK_INT(record.pause_reason, REASON_FAILURES_REACHED);
    world_done(&w);
}

TEST(a_run_waits_while_max_active_runs_are_running)
{
    struct world w;
    struct dag *dag = dag_build("d", "a: {bash: 1}\n");
    dag->max_active_runs = 1;
    start(&w, dag);
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-02")) == OK);
    CHECK_STR(world_run_state(&w), "queued");
    CHECK_INT(world_last_run(&w)->reason, REASON_WAITING_RUN_SLOT);
    CHECK(world_task(&w, "a") == NULL);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "running");
    world_done(&w);
}

static void remember_reason(void *context, const struct queue_item *item)
{
    if (!item->task_id)
        *(enum reason *)context = item->reason;
}

TEST(a_queued_run_says_why_it_waits)
{
    struct world w;
    struct dag *dag = dag_build("d", "a: {bash: 1}\n");
    dag->max_active_runs = 1;
    start(&w, dag);
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-02")) == OK);
    enum reason reason = REASON_NONE;
    scheduler_queue(w.s, remember_reason, &reason);
    CHECK_INT(reason, REASON_WAITING_RUN_SLOT);
    world_done(&w);
}

TEST(draining_starts_nothing_and_takes_ends_in)
{
    struct world w;
    start(&w, dag_build("d", "a: {bash: 1}\nb: {bash: 1, depends_on: [a]}\n"));
    scheduler_set_draining(w.s, true);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "a"), "success");
    CHECK_STR(world_state(&w, "b"), "scheduled");
    CHECK(world_attempt(&w, "b") == NULL);
    world_crash(&w);
    CHECK(world_attempt(&w, "b") != NULL);
    world_done(&w);
}
