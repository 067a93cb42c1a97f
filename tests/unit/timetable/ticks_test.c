/*
 * Ticks in zones: against a model that places every reading of the wall clock by itself, and for
 * every zone of the database that ticks are one increasing row from both sides, so intervals tile
 * time.
 */
#include <stdlib.h>
#include "base/file.h"
#include "base/map.h"
#include "base/vec.h"
#include "language/timetable/ticks.h"
#include "tests/unit/test.h"

static struct ticker ticker_of(const char *text, const struct zone *zone, struct tick_policy policy)
{
    struct error err = {0};
    struct ticker ticker = {.zone = zone, .policy = policy};
    REQUIRE_OK(cron_parse(slice_of(text), &ticker.cron, &err), &err);
    ticker_start(&ticker, INT64_MIN);
    return ticker;
}

static const struct zone *zone_of(const char *name)
{
    struct error err = {0};
    const struct zone *zone = NULL;
    REQUIRE_OK(zone_load(name, &zone, &err), &err);
    return zone;
}

/* ---- the model ---- */

struct instants {
    int64_t *at;
    size_t count, capacity;
};

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bool allows(const struct cron *cron, const struct civil *c)
{
    return (cron->minutes >> c->minute & 1) && (cron->hours >> c->hour & 1) &&
           (cron_days_of_month(cron, c->year, c->month) >> c->day & 1);
}

/* What a policy makes of one reading of the clock. */
static void place(const struct ticker *ticker, const struct civil *c, struct instants *ret)
{
    struct zone_instants found = zone_from_civil(ticker->zone, c);
    enum tick_overlap overlap = ticker->policy.overlap;
    if (found.match == ZONE_GAP && !ticker->policy.shift_gap)
        return;
    if (found.match == ZONE_TWICE && overlap != TICK_SECOND)
        vec_push(ret, found.first_us / US_PER_SECOND);
    if (found.match != ZONE_TWICE || overlap != TICK_FIRST)
        vec_push(ret, found.second_us / US_PER_SECOND);
}

/* All ticks in [start_s, end_s), by the model. */
static struct instants model(const struct ticker *ticker, int64_t start_s, int64_t end_s)
{
    struct instants all = {0}, kept = {0};
    int64_t margin_s = 2 * 86400;
    for (int64_t s = (start_s - margin_s) / 60 * 60; s < end_s + margin_s; s += 60) {
        struct civil c = civil_from_us(s * US_PER_SECOND);
        if (allows(&ticker->cron, &c))
            place(ticker, &c, &all);
    }
    if (all.count)
        qsort(all.at, all.count, sizeof *all.at, compare);
    for (size_t i = 0; i < all.count; i++)
        if (all.at[i] >= start_s && all.at[i] < end_s && (i == 0 || all.at[i] != all.at[i - 1]))
            vec_push(&kept, all.at[i]);
    vec_done(&all);
    return kept;
}

static size_t differences(const struct ticker *ticker, int64_t start_s, int64_t end_s)
{
    struct instants want = model(ticker, start_s, end_s);
    size_t wrong = 0;
    int64_t from_s = start_s, to_s = end_s - 1, got_s;
    for (size_t i = 0; i < want.count; i++) {
        wrong += !ticker_next(ticker, from_s, &got_s) || got_s != want.at[i];
        from_s = want.at[i] + 1;
    }
    wrong += ticker_next(ticker, from_s, &got_s) && got_s < end_s;
    for (size_t i = want.count; i-- > 0;) {
        wrong += !ticker_previous(ticker, to_s, &got_s) || got_s != want.at[i];
        to_s = want.at[i] - 1;
    }
    wrong += ticker_previous(ticker, to_s, &got_s) && got_s >= start_s;
    vec_done(&want);
    return wrong;
}

static const char *const crons[] = {"*/20 1-3 * * *", "30 2 * * *", "0 0 * * *", "*/10 * * * *",
    "15 0,1,23 * * 0", "45 1-2 * * *", "0 12 L * *"};

static void check_model(const char *name, int year, int month, int day)
{
    int64_t at_s = days_from_civil(year, month, day) * 86400;
    for (size_t i = 0; i < ARRAY_SIZE(crons); i++)
        for (int k = 0; k < 6; k++) {
            struct tick_policy policy = {false, k % 2, (enum tick_overlap)(k / 2)};
            struct ticker ticker = ticker_of(crons[i], zone_of(name), policy);
            size_t wrong = differences(&ticker, at_s - 86400, at_s + 2 * 86400);
            if (!CHECK(wrong == 0))
                fprintf(stderr, "  %s in %s, policy %d: %zu wrong\n", crons[i], name, k, wrong);
        }
}

