#include "testing/testfile.h"
#include "base/file.h"
#include "definition/report.h"
#include "testing/limits.h"

struct test_keys {
    const char *name, *dag, *task, *logical_date;
    struct names tasks, varies;
    const struct yaml_node *params, *variables, *conf, *connections, *xcom, *given, *expect, *error;
};

#define AT(field) offsetof(struct test_keys, field)

static const struct key file_rows[] = {
    {"tests", KEY_NODE, KEY_REQUIRED, 0, NULL, "the tests", NULL, 0, 0, 0},
};
const struct level test_file_level = {"a test file", file_rows, ARRAY_SIZE(file_rows), NULL, 0};

static const struct key test_keys_rows[] = {
    {"name", KEY_WORD, KEY_REQUIRED, AT(name), NULL, "what is tested, for people", NULL, 0, 0, 0},
    {"dag", KEY_WORD, KEY_REQUIRED, AT(dag), NULL, "the DAG's id", NULL, 0, 0, 0},
    {"task", KEY_WORD, 0, AT(task), NULL, "the task to run", NULL, 0, 0, 0},
    {"tasks", KEY_WORDS, 0, AT(tasks), NULL, "several tasks, run one after the other", NULL, 0, 0,
        0},
    {"logical_date", KEY_WORD, 0, AT(logical_date), "now",
        "the run's logical date, in the DAG's zone", NULL, 0, 0, 0},
    {"params", KEY_MAPPING, 0, AT(params), "{}", "values over the DAG's and the task's", NULL, 0, 0,
        0},
    {"variables", KEY_MAPPING, 0, AT(variables), "{}", "values over the project's variables", NULL,
        0, 0, 0},
    {"conf", KEY_MAPPING, 0, AT(conf), "{}", "`dag_run.conf`", NULL, 0, 0, 0},
    {"connections", KEY_MAPPING, 0, AT(connections), "{}",
        "URIs that templates see in `conn` instead of the project's", NULL, 0, 0, 0},
    {"xcom", KEY_MAPPING, 0, AT(xcom), "{}", "results of other tasks: {task: {key: value}}", NULL,
        0, 0, 0},
    {"given", KEY_MAPPING, 0, AT(given), "{}", "rows that are there before, by table", NULL, 0, 0,
        0},
    {"expect", KEY_MAPPING, 0, AT(expect), "{}", "rows that must be there after, by table", NULL, 0,
        0, 0},
    {"error", KEY_MAPPING, 0, AT(error), NULL, "the last task must fail like this", NULL, 0, 0, 0},
    {"varies", KEY_WORDS, 0, AT(varies), "[]",
        "tables, or columns (`table.column`), that a second run may change", NULL, 0, 0, 0},
};
const struct level test_level = {"a test", test_keys_rows, ARRAY_SIZE(test_keys_rows), NULL, 0};

#undef AT
#define AT(field) offsetof(struct test_rows, field)

static const struct key given_rows[] = {
    {"rows", KEY_NODE, 0, AT(rows), NULL, "a list of mappings, column: value", NULL, 0, 0, 0},
    {"csv", KEY_WORD, 0, AT(csv), NULL,
        "a CSV file whose first line names the columns, beside the test file", NULL, 0, 0, 0},
    {"sql", KEY_WORD, 0, AT(sql), NULL, "statements, or a path that ends in .sql", NULL, 0, 0, 0},
    {"connection", KEY_WORD, 0, AT(connection), "the first task's", "the database", NULL, 0, 0, 0},
};
const struct level test_given_level = {
    "what is given", given_rows, ARRAY_SIZE(given_rows), NULL, 0};

static const char *const match_choices[] = {"exact", "subset", NULL};

