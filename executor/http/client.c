#include "executor/http/client.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"
#include "executor/http/http_error.h"
#include "executor/limits.h"

struct http_client {
    struct handles *handles;
    CURLM *multi; /* NULL before the first request */
    struct timer *timer;
};

struct http_transfer {
    struct http_client *client;
    struct arena *arena;
    struct http_request request; /* copied */
    CURL *easy;
    struct curl_slist *headers;
    bool under_way; /* in the multi handle */
    const char *url;
    bool strange; /* sent on to another origin */
    int redirects;
    int64_t until_us; /* mono */
    char trouble[CURL_ERROR_SIZE];
    struct strbuf body;
    bool too_long;
    struct http_answer answer;
};

/* ---- sockets and the timer of libcurl -------------------------------------------------------- */

struct polled {
    uv_poll_t handle;
    struct http_client *client;
    struct handles *handles; /* outlives the client */
    curl_socket_t fd;
};

static void finish_ended(struct http_client *client);

static void on_ready(uv_poll_t *handle, int status, int events)
{
    struct polled *polled = handle->data;
    struct http_client *client = polled->client;
    int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
                (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0) | (status ? CURL_CSELECT_ERR : 0);
    int running;
    curl_multi_socket_action(client->multi, polled->fd, flags, &running);
    finish_ended(client); /* `polled` may be gone */
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct polled *polled = handle->data;
    struct handles *handles = polled->handles;
    mem_free(polled);
    handles_drop(handles);
}

static struct polled *poll_new(struct http_client *client, curl_socket_t fd)
{
    struct polled *polled = mem_alloc_zero(1, sizeof(*polled));
    polled->client = client;
    polled->handles = client->handles;
    polled->fd = fd;
    polled->handle.data = polled;
    if (uv_poll_init_socket(client->handles->loop, &polled->handle, fd)) {
        mem_free(polled);
        return NULL;
    }
    handles_add(client->handles);
    curl_multi_assign(client->multi, fd, polled);
    return polled;
}

/* libcurl says that it is done with a socket before it closes it, so that its number is free here
   when it is used again. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *socket)
{
    struct http_client *client = user;
    struct polled *polled = socket;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (polled)
            uv_close((uv_handle_t *)&polled->handle, on_poll_closed);
        curl_multi_assign(client->multi, fd, NULL);
        return 0;
    }
    if (!polled && !(polled = poll_new(client, fd)))
        return -1;
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    uv_poll_start(&polled->handle, events, on_ready);
    return 0;
}

static void on_timer(void *user)
{
    struct http_client *client = user;
    int running;
    curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_ended(client);
}

static int on_timeout_set(CURLM *multi, long ms, void *user)
{
    struct http_client *client = user;
    (void)multi;
    if (ms < 0)
        timer_stop(client->timer);
    else
        timer_start(client->timer, (uint64_t)ms);
    return 0;
}

/* ---- the client ------------------------------------------------------------------------------ */

struct http_client *http_client_new(struct handles *handles)
{
    struct http_client *client = mem_alloc_zero(1, sizeof(*client));
    client->handles = handles;
    return client;
}

static enum status open_multi(struct http_client *client, struct error *err)
{
    if (client->multi)
        return OK;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) || !(client->multi = curl_multi_init()))
        return error_set(err, ERR_HTTP, "libcurl cannot be started");
    client->timer = timer_new(client->handles, on_timer, client);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timeout_set);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    return OK;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    if (client->multi) {
        curl_multi_cleanup(client->multi);
        timer_free(client->timer);
        curl_global_cleanup();
    }
    mem_free(client);
}

/* ---- addresses ------------------------------------------------------------------------------- */

DEFINE_CLEANUP(CURLU, curl_url_cleanup);

static CURLU *url_read(const char *url)
{
    CURLU *parts = curl_url();
    if (parts && curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK)
        return parts;
    curl_url_cleanup(parts);
    return NULL;
}

static char *url_part(struct arena *arena, CURLU *parts, CURLUPart part, unsigned flags)
{
    char *text = NULL;
    if (curl_url_get(parts, part, &text, flags) != CURLUE_OK)
        return NULL;
    char *copy = arena_strdup(arena, text);
    curl_free(text);
    return copy;
}

char *http_url_shown(struct arena *arena, const char *url)
{
    CLEANUP(curl_url_cleanupp) CURLU *parts = url_read(url);
    if (parts) {
        curl_url_set(parts, CURLUPART_USER, NULL, 0);
        curl_url_set(parts, CURLUPART_PASSWORD, NULL, 0);
    }
    char *shown = parts ? url_part(arena, parts, CURLUPART_URL, 0) : NULL;
    return shown ? shown : arena_strdup(arena, url);
}

static bool is_http(const char *scheme)
{
    return scheme && (strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0);
}

