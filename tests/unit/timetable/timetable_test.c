#include "language/timetable/timetable.h"
#include "tests/unit/test.h"

static struct arena *arena;
__attribute__((constructor)) static void make_arena(void)
{
    arena = arena_new();
}
__attribute__((destructor)) static void free_arena(void)
{
    arena_free(arena);
}

static int64_t utc(const char *text)
{
    struct error err = {0};
    int64_t us = 0;
    REQUIRE_OK(zone_parse_time(zone_utc(), slice_of(text), &us, NULL, &err), &err);
    return us;
}

static struct timetable *build(const char *zone_name, struct schedule_spec spec)
{
    struct error err = {0};
    const struct zone *zone = NULL;
    struct timetable *timetable = NULL;
    REQUIRE_OK(zone_load(zone_name, &zone, &err), &err);
    REQUIRE_OK(timetable_parse(arena, &spec, zone, &timetable, &err), &err);
    return timetable;
}

/* A schedule of one text, with start and end (NULL: none). */
static struct timetable *scheduled(
    const char *text, const char *zone, const char *start, const char *end)
{
    return build(zone, (struct schedule_spec){.form = SCHEDULE_TEXT,
                           .texts = &text,
                           .text_count = 1,
                           .start_date = start,
                           .end_date = end});
}

static void show(const char *what, struct data_interval got)
{
    char start[TIME_TEXT_SIZE], end[TIME_TEXT_SIZE];
    time_format_iso(got.start_us, start);
    time_format_iso(got.end_us, end);
    fprintf(stderr, "  %s: got %s – %s\n", what, start, end);
}

static void check_interval(struct data_interval got, const char *start, const char *end)
{
    if (!CHECK(got.start_us == utc(start) && got.end_us == utc(end)))
        show(start, got);
}

static void check_run(const struct timetable_run *got, const char *start, const char *end)
{
    check_interval(got->interval, start, end);
    CHECK_INT(got->logical_us, got->interval.start_us);
    CHECK_INT(got->run_after_us, got->interval.end_us);
}

/* Asks for the run after the one in *run, or the first when `start` is that of the first. */
static void check_next(const struct timetable *timetable, struct timetable_run *run, bool first,
    const char *start, const char *end)
{
    struct data_interval last = run->interval;
    if (CHECK_INT(timetable_next(timetable, first ? NULL : &last, TIME_MIN_US, run), TIMETABLE_RUN))
        check_run(run, start, end);
}

TEST(a_daily_run_covers_the_day_and_starts_at_its_end)
{
    struct timetable *daily = scheduled("@daily", "UTC", "2007-04-12", "2007-04-14");
    struct timetable_run run = {0};
    CHECK_INT(timetable_kind(daily), TIMETABLE_CRON);
    CHECK(timetable_has_intervals(daily));
    CHECK(timetable_zone(daily) == zone_utc());
    CHECK_INT(timetable_start_us(daily), utc("2007-04-12"));
    CHECK_INT(timetable_end_us(daily), utc("2007-04-14T23:59:59.999999"));
    check_next(daily, &run, true, "2007-04-12", "2007-04-13");
    check_next(daily, &run, false, "2007-04-13", "2007-04-14");
    check_next(daily, &run, false, "2007-04-14", "2007-04-15");
    CHECK_INT(timetable_next(daily, &run.interval, TIME_MIN_US, &run), TIMETABLE_NO_MORE);
}

TEST(cron_follows_the_wall_clock_and_durations_do_not)
{
    struct timetable_run run = {0};
    struct timetable *cron = scheduled("0 0 * * *", "Europe/Berlin", "2024-03-30", NULL);
    check_next(cron, &run, true, "2024-03-29T23:00", "2024-03-30T23:00");
    check_next(cron, &run, false, "2024-03-30T23:00", "2024-03-31T22:00");
    struct timetable *every = scheduled("1d", "Europe/Berlin", "2024-03-30", NULL);
    CHECK_INT(timetable_kind(every), TIMETABLE_EVERY);
    check_next(every, &run, true, "2024-03-29T23:00", "2024-03-30T23:00");
    check_next(every, &run, false, "2024-03-30T23:00", "2024-03-31T23:00");
}

