#include "testing/attempts.h"
#include <uv.h>
#include "executor/executor.h"
#include "language/timetable/zone.h"
#include "testing/suite.h"

enum { WATCH_MS = 100 };

/* What a task of this test gave. */
struct given_xcom {
    const char *task_id;
    int32_t map_index;
    const char *xcom; /* JSON; NULL = none */
};

struct test_run {
    const struct project *project;
    const struct dag *dag;
    const struct sql_test *test;
    struct arena *arena;
    struct run_facts facts;
    struct run_record record;
    uv_loop_t loop;
    uv_timer_t watch; /* looks for an interruption */
    uv_mutex_t mutex; /* of what rendering threads read: xcoms */
    VEC(struct given_xcom) xcoms;
    struct executor *executor;
    int32_t number;
    bool closed, interrupted;

    /* the attempt under way */
    struct attempt_id attempt;
    bool finished;
    enum attempt_outcome outcome;
    const char *const *mapped;
    size_t mapped_count;
    const char *xcom;
    struct error *err;
};

/* ---- what the executor asks ------------------------------------------------------------------ */

static enum status give_facts(void *user, const struct run_record *record, struct arena *arena,
    struct run_facts *ret, struct error *err)
{
    (void)record, (void)arena, (void)err;
    *ret = ((struct test_run *)user)->facts;
    return OK;
}

static const char *fixture(
    const struct test_run *run, const char *task_id, const char *key, struct arena *arena)
{
    const struct yaml_node *task = yaml_get(run->test->xcom, task_id);
    const struct yaml_node *value = task && task->kind == YAML_MAPPING ? yaml_get(task, key) : NULL;
    if (!value)
        return NULL;
    CLEANUP(json_decrefp) json_t *json = yaml_to_json(value);
    struct strbuf text = {.arena = arena};
    struct json_writer w = json_begin(&text);
    json_tree(&w, json);
    return strbuf_finish(&text, arena).p;
}

/* What the test's own tasks gave, before what the test says that others did. */
static const char *pull(void *user, struct run_id id, const char *task_id, int32_t map_index,
    const char *key, struct arena *arena)
{
    struct test_run *run = user;
    const char *found = NULL;
    (void)id;
    uv_mutex_lock(&run->mutex);
    vec_each (x, &run->xcoms)
        if (str_equal(x->task_id, task_id) && x->map_index == map_index &&
            str_equal(key, "return_value"))
            found = arena_strdup(arena, x->xcom);
    uv_mutex_unlock(&run->mutex);
    return found || map_index >= 0 ? found : fixture(run, task_id, key, arena);
}

static size_t indexes(
    void *user, struct run_id id, const char *task_id, struct arena *arena, const int32_t **ret)
{
    struct test_run *run = user;
    size_t count = 0;
    (void)id;
    uv_mutex_lock(&run->mutex);
    int32_t *found = arena_array(arena, int32_t, run->xcoms.count + 1);
    vec_each (x, &run->xcoms)
        if (str_equal(x->task_id, task_id) && x->map_index >= 0)
            found[count++] = x->map_index;
    uv_mutex_unlock(&run->mutex);
    *ret = found;
    return count;
}

/* "templates/x.sql:14:9" → a place. */
static void set_place(struct error *err, const char *text)
{
    const char *column = text ? strrchr(text, ':') : NULL;
    const char *line = column;
    while (line && line > text && line[-1] != ':')
        line--;
    int64_t line_number = 0, column_number = 0;
    if (!line || line <= text + 1 ||
        !parse_int64(slice_make(line, (size_t)(column - line)), &line_number) ||
        !parse_int64(slice_of(column + 1), &column_number))
        return;
    snprintf(err->place.file, sizeof(err->place.file), "%.*s", (int)(line - 1 - text), text);
    err->place.line = (uint32_t)line_number;
    err->place.column = (uint32_t)column_number;
}

static void on_finished(struct test_run *run, const struct attempt_result *result)
{
    run->finished = true;
    run->outcome = result->outcome;
    run->xcom = arena_strdup(run->arena, result->xcom);
    run->mapped_count = result->mapped_count;
    const char **mapped = arena_array(run->arena, const char *, result->mapped_count + 1);
    for (size_t i = 0; i < result->mapped_count; i++)
        mapped[i] = arena_strdup(run->arena, result->mapped[i]);
    run->mapped = mapped;
    if (result->outcome != OUTCOME_SUCCESS && result->outcome != OUTCOME_SKIPPED) {
        error_set(run->err, ERR_TEST, "%s",
            result->outcome == OUTCOME_WAIT ? "what the sensor waits for is not there"
            : result->message               ? result->message
                                            : "the task failed");
        snprintf(run->err->sqlstate, sizeof(run->err->sqlstate), "%s", result->sqlstate);
        set_place(run->err, result->place);
    }
    uv_stop(&run->loop);
}

static void on_event(void *user, const struct event *event)
{
    struct test_run *run = user;
    if (event->kind == EVENT_ATTEMPT_FINISHED && !run->finished &&
        str_equal(event->attempt.text, run->attempt.text))
        on_finished(run, event->result);
}

static void on_watch(uv_timer_t *timer)
{
    struct test_run *run = timer->data;
    struct effect cancel = {
        .kind = EFFECT_CANCEL, .attempt = run->attempt, .why = REASON_CANCELLED};
    if (!suite_interrupted() || run->interrupted)
        return;
    run->interrupted = true;
    if (run->attempt.text[0] && !run->finished)
        executor_cancel(run->executor, &cancel);
}

/* ---- the run --------------------------------------------------------------------------------- */

