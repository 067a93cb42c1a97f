/* Runs that tasks make: once, with the task's success, and waited for. */
#include "tests/unit/scheduler/world.h"

static const int64_t second_us = US_PER_SECOND;

static int64_t day(void)
{
    return time_of("2030-01-01");
}

/* DAG `a` with the task `t`, whatever else, and DAG `b` with the task `x`; a run of `a` of `day`.
 */
static void start(struct world *w, const char *tasks)
{
    world_init(w, NULL);
    world_adopt(w, dag_build("b", "x: {bash: 1}\n"));
    world_adopt(w, dag_build("a", tasks));
    REQUIRE(world_trigger(w, "a", day()) == OK);
}

/* The store says what it has of the date that was asked for. */
static void answer(struct world *w)
{
    const struct run_record *run = world_run_at(w, w->wished_dag, w->wished_us);
    if (run && !scheduler_has_run(w->s, run->id))
        world_load_run(w, run);
    w->load_wishes--;
    world_apply(
        w, &(struct event){
               .kind = EVENT_RUN_LOADED, .dag_id = w->wished_dag, .logical_us = w->wished_us});
}

static void order(
    struct world *w, const char *task_id, const char *dag_id, int64_t logical_us, const char *conf)
{
    struct attempt_under_way *a = world_attempt(w, task_id);
    REQUIRE(a != NULL);
    world_started(w, a);
    struct trigger_order wanted = {dag_id, logical_us, conf};
    world_end(w, a,
        &(struct attempt_result){.outcome = OUTCOME_SUCCESS, .exit_code = -1, .trigger = &wanted});
}

static void trigger(struct world *w)
{
    order(w, "t", "b", day(), "{\"n\":1}");
    if (w->load_wishes)
        answer(w);
}

static const struct run_record *made(struct world *w)
{
    return world_run_at(w, "b", day());
}

static const struct task_record *task_of(struct world *w, const char *task_id)
{
    return world_task_of(w, world_run_at(w, "a", day())->id, task_id);
}

static const char *state_of(struct world *w, const char *task_id)
{
    return task_state_name(task_of(w, task_id)->state);
}

static const struct attempt_record *attempt_of(struct world *w, const char *task_id)
{
    return map_get(w->attempts, task_of(w, task_id)->attempt.text);
}

/* `task_id` of the run of `a`, or all of it. */
static enum status clear(struct world *w, const char *dag_id, const char *task_id)
{
    const struct run_record *run = world_run_at(w, dag_id, day());
    if (!scheduler_has_run(w->s, run->id))
        world_load_run(w, run);
    return world_request(w, &(struct request){.kind = REQUEST_CLEAR,
                                .dag_id = dag_id,
                                .runs = &run->id,
                                .run_count = 1,
                                .tasks = &task_id,
                                .task_count = task_id != NULL});
}

static enum status act(struct world *w, enum request_kind kind, const char *task_id)
{
    const struct run_record *run = world_run_at(w, "a", day());
    return world_request(w, &(struct request){.kind = kind,
                                .dag_id = "a",
                                .runs = &run->id,
                                .run_count = 1,
                                .tasks = &task_id,
                                .task_count = task_id != NULL,
                                .mark_state = TASK_SUCCESS});
}

/* ---- made with the success ---- */

