/*
 * The executor carries out the effects of the scheduler: it starts attempts, cancels them, makes
 * sure that an old one can no longer commit, and takes over what an earlier daemon left behind.  It
 * answers with events.  It never decides and never queues: what is to run, when, and how many at
 * once is the scheduler's business.
 *
 * Threads.  One executor belongs to one libuv loop and to the thread that runs it; every function
 * here is called on that thread and returns without blocking.  Rendering, connecting and cancelling
 * run on threads of their own.  Callbacks come on the loop's thread, from the loop, never from
 * within a function of this header; in them every function of this header may be called.
 *
 * Life of an attempt:
 *
 *     executor_start ─▶ log made, EVENT_ATTEMPT_STARTED ─▶ rendering ─▶ operator ─▶
 * EVENT_ATTEMPT_FINISHED
 *
 * FINISHED comes exactly once for each attempt that was started or given to executor_recover, also
 * when its log could not be made (then without STARTED), and never before STARTED.
 *
 * Logs are written as the attempt goes on (executor/attempt_log.h names the files).
 */
#ifndef EXECUTOR_EXECUTOR_H
#define EXECUTOR_EXECUTOR_H

#include <uv.h>
#include "base/error.h"
#include "definition/context/context.h"
#include "definition/model/model.h"
#include "scheduler/plan.h"

struct executor;

/* What a sensor asks of the metadata, about the interval of its run. */
struct look_question {
    const struct run_record *run; /* the sensor's */
    const char *asset;            /* whether it was updated since; NULL: not this question */
    const char *dag_id, *task_id; /* whether its runs, or that task in them, succeeded over it */
};
enum look_answer { LOOK_NOT_YET, LOOK_YES, LOOK_FAILED };

struct executor_options {
    uv_loop_t *loop;
    /* Borrowed; must outlive the executor.  Its state directory is where logs and helpers' files
       are; its connections are the ones that attempts use. */
    const struct project *project;
    /* Names this project's metadata in every ledger (store_meta.metadata_id).  Copied. */
    const char *metadata_id;
    /* The program `dag-exec`; NULL: beside the running program.  Copied. */
    const char *supervisor;
    void *user;

    /* An answer: EVENT_ATTEMPT_STARTED, _FINISHED or _VOID_DONE.  Event and texts are valid during
       the call only.  Required. */
    void (*event)(void *user, const struct event *event);

    /* What templates see of a run beyond its row: conf, times and the previous success.  Called on
       the loop's thread before rendering begins; texts live in `arena`.  NULL: made from the row
       alone, without previous successes. */
    enum status (*facts)(void *user, const struct run_record *run, struct arena *arena,
        struct run_facts *ret, struct error *err);

    /* Whether the files of `copy_to` go below the state directory, `written/NAME`, in place of
       their own: a test must not write what the task writes. */
    bool scratch;

    /* A sensor's question; *ret_saw: what was seen, a line in `arena`.  Called on the loop's
       thread. NULL: sensors that ask the metadata fail. */
    enum status (*look)(void *user, const struct look_question *question, struct arena *arena,
        enum look_answer *ret, const char **ret_saw, struct error *err);

    /* The newest version of a DAG that a task triggers, not counted; NULL when there is none.
       Called on the loop's thread.  NULL: what the DAG asks of a conf is not looked at. */
    const struct dag *(*dag)(void *user, const char *dag_id);

    /* Called while rendering, ON A WORKER THREAD, possibly on several at once: both must be safe
       for that (a reader of its own behind a mutex).  NULL, both: there are no XComs. */
    struct xcom_source {
        /* XCom of an instance of another task of that run as JSON text in `arena`, NULL when there
           is none.  `map_index` -1: the task is not mapped. */
        const char *(*pull)(void *user, struct run_id run, const char *task_id, int32_t map_index,
            const char *key, struct arena *arena);
        /* The indexes of a mapped task that succeeded, ascending, in `arena`; gives how many. */
        size_t (*indexes)(void *user, struct run_id run, const char *task_id, struct arena *arena,
            const int32_t **ret);
    } xcom;
};

