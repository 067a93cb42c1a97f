#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include "scheduler/internal.h"

/* ---- time and timers ---- */

void wake_set(struct scheduler *s, struct timer *timer, int64_t due_mono_us)
{
    heap_set(&s->timers, &timer->entry, due_mono_us, ++s->timer_sequence);
}

void wake_stop(struct scheduler *s, struct timer *timer)
{
    heap_remove(&s->timers, &timer->entry);
}

int64_t mono_of_wall(const struct scheduler *s, int64_t wall_us)
{
    int64_t ahead_us;
    if (__builtin_sub_overflow(wall_us, s->now.wall_us, &ahead_us))
        return wall_us < 0 ? s->now.mono_us : INT64_MAX;
    if (ahead_us <= 0)
        return s->now.mono_us;
    return ahead_us > INT64_MAX - s->now.mono_us ? INT64_MAX : s->now.mono_us + ahead_us;
}

bool schedules_hold(const struct scheduler *s)
{
    return s->hold_until_us != TIME_NONE;
}

static void step_all(struct scheduler *s)
{
    size_t cursor = 0;
    void *dag;
    while (map_next(s->dags, &cursor, NULL, &dag))
        dag_wants_step(s, dag);
}

/* A jump of the wall clock holds the schedules, so that a clock set to 2099 for a moment does not
   make decades of runs; what it shows after the hold is believed. */
static void clock_jumped(struct scheduler *s, int64_t jump_us)
{
    s->hold_until_us = s->now.mono_us + CLOCK_HOLD_US;
    wake_set(s, &s->hold, s->hold_until_us);
    struct effect *effect = emit_effect(s, EFFECT_CLOCK_JUMPED, NULL);
    effect->generation = jump_us;
}

/* What waits for a time of the wall clock waits for it as the clock is now. */
static void clock_moved(struct scheduler *s)
{
    size_t cursor = 0;
    void *value;
    while (map_next(s->dags, &cursor, NULL, &value)) {
        const struct live_dag *dag = value;
        vec_each (run, &dag->runs) {
            deadline_clock_moved(s, *run);
            if ((*run)->tasks)
                run_each (i, *run)
                    attempt_clock_moved(s, i);
        }
    }
    step_all(s);
}

static void take_time(struct scheduler *s, struct instant now)
{
    assert(!s->ticked || now.mono_us >= s->now.mono_us);
    int64_t offset_us = now.wall_us - now.mono_us;
    int64_t moved_us = s->ticked ? offset_us - s->clock_offset_us : 0;
    s->now = now;
    if (moved_us > CLOCK_JUMP_US || moved_us < -CLOCK_JUMP_US)
        clock_jumped(s, moved_us);
    if (!s->ticked || moved_us > CLOCK_DRIFT_US || moved_us < -CLOCK_DRIFT_US) {
        s->clock_offset_us = offset_us;
        clock_moved(s);
    }
    if (!schedules_hold(s) && (now.wall_us > s->schedule_us || !s->ticked))
        s->schedule_us = now.wall_us;
    s->ticked = true;
}

static void hold_over(struct scheduler *s)
{
    s->hold_until_us = TIME_NONE;
    if (s->now.wall_us > s->schedule_us)
        s->schedule_us = s->now.wall_us;
    step_all(s);
}

static void wake_due(struct scheduler *s, struct timer *timer)
{
    struct instance *i;
    struct run *run;
    switch (timer->kind) {
    case TIMER_TASK:
        i = CONTAINER_OF(timer, struct instance, timer);
        note_dag(s, i->run->dag);
        task_timer_due(s, i);
        break;
    case TIMER_RUN:
        run = CONTAINER_OF(timer, struct run, timer);
        note_dag(s, run->dag);
        run_timer_due(s, run);
        break;
    case TIMER_DEADLINE:
        run = CONTAINER_OF(timer, struct run, deadline);
        note_dag(s, run->dag);
        deadline_due(s, run);
        break;
    case TIMER_DAG: dag_wants_step(s, CONTAINER_OF(timer, struct live_dag, timer)); break;
    case TIMER_HOLD: hold_over(s); break;
    }
}

static void fire_timers(struct scheduler *s)
{
    struct heap_entry *entry;
    while ((entry = heap_first(&s->timers)) && entry->due <= s->now.mono_us) {
        heap_remove(&s->timers, entry);
        wake_due(s, CONTAINER_OF(entry, struct timer, entry));
    }
}

