#include "web/http_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "web/limits.h"
#include "web/listen.h"

/* ---- requests -------------------------------------------------------------------------------- */

char *http_decode(struct arena *arena, struct slice text)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    char *decoded = arena_alloc(arena, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.p[i] != '%') {
            decoded[size++] = text.p[i];
            continue;
        }
        const char *high = i + 2 < text.size ? memchr(digits, text.p[i + 1], 32) : NULL;
        const char *low = high ? memchr(digits, text.p[i + 2], 32) : NULL;
        int byte = low ? (int)((high - digits) % 16 * 16 + (low - digits) % 16) : 0;
        if (byte == 0)
            return NULL;
        decoded[size++] = (char)byte;
        i += 2;
    }
    return utf8_valid(decoded, size, NULL) && !memchr(decoded, '\0', size) ? decoded : NULL;
}

const char *http_query(const struct http_request *request, const char *name, struct arena *arena)
{
    const char *value =
        MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
    if (!value)
        return NULL;
    char *spaced = arena_strdup(arena, value);
    for (char *p = spaced; *p; p++)
        *p = *p == '+' ? ' ' : *p;
    return http_decode(arena, slice_of(spaced));
}

const char *http_header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* The library is not to decode: "%2F" inside a name is not a separator. */
static size_t keep_encoded(void *user, struct MHD_Connection *connection, char *text)
{
    (void)user;
    (void)connection;
    return strlen(text);
}

/* ---- answers --------------------------------------------------------------------------------- */

static const char content_policy[] =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

static void add_headers(struct MHD_Response *response, const struct http_answer *answer)
{
    MHD_add_response_header(
        response, "Content-Type", answer->type ? answer->type : "text/html; charset=utf-8");
    MHD_add_response_header(response, "Cache-Control",
        answer->immutable ? "public, max-age=31536000, immutable" : "no-store");
    MHD_add_response_header(response, "Content-Security-Policy", content_policy);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "X-Frame-Options", "DENY");
    MHD_add_response_header(response, "Referrer-Policy", "same-origin");
    MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    if (answer->location)
        MHD_add_response_header(response, "Location", answer->location);
    if (answer->status == MHD_HTTP_TOO_MANY_REQUESTS ||
        answer->status == MHD_HTTP_SERVICE_UNAVAILABLE) {
        char seconds[16];
        snprintf(seconds, sizeof(seconds), "%d", HTTP_RETRY_AFTER_S);
        MHD_add_response_header(response, "Retry-After", seconds);
    }
    if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, "Allow", "GET, HEAD");
}

static struct MHD_Response *make_response(
    struct http_answer *answer, struct MHD_Connection *connection)
{
    if (answer->stream)
        return http_stream_response(answer->stream, connection);
    if (answer->fd > 0)
        return MHD_create_response_from_fd_at_offset64(
            answer->fd_size, answer->fd, answer->fd_offset);
    if (answer->constant.p)
        return MHD_create_response_from_buffer(
            answer->constant.size, (void *)answer->constant.p, MHD_RESPMEM_PERSISTENT);
    size_t size = answer->body.size;
    char *text = strbuf_take(&answer->body);
    return MHD_create_response_from_buffer_with_free_callback(size, text, mem_free);
}

