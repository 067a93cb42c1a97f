/*
 * How `dag test` shows results: for people, as TAP version 13, as JUnit's XML.
 *
 * How to add a format: its functions in report.c and a row in the table there; docs/testing.md.
 */
#ifndef TESTING_REPORT_H
#define TESTING_REPORT_H

#include "testing/suite.h"

struct test_totals {
    size_t count, failed;
    int64_t duration_us;
};

struct report_format {
    const char *name; /* "text" */
    /* Each adds to `out`.  `number` of the result counts from 1.  `file` may be NULL. */
    void (*begin)(const struct test_totals *totals, struct strbuf *out);
    void (*result)(const struct test_result *result, size_t number, struct strbuf *out);
    void (*end)(const struct test_totals *totals, struct strbuf *out);
};
/* The format of that name, NULL when there is none. */
const struct report_format *report_format_find(const char *name);
/* "text, tap, junit" */
const char *report_format_names(struct arena *arena);

#endif
