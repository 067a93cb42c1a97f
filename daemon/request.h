/*
 * Acts as JSON: what commands and the API send, made into the scheduler's requests.
 *
 *     {"op": "trigger", "uuid": …, "dag_id": …, "logical_date": …, "conf": {…}, "note": …}
 *     {"op": "backfill", "dag_id", "from", "to", "only", "reverse", "max_active_runs", "conf"}
 *     {"op": "clear" | "mark" | "cancel", "dag_id", "runs": [RUN …] | "from", "to",
 *      "tasks": […], "downstream", "failed", "same_version", "state", "note", "force"}
 *     {"op": "pause" | "unpause", "dag_id"}
 *     {"op": "asset_event", "asset": …, "extra": {…}}
 *     {"op": "settings", …}: daemon/settings.h reads the rest of it
 *
 * and "dry_run" everywhere.  RUN is a run id, a logical date, "latest" or "failed".  Dates without
 * an offset are in the DAG's zone.
 */
#ifndef DAEMON_REQUEST_H
#define DAEMON_REQUEST_H

#include "base/json.h"
#include "definition/model/model.h"
#include "scheduler/plan.h"
#include "store/store.h"

/* Makes a request of an act; everything in it lives in `arena` or in `act`.  `dag` is the DAG's
   newest version (NULL: its dates are read in UTC).  Reads the runs it names: *ret_runs are
   their rows, for loading.  Mistakes are ERR_INVALID, unknown runs ERR_NOT_FOUND. */
enum status request_read(const json_t *act, const char *user_name, const struct dag *dag,
    struct store *reader, struct arena *arena, struct request *ret, struct run_rows *ret_runs,
    struct error *err) MUST_CHECK;

/* The runs of a DAG that one RUN word names, newest first.  None is ERR_NOT_FOUND, or with
   `may_be_none` an empty result.  "latest" takes the newest logical date. */
enum status request_find_runs(const char *dag_id, const char *word, const struct zone *zone,
    struct store *reader, bool may_be_none, struct arena *arena, struct run_rows *ret,
    struct error *err) MUST_CHECK;

#endif
