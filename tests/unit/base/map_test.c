#include "base/file.h"
#include "base/map.h"
#include "tests/unit/test.h"

static int values[20000];

TEST(a_map_finds_what_was_set_and_nothing_else)
{
    CLEANUP(map_freep) struct map *map = map_new();
    CHECK(map_get(map, "a") == NULL && !map_has(map, "a"));
    CHECK(map_set(map, "a", &values[1]) == NULL);
    CHECK(map_set(map, "b", NULL) == NULL);
    CHECK(map_get(map, "a") == &values[1]);
    CHECK(map_has(map, "b") && map_get(map, "b") == NULL);
    CHECK(map_set(map, "a", &values[2]) == &values[1]);
    CHECK(map_get(map, "a") == &values[2]);
    CHECK_INT(map_count(map), 2);
    CHECK(map_remove(map, "a") == &values[2]);
    CHECK(map_remove(map, "a") == NULL);
    CHECK(!map_has(map, "a"));
    CHECK_INT(map_count(map), 1);
}

TEST(keys_are_copied_and_may_hold_any_bytes)
{
    CLEANUP(map_freep) struct map *map = map_new();
    char key[] = "key";
    map_set(map, key, &values[1]);
    key[0] = 'K';
    CHECK(map_get(map, "key") == &values[1]);
    map_set_slice(map, slice_make("x\0y", 3), &values[2]);
    CHECK(map_get_slice(map, slice_make("x\0y", 3)) == &values[2]);
    CHECK(map_get(map, "x") == NULL);
    CHECK(map_remove_slice(map, slice_make("x\0z", 3)) == NULL);
    CHECK(map_remove_slice(map, slice_make("x\0y", 3)) == &values[2]);
    CHECK(map_get_slice(map, slice_make("x\0y", 3)) == NULL);
    map_set_slice(map, (struct slice){0}, &values[3]);
    CHECK(map_get(map, "") == &values[3]);
}

static void set_number(struct map *map, int i)
{
    char key[32];
    snprintf(key, sizeof key, "key %d", i);
    map_set(map, key, &values[i]);
}

static void *remove_number(struct map *map, int i)
{
    char key[32];
    snprintf(key, sizeof key, "key %d", i);
    return map_remove(map, key);
}

TEST(iteration_is_in_order_of_insertion_after_many_changes)
{
    CLEANUP(map_freep) struct map *map = map_new();
    for (int i = 0; i < 20000; i++)
        set_number(map, i);
    size_t wrong = 0;
    for (int i = 0; i < 20000; i++)
        if (i % 3)
            wrong += remove_number(map, i) != &values[i];
    for (int i = 1; i < 100; i += 3)
        set_number(map, i);
    size_t cursor = 0, count = 0;
    void *value;
    const char *key;
    for (int expected = 0; map_next(map, &cursor, &key, &value); count++) {
        wrong += value != &values[expected];
        expected += 3;
        if (expected == 20001)
            expected = 1;
    }
    CHECK_INT(wrong, 0);
    CHECK_INT(count, map_count(map));
    CHECK_INT(count, 6667 + 33);
}

TEST(the_entry_just_returned_may_be_removed)
{
    CLEANUP(map_freep) struct map *map = map_new();
    for (int i = 0; i < 100; i++)
        set_number(map, i);
    size_t cursor = 0, seen = 0;
    const char *key;
    while (map_next(map, &cursor, &key, NULL)) {
        map_remove(map, key);
        seen++;
    }
    CHECK_INT(seen, 100);
    CHECK_INT(map_count(map), 0);
    set_number(map, 5);
    CHECK(map_get(map, "key 5") == &values[5]);
}

TEST(a_queue_of_keys_does_not_grow_the_map_without_end)
{
    CLEANUP(map_freep) struct map *map = map_new();
    for (int i = 0; i < 20000; i++) {
        set_number(map, i);
        if (i >= 4)
            remove_number(map, i - 4);
    }
    CHECK_INT(map_count(map), 4);
    size_t cursor = 0;
    void *value = NULL;
    CHECK(map_next(map, &cursor, NULL, &value) && value == &values[19996]);
    CHECK(cursor <= 32);
}

TEST(a_cleared_map_is_empty_and_usable)
{
    CLEANUP(map_freep) struct map *map = map_new();
    map_clear(map);
    for (int i = 0; i < 50; i++)
        set_number(map, i);
    map_clear(map);
    CHECK_INT(map_count(map), 0);
    CHECK(!map_has(map, "key 1"));
    set_number(map, 1);
    CHECK(map_get(map, "key 1") == &values[1]);
    map_free(NULL);
}

TEST(the_hash_of_a_text_is_the_same_everywhere_and_always)
{
    /* Jitter derives from it: a change would move retries of recorded runs. */
    CHECK_INT((int64_t)hash_u64("", 0), (int64_t)UINT64_C(0xefd01f60ba992926));
    CHECK(hash_u64("a", 1) != hash_u64("b", 1));
    CHECK(hash_u64("ab", 2) != hash_u64("ba", 2));
}
