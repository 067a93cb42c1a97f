#include "executor/attempt.h"

#include <assert.h>
#include <stdio.h>

#include "base/file.h"
#include "base/json.h"
#include "executor/attempt_sql.h"
#include "executor/executor_internal.h"
#include "executor/limits.h"

/* ---- what operators ask for ------------------------------------------------------------------ */

struct handles *attempt_handles(struct attempt *attempt)
{
    return &attempt->ex->handles;
}

struct targets *attempt_targets(struct attempt *attempt)
{
    return attempt->ex->targets;
}

struct offload *attempt_admin(struct attempt *attempt)
{
    return attempt->ex->admin;
}

struct offload *attempt_looks(struct attempt *attempt)
{
    return attempt->ex->looks;
}

struct offload *attempt_copies(struct attempt *attempt)
{
    return attempt->ex->copies;
}

struct http_client *attempt_http(struct attempt *attempt)
{
    return attempt->ex->http;
}

enum status attempt_ask(struct attempt *attempt, const struct look_question *question,
    enum look_answer *ret, const char **ret_saw, struct error *err)
{
    const struct executor_options *options = &attempt->ex->options;
    if (!options->look)
        return error_set(err, ERR_INVALID, "there is no metadata here to look at");
    return options->look(options->user, question, attempt->arena, ret, ret_saw, err);
}

const struct dag *attempt_find_dag(struct attempt *attempt, const char *dag_id)
{
    const struct executor_options *options = &attempt->ex->options;
    return options->dag ? options->dag(options->user, dag_id) : NULL;
}

char *attempt_written(struct attempt *attempt, const char *path)
{
    struct arena *arena = attempt->arena;
    if (!attempt->ex->options.scratch)
        return path_join(arena, attempt->project->root, path);
    const char *folder = path_join(arena, attempt->project->state, "written");
    (void)!dir_make(folder, true, NULL); /* what is missing is told when it is written */
    return path_join(arena, folder, path_base(path));
}

const char *attempt_metadata_id(const struct attempt *attempt)
{
    return attempt->ex->options.metadata_id;
}

const char *attempt_supervisor(const struct attempt *attempt)
{
    return attempt->ex->options.supervisor;
}

char *attempt_file(struct attempt *attempt, const char *ending)
{
    return attempt_file_path(attempt->arena, attempt->log_file, ending);
}

enum status attempt_write_memo(struct attempt *attempt, struct error *err)
{
    memcpy(attempt->memo.attempt, attempt->effect.attempt.text, UUID_TEXT_SIZE);
    attempt->memo.operator= attempt->operator->name;
    attempt->memo.generation = attempt->effect.generation;
    attempt->memo.started_us = attempt->started_us;
    return attempt_memo_write(attempt->log, &attempt->memo, err);
}

void attempt_say(struct attempt *attempt, enum log_kind kind, const char *format, ...)
{
    if (!attempt->log)
        return;
    struct strbuf text = {0};
    va_list args;
    va_start(args, format);
    strbuf_vprintf(&text, format, args);
    va_end(args);
    attempt_log_text(
        attempt->log, clock_now().wall_us, kind, slice_make(strbuf_text(&text), text.size));
    attempt_log_flush(attempt->log);
    strbuf_done(&text);
}

void attempt_say_lines(struct attempt *attempt, enum log_kind kind, struct slice text)
{
    if (text.size)
        attempt_say(attempt, kind, "%.*s", SLICE_ARG(text));
}

char *attempt_xcom_of_text(struct slice text, struct arena *arena)
{
    CLEANUP(json_decrefp) json_t *tree = NULL;
    text = slice_trim(text);
    if (json_parse(text.p, text.size, NULL, &tree, NULL) == OK)
        return arena_strndup(arena, text.p, text.size);
    struct strbuf out = {0};
    struct json_writer w = json_begin(&out);
    json_strn(&w, text.p, text.size);
    char *json = strbuf_to_arena(&out, arena);
    strbuf_done(&out);
    return json;
}

enum attempt_outcome attempt_cancelled_outcome(const struct attempt *attempt)
{
    return attempt->stopping ? OUTCOME_INTERRUPTED : OUTCOME_CANCELLED;
}

/* ---- how it ends ----------------------------------------------------------------------------- */

