/* Deadlines: noted once when they are missed, never for what ended in time. */
#include "tests/unit/scheduler/world.h"

static struct deadline from_start(int64_t us)
{
    return (struct deadline){.kind = DEADLINE_START, .after_us = us};
}

static struct deadline from_logical(int64_t us)
{
    return (struct deadline){.kind = DEADLINE_LOGICAL, .after_us = us};
}

static struct deadline typical(double factor)
{
    return (struct deadline){.kind = DEADLINE_TYPICAL, .factor = factor};
}

static struct dag *with_run_deadline(struct deadline deadline)
{
    struct dag *dag = dag_build("d", "a: {bash: 1}\n");
    dag_set_deadline(dag, deadline);
    return dag;
}

static void trigger(struct world *w)
{
    world_pass(w, US_PER_SECOND);
    CHECK_INT(world_trigger(w, "d", w->now.wall_us), OK);
    struct attempt_under_way *a = world_attempt(w, "a");
    REQUIRE(a != NULL);
    world_started(w, a);
}

static void end(struct world *w, const char *task_id, enum attempt_outcome outcome)
{
    struct attempt_under_way *a = world_attempt(w, task_id);
    REQUIRE(a != NULL);
    world_end(w, a, &(struct attempt_result){.outcome = outcome, .exit_code = -1});
}

TEST(a_clock_that_is_set_forward_brings_the_deadline_with_it)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, with_run_deadline(from_start(2 * US_PER_HOUR)));
    trigger(&w);
    w.now.wall_us += 3 * US_PER_HOUR;
    world_tick(&w);
    CHECK_INT(w.missed.count, 1);
    world_done(&w);
}

TEST(a_run_that_a_mark_reopens_does_not_tell_its_deadline_again)
{
    struct world w;
    const char *task = "a";
    struct dag *dag = dag_build("d", "a: {bash: 1}\nb: {bash: 1, depends_on: [a]}\n");
    dag_set_deadline(dag, from_start(US_PER_HOUR));
    world_init(&w, NULL);
    world_adopt(&w, dag);
    trigger(&w);
    world_advance(&w, 2 * US_PER_HOUR);
    CHECK_INT(w.missed.count, 1);
    end(&w, "a", OUTCOME_FAILED);
    struct run_id id = world_last_run(&w)->id;
    world_load_run(&w, world_last_run(&w));
    CHECK_INT(world_request(&w, &(struct request){.kind = REQUEST_MARK,
                                    .dag_id = "d",
                                    .mark_state = TASK_SUCCESS,
                                    .runs = &id,
                                    .run_count = 1,
                                    .tasks = &task,
                                    .task_count = 1}),
        OK);
    CHECK_STR(world_run_state(&w), "running");
    world_advance(&w, US_PER_HOUR);
    CHECK_INT(w.missed.count, 1);
    world_done(&w);
}

TEST(an_index_that_comes_with_the_expansion_has_the_deadline_of_its_task)
{
    struct world w;
    struct dag *dag = dag_build("d", "m: {sql: db, expand: 1}\n");
    ((struct task *)dag->tasks)->deadline = from_logical(3 * US_PER_HOUR);
    dag->has_deadlines = true;
    world_init(&w, NULL);
    world_adopt(&w, dag);
    scheduler_set_pool(w.s, "default_pool", 1);
    CHECK_INT(world_trigger(&w, "d", w.now.wall_us), OK);
    world_expand(&w, "m", 2);
    world_advance(&w, 4 * US_PER_HOUR);
    CHECK_INT(w.missed.count, 2); /* of the one that runs, and of the one that waits for a slot */
    world_done(&w);
}

TEST(a_run_that_is_not_over_at_its_deadline_is_noted_once)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, with_run_deadline(from_start(2 * US_PER_HOUR)));
    trigger(&w);
    int64_t started_us = w.now.wall_us;
    CHECK_INT(world_last_run(&w)->deadline_us, started_us + 2 * US_PER_HOUR);
    world_advance(&w, 2 * US_PER_HOUR - 1);
    CHECK_INT(w.missed.count, 0);
    CHECK(world_last_run(&w)->deadline_missed_us == TIME_NONE);
    world_advance(&w, 1);
    REQUIRE(w.missed.count == 1);
    CHECK_STR(w.missed.at[0].run_id, world_last_run(&w)->run_id);
    CHECK(w.missed.at[0].task_id == NULL);
    CHECK_INT(w.missed.at[0].deadline_us, started_us + 2 * US_PER_HOUR);
    CHECK_INT(world_last_run(&w)->deadline_missed_us, w.now.wall_us);
    world_advance(&w, US_PER_DAY);
    world_crash(&w);
    world_advance(&w, US_PER_DAY);
    CHECK_INT(w.missed.count, 1);
    CHECK_STR(world_run_state(&w), "running");
    world_done(&w);
}

