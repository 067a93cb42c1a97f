/*
 * Migrations: versioned SQL that brings a target database to the state that tasks expect.
 *
 *     migrations/<connection>/0001_tables.sql
 *
 * Each is a template (with `target`, `var` and `conn`), runs in one transaction of its own, in
 * order of its number, once.  What was applied stands in the table `migration` of the connection's
 * ledger schema, with the checksum of the file: a file that changed after it was applied, one that
 * is gone, and a new one with a smaller number than an applied one are errors, since databases
 * would then differ.  Two that run at once wait for each other on that table's lock.
 *
 * Everything here blocks: it is for commands.
 */
#ifndef EXECUTOR_TARGET_MIGRATE_H
#define EXECUTOR_TARGET_MIGRATE_H

#include <libpq-fe.h>
#include "base/error.h"
#include "definition/model/model.h"

struct migration {
    int number;
    const char *name;              /* "0001_tables.sql" */
    const char *path;              /* relative to the project's root */
    char checksum[HASH_TEXT_SIZE]; /* of the file as it stands */
    const char *applied_at;        /* as the server writes it; NULL = not yet */
    size_t statements;             /* after it was applied now */
    int64_t duration_us;
};

struct migrate_options {
    const struct project *project;
    const struct connection *connection;
    bool dry_run; /* applies nothing; needs the server all the same, to know what is applied */
    void *user;
    /* Told of every migration in order: already applied, applied now, or (dry run) to be applied.
     */
    void (*told)(void *user, const struct migration *migration, bool applied_now);
    /* Told of the session that applies them, and with NULL before it ends; may be NULL. */
    void (*session)(void *user, PGconn *conn);
};

/* Applies what is missing.  *ret_count: migrations applied now, or with dry_run those that would
   be.  A failing one is rolled back and ends it: its error has the place in the file and the
   SQLSTATE. */
enum status migrate_run(
    const struct migrate_options *options, size_t *ret_count, struct error *err) MUST_CHECK;

#endif
