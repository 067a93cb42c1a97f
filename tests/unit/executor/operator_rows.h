/*
 * The kinds that the shared operator suite (operator_test.c) goes through, and the points at which
 * each can be held.
 */
#ifndef TESTS_OPERATOR_ROWS_H
#define TESTS_OPERATOR_ROWS_H

#include "executor/operators/operator.h"

enum point {
    AT_ONCE,    /* just started: no turn of the loop yet */
    RENDERING,  /* on a worker thread */
    THREAD,     /* waits for a thread, all of which are busy */
    CONNECTING, /* the server does not answer yet */
    SPAWNING,   /* the supervisor has started, and nothing more */
    RUNNING,
    COMMITTING, /* COMMIT was sent and has not arrived */
    ENDING,     /* the process has ended, its supervisor has not told yet */
    ENDED,      /* it has ended; perhaps nobody was told yet */
    POINT_COUNT
};
#define BIT(point) (1u << (point))
/* Points that every kind has. */
#define ANY (BIT(AT_ONCE) | BIT(ENDED))

/* One kind in one form.  `make` makes it task 0 of the rig: it waits while the test holds it (the
   advisory lock 7, or the file `hold` in the rig's folder), and pulls an XCom while it renders.  A
   SQL task inserts its generation into t; a process writes its number to `pid` and a line to
   `runs`. */
struct row {
    const struct operator* operator;
    enum task_kind kind; /* KIND_COUNT: of every kind */
    void (*make)(void);
    unsigned points; /* at which it can be held, beside ANY */
    const char *name;
    int wait; /* of a sensor: its kind */
};
extern const struct row operator_rows[];
extern const size_t operator_row_count;

/* Those that are asked for by name. */
void make_sql(void);
void make_sql_plain(void);

/* A path in the rig's folder. */
const char *in_dir(const char *name);

#endif
