/* What a SQL attempt says: places, notices, results, odd statements. */
#include "tests/unit/executor/sql_cases.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "executor/attempt_log.h"
#include "executor/attempt_sql.h"

/* A failing text and where its error is. */
static struct attempt_result fails(const char *sql, const char *sqlstate, const char *place)
{
    rig_sql(rig, sql);
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_STR(result.sqlstate, sqlstate);
    CHECK_STR(result.place, place);
    return result;
}

TEST(an_error_is_shown_at_its_place_in_the_template)
{
    sql_begin("places");
    struct attempt_result result = fails(
        "select 1;\n\nselect 'ä{{ ds }}' as d, nix\nfrom t;", "42703", "templates/t.sql:3:26");
    CHECK(contains(result.message, "    3 | select 'ä{{ ds }}' as d, nix"));
    CHECK(contains(result.message, "rendered line 3 | select 'ä2007-04-12' as d, nix"));
    CHECK(contains(rig_log(rig, rig_last(rig)), "error templates/t.sql:3:26: error: column"));
    CHECK(contains(result.detail, "\"sqlstate\":\"42703\""));
    fails("select * from missing_table", "42P01", "templates/t.sql:1:15");
    fails("selec 1", "42601", "templates/t.sql:1:1");
    fails("select 1 /* open", "42601", "templates/t.sql:1:10");
    fails("select $x$ open", "42601", "templates/t.sql:1:8");
    /* No position: the statement's first line. */
    fails("select 1;\n  insert into t select v from (values (1), (0)) x(v) where 1/v > 0", "22012",
        "templates/t.sql:2:3");
    sql_finish();
}

TEST(an_error_inside_a_block_or_function_is_shown_at_its_line)
{
    sql_begin("inside");
    fails("do $$\nbegin\n  perform 1;\n  perform 1/0;\nend $$", "22012", "templates/t.sql:4:3");
    fails(
        "do $$ begin\n  insert into nowhere values (1);\nend $$", "42P01", "templates/t.sql:2:15");
    fails("select 1;\ncreate function f(x int) returns int language plpgsql as $b$\n"
          "begin\n  return x / 0;\nend $b$;\nselect f(1);",
        "22012", "templates/t.sql:4:3");
    struct attempt_result result =
        fails("create function g() returns void language plpgsql as $$\nbegin\n"
              "  raise exception 'bad row %', 7 using errcode = 'ZZ123', detail = 'the detail',"
              " hint = 'the hint';\nend $$;\nselect g()",
            "ZZ123", "templates/t.sql:3:3");
    CHECK(
        contains(result.message, "bad row 7 (SQLSTATE ZZ123)\nDETAIL: the detail\nHINT: the hint"));
    sql_finish();
}

TEST(notices_are_in_the_log_and_bounded)
{
    sql_begin("notices");
    rig_sql(rig, "do $$ begin raise notice 'hello %', 1; raise warning 'careful'; end $$;\n"
                 "do $$ begin for i in 1..12000 loop raise notice 'n%', i; end loop; end $$");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    const char *log = rig_log(rig, rig_last(rig));
    CHECK(contains(log, "notice NOTICE: hello 1"));
    CHECK(contains(log, "notice WARNING: careful"));
    CHECK(contains(log, "notice NOTICE: n9999\n"));
    CHECK(!strstr(log, "n10001\n"));
    CHECK(contains(log, "12000 notices in all"));
    sql_finish();
}

TEST(empty_statements_do_not_hang)
{
    sql_begin("empty");
    rig_sql(rig, "insert into t select generate_series(1, 5000);\n;;-- nothing\n/* nothing */;");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    rig->generation = 1;
    rig_sql(rig, "-- only a comment\n");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    rig->generation = 2;
    rig_sql(rig, "");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    sql_finish();
}

TEST(a_million_rows_nobody_wants_are_discarded_as_they_come)
{
    sql_begin("rows");
    rig_sql(rig, "select g, repeat('x', 80) from generate_series(1, 1000000) g");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK(contains(rig_log(rig, rig_last(rig)), "SELECT 1000000"));
    sql_finish();
}

