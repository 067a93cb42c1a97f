#include <assert.h>

#include "base/file.h"
#include "daemon/engine_internal.h"
#include "daemon/limits.h"
#include "daemon/request.h"
#include "daemon/settings.h"
#include "executor/facts.h"
#include "executor/looks.h"
#include "executor/xcom.h"

/* Who waits for a request's outcome. */
struct waiter {
    engine_answer *answer;
    void *user;
};

const struct scheduler *engine_scheduler(const struct engine *engine)
{
    return engine->scheduler;
}

struct store *engine_reader(struct engine *engine)
{
    return engine->reader;
}

const struct project *engine_project(const struct engine *engine)
{
    return engine->project;
}

/* ---- failing --------------------------------------------------------------------------------- */

/* Whoever waits for an outcome is told that it may never come. */
static void answer_all(struct engine *engine, const struct error *cause)
{
    struct map *waiters = engine->waiters;
    struct error err;
    size_t cursor = 0;
    const char *uuid;
    void *value;
    error_set(&err, ERR_STORE, "the act could not be recorded: %s", cause->message);
    error_hint(&err, "when that is mended, `dag status` shows whether it was carried out");
    engine->waiters = map_new();
    while (map_next(waiters, &cursor, &uuid, &value)) {
        struct waiter *waiter = value;
        waiter->answer(waiter->user, "{}", &err);
        mem_free(waiter);
    }
    map_free(waiters);
}

static void fail(struct engine *engine, const struct error *err)
{
    if (engine->failing)
        return;
    engine->failing = true;
    engine->options.failed(engine->options.user, err);
    answer_all(engine, err);
}

/* ---- effects --------------------------------------------------------------------------------- */

static void answer_waiter(
    struct engine *engine, const char *uuid, enum status status, const char *outcome)
{
    struct waiter *waiter = uuid ? map_remove(engine->waiters, uuid) : NULL;
    if (!waiter)
        return;
    struct error err = {0};
    if (status != OK) {
        json_t *tree = NULL;
        const char *message = NULL, *hint = NULL;
        if (outcome && json_parse(outcome, strlen(outcome), NULL, &tree, NULL) == OK) {
            message = json_string_value(json_object_get(tree, "message"));
            hint = json_string_value(json_object_get(tree, "hint"));
        }
        error_set(&err, status, "%s", message ? message : status_info(status)->meaning);
        if (hint)
            error_hint(&err, "%s", hint);
        json_decref(tree);
    }
    waiter->answer(waiter->user, outcome ? outcome : "{}", status == OK ? NULL : &err);
    mem_free(waiter);
}

/* Whether what the store has of the run is out of date: it has run again meanwhile. */
static bool changes_next(const struct engine *engine, const struct run_record *wanted)
{
    vec_each (change, &engine->plan.changes)
        if (change->kind == CHANGE_RUN && change->run.logical_us == wanted->logical_us &&
            str_equal(change->run.dag_id, wanted->dag_id))
            return true;
    return false;
}

/* A run that the scheduler asks for; one that is changing with the next batch, after that. */
static void load_wanted_run(struct engine *engine, const struct effect *effect)
{
    const struct run_record *wanted = &effect->run;
    if (changes_next(engine, wanted)) {
        struct effect later = *effect;
        later.run.dag_id = arena_strdup(engine->plan.arena, wanted->dag_id);
        vec_push(&engine->plan.effects, later);
        return;
    }
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err;
    struct run_rows rows;
    struct run_filter filter = {.dag_id = wanted->dag_id,
        .has_from = true,
        .from_us = wanted->logical_us,
        .has_to = true,
        .to_us = wanted->logical_us};
    enum status status = store_read_runs(engine->reader, &filter, arena, &rows, &err);
    if (status == OK && rows.count)
        status = engine_load_run(engine, &rows.at[0], &err);
    if (status != OK) {
        fail(engine, &err);
        return;
    }
    engine_apply(engine,
        &(struct event){
            .kind = EVENT_RUN_LOADED, .dag_id = wanted->dag_id, .logical_us = wanted->logical_us});
}