TEST(the_run_is_made_in_the_plan_of_the_tasks_success)
{
    struct world w;
    start(&w, "t: {trigger_dag: b}\n");
    order(&w, "t", "b", day(), "{\"n\":1}");
    CHECK_STR(state_of(&w, "t"), "running"); /* whether the date has a run is asked first */
    CHECK(made(&w) == NULL);
    CHECK_INT(w.load_wishes, 1);
    answer(&w);
    bool run = false, success = false;
    vec_each (change, &w.plan.changes) {
        run |= change->kind == CHANGE_RUN && str_equal(change->run.dag_id, "b");
        success |= change->kind == CHANGE_TASK && str_equal(change->task.record.task_id, "t") &&
                   change->task.record.state == TASK_SUCCESS;
    }
    CHECK(run && success);
    CHECK_STR(made(&w)->run_id, "manual__2030-01-01T00:00:00+00:00");
    CHECK_STR(made(&w)->conf, "{\"n\":1}");
    CHECK_INT(made(&w)->type, RUN_TYPE_MANUAL);
    CHECK_STR(made(&w)->triggered_by, "`t` of a 2030-01-01T00:00:00+00:00");
    CHECK_INT(made(&w)->maker.run.v, world_run_at(&w, "a", day())->id.v);
    CHECK_STR(made(&w)->maker.task_id, "t");
    CHECK_INT(made(&w)->maker.map_index, -1);
    CHECK_INT(task_of(&w, "t")->triggered.v, made(&w)->id.v);
    CHECK_STR(
        task_of(&w, "t")->reason_text, "triggered run manual__2030-01-01T00:00:00+00:00 of `b`");
    CHECK(world_attempt(&w, "x") != NULL);
    world_done(&w);
}

TEST(the_run_has_the_interval_that_its_own_schedule_gives_the_date)
{
    struct world w;
    start(&w, "t: {trigger_dag: s}\n");
    struct dag *dag = dag_build("s", "x: {bash: 1}\n");
    dag_set_schedule(dag, "@monthly", "2029-12-01", NULL);
    world_adopt(&w, dag);
    order(&w, "t", "s", day(), "{}");
    answer(&w);
    const struct run_record *run = world_run_at(&w, "s", day());
    CHECK_INT(run->interval_start_us, day());
    CHECK_INT(run->interval_end_us, time_of("2030-02-01"));
    world_done(&w);
}

TEST(a_paused_dag_runs_what_a_task_triggers)
{
    struct world w;
    start(&w, "t: {trigger_dag: b}\n");
    REQUIRE(world_request(&w, &(struct request){.kind = REQUEST_PAUSE, .dag_id = "b"}) == OK);
    trigger(&w);
    CHECK_INT(made(&w)->state, RUN_RUNNING);
    CHECK(world_attempt(&w, "x") != NULL);
    world_done(&w);
}

TEST(a_crash_before_the_answer_makes_nothing_and_the_next_attempt_makes_it_once)
{
    struct world w;
    start(&w, "t: {trigger_dag: b}\n");
    order(&w, "t", "b", day(), "{}");
    struct attempt_id id = task_of(&w, "t")->attempt;
    world_crash(&w);
    CHECK(made(&w) == NULL);
    world_apply(&w,
        &(struct event){.kind = EVENT_ATTEMPT_FINISHED,
            .attempt = id,
            .result = &(struct attempt_result){.outcome = OUTCOME_INTERRUPTED, .exit_code = -1}});
    trigger(&w);
    CHECK_STR(state_of(&w, "t"), "success");
    CHECK_INT(task_of(&w, "t")->try_number, 1);
    CHECK_INT(world_count_runs(&w, "b", 0), 1);
    world_done(&w);
}

TEST(an_answer_that_comes_twice_makes_one_run)
{
    struct world w;
    start(&w, "t: {trigger_dag: b}\n");
    order(&w, "t", "b", day(), "{}");
    struct trigger_order again = {"b", day(), "{}"};
    world_apply(&w, &(struct event){.kind = EVENT_ATTEMPT_FINISHED,
                        .attempt = task_of(&w, "t")->attempt,
                        .result = &(struct attempt_result){
                            .outcome = OUTCOME_SUCCESS, .exit_code = -1, .trigger = &again}});
    CHECK_INT(w.load_wishes, 1);
    answer(&w);
    w.load_wishes = 1;
    answer(&w);
    CHECK_INT(world_count_runs(&w, "b", 0), 1);
    CHECK_STR(state_of(&w, "t"), "success");
    world_done(&w);
}

