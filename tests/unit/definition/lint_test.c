/* Findings of lint. */
#include "definition/lint.h"
#include "tests/unit/definition/project_dir.h"

struct fixture {
    struct project_dir dir;
    struct diagnostics *findings;
};

static struct fixture begin(const char *dag_text)
{
    struct fixture f = {.dir = dir_new()};
    dir_write(&f.dir, "dag.yaml", "connections: {gp: {}}\nvariables: {path: x}\n");
    dir_write(&f.dir, "dags/x.yaml", dag_text);
    return f;
}

/* "error template-syntax templates/a.sql:1:4 message; hint", a line a finding. */
static const char *lint(struct fixture *f)
{
    struct strbuf text = {0};
    f->findings = arena_new_of(f->dir.arena, struct diagnostics);
    diagnostics_init(f->findings, f->dir.arena);
    REQUIRE_OK(
        lint_file(dir_project(&f->dir), "dags/x.yaml", f->findings, &f->dir.error), &f->dir.error);
    for (const struct diagnostic *d = f->findings->first; d; d = d->next)
        strbuf_printf(&text, "%s %s %s:%u:%u %s; %s\n", d->severity, d->code ? d->code : "none",
            d->error.place.file, d->error.place.line, d->error.place.column, d->error.message,
            d->error.hint);
    char *copy = strbuf_to_arena(&text, f->dir.arena);
    strbuf_done(&text);
    return copy;
}

static void done(struct fixture *f)
{
    dir_done(&f->dir);
}

TEST(a_dag_without_mistakes_has_no_findings)
{
    struct fixture f = begin("tasks:\n  a: {sql: a.sql}\n  b:\n    bash: |\n      echo {{ ds }}\n"
                             "      echo {{ var.value.path }} {{ conn.gp.host }}\n");
    dir_write(&f.dir, "templates/a.sql",
        "{% import 'm.sql' as m %}select '{{ ds }}', {{ m.x() }}; savepoint a;\n");
    dir_write(&f.dir, "templates/m.sql", "{% macro x() %}1{% endmacro %}");
    CHECK_STR(lint(&f), "");
    done(&f);
}

TEST(load_mistakes_are_findings)
{
    struct fixture f = begin("shedule: null\n");
    CHECK_STR(lint(&f), "error unknown-key dags/x.yaml:1:1 a DAG has no key `shedule`; did you "
                        "mean `schedule`?\n");
    CHECK_INT(f.findings->error_count, 1);
    done(&f);
}

TEST(a_template_that_cannot_be_parsed_is_found_in_its_file)
{
    struct fixture f = begin("tasks: {a: {sql: a.sql}}\n");
    dir_write(&f.dir, "templates/a.sql", "select 1;\nselect {% if %}\n");
    const char *text = lint(&f);
    CHECK(strstr(text, "error template-syntax templates/a.sql:2:") == text);
    CHECK_INT(f.findings->error_count, 1);
    done(&f);
}

TEST(a_template_in_the_dag_file_is_placed_there)
{
    struct fixture f = begin("tasks:\n  a:\n    sql: |\n      select 1,\n        {{ tomorow }}\n"
                             "  b: {bash: \"echo {{ dss }}\"}\n");
    CHECK_STR(lint(&f),
        "error template-undefined dags/x.yaml:5:12 `tomorow` is undefined; \n"
        "error template-undefined dags/x.yaml:6:22 `dss` is undefined; did you mean `ds`?\n");
    CHECK_STR(f.findings->first->error.excerpt, "        {{ tomorow }}");
    done(&f);
}

TEST(variables_that_airflow_removed_are_named_with_their_replacement)
{
    struct fixture f = begin("tasks: {a: {sql: a.sql}}\n");
    dir_write(&f.dir, "templates/a.sql", "select '{{ yesterday_ds }}'\n");
    CHECK_STR(lint(&f), "error template-undefined templates/a.sql:1:12 `yesterday_ds` is "
                        "undefined; `yesterday_ds` is gone: use `macros.ds_add(ds, -1)`\n");
    done(&f);
}

