#include "web/show.h"
#include "tests/unit/test.h"

static struct arena *arena;

static const struct zone *zone_of(const char *name)
{
    struct error err;
    const struct zone *zone = NULL;
    REQUIRE_OK(zone_load(name, &zone, &err), &err);
    return zone;
}

TEST(every_state_has_a_glyph)
{
    for (int i = 0; i < TASK_STATE_COUNT; i++)
        CHECK(strcmp(state_glyph(task_state_name((enum task_state)i)), "?") != 0);
    for (int i = 0; i < RUN_STATE_COUNT; i++)
        CHECK(strcmp(state_glyph(run_state_name((enum run_state)i)), "?") != 0);
}

TEST(a_run_is_named_by_its_local_date)
{
    arena = arena_new();
    const struct zone *shanghai = zone_of("Asia/Shanghai");
    CHECK_STR(run_word(arena, zone_utc(), 0), "1970-01-01");
    CHECK_STR(run_word(arena, shanghai, 0), "1970-01-01T08:00");
    CHECK_STR(run_word(arena, shanghai, -8 * US_PER_HOUR), "1970-01-01");
    CHECK_STR(run_word(arena, zone_utc(), 90 * US_PER_SECOND + 5), "1970-01-01T00:01:30.000005");
    CHECK_STR(run_label(arena, zone_utc(), 90 * US_PER_SECOND + 5), "1970-01-01 00:01:30");
    CHECK_STR(run_label(arena, zone_utc(), -5), "1969-12-31 23:59:59");
    arena_free(arena);
}

/* Every quarter of an hour of a year with two changes of the clock. */
TEST(a_runs_word_reads_back_as_the_same_instant)
{
    struct error err;
    const struct zone *berlin = zone_of("Europe/Berlin");
    int64_t start_us = INT64_C(1167609600) * US_PER_SECOND, back_us;
    arena = arena_new();
    for (int64_t i = 0; i < 366 * 96; i++) {
        int64_t us = start_us + i * 15 * US_PER_MINUTE;
        const char *word = run_word(arena, berlin, us);
        REQUIRE_OK(zone_parse_time(berlin, slice_of(word), &back_us, NULL, &err), &err);
        if (back_us != us)
            CHECK_STR(word, "the same instant");
        arena_clear(arena);
    }
    arena_free(arena);
}

TEST(durations_and_distances_read_well)
{
    arena = arena_new();
    CHECK_STR(took_text(arena, 192 * US_PER_SECOND + 345678), "3m 12s");
    CHECK_STR(took_text(arena, 450 * US_PER_MS), "450ms");
    CHECK_STR(relative_text(arena, 0, 3 * US_PER_HOUR), "3h ago");
    CHECK_STR(relative_text(arena, 3 * US_PER_HOUR, 0), "in 3h");
    CHECK_STR(relative_text(arena, 5, 0), "now");
    arena_free(arena);
}

TEST(commands_can_be_pasted_into_a_shell)
{
    struct strbuf out = {0};
    struct page page = {.out = &out};
    show_act(&page, "again", (const char *[]){"dag", "clear", "geo'life", "a b", "x[3]", NULL});
    CHECK(strstr(strbuf_text(&out),
        "dag clear &#39;geo&#39;\\&#39;&#39;life&#39; &#39;a b&#39; &#39;x[3]&#39;</code>"));
    strbuf_done(&out);
}

TEST(a_cut_text_says_so_and_stays_text)
{
    arena = arena_new();
    CHECK_STR(cut_text(arena, "short", 5), "short");
    CHECK_STR(cut_text(arena,
                  "a\xc3\xa9"
                  "bc",
                  2),
        "a\xe2\x80\xa6");
    CHECK(cut_text(arena, NULL, 5) == NULL);
    CHECK_STR(reason_line(arena, "first\nsecond", REASON_NONE), "first");
    CHECK_STR(reason_line(arena, NULL, REASON_DEADLOCK), reason_text(REASON_DEADLOCK));
    arena_free(arena);
}
