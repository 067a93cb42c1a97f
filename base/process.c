#include "base/process.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Its fields stand behind a name that may hold anything. */
bool process_stat_read(pid_t pid, struct process_stat *ret)
{
    char path[64], text[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *at = strrchr(text, ')');
    return at && sscanf(at,
                     ") %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d"
                     " %llu",
                     &ret->state, &ret->parent, &ret->group, &ret->session, &ret->started) == 5;
}

bool process_has_ended(const struct process_stat *stat)
{
    return stat->state == 'Z' || stat->state == 'X';
}

unsigned long long process_started(pid_t pid)
{
    struct process_stat stat;
    return process_stat_read(pid, &stat) ? stat.started : 0;
}

bool process_is_gone(pid_t pid, unsigned long long started)
{
    struct process_stat stat;
    return !process_stat_read(pid, &stat) || stat.started != started || process_has_ended(&stat);
}

void process_user_name(uid_t uid, char ret[64])
{
    struct passwd entry, *found = NULL;
    char buffer[1024];
    if (getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found) == 0 && found)
        snprintf(ret, 64, "%s", found->pw_name);
    else
        snprintf(ret, 64, "uid %u", (unsigned)uid);
}
