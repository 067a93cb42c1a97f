/*
 * Slots and queues: which ready task starts next.
 *
 * A task needs `pool_slots` of its pool, one of its connection (sql tasks) and one of the process
 * limit (process tasks).  It starts only when all of them are free and no cap of its DAG or run
 * forbids it; until then it is `scheduled`, with the reason.
 *
 * Lanes.  Ready tasks with the same needs (pool, slots, connection, process) wait in one lane, so
 * that what holds for the head of a lane holds for all of it: a full connection never blocks tasks
 * of another one behind it.  There are few lanes: combinations that DAGs use.  When slots are
 * freed, only the lanes that need them are looked at.
 *
 * Order, per pool.
 *  1. Service classes: fresh scheduled work, work by hand, retries, backfills.  They are shares,
 * not ranks: while several wait, the slots given out are in the proportion CLASS_WEIGHT.
 *  2. Within a class, DAGs of higher `priority` come first.
 *  3. DAGs of equal priority share slots evenly: the one that is furthest behind goes first.  That
 * is deficit round-robin kept as one number, the slots a DAG was given so far; a DAG that was idle
 *     starts level with the one served last, so that nobody saves up turns.
 *  4. Within a DAG the greater weight, then the earlier logical date, then the order in the file.
 *
 * Large tasks.  A task that needs more slots than are free is passed by; when tasks behind it in
 * this order have been given as many slots as the pool has, the pool is reserved for its lane: what
 * is freed stays free until it fits.  So a stream of small tasks delays it by about one turnover of
 * the pool, never for ever.
 *
 * Caps.  A task that a cap forbids (max_active_tasks of its run, max_active_tis_per_dag, for the
 * instances of a mapped task max_active_tis_per_dagrun, or its DAG is paused) is parked at that
 * cap, out of the lanes, and comes back when the cap is released: one task a lane for each release,
 * because the best one may wait for other slots still.
 */
#ifndef SCHEDULER_SLOTS_H
#define SCHEDULER_SLOTS_H

#include "base/heap.h"
#include "base/vec.h"
#include "scheduler/plan.h"

struct scheduler;
struct live_dag;
struct instance;
struct run;

enum service_class { CLASS_FRESH, CLASS_MANUAL, CLASS_RETRY, CLASS_BACKFILL, SERVICE_CLASS_COUNT };

/* A pool, a connection's max_connections or the process limit. */
struct slots {
    const char *kind; /* static: "pool", "connection", "processes" */
    char *name;
    int total, used, waiting;
    VEC(struct lane *) lanes; /* that need it */
    bool dirty;               /* in the scheduler's list of those to look at */
    /* pools only */
    struct lane *reserved; /* what is freed is kept for this lane */
    uint64_t class_given[SERVICE_CLASS_COUNT], class_floor, dag_floor;
    uint32_t class_waiting[SERVICE_CLASS_COUNT];
};

struct lane {
    struct slots *pool, *connection, *processes; /* the last two may be NULL */
    int need;
    int passed_by;   /* slots given to tasks behind its first one while it did not fit */
    uint64_t served; /* when it was served last, in starts of all lanes */
    struct heap dags[SERVICE_CLASS_COUNT]; /* of lane_dag.in_class: priority, then slots given */
    size_t waiting;
};

/* What a DAG was given of a pool. */
struct account {
    struct slots *pool;
    uint64_t given;
};

/* A DAG's ready tasks in a lane. */
struct lane_dag {
    struct lane *lane;
    struct live_dag *dag;
    struct account *account;
    struct heap tasks[SERVICE_CLASS_COUNT]; /* of instance.entry */
    struct heap_entry in_class[SERVICE_CLASS_COUNT];
};

/* Tasks that wait for a cap, by lane. */
struct parked_lane {
    struct lane *lane;
    struct heap tasks;
};
struct parking {
    VEC(struct parked_lane *) lanes;
};
void parking_done(struct parking *parking);

enum cap { CAP_NONE, CAP_PAUSED, CAP_RUN, CAP_TASK, CAP_MAPPED };

struct slots *slots_find(struct scheduler *s, const char *kind, const char *name);
void slots_set(struct scheduler *s, const char *kind, const char *name, int total);
void slots_free(struct slots *slots);
void lane_free(struct lane *lane);
void lane_dag_free(struct lane_dag *place);

/* A task is ready: it queues in its lane.  No-op when it is there already. */
void slots_enqueue(struct scheduler *s, struct instance *i);
/* It does not wait any more (cleared, cancelled …): its turn under a cap goes to the next one.
   No-op when it does not. */
void slots_dequeue(struct scheduler *s, struct instance *i);
/* Its weight, needs or class may have changed. */
void slots_requeue(struct scheduler *s, struct instance *i);
/* Counts an attempt that was under way at load as holding what it needs. */
void slots_hold(struct scheduler *s, struct instance *i);
/* Gives back what its attempt held. */
void slots_release(struct scheduler *s, struct instance *i);
/* Brings back what the cap parked; all of it when the cap is gone. */
void parking_release(struct scheduler *s, struct parking *parking, bool all);
/* Have a look at all of them: their numbers have changed. */
void slots_touch_all(struct scheduler *s);
/* Starts what can start on the slots that were touched; false when none was. */
bool slots_dispatch(struct scheduler *s);
/* Why a waiting task waits now. */
enum reason slots_reason(const struct scheduler *s, const struct instance *i);

#endif
