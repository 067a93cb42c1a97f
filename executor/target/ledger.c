#include "executor/target/ledger.h"

#include "base/json.h"
#include "executor/target/connect.h"

enum {
    LEDGER_VERSION = 1,
    /* The advisory lock under which ledgers are made: "dag\0" and a number of ours. */
    LEDGER_LOCK_CLASS = 0x64616700,
    LEDGER_LOCK = 1,
};

/* ---- making it ------------------------------------------------------------------------------- */

#define LEDGER_KEY_COLUMNS                                                                         \
    "metadata_id text NOT NULL, dag_id text NOT NULL, logical_date timestamptz NOT NULL,"          \
    " task_id text NOT NULL, map_index int NOT NULL, generation bigint NOT NULL"
#define LEDGER_KEY "metadata_id, dag_id, logical_date, task_id, map_index, generation"

/* ROW(table, columns, distribution on Greenplum) */
static const struct {
    const char *name, *columns, *distributed_by;
} ledger_tables[] = {
    {"ledger",
        "one int NOT NULL PRIMARY KEY CHECK (one = 1), id text NOT NULL,"
        " version int NOT NULL, made_at timestamptz NOT NULL",
        "one"},
    {"claim",
        LEDGER_KEY_COLUMNS ", attempt text NOT NULL, txid bigint NOT NULL,"
                           " void boolean NOT NULL, claimed_at timestamptz NOT NULL,"
                           " PRIMARY KEY (" LEDGER_KEY ")",
        "dag_id, task_id"},
    {"result",
        LEDGER_KEY_COLUMNS ", attempt text NOT NULL, txid bigint NOT NULL,"
                           " body text NOT NULL, committed_at timestamptz NOT NULL,"
                           " PRIMARY KEY (" LEDGER_KEY ")",
        "dag_id, task_id"},
};

static enum status exists(PGconn *conn, const char *sql, bool *ret, struct error *err)
{
    CLEANUP(pq_clearp) PGresult *result = NULL;
    enum status status = connect_query(conn, sql, ERR_LEDGER, &result, err);
    if (status == OK)
        *ret = PQntuples(result) > 0;
    return status;
}

static enum status make_schema(
    PGconn *conn, const char *schema, struct arena *arena, struct error *err)
{
    bool there = false;
    enum status status = exists(conn,
        arena_printf(arena, "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s",
            sql_literal(arena, schema)),
        &there, err);
    if (status || there)
        return status;
    return connect_run(conn, arena_printf(arena, "CREATE SCHEMA %s", sql_identifier(arena, schema)),
        ERR_LEDGER, err);
}

static enum status make_table(PGconn *conn, const struct connection *connection, size_t i,
    struct arena *arena, struct error *err)
{
    const char *schema = connection->ledger_schema;
    bool there = false;
    enum status status = exists(conn,
        arena_printf(arena,
            "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = %s AND tablename = %s",
            sql_literal(arena, schema), sql_literal(arena, ledger_tables[i].name)),
        &there, err);
    if (status || there)
        return status;
    const char *where = connection->dialect == DIALECT_POSTGRESQL
                            ? ""
                            : arena_printf(arena, " WITH (appendonly=false) DISTRIBUTED BY (%s)",
                                  ledger_tables[i].distributed_by);
    return connect_run(conn,
        arena_printf(arena, "CREATE TABLE %s.%s (%s)%s", sql_identifier(arena, schema),
            ledger_tables[i].name, ledger_tables[i].columns, where),
        ERR_LEDGER, err);
}

static enum status make_row(
    PGconn *conn, const char *schema, struct arena *arena, struct error *err)
{
    char id[UUID_TEXT_SIZE];
    uuid_make(id);
    const char *name = sql_identifier(arena, schema);
    bool there = false;
    enum status status =
        exists(conn, arena_printf(arena, "SELECT 1 FROM %s.ledger", name), &there, err);
    if (status || there)
        return status;
    return connect_run(conn,
        arena_printf(arena,
            "INSERT INTO %s.ledger (one, id, version, made_at) VALUES (1, '%s', %d, now())", name,
            id, LEDGER_VERSION),
        ERR_LEDGER, err);
}

