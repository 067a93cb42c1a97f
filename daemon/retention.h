/*
 * Retention: what is older than `retention` (dag.yaml) is deleted: logs and other files of
 * attempts, their rows (store/clean.h), and versions that nothing names any more.
 */
#ifndef DAEMON_RETENTION_H
#define DAEMON_RETENTION_H

#include <stdatomic.h>
#include "definition/model/model.h"
#include "store/clean.h"

/* One pass over everything older than `before_us`; blocks for as long as it takes, in small
   transactions.  Ends early when *stop (may be NULL) becomes true.  *ret_versions: files of
   versions. */
enum status retention_pass(const struct project *project, int64_t before_us, bool dry_run,
    const atomic_bool *stop, struct store_cleaned *ret, size_t *ret_versions,
    struct error *err) MUST_CHECK;

/* A thread that makes a pass at its start and then daily, and logs what it deleted. */
struct retention;
struct retention *retention_start(const struct project *project); /* outlives it */
void retention_stop(struct retention *retention);                 /* NULL is fine */

#endif
