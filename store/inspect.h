/* Looking at a SQLite store as a file: is it sound, and a copy of it for others.  Blocks. */
#ifndef STORE_INSPECT_H
#define STORE_INSPECT_H

#include <stdbool.h>
#include "base/error.h"

/* Called for each fact: `what` ("schema", "integrity", "relations", "rows of run" …), and what was
   found; `bad` when it should not be so. */
typedef void store_fact(void *user, const char *what, const char *found, bool bad);
/* Reads all of the file.  *ret_sound: no fact was bad.  ERR_STORE when it cannot even be opened;
   what is damaged is told as facts. */
enum status store_check(
    const char *path, store_fact *tell, void *user, bool *ret_sound, struct error *err) MUST_CHECK;

/* Whether a value of this name is a secret. */
typedef bool store_is_secret(const char *name);
/* Writes all of it to a new file (mode 0600), as it is at one moment, without the values of stored
   settings, among which are secrets; in a run's or backfill's conf, in requests and in what comes
   with asset events, values whose names say so are "***".  ERR_CONFLICT when `to` is there
   already. */
enum status store_export(
    const char *path, const char *to, store_is_secret *is_secret, struct error *err) MUST_CHECK;

#endif
