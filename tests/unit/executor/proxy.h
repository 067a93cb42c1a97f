/*
 * A proxy between libpq and a server, which breaks connections at chosen moments: what a real
 * network does and a real server will not do on demand.  It listens on a Unix socket beside the
 * server's.
 */
#ifndef TESTS_PROXY_H
#define TESTS_PROXY_H

enum proxy_mode {
    PROXY_PASS,
    PROXY_DROP_BEFORE_COMMIT, /* COMMIT is swallowed, and both ends are closed */
    PROXY_DROP_AFTER_COMMIT,  /* COMMIT is passed on; its answer is swallowed */
    PROXY_HANG_AFTER_COMMIT,  /* the same, and our end stays open without a word */
    PROXY_HOLD_COMMIT,        /* COMMIT is passed on when the mode changes */
    PROXY_DROP_BEGIN,         /* the next BEGIN is swallowed, and both ends are closed: once */
    PROXY_TIME_OUT_BEGIN,     /* each BEGIN is answered by the error of statement_timeout */
    PROXY_HANG,               /* takes connections and says nothing until the mode changes */
    PROXY_LIE_ABOUT_PID,      /* the backend's key is another one's, as behind a pooler */
};

/* Starts it; gives the uri through which `database` is reached. */
const char *proxy_start(const char *database);
void proxy_set(enum proxy_mode mode);
/* How many COMMITs have come, and how many connections. */
int proxy_commits(void);
int proxy_connections(void);

#endif
