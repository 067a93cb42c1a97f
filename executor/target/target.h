/*
 * The targets: one per connection of the project, with its sessions.
 *
 * A session is connecting, at rest (clean, or fresh: never used), in use, or being cleaned.  Fresh
 * ones are kept connected ahead of need while sessions are used up: as many as are in use,
 * SESSION_SPARE_MAX at most. What rests for SESSION_IDLE_MS is closed.  How many are in use at once
 * is the scheduler's business
 * (`max_connections`).
 */
#ifndef EXECUTOR_TARGET_TARGET_H
#define EXECUTOR_TARGET_TARGET_H

#include "executor/handles.h"
#include "executor/offload.h"
#include "executor/target/session.h"

struct targets;
struct target;
struct acquire;

struct targets *targets_new(struct handles *handles, struct offload *connects);
/* Closes all sessions; outstanding acquires are forgotten. */
void targets_free(struct targets *targets);

/* The target of a connection with these settings, made when there is none.  When the settings of a
   name have changed, the old target's sessions are closed as they come back. */
struct target *targets_find(struct targets *targets, const struct connection *connection);
const struct connection *target_connection(const struct target *target);
/* Whether a language whose state outlives DISCARD ALL is installed, as far as is known. */
bool target_keeps_state(const struct target *target);
/* As an attempt found it, by KEEPS_STATE_SQL. */
void target_set_keeps_state(struct target *target, bool keeps_state);

/* A session at rest, NULL when there is none to suit: `fresh` takes only one that was never used.
 */
struct session *target_take(struct target *target, bool fresh);
/* A session when there is one.  `done` gets the session, or NULL and the error (ERR_TIMEOUT after
   CONNECT_DEADLINE_MS); from the loop, never from within. */
struct acquire *target_acquire(struct target *target, bool fresh, void *user,
    void (*done)(void *user, struct session *session, const struct error *err));
/* `done` will not be called. */
void target_acquire_cancel(struct acquire *acquire);

/* Gives a session back: `clean` ones (no transaction, nothing but built-in functions ran, no cancel
   was issued) are cleaned and used again, others closed. */
void target_release(struct target *target, struct session *session, bool clean);

#endif
