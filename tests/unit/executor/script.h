/*
 * A server that speaks PostgreSQL's protocol 3 from a script: answers that a real one will not give
 * on demand.  It listens on loopback, so that the real libpq is what is tested with us.
 *
 * By default it answers what an attempt asks as a server would that has no tables: every claim is
 * won, every statement inserts a row.  A script replaces the answer to one step.  It is a list of
 * messages with `;` between them, each a letter as in the protocol (or a word) and what it says:
 *
 *     R                     authentication is done       K            the backend's key
 *     S name=value          a parameter's status         Z T          ready: T, I, E or any byte
 *     C INSERT 0 1          a command's end              I            an empty query's
 *     T 2                   a row's shape, as so many columns of text
 *     D a|b                 a row; `~` is null           A            a notification
 *     E FATAL 57P01 words   an error; `-` for no SQLSTATE, `huge` for a megabyte of words
 *     N NOTICE 00000 words  a notice
 *     G  H  W               COPY in (whose end is then read), out, both
 *     d text   c            COPY's data and its end
 *     ! text                bytes as they are
 *     half                  of the next message only the first half is sent
 *     fin   rst             the connection is closed, or reset
 *     hang                  nothing more is said, whatever comes
 *     wait                  nothing more is said until a cancel comes
 *     default               what is said without a script
 *
 * A number behind the letter repeats: `N5000 NOTICE 00000 again`.  `$pid` is the backend's number.
 */
#ifndef TESTS_SCRIPT_H
#define TESTS_SCRIPT_H

#include <stdbool.h>

/* What is asked, by the text that comes. */
enum script_step {
    SCRIPT_CONNECT, /* the startup packet */
    SCRIPT_FACTS,   /* version, process … */
    SCRIPT_LEDGER,  /* its id */
    SCRIPT_BEGIN,
    SCRIPT_CLAIM, /* and settings */
    SCRIPT_STATEMENT,
    SCRIPT_CLOSE,
    SCRIPT_COMMIT, /* and the result before it */
    SCRIPT_ROLLBACK,
    SCRIPT_READ,      /* whose claim it is */
    SCRIPT_TERMINATE, /* pg_terminate_backend */
    SCRIPT_GONE,      /* whether backends are left */
    SCRIPT_DISCARD,
    SCRIPT_COUNT
};

/* Starts it; gives its uri. */
const char *script_start(void);
/* Back to answers without a script. */
void script_reset(void);
void script_set(enum script_step step, const char *messages);
/* Everything is sent in packets of so many bytes; 0 = as it comes. */
void script_chop(int bytes);
/* How often a step came since the reset; how many cancels. */
int script_came(enum script_step step);
int script_cancels(void);
const char *script_step_name(enum script_step step);

#endif