static void carry_out(struct engine *engine, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_START:
        if (engine->executor)
            executor_start(engine->executor, effect);
        break;
    case EFFECT_CANCEL:
        if (engine->executor)
            executor_cancel(engine->executor, effect);
        break;
    case EFFECT_VOID:
        if (engine->executor)
            executor_void(engine->executor, effect);
        break;
    case EFFECT_REPLY:
        answer_waiter(engine, effect->request_uuid, effect->status, effect->outcome);
        break;
    case EFFECT_SETTINGS: engine_take_settings(engine); break;
    case EFFECT_LOAD_RUN: load_wanted_run(engine, effect); break;
    case EFFECT_RUN_ENDED:
    case EFFECT_DAG_PAUSED:
    case EFFECT_DEADLINE_MISSED:
    case EFFECT_CLOCK_JUMPED: break; /* the owner tells people, from `committed` */
    }
}

static void check_stopped(struct engine *engine)
{
    if (!engine->stopped || engine->plan.changes.count || engine->plan.effects.count ||
        store_thread_pending(engine->store) ||
        (engine->executor && executor_active(engine->executor)))
        return;
    void (*stopped)(void *user) = engine->stopped;
    engine->stopped = NULL;
    stopped(engine->stopped_user);
}

static void take_finished(struct engine *engine)
{
    struct finished_batch finished;
    while (store_thread_finished(engine->store, &finished)) {
        if (finished.status != OK) {
            fail(engine, &finished.error);
        } else if (!engine->failing) {
            vec_each (effect, &finished.plan.effects)
                carry_out(engine, effect);
            if (engine->options.committed)
                engine->options.committed(engine->options.user, &finished.plan);
        }
        plan_done(&finished.plan);
    }
}

static void on_durable(uv_async_t *handle)
{
    take_finished(handle->data);
}

/* On the store thread. */
static void notify_durable(void *user)
{
    struct engine *engine = user;
    uv_async_send(&engine->durable);
}

/* ---- deciding -------------------------------------------------------------------------------- */

/* That an attempt started lets nothing else happen and is of no use to a recovery: it waits for the
   batch that follows, most often that of its end. */
static void note_urgency(struct engine *engine, const struct event *event, size_t changes_before)
{
    size_t changes = engine->plan.changes.count;
    if (changes == changes_before)
        return;
    if (event->kind != EVENT_ATTEMPT_STARTED)
        engine->urgent = true;
    else if (changes_before == 0)
        engine->by_us = clock_now().mono_us + DAEMON_STARTED_DELAY_MS * US_PER_MS;
}

void engine_apply(struct engine *engine, const struct event *event)
{
    struct error err;
    if (engine->failing)
        return;
    struct instant now = clock_now();
    size_t changes = engine->plan.changes.count;
    if (scheduler_apply(engine->scheduler, event, now, &engine->plan, &err) != OK)
        fail(engine, &err);
    note_urgency(engine, event, changes);
    if (engine->blame)
        blame_alive(engine->blame, now.mono_us);
}

static bool is_due(const struct engine *engine)
{
    return engine->urgent || engine->plan.effects.count ||
           (engine->plan.changes.count && clock_now().mono_us >= engine->by_us);
}

/* Hands the turn's plan over.  While a batch is being written the next one gathers. */
static void hand_over(struct engine *engine)
{
    struct error err;
    if (!is_due(engine) || store_thread_pending(engine->store))
        return;
    engine->urgent = false;
    if (store_thread_submit(engine->store, &engine->plan, engine->next_batch, &err) == OK)
        engine->next_batch++;
    else
        fail(engine, &err);
}

static void on_tick(uv_timer_t *timer)
{
    engine_apply(timer->data, &(struct event){.kind = EVENT_TICK});
}

/* A minute at most, so that a changed wall clock is noticed. */
static uint64_t timer_ms(int64_t wait_us)
{
    if (wait_us <= 0)
        return 0;
    return wait_us > US_PER_MINUTE ? 60000 : (uint64_t)((wait_us + 999) / US_PER_MS);
}

static void set_timer(struct engine *engine)
{
    int64_t due_us = scheduler_next_due(engine->scheduler);
    bool waits = engine->plan.changes.count && !store_thread_pending(engine->store);
    if (waits && engine->by_us < due_us)
        due_us = engine->by_us;
    if (due_us == INT64_MAX || engine->failing) {
        uv_timer_stop(&engine->tick);
        return;
    }
    uv_update_time(engine->options.loop);
    uv_timer_start(&engine->tick, on_tick, timer_ms(due_us - clock_now().mono_us), 0);
}

static void on_turn(uv_prepare_t *handle)
{
    struct engine *engine = handle->data;
    if (!engine->started || engine->closing)
        return;
    hand_over(engine);
    set_timer(engine);
    check_stopped(engine);
}

/* Makes all that was decided durable and acted on, so that what is read is what is so.  Blocks for
   the length of a commit: for acts from outside, which are rare. */
