/* Telling the service manager (systemd's sd_notify protocol: one datagram to $NOTIFY_SOCKET). */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

/* Ready to take requests.  Does nothing without a service manager. */
void notify_ready(void);

#endif