TEST(each_index_of_a_mapped_task_makes_a_run_of_its_own)
{
    struct world w;
    start(&w, "t: {trigger_dag: b, expand: 2}\n");
    world_expand(&w, "t", 2);
    order(&w, "t[0]", "b", day(), "{}");
    answer(&w);
    order(&w, "t[1]", "b", day() + US_PER_DAY, "{}");
    answer(&w);
    CHECK_INT(made(&w)->maker.map_index, 0);
    CHECK_INT(world_run_at(&w, "b", day() + US_PER_DAY)->maker.map_index, 1);
    world_done(&w);
}

TEST(two_indexes_that_want_the_same_date_make_one_run_and_the_second_fails)
{
    struct world w;
    start(&w, "t: {trigger_dag: b, expand: 2}\n");
    world_expand(&w, "t", 2);
    order(&w, "t[0]", "b", day(), "{}");
    order(&w, "t[1]", "b", day(), "{}");
    answer(&w);
    answer(&w);
    CHECK_STR(state_of(&w, "t[0]"), "success");
    CHECK_STR(state_of(&w, "t[1]"), "failed");
    CHECK_INT(task_of(&w, "t[1]")->reason, REASON_DATE_TAKEN);
    CHECK_INT(world_count_runs(&w, "b", 0), 1);
    world_done(&w);
}

/* ---- dates that have a run ---- */

TEST(a_live_run_of_somebody_else_fails_the_task_whatever_its_retries)
{
    struct world w;
    start(&w, "t: {trigger_dag: b, retries: 3, retry_on: [all]}\n");
    REQUIRE(world_trigger(&w, "b", day()) == OK);
    trigger(&w);
    CHECK_STR(state_of(&w, "t"), "failed");
    CHECK_INT(task_of(&w, "t")->reason, REASON_DATE_TAKEN);
    CHECK_STR(attempt_of(&w, "t")->message,
        "`b` has a run of 2030-01-01T00:00:00+00:00 that this task did not make: "
        "manual__2030-01-01T00:00:00+00:00\n"
        "hint: to run it again: dag clear b manual__2030-01-01T00:00:00+00:00");
    CHECK_STR(made(&w)->triggered_by, "alice");
    world_done(&w);
}

TEST(a_finished_run_of_somebody_else_fails_the_task_too)
{
    struct world w;
    start(&w, "t: {trigger_dag: b}\n");
    REQUIRE(world_trigger(&w, "b", day()) == OK);
    world_end_task(&w, "x", OUTCOME_SUCCESS);
    trigger(&w);
    CHECK_INT(task_of(&w, "t")->reason, REASON_DATE_TAKEN);
    CHECK_INT(made(&w)->state, RUN_SUCCESS);
    world_done(&w);
}

TEST(a_run_that_appears_while_the_date_is_asked_for_counts)
{
    struct world w;
    start(&w, "t: {trigger_dag: b}\n");
    order(&w, "t", "b", day(), "{}");
    REQUIRE(world_trigger(&w, "b", day()) == OK);
    answer(&w);
    CHECK_INT(task_of(&w, "t")->reason, REASON_DATE_TAKEN);
    CHECK_INT(world_count_runs(&w, "b", 0), 1);
    world_done(&w);
}

TEST(a_retry_of_the_same_generation_finds_its_run_and_is_a_success)
{
    struct world w;
    start(
        &w, "t: {trigger_dag: b, wait: true, execution_timeout: 60, retries: 1, retry_delay: 1}\n");
    trigger(&w);
    world_advance(&w, 61 * second_us);
    world_end_task(&w, "x", OUTCOME_SUCCESS);
    int64_t generation = made(&w)->maker.generation;
    trigger(&w);
    CHECK_STR(state_of(&w, "t"), "success");
    CHECK_INT(made(&w)->state, RUN_SUCCESS);
    CHECK_INT(made(&w)->maker.generation, generation);
    CHECK_INT(world_count_runs(&w, "b", 0), 1);
    world_done(&w);
}

