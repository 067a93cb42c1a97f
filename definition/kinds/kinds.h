/*
 * The declared side of kinds of tasks that have more keys than fit one table row: what their keys
 * come to, and what must hold between them.  Mistakes are reported where they stand.
 */
#ifndef DEFINITION_KINDS_KINDS_H
#define DEFINITION_KINDS_KINDS_H

#include "definition/loading.h"

/* A kind whose keys stand in a mapping of their own, beside it, or as one text in its place. */
struct kind_keys {
    const char *kind; /* "http" */
    const struct level *level;
    const char *main; /* the key that a text in the kind's place is */
};
/* Reports keys that stand both in the kind's value `node` and beside it, in the task's own mapping;
   gives whether there are any. */
bool kind_keys_twice(struct loading *l, const struct kind_keys *of, const struct yaml_node *node,
    const struct yaml_node *own);
/* Reads the keys at `node` over those that the level's struct has already; a text that stands in
   place of the mapping into its main field.  False when there are mistakes. */
bool kind_keys_read(struct loading *l, const struct kind_keys *of, const struct yaml_node *node,
    void *into, struct text *ret_main);

/* Fills keys->parts.trigger, as kind_http_load does for requests. */
void kind_trigger_load(struct loading *l, const struct yaml_node *key, const struct yaml_node *own,
    struct task_keys *keys);

/*
 * Fills keys->parts.http.  `key` is the task's, `own` its mapping without default_args.  `http` is
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
