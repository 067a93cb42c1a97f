/* SQL attempts against a server that answers from a script: never a hang, never a wrong success. */
#include "executor/limits.h"
#include "tests/unit/executor/script.h"
#include "tests/unit/executor/sql_cases.h"

#include "base/file.h"

enum wish { NOTHING, CANCEL, FORCE };

static void begin(void)
{
    script_reset();
    rig = rig_new(script_start());
    rig_sql(rig, "insert into t values (1)");
}

static bool has_come(struct rig *r, void *user)
{
    (void)r;
    return script_came(*(enum script_step *)user) > 0;
}

/* One attempt; with a wish, then while the server works on `step`. */
static struct attempt_result run(enum script_step step, enum wish wish)
{
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    if (wish) {
        CHECK(rig_until(rig, has_come, &step, 20));
        rig_cancel(rig, &effect, wish == FORCE);
    }
    return rig_wait(rig, &effect.attempt);
}

static const char *outcome_name(enum attempt_outcome outcome)
{
    static const char *const names[] = {[OUTCOME_SUCCESS] = "success",
        [OUTCOME_FAILED] = "failed",
        [OUTCOME_CANCELLED] = "cancelled",
        [OUTCOME_LOST] = "lost",
        [OUTCOME_PARTLY] = "partly",
        [OUTCOME_SUPERSEDED] = "superseded"};
    return (size_t)outcome < ARRAY_SIZE(names) && names[outcome] ? names[outcome] : "another";
}

static void check_outcome(
    const char *what, enum script_step step, enum attempt_outcome got, enum attempt_outcome want)
{
    if (!CHECK_INT(got, want))
        fprintf(stderr, "  %s at %s: %s instead of %s\n%s\n", what, script_step_name(step),
            outcome_name(got), outcome_name(want), rig_log(rig, rig_last(rig)));
}

/* ---- what every step may meet ---------------------------------------------------------------- */

/* A connection that ends, however it does. */
static const char *const losses[] = {
    "fin",
    "rst",
    "half;default",
    "E FATAL 57P01 terminating connection due to administrator command;fin",
    "E FATAL - terminating connection;fin",
    "E FATAL 57P02 terminating connection because of crash of another server process;rst",
    "E PANIC XX000 huge;fin",
    "N WARNING 57P02 terminating connection because of crash of another server process;fin",
    "!\a\a\a\a\a\a\a\a\a\a;fin",
    "!C\x7f\x7f\x7f\x7f;fin",
    "C INSERT 0 1;fin",
    "T 2;D 1|2;fin",
    "T 2;D 1;fin",
    "G;fin",
    "H;d 1;rst",
};

static const enum script_step steps[] = {SCRIPT_CONNECT, SCRIPT_FACTS, SCRIPT_LEDGER, SCRIPT_BEGIN,
    SCRIPT_CLAIM, SCRIPT_STATEMENT, SCRIPT_CLOSE, SCRIPT_COMMIT};

TEST(a_connection_that_ends_in_any_way_at_any_step_is_a_failure_or_in_doubt_but_no_success)
{
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        for (size_t k = 0; k < ARRAY_SIZE(losses); k++) {
            begin();
            script_set(steps[i], losses[k]);
            struct attempt_result result = run(steps[i], NOTHING);
            bool commit = steps[i] == SCRIPT_COMMIT;
            check_outcome(
                losses[k], steps[i], result.outcome, commit ? OUTCOME_LOST : OUTCOME_FAILED);
            CHECK_INT(result.may_commit, commit);
            if (!commit)
                CHECK_INT(result.error_class, CLASS_CONNECT);
            CHECK_INT(rig->ends.count, 1);
            rig_free(rig);
        }
    }
}

/* ---- what no step minds ---------------------------------------------------------------------- */

static const char *const harmless[] = {
    "N3000 NOTICE 00000 again and again;default",
    "N - - ;default",
    "N WARNING 01000 huge;default",
    "S TimeZone=Mars/Olympus;default",
    "S standard_conforming_strings=off;default",
    "A100;default",
};

