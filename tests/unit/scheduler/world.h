/*
 * A world for the scheduler: a virtual clock, a store made of the changes (which checks, as the
 * real one does, that a task's change comes from the state it has), and an executor that does what
 * the test says.  world_crash throws the scheduler away and loads a new one from the store.
 */
#ifndef TESTS_SCHEDULER_WORLD_H
#define TESTS_SCHEDULER_WORLD_H

#include "base/map.h"
#include "scheduler/scheduler.h"
#include "tests/unit/scheduler/build.h"

struct attempt_under_way {
    struct attempt_id id;
    struct run_id run;
    const char *task_id, *dag_id; /* task_id: with its map index, if it has one */
    const char *mapped;
    int64_t logical_us, generation, void_generation;
    int32_t try_number, number;
    bool started, cancelled, void_before, fresh, forced, is_void;
    enum reason why;
};

struct missed_deadline {
    const char *run_id, *task_id; /* task_id NULL: the run's */
    int64_t deadline_us;
};

struct world {
    struct scheduler_options options;
    struct scheduler *s;
    struct instant now;
    struct plan plan;
    struct arena *arena;
    struct map *runs, *tasks, *attempts, *dags, *backfills; /* rows by key */
    struct map *queues;                                     /* of assets */
    VEC(struct asset_event_record) asset_events;
    VEC(struct run_asset_record) run_assets;
    VEC(const struct dag *) versions;
    VEC(struct attempt_under_way) under_way;
    struct effect reply; /* the last one */
    VEC(struct missed_deadline) missed;
    size_t missed_notes; /* rows that became missed */
    size_t starts, ended_runs, paused_effects, jumps, load_wishes, changes, requests;
    const char *wished_dag;
    int64_t wished_us;
    uint64_t random;
};

UNUSED static uint64_t world_random(struct world *w)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return w->random >> 33;
}

UNUSED static void world_init(struct world *w, const struct scheduler_options *options)
{
    *w = (struct world){.arena = arena_new(), .random = 7};
    w->options = options ? *options : (struct scheduler_options){.seed = 1};
    w->s = scheduler_new(&w->options);
    w->now = (struct instant){time_of("2030-01-01T00:00:00"), US_PER_HOUR};
    plan_init(&w->plan);
    w->runs = map_new();
    w->tasks = map_new();
    w->attempts = map_new();
    w->dags = map_new();
    w->backfills = map_new();
    w->queues = map_new();
}

UNUSED static void world_done(struct world *w)
{
    scheduler_free(w->s);
    plan_done(&w->plan);
    map_free(w->runs);
    map_free(w->tasks);
    map_free(w->attempts);
    map_free(w->dags);
    map_free(w->backfills);
    map_free(w->queues);
    vec_done(&w->asset_events);
    vec_done(&w->run_assets);
    vec_done(&w->missed);
    vec_each (dag, &w->versions)
        dag_unref((struct dag *)*dag);
    vec_done(&w->versions);
    vec_done(&w->under_way);
    arena_free(w->arena);
}

/* ---- the store ---- */

static const char *key_of(struct world *w, int64_t id, const char *task_id)
{
    return arena_printf(w->arena, "%lld/%s", (long long)id, task_id ? task_id : "");
}

/* "load", or "load[3]" of a mapped task. */
static const char *name_of(struct world *w, const char *task_id, int32_t map_index)
{
    return map_index < 0 ? arena_strdup(w->arena, task_id)
                         : arena_printf(w->arena, "%s[%d]", task_id, (int)map_index);
}

static bool was_noted(int64_t before_us, int64_t missed_us)
{
    return missed_us != TIME_NONE && missed_us != before_us;
}

