/* Every mistake of a DAG file that a user can meet: place, message, what to do. */
#include "tests/unit/definition/project_dir.h"

static const char project_text[] =
    "connections:\n  greenplum: {uri: postgresql://localhost/x}\n  other: {}\npools: {big: 2}\n";

struct mistake {
    const char *text, *finding;
};

static void check_all(const struct mistake *rows, size_t count)
{
    struct project_dir dir = dir_new();
    dir_write(&dir, "dag.yaml", project_text);
    for (size_t i = 0; i < count; i++) {
        struct dag *dag = dir_load(&dir, rows[i].text);
        CHECK(dag == NULL);
        dag_unref(dag);
        if (!CHECK_STR(dir_finding(&dir, 0), rows[i].finding))
            printf("  of %s\n", rows[i].text);
        CHECK_INT(dir.diagnostics->error_count, 1);
        CHECK(dir.diagnostics->first && dir.diagnostics->first->code);
        CHECK_INT(dir.error.status, ERR_DEFINITION);
    }
    dir_done(&dir);
}

TEST(mistakes_in_keys)
{
    static const struct mistake rows[] = {
        {"shedule: null\n", "1:1 a DAG has no key `shedule`; did you mean `schedule`?"},
        {"xyzzy: null\n", "1:1 a DAG has no key `xyzzy`"},
        {"schedule_interval: \"@daily\"\n",
            "1:1 `schedule_interval` is not a key of a DAG here; write `schedule`"},
        {"dagrun_timeout: 2h\n",
            "1:1 `dagrun_timeout` is not a key of a DAG here; write `run_timeout`"},
        {"tasks: {a: {task_id: x, empty: {}}}\n",
            "1:13 `task_id` is not a key of a task here; the task's id is its key in `tasks`"},
        {"tasks: {a: {bash_command: ls}}\n",
            "1:13 `bash_command` is not a key of a task here; write `bash`"},
        {"tasks: {a: {PostgresOperator: select 1}}\n",
            "1:13 `PostgresOperator` is not a key of a task here; write `sql`"},
        {"tasks: {a: {sqll: select 1}}\n", "1:13 a task has no key `sqll`; did you mean `sql`?"},
        {"tasks: {a: {empty: {}, sqlx: 1, retries: 1}}\n", "1:24 a task has no key `sqlx`"},
        {"tasks: {a: {}}\n", "1:9 the task `a` does not say what it does; give it one of sql, "
                             "bash, exec, python, http, wait_for, branch, short_circuit, "
                             "trigger_dag, latest_only, empty"},
        {"tasks: {a: select 1}\n", "1:12 a task is a mapping, this is text; write `a: {sql: …}`"},
        {"tasks: {a: {bash: ls, empty: {}}}\n",
            "1:23 a task does one thing: `bash` and `empty` are both given; make two tasks of it"},
        {"tasks: {a: {bash: ls, transaction: false}}\n",
            "1:23 `transaction` does not belong to a task of this kind; it is a key of these "
            "kinds: sql"},
        {"default_args: {bash: ls}\n", "1:16 `bash` cannot stand in default_args; it says what one "
                                       "task does: write it there"},
        {"default_args: {retires: 3}\ntasks: {a: {empty: {}}, b: {empty: {}}}\n",
            "1:16 a task has no key `retires`; did you mean `retries`?"},
        {"groups: {g: {tooltip: x, tasks: {a: {empty: {}}}}}\n",
            "1:14 `tooltip` is not a key of a group here; write `doc`"},
        {"- a\n", "1:1 a DAG is a mapping, this is a list"},
        {"# nothing\n", "1:1 the file has no DAG"},
        {"tasks: {a: {trigger_dag: null}}\n", "1:26 the task does not say which DAG it triggers; "
                                              "write `trigger_dag: {dag_id: …}`"},
        {"tasks: {a: {trigger_dag: b, logical_date: soon}}\n",
            "1:26 'soon' is not a date or time; write it as 2007-04-12, 2007-04-12T08:30 or "
            "2007-04-12T08:30:00+02:00"},
        {"tasks: {a: {trigger_dag: {dag_id: b, conf: [1]}}}\n",
            "1:44 `conf` takes a mapping, or a template that gives a JSON object; this is a list; "
            "write `conf: {name: value}`"},
        {"tasks: {a: {trigger_dag: {dag_id: b, wait: true}, wait: false}}\n",
            "1:57 `wait` is given in `trigger_dag` and beside it; leave one of the two out"},
        {"tasks: {a: {trigger_dag: {trigger_dag_id: b}}}\n",
            "1:27 `trigger_dag_id` is not a key of a run to trigger here; write `dag_id`"},
    };
    check_all(rows, ARRAY_SIZE(rows));
}

