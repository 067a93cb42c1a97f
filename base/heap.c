#include <assert.h>
#include "base/heap.h"
#include "base/memory.h"

enum { HEAP_CAPACITY_MIN = 16 };

void heap_done(struct heap *heap)
{
    for (size_t i = 0; i < heap->count; i++)
        heap->at[i]->slot = 0;
    mem_free(heap->at);
    *heap = (struct heap){0};
}

static bool before(const struct heap_entry *a, const struct heap_entry *b)
{
    return a->due != b->due ? a->due < b->due : a->seq < b->seq;
}

static void place(struct heap *heap, size_t slot, struct heap_entry *entry)
{
    heap->at[slot - 1] = entry;
    entry->slot = slot;
}

static void sift_up(struct heap *heap, struct heap_entry *entry)
{
    size_t slot = entry->slot;
    while (slot > 1 && before(entry, heap->at[slot / 2 - 1])) {
        place(heap, slot, heap->at[slot / 2 - 1]);
        slot /= 2;
    }
    place(heap, slot, entry);
}

static void sift_down(struct heap *heap, struct heap_entry *entry)
{
    size_t slot = entry->slot;
    for (;;) {
        size_t child = slot * 2;
        if (child > heap->count)
            break;
        if (child < heap->count && before(heap->at[child], heap->at[child - 1]))
            child++;
        if (!before(heap->at[child - 1], entry))
            break;
        place(heap, slot, heap->at[child - 1]);
        slot = child;
    }
    place(heap, slot, entry);
}

void heap_set(struct heap *heap, struct heap_entry *entry, int64_t due, uint64_t seq)
{
    entry->due = due;
    entry->seq = seq;
    if (entry->slot == 0) {
        if (heap->count == heap->capacity) {
            heap->capacity = heap->capacity ? heap->capacity * 2 : HEAP_CAPACITY_MIN;
            heap->at = mem_realloc(heap->at, heap->capacity * sizeof(struct heap_entry *));
        }
        place(heap, ++heap->count, entry);
    }
    assert(heap->at[entry->slot - 1] == entry);
    sift_up(heap, entry);
    sift_down(heap, entry);
}

void heap_remove(struct heap *heap, struct heap_entry *entry)
{
    if (entry->slot == 0)
        return;
    size_t slot = entry->slot;
    assert(slot <= heap->count && heap->at[slot - 1] == entry);
    struct heap_entry *last = heap->at[--heap->count];
    entry->slot = 0;
    if (last == entry)
        return;
    place(heap, slot, last);
    sift_up(heap, last);
    sift_down(heap, last);
}

struct heap_entry *heap_first(const struct heap *heap)
{
    return heap->count ? heap->at[0] : NULL;
}
