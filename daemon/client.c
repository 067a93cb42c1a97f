#include "daemon/client.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "daemon/limits.h"

static enum status nobody_there(struct error *err)
{
    error_set(err, ERR_NO_DAEMON, "the daemon of this project is not running");
    error_hint(err, "start it with `dag up`");
    return ERR_NO_DAEMON;
}

/* Whether a process is stopped: the state in /proc/PID/stat stands behind the name's last ')'. */
static bool is_stopped(pid_t pid)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct slice text;
    const char *path = arena_printf(arena, "/proc/%d/stat", (int)pid);
    if (file_read(path, 4096, arena, &text, NULL) != OK)
        return false;
    const char *end = strrchr(text.p, ')');
    return end && (end[2] == 'T' || end[2] == 't');
}

static pid_t peer_of(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

/* Somebody listens and does not answer.  `fd` may be -1. */
static enum status is_silent(int fd, struct error *err)
{
    pid_t pid = peer_of(fd);
    if (pid && is_stopped(pid)) {
        error_set(err, ERR_DAEMON_SILENT, "the daemon, process %d, is stopped", (int)pid);
        error_hint(err,
            "continue it with `kill -CONT %d`; or end it with `kill -KILL %d` and "
            "start it with `dag up`",
            (int)pid, (int)pid);
        return ERR_DAEMON_SILENT;
    }
    error_set(err, ERR_DAEMON_SILENT, "the daemon does not answer within %d s",
        DAEMON_ALIVE_TIMEOUT_MS / 1000);
    error_hint(err, "its process is named in leader.lock in the state folder: try again, or end it "
                    "and start it with `dag up`");
    return ERR_DAEMON_SILENT;
}

/* The path may be longer than a socket address holds: connect by the directory's descriptor. */
static enum status make_address(const char *state, struct sockaddr_un *ret, struct error *err)
{
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    int size = snprintf(ret->sun_path, sizeof(ret->sun_path), "%s/socket", state);
    if (size < (int)sizeof(ret->sun_path))
        return OK;
    error_set(err, ERR_INVALID, "the state directory's path is too long for a socket: %s", state);
    error_hint(err, "set `state:` in dag.yaml to a shorter path (under %zu characters)",
        sizeof(ret->sun_path) - 8);
    return ERR_INVALID;
}

static enum status connect_to(const char *state, int *ret_fd, struct error *err)
{
    struct sockaddr_un address;
    enum status status = make_address(state, &address, err);
    if (status != OK)
        return status;
    /* Non-blocking: whom nobody accepts any more would wait for a place. */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_set(err, ERR_IO, "socket: %m");
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        if (errno == EAGAIN)
            status = is_silent(-1, err);
        else if (errno == ENOENT || errno == ENOTDIR || errno == ECONNREFUSED)
            status = nobody_there(err);
        else
            status = error_set(err, ERR_IO, "%s: %m", address.sun_path);
        close(fd);
        return status;
    }
    *ret_fd = fd;
    return OK;
}

/* Until the socket can be read (or written), for so long; false when it cannot. */
static bool wait_for(int fd, short events, int64_t until_mono_us)
{
    for (;;) {
        int64_t left_ms = (until_mono_us - clock_now().mono_us) / US_PER_MS;
        struct pollfd poll_fd = {.fd = fd, .events = events};
        int ready = left_ms > 0 ? poll(&poll_fd, 1, (int)left_ms) : 0;
        if (ready >= 0 || errno != EINTR)
            return ready != 0;
    }
}

static int64_t after_ms(int64_t ms)
{
    return clock_now().mono_us + ms * US_PER_MS;
}

static enum status send_line(int fd, const char *line, struct error *err)
{
    struct strbuf text = {0};
    int64_t deadline = after_ms(DAEMON_ANSWER_TIMEOUT_MS);
    strbuf_printf(&text, "%s\n", line);
    size_t sent = 0;
    while (sent < text.size) {
        ssize_t size = send(fd, text.text + sent, text.size - sent, MSG_NOSIGNAL);
        if (size < 0 && (errno == EINTR || (errno == EAGAIN && wait_for(fd, POLLOUT, deadline))))
            continue;
        if (size < 0)
            break;
        sent += (size_t)size;
    }
    bool all = sent == text.size;
    strbuf_done(&text);
    return all ? OK : error_set(err, ERR_NO_DAEMON, "the daemon hung up: %m");
}

