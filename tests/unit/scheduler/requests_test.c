/* Trigger, clear, mark and cancel. */
#include "tests/unit/scheduler/world.h"

static const char *chain =
    "a: {sql: db}\nb: {sql: db, depends_on: [a]}\nc: {sql: db, depends_on: [b]}\n";

static void start(struct world *w, const char *tasks)
{
    world_init(w, NULL);
    world_adopt(w, dag_build("d", tasks));
    REQUIRE(world_trigger(w, "d", time_of("2030-01-01")) == OK);
}

static void end_all(struct world *w, enum attempt_outcome outcome)
{
    for (int n = 0; n < 1000 && w->under_way.count; n++)
        world_end(
            w, &w->under_way.at[0], &(struct attempt_result){.outcome = outcome, .exit_code = -1});
}

/* A request about the newest run, loaded first when it is finished, as the daemon does. */
static enum status ask(struct world *w, struct request request, const char *task)
{
    const struct run_record *run = world_last_run(w);
    if (run_state_finished(run->state))
        world_load_run(w, run);
    struct run_id id = run->id;
    request.dag_id = "d";
    request.runs = &id;
    request.run_count = 1;
    request.tasks = &task;
    request.task_count = task != NULL;
    return world_request(w, &request);
}

/* ---- trigger ---- */

TEST(a_date_that_has_a_run_is_refused_with_the_command_to_use)
{
    struct world w;
    start(&w, "a: {sql: db}\n");
    CHECK_INT(world_trigger(&w, "d", time_of("2030-01-01")), ERR_DATE_TAKEN);
    CHECK(strstr(w.reply.outcome, "dag clear d 2030-01-01T00:00:00+00:00") != NULL);
    end_all(&w, OUTCOME_SUCCESS);
    int64_t date_us = time_of("2030-01-01");
    enum run_state state = RUN_SUCCESS;
    struct request again = {.kind = REQUEST_TRIGGER,
        .dag_id = "d",
        .logical_us = date_us,
        .existing = &date_us,
        .existing_state = &state,
        .existing_count = 1};
    CHECK_INT(world_request(&w, &again), ERR_DATE_TAKEN);
    CHECK_INT(world_count_runs(&w, "d", 0), 1);
    CHECK_INT(w.requests, 3);
    world_done(&w);
}

TEST(a_trigger_without_a_date_means_the_newest_complete_interval_or_now)
{
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = dag_build("d", "a: {sql: db}\n");
    dag_set_schedule(dag, "@daily", "2029-01-01", NULL);
    dag->catchup = CATCHUP_NONE;
    world_adopt(&w, dag);
    CHECK_INT(world_trigger(&w, "d", TIME_NONE), OK);
    CHECK_STR(world_last_run(&w)->run_id, "manual__2029-12-31T00:00:00+00:00");
    CHECK_INT(world_last_run(&w)->interval_end_us, time_of("2030-01-01"));
    world_adopt(&w, dag_build("e", "a: {sql: db}\n"));
    CHECK_INT(world_trigger(&w, "e", TIME_NONE), OK);
    CHECK_INT(world_last_run(&w)->logical_us, w.now.wall_us);
    CHECK_INT(world_last_run(&w)->interval_start_us, world_last_run(&w)->interval_end_us);
    world_done(&w);
}

TEST(a_date_inside_an_interval_covers_the_last_complete_one_before_it)
{
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = dag_build("d", "a: {sql: db}\n");
    dag_set_schedule(dag, "@daily", "2029-01-01", NULL);
    dag->catchup = CATCHUP_NONE;
    world_adopt(&w, dag);
    CHECK_INT(world_trigger(&w, "d", time_of("2029-06-02T12:00:00")), OK);
    CHECK_INT(world_last_run(&w)->interval_start_us, time_of("2029-06-01"));
    CHECK_INT(world_last_run(&w)->interval_end_us, time_of("2029-06-02"));
    world_done(&w);
}

TEST(a_trigger_carries_user_conf_and_note)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, dag_build("d", "a: {sql: db}\n"));
    struct request request = {.kind = REQUEST_TRIGGER,
        .dag_id = "d",
        .logical_us = 0,
        .user = "bob",
        .conf = "{\"x\":1}",
        .note = "why not"};
    CHECK_INT(world_request(&w, &request), OK);
    CHECK_STR(world_last_run(&w)->triggered_by, "bob");
    CHECK_STR(world_last_run(&w)->conf, "{\"x\":1}");
    CHECK_STR(world_last_run(&w)->note, "why not");
    world_done(&w);
}

