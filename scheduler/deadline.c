/* Deadlines of runs and tasks: known when they start, noted once when they are missed. */
#include <stdlib.h>
#include "language/timetable/timetable.h"
#include "scheduler/internal.h"

/* ---- what is typical ---- */

static struct durations *durations_find(struct live_dag *dag, const char *task_id)
{
    vec_each (d, &dag->durations)
        if (str_equal(d->task_id, task_id))
            return d;
    return NULL;
}

static bool is_typical(const struct live_dag *dag, const char *task_id)
{
    const struct dag *version = dag->newest ? dag->newest->dag : NULL;
    if (!version || !version->uses_durations)
        return false;
    const struct task *task = task_id ? dag_find_task(version, task_id) : NULL;
    const struct deadline *deadline =
        task_id ? (task ? &task->deadline : NULL) : &version->deadline;
    return deadline && deadline->kind == DEADLINE_TYPICAL;
}

static void remember(struct scheduler *s, struct live_dag *dag, const char *task_id, int64_t us)
{
    if (us < 0 || !is_typical(dag, task_id))
        return;
    struct durations *d = durations_find(dag, task_id);
    if (!d) {
        d = vec_add(&dag->durations);
        *d = (struct durations){.task_id = keep(s, task_id)};
    }
    d->us[d->next] = us;
    d->next = (d->next + 1) % DURATIONS_MAX;
    d->count += d->count < DURATIONS_MAX;
}

enum status scheduler_load_durations(struct scheduler *s, const char *dag_id,
    const struct past_duration *at, size_t count, struct error *err)
{
    struct live_dag *dag = dag_find(s, dag_id);
    if (!dag)
        return error_set(err, ERR_NOT_FOUND, "DAG `%s` is not loaded", dag_id);
    vec_clear(&dag->durations);
    for (size_t n = 0; n < count; n++)
        remember(s, dag, at[n].task_id, at[n].us);
    return OK;
}