TEST(a_missing_template_says_where_it_was_looked_for)
{
    struct fixture f = begin("tasks:\n  a: {sql: no/such.sql}\n  b: {sql: b.sql}\n");
    dir_write(&f.dir, "templates/b.sql",
        "select 1;\n{% include 'gone.sql' %}\n"
        "{% include 'may.sql' ignore missing %}");
    CHECK_STR(lint(&f),
        "error template-not-found dags/x.yaml:2:12 there is no template `no/such.sql`; looked for "
        "dags/no/such.sql, templates/no/such.sql\n"
        "error template-not-found templates/b.sql:2:12 there is no template `gone.sql`; looked for "
        "dags/gone.sql, templates/gone.sql\n");
    done(&f);
}

TEST(transaction_control_is_found_in_files_and_in_the_dag_file)
{
    struct fixture f =
        begin("tasks:\n  a: {sql: a.sql}\n  b:\n    sql: |\n      select 1;\n      begin;\n");
    dir_write(&f.dir, "templates/a.sql", "select 1;\n  COMMIT;\nrollback;\n");
    CHECK_STR(lint(&f),
        "error transaction-control templates/a.sql:2:3 COMMIT in the SQL of the task `a`; a task "
        "is one transaction, and dag ends it; leave it out, or use a savepoint\n"
        "error transaction-control templates/a.sql:3:1 ROLLBACK in the SQL of the task `a`; a task "
        "is one transaction, and dag ends it; leave it out, or use a savepoint\n"
        "error transaction-control dags/x.yaml:6:7 BEGIN in the SQL of the task `b`; a task is one "
        "transaction, and dag ends it; leave it out, or use a savepoint\n");
    done(&f);
}

TEST(undeclared_variables_and_connections_are_found)
{
    struct fixture f = begin("tasks: {a: {sql: a.sql}}\n");
    dir_write(&f.dir, "templates/a.sql",
        "select '{{ var.value.nothing }}', {{ var.json.other.x }},\n"
        "  '{{ conn.other.host }}', '{{ var.value.get('x', 1) }}', 'var.value.text'\n");
    CHECK_STR(lint(&f),
        "warning unknown-variable templates/a.sql:1:12 there is no variable `nothing`; declare it "
        "under `variables` in dag.yaml\n"
        "warning unknown-variable templates/a.sql:1:38 there is no variable `other`; declare it "
        "under `variables` in dag.yaml\n"
        "error unknown-connection templates/a.sql:2:7 there is no connection `other`; declare it "
        "under `connections` in dag.yaml\n");
    CHECK_INT(f.findings->warning_count, 2);
    CHECK_INT(f.findings->error_count, 1);
    done(&f);
}

TEST(a_schedule_without_a_date_between_start_and_end_never_runs)
{
    struct fixture f = begin("schedule: 0 0 1 1 *\nstart_date: 2007-02-01\nend_date: 2007-03-01\n"
                             "tasks: {a: {empty: {}}}\n");
    CHECK_STR(lint(&f), "error schedule-never dags/x.yaml:1:1 the DAG `x` never runs: its schedule "
                        "has no date from start_date to end_date; change one of the three\n");
    done(&f);
}

TEST(tasks_that_can_never_run_are_found)
{
    struct fixture f = begin(
        "tasks:\n  a: {empty: {}}\n  b: {empty: {}, depends_on: a, trigger_rule: all_skipped}\n"
        "  c: {empty: {}, depends_on: a, trigger_rule: one_failed}\n"
        "  d: {bash: ls}\n  e: {empty: {}, depends_on: d, trigger_rule: all_skipped}\n"
        "  f: {empty: {}, depends_on: [a, d], trigger_rule: one_failed}\n");
    CHECK_STR(lint(&f),
        "warning never-runs dags/x.yaml:3:1 the task `b` can never run: its trigger rule is "
        "all_skipped; the tasks before it cannot end so\n"
        "warning never-runs dags/x.yaml:4:1 the task `c` can never run: its trigger rule is "
        "one_failed; the tasks before it cannot end so\n");
    done(&f);
}

TEST(a_branch_whose_text_is_known_names_what_follows_it)
{
    struct fixture f = begin("params: {way: {type: string}}\n"
                             "tasks:\n  a: {branch: \"b, cc\"}\n"
                             "  b: {empty: {}, depends_on: a}\n  c: {empty: {}, depends_on: a}\n"
                             "  far: {branch: \"{{ 'c' if ds else 'd' }}\", depends_on: c}\n"
                             "  d: {empty: {}, depends_on: far}\n"
                             "  run: {branch: \"{{ params.way }}\", depends_on: d}\n"
                             "  e: {empty: {}, depends_on: run}\n");
    CHECK_STR(lint(&f),
        "error unknown-branch dags/x.yaml:3:16 `cc` is no task or group that directly follows `a`: "
        "`b`, `c`; \n"
        "error unknown-branch dags/x.yaml:6:18 `c` is no task or group that directly follows "
        "`far`: "
        "`d`; \n");
    done(&f);
}

