/*
 * The fault simulation: the scheduler under a virtual clock, with models of all that surrounds it
 * and a list of faults, drawn from one seed.
 *
 * An episode is one random project played to its end.  Everything in it is a function of its seed:
 * the DAGs (project.c), what their attempts end in and what becomes of their transactions
 * (executor.c, ledger.c), what people ask for (acts.c), and when something breaks (faults.c).
 * daemon.c is daemon/engine.c in small: load → decide → commit → act → event → decide, with one
 * batch at a time on its way to the store (store.c), which knows one leader.
 *
 * First safety: while faults go on, every invariant of invariants.c is checked at its moment.  Then
 * liveness: faults and acts stop, and everything must end.
 *
 * Two views are kept of every row: `durable` is what the store holds, `live` what the leader has
 * decided.  A crash makes the second equal to the first.
 *
 * To add a feature of the scheduler: let project.c use it in its random DAGs, let the model that
 * carries it out know it, and state in invariants.c what must hold.
 */
#ifndef TESTS_SIMULATION_SIM_H
#define TESTS_SIMULATION_SIM_H

#include "base/heap.h"
#include "base/map.h"
#include "base/planted.h"
#include "base/vec.h"
#include "language/timetable/timetable.h"
#include "scheduler/scheduler.h"

enum {
    DAGS_IN_PROJECT_MAX = 6,
    TASKS_IN_DAG_MAX = 40,
    POOLS = 3,       /* default_pool, p1, p2 */
    CONNECTIONS = 2, /* c0, c1 */
    MAPPED_ROWS = 6, /* at most so many indexes of a mapped task */
    ROWS_IN_RUN_MAX = TASKS_IN_DAG_MAX * (1 + MAPPED_ROWS),
    ASSETS = 2 * DAGS_IN_PROJECT_MAX, /* two that each DAG's tasks update */
    TRACE_SIZE = 4096,
};

/* What kind of episode it is. */
enum episode {
    EPISODE_CHAOS,       /* every fault, every act */
    EPISODE_UNDISTURBED, /* a project with outcomes, nothing goes wrong */
    EPISODE_DISTURBED,   /* the same project and outcomes; everything goes wrong */
    EPISODE_STEADY,      /* below capacity, nothing goes wrong: who waits how long */
};

/* ---- what happens next ----------------------------------------------------------------------- */

enum due_kind { DUE_ATTEMPT, DUE_MESSAGE, DUE_BATCH, DUE_TURN, DUE_LOOK };
struct due {
    struct heap_entry entry;
    enum due_kind kind;
};

/* ---- the target database --------------------------------------------------------------------- */

enum ledger_state {
    LEDGER_FREE,      /* nobody has claimed the generation */
    LEDGER_CLAIMED,   /* a transaction holds the claim */
    LEDGER_SENT,      /* and has sent COMMIT; nobody knows what became of it */
    LEDGER_COMMITTED, /* the result is there */
    LEDGER_VOID,      /* it can never commit */
    LEDGER_PARTLY,    /* claimed and left without a result (transaction: false) */
};
struct ledger_row {
    int64_t generation;
    enum ledger_state state;
    const struct attempt *holder;
    int commits;
    int order; /* in which generations of the task began to claim; 0 = none has */
    struct ledger_row *next;
};

/* ---- rows ------------------------------------------------------------------------------------ */

struct row_task {
    struct row_run *run;
    int number;                           /* of its id: "t7" */
    int32_t map_index;                    /* -1 = the task's own */
    struct row_task *mapped[MAPPED_ROWS]; /* of the task's own row: by map index */
    bool in_store, is_live;
    struct task_record durable, live;
    struct ledger_row *ledger;
    int generations;   /* that have begun to claim */
    int lost;          /* answers to COMMIT */
    bool awaits_event; /* in the event under way: it has succeeded, and has an outlet */
};

struct row_run {
    struct sim_dag *dag;
    bool in_store, is_live;
    struct run_record durable, live;
    struct row_task *tasks[TASKS_IN_DAG_MAX];
    int active;         /* attempts, by what was decided */
    bool keeps_version; /* a clear with same_version named it */
};

/* An update of an asset; its number is its place in sim.events. */
struct row_event {
    bool in_store;
    int asset;
    uint32_t queued_for; /* DAGs, by number */
};