TEST(results_become_xcoms)
{
    sql_begin("xcom");
    struct task *task =
        rig_sql(rig, "insert into t values (1);\n"
                     "select 1::int8 a, 1.50::numeric b, 'NaN'::float8 c, null d, true e, 'x\"y' f,"
                     " '{\"k\": [1]}'::jsonb g union all select 2, 0, 1, 'z', false, '', '1'");
    task->sql.result = RESULT_ROWS;
    CHECK_STR(rig_run(rig).xcom,
        "[{\"a\":1,\"b\":1.50,\"c\":\"NaN\",\"d\":null,\"e\":true,\"f\":\"x\\\"y\",\"g\":{\"k\": "
        "[1]}}, {\"a\":2,\"b\":0,\"c\":1,\"d\":\"z\",\"e\":false,\"f\":\"\",\"g\":1}]");
    rig->generation = 1;
    rig_sql(rig, "select 3 where false")->sql.result = RESULT_SCALAR;
    CHECK_STR(rig_run(rig).xcom, "null");
    rig->generation = 2;
    rig_sql(rig, "select repeat('x', 2000000)")->sql.result = RESULT_SCALAR;
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK(contains(result.message, "larger than an XCom may be"));
    sql_finish();
}

TEST(deferred_constraints_fail_before_the_commit)
{
    sql_begin("deferred");
    postgres_run(db, "CREATE TABLE u (v int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
    rig_sql(rig, "insert into u values (1), (1)");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_STR(result.sqlstate, "23505");
    CHECK(contains(result.message, "deferred constraints"));
    CHECK_INT(postgres_number(db, "SELECT count(*) FROM u"), 0);
    sql_finish();
}

TEST(what_the_sql_sets_does_not_reach_the_ledger_or_the_next_attempt)
{
    sql_begin("settings");
    postgres_run(db, "CREATE ROLE poor; GRANT ALL ON t TO poor");
    rig_sql(rig, "set synchronous_commit = off; set role poor; set search_path = nowhere;\n"
                 "set statement_timeout = 12345; insert into public.t values (1)");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    rig->generation = 1;
    struct task *task = rig_sql(rig, "select current_user || ' ' || current_setting('search_path')"
                                     " || ' ' || current_setting('statement_timeout')");
    task->sql.result = RESULT_SCALAR;
    CHECK_STR(rig_run(rig).xcom, "\"dag \\\"$user\\\", public 0\"");
    rig->generation = 2;
    struct named_text settings[] = {
        {"search_path", {.value = "geo, \"$user\", public"}}, {"work_mem", {.value = "7MB"}}};
    struct named_text own[] = {{"work_mem", {.value = "9MB"}}};
    rig->connection.settings = (struct named_texts){settings, 2};
    task->sql.settings = (struct named_texts){own, 1};
    task->sql.statement_timeout_us = 1500 * US_PER_MS;
    rig_write(rig, "select current_setting('search_path') || ' ' || "
                   "current_setting('work_mem') || ' ' || current_setting('statement_timeout')");
    CHECK_STR(rig_run(rig).xcom, "\"geo, \\\"$user\\\", public 9MB 1500ms\"");
    rig->generation = 3;
    own[0].name = "no; drop table t";
    CHECK_STR(rig_run(rig).sqlstate, "42704");
    sql_finish();
}

TEST(a_statement_timeout_is_the_databases_error)
{
    sql_begin("timeout");
    struct task *task = rig_sql(rig, "select 1; select pg_sleep(30)");
    task->sql.statement_timeout_us = 100 * US_PER_MS;
    struct attempt_result result = rig_run(rig);
    CHECK_STR(result.sqlstate, "57014");
    CHECK_STR(result.place, "templates/t.sql:1:11");
    CHECK(contains(result.message, "statement timeout"));
    sql_finish();
}

TEST(secrets_are_masked_in_log_and_rendered_text)
{
    sql_begin("secrets");
    fails("select '{{ var.value.token }}'::int", "22P02", "templates/t.sql:1:8");
    const char *log = rig_log(rig, rig_last(rig));
    CHECK(!strstr(log, "hunter2secret"));
    CHECK(contains(log, "invalid input syntax for type integer: \"***\""));
    CHECK(!strstr(rig->ends.at[0].result.message, "hunter2secret"));
    CHECK(!strstr(rig->ends.at[0].result.detail, "hunter2secret"));
    struct slice text;
    const char *path = path_join(
        rig->arena, rig->project.state, log_path_of(rig->arena, "d", rig->run.run_id, "t", -1, 1));
    REQUIRE(
        attempt_sql_read(path, rig_last(rig)->attempt.text, 1000, rig->arena, &text, NULL) == OK);
    CHECK_STR(text.p, "select '***'::int");
    sql_finish();
}

TEST(a_template_error_leaves_a_log_and_no_connection)
{
    sql_begin("template");
    rig_sql(rig, "select {{ nope }}");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.error_class, CLASS_TEMPLATE);
    CHECK(contains(rig_log(rig, rig_last(rig)), "nope"));
    CHECK_INT(postgres_number(db, "SELECT count(*) FROM pg_tables WHERE schemaname = 'dag'"), 0);
    sql_finish();
}

