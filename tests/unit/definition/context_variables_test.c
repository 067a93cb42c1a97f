/* What templates see besides dates, how it is marked, and what is said about names that are not
   there. */
#include <pthread.h>
#include "base/clock.h"
#include "base/file.h"
#include "definition/context/context_data.h"
#include "tests/unit/definition/context_dag.h"
#include "tests/unit/test.h"

static const struct variable variables[] = {
    {.name = "geolife_release", .value = "/data/geolife"},
    {.name = "limits", .value = "{\"rows\": [1, 2]}"},
    {.name = "api", .value = "s3cret", .secret = true},
    {.name = "db_password", .value = "hunter2"},
};
static const struct connection connections[] = {
    {.name = "greenplum",
        .uri = "postgresql://etl:p%40ss@gp.example:5433,other/geolife?sslmode=require",
        .dialect = DIALECT_GREENPLUM6},
    {.name = "local", .uri = "host=/run/pg dbname=it\\'s user='a b' port=99999"},
    {.name = "six", .uri = "postgresql://[::1]:5432/x"},
};

struct fixture {
    struct arena *arena;
    struct context_dag d;
};

static void begin(struct fixture *f)
{
    f->arena = arena_new();
    context_dag_init(&f->d, f->arena, "@daily", "Asia/Tokyo", "2024-02-29");
    f->d.project.variables = variables;
    f->d.project.variable_count = ARRAY_SIZE(variables);
    f->d.project.connections = connections;
    f->d.project.connection_count = ARRAY_SIZE(connections);
}

static void end(struct fixture *f)
{
    context_dag_done(&f->d);
    arena_free(f->arena);
}

static const char *value_of(struct fixture *f, const char *expression)
{
    return context_dag_render(&f->d, f->arena, arena_printf(f->arena, "{{ %s }}", expression));
}

struct expectation {
    const char *expression, *text;
};

static void check_all(struct fixture *f, const struct expectation *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        test_check_str(
            value_of(f, rows[i].expression), rows[i].text, "row", (int)i, rows[i].expression);
}

TEST(names_that_airflow_3_removed_name_their_replacement)
{
    static const char *const gone[] = {"execution_date", "next_execution_date",
        "prev_execution_date", "prev_execution_date_success", "next_ds", "next_ds_nodash",
        "prev_ds", "prev_ds_nodash", "tomorrow_ds", "tomorrow_ds_nodash", "yesterday_ds",
        "yesterday_ds_nodash"};
    struct fixture f;
    begin(&f);
    for (size_t i = 0; i < ARRAY_SIZE(gone); i++) {
        const char *want = arena_printf(
            f.arena, "ERROR: sql: '%s' is undefined (`%s` is gone: use `", gone[i], gone[i]);
        CHECK(str_starts(value_of(&f, gone[i]), want));
    }
    CHECK_STR(value_of(&f, "yesterday_ds"),
        "ERROR: sql: 'yesterday_ds' is undefined (`yesterday_ds` is gone: use "
        "`macros.ds_add(ds, -1)`)");
    CHECK_STR(value_of(&f, "execution_date"),
        "ERROR: sql: 'execution_date' is undefined (`execution_date` is gone: use `logical_date`)");
    end(&f);
}

TEST(what_replaces_a_removed_name_works)
{
    static const struct expectation rows[] = {
        {"macros.ds_add(ds, -1)", "2024-02-27"},
        {"macros.ds_add(ds, 1) | replace(\"-\", \"\")", "20240229"},
        {"data_interval_end | ds_nodash", "20240229"},
        {"data_interval_start - (data_interval_end - data_interval_start)",
            "2024-02-27 15:00:00+00:00"},
    };
    struct fixture f;
    begin(&f);
    check_all(&f, rows, ARRAY_SIZE(rows));
    end(&f);
}

TEST(a_mistyped_name_is_answered_with_the_nearest_one)
{
    static const struct expectation rows[] = {
        {"logical_dat", "ERROR: sql: 'logical_dat' is undefined (did you mean `logical_date`?)"},
        {"conf.x", "ERROR: sql: 'conf' is undefined (the run's values are in `dag_run.conf`, "
                   "declared ones in `params`)"},
        {"var.value.geolife_relase",
            "ERROR: sql: 'var.value' has no attribute 'geolife_relase' (there is no variable "
            "`geolife_relase`; did you mean `geolife_release`?)"},
        {"var.value.get('zzz')", "ERROR: sql: there is no variable `zzz` (there is no variable "
                                 "`zzz`: declare it under `variables` in dag.yaml, or set "
                                 "DAG_VAR_ZZZ)"},
        {"conn.greenplumm.host", "ERROR: sql: 'conn' has no attribute 'greenplumm' (there is no "
                                 "connection `greenplumm`; did you mean `greenplum`?)"},
        {"ti.xcom_pull(task_ids='load_point')",
            "ERROR: sql: xcom_pull(): there is no task `load_point` (did you mean "
            "`load_points`?)"},
    };
    struct fixture f;
    begin(&f);
    check_all(&f, rows, ARRAY_SIZE(rows));
    end(&f);
}