TEST(ticks_are_the_readings_of_the_clock_placed_by_the_policy)
{
    check_model("Europe/Berlin", 2024, 3, 31);
    check_model("Europe/Berlin", 2024, 10, 27);
    check_model("America/New_York", 2023, 11, 5);
    check_model("Australia/Lord_Howe", 2024, 4, 6);
    check_model("Australia/Lord_Howe", 2024, 10, 5);
    check_model("America/Sao_Paulo", 2018, 2, 18);
    check_model("America/Sao_Paulo", 2018, 11, 4);
    check_model("America/Havana", 2025, 11, 2);
    check_model("Antarctica/Troll", 2024, 3, 31);
    check_model("Antarctica/Troll", 2024, 10, 27);
    check_model("Asia/Pyongyang", 2015, 8, 14);
    check_model("America/Caracas", 2016, 5, 1);
    check_model("Pacific/Apia", 2011, 12, 30);
    check_model("Pacific/Kwajalein", 1993, 8, 20);
    check_model("Asia/Kathmandu", 1985, 12, 31);
    check_model("America/St_Johns", 2006, 10, 29);
}

/* ---- every zone ---- */

static size_t ticks_seen;

/* Ticks in [start_s, end_s) are the same row from the front, from behind and from between. */
static size_t count_disagreements(const struct ticker *ticker, int64_t start_s, int64_t end_s)
{
    size_t wrong = 0;
    int64_t tick_s, next_s, got_s;
    if (!ticker_next(ticker, start_s, &tick_s))
        return 1;
    while (tick_s < end_s) {
        if (!ticker_next(ticker, tick_s + 1, &next_s) || next_s <= tick_s)
            return wrong + 1;
        wrong += !ticker_previous(ticker, next_s - 1, &got_s) || got_s != tick_s;
        wrong += !ticker_previous(ticker, next_s, &got_s) || got_s != next_s;
        int64_t between_s = tick_s + 1 + (next_s - tick_s) / 2;
        wrong += !ticker_next(ticker, between_s, &got_s) || got_s != next_s;
        tick_s = next_s;
        ticks_seen++;
    }
    return wrong;
}

struct sample {
    const char *cron;
    int64_t before_s, after_s; /* how far to look around each change of the clock */
};
static const struct sample samples[] = {
    {"0 * * * *", 3 * 3600, 5 * 3600},
    {"*/20 1-3 * * *", 3 * 3600, 6 * 3600},
    {"30 2 * * *", 36 * 3600, 36 * 3600},
    {"57 * * * 2-6", 3 * 3600, 3 * 3600},
    {"0 0 * * 0", 86400, 86400},
};

static size_t check_changes(const struct ticker *ticker, const struct sample *sample)
{
    size_t wrong = 0;
    const int64_t until_s = days_from_civil(2030, 1, 1) * 86400;
    struct zone_span span = zone_span_at(ticker->zone, 0);
    for (; span.end_s < until_s; span = zone_span_at(ticker->zone, span.end_s))
        wrong += count_disagreements(
            ticker, span.end_s - sample->before_s, span.end_s + sample->after_s);
    return wrong;
}

/* True for the first zone with these bytes: the database has many names for some. */
static bool is_new(struct map *seen, struct arena *arena, const char *name)
{
    struct error err = {0};
    struct slice bytes;
    char hash[HASH_TEXT_SIZE];
    const char *path = path_join(arena, "/usr/share/zoneinfo", name);
    REQUIRE_OK(file_read(path, 1024 * 1024, arena, &bytes, &err), &err);
    hash_sha256(bytes.p, bytes.size, hash);
    return !map_set(seen, hash, seen);
}

