/*
 * The live state, and the functions of the scheduler's files for each other.
 *
 * Ownership: the scheduler owns its DAGs; a DAG its live runs, backfills and queues; a run its
 * instances, which live in the run's arena.  Versions (shapes) are counted.  Texts that change
 * (reasons) are heap copies owned by what they describe.
 *
 * Within one event, work goes through lists: instances whose upstreams moved, runs that may be
 * decided, DAGs that may make or start runs, slots that may be given.  scheduler_apply empties them
 * in this order again and again until nothing is left; then one change is written for each thing
 * that moved.
 */
#ifndef SCHEDULER_INTERNAL_H
#define SCHEDULER_INTERNAL_H

#include "base/heap.h"
#include "base/json.h"
#include "base/map.h"
#include "base/planted.h"
#include "base/vec.h"
#include "scheduler/limits.h"
#include "scheduler/rules.h"
#include "scheduler/scheduler.h"
#include "scheduler/shape.h"
#include "scheduler/slots.h"
#include "scheduler/table.h"

enum timer_kind { TIMER_TASK, TIMER_RUN, TIMER_DEADLINE, TIMER_DAG, TIMER_HOLD };
struct timer {
    struct heap_entry entry;
    enum timer_kind kind;
};

/* What a task becomes once its attempt is gone and can no longer commit. */
struct intent {
    bool set;
    enum task_event event;
    enum reason reason;
    char *text; /* heap, may be NULL */
};

/*
 * The instances that a mapped task was expanded into, by map index.  The task's own instance (map
 * index -1: the head) stands in run.tasks; its attempt finds out the values.  Then it is removed
 * (REASON_EXPANDED) and these stand for the task.  Those that the last expansion has no values for
 * are removed as well.
 */
struct mapping {
    struct instance **at; /* in the run's arena */
    uint32_t count;
    int active;             /* attempts of them that hold slots */
    struct parking parking; /* at max_active_tis_per_dagrun */
};

struct instance {
    struct run *run;
    const struct task *task;
    int32_t map_index;       /* -1 = the task's own: of a task that is not mapped, or a head */
    const char *mapped;      /* JSON object of its values, in the run's arena; NULL without */
    struct mapping *mapping; /* of a head that was expanded before; NULL without */
    enum task_state state;
    enum task_state saved; /* the state of its last change: what the next one comes from */
    enum reason reason;
    char *text; /* heap; NULL = the reason's own sentence */

    int32_t try_number, max_tries, tries_total, lost_count, interrupted_count;
    int64_t generation, unsettled_generation;
    int64_t ready_us, queued_us, started_us, ended_us, retry_at_us;
    int64_t deadline_us, deadline_missed_us;
    int32_t looks; /* of a sensor, as in task_record */
    int64_t waiting_since_us;

    struct run_id triggered; /* as in task_record */
    struct run *waits_for;   /* deferred: that run, whose `waiter` this is */

    struct attempt_id attempt;
    int64_t attempt_generation;
    const char *attempt_version; /* kept by the scheduler */
    struct intent intent;
    int32_t void_tries;

    /* Not kept for mapped instances: those of their head hold for them. */
    struct upstream_counts up;     /* of its direct upstreams */
    struct upstream_counts setups; /* in whose scope it is */
    struct decision *decision;     /* heap: of its success, NULL = all goes on */

    bool unsettled;
    bool alive;        /* an attempt is with the executor */
    bool holding;      /* slots */
    bool settling;     /* EFFECT_VOID is under way, or is asked again by the timer */
    bool waiting_past; /* its rule is met, the previous run is not what it must be */
    bool deferred;     /* its attempt goes on without an executor, until `triggered` has ended */
    bool is_new, changed, evaluating;

    struct timer timer; /* execution_timeout while alive; else retry, the next look of a sensor, or
                           asking again for a void */

