/* A whole project over a period. */
#include "scheduler/forecast.h"
#include "tests/unit/scheduler/build.h"
#include "tests/unit/parts.h"

static int64_t ten_minutes(void *context, const struct dag *dag, const struct task *task)
{
    (void)context;
    (void)dag;
    (void)task;
    return 10 * US_PER_MINUTE;
}

static struct dag *hourly(const char *dag_id, const char *tasks)
{
    struct dag *dag = dag_build(dag_id, tasks);
    dag_set_schedule(dag, "@hourly", "2029-12-01", NULL);
    return dag;
}

struct played {
    struct arena *arena;
    struct dag *dags[2];
    struct forecast forecast;
};

static void play(struct played *played, int slots)
{
    struct error err;
    struct slots_setting pool = {"default_pool", slots};
    const struct dag *dags[] = {played->dags[0], played->dags[1]};
    struct forecast_options options = {.dags = dags,
        .dag_count = played->dags[1] ? 2 : 1,
        .pools = &pool,
        .pool_count = 1,
        .from_us = time_of("2030-01-01T00:00:00"),
        .to_us = time_of("2030-01-01T03:00:00"),
        .duration_us = ten_minutes};
    played->arena = arena_new();
    REQUIRE_OK(forecast(&options, played->arena, &played->forecast, &err), &err);
}

static void done(struct played *played)
{
    dag_unref(played->dags[0]);
    dag_unref(played->dags[1]);
    arena_free(played->arena);
}

TEST(every_run_of_the_period_is_played_to_its_end)
{
    struct played p = {.dags = {hourly("d", "a: {bash: 1}\nb: {bash: 1, depends_on: [a]}\n")}};
    play(&p, 128);
    REQUIRE(p.forecast.run_count == 3);
    for (int n = 0; n < 3; n++) {
        const struct forecast_run *run = &p.forecast.runs[n];
        int64_t due_us = time_of("2030-01-01T01:00:00") + n * US_PER_HOUR;
        CHECK_INT(run->due_us, due_us);
        CHECK_INT(run->started_us, due_us);
        CHECK_INT(run->ended_us, due_us + 20 * US_PER_MINUTE);
        CHECK_INT(run->state, RUN_SUCCESS);
    }
    CHECK_INT(p.forecast.until_us, time_of("2030-01-01T03:20:00"));
    done(&p);
}

TEST(a_full_pool_makes_runs_wait_for_each_other)
{
    struct played p = {.dags = {hourly("d", "a: {bash: 1}\nb: {bash: 1}\n"),
                           hourly("e", "a: {bash: 1}\nb: {bash: 1}\n")}};
    play(&p, 1);
    REQUIRE(p.forecast.run_count == 6);
    REQUIRE(p.forecast.slots_count > 0);
    const struct forecast_slots *pool = &p.forecast.slots[0];
    CHECK_STR(pool->name, "default_pool");
    CHECK_INT(pool->total, 1);
    CHECK_INT(pool->most, 1);
    CHECK_INT(pool->most_waiting, 3);
    /* three times four tasks of ten minutes */
    double used_us = 0,
           column_us = (double)(p.forecast.until_us - time_of("2030-01-01")) / FORECAST_COLUMNS;
    for (int n = 0; n < FORECAST_COLUMNS; n++)
        used_us += pool->use[n] * column_us;
    CHECK_INT((int64_t)(used_us / (double)US_PER_MINUTE + 0.5), 120);
    CHECK_INT(p.forecast.runs[5].ended_us, time_of("2030-01-01T03:40:00"));
    done(&p);
}

TEST(runs_that_tasks_trigger_are_played_and_waited_for)
{
    struct played p = {.dags = {hourly("d", "a: {trigger_dag: e, wait: true}\n"),
                           dag_build("e", "x: {bash: 1}\n")}};
    struct task *task = (struct task *)&p.dags[0]->tasks[0];
    PARTS(task, trigger)->dag_id.value = "e";
    play(&p, 128);
    /* the last one ends after the period: it makes no further run */
    REQUIRE(p.forecast.run_count == 5);
    for (int n = 0; n < 5; n++)
        CHECK_INT(p.forecast.runs[n].state, RUN_SUCCESS);
    CHECK_STR(p.forecast.runs[0].dag_id, "d");
    CHECK_INT(p.forecast.runs[0].ended_us, time_of("2030-01-01T01:20:00"));
    CHECK_STR(p.forecast.runs[1].dag_id, "e");
    CHECK_INT(p.forecast.runs[1].ended_us, time_of("2030-01-01T01:20:00"));
    PARTS(task, trigger)->dag_id.value = NULL;
    done(&p);
}

TEST(a_date_that_has_a_run_fails_who_triggers_it_as_it_would)
{
    struct played p = {
        .dags = {hourly("d", "a: {trigger_dag: e}\n"), hourly("e", "x: {bash: 1}\n")}};
    struct task *task = (struct task *)&p.dags[0]->tasks[0];
    PARTS(task, trigger)->dag_id.value = "e";
    play(&p, 128);
    REQUIRE(p.forecast.run_count == 6);
    size_t failed = 0;
    for (int n = 0; n < 6; n++) {
        const struct forecast_run *run = &p.forecast.runs[n];
        failed += run->state == RUN_FAILED && str_equal(run->dag_id, "d");
        CHECK(run->state == RUN_SUCCESS || str_equal(run->dag_id, "d"));
    }
    CHECK_INT(failed, 2); /* the last one ends after the period, and makes no run */
    PARTS(task, trigger)->dag_id.value = NULL;
    done(&p);
}

TEST(a_paused_dag_makes_no_runs)
{
    struct played p = {.dags = {hourly("d", "a: {bash: 1}\n"), hourly("e", "a: {bash: 1}\n")}};
    p.dags[0]->paused = true;
    play(&p, 128);
    CHECK_INT(p.forecast.run_count, 3);
    CHECK_STR(p.forecast.runs[0].dag_id, "e");
    done(&p);
}
