/*
 * A SQL attempt under way (ARCHITECTURE, "SQL tasks: exactly once"; docs/exactly-once.md).
 *
 * sql.c takes it from start to end, sql_protocol.c has the steps on its connection, sql_fail.c says
 * how they go wrong, sql_cancel.c ends it on request, sql_text.c makes the texts that are ours,
 * sql_report.c says what happened, sql_clean.c judges whether the session can be used again,
 * sql_check.h has the checks, sql_copy.c the files of COPY.
 */
#ifndef EXECUTOR_OPERATORS_SQL_ATTEMPT_H
#define EXECUTOR_OPERATORS_SQL_ATTEMPT_H

#include "base/vec.h"
#include "executor/attempt.h"
#include "executor/copy_file.h"
#include "executor/operators/sql_check.h"
#include "executor/target/settle.h"
#include "executor/target/sql_error.h"
#include "language/sql/copy.h"
#include "language/sql/split.h"

/* What is under way on the connection. */
enum sql_step {
    SQL_STEP_NONE,
    SQL_STEP_BEGIN,    /* BEGIN, timeouts off, the transaction's number */
    SQL_STEP_CLAIM,    /* INSERT of the claim: may wait; then the settings */
    SQL_STEP_SETTINGS, /* the connection's and the task's settings, where no claim goes before */
    SQL_STEP_STATEMENT,
    SQL_STEP_CHECK,  /* a query of `checks` */
    SQL_STEP_CLOSE,  /* constraints checked, settings taken back, the transaction's number again */
    SQL_STEP_RESULT, /* INSERT of the result, without a transaction */
    SQL_STEP_COMMIT, /* INSERT of the result, COMMIT */
    SQL_STEP_ROLLBACK,
    SQL_STEP_READ, /* whose claim it is that was there first */
    SQL_STEP_COUNT
};

struct sql_done_statement {
    uint32_t line; /* of the template, 0 = not known */
    const char *file;
    const char *tag;
    int64_t rows; /* -1 = no count */
    int64_t took_us;
};

/* A table that the transaction locked. */
struct sql_touched {
    const char *table; /* "schema.table" */
    bool written;      /* changed, or its definition; else read */
};

/* A COPY with the client, and its file. */
struct sql_copy {
    enum sql_copy_way way;
    size_t statement;
    struct copy_file *file;
};
struct place_job;

struct sql_attempt;

/* Who gets the rows of a text that only reads (query.h): its transaction is READ ONLY, without
   ledger, and rolled back.  `ended`: all rows were given and the transaction is over. */
struct sql_reader {
    void (*row)(struct sql_attempt *s, const PGresult *row);
    void (*ended)(struct sql_attempt *s);
};

struct sql_attempt {
    struct attempt *attempt;
    const struct sql_task *task;
    const struct sql_reader *reader; /* NULL: a SQL task */
    const char *field;               /* the rendered field that is the text */
    bool ledger;                     /* claim and result are written */
    const struct connection *connection;
    const struct rendered *sql;
    struct sql_statements statements;
    size_t at;        /* which runs */
    const char *file; /* where it begins in the user's template; NULL = not known */
    uint32_t line;
    struct sql_checks checks;
    struct ledger_key key;

    struct target *target;
    struct acquire *acquire;
    struct session *session;
    enum sql_step step;
    int64_t txid, txid_at_end; /* of the transaction, as read at its beginning and at its end */
    int64_t began_us;          /* of the step, monotonic */
    bool commit_sent;          /* COMMIT, or without a transaction the result, is on its way */
    bool begun_again;          /* the session that it first had was of no use any more */
    bool ran;                  /* without a transaction: a statement was sent, and may have run */
    bool claimed;              /* without a transaction: the claim is committed */
    bool clean;                /* the session may be used again */
    bool claim_won;            /* ours is in */
    bool claim_taken;          /* somebody else's claim is there: read it after the rollback */

    struct sql_copy *copies; /* in the order of the text */
    size_t copy_count, copies_checked;
    struct sql_copy *copy;     /* under way */
    bool copy_ended;           /* TO STDOUT: all has come */
    const char *copy_failed;   /* its file could not be read or written: the statement fails */
    bool copy_missing;         /* because there is none */
    struct place_job *placing; /* committed: what was written takes its place */

    bool rows_enough;         /* the rest was called off; the statement is done all the same */
    const char *rows_refused; /* why the rows that came are not wanted: the statement fails */

    bool failed; /* `failure` is what the attempt ends with after the rollback */
    struct attempt_result failure;

