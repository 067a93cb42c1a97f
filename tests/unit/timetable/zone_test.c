#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include "base/file.h"
#include "language/timetable/zone.h"
#include "tests/unit/test.h"

static const struct zone *zone_of(const char *name)
{
    struct error err = {0};
    const struct zone *zone = NULL;
    REQUIRE_OK(zone_load(name, &zone, &err), &err);
    return zone;
}

/* A UTC instant from its text. */
static int64_t utc(const char *text)
{
    struct error err = {0};
    int64_t us = 0;
    REQUIRE_OK(zone_parse_time(zone_utc(), slice_of(text), &us, NULL, &err), &err);
    return us;
}

static void check_iso(const char *zone, const char *instant, const char *want)
{
    char text[TIME_TEXT_SIZE];
    zone_format_iso(zone_of(zone), utc(instant), text);
    CHECK_STR(text, want);
}

static void check_parsed(const char *zone, const char *text, const char *want)
{
    struct error err = {0};
    int64_t us;
    if (CHECK_OK(zone_parse_time(zone_of(zone), slice_of(text), &us, NULL, &err), &err))
        CHECK_INT(us, utc(want));
}

static void check_end(const char *zone, const char *text, const char *want)
{
    struct error err = {0};
    int64_t us;
    if (CHECK_OK(zone_parse_end(zone_of(zone), slice_of(text), &us, &err), &err))
        CHECK_INT(us, utc(want));
}

TEST(an_instant_is_shown_with_the_offset_of_its_zone)
{
    check_iso("UTC", "2024-07-01T12:00", "2024-07-01T12:00:00+00:00");
    check_iso("Europe/Berlin", "2024-07-01T12:00", "2024-07-01T14:00:00+02:00");
    check_iso("Europe/Berlin", "2024-03-31T00:59:59", "2024-03-31T01:59:59+01:00");
    check_iso("Europe/Berlin", "2024-03-31T01:00", "2024-03-31T03:00:00+02:00");
    check_iso("Asia/Kathmandu", "2024-07-01T12:00", "2024-07-01T17:45:00+05:45");
    check_iso("America/St_Johns", "2024-01-01T00:00", "2023-12-31T20:30:00-03:30");
    check_iso("Australia/Lord_Howe", "2024-04-06T15:00", "2024-04-07T01:30:00+10:30");
    check_iso("Europe/Berlin", "2024-07-01T12:00:00.25", "2024-07-01T14:00:00.250000+02:00");
}

TEST(local_mean_time_keeps_the_seconds_of_its_offset)
{
    check_iso("Europe/Berlin", "1880-01-01T00:00", "1880-01-01T00:53:28+00:53:28");
    check_iso("America/New_York", "1880-01-01T00:00", "1879-12-31T19:03:58-04:56:02");
}

TEST(after_the_last_listed_change_the_footer_rules)
{
    check_iso("Europe/Berlin", "2500-07-01T12:00", "2500-07-01T14:00:00+02:00");
    check_iso("Europe/Berlin", "2500-12-01T12:00", "2500-12-01T13:00:00+01:00");
    check_iso("Australia/Sydney", "9999-01-01T00:00", "9999-01-01T11:00:00+11:00");
    check_iso("Europe/Dublin", "2100-01-01T00:00", "2100-01-01T00:00:00+00:00");
    check_iso("Europe/Dublin", "2100-07-01T00:00", "2100-07-01T01:00:00+01:00");
    struct zone_span span = zone_span_at(zone_of("Europe/Dublin"), utc("2100-07-01") / 1000000);
    CHECK(!span.is_dst);
    CHECK_STR(span.abbreviation, "IST");
    CHECK_INT(span.start_s, utc("2100-03-28T01:00") / 1000000);
    CHECK_INT(span.end_s, utc("2100-10-31T01:00") / 1000000);
}

TEST(a_local_day_is_not_the_day_of_utc)
{
    char text[TIME_TEXT_SIZE];
    zone_format_date(zone_of("Asia/Tokyo"), utc("2024-02-28T15:00"), text);
    CHECK_STR(text, "2024-02-29");
    zone_format_date(zone_of("America/New_York"), utc("2024-01-01T04:59:59"), text);
    CHECK_STR(text, "2023-12-31");
}