static enum status make_all(
    PGconn *conn, const struct connection *connection, struct arena *arena, struct error *err)
{
    enum status status = connect_run(conn,
        arena_printf(arena,
            "SET LOCAL client_min_messages = warning;"
            " SELECT pg_catalog.pg_advisory_xact_lock(%d, %d)",
            LEDGER_LOCK_CLASS, LEDGER_LOCK),
        ERR_LEDGER, err);
    if (status == OK)
        status = make_schema(conn, connection->ledger_schema, arena, err);
    for (size_t i = 0; status == OK && i < ARRAY_SIZE(ledger_tables); i++)
        status = make_table(conn, connection, i, arena, err);
    return status ? status : make_row(conn, connection->ledger_schema, arena, err);
}

static enum status make_ledger(PGconn *conn, const struct connection *connection, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    /* Each look must see what a competitor committed while the lock was waited for. */
    enum status status = connect_begin(conn, connection->dialect, ERR_LEDGER, err);
    if (status == OK)
        status = make_all(conn, connection, arena, err);
    if (status == OK)
        return connect_commit(conn, ERR_LEDGER, err);
    PQclear(PQexec(conn, "ROLLBACK"));
    error_context(err,
        "making the ledger in schema `%s` of connection `%s`: ", connection->ledger_schema,
        connection->name);
    return status;
}

static enum status read_id(PGconn *conn, const struct connection *connection,
    char ret_id[UUID_TEXT_SIZE], struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(pq_clearp) PGresult *result = NULL;
    const char *schema = sql_identifier(arena, connection->ledger_schema);
    enum status status = connect_query(conn,
        arena_printf(arena, "SELECT id, version FROM %s.ledger", schema), ERR_LEDGER, &result, err);
    if (status)
        return status;
    int64_t version = 0;
    if (PQntuples(result) != 1 || PQnfields(result) != 2 || !uuid_valid(PQgetvalue(result, 0, 0)) ||
        !parse_int64(slice_of(PQgetvalue(result, 0, 1)), &version))
        return error_set(err, ERR_LEDGER, "the ledger in schema `%s` of `%s` has no valid id",
            connection->ledger_schema, connection->name);
    if (version > LEDGER_VERSION)
        return error_set(err, ERR_LEDGER, "the ledger of `%s` was made by a newer dag (version %d)",
            connection->name, (int)version);
    memcpy(ret_id, PQgetvalue(result, 0, 0), UUID_TEXT_SIZE);
    return OK;
}

/* What to run so that the role may use the ledger. */
static void hint_grant(PGconn *conn, const struct connection *connection, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *schema = sql_identifier(arena, connection->ledger_schema);
    const char *role = sql_identifier(arena, PQuser(conn));
    bool there = false, tables = false;
    if (exists(conn,
            arena_printf(arena, "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s",
                sql_literal(arena, connection->ledger_schema)),
            &there, NULL) ||
        exists(conn,
            arena_printf(arena, "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = %s",
                sql_literal(arena, connection->ledger_schema)),
            &tables, NULL))
        return;
    if (tables)
        error_hint(err,
            "GRANT USAGE ON SCHEMA %s TO %s; GRANT SELECT, INSERT ON ALL TABLES IN "
            "SCHEMA %s TO %s",
            schema, role, schema, role);
    else if (there)
        error_hint(err, "GRANT USAGE, CREATE ON SCHEMA %s TO %s", schema, role);
    else
        error_hint(err,
            "GRANT CREATE ON DATABASE %s TO %s; or, as a role that may: CREATE SCHEMA %s "
            "AUTHORIZATION %s",
            sql_identifier(arena, PQdb(conn)), role, schema, role);
}

/* With ERR_LEDGER: that there is none. */
static bool is_missing(const struct error *err)
{
    return str_equal(err->sqlstate, "42P01") || str_equal(err->sqlstate, "3F000");
}

static enum status give_error(PGconn *conn, const struct connection *connection, enum status status,
    struct error *own, struct error *err)
{
    if (status == ERR_LEDGER && str_equal(own->sqlstate, "42501"))
        hint_grant(conn, connection, own);
    if (status != OK && err)
        *err = *own;
    return status;
}

