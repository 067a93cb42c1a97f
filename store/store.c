#include "store/store.h"

#include "base/vec.h"
#include "store/backend.h"
#include "store/limits.h"

void store_close(struct store *store)
{
    if (store)
        store->backend->close(store);
}

enum status store_apply(
    struct store *store, const struct plan *plan, int64_t batch, struct error *err)
{
    return store->backend->apply(store, plan, batch, err);
}

enum status store_last_batch(struct store *store, int64_t *ret, struct error *err)
{
    return store->backend->last_batch(store, ret, err);
}

enum status store_read_meta(struct store *store, struct store_meta *ret, struct error *err)
{
    return store->backend->meta(store, ret, err);
}

/* ---- queries --------------------------------------------------------------------------------- */

static void where_text(struct record_query *query, const char *column, const char *text)
{
    query->conditions[query->condition_count++] =
        (struct record_condition){.column = column, .op = IS, .by = BY_TEXT, .text = text};
}

static void where_int(struct record_query *query, const char *column, int op, int64_t number)
{
    query->conditions[query->condition_count++] =
        (struct record_condition){.column = column, .op = op, .by = BY_INT, .number = number};
}

static void where_states(struct record_query *query, unsigned states)
{
    query->conditions[query->condition_count++] = (struct record_condition){
        .column = "state", .op = IS_ANY_OF_STATES, .by = BY_INT, .states = states};
}

/* Runs a query into one of the `struct …_rows`, which all have the shape of record_rows. */
#define SELECT(store, query, arena, ret, err)                                                      \
    ({                                                                                             \
        struct record_rows rows_ = {0};                                                            \
        enum status status_ = (store)->backend->select((store), (query), (arena), &rows_, (err));  \
        (ret)->at = rows_.at;                                                                      \
        (ret)->count = rows_.count;                                                                \
        status_;                                                                                   \
    })

enum status store_read_runs(struct store *store, const struct run_filter *filter,
    struct arena *arena, struct run_rows *ret, struct error *err)
{
    struct record_query query = {.table = &record_run,
        .order_by = {"logical_us", "id"},
        .descending = !filter->oldest_first,
        .limit = filter->limit ? filter->limit : STORE_ROWS_MAX};
    if (filter->dag_id)
        where_text(&query, "dag_id", filter->dag_id);
    if (filter->run_id)
        where_text(&query, "run_id", filter->run_id);
    if (filter->has_from)
        where_int(&query, "logical_us", AT_LEAST, filter->from_us);
    if (filter->has_to)
        where_int(&query, "logical_us", AT_MOST, filter->to_us);
    if (filter->states)
        where_states(&query, filter->states);
    if (filter->backfill_id)
        where_int(&query, "backfill_id", IS, filter->backfill_id);
    return SELECT(store, &query, arena, ret, err);
}

enum status store_read_runs_over(struct store *store, const char *dag_id, int64_t from_us,
    int64_t to_us, struct arena *arena, struct run_rows *ret, struct error *err)
{
    struct record_query query = {
        .table = &record_run, .order_by = {"interval_end_us", "id"}, .limit = STORE_ROWS_MAX};
    where_text(&query, "dag_id", dag_id);
    where_int(&query, "interval_end_us", AT_LEAST, from_us);
    where_int(&query, "interval_start_us", AT_MOST, to_us);
    return SELECT(store, &query, arena, ret, err);
}

enum status store_read_tasks(struct store *store, struct run_id run, struct arena *arena,
    struct task_rows *ret, struct error *err)
{
    struct record_query query = {
        .table = &record_task, .order_by = {"task_id", "map_index"}, .limit = STORE_ROWS_MAX};
    where_int(&query, "run", IS, run.v);
    return SELECT(store, &query, arena, ret, err);
}

void task_rows_leave_expanded(struct task_rows *rows)
{
    size_t kept = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct task_record *task = &rows->at[i];
        if (task->state != TASK_REMOVED || task->reason != REASON_EXPANDED)
            rows->at[kept++] = *task;
    }
    rows->count = kept;
}

