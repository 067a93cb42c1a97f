/*
 * What the files of executor/serving/ share.
 *
 * A line is a session of a pool.  It is being made ready (PREPARING), rests, runs an ask's BEGIN
 * and query, ends the transaction (ENDING), or waits for the end of a query that nobody wants any
 * more (LEAVING); then it is closed.
 */
#ifndef EXECUTOR_SERVING_SERVING_INTERNAL_H
#define EXECUTOR_SERVING_SERVING_INTERNAL_H

#include "base/vec.h"
#include "executor/handles.h"
#include "executor/offload.h"
#include "executor/serving/answers.h"
#include "executor/target/session.h"

struct line_pool;
struct line;

struct ask {
    struct ask *next; /* of those that wait */
    struct line_pool *pool;
    struct line *line; /* NULL: it waits */
    struct arena *arena;
    const char **values;
    struct timer *deadline;
    int64_t until_us; /* monotonic */
    bool tried;       /* on a session that turned out to be gone or stale */
    struct strbuf json;
    size_t count;
    void *user;
    void (*done)(void *user, const struct served_rows *rows, const struct error *err);
};

enum line_state {
    LINE_SETTING,   /* the connection's settings */
    LINE_PREPARING, /* the statement */
    LINE_RESTING,
    LINE_BEGINNING,
    LINE_ASKING,
    LINE_ENDING,
    LINE_LEAVING
};

struct line {
    struct line_pool *pool;
    struct session *session;
    enum line_state state;
    bool stale; /* the connection has changed: closed when it comes to rest */
    struct ask *ask;
    int64_t since_us; /* at rest */
};

struct line_pool {
    struct serving *serving;
    const struct endpoint *endpoint;
    struct arena *arena; /* the connection */
    const struct connection *connection;
    VEC(struct line *) lines;
    unsigned connecting;
    struct ask *first, **last;
    size_t waiting;
    struct answers *answers;
    struct serving_counters counters;
};

struct serving {
    struct handles handles;
    struct offload *connects, *cancels;
    struct timer *sweep;
    bool sweeping;
    VEC(struct line_pool *) pools;
};

/* ---- serving.c: asks and pools ---- */

/* Answers an ask and frees it. */
void ask_answer(struct ask *ask, const struct error *err);
/* Puts an ask that found no usable session back, as the first in line. */
void ask_again(struct ask *ask);
/* Gives lines at rest to asks that wait, and connects for the others. */
void pool_go_on(struct line_pool *pool);
/* All that wait get this error: it would be theirs too. */
void pool_refuse(struct line_pool *pool, const struct error *err);
void pool_drop_line(struct line *line);
/* Closes what has rested since that moment (monotonic) or longer. */
void pool_close_resting(struct line_pool *pool, int64_t since_us);

/* ---- line.c: one session ---- */

/* A new line of a session, which is made ready.  NULL when it could not be watched. */
struct line *line_new(struct line_pool *pool, struct connected *connected, struct error *err);
/* A line at rest runs the ask. */
void line_start(struct line *line, struct ask *ask);
/* Nobody wants what the line does. */
void line_leave(struct line *line);
void line_free(struct line *line);

#endif
