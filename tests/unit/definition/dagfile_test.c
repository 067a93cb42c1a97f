/* What a DAG file says and what it is read as. */
#include "definition/param.h"
#include "language/timetable/timetable.h"
#include "tests/unit/definition/project_dir.h"

static const char project_text[] =
    "connections:\n  greenplum: {uri: postgresql://localhost/x}\n  other: {}\npools: {big: 2}\n";

struct fixture {
    struct project_dir dir;
    struct dag *dag;
};

static struct fixture load(const char *text)
{
    struct fixture f = {.dir = dir_new()};
    dir_write(&f.dir, "dag.yaml", project_text);
    f.dag = dir_load(&f.dir, text);
    if (!f.dag)
        printf("%s", dir_findings(&f.dir));
    REQUIRE(f.dag != NULL);
    return f;
}

static void done(struct fixture *f)
{
    dag_unref(f->dag);
    dir_done(&f->dir);
}

TEST(defaults_are_those_of_the_contract)
{
    struct fixture f = load("tasks: {a: {empty: {}}}\n");
    const struct dag *dag = f.dag;
    CHECK_STR(dag->dag_id, "x");
    CHECK_STR(dag->file, "dags/x.yaml");
    CHECK_STR(dag->schedule_text, "none");
    CHECK(dag->timetable == NULL);
    CHECK(dag->start_us == INT64_MIN);
    CHECK(dag->end_us == INT64_MAX);
    CHECK_INT(dag->catchup, CATCHUP_LATEST);
    CHECK_INT(dag->max_active_runs, 16);
    CHECK_INT(dag->max_active_tasks, 16);
    CHECK_INT(dag->max_consecutive_failed_runs, 0);
    CHECK_INT(dag->priority, 0);
    CHECK_INT(dag->run_timeout_us, 0);
    CHECK(!dag->fail_fast && !dag->paused && !dag->uses_past);
    CHECK_STR(zone_name(dag->zone), "UTC");
    const struct task *task = &dag->tasks[0];
    CHECK_INT(task->retries, 0);
    CHECK_INT(task->retry_delay_us, 300 * US_PER_SECOND);
    CHECK_INT(task->max_retry_delay_us, 24 * US_PER_HOUR);
    CHECK(task->retry_exponential_backoff == 0);
    CHECK_INT(task->trigger_rule, RULE_ALL_SUCCESS);
    CHECK_STR(task->pool, "default_pool");
    CHECK_INT(task->pool_slots, 1);
    CHECK_INT(task->priority_weight, 1);
    CHECK_INT(task->weight_rule, WEIGHT_DOWNSTREAM);
    CHECK_INT(task->execution_timeout_us, 0);
    CHECK_INT(strlen(dag->version), 64);
    done(&f);
}

TEST(every_key_of_a_dag_is_taken_over)
{
    struct fixture f = load(
        "dag_id: geo.life-1\ndescription: d\ntags: [a, b]\nowner: me\nschedule: \"30 2 * * *\"\n"
        "timezone: Europe/Berlin\nstart_date: 2007-04-12\nend_date: 2007-05-07\ncatchup: none\n"
        "max_active_runs: 1\nmax_active_tasks: 4\nmax_consecutive_failed_runs: 3\npriority: -2\n"
        "run_timeout: 6h\nfail_fast: true\npaused: true\ntasks: {a: {empty: {}}}\n");
    const struct dag *dag = f.dag;
    CHECK_STR(dag->dag_id, "geo.life-1");
    CHECK_STR(dag->description, "d");
    CHECK_STR(dag->owner, "me");
    CHECK_INT(dag->tags.count, 2);
    CHECK_STR(dag->schedule_text, "30 2 * * *");
    CHECK_STR(zone_name(dag->zone), "Europe/Berlin");
    char text[TIME_TEXT_SIZE];
    time_format_iso(dag->start_us, text);
    CHECK_STR(text, "2007-04-11T22:00:00+00:00");
    time_format_iso(dag->end_us, text);
    CHECK_STR(text, "2007-05-07T21:59:59.999999+00:00");
    CHECK_INT(dag->catchup, CATCHUP_NONE);
    CHECK_INT(dag->max_active_runs, 1);
    CHECK_INT(dag->max_active_tasks, 4);
    CHECK_INT(dag->max_consecutive_failed_runs, 3);
    CHECK_INT(dag->priority, -2);
    CHECK_INT(dag->run_timeout_us, 6 * US_PER_HOUR);
    CHECK(dag->fail_fast && dag->paused);
    struct timetable_run run;
    CHECK_INT(timetable_next(dag->timetable, NULL, TIME_MIN_US, &run), TIMETABLE_RUN);
    time_format_iso(run.logical_us, text);
    CHECK_STR(text, "2007-04-12T00:30:00+00:00");
    done(&f);
}