TEST(the_facts_of_run_and_task_are_there)
{
    static const struct expectation rows[] = {
        {"ds", "2024-02-28"},
        {"local_ds", "2024-02-29"},
        {"local_ds_nodash", "20240229"},
        {"dag", "<DAG: geo_daily>"},
        {"dag.timezone", "Asia/Tokyo"},
        {"dag.task_ids | length", "1"},
        {"dag.task_ids", "['load_points']"},
        {"dag.task_idz", "ERROR: sql: 'DAG' has no attribute 'task_idz'"},
        {"dag_run.run_type == 'scheduled'", "True"},
        {"dag_run.run_type", "DagRunType.SCHEDULED"},
        {"dag_run.run_type.value", "scheduled"},
        {"dag_run.run_type in ['manual', 'scheduled']", "True"},
        {"dag_run.state", "running"},
        {"run_id", "scheduled__2024-02-28T15:00:00+00:00"},
        {"task.pool", "default_pool"},
        {"task.retries", "0"},
        {"task.upstream_task_ids", "[]"},
        {"ti.map_index", "-1"},
        {"task_instance.try_number", "1"},
        {"test_mode", "False"},
        {"inlets ~ outlets", "[][]"},
        {"triggering_asset_events", "{}"},
        {"mapped", "{}"},
        {"target.name", "default"},
        {"target.dialect", "postgresql"},
        {"target.plpython", "plpython3u"},
        {"target.version", ""},
    };
    struct fixture f;
    begin(&f);
    check_all(&f, rows, ARRAY_SIZE(rows));
    f.d.attempt.mapped = "{\"table\": \"a\"}";
    f.d.attempt.map_index = 2;
    CHECK_STR(value_of(&f, "mapped.table ~ ti.map_index"), "a2");
    end(&f);
}

TEST(variables_and_connections_of_the_project_are_there)
{
    static const struct expectation rows[] = {
        {"var.value.geolife_release", "/data/geolife"},
        {"var.value['geolife_release']", "/data/geolife"},
        {"var.value.get('nothing', 'else')", "else"},
        {"var.value.nothing | default('else')", "else"},
        {"var.json.limits.rows[1]", "2"},
        {"var.json.get('nothing', {'a': 1}).a", "1"},
        {"var.json.geolife_release",
            "ERROR: sql: the variable `geolife_release` is not JSON: invalid token near '/' "
            "(var.value.geolife_release gives its text)"},
        {"conn.greenplum.host", "gp.example"},
        {"conn.greenplum.port + 1", "5434"},
        {"conn.greenplum.login", "etl"},
        {"conn.greenplum.password", "p@ss"},
        {"conn.greenplum.schema", "geolife"},
        {"conn.greenplum.conn_type", "postgres"},
        {"conn.greenplum.extra_dejson.sslmode", "require"},
        {"conn.greenplum.extra", "{\"sslmode\":\"require\"}"},
        {"conn.greenplum.dialect", "greenplum6"},
        {"conn.get('local').host", "/run/pg"},
        {"conn.local.schema", "it's"},
        {"conn.local.login", "a b"},
        {"conn.local.port", "None"},
        {"conn.local.password", "None"},
        {"conn.six.host ~ ' ' ~ conn.six.port", "::1 5432"},
        {"conn.get('nothing', 'else')", "else"},
    };
    struct fixture f;
    begin(&f);
    check_all(&f, rows, ARRAY_SIZE(rows));
    end(&f);
}

/* The marks of what an expression gives. */
static unsigned marks_of(struct fixture *f, const char *expression)
{
    struct rendered_task rendered;
    struct error err;
    struct jinja_origin origin;
    const char *sql = arena_printf(f->arena, "{{ %s }}", expression);
    REQUIRE_OK(context_dag_try(&f->d, f->arena, sql, &rendered, &err), &err);
    REQUIRE(jinja_map_find(rendered.fields[0].map, 0, &origin));
    return origin.marks;
}