TEST(a_local_time_is_one_instant_or_two_or_none)
{
    const struct zone *berlin = zone_of("Europe/Berlin");
    struct zone_instants once = zone_from_civil(berlin, &(struct civil){2024, 7, 1, 12, 0, 0, 5});
    CHECK_INT(once.match, ZONE_ONCE);
    CHECK_INT(once.first_us, utc("2024-07-01T10:00:00.000005"));
    CHECK_INT(once.second_us, once.first_us);
    struct zone_instants twice =
        zone_from_civil(berlin, &(struct civil){2024, 10, 27, 2, 30, 0, 0});
    CHECK_INT(twice.match, ZONE_TWICE);
    CHECK_INT(twice.first_us, utc("2024-10-27T00:30"));
    CHECK_INT(twice.second_us, utc("2024-10-27T01:30"));
    struct zone_instants gap = zone_from_civil(berlin, &(struct civil){2024, 3, 31, 2, 30, 0, 0});
    CHECK_INT(gap.match, ZONE_GAP);
    CHECK_INT(gap.first_us, utc("2024-03-31T00:30"));
    CHECK_INT(gap.second_us, utc("2024-03-31T01:30"));
}

TEST(a_day_that_was_left_out_is_a_gap_of_a_day)
{
    struct zone_instants gap =
        zone_from_civil(zone_of("Pacific/Apia"), &(struct civil){2011, 12, 30, 12, 0, 0, 0});
    CHECK_INT(gap.match, ZONE_GAP);
    CHECK_INT(gap.second_us - gap.first_us, US_PER_DAY);
    CHECK_INT(gap.second_us, utc("2011-12-30T22:00"));
}

TEST(a_time_without_offset_is_in_the_zone)
{
    check_parsed("Europe/Berlin", "2024-07-01T12:00", "2024-07-01T10:00");
    check_parsed("Europe/Berlin", "2024-07-01T12:00Z", "2024-07-01T12:00");
    check_parsed("Europe/Berlin", "2024-07-01 12:00:00-03:00", "2024-07-01T15:00");
    check_parsed("Europe/Berlin", "2024-03-31T02:30", "2024-03-31T01:30");
    check_parsed("Europe/Berlin", "2024-10-27T02:30", "2024-10-27T01:30");
    check_parsed("Asia/Tokyo", "2024-01-01", "2023-12-31T15:00");
}

TEST(what_is_no_time_is_refused)
{
    struct error err = {0};
    int64_t us = 7;
    CHECK_INT(zone_parse_time(zone_utc(), slice_of("tomorrow"), &us, NULL, &err), ERR_INVALID);
    CHECK_INT(zone_parse_end(zone_utc(), slice_of("2024-02-30"), &us, &err), ERR_INVALID);
    CHECK_INT(us, 7);
}

TEST(a_bare_date_is_told_from_a_time)
{
    struct error err = {0};
    int64_t us;
    bool date_only;
    CHECK_OK(zone_parse_time(zone_utc(), slice_of("2024-02-28"), &us, &date_only, &err), &err);
    CHECK(date_only);
    CHECK_OK(
        zone_parse_time(zone_utc(), slice_of("2024-02-28T00:00"), &us, &date_only, &err), &err);
    CHECK(!date_only);
}

TEST(a_bare_end_date_includes_that_whole_local_day)
{
    check_end("UTC", "2007-05-07", "2007-05-07T23:59:59.999999");
    check_end("Europe/Berlin", "2024-07-01", "2024-07-01T21:59:59.999999");
    check_end("Europe/Berlin", "2024-07-01T12:00", "2024-07-01T10:00");
    /* the clock was set back at its end: 23:00 to 24:00 came twice */
    check_end("America/Sao_Paulo", "2018-02-17", "2018-02-18T02:59:59.999999");
    /* set back at 01:00: the next midnight came twice, and belongs to the next day both times */
    check_end("America/Havana", "2025-11-01", "2025-11-02T03:59:59.999999");
    /* set forward at its end, and a day that was left out */
    check_end("America/Sao_Paulo", "2018-11-03", "2018-11-04T02:59:59.999999");
    check_end("Pacific/Apia", "2011-12-30", "2011-12-30T09:59:59.999999");
    check_end("UTC", "9999-12-31", "9999-12-31T23:59:59.999999");
}

