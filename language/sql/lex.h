/*
 * The tokens of SQL text, as PostgreSQL and Greenplum lex it (standard_conforming_strings on):
 * enough to tell code from quotes and comments, nothing of the grammar.  Pure; offsets are bytes.
 */
#ifndef LANGUAGE_SQL_LEX_H
#define LANGUAGE_SQL_LEX_H

#include <stdbool.h>
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
bool sql_token_is(struct slice text, struct sql_token token, const char *word);

#endif
