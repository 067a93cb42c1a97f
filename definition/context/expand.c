/* From the values of each name to those of each instance of a mapped task. */
#include "definition/context/context.h"

static enum status refuse(
    const struct dag *dag, const struct expand_source *source, const char *hint, struct error *err)
{
    error_place(err, dag->file, source->line, 1, NULL);
    error_hint(err, "%s", hint);
    return ERR_EXPANSION;
}

static const char *describe(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "a mapping";
    case JSON_STRING: return "a text";
    case JSON_NULL: return "null";
    case JSON_ARRAY: return "a list";
    case JSON_TRUE:
    case JSON_FALSE: return "a boolean";
    default: return "a number";
    }
}

static enum status check_lists(
    const struct dag *dag, const struct task *task, const json_t *const *lists, struct error *err)
{
    const struct expand *expand = &task->expand;
    for (size_t i = 0; i < expand->count; i++) {
        const struct expand_source *source = &expand->at[i];
        if (!json_is_array(lists[i])) {
            error_set(err, ERR_EXPANSION, "`%s` of `%s` must be a list, this is %s", source->name,
                task->task_id, describe(lists[i]));
            return refuse(dag, source, "each item of the list makes an instance", err);
        }
        size_t count = json_array_size(lists[i]), first = json_array_size(lists[0]);
        if (expand->zip && count != first) {
            error_set(err, ERR_EXPANSION, "`%s` of `%s` has %zu values, `%s` has %zu", source->name,
                task->task_id, count, expand->at[0].name, first);
            return refuse(
                dag, source, "with `expand_mode: zip` all lists are of the same length", err);
        }
    }
    return OK;
}

/* Above MAPPED_MAX it is enough to know that. */
static size_t count_instances(const struct expand *expand, const json_t *const *lists)
{
    size_t count = 1;
    for (size_t i = 0; i < expand->count; i++)
        if (json_array_size(lists[i]) == 0)
            return 0;
    for (size_t i = 0; i < expand->count && count <= MAPPED_MAX; i++)
        count = expand->zip ? json_array_size(lists[i]) : count * json_array_size(lists[i]);
    return count;
}

/* As itertools.product: the last name changes fastest. */
static const char *values_of(const struct expand *expand, const json_t *const *lists, size_t index,
    size_t *at, struct arena *arena)
{
    size_t rest = index;
    for (size_t i = expand->count; i-- > 0;) {
        size_t count = json_array_size(lists[i]);
        at[i] = expand->zip ? index : rest % count;
        rest /= count;
    }
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    for (size_t i = 0; i < expand->count; i++) {
        json_key(&w, expand->at[i].name);
        json_tree(&w, json_array_get(lists[i], at[i]));
    }
    json_object_end(&w);
    const char *values = strbuf_to_arena(&text, arena);
    strbuf_done(&text);
    return values;
}

enum status context_expand(const struct dag *dag, const struct task *task,
    const json_t *const *lists, struct arena *arena, const char *const **ret, size_t *ret_count,
    struct error *err)
{
    const struct expand *expand = &task->expand;
    enum status status = check_lists(dag, task, lists, err);
    if (status)
        return status;
    size_t count = count_instances(expand, lists);
    if (count > MAPPED_MAX) {
        error_set(err, ERR_EXPANSION, "`%s` would have more than %d instances", task->task_id,
            MAPPED_MAX);
        return refuse(dag, &expand->at[0],
            "map over fewer values: ranges of them, or one table for each group", err);
    }
    size_t *at = arena_array(arena, size_t, expand->count);
    const char **values = arena_array(arena, const char *, count);
    for (size_t i = 0; i < count; i++)
        values[i] = values_of(expand, lists, i, at, arena);
    *ret = values;
    *ret_count = count;
    return OK;
}
