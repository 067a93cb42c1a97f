/*
 * Telling the service manager how it is with the daemon: systemd's sd_notify protocol, one datagram
 * to $NOTIFY_SOCKET.  Does nothing without a service manager; who does not listen is no trouble.
 */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stdint.h>

/* Assignments, a line each, as in sd_notify(3): "READY=1\nSTATUS=12 DAGs". */
void notify_send(const char *assignments);
/* Reading the definitions again, until the next READY=1. */
void notify_reloading(void);
/* How often WATCHDOG=1 is expected at the least, from $WATCHDOG_USEC; 0 = not at all. */
int64_t notify_watchdog_us(void);

#endif
