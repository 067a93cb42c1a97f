/*
 * What goes into the scheduler and what comes out, as plain structs: records (durable rows),
 * events, and plans (changes to make durable, then effects to carry out).  The store persists
 * changes and gives records back; the executor carries out effects and answers with events. Nothing
 * here refers to either.
 *
 * Texts and arrays in an event are the caller's for the length of the call; those in a plan live in
 * the plan's arena.  Times are wall microseconds since 1970 (UTC); TIME_NONE where there is none.
 */
#ifndef SCHEDULER_PLAN_H
#define SCHEDULER_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vec.h"
#include "definition/model/state.h"

struct dag; /* definition/model/model.h */

#define TIME_NONE INT64_MIN

/* A run's row number, given by the scheduler, never used twice. */
struct run_id {
    int64_t v;
};
/* An attempt's name: UUID text.  It is the application_name of its session too. */
struct attempt_id {
    char text[UUID_TEXT_SIZE];
};

/*
 * Why a state was entered.  ROW(enum suffix, code, default sentence for people).  The code is
 * stored with every change, beside a text that names the causes.
 */
#define REASONS(ROW)                                                                               \
    ROW(NONE, "none", "")                                                                          \
    ROW(RUN_CREATED, "run_created", "the run was created")                                         \
    ROW(RUN_STARTED, "run_started", "the run started")                                             \
    ROW(WAITING_RUN_SLOT, "waiting_run_slot", "waiting: max_active_runs is reached")               \
    ROW(WAITING_UPSTREAM, "waiting_upstream", "waiting for upstream tasks")                        \
    ROW(WAITING_PAST, "waiting_past", "waiting for the previous run (depends_on_past)")            \
    ROW(WAITING_POOL, "waiting_pool", "waiting for a slot of its pool")                            \
    ROW(WAITING_CONNECTION, "waiting_connection", "waiting for a slot of its connection")          \
    ROW(WAITING_PROCESS, "waiting_process", "waiting: max_processes is reached")                   \
    ROW(WAITING_TASK_CAP, "waiting_task_cap", "waiting: a cap of its DAG or run is reached")       \
    ROW(WAITING_PAUSED, "waiting_paused", "waiting: the DAG is paused")                            \
    ROW(WAITING_TURN, "waiting_turn", "ready; tasks ahead of it take the free slots")              \
    ROW(SLOTS_GIVEN, "slots_given", "its slots were free")                                         \
    ROW(STARTED, "started", "the attempt started")                                                 \
    ROW(SUCCEEDED, "succeeded", "the attempt succeeded")                                           \
    ROW(ATTEMPT_FAILED, "attempt_failed", "the attempt failed")                                    \
    ROW(RETRY_PLANNED, "retry_planned", "the attempt failed; a retry is planned")                  \
    ROW(NOT_RETRIED, "not_retried", "failed with an error that a retry cannot help")               \
    ROW(RETRIES_USED_UP, "retries_used_up", "failed, and the retries are used up")                 \
    ROW(TIMED_OUT, "timed_out", "execution_timeout was reached")                                   \
    ROW(INTERRUPTED, "interrupted", "the attempt ended with the scheduler; it costs no retry")     \
    ROW(LOST, "lost",                                                                              \
        "the connection was lost after COMMIT was sent; the next attempt settles it")              \
    ROW(SETTLING, "settling", "making sure that the lost attempt can no longer commit")            \
    ROW(PARTLY_COMMITTED, "partly_committed", "partly committed: will not be retried by itself")   \
    ROW(COMMITTED_BEFORE, "committed_before", "an earlier attempt had committed")                  \
    ROW(SUPERSEDED, "superseded", "a newer generation took its place")                             \
    ROW(SKIPPED_SELF, "skipped_self", "the task skipped itself")                                   \
    ROW(UPSTREAM_SKIPPED, "upstream_skipped", "skipped because of skipped upstream tasks")         \
    ROW(UPSTREAM_FAILED, "upstream_failed", "an upstream task failed")                             \
    ROW(RULE_UNMET, "rule_unmet", "its trigger rule can no longer be met")                         \
    ROW(NO_WORK, "no_work", "there is nothing to do in an empty task")                             \
    ROW(CLEARED, "cleared", "cleared to run again")                                                \
    ROW(CANCELLED, "cancelled", "cancelled")                                                       \
    ROW(RUN_CANCELLED, "run_cancelled", "the run was cancelled")                                   \
    ROW(RUN_TIMED_OUT, "run_timed_out", "the run was over run_timeout")                            \
    ROW(FAIL_FAST, "fail_fast", "another task failed, and the DAG has fail_fast")                  \
    ROW(MARKED, "marked", "marked by hand")                                                        \
    ROW(REMOVED_TASK, "removed_task", "the task is no longer in the DAG")                          \
    ROW(ALL_LEAVES_DONE, "all_leaves_done", "every leaf task succeeded or was skipped")            \
    ROW(LEAF_FAILED, "leaf_failed", "a leaf task failed")                                          \
    ROW(DEADLOCK, "deadlock", "unfinished tasks are left, and none can ever run")                  \
    ROW(CANCELLING, "cancelling", "cancelling: waiting until the attempt is really gone")          \
    ROW(FAILURES_REACHED, "failures_reached", "max_consecutive_failed_runs was reached")           \
    ROW(PAUSED_BY_HAND, "paused_by_hand", "paused by hand")                                        \
    ROW(UNPAUSED_BY_HAND, "unpaused_by_hand", "unpaused by hand")                                  \
    ROW(IN_DOUBT, "in_doubt", "in doubt: the database cannot be reached to make sure")             \
    ROW(MARKING_SUCCESS, "marking_success", "being marked success: waiting for its attempt's end") \
    ROW(MARKING_FAILED, "marking_failed", "being marked failed: waiting for its attempt's end")    \
    ROW(MARKING_SKIPPED, "marking_skipped", "being marked skipped: waiting for its attempt's end") \
    ROW(WAITING_LIMIT, "waiting_limit", "waiting: the ceiling of live task instances is reached")  \
    ROW(WAITING_TURN_RUN, "waiting_turn_run", "waiting: other runs of the DAG start first")        \
    ROW(QUARANTINED, "quarantined",                                                                \
        "quarantined: the scheduler aborted twice while at work on it")                            \
    ROW(EXPANDED, "expanded", "expanded: there is one instance for each of its values")            \
    ROW(NOTHING_TO_MAP, "nothing_to_map", "skipped: there is nothing to map over")                 \
    ROW(REMOVED_INDEX, "removed_index", "the task has no value of this index any more")            \
    ROW(DECIDED, "decided", "skipped by a decision of a task before it")                           \
    ROW(WAITING_LOOK, "waiting_look", "waiting; it looks again later")                             \
    ROW(WAITED_TOO_LONG, "waited_too_long", "what it waits for did not come within its timeout")   \
    ROW(WAITING_RUN, "waiting_run", "waiting until the run that it triggered has ended")           \
    ROW(TRIGGERED_FAILED, "triggered_failed", "the run that it triggered failed")                  \
    ROW(DATE_TAKEN, "date_taken", "the date has a run that this task did not make")                \
    ROW(WAITING_DAEMON, "waiting_daemon",                                                          \
        "waiting for the daemon: `dag run` carries out only what its own run waits for")

