/*
 * The scheduler: a deterministic state machine that decides what runs next.
 *
 * It holds the live state of unfinished runs and has one entry point, scheduler_apply: an event
 * goes in, a plan comes out (plan.h): changes to make durable and effects to carry out after that.
 * It reads no clock, draws no random number, does no I/O and never calls who carries the plan out,
 * so the same code runs under the daemon, `dag run`, `dag simulate` and the tests.  It is used by
 * one thread; everything it is given is copied, DAGs are counted.
 *
 * Work per event is proportional to what the event touches (the direct downstreams of a finished
 * task, the tasks that can start on freed slots), never to the number of DAGs, runs or tasks.
 *
 * What decides, by file:
 *  - table.h     which state follows on which event, for tasks and runs
 *  - rules.h     trigger rules: verdicts are functions of the SET of upstream end states
 *  - slots.h     which ready task starts next: pools, connections, processes, classes, fairness
 *  - retry.h     which failures are retried, and when
 *  - internal.h  the live state; runs, schedules, backfills, requests, attempts work on it
 *
 * Use.  scheduler_new, the scheduler_load_* functions in the order below, then EVENT_TICK, which
 * evaluates everything once.  From then on one scheduler_apply per event, and an EVENT_TICK at
 * scheduler_next_due.  Attempts that were queued or running when the last process ended are loaded
 * as such: the executor's `recover` answers for each of them with an event (started: it is still
 * alive; finished: OUTCOME_INTERRUPTED or what it ended in).  An event about an attempt that is not
 * under way any more is ignored.
 */
#ifndef SCHEDULER_SCHEDULER_H
#define SCHEDULER_SCHEDULER_H

#include "definition/model/model.h"
#include "scheduler/plan.h"

struct scheduler;

/* A number of slots by name: a pool, or a connection's max_connections. */
struct slots_setting {
    const char *name;
    int slots;
};

enum { SCHEDULER_NOTE_ID_SIZE = 256 };

/* What is worked on at this moment, in memory that outlives a crash of the process: who aborts
   twice at the same place is found by it (daemon/blame.h). */
struct scheduler_note {
    bool working;
    enum event_kind event;
    char dag_id[SCHEDULER_NOTE_ID_SIZE]; /* cut when longer; empty: none in particular */
};

struct scheduler_options {
    uint64_t seed; /* of generations and attempt ids: from the system's random source */
    const struct slots_setting *pools; /* `default_pool` is there with 128 when not named */
    size_t pool_count;
    const struct slots_setting *connections; /* one that is not named has no limit */
    size_t connection_count;
    int max_processes;           /* 0 = 32 */
    bool paused_upon_creation;   /* a DAG without a record starts paused */
    int64_t next_run_id;         /* above every run row that exists; 0 = 1 */
    int64_t next_backfill_id;    /* the same for backfills */
    int64_t next_asset_event_id; /* and for events of assets */
    bool no_schedules;           /* `dag run`: runs are made by hand only, never by a timetable */
    bool start_empty_tasks;      /* empty tasks are started as attempts too (simulation) */
    struct scheduler_note *note; /* kept; NULL = none */
};

/* Owned by the caller.  Nothing in `options` is kept but the note. */
struct scheduler *scheduler_new(const struct scheduler_options *options);
void scheduler_free(struct scheduler *scheduler); /* NULL is fine */
DEFINE_CLEANUP(struct scheduler, scheduler_free);

/* New numbers of slots; they count from the next EVENT_POOLS_CHANGED on.  What runs goes on. */
void scheduler_set_pool(struct scheduler *scheduler, const char *name, int slots);
void scheduler_set_connection(struct scheduler *scheduler, const char *name, int slots);
void scheduler_set_max_processes(struct scheduler *scheduler, int processes);
void scheduler_set_paused_upon_creation(struct scheduler *scheduler, bool paused);
/* Why the DAG's file does not load now (NULL: it does).  Kept with the DAG's row, which the next
   event writes.  A DAG that is not known yet becomes known, without a version. */
void scheduler_set_broken(
    struct scheduler *scheduler, const char *dag_id, const char *file, const char *broken);
/* While draining (the daemon is asked to stop) no run and no attempt is started; what ends is taken
   in as ever, so that an attempt ended by the stop waits for the next start. */
void scheduler_set_draining(struct scheduler *scheduler, bool draining);

/* ---- loading -------------------------------------------------------------------------------- */

/* A date that has a run, whatever its type and state. */
struct known_date {
    int64_t logical_us;
    enum run_state state;
};

/*
 * A DAG.  `dag` is its newest good version (a reference is taken), NULL when there is none any more
 * (a removed file with live runs).  `record` is its row, NULL when it has none yet: the row is
 * then made by the first event.  One that says removed is changed when there is a version again.
 * `future` are the dates at or after record->covered_until_us that have runs already (by hand, by a
 * backfill).  Only at start; later versions arrive by EVENT_DAG_ADOPTED.  Above DAGS_MAX:
 * ERR_LIMIT.
 */
enum status scheduler_load_dag(struct scheduler *scheduler, const struct dag *dag,
    const struct dag_record *record, const struct known_date *future, size_t future_count,
    struct error *err) MUST_CHECK;

/*
 * A run: at start every unfinished one (after its DAG); later a finished one that a request names,
 * just before that request is applied, or one that EFFECT_LOAD_RUN asked for.  A finished run that
 * is still finished when the next event has been applied is dropped again.  `version` is the
 * version it ran.  NULL, it is not known any more: the newest is taken without the tasks that the
 * run does not have; while there is none, the run waits for one (its attempts end all the same).
 * `tasks` are its task instances, none when the run has not started.  A run that is live already is
 * left as it is. ERR_NOT_FOUND when its DAG was not loaded, ERR_LIMIT above RUNS_MAX or
 * INSTANCES_MAX.
 */