int64_t scheduler_next_due(const struct scheduler *s)
{
    if (!s->ticked)
        return INT64_MIN;
    const struct heap_entry *entry = heap_first(&s->timers);
    return entry ? entry->due : INT64_MAX;
}

/* ---- numbers and texts ---- */

/* SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). */
uint64_t random_next(struct scheduler *s)
{
    uint64_t z = s->random_state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

int64_t generation_next(struct scheduler *s)
{
    int64_t generation;
    do
        generation = (int64_t)random_next(s);
    while (generation == 0);
    return generation;
}

const char *keep(struct scheduler *s, const char *text)
{
    if (!text)
        return NULL;
    char *kept = map_get(s->names, text);
    if (!kept) {
        kept = mem_strdup(text);
        map_set(s->names, text, kept);
    }
    return kept;
}

const char *in_plan(struct scheduler *s, const char *text)
{
    return arena_strdup(s->plan->arena, text);
}

/* ---- lists ---- */

struct live_dag *dag_find(const struct scheduler *s, const char *dag_id)
{
    return dag_id ? map_get(s->dags, dag_id) : NULL;
}

struct run_key run_key(struct run_id id)
{
    struct run_key key;
    snprintf(key.text, sizeof key.text, "%lld", (long long)id.v);
    return key;
}

struct run *run_find(const struct scheduler *s, struct run_id id)
{
    return map_get(s->runs, run_key(id).text);
}

void dag_wants_step(struct scheduler *s, struct live_dag *dag)
{
    if (dag->stepping)
        return;
    dag->stepping = true;
    vec_push(&s->step, dag);
}

void dag_changed(struct scheduler *s, struct live_dag *dag)
{
    if (dag->changed)
        return;
    dag->changed = true;
    vec_push(&s->changed_dags, dag);
}

void backfill_changed(struct scheduler *s, struct live_backfill *b)
{
    if (b->changed)
        return;
    b->changed = true;
    vec_push(&s->changed_backfills, b);
}

/* ---- life ---- */

static void set_all(
    struct scheduler *s, const char *kind, const struct slots_setting *settings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        slots_set(s, kind, settings[i].name, settings[i].slots);
}

struct scheduler *scheduler_new(const struct scheduler_options *options)
{
    enum { DEFAULT_POOL_SLOTS = 128, DEFAULT_PROCESSES = 32 };
    struct scheduler *s = mem_alloc_zero(1, sizeof *s);
    s->dags = map_new();
    s->runs = map_new();
    s->attempts = map_new();
    s->names = map_new();
    s->assets = map_new();
    s->pools = map_new();
    s->connections = map_new();
    s->random_state = options->seed;
    s->next_run = options->next_run_id ? options->next_run_id : 1;
    s->next_backfill = options->next_backfill_id ? options->next_backfill_id : 1;
    s->next_asset_event = options->next_asset_event_id ? options->next_asset_event_id : 1;
    s->paused_upon_creation = options->paused_upon_creation;
    s->start_empty_tasks = options->start_empty_tasks;
    s->no_schedules = options->no_schedules;
    s->note = options->note;
    s->hold_until_us = TIME_NONE;
    s->hold.kind = TIMER_HOLD;
    slots_set(s, "pool", "default_pool", DEFAULT_POOL_SLOTS);
    slots_set(s, "processes", "processes",
        options->max_processes ? options->max_processes : DEFAULT_PROCESSES);
    set_all(s, "pool", options->pools, options->pool_count);
    set_all(s, "connection", options->connections, options->connection_count);
    return s;
}

struct live_dag *dag_new(struct scheduler *s, const char *dag_id)
{
    struct live_dag *dag = mem_alloc_zero(1, sizeof *dag);
    dag->dag_id = mem_strdup(dag_id);
    dag->order = (uint32_t)map_count(s->dags);
    dag->covered_until_us = dag->last_logical_us = TIME_NONE;
    dag->caps = map_new();
    dag->timer.kind = TIMER_DAG;
    dag->paused = s->paused_upon_creation;
    map_set(s->dags, dag_id, dag);
    return dag;
}

static void free_caps(struct live_dag *dag)
{
    size_t cursor = 0;
    void *cap;
    while (map_next(dag->caps, &cursor, NULL, &cap)) {
        parking_done(&((struct task_cap *)cap)->parking);
        mem_free(cap);
    }
    map_free(dag->caps);
}

void dag_free(struct scheduler *s, struct live_dag *dag)
{
    while (dag->runs.count)
        run_free(s, dag->runs.at[dag->runs.count - 1]);
    while (dag->backfills.count)
        backfill_free(s, dag->backfills.at[dag->backfills.count - 1]);
    vec_each (past, &dag->past)
        past_free(past);
    vec_each (place, &dag->places)
        lane_dag_free(*place);
    vec_each (account, &dag->accounts)
        mem_free(*account);
    free_caps(dag);
    assets_leave(s, dag);
    parking_done(&dag->paused_tasks);
    wake_stop(s, &dag->timer);
    vec_done(&dag->runs);
    vec_done(&dag->queued);
    vec_done(&dag->backfills);
    vec_done(&dag->dates);
    vec_done(&dag->past);
    vec_done(&dag->assets);
    vec_done(&dag->durations);
    vec_done(&dag->places);
    vec_done(&dag->accounts);
    shape_unref(dag->newest);
    mem_free(dag->dag_id);
    mem_free(dag->file);
    mem_free(dag->broken);
    mem_free(dag);
}

/* Values of a map whose owner it is. */
static void free_values(struct map *map, void (*free_value)(void *))
{
    size_t cursor = 0;
    void *value;
    while (map_next(map, &cursor, NULL, &value))
        free_value(value);
    map_free(map);
}

static void free_slots(void *slots)
{
    slots_free(slots);
}

static void free_lists(struct scheduler *s)
{
    mem_free(s->evaluate.at);
    vec_done(&s->check);
    mem_free(s->step.at);
    vec_done(&s->dirty);
    vec_done(&s->loaded);
    vec_done(&s->ended);
    vec_done(&s->resuming);
    vec_done(&s->ended_backfills);
    vec_done(&s->removed);
    vec_done(&s->left_shapes);
    vec_done(&s->changed_dags);
    vec_done(&s->changed_backfills);
    vec_done(&s->changed_runs);
    vec_done(&s->changed_tasks);
    vec_done(&s->attempt_changes);
}

void scheduler_free(struct scheduler *s)
{
    if (!s)
        return;
    vec_each (run, &s->loaded)
        if (!(*run)->live)
            run_free(s, *run);
    size_t cursor = 0;
    void *dag;
    while (map_next(s->dags, &cursor, NULL, &dag))
        dag_free(s, dag);
    map_free(s->dags);
    map_free(s->runs);
    map_free(s->attempts);
    vec_each (lane, &s->lanes)
        lane_free(*lane);
    vec_done(&s->lanes);
    free_values(s->pools, free_slots);
    free_values(s->connections, free_slots);
    slots_free(s->processes);
    assets_free(s);
    trigger_free(s);
    free_values(s->names, mem_free);
    heap_done(&s->timers);
    free_lists(s);
    mem_free(s);
}

/* ---- what is worked on ---- */

static void note_text(struct scheduler_note *note, const char *dag_id)
{
    size_t size = dag_id ? strlen(dag_id) : 0;
    if (size >= sizeof note->dag_id)
        size = sizeof note->dag_id - 1;
    memcpy(note->dag_id, dag_id ? dag_id : "", size);
    note->dag_id[size] = '\0';
    atomic_signal_fence(memory_order_seq_cst); /* written before whatever may crash */
}

void note_dag(struct scheduler *s, const struct live_dag *dag)
{
    if (!s->note || s->noted == dag)
        return;
    s->noted = dag;
    note_text(s->note, dag->dag_id);
}

static const char *dag_of_event(const struct scheduler *s, const struct event *event)
{
    const struct instance *i;
    switch (event->kind) {
    case EVENT_DAG_ADOPTED: return event->dag->dag_id;
    case EVENT_DAG_REMOVED:
    case EVENT_RUN_LOADED: return event->dag_id;
    case EVENT_REQUEST: return event->request->dag_id;
    case EVENT_ATTEMPT_STARTED:
    case EVENT_ATTEMPT_FINISHED:
    case EVENT_VOID_DONE:
        i = map_get(s->attempts, event->attempt.text);
        return i ? i->run->dag->dag_id : NULL;
    default: return NULL;
    }
}

static void note_begin(struct scheduler *s, const struct event *event)
{
    if (!s->note)
        return;
    s->noted = NULL;
    s->note->event = event->kind;
    note_text(s->note, dag_of_event(s, event));
    s->note->working = true;
    atomic_signal_fence(memory_order_seq_cst);
}

static void note_end(struct scheduler *s)
{
    if (!s->note)
        return;
    atomic_signal_fence(memory_order_seq_cst);
    s->note->working = false;
}

/* ---- applying an event ---- */

static enum status check_event(
    const struct scheduler *s, const struct event *event, struct error *err)
{
    switch (event->kind) {
    case EVENT_DAG_ADOPTED:
        if (!event->dag)
            return error_set(err, ERR_INVALID, "a version was adopted without a DAG");
        if (!dag_find(s, event->dag->dag_id) && map_count(s->dags) >= DAGS_MAX)
            return error_set(err, ERR_LIMIT, "there are %d DAGs already: `%s` is left out",
                (int)DAGS_MAX, event->dag->dag_id);
        return OK;
    case EVENT_REQUEST:
        return event->request ? OK : error_set(err, ERR_INVALID, "a request event without one");
    case EVENT_ATTEMPT_FINISHED:
        return event->result ? OK
                             : error_set(err, ERR_INVALID, "a finished attempt without result");
    default: return OK;
    }
}

static void run_loaded(struct scheduler *s, const struct event *event)
{
    struct live_dag *dag = dag_find(s, event->dag_id);
    if (!dag)
        return;
    backfill_run_loaded(s, dag, event->logical_us);
    trigger_run_loaded(s, dag, event->logical_us);
    dag_wants_step(s, dag);
}

static void take_event(struct scheduler *s, const struct event *event)
{
    switch (event->kind) {
    case EVENT_TICK: break;
    case EVENT_DAG_ADOPTED: dag_adopt(s, event->dag); break;
    case EVENT_DAG_REMOVED: dag_remove(s, event->dag_id); break;
    case EVENT_REQUEST: request_apply(s, event->request); break;
    case EVENT_ATTEMPT_STARTED: attempt_started(s, event); break;
    case EVENT_ATTEMPT_FINISHED: attempt_finished(s, event); break;
    case EVENT_VOID_DONE: attempt_void_done(s, event); break;
    case EVENT_POOLS_CHANGED: slots_touch_all(s); break;
    case EVENT_RUN_LOADED: run_loaded(s, event); break;
    }
}

static struct instance *next_evaluation(struct scheduler *s)
{
    if (s->evaluate.next == s->evaluate.count) {
        s->evaluate.next = s->evaluate.count = 0;
        return NULL;
    }
    struct instance *i = s->evaluate.at[s->evaluate.next++];
    i->evaluating = false;
    return i;
}

static struct live_dag *next_step(struct scheduler *s)
{
    if (s->step.next == s->step.count) {
        s->step.next = s->step.count = 0;
        return NULL;
    }
    struct live_dag *dag = s->step.at[s->step.next++];
    dag->stepping = false;
    return dag;
}

/* Works until nothing is left to decide.  The order matters: a run is looked at when its tasks have
   been, a DAG when its runs have, and slots are given when it is known who wants them. */
static void settle(struct scheduler *s)
{
    for (;;) {
        struct instance *i = next_evaluation(s);
        struct live_dag *dag;
        if (i) {
            note_dag(s, i->run->dag);
            task_evaluate(s, i);
        } else if (s->check.count) {
            struct run *run = vec_pop(&s->check);
            run->checking = false;
            note_dag(s, run->dag);
            run_check(s, run);
        } else if ((dag = next_step(s))) {
            note_dag(s, dag);
            dag_step(s, dag);
        } else if (!slots_dispatch(s)) {
            return;
        }
    }
}

static void drop_runs(struct scheduler *s)
{
    vec_each (i, &s->removed)
        task_free_texts(*i);
    vec_clear(&s->removed);
    vec_each (shape, &s->left_shapes)
        shape_unref(*shape);
    vec_clear(&s->left_shapes);
    vec_each (run, &s->loaded)
        if (!(*run)->live && !(*run)->dropped)
            run_free(s, *run);
    vec_clear(&s->loaded);
    vec_each (run, &s->ended)
        run_free(s, *run);
    vec_clear(&s->ended);
    vec_each (b, &s->ended_backfills)
        backfill_free(s, *b);
    vec_clear(&s->ended_backfills);
}

enum status scheduler_apply(struct scheduler *s, const struct event *event, struct instant now,
    struct plan *ret_plan, struct error *err)
{
    enum status status = check_event(s, event, err);
    if (status)
        return status;
    s->plan = ret_plan;
    note_begin(s, event);
    take_time(s, now);
    vec_each (run, &s->resuming) {
        note_dag(s, (*run)->dag);
        run_resume(s, *run);
    }
    vec_clear(&s->resuming);
    take_event(s, event);
    fire_timers(s);
    settle(s);
    emit_changes(s);
    drop_runs(s);
    s->plan = NULL;
    note_end(s);
    return OK;
}
