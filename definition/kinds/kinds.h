/*
 * The declared side of kinds of tasks that have more keys than fit one table row: what their keys
 * come to, and what must hold between them.  Mistakes are reported where they stand.
 */
#ifndef DEFINITION_KINDS_KINDS_H
#define DEFINITION_KINDS_KINDS_H

#include "definition/loading.h"

/*
 * Fills keys->task.http.  `key` is the task's, `own` its mapping without default_args.  `http` is
 * the url or a mapping of the request's keys (keys->kind); keys may also stand beside it
 * (keys->http), but not in both places.
 */
void kind_http_load(struct loading *l, const struct yaml_node *key, const struct yaml_node *own,
    struct task_keys *keys);

/* A request as it stands at `node`: its url, or a mapping over what `keys` has already; false when
   it has mistakes. */
bool kind_http_request(
    struct loading *l, const struct yaml_node *node, struct http_keys *keys, struct http_task *ret);

#endif
