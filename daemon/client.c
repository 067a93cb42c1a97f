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
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set(err, ERR_IO, "socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        status = errno == ENOENT || errno == ECONNREFUSED
                     ? nobody_there(err)
                     : error_set(err, ERR_IO, "%s: %s", address.sun_path, strerror(errno));
        close(fd);
        return status;
    }
    *ret_fd = fd;
    return OK;
}

static enum status send_line(int fd, const char *line, struct error *err)
{
    struct strbuf text = {0};
    strbuf_printf(&text, "%s\n", line);
    size_t sent = 0;
    while (sent < text.size) {
        ssize_t size = send(fd, text.text + sent, text.size - sent, MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            break;
        sent += (size_t)size;
    }
    bool all = sent == text.size;
    strbuf_done(&text);
    return all ? OK : error_set(err, ERR_NO_DAEMON, "the daemon hung up: %s", strerror(errno));
}

static enum status receive_line(int fd, struct strbuf *text, struct error *err)
{
    int64_t deadline = clock_now().mono_us + DAEMON_ANSWER_TIMEOUT_MS * US_PER_MS;
    while (!text->size || text->text[text->size - 1] != '\n') {
        int64_t left_ms = (deadline - clock_now().mono_us) / US_PER_MS;
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        int ready = left_ms > 0 ? poll(&poll_fd, 1, (int)left_ms) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready == 0) {
            error_set(err, ERR_TIMEOUT, "the daemon has not answered within %d s",
                DAEMON_ANSWER_TIMEOUT_MS / 1000);
            error_hint(err, "look at its log; the act may still be carried out: `dag status`");
            return ERR_TIMEOUT;
        }
        char buffer[4096];
        ssize_t size = recv(fd, buffer, sizeof(buffer), 0);
        if (size <= 0) {
            error_set(err, ERR_INTERRUPTED, "the daemon ended before it answered");
            error_hint(err, "`dag status` shows whether the act was recorded");
            return ERR_INTERRUPTED;
        }
        strbuf_add(text, buffer, (size_t)size);
    }
    return OK;
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
    status = send_line(fd, line, err);
    if (status == OK)
        status = receive_line(fd, &text, err);
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
    bool alive = client_call(state, "{\"op\": \"ping\"}", &answer, &err) == OK;
    json_decref(answer);
    return alive;
}