TEST(mistakes_in_tasks_that_decide)
{
    static const struct mistake rows[] = {
        {"tasks: {a: {branch: b}, b: {empty: {}}}\n",
            "1:9 the branch `a` has nothing to choose from; write `depends_on: a` at the tasks "
            "that it chooses from"},
        {"tasks: {a: {branch: [b]}, b: {empty: {}, depends_on: a}}\n",
            "1:21 `branch` takes a template or {sql: …}, this is a list; write ids with commas "
            "between: \"a, b\""},
        {"tasks: {a: {short_circuit: null}, b: {empty: {}, depends_on: a}}\n",
            "1:28 `short_circuit` takes a template or {sql: …}, this is nothing; what is empty or "
            "false skips what follows"},
        {"tasks: {a: {branch: {sqll: select 1, sql: select 1}, connection: greenplum}, b: {empty: "
         "{}, depends_on: a}}\n",
            "1:22 a question has no key `sqll`; did you mean `sql`?"},
        {"tasks: {a: {branch: {sql: }}, b: {empty: {}, depends_on: a}}\n",
            "1:27 `sql` takes text, this is nothing"},
        {"tasks: {a: {branch: {sql: \" \"}, connection: greenplum}, b: {empty: {}, depends_on: "
         "a}}\n",
            "1:21 `branch` is empty"},
        {"tasks: {a: {branch: {sql: select 1}, connection: greenplump}, b: {empty: {}, depends_on: "
         "a}}\n",
            "1:50 there is no connection `greenplump`; did you mean `greenplum`?"},
        {"tasks: {a: {latest_only: 3}, b: {empty: {}, depends_on: a}}\n",
            "1:26 `latest_only` takes nothing; write `latest_only: {}`"},
        {"tasks: {a: {bash: ls, ignore_downstream_trigger_rules: false}}\n",
            "1:23 `ignore_downstream_trigger_rules` does not belong to a task of this kind; it is "
            "a key of these kinds: short_circuit"},
    };
    check_all(rows, ARRAY_SIZE(rows));
}

