/* SQL tasks: from start to end. */
#include <stdio.h>

#include "base/file.h"
#include "executor/limits.h"
#include "executor/operators/sql_attempt.h"

/* ---- the end --------------------------------------------------------------------------------- */

/* Nothing that is under way may call back any more. */
static void let_go(struct sql_attempt *s)
{
    s->step = SQL_STEP_NONE;
    sql_cancel_done(s);
    s->copy = NULL;
    timer_free(take(s->claim_timer));
    if (s->settle)
        s->settle->owner = NULL;
    s->settle = NULL;
    if (s->acquire)
        target_acquire_cancel(take(s->acquire));
    if (s->session)
        session_set_user(s->session, &(struct session_user){0});
}

void sql_end(struct sql_attempt *s, const struct attempt_result *result)
{
    let_go(s);
    if (result->outcome != OUTCOME_SUCCESS)
        s->clean = false;
    if (!sql_copies_end(s, result))
        attempt_finish(s->attempt, result);
}

void sql_end_error(struct sql_attempt *s, enum error_class class, const struct error *err)
{
    let_go(s);
    s->clean = false;
    (void)sql_copies_end(s, &(struct attempt_result){.outcome = OUTCOME_FAILED});
    attempt_fail(s->attempt, class, err);
}

void sql_release(struct sql_attempt *s)
{
    let_go(s);
    bool clean = s->session && s->clean && !session_busy(s->session);
    if (s->session)
        target_release(s->target, take(s->session), clean);
    sql_copies_release(s);
    vec_done(&s->done);
    vec_done(&s->touched);
    strbuf_done(&s->xcom);
}

static void sql_done(struct attempt *attempt)
{
    if (attempt->own)
        sql_release(attempt->own);
}

/* ---- the beginning --------------------------------------------------------------------------- */

void sql_init(struct sql_attempt *s, struct attempt *attempt, const struct sql_task *task)
{
    const struct run_record *run = &attempt->effect.run;
    s->attempt = attempt;
    s->task = task;
    s->field = "sql";
    s->key = (struct ledger_key){
        .metadata_id = attempt_metadata_id(attempt),
        .dag_id = run->dag_id,
        .logical_us = run->logical_us,
        .task_id = attempt->task ? attempt->task->task_id : "",
        .map_index = attempt->effect.map_index,
        .generation = attempt->effect.generation,
    };
}

static struct sql_attempt *new_sql_attempt(struct attempt *attempt)
{
    struct sql_attempt *s = arena_new_of(attempt->arena, struct sql_attempt);
    sql_init(s, attempt, attempt->task ? &attempt->task->sql : NULL);
    attempt->own = s;
    return s;
}

bool sql_find_connection(struct sql_attempt *s)
{
    const char *name = s->task->connection;
    struct error err;
    s->connection = name ? project_find_connection(s->attempt->project, name) : NULL;
    s->ledger = s->connection && s->connection->ledger && !s->reader;
    if (s->connection)
        return true;
    error_set(&err, ERR_NOT_FOUND, "there is no connection `%s`", name ? name : "");
    error_hint(&err, "add it to `connections` in dag.yaml, or set DAG_CONN_<NAME>");
    sql_end_error(s, CLASS_OTHER, &err);
    return false;
}

/* The text as statements; transaction control is refused before anything is sent. */
bool sql_read_text(struct sql_attempt *s)
{
    struct attempt *attempt = s->attempt;
    struct attempt_result failure;
    struct error err;
    size_t offset = 0;
    s->sql = rendered_find(&attempt->rendered, s->field);
    if (!s->sql) {
        error_set(&err, ERR_INTERNAL, "the task has no SQL");
        sql_end_error(s, CLASS_TEMPLATE, &err);
        return false;
    }
    if (sql_copy_inline_data(s->sql->text, &offset)) {
        failure = sql_report_refusal(s, "0A000", offset,
            "psql's data within the text (ended by `\\.`) is not supported: write the rows to a"
            " file and name it in `copy_from`");
        sql_end(s, &failure);
        return false;
    }
    if (sql_split(s->sql->text, attempt->arena, &s->statements, &offset, &err)) {
        failure = sql_report_refusal(s, "42601", offset, err.message);
        sql_end(s, &failure);
        return false;
    }
    for (size_t i = 0; i < s->statements.count; i++) {
        const struct sql_statement *statement = &s->statements.at[i];
        if (statement->control != SQL_CONTROL_TRANSACTION)
            continue;
        failure = sql_report_refusal(s, "2D000", statement->offset,
            arena_printf(attempt->arena,
                "%s is not for a task's SQL: each attempt is one transaction of dag's own; nothing"
                " was sent",
                statement->word));
        sql_end(s, &failure);
        return false;
    }
    return sql_copies_prepare(s) && sql_checks_prepare(s);
}

/* An earlier attempt of this generation ran somewhere: this one goes to the same ledger or nowhere.
 */