static enum status check_url(struct arena *arena, const char *url, struct error *err)
{
    CLEANUP(curl_url_cleanupp) CURLU *parts = url_read(url);
    char *scheme = parts ? url_part(arena, parts, CURLUPART_SCHEME, 0) : NULL;
    if (is_http(scheme))
        return OK;
    error_set(err, ERR_VALUE_RANGE, "`%s` is no address of http or https", url);
    error_hint(err, strpbrk(url, " \t") ? "it has a space in it: the filter `urlencode` takes care "
                                          "of values"
                                        : "write https://host/path");
    return ERR_VALUE_RANGE;
}

/* "https://host:443" */
static char *origin_of(struct arena *arena, const char *url)
{
    CLEANUP(curl_url_cleanupp) CURLU *parts = url_read(url);
    if (!parts)
        return arena_strdup(arena, url);
    return arena_printf(arena, "%s://%s:%s", url_part(arena, parts, CURLUPART_SCHEME, 0),
        url_part(arena, parts, CURLUPART_HOST, 0),
        url_part(arena, parts, CURLUPART_PORT, CURLU_DEFAULT_PORT));
}

/* ---- what comes in --------------------------------------------------------------------------- */

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct http_transfer *t = user;
    (void)size; /* 1 */
    t->too_long = t->body.size + count > HTTP_ANSWER_MAX;
    if (t->too_long)
        return 0; /* which ends it */
    strbuf_add(&t->body, data, count);
    return count;
}

/* "HTTP/1.1 404 Not Found": each answer begins with such a line, those before the last one too. */
static size_t on_header(char *data, size_t size, size_t count, void *user)
{
    struct http_transfer *t = user;
    struct slice line = slice_trim(slice_make(data, size * count));
    if (line.size < 5 || memcmp(line.p, "HTTP/", 5) != 0)
        return count;
    const char *space = memchr(line.p, ' ', line.size);
    struct slice rest =
        space ? slice_make(space, (size_t)(line.p + line.size - space)) : slice_make("", 0);
    rest = slice_trim(rest);
    const char *phrase = memchr(rest.p, ' ', rest.size);
    t->answer.phrase =
        phrase ? arena_strndup(t->arena, phrase + 1, (size_t)(rest.p + rest.size - phrase - 1))
               : "";
    return count;
}

/* ---- what goes out --------------------------------------------------------------------------- */

static void add_header(struct http_transfer *t, const char *name, const char *value)
{
    char *line = arena_printf(t->arena, *value ? "%s: %s" : "%s;%s", name, value);
    t->headers = curl_slist_append(t->headers, line);
}

static bool has_header(const struct http_transfer *t, const char *name)
{
    for (size_t i = 0; i < t->request.header_count; i++)
        if (strcasecmp(t->request.headers[i].name, name) == 0)
            return true;
    return false;
}

static void set_headers(struct http_transfer *t)
{
    curl_slist_free_all(take(t->headers));
    for (size_t i = 0; !t->strange && i < t->request.header_count; i++)
        add_header(t, t->request.headers[i].name, t->request.headers[i].value);
    /* libcurl's own wait for a "100 Continue", and its type for a form, are not wanted. */
    t->headers = curl_slist_append(t->headers, "Expect:");
    if (t->strange || !has_header(t, "Content-Type"))
        t->headers = curl_slist_append(t->headers, "Content-Type:");
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

static void set_method(struct http_transfer *t)
{
    const char *method = t->request.method;
    bool head = strcmp(method, "HEAD") == 0;
    bool with_body =
        t->request.body.p || (strcmp(method, "GET") != 0 && !head && strcmp(method, "DELETE") != 0);
    if (with_body) {
        const char *body = t->request.body.p ? t->request.body.p : "";
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->request.body.size);
    }
    if (head)
        curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, method);
}

/* Reading a file of all authorities takes some 40 ms, on the loop.  Libcurl does it once an hour
   for all requests, but only where no folder is set too. */
static void set_authorities(CURL *easy)
{
    const char *file = getenv("SSL_CERT_FILE"), *folder = getenv("SSL_CERT_DIR");
    bool by_file = !folder || !*folder || (file && *file);
    if (!by_file || (file && *file))
        curl_easy_setopt(easy, CURLOPT_CAINFO, by_file ? file : NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, by_file ? NULL : folder);
    curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 60L * 60);
}

static void set_always(struct http_transfer *t)
{
    CURL *easy = t->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->trouble);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* Do not wait for a thread that looks a name up when the request is broken off. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "dag/" DAG_VERSION);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    set_authorities(easy);
}

static void launch(struct http_transfer *t)
{
    int64_t left_us = t->until_us - clock_now().mono_us;
    strbuf_clear(&t->body);
    t->trouble[0] = '\0';
    set_headers(t);
    curl_easy_setopt(t->easy, CURLOPT_URL, t->url);
    curl_easy_setopt(
        t->easy, CURLOPT_TIMEOUT_MS, left_us > US_PER_MS ? (long)(left_us / US_PER_MS) : 1L);
    t->under_way = true;
    curl_multi_add_handle(t->client->multi, t->easy);
}

