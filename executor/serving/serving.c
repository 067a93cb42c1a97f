#include "executor/serving/serving.h"

#include <stdio.h>

#include "base/clock.h"
#include "executor/limits.h"
#include "executor/serving/serving_internal.h"
#include "executor/target/connecting.h"

/* ---- counters -------------------------------------------------------------------------------- */

static const char *const outcome_names[SERVING_OUTCOMES] = {
    [SERVING_ANSWERED] = "answered",
    [SERVING_CACHED] = "cached",
    [SERVING_INVALID] = "invalid",
    [SERVING_BUSY] = "busy",
    [SERVING_UNREACHED] = "unreached",
    [SERVING_TIMEOUT] = "timeout",
    [SERVING_FAILED] = "failed",
    [SERVING_GONE] = "gone",
};

const double serving_bucket_ms[SERVING_BUCKETS - 1] = {
    0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 5000};

const char *serving_outcome_name(enum serving_outcome outcome)
{
    return outcome_names[outcome];
}

/* ---- asks ------------------------------------------------------------------------------------ */

static void free_ask(struct ask *ask)
{
    timer_free(ask->deadline);
    strbuf_done(&ask->json);
    arena_free(ask->arena);
    mem_free(ask);
}

static void unlink_ask(struct ask *ask)
{
    struct line_pool *pool = ask->pool;
    for (struct ask **at = &pool->first; *at; at = &(*at)->next) {
        if (*at != ask)
            continue;
        *at = ask->next;
        if (pool->last == &ask->next)
            pool->last = at;
        pool->waiting--;
        return;
    }
}

static void keep_answer(const struct ask *ask, const struct served_rows *rows)
{
    const struct endpoint *endpoint = ask->pool->endpoint;
    CLEANUP(strbuf_done) struct strbuf key = {0};
    if (endpoint->cache_us <= 0)
        return;
    answers_key(ask->values, endpoint->param_count, &key);
    answers_keep(
        ask->pool->answers, strbuf_text(&key), rows, clock_now().mono_us + endpoint->cache_us);
}

void ask_answer(struct ask *ask, const struct error *err)
{
    struct served_rows rows = {.count = ask->count};
    if (!err) {
        strbuf_add_char(&ask->json, ']');
        rows.json = slice_make(ask->json.text, ask->json.size);
        keep_answer(ask, &rows);
    }
    ask->done(ask->user, err ? NULL : &rows, err);
    free_ask(ask);
}

void ask_again(struct ask *ask)
{
    struct line_pool *pool = ask->pool;
    ask->tried = true;
    strbuf_clear(&ask->json);
    strbuf_add_char(&ask->json, '[');
    ask->count = 0;
    ask->next = pool->first;
    if (!pool->first)
        pool->last = &ask->next;
    pool->first = ask;
    pool->waiting++;
    pool_go_on(pool);
}

static void on_deadline(void *user)
{
    struct ask *ask = user;
    struct line_pool *pool = ask->pool;
    struct error err;
    const char *name = pool->endpoint->name;
    if (ask->line) {
        struct line *line = take(ask->line);
        line->ask = NULL;
        line_leave(line);
        error_set(&err, ERR_TIMEOUT, "the query of `%s` took longer than its `timeout`", name);
    } else {
        unlink_ask(ask);
        if (pool->lines.count == 0)
            error_set(&err, ERR_CONNECT, "the database of `%s` did not answer in time", name);
        else
            error_set(
                &err, ERR_TIMEOUT, "`%s` waited for its turn for longer than its `timeout`", name);
    }
    ask_answer(ask, &err);
}

void serving_ask_cancel(struct ask *ask)
{
    struct line *line = ask->line;
    if (line) {
        line->ask = NULL;
        line_leave(line);
    } else {
        unlink_ask(ask);
    }
    free_ask(ask);
}

/* ---- pools ----------------------------------------------------------------------------------- */

void pool_drop_line(struct line *line)
{
    struct line_pool *pool = line->pool;
    for (size_t i = 0; i < pool->lines.count; i++) {
        if (pool->lines.at[i] == line) {
            vec_remove(&pool->lines, i);
            break;
        }
    }
    line_free(line);
}

void pool_refuse(struct line_pool *pool, const struct error *err)
{
    struct ask *ask = pool->first;
    pool->first = NULL;
    pool->last = &pool->first;
    pool->waiting = 0;
    while (ask) {
        struct ask *next = ask->next;
        ask_answer(ask, err);
        ask = next;
    }
}

static bool same_settings(const struct named_texts *a, const struct named_texts *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = str_equal(a->at[i].name, b->at[i].name) &&
               str_equal(a->at[i].text.value, b->at[i].text.value);
    return same;
}

