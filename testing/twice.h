/* Running a task twice: copies of all tables, and what differs from them afterwards. */
#ifndef TESTING_TWICE_H
#define TESTING_TWICE_H

#include <libpq-fe.h>
#include "base/error.h"
#include "definition/model/model.h"

/* The names that `varies` may have: the tables that are compared, and their columns. */
enum status twice_names(PGconn *conn, const char *ledger_schema, struct arena *arena,
    struct names *ret, struct error *err) MUST_CHECK;
/* Keeps copies of all tables outside of `ledger_schema` in a schema of their own.  `varies`: tables
   ("schema.table", as PostgreSQL writes it) and columns ("schema.table.column") to leave out. */
enum status twice_keep(PGconn *conn, const char *ledger_schema, const struct names *varies,
    struct arena *arena, struct error *err) MUST_CHECK;
/* Adds to `out` which tables are not as they were then, with rows that came and went.  A table is
   known by its name, so that one that was made anew is compared with the one before. */
enum status twice_compare(PGconn *conn, const char *ledger_schema, const struct names *varies,
    struct arena *arena, struct strbuf *out, struct error *err) MUST_CHECK;

#endif
