/*
 * A process attempt under way: process.c takes it from start to end, process_command.c makes what
 * is run and its environment, process_files.c reads and judges the supervisor's files
 * (executor/supervisor/supervisor.h says what they are), process_kill.c ends what a lost supervisor
 * left behind.
 */
#ifndef EXECUTOR_OPERATORS_PROCESS_ATTEMPT_H
#define EXECUTOR_OPERATORS_PROCESS_ATTEMPT_H

#include <sys/types.h>

#include "executor/attempt.h"

/* The name in the environment by which descendants of an attempt are known wherever they went. */
#define PROCESS_MARK "DAG_ATTEMPT_ID"

/* What is run. */
struct process_command {
    const char *const *argv; /* with NULL at the end */
    const char *const *env;  /* likewise; holds DAG_EXEC_SECRETS */
    const char *directory;
};

/* Makes the folder and the script's file, too. */
enum status process_command_make(struct attempt *attempt, const char *folder,
    struct process_command *ret, struct error *err) MUST_CHECK;

/* Removes the script's file: it may hold secrets, and has served. */
void process_forget_script(const char *folder, struct arena *arena);

/* The files of a folder. */
struct process_ids {
    pid_t supervisor, child;
    unsigned long long supervisor_start, child_start;
    bool this_boot;
};
bool process_read_ids(const char *folder, struct arena *arena, struct process_ids *ret);

struct process_end {
    bool signalled;
    int number; /* exit status or signal */
    int64_t started_us, ended_us;
};
bool process_read_end(const char *folder, struct arena *arena, struct process_end *ret);

enum process_life {
    PROCESS_ALIVE, /* the supervisor holds the lock */
    PROCESS_ENDED, /* there is a result */
    PROCESS_LOST,  /* it had started, and nobody minds it */
    PROCESS_NEVER, /* it did not start, and now never will */
};
/* Looks at lock, result and pids.  PROCESS_NEVER leaves a result behind, so that a supervisor that
   comes late finds the folder taken. */
enum process_life process_look(const char *folder, struct arena *arena);

/* A descriptor that becomes readable when that very process ends; -1 when it is gone. */
int process_open(pid_t pid, unsigned long long start);

/* SIGKILL to everything of the attempt: its group, its session, and what carries its mark.  Gives
   how many there were: 0 means that all are gone. */
int process_kill_all(const struct process_ids *ids, const char *attempt, bool supervisor_too);

#endif
