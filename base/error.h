/*
 * Errors: a status, a message for people, a hint that says what to do, and the place in the user's
 * own files where there is one.
 *
 * How to add an error:
 *  1. add a row to your module's errors.def:
 *         ERROR_ROW(NAME, exit_status, http_status, retryable, "what it means", "what to do")
 *     NAME becomes ERR_NAME in `enum status`; exit statuses are those of the command line (1 it
 *     failed, 2 wrong use, 3 no such thing, 4 cannot reach what is needed).
 *  2. report it with error_set; tests/unit/base/error_test.c fails for a row without meaning or
 *     remedy, and docs/reference/errors.md is checked against the table by tests/cli.
 *
 * A fallible function returns `enum status` and fills the caller's `struct error`.  The struct owns
 * nothing: it is plain, fixed in size, and may be copied.  Text that does not fit ends with "…".
 * Messages do not end with a full stop and do not start with a capital unless a name does.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/string.h"

enum status {
    OK = 0,
#define ERROR_ROW(name, exit_status, http_status, retryable, meaning, remedy) ERR_##name,
#include "error_table.def"
#undef ERROR_ROW
    ERR_COUNT_
};

#define MUST_CHECK __attribute__((warn_unused_result))

struct status_info {
    const char *name; /* "UNKNOWN_KEY" */
    int exit_status;
    int http_status;
    bool retryable;
    const char *meaning;
    const char *remedy;
};
const struct status_info *status_info(enum status status);
/* The status of that name ("UNKNOWN_KEY"), or `fallback` when there is none. */
enum status status_find(const char *name, enum status fallback);

/* A place in a user's file.  Line and column count from 1 (columns in code points); 0 = unknown. */
struct place {
    char file[256];
    uint32_t line;
    uint32_t column;
};

enum {
    ERROR_MESSAGE_SIZE = 1024,
    ERROR_HINT_SIZE = 512,
    ERROR_EXCERPT_SIZE = 256,
    ERROR_TRACE_SIZE = 1024
};

struct error {
    enum status status;
    char message[ERROR_MESSAGE_SIZE];
    char hint[ERROR_HINT_SIZE];
    struct place place;
    char excerpt[ERROR_EXCERPT_SIZE]; /* the user's line at `place`, without its line end */
    char trace[ERROR_TRACE_SIZE]; /* further lines: include and macro stack, rendered line … */
    char sqlstate[6];             /* what a database gave, else empty */
};

/* Fills the error and returns `status`, so that `return error_set(err, ERR_X, "…");` reads well.
   `err` may be NULL.  Clears hint, place, excerpt and trace. */
enum status error_set(struct error *err, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
enum status error_vset(struct error *err, enum status status, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
/* No error any more. */
void error_clear(struct error *err);
/* Adds context on the way up: "loading DAG `geolife`: " before the message.  Returns the error's
   status; of no error (NULL) it is not known, and ERR_INTERNAL. */
enum status error_context(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void error_hint(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Sets place and excerpt from an offset in a file's text; NULL file keeps the name empty. */
void error_at(struct error *err, const char *file, const char *text, size_t size, size_t offset);
/* Sets place and excerpt directly; `excerpt` may be NULL. */
void error_place(
    struct error *err, const char *file, uint32_t line, uint32_t column, const char *excerpt);
/* Adds a line to the trace. */
void error_trace(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The error as people read it:
 *     templates/x.sql:14:9: error: 'foo' is undefined
 *        14 | where tdate = '{{ foo }}'
 *           |                   ^
 *       hint: …
 * `severity` is "error", "warning" or "info".  Ends with a newline.
 */
void error_format(const struct error *err, const char *severity, struct strbuf *out);

/* Mistakes in users' data are collected, not first-only. */
struct diagnostic {
    struct error error;
    const char *severity; /* static: "error", "warning", "info" */
    const char *code;     /* static, e.g. "unknown-key"; NULL when it has none */
    struct diagnostic *next;
};
struct diagnostics {
    struct arena *arena; /* the diagnostics live here */
    struct diagnostic *first, **last;
    size_t error_count, warning_count;
    size_t kept;    /* in the list */
    size_t dropped; /* above DIAGNOSTICS_MAX */
};
enum { DIAGNOSTICS_MAX = 1000 }; /* per list: more are counted, not kept */
void diagnostics_init(struct diagnostics *list, struct arena *arena);
struct diagnostic *diagnostics_add(
    struct diagnostics *list, const char *severity, const struct error *err);

#endif
