/*
 * Comparing the metadata with the ledgers of the target databases: after a failover to a standby
 * that lagged behind, or when either was restored from a backup, they may tell different stories.
 *
 * Only looks, at what began within a time (`since_us`): before it the metadata's attempts are gone
 * and a site may have shrunk a ledger by hand.  What is under way is passed over, so that a daemon
 * may be at work meanwhile: the metadata is read first, and a success in it has its ledger's row
 * by then.  Blocks: for a command.
 */
#ifndef EXECUTOR_RECONCILE_H
#define EXECUTOR_RECONCILE_H

#include <libpq-fe.h>
#include "base/error.h"
#include "definition/model/model.h"
#include "store/store.h"

enum difference_kind {
    DIFFERENCE_NOT_SUCCESS, /* the ledger has the result, the task is failed or skipped */
    DIFFERENCE_NO_RESULT,   /* the task is a success by an attempt that committed into this ledger,
                               which has no result of it */
    DIFFERENCE_NO_RUN,      /* results of a date of which there is no run, or no such task in it */
    DIFFERENCE_GENERATION,  /* a result of a generation that the metadata does not know */
    DIFFERENCE_SESSION,     /* an attempt that is over is still at work on the server */
    DIFFERENCE_LEDGER,      /* successes in a ledger to which none of the connections given leads */
    DIFFERENCE_KIND_COUNT
};
/* "not-success" … */
const char *difference_name(enum difference_kind kind);

struct difference {
    enum difference_kind kind;
    bool bad;               /* someone has to decide; else it is worth knowing */
    const char *connection; /* NULL: of none of those given */
    const char *dag_id;     /* this and what follows up to logical_us: NULL, -1 or TIME_NONE when it
                               is about none */
    const char *run_id, *task_id;
    int32_t map_index;
    int64_t logical_us;
    const char *found;  /* a sentence */
    const char *remedy; /* the command to run, and why; NULL = nothing is to be done */
};

/* One ledger, through one of the connections that lead to it. */
struct reconcile_ledger {
    const struct connection *connection;
    PGconn *conn;
    const char *id;
    int64_t compared; /* results and successes that were looked at: counted by reconcile_run */
};
struct reconcile_options {
    struct store *reader;
    struct reconcile_ledger *ledgers;
    size_t count;
    int64_t since_us;
    void *user;
    /* Texts are valid during the call. */
    void (*told)(void *user, const struct difference *difference);
};
enum status reconcile_run(const struct reconcile_options *options, struct error *err) MUST_CHECK;

#endif
