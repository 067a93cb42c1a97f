#include "web/http_post.h"

#include <fcntl.h>
#include <unistd.h>

#include "web/http_internal.h"
#include "web/limits.h"

/* Owned by its connection's request: freed when the library says that it is over. */
struct http_post {
    struct http_server *server;
    struct http_post *next, *previous;
    struct MHD_Connection *connection;
    struct strbuf body;
    size_t body_max, discarded;
    bool begun;    /* the owner has got it */
    bool answered; /* there is something to send: by the owner, or in its place */
    bool wanted;   /* the owner is to answer */
    bool suspended;
    struct http_answer answer;
    uv_poll_t *watch; /* a duplicate of the socket, while suspended */
    void (*gone)(void *user);
    void *user;
};

/* ---- the peer -------------------------------------------------------------------------------- */

static void on_watch_closed(uv_handle_t *handle)
{
    uv_os_fd_t fd = (int)(intptr_t)handle->data;
    close(fd);
    mem_free(handle);
}

static void stop_watching(struct http_post *post)
{
    uv_poll_t *watch = take(post->watch);
    int fd;
    if (!watch)
        return;
    uv_poll_stop(watch);
    uv_fileno((uv_handle_t *)watch, &fd);
    watch->data = (void *)(intptr_t)fd;
    uv_close((uv_handle_t *)watch, on_watch_closed);
}

static void resume(struct http_post *post)
{
    stop_watching(post);
    post->answered = true;
    if (!post->suspended)
        return;
    post->suspended = false;
    MHD_resume_connection(post->connection);
    http_run_soon(post->server); /* the library notices only when it runs */
}

/* The owner need not answer any more. */
static void tell_gone(struct http_post *post)
{
    if (!post->wanted)
        return;
    post->wanted = false;
    if (post->gone)
        post->gone(post->user);
}

/* Whatever is sent now, nobody reads it. */
static void on_hang_up(uv_poll_t *watch, int status, int events)
{
    struct http_post *post = watch->data;
    (void)status;
    (void)events;
    tell_gone(post);
    post->answer.status = MHD_HTTP_REQUEST_TIMEOUT;
    resume(post);
}

static void start_watching(struct http_post *post)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(post->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    int fd = info ? fcntl(info->connect_fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (fd < 0)
        return; /* a peer that is gone shows when the answer is written */
    uv_poll_t *watch = mem_alloc_zero(1, sizeof(*watch));
    if (uv_poll_init(post->server->options.loop, watch, fd) != 0) {
        close(fd);
        mem_free(watch);
        return;
    }
    watch->data = post;
    post->watch = watch;
    uv_poll_start(watch, UV_DISCONNECT, on_hang_up);
}

/* ---- what the owner calls -------------------------------------------------------------------- */

struct slice http_post_body(const struct http_post *post)
{
    if (post->discarded)
        return slice_make(NULL, 0);
    return slice_make(strbuf_text(&post->body), post->body.size);
}

void http_post_answer(struct http_post *post, struct http_answer *answer)
{
    post->wanted = false;
    post->answer = *answer;
    *answer = (struct http_answer){0};
    resume(post);
}

void http_post_on_gone(struct http_post *post, void (*gone)(void *user), void *user)
{
    post->gone = gone;
    post->user = user;
}

/* ---- what the server calls ------------------------------------------------------------------- */

struct http_post *http_post_new(
    struct http_server *server, struct MHD_Connection *connection, size_t body_max)
{
    struct http_post *post = mem_alloc_zero(1, sizeof(*post));
    post->server = server;
    post->connection = connection;
    post->body_max = body_max;
    post->next = server->posts;
    if (post->next)
        post->next->previous = post;
    server->posts = post;
    return post;
}

bool http_post_add(struct http_post *post, const char *data, size_t size)
{
    if (post->discarded || post->body.size + size > post->body_max)
        post->discarded += size;
    else
        strbuf_add(&post->body, data, size);
    return post->discarded <= HTTP_DISCARD_MAX;
}

struct http_answer *http_post_go_on(struct http_post *post, const struct http_request *request)
{
    const struct http_options *options = &post->server->options;
    if (!post->begun) {
        post->begun = post->wanted = true;
        options->post(options->user, request, post);
    }
    if (post->answered)
        return &post->answer;
    post->suspended = true;
    MHD_suspend_connection(post->connection);
    start_watching(post);
    return NULL;
}

void http_post_free(struct http_post *post)
{
    tell_gone(post);
    stop_watching(post);
    if (post->previous)
        post->previous->next = post->next;
    else
        post->server->posts = post->next;
    if (post->next)
        post->next->previous = post->previous;
    strbuf_done(&post->body);
    strbuf_done(&post->answer.body);
    mem_free(post);
}

void http_post_close_all(struct http_server *server)
{
    for (struct http_post *post = server->posts; post; post = post->next) {
        tell_gone(post);
        post->answer.status = MHD_HTTP_SERVICE_UNAVAILABLE;
        resume(post);
    }
}
