/* What every operator must do, whatever its kind: the shared suite. */
#include "executor/operators/operator.h"

#include "tests/unit/executor/sql_cases.h"

static void make_empty(void)
{
    rig_task(rig, KIND_EMPTY);
}

static void make_sql(void)
{
    rig_sql(rig, "insert into t values (1); select pg_sleep(0.3)");
}

static void make_process(void)
{
    struct task *task = rig_task(rig, KIND_BASH);
    task->process = (struct process_task){.script = {.value = "sleep 0.3"},
        .skip_on_exit_code = 99,
        .kill_grace_us = 200 * US_PER_MS};
}

static void make_decide(void)
{
    static const char *const follows[] = {"a", "b", NULL};
    struct task *task = rig_decider(rig, KIND_BRANCH, follows);
    task->sql = (struct sql_task){
        .sql = {.value = "select 'a', pg_sleep(0.3)"}, .connection = "db", .transaction = true};
}

static void make_wait(void)
{
    struct task *task = rig_task(rig, KIND_WAIT_FOR);
    task->wait.kind = WAIT_SQL;
    task->sql = (struct sql_task){
        .sql = {.value = "select true, pg_sleep(0.3)"}, .connection = "db", .transaction = true};
}

static void make_expand(void)
{
    static const struct expand_source sources[] = {
        {.name = "a",
            .kind = EXPAND_SQL,
            .text = {.value = "select n from generate_series(1, 2) n"},
            .connection = "db"},
        {.name = "b",
            .kind = EXPAND_SQL,
            .text = {.value = "select 1, pg_sleep(0.3)"},
            .connection = "db"},
    };
    rig_task(rig, KIND_EMPTY)->expand = (struct expand){sources, ARRAY_SIZE(sources), false};
}

/* One row an operator: a kind that it serves, and a task of a third of a second (the empty one is
 * quicker). */
static const struct row {
    const struct operator* operator;
    enum task_kind kind;
    void (*make)(void);
} rows[] = {
    {&operator_empty, KIND_EMPTY, make_empty}, {&operator_sql, KIND_SQL, make_sql},
    {&operator_process, KIND_BASH, make_process}, {&operator_decide, KIND_BRANCH, make_decide},
    {&operator_wait, KIND_WAIT_FOR, make_wait},
    {&operator_expand, KIND_COUNT, make_expand}, /* of every kind */
};

static const struct row *current;

static void each(const char *name, void (*test)(void))
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char database[64];
        current = &rows[i];
        snprintf(database, sizeof(database), "%s_%zu", name, i);
        sql_begin(database);
        current->make();
        test();
        sql_finish();
    }
}

static struct effect start(void)
{
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    return effect;
}

static void spin(int turns)
{
    for (int i = 0; i < turns; i++)
        uv_run(&rig->loop, UV_RUN_NOWAIT);
}

TEST(every_kind_that_can_be_declared_so_far_has_an_operator)
{
    static const enum task_kind served[] = {KIND_EMPTY, KIND_SQL, KIND_BASH, KIND_EXEC, KIND_PYTHON,
        KIND_WAIT_FOR, KIND_BRANCH, KIND_SHORT_CIRCUIT, KIND_LATEST_ONLY};
    size_t found = 0;
    for (size_t i = 0; i < ARRAY_SIZE(served); i++)
        CHECK(operator_find(served[i]) != NULL);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        found += operator_find((enum task_kind)kind) != NULL;
    CHECK_INT(found, ARRAY_SIZE(served));
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct operator* operator= rows[i].operator;
        CHECK(rows[i].kind == KIND_COUNT || operator_find(rows[i].kind) == operator);
        CHECK(operator->name && operator->start && operator->recover && operator->cancel &&
              operator->done);
    }
}

TEST(a_kind_that_cannot_run_yet_fails_and_says_so)
{
    rig = rig_new(NULL);
    rig_task(rig, KIND_HTTP);
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK(contains(result.message, "cannot run yet"));
    rig_free(rig);
}

static void succeeds(void)
{
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_SUCCESS);
    CHECK_INT(rig->started, 1);
    CHECK(result.started_us > 0 && result.ended_us >= result.started_us);
    CHECK(contains(rig_log(rig, rig_last(rig)), "end: success"));
}