TEST(a_task_that_is_cleared_clears_its_run_with_the_new_conf)
{
    struct world w;
    start(&w, "t: {trigger_dag: b}\n");
    trigger(&w);
    world_end_task(&w, "x", OUTCOME_SUCCESS);
    int64_t generation = world_task_of(&w, made(&w)->id, "x")->generation;
    REQUIRE(clear(&w, "a", "t") == OK);
    CHECK_INT(task_of(&w, "t")->triggered.v, 0);
    order(&w, "t", "b", day(), "{\"n\":2}");
    answer(&w);
    CHECK_STR(state_of(&w, "t"), "success");
    CHECK_INT(world_count_runs(&w, "b", 0), 1);
    CHECK_INT(made(&w)->state, RUN_RUNNING);
    CHECK_STR(made(&w)->conf, "{\"n\":2}");
    CHECK(world_task_of(&w, made(&w)->id, "x")->generation != generation);
    CHECK_INT(made(&w)->maker.generation, task_of(&w, "t")->generation);
    world_end_task(&w, "x", OUTCOME_SUCCESS);
    CHECK_INT(made(&w)->state, RUN_SUCCESS);
    world_done(&w);
}

TEST(a_task_that_is_cleared_while_its_run_is_under_way_clears_that)
{
    struct world w;
    start(&w, "t: {trigger_dag: b}\n");
    trigger(&w);
    REQUIRE(clear(&w, "a", "t") == OK);
    trigger(&w);
    CHECK_STR(state_of(&w, "t"), "success");
    CHECK(world_attempt(&w, "x")->cancelled);
    world_end_task(&w, "x", OUTCOME_CANCELLED);
    world_end_task(&w, "x", OUTCOME_SUCCESS);
    CHECK_INT(made(&w)->state, RUN_SUCCESS);
    world_done(&w);
}

TEST(a_cleared_run_takes_the_newest_version_of_its_dag)
{
    struct world w;
    start(&w, "t: {trigger_dag: b}\n");
    trigger(&w);
    world_end_task(&w, "x", OUTCOME_SUCCESS);
    world_adopt(&w, dag_build("b", "x: {bash: 1}\ny: {bash: 1, depends_on: [x]}\n"));
    REQUIRE(clear(&w, "a", "t") == OK);
    trigger(&w);
    world_end_task(&w, "x", OUTCOME_SUCCESS);
    world_end_task(&w, "y", OUTCOME_SUCCESS);
    CHECK_INT(made(&w)->state, RUN_SUCCESS);
    world_done(&w);
}

/* ---- DAGs that cannot run ---- */

TEST(a_dag_that_there_is_not_fails_the_task_and_is_tried_again)
{
    struct world w;
    start(&w, "t: {trigger_dag: c, retries: 1, retry_delay: 60}\n");
    order(&w, "t", "c", day(), "{}");
    CHECK_STR(state_of(&w, "t"), "up_for_retry");
    CHECK(strstr(attempt_of(&w, "t")->message, "there is no DAG `c`") != NULL);
    world_adopt(&w, dag_build("c", "x: {bash: 1}\n"));
    world_advance(&w, 60 * second_us);
    order(&w, "t", "c", day(), "{}");
    answer(&w);
    CHECK_STR(state_of(&w, "t"), "success");
    world_done(&w);
}

TEST(a_dag_whose_file_is_gone_fails_the_task)
{
    struct world w;
    start(&w, "t: {trigger_dag: b}\n");
    world_apply(&w, &(struct event){.kind = EVENT_DAG_REMOVED, .dag_id = "b"});
    trigger(&w);
    CHECK_STR(state_of(&w, "t"), "failed");
    CHECK(strstr(attempt_of(&w, "t")->message, "the file of DAG `b` is gone") != NULL);
    CHECK(made(&w) == NULL);
    world_done(&w);
}

/* ---- stopped before the run was made ---- */

TEST(a_cancel_before_the_answer_makes_no_run)
{
    struct world w;
    start(&w, "t: {trigger_dag: b}\n");
    order(&w, "t", "b", day(), "{}");
    REQUIRE(act(&w, REQUEST_CANCEL, "t") == OK);
    answer(&w);
    CHECK_STR(state_of(&w, "t"), "failed");
    CHECK_INT(task_of(&w, "t")->reason, REASON_CANCELLED);
    CHECK(made(&w) == NULL);
    world_done(&w);
}

