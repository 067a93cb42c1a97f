/*
 * Settings that are stored in the metadata: `dag conn set`, `dag var set`, `dag pool set`.
 *
 * Each is a row under the name that `dag config` shows.  Addresses of connections, variables that
 * are said to be secret, and those with a name that Airflow would mask are sealed (base/seal.h).
 * An act that stores or removes is
 *
 *     {"op": "settings", "set": [{"name", "value", "secret", "description"} …],
 *      "delete": [NAME …], "lenient": …, "rotate": …}
 *
 * where a NAME that ends with "." stands for all rows below it, `lenient` leaves a value alone that
 * a higher source gives just so, and `rotate` seals all secrets with a new key.
 */
#ifndef DAEMON_SETTINGS_H
#define DAEMON_SETTINGS_H

#include "base/json.h"
#include "definition/project.h"
#include "store/store.h"

/* project_options.stored: what dag.db in `state` has.  A secret that does not open has a `problem`
   instead of a value. */
enum status settings_stored(void *user, const char *state, struct arena *arena,
    struct stored_settings *ret, struct error *err);

/* The project again, with what is stored now. */
enum status settings_reload(
    const struct project *like, struct project **ret, struct error *err) MUST_CHECK;

/*
 * Reads an act: fills the request's `settings`, sealed, and gives the project as it will be once
 * they are stored.  What does not change is left out.  Refused, with nothing done: a value that is
 * not what its key asks for (ERR_INVALID), a name that a higher source gives (ERR_SETTING_OWNED,
 * naming it), a name to delete that is not stored (ERR_NOT_FOUND), default_pool (ERR_CONFLICT).
 */
enum status settings_request(const json_t *act, const struct project *project, struct store *reader,
    struct arena *arena, struct request *request, struct project **ret,
    struct error *err) MUST_CHECK;
/* After the rows of a rotation are durable: the old keys go. */
enum status settings_rotated(const struct project *project, struct error *err) MUST_CHECK;

/* The value in force, in clear; NULL when there is none of that name. */
const char *settings_value(const struct project *project, const char *name, struct arena *arena);
/* "DAG_VAR_X", "dag.yaml:12": where a setting comes from, for people. */
const char *settings_place(const struct setting *setting, struct arena *arena);

#endif
