/* What the engine loads at its start, and the runs that it loads later. */
#include "base/log.h"
#include "daemon/engine_internal.h"
#include "definition/versions.h"
#include "scheduler/limits.h"

/* A version of a DAG that is there, NULL when it is not known any more: the newest, or one that was
   kept.  Runs come by date, so that those of one version follow each other. */
static const struct dag *find_version(
    struct engine *engine, const char *dag_id, const char *version)
{
    const struct dag *newest = scheduler_dag_version(engine->scheduler, dag_id);
    if (!newest || !version)
        return NULL;
    if (str_equal(newest->version, version))
        return newest;
    const struct dag *old = engine->old_version;
    if (old && str_equal(old->version, version) && str_equal(old->dag_id, dag_id))
        return old;
    struct dag *found;
    if (versions_load(engine->options.project, version, dag_id, &found, NULL) != OK)
        return NULL;
    dag_unref(engine->old_version);
    engine->old_version = found;
    return found;
}

enum status engine_load_run(struct engine *engine, const struct run_record *run, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct task_rows tasks;
    enum status status = store_read_tasks(engine->reader, run->id, arena, &tasks, err);
    if (status == OK)
        status = scheduler_load_run(engine->scheduler, run,
            find_version(engine, run->dag_id, run->version), tasks.at, tasks.count, err);
    return status;
}

/* The longest instance of each task that succeeded in the run: rows come by task id. */
static size_t add_durations(
    const struct run_record *run, const struct task_rows *tasks, struct past_duration *ret)
{
    size_t count = 0;
    ret[count++] = (struct past_duration){NULL, run->ended_us - run->started_us};
    for (size_t i = 0; i < tasks->count; i++) {
        const struct task_record *task = &tasks->at[i];
        int64_t us = task->ended_us - task->started_us;
        if (task->state != TASK_SUCCESS || task->started_us == TIME_NONE)
            continue;
        bool again = count > 1 && str_equal(ret[count - 1].task_id, task->task_id);
        if (again && us <= ret[count - 1].us)
            continue;
        count += !again;
        ret[count - 1] = (struct past_duration){task->task_id, us};
    }
    return count;
}

enum status engine_load_durations(struct engine *engine, const struct dag *dag, struct error *err)
{
    if (!dag->uses_durations)
        return OK;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct run_rows runs;
    struct run_filter filter = {
        .dag_id = dag->dag_id, .states = 1u << RUN_SUCCESS, .limit = DURATIONS_MAX};
    VEC(struct past_duration) all = {0};
    enum status status = store_read_runs(engine->reader, &filter, arena, &runs, err);
    for (size_t i = status == OK ? runs.count : 0; status == OK && i-- > 0;) {
        const struct run_record *run = &runs.at[i];
        struct task_rows tasks;
        status = store_read_tasks(engine->reader, run->id, arena, &tasks, err);
        if (status != OK || run->started_us == TIME_NONE || run->ended_us == TIME_NONE)
            continue;
        vec_reserve(&all, all.count + tasks.count + 1);
        all.count += add_durations(run, &tasks, all.at + all.count);
    }
    if (status == OK)
        status = scheduler_load_durations(engine->scheduler, dag->dag_id, all.at, all.count, err);
    vec_done(&all);
    return status;
}

struct loading {
    struct engine *engine;
    struct map *names; /* of the DAGs that `dag run` needs; NULL = all */
    struct catalogue *catalogue;
    struct arena *arena;
    struct dag_rows records;
    struct error *err;
};

static const struct dag_record *find_record(const struct loading *in, const char *dag_id)
{
    for (size_t i = 0; i < in->records.count; i++)
        if (str_equal(in->records.at[i].dag_id, dag_id))
            return &in->records.at[i];
    return NULL;
}

static enum status read_known_dates(
    const struct loading *in, struct run_filter filter, struct known_date **ret, size_t *ret_count)
{
    struct run_rows rows;
    filter.oldest_first = true;
    enum status status = store_read_runs(in->engine->reader, &filter, in->arena, &rows, in->err);
    if (status != OK)
        return status;
    *ret = arena_array(in->arena, struct known_date, rows.count);
    *ret_count = rows.count;
    for (size_t i = 0; i < rows.count; i++)
        (*ret)[i] = (struct known_date){rows.at[i].logical_us, rows.at[i].state};
    return OK;
}

