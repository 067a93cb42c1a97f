/*
 * An executor on a loop, with a project and one DAG made by hand, for tests.
 *
 * Everything runs for real: loop, threads, server, helper processes.  Each rig has a state
 * directory of its own below /tmp, removed at its end.
 */
#ifndef TESTS_RIG_H
#define TESTS_RIG_H

#include "base/vec.h"
#include "executor/executor.h"
#include "tests/unit/parts.h"

struct rig_end {
    struct attempt_id attempt;
    struct attempt_result result; /* texts live in the rig's arena */
};

struct rig {
    struct arena *arena;
    uv_loop_t loop;
    struct executor *ex;
    struct project project;
    struct connection connection;
    struct dag dag;
    struct task tasks[8];
    char dir[64];
    struct run_record run;
    int32_t number; /* of the last attempt */
    int64_t generation;

    const char *xcom; /* of every task, NULL = none */
    enum look_answer look;
    const struct dag *target; /* the only DAG that is known to whoever triggers one; NULL = none */
    const char
        *supervisor; /* another dag-exec, from the next rig_restart on; NULL = the real one */

    size_t started;
    VEC(struct rig_end) ends;
    VEC(struct event) voids; /* result points into the arena */
    bool closed;
};

/* `uri` NULL: no database. */
struct rig *rig_new(const char *uri);
void rig_free(struct rig *rig);
/* Gives up the executor as a crashed daemon would, closing our ends only, and makes a new one. */
void rig_restart(struct rig *rig);

/* A SQL task with that text in templates/t.sql, or another kind to be filled in by the test; task
 * 0. */
struct task *rig_sql(struct rig *rig, const char *sql);
/* Another text for the same task. */
void rig_write(struct rig *rig, const char *sql);
struct task *rig_task(struct rig *rig, enum task_kind kind);
/* A request to that path of the server of web.h. */
struct task *rig_http(struct rig *rig, const char *path);
/* A branch or its like as task 0, and the ids (NULL ends them, at most seven) that follow it. */
struct task *rig_decider(struct rig *rig, enum task_kind kind, const char *const *follows);

/* The effect of starting task 0 as the next attempt; may be changed before rig_start. */
struct effect rig_effect(struct rig *rig);
void rig_start(struct rig *rig, const struct effect *effect);
/* Runs the loop until `done` says true, at most `seconds`; false when it did not. */
bool rig_until(struct rig *rig, bool (*done)(struct rig *rig, void *user), void *user, int seconds);
/* Starts task 0 and runs until it ended; the test ends when it does not within a minute. */
struct attempt_result rig_run(struct rig *rig);
struct attempt_result rig_wait(struct rig *rig, const struct attempt_id *attempt);
void rig_cancel(struct rig *rig, const struct effect *effect, bool force);
/* Voids the generation of the effect and gives the answer. */
struct event rig_void(struct rig *rig, const struct effect *effect);
/* The record of an attempt for executor_recover. */
struct attempt_record rig_record(struct rig *rig, const struct effect *effect);
/* Holds up every XCom that a template asks for, on its worker thread, until it is opened again. */
void rig_gate(bool closed);
/* How many are held up. */
int rig_gate_waiting(void);
/* The text of an attempt's log. */
const char *rig_log(struct rig *rig, const struct effect *effect);
/* The effect of the last attempt that rig_run made. */
struct effect *rig_last(struct rig *rig);

#endif
