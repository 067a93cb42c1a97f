#include "testing/scratch.h"
#include <ctype.h>
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
enum { HEX_SIZE = 16 };

/* The template of one connection. */
struct template
{
    const struct connection *connection; /* the project's */
    const char *uri;                     /* of the server, with a database to connect to; secret */
    const char *from;                    /* the database that is copied */
    const char *database;                /* NULL: not made yet */
    struct named_texts settings;
    const char *settings_left_out;
    struct server_facts facts;
    PGconn *keeper; /* holds the lock that says that its databases are in use */
};

struct scratch {
    struct arena *arena;
    const struct project *project;
    void (*notice)(void *user, const char *text);
    void *user;
    VEC(struct template) templates;
    struct test_sandbox sandbox;
    pid_t owner; /* a forked copy drops nothing but its own */
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
    s->owner = getpid();
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

static enum status drop_database(PGconn *conn, const char *name, struct arena *arena,
    const struct server_facts *facts, struct error *err)
{
    const char *quoted = sql_identifier(arena, name);
    struct error ignored;
    if (facts->dialect == DIALECT_POSTGRESQL)
        return connect_run(conn,
            arena_printf(arena, "DROP DATABASE IF EXISTS %s WITH (FORCE)", quoted), ERR_SCRATCH,
            err);
    (void)!connect_run(conn,
        arena_printf(arena,
            "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
            " WHERE datname = %s",
            sql_literal(arena, name)),
        ERR_SCRATCH, &ignored);
    return connect_run(
        conn, arena_printf(arena, "DROP DATABASE IF EXISTS %s", quoted), ERR_SCRATCH, err);
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
        (void)!drop_database(conn, PQgetvalue(names, i, 0), arena, facts, &ignored);
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

static enum status migrate(struct scratch *s, struct template *t, struct error *err)
{
    struct connection connection = *t->connection;
    connection.dialect = t->facts.dialect;
    connection.settings = t->settings;
    connection.ledger = false; /* made by the first task, as in a new database */
    size_t count;
    enum status status = with_database(t->uri, t->database, s->arena, &connection.uri, err);
    struct migrate_options options = {
        .project = s->project, .connection = &connection, .told = told};
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
            arena_printf(s->arena, "CREATE DATABASE %s TEMPLATE %s", name,
                sql_identifier(s->arena, t->from)),
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
    if (t->uri)
        return OK;
    if (!s->sandbox.uri)
        say(s, "making sure of the sandbox");
    enum status status = test_sandbox_start(&s->sandbox, s->project, s->arena, err);
    t->uri = s->sandbox.uri;
    t->from = TEST_SANDBOX_TEMPLATE;
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

void scratch_free(struct scratch *s)
{
    struct error ignored;
    if (!s)
        return;
    vec_each (t, &s->templates) {
        if (t->database)
            (void)!drop_database(t->keeper, t->database, s->arena, &t->facts, &ignored);
        PQfinish(t->keeper);
    }
    test_sandbox_stop(&s->sandbox);
    vec_done(&s->templates);
    arena_free(s->arena);
    mem_free(s);
}

/* ---- copies ---------------------------------------------------------------------------------- */

/* A session for one statement about databases, in the process that asks. */
static enum status run_apart(
    const struct template *t, const char *sql, struct arena *arena, struct error *err)
{
    const char *uri;
    PGconn *conn = NULL;
    enum status status = with_database(t->uri, PQdb(t->keeper), arena, &uri, err);
    if (status == OK)
        status = open_session(uri, &conn, err);
    if (status == OK)
        status = connect_run(conn, sql, ERR_SCRATCH, err);
    PQfinish(conn);
    return status;
}

enum status scratch_copy_make(struct scratch *s, const char *connection, struct arena *arena,
    struct scratch_copy *ret, struct error *err)
{
    const struct template *t = find(s, connection);
    static unsigned number;
    *ret = (struct scratch_copy){.connection = t->connection->name,
        .dialect = t->facts.dialect,
        .settings = t->settings,
        .settings_left_out = t->settings_left_out};
    const char *database = arena_printf(arena, "%s_%ld_%u", t->database, (long)getpid(), ++number);
    enum status status = with_database(t->uri, database, arena, &ret->uri, err);
    if (status == OK)
        status = run_apart(t,
            arena_printf(arena, "CREATE DATABASE %s TEMPLATE %s", database, t->database), arena,
            err);
    if (status == OK)
        ret->database = database;
    return status;
}

void scratch_copy_drop(struct scratch *s, const struct scratch_copy *copy)
{
    const struct template *t = find(s, copy->connection);
    struct error ignored;
    PGconn *conn = NULL;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *uri;
    if (!copy->database || with_database(t->uri, PQdb(t->keeper), arena, &uri, &ignored) != OK ||
        open_session(uri, &conn, &ignored) != OK)
        return; /* the next run's sweep finds it */
    (void)!drop_database(conn, copy->database, arena, &t->facts, &ignored);
    PQfinish(conn);
}