TEST(notices_parameters_and_notifications_at_any_step_change_nothing)
{
    for (size_t i = 1; i < ARRAY_SIZE(steps); i++) { /* from the facts on */
        begin();
        for (size_t k = 0; k < ARRAY_SIZE(harmless); k++) {
            rig->generation++;
            script_set(steps[i], harmless[k]);
            check_outcome(harmless[k], steps[i], run(steps[i], NOTHING).outcome, OUTCOME_SUCCESS);
        }
        rig_free(rig);
    }
}

TEST(packets_of_two_bytes_are_read_as_well)
{
    begin();
    script_chop(2);
    CHECK_INT(run(SCRIPT_COMMIT, NOTHING).outcome, OUTCOME_SUCCESS);
    script_set(SCRIPT_STATEMENT, "E ERROR 22012 division by zero;Z E");
    rig->generation++;
    struct attempt_result result = run(SCRIPT_COMMIT, NOTHING);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_STR(result.sqlstate, "22012");
    rig_free(rig);
}

TEST(attempts_in_a_row_share_one_connection_though_it_is_cleaned_between_them)
{
    begin();
    for (int i = 0; i < 5; i++) {
        rig->generation++;
        CHECK_INT(run(SCRIPT_COMMIT, NOTHING).outcome, OUTCOME_SUCCESS);
    }
    CHECK_INT(script_came(SCRIPT_CONNECT), 1);
    rig_free(rig);
}

TEST(a_notification_or_notice_between_two_attempts_does_not_harm_the_session)
{
    begin();
    script_set(SCRIPT_DISCARD, "default;N WARNING 01000 late;A;S TimeZone=UTC");
    for (int i = 0; i < 3; i++) {
        rig->generation++;
        CHECK_INT(run(SCRIPT_COMMIT, NOTHING).outcome, OUTCOME_SUCCESS);
    }
    rig_free(rig);
}

/* ---- what a step must not believe ------------------------------------------------------------ */

