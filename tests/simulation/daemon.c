/* A daemon: the scheduler, the plan that gathers, and the batch on its way to the store. */
#include <stdio.h>
#include <stdlib.h>
#include "tests/simulation/invariants.h"

static void must(enum status status, const struct error *err)
{
    if (status == OK)
        return;
    fprintf(stderr, "simulation: %s\n", err->message);
    abort();
}

/* ---- effects ---- */

/* What the store has of the run is out of date: it follows with the next batch. */
static bool changes_next(const struct daemon *daemon, const struct run_record *wanted)
{
    vec_each (change, &daemon->plan.changes)
        if (change->kind == CHANGE_RUN && change->run.logical_us == wanted->logical_us &&
            str_equal(change->run.dag_id, wanted->dag_id))
            return true;
    return false;
}

static void load_wanted(struct sim *sim, struct daemon *daemon, const struct effect *effect)
{
    if (changes_next(daemon, &effect->run)) {
        struct effect later = *effect;
        later.run.dag_id = arena_strdup(daemon->plan.arena, effect->run.dag_id);
        vec_push(&daemon->plan.effects, later);
        return;
    }
    const struct sim_dag *dag = store_dag(sim, effect->run.dag_id);
    const struct row_run *run = store_run_at(dag, effect->run.logical_us);
    if (run && run->in_store)
        daemon_load_run(sim, daemon, run);
    daemon_event(sim, daemon,
        &(struct event){
            .kind = EVENT_RUN_LOADED, .dag_id = dag->dag_id, .logical_us = effect->run.logical_us});
}

static void carry_out(struct sim *sim, struct daemon *daemon, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_START: executor_start(sim, daemon, effect); break;
    case EFFECT_CANCEL: executor_cancel(sim, effect); break;
    case EFFECT_VOID: executor_void(sim, daemon, effect); break;
    case EFFECT_LOAD_RUN:
        if (daemon == sim->leader)
            load_wanted(sim, daemon, effect);
        break;
    case EFFECT_REPLY:
    case EFFECT_RUN_ENDED:
        invariants_check(sim, WHEN_ACTED, &(struct moment){.effect = effect});
        break;
    default: break;
    }
}

/* ---- deciding ---- */

static void look_at_effects(struct sim *sim, const struct daemon *daemon, size_t from)
{
    for (size_t n = from; n < daemon->plan.effects.count; n++) {
        const struct effect *effect = &daemon->plan.effects.at[n];
        if (effect->kind != EFFECT_START)
            continue;
        attempt_decided(sim, effect);
        struct attempt *attempt = attempt_find(sim, effect->attempt.text);
        invariants_check(sim, WHEN_STARTS,
            &(struct moment){.effect = effect,
                .attempt = attempt,
                .task = attempt->task,
                .dag = attempt->task->run->dag});
    }
}

void daemon_event(struct sim *sim, struct daemon *daemon, const struct event *event)
{
    struct error err;
    size_t changes = daemon->plan.changes.count, effects = daemon->plan.effects.count;
    must(scheduler_apply(daemon->scheduler, event, sim->now, &daemon->plan, &err), &err);
    sim->decisions++;
    if (daemon == sim->leader) {
        invariants_check(sim, WHEN_PLANNED,
            &(struct moment){.plan = &daemon->plan, .changes = changes, .effects = effects});
        store_decide(sim, &daemon->plan, changes);
        look_at_effects(sim, daemon, effects);
        invariants_check(sim, WHEN_DECIDED, &(struct moment){.event = event});
    }
    if (!daemon->turn.entry.slot && !daemon->writing)
        sim_at(sim, &daemon->turn, (int64_t)sim_pick(sim, US_PER_MS));
}

/* ---- batches ---- */

static int64_t commit_us(struct sim *sim)
{
    bool slow = !sim->calm && sim->kind == EPISODE_CHAOS && sim_chance(sim, 10);
    return 1 + (int64_t)sim_pick(sim, slow ? 10 * US_PER_MINUTE : 5 * US_PER_MS);
}

