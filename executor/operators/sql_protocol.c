/*
 * The steps of an attempt on its connection, in the order in which they must stand; each is one
 * text, and one round trip:
 *
 *   begin ─ claim, settings ─ statements … ─ checks … ─ close ─ result, COMMIT
 *             │                                                       └─▶ success only on its tag
 *             └── 23505 ─ rollback ─ read ─▶ superseded, committed before, or partly committed
 *
 * A text ends at its first error: settings are not reached without the claim, nor COMMIT without
 * the result.  Without a transaction claim, settings and result are steps of their own, because
 * the commands of one text would be one transaction.
 *
 * Any error leads to the rollback and then to the failure.  A lost connection: after COMMIT was
 * sent nobody knows (LOST), before that it cannot commit any more (FAILED).
 */
#include <assert.h>
#include <stdio.h>

#include "executor/limits.h"
#include "executor/operators/sql_attempt.h"

/* True when the server says to be where it should be after the step: in the transaction, or (with
   COMMIT, or when there is none) outside of one.  Otherwise the attempt is ended. */
static bool on_track(struct sql_attempt *s, const struct query_end *end)
{
    bool inside = s->task->transaction && s->step != SQL_STEP_COMMIT;
    if (end->error || end->transaction == (inside ? PQTRANS_INTRANS : PQTRANS_IDLE))
        return true;
    if (s->step == SQL_STEP_COMMIT)
        sql_end_in_doubt(s, "COMMIT was answered, but the transaction goes on");
    else if (s->step == SQL_STEP_BEGIN && inside)
        sql_fail_odd(s, OUTCOME_FAILED,
            "after BEGIN the server is in no transaction: is it reached through a pooler?");
    else if (end->transaction == PQTRANS_INERROR)
        sql_fail_odd(s, OUTCOME_FAILED, "the server has aborted the transaction without an error");
    else
        sql_end_in_doubt(s, "the transaction ended by itself");
    return false;
}

/* Whether the text's first command, the INSERT of a claim or result, has inserted its row. */
static bool inserted_one(const struct query_end *end)
{
    return str_starts(end->first_tag, "INSERT ") && end->first_rows == 1;
}

/* ---- steps ----------------------------------------------------------------------------------- */

static void send_begin(struct sql_attempt *s)
{
    session_query(s->session, sql_text_begin(s));
}

static void end_begin(struct sql_attempt *s, const struct query_end *end)
{
    if (end->error)
        sql_fail_error(s, end, "beginning the transaction");
    else if (!s->reader && s->txid <= 0)
        sql_fail_odd(s, OUTCOME_FAILED, "the server does not say the transaction's number");
    else
        sql_protocol_go(s, s->ledger ? SQL_STEP_CLAIM : SQL_STEP_SETTINGS);
}

static void on_claim_timer(void *user);

static const char doing_settings[] = "setting the connection's and the task's settings";

/* The settings stand behind the claim: no timeout of theirs may run while it waits. */
static void send_claim(struct sql_attempt *s)
{
    struct arena *arena = s->attempt->arena;
    char *settings = "";
    struct error err;
    /* Without a transaction the claim's own number means nothing to the result. */
    if (!s->task->transaction) {
        s->txid = 0;
    } else if (sql_text_settings(s, &settings, &err)) {
        sql_fail_settings(s, &err);
        return;
    }
    const char *claim = ledger_claim_sql(arena, s->connection->ledger_schema, &s->key,
        s->attempt->effect.attempt.text, s->txid, false);
    s->claim_pause_ms = CLAIM_WAIT_PAUSE_MS;
    if (!s->claim_timer)
        s->claim_timer = timer_new(attempt_handles(s->attempt), on_claim_timer, s);
    timer_start(s->claim_timer, CLAIM_WAIT_SHOWN_MS);
    session_query(s->session, arena_printf(arena, "%s; %s", claim, settings));
}

