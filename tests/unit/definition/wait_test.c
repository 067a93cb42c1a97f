/* When a sensor's `time` is. */
#include "base/clock.h"
#include "definition/wait.h"
#include "tests/unit/test.h"

static const char *when(const char *zone_name, const char *end, const char *text)
{
    static char shown[TIME_TEXT_SIZE];
    static struct error err;
    const struct zone *zone;
    int64_t end_us, at_us;
    REQUIRE_OK(zone_load(zone_name, &zone, &err), &err);
    REQUIRE_OK(zone_parse_time(zone_utc(), slice_of(end), &end_us, NULL, &err), &err);
    if (wait_time_read(zone, end_us, slice_of(text), &at_us, &err) != OK)
        return err.message;
    zone_format_iso(zone, at_us, shown);
    return shown;
}

TEST(a_time_is_itself_in_the_zone_unless_it_says_its_own)
{
    CHECK_STR(when("Asia/Shanghai", "2030-01-02", "2030-01-31T06:00"), "2030-01-31T06:00:00+08:00");
    CHECK_STR(when("UTC", "2030-01-02", " 2030-01-31 06:00+02:00 "), "2030-01-31T04:00:00+00:00");
    CHECK_STR(when("UTC", "2030-01-02", "2030-01-31"), "2030-01-31T00:00:00+00:00");
}

TEST(a_time_of_day_is_the_first_one_after_the_interval)
{
    CHECK_STR(when("UTC", "2030-01-02", "06:00"), "2030-01-02T06:00:00+00:00");
    CHECK_STR(when("UTC", "2030-01-02T06:00", "06:00"), "2030-01-02T06:00:00+00:00");
    CHECK_STR(when("UTC", "2030-01-02T06:00:01", "06:00"), "2030-01-03T06:00:00+00:00");
    CHECK_STR(when("UTC", "2030-12-31T23:00", "22:59:30"), "2031-01-01T22:59:30+00:00");
    /* midnight UTC is 08:00 there */
    CHECK_STR(when("Asia/Shanghai", "2030-01-02", "06:00"), "2030-01-03T06:00:00+08:00");
}

TEST(a_time_of_day_in_a_gap_of_the_clock_is_shifted)
{
    CHECK_STR(when("Europe/Berlin", "2030-03-31", "02:30"), "2030-03-31T03:30:00+02:00");
}

TEST(a_duration_counts_from_the_end_of_the_interval)
{
    CHECK_STR(when("UTC", "2030-01-02", "90m"), "2030-01-02T01:30:00+00:00");
    CHECK_STR(when("UTC", "2030-01-02", "0s"), "2030-01-02T00:00:00+00:00");
}

TEST(anything_else_is_an_error)
{
    static const char *const texts[] = {"", "soon", "25:00", "06:60", "6:00", "06:00:99", "-5m"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        char want[64];
        snprintf(want, sizeof(want), "`%s` is no point of time", texts[i]);
        CHECK_STR(when("UTC", "2030-01-02", texts[i]), want);
    }
}
