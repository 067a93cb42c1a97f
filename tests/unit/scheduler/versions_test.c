/* Versions and earlier runs. */
#include "tests/unit/scheduler/world.h"

static void start(struct world *w, struct dag *dag)
{
    world_init(w, NULL);
    world_adopt(w, dag);
    REQUIRE(world_trigger(w, "d", time_of("2030-01-01")) == OK);
}

TEST(attempts_not_yet_started_take_a_version_with_the_same_graph)
{
    struct world w;
    start(&w, dag_build("d", "a: {bash: 1}\nb: {bash: 1, depends_on: [a]}\n"));
    struct dag *newer = dag_build("d", "a: {bash: 1}\nb: {bash: 1, depends_on: [a], retries: 3}\n");
    world_adopt(&w, newer);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    const struct attempt_record *b = map_get(w.attempts, world_attempt(&w, "b")->id.text);
    CHECK_STR(b->version, newer->version);
    CHECK_STR(world_last_run(&w)->version, newer->version);
    world_done(&w);
}

TEST(a_run_that_a_mark_reopens_goes_on_with_the_newest_version_of_its_graph)
{
    struct world w;
    start(&w, dag_build("d", "a: {bash: 1}\nb: {bash: 1, depends_on: [a]}\n"));
    struct run_id id = world_last_run(&w)->id;
    const char *task = "a";
    world_end_task(&w, "a", OUTCOME_FAILED);
    struct dag *newer = dag_build("d", "a: {bash: 1}\nb: {bash: 1, depends_on: [a], retries: 3}\n");
    world_adopt(&w, newer);
    world_load_run(&w, world_last_run(&w));
    CHECK_INT(world_request(&w, &(struct request){.kind = REQUEST_MARK,
                                    .dag_id = "d",
                                    .mark_state = TASK_SUCCESS,
                                    .runs = &id,
                                    .run_count = 1,
                                    .tasks = &task,
                                    .task_count = 1}),
        OK);
    REQUIRE(world_attempt(&w, "b") != NULL);
    const struct attempt_record *b = map_get(w.attempts, world_attempt(&w, "b")->id.text);
    CHECK_STR(b->version, newer->version);
    CHECK_STR(world_last_run(&w)->version, newer->version);
    world_done(&w);
}

TEST(an_attempt_keeps_the_version_it_started_with)
{
    struct world w;
    struct dag *first = dag_build("d", "a: {bash: 1}\n");
    start(&w, first);
    struct attempt_id id = world_attempt(&w, "a")->id;
    world_adopt(&w, dag_build("d", "a: {bash: 1, retries: 1}\n"));
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(
        ((const struct attempt_record *)map_get(w.attempts, id.text))->version, first->version);
    world_done(&w);
}

TEST(a_changed_graph_is_for_new_runs)
{
    struct world w;
    struct dag *first = dag_build("d", "a: {bash: 1}\nb: {bash: 1, depends_on: [a]}\n");
    start(&w, first);
    world_adopt(&w, dag_build("d", "a: {bash: 1}\nc: {bash: 1, depends_on: [a]}\n"));
    world_crash(&w);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK(world_attempt(&w, "b") != NULL);
    CHECK_STR(world_last_run(&w)->version, first->version);
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-02")) == OK);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK(world_attempt(&w, "c") != NULL);
    world_done(&w);
}

