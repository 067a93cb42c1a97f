/* Cancelling, losing and recovering SQL attempts. */
#include "tests/unit/executor/sql_cases.h"

#include <stdio.h>

TEST(a_cancel_is_confirmed_by_the_server_and_leaves_nothing)
{
    sql_begin("cancel");
    struct effect effect = sql_start_sleeping("insert into t values (1); select pg_sleep(60)");
    rig_cancel(rig, &effect, false);
    rig_cancel(rig, &effect, false);
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_CANCELLED);
    CHECK(!result.may_commit);
    CHECK_INT(rig->ends.count, 1);
    CHECK_INT(sql_rows(), 0);
    CHECK(contains(rig_log(rig, &effect), "PQcancel to backend"));
    CHECK(postgres_wait_for(db,
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%'"
        " AND pid <> pg_backend_pid()",
        "0"));
    sql_finish();
}

TEST(what_does_not_heed_a_cancel_is_terminated_and_confirmed_gone)
{
    sql_begin("stubborn");
    /* A block that swallows the cancel, as PL/Python does while it computes. */
    struct effect effect =
        sql_start_sleeping("insert into t values (1);\n"
                           "do $$ begin loop begin perform pg_sleep(60);"
                           " exception when query_canceled then null; end; end loop; end $$");
    rig_cancel(rig, &effect, false);
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_CANCELLED);
    CHECK_INT(sql_backends(&effect), 0);
    CHECK_INT(sql_rows(), 0);
    CHECK(contains(rig_log(rig, &effect), "pg_terminate_backend("));
    CHECK(contains(rig_log(rig, &effect), "the backend is gone"));
    sql_finish();
}

TEST(a_forced_cancel_closes_our_end_at_once)
{
    sql_begin("force");
    struct effect effect = sql_start_sleeping("insert into t values (1); select pg_sleep(60)");
    rig_cancel(rig, &effect, true);
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_CANCELLED);
    CHECK(!result.may_commit);
    CHECK(contains(rig_log(rig, &effect), "COMMIT had not been sent"));
    sql_finish();
}

TEST(a_cancel_before_the_connection_is_there_ends_it)
{
    sql_begin("early");
    rig_sql(rig, "insert into t values (1)");
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    rig_cancel(rig, &effect, false);
    CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_CANCELLED);
    CHECK_INT(sql_rows(), 0);
    sql_finish();
}

TEST(a_terminated_backend_before_commit_is_a_failure_that_cannot_commit)
{
    sql_begin("killed");
    struct effect effect = sql_start_sleeping("insert into t values (1); select pg_sleep(60)");
    char sql[256];
    snprintf(sql, sizeof(sql),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '%s'",
        effect.attempt.text);
    postgres_run(db, sql);
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_INT(result.error_class, CLASS_CONNECT);
    CHECK_STR(result.sqlstate, "57P01");
    CHECK(!result.may_commit);
    CHECK_STR(result.place, "templates/t.sql:1:27");
    CHECK_INT(sql_rows(), 0);
    sql_finish();
}

TEST(a_stop_of_the_daemon_interrupts_and_costs_no_retry)
{
    sql_begin("stop");
    struct effect effect = sql_start_sleeping("insert into t values (1); select pg_sleep(60)");
    executor_stop(rig->ex, true);
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_INTERRUPTED);
    CHECK(!result.may_commit);
    CHECK_INT(executor_active(rig->ex), 0);
    CHECK_INT(sql_rows(), 0);
    sql_finish();
}

TEST(a_stop_without_cancel_lets_it_end)
{
    sql_begin("drain");
    struct effect effect = sql_start_sleeping("insert into t values (1); select pg_sleep(0.5)");
    executor_stop(rig->ex, false);
    CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_SUCCESS);
    CHECK_INT(sql_rows(), 1);
    sql_finish();
}

/* A session that poses as an attempt of an earlier daemon: it holds the claim and has not
 * committed. */
static PGconn *old_attempt(const char *uri, const char *attempt, bool claim)
{
    char sql[1024];
    PGconn *conn = postgres_connect(uri);
    snprintf(sql, sizeof(sql), "BEGIN; SET LOCAL application_name = '%s'", attempt);
    postgres_run(conn, sql);
    if (!claim)
        return conn;
    snprintf(sql, sizeof(sql),
        "INSERT INTO dag.claim SELECT '11111111-2222-4333-8444-555555555555', 'd',"
        " '2007-04-12 00:00:00+00', 't', -1, 0, '%s', txid_current(), false, now();"
        " INSERT INTO t VALUES (100)",
        attempt);
    postgres_run(conn, sql);
    return conn;
}

/* The ledger is made by the first connection: an attempt that does nothing. */
static void make_ledger(void)
{
    rig->generation = 99;
    rig_sql(rig, "select 1");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    rig->generation = 0;
}

TEST(a_database_that_ends_idle_transactions_at_once_does_not_keep_the_ledger_from_being_made)
{
    sql_begin("impatient");
    postgres_run(db, "ALTER DATABASE impatient SET idle_in_transaction_session_timeout = '1ms'");
    postgres_run(db, "ALTER DATABASE impatient SET default_transaction_read_only = on");
    make_ledger();
    CHECK_INT(postgres_number(db, "SELECT count(*) FROM dag.result"), 1);
    sql_finish();
}

static const char other[] = "0a0a0a0a-1111-4222-8333-444444444444";

TEST(a_claim_that_an_old_attempt_holds_is_waited_for_and_the_old_one_ended)
{
    sql_begin("competing");
    make_ledger();
    PGconn *old = old_attempt(rig->connection.uri, other, true);
    rig_sql(rig, "insert into t values (1)");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_SUCCESS);
    CHECK_INT(sql_rows(), 1);
    CHECK(contains(rig_log(rig, rig_last(rig)), "another attempt of this task has not ended"));
    CHECK(contains(rig_log(rig, rig_last(rig)), "still held the claim: pg_terminate_backend("));
    PQfinish(old);
    sql_finish();
}

