/* Where the pages listen: `web.listen`, "HOST:PORT". */
#ifndef WEB_LISTEN_H
#define WEB_LISTEN_H

#include "base/error.h"

struct listen_address {
    char host[64]; /* "127.0.0.1", "::1" without brackets, or "localhost" */
    uint16_t port; /* 0 = any free one */
};

/* Reads "127.0.0.1:8080", "localhost:8080" or "[::1]:8080".  Other forms are ERR_WEB_LISTEN, hosts
   beyond this machine ERR_WEB_LISTEN_OPEN. */
enum status listen_parse(
    const char *text, struct listen_address *ret, struct error *err) MUST_CHECK;

/* Opens the listening socket (close-on-exec, non-blocking) and sets the port that it got.  *ret_fd
   is the caller's.  ERR_WEB_LISTEN says what is in the way. */
enum status listen_open(struct listen_address *address, int *ret_fd, struct error *err) MUST_CHECK;

/* Whether a request's Host header (with or without a port, NULL when missing) names this machine's
   loopback: another name that leads here is an attack by DNS rebinding.  The port may differ,
   because people forward it. */
bool listen_host_allowed(const char *host);

#endif