TEST(a_timeout_before_the_answer_makes_no_run)
{
    struct world w;
    start(&w, "t: {trigger_dag: b, execution_timeout: 60}\n");
    order(&w, "t", "b", day(), "{}");
    world_advance(&w, 60 * second_us);
    answer(&w);
    CHECK_STR(state_of(&w, "t"), "failed");
    CHECK_INT(task_of(&w, "t")->reason, REASON_TIMED_OUT);
    CHECK(made(&w) == NULL);
    world_done(&w);
}

TEST(a_clear_before_the_answer_makes_the_run_with_the_next_attempt)
{
    struct world w;
    start(&w, "t: {trigger_dag: b}\n");
    order(&w, "t", "b", day(), "{}");
    REQUIRE(clear(&w, "a", "t") == OK);
    answer(&w);
    CHECK(made(&w) == NULL);
    trigger(&w);
    CHECK_STR(state_of(&w, "t"), "success");
    CHECK_INT(made(&w)->maker.generation, task_of(&w, "t")->generation);
    world_done(&w);
}

TEST(the_end_of_the_run_before_the_answer_makes_no_other)
{
    struct world w;
    start(&w, "t: {trigger_dag: b}\n");
    order(&w, "t", "b", day(), "{}");
    REQUIRE(act(&w, REQUEST_CANCEL, NULL) == OK);
    answer(&w);
    CHECK(made(&w) == NULL);
    CHECK_INT(world_run_at(&w, "a", day())->state, RUN_FAILED);
    world_done(&w);
}

/* ---- wait ---- */

static void start_waiting(struct world *w, const char *keys)
{
    struct strbuf tasks = {0};
    strbuf_printf(
        &tasks, "t: {trigger_dag: b, wait: true%s}\ny: {bash: 1, depends_on: [t]}\n", keys);
    start(w, tasks.text);
    strbuf_done(&tasks);
    trigger(w);
    CHECK_STR(state_of(w, "t"), "deferred");
}

TEST(a_waiting_task_holds_nothing_and_succeeds_with_its_run)
{
    struct world w;
    start_waiting(&w, "");
    CHECK_INT(scheduler_count(w.s).active, 1); /* `x` */
    CHECK_STR(
        task_of(&w, "t")->reason_text, "waiting for run manual__2030-01-01T00:00:00+00:00 of `b`");
    CHECK_INT(attempt_of(&w, "t")->state, ATTEMPT_RUNNING);
    world_advance(&w, 100 * second_us);
    world_end_task(&w, "x", OUTCOME_SUCCESS);
    CHECK_STR(state_of(&w, "t"), "success");
    CHECK_STR(
        task_of(&w, "t")->reason_text, "run manual__2030-01-01T00:00:00+00:00 of `b` succeeded");
    CHECK_STR(attempt_of(&w, "t")->outcome, "success");
    CHECK_INT(attempt_of(&w, "t")->ended_us - attempt_of(&w, "t")->started_us, 100 * second_us);
    CHECK(world_attempt(&w, "y") != NULL);
    world_done(&w);
}

TEST(a_run_that_fails_fails_the_task_that_waits_whatever_its_retries)
{
    struct world w;
    start_waiting(&w, ", retries: 3");
    world_end_task(&w, "x", OUTCOME_FAILED);
    CHECK_STR(state_of(&w, "t"), "failed");
    CHECK_INT(task_of(&w, "t")->reason, REASON_TRIGGERED_FAILED);
    CHECK_STR(task_of(&w, "t")->reason_text,
        "run manual__2030-01-01T00:00:00+00:00 of `b` failed: `x` failed");
    CHECK_STR(state_of(&w, "y"), "upstream_failed");
    REQUIRE(clear(&w, "a", NULL) == OK);
    trigger(&w);
    world_end_task(&w, "x", OUTCOME_SUCCESS);
    CHECK_STR(state_of(&w, "t"), "success");
    world_done(&w);
}

