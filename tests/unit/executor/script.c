#include "tests/unit/executor/script.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/string.h"
#include "tests/unit/test.h"

enum {
    FIRST_PID = 4242,
    HUGE_WORDS = 1024 * 1024,
    SCRIPT_MAX = 4096,
    CANCEL_CODE = 80877102,
    SSL_CODE = 80877103,
    GSS_CODE = 80877104,
};

#define OURS "0a0a0a0a-1111-4222-8333-444444444444"

/* By a part of the text that is asked; the first that fits counts, the last fits everything. */
static const struct {
    enum script_step step;
    const char *name, *part, *answer;
} steps[] = {
    {SCRIPT_CONNECT, "connect", NULL,
        "R;S server_version=15.4;S client_encoding=UTF8;S standard_conforming_strings=on;K;Z I"},
    {SCRIPT_FACTS, "facts", "pg_catalog.version()",
        "T 4;D PostgreSQL 15.4 on a script|$pid|2026-01-01 00:00:00.000000|f;C SELECT 1;Z I"},
    {SCRIPT_LEDGER, "ledger", "SELECT id, version", "T 2;D " OURS "|1;C SELECT 1;Z I"},
    {SCRIPT_BEGIN, "begin", "BEGIN", "C BEGIN;C SET;T 2;D 777|f;C SELECT 1;Z T"},
    {SCRIPT_CLAIM, "claim", ".claim (", "C INSERT 0 1;C SET;Z T"},
    {SCRIPT_CLOSE, "close", "SET CONSTRAINTS", "C SET CONSTRAINTS;C SET;T 1;D 777;C SELECT 1;Z T"},
    {SCRIPT_COMMIT, "commit", "; COMMIT", "C INSERT 0 1;C COMMIT;Z I"},
    {SCRIPT_ROLLBACK, "rollback", "ROLLBACK", "C ROLLBACK;Z I"},
    {SCRIPT_READ, "read", "SELECT c.attempt", "T 3;D " OURS "|f|~;C SELECT 1;Z I"},
    {SCRIPT_TERMINATE, "terminate", "pg_terminate_backend", "T 3;C SELECT 0;Z I"},
    {SCRIPT_GONE, "gone", "pg_catalog.pg_stat_activity", "T 1;D 0;C SELECT 1;Z I"},
    {SCRIPT_DISCARD, "discard", "DISCARD ALL", "C DISCARD ALL;Z I"},
    {SCRIPT_STATEMENT, "statement", "", "C INSERT 0 1;Z T"},
};

static struct {
    int listener;
    pthread_mutex_t mutex;
    char scripts[SCRIPT_COUNT][SCRIPT_MAX]; /* under the mutex; empty = none */
    atomic_int came[SCRIPT_COUNT], cancels, chop, pids;
} server = {.listener = -1, .mutex = PTHREAD_MUTEX_INITIALIZER};

struct peer {
    int fd, pid;
    bool open, half;
};

/* ---- bytes ----------------------------------------------------------------------------------- */

