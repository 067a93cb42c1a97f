#include "store/sqlite/schema.h"

#include "base/clock.h"

/*
 * How to change the schema: add a migration at the end.  A published one never changes.
 * Columns carry the names of the records' members (store/record.c).
 */
static const char *const migrations[] = {
    /* 1: runs, tasks, attempts, history, requests */
    "create table meta ("
    "  key text primary key, value any) strict, without rowid;"
    "create table dag ("
    "  dag_id text primary key, file text, version text, paused integer not null,"
    "  removed integer not null, pause_reason text not null, covered_until_us integer,"
    "  last_logical_us integer, consecutive_failures integer not null, broken text"
    ") strict, without rowid;"
    "create table run ("
    "  id integer primary key, dag_id text not null, run_id text not null, type text not null,"
    "  state text not null, reason text not null, reason_text text, logical_us integer not null,"
    "  interval_start_us integer, interval_end_us integer, run_after_us integer,"
    "  queued_us integer, started_us integer, ended_us integer, conf text, version text,"
    "  triggered_by text, backfill_id integer not null, note text,"
    "  unique (dag_id, logical_us)) strict;"
    "create index run_live on run (state) where state in ('queued', 'running');"
    "create index run_backfill on run (backfill_id) where backfill_id <> 0;"
    "create table task_instance ("
    "  run integer not null references run (id), task_id text not null,"
    "  map_index integer not null, state text not null, reason text not null, reason_text text,"
    "  try_number integer not null, max_tries integer not null, tries_total integer not null,"
    "  lost_count integer not null, interrupted_count integer not null,"
    "  generation integer not null, unsettled integer not null,"
    "  unsettled_generation integer not null, attempt text, ready_us integer, queued_us integer,"
    "  started_us integer, ended_us integer, retry_at_us integer,"
    "  primary key (run, task_id, map_index)) strict, without rowid;"
    "create table attempt ("
    "  id text primary key, run integer not null references run (id), task_id text not null,"
    "  map_index integer not null, generation integer not null, try_number integer not null,"
    "  number integer not null, state text not null, outcome text, version text,"
    "  queued_us integer, started_us integer, ended_us integer, message text, sqlstate text,"
    "  exit_code integer not null, place text, detail text, log text, xcom text"
    ") strict, without rowid;"
    "create index attempt_task on attempt (run, task_id, map_index, number);"
    "create index attempt_live on attempt (queued_us) where ended_us is null;"
    "create table transition ("
    "  run integer not null, task_id text not null, map_index integer not null,"
    "  at_us integer not null, from_state text not null, to_state text not null,"
    "  reason text not null, reason_text text) strict;"
    "create index transition_run on transition (run, task_id);"
    "create table backfill ("
    "  id integer primary key, dag_id text not null, from_us integer not null,"
    "  to_us integer not null, cursor_us integer, only text not null, reverse integer not null,"
    "  max_active_runs integer not null, conf text, finished integer not null,"
    "  created_count integer not null, requested_us integer, ended_us integer,"
    "  requested_by text) strict;"
    "create table request ("
    "  uuid text primary key, kind text not null, user text, dag_id text, request text,"
    "  outcome text, status text not null, at_us integer not null) strict, without rowid;"
    "create index request_at on request (at_us);",
    /* 2: the values of mapped tasks */
    "alter table task_instance add column mapped text;",
    /* 3: what branches and the like decided */
    "alter table task_instance add column decision text;",
    /* 4: assets and deadlines */
    "alter table run add column deadline_us integer;"
    "alter table run add column deadline_missed_us integer;"
    "alter table task_instance add column deadline_us integer;"
    "alter table task_instance add column deadline_missed_us integer;"
    "create table asset_event ("
    "  id integer primary key, asset text not null, at_us integer not null, run integer not null,"
    "  dag_id text, run_id text, task_id text, map_index integer not null, logical_us integer,"
    "  interval_start_us integer, interval_end_us integer, extra text, made_by text) strict;"
    "create index asset_event_asset on asset_event (asset, id);"
    "create table asset_queue ("
    "  dag_id text not null, asset text not null, after_event integer not null,"
    "  last_event integer not null, first_us integer, last_us integer, count integer not null,"
    "  primary key (dag_id, asset)) strict, without rowid;"
    "create table run_asset ("
    "  run integer not null references run (id), asset text not null,"
    "  after_event integer not null, last_event integer not null,"
    "  primary key (run, asset)) strict, without rowid;",
    /* 5: sensors */
    "alter table task_instance add column looks integer not null default 0;"
    "alter table task_instance add column waiting_since_us integer;"
    "create index run_interval on run (dag_id, interval_end_us);",
    /* 6: runs that keep their version */
    "alter table run add column keeps_version integer not null default 0;",
    /* 7: stored settings */
    "create table setting ("
    "  name text primary key, value text not null, sealed integer not null, description text,"
    "  changed_by text, changed_us integer not null) strict, without rowid;",
    /* 8: runs that tasks trigger */
    "alter table run add column maker_run integer not null default 0;"
    "alter table run add column maker_task text;"
    "alter table run add column maker_index integer not null default 0;"
    "alter table run add column maker_generation integer not null default 0;"
    "alter table task_instance add column triggered integer not null default 0;",
};

