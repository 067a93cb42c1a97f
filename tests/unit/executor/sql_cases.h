/* What the tests of SQL attempts share: a database and an executor for each test. */
#ifndef TESTS_SQL_CASES_H
#define TESTS_SQL_CASES_H

#include "executor/executor.h"
#include "tests/unit/executor/postgres.h"
#include "tests/unit/executor/rig.h"
#include "tests/unit/test.h"

/* The test's own; made by sql_begin, with a table t (v int). */
extern struct rig *rig;
extern PGconn *db;

void sql_begin(const char *name);
/* With a uri other than the server's own (a proxy); `db` goes to the server. */
void sql_begin_through(const char *name, const char *uri);
void sql_finish(void);

int64_t sql_rows(void);
/* Prints what was looked for when it is not there. */
bool contains(const char *text, const char *part);
/* Starts the SQL as the next attempt and waits until a pg_sleep of it runs on the server. */
struct effect sql_start_sleeping(const char *sql);
bool sql_is_sleeping(struct rig *r, void *effect);
/* Sessions of that attempt on the server. */
int64_t sql_backends(const struct effect *effect);

#endif
