#include "store/record.h"

#include "scheduler/plan.h"
#include "store/store.h"

#define COLUMN(record, member, type_)                                                              \
    {                                                                                              \
#member, COLUMN_##type_, offsetof(struct record, member)                                   \
    }
#define COLUMN_AS(record, name_, member, type_)                                                    \
    {                                                                                              \
        name_, COLUMN_##type_, offsetof(struct record, member)                                     \
    }

static const struct record_column run_columns[] = {
    COLUMN_AS(run_record, "id", id, INT64),
    COLUMN(run_record, dag_id, TEXT),
    COLUMN(run_record, run_id, TEXT),
    COLUMN(run_record, type, RUN_TYPE),
    COLUMN(run_record, state, RUN_STATE),
    COLUMN(run_record, reason, REASON),
    COLUMN(run_record, reason_text, TEXT),
    COLUMN(run_record, logical_us, INT64),
    COLUMN(run_record, interval_start_us, TIME),
    COLUMN(run_record, interval_end_us, TIME),
    COLUMN(run_record, run_after_us, TIME),
    COLUMN(run_record, queued_us, TIME),
    COLUMN(run_record, started_us, TIME),
    COLUMN(run_record, ended_us, TIME),
    COLUMN(run_record, conf, TEXT),
    COLUMN(run_record, version, TEXT),
    COLUMN(run_record, triggered_by, TEXT),
    COLUMN(run_record, backfill_id, INT64),
    COLUMN(run_record, note, TEXT),
    COLUMN(run_record, deadline_us, TIME),
    COLUMN(run_record, deadline_missed_us, TIME),
    COLUMN(run_record, keeps_version, BOOL),
    COLUMN_AS(run_record, "maker_run", maker.run, INT64),
    COLUMN_AS(run_record, "maker_task", maker.task_id, TEXT),
    COLUMN_AS(run_record, "maker_index", maker.map_index, INT32),
    COLUMN_AS(run_record, "maker_generation", maker.generation, INT64),
};

static const struct record_column task_columns[] = {
    COLUMN_AS(task_record, "run", run, INT64),
    COLUMN(task_record, task_id, TEXT),
    COLUMN(task_record, map_index, INT32),
    COLUMN(task_record, state, TASK_STATE),
    COLUMN(task_record, reason, REASON),
    COLUMN(task_record, reason_text, TEXT),
    COLUMN(task_record, try_number, INT32),
    COLUMN(task_record, max_tries, INT32),
    COLUMN(task_record, tries_total, INT32),
    COLUMN(task_record, lost_count, INT32),
    COLUMN(task_record, interrupted_count, INT32),
    COLUMN(task_record, generation, INT64),
    COLUMN(task_record, unsettled, BOOL),
    COLUMN(task_record, unsettled_generation, INT64),
    COLUMN_AS(task_record, "attempt", attempt, UUID),
    COLUMN(task_record, decision, TEXT),
    COLUMN(task_record, mapped, TEXT),
    COLUMN(task_record, ready_us, TIME),
    COLUMN(task_record, queued_us, TIME),
    COLUMN(task_record, started_us, TIME),
    COLUMN(task_record, ended_us, TIME),
    COLUMN(task_record, retry_at_us, TIME),
    COLUMN(task_record, deadline_us, TIME),
    COLUMN(task_record, deadline_missed_us, TIME),
    COLUMN(task_record, looks, INT32),
    COLUMN(task_record, waiting_since_us, TIME),
    COLUMN_AS(task_record, "triggered", triggered, INT64),
};

static const struct record_column attempt_columns[] = {
    COLUMN_AS(attempt_record, "id", id, UUID),
    COLUMN_AS(attempt_record, "run", run, INT64),
    COLUMN(attempt_record, task_id, TEXT),
    COLUMN(attempt_record, map_index, INT32),
    COLUMN(attempt_record, generation, INT64),
    COLUMN(attempt_record, try_number, INT32),
    COLUMN(attempt_record, number, INT32),
    COLUMN(attempt_record, state, ATTEMPT_STATE),
    COLUMN(attempt_record, outcome, TEXT),
    COLUMN(attempt_record, version, TEXT),
    COLUMN(attempt_record, queued_us, TIME),
    COLUMN(attempt_record, started_us, TIME),
    COLUMN(attempt_record, ended_us, TIME),
    COLUMN(attempt_record, message, TEXT),
    COLUMN(attempt_record, sqlstate, TEXT),
    COLUMN(attempt_record, exit_code, INT32),
    COLUMN(attempt_record, place, TEXT),
    COLUMN(attempt_record, detail, TEXT),
    COLUMN(attempt_record, log, TEXT),
    COLUMN(attempt_record, xcom, TEXT),
};

static const struct record_column dag_columns[] = {
    COLUMN(dag_record, dag_id, TEXT),
    COLUMN(dag_record, file, TEXT),
    COLUMN(dag_record, version, TEXT),
    COLUMN(dag_record, paused, BOOL),
    COLUMN(dag_record, removed, BOOL),
    COLUMN(dag_record, pause_reason, REASON),
    COLUMN(dag_record, covered_until_us, TIME),
    COLUMN(dag_record, last_logical_us, TIME),
    COLUMN(dag_record, consecutive_failures, INT32),
    COLUMN(dag_record, broken, TEXT),
};