static const char *const outcome_words[] = {
    [OUTCOME_SUCCESS] = "success",
    [OUTCOME_SKIPPED] = "skipped",
    [OUTCOME_FAILED] = "failed",
    [OUTCOME_CANCELLED] = "cancelled",
    [OUTCOME_INTERRUPTED] = "interrupted: it ended with the scheduler",
    [OUTCOME_LOST] = "lost: whether it committed is not known; the next attempt settles it",
    [OUTCOME_PARTLY] = "partly committed: it will not be retried by itself",
    [OUTCOME_SUPERSEDED] = "superseded: a newer generation took its place",
    [OUTCOME_WAIT] = "not yet",
};

static void say_end(struct attempt *attempt, const struct attempt_result *result)
{
    char took[32];
    duration_format(result->ended_us - result->started_us, took);
    if (result->outcome == OUTCOME_WAIT) { /* one line a look: there may be thousands */
        attempt_say(attempt, LOG_KIND_INFO, "not yet: %s", result->message);
        attempt_log_close(take(attempt->log));
        return;
    }
    bool bad = result->outcome == OUTCOME_FAILED || result->outcome == OUTCOME_PARTLY;
    attempt_say(attempt, bad ? LOG_KIND_ERROR : LOG_KIND_INFO, "end: %s after %s%s",
        outcome_words[result->outcome], took,
        result->committed_before ? " (an earlier attempt had committed)" : "");
    attempt_log_close(take(attempt->log));
}

void attempt_finish(struct attempt *attempt, const struct attempt_result *result)
{
    assert(!attempt->finished);
    attempt->finished = true;
    struct attempt_result ended = *result;
    if (!ended.started_us)
        ended.started_us = attempt->started_us;
    if (!ended.ended_us)
        ended.ended_us = clock_now().wall_us;
    if (ended.ended_us < ended.started_us)
        ended.ended_us = ended.started_us;
    if (ended.message)
        ended.message = attempt_log_mask(attempt->log, slice_of(ended.message), attempt->arena);
    say_end(attempt, &ended);
    struct answer *answer =
        executor_answer(attempt->ex, EVENT_ATTEMPT_FINISHED, attempt->effect.attempt.text);
    answer->result = ended;
    answer->attempt = attempt;
}

static void say_error(struct attempt *attempt, const struct error *err)
{
    struct strbuf text = {0};
    error_format(err, "error", &text);
    attempt_say_lines(attempt, LOG_KIND_ERROR, slice_make(strbuf_text(&text), text.size));
    strbuf_done(&text);
}

/* The error as it is stored: message, the user's line and the hint. */
static char *message_of(const struct error *err, struct arena *arena)
{
    struct strbuf text = {0};
    strbuf_add_str(&text, err->message);
    if (err->excerpt[0])
        strbuf_printf(&text, "\n%u | %s", err->place.line, err->excerpt);
    if (err->trace[0])
        strbuf_printf(&text, "\n%s", err->trace);
    if (err->hint[0])
        strbuf_printf(&text, "\nhint: %s", err->hint);
    char *message = strbuf_to_arena(&text, arena);
    strbuf_done(&text);
    return message;
}

void attempt_fail(struct attempt *attempt, enum error_class class, const struct error *err)
{
    attempt_fail_with(attempt, (struct attempt_result){.error_class = class}, err);
}

void attempt_fail_with(
    struct attempt *attempt, struct attempt_result result, const struct error *err)
{
    result.outcome = OUTCOME_FAILED;
    result.exit_code = -1;
    result.message = message_of(err, attempt->arena);
    snprintf(result.sqlstate, sizeof(result.sqlstate), "%s", err->sqlstate);
    if (err->place.file[0])
        result.place = arena_printf(
            attempt->arena, "%s:%u:%u", err->place.file, err->place.line, err->place.column);
    say_error(attempt, err);
    attempt_finish(attempt, &result);
}

static void finish_cancelled(struct attempt *attempt)
{
    attempt_finish(attempt,
        &(struct attempt_result){.outcome = attempt_cancelled_outcome(attempt), .exit_code = -1});
}

/* ---- how it begins --------------------------------------------------------------------------- */