static void next_statement(struct sql_attempt *s)
{
    if (s->at < s->statements.count)
        sql_protocol_go(s, SQL_STEP_STATEMENT);
    else if (sql_checks_left(s))
        sql_protocol_go(s, SQL_STEP_CHECK);
    else
        sql_protocol_go(s, s->reader ? SQL_STEP_ROLLBACK : SQL_STEP_CLOSE);
}

static void after_claim(struct sql_attempt *s)
{
    if (s->task->transaction)
        next_statement(s);
    else
        sql_protocol_go(s, SQL_STEP_SETTINGS);
}

static void end_claim(struct sql_attempt *s, const struct query_end *end)
{
    timer_stop(s->claim_timer);
    const char *sqlstate = end->error ? PQresultErrorField(end->error, PG_DIAG_SQLSTATE) : NULL;
    if (!end->error && !inserted_one(end)) {
        sql_fail_odd(s, OUTCOME_FAILED,
            arena_printf(s->attempt->arena,
                "the claim is not in the ledger: its INSERT was answered by `%s`", end->first_tag));
    } else if (!end->error) {
        s->claimed = !s->task->transaction;
        s->claim_won = true;
        if (!s->settle) /* otherwise the log first gets what was done for it */
            after_claim(s);
    } else if (end->commands == 0 && sqlstate && str_equal(sqlstate, "23505")) {
        s->claim_taken = true;
        sql_protocol_go(s, end->transaction == PQTRANS_IDLE ? SQL_STEP_READ : SQL_STEP_ROLLBACK);
    } else {
        sql_fail_error(s, end, end->commands ? doing_settings : "claiming the task in the ledger");
    }
}

static void after_unblocking(struct sql_attempt *s)
{
    if (s->step != SQL_STEP_CLAIM)
        return;
    if (s->claim_won && s->attempt->cancelled) {
        sql_fail_cancelled(s);
    } else if (s->claim_won) {
        after_claim(s);
    } else {
        timer_start(s->claim_timer, s->claim_pause_ms);
        if (s->claim_pause_ms < CLAIM_WAIT_PAUSE_MAX_MS)
            s->claim_pause_ms *= 2;
    }
}

static void on_unblocked(struct settle *settle)
{
    struct sql_attempt *s = settle->owner;
    if (s) {
        s->settle = NULL;
        attempt_say_lines(
            s->attempt, LOG_KIND_INFO, slice_make(strbuf_text(&settle->said), settle->said.size));
        if (settle->status)
            attempt_say(
                s->attempt, LOG_KIND_INFO, "cannot look who holds it: %s", settle->err.message);
        else if (!settle->found && !s->claim_won)
            attempt_say(s->attempt, LOG_KIND_INFO,
                "the claim is held without a backend (a prepared transaction?): waiting");
        after_unblocking(s);
    }
    settle_free(settle);
}

static void on_claim_timer(void *user)
{
    struct sql_attempt *s = user;
    if (s->step != SQL_STEP_CLAIM || s->settle || s->claim_won)
        return;
    attempt_say(s->attempt, LOG_KIND_INFO,
        "waiting: another attempt of this task has not ended in the database yet");
    s->settle = settle_new(SETTLE_UNBLOCK, s->connection, s, on_unblocked);
    s->settle->waiting_pid = session_facts(s->session)->pid;
    settle_run(attempt_admin(s->attempt), s->settle);
}

static void send_settings(struct sql_attempt *s)
{
    char *text;
    struct error err;
    if (sql_text_settings(s, &text, &err))
        sql_fail_settings(s, &err);
    else
        session_query(s->session, text);
}

static void end_settings(struct sql_attempt *s, const struct query_end *end)
{
    if (end->error)
        sql_fail_error(s, end, doing_settings);
    else
        next_statement(s);
}

static struct slice statement_text(const struct sql_attempt *s)
{
    const struct sql_statement *statement = &s->statements.at[s->at];
    return slice_make(s->sql->text.p + statement->offset, statement->size);
}