static bool same_connection(const struct connection *a, const struct connection *b)
{
    return str_equal(a->uri, b->uri) && a->dialect == b->dialect &&
           str_equal(a->problem, b->problem) && same_settings(&a->settings, &b->settings);
}

static void on_connected(void *user, const struct connection *connection,
    struct connected *connected, const struct error *err)
{
    struct line_pool *pool = user;
    struct error failure;
    pool->connecting--;
    if (!same_connection(connection, pool->connection)) { /* it has changed meanwhile */
        PQfinish(connected->conn);
        pool_go_on(pool);
        return;
    }
    struct line *line = err ? NULL : line_new(pool, connected, &failure);
    if (line)
        vec_push(&pool->lines, line);
    else
        pool_refuse(pool, err ? err : &failure);
}

static void start_connect(struct line_pool *pool)
{
    char name[64];
    snprintf(name, sizeof(name), "dag endpoint %s", pool->endpoint->name);
    pool->connecting++;
    connecting_start(pool->serving->connects, pool->connection, name, pool, on_connected);
}

static struct line *line_at_rest(const struct line_pool *pool)
{
    struct line *found = NULL;
    vec_each (line, &pool->lines)
        if ((*line)->state == LINE_RESTING &&
            (!found || (*line)->since_us > found->since_us)) /* so that others can be closed */
            found = *line;
    return found;
}

static size_t count_coming(const struct line_pool *pool)
{
    size_t count = pool->connecting;
    vec_each (line, &pool->lines)
        count += (*line)->state == LINE_SETTING || (*line)->state == LINE_PREPARING;
    return count;
}

static void on_sweep(void *user);

static void keep_sweeping(struct serving *serving)
{
    if (serving->sweeping)
        return;
    serving->sweeping = true;
    timer_start(serving->sweep, SERVING_IDLE_MS / 2);
}

void pool_go_on(struct line_pool *pool)
{
    struct line *line;
    while (pool->first && (line = line_at_rest(pool))) {
        struct ask *ask = pool->first;
        unlink_ask(ask);
        line_start(line, ask);
    }
    size_t max = (size_t)pool->endpoint->max_concurrent;
    while (count_coming(pool) < pool->waiting && pool->lines.count + pool->connecting < max)
        start_connect(pool);
    keep_sweeping(pool->serving);
}

void pool_close_resting(struct line_pool *pool, int64_t since_us)
{
    for (size_t i = pool->lines.count; i-- > 0;)
        if (pool->lines.at[i]->state == LINE_RESTING && pool->lines.at[i]->since_us <= since_us)
            pool_drop_line(pool->lines.at[i]);
}

static void on_sweep(void *user)
{
    struct serving *serving = user;
    size_t left = 0;
    serving->sweeping = false;
    vec_each (pool, &serving->pools) {
        pool_close_resting(*pool, clock_now().mono_us - SERVING_IDLE_MS * US_PER_MS);
        left += (*pool)->lines.count;
    }
    if (left)
        keep_sweeping(serving);
}

/* The sessions of the connection as it was go when they have answered. */
static void set_connection(struct line_pool *pool, const struct connection *connection)
{
    if (pool->connection && same_connection(pool->connection, connection))
        return;
    struct arena *arena = arena_new();
    struct connection *copy = connection_copy(connection, arena);
    copy->ledger = false; /* what reads needs none */
    arena_free(pool->arena);
    pool->arena = arena;
    pool->connection = copy;
    answers_clear(pool->answers);
    vec_each (line, &pool->lines)
        (*line)->stale = true;
    pool_close_resting(pool, INT64_MAX);
}

static struct line_pool *find_pool(struct serving *serving, const struct endpoint *endpoint)
{
    vec_each (pool, &serving->pools)
        if ((*pool)->endpoint == endpoint)
            return *pool;
    struct line_pool *pool = mem_alloc_zero(1, sizeof(*pool));
    pool->serving = serving;
    pool->endpoint = endpoint;
    pool->last = &pool->first;
    pool->answers = answers_new();
    vec_push(&serving->pools, pool);
    return pool;
}

static size_t count_busy(const struct line_pool *pool)
{
    size_t count = 0;
    vec_each (line, &pool->lines)
        count += (*line)->ask || (*line)->state == LINE_LEAVING;
    return count;
}

static void free_pool(struct line_pool *pool)
{
    vec_each (line, &pool->lines) {
        if ((*line)->ask)
            free_ask((*line)->ask);
        line_free(*line);
    }
    while (pool->first) {
        struct ask *ask = pool->first;
        unlink_ask(ask);
        free_ask(ask);
    }
    vec_done(&pool->lines);
    answers_free(pool->answers);
    arena_free(pool->arena);
    mem_free(pool);
}

/* ---- what others call ------------------------------------------------------------------------ */