static void store_run(struct world *w, const struct run_record *from)
{
    struct run_record *run = arena_memdup(w->arena, from, sizeof *from);
    run->dag_id = arena_strdup(w->arena, from->dag_id);
    run->run_id = arena_strdup(w->arena, from->run_id);
    run->reason_text = arena_strdup(w->arena, from->reason_text);
    run->conf = arena_strdup(w->arena, from->conf);
    run->version = arena_strdup(w->arena, from->version);
    run->triggered_by = arena_strdup(w->arena, from->triggered_by);
    run->note = arena_strdup(w->arena, from->note);
    run->maker.task_id = arena_strdup(w->arena, from->maker.task_id);
    const struct run_record *before = map_get(w->runs, key_of(w, from->id.v, NULL));
    w->missed_notes +=
        was_noted(before ? before->deadline_missed_us : TIME_NONE, from->deadline_missed_us);
    map_set(w->runs, key_of(w, from->id.v, NULL), run);
}

static void store_task(struct world *w, const struct change *change)
{
    const struct task_record *from = &change->task.record;
    const char *key = key_of(w, from->run.v, name_of(w, from->task_id, from->map_index));
    const struct task_record *before = map_get(w->tasks, key);
    REQUIRE(change->task.is_new == !before);
    REQUIRE(!before || before->state == change->task.from);
    REQUIRE(map_has(w->runs, key_of(w, from->run.v, NULL)));
    struct task_record *task = arena_memdup(w->arena, from, sizeof *from);
    task->task_id = arena_strdup(w->arena, from->task_id);
    task->reason_text = arena_strdup(w->arena, from->reason_text);
    task->mapped = arena_strdup(w->arena, from->mapped);
    task->decision = arena_strdup(w->arena, from->decision);
    REQUIRE(task->reason_text != NULL);
    w->missed_notes +=
        was_noted(before ? before->deadline_missed_us : TIME_NONE, from->deadline_missed_us);
    map_set(w->tasks, key, task);
}

static void store_attempt(struct world *w, const struct attempt_record *from)
{
    struct attempt_record *attempt = arena_memdup(w->arena, from, sizeof *from);
    attempt->task_id = arena_strdup(w->arena, from->task_id);
    attempt->outcome = arena_strdup(w->arena, from->outcome);
    attempt->version = arena_strdup(w->arena, from->version);
    attempt->message = arena_strdup(w->arena, from->message);
    attempt->sqlstate = arena_strdup(w->arena, from->sqlstate);
    attempt->log = arena_strdup(w->arena, from->log);
    attempt->place = attempt->detail = attempt->xcom = NULL;
    map_set(w->attempts, from->id.text, attempt);
}

static void store_dag(struct world *w, const struct dag_record *from)
{
    struct dag_record *dag = arena_memdup(w->arena, from, sizeof *from);
    dag->dag_id = arena_strdup(w->arena, from->dag_id);
    dag->file = arena_strdup(w->arena, from->file);
    dag->version = arena_strdup(w->arena, from->version);
    dag->broken = arena_strdup(w->arena, from->broken);
    map_set(w->dags, dag->dag_id, dag);
}

static void store_backfill(struct world *w, const struct backfill_record *from)
{
    struct backfill_record *b = arena_memdup(w->arena, from, sizeof *from);
    b->dag_id = arena_strdup(w->arena, from->dag_id);
    b->only = arena_strdup(w->arena, from->only);
    b->conf = arena_strdup(w->arena, from->conf);
    b->requested_by = arena_strdup(w->arena, from->requested_by);
    map_set(w->backfills, key_of(w, from->id, NULL), b);
}

static void store_asset_event(struct world *w, const struct asset_event_record *from)
{
    vec_each (event, &w->asset_events)
        REQUIRE(event->id < from->id);
    struct asset_event_record event = *from;
    event.asset = arena_strdup(w->arena, from->asset);
    event.dag_id = arena_strdup(w->arena, from->dag_id);
    event.run_id = arena_strdup(w->arena, from->run_id);
    event.task_id = arena_strdup(w->arena, from->task_id);
    event.extra = arena_strdup(w->arena, from->extra);
    event.made_by = arena_strdup(w->arena, from->made_by);
    vec_push(&w->asset_events, event);
}

static void store_asset_queue(struct world *w, const struct asset_queue_record *from)
{
    struct asset_queue_record *queue = arena_memdup(w->arena, from, sizeof *from);
    queue->dag_id = arena_strdup(w->arena, from->dag_id);
    queue->asset = arena_strdup(w->arena, from->asset);
    map_set(w->queues, arena_printf(w->arena, "%s/%s", from->dag_id, from->asset), queue);
}

