/* Comparing rows, and showing what differs.  No database, no files. */
#ifndef TESTING_ROWS_H
#define TESTING_ROWS_H

#include "definition/yaml.h"

/* How two values of a column are compared. */
enum number_kind { NUMBER_NONE, NUMBER_EXACT, NUMBER_FLOAT };
/* By the type's number in pg_type. */
enum number_kind rows_number_kind(unsigned type);

struct row_column {
    const char *name;
    enum number_kind number;
};
/* Rows as the database writes them; NULL cells are NULL.  cells[row * column_count + column] */
struct rows {
    struct row_column *columns;
    size_t column_count, count;
    const char **cells;
};

/* Whether a cell of a test file is a condition instead of a value. */
bool rows_is_condition(const struct yaml_node *cell);

struct rows_comparison {
    const char *label;
    bool subset;      /* rows that were not expected are fine */
    bool ordered;     /* by place; else as a bag */
    double tolerance; /* of numbers; below 0: the default */
    /* The expected rows as they stand in the test file, for the conditions in them; NULL without.
     */
    const struct yaml_node *conditions;
};

/* Which row was compared with which. */
struct rows_pairing {
    bool *equal;    /* of each expected row: there is one like it */
    size_t *actual; /* of each that has none: the most similar one that was left; SIZE_MAX: none */
    bool *holds;    /* holds[row * columns + column] of an expected row beside that one */
    size_t *unexpected, unexpected_count; /* actual rows that are left */
};

/* Adds what differs to `out`: a headline, and a table of the rows in which it does.  Both have the
   same columns.  ERR_TEST: a condition that cannot be read. */
enum status rows_compare(const struct rows_comparison *how, const struct rows *expected,
    const struct rows *actual, struct arena *arena, struct strbuf *out,
    struct rows_pairing *ret_pairing, struct error *err) MUST_CHECK;

#endif