static enum MHD_Result send_answer(struct http_answer *answer, struct MHD_Connection *connection)
{
    struct MHD_Response *response = make_response(answer, connection);
    if (!response)
        return MHD_NO;
    add_headers(response, answer);
    enum MHD_Result result =
        MHD_queue_response(connection, answer->status ? answer->status : MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

/* A browser says which site's page sends a POST; programs say nothing. */
static bool is_own_origin(const struct http_request *request, const char *host)
{
    const char *origin = http_header(request, MHD_HTTP_HEADER_ORIGIN);
    return !origin ||
           (str_starts(origin, "http://") && str_equal(origin + strlen("http://"), host));
}

static enum status check(const struct http_request *request, const char *method, struct error *err)
{
    const char *host = http_header(request, MHD_HTTP_HEADER_HOST);
    bool post = str_equal(method, MHD_HTTP_METHOD_POST);
    if (!listen_host_allowed(host))
        return error_set(err, ERR_HTTP_HOST, "`%s` is not a name of this daemon",
            host ? host : "(no Host header)");
    if (!post && !str_equal(method, MHD_HTTP_METHOD_GET) &&
        !str_equal(method, MHD_HTTP_METHOD_HEAD))
        return error_set(err, ERR_HTTP_METHOD, "%s is not answered here", method);
    if (post && !is_own_origin(request, host))
        return error_set(err, ERR_HTTP_ORIGIN, "a page of %s may not ask this daemon",
            http_header(request, MHD_HTTP_HEADER_ORIGIN));
    return OK;
}

static enum status accept_post(struct http_server *server, const struct http_request *request,
    struct http_post **ret, struct error *err)
{
    const char *length = http_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    int64_t size = 0;
    size_t body_max = 0;
    if (length && (!parse_int64(slice_of(length), &size) || size < 0))
        return error_set(err, ERR_INVALID, "`Content-Length` is no number of bytes");
    enum status status =
        server->options.accept(server->options.user, request, (size_t)size, &body_max, err);
    if (status == OK)
        *ret = http_post_new(server, request->connection, body_max);
    return status;
}

/* What a GET has for a state, from its head on. */
static char seen;

/* The head is there; a refusal goes out before the body, which is then not read. */
static enum MHD_Result on_head(struct http_server *server, const struct http_request *request,
    const char *method, void **state)
{
    struct http_answer answer = {0};
    struct http_post *post = NULL;
    struct error err;
    enum status status = check(request, method, &err);
    if (status == OK && str_equal(method, MHD_HTTP_METHOD_POST))
        status = accept_post(server, request, &post, &err);
    else if (status == OK && server->options.later(server->options.user, request))
        post = http_post_new(server, request->connection, 0);
    *state = post ? (void *)post : &seen;
    if (status == OK)
        return MHD_YES;
    server->options.refuse(server->options.user, request, &err, &answer);
    return send_answer(&answer, request->connection);
}

/* The library calls once for the head, for each part of the body, when all of it is there, and when
   a connection that slept was woken up. */
static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload, size_t *upload_size, void **state)
{
    struct http_server *server = user;
    struct http_request request = {.connection = connection, .path = url};
    struct http_answer answer = {0};
    (void)version;
    if (!*state)
        return on_head(server, &request, method, state);
    struct http_post *post = *state == &seen ? NULL : *state;
    if (*upload_size) {
        bool fits = !post || http_post_add(post, upload, *upload_size);
        *upload_size = 0;
        return fits ? MHD_YES : MHD_NO;
    }
    if (post) {
        struct http_answer *given = http_post_go_on(post, &request);
        return given ? send_answer(given, connection) : MHD_YES;
    }
    server->options.answer(server->options.user, &request, &answer);
    return send_answer(&answer, connection);
}

static void on_completed(void *user, struct MHD_Connection *connection, void **state,
    enum MHD_RequestTerminationCode code)
{
    (void)user;
    (void)connection;
    (void)code;
    if (*state && *state != &seen)
        http_post_free(*state);
    *state = NULL;
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

static void run(struct http_server *server)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;
    MHD_run(server->mhd);
    if (MHD_get_timeout(server->mhd, &wait_ms) == MHD_YES)
        uv_timer_start(&server->timer, on_timer, wait_ms, 0);
    else
        uv_timer_stop(&server->timer);
}

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

void http_run_soon(struct http_server *server)
{
    if (!server->closing)
        uv_timer_start(&server->timer, on_timer, 0, 0);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(poll->data);
}

static void on_library_log(void *user, const char *format, va_list args)
{
    char line[512];
    (void)user;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    vsnprintf(line, sizeof(line), format, args);
#pragma GCC diagnostic pop
    line[strcspn(line, "\n")] = '\0';
    log_line(LOG_DEBUG, "web: %s", line);
}

/* ---- opening and closing --------------------------------------------------------------------- */

static void set_address(struct http_server *server, const struct listen_address *address)
{
    bool v6 = strchr(address->host, ':') != NULL;
    snprintf(server->address, sizeof(server->address), "http://%s%s%s:%u/", v6 ? "[" : "",
        address->host, v6 ? "]" : "", address->port);
}

static struct MHD_Daemon *start_library(struct http_server *server, int fd)
{
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL,
        NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S, MHD_OPTION_UNESCAPE_CALLBACK,
        keep_encoded, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
}

enum status http_open(
    const struct http_options *options, struct http_server **ret, struct error *err)
{
    struct listen_address address;
    int fd = -1;
    enum status status = listen_parse(options->listen, &address, err);
    if (status == OK)
        status = listen_open(&address, &fd, err);
    if (status != OK)
        return status;
    struct http_server *server = mem_alloc_zero(1, sizeof(*server));
    server->options = *options;
    set_address(server, &address);
    server->mhd = start_library(server, fd);
    if (!server->mhd) {
        close(fd);
        mem_free(server);
        return error_set(err, ERR_WEB_LISTEN, "the HTTP server could not be started");
    }
    int epoll = MHD_get_daemon_info(server->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    uv_poll_init(options->loop, &server->poll, epoll);
    uv_timer_init(options->loop, &server->timer);
    server->open_handles = 2;
    server->poll.data = server->timer.data = server;
    uv_poll_start(&server->poll, UV_READABLE, on_ready);
    *ret = server;
    return OK;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct http_server *server = handle->data;
    if (--server->open_handles == 0)
        mem_free(server);
}

void http_close(struct http_server *server)
{
    server->closing = true;
    uv_poll_stop(&server->poll);
    http_stream_close_all(server);
    http_post_close_all(server);
    MHD_stop_daemon(server->mhd);
    uv_close((uv_handle_t *)&server->poll, on_handle_closed);
    uv_close((uv_handle_t *)&server->timer, on_handle_closed);
}

const char *http_address(const struct http_server *server)
{
    return server->address;
}