enum reason {
#define ROW(id, code, text) REASON_##id,
    REASONS(ROW)
#undef ROW
        REASON_COUNT
};
const char *reason_code(enum reason reason);
const char *reason_text(enum reason reason);
bool reason_parse(const char *code, enum reason *ret);

/* ---- records: the durable rows -------------------------------------------------------------- */

/* The task that made a run (`trigger_dag`). */
struct run_maker {
    struct run_id run;   /* the task's; 0 = no task made it */
    const char *task_id; /* NULL without */
    int32_t map_index;
    int64_t generation; /* of the task, when it made the run or last cleared it */
};

struct run_record {
    struct run_id id;
    const char *dag_id;
    const char *run_id; /* "scheduled__2007-04-12T00:00:00+00:00" */
    enum run_type type;
    enum run_state state;
    enum reason reason;
    const char *reason_text;
    int64_t logical_us, interval_start_us, interval_end_us, run_after_us;
    int64_t queued_us, started_us, ended_us;
    const char *conf;         /* JSON object, "{}" without */
    const char *version;      /* of the DAG when the run was created or last cleared */
    const char *triggered_by; /* user name, "scheduler", or the task: "`wake` of etl 2030-…" */
    int64_t backfill_id;      /* 0 = none */
    const char *note;         /* may be NULL */
    /* When it should have ended, and when it was found that it had not; TIME_NONE = no deadline is
       known, it was not missed. */
    int64_t deadline_us, deadline_missed_us;
    bool keeps_version; /* cleared with same_version: newer versions are not for it */
    struct run_maker maker;
};

