#include "base/heap.h"
#include "tests/unit/test.h"

/* A small generator of its own, so that a failure can be repeated. */
static uint64_t next_number(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

TEST(timers_come_out_by_time_and_then_by_sequence)
{
    struct heap heap = {0};
    struct heap_entry a = {0}, b = {0}, c = {0};
    CHECK(heap_first(&heap) == NULL);
    heap_set(&heap, &a, 20, 3);
    heap_set(&heap, &b, 10, 2);
    heap_set(&heap, &c, 10, 1);
    CHECK(heap_first(&heap) == &c);
    heap_remove(&heap, &c);
    CHECK(heap_first(&heap) == &b);
    heap_set(&heap, &b, 30, 2);
    CHECK(heap_first(&heap) == &a);
    heap_remove(&heap, &c);
    CHECK_INT(heap.count, 2);
    heap_done(&heap);
    CHECK(a.slot == 0 && b.slot == 0);
}

TEST(any_order_of_sets_moves_and_removals_keeps_the_first_first)
{
    enum { COUNT = 200, STEPS = 20000 };
    static struct heap_entry entries[COUNT];
    struct heap heap = {0};
    uint64_t state = 42;
    size_t wrong = 0;
    for (int step = 0; step < STEPS; step++) {
        size_t i = next_number(&state) % COUNT;
        if (next_number(&state) % 3 == 0)
            heap_remove(&heap, &entries[i]);
        else
            heap_set(&heap, &entries[i], (int64_t)(next_number(&state) % 50) - 25, i);
        const struct heap_entry *least = NULL;
        for (size_t j = 0; j < COUNT; j++) {
            const struct heap_entry *e = &entries[j];
            if (e->slot && (!least || e->due < least->due))
                least = e;
        }
        wrong += heap_first(&heap) != least;
    }
    CHECK_INT(wrong, 0);
    int64_t last = INT64_MIN;
    while (heap_first(&heap)) {
        struct heap_entry *e = heap_first(&heap);
        wrong += e->due < last;
        last = e->due;
        heap_remove(&heap, e);
    }
    CHECK_INT(wrong, 0);
    heap_done(&heap);
}
