/*
 * The tables that SQL text reads, writes, makes, changes and drops: for lint, lineage and defaults,
 * never a gate.
 *
 * Each statement is parsed with PostgreSQL 15's grammar (libpg_query), after the clauses that only
 * Greenplum has were blanked.  What cannot be parsed all the same is looked through word by word;
 * the result is then a guess.  DO blocks are looked through word by word, too; bodies of functions
 * are not (they do not run), nor what is put together as text (EXECUTE).  Of MADlib's functions the
 * arguments that name tables are known.  Thread-safe; results are in the caller's arena.
 */
#ifndef LANGUAGE_SQL_TABLES_H
#define LANGUAGE_SQL_TABLES_H

#include "base/memory.h"
#include "base/string.h"

enum sql_use {
    SQL_READS = 1,
    SQL_WRITES = 2,  /* INSERT, UPDATE, DELETE, MERGE, TRUNCATE, COPY FROM, CREATE TABLE AS */
    SQL_CREATES = 4, /* tables and views */
    SQL_ALTERS = 8,  /* its definition, indexes or partitions */
    SQL_DROPS = 16,
};

struct sql_table {
    const char *schema; /* NULL: by the search path */
    const char *name;
    unsigned uses;  /* of enum sql_use */
    bool temporary; /* made as one here */
    bool gone;      /* the last thing that is done is to drop it */
    size_t offset;  /* of its first mention, in the text */
};
struct sql_tables {
    const struct sql_table *at; /* each once; by statements, then as they were found */
    size_t count;
    bool guessed; /* a statement could not be parsed, or is in another language */
};

/* All statements of a text, put together by name.  Of a text that ends inside a quote: none,
   guessed. */
struct sql_tables sql_tables_find(struct slice text, struct arena *arena);

/* A table's name as people write it: schema and name alone are filled.  False: it is none. */
bool sql_table_read(struct slice name, struct arena *arena, struct sql_table *ret);

/* "schema.table", quoted where SQL needs it. */
char *sql_table_shown(const struct sql_table *table, struct arena *arena);

#endif
