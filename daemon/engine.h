/*
 * The engine: scheduler, store and executor wired together on one loop, one way round:
 *
 *     load → decide → commit → act → event → decide
 *
 * The changes that events of one loop turn lead to are one batch; its effects are carried out when
 * the store thread says that it is durable.  `dag up` and `dag run` use the same engine; so does an
 * act without a daemon (`acting` false), which decides and commits but starts nothing.
 *
 * The owner holds the leader lock for as long as the engine lives.  Everything runs on the loop's
 * thread, except reads of XComs by rendering threads, which have a reader of their own.
 *
 * When a batch cannot be made durable the engine stops acting and says so once (`failed`); the
 * owner frees it and makes a new one, which loads what is durable: there is no other repair.
 */
#ifndef DAEMON_ENGINE_H
#define DAEMON_ENGINE_H

#include <uv.h>
#include "base/json.h"
#include "definition/catalogue.h"
#include "definition/model/model.h"
#include "scheduler/scheduler.h"
#include "store/store.h"

struct engine;

struct engine_options {
    uv_loop_t *loop;
    /* Outlives the engine, which uses a copy of its own with what is stored at each moment. */
    const struct project *project;
    bool acting;     /* false: nothing is started */
    bool must_exist; /* the metadata is not made: it was there a moment ago */
    /* `dag run`: this DAG and those it needs, no schedules; NULL: everything. */
    const char *only_dag;
    /* Of its live runs only that of this date and what it waits for. */
    int64_t only_logical_us;
    void *user;
    /* A batch is durable; its effects have been handed over.  May be NULL. */
    void (*committed)(void *user, const struct plan *plan);
    /* What is stored has changed.  May be NULL. */
    void (*settings)(void *user);
    /* The engine cannot go on.  Called once, from the loop. */
    void (*failed)(void *user, const struct error *err);
};

/* Opens the store and loads what is live.  DAGs are given afterwards with engine_adopt: those of
   the catalogue, before engine_start. */
enum status engine_new(
    const struct engine_options *options, struct engine **ret, struct error *err) MUST_CHECK;

/* Loads DAGs, live runs and backfills, takes over attempts of an earlier process, and begins to
   decide.  `catalogue` is the owner's; its DAGs are the newest versions. */
enum status engine_start(
    struct engine *engine, struct catalogue *catalogue, struct error *err) MUST_CHECK;
/* What a poll of the catalogue gave: new versions and removed DAGs. */
void engine_adopt(struct engine *engine, const struct catalogue_changes *changes);

/* One act asked for from outside, as JSON (daemon/request.h).  `answer` is called from the loop
   when the outcome is durable, or at once when the act is not understood: `err` is NULL on success,
   and `outcome` the JSON text. */
typedef void engine_answer(void *user, const char *outcome, const struct error *err);
void engine_request(struct engine *engine, const json_t *act, const char *user_name,
    engine_answer *answer, void *user);

/* Ends gracefully: SQL attempts are cancelled with confirmation when `cancel`, else run to their
   end; what they answer is made durable.  `stopped` is called when nothing is left to wait for.
   May be called again, to cancel what was waited for. */
void engine_stop(struct engine *engine, bool cancel, void (*stopped)(void *user), void *user);
/* Attempts that engine_stop waits for. */
size_t engine_active(const struct engine *engine);
/* Frees at once, whatever is under way (transactions roll back, processes go on under their
   supervisors).  `closed` is called from the loop when the memory is gone; may be NULL. */
void engine_free(struct engine *engine, void (*closed)(void *user), void *user);

/* For pages and `dag queue`. */
const struct scheduler *engine_scheduler(const struct engine *engine);
struct store *engine_reader(struct engine *engine);
const struct project *engine_project(const struct engine *engine);

#endif
