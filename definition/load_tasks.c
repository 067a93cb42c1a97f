/* Tasks and groups of a DAG, in the file's order, with their full ids. */
#include "definition/limits.h"
#include "definition/loading.h"
#include "definition/report.h"

static void collect(struct loading *l, const struct yaml_node *mapping, int group,
    const struct yaml_node *default_args);

static bool too_many(struct loading *l, const struct yaml_node *node)
{
    if (l->tasks.count < DAG_TASKS_MAX)
        return false;
    report(l->diagnostics, node, ERR_LIMIT, "a DAG has at most %d tasks", DAG_TASKS_MAX);
    return true;
}

static const char *full_id(struct loading *l, int group, const char *name)
{
    return group < 0 ? arena_strdup(l->arena, name)
                     : arena_printf(l->arena, "%s.%s", l->groups.at[group].id, name);
}

static void collect_tasks(struct loading *l, const struct yaml_node *tasks, int group,
    const struct yaml_node *default_args)
{
    for (size_t i = 0; i < tasks->count; i++) {
        const struct yaml_node *key = tasks->pairs[i].key;
        if (too_many(l, key))
            return;
        struct task_plan plan = {.key = key, .group = group};
        plan.task.task_id = full_id(l, group, key->value.p);
        loading_check_id(l, key, plan.task.task_id, "task", true);
        load_task(l, &plan, tasks->pairs[i].value, default_args);
        vec_push(&l->tasks, plan);
    }
}

/* A group's keys over those around it. */
static const struct yaml_node *over(
    struct loading *l, const struct yaml_node *inner, const struct yaml_node *outer)
{
    if (!inner || !outer)
        return inner ? inner : outer;
    struct yaml_node *all = arena_memdup(l->scratch, inner, sizeof(*inner));
    all->pairs = arena_array(l->scratch, struct yaml_pair, inner->count + outer->count);
    if (inner->count)
        memcpy(all->pairs, inner->pairs, inner->count * sizeof(*inner->pairs));
    for (size_t i = 0; i < outer->count; i++)
        if (!yaml_get(inner, outer->pairs[i].key->value.p))
            all->pairs[all->count++] = outer->pairs[i];
    return all;
}

static void collect_group(struct loading *l, const struct yaml_pair *pair, int parent,
    const struct yaml_node *default_args)
{
    struct group_keys keys = {0};
    struct keys_given given;
    struct keys_reader reader = {l->scratch, l->diagnostics, 0, false};
    keys_read(&reader, &group_level, pair->value, &keys, &given);
    struct group_plan plan = {.id = full_id(l, parent, pair->key->value.p),
        .key = pair->key,
        .names = keys.depends_on,
        .depends_on = keys_given_value(&given, &group_level, "depends_on"),
        .parent = parent,
        .depth = parent < 0 ? 1 : l->groups.at[parent].depth + 1,
        .first = (uint32_t)l->tasks.count};
    loading_check_id(l, pair->key, plan.id, "group", false);
    int index = (int)l->groups.count;
    vec_push(&l->groups, plan);
    if (keys.default_args)
        load_check_default_args(l, keys.default_args);
    if (pair->value->kind == YAML_MAPPING)
        collect(l, pair->value, index, over(l, keys.default_args, default_args));
    l->groups.at[index].end = (uint32_t)l->tasks.count;
    if (l->tasks.count == plan.first)
        report_hint(report(l->diagnostics, pair->key, ERR_KEY_MISSING,
                        "the group `%s` has no tasks", plan.id),
            "write them under its `tasks`");
}

/* Tasks and groups of a DAG or group, in the order in which the file has them. */
static void collect(struct loading *l, const struct yaml_node *mapping, int group,
    const struct yaml_node *default_args)
{
    for (size_t i = 0; i < mapping->count; i++) {
        const struct yaml_pair *pair = &mapping->pairs[i];
        if (pair->value->kind != YAML_MAPPING)
            continue; /* reported by the level's reading */
        if (slice_equal_str(pair->key->value, "tasks"))
            collect_tasks(l, pair->value, group, default_args);
        for (size_t j = 0; slice_equal_str(pair->key->value, "groups") && j < pair->value->count;
             j++)
            collect_group(l, &pair->value->pairs[j], group, default_args);
    }
}

void load_tasks(struct loading *l, const struct yaml_node *default_args)
{
    if (default_args)
        load_check_default_args(l, default_args);
    collect(l, l->document, -1, default_args);
}
