/* Scheduled runs: catch-up, clocks, pauses. */
#include "tests/unit/scheduler/world.h"

static struct dag *daily(enum catchup catchup, const char *start, const char *end)
{
    struct dag *dag = dag_build("d", "a: {bash: 1}\n");
    dag_set_schedule(dag, "@daily", start, end);
    dag->catchup = catchup;
    return dag;
}

/* The world's clock stands at 2030-01-01T00:00 and all attempts succeed at once. */
static void drain(struct world *w)
{
    for (int n = 0; w->under_way.count; n++) {
        REQUIRE(n < 1000);
        world_end(w, &w->under_way.at[0],
            &(struct attempt_result){.outcome = OUTCOME_SUCCESS, .exit_code = -1});
    }
}

TEST(catchup_latest_runs_the_newest_complete_interval_only)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, daily(CATCHUP_LATEST, "2029-12-01", NULL));
    CHECK_INT(world_count_runs(&w, "d", 0), 1);
    const struct run_record *run = world_last_run(&w);
    CHECK_STR(run->run_id, "scheduled__2029-12-31T00:00:00+00:00");
    CHECK_INT(run->interval_start_us, time_of("2029-12-31"));
    CHECK_INT(run->interval_end_us, time_of("2030-01-01"));
    CHECK_INT(run->run_after_us, time_of("2030-01-01"));
    CHECK_STR(run->triggered_by, "scheduler");
    world_done(&w);
}

TEST(catchup_all_runs_every_interval_since_start_date_in_order)
{
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = daily(CATCHUP_ALL, "2029-12-01", NULL);
    dag->max_active_runs = 1;
    world_adopt(&w, dag);
    int64_t last_us = 0;
    for (int n = 0; n < 31; n++) {
        struct attempt_under_way *a = world_attempt(&w, "a");
        REQUIRE(a != NULL);
        CHECK(a->logical_us > last_us);
        last_us = a->logical_us;
        CHECK(world_count_runs(&w, "d", 1u << RUN_QUEUED) <= 16);
        world_end_task(&w, "a", OUTCOME_SUCCESS);
    }
    CHECK(world_attempt(&w, "a") == NULL);
    CHECK_INT(last_us, time_of("2029-12-31"));
    CHECK_INT(world_count_runs(&w, "d", 0), 31);
    world_done(&w);
}

TEST(catchup_none_starts_with_the_interval_that_ends_next)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, daily(CATCHUP_NONE, "2029-12-01", NULL));
    CHECK_INT(world_count_runs(&w, "d", 0), 0);
    world_advance(&w, 24 * US_PER_HOUR);
    CHECK_INT(world_count_runs(&w, "d", 0), 1);
    CHECK_STR(world_last_run(&w)->run_id, "scheduled__2030-01-01T00:00:00+00:00");
    world_done(&w);
}

TEST(an_interval_runs_exactly_when_it_has_ended)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, daily(CATCHUP_LATEST, "2030-01-01", NULL));
    world_advance(&w, 24 * US_PER_HOUR - 1);
    CHECK_INT(world_count_runs(&w, "d", 0), 0);
    world_advance(&w, 1);
    CHECK_INT(world_count_runs(&w, "d", 0), 1);
    drain(&w);
    world_advance(&w, 10 * 24 * US_PER_HOUR);
    drain(&w);
    CHECK_INT(world_count_runs(&w, "d", 0), 11);
    world_done(&w);
}

TEST(after_a_stop_latest_makes_up_one_interval_all_makes_up_all_and_none_none)
{
    static const struct {
        enum catchup catchup;
        size_t runs;
    } cases[] = {{CATCHUP_LATEST, 1}, {CATCHUP_ALL, 5}, {CATCHUP_NONE, 0}};
    for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
        struct world w;
        world_init(&w, NULL);
        world_adopt(&w, daily(cases[n].catchup, "2030-01-01", NULL));
        world_advance(&w, 24 * US_PER_HOUR);
        drain(&w);
        CHECK_INT(world_count_runs(&w, "d", 0), 1);
        world_pass(&w, 5 * 24 * US_PER_HOUR);
        world_crash(&w);
        drain(&w);
        CHECK_INT(world_count_runs(&w, "d", 0), 1 + cases[n].runs);
        world_advance(&w, 24 * US_PER_HOUR);
        drain(&w);
        CHECK_INT(world_count_runs(&w, "d", 0), 2 + cases[n].runs);
        world_done(&w);
    }
}

TEST(the_last_interval_is_that_of_end_date)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, daily(CATCHUP_ALL, "2029-12-01", "2029-12-03"));
    drain(&w);
    CHECK_INT(world_count_runs(&w, "d", 0), 3);
    world_advance(&w, 100 * 24 * US_PER_HOUR);
    CHECK_INT(world_count_runs(&w, "d", 0), 3);
    world_done(&w);
}