static enum status load_past(const struct loading *in, const struct dag *dag)
{
    struct run_rows runs;
    struct run_filter filter = {.dag_id = dag->dag_id,
        .states = 1u << RUN_SUCCESS | 1u << RUN_FAILED,
        .limit = PAST_RUNS_MAX};
    enum status status = store_read_runs(in->engine->reader, &filter, in->arena, &runs, in->err);
    for (size_t i = 0; status == OK && i < runs.count; i++) {
        struct task_rows tasks;
        status = store_read_tasks(in->engine->reader, runs.at[i].id, in->arena, &tasks, in->err);
        if (status != OK)
            break;
        struct past_task *past = arena_array(in->arena, struct past_task, tasks.count);
        for (size_t j = 0; j < tasks.count; j++)
            past[j] = (struct past_task){tasks.at[j].task_id, tasks.at[j].state};
        status = scheduler_load_past(
            in->engine->scheduler, dag->dag_id, runs.at[i].logical_us, past, tasks.count, in->err);
    }
    return status;
}

/* Blamed for two aborts just now, or earlier and not unpaused since. */
static bool is_quarantined(
    const struct loading *in, const char *dag_id, const struct dag_record *record)
{
    const char *blamed = in->engine->blame ? blame_dag(in->engine->blame) : NULL;
    return str_equal(blamed, dag_id) ||
           (record && record->paused && record->pause_reason == REASON_QUARANTINED);
}

static void quarantine(const struct loading *in, const char *dag_id, const char *file)
{
    struct engine *engine = in->engine;
    scheduler_quarantine(engine->scheduler, dag_id, file);
    log_line(LOG_ERROR,
        "DAG `%s` is quarantined: the scheduler aborted twice while at work on it; "
        "all others go on. `dag unpause %s` tries it again",
        dag_id, dag_id);
}

enum status engine_load_past(struct engine *engine, const struct dag *dag, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct loading in = {.engine = engine, .arena = arena, .err = err};
    return load_past(&in, dag);
}

static enum status load_dag(
    const struct loading *in, const struct dag *dag, const struct dag_record *record)
{
    struct known_date *future = NULL;
    size_t count = 0;
    if (dag && is_quarantined(in, dag->dag_id, record)) {
        enum status status = record ? load_dag(in, NULL, record) : OK;
        if (status == OK)
            quarantine(in, dag->dag_id, dag->file);
        return status;
    }
    struct run_filter filter = {.dag_id = dag ? dag->dag_id : record->dag_id,
        .has_from = record && record->covered_until_us != TIME_NONE,
        .from_us = record ? record->covered_until_us : 0};
    enum status status = read_known_dates(in, filter, &future, &count);
    if (status == OK)
        status = scheduler_load_dag(in->engine->scheduler, dag, record, future, count, in->err);
    if (status == OK && dag && dag->uses_past)
        status = load_past(in, dag);
    if (status == OK && dag)
        status = engine_load_durations(in->engine, dag, in->err);
    return status;
}

/* What `maker` updates is queued for a DAG that is scheduled on it. */
static bool is_scheduled_on(const struct dag *dag, const struct dag *maker)
{
    for (uint32_t i = 0; i < maker->task_count; i++)
        for (size_t n = 0; n < maker->tasks[i].data->outlets.count; n++)
            if (names_have(&dag->asset_names, maker->tasks[i].data->outlets.at[n]))
                return true;
    return false;
}

static bool wanted(const struct loading *in, const char *dag_id)
{
    return !in->names || map_has(in->names, dag_id);
}

/* The DAG, those that are scheduled on what it updates, and those that its tasks trigger, with all
   that these need; false: a template says whom it triggers, which may be any. */
static bool want(struct loading *in, const char *dag_id)
{
    const struct dag *dag = catalogue_find(in->catalogue, dag_id);
    map_set(in->names, dag_id, in->names);
    for (size_t i = 0; dag && i < catalogue_count(in->catalogue); i++) {
        const struct dag *other = catalogue_at(in->catalogue, i);
        if (other->asset_names.count && is_scheduled_on(other, dag))
            map_set(in->names, other->dag_id, in->names);
    }
    for (uint32_t i = 0; dag && i < dag->task_count; i++) {
        const char *target = dag->tasks[i].trigger->dag_id.value;
        if (!target)
            continue;
        if (strchr(target, '{'))
            return false;
        bool is_new = !map_has(in->names, target);
        if (is_new && !want(in, target))
            return false;
    }
    return true;
}

static void find_wanted(struct loading *in)
{
    if (!in->engine->options.only_dag)
        return;
    in->names = map_new();
    bool stands_alone = !catalogue_find(in->catalogue, in->engine->options.only_dag);
    if (!stands_alone && want(in, in->engine->options.only_dag))
        return; /* of a file that stands alone nothing is known here: it may need any */
    map_free(in->names);
    in->names = NULL;
}

static bool is_broken_file(const struct catalogue *catalogue, const char *file)
{
    for (size_t i = 0; i < catalogue_broken_count(catalogue); i++)
        if (str_equal(catalogue_broken_at(catalogue, i).file, file))
            return true;
    return false;
}

