#include "web/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "web/limits.h"

enum { PORT_MAX = 65535 };

/* ---- reading --------------------------------------------------------------------------------- */

/* Splits "host:port" and "[host]:port" (the port may be missing).  False for other forms. */
static bool split(struct slice text, struct slice *ret_host, struct slice *ret_port)
{
    const char *end = text.p + text.size;
    const char *colon;
    if (text.size && text.p[0] == '[') {
        const char *bracket = memchr(text.p, ']', text.size);
        if (!bracket || (bracket + 1 != end && bracket[1] != ':'))
            return false;
        *ret_host = slice_make(text.p + 1, (size_t)(bracket - text.p - 1));
        colon = bracket + 1;
    } else {
        colon = memchr(text.p, ':', text.size);
        colon = colon ? colon : end;
        *ret_host = slice_make(text.p, (size_t)(colon - text.p));
    }
    *ret_port =
        colon == end ? slice_make(NULL, 0) : slice_make(colon + 1, (size_t)(end - colon - 1));
    return ret_host->size > 0;
}

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return strcasecmp(host, "localhost") == 0;
}

static bool is_address(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

enum status listen_parse(const char *text, struct listen_address *ret, struct error *err)
{
    struct slice host, port;
    int64_t number;
    bool fits = split(slice_of(text), &host, &port) && parse_int64(port, &number) && number >= 0 &&
                number <= PORT_MAX && host.size < sizeof(ret->host);
    if (!fits) {
        error_set(err, ERR_WEB_LISTEN, "`web.listen` is `%s`, not HOST:PORT", text);
        error_hint(err, "write it like 127.0.0.1:8080; port 0 takes any free one");
        return ERR_WEB_LISTEN;
    }
    struct listen_address address = {.port = (uint16_t)number};
    memcpy(address.host, host.p, host.size);
    if (!is_loopback(address.host)) {
        error_set(err, ERR_WEB_LISTEN_OPEN,
            "`web.listen` is `%s`: %s not supported yet, because that needs users", text,
            is_address(address.host) ? "listening beyond this machine is"
                                     : "names other than localhost are");
        error_hint(err,
            "set `web: {listen: 127.0.0.1:%lld}` in dag.yaml, and reach it from "
            "elsewhere with `ssh -L`",
            (long long)number);
        return ERR_WEB_LISTEN_OPEN;
    }
    *ret = address;
    return OK;
}

bool listen_host_allowed(const char *header)
{
    struct slice host, port;
    char text[64];
    if (!header || !split(slice_of(header), &host, &port) || host.size >= sizeof(text))
        return false;
    memcpy(text, host.p, host.size);
    text[host.size] = '\0';
    return is_loopback(text);
}

/* ---- opening --------------------------------------------------------------------------------- */

static socklen_t make_address(const struct listen_address *address, struct sockaddr_storage *ret)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
    memset(ret, 0, sizeof(*ret));
    if (inet_pton(AF_INET6, address->host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(address->port);
        return sizeof(*v6);
    }
    if (inet_pton(AF_INET, address->host, &v4->sin_addr) != 1)
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK); /* localhost */
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address->port);
    return sizeof(*v4);
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof(bound);
    if (getsockname(fd, (struct sockaddr *)&bound, &size) != 0)
        return 0;
    return ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                             : ((struct sockaddr_in *)&bound)->sin_port);
}

enum status listen_open(struct listen_address *address, int *ret_fd, struct error *err)
{
    struct sockaddr_storage where;
    socklen_t size = make_address(address, &where);
    int on = 1;
    int fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd < 0 || bind(fd, (struct sockaddr *)&where, size) != 0 || listen(fd, HTTP_BACKLOG) != 0) {
        int number = errno;
        if (fd >= 0)
            close(fd);
        error_set(err, ERR_WEB_LISTEN, "the status page cannot listen on %s port %u: %s",
            address->host, address->port, strerror(number));
        error_hint(err,
            "%s; or set another in dag.yaml: `web: {listen: 127.0.0.1:0}` takes any "
            "free port",
            number == EADDRINUSE
                ? "another program uses that port, perhaps another project's daemon"
                : "see that the address is this machine's and the port is allowed");
        return ERR_WEB_LISTEN;
    }
    address->port = port_of(fd);
    *ret_fd = fd;
    return OK;
}
