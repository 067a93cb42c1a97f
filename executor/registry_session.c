/* The registry through a connection that blocks: for commands. */
#include "executor/limits.h"
#include "executor/registry.h"
#include "executor/target/sql_error.h"
#include "executor/target/sql_value.h"
#include "language/sql/name.h"

/* It only reads, but in the transaction of a change; and a query whose asker is gone ends. */
static enum status make_ready(
    struct registry_session *session, const struct connection *connection, struct error *err)
{
    struct arena *arena = session->arena;
    PGconn *conn = session->connected.conn;
    enum status status = connect_run(conn,
        arena_printf(arena, "SET statement_timeout = %d", REGISTRY_QUERY_MS), ERR_REGISTRY, err);
    return status == OK ? connect_run(conn, connect_settings_text(connection, true, arena),
                              ERR_REGISTRY, err)
                        : status;
}

enum status registry_open(const struct project *project, struct arena *arena,
    struct registry_session *ret, struct error *err)
{
    const struct connection *connection;
    struct registry_session session = {
        .registry = project->registry, .arena = arena, .rows = json_array()};
    enum status status = registry_connection(project, &connection, err);
    if (status == OK)
        status = connect_to_look(connection, "dag model", &session.connected, err);
    if (status != OK) {
        json_decref(session.rows);
        return status;
    }
    PQsetNoticeProcessor(session.connected.conn, sql_notice_ignore, NULL);
    status = make_ready(&session, connection, err);
    if (status != OK)
        registry_close(&session);
    else
        *ret = session;
    return status;
}

void registry_close(struct registry_session *session)
{
    PQfinish(session->connected.conn);
    json_decref(session->rows);
    session->connected.conn = NULL;
    session->rows = NULL;
}

enum status registry_rows(
    struct registry_session *session, const char *sql, const json_t **ret, struct error *err)
{
    json_t *rows = NULL;
    CLEANUP(pq_clearp) PGresult *result = NULL;
    CLEANUP(strbuf_done) struct strbuf text = {0};
    enum status status = connect_query(session->connected.conn, sql, ERR_REGISTRY, &result, err);
    if (status != OK)
        return registry_explain(session->registry, err);
    struct json_writer w = json_begin(&text);
    json_array_begin(&w);
    for (int i = 0; i < PQntuples(result); i++)
        sql_row_json(&w, result, i);
    json_array_end(&w);
    status = json_parse(strbuf_text(&text), text.size, NULL, &rows, err);
    if (status == OK)
        json_array_append_new(session->rows, rows);
    *ret = rows;
    return status;
}

static enum status load_versions(struct registry_session *session, const char *sql,
    struct model_versions *ret, struct error *err)
{
    const json_t *rows;
    enum status status = registry_rows(session, sql, &rows, err);
    if (status == OK)
        registry_read_versions(rows, session->arena, ret);
    return status;
}

enum status registry_load(struct registry_session *session, const char *name, const char *version,
    struct model_versions *ret, const struct model_version **ret_version, struct error *err)
{
    struct arena *arena = session->arena;
    const char *all = registry_models_sql(session->registry, arena);
    int most = version ? MODEL_VERSIONS_SEARCHED : MODEL_VERSIONS_MAX;
    if (!name)
        return load_versions(session, all, ret, err);
    enum status status = load_versions(session,
        registry_versions_sql(session->registry, sql_literal(arena, name), most, arena), ret, err);
    if (status == OK && !ret->count) /* for the nearest name */
        status = load_versions(session, all, ret, err);
    return status == OK ? registry_find(ret, name, version, ret_version, err) : status;
}

enum status registry_evaluation(struct registry_session *session,
    const struct model_version *version, const json_t **ret, struct error *err)
{
    struct arena *arena = session->arena;
    return registry_rows(session,
        registry_evaluation_sql(session->registry, sql_literal(arena, version->name),
            sql_literal(arena, version->version), arena),
        ret, err);
}

/* ---- one change ------------------------------------------------------------------------------ */

/* A change under way: the versions of the model as they are, locked. */
struct changing {
    struct registry_session *session;
    const struct registry_change *change;
    struct model_versions versions;
    const struct model_version *target;
};

static enum status run(struct changing *c, const char *sql, struct error *err)
{
    enum status status = connect_run(c->session->connected.conn, sql, ERR_REGISTRY, err);
    return status == OK ? OK : registry_explain(c->session->registry, err);
}

