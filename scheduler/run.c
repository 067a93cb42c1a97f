/* Runs: made, started, decided, ended. */
#include <assert.h>
#include "scheduler/internal.h"

/* ---- among the runs of its DAG ---- */

size_t runs_at(const struct live_dag *dag, int64_t logical_us)
{
    size_t low = 0, high = dag->runs.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (dag->runs.at[middle]->logical_us < logical_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct run *run_next(const struct run *run)
{
    size_t at = runs_at(run->dag, run->logical_us);
    if (at < run->dag->runs.count && run->dag->runs.at[at] == run)
        at++;
    return at < run->dag->runs.count ? run->dag->runs.at[at] : NULL;
}

/* The run is live: found by date, and counted. */
void run_link(struct scheduler *s, struct run *run)
{
    struct live_dag *dag = run->dag;
    size_t at = runs_at(dag, run->logical_us);
    assert(at == dag->runs.count || dag->runs.at[at]->logical_us != run->logical_us);
    vec_push(&dag->runs, run);
    memmove(&dag->runs.at[at + 1], &dag->runs.at[at],
        (dag->runs.count - 1 - at) * sizeof(struct run *));
    dag->runs.at[at] = run;
    run->live = true;
    dag->asset_runs += run->type == RUN_TYPE_ASSET;
    s->instance_count += run->instance_count;
    if (run->backfill)
        run->backfill->live++;
    dates_set(dag, run->logical_us, run->state);
}

static void run_unlink(struct scheduler *s, struct run *run)
{
    struct live_dag *dag = run->dag;
    dag->stalled -= run->stalled;
    run->stalled = false;
    size_t at = runs_at(dag, run->logical_us);
    assert(at < dag->runs.count && dag->runs.at[at] == run);
    vec_remove(&dag->runs, at);
    run->live = false;
    dag->asset_runs -= run->type == RUN_TYPE_ASSET;
    s->instance_count -= run->instance_count;
}

/* ---- waiting for its turn ---- */

static bool is_scheduled(const struct run *run)
{
    return run->type == RUN_TYPE_SCHEDULED || run->type == RUN_TYPE_ASSET;
}

void run_queue(struct scheduler *s, struct run *run)
{
    run->own_cap = run->backfill && backfill_has_own_cap(run->backfill);
    if (run->own_cap) {
        vec_push(&run->backfill->queued, run);
    } else {
        vec_push(&run->dag->queued, run);
        run->dag->queued_scheduled += is_scheduled(run);
    }
    s->queued_count++;
    dag_wants_step(s, run->dag);
}

/* Takes it out of a queue, if it is there. */
static bool take_out(struct run **at, size_t *count, const struct run *run)
{
    for (size_t n = 0; n < *count; n++)
        if (at[n] == run) {
            memmove(&at[n], &at[n + 1], (*count - n - 1) * sizeof *at);
            --*count;
            return true;
        }
    return false;
}

void run_unqueue(struct scheduler *s, struct run *run)
{
    bool there = run->own_cap
                     ? take_out(run->backfill->queued.at, &run->backfill->queued.count, run)
                     : take_out(run->dag->queued.at, &run->dag->queued.count, run);
    if (!there)
        return;
    if (!run->own_cap)
        run->dag->queued_scheduled -= is_scheduled(run);
    s->queued_count--;
}

static void count_running(struct run *run, int by)
{
    if (run->own_cap)
        run->backfill->running += by;
    else
        run->dag->running += by;
}

void run_join_backfill(struct scheduler *s, struct run *run, struct live_backfill *b)
{
    bool queued = run->state == RUN_QUEUED;
    if (queued)
        run_unqueue(s, run);
    else
        run->dag->running--;
    run->backfill = b;
    b->live++;
    run->own_cap = backfill_has_own_cap(b);
    if (queued)
        run_queue(s, run);
    else
        count_running(run, 1);
}

/* ---- life ---- */

static struct run *run_alloc(struct scheduler *s, struct live_dag *dag, int64_t id)
{
    struct run *run = mem_alloc_zero(1, sizeof *run);
    run->id.v = id;
    run->dag = dag;
    run->arena = arena_new();
    run->timer.kind = TIMER_RUN;
    run->deadline.kind = TIMER_DEADLINE;
    run->deadline_us = run->deadline_missed_us = TIME_NONE;
    map_set(s->runs, run_key(run->id).text, run);
    return run;
}

static void set_text(char **text, const char *value)
{
    char *copy = mem_strdup(value);
    mem_free(*text);
    *text = copy;
}

struct run *run_create(struct scheduler *s, const struct run_spec *spec)
{
    struct run *run = run_alloc(s, spec->dag, s->next_run++);
    char date[TIME_TEXT_SIZE];
    time_format_iso(spec->logical_us, date);
    run->run_id = arena_printf(run->arena, "%s__%s", run_type_name(spec->type), date);
    run->type = spec->type;
    run->state = RUN_QUEUED;
    run->reason = REASON_RUN_CREATED;
    run->logical_us = spec->logical_us;
    run->interval_start_us = spec->interval_start_us;
    run->interval_end_us = spec->interval_end_us;
    run->run_after_us = spec->run_after_us;
    run->queued_us = s->now.wall_us;
    run->started_us = run->ended_us = TIME_NONE;
    run->conf = arena_strdup(run->arena, spec->conf ? spec->conf : "{}");
    run->version = keep(s, spec->dag->newest->version);
    run->triggered_by =
        arena_strdup(run->arena, spec->triggered_by ? spec->triggered_by : "scheduler");
    run->note = arena_strdup(run->arena, spec->note);
    run->backfill = spec->backfill;
    run->backfill_id = spec->backfill ? spec->backfill->record.id : 0;
    run->maker = spec->maker;
    run->maker.task_id = arena_strdup(run->arena, spec->maker.task_id);
    run_changed(s, run);
    deadline_run_made(s, run);
    return run;
}

struct run *run_from_record(
    struct scheduler *s, struct live_dag *dag, const struct run_record *record)
{
    struct run *run = run_alloc(s, dag, record->id.v);
    run->run_id = arena_strdup(run->arena, record->run_id);
    run->type = record->type;
    run->state = record->state;
    run->reason = record->reason;
    set_text(&run->text, record->reason_text);
    run->logical_us = record->logical_us;
    run->interval_start_us = record->interval_start_us;
    run->interval_end_us = record->interval_end_us;
    run->run_after_us = record->run_after_us;
    run->queued_us = record->queued_us;
    run->started_us = record->started_us;
    run->ended_us = record->ended_us;
    run->deadline_us = record->deadline_us;
    run->deadline_missed_us = record->deadline_missed_us;
    run->conf = arena_strdup(run->arena, record->conf ? record->conf : "{}");
    run->version = keep(s, record->version);
    run->triggered_by = arena_strdup(run->arena, record->triggered_by);
    run->note = arena_strdup(run->arena, record->note);
    run->backfill_id = record->backfill_id;
    run->maker = record->maker;
    run->maker.task_id = arena_strdup(run->arena, record->maker.task_id);
    if (s->next_run <= record->id.v)
        s->next_run = record->id.v + 1;
    return run;
}

static void free_instance(struct scheduler *s, struct instance *i)
{
    wake_stop(s, &i->timer);
    slots_dequeue(s, i);
    trigger_leave(i);
    if (i->attempt.text[0] && map_get(s->attempts, i->attempt.text) == i)
        map_remove(s->attempts, i->attempt.text);
    if (i->mapping)
        parking_done(&i->mapping->parking);
    task_free_texts(i);
}

void run_free(struct scheduler *s, struct run *run)
{
    if (run->live)
        run_unlink(s, run);
    wake_stop(s, &run->timer);
    wake_stop(s, &run->deadline);
    if (run->waiter)
        run->waiter->waits_for = NULL;
    run_each (i, run)
        free_instance(s, i);
    map_remove(s->runs, run_key(run->id).text);
    parking_done(&run->parking);
    shape_unref(run->shape);
    mem_free(run->text);
    arena_free(run->arena);
    mem_free(run);
}

/* ---- changes ---- */

void run_changed(struct scheduler *s, struct run *run)
{
    if (run->changed)
        return;
    run->changed = true;
    vec_push(&s->changed_runs, run);
}

void run_wants_check(struct scheduler *s, struct run *run)
{
    if (run->checking || !run->live)
        return;
    run->checking = true;
    vec_push(&s->check, run);
}

void run_set_reason(struct scheduler *s, struct run *run, enum reason reason, const char *text)
{
    run->reason = reason;
    set_text(&run->text, text);
    run_changed(s, run);
}

void run_move(struct scheduler *s, struct run *run, enum run_event event, enum reason reason,
    const char *text)
{
    bool possible = run_transition(run->state, event, &run->state);
    assert(possible);
    (void)possible;
    run_set_reason(s, run, reason, text);
}

/* ---- instances ---- */

void instance_init(struct instance *i, struct run *run, const struct task *task, int32_t map_index)
{
    *i = (struct instance){.run = run,
        .task = task,
        .map_index = map_index,
        .reason = REASON_WAITING_UPSTREAM,
        .max_tries = task->retries + 1,
        .is_new = true,
        .timer = {.kind = TIMER_TASK},
        .ready_us = TIME_NONE,
        .queued_us = TIME_NONE,
        .started_us = TIME_NONE,
        .ended_us = TIME_NONE,
        .retry_at_us = TIME_NONE,
        .deadline_us = TIME_NONE,
        .deadline_missed_us = TIME_NONE,
        .waiting_since_us = TIME_NONE};
}

void run_make_instances(struct run *run)
{
    const struct dag *dag = run->shape->dag;
    run->task_count = run->instance_count = dag->task_count;
    run->tasks = arena_array(run->arena, struct instance *, dag->task_count);
    struct instance *all = arena_array(run->arena, struct instance, dag->task_count);
    for (uint32_t n = 0; n < dag->task_count; n++) {
        run->tasks[n] = &all[n];
        instance_init(&all[n], run, &dag->tasks[n], -1);
    }
}

static void count_upstream(struct upstream_counts *counts, const struct instance *up)
{
    bool setup = up->task->setup;
    if (up->state == TASK_REMOVED)
        return;
    counts->total++;
    counts->setups += setup;
    counts->success += up->state == TASK_SUCCESS;
    counts->setup_success += setup && up->state == TASK_SUCCESS;
    counts->failed += up->state == TASK_FAILED;
    counts->upstream_failed += up->state == TASK_UPSTREAM_FAILED;
    counts->skipped += up->state == TASK_SKIPPED;
    counts->setup_skipped += setup && up->state == TASK_SKIPPED;
}

static void count_upstreams(
    struct upstream_counts *counts, const struct run *run, const struct indexes *from)
{
    *counts = (struct upstream_counts){0};
    for (size_t n = 0; n < from->count; n++) {
        const struct instance *up = run->tasks[from->at[n]];
        count_upstream(counts, up);
        for (uint32_t k = 0; up->mapping && k < up->mapping->count; k++)
            count_upstream(counts, up->mapping->at[k]);
    }
}

void run_recount(struct scheduler *s, struct run *run)
{
    memset(run->counts, 0, sizeof run->counts);
    run->finished_count = 0;
    run_each (i, run) {
        run->counts[i->state]++;
        run->finished_count += task_state_finished(i->state);
        if (i->map_index >= 0)
            continue;
        count_upstreams(&i->up, run, &i->task->upstream);
        count_upstreams(&i->setups, run, &run->shape->tasks[i->task->index].setups);
        if (i->decision)
            decision_bind(i);
    }
    run_wants_check(s, run);
}

/* ---- start ---- */

static void begin_instances(struct scheduler *s, struct run *run)
{
    run_each (i, run) {
        if (i->is_new)
            task_changed(s, i);
        if (!task_state_finished(i->state))
            task_wants_evaluation(s, i);
    }
}

void run_arm_timeout(struct scheduler *s, struct run *run)
{
    int64_t timeout_us = run->shape->dag->run_timeout_us;
    if (timeout_us > 0 && !run_is_ending(run))
        wake_set(s, &run->timer, mono_of_wall(s, run->started_us + timeout_us));
}

bool run_start(struct scheduler *s, struct run *run)
{
    const struct dag *newest = run->dag->newest ? run->dag->newest->dag : NULL;
    if (!run->tasks && !newest)
        return false;
    if (!run->tasks && s->instance_count + newest->task_count > INSTANCES_MAX)
        return false;
    run_unqueue(s, run);
    if (!run->tasks) {
        shape_unref(run->shape);
        run->shape = shape_ref(run->dag->newest);
        run->version = keep(s, run->shape->version);
        run_make_instances(run);
        s->instance_count += run->instance_count;
    }
    run_recount(s, run);
    run->started_us = s->now.wall_us;
    run_move(s, run, RUN_EVENT_START, REASON_RUN_STARTED, NULL);
    dates_set(run->dag, run->logical_us, RUN_RUNNING);
    count_running(run, 1);
    deadline_run_started(s, run);
    begin_instances(s, run);
    run_arm_timeout(s, run);
    return true;
}

/* ---- decision ---- */

bool run_is_ending(const struct run *run)
{
    return run->state == RUN_RUNNING &&
           (run->reason == REASON_RUN_CANCELLED || run->reason == REASON_RUN_TIMED_OUT ||
               run->reason == REASON_FAIL_FAST || run->reason == REASON_MARKING_FAILED ||
               run->reason == REASON_MARKING_SUCCESS);
}

static void count_failures(struct scheduler *s, struct run *run)
{
    struct live_dag *dag = run->dag;
    int max = run->shape ? run->shape->dag->max_consecutive_failed_runs : 0;
    int32_t before = dag->consecutive_failures;
    if (run->state == RUN_SUCCESS)
        dag->consecutive_failures = 0;
    else if (run->reason != REASON_RUN_CANCELLED && run->reason != REASON_MARKED)
        dag->consecutive_failures++;
    if (dag->consecutive_failures != before)
        dag_changed(s, dag);
    if (max <= 0 || dag->consecutive_failures < max || dag->paused)
        return;
    dag_pause(s, dag, REASON_FAILURES_REACHED);
    struct effect *effect = emit_effect(s, EFFECT_DAG_PAUSED, run);
    effect->why = REASON_FAILURES_REACHED;
}

static void end_run(struct scheduler *s, struct run *run, enum run_event event, enum reason reason,
    const char *text)
{
    bool was_running = run->state == RUN_RUNNING;
    if (run->state == RUN_QUEUED)
        run_unqueue(s, run);
    run->ended_us = s->now.wall_us;
    run_move(s, run, event, reason, text);
    wake_stop(s, &run->timer);
    if (was_running)
        count_running(run, -1);
    dates_set(run->dag, run->logical_us, run->state);
    count_failures(s, run);
    emit_effect(s, EFFECT_RUN_ENDED, run);
    past_add(s, run);
    deadline_run_ended(s, run);
    run_unlink(s, run);
    if (run->backfill) {
        run->backfill->live--;
        backfill_run_ended(s, run->backfill);
    }
    trigger_run_ended(s, run);
    run->dropped = true;
    vec_push(&s->ended, run);
    dag_wants_step(s, run->dag);
}

/* "`load` failed, `score` is upstream_failed and 3 more" of the leaves; NULL when none failed. */
static const char *failed_leaves(struct scheduler *s, const struct run *run)
{
    struct strbuf text = {0};
    size_t count = 0;
    run_each (i, run) {
        if (!run->shape->tasks[i->task->index].leaf || !task_state_failed_like(i->state))
            continue;
        if (++count > CAUSES_NAMED_MAX)
            continue;
        strbuf_add_str(&text, count > 1 ? ", `" : "`");
        instance_name(i, &text);
        strbuf_printf(&text, "` %s", i->state == TASK_FAILED ? "failed" : "is upstream_failed");
    }
    if (count > CAUSES_NAMED_MAX)
        strbuf_printf(&text, " and %zu more", count - CAUSES_NAMED_MAX);
    const char *result = count ? in_plan(s, text.text) : NULL;
    strbuf_done(&text);
    return result;
}

static void decide(struct scheduler *s, struct run *run)
{
    if (run_is_ending(run)) {
        bool success = run->reason == REASON_MARKING_SUCCESS;
        bool marked = success || run->reason == REASON_MARKING_FAILED;
        end_run(s, run, success ? RUN_EVENT_SUCCEED : RUN_EVENT_FAIL,
            marked ? REASON_MARKED : run->reason, NULL);
        return;
    }
    const char *failed = failed_leaves(s, run);
    if (failed)
        end_run(s, run, RUN_EVENT_FAIL, REASON_LEAF_FAILED, failed);
    else
        end_run(s, run, RUN_EVENT_SUCCEED, REASON_ALL_LEAVES_DONE, NULL);
}

bool task_is_moving(enum task_state state)
{
    return state != TASK_NONE && !task_state_finished(state);
}

/* Whether anything of the run is under way or can come by itself. */
static bool is_moving(const struct run *run)
{
    if (run->settling_count)
        return true;
    for (enum task_state state = 0; state < TASK_STATE_COUNT; state++)
        if (task_is_moving(state) && run->counts[state])
            return true;
    return false;
}

static void set_stalled(struct scheduler *s, struct run *run, bool stalled)
{
    if (run->stalled == stalled)
        return;
    run->stalled = stalled;
    run->dag->stalled += stalled ? 1 : -1;
    dag_wants_step(s, run->dag);
}

static void end_deadlock(struct scheduler *s, struct run *run)
{
    run_each (i, run)
        if (!task_state_finished(i->state))
            task_finish(s, i, TASK_EVENT_SKIP, REASON_DEADLOCK, NULL);
    if (run->settling_count == 0)
        end_run(s, run, RUN_EVENT_FAIL, REASON_DEADLOCK, NULL);
}

void run_check(struct scheduler *s, struct run *run)
{
    if (run->state != RUN_RUNNING || !run->live || (run->held && !run_is_ending(run)))
        return;
    if (run->shape->dag->fail_fast && run->counts[TASK_FAILED] && !run_is_ending(run)) {
        run_end_early(s, run, REASON_FAIL_FAST, false);
        return;
    }
    bool moving = is_moving(run);
    set_stalled(s, run, !moving && run->waiting_past_count > 0);
    if (run->finished_count == run->instance_count && !run->settling_count)
        decide(s, run);
    else if (!moving && !run->waiting_past_count)
        end_deadlock(s, run);
}

/* ---- ended early ---- */

static void end_task_early(struct scheduler *s, struct instance *i, enum reason reason, bool force)
{
    static const struct intent skip_cancelled = {true, TASK_EVENT_SKIP, REASON_RUN_CANCELLED, NULL};
    struct intent intent = skip_cancelled;
    intent.reason = reason;
    if (!i->alive) {
        task_end_early(
            s, i, reason == REASON_RUN_CANCELLED ? REASON_CANCELLING : reason, &intent, force);
        return;
    }
    if (reason != REASON_RUN_TIMED_OUT)
        intent.event = TASK_EVENT_FAIL;
    task_end_early(
        s, i, reason == REASON_RUN_CANCELLED ? REASON_CANCELLING : reason, &intent, force);
}

void run_end_early(struct scheduler *s, struct run *run, enum reason reason, bool force)
{
    if (run->state == RUN_QUEUED && !run->tasks) {
        end_run(s, run, RUN_EVENT_FAIL, reason, NULL);
        return;
    }
    if (run->state == RUN_QUEUED)
        run_start(s, run);
    run_set_reason(s, run, reason, NULL);
    wake_stop(s, &run->timer);
    run_each (i, run) {
        bool spared = i->task->teardown && reason != REASON_RUN_TIMED_OUT;
        bool ends_already = i->intent.set && i->intent.event != TASK_EVENT_RESTART;
        if (!task_state_finished(i->state) && !spared && (!ends_already || force))
            end_task_early(s, i, reason, force);
    }
    run_wants_check(s, run);
}

void run_timer_due(struct scheduler *s, struct run *run)
{
    if (run->state == RUN_RUNNING && !run_is_ending(run))
        run_end_early(s, run, REASON_RUN_TIMED_OUT, false);
}

/* ---- again ---- */

void run_revive(struct scheduler *s, struct run *run, enum run_event event, enum reason reason,
    const char *text)
{
    bool was_finished = run_state_finished(run->state);
    run_name_version(s, run);
    run_move(s, run, event, reason, text);
    if (!was_finished)
        return;
    run->ended_us = TIME_NONE;
    run->dropped = false;
    run->backfill = run->backfill_id ? backfill_find(run->dag, run->backfill_id) : NULL;
    run_link(s, run);
    run->queued_us = s->now.wall_us;
    if (event != RUN_EVENT_REOPEN)
        deadline_run_cleared(s, run);
    if (run->state == RUN_QUEUED) {
        run_queue(s, run);
        return;
    }
    run->own_cap = run->backfill && backfill_has_own_cap(run->backfill);
    count_running(run, 1);
    run_recount(s, run);
    deadline_resume(s, run); /* it goes on: what was missed was told */
    begin_instances(s, run);
    run_arm_timeout(s, run);
}
