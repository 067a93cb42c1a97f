/* The trigger rule vectors, observed on real Airflow (tests/vectors/trigger_rules/README.md). */
#include "base/json.h"
#include "scheduler/simulate.h"
#include "tests/unit/scheduler/build.h"

static json_t *read_cases(void)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct slice text;
    struct error err;
    json_t *tree = NULL;
    REQUIRE_OK(file_read(DAG_SOURCE_DIR "/tests/vectors/trigger_rules/cases.json", 16 << 20, arena,
                   &text, &err),
        &err);
    REQUIRE_OK(json_parse(text.p, text.size, "cases.json", &tree, &err), &err);
    return tree;
}

static size_t read_outcomes(
    const json_t *outcomes, struct arena *arena, struct simulate_outcome **ret)
{
    *ret = arena_array(arena, struct simulate_outcome, json_object_size(outcomes));
    const char *key;
    json_t *value;
    size_t count = 0;
    json_object_foreach((json_t *)outcomes, key, value)
    {
        (*ret)[count].task_id = key;
        REQUIRE(task_state_parse(json_string_value(value), &(*ret)[count++].state));
    }
    return count;
}

/* How many states differ from the ones that Airflow gave. */
static size_t differences(const json_t *c, const struct simulated_run *run, bool tell)
{
    size_t count = 0;
    const char *id = json_string_value(json_object_get(c, "id"));
    const char *want = json_string_value(json_object_get(c, "run_state"));
    if (!str_equal(run_state_name(run->state), want)) {
        count++;
        if (tell)
            fprintf(stderr, "%s: the run is %s, not %s\n", id, run_state_name(run->state), want);
    }
    for (size_t n = 0; n < run->task_count; n++) {
        const struct simulated_task *task = &run->tasks[n];
        want = json_string_value(json_object_get(json_object_get(c, "tasks"), task->task_id));
        if (str_equal(task_state_name(task->state), want))
            continue;
        count++;
        if (tell)
            fprintf(stderr, "%s: %s is %s, not %s (%s)\n", id, task->task_id,
                task_state_name(task->state), want, task->reason_text);
    }
    return count;
}

static struct dag *play_case(const json_t *c, struct arena *arena, struct simulation *ret)
{
    const char *id = json_string_value(json_object_get(c, "id"));
    struct dag *dag = dag_build(id, json_string_value(json_object_get(c, "yaml")));
    struct simulate_outcome *outcomes;
    struct simulate_options options = {.from_us = TIME_NONE, .to_us = TIME_NONE};
    options.outcome_count = read_outcomes(json_object_get(c, "outcomes"), arena, &outcomes);
    options.outcomes = outcomes;
    struct error err;
    REQUIRE_OK(simulate(dag, &options, arena, ret, &err), &err);
    REQUIRE(ret->run_count == 1);
    return dag;
}

static size_t play(const json_t *c, bool tell)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct simulation result;
    struct dag *dag = play_case(c, arena, &result);
    size_t count = differences(c, &result.runs[0], tell);
    dag_unref(dag);
    return count;
}

struct tally {
    size_t cases, differing;
};

static struct tally play_class(const char *class, bool tell)
{
    json_t *tree = read_cases();
    struct tally tally = {0};
    size_t n;
    json_t *c;
    json_array_foreach(json_object_get(tree, "cases"), n, c)
    {
        if (!str_equal(json_string_value(json_object_get(c, "class")), class))
            continue;
        tally.cases++;
        tally.differing += play(c, tell) > 0;
    }
    json_decref(tree);
    return tally;
}

TEST(rules_over_upstreams_in_every_state_are_as_in_airflow)
{
    struct tally tally = play_class("matrix", true);
    CHECK_INT(tally.cases, 120);
    CHECK_INT(tally.differing, 0);
}

TEST(random_dags_end_as_in_airflow)
{
    struct tally tally = play_class("random", true);
    CHECK_INT(tally.cases, 200);
    CHECK_INT(tally.differing, 0);
}

TEST(setups_and_teardowns_end_as_in_airflow)
{
    struct tally tally = play_class("setup-teardown", true);
    CHECK_INT(tally.cases, 38);
    CHECK_INT(tally.differing, 0);
}

/* The first task that ends differently (files name upstreams before downstreams). */
static const struct simulated_task *first_difference(
    const json_t *c, const struct simulated_run *run, const char **ret_want)
{
    for (size_t n = 0; n < run->task_count; n++) {
        *ret_want =
            json_string_value(json_object_get(json_object_get(c, "tasks"), run->tasks[n].task_id));
        if (!str_equal(task_state_name(run->tasks[n].state), *ret_want))
            return &run->tasks[n];
    }
    return NULL;
}

static bool is_skip_that_a_failure_overrides(
    const struct dag *dag, const struct simulated_task *task, const char *want)
{
    return dag_find_task(dag, task->task_id)->trigger_rule == RULE_ALL_SUCCESS &&
           str_equal(want, "skipped") && task->state == TASK_UPSTREAM_FAILED;
}

TEST(where_airflow_goes_by_the_order_of_finishes_a_skip_waits_and_a_failure_wins)
{
    json_t *tree = read_cases();
    size_t n, cases = 0, differing = 0;
    json_t *c;
    json_array_foreach(json_object_get(tree, "cases"), n, c)
    {
        if (!str_equal(json_string_value(json_object_get(c, "class")), "timing"))
            continue;
        cases++;
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct simulation result;
        struct dag *dag = play_case(c, arena, &result);
        const char *want;
        const struct simulated_task *task = first_difference(c, &result.runs[0], &want);
        differing += task != NULL;
        CHECK(!task || is_skip_that_a_failure_overrides(dag, task, want));
        dag_unref(dag);
    }
    CHECK_INT(cases, 75);
    CHECK(differing > 0);
    json_decref(tree);
}