    VEC(struct sql_done_statement) done; /* at most ATTEMPT_STATEMENTS_KEPT */
    size_t done_count;
    VEC(struct sql_touched) touched;
    unsigned notices;      /* of the running statement */
    struct strbuf xcom;    /* JSON of the rows wanted so far */
    size_t xcom_statement; /* 1 + index of the statement they are of; 0 = none */
    size_t xcom_rows;
    const char *xcom_refused; /* why they cannot be the XCom; a later result may be it */

    struct timer *claim_timer;
    uint64_t claim_pause_ms;
    struct timer *cancel_timer;
    bool cancel_sent;
    struct cancelling *cancelling;
    struct settle *settle; /* the job under way, NULL = none */
};

/* ---- sql.c ---- */

/* Fills a zeroed one. */
void sql_init(struct sql_attempt *s, struct attempt *attempt, const struct sql_task *task);
/* Both end the attempt and give false when there is none, or none that may be sent. */
bool sql_find_connection(struct sql_attempt *s);
bool sql_read_text(struct sql_attempt *s);
/* The generation before is voided where it must be; then a session, and it begins. */
void sql_act(struct sql_attempt *s);
/* Gets a session and begins. */
void sql_acquire(struct sql_attempt *s);
/* Its session turned out to be of no use before anything was sent but BEGIN: on to a fresh one,
   once. False: it was tried already. */
bool sql_begin_again(struct sql_attempt *s, const char *why);
/* Whether the session may be used again when all goes well, by what its target knows. */
bool sql_stays_clean(const struct sql_attempt *s);
/* Ends it on request; the operator's `cancel`. */
void sql_stop(struct sql_attempt *s, bool force);
/* Gives the session back, stops all that is under way.  Any number of times. */
void sql_release(struct sql_attempt *s);

/* Ends it; gives the session back or closes it. */
void sql_end(struct sql_attempt *s, const struct attempt_result *result);
void sql_end_error(struct sql_attempt *s, enum error_class class, const struct error *err);

/* ---- sql_protocol.c ---- */

/* Begins on the session that was acquired. */
void sql_protocol_begin(struct sql_attempt *s);
/* The rows that come are not wanted, too many for one: the statement is called off and fails. */
void sql_refuse_rows(struct sql_attempt *s, const char *message);
/* No further rows are wanted: the statement is called off, and is done. */
void sql_enough_rows(struct sql_attempt *s);
/* Sends what a step sends. */
void sql_protocol_go(struct sql_attempt *s, enum sql_step step);

/* ---- sql_fail.c ---- */

/* Ends the transaction, then the attempt with `failure`. */
void sql_fail(struct sql_attempt *s, const struct attempt_result *failure);
void sql_fail_cancelled(struct sql_attempt *s);
/* The server refused a text that is ours. */
void sql_fail_error(struct sql_attempt *s, const struct query_end *end, const char *doing);
/* A failure that the server reported by something else than an error. */
void sql_fail_odd(struct sql_attempt *s, enum attempt_outcome outcome, const char *what);
void sql_fail_settings(struct sql_attempt *s, const struct error *err);
/* The running statement began or ended a transaction. */
void sql_fail_control(struct sql_attempt *s, const struct query_end *end);
/* The transaction at the end is another than the one that began. */
void sql_fail_ended(struct sql_attempt *s);
/* A statement that dag itself calls off. */
void sql_fail_refused(
    struct sql_attempt *s, size_t statement, const char *sqlstate, const char *message);
/* Ends the attempt behind the rollback; what only reads has its rows now. */
void sql_end_rolled_back(struct sql_attempt *s);
/* The connection is gone; what that means depends on what had been sent. */
void sql_end_lost(struct sql_attempt *s, const struct query_end *end);
/* The connection is there, but the server has left the way on which it would have told what became
   of the transaction.  Closing it rolls back what is not committed; the rest the ledger knows. */
void sql_end_in_doubt(struct sql_attempt *s, const char *what);

/* ---- sql_copy.c ---- */

/* Which statements need which files.  False: they do not fit, and the attempt is ended. */
bool sql_copies_prepare(struct sql_attempt *s);
/* Looks whether the files can be had, before anything is sent; then sql_act, or the attempt's end.
   False: there are none. */
bool sql_copies_check(struct sql_attempt *s);
/* The session's callbacks. */
bool sql_copy_begin(void *user, bool in);
void sql_copy_ready(void *user);
void sql_copy_data(void *user, const char *data, size_t size);
/* The running COPY is to end, because of `why`: the server waits for our data. */
void sql_copy_stop(struct sql_attempt *s, const char *why);
/* Of the statement at hand: its file, NULL = none. */
const struct copy_file *sql_copy_file(const struct sql_attempt *s);
/* Whether the whole of the file was read, or written. */
bool sql_copy_is_done(const struct copy_file *file);
void sql_copies_json(const struct sql_attempt *s, struct json_writer *w);
/* What becomes of the files at the attempt's end.  True: they take their places first, and the
   attempt is finished behind that. */