static void check_unknown(const char *name, const char *hint)
{
    struct error err = {0};
    const struct zone *zone = NULL;
    CHECK_INT(zone_load(name, &zone, &err), ERR_ZONE_UNKNOWN);
    CHECK(zone == NULL);
    CHECK(strstr(err.message, "no time zone") != NULL);
    if (!CHECK(strstr(err.hint, hint) != NULL))
        fprintf(stderr, "  '%s' got the hint: %s\n", name, err.hint);
}

TEST(an_unknown_zone_gets_the_nearest_name)
{
    check_unknown("Europe/Berln", "'Europe/Berlin'");
    check_unknown("europe/berlin", "'Europe/Berlin'");
    check_unknown("Berlin", "'Europe/Berlin'");
    check_unknown("utc", "'UTC'");
    check_unknown("Mars/Olympus_Mons_Base", "IANA");
    check_unknown("+02:00", "'Etc/GMT-2'");
    check_unknown("UTC-5", "'Etc/GMT+5'");
    check_unknown("+05:30", "IANA");
    check_unknown("+25:00", "IANA");
    check_unknown("", "IANA");
}

TEST(names_cannot_leave_the_directory_or_name_tables)
{
    check_unknown("../../etc/passwd", "IANA");
    check_unknown("/etc/localtime", "IANA");
    check_unknown("Europe/../UTC", "");
    check_unknown("Europe", "");
    check_unknown("Europe/", "");
    check_unknown("zone.tab", "");
    check_unknown("leapseconds", "");
}

TEST(zones_that_count_leap_seconds_are_refused)
{
    if (!file_exists("/usr/share/zoneinfo/right/Europe/Berlin")) {
        CHECK(!dir_exists("/usr/share/zoneinfo/right/Europe"));
        return;
    }
    struct error err = {0};
    const struct zone *zone = NULL;
    CHECK_INT(zone_load("right/Europe/Berlin", &zone, &err), ERR_ZONE_UNKNOWN);
    CHECK(strstr(err.message, "leap seconds") != NULL);
}

TEST(utc_needs_no_file_and_a_missing_database_says_so)
{
    struct error err = {0};
    const struct zone *zone = NULL;
    setenv("TZDIR", "/nonexistent", 1);
    CHECK_OK(zone_load("UTC", &zone, &err), &err);
    CHECK(zone == zone_utc());
    CHECK_STR(zone_name(zone), "UTC");
    CHECK_INT(zone_load("Europe/Vaduz", &zone, &err), ERR_ZONE_UNKNOWN);
    CHECK(strstr(err.hint, "tzdata") != NULL);
    unsetenv("TZDIR");
    struct zone_span span = zone_span_at(zone_utc(), 0);
    CHECK_INT(span.start_s, INT64_MIN);
    CHECK_INT(span.end_s, INT64_MAX);
    CHECK_INT(span.offset_s, 0);
}

TEST(a_broken_file_is_named_with_what_is_wrong)
{
    char dir[] = "/tmp/dag-zone-test-XXXXXX", path[64];
    struct error err = {0};
    const struct zone *zone = NULL;
    REQUIRE(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/Broken", dir);
    REQUIRE_OK(file_write(path, slice_of("TZif2 and no more than that, in fifty bytes of it."),
                   0600, false, &err),
        &err);
    setenv("TZDIR", dir, 1);
    CHECK_INT(zone_load("Broken", &zone, &err), ERR_ZONE_BROKEN);
    CHECK(strstr(err.message, path) && strstr(err.message, "cut short"));
    unsetenv("TZDIR");
    CHECK(remove(path) == 0 && remove(dir) == 0);
}

TEST(a_zone_is_read_once)
{
    CHECK(zone_of("Europe/Paris") == zone_of("Europe/Paris"));
    CHECK_STR(zone_name(zone_of("Europe/Paris")), "Europe/Paris");
}

static const char *const shared_names[] = {
    "Asia/Seoul", "Asia/Dhaka", "Asia/Dubai", "Africa/Lagos", "America/Lima", "Pacific/Fiji"};
enum { THREADS = 4 };

static void *load_all(void *found)
{
    for (size_t i = 0; i < ARRAY_SIZE(shared_names); i++)
        if (zone_load(shared_names[i], (const struct zone **)found + i, NULL) != OK)
            return NULL;
    return found;
}

TEST(threads_that_load_the_same_zone_share_it)
{
    pthread_t threads[THREADS];
    const struct zone *found[THREADS][ARRAY_SIZE(shared_names)] = {0};
    for (int i = 0; i < THREADS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, load_all, found[i]) == 0);
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;
        CHECK(pthread_join(threads[i], &result) == 0 && result == found[i]);
    }
    for (int i = 0; i < THREADS; i++)
        for (size_t k = 0; k < ARRAY_SIZE(shared_names); k++)
            CHECK(found[i][k] == zone_of(shared_names[k]));
}

