#include "executor/target/connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "definition/project.h"
#include "executor/limits.h"
#include "executor/target/ledger.h"
#include "executor/target/sql_error.h"
#include "executor/target/trouble.h"
#include "language/sql/name.h"

struct connection *connection_copy(const struct connection *connection, struct arena *arena)
{
    struct connection *copy = arena_memdup(arena, connection, sizeof(*connection));
    copy->name = arena_strdup(arena, connection->name);
    copy->uri = arena_strdup(arena, connection->uri);
    copy->test_uri = arena_strdup(arena, connection->test_uri);
    copy->ledger_schema = arena_strdup(arena, connection->ledger_schema);
    copy->problem = arena_strdup(arena, connection->problem);
    size_t count = connection->settings.count;
    struct named_text *settings = arena_array(arena, struct named_text, count ? count : 1);
    for (size_t i = 0; i < count; i++) {
        settings[i] = connection->settings.at[i];
        settings[i].name = arena_strdup(arena, settings[i].name);
        settings[i].text.value = arena_strdup(arena, settings[i].text.value);
    }
    copy->settings.at = settings;
    return copy;
}

char *connect_settings_text(
    const struct connection *connection, bool read_only, struct arena *arena)
{
    struct strbuf text = {.arena = arena};
    strbuf_printf(&text,
        "SELECT pg_catalog.set_config('default_transaction_read_only', '%s', false)",
        read_only ? "on" : "off");
    for (size_t i = 0; i < connection->settings.count; i++) {
        const struct named_text *setting = &connection->settings.at[i];
        strbuf_printf(&text, ", pg_catalog.set_config(%s, %s, false)",
            sql_literal(arena, setting->name), sql_literal(arena, setting->text.value));
    }
    return strbuf_to_arena(&text, arena);
}

enum status connect_query(
    PGconn *conn, const char *sql, enum status failed, PGresult **ret, struct error *err)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        *ret = result;
        return OK;
    }
    if (PQstatus(conn) != CONNECTION_OK)
        failed = ERR_CONNECT;
    sql_error_set(err, failed, result, conn);
    PQclear(result);
    return failed;
}

enum status connect_run(PGconn *conn, const char *sql, enum status failed, struct error *err)
{
    CLEANUP(pq_clearp) PGresult *result = NULL;
    return connect_query(conn, sql, failed, &result, err);
}

#define QUIET_BEGIN                                                                                \
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL statement_timeout = 0;"            \
    " SET LOCAL lock_timeout = 0; SET LOCAL synchronous_commit = on"

enum status connect_begin(PGconn *conn, enum dialect dialect, enum status failed, struct error *err)
{
    bool idle = dialect != DIALECT_GREENPLUM6; /* which has no such setting */
    return connect_run(conn,
        idle ? QUIET_BEGIN "; SET LOCAL idle_in_transaction_session_timeout = 0" : QUIET_BEGIN,
        failed, err);
}

enum status connect_commit(PGconn *conn, enum status failed, struct error *err)
{
    CLEANUP(pq_clearp) PGresult *result = NULL;
    enum status status = connect_query(conn, "COMMIT", failed, &result, err);
    if (status == OK && !str_equal(PQcmdStatus(result), "COMMIT"))
        status = error_set(err, failed, "COMMIT was answered by %s", PQcmdStatus(result));
    return status;
}

