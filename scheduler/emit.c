/* From live state to rows and effects. */
#include <stdio.h>
#include "definition/model/log_path.h"
#include "scheduler/internal.h"

struct run_record run_record_of(struct scheduler *s, const struct run *run)
{
    return (struct run_record){
        .id = run->id,
        .dag_id = in_plan(s, run->dag->dag_id),
        .run_id = in_plan(s, run->run_id),
        .type = run->type,
        .state = run->state,
        .reason = run->reason,
        .reason_text = run->text ? in_plan(s, run->text) : reason_text(run->reason),
        .logical_us = run->logical_us,
        .interval_start_us = run->interval_start_us,
        .interval_end_us = run->interval_end_us,
        .run_after_us = run->run_after_us,
        .queued_us = run->queued_us,
        .started_us = run->started_us,
        .ended_us = run->ended_us,
        .conf = in_plan(s, run->conf),
        .version = in_plan(s, run->version),
        .triggered_by = in_plan(s, run->triggered_by),
        .backfill_id = run->backfill_id,
        .note = in_plan(s, run->note),
        .deadline_us = run->deadline_us,
        .deadline_missed_us = run->deadline_missed_us,
        .keeps_version = run->keep_version,
        .maker = {run->maker.run, in_plan(s, run->maker.task_id), run->maker.map_index,
            run->maker.generation},
    };
}

struct dag_record dag_record_of(const struct live_dag *dag)
{
    return (struct dag_record){
        .dag_id = dag->dag_id,
        .file = dag->file,
        .version = dag->newest ? dag->newest->version : NULL,
        .paused = dag->paused,
        .removed = dag->removed,
        .pause_reason = dag->pause_reason,
        .covered_until_us = dag->covered_until_us,
        .last_logical_us = dag->last_logical_us,
        .consecutive_failures = dag->consecutive_failures,
        .broken = dag->broken,
    };
}

struct task_record task_record_of(struct scheduler *s, const struct instance *i)
{
    return (struct task_record){
        .run = i->run->id,
        .task_id = in_plan(s, i->task->task_id),
        .map_index = i->map_index,
        .state = i->state,
        .reason = i->reason,
        .reason_text = i->text ? in_plan(s, i->text) : reason_text(i->reason),
        .try_number = i->try_number,
        .max_tries = i->max_tries,
        .tries_total = i->tries_total,
        .lost_count = i->lost_count,
        .interrupted_count = i->interrupted_count,
        .generation = i->generation,
        .unsettled = i->unsettled,
        .unsettled_generation = i->unsettled_generation,
        .attempt = i->attempt,
        .mapped = in_plan(s, i->mapped),
        .decision = in_plan(s, decision_text(i)),
        .ready_us = i->ready_us,
        .queued_us = i->queued_us,
        .started_us = i->started_us,
        .ended_us = i->ended_us,
        .retry_at_us = i->retry_at_us,
        .deadline_us = i->deadline_us,
        .deadline_missed_us = i->deadline_missed_us,
        .looks = i->looks,
        .waiting_since_us = i->waiting_since_us,
        .triggered = i->triggered,
    };
}

static struct change *add_change(struct scheduler *s, enum change_kind kind)
{
    struct change *change = vec_add(&s->plan->changes);
    change->kind = kind;
    change->at_us = s->now.wall_us;
    return change;
}

static void emit_dag(struct scheduler *s, struct live_dag *dag)
{
    dag->changed = false;
    struct dag_record record = dag_record_of(dag);
    record.dag_id = in_plan(s, record.dag_id);
    record.file = in_plan(s, record.file);
    record.version = in_plan(s, record.version);
    record.broken = in_plan(s, record.broken);
    add_change(s, CHANGE_DAG)->dag = record;
}

static void emit_backfill(struct scheduler *s, struct live_backfill *b)
{
    b->changed = false;
    struct backfill_record record = b->record;
    record.dag_id = in_plan(s, record.dag_id);
    record.only = in_plan(s, record.only);
    record.conf = in_plan(s, record.conf);
    record.requested_by = in_plan(s, record.requested_by);
    add_change(s, CHANGE_BACKFILL)->backfill = record;
}

static void emit_run(struct scheduler *s, struct run *run)
{
    run->changed = false;
    struct run_record record = run_record_of(s, run);
    if (run->state == RUN_QUEUED && run->reason == REASON_RUN_CREATED) {
        record.reason = run_queued_reason(s, run);
        record.reason_text = reason_text(record.reason);
    }
    add_change(s, CHANGE_RUN)->run = record;
}

