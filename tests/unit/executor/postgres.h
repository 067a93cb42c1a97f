/*
 * A private PostgreSQL for tests: a cluster in a temporary directory, on a Unix socket only, run by
 * an unprivileged user when the tests run as root.  One per program; it is gone when the program
 * ends.
 */
#ifndef TESTS_POSTGRES_H
#define TESTS_POSTGRES_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts the server on first use and gives the uri of a new, empty database of that name. */
const char *postgres_database(const char *name);
/* The folder of its socket, and the port in the socket's name. */
const char *postgres_socket_dir(void);

/* A connection of the test's own; the test ends when there is none. */
PGconn *postgres_connect(const char *uri);
/* Runs SQL; the test ends when it fails. */
void postgres_run(PGconn *conn, const char *sql);
/* The first value of the first row ("" for none). */
const char *postgres_value(PGconn *conn, const char *sql);
int64_t postgres_number(PGconn *conn, const char *sql);
/* Asks until the SQL gives `want`, for ten seconds at most. */
bool postgres_wait_for(PGconn *conn, const char *sql, const char *want);

#endif