TEST(secrets_and_values_from_outside_are_marked)
{
    struct fixture f;
    begin(&f);
    context_dag_add_param(&f.d, f.arena, "table", NULL, "\"t\"");
    f.d.run.conf = "{\"k\": \"v\"}";
    CHECK_INT(marks_of(&f, "params.table"), JINJA_UNTRUSTED);
    CHECK_INT(marks_of(&f, "params['table'] ~ ds"), JINJA_UNTRUSTED);
    CHECK_INT(marks_of(&f, "dag_run.conf.k | upper"), JINJA_UNTRUSTED);
    CHECK_INT(marks_of(&f, "dag.params.table"), JINJA_UNTRUSTED);
    CHECK_INT(marks_of(&f, "params.table | literal"), 0);
    CHECK_INT(marks_of(&f, "var.value.api"), JINJA_SECRET);
    CHECK_INT(marks_of(&f, "var.value.get('api')"), JINJA_SECRET);
    CHECK_INT(marks_of(&f, "var.value.db_password"), JINJA_SECRET);
    CHECK_INT(marks_of(&f, "conn.greenplum.password"), JINJA_SECRET);
    CHECK_INT(marks_of(&f, "conn.greenplum.get_uri()"), JINJA_SECRET);
    CHECK_INT(marks_of(&f, "var.value.geolife_release"), 0);
    CHECK_INT(marks_of(&f, "conn.greenplum.host"), 0);
    CHECK_INT(marks_of(&f, "ds"), 0);
    end(&f);
}

TEST(the_run_s_conf_counts_over_the_task_s_params_and_those_over_the_defaults)
{
    struct fixture f;
    struct error err;
    json_t *params = NULL;
    begin(&f);
    context_dag_add_param(&f.d, f.arena, "a", "{\"type\": \"integer\"}", "1");
    context_dag_add_param(&f.d, f.arena, "b", "{\"type\": \"integer\", \"minimum\": 0}", "2");
    context_dag_add_param(&f.d, f.arena, "c", NULL, "3");
    static const char text[] = "{\"b\": 20, \"c\": 30, \"own\": 5}";
    REQUIRE_OK(json_parse(text, strlen(text), NULL, &params, &err), &err);
    f.d.task.params = params;
    f.d.run.conf = "{\"c\": 300, \"more\": [1]}";
    CHECK_STR(value_of(&f, "params"), "{'a': 1, 'b': 20, 'c': 300, 'own': 5, 'more': [1]}");
    f.d.run.conf = "{\"b\": -1}";
    CHECK_STR(value_of(&f, "ds"), "ERROR: the parameter `b` must be at least 0");
    struct rendered_task rendered;
    CHECK_INT(context_dag_try(&f.d, f.arena, "x", &rendered, &err), ERR_PARAM);
    CHECK_STR(err.place.file, "dags/geo_daily.yaml");
    CHECK_INT(err.place.line, 7);
    f.d.run.conf = "[1]";
    CHECK_STR(value_of(&f, "ds"), "ERROR: the run's conf must be a JSON object");
    json_decref(params);
    end(&f);
}

TEST(a_parameter_without_default_must_be_given)
{
    struct fixture f;
    begin(&f);
    context_dag_add_param(&f.d, f.arena, "table", "{\"type\": \"string\"}", NULL);
    CHECK(str_starts(value_of(&f, "params.table"), "ERROR: the parameter `table` "));
    f.d.run.conf = "{\"table\": \"t\"}";
    CHECK_STR(value_of(&f, "params.table"), "t");
    end(&f);
}

static const char *give_xcom(
    void *user, const char *task_id, int32_t map_index, const char *key, struct arena *arena)
{
    (void)user;
    if (!str_equal(key, "return_value"))
        return NULL;
    return map_index < 0 ? arena_printf(arena, "{\"of\": \"%s\"}", task_id)
                         : arena_printf(arena, "%d", (int)map_index * 10);
}

static size_t give_indexes(
    void *user, const char *task_id, struct arena *arena, const int32_t **ret)
{
    static const int32_t indexes[] = {0, 1, 3};
    (void)user, (void)task_id;
    *ret = arena_memdup(arena, indexes, sizeof(indexes));
    return ARRAY_SIZE(indexes);
}

