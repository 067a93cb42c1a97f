/* From rows to live state. */
#include "language/timetable/timetable.h"
#include "scheduler/internal.h"

static void set_text(char **text, const char *value)
{
    char *copy = mem_strdup(value);
    mem_free(*text);
    *text = copy;
}

static void take_dag_record(struct live_dag *dag, const struct dag_record *record)
{
    dag->paused = record->paused;
    dag->removed = record->removed;
    dag->pause_reason = record->pause_reason;
    dag->covered_until_us = record->covered_until_us;
    dag->last_logical_us = record->last_logical_us;
    dag->consecutive_failures = record->consecutive_failures;
    set_text(&dag->file, record->file);
    set_text(&dag->broken, record->broken);
}

enum status scheduler_load_dag(struct scheduler *s, const struct dag *version,
    const struct dag_record *record, const struct known_date *future, size_t future_count,
    struct error *err)
{
    const char *dag_id = version ? version->dag_id : record ? record->dag_id : NULL;
    if (!dag_id)
        return error_set(err, ERR_INVALID, "a DAG without a version and a row cannot be loaded");
    if (dag_find(s, dag_id))
        return error_set(err, ERR_CONFLICT, "DAG `%s` is loaded already", dag_id);
    if (map_count(s->dags) >= DAGS_MAX)
        return error_set(
            err, ERR_LIMIT, "there are %d DAGs already: `%s` is left out", (int)DAGS_MAX, dag_id);
    struct live_dag *dag = dag_new(s, dag_id);
    if (version) {
        dag->newest = shape_new(version);
        dag->paused |= version->paused;
        set_text(&dag->file, version->file);
        assets_adopt(s, dag);
    }
    if (record)
        take_dag_record(dag, record);
    if (version && !str_equal(dag->file, version->file))
        set_text(&dag->file, version->file);
    bool is_back = version && dag->removed; /* its file, while no process looked */
    dag->removed &= !is_back;
    if (!record || is_back || (version && !str_equal(record->version, version->version)))
        dag_changed(s, dag);
    for (size_t n = 0; n < future_count; n++)
        dates_set(dag, future[n].logical_us, future[n].state);
    dag->starting = true;
    dag_wants_step(s, dag);
    return OK;
}

/* ---- runs ---- */

static bool attempt_is_alive(const struct task_record *record)
{
    return task_state_holds_slots(record->state) && record->ended_us == TIME_NONE;
}

static int64_t attempt_generation_of(const struct task_record *record)
{
    return record->state == TASK_RESTARTING ? record->unsettled_generation : record->generation;
}

static void take_task_record(
    struct scheduler *s, struct instance *i, const struct task_record *record)
{
    i->state = i->saved = record->state;
    i->reason = record->reason;
    set_text(&i->text, record->reason_text);
    i->try_number = record->try_number;
    i->max_tries = record->max_tries;
    i->tries_total = record->tries_total;
    i->lost_count = record->lost_count;
    i->interrupted_count = record->interrupted_count;
    i->generation = record->generation;
    i->unsettled = record->unsettled;
    i->unsettled_generation = record->unsettled_generation;
    i->attempt = record->attempt;
    i->mapped = arena_strdup(i->run->arena, record->mapped);
    decision_set(i, record->decision);
    i->ready_us = record->ready_us;
    i->queued_us = record->queued_us;
    i->started_us = record->started_us;
    i->ended_us = record->ended_us;
    i->retry_at_us = record->retry_at_us;
    i->deadline_us = record->deadline_us;
    i->deadline_missed_us = record->deadline_missed_us;
    i->looks = record->looks;
    i->waiting_since_us = record->waiting_since_us;
    i->triggered = record->triggered;
    i->deferred = record->state == TASK_DEFERRED;
    i->alive = attempt_is_alive(record);
    i->attempt_generation = attempt_generation_of(record);
    i->attempt_version = keep(s, i->run->version);
    i->is_new = false;
}

/* The version lacks its task.  An attempt that was under way may commit for all that: should the
   task come back, it is voided first. */
static void load_gone(struct run *run, struct task_record record)
{
    if (attempt_is_alive(&record)) {
        record.unsettled = true;
        record.unsettled_generation = attempt_generation_of(&record);
    }
    run_add_gone(run, &record);
}

