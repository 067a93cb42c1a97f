#include "base/clock.h"
#include "tests/unit/test.h"

TEST(the_clocks_run_forward)
{
    struct instant a = clock_now(), b = clock_now();
    CHECK(b.mono_us >= a.mono_us);
    CHECK(a.wall_us > INT64_C(1600000000) * US_PER_SECOND);
}

TEST(random_bytes_and_uuids_do_not_repeat)
{
    char a[UUID_TEXT_SIZE], b[UUID_TEXT_SIZE];
    uuid_make(a);
    uuid_make(b);
    CHECK(uuid_valid(a) && uuid_valid(b) && strcmp(a, b) != 0);
    CHECK(a[14] == '4' && strchr("89ab", a[19]));
    CHECK(random_u64() != random_u64());
    CHECK(!uuid_valid("") && !uuid_valid("123e4567-e89b-42d3-a456-42661417400"));
    CHECK(!uuid_valid("123e4567-e89b-42d3-a456-42661417400g"));
    CHECK(!uuid_valid("123e4567+e89b-42d3-a456-426614174000"));
    CHECK(uuid_valid("123E4567-e89b-42d3-a456-426614174000"));
}

TEST(every_day_of_ten_thousand_years_converts_there_and_back)
{
    int64_t days = -719162; /* 0001-01-01 */
    size_t wrong = 0;
    for (int year = 1; year <= 9999; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= days_in_month(year, month); day++, days++) {
                struct civil c = civil_from_us(days * US_PER_DAY);
                wrong += c.year != year || c.month != month || c.day != day;
                wrong += days_from_civil(year, month, day) != days;
            }
    CHECK_INT(wrong, 0);
    CHECK_INT(days, 2932897);
}

TEST(leap_years_and_weekdays)
{
    CHECK_INT(days_in_month(2024, 2), 29);
    CHECK_INT(days_in_month(2023, 2), 28);
    CHECK_INT(days_in_month(1900, 2), 28);
    CHECK_INT(days_in_month(2000, 2), 29);
    CHECK_INT(weekday_of_days(0), 4);
    CHECK_INT(weekday_of_days(-1), 3);
    CHECK_INT(weekday_of_days(days_from_civil(2026, 11, 20)), 5);
    CHECK_INT(weekday_of_days(days_from_civil(1, 1, 1)), 1);
}

TEST(times_are_written_in_iso_form)
{
    char text[TIME_TEXT_SIZE];
    time_format_iso(INT64_C(1176336000) * US_PER_SECOND, text);
    CHECK_STR(text, "2007-04-12T00:00:00+00:00");
    time_format_iso(-1, text);
    CHECK_STR(text, "1969-12-31T23:59:59.999999+00:00");
    time_format_iso(US_PER_MS, text);
    CHECK_STR(text, "1970-01-01T00:00:00.001000+00:00");
    time_format_date(INT64_C(1176336000) * US_PER_SECOND + US_PER_DAY - 1, text);
    CHECK_STR(text, "2007-04-12");
}

struct parsed {
    const char *text, *iso;
    bool has_offset, date_only;
};

