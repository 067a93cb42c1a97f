#include "testing/scratch.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/file.h"
#include "base/spawn.h"
#include "base/vec.h"
#include "executor/target/connect.h"
#include "executor/target/ledger.h"
#include "executor/target/migrate.h"
#include "testing/sandbox.h"

#define DATABASE_PREFIX "dag_test_"
enum {
    HEX_SIZE = 16,
    /* statements that wait to be sent: a database is as large as its template */
    DROPS_WAITING_MAX = 8,
};

/* The template of one connection. */
struct template
{
    const struct connection *connection; /* the project's */
    const char *uri;                     /* of the server, with a database to connect to; secret */
    const char *from;                    /* the database that is copied */
    const char *database;                /* NULL: not made yet */
    const char *strategy;                /* what CREATE DATABASE is told more; "" */
    struct named_texts settings;
    const char *settings_left_out;
    struct server_facts facts;
    PGconn *keeper; /* holds the lock that says that its databases are in use */

    /* of the process that makes copies */
    PGconn *maker;           /* NULL until the first */
    PGconn *dropper;         /* drops copies while tests go on; NULL until the first */
    VEC(const char *) drops; /* what it is still to be sent */
};

struct scratch {
    struct arena *arena;
    const struct project *project;
    void (*notice)(void *user, const char *text);
    void *user;
    VEC(struct template) templates;
    struct test_sandbox sandbox;
};

static void say(const struct scratch *s, const char *text)
{
    if (s->notice)
        s->notice(s->user, text);
}

struct scratch *scratch_new(
    const struct project *project, void (*notice)(void *user, const char *text), void *user)
{
    struct scratch *s = mem_alloc_zero(1, sizeof(*s));
    s->arena = arena_new();
    s->project = project;
    s->notice = notice;
    s->user = user;
    return s;
}

/* ---- sessions -------------------------------------------------------------------------------- */

/* A conninfo text with another database. */
static enum status with_database(
    const char *uri, const char *database, struct arena *arena, const char **ret, struct error *err)
{
    char *why = NULL;
    PQconninfoOption *options = PQconninfoParse(uri[0] ? uri : "dbname=''", &why);
    if (!options) {
        error_set(err, ERR_SCRATCH, "the uri cannot be read: %s", why ? why : "out of memory");
        PQfreemem(why);
        return ERR_SCRATCH;
    }
    struct strbuf text = {.arena = arena};
    for (PQconninfoOption *o = options; o->keyword; o++) {
        bool is_database = str_equal(o->keyword, "dbname");
        const char *value = is_database ? database : o->val;
        if (!value)
            continue;
        strbuf_printf(&text, "%s%s='", text.size ? " " : "", o->keyword);
        for (const char *p = value; *p; p++)
            strbuf_printf(&text, "%s%c", *p == '\'' || *p == '\\' ? "\\" : "", *p);
        strbuf_add_char(&text, '\'');
    }
    PQconninfoFree(options);
    *ret = strbuf_finish(&text, arena).p;
    return OK;
}

static void keep_quiet(void *user, const char *message)
{
    (void)user, (void)message;
}

static enum status open_session(const char *uri, PGconn **ret, struct error *err)
{
    const char *names[] = {"dbname", "application_name", "client_encoding", NULL};
    const char *values[] = {uri, "dag test", "UTF8", NULL};
    PGconn *conn = PQconnectdbParams(names, values, 1);
    if (PQstatus(conn) != CONNECTION_OK) {
        struct slice text = slice_trim(slice_of(PQerrorMessage(conn)));
        error_set(
            err, ERR_SCRATCH, "the server for tests cannot be reached: %.*s", SLICE_ARG(text));
        PQfinish(conn);
        return ERR_SCRATCH;
    }
    PQsetNoticeProcessor(conn, keep_quiet, NULL);
    *ret = conn;
    return OK;
}

enum status scratch_open(const struct scratch_copy *copy, PGconn **ret, struct error *err)
{
    return open_session(copy->uri, ret, err);
}

/* ---- what is left of earlier runs ------------------------------------------------------------ */