/* The log of the next attempt. */
static const char *next_log(void)
{
    struct run_record *run = &rig->run;
    return path_join(rig->arena, rig->project.state,
        log_path_of(rig->arena, run->dag_id, run->run_id, "t", -1, rig->number + 1));
}

static void fails_before_anything_is_sent(void)
{
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_INT(result.error_class, CLASS_OTHER);
    CHECK(contains(result.message, "cannot write"));
    CHECK_INT(sql_rows(), 0);
}

/* A full disk is no mistake of the task's: it is retried, and before that nothing was done. */
TEST(a_file_that_cannot_be_written_fails_the_attempt_before_anything_is_sent)
{
    sql_begin("files");
    rig_sql(rig, "insert into t values (1)");
    const char *sql = path_join(rig->arena, path_dir(rig->arena, next_log()), "rendered.sql");
    CHECK_INT(dir_make(sql, false, NULL), OK);
    fails_before_anything_is_sent();
    REQUIRE(rmdir(sql) == 0);
    REQUIRE(symlink("/dev/full", next_log()) == 0); /* the log, and the memo in it */
    fails_before_anything_is_sent();
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK_INT(sql_rows(), 1);
    sql_finish();
}

TEST(isolation_is_as_asked)
{
    sql_begin("isolation");
    struct task *task = rig_sql(rig, "select current_setting('transaction_isolation')");
    task->sql.result = RESULT_SCALAR;
    task->sql.isolation = ISOLATION_SERIALIZABLE;
    CHECK_STR(rig_run(rig).xcom, "\"serializable\"");
    sql_finish();
}

TEST(without_a_transaction_statements_commit_one_by_one)
{
    sql_begin("plain");
    struct task *task = rig_sql(rig, "vacuum t; insert into t values (1); analyze t");
    task->sql.transaction = false;
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK_INT(sql_rows(), 1);
    CHECK(rig_run(rig).committed_before);
    rig->generation = 1;
    rig_write(rig, "insert into t values (2); select 1/0");
    CHECK_STR(rig_run(rig).sqlstate, "22012");
    CHECK_INT(sql_rows(), 2);
    /* The claim is committed: the same generation says that it may have run. */
    CHECK_INT(rig_run(rig).outcome, OUTCOME_PARTLY);
    rig->generation = 2;
    rig_write(rig, "insert into t values (3); select pg_sleep(60)");
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    REQUIRE(rig_until(rig, sql_is_sleeping, &effect, 20));
    rig_cancel(rig, &effect, false);
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_PARTLY);
    CHECK(contains(result.message, "may have run"));
    CHECK_INT(sql_rows(), 3);
    sql_finish();
}

TEST(without_a_ledger_the_task_just_commits)
{
    sql_begin("noledger");
    rig->connection.ledger = false;
    rig_sql(rig, "insert into t values (1)");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK_INT(sql_rows(), 2);
    CHECK_INT(postgres_number(db, "SELECT count(*) FROM pg_namespace WHERE nspname = 'dag'"), 0);
    CHECK_INT(rig_void(rig, rig_last(rig)).void_outcome, VOID_INSERTED);
    sql_finish();
}

