#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "executor/supervisor/supervisor.h"

enum {
    EXIT_TAKEN = 3, /* another one minds this folder, or has */
    EXIT_BROKEN = 4,
};

static struct {
    int folder, signals;
    const char *directory;
    char **program;
    pid_t child;
    bool ended, told_to_end;
    int status;
    int64_t started_us;
    int64_t grace_ms;
    int64_t kill_at_ms;  /* 0 = not yet */
    int64_t drain_at_ms; /* 0 = not yet */
    struct output out, err;
} me = {.out = {.kind = "out"}, .err = {.kind = "err"}};

static int broken(const char *what)
{
    char text[256];
    int size = snprintf(text, sizeof(text), "dag-exec: %s: %s", what, strerror(errno));
    log_line("error", text, (size_t)size);
    return EXIT_BROKEN;
}

static bool exists(const char *name)
{
    struct stat st;
    return fstatat(me.folder, name, &st, 0) == 0;
}

/* What is in it survives the machine.  The folder is not flushed: journals have a new name by then,
   and should one not have it, the process is taken for lost, or for not started, and may run again.
 */
static bool write_file(const char *name, const char *text)
{
    int fd = openat(me.folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t size = strlen(text);
    bool ok = fd >= 0 && write(fd, text, size) == (ssize_t)size && fdatasync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

/* True when this process is the first, and the only one, to mind the folder. */
static bool take_folder(void)
{
    int lock = openat(me.folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB))
        return false;
    return !exists("result") && !exists("pids");
}

static bool write_pids(void)
{
    char boot[64] = "", text[512];
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, boot, sizeof(boot) - 1) : 0;
    if (fd >= 0)
        close(fd);
    boot[n > 0 ? n : 0] = '\0';
    boot[strcspn(boot, "\n")] = '\0';
    snprintf(text, sizeof(text), "supervisor %d %llu\nchild %d %llu\nboot %s\n", (int)getpid(),
        process_start(getpid()), (int)me.child, process_start(me.child), boot);
    return write_file("pids", text); /* the child waits: nobody needs the half of it */
}

/* Nothing of ours: signals as a process gets them at first, no core files, which would hold the
   secrets of its environment (a script may raise the limit again). */
static void leave_ours(void)
{
    /* As the kernel has it, all zero: libc's own call refuses two signals that it keeps to itself.
     */
    static const char usual[64];
    struct rlimit core;
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        syscall(SYS_rt_sigaction, number, usual, NULL, (NSIG - 1) / 8); /* refused for KILL, STOP */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (getrlimit(RLIMIT_CORE, &core) == 0) {
        core.rlim_cur = 0;
        setrlimit(RLIMIT_CORE, &core);
    }
}

/* Where execvp would have found it: argv[0] itself, or in PATH. */
static bool find_program(const char *name, char *path, size_t size)
{
    if (strchr(name, '/'))
        return snprintf(path, size, "%s", name) < (int)size && access(path, F_OK) == 0;
    const char *at = getenv("PATH");
    while (at && *at) {
        size_t part = strcspn(at, ":");
        if (snprintf(path, size, "%.*s/%s", (int)part, at, name) < (int)size &&
            access(path, F_OK) == 0)
            return true;
        at += part + (at[part] == ':');
    }
    return false;
}

/* What its first line names, when that is what is missing; false when it names nothing. */
static bool read_interpreter(const char *path, char *name, size_t size)
{
    char line[256] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd >= 0 ? read(fd, line, sizeof(line) - 1) : -1;
    if (fd >= 0)
        close(fd);
    if (n < 3 || line[0] != '#' || line[1] != '!')
        return false;
    const char *from = line + 2 + strspn(line + 2, " \t");
    snprintf(name, size, "%.*s", (int)strcspn(from, " \t\r\n"), from);
    return true;
}

/* Says why the program does not run and what to do; gives the exit status. */
static int tell_not_run(int error)
{
    char path[4096], interpreter[256];
    const char *name = me.program[0];
    if (!find_program(name, path, sizeof(path))) {
        const char *places = getenv("PATH");
        if (strchr(name, '/'))
            dprintf(2, "dag-exec: cannot run %s: there is no such file\n", name);
        else
            dprintf(2,
                "dag-exec: cannot run %s: it is in no folder of PATH (%s): install it, or give its"
                " whole path\n",
                name, places ? places : "not set");
        return 127;
    }
    bool script = read_interpreter(path, interpreter, sizeof(interpreter));
    if (error == ENOENT && script)
        dprintf(2, "dag-exec: cannot run %s: its first line asks for %s, which is not there\n",
            path, interpreter);
    else if (error == EACCES)
        dprintf(
            2, "dag-exec: cannot run %s: %s (is it executable? chmod +x)\n", path, strerror(error));
    else
        dprintf(2, "dag-exec: cannot run %s: %s\n", path, strerror(error));
    return error == ENOENT ? 127 : 126;
}

/* In the child.  Nothing is run before the daemon can know who it is: the parent's byte says so. */
static void run_child(int start, const int out[2], const int err[2])
{
    char go;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(null, 0);
    dup2(out[1], 1);
    dup2(err[1], 2);
    leave_ours();
    if (read(start, &go, 1) != 1)
        _exit(126);
    if (chdir(me.directory)) {
        dprintf(
            2, "dag-exec: cannot enter %s: %s (the task's `cwd`)\n", me.directory, strerror(errno));
        _exit(126);
    }
    execvp(me.program[0], me.program);
    _exit(tell_not_run(errno));
}

