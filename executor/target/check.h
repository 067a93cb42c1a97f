/* Trying a connection as a task would use it.  Blocks: for a thread. */
#ifndef EXECUTOR_TARGET_CHECK_H
#define EXECUTOR_TARGET_CHECK_H

#include "executor/target/connect.h"

/* What came of it; texts are in the arena given.  `error` has message and remedy. */
struct checked {
    enum status status;
    struct error error;
    const char *trouble; /* a code of trouble.h, or of the status: "dialect", "pooler", "ledger" */
    const char *warning; /* NULL = none */
    const char *version, *number, *dialect;
    const char *host, *port, *database, *user;
    const char *tls; /* "TLSv1.3"; NULL = not encrypted */
    /* The ledger's id, empty where there is none yet (then the first task makes it, as its role
       may); NULL with `ledger: false`. */
    const char *ledger;
    int64_t ms;
};

/* Connects, looks whether the ledger can be used (or made, where it is not there), and tries the
   settings in a transaction that is rolled back.  Writes nothing. */
void check_connection(
    const struct connection *connection, struct arena *arena, struct checked *ret);
/* Fills `trouble` from the error. */
void check_explain(struct checked *checked);

#endif