TEST(what_ended_in_time_misses_nothing)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, with_run_deadline(from_start(US_PER_HOUR)));
    trigger(&w);
    world_advance(&w, US_PER_HOUR - 1);
    end(&w, "a", OUTCOME_SUCCESS);
    world_advance(&w, US_PER_DAY);
    world_crash(&w);
    world_advance(&w, US_PER_DAY);
    CHECK_INT(w.missed.count, 0);
    CHECK(world_last_run(&w)->deadline_missed_us == TIME_NONE);
    world_done(&w);
}

TEST(a_task_has_a_deadline_from_its_first_start_that_retries_do_not_move)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, dag_build("d", "a: {bash: 1, deadline: 3600, retries: 3, retry_delay: 1800}\n"
                                   "b: {bash: 1, deadline: 60, depends_on: [a]}\n"));
    trigger(&w);
    int64_t deadline_us = w.now.wall_us + US_PER_HOUR;
    end(&w, "a", OUTCOME_FAILED);
    world_advance(&w, 45 * US_PER_MINUTE);
    world_started(&w, world_attempt(&w, "a"));
    CHECK_INT(world_task(&w, "a")->deadline_us, deadline_us);
    CHECK(world_task(&w, "b")->deadline_us == TIME_NONE);
    world_advance(&w, US_PER_HOUR);
    REQUIRE(w.missed.count == 1);
    CHECK_STR(w.missed.at[0].task_id, "a");
    CHECK_INT(w.missed.at[0].deadline_us, deadline_us);
    CHECK_INT(world_task(&w, "a")->deadline_missed_us, deadline_us);
    end(&w, "a", OUTCOME_SUCCESS);
    world_started(&w, world_attempt(&w, "b"));
    end(&w, "b", OUTCOME_SUCCESS);
    world_advance(&w, US_PER_DAY);
    CHECK_INT(w.missed.count, 1);
    world_done(&w);
}

TEST(a_deadline_that_passed_while_nobody_looked_is_told_at_the_start)
{
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = dag_build("d", "a: {bash: 1, deadline: 600}\n");
    dag_set_deadline(dag, from_start(US_PER_HOUR));
    world_adopt(&w, dag);
    trigger(&w);
    world_pass(&w, US_PER_DAY);
    world_crash(&w);
    CHECK_INT(w.missed.count, 0); /* its attempt may tell that it had ended */
    world_advance(&w, US_PER_MINUTE);
    CHECK_INT(w.missed.count, 2);
    world_crash(&w);
    world_advance(&w, US_PER_MINUTE);
    CHECK_INT(w.missed.count, 2);
    world_done(&w);
}

TEST(an_attempt_that_ended_while_nobody_looked_is_believed)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, with_run_deadline(from_start(US_PER_HOUR)));
    trigger(&w);
    world_pass(&w, US_PER_DAY);
    world_crash(&w);
    world_pass(&w, US_PER_SECOND);
    end(&w, "a", OUTCOME_SUCCESS);
    world_advance(&w, US_PER_DAY);
    CHECK_INT(w.missed.count, 0);
    world_done(&w);
}

TEST(from_the_logical_date_counts_also_while_the_run_waits)
{
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = dag_build("d", "a: {bash: 1}\n");
    dag_set_schedule(dag, "@daily", "2029-12-31", NULL);
    dag_set_deadline(dag, from_logical(26 * US_PER_HOUR));
    dag->max_active_runs = 1;
    world_adopt(&w, dag);
    world_advance(&w, 2 * US_PER_HOUR);
    REQUIRE(w.missed.count == 1);
    CHECK_INT(w.missed.at[0].deadline_us, time_of("2030-01-01T02:00:00"));
    world_advance(&w, US_PER_DAY); /* the next run waits behind the first */
    CHECK_STR(world_run_state(&w), "queued");
    REQUIRE(w.missed.count == 2);
    CHECK_INT(w.missed.at[1].deadline_us, time_of("2030-01-02T02:00:00"));
    world_done(&w);
}

TEST(dates_of_long_ago_that_are_made_up_are_not_late)
{
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = dag_build("d", "a: {bash: 1, deadline_logical: 93600}\n");
    dag_set_schedule(dag, "@daily", "2029-12-20", NULL);
    dag->catchup = CATCHUP_ALL;
    dag_set_deadline(dag, from_logical(26 * US_PER_HOUR));
    world_adopt(&w, dag);
    CHECK_INT(world_trigger(&w, "d", time_of("2029-12-01")), OK);
    world_advance(&w, 3 * US_PER_HOUR);
    REQUIRE(w.missed.count == 2); /* of the newest date: the run and its task */
    CHECK_STR(w.missed.at[0].run_id, "scheduled__2029-12-31T00:00:00+00:00");
    CHECK_STR(w.missed.at[1].task_id, "a");
    world_done(&w);
}

TEST(a_newest_date_whose_run_is_made_late_is_told)
{
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = with_run_deadline(from_logical(30 * US_PER_HOUR));
    dag_set_schedule(dag, "@daily", "2029-12-31", NULL);
    w.now.wall_us = time_of("2030-01-01T09:00:00");
    world_adopt(&w, dag);
    world_tick(&w);
    CHECK_INT(w.missed.count, 1);
    world_done(&w);
}

