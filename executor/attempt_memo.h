/*
 * What an attempt leaves on disk, beside its log, so that a later daemon can take it over and a
 * later attempt of the same generation goes to the same ledger: `<number>.json`.  Written before
 * the attempt acts.
 */
#ifndef EXECUTOR_ATTEMPT_MEMO_H
#define EXECUTOR_ATTEMPT_MEMO_H

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

struct attempt_memo {
    char attempt[UUID_TEXT_SIZE];
    const char *operator; /* "sql", "process" */
    int64_t generation;
    const char *connection;         /* sql: its name; else NULL */
    char ledger_id[UUID_TEXT_SIZE]; /* sql: the ledger it pins; empty without one */
    bool commit_sent;               /* sql without ledger: COMMIT may have been sent */
    int64_t started_us;
};

/* `path` ends in ".json".  Texts of the result live in the arena. */
enum status attempt_memo_write(
    const char *path, const struct attempt_memo *memo, struct error *err) MUST_CHECK;
/* ERR_NOT_FOUND when there is none. */
enum status attempt_memo_read(
    const char *path, struct arena *arena, struct attempt_memo *ret, struct error *err) MUST_CHECK;

/* The ledger that the newest earlier attempt of the generation pinned: looks at the files
   `<folder>/<number>.json` below `number`, back to another generation's.  False when there is none.
 */
bool attempt_memo_pinned(const char *folder, int32_t number, int64_t generation,
    struct arena *arena, struct attempt_memo *ret);

#endif