TEST(instants_beyond_the_calendar_are_brought_back_into_it)
{
    const int64_t instants[] = {INT64_MIN, INT64_MIN + 1, INT64_MAX - 1, INT64_MAX};
    const char *const names[] = {"UTC", "Asia/Tokyo", "America/New_York"};
    for (size_t z = 0; z < ARRAY_SIZE(names); z++)
        for (size_t i = 0; i < ARRAY_SIZE(instants); i++) {
            struct civil civil = zone_to_civil(zone_of(names[z]), instants[i], NULL);
            CHECK_INT(civil.year, instants[i] < 0 ? 1 : 9999);
        }
}

/* ---- every zone of the database, against the C library ---- */

static bool is_zone_file(const char *name)
{
    return name[0] >= 'A' && name[0] <= 'Z' && !strchr(name, '.');
}

static size_t compare_with_libc(const struct zone *zone)
{
    size_t different = 0;
    /* every 40 days and some hours, in 1850 to 2200 */
    for (int64_t at_s = INT64_C(-3786912000); at_s < INT64_C(7258118400);
         at_s += 40 * 86400 + 4321) {
        time_t t = (time_t)at_s;
        struct tm tm;
        localtime_r(&t, &tm);
        struct zone_span span = zone_span_at(zone, at_s);
        different += tm.tm_gmtoff != span.offset_s || (tm.tm_isdst > 0) != span.is_dst ||
                     !str_equal(tm.tm_zone, span.abbreviation);
    }
    return different;
}

/* Each span joins the next, and every instant comes back from its own wall clock time. */
static size_t count_broken_spans(const struct zone *zone)
{
    size_t broken = 0;
    struct zone_span span = zone_span_at(zone, INT64_MIN);
    broken += span.start_s != INT64_MIN;
    while (span.end_s < INT64_C(4102444800)) { /* 2100 */
        struct zone_span next = zone_span_at(zone, span.end_s);
        broken +=
            next.start_s != span.end_s || zone_span_at(zone, span.end_s - 1).end_s != span.end_s;
        for (int64_t at_s = span.end_s - 7200; at_s <= span.end_s + 7200; at_s += 1800) {
            int64_t us = at_s * US_PER_SECOND + 1;
            struct civil civil = zone_to_civil(zone, us, NULL);
            struct zone_instants back = zone_from_civil(zone, &civil);
            broken += back.match == ZONE_GAP || (back.first_us != us && back.second_us != us);
        }
        span = next;
    }
    return broken;
}

TEST(every_zone_agrees_with_the_c_library_and_with_itself)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err = {0};
    const char **names;
    size_t count, zones = 0;
    REQUIRE_OK(dir_list("/usr/share/zoneinfo", "", arena, &names, &count, &err), &err);
    for (size_t i = 0; i < count; i++) {
        if (!is_zone_file(names[i]))
            continue;
        const struct zone *zone = zone_of(names[i]);
        setenv("TZ", names[i], 1);
        tzset();
        size_t different = compare_with_libc(zone), broken = count_broken_spans(zone);
        if (!CHECK(different == 0 && broken == 0))
            fprintf(stderr, "  %s: %zu different, %zu broken\n", names[i], different, broken);
        zones++;
    }
    unsetenv("TZ");
    tzset();
    CHECK(zones > 300);
}
