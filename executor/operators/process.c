/* Process tasks: a supervisor minds the process; this watches the supervisor. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "executor/limits.h"
#include "executor/operators/process_attempt.h"

enum {
    /* Milliseconds between looks at files or processes where nothing tells of a change. */
    LOOK_MS = 50,
    /* Looks for the supervisor's first files, until it is taken for lost. */
    LOOKS_FOR_IDS = 200,
    /* Bytes of the log's end in which the last lines of output are looked for. */
    TAIL_BYTES = 4096,
    TAIL_LINES = 5,
};

/* What the timer waits for. */
enum process_wait { WAIT_NOTHING, WAIT_IDS, WAIT_GRACE, WAIT_GONE };

/* Polls the supervisor's pidfd; freed when the loop has closed it. */
struct watch {
    uv_poll_t poll;
    int fd;
    struct handles *handles;
    struct process *owner;
};

struct process {
    struct attempt *attempt;
    const char *folder;
    struct process_ids ids;
    bool ids_known;
    pid_t spawned; /* our child: to be waited for; 0 after adoption */
    struct watch *watch;
    struct timer *timer;
    enum process_wait wait;
    int looks;
    bool term_sent;
};

static void look(struct process *p);

/* ---- how it ends ----------------------------------------------------------------------------- */