struct task_record {
    struct run_id run;
    const char *task_id;
    int32_t map_index; /* -1 = not mapped */
    enum task_state state;
    enum reason reason;
    const char *reason_text;
    int32_t try_number;  /* attempts of this generation that count; 1 = the first is under way */
    int32_t max_tries;   /* retries + 1 when the generation began */
    int32_t tries_total; /* attempts of all generations: numbers the logs */
    int32_t lost_count;  /* losses after COMMIT was sent, this generation */
    int32_t interrupted_count;
    int64_t generation; /* 0, or the random number of the last clear */
    bool unsettled;     /* an earlier attempt may still commit: a void is due before a new
                           generation or a final state */
    int64_t unsettled_generation;
    struct attempt_id attempt; /* current or last; empty = none yet */
    const char *decision; /* of a success that decided what follows: as in struct attempt_result */
    const char *mapped;   /* JSON object: its values of `expand`; NULL when map_index is -1 */
    int64_t ready_us, queued_us, started_us, ended_us, retry_at_us; /* TIME_NONE = not so far */
    int64_t deadline_us, deadline_missed_us; /* as in run_record; of this generation */
    /* Of a sensor: looks of the attempt under way that ended in "not yet" (while there are any, the
       attempt goes on, and retry_at_us is the time of the next look), and the first look of this
       generation, whatever its attempts: its timeout counts from there. */
    int32_t looks;
    int64_t waiting_since_us;
    /* The run that this generation triggered, 0 = none.  Deferred: its attempt goes on, without an
       executor, until that run has ended. */
    struct run_id triggered;
};

/* Whether the row only says that a sensor looks again, which is news to nobody. */
bool task_record_looks_again(const struct task_record *task);

enum attempt_state { ATTEMPT_QUEUED, ATTEMPT_RUNNING, ATTEMPT_ENDED };

struct attempt_record {
    struct attempt_id id;
    struct run_id run;
    const char *task_id;
    int32_t map_index;
    int64_t generation;
    int32_t try_number, number; /* `number`: of all attempts of this task in this run, from 1 */
    enum attempt_state state;
    const char *outcome; /* "success", "failed" …; NULL while it runs */
    const char *version; /* of the DAG that it ran */
    int64_t queued_us, started_us, ended_us;
    const char *message;  /* the error for people, NULL when there is none */
    const char *sqlstate; /* NULL without */
    int32_t exit_code;    /* -1 = none */
    const char *place;    /* "file:line:column" in the user's files, NULL without */
    const char *detail;   /* JSON: statements with row counts and timings, error fields, hash … */
    const char *log;      /* path of the log relative to the state directory */
    const char *xcom;     /* JSON, NULL without */
};

struct dag_record {
    const char *dag_id;
    const char *file;
    const char *version;
    bool paused, removed;
    enum reason pause_reason;
    int64_t covered_until_us; /* end of the last interval that was dealt with; TIME_NONE */
    int64_t last_logical_us;  /* newest logical date of a scheduled run; TIME_NONE */
    int32_t consecutive_failures;
    const char *broken; /* why the file does not load now, formatted; NULL = it does */
};

struct backfill_record {
    int64_t id;
    const char *dag_id;
    int64_t from_us, to_us; /* logical dates, both inclusive */
    int64_t cursor_us;      /* next logical date to create; TIME_NONE = all are created */
    const char *only;       /* "missing", "failed" or "all" */
    bool reverse;
    int32_t max_active_runs; /* 0 = the DAG's */
    const char *conf;
    bool finished;
    int32_t created_count;
    int64_t requested_us, ended_us;
    const char *requested_by;
};