TEST(every_common_key_of_a_task_is_taken_over)
{
    struct fixture f =
        load("tasks:\n  b: {empty: {}}\n  a:\n    empty:\n    retries: 3\n    retry_delay: 30s\n"
             "    retry_exponential_backoff: true\n    max_retry_delay: 1h\n    retry_on: [all]\n"
             "    execution_timeout: 1h30m\n    depends_on: b\n    trigger_rule: all_done\n"
             "    depends_on_past: false\n    wait_for_downstream: true\n    pool: big\n"
             "    pool_slots: 2\n    priority_weight: 5\n    weight_rule: absolute\n"
             "    max_active_tis_per_dag: 7\n    max_active_tis_per_dagrun: 8\n    params: {p: 1}\n"
             "    env: {A: \"{{ ds }}\", B: 2}\n    settings: {work_mem: 1GB}\n    doc: note\n");
    const struct task *task = dag_find_task(f.dag, "a");
    REQUIRE(task != NULL);
    CHECK_INT(task->index, 1);
    CHECK_INT(task->line, 3);
    CHECK_INT(task->retries, 3);
    CHECK_INT(task->retry_delay_us, 30 * US_PER_SECOND);
    CHECK(task->retry_exponential_backoff == 2);
    CHECK_INT(task->max_retry_delay_us, US_PER_HOUR);
    CHECK_STR(task->retry_on.at[0], "all");
    CHECK_INT(task->execution_timeout_us, 90 * US_PER_MINUTE);
    CHECK_INT(task->upstream.count, 1);
    CHECK_INT(task->trigger_rule, RULE_ALL_DONE);
    CHECK(task->depends_on_past && task->wait_for_downstream && f.dag->uses_past);
    CHECK_STR(task->pool, "big");
    CHECK_INT(task->pool_slots, 2);
    CHECK_INT(task->priority_weight, 5);
    CHECK_INT(task->weight, 5);
    CHECK_INT(task->max_active_tis_per_dag, 7);
    CHECK_INT(task->max_active_tis_per_dagrun, 8);
    CHECK_INT(json_integer_value(json_object_get(task->params, "p")), 1);
    CHECK_STR(task->process->env.at[0].name, "A");
    CHECK_STR(task->process->env.at[1].text.value, "2");
    CHECK_STR(task->sql.settings.at[0].text.value, "1GB");
    CHECK_STR(task->doc, "note");
    done(&f);
}

TEST(sql_tasks_are_read_as_text_or_path)
{
    struct fixture f = load(
        "tasks:\n  a:\n    sql: |\n      select 1\n    connection: greenplum\n"
        "    parameters: [1, \"{{ ds }}\"]\n    transaction: false\n    isolation: serializable\n"
        "    session: fresh\n    statement_timeout: 10m\n    result: row\n"
        "  b: {sql: geolife/x.sql, connection: other}\n");
    const struct sql_task *sql = &f.dag->tasks[0].sql;
    CHECK_STR(sql->sql.value, "select 1\n");
    CHECK(!sql->is_path);
    CHECK_INT(sql->sql.line, 4);
    CHECK_INT(sql->sql.indent, 6);
    CHECK_STR(sql->connection, "greenplum");
    CHECK_INT(json_array_size(sql->parameters), 2);
    CHECK(!sql->transaction);
    CHECK_INT(sql->isolation, ISOLATION_SERIALIZABLE);
    CHECK_INT(sql->session, SESSION_FRESH);
    CHECK_INT(sql->statement_timeout_us, 10 * US_PER_MINUTE);
    CHECK_INT(sql->result, RESULT_ROW);
    CHECK(f.dag->tasks[1].sql.is_path);
    CHECK(f.dag->tasks[1].sql.transaction);
    done(&f);
}