/* Without a ledger only the memo will tell the next daemon that COMMIT was sent. */
static bool note_commit(struct sql_attempt *s)
{
    struct error err;
    s->attempt->memo.commit_sent = true;
    if (attempt_write_memo(s->attempt, &err) == OK)
        return true;
    attempt_say(s->attempt, LOG_KIND_ERROR, "%s", err.message);
    sql_fail(s, &(struct attempt_result){.outcome = OUTCOME_FAILED,
                    .error_class = CLASS_OTHER,
                    .exit_code = -1,
                    .message = arena_strdup(s->attempt->arena, err.message)});
    return false;
}

/* Without a transaction what is sent may have run, whatever becomes of us.  With a ledger the claim
   says so.  False: the attempt has ended. */
static bool note_running(struct sql_attempt *s)
{
    if (s->task->transaction || s->ran)
        return true;
    if (!s->ledger && !note_commit(s))
        return false;
    s->ran = true;
    return true;
}

static void send_statement(struct sql_attempt *s)
{
    struct slice text = statement_text(s);
    struct sql_bound bound;
    size_t offset;
    sql_report_begin(s);
    if (!note_running(s))
        return;
    if (!sql_bind(s, text, &bound, &offset)) {
        struct attempt_result failure = sql_report_refusal(s, "42P02",
            s->statements.at[s->at].offset + offset, "there is no such parameter in `parameters`");
        sql_fail(s, &failure);
    } else if (bound.count) {
        session_query_bound(s->session, bound.text, (int)bound.count, bound.values);
    } else {
        session_query(s->session, bound.text);
    }
}

/* Command tags of statements that begin or end a transaction.  The text was looked through before
   anything was sent; this is the second net, for what a lexical look cannot see. */
static bool ended_transaction(const struct sql_attempt *s, const struct query_end *end)
{
    static const char *const tags[] = {"BEGIN", "START TRANSACTION", "COMMIT", "ROLLBACK",
        "PREPARE TRANSACTION", "COMMIT PREPARED", "ROLLBACK PREPARED"};
    if (end->transaction != (s->task->transaction ? PQTRANS_INTRANS : PQTRANS_IDLE))
        return true;
    bool savepoint = s->statements.at[s->at].control == SQL_CONTROL_SAVEPOINT;
    for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
        if (str_equal(end->tag, tags[i]))
            return !(savepoint && str_equal(end->tag, "ROLLBACK"));
    }
    return false;
}

void sql_refuse_rows(struct sql_attempt *s, const char *message)
{
    s->rows_refused = message;
    sql_cancel_statement(s);
}

void sql_enough_rows(struct sql_attempt *s)
{
    s->rows_enough = true;
    sql_cancel_statement(s);
}

static void end_statement(struct sql_attempt *s, const struct query_end *end)
{
    const struct copy_file *file = sql_copy_file(s);
    if (s->copy_failed) {
        sql_fail_refused(s, s->at, s->copy_missing ? "58P01" : "58030", s->copy_failed);
        return;
    }
    if (end->error && s->rows_refused) {
        sql_fail_refused(s, s->at, "54000", s->rows_refused); /* it was called off */
        return;
    }
    if (end->error && s->rows_enough) {
        sql_protocol_go(s, SQL_STEP_ROLLBACK);
        return;
    }
    if (end->error) {
        struct attempt_result failure = sql_report_error(s, end->error, statement_text(s),
            file ? arena_printf(s->attempt->arena, "`%s`", file->shown) : NULL);
        sql_fail(s, &failure);
        return;
    }
    sql_report_done(s, end);
    if (end->columns >= 0)
        sql_report_result_set(s);
    if (ended_transaction(s, end)) {
        sql_fail_control(s, end);
    } else if (s->rows_refused) {
        sql_fail_refused(s, s->at, "54000", s->rows_refused);
    } else if (file && !sql_copy_is_done(file)) {
        sql_fail_refused(s, s->at, "58030", "the server did not take or give what it was to COPY");
    } else if (s->at + 1 == s->statements.count && s->xcom_refused) {
        sql_fail_refused(s, s->xcom_statement - 1, "54000", s->xcom_refused);
    } else {
        s->at++;
        next_statement(s);
    }
}

static void send_check(struct sql_attempt *s)
{
    session_query(s->session, sql_check_begin(s));
}

