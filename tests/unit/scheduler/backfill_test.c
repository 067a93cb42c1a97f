/* Backfills. */
#include "tests/unit/scheduler/world.h"

static struct dag *daily(const char *tasks)
{
    struct dag *dag = dag_build("d", tasks);
    dag_set_schedule(dag, "@daily", "2029-01-01", NULL);
    dag->catchup = CATCHUP_NONE;
    return dag;
}

static void start(struct world *w, const char *tasks, int max_active_runs)
{
    world_init(w, NULL);
    struct dag *dag = daily(tasks);
    dag->max_active_runs = max_active_runs;
    world_adopt(w, dag);
}

/* What the daemon adds to a request from the store. */
static enum status ask(struct world *w, struct backfill_record range, bool dry_run)
{
    struct known_date *dates;
    size_t count = dates_from(w, "d", INT64_MIN, &dates);
    int64_t *existing = arena_array(w->arena, int64_t, count);
    enum run_state *states = arena_array(w->arena, enum run_state, count);
    for (size_t n = 0; n < count; n++) {
        existing[n] = dates[n].logical_us;
        states[n] = dates[n].state;
    }
    return world_request(w, &(struct request){.kind = REQUEST_BACKFILL,
                                .dag_id = "d",
                                .backfill = range,
                                .dry_run = dry_run,
                                .existing = existing,
                                .existing_state = states,
                                .existing_count = count});
}

static struct backfill_record range(const char *from, const char *to)
{
    return (struct backfill_record){
        .from_us = time_of(from), .to_us = time_of(to), .only = "missing"};
}

/* Ends all attempts, answering wishes for finished runs as the daemon does. */
static void play(struct world *w, enum attempt_outcome outcome)
{
    for (int n = 0; n < 10000; n++) {
        if (w->load_wishes) {
            w->load_wishes--;
            const struct run_record *run = world_run_at(w, "d", w->wished_us);
            if (run)
                world_load_run(w, run);
            world_apply(
                w, &(struct event){
                       .kind = EVENT_RUN_LOADED, .dag_id = "d", .logical_us = w->wished_us});
        } else if (w->under_way.count) {
            world_end(w, &w->under_way.at[0],
                &(struct attempt_result){.outcome = outcome, .exit_code = -1});
        } else {
            return;
        }
    }
    REQUIRE(!"an end");
}

static const struct backfill_record *only_backfill(struct world *w)
{
    size_t cursor = 0;
    void *value = NULL;
    map_next(w->backfills, &cursor, NULL, &value);
    return value;
}

TEST(a_backfill_makes_every_missing_date_once_oldest_first)
{
    struct world w;
    start(&w, "a: {bash: 1}\n", 1);
    REQUIRE(world_trigger(&w, "d", time_of("2029-06-03")) == OK);
    play(&w, OUTCOME_SUCCESS);
    CHECK_INT(ask(&w, range("2029-06-01", "2029-06-05"), false), OK);
    CHECK_INT(world_attempt(&w, "a")->logical_us, time_of("2029-06-01"));
    CHECK_INT(world_count_runs(&w, "d", 1u << RUN_RUNNING), 1);
    play(&w, OUTCOME_SUCCESS);
    CHECK_INT(world_count_runs(&w, "d", 1u << RUN_SUCCESS), 5);
    CHECK_STR(world_run_at(&w, "d", time_of("2029-06-05"))->run_id,
        "backfill__2029-06-05T00:00:00+00:00");
    const struct backfill_record *b = only_backfill(&w);
    CHECK(b->finished);
    CHECK_INT(b->created_count, 4);
    CHECK_INT(b->cursor_us, TIME_NONE);
    CHECK_INT(scheduler_count(w.s).backfills, 0);
    world_done(&w);
}

