#include "executor/operators/exchange.h"

#include <strings.h>

#include "definition/project.h"
#include "executor/limits.h"

struct exchange {
    struct attempt *attempt;
    struct exchange_options options;
    struct http_transfer *transfer;
    int64_t sent_us; /* mono */
};

void exchange_key(const struct attempt *attempt, char ret[HASH_TEXT_SIZE])
{
    const struct effect *effect = &attempt->effect;
    struct strbuf key = {0};
    strbuf_printf(&key, "%s\n%s\n%lld\n%s\n%d\n%lld", attempt_metadata_id(attempt),
        effect->run.dag_id, (long long)effect->run.logical_us, attempt->task->task_id,
        (int)effect->map_index, (long long)effect->generation);
    hash_sha256(key.text, key.size, ret);
    strbuf_done(&key);
}

/* ---- what is sent ---------------------------------------------------------------------------- */

static bool has_header(const struct http_task *http, const char *name)
{
    for (size_t i = 0; i < http->headers.count; i++)
        if (strcasecmp(http->headers.at[i].name, name) == 0)
            return true;
    return false;
}

/* "X-Api-Key" as "X_Api_Key", which Airflow would mask. */
static bool is_secret_header(const char *name)
{
    struct strbuf folded = {0};
    for (const char *at = name; *at; at++)
        strbuf_add_char(&folded, *at == '-' ? '_' : *at);
    bool secret = name_is_sensitive(strbuf_text(&folded)) || strcasecmp(name, "Cookie") == 0;
    strbuf_done(&folded);
    return secret;
}

/* "Bearer abc": the second word is what must not be seen, alone too. */
static void keep_secret(struct attempt *attempt, struct slice value)
{
    const char *space = value.size ? memchr(value.p, ' ', value.size) : NULL;
    attempt_log_secret(attempt->log, value);
    if (space)
        attempt_log_secret(
            attempt->log, slice_make(space + 1, (size_t)(value.p + value.size - space - 1)));
}

static const char *field_text(struct attempt *attempt, const char *name)
{
    const struct rendered *field = rendered_find(&attempt->rendered, name);
    struct slice text = field ? slice_trim(field->text) : slice_of("");
    return arena_strndup(attempt->arena, text.p, text.size);
}

/* The task's own headers, and those that follow from the request. */
static void make_headers(struct exchange *r, struct http_request *to)
{
    struct attempt *attempt = r->attempt;
    const struct http_task *http = r->options.http;
    struct http_header *headers =
        arena_array(attempt->arena, struct http_header, http->headers.count + 2);
    for (size_t i = 0; i < http->headers.count; i++) {
        const char *name = http->headers.at[i].name;
        headers[i].name = name;
        headers[i].value = field_text(attempt, arena_printf(attempt->arena, "headers.%s", name));
        if (attempt->log && is_secret_header(name))
            keep_secret(attempt, slice_of(headers[i].value));
    }
    to->headers = headers;
    to->header_count = http->headers.count;
    if (to->body.p && !has_header(http, "Content-Type"))
        headers[to->header_count++] = (struct http_header){
            "Content-Type", http->json ? "application/json" : "text/plain; charset=utf-8"};
    if (r->options.once && !has_header(http, "Idempotency-Key")) {
        char *key = arena_alloc(attempt->arena, HASH_TEXT_SIZE);
        exchange_key(attempt, key);
        headers[to->header_count++] = (struct http_header){"Idempotency-Key", key};
    }
}

static struct slice body_of(const struct exchange *r)
{
    const struct http_task *http = r->options.http;
    const struct rendered *field = rendered_find(&r->attempt->rendered, "body");
    if (http->json)
        return rendered_json(&r->attempt->rendered, "body", http->json, r->attempt->arena);
    return field ? field->text : (struct slice){0};
}