    /* where it waits for slots; heap NULL = nowhere */
    struct heap_entry entry;
    struct heap *heap;
    struct lane *lane;
    struct lane_dag *place; /* NULL while parked */
    enum service_class class;
    enum cap parked_at;
    struct task_cap *cap; /* that its attempt counts against, NULL without */
};

/* A task that left the run with a change of version: should it come back, its row and the numbers
   of its logs go on. */
struct gone_task {
    struct task_record record; /* texts in the run's arena */
    struct gone_task *next;
};

struct run {
    struct run_id id;
    struct live_dag *dag;
    struct live_backfill *backfill; /* NULL without, or when it is finished */
    struct shape *shape;            /* counted; NULL until started, when not known */
    struct arena *arena;
    struct instance **tasks; /* by task index of the version; NULL until started */
    struct gone_task *gone;  /* rows of tasks that the version does not have */
    uint32_t task_count;
    uint32_t instance_count; /* tasks and mapped instances */
    uint32_t counts[TASK_STATE_COUNT];
    uint32_t finished_count, settling_count, waiting_past_count;
    int active;   /* attempts that hold slots */
    bool stalled; /* it runs, and all that is left of it waits for the run before */

    const char *run_id;
    enum run_type type;
    enum run_state state;
    enum reason reason;
    char *text;
    int64_t logical_us, interval_start_us, interval_end_us, run_after_us;
    int64_t queued_us, started_us, ended_us;
    int64_t deadline_us, deadline_missed_us; /* its own, not its tasks' */
    const char *conf, *version, *triggered_by;
    int64_t backfill_id;
    const char *note;
    struct run_maker maker;
    struct instance *waiter; /* of its maker's task: deferred until this run ends */

    struct parking parking; /* at max_active_tasks */
    struct timer timer;     /* run_timeout */
    struct timer deadline;  /* the first of its own and its tasks' */
    bool own_cap;           /* counts against its backfill's cap, not its DAG's */
    bool live;              /* among its DAG's runs; false: finished, loaded for one request */
    bool keep_version;      /* cleared with same_version */
    bool held;              /* its version is not known: it goes on when its DAG has one again */
    bool version_is_other;  /* loaded: the shape is of the newest version, the row names its own */
    bool only_awaited;      /* `dag run`: another DAG's, which starts only when its maker waits */
    bool changed, checking, dropped;
};

struct live_backfill {
    struct live_dag *dag;
    struct backfill_record record; /* texts are heap copies */
    VEC(struct run *) queued;      /* with an own cap */
    int running;                   /* with an own cap */
    int live;                      /* its unfinished runs */
    int64_t loading_us;            /* EFFECT_LOAD_RUN of this date is under way; TIME_NONE */
    bool changed;
};

/* How the tasks of a finished run ended. */
struct past_run {
    int64_t logical_us;
    uint32_t count; /* 0: it ended before it had started */
    struct past_entry {
        const char *task_id; /* kept by the scheduler */
        enum task_state state;
    } * tasks;
};

struct task_cap {
    int active;
    struct parking parking;
};

/* An asset that DAGs are scheduled on. */
struct live_asset {
    const char *name; /* kept by the scheduler */
    VEC(struct live_dag *) consumers;
};

/* What is queued for a DAG of one asset. */
struct asset_queue {
    struct asset_queue_record record; /* texts are kept by the scheduler */
    bool wanted;                      /* the newest version is scheduled on it */
    bool changed;
};

/* How long something took the last times it succeeded. */
struct durations {
    const char *task_id;       /* kept by the scheduler; NULL = the DAG's runs */
    int64_t us[DURATIONS_MAX]; /* a ring */
    uint32_t count, next;
};

struct live_dag {
    char *dag_id;
    struct shape *newest; /* counted; NULL without a version */
    bool paused, removed;
    enum reason pause_reason;
    int64_t covered_until_us, last_logical_us;
    int32_t consecutive_failures;
    char *file, *broken;

