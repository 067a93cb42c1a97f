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

struct row_task *store_task(struct sim *sim, struct run_id id, const char *task_id)
{
    struct row_run *run = store_run(sim, id);
    int number = task_number(task_id);
    if (!run || number < 0)
        return NULL;
    if (!run->tasks[number]) {
        run->tasks[number] = arena_new_of(sim->arena, struct row_task);
        run->tasks[number]->run = run;
        run->tasks[number]->number = number;
    }
    return run->tasks[number];
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
    return kept;
}

static struct task_record kept_task(
    struct sim *sim, const struct row_task *task, const struct task_record *from)
{
    struct task_record kept = *from;
    kept.decision = arena_strdup(sim->arena, from->decision);
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

static void decide_task(struct sim *sim, const struct change *change)
{
    const struct task_record *record = &change->task.record;
    struct row_task *task = store_task(sim, record->run, record->task_id);
    invariants_check(sim, WHEN_TASK_DECIDED,
        &(struct moment){.change = change, .task = task, .dag = task->run->dag});
    if (!task->is_live || task->live.state != record->state)
        sim_trace_task(sim, "decided", task, task->is_live ? (int)task->live.state : -1,
            (int)record->state, (int64_t)record->reason);
    sim->instances += !task->is_live;
    task->live = kept_task(sim, task, record);
    task->is_live = true;
    struct attempt *attempt = attempt_find(sim, record->attempt.text);
    if (record->state == TASK_REMOVED && attempt)
        attempt_set_ended(sim, attempt, true);
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
        default: break;
        }
    }
}

/* ---- durable ---- */

static void commit_task(struct sim *sim, const struct change *change)
{
    const struct task_record *record = &change->task.record;
    struct row_task *task = store_task(sim, record->run, record->task_id);
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
    default: break;
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
    for (int n = 0; n < TASKS_IN_DAG_MAX; n++)
        if (run->tasks[n]) {
            run->tasks[n]->is_live = run->tasks[n]->in_store;
            run->tasks[n]->live = run->tasks[n]->durable;
        }
}

static void forget_dag(struct sim_dag *dag)
{
    size_t kept = 0;
    dag->starts_while_backfill_waits = 0;
    dag->backfill_cursors = -1;
    dag->live = dag->durable;
    dag->is_live = dag->in_store;
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
    vec_each (attempt, &sim->open)
        attempt_reload(sim, *attempt);
}
