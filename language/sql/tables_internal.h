/* Private to the files that find tables. */
#ifndef LANGUAGE_SQL_TABLES_INTERNAL_H
#define LANGUAGE_SQL_TABLES_INTERNAL_H

#include "base/map.h"
#include "base/vec.h"
#include "language/sql/lex.h"
#include "language/sql/tables.h"
#include "language/sql/tree.h"

struct finder {
    struct arena *arena;
    struct map *known; /* "schema.name" → 1 + index in `tables` */
    VEC(struct sql_table) tables;
    VEC(struct sql_mention) mentions;
    VEC(struct sql_examined) statements;
    bool guessed, calls;
    const struct sql_functions *functions; /* NULL: none */
    struct sql_tokens tokens;              /* of the statement at hand */
    /* Where its first byte would be in the text; "negative" (it wraps) when words were put before
       what stands there. */
    size_t base;
};

/* What is unknown in a statement that EXECUTE puts together; names with it are no tables.  Two
   bytes that SQL takes for a letter. */
#define SQL_UNKNOWN "\u00a4"

struct use {
    unsigned use;
    enum sql_manner manner;
    bool temporary;
};

/* Notes a use; `schema` may be NULL.  `offset` is in the statement. */
void finder_add(
    struct finder *f, const char *schema, const char *name, struct use use, size_t offset);
/* Notes a use of the table that an SQL literal's text names; nothing when it names none. */
void finder_add_named(struct finder *f, struct slice name, struct use use, size_t offset);
/* Parses the statement at hand, else looks at its words. */
void finder_examine(struct finder *f, bool inner);

/* A copy of a statement in which blanks stand for what only Greenplum's grammar has.  NULL when
   it has more than SQL_PARSE_TOKENS_MAX tokens. */
char *sql_blank_greenplum(const struct sql_tokens *statement, struct arena *arena);

/* The uses of a statement's tree. */
void sql_walk_tree(struct finder *f, const struct tree *tree);
/* A call of a function: a FuncCall node. */
void sql_walk_call(struct finder *f, const struct tree *tree, uint32_t call);
/* The statement by its words alone. */
void sql_guess_tables(struct finder *f);
/* The DO block at hand. */
void sql_walk_block(struct finder *f);

#endif