TEST(a_connection_that_does_not_exist_or_answer_fails_with_its_name)
{
    sql_begin("absent");
    rig_sql(rig, "select 1")->sql.connection = "elsewhere";
    CHECK(contains(rig_run(rig).message, "no connection `elsewhere`"));
    rig_sql(rig, "select 1");
    rig->connection.uri = "postgresql://nobody:verysecret@127.0.0.1:1/x?connect_timeout=2";
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_INT(result.error_class, CLASS_CONNECT);
    CHECK(contains(result.message, "cannot connect to `db`"));
    CHECK(!strstr(result.message, "verysecret"));
    sql_finish();
}

TEST(a_server_of_another_dialect_fails_the_task_naming_both)
{
    sql_begin("dialect");
    rig->connection.dialect = DIALECT_GREENPLUM6;
    rig_sql(rig, "select 1");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK(contains(result.message, "has dialect greenplum6, but the server is postgresql"));
    sql_finish();
}

TEST(clean_sessions_are_used_again_and_others_are_not)
{
    sql_begin("sessions");
    rig_sql(rig, "select count(*) from t");
    char backend[3][64];
    for (int i = 0; i < 3; i++) {
        rig->generation = i;
        struct effect effect = rig_effect(rig);
        effect.fresh_session = i == 2; /* as a retry asks for */
        rig_start(rig, &effect);
        struct attempt_result result = rig_wait(rig, &effect.attempt);
        CHECK_INT(result.outcome, OUTCOME_SUCCESS);
        snprintf(backend[i], sizeof(backend[i]), "%.20s", strstr(result.detail, "\"backend\":"));
    }
    CHECK_STR(backend[1], backend[0]);
    CHECK(!str_equal(backend[2], backend[1]));
    sql_finish();
}

TEST(sixteen_at_once_each_commit_once)
{
    sql_begin("many");
    rig_sql(rig, "insert into t select count(*) from pg_sleep(0.2)");
    for (int i = 0; i < 64; i++) {
        rig->generation = i / 2; /* pairs compete for one key */
        struct effect effect = rig_effect(rig);
        rig_start(rig, &effect);
        while (executor_active(rig->ex) >= 16)
            uv_run(&rig->loop, UV_RUN_ONCE);
    }
    while (executor_active(rig->ex))
        uv_run(&rig->loop, UV_RUN_ONCE);
    CHECK_INT(rig->ends.count, 64);
    CHECK_INT(sql_rows(), postgres_number(db, "SELECT count(*) FROM dag.result"));
    CHECK_INT(postgres_number(db, "SELECT count(*) FROM dag.claim"), sql_rows());
    CHECK(sql_rows() <= 32);
    CHECK(sql_rows() >= 24);
    sql_finish();
}

TEST(parameters_are_bound_by_number_and_by_name)
{
    sql_begin("bound");
    struct task *task =
        rig_sql(rig, "insert into t values ($2);\nselect $1 || '$2' as a, $3::text as b, $1 as c");
    json_t *list = json_pack("[s, i, n]", "it's {{ ds }}", 42);
    task->sql.parameters = list;
    task->sql.result = RESULT_ROW;
    CHECK_STR(
        rig_run(rig).xcom, "{\"a\":\"it's 2007-04-12$2\",\"b\":null,\"c\":\"it's 2007-04-12\"}");
    CHECK_INT(postgres_number(db, "SELECT v FROM t"), 42);
    json_decref(list);
    rig->generation = 1;
    json_t *mapping = json_pack("{s: s, s: b}", "day", "{{ ds }}", "flag", 1);
    task->sql.parameters = mapping;
    rig_write(rig, "select %(day)s::date + 7 % 4 as d, %(flag)s::bool as f");
    CHECK_STR(rig_run(rig).xcom, "{\"d\":\"2007-04-15\",\"f\":true}");
    rig->generation = 2;
    rig_write(rig, "select %(day)s::date,\n       %(nix)s");
    struct attempt_result result = rig_run(rig);
    CHECK_STR(result.sqlstate, "42P02");
    CHECK_STR(result.place, "templates/t.sql:2:8");
    json_decref(mapping);
    sql_finish();
}