static const struct key expect_rows[] = {
    {"rows", KEY_NODE, 0, AT(rows), NULL,
        "a list of mappings; columns that are not named are not compared", NULL, 0, 0, 0},
    {"csv", KEY_WORD, 0, AT(csv), NULL, "the rows in a CSV file instead", NULL, 0, 0, 0},
    {"row_count", KEY_NODE, 0, AT(row_count), NULL, "how many there are: 3, or text as \"> 0\"",
        NULL, 0, 0, 0},
    {"sql", KEY_WORD, 0, AT(sql), NULL, "a query that gives the rows; the key is then just a name",
        NULL, 0, 0, 0},
    {"match", KEY_CHOICE, 0, AT(match), "exact", "subset: there may be others", match_choices, 0, 0,
        0},
    {"order", KEY_NODE, 0, AT(order), "false",
        "true: rows come in this order; or the columns to order them by", NULL, 0, 0, 0},
    {"tolerance", KEY_NODE, 0, AT(tolerance), "1e-9 of floats, 0 of others",
        "how far numbers may be off: absolute below 1, relative above", NULL, 0, 0, 0},
    {"connection", KEY_WORD, 0, AT(connection), "the first task's", "the database", NULL, 0, 0, 0},
};
const struct level test_expect_level = {
    "what is expected", expect_rows, ARRAY_SIZE(expect_rows), NULL, 0};

#undef AT
#define AT(field) offsetof(struct test_error, field)

static const struct key error_rows[] = {
    {"sqlstate", KEY_WORD, 0, AT(sqlstate), "any", "the database's code", NULL, 0, 0, 0},
    {"message", KEY_WORD, 0, AT(message), "any", "a part of the message", NULL, 0, 0, 0},
};
const struct level test_error_level = {
    "an expected error", error_rows, ARRAY_SIZE(error_rows), NULL, 0};
#undef AT

struct reading {
    struct keys_reader keys;
    struct arena *arena;
    struct diagnostics *diagnostics;
    const char *shown, *folder;
    sql_tests *tests;
};

static void check_row_list(struct reading *r, const struct yaml_node *rows)
{
    if (!rows)
        return;
    if (rows->kind != YAML_SEQUENCE) {
        report_hint(report(r->diagnostics, rows, ERR_VALUE_TYPE, "`rows` must be a list"),
            "write one mapping a row: [{id: 1, name: a}]; [] for no rows");
        return;
    }
    for (size_t i = 0; i < rows->count; i++)
        if (rows->items[i]->kind != YAML_MAPPING)
            report_hint(report(r->diagnostics, rows->items[i], ERR_VALUE_TYPE,
                            "a row must be a mapping, not %s", yaml_describe(rows->items[i])),
                "write {column: value, …}");
}

/* Entries of `given` or `expect`.  A bare list is its `rows`. */
static void read_table(struct reading *r, const struct level *level, const struct yaml_pair *pair,
    struct test_table *ret)
{
    *ret = (struct test_table){
        .name = arena_strndup(r->arena, pair->key->value.p, pair->key->value.size),
        .at = pair->key};
    if (pair->value->kind == YAML_SEQUENCE)
        ret->is.rows = pair->value;
    else
        keys_read(&r->keys, level, pair->value, &ret->is, NULL);
    check_row_list(r, ret->is.rows);
    const struct test_rows *is = &ret->is;
    int forms = !!is->rows + !!is->csv + (level == &test_given_level ? !!is->sql : 0);
    if (forms > 1)
        report(r->diagnostics, pair->key, ERR_DUPLICATE, "`%s` has rows in two forms", ret->name);
    else if (forms == 0 && !is->row_count && pair->value->kind == YAML_MAPPING)
        report_hint(
            report(r->diagnostics, pair->key, ERR_KEY_MISSING, "`%s` has no rows", ret->name),
            level == &test_given_level ? "write `rows`, `csv` or `sql`"
                                       : "write `rows`, `csv` or `row_count`");
}

static struct test_tables read_tables(
    struct reading *r, const struct level *level, const struct yaml_node *mapping)
{
    size_t count = mapping ? mapping->count : 0;
    struct test_tables tables = {arena_array(r->arena, struct test_table, count + 1), count};
    for (size_t i = 0; i < count; i++)
        read_table(r, level, &mapping->pairs[i], &tables.at[i]);
    return tables;
}

