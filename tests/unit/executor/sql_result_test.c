/* What of a SQL task's rows becomes its XCom. */
#include "base/json.h"
#include "tests/unit/executor/sql_cases.h"

static struct attempt_result run_for(enum sql_result result, const char *sql)
{
    rig_sql(rig, sql)->sql.result = result;
    rig->generation++;
    return rig_run(rig);
}

TEST(the_last_result_set_counts_also_when_it_is_empty)
{
    static const struct {
        enum sql_result result;
        const char *sql, *xcom;
    } cases[] = {
        {RESULT_SCALAR, "select 1; select 2; insert into t values (3)", "2"},
        {RESULT_SCALAR, "select 1; insert into t values (4) returning v", "4"},
        {RESULT_SCALAR, "select 1; select 2 where false", "null"},
        {RESULT_SCALAR, "select 5, 6 union all select 7, 8", "5"},
        {RESULT_SCALAR, "insert into t values (1)", "null"},
        {RESULT_ROW, "select 1 as a, 'x' as b", "{\"a\":1,\"b\":\"x\"}"},
        {RESULT_ROW, "select 1 as a where false", "null"},
        {RESULT_ROWS, "select 1 as a union all select 2", "[{\"a\":1}, {\"a\":2}]"},
        {RESULT_ROWS, "select 1 as a; select 2 as b where false", "[]"},
        {RESULT_ROWS, "insert into t values (1)", "[]"},
        {RESULT_NONE, "select 1", NULL},
    };
    sql_begin("last");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct attempt_result result = run_for(cases[i].result, cases[i].sql);
        CHECK_INT(result.outcome, OUTCOME_SUCCESS);
        if (!CHECK_STR(result.xcom, cases[i].xcom))
            printf("  of %s\n", cases[i].sql);
    }
    sql_finish();
}

TEST(every_type_can_be_read_again)
{
    static const struct {
        const char *sql, *xcom;
    } cases[] = {{"select 1::int2", "1"}, {"select 9223372036854775807", "9223372036854775807"},
        {"select 9223372036854775808::numeric", "\"9223372036854775808\""},
        {"select 0.10::numeric", "0.10"}, {"select 1e300::float8", "1e+300"},
        {"select repeat('9', 400)::numeric / 10.0 > 0", "true"},
        {"select 'NaN'::float8", "\"NaN\""}, {"select '-Infinity'::float4", "\"-Infinity\""},
        {"select null::int", "null"}, {"select 'a\"b'", "\"a\\\"b\""},
        {"select '{\"a\": [1, null]}'::jsonb", "{\"a\": [1, null]}"},
        {"select '{\"a\": 1, \"a\": 2}'::json", "\"{\\\"a\\\": 1, \\\"a\\\": 2}\""},
        {"select '[12345678901234567890]'::json", "\"[12345678901234567890]\""},
        {"select date '2007-04-12'", "\"2007-04-12\""}, {"select array[1, 2]", "\"{1,2}\""}};
    sql_begin("types");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct attempt_result result = run_for(RESULT_SCALAR, cases[i].sql);
        if (!CHECK_STR(result.xcom, cases[i].xcom))
            printf("  of %s\n", cases[i].sql);
        result = rig_run(rig); /* the same generation reads it back from the ledger */
        CHECK_INT(result.outcome, OUTCOME_SUCCESS);
        CHECK(result.committed_before);
    }
    sql_finish();
}

TEST(a_result_that_is_too_large_fails_the_task_and_takes_nothing_of_memory)
{
    sql_begin("large");
    struct attempt_result result = run_for(RESULT_ROWS,
        "insert into t values (1);\nselect generate_series(1, 1000000000) as n, repeat('x', 100)");
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_STR(result.sqlstate, "54000");
    CHECK_STR(result.place, "templates/t.sql:2:1");
    CHECK(contains(result.message, "larger than an XCom may be (1 MiB as JSON)"));
    CHECK_INT(sql_rows(), 0);
    result = run_for(RESULT_SCALAR, "select repeat('x', 2000000)");
    CHECK_STR(result.sqlstate, "54000");
    sql_finish();
}

TEST(only_the_last_result_has_to_fit)
{
    sql_begin("fits");
    struct attempt_result result = run_for(RESULT_ROWS,
        "select n, repeat('x', 100) as text from generate_series(1, 20000) n; select 1 as a");
    CHECK_INT(result.outcome, OUTCOME_SUCCESS);
    CHECK_STR(result.xcom, "[{\"a\":1}]");
    result = run_for(RESULT_ROWS, "select n, repeat('x', 100) as text from"
                                  " generate_series(1, 20000) n;\ninsert into t values (1)");
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_STR(result.place, "templates/t.sql:1:1");
    CHECK_INT(sql_rows(), 0);
    sql_finish();
}

TEST(columns_of_an_object_have_names_of_their_own)
{
    sql_begin("names");
    struct attempt_result result = run_for(RESULT_ROW, "select 1, 2");
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK(contains(result.message, "the result has two columns called `?column?`"));
    CHECK_STR(run_for(RESULT_SCALAR, "select 1, 2").xcom, "1");
    sql_finish();
}