/* The statements that drop a database, with the sessions on it; each is sent by itself. */
static size_t drop_statements(const char *name, const struct server_facts *facts,
    struct arena *arena, const char *ret[static 2])
{
    const char *quoted = sql_identifier(arena, name);
    if (facts->dialect == DIALECT_POSTGRESQL) {
        ret[0] = arena_printf(arena, "DROP DATABASE IF EXISTS %s WITH (FORCE)", quoted);
        return 1;
    }
    ret[0] = arena_printf(arena,
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
        " WHERE datname = %s",
        sql_literal(arena, name));
    ret[1] = arena_printf(arena, "DROP DATABASE IF EXISTS %s", quoted);
    return 2;
}

/* What cannot be dropped is left to the next run. */
static void drop_database(
    PGconn *conn, const char *name, struct arena *arena, const struct server_facts *facts)
{
    const char *statements[2];
    struct error ignored;
    size_t count = drop_statements(name, facts, arena, statements);
    for (size_t i = 0; i < count; i++)
        (void)!connect_run(conn, statements[i], ERR_SCRATCH, &ignored);
}

/* The number of the lock that the makers of a database hold: its hex digits. */
static bool lock_of(const char *database, char ret[HEX_SIZE + 1])
{
    const char *digits = database + strlen(DATABASE_PREFIX);
    for (int i = 0; i < HEX_SIZE; i++)
        if (!isxdigit((unsigned char)digits[i]))
            return false;
    snprintf(ret, HEX_SIZE + 1, "%.*s", HEX_SIZE, digits);
    return true;
}

/* Drops databases whose makers are gone: their lock is free. */
static void sweep(PGconn *conn, struct arena *arena, const struct server_facts *facts)
{
    struct error ignored;
    CLEANUP(pq_clearp) PGresult *names = NULL;
    if (connect_query(conn,
            "SELECT datname FROM pg_catalog.pg_database WHERE datname LIKE '" DATABASE_PREFIX "%'",
            ERR_SCRATCH, &names, &ignored) != OK)
        return;
    for (int i = 0; i < PQntuples(names); i++) {
        char hex[HEX_SIZE + 1];
        CLEANUP(pq_clearp) PGresult *locked = NULL;
        if (!lock_of(PQgetvalue(names, i, 0), hex) ||
            connect_query(conn,
                arena_printf(arena, "SELECT pg_catalog.pg_try_advisory_lock(x'%s'::bigint)", hex),
                ERR_SCRATCH, &locked, &ignored) != OK ||
            !str_equal(PQgetvalue(locked, 0, 0), "t"))
            continue;
        drop_database(conn, PQgetvalue(names, i, 0), arena, facts);
        (void)!connect_run(conn,
            arena_printf(arena, "SELECT pg_catalog.pg_advisory_unlock(x'%s'::bigint)", hex),
            ERR_SCRATCH, &ignored);
    }
}

/* ---- templates ------------------------------------------------------------------------------- */

static enum status read_server(struct template *t, struct error *err)
{
    CLEANUP(pq_clearp) PGresult *version = NULL;
    enum status status =
        connect_query(t->keeper, "SELECT pg_catalog.version()", ERR_SCRATCH, &version, err);
    if (status != OK)
        return status;
    snprintf(t->facts.version, sizeof(t->facts.version), "%s", PQgetvalue(version, 0, 0));
    server_facts_version(&t->facts);
    return OK;
}

/* Settings that this server knows; names with a dot are anybody's. */
static enum status sort_settings(struct scratch *s, struct template *t, struct error *err)
{
    const struct named_texts *all = &t->connection->settings;
    struct named_text *known = arena_array(s->arena, struct named_text, all->count + 1);
    struct strbuf left_out = {.arena = s->arena};
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++) {
        CLEANUP(pq_clearp) PGresult *found = NULL;
        enum status status = connect_query(t->keeper,
            arena_printf(s->arena, "SELECT 1 FROM pg_catalog.pg_settings WHERE name = lower(%s)",
                sql_literal(s->arena, all->at[i].name)),
            ERR_SCRATCH, &found, err);
        if (status != OK)
            return status;
        if (PQntuples(found) || strchr(all->at[i].name, '.') || str_equal(all->at[i].name, "role"))
            known[count++] = all->at[i];
        else
            strbuf_printf(&left_out, "%s%s", left_out.size ? ", " : "", all->at[i].name);
    }
    t->settings = (struct named_texts){known, count};
    t->settings_left_out = left_out.size ? strbuf_finish(&left_out, s->arena).p : NULL;
    return OK;
}

