#include "executor/target/migrate.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "definition/context/context.h"
#include "executor/limits.h"
#include "executor/target/connect.h"
#include "executor/target/ledger.h"
#include "executor/target/sql_error.h"
#include "language/sql/split.h"

enum {
    /* The advisory lock under which the table is made: "dag\0", and a number beside the ledger's.
     */
    MIGRATION_LOCK_CLASS = 0x64616700,
    MIGRATION_LOCK = 2,
};

struct migrating {
    const struct migrate_options *options;
    struct arena *arena;
    struct connected server;
    struct migration *files;
    size_t count;
    char *table;    /* quoted, with its schema */
    bool has_table; /* a dry run makes none */
};

/* ---- files ----------------------------------------------------------------------------------- */

/* "0001_tables.sql" → 1; 0 when the name is not of that form. */
static int number_of(const char *name)
{
    size_t digits = strspn(name, "0123456789");
    int64_t number = 0;
    if (digits < 1 || digits > 6 || name[digits] != '_' ||
        !parse_int64(slice_make(name, digits), &number))
        return 0;
    return (int)number;
}

static enum status read_file(struct migrating *m, const char *dir, const char *name,
    struct migration *ret, struct error *err)
{
    struct slice text;
    const char *root = m->options->project->root;
    *ret = (struct migration){.number = number_of(name), .name = name};
    ret->path = path_join(m->arena, dir, name);
    if (!ret->number) {
        error_set(err, ERR_MIGRATION, "%s is not named like a migration", ret->path);
        error_hint(err, "name it NNNN_what.sql, like 0001_tables.sql");
        return ERR_MIGRATION;
    }
    enum status status =
        file_read(path_join(m->arena, root, ret->path), MIGRATION_SIZE_MAX, m->arena, &text, err);
    if (status == OK)
        hash_sha256(text.p, text.size, ret->checksum);
    return status;
}

static int compare_numbers(const void *a, const void *b)
{
    return ((const struct migration *)a)->number - ((const struct migration *)b)->number;
}

static enum status read_files(struct migrating *m, struct error *err)
{
    const struct project *project = m->options->project;
    const char *dir = path_join(m->arena, project->migrations, m->options->connection->name);
    const char **names = NULL;
    enum status status =
        dir_list(path_join(m->arena, project->root, dir), ".sql", m->arena, &names, &m->count, err);
    m->files = arena_array(m->arena, struct migration, m->count);
    for (size_t i = 0; status == OK && i < m->count; i++)
        status = read_file(m, dir, names[i], &m->files[i], err);
    if (status != OK)
        return status;
    qsort(m->files, m->count, sizeof(*m->files), compare_numbers);
    for (size_t i = 1; i < m->count; i++)
        if (m->files[i].number == m->files[i - 1].number)
            return error_set(err, ERR_MIGRATION, "%s and %s have the same number",
                m->files[i - 1].path, m->files[i].path);
    return OK;
}

/* ---- history --------------------------------------------------------------------------------- */

static enum status make_table(struct migrating *m, struct error *err)
{
    const struct connection *connection = m->options->connection;
    char *schema = sql_identifier(m->arena, connection->ledger_schema);
    bool greenplum = m->server.facts.dialect != DIALECT_POSTGRESQL;
    m->table = arena_printf(m->arena, "%s.migration", schema);
    PGresult *found = NULL;
    enum status status = connect_query(m->server.conn,
        arena_printf(
            m->arena, "SELECT to_regclass(%s) IS NOT NULL", sql_literal(m->arena, m->table)),
        ERR_MIGRATION, &found, err);
    m->has_table = status == OK && str_equal(PQgetvalue(found, 0, 0), "t");
    PQclear(found);
    if (status != OK || m->has_table || m->options->dry_run)
        return status;
    m->has_table = true;
    return connect_run(m->server.conn,
        arena_printf(m->arena,
            "SELECT pg_catalog.pg_advisory_xact_lock(%d, %d);" /* IF NOT EXISTS alone races */
            " CREATE SCHEMA IF NOT EXISTS %s; CREATE TABLE IF NOT EXISTS %s"
            " (number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,"
            " applied_at timestamp with time zone NOT NULL DEFAULT now())%s",
            MIGRATION_LOCK_CLASS, MIGRATION_LOCK, schema, m->table,
            greenplum ? " WITH (appendonly=false) DISTRIBUTED BY (number)" : ""),
        ERR_MIGRATION, err);
}

