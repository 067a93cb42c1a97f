/*
 * Rows into tables of a scratch database, and what became of them.
 *
 * Values go through the database's own types both ways: what is expected is put into a temporary
 * table of the same columns, so that 1.50 and 1.5, or two spellings of a time, are the same where
 * the column says so, and a value that its column does not take is an error at its place.
 *
 * A cell of `rows` is a scalar (null: NULL), a list (an array, or JSON), a mapping (JSON), or in
 * what is expected a condition: {matches: "^wa.*"} (a POSIX regular expression) or {not: null}.
 *
 * A partitioned table of PostgreSQL that has no partition for a given row gets one: of a table by
 * list of one date the day's, named <table>_1_prt_p<yyyymmdd> as Greenplum names them; otherwise a
 * default partition.
 */
#ifndef TESTING_TABLES_H
#define TESTING_TABLES_H

#include <libpq-fe.h>
#include "testing/update.h"

/* ERR_TEST with the place in the test file, and what the database says. */
enum status tables_put(PGconn *conn, const struct sql_test *test, const struct test_table *table,
    struct arena *arena, struct error *err) MUST_CHECK;

/* Compares one expectation.  What differs is added to `out` as people read it; nothing is added
   when all is as expected.  What would make it so is added to `updates`. */
enum status tables_compare(PGconn *conn, const struct sql_test *test,
    const struct test_table *table, struct arena *arena, struct strbuf *out, test_updates *updates,
    struct error *err) MUST_CHECK;

#endif
