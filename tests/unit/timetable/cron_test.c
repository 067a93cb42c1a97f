#include "base/clock.h"
#include "language/timetable/cron.h"
#include "tests/unit/test.h"

enum { MINUTES_PER_DAY = 24 * 60 };

static struct cron cron_of(const char *text)
{
    struct error err = {0};
    struct cron cron = {0};
    REQUIRE_OK(cron_parse(slice_of(text), &cron, &err), &err);
    return cron;
}

static int64_t minute_of(int year, int month, int day, int hour, int minute)
{
    return civil_to_us(&(struct civil){year, month, day, hour, minute, 0, 0}) / US_PER_MINUTE;
}

static void check_next(const char *text, int64_t from, int64_t want)
{
    struct cron cron = cron_of(text);
    int64_t got;
    if (CHECK(cron_next(&cron, from, &got)) && !CHECK_INT(got, want))
        fprintf(stderr, "  of %s\n", text);
}

static void check_previous(const char *text, int64_t from, int64_t want)
{
    struct cron cron = cron_of(text);
    int64_t got;
    if (CHECK(cron_previous(&cron, from, &got)) && !CHECK_INT(got, want))
        fprintf(stderr, "  of %s\n", text);
}

TEST(a_minute_that_is_allowed_is_its_own_next_and_previous)
{
    check_next("30 2 * * *", minute_of(2024, 5, 5, 2, 30), minute_of(2024, 5, 5, 2, 30));
    check_previous("30 2 * * *", minute_of(2024, 5, 5, 2, 30), minute_of(2024, 5, 5, 2, 30));
    check_next("30 2 * * *", minute_of(2024, 5, 5, 2, 31), minute_of(2024, 5, 6, 2, 30));
    check_previous("30 2 * * *", minute_of(2024, 5, 5, 2, 29), minute_of(2024, 5, 4, 2, 30));
}

TEST(rare_dates_are_found_over_decades)
{
    /* the fifth Thursday of February is a 29th */
    check_next("0 0 29 2 *", minute_of(2097, 1, 1, 0, 0), minute_of(2104, 2, 29, 0, 0));
    check_previous("0 0 29 2 *", minute_of(2103, 12, 31, 0, 0), minute_of(2096, 2, 29, 0, 0));
    check_next("59 23 * 2 4#5", minute_of(2025, 1, 1, 0, 0), minute_of(2052, 2, 29, 23, 59));
}

TEST(the_last_days_of_months_follow_their_length)
{
    check_next("0 0 L * *", minute_of(2023, 2, 1, 0, 0), minute_of(2023, 2, 28, 0, 0));
    check_next("0 0 L * *", minute_of(2024, 2, 1, 0, 0), minute_of(2024, 2, 29, 0, 0));
    check_previous("0 0 L * *", minute_of(2024, 3, 30, 0, 0), minute_of(2024, 2, 29, 0, 0));
    check_next("0 0 * * L5", minute_of(2024, 5, 1, 0, 0), minute_of(2024, 5, 31, 0, 0));
    check_next("0 0 * * 5L", minute_of(2024, 5, 1, 0, 0), minute_of(2024, 5, 31, 0, 0));
    check_next("0 0 * * LFRI", minute_of(2024, 6, 1, 0, 0), minute_of(2024, 6, 28, 0, 0));
    check_next("0 0 31 * *", minute_of(2024, 4, 1, 0, 0), minute_of(2024, 5, 31, 0, 0));
}