static bool covers(const struct http_task *http, int from, int to)
{
    for (size_t i = 0; i < http->expect_count; i++)
        if (http->expect[i].from <= to && http->expect[i].to >= from)
            return true;
    return false;
}

static void say_sent(struct attempt *attempt, const struct http_request *to)
{
    struct strbuf text = {0};
    strbuf_printf(&text, "%s %s", to->method, http_url_shown(attempt->arena, to->url));
    if (to->body.p)
        strbuf_printf(&text, ", %zu bytes", to->body.size);
    for (size_t i = 0; i < to->header_count; i++)
        if (strcasecmp(to->headers[i].name, "Idempotency-Key") == 0)
            strbuf_printf(&text, ", Idempotency-Key %s", to->headers[i].value);
    attempt_say(attempt, LOG_KIND_INFO, "%s", strbuf_text(&text));
    strbuf_done(&text);
}

/* ---- what comes back ------------------------------------------------------------------------- */

/* How an answer begins, as text: at most `max` bytes, cut between code points. */
static struct slice beginning(struct slice body, size_t max)
{
    size_t bad, size = body.size < max ? body.size : max;
    if (!utf8_valid(body.p, size, &bad)) {
        if (size == body.size || size - bad > 3)
            return slice_of("(it is no text)");
        size = bad;
    }
    return memchr(body.p, '\0', size) ? slice_of("(it is no text)") : slice_make(body.p, size);
}

/* How the answer begins, below the message. */
static void trace_answer(struct error *err, struct slice body)
{
    struct slice text = beginning(slice_trim(body), HTTP_ANSWER_TOLD);
    if (text.size)
        error_trace(err, "%.*s", SLICE_ARG(text));
}

static const char *expected_text(const struct http_task *http, struct arena *arena)
{
    struct strbuf text = {.arena = arena};
    for (size_t i = 0; i < http->expect_count; i++) {
        const struct http_statuses *one = &http->expect[i];
        strbuf_add_str(&text, i ? ", " : "");
        if (one->from == one->to)
            strbuf_printf(&text, "%d", one->from);
        else
            strbuf_printf(&text, "%dxx", one->from / 100);
    }
    return strbuf_finish(&text, arena).p;
}

static void say_answer(struct attempt *attempt, const struct http_answer *answer, int64_t took_us)
{
    char took[32];
    duration_format(took_us, took);
    attempt_say(attempt, LOG_KIND_INFO, "answer: %d%s%s, %zu bytes%s%s, after %s", answer->status,
        *answer->phrase ? " " : "", answer->phrase, answer->body.size,
        *answer->content_type ? " of " : "", answer->content_type, took);
    attempt_say_lines(attempt, LOG_KIND_OUT, beginning(answer->body, HTTP_ANSWER_LOGGED));
    if (answer->body.size > HTTP_ANSWER_LOGGED)
        attempt_say(attempt, LOG_KIND_INFO, "(and so on: %zu bytes more)",
            answer->body.size - HTTP_ANSWER_LOGGED);
}

/* For people, and kept: no more of the address than its place. */
static char *detail_of(struct exchange *r, const struct http_answer *answer, int64_t took_us)
{
    struct attempt *attempt = r->attempt;
    struct strbuf json = {.arena = attempt->arena};
    struct json_writer w = json_begin(&json);
    json_object_begin(&w);
    json_kv_str(&w, "method", r->options.http->method);
    json_kv_str(&w, "url", attempt_log_mask(attempt->log, slice_of(answer->url), attempt->arena));
    json_kv_int(&w, "status", answer->status);
    json_kv_int(&w, "bytes", (int64_t)answer->body.size);
    json_kv_int(&w, "took_us", took_us);
    json_object_end(&w);
    return (char *)strbuf_finish(&json, attempt->arena).p;
}

