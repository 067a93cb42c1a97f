/*
 * What is wrong when a server cannot be connected to, from what libpq says: a row for each
 * condition, with its meaning and what to do.  The same for tasks and for `dag conn test`.
 *
 * libpq 15 gives no SQLSTATE for a refused connection, so that its words decide; a text that fits
 * no row (a server that speaks another language) is shown as it is.
 */
#ifndef EXECUTOR_TARGET_TROUBLE_H
#define EXECUTOR_TARGET_TROUBLE_H

#include "base/error.h"

/* How to add a condition: a row in trouble.c, before the more general ones that fit it too, and its
   text in tests/unit/executor/trouble_test.c. */
struct trouble {
    const char *code;        /* for programs: "password" */
    const char *patterns[5]; /* any of them is in the text; with `and`, that as well */
    const char *and;
    const char *meaning; /* "the password is wrong" */
    const char *remedy;
};

extern const struct trouble troubles[];
extern const size_t trouble_count;

/* NULL when no row fits. */
const struct trouble *trouble_find(const char *text);

#endif