TEST(mistakes_in_values_of_a_dag)
{
    static const struct mistake rows[] = {
        {"run_timeout: 300\n",
            "1:14 run_timeout: '300' is not a duration; a duration needs its unit: write 300s"},
        {"fail_fast: yes\n", "1:12 `fail_fast` takes true or false, this is text; only `true` and "
                             "`false` are read so"},
        {"max_active_runs: many\n", "1:18 `max_active_runs` takes a whole number, this is text"},
        {"max_active_runs: 0\n", "1:18 `max_active_runs` must be from 1 to 1000000"},
        {"tags: {a: b}\n", "1:7 `tags` takes a text or a list of texts, this is a mapping"},
        {"tags: [[a]]\n", "1:8 `tags` takes text, this is a list"},
        {"tasks: [a]\n", "1:8 `tasks` takes a mapping, this is a list"},
        {"description: [x]\n", "1:14 `description` takes text, this is a list"},
        {"catchup: maybe\n", "1:10 `catchup` has no such form; write latest (or false), all (or "
                             "true) or none"},
        {"dag_id: a b\n",
            "1:9 `a b` cannot be the id of a DAG; use letters, digits, `_`, `.` and `-`"},
        {"tasks: {a b: {empty: {}}}\n",
            "1:9 `a b` cannot be the id of a task; use letters, digits, `_`, `.` and `-`"},
        {"groups: {a.b: {tasks: {a: {empty: {}}}}}\n",
            "1:10 `a.b` cannot be the id of a group; use letters, digits, `_` and `-`"},
        {"groups: {g: {tasks: {}}}\n",
            "1:10 the group `g` has no tasks; write them under its `tasks`"},
        {"tasks: {a: {empty: {}, trigger_rule: all_sucess}}\n",
            "1:38 `all_sucess` is no value of `trigger_rule`; did you mean `all_success`?"},
        {"tasks: {a: {empty: {}, trigger_rule: dummy}}\n",
            "1:38 `dummy` is not spelled so in `trigger_rule`; write `always`"},
        {"tasks: {a: {empty: {}, trigger_rule: TriggerRule.ALL_DONE}}\n",
            "1:38 `TriggerRule.ALL_DONE` is not spelled so in `trigger_rule`; write `all_done`"},
    };
    check_all(rows, ARRAY_SIZE(rows));
}

TEST(mistakes_in_values_of_every_task)
{
    static const struct mistake rows[] = {
        {"tasks: {a: {empty: {}, weight_rule: 1}}\n",
            "1:37 `1` is no value of `weight_rule`; use one of downstream, upstream, absolute"},
        {"tasks: {a: {empty: {}, execution_timeout: 0s}}\n",
            "1:43 `execution_timeout` must be longer than nothing; leave it out for no limit"},
        {"tasks: {a: {empty: {}, retry_exponential_backoff: 0.5}}\n",
            "1:51 `retry_exponential_backoff` takes true, false or a factor from 1 to 1000; write "
            "true for a factor of 2, or false"},
        {"tasks: {a: {empty: {}, retry_on: [all, x y]}}\n",
            "1:40 `x y` is nothing that `retry_on` knows; write all, SQLSTATEs (\"40001\"), "
            "classes (\"40\"), exit codes (75) or HTTP "
            "statuses (409)"},
        {"tasks: {a: {empty: {}, setup: true, teardown: true}}\n",
            "1:47 a task is a setup or a teardown, not both"},
        {"tasks: {a: {empty: {}, on_failure_fail_dagrun: true}}\n",
            "1:48 `on_failure_fail_dagrun` is for teardowns; other tasks fail the run anyway"},
        {"tasks: {a: {empty: {}, teardown: true, trigger_rule: all_done}}\n",
            "1:54 a teardown has the rule all_done_setup_success; leave `trigger_rule` out"},
        {"tasks: {a: {empty: {x: 1}}}\n", "1:20 `empty` takes nothing; write `empty: {}`"},
    };
    check_all(rows, ARRAY_SIZE(rows));
}

