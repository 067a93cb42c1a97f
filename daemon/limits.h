/* Ceilings of the daemon. */
#ifndef DAEMON_LIMITS_H
#define DAEMON_LIMITS_H

enum {
    /* Stored settings: each load of the project reads all of them. */
    SETTINGS_MAX = 10000,
    DAEMON_REQUEST_SIZE_MAX = 1 << 20, /* bytes of one request line: a conf of some size fits */
    DAEMON_CLIENTS_MAX = 64,           /* open connections to the socket: each holds a buffer */
    DAEMON_ALIVE_TIMEOUT_MS = 2000,    /* for a sign of life: longer, and it is stopped or hangs */
    DAEMON_ANSWER_TIMEOUT_MS = 60000,  /* for the outcome of a request to be durable */
    DAEMON_CANCEL_MS = 60000, /* for cancels to be confirmed at the end; then it ends without */
    DAEMON_NOTIFY_MS = 5000,  /* between two signs of life to the service manager while it stops */
    DAEMON_STARTED_DELAY_MS = 100, /* until it is durable that an attempt started */
    DAEMON_FILES_QUIET_MS = 500,   /* how long files must be quiet before they are adopted */
    DAEMON_FILES_POLL_MS = 5000,   /* folders that the kernel cannot watch are looked at */
    DAEMON_TRIM_DELAY_MS = 1000,   /* from new definitions to giving back what they took */
    DAEMON_RELOAD_DELAY_MS = 1000, /* between two tries to load the state after a failure */
    DAEMON_RELOADS_MAX = 5,        /* in a row without a batch in between; then it ends */
};

#endif
