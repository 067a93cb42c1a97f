/* Endpoints: a POST asks one, a GET tells what there is to ask. */
#include <strings.h>

#include "base/json.h"
#include "definition/endpoint.h"
#include "executor/serving/serving.h"
#include "web/http_post.h"
#include "web/pages/pages.h"

/* A request that waits for its rows. */
struct prediction {
    struct web *web;
    struct http_post *post;
    const struct endpoint *endpoint;
    struct ask *ask;
    char *path;
    int64_t started_us; /* monotonic */
};

static enum status find_endpoint(struct page *page, const struct endpoint **ret, struct error *err)
{
    const struct project *project = daemon_project(page->web->daemon);
    *ret = project_find_endpoint(project, page->values->name);
    if (*ret)
        return OK;
    error_set(err, ERR_NOT_FOUND, "there is no endpoint `%s`", page->values->name);
    error_hint(err, "GET /api/v2/predict lists them; they are declared in dag.yaml, which a daemon "
                    "reads when it starts");
    return ERR_NOT_FOUND;
}

/* ---- what there is to ask -------------------------------------------------------------------- */

static void write_buckets(struct json_writer *w, const struct serving_counters *counters)
{
    json_key(w, "latency_ms");
    json_object_begin(w);
    json_key(w, "upper_bounds");
    json_array_begin(w);
    for (size_t i = 0; i < ARRAY_SIZE(serving_bucket_ms); i++)
        json_double(w, serving_bucket_ms[i]);
    json_array_end(w);
    json_key(w, "counts");
    json_array_begin(w);
    for (size_t i = 0; i < SERVING_BUCKETS; i++)
        json_int(w, (int64_t)counters->buckets[i]);
    json_array_end(w);
    json_key(w, "sum");
    json_double(w, (double)counters->total_us / (double)US_PER_MS);
    json_key(w, "longest");
    json_double(w, (double)counters->longest_us / (double)US_PER_MS);
    json_object_end(w);
}

static void write_endpoint(
    struct page *page, struct json_writer *w, const struct endpoint *endpoint)
{
    const struct serving_use use = serving_use(page->web->serving, endpoint);
    json_object_begin(w);
    endpoint_describe(endpoint, w);
    json_kv_int(w, "sessions", (int64_t)use.sessions);
    json_kv_int(w, "busy", (int64_t)use.busy);
    json_kv_int(w, "waiting", (int64_t)use.waiting);
    json_kv_int(w, "kept_answers", (int64_t)use.kept);
    json_key(w, "requests");
    json_object_begin(w);
    for (int i = 0; i < SERVING_OUTCOMES; i++)
        json_kv_int(
            w, serving_outcome_name((enum serving_outcome)i), (int64_t)use.counters->requests[i]);
    json_object_end(w);
    write_buckets(w, use.counters);
    json_object_end(w);
}

enum status api_endpoints(struct page *page, struct http_answer *ret, struct error *err)
{
    const struct project *project = daemon_project(page->web->daemon);
    struct json_writer w = json_begin(page->out);
    (void)err;
    json_object_begin(&w);
    json_key(&w, "endpoints");
    json_array_begin(&w);
    for (size_t i = 0; i < project->endpoint_count; i++)
        write_endpoint(page, &w, &project->endpoints[i]);
    json_array_end(&w);
    json_kv_int(&w, "total_entries", (int64_t)project->endpoint_count);
    json_object_end(&w);
    ret->type = "application/json";
    return OK;
}

