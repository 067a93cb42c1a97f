/*
 * The SQLite back end.  Statements are made from the record tables; a handle is used by one thread
 * at a time, so SQLite's own locking of handles is off.
 */
#include <sqlite3.h>

#include "base/file.h"
#include "base/vec.h"
#include "store/backend.h"
#include "store/limits.h"
#include "store/sqlite/schema.h"

struct cached {
    char *sql;
    sqlite3_stmt *statement;
};

struct sqlite_store {
    struct store store;
    sqlite3 *db;
    VEC(struct cached) statements; /* prepared once, by their text */
};

static struct sqlite_store *of(struct store *store)
{
    return CONTAINER_OF(store, struct sqlite_store, store);
}

static enum status failed(struct sqlite_store *self, struct error *err)
{
    error_set(err, ERR_STORE, "metadata: %s", sqlite3_errmsg(self->db));
    const char *remedy = schema_remedy(self->db);
    if (remedy)
        error_hint(err, "%s", remedy);
    return ERR_STORE;
}

static enum status prepare(
    struct sqlite_store *self, const char *sql, sqlite3_stmt **ret, struct error *err)
{
    vec_each (cached, &self->statements) {
        if (str_equal(cached->sql, sql)) {
            *ret = cached->statement;
            return OK;
        }
    }
    struct cached fresh = {0};
    if (sqlite3_prepare_v3(self->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &fresh.statement, NULL) !=
        SQLITE_OK)
        return failed(self, err);
    fresh.sql = mem_strdup(sql);
    vec_push(&self->statements, fresh);
    *ret = fresh.statement;
    return OK;
}

/* ---- columns --------------------------------------------------------------------------------- */

static const char *const attempt_state_names[] = {"queued", "running", "ended"};

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    if (text)
        sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(statement, at);
}

static void bind_column(
    sqlite3_stmt *statement, int at, const struct record_column *column, const void *record)
{
    const void *p = (const char *)record + column->offset;
    switch (column->type) {
    case COLUMN_INT64: sqlite3_bind_int64(statement, at, *(const int64_t *)p); break;
    case COLUMN_INT32: sqlite3_bind_int(statement, at, *(const int32_t *)p); break;
    case COLUMN_BOOL: sqlite3_bind_int(statement, at, *(const bool *)p); break;
    case COLUMN_TIME:
        if (*(const int64_t *)p == TIME_NONE)
            sqlite3_bind_null(statement, at);
        else
            sqlite3_bind_int64(statement, at, *(const int64_t *)p);
        break;
    case COLUMN_TEXT: bind_text(statement, at, *(const char *const *)p); break;
    case COLUMN_UUID: bind_text(statement, at, *(const char *)p ? p : NULL); break;
    case COLUMN_TASK_STATE:
        bind_text(statement, at, task_state_name(*(const enum task_state *)p));
        break;
    case COLUMN_RUN_STATE:
        bind_text(statement, at, run_state_name(*(const enum run_state *)p));
        break;
    case COLUMN_RUN_TYPE: bind_text(statement, at, run_type_name(*(const enum run_type *)p)); break;
    case COLUMN_REASON: bind_text(statement, at, reason_code(*(const enum reason *)p)); break;
    case COLUMN_ATTEMPT_STATE:
        bind_text(statement, at, attempt_state_names[*(const enum attempt_state *)p]);
        break;
    }
}

static bool read_attempt_state(const char *name, enum attempt_state *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(attempt_state_names); i++) {
        if (str_equal(name, attempt_state_names[i])) {
            *ret = (enum attempt_state)i;
            return true;
        }
    }
    return false;
}

/* False when a stored word is not one that we know: the file was written by something else. */
static bool read_word(const struct record_column *column, const char *word, void *p)
{
    if (!word)
        return false;
    switch (column->type) {
    case COLUMN_TASK_STATE: return task_state_parse(word, p);
    case COLUMN_RUN_STATE: return run_state_parse(word, p);
    case COLUMN_RUN_TYPE: return run_type_parse(word, p);
    case COLUMN_REASON: return reason_parse(word, p);
    case COLUMN_ATTEMPT_STATE: return read_attempt_state(word, p);
    default: return false;
    }
}