TEST(a_clear_begins_a_deadline_from_start_anew_and_not_one_from_the_date)
{
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = dag_build("d", "a: {bash: 1, deadline: 600}\n");
    dag_set_schedule(dag, "@daily", "2029-12-31", NULL);
    dag_set_deadline(dag, from_logical(25 * US_PER_HOUR));
    world_adopt(&w, dag);
    world_started(&w, world_attempt(&w, "a"));
    world_advance(&w, 2 * US_PER_HOUR);
    CHECK_INT(w.missed.count, 2);
    end(&w, "a", OUTCOME_FAILED);
    struct run_id run = world_last_run(&w)->id;
    world_load_run(&w, world_last_run(&w));
    CHECK_INT(
        world_request(&w,
            &(struct request){.kind = REQUEST_CLEAR, .dag_id = "d", .runs = &run, .run_count = 1}),
        OK);
    CHECK(world_task(&w, "a")->deadline_us == TIME_NONE);
    world_started(&w, world_attempt(&w, "a"));
    world_advance(&w, 2 * US_PER_HOUR);
    REQUIRE(w.missed.count == 3);
    CHECK_STR(w.missed.at[2].task_id, "a");
    world_done(&w);
}

TEST(a_cleared_run_that_waits_for_its_turn_is_not_late)
{
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = with_run_deadline(from_start(US_PER_HOUR));
    dag->max_active_runs = 1;
    world_adopt(&w, dag);
    trigger(&w);
    struct run_id first = world_last_run(&w)->id;
    end(&w, "a", OUTCOME_FAILED);
    trigger(&w);
    world_load_run(&w, map_get(w.runs, key_of(&w, first.v, NULL)));
    CHECK_INT(world_request(&w,
                  &(struct request){
                      .kind = REQUEST_CLEAR, .dag_id = "d", .runs = &first, .run_count = 1}),
        OK);
    world_advance(&w, 3 * US_PER_HOUR);
    REQUIRE(w.missed.count == 1);
    CHECK_STR(w.missed.at[0].run_id, world_last_run(&w)->run_id);
    world_done(&w);
}

/* Runs of so many minutes each, one after the other. */
static void run_for(struct world *w, const int *minutes, size_t count)
{
    for (size_t n = 0; n < count; n++) {
        trigger(w);
        world_advance(w, minutes[n] * US_PER_MINUTE);
        end(w, "a", OUTCOME_SUCCESS);
    }
}

TEST(typical_is_a_factor_of_the_median_of_past_successes)
{
    static const int minutes[] = {10, 12, 11, 300, 9};
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = dag_build("d", "a: {bash: 1, typical: 3}\n");
    dag_set_deadline(dag, typical(2));
    world_adopt(&w, dag);
    trigger(&w);
    CHECK(world_last_run(&w)->deadline_us == TIME_NONE); /* nothing is known yet */
    world_advance(&w, US_PER_DAY);
    end(&w, "a", OUTCOME_FAILED);
    run_for(&w, minutes, ARRAY_SIZE(minutes));
    CHECK_INT(w.missed.count, 2); /* the one of five hours: run and task */
    w.missed.count = 0;
    trigger(&w);
    int64_t started_us = w.now.wall_us;
    CHECK_INT(world_last_run(&w)->deadline_us, started_us + 22 * US_PER_MINUTE);
    CHECK_INT(world_task(&w, "a")->deadline_us, started_us + 33 * US_PER_MINUTE);
    world_advance(&w, 30 * US_PER_MINUTE);
    CHECK_INT(w.missed.count, 1);
    world_done(&w);
}

TEST(durations_are_loaded_and_those_of_milliseconds_have_room)
{
    struct world w;
    struct error err;
    world_init(&w, NULL);
    world_adopt(&w, with_run_deadline(typical(2)));
    const struct past_duration past[] = {
        {NULL, 1000}, {NULL, 5000}, {"a", US_PER_HOUR}, {NULL, 2000}, {NULL, US_PER_DAY}};
    REQUIRE_OK(scheduler_load_durations(w.s, "d", past, 2, &err), &err);
    trigger(&w);
    CHECK(world_last_run(&w)->deadline_us == TIME_NONE); /* two are too few */
    REQUIRE_OK(scheduler_load_durations(w.s, "d", past, 4, &err), &err);
    trigger(&w);
    CHECK_INT(world_last_run(&w)->deadline_us, w.now.wall_us + 10 * US_PER_SECOND);
    CHECK_INT(scheduler_load_durations(w.s, "nobody", past, 4, &err), ERR_NOT_FOUND);
    world_done(&w);
}

TEST(a_deadline_beyond_time_is_none)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, with_run_deadline(from_start(INT64_MAX)));
    trigger(&w);
    CHECK(world_last_run(&w)->deadline_us == TIME_NONE);
    world_done(&w);
}
