/*
 * The statements of SQL text.  Lexical only, so that it copes with every dialect: a semicolon ends
 * a statement unless it stands in a quote, a comment, parentheses (CREATE RULE … DO (a; b)) or the
 * body of a `BEGIN ATOMIC … END` routine.  Pure; offsets are bytes.
 */
#ifndef LANGUAGE_SQL_SPLIT_H
#define LANGUAGE_SQL_SPLIT_H

#include "base/error.h"
#include "base/memory.h"
#include "base/string.h"
#include "language/sql/lex.h"

/* What a statement does to the transaction that it stands in. */
enum sql_control {
    SQL_CONTROL_NONE,
    SQL_CONTROL_SAVEPOINT,   /* SAVEPOINT, RELEASE, ROLLBACK TO */
    SQL_CONTROL_TRANSACTION, /* begins or ends one: BEGIN, COMMIT, END, ROLLBACK, ABORT, PREPARE …
                              */
};

struct sql_statement {
    size_t offset; /* of its first token */
    size_t size;   /* without the semicolon */
    enum sql_control control;
    const char *word;         /* of a control statement, for messages: "COMMIT" */
    struct sql_tokens tokens; /* from sql_split_tokens; their text is the statement's */
};
struct sql_statements {
    const struct sql_statement *at;
    size_t count;
};

/* Empty statements (nothing, or only comments) are left out.  A text that ends inside a quote or a
   comment is an error, ERR_INVALID, and *ret_offset is where that begins (also of a NUL byte, which
   no server takes). */
enum status sql_split(struct slice text, struct arena *arena, struct sql_statements *ret,
    size_t *ret_offset, struct error *err) MUST_CHECK;
/* The same with the tokens of each statement, for who asks more of it. */
enum status sql_split_tokens(struct slice text, struct arena *arena, struct sql_statements *ret,
    size_t *ret_offset, struct error *err) MUST_CHECK;

#endif