static void told(void *user, const struct migration *migration, bool applied_now)
{
    (void)user, (void)migration, (void)applied_now;
}

/* Of the session that applies a migration now. */
static PGcancel *volatile cancelling;

static void on_session(void *user, PGconn *conn)
{
    PGcancel *before = cancelling;
    (void)user;
    cancelling = NULL;
    PQfreeCancel(before);
    if (conn)
        cancelling = PQgetCancel(conn);
}

void scratch_cancel(void)
{
    char why[ERROR_EXCERPT_SIZE];
    int interrupted_errno = errno;
    if (cancelling)
        (void)!PQcancel(cancelling, why, sizeof(why));
    errno = interrupted_errno;
}

static enum status migrate(struct scratch *s, struct template *t, struct error *err)
{
    struct connection connection = *t->connection;
    connection.dialect = t->facts.dialect;
    connection.settings = t->settings;
    connection.ledger = false; /* made by the first task, as in a new database */
    size_t count;
    enum status status = with_database(t->uri, t->database, s->arena, &connection.uri, err);
    struct migrate_options options = {
        .project = s->project, .connection = &connection, .told = told, .session = on_session};
    const char *folder = path_join(
        s->arena, path_join(s->arena, s->project->root, s->project->migrations), connection.name);
    if (status == OK && dir_exists(folder))
        status = migrate_run(&options, &count, err);
    return status;
}

/* Makes the database from the one that the session is in; `postgres` stands for an empty one. */
static enum status make_database(struct scratch *s, struct template *t, struct error *err)
{
    char hex[HEX_SIZE + 1];
    /* 63 bits, so that it is a positive bigint. */
    snprintf(hex, sizeof(hex), "%016llx", (unsigned long long)(random_u64() >> 1));
    const char *name = arena_printf(s->arena, DATABASE_PREFIX "%s", hex);
    sweep(t->keeper, s->arena, &t->facts);
    enum status status = connect_run(t->keeper,
        arena_printf(s->arena, "SELECT pg_catalog.pg_advisory_lock(x'%s'::bigint)", hex),
        ERR_SCRATCH, err);
    if (status == OK)
        status = connect_run(t->keeper,
            arena_printf(s->arena, "CREATE DATABASE %s TEMPLATE %s%s", name,
                sql_identifier(s->arena, t->from), t->strategy),
            ERR_SCRATCH, err);
    if (status == OK)
        t->database = name;
    else if (str_equal(err->sqlstate, "55006"))
        error_hint(err,
            "`%s` is copied for tests, and others use it now: let `test_uri` name a "
            "database that nobody works in, or `postgres` for an empty one",
            t->from);
    else if (str_equal(err->sqlstate, "42501"))
        error_hint(err, "the role of `test_uri` needs the right to create databases: ALTER ROLE … "
                        "CREATEDB");
    return status;
}

static struct template *find(struct scratch *s, const char *connection)
{
    vec_each (t, &s->templates)
        if (str_equal(t->connection->name, connection))
            return t;
    return NULL;
}

static enum status server_uri(struct scratch *s, struct template *t, struct error *err)
{
    t->uri = t->connection->test_uri;
    t->strategy = "";
    if (t->uri)
        return OK;
    if (!s->sandbox.uri)
        say(s, "making sure of the sandbox");
    enum status status = test_sandbox_start(&s->sandbox, s->project, s->arena, err);
    t->uri = s->sandbox.uri;
    t->from = TEST_SANDBOX_TEMPLATE;
    t->strategy = TEST_SANDBOX_STRATEGY;
    return status;
}

enum status scratch_prepare(
    struct scratch *s, const struct connection *connection, struct error *err)
{
    if (find(s, connection->name))
        return OK;
    struct template *t = vec_add(&s->templates);
    t->connection = connection;
    enum status status = server_uri(s, t, err);
    if (status == OK)
        status = open_session(t->uri, &t->keeper, err);
    if (status == OK && !t->from)
        t->from = str_equal(PQdb(t->keeper), "postgres") ? "template1" : PQdb(t->keeper);
    if (status == OK)
        status = read_server(t, err);
    if (status == OK)
        status = sort_settings(s, t, err);
    if (status == OK)
        status = make_database(s, t, err);
    if (status == OK) {
        say(s, "applying the migrations to a template");
        status = migrate(s, t, err);
    }
    return status == OK ? OK : error_context(err, "tests on `%s`: ", connection->name);
}

