/*
 * What an attempt leaves in its log so that a later daemon can take it over, and a later attempt of
 * the same generation goes to the same ledger: lines of the kind `memo`, JSON, the last one counts.
 * Written before the attempt acts.
 */
#ifndef EXECUTOR_ATTEMPT_MEMO_H
#define EXECUTOR_ATTEMPT_MEMO_H

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "executor/attempt_log.h"

struct attempt_memo {
    char attempt[UUID_TEXT_SIZE];
    const char *operator; /* "sql", "process" */
    int64_t generation;
    const char *connection;         /* sql: its name; else NULL */
    char ledger_id[UUID_TEXT_SIZE]; /* sql: the ledger it pins; empty without one */
    bool commit_sent;               /* sql without ledger: COMMIT may have been sent */
    int64_t started_us;
};

/* An error when it could not be written: then the attempt must not act. */
enum status attempt_memo_write(
    struct attempt_log *log, const struct attempt_memo *memo, struct error *err) MUST_CHECK;
/* ERR_NOT_FOUND when the log has none.  Texts of the result live in the arena. */
enum status attempt_memo_read(const char *log_file, struct arena *arena, struct attempt_memo *ret,
    struct error *err) MUST_CHECK;

/* The ledger that the newest earlier attempt of the generation pinned: looks at the logs below
   `number` of the task whose log one is, back to another generation's.  False when there is none.
 */
bool attempt_memo_pinned(const char *log_file, int32_t number, int64_t generation,
    struct arena *arena, struct attempt_memo *ret);

/* The ids of the attempts below `number` that left a memo, the newest few of them; gives how many.
 */
size_t attempt_memo_earlier(
    const char *log_file, int32_t number, struct arena *arena, const char *const **ret);

#endif
