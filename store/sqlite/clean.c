#include "store/clean.h"

#include <sqlite3.h>

#include "base/file.h"
#include "base/vec.h"
#include "store/limits.h"
#include "store/sqlite/schema.h"

struct store_cleaner {
    sqlite3 *db;
    int64_t before_us;
    bool dry_run;
    int64_t run; /* the last one that was looked at */
    char *dag_id, *run_id;
    struct store_cleaned cleaned;
};

static enum status failed(const struct store_cleaner *cleaner, struct error *err)
{
    error_set(err, ERR_STORE, "metadata: %s", sqlite3_errmsg(cleaner->db));
    const char *remedy = schema_remedy(cleaner->db);
    if (remedy)
        error_hint(err, "%s", remedy);
    return ERR_STORE;
}

enum status store_cleaner_open(const char *path, int64_t before_us, bool dry_run,
    struct store_cleaner **ret, struct error *err)
{
    if (!file_exists(path))
        return error_set(err, ERR_NOT_FOUND, "there is no metadata yet (%s)", path);
    struct store_cleaner *cleaner = mem_alloc_zero(1, sizeof(*cleaner));
    cleaner->before_us = before_us;
    cleaner->dry_run = dry_run;
    enum status status = OK;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &cleaner->db, flags, NULL) != SQLITE_OK)
        status = failed(cleaner, err);
    if (status == OK) {
        sqlite3_busy_timeout(cleaner->db, STORE_BUSY_TIMEOUT_MS);
        status = schema_check(cleaner->db, err);
    }
    /* What a crash brings back is deleted the next time. */
    if (status == OK &&
        sqlite3_exec(cleaner->db, "pragma synchronous = normal", NULL, NULL, NULL) != SQLITE_OK)
        status = failed(cleaner, err);
    if (status == OK)
        *ret = cleaner;
    else
        store_cleaner_close(cleaner);
    return status;
}

void store_cleaner_close(struct store_cleaner *cleaner)
{
    if (!cleaner)
        return;
    sqlite3_close(cleaner->db);
    mem_free(cleaner->dag_id);
    mem_free(cleaner->run_id);
    mem_free(cleaner);
}

const struct store_cleaned *store_cleaned_so_far(const struct store_cleaner *cleaner)
{
    return &cleaner->cleaned;
}

/* ?1 is the bound in time, ?2 a run, ?3 how many; a statement need not use all. */
static enum status prepare(
    const struct store_cleaner *cleaner, const char *sql, sqlite3_stmt **ret, struct error *err)
{
    if (sqlite3_prepare_v2(cleaner->db, sql, -1, ret, NULL) != SQLITE_OK)
        return failed(cleaner, err);
    sqlite3_bind_int64(*ret, 1, cleaner->before_us);
    sqlite3_bind_int64(*ret, 2, cleaner->run);
    sqlite3_bind_int64(*ret, 3, STORE_CLEAN_ROWS);
    return OK;
}

/* Counted, or deleted: *ret_count rows. */
static enum status remove_rows(struct store_cleaner *cleaner, const char *count_sql,
    const char *delete_sql, int64_t *ret_count, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status =
        prepare(cleaner, cleaner->dry_run ? count_sql : delete_sql, &statement, err);
    if (status != OK)
        return status;
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        *ret_count = sqlite3_column_int64(statement, 0);
    else if (result == SQLITE_DONE)
        *ret_count = sqlite3_changes(cleaner->db);
    else
        status = failed(cleaner, err);
    sqlite3_finalize(statement);
    return status;
}

/* ---- runs ---- */

/* Old, ended, and with nothing that may still change it. */
#define RUN_IS_OLD                                                                                 \
    "run.state in ('success', 'failed') and run.ended_us < ?1 and not exists (select 1 from "      \
    "task_instance t where t.run = run.id and t.unsettled <> 0) and not exists (select 1 from "    \
    "attempt a where a.run = run.id and a.ended_us is null)"