/* Drops a template and the copies that are left of it: those of a worker that died. */
static void drop_all(struct scratch *s, const struct template *t)
{
    struct error ignored;
    CLEANUP(pq_clearp) PGresult *names = NULL;
    const char *copies = arena_printf(s->arena, "%s%%", t->database);
    if (connect_query(t->keeper,
            arena_printf(s->arena,
                "SELECT datname FROM pg_catalog.pg_database WHERE datname LIKE %s",
                sql_literal(s->arena, copies)),
            ERR_SCRATCH, &names, &ignored) != OK)
        return;
    for (int i = 0; i < PQntuples(names); i++)
        drop_database(t->keeper, PQgetvalue(names, i, 0), s->arena, &t->facts);
}

void scratch_free(struct scratch *s)
{
    if (!s)
        return;
    scratch_settle(s);
    vec_each (t, &s->templates) {
        if (t->database && !s->sandbox.folder) /* a sandbox of our own goes as a whole */
            drop_all(s, t);
        PQfinish(t->keeper);
        vec_done(&t->drops);
    }
    test_sandbox_stop(&s->sandbox);
    vec_done(&s->templates);
    arena_free(s->arena);
    mem_free(s);
}

/* ---- copies ---------------------------------------------------------------------------------- */

/* A session of this process beside the keeper, which another process may use. */
static enum status open_beside(
    struct scratch *s, const struct template *t, PGconn **conn, struct error *err)
{
    const char *uri;
    if (*conn)
        return OK;
    enum status status = with_database(t->uri, PQdb(t->keeper), s->arena, &uri, err);
    return status == OK ? open_session(uri, conn, err) : status;
}

enum status scratch_copy_make(struct scratch *s, const char *connection, struct arena *arena,
    struct scratch_copy *ret, struct error *err)
{
    struct template *t = find(s, connection);
    static unsigned number;
    *ret = (struct scratch_copy){.connection = t->connection->name,
        .dialect = t->facts.dialect,
        .settings = t->settings,
        .settings_left_out = t->settings_left_out};
    const char *database = arena_printf(arena, "%s_%ld_%u", t->database, (long)getpid(), ++number);
    enum status status = with_database(t->uri, database, arena, &ret->uri, err);
    if (status == OK)
        status = open_beside(s, t, &t->maker, err);
    if (status == OK)
        status = connect_run(t->maker,
            arena_printf(
                arena, "CREATE DATABASE %s TEMPLATE %s%s", database, t->database, t->strategy),
            ERR_SCRATCH, err);
    if (status == OK)
        ret->database = database;
    return status;
}

/* True when the statement under way has ended. */
static bool is_free(PGconn *conn, bool wait)
{
    (void)PQconsumeInput(conn);
    while (wait || !PQisBusy(conn)) {
        PGresult *result = PQgetResult(conn);
        if (!result)
            return true;
        PQclear(result);
    }
    return false;
}

/* Sends what waits; of the last `left` only what can be sent without waiting.  A statement that
   fails is left to drop_all. */
static void send_drops(struct template *t, size_t left)
{
    size_t sent = 0;
    while (sent < t->drops.count && is_free(t->dropper, t->drops.count - sent > left))
        if (!PQsendQuery(t->dropper, t->drops.at[sent++]))
            sent = t->drops.count; /* the session is lost */
    for (size_t i = sent; i < t->drops.count; i++)
        t->drops.at[i - sent] = t->drops.at[i];
    t->drops.count -= sent;
}

void scratch_copy_drop(struct scratch *s, const struct scratch_copy *copy)
{
    struct template *t = find(s, copy->connection);
    struct error ignored;
    const char *statements[2];
    if (!copy->database || open_beside(s, t, &t->dropper, &ignored) != OK)
        return;
    size_t count = drop_statements(copy->database, &t->facts, s->arena, statements);
    for (size_t i = 0; i < count; i++)
        vec_push(&t->drops, statements[i]);
    send_drops(t, DROPS_WAITING_MAX);
}

void scratch_settle(struct scratch *s)
{
    vec_each (t, &s->templates) {
        if (t->dropper) {
            send_drops(t, 0);
            (void)is_free(t->dropper, true);
        }
        PQfinish(t->dropper);
        PQfinish(t->maker);
        t->maker = t->dropper = NULL;
    }
}
