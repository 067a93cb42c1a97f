/* Ceilings of tests of SQL tasks; above each is an error that names it. */
#ifndef TESTING_LIMITS_H
#define TESTING_LIMITS_H

enum {
    /* bytes of a test file, and of a CSV or SQL file beside it: fixtures are written by hand */
    TEST_FILE_MAX = 4 << 20,
    /* tests of one run */
    TESTS_MAX = 10 * 1000,
    /* rows of a table that are compared: each is looked for among all others */
    TEST_ROWS_MAX = 10 * 1000,
    /* columns of a table that are compared */
    TEST_COLUMNS_MAX = 200,
    /* rows that differ, shown of one table */
    TEST_ROWS_SHOWN = 10,
    /* characters of a cell that are shown */
    TEST_CELL_SHOWN = 40,
    /* tests side by side */
    TEST_JOBS_MAX = 64,
    /* instances of a mapped task in a test */
    TEST_MAPPED_MAX = 1024,
};

#endif