TEST(an_interval_schedule_without_start_counts_from_1970)
{
    struct timetable *every = scheduled("45m", "UTC", NULL, NULL);
    struct timetable_run run;
    CHECK_INT(timetable_next(every, NULL, utc("1970-01-02T00:10"), &run), TIMETABLE_RUN);
    check_run(&run, "1970-01-02T00:45", "1970-01-02T01:30");
    CHECK_INT(timetable_next(every, NULL, utc("1969-12-31T23:50"), &run), TIMETABLE_RUN);
    check_run(&run, "1970-01-01", "1970-01-01T00:45");
}

TEST(without_a_start_date_the_first_run_is_from_the_given_time_on)
{
    struct timetable *daily = scheduled("@daily", "UTC", NULL, NULL);
    struct timetable_run run;
    CHECK_INT(timetable_next(daily, NULL, utc("2024-05-05T10:00"), &run), TIMETABLE_RUN);
    check_run(&run, "2024-05-06", "2024-05-07");
    CHECK_INT(timetable_next(daily, NULL, utc("2024-05-06"), &run), TIMETABLE_RUN);
    check_run(&run, "2024-05-06", "2024-05-07");
}

TEST(after_an_edit_the_next_interval_starts_where_the_last_ended)
{
    struct timetable *hourly = scheduled("@hourly", "UTC", "2024-01-01", NULL);
    struct timetable *every = scheduled("7h", "UTC", "2024-01-01", NULL);
    struct data_interval last = {utc("2024-05-05T08:30"), utc("2024-05-05T09:30")};
    struct timetable_run run = {last, 0, 0};
    check_next(hourly, &run, false, "2024-05-05T09:30", "2024-05-05T10:00");
    check_next(hourly, &run, false, "2024-05-05T10:00", "2024-05-05T11:00");
    run.interval = last;
    check_next(every, &run, false, "2024-05-05T09:30", "2024-05-05T10:00");
}

TEST(a_later_start_or_bound_leaves_the_time_before_it_out)
{
    struct timetable *daily = scheduled("@daily", "UTC", "2024-06-01", NULL);
    struct timetable_run run = {{utc("2024-05-05"), utc("2024-05-06")}, 0, 0};
    struct data_interval last = run.interval;
    check_next(daily, &run, false, "2024-06-01", "2024-06-02");
    CHECK_INT(timetable_next(daily, &last, utc("2024-07-01T12:00"), &run), TIMETABLE_RUN);
    check_run(&run, "2024-07-02", "2024-07-03");
}

TEST(a_trigger_runs_at_the_tick_with_an_empty_interval)
{
    const char *text = "0 6 * * *";
    struct timetable *trigger = build("Europe/Berlin", (struct schedule_spec){.form = SCHEDULE_TEXT,
                                                           .texts = &text,
                                                           .text_count = 1,
                                                           .trigger = true,
                                                           .start_date = "2024-05-05T06:00",
                                                           .end_date = "2024-05-06"});
    struct timetable_run run = {0};
    CHECK(!timetable_has_intervals(trigger));
    check_next(trigger, &run, true, "2024-05-05T04:00", "2024-05-05T04:00");
    check_next(trigger, &run, false, "2024-05-06T04:00", "2024-05-06T04:00");
    CHECK_INT(timetable_next(trigger, &run.interval, TIME_MIN_US, &run), TIMETABLE_NO_MORE);
    CHECK(timetable_latest(trigger, utc("2024-05-06T03:59"), &run));
    check_run(&run, "2024-05-05T04:00", "2024-05-05T04:00");
    CHECK(timetable_latest(trigger, utc("2024-05-06T04:00"), &run));
    check_run(&run, "2024-05-06T04:00", "2024-05-06T04:00");
    check_interval(timetable_interval_of(trigger, utc("2024-05-06T05:00")), "2024-05-06T04:00",
        "2024-05-06T04:00");
}

TEST(no_logical_date_comes_twice_when_a_trigger_becomes_an_interval)
{
    struct timetable *daily = scheduled("@daily", "UTC", "2024-05-01", NULL);
    struct timetable_run run = {{utc("2024-05-05"), utc("2024-05-05")}, 0, 0};
    check_next(daily, &run, false, "2024-05-06", "2024-05-07");
}

