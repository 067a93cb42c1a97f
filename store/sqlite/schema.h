/*
 * The metadata's schema and its migrations, forward only.  PRAGMA user_version is the number of
 * migrations that were applied.
 */
#ifndef STORE_SQLITE_SCHEMA_H
#define STORE_SQLITE_SCHEMA_H

#include <sqlite3.h>
#include "base/error.h"

/* Brings the schema forward in one transaction; a file from a newer dag is ERR_STORE_NEWER. */
enum status schema_migrate(sqlite3 *db, struct error *err) MUST_CHECK;
/* ERR_NOT_FOUND when the file is of a version without stored settings. */
enum status schema_check_settings(sqlite3 *db, struct error *err) MUST_CHECK;
/* Fails when the file is not of this version: readers cannot migrate. */
enum status schema_check(sqlite3 *db, struct error *err) MUST_CHECK;

/* What to do about the handle's last error; NULL when its message says it all. */
const char *schema_remedy(sqlite3 *db);

#endif
