/*
 * A log on the disk: whole lines are added at its end; it is bounded, and full disks do no harm.
 * Shared by the daemon and dag-exec, which may write the same log; only libc.
 *
 * A log that would grow over its ceiling loses its middle: the first quarter stays, the last half
 * stays, and between them stands a line
 *
 *     HH:MM:SS.mmm error left out here: 0000004194304 bytes; …
 *
 * so that how it began and, above all, how it ended can be read in one file.  Lines that could not
 * be written (a full disk) are counted, and the next one that can be is preceded by one that says
 * so.
 */
#ifndef EXECUTOR_LOG_FILE_H
#define EXECUTOR_LOG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_file {
    int fd; /* -1: could not be opened so far; tried again with each line */
    char *path;
    long long size; /* as far as we know: others write too */
    long long max;
    long long lost; /* bytes that could not be written and are not told yet */
    int trouble;    /* errno of the first failure, 0 = none */
    bool torn;      /* the last line in the file has no end */
};

/* Makes the file (mode 0600) or goes on with one.  False when that failed: errno is in `trouble`,
   and writing goes on trying. */
bool log_file_open(struct log_file *file, const char *path, long long max);
/* Adds lines, all of them with their ends. */
void log_file_write(struct log_file *file, int64_t wall_us, const char *lines, size_t size);
/* Tells what was lost, if it can be told by now. */
void log_file_close(struct log_file *file, int64_t wall_us);

/* "12:34:56.789 kind ", in UTC; returns its length. */
enum { LOG_STAMP_SIZE = 32 };
int log_stamp(char ret[LOG_STAMP_SIZE], int64_t wall_us, const char *kind);

/* How many bytes the line that begins at `line` says were left out; -1 when it says nothing of the
   kind. */
long long log_left_out(const char *line, size_t size);

/* Makes text safe to show: what is not UTF-8, and control characters but tabs, become \xNN; colours
   (ECMA-48 SGR) are dropped.  `ret` has room for LOG_CLEAN_GROWTH times the size; returns what is
   used of it. */
enum { LOG_CLEAN_GROWTH = 4 };
size_t log_clean(const char *text, size_t size, char *ret);
/* The length of the UTF-8 sequence at p, 0 when there is none that is valid (RFC 3629). */
size_t log_utf8(const char *p, size_t size);

#endif