static void settle(struct engine *engine)
{
    do {
        engine->urgent = engine->plan.changes.count > 0;
        hand_over(engine);
        store_thread_drain(engine->store);
        take_finished(engine);
    } while (!engine->failing && (engine->plan.changes.count || engine->plan.effects.count));
}

/* ---- what the executor asks and says --------------------------------------------------------- */

static void on_executor_event(void *user, const struct event *event)
{
    engine_apply(user, event);
}

static enum status find_facts(void *user, const struct run_record *run, struct arena *arena,
    struct run_facts *ret, struct error *err)
{
    struct engine *engine = user;
    return run_facts_read(engine->reader, run, arena, ret, err);
}

static enum status find_answer(void *user, const struct look_question *question,
    struct arena *arena, enum look_answer *ret, const char **ret_saw, struct error *err)
{
    struct engine *engine = user;
    return looks_answer(engine->reader, question, arena, ret, ret_saw, err);
}

static const struct dag *find_dag(void *user, const char *dag_id)
{
    const struct engine *engine = user;
    return scheduler_dag_version(engine->scheduler, dag_id);
}

/* On a rendering thread, as the next one. */
static const char *find_xcom(void *user, struct run_id run, const char *task_id, int32_t map_index,
    const char *key, struct arena *arena)
{
    struct engine *engine = user;
    pthread_mutex_lock(&engine->xcom_mutex);
    const char *xcom = xcom_read(engine->xcom_reader, run, task_id, map_index, key, arena);
    pthread_mutex_unlock(&engine->xcom_mutex);
    return xcom;
}

static size_t find_indexes(
    void *user, struct run_id run, const char *task_id, struct arena *arena, const int32_t **ret)
{
    struct engine *engine = user;
    pthread_mutex_lock(&engine->xcom_mutex);
    size_t count = xcom_read_indexes(engine->xcom_reader, run, task_id, arena, ret);
    pthread_mutex_unlock(&engine->xcom_mutex);
    return count;
}

/* ---- making ---------------------------------------------------------------------------------- */

static enum status open_stores(struct engine *engine, struct store **ret, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *path = path_join(arena, engine->options.project->state, "dag.db");
    if (engine->options.must_exist && !file_exists(path)) {
        error_set(err, ERR_STORE, "the metadata is gone: %s", path);
        error_hint(err, "put the file back; without it a new start begins with no history, and "
                        "would run again what has been run");
        return ERR_STORE;
    }
    enum status status = store_open_sqlite(path, ret, err);
    if (status == OK)
        status = store_open_reader(path, &engine->reader, err);
    if (status == OK)
        status = store_open_reader(path, &engine->xcom_reader, err);
    return status;
}

/* An engine that starts nothing has no slots to give. */
static struct scheduler *make_scheduler(struct engine *engine, const struct store_meta *meta)
{
    const struct project *project = engine->project;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    bool acting = engine->options.acting;
    struct slots_setting *pools = arena_array(arena, struct slots_setting, project->pool_count);
    for (size_t i = 0; i < project->pool_count; i++)
        pools[i] =
            (struct slots_setting){project->pools[i].name, acting ? project->pools[i].slots : 0};
    struct slots_setting *connections =
        arena_array(arena, struct slots_setting, project->connection_count);
    for (size_t i = 0; i < project->connection_count; i++)
        connections[i] = (struct slots_setting){
            project->connections[i].name, project->connections[i].max_connections};
    struct scheduler_options options = {.seed = random_u64(),
        .pools = pools,
        .pool_count = project->pool_count,
        .connections = connections,
        .connection_count = project->connection_count,
        .max_processes = project->max_processes,
        .paused_upon_creation = project->paused_upon_creation,
        .next_run_id = meta->next_run,
        .next_backfill_id = meta->next_backfill,
        .next_asset_event_id = meta->next_asset_event,
        .no_schedules = engine->options.only_dag != NULL,
        .note = engine->blame ? blame_note(engine->blame) : NULL};
    return scheduler_new(&options);
}

static enum status make_executor(
    struct engine *engine, const struct store_meta *meta, struct error *err)
{
    if (!engine->options.acting)
        return OK;
    struct executor_options options = {.loop = engine->options.loop,
        .project = engine->project,
        .metadata_id = meta->metadata_id,
        .user = engine,
        .event = on_executor_event,
        .facts = find_facts,
        .look = find_answer,
        .dag = find_dag,
        .xcom = {find_xcom, find_indexes}};
    return executor_new(&options, &engine->executor, err);
}