bool sql_copies_end(struct sql_attempt *s, const struct attempt_result *result);
/* While they do (`placing`): finishes the attempt at once. */
void sql_copies_force(struct sql_attempt *s);
/* Frees the files. */
void sql_copies_release(struct sql_attempt *s);

/* ---- sql_cancel.c ---- */

void sql_cancel_running(struct sql_attempt *s, bool force);
/* Calls off the running statement alone: it ends with an error. */
void sql_cancel_statement(struct sql_attempt *s);
/* The connection broke while a cancel was under way: confirm that the backend is gone, then end. */
void sql_cancel_lost(struct sql_attempt *s);
void sql_cancel_done(struct sql_attempt *s);
/* What an attempt that was cancelled ends with. */
struct attempt_result sql_cancelled_result(const struct sql_attempt *s);

/* ---- sql_text.c ---- */

/* All of them in the attempt's arena. */
char *sql_text_begin(const struct sql_attempt *s);
/* Fails for a name that is none. */
enum status sql_text_settings(
    const struct sql_attempt *s, char **ret, struct error *err) MUST_CHECK;
char *sql_text_close(const struct sql_attempt *s);

/* ---- sql_report.c ---- */

/* Logs a refused statement and makes the failure of it.  `statement` {NULL, 0}: not the task's own.
 */
struct attempt_result sql_report_error(
    struct sql_attempt *s, const PGresult *result, struct slice statement, const char *doing);
/* A failure at a byte of the rendered text, found by dag itself. */
struct attempt_result sql_report_refusal(
    struct sql_attempt *s, const char *sqlstate, size_t offset, const char *message);
/* A query of a check was refused; `sampling`: the one for the rows to blame. */
struct attempt_result sql_report_check_error(struct sql_attempt *s, const PGresult *result,
    const struct sql_check_query *query, bool sampling);
/* Checks that do not hold. */
struct attempt_result sql_report_check(
    struct sql_attempt *s, const char *place, const char *message, const char *detail);
/* How long a statement took, for people. */
void sql_report_took(int64_t took_us, char ret[32]);
void sql_report_notice(struct sql_attempt *s, const PGresult *notice);
void sql_report_begin(struct sql_attempt *s);
void sql_report_done(struct sql_attempt *s, const struct query_end *end);
/* The attempt's detail: statements, error (may be NULL), hash of the text. */
char *sql_report_detail(struct sql_attempt *s, const struct sql_error *error);
/* The running statement gives rows, if only none: those before are not the XCom. */
void sql_report_result_set(struct sql_attempt *s);
/* Adds a row to the XCom; one that does not fit leaves `xcom_refused`. */
void sql_report_row(struct sql_attempt *s, const PGresult *row);
/* The XCom as JSON in the arena, NULL when none is wanted. */
char *sql_report_xcom(struct sql_attempt *s);

/* ---- sql_bind.c ---- */

enum {
    /* Parameters of one statement: more than anybody writes by hand. */
    SQL_PARAMETERS_MAX = 100,
};
struct sql_bound {
    char *text; /* of the same length as the statement's */
    size_t count;
    const char *names[SQL_PARAMETERS_MAX];
    const char *values[SQL_PARAMETERS_MAX]; /* NULL = null */
};
/* The statement as it is sent, and its values.  False: *ret_offset, in the statement, names a
   parameter that the task does not have. */
bool sql_bind(
    struct sql_attempt *s, struct slice statement, struct sql_bound *ret, size_t *ret_offset);

/* ---- sql_touched.c ---- */

/* Whether it is worth asking: the text names a table, or calls what might. */
bool sql_touches_tables(const struct sql_attempt *s);
char *sql_touched_text(const struct sql_attempt *s);
/* Takes one of that query's rows; false: it is none. */
bool sql_touched_row(struct sql_attempt *s, const PGresult *row);
void sql_touched_say(struct sql_attempt *s);
void sql_touched_json(const struct sql_attempt *s, struct json_writer *w);

/* ---- sql_clean.c ---- */

/* Whether a session that ran this text is as it was before: it calls nothing but functions that are
   built in. `keeps_state`: a language whose state outlives the attempt is installed, so that a
   trigger, view or operator of any table might have used it.  Lexical, and doubtful means no. */
bool sql_text_is_clean(struct slice text, bool keeps_state);

#endif