    VEC(struct run *) runs;   /* live, by logical date */
    VEC(struct run *) queued; /* that count against max_active_runs, in the order they were made */
    int running;              /* likewise */
    int stalled;              /* runs that wait for the run before them */
    int queued_scheduled;
    int starts;                            /* to give backfills their share */
    VEC(struct live_backfill *) backfills; /* in the order they were asked for */
    VEC(struct known_date) dates;          /* by date: that the schedule or a backfill may meet */
    VEC(struct past_run) past;             /* by date */
    VEC(struct asset_queue) assets;        /* that it is, or was, scheduled on */
    int asset_runs;                        /* live ones that assets triggered */
    VEC(struct durations) durations;       /* of what has a typical deadline */

    struct parking paused_tasks;
    struct map *caps; /* task id → struct task_cap */
    VEC(struct lane_dag *) places;
    VEC(struct account *) accounts;
    uint32_t order; /* in which it became known */
    struct timer timer;
    bool starting; /* first step after load, adoption or unpause: catchup none looks at the time */
    bool changed, stepping, assets_changed;
};

struct scheduler {
    struct map *dags;     /* id → struct live_dag */
    struct map *runs;     /* run_key → struct run: live and loaded ones */
    struct map *attempts; /* UUID → struct instance: alive or settling */
    struct map *names;    /* texts that are kept: versions, task ids */
    struct map *assets;   /* name → struct live_asset */
    struct map *pools, *connections;
    struct slots *processes;
    VEC(struct lane *) lanes;
    struct heap timers;
    uint64_t timer_sequence, random_state, served;
    int64_t next_run, next_backfill, next_asset_event;
    bool paused_upon_creation, start_empty_tasks, no_schedules, draining;
    size_t instance_count, queued_count, backfill_count, ready_count, active_count;

    /* time */
    struct instant now;
    bool ticked;             /* an event was applied: `now` and the fields below hold */
    int64_t schedule_us;     /* the wall clock as schedules see it: never goes back */
    int64_t clock_offset_us; /* wall minus mono when the schedules' timers were set */
    int64_t hold_until_us;   /* mono; TIME_NONE = schedules do not hold */
    struct timer hold;

    /* work of the event under way */
    struct plan *plan;
    struct scheduler_note *note; /* the caller's, may be NULL */
    const struct live_dag *noted;
    struct {
        struct instance **at;
        size_t count, capacity, next;
    } evaluate;
    VEC(struct run *) check;
    struct {
        struct live_dag **at;
        size_t count, capacity, next;
    } step;
    VEC(struct slots *) dirty;
    VEC(struct asked_run *) asked; /* of attempts that have ended and want a run (trigger.c) */
    VEC(struct run *) loaded;      /* finished ones, dropped after the event unless they go on */
    VEC(struct run *) ended;       /* freed after the event */
    VEC(struct run *) resuming;    /* loaded live ones, to go on with the next event */
    VEC(struct live_backfill *) ended_backfills;
    /* Left their runs in this event; their texts are still theirs. */
    VEC(struct instance *) removed;
    VEC(struct shape *) left_shapes; /* released after the event */
    VEC(struct live_dag *) changed_dags;
    VEC(struct live_backfill *) changed_backfills;
    VEC(struct run *) changed_runs;
    VEC(struct instance *) changed_tasks;
    VEC(struct live_dag *) changed_assets;
    VEC(struct change) asset_changes;
    VEC(struct change) attempt_changes;
};

/* What a request means of a run: tasks as a whole, and single indexes of mapped ones. */
struct selection {
    struct arena *arena;
    bool *tasks;    /* by task index of the version */
    bool **indexes; /* by task index: by map index up to MAPPED_MAX; NULL = none */
};

