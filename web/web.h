/*
 * The status page: served by `dag up` on its loop, by libmicrohttpd.
 */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include "daemon/daemon.h"

/* What the daemon calls; listens where the project's `web.listen` says. */
struct daemon_pages web_pages(void);

#endif