static enum status check_headers(const struct http_request *request, struct error *err)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strpbrk(request->headers[i].value, "\r\n"))
            return error_set(err, ERR_VALUE_RANGE, "the header `%s` has a line end in its value",
                request->headers[i].name);
    return OK;
}

static void copy_request(struct http_transfer *t, const struct http_request *request)
{
    struct arena *arena = t->arena;
    struct http_header *headers = arena_array(arena, struct http_header, request->header_count);
    for (size_t i = 0; i < request->header_count; i++)
        headers[i] = (struct http_header){arena_strdup(arena, request->headers[i].name),
            arena_strdup(arena, request->headers[i].value)};
    t->request = *request;
    t->request.method = arena_strdup(arena, request->method);
    t->request.headers = headers;
    if (request->body.p)
        t->request.body.p = arena_strndup(arena, request->body.p, request->body.size);
    t->url = t->request.url = arena_strdup(arena, request->url);
    t->until_us = clock_now().mono_us + (int64_t)request->timeout_ms * US_PER_MS;
}

enum status http_send(struct http_client *client, const struct http_request *request,
    struct http_transfer **ret, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CURL *easy;
    enum status status = open_multi(client, err);
    if (!status)
        status = check_url(arena, request->url, err);
    if (!status)
        status = check_headers(request, err);
    if (status)
        return status;
    if (!(easy = curl_easy_init()))
        return error_set(err, ERR_HTTP, "libcurl has no memory for a request");
    struct http_transfer *t = arena_new_of(arena, struct http_transfer);
    t->arena = take(arena);
    t->client = client;
    t->easy = easy;
    t->answer.phrase = "";
    copy_request(t, request);
    set_always(t);
    set_method(t);
    launch(t);
    *ret = t;
    return OK;
}

void http_transfer_free(struct http_transfer *t)
{
    if (!t)
        return;
    if (t->under_way)
        curl_multi_remove_handle(t->client->multi, t->easy);
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    strbuf_done(&t->body);
    arena_free(t->arena);
}

/* ---- how it ends ----------------------------------------------------------------------------- */

static void refuse(struct http_transfer *t, const char *what)
{
    t->answer.end = HTTP_REFUSED;
    error_set(&t->answer.err, ERR_HTTP, "%s", what);
}

/* Sends it on where the answer says; false when it was not. */
static bool send_on(struct http_transfer *t, const char *to)
{
    bool simple = strcmp(t->request.method, "GET") == 0 || strcmp(t->request.method, "HEAD") == 0;
    if (!simple || t->request.body.p || t->request.stays)
        return false;
    if (t->redirects++ == HTTP_REDIRECTS_MAX) {
        refuse(t, "it was sent on too often");
        return false;
    }
    bool secure = strncasecmp(t->url, "https:", 6) == 0;
    if (secure && strncasecmp(to, "https:", 6) != 0) {
        refuse(t, "the answer leads from https to http, which is not followed");
        return false;
    }
    if (check_url(t->arena, to, NULL))
        return false;
    const char *next = arena_strdup(t->arena, to);
    t->strange |= !str_equal(origin_of(t->arena, t->url), origin_of(t->arena, next));
    t->url = next;
    launch(t);
    return true;
}

static void describe_answer(struct http_transfer *t)
{
    struct http_answer *answer = &t->answer;
    long status = 0;
    char *type = NULL, *location = NULL;
    curl_off_t retry_after_s = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &location);
    curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    answer->status = (int)status;
    answer->content_type = type ? arena_strdup(t->arena, type) : "";
    answer->location = location ? arena_strdup(t->arena, location) : NULL;
    answer->url = http_url_shown(t->arena, t->url);
    answer->body = slice_make(strbuf_text(&t->body), t->body.size);
    if (retry_after_s > 0 && retry_after_s < INT32_MAX)
        answer->retry_after_us = retry_after_s * US_PER_SECOND;
}

static void refuse_long(struct http_transfer *t)
{
    t->answer.end = HTTP_REFUSED;
    error_set(&t->answer.err, ERR_HTTP, "the answer is longer than %d MiB",
        HTTP_ANSWER_MAX / 1024 / 1024);
    error_hint(&t->answer.err, "fetch what is so long by a process: `bash: curl …`");
}

static void ended(struct http_transfer *t, CURLcode code)
{
    struct http_answer *answer = &t->answer;
    curl_multi_remove_handle(t->client->multi, t->easy);
    t->under_way = false;
    answer->end = HTTP_ANSWERED;
    describe_answer(t);
    if (t->too_long)
        refuse_long(t);
    else if (code)
        http_error_explain(code, t->easy, t->trouble, answer);
    else if (answer->location && send_on(t, answer->location))
        return;
    t->request.done(t->request.user, answer);
}

/* Those whose end libcurl has noted.  A transfer may be freed, and others begun, meanwhile. */
static void finish_ended(struct http_client *client)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(client->multi, &left));) {
        struct http_transfer *t;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        ended(t, code);
    }
}