/* What is queued of an asset for a DAG. */
struct row_queue {
    bool in_store, is_live;
    struct asset_queue_record durable, live;
    int64_t durable_until, live_until; /* events that its runs have consumed */
};

struct row_backfill {
    bool in_store, is_live;
    struct backfill_record durable, live;
};

/* ---- attempts -------------------------------------------------------------------------------- */

enum attempt_stage {
    STAGE_NONE,    /* decided; the executor does not know of it */
    STAGE_HANDED,  /* about to connect, or to be spawned */
    STAGE_RUNNING, /* */
    STAGE_LANDING, /* its end is told; its COMMIT is on the way */
    STAGE_OVER,
};
struct attempt {
    struct due due; /* DUE_ATTEMPT */
    struct attempt_id id;
    struct row_task *task;
    const struct task *def; /* of the version that was started; kept by the episode */
    const char *connection, *pool;
    int pool_slots;
    bool is_sql;  /* it claims and commits in the ledger */
    bool is_head; /* it finds out the values of a mapped task */
    bool is_sensor;
    bool triggers;                        /* its success is an order for a run */
    bool in_store, ended_in_store, ended; /* ended: by what was decided */
    int looks;                            /* of a sensor, that are over */
    int64_t generation, void_generation;
    int32_t try_number, number;
    bool fresh, void_before, cancelled;
    enum attempt_stage stage;
    int owner; /* the epoch of the daemon whose connection, or watch, it has */
    struct ledger_row *row;
    struct attempt_result result;
};

/* Something on its way to a daemon. */
struct message {
    struct due due; /* DUE_MESSAGE */
    enum event_kind kind;
    int epoch;
    struct attempt *attempt;
    int64_t generation; /* void */
    struct attempt_result result;
    struct message *next_free;
};

/* ---- DAGs ------------------------------------------------------------------------------------ */

struct sim_dag {
    int number;
    char dag_id[16];
    VEC(const struct dag *) versions;
    VEC(struct row_run *) runs; /* by logical date; of any view */
    bool in_store, is_live;
    struct dag_record durable, live;
    /* of all versions */
    const char *schedule;
    int hour, minute; /* of a daily schedule; -1: another one */
    const struct zone *zone;
    int64_t start_us, end_us;
    const char *start_text, *end_text;
    enum catchup catchup;
    bool uses_past, gone, touched; /* file is gone; paused, removed or acted on by hand */
    uint64_t sql, sensors, transactional, always_past;
    uint64_t upstream[TASKS_IN_DAG_MAX]; /* of the newest version */
    enum trigger_rule rule[TASKS_IN_DAG_MAX];
    enum task_kind kind[TASKS_IN_DAG_MAX];
    uint64_t setup, teardown, mapped;
    uint64_t outlets; /* tasks that update an asset of the DAG's two */
    uint32_t task_count;
    const struct asset_expr *assets; /* that it is scheduled on; of DAGs of lower numbers */
    struct names asset_names;
    struct row_queue queues[ASSETS];
    int starts_while_backfill_waits;
    int64_t backfill_cursors; /* of those that wait, as one number */
    bool backfill_moved;      /* in the event under way */
    bool run_started;         /* in the event under way, at one of the DAG's places */
};

/* ---- daemons --------------------------------------------------------------------------------- */

struct batch {
    struct due due; /* DUE_BATCH */
    struct daemon *owner;
    struct plan plan;
    int64_t number;
    bool durable, fails;
    size_t released; /* effects: it is `writing` until all of them are */
};

struct daemon {
    int epoch;
    struct scheduler *scheduler;
    struct plan plan; /* what the next batch will be */
    struct batch *writing;
    int64_t next_batch;
    struct due turn; /* DUE_TURN: a plan waits to be handed over */
};

/* ---- the episode ----------------------------------------------------------------------------- */

struct trace_line {
    int64_t step, wall_us;
    const char *what;
    int64_t run;
    int dag, task, map_index, from, to;
    int64_t generation, detail;
};

