#include "language/sql/parameters.h"

static bool is_one_of(
    struct slice text, struct sql_token token, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sql_token_is(text, token, words[i]))
            return true;
    return false;
}

struct sql_token sql_first_word(struct slice statement)
{
    size_t position = 0;
    struct sql_token token = sql_lex(statement, &position);
    while (token.kind == SQL_OPEN)
        token = sql_lex(statement, &position);
    return token;
}

bool sql_takes_parameters(struct slice statement)
{
    static const char *const queries[] = {
        "select", "insert", "update", "delete", "merge", "values", "with"};
    struct sql_token token = sql_first_word(statement);
    return token.kind == SQL_WORD && is_one_of(statement, token, queries, ARRAY_SIZE(queries));
}

bool sql_begins_expression(struct slice statement, struct sql_token before)
{
    static const char *const words[] = {"select", "distinct", "all", "where", "and", "or", "not",
        "on", "having", "by", "in", "like", "ilike", "to", "between", "from", "case", "when",
        "then", "else", "limit", "offset", "returning", "any", "escape", "using", "zone"};
    if (before.kind == SQL_WORD)
        return is_one_of(statement, before, words, ARRAY_SIZE(words));
    return before.kind == SQL_OPEN || before.kind == SQL_OTHER;
}

static bool follows(struct sql_token before, struct sql_token token)
{
    return token.offset == before.offset + before.size;
}

/* Five tokens without blanks between. */
size_t sql_named_parameter(struct slice text, size_t percent, struct slice *ret_name)
{
    static const enum sql_token_kind kinds[] = {SQL_OPEN, SQL_WORD, SQL_CLOSE, SQL_WORD};
    struct sql_token tokens[4], before = {.offset = percent, .size = 1};
    size_t position = percent + 1;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        tokens[i] = sql_lex(text, &position);
        if (tokens[i].kind != kinds[i] || !follows(before, tokens[i]))
            return 0;
        before = tokens[i];
    }
    if (text.p[tokens[0].offset] != '(' || !sql_token_is(text, tokens[3], "s"))
        return 0;
    *ret_name = slice_make(text.p + tokens[1].offset, tokens[1].size);
    return position - percent;
}