static void emit_task(struct scheduler *s, struct instance *i)
{
    if (i->heap)
        task_set_reason(s, i, slots_reason(s, i), NULL);
    i->changed = false;
    struct change *change = add_change(s, CHANGE_TASK);
    change->task.record = task_record_of(s, i);
    change->task.from = i->saved;
    change->task.is_new = i->is_new;
    i->saved = i->state;
    i->is_new = false;
}

void emit_task_record(struct scheduler *s, const struct task_record *record, enum task_state from)
{
    struct change *change = add_change(s, CHANGE_TASK);
    change->task.record = *record;
    change->task.record.task_id = in_plan(s, record->task_id);
    change->task.record.mapped = in_plan(s, record->mapped);
    change->task.from = from;
}

/* Rows in the order in which they refer to each other. */
void emit_changes(struct scheduler *s)
{
    vec_each (dag, &s->changed_dags)
        emit_dag(s, *dag);
    vec_each (b, &s->changed_backfills)
        emit_backfill(s, *b);
    vec_each (run, &s->changed_runs)
        emit_run(s, *run);
    for (size_t n = 0; n < s->changed_tasks.count; n++)
        emit_task(s, s->changed_tasks.at[n]);
    assets_emit(s);
    vec_each (change, &s->attempt_changes)
        vec_push(&s->plan->changes, *change);
    vec_clear(&s->changed_dags);
    vec_clear(&s->changed_backfills);
    vec_clear(&s->changed_runs);
    vec_clear(&s->changed_tasks);
    vec_clear(&s->attempt_changes);
}

struct effect *emit_effect(struct scheduler *s, enum effect_kind kind, const struct run *run)
{
    struct effect *effect = vec_add(&s->plan->effects);
    effect->kind = kind;
    effect->map_index = -1;
    if (run)
        effect->run = run_record_of(s, run);
    return effect;
}

void emit_task_effect(struct scheduler *s, enum effect_kind kind, struct instance *i)
{
    struct effect *effect = emit_effect(s, kind, i->run);
    effect->attempt = i->attempt;
    effect->dag = dag_ref(i->run->shape->dag);
    effect->task = i->task->index;
    effect->try_number = i->try_number;
    effect->number = i->tries_total;
    effect->looks = i->looks;
    effect->map_index = i->map_index;
    effect->mapped = in_plan(s, i->mapped);
    effect->generation = kind == EFFECT_VOID ? i->unsettled_generation : i->attempt_generation;
    effect->fresh_session = i->try_number > 1 || i->lost_count || i->interrupted_count;
    effect->void_before =
        i->unsettled && i->unsettled_generation != i->generation && !PLANTED(VOID_SKIPPED);
    effect->void_generation = i->unsettled_generation;
    effect->why = i->reason;
}

void emit_attempt(struct scheduler *s, const struct instance *i,
    const struct attempt_result *result, const char *outcome)
{
    struct change *change = vec_add(&s->attempt_changes);
    change->kind = CHANGE_ATTEMPT;
    change->at_us = s->now.wall_us;
    struct attempt_record *record = &change->attempt;
    *record = (struct attempt_record){
        .id = i->attempt,
        .run = i->run->id,
        .task_id = in_plan(s, i->task->task_id),
        .map_index = i->map_index,
        .generation = i->attempt_generation,
        .try_number = i->try_number,
        .number = i->tries_total,
        .state = result                       ? ATTEMPT_ENDED
                 : i->started_us != TIME_NONE ? ATTEMPT_RUNNING
                                              : ATTEMPT_QUEUED,
        .outcome = outcome,
        .version = in_plan(s, i->attempt_version),
        .queued_us = i->queued_us,
        .started_us = i->started_us,
        .ended_us = result ? i->ended_us : TIME_NONE,
        .exit_code = -1,
        .log = log_path_of(s->plan->arena, i->run->dag->dag_id, i->run->run_id, i->task->task_id,
            i->map_index, i->tries_total),
    };
    if (!result)
        return;
    record->message = in_plan(s, result->message);
    record->sqlstate = result->sqlstate[0] ? in_plan(s, result->sqlstate) : NULL;
    record->exit_code = result->exit_code;
    record->place = in_plan(s, result->place);
    record->detail = in_plan(s, result->detail);
    record->xcom = in_plan(s, result->xcom);
}