TEST(several_crons_run_at_the_ticks_of_each)
{
    const char *texts[] = {"0 6 * * *", "30 18 * * *", "@daily", "0 6 5 * *"};
    struct timetable *both = build("UTC",
        (struct schedule_spec){
            .form = SCHEDULE_TEXT, .texts = texts, .text_count = 4, .start_date = "2024-05-05"});
    struct timetable_run run = {0};
    check_next(both, &run, true, "2024-05-05T00:00", "2024-05-05T06:00");
    check_next(both, &run, false, "2024-05-05T06:00", "2024-05-05T18:30");
    check_next(both, &run, false, "2024-05-05T18:30", "2024-05-06T00:00");
    check_interval(timetable_interval_of(both, utc("2024-05-05T07:00")), "2024-05-05T00:00",
        "2024-05-05T06:00");
}

TEST(once_runs_once_at_its_start)
{
    struct timetable *once = scheduled("@once", "UTC", "2024-05-05", NULL);
    struct timetable_run run = {0};
    CHECK_INT(timetable_kind(once), TIMETABLE_ONCE);
    check_next(once, &run, true, "2024-05-05", "2024-05-05");
    CHECK_INT(timetable_next(once, &run.interval, TIME_MIN_US, &run), TIMETABLE_NO_MORE);
    CHECK(!timetable_latest(once, utc("2024-05-04"), &run));
    CHECK(timetable_latest(once, utc("2024-05-06"), &run));
    check_run(&run, "2024-05-05", "2024-05-05");
    CHECK_INT(timetable_count(once, utc("2024-01-01"), utc("2025-01-01"), 10), 1);
    check_interval(timetable_interval_of(once, utc("2024-06-01T01:00")), "2024-06-01T01:00",
        "2024-06-01T01:00");
}

TEST(once_without_a_start_runs_when_it_is_asked_for)
{
    struct timetable *once = scheduled("@once", "UTC", NULL, "2024-12-31");
    struct timetable_run run;
    CHECK_INT(timetable_next(once, NULL, TIME_MIN_US, &run), TIMETABLE_NO_MORE);
    CHECK_INT(timetable_next(once, NULL, utc("2024-06-01"), &run), TIMETABLE_RUN);
    check_run(&run, "2024-06-01", "2024-06-01");
    CHECK_INT(timetable_next(once, NULL, utc("2025-01-01"), &run), TIMETABLE_NO_MORE);
}

TEST(continuous_runs_follow_each_other_within_start_and_end)
{
    struct timetable *t = scheduled("@continuous", "UTC", "2024-05-05", "2024-05-05");
    struct timetable_run run;
    struct data_interval last = {utc("2024-05-05T10:00"), utc("2024-05-05T10:00")};
    CHECK_INT(timetable_next(t, NULL, TIME_MIN_US, &run), TIMETABLE_WHEN_IDLE);
    CHECK_INT(run.run_after_us, utc("2024-05-05"));
    CHECK_INT(timetable_next(t, &last, TIME_MIN_US, &run), TIMETABLE_WHEN_IDLE);
    CHECK_INT(run.run_after_us, utc("2024-05-05T10:00"));
    CHECK_INT(timetable_next(t, NULL, utc("2024-05-06"), &run), TIMETABLE_NO_MORE);
    CHECK(!timetable_latest(t, utc("2024-05-05T12:00"), &run));
    CHECK_INT(timetable_count(t, TIME_MIN_US, TIME_MAX_US, 10), 0);
}

TEST(a_schedule_by_hand_has_no_runs_and_empty_intervals)
{
    struct timetable *manual = build("UTC", (struct schedule_spec){0});
    struct timetable_run run;
    CHECK_INT(timetable_kind(manual), TIMETABLE_MANUAL);
    CHECK_INT(timetable_next(manual, NULL, utc("2024-01-01"), &run), TIMETABLE_NO_MORE);
    CHECK(!timetable_latest(manual, utc("2024-01-01"), &run));
    CHECK(!timetable_previous(manual, utc("2024-01-01"), &run));
    check_interval(timetable_interval_of(manual, utc("2024-01-01T05:00")), "2024-01-01T05:00",
        "2024-01-01T05:00");
}

