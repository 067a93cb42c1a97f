/*
 * Retries: which failures are worth another attempt, and when it is made.
 */
#ifndef SCHEDULER_RETRY_H
#define SCHEDULER_RETRY_H

#include "definition/model/model.h"
#include "scheduler/plan.h"

/*
 * Whether the failure is one that another attempt may help.  By default every failure is but the
 * hopeless ones: SQLSTATE classes 0A, 22, 23, 28, 2B, 3D, 3F, 42 and 54, exit codes 126 and 127,
 * HTTP statuses but 408, 429 and 5xx, and template errors.  `retry_on` (SQLSTATEs, two-character
 * classes, exit codes, HTTP statuses, or "all") replaces that.  A connection that failed without a
 * SQLSTATE counts as class 08, a timeout as 57014.
 */
bool retry_helps(const struct task *task, const struct attempt_result *result);

/*
 * Microseconds from the end of attempt `try_number` (from 1) to the next one, as Airflow: the
 * task's retry_delay; with exponential back-off by m, lower = ceil(retry_delay × m^(try−1)) and the
 * delay is lower + (hash of DAG, task, logical date and try) mod lower, at most max_retry_delay
 * (a day without one).  So jitter is the same whenever it is asked for.
 */
int64_t retry_delay_us(
    const char *dag_id, const struct task *task, int64_t logical_us, int32_t try_number);

/* The same when the server asked to be left alone for `asked_us`: the longer of the two, as far as
   max_retry_delay goes. */
int64_t retry_wait_us(const char *dag_id, const struct task *task, int64_t logical_us,
    int32_t try_number, int64_t asked_us);

/*
 * Microseconds from look `looks` (from 1) of a sensor to its next one: its poke_interval (a second
 * at least); with exponential_backoff as retry_delay_us has it with the factor 2, at most a day.
 */
int64_t poke_delay_us(
    const char *dag_id, const struct task *task, int64_t logical_us, int32_t looks);

#endif