static void pause_ms(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* libpq's parameters: what the uri says wins over our defaults and yields to what must be. */
struct parameters {
    const char *names[16];
    const char *values[16];
    unsigned count;
    char timeout[12];
};

static void add_parameter(struct parameters *p, const char *name, const char *value)
{
    p->names[p->count] = name;
    p->values[p->count++] = value;
}

static void parameters_init(struct parameters *p, const char *uri, const char *application_name)
{
    *p = (struct parameters){0};
    snprintf(p->timeout, sizeof(p->timeout), "%d", CONNECT_TIMEOUT_S);
    if (!getenv("PGCONNECT_TIMEOUT"))
        add_parameter(p, "connect_timeout", p->timeout);
    add_parameter(p, "keepalives", "1");
    add_parameter(p, "keepalives_idle", "30");
    add_parameter(p, "keepalives_interval", "10");
    add_parameter(p, "keepalives_count", "3");
    add_parameter(p, "tcp_user_timeout", "60000");
    add_parameter(p, "dbname", uri);
    add_parameter(p, "client_encoding", "UTF8");
    add_parameter(p, "application_name", application_name);
}

static int64_t now_ms(void)
{
    return clock_now().mono_us / US_PER_MS;
}

/* Connects, waiting while the server says that it is starting. */
static PGconn *connect_patiently(const struct parameters *p)
{
    int64_t until = now_ms() + CONNECT_STARTING_WAIT_MS;
    for (;;) {
        PGconn *conn = PQconnectdbParams(p->names, p->values, 1);
        if (PQstatus(conn) == CONNECTION_OK || now_ms() > until ||
            PQpingParams(p->names, p->values, 1) != PQPING_REJECT)
            return conn;
        if (!strstr(PQerrorMessage(conn), "the database system is"))
            return conn;
        PQfinish(conn);
        pause_ms(CONNECT_STARTING_PAUSE_MS);
    }
}

static void set_connect_error(const struct connection *connection, PGconn *conn, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct slice text = slice_trim(slice_of(PQerrorMessage(conn)));
    char *message = arena_strndup(arena, text.p, text.size);
    const char *password = PQpass(conn);
    char *found = password && *password ? strstr(message, password) : NULL;
    for (; found; found = strstr(found, password))
        memset(found, '*', strlen(password));
    const struct trouble *trouble = trouble_find(message);
    if (!trouble) {
        error_set(err, ERR_CONNECT, "cannot connect to `%s`: %s", connection->name, message);
        return;
    }
    error_set(err, ERR_CONNECT, "cannot connect to `%s`: %s: %s", connection->name,
        trouble->meaning, message);
    error_hint(err, "%s", trouble->remedy);
}

void server_facts_version(struct server_facts *facts)
{
    static const char greenplum[] = "Greenplum Database ";
    const char *at = strstr(facts->version, greenplum);
    const char *number = at ? at + strlen(greenplum) : strchr(facts->version, ' ');
    if (number) {
        number += *number == ' ';
        size_t size = strcspn(number, " ,()");
        snprintf(facts->number, sizeof(facts->number), "%.*s", (int)size, number);
    }
    if (!at)
        facts->dialect = DIALECT_POSTGRESQL;
    else
        facts->dialect = facts->number[0] <= '6' && facts->number[1] == '.' ? DIALECT_GREENPLUM6
                                                                            : DIALECT_GREENPLUM7;
}

static const char facts_query[] =
    "SELECT pg_catalog.version(), pg_catalog.pg_backend_pid(),"
    " (SELECT pg_catalog.to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
    "    FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()),"
    " " KEEPS_STATE_SQL;

static enum status read_facts(
    const struct connection *connection, PGconn *conn, struct server_facts *ret, struct error *err)
{
    CLEANUP(pq_clearp) PGresult *result = NULL;
    enum status status = connect_query(conn, facts_query, ERR_CONNECT, &result, err);
    if (status)
        return error_context(err, "cannot connect to `%s`: ", connection->name);
    int64_t pid = 0;
    if (PQntuples(result) != 1 || PQnfields(result) != 4 ||
        !parse_int64(slice_of(PQgetvalue(result, 0, 1)), &pid)) {
        error_set(err, ERR_CONNECT, "cannot connect to `%s`: the server does not say what it is",
            connection->name);
        error_hint(err, "is there a PostgreSQL or Greenplum behind the connection's uri?");
        return ERR_CONNECT;
    }
    ret->pid = (int32_t)pid;
    snprintf(ret->version, sizeof(ret->version), "%s", PQgetvalue(result, 0, 0));
    snprintf(ret->backend_start, sizeof(ret->backend_start), "%s", PQgetvalue(result, 0, 2));
    ret->keeps_state = *PQgetvalue(result, 0, 3) == 't';
    server_facts_version(ret);
    return OK;
}

typedef enum status open_ledger(PGconn *conn, const struct connection *connection,
    char ret_id[UUID_TEXT_SIZE], struct error *err);

static enum status check_server(const struct connection *connection, PGconn *conn,
    open_ledger *open, struct server_facts *facts, struct error *err)
{
    enum status status = read_facts(connection, conn, facts, err);
    if (status)
        return status;
    if (facts->dialect != connection->dialect) {
        error_set(err, ERR_DIALECT, "connection `%s` has dialect %s, but the server is %s (%s)",
            connection->name, dialect_name(connection->dialect), dialect_name(facts->dialect),
            facts->version);
        error_hint(err, "write `dialect: %s`, or correct the connection's uri",
            dialect_name(facts->dialect));
        return ERR_DIALECT;
    }
    if (facts->pid != PQbackendPID(conn)) {
        error_set(err, ERR_POOLER,
            "connection `%s` goes through a pooler (it says backend %d, the server %d)",
            connection->name, PQbackendPID(conn), (int)facts->pid);
        error_hint(err, "give the address of the server itself");
        return ERR_POOLER;
    }
    return connection->ledger ? open(conn, connection, facts->ledger_id, err) : OK;
}

static enum status connect_and_open(const struct connection *connection,
    const char *application_name, open_ledger *open, struct connected *ret, struct error *err)
{
    struct parameters p;
    if (connection->problem)
        return stored_unreadable("connection", connection->name, connection->problem, err);
    parameters_init(&p, connection->uri, application_name);
    CLEANUP(PQfinishp) PGconn *conn = connect_patiently(&p);
    if (PQstatus(conn) != CONNECTION_OK) {
        set_connect_error(connection, conn, err);
        return ERR_CONNECT;
    }
    PQsetNoticeProcessor(conn, sql_notice_ignore, NULL);
    struct connected connected = {0};
    enum status status = check_server(connection, conn, open, &connected.facts, err);
    if (status)
        return status;
    connected.conn = take(conn);
    *ret = connected;
    return OK;
}

enum status connect_blocking(const struct connection *connection, const char *application_name,
    struct connected *ret, struct error *err)
{
    return connect_and_open(connection, application_name, ledger_open, ret, err);
}

enum status connect_to_look(const struct connection *connection, const char *application_name,
    struct connected *ret, struct error *err)
{
    return connect_and_open(connection, application_name, ledger_look, ret, err);
}