TEST(iso_times_are_read)
{
    static const struct parsed rows[] = {
        {"2007-04-12", "2007-04-12T00:00:00+00:00", false, true},
        {"2007-04-12T08:30", "2007-04-12T08:30:00+00:00", false, false},
        {"2007-04-12 08:30:15", "2007-04-12T08:30:15+00:00", false, false},
        {"2007-04-12T08:30:15.5", "2007-04-12T08:30:15.500000+00:00", false, false},
        {"2007-04-12T08:30:15.123456789", "2007-04-12T08:30:15.123456+00:00", false, false},
        {"2007-04-12T08:30:00Z", "2007-04-12T08:30:00+00:00", true, false},
        {"2007-04-12T08:30:00+08:00", "2007-04-12T00:30:00+00:00", true, false},
        {"2007-04-12T08:30-0330", "2007-04-12T12:00:00+00:00", true, false},
        {"2007-04-12T08:30+02", "2007-04-12T06:30:00+00:00", true, false},
        {"0001-01-01", "0001-01-01T00:00:00+00:00", false, true},
        {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999+00:00", true, false},
        {"2024-02-29", "2024-02-29T00:00:00+00:00", false, true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct error err;
        int64_t us = 0;
        bool has_offset, date_only;
        char text[TIME_TEXT_SIZE];
        REQUIRE_OK(
            time_parse_iso(slice_of(rows[i].text), &us, &has_offset, &date_only, &err), &err);
        time_format_iso(us, text);
        CHECK_STR(text, rows[i].iso);
        CHECK(has_offset == rows[i].has_offset && date_only == rows[i].date_only);
    }
}

TEST(what_is_no_time_is_refused_with_an_example)
{
    static const char *const bad[] = {"", "2007", "2007-4-12", "2007-04-12T", "2007-04-12T8:30",
        "2007-04-12T08", "2007-04-12T08:30:", "2007-04-12T08:30:15.", "2007-04-12T08:30+",
        "2007-04-12T08:30+2", "2007-04-12T08:30+02:", "2007-04-12T08:30Zx", "2007-04-12x",
        " 2007-04-12", "2007-04-12+02", "2007-04-12Z", "12/04/2007",
        "2007-04-12T08:30:15.1234567890"};
    struct error err;
    int64_t us;
    bool a, b;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        if (!CHECK_INT(time_parse_iso(slice_of(bad[i]), &us, &a, &b, &err), ERR_INVALID))
            fprintf(stderr, "  %s\n", bad[i]);
        CHECK(strstr(err.hint, "2007-04-12"));
    }
}

TEST(a_day_or_time_that_does_not_exist_is_refused)
{
    static const char *const bad[] = {"2023-02-29", "2007-13-01", "2007-00-01", "2007-04-31",
        "2007-04-00", "0000-01-01", "2007-04-12T24:00", "2007-04-12T08:60", "2007-04-12T08:30:60"};
    struct error err;
    int64_t us;
    bool a, b;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CHECK_INT(time_parse_iso(slice_of(bad[i]), &us, &a, &b, &err), ERR_INVALID);
        CHECK(strstr(err.message, "does not exist"));
    }
}

TEST(durations_are_read_in_their_units)
{
    static const struct {
        const char *text;
        int64_t us;
    } rows[] = {
        {"90s", 90 * US_PER_SECOND},
        {"5m", 5 * US_PER_MINUTE},
        {"1h30m", 90 * US_PER_MINUTE},
        {"2d", 2 * US_PER_DAY},
        {"1w", 7 * US_PER_DAY},
        {"250ms", 250 * US_PER_MS},
        {"1w2d3h4m5s6ms", 9 * US_PER_DAY + 3 * US_PER_HOUR + 4 * US_PER_MINUTE + 5 * US_PER_SECOND +
                              6 * US_PER_MS},
        {"0s", 0},
        {"36525d", 36525 * US_PER_DAY},
    };
    struct error err;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int64_t us = -1;
        CHECK_OK(duration_parse(slice_of(rows[i].text), &us, &err), &err);
        CHECK_INT(us, rows[i].us);
    }
}

TEST(a_bare_number_is_told_how_to_be_a_duration)
{
    struct error err;
    int64_t us;
    CHECK_INT(duration_parse(slice_of("300"), &us, &err), ERR_INVALID);
    CHECK(strstr(err.hint, "write 300s"));
}

TEST(what_is_no_duration_is_refused)
{
    static const char *const bad[] = {"", "s", "-5m", "5", "5 m", "5M", "1.5h", "5m1h", "5m5m",
        "1y", "5min", "1h30", "36526d", "99999999999999999999s", "9223372036854775807w"};
    struct error err;
    int64_t us = 42;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        CHECK_INT(duration_parse(slice_of(bad[i]), &us, &err), ERR_INVALID);
    CHECK_INT(us, 42);
}

TEST(durations_are_written_with_at_most_two_units)
{
    static const struct {
        int64_t us;
        const char *text;
    } rows[] = {
        {0, "0ms"},
        {999, "0ms"},
        {450 * US_PER_MS, "450ms"},
        {US_PER_SECOND, "1s"},
        {US_PER_SECOND + 500 * US_PER_MS, "1s"},
        {192 * US_PER_SECOND, "3m 12s"},
        {90 * US_PER_MINUTE, "1h 30m"},
        {US_PER_HOUR + 5 * US_PER_SECOND, "1h"},
        {2 * US_PER_DAY, "2d"},
        {9 * US_PER_DAY + 3 * US_PER_HOUR + 59 * US_PER_MINUTE, "9d 3h"},
        {-192 * US_PER_SECOND, "-3m 12s"},
        {INT64_MAX, "106751991d 4h"},
        {INT64_MIN, "-106751991d 4h"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char text[32];
        duration_format(rows[i].us, text);
        CHECK_STR(text, rows[i].text);
    }
}