TEST(a_list_of_dates_runs_at_each_once_in_order)
{
    const char *dates[] = {"2024-05-07", "2024-05-05T12:00", "2024-05-07", "2023-01-01"};
    struct timetable *t = build("Asia/Tokyo",
        (struct schedule_spec){
            .form = SCHEDULE_DATES, .texts = dates, .text_count = 4, .start_date = "2024-01-01"});
    struct timetable_run run = {0};
    CHECK_INT(timetable_kind(t), TIMETABLE_DATES);
    check_next(t, &run, true, "2024-05-05T03:00", "2024-05-05T03:00");
    check_next(t, &run, false, "2024-05-06T15:00", "2024-05-06T15:00");
    CHECK_INT(timetable_next(t, &run.interval, TIME_MIN_US, &run), TIMETABLE_NO_MORE);
    CHECK_INT(timetable_count(t, TIME_MIN_US, TIME_MAX_US, 10), 2);
    CHECK(timetable_previous(t, utc("2024-05-06T15:00"), &run));
    check_run(&run, "2024-05-05T03:00", "2024-05-05T03:00");
    check_interval(timetable_interval_of(t, utc("2022-01-01")), "2022-01-01", "2022-01-01");
}

/* ---- which interval a date means ---- */

TEST(a_date_that_starts_an_interval_means_that_interval)
{
    struct timetable *daily = scheduled("@daily", "UTC", "2024-05-05", "2024-05-10");
    check_interval(timetable_interval_of(daily, utc("2024-05-07")), "2024-05-07", "2024-05-08");
    /* outside of start and end too: a run by hand may be anywhere */
    check_interval(timetable_interval_of(daily, utc("2020-01-01")), "2020-01-01", "2020-01-02");
}

TEST(any_other_date_means_the_last_complete_interval_before_it)
{
    struct timetable *daily = scheduled("@daily", "UTC", "2024-05-05", NULL);
    check_interval(timetable_interval_of(daily, utc("2024-05-07T00:00:00.000001")), "2024-05-06",
        "2024-05-07");
    check_interval(
        timetable_interval_of(daily, utc("2024-05-07T23:59")), "2024-05-06", "2024-05-07");
    struct timetable *every = scheduled("90m", "UTC", "2024-05-05", NULL);
    check_interval(timetable_interval_of(every, utc("2024-05-05T04:00")), "2024-05-05T01:30",
        "2024-05-05T03:00");
}

TEST(the_latest_is_the_newest_complete_interval)
{
    struct timetable *daily = scheduled("@daily", "UTC", "2024-05-05", "2024-05-10");
    struct timetable_run run;
    CHECK(!timetable_latest(daily, utc("2024-05-05T23:59:59"), &run));
    CHECK(timetable_latest(daily, utc("2024-05-06"), &run));
    check_run(&run, "2024-05-05", "2024-05-06");
    CHECK(timetable_latest(daily, utc("2024-05-08T12:00"), &run));
    check_run(&run, "2024-05-07", "2024-05-08");
    CHECK(timetable_latest(daily, utc("2030-01-01"), &run));
    check_run(&run, "2024-05-10", "2024-05-11");
}

TEST(the_previous_run_is_the_newest_before_a_logical_date)
{
    struct timetable *daily = scheduled("@daily", "UTC", "2024-05-05", "2024-05-10");
    struct timetable_run run;
    CHECK(timetable_previous(daily, utc("2024-05-07"), &run));
    check_run(&run, "2024-05-06", "2024-05-07");
    CHECK(timetable_previous(daily, utc("2024-05-07T00:00:01"), &run));
    check_run(&run, "2024-05-07", "2024-05-08");
    CHECK(timetable_previous(daily, utc("2025-01-01"), &run));
    check_run(&run, "2024-05-10", "2024-05-11");
    CHECK(!timetable_previous(daily, utc("2024-05-05"), &run));
}

TEST(runs_are_counted_between_two_dates_both_included)
{
    struct timetable *daily = scheduled("@daily", "UTC", "2024-01-01", "2024-12-31");
    struct timetable *every = scheduled("6h", "UTC", "2024-01-01", NULL);
    CHECK_INT(timetable_count(daily, utc("2024-05-05"), utc("2024-05-07"), 100), 3);
    CHECK_INT(timetable_count(daily, utc("2024-05-05T00:00:01"), utc("2024-05-07"), 100), 2);
    CHECK_INT(timetable_count(daily, utc("2024-05-05"), utc("2024-05-07"), 2), 2);
    CHECK_INT(timetable_count(daily, TIME_MIN_US, TIME_MAX_US, 1000), 366);
    CHECK_INT(timetable_count(daily, utc("2024-05-07"), utc("2024-05-05"), 100), 0);
    CHECK_INT(timetable_count(every, utc("2024-05-05"), utc("2024-05-06"), 100), 5);
    CHECK_INT(timetable_count(every, TIME_MIN_US, TIME_MAX_US, 1000), 1000);
}

