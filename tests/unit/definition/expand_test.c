/* `expand`: what is written, what is wrong, and the values of each instance. */
#include "definition/context/context.h"
#include "tests/unit/definition/project_dir.h"

static const char project_text[] =
    "connections:\n  greenplum: {uri: postgresql://localhost/x}\n  other: {}\n";

static void check_mistake(const char *expand, const char *finding)
{
    struct project_dir dir = dir_new();
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    dir_write(&dir, "dag.yaml", project_text);
    struct dag *dag =
        dir_load(&dir, arena_printf(arena,
                           "groups: {g: {tasks: {b: {empty: {}}}}}\ntasks:\n  a: {empty: {}}\n"
                           "  m: {empty: {}, expand: %s}\n",
                           expand));
    CHECK(dag == NULL);
    if (!CHECK_STR(dir_finding(&dir, 0), finding))
        printf("  of %s\n", expand);
    CHECK_INT(dir.diagnostics->error_count, 1);
    dag_unref(dag);
    dir_done(&dir);
}

TEST(mistakes_are_told_with_what_to_write)
{
    check_mistake("[a]", "4:26 `expand` takes a mapping, this is a list");
    check_mistake("{}", "4:26 `expand` takes from 1 to 16 names");
    check_mistake("{t: walk}",
        "4:30 `expand` takes lists, this is text; write a list, `{task: …}`, `{sql: …}` or an "
        "expression that gives a list: \"{{ params.tables }}\"");
    check_mistake("{t: 3}", "4:30 `expand` takes lists, this is a whole number; write a list, "
                            "`{task: …}`, `{sql: …}` or an "
                            "expression that gives a list: \"{{ params.tables }}\"");
    check_mistake("{a-b: [1]}",
        "4:27 `a-b` cannot be a name of `mapped`; use letters, digits and `_`: templates write "
        "`mapped.name`");
    check_mistake("{t: {tsk: a}}", "4:31 a source of `expand` has no key `tsk`; did you mean "
                                   "`task`?");
    check_mistake("{t: {}}", "4:30 the source does not say where its values come from; write "
                             "`{task: …}` or `{sql: …}`");
    check_mistake("{t: {task: a, sql: select 1}}", "4:30 a source is a task or a query, not both");
    check_mistake("{t: {task: q}}", "4:37 there is no task or group `q`");
    check_mistake("{t: {task: m}}", "4:37 `m` depends on itself; a name means the task in the "
                                    "innermost group first; remove it, or rename one");
    check_mistake("{t: {task: g}}", "4:37 `g` is a group: `expand` takes the XCom of a task");
    check_mistake("{t: {sql: select 1}}", "4:30 the query does not say on which connection; write "
                                          "`connection: greenplum`");
    check_mistake("{t: {sql: select 1, connection: x}}", "4:58 there is no connection `x`; declare "
                                                         "it under `connections` in dag.yaml");
    check_mistake("{t: {sql: select 1, connection: other}, u: {sql: select 2, connection: "
                  "greenplum}}",
        "4:69 the queries of one `expand` are asked on one connection, these on `other` and "
        "`greenplum`; let a task before it ask one of them, and take its XCom");
    check_mistake(
        "{t: {task: a, connection: other}}", "4:52 `connection` is for a query: an XCom has none");
    check_mistake("{a: [1, 2], b: [1]}, expand_mode: zip",
        "4:41 `b` has 1 values, `a` has 2; with `expand_mode: zip` all lists are of the same "
        "length");
}

TEST(more_instances_than_allowed_are_told_when_the_file_is_read)
{
    struct strbuf list = {0};
    for (int n = 0; n < 33; n++)
        strbuf_printf(&list, "%s%d", n ? ", " : "", n);
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    check_mistake(arena_printf(arena, "{a: [%s],\n  b: [%s]}", list.text, list.text),
        "5:6 the task would have 1089 instances; at most 1024 are allowed; map over fewer values: "
        "ranges of them, or one table for each group");
    strbuf_done(&list);
}

