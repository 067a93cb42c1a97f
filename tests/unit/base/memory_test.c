#include "base/vec.h"
#include "tests/unit/test.h"

TEST(an_arena_gives_zeroed_memory_aligned_for_any_type)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    for (size_t size = 0; size < 3000; size += 7) {
        unsigned char *p = arena_alloc(arena, size);
        CHECK((uintptr_t)p % _Alignof(max_align_t) == 0);
        for (size_t i = 0; i < size; i++)
            if (p[i] != 0)
                CHECK(!"the byte is not zero");
        memset(p, 0xA5, size);
    }
}

TEST(what_an_arena_gave_stays_until_it_is_cleared)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    enum { COUNT = 5000 };
    char *texts[COUNT];
    for (int i = 0; i < COUNT; i++)
        texts[i] = arena_printf(arena, "text %d", i);
    for (int i = 0; i < COUNT; i++) {
        char want[32];
        snprintf(want, sizeof want, "text %d", i);
        if (strcmp(texts[i], want) != 0)
            CHECK_STR(texts[i], want);
    }
    CHECK_STR(texts[COUNT - 1], "text 4999");
}

TEST(an_arena_counts_what_it_handed_out)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CHECK_INT(arena_used(arena), 0);
    arena_alloc(arena, 10);
    arena_alloc(arena, 100000);
    CHECK_INT(arena_used(arena), 100010);
    arena_clear(arena);
    CHECK_INT(arena_used(arena), 0);
}

TEST(a_large_piece_leaves_the_rest_of_the_chunk_to_what_follows)
{
    struct arena *arena = arena_new_tight();
    char *before = arena_alloc(arena, 16);
    char *large = arena_alloc(arena, 100000);
    char *after = arena_alloc(arena, 16);
    CHECK(after == before + 16);
    CHECK_INT(arena_used(arena), 100032);
    memset(large, 'x', 100000);
    for (size_t i = 0; i < 16; i++)
        CHECK(before[i] == 0 && after[i] == 0);
    arena_clear(arena);
    CHECK_INT(*(char *)arena_alloc(arena, 100000), 0);
    arena_free(arena);
}

TEST(a_cleared_arena_gives_zeroed_memory_again)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    memset(arena_alloc(arena, 64), 0xFF, 64);
    arena_alloc(arena, 5000000);
    arena_clear(arena);
    const unsigned char *p = arena_alloc(arena, 64);
    for (int i = 0; i < 64; i++)
        CHECK_INT(p[i], 0);
}

TEST(what_was_allocated_last_grows_and_shrinks_in_place)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    char *text = arena_resize(arena, NULL, 0, 10);
    memset(text, 'x', 10);
    CHECK(arena_resize(arena, text, 10, 1000) == text);
    memset(text, 'x', 1000);
    CHECK(arena_resize(arena, text, 1000, 20) == text);
    CHECK_INT(arena_used(arena), 20);
    const char *next = arena_alloc(arena, 1000);
    for (int i = 0; i < 1000; i++)
        if (next[i] != 0)
            CHECK(!"what was given back is not zero");
    char *moved = arena_resize(arena, text, 20, 40);
    CHECK(moved != text && memcmp(moved, "xxxxxxxxxxxxxxxxxxxx", 20) == 0);
    CHECK(arena_resize(arena, text, 20, 4) == text);
    char *large = arena_resize(arena, moved, 40, 5000000);
    CHECK(large != moved && memcmp(large, "xxxxxxxxxxxxxxxxxxxx", 20) == 0);
}

TEST(an_arena_is_cleared_again_and_again)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    arena_clear(arena);
    for (size_t round = 0; round < 20; round++) {
        for (size_t i = 0; i < 500; i++) {
            const unsigned char *p = arena_alloc(arena, round * 7 + i);
            CHECK(p[0] == 0);
            memset((void *)(uintptr_t)p, 0xA5, round * 7 + i);
        }
        arena_clear(arena);
    }
    CHECK_INT(arena_used(arena), 0);
}

TEST(copies_in_an_arena_are_whole_and_end_with_nul)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CHECK_STR(arena_strdup(arena, "abc"), "abc");
    CHECK(arena_strdup(arena, NULL) == NULL);
    CHECK_STR(arena_strndup(arena, "abcdef", 3), "abc");
    CHECK_STR(arena_strndup(arena, NULL, 0), "");
    int numbers[] = {1, 2, 3};
    const int *copy = arena_memdup(arena, numbers, sizeof numbers);
    CHECK(memcmp(copy, numbers, sizeof numbers) == 0 && copy != numbers);
    const char *large = arena_printf(arena, "%0*d", 20000, 7);
    CHECK(strlen(large) == 20000 && large[19999] == '7');
}

TEST(freeing_nothing_is_fine)
{
    arena_free(NULL);
    mem_free(NULL);
    CHECK(mem_strdup(NULL) == NULL);
    CLEANUP(mem_freep) void *p = mem_alloc(0);
    CHECK(p != NULL);
}

TEST(take_moves_a_pointer_out_of_its_cleanup)
{
    char *kept;
    {
        CLEANUP(mem_freep) void *p = mem_strdup("kept");
        kept = take(p);
        CHECK(p == NULL);
    }
    CHECK_STR(kept, "kept");
    mem_free(kept);
}

TEST(a_vector_grows_and_keeps_its_items_in_order)
{
    VEC(int) numbers = {0};
    for (int i = 0; i < 1000; i++)
        vec_push(&numbers, i);
    CHECK_INT(numbers.count, 1000);
    int64_t sum = 0;
    vec_each (n, &numbers)
        sum += *n;
    CHECK_INT(sum, 499500);
    vec_remove(&numbers, 0);
    vec_remove(&numbers, 500);
    CHECK_INT(numbers.count, 998);
    CHECK_INT(numbers.at[0], 1);
    CHECK_INT(numbers.at[499], 500);
    CHECK_INT(numbers.at[500], 502);
    CHECK_INT(vec_pop(&numbers), 999);
    vec_clear(&numbers);
    CHECK_INT(numbers.count, 0);
    vec_done(&numbers);
    CHECK(numbers.at == NULL && numbers.capacity == 0);
}

TEST(a_new_item_of_a_vector_is_zeroed)
{
    VEC(struct place) places = {0};
    vec_push(&places, ((struct place){.line = 3}));
    vec_clear(&places);
    const struct place *place = vec_add(&places);
    CHECK_INT(place->line, 0);
    CHECK_INT(places.count, 1);
    vec_done(&places);
}