enum status ledger_open(PGconn *conn, const struct connection *connection,
    char ret_id[UUID_TEXT_SIZE], struct error *err)
{
    struct error own = {0};
    enum status status = read_id(conn, connection, ret_id, &own);
    if (status == ERR_LEDGER && is_missing(&own)) {
        status = make_ledger(conn, connection, &own);
        if (status == OK)
            status = read_id(conn, connection, ret_id, &own);
    }
    return give_error(conn, connection, status, &own, err);
}

enum status ledger_look(PGconn *conn, const struct connection *connection,
    char ret_id[UUID_TEXT_SIZE], struct error *err)
{
    struct error own = {0};
    enum status status = read_id(conn, connection, ret_id, &own);
    if (status == ERR_LEDGER && is_missing(&own)) {
        ret_id[0] = 0;
        status = OK;
    }
    return give_error(conn, connection, status, &own, err);
}

/* ---- rights ---------------------------------------------------------------------------------- */

/* Whether the role may insert into and read what is there.  A single row: how many of the two
   tables there are, and that. */
static char *use_query(struct arena *arena, const char *schema)
{
    return arena_printf(arena,
        "SELECT count(*) = 2, bool_and(pg_catalog.has_table_privilege(c.oid, 'SELECT')"
        " AND pg_catalog.has_table_privilege(c.oid, 'INSERT'))"
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relname IN ('claim', 'result')",
        sql_literal(arena, schema));
}

/* The same shape: whether the role may make what is missing. */
static char *make_query(struct arena *arena, const char *schema)
{
    return arena_printf(arena,
        "SELECT true, coalesce((SELECT pg_catalog.has_schema_privilege(oid, 'CREATE')"
        " AND pg_catalog.has_schema_privilege(oid, 'USAGE')"
        " FROM pg_catalog.pg_namespace WHERE nspname = %s),"
        " pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'))",
        sql_literal(arena, schema));
}

enum status ledger_check_rights(
    PGconn *conn, const struct connection *connection, bool there, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(pq_clearp) PGresult *result = NULL;
    const char *schema = connection->ledger_schema;
    enum status status = connect_query(conn,
        there ? use_query(arena, schema) : make_query(arena, schema), ERR_LEDGER, &result, err);
    if (status)
        return status;
    bool whole = *PQgetvalue(result, 0, 0) == 't', may = *PQgetvalue(result, 0, 1) == 't';
    if (whole && may)
        return OK;
    if (whole) {
        error_set(err, ERR_LEDGER, "role `%s` may not %s the ledger in schema `%s` of `%s`",
            PQuser(conn), there ? "use" : "make", schema, connection->name);
        hint_grant(conn, connection, err);
        return ERR_LEDGER;
    }
    error_set(err, ERR_LEDGER,
        "the ledger in schema `%s` of `%s` lacks its table `claim` or `result`", schema,
        connection->name);
    error_hint(err, "take the schema back from a backup; or, when no task of it is of interest any "
                    "more, drop it: the next task makes a new one");
    return ERR_LEDGER;
}

/* ---- texts ----------------------------------------------------------------------------------- */

char *ledger_time_literal(struct arena *arena, int64_t us)
{
    struct civil t = civil_from_us(us);
    return arena_printf(arena, "'%04d-%02d-%02d %02d:%02d:%02d.%06d+00'", t.year, t.month, t.day,
        t.hour, t.minute, t.second, t.microsecond);
}

/* The key's values in the order of LEDGER_KEY. */
static char *key_values(struct arena *arena, const struct ledger_key *key)
{
    return arena_printf(arena, "%s, %s, %s::pg_catalog.timestamptz, %s, %d, %lld",
        sql_literal(arena, key->metadata_id), sql_literal(arena, key->dag_id),
        ledger_time_literal(arena, key->logical_us), sql_literal(arena, key->task_id),
        (int)key->map_index, (long long)key->generation);
}

static char *key_condition(struct arena *arena, const char *table, const struct ledger_key *key)
{
    return arena_printf(arena,
        "%s.metadata_id = %s AND %s.dag_id = %s AND %s.logical_date = %s::pg_catalog.timestamptz"
        " AND %s.task_id = %s AND %s.map_index = %d AND %s.generation = %lld",
        table, sql_literal(arena, key->metadata_id), table, sql_literal(arena, key->dag_id), table,
        ledger_time_literal(arena, key->logical_us), table, sql_literal(arena, key->task_id), table,
        (int)key->map_index, table, (long long)key->generation);
}