TEST(what_the_filter_bind_made_is_bound_where_a_statement_takes_parameters)
{
    sql_begin("bind");
    struct task *task = rig_sql(rig,
        "create table b (d date default {{ ds | bind }}, x text);\n"
        "do $$ begin perform {{ ds | bind }}; end $$;\n"
        "set local application_name = {{ 'it' | bind }};\n"
        "insert into b (x) values {% for i in range(12) %}{{ ', ' if i }}"
        "({{ (i ~ \"'\\\\\") | bind }}){% endfor %};\n"
        "select {{ \"it's\" | bind }} as a, date {{ ds | bind }} + {{ 1 | bind }} as b,"
        " $q${{ 'in' | bind }}$q$ as c, {{ none | bind }} as d, {{ 'a\\\\b' | bind }} as e,"
        " (select {{ 'x' | literal }}) as f, current_query() as q"
        " from b where x = {{ \"11'\\\\\" | bind }} and d = {{ ds | bind }}");
    task->sql.result = RESULT_ROW;
    struct attempt_result result = rig_run(rig);
    CHECK_STR(result.message, NULL);
    CHECK_STR(result.xcom,
        "{\"a\":\"it's\",\"b\":\"2007-04-13\",\"c\":\"'in'\",\"d\":null,\"e\":\"a\\\\b\","
        "\"f\":\"x\",\"q\":\"select $1      as a, date '2007-04-12' + 1 as b, $q$'in'$q$ as c,"
        " NULL as d, $2      as e, (select 'x') as f, current_query() as q from b"
        " where x = $3        and d = $4          \"}");
    CHECK_INT(postgres_number(db, "SELECT count(*) FROM b WHERE x LIKE '%''\\\\'"), 12);
    sql_finish();
}

TEST(an_error_behind_a_bound_value_is_at_its_place)
{
    sql_begin("bound_place");
    fails("select {{ 'a long value' | bind }},\n  {{ 'x' | bind }} || nothing", "42703",
        "templates/t.sql:2:23");
    sql_finish();
}

/* Else the text's own placeholder would take the value of another. */
TEST(a_placeholder_without_parameters_beside_a_bound_value_is_refused)
{
    sql_begin("bound_other");
    fails("select $1, {{ 'x' | bind }}", "42P02", "templates/t.sql:1:8");
    sql_finish();
}

TEST(an_error_inside_python_is_shown_at_its_line_and_uses_the_session_up)
{
    sql_begin("python");
    postgres_run(db, "CREATE EXTENSION plpython3u");
    struct attempt_result result =
        fails("create function p(v int) returns int language plpython3u as $py$\n"
              "def check(x):\n    if x == 2:\n        raise ValueError('bad value %d' % x)\n"
              "    return x\nreturn check(v)\n$py$;\nselect p(v) from generate_series(1, 3) v;",
            "38000", "templates/t.sql:4:9");
    CHECK(contains(result.message, "ValueError: bad value 2 (SQLSTATE 38000)"));
    CHECK(contains(result.message, "    4 |         raise ValueError('bad value %d' % x)"));
    CHECK(contains(result.message, "PL/Python function \"p\", line 4, in check"));
    fails("do language plpython3u $$\nplpy.execute('select * from nowhere')\n$$", "42P01",
        "templates/t.sql:2:29");
    char backend[2][64];
    for (int i = 0; i < 2; i++) {
        rig->generation = i + 10;
        rig_sql(rig, "select count(*) from t");
        struct attempt_result run = rig_run(rig);
        CHECK_INT(run.outcome, OUTCOME_SUCCESS);
        snprintf(backend[i], sizeof(backend[i]), "%.20s", strstr(run.detail, "\"backend\":"));
    }
    /* A trigger or view of t might be Python: nobody can tell from the text. */
    CHECK(!str_equal(backend[0], backend[1]));
    sql_finish();
}