enum { SCHEMA_VERSION = sizeof(migrations) / sizeof(migrations[0]) };

const char *schema_remedy(sqlite3 *db)
{
    switch (sqlite3_errcode(db) & 0xff) {
    case SQLITE_FULL: return "the disk of the state folder is full: free some space";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return "the file is damaged: `dag db check` tells what is; put a backup of it in its "
               "place";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return "the state folder and the files in it must be writable for the user that dag "
               "runs as";
    case SQLITE_IOERR: return "the disk gives errors: look at the system's log";
    case SQLITE_BUSY: return "another program holds the file: end it";
    default: return NULL;
    }
}

static enum status sqlite_failed(sqlite3 *db, struct error *err)
{
    error_set(err, ERR_STORE, "metadata: %s", sqlite3_errmsg(db));
    const char *remedy = schema_remedy(db);
    if (remedy)
        error_hint(err, "%s", remedy);
    return ERR_STORE;
}

static enum status read_version(sqlite3 *db, int *ret, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, "pragma user_version", -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        sqlite3_finalize(statement);
        return sqlite_failed(db, err);
    }
    *ret = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    if (*ret > SCHEMA_VERSION) {
        error_set(err, ERR_STORE_NEWER, "the metadata has schema %d; this dag knows up to %d", *ret,
            SCHEMA_VERSION);
        error_hint(err, "use the version of dag that wrote it");
        return ERR_STORE_NEWER;
    }
    return OK;
}

static enum status run_sql(sqlite3 *db, const char *sql, struct error *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? OK : sqlite_failed(db, err);
}

static enum status create_meta(sqlite3 *db, struct error *err)
{
    char uuid[UUID_TEXT_SIZE], sql[256];
    uuid_make(uuid);
    snprintf(sql, sizeof(sql),
        "insert into meta values ('metadata_id', '%s'), ('batch', 0), ('created_us', %lld)", uuid,
        (long long)clock_now().wall_us);
    return run_sql(db, sql, err);
}

static enum status apply_migrations(sqlite3 *db, int version, struct error *err)
{
    for (int i = version; i < SCHEMA_VERSION; i++) {
        enum status status = run_sql(db, migrations[i], err);
        if (status == OK && i == 0)
            status = create_meta(db, err);
        if (status != OK)
            return error_context(err, "migration %d of the metadata: ", i + 1);
    }
    char sql[64];
    snprintf(sql, sizeof(sql), "pragma user_version = %d", SCHEMA_VERSION);
    return run_sql(db, sql, err);
}

enum status schema_migrate(sqlite3 *db, struct error *err)
{
    int version = 0;
    enum status status = read_version(db, &version, err);
    if (status != OK || version == SCHEMA_VERSION)
        return status;
    status = run_sql(db, "begin immediate", err);
    if (status != OK)
        return status;
    status = apply_migrations(db, version, err);
    if (status != OK) {
        sqlite3_exec(db, "rollback", NULL, NULL, NULL);
        return status;
    }
    return run_sql(db, "commit", err);
}

enum status schema_check_settings(sqlite3 *db, struct error *err)
{
    enum { FIRST_WITH_SETTINGS = 7 };
    int version = 0;
    enum status status = read_version(db, &version, err);
    if (status == OK && version < FIRST_WITH_SETTINGS)
        return error_set(err, ERR_NOT_FOUND, "an older dag stored no settings");
    return status;
}

enum status schema_check(sqlite3 *db, struct error *err)
{
    int version = 0;
    enum status status = read_version(db, &version, err);
    if (status == OK && version < SCHEMA_VERSION) {
        error_set(err, ERR_STORE, "the metadata has the schema of an older dag (%d of %d)", version,
            SCHEMA_VERSION);
        error_hint(err, "start the daemon of this version once: it brings the schema forward");
        return ERR_STORE;
    }
    return status;
}