char *ledger_claim_sql(struct arena *arena, const char *schema, const struct ledger_key *key,
    const char *attempt, int64_t txid, bool is_void)
{
    return arena_printf(arena,
        "INSERT INTO %s.claim (" LEDGER_KEY ", attempt, txid, void, claimed_at)"
        " VALUES (%s, %s, %lld, %s, pg_catalog.clock_timestamp())",
        sql_identifier(arena, schema), key_values(arena, key), sql_literal(arena, attempt),
        (long long)txid, is_void ? "true" : "false");
}

char *ledger_result_sql(struct arena *arena, const char *schema, const struct ledger_key *key,
    const char *attempt, int64_t txid, const char *body)
{
    const char *name = sql_identifier(arena, schema);
    /* Without the claim the number is NULL, which its column refuses. */
    return arena_printf(arena,
        "INSERT INTO %s.result (" LEDGER_KEY ", attempt, txid, body, committed_at)"
        " VALUES (%s, %s, (SELECT c.txid FROM %s.claim c WHERE %s AND c.attempt = %s"
        " AND c.txid = %lld AND NOT c.void), %s, pg_catalog.clock_timestamp())",
        name, key_values(arena, key), sql_literal(arena, attempt), name,
        key_condition(arena, "c", key), sql_literal(arena, attempt), (long long)txid,
        sql_literal(arena, body));
}

char *ledger_read_sql(struct arena *arena, const char *schema, const struct ledger_key *key)
{
    const char *name = sql_identifier(arena, schema);
    return arena_printf(arena,
        "SELECT c.attempt, c.void, (SELECT r.body FROM %s.result r WHERE %s)"
        " FROM %s.claim c WHERE %s",
        name, key_condition(arena, "r", key), name, key_condition(arena, "c", key));
}

struct ledger_entry ledger_entry_read(const PGresult *result, struct arena *arena)
{
    struct ledger_entry entry = {.state = LEDGER_FREE};
    if (PQntuples(result) < 1 || PQnfields(result) != 3)
        return entry;
    entry.attempt = arena_strdup(arena, PQgetvalue(result, 0, 0));
    bool is_void = *PQgetvalue(result, 0, 1) == 't';
    if (!PQgetisnull(result, 0, 2))
        entry.body = arena_strdup(arena, PQgetvalue(result, 0, 2));
    entry.state = is_void ? LEDGER_VOID : entry.body ? LEDGER_COMMITTED : LEDGER_PARTLY;
    return entry;
}

/* ---- bodies ---------------------------------------------------------------------------------- */

char *ledger_body(
    struct arena *arena, int64_t started_us, int64_t ended_us, const char *detail, const char *xcom)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_int(&w, "started_us", started_us);
    json_kv_int(&w, "ended_us", ended_us);
    if (detail) {
        json_key(&w, "detail");
        json_raw(&w, detail);
    }
    if (xcom) {
        json_key(&w, "xcom");
        json_raw(&w, xcom);
    }
    json_object_end(&w);
    char *body = strbuf_to_arena(&text, arena);
    strbuf_done(&text);
    return body;
}

static const char *dump(const json_t *tree, struct arena *arena)
{
    if (!tree)
        return NULL;
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_tree(&w, tree);
    char *copy = strbuf_to_arena(&text, arena);
    strbuf_done(&text);
    return copy;
}

bool ledger_body_read(const char *body, struct arena *arena, struct attempt_result *ret)
{
    CLEANUP(json_decrefp) json_t *tree = NULL;
    if (json_parse(body, strlen(body), NULL, &tree, NULL) || !json_is_object(tree))
        return false;
    ret->started_us = json_integer_value(json_object_get(tree, "started_us"));
    ret->ended_us = json_integer_value(json_object_get(tree, "ended_us"));
    ret->detail = dump(json_object_get(tree, "detail"), arena);
    ret->xcom = dump(json_object_get(tree, "xcom"), arena);
    return true;
}
