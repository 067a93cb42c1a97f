#include "language/sql/copy.h"

#include "tests/unit/test.h"

static enum sql_copy_way way(const char *statement)
{
    return sql_copy_of(slice_of(statement));
}

TEST(a_copy_with_the_client_is_told_by_its_words)
{
    CHECK_INT(way("copy t from stdin"), SQL_COPY_FROM);
    CHECK_INT(way("COPY s.t (a, b) FROM STDIN WITH (FORMAT csv)"), SQL_COPY_FROM);
    CHECK_INT(way("copy binary t from /* 'x' */ stdin"), SQL_COPY_FROM);
    CHECK_INT(way("copy t from stdout"), SQL_COPY_FROM); /* as PostgreSQL has it */
    CHECK_INT(way("copy t to stdout"), SQL_COPY_TO);
    CHECK_INT(way("copy (select * from stdin to where x) to stdout (header)"), SQL_COPY_TO);
    CHECK_INT(way("copy \"from\" to stdout"), SQL_COPY_TO);
    CHECK_INT(way("copy t (\"to\", stdin) from stdin"), SQL_COPY_FROM);
}

TEST(other_statements_have_no_file_of_ours)
{
    CHECK_INT(way("copy t from '/x/stdin'"), SQL_COPY_NONE);
    CHECK_INT(way("copy t to program 'cat > stdout'"), SQL_COPY_NONE);
    CHECK_INT(way("copy t from $$stdin$$"), SQL_COPY_NONE);
    CHECK_INT(way("copy (select 1 from stdin) to '/x'"), SQL_COPY_NONE);
    CHECK_INT(way("select 1 from stdin"), SQL_COPY_NONE);
    CHECK_INT(way("insert into copy select a from stdin"), SQL_COPY_NONE);
    CHECK_INT(way("copy t from \"stdin\""), SQL_COPY_NONE);
    CHECK_INT(way("copy"), SQL_COPY_NONE);
    CHECK_INT(way("copy t from"), SQL_COPY_NONE);
    CHECK_INT(way(""), SQL_COPY_NONE);
}

static size_t inline_data(const char *text)
{
    size_t offset;
    return sql_copy_inline_data(slice_of(text), &offset) ? offset : 0;
}

TEST(rows_within_the_text_are_found)
{
    CHECK_INT(inline_data("copy t from stdin;\n1\n\\.\n"), 19);
    CHECK_INT(inline_data("select 1;\ncopy t from stdin;\nit's\n\\.\r\nselect 2"), 29);
    CHECK_INT(inline_data("copy t from stdin;\n\\."), 19);
    CHECK_INT(inline_data("copy t from stdin; select '\n\\. '"), 0);
    CHECK_INT(inline_data("copy t from stdin"), 0);
    CHECK_INT(inline_data("copy t to stdout;\n\\.\n"), 0);
    CHECK_INT(inline_data("select E'\n\\.\n'; copy t from stdin"), 0);
}
