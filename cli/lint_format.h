/*
 * How `dag lint` prints what it found: for people, for programs, for the services that check
 * changes.
 *
 * How to add a format:
 *  1. write its function in lint_format.c and add a row to the table there;
 *  2. name it in docs/dag-files.md; tests/cli/test_lint.py runs every row's name.
 */
#ifndef CLI_LINT_FORMAT_H
#define CLI_LINT_FORMAT_H

#include "base/error.h"

struct lint_format {
    const char *name;
    void (*print)(const struct diagnostics *findings); /* to standard output */
};

/* The format of that name; NULL = there is none. */
const struct lint_format *lint_format_find(const char *name);
/* "text, json, github", for help and errors. */
const char *lint_format_names(struct arena *arena);

/* The table of codes, with `json` an object a line. */
void lint_print_codes(bool json);

#endif