/* ---- scheduler.c: time, random numbers, lists ------------------------------------------------ */
void wake_set(struct scheduler *s, struct timer *timer, int64_t due_mono_us);
void wake_stop(struct scheduler *s, struct timer *timer);
int64_t mono_of_wall(const struct scheduler *s, int64_t wall_us);
uint64_t random_next(struct scheduler *s);
int64_t generation_next(struct scheduler *s);               /* never 0 */
const char *keep(struct scheduler *s, const char *text);    /* one copy for the scheduler's life */
const char *in_plan(struct scheduler *s, const char *text); /* a copy in the plan's arena */
struct live_dag *dag_find(const struct scheduler *s, const char *dag_id);
struct run_key {
    char text[24];
};
struct run_key run_key(struct run_id id);
struct run *run_find(const struct scheduler *s, struct run_id id);
/* Work goes on with this DAG. */
void note_dag(struct scheduler *s, const struct live_dag *dag);
void dag_wants_step(struct scheduler *s, struct live_dag *dag);
void dag_changed(struct scheduler *s, struct live_dag *dag);
void backfill_changed(struct scheduler *s, struct live_backfill *b);
struct live_dag *dag_new(struct scheduler *s, const char *dag_id);
void dag_free(struct scheduler *s, struct live_dag *dag);
bool schedules_hold(const struct scheduler *s);

/* ---- emit.c: changes and effects ------------------------------------------------------------- */
void emit_changes(struct scheduler *s);
struct task_record task_record_of(struct scheduler *s, const struct instance *i);
void emit_task_record(struct scheduler *s, const struct task_record *record, enum task_state from);
struct run_record run_record_of(struct scheduler *s, const struct run *run);
struct dag_record dag_record_of(const struct live_dag *dag);
struct effect *emit_effect(struct scheduler *s, enum effect_kind kind, const struct run *run);
void emit_task_effect(struct scheduler *s, enum effect_kind kind, struct instance *i);
/* `result` NULL: it has not ended. */
void emit_attempt(struct scheduler *s, const struct instance *i,
    const struct attempt_result *result, const char *outcome);

/* ---- task.c: one task instance --------------------------------------------------------------- */
/* The one setter: asserts the table's cell, records the reason, updates every counter, and puts on
   the lists what this may move.  `text` NULL: the reason's own sentence. */
void task_move(struct scheduler *s, struct instance *i, enum task_event event, enum reason reason,
    const char *text);
void task_set_reason(struct scheduler *s, struct instance *i, enum reason reason, const char *text);
void task_changed(struct scheduler *s, struct instance *i);
void task_wants_evaluation(struct scheduler *s, struct instance *i);
/* Looks at its rule, its setups and the previous run, and moves it when they say so. */
void task_evaluate(struct scheduler *s, struct instance *i);
enum verdict task_verdict(const struct instance *i);
/* Ends it without an attempt under way: at once, or after a void when an old one may commit. */
void task_finish(struct scheduler *s, struct instance *i, enum task_event event, enum reason reason,
    const char *text);
/* Asks the attempt to end, and ends the task when it is gone; without one, ends it now. */
void task_end_early(struct scheduler *s, struct instance *i, enum reason shown,
    const struct intent *intent, bool force);
/* Runs again, as `generation`. */
void task_clear(struct scheduler *s, struct instance *i, int64_t generation, const char *text);
void task_set_intent(struct instance *i, const struct intent *intent);
void task_drop_intent(struct instance *i);
/* It waits for no void and no timer any more, and nothing is wanted of it. */
void task_stop_settling(struct scheduler *s, struct instance *i);
void task_free_texts(struct instance *i);
/* What the next run waits for, there, may be another now. */
void run_past_changed(struct scheduler *s, const struct run *run);
/* What the reason of a task that is waiting for its attempt's end stands for, after a restart. */
bool intent_of_reason(const struct run *run, enum reason reason, struct intent *ret);

