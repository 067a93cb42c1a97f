/* Backfills: a row with a cursor, stepped as caps allow. */
#include "language/timetable/timetable.h"
#include "scheduler/internal.h"

/* ---- the dates of a range ---- */

static int64_t date_at_or_after(
    const struct dag *dag, const struct backfill_record *range, int64_t us)
{
    struct timetable_run run;
    if (timetable_next(dag->timetable, NULL, us, &run) != TIMETABLE_RUN ||
        run.logical_us > range->to_us)
        return TIME_NONE;
    return run.logical_us;
}

static int64_t date_before(const struct dag *dag, const struct backfill_record *range, int64_t us)
{
    struct timetable_run run;
    if (!timetable_previous(dag->timetable, us, &run) || run.logical_us < range->from_us)
        return TIME_NONE;
    return run.logical_us;
}

int64_t backfill_first(const struct dag *dag, const struct backfill_record *range)
{
    if (range->reverse)
        return date_before(dag, range, range->to_us < INT64_MAX ? range->to_us + 1 : range->to_us);
    return date_at_or_after(dag, range, range->from_us);
}

int64_t backfill_next(const struct dag *dag, const struct backfill_record *range, int64_t after_us)
{
    if (range->reverse)
        return date_before(dag, range, after_us);
    return after_us == INT64_MAX ? TIME_NONE : date_at_or_after(dag, range, after_us + 1);
}

/* ---- life ---- */

struct live_backfill *backfill_new(
    struct scheduler *s, struct live_dag *dag, const struct backfill_record *record)
{
    struct live_backfill *b = mem_alloc_zero(1, sizeof *b);
    b->dag = dag;
    b->record = *record;
    b->record.dag_id = dag->dag_id;
    b->record.only = keep(s, record->only ? record->only : "missing");
    b->record.conf = mem_strdup(record->conf);
    b->record.requested_by = keep(s, record->requested_by);
    b->loading_us = TIME_NONE;
    vec_push(&dag->backfills, b);
    s->backfill_count++;
    return b;
}

void backfill_free(struct scheduler *s, struct live_backfill *b)
{
    struct live_dag *dag = b->dag;
    for (size_t n = 0; n < dag->backfills.count; n++)
        if (dag->backfills.at[n] == b) {
            vec_remove(&dag->backfills, n);
            break;
        }
    s->backfill_count--;
    vec_done(&b->queued);
    mem_free((char *)b->record.conf);
    mem_free(b);
}

struct live_backfill *backfill_find(const struct live_dag *dag, int64_t id)
{
    for (size_t n = 0; n < dag->backfills.count; n++)
        if (dag->backfills.at[n]->record.id == id)
            return dag->backfills.at[n];
    return NULL;
}

bool backfill_has_own_cap(const struct live_backfill *b)
{
    return b->record.max_active_runs > 0;
}

/* ---- steps ---- */

bool backfill_waits(const struct live_backfill *b)
{
    return b->record.cursor_us != TIME_NONE && b->loading_us == TIME_NONE && b->dag->newest &&
           b->dag->newest->dag->timetable;
}

static void advance(struct scheduler *s, struct live_backfill *b)
{
    b->record.cursor_us = backfill_next(b->dag->newest->dag, &b->record, b->record.cursor_us);
    b->loading_us = TIME_NONE;
    backfill_changed(s, b);
    if (b->record.cursor_us == TIME_NONE && b->live == 0)
        backfill_end(s, b);
}

static void create_run(struct scheduler *s, struct live_backfill *b, int64_t logical_us)
{
    struct data_interval interval =
        timetable_interval_of(b->dag->newest->dag->timetable, logical_us);
    struct run *run = run_create(s, &(struct run_spec){.dag = b->dag,
                                        .type = RUN_TYPE_BACKFILL,
                                        .logical_us = logical_us,
                                        .interval_start_us = interval.start_us,
                                        .interval_end_us = interval.end_us,
                                        .run_after_us = s->now.wall_us,
                                        .conf = b->record.conf,
                                        .triggered_by = b->record.requested_by,
                                        .backfill = b});
    b->record.created_count++;
    run_link(s, run);
    run_queue(s, run);
    (void)run_start(s, run);
}