TEST(the_wait_survives_crashes_without_another_attempt)
{
    struct world w;
    start_waiting(&w, "");
    size_t starts = w.starts;
    world_crash(&w);
    world_crash(&w);
    CHECK_STR(state_of(&w, "t"), "deferred");
    CHECK_INT(w.starts, starts);
    world_end_task(&w, "x", OUTCOME_SUCCESS);
    CHECK_STR(state_of(&w, "t"), "success");
    CHECK_INT(task_of(&w, "t")->tries_total, 1);
    world_done(&w);
}

TEST(execution_timeout_goes_on_while_it_waits_over_crashes_too)
{
    struct world w;
    start_waiting(&w, ", execution_timeout: 60");
    world_advance(&w, 30 * second_us);
    world_crash(&w);
    world_advance(&w, 29 * second_us);
    CHECK_STR(state_of(&w, "t"), "deferred");
    world_advance(&w, 2 * second_us);
    CHECK_STR(state_of(&w, "t"), "failed");
    CHECK_INT(task_of(&w, "t")->reason, REASON_TIMED_OUT);
    CHECK_STR(attempt_of(&w, "t")->outcome, "failed");
    CHECK_INT(made(&w)->state, RUN_RUNNING); /* it goes on */
    world_end_task(&w, "x", OUTCOME_SUCCESS);
    CHECK_INT(made(&w)->state, RUN_SUCCESS);
    CHECK_STR(state_of(&w, "t"), "failed");
    world_done(&w);
}

TEST(a_retry_after_a_timeout_waits_for_the_same_run)
{
    struct world w;
    start_waiting(&w, ", execution_timeout: 60, retries: 1, retry_delay: 10");
    world_advance(&w, 61 * second_us);
    CHECK_STR(state_of(&w, "t"), "up_for_retry");
    world_advance(&w, 10 * second_us);
    trigger(&w);
    CHECK_STR(state_of(&w, "t"), "deferred");
    world_end_task(&w, "x", OUTCOME_SUCCESS);
    CHECK_STR(state_of(&w, "t"), "success");
    CHECK_INT(world_count_runs(&w, "b", 0), 1);
    world_done(&w);
}

TEST(what_stops_a_waiting_task_leaves_its_run_alone)
{
    static const struct {
        enum request_kind kind;
        const char *task, *state;
    } rows[] = {{REQUEST_CANCEL, "t", "skipped"}, {REQUEST_CANCEL, NULL, "skipped"},
        {REQUEST_MARK, "t", "success"}};
    for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
        struct world w;
        start_waiting(&w, "");
        REQUIRE(act(&w, rows[n].kind, rows[n].task) == OK);
        CHECK_STR(state_of(&w, "t"), rows[n].state);
        CHECK_INT(attempt_of(&w, "t")->state, ATTEMPT_ENDED);
        CHECK_STR(attempt_of(&w, "t")->outcome, "cancelled");
        CHECK_INT(made(&w)->state, RUN_RUNNING);
        world_end_task(&w, "x", OUTCOME_FAILED);
        CHECK_STR(state_of(&w, "t"), rows[n].state);
        world_done(&w);
    }
}

TEST(a_waiting_task_that_is_cleared_clears_its_run_and_waits_for_it_again)
{
    struct world w;
    start_waiting(&w, "");
    struct attempt_id first = task_of(&w, "t")->attempt;
    REQUIRE(clear(&w, "a", "t") == OK);
    const struct attempt_record *ended = map_get(w.attempts, first.text);
    CHECK_STR(ended->outcome, "cancelled");
    trigger(&w);
    CHECK_STR(state_of(&w, "t"), "deferred");
    world_end_task(&w, "x", OUTCOME_CANCELLED); /* of the old generation */
    world_end_task(&w, "x", OUTCOME_SUCCESS);
    CHECK_STR(state_of(&w, "t"), "success");
    CHECK_INT(made(&w)->state, RUN_SUCCESS);
    world_done(&w);
}

