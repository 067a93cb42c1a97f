/* The child and everything it left behind. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "executor/supervisor/supervisor.h"

/* The fields of /proc/PID/stat behind the name, which may hold anything; NULL when there is no such
 * process. */
static char *read_stat(pid_t pid, char *buffer, size_t size)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    ssize_t n = read(fd, buffer, size - 1);
    close(fd);
    if (n <= 0)
        return NULL;
    buffer[n] = '\0';
    char *end = strrchr(buffer, ')');
    return end ? end + 2 : NULL;
}

unsigned long long process_start(pid_t pid)
{
    char buffer[1024];
    char *fields = read_stat(pid, buffer, sizeof(buffer));
    /* `state ppid …`: the start time is the 22nd field, the state the third. */
    for (int i = 3; fields && i < 22; i++) {
        fields = strchr(fields, ' ');
        fields = fields ? fields + 1 : NULL;
    }
    return fields ? strtoull(fields, NULL, 10) : 0;
}

static pid_t parent_of(pid_t pid)
{
    char buffer[1024];
    char *fields = read_stat(pid, buffer, sizeof(buffer));
    char *space = fields ? strchr(fields, ' ') : NULL;
    return space ? (pid_t)strtol(space + 1, NULL, 10) : -1;
}

static int signal_one(const char *name, int number)
{
    pid_t pid = (pid_t)strtol(name, NULL, 10);
    return pid > 0 && kill(pid, number) == 0;
}

/* By looking at every process there is. */
static int signal_children_slowly(int number)
{
    DIR *proc = opendir("/proc");
    if (!proc)
        return 0;
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(proc))) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid > 0 && isdigit((unsigned char)entry->d_name[0]) && parent_of(pid) == getpid())
            count += signal_one(entry->d_name, number);
    }
    closedir(proc);
    return count;
}

/* Every child of ours; children of theirs become ours when they end.  The kernel's own list is read
   in microseconds: what forks and goes on in its child is gone from a slower look before its turn
   comes. */
static int signal_children(int number)
{
    char text[8192];
    int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return signal_children_slowly(number);
    int count = 0;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    for (char *at = text, *space; (space = strchr(at, ' ')); at = space + 1)
        count += signal_one(at, number);
    return count;
}

void signal_all(pid_t child, int number)
{
    kill(-child, number);
    if (number == SIGKILL)
        signal_children(number);
}

int reap_all(pid_t child, bool child_ended, int *status)
{
    int count = 0;
    for (;;) {
        kill(-child, SIGKILL);
        signal_children(SIGKILL);
        int ended;
        pid_t pid = waitpid(-1, &ended, 0);
        if (pid < 0)
            return count; /* nobody is left */
        if (pid == child && !child_ended)
            *status = ended;
        else
            count++;
    }
}