struct sim {
    uint64_t seed, random;
    enum episode kind;
    int64_t until_step; /* 0 = to the end */
    int64_t follow;     /* the run of which everything is printed; 0 = none */
    bool calm;          /* liveness: nothing goes wrong any more */
    int64_t step, calm_step;
    int64_t started_us; /* mono: when the leader began */
    struct arena *arena;
    struct instant now;
    int64_t end_us; /* wall: last logical dates are before it */
    struct heap clock;
    uint64_t sequence;
    struct due look; /* DUE_LOOK: a daemon looks at the clock at least once a minute */

    struct sim_dag dags[DAGS_IN_PROJECT_MAX];
    int dag_count, version_count;
    int pool_slots[POOLS], pool_used[POOLS];
    int connection_slots[CONNECTIONS], connection_used[CONNECTIONS];
    int process_slots, process_used;

    /* the store */
    int epoch; /* of its leader */
    int64_t last_batch;
    VEC(struct row_run *) runs;           /* by id */
    VEC(struct row_backfill *) backfills; /* by id */
    VEC(bool) requests;                   /* by number: it is in the store */
    VEC(struct row_event) events;         /* by id: 0 is none */
    int awaited_events;
    int64_t next_request;

    struct daemon *leader, *former; /* the former one is on its way out */
    struct map *attempts;           /* by UUID */
    VEC(struct attempt *) open;     /* that are not ended for good */
    struct message *free_messages;
    int64_t crashes_left;
    int64_t wait_bound_us; /* steady: for a ready task */

    int64_t instances, decisions, crashes, commits; /* what was done */
    struct trace_line trace[TRACE_SIZE];
    size_t traced;
};

/* ---- random choices (main.c) ----------------------------------------------------------------- */