static const char *copy_text(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

static void copy_run(struct attempt *attempt, const struct run_record *run)
{
    struct run_record *copy = &attempt->effect.run;
    struct arena *arena = attempt->arena;
    *copy = *run;
    copy->dag_id = copy_text(arena, run->dag_id);
    copy->run_id = copy_text(arena, run->run_id);
    copy->reason_text = copy_text(arena, run->reason_text);
    copy->conf = copy_text(arena, run->conf);
    copy->version = copy_text(arena, run->version);
    copy->triggered_by = copy_text(arena, run->triggered_by);
    copy->note = copy_text(arena, run->note);
}

static struct attempt *new_attempt(struct executor *ex, const struct run_record *run)
{
    struct arena *arena = arena_new();
    struct attempt *attempt = arena_new_of(arena, struct attempt);
    attempt->arena = arena;
    attempt->ex = ex;
    attempt->project = project_ref(ex->options.project);
    attempt->started_us = clock_now().wall_us;
    copy_run(attempt, run);
    attempt->next = ex->attempts;
    ex->attempts = attempt;
    ex->active++;
    return attempt;
}

static void place_files(
    struct attempt *attempt, const char *task_id, int32_t map_index, int32_t number)
{
    const struct run_record *run = &attempt->effect.run;
    attempt->log_path =
        log_path_of(attempt->arena, run->dag_id, run->run_id, task_id, map_index, number);
    attempt->log_file = path_join(attempt->arena, attempt->project->state, attempt->log_path);
}

void attempt_end_operator(struct attempt *attempt)
{
    if (attempt->acting) {
        attempt->acting = false;
        attempt->operator->done(attempt);
    }
}

static void free_attempt(struct attempt *attempt)
{
    attempt_log_close(attempt->log);
    dag_unref((struct dag *)attempt->effect.dag);
    project_free((struct project *)(uintptr_t)attempt->project);
    arena_free(attempt->arena);
}

void attempt_release(struct attempt *attempt)
{
    struct attempt **at = &attempt->ex->attempts;
    while (*at != attempt)
        at = &(*at)->next;
    *at = attempt->next;
    attempt_end_operator(attempt);
    if (attempt->rendering)
        attempt->ex = NULL; /* the worker still uses the arena: freed when it is done */
    else
        free_attempt(attempt);
}

/* ---- rendering ------------------------------------------------------------------------------- */

struct render_job {
    uv_work_t work;
    struct handles *handles;
    struct attempt *attempt;
    const struct xcom_source *xcom;
    void *user;
};

static const char *pull_xcom(
    void *user, const char *task_id, int32_t map_index, const char *key, struct arena *arena)
{
    struct render_job *job = user;
    struct run_id run = job->attempt->effect.run.id;
    return job->xcom->pull(job->user, run, task_id, map_index, key, arena);
}

static size_t pull_indexes(
    void *user, const char *task_id, struct arena *arena, const int32_t **ret)
{
    struct render_job *job = user;
    return job->xcom->indexes(job->user, job->attempt->effect.run.id, task_id, arena, ret);
}

static struct render_target target_of(const struct attempt *attempt)
{
    const char *name = attempt->task->sql.connection;
    return render_target_of(
        attempt->project, name ? project_find_connection(attempt->project, name) : NULL);
}

/* The SQL as it will be sent, for people: without secrets. */
static void write_rendered(struct attempt *attempt)
{
    const struct rendered *sql = rendered_find(&attempt->rendered, "sql");
    if (!sql)
        return;
    struct slice shown =
        sql->map ? jinja_masked_text(sql->map, JINJA_SECRET, "***", attempt->arena) : sql->text;
    const struct effect *effect = &attempt->effect;
    struct attempt_sql_title title = {
        effect->attempt.text, attempt->task->task_id, effect->map_index, effect->number};
    attempt->render_status =
        attempt_sql_add(attempt->log_file, &title, shown, &attempt->render_error);
}

static void on_render(uv_work_t *work)
{
    struct render_job *job = work->data;
    struct attempt *attempt = job->attempt;
    const struct effect *effect = &attempt->effect;
    struct attempt_facts facts = {
        .attempt_id = effect->attempt.text,
        .try_number = effect->try_number,
        .map_index = effect->map_index,
        .now_us = attempt->started_us,
        .seed = hash_u64(effect->attempt.text, strlen(effect->attempt.text)),
        .mapped = effect->mapped,
        .xcom = job->xcom->pull ? pull_xcom : NULL,
        .indexes = job->xcom->pull ? pull_indexes : NULL,
        .xcom_user = job,
    };
    struct render_target target = target_of(attempt);
    attempt->render_status =
        (attempt->operator== & operator_expand ? context_render_expand : context_render_task)(
            attempt->project, effect->dag, attempt->task, &attempt->facts, &facts, &target,
            attempt->arena, &attempt->rendered, &attempt->render_error);
    if (attempt->render_status == OK)
        write_rendered(attempt);
}

static void act(struct attempt *attempt)
{
    attempt->acting = true;
    attempt->operator->start(attempt);
}

/* What templates took from secrets must not come back through messages of the server or a process.
 */
static void name_secrets(struct attempt *attempt)
{
    for (size_t i = 0; attempt->log && i < attempt->rendered.count; i++) {
        const struct jinja_result *map = attempt->rendered.fields[i].map;
        for (size_t k = 0; map && k < map->segment_count; k++) {
            const struct jinja_segment *segment = &map->segments[k];
            if (segment->marks & JINJA_SECRET)
                attempt_log_secret(
                    attempt->log, slice_make(map->text.p + segment->offset, segment->length));
        }
    }
}

static void on_rendered(uv_work_t *work, int status)
{
    (void)status;
    struct render_job *job = work->data;
    struct attempt *attempt = job->attempt;
    struct handles *handles = job->handles;
    mem_free(job);
    attempt->rendering = false;
    if (!attempt->ex) {
        free_attempt(attempt);
    } else if (attempt->cancelled) {
        finish_cancelled(attempt);
    } else if (attempt->render_status) {
        /* A disk that is full says nothing about the template. */
        bool io = attempt->render_status == ERR_IO;
        attempt_fail(attempt, io ? CLASS_OTHER : CLASS_TEMPLATE, &attempt->render_error);
    } else {
        name_secrets(attempt);
        act(attempt);
    }
    handles_drop(handles);
}

static void render(struct attempt *attempt)
{
    struct executor *ex = attempt->ex;
    struct render_job *job = mem_alloc_zero(1, sizeof(*job));
    job->work.data = job;
    job->attempt = attempt;
    job->handles = &ex->handles;
    job->xcom = &ex->options.xcom;
    job->user = ex->options.user;
    attempt->rendering = true;
    handles_add(&ex->handles);
    uv_queue_work(ex->options.loop, &job->work, on_render, on_rendered);
}

/* ---- start ----------------------------------------------------------------------------------- */

static void default_facts(const struct run_record *run, struct run_facts *ret)
{
    *ret = (struct run_facts){
        .run_id = run->run_id,
        .type = run->type,
        .logical_us = run->logical_us,
        .interval_start_us = run->interval_start_us,
        .interval_end_us = run->interval_end_us,
        .run_after_us = run->run_after_us,
        .started_us = run->started_us,
        .conf = run->conf,
        .prev_interval_start_success_us = INT64_MIN,
        .prev_interval_end_success_us = INT64_MIN,
        .prev_start_success_us = INT64_MIN,
        .prev_end_success_us = INT64_MIN,
    };
}

static enum status get_facts(struct attempt *attempt, struct error *err)
{
    const struct executor_options *options = &attempt->ex->options;
    default_facts(&attempt->effect.run, &attempt->facts);
    if (!options->facts)
        return OK;
    return options->facts(
        options->user, &attempt->effect.run, attempt->arena, &attempt->facts, err);
}

static void say_start(struct attempt *attempt)
{
    const struct effect *effect = &attempt->effect;
    char index[16] = "";
    if (effect->map_index >= 0)
        snprintf(index, sizeof(index), "[%d]", (int)effect->map_index);
    attempt_say(attempt, LOG_KIND_INFO, "attempt %d (try %d) of %s%s in %s, %s",
        (int)effect->number, (int)effect->try_number, attempt->task->task_id, index,
        effect->run.run_id, effect->attempt.text);
    if (effect->mapped)
        attempt_say(attempt, LOG_KIND_INFO, "mapped: %s", effect->mapped);
}

void attempt_launch(struct executor *ex, const struct effect *effect)
{
    struct attempt *attempt = new_attempt(ex, &effect->run);
    struct run_record run = attempt->effect.run;
    attempt->effect = *effect;
    attempt->effect.run = run;
    attempt->effect.dag = dag_ref(effect->dag);
    attempt->effect.request_uuid = attempt->effect.outcome = NULL;
    attempt->effect.mapped = copy_text(attempt->arena, effect->mapped);
    attempt->task = &effect->dag->tasks[effect->task];
    attempt->operator= operator_of(attempt->task, effect->map_index);
    place_files(attempt, attempt->task->task_id, effect->map_index, effect->number);
    struct error err;
    if (ex->stopped) {
        attempt->stopping = true;
        finish_cancelled(attempt);
        return;
    }
    if (attempt_log_open(attempt->log_file, &attempt->log, &err)) {
        attempt_fail(attempt, CLASS_OTHER, &err);
        return;
    }
    if (!effect->looks)
        say_start(attempt);
    executor_answer(ex, EVENT_ATTEMPT_STARTED, effect->attempt.text);
    if (!attempt->operator) {
        error_set(&err, ERR_INVALID, "tasks of kind `%s` cannot run yet",
            task_kind_name(attempt->task->kind));
        attempt_fail(attempt, CLASS_OTHER, &err);
    } else if (get_facts(attempt, &err)) {
        attempt_fail(attempt, CLASS_OTHER, &err);
    } else if (attempt->operator->renders) {
        render(attempt);
    } else {
        act(attempt);
    }
}

void attempt_cancel(struct attempt *attempt, bool force, enum reason why)
{
    if (attempt->finished)
        return;
    if (!attempt->cancelled)
        attempt_say(attempt, LOG_KIND_INFO, "cancel: %s", reason_text(why));
    else if (force && !attempt->forced)
        attempt_say(attempt, LOG_KIND_INFO, "cancel: by force");
    attempt->cancelled = true;
    attempt->forced |= force;
    attempt->why = why;
    if (attempt->acting)
        attempt->operator->cancel(attempt, attempt->forced);
    /* While it renders nothing has been done: it ends when the worker returns. */
}

/* ---- recover --------------------------------------------------------------------------------- */

/* By what it left behind, else by its task's kind. */
static void find_recovering_operator(struct attempt *attempt)
{
    attempt->has_memo =
        attempt_memo_read(attempt->log_file, attempt->arena, &attempt->memo, NULL) == OK &&
        str_equal(attempt->memo.attempt, attempt->effect.attempt.text);
    if (attempt->has_memo)
        attempt->operator= operator_named(attempt->memo.operator);
    else if (attempt->task)
        attempt->operator= operator_of(attempt->task, attempt->effect.map_index);
}

void attempt_tell_started(struct attempt *attempt)
{
    executor_answer(attempt->ex, EVENT_ATTEMPT_STARTED, attempt->effect.attempt.text);
}

void attempt_recover(struct executor *ex, const struct attempt_record *record,
    const struct dag *dag, const struct run_record *run)
{
    struct attempt *attempt = new_attempt(ex, run);
    struct effect *effect = &attempt->effect;
    attempt->recovering = true;
    effect->kind = EFFECT_START;
    effect->attempt = record->id;
    effect->map_index = record->map_index;
    effect->try_number = record->try_number;
    effect->number = record->number;
    effect->generation = record->generation;
    effect->dag = dag ? dag_ref(dag) : NULL;
    attempt->task = dag ? dag_find_task(dag, record->task_id) : NULL;
    if (record->started_us != TIME_NONE)
        attempt->started_us = record->started_us;
    attempt->recovered_task_id = arena_strdup(attempt->arena, record->task_id);
    place_files(attempt, attempt->recovered_task_id, record->map_index, record->number);
    /* Without a log it is recovered all the same. */
    if (attempt_log_open(attempt->log_file, &attempt->log, NULL) == OK)
        attempt_say(attempt, LOG_KIND_INFO, "the scheduler was started again: taking it over");
    find_recovering_operator(attempt);
    if (!attempt->operator) {
        attempt_finish(
            attempt, &(struct attempt_result){
                         .outcome = OUTCOME_INTERRUPTED, .may_commit = true, .exit_code = -1});
        return;
    }
    attempt->acting = true;
    attempt->operator->recover(attempt);
}
