/* Names in depends_on, groups, order, weights. */
#include "tests/unit/definition/project_dir.h"

/* "a>b a>g.c": every edge, in order. */
static const char *edges(struct project_dir *dir, const struct dag *dag)
{
    struct strbuf text = {0};
    for (uint32_t i = 0; i < dag->task_count; i++)
        for (size_t j = 0; j < dag->tasks[i].upstream.count; j++)
            strbuf_printf(&text, "%s%s>%s", text.size ? " " : "",
                dag->tasks[dag->tasks[i].upstream.at[j]].task_id, dag->tasks[i].task_id);
    char *copy = strbuf_to_arena(&text, dir->arena);
    strbuf_done(&text);
    return copy;
}

static void check_edges(const char *text, const char *want)
{
    struct project_dir dir = dir_new();
    struct dag *dag = dir_load(&dir, text);
    if (!CHECK(dag != NULL))
        printf("%s", dir_findings(&dir));
    else
        CHECK_STR(edges(&dir, dag), want);
    dag_unref(dag);
    dir_done(&dir);
}

TEST(names_resolve_in_the_innermost_group_first)
{
    check_edges("tasks:\n  a: {empty: {}}\n  b: {empty: {}}\ngroups:\n  g:\n    tasks:\n"
                "      a: {empty: {}}\n      c: {empty: {}, depends_on: [a, b]}\n"
                "    groups:\n      h:\n        tasks:\n"
                "          d: {empty: {}, depends_on: [a, c, b]}\n"
                "          e: {empty: {}, depends_on: [g.a, h.d]}\n",
        "b>g.c g.a>g.c b>g.h.d g.a>g.h.d g.c>g.h.d g.a>g.h.e g.h.d>g.h.e");
}

TEST(a_group_can_be_depended_on_and_depend)
{
    check_edges("tasks:\n  start: {empty: {}}\n  end: {empty: {}, depends_on: g}\ngroups:\n"
                "  g:\n    depends_on: start\n    tasks:\n      a: {empty: {}}\n"
                "      b: {empty: {}, depends_on: a}\n      c: {empty: {}}\n",
        "g.b>end g.c>end start>g.a g.a>g.b start>g.c");
}

TEST(groups_depend_on_groups_inside_out)
{
    check_edges("groups:\n  one:\n    groups:\n      x: {tasks: {a: {empty: {}}, b: {empty: {}}}}\n"
                "      y: {depends_on: x, tasks: {c: {empty: {}}, d: {empty: {}}}}\n"
                "  two: {depends_on: one, tasks: {e: {empty: {}}}}\n",
        "one.x.a>one.y.c one.x.b>one.y.c one.x.a>one.y.d one.x.b>one.y.d one.y.c>two.e "
        "one.y.d>two.e");
}

TEST(teardowns_of_a_group_are_not_waited_for)
{
    check_edges("tasks: {after: {empty: {}, depends_on: g}}\ngroups:\n  g:\n    tasks:\n"
                "      s: {empty: {}, setup: true}\n      w: {empty: {}, depends_on: s}\n"
                "      t: {empty: {}, teardown: true, depends_on: [s, w]}\n",
        "g.w>after g.s>g.w g.s>g.t g.w>g.t");
}

TEST(a_dependency_named_twice_is_one)
{
    check_edges("tasks: {a: {empty: {}}, b: {empty: {}, depends_on: [a, a]}}", "a>b");
}

TEST(tasks_keep_the_files_order_and_the_topological_order_is_stable)
{
    struct project_dir dir = dir_new();
    struct dag *dag = dir_load(&dir,
        "groups: {g: {tasks: {x: {empty: {}}}}}\ntasks:\n  d: {empty: {}, depends_on: [b, c]}\n"
        "  c: {empty: {}, depends_on: a}\n  b: {empty: {}, depends_on: a}\n  a: {empty: {}}\n");
    REQUIRE(dag != NULL);
    static const char *const order[] = {"g.x", "a", "c", "b", "d"};
    CHECK_STR(dag->tasks[0].task_id, "g.x");
    CHECK_STR(dag->tasks[1].task_id, "d");
    for (uint32_t i = 0; i < dag->task_count; i++)
        CHECK_STR(dag->tasks[dag->topological[i]].task_id, order[i]);
    CHECK_INT(dag_find_task(dag, "a")->downstream.count, 2);
    CHECK(dag_find_task(dag, "x") == NULL);
    dag_unref(dag);
    dir_done(&dir);
}

TEST(weights_follow_their_rule)
{
    static const struct {
        const char *rule;
        int64_t a, b, d;
    } rows[] = {{"downstream", 1 + 2 + 3 + 4, 2 + 4, 4}, {"upstream", 1, 1 + 2, 1 + 2 + 3 + 4},
        {"absolute", 1, 2, 4}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct project_dir dir = dir_new();
        char text[512];
        snprintf(text, sizeof(text),
            "default_args: {weight_rule: %s}\ntasks:\n  a: {empty: {}}\n"
            "  b: {empty: {}, priority_weight: 2, depends_on: a}\n"
            "  c: {empty: {}, priority_weight: 3, depends_on: a}\n"
            "  d: {empty: {}, priority_weight: 4, depends_on: [b, c]}\n",
            rows[i].rule);
        struct dag *dag = dir_load(&dir, text);
        REQUIRE(dag != NULL);
        CHECK_INT(dag_find_task(dag, "a")->weight, rows[i].a);
        CHECK_INT(dag_find_task(dag, "b")->weight, rows[i].b);
        CHECK_INT(dag_find_task(dag, "d")->weight, rows[i].d);
        dag_unref(dag);
        dir_done(&dir);
    }
}

