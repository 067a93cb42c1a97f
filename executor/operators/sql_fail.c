/*
 * How an attempt on its connection goes wrong: what it ends with, and whether there is a rollback
 * before.
 */
#include "executor/operators/sql_attempt.h"

/* Without a transaction the claim is committed, and what ran before the error stays: only a new
   generation can claim the task again. */
static void note_claimed(struct sql_attempt *s)
{
    if (!s->claimed || s->failure.outcome != OUTCOME_FAILED)
        return;
    s->failure.new_generation = true;
    attempt_say(s->attempt, LOG_KIND_INFO,
        "without a transaction: what ran before the error stays (statements done: %zu); a retry"
        " begins a new generation",
        s->done_count);
}

void sql_fail(struct sql_attempt *s, const struct attempt_result *failure)
{
    s->failed = true;
    s->failure = *failure;
    s->clean = false;
    note_claimed(s);
    PGTransactionStatusType status = PQtransactionStatus(session_connection(s->session));
    if (status == PQTRANS_IDLE)
        sql_end(s, &s->failure);
    else
        sql_protocol_go(s, SQL_STEP_ROLLBACK);
}

void sql_fail_cancelled(struct sql_attempt *s)
{
    attempt_say(s->attempt, LOG_KIND_INFO, "the server has ended the statement: rolling back");
    struct attempt_result result = sql_cancelled_result(s);
    sql_fail(s, &result);
}

void sql_fail_error(struct sql_attempt *s, const struct query_end *end, const char *doing)
{
    struct attempt_result failure = sql_report_error(s, end->error, (struct slice){0}, doing);
    sql_fail(s, &failure);
}

void sql_end_rolled_back(struct sql_attempt *s)
{
    if (s->reader && !s->failed)
        s->reader->ended(s);
    else
        sql_end(s, &s->failure);
}

static const char lost_committing[] =
    "the connection was lost after COMMIT was sent: whether it committed is settled by the next"
    " attempt";
static const char lost_without_ledger[] =
    "the connection was lost after COMMIT was sent, and without a ledger nobody can tell whether it"
    " committed";
static const char lost_unprotected[] =
    "the connection was lost while statements ran outside of a transaction: they may have run";

void sql_end_lost(struct sql_attempt *s, const struct query_end *end)
{
    if (s->step == SQL_STEP_ROLLBACK && (s->failed || s->reader)) {
        s->clean = false;
        sql_end_rolled_back(s); /* with the connection the transaction is gone, too */
        return;
    }
    struct slice statement = {0};
    if (s->step == SQL_STEP_STATEMENT)
        statement = slice_make(
            s->sql->text.p + s->statements.at[s->at].offset, s->statements.at[s->at].size);
    struct attempt_result result =
        sql_report_error(s, end->error, statement, "the connection was lost");
    result.error_class = CLASS_CONNECT;
    if (s->commit_sent) {
        result.outcome = s->ledger ? OUTCOME_LOST : OUTCOME_PARTLY;
        result.may_commit = true;
        result.message = s->ledger ? lost_committing : lost_without_ledger;
    } else if (s->claimed || s->ran || (!s->task->transaction && s->step == SQL_STEP_CLAIM)) {
        result.outcome = OUTCOME_PARTLY;
        result.message = lost_unprotected;
    }
    sql_end(s, &result);
}

void sql_end_in_doubt(struct sql_attempt *s, const char *what)
{
    struct attempt_result result = {
        .outcome = s->reader   ? OUTCOME_FAILED
                   : s->ledger ? OUTCOME_LOST
                               : OUTCOME_PARTLY,
        .error_class = CLASS_SQL,
        .exit_code = -1,
        .may_commit = !s->reader,
        .message = what,
    };
    if (!s->reader)
        result.message = arena_printf(s->attempt->arena, "%s: %s", what,
            s->ledger ? "whether anything of it committed is settled by the next attempt"
                      : "without a ledger nobody can tell whether anything of it committed");
    attempt_say(s->attempt, LOG_KIND_ERROR, "%s", result.message);
    sql_end(s, &result);
}

void sql_fail_odd(struct sql_attempt *s, enum attempt_outcome outcome, const char *what)
{
    struct attempt_result failure = {
        .outcome = outcome, .error_class = CLASS_SQL, .exit_code = -1, .message = what};
    attempt_say(s->attempt, LOG_KIND_ERROR, "%s", what);
    sql_fail(s, &failure);
}

void sql_fail_settings(struct sql_attempt *s, const struct error *err)
{
    attempt_say(s->attempt, LOG_KIND_ERROR, "%s", err->message);
    sql_fail(s, &(struct attempt_result){.outcome = OUTCOME_FAILED,
                    .error_class = CLASS_SQL,
                    .sqlstate = "42704",
                    .exit_code = -1,
                    .message = arena_strdup(s->attempt->arena, err->message)});
}

/* What the task's SQL did to the transaction cannot be undone: only a rollback leaves nothing
 * behind. */
void sql_fail_control(struct sql_attempt *s, const struct query_end *end)
{
    struct attempt_result failure = sql_report_refusal(s, "2D000", s->statements.at[s->at].offset,
        "the statement began or ended a transaction: each attempt is one transaction of dag's own");
    if (!str_equal(end->tag, "ROLLBACK"))
        failure.outcome = OUTCOME_PARTLY;
    sql_fail(s, &failure);
}

void sql_fail_refused(
    struct sql_attempt *s, size_t statement, const char *sqlstate, const char *message)
{
    struct attempt_result failure =
        sql_report_refusal(s, sqlstate, s->statements.at[statement].offset, message);
    sql_fail(s, &failure);
}

/* Another transaction than the one that began: what was before is committed or undone. */
void sql_fail_ended(struct sql_attempt *s)
{
    attempt_say(s->attempt, LOG_KIND_ERROR,
        "the claim of this transaction is not there: the task's SQL ended the transaction");
    sql_fail(s, &(struct attempt_result){.outcome = OUTCOME_PARTLY,
                    .error_class = CLASS_SQL,
                    .sqlstate = "2D000",
                    .exit_code = -1,
                    .message = "the task's SQL ended the transaction: partly committed"});
}
