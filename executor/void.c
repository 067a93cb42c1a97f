/* EFFECT_VOID: the claim of a generation, taken so that nobody else can have it. */
#include "base/file.h"
#include "executor/executor_internal.h"
#include "executor/limits.h"
#include "executor/target/settle.h"

struct void_request {
    struct executor *ex;
    struct void_request *next;
    struct arena *arena;
    struct attempt_id attempt;
    struct settle *settle;
    struct attempt_log *log; /* of the attempt that it is about; NULL when it has none */
};

struct void_request *void_next(const struct void_request *request)
{
    return request->next;
}

void void_release(struct void_request *request)
{
    struct void_request **at = &request->ex->voids;
    while (*at != request)
        at = &(*at)->next;
    *at = request->next;
    if (request->settle)
        request->settle->owner = NULL;
    attempt_log_close(request->log);
    arena_free(request->arena);
}

static struct answer *answer_void(struct void_request *request, enum void_outcome outcome)
{
    struct answer *answer = executor_answer(request->ex, EVENT_VOID_DONE, request->attempt.text);
    answer->request = request;
    answer->event.void_outcome = outcome;
    answer->result = (struct attempt_result){.outcome = OUTCOME_SUCCESS, .exit_code = -1};
    return answer;
}

static void answer_unreachable(struct void_request *request, const char *why)
{
    answer_void(request, VOID_UNREACHABLE)->result.message = arena_strdup(request->arena, why);
}

static void say(struct void_request *request, const char *text)
{
    if (request->log)
        attempt_log_printf(request->log, LOG_KIND_INFO, "%s", text);
}

static void finish(struct void_request *request, const struct settle *settle)
{
    request->settle = NULL;
    if (settle->said.size)
        say(request, strbuf_text(&settle->said));
    if (settle->status) {
        say(request, settle->err.message);
        answer_unreachable(request, settle->err.message);
        return;
    }
    if (settle->inserted) {
        say(request, "made void: nothing of this generation can commit any more");
        answer_void(request, VOID_INSERTED);
        return;
    }
    if (settle->unplaced) { /* as good as failed: what follows would miss the file */
        say(request, settle->place_err.message);
        answer_void(request, VOID_INSERTED);
        return;
    }
    say(request, "it had committed already");
    struct answer *answer = answer_void(request, VOID_COMMITTED);
    answer->result.committed_before = true;
    if (settle->entry.body)
        (void)ledger_body_read(settle->entry.body, request->arena, &answer->result);
}

static void on_voided(struct settle *settle)
{
    if (settle->owner)
        finish(settle->owner, settle);
    settle_free(settle);
}

/* The ledger that attempts of the generation pinned, if any did. */
static void pin(struct void_request *request, const char *log_file, const struct effect *effect)
{
    struct attempt_memo memo;
    if (attempt_memo_pinned(
            log_file, effect->number + 1, effect->generation, request->arena, &memo))
        memcpy(request->settle->ledger_id, memo.ledger_id, sizeof(memo.ledger_id));
}

static void start(struct void_request *request, const struct effect *effect,
    const struct task *task, const struct connection *connection)
{
    const struct run_record *run = &effect->run;
    struct ledger_key key = {
        .metadata_id = request->ex->options.metadata_id,
        .dag_id = run->dag_id,
        .logical_us = run->logical_us,
        .task_id = task->task_id,
        .map_index = effect->map_index,
        .generation = effect->generation,
    };
    const char *log_file = path_join(request->arena, request->ex->options.project->state,
        log_path_of(request->arena, run->dag_id, run->run_id, task->task_id, effect->map_index,
            effect->number));
    request->settle = settle_new(SETTLE_VOID, connection, request, on_voided);
    settle_set_key(request->settle, &key);
    request->settle->attempt = arena_strdup(request->settle->arena, effect->attempt.text);
    request->settle->deadline_us = clock_now().mono_us + EXECUTOR_VOID_DEADLINE_MS * US_PER_MS;
    pin(request, log_file, effect);
    if (file_exists(log_file) && attempt_log_open(log_file, &request->log, NULL))
        request->log = NULL;
    settle_run(request->ex->admin, request->settle);
}

void void_begin(struct executor *ex, const struct effect *effect)
{
    struct arena *arena = arena_new();
    struct void_request *request = arena_new_of(arena, struct void_request);
    request->arena = arena;
    request->ex = ex;
    request->attempt = effect->attempt;
    request->next = ex->voids;
    ex->voids = request;
    ex->active++;
    const struct task *task = effect->dag && effect->task < effect->dag->task_count
                                  ? &effect->dag->tasks[effect->task]
                                  : NULL;
    bool is_sql = task && task->kind == KIND_SQL;
    const struct connection *connection =
        is_sql ? project_find_connection(ex->options.project, task->sql.connection) : NULL;
    if (is_sql && !connection)
        answer_unreachable(request,
            arena_printf(arena, "there is no connection `%s` any more", task->sql.connection));
    else if (!is_sql || !connection->ledger)
        answer_void(request, VOID_INSERTED);
    else
        start(request, effect, task, connection);
}
