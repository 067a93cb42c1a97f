/* What depends_on_past and wait_for_downstream look at. */
#include "scheduler/internal.h"

void past_free(struct past_run *past)
{
    mem_free(past->tasks);
}

/* The first run remembered with a date at or after. */
static size_t past_at(const struct live_dag *dag, int64_t logical_us)
{
    size_t low = 0, high = dag->past.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (dag->past.at[middle].logical_us < logical_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t past_max(const struct live_dag *dag)
{
    /* without a version nobody knows: it may come back */
    bool used = !dag->newest || dag->newest->dag->uses_past;
    return used ? PAST_RUNS_MAX : PAST_RUNS_UNUSED_MAX;
}

bool past_is_known(const struct live_dag *dag, int64_t logical_us)
{
    size_t at = past_at(dag, logical_us);
    return at < dag->past.count && dag->past.at[at].logical_us == logical_us;
}

static struct past_run *past_slot(struct live_dag *dag, int64_t logical_us, size_t max)
{
    size_t at = past_at(dag, logical_us);
    if (past_is_known(dag, logical_us)) {
        past_free(&dag->past.at[at]);
        return &dag->past.at[at];
    }
    if (dag->past.count >= max) {
        if (at == 0)
            return NULL;
        past_free(&dag->past.at[0]);
        vec_remove(&dag->past, 0);
        at--;
    }
    (void)vec_add(&dag->past);
    memmove(&dag->past.at[at + 1], &dag->past.at[at],
        (dag->past.count - 1 - at) * sizeof(struct past_run));
    return &dag->past.at[at];
}

/* Of two instances of a mapped task: the one that keeps it from being done. */
static enum task_state worse(enum task_state a, enum task_state b)
{
    if (a == TASK_REMOVED || b == TASK_REMOVED)
        return a == TASK_REMOVED ? b : a;
    return task_state_success_like(a) ? b : a;
}

void past_set(struct scheduler *s, struct live_dag *dag, int64_t logical_us,
    const struct past_task *tasks, size_t count, size_t max)
{
    struct past_run *past = past_slot(dag, logical_us, max);
    if (!past)
        return;
    *past = (struct past_run){.logical_us = logical_us};
    past->tasks = mem_alloc_zero(count, sizeof *past->tasks);
    for (size_t i = 0; i < count; i++) {
        struct past_entry *last = past->count ? &past->tasks[past->count - 1] : NULL;
        if (last && str_equal(last->task_id, tasks[i].task_id))
            last->state = worse(last->state, tasks[i].state);
        else
            past->tasks[past->count++] =
                (struct past_entry){keep(s, tasks[i].task_id), tasks[i].state};
    }
}

void past_add(struct scheduler *s, struct run *run)
{
    struct past_task *tasks = mem_alloc_zero(run->task_count, sizeof *tasks);
    for (uint32_t i = 0; i < run->task_count; i++)
        tasks[i] = (struct past_task){run->tasks[i]->task->task_id, mapping_state(run->tasks[i])};
    past_set(s, run->dag, run->logical_us, tasks, run->task_count, past_max(run->dag));
    mem_free(tasks);
    run_past_changed(s, run);
}

/* A run before another one: live, or remembered. */
struct earlier {
    const struct run *live;
    const struct past_run *past;
};

static struct earlier earlier_run(const struct run *run)
{
    const struct live_dag *dag = run->dag;
    struct earlier found = {0};
    size_t live = runs_at(dag, run->logical_us);
    if (live > 0)
        found.live = dag->runs.at[live - 1];
    size_t at = past_at(dag, run->logical_us);
    if (at > 0 && (!found.live || dag->past.at[at - 1].logical_us > found.live->logical_us))
        found = (struct earlier){.past = &dag->past.at[at - 1]};
    return found;
}

/* The state of a task there; false when that run's version did not have it. */
static bool earlier_state(const struct earlier *earlier, const char *task_id, enum task_state *ret)
{
    if (earlier->live) {
        const struct run *run = earlier->live;
        *ret = TASK_NONE;
        if (!run->tasks)
            return true;
        const struct task *task = dag_find_task(run->shape->dag, task_id);
        if (task)
            *ret = mapping_state(run->tasks[task->index]);
        return task && *ret != TASK_REMOVED;
    }
    *ret = TASK_NONE;
    if (!earlier->past->count)
        return true;
    for (uint32_t i = 0; i < earlier->past->count; i++)
        if (str_equal(earlier->past->tasks[i].task_id, task_id)) {
            *ret = earlier->past->tasks[i].state;
            return *ret != TASK_REMOVED;
        }
    return false;
}

static bool is_done_before(
    struct scheduler *s, const struct earlier *earlier, const char *task_id, const char **ret_text)
{
    enum task_state state;
    if (!earlier_state(earlier, task_id, &state) || task_state_success_like(state))
        return true;
    char date[TIME_TEXT_SIZE];
    time_format_iso(earlier->live ? earlier->live->logical_us : earlier->past->logical_us, date);
    *ret_text = arena_printf(s->plan->arena, "waiting: `%s` of the run before (%s) is %s", task_id,
        date, task_state_name(state));
    return false;
}

bool past_allows(struct scheduler *s, const struct instance *i, const char **ret_text)
{
    const struct task *task = i->task;
    if (!task->depends_on_past && !task->wait_for_downstream)
        return true;
    struct earlier earlier = earlier_run(i->run);
    if (!earlier.live && !earlier.past)
        return true;
    if (!is_done_before(s, &earlier, task->task_id, ret_text))
        return false;
    const struct dag *dag = i->run->shape->dag;
    for (size_t n = 0; task->wait_for_downstream && n < task->downstream.count; n++)
        if (!is_done_before(s, &earlier, dag->tasks[task->downstream.at[n]].task_id, ret_text))
            return false;
    return true;
}