TEST(the_nearest_weekday_stays_in_its_month)
{
    /* Saturday 1 June 2024 → Monday 3; Sunday 30 June → Friday 28; Saturday 15 → Friday 14 */
    check_next("0 0 1W 6 *", minute_of(2024, 1, 1, 0, 0), minute_of(2024, 6, 3, 0, 0));
    check_next("0 0 30W 6 *", minute_of(2024, 1, 1, 0, 0), minute_of(2024, 6, 28, 0, 0));
    check_next("0 0 LW 6 *", minute_of(2024, 1, 1, 0, 0), minute_of(2024, 6, 28, 0, 0));
    check_next("0 0 15W 6 *", minute_of(2024, 1, 1, 0, 0), minute_of(2024, 6, 14, 0, 0));
    check_next("0 0 16W 6 *", minute_of(2024, 1, 1, 0, 0), minute_of(2024, 6, 17, 0, 0));
    check_next("0 0 12W 6 *", minute_of(2024, 1, 1, 0, 0), minute_of(2024, 6, 12, 0, 0));
    check_next("0 0 31W * *", minute_of(2024, 6, 1, 0, 0), minute_of(2024, 7, 31, 0, 0));
}

TEST(the_search_ends_with_the_calendar)
{
    struct cron cron = cron_of("0 0 1 1 *");
    int64_t got;
    CHECK(!cron_next(&cron, minute_of(9999, 1, 1, 0, 1), &got));
    CHECK(!cron_next(&cron, INT64_MAX, &got));
    CHECK(!cron_previous(&cron, INT64_MIN, &got));
    CHECK(!cron_previous(&cron, minute_of(1, 1, 1, 0, 0) - 1, &got));
    CHECK(cron_next(&cron, INT64_MIN, &got));
    CHECK_INT(got, minute_of(1, 1, 1, 0, 0));
    CHECK(cron_previous(&cron, INT64_MAX, &got));
    CHECK_INT(got, minute_of(9999, 1, 1, 0, 0));
}

/* ---- against a walk minute by minute ---- */

static bool runs_at(const struct cron *cron, int64_t minute)
{
    struct civil c = civil_from_us(minute * US_PER_MINUTE);
    return (cron->minutes >> c.minute & 1) && (cron->hours >> c.hour & 1) &&
           (cron_days_of_month(cron, c.year, c.month) >> c.day & 1);
}

static void check_walk(const char *text, int64_t from, int64_t days)
{
    struct cron cron = cron_of(text);
    size_t wrong = 0, found = 0;
    int64_t end = from + days * MINUTES_PER_DAY, last = INT64_MIN, got;
    for (int64_t minute = from; minute < end; minute++) {
        if (!runs_at(&cron, minute))
            continue;
        if (last != INT64_MIN) {
            wrong += !cron_next(&cron, last + 1, &got) || got != minute;
            wrong += !cron_previous(&cron, minute - 1, &got) || got != last;
        }
        last = minute;
        found++;
    }
    if (!CHECK(wrong == 0 && found > 0))
        fprintf(stderr, "  %s: %zu wrong of %zu\n", text, wrong, found);
}

TEST(the_search_finds_what_a_walk_minute_by_minute_finds)
{
    static const char *const texts[] = {"* * 1,31 2,12 *", "*/7 */5 * * *", "0 0 * * *",
        "59 23 L * *", "13 4 */10 * 1-3", "5,10 22-2 * 1-3 *", "0 12 15W * *", "30 6 * * 2#3,L0",
        "0,59 0,23 28-31 * *", "0 0 29 2 *"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        check_walk(texts[i], minute_of(2023, 11, 1, 0, 0), 150);
    check_walk("0 0 29 2 *", minute_of(2024, 1, 1, 0, 0), 60);
}

TEST(days_of_a_calendar_are_left_out_and_moved_days_added)
{
    struct cron cron = cron_of("0 9 * * 1-5");
    const int32_t holidays[] = {
        (int32_t)days_from_civil(2024, 4, 30), (int32_t)days_from_civil(2024, 5, 1)};
    const int32_t moved[] = {(int32_t)days_from_civil(2024, 5, 4)};
    cron.holidays = (struct day_list){holidays, 2};
    cron.moved_days = (struct day_list){moved, 1};
    uint32_t april = cron_days_of_month(&cron, 2024, 4), may = cron_days_of_month(&cron, 2024, 5);
    CHECK(!(april >> 30 & 1) && (april >> 29 & 1));
    CHECK(!(may >> 1 & 1) && (may >> 2 & 1) && (may >> 4 & 1) && !(may >> 5 & 1));
}
