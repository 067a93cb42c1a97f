/* `dag simulate`: what would happen. */
#include "scheduler/simulate.h"
#include "tests/unit/scheduler/build.h"

static const struct simulate_options by_hand = {
    .from_us = TIME_NONE, .to_us = TIME_NONE, .now_us = 1893456000 * US_PER_SECOND};

TEST(one_run_is_printed_as_the_command_prints_it)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct dag *dag = dag_build("d", "a: {bash: 1}\nb: {bash: 1, depends_on: [a]}\n");
    struct simulate_outcome outcomes[] = {{"a", TASK_FAILED, NULL}};
    struct simulate_options options = by_hand;
    options.outcomes = outcomes;
    options.outcome_count = 1;
    struct simulation result;
    struct error err;
    REQUIRE_OK(simulate(dag, &options, arena, &result, &err), &err);
    CHECK_INT(result.run_count, 1);
    struct strbuf text = {0};
    simulated_run_json(&result.runs[0], false, &text);
    CHECK_STR(strbuf_text(&text),
        "{\"run_state\":\"failed\",\"tasks\":{\"a\":\"failed\",\"b\":\"upstream_failed\"}}");
    strbuf_clear(&text);
    simulated_run_json(&result.runs[0], true, &text);
    CHECK(strstr(strbuf_text(&text), "\"run_id\":\"manual__2030-01-01T00:00:00+00:00\"") != NULL);
    strbuf_done(&text);
    dag_unref(dag);
}

TEST(retries_are_used_up_in_virtual_time)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct dag *dag = dag_build("d", "a: {bash: 1, retries: 3, retry_delay: 3600}\n");
    struct simulate_outcome outcomes[] = {{"a", TASK_FAILED, NULL}};
    struct simulate_options options = by_hand;
    options.outcomes = outcomes;
    options.outcome_count = 1;
    struct simulation result;
    struct error err;
    REQUIRE_OK(simulate(dag, &options, arena, &result, &err), &err);
    CHECK_INT(result.runs[0].tasks[0].attempts, 4);
    CHECK_INT(result.runs[0].tasks[0].reason, REASON_RETRIES_USED_UP);
    CHECK_INT(
        result.runs[0].ended_us - result.runs[0].started_us, 3 * US_PER_HOUR + 4 * US_PER_SECOND);
    dag_unref(dag);
}

static enum status play_range(struct dag *dag, const char *from, const char *to,
    struct arena *arena, struct simulation *ret, struct error *err)
{
    struct simulate_options options = by_hand;
    options.from_us = time_of(from);
    options.to_us = time_of(to);
    return simulate(dag, &options, arena, ret, err);
}

TEST(a_range_plays_its_dates_in_order_and_within_max_active_runs)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct dag *dag = dag_build("d", "a: {bash: 1}\n");
    dag_set_schedule(dag, "@daily", "2029-01-01", NULL);
    dag->max_active_runs = 1;
    struct simulation result;
    struct error err;
    REQUIRE_OK(play_range(dag, "2029-05-01", "2029-05-10", arena, &result, &err), &err);
    CHECK_INT(result.run_count, 10);
    CHECK(!result.unfinished);
    for (size_t n = 1; n < result.run_count; n++) {
        CHECK_INT(result.runs[n].logical_us - result.runs[n - 1].logical_us, US_PER_DAY);
        CHECK(result.runs[n].started_us >= result.runs[n - 1].ended_us);
    }
    dag_unref(dag);
}

TEST(runs_that_wait_for_ever_are_told)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct dag *dag = dag_build("d", "a: {bash: 1, depends_on_past: true}\n");
    dag_set_schedule(dag, "@daily", "2029-01-01", NULL);
    struct simulate_outcome outcomes[] = {{"a", TASK_FAILED, NULL}};
    struct simulate_options options = by_hand;
    options.outcomes = outcomes;
    options.outcome_count = 1;
    options.from_us = time_of("2029-05-01");
    options.to_us = time_of("2029-05-02");
    struct simulation result;
    struct error err;
    REQUIRE_OK(simulate(dag, &options, arena, &result, &err), &err);
    CHECK(result.unfinished);
    CHECK_STR(run_state_name(result.runs[0].state), "failed");
    CHECK_STR(run_state_name(result.runs[1].state), "running");
    dag_unref(dag);
}

TEST(mistakes_are_told_with_the_nearest_name)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct dag *dag = dag_build("d", "load: {bash: 1}\n");
    struct simulate_outcome outcomes[] = {{"laod", TASK_FAILED, NULL}};
    struct simulate_options options = by_hand;
    options.outcomes = outcomes;
    options.outcome_count = 1;
    struct simulation result;
    struct error err;
    CHECK_INT(simulate(dag, &options, arena, &result, &err), ERR_NOT_FOUND);
    CHECK_STR(err.hint, "did you mean `load`?");
    outcomes[0] = (struct simulate_outcome){"load", TASK_RUNNING, NULL};
    CHECK_INT(simulate(dag, &options, arena, &result, &err), ERR_INVALID);
    CHECK_INT(
        play_range(dag, "2029-05-01", "2029-05-02", arena, &result, &err), ERR_WITHOUT_SCHEDULE);
    dag_unref(dag);
}