TEST(a_dry_run_of_a_trigger_changes_nothing)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, dag_build("d", "a: {sql: db}\n"));
    size_t changes = w.changes;
    struct request request = {
        .kind = REQUEST_TRIGGER, .dag_id = "d", .logical_us = 0, .dry_run = true};
    CHECK_INT(world_request(&w, &request), OK);
    CHECK(strstr(w.reply.outcome, "manual__1970-01-01T00:00:00+00:00") != NULL);
    CHECK_INT(w.changes, changes);
    CHECK(world_last_run(&w) == NULL);
    world_done(&w);
}

TEST(an_unknown_dag_is_not_found)
{
    struct world w;
    world_init(&w, NULL);
    CHECK_INT(world_trigger(&w, "nope", 0), ERR_NOT_FOUND);
    world_done(&w);
}

/* ---- clear ---- */

TEST(a_cleared_task_runs_again_as_a_new_generation_and_keeps_its_history)
{
    struct world w;
    start(&w, chain);
    end_all(&w, OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CLEAR}, "b"), OK);
    CHECK_STR(world_run_state(&w), "running");
    CHECK_STR(world_state(&w, "a"), "success");
    CHECK_STR(world_state(&w, "c"), "success");
    struct attempt_under_way *a = world_attempt(&w, "b");
    REQUIRE(a != NULL);
    CHECK(a->generation != 0);
    CHECK_INT(a->number, 2);
    CHECK_INT(a->try_number, 1);
    CHECK(!a->void_before);
    world_end_task(&w, "b", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_INT(map_count(w.attempts), 4);
    CHECK_INT(w.ended_runs, 2);
    world_done(&w);
}

TEST(clear_with_downstream_runs_all_that_follows_again_in_order)
{
    struct world w;
    start(&w, chain);
    end_all(&w, OUTCOME_SUCCESS);
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CLEAR, .downstream = true}, "b"), OK);
    CHECK_STR(world_state(&w, "c"), "none");
    CHECK(world_attempt(&w, "c") == NULL);
    end_all(&w, OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_INT(w.starts, 5);
    world_done(&w);
}

TEST(clear_of_failed_tasks_takes_upstream_failed_ones_too)
{
    struct world w;
    start(&w, chain);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    world_end_task(&w, "b", OUTCOME_FAILED);
    CHECK_STR(world_run_state(&w), "failed");
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CLEAR, .only_failed = true}, NULL), OK);
    CHECK_STR(world_state(&w, "a"), "success");
    end_all(&w, OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_INT(w.starts, 4);
    world_done(&w);
}

TEST(globs_and_pluses_choose_tasks)
{
    struct world w;
    start(&w, "load_x: {bash: 1}\nload_y: {bash: 1}\nmix: {bash: 1, depends_on: [load_x, load_y]}\n"
              "out: {bash: 1, depends_on: [mix]}\n");
    end_all(&w, OUTCOME_SUCCESS);
    struct request dry = {.kind = REQUEST_CLEAR, .dry_run = true};
    CHECK_INT(ask(&w, dry, "load_*"), OK);
    CHECK(strstr(w.reply.outcome, "[\"load_x\",\"load_y\"]") != NULL);
    CHECK_INT(ask(&w, dry, "mix+"), OK);
    CHECK(strstr(w.reply.outcome, "[\"mix\",\"out\"]") != NULL);
    CHECK_INT(ask(&w, dry, "+mix"), OK);
    CHECK(strstr(w.reply.outcome, "[\"load_x\",\"load_y\",\"mix\"]") != NULL);
    CHECK_INT(ask(&w, dry, "+mix+"), OK);
    CHECK(strstr(w.reply.outcome, "\"tasks\":4") != NULL);
    CHECK_INT(ask(&w, dry, "mixx"), ERR_NO_TASK_MATCHES);
    CHECK(strstr(w.reply.outcome, "did you mean `mix`?") != NULL);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_INT(scheduler_count(w.s).runs, 0);
    world_done(&w);
}

