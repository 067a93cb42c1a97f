/* Assets: what tasks update, and the runs that follow from it. */
#include "language/timetable/timetable.h"
#include "scheduler/internal.h"

/* ---- who is scheduled on what ---- */

static struct live_asset *asset_make(struct scheduler *s, const char *name)
{
    struct live_asset *asset = map_get(s->assets, name);
    if (!asset) {
        asset = mem_alloc_zero(1, sizeof *asset);
        asset->name = keep(s, name);
        map_set(s->assets, name, asset);
    }
    return asset;
}

static void leave(struct scheduler *s, struct live_dag *dag, const char *name)
{
    struct live_asset *asset = map_get(s->assets, name);
    for (size_t n = 0; asset && n < asset->consumers.count; n++)
        if (asset->consumers.at[n] == dag) {
            vec_remove(&asset->consumers, n);
            return;
        }
}

void assets_leave(struct scheduler *s, struct live_dag *dag)
{
    vec_each (queue, &dag->assets)
        if (queue->wanted)
            leave(s, dag, queue->record.asset);
}

void assets_free(struct scheduler *s)
{
    size_t cursor = 0;
    void *value;
    while (map_next(s->assets, &cursor, NULL, &value)) {
        struct live_asset *asset = value;
        vec_done(&asset->consumers);
        mem_free(asset);
    }
    map_free(s->assets);
    vec_done(&s->changed_assets);
    vec_done(&s->asset_changes);
}

static struct asset_queue *queue_find(struct live_dag *dag, const char *asset)
{
    vec_each (queue, &dag->assets)
        if (str_equal(queue->record.asset, asset))
            return queue;
    return NULL;
}

static struct asset_queue *queue_make(
    struct scheduler *s, struct live_dag *dag, const char *asset, int64_t after_event)
{
    struct asset_queue *queue = vec_add(&dag->assets);
    *queue = (struct asset_queue){.record = {.dag_id = dag->dag_id,
                                      .asset = keep(s, asset),
                                      .after_event = after_event,
                                      .first_us = TIME_NONE,
                                      .last_us = TIME_NONE}};
    return queue;
}

static void queue_changed(struct scheduler *s, struct live_dag *dag, struct asset_queue *queue)
{
    queue->changed = true;
    if (dag->assets_changed)
        return;
    dag->assets_changed = true;
    vec_push(&s->changed_assets, dag);
}

/* What is queued counts as consumed. */
static void queue_empty(struct scheduler *s, struct live_dag *dag, struct asset_queue *queue)
{
    struct asset_queue_record *record = &queue->record;
    if (!record->last_event)
        return;
    record->after_event = record->last_event;
    record->last_event = 0;
    record->count = 0;
    record->first_us = record->last_us = TIME_NONE;
    queue_changed(s, dag, queue);
}

void assets_adopt(struct scheduler *s, struct live_dag *dag)
{
    const struct dag *version = dag->newest ? dag->newest->dag : NULL;
    assets_leave(s, dag);
    vec_each (queue, &dag->assets)
        queue->wanted = false;
    for (size_t n = 0; version && n < version->asset_names.count; n++) {
        const char *name = version->asset_names.at[n];
        struct asset_queue *queue = queue_find(dag, name);
        if (!queue) {
            queue = queue_make(s, dag, name, s->next_asset_event - 1);
            queue_changed(s, dag, queue);
        }
        queue->wanted = true;
        vec_push(&asset_make(s, name)->consumers, dag);
    }
    vec_each (queue, &dag->assets)
        if (!queue->wanted)
            queue_empty(s, dag, queue);
}

