/* `checks` of a SQL task: each condition of an entry is a check of its own. */
#include "definition/check.h"
#include "definition/limits.h"
#include "definition/loading.h"
#include "definition/report.h"
#include "language/sql/name.h"

static const char conditions_hint[] =
    "give it one of row_count, not_null, unique, accepted_values, or sql";

enum { CONDITIONS = 5 }; /* that one entry can have */

struct entry {
    struct loading *l;
    const struct yaml_node *node;
    struct check_keys keys;
    struct sql_task *task;
    struct sql_check *checks; /* of the task; has room */
};

static struct sql_check *add_check(struct entry *e, enum sql_check_kind kind)
{
    struct sql_check *check = &e->checks[e->task->check_count++];
    *check = (struct sql_check){.kind = kind,
        .warns = e->keys.severity == 1,
        .line = e->node->line,
        .column = e->node->column,
        .table = e->keys.table,
        .where = e->keys.where};
    return check;
}

/* A template can be read when it is rendered. */
static bool is_template(const char *text)
{
    return strchr(text, '{') != NULL;
}

static void check_blank(struct entry *e, const char *name, const struct text *text)
{
    if (text->value && slice_trim(slice_of(text->value)).size == 0)
        report(e->l->diagnostics, yaml_get(e->node, name), ERR_VALUE_RANGE, "`%s` is empty", name);
}

static void check_table(struct entry *e)
{
    const char *table = e->keys.table.value;
    if (table && !is_template(table) && !sql_name_quoted(slice_of(table), e->l->scratch))
        report_hint(report(e->l->diagnostics, yaml_get(e->node, "table"), ERR_VALUE_RANGE,
                        "`%s` is not the name of a table", table),
            "write `table` or `schema.table`, with \"…\" around what SQL would quote");
}

static void load_row_count(struct entry *e)
{
    struct check_count count;
    struct error error;
    if (!is_template(e->keys.row_count.value) &&
        check_count_read(slice_of(e->keys.row_count.value), &count, &error) != OK)
        report_from(e->l->diagnostics, yaml_get(e->node, "row_count"), &error, NULL);
    add_check(e, CHECK_ROW_COUNT)->condition = e->keys.row_count;
}

static void load_columns(
    struct entry *e, enum sql_check_kind kind, const char *name, const struct names *columns)
{
    if (columns->count > CHECK_COLUMNS_MAX)
        report(e->l->diagnostics, yaml_get(e->node, name), ERR_LIMIT,
            "`%s` takes at most %d columns", name, CHECK_COLUMNS_MAX);
    add_check(e, kind)->columns = *columns;
}

static void check_values(struct entry *e, const struct yaml_node *values)
{
    struct diagnostics *diagnostics = e->l->diagnostics;
    if (values->kind != YAML_SEQUENCE) {
        report_hint(report(diagnostics, values, ERR_VALUE_TYPE,
                        "a column's accepted values are a list, this is %s", yaml_describe(values)),
            "write {column: [a, b]}");
        return;
    }
    if (values->count > CHECK_VALUES_MAX)
        report_hint(report(diagnostics, values, ERR_LIMIT,
                        "`accepted_values` takes at most %d values", CHECK_VALUES_MAX),
            "put them into a table, and compare with that in a check with `sql`");
    for (size_t i = 0; i < values->count; i++)
        if (values->items[i]->kind != YAML_SCALAR)
            report(diagnostics, values->items[i], ERR_VALUE_TYPE,
                "an accepted value is text, a number, true or false, this is %s",
                yaml_describe(values->items[i]));
}

static void load_accepted_values(struct entry *e)
{
    const struct yaml_node *node = e->keys.accepted_values;
    struct sql_check *check = add_check(e, CHECK_ACCEPTED_VALUES);
    const char **columns = arena_array(e->l->arena, const char *, node->count);
    if (node->count == 0 || node->count > CHECK_COLUMNS_MAX)
        report(e->l->diagnostics, node, ERR_VALUE_RANGE, "`accepted_values` takes 1 to %d columns",
            CHECK_COLUMNS_MAX);
    for (size_t i = 0; i < node->count; i++) {
        columns[i] = arena_strdup(e->l->arena, node->pairs[i].key->value.p);
        check_values(e, node->pairs[i].value);
    }
    check->columns = (struct names){columns, node->count};
    check->values = yaml_to_json(node);
}

static void load_query(struct entry *e)
{
    struct sql_check *check = add_check(e, CHECK_SQL);
    check->condition = e->keys.sql;
    check->is_path = loading_is_template_path(e->keys.sql.value);
    if (e->node->count > 1 + (yaml_get(e->node, "severity") != NULL))
        report_hint(report(e->l->diagnostics, e->node, ERR_DUPLICATE,
                        "a check with `sql` has nothing but `severity` beside it"),
            "write the condition into the query, or make two checks of it");
}

static void load_entry(struct entry *e)
{
    struct check_keys *keys = &e->keys;
    struct keys_reader reader = {e->l->arena, e->l->diagnostics, 0, false};
    size_t errors = e->l->diagnostics->error_count, before = e->task->check_count;
    keys_read(&reader, &check_level, e->node, keys, NULL);
    check_blank(e, "table", &keys->table);
    check_blank(e, "where", &keys->where);
    check_blank(e, "sql", &keys->sql);
    if (e->l->diagnostics->error_count != errors)
        return;
    check_table(e);
    if (keys->row_count.value)
        load_row_count(e);
    if (keys->not_null.count)
        load_columns(e, CHECK_NOT_NULL, "not_null", &keys->not_null);
    if (keys->unique.count)
        load_columns(e, CHECK_UNIQUE, "unique", &keys->unique);
    if (keys->accepted_values)
        load_accepted_values(e);
    if (keys->sql.value)
        load_query(e);
    if (e->task->check_count == before)
        report_hint(report(e->l->diagnostics, e->node, ERR_KEY_MISSING,
                        "the check does not say what must hold"),
            "%s", conditions_hint);
}

void load_checks(struct loading *l, const struct yaml_node *node, struct sql_task *ret)
{
    if (!node || (node->kind == YAML_SCALAR && node->type == YAML_NULL))
        return;
    if (node->kind != YAML_SEQUENCE) {
        report_hint(report(l->diagnostics, node, ERR_VALUE_TYPE,
                        "`checks` takes a list, this is %s", yaml_describe(node)),
            "write `- {row_count: \"> 0\"}` below it");
        return;
    }
    if (node->count > CHECKS_MAX) {
        report(l->diagnostics, node, ERR_LIMIT, "a task has at most %d checks", CHECKS_MAX);
        return;
    }
    struct sql_check *checks = arena_array(l->arena, struct sql_check, node->count * CONDITIONS);
    ret->checks = checks;
    for (size_t i = 0; i < node->count; i++) {
        struct entry entry = {.l = l, .node = node->items[i], .task = ret, .checks = checks};
        if (entry.node->kind == YAML_MAPPING)
            load_entry(&entry);
        else
            report_hint(report(l->diagnostics, entry.node, ERR_VALUE_TYPE,
                            "a check is a mapping, this is %s", yaml_describe(entry.node)),
                "%s", conditions_hint);
    }
}