TEST(a_running_task_that_is_cleared_is_ended_first)
{
    struct world w;
    start(&w, "a: {sql: db}\n");
    world_started(&w, world_attempt(&w, "a"));
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CLEAR}, "a"), OK);
    CHECK_STR(world_state(&w, "a"), "restarting");
    CHECK(world_attempt(&w, "a")->cancelled);
    CHECK_INT(w.starts, 1);
    world_crash(&w);
    CHECK_STR(world_state(&w, "a"), "restarting");
    world_end(&w, world_attempt(&w, "a"),
        &(struct attempt_result){.outcome = OUTCOME_CANCELLED, .may_commit = true});
    REQUIRE(world_attempt(&w, "a") == NULL);
    REQUIRE(world_void(&w, "a") != NULL);
    CHECK_INT(world_void(&w, "a")->generation, 0);
    CHECK_STR(reason_code(world_task(&w, "a")->reason), "settling");
    world_crash(&w);
    world_end_void(&w, "a", VOID_UNREACHABLE);
    CHECK_STR(reason_code(world_task(&w, "a")->reason), "in_doubt");
    world_advance(&w, US_PER_MINUTE);
    world_end_void(&w, "a", VOID_COMMITTED);
    struct attempt_under_way *a = world_attempt(&w, "a");
    REQUIRE(a != NULL);
    CHECK(a->generation != 0);
    CHECK(!a->void_before);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    CHECK(!world_task(&w, "a")->unsettled);
    world_done(&w);
}

/* Each generation is settled before the next one has an attempt: so no two are ever in doubt, of
   which the row could keep only one. */
TEST(no_two_generations_of_a_task_are_in_doubt)
{
    struct world w;
    start(&w, "a: {sql: db}\n");
    world_started(&w, world_attempt(&w, "a"));
    for (int64_t n = 0; n < 3; n++) {
        int64_t generation = world_task(&w, "a")->generation;
        CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CLEAR}, "a"), OK);
        world_end(&w, world_attempt(&w, "a"),
            &(struct attempt_result){.outcome = OUTCOME_INTERRUPTED, .may_commit = true});
        CHECK(world_attempt(&w, "a") == NULL);
        CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CLEAR}, "a"), OK);
        REQUIRE(world_void(&w, "a") != NULL);
        CHECK_INT(world_void(&w, "a")->generation, generation);
        world_end_void(&w, "a", VOID_INSERTED);
        REQUIRE(world_attempt(&w, "a") != NULL);
    }
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(a_cleared_upstream_calls_back_what_was_ready_but_not_started)
{
    struct world w;
    world_init(&w, NULL);
    scheduler_set_connection(w.s, "db", 0);
    world_adopt(&w, dag_build("d", "a: {bash: 1}\nb: {sql: db, depends_on: [a]}\n"));
    REQUIRE(world_trigger(&w, "d", 0) == OK);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "b"), "scheduled");
    CHECK_INT(world_task(&w, "b")->reason, REASON_WAITING_CONNECTION);
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CLEAR}, "a"), OK);
    CHECK_STR(world_state(&w, "b"), "none");
    CHECK_INT(scheduler_count(w.s).ready, 0);
    world_done(&w);
}

TEST(there_is_nothing_to_clear_in_tasks_that_never_ran)
{
    struct world w;
    start(&w, chain);
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CLEAR}, "c"), ERR_WRONG_STATE);
    world_done(&w);
}

TEST(each_clear_draws_a_generation_of_its_own)
{
    struct world w;
    start(&w, "a: {sql: db}\n");
    int64_t last = 0;
    for (int n = 0; n < 5; n++) {
        end_all(&w, OUTCOME_SUCCESS);
        CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CLEAR}, NULL), OK);
        int64_t generation = world_attempt(&w, "a")->generation;
        CHECK(generation != last && generation != 0);
        last = generation;
    }
    world_done(&w);
}

/* ---- mark ---- */

TEST(a_task_marked_success_lets_what_failed_because_of_it_run)
{
    struct world w;
    start(&w, chain);
    world_end_task(&w, "a", OUTCOME_FAILED);
    CHECK_STR(world_run_state(&w), "failed");
    struct request mark = {.kind = REQUEST_MARK, .mark_state = TASK_SUCCESS, .note = "by hand"};
    CHECK_INT(ask(&w, mark, "a"), OK);
    CHECK_STR(world_state(&w, "a"), "success");
    CHECK_STR(world_task(&w, "a")->reason_text, "marked success by alice: by hand");
    CHECK_STR(world_run_state(&w), "running");
    end_all(&w, OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(a_mark_on_a_finished_run_changes_its_verdict)
{
    struct world w;
    start(&w, "a: {sql: db}\n");
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_MARK, .mark_state = TASK_FAILED}, "a"), OK);
    CHECK_STR(world_run_state(&w), "failed");
    CHECK_INT(scheduler_count(w.s).runs, 0);
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_MARK, .mark_state = TASK_SKIPPED}, "a"), OK);
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(a_running_task_is_ended_before_its_mark_stands)
{
    struct world w;
    start(&w, "a: {sql: db}\nb: {sql: db, depends_on: [a]}\n");
    world_started(&w, world_attempt(&w, "a"));
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_MARK, .mark_state = TASK_SKIPPED}, "a"), OK);
    CHECK_STR(world_state(&w, "a"), "running");
    CHECK(world_attempt(&w, "a")->cancelled);
    world_crash(&w);
    CHECK(world_attempt(&w, "a")->cancelled);
    world_end(&w, world_attempt(&w, "a"),
        &(struct attempt_result){.outcome = OUTCOME_CANCELLED, .may_commit = true});
    CHECK_STR(world_state(&w, "a"), "running");
    CHECK(world_void(&w, "a") != NULL);
    world_crash(&w);
    world_end_void(&w, "a", VOID_INSERTED);
    CHECK_STR(world_state(&w, "a"), "skipped");
    CHECK_STR(world_state(&w, "b"), "skipped");
    world_done(&w);
}