enum status store_read_instances(struct store *store, struct run_id run, const char *task_id,
    struct arena *arena, struct task_rows *ret, struct error *err)
{
    struct record_query query = {
        .table = &record_task, .order_by = {"map_index"}, .limit = STORE_ROWS_MAX};
    where_int(&query, "run", IS, run.v);
    where_text(&query, "task_id", task_id);
    return SELECT(store, &query, arena, ret, err);
}

enum status store_read_attempts(struct store *store, struct run_id run, const char *task_id,
    struct arena *arena, struct attempt_rows *ret, struct error *err)
{
    struct record_query query = {
        .table = &record_attempt, .order_by = {"queued_us", "number"}, .limit = STORE_ROWS_MAX};
    where_int(&query, "run", IS, run.v);
    if (task_id)
        where_text(&query, "task_id", task_id);
    return SELECT(store, &query, arena, ret, err);
}

enum status store_read_live_attempts(
    struct store *store, struct arena *arena, struct attempt_rows *ret, struct error *err)
{
    struct record_query query = {
        .table = &record_attempt, .order_by = {"queued_us", "number"}, .limit = STORE_ROWS_MAX};
    where_int(&query, "ended_us", IS, TIME_NONE);
    return SELECT(store, &query, arena, ret, err);
}

enum status store_read_dags(
    struct store *store, struct arena *arena, struct dag_rows *ret, struct error *err)
{
    struct record_query query = {
        .table = &record_dag, .order_by = {"dag_id"}, .limit = STORE_ROWS_MAX};
    return SELECT(store, &query, arena, ret, err);
}

enum status store_read_backfills(struct store *store, bool live_only, struct arena *arena,
    struct backfill_rows *ret, struct error *err)
{
    struct record_query query = {
        .table = &record_backfill, .order_by = {"id"}, .limit = STORE_ROWS_MAX};
    if (live_only)
        where_int(&query, "finished", IS, 0);
    return SELECT(store, &query, arena, ret, err);
}

enum status store_read_transitions(struct store *store, struct run_id run, const char *task_id,
    struct arena *arena, struct transition_rows *ret, struct error *err)
{
    struct record_query query = {
        .table = &record_transition, .order_by = {"at_us"}, .limit = STORE_ROWS_MAX};
    where_int(&query, "run", IS, run.v);
    if (task_id)
        where_text(&query, "task_id", task_id);
    return SELECT(store, &query, arena, ret, err);
}

enum status store_read_requests(struct store *store, const char *uuid, size_t limit,
    struct arena *arena, struct request_rows *ret, struct error *err)
{
    struct record_query query = {.table = &record_request,
        .order_by = {"at_us", "uuid"},
        .descending = true,
        .limit = limit ? limit : STORE_ROWS_MAX};
    if (uuid)
        where_text(&query, "uuid", uuid);
    return SELECT(store, &query, arena, ret, err);
}

enum status store_read_xcom(struct store *store, struct run_id run, const char *task_id,
    int32_t map_index, struct arena *arena, const char **ret, struct error *err)
{
    struct record_query query = {.table = &record_attempt,
        .order_by = {"queued_us", "number"},
        .descending = true,
        .limit = 1};
    where_int(&query, "run", IS, run.v);
    where_text(&query, "task_id", task_id);
    where_int(&query, "map_index", IS, map_index);
    where_text(&query, "outcome", "success");
    struct attempt_rows rows = {0};
    enum status status = SELECT(store, &query, arena, &rows, err);
    if (status == OK)
        *ret = rows.count ? rows.at[0].xcom : NULL;
    return status;
}

enum status store_read_asset_events(struct store *store, const char *asset, size_t limit,
    struct arena *arena, struct asset_event_rows *ret, struct error *err)
{
    struct record_query query = {.table = &record_asset_event,
        .order_by = {"id"},
        .descending = true,
        .limit = limit ? limit : STORE_ROWS_MAX};
    if (asset)
        where_text(&query, "asset", asset);
    return SELECT(store, &query, arena, ret, err);
}

