#include "language/sql/parameters.h"

#include "tests/unit/test.h"

static bool takes(const char *statement)
{
    return sql_takes_parameters(slice_of(statement));
}

TEST(queries_take_parameters)
{
    CHECK(takes("select 1"));
    CHECK(takes("  -- a comment\n SELECT 1"));
    CHECK(takes("((select 1) union (select 2))"));
    CHECK(takes("insert into t values (1)"));
    CHECK(takes("Update t set a = 1"));
    CHECK(takes("delete from t"));
    CHECK(takes("merge into t using u on true when matched then do nothing"));
    CHECK(takes("values (1)"));
    CHECK(takes("with x as (select 1) select * from x"));
}

TEST(other_statements_take_none)
{
    CHECK(!takes("create table t as select 1"));
    CHECK(!takes("do $$ begin end $$"));
    CHECK(!takes("set search_path = x"));
    CHECK(!takes("copy t from '/f'"));
    CHECK(!takes("explain select 1"));
    CHECK(!takes("\"select\" 1"));
    CHECK(!takes("selected"));
    CHECK(!takes(""));
    CHECK(!takes("/* not closed"));
}

TEST(the_first_word_says_what_a_statement_is)
{
    struct slice text = slice_of("/* a */ ( ( Create table t");
    struct sql_token word = sql_first_word(text);
    CHECK_INT(word.kind, SQL_WORD);
    CHECK(sql_token_is(text, word, "create"));
    CHECK_INT(sql_first_word(slice_of("((")).kind, SQL_END);
}

/* Whether an expression may begin behind the last token of a text. */
static bool begins_behind(const char *text)
{
    struct sql_token before = {.kind = SQL_END}, token;
    size_t position = 0;
    while ((token = sql_lex(slice_of(text), &position)).kind != SQL_END)
        before = token;
    return sql_begins_expression(slice_of(text), before);
}

TEST(an_expression_begins_behind_keywords_operators_and_brackets)
{
    static const char *const yes[] = {"select", "SELECT DISTINCT", "a =", "f(", "x[", "1,", "a ||",
        "where", "x IN", "between 1 and", "limit", "at time zone", "case when", "order by"};
    static const char *const no[] = {
        "date", "timestamp with time", "as", "a.b", "\"T\"", "1", "'a'", ")", ""};
    for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
        if (!CHECK(begins_behind(yes[i])))
            fprintf(stderr, "  %s\n", yes[i]);
    for (size_t i = 0; i < ARRAY_SIZE(no); i++)
        if (!CHECK(!begins_behind(no[i])))
            fprintf(stderr, "  %s\n", no[i]);
}