static void end_check(struct sql_attempt *s, const struct query_end *end)
{
    struct attempt_result failure;
    if (sql_check_end(s, end, &failure))
        next_statement(s);
    else
        sql_fail(s, &failure);
}

static void send_close(struct sql_attempt *s)
{
    session_query(s->session, sql_text_close(s));
}

static void succeed(struct sql_attempt *s)
{
    sql_end(s, &(struct attempt_result){.outcome = OUTCOME_SUCCESS,
                   .exit_code = -1,
                   .message = sql_checks_warning(s),
                   .detail = sql_report_detail(s, NULL),
                   .xcom = sql_report_xcom(s)});
}

static void end_close(struct sql_attempt *s, const struct query_end *end)
{
    sql_touched_say(s);
    if (end->error)
        sql_fail_error(s, end, "checking deferred constraints at the end");
    else if (s->task->transaction && s->txid_at_end != s->txid)
        sql_fail_ended(s);
    else if (s->task->transaction)
        sql_protocol_go(s, SQL_STEP_COMMIT);
    else if (s->ledger)
        sql_protocol_go(s, SQL_STEP_RESULT);
    else
        succeed(s); /* without ledger and transaction there is nothing left to do */
}

static const char *result_text(struct sql_attempt *s)
{
    struct arena *arena = s->attempt->arena;
    const char *body = ledger_body(arena, s->attempt->started_us, clock_now().wall_us,
        sql_report_detail(s, NULL), sql_report_xcom(s));
    return ledger_result_sql(arena, s->connection->ledger_schema, &s->key,
        s->attempt->effect.attempt.text, s->task->transaction ? s->txid : 0, body);
}

/* The INSERT of the result was refused; 23502: the claim was not there. */
static void fail_result(struct sql_attempt *s, const struct query_end *end)
{
    const char *sqlstate = PQresultErrorField(end->error, PG_DIAG_SQLSTATE);
    if (sqlstate && str_equal(sqlstate, "23502"))
        sql_fail_ended(s);
    else
        sql_fail_error(s, end, "writing the result into the ledger");
}

/* Without a transaction. */
static void send_result(struct sql_attempt *s)
{
    s->commit_sent = true;
    session_query(s->session, result_text(s));
}

/* All of it ran, and only the ledger could have said so. */
static void fail_unrecorded(struct sql_attempt *s, const struct query_end *end)
{
    struct attempt_result failure = sql_report_error(s, end->error, (struct slice){0},
        "every statement ran, outside of a transaction, but the ledger does not take the result");
    failure.outcome = OUTCOME_PARTLY;
    sql_fail(s, &failure);
}

static void end_result(struct sql_attempt *s, const struct query_end *end)
{
    s->commit_sent = false;
    if (end->error)
        fail_unrecorded(s, end);
    else if (!inserted_one(end))
        sql_fail_ended(s);
    else
        succeed(s);
}

/* The result and COMMIT are one text: from now on it may commit. */
static void send_commit(struct sql_attempt *s)
{
    if (!s->ledger && !note_commit(s))
        return;
    s->commit_sent = true;
    session_query(s->session,
        s->ledger ? arena_printf(s->attempt->arena, "%s; COMMIT", result_text(s)) : "COMMIT");
}

/* The server says itself that it does not know, or nothing that could be believed. */
static bool is_in_doubt(const PGresult *error)
{
    const char *sqlstate = PQresultErrorField(error, PG_DIAG_SQLSTATE);
    return !sqlstate || (str_equal(sqlstate, "40003") || str_equal(sqlstate, "08007"));
}

/* The server says that it has not committed. */
static void fail_commit(struct sql_attempt *s, const struct query_end *end)
{
    s->commit_sent = false;
    if (s->attempt->cancelled)
        sql_fail_cancelled(s);
    else if (s->ledger && end->commands == 0)
        fail_result(s, end);
    else
        sql_fail_error(s, end, "committing");
}

