/*
 * What would happen: plays runs of a DAG in virtual time with given outcomes, through
 * scheduler_apply itself.  Nothing is started, read or written.
 */
#ifndef SCHEDULER_SIMULATE_H
#define SCHEDULER_SIMULATE_H

#include "scheduler/scheduler.h"

/* What running a task would end in, retries used up: TASK_SUCCESS, TASK_FAILED or TASK_SKIPPED. */
struct simulate_outcome {
    const char *task_id;
    enum task_state state;
    /* Of a success that decides what follows: what a branch gives ("a, b"), or a short circuit or
       latest_only ("no").  NULL: all goes on; of latest_only, as the virtual clock says. */
    const char *choice;
};

struct simulate_options {
    const struct simulate_outcome *outcomes; /* a task that is not named succeeds */
    size_t outcome_count;
    int64_t from_us, to_us;   /* logical dates, both inclusive; TIME_NONE: one run (see below) */
    int64_t now_us;           /* virtual wall time at the start */
    int64_t task_duration_us; /* how long each attempt takes, but expansions, which take no time;
                                 0 = one second */
};

/* A mapped task has as many instances as its lists in the DAG file make, and one for each value
   that only a run knows; its state is that of the one that decides: failed before success. */
struct simulated_task {
    const char *task_id;
    enum task_state state;
    enum reason reason;
    const char *reason_text;
    int32_t attempts;
    int32_t instances;            /* of a mapped task that was expanded; 0 = none */
    int64_t started_us, ended_us; /* virtual; TIME_NONE when it never ran */
};
struct simulated_run {
    const char *run_id;
    int64_t logical_us, interval_start_us, interval_end_us;
    enum run_state state;
    enum reason reason;
    const char *reason_text;
    int64_t started_us, ended_us;
    const struct simulated_task *tasks; /* in the file's order */
    size_t task_count;
};
struct simulation {
    const struct simulated_run *runs; /* in the order of logical dates */
    size_t run_count;
    bool unfinished; /* runs that wait for ever (depends_on_past on a failed task) are among them */
};

/*
 * Plays the run that `dag trigger` would make at `now_us`, or, with from_us and to_us, the runs
 * that `dag backfill` would make.  An outcome for a task that the DAG does not have is
 * ERR_NOT_FOUND, with the nearest name as a hint; a choice that it cannot make is refused, too;
 * more than SIMULATED_RUNS_MAX runs are ERR_LIMIT. The result is in `arena`.
 */
enum status simulate(const struct dag *dag, const struct simulate_options *options,
    struct arena *arena, struct simulation *ret, struct error *err) MUST_CHECK;

/* What an expansion gives as far as it is known without running it: an instance for each value that
   stands in the DAG's file, one where only a run knows them. */
void simulated_expansion(
    const struct expand *expand, struct arena *arena, struct attempt_result *ret);

/* A run as `dag simulate --json` prints it, one line without its end: {"run_state": …,
   "tasks": {task_id: state}}, after "run_id" and "logical_date" when `with_run`. */
void simulated_run_json(const struct simulated_run *run, bool with_run, struct strbuf *out);

#endif
