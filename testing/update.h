/*
 * What came out, written into test files in the place of what was expected (`dag test --update`).
 *
 * Only the rows that differ are replaced: rows that hold, conditions that hold, comments and the
 * layout of everything else stay as they are.  A CSV file is written anew.
 */
#ifndef TESTING_UPDATE_H
#define TESTING_UPDATE_H

#include "testing/rows.h"
#include "testing/testfile.h"

/* A change of a file's text. */
struct test_update {
    const char *path;  /* absolute */
    size_t begin, end; /* bytes of the text that was read; a CSV file: 0 and SIZE_MAX */
    const char *text;  /* what takes their place */
};
typedef VEC(struct test_update) test_updates;

/* Adds what makes `table` expect the actual rows.  `pairing`: of rows_compare. */
void update_rows(const struct sql_test *test, const struct test_table *table,
    const struct rows *expected, const struct rows *actual, const struct rows_pairing *pairing,
    struct arena *arena, test_updates *updates);
/* The same of `row_count`. */
void update_count(const struct sql_test *test, const struct test_table *table, const char *count,
    struct arena *arena, test_updates *updates);

/* Where two changes of a file overlap and differ: several tests share these rows (an anchor, a CSV
   file) and do not agree.  NULL: nowhere. */
const struct test_update *update_conflict(const test_updates *updates);
/* Writes the files; `tests` are those that were read, and a file that is no longer what was read
   is left alone: ERR_CONFLICT.  *ret_files: the paths that were written, of `arena`. */
enum status update_write(const test_updates *updates, const struct sql_test *tests, size_t count,
    struct arena *arena, struct names *ret_files, struct error *err) MUST_CHECK;

#endif