enum status scheduler_load_asset_queue(
    struct scheduler *s, const struct asset_queue_record *record, struct error *err)
{
    struct live_dag *dag = dag_find(s, record->dag_id);
    if (!dag)
        return error_set(err, ERR_NOT_FOUND, "DAG `%s` is not loaded", record->dag_id);
    struct asset_queue *queue = queue_find(dag, record->asset);
    if (PLANTED(ASSET_QUEUE_LOST))
        return OK;
    if (!queue)
        queue = queue_make(s, dag, record->asset, 0);
    queue->record = *record;
    queue->record.dag_id = dag->dag_id;
    queue->record.asset = keep(s, record->asset);
    queue->changed = false;
    if (!dag->newest && !queue->wanted) {
        /* its file cannot be read now: until it can, the rows say what it was scheduled on */
        queue->wanted = true;
        vec_push(&asset_make(s, record->asset)->consumers, dag);
    }
    if (!queue->wanted)
        queue_empty(s, dag, queue);
    dag_wants_step(s, dag);
    return OK;
}

/* ---- events ---- */

/* As Airflow's AssetManager: an event does not queue for a paused DAG, but the run that a later one
   makes is given it too, because a run consumes all since the run before. */
static bool queue_event(
    struct scheduler *s, struct live_dag *dag, const struct asset_event_record *event)
{
    struct asset_queue *queue = queue_find(dag, event->asset);
    if (dag->paused || dag->removed || !queue)
        return false;
    struct asset_queue_record *record = &queue->record;
    record->last_event = event->id;
    record->last_us = s->schedule_us; /* it becomes a logical date */
    if (record->first_us == TIME_NONE)
        record->first_us = record->last_us;
    record->count += record->count < INT32_MAX;
    queue_changed(s, dag, queue);
    dag_wants_step(s, dag);
    return true;
}

/* Records the event and queues it; `out` gets the DAGs it was queued for, when not NULL. */
static void add_event(
    struct scheduler *s, struct asset_event_record *event, struct json_writer *out)
{
    event->id = s->next_asset_event++;
    event->at_us = s->now.wall_us;
    struct change *change = vec_add(&s->asset_changes);
    change->kind = CHANGE_ASSET_EVENT;
    change->at_us = event->at_us;
    change->asset_event = *event;
    struct live_asset *asset = map_get(s->assets, event->asset);
    for (size_t n = 0; asset && n < asset->consumers.count; n++) {
        struct live_dag *dag = asset->consumers.at[n];
        if (queue_event(s, dag, event) && out)
            json_str(out, dag->dag_id);
    }
}

void assets_update(struct scheduler *s, const struct instance *i)
{
    const struct run *run = i->run;
    for (size_t n = 0; n < i->task->data->outlets.count; n++) {
        struct asset_event_record event = {
            .asset = in_plan(s, i->task->data->outlets.at[n]),
            .run = run->id,
            .dag_id = in_plan(s, run->dag->dag_id),
            .run_id = in_plan(s, run->run_id),
            .task_id = in_plan(s, i->task->task_id),
            .map_index = i->map_index,
            .logical_us = run->logical_us,
            .interval_start_us = run->interval_start_us,
            .interval_end_us = run->interval_end_us,
            .extra = "{}",
            .made_by = "scheduler",
        };
        add_event(s, &event, NULL);
    }
}

/* ---- runs ---- */

static bool is_met(struct live_dag *dag, const struct asset_expr *expr)
{
    if (expr->op == ASSET_ONE) {
        const struct asset_queue *queue = queue_find(dag, expr->name);
        return queue && queue->record.last_event;
    }
    bool all = expr->op == ASSET_ALL;
    for (size_t n = 0; n < expr->count; n++)
        if (is_met(dag, &expr->items[n]) != all)
            return !all;
    return all;
}

/* The events of every asset since the last run, also of those that need not have been updated. */
static void consume(struct scheduler *s, struct live_dag *dag, const struct run *run)
{
    vec_each (queue, &dag->assets) {
        if (!queue->record.last_event)
            continue;
        struct change *change = vec_add(&s->asset_changes);
        change->kind = CHANGE_RUN_ASSET;
        change->at_us = s->now.wall_us;
        change->run_asset = (struct run_asset_record){.run = run->id,
            .asset = in_plan(s, queue->record.asset),
            .after_event = queue->record.after_event,
            .last_event = queue->record.last_event};
        queue_empty(s, dag, queue);
    }
}

/* The time of the event that completed what is asked for; a microsecond later when that date is
   taken.  Dates of such runs never go back. */