TEST(a_backfill_walks_from_date_to_date)
{
    struct timetable *weekly = scheduled("@weekly", "UTC", "2024-01-01", NULL);
    struct timetable_run run;
    size_t count = 0;
    int64_t to_us = utc("2024-02-04");
    enum timetable_answer answer = timetable_next(weekly, NULL, utc("2024-01-14"), &run);
    while (answer == TIMETABLE_RUN && run.logical_us <= to_us) {
        count++;
        answer = timetable_next(weekly, &run.interval, TIME_MIN_US, &run);
    }
    CHECK_INT(count, 4);
    CHECK_INT(timetable_count(weekly, utc("2024-01-14"), to_us, 100), 4);
}

/* ---- changes of the clock ---- */

static void check_policy(enum schedule_gap gap, enum schedule_overlap overlap, const char *day,
    const char *const *want, size_t count)
{
    const char *text = "30 2 * * *";
    struct timetable *t = build("Europe/Berlin", (struct schedule_spec){.form = SCHEDULE_TEXT,
                                                     .texts = &text,
                                                     .text_count = 1,
                                                     .trigger = true,
                                                     .gap = gap,
                                                     .overlap = overlap,
                                                     .start_date = day});
    struct timetable_run run = {0};
    for (size_t i = 0; i < count; i++)
        check_next(t, &run, i == 0, want[i], want[i]);
}

TEST(the_policy_says_what_a_skipped_time_does)
{
    const char *shift[] = {"2024-03-30T01:30", "2024-03-31T01:30", "2024-04-01T00:30"};
    const char *skip[] = {"2024-03-30T01:30", "2024-04-01T00:30"};
    check_policy(SCHEDULE_GAP_DEFAULT, SCHEDULE_OVERLAP_DEFAULT, "2024-03-30", shift, 3);
    check_policy(SCHEDULE_GAP_SHIFT, SCHEDULE_OVERLAP_FIRST, "2024-03-30", shift, 3);
    check_policy(SCHEDULE_GAP_SKIP, SCHEDULE_OVERLAP_DEFAULT, "2024-03-30", skip, 2);
}

TEST(the_policy_says_which_of_two_equal_times_counts)
{
    const char *second[] = {"2024-10-26T00:30", "2024-10-27T01:30", "2024-10-28T01:30"};
    const char *first[] = {"2024-10-26T00:30", "2024-10-27T00:30", "2024-10-28T01:30"};
    const char *both[] = {
        "2024-10-26T00:30", "2024-10-27T00:30", "2024-10-27T01:30", "2024-10-28T01:30"};
    check_policy(SCHEDULE_GAP_DEFAULT, SCHEDULE_OVERLAP_DEFAULT, "2024-10-26", second, 3);
    check_policy(SCHEDULE_GAP_DEFAULT, SCHEDULE_OVERLAP_SECOND, "2024-10-26", second, 3);
    check_policy(SCHEDULE_GAP_DEFAULT, SCHEDULE_OVERLAP_FIRST, "2024-10-26", first, 3);
    check_policy(SCHEDULE_GAP_DEFAULT, SCHEDULE_OVERLAP_BOTH, "2024-10-26", both, 4);
}

TEST(hourly_runs_follow_elapsed_time_through_half_an_hour)
{
    /* Lord Howe, set back by half an hour at 15:00 UTC: then at full hours of the clock again */
    struct timetable *t =
        scheduled("@hourly", "Australia/Lord_Howe", "2024-04-07T00:00:00+11:00", NULL);
    struct timetable_run run = {0};
    check_next(t, &run, true, "2024-04-06T13:00", "2024-04-06T14:00");
    check_next(t, &run, false, "2024-04-06T14:00", "2024-04-06T15:00");
    check_next(t, &run, false, "2024-04-06T15:00", "2024-04-06T15:30");
    check_next(t, &run, false, "2024-04-06T15:30", "2024-04-06T16:30");
}

TEST(hourly_runs_take_a_chosen_policy_instead)
{
    const char *text = "30 * * * *";
    struct timetable *t = build("Europe/Berlin", (struct schedule_spec){.form = SCHEDULE_TEXT,
                                                     .texts = &text,
                                                     .text_count = 1,
                                                     .overlap = SCHEDULE_OVERLAP_FIRST,
                                                     .start_date = "2024-10-27T01:30"});
    struct timetable_run run = {0};
    check_next(t, &run, true, "2024-10-26T23:30", "2024-10-27T00:30");
    check_next(t, &run, false, "2024-10-27T00:30", "2024-10-27T02:30");
}

