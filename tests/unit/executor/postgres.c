#include "tests/unit/executor/postgres.h"

#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/string.h"
#include "tests/unit/test.h"

extern char **environ;

static struct {
    char dir[64];
    char bin[256];
    pid_t pid;
    char uri[512];
} server;

static void find_programs(void)
{
    glob_t found;
    REQUIRE(glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) == 0);
    const char *path = found.gl_pathv[found.gl_pathc - 1];
    snprintf(server.bin, sizeof(server.bin), "%.*s", (int)(strrchr(path, '/') - path), path);
    globfree(&found);
}

/* Starts a program, as the user `postgres` when we are root; its output goes to the server's log.
 */
static pid_t start(const char *program, const char *const *arguments)
{
    char path[512], log[128];
    const char *argv[32] = {0};
    size_t n = 0;
    snprintf(path, sizeof(path), "%s/%s", server.bin, program);
    snprintf(log, sizeof(log), "%s/log", server.dir);
    /* It ends with the test, even when that is aborted. */
    argv[n++] = "setpriv";
    argv[n++] = "--pdeathsig=QUIT";
    if (geteuid() == 0) {
        argv[n++] = "--reuid=postgres";
        argv[n++] = "--regid=postgres";
        argv[n++] = "--clear-groups";
    }
    argv[n++] = path;
    while (*arguments)
        argv[n++] = *arguments++;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    pid_t pid;
    REQUIRE(posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static void stop(void)
{
    if (server.pid > 0) {
        kill(server.pid, SIGQUIT);
        waitpid(server.pid, NULL, 0);
    }
    char *argv[] = {"rm", "-rf", server.dir, NULL};
    pid_t pid;
    if (posix_spawnp(&pid, "rm", NULL, NULL, argv, environ) == 0)
        waitpid(pid, NULL, 0);
}

static void make_dir(void)
{
    snprintf(server.dir, sizeof(server.dir), "/tmp/dag-test-pg-XXXXXX");
    REQUIRE(mkdtemp(server.dir) != NULL);
    struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : NULL;
    if (user)
        REQUIRE(chown(server.dir, user->pw_uid, user->pw_gid) == 0);
    REQUIRE(chmod(server.dir, 0755) == 0);
    atexit(stop);
}

static void wait_until_ready(void)
{
    for (int i = 0; i < 300; i++) {
        if (PQping(server.uri) == PQPING_OK)
            return;
        poll(NULL, 0, 50);
    }
    REQUIRE(!"the server did not start");
}

static void start_server(void)
{
    char data[128];
    find_programs();
    make_dir();
    snprintf(data, sizeof(data), "%s/data", server.dir);
    const char *initdb[] = {"-D", data, "-A", "trust", "-U", "dag", "--no-sync", "-E", "UTF8",
        "--locale=C.UTF-8", NULL};
    int status = 0;
    REQUIRE(waitpid(start("initdb", initdb), &status, 0) > 0 && status == 0);
    const char *postgres[] = {"-D", data, "-k", server.dir, "-c", "listen_addresses=", "-c",
        "fsync=off", "-c", "max_connections=60", "-c", "max_prepared_transactions=4", "-c",
        "log_min_messages=fatal", "-c", "shared_buffers=16MB", NULL};
    server.pid = start("postgres", postgres);
    snprintf(server.uri, sizeof(server.uri), "postgresql:///postgres?host=%s&user=dag", server.dir);
    wait_until_ready();
}

const char *postgres_socket_dir(void)
{
    return server.dir;
}

const char *postgres_database(const char *name)
{
    static char uri[512];
    if (!server.pid)
        start_server();
    PGconn *conn = postgres_connect(server.uri);
    char sql[256];
    snprintf(sql, sizeof(sql), "CREATE DATABASE \"%s\"", name);
    postgres_run(conn, sql);
    PQfinish(conn);
    snprintf(uri, sizeof(uri), "postgresql:///%s?host=%s&user=dag", name, server.dir);
    return uri;
}

static void quiet(void *user, const char *message)
{
    (void)user;
    (void)message;
}

PGconn *postgres_connect(const char *uri)
{
    PGconn *conn = PQconnectdb(uri);
    if (PQstatus(conn) != CONNECTION_OK)
        fprintf(stderr, "%s", PQerrorMessage(conn));
    REQUIRE(PQstatus(conn) == CONNECTION_OK);
    PQsetNoticeProcessor(conn, quiet, NULL);
    return conn;
}

void postgres_run(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!ok)
        fprintf(stderr, "%s\n%s", sql, PQresultErrorMessage(result));
    PQclear(result);
    REQUIRE(ok);
}

const char *postgres_value(PGconn *conn, const char *sql)
{
    static char value[4][4096];
    static unsigned turn;
    char *to = value[turn++ % 4];
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fprintf(stderr, "%s\n%s", sql, PQresultErrorMessage(result));
    REQUIRE(PQresultStatus(result) == PGRES_TUPLES_OK);
    snprintf(to, sizeof(value[0]), "%s", PQntuples(result) ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    return to;
}

int64_t postgres_number(PGconn *conn, const char *sql)
{
    int64_t number = 0;
    REQUIRE(parse_int64(slice_of(postgres_value(conn, sql)), &number));
    return number;
}

bool postgres_wait_for(PGconn *conn, const char *sql, const char *want)
{
    for (int i = 0; i < 500; i++) {
        if (str_equal(postgres_value(conn, sql), want))
            return true;
        poll(NULL, 0, 20);
    }
    return false;
}