static void open_handles(struct engine *engine)
{
    uv_loop_t *loop = engine->options.loop;
    uv_prepare_init(loop, &engine->turn);
    uv_timer_init(loop, &engine->tick);
    uv_async_init(loop, &engine->durable, on_durable);
    engine->turn.data = engine->tick.data = engine->durable.data = engine;
    engine->open_handles = 3;
    uv_prepare_start(&engine->turn, on_turn);
}

/* Nobody is left waiting: whether the act was recorded, a repeat with the same UUID will tell. */
static void answer_left(struct engine *engine)
{
    struct error err;
    size_t cursor = 0;
    const char *key;
    void *value;
    error_set(&err, ERR_INTERRUPTED, "the scheduler ended before the act was durable");
    error_hint(&err, "`dag status` shows whether it was recorded");
    while (map_next(engine->waiters, &cursor, &key, &value)) {
        struct waiter *waiter = value;
        waiter->answer(waiter->user, "{}", &err);
        mem_free(waiter);
    }
}

static void release(struct engine *engine)
{
    scheduler_free(engine->scheduler);
    store_close(engine->reader);
    store_close(engine->xcom_reader);
    blame_close(engine->blame);
    dag_unref(engine->old_version);
    project_free(engine->project);
    project_free(engine->prepared);
    plan_done(&engine->plan);
    answer_left(engine);
    map_free(engine->waiters);
    pthread_mutex_destroy(&engine->xcom_mutex);
    mem_free(engine);
}

enum status engine_new(const struct engine_options *options, struct engine **ret, struct error *err)
{
    struct engine *engine = mem_alloc_zero(1, sizeof(*engine));
    struct store *store = NULL;
    struct store_meta meta = {0};
    int64_t last_batch = 0;
    engine->options = *options;
    engine->waiters = map_new();
    plan_init(&engine->plan);
    pthread_mutex_init(&engine->xcom_mutex, NULL);
    enum status status = open_stores(engine, &store, err);
    if (status == OK)
        status = store_read_meta(store, &meta, err);
    if (status == OK)
        status = store_last_batch(store, &last_batch, err);
    if (status == OK)
        status = settings_reload(options->project, &engine->project, err);
    if (status == OK)
        status = make_executor(engine, &meta, err);
    if (status == OK && options->acting && !options->only_dag)
        status = blame_open(options->project->state, clock_now().mono_us, &engine->blame, err);
    if (status != OK) {
        store_close(store);
        release(engine);
        return status;
    }
    engine->next_batch = last_batch + 1;
    engine->scheduler = make_scheduler(engine, &meta);
    open_handles(engine);
    engine->store = store_thread_start(store, notify_durable, engine);
    *ret = engine;
    return OK;
}

enum status engine_start(struct engine *engine, struct catalogue *catalogue, struct error *err)
{
    enum status status = engine_load(engine, catalogue, err);
    if (status == OK)
        engine_apply(engine, &(struct event){.kind = EVENT_TICK});
    return status;
}

/* A version of a quarantined DAG waits for its unpausing. */
static void adopt(struct engine *engine, const struct dag *dag)
{
    struct error err;
    if (scheduler_is_quarantined(engine->scheduler, dag->dag_id))
        return;
    const struct dag *before = scheduler_dag_version(engine->scheduler, dag->dag_id);
    bool past_is_known = !dag->uses_past || (before && before->uses_past);
    if (!engine->failing && !past_is_known && engine_load_past(engine, dag, &err) != OK)
        fail(engine, &err);
    engine_apply(engine, &(struct event){.kind = EVENT_DAG_ADOPTED, .dag = dag});
    if (!engine->failing && engine_load_durations(engine, dag, &err) != OK)
        fail(engine, &err);
}

void engine_adopt(struct engine *engine, const struct catalogue_changes *changes)
{
    for (size_t i = 0; i < changes->count; i++) {
        const struct catalogue_change *change = &changes->at[i];
        if (change->kind == CATALOGUE_ADOPTED)
            adopt(engine, change->dag);
        else if (change->kind == CATALOGUE_REMOVED)
            engine_apply(
                engine, &(struct event){.kind = EVENT_DAG_REMOVED, .dag_id = change->dag->dag_id});
        else
            engine_note_broken(engine, change->file);
    }
    engine_apply(engine, &(struct event){.kind = EVENT_TICK}); /* makes what was noted durable */
}

/* ---- requests -------------------------------------------------------------------------------- */

