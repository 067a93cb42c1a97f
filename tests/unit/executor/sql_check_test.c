/* The checks of SQL tasks, against a real PostgreSQL. */
#include "tests/unit/executor/sql_cases.h"

static struct sql_check checks[4];

static struct task *task_with(const char *sql, size_t count)
{
    struct task *task = rig_sql(rig, sql);
    task->sql.checks = checks;
    task->sql.check_count = count;
    for (size_t i = 0; i < count; i++) {
        checks[i].line = (uint32_t)(10 + i);
        checks[i].column = 5;
        if (checks[i].kind != CHECK_SQL && !checks[i].table.value)
            checks[i].table.value = "t";
    }
    return task;
}

static struct attempt_result run_with(const char *sql, size_t count)
{
    task_with(sql, count);
    return rig_run(rig);
}

#define NAMES(...)                                                                                 \
    {                                                                                              \
        (const char *const[]){__VA_ARGS__},                                                        \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)                      \
    }

static struct sql_check row_count(const char *condition)
{
    return (struct sql_check){.kind = CHECK_ROW_COUNT, .condition = {.value = condition}};
}

static void check_failed(const struct attempt_result *result, const char *message)
{
    CHECK_INT(result->outcome, OUTCOME_FAILED);
    CHECK_INT(result->error_class, CLASS_SQL);
    CHECK_STR(result->sqlstate, "P0004");
    CHECK(contains(result->message, message));
    CHECK_INT(sql_rows(), 0);
    CHECK_INT(postgres_number(db, "SELECT count(*) FROM dag.claim"), 0);
}

TEST(checks_that_hold_leave_a_success_and_their_numbers)
{
    sql_begin("holds");
    CLEANUP(json_decrefp) json_t *values = json_pack("{s:[i,i,n]}", "v", 1, 2);
    checks[0] = row_count("= 2");
    checks[1] = (struct sql_check){.kind = CHECK_NOT_NULL, .columns = NAMES("v")};
    checks[2] = (struct sql_check){.kind = CHECK_UNIQUE, .columns = NAMES("V")};
    checks[3] =
        (struct sql_check){.kind = CHECK_ACCEPTED_VALUES, .columns = NAMES("v"), .values = values};
    struct attempt_result result = run_with("insert into t values (1), (2)", 4);
    CHECK_INT(result.outcome, OUTCOME_SUCCESS);
    CHECK_STR(result.message, NULL);
    CHECK_INT(sql_rows(), 2);
    CHECK(contains(result.detail, "{\"check\":\"row_count\",\"place\":\"dags/d.yaml:10:5\","
                                  "\"table\":\"t\",\"severity\":\"error\",\"holds\":true,"
                                  "\"rows\":2,"));
    CHECK(contains(postgres_value(db, "SELECT body FROM dag.result"), "\"accepted_values\""));
    CHECK(contains(rig_log(rig, rig_last(rig)), "check 2/4 holds"));
    sql_finish();
}

TEST(a_check_that_fails_takes_everything_back)
{
    sql_begin("fails");
    checks[0] = row_count("> 3");
    struct attempt_result result = run_with("insert into t values (1), (2)", 1);
    check_failed(&result, "check failed: `t` has 2 rows, and > 3 is asked for (SQLSTATE P0004)");
    CHECK_STR(result.place, "dags/d.yaml:10:5");
    CHECK(contains(result.detail, "\"holds\":false,\"rows\":2"));
    checks[0] = row_count("> 1");
    CHECK_INT(run_with("insert into t values (1), (2)", 1).outcome, OUTCOME_SUCCESS);
    sql_finish();
}

TEST(the_rows_to_blame_are_counted_and_a_few_are_shown)
{
    sql_begin("blame");
    postgres_run(db, "CREATE TABLE u (n int, \"Kind\" text, day date)");
    CLEANUP(json_decrefp)
    json_t *values = json_pack("{s:[s,s], s:[s]}", "\"Kind\"", "walk", "it's", "day", "2007-04-12");
    checks[0] = (struct sql_check){.kind = CHECK_NOT_NULL,
        .table.value = "public.u",
        .where.value = "n >= 7 -- and on",
        .columns = NAMES("\"Kind\"", "day")};
    checks[1] = (struct sql_check){
        .kind = CHECK_UNIQUE, .table.value = "u", .columns = NAMES("\"Kind\"", "day")};
    checks[2] = (struct sql_check){.kind = CHECK_ACCEPTED_VALUES,
        .table.value = "U",
        .columns = NAMES("\"Kind\"", "day"),
        .values = values};
    struct attempt_result result =
        run_with("insert into u select n, case when n < 8 then 'walk' end, date '2007-04-12' +"
                 " n / 9 from generate_series(1, 16) n",
            3);
    check_failed(&result, "check failed: 9 rows of `public.u` have NULL in `\"Kind\"`, `day` where "
                          "n >= 7 -- and on (SQLSTATE P0004)");
    CHECK(contains(result.message, "{\"Kind\":null,\"day\":\"2007-04-12\",\"n\":8}"));
    CHECK(!strstr(result.message, "\"n\":14}"));
    CHECK(contains(result.message, "dags/d.yaml:11:5: check failed: 7 rows of `u` are duplicates "
                                   "in `\"Kind\"`, `day`"));
    CHECK(contains(result.message, "{\"Kind\":\"walk\",\"day\":\"2007-04-12\",\"count\":7}"));
    CHECK(contains(result.message, "8 rows of `U` have values that are not accepted in"));
    sql_finish();
}

