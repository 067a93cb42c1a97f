#include "executor/target/check.h"

#include "executor/target/ledger.h"
#include "executor/target/sql_error.h"
#include "executor/target/trouble.h"
#include "language/sql/name.h"

void check_explain(struct checked *checked)
{
    static const struct {
        enum status status;
        const char *code;
    } codes[] = {{ERR_DIALECT, "dialect"}, {ERR_POOLER, "pooler"}, {ERR_LEDGER, "ledger"},
        {ERR_KEY, "key"}, {ERR_INVALID, "setting"}};
    const struct trouble *trouble = trouble_find(checked->error.message);
    checked->trouble = trouble ? trouble->code : "other";
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (checked->status == codes[i].status)
            checked->trouble = codes[i].code;
    if (trouble && !checked->error.hint[0])
        error_hint(&checked->error, "%s", trouble->remedy);
}

static const char *copy(struct arena *arena, const char *text)
{
    return arena_strdup(arena, text ? text : "");
}

static void describe(struct connected *connected, struct arena *arena, struct checked *ret)
{
    PGconn *conn = connected->conn;
    const char *host = PQhost(conn);
    ret->version = copy(arena, connected->facts.version);
    ret->number = copy(arena, connected->facts.number);
    ret->dialect = dialect_name(connected->facts.dialect);
    ret->host = copy(arena, host);
    ret->port = host && host[0] == '/' ? "" : copy(arena, PQport(conn));
    ret->database = copy(arena, PQdb(conn));
    ret->user = copy(arena, PQuser(conn));
    ret->tls = PQsslInUse(conn) ? copy(arena, PQsslAttribute(conn, "protocol")) : NULL;
}

static enum status look_at_ledger(const struct connection *connection, struct connected *connected,
    struct arena *arena, struct checked *ret)
{
    if (!connection->ledger)
        return OK;
    ret->ledger = copy(arena, connected->facts.ledger_id);
    return ledger_check_rights(connected->conn, connection, *ret->ledger, &ret->error);
}

static enum status try_setting(
    PGconn *conn, const struct named_text *setting, struct arena *arena, struct error *err)
{
    enum status status = connect_run(conn,
        arena_printf(arena, "SELECT pg_catalog.set_config(%s, %s, true)",
            sql_literal(arena, setting->name), sql_literal(arena, setting->text.value)),
        ERR_INVALID, err);
    if (status != OK) {
        error_context(err, "`settings`: %s: ", setting->name);
        error_hint(err, "every task on it would fail: correct the setting, or take it out");
    }
    return status;
}

/* Schemas of the path that are not there, or that the role may not use. */
static enum status look_at_path(
    PGconn *conn, struct arena *arena, const char **ret_warning, struct error *err)
{
    static const char sql[] =
        "SELECT pg_catalog.current_setting('search_path'), n FROM (SELECT pg_catalog.btrim(x, ' "
        "\"')"
        " AS n FROM pg_catalog.unnest(pg_catalog.string_to_array("
        "pg_catalog.current_setting('search_path'), ',')) AS x) AS parts"
        " WHERE n NOT IN ('$user', '', 'public') AND n <> ALL (pg_catalog.current_schemas(true))";
    CLEANUP(pq_clearp) PGresult *result = NULL;
    enum status status = connect_query(conn, sql, ERR_CONNECT, &result, err);
    if (status == OK && PQntuples(result))
        *ret_warning = arena_printf(arena,
            "schema `%s` of search_path `%s` is not there, or the role has no USAGE on it",
            PQgetvalue(result, 0, 1), PQgetvalue(result, 0, 0));
    return status;
}

static enum status try_session(
    const struct connection *connection, PGconn *conn, struct arena *arena, struct checked *ret)
{
    enum status status = connect_run(conn, "BEGIN", ERR_CONNECT, &ret->error);
    for (size_t i = 0; status == OK && i < connection->settings.count; i++)
        status = try_setting(conn, &connection->settings.at[i], arena, &ret->error);
    if (status == OK)
        status = look_at_path(conn, arena, &ret->warning, &ret->error);
    PQclear(PQexec(conn, "ROLLBACK"));
    return status;
}

void check_connection(const struct connection *connection, struct arena *arena, struct checked *ret)
{
    struct connected connected = {0};
    int64_t from_us = clock_now().mono_us;
    *ret = (struct checked){0};
    ret->status = connect_to_look(connection, "dag conn test", &connected, &ret->error);
    ret->ms = (clock_now().mono_us - from_us) / US_PER_MS;
    if (ret->status == OK) {
        describe(&connected, arena, ret);
        ret->status = look_at_ledger(connection, &connected, arena, ret);
    }
    if (ret->status == OK)
        ret->status = try_session(connection, connected.conn, arena, ret);
    if (ret->status != OK)
        check_explain(ret);
    PQfinish(connected.conn);
}