TEST(times_that_fall_together_are_one_tick)
{
    struct timetable *t = scheduled("15 1,2,3 * * *", "America/New_York", "2023-03-12", NULL);
    struct timetable_run run = {0};
    check_next(t, &run, true, "2023-03-12T06:15", "2023-03-12T07:15");
    check_next(t, &run, false, "2023-03-12T07:15", "2023-03-13T05:15");
}

/* ---- calendars ---- */

static struct timetable *with_calendar(enum schedule_holiday on_holiday, bool trigger)
{
    static const char *text = "0 9 * * 1-5";
    /* Thursday to Monday around Easter, the Saturday and Sunday too, in any order */
    static const char *const calendar[] = {
        "2024-04-01", "2024-03-29", "2024-03-30", "2024-03-31", "2024-03-28", "2024-03-29"};
    return build("Europe/Berlin", (struct schedule_spec){.form = SCHEDULE_TEXT,
                                      .texts = &text,
                                      .text_count = 1,
                                      .trigger = trigger,
                                      .calendar = calendar,
                                      .calendar_count = ARRAY_SIZE(calendar),
                                      .on_holiday = on_holiday,
                                      .start_date = "2024-03-26"});
}

TEST(holidays_are_left_out_and_their_interval_is_longer)
{
    struct timetable_run run = {0};
    struct timetable *t = with_calendar(SCHEDULE_HOLIDAY_SKIP, false);
    check_next(t, &run, true, "2024-03-26T08:00", "2024-03-27T08:00");
    check_next(t, &run, false, "2024-03-27T08:00", "2024-04-02T07:00");
    check_next(t, &run, false, "2024-04-02T07:00", "2024-04-03T07:00");
}

TEST(holidays_can_move_to_the_next_or_the_previous_day)
{
    static const char *text = "0 9 1 * *";
    static const char *const calendar[] = {"2024-03-31", "2024-04-01"};
    struct schedule_spec spec = {.form = SCHEDULE_TEXT,
        .texts = &text,
        .text_count = 1,
        .trigger = true,
        .calendar = calendar,
        .calendar_count = 2,
        .on_holiday = SCHEDULE_HOLIDAY_NEXT,
        .start_date = "2024-03-02"};
    struct timetable_run run = {0};
    check_next(build("UTC", spec), &run, true, "2024-04-02T09:00", "2024-04-02T09:00");
    spec.on_holiday = SCHEDULE_HOLIDAY_PREVIOUS;
    struct timetable *previous = build("UTC", spec);
    check_next(previous, &run, true, "2024-03-30T09:00", "2024-03-30T09:00");
    check_next(previous, &run, false, "2024-05-01T09:00", "2024-05-01T09:00");
}

TEST(moved_runs_that_meet_others_are_one)
{
    struct timetable_run run = {0};
    struct timetable *t = with_calendar(SCHEDULE_HOLIDAY_NEXT, true);
    check_next(t, &run, true, "2024-03-26T08:00", "2024-03-26T08:00");
    check_next(t, &run, false, "2024-03-27T08:00", "2024-03-27T08:00");
    check_next(t, &run, false, "2024-04-02T07:00", "2024-04-02T07:00");
    check_next(t, &run, false, "2024-04-03T07:00", "2024-04-03T07:00");
}

/* The day that a tick of `day` moves to, as the page on schedules says it: day by day. */
static int64_t moved_day(int64_t day, const bool *holiday, size_t count, int step)
{
    while (day >= 0 && day < (int64_t)count && holiday[day])
        day += step;
    return day;
}

/* Random calendars over a daily schedule of `weekdays` (bit 0: Thursday, as 1970-01-01 was): the
   ticks are those of the plain schedule, each where the calendar puts it, none lost or doubled. */
