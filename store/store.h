/*
 * The store: what is durable.  One interface in the domain's words, two back ends: SQLite
 * (store/sqlite) and memory (store/memory, for simulation and tests); the same conformance suite
 * runs on both.
 *
 * Writing: only the leader writes, one numbered batch at a time (store_apply); the number is
 * committed in the same transaction, so that a lost answer is settled by reading it
 * (store_last_batch).  store/thread.h carries batches to a thread of their own.
 *
 * Reading: a reader is a handle of its own (store_open_reader for SQLite), used by one thread.  A
 * read sees everything committed before it started.  Results live in the caller's arena.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/error.h"
#include "base/memory.h"
#include "scheduler/plan.h"

struct store;

/* Opens the SQLite file for the leader, creating it and bringing its schema forward (migrations go
   forward only; a file from a newer dag is refused).  WAL, synchronous=FULL. */
enum status store_open_sqlite(const char *path, struct store **ret, struct error *err) MUST_CHECK;
/* Opens an existing file for reading.  A missing file is ERR_NOT_FOUND. */
enum status store_open_reader(const char *path, struct store **ret, struct error *err) MUST_CHECK;
/* An empty store in memory. */
struct store *store_open_memory(void);
void store_close(struct store *store); /* NULL is fine */
DEFINE_CLEANUP(struct store, store_close);

/* ---- writing --------------------------------------------------------------------------------- */

/* Makes all changes of the plan durable as batch `batch` (greater than every earlier one), or none.
   Task changes compare and set: a row that is not in the state the change came from is
   ERR_STORE_CONFLICT, and the caller must drop its memory and load again. */
enum status store_apply(
    struct store *store, const struct plan *plan, int64_t batch, struct error *err) MUST_CHECK;
/* The number of the last batch committed; 0 = none yet. */
enum status store_last_batch(struct store *store, int64_t *ret, struct error *err) MUST_CHECK;

/* ---- reading --------------------------------------------------------------------------------- */

struct store_meta {
    char metadata_id[UUID_TEXT_SIZE]; /* names this project's metadata in every ledger; never
                                         changes */
    int64_t next_run, next_backfill, next_asset_event; /* numbers not used so far */
};
enum status store_read_meta(
    struct store *store, struct store_meta *ret, struct error *err) MUST_CHECK;

/* Which runs.  Zeroed, all of them; newest logical date first. */
struct run_filter {
    const char *dag_id; /* NULL = any */
    const char *run_id; /* NULL = any */
    bool has_from, has_to;
    int64_t from_us, to_us; /* logical dates, both inclusive */
    unsigned states;        /* bits 1 << enum run_state; 0 = any */
    int64_t backfill_id;    /* 0 = any */
    bool oldest_first;
    size_t limit; /* 0 = STORE_ROWS_MAX */
};
struct run_rows {
    struct run_record *at;
    size_t count;
};
struct task_rows {
    struct task_record *at;
    size_t count;
};
struct attempt_rows {
    struct attempt_record *at;
    size_t count;
};
struct dag_rows {
    struct dag_record *at;
    size_t count;
};
struct backfill_rows {
    struct backfill_record *at;
    size_t count;
};
struct asset_event_rows {
    struct asset_event_record *at;
    size_t count;
};
struct asset_queue_rows {
    struct asset_queue_record *at;
    size_t count;
};
/* One entry of a task's or run's history. */
struct transition_record {
    struct run_id run;
    const char *task_id; /* "" for the run itself */
    int32_t map_index;
    int64_t at_us;
    const char *from_state, *to_state;
    enum reason reason;
    const char *reason_text;
};
struct transition_rows {
    struct transition_record *at;
    size_t count;
};
struct request_record {
    const char *uuid, *kind, *user, *dag_id;
    const char *request, *outcome; /* JSON */
    const char *status;            /* "OK" or an error's name */
    int64_t at_us;
};
struct request_rows {
    struct request_record *at;
    size_t count;
};

struct setting_rows {
    struct setting_record *at;
    size_t count;
};

