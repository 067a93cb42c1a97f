/*
 * Mappings: entries in order of insertion, and an index by hash once there are more than a few.
 */
#include "language/jinja/runtime.h"

enum { INDEX_FROM = 9 }; /* entries: below, comparing hashes one by one is as fast */

struct jinja_value jinja_mapping_new(struct arena *arena)
{
    return (struct jinja_value){
        .kind = JINJA_MAPPING, .mapping = arena_new_of(arena, struct jinja_mapping)};
}

static inline bool key_equal(const struct jinja_mapping_entry *entry, struct jinja_value key)
{
    if (entry->key.kind == JINJA_STRING && key.kind == JINJA_STRING)
        return slice_equal(jinja_text(entry->key), jinja_text(key));
    return jinja_equal(entry->key, key);
}

struct jinja_mapping_entry *jinja_mapping_find(
    const struct jinja_mapping *mapping, struct jinja_value key, uint64_t hash)
{
    if (!mapping->index) {
        for (size_t i = 0; i < mapping->count; i++) {
            struct jinja_mapping_entry *entry = &mapping->entries[i];
            if (entry->hash == hash && !entry->removed && key_equal(entry, key))
                return entry;
        }
        return NULL;
    }
    for (size_t at = hash & (mapping->index_size - 1);; at = (at + 1) & (mapping->index_size - 1)) {
        if (mapping->index[at] == 0)
            return NULL;
        struct jinja_mapping_entry *entry = &mapping->entries[mapping->index[at] - 1];
        if (entry->hash == hash && !entry->removed && key_equal(entry, key))
            return entry;
    }
}

struct jinja_mapping_entry *jinja_mapping_find_text(
    const struct jinja_mapping *mapping, struct slice key, uint64_t hash)
{
    if (mapping->index)
        return jinja_mapping_find(mapping, jinja_slice(key), hash);
    for (struct jinja_mapping_entry *entry = mapping->entries, *end = entry + mapping->count;
         entry < end; entry++)
        if (entry->hash == hash && !entry->removed && key_equal(entry, jinja_slice(key)))
            return entry;
    return NULL;
}

static void index_entry(struct jinja_mapping *mapping, size_t number)
{
    size_t at = mapping->entries[number].hash & (mapping->index_size - 1);
    while (mapping->index[at])
        at = (at + 1) & (mapping->index_size - 1);
    mapping->index[at] = (uint32_t)number + 1;
}

static void grow(struct arena *arena, struct jinja_mapping *mapping)
{
    size_t capacity = mapping->live < 4 ? 8 : mapping->live * 2 + 4, count = 0;
    struct jinja_mapping_entry *entries = arena_array(arena, struct jinja_mapping_entry, capacity);
    for (size_t i = 0; i < mapping->count; i++)
        if (!mapping->entries[i].removed)
            entries[count++] = mapping->entries[i];
    mapping->entries = entries;
    mapping->count = count;
    mapping->capacity = capacity;
    if (capacity < INDEX_FROM)
        return;
    size_t size = 16;
    while (size < capacity * 2)
        size *= 2;
    mapping->index = arena_array(arena, uint32_t, size);
    mapping->index_size = size;
    for (size_t i = 0; i < count; i++)
        index_entry(mapping, i);
}

void jinja_mapping_set(struct arena *arena, struct jinja_mapping *mapping, struct jinja_value key,
    uint64_t hash, struct jinja_value value)
{
    struct jinja_mapping_entry *entry = jinja_mapping_find(mapping, key, hash);
    if (entry) {
        entry->value = value;
        return;
    }
    if (mapping->count == mapping->capacity)
        grow(arena, mapping);
    mapping->entries[mapping->count] =
        (struct jinja_mapping_entry){.key = key, .value = value, .hash = hash};
    mapping->count++;
    mapping->live++;
    if (mapping->index)
        index_entry(mapping, mapping->count - 1);
}

void jinja_mapping_remove(struct jinja_mapping *mapping, struct jinja_mapping_entry *entry)
{
    entry->removed = true;
    mapping->live--;
}

void jinja_mapping_clear(struct jinja_mapping *mapping)
{
    *mapping = (struct jinja_mapping){0};
}

void jinja_mapping_put(
    struct arena *arena, struct jinja_value mapping, const char *key, struct jinja_value value)
{
    struct slice name = slice_of(key);
    jinja_mapping_set(arena, mapping.mapping, jinja_slice(name), jinja_hash_text(name), value);
}

void jinja_mapping_put_value(struct arena *arena, struct jinja_value mapping,
    struct jinja_value key, struct jinja_value value)
{
    uint64_t hash;
    if (jinja_hash(key, &hash))
        jinja_mapping_set(arena, mapping.mapping, key, hash, value);
}

static struct jinja_value found(struct jinja_value mapping, const struct jinja_mapping_entry *entry)
{
    if (!entry)
        return (struct jinja_value){0};
    return jinja_mark(entry->value, mapping.marks & JINJA_SPREADING_MARKS);
}

struct jinja_value jinja_mapping_get(struct jinja_value mapping, const char *key)
{
    if (mapping.kind != JINJA_MAPPING)
        return (struct jinja_value){0};
    struct slice name = slice_of(key);
    return found(mapping, jinja_mapping_find_text(mapping.mapping, name, jinja_hash_text(name)));
}

struct jinja_value jinja_mapping_get_value(struct jinja_value mapping, struct jinja_value key)
{
    uint64_t hash;
    if (mapping.kind != JINJA_MAPPING || !jinja_hash(key, &hash))
        return (struct jinja_value){0};
    return found(mapping, jinja_mapping_find(mapping.mapping, key, hash));
}

size_t jinja_mapping_count(struct jinja_value mapping)
{
    return mapping.kind == JINJA_MAPPING ? mapping.mapping->live : 0;
}

bool jinja_mapping_next(struct jinja_value mapping, size_t *cursor, struct jinja_value *ret_key,
    struct jinja_value *ret_value)
{
    while (mapping.kind == JINJA_MAPPING && *cursor < mapping.mapping->count) {
        const struct jinja_mapping_entry *entry = &mapping.mapping->entries[(*cursor)++];
        if (entry->removed)
            continue;
        *ret_key = jinja_mark(entry->key, mapping.marks & JINJA_SPREADING_MARKS);
        *ret_value = jinja_mark(entry->value, mapping.marks & JINJA_SPREADING_MARKS);
        return true;
    }
    return false;
}