/* Fails only when a handle of the loop cannot be made.  All pointers in `options` but the project
   and `user` may go away afterwards. */
enum status executor_new(
    const struct executor_options *options, struct executor **ret, struct error *err) MUST_CHECK;

/* ---- effects --------------------------------------------------------------------------------- */

/* EFFECT_START: starts the attempt.  Everything in the effect is copied; the DAG is counted. */
void executor_start(struct executor *ex, const struct effect *effect);

/*
 * EFFECT_CANCEL: ends the attempt and confirms that it is gone: for SQL the server's word that the
 * transaction is over or its backend gone, for a process its whole group and descendants.  Answered
 * by the attempt's FINISHED: CANCELLED in general; the real outcome when it had ended or committed
 * before. `force` closes our end without confirmation (CANCELLED; may_commit only where COMMIT had
 * been sent). Idempotent; a second call with `force` strengthens the first.  An unknown attempt is
 * ignored: its FINISHED is already under way or was given.
 */
void executor_cancel(struct executor *ex, const struct effect *effect);

/*
 * EFFECT_VOID: makes sure that nothing of (run's DAG, logical date, task, map index, `generation`)
 * can commit any more.  `effect->dag` and `task` say whose; tasks that are not SQL, and connections
 * without ledger, have nothing to void and are VOID_INSERTED at once.  Answered by EVENT_VOID_DONE
 * that carries `effect->attempt`: VOID_COMMITTED with the result read back (started/ended as then),
 * or VOID_UNREACHABLE with the reason as the result's message, when the server was away for
 * EXECUTOR_VOID_AWAY_MS or nothing was settled within EXECUTOR_VOID_DEADLINE_MS: ask again later.
 */
void executor_void(struct executor *ex, const struct effect *effect);

/*
 * Takes over an attempt of an earlier daemon (a record whose state is not ENDED).  Processes are
 * adopted through their supervisor's files and go on.  A SQL attempt's backend is found by its
 * application_name, terminated and confirmed gone; then what the ledger says is the answer: SUCCESS
 * when there is a result, PARTLY when there is a claim without one, else INTERRUPTED with
 * may_commit.  One that never began to act is INTERRUPTED without may_commit.  While the database
 * cannot be reached it is tried again until EXECUTOR_RECOVER_DEADLINE_MS, then INTERRUPTED with
 * may_commit.  STARTED is given for a process that goes on, because the row may not say so yet.
 * `dag` is the version that the attempt ran, or the newest; NULL when there is none any more.
 */
void executor_recover(struct executor *ex, const struct attempt_record *attempt,
    const struct dag *dag, const struct run_record *run);

/* ---- state and end --------------------------------------------------------------------------- */

/* Attempts and voids under way, without processes left to their supervisors after executor_stop. */
size_t executor_active(const struct executor *ex);

/* Settings were stored: the project that is used for what starts from now on.  Attempts under way
   keep the old one, and a reference to it. */
void executor_set_project(struct executor *ex, const struct project *project);

/*
 * No more starts (an EFFECT_START from now on is answered FINISHED, INTERRUPTED).  SQL attempts:
 * with `cancel` they are cancelled with confirmation and answered INTERRUPTED, otherwise those
 * that have begun to act run to their end.  Processes are left to their supervisors, unanswered, to
 * be adopted by the next daemon.  executor_active() is 0 when all answers were given.
 */
void executor_stop(struct executor *ex, bool cancel);

/*
 * Closes all handles; `closed` is called from the loop when the last one is gone and the memory
 * free. Attempts still under way get no answer: our ends are closed, so that transactions roll
 * back, and processes go on under their supervisors.
 */
void executor_free(struct executor *ex, void (*closed)(void *user), void *user);

/* Where `dag-exec` is looked for: beside the running program, or where it is installed. */
const char *executor_supervisor(struct arena *arena);

#endif
