/* `expand`: what a task is mapped over. */
#include <ctype.h>
#include "definition/limits.h"
#include "definition/loading.h"
#include "definition/report.h"

static void check_name(struct loading *l, const struct yaml_node *key)
{
    const char *name = key->value.p;
    bool ok = isalpha((unsigned char)name[0]) || name[0] == '_';
    for (const char *p = name; *p; p++)
        ok &= isalnum((unsigned char)*p) || *p == '_';
    if (!ok)
        report_hint(
            report(l->diagnostics, key, ERR_BAD_NAME, "`%s` cannot be a name of `mapped`", name),
            "use letters, digits and `_`: templates write `mapped.%s`", "name");
}

static void load_task_source(struct loading *l, const struct yaml_node *node,
    const struct expand_keys *keys, struct expand_plan *ret)
{
    ret->source.kind = EXPAND_TASK;
    ret->source.task_id = keys->task;
    ret->node = yaml_get(node, "task");
    if (keys->connection)
        report(l->diagnostics, yaml_get(node, "connection"), ERR_VALUE_RANGE,
            "`connection` is for a query: an XCom has none");
}

static void load_query(struct loading *l, const struct yaml_node *node,
    const struct expand_keys *keys, const char *own, struct expand_plan *ret)
{
    const struct project *project = l->project;
    ret->source.kind = EXPAND_SQL;
    ret->source.text = keys->sql;
    ret->source.is_path = loading_is_template_path(keys->sql.value);
    ret->source.connection = keys->connection ? keys->connection : own;
    if (slice_trim(slice_of(keys->sql.value)).size == 0)
        report(l->diagnostics, yaml_get(node, "sql"), ERR_VALUE_RANGE, "`sql` is empty");
    if (keys->connection)
        loading_check_connection(l, yaml_get(node, "connection"), keys->connection);
    if (!ret->source.connection && project->connection_count == 1)
        ret->source.connection = project->connections[0].name;
    else if (!ret->source.connection && !l->options->references_optional)
        report_hint(report(l->diagnostics, node, ERR_KEY_MISSING,
                        "the query does not say on which connection"),
            project->connection_count ? "write `connection: %s`"
                                      : "declare one under `connections` in dag.yaml%s",
            project->connection_count ? project->connections[0].name : "");
}

static void load_mapping(
    struct loading *l, const struct yaml_node *node, const char *own, struct expand_plan *ret)
{
    struct expand_keys keys = {0};
    struct keys_reader reader = {l->arena, l->diagnostics, 0, false};
    size_t errors = l->diagnostics->error_count;
    keys_read(&reader, &expand_level, node, &keys, NULL);
    if (keys.task && keys.sql.value)
        report(l->diagnostics, node, ERR_DUPLICATE, "a source is a task or a query, not both");
    else if (keys.task)
        load_task_source(l, node, &keys, ret);
    else if (keys.sql.value)
        load_query(l, node, &keys, own, ret);
    else if (l->diagnostics->error_count == errors)
        report_hint(report(l->diagnostics, node, ERR_KEY_MISSING,
                        "the source does not say where its values come from"),
            "write `{task: …}` or `{sql: …}`");
}

static bool is_expression(struct slice text)
{
    text = slice_trim(text);
    return text.size > 4 && strncmp(text.p, "{{", 2) == 0 &&
           strncmp(text.p + text.size - 2, "}}", 2) == 0;
}

static void load_source(
    struct loading *l, const struct yaml_node *node, const char *own, struct expand_plan *ret)
{
    static const struct key text_row = {.name = "expand", .type = KEY_TEXT};
    struct keys_reader reader = {l->arena, l->diagnostics, 0, false};
    if (node->kind == YAML_SEQUENCE) {
        ret->source.kind = EXPAND_VALUES;
        ret->source.values = yaml_to_json(node);
    } else if (node->kind == YAML_MAPPING) {
        load_mapping(l, node, own, ret);
    } else if (is_expression(node->value)) {
        ret->source.kind = EXPAND_TEXT;
        (void)keys_read_value(&reader, &text_row, node, &ret->source.text);
    } else {
        report_hint(report(l->diagnostics, node, ERR_VALUE_TYPE, "`expand` takes lists, this is %s",
                        yaml_describe(node)),
            "write a list, `{task: …}`, `{sql: …}` or an expression that gives a list: "
            "\"{{ params.tables }}\"");
    }
}

/* Their settings are rendered together. */
static void check_connections(
    struct loading *l, const struct task_plan *plan, const struct yaml_node *mapping)
{
    const char *first = NULL;
    for (size_t i = 0; i < plan->expand_count; i++) {
        const struct expand_source *source = &plan->expand[i].source;
        if (source->kind != EXPAND_SQL || !source->connection)
            continue;
        if (first && !str_equal(first, source->connection))
            report_hint(report(l->diagnostics, mapping->pairs[i].value, ERR_VALUE_RANGE,
                            "the queries of one `expand` are asked on one connection, these on "
                            "`%s` and `%s`",
                            first, source->connection),
                "let a task before it ask one of them, and take its XCom");
        first = first ? first : source->connection;
    }
}

/* What lists in the file come to can be told now. */
static void check_counts(
    struct loading *l, const struct task_plan *plan, const struct yaml_node *mapping, bool zip)
{
    size_t product = 1, first = SIZE_MAX;
    for (size_t i = 0; i < plan->expand_count; i++) {
        const struct expand_source *source = &plan->expand[i].source;
        if (source->kind != EXPAND_VALUES)
            continue;
        size_t count = json_array_size(source->values);
        product *= count;
        if (first == SIZE_MAX)
            first = i;
        size_t before = json_array_size(plan->expand[first].source.values);
        if (zip && count != before)
            report_hint(report(l->diagnostics, mapping->pairs[i].value, ERR_VALUE_RANGE,
                            "`%s` has %zu values, `%s` has %zu", source->name, count,
                            plan->expand[first].source.name, before),
                "with `expand_mode: zip` all lists are of the same length");
        if (zip ? count > MAPPED_MAX : product > MAPPED_MAX) {
            report_hint(report(l->diagnostics, mapping->pairs[i].value, ERR_LIMIT,
                            "the task would have %zu instances; at most %d are allowed",
                            zip ? count : product, MAPPED_MAX),
                "map over fewer values: ranges of them, or one table for each group");
            return;
        }
    }
}

void load_expand(struct loading *l, struct task_plan *plan, const struct yaml_node *mapping,
    bool zip, const char *own)
{
    plan->task.expand.zip = zip;
    if (mapping->count == 0 || mapping->count > EXPAND_NAMES_MAX) {
        report(l->diagnostics, mapping, ERR_VALUE_RANGE, "`expand` takes from 1 to %d names",
            EXPAND_NAMES_MAX);
        return;
    }
    plan->expand = arena_array(l->scratch, struct expand_plan, mapping->count);
    plan->expand_count = mapping->count;
    for (size_t i = 0; i < mapping->count; i++) {
        const struct yaml_pair *pair = &mapping->pairs[i];
        check_name(l, pair->key);
        plan->expand[i].source.name = arena_strdup(l->arena, pair->key->value.p);
        plan->expand[i].source.line = pair->value->line;
        load_source(l, pair->value, own, &plan->expand[i]);
    }
    check_counts(l, plan, mapping, zip);
    check_connections(l, plan, mapping);
}