TEST(it_starts_once_and_ends_once)
{
    each("ends", succeeds);
}

/* Cancelled after so many turns of the loop: while it renders, connects, works … */
static void cancels(void)
{
    static const int turns[] = {0, 1, 3, 10, 100, 1000, 30000};
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS); /* which makes the ledger */
    for (size_t i = 0; i < ARRAY_SIZE(turns); i++) {
        size_t before = rig->ends.count;
        rig->generation++;
        struct effect effect = start();
        spin(turns[i]);
        rig_cancel(rig, &effect, false);
        rig_cancel(rig, &effect, false);
        struct attempt_result result = rig_wait(rig, &effect.attempt);
        CHECK(result.outcome == OUTCOME_CANCELLED || result.outcome == OUTCOME_SUCCESS);
        CHECK(!result.may_commit);
        rig_cancel(rig, &effect, true); /* too late: ignored */
        spin(3);
        CHECK_INT(rig->ends.count, before + 1);
    }
    CHECK_INT(sql_rows(),
        postgres_number(
            db, current->kind == KIND_SQL ? "SELECT count(*) FROM dag.result" : "SELECT 0"));
}

TEST(a_cancel_at_any_point_ends_it_once)
{
    each("cancels", cancels);
}

static void forces(void)
{
    static const int turns[] = {0, 2, 20, 300, 30000};
    for (size_t i = 0; i < ARRAY_SIZE(turns); i++) {
        rig->generation++;
        struct effect effect = start();
        spin(turns[i]);
        rig_cancel(rig, &effect, true);
        struct attempt_result result = rig_wait(rig, &effect.attempt);
        CHECK(result.outcome == OUTCOME_CANCELLED || result.outcome == OUTCOME_SUCCESS);
    }
}

TEST(a_forced_cancel_at_any_point_ends_it_once)
{
    each("forces", forces);
}

/* The daemon goes away after so many turns; the next one takes over and starts it again if it may.
 */
static void restarts(void)
{
    static const int turns[] = {0, 1, 3, 10, 100, 1000, 30000};
    for (size_t i = 0; i < ARRAY_SIZE(turns); i++) {
        rig->generation++;
        struct effect effect = start();
        spin(turns[i]);
        rig_restart(rig);
        rig->ends.count = 0;
        struct attempt_record record = rig_record(rig, &effect);
        executor_recover(rig->ex, &record, &rig->dag, &rig->run);
        struct attempt_result result = rig_wait(rig, &effect.attempt);
        CHECK(result.outcome == OUTCOME_SUCCESS || result.outcome == OUTCOME_INTERRUPTED);
        if (result.outcome == OUTCOME_INTERRUPTED)
            CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    }
    if (current->kind == KIND_SQL)
        CHECK_INT(sql_rows(), (int64_t)ARRAY_SIZE(turns));
}

TEST(a_restart_at_any_point_loses_and_repeats_nothing)
{
    each("restarts", restarts);
}

static void never_began(void)
{
    struct effect effect = rig_effect(rig);
    struct attempt_record record = rig_record(rig, &effect);
    executor_recover(rig->ex, &record, &rig->dag, &rig->run);
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK(result.outcome == (current->kind == KIND_EMPTY ? OUTCOME_SUCCESS : OUTCOME_INTERRUPTED));
    CHECK_INT(rig->started, 0);
}

TEST(what_never_began_is_interrupted)
{
    each("never", never_began);
}

static void stops(void)
{
    struct effect effect = start();
    spin(50);
    executor_stop(rig->ex, true);
    executor_stop(rig->ex, true);
    for (int i = 0; i < 3000 && executor_active(rig->ex); i++)
        uv_run(&rig->loop, UV_RUN_ONCE);
    CHECK_INT(executor_active(rig->ex), 0);
    if (rig->ends.count) {
        struct attempt_result result = rig_wait(rig, &effect.attempt);
        CHECK(result.outcome == OUTCOME_SUCCESS || result.outcome == OUTCOME_INTERRUPTED);
    } else {
        CHECK(current->operator->outlives_daemon);
    }
}

TEST(a_stop_ends_or_leaves_it)
{
    each("stops", stops);
}