TEST(a_query_must_give_true_in_every_row)
{
    static const struct {
        const char *sql, *message;
    } cases[] = {{"select count(*) = 9 from t", "of 1 rows of the query 1 do not give true"},
        {"select v > 1, v from t", "of 2 rows of the query 1 do not give true"},
        {"select true where false", "the query gives no row"},
        {"select null::bool", "of 1 rows of the query 1 do not give true"},
        {"select 't'", "do not give true"}, {"select 1", "do not give true"},
        {"delete from t", "the query gives no row"}};
    sql_begin("query");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        checks[0] = (struct sql_check){.kind = CHECK_SQL, .condition.value = cases[i].sql};
        struct attempt_result result = run_with("insert into t values (1), (2)", 1);
        check_failed(&result, cases[i].message);
    }
    checks[0] = (struct sql_check){.kind = CHECK_SQL, .condition.value = "select v > 0 from t;"};
    CHECK_INT(run_with("insert into t values (1), (2)", 1).outcome, OUTCOME_SUCCESS);
    sql_finish();
}

TEST(a_warning_does_not_fail_the_task_and_is_told)
{
    sql_begin("warns");
    checks[0] = row_count("0");
    checks[0].warns = true;
    struct attempt_result result = run_with("insert into t values (1)", 1);
    CHECK_INT(result.outcome, OUTCOME_SUCCESS);
    CHECK_STR(result.message, "a check warned: `t` has 1 row, and 0 is asked for");
    CHECK(contains(rig_log(rig, rig_last(rig)), "notice check 1/1 WARNING: `t` has 1 row"));
    CHECK_INT(sql_rows(), 1);
    sql_finish();
}

TEST(an_error_in_a_check_is_shown_where_the_user_wrote_it)
{
    sql_begin("errors");
    checks[0] = row_count("0");
    checks[0].where = (struct text){.value = "v =\n  nowhere", .line = 20, .column = 9};
    struct attempt_result result = run_with("insert into t values (1)", 1);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_STR(result.sqlstate, "42703");
    CHECK_STR(result.place, "dags/d.yaml:21:3");
    CHECK(contains(result.message, "a check: column \"nowhere\" does not exist"));
    checks[0] = (struct sql_check){.kind = CHECK_UNIQUE, .columns = NAMES("gone")};
    result = run_with("insert into t values (1)", 1);
    CHECK_STR(result.sqlstate, "42703");
    CHECK_STR(result.place, "dags/d.yaml:10:5");
    CHECK_INT(sql_rows(), 0);
    sql_finish();
}

TEST(nothing_gets_out_of_a_condition)
{
    static const char *const wheres[] = {
        "true); commit; select (true", "true) ; drop table t; --", "'open", "/* open"};
    sql_begin("inside");
    for (size_t i = 0; i < ARRAY_SIZE(wheres); i++) {
        checks[0] = row_count("0");
        checks[0].where.value = wheres[i];
        struct attempt_result result = run_with("insert into t values (1)", 1);
        CHECK_INT(result.outcome, OUTCOME_FAILED);
        CHECK_STR(result.place, "dags/d.yaml:10:5");
        if (!CHECK(!strstr(rig_log(rig, rig_last(rig)), "INSERT")))
            printf("  of %s\n", wheres[i]);
    }
    checks[0] = (struct sql_check){.kind = CHECK_SQL, .condition.value = "commit"};
    CHECK_INT(run_with("insert into t values (1)", 1).outcome, OUTCOME_FAILED);
    CHECK_INT(sql_rows(), 0);
    sql_finish();
}

TEST(the_table_is_the_only_one_that_is_written)
{
    sql_begin("only");
    postgres_run(db, "CREATE TABLE u (v int)");
    checks[0] = row_count("1");
    task_with("create temp table x as select 5 as v; insert into public.T select x.v from x, u;"
              "create table y (v int); insert into y values (1); drop table y",
        1);
    checks[0].table.value = NULL;
    check_failed(
        (struct attempt_result[]){rig_run(rig)}, "`public.t` has 0 rows, and 1 is asked for");
    task_with("insert into t values (1); delete from u", 1);
    checks[0].table.value = NULL;
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK(contains(
        result.message, "the check does not say of which table: the task writes `t`, `u`"));
    CHECK_INT(sql_rows(), 0);
    sql_finish();
}

TEST(the_table_is_the_one_that_writes_names)
{
    sql_begin("writes");
    checks[0] = row_count("1");
    struct task *task = task_with("select 1", 1);
    checks[0].table.value = NULL;
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK(contains(result.message, "the check does not say of which table"));
    CHECK_STR(result.place, "dags/d.yaml:10:5");
    task->data = &(struct data_keys){.writes = NAMES("t")};
    check_failed((struct attempt_result[]){rig_run(rig)}, "`t` has 0 rows, and 1 is asked for");
    sql_finish();
}

static bool is_checking(struct rig *r, void *user)
{
    (void)r;
    (void)user;
    return postgres_number(db, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                               " AND query LIKE '%is null%'") == 1;
}

TEST(a_check_can_be_cancelled)
{
    sql_begin("cancelcheck");
    checks[0] =
        (struct sql_check){.kind = CHECK_SQL, .condition.value = "select pg_sleep(60) is null"};
    task_with("insert into t values (1)", 1);
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    REQUIRE(rig_until(rig, is_checking, NULL, 20));
    rig_cancel(rig, &effect, false);
    CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_CANCELLED);
    CHECK_INT(sql_rows(), 0);
    CHECK_INT(sql_backends(&effect), 0);
    sql_finish();
}