/* ---- mapping.c: mapped tasks ----------------------------------------------------------------- */
/* The task's own instance. */
struct instance *instance_head(const struct instance *i);
/* The instances of a run, each head before its mapped ones; NULL gives the first, and ends. */
struct instance *run_after(const struct run *run, const struct instance *i);
#define run_each(i, run) for (struct instance *i = run_after(run, NULL); i; i = run_after(run, i))
/* That index of a task, NULL when there is none; -1 is the task's own. */
struct instance *mapping_find(const struct run *run, const struct task *task, int32_t map_index);
bool mapping_is_head(const struct instance *i); /* its attempt is an expansion */
bool mapping_is_expanded(const struct instance *head);
/* An index without a value, which is removed as soon as nothing of it can commit. */
bool mapping_is_leaving(const struct instance *i);
/* Has at least `count` mapped instances; new ones are in state removed, and not counted. */
void mapping_reserve(struct run *run, struct instance *head, size_t count);
/* The expansion succeeded. */
void mapping_expand(
    struct scheduler *s, struct instance *head, const struct attempt_result *result);
/* Removes the mapped instances from `first` on, once nothing of them can commit any more. */
void mapping_remove(struct scheduler *s, struct instance *head, uint32_t first);
/* How a task of a run stands as a whole: the state of its own instance; of an expanded one, the
   first of its indexes that is not success-like. */
enum task_state mapping_state(const struct instance *head);
/* "load", "load[3]" */
void instance_name(const struct instance *i, struct strbuf *out);

/* ---- decide.c: what branches and their like skip --------------------------------------------- */
/* Takes what its success decided (as in struct attempt_result); the run has its shape. */
void decision_set(struct instance *i, const char *text);
void decision_drop(struct instance *i);
/* Finds out again whom its decision skips: the run's tasks or version were loaded. */
void decision_bind(struct instance *i);
const char *decision_text(const struct instance *i); /* NULL without */
/* The task whose decision skips this one, NULL when none does. */
const struct instance *decision_on(const struct instance *i);
/* Whether a task that may skip it has not decided yet. */
bool decision_awaited(const struct instance *i);
/* "skipped: `choose` chose `b`" */
void decision_describe(const struct instance *by, struct strbuf *out);
/* What a latest_only task decides now. */
const char *decision_by_clock(const struct scheduler *s, const struct run *run);

/* ---- attempt.c: attempts --------------------------------------------------------------------- */
void attempt_begin(struct scheduler *s, struct instance *i);
void attempt_started(struct scheduler *s, const struct event *event);
void attempt_finished(struct scheduler *s, const struct event *event);
void attempt_void_done(struct scheduler *s, const struct event *event);
void attempt_settle(struct scheduler *s, struct instance *i); /* EFFECT_VOID */
void attempt_resume(struct scheduler *s, struct instance *i); /* after a load */
/* The rest of an attempt's end: it is over, and the task goes on from there. */
void attempt_end(
    struct scheduler *s, struct instance *i, const struct attempt_result *end_of_attempt);
/* Over, and the task has failed whatever its retries. */
void attempt_fail_for_good(struct scheduler *s, struct instance *i,
    const struct attempt_result *result, enum reason reason);
/* The executor's part is over; the attempt goes on, holding nothing, until a run has ended. */
void attempt_defer(
    struct scheduler *s, struct instance *i, const struct attempt_result *result, const char *text);
/* What it was deferred for has come: it ends with `result`; `reason` is that of a failure. */
void attempt_end_deferred(struct scheduler *s, struct instance *i,
    const struct attempt_result *result, enum reason reason);
/* What it was deferred for is not known now: another attempt at once, as the same try. */
void attempt_defer_again(struct scheduler *s, struct instance *i);
/* Its execution timeout counts from the start of the attempt, of a sensor from that of the look. */
void attempt_arm_timeout(struct scheduler *s, struct instance *i);
void task_timer_due(struct scheduler *s, struct instance *i);
void attempt_clock_moved(struct scheduler *s, struct instance *i);
/* A sensor that waits between two looks will not look again, a deferred task waits no more: its
   attempt has ended.  No-op otherwise. */
void attempt_end_wait(struct scheduler *s, struct instance *i);

