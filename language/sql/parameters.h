/*
 * Where a bound parameter may take a literal's place.  Lexical only: what is told wrong stays a
 * literal, which means the same.  Pure.
 */
#ifndef LANGUAGE_SQL_PARAMETERS_H
#define LANGUAGE_SQL_PARAMETERS_H

#include "language/sql/lex.h"

/* The first token of a statement that is no bracket: the word that says what it is. */
struct sql_token sql_first_word(struct slice statement);

/* Whether the server takes parameters in such a statement: in queries (SELECT, INSERT, UPDATE,
   DELETE, MERGE, VALUES, WITH), but not in what defines or sets something, DO or COPY. */
bool sql_takes_parameters(struct slice statement);

/* Whether an expression may begin behind the token `before` (SQL_END: at the statement's start).
   It may not behind a name, which would be the literal's type: `date '2007-04-12'`. */
bool sql_begins_expression(struct slice statement, struct sql_token before);

/* `%(name)s`, as Airflow's users write a parameter, at the percent sign at `percent`: its size in
   bytes and the name.  0: none stands there. */
size_t sql_named_parameter(struct slice text, size_t percent, struct slice *ret_name);

#endif
