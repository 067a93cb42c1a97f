#include "language/sql/split.h"

#include "tests/unit/test.h"

static struct arena *arena;

/* The statements of a text, joined by " | "; "error at N" when it cannot be split. */
static const char *split(const char *text)
{
    struct sql_statements found;
    struct error err;
    size_t offset = 0;
    struct strbuf out = {0};
    if (!arena)
        arena = arena_new();
    if (sql_split(slice_of(text), arena, &found, &offset, &err))
        return arena_printf(arena, "error at %zu: %s", offset, err.message);
    for (size_t i = 0; i < found.count; i++) {
        strbuf_add_str(&out, i ? " | " : "");
        strbuf_add(&out, text + found.at[i].offset, found.at[i].size);
    }
    const char *joined = strbuf_to_arena(&out, arena);
    strbuf_done(&out);
    return joined;
}

TEST(statements_end_at_semicolons)
{
    CHECK_STR(split("select 1; select 2"), "select 1 | select 2");
    CHECK_STR(
        split("  select 1 ;\n\n;; -- no\n/* no; */ ; select 2 -- end"), "select 1 | select 2");
    CHECK_STR(split(""), "");
    CHECK_STR(split(" -- only; this\n"), "");
}

TEST(semicolons_in_quotes_comments_and_parentheses_do_not_count)
{
    CHECK_STR(split("select ';', \"a;b\", 'it''s;' ; x"), "select ';', \"a;b\", 'it''s;' | x");
    CHECK_STR(split("select E'\\';', 'a\\'; x"), "select E'\\';', 'a\\' | x");
    CHECK_STR(split("select U&'\\0041;', u&\"x;\"; y"), "select U&'\\0041;', u&\"x;\" | y");
    CHECK_STR(split("a /* ; /* ; */ ; */ b; c"), "a /* ; /* ; */ ; */ b | c");
    CHECK_STR(split("create rule r as on insert to t do also (select 1; select 2); x"),
        "create rule r as on insert to t do also (select 1; select 2) | x");
    CHECK_STR(split("a -- ;\n;b"), "a | b");
}

TEST(dollar_quotes_are_whole)
{
    CHECK_STR(split("do $$ a; b $$; c"), "do $$ a; b $$ | c");
    CHECK_STR(split("do $x$ $$ ; $y$ ; $x$; c"), "do $x$ $$ ; $y$ ; $x$ | c");
    CHECK_STR(split("select a$b$; select $1;x"), "select a$b$ | select $1 | x");
    CHECK_STR(split("select $ä$;$ä$; x"), "select $ä$;$ä$ | x");
}

TEST(routines_with_a_body_of_statements_are_whole)
{
    CHECK_STR(split("create or replace function f() returns int begin atomic select case when true"
                    " then 1 end; select 2; end; select 3"),
        "create or replace function f() returns int begin atomic select case when true then 1 end;"
        " select 2; end | select 3");
    CHECK_STR(split("begin; select 1; end"), "begin | select 1 | end");
    CHECK_STR(split("create procedure p() begin atomic insert into t values (1); end; x"),
        "create procedure p() begin atomic insert into t values (1); end | x");
    CHECK_STR(split("create table atomic (begin int); x"), "create table atomic (begin int) | x");
}

TEST(a_text_that_ends_inside_something_is_an_error_at_its_beginning)
{
    CHECK_STR(split("select 'abc"), "error at 7: a quoted text is not ended");
    CHECK_STR(split("select E'abc\\'"), "error at 7: a quoted text is not ended");
    CHECK_STR(split("select \"abc"), "error at 7: a quoted name is not ended");
    CHECK_STR(split("x; /* a /* b */"), "error at 3: a comment is not ended");
    CHECK_STR(split("do $a$ $b$"), "error at 3: a dollar quote is not ended");
}

TEST(a_nul_byte_is_an_error)
{
    struct sql_statements found;
    struct error err;
    size_t offset = 0;
    CHECK(sql_split(slice_make("a\0b", 3), arena, &found, &offset, &err) == ERR_INVALID);
    CHECK_INT(offset, 1);
}

TEST(the_tokens_of_a_statement_are_those_of_its_text_alone)
{
    static const char text[] = "select 1;\n  do $a$ x; $a$ language sql;select 'é', t.\"B\" -- c\n";
    struct sql_statements found;
    size_t offset;
    REQUIRE(sql_split_tokens(slice_of(text), arena, &found, &offset, NULL) == OK);
    REQUIRE(found.count == 3);
    for (size_t i = 0; i < found.count; i++) {
        const struct sql_tokens *tokens = &found.at[i].tokens;
        struct slice own = slice_make(text + found.at[i].offset, found.at[i].size);
        struct sql_tokens alone = sql_tokens_read(own, arena);
        CHECK(slice_equal(tokens->text, own));
        REQUIRE(tokens->count == alone.count);
        for (size_t k = 0; k <= alone.count; k++)
            CHECK(memcmp(&tokens->at[k], &alone.at[k], sizeof(alone.at[k])) == 0);
    }
    const struct sql_tokens *block = &found.at[1].tokens;
    CHECK(sql_is_word(block, 0, "do") && sql_is_kind(block, 1, SQL_DOLLAR));
    CHECK(slice_equal_str(sql_token_text(block, 2), "language"));
    CHECK(!sql_is_word(block, 4, "sql") && !sql_is_kind(block, 9, SQL_WORD));
}

static enum sql_control control(const char *text)
{
    struct sql_statements found = {0};
    size_t offset;
    REQUIRE(sql_split(slice_of(text), arena, &found, &offset, NULL) == OK);
    REQUIRE(found.count == 1);
    return found.at[0].control;
}

TEST(transaction_control_is_known_by_its_first_words)
{
    static const struct {
        const char *text;
        enum sql_control control;
    } rows[] = {
        {"BEGIN", SQL_CONTROL_TRANSACTION},
        {"begin isolation level serializable", SQL_CONTROL_TRANSACTION},
        {"Start Transaction", SQL_CONTROL_TRANSACTION},
        {"/* x */ commit", SQL_CONTROL_TRANSACTION},
        {"commit and chain", SQL_CONTROL_TRANSACTION},
        {"END", SQL_CONTROL_TRANSACTION},
        {"abort", SQL_CONTROL_TRANSACTION},
        {"rollback", SQL_CONTROL_TRANSACTION},
        {"rollback work", SQL_CONTROL_TRANSACTION},
        {"rollback and chain", SQL_CONTROL_TRANSACTION},
        {"prepare transaction 'x'", SQL_CONTROL_TRANSACTION},
        {"commit prepared 'x'", SQL_CONTROL_TRANSACTION},
        {"rollback prepared 'x'", SQL_CONTROL_TRANSACTION},
        {"savepoint a", SQL_CONTROL_SAVEPOINT},
        {"release savepoint a", SQL_CONTROL_SAVEPOINT},
        {"rollback to a", SQL_CONTROL_SAVEPOINT},
        {"rollback work to savepoint a", SQL_CONTROL_SAVEPOINT},
        {"rollback transaction to a", SQL_CONTROL_SAVEPOINT},
        {"prepare p as select 1", SQL_CONTROL_NONE},
        {"select 'commit'", SQL_CONTROL_NONE},
        {"\"commit\"", SQL_CONTROL_NONE},
        {"do $$ begin commit; end $$", SQL_CONTROL_NONE},
        {"start_it", SQL_CONTROL_NONE},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (!CHECK(control(rows[i].text) == rows[i].control))
            fprintf(stderr, "  %s\n", rows[i].text);
    }
    arena_free(take(arena));
}
