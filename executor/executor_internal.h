/*
 * The executor's inside, shared by its own files (executor.c, attempt.c, void.c): operators use
 * attempt.h.
 */
#ifndef EXECUTOR_EXECUTOR_INTERNAL_H
#define EXECUTOR_EXECUTOR_INTERNAL_H

#include "executor/attempt.h"

struct void_request;

/* An event that waits to be told from the loop. */
struct answer {
    struct answer *next;
    struct event event;
    struct attempt_result result;
    struct attempt *attempt;      /* finished: released after the telling */
    struct void_request *request; /* void done: freed after the telling */
};

struct executor {
    struct executor_options options; /* texts are in the arena */
    struct arena *arena;
    struct handles handles;
    struct offload *connects, *admin, *looks, *copies;
    struct targets *targets;
    struct http_client *http;
    struct attempt *attempts;
    struct void_request *voids;
    size_t active;
    bool stopped, stopped_cancel, freeing;
    struct answer *first, **last;
    struct answer *telling; /* out of the list, its event being told */
    uv_async_t *answers;
    void (*closed)(void *user);
    void *closed_user;
};

/* Tells the event from the loop, later.  The result and its texts must live until then. */
struct answer *executor_answer(struct executor *ex, enum event_kind kind, const char *attempt);

/* attempt.c */
void attempt_launch(struct executor *ex, const struct effect *effect);
void attempt_recover(struct executor *ex, const struct attempt_record *record,
    const struct dag *dag, const struct run_record *run);
void attempt_cancel(struct attempt *attempt, bool force, enum reason why);
/* Calls the operator's `done`, once. */
void attempt_end_operator(struct attempt *attempt);
/* Frees it; under way, the operator's `done` is called and nobody is told. */
void attempt_release(struct attempt *attempt);

/* void.c */
void void_begin(struct executor *ex, const struct effect *effect);
void void_release(struct void_request *request);
struct void_request *void_next(const struct void_request *request);

#endif