/* ---- run.c: one run -------------------------------------------------------------------------- */
struct run_spec {
    struct live_dag *dag;
    enum run_type type;
    int64_t logical_us;
    int64_t interval_start_us, interval_end_us, run_after_us;
    const char *conf, *triggered_by, *note;
    struct live_backfill *backfill;
    struct run_maker maker;
};
struct run *run_create(struct scheduler *s, const struct run_spec *spec);
struct run *run_from_record(
    struct scheduler *s, struct live_dag *dag, const struct run_record *record);
void run_free(struct scheduler *s, struct run *run);
void run_make_instances(struct run *run);
void instance_init(struct instance *i, struct run *run, const struct task *task, int32_t map_index);
void run_link(struct scheduler *s, struct run *run);
void run_queue(struct scheduler *s, struct run *run);
void run_unqueue(struct scheduler *s, struct run *run);
bool run_start(struct scheduler *s, struct run *run); /* false: INSTANCES_MAX */
void run_move(struct scheduler *s, struct run *run, enum run_event event, enum reason reason,
    const char *text);
void run_set_reason(struct scheduler *s, struct run *run, enum reason reason, const char *text);
void run_changed(struct scheduler *s, struct run *run);
void run_wants_check(struct scheduler *s, struct run *run);
void run_check(struct scheduler *s, struct run *run);
/* Ends all that is unfinished: attempts are cancelled, the rest is skipped.  Teardowns go on, as in
   Airflow, unless the run is over its time. */
void run_end_early(struct scheduler *s, struct run *run, enum reason reason, bool force);
bool run_is_ending(const struct run *run);
/* Whether a task in it is under way, or comes by itself. */
bool task_is_moving(enum task_state state);
void run_timer_due(struct scheduler *s, struct run *run);
void run_arm_timeout(struct scheduler *s, struct run *run);
/* A finished run is unfinished again, queued or at once. */
void run_revive(struct scheduler *s, struct run *run, enum run_event event, enum reason reason,
    const char *text);
void run_add_gone(struct run *run, const struct task_record *record);
/* Rows of tasks that the version does not have, and that say otherwise, are written as removed. */
void run_settle_gone(struct scheduler *s, struct run *run);
/* Has instances recounted: states of upstreams, of setups, of the run. */
void run_recount(struct scheduler *s, struct run *run);
/* A run loaded before its backfill is counted there. */
void run_join_backfill(struct scheduler *s, struct run *run, struct live_backfill *b);
size_t runs_at(const struct live_dag *dag, int64_t logical_us); /* the first one at or after it */
struct run *run_next(const struct run *run); /* the live one after it by date, NULL without */

/* ---- trigger.c: runs that tasks make --------------------------------------------------------- */
/* The attempt ended with an order (result->trigger): carried out at once, or as soon as it is known
   whether the date has a run; the attempt is under way until then. */
void trigger_take(struct scheduler *s, struct instance *i, const struct attempt_result *result);
bool trigger_is_asked(const struct scheduler *s, const struct instance *i);
void trigger_run_loaded(struct scheduler *s, struct live_dag *dag, int64_t logical_us);
/* Whoever waits for the run is told. */
void trigger_run_ended(struct scheduler *s, struct run *run);
/* A deferred task goes on waiting, after a load. */
void trigger_resume(struct scheduler *s, struct instance *i);
void trigger_leave(struct instance *i); /* it waits no more; no-op when it does not */
void trigger_free(struct scheduler *s);

/* ---- version.c: runs and versions of their DAG ----------------------------------------------- */
void run_take_version(struct scheduler *s, struct run *run, struct shape *shape);
/* The id of a task that has an attempt under way and is not in `shape`; NULL when there is none. */
const char *run_blocks_version(const struct run *run, const struct shape *shape);
void offer_version(struct scheduler *s, struct run *run, struct shape *shape);
void dag_adopt(struct scheduler *s, const struct dag *dag);
void dag_remove(struct scheduler *s, const char *dag_id);

