/* The runs that a DAG makes by itself, and the turns of those that wait. */
#include "language/timetable/timetable.h"
#include "scheduler/internal.h"

/* ---- dates that have runs ---- */

static size_t dates_at(const struct live_dag *dag, int64_t logical_us)
{
    size_t low = 0, high = dag->dates.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (dag->dates.at[middle].logical_us < logical_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct known_date *dates_find(const struct live_dag *dag, int64_t logical_us)
{
    size_t at = dates_at(dag, logical_us);
    if (at == dag->dates.count || dag->dates.at[at].logical_us != logical_us)
        return NULL;
    return &dag->dates.at[at];
}

void dates_set(struct live_dag *dag, int64_t logical_us, enum run_state state)
{
    size_t at = dates_at(dag, logical_us);
    if (at == dag->dates.count || dag->dates.at[at].logical_us != logical_us) {
        (void)vec_add(&dag->dates);
        memmove(&dag->dates.at[at + 1], &dag->dates.at[at],
            (dag->dates.count - 1 - at) * sizeof(struct known_date));
        dag->dates.at[at].logical_us = logical_us;
    }
    dag->dates.at[at].state = state;
}

/* Without a backfill only dates that the schedule has yet to reach are asked for again. */
static void dates_forget(struct live_dag *dag)
{
    if (dag->backfills.count || dag->covered_until_us == TIME_NONE)
        return;
    size_t gone = dates_at(dag, dag->covered_until_us);
    if (gone < SCHEDULE_STEP_MAX)
        return;
    memmove(
        dag->dates.at, dag->dates.at + gone, (dag->dates.count - gone) * sizeof(struct known_date));
    dag->dates.count -= gone;
}

struct run *dag_live_run(const struct live_dag *dag, int64_t logical_us)
{
    size_t at = runs_at(dag, logical_us);
    if (at == dag->runs.count || dag->runs.at[at]->logical_us != logical_us)
        return NULL;
    return dag->runs.at[at];
}

/* ---- starting runs that wait ---- */

bool dag_may_start(const struct live_dag *dag, const struct run *run)
{
    bool asked_for =
        run->type == RUN_TYPE_MANUAL || run->type == RUN_TYPE_BACKFILL || run->backfill_id;
    return run->only_awaited ? run->waiter != NULL : asked_for || !dag->paused;
}

static int runs_max(const struct live_dag *dag)
{
    int max = dag->newest ? dag->newest->dag->max_active_runs : 1;
    return max > 0 ? max : 1;
}

/* Whether a later run holds its place without doing anything but wait for earlier ones: then the
   earlier one starts beyond the cap, or neither would ever go on. */
static bool holds_up_a_later_run(const struct live_dag *dag, const struct run *run)
{
    if (!dag->stalled)
        return false;
    for (size_t n = dag->runs.count; n-- > 0 && dag->runs.at[n]->logical_us > run->logical_us;)
        if (dag->runs.at[n]->stalled)
            return true;
    return false;
}

/* The one to start first: in the order in which they were made, or by date where tasks depend on
   the past. */
static struct run *first_startable(const struct live_dag *dag)
{
    bool by_date = dag->newest && dag->newest->dag->uses_past;
    struct run *first = NULL;
    for (size_t n = 0; n < dag->queued.count; n++) {
        struct run *run = dag->queued.at[n];
        if (!dag_may_start(dag, run))
            continue;
        if (!by_date)
            return run;
        if (!first || run->logical_us < first->logical_us)
            first = run;
    }
    return first;
}

static struct live_backfill *first_waiting_backfill(const struct live_dag *dag)
{
    for (size_t n = 0; n < dag->backfills.count; n++)
        if (!backfill_has_own_cap(dag->backfills.at[n]) && backfill_waits(dag->backfills.at[n]))
            return dag->backfills.at[n];
    return NULL;
}

/* Gives the free places among the DAG's running runs: in the order in which runs were made, and one
   in BACKFILL_RUN_SHARE to a backfill while both wait. */
static void start_runs(struct scheduler *s, struct live_dag *dag)
{
    for (int steps = 0; steps < BACKFILL_STEP_MAX && dag->running < runs_max(dag); steps++) {
        struct run *run = first_startable(dag);
        struct live_backfill *b = first_waiting_backfill(dag);
        bool turn = b && (!run || dag->starts % BACKFILL_RUN_SHARE == BACKFILL_RUN_SHARE - 1);
        turn &= !run || !PLANTED(BACKFILL_STARVED);
        if (!run && !b)
            return;
        dag->starts++;
        if (turn)
            backfill_step(s, b);
        else if (!run_start(s, run))
            return;
    }
    if (dag->running < runs_max(dag) && first_waiting_backfill(dag))
        dag_arm_timer(s, dag, s->now.wall_us);
}

/* Earlier runs that stalled ones wait for, beyond the cap. */
static void start_held_up(struct scheduler *s, struct live_dag *dag)
{
    for (size_t n = 0; n < dag->runs.count && dag->stalled; n++) {
        struct run *run = dag->runs.at[n];
        if (run->state == RUN_QUEUED && dag_may_start(dag, run) && holds_up_a_later_run(dag, run) &&
            !run_start(s, run))
            return;
    }
}

static void start_own_caps(struct scheduler *s, struct live_dag *dag)
{
    for (size_t n = 0; n < dag->backfills.count; n++) {
        struct live_backfill *b = dag->backfills.at[n];
        if (!backfill_has_own_cap(b))
            continue;
        while (b->queued.count && b->running < b->record.max_active_runs)
            if (!run_start(s, b->queued.at[0]))
                return;
        int steps = 0;
        while (b->running < b->record.max_active_runs && backfill_waits(b) &&
               steps++ < BACKFILL_STEP_MAX)
            backfill_step(s, b);
        if (b->running < b->record.max_active_runs && backfill_waits(b))
            dag_arm_timer(s, dag, s->now.wall_us);
    }
}

enum reason run_queued_reason(const struct scheduler *s, const struct run *run)
{
    const struct live_dag *dag = run->dag;
    if (!dag_may_start(dag, run))
        return run->only_awaited ? REASON_WAITING_DAEMON : REASON_WAITING_PAUSED;
    bool full = run->own_cap ? run->backfill->running >= run->backfill->record.max_active_runs
                             : dag->running >= runs_max(dag);
    if (full)
        return REASON_WAITING_RUN_SLOT;
    uint32_t tasks = dag->newest ? dag->newest->dag->task_count : 0;
    return s->instance_count + tasks > INSTANCES_MAX ? REASON_WAITING_LIMIT
                                                     : REASON_WAITING_TURN_RUN;
}

/* ---- making runs by the schedule ---- */

static void cover(struct scheduler *s, struct live_dag *dag, const struct timetable_run *run)
{
    bool tiles = timetable_has_intervals(dag->newest->dag->timetable);
    dag->covered_until_us = tiles ? run->interval.end_us : run->logical_us;
    dag_changed(s, dag);
}

static void make_scheduled(
    struct scheduler *s, struct live_dag *dag, const struct timetable_run *due)
{
    cover(s, dag, due);
    if (dates_find(dag, due->logical_us))
        return;
    struct run *run = run_create(s, &(struct run_spec){.dag = dag,
                                        .type = RUN_TYPE_SCHEDULED,
                                        .logical_us = due->logical_us,
                                        .interval_start_us = due->interval.start_us,
                                        .interval_end_us = due->interval.end_us,
                                        .run_after_us = due->run_after_us});
    dag->last_logical_us = due->logical_us;
    run_link(s, run);
    run_queue(s, run);
}

/* The next run of the schedule after what is covered. */
static enum timetable_answer next_run(
    const struct scheduler *s, const struct live_dag *dag, struct timetable_run *ret)
{
    const struct timetable *t = dag->newest->dag->timetable;
    bool behind = PLANTED(TICK_BEHIND_MARK) && s->now.wall_us < s->schedule_us;
    if (dag->covered_until_us != TIME_NONE && !behind) {
        /* All that a timetable asks of the last interval is where it ended and that it was one. */
        bool tiles = timetable_has_intervals(t);
        struct data_interval last = {dag->covered_until_us - tiles, dag->covered_until_us};
        return timetable_next(t, &last, TIME_MIN_US, ret);
    }
    bool has_start = timetable_start_us(t) != TIME_MIN_US;
    return timetable_next(t, NULL, has_start ? TIME_MIN_US : s->schedule_us, ret);
}

/* Where a schedule starts, or goes on after a stop or a pause: with `none` after what ended
   meanwhile; without a start_date with the newest complete interval. */
static void start_schedule(struct scheduler *s, struct live_dag *dag)
{
    const struct timetable *t = dag->newest->dag->timetable;
    struct timetable_run newest, next;
    dag->starting = false;
    if (!timetable_latest(t, s->schedule_us, &newest))
        return;
    bool is_ahead =
        dag->covered_until_us == TIME_NONE ||
        (next_run(s, dag, &next) == TIMETABLE_RUN && next.logical_us <= newest.logical_us);
    if (dag->newest->dag->catchup == CATCHUP_NONE && is_ahead)
        cover(s, dag, &newest);
    else if (dag->covered_until_us == TIME_NONE && timetable_start_us(t) == TIME_MIN_US &&
             timetable_kind(t) != TIMETABLE_ONCE)
        make_scheduled(s, dag, &newest);
}

/* The run that is due now; false when none is, the timer set for the next one. */
static bool find_due(struct scheduler *s, struct live_dag *dag, struct timetable_run *ret)
{
    enum timetable_answer answer = next_run(s, dag, ret);
    if (answer == TIMETABLE_NO_MORE)
        return false;
    if (answer == TIMETABLE_WHEN_IDLE) {
        if (dag->runs.count)
            return false;
        if (dag->last_logical_us != TIME_NONE &&
            ret->run_after_us < dag->last_logical_us + CONTINUOUS_GAP_US)
            ret->run_after_us = dag->last_logical_us + CONTINUOUS_GAP_US;
        ret->logical_us = ret->interval.start_us = ret->interval.end_us = s->schedule_us;
    }
    if (ret->run_after_us > s->schedule_us) {
        dag_arm_timer(s, dag, ret->run_after_us);
        return false;
    }
    struct timetable_run newest;
    if (dag->newest->dag->catchup == CATCHUP_LATEST && answer == TIMETABLE_RUN &&
        timetable_latest(dag->newest->dag->timetable, s->schedule_us, &newest) &&
        newest.logical_us > ret->logical_us)
        *ret = newest;
    return true;
}

static bool schedule_is_on(const struct scheduler *s, const struct live_dag *dag)
{
    return dag->newest && dag->newest->dag->timetable && !dag->paused && !dag->removed &&
           !schedules_hold(s) && !s->draining && !s->no_schedules &&
           timetable_kind(dag->newest->dag->timetable) != TIMETABLE_MANUAL;
}

static void make_due(struct scheduler *s, struct live_dag *dag)
{
    if (dag->starting)
        start_schedule(s, dag);
    for (int made = 0; dag->queued_scheduled < RUNS_QUEUED_AHEAD_MAX; made++) {
        struct timetable_run due;
        if (!find_due(s, dag, &due))
            return;
        if (made == SCHEDULE_STEP_MAX || map_count(s->runs) >= RUNS_MAX) {
            dag_arm_timer(s, dag, s->now.wall_us + (made == SCHEDULE_STEP_MAX ? 0 : US_PER_SECOND));
            return;
        }
        make_scheduled(s, dag, &due);
        start_runs(s, dag);
    }
}

void dag_arm_timer(struct scheduler *s, struct live_dag *dag, int64_t wall_us)
{
    int64_t due_us = mono_of_wall(s, wall_us);
    if (!dag->timer.entry.slot || dag->timer.entry.due > due_us)
        wake_set(s, &dag->timer, due_us);
}

void dag_step(struct scheduler *s, struct live_dag *dag)
{
    wake_stop(s, &dag->timer);
    if (s->draining)
        return;
    assets_step(s, dag);
    start_runs(s, dag);
    start_own_caps(s, dag);
    start_held_up(s, dag);
    if (schedule_is_on(s, dag))
        make_due(s, dag);
    dates_forget(dag);
}

/* ---- pause ---- */

void dag_pause(struct scheduler *s, struct live_dag *dag, enum reason reason)
{
    dag->paused = true;
    dag->pause_reason = reason;
    wake_stop(s, &dag->timer);
    dag_changed(s, dag);
}

void dag_unpause(struct scheduler *s, struct live_dag *dag)
{
    dag->paused = false;
    dag->pause_reason = REASON_UNPAUSED_BY_HAND;
    dag->consecutive_failures = 0;
    dag->starting = true;
    parking_release(s, &dag->paused_tasks, true);
    dag_changed(s, dag);
    dag_wants_step(s, dag);
}
