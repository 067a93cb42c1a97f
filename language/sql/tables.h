/*
 * The tables that SQL text reads, writes, makes, changes and drops: for lint, lineage and defaults,
 * never a gate.
 *
 * Each statement is parsed with PostgreSQL 15's grammar (libpg_query), after the clauses that only
 * Greenplum has were blanked.  What cannot be parsed all the same is looked through word by word;
 * the result is then a guess.  Of DO blocks each statement is looked at by itself, and of EXECUTE
 * what its literals say; bodies of functions are not (they do not run).  Of MADlib's functions, and
 * of those that the caller tells of, the arguments that name tables are known.  Thread-safe;
 * results are in the caller's arena.
 */
#ifndef LANGUAGE_SQL_TABLES_H
#define LANGUAGE_SQL_TABLES_H

#include "language/sql/split.h"

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

/* How a table is written, where that matters to who asks. */
enum sql_manner {
    SQL_PLAINLY,
    SQL_INSERTED,  /* INSERT, COPY FROM */
    SQL_REPLACED,  /* DELETE, TRUNCATE, REFRESH, a partition dropped or attached */
    SQL_OPTIONALLY /* CREATE … IF NOT EXISTS or OR REPLACE, MERGE, INSERT … ON CONFLICT */
};
/* One use by one statement. */
struct sql_mention {
    size_t table; /* in sql_tables.at */
    unsigned use;
    enum sql_manner manner;
    size_t offset;    /* in the text */
    size_t statement; /* in sql_tables.statements */
};

struct sql_examined {
    /* As sql_split_tokens gives them.  In a DO block their text is without PL/pgSQL's words, and of
       EXECUTE it is what is known. */
    struct sql_tokens tokens;
    size_t offset; /* of its first byte in the whole text; wraps when words were put before it */
    enum sql_control control; /* as in sql_statement */
    const char *word;
    bool parsed; /* else it was looked through by its words */
    bool inner;  /* it stands in a DO block */
    /* What the parser says of a statement that it does not take, and where in the text; NULL: it
       was not asked, because the statement is too long or its language another. */
    const char *problem;
    size_t problem_offset;
};

struct sql_tables {
    const struct sql_table *at; /* each once; by statements, then as they were found */
    size_t count;
    const struct sql_mention *mentions; /* by statements */
    size_t mention_count;
    const struct sql_examined *statements; /* in the text's order, those of a DO block behind it */
    size_t statement_count;
    bool guessed; /* a statement could not be parsed, or is in another language */
    bool calls;   /* functions are called whose tables are not known here */
    bool unended; /* the text ends inside a quote or comment: it has no statements */
};

/* A function, or procedure, and the tables that a call of it touches: names as people write them,
   in which `$2` stands for the text that is the second argument ("$2", "$2_summary", "mart.days").
 */
struct sql_function {
    const char *schema; /* NULL: it is called without one; calls without one mean any */
    const char *name;
    const char *const *reads;
    size_t read_count;
    const char *const *writes;
    size_t write_count;
};
struct sql_functions {
    const struct sql_function *at;
    size_t count;
};
/* Whether one of sql_function's names is the name of a table, whatever the arguments are. */
bool sql_function_table_is_name(const char *pattern, struct arena *arena);

/* All statements of a text, put together by name.  Of a text that ends inside a quote: none,
   guessed and unended.  `functions` go before MADlib's; NULL: there are none. */
struct sql_tables sql_tables_find(
    struct slice text, const struct sql_functions *functions, struct arena *arena);

/* A table's name as people write it: schema and name alone are filled.  False: it is none. */
bool sql_table_read(struct slice name, struct arena *arena, struct sql_table *ret);

/* "schema.table", quoted where SQL needs it. */
char *sql_table_shown(const struct sql_table *table, struct arena *arena);

#endif
