/* What a SQL attempt did to tables: its checks, and the tables that it touched beside those that
   its text names. */
#include "base/json.h"
#include "executor/attempt_sql.h"
#include "language/sql/tables.h"
#include "web/limits.h"
#include "web/pages/pages.h"

/* ---- checks ---------------------------------------------------------------------------------- */

static void show_check(struct page *page, const json_t *check)
{
    const char *table = json_string_value(json_object_get(check, "table"));
    bool holds = json_is_true(json_object_get(check, "holds"));
    bool warns = str_equal(json_string_value(json_object_get(check, "severity")), "warn");
    html_printf(page->out,
        "<tr><td>%s</td><td data-label=\"table\"><bdi>%s</bdi></td><td data-label=\"at\"><code>"
        "<bdi>%s</bdi></code></td><td data-label=\"rows\" class=\"number\">%lld</td><td>",
        json_string_value(json_object_get(check, "check")), table ? table : "",
        json_string_value(json_object_get(check, "place")),
        (long long)json_integer_value(json_object_get(check, "rows")));
    html_printf(page->out, "%s</td></tr>\n", holds ? "holds" : warns ? "warned" : "failed");
}

static void show_checks(struct page *page, const json_t *checks)
{
    if (!json_array_size(checks))
        return;
    html(page->out, "<h2>Checks</h2><table class=\"checks\"><thead><tr><th>check</th><th>table</th>"
                    "<th>at</th><th class=\"number\">rows</th><th></th></tr></thead><tbody>\n");
    size_t i;
    json_t *check;
    json_array_foreach((json_t *)checks, i, check) show_check(page, check);
    html(page->out, "</tbody></table>\n");
}

/* ---- tables ---------------------------------------------------------------------------------- */

enum { WRITES = SQL_WRITES | SQL_CREATES | SQL_ALTERS | SQL_DROPS };

/* What the text and the keys `reads` and `writes` say. */
struct expected {
    VEC(struct sql_table) tables;
    bool known; /* the text is there and was understood */
};

static void expect_names(
    struct page *page, const struct names *names, unsigned use, struct expected *ret)
{
    for (size_t i = 0; i < names->count; i++) {
        struct sql_table table = {0};
        if (sql_table_read(slice_of(names->at[i]), page->arena, &table)) {
            table.uses = use;
            vec_push(&ret->tables, table);
        }
    }
}

static void expect(struct page *page, const struct attempt_facts *facts, struct expected *ret)
{
    struct slice text;
    struct error ignored;
    const struct dag *dag = facts->dag.dag;
    const struct task *task = dag ? dag_find_task(dag, facts->task.task_id) : NULL;
    if (!task || attempt_sql_read(facts->log_path, facts->attempt->id.text, SQL_SHOWN_SIZE,
                     page->arena, &text, &ignored))
        return;
    struct sql_tables found =
        sql_tables_find(text, daemon_project(page->web->daemon)->functions, page->arena);
    ret->known = !found.guessed;
    for (size_t i = 0; i < found.count; i++)
        if (!found.at[i].temporary)
            vec_push(&ret->tables, found.at[i]);
    expect_names(page, &task->data->reads, SQL_READS, ret);
    expect_names(page, &task->data->writes, SQL_WRITES, ret);
}

/* Whether a table that was touched is the one that is named, or a partition of it. */
static bool is_same(const struct sql_table *named, const struct sql_table *touched)
{
    static const char partition[] = "_1_prt_";
    size_t size = strlen(named->name);
    if (named->schema && !str_equal(named->schema, touched->schema))
        return false;
    return str_starts(touched->name, named->name) &&
           (!touched->name[size] || str_starts(touched->name + size, partition));
}

/* What is to be said of a table that was touched; NULL: it was expected. */
static const char *surprise(
    const struct expected *expected, const char *shown, bool written, struct arena *arena)
{
    struct sql_table touched = {0};
    unsigned uses = 0;
    if (!expected->known || !sql_table_read(slice_of(shown), arena, &touched))
        return NULL;
    vec_each (named, &expected->tables)
        if (is_same(named, &touched))
            uses |= named->uses;
    if (!uses)
        return written ? "its text does not name it: name it in `writes`"
                       : "its text does not name it: name it in `reads`";
    return written && !(uses & WRITES) ? "its text only reads it: name it in `writes`" : NULL;
}

static void show_table(struct page *page, const char *name, const char *did, const char *note)
{
    html_printf(page->out,
        "<tr><td><code><bdi>%s</bdi></code></td><td data-label=\"did\">%s</td><td>%s</td></tr>\n",
        name, did, note ? note : "");
}

static bool list_has(const json_t *list, const struct sql_table *named, struct arena *arena)
{
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)list, i, item)
    {
        struct sql_table touched = {0};
        if (sql_table_read(slice_of(json_string_value(item)), arena, &touched) &&
            is_same(named, &touched))
            return true;
    }
    return false;
}

static void show_list(
    struct page *page, const struct expected *expected, const json_t *list, bool written)
{
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)list, i, item)
    {
        const char *name = json_string_value(item);
        show_table(
            page, name, written ? "wrote" : "read", surprise(expected, name, written, page->arena));
    }
}

/* The tables touched, then those that are named and were not. */
static void show_touched(
    struct page *page, const struct attempt_facts *facts, const json_t *touched)
{
    struct expected expected = {0};
    const json_t *wrote = json_object_get(touched, "wrote");
    const json_t *read = json_object_get(touched, "read");
    if (!touched)
        return;
    expect(page, facts, &expected);
    html(page->out, "<h2>Tables</h2><table class=\"tables\"><thead><tr><th>table</th><th>did</th>"
                    "<th></th></tr></thead><tbody>\n");
    show_list(page, &expected, wrote, true);
    show_list(page, &expected, read, false);
    vec_each (named, &expected.tables)
        if (!named->gone && !list_has(wrote, named, page->arena) &&
            !list_has(read, named, page->arena))
            show_table(page, sql_table_shown(named, page->arena), "", "named, and not touched");
    html(page->out, "</tbody></table>\n");
    vec_done(&expected.tables);
}

void section_data(struct page *page, struct about about, const struct attempt_facts *facts)
{
    CLEANUP(json_decrefp) json_t *detail = NULL;
    const struct attempt_record *attempt = facts->attempt;
    if (!section_begin(page, "data", NULL, about))
        return;
    if (attempt && attempt->detail &&
        json_parse(attempt->detail, strlen(attempt->detail), NULL, &detail, NULL) == OK) {
        show_checks(page, json_object_get(detail, "checks"));
        show_touched(page, facts, json_object_get(detail, "touched"));
    }
    section_end(page);
}