/* ---- load.c ---------------------------------------------------------------------------------- */
void run_resume(struct scheduler *s, struct run *run);
/* It goes on with the version that it was loaded with: its row says which. */
void run_name_version(struct scheduler *s, struct run *run);

/* ---- asset.c: assets ------------------------------------------------------------------------- */
/* The newest version of the DAG is another one: it is scheduled on other assets. */
void assets_adopt(struct scheduler *s, struct live_dag *dag);
/* A task succeeded: its outlets were updated. */
void assets_update(struct scheduler *s, const struct instance *i);
/* Makes the run that queued events ask for. */
void assets_step(struct scheduler *s, struct live_dag *dag);
void assets_emit(struct scheduler *s);
void assets_leave(struct scheduler *s, struct live_dag *dag); /* before the DAG is freed */
void assets_free(struct scheduler *s);

/* ---- deadline.c: deadlines ------------------------------------------------------------------- */
/* The run was made, or loaded: what is known of its deadline. */
void deadline_run_made(struct scheduler *s, struct run *run);
/* It waits to run again: what counts from the start is not known any more. */
void deadline_run_cleared(struct scheduler *s, struct run *run);
/* It started, or starts again. */
void deadline_run_started(struct scheduler *s, struct run *run);
/* A task of a live run came to it, or is unfinished again. */
void deadline_task_waits(struct scheduler *s, struct instance *i);
/* A task began its first attempt, or is to run again. */
void deadline_task_started(struct scheduler *s, struct instance *i);
void deadline_task_cleared(struct instance *i);
void deadline_resume(struct scheduler *s, struct run *run);
void deadline_clock_moved(struct scheduler *s, struct run *run);
void deadline_due(struct scheduler *s, struct run *run);
/* The run ended: how long it and its tasks took is remembered. */
void deadline_run_ended(struct scheduler *s, struct run *run);

/* ---- past.c: earlier runs -------------------------------------------------------------------- */
/* Whether the previous run allows it; else *ret_text says why not. */
bool past_allows(struct scheduler *s, const struct instance *i, const char **ret_text);
void past_add(struct scheduler *s, struct run *run);
bool past_is_known(const struct live_dag *dag, int64_t logical_us);
/* With `max` runs remembered the oldest one is forgotten. */
void past_set(struct scheduler *s, struct live_dag *dag, int64_t logical_us,
    const struct past_task *tasks, size_t count, size_t max);
void past_free(struct past_run *past);

/* ---- schedule.c: runs a DAG makes by itself -------------------------------------------------- */
void dag_step(struct scheduler *s, struct live_dag *dag);
void dag_arm_timer(struct scheduler *s, struct live_dag *dag, int64_t wall_us);
void dag_pause(struct scheduler *s, struct live_dag *dag, enum reason reason);
void dag_unpause(struct scheduler *s, struct live_dag *dag);
/* Why a queued run has not started. */
enum reason run_queued_reason(const struct scheduler *s, const struct run *run);
bool dag_may_start(const struct live_dag *dag, const struct run *run);
/* A finished run that was loaded for the event under way; NULL when there is none. */
struct run *dag_loaded_run(
    const struct scheduler *s, const struct live_dag *dag, int64_t logical_us);
struct known_date *dates_find(const struct live_dag *dag, int64_t logical_us);
void dates_set(struct live_dag *dag, int64_t logical_us, enum run_state state);
struct run *dag_live_run(const struct live_dag *dag, int64_t logical_us);

/* ---- backfill.c ------------------------------------------------------------------------------ */
struct live_backfill *backfill_new(
    struct scheduler *s, struct live_dag *dag, const struct backfill_record *record);