TEST(a_backfill_has_its_own_cap_when_it_names_one)
{
    struct world w;
    start(&w, "a: {bash: 1}\n", 1);
    struct backfill_record r = range("2029-06-01", "2029-06-10");
    r.max_active_runs = 3;
    CHECK_INT(ask(&w, r, false), OK);
    CHECK_INT(world_count_runs(&w, "d", 1u << RUN_RUNNING), 3);
    CHECK_INT(world_count_runs(&w, "d", 0), 3);
    REQUIRE(world_trigger(&w, "d", time_of("2029-07-01")) == OK);
    CHECK_STR(world_run_state(&w), "running");
    play(&w, OUTCOME_SUCCESS);
    CHECK_INT(world_count_runs(&w, "d", 1u << RUN_SUCCESS), 11);
    world_done(&w);
}

TEST(in_reverse_the_newest_date_is_first)
{
    struct world w;
    start(&w, "a: {bash: 1}\n", 1);
    struct backfill_record r = range("2029-06-01", "2029-06-04");
    r.reverse = true;
    CHECK_INT(ask(&w, r, false), OK);
    int64_t expected_us = time_of("2029-06-04");
    for (int n = 0; n < 4; n++, expected_us -= US_PER_DAY) {
        CHECK_INT(world_attempt(&w, "a")->logical_us, expected_us);
        world_end_task(&w, "a", OUTCOME_SUCCESS);
    }
    CHECK(only_backfill(&w)->finished);
    world_done(&w);
}

TEST(a_crash_in_the_middle_of_a_backfill_loses_and_doubles_nothing)
{
    struct world w;
    start(&w, "a: {bash: 1}\nb: {bash: 1, depends_on: [a]}\n", 2);
    CHECK_INT(ask(&w, range("2029-06-01", "2029-06-20"), false), OK);
    for (int n = 0; n < 200 && !only_backfill(&w)->finished; n++) {
        world_crash(&w);
        if (w.under_way.count)
            world_end(&w, &w.under_way.at[0],
                &(struct attempt_result){.outcome = OUTCOME_SUCCESS, .exit_code = -1});
        CHECK(world_count_runs(&w, "d", 1u << RUN_RUNNING) <= 2);
    }
    CHECK(only_backfill(&w)->finished);
    CHECK_INT(world_count_runs(&w, "d", 1u << RUN_SUCCESS), 20);
    CHECK_INT(world_count_runs(&w, "d", 0), 20);
    CHECK_INT(w.starts, 40);
    world_done(&w);
}

TEST(with_failed_only_failed_dates_are_run_again_and_only_what_failed_in_them)
{
    struct world w;
    start(&w,
        "ok: {bash: 1}\nbad: {bash: 1, depends_on: [ok]}\nafter: {bash: 1, depends_on: [bad]}\n",
        1);
    CHECK_INT(ask(&w, range("2029-06-01", "2029-06-02"), false), OK);
    world_end_task(&w, "ok", OUTCOME_SUCCESS);
    world_end_task(&w, "bad", OUTCOME_FAILED);
    play(&w, OUTCOME_SUCCESS);
    CHECK_INT(world_run_at(&w, "d", time_of("2029-06-01"))->state, RUN_FAILED);
    w.starts = 0;
    struct backfill_record r = range("2029-06-01", "2029-06-05");
    r.only = "failed";
    CHECK_INT(ask(&w, r, false), OK);
    CHECK(w.load_wishes > 0);
    play(&w, OUTCOME_SUCCESS);
    CHECK_INT(w.starts, 2);
    CHECK_INT(world_count_runs(&w, "d", 0), 2);
    const struct run_record *run = world_run_at(&w, "d", time_of("2029-06-01"));
    CHECK_INT(run->state, RUN_SUCCESS);
    CHECK(world_task_of(&w, run->id, "bad")->generation != 0);
    CHECK_INT(world_task_of(&w, run->id, "ok")->generation, 0);
    world_done(&w);
}

