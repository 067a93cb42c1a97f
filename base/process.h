/* What a process is known by when its number may come again. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* Of /proc/PID/stat (proc(5)). */
struct process_stat {
    char state;
    pid_t parent, group, session;
    unsigned long long started; /* clock ticks since the machine's start */
};

/* False: there is no such process. */
bool process_stat_read(pid_t pid, struct process_stat *ret);
/* It has ended, and its parent has not asked for its end yet. */
bool process_has_ended(const struct process_stat *stat);
/* 0 = there is no such process. */
unsigned long long process_started(pid_t pid);
/* Whether the one that started then is there no more, or has ended. */
bool process_is_gone(pid_t pid, unsigned long long started);

/* "etl", or "uid 1000" without an account. */
void process_user_name(uid_t uid, char ret[64]);

#endif