/* Waits for the end of a line; ERR_TIMEOUT without a message when it does not come. */
static enum status receive_line(
    int fd, int64_t until_mono_us, struct strbuf *text, struct error *err)
{
    while (!text->size || text->text[text->size - 1] != '\n') {
        char buffer[4096];
        if (!wait_for(fd, POLLIN, until_mono_us))
            return ERR_TIMEOUT;
        ssize_t size = recv(fd, buffer, sizeof(buffer), 0);
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (size <= 0) {
            error_set(err, ERR_INTERRUPTED, "the daemon ended before it answered");
            error_hint(err, "`dag status` shows whether the act was recorded");
            return ERR_INTERRUPTED;
        }
        strbuf_add(text, buffer, (size_t)size);
    }
    return OK;
}

/* A sign of life before anything is asked: what a daemon that is stopped has been sent it would
   carry out when it is continued, long after its caller was told that it failed. */
static enum status check_alive(int fd, struct error *err)
{
    struct strbuf text = {0};
    enum status status = send_line(fd, "{\"op\": \"ping\"}", err);
    if (status == OK)
        status = receive_line(fd, after_ms(DAEMON_ALIVE_TIMEOUT_MS), &text, err);
    strbuf_done(&text);
    if (status == ERR_INTERRUPTED) /* it was about to end */
        return nobody_there(err);
    return status == ERR_TIMEOUT ? is_silent(fd, err) : status;
}

static enum status receive_answer(int fd, struct strbuf *text, struct error *err)
{
    int64_t until_us = after_ms(DAEMON_ANSWER_TIMEOUT_MS);
    while (clock_now().mono_us < until_us) {
        enum status status = receive_line(fd, after_ms(DAEMON_ALIVE_TIMEOUT_MS), text, err);
        if (status != ERR_TIMEOUT)
            return status;
        if (is_stopped(peer_of(fd)))
            return is_silent(fd, err);
    }
    error_set(err, ERR_DAEMON_SILENT, "the daemon has not answered within %d s",
        DAEMON_ANSWER_TIMEOUT_MS / 1000);
    error_hint(err, "look at its log; the act may still be carried out: `dag status`");
    return ERR_DAEMON_SILENT;
}

enum status client_call(const char *state, const char *line, json_t **ret, struct error *err)
{
    int fd = -1;
    if (strlen(line) >= DAEMON_REQUEST_SIZE_MAX)
        return error_set(err, ERR_LIMIT, "a request is at most %d bytes long, this one is %zu",
            DAEMON_REQUEST_SIZE_MAX, strlen(line));
    enum status status = connect_to(state, &fd, err);
    if (status != OK)
        return status;
    struct strbuf text = {0};
    status = check_alive(fd, err);
    if (status == OK)
        status = send_line(fd, line, err);
    if (status == OK)
        status = receive_answer(fd, &text, err);
    if (status == OK)
        status = json_parse(strbuf_text(&text), text.size, NULL, ret, err);
    strbuf_done(&text);
    close(fd);
    return status;
}

enum status client_error(const json_t *answer, struct error *err)
{
    const char *name = json_string_value(json_object_get(answer, "error"));
    if (!name)
        return OK;
    enum status status = status_find(name, ERR_INTERNAL);
    const char *message = json_string_value(json_object_get(answer, "message"));
    const char *hint = json_string_value(json_object_get(answer, "hint"));
    error_set(err, status, "%s", message ? message : name);
    if (hint && *hint)
        error_hint(err, "%s", hint);
    return status;
}

bool client_alive(const char *state)
{
    json_t *answer = NULL;
    struct error err;
    enum status status = client_call(state, "{\"op\": \"ping\"}", &answer, &err);
    json_decref(answer);
    return status == OK || status == ERR_DAEMON_SILENT;
}
