/* Ceilings of the status pages. */
#ifndef WEB_LIMITS_H
#define WEB_LIMITS_H

enum {
    HTTP_CONNECTIONS_MAX = 256,          /* open at a time: one page holds two or three */
    HTTP_CONNECTION_MEMORY = 32 * 1024,  /* bytes of one connection's request head and buffers */
    HTTP_IDLE_S = 60,                    /* an idle connection is closed then; streams are not */
    HTTP_BACKLOG = 128,                  /* connections that wait to be accepted */
    HTTP_STREAMS_MAX = 64,               /* event streams: each holds a connection and a buffer */
    HTTP_STREAM_PENDING_MAX = 64 * 1024, /* bytes a slow reader may be behind; then it is let go */
    HTTP_STREAM_BLOCK = 4096,            /* bytes handed over at once */
};

#endif
