/*
 * Test files: `*.test.yaml` → tests of SQL tasks, rows in, rows out.
 *
 * How to add a key: a row to its level in testfile.c, a field below; docs/testing.md has the tables
 * that definition_reference makes of the levels, and tests/unit/testing/testfile_test.c fails until
 * both agree; a key that takes more than a scalar has its form in test_schema.c.
 */
#ifndef TESTING_TESTFILE_H
#define TESTING_TESTFILE_H

#include "base/vec.h"
#include "definition/keys.h"

enum rows_match { ROWS_EXACT, ROWS_SUBSET };

/* Rows, in one of three forms, or a number of them. */
struct test_rows {
    const struct yaml_node *rows; /* a list of mappings; NULL = not given */
    const char *csv;              /* a path, relative to the test file or the root; NULL */
    const char *sql;              /* text or such a path; NULL */
    const struct yaml_node *row_count;
    const struct yaml_node *order; /* true, false, or what to order by */
    const struct yaml_node *tolerance;
    const char *connection; /* NULL = the test's first task's */
    int match;              /* enum rows_match */
};

/* One entry of `given` or `expect`. */
struct test_table {
    const char *name;           /* "geolife.points", as SQL reads it */
    const struct yaml_node *at; /* the key */
    struct test_rows is;
};

struct test_error {
    const char *sqlstate, *message; /* NULL = any */
};

struct sql_test {
    const char *file;           /* relative to the root */
    const char *folder;         /* of the file, absolute: where its CSV and SQL files are */
    const struct yaml_node *at; /* the test */
    const char *name, *dag;
    struct names tasks;       /* in the order in which they run */
    const char *logical_date; /* NULL: now */
    const struct yaml_node *date_at;
    const struct yaml_node *params, *variables, *conf, *connections, *xcom; /* mappings or NULL */
    struct test_tables {
        struct test_table *at;
        size_t count;
    } given, expect;                   /* in the file's order */
    struct names varies;               /* tables and columns that `--twice` does not compare */
    const struct yaml_node *varies_at; /* a list or one of them; NULL: none */
    bool fails;                        /* `error` is given */
    struct test_error error;
};

/* Places an error at a node of the test's file (NULL: as it is); gives its status. */
enum status test_place(const struct sql_test *test, const struct yaml_node *at, struct error *err);

typedef VEC(struct sql_test) sql_tests;

extern const struct level test_file_level, test_level, test_given_level, test_expect_level,
    test_error_level;
extern const struct schema test_schema; /* definition/schema.h */

/* Reads a test file and adds its tests to the list (heap: vec_done); all else lives in `arena`.
   Mistakes are added to `diagnostics`, and then ERR_DEFINITION; ERR_NOT_FOUND, ERR_IO. */
enum status testfile_read(const struct project *project, const char *path, struct arena *arena,
    struct diagnostics *diagnostics, sql_tests *tests, struct error *err) MUST_CHECK;

#endif