TEST(xcom_of_tasks_can_be_pulled)
{
    static const struct expectation rows[] = {
        {"ti.xcom_pull(task_ids='load_points').of", "load_points"},
        {"ti.xcom_pull().of", "load_points"},
        {"ti.xcom_pull(['load_points'])", "[{'of': 'load_points'}]"},
        {"ti.xcom_pull('load_points', key='other')", "None"},
        {"ti.xcom_pull('load_points', 'other', default=1)", "1"},
        {"ti.xcom_pull('load_points', dag_id='elsewhere')",
            "ERROR: sql: xcom_pull(): only tasks of the same run can be asked"},
    };
    struct fixture f;
    begin(&f);
    CHECK_STR(value_of(&f, "ti.xcom_pull('load_points')"), "None");
    f.d.attempt.xcom = give_xcom;
    check_all(&f, rows, ARRAY_SIZE(rows));
    CHECK_INT(marks_of(&f, "ti.xcom_pull().of"), JINJA_UNTRUSTED);
    end(&f);
}

TEST(xcom_of_a_mapped_task_is_the_list_of_its_indexes)
{
    static const struct expectation rows[] = {
        {"ti.xcom_pull('load_points')", "[0, 10, 30]"},
        {"ti.xcom_pull('load_points')[2]", "30"},
        {"ti.xcom_pull('load_points', map_indexes=3)", "30"},
        {"ti.xcom_pull('load_points', map_indexes=[3, 0])", "[30, 0]"},
        {"ti.xcom_pull('load_points', key='other')", "[]"},
        {"ti.xcom_pull('load_points', map_indexes='a')",
            "ERROR: sql: xcom_pull(): map_indexes is a number from 0 to 1023, or a list of them"},
        {"ti.xcom_pull('load_points', map_indexes=-1)",
            "ERROR: sql: xcom_pull(): map_indexes is a number from 0 to 1023, or a list of them"},
    };
    struct fixture f;
    begin(&f);
    f.d.attempt.xcom = give_xcom;
    f.d.attempt.indexes = give_indexes;
    f.d.task.expand.count = 1;
    check_all(&f, rows, ARRAY_SIZE(rows));
    CHECK_INT(marks_of(&f, "ti.xcom_pull('load_points')[0]"), JINJA_UNTRUSTED);
    end(&f);
}

TEST(the_same_attempt_gives_the_same_text_again)
{
    static const char text[] = "{{ macros.random() }} {{ macros.uuid.uuid4() }} "
                               "{{ macros.uuid.uuid4().hex }} {{ macros.datetime.now() }} "
                               "{{ macros.time.time() }}";
    struct fixture f;
    begin(&f);
    const char *first = context_dag_render(&f.d, f.arena, text);
    CHECK_STR(context_dag_render(&f.d, f.arena, text), first);
    CHECK(strstr(first, "2024-03-02 15:00:00 1709391600.0"));
    f.d.attempt.seed++;
    CHECK(!str_equal(context_dag_render(&f.d, f.arena, text), first));
    CHECK_STR(value_of(&f, "macros.uuid.uuid4() | string | length"), "36");
    CHECK_STR(value_of(&f, "0 <= macros.random() < 1"), "True");
    end(&f);
}

TEST(parameters_and_settings_are_fields)
{
    struct fixture f;
    struct rendered_task rendered;
    struct error err;
    json_t *parameters = NULL;
    static const char text[] =
        "{\"day\": \"{{ ds }}\", \"n\": 1.5, \"tags\": [\"{{\"], \"no\": null}";
    static const struct named_text own[] = {
        {"work_mem", {.value = "{{ 1 + 1 }}MB"}}, {"search_path", {.value = "mine"}}};
    static const struct named_text theirs[] = {
        {"search_path", {.value = "theirs"}}, {"role", {.value = "etl_{{ target.dialect }}"}}};
    begin(&f);
    struct connection connection = {
        .name = "db", .uri = "postgresql://x/y", .settings = {theirs, ARRAY_SIZE(theirs)}};
    f.d.project.connections = &connection;
    f.d.project.connection_count = 1;
    f.d.task.sql.connection = "db";
    f.d.task.sql.settings = (struct named_texts){own, ARRAY_SIZE(own)};
    REQUIRE_OK(json_parse(text, strlen(text), NULL, &parameters, &err), &err);
    f.d.task.sql.parameters = parameters;
    REQUIRE_OK(context_dag_try(&f.d, f.arena, "select 1", &rendered, &err), &err);
    CHECK_INT(rendered.count, 7);
    CHECK_STR(rendered_find(&rendered, "parameters.day")->text.p, "2024-02-28");
    CHECK_STR(rendered_find(&rendered, "parameters.n")->text.p, "1.5");
    CHECK_STR(rendered_find(&rendered, "parameters.tags")->text.p, "[\"{{\"]");
    CHECK(!rendered_find(&rendered, "parameters.no"));
    CHECK_STR(rendered_find(&rendered, "settings.work_mem")->text.p, "2MB");
    CHECK_STR(rendered_find(&rendered, "settings.search_path")->text.p, "mine");
    CHECK_STR(rendered_find(&rendered, "settings.role")->text.p, "etl_postgresql");
    json_decref(parameters);
    end(&f);
}