static bool read_column(sqlite3_stmt *statement, int at, const struct record_column *column,
    void *record, struct arena *arena)
{
    void *p = (char *)record + column->offset;
    bool is_null = sqlite3_column_type(statement, at) == SQLITE_NULL;
    const char *text = NULL;
    switch (column->type) {
    case COLUMN_INT64: *(int64_t *)p = sqlite3_column_int64(statement, at); return true;
    case COLUMN_INT32: *(int32_t *)p = sqlite3_column_int(statement, at); return true;
    case COLUMN_BOOL: *(bool *)p = sqlite3_column_int(statement, at) != 0; return true;
    case COLUMN_TIME:
        *(int64_t *)p = is_null ? TIME_NONE : sqlite3_column_int64(statement, at);
        return true;
    case COLUMN_TEXT:
        *(const char **)p = arena_strdup(arena, (const char *)sqlite3_column_text(statement, at));
        return true;
    case COLUMN_UUID:
        text = (const char *)sqlite3_column_text(statement, at);
        snprintf(p, UUID_TEXT_SIZE, "%s", text ? text : "");
        return true;
    default: return read_word(column, (const char *)sqlite3_column_text(statement, at), p);
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

static enum status step_done(struct sqlite_store *self, sqlite3_stmt *statement, struct error *err)
{
    int result = sqlite3_step(statement);
    enum status status = result == SQLITE_DONE ? OK : failed(self, err);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return status;
}

/* insert into T (columns) values (?1, …) [on conflict (key) do update set c = excluded.c, …] */
static void insert_sql(const struct record_table *table, bool replace, struct strbuf *sql)
{
    strbuf_printf(sql, "insert into %s (", table->name);
    for (size_t i = 0; i < table->column_count; i++)
        strbuf_printf(sql, "%s%s", i ? ", " : "", table->columns[i].name);
    strbuf_add_str(sql, ") values (");
    for (size_t i = 0; i < table->column_count; i++)
        strbuf_printf(sql, "%s?%zu", i ? ", " : "", i + 1);
    strbuf_add_str(sql, ")");
    if (!replace)
        return;
    strbuf_add_str(sql, " on conflict (");
    for (size_t i = 0; i < table->key_count; i++)
        strbuf_printf(sql, "%s%s", i ? ", " : "", table->columns[i].name);
    strbuf_add_str(sql, ") do update set ");
    for (size_t i = table->key_count; i < table->column_count; i++)
        strbuf_printf(sql, "%s%s = excluded.%s", i > table->key_count ? ", " : "",
            table->columns[i].name, table->columns[i].name);
}

static enum status put(struct sqlite_store *self, const struct record_table *table, bool replace,
    const void *record, struct error *err)
{
    struct strbuf sql = {0};
    insert_sql(table, replace, &sql);
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(self, strbuf_text(&sql), &statement, err);
    strbuf_done(&sql);
    if (status != OK)
        return status;
    for (size_t i = 0; i < table->column_count; i++)
        bind_column(statement, (int)i + 1, &table->columns[i], record);
    return step_done(self, statement, err);
}

/* Replaces a task's row, which must be in state `from`. */
static enum status update_task(struct sqlite_store *self, const struct task_record *task,
    enum task_state from, struct error *err)
{
    struct strbuf sql = {0};
    strbuf_add_str(&sql, "update task_instance set ");
    for (size_t i = record_task.key_count; i < record_task.column_count; i++)
        strbuf_printf(&sql, "%s%s = ?%zu", i > record_task.key_count ? ", " : "",
            record_task.columns[i].name, i + 1);
    strbuf_printf(&sql, " where run = ?1 and task_id = ?2 and map_index = ?3 and state = ?%zu",
        record_task.column_count + 1);
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(self, strbuf_text(&sql), &statement, err);
    strbuf_done(&sql);
    if (status != OK)
        return status;
    for (size_t i = 0; i < record_task.column_count; i++)
        bind_column(statement, (int)i + 1, &record_task.columns[i], task);
    bind_text(statement, (int)record_task.column_count + 1, task_state_name(from));
    status = step_done(self, statement, err);
    if (status == OK && sqlite3_changes(self->db) != 1)
        return error_set(err, ERR_STORE_CONFLICT,
            "task `%s` of run %lld is not in state %s any more", task->task_id,
            (long long)task->run.v, task_state_name(from));
    return status;
}

static enum status put_request(
    struct sqlite_store *self, const struct change *change, struct error *err)
{
    struct request_record record = {.uuid = change->request.uuid,
        .kind = request_kind_name(change->request.kind),
        .user = change->request.user,
        .dag_id = change->request.dag_id,
        .request = change->request.request,
        .outcome = change->request.outcome,
        .status = status_info(change->request.status)->name,
        .at_us = change->at_us};
    return put(self, &record_request, false, &record, err);
}

static enum status put_setting(
    struct sqlite_store *self, const struct setting_record *setting, struct error *err)
{
    if (setting->value)
        return put(self, &record_setting, true, setting, err);
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(self, "delete from setting where name = ?1", &statement, err);
    if (status != OK)
        return status;
    bind_text(statement, 1, setting->name);
    return step_done(self, statement, err);
}

static enum status apply_change(
    struct sqlite_store *self, const struct change *change, struct error *err)
{
    switch (change->kind) {
    case CHANGE_RUN: return put(self, &record_run, true, &change->run, err);
    case CHANGE_TASK:
        return change->task.is_new
                   ? put(self, &record_task, false, &change->task.record, err)
                   : update_task(self, &change->task.record, change->task.from, err);
    case CHANGE_ATTEMPT: return put(self, &record_attempt, true, &change->attempt, err);
    case CHANGE_DAG: return put(self, &record_dag, true, &change->dag, err);
    case CHANGE_BACKFILL: return put(self, &record_backfill, true, &change->backfill, err);
    case CHANGE_REQUEST: return put_request(self, change, err);
    case CHANGE_ASSET_EVENT:
        return put(self, &record_asset_event, false, &change->asset_event, err);
    case CHANGE_ASSET_QUEUE: return put(self, &record_asset_queue, true, &change->asset_queue, err);
    case CHANGE_RUN_ASSET: return put(self, &record_run_asset, false, &change->run_asset, err);
    case CHANGE_SETTING: return put_setting(self, &change->setting, err);
    }
    return error_set(err, ERR_INTERNAL, "unknown change %d", (int)change->kind);
}

static enum status run_sql(struct sqlite_store *self, const char *sql, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(self, sql, &statement, err);
    return status == OK ? step_done(self, statement, err) : status;
}

static enum status apply_all(
    struct sqlite_store *self, const struct plan *plan, int64_t batch, struct error *err)
{
    vec_each (change, &plan->changes) {
        enum status status = apply_change(self, change, err);
        if (status != OK)
            return status;
        struct transition_record transition;
        if (!change_transition(change, &transition))
            continue;
        status = put(self, &record_transition, false, &transition, err);
        if (status != OK)
            return status;
    }
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(
        self, "update meta set value = ?1 where key = 'batch' and value < ?1", &statement, err);
    if (status != OK)
        return status;
    sqlite3_bind_int64(statement, 1, batch);
    status = step_done(self, statement, err);
    if (status == OK && sqlite3_changes(self->db) != 1)
        return error_set(
            err, ERR_STORE_CONFLICT, "batch %lld is not newer than the last one", (long long)batch);
    return status;
}

/* What is written to a file that has no name any more is lost with this process. */
static enum status check_in_place(struct sqlite_store *self, struct error *err)
{
    int moved = 0;
    if (sqlite3_file_control(self->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
        !moved)
        return OK;
    error_set(err, ERR_STORE, "metadata: %s was removed or replaced while it was in use",
        sqlite3_db_filename(self->db, "main"));
    error_hint(err, "put the file back");
    return ERR_STORE;
}

/* Changes.  A batch of more has touched many pages that the next ones will not: of a start, or of a
   backfill. */
enum { LARGE_BATCH = 256 };

static enum status sqlite_apply(
    struct store *store, const struct plan *plan, int64_t batch, struct error *err)
{
    struct sqlite_store *self = of(store);
    enum status status = check_in_place(self, err);
    if (status == OK)
        status = run_sql(self, "begin immediate", err);
    if (status != OK)
        return status;
    status = apply_all(self, plan, batch, err);
    if (status == OK)
        status = run_sql(self, "commit", err);
    if (plan->changes.count > LARGE_BATCH)
        sqlite3_db_release_memory(self->db);
    if (status != OK)
        sqlite3_exec(
            self->db, "rollback", NULL, NULL, NULL); /* the first error is the one to tell */
    return status;
}

/* ---- reading --------------------------------------------------------------------------------- */

static enum status read_number(
    struct sqlite_store *self, const char *sql, int64_t *ret, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(self, sql, &statement, err);
    if (status != OK)
        return status;
    if (sqlite3_step(statement) == SQLITE_ROW)
        *ret = sqlite3_column_int64(statement, 0);
    else
        status = failed(self, err);
    sqlite3_reset(statement);
    return status;
}

static enum status sqlite_last_batch(struct store *store, int64_t *ret, struct error *err)
{
    return read_number(of(store), "select value from meta where key = 'batch'", ret, err);
}

static enum status sqlite_meta(struct store *store, struct store_meta *ret, struct error *err)
{
    struct sqlite_store *self = of(store);
    sqlite3_stmt *statement = NULL;
    enum status status =
        prepare(self, "select value from meta where key = 'metadata_id'", &statement, err);
    if (status != OK)
        return status;
    if (sqlite3_step(statement) == SQLITE_ROW)
        snprintf(ret->metadata_id, sizeof(ret->metadata_id), "%s",
            (const char *)sqlite3_column_text(statement, 0));
    else
        status = failed(self, err);
    sqlite3_reset(statement);
    if (status == OK)
        status = read_number(self, "select coalesce(max(id), 0) + 1 from run", &ret->next_run, err);
    if (status == OK)
        status = read_number(
            self, "select coalesce(max(id), 0) + 1 from backfill", &ret->next_backfill, err);
    if (status == OK)
        status = read_number(
            self, "select coalesce(max(id), 0) + 1 from asset_event", &ret->next_asset_event, err);
    return status;
}

static void condition_sql(
    const struct record_condition *condition, size_t parameter, struct strbuf *sql)
{
    static const char *const operators[] = {
        [IS] = "is", [AT_LEAST] = ">=", [AT_MOST] = "<=", [BELOW] = "<"};
    if (condition->op != IS_ANY_OF_STATES) {
        strbuf_printf(sql, "%s %s ?%zu", condition->column, operators[condition->op], parameter);
        return;
    }
    strbuf_printf(sql, "%s in (", condition->column);
    bool first = true;
    for (unsigned state = 0; state < RUN_STATE_COUNT; state++) {
        if (!(condition->states & 1u << state))
            continue;
        strbuf_printf(sql, "%s'%s'", first ? "" : ", ", run_state_name((enum run_state)state));
        first = false;
    }
    strbuf_add_char(sql, ')');
}

static void select_sql(const struct record_query *query, struct strbuf *sql)
{
    strbuf_add_str(sql, "select ");
    for (size_t i = 0; i < query->table->column_count; i++)
        strbuf_printf(sql, "%s%s", i ? ", " : "", query->table->columns[i].name);
    strbuf_printf(sql, " from %s", query->table->name);
    for (size_t i = 0; i < query->condition_count; i++) {
        strbuf_add_str(sql, i ? " and " : " where ");
        condition_sql(&query->conditions[i], i + 1, sql);
    }
    for (size_t i = 0; i < ARRAY_SIZE(query->order_by) && query->order_by[i]; i++)
        strbuf_printf(sql, "%s%s%s", i ? ", " : " order by ", query->order_by[i],
            query->descending ? " desc" : "");
    if (query->table == &record_transition)
        strbuf_add_str(sql, ", rowid");
    strbuf_printf(sql, " limit %zu", query->limit);
}

static void bind_conditions(sqlite3_stmt *statement, const struct record_query *query)
{
    for (size_t i = 0; i < query->condition_count; i++) {
        const struct record_condition *condition = &query->conditions[i];
        if (condition->op == IS_ANY_OF_STATES)
            continue;
        if (condition->by == BY_TEXT)
            bind_text(statement, (int)i + 1, condition->text);
        else if (condition->number == TIME_NONE)
            sqlite3_bind_null(statement, (int)i + 1);
        else
            sqlite3_bind_int64(statement, (int)i + 1, condition->number);
    }
}

static bool read_row(sqlite3_stmt *statement, const struct record_table *table, void *record,
    struct arena *arena, struct error *err)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (read_column(statement, (int)i, &table->columns[i], record, arena))
            continue;
        error_set(err, ERR_STORE, "metadata: table %s has an unknown %s: %s", table->name,
            table->columns[i].name, (const char *)sqlite3_column_text(statement, (int)i));
        return false;
    }
    return true;
}

static enum status read_rows(struct sqlite_store *self, sqlite3_stmt *statement,
    const struct record_table *table, struct arena *arena, struct record_rows *ret,
    struct error *err)
{
    size_t capacity = 0, count = 0;
    char *rows = NULL;
    enum status status = OK;
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        if (count == capacity) {
            capacity = capacity ? capacity * 2 : 16;
            rows = mem_realloc(rows, capacity * table->size);
        }
        if (!read_row(statement, table, rows + count * table->size, arena, err)) {
            status = ERR_STORE;
            break;
        }
        count++;
    }
    if (status == OK && result != SQLITE_DONE)
        status = failed(self, err);
    ret->at = arena_memdup(arena, rows, count * table->size);
    ret->count = count;
    mem_free(rows);
    return status;
}