static bool check_pin(struct sql_attempt *s)
{
    struct attempt *attempt = s->attempt;
    const char *ledger_id = session_facts(s->session)->ledger_id;
    struct attempt_memo pinned;
    if (!attempt_memo_pinned(attempt->log_file, attempt->effect.number, attempt->effect.generation,
            attempt->arena, &pinned) ||
        str_equal(pinned.ledger_id, ledger_id))
        return true;
    struct error err;
    error_set(&err, ERR_LEDGER_OTHER,
        "connection `%s` leads to another database than attempt %s used (ledger %s instead of %s)",
        s->connection->name, pinned.attempt, ledger_id, pinned.ledger_id);
    error_hint(&err, "point the connection back, or clear the task");
    sql_end_error(s, CLASS_CONNECT, &err);
    return false;
}

static bool checks_are_clean(const struct sql_attempt *s)
{
    for (size_t i = 0; i < s->checks.count; i++)
        if (!sql_text_is_clean(slice_of(s->checks.at[i].text), target_keeps_state(s->target)))
            return false;
    return true;
}

bool sql_stays_clean(const struct sql_attempt *s)
{
    if (!s->task->transaction || s->task->session == SESSION_FRESH)
        return false;
    return s->task->session == SESSION_REUSE ||
           (sql_text_is_clean(s->sql->text, target_keeps_state(s->target)) && checks_are_clean(s));
}

static void begin_on(struct sql_attempt *s, struct session *session)
{
    struct attempt *attempt = s->attempt;
    const struct server_facts *facts = session_facts(session);
    struct error err;
    s->session = session;
    s->clean = sql_stays_clean(s);
    attempt_say(attempt, LOG_KIND_INFO, "on `%s`: %s %s, backend %d", s->connection->name,
        dialect_name(facts->dialect), facts->number, (int)facts->pid);
    if (s->ledger && !check_pin(s))
        return;
    if (!s->ledger && !s->reader)
        attempt_say(attempt, LOG_KIND_INFO,
            "`ledger: false`: at least once; whether a COMMIT whose answer is lost was carried out"
            " will not be known");
    attempt->memo.connection = s->connection->name;
    if (s->ledger)
        memcpy(attempt->memo.ledger_id, facts->ledger_id, sizeof(attempt->memo.ledger_id));
    if (attempt_write_memo(attempt, &err))
        sql_end_error(s, CLASS_OTHER, &err);
    else
        sql_protocol_begin(s);
}

static void on_acquired(void *user, struct session *session, const struct error *err)
{
    struct sql_attempt *s = user;
    s->acquire = NULL;
    if (session)
        begin_on(s, session);
    else
        sql_end_error(s, CLASS_CONNECT, err);
}

void sql_acquire(struct sql_attempt *s)
{
    bool fresh = s->attempt->effect.fresh_session || s->task->session == SESSION_FRESH ||
                 !s->task->transaction || s->begun_again;
    s->target = targets_find(attempt_targets(s->attempt), s->connection);
    struct session *session = target_take(s->target, fresh);
    if (session)
        begin_on(s, session);
    else
        s->acquire = target_acquire(s->target, fresh, s, on_acquired);
}

bool sql_begin_again(struct sql_attempt *s, const char *why)
{
    if (s->begun_again || s->attempt->cancelled)
        return false;
    s->begun_again = true;
    attempt_say(
        s->attempt, LOG_KIND_INFO, "the session is of no use any more (%s): on to a new one", why);
    session_set_user(s->session, &(struct session_user){0});
    target_release(s->target, take(s->session), false);
    sql_acquire(s);
    return true;
}

/* ---- the generation before ------------------------------------------------------------------- */

static void after_void(struct sql_attempt *s, const struct settle *settle)
{
    struct attempt *attempt = s->attempt;
    s->settle = NULL;
    attempt_say_lines(
        attempt, LOG_KIND_INFO, slice_make(strbuf_text(&settle->said), settle->said.size));
    if (attempt->cancelled) {
        struct attempt_result result = sql_cancelled_result(s);
        sql_end(s, &result);
    } else if (settle->status) {
        struct error err = settle->err;
        error_context(&err, "making sure that the generation before cannot commit: ");
        sql_end_error(s, CLASS_CONNECT, &err);
    } else {
        attempt_say(attempt, LOG_KIND_INFO,
            settle->inserted ? "the generation before can no longer commit"
                             : "the generation before had committed; this one runs after it");
        sql_acquire(s);
    }
}

static void on_voided(struct settle *settle)
{
    if (settle->owner)
        after_void(settle->owner, settle);
    settle_free(settle);
}

static void void_before(struct sql_attempt *s)
{
    struct ledger_key key = s->key;
    key.generation = s->attempt->effect.void_generation;
    s->settle = settle_new(SETTLE_VOID, s->connection, s, on_voided);
    settle_set_key(s->settle, &key);
    s->settle->attempt = arena_strdup(s->settle->arena, s->attempt->effect.attempt.text);
    s->settle->deadline_us = clock_now().mono_us + EXECUTOR_VOID_DEADLINE_MS * US_PER_MS;
    settle_run(attempt_admin(s->attempt), s->settle);
}

