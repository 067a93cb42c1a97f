/* `checks`, `reads` and `writes`: what is written, and what is wrong. */
#include "definition/check.h"
#include "definition/context/context.h"
#include "tests/unit/definition/project_dir.h"

static const char project_text[] = "connections:\n  db: {uri: postgresql://localhost/x}\n";

static struct dag *load(struct project_dir *dir, const char *task)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    dir_write(dir, "dag.yaml", project_text);
    return dir_load(
        dir, arena_printf(arena, "tasks:\n  t:\n    sql: insert into a values (1)\n%s", task));
}

static void check_mistake(const char *task, const char *finding)
{
    struct project_dir dir = dir_new();
    struct dag *dag = load(&dir, task);
    CHECK(dag == NULL);
    if (!CHECK_STR(dir_finding(&dir, 0), finding))
        printf("  of %s\n", task);
    CHECK_INT(dir.diagnostics->error_count, 1);
    dag_unref(dag);
    dir_done(&dir);
}

TEST(each_condition_of_an_entry_is_a_check)
{
    struct project_dir dir = dir_new();
    struct dag *dag = load(&dir, "    checks:\n"
                                 "    - {row_count: 5}\n"
                                 "    - {table: s.a, where: v > 1, severity: warn,\n"
                                 "       not_null: v, unique: [v, w]}\n"
                                 "    - accepted_values: {v: [1, x, true, null]}\n"
                                 "    - sql: select true\n");
    REQUIRE(dag != NULL);
    const struct sql_task *sql = &dag->tasks[0].sql;
    REQUIRE(sql->check_count == 5);
    CHECK_INT(sql->checks[0].kind, CHECK_ROW_COUNT);
    CHECK_STR(sql->checks[0].condition.value, "5");
    CHECK(!sql->checks[0].warns && !sql->checks[0].table.value);
    CHECK_INT(sql->checks[1].kind, CHECK_NOT_NULL);
    CHECK_STR(sql->checks[1].columns.at[0], "v");
    CHECK_INT(sql->checks[2].kind, CHECK_UNIQUE);
    CHECK_INT(sql->checks[2].columns.count, 2);
    CHECK(sql->checks[2].warns);
    CHECK_STR(sql->checks[2].table.value, "s.a");
    CHECK_INT(sql->checks[2].line, 6);
    CHECK_INT(sql->checks[2].column, 7);
    CHECK_INT(sql->checks[3].kind, CHECK_ACCEPTED_VALUES);
    CHECK_INT(json_array_size(json_object_get(sql->checks[3].values, "v")), 4);
    CHECK_INT(sql->checks[4].kind, CHECK_SQL);
    dag_unref(dag);
    dir_done(&dir);
}

TEST(mistakes_are_told_with_what_to_write)
{
    static const char conditions[] =
        "give it one of row_count, not_null, unique, accepted_values, or sql";
    char want[256];
    check_mistake("    checks: {row_count: 1}",
        "4:13 `checks` takes a list, this is a mapping; write `- {row_count: \"> 0\"}` below it");
    snprintf(want, sizeof(want), "4:14 a check is a mapping, this is text; %s", conditions);
    check_mistake("    checks: [x]", want);
    snprintf(want, sizeof(want), "4:14 the check does not say what must hold; %s", conditions);
    check_mistake("    checks: [{table: a}]", want);
    check_mistake("    checks: [{notnull: [a]}]",
        "4:15 a check has no key `notnull`; did you mean `not_null`?");
    check_mistake("    checks: [{row_count: many}]",
        "4:26 `many` is not a number of rows; write \"> 0\", \">= 10\", \"= 5\", \"!= 3\", "
        "\"< 1000\" or \"<= 5\"");
    check_mistake("    checks: [{table: \"a; b\", row_count: 1}]",
        "4:22 `a; b` is not the name of a table; write `table` or `schema.table`, with \"…\" "
        "around what SQL would quote");
    check_mistake("    checks: [{where: ' ', row_count: 1}]", "4:22 `where` is empty");
    check_mistake("    checks: [{severity: fatal, row_count: 1}]",
        "4:25 `fatal` is no value of `severity`; use one of error, warn");
    check_mistake("    checks: [{accepted_values: {v: 1}}]",
        "4:36 a column's accepted values are a list, this is a whole number; write {column: [a, "
        "b]}");
    check_mistake("    checks: [{accepted_values: {v: [[1]]}}]",
        "4:37 an accepted value is text, a number, true or false, this is a list");
    check_mistake("    checks: [{accepted_values: {}}]", "4:32 `accepted_values` takes 1 to 100 "
                                                         "columns");
    check_mistake("    checks: [{sql: select true, where: x}]",
        "4:14 a check with `sql` has nothing but `severity` beside it; write the condition into "
        "the query, or make two checks of it");
    check_mistake("    writes: [a, 'b c']",
        "4:17 `b c` is not the name of a table; write `table` or `schema.table`, with \"…\" "
        "around what SQL would quote");
}

TEST(rows_are_counted_by_any_comparison)
{
    static const struct {
        const char *text;
        int64_t holds, breaks;
    } cases[] = {{"> 0", 1, 0}, {" >= 2 ", 2, 1}, {"<3", 2, 3}, {"<= 3", 3, 4}, {"= 5", 5, 4},
        {"== 5", 5, 6}, {"5", 5, 0}, {"!= 3", 4, 3}, {"<> 3", 2, 3}};
    struct check_count count;
    struct error err;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        REQUIRE_OK(check_count_read(slice_of(cases[i].text), &count, &err), &err);
        CHECK(check_count_holds(&count, cases[i].holds));
        if (!CHECK(!check_count_holds(&count, cases[i].breaks)))
            printf("  of %s\n", cases[i].text);
    }
    static const char *const wrong[] = {"", ">", "> x", "=> 3", "> -1", "1 2", "> 1e3", "~ 3"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        if (!CHECK(check_count_read(slice_of(wrong[i]), &count, &err) == ERR_VALUE_RANGE))
            printf("  of %s\n", wrong[i]);
}
