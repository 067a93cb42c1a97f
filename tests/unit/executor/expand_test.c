/* Expansions: lists, XComs and queries against a real PostgreSQL become the values of instances. */
#include "executor/operators/operator.h"

#include "tests/unit/executor/sql_cases.h"

static json_t *owned;

static void begin(const char *database)
{
    owned = json_array();
    if (database)
        sql_begin(database);
    else
        rig = rig_new(NULL);
}

static void end(bool database)
{
    json_decref(owned);
    if (database)
        sql_finish();
    else
        rig_free(rig);
}

static struct expand_source list(const char *name, const char *json)
{
    json_t *values = NULL;
    REQUIRE(json_parse(json, strlen(json), NULL, &values, NULL) == OK);
    json_array_append_new(owned, values);
    return (struct expand_source){.name = name, .kind = EXPAND_VALUES, .values = values, .line = 5};
}

static struct expand_source query(const char *name, const char *sql)
{
    return (struct expand_source){.name = name,
        .kind = EXPAND_SQL,
        .text = {.value = sql, .line = 5, .column = 1},
        .connection = "db",
        .line = 5};
}

static struct attempt_result run(const struct expand_source *sources, size_t count, bool zip)
{
    struct task *task = rig_task(rig, KIND_SQL);
    task->expand = (struct expand){sources, count, zip};
    return rig_run(rig);
}

static const char *values_of(const struct attempt_result *result)
{
    struct strbuf text = {0};
    for (size_t i = 0; i < result->mapped_count; i++)
        strbuf_printf(&text, "%s%s", i ? " " : "", result->mapped[i]);
    const char *values = strbuf_to_arena(&text, rig->arena);
    strbuf_done(&text);
    return values;
}

TEST(lists_and_xcoms_need_no_server)
{
    begin(NULL);
    rig->xcom = "[{\"id\": 7}, {\"id\": 8}]";
    rig->tasks[1] = (struct task){.task_id = "up", .index = 1, .kind = KIND_BASH};
    rig->dag.task_count = 2;
    struct expand_source sources[] = {list("a", "[1, \"{{ ds }}\"]"),
        {.name = "b", .kind = EXPAND_TASK, .task_id = "up", .line = 6}};
    struct attempt_result result = run(sources, 2, false);
    CHECK_INT(result.outcome, OUTCOME_SUCCESS);
    CHECK_STR(values_of(&result),
        "{\"a\":1,\"b\":{\"id\":7}} {\"a\":1,\"b\":{\"id\":8}} "
        "{\"a\":\"2007-04-12\",\"b\":{\"id\":7}} {\"a\":\"2007-04-12\",\"b\":{\"id\":8}}");
    CHECK(!result.may_commit);
    CHECK(contains(rig_log(rig, rig_last(rig)), "expanded into 4 instances"));
    rig->xcom = "{\"id\": 7}";
    result = run(sources, 2, false);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_INT(result.error_class, CLASS_TEMPLATE); /* not retried: it would be wrong again */
    CHECK(contains(result.message, "`b` of `t` must be a list, this is a mapping"));
    CHECK_STR(result.place, "dags/d.yaml:6:1");
    rig->xcom = NULL;
    result = run(sources, 2, false);
    CHECK(contains(result.message, "the task `up` has left no XCom"));
    end(false);
}

TEST(an_instance_sees_its_values)
{
    begin(NULL);
    struct expand_source source = list("a", "[1]");
    struct task *task = rig_task(rig, KIND_EXEC);
    static const struct text argv[] = {
        {.value = "echo"}, {.value = "{{ mapped.a + 1 }} {{ ti.map_index }}"}};
    *PARTS(task, process) = (struct process_task){.argv = {argv, 2}, .skip_on_exit_code = 99};
    task->expand = (struct expand){&source, 1, false};
    struct effect effect = rig_effect(rig);
    effect.map_index = 3;
    effect.mapped = "{\"a\": 41}";
    rig_start(rig, &effect);
    CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_SUCCESS);
    CHECK(contains(rig_log(rig, &effect), "out 42 3"));
    CHECK(contains(rig_log(rig, &effect), "of t[3] in"));
    end(false);
}

TEST(rows_of_a_query_are_values_or_mappings_of_columns)
{
    begin("rows");
    struct expand_source sources[] = {query("n", "select n from generate_series(1, 2) n"),
        query("r", "select 'x' as name, 2.5::float8 as size, null as none, true as yes")};
    struct attempt_result result = run(sources, 2, false);
    if (!CHECK_INT(result.outcome, OUTCOME_SUCCESS))
        printf("%s", rig_log(rig, rig_last(rig)));
    const char *row = "{\"name\":\"x\",\"size\":2.5,\"none\":null,\"yes\":true}";
    CHECK_STR(values_of(&result),
        arena_printf(rig->arena, "{\"n\":1,\"r\":%s} {\"n\":2,\"r\":%s}", row, row));
    struct expand_source none[] = {query("n", "select 1 where false")};
    result = run(none, 1, false);
    CHECK_INT(result.outcome, OUTCOME_SUCCESS);
    CHECK_INT(result.mapped_count, 0);
    end(true);
}

TEST(a_query_cannot_write_and_tells_where_it_is_wrong)
{
    begin("writes");
    struct expand_source writes[] = {query("n", "insert into t values (1) returning v")};
    struct attempt_result result = run(writes, 1, false);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_STR(result.sqlstate, "25006");
    CHECK_INT(sql_rows(), 0);
    struct expand_source wrong[] = {query("n", "select nowhere from t")};
    result = run(wrong, 1, false);
    CHECK_STR(result.sqlstate, "42703");
    struct expand_source many[] = {query("n", "select n from generate_series(1, 1025) n")};
    result = run(many, 1, false);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK(contains(result.message, "more than 1024 rows"));
    end(true);
}

TEST(settings_of_the_connection_hold_for_the_query)
{
    begin("settings");
    static const struct named_text settings[] = {
        {"application_name", {.value = "rest"}}, {"statement_timeout", {.value = "{{ '7' }}s"}}};
    rig->connection.settings = (struct named_texts){settings, ARRAY_SIZE(settings)};
    struct expand_source sources[] = {query("n", "select current_setting('statement_timeout')")};
    struct attempt_result result = run(sources, 1, false);
    CHECK_STR(values_of(&result), "{\"n\":\"7s\"}");
    end(true);
}

TEST(values_have_a_ceiling)
{
    begin(NULL);
    struct strbuf text = {0};
    strbuf_add_str(&text, "[\"");
    for (int n = 0; n < 2000; n++)
        strbuf_add_str(&text, "0123456789");
    strbuf_add_str(&text, "\"]");
    struct strbuf hundred = {0};
    strbuf_add_char(&hundred, '[');
    for (int n = 0; n < 100; n++)
        strbuf_printf(&hundred, "%s%d", n ? "," : "", n);
    strbuf_add_char(&hundred, ']');
    struct expand_source sources[] = {list("a", text.text), list("b", hundred.text)};
    struct attempt_result result = run(sources, 2, false);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK(contains(result.message, "take more than 1 MiB"));
    strbuf_done(&text);
    strbuf_done(&hundred);
    end(false);
}
