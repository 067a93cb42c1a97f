/*
 * Settling what an attempt may have done: the procedures that need a connection of their own and
 * may wait. Each is one job on a thread (offload.h) and touches nothing but itself.
 */
#ifndef EXECUTOR_TARGET_SETTLE_H
#define EXECUTOR_TARGET_SETTLE_H

#include "executor/offload.h"
#include "executor/target/backend.h"
#include "executor/target/ledger.h"

enum settle_kind {
    SETTLE_END,     /* terminate a backend and confirm that it is gone: one round */
    SETTLE_UNBLOCK, /* terminate the attempts whose claim a backend waits for: one look */
    SETTLE_VOID,    /* insert the void claim; until the deadline */
    SETTLE_RECOVER, /* end an old attempt's backends, then read the ledger; until the deadline */
};

/* Made by settle_new, given to settle_run, freed by settle_free in `done`.  Everything a job needs
   is copied into its arena.  The fields below are the answer, valid in `done`. */
struct settle {
    struct offload_job job;
    struct arena *arena;
    enum settle_kind kind;
    struct connection *connection;
    struct backend_match match;     /* END, RECOVER */
    int32_t waiting_pid;            /* UNBLOCK */
    struct ledger_key key;          /* VOID, RECOVER */
    const char *attempt;            /* VOID: the name that the void claim carries */
    char ledger_id[UUID_TEXT_SIZE]; /* VOID, RECOVER: the ledger it must be; empty = any */
    int64_t deadline_us;            /* monotonic */

    void *owner; /* who is told; the owner may set it to NULL when it no longer cares */
    void (*done)(struct settle *settle);

    enum status status; /* OK: it was carried out; else `err` says why not */
    struct error err;
    struct strbuf said;        /* lines for the attempt's log */
    bool gone;                 /* END, RECOVER */
    int found;                 /* UNBLOCK */
    bool inserted;             /* VOID: the void claim is in, by us or before */
    struct ledger_entry entry; /* VOID when not inserted, RECOVER */
    /* VOID: it had committed, but a file that it wrote (copy_file.h) cannot take its place. */
    bool unplaced;
    struct error place_err;
};

struct settle *settle_new(enum settle_kind kind, const struct connection *connection, void *owner,
    void (*done)(struct settle *settle));
void settle_set_key(struct settle *settle, const struct ledger_key *key);
void settle_run(struct offload *offload, struct settle *settle);
void settle_free(struct settle *settle);

#endif
