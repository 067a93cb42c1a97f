/*
 * COPY with the client: which statements ask for a file on our side, and psql's way to write the
 * rows into the text itself.  Lexical and pure; offsets are bytes.
 */
#ifndef LANGUAGE_SQL_COPY_H
#define LANGUAGE_SQL_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include "base/string.h"

enum sql_copy_way {
    SQL_COPY_NONE, /* no COPY, or one between the server and its own files and programs */
    SQL_COPY_FROM, /* COPY … FROM STDIN: we send */
    SQL_COPY_TO,   /* COPY … TO STDOUT: we get */
};

/* By way: the key of a task that names its files, and how people write it; NULL of none. */
extern const struct sql_copy_words {
    const char *key, *words;
} sql_copy_ways[];

/* What one statement, as sql_split gives it, is. */
enum sql_copy_way sql_copy_of(struct slice statement);

/* Whether rows stand behind a COPY … FROM STDIN, ended by a line `\.` as in psql's scripts; true:
   *ret_offset is where the first of them begins.  To be asked before sql_split, which would take
   them for SQL. */
bool sql_copy_inline_data(struct slice text, size_t *ret_offset);

#endif