TEST(process_tasks_are_read)
{
    struct fixture f =
        load("tasks:\n  a: {bash: \"echo $1\", args: [x, 2], cwd: sub, kill_grace: 5s,\n"
             "      connections: [greenplum], skip_on_exit_code: 7}\n"
             "  b: {exec: [bin/load, \"{{ ds }}\", --only, 3]}\n"
             "  c: {python: job.py, interpreter: python3.11, args: [y]}\n");
    const struct process_task *bash = f.dag->tasks[0].process;
    CHECK_INT(f.dag->tasks[0].kind, KIND_BASH);
    CHECK_STR(bash->script.value, "echo $1");
    CHECK_STR(bash->args.at[1].value, "2");
    CHECK_STR(bash->cwd.value, "sub");
    CHECK_INT(bash->kill_grace_us, 5 * US_PER_SECOND);
    CHECK_STR(bash->connections.at[0], "greenplum");
    CHECK_INT(bash->skip_on_exit_code, 7);
    CHECK_INT(f.dag->tasks[1].kind, KIND_EXEC);
    CHECK_INT(f.dag->tasks[1].process->argv.count, 4);
    CHECK_STR(f.dag->tasks[1].process->argv.at[3].value, "3");
    CHECK_INT(f.dag->tasks[1].process->skip_on_exit_code, 99);
    CHECK_STR(f.dag->tasks[2].process->script.value, "job.py");
    CHECK_STR(f.dag->tasks[2].process->interpreter, "python3.11");
    done(&f);
}

TEST(default_args_are_overridden_and_keep_to_the_kinds_that_have_them)
{
    struct fixture f =
        load("default_args: {connection: greenplum, retries: 2, kill_grace: 1s,\n"
             "  trigger_rule: all_done}\ntasks:\n  a: {sql: select 1}\n"
             "  b: {bash: ls, retries: 0}\n  c: {empty: {}, teardown: true, depends_on: [a]}\n"
             "groups:\n  g:\n    default_args: {retries: 5}\n    tasks:\n"
             "      d: {sql: select 1, connection: other}\n");
    CHECK_STR(f.dag->tasks[0].sql.connection, "greenplum");
    CHECK_INT(f.dag->tasks[0].retries, 2);
    CHECK_INT(f.dag->tasks[0].trigger_rule, RULE_ALL_DONE);
    CHECK_INT(f.dag->tasks[1].retries, 0);
    CHECK_INT(f.dag->tasks[1].process->kill_grace_us, US_PER_SECOND);
    CHECK_INT(f.dag->tasks[2].trigger_rule, RULE_ALL_DONE_SETUP_SUCCESS);
    CHECK_STR(f.dag->tasks[3].task_id, "g.d");
    CHECK_INT(f.dag->tasks[3].retries, 5);
    CHECK_STR(f.dag->tasks[3].sql.connection, "other");
    done(&f);
}

TEST(parameters_are_values_or_declarations)
{
    struct fixture f = load("params:\n  trees: {type: integer, default: 20, minimum: 1}\n"
                            "  name: geolife\n  must: {type: string}\n  map: {a: 1}\n"
                            "tasks: {a: {empty: {}, params: {trees: 3}}}\n");
    struct error err;
    CHECK_INT(f.dag->param_count, 4);
    const struct param *trees = dag_find_param(f.dag, "trees");
    CHECK_INT(json_integer_value(trees->default_value), 20);
    CHECK_OK(param_check(trees, NULL, &err), &err);
    CLEANUP(json_decrefp) json_t *zero = json_integer(0);
    CHECK(param_check(trees, zero, &err) == ERR_PARAM);
    CHECK_STR(err.message, "the parameter `trees` must be at least 1");
    CHECK_STR(json_string_value(dag_find_param(f.dag, "name")->default_value), "geolife");
    CHECK(param_check(dag_find_param(f.dag, "must"), NULL, &err) == ERR_PARAM);
    CHECK_STR(err.message, "the parameter `must` has no default: give it a value");
    CHECK(dag_find_param(f.dag, "map")->schema == NULL);
    done(&f);
}