/* A repeated request gets the outcome of the first. */
static bool answer_repeated(
    struct engine *engine, const char *uuid, struct arena *arena, engine_answer *answer, void *user)
{
    struct request_rows rows;
    if (store_read_requests(engine->reader, uuid, 1, arena, &rows, NULL) != OK || !rows.count)
        return false;
    const struct request_record *row = &rows.at[0];
    if (str_equal(row->status, "OK")) {
        answer(user, row->outcome, NULL);
        return true;
    }
    enum status status = status_find(row->status, ERR_CONFLICT);
    struct waiter *waiter = mem_alloc(sizeof(*waiter));
    *waiter = (struct waiter){answer, user};
    map_set(engine->waiters, uuid, waiter);
    answer_waiter(engine, uuid, status, row->outcome);
    return true;
}

static enum status decide(struct engine *engine, const json_t *act, const char *user_name,
    struct arena *arena, struct waiter *waiter, struct error *err)
{
    const char *dag_id = json_string_value(json_object_get(act, "dag_id"));
    const struct dag *dag = dag_id ? scheduler_dag_version(engine->scheduler, dag_id) : NULL;
    struct request request;
    struct run_rows runs;
    enum status status =
        request_read(act, user_name, dag, engine->reader, arena, &request, &runs, err);
    if (status == OK && request.kind == REQUEST_SETTINGS)
        status = engine_read_settings(engine, act, arena, &request, err);
    for (size_t i = 0; status == OK && i < runs.count; i++)
        if (!scheduler_has_run(engine->scheduler, runs.at[i].id))
            status = engine_load_run(engine, &runs.at[i], err);
    if (status != OK)
        return status;
    struct waiter *kept = mem_alloc(sizeof(*kept));
    *kept = *waiter;
    mem_free(map_set(engine->waiters, request.uuid, kept));
    bool was_quarantined = dag_id && scheduler_is_quarantined(engine->scheduler, dag_id);
    engine_apply(engine, &(struct event){.kind = EVENT_REQUEST, .request = &request});
    dag = was_quarantined ? catalogue_find(engine->catalogue, dag_id) : NULL;
    if (dag)
        adopt(engine, dag);
    return OK;
}

void engine_request(struct engine *engine, const json_t *act, const char *user_name,
    engine_answer *answer, void *user)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err = {0};
    struct waiter waiter = {answer, user};
    const char *uuid = json_string_value(json_object_get(act, "uuid"));
    settle(engine);
    if (engine->failing) {
        error_set(&err, ERR_STORE, "the metadata cannot be written now");
        error_hint(&err, "the daemon's log tells why; try again when that is mended");
        answer(user, "{}", &err);
        return;
    }
    if (uuid && answer_repeated(engine, uuid, arena, answer, user))
        return;
    if (decide(engine, act, user_name, arena, &waiter, &err) != OK)
        answer(user, "{}", &err);
}

/* ---- the end --------------------------------------------------------------------------------- */

void engine_stop(struct engine *engine, bool cancel, void (*stopped)(void *user), void *user)
{
    engine->stopped = stopped;
    engine->stopped_user = user;
    scheduler_set_draining(engine->scheduler, true);
    if (engine->executor)
        executor_stop(engine->executor, cancel);
    uv_async_send(&engine->durable); /* a turn, so that nothing to wait for is noticed */
}

size_t engine_active(const struct engine *engine)
{
    return engine->executor ? executor_active(engine->executor) : 0;
}

static void check_closed(struct engine *engine)
{
    if (engine->open_handles || !engine->executor_closed)
        return;
    void (*closed)(void *user) = engine->closed;
    void *user = engine->closed_user;
    release(engine);
    if (closed)
        closed(user);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct engine *engine = handle->data;
    engine->open_handles--;
    check_closed(engine);
}

static void on_executor_closed(void *user)
{
    struct engine *engine = user;
    engine->executor_closed = true;
    check_closed(engine);
}

void engine_free(struct engine *engine, void (*closed)(void *user), void *user)
{
    assert(!engine->closing);
    engine->closing = true;
    engine->closed = closed;
    engine->closed_user = user;
    engine->stopped = NULL;
    store_thread_stop(engine->store); /* before the handle that its thread wakes goes */
    uv_close((uv_handle_t *)&engine->turn, on_handle_closed);
    uv_close((uv_handle_t *)&engine->tick, on_handle_closed);
    uv_close((uv_handle_t *)&engine->durable, on_handle_closed);
    if (engine->executor)
        executor_free(engine->executor, on_executor_closed, engine);
    else
        engine->executor_closed = true;
}
