/* The store's model: durable rows, one leader, and the view of what was decided. */
#include <stdlib.h>
#include "tests/simulation/invariants.h"

/* ---- rows ---- */

struct sim_dag *store_dag(struct sim *sim, const char *dag_id)
{
    for (int n = 0; n < sim->dag_count; n++)
        if (str_equal(sim->dags[n].dag_id, dag_id))
            return &sim->dags[n];
    return NULL;
}

/* The place of the first run at or after a date. */
static size_t runs_at(const struct sim_dag *dag, int64_t logical_us)
{
    size_t low = 0, high = dag->runs.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (dag->runs.at[middle]->live.logical_us < logical_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct row_run *store_run_at(const struct sim_dag *dag, int64_t logical_us)
{
    size_t at = runs_at(dag, logical_us);
    bool found = at < dag->runs.count && dag->runs.at[at]->live.logical_us == logical_us;
    return found ? dag->runs.at[at] : NULL;
}

struct row_run *store_run(struct sim *sim, struct run_id id)
{
    return id.v > 0 && (size_t)id.v < sim->runs.count ? sim->runs.at[id.v] : NULL;
}

static struct row_run *make_run(struct sim *sim, const struct run_record *record)
{
    while (sim->runs.count <= (size_t)record->id.v)
        vec_push(&sim->runs, NULL);
    struct row_run *run = arena_new_of(sim->arena, struct row_run);
    run->dag = store_dag(sim, record->dag_id);
    run->live.logical_us = record->logical_us;
    sim->runs.at[record->id.v] = run;
    size_t at = runs_at(run->dag, record->logical_us);
    vec_push(&run->dag->runs, run);
    memmove(&run->dag->runs.at[at + 1], &run->dag->runs.at[at],
        (run->dag->runs.count - 1 - at) * sizeof run);
    run->dag->runs.at[at] = run;
    return run;
}

static struct row_task *row_at(
    struct sim *sim, struct row_task **at, struct row_run *run, int number, int32_t map_index)
{
    if (*at)
        return *at;
    *at = arena_new_of(sim->arena, struct row_task);
    **at = (struct row_task){.run = run, .number = number, .map_index = map_index};
    return *at;
}

struct row_task *store_task(
    struct sim *sim, struct run_id id, const char *task_id, int32_t map_index)
{
    struct row_run *run = store_run(sim, id);
    int number = task_number(task_id);
    if (!run || number < 0 || map_index >= MAPPED_ROWS)
        return NULL;
    struct row_task *head = row_at(sim, &run->tasks[number], run, number, -1);
    return map_index < 0 ? head : row_at(sim, &head->mapped[map_index], run, number, map_index);
}

struct row_task *row_after(const struct row_run *run, const struct row_task *task)
{
    int32_t index = task ? task->map_index + 1 : MAPPED_ROWS;
    for (; index < MAPPED_ROWS; index++)
        if (run->tasks[task->number]->mapped[index])
            return run->tasks[task->number]->mapped[index];
    for (int n = task ? task->number + 1 : 0; n < TASKS_IN_DAG_MAX; n++)
        if (run->tasks[n])
            return run->tasks[n];
    return NULL;
}

struct row_backfill *store_backfill(struct sim *sim, int64_t id)
{
    while (sim->backfills.count <= (size_t)id)
        vec_push(&sim->backfills, arena_new_of(sim->arena, struct row_backfill));
    return sim->backfills.at[id];
}

/* ---- copies whose texts stay ---- */

static const char *kept_version(const struct sim_dag *dag, const char *version)
{
    for (size_t n = dag->versions.count; n-- > 0;)
        if (str_equal(dag->versions.at[n]->version, version))
            return dag->versions.at[n]->version;
    return "unknown";
}

static struct run_record kept_run(
    struct sim *sim, const struct row_run *run, const struct run_record *from)
{
    struct run_record kept = *from;
    kept.dag_id = run->dag->dag_id;
    kept.run_id = run->live.run_id ? run->live.run_id : arena_strdup(sim->arena, from->run_id);
    kept.reason_text = reason_text(from->reason);
    kept.conf = "{}";
    kept.version = kept_version(run->dag, from->version);
    kept.triggered_by = "someone";
    kept.note = NULL;
    if (from->maker.run.v)
        kept.maker.task_id = task_name(task_number(from->maker.task_id));
    return kept;
}

static struct task_record kept_task(
    struct sim *sim, const struct row_task *task, const struct task_record *from)
{
    struct task_record kept = *from;
    kept.decision = arena_strdup(sim->arena, from->decision);
    kept.mapped = str_equal(task->live.mapped, from->mapped)
                      ? task->live.mapped
                      : arena_strdup(sim->arena, from->mapped);
    kept.task_id = task_name(task->number);
    kept.reason_text = reason_text(from->reason);
    return kept;
}

static struct backfill_record kept_backfill(struct sim *sim, const struct backfill_record *from)
{
    static const char *const only[] = {"missing", "failed", "all"};
    struct backfill_record kept = *from;
    for (size_t n = 0; n < ARRAY_SIZE(only); n++)
        if (str_equal(only[n], from->only))
            kept.only = only[n];
    kept.dag_id = store_dag(sim, from->dag_id)->dag_id;
    kept.conf = "{}";
    kept.requested_by = "someone";
    return kept;
}

static struct dag_record kept_dag(const struct sim_dag *dag, const struct dag_record *from)
{
    struct dag_record kept = *from;
    kept.dag_id = dag->dag_id;
    kept.file = "dags/simulated.yaml";
    kept.version = from->version ? kept_version(dag, from->version) : NULL;
    kept.broken = NULL;
    return kept;
}

/* ---- decided ---- */

static void decide_run(struct sim *sim, const struct change *change)
{
    struct row_run *run = store_run(sim, change->run.id);
    if (!run)
        run = make_run(sim, &change->run);
    invariants_check(
        sim, WHEN_RUN_DECIDED, &(struct moment){.change = change, .run = run, .dag = run->dag});
    if (!run->is_live || run->live.state != change->run.state)
        sim_trace(sim, &(struct trace_line){.what = run_state_name(change->run.state),
                           .dag = run->dag->number,
                           .task = -1,
                           .run = change->run.id.v,
                           .from = (int)change->run.type,
                           .to = (int)change->run.reason,
                           .detail = change->run.backfill_id});
    run->live = kept_run(sim, run, &change->run);
    run->is_live = true;
}

/* Not by hand.  An empty task may succeed again in the event that clears it. */
static bool succeeds(const struct row_task *task, const struct task_record *record)
{
    bool has_before = task->is_live && task->live.state == TASK_SUCCESS &&
                      task->live.generation == record->generation;
    return record->state == TASK_SUCCESS && record->reason != REASON_MARKED && !has_before;
}

/* Which outlets it has is not known while its DAG's file is gone. */
static bool has_outlet(const struct row_task *task)
{
    const struct sim_dag *dag = task->run->dag;
    return !dag->gone && (dag->outlets >> task->number & 1);
}

static void decide_task(struct sim *sim, const struct change *change)
{
    const struct task_record *record = &change->task.record;
    struct row_task *task = store_task(sim, record->run, record->task_id, record->map_index);
    invariants_check(sim, WHEN_TASK_DECIDED,
        &(struct moment){.change = change, .task = task, .dag = task->run->dag});
    if (!task->is_live || task->live.state != record->state)
        sim_trace_task(sim, "decided", task, task->is_live ? (int)task->live.state : -1,
            (int)record->state, (int64_t)record->reason);
    if (has_outlet(task) && succeeds(task, record)) {
        task->awaits_event = true;
        sim->awaited_events++;
    }
    sim->instances += !task->is_live;
    task->live = kept_task(sim, task, record);
    task->is_live = true;
    struct attempt *attempt = attempt_find(sim, record->attempt.text);
    bool waits = record->state == TASK_UP_FOR_RESCHEDULE || record->state == TASK_DEFERRED;
    if ((record->state == TASK_REMOVED || waits) && attempt)
        attempt_set_ended(sim, attempt, true);
}

/* ---- assets ---- */

/* Those that are scheduled on it, know it, and are not paused or removed. */
static uint32_t queued_for(const struct sim *sim, int asset)
{
    uint32_t dags = 0;
    for (int n = 0; n < sim->dag_count; n++) {
        const struct sim_dag *dag = &sim->dags[n];
        bool queues = dag->queues[asset].is_live && !dag->live.paused && !dag->live.removed;
        dags |= (uint32_t)queues << n;
    }
    return dags;
}

static void decide_event(struct sim *sim, const struct change *change)
{
    const struct asset_event_record *record = &change->asset_event;
    int asset = asset_number(record->asset);
    struct row_task *task =
        record->run.v ? store_task(sim, record->run, record->task_id, record->map_index) : NULL;
    invariants_check(sim, WHEN_ASSET_DECIDED, &(struct moment){.change = change, .task = task});
    if (task && task->awaits_event) {
        task->awaits_event = false;
        sim->awaited_events--;
    }
    while (sim->events.count <= (size_t)change->asset_event.id)
        *vec_add(&sim->events) = (struct row_event){.asset = -1};
    sim->events.at[change->asset_event.id] =
        (struct row_event){.asset = asset, .queued_for = queued_for(sim, asset)};
}

static struct asset_queue_record kept_queue(
    const struct sim_dag *dag, const struct asset_queue_record *from)
{
    struct asset_queue_record kept = *from;
    kept.dag_id = dag->dag_id;
    for (size_t n = 0; n < dag->asset_names.count; n++)
        if (str_equal(dag->asset_names.at[n], from->asset))
            kept.asset = dag->asset_names.at[n];
    return kept;
}

static struct row_queue *queue_of(struct sim_dag *dag, const char *asset)
{
    return &dag->queues[asset_number(asset)];
}

static void decide_queue(struct sim *sim, const struct asset_queue_record *record)
{
    struct sim_dag *dag = store_dag(sim, record->dag_id);
    struct row_queue *queue = queue_of(dag, record->asset);
    if (!queue->is_live && !queue->live_until)
        queue->live_until = record->after_event;
    queue->live = kept_queue(dag, record);
    queue->is_live = true;
}

static void decide_consumed(struct sim *sim, const struct change *change)
{
    struct sim_dag *dag = store_run(sim, change->run_asset.run)->dag;
    invariants_check(sim, WHEN_ASSET_DECIDED, &(struct moment){.change = change, .dag = dag});
    queue_of(dag, change->run_asset.asset)->live_until = change->run_asset.last_event;
}

static void commit_queue(struct sim *sim, const struct asset_queue_record *record)
{
    struct sim_dag *dag = store_dag(sim, record->dag_id);
    struct row_queue *queue = queue_of(dag, record->asset);
    if (!queue->in_store && !queue->durable_until)
        queue->durable_until = record->after_event;
    queue->durable = kept_queue(dag, record);
    queue->in_store = true;
}

static void commit_asset(struct sim *sim, const struct change *change)
{
    switch (change->kind) {
    case CHANGE_ASSET_EVENT: sim->events.at[change->asset_event.id].in_store = true; break;
    case CHANGE_ASSET_QUEUE: commit_queue(sim, &change->asset_queue); break;
    case CHANGE_RUN_ASSET: {
        struct sim_dag *dag = store_run(sim, change->run_asset.run)->dag;
        queue_of(dag, change->run_asset.asset)->durable_until = change->run_asset.last_event;
        break;
    }
    default: break;
    }
}

static void decide_attempt(struct sim *sim, const struct change *change)
{
    struct attempt *attempt = attempt_find(sim, change->attempt.id.text);
    if (attempt && change->attempt.state == ATTEMPT_ENDED)
        attempt_set_ended(sim, attempt, true);
}

static void decide_dag(struct sim *sim, const struct change *change)
{
    struct sim_dag *dag = store_dag(sim, change->dag.dag_id);
    invariants_check(sim, WHEN_DAG_DECIDED, &(struct moment){.change = change, .dag = dag});
    dag->live = kept_dag(dag, &change->dag);
    dag->is_live = true;
}

void store_decide(struct sim *sim, const struct plan *plan, size_t from)
{
    for (size_t n = from; n < plan->changes.count; n++) {
        const struct change *change = &plan->changes.at[n];
        switch (change->kind) {
        case CHANGE_RUN: decide_run(sim, change); break;
        case CHANGE_TASK: decide_task(sim, change); break;
        case CHANGE_ATTEMPT: decide_attempt(sim, change); break;
        case CHANGE_DAG: decide_dag(sim, change); break;
        case CHANGE_BACKFILL: {
            struct row_backfill *b = store_backfill(sim, change->backfill.id);
            b->live = kept_backfill(sim, &change->backfill);
            b->is_live = true;
            break;
        }
        case CHANGE_ASSET_EVENT: decide_event(sim, change); break;
        case CHANGE_ASSET_QUEUE: decide_queue(sim, &change->asset_queue); break;
        case CHANGE_RUN_ASSET: decide_consumed(sim, change); break;
        default: break;
        }
    }
}

/* ---- durable ---- */

static void commit_task(struct sim *sim, const struct change *change)
{
    const struct task_record *record = &change->task.record;
    struct row_task *task = store_task(sim, record->run, record->task_id, record->map_index);
    invariants_check(sim, WHEN_TASK_COMMITTED,
        &(struct moment){.change = change, .task = task, .dag = task->run->dag});
    task->durable = kept_task(sim, task, record);
    task->in_store = true;
}

static void commit_attempt(struct sim *sim, const struct change *change)
{
    struct attempt *attempt = attempt_find(sim, change->attempt.id.text);
    if (!attempt)
        return;
    attempt->in_store = true;
    attempt->ended_in_store = change->attempt.state == ATTEMPT_ENDED;
}

static void commit_request(struct sim *sim, const char *uuid)
{
    int64_t number = 0;
    if (!parse_int64(slice_of(uuid + 1), &number))
        return;
    while (sim->requests.count <= (size_t)number)
        vec_push(&sim->requests, false);
    sim->requests.at[number] = true;
}

static void commit_change(struct sim *sim, const struct change *change)
{
    switch (change->kind) {
    case CHANGE_RUN: {
        struct row_run *run = store_run(sim, change->run.id);
        run->durable = kept_run(sim, run, &change->run);
        run->in_store = true;
        break;
    }
    case CHANGE_TASK: commit_task(sim, change); break;
    case CHANGE_ATTEMPT: commit_attempt(sim, change); break;
    case CHANGE_DAG: {
        struct sim_dag *dag = store_dag(sim, change->dag.dag_id);
        dag->durable = kept_dag(dag, &change->dag);
        dag->in_store = true;
        break;
    }
    case CHANGE_BACKFILL: {
        struct row_backfill *b = store_backfill(sim, change->backfill.id);
        b->durable = kept_backfill(sim, &change->backfill);
        b->in_store = true;
        break;
    }
    case CHANGE_REQUEST: commit_request(sim, change->request.uuid); break;
    default: commit_asset(sim, change); break;
    }
}

bool store_commit(struct sim *sim, struct batch *batch)
{
    if (batch->owner->epoch != sim->epoch)
        return false;
    invariants_check(sim, WHEN_BATCH_COMMITTED, &(struct moment){.batch = batch});
    sim->last_batch = batch->number;
    vec_each (change, &batch->plan.changes)
        commit_change(sim, change);
    return true;
}

/* ---- after a crash ---- */

static void forget_run(struct row_run *run)
{
    run->is_live = run->in_store;
    run->live = run->durable;
    row_each(task, run)
    {
        task->is_live = task->in_store;
        task->live = task->durable;
    }
}

static void forget_queue(struct row_queue *queue)
{
    queue->is_live = queue->in_store;
    queue->live = queue->durable;
    queue->live_until = queue->durable_until;
}

static void forget_dag(struct sim_dag *dag)
{
    size_t kept = 0;
    dag->starts_while_backfill_waits = 0;
    dag->backfill_cursors = -1;
    dag->live = dag->durable;
    dag->is_live = dag->in_store;
    for (int n = 0; n < ASSETS; n++)
        forget_queue(&dag->queues[n]);
    for (size_t n = 0; n < dag->runs.count; n++)
        if (dag->runs.at[n]->in_store)
            dag->runs.at[kept++] = dag->runs.at[n];
    dag->runs.count = kept;
    vec_each (run, &dag->runs)
        forget_run(*run);
}

void store_forget_undurable(struct sim *sim)
{
    for (size_t n = 0; n < sim->runs.count; n++)
        if (sim->runs.at[n] && !sim->runs.at[n]->in_store)
            sim->runs.at[n] = NULL;
    for (int n = 0; n < sim->dag_count; n++)
        forget_dag(&sim->dags[n]);
    vec_each (b, &sim->backfills) {
        (*b)->is_live = (*b)->in_store;
        (*b)->live = (*b)->durable;
    }
    while (sim->events.count && !sim->events.at[sim->events.count - 1].in_store)
        sim->events.count--;
    vec_each (attempt, &sim->open)
        attempt_reload(sim, *attempt);
}
