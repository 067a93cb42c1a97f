/*
 * What a whole project would do over a period: its schedules, its pools and connections with their
 * real slots, each task as long as it is said to take, in virtual time through scheduler_apply
 * itself.  Every attempt succeeds.  Nothing is started, read or written.
 */
#ifndef SCHEDULER_FORECAST_H
#define SCHEDULER_FORECAST_H

#include "scheduler/scheduler.h"

enum { FORECAST_COLUMNS = 48 }; /* in which the use of slots is told */

struct forecast_options {
    const struct dag *const *dags; /* paused ones are left out */
    size_t dag_count;
    const struct slots_setting *pools, *connections;
    size_t pool_count, connection_count;
    int max_processes;
    int64_t from_us, to_us; /* runs that may start in (from, to] are played, to their end */
    /* How long an attempt takes, more than 0. */
    int64_t (*duration_us)(void *context, const struct dag *dag, const struct task *task);
    void *context;
};

struct forecast_run {
    const char *dag_id, *run_id;
    int64_t logical_us, due_us, started_us, ended_us; /* TIME_NONE: it never does */
    enum run_state state;
};

/* A pool, a connection that is limited, or the processes. */
struct forecast_slots {
    const char *kind, *name;
    int total, most; /* slots in use */
    int most_waiting;
    double use[FORECAST_COLUMNS]; /* mean slots in use in each part of [from, until) */
};

struct forecast {
    const struct forecast_run *runs; /* in the order in which they are due, then by DAG */
    size_t run_count;
    const struct forecast_slots *slots;
    size_t slots_count;
    int64_t until_us; /* the end of the last run, at least to_us */
};

/* The result is in `arena`.  More than SIMULATED_RUNS_MAX runs are ERR_LIMIT. */
enum status forecast(const struct forecast_options *options, struct arena *arena,
    struct forecast *ret, struct error *err) MUST_CHECK;

#endif