/* Files that are broken since before this process: their DAGs' last good versions go on. */
static void restore_versions(const struct loading *in)
{
    for (size_t i = 0; i < in->records.count; i++) {
        const struct dag_record *record = &in->records.at[i];
        struct error err;
        struct dag *dag;
        if (record->removed || !record->version || !is_broken_file(in->catalogue, record->file) ||
            catalogue_find(in->catalogue, record->dag_id))
            continue;
        if (versions_load(
                in->engine->options.project, record->version, record->dag_id, &dag, &err) != OK) {
            log_error(&err, "%s is broken", record->file);
            continue;
        }
        if (catalogue_restore(in->catalogue, dag))
            log_line(LOG_WARNING, "DAG `%s`: its last good version, %.12s, goes on", record->dag_id,
                record->version);
        dag_unref(dag);
    }
}

static enum status load_dags(struct loading *in)
{
    enum status status = store_read_dags(in->engine->reader, in->arena, &in->records, in->err);
    if (status == OK)
        restore_versions(in);
    for (size_t i = 0; status == OK && i < catalogue_count(in->catalogue); i++) {
        const struct dag *dag = catalogue_at(in->catalogue, i);
        if (wanted(in, dag->dag_id))
            status = load_dag(in, dag, find_record(in, dag->dag_id));
    }
    for (size_t i = 0; status == OK && i < in->records.count; i++) {
        const struct dag_record *record = &in->records.at[i];
        if (wanted(in, record->dag_id) && !catalogue_find(in->catalogue, record->dag_id))
            status = load_dag(in, NULL, record);
    }
    return status;
}

static enum status load_runs(struct loading *in)
{
    struct run_rows runs;
    struct run_filter live = {.dag_id = in->engine->options.only_dag,
        .states = 1u << RUN_QUEUED | 1u << RUN_RUNNING,
        .oldest_first = true};
    if (in->engine->options.only_dag) {
        live.has_from = live.has_to = true;
        live.from_us = live.to_us = in->engine->options.only_logical_us;
    }
    enum status status = store_read_runs(in->engine->reader, &live, in->arena, &runs, in->err);
    for (size_t i = 0; status == OK && i < runs.count; i++)
        status = engine_load_run(in->engine, &runs.at[i], in->err);
    return status;
}

/* Whether the task that made the run waits for its end. */
static enum status is_awaited(const struct loading *in, const struct run_record *run, bool *ret)
{
    struct task_rows rows;
    enum status status = store_read_instances(
        in->engine->reader, run->maker.run, run->maker.task_id, in->arena, &rows, in->err);
    *ret = false;
    for (size_t i = 0; status == OK && i < rows.count; i++)
        *ret |= rows.at[i].map_index == run->maker.map_index && rows.at[i].state == TASK_DEFERRED &&
                rows.at[i].triggered.v == run->id.v;
    return status;
}

/* `dag run` goes on with the runs that its own waits for, and those that they wait for. */
static enum status load_awaited_runs(struct loading *in)
{
    struct run_rows runs = {0};
    struct run_filter live = {.states = 1u << RUN_QUEUED | 1u << RUN_RUNNING};
    enum status status = OK;
    if (in->engine->options.only_dag)
        status = store_read_runs(in->engine->reader, &live, in->arena, &runs, in->err);
    for (bool found = true; status == OK && found;) {
        found = false;
        for (size_t i = 0; status == OK && i < runs.count; i++) {
            struct scheduler *s = in->engine->scheduler;
            bool awaited = false;
            if (scheduler_has_run(s, runs.at[i].id) || !scheduler_has_run(s, runs.at[i].maker.run))
                continue;
            status = is_awaited(in, &runs.at[i], &awaited);
            if (status == OK && awaited)
                status = engine_load_run(in->engine, &runs.at[i], in->err);
            found |= awaited;
        }
    }
    return status;
}

static enum status load_backfills(struct loading *in)
{
    struct backfill_rows rows;
    if (in->engine->options.only_dag)
        return OK;
    enum status status = store_read_backfills(in->engine->reader, true, in->arena, &rows, in->err);
    for (size_t i = 0; status == OK && i < rows.count; i++) {
        struct known_date *existing = NULL;
        size_t count = 0;
        struct run_filter filter = {.dag_id = rows.at[i].dag_id,
            .has_from = true,
            .from_us = rows.at[i].from_us,
            .has_to = true,
            .to_us = rows.at[i].to_us};
        status = read_known_dates(in, filter, &existing, &count);
        if (status == OK)
            status = scheduler_load_backfill(
                in->engine->scheduler, &rows.at[i], existing, count, in->err);
    }
    return status;
}