static void end_commit(struct sql_attempt *s, const struct query_end *end)
{
    if (end->error && is_in_doubt(end->error)) {
        struct sql_error error =
            sql_error_read(end->error, session_connection(s->session), s->attempt->arena);
        sql_end_in_doubt(s, arena_printf(s->attempt->arena, "COMMIT was answered by: %s",
                                sql_error_text(&error, s->attempt->arena)));
    } else if (end->error) {
        fail_commit(s, end);
    } else if (str_equal(end->tag, "ROLLBACK")) {
        s->commit_sent = false;
        sql_fail_odd(s, OUTCOME_FAILED, "the server rolled the transaction back at COMMIT");
    } else if (!str_equal(end->tag, "COMMIT")) {
        sql_end_in_doubt(
            s, arena_printf(s->attempt->arena, "COMMIT was answered by `%s`", end->tag));
    } else if (s->ledger && !inserted_one(end)) {
        s->commit_sent = false;
        sql_fail_odd(s, OUTCOME_PARTLY, "committed, but the result is not in the ledger");
    } else {
        succeed(s);
    }
}

static void send_rollback(struct sql_attempt *s)
{
    session_query(s->session, "ROLLBACK");
}

static void end_rollback(struct sql_attempt *s, const struct query_end *end)
{
    if (s->claim_taken && end->transaction != PQTRANS_IDLE)
        sql_end(s, &(struct attempt_result){.outcome = OUTCOME_FAILED,
                       .error_class = CLASS_SQL,
                       .exit_code = -1,
                       .message = "ROLLBACK did not end the transaction"});
    else if (s->claim_taken)
        sql_protocol_go(s, SQL_STEP_READ);
    else
        sql_end_rolled_back(s);
}

static void send_read(struct sql_attempt *s)
{
    session_query(
        s->session, ledger_read_sql(s->attempt->arena, s->connection->ledger_schema, &s->key));
}