/* The version is not the one the run had, which is not known any more: a task without a row was not
   part of the run, and is not made part of it by a restart. */
static void leave_out(struct instance *i)
{
    i->state = TASK_REMOVED;
    i->reason = REASON_REMOVED_TASK;
    set_text(&i->text, "not part of this run when it started");
}

static void load_tasks(struct scheduler *s, struct run *run, const struct task_record *records,
    size_t count, bool version_is_known)
{
    run_make_instances(run);
    for (size_t n = count; n-- > 0;) { /* from the last one on: each task's greatest index first */
        const struct task *task = dag_find_task(run->shape->dag, records[n].task_id);
        if (!task) {
            load_gone(run, records[n]);
            continue;
        }
        if (records[n].map_index >= 0)
            mapping_reserve(run, run->tasks[task->index], (size_t)records[n].map_index + 1);
        take_task_record(s, mapping_find(run, task, records[n].map_index), &records[n]);
    }
    run_each (i, run)
        if (!version_is_known && i->is_new)
            leave_out(i);
    run_recount(s, run);
}

/* A version made of nothing but the rows, without edges: enough for a run to wait in, and for its
   attempts to end in, until its DAG's file can be read again. */
static struct dag *version_of_rows(
    const struct live_dag *dag, const struct task_record *records, size_t count)
{
    struct arena *arena = arena_new();
    struct dag *version = arena_new_of(arena, struct dag);
    atomic_init(&version->references, 1);
    version->arena = arena;
    version->dag_id = arena_strdup(arena, dag->dag_id);
    struct task *tasks = arena_array(arena, struct task, count);
    uint32_t *order = arena_array(arena, uint32_t, count);
    version->tasks = tasks;
    version->topological = order; /* any: there are no edges */
    for (size_t n = 0; n < count; n++) {
        if (records[n].map_index >= 0)
            continue;
        uint32_t index = order[version->task_count] = version->task_count;
        version->task_count++;
        tasks[index] = (struct task){.task_id = arena_strdup(arena, records[n].task_id),
            .index = index,
            .kind = KIND_SQL,
            .retries = records[n].max_tries - 1,
            .pool = "default_pool",
            .pool_slots = 1};
        task_set_parts(&tasks[index], NULL, NULL);
    }
    return version;
}

static struct shape *shape_for(struct live_dag *dag, const struct dag *version,
    const struct task_record *records, size_t count)
{
    if (version && dag->newest && dag->newest->dag == version)
        return shape_ref(dag->newest);
    if (version)
        return shape_new(version);
    struct dag *rows = version_of_rows(dag, records, count);
    struct shape *shape = shape_new(rows);
    dag_unref(rows);
    return shape;
}

static enum status check_load(const struct scheduler *s, const struct live_dag *dag,
    const struct run_record *record, const struct dag *version, size_t rows, struct error *err)
{
    size_t instances = version && version->task_count > rows ? version->task_count : rows;
    if (!dag)
        return error_set(err, ERR_NOT_FOUND, "run %s is of DAG `%s`, which is not loaded",
            record->run_id, record->dag_id);
    if (map_count(s->runs) >= RUNS_MAX)
        return error_set(err, ERR_LIMIT, "%d runs are live already", (int)RUNS_MAX);
    if (s->instance_count + instances > INSTANCES_MAX)
        return error_set(err, ERR_LIMIT, "%d task instances are live already", (int)INSTANCES_MAX);
    return OK;
}

/* Puts a live run where it was: among the waiting ones, or running. */
static void resume_run(struct scheduler *s, struct run *run)
{
    run->backfill = run->backfill_id ? backfill_find(run->dag, run->backfill_id) : NULL;
    run_link(s, run);
    if (run->state == RUN_QUEUED)
        run_queue(s, run);
    else
        run->dag->running++;
    vec_push(&s->resuming, run);
}