TEST(a_mapped_task_comes_after_what_it_is_mapped_over)
{
    struct project_dir dir = dir_new();
    dir_write(&dir, "dag.yaml", project_text);
    struct dag *dag = dir_load(&dir,
        "groups: {g: {tasks: {a: {empty: {}}, m: {empty: {}, expand: {x: {task: a}, "
        "y: {sql: q.sql, connection: other}}, expand_mode: zip}}}}\ntasks: {a: {empty: {}}}\n");
    if (!CHECK(dag != NULL))
        printf("%s", dir_findings(&dir));
    else {
        const struct task *m = dag_find_task(dag, "g.m");
        REQUIRE(m->upstream.count == 1);
        CHECK_STR(dag->tasks[m->upstream.at[0]].task_id, "g.a");
        REQUIRE(m->expand.count == 2);
        CHECK(m->expand.zip);
        CHECK_STR(m->expand.at[0].task_id, "g.a");
        CHECK_INT(m->expand.at[1].kind, EXPAND_SQL);
        CHECK(m->expand.at[1].is_path);
        CHECK_STR(m->expand.at[1].connection, "other");
    }
    dag_unref(dag);
    dir_done(&dir);
}

/* ---- values ---- */

static const char *give_xcom(
    void *user, const char *task_id, int32_t map_index, const char *key, struct arena *arena)
{
    (void)user, (void)key;
    if (str_equal(task_id, "silent"))
        return NULL;
    return map_index < 0 ? "[{\"id\": 1}, {\"id\": 2.5}]"
                         : arena_printf(arena, "\"part %d\"", (int)map_index);
}

static size_t give_indexes(
    void *user, const char *task_id, struct arena *arena, const int32_t **ret)
{
    (void)user, (void)task_id;
    static const int32_t indexes[] = {0, 2};
    *ret = arena_memdup(arena, indexes, sizeof(indexes));
    return ARRAY_SIZE(indexes);
}

/* The values of task `m`, a line each; or the error. */
static const char *values(struct arena *arena, const char *tasks)
{
    struct project_dir dir = dir_new();
    dir_write(&dir, "dag.yaml", project_text);
    struct dag *dag = dir_load(
        &dir, arena_printf(arena, "params: {tables: [walk, bus], n: 3}\ntasks:\n%s", tasks));
    if (!dag)
        printf("%s", dir_findings(&dir));
    REQUIRE(dag != NULL);
    struct run_facts run;
    struct error err = {0};
    struct attempt_facts attempt = {
        .attempt_id = "", .map_index = -1, .xcom = give_xcom, .indexes = give_indexes};
    struct render_target target = render_target_of(dir.project, NULL);
    struct rendered_task rendered;
    struct strbuf text = {0};
    const struct task *m = dag_find_task(dag, "m");
    REQUIRE(context_facts_at(dag, 1176336000000000, RUN_TYPE_MANUAL, arena, &run, &err) == OK);
    enum status status =
        context_render_expand(dir.project, dag, m, &run, &attempt, &target, arena, &rendered, &err);
    json_t *lists[16] = {0};
    for (size_t i = 0; status == OK && i < rendered.count; i++)
        REQUIRE(json_parse(rendered.fields[i].text.p, rendered.fields[i].text.size, NULL, &lists[i],
                    &err) == OK);
    const char *const *at = NULL;
    size_t count = 0;
    if (status == OK)
        status = context_expand(dag, m, (const json_t *const *)lists, arena, &at, &count, &err);
    for (size_t i = 0; status == OK && i < count; i++)
        strbuf_printf(&text, "%s%s", i ? "\n" : "", at[i]);
    if (status)
        strbuf_printf(&text, "%u: %s (%s)", err.place.line, err.message, err.hint);
    for (size_t i = 0; i < 16; i++)
        json_decref(lists[i]);
    const char *result = strbuf_to_arena(&text, arena);
    strbuf_done(&text);
    dag_unref(dag);
    dir_done(&dir);
    return result;
}