TEST(what_a_short_circuit_may_skip_is_known_to_the_rules_after_it)
{
    struct fixture f =
        begin("tasks:\n  a: {short_circuit: \"1\"}\n  b: {empty: {}, depends_on: a}\n"
              "  c: {empty: {}, depends_on: b, trigger_rule: always}\n"
              "  d: {empty: {}, depends_on: c, trigger_rule: all_skipped}\n"
              "  last: {latest_only: {}, depends_on: d}\n");
    CHECK_STR(lint(&f),
        "warning decides-nothing dags/x.yaml:6:1 `last` decides what follows, and nothing follows "
        "it; write `depends_on: last` at the tasks that it is to keep from running\n");
    done(&f);
}

TEST(a_missing_script_and_a_dag_without_tasks_are_found)
{
    struct fixture f = begin("tasks: {a: {python: gone.py}}\n---\ndag_id: y\n");
    char *want = arena_printf(f.dir.arena,
        "error script-not-found dags/x.yaml:1:21 there is no file `gone.py`; it is looked for in "
        "the project's root, %s\n"
        "warning no-tasks dags/x.yaml:3:1 the DAG `y` has no tasks; write them under `tasks`\n",
        f.dir.path);
    CHECK_STR(lint(&f), want);
    done(&f);
}

TEST(values_from_outside_that_are_pasted_into_sql_are_found)
{
    struct fixture f =
        begin("params: {table: t, most: {type: [integer, \"null\"], default: 3},\n"
              "  must: {type: string}, few: {type: number}}\n"
              "tasks:\n  a: {sql: a.sql}\n  b:\n    sql: |\n      select 1,\n"
              "        {{ params.table }}\n  c: {bash: 'echo {{ params.table }}'}\n");
    dir_write(&f.dir, "templates/m.sql", "{% macro m(x) %}\n({{ x -}} ){% endmacro %}");
    dir_write(&f.dir, "templates/a.sql",
        "{% import 'm.sql' as m %}select '{{ ds }}', {{ params.most }}, {{ params.few + 1 }},\n"
        "  {{ params.table | literal }}, {{ params.must | identifier }}, {{ params.must | bind "
        "}},\n"
        "  {{ dag_run.conf.day }},\n"
        "  {{ ti.xcom_pull('b')[0].rows | upper }}, {{ m.m('x' ~ params.must) }},\n"
        "  {% for k, v in dag_run.conf.items() %}{{ k | literal }}{% endfor %},\n"
        "  '{{ \"a\" ~ ds ~ params['table'] }}', {{ params }}\n");
#define OUTSIDE                                                                                    \
    " is pasted into SQL as it is; a parameter, a run's conf or an XCom may hold anything: write " \
    "`| literal` or `| bind` for a value, `| identifier` for a name\n"
    CHECK_STR(lint(&f), "warning untrusted-value templates/a.sql:3:6 `dag_run.conf.day`" OUTSIDE
                        "warning untrusted-value templates/a.sql:4:6 "
                        "`ti.xcom_pull('b')[0].rows | upper`" OUTSIDE
                        "warning untrusted-value templates/m.sql:2:5 `x`" OUTSIDE
                        "warning untrusted-value templates/a.sql:6:7 "
                        "`\"a\" ~ ds ~ params['table']`" OUTSIDE
                        "warning untrusted-value templates/a.sql:6:42 `params`" OUTSIDE
                        "warning untrusted-value dags/x.yaml:8:12 `params.table`" OUTSIDE);
#undef OUTSIDE
    CHECK_INT(f.findings->first->error.place.line, 3);
    CHECK_STR(f.findings->first->error.excerpt, "  {{ dag_run.conf.day }},");
    done(&f);
}