enum status store_clean_next(struct store_cleaner *cleaner, const char **ret_dag_id,
    const char **ret_run_id, struct error *err)
{
    static const char sql[] =
        "select id, dag_id, run_id from run where id > ?2 and " RUN_IS_OLD
        " and (exists (select 1 from attempt a where a.run = run.id)"
        " or exists (select 1 from transition h where h.run = run.id)) order by id limit 1";
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(cleaner, sql, &statement, err);
    if (status != OK)
        return status;
    int result = sqlite3_step(statement);
    *ret_dag_id = *ret_run_id = NULL;
    if (result == SQLITE_ROW) {
        mem_free(cleaner->dag_id);
        mem_free(cleaner->run_id);
        cleaner->run = sqlite3_column_int64(statement, 0);
        *ret_dag_id = cleaner->dag_id = mem_strdup((const char *)sqlite3_column_text(statement, 1));
        *ret_run_id = cleaner->run_id = mem_strdup((const char *)sqlite3_column_text(statement, 2));
        cleaner->cleaned.runs++;
    } else if (result != SQLITE_DONE) {
        status = failed(cleaner, err);
    }
    sqlite3_finalize(statement);
    return status;
}

enum status store_clean_run(struct store_cleaner *cleaner, bool *ret_more, struct error *err)
{
    int64_t attempts = 0, transitions = 0;
    /* It may have been cleared since it was looked at. */
    enum status status = remove_rows(cleaner, "select count(*) from attempt where run = ?2",
        "delete from attempt where id in (select a.id from attempt a join run on run.id = a.run"
        " where a.run = ?2 and " RUN_IS_OLD " limit ?3)",
        &attempts, err);
    if (status == OK)
        status = remove_rows(cleaner, "select count(*) from transition where run = ?2",
            "delete from transition where rowid in (select h.rowid from transition h join run on"
            " run.id = h.run where h.run = ?2 and " RUN_IS_OLD " limit ?3)",
            &transitions, err);
    if (status != OK)
        return status;
    cleaner->cleaned.attempts += attempts;
    cleaner->cleaned.transitions += transitions;
    *ret_more =
        !cleaner->dry_run && (attempts == STORE_CLEAN_ROWS || transitions == STORE_CLEAN_ROWS);
    return OK;
}

/* ---- requests and asset events ---- */

#define EVENT_IS_OLD                                                                               \
    "e.at_us < ?1 and e.id < (select max(id) from asset_event) and not exists (select 1 from "     \
    "asset_queue q where q.asset = e.asset and e.id > q.after_event) and not exists (select 1 "    \
    "from run_asset c join run on run.id = c.run where c.asset = e.asset and e.id between "        \
    "c.after_event + 1 and c.last_event and run.state not in ('success', 'failed'))"

enum status store_clean_rest(struct store_cleaner *cleaner, bool *ret_more, struct error *err)
{
    int64_t requests = 0, events = 0;
    enum status status = remove_rows(cleaner, "select count(*) from request where at_us < ?1",
        "delete from request where uuid in (select uuid from request where at_us < ?1"
        " limit ?3)",
        &requests, err);
    if (status == OK)
        status = remove_rows(cleaner, "select count(*) from asset_event e where " EVENT_IS_OLD,
            "delete from asset_event where id in (select e.id from asset_event e"
            " where " EVENT_IS_OLD " limit ?3)",
            &events, err);
    if (status != OK)
        return status;
    cleaner->cleaned.requests += requests;
    cleaner->cleaned.asset_events += events;
    *ret_more = !cleaner->dry_run && (requests == STORE_CLEAN_ROWS || events == STORE_CLEAN_ROWS);
    return OK;
}

/* ---- versions ---- */

enum status store_clean_versions(
    struct store_cleaner *cleaner, struct arena *arena, struct names *ret, struct error *err)
{
    static const char sql[] =
        "select version from dag where version is not null union select version from run"
        " where version is not null and (ended_us is null or ended_us >= ?1)"
        " union select a.version from attempt a where a.version is not null";
    sqlite3_stmt *statement = NULL;
    VEC(const char *) all = {0};
    enum status status = prepare(cleaner, sql, &statement, err);
    if (status != OK)
        return status;
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW)
        vec_push(&all, arena_strdup(arena, (const char *)sqlite3_column_text(statement, 0)));
    if (result != SQLITE_DONE)
        status = failed(cleaner, err);
    else
        *ret = (struct names){arena_memdup(arena, all.at, all.count * sizeof(*all.at)), all.count};
    sqlite3_finalize(statement);
    vec_done(&all);
    return status;
}