static struct migration *find_file(struct migrating *m, int number)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->files[i].number == number)
            return &m->files[i];
    return NULL;
}

static enum status check_applied(struct migrating *m, int number, const char *name,
    const char *checksum, const char *applied_at, struct error *err)
{
    struct migration *file = find_file(m, number);
    if (!file) {
        error_set(err, ERR_MIGRATION, "%s was applied to `%s` on %s, and its file is gone", name,
            m->options->connection->name, applied_at);
        error_hint(err, "put the file back: other databases need it");
        return ERR_MIGRATION;
    }
    file->applied_at = arena_strdup(m->arena, applied_at);
    if (str_equal(file->checksum, checksum))
        return OK;
    error_set(
        err, ERR_MIGRATION, "%s has changed since it was applied on %s", file->path, applied_at);
    error_hint(err, "put it back as it was, and write a new migration for the change");
    return ERR_MIGRATION;
}

static enum status check_order(const struct migrating *m, struct error *err)
{
    const struct migration *waiting = NULL;
    for (size_t i = 0; i < m->count; i++) {
        if (!m->files[i].applied_at && !waiting)
            waiting = &m->files[i];
        if (!m->files[i].applied_at || !waiting)
            continue;
        error_set(err, ERR_MIGRATION, "%s was not applied, but the later %s was", waiting->path,
            m->files[i].name);
        error_hint(err, "give the new migration a number above all that are applied");
        return ERR_MIGRATION;
    }
    return OK;
}

static enum status read_history(struct migrating *m, struct error *err)
{
    PGresult *rows = NULL;
    if (!m->has_table)
        return OK;
    enum status status = connect_query(m->server.conn,
        arena_printf(m->arena,
            "SELECT number, name, checksum, date_trunc('second', applied_at) FROM %s"
            " ORDER BY number",
            m->table),
        ERR_MIGRATION, &rows, err);
    for (int i = 0; status == OK && i < PQntuples(rows); i++) {
        int64_t number = 0;
        (void)!parse_int64(slice_of(PQgetvalue(rows, i, 0)), &number);
        status = check_applied(m, (int)number, PQgetvalue(rows, i, 1), PQgetvalue(rows, i, 2),
            PQgetvalue(rows, i, 3), err);
    }
    PQclear(rows);
    return status == OK ? check_order(m, err) : status;
}

/* ---- applying -------------------------------------------------------------------------------- */

static enum status refuse_control(const struct rendered *rendered,
    const struct sql_statement *statement, struct arena *arena, struct error *err)
{
    struct sql_place place = sql_place_find(rendered, statement->offset, arena);
    error_set(
        err, ERR_MIGRATION, "%s: a migration is one transaction of dag's own", statement->word);
    if (place.file)
        error_place(err, place.file, place.line, place.column, place.template_line);
    error_hint(err, "leave transaction control out");
    return ERR_MIGRATION;
}

static enum status run_statement(struct migrating *m, const struct rendered *rendered,
    const struct sql_statement *statement, struct error *err)
{
    struct slice text = slice_make(rendered->text.p + statement->offset, statement->size);
    if (statement->control == SQL_CONTROL_TRANSACTION)
        return refuse_control(rendered, statement, m->arena, err);
    PGresult *result = PQexec(m->server.conn, arena_strndup(m->arena, text.p, text.size));
    ExecStatusType kind = PQresultStatus(result);
    enum status status = OK;
    if (kind != PGRES_COMMAND_OK && kind != PGRES_TUPLES_OK && kind != PGRES_EMPTY_QUERY) {
        struct sql_error error = sql_error_read(result, m->server.conn, m->arena);
        size_t offset = sql_error_offset(&error, rendered->text, text);
        struct sql_place place = sql_place_find(rendered, offset, m->arena);
        status = error_set(err, ERR_MIGRATION, "%s", sql_error_text(&error, m->arena));
        if (place.file)
            error_place(err, place.file, place.line, place.column, place.template_line);
        if (error.sqlstate)
            snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", error.sqlstate);
    }
    PQclear(result);
    return status;
}