TEST(a_bind_that_binds_nothing_is_told)
{
    struct fixture f = begin("params: {x: a}\ntasks: {a: {sql: a.sql}}\n");
    dir_write(&f.dir, "templates/a.sql",
        "create table t as select {{ params.x | bind }};\n"
        "do $$ begin perform {{ ds | bind }}; end $$;\n"
        "select {{ params.x | bind }}, {{ 1 | bind }}, date {{ ds | bind }},\n"
        "  $q${{ ds | bind }}$q$, '{{ 1 | bind }}', f({{ ds | bind }}) /* {{ ds | bind }} */;\n"
        "set local application_name = {{ (ds | bind) }}\n");
#define SAYS "; write `| literal` here, which says so\n"
    CHECK_STR(lint(&f),
        "info bind-literal templates/a.sql:1:29 `params.x | bind` stays a literal: `create` is no "
        "query and takes no bound parameters" SAYS
        "info bind-literal templates/a.sql:2:24 `ds | bind` stays a literal: `do` is no query and "
        "takes no bound parameters" SAYS
        "info bind-literal templates/a.sql:3:55 `ds | bind` stays a literal: a parameter cannot "
        "stand behind a name; write `{{ … | bind }}::date` in place of `date {{ … | bind }}`, or "
        "`| literal`\n"
        "info bind-literal templates/a.sql:4:9 `ds | bind` stays a literal: other text or a quote "
        "stands around it" SAYS
        "info bind-literal templates/a.sql:5:33 `(ds | bind)` stays a literal: `set` is no query "
        "and takes no bound parameters" SAYS);
#undef SAYS
    CHECK_INT(f.findings->error_count + f.findings->warning_count, 0);
    done(&f);
}

TEST(a_literal_inside_of_quotes_is_found)
{
    struct fixture f = begin("params: {x: a}\ntasks: {a: {sql: a.sql}}\n");
    dir_write(&f.dir, "templates/a.sql",
        "select 'a {{ params.x | literal }}', {{ params.x | literal }},\n"
        "  '{{ params.x | bind }}', $q$'{{ params.x | literal }}'$q$, '{{ 1 | literal }}',\n"
        "  {{ ('it''s ' ~ params.x) | literal }}, '{{ ds }}' -- '{{ params.x | literal }}'\n");
#define ENDS                                                                                       \
    " stands inside of quotes, and the quotes that it brings end them; take the quotes around it " \
    "away; join texts in the template, `{{ ('day ' ~ x) | literal }}`, or with `||`\n"
    CHECK_STR(lint(&f), "warning literal-in-quotes templates/a.sql:1:14 `params.x | literal`" ENDS
                        "warning literal-in-quotes templates/a.sql:2:7 `params.x | bind`" ENDS);
#undef ENDS
    done(&f);
}

TEST(a_parameter_that_lists_its_values_vouches_for_them)
{
    struct fixture f =
        begin("params: {t: {enum: [day, week]}, c: {const: x}, b: {type: boolean},\n"
              "  n: {type: [\"null\", integer]}, m: {type: integer, minimum: 5}}\n"
              "tasks: {a: {sql: \"select {{ params.t.upper() }}, {{ params.c[0] }},"
              " {{ 1 // params.b }}, {{ params.n is none }}, {{ 1 // (params.m - 4) }}\"}}\n");
    CHECK_STR(lint(&f), "");
    done(&f);
}

TEST(mistakes_that_only_rendering_shows_are_found)
{
    struct fixture f =
        begin("tasks:\n  a: {sql: a.sql}\n  b: {sql: \"select {{ 1 + 'x' }}\"}\n"
              "  c: {bash: \"echo {{ 1 // 0 }} {{ prev_start_date_success | ds }}\"}\n");
    dir_write(&f.dir, "templates/a.sql", "select 1;\nselect {{ ds.nothing }}\n");
    const char *text = lint(&f);
    CHECK(strstr(text, "error template-error templates/a.sql:2:14 ") == text);
    CHECK(strstr(text, "\nerror template-error dags/x.yaml:3:23 sql: "));
    CHECK(strstr(text, "\nerror template-error dags/x.yaml:4:22 bash: "));
    CHECK_INT(f.findings->error_count, 3);
    done(&f);
}

