/* SQL attempts against a real PostgreSQL. */
#include "tests/unit/executor/sql_cases.h"

TEST(a_task_commits_its_rows_with_claim_and_result)
{
    sql_begin("commits");
    rig_sql(rig, "insert into t values (1), (2);\ninsert into t select 3;");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_SUCCESS);
    CHECK_STR(result.message, NULL);
    CHECK_INT(sql_rows(), 3);
    CHECK_INT(rig->started, 1);
    CHECK_INT(postgres_number(db, "SELECT count(*) FROM dag.claim WHERE NOT void"), 1);
    CHECK_STR(postgres_value(db, "SELECT attempt FROM dag.result"), rig_last(rig)->attempt.text);
    CHECK_STR(postgres_value(db, "SELECT logical_date AT TIME ZONE 'UTC' FROM dag.result"),
        "2007-04-12 00:00:00");
    CHECK(contains(result.detail, "\"tag\":\"INSERT 0 2\""));
    CHECK(contains(rig_log(rig, rig_last(rig)), "1/2 INSERT 0 2"));
    sql_finish();
}

TEST(a_failed_statement_leaves_nothing_and_the_retry_runs_it_all)
{
    sql_begin("retries");
    rig_sql(rig, "insert into t values (1);\ninsert into t select 1 / (select count(*) from u);");
    postgres_run(db, "CREATE TABLE u (v int)");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_INT(result.error_class, CLASS_SQL);
    CHECK_STR(result.sqlstate, "22012");
    CHECK_STR(result.place, "templates/t.sql:2:1");
    CHECK(!result.may_commit);
    CHECK(contains(result.message, "division by zero (SQLSTATE 22012)"));
    CHECK_INT(sql_rows(), 0);
    CHECK_INT(postgres_number(db, "SELECT count(*) FROM dag.claim"), 0);
    postgres_run(db, "INSERT INTO u VALUES (1)");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK_INT(sql_rows(), 2);
    sql_finish();
}

TEST(a_task_that_has_committed_is_not_run_again)
{
    sql_begin("once");
    struct task *task = rig_sql(rig, "insert into t values (7) returning v");
    task->sql.result = RESULT_SCALAR;
    struct attempt_result first = rig_run(rig);
    CHECK_STR(first.xcom, "7");
    struct attempt_result again = rig_run(rig);
    CHECK_INT(again.outcome, OUTCOME_SUCCESS);
    CHECK(again.committed_before);
    CHECK_STR(again.xcom, "7");
    CHECK_INT(again.started_us, first.started_us);
    CHECK_INT(sql_rows(), 1);
    rig->generation = 77;
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK_INT(sql_rows(), 2);
    sql_finish();
}

TEST(transaction_control_is_refused_before_anything_is_sent)
{
    static const char *const texts[] = {"insert into t values (1);\n  commit;", "begin; select 1",
        "ROLLBACK", "insert into t values (1); end", "abort", "start transaction",
        "prepare transaction 'x'", "commit and chain", "/* a */ Commit Prepared 'x'"};
    sql_begin("control");
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        rig_sql(rig, texts[i]);
        struct attempt_result result = rig_run(rig);
        CHECK_INT(result.outcome, OUTCOME_FAILED);
        CHECK_STR(result.sqlstate, "2D000");
        CHECK(contains(result.message, "one transaction of dag's own"));
        if (i == 0)
            CHECK_STR(result.place, "templates/t.sql:2:3");
    }
    CHECK_INT(sql_rows(), 0);
    rig_sql(rig, "savepoint a; insert into t values (1); rollback to a; release a;"
                 "insert into t values (2)");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK_INT(sql_rows(), 1);
    sql_finish();
}

TEST(a_commit_inside_a_procedure_is_the_databases_own_error)
{
    sql_begin("inner");
    rig_sql(rig, "insert into t values (1);\ndo $$\nbegin\n  commit;\nend $$");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_STR(result.sqlstate, "2D000");
    CHECK_STR(result.place, "templates/t.sql:4:3");
    CHECK_INT(sql_rows(), 0);
    sql_finish();
}

TEST(a_generation_that_was_made_void_is_superseded)
{
    sql_begin("void");
    rig_sql(rig, "insert into t values (1)");
    struct effect effect = rig_effect(rig);
    struct event answer = rig_void(rig, &effect);
    CHECK_INT(answer.void_outcome, VOID_INSERTED);
    CHECK_STR(answer.attempt.text, effect.attempt.text);
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUPERSEDED);
    CHECK_INT(sql_rows(), 0);
    CHECK_INT(rig_void(rig, &effect).void_outcome, VOID_INSERTED); /* again: it is void already */
    sql_finish();
}

TEST(a_void_that_comes_too_late_gives_the_result_back)
{
    sql_begin("late");
    struct task *task = rig_sql(rig, "insert into t values (5) returning v, 'x' as w");
    task->sql.result = RESULT_ROW;
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    struct event answer = rig_void(rig, rig_last(rig));
    CHECK_INT(answer.void_outcome, VOID_COMMITTED);
    CHECK_STR(answer.result->xcom, "{\"v\":5,\"w\":\"x\"}");
    CHECK(answer.result->ended_us > 0);
    sql_finish();
}

TEST(a_void_ends_the_attempt_that_still_runs)
{
    sql_begin("voidrun");
    struct effect effect = sql_start_sleeping("insert into t values (1); select pg_sleep(60)");
    CHECK_INT(rig_void(rig, &effect).void_outcome, VOID_INSERTED);
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_INT(result.error_class, CLASS_CONNECT);
    CHECK(!result.may_commit);
    CHECK_INT(sql_rows(), 0);
    sql_finish();
}