static int64_t completed_us(const struct live_dag *dag)
{
    int64_t us = TIME_NONE;
    vec_each (queue, &dag->assets)
        if (queue->record.last_event && queue->record.last_us > us)
            us = queue->record.last_us;
    if (dag->last_logical_us != TIME_NONE && us <= dag->last_logical_us)
        us = dag->last_logical_us + 1;
    while (dates_find(dag, us))
        us++;
    return us;
}

static bool may_run(const struct scheduler *s, const struct live_dag *dag)
{
    const struct dag *version = dag->newest ? dag->newest->dag : NULL;
    return version && version->assets && !dag->paused && !dag->removed && !s->no_schedules &&
           !schedules_hold(s) && map_count(s->runs) < RUNS_MAX &&
           dag->asset_runs < version->max_active_runs;
}

void assets_step(struct scheduler *s, struct live_dag *dag)
{
    if (!may_run(s, dag) || !is_met(dag, dag->newest->dag->assets))
        return;
    int64_t logical_us = completed_us(dag);
    struct run *run = run_create(s, &(struct run_spec){.dag = dag,
                                        .type = RUN_TYPE_ASSET,
                                        .logical_us = logical_us,
                                        .interval_start_us = logical_us,
                                        .interval_end_us = logical_us,
                                        .run_after_us = logical_us});
    consume(s, dag, run);
    dag->last_logical_us = logical_us;
    dag_changed(s, dag);
    run_link(s, run);
    run_queue(s, run);
}

/* ---- by hand ---- */

static bool is_known(const struct scheduler *s, const char *asset)
{
    size_t cursor = 0;
    void *value;
    const struct live_asset *live = map_get(s->assets, asset);
    if (live && live->consumers.count)
        return true;
    while (map_next(s->dags, &cursor, NULL, &value)) {
        const struct live_dag *dag = value;
        for (uint32_t n = 0; dag->newest && n < dag->newest->dag->task_count; n++) {
            const struct task *task = &dag->newest->dag->tasks[n];
            if (names_have(&task->data->outlets, asset) || names_have(&task->data->inlets, asset))
                return true;
        }
    }
    return false;
}

enum status request_asset_event(
    struct scheduler *s, const struct request *request, struct json_writer *out, struct error *err)
{
    if (!request->asset || !is_known(s, request->asset)) {
        error_set(err, ERR_NOT_FOUND, "no DAG makes, reads or is scheduled on an asset `%s`",
            request->asset ? request->asset : "");
        error_hint(err, "`dag asset list` shows those there are");
        return ERR_NOT_FOUND;
    }
    json_kv_str(out, "asset", request->asset);
    if (request->dry_run)
        return OK;
    struct asset_event_record event = {.asset = in_plan(s, request->asset),
        .map_index = -1,
        .logical_us = TIME_NONE,
        .interval_start_us = TIME_NONE,
        .interval_end_us = TIME_NONE,
        .extra = request->extra ? in_plan(s, request->extra) : "{}",
        .made_by = in_plan(s, request->user)};
    json_kv_int(out, "event", s->next_asset_event);
    json_key(out, "queued_for");
    json_array_begin(out);
    add_event(s, &event, out);
    json_array_end(out);
    return OK;
}

/* ---- rows ---- */

static void emit_queues(struct scheduler *s, struct live_dag *dag)
{
    dag->assets_changed = false;
    vec_each (queue, &dag->assets) {
        if (!queue->changed)
            continue;
        queue->changed = false;
        struct change *change = vec_add(&s->plan->changes);
        change->kind = CHANGE_ASSET_QUEUE;
        change->at_us = s->now.wall_us;
        change->asset_queue = queue->record;
        change->asset_queue.dag_id = in_plan(s, queue->record.dag_id);
        change->asset_queue.asset = in_plan(s, queue->record.asset);
    }
}

void assets_emit(struct scheduler *s)
{
    vec_each (change, &s->asset_changes)
        vec_push(&s->plan->changes, *change);
    vec_clear(&s->asset_changes);
    vec_each (dag, &s->changed_assets)
        emit_queues(s, *dag);
    vec_clear(&s->changed_assets);
}
