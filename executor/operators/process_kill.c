/* Ending what a lost supervisor left behind. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/process.h"
#include "executor/operators/process_attempt.h"

enum {
    /* Bytes of a process's environment that are looked through for the mark. */
    ENVIRONMENT_LOOKED_AT = 256 * 1024,
};

static bool carries_mark(pid_t pid, const char *attempt)
{
    char path[64], mark[128];
    snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
    int size = snprintf(mark, sizeof(mark), "%s=%s", PROCESS_MARK, attempt);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    char *text = mem_alloc(ENVIRONMENT_LOOKED_AT);
    size_t used = 0;
    ssize_t n;
    while (used < ENVIRONMENT_LOOKED_AT &&
           (n = read(fd, text + used, ENVIRONMENT_LOOKED_AT - used)) > 0)
        used += (size_t)n;
    close(fd);
    bool found = used && memmem(text, used, mark, (size_t)size + 1) != NULL;
    mem_free(text);
    return found;
}

static bool belongs(
    pid_t pid, const struct process_ids *ids, const char *attempt, bool supervisor_too)
{
    struct process_stat line;
    if (pid == getpid() || !process_stat_read(pid, &line) || process_has_ended(&line))
        return false;
    if (ids->this_boot && pid == ids->supervisor)
        return supervisor_too && line.session == ids->supervisor;
    /* Numbers are used again: the session is the supervisor's for as long as anyone of it lives. */
    if (ids->this_boot && line.session == ids->supervisor && line.group == ids->child)
        return true;
    return carries_mark(pid, attempt);
}

int process_kill_all(const struct process_ids *ids, const char *attempt, bool supervisor_too)
{
    DIR *proc = opendir("/proc");
    if (!proc)
        return -1;
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(proc))) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (belongs(pid, ids, attempt, supervisor_too)) {
            kill(pid, SIGKILL);
            count++;
        }
    }
    closedir(proc);
    return count;
}
