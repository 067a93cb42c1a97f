/* What http.c and http_stream.c share. */
#ifndef WEB_HTTP_INTERNAL_H
#define WEB_HTTP_INTERNAL_H

#include <microhttpd.h>
#include "web/http.h"

struct http_server {
    struct http_options options;
    struct MHD_Daemon *mhd;
    uv_poll_t poll;   /* the library's epoll descriptor */
    uv_timer_t timer; /* the time the library asked for */
    int open_handles; /* of the two above, not closed yet */
    bool closing;
    struct http_post *posts;     /* a list */
    struct http_stream *streams; /* a list */
    size_t stream_count;
    char address[96];
};

/* Runs the library in the loop's next turn. */
void http_run_soon(struct http_server *server);
/* The response that sends a stream; suspends `connection` while there is nothing to send. */
struct MHD_Response *http_stream_response(
    struct http_stream *stream, struct MHD_Connection *connection);
/* Lets all streams end. */
void http_stream_close_all(struct http_server *server);

/* ---- posts: http_post.c ---- */

struct http_post *http_post_new(
    struct http_server *server, struct MHD_Connection *connection, size_t body_max);
/* A part of the body; false when far more comes than is allowed. */
bool http_post_add(struct http_post *post, const char *data, size_t size);
/* The body is there, or its connection was woken up: what to send, NULL when it sleeps now. */
struct http_answer *http_post_go_on(struct http_post *post, const struct http_request *request);
/* The request is over, one way or the other. */
void http_post_free(struct http_post *post);
/* Wakes all up to end. */
void http_post_close_all(struct http_server *server);

#endif
