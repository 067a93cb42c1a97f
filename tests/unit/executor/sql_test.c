/* SQL attempts against a real PostgreSQL. */
#include "executor/executor.h"
#include "tests/unit/executor/postgres.h"
#include "tests/unit/executor/rig.h"
#include "tests/unit/test.h"

static struct rig *rig;
static PGconn *db;

/* A database and an executor for one test. */
static void begin(const char *name)
{
    const char *uri = postgres_database(name);
    rig = rig_new(uri);
    db = postgres_connect(uri);
    postgres_run(db, "CREATE TABLE t (v int)");
}

static void end(void)
{
    rig_free(rig);
    PQfinish(db);
}

static int64_t rows(void)
{
    return postgres_number(db, "SELECT count(*) FROM t");
}

static bool contains(const char *text, const char *part)
{
    bool found = text && strstr(text, part);
    if (!found)
        fprintf(stderr, "  \"%s\" is not in:\n%s\n", part, text ? text : "(null)");
    return found;
}

TEST(a_task_commits_its_rows_with_claim_and_result)
{
    begin("commits");
    rig_sql(rig, "insert into t values (1), (2);\ninsert into t select 3;");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_SUCCESS);
    CHECK_STR(result.message, NULL);
    CHECK_INT(rows(), 3);
    CHECK_INT(rig->started, 1);
    CHECK_INT(postgres_number(db, "SELECT count(*) FROM dag.claim WHERE NOT void"), 1);
    CHECK_STR(postgres_value(db, "SELECT attempt FROM dag.result"), rig_last(rig)->attempt.text);
    CHECK_STR(postgres_value(db, "SELECT logical_date AT TIME ZONE 'UTC' FROM dag.result"),
        "2007-04-12 00:00:00");
    CHECK(contains(result.detail, "\"tag\":\"INSERT 0 2\""));
    CHECK(contains(rig_log(rig, rig_last(rig)), "1/2 INSERT 0 2"));
    end();
}

TEST(a_failed_statement_leaves_nothing_and_the_retry_runs_it_all)
{
    begin("retries");
    rig_sql(rig, "insert into t values (1);\ninsert into t select 1 / (select count(*) from u);");
    postgres_run(db, "CREATE TABLE u (v int)");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_INT(result.error_class, CLASS_SQL);
    CHECK_STR(result.sqlstate, "22012");
    CHECK_STR(result.place, "templates/t.sql:2:1");
    CHECK(!result.may_commit);
    CHECK(contains(result.message, "division by zero (SQLSTATE 22012)"));
    CHECK_INT(rows(), 0);
    CHECK_INT(postgres_number(db, "SELECT count(*) FROM dag.claim"), 0);
    postgres_run(db, "INSERT INTO u VALUES (1)");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK_INT(rows(), 2);
    end();
}

TEST(a_task_that_has_committed_is_not_run_again)
{
    begin("once");
    struct task *task = rig_sql(rig, "insert into t values (7) returning v");
    task->sql.result = RESULT_SCALAR;
    struct attempt_result first = rig_run(rig);
    CHECK_STR(first.xcom, "7");
    struct attempt_result again = rig_run(rig);
    CHECK_INT(again.outcome, OUTCOME_SUCCESS);
    CHECK(again.committed_before);
    CHECK_STR(again.xcom, "7");
    CHECK_INT(again.started_us, first.started_us);
    CHECK_INT(rows(), 1);
    rig->generation = 77;
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK_INT(rows(), 2);
    end();
}

TEST(transaction_control_is_refused_before_anything_is_sent)
{
    static const char *const texts[] = {"insert into t values (1);\n  commit;", "begin; select 1",
        "ROLLBACK", "insert into t values (1); end", "abort", "start transaction",
        "prepare transaction 'x'", "commit and chain", "/* a */ Commit Prepared 'x'"};
    begin("control");
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        rig_sql(rig, texts[i]);
        struct attempt_result result = rig_run(rig);
        CHECK_INT(result.outcome, OUTCOME_FAILED);
        CHECK_STR(result.sqlstate, "2D000");
        CHECK(contains(result.message, "one transaction of dag's own"));
        if (i == 0)
            CHECK_STR(result.place, "templates/t.sql:2:3");
    }
    CHECK_INT(rows(), 0);
    rig_sql(rig, "savepoint a; insert into t values (1); rollback to a; release a;"
                 "insert into t values (2)");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK_INT(rows(), 1);
    end();
}

TEST(a_commit_inside_a_procedure_is_the_databases_own_error)
{
    begin("inner");
    rig_sql(rig, "insert into t values (1);\ndo $$\nbegin\n  commit;\nend $$");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_STR(result.sqlstate, "2D000");
    CHECK_STR(result.place, "templates/t.sql:4:3");
    CHECK_INT(rows(), 0);
    end();
}

TEST(a_generation_that_was_made_void_is_superseded)
{
    begin("void");
    rig_sql(rig, "insert into t values (1)");
    struct effect effect = rig_effect(rig);
    struct event answer = rig_void(rig, &effect);
    CHECK_INT(answer.void_outcome, VOID_INSERTED);
    CHECK_STR(answer.attempt.text, effect.attempt.text);
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUPERSEDED);
    CHECK_INT(rows(), 0);
    CHECK_INT(rig_void(rig, &effect).void_outcome, VOID_INSERTED); /* again: it is void already */
    end();
}

TEST(a_void_that_comes_too_late_gives_the_result_back)
{
    begin("late");
    struct task *task = rig_sql(rig, "insert into t values (5) returning v, 'x' as w");
    task->sql.result = RESULT_ROW;
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    struct event answer = rig_void(rig, rig_last(rig));
    CHECK_INT(answer.void_outcome, VOID_COMMITTED);
    CHECK_STR(answer.result->xcom, "{\"v\":5,\"w\":\"x\"}");
    CHECK(answer.result->ended_us > 0);
    end();
}

/* Whether the attempt's statement is under way on the server. */
static bool is_running(struct rig *r, void *user)
{
    (void)r;
    char sql[256];
    snprintf(sql, sizeof(sql),
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '%s' AND state = 'active'"
        " AND query LIKE '%%pg_sleep%%'",
        ((struct effect *)user)->attempt.text);
    return postgres_number(db, sql) == 1;
}

static struct effect start_sleeping(const char *sql)
{
    rig_sql(rig, sql);
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    REQUIRE(rig_until(rig, is_running, &effect, 20));
    return effect;
}

TEST(a_void_ends_the_attempt_that_still_runs)
{
    begin("voidrun");
    struct effect effect = start_sleeping("insert into t values (1); select pg_sleep(60)");
    CHECK_INT(rig_void(rig, &effect).void_outcome, VOID_INSERTED);
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_INT(result.error_class, CLASS_CONNECT);
    CHECK(!result.may_commit);
    CHECK_INT(rows(), 0);
    end();
}
