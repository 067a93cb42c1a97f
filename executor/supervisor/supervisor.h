/*
 * dag-exec: minds one process for the daemon, and outlives it.
 *
 *     dag-exec FOLDER LOG LOG_MAX GRACE_MS DIRECTORY -- PROGRAM [ARGUMENT…]
 *
 * The environment is the child's, but for DAG_EXEC_SECRETS: texts, one a line, that are masked in
 * the log. In FOLDER:
 *
 * - lock: locked for as long as this program lives
 * - pids: who: `supervisor PID START`, `child PID START`, `boot ID`; on disk before the child
 *   starts
 * - result: how it ended: `exit N` or `signal N`, `started_us T`, `ended_us T`; on disk, then
 *   renamed to its name
 * - xcom: what the child writes to $DAG_XCOM
 *
 * Lock held: alive.  Result: finished.  Neither: lost.  A second dag-exec on the same folder ends
 * at once, whether the first lives, has finished or was lost.
 *
 * The child runs in a process group of its own and writes through pipes: each line gets to LOG with
 * the time and `out` or `err` before it.  SIGTERM to dag-exec is passed to the child's group;
 * GRACE_MS later everything is killed.  What the child leaves behind is killed, too, and has ended
 * before the result is written: orphans are given to dag-exec (PR_SET_CHILD_SUBREAPER), so that
 * none can hide.
 *
 * Only libc: it is linked statically and starts in under a millisecond.
 */
#ifndef EXECUTOR_SUPERVISOR_H
#define EXECUTOR_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    /* Bytes of one line; a longer one is written in parts. */
    LINE_MAX_BYTES = 16 * 1024,
    /* Milliseconds that output may take to end after the child has. */
    DRAIN_MS = 300,
};

struct output {
    int fd; /* -1 = ended */
    const char *kind;
    size_t used;
    char line[LINE_MAX_BYTES];
};

/* output.c */
void log_open(const char *path, long long max);
void log_close(void);
void log_secrets(char *lines);
void log_line(const char *kind, const char *text, size_t size);
void log_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Reads what there is; false at the end.  Bytes of zero become `?`. */
bool output_read(struct output *output);
int64_t wall_us(void);
int64_t mono_ms(void);

/* descendants.c */
/* Start time of a process in clock ticks since boot, 0 when there is none. */
unsigned long long process_start(pid_t pid);
/* Sends the signal to the child's group and to every descendant. */
void signal_all(pid_t child, int number);
/* Kills what is left and waits for it; gives how many there were.  *status gets the child's, if it
 * was among them. */
int reap_all(pid_t child, bool child_ended, int *status);

#endif
