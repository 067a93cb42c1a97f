#include "base/clock.h"
#include "language/timetable/zone_data.h"
#include "tests/unit/test.h"

static int64_t at(int year, int month, int day, int hour)
{
    return civil_to_us(&(struct civil){year, month, day, hour, 0, 0, 0}) / US_PER_SECOND;
}

static int32_t offset_at(const char *text, int64_t utc_s)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct zone_rule rule;
    int64_t start_s, end_s;
    REQUIRE(zone_rule_parse(arena, slice_of(text), &rule));
    int32_t offset_s = zone_rule_at(&rule, utc_s, &start_s, &end_s)->offset_s;
    CHECK(start_s <= utc_s && utc_s < end_s);
    return offset_s;
}

TEST(a_rule_says_where_daylight_time_starts_and_ends)
{
    const char *berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
    CHECK_INT(offset_at(berlin, at(2050, 3, 27, 1) - 1), 3600);
    CHECK_INT(offset_at(berlin, at(2050, 3, 27, 1)), 7200);
    CHECK_INT(offset_at(berlin, at(2050, 10, 30, 1) - 1), 7200);
    CHECK_INT(offset_at(berlin, at(2050, 10, 30, 1)), 3600);
    CHECK_INT(offset_at(berlin, at(2050, 12, 31, 23)), 3600);
}

TEST(south_of_the_equator_it_lasts_over_the_new_year)
{
    const char *sydney = "AEST-10AEDT,M10.1.0,M4.1.0/3";
    CHECK_INT(offset_at(sydney, at(2050, 1, 1, 0)), 39600);
    CHECK_INT(offset_at(sydney, at(2050, 7, 1, 0)), 36000);
    CHECK_INT(offset_at(sydney, at(2050, 12, 31, 0)), 39600);
}

TEST(days_count_with_and_without_the_leap_day)
{
    /* J60 is 1 March in every year, 59 the sixtieth day */
    CHECK_INT(offset_at("XXX0YYY,J60/0,J300/0", at(2024, 3, 1, 0) - 1), 0);
    CHECK_INT(offset_at("XXX0YYY,J60/0,J300/0", at(2024, 3, 1, 0)), 3600);
    CHECK_INT(offset_at("XXX0YYY,59/0,J300/0", at(2024, 2, 29, 0)), 3600);
    CHECK_INT(offset_at("XXX0YYY,59/0,J300/0", at(2023, 3, 1, 0) - 1), 0);
}

TEST(daylight_time_may_last_all_year)
{
    const char *all_year = "EST5EDT,0/0,J365/25";
    for (int64_t t = at(2030, 1, 1, 0); t < at(2033, 1, 1, 0); t += 86400 * 7 + 3600)
        CHECK_INT(offset_at(all_year, t), -4 * 3600);
    CHECK_INT(offset_at(all_year, at(2031, 1, 1, 4)), -4 * 3600);
}

TEST(names_in_brackets_and_times_beyond_the_day_are_read)
{
    CHECK_INT(offset_at("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", at(2050, 1, 1, 0)), 39600);
    CHECK_INT(offset_at("<-03>3", 0), -3 * 3600);
    CHECK_INT(offset_at("IST-2IDT,M3.4.4/26,M10.5.0", at(2050, 3, 25, 0) - 1), 7200);
    CHECK_INT(offset_at("IST-2IDT,M3.4.4/26,M10.5.0", at(2050, 3, 25, 0)), 10800);
    /* Greenland: 22:00 on the Saturday before the last Sunday, as a negative time */
    CHECK_INT(offset_at("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", at(2050, 3, 27, 1) - 1), -7200);
    CHECK_INT(offset_at("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", at(2050, 3, 27, 1)), -3600);
}

TEST(what_is_no_rule_is_refused)
{
    static const char *const texts[] = {"", "C", "CET", "CET-", "CET-25", "CET-1CEST",
        "CET-1CEST,M3.5.0", "CET-1CEST,M3.5.0,M10.5.0/3,", "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J10",
        "CET-1CEST,J366,J10", "CET-1CEST,366,J10", "<+1-1", "CET-1:60", "CET-1CEST,M3.5.0/168,J1",
        "CET 1"};
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct zone_rule rule;
        if (!CHECK(!zone_rule_parse(arena, slice_of(texts[i]), &rule)))
            fprintf(stderr, "  accepted '%s'\n", texts[i]);
    }
}
