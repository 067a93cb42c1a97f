/* Deadlines of DAGs and tasks. */
#include "base/clock.h"
#include "definition/loading.h"
#include "definition/report.h"

static const char hint[] =
    "write 2h, {from: logical_date, after: 26h} or {typical: 2}: twice the median";

static bool read_typical(struct loading *l, const struct yaml_node *node, struct deadline *ret)
{
    bool number = node->kind == YAML_SCALAR && (node->type == YAML_INT || node->type == YAML_FLOAT);
    if (!number || !(node->real >= 1 && node->real <= 1000)) {
        report_hint(report(l->diagnostics, node, ERR_VALUE_RANGE,
                        "`typical` takes a factor from 1 to 1000"),
            "%s", hint);
        return false;
    }
    *ret = (struct deadline){.kind = DEADLINE_TYPICAL, .factor = node->real};
    return true;
}

static void read_mapping(struct loading *l, const struct yaml_node *node, struct deadline *ret)
{
    struct deadline_keys keys = {0};
    struct keys_given given;
    struct keys_reader reader = {l->scratch, l->diagnostics, 0, false};
    size_t errors = l->diagnostics->error_count;
    keys_read(&reader, &deadline_level, node, &keys, &given);
    if (l->diagnostics->error_count != errors)
        return;
    bool after = keys_given_value(&given, &deadline_level, "after");
    bool from = keys_given_value(&given, &deadline_level, "from");
    if (after == (keys.typical != NULL) || (from && !after)) {
        report_hint(report(l->diagnostics, node, ERR_KEY_MISSING,
                        "a deadline has `after`, with or without `from`, or `typical`"),
            "%s", hint);
        return;
    }
    if (keys.typical)
        read_typical(l, keys.typical, ret);
    else
        *ret = (struct deadline){
            .kind = keys.from ? DEADLINE_LOGICAL : DEADLINE_START, .after_us = keys.after_us};
}

struct deadline load_deadline(struct loading *l, const struct yaml_node *node)
{
    struct deadline deadline = {0};
    if (!node || (node->kind == YAML_SCALAR && node->type == YAML_NULL))
        return deadline;
    const struct key *after = level_find(&deadline_level, slice_of("after"));
    struct key row = *after;
    row.name = "deadline";
    struct keys_reader reader = {l->scratch, l->diagnostics, 0, false};
    size_t errors = l->diagnostics->error_count;
    if (node->kind == YAML_MAPPING)
        read_mapping(l, node, &deadline);
    else if (keys_read_value(&reader, &row, node, &deadline.after_us))
        deadline.kind = DEADLINE_START;
    bool counts = deadline.kind == DEADLINE_START || deadline.kind == DEADLINE_LOGICAL;
    if (counts && deadline.after_us <= 0 && l->diagnostics->error_count == errors)
        report_hint(
            report(l->diagnostics, node, ERR_VALUE_RANGE, "a deadline must be longer than nothing"),
            "%s", hint);
    return deadline;
}
