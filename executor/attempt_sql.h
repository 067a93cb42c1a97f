/*
 * The SQL of a run's attempts as it was sent, secrets masked: one file a run, mode 0600,
 *
 *     <state>/logs/<dag_id>/<run_id>/rendered.sql
 *
 * because to make a file costs a file system more than all that an attempt writes.  Each attempt
 * adds a section: a line
 *
 *     -- attempt <uuid> of <task_id>[<map index>], number <n>: <size> bytes
 *
 * the text, and a line's end.  A section that a full disk or a crash of the machine cut short is
 * not found; those behind it are.
 *
 * Used by any thread: a section is one write at the file's end.
 */
#ifndef EXECUTOR_ATTEMPT_SQL_H
#define EXECUTOR_ATTEMPT_SQL_H

#include "base/error.h"
#include "base/string.h"

struct attempt_sql_title {
    const char *attempt; /* its UUID */
    const char *task_id;
    int32_t map_index; /* -1: not mapped */
    int32_t number;
};

/* Adds the section of the attempt whose log is `log_file`, in a folder that is there. */
enum status attempt_sql_add(const char *log_file, const struct attempt_sql_title *title,
    struct slice text, struct error *err) MUST_CHECK;

/* Where the text of an attempt stands; who asked closes `fd`. */
struct attempt_sql {
    int fd;
    uint64_t offset, size; /* bytes */
};

/* ERR_NOT_FOUND when the attempt rendered no SQL, or not all of it could be written. */
enum status attempt_sql_find(const char *log_file, const char *attempt, struct attempt_sql *ret,
    struct error *err) MUST_CHECK;
/* The text, in the arena.  Also ERR_LIMIT above `size_max` bytes. */
enum status attempt_sql_read(const char *log_file, const char *attempt, size_t size_max,
    struct arena *arena, struct slice *ret, struct error *err) MUST_CHECK;

#endif
