#include "testing/csv.h"
#include "tests/unit/test.h"

TEST(the_first_line_names_the_columns)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct csv csv = csv_open("a.csv", slice_of("day, \"kind\" ,n\r\n1,2,3\n"), arena);
    CHECK_INT(csv.column_count, 3);
    CHECK(slice_equal_str(csv.columns[0], "day"));
    CHECK(slice_equal_str(csv.columns[1], "kind"));
    CHECK(slice_equal_str(csv.columns[2], "n"));
    CHECK_INT(csv_column_offset(&csv, 1), 6);
    csv = csv_open("a.csv", slice_of(""), arena);
    CHECK_INT(csv.column_count, 1);
    CHECK_INT(csv.columns[0].size, 0);
}

TEST(lines_are_found_and_the_last_one_stands_for_those_behind_it)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct csv csv = csv_open("a.csv", slice_of("a\nbb\nc\n"), arena);
    CHECK_INT(csv_line_offset(&csv, 1), 0);
    CHECK_INT(csv_line_offset(&csv, 2), 2);
    CHECK_INT(csv_line_offset(&csv, 3), 5);
    CHECK_INT(csv_line_offset(&csv, 9), 5);
    CHECK_INT(csv_line_offset(&csv, 0), 0);
}

TEST(the_server_says_which_line_it_refused)
{
    CHECK_INT(csv_line_of_context("COPY t, line 12, column n: \"x\""), 12);
    CHECK_INT(csv_line_of_context("COPY t, line 2: \"a, line 7\""), 2);
    CHECK_INT(csv_line_of_context("SQL function \"f\""), 0);
    CHECK_INT(csv_line_of_context(""), 0);
}
