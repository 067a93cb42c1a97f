/* SQL tasks with `transaction: false`: what may have run is never run again by itself. */
#include "tests/unit/executor/sql_cases.h"

static struct task *task_of(const char *sql)
{
    struct task *task = rig_sql(rig, sql);
    task->sql.transaction = false;
    return task;
}

TEST(what_refuses_a_transaction_runs_without_one)
{
    static const char *const texts[] = {"vacuum t", "create index concurrently on t (v)",
        "create database other_%d", "reindex table concurrently t"};
    sql_begin("refuses");
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        rig->generation = (int64_t)(10 * i);
        rig_sql(rig, texts[i]);
        struct attempt_result result = rig_run(rig);
        if (i != 2) {
            CHECK_STR(result.sqlstate, "25001");
            CHECK_INT(result.outcome, OUTCOME_FAILED);
            CHECK(!result.new_generation);
        }
        rig->generation++;
        task_of(i == 2 ? "create database other" : texts[i]);
        result = rig_run(rig);
        if (!CHECK_INT(result.outcome, OUTCOME_SUCCESS))
            printf("  of %s: %s\n", texts[i], result.message);
        CHECK(rig_run(rig).committed_before);
    }
    sql_finish();
}

TEST(an_error_that_the_server_reported_asks_for_a_new_generation)
{
    sql_begin("reported");
    task_of("insert into t values (1); select 1/0; insert into t values (2)");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_STR(result.sqlstate, "22012");
    CHECK(result.new_generation);
    CHECK(!result.may_commit);
    CHECK_INT(sql_rows(), 1);
    CHECK(contains(rig_log(rig, rig_last(rig)), "what ran before the error stays (statements done: "
                                                "1); a retry begins a new generation"));
    /* Without one it may have run, and is told so. */
    result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_PARTLY);
    CHECK(contains(result.message, "claimed the task and left no result"));
    rig->generation = 5;
    rig_write(rig, "insert into t values (2)");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK_INT(sql_rows(), 2);
    sql_finish();
}

TEST(an_error_before_the_claim_asks_for_none)
{
    sql_begin("before");
    task_of("insert into t values (1)");
    postgres_run(db, "CREATE SCHEMA dag; CREATE TABLE dag.ledger (a int)");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK(!result.new_generation);
    CHECK_INT(sql_rows(), 0);
    sql_finish();
}

static struct attempt_result lose_it(bool ledger)
{
    rig->connection.ledger = ledger;
    task_of("insert into t values (1); select pg_sleep(60)");
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    REQUIRE(rig_until(rig, sql_is_sleeping, &effect, 20));
    postgres_run(db, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE "
                     "'%pg_sleep%' AND pid <> pg_backend_pid()");
    return rig_wait(rig, &effect.attempt);
}

TEST(a_connection_that_is_lost_means_that_it_may_have_run)
{
    sql_begin("lost");
    for (int ledger = 0; ledger < 2; ledger++) {
        struct attempt_result result = lose_it(ledger);
        CHECK_INT(result.outcome, OUTCOME_PARTLY);
        CHECK(contains(result.message, "may have run"));
        CHECK(!result.new_generation);
    }
    CHECK_INT(sql_rows(), 2);
    sql_finish();
}

static struct attempt_result crash_it(bool ledger)
{
    rig->connection.ledger = ledger;
    task_of("insert into t values (1); select pg_sleep(60)");
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    REQUIRE(rig_until(rig, sql_is_sleeping, &effect, 20));
    struct attempt_record record = rig_record(rig, &effect);
    rig_restart(rig);
    executor_recover(rig->ex, &record, &rig->dag, &rig->run);
    return rig_wait(rig, &effect.attempt);
}

TEST(after_a_crash_it_may_have_run)
{
    sql_begin("crash");
    for (int ledger = 0; ledger < 2; ledger++) {
        struct attempt_result result = crash_it(ledger);
        if (!CHECK_INT(result.outcome, OUTCOME_PARTLY))
            printf("  with%s ledger\n", ledger ? "" : "out");
    }
    sql_finish();
}

TEST(checks_come_behind_and_take_nothing_back)
{
    static struct sql_check check = {.kind = CHECK_ROW_COUNT, .condition.value = "0", .line = 9};
    sql_begin("checks");
    struct task *task = task_of("insert into t values (1)");
    task->sql.checks = &check;
    task->sql.check_count = 1;
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_STR(result.sqlstate, "P0004");
    CHECK(result.new_generation);
    CHECK_INT(sql_rows(), 1);
    sql_finish();
}
