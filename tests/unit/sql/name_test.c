/* Names of tables and columns as people write them. */
#include "language/sql/name.h"
#include "tests/unit/test.h"

TEST(names_are_read_as_sql_reads_them)
{
    static const struct {
        const char *name, *quoted;
    } cases[] = {{"trips", "\"trips\""}, {"geolife.Trips", "\"geolife\".\"trips\""},
        {"\"Geo life\".\"a\"\"b\"", "\"Geo life\".\"a\"\"b\""}, {"db.s.t", "\"db\".\"s\".\"t\""},
        {" s . t ", "\"s\".\"t\""}, {"über", "\"über\""}, {"t;", NULL}, {"t u", NULL}, {"", NULL},
        {"t.", NULL}, {".t", NULL}, {"a.b.c.d", NULL}, {"t -- x\n; drop table u", NULL},
        {"'t'", NULL}, {"f(x)", NULL}, {"\"\"", NULL}, {"a-b", NULL}, {"\"open", NULL}};
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (!CHECK_STR(sql_name_quoted(slice_of(cases[i].name), arena), cases[i].quoted))
            printf("  of %s\n", cases[i].name);
}

TEST(a_column_that_is_no_name_of_sql_is_meant_as_it_is)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CHECK_STR(sql_column_quoted(slice_of("Uid"), arena), "\"uid\"");
    CHECK_STR(sql_column_quoted(slice_of("\"Uid\""), arena), "\"Uid\"");
    CHECK_STR(sql_column_quoted(slice_of("value-avg"), arena), "\"value-avg\"");
    CHECK_STR(sql_column_quoted(slice_of("a\" or 1=1 --"), arena), "\"a\"\" or 1=1 --\"");
    CHECK_STR(sql_column_quoted(slice_of("s.t"), arena), "\"s.t\"");
}

TEST(a_literal_means_the_same_under_any_setting)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CHECK_STR(sql_literal(arena, "it's"), "'it''s'");
    CHECK_STR(sql_literal(arena, "a\\b'"), "E'a\\\\b'''");
    CHECK_STR(sql_literal(arena, ""), "''");
}
