/* Branches and short circuits: by a template, and by a query against a real PostgreSQL. */
#include "tests/unit/executor/sql_cases.h"

static const char *const follows[] = {"a", "b", "g.in", "g.out", NULL};

static struct task *by_text(enum task_kind kind, const char *text)
{
    struct task *task = rig_decider(rig, kind, follows);
    PARTS(task, decision)->text = (struct text){.value = text, .line = 4, .column = 1};
    return task;
}

static struct task *by_sql(enum task_kind kind, const char *sql)
{
    struct task *task = rig_decider(rig, kind, follows);
    rig_write(rig, sql);
    task->sql = (struct sql_task){
        .sql = {.value = "t.sql", .line = 4, .column = 1}, .is_path = true, .connection = "db"};
    return task;
}

static struct attempt_result run_text(enum task_kind kind, const char *text)
{
    by_text(kind, text);
    return rig_run(rig);
}

static struct attempt_result run_sql(enum task_kind kind, const char *sql)
{
    by_sql(kind, sql);
    return rig_run(rig);
}

/* ---- templates: no server is needed ---- */

TEST(a_template_chooses_ids_and_groups)
{
    static const struct {
        const char *text, *decision;
    } cases[] = {{"b", "[\"b\"]"}, {" b , a,", "[\"a\",\"b\"]"}, {"", "[]"}, {"  ", "[]"},
        {"g", "[\"g.in\",\"g.out\"]"}, {"g.out", "[\"g.out\"]"},
        {"{{ 'a' if ds == '2007-04-12' else 'b' }}", "[\"a\"]"},
        {"{% for n in ['a', 'b'] %}{{ n }},{% endfor %}", "[\"a\",\"b\"]"}};
    rig = rig_new(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct attempt_result result = run_text(KIND_BRANCH, cases[i].text);
        CHECK_INT(result.outcome, OUTCOME_SUCCESS);
        CHECK_STR(result.decision, cases[i].decision);
        CHECK_STR(result.xcom, cases[i].decision);
        CHECK(contains(rig_log(rig, rig_last(rig)), "goes on with ["));
    }
    rig_free(rig);
}

TEST(an_id_that_does_not_follow_fails_it_and_names_the_possible_ones)
{
    rig = rig_new(NULL);
    struct attempt_result result = run_text(KIND_BRANCH, "a, g.inn");
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_INT(result.error_class, CLASS_TEMPLATE); /* not retried: it would be wrong again */
    CHECK(contains(result.message, "`g.inn` is no task or group that directly follows `t`: `a`, "
                                   "`b`, `g.in`, `g.out`"));
    CHECK(contains(result.message, "did you mean `g.in`?"));
    CHECK(result.decision == NULL);
    result = run_text(KIND_BRANCH, "t");
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    rig_free(rig);
}

TEST(what_is_empty_or_says_no_stops_what_follows)
{
    static const char *const no[] = {"", " ", "false", "False", "F", "0", "no", "No\n", "none",
        "{{ none }}", "{{ 1 > 2 }}", "{{ [] | length }}"};
    static const char *const yes[] = {
        "true", "1", "yes", "00", "0.5", "a", "null", "{{ ds }}", "{{ 1 < 2 }}"};
    rig = rig_new(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(no); i++)
        CHECK_STR(run_text(KIND_SHORT_CIRCUIT, no[i]).decision, "[]");
    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        struct attempt_result result = run_text(KIND_SHORT_CIRCUIT, yes[i]);
        CHECK_INT(result.outcome, OUTCOME_SUCCESS);
        CHECK_STR(result.decision, NULL);
    }
    CHECK(contains(rig_log(rig, rig_last(rig)), "the condition is met"));
    rig_free(rig);
}

/* ---- queries ---- */

TEST(a_query_chooses_by_its_first_column)
{
    static const struct {
        const char *sql, *decision;
    } cases[] = {{"select 'b', 1", "[\"b\"]"}, {"select 'a, b'", "[\"a\",\"b\"]"},
        {"values ('a'), ('g'), ('a')", "[\"a\",\"g.in\",\"g.out\"]"}, {"select null", "[]"},
        {"select 'a' where false", "[]"}, {"select {{ 'b' | bind }}", "[\"b\"]"},
        {"select case when date '{{ ds }}' = '2007-04-12' then 'a' end", "[\"a\"]"}};
    sql_begin("chooses");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct attempt_result result = run_sql(KIND_BRANCH, cases[i].sql);
        CHECK_INT(result.outcome, OUTCOME_SUCCESS);
        CHECK_STR(result.decision, cases[i].decision);
        CHECK(!result.may_commit);
    }
    struct attempt_result result = run_sql(KIND_BRANCH, "select 'c'");
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK(contains(result.message, "`c` is no task or group"));
    CHECK_INT(postgres_number(db, "SELECT count(*) FROM dag.claim"), 0);
    sql_finish();
}