/* The last lines that the process wrote to its standard error, or else to its standard output. */
static const char *last_words(struct process *p)
{
    struct arena *arena = p->attempt->arena;
    int fd = open(p->attempt->log_file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = size > TAIL_BYTES ? size - TAIL_BYTES : 0;
    char *text = arena_alloc(arena, TAIL_BYTES + 1);
    ssize_t n = pread(fd, text, TAIL_BYTES, from);
    close(fd);
    const char *found[2][TAIL_LINES] = {{NULL}};
    size_t count[2] = {0};
    for (char *line = n > 0 ? text : NULL, *end; line; line = end ? end + 1 : NULL) {
        end = strchr(line, '\n');
        if (end)
            *end = '\0';
        bool is_err = strlen(line) > 17 && strncmp(line + 13, "err ", 4) == 0;
        bool is_out = strlen(line) > 17 && strncmp(line + 13, "out ", 4) == 0;
        if (is_err || is_out)
            found[is_err][count[is_err]++ % TAIL_LINES] = line + 17;
    }
    bool which = count[1] > 0;
    size_t have = count[which] < TAIL_LINES ? count[which] : TAIL_LINES;
    char *words = NULL;
    for (size_t i = count[which] - have; i < count[which]; i++)
        words = arena_printf(
            arena, "%s%s%s", words ? words : "", words ? "\n" : "", found[which][i % TAIL_LINES]);
    return words;
}

/* The last line with anything in it of $DAG_XCOM. */
static enum status read_xcom(struct process *p, const char **ret, struct error *err)
{
    struct arena *arena = p->attempt->arena;
    const char *path = path_join(arena, p->folder, "xcom");
    struct slice text;
    enum status status = file_read(path, XCOM_MAX, arena, &text, err);
    if (status == ERR_NOT_FOUND)
        return OK;
    if (status) {
        error_hint(err, "write one line of at most 1 MiB; put more into a file or table, and its"
                        " name into the XCom");
        return error_context(err, "reading what the task wrote to DAG_XCOM: ");
    }
    text = slice_trim(text);
    for (size_t i = text.size; i > 0; i--) {
        if (text.p[i - 1] == '\n') {
            text = slice_make(text.p + i, text.size - i);
            break;
        }
    }
    if (!utf8_valid(text.p, text.size, NULL) || (text.size && memchr(text.p, '\0', text.size))) {
        error_set(err, ERR_VALUE_RANGE, "the last line of DAG_XCOM is not text in UTF-8");
        error_hint(err, "encode it (base64), or put it into a file and its name into the XCom");
        return ERR_VALUE_RANGE;
    }
    if (text.size)
        *ret = attempt_xcom_of_text(text, arena);
    return OK;
}

static struct attempt_result judge(struct process *p, const struct process_end *end)
{
    struct arena *arena = p->attempt->arena;
    const struct task *task = p->attempt->task;
    struct attempt_result result = {.started_us = end->started_us, .ended_us = end->ended_us};
    struct error err;
    result.exit_code = end->signalled ? 128 + end->number : end->number;
    result.detail = arena_printf(arena, "{\"exit_code\":%d}", result.exit_code);
    if (result.exit_code == 0) {
        result.outcome = OUTCOME_SUCCESS;
        if (read_xcom(p, &result.xcom, &err)) {
            result.outcome = OUTCOME_FAILED;
            result.error_class = CLASS_OTHER;
            result.message = arena_printf(arena, "%s\nhint: %s", err.message, err.hint);
            attempt_say(p->attempt, LOG_KIND_ERROR, "%s", result.message);
        }
    } else if (p->attempt->cancelled) {
        result.outcome = attempt_cancelled_outcome(p->attempt);
    } else if (task && !end->signalled && end->number == task->process->skip_on_exit_code) {
        result.outcome = OUTCOME_SKIPPED;
        result.message = arena_printf(arena, "skipped by exit status %d", end->number);
    } else {
        const char *words = last_words(p);
        const char *how = end->signalled ? arena_printf(arena, "ended by signal %d (%s)",
                                               end->number, strsignal(end->number))
                                         : arena_printf(arena, "exit status %d", end->number);
        result.outcome = OUTCOME_FAILED;
        result.error_class = CLASS_EXIT;
        result.message = words ? arena_printf(arena, "%s\n%s", how, words) : how;
        attempt_say(p->attempt, LOG_KIND_ERROR, "%s", how);
    }
    return result;
}

static void close_watch(struct process *p);

static void end(struct process *p, const struct attempt_result *result)
{
    p->wait = WAIT_NOTHING;
    timer_free(take(p->timer));
    close_watch(p);
    process_forget_script(p->folder, p->attempt->arena);
    attempt_finish(p->attempt, result);
}

static void end_lost(struct process *p)
{
    struct attempt_result result = {.outcome = OUTCOME_FAILED,
        .error_class = CLASS_OTHER,
        .exit_code = -1,
        .message = "the process was lost: its supervisor has ended without leaving a result"};
    if (p->ids_known && !p->ids.this_boot)
        result.message = "the process was lost: the machine was started again while it ran";
    if (p->attempt->cancelled)
        result.outcome = attempt_cancelled_outcome(p->attempt);
    attempt_say(p->attempt, LOG_KIND_ERROR, "%s", result.message);
    end(p, &result);
}

/* Ended on request before its child was made. */
static void end_before(struct process *p)
{
    attempt_say(p->attempt, LOG_KIND_INFO, "it had not started yet");
    end(p, &(struct attempt_result){
               .outcome = attempt_cancelled_outcome(p->attempt), .exit_code = -1});
}

static void end_never(struct process *p)
{
    end(p, &(struct attempt_result){.outcome = OUTCOME_INTERRUPTED,
               .exit_code = -1,
               .message = "it had not started yet when the scheduler ended"});
}

/* ---- watching -------------------------------------------------------------------------------- */

static void wait_for(struct process *p, enum process_wait wait, uint64_t ms)
{
    p->wait = wait;
    timer_start(p->timer, ms);
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    struct handles *handles = watch->handles;
    close(watch->fd);
    mem_free(watch);
    handles_drop(handles);
}

static void close_watch(struct process *p)
{
    struct watch *watch = take(p->watch);
    if (!watch)
        return;
    uv_poll_stop(&watch->poll);
    uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
}

static void on_supervisor_end(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct watch *watch = poll->data;
    struct process *p = watch->owner;
    if (p->spawned)
        waitpid(p->spawned, NULL, WNOHANG);
    p->spawned = 0;
    close_watch(p);
    look(p);
}

/* Waits for the end of the process that `fd` stands for; takes the descriptor. */
static bool start_watch(struct process *p, int fd)
{
    struct watch *watch = mem_alloc_zero(1, sizeof(*watch));
    struct handles *handles = attempt_handles(p->attempt);
    *watch = (struct watch){.fd = fd, .handles = handles, .owner = p};
    if (uv_poll_init(handles->loop, &watch->poll, fd)) {
        close(fd);
        mem_free(watch);
        return false;
    }
    handles_add(handles);
    watch->poll.data = watch;
    p->watch = watch;
    uv_poll_start(&watch->poll, UV_READABLE, on_supervisor_end);
    return true;
}

static void look_alive(struct process *p)
{
    if (!p->ids_known)
        p->ids_known = process_read_ids(p->folder, p->attempt->arena, &p->ids);
    int fd = p->ids_known && p->ids.this_boot
                 ? process_open(p->ids.supervisor, p->ids.supervisor_start)
                 : -1;
    if (fd >= 0 && start_watch(p, fd)) {
        p->wait = WAIT_NOTHING;
        attempt_say(p->attempt, LOG_KIND_INFO, "process %d goes on", (int)p->ids.child);
        attempt_tell_started(p->attempt);
        if (p->attempt->cancelled)
            p->attempt->operator->cancel(p->attempt, p->attempt->forced);
    } else if (p->looks++ < LOOKS_FOR_IDS) {
        wait_for(p, WAIT_IDS, LOOK_MS); /* it has the lock and is about to write, or to end */
    } else {
        end_lost(p);
    }
}

/* Nobody minds it any more: everything of it is killed, and the end confirmed, before the attempt
 * fails. */
static void look_lost(struct process *p)
{
    if (!p->ids_known)
        p->ids_known = process_read_ids(p->folder, p->attempt->arena, &p->ids);
    int left = process_kill_all(&p->ids, p->attempt->effect.attempt.text, true);
    if (left > 0)
        wait_for(p, WAIT_GONE, LOOK_MS);
    else
        end_lost(p);
}

static void look(struct process *p)
{
    struct process_end ended;
    struct attempt_result result;
    switch (process_look(p->folder, p->attempt->arena)) {
    case PROCESS_ALIVE: look_alive(p); break;
    case PROCESS_ENDED:
        if (!process_read_end(p->folder, p->attempt->arena, &ended))
            break;
        result = judge(p, &ended);
        end(p, &result);
        break;
    case PROCESS_LOST: look_lost(p); break;
    case PROCESS_NEVER:
        if (p->attempt->recovering)
            end_never(p);
        else if (p->attempt->cancelled)
            end_before(p);
        else
            end_lost(p);
        break;
    }
}

static void on_timer(void *user)
{
    struct process *p = user;
    enum process_wait wait = p->wait;
    p->wait = WAIT_NOTHING;
    if (wait == WAIT_GRACE) {
        attempt_say(
            p->attempt, LOG_KIND_INFO, "the supervisor does not end it: killing everything");
        process_kill_all(&p->ids, p->attempt->effect.attempt.text, true);
        /* The pidfd tells when the supervisor is gone. */
    } else if (wait != WAIT_NOTHING) {
        look(p);
    }
}

/* ---- start ----------------------------------------------------------------------------------- */

static struct process *new_process(struct attempt *attempt)
{
    struct process *p = arena_new_of(attempt->arena, struct process);
    p->attempt = attempt;
    p->folder = attempt_file(attempt, ".proc");
    p->timer = timer_new(attempt_handles(attempt), on_timer, p);
    attempt->own = p;
    return p;
}

static int spawn(struct process *p, const struct process_command *command)
{
    struct attempt *attempt = p->attempt;
    struct arena *arena = attempt->arena;
    size_t count = 0;
    while (command->argv[count])
        count++;
    const char **argv = arena_array(arena, const char *, count + 8);
    argv[0] = attempt_supervisor(attempt);
    argv[1] = p->folder;
    argv[2] = attempt->log_file;
    argv[3] = arena_printf(arena, "%d", ATTEMPT_LOG_MAX);
    argv[4] =
        arena_printf(arena, "%lld", (long long)(attempt->task->process->kill_grace_us / US_PER_MS));
    argv[5] = command->directory;
    argv[6] = "--";
    memcpy(argv + 7, command->argv, count * sizeof(*argv));
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, 0, 1);
    const char *trouble = file_exists(attempt->log_file) ? attempt->log_file : "/dev/null";
    posix_spawn_file_actions_addopen(&actions, 2, trouble, O_WRONLY | O_APPEND, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    int rc = posix_spawn(&p->spawned, argv[0], &actions, &attributes, (char *const *)argv,
        (char *const *)command->env);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return rc;
}

static void process_start(struct attempt *attempt)
{
    struct process *p = new_process(attempt);
    struct process_command command;
    struct error err;
    if (process_command_make(attempt, p->folder, &command, &err) ||
        attempt_write_memo(attempt, &err)) {
        attempt_fail(attempt, CLASS_OTHER, &err);
        return;
    }
    int rc = spawn(p, &command);
    int fd = rc ? -1 : process_open(p->spawned, 0);
    if (fd >= 0 && start_watch(p, fd)) {
        attempt_say(attempt, LOG_KIND_INFO, "started by supervisor %d", (int)p->spawned);
        return;
    }
    int trouble = rc ? rc : errno;
    if (!rc) { /* nobody would look after it: its child goes with it */
        kill(p->spawned, SIGKILL);
        waitpid(p->spawned, NULL, 0);
    }
    error_set(
        &err, ERR_PROCESS, "cannot start %s: %s", attempt_supervisor(attempt), strerror(trouble));
    if (trouble == ENOENT || trouble == EACCES)
        error_hint(&err, "dag-exec belongs beside dag: install both");
    attempt_fail(attempt, CLASS_OTHER, &err);
}

static void process_recover(struct attempt *attempt)
{
    look(new_process(attempt));
}

/* ---- cancel ---------------------------------------------------------------------------------- */

static void process_cancel(struct attempt *attempt, bool force)
{
    struct process *p = attempt->own;
    if (attempt->finished)
        return;
    if (!p->ids_known)
        p->ids_known = process_read_ids(p->folder, attempt->arena, &p->ids);
    if (force && p->ids_known) {
        attempt_say(attempt, LOG_KIND_INFO, "killing everything of it");
        process_kill_all(&p->ids, attempt->effect.attempt.text, false);
    }
    if (p->term_sent || !p->watch)
        return; /* without a watch the next look comes back here or ends it */
    p->term_sent = true;
    if (syscall(SYS_pidfd_send_signal, p->watch->fd, SIGTERM, NULL, 0))
        attempt_say(attempt, LOG_KIND_INFO, "SIGTERM: %s", strerror(errno));
    int64_t grace_ms = attempt->task ? attempt->task->process->kill_grace_us / US_PER_MS : 0;
    wait_for(p, WAIT_GRACE, (uint64_t)grace_ms + PROCESS_SUPERVISOR_GRACE_MS);
}

static void process_done(struct attempt *attempt)
{
    struct process *p = attempt->own;
    if (!p)
        return;
    timer_free(take(p->timer));
    close_watch(p);
}

const struct operator operator_process = {
    .name = "process",
    .renders = true,
    .outlives_daemon = true,
    .start = process_start,
    .recover = process_recover,
    .cancel = process_cancel,
    .done = process_done,
};