TEST(the_order_of_tasks_in_the_file_may_change_under_a_live_run)
{
    struct world w;
    struct dag *first = dag_build("d", "a: {bash: 1}\nb: {bash: 1, depends_on: [a]}\n");
    struct dag *second =
        dag_build("d", "b: {bash: 1, depends_on: [a], retries: 1}\na: {bash: 1}\n");
    memcpy(second->graph_version, first->graph_version, sizeof first->graph_version);
    start(&w, first);
    world_adopt(&w, second);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    world_end_task(&w, "b", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

static enum status clear(struct world *w, bool same_version)
{
    const struct run_record *run = world_last_run(w);
    if (run_state_finished(run->state))
        world_load_run(w, run);
    struct run_id id = run->id;
    return world_request(w, &(struct request){.kind = REQUEST_CLEAR,
                                .dag_id = "d",
                                .runs = &id,
                                .run_count = 1,
                                .same_version = same_version});
}

TEST(clear_takes_the_newest_version_with_its_new_tasks_and_without_removed_ones)
{
    struct world w;
    start(&w, dag_build("d", "a: {bash: 1}\nold: {bash: 1, depends_on: [a]}\n"));
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    world_end_task(&w, "old", OUTCOME_FAILED);
    struct dag *newer = dag_build("d", "a: {bash: 1}\nnew: {bash: 1, depends_on: [a]}\n");
    world_adopt(&w, newer);
    CHECK_INT(clear(&w, false), OK);
    CHECK_STR(world_state(&w, "old"), "removed");
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    world_end_task(&w, "new", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_STR(world_last_run(&w)->version, newer->version);
    world_done(&w);
}

TEST(clear_can_keep_the_runs_own_version)
{
    struct world w;
    struct dag *first = dag_build("d", "a: {bash: 1}\nold: {bash: 1, depends_on: [a]}\n");
    start(&w, first);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    world_end_task(&w, "old", OUTCOME_FAILED);
    world_adopt(&w, dag_build("d", "a: {bash: 1}\nnew: {bash: 1, depends_on: [a]}\n"));
    CHECK_INT(clear(&w, true), OK);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    world_end_task(&w, "old", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_STR(world_last_run(&w)->version, first->version);
    world_done(&w);
}

TEST(a_live_run_cannot_be_cleared_into_a_version_that_lacks_a_running_task)
{
    struct world w;
    start(&w, dag_build("d", "a: {bash: 1}\n"));
    world_adopt(&w, dag_build("d", "b: {bash: 1}\n"));
    CHECK_INT(clear(&w, false), ERR_WRONG_STATE);
    CHECK(strstr(w.reply.outcome, "`a`") != NULL);
    CHECK_INT(clear(&w, true), OK);
    world_done(&w);
}

/* ---- earlier runs ---- */

static struct dag *past_dag(const char *tasks)
{
    struct dag *dag = dag_build("d", tasks);
    dag->max_active_runs = 16;
    return dag;
}

TEST(depends_on_past_waits_for_the_same_task_of_the_run_before)
{
    struct world w;
    start(&w, past_dag("a: {bash: 1, depends_on_past: true}\nb: {bash: 1, depends_on: [a]}\n"));
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-02")) == OK);
    CHECK_STR(world_state(&w, "a"), "none");
    CHECK_INT(world_task(&w, "a")->reason, REASON_WAITING_PAST);
    CHECK_STR(world_task(&w, "a")->reason_text,
        "waiting: `a` of the run before (2030-01-01T00:00:00+00:00) is queued");
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "a"), "queued");
    world_done(&w);
}

TEST(a_failed_task_holds_the_next_run_until_it_is_cleared_or_marked)
{
    struct world w;
    start(&w, past_dag("a: {bash: 1, depends_on_past: true}\n"));
    struct run_id first = world_last_run(&w)->id;
    world_end_task(&w, "a", OUTCOME_FAILED);
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-02")) == OK);
    CHECK_STR(world_run_state(&w), "running");
    CHECK(world_attempt(&w, "a") == NULL);
    world_crash(&w);
    CHECK(world_attempt(&w, "a") == NULL);
    world_load_run(&w, map_get(w.runs, key_of(&w, first.v, NULL)));
    CHECK_INT(world_request(&w,
                  &(struct request){
                      .kind = REQUEST_CLEAR, .dag_id = "d", .runs = &first, .run_count = 1}),
        OK);
    CHECK_INT(world_attempt(&w, "a")->logical_us, time_of("2030-01-01"));
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    REQUIRE(world_attempt(&w, "a") != NULL);
    CHECK_INT(world_attempt(&w, "a")->logical_us, time_of("2030-01-02"));
    world_done(&w);
}

TEST(a_mark_on_the_finished_run_before_releases_the_next_one)
{
    struct world w;
    start(&w, past_dag("a: {bash: 1, depends_on_past: true}\n"));
    struct run_id first = world_last_run(&w)->id;
    world_end_task(&w, "a", OUTCOME_FAILED);
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-02")) == OK);
    world_load_run(&w, map_get(w.runs, key_of(&w, first.v, NULL)));
    CHECK_INT(world_request(&w, &(struct request){.kind = REQUEST_MARK,
                                    .dag_id = "d",
                                    .mark_state = TASK_SUCCESS,
                                    .runs = &first,
                                    .run_count = 1}),
        OK);
    CHECK(world_attempt(&w, "a") != NULL);
    world_done(&w);
}

TEST(a_version_in_which_the_run_before_lacks_the_task_releases_the_next_one)
{
    struct world w;
    start(&w, past_dag("a: {bash: 1, depends_on_past: true}\n"
                       "b: {bash: 1, retries: 1, retry_delay: 3600}\n"));
    struct run_id first = world_last_run(&w)->id;
    const char *task = "b";
    world_end_task(&w, "a", OUTCOME_FAILED);
    world_end_task(&w, "b", OUTCOME_FAILED);
    CHECK_STR(world_state(&w, "b"), "up_for_retry");
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-02")) == OK);
    CHECK(world_attempt(&w, "a") == NULL);
    world_adopt(&w, past_dag("b: {bash: 1}\n"));
    CHECK_INT(world_request(&w, &(struct request){.kind = REQUEST_CLEAR,
                                    .dag_id = "d",
                                    .runs = &first,
                                    .run_count = 1,
                                    .tasks = &task,
                                    .task_count = 1}),
        OK);
    CHECK(world_attempt(&w, "a") != NULL);
    world_done(&w);
}

TEST(a_mark_of_a_task_in_a_live_run_releases_the_next_one)
{
    struct world w;
    start(&w, past_dag("a: {bash: 1, depends_on_past: true}\nb: {bash: 1}\n"));
    struct run_id first = world_last_run(&w)->id;
    const char *task = "a";
    world_end_task(&w, "a", OUTCOME_FAILED);
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-02")) == OK);
    CHECK(world_attempt(&w, "a") == NULL);
    CHECK_INT(world_request(&w, &(struct request){.kind = REQUEST_MARK,
                                    .dag_id = "d",
                                    .mark_state = TASK_SKIPPED,
                                    .runs = &first,
                                    .run_count = 1,
                                    .tasks = &task,
                                    .task_count = 1}),
        OK);
    CHECK(world_attempt(&w, "a") != NULL);
    world_done(&w);
}

TEST(rows_older_than_what_was_decided_do_not_change_the_past)
{
    struct world w;
    struct error err;
    start(&w, past_dag("a: {bash: 1, depends_on_past: true}\n"));
    struct run_id first = world_last_run(&w)->id;
    world_end_task(&w, "a", OUTCOME_FAILED);
    world_load_run(&w, map_get(w.runs, key_of(&w, first.v, NULL)));
    CHECK_INT(world_request(&w, &(struct request){.kind = REQUEST_MARK,
                                    .dag_id = "d",
                                    .mark_state = TASK_SUCCESS,
                                    .runs = &first,
                                    .run_count = 1}),
        OK);
    struct past_task stale = {"a", TASK_FAILED};
    CHECK_OK(scheduler_load_past(w.s, "d", time_of("2030-01-01"), &stale, 1, &err), &err);
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-02")) == OK);
    CHECK(world_attempt(&w, "a") != NULL);
    world_done(&w);
}

TEST(a_ready_task_waits_again_when_the_run_before_is_cleared)
{
    struct world w;
    struct slots_setting one = {"p", 1};
    world_init(&w, &(struct scheduler_options){.seed = 1, .pools = &one, .pool_count = 1});
    world_adopt(&w, past_dag("a: {bash: 1, depends_on_past: true}\nz: {bash: 1, pool: p}\n"
                             "b: {bash: 1, pool: p, depends_on_past: true}\n"));
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-01")) == OK);
    struct run_id first = world_last_run(&w)->id;
    for (int n = 0; n < 3; n++)
        world_end(&w, &w.under_way.at[0], &(struct attempt_result){.outcome = OUTCOME_SUCCESS});
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-02")) == OK);
    CHECK_STR(world_state(&w, "z"), "queued");
    CHECK_STR(world_state(&w, "b"), "scheduled");
    const char *task = "b";
    world_load_run(&w, map_get(w.runs, key_of(&w, first.v, NULL)));
    CHECK_INT(world_request(&w, &(struct request){.kind = REQUEST_CLEAR,
                                    .dag_id = "d",
                                    .runs = &first,
                                    .run_count = 1,
                                    .tasks = &task,
                                    .task_count = 1}),
        OK);
    world_end_task(&w, "z", OUTCOME_SUCCESS);
    REQUIRE(world_attempt(&w, "b") != NULL);
    CHECK_INT(world_attempt(&w, "b")->logical_us, time_of("2030-01-01"));
    world_end_task(&w, "b", OUTCOME_SUCCESS);
    REQUIRE(world_attempt(&w, "b") != NULL);
    CHECK_INT(world_attempt(&w, "b")->logical_us, time_of("2030-01-02"));
    world_done(&w);
}

TEST(the_first_run_and_new_tasks_depend_on_nothing_past)
{
    struct world w;
    start(&w, past_dag("a: {bash: 1, depends_on_past: true}\n"));
    CHECK(world_attempt(&w, "a") != NULL);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    world_adopt(
        &w, past_dag("a: {bash: 1, depends_on_past: true}\nn: {bash: 1, depends_on_past: true}\n"));
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-02")) == OK);
    CHECK(world_attempt(&w, "n") != NULL);
    world_done(&w);
}

TEST(a_skip_in_the_run_before_is_good_enough)
{
    struct world w;
    start(&w, past_dag("a: {bash: 1, depends_on_past: true}\n"));
    world_end_task(&w, "a", OUTCOME_SKIPPED);
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-02")) == OK);
    CHECK(world_attempt(&w, "a") != NULL);
    world_done(&w);
}

TEST(wait_for_downstream_also_waits_for_what_directly_follows)
{
    struct world w;
    start(&w, past_dag("a: {bash: 1, wait_for_downstream: true}\nb: {bash: 1, depends_on: [a]}\n"));
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-02")) == OK);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "a"), "none");
    world_end_task(&w, "b", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "a"), "queued");
    world_done(&w);
}

/* ---- versions that are not known any more ---- */

/* A restart after which the DAG's file cannot be read; it is the test's again. */
static void crash_without_version(struct world *w)
{
    vec_clear(&w->versions);
    world_crash(w);
}

TEST(a_live_run_whose_file_is_broken_at_a_restart_waits_and_takes_in_what_ends)
{
    struct world w;
    struct dag *dag = dag_build("d", "a: {sql: db}\nb: {bash: 1, depends_on: [a]}\n");
    start(&w, dag);
    world_started(&w, world_attempt(&w, "a"));
    crash_without_version(&w);
    CHECK_STR(world_run_state(&w), "running");
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "a"), "success");
    CHECK_STR(world_state(&w, "b"), "none");
    world_advance(&w, US_PER_HOUR);
    CHECK_INT(w.starts, 1);
    world_adopt(&w, dag);
    CHECK(world_attempt(&w, "b") != NULL);
    world_end_task(&w, "b", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(without_a_version_nothing_is_voided_until_it_is_known_where)
{
    struct world w;
    struct dag *dag = dag_build("d", "a: {sql: db}\n");
    start(&w, dag);
    world_started(&w, world_attempt(&w, "a"));
    crash_without_version(&w);
    world_end(&w, world_attempt(&w, "a"),
        &(struct attempt_result){.outcome = OUTCOME_PARTLY, .exit_code = -1});
    CHECK_STR(world_state(&w, "a"), "failed");
    CHECK_STR(world_run_state(&w), "running");
    world_adopt(&w, dag);
    CHECK_STR(world_run_state(&w), "failed");
    world_done(&w);
}

TEST(a_doubt_without_a_version_is_settled_when_there_is_one)
{
    struct world w;
    struct dag *dag = dag_build("d", "a: {sql: db}\n");
    start(&w, dag);
    world_started(&w, world_attempt(&w, "a"));
    crash_without_version(&w);
    world_end(&w, world_attempt(&w, "a"),
        &(struct attempt_result){.outcome = OUTCOME_FAILED, .may_commit = true, .exit_code = -1});
    CHECK(world_void(&w, "a") == NULL);
    world_adopt(&w, dag);
    world_advance(&w, US_PER_HOUR);
    world_end_void(&w, "a", VOID_INSERTED);
    CHECK_STR(world_run_state(&w), "failed");
    world_done(&w);
}

TEST(a_run_without_a_version_can_be_marked_and_takes_the_version_that_comes)
{
    struct world w;
    struct dag *dag = dag_build("d", "a: {bash: 1}\nb: {bash: 1, depends_on: [a]}\n"
                                     "c: {bash: 1, depends_on: [b]}\n");
    start(&w, dag);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    crash_without_version(&w);
    struct run_id id = world_last_run(&w)->id;
    const char *task = "a";
    struct request request = {.kind = REQUEST_CLEAR,
        .dag_id = "d",
        .runs = &id,
        .run_count = 1,
        .tasks = &task,
        .task_count = 1,
        .same_version = true,
        .mark_state = TASK_SUCCESS};
    CHECK_INT(world_request(&w, &request), OK);
    request.kind = REQUEST_MARK;
    CHECK_INT(world_request(&w, &request), OK);
    CHECK_STR(world_state(&w, "a"), "success");
    world_adopt(&w, dag);
    world_end_task(&w, "b", OUTCOME_SUCCESS);
    world_end_task(&w, "c", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(a_run_without_a_version_can_be_cancelled)
{
    struct world w;
    struct dag *dag = dag_build("d", "a: {bash: 1}\nb: {bash: 1, depends_on: [a]}\n");
    start(&w, dag);
    crash_without_version(&w);
    struct run_id id = world_last_run(&w)->id;
    CHECK_INT(
        world_request(&w,
            &(struct request){.kind = REQUEST_CANCEL, .dag_id = "d", .runs = &id, .run_count = 1}),
        OK);
    world_end_task(&w, "a", OUTCOME_CANCELLED);
    CHECK_STR(world_run_state(&w), "failed");
    dag_unref(dag);
    world_done(&w);
}

TEST(a_restart_into_another_graph_adds_no_tasks_to_a_run)
{
    struct world w;
    struct dag *first = dag_build("d", "a: {bash: 1}\nb: {bash: 1, depends_on: [a]}\n");
    start(&w, first);
    vec_clear(&w.versions);
    struct dag *second = dag_build(
        "d", "a: {bash: 1}\nb: {bash: 1, depends_on: [a]}\nn: {bash: 1, depends_on: [a]}\n");
    vec_push(&w.versions, second);
    world_crash(&w);
    CHECK_STR(world_last_run(&w)->version, second->version);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "n"), "removed");
    world_end_task(&w, "b", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_INT(w.starts, 2);
    dag_unref(first);
    world_done(&w);
}

TEST(a_task_that_was_running_when_it_left_is_voided_before_it_begins_again)
{
    struct world w;
    struct dag *first = dag_build("d", "a: {sql: db}\nb: {bash: 1}\n");
    start(&w, first);
    world_started(&w, world_attempt(&w, "a"));
    crash_without_version(&w);
    world_adopt(&w, dag_build("d", "b: {bash: 1}\n"));
    CHECK_STR(world_state(&w, "a"), "removed");
    CHECK(world_task(&w, "a")->unsettled);
    world_end_task(&w, "a", OUTCOME_INTERRUPTED);
    world_end_task(&w, "b", OUTCOME_SUCCESS);
    world_adopt(&w, first);
    CHECK_INT(clear(&w, false), OK);
    CHECK(!world_attempt(&w, "a"));
    REQUIRE(world_void(&w, "a") != NULL);
    CHECK_INT(world_void(&w, "a")->generation, 0);
    world_end_void(&w, "a", VOID_INSERTED);
    REQUIRE(world_attempt(&w, "a") != NULL);
    CHECK(world_attempt(&w, "a")->generation != 0);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    world_end_task(&w, "b", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}
