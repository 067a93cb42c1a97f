/*
 * Requests over HTTP on the loop: libcurl's multi interface, its sockets polled by libuv.  One
 * client for each executor; the loop's thread only; nothing blocks (libcurl looks names up on
 * threads of its own, which are let go when a request is broken off meanwhile).
 *
 * Every request has a connection of its own: what one task does cannot be felt by another.
 * Certificates are checked against the system's, or what SSL_CERT_FILE, else SSL_CERT_DIR, names.
 * Proxies are those of http_proxy, https_proxy and no_proxy.
 *
 * A GET or HEAD is sent on where the answer says (Location), HTTP_REDIRECTS_MAX times, never from
 * https to http; the caller's headers stay behind when that is another origin, for they may be
 * secret.  Other methods are not sent on: the answer is what the caller gets.
 */
#ifndef EXECUTOR_HTTP_CLIENT_H
#define EXECUTOR_HTTP_CLIENT_H

#include "base/error.h"
#include "executor/handles.h"

struct http_client;
struct http_answer;
struct http_transfer;

struct http_header {
    const char *name, *value; /* no line ends in either */
};

struct http_request {
    const char *method, *url;
    const struct http_header *headers;
    size_t header_count;
    struct slice body; /* p NULL: none */
    bool stays;        /* is not sent on: a redirect is the answer */
    uint64_t timeout_ms;
    /* Called once, from the loop, unless the transfer is freed before.  It may free it. */
    void (*done)(void *user, const struct http_answer *answer);
    void *user;
};

enum http_end {
    HTTP_ANSWERED,
    HTTP_NO_ANSWER, /* `err` says why: not reached, broken off, TLS … */
    HTTP_TIMED_OUT,
    HTTP_REFUSED, /* an answer that is not taken: too long, or sent on too often; `err` says why */
};

/* Lives until the transfer is freed. */
struct http_answer {
    enum http_end end;
    struct error err;         /* unless HTTP_ANSWERED */
    int status;               /* of the last answer; 0 = there was none */
    const char *phrase;       /* "Not Found"; "" without */
    const char *url;          /* that gave it, without user and password */
    const char *location;     /* where a redirect that was not followed leads; NULL without */
    const char *content_type; /* "" without */
    struct slice body;        /* at most HTTP_ANSWER_MAX bytes, also of one that broke off */
    int64_t retry_after_us;   /* Retry-After, from now; 0 = none */
};

/* The handle is made with the first request. */
struct http_client *http_client_new(struct handles *handles);
/* All transfers must be freed before.  NULL is fine. */
void http_client_free(struct http_client *client);

/*
 * Sends; everything in the request is copied.  ERR_VALUE_RANGE: the address is none of http or
 * https, or a header has a line end.  `done` is not called from within.
 */
enum status http_send(struct http_client *client, const struct http_request *request,
    struct http_transfer **ret, struct error *err) MUST_CHECK;
/* Breaks it off when it is still under way: `done` is not called any more.  NULL is fine. */
void http_transfer_free(struct http_transfer *transfer);

/* The address without user and password, for people; as it is when it is none. */
char *http_url_shown(struct arena *arena, const char *url);

#endif