TEST(what_is_committed_stays_a_success_whatever_the_mark)
{
    struct world w;
    start(&w, "a: {sql: db}\n");
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_MARK, .mark_state = TASK_FAILED}, "a"), OK);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "a"), "success");
    CHECK_INT(world_task(&w, "a")->reason, REASON_COMMITTED_BEFORE);
    world_done(&w);
}

TEST(a_run_marked_failed_ends_its_attempts_and_fails)
{
    struct world w;
    start(&w, "a: {bash: 1}\nb: {bash: 1, depends_on: [a]}\n");
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_MARK, .mark_state = TASK_FAILED}, NULL), OK);
    CHECK_STR(world_run_state(&w), "running");
    world_crash(&w);
    end_all(&w, OUTCOME_CANCELLED);
    CHECK_STR(world_state(&w, "a"), "failed");
    CHECK_STR(world_state(&w, "b"), "failed");
    CHECK_STR(world_run_state(&w), "failed");
    CHECK_INT(world_last_run(&w)->reason, REASON_MARKED);
    world_done(&w);
}

TEST(a_failed_run_can_be_marked_success)
{
    struct world w;
    start(&w, chain);
    world_end_task(&w, "a", OUTCOME_FAILED);
    CHECK_INT(
        ask(&w, (struct request){.kind = REQUEST_MARK, .mark_state = TASK_SUCCESS}, NULL), OK);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_STR(world_state(&w, "c"), "success");
    CHECK_INT(w.starts, 1);
    world_done(&w);
}

TEST(a_task_of_a_date_without_a_run_cannot_be_marked_alone)
{
    struct world w;
    start(&w, chain);
    const char *task = "b";
    struct request mark = {.kind = REQUEST_MARK,
        .dag_id = "d",
        .mark_state = TASK_FAILED,
        .logical_us = time_of("2030-01-02"),
        .tasks = &task,
        .task_count = 1};
    CHECK_INT(world_request(&w, &mark), ERR_WRONG_STATE);
    CHECK_INT(world_count_runs(&w, "d", 0), 1);
    world_done(&w);
}

TEST(a_date_without_a_run_can_be_marked_done_without_running)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, dag_build("d", chain));
    struct request mark = {.kind = REQUEST_MARK,
        .dag_id = "d",
        .mark_state = TASK_SUCCESS,
        .logical_us = time_of("2029-05-05")};
    CHECK_INT(world_request(&w, &mark), OK);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_STR(world_state(&w, "c"), "success");
    CHECK_INT(w.starts, 0);
    CHECK_INT(world_request(&w, &mark), ERR_DATE_TAKEN);
    world_done(&w);
}

/* ---- cancel ---- */

TEST(a_cancelled_run_fails_its_running_tasks_and_skips_the_rest)
{
    struct world w;
    start(&w, chain);
    world_started(&w, world_attempt(&w, "a"));
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CANCEL}, NULL), OK);
    CHECK_STR(w.reply.outcome, "{\"runs\":1,\"tasks\":3}");
    CHECK_INT(world_task(&w, "a")->reason, REASON_CANCELLING);
    CHECK_STR(world_state(&w, "b"), "skipped");
    world_crash(&w);
    CHECK(world_attempt(&w, "a")->cancelled);
    world_end_task(&w, "a", OUTCOME_CANCELLED);
    CHECK_STR(world_state(&w, "a"), "failed");
    CHECK_INT(world_task(&w, "a")->reason, REASON_RUN_CANCELLED);
    CHECK_STR(world_run_state(&w), "failed");
    CHECK_INT(world_last_run(&w)->reason, REASON_RUN_CANCELLED);
    world_done(&w);
}

