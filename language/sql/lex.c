#include "language/sql/lex.h"

#include "base/vec.h"

static bool starts_word(char c)
{
    unsigned char u = (unsigned char)c;
    return (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || u == '_' || u >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool continues_word(char c)
{
    return starts_word(c) || is_digit(c) || c == '$';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static bool at(struct slice text, size_t i, char c)
{
    return i < text.size && text.p[i] == c;
}

/* Behind a nested comment that starts at i; false when the text ends inside it. */
static bool skip_comment(struct slice text, size_t *i)
{
    size_t depth = 0;
    size_t k = *i;
    while (k < text.size) {
        if (at(text, k, '/') && at(text, k + 1, '*')) {
            depth++;
            k += 2;
        } else if (at(text, k, '*') && at(text, k + 1, '/')) {
            k += 2;
            if (--depth == 0) {
                *i = k;
                return true;
            }
        } else {
            k++;
        }
    }
    return false;
}

/* Behind white space and comments; false when a comment is not ended (*i is its start). */
static bool skip_blank(struct slice text, size_t *i)
{
    for (;;) {
        while (*i < text.size && is_space(text.p[*i]))
            (*i)++;
        if (at(text, *i, '-') && at(text, *i + 1, '-')) {
            while (*i < text.size && text.p[*i] != '\n' && text.p[*i] != '\r')
                (*i)++;
        } else if (at(text, *i, '/') && at(text, *i + 1, '*')) {
            if (!skip_comment(text, i))
                return false;
        } else {
            return true;
        }
    }
}

/* The end of a quote that opens at i, 0 when there is none. */
static size_t quote_end(struct slice text, size_t i, bool backslashes)
{
    char quote = text.p[i++];
    while (i < text.size) {
        if (backslashes && text.p[i] == '\\') {
            i += 2;
        } else if (text.p[i] != quote) {
            i++;
        } else if (at(text, i + 1, quote)) {
            i += 2;
        } else {
            return i + 1;
        }
    }
    return 0;
}

/* Size of a dollar quote's tag with its two signs at i, 0 when none is there. */
static size_t dollar_tag(struct slice text, size_t i)
{
    size_t k = i + 1;
    if (k < text.size && starts_word(text.p[k]))
        while (k < text.size && continues_word(text.p[k]) && text.p[k] != '$')
            k++;
    return at(text, k, '$') ? k + 1 - i : 0;
}

static struct sql_token lex_dollar(struct slice text, size_t start)
{
    struct sql_token token = {.kind = SQL_OTHER, .offset = start, .size = 1};
    if (start + 1 < text.size && is_digit(text.p[start + 1])) {
        token.kind = SQL_PARAMETER;
        while (start + token.size < text.size && is_digit(text.p[start + token.size]))
            token.size++;
        return token;
    }
    size_t tag = dollar_tag(text, start);
    if (!tag)
        return token;
    size_t body = start + tag;
    const char *end = memmem(text.p + body, text.size - body, text.p + start, tag);
    if (!end) {
        token.kind = SQL_UNTERMINATED;
        token.size = text.size - start;
        return token;
    }
    token.kind = SQL_DOLLAR;
    token.body_offset = body;
    token.body_size = (size_t)(end - text.p) - body;
    token.size = body + token.body_size + tag - start;
    return token;
}

static struct sql_token lex_quote(
    struct slice text, size_t start, size_t quote, enum sql_token_kind kind, bool backslashes)
{
    size_t end = quote_end(text, quote, backslashes);
    if (!end)
        return (struct sql_token){SQL_UNTERMINATED, start, text.size - start, 0, 0};
    return (struct sql_token){kind, start, end - start, 0, 0};
}

/* A word, or a string with a letter before its quote. */
static struct sql_token lex_word(struct slice text, size_t start)
{
    char first = (char)(text.p[start] | 0x20);
    if (at(text, start + 1, '\'') && strchr("ebxn", first))
        return lex_quote(text, start, start + 1, SQL_STRING, first == 'e');
    if (first == 'u' && at(text, start + 1, '&')) {
        if (at(text, start + 2, '\''))
            return lex_quote(text, start, start + 2, SQL_STRING, false);
        if (at(text, start + 2, '"'))
            return lex_quote(text, start, start + 2, SQL_QUOTED, false);
    }
    struct sql_token token = {.kind = SQL_WORD, .offset = start, .size = 1};
    while (start + token.size < text.size && continues_word(text.p[start + token.size]))
        token.size++;
    return token;
}

static struct sql_token lex_number(struct slice text, size_t start)
{
    struct sql_token token = {.kind = SQL_NUMBER, .offset = start, .size = 1};
    while (start + token.size < text.size &&
           (is_digit(text.p[start + token.size]) || at(text, start + token.size, '.')))
        token.size++;
    return token;
}

static struct sql_token lex_here(struct slice text, size_t i)
{
    char c = text.p[i];
    switch (c) {
    case '\'': return lex_quote(text, i, i, SQL_STRING, false);
    case '"': return lex_quote(text, i, i, SQL_QUOTED, false);
    case '$': return lex_dollar(text, i);
    case ';': return (struct sql_token){SQL_SEMICOLON, i, 1, 0, 0};
    case '(':
    case '[': return (struct sql_token){SQL_OPEN, i, 1, 0, 0};
    case ')':
    case ']': return (struct sql_token){SQL_CLOSE, i, 1, 0, 0};
    default: break;
    }
    if (starts_word(c))
        return lex_word(text, i);
    if (is_digit(c))
        return lex_number(text, i);
    return (struct sql_token){SQL_OTHER, i, 1, 0, 0};
}

struct sql_token sql_lex(struct slice text, size_t *position)
{
    if (!skip_blank(text, position)) {
        struct sql_token token = {SQL_UNTERMINATED, *position, text.size - *position, 0, 0};
        *position = text.size;
        return token;
    }
    if (*position >= text.size)
        return (struct sql_token){SQL_END, text.size, 0, 0, 0};
    struct sql_token token = lex_here(text, *position);
    *position = token.offset + token.size;
    return token;
}

/* ---- all tokens ------------------------------------------------------------------------------ */

struct sql_tokens sql_tokens_read(struct slice text, struct arena *arena)
{
    enum { BYTES_OF_TOKEN = 4 }; /* about */
    VEC(struct sql_token) all = {0};
    size_t position = 0;
    vec_reserve(&all, text.size / BYTES_OF_TOKEN + 2);
    do
        vec_push(&all, sql_lex(text, &position));
    while (all.at[all.count - 1].kind != SQL_END);
    struct sql_tokens tokens = {
        text, arena_memdup(arena, all.at, all.count * sizeof(*all.at)), all.count - 1};
    vec_done(&all);
    return tokens;
}

bool sql_is_any(const struct sql_tokens *t, size_t i, const char *const *words)
{
    for (; *words; words++)
        if (sql_is_word(t, i, *words))
            return true;
    return false;
}

size_t sql_behind_brackets(const struct sql_tokens *t, size_t i)
{
    size_t depth = 0;
    for (; i < t->count; i++) {
        depth += t->at[i].kind == SQL_OPEN;
        if (t->at[i].kind == SQL_CLOSE && --depth == 0)
            return i + 1;
    }
    return t->count;
}
