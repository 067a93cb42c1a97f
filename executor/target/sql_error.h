/*
 * What a server says when it refuses a statement, and where in the user's files that is.
 *
 * A position that the server gives counts characters of the statement; through the rendered text's
 * map it leads to the template.  Errors inside a function or DO block have no such position: the
 * inner query is looked for in the rendered text, or the line that the context names is counted in
 * the body where it stands there. Without any of these the place is the statement's first line.
 */
#ifndef EXECUTOR_TARGET_SQL_ERROR_H
#define EXECUTOR_TARGET_SQL_ERROR_H

#include <libpq-fe.h>
#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "definition/context/context.h"

/* The fields of an error or notice, as text in an arena; those that are missing are NULL. */
struct sql_error {
    const char *severity, *sqlstate, *message, *detail, *hint, *context;
    const char *internal_query;
    const char *schema, *table, *column, *constraint;
    const char *segment; /* Greenplum: "seg1 127.0.0.1:16434 pid=9268", taken off the message */
    int64_t position;    /* characters from 1 in the statement; 0 = none */
    int64_t internal_position; /* in internal_query */
};

/* `conn` gives the message of a result without fields; may be NULL. */
struct sql_error sql_error_read(const PGresult *result, const PGconn *conn, struct arena *arena);
/* The message with SQLSTATE, DETAIL and HINT on lines of their own: what people read. */
char *sql_error_text(const struct sql_error *error, struct arena *arena);
/* The fields as members of the JSON object that is open. */
void sql_error_json(const struct sql_error *error, struct json_writer *w);

/* Fills `err` with the server's words: message, SQLSTATE, hint. */
void sql_error_set(
    struct error *err, enum status status, const PGresult *result, const PGconn *conn);

/* The byte of the rendered text that the error is about; `statement` is a part of `rendered`. */
size_t sql_error_offset(
    const struct sql_error *error, struct slice rendered, struct slice statement);

/* Where a byte of rendered text comes from, in words: "file:line:column", the template's line and
   the rendered one beside it when they differ. */
struct sql_place {
    const char *place; /* "templates/x.sql:14:9"; NULL when it is not known */
    const char *file;  /* the parts of `place`; NULL and 0 when it is not known */
    uint32_t line, column;
    const char *template_line; /* trimmed at the end */
    const char *rendered_line;
    uint32_t rendered_number; /* line of the rendered text, from 1 */
};
struct sql_place sql_place_find(
    const struct rendered *rendered, size_t offset, struct arena *arena);

/* A notice processor that keeps quiet, for connections of our own. */
void sql_notice_ignore(void *user, const char *message);

#endif
