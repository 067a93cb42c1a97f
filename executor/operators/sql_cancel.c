/*
 * Ending an attempt on request, with confirmation: PQcancel; after a grace pg_terminate_backend
 * from another connection, then looking until the backend is gone.  The server's answer to our
 * ROLLBACK is as good: then the transaction is over.  Our end is not closed before, and the
 * connection is never used again.
 */
#include "executor/limits.h"
#include "executor/operators/sql_attempt.h"
#include "executor/target/cancelling.h"

static void start_terminate(struct sql_attempt *s);

struct attempt_result sql_cancelled_result(const struct sql_attempt *s)
{
    struct attempt_result result = {
        .outcome = attempt_cancelled_outcome(s->attempt),
        .exit_code = -1,
        .may_commit = s->commit_sent,
    };
    if (s->claimed || s->ran) {
        result.outcome = OUTCOME_PARTLY;
        result.message = "ended while statements ran outside of a transaction: they may have run";
    }
    return result;
}

static void end_cancelled(struct sql_attempt *s)
{
    struct attempt_result result = sql_cancelled_result(s);
    sql_end(s, &result);
}

/* ---- pg_terminate_backend -------------------------------------------------------------------- */

static void on_terminated(struct settle *settle)
{
    struct sql_attempt *s = settle->owner;
    if (s) {
        s->settle = NULL;
        attempt_say_lines(
            s->attempt, LOG_KIND_INFO, slice_make(strbuf_text(&settle->said), settle->said.size));
        if (settle->status)
            attempt_say(
                s->attempt, LOG_KIND_INFO, "cannot confirm the end: %s", settle->err.message);
        if (settle->status == OK && settle->gone) {
            attempt_say(s->attempt, LOG_KIND_INFO, "the backend is gone");
            end_cancelled(s);
        } else {
            attempt_say(
                s->attempt, LOG_KIND_INFO, "cancelling: the backend has not ended; looking again");
            timer_start(s->cancel_timer, EXECUTOR_RETRY_PAUSE_MS);
        }
    }
    settle_free(settle);
}

static void start_terminate(struct sql_attempt *s)
{
    if (s->settle) {
        /* The look for who holds the claim no longer matters. */
        s->settle->owner = NULL;
        s->settle = NULL;
    }
    const struct server_facts *facts = session_facts(s->session);
    s->settle = settle_new(SETTLE_END, s->connection, s, on_terminated);
    s->settle->match = (struct backend_match){
        .application_name = arena_strdup(s->settle->arena, s->attempt->effect.attempt.text),
        .pid = facts->pid,
        .start = arena_strdup(s->settle->arena, facts->backend_start),
    };
    settle_run(attempt_admin(s->attempt), s->settle);
}

static void on_cancel_timer(void *user)
{
    struct sql_attempt *s = user;
    attempt_say(
        s->attempt, LOG_KIND_INFO, "terminating backend %d", (int)session_facts(s->session)->pid);
    start_terminate(s);
}

/* ---- PQcancel -------------------------------------------------------------------------------- */

static void on_cancel_sent(void *user, const char *trouble)
{
    struct sql_attempt *s = user;
    s->cancelling = NULL;
    if (trouble)
        attempt_say(s->attempt, LOG_KIND_INFO, "PQcancel failed: %s", trouble);
}

static void send_cancel(struct sql_attempt *s)
{
    s->clean = false;
    attempt_say(
        s->attempt, LOG_KIND_INFO, "PQcancel to backend %d", (int)session_facts(s->session)->pid);
    s->cancelling = cancelling_start(attempt_admin(s->attempt), s->session, s, on_cancel_sent);
}

static void start_cancel(struct sql_attempt *s)
{
    s->cancel_sent = true;
    cancelling_forget(s->cancelling); /* of a statement that was called off */
    send_cancel(s);
    sql_copy_stop(s, "cancelled");
    s->cancel_timer = timer_new(attempt_handles(s->attempt), on_cancel_timer, s);
    timer_start(s->cancel_timer, CANCEL_GRACE_MS);
}

/* ---- from outside ---------------------------------------------------------------------------- */

void sql_cancel_statement(struct sql_attempt *s)
{
    if (!s->cancel_sent)
        send_cancel(s);
    sql_copy_stop(s, "called off");
}

void sql_cancel_running(struct sql_attempt *s, bool force)
{
    if (force) {
        attempt_say(s->attempt, LOG_KIND_INFO, "our end is closed; %s",
            s->claimed       ? "the statement, outside of a transaction, may go on"
            : s->commit_sent ? "COMMIT had been sent"
                             : "COMMIT had not been sent, so it cannot commit");
        end_cancelled(s);
    } else if (!s->cancel_sent) {
        start_cancel(s);
    }
}

void sql_cancel_lost(struct sql_attempt *s)
{
    attempt_say(s->attempt, LOG_KIND_INFO, "the connection is closed");
    if (!s->cancel_sent)
        start_cancel(s);
    timer_stop(s->cancel_timer);
    if (!s->settle || s->settle->kind != SETTLE_END)
        start_terminate(s);
}

void sql_cancel_done(struct sql_attempt *s)
{
    cancelling_forget(take(s->cancelling));
    timer_free(take(s->cancel_timer));
}
