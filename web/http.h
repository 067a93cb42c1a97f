/*
 * The HTTP server: libmicrohttpd, driven by the libuv loop.
 *
 * libmicrohttpd waits with an epoll of its own; the loop watches that descriptor, runs the library
 * when it is ready, and after each run sets a timer to the time the library names.  There is no
 * thread: requests are answered on the loop's.
 *
 * GET, HEAD and POST are answered, and only for hosts of this machine (listen.h); a page of another
 * site may not POST here.  Everything else gets its answer here, through the owner's `refuse`.
 */
#ifndef WEB_HTTP_H
#define WEB_HTTP_H

#include <uv.h>
#include "base/error.h"
#include "base/memory.h"
#include "base/string.h"

struct http_server;
struct http_stream;
struct http_post; /* http_post.h */
struct MHD_Connection;

/* A request; valid for the call. */
struct http_request {
    struct MHD_Connection *connection;
    const char *path; /* as sent: percent-encoded, without the query */
};
/* A parameter of the query, decoded, in the arena.  NULL when it is missing or not UTF-8. */
const char *http_query(const struct http_request *request, const char *name, struct arena *arena);
/* A header as sent; NULL when it is missing. */
const char *http_header(const struct http_request *request, const char *name);
/* %XX decoded (and nothing else).  NULL for broken or NUL escapes and for what is not UTF-8. */
char *http_decode(struct arena *arena, struct slice text);

/* What is answered.  Zeroed: status 200, an empty text/html body, not to be stored. */
struct http_answer {
    unsigned status;       /* 0 = 200 */
    const char *type;      /* NULL = HTML */
    const char *location;  /* for redirects */
    bool immutable;        /* may be kept for ever: its address changes with its content */
    struct strbuf body;    /* taken over by the server */
    struct slice constant; /* instead: bytes that outlive the server */
    int fd;                /* instead, when above 0: the file's bytes, taken over by the server */
    uint64_t fd_offset, fd_size; /* which of its bytes */
    struct http_stream *stream;  /* instead: server-sent events */
};

struct http_options {
    const char *listen; /* "127.0.0.1:8080" */
    uv_loop_t *loop;
    void *user;
    void (*answer)(void *user, const struct http_request *request, struct http_answer *ret);
    /* Whether a GET's answer may come later: then it goes to `post`, without a body. */
    bool (*later)(void *user, const struct http_request *request);
    /* A POST, before its body (of `size` bytes, 0 when it does not say): how many it may have, or
       why it is refused. */
    enum status (*accept)(void *user, const struct http_request *request, size_t size,
        size_t *ret_body_max, struct error *err);
    /* The request is there with its body: to be answered with http_post_answer, now or later. */
    void (*post)(void *user, const struct http_request *request, struct http_post *post);
    /* A request that is not answered otherwise: method, host, or what `accept` refuses. */
    void (*refuse)(void *user, const struct http_request *request, const struct error *why,
        struct http_answer *ret);
};

enum status http_open(
    const struct http_options *options, struct http_server **ret, struct error *err) MUST_CHECK;
/* Hangs up on everybody, at once.  The memory goes when the loop has closed the handles. */
void http_close(struct http_server *server);
/* "http://127.0.0.1:8080/" with the real port. */
const char *http_address(const struct http_server *server);

/* ---- streams --------------------------------------------------------------------------------- */

/* A new event stream for an answer.  `gone` is called when the peer is gone (it shows at a write,
   so send something now and then) or the server closes; the stream is not valid afterwards.  NULL
   when HTTP_STREAMS_MAX are open. */
struct http_stream *http_stream_new(
    struct http_server *server, void (*gone)(void *user), void *user);
/* Sends bytes.  A reader that is HTTP_STREAM_PENDING_MAX behind is let go: it connects again. */
void http_stream_send(struct http_stream *stream, const char *text, size_t size);
size_t http_stream_count(const struct http_server *server);

#endif