/* `task` or `tasks`, one of them. */
static void read_tasks(
    struct reading *r, const struct test_keys *keys, const struct yaml_node *at, struct names *ret)
{
    *ret = keys->tasks;
    if (keys->task && !keys->tasks.count) {
        const char **one = arena_array(r->arena, const char *, 1);
        one[0] = keys->task;
        *ret = (struct names){one, 1};
    } else if (keys->task) {
        report(r->diagnostics, at, ERR_DUPLICATE, "a test has `task` or `tasks`, not both");
    } else if (!keys->tasks.count) {
        report_hint(report(r->diagnostics, at, ERR_KEY_MISSING, "the test names no task"),
            "write `task: …`, or `tasks: [a, b]` for a chain");
    }
}

static void read_test(struct reading *r, const struct yaml_node *node)
{
    struct test_keys keys = {0};
    struct keys_given given;
    keys_read(&r->keys, &test_level, node, &keys, &given);
    if (node->kind != YAML_MAPPING)
        return;
    struct sql_test *test = vec_add(r->tests);
    test->file = r->shown;
    test->folder = r->folder;
    test->at = node;
    test->name = keys.name ? keys.name : "";
    test->dag = keys.dag ? keys.dag : "";
    test->logical_date = keys.logical_date;
    test->date_at = keys_given_value(&given, &test_level, "logical_date");
    test->params = keys.params;
    test->variables = keys.variables;
    test->conf = keys.conf;
    test->connections = keys.connections;
    test->xcom = keys.xcom;
    test->varies = keys.varies;
    test->varies_at = keys_given_value(&given, &test_level, "varies");
    test->fails = keys.error != NULL;
    read_tasks(r, &keys, node, &test->tasks);
    test->given = read_tables(r, &test_given_level, keys.given);
    test->expect = read_tables(r, &test_expect_level, keys.expect);
    if (keys.error)
        keys_read(&r->keys, &test_error_level, keys.error, &test->error, NULL);
    if (!keys.error && !test->expect.count)
        report_hint(report(r->diagnostics, node, ERR_KEY_MISSING,
                        "the test `%s` expects nothing, so it cannot fail", test->name),
            "write `expect: {table: {rows: […]}}` or `error: {…}`");
}

static void read_document(struct reading *r, const struct yaml_node *document)
{
    const struct yaml_node *tests = NULL;
    keys_read(&r->keys, &test_file_level, document, &tests, NULL);
    if (!tests || tests->kind != YAML_SEQUENCE) {
        if (tests)
            report_hint(report(r->diagnostics, tests, ERR_VALUE_TYPE,
                            "`tests` is a list, this is %s", yaml_describe(tests)),
                "write `tests:` and below it `- name: …`");
        return;
    }
    for (size_t i = 0; i < tests->count; i++)
        read_test(r, tests->items[i]);
}

enum status test_place(const struct sql_test *test, const struct yaml_node *at, struct error *err)
{
    if (at)
        error_at(err, test->file, at->source->text.p, at->source->text.size, at->offset);
    return err->status;
}

enum status testfile_read(const struct project *project, const char *path, struct arena *arena,
    struct diagnostics *diagnostics, sql_tests *tests, struct error *err)
{
    struct slice text;
    struct yaml_file file;
    size_t before = diagnostics->error_count;
    enum status status = file_read(path, TEST_FILE_MAX, arena, &text, err);
    if (status != OK)
        return status;
    size_t root = strlen(project->root);
    bool inside = str_starts(path, project->root) && path[root] == '/';
    struct reading r = {{arena, diagnostics, 0, false}, arena, diagnostics,
        arena_strdup(arena, inside ? path + root + 1 : path), path_dir(arena, path), tests};
    if (yaml_read(r.shown, text, arena, diagnostics, &file) == OK)
        for (size_t i = 0; i < file.count; i++)
            read_document(&r, file.documents[i]);
    if (diagnostics->error_count > before)
        return error_set(err, ERR_DEFINITION, "%s has mistakes", r.shown);
    return OK;
}
