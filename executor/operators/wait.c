/*
 * Sensors: one look a start.  What is not there yet ends the look with OUTCOME_WAIT, and the
 * scheduler starts the attempt again when it is time for the next one; nothing is held meanwhile,
 * here neither.  A look changes nothing outside, so that one which was broken off is made again.
 */
#include <glob.h>

#include "base/file.h"
#include "definition/model/choice.h"
#include "definition/wait.h"
#include "executor/limits.h"
#include "executor/operators/exchange.h"
#include "executor/operators/query.h"

/* A look at files, on a thread: a file system may take its time. */
struct file_look {
    struct offload_job job;
    struct attempt *attempt; /* NULL: nobody waits for it any more */
    char *pattern;           /* absolute; heap */
    bool found;
    int rc; /* of glob */
};

struct sensor {
    struct query *query;
    struct file_look *files;
    struct exchange *exchange;
};

static void finish(struct attempt *attempt, enum attempt_outcome outcome, const char *message)
{
    attempt_finish(attempt, &(struct attempt_result){.outcome = outcome,
                                .error_class = outcome == OUTCOME_FAILED ? CLASS_OTHER : CLASS_NONE,
                                .exit_code = -1,
                                .message = message});
}

static void succeed(struct attempt *attempt, const char *saw)
{
    attempt_say(attempt, LOG_KIND_INFO, "%s", saw);
    finish(attempt, OUTCOME_SUCCESS, NULL);
}

static struct slice field_of(const struct attempt *attempt, const char *name)
{
    const struct rendered *field = rendered_find(&attempt->rendered, name);
    return field ? slice_trim(field->text) : slice_of("");
}

/* What a template gave that is of no use: as a template's mistake it is not retried. */
static void fail_text(struct attempt *attempt, const char *name, struct slice text)
{
    struct error err;
    error_set(&err, ERR_VALUE_RANGE, "`%s` came out as `%.*s`", name, SLICE_ARG(text));
    error_hint(&err, "look at the template's values with `dag render`");
    attempt_fail(attempt, CLASS_TEMPLATE, &err);
}

/* ---- sql ------------------------------------------------------------------------------------- */

static void on_rows(struct attempt *attempt, void *user, const struct query_rows *rows)
{
    (void)user;
    const char *value = rows->count ? rows->values[0].text : NULL;
    if (!choice_is_no(slice_of(value))) {
        attempt_say(attempt, LOG_KIND_INFO, "the query gave a value: it waits no more");
        attempt_finish(
            attempt, &(struct attempt_result){
                         .outcome = OUTCOME_SUCCESS, .exit_code = -1, .detail = rows->detail});
    } else if (rows->count == 0) {
        finish(attempt, OUTCOME_WAIT, "the query gives no row");
    } else {
        finish(attempt, OUTCOME_WAIT,
            value ? arena_printf(attempt->arena, "the query gives `%s`", value)
                  : "the query gives null");
    }
}

static void look_sql(struct attempt *attempt, struct sensor *sensor)
{
    sensor->query = query_start(attempt, &(struct query_options){.sql = &attempt->task->sql,
                                             .field = "sql",
                                             .rows_max = 1,
                                             .first_only = true,
                                             .done = on_rows});
}

/* ---- files ----------------------------------------------------------------------------------- */

static void on_look(struct offload_job *job)
{
    struct file_look *look = CONTAINER_OF(job, struct file_look, job);
    glob_t found = {0};
    look->rc = glob(look->pattern, GLOB_NOSORT, NULL, &found);
    look->found = look->rc == 0 && found.gl_pathc > 0;
    globfree(&found);
}

static void free_look(struct file_look *look)
{
    mem_free(look->pattern);
    mem_free(look);
}

static void on_discard(struct offload_job *job)
{
    free_look(CONTAINER_OF(job, struct file_look, job));
}