bool serving_cached(struct serving *serving, const struct endpoint *endpoint,
    const char *const *values, struct served_rows *ret)
{
    CLEANUP(strbuf_done) struct strbuf key = {0};
    if (endpoint->cache_us <= 0)
        return false;
    answers_key(values, endpoint->param_count, &key);
    return answers_find(
        find_pool(serving, endpoint)->answers, strbuf_text(&key), clock_now().mono_us, ret);
}

static struct ask *new_ask(struct line_pool *pool, const struct ask_options *options)
{
    size_t count = pool->endpoint->param_count;
    struct ask *ask = mem_alloc_zero(1, sizeof(*ask));
    ask->pool = pool;
    ask->arena = arena_new();
    ask->values = arena_array(ask->arena, const char *, count);
    for (size_t i = 0; i < count; i++)
        ask->values[i] = arena_strdup(ask->arena, options->values[i]);
    ask->user = options->user;
    ask->done = options->done;
    ask->until_us = clock_now().mono_us + pool->endpoint->timeout_us;
    ask->deadline = timer_new(&pool->serving->handles, on_deadline, ask);
    timer_start(
        ask->deadline, (uint64_t)(pool->endpoint->timeout_us / US_PER_MS) + SERVING_LATE_MS);
    strbuf_add_char(&ask->json, '[');
    return ask;
}

enum status serving_ask(
    struct serving *serving, const struct ask_options *options, struct ask **ret, struct error *err)
{
    const struct endpoint *endpoint = options->endpoint;
    struct line_pool *pool = find_pool(serving, endpoint);
    if (options->connection)
        set_connection(pool, options->connection);
    if (!pool->connection)
        return error_set(err, ERR_CONNECT, "`%s` has no connection yet", endpoint->name);
    size_t most = (size_t)endpoint->max_concurrent + (size_t)endpoint->max_waiting;
    if (pool->waiting + count_busy(pool) >= most) {
        error_set(err, ERR_ENDPOINT_BUSY, "`%s` has %d queries under way and %d requests waiting",
            endpoint->name, endpoint->max_concurrent, endpoint->max_waiting);
        return ERR_ENDPOINT_BUSY;
    }
    struct ask *ask = new_ask(pool, options);
    *pool->last = ask;
    pool->last = &ask->next;
    pool->waiting++;
    *ret = ask;
    pool_go_on(pool);
    return OK;
}

void serving_count(struct serving *serving, const struct endpoint *endpoint,
    enum serving_outcome outcome, int64_t took_us)
{
    struct serving_counters *c = &find_pool(serving, endpoint)->counters;
    size_t bucket = 0;
    c->requests[outcome]++;
    if (outcome != SERVING_ANSWERED && outcome != SERVING_CACHED)
        return;
    while (bucket < SERVING_BUCKETS - 1 &&
           (double)took_us > serving_bucket_ms[bucket] * (double)US_PER_MS)
        bucket++;
    c->buckets[bucket]++;
    c->total_us += took_us;
    c->longest_us = took_us > c->longest_us ? took_us : c->longest_us;
}

struct serving_use serving_use(struct serving *serving, const struct endpoint *endpoint)
{
    const struct line_pool *pool = find_pool(serving, endpoint);
    return (struct serving_use){.counters = &pool->counters,
        .sessions = pool->lines.count,
        .busy = count_busy(pool),
        .waiting = pool->waiting,
        .kept = answers_count(pool->answers)};
}

enum status serving_new(uv_loop_t *loop, struct serving **ret, struct error *err)
{
    struct serving *serving = mem_alloc_zero(1, sizeof(*serving));
    serving->handles = (struct handles){.loop = loop};
    enum status status = offload_new(loop, SERVING_CONNECTS_MAX, &serving->connects, err);
    if (status == OK)
        status = offload_new(loop, SERVING_CANCELS_MAX, &serving->cancels, err);
    if (status != OK) {
        if (serving->connects)
            offload_free(serving->connects, NULL, NULL);
        mem_free(serving);
        return status;
    }
    serving->sweep = timer_new(&serving->handles, on_sweep, serving);
    *ret = serving;
    return OK;
}

static void on_empty(void *user)
{
    mem_free(user);
}

static void on_offload_closed(void *user)
{
    handles_drop(user);
}

void serving_free(struct serving *serving)
{
    if (!serving)
        return;
    vec_each (pool, &serving->pools)
        free_pool(*pool);
    vec_done(&serving->pools);
    timer_free(serving->sweep);
    handles_add(&serving->handles);
    handles_add(&serving->handles);
    offload_free(serving->connects, on_offload_closed, &serving->handles);
    offload_free(serving->cancels, on_offload_closed, &serving->handles);
    serving->handles.empty = on_empty;
    serving->handles.user = serving;
    serving->handles.ending = true;
}