/* ROW(step, what it is answered, how the attempt ends, a part of what it says or NULL) */
static const struct row {
    enum script_step step;
    const char *messages;
    enum attempt_outcome outcome;
    const char *says;
} rows[] = {
    /* The server's facts. */
    {SCRIPT_FACTS, "T 4;C SELECT 0;Z I", OUTCOME_FAILED, "cannot connect to `db`"},
    {SCRIPT_FACTS, "C SELECT 1;Z I", OUTCOME_FAILED, "cannot connect to `db`"},
    {SCRIPT_FACTS, "T 1;D PostgreSQL 15;C SELECT 1;Z I", OUTCOME_FAILED, "cannot connect to `db`"},
    {SCRIPT_FACTS, "T 4;D ~|~|~|~;C SELECT 1;Z I", OUTCOME_FAILED, "cannot connect to `db`"},
    {SCRIPT_FACTS, "T 4;D PostgreSQL 15.4|1|2026-01-01|f;C SELECT 1;Z I", OUTCOME_FAILED,
        "goes through a pooler"},
    {SCRIPT_FACTS, "I;Z I", OUTCOME_FAILED, "cannot connect to `db`"},
    {SCRIPT_FACTS, "G;E ERROR 57014 COPY failed;Z I", OUTCOME_FAILED, NULL},
    {SCRIPT_FACTS, "H;d 1;c;C COPY 1;Z I", OUTCOME_FAILED, NULL},
    {SCRIPT_FACTS, "E ERROR - no code;Z I", OUTCOME_FAILED, "no code"},
    {SCRIPT_LEDGER, "T 2;C SELECT 0;Z I", OUTCOME_FAILED, "has no valid id"},
    {SCRIPT_LEDGER, "T 2;D not-an-id|1;C SELECT 1;Z I", OUTCOME_FAILED, "has no valid id"},
    {SCRIPT_LEDGER, "T 1;D ~;C SELECT 1;Z I", OUTCOME_FAILED, "has no valid id"},
    {SCRIPT_LEDGER, "T 2;D 0a0a0a0a-1111-4222-8333-444444444444|99;C SELECT 1;Z I", OUTCOME_FAILED,
        "newer dag"},
    {SCRIPT_LEDGER, "C SELECT 1;Z I", OUTCOME_FAILED, "has no valid id"},

    /* A transaction that did not begin: nothing has run, nothing is claimed. */
    {SCRIPT_BEGIN, "C BEGIN;C SET;T 1;D 777;C SELECT 1;Z I", OUTCOME_FAILED, "no transaction"},
    {SCRIPT_BEGIN, "C BEGIN;C SET;T 1;D 777;C SELECT 1;Z E", OUTCOME_FAILED, NULL},
    {SCRIPT_BEGIN, "C BEGIN;C SET;T 1;D 777;C SELECT 1;Z x", OUTCOME_FAILED, NULL},
    {SCRIPT_BEGIN, "C BEGIN;Z T", OUTCOME_FAILED, "number"},
    {SCRIPT_BEGIN, "C BEGIN;T 1;D ~;C SELECT 1;Z T", OUTCOME_FAILED, "number"},
    {SCRIPT_BEGIN, "C BEGIN;T 0;D ;C SELECT 1;Z T", OUTCOME_FAILED, "number"},
    {SCRIPT_BEGIN, "C BEGIN;T 1;D seven;C SELECT 1;Z T", OUTCOME_FAILED, "number"},
    {SCRIPT_BEGIN, "H;d 1;c;C COPY 1;Z T", OUTCOME_FAILED, NULL},
    {SCRIPT_BEGIN, "G;E ERROR 57014 COPY failed;Z E", OUTCOME_FAILED, NULL},
    {SCRIPT_BEGIN, "I;Z T", OUTCOME_FAILED, NULL},
    {SCRIPT_BEGIN, "E ERROR - no code;Z I", OUTCOME_FAILED, "no code"},
    {SCRIPT_BEGIN, "E ERROR 25006 huge;Z I", OUTCOME_FAILED, "xxx"},

    /* A claim that is not in. */
    {SCRIPT_CLAIM, "C INSERT 0 0;Z T", OUTCOME_FAILED, "claim"},
    {SCRIPT_CLAIM, "C INSERT 0 2;Z T", OUTCOME_FAILED, "claim"},
    {SCRIPT_CLAIM, "C UPDATE 1;Z T", OUTCOME_FAILED, "claim"},
    {SCRIPT_CLAIM, "C ;Z T", OUTCOME_FAILED, "claim"},
    {SCRIPT_CLAIM, "I;Z T", OUTCOME_FAILED, "claim"},
    {SCRIPT_CLAIM, "H;d 1;c;C COPY 1;Z T", OUTCOME_FAILED, "claim"},
    {SCRIPT_CLAIM, "G;C COPY 1;Z T", OUTCOME_FAILED, "claim"},
    {SCRIPT_CLAIM, "W;c;C COPY 1;Z T", OUTCOME_FAILED, NULL},
    {SCRIPT_CLAIM, "C INSERT 0 1;Z I", OUTCOME_LOST, NULL},
    {SCRIPT_CLAIM, "C INSERT 0 1;Z E", OUTCOME_FAILED, NULL},
    {SCRIPT_CLAIM, "E ERROR - no code;Z E", OUTCOME_FAILED, "no code"},
    {SCRIPT_CLAIM, "E ERROR 42P01 relation does not exist;Z E", OUTCOME_FAILED, "relation"},
    /* Somebody else's: as the ledger's row says (here: without a result). */
    {SCRIPT_CLAIM, "E ERROR 23505 duplicate key;Z E", OUTCOME_PARTLY, "partly committed"},
    {SCRIPT_CLAIM, "E ERROR 23505 duplicate key;Z I", OUTCOME_PARTLY, "partly committed"},

    /* The claim is in, the settings behind it are not. */
    {SCRIPT_CLAIM, "C INSERT 0 1;C SET;Z I", OUTCOME_LOST, NULL},
    {SCRIPT_CLAIM, "C INSERT 0 1;C SET;Z E", OUTCOME_FAILED, NULL},
    {SCRIPT_CLAIM, "C INSERT 0 1;E ERROR 42704 unrecognized;Z E", OUTCOME_FAILED, "settings"},
    {SCRIPT_CLAIM, "C INSERT 0 1;E ERROR 23505 no claim of ours;Z E", OUTCOME_FAILED, "settings"},
    {SCRIPT_CLAIM, "C INSERT 0 1;H;d 1;c;C COPY 1;Z T", OUTCOME_SUCCESS, NULL},

    {SCRIPT_STATEMENT, "C COMMIT;Z T", OUTCOME_PARTLY, NULL},
    {SCRIPT_STATEMENT, "C INSERT 0 1;Z I", OUTCOME_PARTLY, NULL},
    {SCRIPT_STATEMENT, "C ROLLBACK;Z I", OUTCOME_FAILED, NULL},
    {SCRIPT_STATEMENT, "C INSERT 0 1;C INSERT 0 2;Z T", OUTCOME_SUCCESS, NULL},
    {SCRIPT_STATEMENT, "C INSERT 0 99999999999999999999999;Z T", OUTCOME_SUCCESS, NULL},
    {SCRIPT_STATEMENT, "C ;Z T", OUTCOME_SUCCESS, NULL},
    {SCRIPT_STATEMENT, "T 1;D100000 x;C SELECT 100000;Z T", OUTCOME_SUCCESS, NULL},
    {SCRIPT_STATEMENT, "T 0;D1000 ;C SELECT 1000;Z T", OUTCOME_SUCCESS, NULL},
    {SCRIPT_STATEMENT, "H;d1000 line;c;C COPY 1000;Z T", OUTCOME_SUCCESS, NULL},
    {SCRIPT_STATEMENT, "G;E ERROR 57014 COPY failed;Z E", OUTCOME_FAILED, "COPY"},
    {SCRIPT_STATEMENT, "E ERROR - no code;Z E", OUTCOME_FAILED, "no code"},
    {SCRIPT_STATEMENT, "E ERROR 22012 ;Z E", OUTCOME_FAILED, NULL},
    {SCRIPT_STATEMENT, "E ERROR 22012 huge;Z E", OUTCOME_FAILED, "xxx"},
    {SCRIPT_STATEMENT, "E ERROR 22012 first;E ERROR 22003 second;Z E", OUTCOME_FAILED, "first"},
    {SCRIPT_STATEMENT, "E ERROR 22012 an error and no aborted transaction;Z T", OUTCOME_FAILED,
        "an error"},
    {SCRIPT_STATEMENT, "E ERROR 22012 an error and no transaction;Z I", OUTCOME_FAILED, "an error"},

    {SCRIPT_CLOSE, "C SET CONSTRAINTS;T 1;D 778;C SELECT 1;Z T", OUTCOME_PARTLY, "transaction"},
    {SCRIPT_CLOSE, "C SET CONSTRAINTS;Z T", OUTCOME_PARTLY, "transaction"},
    {SCRIPT_CLOSE, "C SET CONSTRAINTS;T 1;D 777;C SELECT 1;Z I", OUTCOME_LOST, NULL},
    {SCRIPT_CLOSE, "C SET CONSTRAINTS;T 1;D 777;C SELECT 1;Z E", OUTCOME_FAILED, NULL},
    {SCRIPT_CLOSE, "E ERROR 23503 violates foreign key;Z E", OUTCOME_FAILED, "foreign key"},

    /* The result that COMMIT stands behind. */
    {SCRIPT_COMMIT, "C INSERT 0 0;C COMMIT;Z I", OUTCOME_PARTLY, "the result is not in"},
    {SCRIPT_COMMIT, "C INSERT 0 2;C COMMIT;Z I", OUTCOME_PARTLY, "the result is not in"},
    {SCRIPT_COMMIT, "C ;C COMMIT;Z I", OUTCOME_PARTLY, "the result is not in"},
    {SCRIPT_COMMIT, "C COMMIT;Z I", OUTCOME_PARTLY, "the result is not in"},
    {SCRIPT_COMMIT, "E ERROR 23502 no claim;Z E", OUTCOME_PARTLY, "ended the transaction"},
    {SCRIPT_COMMIT, "E ERROR 23505 duplicate key;Z E", OUTCOME_FAILED, "duplicate key"},
    {SCRIPT_COMMIT, "E ERROR 42P01 no such table;Z E", OUTCOME_FAILED, "writing the result"},
    {SCRIPT_COMMIT, "C INSERT 0 1;Z E", OUTCOME_LOST, NULL},
    {SCRIPT_COMMIT, "C INSERT 0 1;Z T", OUTCOME_LOST, NULL},

    /* COMMIT: success only on its tag with no transaction left; what the server rolled back has
       failed; anything else is in doubt. */
    {SCRIPT_COMMIT, "C INSERT 0 1;C ROLLBACK;Z I", OUTCOME_FAILED, "rolled the transaction back"},
    {SCRIPT_COMMIT, "C INSERT 0 1;C COMMIT;Z T", OUTCOME_LOST, NULL},
    {SCRIPT_COMMIT, "C INSERT 0 1;C COMMIT;Z E", OUTCOME_LOST, NULL},
    {SCRIPT_COMMIT, "C INSERT 0 1;C COMMIT;Z x", OUTCOME_LOST, NULL},
    {SCRIPT_COMMIT, "C INSERT 0 1;Z I", OUTCOME_LOST, NULL},
    {SCRIPT_COMMIT, "C INSERT 0 1;C ;Z I", OUTCOME_LOST, NULL},
    {SCRIPT_COMMIT, "Z I", OUTCOME_LOST, NULL},
    {SCRIPT_COMMIT, "C INSERT 0 1;I;Z I", OUTCOME_LOST, NULL},
    {SCRIPT_COMMIT, "C INSERT 0 1;E ERROR 40001 could not serialize access;Z I", OUTCOME_FAILED,
        "serialize"},
    {SCRIPT_COMMIT, "C INSERT 0 1;E ERROR 40003 statement completion unknown;Z I", OUTCOME_LOST,
        NULL},
    {SCRIPT_COMMIT, "C INSERT 0 1;E ERROR 08007 transaction resolution unknown;Z I", OUTCOME_LOST,
        NULL},
    {SCRIPT_COMMIT, "C INSERT 0 1;E ERROR - no code;Z I", OUTCOME_LOST, NULL},
    {SCRIPT_COMMIT, "E ERROR - no code;Z E", OUTCOME_LOST, NULL},
    {SCRIPT_COMMIT, "C INSERT 0 1;H;d 1;c;C COPY 1;Z I", OUTCOME_LOST, NULL},
    {SCRIPT_COMMIT,
        "C INSERT 0 1;N WARNING 01000 canceling wait for synchronous replication;C COMMIT;Z I",
        OUTCOME_SUCCESS, NULL},
};