static void store_run_asset(struct world *w, const struct run_asset_record *from)
{
    struct run_asset_record record = *from;
    REQUIRE(map_has(w->runs, key_of(w, from->run.v, NULL)));
    const struct run_record *run = map_get(w->runs, key_of(w, from->run.v, NULL));
    vec_each (other, &w->run_assets) {
        const struct run_record *earlier = map_get(w->runs, key_of(w, other->run.v, NULL));
        bool same = str_equal(other->asset, from->asset) && str_equal(earlier->dag_id, run->dag_id);
        REQUIRE(!same || other->last_event <= from->after_event);
    }
    record.asset = arena_strdup(w->arena, from->asset);
    vec_push(&w->run_assets, record);
}

static void store_change(struct world *w, const struct change *change)
{
    w->changes++;
    switch (change->kind) {
    case CHANGE_RUN: store_run(w, &change->run); break;
    case CHANGE_TASK: store_task(w, change); break;
    case CHANGE_ATTEMPT: store_attempt(w, &change->attempt); break;
    case CHANGE_DAG: store_dag(w, &change->dag); break;
    case CHANGE_BACKFILL: store_backfill(w, &change->backfill); break;
    case CHANGE_REQUEST: w->requests++; break;
    case CHANGE_ASSET_EVENT: store_asset_event(w, &change->asset_event); break;
    case CHANGE_ASSET_QUEUE: store_asset_queue(w, &change->asset_queue); break;
    case CHANGE_RUN_ASSET: store_run_asset(w, &change->run_asset); break;
    case CHANGE_SETTING: break;
    }
}

/* ---- the executor ---- */

static struct attempt_under_way *find_attempt(struct world *w, const char *id, bool is_void)
{
    vec_each (a, &w->under_way)
        if (str_equal(a->id.text, id) && a->is_void == is_void)
            return a;
    return NULL;
}

static void take_start(struct world *w, const struct effect *effect, bool is_void)
{
    if (is_void && find_attempt(w, effect->attempt.text, true))
        return;
    REQUIRE(effect->dag != NULL);
    struct attempt_under_way *a = vec_add(&w->under_way);
    *a = (struct attempt_under_way){.id = effect->attempt,
        .run = effect->run.id,
        .task_id = name_of(w, effect->dag->tasks[effect->task].task_id, effect->map_index),
        .mapped = arena_strdup(w->arena, effect->mapped),
        .dag_id = arena_strdup(w->arena, effect->run.dag_id),
        .logical_us = effect->run.logical_us,
        .generation = effect->generation,
        .try_number = effect->try_number,
        .number = effect->number,
        .void_before = effect->void_before,
        .void_generation = effect->void_generation,
        .fresh = effect->fresh_session,
        .is_void = is_void};
    w->starts += !is_void;
}

static void take_cancel(struct world *w, const struct effect *effect)
{
    struct attempt_under_way *a = find_attempt(w, effect->attempt.text, false);
    if (!a)
        return;
    a->cancelled = true;
    a->forced |= effect->force;
    a->why = effect->why;
}

static void take_effect(struct world *w, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_START: take_start(w, effect, false); break;
    case EFFECT_VOID: take_start(w, effect, true); break;
    case EFFECT_CANCEL: take_cancel(w, effect); break;
    case EFFECT_SETTINGS: break;
    case EFFECT_REPLY:
        w->reply = *effect;
        w->reply.outcome = arena_strdup(w->arena, effect->outcome);
        break;
    case EFFECT_RUN_ENDED: w->ended_runs++; break;
    case EFFECT_DAG_PAUSED: w->paused_effects++; break;
    case EFFECT_CLOCK_JUMPED: w->jumps++; break;
    case EFFECT_DEADLINE_MISSED:
        vec_push(&w->missed, ((struct missed_deadline){arena_strdup(w->arena, effect->run.run_id),
                                 arena_strdup(w->arena, effect->task_id), effect->deadline_us}));
        break;
    case EFFECT_LOAD_RUN:
        w->load_wishes++;
        w->wished_dag = arena_strdup(w->arena, effect->run.dag_id);
        w->wished_us = effect->run.logical_us;
        break;
    }
}