TEST(a_run_that_is_cleared_by_hand_is_waited_for_to_its_new_end)
{
    struct world w;
    start_waiting(&w, "");
    REQUIRE(clear(&w, "b", NULL) == OK);
    world_end_task(&w, "x", OUTCOME_CANCELLED);
    CHECK_STR(state_of(&w, "t"), "deferred");
    world_end_task(&w, "x", OUTCOME_SUCCESS);
    CHECK_STR(state_of(&w, "t"), "success");
    world_done(&w);
}

TEST(a_run_that_is_cancelled_fails_who_waits_for_it)
{
    struct world w;
    start_waiting(&w, "");
    const struct run_record *run = made(&w);
    REQUIRE(
        world_request(&w,
            &(struct request){
                .kind = REQUEST_CANCEL, .dag_id = "b", .runs = &run->id, .run_count = 1}) == OK);
    world_end_task(&w, "x", OUTCOME_CANCELLED);
    CHECK_STR(state_of(&w, "t"), "failed");
    CHECK_STR(task_of(&w, "t")->reason_text,
        "run manual__2030-01-01T00:00:00+00:00 of `b` failed: the run was cancelled");
    world_done(&w);
}

TEST(a_version_without_a_waiting_task_ends_its_attempt_and_leaves_the_run_alone)
{
    struct world w;
    start_waiting(&w, "");
    struct attempt_id id = task_of(&w, "t")->attempt;
    REQUIRE(act(&w, REQUEST_MARK, "y") == OK);
    world_adopt(&w, dag_build("a", "y: {bash: 1}\n"));
    REQUIRE(clear(&w, "a", "y") == OK);
    CHECK_STR(state_of(&w, "t"), "removed");
    const struct attempt_record *attempt = map_get(w.attempts, id.text);
    CHECK_INT(attempt->state, ATTEMPT_ENDED);
    world_end_task(&w, "x", OUTCOME_SUCCESS);
    CHECK_INT(made(&w)->state, RUN_SUCCESS);
    world_done(&w);
}

static void see(void *context, const struct queue_item *item)
{
    struct strbuf *seen = context;
    strbuf_printf(seen, "%s %s: %s", item->dag_id, item->task_id, item->text);
}

TEST(the_queue_shows_what_waits_for_a_run)
{
    struct world w;
    struct strbuf seen = {0};
    start_waiting(&w, "");
    scheduler_queue(w.s, see, &seen);
    CHECK_STR(seen.text, "a t: waiting for run manual__2030-01-01T00:00:00+00:00 of `b`");
    strbuf_done(&seen);
    world_done(&w);
}

/* ---- `dag run`: without schedules ---- */

TEST(without_a_daemon_only_runs_that_are_waited_for_start)
{
    static const char *const states[] = {"queued", "running"};
    for (int waits = 0; waits < 2; waits++) {
        struct world w;
        struct scheduler_options options = {.seed = 1, .no_schedules = true};
        world_init(&w, &options);
        world_adopt(&w, dag_build("b", "x: {bash: 1}\n"));
        world_adopt(&w,
            dag_build("a", waits ? "t: {trigger_dag: b, wait: true}\n" : "t: {trigger_dag: b}\n"));
        REQUIRE(world_trigger(&w, "a", day()) == OK);
        trigger(&w);
        CHECK_STR(run_state_name(made(&w)->state), states[waits]);
        if (!waits)
            CHECK_INT(made(&w)->reason, REASON_WAITING_DAEMON);
        world_done(&w);
    }
}

TEST(a_wait_whose_run_is_not_live_any_more_is_asked_for_again)
{
    struct world w;
    start_waiting(&w, "");
    ((struct run_record *)made(&w))->state = RUN_SUCCESS; /* it ended elsewhere */
    world_crash(&w);
    trigger(&w);
    CHECK_STR(state_of(&w, "t"), "success");
    CHECK_INT(task_of(&w, "t")->try_number, 1);
    CHECK_INT(world_count_runs(&w, "b", 0), 1);
    world_done(&w);
}