TEST(no_answer_that_a_server_should_not_give_is_taken_for_a_success)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        begin();
        script_set(rows[i].step, rows[i].messages);
        struct attempt_result result = run(rows[i].step, NOTHING);
        check_outcome(rows[i].messages, rows[i].step, result.outcome, rows[i].outcome);
        CHECK_INT(result.may_commit, rows[i].outcome == OUTCOME_LOST);
        CHECK(!rows[i].says || contains(result.message, rows[i].says));
        CHECK_INT(rig->ends.count, 1);
        rig_free(rig);
    }
}

/* ---- COPY with a file ------------------------------------------------------------------------ */

static const struct copy_row {
    const char *sql, *messages;
    enum attempt_outcome outcome;
    const char *says;
} copy_rows[] = {
    {"copy t to stdout", "H;d 1;c;C COPY 1;Z T", OUTCOME_SUCCESS, NULL},
    {"copy t to stdout", "H;c;C COPY 0;Z T", OUTCOME_SUCCESS, NULL},
    {"copy t to stdout", "N NOTICE 00000 before;H;N100 NOTICE 00000 within;d5000 1;c;C COPY 1;Z T",
        OUTCOME_SUCCESS, NULL},
    {"copy t to stdout", "H;d 1;E ERROR 22012 division by zero;Z E", OUTCOME_FAILED, "division"},
    {"copy t to stdout", "H;d 1;c;E ERROR 22012 division by zero;Z E", OUTCOME_FAILED, "division"},
    {"copy t to stdout", "H;d 1;fin", OUTCOME_FAILED, NULL},
    {"copy t to stdout", "H;d 1;half;d 2;rst", OUTCOME_FAILED, NULL},
    {"copy t to stdout", "H;d 1;c;C COPY 1;Z E", OUTCOME_PARTLY, "transaction"},
    {"copy t to stdout", "C INSERT 0 1;Z T", OUTCOME_FAILED, "did not take or give"},
    {"copy t to stdout", "G;E ERROR 57014 COPY failed;Z E", OUTCOME_FAILED, "COPY failed"},
    {"copy t from stdin", "G;C COPY 1;Z T", OUTCOME_SUCCESS, NULL},
    {"copy t from stdin", "G;E ERROR 22P02 invalid input;Z E", OUTCOME_FAILED, "`in`: invalid"},
    {"copy t from stdin", "G;fin", OUTCOME_FAILED, NULL},
    {"copy t from stdin", "C INSERT 0 1;Z T", OUTCOME_FAILED, "did not take or give"},
    {"copy t from stdin", "H;d 1;c;C COPY 1;Z T", OUTCOME_FAILED, "did not take or give"},
};

