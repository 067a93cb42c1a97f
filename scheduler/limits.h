/* Ceilings and fixed times of the scheduler. */
#ifndef SCHEDULER_LIMITS_H
#define SCHEDULER_LIMITS_H

#include "base/clock.h"

enum {
    /* DAGs known at once.  Each costs about 1 KB beside its definition. */
    DAGS_MAX = 20000,
    /* Live runs, queued ones included.  Each costs about 1 KB until it starts. */
    RUNS_MAX = 100000,
    /* Live task instances.  Each costs about half a KB: half a GB at the ceiling.  A run that would
       go over it waits. */
    INSTANCES_MAX = 1000000,
    /* Backfills under way. */
    BACKFILLS_MAX = 1000,
    /* Scheduled runs of a DAG that wait for max_active_runs; further ones are made when these have
       started, so that years of catch-up are not a hundred thousand rows at once. */
    RUNS_QUEUED_AHEAD_MAX = 16,
    /* Dates that one event deals with for a DAG's schedule, and for a backfill; what is left goes
       on with the next tick, which is due at once, so that other DAGs get their turn. */
    SCHEDULE_STEP_MAX = 64,
    BACKFILL_STEP_MAX = 64,
    /* Dates that a dry run of a backfill counts and names. */
    BACKFILL_COUNT_MAX = 100000,
    BACKFILL_NAMED_MAX = 1000,
    /* Runs that one clear, mark or cancel names. */
    REQUEST_RUNS_MAX = 10000,
    /* Finished runs remembered per DAG for depends_on_past: eleven years of daily ones. */
    PAST_RUNS_MAX = 4096,
    /* The same for DAGs in which nothing depends on the past yet: a new version may. */
    PAST_RUNS_UNUSED_MAX = 16,
    /* Losses after COMMIT was sent, and ends with the daemon, that cost no retry, per generation.
     */
    LOST_FREE_MAX = 3,
    INTERRUPTED_FREE_MAX = 10,
    /* Of every so many run starts of a DAG one is a backfill's while both kinds wait. */
    BACKFILL_RUN_SHARE = 4,
    /* Causes named in a reason's sentence. */
    CAUSES_NAMED_MAX = 3,
    /* Past durations of a run or task of which the median is taken, and how many there must be. */
    DURATIONS_MAX = 31,
    DURATIONS_MIN = 3,
    /* Runs that one simulation plays. */
    SIMULATED_RUNS_MAX = 10000,
};

/* A change of the wall clock against the monotonic one that is not believed at once, and how long
   schedules hold then. */
#define CLOCK_JUMP_US (5 * US_PER_MINUTE)
#define CLOCK_HOLD_US US_PER_MINUTE
/* A smaller one makes the schedules' timers be set anew. */
#define CLOCK_DRIFT_US (US_PER_SECOND / 2)
/* Between asking again whether an attempt in doubt can commit: doubled from the first to the last.
 */
#define VOID_RETRY_FIRST_US (10 * US_PER_SECOND)
#define VOID_RETRY_LAST_US (5 * US_PER_MINUTE)
/* Airflow's ceiling of max_retry_delay. */
#define RETRY_DELAY_MAX_US US_PER_DAY
/* A typical deadline is at least this long: what takes milliseconds varies by its own size. */
#define TYPICAL_MIN_US (10 * US_PER_SECOND)
/* After a start, attempts of before may still tell that they ended in time. */
#define DEADLINE_RESUME_US (5 * US_PER_SECOND)
/* Between two runs of @continuous, so that a DAG that ends at once does not spin. */
#define CONTINUOUS_GAP_US US_PER_SECOND

#endif
