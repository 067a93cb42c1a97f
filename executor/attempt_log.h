/*
 * An attempt's log: one text file, made before the attempt starts and readable while it runs.
 *
 *     <state>/logs/<dag_id>/<run_id>/<task_id>[.<map index>].<number>.log
 *
 * Beside it lie `rendered.sql` (executor/attempt_sql.h) and for processes the folder
 * `<task_id>[.<map index>].<number>.proc` (executor/supervisor/dag_exec.c).
 *
 * A line is `HH:MM:SS.mmm kind text` in UTC.  Kinds: `info` (what dag does), `sql` (a statement's
 * end), `notice` (what the database says), `out` and `err` (a process's output), `error`, and
 * `memo` (what a later daemon needs to take it over, executor/attempt_memo.h).  A text
 * of several lines becomes as many lines.  Secrets that were named with attempt_log_secret are
 * shown as `***`.
 *
 * It is bounded: above ATTEMPT_LOG_MAX its middle is left out, with a mark; how it began and how it
 * ended stay.  What a full disk swallowed is marked, too (executor/supervisor/log_file.h).  What is
 * not UTF-8, and control characters, are shown as \xNN.
 *
 * Used by the loop's thread, except for the path functions, which are pure.
 */
#ifndef EXECUTOR_ATTEMPT_LOG_H
#define EXECUTOR_ATTEMPT_LOG_H

#include "base/error.h"
#include "base/string.h"
#include "definition/model/log_path.h"

/* The file beside a log with another ending: attempt_file_path(arena, "…/t.2.log", ".proc") is
   "…/t.2.proc". */
char *attempt_file_path(struct arena *arena, const char *log_path, const char *ending);
/* The log of another attempt of the task: attempt_log_of(arena, "…/t.2.log", 1) is "…/t.1.log". */
char *attempt_log_of(struct arena *arena, const char *log_path, int32_t number);

enum log_kind {
    LOG_KIND_INFO,
    LOG_KIND_SQL,
    LOG_KIND_NOTICE,
    LOG_KIND_OUT,
    LOG_KIND_ERR,
    LOG_KIND_ERROR,
    LOG_KIND_MEMO
};

struct attempt_log;

/* Opens for appending, making the file (mode 0600) and its folders.  On a full disk it is OK: the
   log is written from when there is room on. */
enum status attempt_log_open(
    const char *path, struct attempt_log **ret, struct error *err) MUST_CHECK;
/* Writes what is buffered and closes.  NULL is fine. */
void attempt_log_close(struct attempt_log *log);

/* Names a text that must not appear, nor one of its lines.  Shorter than SECRET_SIZE_MIN bytes is
   not masked: it would make the log unreadable.  Copied. */
void attempt_log_secret(struct attempt_log *log, struct slice secret);

/* Adds lines, stamped with `wall_us`.  Buffered until attempt_log_flush. */
void attempt_log_text(
    struct attempt_log *log, int64_t wall_us, enum log_kind kind, struct slice text);
void attempt_log_printf(struct attempt_log *log, enum log_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds a line for dag itself, not masked, and hands all to the system: an error when not all of it
   could be written. */
enum status attempt_log_note(
    struct attempt_log *log, struct slice line, struct error *err) MUST_CHECK;
/* Hands what is buffered to the system.  Trouble (a full disk) is kept and told by
   attempt_log_trouble: an attempt does not fail because of its log. */
void attempt_log_flush(struct attempt_log *log);
/* errno of the first write that failed, 0 = none. */
int attempt_log_trouble(const struct attempt_log *log);

/* `text` with the log's secrets masked: for messages that are stored beside the log. */
char *attempt_log_mask(const struct attempt_log *log, struct slice text, struct arena *arena);

#endif