TEST(a_calendar_moves_or_leaves_out_ticks_and_nothing_else)
{
    enum { DAYS = 120, ROUNDS = 400 };
    static const int steps[] = {[SCHEDULE_HOLIDAY_NEXT] = 1, [SCHEDULE_HOLIDAY_PREVIOUS] = -1};
    static const char *const names[] = {"THU", "FRI", "SAT", "SUN", "MON", "TUE", "WED"};
    uint64_t random = 20261121;
    size_t wrong = 0;
    for (int round = 0; round < ROUNDS; round++) {
        CLEANUP(arena_freep) struct arena *scratch = arena_new();
        bool holiday[DAYS] = {0}, expected[DAYS] = {0};
        const char *calendar[DAYS];
        size_t holiday_count = 0;
        unsigned weekdays = 0;
        struct strbuf cron = {0};
        enum schedule_holiday on_holiday = (enum schedule_holiday)(round % 3);
        for (int i = 0; i < 7; i++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            if (random >> 62 && (i < 6 || weekdays))
                continue;
            strbuf_printf(&cron, "%s%s", weekdays ? "," : "30 6 * * ", names[i]);
            weekdays |= 1u << i;
        }
        for (int64_t day = 1; day < DAYS - 1; day++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            holiday[day] = random >> 62 == 0 || (holiday[day - 1] && random >> 63);
            char text[TIME_TEXT_SIZE];
            time_format_iso(day * US_PER_DAY, text);
            if (holiday[day])
                calendar[holiday_count++] = arena_strndup(scratch, text, 10);
        }
        for (int64_t day = 0; day < DAYS; day++) {
            bool skipped = holiday[day] && on_holiday == SCHEDULE_HOLIDAY_SKIP;
            if (!(weekdays >> day % 7 & 1) || skipped)
                continue;
            int64_t to = moved_day(day, holiday, DAYS, steps[on_holiday]);
            expected[to] = true;
        }
        struct timetable *t = build("UTC", (struct schedule_spec){.form = SCHEDULE_TEXT,
                                               .texts = (const char *const *)&cron.text,
                                               .text_count = 1,
                                               .calendar = calendar,
                                               .calendar_count = holiday_count,
                                               .on_holiday = on_holiday,
                                               .start_date = "1970-01-01"});
        struct timetable_run run;
        enum timetable_answer answer = timetable_next(t, NULL, TIME_MIN_US, &run);
        int64_t covered_us = run.interval.start_us;
        for (int64_t day = 0; day < DAYS; day++) {
            int64_t tick_us = day * US_PER_DAY + 6 * US_PER_HOUR + 30 * US_PER_MINUTE;
            bool there = answer == TIMETABLE_RUN && run.logical_us == tick_us;
            wrong += there != expected[day];
            if (!there)
                continue;
            wrong += run.interval.start_us != covered_us || run.interval.end_us <= tick_us;
            covered_us = run.interval.end_us;
            struct data_interval last = run.interval;
            answer = timetable_next(t, &last, TIME_MIN_US, &run);
        }
        strbuf_done(&cron);
    }
    CHECK_INT(wrong, 0);
}

TEST(a_calendar_may_leave_nothing_between_start_and_end)
{
    static const char *text = "0 9 * * *";
    static const char *const calendar[] = {"2026-12-25", "2026-12-26"};
    struct timetable *t = build("UTC", (struct schedule_spec){.form = SCHEDULE_TEXT,
                                           .texts = &text,
                                           .text_count = 1,
                                           .calendar = calendar,
                                           .calendar_count = 2,
                                           .start_date = "2026-12-25",
                                           .end_date = "2026-12-26"});
    struct timetable_run run;
    CHECK_INT(timetable_next(t, NULL, TIME_MIN_US, &run), TIMETABLE_NO_MORE);
}

/* ---- all questions together ---- */

static bool same(struct data_interval a, struct data_interval b)
{
    return a.start_us == b.start_us && a.end_us == b.end_us;
}

/* Walks `count` runs from the start; every other question must give the same runs. */
static size_t count_disagreements(const struct timetable *t, size_t count)
{
    size_t wrong = 0;
    struct timetable_run run, next, other;
    if (timetable_next(t, NULL, TIME_MIN_US, &run) != TIMETABLE_RUN)
        return 1;
    int64_t first_us = run.logical_us;
    for (size_t i = 1; i <= count; i++) {
        if (timetable_next(t, &run.interval, TIME_MIN_US, &next) != TIMETABLE_RUN)
            return wrong + 1;
        wrong += timetable_has_intervals(t) && next.interval.start_us != run.interval.end_us;
        wrong += next.logical_us <= run.logical_us;
        wrong += !same(timetable_interval_of(t, run.logical_us), run.interval);
        wrong += !same(timetable_interval_of(t, next.run_after_us - 1), run.interval);
        wrong += timetable_next(t, NULL, run.logical_us, &other) != TIMETABLE_RUN ||
                 !same(other.interval, run.interval);
        wrong += timetable_next(t, NULL, run.logical_us + 1, &other) != TIMETABLE_RUN ||
                 !same(other.interval, next.interval);
        wrong +=
            !timetable_latest(t, run.run_after_us, &other) || !same(other.interval, run.interval);
        wrong += !timetable_latest(t, next.run_after_us - 1, &other) ||
                 !same(other.interval, run.interval);
        wrong +=
            !timetable_previous(t, next.logical_us, &other) || !same(other.interval, run.interval);
        wrong += timetable_count(t, first_us, run.logical_us, count + 1) != i;
        run = next;
    }
    return wrong;
}

