/* Assets and deadlines in DAG files. */
#include "base/clock.h"
#include "definition/lint.h"
#include "tests/unit/definition/project_dir.h"

static struct dag *load(struct project_dir *dir, const char *text)
{
    struct dag *dag = dir_load(dir, text);
    if (!CHECK(dag != NULL))
        printf("%s", dir_findings(dir));
    return dag;
}

TEST(schedules_on_assets)
{
    static const struct {
        const char *schedule, *shown;
        size_t names;
        bool cron;
    } rows[] = {
        {"{assets: speed}", "asset speed", 1, false},
        {"{assets: [a, b]}", "assets a and b", 2, false},
        {"{assets: {all: [a, b]}}", "assets a and b", 2, false},
        {"{assets: {any: [a, \"s3://x/y z.csv\"]}}", "assets a or s3://x/y z.csv", 2, false},
        {"{assets: {all: [a, {any: [b, c, a]}]}}", "assets a and (b or c or a)", 3, false},
        {"{cron: 0 6 * * *, assets: {any: [a]}}", "0 6 * * * | asset a", 1, true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct project_dir dir = dir_new();
        struct dag *dag = load(&dir, arena_printf(dir.arena,
                                         "schedule: %s\nstart_date: 2007-04-01\n"
                                         "tasks: {a: {empty: {}}}\n",
                                         rows[i].schedule));
        if (dag) {
            CHECK_STR(dag->schedule_text, rows[i].shown);
            CHECK_INT(dag->asset_names.count, rows[i].names);
            CHECK((dag->timetable != NULL) == rows[i].cron);
            CHECK(dag->start_us != INT64_MIN);
        }
        dag_unref(dag);
        dir_done(&dir);
    }
}

TEST(the_condition_is_a_tree)
{
    struct project_dir dir = dir_new();
    struct dag *dag =
        load(&dir, "schedule: {assets: {any: [a, {all: [b, c]}]}}\ntasks: {t: {empty: {}}}\n");
    REQUIRE(dag != NULL);
    const struct asset_expr *expr = dag->assets;
    CHECK_INT(expr->op, ASSET_ANY);
    REQUIRE(expr->count == 2);
    CHECK_INT(expr->items[0].op, ASSET_ONE);
    CHECK_STR(expr->items[0].name, "a");
    CHECK_INT(expr->items[1].op, ASSET_ALL);
    CHECK_STR(expr->items[1].items[1].name, "c");
    dag_unref(dag);
    dir_done(&dir);
}

TEST(outlets_and_inlets_are_names_each_once)
{
    struct project_dir dir = dir_new();
    struct dag *dag = load(&dir, "default_args: {inlets: raw}\n"
                                 "tasks: {t: {empty: {}, outlets: [a, b, a]}, u: {empty: {}}}\n");
    REQUIRE(dag != NULL);
    const struct task *task = dag_find_task(dag, "t");
    REQUIRE(task->data->outlets.count == 2);
    CHECK_STR(task->data->outlets.at[1], "b");
    CHECK_INT(dag_find_task(dag, "u")->data->outlets.count, 0);
    CHECK_STR(dag_find_task(dag, "u")->data->inlets.at[0], "raw");
    dag_unref(dag);
    dir_done(&dir);
}

TEST(deadlines_have_three_forms)
{
    static const struct {
        const char *text;
        struct deadline deadline;
    } rows[] = {
        {"2h", {DEADLINE_START, 2 * US_PER_HOUR, 0}},
        {"{after: 90m}", {DEADLINE_START, 90 * US_PER_MINUTE, 0}},
        {"{from: start, after: 5s}", {DEADLINE_START, 5 * US_PER_SECOND, 0}},
        {"{from: logical_date, after: 26h}", {DEADLINE_LOGICAL, 26 * US_PER_HOUR, 0}},
        {"{typical: 1.5}", {DEADLINE_TYPICAL, 0, 1.5}},
        {"null", {DEADLINE_NONE, 0, 0}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct project_dir dir = dir_new();
        struct dag *dag =
            load(&dir, arena_printf(dir.arena,
                           "deadline: %s\ntasks: {t: {empty: {}, deadline: %s}, u: {empty: {}}}\n",
                           rows[i].text, rows[i].text));
        REQUIRE(dag != NULL);
        const struct deadline *both[] = {&dag->deadline, &dag_find_task(dag, "t")->deadline};
        for (size_t k = 0; k < 2; k++) {
            CHECK_INT(both[k]->kind, rows[i].deadline.kind);
            CHECK_INT(both[k]->after_us, rows[i].deadline.after_us);
            CHECK(both[k]->factor == rows[i].deadline.factor);
        }
        CHECK_INT(dag_find_task(dag, "u")->deadline.kind, DEADLINE_NONE);
        CHECK(dag->has_deadlines == (rows[i].deadline.kind != DEADLINE_NONE));
        CHECK(dag->uses_durations == (rows[i].deadline.kind == DEADLINE_TYPICAL));
        dag_unref(dag);
        dir_done(&dir);
    }
}

TEST(mistakes_in_assets_and_deadlines_have_their_place)
{
    static const struct {
        const char *text, *finding;
    } rows[] = {
        {"schedule: {assets: {both: [a]}}\n",
            "1:20 a condition on assets has one key, `all` or `any`; write {all: [a, b]}, {any: "
            "[a, b]}, or one inside the other"},
        {"schedule: {assets: {all: []}}\n",
            "1:26 `all` takes a list of assets, this is an empty one; write {all: [a, b]}"},
        {"schedule: {assets: {any: a}}\n",
            "1:26 `any` takes a list of assets, this is text; write {any: [a, b]}"},
        {"schedule: {assets: [a, \" b\"]}\n",
            "1:24 this cannot be the name of an asset; write a table's name or an address, such "
            "as geolife.speed or s3://bucket/file"},
        {"schedule: {assets: 5}\n",
            "1:20 a whole number cannot be the name of an asset; write a table's name or an "
            "address, such as geolife.speed or s3://bucket/file"},
        {"schedule: {assets: a, dates: [2026-01-01]}\n",
            "1:11 a schedule has one of `cron`, `dates` and `assets`, or `cron` and `assets`; "
            "write {cron: \"30 2 * * *\", …}, {dates: […]} or {assets: {all: […]}}"},
        {"schedule: {assets: a, interval: false}\n",
            "1:33 `interval` goes with `cron` only; leave it out"},
        {"tasks: {t: {empty: {}, outlets: [\"\"]}}\n",
            "1:34 this cannot be the name of an asset; write a table's name or an address, such "
            "as geolife.speed or s3://bucket/file"},
        {"deadline: 300\n", "1:11 deadline: '300' is not a duration; a duration needs its "
                            "unit: write 300s"},
        {"deadline: 0s\n", "1:11 a deadline must be longer than nothing; write 2h, {from: "
                           "logical_date, after: 26h} or {typical: 2}: twice the median"},
        {"deadline: {from: logical_date}\n",
            "1:11 a deadline has `after`, with or without `from`, or `typical`; write 2h, {from: "
            "logical_date, after: 26h} or {typical: 2}: twice the median"},
        {"deadline: {after: 2h, typical: 2}\n",
            "1:11 a deadline has `after`, with or without `from`, or `typical`; write 2h, {from: "
            "logical_date, after: 26h} or {typical: 2}: twice the median"},
        {"tasks: {t: {empty: {}, deadline: {typical: 0.5}}}\n",
            "1:44 `typical` takes a factor from 1 to 1000; write 2h, {from: logical_date, after: "
            "26h} or {typical: 2}: twice the median"},
        {"deadline: {from: now, after: 2h}\n",
            "1:18 `now` is no value of `from`; use one of start, logical_date"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct project_dir dir = dir_new();
        struct dag *dag = dir_load(&dir, rows[i].text);
        CHECK(dag == NULL);
        dag_unref(dag);
        CHECK_STR(dir_finding(&dir, 0), rows[i].finding);
        CHECK_INT(dir.diagnostics->error_count, 1);
        dir_done(&dir);
    }
}

/* ---- all DAGs together ---- */

static const char *lint_all(struct project_dir *dir)
{
    struct strbuf text = {0};
    struct diagnostics *findings = arena_new_of(dir->arena, struct diagnostics);
    diagnostics_init(findings, dir->arena);
    REQUIRE_OK(lint_project(dir_project(dir), findings, &dir->error), &dir->error);
    for (const struct diagnostic *d = findings->first; d; d = d->next)
        strbuf_printf(&text, "%s %s %s:%u %s\n", d->severity, d->code, d->error.place.file,
            d->error.place.line, d->error.message);
    char *copy = strbuf_to_arena(&text, dir->arena);
    strbuf_done(&text);
    return copy;
}

TEST(an_asset_that_nobody_makes_is_a_warning_that_can_be_suppressed)
{
    struct project_dir dir = dir_new();
    dir_write(&dir, "dags/make.yaml", "tasks: {t: {empty: {}, outlets: [made]}}\n");
    dir_write(&dir, "dags/use.yaml",
        "schedule: {assets: {all: [made, missing]}}\ntasks: {t: {empty: {}, inlets: [other]}}\n");
    CHECK_STR(lint_all(&dir), "warning unknown-asset dags/use.yaml:1 `use` is scheduled on the "
                              "asset `missing`, which no task makes\n");
    dir_write(&dir, "dags/use.yaml",
        "# dag: ignore unknown-asset: it comes from outside\nschedule: {assets: {all: [made, "
        "missing]}}\n"
        "tasks: {t: {empty: {}}}\n");
    CHECK_STR(lint_all(&dir), "");
    dir_done(&dir);
}

TEST(a_sensor_that_waits_for_what_there_is_not_is_a_warning)
{
    struct project_dir dir = dir_new();
    dir_write(&dir, "dags/load.yaml", "tasks: {fetch: {empty: {}}}\n");
    dir_write(&dir, "dags/use.yaml",
        "tasks:\n"
        "  right: {wait_for: {task: {dag: load, task: fetch}}}\n"
        "  later: {wait_for: {task: {dag: '{{ params.x }}'}}}\n"
        "  dag: {wait_for: {task: {dag: laod}}}\n"
        "  task: {wait_for: {task: {dag: load, task: fetsh}}}\n"
        "params: {x: load}\n");
    CHECK_STR(lint_all(&dir),
        "warning unknown-wait dags/use.yaml:4 `dag` waits for DAG `laod`, which there is not\n"
        "warning unknown-wait dags/use.yaml:5 `task` waits for task `fetsh`, which DAG `load` does "
        "not have\n");
    dir_done(&dir);
}

TEST(a_task_that_triggers_what_there_is_not_or_its_own_date_is_an_error)
{
    struct project_dir dir = dir_new();
    dir_write(&dir, "dags/load.yaml", "tasks: {fetch: {empty: {}}}\n");
    dir_write(&dir, "dags/use.yaml",
        "tasks:\n"
        "  right: {trigger_dag: load}\n"
        "  later: {trigger_dag: '{{ params.x }}'}\n"
        "  wrong: {trigger_dag: {dag_id: laod}}\n"
        "  self: {trigger_dag: use, wait: true}\n"
        "  next: {trigger_dag: use, logical_date: '{{ macros.ds_add(ds, 1) }}'}\n"
        "params: {x: load}\n");
    CHECK_STR(lint_all(&dir),
        "error unknown-trigger dags/use.yaml:4 `wrong` triggers DAG `laod`, which there is not\n"
        "error trigger-self dags/use.yaml:5 `self` triggers its own DAG for its own date, which "
        "has a run: this\n");
    dir_done(&dir);
}

TEST(dags_that_wait_for_each_other_in_a_circle_are_a_warning)
{
    struct project_dir dir = dir_new();
    dir_write(&dir, "dags/a.yaml", "tasks: {t: {trigger_dag: b, wait: true}}\n");
    dir_write(&dir, "dags/b.yaml", "tasks: {t: {trigger_dag: c, wait: true}}\n");
    dir_write(&dir, "dags/c.yaml",
        "tasks: {t: {empty: {}},\n u: {trigger_dag: b, wait: true, logical_date: 2030-01-01}}\n");
    CHECK_STR(lint_all(&dir), "warning trigger-circle dags/c.yaml:2 DAGs wait for each other in a "
                              "circle: b → c → b\n");
    dir_write(&dir, "dags/c.yaml", "tasks: {u: {trigger_dag: b}}\n");
    CHECK_STR(lint_all(&dir), "");
    dir_write(&dir, "dags/c.yaml",
        "tasks: {u: {trigger_dag: c, wait: true, logical_date: 2030-01-01}}\n");
    CHECK_STR(lint_all(&dir), "warning trigger-circle dags/c.yaml:1 DAGs wait for each other in a "
                              "circle: c → c\n");
    dir_done(&dir);
}

TEST(a_circle_of_dags_is_a_warning)
{
    struct project_dir dir = dir_new();
    dir_write(&dir, "dags/a.yaml",
        "schedule: {assets: z}\ntasks: {t: {empty: {}, outlets: [x, unused]}}\n");
    dir_write(
        &dir, "dags/b.yaml", "schedule: {assets: x}\ntasks: {t: {empty: {}, outlets: [y]}}\n");
    dir_write(
        &dir, "dags/c.yaml", "schedule: {assets: y}\ntasks: {t: {empty: {}, outlets: [z]}}\n");
    CHECK_STR(lint_all(&dir), "warning asset-circle dags/a.yaml:1 DAGs start each other in a "
                              "circle: a → b → c → a\n");
    dir_write(&dir, "dags/c.yaml", "schedule: {assets: y}\ntasks: {t: {empty: {}}}\n");
    dir_write(
        &dir, "dags/a.yaml", "schedule: {assets: x}\ntasks: {t: {empty: {}, outlets: [x]}}\n");
    CHECK_STR(lint_all(&dir),
        "warning asset-circle dags/a.yaml:1 DAGs start each other in a circle: a → a\n");
    dir_done(&dir);
}

/* ---- tables that DAGs share ---- */

static const char fills[] =
    "schedule: '@daily'\nstart_date: 2024-01-01\ntasks:\n"
    "  fill: {connection: gp, sql: 'truncate s.t; insert into s.t select 1'";

/* What is said when `load.yaml` fills s.t and `use.yaml` is its head and tasks beside the reader.
 */
static const char *lint_shared(const char *load, const char *head, const char *tasks)
{
    static char told[1000];
    struct project_dir dir = dir_new();
    dir_write(&dir, "dag.yaml", "connections: {gp: {}, other: {}}\n");
    dir_write(&dir, "dags/load.yaml", load);
    dir_write(&dir, "dags/use.yaml",
        arena_printf(dir.arena,
            "%s\ntasks:\n  read:\n    connection: gp\n    sql: create temp table c as select * "
            "from "
            "s.t\n%s",
            head, tasks));
    snprintf(told, sizeof(told), "%s", lint_all(&dir));
    dir_done(&dir);
    return told;
}

TEST(a_table_of_another_dag_is_not_read_without_waiting)
{
    static const char daily[] = "schedule: '@daily'\nstart_date: 2024-01-01";
    static const char found[] = "info read-across-dags dags/use.yaml:4 `read` reads `s.t`, which "
                                "`fill` of the DAG `load` writes at no certain time before it\n";
    static const char missing[] =
        "schedule: null\ntasks:\n  fill: {connection: gp, sql: 'truncate s.t; insert "
        "into s.t select 1'}\n";
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *load = arena_printf(arena, "%s}\n", fills);
    const char *makes = arena_printf(arena, "%s, outlets: [a]}\n", fills);
    const struct {
        const char *load, *head, *tasks, *found;
    } cases[] = {
        {load, daily, "", found},
        {load, daily, "  w: {wait_for: {task: {dag: load}}}\n", ""},
        {load, daily, "  w: {wait_for: {task: {dag: '{{ ds }}'}}}\n", ""},
        {makes, daily, "", found},
        {makes, daily, "  w: {wait_for: {asset: a}}\n", ""},
        {makes, daily, "  w: {empty: {}, inlets: [a]}\n", ""},
        {makes, "schedule: {assets: {all: [a]}}", "", ""},
        {load, daily, "  t: {trigger_dag: {dag_id: load, wait: true}}\n", ""},
        {load, daily, "  t: {trigger_dag: {dag_id: load}}\n", found},
        {load, "schedule: null", "", ""},
        {missing, daily, "", ""},
        {load, daily, "  own: {connection: gp, sql: 'truncate s.t', depends_on: read}\n", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (!CHECK_STR(lint_shared(cases[i].load, cases[i].head, cases[i].tasks), cases[i].found))
            printf("  case %zu\n", i);
    const char *triggers = arena_printf(arena, "%s}\n  t: {trigger_dag: {dag_id: use}}\n", fills);
    CHECK_STR(lint_shared(triggers, "schedule: null", ""), "");
    CHECK_STR(lint_shared(triggers, daily, ""), "");
    const char *other =
        "schedule: '@daily'\nstart_date: 2024-01-01\ntasks:\n"
        "  fill: {connection: other, sql: 'truncate s.t; insert into s.t select 1'}\n";
    CHECK_STR(lint_shared(other, daily, ""), "");
}

TEST(waiting_for_a_dag_that_waits_for_the_writer_is_enough)
{
    struct project_dir dir = dir_new();
    static const char *const heads[] = {"a", "b", "c"};
    dir_write(&dir, "dag.yaml", "connections: {gp: {}}\n");
    dir_write(&dir, "dags/a.yaml", arena_printf(dir.arena, "%s}\n", fills));
    for (size_t i = 1; i < ARRAY_SIZE(heads); i++)
        dir_write(&dir, arena_printf(dir.arena, "dags/%s.yaml", heads[i]),
            arena_printf(dir.arena,
                "schedule: '@daily'\nstart_date: 2024-01-01\ntasks:\n"
                "  w: {wait_for: {task: {dag: %s}}}\n"
                "  r: {connection: gp, sql: create temp table x as select * from s.t}\n",
                heads[i - 1]));
    CHECK_STR(lint_all(&dir), "");
    dir_write(&dir, "dags/b.yaml",
        "schedule: '@daily'\nstart_date: 2024-01-01\ntasks: {w: {empty: {}}}\n");
    CHECK_STR(lint_all(&dir),
        "info read-across-dags dags/c.yaml:5 `r` reads `s.t`, which `fill` of "
        "the DAG `a` writes at no certain time before it\n");
    dir_done(&dir);
}