TEST(a_query_is_asked_again_each_time)
{
    sql_begin("again");
    by_sql(KIND_SHORT_CIRCUIT, "select count(*) from t");
    struct attempt_result result = rig_run(rig);
    CHECK_STR(result.decision, "[]");
    CHECK_STR(result.xcom, "0");
    postgres_run(db, "INSERT INTO t VALUES (1)");
    result = rig_run(rig);
    CHECK_STR(result.decision, NULL);
    CHECK_STR(result.xcom, "1");
    CHECK(contains(result.detail, "SELECT 1"));
    sql_finish();
}

TEST(no_row_null_and_false_stop_what_follows)
{
    static const char *const no[] = {"select 1 where false", "select null::int", "select false",
        "select ''", "select 0", "select 'No'", "set search_path = public"};
    static const char *const yes[] = {
        "select true", "select 1", "select 'x'", "select v from generate_series(1, 200000) v"};
    sql_begin("circuit");
    for (size_t i = 0; i < ARRAY_SIZE(no); i++)
        CHECK_STR(run_sql(KIND_SHORT_CIRCUIT, no[i]).decision, "[]");
    for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
        struct attempt_result result = run_sql(KIND_SHORT_CIRCUIT, yes[i]);
        CHECK_INT(result.outcome, OUTCOME_SUCCESS);
        CHECK_STR(result.decision, NULL);
    }
    CHECK_STR(run_sql(KIND_SHORT_CIRCUIT, "select true").xcom, "true");
    sql_finish();
}

TEST(a_query_can_write_nothing)
{
    static const struct {
        const char *sql, *sqlstate;
    } cases[] = {{"insert into t values (1) returning 'a'", "25006"},
        {"with w as (insert into t values (1) returning v) select 'a' from w", "25006"},
        {"create table u (v int)", "25006"}, {"select 'a'; insert into t values (1)", "42601"},
        {"", "42601"}, {"commit", "2D000"}};
    sql_begin("writes");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct attempt_result result = run_sql(KIND_BRANCH, cases[i].sql);
        CHECK_INT(result.outcome, OUTCOME_FAILED);
        CHECK_STR(result.sqlstate, cases[i].sqlstate);
    }
    CHECK_INT(sql_rows(), 0);
    sql_finish();
}

TEST(a_mistake_in_a_query_has_its_place)
{
    sql_begin("place");
    struct attempt_result result = run_sql(KIND_BRANCH, "select 'a'\nfrom nowhere");
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_STR(result.sqlstate, "42P01");
    CHECK_STR(result.place, "templates/t.sql:2:6");
    result = run_sql(KIND_BRANCH, "select 'a';\nselect 'b'");
    CHECK_STR(result.place, "templates/t.sql:2:1");
    sql_finish();
}

TEST(too_many_rows_are_called_off_and_fail_it)
{
    sql_begin("rows");
    struct attempt_result result =
        run_sql(KIND_BRANCH, "select 'a' from generate_series(1, 50000000)");
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_STR(result.sqlstate, "54000");
    CHECK(contains(result.message, "more than 20000 rows"));
    result = run_sql(KIND_BRANCH, "select repeat('a', 2000000)");
    CHECK_STR(result.sqlstate, "54000");
    CHECK(contains(result.message, "more than 1 MiB"));
    result = run_sql(KIND_BRANCH, "select from t right join (select 1) s on true");
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK(contains(result.message, "without a column"));
    CHECK_STR(run_sql(KIND_BRANCH, "select 'a'").decision, "[\"a\"]");
    sql_finish();
}

TEST(settings_and_timeouts_are_the_tasks)
{
    static const struct named_text settings[] = {{"work_mem", {.value = "7MB"}}};
    sql_begin("settings");
    struct task *task = by_sql(KIND_SHORT_CIRCUIT, "show work_mem");
    task->sql.settings = (struct named_texts){settings, 1};
    CHECK_STR(rig_run(rig).xcom, "\"7MB\"");
    task = by_sql(KIND_SHORT_CIRCUIT, "select pg_sleep(30)");
    task->sql.statement_timeout_us = 50 * US_PER_MS;
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_STR(result.sqlstate, "57014");
    sql_finish();
}

TEST(a_lost_connection_fails_it_and_nothing_is_in_doubt)
{
    sql_begin("lost");
    by_sql(KIND_BRANCH, "select 'a', pg_sleep(60)");
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    REQUIRE(rig_until(rig, sql_is_sleeping, &effect, 20));
    postgres_run(db, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                     " WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()");
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_INT(result.error_class, CLASS_CONNECT);
    CHECK(!result.may_commit);
    sql_finish();
}

TEST(what_a_dead_daemon_left_running_is_ended)
{
    sql_begin("left");
    by_sql(KIND_BRANCH, "select 'a', pg_sleep(60)");
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    REQUIRE(rig_until(rig, sql_is_sleeping, &effect, 20));
    rig_restart(rig);
    struct attempt_record record = rig_record(rig, &effect);
    executor_recover(rig->ex, &record, &rig->dag, &rig->run);
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_INTERRUPTED);
    CHECK(!result.may_commit);
    CHECK_INT(sql_backends(&effect), 0);
    sql_finish();
}