static enum status read_consumed(struct store *store, const struct run_asset_record *consumed,
    struct arena *arena, struct asset_event_rows *ret, struct error *err)
{
    struct record_query query = {
        .table = &record_asset_event, .order_by = {"id"}, .limit = STORE_ROWS_MAX};
    where_text(&query, "asset", consumed->asset);
    where_int(&query, "id", AT_LEAST, consumed->after_event + 1);
    where_int(&query, "id", AT_MOST, consumed->last_event);
    return SELECT(store, &query, arena, ret, err);
}

enum status store_read_run_asset_events(struct store *store, struct run_id run, struct arena *arena,
    struct asset_event_rows *ret, struct error *err)
{
    struct record_query query = {
        .table = &record_run_asset, .order_by = {"asset"}, .limit = STORE_ROWS_MAX};
    struct run_asset_rows {
        struct run_asset_record *at;
        size_t count;
    } assets = {0};
    where_int(&query, "run", IS, run.v);
    enum status status = SELECT(store, &query, arena, &assets, err);
    VEC(struct asset_event_record) all = {0};
    for (size_t i = 0; status == OK && i < assets.count; i++) {
        struct asset_event_rows rows = {0};
        status = read_consumed(store, &assets.at[i], arena, &rows, err);
        for (size_t j = 0; status == OK && j < rows.count; j++)
            vec_push(&all, rows.at[j]);
    }
    if (status == OK)
        *ret = (struct asset_event_rows){
            arena_memdup(arena, all.at, all.count * sizeof(*all.at)), all.count};
    vec_done(&all);
    return status;
}

enum status store_read_asset_queues(struct store *store, const char *dag_id, struct arena *arena,
    struct asset_queue_rows *ret, struct error *err)
{
    struct record_query query = {
        .table = &record_asset_queue, .order_by = {"dag_id", "asset"}, .limit = STORE_ROWS_MAX};
    if (dag_id)
        where_text(&query, "dag_id", dag_id);
    return SELECT(store, &query, arena, ret, err);
}

enum status store_read_settings(
    struct store *store, struct arena *arena, struct setting_rows *ret, struct error *err)
{
    struct record_query query = {
        .table = &record_setting, .order_by = {"name"}, .limit = STORE_ROWS_MAX};
    return SELECT(store, &query, arena, ret, err);
}

enum status store_read_previous_success(struct store *store, const char *dag_id, int64_t before_us,
    struct arena *arena, struct run_rows *ret, struct error *err)
{
    struct record_query query = {
        .table = &record_run, .order_by = {"logical_us"}, .descending = true, .limit = 1};
    where_text(&query, "dag_id", dag_id);
    where_states(&query, 1u << RUN_SUCCESS);
    where_int(&query, "logical_us", BELOW, before_us);
    return SELECT(store, &query, arena, ret, err);
}

bool change_transition(const struct change *change, struct transition_record *ret)
{
    if (change->kind == CHANGE_TASK) {
        const struct task_record *task = &change->task.record;
        if (change->task.is_new && task->state == TASK_NONE)
            return false; /* being there is no history */
        if (task_record_looks_again(task))
            return false;
        *ret = (struct transition_record){.run = task->run,
            .task_id = task->task_id,
            .map_index = task->map_index,
            .from_state = task_state_name(change->task.from),
            .to_state = task_state_name(task->state),
            .reason = task->reason,
            .reason_text = task->reason_text};
    } else if (change->kind == CHANGE_RUN) {
        const struct run_record *run = &change->run;
        *ret = (struct transition_record){.run = run->id,
            .task_id = "",
            .map_index = -1,
            .from_state = "",
            .to_state = run_state_name(run->state),
            .reason = run->reason,
            .reason_text = run->reason_text};
    } else {
        return false;
    }
    ret->at_us = change->at_us;
    return true;
}