TEST(a_copy_is_a_success_only_when_all_of_its_file_went_over)
{
    static const struct text in = {.value = "in"}, out = {.value = "out"};
    for (size_t i = 0; i < ARRAY_SIZE(copy_rows); i++) {
        begin();
        const char *path = path_join(rig->arena, rig->dir, "in");
        REQUIRE(file_write(path, slice_of("1\n"), 0600, false, NULL) == OK);
        struct task *task = rig_sql(rig, copy_rows[i].sql);
        bool from = strstr(copy_rows[i].sql, "from");
        *(from ? &task->sql.copy_from : &task->sql.copy_to) = (struct texts){from ? &in : &out, 1};
        script_set(SCRIPT_STATEMENT, copy_rows[i].messages);
        struct attempt_result result = run(SCRIPT_STATEMENT, NOTHING);
        check_outcome(
            copy_rows[i].messages, SCRIPT_STATEMENT, result.outcome, copy_rows[i].outcome);
        CHECK(!copy_rows[i].says || contains(result.message, copy_rows[i].says));
        CHECK_INT(file_exists(path_join(rig->arena, rig->dir, "out")),
            !from && copy_rows[i].outcome == OUTCOME_SUCCESS);
        rig_free(rig);
    }
}

/* ---- the claim that somebody else has -------------------------------------------------------- */

