/*
 * The tokens of SQL text, as PostgreSQL and Greenplum lex it (standard_conforming_strings on):
 * enough to tell code from quotes and comments, nothing of the grammar.  Pure; offsets are bytes.
 */
#ifndef LANGUAGE_SQL_LEX_H
#define LANGUAGE_SQL_LEX_H

#include <stdbool.h>
#include <strings.h>
#include "base/memory.h"
#include "base/string.h"

enum sql_token_kind {
    SQL_END,    /* of the text */
    SQL_WORD,   /* an identifier or keyword without quotes */
    SQL_QUOTED, /* "an identifier" */
    SQL_STRING, /* '…', E'…', B'…', X'…', N'…', U&'…' */
    SQL_DOLLAR, /* $tag$…$tag$ */
    SQL_NUMBER,
    SQL_PARAMETER, /* $1 */
    SQL_SEMICOLON,
    SQL_OPEN,         /* ( or [ */
    SQL_CLOSE,        /* ) or ] */
    SQL_OTHER,        /* any other character */
    SQL_UNTERMINATED, /* a quote or comment that the text does not end */
};

struct sql_token {
    enum sql_token_kind kind;
    size_t offset, size;
    /* Of a dollar quote: what stands between the tags. */
    size_t body_offset, body_size;
};

/* The next token at or after *position, which moves behind it.  White space and comments are passed
   over (nested comments as one). */
struct sql_token sql_lex(struct slice text, size_t *position);

/* Whether the token is that word, in any case.  `word` is in lower case. */
static inline bool sql_token_is(struct slice text, struct sql_token token, const char *word)
{
    /* Most words differ in their first letter. */
    return token.kind == SQL_WORD && (text.p[token.offset] | 0x20) == *word &&
           strncasecmp(text.p + token.offset, word, token.size) == 0 && !word[token.size];
}

/* All tokens of a text; at[count] is SQL_END. */
struct sql_tokens {
    struct slice text;
    const struct sql_token *at;
    size_t count;
};
struct sql_tokens sql_tokens_read(struct slice text, struct arena *arena);

/* What the i-th token is; at and beyond the end it is nothing. */
static inline bool sql_is_kind(const struct sql_tokens *t, size_t i, enum sql_token_kind kind)
{
    return i < t->count && t->at[i].kind == kind;
}
static inline bool sql_is_word(const struct sql_tokens *t, size_t i, const char *word)
{
    return i < t->count && sql_token_is(t->text, t->at[i], word);
}
static inline bool sql_is_char(const struct sql_tokens *t, size_t i, char c)
{
    return i < t->count && t->at[i].size == 1 && t->text.p[t->at[i].offset] == c;
}
/* One of the words, of which NULL is the last. */
bool sql_is_any(const struct sql_tokens *t, size_t i, const char *const *words);
/* The token as it is written. */
static inline struct slice sql_token_text(const struct sql_tokens *t, size_t i)
{
    return slice_make(t->text.p + t->at[i].offset, t->at[i].size);
}
/* The token behind the brackets that open at i; the end when they are not closed. */
size_t sql_behind_brackets(const struct sql_tokens *t, size_t i);

#endif