TEST(mistakes_between_tasks_say_which)
{
    static const struct {
        const char *text, *finding;
    } rows[] = {
        {"tasks:\n  a: {empty: {}, depends_on: c}\n  b: {empty: {}, depends_on: [a]}\n"
         "  c: {empty: {}, depends_on: b}\n  d: {empty: {}, depends_on: c}\n",
            "2:30 tasks depend on each other in a circle: a → b → c → a; each waits for the one "
            "before it; remove one of these dependencies"},
        {"tasks: {a: {empty: {}, depends_on: a}}\n",
            "1:36 `a` depends on itself; a name means the task in the innermost group first; "
            "remove it, or rename one"},
        {"tasks: {load: {empty: {}}, b: {empty: {}, depends_on: [laod]}}\n",
            "1:56 there is no task or group `laod`; did you mean `load`?"},
        {"tasks: {a.b: {empty: {}}}\ngroups: {a: {tasks: {b: {empty: {}}}}}\n",
            "2:22 the id `a.b` is used twice; the first one is on line 1"},
        {"groups: {g: {tasks: {a: {empty: {}, depends_on: g}}}}\n",
            "1:49 `g.a` cannot depend on `g`: one is part of the other"},
        {"groups: {g: {depends_on: g.a, tasks: {a: {empty: {}}}}}\n",
            "1:26 `g` cannot depend on `g.a`: one is part of the other"},
    };
    struct project_dir dir = dir_new();
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CHECK(dir_load(&dir, rows[i].text) == NULL);
        CHECK_STR(dir_finding(&dir, 0), rows[i].finding);
        CHECK_INT(dir.diagnostics->error_count, 1);
    }
    dir_done(&dir);
}

TEST(ids_have_at_most_250_characters)
{
    struct project_dir dir = dir_new();
    struct strbuf text = {0};
    strbuf_add_str(&text, "tasks: {");
    strbuf_add_repeat(&text, 'a', 250);
    strbuf_add_str(&text, ": {empty: {}}}\n");
    struct dag *dag = dir_load(&dir, text.text);
    CHECK(dag != NULL);
    dag_unref(dag);
    strbuf_clear(&text);
    strbuf_add_str(&text, "groups: {g: {tasks: {");
    strbuf_add_repeat(&text, 'a', 249);
    strbuf_add_str(&text, ": {empty: {}}}}}\n");
    CHECK(dir_load(&dir, text.text) == NULL);
    CHECK_STR(dir_finding(&dir, 0), "1:22 the id of this task is longer than 250 characters");
    strbuf_done(&text);
    dir_done(&dir);
}

TEST(too_many_edges_are_refused)
{
    struct project_dir dir = dir_new();
    struct strbuf text = {0};
    strbuf_add_str(&text, "groups:\n");
    for (int g = 0; g < 2; g++) {
        strbuf_printf(&text, "  g%d:\n    depends_on: [%s]\n    tasks:\n", g, g ? "g0" : "");
        for (int i = 0; i < 500; i++)
            strbuf_printf(&text, "      t%d: {empty: {}}\n", i);
    }
    CHECK(dir_load(&dir, text.text) == NULL);
    CHECK_STR(
        dir_finding(&dir, 0), "505:3 the DAG has more than 200000 dependencies between tasks");
    strbuf_done(&text);
    dir_done(&dir);
}

TEST(a_chain_of_thousands_of_tasks_loads)
{
    struct project_dir dir = dir_new();
    struct strbuf text = {0};
    strbuf_add_str(&text, "tasks:\n  t0: {empty: {}}\n");
    for (int i = 1; i < 5000; i++)
        strbuf_printf(&text, "  t%d: {empty: {}, depends_on: t%d}\n", i, i - 1);
    struct dag *dag = dir_load(&dir, text.text);
    REQUIRE(dag != NULL);
    CHECK_INT(dag->task_count, 5000);
    CHECK_INT(dag->tasks[0].weight, 5000);
    CHECK_INT(dag->topological[4999], 4999);
    dag_unref(dag);
    strbuf_done(&text);
    dir_done(&dir);
}

TEST(a_long_chain_of_short_circuits_is_refused_unless_they_skip_only_the_next)
{
    static const char *const keys[] = {"", ", ignore_downstream_trigger_rules: false"};
    for (size_t n = 0; n < ARRAY_SIZE(keys); n++) {
        struct project_dir dir = dir_new();
        struct strbuf text = {0};
        strbuf_add_str(&text, "tasks:\n  t0: {empty: {}}\n");
        for (int i = 1; i < 1500; i++)
            strbuf_printf(
                &text, "  t%d: {short_circuit: x, depends_on: t%d%s}\n", i, i - 1, keys[n]);
        struct dag *dag = dir_load(&dir, text.text);
        CHECK((dag != NULL) == (n == 1));
        if (n == 0)
            CHECK(strstr(dir_finding(&dir, 0), "followed by more than 1000000 tasks") != NULL);
        dag_unref(dag);
        strbuf_done(&text);
        dir_done(&dir);
    }
}