TEST(a_range_of_too_many_runs_is_refused)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct dag *dag = dag_build("d", "a: {bash: 1}\n");
    dag_set_schedule(dag, "* * * * *", "2020-01-01", NULL);
    struct simulation result;
    struct error err;
    CHECK_INT(play_range(dag, "2029-01-01", "2029-02-01", arena, &result, &err), ERR_LIMIT);
    dag_unref(dag);
}

TEST(a_mapped_task_is_played_as_often_as_its_lists_say)
{
    static const struct {
        const char *a, *b; /* lists; NULL: a task's XCom */
        bool zip;
        int32_t instances;
    } rows[] = {{"[1, 2, 3]", "[1, 2]", false, 6}, {"[1, 2, 3]", NULL, false, 3},
        {"[1, 2, 3]", "[4, 5, 6]", true, 3}, {NULL, NULL, false, 1}, {"[]", "[1]", false, 0}};
    for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct dag *dag =
            dag_build("d", "m: {sql: db, expand: 1}\nz: {bash: 1, depends_on: [m]}\n");
        const char *lists[] = {rows[n].a, rows[n].b};
        struct expand_source sources[2] = {{.name = "a"}, {.name = "b"}};
        json_t *trees[2] = {0};
        for (int k = 0; k < 2; k++) {
            sources[k].kind = lists[k] ? EXPAND_VALUES : EXPAND_TASK;
            if (lists[k])
                REQUIRE(json_parse(lists[k], strlen(lists[k]), NULL, &trees[k], NULL) == OK);
            sources[k].values = trees[k];
        }
        struct expand *expand = (struct expand *)&dag->tasks[0].expand;
        struct expand before = *expand;
        *expand = (struct expand){sources, 2, rows[n].zip};
        struct simulate_outcome outcome = {"m", n == 0 ? TASK_FAILED : TASK_SUCCESS, NULL};
        struct simulate_options options = {.outcomes = &outcome,
            .outcome_count = 1,
            .from_us = TIME_NONE,
            .to_us = TIME_NONE,
            .now_us = time_of("2030-01-01")};
        struct simulation simulation;
        struct error err;
        REQUIRE_OK(simulate(dag, &options, arena, &simulation, &err), &err);
        const struct simulated_task *m = &simulation.runs[0].tasks[0];
        CHECK_INT(m->instances, rows[n].instances);
        CHECK_STR(task_state_name(m->state), n == 0              ? "failed"
                                             : rows[n].instances ? "success"
                                                                 : "skipped");
        CHECK_STR(run_state_name(simulation.runs[0].state), n == 0 ? "failed" : "success");
        *expand = before;
        dag_unref(dag);
        for (int k = 0; k < 2; k++)
            json_decref(trees[k]);
    }
}

static enum status play_choice(struct dag *dag, struct simulate_outcome outcome,
    struct arena *arena, struct simulation *ret, struct error *err)
{
    struct simulate_options options = by_hand;
    options.outcomes = &outcome;
    options.outcome_count = 1;
    return simulate(dag, &options, arena, ret, err);
}

TEST(a_branch_chooses_all_unless_its_outcome_says_what)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct dag *dag = dag_build("d", "choose: {branch: 1}\na: {bash: 1, depends_on: [choose]}\n"
                                     "b: {bash: 1, depends_on: [choose]}\n");
    struct simulation result;
    struct error err;
    struct simulate_outcome outcome = {"choose", TASK_SUCCESS, NULL};
    REQUIRE_OK(play_choice(dag, outcome, arena, &result, &err), &err);
    CHECK_INT(result.runs[0].tasks[1].state, TASK_SUCCESS);
    CHECK_INT(result.runs[0].tasks[2].state, TASK_SUCCESS);
    outcome.choice = "b";
    REQUIRE_OK(play_choice(dag, outcome, arena, &result, &err), &err);
    CHECK_INT(result.runs[0].tasks[1].state, TASK_SKIPPED);
    CHECK_STR(result.runs[0].tasks[1].reason_text, "skipped: `choose` chose `b`");
    CHECK_INT(result.runs[0].tasks[2].state, TASK_SUCCESS);
    outcome.choice = "bb";
    CHECK_INT(play_choice(dag, outcome, arena, &result, &err), ERR_UNKNOWN_REFERENCE);
    outcome.task_id = "a";
    CHECK_INT(play_choice(dag, outcome, arena, &result, &err), ERR_INVALID);
    CHECK(strstr(err.message, "`a` decides nothing") != NULL);
    dag_unref(dag);
}

TEST(latest_only_is_decided_by_the_virtual_clock)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct dag *dag =
        dag_build("d", "newest: {latest_only: 1}\na: {bash: 1, depends_on: [newest]}\n");
    dag_set_schedule(dag, "@daily", "2029-01-01", NULL);
    struct simulation result;
    struct error err;
    REQUIRE_OK(play_range(dag, "2029-12-29", "2029-12-31", arena, &result, &err), &err);
    REQUIRE(result.run_count == 3);
    CHECK_INT(result.runs[0].tasks[1].state, TASK_SKIPPED);
    CHECK_INT(result.runs[1].tasks[1].state, TASK_SKIPPED);
    CHECK_INT(result.runs[2].tasks[1].state, TASK_SUCCESS);
    struct simulate_outcome outcome = {"newest", TASK_SUCCESS, "false"};
    REQUIRE_OK(play_choice(dag, outcome, arena, &result, &err), &err);
    CHECK_INT(result.runs[0].tasks[1].state, TASK_SKIPPED);
    dag_unref(dag);
}