static enum status begin(struct changing *c, struct error *err)
{
    PGconn *conn = c->session->connected.conn;
    struct arena *arena = c->session->arena;
    enum status status =
        connect_begin(conn, c->session->connected.facts.dialect, ERR_REGISTRY, err);
    if (status == OK)
        status = run(c,
            arena_printf(arena, "SET LOCAL lock_timeout = %d; LOCK TABLE %s IN EXCLUSIVE MODE",
                REGISTRY_LOCK_WAIT_MS, c->session->registry->table),
            err);
    if (status != OK && str_equal(err->sqlstate, "55P03"))
        error_hint(err, "a training or another promotion holds the registry: try again when it has "
                        "ended");
    return status;
}

/* Versions of the model that are in service and newer: they stand before it. */
static size_t count_newer(const struct changing *c)
{
    size_t count = 0;
    for (const struct model_version *v = c->versions.at; v < c->target; v++)
        count += v->in_service && str_equal(v->name, c->target->name);
    return count;
}

static enum status check_change(const struct changing *c, struct error *err)
{
    const struct model_version *v = c->target;
    if (c->change->promote && v->in_service && !count_newer(c))
        return error_set(
            err, ERR_CONFLICT, "version %s of `%s` is in service already", v->version, v->name);
    if (c->change->promote && v->rows_train == 0) {
        error_set(err, ERR_CONFLICT, "version %s of `%s` was never trained: %s", v->version,
            v->name, v->reason ? v->reason : "it has no rows");
        error_hint(err, "train it again, or promote another version");
        return ERR_CONFLICT;
    }
    if (!c->change->promote && !v->in_service)
        return error_set(
            err, ERR_CONFLICT, "version %s of `%s` is not in service", v->version, v->name);
    return OK;
}

/* Puts a version in or out, with who, when and why. */
static enum status set(struct changing *c, const struct model_version *version, bool in_service,
    const char *why, struct error *err)
{
    struct arena *arena = c->session->arena;
    const char *note = c->change->note;
    const char *reason = note && *note ? arena_printf(arena, "%s: %s", why, note) : why;
    return run(c,
        arena_printf(arena,
            "update %s set in_service = %s, reason = %s, decided_by = %s, decided_at = now()"
            " where name = %s and version = %s",
            c->session->registry->table, in_service ? "true" : "false", sql_literal(arena, reason),
            sql_literal(arena, c->change->by), sql_literal(arena, version->name),
            sql_literal(arena, version->version)),
        err);
}

static enum status promote(struct changing *c, struct registry_changed *ret, struct error *err)
{
    struct arena *arena = c->session->arena;
    enum status status = OK;
    ret->retired = arena_array(arena, const char *, count_newer(c));
    for (const struct model_version *v = c->versions.at; status == OK && v < c->target; v++) {
        if (!v->in_service || !str_equal(v->name, c->target->name))
            continue;
        ret->retired[ret->retired_count++] = v->version;
        status = set(c, v, false,
            arena_printf(arena, "retired by hand: %s was promoted", c->target->version), err);
    }
    ret->current = c->target->version;
    return status == OK ? set(c, c->target, true, "promoted by hand", err) : status;
}

static enum status retire(struct changing *c, struct registry_changed *ret, struct error *err)
{
    ret->retired = arena_array(c->session->arena, const char *, 1);
    ret->retired[ret->retired_count++] = c->target->version;
    for (size_t i = c->versions.count; i-- > 0;) {
        const struct model_version *v = &c->versions.at[i];
        if (v != c->target && v->in_service && str_equal(v->name, c->target->name))
            ret->current = v->version; /* the last one seen is the newest */
    }
    return set(c, c->target, false, "retired by hand", err);
}

enum status registry_change(struct registry_session *session, const struct registry_change *change,
    struct registry_changed *ret, struct error *err)
{
    struct changing c = {.session = session, .change = change};
    struct registry_changed changed = {0};
    PGconn *conn = session->connected.conn;
    enum status status = begin(&c, err);
    if (status == OK)
        status = registry_load(session, change->name, change->version, &c.versions, &c.target, err);
    if (status == OK)
        status = check_change(&c, err);
    if (status == OK && change->promote)
        status = promote(&c, &changed, err);
    else if (status == OK)
        status = retire(&c, &changed, err);
    if (status == OK && !change->dry_run)
        status = connect_commit(conn, ERR_REGISTRY, err);
    else
        PQclear(PQexec(conn, "ROLLBACK"));
    if (status == OK)
        *ret = changed;
    return status;
}