/* sql_row has put what the row says into `failure` (see read_entry). */
static void end_read(struct sql_attempt *s, const struct query_end *end)
{
    s->claim_taken = false;
    if (end->error) {
        sql_fail_error(s, end, "reading the ledger");
        return;
    }
    if (!s->failed)
        s->failure = (struct attempt_result){.outcome = OUTCOME_FAILED,
            .error_class = CLASS_OTHER,
            .exit_code = -1,
            .message = "the claim that was in the way is gone from the ledger"};
    s->clean = false;
    sql_end(s, &s->failure);
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct {
    void (*send)(struct sql_attempt *s);
    void (*end)(struct sql_attempt *s, const struct query_end *end);
    bool checked; /* whether `end` is called only when the transaction is on_track */
} steps[SQL_STEP_COUNT] = {
    [SQL_STEP_BEGIN] = {send_begin, end_begin, true},
    [SQL_STEP_CLAIM] = {send_claim, end_claim, true},
    [SQL_STEP_SETTINGS] = {send_settings, end_settings, true},
    [SQL_STEP_STATEMENT] = {send_statement, end_statement, false},
    [SQL_STEP_CHECK] = {send_check, end_check, true},
    [SQL_STEP_CLOSE] = {send_close, end_close, true},
    [SQL_STEP_RESULT] = {send_result, end_result, true},
    [SQL_STEP_COMMIT] = {send_commit, end_commit, true},
    [SQL_STEP_ROLLBACK] = {send_rollback, end_rollback, false},
    [SQL_STEP_READ] = {send_read, end_read, false},
};

void sql_protocol_go(struct sql_attempt *s, enum sql_step step)
{
    s->step = step;
    s->began_us = clock_now().mono_us;
    s->notices = 0;
    steps[step].send(s);
}

/* What the row of the claim that was first says: the attempt's end. */
static void read_entry(struct sql_attempt *s, const PGresult *row)
{
    struct arena *arena = s->attempt->arena;
    struct ledger_entry entry = ledger_entry_read(row, arena);
    struct attempt_result result = {.exit_code = -1};
    if (entry.state == LEDGER_FREE)
        return;
    if (entry.state == LEDGER_COMMITTED && ledger_body_read(entry.body, arena, &result)) {
        result.outcome = OUTCOME_SUCCESS;
        result.committed_before = true;
        result.message = arena_printf(arena, "committed by attempt %s", entry.attempt);
    } else if (entry.state == LEDGER_VOID) {
        result.outcome = OUTCOME_SUPERSEDED;
        result.message = "this generation was made void: a newer one takes its place";
    } else {
        result.outcome = OUTCOME_PARTLY;
        result.error_class = CLASS_SQL;
        result.message = arena_printf(arena,
            "partly committed: attempt %s claimed the task and left no result", entry.attempt);
    }
    attempt_say(s->attempt, LOG_KIND_INFO, "%s", result.message);
    s->failed = true;
    s->failure = result;
}

static void read_txid(const PGresult *row, int64_t *ret)
{
    if (PQnfields(row) == 1)
        (void)parse_int64(slice_of(PQgetvalue(row, 0, 0)), ret);
}

/* The transaction's number, and whether a language keeps state in the session. */
static void read_begin(struct sql_attempt *s, const PGresult *row)
{
    int last = PQnfields(row) - 1;
    if (!s->reader && last >= 0)
        (void)parse_int64(slice_of(PQgetvalue(row, 0, 0)), &s->txid);
    if (last == !s->reader) {
        target_set_keeps_state(s->target, *PQgetvalue(row, 0, last) == 't');
        s->clean = sql_stays_clean(s);
    }
}

static void sql_row(void *user, const PGresult *row)
{
    struct sql_attempt *s = user;
    if (s->step == SQL_STEP_STATEMENT && s->reader) {
        s->reader->row(s, row);
    } else if (s->step == SQL_STEP_STATEMENT) {
        if (s->task->result != RESULT_NONE)
            sql_report_row(s, row);
    } else if (s->step == SQL_STEP_CHECK) {
        sql_check_row(s, row);
    } else if (s->step == SQL_STEP_READ) {
        read_entry(s, row);
    } else if (s->step == SQL_STEP_BEGIN) {
        read_begin(s, row);
    } else if (s->step == SQL_STEP_CLOSE && !sql_touched_row(s, row)) {
        read_txid(row, &s->txid_at_end);
    }
}

static void sql_notice(void *user, const PGresult *notice)
{
    sql_report_notice(user, notice);
}

/* A session at rest may have been cut off unseen; and a short timeout that the task before left in
   it can strike as late as here, after all was cleaned. */
static bool begin_again(struct sql_attempt *s, const struct query_end *end)
{
    if (s->step != SQL_STEP_BEGIN)
        return false;
    const char *sqlstate = end->error ? PQresultErrorField(end->error, PG_DIAG_SQLSTATE) : NULL;
    if (end->lost)
        return sql_begin_again(s, "its connection is lost");
    return sqlstate && str_equal(sqlstate, "57014") && sql_begin_again(s, "a timeout left in it");
}

static void sql_step_ended(void *user, const struct query_end *end)
{
    struct sql_attempt *s = user;
    bool cancelled = s->attempt->cancelled;
    s->copy = NULL;
    if (begin_again(s, end))
        return;
    if (end->lost && cancelled) {
        sql_cancel_lost(s);
    } else if (end->lost) {
        sql_end_lost(s, end);
    } else if (cancelled && s->step != SQL_STEP_ROLLBACK && s->step != SQL_STEP_COMMIT &&
               !(s->step == SQL_STEP_RESULT && s->commit_sent)) {
        s->claim_taken = false;
        sql_fail_cancelled(s);
    } else if (!steps[s->step].checked || on_track(s, end)) {
        steps[s->step].end(s, end);
    }
}

void sql_protocol_begin(struct sql_attempt *s)
{
    session_set_user(s->session, &(struct session_user){.user = s,
                                     .row = sql_row,
                                     .notice = sql_notice,
                                     .copy = sql_copy_begin,
                                     .copy_ready = sql_copy_ready,
                                     .copy_data = sql_copy_data,
                                     .done = sql_step_ended});
    sql_protocol_go(s, SQL_STEP_BEGIN);
}