enum status api_endpoint(struct page *page, struct http_answer *ret, struct error *err)
{
    const struct endpoint *endpoint;
    enum status status = find_endpoint(page, &endpoint, err);
    if (status != OK)
        return status;
    struct json_writer w = json_begin(page->out);
    write_endpoint(page, &w, endpoint);
    ret->type = "application/json";
    return OK;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static bool is_json(const char *type)
{
    static const char json[] = "application/json";
    size_t size = sizeof(json) - 1;
    return type && strncasecmp(type, json, size) == 0 && strchr("; \t", type[size]);
}

static enum status too_large(const struct endpoint *endpoint, struct error *err)
{
    error_set(err, ERR_LIMIT, "the request to `%s` has more than %d bytes", endpoint->name,
        endpoint->max_body_bytes);
    error_hint(err, "send less at once, or raise `max_body_bytes` of the endpoint");
    return ERR_LIMIT;
}

enum status predict_accept(struct page *page, size_t size, size_t *ret_body_max, struct error *err)
{
    const struct endpoint *endpoint;
    enum status status = find_endpoint(page, &endpoint, err);
    if (status != OK)
        return status;
    const char *type = http_header(page->request, "Content-Type");
    if (!is_json(type))
        status = error_set(err, ERR_HTTP_MEDIA, "the request is %.100s, not application/json",
            type ? type : "of no type");
    else if (size > (size_t)endpoint->max_body_bytes)
        status = too_large(endpoint, err);
    if (status != OK)
        serving_count(page->web->serving, endpoint, SERVING_INVALID, 0);
    *ret_body_max = (size_t)endpoint->max_body_bytes;
    return status;
}

static enum serving_outcome outcome_of(enum status status)
{
    switch (status) {
    case ERR_ENDPOINT_BUSY: return SERVING_BUSY;
    case ERR_TIMEOUT: return SERVING_TIMEOUT;
    case ERR_ENDPOINT_SQL:
    case ERR_ENDPOINT_ANSWER: return SERVING_FAILED;
    case ERR_JSON:
    case ERR_INVALID:
    case ERR_PARAM:
    case ERR_LIMIT: return SERVING_INVALID;
    default: return SERVING_UNREACHED;
    }
}

static void send_rows(struct web *web, struct http_post *post, const struct endpoint *endpoint,
    const struct served_rows *rows, bool cached, int64_t started_us)
{
    struct http_answer answer = {.type = "application/json"};
    struct json_writer w = json_begin(&answer.body);
    int64_t took_us = clock_now().mono_us - started_us;
    json_object_begin(&w);
    json_key(&w, "rows");
    json_raw(&w, rows->json.p);
    json_kv_int(&w, "row_count", (int64_t)rows->count);
    json_kv_bool(&w, "cached", cached);
    json_key(&w, "took_ms");
    json_double(&w, (double)took_us / (double)US_PER_MS);
    json_object_end(&w);
    serving_count(web->serving, endpoint, cached ? SERVING_CACHED : SERVING_ANSWERED, took_us);
    http_post_answer(post, &answer);
}

static void free_prediction(struct prediction *p)
{
    mem_free(p->path);
    mem_free(p);
}

static void on_rows(void *user, const struct served_rows *rows, const struct error *err)
{
    struct prediction *p = user;
    if (err) {
        serving_count(p->web->serving, p->endpoint, outcome_of(err->status), 0);
        web_refuse_post(p->web, p->post, p->path, err);
    } else {
        send_rows(p->web, p->post, p->endpoint, rows, false, p->started_us);
    }
    free_prediction(p);
}

static void on_gone(void *user)
{
    struct prediction *p = user;
    serving_ask_cancel(p->ask);
    serving_count(p->web->serving, p->endpoint, SERVING_GONE, 0);
    free_prediction(p);
}

/* The connection as it is stored or declared now.  While the state is loaded again it stays what it
   was. */
static enum status find_connection(struct page *page, const struct endpoint *endpoint,
    const struct connection **ret, struct error *err)
{
    const struct engine *engine = daemon_engine(page->web->daemon);
    *ret = NULL;
    if (!engine)
        return OK;
    *ret = endpoint->connection
               ? project_find_connection(engine_project(engine), endpoint->connection)
               : NULL;
    if (*ret)
        return OK;
    error_set(err, ERR_CONNECT, "`%s` asks the connection `%s`, which there is not", endpoint->name,
        endpoint->connection ? endpoint->connection : "(none)");
    error_hint(err, "declare it under `connections` in dag.yaml, or store it with `dag conn set`");
    return ERR_CONNECT;
}

static enum status read_values(struct page *page, const struct endpoint *endpoint,
    struct http_post *post, const char *const **ret, struct error *err)
{
    CLEANUP(json_decrefp) json_t *given = NULL;
    struct slice body = http_post_body(post);
    if (!body.p)
        return too_large(endpoint, err);
    enum status status = json_parse(body.p, body.size, NULL, &given, err);
    if (status != OK)
        return error_context(err, "line %u, column %u: ", err->place.line, err->place.column);
    return endpoint_bind(endpoint, given, page->arena, ret, err);
}

static enum status ask(struct page *page, const struct endpoint *endpoint,
    const char *const *values, struct http_post *post, struct error *err)
{
    struct prediction *p = mem_alloc_zero(1, sizeof(*p));
    struct ask_options options = {
        .endpoint = endpoint, .values = values, .user = p, .done = on_rows};
    *p = (struct prediction){.web = page->web,
        .post = post,
        .endpoint = endpoint,
        .path = mem_strdup(page->request->path),
        .started_us = page->now.mono_us};
    enum status status = find_connection(page, endpoint, &options.connection, err);
    if (status == OK)
        status = serving_ask(page->web->serving, &options, &p->ask, err);
    if (status == OK)
        http_post_on_gone(post, on_gone, p);
    else
        free_prediction(p);
    return status;
}

enum status predict_post(struct page *page, struct http_post *post, struct error *err)
{
    const struct endpoint *endpoint;
    const char *const *values = NULL;
    struct served_rows rows;
    enum status status = find_endpoint(page, &endpoint, err);
    if (status != OK)
        return status;
    status = read_values(page, endpoint, post, &values, err);
    if (status == OK && serving_cached(page->web->serving, endpoint, values, &rows)) {
        send_rows(page->web, post, endpoint, &rows, true, page->now.mono_us);
        return OK;
    }
    if (status == OK)
        status = ask(page, endpoint, values, post, err);
    if (status != OK)
        serving_count(page->web->serving, endpoint, outcome_of(status), 0);
    return status;
}