/* ---- events ---- */

UNUSED static void world_apply(struct world *w, const struct event *event)
{
    struct error err;
    plan_clear(&w->plan);
    REQUIRE_OK(scheduler_apply(w->s, event, w->now, &w->plan, &err), &err);
    vec_each (change, &w->plan.changes)
        store_change(w, change);
    vec_each (effect, &w->plan.effects)
        take_effect(w, effect);
}

UNUSED static void world_tick(struct world *w)
{
    world_apply(w, &(struct event){.kind = EVENT_TICK});
}

UNUSED static void world_pass(struct world *w, int64_t us)
{
    w->now.wall_us += us;
    w->now.mono_us += us;
}

/* Lets time pass to `us` from now, with a tick at every time the scheduler asks for. */
UNUSED static void world_advance(struct world *w, int64_t us)
{
    int64_t end_us = w->now.mono_us + us;
    for (int steps = 0; scheduler_next_due(w->s) <= end_us; steps++) {
        REQUIRE(steps < 100000);
        int64_t due_us = scheduler_next_due(w->s);
        if (due_us > w->now.mono_us)
            world_pass(w, due_us - w->now.mono_us);
        world_tick(w);
    }
    world_pass(w, end_us - w->now.mono_us);
    world_tick(w);
}

/* The world owns the DAG from here on. */
UNUSED static void world_adopt(struct world *w, struct dag *dag)
{
    vec_push(&w->versions, dag);
    world_apply(w, &(struct event){.kind = EVENT_DAG_ADOPTED, .dag = dag});
}

static struct attempt_under_way *world_find(struct world *w, const char *task_id, bool is_void)
{
    vec_each (a, &w->under_way)
        if (str_equal(a->task_id, task_id) && a->is_void == is_void)
            return a;
    return NULL;
}

/* The attempt of that task under way, NULL when there is none; the oldest, with several runs. */
UNUSED static struct attempt_under_way *world_attempt(struct world *w, const char *task_id)
{
    return world_find(w, task_id, false);
}

UNUSED static struct attempt_under_way *world_void(struct world *w, const char *task_id)
{
    return world_find(w, task_id, true);
}

UNUSED static void world_started(struct world *w, struct attempt_under_way *a)
{
    a->started = true;
    world_apply(w, &(struct event){.kind = EVENT_ATTEMPT_STARTED, .attempt = a->id});
}

UNUSED static void world_end(
    struct world *w, struct attempt_under_way *a, const struct attempt_result *result)
{
    struct attempt_id id = a->id;
    *a = vec_pop(&w->under_way); /* the order of what is left does not matter */
    struct attempt_result copy = *result;
    if (copy.outcome != OUTCOME_SUCCESS && !copy.message)
        copy.message = "boom";
    world_apply(w, &(struct event){.kind = EVENT_ATTEMPT_FINISHED, .attempt = id, .result = &copy});
}

UNUSED static void world_end_task(
    struct world *w, const char *task_id, enum attempt_outcome outcome)
{
    struct attempt_under_way *a = world_attempt(w, task_id);
    REQUIRE(a != NULL);
    world_started(w, a);
    world_end(w, a, &(struct attempt_result){.outcome = outcome, .exit_code = -1});
}

/* Ends an expansion: `count` instances, of values {"n": 0}, {"n": 1} …  */
UNUSED static void world_expand(struct world *w, const char *task_id, size_t count)
{
    const char **mapped = arena_array(w->arena, const char *, count);
    for (size_t n = 0; n < count; n++)
        mapped[n] = arena_printf(w->arena, "{\"n\": %zu}", n);
    struct attempt_under_way *a = world_attempt(w, task_id);
    REQUIRE(a != NULL);
    world_started(w, a);
    world_end(w, a,
        &(struct attempt_result){
            .outcome = OUTCOME_SUCCESS, .exit_code = -1, .mapped = mapped, .mapped_count = count});
}