TEST(a_cancelled_retry_is_not_made)
{
    struct world w;
    start(&w, "a: {sql: db, retries: 3, retry_delay: 60}\n");
    world_end(&w, world_attempt(&w, "a"),
        &(struct attempt_result){.outcome = OUTCOME_FAILED, .may_commit = true});
    CHECK_STR(world_state(&w, "a"), "up_for_retry");
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CANCEL}, NULL), OK);
    CHECK_STR(world_run_state(&w), "running");
    world_crash(&w);
    world_advance(&w, US_PER_HOUR);
    CHECK_INT(w.starts, 1);
    world_end_void(&w, "a", VOID_INSERTED);
    CHECK(task_state_finished(world_task(&w, "a")->state));
    CHECK_STR(world_run_state(&w), "failed");
    world_done(&w);
}

TEST(one_task_can_be_cancelled)
{
    struct world w;
    start(&w, "a: {bash: 1}\nb: {bash: 1}\n");
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CANCEL, .force = true}, "a"), OK);
    CHECK(world_attempt(&w, "a")->forced);
    CHECK(!world_attempt(&w, "b")->cancelled);
    world_end_task(&w, "a", OUTCOME_CANCELLED);
    world_end_task(&w, "b", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "failed");
    CHECK_INT(world_last_run(&w)->reason, REASON_LEAF_FAILED);
    world_done(&w);
}

TEST(a_queued_run_that_is_cancelled_never_starts_and_can_be_cleared)
{
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = dag_build("d", "a: {bash: 1}\n");
    dag->max_active_runs = 1;
    world_adopt(&w, dag);
    REQUIRE(world_trigger(&w, "d", 0) == OK);
    REQUIRE(world_trigger(&w, "d", US_PER_DAY) == OK);
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CANCEL}, NULL), OK);
    CHECK_STR(world_run_state(&w), "failed");
    CHECK(world_task(&w, "a") == NULL);
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CLEAR}, NULL), OK);
    CHECK_STR(world_run_state(&w), "queued");
    end_all(&w, OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_INT(w.starts, 2);
    world_done(&w);
}

TEST(a_finished_run_cannot_be_cancelled)
{
    struct world w;
    start(&w, "a: {bash: 1}\n");
    end_all(&w, OUTCOME_SUCCESS);
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CANCEL}, NULL), ERR_WRONG_STATE);
    CHECK_INT(scheduler_count(w.s).runs, 0);
    world_done(&w);
}

TEST(a_cancel_while_a_clear_waits_for_the_attempt_ends_the_task)
{
    struct world w;
    start(&w, "a: {sql: db}\n");
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CLEAR}, "a"), OK);
    CHECK_STR(world_state(&w, "a"), "restarting");
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CANCEL}, NULL), OK);
    world_crash(&w);
    world_end_task(&w, "a", OUTCOME_CANCELLED);
    CHECK_STR(world_state(&w, "a"), "failed");
    CHECK_STR(world_run_state(&w), "failed");
    CHECK_INT(w.starts, 1);
    world_done(&w);
}

TEST(a_clear_behind_a_queued_run_lets_that_run_start_once_the_old_attempt_is_gone)
{
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = dag_build("d", "a: {bash: 1, depends_on_past: true}\n"
                                     "b: {sql: db, depends_on: [a]}\n");
    dag->max_active_runs = 1;
    world_adopt(&w, dag);
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-02")) == OK);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    struct run_id later = world_last_run(&w)->id;
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-01")) == OK);
    CHECK_STR(world_run_state(&w), "queued");
    struct request clear = {.kind = REQUEST_CLEAR, .dag_id = "d", .runs = &later, .run_count = 1};
    CHECK_INT(world_request(&w, &clear), OK);
    CHECK_INT(world_task_of(&w, later, "a")->reason, REASON_WAITING_PAST);
    CHECK_STR(world_run_state(&w), "queued");
    world_end(&w, world_attempt(&w, "b"), &(struct attempt_result){.outcome = OUTCOME_CANCELLED});
    CHECK_INT(world_task_of(&w, later, "b")->state, TASK_NONE);
    CHECK_STR(world_run_state(&w), "running");
    end_all(&w, OUTCOME_SUCCESS);
    CHECK_INT(world_run_at(&w, "d", time_of("2030-01-01"))->state, RUN_SUCCESS);
    CHECK_INT(world_run_at(&w, "d", time_of("2030-01-02"))->state, RUN_SUCCESS);
    world_done(&w);
}