static bool will_fail(struct sim *sim)
{
    bool may = sim->kind == EPISODE_CHAOS || (sim->kind == EPISODE_DISTURBED && sim->crashes_left);
    return may && !sim->calm && sim_chance(sim, 3);
}

void daemon_turn(struct sim *sim, struct daemon *daemon)
{
    if (daemon->writing || (!daemon->plan.changes.count && !daemon->plan.effects.count))
        return;
    struct batch *batch = mem_alloc_zero(1, sizeof *batch);
    batch->due.kind = DUE_BATCH;
    batch->owner = daemon;
    batch->plan = daemon->plan;
    batch->number = daemon->next_batch++;
    batch->fails = daemon == sim->leader && will_fail(sim);
    plan_init(&daemon->plan);
    daemon->writing = batch;
    vec_each (effect, &batch->plan.effects)
        if (PLANTED(EFFECT_BEFORE_COMMIT) && effect->kind == EFFECT_START)
            executor_start(sim, daemon, effect);
    sim_at(sim, &batch->due, commit_us(sim));
}

static void batch_free(struct sim *sim, struct batch *batch)
{
    sim_never(sim, &batch->due);
    plan_done(&batch->plan);
    mem_free(batch);
}

/* Releases the next effect; a crash may come between any two. */
static void release_one(struct sim *sim, struct batch *batch)
{
    struct daemon *daemon = batch->owner;
    if (batch->released < batch->plan.effects.count)
        carry_out(sim, daemon, &batch->plan.effects.at[batch->released++]);
    if (batch->released < batch->plan.effects.count) {
        sim_at(sim, &batch->due, 1);
        return;
    }
    daemon->writing = NULL;
    batch_free(sim, batch);
    sim_at(sim, &daemon->turn, 1);
}

void daemon_batch_due(struct sim *sim, struct batch *batch)
{
    if (batch->durable) {
        release_one(sim, batch);
        return;
    }
    if (batch->fails && batch->owner == sim->leader) {
        daemon_crash(sim);
        return;
    }
    if (batch->fails || !store_commit(sim, batch)) {
        daemon_free(sim, batch->owner);
        return;
    }
    batch->durable = true;
    sim_at(sim, &batch->due, 0);
}

bool daemon_settle(struct sim *sim, struct daemon *daemon)
{
    for (;;) {
        if (!daemon->writing)
            daemon_turn(sim, daemon);
        if (!daemon->writing)
            return true;
        int epoch = daemon->epoch;
        sim_never(sim, &daemon->writing->due);
        daemon_batch_due(sim, daemon->writing);
        if (sim->leader->epoch != epoch)
            return false;
    }
}

/* ---- loading ---- */

void daemon_load_run(struct sim *sim, struct daemon *daemon, const struct row_run *run)
{
    struct task_record tasks[ROWS_IN_RUN_MAX];
    struct error err;
    size_t count = 0;
    row_each(task, run) if (task->in_store) tasks[count++] = task->durable;
    const struct dag *version = project_kept_version(sim, run);
    must(scheduler_load_run(daemon->scheduler, &run->durable, version, tasks, count, &err), &err);
}

/* The dates of a DAG that have runs, between two inclusive. */
static size_t dates_of(struct sim *sim, const struct sim_dag *dag, int64_t from_us, int64_t to_us,
    struct known_date **ret)
{
    size_t count = 0;
    *ret = arena_array(sim->arena, struct known_date, dag->runs.count);
    vec_each (run, &dag->runs)
        if ((*run)->in_store && (*run)->durable.logical_us >= from_us &&
            (*run)->durable.logical_us <= to_us)
            (*ret)[count++] =
                (struct known_date){(*run)->durable.logical_us, (*run)->durable.state};
    return count;
}