TEST(every_form_of_schedule_is_read)
{
    static const struct {
        const char *schedule, *shown;
        enum timetable_kind kind;
        bool intervals;
    } rows[] = {{"\"@daily\"", "@daily", TIMETABLE_CRON, true},
        {"\"@once\"", "@once", TIMETABLE_ONCE, false},
        {"\"@continuous\"", "@continuous", TIMETABLE_CONTINUOUS, false},
        {"30 2 * * MON-FRI", "30 2 * * MON-FRI", TIMETABLE_CRON, true},
        {"[0 2 * * *, 0 14 * * *]", "0 2 * * * | 0 14 * * *", TIMETABLE_CRON, true},
        {"90m", "90m", TIMETABLE_EVERY, true},
        {"{cron: \"@daily\", interval: false}", "@daily (at the tick)", TIMETABLE_CRON, false},
        {"{cron: 30 2 * * *, dst: {gap: skip, overlap: both}}", "30 2 * * *", TIMETABLE_CRON, true},
        {"{dates: [2007-04-12, 2007-05-01]}", "2 dates", TIMETABLE_DATES, false},
        {"{dates: days.txt}", "dates in dags/days.txt", TIMETABLE_DATES, false},
        {"{cron: 0 6 * * *, calendar: days.txt, on_holiday: next}", "0 6 * * * (with a calendar)",
            TIMETABLE_CRON, true}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct project_dir dir = dir_new();
        dir_write(&dir, "dags/days.txt", "2007-04-12 # one\n\n2007-04-13\n");
        struct dag *dag =
            dir_load(&dir, arena_printf(dir.arena,
                               "schedule: %s\nstart_date: 2007-04-01\ntasks: {a: {empty: {}}}\n",
                               rows[i].schedule));
        if (!CHECK(dag != NULL)) {
            printf("%s", dir_findings(&dir));
        } else {
            CHECK_STR(dag->schedule_text, rows[i].shown);
            CHECK_INT(timetable_kind(dag->timetable), rows[i].kind);
            CHECK(timetable_has_intervals(dag->timetable) == rows[i].intervals);
            CHECK_INT(dag->file_count, strstr(rows[i].schedule, "days.txt") ? 2 : 1);
        }
        dag_unref(dag);
        dir_done(&dir);
    }
}

TEST(catchup_has_three_words_and_two_booleans)
{
    static const struct {
        const char *text;
        enum catchup catchup;
    } rows[] = {{"latest", CATCHUP_LATEST}, {"false", CATCHUP_LATEST}, {"all", CATCHUP_ALL},
        {"true", CATCHUP_ALL}, {"none", CATCHUP_NONE}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char text[64];
        snprintf(text, sizeof(text), "catchup: %s\ntasks: {}\n", rows[i].text);
        struct fixture f = load(text);
        CHECK_INT(f.dag->catchup, rows[i].catchup);
        done(&f);
    }
}

static void load_file(struct project_dir *dir, const char *text, struct dagfile *ret)
{
    struct dagfile_options options = {.project = dir_project(dir)};
    dir_write(dir, "dags/x.yaml", text);
    enum status status = dagfile_load(&options, "dags/x.yaml", ret, dir->diagnostics, &dir->error);
    if (status != OK)
        printf("%s", dir_findings(dir));
    REQUIRE(status == OK);
}

TEST(documents_of_a_file_are_dags)
{
    struct project_dir dir = dir_new();
    struct dagfile file;
    load_file(&dir, "tasks: {}\n---\ndag_id: b\ntasks: {}\n---\n", &file);
    REQUIRE(file.count == 2);
    CHECK_STR(file.dags[0]->dag_id, "x");
    CHECK_STR(file.dags[1]->dag_id, "b");
    CHECK_INT(file.dags[1]->line, 3);
    dagfile_done(&file);
    dir_done(&dir);
}