TEST(a_date_that_was_run_by_hand_is_not_run_again_by_the_schedule)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, daily(CATCHUP_ALL, "2030-01-01", NULL));
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-03")) == OK);
    drain(&w);
    world_crash(&w);
    world_advance(&w, 5 * 24 * US_PER_HOUR);
    drain(&w);
    CHECK_INT(world_count_runs(&w, "d", 0), 5);
    CHECK_INT(world_run_at(&w, "d", time_of("2030-01-03"))->type, RUN_TYPE_MANUAL);
    CHECK_INT(world_run_at(&w, "d", time_of("2030-01-04"))->type, RUN_TYPE_SCHEDULED);
    world_done(&w);
}

static enum status set_paused(struct world *w, bool paused)
{
    return world_request(
        w, &(struct request){.kind = paused ? REQUEST_PAUSE : REQUEST_UNPAUSE, .dag_id = "d"});
}

TEST(a_pause_stops_new_scheduled_runs_and_their_new_tasks_while_work_by_hand_goes_on)
{
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = dag_build("d", "a: {bash: 1}\nb: {bash: 1, depends_on: [a]}\n");
    dag_set_schedule(dag, "@daily", "2029-12-31", NULL);
    world_adopt(&w, dag);
    CHECK_INT(set_paused(&w, true), OK);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "b"), "scheduled");
    CHECK_INT(world_task(&w, "b")->reason, REASON_WAITING_PAUSED);
    world_advance(&w, 3 * 24 * US_PER_HOUR);
    CHECK_INT(world_count_runs(&w, "d", 0), 1);
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-02")) == OK);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    world_end_task(&w, "b", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_INT(set_paused(&w, false), OK);
    REQUIRE(world_attempt(&w, "b") != NULL);
    CHECK_INT(world_attempt(&w, "b")->logical_us, time_of("2029-12-31"));
    /* latest: the newest interval is that of 2030-01-03; the 2nd was run by hand, the 1st is left
     */
    CHECK_INT(world_count_runs(&w, "d", 0), 3);
    CHECK(world_run_at(&w, "d", time_of("2030-01-03")) != NULL);
    world_done(&w);
}

TEST(a_pause_outlives_a_crash)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, daily(CATCHUP_LATEST, "2030-01-01", NULL));
    CHECK_INT(set_paused(&w, true), OK);
    world_crash(&w);
    world_advance(&w, 3 * 24 * US_PER_HOUR);
    CHECK_INT(world_count_runs(&w, "d", 0), 0);
    CHECK_INT(set_paused(&w, false), OK);
    CHECK_INT(world_count_runs(&w, "d", 0), 1);
    world_done(&w);
}

TEST(a_dag_whose_file_is_gone_makes_no_runs_until_it_is_back)
{
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = daily(CATCHUP_LATEST, "2030-01-01", NULL);
    world_adopt(&w, dag);
    world_apply(&w, &(struct event){.kind = EVENT_DAG_REMOVED, .dag_id = "d"});
    world_advance(&w, 2 * 24 * US_PER_HOUR);
    CHECK_INT(world_count_runs(&w, "d", 0), 0);
    CHECK_INT(world_trigger(&w, "d", time_of("2030-01-01")), ERR_DAG_FILE_GONE);
    world_apply(&w, &(struct event){.kind = EVENT_DAG_ADOPTED, .dag = dag});
    CHECK_INT(world_count_runs(&w, "d", 0), 1);
    world_done(&w);
}

TEST(a_dag_whose_file_is_back_at_a_restart_makes_runs_again)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, daily(CATCHUP_LATEST, "2030-01-01", NULL));
    world_apply(&w, &(struct event){.kind = EVENT_DAG_REMOVED, .dag_id = "d"});
    const struct dag_record *row = map_get(w.dags, "d");
    CHECK(row->removed);
    world_crash(&w);
    row = map_get(w.dags, "d");
    CHECK(!row->removed);
    world_advance(&w, 2 * 24 * US_PER_HOUR);
    CHECK_INT(world_count_runs(&w, "d", 0), 2);
    world_done(&w);
}