enum status scheduler_load_run(struct scheduler *s, const struct run_record *record,
    const struct dag *version, const struct task_record *tasks, size_t task_count,
    struct error *err)
{
    struct live_dag *dag = dag_find(s, record->dag_id);
    bool known = version != NULL;
    if (!version && dag && dag->newest) {
        version = dag->newest->dag;
        known = str_equal(record->version, version->version);
    }
    enum status status = check_load(s, dag, record, version, task_count, err);
    if (status)
        return status;
    if (run_find(s, record->id))
        return OK;
    struct run *run = run_from_record(s, dag, record);
    run->keep_version = record->keeps_version && known;
    run->version_is_other = task_count && version && !known;
    if (task_count) {
        run->shape = shape_for(dag, version, tasks, task_count);
        run->held = !version;
        load_tasks(s, run, tasks, task_count, known || !version);
    }
    if (run_state_finished(run->state))
        vec_push(&s->loaded, run);
    else
        resume_run(s, run);
    return OK;
}

bool scheduler_load_attempt(struct scheduler *s, const struct attempt_record *attempt)
{
    struct run *run = run_find(s, attempt->run);
    if (!run || !run->tasks)
        return true;
    const struct task *task = dag_find_task(run->shape->dag, attempt->task_id);
    struct instance *i = task ? mapping_find(run, task, attempt->map_index) : NULL;
    if (!i || !str_equal(i->attempt.text, attempt->id.text))
        return true;
    i->attempt_generation = attempt->generation;
    i->attempt_version = keep(s, attempt->version);
    return i->alive || !(i->looks || i->deferred);
}

void run_name_version(struct scheduler *s, struct run *run)
{
    if (!run->version_is_other)
        return;
    run->version_is_other = false;
    run->version = keep(s, run->shape->version);
    run_changed(s, run);
}

/* A running run goes on with what each of its tasks was doing, or, in the newest version, takes
   that first when only texts have changed in it. */
void run_resume(struct scheduler *s, struct run *run)
{
    run_name_version(s, run);
    if (run->dag->newest)
        offer_version(s, run, run->dag->newest);
    run_settle_gone(s, run);
    if (run->state == RUN_QUEUED)
        deadline_resume(s, run);
    if (run->state != RUN_RUNNING)
        return;
    run_each (i, run) {
        if (i->is_new)
            task_changed(s, i);
        attempt_resume(s, i);
    }
    deadline_resume(s, run);
    run_arm_timeout(s, run);
    run_wants_check(s, run);
}

/* ---- backfills and the past ---- */

enum status scheduler_load_backfill(struct scheduler *s, const struct backfill_record *record,
    const struct known_date *existing, size_t existing_count, struct error *err)
{
    struct live_dag *dag = dag_find(s, record->dag_id);
    if (!dag)
        return error_set(err, ERR_NOT_FOUND, "backfill %lld is of DAG `%s`, which is not loaded",
            (long long)record->id, record->dag_id);
    if (s->backfill_count >= BACKFILLS_MAX)
        return error_set(err, ERR_LIMIT, "%d backfills are under way", (int)BACKFILLS_MAX);
    struct live_backfill *b = backfill_new(s, dag, record);
    if (s->next_backfill <= record->id)
        s->next_backfill = record->id + 1;
    for (size_t n = 0; n < existing_count; n++)
        if (!dag_live_run(dag, existing[n].logical_us))
            dates_set(dag, existing[n].logical_us, existing[n].state);
    for (size_t n = 0; n < dag->runs.count; n++) {
        struct run *run = dag->runs.at[n];
        if (run->backfill_id != record->id)
            continue;
        run_join_backfill(s, run, b);
    }
    if (b->record.cursor_us == TIME_NONE && b->live == 0)
        backfill_end(s, b);
    dag_wants_step(s, dag);
    return OK;
}

enum status scheduler_load_past(struct scheduler *s, const char *dag_id, int64_t logical_us,
    const struct past_task *tasks, size_t count, struct error *err)
{
    struct live_dag *dag = dag_find(s, dag_id);
    if (!dag)
        return error_set(err, ERR_NOT_FOUND, "DAG `%s` is not loaded", dag_id);
    if (!past_is_known(dag, logical_us)) /* what was decided since is newer than the rows */
        past_set(s, dag, logical_us, tasks, count, PAST_RUNS_MAX); /* it is about to be used */
    return OK;
}
