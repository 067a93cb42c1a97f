/*
 * Names and values in SQL text that is made.
 *
 * A name that people write in a YAML file is read as SQL reads it: `geolife.Trips` is
 * "geolife"."trips", and what stands in double quotes keeps its case.  Pure; results are in the
 * caller's arena.
 */
#ifndef LANGUAGE_SQL_NAME_H
#define LANGUAGE_SQL_NAME_H

#include "base/memory.h"
#include "base/string.h"
#include "language/sql/limits.h"

/* A quoted name, as it is. */
char *sql_identifier(struct arena *arena, const char *name);
/* A literal of text; E'…' when it has a backslash, so that it means the same under any setting. */
char *sql_literal(struct arena *arena, const char *text);

/* The parts of a name, from one to three, as SQL reads them: folded, or without their quotes. Gives
   how many; 0 when it is none. */
size_t sql_name_parts(
    struct slice name, struct arena *arena, const char *ret_parts[SQL_NAME_PARTS_MAX]);
/* Whether SQL reads a name without quotes as itself; keywords count as any other word. */
bool sql_name_is_plain(const char *name);
/* A name of one to three parts with dots between, each quoted; NULL when it is none. */
char *sql_name_quoted(struct slice name, struct arena *arena);
/* The name of a column, quoted.  What SQL would not read as a name is the column's name itself:
   `value-avg`. */
char *sql_column_quoted(struct slice name, struct arena *arena);

#endif