static bool read_all(int fd, void *to, size_t size)
{
    char *at = to;
    while (size) {
        ssize_t n = read(fd, at, size);
        if (n <= 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

static void send_bytes(struct peer *peer, const char *bytes, size_t size)
{
    size_t step = server.chop ? (size_t)server.chop : size;
    while (peer->open && size) {
        size_t part = size < step ? size : step;
        ssize_t n = send(peer->fd, bytes, part, MSG_NOSIGNAL);
        if (n <= 0)
            peer->open = false;
        bytes += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
}

static void add_int(struct strbuf *to, uint64_t value, size_t size)
{
    for (size_t i = size; i-- > 0;)
        strbuf_add_char(to, (char)(value >> (8 * i)));
}

static void add_text(struct strbuf *to, const char *text)
{
    strbuf_add_str(to, text);
    strbuf_add_char(to, '\0');
}

static void send_message(struct peer *peer, char type, const struct strbuf *body)
{
    struct strbuf message = {0};
    strbuf_add_char(&message, type);
    add_int(&message, (uint32_t)body->size + 4, 4);
    if (body->size)
        strbuf_add_slice(&message, slice_make(body->text, body->size));
    send_bytes(peer, message.text, peer->half ? message.size / 2 : message.size);
    if (peer->half)
        peer->open = false;
    strbuf_done(&message);
}

static uint32_t get_int(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The type and, on the heap with a zero behind it, the body of what the client says. */
static bool read_message(struct peer *peer, char *ret_type, char **ret_body)
{
    unsigned char head[5];
    if (!read_all(peer->fd, head, sizeof(head)))
        return false;
    size_t size = get_int(head + 1) - 4;
    char *body = mem_alloc(size + 1);
    body[size] = '\0';
    *ret_type = (char)head[0];
    *ret_body = body;
    return read_all(peer->fd, body, size);
}

/* ---- messages -------------------------------------------------------------------------------- */

static void add_columns(struct strbuf *body, const char *text)
{
    int64_t count = 0;
    (void)parse_int64(slice_of(text), &count);
    add_int(body, (uint32_t)count, 2);
    for (int64_t i = 0; i < count; i++) {
        add_text(body, "c");
        add_int(body, 0, 6);          /* no table */
        add_int(body, 25, 4);         /* text */
        add_int(body, UINT32_MAX, 2); /* of any size */
        add_int(body, UINT32_MAX, 4);
        add_int(body, 0, 2);
    }
}

static void add_row(struct strbuf *body, const char *values)
{
    uint32_t count = *values != '\0';
    for (const char *p = values; *p; p++)
        count += *p == '|';
    add_int(body, count, 2);
    for (const char *p = values; count; count--) {
        size_t size = strcspn(p, "|");
        bool null = size == 1 && *p == '~';
        add_int(body, null ? UINT32_MAX : (uint32_t)size, 4);
        if (!null)
            strbuf_add_slice(body, slice_make(p, size));
        p += size + 1;
    }
}

static void add_field(struct strbuf *body, char code, const char *text)
{
    strbuf_add_char(body, code);
    add_text(body, text);
}

/* "FATAL 57P01 words" */
static void add_error(struct strbuf *body, const char *text)
{
    char severity[16] = "", sqlstate[16] = "";
    int at = 0;
    if (sscanf(text, "%15s %15s %n", severity, sqlstate, &at) != 2)
        abort();
    add_field(body, 'S', severity);
    add_field(body, 'V', severity);
    if (*sqlstate != '-')
        add_field(body, 'C', sqlstate);
    if (strcmp(text + at, "huge") == 0) {
        char *words = mem_alloc(HUGE_WORDS + 1);
        memset(words, 'x', HUGE_WORDS);
        words[HUGE_WORDS] = '\0';
        add_field(body, 'M', words);
        mem_free(words);
    } else if (text[at]) {
        add_field(body, 'M', text + at);
    }
    strbuf_add_char(body, '\0');
}

static void add_setting(struct strbuf *body, const char *text)
{
    size_t size = strcspn(text, "=");
    strbuf_add_slice(body, slice_make(text, size));
    strbuf_add_char(body, '\0');
    add_text(body, text + size + 1);
}

static void fill(struct strbuf *body, const struct peer *peer, char type, const char *text)
{
    switch (type) {
    case 'R': add_int(body, 0, 4); break;
    case 'K':
        add_int(body, (uint32_t)peer->pid, 4);
        add_int(body, 1, 4);
        break;
    case 'S': add_setting(body, text); break;
    case 'Z': strbuf_add_char(body, *text); break;
    case 'C': add_text(body, text); break;
    case 'T': add_columns(body, text); break;
    case 'D': add_row(body, text); break;
    case 'E':
    case 'N': add_error(body, text); break;
    case 'G':
    case 'H':
    case 'W': add_int(body, 0, 3); break;
    case 'd': strbuf_add_str(body, text); break;
    case 'A':
        add_int(body, (uint32_t)peer->pid, 4);
        add_text(body, "channel");
        add_text(body, "payload");
        break;
    case 'I':
    case 'c': break;
    default: abort();
    }
}

/* What the client sends for a COPY, up to its end. */
static void read_copy(struct peer *peer)
{
    char type = 0;
    while (peer->open && type != 'c' && type != 'f') {
        char *body = NULL;
        peer->open = read_message(peer, &type, &body);
        mem_free(body);
    }
}

static void send_one(struct peer *peer, const char *word)
{
    char type = *word;
    size_t digits = strspn(word + 1, "0123456789");
    int64_t times = 1;
    if (digits)
        (void)parse_int64(slice_make(word + 1, digits), &times);
    const char *rest = word + 1 + digits;
    struct strbuf body = {0};
    fill(&body, peer, type, *rest == ' ' ? rest + 1 : rest);
    for (int64_t i = 0; peer->open && i < times; i++)
        send_message(peer, type, &body);
    strbuf_done(&body);
    if (type == 'G')
        read_copy(peer);
}

/* ---- scripts --------------------------------------------------------------------------------- */

static void say(struct peer *peer, enum script_step step, const char *messages);

static void be_silent(struct peer *peer, bool until_cancel)
{
    int before = server.cancels;
    while (peer->open && !(until_cancel && server.cancels > before)) {
        struct pollfd fd = {.fd = peer->fd, .events = POLLRDHUP};
        if (poll(&fd, 1, 10) > 0)
            peer->open = false;
    }
}

static void reset(struct peer *peer)
{
    struct linger hard = {1, 0};
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    peer->open = false;
}

static const char *answer_of(enum script_step step)
{
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        if (steps[i].step == step)
            return steps[i].answer;
    abort();
}

static void act(struct peer *peer, enum script_step step, const char *word)
{
    if (strcmp(word, "default") == 0)
        say(peer, step, answer_of(step));
    else if (strcmp(word, "half") == 0)
        peer->half = true;
    else if (strcmp(word, "fin") == 0)
        peer->open = false;
    else if (strcmp(word, "rst") == 0)
        reset(peer);
    else if (strcmp(word, "hang") == 0)
        be_silent(peer, false);
    else if (strcmp(word, "wait") == 0)
        be_silent(peer, true);
    else if (*word == '!')
        send_bytes(peer, word + 2, strlen(word + 2));
    else
        send_one(peer, word);
}

static void say(struct peer *peer, enum script_step step, const char *messages)
{
    while (peer->open && *messages) {
        char word[512], text[600];
        size_t size = strcspn(messages, ";");
        snprintf(word, sizeof(word), "%.*s", (int)size, messages);
        char *pid = strstr(word, "$pid");
        if (pid)
            snprintf(text, sizeof(text), "%.*s%d%s", (int)(pid - word), word, peer->pid, pid + 4);
        act(peer, step, pid ? text : word);
        messages += messages[size] ? size + 1 : size;
    }
}

static void answer(struct peer *peer, enum script_step step)
{
    char script[SCRIPT_MAX];
    server.came[step]++;
    pthread_mutex_lock(&server.mutex);
    memcpy(script, server.scripts[step], sizeof(script));
    pthread_mutex_unlock(&server.mutex);
    say(peer, step, *script ? script : answer_of(step));
}

static enum script_step step_of(const char *text)
{
    for (size_t i = 1; i < ARRAY_SIZE(steps); i++) {
        bool first = steps[i].step == SCRIPT_BEGIN || steps[i].step == SCRIPT_ROLLBACK;
        const char *found = strstr(text, steps[i].part);
        if (found && (!first || found == text))
            return steps[i].step;
    }
    abort();
}

/* The packets before the startup packet's body: TLS and GSS are declined, cancels counted. */
static bool greet(struct peer *peer)
{
    for (;;) {
        unsigned char head[8];
        char rest[4096];
        if (!read_all(peer->fd, head, sizeof(head)))
            return false;
        uint32_t size = get_int(head) - 8, code = get_int(head + 4);
        if (size > sizeof(rest) || !read_all(peer->fd, rest, size))
            return false;
        if (code == CANCEL_CODE)
            server.cancels++;
        if (code != SSL_CODE && code != GSS_CODE)
            return code != CANCEL_CODE;
        if (send(peer->fd, "N", 1, MSG_NOSIGNAL) != 1)
            return false;
    }
}

static void *serve(void *argument)
{
    struct peer *peer = argument;
    int yes = 1;
    setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    peer->open = greet(peer);
    if (peer->open)
        answer(peer, SCRIPT_CONNECT);
    while (peer->open) {
        char type = 0, *body = NULL;
        if (!read_message(peer, &type, &body) || type == 'X')
            peer->open = false;
        else if (type == 'Q')
            answer(peer, step_of(body));
        mem_free(body);
    }
    close(peer->fd);
    mem_free(peer);
    return NULL;
}

static void *accept_all(void *argument)
{
    (void)argument;
    for (;;) {
        int fd = accept(server.listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        struct peer *peer = mem_alloc_zero(1, sizeof(*peer));
        peer->fd = fd;
        peer->pid = FIRST_PID + server.pids++;
        pthread_t thread;
        pthread_create(&thread, NULL, serve, peer);
        pthread_detach(thread);
    }
}

/* ---- for the test ---------------------------------------------------------------------------- */

const char *script_start(void)
{
    static char uri[128];
    if (server.listener >= 0)
        return uri;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(bind(server.listener, (struct sockaddr *)&address, size) == 0);
    REQUIRE(listen(server.listener, 64) == 0);
    REQUIRE(getsockname(server.listener, (struct sockaddr *)&address, &size) == 0);
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, accept_all, NULL) == 0);
    pthread_detach(thread);
    snprintf(uri, sizeof(uri), "postgresql://dag@127.0.0.1:%d/script", ntohs(address.sin_port));
    return uri;
}

void script_reset(void)
{
    pthread_mutex_lock(&server.mutex);
    memset(server.scripts, 0, sizeof(server.scripts));
    pthread_mutex_unlock(&server.mutex);
    for (int i = 0; i < SCRIPT_COUNT; i++)
        server.came[i] = 0;
    server.cancels = server.chop = 0;
}

void script_set(enum script_step step, const char *messages)
{
    REQUIRE(strlen(messages) < SCRIPT_MAX);
    pthread_mutex_lock(&server.mutex);
    snprintf(server.scripts[step], SCRIPT_MAX, "%s", messages);
    pthread_mutex_unlock(&server.mutex);
}

void script_chop(int bytes)
{
    server.chop = bytes;
}

int script_came(enum script_step step)
{
    return server.came[step];
}

int script_cancels(void)
{
    return server.cancels;
}

const char *script_step_name(enum script_step step)
{
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        if (steps[i].step == step)
            return steps[i].name;
    abort();
}
