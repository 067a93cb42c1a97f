#include "language/sql/copy.h"

#include "language/sql/lex.h"

const struct sql_copy_words sql_copy_ways[] = {
    [SQL_COPY_NONE] = {NULL, NULL},
    [SQL_COPY_FROM] = {"copy_from", "COPY … FROM STDIN"},
    [SQL_COPY_TO] = {"copy_to", "COPY … TO STDOUT"},
};

/* A COPY as its tokens come by. */
struct scan {
    unsigned depth;        /* of parentheses */
    bool begun, is_copy;   /* the statement has a first word; which is COPY */
    enum sql_copy_way way; /* behind FROM or TO: what the next word may make of it */
    enum sql_copy_way found;
};

static void scan_word(struct scan *s, struct slice text, struct sql_token token)
{
    enum sql_copy_way way = s->way;
    s->way = SQL_COPY_NONE;
    if (!s->is_copy || s->depth || s->found)
        return;
    /* PostgreSQL takes the one for the other. */
    if (way && (sql_token_is(text, token, "stdin") || sql_token_is(text, token, "stdout")))
        s->found = way;
    else if (sql_token_is(text, token, "from"))
        s->way = SQL_COPY_FROM;
    else if (sql_token_is(text, token, "to"))
        s->way = SQL_COPY_TO;
}

static void scan_token(struct scan *s, struct slice text, struct sql_token token)
{
    if (!s->begun) {
        s->begun = true;
        s->is_copy = sql_token_is(text, token, "copy");
    } else if (token.kind == SQL_WORD) {
        scan_word(s, text, token);
    } else {
        s->way = SQL_COPY_NONE;
        s->depth += token.kind == SQL_OPEN;
        s->depth -= token.kind == SQL_CLOSE && s->depth;
    }
}

enum sql_copy_way sql_copy_of(struct slice statement)
{
    struct scan s = {0};
    struct sql_token token;
    for (size_t at = 0; (token = sql_lex(statement, &at)).kind != SQL_END && !s.found;) {
        scan_token(&s, statement, token);
        if (!s.is_copy)
            return SQL_COPY_NONE;
    }
    return s.found;
}

/* The first line from there that is `\.` alone. */
static bool has_end_mark(struct slice text, size_t from)
{
    for (const char *p = text.p + from, *end = text.p + text.size; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        struct slice line = slice_make(p, (size_t)((newline ? newline : end) - p));
        if (line.size && line.p[line.size - 1] == '\r')
            line.size--;
        if (slice_equal_str(line, "\\."))
            return true;
        p = newline ? newline + 1 : end;
    }
    return false;
}

bool sql_copy_inline_data(struct slice text, size_t *ret_offset)
{
    struct scan s = {0};
    if (!has_end_mark(text, 0))
        return false;
    struct sql_token token;
    for (size_t at = 0; (token = sql_lex(text, &at)).kind != SQL_END;) {
        if (token.kind != SQL_SEMICOLON || s.depth) {
            scan_token(&s, text, token);
            continue;
        }
        const char *newline = memchr(text.p + at, '\n', text.size - at);
        size_t data = newline ? (size_t)(newline + 1 - text.p) : text.size;
        if (s.found == SQL_COPY_FROM && has_end_mark(text, data)) {
            *ret_offset = data;
            return true;
        }
        s = (struct scan){0};
    }
    return false;
}