static void on_looked(struct offload_job *job)
{
    struct file_look *look = CONTAINER_OF(job, struct file_look, job);
    struct attempt *attempt = look->attempt;
    if (attempt) {
        struct sensor *sensor = attempt->own;
        sensor->files = NULL;
        if (look->found)
            succeed(attempt, arena_printf(attempt->arena, "%s is there", look->pattern));
        else if (look->rc == 0 || look->rc == GLOB_NOMATCH)
            finish(attempt, OUTCOME_WAIT,
                arena_printf(attempt->arena, "%s is not there", look->pattern));
        else
            finish(attempt, OUTCOME_FAILED,
                arena_printf(attempt->arena, "%s cannot be looked for", look->pattern));
    }
    free_look(look);
}

static void look_file(struct attempt *attempt, struct sensor *sensor)
{
    struct slice text = field_of(attempt, "file");
    if (!text.size) {
        fail_text(attempt, "file", text);
        return;
    }
    const char *path = arena_strndup(attempt->arena, text.p, text.size);
    struct file_look *look = mem_alloc_zero(1, sizeof(*look));
    look->job = (struct offload_job){.work = on_look, .done = on_looked, .discard = on_discard};
    look->attempt = attempt;
    look->pattern =
        mem_strdup(path[0] == '/' ? path : path_join(attempt->arena, attempt->project->root, path));
    sensor->files = look;
    offload_run(attempt_looks(attempt), &look->job);
}

/* ---- http ------------------------------------------------------------------------------------ */

/* What may be another answer later: there is none, it is not there yet, or the server has trouble.
 */
static bool may_come(const struct exchange_end *end)
{
    return end->class != CLASS_HTTP || end->status == 404 || end->status == 408 ||
           end->status == 425 || end->status == 429 || end->status >= 500;
}

static void finish_not_yet(struct attempt *attempt, const struct exchange_end *end)
{
    int64_t after_us = end->retry_after_us;
    attempt_finish(attempt, &(struct attempt_result){.outcome = OUTCOME_WAIT,
                                .look_at_us = after_us ? clock_now().wall_us + after_us : 0,
                                .exit_code = -1,
                                .message = arena_strdup(attempt->arena, end->err.message)});
}

static void judge_result(struct attempt *attempt, const struct exchange_end *end)
{
    CLEANUP(json_decrefp) json_t *tree = NULL;
    const char *pointer = attempt->task->http->result;
    const json_t *value;
    struct error err;
    struct strbuf text = {.arena = attempt->arena};
    struct json_writer w = json_begin(&text);
    if (exchange_result(end, pointer, &tree, &value, &err)) {
        finish(attempt, OUTCOME_WAIT, arena_strdup(attempt->arena, err.message));
        return;
    }
    json_tree(&w, value);
    struct slice shown = json_is_string(value) ? slice_of(json_string_value(value))
                                               : strbuf_finish(&text, attempt->arena);
    if (json_is_null(value) || choice_is_no(shown))
        finish(attempt, OUTCOME_WAIT,
            arena_printf(attempt->arena, "`%s` of the answer is `%.*s`", pointer,
                (int)(shown.size < 200 ? shown.size : 200), shown.p));
    else
        succeed(attempt, arena_printf(attempt->arena, "`%s` of the answer is there", pointer));
}

static void on_answer(struct attempt *attempt, const struct exchange_end *end)
{
    if (end->as_expected && attempt->task->http->result)
        judge_result(attempt, end);
    else if (end->as_expected)
        succeed(attempt, "the answer is as expected: it waits no more");
    else if (may_come(end))
        finish_not_yet(attempt, end);
    else
        attempt_fail_with(attempt,
            (struct attempt_result){
                .error_class = end->class, .http_status = end->status, .detail = end->detail},
            &end->err);
}

static void look_http(struct attempt *attempt, struct sensor *sensor)
{
    sensor->exchange = exchange_start(
        attempt, &(struct exchange_options){
                     .http = attempt->task->http, .timeout_ms = HTTP_LOOK_MS, .done = on_answer});
}

/* ---- time ------------------------------------------------------------------------------------ */