/* An asset was updated: by a task's success, or by hand. */
struct asset_event_record {
    int64_t id; /* ascending, never used twice */
    const char *asset;
    int64_t at_us;
    struct run_id run;  /* of the task that made it; 0 = made by hand */
    const char *dag_id; /* this and what follows is NULL, TIME_NONE or -1 when made by hand */
    const char *run_id;
    const char *task_id;
    int32_t map_index;
    int64_t logical_us, interval_start_us, interval_end_us; /* of that run */
    const char *extra;                                      /* JSON object */
    const char *made_by;                                    /* user, or "scheduler" */
};

/* What waits for a DAG that is scheduled on an asset. */
struct asset_queue_record {
    const char *dag_id, *asset;
    int64_t after_event; /* events up to this one were consumed, or are older than the schedule */
    int64_t last_event;  /* the newest one that is queued; 0 = none is */
    int64_t first_us, last_us; /* times of the first and the newest queued; TIME_NONE */
    int32_t count;             /* queued events */
};

/* Events that a run consumed: those of `asset` with after_event < id <= last_event. */
struct run_asset_record {
    struct run_id run;
    const char *asset;
    int64_t after_event, last_event;
};

/* A setting that was stored: "variables.x", "pools.p", "connections.gp.uri".  Its name is what
   `dag config` shows; what it means, and who may be stored at all, is not known here. */
struct setting_record {
    const char *name;
    const char *value;       /* NULL in a change: the row goes */
    bool sealed;             /* `value` is a sealed text (base/seal.h) */
    const char *description; /* may be NULL */
    const char *changed_by;
    int64_t changed_us;
};

/* ---- requests -------------------------------------------------------------------------------- */

#define REQUEST_KINDS(ROW)                                                                         \
    ROW(TRIGGER, "trigger")                                                                        \
    ROW(BACKFILL, "backfill")                                                                      \
    ROW(CLEAR, "clear")                                                                            \
    ROW(MARK, "mark")                                                                              \
    ROW(CANCEL, "cancel")                                                                          \
    ROW(PAUSE, "pause")                                                                            \
    ROW(UNPAUSE, "unpause")                                                                        \
    ROW(ASSET_EVENT, "asset_event")                                                                \
    ROW(SETTINGS, "settings")

enum request_kind {
#define ROW(id, name) REQUEST_##id,
    REQUEST_KINDS(ROW)
#undef ROW
        REQUEST_KIND_COUNT
};
const char *request_kind_name(enum request_kind kind);
bool request_kind_parse(const char *name, enum request_kind *ret);

/* One act asked for from outside.  Selections are resolved to runs (loaded into the scheduler by
   the caller) before it is applied. */
struct request {
    char uuid[UUID_TEXT_SIZE]; /* the client's: a repeat gets the first outcome */
    enum request_kind kind;
    const char *user;          /* who asks */
    const char *dag_id;        /* NULL: asset_event, settings */
    const char *asset, *extra; /* asset_event; `extra` is a JSON object, NULL = {} */
    int64_t logical_us; /* trigger; TIME_NONE = newest complete interval, or now without a schedule.
                           mark, with run_count 0: a date without a run, done elsewhere */
    const char *conf;   /* trigger, backfill: JSON object; NULL = {} */
    const struct run_id *runs; /* clear, mark, cancel: which runs */
    size_t run_count;
    const char *const *tasks; /* clear, mark, cancel: task ids or globs, "+" before or after a name
                                 for what is before or after it; none = all */
    size_t task_count;
    bool downstream, only_failed, same_version, force;
    bool dates_too; /* mark: the dates of backfill.from_us to .to_us that have no run as well */
    enum task_state mark_state; /* TASK_SUCCESS, TASK_FAILED or TASK_SKIPPED */
    const char *note;
    /* id 0; the scheduler gives it one.  cancel: an id other than 0 ends that backfill; runs it has
       made are named by `runs` */
    struct backfill_record backfill;
    const int64_t *existing; /* trigger, backfill: sorted logical dates of all runs of the DAG in
                                the range asked for (finished ones too) */
    const enum run_state *existing_state;
    size_t existing_count;
    const struct setting_record *settings; /* settings: checked and sealed */
    size_t setting_count;
    bool dry_run; /* plan and answer, change nothing */
};