UNUSED static void end_void(struct world *w, struct attempt_under_way *a, enum void_outcome outcome)
{
    struct attempt_id id = a->id;
    *a = vec_pop(&w->under_way);
    struct attempt_result result = {.outcome = OUTCOME_SUCCESS, .exit_code = -1};
    world_apply(w, &(struct event){.kind = EVENT_VOID_DONE,
                       .attempt = id,
                       .void_outcome = outcome,
                       .result = outcome == VOID_COMMITTED ? &result : NULL});
}

UNUSED static void world_end_void(struct world *w, const char *task_id, enum void_outcome outcome)
{
    struct attempt_under_way *a = world_void(w, task_id);
    REQUIRE(a != NULL);
    end_void(w, a, outcome);
}

/* ---- requests ---- */

UNUSED static enum status world_request(struct world *w, struct request *request)
{
    if (!request->user)
        request->user = "alice";
    w->reply = (struct effect){.status = ERR_INTERNAL};
    world_apply(w, &(struct event){.kind = EVENT_REQUEST, .request = request});
    return w->reply.status;
}

UNUSED static enum status world_trigger(struct world *w, const char *dag_id, int64_t logical_us)
{
    return world_request(
        w, &(struct request){.kind = REQUEST_TRIGGER, .dag_id = dag_id, .logical_us = logical_us});
}

/* ---- looking ---- */

UNUSED static const struct run_record *world_run_at(
    struct world *w, const char *dag_id, int64_t logical_us)
{
    size_t cursor = 0;
    void *value;
    while (map_next(w->runs, &cursor, NULL, &value)) {
        const struct run_record *run = value;
        if (str_equal(run->dag_id, dag_id) && run->logical_us == logical_us)
            return run;
    }
    return NULL;
}

/* The newest row of all runs. */
UNUSED static const struct run_record *world_last_run(struct world *w)
{
    size_t cursor = 0;
    void *value;
    const struct run_record *last = NULL;
    while (map_next(w->runs, &cursor, NULL, &value))
        if (!last || ((const struct run_record *)value)->id.v > last->id.v)
            last = value;
    return last;
}

UNUSED static size_t world_count_runs(struct world *w, const char *dag_id, unsigned states)
{
    size_t cursor = 0, count = 0;
    void *value;
    while (map_next(w->runs, &cursor, NULL, &value)) {
        const struct run_record *run = value;
        count += str_equal(run->dag_id, dag_id) && (!states || (states & 1u << run->state));
    }
    return count;
}

UNUSED static const struct task_record *world_task_of(
    struct world *w, struct run_id run, const char *task_id)
{
    return map_get(w->tasks, key_of(w, run.v, task_id));
}

/* A task of the newest run. */
UNUSED static const struct task_record *world_task(struct world *w, const char *task_id)
{
    const struct run_record *run = world_last_run(w);
    return run ? world_task_of(w, run->id, task_id) : NULL;
}

UNUSED static const char *world_state(struct world *w, const char *task_id)
{
    const struct task_record *task = world_task(w, task_id);
    return task ? task_state_name(task->state) : "(no row)";
}

UNUSED static const char *world_run_state(struct world *w)
{
    const struct run_record *run = world_last_run(w);
    return run ? run_state_name(run->state) : "(no run)";
}

/* ---- crashes ---- */

static const struct dag *version_of(struct world *w, const char *version)
{
    vec_each (dag, &w->versions)
        if (str_equal((*dag)->version, version))
            return *dag;
    return NULL;
}

static const struct dag *newest_of(struct world *w, const char *dag_id)
{
    for (size_t n = w->versions.count; n-- > 0;)
        if (str_equal(w->versions.at[n]->dag_id, dag_id))
            return w->versions.at[n];
    return NULL;
}

static size_t dates_from(
    struct world *w, const char *dag_id, int64_t from_us, struct known_date **ret)
{
    VEC(struct known_date) dates = {0};
    size_t cursor = 0;
    void *value;
    while (map_next(w->runs, &cursor, NULL, &value)) {
        const struct run_record *run = value;
        struct known_date date = {run->logical_us, run->state};
        if (str_equal(run->dag_id, dag_id) && run->logical_us >= from_us)
            vec_push(&dates, date);
    }
    *ret = arena_memdup(w->arena, dates.at, dates.count * sizeof *dates.at);
    size_t count = dates.count;
    vec_done(&dates);
    return count;
}

