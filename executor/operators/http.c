/*
 * Requests over HTTP.  At least once: an attempt that was broken off, by us or by the network, may
 * have been carried out; its Idempotency-Key lets the server tell the next one from a new wish.
 */
#include "executor/limits.h"
#include "executor/operators/exchange.h"

static void fail(struct attempt *attempt, const struct exchange_end *end)
{
    struct attempt_result failure = {
        .error_class = end->class,
        .http_status = end->status,
        .retry_after_us = end->retry_after_us,
        .detail = end->detail,
    };
    attempt_fail_with(attempt, failure, &end->err);
}

/* The part of the answer that is the task's XCom; false when the attempt has failed. */
static bool take_result(
    struct attempt *attempt, const struct exchange_end *end, const char **ret_xcom)
{
    CLEANUP(json_decrefp) json_t *tree = NULL;
    const json_t *value;
    struct exchange_end failed = *end;
    struct strbuf json = {.arena = attempt->arena};
    failed.class = CLASS_HTTP;
    if (exchange_result(end, attempt->task->http->result, &tree, &value, &failed.err)) {
        fail(attempt, &failed);
        return false;
    }
    struct json_writer w = json_begin(&json);
    json_tree(&w, value);
    if (json.size > XCOM_MAX) {
        error_set(&failed.err, ERR_LIMIT, "the result has %zu bytes, more than %d MiB", json.size,
            XCOM_MAX / 1024 / 1024);
        error_hint(&failed.err, "let `result` lead to less of the answer");
        fail(attempt, &failed);
        return false;
    }
    *ret_xcom = strbuf_finish(&json, attempt->arena).p;
    return true;
}

static void on_end(struct attempt *attempt, const struct exchange_end *end)
{
    struct attempt_result result = {
        .outcome = OUTCOME_SUCCESS, .exit_code = -1, .detail = end->detail};
    if (!end->as_expected)
        fail(attempt, end);
    else if (!attempt->task->http->result || take_result(attempt, end, &result.xcom))
        attempt_finish(attempt, &result);
}

/* With `execution_timeout` the scheduler ends it. */
static void http_start(struct attempt *attempt)
{
    const struct task *task = attempt->task;
    uint64_t timeout_ms = HTTP_REQUEST_MS;
    if (task->execution_timeout_us > 0)
        timeout_ms = (uint64_t)(task->execution_timeout_us / US_PER_MS) + HTTP_REQUEST_MS;
    attempt->own = exchange_start(
        attempt, &(struct exchange_options){
                     .http = task->http, .once = true, .timeout_ms = timeout_ms, .done = on_end});
}

static void http_recover(struct attempt *attempt)
{
    attempt_say(attempt, LOG_KIND_INFO,
        "the request may have been carried out: the next attempt has the same Idempotency-Key");
    attempt_finish(
        attempt, &(struct attempt_result){.outcome = OUTCOME_INTERRUPTED, .exit_code = -1});
}

static void http_cancel(struct attempt *attempt, bool force)
{
    (void)force;
    if (attempt->finished)
        return;
    exchange_free(attempt->own);
    attempt_say(attempt, LOG_KIND_INFO,
        "the connection was closed; what the server does with the request is not known");
    attempt_finish(attempt,
        &(struct attempt_result){.outcome = attempt_cancelled_outcome(attempt), .exit_code = -1});
}

static void http_done(struct attempt *attempt)
{
    exchange_free(attempt->own);
}

const struct operator operator_http = {
    .name = "http",
    .renders = true,
    .start = http_start,
    .recover = http_recover,
    .cancel = http_cancel,
    .done = http_done,
};
