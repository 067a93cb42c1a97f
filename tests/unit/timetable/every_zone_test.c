/*
 * Random schedules in every zone of the tz database, around the changes of its clock, against a
 * model that walks the wall clock minute by minute and knows nothing but the zone's offsets:
 * intervals tile time, strictly increasing, and no tick is lost or doubled except as the policy
 * says.  DAG_SEED chooses the schedules; DAG_LONG=1 takes more of them.
 */
#include <stdlib.h>
#include "base/file.h"
#include "base/map.h"
#include "base/vec.h"
#include "language/timetable/timetable.h"
#include "tests/unit/test.h"

enum { CHANGES_OF_A_ZONE = 3, SCHEDULES = 2, SCHEDULES_LONG = 40, MARGIN_S = 2 * 86400 };

static uint64_t random_state;

static uint64_t pick(uint64_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (random_state >> 33) % below;
}

/* ---- a random schedule ---- */

struct schedule {
    uint64_t minutes, hours, weekdays; /* those that are allowed */
    enum schedule_gap gap;
    enum schedule_overlap overlap;
};

static uint64_t random_set(uint64_t size, uint64_t at_most)
{
    uint64_t set = 0;
    for (uint64_t n = pick(at_most) + 1; n > 0; n--)
        set |= UINT64_C(1) << pick(size);
    return set;
}

static void write_set(struct strbuf *out, uint64_t set)
{
    const char *comma = "";
    for (int n = 0; n < 64; n++)
        if (set >> n & 1) {
            strbuf_printf(out, "%s%d", comma, n);
            comma = ",";
        }
}

static struct schedule random_schedule(void)
{
    return (struct schedule){.minutes = random_set(60, 3),
        .hours = pick(2) ? random_set(6, 4) : random_set(24, 6),
        .weekdays = pick(3) ? 127 : random_set(7, 4),
        .gap = SCHEDULE_GAP_SHIFT + (enum schedule_gap)pick(2),
        .overlap = SCHEDULE_OVERLAP_SECOND + (enum schedule_overlap)pick(3)};
}

static const char *cron_of(struct arena *arena, const struct schedule *schedule)
{
    struct strbuf text = {0};
    write_set(&text, schedule->minutes);
    strbuf_add_char(&text, ' ');
    write_set(&text, schedule->hours);
    strbuf_add_str(&text, " * * ");
    write_set(&text, schedule->weekdays);
    const char *cron = strbuf_to_arena(&text, arena);
    strbuf_done(&text);
    return cron;
}

/* ---- the model ---- */

struct instants {
    int64_t *at;
    size_t count, capacity;
};

static bool allows(const struct schedule *schedule, int64_t local_s)
{
    int64_t day = local_s / 86400 - (local_s % 86400 < 0), second = local_s - day * 86400;
    return schedule->minutes >> second / 60 % 60 & 1 && schedule->hours >> second / 3600 & 1 &&
           schedule->weekdays >> weekday_of_days(day) & 1;
}

/* The spans of the zone that a window touches. */
struct spans {
    struct zone_span at[64];
    size_t count;
};

static struct spans spans_of(const struct zone *zone, int64_t from_s, int64_t to_s)
{
    struct spans spans = {.count = 0};
    struct zone_span span = zone_span_at(zone, from_s);
    for (;;) {
        spans.at[spans.count++] = span;
        if (span.end_s >= to_s || spans.count == ARRAY_SIZE(spans.at))
            return spans;
        span = zone_span_at(zone, span.end_s);
    }
}

