#include "base/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* State and start, the 3rd and 22nd field of /proc/PID/stat, behind a name that may hold anything.
 */
static bool read_stat(pid_t pid, char *ret_state, unsigned long long *ret_start)
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
                     ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d"
                     " %*d %*d %llu",
                     ret_state, ret_start) == 2;
}

unsigned long long process_started(pid_t pid)
{
    char state;
    unsigned long long start;
    return read_stat(pid, &state, &start) ? start : 0;
}

bool process_is_gone(pid_t pid, unsigned long long started)
{
    char state;
    unsigned long long start;
    return !read_stat(pid, &state, &start) || start != started || state == 'Z' || state == 'X';
}