TEST(values_keep_their_types_and_combine)
{
    static const struct {
        const char *tasks, *want;
    } rows[] = {
        {"  m: {empty: {}, expand: {a: [1, x], b: [true, null, [2]]}}\n",
            "{\"a\":1,\"b\":true}\n{\"a\":1,\"b\":null}\n{\"a\":1,\"b\":[2]}\n"
            "{\"a\":\"x\",\"b\":true}\n{\"a\":\"x\",\"b\":null}\n{\"a\":\"x\",\"b\":[2]}"},
        {"  m: {empty: {}, expand: {a: [1, 2], b: [x, y]}, expand_mode: zip}\n",
            "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}"},
        {"  m: {empty: {}, expand: {a: [\"t_{{ ds_nodash }}\", {day: \"{{ ds }}\", n: 1}]}}\n",
            "{\"a\":\"t_20070412\"}\n{\"a\":{\"day\":\"2007-04-12\",\"n\":1}}"},
        {"  m: {empty: {}, expand: {a: \"{{ params.tables }}\"}}\n",
            "{\"a\":\"walk\"}\n{\"a\":\"bus\"}"},
        {"  m: {empty: {}, expand: {a: \"{{ range(params.n) | list }}\"}}\n",
            "{\"a\":0}\n{\"a\":1}\n{\"a\":2}"},
        {"  m: {empty: {}, expand: {a: []}}\n", ""},
        {"  m: {empty: {}, expand: {a: [], b: [1]}}\n", ""},
        {"  l: {empty: {}}\n  m: {empty: {}, expand: {part: {task: l}}}\n",
            "{\"part\":{\"id\":1}}\n{\"part\":{\"id\":2.5}}"},
        {"  l: {empty: {}, expand: {x: [1, 2, 3]}}\n  m: {empty: {}, expand: {p: {task: l}}}\n",
            "{\"p\":\"part 0\"}\n{\"p\":\"part 2\"}"},
        {"  m: {empty: {}, expand: {a: \"{{ params.n }}\"}}\n",
            "3: `a` of `m` must be a list, this is a number (each item of the list makes an "
            "instance)"},
        {"  m: {empty: {}, expand: {a: [1], b: \"{{ params.tables }}\"}, expand_mode: zip}\n",
            "3: `b` of `m` has 2 values, `a` has 1 (with `expand_mode: zip` all lists are of the "
            "same length)"},
        {"  m: {empty: {}, expand: {a: \"{{ range(2000) | list }}\"}}\n",
            "3: `m` would have more than 1024 instances (map over fewer values: ranges of them, "
            "or one table for each group)"},
        {"  m: {empty: {}, expand: {a: \"{{ params.tabels }}\"}}\n",
            "3: expand.a: 'dict object' has no attribute 'tabels' ()"},
        {"  silent: {empty: {}}\n  m: {empty: {}, expand: {a: {task: silent}}}\n",
            "4: expand.a: the task `silent` has left no XCom (a sql task leaves one with `result: "
            "rows`, a process writes it to $DAG_XCOM as its last line)"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        if (!CHECK_STR(values(arena, rows[i].tasks), rows[i].want))
            printf("  of %s", rows[i].tasks);
    }
}

TEST(a_query_is_rendered_for_the_executor)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct project_dir dir = dir_new();
    dir_write(&dir, "dag.yaml", project_text);
    dir_write(&dir, "templates/parts.sql", "select '{{ ds }}'");
    struct dag *dag =
        dir_load(&dir, "tasks: {m: {empty: {}, expand: {a: {sql: parts.sql, connection: other}, "
                       "b: {sql: \"select {{ ds | literal }}\", connection: other}}}}\n");
    REQUIRE(dag != NULL);
    struct run_facts run;
    struct error err = {0};
    struct attempt_facts attempt = {.attempt_id = "", .map_index = -1};
    struct render_target target = render_target_of(dir.project, NULL);
    struct rendered_task rendered;
    REQUIRE(context_facts_at(dag, 1176336000000000, RUN_TYPE_MANUAL, arena, &run, &err) == OK);
    REQUIRE_OK(context_render_expand(dir.project, dag, &dag->tasks[0], &run, &attempt, &target,
                   arena, &rendered, &err),
        &err);
    CHECK_STR(rendered_find(&rendered, "expand.a")->text.p, "select '2007-04-12'");
    CHECK_STR(rendered_find(&rendered, "expand.a")->source, "templates/parts.sql");
    CHECK_STR(rendered_find(&rendered, "expand.b")->text.p, "select '2007-04-12'");
    CHECK_INT(dag->file_count, 2);
    dag_unref(dag);
    dir_done(&dir);
}