TEST(intervals_tile_time_in_every_zone_of_the_database)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(map_freep) struct map *seen = map_new();
    struct error err = {0};
    const char **names;
    size_t count, zones = 0;
    int64_t year_start_s = days_from_civil(2024, 1, 1) * 86400;
    REQUIRE_OK(dir_list("/usr/share/zoneinfo", "", arena, &names, &count, &err), &err);
    for (size_t i = 0; i < count; i++) {
        if (names[i][0] < 'A' || names[i][0] > 'Z' || !is_new(seen, arena, names[i]))
            continue;
        zones++;
        for (size_t k = 0; k < ARRAY_SIZE(samples); k++) {
            bool elapsed = samples[k].cron[2] == '*' || samples[k].cron[3] == '*';
            struct tick_policy policy = {elapsed, true, TICK_SECOND};
            struct ticker ticker = ticker_of(samples[k].cron, zone_of(names[i]), policy);
            size_t wrong = check_changes(&ticker, &samples[k]);
            if (!elapsed)
                wrong += count_disagreements(&ticker, year_start_s, year_start_s + 366 * 86400);
            if (!CHECK(wrong == 0))
                fprintf(stderr, "  %s in %s: %zu wrong\n", samples[k].cron, names[i], wrong);
        }
    }
    CHECK(zones > 250 && ticks_seen > 1000000);
    printf("%zu zones, %zu ticks\n", zones, ticks_seen);
}

/* ---- elapsed time ---- */

static void check_elapsed(const char *text, const char *zone, const int64_t *want, size_t count)
{
    struct tick_policy policy = {.elapsed = true};
    struct ticker ticker = ticker_of(text, zone_of(zone), policy);
    int64_t got_s;
    for (size_t i = 0; i < count; i++) {
        CHECK(ticker_next(&ticker, i ? want[i - 1] + 1 : want[0], &got_s));
        CHECK_INT(got_s, want[i]);
        CHECK(ticker_previous(&ticker, i + 1 < count ? want[i + 1] - 1 : want[i], &got_s));
        CHECK_INT(got_s, want[i]);
    }
}

static int64_t at(int year, int month, int day, int hour, int minute)
{
    return civil_to_us(&(struct civil){year, month, day, hour, minute, 0, 0}) / US_PER_SECOND;
}

TEST(elapsed_time_reaches_over_a_change_from_the_last_tick_before_it)
{
    /* Saturday 23:57, then Tuesday 00:57 as many hours later: 01:57 of the clock set forward */
    const int64_t spring[] = {
        at(2024, 3, 30, 22, 57), at(2024, 4, 1, 23, 57), at(2024, 4, 2, 0, 57)};
    check_elapsed("57 * * * 2-6", "Europe/Berlin", spring, 3);
    /* and Monday 23:57 of the clock set back */
    const int64_t autumn[] = {
        at(2024, 10, 26, 21, 57), at(2024, 10, 28, 22, 57), at(2024, 10, 28, 23, 57)};
    check_elapsed("57 * * * 2-6", "Europe/Berlin", autumn, 3);
    /* a quarter of an hour: 23:45, then 00:15 on the clock that skipped to it */
    const int64_t kathmandu[] = {
        at(1985, 12, 31, 18, 15), at(1985, 12, 31, 18, 30), at(1985, 12, 31, 18, 45)};
    check_elapsed("*/15 * * * *", "Asia/Kathmandu", kathmandu, 3);
}

TEST(the_first_tick_is_reached_from_the_origin_in_elapsed_time)
{
    struct tick_policy policy = {.elapsed = true};
    struct ticker ticker = ticker_of("54 * 3 9 *", zone_of("Europe/Berlin"), policy);
    int64_t got_s, origin_s = at(2027, 12, 23, 13, 20);
    ticker_start(&ticker, origin_s);
    CHECK(ticker_next(&ticker, origin_s, &got_s));
    CHECK_INT(got_s, at(2028, 9, 2, 23, 54)); /* 00:54 read in winter */
    CHECK(ticker_next(&ticker, got_s + 1, &got_s));
    CHECK_INT(got_s, at(2028, 9, 3, 0, 54));
    CHECK(ticker_previous(&ticker, got_s - 1, &got_s));
    CHECK_INT(got_s, at(2028, 9, 2, 23, 54));
    CHECK(ticker_previous(&ticker, got_s - 1, &got_s));
    CHECK_INT(got_s, at(2027, 9, 3, 21, 54));
    CHECK(ticker_next(&ticker, at(2027, 10, 1, 0, 0), &got_s));
    CHECK_INT(got_s, at(2028, 9, 2, 23, 54));
    CHECK(ticker_previous(&ticker, at(2028, 9, 2, 23, 0), &got_s));
    CHECK_INT(got_s, at(2027, 9, 3, 21, 54));
    /* an origin behind the last tick of all */
    ticker_start(&ticker, at(9999, 12, 1, 0, 0));
    CHECK(!ticker_next(&ticker, at(9999, 12, 1, 0, 0), &got_s));
    CHECK(ticker_previous(&ticker, INT64_MAX, &got_s));
    CHECK_INT(got_s, at(9999, 9, 3, 21, 54));
}