TEST(foreach_makes_a_dag_of_each_item_and_leaves_other_expressions_alone)
{
    struct project_dir dir = dir_new();
    struct dagfile file;
    load_file(&dir,
        "foreach: [{name: a, retries: 3}, {name: b, retries: 0}]\ndag_id: load_{{ item.name }}\n"
        "tasks:\n  t:\n    bash: echo {{ item.name }} {{ ds }}\n"
        "    retries: \"{{ item.retries }}\"\n",
        &file);
    REQUIRE(file.count == 2);
    CHECK_STR(file.dags[0]->dag_id, "load_a");
    CHECK_STR(file.dags[1]->dag_id, "load_b");
    CHECK_STR(file.dags[1]->tasks[0].process->script.value, "echo b {{ ds }}");
    CHECK_INT(file.dags[0]->tasks[0].retries, 3);
    dagfile_done(&file);
    dir_done(&dir);
}

TEST(a_version_changes_with_every_file_that_the_dag_reaches)
{
    static const char text[] = "default_args: {connection: greenplum}\ntasks:\n"
                               "  a: {sql: a.sql}\n  b: {python: job.py}\n"
                               "  c: {exec: [bin/x, y]}\n";
    struct project_dir dir = dir_new();
    dir_write(&dir, "dag.yaml", project_text);
    dir_write(&dir, "templates/a.sql", "{% include 'inner.sql' %}");
    dir_write(&dir, "templates/inner.sql", "select 1");
    dir_write(&dir, "job.py", "print(1)");
    dir_write(&dir, "bin/x", "#!/bin/sh\n");
    struct dag *first = dir_load(&dir, text);
    REQUIRE(first != NULL);
    CHECK_INT(first->file_count, 5);
    CHECK_STR(first->files[0].path, "bin/x");
    static const char *const files[] = {
        "templates/a.sql", "templates/inner.sql", "job.py", "bin/x"};
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        struct dag *before = dir_load(&dir, text);
        dir_write(&dir, files[i], "{% include 'inner.sql' %} -- changed");
        struct dag *after = dir_load(&dir, text);
        CHECK(strcmp(before->version, after->version) != 0);
        CHECK_STR(before->graph_version, after->graph_version);
        dag_unref(before);
        dag_unref(after);
    }
    dir_write(&dir, "templates/unrelated.sql", "select 2");
    struct dag *last = dir_load(&dir, text);
    struct dag *same = dir_load(&dir, text);
    CHECK_STR(last->version, same->version);
    /* A template next to the DAG file comes before the one in templates. */
    dir_write(&dir, "dags/a.sql", "select 3");
    struct dag *beside = dir_load(&dir, text);
    CHECK(strcmp(beside->version, last->version) != 0);
    dag_unref(first);
    dag_unref(last);
    dag_unref(same);
    dag_unref(beside);
    dir_done(&dir);
}

TEST(the_graph_version_changes_with_tasks_kinds_edges_and_rules_only)
{
    static const struct {
        const char *text;
        bool same;
    } rows[] = {{"tasks: {a: {empty: {}, retries: 3}, b: {empty: {}, depends_on: a}}", true},
        {"description: x\ntasks: {a: {empty: {}}, b: {empty: {}, depends_on: a}}", true},
        {"tasks: {a: {empty: {}}, b: {empty: {}}}", false},
        {"tasks: {a: {bash: ls}, b: {empty: {}, depends_on: a}}", false},
        {"tasks: {a: {empty: {}}, b: {empty: {}, depends_on: a, trigger_rule: all_done}}", false},
        {"tasks: {a: {empty: {}}, c: {empty: {}, depends_on: a}}", false}};
    struct fixture f = load("tasks: {a: {empty: {}}, b: {empty: {}, depends_on: a}}");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct fixture other = load(rows[i].text);
        CHECK(str_equal(f.dag->graph_version, other.dag->graph_version) == rows[i].same);
        CHECK(!str_equal(f.dag->version, other.dag->version));
        done(&other);
    }
    done(&f);
}