uint64_t sim_random(struct sim *sim);
uint64_t sim_pick(struct sim *sim, uint64_t below);
bool sim_chance(struct sim *sim, uint64_t of_thousand);
/* A number that depends on nothing but its arguments and the seed. */
uint64_t sim_hash(const struct sim *sim, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

/* ---- time (main.c) --------------------------------------------------------------------------- */

void sim_at(struct sim *sim, struct due *due, int64_t delay_us);
void sim_never(struct sim *sim, struct due *due);
void sim_trace(struct sim *sim, const struct trace_line *line);
void sim_trace_task(struct sim *sim, const char *what, const struct row_task *task, int from,
    int to, int64_t detail);
/* Prints the violation, the trace of its DAG, and how to see it again; does not return. */
struct invariant;
void sim_violation(struct sim *sim, const struct invariant *invariant, int dag)
    __attribute__((noreturn));

/* ---- project.c ------------------------------------------------------------------------------- */

void project_make(struct sim *sim);
void project_done(struct sim *sim);
const struct dag *project_newest(const struct sim_dag *dag);
/* The version that a run's row names; NULL: its files were not kept. */
const struct dag *project_kept_version(const struct sim *sim, const struct row_run *run);
/* A new version: other settings, or another graph too. */
void project_new_version(struct sim *sim, struct sim_dag *dag, bool other_graph);
int task_number(const char *task_id);
const char *task_name(int number); /* kept for ever */
int pool_number(const char *pool);
int connection_number(const char *connection);
int asset_number(const char *asset); /* of "a7" */
/* Which DAG a task that triggers wants, -1 = none, and whether it waits: the same in all versions.
 */
int project_target(const struct sim *sim, const struct sim_dag *dag, int task);
bool project_waits(const struct sim *sim, const struct sim_dag *dag, int task);
/* The settings of a sensor are the same in all versions. */
struct wait_task project_wait(const struct sim *sim, const struct sim_dag *dag, int task);

/* ---- store.c --------------------------------------------------------------------------------- */

/* Takes the changes of a plan from `from` on into the live view: they were decided. */
void store_decide(struct sim *sim, const struct plan *plan, size_t from);
/* Makes them durable; false: the store refuses the batch, which is another leader's. */
bool store_commit(struct sim *sim, struct batch *batch);
/* The live view is the durable one again. */
void store_forget_undurable(struct sim *sim);
struct row_run *store_run(struct sim *sim, struct run_id id);
struct row_run *store_run_at(const struct sim_dag *dag, int64_t logical_us);
struct row_task *store_task(
    struct sim *sim, struct run_id run, const char *task_id, int32_t map_index);
/* The rows of a run, each task's own before its indexes; NULL gives the first, and ends. */
struct row_task *row_after(const struct row_run *run, const struct row_task *task);
#define row_each(task, run)                                                                        \
    for (struct row_task *task = row_after(run, NULL); task; task = row_after(run, task))
struct row_backfill *store_backfill(struct sim *sim, int64_t id);
struct sim_dag *store_dag(struct sim *sim, const char *dag_id);

/* ---- ledger.c -------------------------------------------------------------------------------- */

struct ledger_row *ledger_row_of(struct sim *sim, struct row_task *task, int64_t generation);
struct ledger_row *ledger_find(const struct row_task *task, int64_t generation);
/* Claims for an attempt, ending what holds it; gives the state that it met: FREE means claimed. */
enum ledger_state ledger_claim(struct sim *sim, struct attempt *attempt);
void ledger_commit(struct sim *sim, struct attempt *attempt);
void ledger_rollback(struct attempt *attempt, enum ledger_state left);
/* COMMIT is sent and the answer lost: what comes of it is known later. */
void ledger_send(struct attempt *attempt);
void ledger_land(struct sim *sim, struct attempt *attempt);
/* Ends whatever holds the claim, then inserts the void one; gives the state after that. */
enum ledger_state ledger_void(struct sim *sim, struct ledger_row *row);
void ledger_settle(struct sim *sim, struct ledger_row *row);

/* ---- executor.c ------------------------------------------------------------------------------ */

struct attempt *attempt_find(struct sim *sim, const char *uuid);
/* How many values the expansion of a generation gives, which never changes, and one of them. */
size_t expansion_count(const struct sim *sim, const struct row_task *head, int64_t generation);
const char *expansion_value(struct sim *sim, int64_t generation, int32_t map_index);
void attempt_decided(struct sim *sim, const struct effect *effect);
void attempt_set_ended(struct sim *sim, struct attempt *attempt, bool ended);
void attempt_reload(struct sim *sim, struct attempt *attempt);
void executor_start(struct sim *sim, struct daemon *by, const struct effect *effect);
void executor_cancel(struct sim *sim, const struct effect *effect);
void executor_void(struct sim *sim, struct daemon *by, const struct effect *effect);
void executor_recover(struct sim *sim, struct daemon *by, struct attempt *attempt);
void executor_attempt_due(struct sim *sim, struct attempt *attempt);
/* A daemon is gone: its connections with it. */
void executor_lose(struct sim *sim, int epoch);
void message_due(struct sim *sim, struct message *message);

/* ---- daemon.c -------------------------------------------------------------------------------- */

void daemon_start(struct sim *sim);
void daemon_free(struct sim *sim, struct daemon *daemon);
void daemon_event(struct sim *sim, struct daemon *daemon, const struct event *event);
void daemon_turn(struct sim *sim, struct daemon *daemon);
void daemon_batch_due(struct sim *sim, struct batch *batch);
/* Makes all that was decided durable and acts on it, as before every act from outside. */
bool daemon_settle(struct sim *sim, struct daemon *daemon);
void daemon_load_run(struct sim *sim, struct daemon *daemon, const struct row_run *run);
void daemon_load_past(struct daemon *daemon, const struct sim_dag *dag);
/* The leader's process is gone, and another one starts. */
void daemon_crash(struct sim *sim);
/* Another leader takes over while the old one does not know it yet. */
void daemon_take_over(struct sim *sim);

/* ---- acts.c, faults.c ------------------------------------------------------------------------ */

void acts_one(struct sim *sim);
void act_set_paused(struct sim *sim, struct sim_dag *dag, bool pause);
void act_trigger(struct sim *sim, struct sim_dag *dag, int64_t logical_us);
void act_backfill(struct sim *sim, struct sim_dag *dag, struct backfill_record range);
void act_mark_run(struct sim *sim, struct row_run *run, enum task_state state);
void act_adopt(struct sim *sim, struct sim_dag *dag);
void faults_maybe(struct sim *sim);

/* ---- main.c ---------------------------------------------------------------------------------- */

/* Plays an episode; gives the final states as text, when asked for (mem_free). */
void sim_play(struct sim *sim, char **ret_states);

#endif
