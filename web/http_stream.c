#include "web/http_internal.h"

#include "web/limits.h"

/* Owned by its response once there is one: freed when the library lets go of that. */
struct http_stream {
    struct http_server *server;
    struct http_stream *next, *previous;
    struct MHD_Connection *connection; /* NULL before the response */
    struct strbuf pending;
    bool suspended, ending;
    void (*gone)(void *user);
    void *user;
};

struct http_stream *http_stream_new(
    struct http_server *server, void (*gone)(void *user), void *user)
{
    if (server->stream_count >= HTTP_STREAMS_MAX)
        return NULL;
    struct http_stream *stream = mem_alloc_zero(1, sizeof(*stream));
    stream->server = server;
    stream->gone = gone;
    stream->user = user;
    stream->pending.limit = HTTP_STREAM_PENDING_MAX;
    stream->next = server->streams;
    if (stream->next)
        stream->next->previous = stream;
    server->streams = stream;
    server->stream_count++;
    return stream;
}

static void stream_free(void *pointer)
{
    struct http_stream *stream = pointer;
    stream->gone(stream->user);
    if (stream->previous)
        stream->previous->next = stream->next;
    else
        stream->server->streams = stream->next;
    if (stream->next)
        stream->next->previous = stream->previous;
    stream->server->stream_count--;
    strbuf_done(&stream->pending);
    mem_free(stream);
}

static void resume(struct http_stream *stream)
{
    if (!stream->suspended)
        return;
    stream->suspended = false;
    MHD_resume_connection(stream->connection);
    http_run_soon(stream->server); /* the library notices only when it runs */
}

/* Called by the library when it could send.  Nothing to send: the connection sleeps until there is,
   because the library would otherwise ask again at once. */
static ssize_t next_block(void *pointer, uint64_t position, char *block, size_t size)
{
    struct http_stream *stream = pointer;
    (void)position;
    if (stream->ending || stream->pending.over)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (stream->pending.size == 0) {
        stream->suspended = true;
        MHD_suspend_connection(stream->connection);
        return 0;
    }
    size_t count = stream->pending.size < size ? stream->pending.size : size;
    memcpy(block, stream->pending.text, count);
    memmove(stream->pending.text, stream->pending.text + count, stream->pending.size - count);
    stream->pending.size -= count;
    return (ssize_t)count;
}

struct MHD_Response *http_stream_response(
    struct http_stream *stream, struct MHD_Connection *connection)
{
    stream->connection = connection;
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
    return MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, HTTP_STREAM_BLOCK, next_block, stream, stream_free);
}

void http_stream_send(struct http_stream *stream, const char *text, size_t size)
{
    strbuf_add(&stream->pending, text, size);
    resume(stream);
}

size_t http_stream_count(const struct http_server *server)
{
    return server->stream_count;
}

void http_stream_close_all(struct http_server *server)
{
    for (struct http_stream *stream = server->streams; stream; stream = stream->next) {
        stream->ending = true;
        resume(stream);
    }
}