void sql_act(struct sql_attempt *s)
{
    if (s->attempt->effect.void_before && s->ledger)
        void_before(s);
    else
        sql_acquire(s);
}

static void sql_start(struct attempt *attempt)
{
    struct sql_attempt *s = new_sql_attempt(attempt);
    if (sql_find_connection(s) && sql_read_text(s) && !sql_copies_check(s))
        sql_act(s);
}

/* ---- recover --------------------------------------------------------------------------------- */

static const char recovered_free[] =
    "it ended with the scheduler; should it have committed, the next attempt finds that out";

static struct attempt_result recovered_result(struct sql_attempt *s, const struct settle *settle)
{
    struct arena *arena = s->attempt->arena;
    struct attempt_result result = {.outcome = OUTCOME_INTERRUPTED, .exit_code = -1};
    const char *ours = s->attempt->effect.attempt.text;
    struct ledger_entry entry = settle->entry;
    if (settle->status) {
        result.may_commit = true;
        result.message =
            arena_printf(arena, "the database cannot be asked: %s", settle->err.message);
    } else if (!s->connection->ledger) {
        result.outcome = s->attempt->memo.commit_sent ? OUTCOME_PARTLY : OUTCOME_INTERRUPTED;
        result.message = s->attempt->memo.commit_sent
                             ? "without a ledger nobody can tell whether it committed"
                             : NULL;
    } else if (entry.state == LEDGER_COMMITTED && ledger_body_read(entry.body, arena, &result)) {
        result.outcome = OUTCOME_SUCCESS;
        result.committed_before = !str_equal(entry.attempt, ours);
    } else if (entry.state == LEDGER_VOID) {
        result.outcome = OUTCOME_SUPERSEDED;
    } else if (entry.state == LEDGER_PARTLY) {
        result.outcome = OUTCOME_PARTLY;
        result.message = "partly committed: it claimed the task and left no result";
    } else {
        result.may_commit = true;
        result.message = recovered_free;
    }
    return result;
}

static void on_recovered(struct settle *settle)
{
    struct sql_attempt *s = settle->owner;
    if (s) {
        s->settle = NULL;
        attempt_say_lines(
            s->attempt, LOG_KIND_INFO, slice_make(strbuf_text(&settle->said), settle->said.size));
        struct attempt_result result = recovered_result(s, settle);
        if (result.message)
            attempt_say(s->attempt, LOG_KIND_INFO, "%s", result.message);
        sql_end(s, &result);
    }
    settle_free(settle);
}

static void sql_recover(struct attempt *attempt)
{
    struct sql_attempt *s = new_sql_attempt(attempt);
    const char *name = attempt->has_memo ? attempt->memo.connection
                       : s->task         ? s->task->connection
                                         : NULL;
    s->connection = name ? project_find_connection(attempt->project, name) : NULL;
    if (!s->connection) {
        sql_end(s, &(struct attempt_result){.outcome = OUTCOME_INTERRUPTED,
                       .may_commit = true,
                       .exit_code = -1,
                       .message = "its connection is no longer in the project"});
        return;
    }
    /* The record names the task even when the DAG no longer has it. */
    s->key.task_id = attempt->recovered_task_id;
    s->settle = settle_new(SETTLE_RECOVER, s->connection, s, on_recovered);
    settle_set_key(s->settle, &s->key);
    s->settle->match.application_name =
        arena_strdup(s->settle->arena, attempt->effect.attempt.text);
    memcpy(s->settle->ledger_id, attempt->memo.ledger_id, sizeof(s->settle->ledger_id));
    s->settle->deadline_us = clock_now().mono_us + EXECUTOR_RECOVER_DEADLINE_MS * US_PER_MS;
    settle_run(attempt_admin(attempt), s->settle);
}

/* ---- cancel ---------------------------------------------------------------------------------- */

void sql_stop(struct sql_attempt *s, bool force)
{
    struct attempt *attempt = s->attempt;
    if (attempt->finished)
        return;
    if (s->placing) { /* committed: nothing is left to end */
        if (force)
            sql_copies_force(s);
    } else if (s->session) {
        sql_cancel_running(s, force);
    } else if (s->acquire || force) {
        struct attempt_result result = sql_cancelled_result(s);
        result.may_commit = attempt->recovering && !s->reader;
        sql_end(s, &result);
    }
    /* Otherwise a look at files, a void or a recovery is on its way, which ends by itself and then
       looks. */
}

static void sql_cancel(struct attempt *attempt, bool force)
{
    if (attempt->own)
        sql_stop(attempt->own, force);
}

const struct operator operator_sql = {
    .name = "sql",
    .renders = true,
    .start = sql_start,
    .recover = sql_recover,
    .cancel = sql_cancel,
    .done = sql_done,
};
