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

void shape_mark_relatives(
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
    shape_mark_relatives(dag, setup->index, true, scratch->after, scratch->stack);
    for (size_t i = 0; i < setup->downstream.count; i++) {
        const struct task *down = &dag->tasks[setup->downstream.at[i]];
        if (!down->teardown)
            continue;
        has_teardown = true;
        shape_mark_relatives(dag, down->index, false, scratch->before, scratch->stack);
    }
    size_t count = 0;
    for (uint32_t i = 0; i < dag->task_count; i++)
        if (scratch->after[i] && !dag->tasks[i].teardown && (!has_teardown || scratch->before[i]))
            scratch->found[count++] = i;
    return (struct indexes){
        arena_memdup(shape->arena, scratch->found, count * sizeof(uint32_t)), count};
}

/* Turns task → tasks round: of each task in a list that starts at `from`, who lists it, into the
   list at `to` (offsets in struct task_shape). */
static void turn_round(struct shape *shape, size_t from, size_t to)
{
    uint32_t count = shape->dag->task_count;
    uint32_t *filled = mem_alloc_zero(count, sizeof(uint32_t));
#define LIST(task, offset) ((struct indexes *)(void *)((char *)&shape->tasks[task] + (offset)))
    for (uint32_t s = 0; s < count; s++)
        for (size_t i = 0; i < LIST(s, from)->count; i++)
            LIST(LIST(s, from)->at[i], to)->count++;
    for (uint32_t t = 0; t < count; t++)
        LIST(t, to)->at = arena_array(shape->arena, uint32_t, LIST(t, to)->count);
    for (uint32_t s = 0; s < count; s++)
        for (size_t i = 0; i < LIST(s, from)->count; i++) {
            uint32_t t = LIST(s, from)->at[i];
            ((uint32_t *)LIST(t, to)->at)[filled[t]++] = s;
        }
#undef LIST
    mem_free(filled);
}

/* The tasks that a decision may skip: what follows directly, of a short circuit all that follows.
   Teardowns clean up whatever was skipped. */
static struct indexes decided_by(
    struct shape *shape, const struct task *decider, const struct scratch *scratch)
{
    const struct dag *dag = shape->dag;
    size_t count = 0;
    memset(scratch->after, 0, dag->task_count);
    if (decider->kind == KIND_SHORT_CIRCUIT && !decider->decision->only_direct)
        shape_mark_relatives(dag, decider->index, true, scratch->after, scratch->stack);
    for (size_t i = 0; i < decider->downstream.count; i++)
        scratch->after[decider->downstream.at[i]] = true;
    for (uint32_t i = 0; i < dag->task_count; i++)
        if (scratch->after[i] && !dag->tasks[i].teardown)
            scratch->found[count++] = i;
    return (struct indexes){
        arena_memdup(shape->arena, scratch->found, count * sizeof(uint32_t)), count};
}

static void find_scopes(struct shape *shape)
{
    uint32_t count = shape->dag->task_count;
    struct scratch scratch = {mem_alloc(count), mem_alloc(count),
        mem_alloc((count + 1) * sizeof(uint32_t)), mem_alloc((count + 1) * sizeof(uint32_t))};
    for (uint32_t i = 0; i < count; i++) {
        const struct task *task = &shape->dag->tasks[i];
        if (task->setup)
            shape->tasks[i].scoped = scope_of(shape, task, &scratch);
        if (task_kind_decides(task->kind))
            shape->tasks[i].decides = decided_by(shape, task, &scratch);
    }
    mem_free(scratch.after);
    mem_free(scratch.before);
    mem_free(scratch.stack);
    mem_free(scratch.found);
    turn_round(shape, offsetof(struct task_shape, scoped), offsetof(struct task_shape, setups));
    turn_round(shape, offsetof(struct task_shape, decides), offsetof(struct task_shape, deciders));
}

struct shape *shape_new(const struct dag *dag)
{
    struct shape *shape = mem_alloc_zero(1, sizeof *shape);
    shape->references = 1;
    shape->dag = dag_ref(dag);
    shape->arena = arena_new_tight();
    shape->version = dag->version;
    shape->tasks = arena_array(shape->arena, struct task_shape, dag->task_count);
    bool has_scopes = false;
    for (uint32_t i = 0; i < dag->task_count; i++) {
        const struct task *task = &dag->tasks[i];
        shape->tasks[i].leaf = is_leaf(dag, task);
        has_scopes |= task->setup || task_kind_decides(task->kind);
        for (size_t u = 0; u < task->upstream.count; u++)
            shape->tasks[i].setup_upstreams += dag->tasks[task->upstream.at[u]].setup;
    }
    if (has_scopes)
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