static enum status run_statements(
    struct migrating *m, struct migration *file, const struct rendered *rendered, struct error *err)
{
    struct sql_statements statements;
    size_t offset = 0;
    enum status status = sql_split(rendered->text, m->arena, &statements, &offset, err);
    if (status != OK)
        return error_context(err, "%s: ", file->path);
    for (size_t i = 0; status == OK && i < statements.count; i++)
        status = run_statement(m, rendered, &statements.at[i], err);
    file->statements = statements.count;
    return status;
}

/* Under the table's lock: another `dag migrate` may have been faster. */
static enum status lock_and_look(
    struct migrating *m, const struct migration *file, bool *ret_applied, struct error *err)
{
    PGresult *rows = NULL;
    enum status status = connect_run(m->server.conn,
        arena_printf(m->arena, "BEGIN; LOCK TABLE %s IN EXCLUSIVE MODE", m->table), ERR_MIGRATION,
        err);
    if (status == OK)
        status = connect_query(m->server.conn,
            arena_printf(m->arena, "SELECT 1 FROM %s WHERE number = %d", m->table, file->number),
            ERR_MIGRATION, &rows, err);
    *ret_applied = status == OK && PQntuples(rows) > 0;
    PQclear(rows);
    return status;
}

static enum status record(struct migrating *m, const struct migration *file, struct error *err)
{
    return connect_run(m->server.conn,
        arena_printf(m->arena, "INSERT INTO %s (number, name, checksum) VALUES (%d, %s, %s)",
            m->table, file->number, sql_literal(m->arena, file->name),
            sql_literal(m->arena, file->checksum)),
        ERR_MIGRATION, err);
}

static enum status apply(
    struct migrating *m, struct migration *file, bool *ret_now, struct error *err)
{
    struct rendered rendered;
    struct render_target target = render_target_of(m->options->project, m->options->connection);
    bool applied = false;
    target.version = m->server.facts.number;
    enum status status = context_render_migration(
        m->options->project, file->path, &target, m->arena, &rendered, err);
    if (status != OK)
        return status;
    int64_t began_us = clock_now().mono_us;
    status = lock_and_look(m, file, &applied, err);
    if (status == OK && !applied)
        status = run_statements(m, file, &rendered, err);
    if (status == OK && !applied)
        status = record(m, file, err);
    if (status == OK)
        status = connect_commit(m->server.conn, ERR_MIGRATION, err);
    if (status != OK)
        PQclear(PQexec(m->server.conn, "ROLLBACK")); /* the first error is the one to tell */
    file->duration_us = clock_now().mono_us - began_us;
    *ret_now = !applied;
    return status;
}

static enum status apply_missing(struct migrating *m, size_t *ret_count, struct error *err)
{
    const struct migrate_options *options = m->options;
    *ret_count = 0;
    for (size_t i = 0; i < m->count; i++) {
        struct migration *file = &m->files[i];
        bool now = !file->applied_at;
        if (now && !options->dry_run) {
            enum status status = apply(m, file, &now, err);
            if (status != OK)
                return status;
        }
        *ret_count += now;
        options->told(options->user, file, now && !options->dry_run);
    }
    return OK;
}

enum status migrate_run(const struct migrate_options *options, size_t *ret_count, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct migrating m = {.options = options, .arena = arena};
    enum status status = read_files(&m, err);
    if (status == OK)
        status = (options->dry_run ? connect_to_look : connect_blocking)(
            options->connection, "dag migrate", &m.server, err);
    if (status != OK)
        return status;
    if (options->session)
        options->session(options->user, m.server.conn);
    status = make_table(&m, err);
    if (status == OK)
        status = read_history(&m, err);
    if (status == OK)
        status = apply_missing(&m, ret_count, err);
    if (options->session)
        options->session(options->user, NULL);
    PQfinish(m.server.conn);
    return status;
}
