/*
 * Values that a server gives, as JSON: numbers, booleans and JSON stand for themselves, all else is
 * a string.  Numbers keep every digit; those that JSON lacks (NaN, infinities) or that readers
 * cannot hold (whole ones beyond 64 bits) are strings, as is JSON with a key twice.
 */
#ifndef EXECUTOR_TARGET_SQL_VALUE_H
#define EXECUTOR_TARGET_SQL_VALUE_H

#include <libpq-fe.h>

#include "base/json.h"

/* Of pg_type. */
enum { SQL_TYPE_BOOL = 16 };

/* `text` as the server writes it, NULL = null; `type` its number in pg_type. */
void sql_value_json(struct json_writer *w, const char *text, unsigned type);
/* One row as an object, a member a column. */
void sql_row_json(struct json_writer *w, const PGresult *result, int row);

#endif