/* Whether a date that has a finished run is run again. */
static bool wants_again(const struct live_backfill *b, enum run_state state)
{
    if (str_equal(b->record.only, "all"))
        return run_state_finished(state);
    return str_equal(b->record.only, "failed") && state == RUN_FAILED;
}

static bool is_not_done(const struct instance *i)
{
    return !mapping_is_expanded(i) && !task_state_success_like(i->state);
}

static struct selection choose_again(
    struct scheduler *s, const struct live_backfill *b, const struct run *run)
{
    const struct dag *dag = run->shape->dag;
    struct selection chosen = selection_new(s->plan->arena, dag, true);
    if (str_equal(b->record.only, "all"))
        return chosen;
    (void)selection_keep(&chosen, dag, run, is_not_done);
    select_downstream(dag, &chosen);
    return chosen;
}

static void clear_run(struct scheduler *s, struct live_backfill *b, struct run *run)
{
    /* with an old attempt in doubt of a task that is gone now, the run keeps its own version */
    if (run->tasks && b->dag->newest != run->shape && !run_blocks_version(run, b->dag->newest))
        run_take_version(s, run, b->dag->newest);
    run->backfill_id = b->record.id;
    run->backfill = b;
    struct selection chosen;
    if (run->tasks)
        chosen = choose_again(s, b, run);
    run_clear(s, run, run->tasks ? &chosen : NULL, "cleared by a backfill");
    b->record.created_count++;
    (void)run_start(s, run);
}

/* Not one that has run again already in this event, and is on its way out. */
struct run *dag_loaded_run(const struct scheduler *s, const struct live_dag *dag, int64_t us)
{
    for (size_t n = 0; n < s->loaded.count; n++) {
        struct run *run = s->loaded.at[n];
        if (run->dag == dag && run->logical_us == us && !run->live && !run->dropped)
            return run;
    }
    return NULL;
}

/* Only finished runs are not in memory: they are asked for, and taken with EVENT_RUN_LOADED. */
static bool again(struct scheduler *s, struct live_backfill *b, int64_t logical_us)
{
    struct run *run = dag_loaded_run(s, b->dag, logical_us);
    if (run) {
        clear_run(s, b, run);
        return true;
    }
    b->loading_us = logical_us;
    struct effect *effect = emit_effect(s, EFFECT_LOAD_RUN, NULL);
    effect->run.dag_id = in_plan(s, b->dag->dag_id);
    effect->run.logical_us = logical_us;
    effect->run.backfill_id = b->record.id;
    return false;
}

void backfill_step(struct scheduler *s, struct live_backfill *b)
{
    int64_t logical_us = b->record.cursor_us;
    const struct known_date *known = dates_find(b->dag, logical_us);
    if (known && !wants_again(b, known->state)) {
        advance(s, b);
        return;
    }
    if (known) {
        if (again(s, b, logical_us))
            advance(s, b);
        return;
    }
    bool wanted = !str_equal(b->record.only, "failed");
    if (wanted && map_count(s->runs) >= RUNS_MAX) {
        dag_arm_timer(s, b->dag, s->now.wall_us + US_PER_SECOND);
        return;
    }
    if (wanted)
        create_run(s, b, logical_us);
    advance(s, b);
}

/* A loaded run, or the news that there is none any more (retention). */
void backfill_run_loaded(struct scheduler *s, struct live_dag *dag, int64_t logical_us)
{
    for (size_t n = 0; n < dag->backfills.count; n++) {
        struct live_backfill *b = dag->backfills.at[n];
        if (b->loading_us != logical_us)
            continue;
        b->loading_us = TIME_NONE;
        struct run *run = dag_loaded_run(s, dag, logical_us);
        if (run && wants_again(b, run->state))
            clear_run(s, b, run);
        advance(s, b);
        return;
    }
}

void backfill_end(struct scheduler *s, struct live_backfill *b)
{
    if (b->record.finished)
        return;
    b->record.finished = true;
    b->record.ended_us = s->now.wall_us;
    b->record.cursor_us = TIME_NONE;
    backfill_changed(s, b);
    vec_push(&s->ended_backfills, b);
}

void backfill_run_ended(struct scheduler *s, struct live_backfill *b)
{
    if (b->record.cursor_us == TIME_NONE && b->live == 0)
        backfill_end(s, b);
}
