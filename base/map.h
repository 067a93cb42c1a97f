/*
 * A hash map from text (bytes) to a pointer, that remembers the order of insertion: iteration is
 * deterministic, which the scheduler and the template language rely on.  Keys are copied.
 * Look-up O(1); removal O(1) plus an occasional compaction.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include "base/string.h"

struct map;

struct map *map_new(void);
void map_free(struct map *map); /* values are the caller's; NULL is fine */
DEFINE_CLEANUP(struct map, map_free);
size_t map_count(const struct map *map);
void *map_get(const struct map *map, const char *key); /* NULL when absent */
void *map_get_slice(const struct map *map, struct slice key);
bool map_has(const struct map *map, const char *key);
/* Sets or replaces; returns the value that was there before, or NULL. */
void *map_set(struct map *map, const char *key, void *value);
void *map_set_slice(struct map *map, struct slice key, void *value);
/* Returns the value that was there, or NULL. */
void *map_remove(struct map *map, const char *key);
void *map_remove_slice(struct map *map, struct slice key);
void map_clear(struct map *map);
/* Iteration in order of insertion: start with *cursor = 0; false at the end.  Removing the entry
   just returned is allowed. */
bool map_next(const struct map *map, size_t *cursor, const char **ret_key, void **ret_value);

#endif
