#include "executor/executor.h"

#include <assert.h>
#include <unistd.h>

#include "base/file.h"
#include "executor/executor_internal.h"
#include "executor/limits.h"

/* ---- answers --------------------------------------------------------------------------------- */

struct answer *executor_answer(struct executor *ex, enum event_kind kind, const char *attempt)
{
    struct answer *answer = mem_alloc_zero(1, sizeof(*answer));
    answer->event.kind = kind;
    memcpy(answer->event.attempt.text, attempt, UUID_TEXT_SIZE);
    answer->event.result = &answer->result;
    *ex->last = answer;
    ex->last = &answer->next;
    uv_async_send(ex->answers);
    return answer;
}

static void release_answer(struct answer *answer)
{
    if (answer->attempt)
        attempt_release(answer->attempt);
    if (answer->request)
        void_release(answer->request);
    mem_free(answer);
}

static struct answer *pop_answer(struct executor *ex)
{
    struct answer *answer = ex->first;
    if (answer && !(ex->first = answer->next))
        ex->last = &ex->first;
    return answer;
}

static void on_answers(uv_async_t *async)
{
    struct executor *ex = async->data;
    /* Those there now; what the callback adds comes with the next turn. */
    size_t count = 0;
    for (struct answer *answer = ex->first; answer; answer = answer->next)
        count++;
    while (count-- && (ex->telling = pop_answer(ex))) {
        struct answer *answer = ex->telling;
        if (answer->event.kind != EVENT_ATTEMPT_STARTED)
            ex->active--;
        if (answer->attempt)
            attempt_end_operator(answer->attempt);
        ex->options.event(ex->options.user, &answer->event);
        release_answer(answer);
    }
    ex->telling = NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

const char *executor_supervisor(struct arena *arena)
{
    char program[4096];
    ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
    if (size <= 0)
        return "dag-exec";
    program[size] = '\0';
    const char *dir = path_dir(arena, program);
    const char *beside = path_join(arena, dir, "dag-exec");
    if (file_exists(beside))
        return beside;
    return path_join(arena, path_dir(arena, dir), "libexec/dag/dag-exec");
}

static enum status make_handles(struct executor *ex, struct error *err)
{
    enum status status = offload_new(ex->options.loop, CONNECT_THREADS_MAX, &ex->connects, err);
    if (status)
        return status;
    status = offload_new(ex->options.loop, ADMIN_THREADS_MAX, &ex->admin, err);
    if (status)
        return status;
    status = offload_new(ex->options.loop, LOOK_THREADS_MAX, &ex->looks, err);
    if (status)
        return status;
    status = offload_new(ex->options.loop, COPY_THREADS_MAX, &ex->copies, err);
    if (status)
        return status;
    uv_async_t *answers = mem_alloc_zero(1, sizeof(*answers));
    int rc = uv_async_init(ex->options.loop, answers, on_answers);
    if (rc) {
        mem_free(answers);
        return error_set(err, ERR_IO, "cannot make a handle of the loop: %s", uv_strerror(rc));
    }
    ex->answers = answers;
    answers->data = ex;
    return OK;
}

enum status executor_new(
    const struct executor_options *options, struct executor **ret, struct error *err)
{
    struct arena *arena = arena_new();
    struct executor *ex = arena_new_of(arena, struct executor);
    ex->arena = arena;
    ex->options = *options;
    ex->options.metadata_id = arena_strdup(arena, options->metadata_id);
    ex->options.supervisor =
        options->supervisor ? arena_strdup(arena, options->supervisor) : executor_supervisor(arena);
    ex->handles = (struct handles){.loop = options->loop};
    ex->last = &ex->first;
    enum status status = make_handles(ex, err);
    if (status) {
        if (ex->connects)
            offload_free(ex->connects, NULL, NULL);
        if (ex->admin)
            offload_free(ex->admin, NULL, NULL);
        if (ex->looks)
            offload_free(ex->looks, NULL, NULL);
        if (ex->copies)
            offload_free(ex->copies, NULL, NULL);
        arena_free(arena);
        return status;
    }
    ex->targets = targets_new(&ex->handles, ex->connects);
    ex->http = http_client_new(&ex->handles);
    *ret = ex;
    return OK;
}

static void on_empty(void *user)
{
    struct executor *ex = user;
    void (*closed)(void *user) = ex->closed;
    void *closed_user = ex->closed_user;
    arena_free(ex->arena);
    if (closed)
        closed(closed_user);
}

static void on_offload_closed(void *user)
{
    handles_drop(user);
}

static void on_answers_closed(uv_handle_t *handle)
{
    struct executor *ex = handle->data;
    mem_free(handle);
    handles_drop(&ex->handles);
}

void executor_free(struct executor *ex, void (*closed)(void *user), void *user)
{
    ex->freeing = true;
    ex->closed = closed;
    ex->closed_user = user;
    struct answer *answer;
    while ((answer = pop_answer(ex)))
        release_answer(answer);
    for (struct attempt *attempt = ex->attempts, *next; attempt; attempt = next) {
        next = attempt->next;
        if (!ex->telling || ex->telling->attempt != attempt)
            attempt_release(attempt);
    }
    for (struct void_request *request = ex->voids, *next; request; request = next) {
        next = void_next(request);
        if (!ex->telling || ex->telling->request != request)
            void_release(request);
    }
    targets_free(ex->targets);
    http_client_free(ex->http);
    for (int i = 0; i < 5; i++)
        handles_add(&ex->handles);
    offload_free(ex->connects, on_offload_closed, &ex->handles);
    offload_free(ex->admin, on_offload_closed, &ex->handles);
    offload_free(ex->looks, on_offload_closed, &ex->handles);
    offload_free(ex->copies, on_offload_closed, &ex->handles);
    uv_close((uv_handle_t *)ex->answers, on_answers_closed);
    ex->handles.empty = on_empty;
    ex->handles.user = ex;
    ex->handles.ending = true;
}

/* ---- effects --------------------------------------------------------------------------------- */

void executor_start(struct executor *ex, const struct effect *effect)
{
    assert(effect->kind == EFFECT_START && effect->dag);
    attempt_launch(ex, effect);
}

void executor_cancel(struct executor *ex, const struct effect *effect)
{
    for (struct attempt *attempt = ex->attempts; attempt; attempt = attempt->next) {
        if (str_equal(attempt->effect.attempt.text, effect->attempt.text)) {
            attempt_cancel(attempt, effect->force, effect->why);
            return;
        }
    }
}

void executor_void(struct executor *ex, const struct effect *effect)
{
    void_begin(ex, effect);
}

void executor_recover(struct executor *ex, const struct attempt_record *record,
    const struct dag *dag, const struct run_record *run)
{
    attempt_recover(ex, record, dag, run);
}

size_t executor_active(const struct executor *ex)
{
    return ex->active;
}

void executor_set_project(struct executor *ex, const struct project *project)
{
    ex->options.project = project;
}

/* Acts without us: its supervisor minds it, and the next daemon takes it over. */
static bool goes_on_alone(const struct attempt *attempt)
{
    return attempt->acting && attempt->operator->outlives_daemon;
}

void executor_stop(struct executor *ex, bool cancel)
{
    ex->stopped = true;
    for (struct attempt *attempt = ex->attempts, *next; attempt; attempt = next) {
        next = attempt->next;
        if (attempt->finished)
            continue;
        if (goes_on_alone(attempt)) {
            ex->active--;
            attempt_release(attempt);
        } else if (cancel || !attempt->acting) {
            attempt->stopping |= !attempt->cancelled;
            attempt_cancel(attempt, false, REASON_INTERRUPTED);
        }
    }
}