enum status scheduler_load_run(struct scheduler *scheduler, const struct run_record *record,
    const struct dag *version, const struct task_record *tasks, size_t task_count,
    struct error *err) MUST_CHECK;

/* An attempt that has not ended, after its run: tells its generation, number and version.  Without
   it they are taken from the task's row.  An attempt of a run that is not live is left out.  Gives
   whether the executor may have it under way: false for a sensor between two looks, and for a
   deferred task. */
bool scheduler_load_attempt(struct scheduler *scheduler, const struct attempt_record *attempt);

/* An unfinished backfill, after its DAG and the runs; `existing` are all dates from its first to
   its last that have runs. */
enum status scheduler_load_backfill(struct scheduler *scheduler,
    const struct backfill_record *record, const struct known_date *existing, size_t existing_count,
    struct error *err) MUST_CHECK;

/* How the tasks of one finished run ended: what depends_on_past looks at.  For DAGs with uses_past,
   newest PAST_RUNS_MAX runs, in any order; the instances of a mapped task next to each other.  At
   start, or just before the first version with uses_past is adopted; a run that has ended since the
   start is left as it is. */
struct past_task {
    const char *task_id;
    enum task_state state;
};
enum status scheduler_load_past(struct scheduler *scheduler, const char *dag_id, int64_t logical_us,
    const struct past_task *tasks, size_t count, struct error *err) MUST_CHECK;

/* What is queued for a DAG of one asset, after the DAG. */
enum status scheduler_load_asset_queue(struct scheduler *scheduler,
    const struct asset_queue_record *record, struct error *err) MUST_CHECK;

/* How long runs and tasks of a DAG took that succeeded, the newest ones, oldest first: what typical
   deadlines are made from (struct dag: uses_durations).  Replaces what was loaded before. */
struct past_duration {
    const char *task_id; /* NULL = a run */
    int64_t us;
};
enum status scheduler_load_durations(struct scheduler *scheduler, const char *dag_id,
    const struct past_duration *at, size_t count, struct error *err) MUST_CHECK;

/* A DAG at which the scheduler aborted: paused, with that reason, until it is unpaused.  It is
   loaded without a version, so that nothing of it is decided; a DAG that is not known becomes
   known. */
void scheduler_quarantine(struct scheduler *scheduler, const char *dag_id, const char *file);
bool scheduler_is_quarantined(const struct scheduler *scheduler, const char *dag_id);

/* ---- deciding ------------------------------------------------------------------------------- */

/*
 * Applies one event at `now`; appends to `ret_plan` the changes to make durable and the effects to
 * carry out after that.  A task or run that passes several states in one call gives one change,
 * `from` the state of the change before it.
 *
 * What cannot be done for an event of the outside is an answer, not an error: a refused request
 * gives its CHANGE_REQUEST and EFFECT_REPLY with the status and a text.  An error means that
 * nothing was changed: ERR_LIMIT (DAGS_MAX), ERR_INVALID (an event without what its kind needs).
 *
 * `now.mono_us` never goes back between calls.  When the wall clock moves against it by more than
 * CLOCK_JUMP_US, schedules hold for CLOCK_HOLD_US and EFFECT_CLOCK_JUMPED tells people; all that is
 * not a schedule goes on.
 */
enum status scheduler_apply(struct scheduler *scheduler, const struct event *event,
    struct instant now, struct plan *ret_plan, struct error *err) MUST_CHECK;

/* When the next EVENT_TICK is wanted, in monotonic microseconds; INT64_MAX = none is.  A time that
   has passed means at once. */
int64_t scheduler_next_due(const struct scheduler *scheduler);

/* ---- looking in ----------------------------------------------------------------------------- */

/* A ready task that is not running, a sensor between two looks, or (task_id NULL) a run that has
   not started. */
struct queue_item {
    const char *dag_id, *run_id, *task_id;
    int32_t map_index; /* -1 = not mapped */
    struct run_id run;
    int64_t logical_us, since_us; /* since when it is ready, or queued */
    enum task_state state;
    enum reason reason;
    const char *text; /* the reason in words, valid for the call */
    const char *pool; /* NULL for a run */
    int64_t weight;
};
/* Calls `visit` for each, in the order of DAGs, logical dates and tasks. */
void scheduler_queue(const struct scheduler *scheduler,
    void (*visit)(void *context, const struct queue_item *item), void *context);

struct slots_use {
    const char *kind; /* "pool", "connection" or "processes" */
    const char *name;
    int total, used, waiting; /* `waiting`: tasks that are ready and need it */
};
void scheduler_slots(const struct scheduler *scheduler,
    void (*visit)(void *context, const struct slots_use *use), void *context);

struct scheduler_counts {
    size_t dags, runs, queued_runs, instances, ready, active, timers, backfills;
};
struct scheduler_counts scheduler_count(const struct scheduler *scheduler);

/* The live run of that DAG and logical date (TIME_NONE: any that is live, oldest first), or {0}. */
struct run_id scheduler_find_run(
    const struct scheduler *scheduler, const char *dag_id, int64_t logical_us);
bool scheduler_has_run(const struct scheduler *scheduler, struct run_id run);
/* Of which DAG a live run is, NULL when it is not live. */
const char *scheduler_run_dag(const struct scheduler *scheduler, struct run_id run);
/* True when the DAG is known; its record as it is now, valid until the next event. */
bool scheduler_dag(const struct scheduler *scheduler, const char *dag_id, struct dag_record *ret);
/* The newest version of a known DAG, not counted; NULL when there is none. */
const struct dag *scheduler_dag_version(const struct scheduler *scheduler, const char *dag_id);

#endif