TEST(every_question_gives_the_same_runs)
{
    static const struct {
        const char *schedule, *zone, *start;
    } cases[] = {
        {"@hourly", "Australia/Lord_Howe", "2024-04-05"},
        {"@daily", "America/Havana", "2025-10-20"},
        {"*/20 1-3 * * *", "Europe/Berlin", "2024-03-29"},
        {"57 * * * 2-6", "Europe/Berlin", "2024-03-25"},
        {"54 * 21-22/1 9 SUN", "Europe/Berlin", "2027-12-23T14:20"},
        {"0,5,46 * 11-20/4 MAY *", "Australia/Lord_Howe", "2026-02-06"},
        {"0 0 29 2 *", "America/New_York", "1999-01-01"},
        {"90m", "UTC", "2024-02-28T00:00:00.5"},
        {"0 0 30 12 *", "Pacific/Apia", "2005-01-01"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *zone = cases[i].zone, *start = cases[i].start;
        size_t wrong = count_disagreements(scheduled(cases[i].schedule, zone, start, NULL), 150);
        if (!CHECK(wrong == 0))
            fprintf(stderr, "  %s: %zu wrong\n", cases[i].schedule, wrong);
    }
    CHECK_INT(count_disagreements(with_calendar(SCHEDULE_HOLIDAY_SKIP, false), 50), 0);
    CHECK_INT(count_disagreements(with_calendar(SCHEDULE_HOLIDAY_NEXT, false), 50), 0);
    CHECK_INT(count_disagreements(with_calendar(SCHEDULE_HOLIDAY_PREVIOUS, true), 50), 0);
}

/* ---- total functions ---- */

static void check_total(const struct timetable *t)
{
    static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, INT64_C(-62135596800000000),
        INT64_C(-62135596800000001), -1, 0, 1, INT64_C(253402300799999999),
        INT64_C(253402300800000000), INT64_MAX - 1, INT64_MAX};
    size_t wrong = 0;
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        struct timetable_run run;
        for (size_t k = i; k < ARRAY_SIZE(times); k++) {
            struct data_interval last = {times[i], times[k]};
            if (timetable_next(t, &last, TIME_MIN_US, &run) == TIMETABLE_RUN)
                wrong +=
                    run.interval.start_us > run.interval.end_us || run.logical_us <= last.start_us;
            wrong += timetable_count(t, times[i], times[k], 3) > 3;
        }
        if (timetable_next(t, NULL, times[i], &run) == TIMETABLE_RUN)
            wrong += run.logical_us < times[i];
        if (timetable_latest(t, times[i], &run))
            wrong += run.run_after_us > times[i];
        if (timetable_previous(t, times[i], &run))
            wrong += run.logical_us >= times[i];
        struct data_interval interval = timetable_interval_of(t, times[i]);
        wrong += interval.start_us > interval.end_us || interval.start_us > times[i];
    }
    CHECK_INT(wrong, 0);
}

TEST(every_question_ends_at_the_ends_of_time)
{
    static const char *const texts[] = {"* * * * *", "0 0 29 2 *", "59 23 31 12 *", "0 0 * 2 4#5",
        "1s", "36525d", "@once", "@continuous", "* * 29 2 *", "0 0-22 29 2 *"};
    static const char *const zones[] = {"UTC", "America/New_York", "Pacific/Apia"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        for (size_t z = 0; z < ARRAY_SIZE(zones); z++) {
            check_total(scheduled(texts[i], zones[z], NULL, NULL));
            check_total(scheduled(texts[i], zones[z], "0001-01-01", "9999-12-31"));
        }
}
