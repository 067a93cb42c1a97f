/* The engine's state, and the functions of its files for each other. */
#ifndef DAEMON_ENGINE_INTERNAL_H
#define DAEMON_ENGINE_INTERNAL_H

#include <pthread.h>
#include "base/map.h"
#include "daemon/blame.h"
#include "daemon/engine.h"
#include "executor/executor.h"
#include "store/thread.h"

struct engine {
    struct engine_options options;
    struct project *project;  /* with what is stored now */
    struct project *prepared; /* with what the last batch will have stored */
    bool rotated;             /* that batch seals with a new key */
    struct scheduler *scheduler;
    struct executor *executor;
    struct catalogue *catalogue; /* the owner's, from engine_start on */
    struct dag *old_version;     /* of runs; the last one that was loaded; may be NULL */
    struct blame *blame;         /* NULL without schedules: `dag run`, an act without a daemon */
    struct store_thread *store;
    struct store *reader; /* the loop's */
    struct store *xcom_reader;
    pthread_mutex_t xcom_mutex;
    struct map *waiters; /* request uuid → struct waiter, heap */

    struct plan plan; /* what was decided and not handed over yet */
    bool urgent;      /* some of it is to be durable now */
    int64_t by_us;    /* when the rest is to be, monotonic */
    int64_t next_batch;
    bool started, failing, closing;

    uv_prepare_t turn; /* the end of a turn: hands the plan over and sets the timer */
    uv_timer_t tick;
    uv_async_t durable; /* the store thread has finished a batch */
    unsigned open_handles;
    bool executor_closed;

    void (*stopped)(void *user);
    void *stopped_user;
    void (*closed)(void *user);
    void *closed_user;
};

/* engine.c: decides; what follows is gathered in the turn's plan. */
void engine_apply(struct engine *engine, const struct event *event);

/* engine_settings.c.  An act that stores settings: fills the request and prepares the project. */
enum status engine_read_settings(struct engine *engine, const json_t *act, struct arena *arena,
    struct request *request, struct error *err) MUST_CHECK;
/* What was prepared is durable: it is in force from now on. */
void engine_take_settings(struct engine *engine);

/* engine_load.c: gives the scheduler the DAGs of `catalogue`, live runs, backfills and attempts,
   and tells it which DAGs are gone. */
enum status engine_load(
    struct engine *engine, struct catalogue *catalogue, struct error *err) MUST_CHECK;
/* Tells the scheduler whether the DAGs of that file load now, and else why not. */
void engine_note_broken(struct engine *engine, const char *file);
/* A run with its task instances, before a request or an event that needs it. */
enum status engine_load_run(
    struct engine *engine, const struct run_record *run, struct error *err) MUST_CHECK;
/* How the runs of a DAG ended, before its first version that asks for it. */
enum status engine_load_past(
    struct engine *engine, const struct dag *dag, struct error *err) MUST_CHECK;
/* How long runs and tasks of a DAG took, when a deadline of it is a typical one. */
enum status engine_load_durations(
    struct engine *engine, const struct dag *dag, struct error *err) MUST_CHECK;

#endif
