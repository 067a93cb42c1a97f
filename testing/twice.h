/* Running a task twice: copies of all tables, and what differs from them afterwards. */
#ifndef TESTING_TWICE_H
#define TESTING_TWICE_H

#include <libpq-fe.h>
#include "base/error.h"

/* Keeps copies of all tables outside of `ledger_schema` in a schema of their own. */
enum status twice_keep(
    PGconn *conn, const char *ledger_schema, struct arena *arena, struct error *err) MUST_CHECK;
/* Adds to `out` which tables are not as they were then, with rows that came and went. */
enum status twice_compare(PGconn *conn, const char *ledger_schema, struct arena *arena,
    struct strbuf *out, struct error *err) MUST_CHECK;

#endif
