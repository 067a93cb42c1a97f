/* The ceilings of language/sql. */
#ifndef LANGUAGE_SQL_LIMITS_H
#define LANGUAGE_SQL_LIMITS_H

enum {
    /* Tokens of a statement that is parsed; a longer one is only looked through word by word.  The
       parser's tree is written by recursion without a look at the stack: 100,000 terms of a sum
       overflow 8 MiB. */
    SQL_PARSE_TOKENS_MAX = 20 * 1000,
    /* Tables of one text; beyond, further ones are left out. */
    SQL_TABLES_MAX = 5000,
    /* Parts of a table's name: database, schema, table. */
    SQL_NAME_PARTS_MAX = 3,
};

#endif
