/* The tables that an attempt really touched. */
#include "tests/unit/executor/sql_cases.h"

TEST(what_a_function_touched_is_told_too)
{
    sql_begin("touched");
    postgres_run(db, "CREATE SCHEMA s; CREATE TABLE s.\"U 2\" (v int); CREATE TABLE w (v int);"
                     "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'insert into public.w"
                     " select v from s.\"U 2\"'");
    rig_sql(rig, "insert into t select count(*) from pg_class; select f(); select * from t");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_SUCCESS);
    CHECK(contains(result.detail,
        "\"touched\":{\"wrote\":[\"public.t\",\"public.w\"],\"read\":[\"s.\\\"U 2\\\"\"]}"));
    CHECK(
        contains(rig_log(rig, rig_last(rig)), "touched: wrote public.t, public.w; read s.\"U 2\""));
    CHECK(contains(postgres_value(db, "SELECT body FROM dag.result"), "\"touched\""));
    sql_finish();
}

TEST(definitions_count_as_written_and_nothing_is_asked_of_a_text_without_tables)
{
    sql_begin("defines");
    rig_sql(rig, "alter table t add column w int; create table public.u (v int);"
                 "insert into public.u values (1)");
    struct attempt_result result = rig_run(rig);
    CHECK(contains(result.detail, "\"wrote\":[\"public.t\",\"public.u\"],\"read\":[]"));
    rig->generation = 1;
    rig_write(rig, "select 1");
    result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_SUCCESS);
    CHECK(!strstr(result.detail, "touched"));
    sql_finish();
}

TEST(without_a_ledger_the_log_says_what_is_lost)
{
    sql_begin("off");
    rig->connection.ledger = false;
    rig_sql(rig, "insert into t values (1)");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK(contains(rig_log(rig, rig_last(rig)), "`ledger: false`: at least once"));
    sql_finish();
}
