/* What a request to an endpoint gives, as values to bind.  Pure. */
#ifndef DEFINITION_ENDPOINT_H
#define DEFINITION_ENDPOINT_H

#include "base/error.h"
#include "definition/model/model.h"

/*
 * The values of an endpoint's parameters, in their order, as the server reads them (NULL = null),
 * in the arena.  `given` is the request: an object, or NULL for an empty one.
 *
 * Numbers keep their value, booleans are `true` and `false`, texts stand as they are.  A list is an
 * array of SQL (`{1,2}`) where the declaration says `type: array`; other lists, lists of objects
 * and objects are JSON.
 *
 * ERR_INVALID when it is no object; ERR_PARAM for a name that is not declared, one that is missing
 * and has no default, and a value that does not fit.
 */
enum status endpoint_bind(const struct endpoint *endpoint, const json_t *given, struct arena *arena,
    const char *const **ret, struct error *err) MUST_CHECK;

/* The endpoint for people and programs: name, description, parameters as they were declared and
   limits, as members of the JSON object that is open. */
void endpoint_describe(const struct endpoint *endpoint, struct json_writer *w);

#endif
