#include "base/spawn.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Reads to the end; false when it is quiet for too long, or says too much. */
static bool read_output(int fd, int quiet_s, size_t size_max, struct strbuf *out)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    char bytes[4096];
    size_t end = out->size + size_max;
    for (;;) {
        int ready = poll(&wait, 1, quiet_s * 1000);
        if (ready < 0 && errno == EINTR)
            continue;
        ssize_t count = ready == 1 ? read(fd, bytes, sizeof(bytes)) : -1;
        if (count <= 0)
            return count == 0;
        strbuf_add(out, bytes, (size_t)count);
        if (out->size > end)
            return false;
    }
}

static bool start(const char *const *argv, const char *dir, int output, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (dir)
        posix_spawn_file_actions_addchdir_np(&actions, dir);
    int result = posix_spawnp(ret_pid, argv[0], &actions, NULL, (char **)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return result == 0;
}

const char *spawn_output(const char *const *argv, const char *dir, int quiet_s, size_t size_max,
    struct strbuf *out, int *ret_exit)
{
    int output[2], state = 0;
    pid_t pid;
    if (pipe2(output, O_CLOEXEC) != 0)
        return "no pipe could be made";
    bool started = start(argv, dir, output[1], &pid);
    close(output[1]);
    bool complete = started && read_output(output[0], quiet_s, size_max, out);
    close(output[0]);
    if (!started)
        return "it could not be started";
    if (!complete)
        kill(pid, SIGKILL);
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR)
        ;
    if (!complete)
        return "the command took too long or gave too much";
    *ret_exit = WIFEXITED(state) ? WEXITSTATUS(state) : -1;
    return NULL;
}
