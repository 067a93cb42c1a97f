/* Which tasks a request means. */
#include "scheduler/internal.h"

struct selection selection_new(struct arena *arena, const struct dag *dag, bool all)
{
    struct selection selection = {.arena = arena,
        .tasks = arena_array(arena, bool, dag->task_count),
        .indexes = arena_array(arena, bool *, dag->task_count)};
    if (all)
        memset(selection.tasks, true, dag->task_count);
    return selection;
}

void selection_add_index(struct selection *selection, uint32_t task, int32_t map_index)
{
    if (!selection->indexes[task])
        selection->indexes[task] = arena_array(selection->arena, bool, MAPPED_MAX);
    selection->indexes[task][map_index] = true;
}

bool selection_has(const struct selection *selection, const struct instance *i)
{
    const bool *indexes = selection->indexes[i->task->index];
    return selection->tasks[i->task->index] ||
           (indexes && i->map_index >= 0 && i->map_index < MAPPED_MAX && indexes[i->map_index]);
}

static size_t keep_indexes(struct selection *selection, uint32_t task, const struct instance *head,
    bool (*wanted)(const struct instance *i))
{
    const bool *chosen = selection->indexes[task];
    bool whole = selection->tasks[task];
    size_t count = 0;
    selection->tasks[task] = false;
    selection->indexes[task] = NULL;
    for (uint32_t n = 0; head && head->mapping && n < head->mapping->count && n < MAPPED_MAX; n++) {
        const struct instance *i = head->mapping->at[n];
        if (i->state == TASK_REMOVED || !(whole || (chosen && chosen[n])) || !wanted(i))
            continue;
        selection_add_index(selection, task, (int32_t)n);
        count++;
    }
    return count;
}

/* The run's own instance of a task of `dag`, NULL without. */
static const struct instance *head_in(const struct run *run, const struct dag *dag, uint32_t task)
{
    if (!run->tasks)
        return NULL;
    if (run->shape->dag == dag)
        return run->tasks[task];
    const struct task *own = dag_find_task(run->shape->dag, dag->tasks[task].task_id);
    return own ? run->tasks[own->index] : NULL;
}

size_t selection_keep(struct selection *selection, const struct dag *dag, const struct run *run,
    bool (*wanted)(const struct instance *i))
{
    size_t count = 0;
    for (uint32_t n = 0; n < dag->task_count; n++) {
        const struct instance *head = head_in(run, dag, n);
        if (!head)
            selection->tasks[n] = false;
        if (head && selection->tasks[n] && (!mapping_is_expanded(head) || wanted(head))) {
            selection->tasks[n] = wanted(head);
            count += selection->tasks[n];
        } else if (selection->tasks[n] || selection->indexes[n]) {
            count += keep_indexes(selection, n, head, wanted);
        }
    }
    return count;
}

/* Adds everything before (or after) what is in `from`, not that itself. */
static void add_relatives(const struct dag *dag, const bool *from, bool after, bool *marks)
{
    bool *seen = mem_alloc_zero(dag->task_count, sizeof *seen);
    for (uint32_t n = 0; n < dag->task_count; n++) {
        const struct task *task =
            &dag->tasks[dag->topological[after ? n : dag->task_count - 1 - n]];
        if (!seen[task->index] && !from[task->index])
            continue;
        marks[task->index] |= seen[task->index];
        const struct indexes *next = after ? &task->downstream : &task->upstream;
        for (size_t k = 0; k < next->count; k++)
            seen[next->at[k]] = true;
    }
    mem_free(seen);
}

void select_downstream(const struct dag *dag, struct selection *selection)
{
    bool *from = mem_alloc_zero(dag->task_count, sizeof *from);
    for (uint32_t n = 0; n < dag->task_count; n++)
        from[n] = selection->tasks[n] || selection->indexes[n];
    add_relatives(dag, from, true, selection->tasks);
    mem_free(from);
}

/* ---- patterns ---- */

struct pattern {
    const char *glob;
    bool before, after;
    int64_t map_index; /* -1 = the task as a whole */
};

/* "+load*[3]+".  Digits in brackets at the end are an index; no id has brackets. */
static struct pattern pattern_of(struct arena *arena, const char *text)
{
    struct slice name = slice_of(text);
    struct pattern pattern = {.map_index = -1};
    pattern.before = name.size && name.p[0] == '+';
    if (pattern.before)
        name = slice_make(name.p + 1, name.size - 1);
    pattern.after = name.size && name.p[name.size - 1] == '+';
    name.size -= pattern.after;
    size_t open = name.size;
    while (open && name.p[open - 1] != '[')
        open--;
    int64_t index = -1;
    if (open > 1 && name.p[name.size - 1] == ']' &&
        parse_int64(slice_make(name.p + open, name.size - open - 1), &index) && index >= 0) {
        pattern.map_index = index;
        name.size = open - 1;
    }
    pattern.glob = arena_strndup(arena, name.p, name.size);
    return pattern;
}

static enum status no_match(const struct dag *dag, const char *text, const struct pattern *pattern,
    const char **ids, struct error *err)
{
    enum status status =
        error_set(err, ERR_NO_TASK_MATCHES, "no task of `%s` matches `%s`", dag->dag_id, text);
    const char *near = suggest(pattern->glob, ids, dag->task_count);
    if (near)
        error_hint(err, "did you mean `%s`?", near);
    return status;
}

static enum status select_one(
    const struct dag *dag, const char *text, struct selection *selection, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct pattern pattern = pattern_of(arena, text);
    bool *found = arena_array(arena, bool, dag->task_count);
    const char **ids = arena_array(arena, const char *, dag->task_count);
    size_t count = 0;
    if (pattern.map_index >= MAPPED_MAX)
        return error_set(
            err, ERR_NO_TASK_MATCHES, "`%s`: indexes go from 0 to %d", text, MAPPED_MAX - 1);
    for (uint32_t n = 0; n < dag->task_count; n++) {
        ids[n] = dag->tasks[n].task_id;
        found[n] = glob_match(pattern.glob, ids[n]);
        count += found[n];
        if (found[n] && pattern.map_index >= 0)
            selection_add_index(selection, n, (int32_t)pattern.map_index);
        else
            selection->tasks[n] |= found[n];
    }
    if (!count)
        return no_match(dag, text, &pattern, ids, err);
    if (pattern.before)
        add_relatives(dag, found, false, selection->tasks);
    if (pattern.after)
        add_relatives(dag, found, true, selection->tasks);
    return OK;
}

enum status select_tasks(const struct dag *dag, const char *const *patterns, size_t count,
    struct selection *selection, struct error *err)
{
    for (size_t n = 0; n < count; n++) {
        enum status status = select_one(dag, patterns[n], selection, err);
        if (status)
            return status;
    }
    return OK;
}