/* ---- events ---------------------------------------------------------------------------------- */

enum attempt_outcome {
    OUTCOME_SUCCESS,
    OUTCOME_SKIPPED,
    OUTCOME_FAILED,
    OUTCOME_CANCELLED,   /* confirmed gone after EFFECT_CANCEL */
    OUTCOME_INTERRUPTED, /* ended by the daemon's own stop or crash: costs no retry, ten times */
    OUTCOME_LOST,        /* connection lost after COMMIT was sent: costs no retry, three times */
    OUTCOME_PARTLY,      /* partly committed: failed, never retried by itself */
    OUTCOME_SUPERSEDED,  /* found its generation void */
    OUTCOME_WAIT,        /* a sensor found that it is not time yet: the attempt goes on with another
                            look, by the same id; `message` says what it saw */
};

enum error_class {
    CLASS_NONE,
    CLASS_SQL,
    CLASS_EXIT,
    CLASS_TEMPLATE,
    CLASS_TIMEOUT,
    CLASS_CONNECT, /* also a request over HTTP without an answer */
    CLASS_HTTP,    /* an answer over HTTP that is not as expected: `http_status` */
    CLASS_OTHER
};

/* The run that a `trigger_dag` task wants. */
struct trigger_order {
    const char *dag_id;
    int64_t logical_us;
    const char *conf; /* JSON object */
};

struct attempt_result {
    enum attempt_outcome outcome;
    bool may_commit;       /* the attempt's transaction may still commit */
    bool committed_before; /* success that an earlier attempt of the generation committed */
    /* Failure of a task without a transaction: its claim is committed, so that a retry begins a new
       generation. */
    bool new_generation;
    enum error_class error_class;
    char sqlstate[6];
    int32_t exit_code;   /* -1 = none */
    int32_t http_status; /* 0 = none */
    /* Failed: the server asks for so much time before the next attempt; 0 = it did not. */
    int64_t retry_after_us;
    const char *message; /* may be NULL on success */
    const char *place;   /* "file:line:column", NULL without */
    const char *detail;  /* JSON, NULL without */
    const char *xcom;    /* JSON, NULL without */
    /* Success of a task that decides what follows.  JSON list: of a branch the ids of the direct
       downstreams that it chose; of the others empty, "what follows is skipped".  NULL: all goes
       on. Of latest_only the scheduler decides itself. */
    const char *decision;
    /* Success of an expansion (a task with `expand`, map index -1): the values of each instance, a
       JSON object each, in the order of map indexes.  None: nothing to map over. */
    const char *const *mapped;
    size_t mapped_count;
    int64_t look_at_us; /* OUTCOME_WAIT: when to look again; 0 = after the task's poke_interval */
    /* Success of a task that triggers: the scheduler makes the run, in the plan that makes the
       success durable.  NULL: nothing is wanted. */
    const struct trigger_order *trigger;
    int64_t started_us, ended_us;
};

enum event_kind {
    EVENT_TICK,        /* time has passed */
    EVENT_DAG_ADOPTED, /* a new version of a DAG (or its first) */
    EVENT_DAG_REMOVED, /* its file is gone */
    EVENT_REQUEST,
    EVENT_ATTEMPT_STARTED,
    EVENT_ATTEMPT_FINISHED,
    EVENT_VOID_DONE,     /* answer to EFFECT_VOID */
    EVENT_POOLS_CHANGED, /* slots of pools, connections or processes were set anew */
    EVENT_RUN_LOADED,    /* answer to EFFECT_LOAD_RUN: loaded, or there is no such run */
};

struct event {
    enum event_kind kind;
    const struct dag *dag; /* adopted: the scheduler takes a reference of its own */
    const char *dag_id;    /* removed, run loaded */
    int64_t logical_us;    /* run loaded */
    const struct request *request;
    struct attempt_id attempt;           /* started, finished, void done */
    const struct attempt_result *result; /* finished, void done */
    enum void_outcome {
        VOID_INSERTED,    /* it can never commit */
        VOID_COMMITTED,   /* it had committed: `result` holds what was read back */
        VOID_UNREACHABLE, /* `result`, which may be NULL, has the reason as its message */
    } void_outcome;
};