void backfill_free(struct scheduler *s, struct live_backfill *b);
bool backfill_waits(const struct live_backfill *b); /* it would make a run if a cap allowed it */
void backfill_step(struct scheduler *s, struct live_backfill *b);
void backfill_run_loaded(struct scheduler *s, struct live_dag *dag, int64_t logical_us);
void backfill_run_ended(struct scheduler *s, struct live_backfill *b);
void backfill_end(struct scheduler *s, struct live_backfill *b);
bool backfill_has_own_cap(const struct live_backfill *b);
struct live_backfill *backfill_find(const struct live_dag *dag, int64_t id);
/* First and following dates of a range, in its direction; TIME_NONE at the end. */
int64_t backfill_first(const struct dag *dag, const struct backfill_record *range);
int64_t backfill_next(const struct dag *dag, const struct backfill_record *range, int64_t after_us);

/* ---- request.c and its kinds ----------------------------------------------------------------- */
void request_apply(struct scheduler *s, const struct request *request);
enum status request_trigger(struct scheduler *s, const struct request *request,
    struct json_writer *out, struct error *err) MUST_CHECK;
enum status request_backfill(struct scheduler *s, const struct request *request,
    struct json_writer *out, struct error *err) MUST_CHECK;
enum status request_clear(struct scheduler *s, const struct request *request,
    struct json_writer *out, struct error *err) MUST_CHECK;
enum status request_mark(struct scheduler *s, const struct request *request,
    struct json_writer *out, struct error *err) MUST_CHECK;
enum status request_cancel(struct scheduler *s, const struct request *request,
    struct json_writer *out, struct error *err) MUST_CHECK;
enum status request_asset_event(struct scheduler *s, const struct request *request,
    struct json_writer *out, struct error *err) MUST_CHECK;
enum status request_dag(struct scheduler *s, const struct request *request, struct live_dag **ret,
    struct error *err) MUST_CHECK;
/* A DAG that can make new runs. */
enum status dag_for_new_run(
    struct scheduler *s, const char *dag_id, struct live_dag **ret, struct error *err) MUST_CHECK;
/* A manual run, queued.  `spec` has its DAG, date, conf and who made it; the rest follows. */
struct run *run_make_manual(struct scheduler *s, struct run_spec spec);
/* ERR_DATE_TAKEN when the date has a run, live or not. */
enum status request_check_date(const struct request *request, const struct live_dag *dag,
    int64_t logical_us, struct error *err) MUST_CHECK;
/* A manual run of that date, queued. */
struct run *request_make_run(
    struct scheduler *s, const struct request *request, struct live_dag *dag, int64_t logical_us);
/* The state of the date's run, NULL when it has none. */
const enum run_state *request_known_date(
    const struct request *request, const struct live_dag *dag, int64_t logical_us);
/* The runs that a request names, all of them known. */
enum status request_runs(struct scheduler *s, const struct request *request, struct run ***ret,
    struct error *err) MUST_CHECK;
/* Clears tasks of a run (all when `chosen` is NULL); gives how many. */
size_t run_clear(
    struct scheduler *s, struct run *run, const struct selection *chosen, const char *text);

/* ---- select.c: which tasks ------------------------------------------------------------------- */
/* Adds what the patterns name: an id or glob, with an index (`load[3]`) or without, `+` before it
   for all that is before it, after it for all that is after it.  ERR_NO_TASK_MATCHES for a pattern
   without any. */
enum status select_tasks(const struct dag *dag, const char *const *patterns, size_t count,
    struct selection *selection, struct error *err) MUST_CHECK;
/* Adds everything after what is chosen. */
void select_downstream(const struct dag *dag, struct selection *selection);
struct selection selection_new(struct arena *arena, const struct dag *dag, bool all);
void selection_add_index(struct selection *selection, uint32_t task, int32_t map_index);
bool selection_has(const struct selection *selection, const struct instance *i);
/* Leaves those that are wanted: a task as a whole when its own instance is, else index by index.
   `dag` is the selection's version, not always the run's.  Gives how many are left. */
size_t selection_keep(struct selection *selection, const struct dag *dag, const struct run *run,
    bool (*wanted)(const struct instance *i));

#endif