static int compare_us(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* TIME_NONE while too few are known. */
static int64_t median_us(struct live_dag *dag, const char *task_id)
{
    const struct durations *d = durations_find(dag, task_id);
    if (!d || d->count < DURATIONS_MIN)
        return TIME_NONE;
    int64_t sorted[DURATIONS_MAX];
    memcpy(sorted, d->us, d->count * sizeof *sorted);
    qsort(sorted, d->count, sizeof *sorted, compare_us);
    return (sorted[(d->count - 1) / 2] + sorted[d->count / 2]) / 2;
}

static int64_t longest_us(const struct run *run, const struct instance *head)
{
    int64_t longest = -1;
    for (struct instance *i = (struct instance *)head; i && i->task == head->task;
         i = run_after(run, i))
        if (i->state == TASK_SUCCESS && i->started_us != TIME_NONE &&
            i->ended_us - i->started_us > longest)
            longest = i->ended_us - i->started_us;
    return longest;
}

void deadline_run_ended(struct scheduler *s, struct run *run)
{
    wake_stop(s, &run->deadline);
    if (run->state != RUN_SUCCESS || run->started_us == TIME_NONE || !run->dag->newest ||
        !run->dag->newest->dag->uses_durations)
        return;
    remember(s, run->dag, NULL, run->ended_us - run->started_us);
    for (uint32_t n = 0; n < run->task_count; n++)
        remember(s, run->dag, run->tasks[n]->task->task_id, longest_us(run, run->tasks[n]));
}

/* ---- when it is ---- */

/* Whether a deadline that counts from the logical date is the run's: always when it was still ahead
   when the run was made or cleared, and for what the schedule or assets made of the newest data.  A
   date of long ago that is made up, by hand, by a backfill or by catch-up, is late by its nature.
 */
static bool counts_from_logical(const struct run *run, int64_t deadline_us)
{
    struct timetable_run newest;
    const struct dag *version = run->dag->newest ? run->dag->newest->dag : NULL;
    if (deadline_us > run->queued_us || run->type == RUN_TYPE_ASSET)
        return true;
    return run->type == RUN_TYPE_SCHEDULED && version && version->timetable &&
           !(timetable_latest(version->timetable, run->queued_us, &newest) &&
               newest.logical_us > run->logical_us);
}

static int64_t after(int64_t from_us, int64_t us)
{
    int64_t sum;
    return __builtin_add_overflow(from_us, us, &sum) ? TIME_NONE : sum;
}

static int64_t typical_us(struct run *run, const char *task_id, double factor, int64_t started_us)
{
    int64_t median = median_us(run->dag, task_id);
    if (median == TIME_NONE)
        return TIME_NONE;
    double us = (double)median * factor;
    int64_t wait_us = us < (double)INT64_MAX / 4 ? (int64_t)us : INT64_MAX / 4;
    return after(started_us, wait_us > TYPICAL_MIN_US ? wait_us : TYPICAL_MIN_US);
}

/* `started_us` TIME_NONE: it has not started; TIME_NONE when no deadline is known. */
static int64_t find_deadline(
    struct run *run, const struct deadline *deadline, const char *task_id, int64_t started_us)
{
    int64_t us = TIME_NONE;
    switch (deadline->kind) {
    case DEADLINE_NONE: break;
    case DEADLINE_LOGICAL:
        us = after(run->logical_us, deadline->after_us);
        return us != TIME_NONE && counts_from_logical(run, us) ? us : TIME_NONE;
    case DEADLINE_START:
        return started_us == TIME_NONE ? TIME_NONE : after(started_us, deadline->after_us);
    case DEADLINE_TYPICAL:
        return started_us == TIME_NONE ? TIME_NONE
                                       : typical_us(run, task_id, deadline->factor, started_us);
    }
    return us;
}

/* ---- waiting for it ---- */

static bool task_is_pending(const struct instance *i)
{
    return i->deadline_us != TIME_NONE && i->deadline_missed_us == TIME_NONE &&
           !task_state_finished(i->state);
}

static bool run_is_pending(const struct run *run)
{
    return run->deadline_us != TIME_NONE && run->deadline_missed_us == TIME_NONE &&
           !run_state_finished(run->state);
}

static void arm(struct scheduler *s, struct run *run, int64_t wall_us)
{
    int64_t due_us = mono_of_wall(s, wall_us);
    if (!run->deadline.entry.slot || run->deadline.entry.due > due_us)
        wake_set(s, &run->deadline, due_us);
}

static void arm_next(struct scheduler *s, struct run *run)
{
    int64_t next_us = run_is_pending(run) ? run->deadline_us : INT64_MAX;
    if (run->tasks)
        run_each (i, run)
            if (task_is_pending(i) && i->deadline_us < next_us)
                next_us = i->deadline_us;
    if (next_us != INT64_MAX)
        arm(s, run, next_us);
}

static void set_task(struct scheduler *s, struct instance *i, int64_t started_us)
{
    int64_t us = find_deadline(i->run, &i->task->deadline, i->task->task_id, started_us);
    if (us == TIME_NONE)
        return;
    i->deadline_us = us;
    task_changed(s, i);
    if (task_is_pending(i))
        arm(s, i->run, us);
}

static void set_run(struct scheduler *s, struct run *run, const struct dag *version)
{
    int64_t us = find_deadline(run, &version->deadline, NULL, run->started_us);
    if (us == TIME_NONE)
        return;
    run->deadline_us = us;
    run_changed(s, run);
    if (run_is_pending(run))
        arm(s, run, us);
}

void deadline_run_made(struct scheduler *s, struct run *run)
{
    const struct dag *version = run->dag->newest->dag;
    if (version->deadline.kind == DEADLINE_LOGICAL)
        set_run(s, run, version);
}

void deadline_run_cleared(struct scheduler *s, struct run *run)
{
    const struct dag *version = run->shape ? run->shape->dag : NULL;
    if (!version && run->dag->newest)
        version = run->dag->newest->dag;
    wake_stop(s, &run->deadline);
    if (!version || version->deadline.kind != DEADLINE_LOGICAL)
        run->deadline_us = run->deadline_missed_us = TIME_NONE;
    arm_next(s, run);
}

void deadline_run_started(struct scheduler *s, struct run *run)
{
    const struct dag *version = run->shape->dag;
    if (!version->has_deadlines)
        return;
    bool logical = version->deadline.kind == DEADLINE_LOGICAL;
    if (!logical)
        run->deadline_us = run->deadline_missed_us = TIME_NONE;
    if (!logical || run->deadline_us == TIME_NONE)
        set_run(s, run, version);
    run_each (i, run)
        if (i->task->deadline.kind == DEADLINE_LOGICAL && i->deadline_us == TIME_NONE)
            set_task(s, i, TIME_NONE);
    arm_next(s, run);
}

void deadline_task_started(struct scheduler *s, struct instance *i)
{
    enum deadline_kind kind = i->task->deadline.kind;
    if (kind != DEADLINE_NONE && i->deadline_us == TIME_NONE)
        set_task(s, i, i->started_us);
}

void deadline_task_waits(struct scheduler *s, struct instance *i)
{
    if (i->task->deadline.kind == DEADLINE_LOGICAL && i->deadline_us == TIME_NONE)
        set_task(s, i, TIME_NONE);
    else if (task_is_pending(i))
        arm(s, i->run, i->deadline_us);
}

void deadline_task_cleared(struct instance *i)
{
    if (i->task->deadline.kind != DEADLINE_LOGICAL)
        i->deadline_us = i->deadline_missed_us = TIME_NONE;
}

/* An attempt that went on without us may have ended in time: it is asked first. */
void deadline_resume(struct scheduler *s, struct run *run)
{
    if (PLANTED(DEADLINE_LOST))
        return;
    arm_next(s, run);
    int64_t grace_us = s->now.mono_us + DEADLINE_RESUME_US;
    if (run->active && run->deadline.entry.slot && run->deadline.entry.due < grace_us)
        wake_set(s, &run->deadline, grace_us);
}

void deadline_clock_moved(struct scheduler *s, struct run *run)
{
    if (!run->deadline.entry.slot)
        return;
    wake_stop(s, &run->deadline);
    arm_next(s, run);
}

/* ---- missed ---- */

static void tell(struct scheduler *s, struct run *run, const char *task_id, int32_t map_index,
    int64_t deadline_us)
{
    struct effect *effect = emit_effect(s, EFFECT_DEADLINE_MISSED, run);
    effect->task_id = in_plan(s, task_id);
    effect->map_index = map_index;
    effect->deadline_us = deadline_us;
}

void deadline_due(struct scheduler *s, struct run *run)
{
    int64_t now_us = s->now.wall_us;
    if (run_is_pending(run) && run->deadline_us <= now_us) {
        run->deadline_missed_us = now_us;
        run_changed(s, run);
        tell(s, run, NULL, -1, run->deadline_us);
    }
    if (run->tasks)
        run_each (i, run)
            if (task_is_pending(i) && i->deadline_us <= now_us) {
                i->deadline_missed_us = now_us;
                task_changed(s, i);
                tell(s, run, i->task->task_id, i->map_index, i->deadline_us);
            }
    arm_next(s, run);
}
