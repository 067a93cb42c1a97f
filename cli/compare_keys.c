#include "cli/compare_keys.h"
#include "base/vec.h"

static struct yaml_node *child(const struct yaml_node *mapping, const char *key)
{
    struct yaml_node *node = mapping ? yaml_get(mapping, key) : NULL;
    return node && node->kind == YAML_MAPPING ? node : NULL;
}

/* The task's keys over those of its groups' and the DAG's default_args; NULL: there is none. */
static const struct yaml_node *task_keys(
    const struct yaml_node *document, const char *task_id, struct arena *arena)
{
    const struct yaml_node *level = document;
    struct yaml_node *defaults = child(level, "default_args");
    const char *name = task_id;
    for (const char *dot; level && (dot = strchr(name, '.')); name = dot + 1) {
        const char *group = arena_strndup(arena, name, (size_t)(dot - name));
        level = child(child(level, "groups"), group);
        defaults = yaml_merge(arena, defaults, child(level, "default_args"));
    }
    struct yaml_node *task = child(child(level, "tasks"), name);
    return task ? yaml_merge(arena, defaults, task) : NULL;
}

static bool is_same(const struct yaml_node *a, const struct yaml_node *b)
{
    CLEANUP(json_decrefp) json_t *x = yaml_to_json(a);
    CLEANUP(json_decrefp) json_t *y = yaml_to_json(b);
    return json_equal(x, y);
}

static bool is_about_tasks(const char *key)
{
    static const char *const keys[] = {"tasks", "groups", "default_args", "dag_id"};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (str_equal(keys[i], key))
            return true;
    return false;
}

static struct names compare(
    const struct yaml_node *a, const struct yaml_node *b, bool of_dag, struct arena *arena)
{
    size_t most = (a ? a->count : 0) + (b ? b->count : 0);
    const char **names = arena_array(arena, const char *, most + 1);
    size_t count = 0;
    for (size_t i = 0; a && i < a->count; i++) {
        const char *key = a->pairs[i].key->value.p;
        const struct yaml_node *other = b ? yaml_get(b, key) : NULL;
        if (!(of_dag && is_about_tasks(key)) && (!other || !is_same(a->pairs[i].value, other)))
            names[count++] = key;
    }
    for (size_t i = 0; b && i < b->count; i++) {
        const char *key = b->pairs[i].key->value.p;
        if (!(of_dag && is_about_tasks(key)) && !(a && yaml_get(a, key)))
            names[count++] = key;
    }
    return (struct names){names, count};
}

struct names compare_dag_keys(
    const struct yaml_node *a, const struct yaml_node *b, struct arena *arena)
{
    return compare(a, b, true, arena);
}

struct names compare_task_keys(
    const struct yaml_node *a, const struct yaml_node *b, const char *task_id, struct arena *arena)
{
    return compare(task_keys(a, task_id, arena), task_keys(b, task_id, arena), false, arena);
}
