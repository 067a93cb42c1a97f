/* Counted references and look-ups. */
#include "definition/model/model.h"
#include "tests/unit/test.h"

static struct dag *make(void)
{
    struct arena *arena = arena_new();
    struct dag *dag = arena_new_of(arena, struct dag);
    struct task *tasks = arena_array(arena, struct task, 2);
    struct param *params = arena_array(arena, struct param, 1);
    atomic_init(&dag->references, 1);
    dag->arena = arena;
    tasks[0] = (struct task){.task_id = "a", .params = json_object()};
    tasks[1] = (struct task){.task_id = "g.b", .sql = {.parameters = json_array()}};
    for (int n = 0; n < 2; n++)
        task_set_parts(&tasks[n], NULL, arena);
    params[0] = (struct param){"p", json_object(), json_integer(1), 0, 0};
    dag->tasks = tasks;
    dag->task_count = 2;
    dag->params = params;
    dag->param_count = 1;
    return dag;
}

TEST(a_dag_lives_until_its_last_reference_goes)
{
    struct dag *dag = make();
    struct dag *other = dag_ref(dag);
    CHECK(other == dag);
    dag_unref(dag);
    /* Under AddressSanitizer a use after the last reference would end the test here. */
    CHECK_STR(dag_find_task(other, "g.b")->task_id, "g.b");
    CHECK(dag_find_task(other, "b") == NULL);
    dag_unref(other);
    dag_unref(NULL);
}

TEST(names_of_kinds_and_dialects_are_the_contracts)
{
    enum dialect dialect;
    CHECK_STR(task_kind_name(KIND_SQL), "sql");
    CHECK_STR(task_kind_name(KIND_LATEST_ONLY), "latest_only");
    for (int i = 0; i < KIND_COUNT; i++)
        CHECK(task_kind_name((enum task_kind)i) != NULL);
    CHECK(dialect_parse("greenplum7", &dialect) && dialect == DIALECT_GREENPLUM7);
    CHECK(!dialect_parse("greenplum", &dialect));
    CHECK_STR(dialect_name(DIALECT_POSTGRESQL), "postgresql");
}

TEST(a_variable_of_the_environment_is_found_whatever_its_case)
{
    static const struct variable variables[] = {
        {.name = "release", .value = "e", .origin = ORIGIN_ENVIRONMENT},
        {.name = "Path", .value = "f", .origin = ORIGIN_FILE}};
    struct project project = {.variables = variables, .variable_count = 2};
    CHECK_STR(project_find_variable(&project, "Release")->value, "e");
    CHECK_STR(project_find_variable(&project, "Path")->value, "f");
    CHECK(project_find_variable(&project, "path") == NULL);
}
