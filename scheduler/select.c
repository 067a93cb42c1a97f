/* Which tasks a request means. */
#include "scheduler/internal.h"

/* Adds everything before (or after) what is in `from`. */
static void add_relatives(const struct dag *dag, const bool *from, bool after, bool *marks)
{
    bool *seen = mem_alloc_zero(dag->task_count, sizeof *seen);
    memcpy(seen, from, dag->task_count);
    for (uint32_t n = 0; n < dag->task_count; n++) {
        const struct task *task =
            &dag->tasks[dag->topological[after ? n : dag->task_count - 1 - n]];
        if (!seen[task->index])
            continue;
        marks[task->index] = true;
        const struct indexes *next = after ? &task->downstream : &task->upstream;
        for (size_t k = 0; k < next->count; k++)
            seen[next->at[k]] = true;
    }
    mem_free(seen);
}

void select_downstream(const struct dag *dag, bool *marks)
{
    add_relatives(dag, marks, true, marks);
}

static enum status select_one(
    const struct dag *dag, const char *pattern, bool *marks, struct error *err)
{
    struct slice name = slice_of(pattern);
    bool before = name.size && name.p[0] == '+';
    if (before)
        name = slice_make(name.p + 1, name.size - 1);
    bool after = name.size && name.p[name.size - 1] == '+';
    if (after)
        name.size--;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *glob = arena_strndup(arena, name.p, name.size);
    bool *found = arena_array(arena, bool, dag->task_count);
    const char **ids = arena_array(arena, const char *, dag->task_count);
    size_t count = 0;
    for (uint32_t n = 0; n < dag->task_count; n++) {
        ids[n] = dag->tasks[n].task_id;
        found[n] = glob_match(glob, ids[n]);
        count += found[n];
        marks[n] |= found[n];
    }
    if (!count) {
        enum status status = error_set(
            err, ERR_NO_TASK_MATCHES, "no task of `%s` matches `%s`", dag->dag_id, pattern);
        const char *near = suggest(glob, ids, dag->task_count);
        if (near)
            error_hint(err, "did you mean `%s`?", near);
        return status;
    }
    if (before)
        add_relatives(dag, found, false, marks);
    if (after)
        add_relatives(dag, found, true, marks);
    return OK;
}

enum status select_tasks(const struct dag *dag, const char *const *patterns, size_t count,
    bool *marks, struct error *err)
{
    for (size_t n = 0; n < count; n++) {
        enum status status = select_one(dag, patterns[n], marks, err);
        if (status)
            return status;
    }
    return OK;
}