UNUSED static void world_load_run(struct world *w, const struct run_record *run)
{
    struct error err;
    VEC(struct task_record) tasks = {0};
    size_t cursor = 0;
    void *value;
    while (map_next(w->tasks, &cursor, NULL, &value))
        if (((const struct task_record *)value)->run.v == run->id.v)
            vec_push(&tasks, *(const struct task_record *)value);
    REQUIRE_OK(
        scheduler_load_run(w->s, run, version_of(w, run->version), tasks.at, tasks.count, &err),
        &err);
    vec_done(&tasks);
}

static int by_task_id(const void *a, const void *b)
{
    return strcmp(((const struct past_task *)a)->task_id, ((const struct past_task *)b)->task_id);
}

static void load_past(struct world *w, const struct run_record *run)
{
    struct error err;
    VEC(struct past_task) tasks = {0};
    size_t cursor = 0;
    void *value;
    while (map_next(w->tasks, &cursor, NULL, &value)) {
        const struct task_record *task = value;
        struct past_task past = {task->task_id, task->state};
        if (task->run.v == run->id.v)
            vec_push(&tasks, past);
    }
    if (tasks.count)
        qsort(tasks.at, tasks.count, sizeof *tasks.at, by_task_id);
    REQUIRE_OK(
        scheduler_load_past(w->s, run->dag_id, run->logical_us, tasks.at, tasks.count, &err), &err);
    vec_done(&tasks);
}

static void load_dags(struct world *w)
{
    struct error err;
    size_t cursor = 0;
    void *value;
    while (map_next(w->dags, &cursor, NULL, &value)) {
        const struct dag_record *record = value;
        struct known_date *dates;
        size_t count = dates_from(w, record->dag_id, record->covered_until_us, &dates);
        REQUIRE_OK(
            scheduler_load_dag(w->s, newest_of(w, record->dag_id), record, dates, count, &err),
            &err);
    }
}

static void load_runs(struct world *w)
{
    size_t cursor = 0;
    void *value;
    while (map_next(w->runs, &cursor, NULL, &value)) {
        const struct run_record *run = value;
        if (!run_state_finished(run->state))
            world_load_run(w, run);
        else
            load_past(w, run);
    }
    cursor = 0;
    while (map_next(w->attempts, &cursor, NULL, &value))
        if (((const struct attempt_record *)value)->state != ATTEMPT_ENDED)
            scheduler_load_attempt(w->s, value);
}

static void load_backfills(struct world *w)
{
    struct error err;
    size_t cursor = 0;
    void *value;
    while (map_next(w->backfills, &cursor, NULL, &value)) {
        const struct backfill_record *b = value;
        struct known_date *dates;
        size_t count = dates_from(w, b->dag_id, b->from_us, &dates);
        if (!b->finished)
            REQUIRE_OK(scheduler_load_backfill(w->s, b, dates, count, &err), &err);
    }
}

static void load_queues(struct world *w)
{
    struct error err;
    size_t cursor = 0;
    void *queue;
    while (map_next(w->queues, &cursor, NULL, &queue))
        REQUIRE_OK(scheduler_load_asset_queue(w->s, queue, &err), &err);
}

/* What the store does not know of dies with the process: voids are asked for again, attempts that
   were handed over go on in the executor (which survives here, as processes do). */
UNUSED static void world_crash(struct world *w)
{
    scheduler_free(w->s);
    w->options.seed++;
    w->options.next_run_id = (int64_t)map_count(w->runs) + 1;
    w->options.next_backfill_id = (int64_t)map_count(w->backfills) + 1;
    w->options.next_asset_event_id = (int64_t)w->asset_events.count + 1;
    w->s = scheduler_new(&w->options);
    for (size_t n = w->under_way.count; n-- > 0;)
        if (w->under_way.at[n].is_void)
            w->under_way.at[n] = vec_pop(&w->under_way);
    load_dags(w);
    load_runs(w);
    load_backfills(w);
    load_queues(w);
    world_tick(w);
}

#endif
