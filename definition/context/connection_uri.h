/* The parts of a connection's URI or conninfo text, as templates ask for them. */
#ifndef DEFINITION_CONTEXT_CONNECTION_URI_H
#define DEFINITION_CONTEXT_CONNECTION_URI_H

#include <jansson.h>
#include "base/memory.h"

struct connection_parts {
    const char *type; /* the scheme; "postgres" for PostgreSQL's, as in Airflow */
    const char *host, *login, *password, *database; /* NULL when the text has none */
    int port;                                       /* 0 = none; of several hosts the first */
    json_t *extra; /* what else there is, an object of texts; the caller's */
};
/* libpq's two forms: "postgresql://user:password@host:port/database?key=value" and "host=…
   dbname=…".  What cannot be read is left out: libpq will say so when it connects.  The texts are
   in the arena. */
void connection_uri_parse(struct arena *arena, const char *text, struct connection_parts *ret);

#endif