#define OTHER "0a0a0a0a-1111-4222-8333-444444444444"

static const struct read_row {
    const char *rollback, *read;
    enum attempt_outcome outcome;
} read_rows[] = {
    {"default", "default", OUTCOME_PARTLY},
    {"default", "T 3;D " OTHER "|t|~;C SELECT 1;Z I", OUTCOME_SUPERSEDED},
    {"default", "T 3;D " OTHER "|f|{\"started_us\":1,\"ended_us\":2};C SELECT 1;Z I",
        OUTCOME_SUCCESS},
    {"default", "T 3;D " OTHER "|f|not a result;C SELECT 1;Z I", OUTCOME_PARTLY},
    {"default", "T 3;C SELECT 0;Z I", OUTCOME_FAILED},
    {"default", "T 1;D f;C SELECT 1;Z I", OUTCOME_FAILED},
    {"default", "C SELECT 1;Z I", OUTCOME_FAILED},
    {"default", "E ERROR 42501 permission denied;Z I", OUTCOME_FAILED},
    {"default", "E ERROR 42501 permission denied;Z E", OUTCOME_FAILED},
    {"default", "fin", OUTCOME_FAILED},
    {"C ROLLBACK;Z E", "default", OUTCOME_FAILED},
    {"E ERROR XX000 no rollback;Z E", "default", OUTCOME_FAILED},
    {"E ERROR XX000 no rollback;Z T", "default", OUTCOME_FAILED},
    {"fin", "default", OUTCOME_FAILED},
};

