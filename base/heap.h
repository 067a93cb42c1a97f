/*
 * A binary heap of timers.  An entry is embedded in what it wakes; each knows its place, so moving
 * and removing are O(log n).  Entries that are due at the same time come out in order of `seq`.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_entry {
    int64_t due;
    uint64_t seq;
    size_t slot; /* 1-based place in the heap; 0 = not in it */
};

struct heap {
    struct heap_entry **at;
    size_t count, capacity;
};

void heap_done(struct heap *heap);
/* Inserts, or moves an entry that is in already. */
void heap_set(struct heap *heap, struct heap_entry *entry, int64_t due, uint64_t seq);
void heap_remove(struct heap *heap, struct heap_entry *entry); /* no-op when not in it */
struct heap_entry *heap_first(const struct heap *heap);        /* NULL when empty */

#endif
