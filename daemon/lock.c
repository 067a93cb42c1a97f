#include "daemon/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"

static char *lock_path(struct arena *arena, const char *state)
{
    return path_join(arena, state, "leader.lock");
}

static enum status held_by_other(int fd, struct error *err)
{
    char holder[128] = "";
    ssize_t size = pread(fd, holder, sizeof(holder) - 1, 0);
    holder[size > 0 ? size : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    error_set(err, ERR_LEADER_RUNNING, "another dag is at work in this project (%s)",
        holder[0] ? holder : "unknown");
    error_hint(err, "wait for it, or stop it with `dag down`");
    return ERR_LEADER_RUNNING;
}

static enum status cannot_write(const char *path, struct error *err)
{
    int number = errno;
    error_set(err, ERR_IO, "%s: %m", path);
    if (number == ENOSPC || number == EDQUOT)
        error_hint(err, "the disk of the state folder is full: free some space");
    else if (number == EACCES || number == EROFS || number == EPERM)
        error_hint(err, "the state folder must be writable for the user that dag runs as; `state:` "
                        "in dag.yaml sets another");
    return ERR_IO;
}

enum status lock_take(const char *state, const char *who, int *ret_fd, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    enum status status = dir_make(state, true, err);
    if (status != OK)
        return status;
    const char *path = lock_path(arena, state);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return cannot_write(path, err);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        status = held_by_other(fd, err);
        close(fd);
        return status;
    }
    char text[128];
    int size = snprintf(text, sizeof(text), "%s, process %ld\n", who, (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)size, 0) != size) {
        status = cannot_write(path, err);
        close(fd);
        return status;
    }
    *ret_fd = fd;
    return OK;
}

void lock_release(int fd)
{
    if (fd >= 0)
        close(fd);
}

bool lock_is_held(const char *state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    int fd = open(lock_path(arena, state), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool held = flock(fd, LOCK_SH | LOCK_NB) != 0;
    close(fd);
    return held;
}