static int start_child(void)
{
    int start[2], out[2], err[2];
    if (pipe2(start, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
        return broken("pipe");
    me.child = fork();
    if (me.child < 0)
        return broken("fork");
    if (me.child == 0)
        run_child(start[0], out, err);
    setpgid(me.child, me.child);
    close(start[0]);
    close(out[1]);
    close(err[1]);
    me.out.fd = out[0];
    me.err.fd = err[0];
    fcntl(me.out.fd, F_SETFL, O_NONBLOCK);
    fcntl(me.err.fd, F_SETFL, O_NONBLOCK);
    if (!write_pids()) {
        kill(me.child, SIGKILL);
        return broken("writing pids");
    }
    me.started_us = wall_us();
    if (write(start[1], "", 1) != 1)
        return broken("starting the child");
    close(start[1]);
    return 0;
}

static void on_child_signal(void)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != me.child)
            continue;
        me.ended = true;
        me.status = status;
        me.drain_at_ms = mono_ms() + DRAIN_MS;
    }
}

static void on_signals(void)
{
    struct signalfd_siginfo info;
    while (read(me.signals, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGCHLD) {
            on_child_signal();
        } else if (!me.told_to_end) {
            me.told_to_end = true;
            me.kill_at_ms = mono_ms() + me.grace_ms;
            log_say("SIGTERM to process group %d; SIGKILL in %.1f s", (int)me.child,
                (double)me.grace_ms / 1000.0);
            signal_all(me.child, SIGTERM);
        }
    }
}

static int next_timeout(void)
{
    int64_t at = me.ended ? me.drain_at_ms : me.kill_at_ms;
    if (!at)
        return -1;
    int64_t left = at - mono_ms();
    return left < 0 ? 0 : (int)left;
}

static void read_output(struct output *output, short revents)
{
    if (output->fd >= 0 && revents)
        output_read(output);
}

/* Until the child has ended and its output, too (or what is left of it holds the pipes for too
 * long). */
static void mind(void)
{
    while (!(me.ended && me.out.fd < 0 && me.err.fd < 0)) {
        struct pollfd fds[] = {
            {.fd = me.signals, .events = POLLIN},
            {.fd = me.out.fd, .events = POLLIN},
            {.fd = me.err.fd, .events = POLLIN},
        };
        int ready = poll(fds, 3, next_timeout());
        if (ready < 0 && errno != EINTR)
            return;
        if (ready > 0 && fds[0].revents)
            on_signals();
        if (ready > 0) {
            read_output(&me.out, fds[1].revents);
            read_output(&me.err, fds[2].revents);
        }
        if (me.ended && mono_ms() >= me.drain_at_ms)
            return;
        if (!me.ended && me.kill_at_ms && mono_ms() >= me.kill_at_ms) {
            log_say("SIGKILL: it did not end within the grace");
            signal_all(me.child, SIGKILL);
            me.kill_at_ms = INT64_MAX;
        }
    }
}

static bool has_output(const struct output *output)
{
    struct pollfd fd = {.fd = output->fd, .events = POLLIN};
    return output->fd >= 0 && poll(&fd, 1, 0) > 0;
}

static void drain(struct output *output)
{
    while (has_output(output)) {
        if (!output_read(output))
            break;
    }
}

static int finish(void)
{
    char text[256];
    int left = reap_all(me.child, me.ended, &me.status);
    if (left > 0)
        log_say("killed %d process%s that it left behind", left, left == 1 ? "" : "es");
    drain(&me.out);
    drain(&me.err);
    bool signalled = WIFSIGNALED(me.status);
    snprintf(text, sizeof(text), "%s %d\nstarted_us %lld\nended_us %lld\n",
        signalled ? "signal" : "exit", signalled ? WTERMSIG(me.status) : WEXITSTATUS(me.status),
        (long long)me.started_us, (long long)wall_us());
    log_close();
    /* By rename: the name means that the whole is there. */
    bool written = write_file("result.new", text) &&
                   renameat(me.folder, "result.new", me.folder, "result") == 0;
    return written ? 0 : broken("writing the result");
}

static void take_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    me.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setsid(); /* fails when the daemon has done so already */
}

int main(int argc, char **argv)
{
    if (argc < 8 || strcmp(argv[6], "--") != 0) {
        fprintf(stderr, "usage: dag-exec FOLDER LOG LOG_MAX GRACE_MS DIRECTORY -- PROGRAM …\n");
        return 2;
    }
    me.folder = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    log_open(argv[2], strtoll(argv[3], NULL, 10));
    me.grace_ms = strtoll(argv[4], NULL, 10);
    me.directory = argv[5];
    me.program = argv + 7;
    if (me.folder < 0)
        return broken(argv[1]);
    if (!take_folder())
        return EXIT_TAKEN;
    const char *secrets = getenv("DAG_EXEC_SECRETS");
    log_secrets(secrets ? strdup(secrets) : NULL);
    unsetenv("DAG_EXEC_SECRETS");
    take_signals();
    int status = start_child();
    if (status)
        return status;
    mind();
    return finish();
}
