/* The files that a supervisor and its attempt share with the daemon. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "executor/operators/process_attempt.h"

enum {
    /* Bytes; they hold a few lines. */
    PROCESS_FILE_MAX = 4096,
};

static struct slice read_small(const char *folder, const char *name, struct arena *arena)
{
    struct slice text = {0};
    if (file_read(path_join(arena, folder, name), PROCESS_FILE_MAX, arena, &text, NULL))
        return (struct slice){0};
    return text;
}

static struct slice boot_id(struct arena *arena)
{
    char text[64];
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : 0;
    if (fd >= 0)
        close(fd);
    return slice_trim(
        slice_make(arena_strndup(arena, text, n > 0 ? (size_t)n : 0), n > 0 ? (size_t)n : 0));
}

bool process_read_ids(const char *folder, struct arena *arena, struct process_ids *ret)
{
    struct slice text = read_small(folder, "pids", arena);
    char boot[64];
    if (!text.p || sscanf(text.p, "supervisor %d %llu child %d %llu boot %63s", &ret->supervisor,
                       &ret->supervisor_start, &ret->child, &ret->child_start, boot) != 5)
        return false;
    ret->this_boot = slice_equal_str(boot_id(arena), boot);
    return true;
}

bool process_read_end(const char *folder, struct arena *arena, struct process_end *ret)
{
    struct slice text = read_small(folder, "result", arena);
    char word[16];
    long long started, ended;
    if (!text.p || sscanf(text.p, "%15s %d started_us %lld ended_us %lld", word, &ret->number,
                       &started, &ended) != 4)
        return false;
    ret->signalled = str_equal(word, "signal");
    ret->started_us = started;
    ret->ended_us = ended;
    return true;
}

/* Under the lock: nobody else may start it from now on. */
static enum process_life look_locked(const char *folder, struct arena *arena)
{
    struct process_end end;
    struct process_ids ids;
    if (process_read_end(folder, arena, &end))
        return PROCESS_ENDED;
    if (process_read_ids(folder, arena, &ids))
        return PROCESS_LOST;
    /* Not a result that can be read: it only keeps a late supervisor from starting. */
    (void)!file_write(
        path_join(arena, folder, "result"), slice_of("never started\n"), 0600, true, NULL);
    return PROCESS_NEVER;
}

enum process_life process_look(const char *folder, struct arena *arena)
{
    if (!dir_exists(folder) && dir_make(folder, true, NULL))
        return PROCESS_NEVER;
    int lock = open(path_join(arena, folder, "lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0)
        return PROCESS_LOST;
    enum process_life life =
        flock(lock, LOCK_EX | LOCK_NB) ? PROCESS_ALIVE : look_locked(folder, arena);
    close(lock);
    return life;
}

int process_open(pid_t pid, unsigned long long start)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd >= 0 && start && process_started(pid) != start) {
        close(fd); /* the number is another process's by now */
        return -1;
    }
    return fd;
}