static bool waits_for_claim(struct rig *r, void *user)
{
    (void)r, (void)user;
    return postgres_number(
               db, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'transactionid'") == 1;
}

TEST(a_session_that_is_no_attempt_is_never_terminated)
{
    sql_begin("bystander");
    make_ledger();
    PGconn *old = old_attempt(rig->connection.uri, "psql", true);
    rig_sql(rig, "insert into t values (1)");
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    CHECK(rig_until(rig, waits_for_claim, NULL, 10));
    CHECK(!rig_until(rig, sql_is_sleeping, &effect, 2)); /* that is: two seconds pass */
    CHECK_INT(PQstatus(old), CONNECTION_OK);
    postgres_run(old, "ROLLBACK");
    CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_SUCCESS);
    PQfinish(old);
    sql_finish();
}

TEST(recovery_ends_the_old_backend_and_lets_the_next_attempt_settle_it)
{
    sql_begin("recover");
    make_ledger();
    struct effect effect = sql_start_sleeping("insert into t values (1); select pg_sleep(60)");
    /* The daemon is gone, its session lives on: as when its machine was cut off. */
    PGconn *old = old_attempt(rig->connection.uri, other, false);
    struct effect stale = effect;
    memcpy(stale.attempt.text, other, sizeof(other));
    struct attempt_record record = rig_record(rig, &stale);
    executor_recover(rig->ex, &record, &rig->dag, &rig->run);
    struct attempt_result result = rig_wait(rig, &stale.attempt);
    CHECK_INT(result.outcome, OUTCOME_INTERRUPTED);
    CHECK(result.may_commit);
    CHECK_INT(sql_backends(&stale), 0);
    PQfinish(old);
    rig_cancel(rig, &effect, false);
    CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_CANCELLED);
    sql_finish();
}

TEST(recovery_of_an_attempt_that_had_committed_is_its_success)
{
    sql_begin("recovered");
    struct task *task = rig_sql(rig, "insert into t values (8) returning v");
    task->sql.result = RESULT_SCALAR;
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    struct effect effect = *rig_last(rig);
    rig->ends.count = 0;
    rig_restart(rig);
    struct attempt_record record = rig_record(rig, &effect);
    executor_recover(rig->ex, &record, NULL, &rig->run); /* even without its DAG: by its memo */
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_SUCCESS);
    CHECK_STR(result.xcom, "8");
    CHECK(!result.committed_before);
    sql_finish();
}

TEST(a_retry_goes_to_the_ledger_of_the_attempt_before_or_nowhere)
{
    sql_begin("pinned");
    rig_sql(rig, "insert into t select 1/0");
    CHECK_STR(rig_run(rig).sqlstate, "22012");
    rig_sql(rig, "insert into t values (1)");
    postgres_run(db, "UPDATE dag.ledger SET id = '0a0a0a0a-1111-4222-8333-444444444444'");
    struct effect effect = rig_effect(rig);
    effect.fresh_session = true;
    rig_restart(rig); /* sessions at rest still have the old id */
    rig_start(rig, &effect);
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK(contains(result.message, "leads to another database"));
    CHECK_INT(sql_rows(), 0);
    CHECK_INT(rig_void(rig, &effect).void_outcome, VOID_UNREACHABLE);
    sql_finish();
}

TEST(a_clear_voids_the_generation_before_first)
{
    sql_begin("clear");
    make_ledger();
    PGconn *old = old_attempt(rig->connection.uri, other, true);
    rig_sql(rig, "insert into t values (1)");
    rig->generation = 5;
    struct effect effect = rig_effect(rig);
    effect.void_before = true;
    effect.void_generation = 0;
    rig_start(rig, &effect);
    CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_SUCCESS);
    CHECK_INT(sql_rows(), 1);
    CHECK_INT(
        postgres_number(db, "SELECT count(*) FROM dag.claim WHERE void AND generation = 0"), 1);
    CHECK(contains(rig_log(rig, &effect), "the generation before can no longer commit"));
    PQfinish(old);
    sql_finish();
}

TEST(a_claim_without_result_is_partly_committed)
{
    sql_begin("partly");
    make_ledger();
    PGconn *old = old_attempt(rig->connection.uri, other, true);
    postgres_run(old, "COMMIT");
    PQfinish(old);
    rig_sql(rig, "insert into t values (1)");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_PARTLY);
    CHECK(contains(result.message, other));
    CHECK_INT(sql_rows(), 1); /* the old one's 100 */
    struct effect effect = *rig_last(rig);
    memcpy(effect.attempt.text, other, sizeof(other));
    struct attempt_record record = rig_record(rig, &effect);
    executor_recover(rig->ex, &record, &rig->dag, &rig->run);
    CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_PARTLY);
    sql_finish();
}

TEST(a_prepared_transaction_that_holds_the_claim_is_waited_for)
{
    sql_begin("prepared");
    make_ledger();
    PGconn *old = old_attempt(rig->connection.uri, other, true);
    postgres_run(old, "PREPARE TRANSACTION 'p'");
    PQfinish(old);
    rig_sql(rig, "insert into t values (1)");
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    CHECK(!rig_until(rig, sql_is_sleeping, &effect, 1));
    CHECK(contains(rig_log(rig, &effect), "a prepared transaction?"));
    postgres_run(db, "ROLLBACK PREPARED 'p'");
    CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_SUCCESS);
    CHECK_INT(sql_rows(), 1);
    sql_finish();
}
