/*
 * Endpoints: prepared queries that only read, asked over and over by programs.
 *
 * Each endpoint has a pool of sessions of its own, `max_concurrent` at most, which keep the
 * prepared statement and what functions keep in a backend (a model that was loaded).  They are
 * connected when they are needed and closed after SERVING_IDLE_MS of rest.  A request takes one
 * that rests, has one connected, or waits in line; the query runs in a READ ONLY transaction of its
 * own.
 *
 * Everything here belongs to one loop and its thread; connecting and cancelling run on threads.
 * What was asked is answered once, from the loop, never from within a function of this header.
 */
#ifndef EXECUTOR_SERVING_SERVING_H
#define EXECUTOR_SERVING_SERVING_H

#include <uv.h>
#include "base/error.h"
#include "definition/model/model.h"

struct serving;
struct ask;

enum status serving_new(uv_loop_t *loop, struct serving **ret, struct error *err) MUST_CHECK;
/* Closes all sessions; what is under way is forgotten, unanswered.  The memory goes when the loop
   has closed the handles. */
void serving_free(struct serving *serving);

/* Rows as a JSON array of objects, with a NUL behind; numbers, booleans and JSON stand for
   themselves. */
struct served_rows {
    struct slice json;
    size_t count;
};

struct ask_options {
    const struct endpoint *endpoint;     /* outlives the ask */
    const struct connection *connection; /* as it is now; NULL: as it was before */
    const char *const *values;           /* endpoint_bind's; copied */
    void *user;
    /* The answer, or the error: ERR_CONNECT, ERR_TIMEOUT, ERR_ENDPOINT_SQL (err->sqlstate),
       ERR_ENDPOINT_ANSWER.  What it points to is valid during the call. */
    void (*done)(void *user, const struct served_rows *rows, const struct error *err);
};

/* An answer that is kept and may be given again. */
bool serving_cached(struct serving *serving, const struct endpoint *endpoint,
    const char *const *values, struct served_rows *ret);
/* Asks.  ERR_ENDPOINT_BUSY when `max_waiting` wait already; then `done` is not called. */
enum status serving_ask(struct serving *serving, const struct ask_options *options,
    struct ask **ret, struct error *err) MUST_CHECK;
/* Nobody wants the answer any more: its query is cancelled, `done` is not called.  The query's
   session counts as taken until the server says that it has ended. */
void serving_ask_cancel(struct ask *ask);

/* ---- what became of requests ----------------------------------------------------------------- */

enum serving_outcome {
    SERVING_ANSWERED,
    SERVING_CACHED,
    SERVING_INVALID,   /* refused for what it is: JSON, names, types, size */
    SERVING_BUSY,      /* told to come back */
    SERVING_UNREACHED, /* no connection to the database */
    SERVING_TIMEOUT,
    SERVING_FAILED, /* the query, or its answer */
    SERVING_GONE,   /* the client hung up */
    SERVING_OUTCOMES
};
const char *serving_outcome_name(enum serving_outcome outcome);

enum { SERVING_BUCKETS = 13 };
/* Milliseconds; the last bucket takes the rest. */
extern const double serving_bucket_ms[SERVING_BUCKETS - 1];

struct serving_counters {
    uint64_t requests[SERVING_OUTCOMES];
    /* Of those that were answered: how long they took, by buckets (each counts its own), in all,
       and at most. */
    uint64_t buckets[SERVING_BUCKETS];
    int64_t total_us, longest_us;
};
/* Counts a request that has ended. */
void serving_count(struct serving *serving, const struct endpoint *endpoint,
    enum serving_outcome outcome, int64_t took_us);

struct serving_use {
    const struct serving_counters *counters;
    size_t sessions, busy, waiting, kept; /* sessions: busy ones included; kept: answers */
};
/* Of an endpoint, since the start. */
struct serving_use serving_use(struct serving *serving, const struct endpoint *endpoint);

#endif
