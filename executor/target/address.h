/* Addresses of connections (libpq URIs and conninfo texts), and the forms of them that Airflow's
   `connections export` writes. */
#ifndef EXECUTOR_TARGET_ADDRESS_H
#define EXECUTOR_TARGET_ADDRESS_H

#include "base/json.h"
#include "base/memory.h"

/* Whether libpq can read the address; else its complaint is in `err`. */
bool address_valid(const char *uri, struct error *err);
/* The libpq address of an imported connection: an object with conn_type, host, login, password,
   port, schema and extra (an object, or its text), or a URI text with Airflow's scheme. */
enum status address_read(struct arena *arena, const char *name, const json_t *value,
    const char **ret, struct error *err) MUST_CHECK;
/* Lines NAME=URI or NAME={…}; a NAME may carry AIRFLOW_CONN_ before it, and is in small letters
   then.  *ret is an object of them, the caller's. */
enum status address_read_env(
    struct arena *arena, const char *path, json_t **ret, struct error *err) MUST_CHECK;
/* The other way: an object, the caller's.  Without `secrets` *ret_hidden says whether there is a
   password that was left out. */
json_t *address_write(struct arena *arena, const char *uri, bool secrets, bool *ret_hidden);

#endif