TEST(templates_are_rendered_for_days_on_which_they_take_another_way)
{
    struct fixture f = begin("schedule: '@daily'\nstart_date: 2023-04-05\ntasks:\n"
                             "  a: {connection: gp, sql: a.sql}\n");
    dir_write(&f.dir, "templates/a.sql",
        "select 1\n{% if logical_date.day == 1 %}where{% endif %};\n"
        "select {{ 1 if ds_nodash[4:] != '0229' else leap_days() }};\n"
        "select {% if logical_date.month == 12 %}{{ 1 // (31 - logical_date.day) }}{% endif %} "
        "2;\n");
    const char *text = lint(&f);
    static const char *const parts[] = {"error sql-syntax templates/a.sql:2:",
        " (in the run of 2023-05-01);", "error template-undefined templates/a.sql:3:",
        "error template-error templates/a.sql:4:", "(in the run of 2023-12-31);"};
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (!CHECK(strstr(text, parts[i]) != NULL))
            printf("  lacks %s in\n%s\n", parts[i], text);
    CHECK_INT(f.findings->error_count, 3);
    dir_write(&f.dir, "dags/x.yaml",
        "schedule: '@daily'\nstart_date: 2023-04-05\nend_date: 2023-04-20\ntasks:\n"
        "  a: {connection: gp, sql: a.sql}\n");
    dir_write(&f.dir, "templates/a.sql",
        "select 1 {% if logical_date.day == 1 %}where{% endif %};\nselect 2,\n");
    text = lint(&f);
    CHECK(strstr(text, "sql-syntax templates/a.sql:2") != NULL);
    CHECK(strstr(text, "in the run of") == NULL);
    CHECK_INT(f.findings->error_count, 1);
    done(&f);
}

TEST(what_only_a_run_knows_is_no_mistake)
{
    struct fixture f =
        begin("params: {must: {type: object}, day: {type: integer, minimum: 7}}\n"
              "tasks:\n  a: {sql: a.sql}\n  b: {sql: \"select {{ (1 // (params.day - 1)) | literal "
              "}}\"}\n"
              "  c: {sql: \"select {{ (params.must.a.b['c'] ~ 1 // 0) | literal }}\"}\n"
              "  d: {sql: \"select {{ var.value.later + 1 }} -- dag: ignore unknown-variable: set "
              "later\"}\n");
    dir_write(&f.dir, "templates/a.sql",
        "{% set rows = ti.xcom_pull('b') %}{% if rows is mapping and rows > 3 and rows == 1 %}"
        "{{ 1 // 0 }}{% endif %}{% set n = dag_run.conf.get('n', 1) %}"
        "{% if rows | length > 1 %}{{ 1 // 0 }}{% endif %}"
        "select {{ (n * 2) | literal }}, {{ rows | tojson | literal }}, {{ rows | literal }},"
        "{{ {1: 2}[n] }}{{ params.must.nothing.of.it | bind }}\n");
    CHECK_STR(lint(&f), "");
    done(&f);
}

TEST(a_comment_suppresses_a_finding_on_its_line_or_the_next)
{
    struct fixture f = begin("tasks: {a: {sql: a.sql}}\n");
    dir_write(&f.dir, "templates/a.sql",
        "select '{{ var.value.one }}'; -- dag: ignore unknown-variable: it is stored\n"
        "-- dag: ignore transaction-control, unknown-variable: both\n"
        "commit; select '{{ var.value.one }}'\n"
        "/* dag: ignore transaction-control */;\nrollback;\n"
        "select 'dag: ignore yaml'");
    CHECK_STR(lint(&f), "warning ignore-without-reason templates/a.sql:4:4 the comment does not "
                        "say why; write `dag: ignore CODE: the reason`\n");
    done(&f);
}

TEST(a_comment_that_suppresses_nothing_is_a_finding)
{
    struct fixture f = begin("# dag: ignore yaml, cycl: no reason\ntasks: {a: {sql: a.sql}}\n");
    dir_write(&f.dir, "templates/a.sql", "-- dag: ignore transaction-control: elsewhere\n\n\nend;");
    CHECK_STR(lint(&f),
        "error transaction-control templates/a.sql:4:1 END in the SQL of the task `a`; a task "
        "is one transaction, and dag ends it; leave it out, or use a savepoint\n"
        "warning ignore-unused dags/x.yaml:1:15 there is no `yaml` here to ignore; take the "
        "comment away; it stands on the line of a finding, or on the line before\n"
        "warning ignore-unused dags/x.yaml:1:21 there is no code `cycl`; `dag lint --codes` lists "
        "them\n");
    done(&f);
}