static void explain_status(
    struct exchange *r, const struct http_answer *answer, struct exchange_end *end)
{
    error_set(&end->err, ERR_HTTP, "%s %s was answered %d%s%s, expected: %s",
        r->options.http->method, answer->url, answer->status, *answer->phrase ? " " : "",
        answer->phrase, expected_text(r->options.http, r->attempt->arena));
    trace_answer(&end->err, answer->body);
    if (answer->location)
        error_hint(&end->err, "it leads to %s: write that address",
            http_url_shown(r->attempt->arena, answer->location));
    end->class = CLASS_HTTP;
}

/* What there was no usable answer for. */
static void explain_end(
    struct exchange *r, const struct http_answer *answer, struct exchange_end *end)
{
    static const enum error_class classes[] = {[HTTP_NO_ANSWER] = CLASS_CONNECT,
        [HTTP_TIMED_OUT] = CLASS_TIMEOUT,
        [HTTP_REFUSED] = CLASS_HTTP};
    end->class = classes[answer->end];
    end->err = answer->err;
    error_context(&end->err, "%s %s: ", r->options.http->method, answer->url);
}

static void on_answer(void *user, const struct http_answer *answer)
{
    struct exchange *r = user;
    struct attempt *attempt = r->attempt;
    int64_t took_us = clock_now().mono_us - r->sent_us;
    struct slice body = answer->body;
    struct exchange_end end = {
        .status = answer->end == HTTP_ANSWERED || answer->end == HTTP_REFUSED ? answer->status : 0,
        .retry_after_us = answer->retry_after_us,
        .body = slice_make(arena_strndup(attempt->arena, body.p, body.size), body.size),
        .content_type = arena_strdup(attempt->arena, answer->content_type),
        .detail = detail_of(r, answer, took_us),
    };
    if (answer->status)
        say_answer(attempt, answer, took_us);
    if (answer->end != HTTP_ANSWERED)
        explain_end(r, answer, &end);
    else if (covers(r->options.http, answer->status, answer->status))
        end.as_expected = true;
    else
        explain_status(r, answer, &end);
    http_transfer_free(take(r->transfer));
    r->options.done(attempt, &end);
}

enum status exchange_result(const struct exchange_end *end, const char *pointer, json_t **ret_tree,
    const json_t **ret, struct error *err)
{
    struct error trouble;
    if (!slice_trim(end->body).size)
        return error_set(err, ERR_HTTP, "the answer is no JSON: it is empty");
    if (json_parse(end->body.p, end->body.size, NULL, ret_tree, &trouble)) {
        error_set(err, ERR_HTTP, "the answer is no JSON: %s", trouble.message);
        trace_answer(err, end->body);
        return ERR_HTTP;
    }
    *ret = json_at(*ret_tree, pointer);
    if (*ret)
        return OK;
    json_decref(take(*ret_tree));
    error_set(err, ERR_HTTP, "the answer has nothing at `%s`", pointer);
    trace_answer(err, end->body);
    return ERR_HTTP;
}

/* ---- start and end --------------------------------------------------------------------------- */

struct exchange *exchange_start(struct attempt *attempt, const struct exchange_options *options)
{
    struct exchange *r = arena_new_of(attempt->arena, struct exchange);
    struct error err;
    r->attempt = attempt;
    r->options = *options;
    r->sent_us = clock_now().mono_us;
    struct http_request to = {
        .method = options->http->method,
        .url = field_text(attempt, "url"),
        .body = body_of(r),
        .stays = covers(options->http, 300, 399),
        .timeout_ms = options->timeout_ms,
        .done = on_answer,
        .user = r,
    };
    make_headers(r, &to);
    say_sent(attempt, &to);
    if (http_send(attempt_http(attempt), &to, &r->transfer, &err) == OK)
        return r;
    /* What a template gave that is of no use is not retried. */
    attempt_fail(attempt, CLASS_TEMPLATE, &err);
    return NULL;
}

void exchange_free(struct exchange *r)
{
    if (r)
        http_transfer_free(take(r->transfer));
}
