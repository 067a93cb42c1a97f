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

#endif