enum status store_read_runs(struct store *store, const struct run_filter *filter,
    struct arena *arena, struct run_rows *ret, struct error *err) MUST_CHECK;
/* Runs of the DAG whose intervals overlap or touch [from_us, to_us], by the intervals' ends. */
enum status store_read_runs_over(struct store *store, const char *dag_id, int64_t from_us,
    int64_t to_us, struct arena *arena, struct run_rows *ret, struct error *err) MUST_CHECK;
/* The tasks of a run, by task id and map index. */
enum status store_read_tasks(struct store *store, struct run_id run, struct arena *arena,
    struct task_rows *ret, struct error *err) MUST_CHECK;
/* Leaves out the rows of expanded tasks: their indexes stand for them, here and for people. */
void task_rows_leave_expanded(struct task_rows *rows);
/* The instances of one task of a run, by map index. */
enum status store_read_instances(struct store *store, struct run_id run, const char *task_id,
    struct arena *arena, struct task_rows *ret, struct error *err) MUST_CHECK;
/* Attempts of a run, oldest first; of one task when `task_id` is not NULL (any map index). */
enum status store_read_attempts(struct store *store, struct run_id run, const char *task_id,
    struct arena *arena, struct attempt_rows *ret, struct error *err) MUST_CHECK;
/* Attempts that have not ended, of all runs. */
enum status store_read_live_attempts(struct store *store, struct arena *arena,
    struct attempt_rows *ret, struct error *err) MUST_CHECK;
enum status store_read_dags(
    struct store *store, struct arena *arena, struct dag_rows *ret, struct error *err) MUST_CHECK;
enum status store_read_backfills(struct store *store, bool live_only, struct arena *arena,
    struct backfill_rows *ret, struct error *err) MUST_CHECK;
/* History of a run; of one task when `task_id` is not NULL ("" = the run itself).  Oldest first. */
enum status store_read_transitions(struct store *store, struct run_id run, const char *task_id,
    struct arena *arena, struct transition_rows *ret, struct error *err) MUST_CHECK;
/* The request of that UUID (one row or none), or with NULL the newest `limit` ones. */
enum status store_read_requests(struct store *store, const char *uuid, size_t limit,
    struct arena *arena, struct request_rows *ret, struct error *err) MUST_CHECK;
/* Events of an asset (NULL: of any), newest first, at most `limit` (0 = STORE_ROWS_MAX). */
enum status store_read_asset_events(struct store *store, const char *asset, size_t limit,
    struct arena *arena, struct asset_event_rows *ret, struct error *err) MUST_CHECK;
/* The events that a run consumed, by asset and oldest first. */
enum status store_read_run_asset_events(struct store *store, struct run_id run, struct arena *arena,
    struct asset_event_rows *ret, struct error *err) MUST_CHECK;
/* What is queued for a DAG (NULL: for any), by DAG and asset; rows with nothing queued too. */
enum status store_read_asset_queues(struct store *store, const char *dag_id, struct arena *arena,
    struct asset_queue_rows *ret, struct error *err) MUST_CHECK;
/* Stored settings, by name. */
enum status store_read_settings(struct store *store, struct arena *arena, struct setting_rows *ret,
    struct error *err) MUST_CHECK;
/* The same of the SQLite file at `path`, which may be missing or that of an older dag: none then.
 */
enum status store_read_settings_of(
    const char *path, struct arena *arena, struct setting_rows *ret, struct error *err) MUST_CHECK;
/* The XCom of a task's last successful attempt in the run: JSON text, or NULL without. */
enum status store_read_xcom(struct store *store, struct run_id run, const char *task_id,
    int32_t map_index, struct arena *arena, const char **ret, struct error *err) MUST_CHECK;
/* The newest successful run of the DAG with a logical date before `before_us`: none is an empty
   result.  For prev_data_interval_start_success and its kin. */
enum status store_read_previous_success(struct store *store, const char *dag_id, int64_t before_us,
    struct arena *arena, struct run_rows *ret, struct error *err) MUST_CHECK;

#endif