static void look_time(struct attempt *attempt, struct sensor *sensor)
{
    (void)sensor;
    struct error err;
    const struct run_record *run = &attempt->effect.run;
    int64_t at_us,
        end_us = run->interval_end_us == TIME_NONE ? run->logical_us : run->interval_end_us;
    if (wait_time_read(
            attempt->effect.dag->zone, end_us, field_of(attempt, "time"), &at_us, &err)) {
        attempt_fail(attempt, CLASS_TEMPLATE, &err);
        return;
    }
    char text[TIME_TEXT_SIZE];
    zone_format_iso(attempt->effect.dag->zone, at_us, text);
    if (clock_now().wall_us >= at_us)
        succeed(attempt, arena_printf(attempt->arena, "it is past %s", text));
    else
        attempt_finish(
            attempt, &(struct attempt_result){.outcome = OUTCOME_WAIT,
                         .look_at_us = at_us,
                         .exit_code = -1,
                         .message = arena_printf(attempt->arena, "it is not %s yet", text)});
}

/* ---- other DAGs, assets ---------------------------------------------------------------------- */

static void look_at_metadata(struct attempt *attempt, const struct look_question *question)
{
    enum look_answer answer;
    const char *saw = NULL;
    struct error err;
    if (attempt_ask(attempt, question, &answer, &saw, &err))
        attempt_fail(attempt, CLASS_OTHER, &err);
    else if (answer == LOOK_YES)
        succeed(attempt, saw);
    else if (answer == LOOK_NOT_YET || attempt->task->wait->failed_waits)
        finish(attempt, OUTCOME_WAIT, saw);
    else
        finish(attempt, attempt->task->wait->soft_fail ? OUTCOME_SKIPPED : OUTCOME_FAILED, saw);
}

static void look_asset(struct attempt *attempt, struct sensor *sensor)
{
    (void)sensor;
    look_at_metadata(attempt, &(struct look_question){.run = &attempt->effect.run,
                                  .asset = attempt->task->wait->text.value});
}

static void look_task(struct attempt *attempt, struct sensor *sensor)
{
    (void)sensor;
    struct arena *arena = attempt->arena;
    struct slice dag = field_of(attempt, "dag"), task = field_of(attempt, "task");
    if (!dag.size) {
        fail_text(attempt, "dag", dag);
        return;
    }
    look_at_metadata(
        attempt, &(struct look_question){.run = &attempt->effect.run,
                     .dag_id = arena_strndup(arena, dag.p, dag.size),
                     .task_id = task.size ? arena_strndup(arena, task.p, task.size) : NULL});
}

/* ---- the operator ---------------------------------------------------------------------------- */

static void (*const looks[])(struct attempt *attempt, struct sensor *sensor) = {
    [WAIT_SQL] = look_sql,
    [WAIT_FILE] = look_file,
    [WAIT_TASK] = look_task,
    [WAIT_TIME] = look_time,
    [WAIT_ASSET] = look_asset,
    [WAIT_HTTP] = look_http,
};

static struct sensor *new_sensor(struct attempt *attempt)
{
    struct sensor *sensor = arena_new_of(attempt->arena, struct sensor);
    attempt->own = sensor;
    return sensor;
}

static void wait_start(struct attempt *attempt)
{
    looks[attempt->task->wait->kind](attempt, new_sensor(attempt));
}

/* Only a query may have left something behind. */
static void wait_recover(struct attempt *attempt)
{
    struct sensor *sensor = new_sensor(attempt);
    sensor->query = query_recover(attempt);
}

/* A look at files ends by itself; its answer is not waited for when that is asked. */
static void wait_cancel(struct attempt *attempt, bool force)
{
    struct sensor *sensor = attempt->own;
    if (attempt->finished)
        return;
    if (sensor->query)
        query_cancel(sensor->query, force);
    else if (sensor->files || sensor->exchange) {
        if (sensor->files)
            take(sensor->files)->attempt = NULL;
        exchange_free(take(sensor->exchange));
        finish(attempt, attempt_cancelled_outcome(attempt), NULL);
    }
}

static void wait_done(struct attempt *attempt)
{
    struct sensor *sensor = attempt->own;
    if (!sensor)
        return;
    query_free(take(sensor->query));
    exchange_free(take(sensor->exchange));
    if (sensor->files)
        take(sensor->files)->attempt = NULL;
}

const struct operator operator_wait = {
    .name = "wait",
    .renders = true,
    .start = wait_start,
    .recover = wait_recover,
    .cancel = wait_cancel,
    .done = wait_done,
};
