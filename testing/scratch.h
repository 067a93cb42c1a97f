/*
 * Scratch databases: made for a run of tests, dropped at its end, never the connection's own.
 *
 * A connection's `test_uri` names a server and a database on it.  From that database (from
 * template1, when it is `postgres`) a template is made and the project's migrations applied to it;
 * each test gets a copy.  Without `test_uri` the sandbox is used: the project's, when it runs; else
 * one is started for the tests and destroyed after them.
 *
 * Databases are called `dag_test_<16 hex digits>…`.  While they are in use their makers hold an
 * advisory lock of that number; what an interrupted run left behind is dropped by the next one.
 *
 * Everything here blocks: it is for commands.
 */
#ifndef TESTING_SCRATCH_H
#define TESTING_SCRATCH_H

#include <libpq-fe.h>
#include "base/error.h"
#include "definition/model/model.h"

struct scratch;

/* `notice` is told what takes time ("starting the sandbox"); may be NULL. */
struct scratch *scratch_new(
    const struct project *project, void (*notice)(void *user, const char *text), void *user);
/* Ends a migration that is under way, which is then an error.  A signal's handler may call it. */
void scratch_cancel(void);
/* Drops the templates with what is left of their copies, and ends a sandbox that was started for
   this. */
void scratch_free(struct scratch *scratch);

/* Makes the template of a connection, when there is none yet.  ERR_SCRATCH, and the errors of
   migrations. */
enum status scratch_prepare(
    struct scratch *scratch, const struct connection *connection, struct error *err) MUST_CHECK;

/* A copy of a template for one test, in the process that runs it. */
struct scratch_copy {
    const char *connection; /* name */
    const char *database;
    const char *uri;      /* secret */
    enum dialect dialect; /* the server's */
    const char
        *settings_left_out; /* "statement_mem, …": the server does not have them; NULL = none */
    struct named_texts settings; /* those that it has */
};
enum status scratch_copy_make(struct scratch *scratch, const char *connection, struct arena *arena,
    struct scratch_copy *ret, struct error *err) MUST_CHECK;
/* Has it dropped, with the sessions that are still on it, while the caller goes on: the server
   takes its time over that, and more while other sessions compute. */
void scratch_copy_drop(struct scratch *scratch, const struct scratch_copy *copy);
/* Waits for what this process has had dropped.  A process that was forked after scratch_prepare
   calls it at its end; scratch_free does. */
void scratch_settle(struct scratch *scratch);

/* Opens a plain session on a copy, with notices left alone. */
enum status scratch_open(
    const struct scratch_copy *copy, PGconn **ret, struct error *err) MUST_CHECK;

#endif