TEST(mistakes_in_values_of_a_kind)
{
    static const struct mistake rows[] = {
        {"tasks: {a: {exec: []}}\n", "1:19 `exec` is empty"},
        {"tasks: {a: {exec: ls -l}}\n",
            "1:19 `exec` takes a list of texts, this is text; write [program, argument, …]"},
        {"tasks: {a: {bash: \" \"}}\n", "1:19 `bash` is empty"},
        {"tasks: {a: {sql: select 1}}\n", "1:9 the task `a` does not say on which connection; "
                                          "write `connection: greenplum`"},
        {"tasks: {a: {sql: select 1, connection: greenplun}}\n",
            "1:40 there is no connection `greenplun`; did you mean `greenplum`?"},
        {"tasks: {a: {sql: select 1, connection: greenplum, parameters: 3}}\n",
            "1:63 `parameters` takes a list or a mapping, this is a whole number"},
        {"tasks: {a: {empty: {}, pool: bug}}\n",
            "1:30 there is no pool `bug`; did you mean `big`?"},
        {"tasks: {a: {empty: {}, pool: nothing}}\n",
            "1:30 there is no pool `nothing`; declare it under `pools` in dag.yaml"},
        {"tasks: {a: {empty: {}, pool: big, pool_slots: 3}}\n",
            "1:47 the task asks for 3 slots, the pool `big` has 2; it would never start"},
        {"tasks: {a: {bash: ls, connections: [greenplum, x]}}\n",
            "1:48 there is no connection `x`; declare it under `connections` in dag.yaml"},
        {"fail_fast: true\ntasks: {a: {empty: {}, trigger_rule: all_done}}\n",
            "2:9 with `fail_fast` every task has the rule all_success, `a` has all_done; leave out "
            "`fail_fast`, or the task's `trigger_rule`"},
        {"foreach: x\n", "1:10 `foreach` takes a list with items"},
        {"foreach: [1, 2]\ntasks: {}\n",
            "1:1 the file has two DAGs `x`; without `dag_id` a DAG has the file's name: give each "
            "its own"},
    };
    check_all(rows, ARRAY_SIZE(rows));
}

TEST(mistakes_that_other_parts_find_are_told_with_what_to_do)
{
    static const char *const texts[] = {
        "run_timeout: soon\n",
        "timezone: Europe/Berlim\n",
        "foreach: [1]\ndag_id: \"a{{ item ~ ds }}\"\n",
    };
    struct project_dir dir = dir_new();
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        CHECK(dir_load(&dir, texts[i]) == NULL);
        CHECK_INT(dir.diagnostics->error_count, 1);
        CHECK(dir.diagnostics->first->error.hint[0] != '\0');
    }
    dir_done(&dir);
}

TEST(mistakes_in_schedules_point_into_the_text)
{
    struct project_dir dir = dir_new();
    static const struct {
        const char *text;
        uint32_t line, column;
        enum status status;
    } rows[] = {
        {"schedule: \"30 25 * * *\"\n", 1, 15, ERR_SCHEDULE_INVALID},
        {"schedule: [0 1 * * *, 0 1 * * 9]\n", 1, 31, ERR_SCHEDULE_INVALID},
        {"schedule: 0 0 30 2 *\n", 1, 15, ERR_SCHEDULE_NEVER},
        {"schedule: {cron: 0 0 * *}\n", 1, 25, ERR_SCHEDULE_INVALID},
        {"schedule: 90\n", 1, 11, ERR_VALUE_TYPE},
        {"schedule: none\n", 1, 11, ERR_AIRFLOW_KEY},
        {"schedule: {interval: false}\n", 1, 11, ERR_KEY_MISSING},
        {"schedule: {cron: 0 0 * * *, dst: {gap: leap}}\n", 1, 40, ERR_VALUE_RANGE},
        {"schedule: {dates: nothing.txt}\n", 1, 19, ERR_UNKNOWN_REFERENCE},
        {"schedule: {dates: days.txt}\n", 2, 1, ERR_SCHEDULE_INVALID},
        {"schedule: {dates: [2007-02-30]}\n", 1, 20, ERR_SCHEDULE_INVALID},
        {"schedule: true\n", 1, 11, ERR_VALUE_TYPE},
        {"start_date: 12\n", 1, 13, ERR_VALUE_TYPE},
        {"start_date: 2007-13-01\n", 1, 13, 0},
        {"schedule: \"@daily\"\nend_date: tomorrow\n", 2, 11, ERR_SCHEDULE_INVALID},
    };
    dir_write(&dir, "dags/days.txt", "2007-01-01\n2007-01-99\n");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CHECK(dir_load(&dir, rows[i].text) == NULL);
        REQUIRE(dir.diagnostics->first != NULL);
        const struct error *error = &dir.diagnostics->first->error;
        bool ok = CHECK_INT(error->place.line, rows[i].line);
        ok &= CHECK_INT(error->place.column, rows[i].column);
        if (rows[i].status)
            ok &= CHECK_INT(error->status, rows[i].status);
        if (!ok)
            printf("  of %s  %s\n", rows[i].text, dir_finding(&dir, 0));
        CHECK_INT(dir.diagnostics->error_count, 1);
    }
    dir_done(&dir);
}