static enum status sqlite_select(struct store *store, const struct record_query *query,
    struct arena *arena, struct record_rows *ret, struct error *err)
{
    struct sqlite_store *self = of(store);
    struct strbuf sql = {0};
    select_sql(query, &sql);
    sqlite3_stmt *statement = NULL;
    enum status status = prepare(self, strbuf_text(&sql), &statement, err);
    strbuf_done(&sql);
    if (status != OK)
        return status;
    bind_conditions(statement, query);
    status = read_rows(self, statement, query->table, arena, ret, err);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return status;
}

/* ---- opening --------------------------------------------------------------------------------- */

static void sqlite_close(struct store *store)
{
    struct sqlite_store *self = of(store);
    vec_each (cached, &self->statements) {
        sqlite3_finalize(cached->statement);
        mem_free(cached->sql);
    }
    vec_done(&self->statements);
    sqlite3_close(self->db);
    mem_free(self);
}

static const struct store_backend sqlite_backend = {
    .close = sqlite_close,
    .apply = sqlite_apply,
    .last_batch = sqlite_last_batch,
    .meta = sqlite_meta,
    .select = sqlite_select,
};

static enum status open_file(
    const char *path, int flags, struct sqlite_store **ret, struct error *err)
{
    struct sqlite_store *self = mem_alloc_zero(1, sizeof(*self));
    self->store.backend = &sqlite_backend;
    if (sqlite3_open_v2(path, &self->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        error_set(err, ERR_STORE, "%s: %s", path, sqlite3_errmsg(self->db));
        sqlite_close(&self->store);
        return ERR_STORE;
    }
    sqlite3_extended_result_codes(self->db, 0);
    sqlite3_busy_timeout(self->db, STORE_BUSY_TIMEOUT_MS);
    *ret = self;
    return OK;
}

enum status store_open_sqlite(const char *path, struct store **ret, struct error *err)
{
    struct sqlite_store *self = NULL;
    enum status status = open_file(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &self, err);
    if (status != OK)
        return status;
    /* FULL: an acknowledged commit survives the loss of power. */
    static const char settings[] = "pragma journal_mode = wal; pragma synchronous = full;"
                                   "pragma foreign_keys = on; pragma cell_size_check = on";
    if (sqlite3_exec(self->db, settings, NULL, NULL, NULL) != SQLITE_OK)
        status = failed(self, err);
    if (status == OK)
        status = schema_migrate(self->db, err);
    if (status != OK) {
        sqlite_close(&self->store);
        return error_context(err, "%s: ", path);
    }
    *ret = &self->store;
    return OK;
}

static enum status open_reader(const char *path,
    enum status (*check)(sqlite3 *db, struct error *err), struct store **ret, struct error *err)
{
    struct sqlite_store *self = NULL;
    enum status status = open_file(path, SQLITE_OPEN_READWRITE, &self, err);
    if (status != OK)
        return status;
    if (sqlite3_exec(self->db, "pragma query_only = on", NULL, NULL, NULL) != SQLITE_OK)
        status = failed(self, err);
    if (status == OK)
        status = check(self->db, err);
    if (status != OK) {
        sqlite_close(&self->store);
        return error_context(err, "%s: ", path);
    }
    *ret = &self->store;
    return OK;
}

enum status store_open_reader(const char *path, struct store **ret, struct error *err)
{
    if (!file_exists(path)) {
        error_set(err, ERR_NOT_FOUND, "there is no metadata yet (%s)", path);
        error_hint(err, "start the daemon with `dag up`, or run a DAG with `dag run`");
        return ERR_NOT_FOUND;
    }
    return open_reader(path, schema_check, ret, err);
}

enum status store_read_settings_of(
    const char *path, struct arena *arena, struct setting_rows *ret, struct error *err)
{
    struct store *store = NULL;
    *ret = (struct setting_rows){0};
    if (!file_exists(path))
        return OK;
    enum status status = open_reader(path, schema_check_settings, &store, err);
    if (status == ERR_NOT_FOUND)
        return OK;
    if (status == OK)
        status = store_read_settings(store, arena, ret, err);
    store_close(store);
    return status;
}
