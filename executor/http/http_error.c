#include "executor/http/http_error.h"

#include "base/clock.h"
#include "executor/limits.h"

#define UNTRUSTED                                                                                  \
    "its certificate must be signed by an authority that this machine trusts and be for this "     \
    "name: SSL_CERT_FILE names a file of further authorities"

/* `words`: whether what libcurl says about it is told too. */
static const struct row {
    CURLcode code;
    bool words;
    const char *what, *hint;
} rows[] = {
    {CURLE_COULDNT_RESOLVE_HOST, false, "the name of the host cannot be resolved",
        "check how it is written, and that this machine can reach its name server"},
    {CURLE_COULDNT_RESOLVE_PROXY, false, "the name of the proxy cannot be resolved",
        "check http_proxy and https_proxy in the environment of dag"},
    {CURLE_COULDNT_CONNECT, true, "it cannot be connected to", "check that the server runs there"},
    {CURLE_PEER_FAILED_VERIFICATION, true, "the server's certificate is not accepted", UNTRUSTED},
    {CURLE_SSL_CONNECT_ERROR, true, "TLS cannot be agreed upon",
        "check that the server speaks https at this port"},
    {CURLE_SSL_CACERT_BADFILE, true, "the file of trusted certificates cannot be read",
        "check SSL_CERT_FILE in the environment of dag"},
    {CURLE_GOT_NOTHING, false, "the server closed the connection without an answer", NULL},
    {CURLE_PARTIAL_FILE, false, "the answer broke off in the middle", NULL},
    {CURLE_SEND_ERROR, true, "the connection broke while the request was sent", NULL},
    {CURLE_RECV_ERROR, true, "the connection broke before the answer was there", NULL},
    {CURLE_HTTP2, true, "the connection broke", NULL},
    {CURLE_HTTP2_STREAM, true, "the connection broke", NULL},
    {CURLE_WEIRD_SERVER_REPLY, false, "the server does not answer in HTTP",
        "check port and scheme (http or https)"},
    {CURLE_UNSUPPORTED_PROTOCOL, false, "the server does not answer in HTTP",
        "check port and scheme (http or https)"},
};

static void explain_timeout(CURL *easy, struct http_answer *answer)
{
    curl_off_t connected_us = 0, took_us = 0;
    char took[32];
    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
    curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &took_us);
    duration_format(took_us, took);
    answer->end = HTTP_TIMED_OUT;
    if (!connected_us)
        error_set(&answer->err, ERR_HTTP, "it was not connected to within %s", took);
    else if (!answer->status)
        error_set(&answer->err, ERR_HTTP, "there was no answer within %s", took);
    else
        error_set(&answer->err, ERR_HTTP, "the answer did not end within %s", took);
    if (connected_us)
        error_hint(&answer->err, "`execution_timeout` of the task gives it another time");
}

void http_error_explain(CURLcode code, CURL *easy, const char *trouble, struct http_answer *answer)
{
    const char *words = *trouble ? trouble : curl_easy_strerror(code);
    answer->end = HTTP_NO_ANSWER;
    if (code == CURLE_OPERATION_TIMEDOUT) {
        explain_timeout(easy, answer);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].code != code)
            continue;
        if (rows[i].words)
            error_set(&answer->err, ERR_HTTP, "%s: %s", rows[i].what, words);
        else
            error_set(&answer->err, ERR_HTTP, "%s", rows[i].what);
        if (rows[i].hint)
            error_hint(&answer->err, "%s", rows[i].hint);
        return;
    }
    error_set(&answer->err, ERR_HTTP, "%s", words);
}