/* ---- the plan -------------------------------------------------------------------------------- */

enum change_kind {
    CHANGE_RUN,     /* insert, or replace the row of that id */
    CHANGE_TASK,    /* insert or replace; `from` is the state it had: kept as history */
    CHANGE_ATTEMPT, /* insert or replace */
    CHANGE_DAG,
    CHANGE_BACKFILL,
    CHANGE_REQUEST, /* a request's outcome */
    CHANGE_ASSET_EVENT,
    CHANGE_ASSET_QUEUE, /* insert or replace */
    CHANGE_RUN_ASSET,
    CHANGE_SETTING, /* insert, replace or, without a value, remove */
};

struct change {
    enum change_kind kind;
    union {
        struct run_record run;
        struct {
            struct task_record record;
            enum task_state from;
            bool is_new;
        } task;
        struct attempt_record attempt;
        struct dag_record dag;
        struct backfill_record backfill;
        struct asset_event_record asset_event;
        struct asset_queue_record asset_queue;
        struct run_asset_record run_asset;
        struct setting_record setting;
        struct {
            const char *uuid;
            enum request_kind kind;
            const char *user;
            const char *dag_id;
            const char *request; /* JSON of what was asked */
            enum status status;  /* OK = done */
            const char *outcome; /* JSON: run ids, counts … or the error's message and hint */
        } request;
    };
    int64_t at_us;
};

enum effect_kind {
    EFFECT_START,  /* start this attempt */
    EFFECT_CANCEL, /* cancel it; ends with EVENT_ATTEMPT_FINISHED */
    EFFECT_VOID, /* make sure that nothing of this generation can commit; ends with EVENT_VOID_DONE
                  */
    EFFECT_SETTINGS, /* what is stored has changed: it is in force from now on */
    EFFECT_REPLY,    /* a request's outcome is durable: answer it */
    EFFECT_RUN_ENDED,
    EFFECT_DAG_PAUSED, /* by the scheduler itself: tell people; `run` has the dag_id */
    EFFECT_LOAD_RUN,   /* a backfill wants the finished run of (run.dag_id, run.logical_us), or a
                          task that triggers must know whether there is one: load it if there is
                          (scheduler_load_run), then apply EVENT_RUN_LOADED */
    EFFECT_DEADLINE_MISSED, /* of `run`, or of its task `task_id`: tell people; once a generation */
    EFFECT_CLOCK_JUMPED,    /* the wall clock jumped; schedules hold for a minute: tell people.
                               `generation` is the jump in microseconds */
};

struct effect {
    enum effect_kind kind;
    struct attempt_id attempt;
    const struct dag *dag; /* start: counted by the plan; plan_done releases it */
    uint32_t task;         /* index in dag->tasks */
    struct run_record run; /* start, void, cancel, run ended: the run as it is now */
    int32_t map_index, try_number, number;
    int32_t looks;      /* start: as in task_record; above 0 the attempt was started before */
    const char *mapped; /* start: the instance's values, NULL without */
    int64_t generation;
    const char *task_id; /* deadline missed: NULL = the run's own */
    int64_t deadline_us; /* deadline missed */
    bool fresh_session;  /* start: a retry never reuses a session */
    bool void_before;    /* start: `void_generation` must be voided first */
    int64_t void_generation;
    bool force;               /* cancel: close our end and go on */
    enum reason why;          /* cancel: cancelled, timed out, superseded … */
    const char *request_uuid; /* reply */
    enum status status;
    const char *outcome; /* reply: as in CHANGE_REQUEST */
};

/* The changes and effects of one or more events.  One arena; cleared as a whole. */
struct plan {
    struct arena *arena; /* owned */
    VEC(struct change) changes;
    VEC(struct effect) effects;
};
void plan_init(struct plan *plan);
void plan_clear(struct plan *plan);
void plan_done(struct plan *plan);

#endif
