/* Connections that break around BEGIN and COMMIT, and ones that never come. */
#include "tests/unit/executor/proxy.h"
#include "tests/unit/executor/sql_cases.h"

#include "executor/limits.h"

static void begin(const char *name)
{
    proxy_set(PROXY_PASS);
    sql_begin(name);
    rig->connection.uri = arena_strdup(rig->arena, proxy_start(name));
    /* The first connection makes the ledger: with a COMMIT of its own. */
    rig->generation = 99;
    rig_sql(rig, "select 1");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    rig->generation = 0;
    rig_sql(rig, "insert into t values (1)");
}

TEST(a_loss_after_commit_was_sent_is_settled_by_the_next_attempt_as_committed)
{
    begin("lostafter");
    int before = proxy_commits();
    proxy_set(PROXY_DROP_AFTER_COMMIT);
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_LOST);
    CHECK(result.may_commit);
    CHECK_INT(proxy_commits(), before + 1);
    CHECK_INT(sql_rows(), 1);
    struct effect lost = *rig_last(rig);
    proxy_set(PROXY_PASS);
    struct attempt_result next = rig_run(rig);
    CHECK_INT(next.outcome, OUTCOME_SUCCESS);
    CHECK(next.committed_before);
    CHECK_INT(sql_rows(), 1);
    CHECK_STR(postgres_value(db, "SELECT attempt FROM dag.result WHERE generation = 0"),
        lost.attempt.text);
    sql_finish();
}

TEST(a_loss_before_the_server_saw_commit_is_settled_by_the_next_attempt_as_undone)
{
    begin("lostbefore");
    proxy_set(PROXY_DROP_BEFORE_COMMIT);
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_LOST);
    CHECK(result.may_commit);
    CHECK_INT(sql_rows(), 0);
    proxy_set(PROXY_PASS);
    struct attempt_result next = rig_run(rig);
    CHECK_INT(next.outcome, OUTCOME_SUCCESS);
    CHECK(!next.committed_before);
    CHECK_INT(sql_rows(), 1);
    sql_finish();
}

TEST(a_void_settles_a_lost_attempt_either_way)
{
    begin("lostvoid");
    proxy_set(PROXY_DROP_AFTER_COMMIT);
    CHECK_INT(rig_run(rig).outcome, OUTCOME_LOST);
    proxy_set(PROXY_PASS);
    CHECK_INT(rig_void(rig, rig_last(rig)).void_outcome, VOID_COMMITTED);
    rig->generation = 1;
    proxy_set(PROXY_DROP_BEFORE_COMMIT);
    CHECK_INT(rig_run(rig).outcome, OUTCOME_LOST);
    proxy_set(PROXY_PASS);
    CHECK_INT(rig_void(rig, rig_last(rig)).void_outcome, VOID_INSERTED);
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUPERSEDED);
    CHECK_INT(sql_rows(), 1);
    sql_finish();
}

TEST(a_session_that_was_cut_off_unseen_is_left_for_a_new_one)
{
    begin("lostrest");
    int before = proxy_connections();
    proxy_set(PROXY_DROP_BEGIN);
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK(proxy_connections() > before);
    CHECK_INT(sql_rows(), 1);
    sql_finish();
}

TEST(a_begin_that_times_out_is_tried_once_more_and_no_oftener)
{
    begin("lostbegin");
    proxy_set(PROXY_TIME_OUT_BEGIN);
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_STR(result.sqlstate, "57014");
    proxy_set(PROXY_PASS);
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK_INT(sql_rows(), 1);
    sql_finish();
}

static bool has_commit(struct rig *r, void *before)
{
    (void)r;
    return proxy_commits() > *(int *)before;
}

TEST(a_forced_cancel_after_commit_was_sent_says_that_it_may_commit)
{
    begin("hang");
    int before = proxy_commits();
    proxy_set(PROXY_HANG_AFTER_COMMIT);
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    REQUIRE(rig_until(rig, has_commit, &before, 10));
    rig_cancel(rig, &effect, false);
    rig_cancel(rig, &effect, true);
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_CANCELLED);
    CHECK(result.may_commit);
    proxy_set(PROXY_PASS);
    CHECK_INT(rig_void(rig, &effect).void_outcome, VOID_COMMITTED);
    sql_finish();
}

TEST(without_a_ledger_a_loss_after_commit_is_never_retried_by_itself)
{
    begin("lostplain");
    rig->connection.ledger = false;
    proxy_set(PROXY_DROP_AFTER_COMMIT);
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_PARTLY);
    CHECK(contains(result.message, "without a ledger"));
    struct effect effect = *rig_last(rig);
    rig->ends.count = 0;
    proxy_set(PROXY_PASS);
    struct attempt_record record = rig_record(rig, &effect);
    executor_recover(rig->ex, &record, &rig->dag, &rig->run);
    CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_PARTLY);
    sql_finish();
}

TEST(a_pooler_in_between_is_refused)
{
    begin("pooler");
    rig_restart(rig); /* no session is left */
    proxy_set(PROXY_LIE_ABOUT_PID);
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_INT(result.error_class, CLASS_CONNECT);
    CHECK(contains(result.message, "goes through a pooler"));
    CHECK_INT(sql_rows(), 0);
    sql_finish();
}

TEST(a_server_that_never_answers_is_given_up_after_the_deadline)
{
    begin("silent");
    rig_restart(rig);
    proxy_set(PROXY_HANG);
    int64_t before = clock_now().mono_us;
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_INT(result.error_class, CLASS_CONNECT);
    CHECK(contains(result.message, "cannot connect to `db`"));
    CHECK(clock_now().mono_us - before < 4 * CONNECT_DEADLINE_MS * US_PER_MS);
    proxy_set(PROXY_PASS);
    /* A spare connection that was begun while the server was silent may be given up a little later.
     */
    for (int tries = 0; tries < 4 && result.outcome != OUTCOME_SUCCESS; tries++)
        result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_SUCCESS);
    sql_finish();
}