TEST(whose_claim_is_there_is_read_whatever_the_server_says)
{
    for (size_t i = 0; i < ARRAY_SIZE(read_rows); i++) {
        begin();
        script_set(SCRIPT_CLAIM, "E ERROR 23505 duplicate key;Z E");
        script_set(SCRIPT_ROLLBACK, read_rows[i].rollback);
        script_set(SCRIPT_READ, read_rows[i].read);
        struct attempt_result result = run(SCRIPT_READ, NOTHING);
        check_outcome(read_rows[i].read, SCRIPT_READ, result.outcome, read_rows[i].outcome);
        CHECK(script_came(SCRIPT_READ) <= 1);
        CHECK(script_came(SCRIPT_ROLLBACK) <= 2);
        CHECK_INT(script_came(SCRIPT_COMMIT), 0);
        rig_free(rig);
    }
}

/* ---- no answer ------------------------------------------------------------------------------- */

TEST(a_server_that_says_nothing_more_at_any_step_is_left_by_force)
{
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        begin();
        script_set(steps[i], "hang");
        struct attempt_result result = run(steps[i], FORCE);
        check_outcome("hang", steps[i], result.outcome, OUTCOME_CANCELLED);
        CHECK_INT(result.may_commit, steps[i] == SCRIPT_COMMIT);
        rig_free(rig);
    }
}

TEST(a_cancel_that_the_server_heeds_ends_it_at_any_step)
{
    for (size_t i = 3; i < ARRAY_SIZE(steps); i++) { /* from BEGIN on */
        begin();
        script_set(steps[i], steps[i] == SCRIPT_BEGIN
                                 ? "wait;E ERROR 57014 canceling statement;Z I"
                                 : "wait;E ERROR 57014 canceling statement;Z E");
        struct attempt_result result = run(steps[i], CANCEL);
        check_outcome("wait", steps[i], result.outcome, OUTCOME_CANCELLED);
        CHECK(!result.may_commit);
        CHECK_INT(script_cancels(), 1);
        rig_free(rig);
    }
}

TEST(a_commit_that_the_server_calls_off_is_cancelled)
{
    begin();
    script_set(SCRIPT_COMMIT, "wait;C INSERT 0 1;E ERROR 57014 canceling statement;Z I");
    struct attempt_result result = run(SCRIPT_COMMIT, CANCEL);
    CHECK_INT(result.outcome, OUTCOME_CANCELLED);
    CHECK(!result.may_commit);
    rig_free(rig);
}

TEST(a_cancel_that_comes_too_late_for_the_commit_is_a_success)
{
    begin();
    script_set(SCRIPT_COMMIT, "wait;default");
    CHECK_INT(run(SCRIPT_COMMIT, CANCEL).outcome, OUTCOME_SUCCESS);
    rig_free(rig);
}

TEST(a_cancel_that_the_server_does_not_heed_is_confirmed_from_another_connection)
{
    begin();
    script_set(SCRIPT_STATEMENT, "hang");
    struct attempt_result result = run(SCRIPT_STATEMENT, CANCEL);
    CHECK_INT(result.outcome, OUTCOME_CANCELLED);
    CHECK_INT(script_came(SCRIPT_TERMINATE), 1);
    CHECK(script_came(SCRIPT_GONE) > 0);
    CHECK(contains(rig_log(rig, rig_last(rig)), "the backend is gone"));
    rig_free(rig);
}