static void load_past_run(struct daemon *daemon, const struct row_run *run)
{
    struct past_task tasks[ROWS_IN_RUN_MAX];
    struct error err;
    size_t count = 0;
    row_each(task, run) if (task->in_store) tasks[count++] =
        (struct past_task){task_name(task->number), task->durable.state};
    must(scheduler_load_past(
             daemon->scheduler, run->dag->dag_id, run->durable.logical_us, tasks, count, &err),
        &err);
}

/* Before the first version that uses it. */
void daemon_load_past(struct daemon *daemon, const struct sim_dag *dag)
{
    vec_each (run, &dag->runs)
        if ((*run)->in_store && run_state_finished((*run)->durable.state))
            load_past_run(daemon, *run);
}

static int64_t took_us(int64_t started_us, int64_t ended_us)
{
    return started_us == TIME_NONE || ended_us == TIME_NONE ? -1 : ended_us - started_us;
}

/* How long runs that succeeded took, and their tasks. */
static void load_durations(struct daemon *daemon, const struct sim_dag *dag)
{
    VEC(struct past_duration) all = {0};
    struct error err;
    vec_each (run, &dag->runs) {
        const struct run_record *record = &(*run)->durable;
        if (!(*run)->in_store || record->state != RUN_SUCCESS)
            continue;
        vec_push(&all, (struct past_duration){.us = took_us(record->started_us, record->ended_us)});
        row_each(task, *run) if (task->in_store && task->durable.state == TASK_SUCCESS) *
            vec_add(&all) = (struct past_duration){
            task_name(task->number), took_us(task->durable.started_us, task->durable.ended_us)};
    }
    must(scheduler_load_durations(daemon->scheduler, dag->dag_id, all.at, all.count, &err), &err);
    vec_done(&all);
}

static void load_queues(struct daemon *daemon, const struct sim_dag *dag)
{
    struct error err;
    for (int n = 0; n < ASSETS; n++)
        if (dag->queues[n].in_store)
            must(
                scheduler_load_asset_queue(daemon->scheduler, &dag->queues[n].durable, &err), &err);
}

static void load_dag(struct sim *sim, struct daemon *daemon, struct sim_dag *dag)
{
    struct error err;
    struct known_date *dates;
    size_t count = dates_of(sim, dag, dag->durable.covered_until_us, INT64_MAX, &dates);
    const struct dag *newest = dag->gone ? NULL : project_newest(dag);
    if (!newest && !dag->in_store)
        return;
    must(scheduler_load_dag(daemon->scheduler, newest, dag->in_store ? &dag->durable : NULL, dates,
             dag->in_store ? count : 0, &err),
        &err);
    if (newest && newest->uses_past)
        daemon_load_past(daemon, dag);
    if (newest && newest->uses_durations)
        load_durations(daemon, dag);
}

static void load_backfill(
    struct sim *sim, struct daemon *daemon, const struct backfill_record *record)
{
    struct error err;
    struct known_date *dates;
    struct sim_dag *dag = store_dag(sim, record->dag_id);
    size_t count = dates_of(sim, dag, record->from_us, record->to_us, &dates);
    must(scheduler_load_backfill(daemon->scheduler, record, dates, count, &err), &err);
}

static void load_attempt(struct sim *sim, struct daemon *daemon, struct attempt *attempt)
{
    const struct row_run *run = attempt->task->run;
    if (!attempt->in_store || attempt->ended_in_store ||
        !scheduler_has_run(daemon->scheduler, run->durable.id))
        return;
    struct attempt_record record = {.id = attempt->id,
        .run = run->durable.id,
        .task_id = task_name(attempt->task->number),
        .map_index = attempt->task->map_index,
        .generation = attempt->generation,
        .number = attempt->number,
        .version = run->durable.version};
    if (scheduler_load_attempt(daemon->scheduler, &record))
        executor_recover(sim, daemon, attempt);
}

