#include "base/file.h"
#include "base/map.h"

/* Entries lie in order of insertion; `slots` is an open-addressing index into them (1-based, 0 =
   free).  A removed entry keeps its place, with key NULL, until the next rebuild. */
struct entry {
    char *key;
    size_t size;
    uint64_t hash;
    void *value;
};

struct map {
    struct entry *entries;
    size_t used, capacity; /* entries, removed ones included */
    size_t count;          /* entries alive */
    uint32_t *slots;
    size_t slot_count; /* a power of two, at least twice `capacity` */
};

enum { MAP_CAPACITY_MIN = 8 };

struct map *map_new(void)
{
    return mem_alloc_zero(1, sizeof(struct map));
}

static void keys_free(struct map *map)
{
    for (size_t i = 0; i < map->used; i++)
        mem_free(map->entries[i].key);
}

void map_free(struct map *map)
{
    if (!map)
        return;
    keys_free(map);
    mem_free(map->entries);
    mem_free(map->slots);
    mem_free(map);
}

void map_clear(struct map *map)
{
    keys_free(map);
    map->used = map->count = 0;
    if (map->slot_count)
        memset(map->slots, 0, map->slot_count * sizeof *map->slots);
}

size_t map_count(const struct map *map)
{
    return map->count;
}

static struct entry *find(const struct map *map, struct slice key, uint64_t hash)
{
    if (map->count == 0)
        return NULL;
    size_t mask = map->slot_count - 1;
    for (size_t i = hash & mask; map->slots[i]; i = (i + 1) & mask) {
        struct entry *entry = &map->entries[map->slots[i] - 1];
        if (entry->hash == hash && entry->key &&
            slice_equal(slice_make(entry->key, entry->size), key))
            return entry;
    }
    return NULL;
}

static void index_entry(struct map *map, size_t entry)
{
    size_t mask = map->slot_count - 1;
    size_t i = map->entries[entry].hash & mask;
    while (map->slots[i])
        i = (i + 1) & mask;
    map->slots[i] = (uint32_t)(entry + 1);
}

/* Drops removed entries, grows when the living ones fill more than half, and makes a new index. */
static void rebuild(struct map *map)
{
    size_t kept = 0;
    for (size_t i = 0; i < map->used; i++)
        if (map->entries[i].key)
            map->entries[kept++] = map->entries[i];
    map->used = kept;
    if (map->capacity == 0 || kept > map->capacity / 2) {
        map->capacity = map->capacity ? map->capacity * 2 : MAP_CAPACITY_MIN;
        map->entries = mem_realloc(map->entries, map->capacity * sizeof *map->entries);
        map->slot_count = map->capacity * 2;
        map->slots = mem_realloc(map->slots, map->slot_count * sizeof *map->slots);
    }
    memset(map->slots, 0, map->slot_count * sizeof *map->slots);
    for (size_t i = 0; i < map->used; i++)
        index_entry(map, i);
}

void *map_get_slice(const struct map *map, struct slice key)
{
    struct entry *entry = find(map, key, hash_u64(key.p, key.size));
    return entry ? entry->value : NULL;
}

void *map_get(const struct map *map, const char *key)
{
    return map_get_slice(map, slice_of(key));
}

bool map_has(const struct map *map, const char *key)
{
    return find(map, slice_of(key), hash_u64(key, strlen(key))) != NULL;
}

void *map_set_slice(struct map *map, struct slice key, void *value)
{
    uint64_t hash = hash_u64(key.p, key.size);
    struct entry *entry = find(map, key, hash);
    if (entry) {
        void *before = entry->value;
        entry->value = value;
        return before;
    }
    if (map->used == map->capacity)
        rebuild(map);
    char *copy = mem_alloc(key.size + 1);
    if (key.size)
        memcpy(copy, key.p, key.size);
    copy[key.size] = '\0';
    map->entries[map->used] = (struct entry){copy, key.size, hash, value};
    index_entry(map, map->used++);
    map->count++;
    return NULL;
}

void *map_set(struct map *map, const char *key, void *value)
{
    return map_set_slice(map, slice_of(key), value);
}

void *map_remove_slice(struct map *map, struct slice key)
{
    struct entry *entry = find(map, key, hash_u64(key.p, key.size));
    if (!entry)
        return NULL;
    mem_free(entry->key);
    entry->key = NULL;
    map->count--;
    return entry->value;
}

void *map_remove(struct map *map, const char *key)
{
    return map_remove_slice(map, slice_of(key));
}

bool map_next(const struct map *map, size_t *cursor, const char **ret_key, void **ret_value)
{
    while (*cursor < map->used) {
        const struct entry *entry = &map->entries[(*cursor)++];
        if (!entry->key)
            continue;
        if (ret_key)
            *ret_key = entry->key;
        if (ret_value)
            *ret_value = entry->value;
        return true;
    }
    return false;
}