TEST(secrets_that_stand_in_files_are_found_and_not_shown)
{
    struct fixture f =
        begin("default_args: {connection: gp}\ntasks:\n"
              "  a: {bash: x, env: {API_TOKEN: hunter22, API_KEY: '{{ var.value.path }}'}}\n"
              "  b: {bash: 'psql postgresql://etl:hunter22@db/x'} # postgresql://u:password@db\n"
              "  c: {sql: a.sql}\n");
    dir_write(&f.dir, "templates/a.sql",
        "create user u password 'hunter22';\n"
        "select 'AKIAABCDEFGHIJKLMNOP', token, password from t where secret = true;\n"
        "select 'password: ${PW}', '-----BEGIN RSA PRIVATE KEY-----'\n");
    const char *text = lint(&f);
    CHECK(!strstr(text, "hunter22") && !strstr(text, "AKIA"));
    CHECK(strstr(text, "warning plain-secret dags/x.yaml:3:33 "));
    CHECK(strstr(text, "warning plain-secret dags/x.yaml:4:36 "));
    CHECK(strstr(text, "warning plain-secret templates/a.sql:1:25 "));
    CHECK(strstr(text, "warning plain-secret templates/a.sql:2:9 "));
    CHECK(strstr(text, "warning plain-secret templates/a.sql:3:28 "));
    CHECK_INT(f.findings->warning_count, 5);
    done(&f);
}

TEST(a_project_is_linted_as_a_whole)
{
    struct fixture f = begin("tasks: {a: {empty: {}}}\n");
    dir_write(&f.dir, "dags/y.yaml", "dag_id: x\ntasks: {a: {empty: {}}}\n");
    dir_write(&f.dir, "dags/z.yaml", "tasks: {a: {sql: commit}}\n");
    diagnostics_init(f.dir.diagnostics, f.dir.arena);
    REQUIRE_OK(lint_project(dir_project(&f.dir), f.dir.diagnostics, &f.dir.error), &f.dir.error);
    CHECK_STR(dir_findings(&f.dir),
        "1:18 COMMIT in the SQL of the task `a`; a task is one transaction, and dag ends it; leave "
        "it out, or use a savepoint\n"
        "1:1 the DAG `x` is in dags/x.yaml already; give one of the two another `dag_id`\n");
    done(&f);
}

TEST(codes_are_listed_once_with_a_meaning_in_docs_too)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct slice page;
    struct error err;
    REQUIRE_OK(file_read(DAG_SOURCE_DIR "/docs/lint/README.md", 1 << 20, arena, &page, &err), &err);
    for (size_t i = 0; i < lint_code_count; i++) {
        CHECK(strstr(page.p,
                  arena_printf(arena, "| [`%s`](%s.md) | %s | %s |", lint_codes[i].code,
                      lint_codes[i].code, lint_codes[i].severity, lint_codes[i].meaning)) != NULL);
        for (size_t j = 0; j < i; j++)
            CHECK(strcmp(lint_codes[i].code, lint_codes[j].code) != 0);
    }
}

TEST(a_check_must_be_of_one_table)
{
    struct fixture f =
        begin("default_args: {connection: gp}\ntasks:\n"
              "  a: {sql: 'truncate t', checks: [{row_count: '> 0'}]}\n"
              "  b: {sql: 'truncate t; truncate u', depends_on: a, checks: [{unique: a}]}\n"
              "  c: {sql: select f(), writes: s.t, checks: [{not_null: a}]}\n"
              "  d: {sql: select f(), checks: [{not_null: a}, {sql: select true}]}\n"
              "  e: {sql: vacuum t, transaction: false, checks: [{table: t, row_count: '> 0'}]}\n"
              "  f: {sql: 'truncate t', depends_on: b, checks: [{row_count: '{{ params.n }}',\n"
              "    where: 'v > {{ params.n }}'}]}\n"
              "params: {n: 1}\n");
    CHECK_STR(lint(&f),
        "error check-table dags/x.yaml:4:62 the check does not say of which table: the task writes "
        "`t`, `u`; write `table: …` into the check\n"
        "error check-table dags/x.yaml:6:33 the check does not say of which table, and the task's "
        "text shows none that it writes; write `table: …` into the check, or `writes: …` into the "
        "task\n"
        "warning check-too-late dags/x.yaml:7:51 the checks of `e` come too late to take anything "
        "back; with `transaction: false` every statement is committed by itself; put the checks "
        "into a task of their own that comes behind\n"
        "warning untrusted-value dags/x.yaml:9:20 `params.n` is pasted into SQL as it is; a "
        "parameter, a run's conf or an XCom may hold anything: write `| literal` or `| bind` for a "
        "value, `| identifier` for a name\n");
    done(&f);
}