TEST(with_all_every_date_is_run_again_and_missing_ones_are_made)
{
    struct world w;
    start(&w, "a: {bash: 1}\n", 1);
    CHECK_INT(ask(&w, range("2029-06-01", "2029-06-02"), false), OK);
    play(&w, OUTCOME_SUCCESS);
    struct backfill_record r = range("2029-06-01", "2029-06-03");
    r.only = "all";
    CHECK_INT(ask(&w, r, false), OK);
    play(&w, OUTCOME_SUCCESS);
    CHECK_INT(world_count_runs(&w, "d", 0), 3);
    CHECK_INT(w.starts, 5);
    world_done(&w);
}

TEST(a_date_whose_run_is_under_way_is_left_alone)
{
    struct world w;
    start(&w, "a: {bash: 1}\n", 16);
    REQUIRE(world_trigger(&w, "d", time_of("2029-06-02")) == OK);
    struct backfill_record r = range("2029-06-02", "2029-06-02");
    r.only = "all";
    CHECK_INT(ask(&w, r, false), OK);
    CHECK_INT(w.starts, 1);
    CHECK(only_backfill(&w)->finished);
    world_done(&w);
}

TEST(a_dry_run_names_the_dates_and_changes_nothing)
{
    struct world w;
    start(&w, "a: {bash: 1}\n", 1);
    size_t changes = w.changes;
    CHECK_INT(ask(&w, range("2029-06-01", "2029-06-02"), true), OK);
    CHECK_INT(w.changes, changes);
    CHECK_STR(w.reply.outcome,
        "{\"dates\":[\"2029-06-01T00:00:00+00:00\",\"2029-06-02T00:00:00+00:00\"],"
        "\"count\":2,\"left_out\":0,\"more\":false}");
    CHECK_INT(scheduler_count(w.s).backfills, 0);
    world_done(&w);
}

TEST(mistakes_in_a_backfill_are_refused)
{
    struct world w;
    start(&w, "a: {bash: 1, depends_on_past: true}\n", 1);
    CHECK_INT(ask(&w, range("2029-06-02", "2029-06-01"), false), ERR_INVALID);
    struct backfill_record r = range("2029-06-01", "2029-06-02");
    r.only = "some";
    CHECK_INT(ask(&w, r, false), ERR_INVALID);
    r = range("2029-06-01", "2029-06-02");
    r.reverse = true;
    CHECK_INT(ask(&w, r, false), ERR_INVALID);
    CHECK(strstr(w.reply.outcome, "depends_on_past") != NULL);
    world_adopt(&w, dag_build("m", "a: {bash: 1}\n"));
    struct request request = {
        .kind = REQUEST_BACKFILL, .dag_id = "m", .backfill = range("2029-06-01", "2029-06-02")};
    CHECK_INT(world_request(&w, &request), ERR_WITHOUT_SCHEDULE);
    CHECK_INT(scheduler_count(w.s).backfills, 0);
    world_done(&w);
}

TEST(a_cancelled_backfill_makes_no_more_runs)
{
    struct world w;
    start(&w, "a: {bash: 1}\n", 1);
    CHECK_INT(ask(&w, range("2029-06-01", "2029-06-10"), false), OK);
    struct request cancel = {
        .kind = REQUEST_CANCEL, .dag_id = "d", .backfill = {.id = only_backfill(&w)->id}};
    CHECK_INT(world_request(&w, &cancel), OK);
    play(&w, OUTCOME_SUCCESS);
    CHECK_INT(world_count_runs(&w, "d", 0), 1);
    CHECK(only_backfill(&w)->finished);
    world_done(&w);
}

TEST(a_backfill_goes_on_while_the_dag_is_paused)
{
    struct world w;
    start(&w, "a: {bash: 1}\n", 1);
    CHECK_INT(world_request(&w, &(struct request){.kind = REQUEST_PAUSE, .dag_id = "d"}), OK);
    CHECK_INT(ask(&w, range("2029-06-01", "2029-06-03"), false), OK);
    play(&w, OUTCOME_SUCCESS);
    CHECK_INT(world_count_runs(&w, "d", 1u << RUN_SUCCESS), 3);
    world_done(&w);
}