/* Of DAGs that are not loaded (their file is gone, or `dag run` is about others) nothing is. */
static enum status load_asset_queues(struct loading *in)
{
    struct dag_record ignored;
    struct asset_queue_rows rows;
    enum status status =
        store_read_asset_queues(in->engine->reader, NULL, in->arena, &rows, in->err);
    for (size_t i = 0; status == OK && i < rows.count; i++)
        if (scheduler_dag(in->engine->scheduler, rows.at[i].dag_id, &ignored))
            status = scheduler_load_asset_queue(in->engine->scheduler, &rows.at[i], in->err);
    return status;
}

static const struct run_record *find_run(const struct run_rows *runs, struct run_id id)
{
    for (size_t i = 0; i < runs->count; i++)
        if (runs->at[i].id.v == id.v)
            return &runs->at[i];
    return NULL;
}

/* The executor answers for every attempt that an earlier process left. */
static enum status recover_attempts(struct loading *in)
{
    struct engine *engine = in->engine;
    struct attempt_rows attempts;
    struct run_rows runs = {0};
    struct run_filter live = {.states = 1u << RUN_QUEUED | 1u << RUN_RUNNING};
    enum status status = store_read_live_attempts(engine->reader, in->arena, &attempts, in->err);
    if (status == OK)
        status = store_read_runs(engine->reader, &live, in->arena, &runs, in->err);
    for (size_t i = 0; status == OK && i < attempts.count; i++) {
        const struct run_record *run = find_run(&runs, attempts.at[i].run);
        if (!run || !scheduler_has_run(engine->scheduler, run->id))
            continue;
        bool under_way = scheduler_load_attempt(engine->scheduler, &attempts.at[i]);
        const struct dag *dag = find_version(engine, run->dag_id, attempts.at[i].version);
        if (!dag)
            dag = scheduler_dag_version(engine->scheduler, run->dag_id);
        if (engine->executor && under_way)
            executor_recover(engine->executor, &attempts.at[i], dag, run);
    }
    return status;
}

/* A DAG that no file gives any more, unless its file is only broken. */
static bool is_removed(const struct loading *in, const struct dag_record *record)
{
    if (record->removed || !wanted(in, record->dag_id) ||
        catalogue_find(in->catalogue, record->dag_id))
        return false;
    return !is_broken_file(in->catalogue, record->file);
}

/* The first mistake of the file, NULL when it has none. */
static const char *mistake_of(
    const struct catalogue *catalogue, const char *file, struct arena *arena)
{
    for (size_t i = 0; i < catalogue_broken_count(catalogue); i++) {
        struct broken_file broken = catalogue_broken_at(catalogue, i);
        if (!str_equal(broken.file, file) || !broken.diagnostics->first)
            continue;
        struct strbuf text = {0};
        error_format(&broken.diagnostics->first->error, broken.diagnostics->first->severity, &text);
        const char *mistake = arena_strdup(arena, text.text);
        strbuf_done(&text);
        return mistake;
    }
    return NULL;
}

void engine_note_broken(struct engine *engine, const char *file)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    for (size_t i = 0; i < catalogue_count(engine->catalogue); i++) {
        const struct dag *dag = catalogue_at(engine->catalogue, i);
        if (str_equal(file, dag->file) && scheduler_dag_version(engine->scheduler, dag->dag_id))
            scheduler_set_broken(
                engine->scheduler, dag->dag_id, file, mistake_of(engine->catalogue, file, arena));
    }
}

/* What the files lack and what is wrong with them, beside what is stored. */
static void compare_files(struct loading *in)
{
    struct engine *engine = in->engine;
    for (size_t i = 0; i < in->records.count; i++) {
        const struct dag_record *record = &in->records.at[i];
        const char *mistake = mistake_of(in->catalogue, record->file, in->arena);
        if (wanted(in, record->dag_id))
            scheduler_set_broken(engine->scheduler, record->dag_id, record->file, mistake);
        if (is_removed(in, record))
            engine_apply(
                engine, &(struct event){.kind = EVENT_DAG_REMOVED, .dag_id = record->dag_id});
    }
}

static enum status load(struct loading *in)
{
    static enum status (*const steps[])(struct loading * in) = {
        load_dags,
        load_runs,
        load_awaited_runs,
        load_backfills,
        load_asset_queues,
        recover_attempts,
    };
    find_wanted(in);
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        enum status status = steps[i](in);
        if (status)
            return status;
    }
    struct engine *engine = in->engine;
    engine->started = true;
    engine->catalogue = in->catalogue;
    catalogue_set_project(in->catalogue, engine->project);
    if (engine->blame && blame_dag(engine->blame))
        blame_clear(engine->blame); /* it is in the DAG's row with the next batch */
    compare_files(in);
    return OK;
}

enum status engine_load(struct engine *engine, struct catalogue *catalogue, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct loading in = {.engine = engine, .catalogue = catalogue, .arena = arena, .err = err};
    enum status status = load(&in);
    map_free(in.names);
    return status == OK ? OK : error_context(err, "loading the state: ");
}