static void load(struct sim *sim, struct daemon *daemon)
{
    for (int n = 0; n < sim->dag_count; n++)
        load_dag(sim, daemon, &sim->dags[n]);
    vec_each (run, &sim->runs)
        if (*run && (*run)->in_store && !run_state_finished((*run)->durable.state))
            daemon_load_run(sim, daemon, *run);
    vec_each (b, &sim->backfills)
        if ((*b)->in_store && !(*b)->durable.finished)
            load_backfill(sim, daemon, &(*b)->durable);
    for (int n = 0; n < sim->dag_count; n++)
        load_queues(daemon, &sim->dags[n]);
    for (size_t n = 0; n < sim->open.count; n++)
        load_attempt(sim, daemon, sim->open.at[n]);
}

/* ---- life ---- */

static struct daemon *daemon_new(struct sim *sim)
{
    struct daemon *daemon = mem_alloc_zero(1, sizeof *daemon);
    struct slots_setting pool_settings[POOLS] = {{"default_pool", sim->pool_slots[0]},
        {"p1", sim->pool_slots[1]}, {"p2", sim->pool_slots[2]}};
    struct slots_setting connection_settings[CONNECTIONS] = {
        {"c0", sim->connection_slots[0]}, {"c1", sim->connection_slots[1]}};
    int64_t next_run = 1, next_backfill = 1;
    for (size_t n = 0; n < sim->runs.count; n++)
        next_run = sim->runs.at[n] ? (int64_t)n + 1 : next_run;
    for (size_t n = 0; n < sim->backfills.count; n++)
        next_backfill = sim->backfills.at[n]->in_store ? (int64_t)n + 1 : next_backfill;
    daemon->epoch = sim->epoch;
    daemon->scheduler = scheduler_new(&(struct scheduler_options){.seed = sim_random(sim),
        .pools = pool_settings,
        .pool_count = POOLS,
        .connections = connection_settings,
        .connection_count = CONNECTIONS,
        .max_processes = sim->process_slots,
        .next_run_id = next_run,
        .next_backfill_id = next_backfill,
        .next_asset_event_id = (int64_t)sim->events.count});
    daemon->next_batch = sim->last_batch + 1;
    daemon->turn.kind = DUE_TURN;
    plan_init(&daemon->plan);
    return daemon;
}

void daemon_start(struct sim *sim)
{
    sim->epoch++;
    sim->started_us = sim->now.mono_us;
    store_forget_undurable(sim);
    sim->leader = daemon_new(sim);
    load(sim, sim->leader);
    for (int n = 0; n < sim->dag_count; n++)
        if (sim->dags[n].gone && sim->dags[n].in_store && !sim->dags[n].durable.removed)
            daemon_event(sim, sim->leader,
                &(struct event){.kind = EVENT_DAG_REMOVED, .dag_id = sim->dags[n].dag_id});
    daemon_event(sim, sim->leader, &(struct event){.kind = EVENT_TICK});
}

void daemon_free(struct sim *sim, struct daemon *daemon)
{
    if (!daemon)
        return;
    executor_lose(sim, daemon->epoch);
    sim_never(sim, &daemon->turn);
    if (daemon->writing)
        batch_free(sim, daemon->writing);
    plan_done(&daemon->plan);
    scheduler_free(daemon->scheduler);
    if (sim->former == daemon)
        sim->former = NULL;
    if (sim->leader == daemon)
        sim->leader = NULL;
    mem_free(daemon);
}

static void note_crash(struct sim *sim, const char *what)
{
    sim->crashes++;
    sim->crashes_left -= sim->crashes_left > 0;
    sim_trace(sim, &(struct trace_line){.what = what, .dag = -1, .task = -1});
}

void daemon_crash(struct sim *sim)
{
    note_crash(sim, "crash: another process takes over");
    daemon_free(sim, sim->leader);
    daemon_start(sim);
}

void daemon_take_over(struct sim *sim)
{
    note_crash(sim, "another leader takes over from a live one");
    daemon_free(sim, sim->former);
    sim->former = sim->leader;
    daemon_start(sim);
}