/* The run's conf: the test's `params` over its `conf`, since both win over the DAG's. */
static const char *conf_of(const struct sql_test *test, struct arena *arena)
{
    CLEANUP(json_decrefp) json_t *conf = test->conf ? yaml_to_json(test->conf) : json_object();
    CLEANUP(json_decrefp) json_t *params = test->params ? yaml_to_json(test->params) : NULL;
    if (params)
        json_object_update(conf, params);
    struct strbuf text = {.arena = arena};
    struct json_writer w = json_begin(&text);
    json_tree(&w, conf);
    return strbuf_finish(&text, arena).p;
}

static enum status find_facts(struct test_run *run, struct error *err)
{
    int64_t logical_us = clock_now().wall_us;
    const struct sql_test *test = run->test;
    if (test->logical_date) {
        enum status status =
            zone_parse_time(run->dag->zone, slice_of(test->logical_date), &logical_us, NULL, err);
        if (status != OK) {
            error_at(err, test->file, test->date_at->source->text.p,
                test->date_at->source->text.size, test->date_at->offset);
            return status;
        }
    }
    enum run_type type = context_run_type_at(run->dag, logical_us);
    enum status status = context_facts_at(run->dag, logical_us, type, run->arena, &run->facts, err);
    if (status != OK)
        return status;
    run->facts.conf = conf_of(test, run->arena);
    run->record = (struct run_record){.id = {1},
        .dag_id = run->dag->dag_id,
        .run_id = run->facts.run_id,
        .type = type,
        .state = RUN_RUNNING,
        .logical_us = run->facts.logical_us,
        .interval_start_us = run->facts.interval_start_us,
        .interval_end_us = run->facts.interval_end_us,
        .run_after_us = run->facts.run_after_us,
        .queued_us = clock_now().wall_us,
        .started_us = clock_now().wall_us,
        .ended_us = TIME_NONE,
        .deadline_us = TIME_NONE,
        .deadline_missed_us = TIME_NONE,
        .conf = run->facts.conf,
        .version = run->dag->version,
        .triggered_by = "dag test"};
    run->facts.started_us = run->record.started_us;
    return OK;
}

enum status test_run_new(const struct project *project, const struct dag *dag,
    const struct sql_test *test, struct arena *arena, struct test_run **ret, struct error *err)
{
    struct test_run *run = mem_alloc_zero(1, sizeof(*run));
    run->project = project;
    run->dag = dag;
    run->test = test;
    run->arena = arena;
    enum status status = find_facts(run, err);
    if (status != OK) {
        mem_free(run);
        return status;
    }
    char metadata_id[UUID_TEXT_SIZE];
    uuid_make(metadata_id);
    struct executor_options options = {.loop = &run->loop,
        .project = project,
        .metadata_id = metadata_id,
        .user = run,
        .event = on_event,
        .scratch = true,
        .facts = give_facts,
        .xcom = {pull, indexes}};
    uv_loop_init(&run->loop);
    uv_mutex_init(&run->mutex);
    uv_timer_init(&run->loop, &run->watch);
    run->watch.data = run;
    uv_timer_start(&run->watch, on_watch, WATCH_MS, WATCH_MS);
    uv_unref((uv_handle_t *)&run->watch);
    status = executor_new(&options, &run->executor, err);
    *ret = run;
    if (status != OK)
        test_run_free(run);
    return status;
}

static void on_closed(void *user)
{
    struct test_run *run = user;
    run->closed = true;
    uv_stop(&run->loop);
}

void test_run_free(struct test_run *run)
{
    if (!run)
        return;
    if (run->executor)
        executor_free(run->executor, on_closed, run);
    uv_close((uv_handle_t *)&run->watch, NULL);
    while (run->executor && !run->closed)
        uv_run(&run->loop, UV_RUN_DEFAULT);
    uv_run(&run->loop, UV_RUN_DEFAULT); /* the timer's handle */
    uv_loop_close(&run->loop);
    uv_mutex_destroy(&run->mutex);
    vec_done(&run->xcoms);
    mem_free(run);
}

static void keep_xcom(struct test_run *run, const char *task_id, int32_t map_index)
{
    uv_mutex_lock(&run->mutex);
    vec_push(&run->xcoms, ((struct given_xcom){task_id, map_index, run->xcom}));
    uv_mutex_unlock(&run->mutex);
}

static enum status attempt(struct test_run *run, const struct task *task, int32_t map_index,
    const char *mapped, int64_t generation, struct error *err)
{
    struct effect effect = {.kind = EFFECT_START,
        .dag = run->dag,
        .task = task->index,
        .run = run->record,
        .map_index = map_index,
        .try_number = 1,
        .number = ++run->number,
        .mapped = mapped,
        .generation = generation};
    uuid_make(effect.attempt.text);
    run->attempt = effect.attempt;
    run->finished = false;
    run->err = err;
    error_clear(err);
    executor_start(run->executor, &effect);
    while (!run->finished)
        uv_run(&run->loop, UV_RUN_DEFAULT);
    run->attempt.text[0] = '\0';
    if (run->interrupted)
        return error_set(err, ERR_INTERRUPTED, "interrupted");
    if (run->outcome != OUTCOME_SUCCESS && run->outcome != OUTCOME_SKIPPED)
        return err->status;
    keep_xcom(run, task->task_id, map_index);
    return OK;
}

enum status test_run_task(
    struct test_run *run, const struct task *task, int64_t generation, struct error *err)
{
    enum status status = attempt(run, task, -1, NULL, generation, err);
    if (status != OK || !task->expand.count)
        return status;
    const char *const *mapped = run->mapped;
    size_t count = run->mapped_count;
    for (size_t i = 0; status == OK && i < count; i++)
        status = attempt(run, task, (int32_t)i, mapped[i], generation, err);
    return status;
}
