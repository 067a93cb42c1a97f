/* Private to the files that find tables. */
#ifndef LANGUAGE_SQL_TABLES_INTERNAL_H
#define LANGUAGE_SQL_TABLES_INTERNAL_H

#include "base/map.h"
#include "base/vec.h"
#include "language/sql/lex.h"
#include "language/sql/tables.h"

struct finder {
    struct arena *arena;
    struct map *known; /* "schema.name" → 1 + index in `tables` */
    VEC(struct sql_table) tables;
    bool guessed;
    struct slice statement; /* at hand */
    size_t base;            /* its offset in the text */
};

/* Notes a use; `schema` may be NULL.  `offset` is in the text. */
void finder_add(struct finder *f, const char *schema, const char *name, unsigned use, size_t offset,
    bool temporary);
/* Notes a use of the table that an SQL literal's text names; nothing when it names none. */
void finder_add_named(struct finder *f, struct slice name, unsigned use, size_t offset);

/* A copy of the statement in which blanks stand for what only Greenplum's grammar has. */
char *sql_blank_greenplum(struct slice statement, struct arena *arena);

/* The statement by its words alone. */
void sql_guess_tables(struct finder *f);
/* The DO block at hand, by the words of its body. */
void sql_guess_block(struct finder *f);

#endif