TEST(a_large_backfill_of_dates_that_exist_goes_on_in_steps)
{
    struct world w;
    start(&w, "a: {bash: 1}\n", 16);
    struct backfill_record r = range("2029-01-01", "2029-10-01");
    CHECK_INT(ask(&w, r, false), OK);
    play(&w, OUTCOME_SUCCESS);
    CHECK(only_backfill(&w)->finished);
    size_t made = world_count_runs(&w, "d", 0);
    CHECK_INT(made, 274);
    CHECK_INT(ask(&w, r, false), OK);
    world_advance(&w, US_PER_MINUTE);
    CHECK_INT(scheduler_count(w.s).backfills, 0);
    CHECK_INT(world_count_runs(&w, "d", 0), made);
    world_done(&w);
}

TEST(scheduled_runs_and_a_backfill_share_a_cap_of_one)
{
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = dag_build("d", "a: {bash: 1}\n");
    dag_set_schedule(dag, "@daily", "2029-12-01", NULL);
    dag->catchup = CATCHUP_ALL;
    dag->max_active_runs = 1;
    world_adopt(&w, dag);
    CHECK_INT(ask(&w, range("2029-12-20", "2029-12-25"), false), OK);
    bool backfill_early = false;
    for (int n = 0; n < 8; n++) {
        world_end_task(&w, "a", OUTCOME_SUCCESS);
        backfill_early |= str_starts(world_last_run(&w)->run_id, "backfill");
        CHECK_INT(world_count_runs(&w, "d", 1u << RUN_RUNNING), 1);
    }
    CHECK(backfill_early);
    play(&w, OUTCOME_SUCCESS);
    CHECK_INT(world_count_runs(&w, "d", 1u << RUN_SUCCESS), 31);
    world_done(&w);
}

TEST(a_live_run_of_long_ago_is_not_made_again)
{
    struct world w;
    start(&w, "a: {bash: 1}\n", 16);
    REQUIRE(world_trigger(&w, "d", time_of("2029-01-05")) == OK);
    for (int n = 0; n < 100; n++) /* the schedule forgets dates that it has long passed */
        world_advance(&w, US_PER_DAY);
    CHECK_INT(ask(&w, range("2029-01-04", "2029-01-06"), false), OK);
    CHECK_STR(run_type_name(world_run_at(&w, "d", time_of("2029-01-05"))->type), "manual");
    play(&w, OUTCOME_SUCCESS);
    CHECK_INT(world_count_runs(&w, "d", 1u << RUN_RUNNING | 1u << RUN_QUEUED), 0);
    world_done(&w);
}

TEST(two_backfills_that_run_a_date_again_at_once_do_so_one_after_the_other)
{
    struct world w;
    start(&w, "a: {empty: {}}\nb: {empty: {}, depends_on: [a]}\n", 1);
    struct backfill_record all = range("2029-01-01", "2029-01-05");
    CHECK_INT(ask(&w, all, false), OK);
    play(&w, OUTCOME_SUCCESS);
    CHECK_INT(world_count_runs(&w, "d", 1u << RUN_SUCCESS), 5);
    all.only = "all";
    CHECK_INT(ask(&w, all, false), OK);
    all.max_active_runs = 2;
    CHECK_INT(ask(&w, all, false), OK);
    for (int n = 0; n < 20 && scheduler_count(w.s).backfills; n++) {
        play(&w, OUTCOME_SUCCESS);
        world_crash(&w); /* asks again for what `play` has not answered: it knows the last wish */
    }
    CHECK_INT(world_count_runs(&w, "d", 1u << RUN_SUCCESS), 5);
    CHECK_INT(scheduler_count(w.s).runs, 0);
    CHECK_INT(scheduler_count(w.s).backfills, 0);
    world_done(&w);
}
