#include "scheduler/shape.h"

#include "base/vec.h"

/* A leaf, as Airflow's DagRun: nothing depends on it but teardowns that do not fail the run; a
   teardown itself counts only when it does fail the run. */
static bool is_leaf(const struct dag *dag, const struct task *task)
{
    for (size_t i = 0; i < task->downstream.count; i++) {
        const struct task *down = &dag->tasks[task->downstream.at[i]];
        if (!down->teardown || down->on_failure_fail_dagrun)
            return false;
    }
    return !task->teardown || task->on_failure_fail_dagrun;
}

/* Marks everything after (or before) `from`, without `from` itself. */
static void mark_relatives(
    const struct dag *dag, uint32_t from, bool after, bool *marks, uint32_t *stack)
{
    uint32_t depth = 0;
    stack[depth++] = from;
    while (depth) {
        const struct task *task = &dag->tasks[stack[--depth]];
        const struct indexes *next = after ? &task->downstream : &task->upstream;
        for (size_t i = 0; i < next->count; i++)
            if (!marks[next->at[i]]) {
                marks[next->at[i]] = true;
                stack[depth++] = next->at[i];
            }
    }
}

struct scratch {
    bool *after, *before;
    uint32_t *stack, *found;
};

/* The tasks between a setup and its teardowns (all that follow it, when it has none). */
static struct indexes scope_of(
    struct shape *shape, const struct task *setup, const struct scratch *scratch)
{
    const struct dag *dag = shape->dag;
    bool has_teardown = false;
    memset(scratch->after, 0, dag->task_count);
    memset(scratch->before, 0, dag->task_count);
    mark_relatives(dag, setup->index, true, scratch->after, scratch->stack);
    for (size_t i = 0; i < setup->downstream.count; i++) {
        const struct task *down = &dag->tasks[setup->downstream.at[i]];
        if (!down->teardown)
            continue;
        has_teardown = true;
        mark_relatives(dag, down->index, false, scratch->before, scratch->stack);
    }
    size_t count = 0;
    for (uint32_t i = 0; i < dag->task_count; i++)
        if (scratch->after[i] && !dag->tasks[i].teardown && (!has_teardown || scratch->before[i]))
            scratch->found[count++] = i;
    return (struct indexes){
        arena_memdup(shape->arena, scratch->found, count * sizeof(uint32_t)), count};
}

/* Turns setup → tasks round into task → setups. */
static void fill_setups(struct shape *shape)
{
    uint32_t count = shape->dag->task_count;
    uint32_t *filled = mem_alloc_zero(count, sizeof(uint32_t));
    for (uint32_t s = 0; s < count; s++)
        for (size_t i = 0; i < shape->tasks[s].scoped.count; i++)
            shape->tasks[shape->tasks[s].scoped.at[i]].setups.count++;
    for (uint32_t t = 0; t < count; t++)
        shape->tasks[t].setups.at =
            arena_array(shape->arena, uint32_t, shape->tasks[t].setups.count);
    for (uint32_t s = 0; s < count; s++)
        for (size_t i = 0; i < shape->tasks[s].scoped.count; i++) {
            uint32_t t = shape->tasks[s].scoped.at[i];
            ((uint32_t *)shape->tasks[t].setups.at)[filled[t]++] = s;
        }
    mem_free(filled);
}

static void find_scopes(struct shape *shape)
{
    uint32_t count = shape->dag->task_count;
    struct scratch scratch = {mem_alloc(count), mem_alloc(count),
        mem_alloc((count + 1) * sizeof(uint32_t)), mem_alloc((count + 1) * sizeof(uint32_t))};
    for (uint32_t i = 0; i < count; i++)
        if (shape->dag->tasks[i].setup)
            shape->tasks[i].scoped = scope_of(shape, &shape->dag->tasks[i], &scratch);
    mem_free(scratch.after);
    mem_free(scratch.before);
    mem_free(scratch.stack);
    mem_free(scratch.found);
    fill_setups(shape);
}

struct shape *shape_new(const struct dag *dag)
{
    struct shape *shape = mem_alloc_zero(1, sizeof *shape);
    shape->references = 1;
    shape->dag = dag_ref(dag);
    shape->arena = arena_new();
    shape->version = dag->version;
    shape->tasks = arena_array(shape->arena, struct task_shape, dag->task_count);
    bool has_setups = false;
    for (uint32_t i = 0; i < dag->task_count; i++) {
        const struct task *task = &dag->tasks[i];
        shape->tasks[i].leaf = is_leaf(dag, task);
        has_setups |= task->setup;
        for (size_t u = 0; u < task->upstream.count; u++)
            shape->tasks[i].setup_upstreams += dag->tasks[task->upstream.at[u]].setup;
    }
    if (has_setups)
        find_scopes(shape);
    return shape;
}

struct shape *shape_ref(struct shape *shape)
{
    shape->references++;
    return shape;
}

void shape_unref(struct shape *shape)
{
    if (!shape || --shape->references)
        return;
    dag_unref(shape->dag);
    arena_free(shape->arena);
    mem_free(shape);
}
