#include "base/file.h"
#include "base/clock.h"
#include "language/timetable/zone.h"
#include "language/timetable/zone_data.h"
#include "tests/unit/test.h"

enum { FILE_SIZE_MAX = 64 * 1024 };

static struct slice read_file(struct arena *arena, const char *name)
{
    struct error err = {0};
    struct slice bytes = {0};
    const char *path = path_join(arena, "/usr/share/zoneinfo", name);
    REQUIRE_OK(file_read(path, FILE_SIZE_MAX, arena, &bytes, &err), &err);
    return bytes;
}

static enum status read_zone(struct arena *arena, struct slice bytes, struct zone *ret)
{
    struct error err = {0};
    *ret = (struct zone){.arena = arena, .name = "test"};
    return zone_read_tzif(bytes, ret, &err);
}

TEST(a_cut_file_is_broken_at_every_length)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct slice bytes = read_file(arena, "Europe/Berlin");
    struct zone zone;
    CHECK_INT(read_zone(arena, bytes, &zone), OK);
    for (size_t size = 0; size < bytes.size; size++) {
        /* a copy of the exact size, so that a read behind it is seen */
        CLEANUP(mem_freep) void *copy = mem_alloc(size);
        memcpy(copy, bytes.p, size);
        CHECK(read_zone(arena, slice_make(copy, size), &zone) != OK);
    }
}

TEST(a_file_with_wrong_bytes_is_read_or_refused_but_never_misread)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct slice bytes = read_file(arena, "Europe/Berlin");
    char *copy = arena_memdup(arena, bytes.p, bytes.size);
    uint64_t seed = 1;
    size_t refused = 0, total = 4000;
    for (size_t i = 0; i < total; i++) {
        CLEANUP(arena_freep) struct arena *scratch = arena_new();
        struct zone zone;
        memcpy(copy, bytes.p, bytes.size);
        for (int k = 0; k < 3; k++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            copy[(seed >> 33) % bytes.size] = (char)(seed >> 56);
        }
        if (read_zone(scratch, slice_make(copy, bytes.size), &zone) != OK) {
            refused++;
            continue;
        }
        for (int64_t at_s = -4000000000; at_s < 8000000000; at_s += 500000000) {
            struct zone_span span = zone_span_at(&zone, at_s);
            CHECK(span.start_s <= at_s && at_s < span.end_s);
        }
    }
    CHECK(refused > 0 && refused < total);
}

static enum status read_header(const char *start, size_t size)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct zone zone;
    char bytes[44] = {0};
    memcpy(bytes, start, size);
    return read_zone(arena, slice_make(bytes, sizeof bytes), &zone);
}

TEST(what_is_no_compiled_zone_is_unknown_and_not_broken)
{
    CHECK_INT(read_header("# tzdb data", 11), ERR_ZONE_UNKNOWN);
    CHECK_INT(read_header("TZif", 4), ERR_ZONE_BROKEN);
    CHECK_INT(read_header("TZif2", 5), ERR_ZONE_BROKEN);
}

/* Version 1: 32-bit times and no footer.  One change, to an hour later, at 1970-01-12. */
TEST(version_1_files_are_read)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    static const char bytes[] = "TZif\0"
                                "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                "\0\0\0\0"
                                "\0\0\0\0"
                                "\0\0\0\0"
                                "\0\0\0\1"
                                "\0\0\0\2"
                                "\0\0\0\10"
                                "\0\x0f\x42\x40"
                                "\1"
                                "\0\0\x0e\x10\0\0"
                                "\0\0\x1c\x20\1\4"
                                "CET\0CST";
    struct zone zone;
    REQUIRE(read_zone(arena, slice_make(bytes, sizeof bytes), &zone) == OK);
    struct zone_span before = zone_span_at(&zone, 999999), after = zone_span_at(&zone, 1000000);
    CHECK_INT(before.offset_s, 3600);
    CHECK_INT(after.offset_s, 7200);
    CHECK(!before.is_dst && after.is_dst);
    CHECK_STR(before.abbreviation, "CET");
    CHECK_STR(after.abbreviation, "CST");
    CHECK_INT(after.end_s, INT64_MAX);
}
