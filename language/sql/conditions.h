/*
 * Constants that a statement compares columns with, or puts into them: `tdate = date '2007-04-12'`.
 * Lexical only, for lint: what is told is there, but not all that is there is told.  Pure.
 */
#ifndef LANGUAGE_SQL_CONDITIONS_H
#define LANGUAGE_SQL_CONDITIONS_H

#include "language/sql/lex.h"

enum sql_relation {
    SQL_EQUAL,
    SQL_AT_LEAST, /* > and >=, the first of BETWEEN */
    SQL_AT_MOST,  /* < and <=, the second */
};
struct sql_condition {
    struct slice column; /* as it is written, without what stands before its last dot */
    enum sql_relation relation;
    struct slice value; /* a text without its quotes, or a number */
    size_t offset;      /* of the value in the statement, its quote included */
    bool inner;         /* inside of brackets */
};
struct sql_conditions {
    const struct sql_condition *at;
    size_t count;
};

/* What is compared behind the statement's first WHERE or ON; of a DELETE or UPDATE that is its
   own. */
struct sql_conditions sql_conditions_find(const struct sql_tokens *statement, struct arena *arena);
/* What an INSERT with a list of columns puts into them as it is (of VALUES: the first row's). */
struct sql_conditions sql_constants_inserted(
    const struct sql_tokens *statement, struct arena *arena);
/* Whether a statement keeps itself from doing its work twice: NOT EXISTS, NOT IN, EXCEPT, an outer
   join of which NULL is asked. */
bool sql_guards_itself(const struct sql_tokens *statement);

/* The day that a text begins with, "2007-04-12…" or "20070412", in days since 1970-01-01. */
bool sql_day_read(struct slice text, int64_t *ret_day);
/* The day that eight digits in a name tell: "t_20070412_x", "t_1_prt_p20070412". */
bool sql_day_of_name(const char *name, int64_t *ret_day);

#endif