/* The instants that a reading of the clock stands for, as the policy has it. */
static void place(const struct schedule *schedule, const struct spans *spans, int64_t local_s,
    struct instants *out)
{
    int64_t found[64];
    size_t count = 0;
    for (size_t n = 0; n < spans->count; n++) {
        int64_t utc_s = local_s - spans->at[n].offset_s;
        if (utc_s >= spans->at[n].start_s && utc_s < spans->at[n].end_s)
            found[count++] = utc_s;
    }
    for (size_t n = 0; n + 1 < spans->count && !count; n++) {
        bool skipped = local_s >= spans->at[n].end_s + spans->at[n].offset_s &&
                       local_s < spans->at[n].end_s + spans->at[n + 1].offset_s;
        if (skipped && schedule->gap == SCHEDULE_GAP_SHIFT)
            vec_push(out, local_s - spans->at[n].offset_s);
    }
    bool both = schedule->overlap == SCHEDULE_OVERLAP_BOTH;
    for (size_t n = 0; n < count; n++)
        if (both || n == (schedule->overlap == SCHEDULE_OVERLAP_FIRST ? 0 : count - 1))
            vec_push(out, found[n]);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* All ticks in [from_s, to_s), each once, in order. */
static struct instants model(
    const struct schedule *schedule, const struct zone *zone, int64_t from_s, int64_t to_s)
{
    struct instants all = {0}, kept = {0};
    struct spans spans = spans_of(zone, from_s - 2 * MARGIN_S, to_s + 2 * MARGIN_S);
    int64_t first_s = (from_s - MARGIN_S) / 60 * 60;
    for (int64_t local_s = first_s; local_s < to_s + MARGIN_S; local_s += 60)
        if (allows(schedule, local_s))
            place(schedule, &spans, local_s, &all);
    if (all.count)
        qsort(all.at, all.count, sizeof *all.at, compare);
    for (size_t n = 0; n < all.count; n++)
        if (all.at[n] >= from_s && all.at[n] < to_s && (!n || all.at[n] != all.at[n - 1]))
            vec_push(&kept, all.at[n]);
    vec_done(&all);
    return kept;
}

/* ---- the comparison ---- */

static size_t ticks_seen;

/* Walks the runs of a window and compares them with the model; intervals must tile it. */
static size_t count_wrong(const struct timetable *timetable, const struct schedule *schedule,
    const struct zone *zone, int64_t from_s, int64_t to_s)
{
    struct instants want = model(schedule, zone, from_s, to_s);
    struct timetable_run run;
    size_t wrong = 0, n = 0;
    bool more = timetable_next(timetable, NULL, from_s * US_PER_SECOND, &run) == TIMETABLE_RUN;
    for (; more && run.logical_us < to_s * US_PER_SECOND; n++) {
        struct data_interval last = run.interval;
        wrong += n >= want.count || run.logical_us != want.at[n] * US_PER_SECOND;
        wrong += last.start_us != run.logical_us || last.end_us <= last.start_us;
        wrong += run.run_after_us != last.end_us;
        more = timetable_next(timetable, &last, TIME_MIN_US, &run) == TIMETABLE_RUN;
        wrong += more && run.interval.start_us != last.end_us;
    }
    wrong += n != want.count;
    ticks_seen += want.count;
    vec_done(&want);
    return wrong;
}

static size_t check_schedule(struct arena *arena, const struct zone *zone)
{
    struct error err;
    struct schedule schedule = random_schedule();
    const char *cron = cron_of(arena, &schedule);
    struct schedule_spec spec = {.form = SCHEDULE_TEXT,
        .texts = &cron,
        .text_count = 1,
        .gap = schedule.gap,
        .overlap = schedule.overlap};
    struct timetable *timetable = NULL;
    REQUIRE_OK(timetable_parse(arena, &spec, zone, &timetable, &err), &err);
    size_t wrong = 0;
    int64_t year_s = days_from_civil(1920 + (int)pick(130), 1, 1) * 86400;
    for (int n = 0; n < CHANGES_OF_A_ZONE; n++) {
        struct zone_span span = zone_span_at(zone, year_s);
        int64_t at_s = span.end_s == INT64_MAX ? year_s : span.end_s;
        wrong += count_wrong(timetable, &schedule, zone, at_s - MARGIN_S, at_s + MARGIN_S);
        year_s = at_s + 1;
    }
    if (wrong)
        fprintf(stderr, "  %s in %s, gap %d, overlap %d: %zu wrong\n", cron, zone_name(zone),
            (int)schedule.gap, (int)schedule.overlap, wrong);
    return wrong;
}

TEST(random_schedules_tile_time_in_every_zone_as_their_policy_says)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err = {0};
    const char **names;
    size_t count, zones = 0;
    int64_t seed = 1;
    int schedules = str_equal(getenv("DAG_LONG"), "1") ? SCHEDULES_LONG : SCHEDULES;
    if (getenv("DAG_SEED"))
        REQUIRE(parse_int64(slice_of(getenv("DAG_SEED")), &seed));
    printf("DAG_SEED=%lld\n", (long long)seed);
    random_state = (uint64_t)seed;
    REQUIRE_OK(dir_list("/usr/share/zoneinfo", "", arena, &names, &count, &err), &err);
    for (size_t n = 0; n < count; n++) {
        const struct zone *zone = NULL;
        if (names[n][0] < 'A' || names[n][0] > 'Z' || zone_load(names[n], &zone, &err))
            continue;
        zones++;
        for (int k = 0; k < schedules; k++)
            CHECK(check_schedule(arena, zone) == 0);
    }
    CHECK(zones > 400 && ticks_seen > 10000);
    printf("%zu zones, %zu ticks\n", zones, ticks_seen);
}
