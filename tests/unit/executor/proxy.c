#include "tests/unit/executor/proxy.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "tests/unit/executor/postgres.h"
#include "tests/unit/test.h"

static struct {
    int listener;
    atomic_int mode, commits, connections;
    char server[100], path[100];
} proxy = {.listener = -1};

struct pair {
    int client, server;
};

static int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
        close(fd);
        return -1;
    }
    return fd;
}

static void pass(int to, const char *bytes, ssize_t size)
{
    while (size > 0) {
        ssize_t n = send(to, bytes, (size_t)size, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        bytes += n;
        size -= n;
    }
}

/* Reads until the server has answered, so that the commit is done. */
static void swallow_answer(int server)
{
    char bytes[8192];
    struct pollfd fd = {.fd = server, .events = POLLIN};
    if (poll(&fd, 1, 5000) > 0)
        (void)!read(server, bytes, sizeof(bytes));
}

/* Until the mode is another one. */
static void hold(enum proxy_mode mode)
{
    while (proxy.mode == (int)mode)
        poll(NULL, 0, 2);
}

static void wait_for_end(int client)
{
    char bytes[64];
    while (read(client, bytes, sizeof(bytes)) > 0)
        continue;
}

/* False: the connection ends. */
static bool break_begin(const struct pair *pair)
{
    static const char timed_out[] = "E\0\0\0\x41SERROR\0C57014\0"
                                    "Mcanceling statement due to statement timeout\0\0"
                                    "Z\0\0\0\5I";
    int drop = PROXY_DROP_BEGIN;
    if (atomic_compare_exchange_strong(&proxy.mode, &drop, PROXY_PASS))
        return false;
    pass(pair->client, timed_out, sizeof(timed_out) - 1);
    return true;
}

/* The same. */
static bool from_client(const struct pair *pair)
{
    static const char commit[] = "COMMIT"; /* a text's last command */
    char bytes[8192];
    ssize_t n = read(pair->client, bytes, sizeof(bytes));
    if (n <= 0)
        return false;
    bool is_commit = n >= (ssize_t)sizeof(commit) && bytes[0] == 'Q' &&
                     memcmp(bytes + n - sizeof(commit), commit, sizeof(commit)) == 0;
    bool is_begin = n >= 10 && bytes[0] == 'Q' && memcmp(bytes + 5, "BEGIN", 5) == 0;
    int mode = proxy.mode;
    if (is_begin && (mode == PROXY_DROP_BEGIN || mode == PROXY_TIME_OUT_BEGIN))
        return break_begin(pair);
    if (is_commit)
        proxy.commits++;
    if (is_commit && mode == PROXY_DROP_BEFORE_COMMIT)
        return false;
    if (is_commit && mode == PROXY_HOLD_COMMIT)
        hold(PROXY_HOLD_COMMIT);
    pass(pair->server, bytes, n);
    if (is_commit && (mode == PROXY_DROP_AFTER_COMMIT || mode == PROXY_HANG_AFTER_COMMIT)) {
        swallow_answer(pair->server);
        if (mode == PROXY_HANG_AFTER_COMMIT)
            wait_for_end(pair->client);
        return false;
    }
    return true;
}

/* BackendKeyData: 'K', length 12, pid, secret. */
static void change_pid(char *bytes, ssize_t size)
{
    static const char key[] = "K\0\0\0\14";
    char *found = memmem(bytes, (size_t)size, key, 5);
    if (found)
        found[8] = (char)(found[8] + 1);
}

static bool from_server(const struct pair *pair)
{
    char bytes[8192];
    ssize_t n = read(pair->server, bytes, sizeof(bytes));
    if (n <= 0)
        return false;
    if (proxy.mode == PROXY_LIE_ABOUT_PID)
        change_pid(bytes, n);
    pass(pair->client, bytes, n);
    return true;
}

static void *serve(void *argument)
{
    struct pair pair = *(struct pair *)argument;
    mem_free(argument);
    hold(PROXY_HANG);
    pair.server = connect_unix(proxy.server);
    bool open = pair.server >= 0;
    while (open) {
        struct pollfd fds[] = {
            {.fd = pair.client, .events = POLLIN}, {.fd = pair.server, .events = POLLIN}};
        poll(fds, 2, -1);
        if (fds[0].revents)
            open = from_client(&pair);
        if (open && fds[1].revents)
            open = from_server(&pair);
    }
    close(pair.client);
    if (pair.server >= 0)
        close(pair.server);
    return NULL;
}

static void *accept_all(void *argument)
{
    (void)argument;
    for (;;) {
        int client = accept(proxy.listener, NULL, NULL);
        if (client < 0)
            return NULL;
        proxy.connections++;
        struct pair *pair = mem_alloc(sizeof(*pair));
        *pair = (struct pair){.client = client};
        pthread_t thread;
        pthread_create(&thread, NULL, serve, pair);
        pthread_detach(thread);
    }
}

static void start(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(proxy.server, sizeof(proxy.server), "%s/.s.PGSQL.5432", postgres_socket_dir());
    snprintf(proxy.path, sizeof(proxy.path), "%s/.s.PGSQL.6000", postgres_socket_dir());
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", proxy.path);
    proxy.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(bind(proxy.listener, (struct sockaddr *)&address, sizeof(address)) == 0);
    REQUIRE(listen(proxy.listener, 64) == 0);
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, accept_all, NULL) == 0);
    pthread_detach(thread);
}

const char *proxy_start(const char *database)
{
    static char uri[512];
    if (proxy.listener < 0)
        start();
    snprintf(uri, sizeof(uri), "postgresql:///%s?host=%s&port=6000&user=dag", database,
        postgres_socket_dir());
    return uri;
}

void proxy_set(enum proxy_mode mode)
{
    proxy.mode = (int)mode;
}

int proxy_commits(void)
{
    return proxy.commits;
}

int proxy_connections(void)
{
    return proxy.connections;
}
