#include "store/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "store/limits.h"
#include "store/sqlite/schema.h"

static void close_db(sqlite3 **db)
{
    sqlite3_close(*db);
}

static enum status failed(sqlite3 *db, const char *path, struct error *err)
{
    error_set(err, ERR_STORE, "%s: %s", path, sqlite3_errmsg(db));
    const char *remedy = schema_remedy(db);
    if (remedy)
        error_hint(err, "%s", remedy);
    return ERR_STORE;
}

static enum status open_db(const char *path, sqlite3 **ret, struct error *err)
{
    if (!file_exists(path))
        return error_set(err, ERR_NOT_FOUND, "there is no metadata yet (%s)", path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, ret, flags, NULL) != SQLITE_OK)
        return failed(*ret, path, err);
    sqlite3_busy_timeout(*ret, STORE_BUSY_TIMEOUT_MS);
    return OK;
}

/* ---- checking ---- */

struct checking {
    sqlite3 *db;
    store_fact *tell;
    void *user;
    bool sound;
};

static void tell(struct checking *c, const char *what, const char *found, bool bad)
{
    c->sound &= !bad;
    c->tell(c->user, what, found, bad);
}

/* Each row's first column is a fact; one that is not `good` is bad.  No row is `good`, too. */
static void ask(struct checking *c, const char *what, const char *sql, const char *good)
{
    sqlite3_stmt *statement = NULL;
    int rows = 0, result = sqlite3_prepare_v2(c->db, sql, -1, &statement, NULL);
    while (result == SQLITE_OK || result == SQLITE_ROW) {
        result = sqlite3_step(statement);
        if (result != SQLITE_ROW)
            break;
        const char *found = (const char *)sqlite3_column_text(statement, 0);
        tell(c, what, found ? found : "", good && found && strcmp(found, good) != 0);
        rows++;
    }
    if (result != SQLITE_DONE)
        tell(c, what, sqlite3_errmsg(c->db), true);
    else if (!rows)
        tell(c, what, good ? good : "none", false);
    sqlite3_finalize(statement);
}

static void check_schema(struct checking *c)
{
    struct error err;
    if (schema_check(c->db, &err) != OK)
        tell(c, "schema", err.message, true);
    else
        ask(c, "schema", "select 'version ' || user_version from pragma_user_version", NULL);
}

static void count_rows(struct checking *c)
{
    static const char *const tables[] = {"dag", "run", "task_instance", "attempt", "transition",
        "request", "backfill", "asset_event", "setting"};
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
        char what[64], sql[96];
        snprintf(what, sizeof(what), "rows of %s", tables[i]);
        snprintf(sql, sizeof(sql), "select count(*) from %s", tables[i]);
        ask(c, what, sql, NULL);
    }
}

enum status store_check(
    const char *path, store_fact *tell_fact, void *user, bool *ret_sound, struct error *err)
{
    CLEANUP(close_db) sqlite3 *db = NULL;
    enum status status = open_db(path, &db, err);
    if (status != OK)
        return status;
    struct checking c = {db, tell_fact, user, true};
    check_schema(&c);
    ask(&c, "integrity", "select * from pragma_integrity_check", "ok");
    ask(&c, "relations",
        "select \"table\" || ' names a row of ' || parent || ' that is not there'"
        " from pragma_foreign_key_check",
        "ok");
    ask(&c, "unfinished tasks of finished runs",
        "select 'run ' || run.id || ' of ' || dag_id || ': ' || task_id || ' is ' || t.state"
        " from run join task_instance t on t.run = run.id where run.state in ('success', 'failed')"
        " and t.state in ('queued', 'running') limit 100",
        "ok");
    count_rows(&c);
    *ret_sound = c.sound;
    return OK;
}

/* ---- exporting ---- */

static enum status copy_to(sqlite3 *db, const char *to, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum status status = OK;
    if (sqlite3_prepare_v2(db, "vacuum into ?1", -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_bind_text(statement, 1, to, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_DONE)
        status = failed(db, to, err);
    sqlite3_finalize(statement);
    return status;
}

static bool mask_text(const char *text, store_is_secret *is_secret, struct strbuf *ret);

/* Values whose names say that they are secrets, at any depth; a request has its conf as a text. */
static void mask_tree(json_t *tree, store_is_secret *is_secret)
{
    const char *name;
    json_t *value;
    size_t i;
    void *next;
    json_array_foreach(tree, i, value) mask_tree(value, is_secret);
    json_object_foreach_safe(tree, next, name, value)
    {
        CLEANUP(strbuf_done) struct strbuf inner = {0};
        if (is_secret(name) && !json_is_null(value))
            json_object_set_new(tree, name, json_string("***"));
        else if (mask_text(json_string_value(value), is_secret, &inner))
            json_object_set_new(tree, name, json_stringn(inner.text, inner.size));
        else
            mask_tree(value, is_secret);
    }
}

/* False: it is no text of JSON. */
static bool mask_text(const char *text, store_is_secret *is_secret, struct strbuf *ret)
{
    CLEANUP(json_decrefp) json_t *tree = NULL;
    if (!text || json_parse(text, strlen(text), NULL, &tree, NULL))
        return false;
    mask_tree(tree, is_secret);
    struct json_writer w = json_begin(ret);
    json_tree(&w, tree);
    return true;
}

/* SQL's masked(text): NULL of what is no JSON. */
static void sql_masked(sqlite3_context *context, int count, sqlite3_value **values)
{
    CLEANUP(strbuf_done) struct strbuf masked = {0};
    const char *text = (const char *)sqlite3_value_text(values[0]);
    (void)count;
    if (mask_text(text, *(store_is_secret **)sqlite3_user_data(context), &masked))
        sqlite3_result_text(context, masked.text, (int)masked.size, SQLITE_TRANSIENT);
}

/* Overwritten on the disk, too: what is deleted is zeroed, and the file is written anew. */
static enum status blank_secrets(const char *path, store_is_secret *is_secret, struct error *err)
{
    static const char sql[] =
        "pragma secure_delete = on; pragma journal_mode = delete;"
        "update setting set value = ''; update run set conf = masked(conf);"
        "update backfill set conf = masked(conf); update request set request = masked(request);"
        "update asset_event set extra = masked(extra); vacuum";
    CLEANUP(close_db) sqlite3 *db = NULL;
    enum status status = open_db(path, &db, err);
    if (status == OK && (sqlite3_create_function(db, "masked", 1, SQLITE_UTF8, &is_secret,
                             sql_masked, NULL, NULL) != SQLITE_OK ||
                            sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK))
        status = failed(db, path, err);
    return status;
}

enum status store_export(
    const char *path, const char *to, store_is_secret *is_secret, struct error *err)
{
    CLEANUP(close_db) sqlite3 *db = NULL;
    enum status status = open_db(path, &db, err);
    if (status == OK)
        status = schema_check(db, err);
    if (status != OK)
        return status;
    /* Made first, so that nobody else can read it; SQLite takes an empty file. */
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return error_set(err, ERR_CONFLICT, "%s is there already", to);
    if (fd < 0)
        return error_set(err, ERR_IO, "%s: %m", to);
    close(fd);
    status = copy_to(db, to, err);
    if (status == OK)
        status = blank_secrets(to, is_secret, err);
    if (status != OK)
        unlink(to);
    return status;
}