TEST(mistakes_in_parameters)
{
    static const struct mistake rows[] = {
        {"params: {n: {type: integer, default: x}}\n",
            "1:38 the default: the parameter `n` must be of type integer, this is string"},
        {"params: {n: {type: integr}}\n",
            "1:13 `type` of the parameter `n` is not what it should be"},
        {"params: {n: {default: 1, minimun: 2}}\n",
            "1:13 `minimun` is no keyword of the parameter `n`; did you mean `minimum`?"},
        {"params: {n: {enum: [1, 2], default: 3}}\n",
            "1:37 the default: the parameter `n` must be one of [1,2], this is 3"},
        {"params: {n: {type: integer, maximum: 5}}\ntasks: {a: {empty: {}, params: {n: 6}}}\n",
            "2:36 the parameter `n` must be at most 5"},
    };
    check_all(rows, ARRAY_SIZE(rows));
}

TEST(all_mistakes_of_a_file_are_found_in_one_pass)
{
    struct project_dir dir = dir_new();
    CHECK(dir_load(&dir,
              "shedule: null\nrun_timeout: 5\ntasks:\n  a: {bash: ls, retries: x}\n"
              "  b: {empty: {}, depends_on: c}\n---\ndag_id: y\ntasks:\n  a: {}\n") == NULL);
    CHECK_STR(dir_findings(&dir),
        "1:1 a DAG has no key `shedule`; did you mean `schedule`?\n"
        "2:14 run_timeout: '5' is not a duration; a duration needs its unit: write 5s\n"
        "4:26 `retries` takes a whole number, this is text\n"
        "5:30 there is no task or group `c`\n"
        "9:3 the task `a` does not say what it does; give it one of sql, bash, exec, python, "
        "http, wait_for, branch, short_circuit, trigger_dag, latest_only, empty\n");
    CHECK_STR(dir.error.message, "dags/x.yaml has 5 mistakes");
    CHECK_STR(dir.diagnostics->first->error.excerpt, "shedule: null");
    CHECK_STR(dir.diagnostics->first->code, "unknown-key");
    dir_done(&dir);
}

TEST(a_file_that_stands_alone_may_refer_to_what_a_project_has)
{
    struct project_dir dir = dir_new();
    dir_write(&dir, "x.yaml",
        "tasks: {a: {sql: select 1, connection: gp, pool: p}, "
        "b: {sql: select 2}}\n");
    struct dagfile_options options = {.project = dir_project(&dir), .references_optional = true};
    struct dagfile file;
    REQUIRE_OK(dagfile_load(&options, "x.yaml", &file, dir.diagnostics, &dir.error), &dir.error);
    CHECK_INT(dir.diagnostics->warning_count, 2);
    CHECK(file.dags[0]->tasks[1].sql.connection == NULL);
    dagfile_done(&file);
    dir_done(&dir);
}

TEST(a_missing_file_is_not_found)
{
    struct project_dir dir = dir_new();
    struct dagfile_options options = {.project = dir_project(&dir)};
    struct dagfile file;
    CHECK(dagfile_load(&options, "nothing.yaml", &file, dir.diagnostics, &dir.error) ==
          ERR_NOT_FOUND);
    CHECK_STR(dir.error.message, "there is no DAG file nothing.yaml");
    CHECK_INT(file.count, 0);
    dir_done(&dir);
}