TEST(a_date_that_starts_an_interval_means_it_and_any_other_the_last_complete_one)
{
    struct fixture f;
    struct run_facts run;
    struct error err;
    begin(&f);
    int64_t midnight = f.d.run.logical_us;
    CHECK_INT(f.d.run.interval_start_us, midnight);
    CHECK_INT(f.d.run.interval_end_us - midnight, US_PER_DAY);
    REQUIRE_OK(
        context_facts_at(&f.d.dag, midnight + US_PER_HOUR, RUN_TYPE_MANUAL, f.arena, &run, &err),
        &err);
    CHECK_STR(run.run_id, "manual__2024-02-28T16:00:00+00:00");
    CHECK_INT(context_run_type_at(&f.d.dag, midnight), RUN_TYPE_SCHEDULED);
    CHECK_INT(context_run_type_at(&f.d.dag, midnight + US_PER_HOUR), RUN_TYPE_MANUAL);
    CHECK_INT(run.interval_start_us, midnight - US_PER_DAY);
    CHECK_INT(run.interval_end_us, midnight);
    f.d.dag.timetable = NULL;
    CHECK_INT(context_run_type_at(&f.d.dag, midnight), RUN_TYPE_MANUAL);
    REQUIRE_OK(context_facts_at(&f.d.dag, midnight, RUN_TYPE_ASSET, f.arena, &run, &err), &err);
    CHECK_STR(run.run_id, "asset_triggered__2024-02-28T15:00:00+00:00");
    CHECK_INT(run.interval_start_us, midnight);
    CHECK_INT(run.interval_end_us, midnight);
    CHECK_INT(
        context_facts_at(&f.d.dag, INT64_MIN, RUN_TYPE_MANUAL, f.arena, &run, &err), ERR_INVALID);
    end(&f);
}

struct renderer {
    struct fixture fixture;
    size_t failures;
};

static void *render_many(void *user)
{
    struct renderer *r = user;
    for (int i = 0; i < 200; i++)
        r->failures +=
            !str_equal(value_of(&r->fixture, "logical_date.in_tz('Europe/Berlin') ~ params ~ "
                                             "conn.greenplum.host"),
                "2024-02-28 16:00:00+01:00{}gp.example");
    return NULL;
}

TEST(several_threads_may_render_at_once)
{
    pthread_t threads[4];
    struct renderer renderers[ARRAY_SIZE(threads)] = {0};
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        begin(&renderers[i].fixture);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        REQUIRE(pthread_create(&threads[i], NULL, render_many, &renderers[i]) == 0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        REQUIRE(pthread_join(threads[i], NULL) == 0);
        CHECK_INT(renderers[i].failures, 0);
        end(&renderers[i].fixture);
    }
}

static const char *read_page(struct fixture *f)
{
    struct slice page;
    struct error err;
    REQUIRE_OK(
        file_read(DAG_SOURCE_DIR "/docs/template-variables.md", SIZE_MAX, f->arena, &page, &err),
        &err);
    return page.p;
}

static void check_named(
    struct fixture *f, const char *page, const char *prefix, struct jinja_value names)
{
    struct jinja_value key, value;
    for (size_t cursor = 0; jinja_mapping_next(names, &cursor, &key, &value);)
        if (key.text[0] != '_') {
            const char *want = arena_printf(f->arena, "`%s%.*s", prefix, (int)key.size, key.text);
            test_check(strstr(page, want) != NULL, "template-variables.md", 0, want);
        }
}

TEST(the_page_of_variables_names_all_variables_and_macros)
{
    struct fixture f;
    struct error err;
    struct jinja_value all;
    begin(&f);
    struct context context = {.arena = f.arena,
        .project = &f.d.project,
        .dag = &f.d.dag,
        .task = &f.d.task,
        .run = &f.d.run,
        .attempt = &f.d.attempt,
        .target = &f.d.target};
    REQUIRE_OK(context_variables(&context, &all, &err), &err);
    const char *page = read_page(&f);
    struct jinja_value macros = jinja_mapping_get(all, "macros");
    CHECK(jinja_mapping_count(all) > 30);
    check_named(&f, page, "", all);
    check_named(&f, page, "macros.", ((const struct record *)macros.object)->fields);
    end(&f);
}
