/* Settings and looking in. */
#include <stdio.h>
#include "scheduler/internal.h"

void scheduler_set_pool(struct scheduler *s, const char *name, int slots)
{
    slots_set(s, "pool", name, slots);
}

void scheduler_set_connection(struct scheduler *s, const char *name, int slots)
{
    slots_set(s, "connection", name, slots);
}

void scheduler_set_max_processes(struct scheduler *s, int processes)
{
    slots_set(s, "processes", "processes", processes);
}

void scheduler_set_paused_upon_creation(struct scheduler *s, bool paused)
{
    s->paused_upon_creation = paused;
}

void scheduler_set_broken(
    struct scheduler *s, const char *dag_id, const char *file, const char *broken)
{
    struct live_dag *dag = dag_find(s, dag_id);
    if (!dag && map_count(s->dags) >= DAGS_MAX)
        return;
    if (!dag)
        dag = dag_new(s, dag_id);
    if (str_equal(dag->broken, broken))
        return;
    mem_free(dag->broken);
    dag->broken = mem_strdup(broken);
    if (!dag->file)
        dag->file = mem_strdup(file);
    dag_changed(s, dag);
}

void scheduler_quarantine(struct scheduler *s, const char *dag_id, const char *file)
{
    struct live_dag *dag = dag_find(s, dag_id);
    if (!dag)
        dag = dag_new(s, dag_id);
    if (!dag->file && file)
        dag->file = mem_strdup(file);
    if (!scheduler_is_quarantined(s, dag_id))
        dag_pause(s, dag, REASON_QUARANTINED);
}

bool scheduler_is_quarantined(const struct scheduler *s, const char *dag_id)
{
    const struct live_dag *dag = dag_find(s, dag_id);
    return dag && dag->paused && dag->pause_reason == REASON_QUARANTINED;
}

void scheduler_set_draining(struct scheduler *s, bool draining)
{
    s->draining = draining;
    if (draining)
        return;
    slots_touch_all(s);
    size_t cursor = 0;
    void *dag;
    while (map_next(s->dags, &cursor, NULL, &dag))
        dag_wants_step(s, dag);
}

/* ---- the queue ---- */

/* Why a task that could run does not; false when it is not one. */
static bool waiting_reason(
    const struct scheduler *s, const struct instance *i, enum reason *ret, const char **ret_text)
{
    if (i->heap)
        *ret = slots_reason(s, i);
    else if (i->waiting_past)
        *ret = REASON_WAITING_PAST;
    else if (i->state == TASK_UP_FOR_RESCHEDULE || i->state == TASK_DEFERRED)
        *ret = i->reason;
    else
        return false;
    *ret_text = !i->heap && i->text ? i->text : reason_text(*ret);
    return true;
}

static const char *slots_text(const struct instance *i, enum reason reason, char *ret, size_t size)
{
    const struct slots *slots = reason == REASON_WAITING_POOL         ? i->lane->pool
                                : reason == REASON_WAITING_CONNECTION ? i->lane->connection
                                                                      : NULL;
    if (!slots)
        return NULL;
    if (i->lane->need > slots->total && reason == REASON_WAITING_POOL)
        snprintf(ret, size, "can never run: it needs %d slots, and pool `%s` has %d", i->lane->need,
            slots->name, slots->total);
    else
        snprintf(ret, size, "waiting for a slot of %s `%s` (%d of %d in use)", slots->kind,
            slots->name, slots->used, slots->total);
    return ret;
}

static void visit_tasks(const struct scheduler *s, const struct run *run,
    void (*visit)(void *, const struct queue_item *), void *context)
{
    run_each (i, run) {
        struct queue_item item = {.dag_id = run->dag->dag_id,
            .run_id = run->run_id,
            .task_id = i->task->task_id,
            .map_index = i->map_index,
            .run = run->id,
            .logical_us = run->logical_us,
            .since_us = i->ready_us,
            .state = i->state,
            .pool = i->task->pool,
            .weight = i->task->weight};
        if (!waiting_reason(s, i, &item.reason, &item.text))
            continue;
        char text[256];
        const char *better = slots_text(i, item.reason, text, sizeof text);
        item.text = better ? better : item.text;
        visit(context, &item);
    }
}

static void visit_queued(const struct scheduler *s, const struct run *run,
    void (*visit)(void *, const struct queue_item *), void *context)
{
    enum reason reason = run_queued_reason(s, run);
    visit(context, &(struct queue_item){.dag_id = run->dag->dag_id,
                       .run_id = run->run_id,
                       .map_index = -1,
                       .run = run->id,
                       .logical_us = run->logical_us,
                       .since_us = run->queued_us,
                       .reason = reason,
                       .text = reason_text(reason)});
}

void scheduler_queue(const struct scheduler *s,
    void (*visit)(void *context, const struct queue_item *item), void *context)
{
    size_t cursor = 0;
    void *value;
    while (map_next(s->dags, &cursor, NULL, &value)) {
        const struct live_dag *dag = value;
        for (size_t n = 0; n < dag->runs.count; n++)
            if (dag->runs.at[n]->state == RUN_QUEUED)
                visit_queued(s, dag->runs.at[n], visit, context);
            else
                visit_tasks(s, dag->runs.at[n], visit, context);
    }
}

/* ---- numbers ---- */

static void visit_slots(
    const struct map *map, void (*visit)(void *, const struct slots_use *), void *context)
{
    size_t cursor = 0;
    void *value;
    while (map_next(map, &cursor, NULL, &value)) {
        const struct slots *slots = value;
        visit(context, &(struct slots_use){
                           slots->kind, slots->name, slots->total, slots->used, slots->waiting});
    }
}

void scheduler_slots(const struct scheduler *s,
    void (*visit)(void *context, const struct slots_use *use), void *context)
{
    visit_slots(s->pools, visit, context);
    visit_slots(s->connections, visit, context);
    const struct slots *p = s->processes;
    visit(context, &(struct slots_use){p->kind, p->name, p->total, p->used, p->waiting});
}

struct scheduler_counts scheduler_count(const struct scheduler *s)
{
    return (struct scheduler_counts){
        .dags = map_count(s->dags),
        .runs = map_count(s->runs),
        .queued_runs = s->queued_count,
        .instances = s->instance_count,
        .ready = s->ready_count,
        .active = s->active_count,
        .timers = s->timers.count,
        .backfills = s->backfill_count,
    };
}

struct run_id scheduler_find_run(const struct scheduler *s, const char *dag_id, int64_t logical_us)
{
    const struct live_dag *dag = dag_find(s, dag_id);
    if (!dag || !dag->runs.count)
        return (struct run_id){0};
    const struct run *run =
        logical_us == TIME_NONE ? dag->runs.at[0] : dag_live_run(dag, logical_us);
    return run ? run->id : (struct run_id){0};
}

bool scheduler_has_run(const struct scheduler *s, struct run_id run)
{
    return run_find(s, run) != NULL;
}

const char *scheduler_run_dag(const struct scheduler *s, struct run_id id)
{
    const struct run *run = run_find(s, id);
    return run ? run->dag->dag_id : NULL;
}

bool scheduler_dag(const struct scheduler *s, const char *dag_id, struct dag_record *ret)
{
    const struct live_dag *dag = dag_find(s, dag_id);
    if (dag)
        *ret = dag_record_of(dag);
    return dag != NULL;
}

const struct dag *scheduler_dag_version(const struct scheduler *s, const char *dag_id)
{
    const struct live_dag *dag = dag_find(s, dag_id);
    return dag && dag->newest ? dag->newest->dag : NULL;
}