static const struct record_column backfill_columns[] = {
    COLUMN(backfill_record, id, INT64),
    COLUMN(backfill_record, dag_id, TEXT),
    COLUMN(backfill_record, from_us, INT64),
    COLUMN(backfill_record, to_us, INT64),
    COLUMN(backfill_record, cursor_us, TIME),
    COLUMN(backfill_record, only, TEXT),
    COLUMN(backfill_record, reverse, BOOL),
    COLUMN(backfill_record, max_active_runs, INT32),
    COLUMN(backfill_record, conf, TEXT),
    COLUMN(backfill_record, finished, BOOL),
    COLUMN(backfill_record, created_count, INT32),
    COLUMN(backfill_record, requested_us, TIME),
    COLUMN(backfill_record, ended_us, TIME),
    COLUMN(backfill_record, requested_by, TEXT),
};

static const struct record_column asset_event_columns[] = {
    COLUMN(asset_event_record, id, INT64),
    COLUMN(asset_event_record, asset, TEXT),
    COLUMN(asset_event_record, at_us, INT64),
    COLUMN_AS(asset_event_record, "run", run, INT64),
    COLUMN(asset_event_record, dag_id, TEXT),
    COLUMN(asset_event_record, run_id, TEXT),
    COLUMN(asset_event_record, task_id, TEXT),
    COLUMN(asset_event_record, map_index, INT32),
    COLUMN(asset_event_record, logical_us, TIME),
    COLUMN(asset_event_record, interval_start_us, TIME),
    COLUMN(asset_event_record, interval_end_us, TIME),
    COLUMN(asset_event_record, extra, TEXT),
    COLUMN(asset_event_record, made_by, TEXT),
};

static const struct record_column asset_queue_columns[] = {
    COLUMN(asset_queue_record, dag_id, TEXT),
    COLUMN(asset_queue_record, asset, TEXT),
    COLUMN(asset_queue_record, after_event, INT64),
    COLUMN(asset_queue_record, last_event, INT64),
    COLUMN(asset_queue_record, first_us, TIME),
    COLUMN(asset_queue_record, last_us, TIME),
    COLUMN(asset_queue_record, count, INT32),
};

static const struct record_column run_asset_columns[] = {
    COLUMN_AS(run_asset_record, "run", run, INT64),
    COLUMN(run_asset_record, asset, TEXT),
    COLUMN(run_asset_record, after_event, INT64),
    COLUMN(run_asset_record, last_event, INT64),
};

static const struct record_column setting_columns[] = {
    COLUMN(setting_record, name, TEXT),
    COLUMN(setting_record, value, TEXT),
    COLUMN(setting_record, sealed, BOOL),
    COLUMN(setting_record, description, TEXT),
    COLUMN(setting_record, changed_by, TEXT),
    COLUMN(setting_record, changed_us, INT64),
};

static const struct record_column transition_columns[] = {
    COLUMN_AS(transition_record, "run", run, INT64),
    COLUMN(transition_record, task_id, TEXT),
    COLUMN(transition_record, map_index, INT32),
    COLUMN(transition_record, at_us, INT64),
    COLUMN(transition_record, from_state, TEXT),
    COLUMN(transition_record, to_state, TEXT),
    COLUMN(transition_record, reason, REASON),
    COLUMN(transition_record, reason_text, TEXT),
};

static const struct record_column request_columns[] = {
    COLUMN(request_record, uuid, TEXT),
    COLUMN(request_record, kind, TEXT),
    COLUMN(request_record, user, TEXT),
    COLUMN(request_record, dag_id, TEXT),
    COLUMN(request_record, request, TEXT),
    COLUMN(request_record, outcome, TEXT),
    COLUMN(request_record, status, TEXT),
    COLUMN(request_record, at_us, INT64),
};

#define TABLE(record, name_, columns_, key_count_)                                                 \
    {                                                                                              \
        name_, sizeof(struct record), columns_, ARRAY_SIZE(columns_), key_count_                   \
    }

const struct record_table record_run = TABLE(run_record, "run", run_columns, 1);
const struct record_table record_task = TABLE(task_record, "task_instance", task_columns, 3);
const struct record_table record_attempt = TABLE(attempt_record, "attempt", attempt_columns, 1);
const struct record_table record_dag = TABLE(dag_record, "dag", dag_columns, 1);
const struct record_table record_backfill = TABLE(backfill_record, "backfill", backfill_columns, 1);
const struct record_table record_asset_event =
    TABLE(asset_event_record, "asset_event", asset_event_columns, 1);
const struct record_table record_asset_queue =
    TABLE(asset_queue_record, "asset_queue", asset_queue_columns, 2);
const struct record_table record_run_asset =
    TABLE(run_asset_record, "run_asset", run_asset_columns, 2);
const struct record_table record_setting = TABLE(setting_record, "setting", setting_columns, 1);
const struct record_table record_transition =
    TABLE(transition_record, "transition", transition_columns, 0);
const struct record_table record_request = TABLE(request_record, "request", request_columns, 1);

void record_copy(const struct record_table *table, void *to, const void *from, struct arena *arena)
{
    memcpy(to, from, table->size);
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].type != COLUMN_TEXT)
            continue;
        const char **text = (const char **)(void *)((char *)to + table->columns[i].offset);
        *text = arena_strdup(arena, *text);
    }
}
