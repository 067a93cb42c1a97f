/*
 * Deleting what is older than `retention` from a SQLite store, in small transactions of a handle of
 * its own, so that no commit waits for long.
 *
 * Of runs that ended long ago go attempts (with XComs) and history; the rows of runs and tasks stay
 * for ever, because catch-up, backfills and clears read them.  A run that an unsettled attempt may
 * still change is passed over.  Old requests go, and asset events that every queue and every
 * unfinished run is past; the newest event stays, because numbers are given from it.
 *
 * Used by one thread at a time, of the process that holds the leader lock.
 */
#ifndef STORE_CLEAN_H
#define STORE_CLEAN_H

#include "base/error.h"
#include "base/memory.h"
#include "definition/model/model.h"

struct store_cleaner;

struct store_cleaned {
    int64_t runs, attempts, transitions, requests, asset_events;
};

/* `dry_run`: counts, and changes nothing.  The file must exist and have this version's schema. */
enum status store_cleaner_open(const char *path, int64_t before_us, bool dry_run,
    struct store_cleaner **ret, struct error *err) MUST_CHECK;
void store_cleaner_close(struct store_cleaner *cleaner); /* NULL is fine */
DEFINE_CLEANUP(struct store_cleaner, store_cleaner_close);

/* The next run with something to delete; its files go first, then store_clean_run.  *ret_run_id is
   NULL after the last one.  Texts are the cleaner's, until the next call. */
enum status store_clean_next(struct store_cleaner *cleaner, const char **ret_dag_id,
    const char **ret_run_id, struct error *err) MUST_CHECK;
/* Deletes some rows of that run; *ret_more: there are others. */
enum status store_clean_run(
    struct store_cleaner *cleaner, bool *ret_more, struct error *err) MUST_CHECK;
/* Deletes some requests and asset events. */
enum status store_clean_rest(
    struct store_cleaner *cleaner, bool *ret_more, struct error *err) MUST_CHECK;
const struct store_cleaned *store_cleaned_so_far(const struct store_cleaner *cleaner);

/* The versions of DAGs that are still wanted: of DAGs, and of runs that are not old. */
enum status store_clean_versions(struct store_cleaner *cleaner, struct arena *arena,
    struct names *ret, struct error *err) MUST_CHECK;

#endif