TEST(a_clock_that_jumps_ahead_holds_the_schedules_for_a_minute)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, daily(CATCHUP_ALL, "2030-01-01", NULL));
    w.now.wall_us += 3650 * US_PER_DAY;
    world_tick(&w);
    CHECK_INT(w.jumps, 1);
    CHECK_INT(world_count_runs(&w, "d", 0), 0);
    world_advance(&w, 30 * US_PER_SECOND);
    w.now.wall_us -= 3650 * US_PER_DAY;
    world_tick(&w);
    CHECK_INT(w.jumps, 2);
    world_advance(&w, 2 * US_PER_MINUTE);
    CHECK_INT(world_count_runs(&w, "d", 0), 0);
    world_advance(&w, US_PER_DAY);
    CHECK_INT(world_count_runs(&w, "d", 0), 1);
    world_done(&w);
}

TEST(a_clock_that_stays_ahead_is_believed_after_the_minute)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, daily(CATCHUP_LATEST, "2030-01-01", NULL));
    w.now.wall_us += 3 * US_PER_DAY;
    world_tick(&w);
    CHECK_INT(world_count_runs(&w, "d", 0), 0);
    world_advance(&w, US_PER_MINUTE);
    CHECK_INT(world_count_runs(&w, "d", 0), 1);
    world_done(&w);
}

TEST(a_clock_set_back_makes_no_date_twice)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, daily(CATCHUP_ALL, "2030-01-01", NULL));
    world_advance(&w, US_PER_DAY);
    drain(&w);
    w.now.wall_us -= 2 * US_PER_HOUR;
    world_tick(&w);
    world_advance(&w, 5 * US_PER_HOUR);
    CHECK_INT(world_count_runs(&w, "d", 0), 1);
    world_done(&w);
}

TEST(a_small_correction_of_the_clock_moves_the_schedules_timer)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, daily(CATCHUP_LATEST, "2030-01-01", NULL));
    world_advance(&w, 12 * US_PER_HOUR);
    w.now.wall_us += 2 * US_PER_MINUTE;
    world_tick(&w);
    CHECK_INT(w.jumps, 0);
    world_advance(&w, 12 * US_PER_HOUR - 2 * US_PER_MINUTE);
    CHECK_INT(world_count_runs(&w, "d", 0), 1);
    world_done(&w);
}

TEST(continuous_makes_its_next_run_when_the_last_one_has_ended)
{
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = dag_build("d", "a: {bash: 1}\n");
    dag_set_schedule(dag, "@continuous", NULL, NULL);
    dag->max_active_runs = 1;
    world_adopt(&w, dag);
    CHECK_INT(world_count_runs(&w, "d", 0), 1);
    world_advance(&w, US_PER_HOUR);
    CHECK_INT(world_count_runs(&w, "d", 0), 1);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_INT(world_count_runs(&w, "d", 0), 2);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_INT(world_count_runs(&w, "d", 0), 2);
    world_advance(&w, US_PER_SECOND);
    CHECK_INT(world_count_runs(&w, "d", 0), 3);
    world_done(&w);
}

TEST(once_runs_once)
{
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = dag_build("d", "a: {bash: 1}\n");
    dag_set_schedule(dag, "@once", "2030-01-02", NULL);
    world_adopt(&w, dag);
    CHECK_INT(world_count_runs(&w, "d", 0), 0);
    world_advance(&w, US_PER_DAY);
    CHECK_INT(world_count_runs(&w, "d", 0), 1);
    drain(&w);
    world_crash(&w);
    world_advance(&w, 10 * US_PER_DAY);
    CHECK_INT(world_count_runs(&w, "d", 0), 1);
    world_done(&w);
}

TEST(an_edited_schedule_goes_on_where_the_last_interval_ended)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, daily(CATCHUP_ALL, "2030-01-01", NULL));
    world_advance(&w, US_PER_DAY);
    drain(&w);
    struct dag *hourly = dag_build("d", "a: {bash: 1}\n");
    dag_set_schedule(hourly, "0 */6 * * *", "2030-01-01", NULL);
    hourly->catchup = CATCHUP_ALL;
    world_adopt(&w, hourly);
    world_advance(&w, 12 * US_PER_HOUR);
    drain(&w);
    CHECK_INT(world_count_runs(&w, "d", 0), 3);
    const struct run_record *run = world_run_at(&w, "d", time_of("2030-01-02"));
    REQUIRE(run != NULL);
    CHECK_INT(run->interval_end_us, time_of("2030-01-02T06:00:00"));
    world_done(&w);
}

TEST(a_dag_can_be_born_paused)
{
    struct world w;
    world_init(&w, &(struct scheduler_options){.seed = 1, .paused_upon_creation = true});
    world_adopt(&w, daily(CATCHUP_ALL, "2029-01-01", NULL));
    CHECK_INT(world_count_runs(&w, "d", 0), 0);
    const struct dag_record *row = map_get(w.dags, "d");
    REQUIRE(row != NULL);
    CHECK(row->paused);
    world_done(&w);
}
