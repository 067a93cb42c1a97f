#include "base/file.h"
#include "language/timetable/limits.h"
#include "language/timetable/timetable.h"
#include "tests/unit/test.h"

static enum status parse(
    struct arena *arena, struct schedule_spec spec, struct timetable **ret, struct error *err)
{
    return timetable_parse(arena, &spec, zone_utc(), ret, err);
}

static struct schedule_spec text_spec(const char *const *text)
{
    return (struct schedule_spec){.form = SCHEDULE_TEXT, .texts = text, .text_count = 1};
}

/* The first two ticks of a schedule from 2024-01-02T00:00:30 on. */
static void check_preset(const char *text, const char *first, const char *second)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err = {0};
    struct timetable *timetable;
    struct timetable_run run;
    char start[TIME_TEXT_SIZE], end[TIME_TEXT_SIZE];
    if (!CHECK_OK(timetable_parse_text(arena, text, zone_utc(), &timetable, &err), &err))
        return;
    CHECK_INT(timetable_next(timetable, NULL, INT64_C(1704153630000000), &run), TIMETABLE_RUN);
    time_format_iso(run.interval.start_us, start);
    time_format_iso(run.interval.end_us, end);
    CHECK(strncmp(start, first, 16) == 0 && strncmp(end, second, 16) == 0);
}

TEST(presets_mean_what_airflow_means)
{
    check_preset("@hourly", "2024-01-02T01:00", "2024-01-02T02:00");
    check_preset("@daily", "2024-01-03T00:00", "2024-01-04T00:00");
    check_preset("@midnight", "2024-01-03T00:00", "2024-01-04T00:00");
    check_preset("@weekly", "2024-01-07T00:00", "2024-01-14T00:00");
    check_preset("@monthly", "2024-02-01T00:00", "2024-03-01T00:00");
    check_preset("@quarterly", "2024-04-01T00:00", "2024-07-01T00:00");
    check_preset("@yearly", "2025-01-01T00:00", "2026-01-01T00:00");
    check_preset("@annually", "2025-01-01T00:00", "2026-01-01T00:00");
    check_preset("  @daily ", "2024-01-03T00:00", "2024-01-04T00:00");
    check_preset("90m", "2024-01-02T01:30", "2024-01-02T03:00");
    check_preset("1h30m", "2024-01-02T01:30", "2024-01-02T03:00");
}

TEST(every_preset_has_its_row_in_the_documentation)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err = {0};
    struct slice text;
    static const char *const presets[] = {"@hourly", "@daily", "@midnight", "@weekly", "@monthly",
        "@quarterly", "@yearly", "@annually", "@once", "@continuous"};
    REQUIRE_OK(
        file_read(DAG_SOURCE_DIR "/docs/schedules.md", 1024 * 1024, arena, &text, &err), &err);
    for (size_t i = 0; i < ARRAY_SIZE(presets); i++)
        CHECK(strstr(text.p, arena_printf(arena, "| `\"%s\"`", presets[i])) != NULL);
    /* and the table has no others */
    REQUIRE_OK(file_read(DAG_SOURCE_DIR "/language/timetable/timetable_parse.c", 1024 * 1024, arena,
                   &text, &err),
        &err);
    size_t rows = 0;
    for (const char *p = text.p; (p = strstr(p, "    {\"@")); p++)
        rows++;
    CHECK_INT(rows, ARRAY_SIZE(presets));
}

/* ---- mistakes ---- */

static void check_mistake(struct schedule_spec spec, enum status want, const char *message,
    const char *hint, enum schedule_part part, size_t index)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err = {0};
    struct timetable *timetable = NULL;
    struct schedule_place place = {SCHEDULE_PART_TEXT, 99};
    spec.place = &place;
    CHECK_INT(parse(arena, spec, &timetable, &err), want);
    CHECK(timetable == NULL);
    CHECK_INT(place.part, part);
    CHECK_INT(place.index, index);
    if (!CHECK(strstr(err.message, message) && strstr(err.hint, hint)))
        fprintf(stderr, "  got: %s; %s\n", err.message, err.hint);
}

static void check_text(const char *text, enum status want, const char *message, const char *hint)
{
    check_mistake(text_spec(&text), want, message, hint, SCHEDULE_PART_TEXT, 0);
}

TEST(a_text_that_is_no_schedule_says_what_to_write)
{
    check_text("@fortnightly", ERR_SCHEDULE_INVALID, "'@fortnightly' is no schedule", "@daily");
    check_text("@dialy", ERR_SCHEDULE_INVALID, "no schedule", "did you mean \"@daily\"?");
    check_text("daily", ERR_SCHEDULE_INVALID, "no schedule", "did you mean \"@daily\"?");
    check_text("", ERR_SCHEDULE_INVALID, "no schedule", "preset");
    check_text("300", ERR_SCHEDULE_INVALID, "'300' is not a duration", "300s");
    check_text("5x", ERR_SCHEDULE_INVALID, "'5x' is not a duration", "5m");
    check_text("-5m", ERR_SCHEDULE_INVALID, "'-5m' is not a duration", "negative");
    check_text("0s", ERR_SCHEDULE_INVALID, "too short", "1s");
    check_text("250ms", ERR_SCHEDULE_INVALID, "too short", "1s");
    check_text("36526d", ERR_SCHEDULE_INVALID, "too long", "docs/schedules.md");
    check_text("0 0 30 2 *", ERR_SCHEDULE_NEVER, "such a day", "change the day");
    check_text("0 24 * * *", ERR_SCHEDULE_INVALID, "'24' is no hour", "0 to 23");
}

TEST(a_mistake_has_its_column_in_the_text_as_it_was_written)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err = {0};
    struct timetable *timetable;
    CHECK(timetable_parse_text(arena, "  0 24 * * *", zone_utc(), &timetable, &err) != OK);
    CHECK_INT(err.place.column, 5);
    CHECK_STR(err.excerpt, "  0 24 * * *");
    CHECK(timetable_parse_text(arena, "  90x", zone_utc(), &timetable, &err) != OK);
    CHECK_INT(err.place.column, 3);
    CHECK_STR(err.excerpt, "  90x");
}

TEST(a_list_holds_cron_only_and_names_its_wrong_item)
{
    const char *durations[] = {"@daily", "90m"}, *once[] = {"@once", "@daily"};
    const char *wrong[] = {"@daily", "0 6 * * *", "0 6 * *"};
    struct schedule_spec spec = {.form = SCHEDULE_TEXT, .texts = durations, .text_count = 2};
    check_mistake(
        spec, ERR_SCHEDULE_INVALID, "cron expressions only", "alone", SCHEDULE_PART_TEXT, 1);
    spec.texts = once;
    check_mistake(
        spec, ERR_SCHEDULE_INVALID, "cron expressions only", "alone", SCHEDULE_PART_TEXT, 0);
    spec.texts = wrong;
    spec.text_count = 3;
    check_mistake(spec, ERR_SCHEDULE_INVALID, "five fields", "minute", SCHEDULE_PART_TEXT, 2);
    spec.text_count = 0;
    check_mistake(spec, ERR_SCHEDULE_NEVER, "empty list", "null", SCHEDULE_PART_TEXT, 0);
}

TEST(options_of_cron_go_with_cron_only)
{
    const char *text = "90m", *dates[] = {"2024-01-01"}, *calendar[] = {"2024-12-25"};
    struct schedule_spec spec = text_spec(&text);
    spec.trigger = true;
    check_mistake(spec, ERR_SCHEDULE_INVALID, "with cron only", "leave", SCHEDULE_PART_TEXT, 0);
    spec = text_spec(dates);
    spec.form = SCHEDULE_DATES;
    spec.gap = SCHEDULE_GAP_SKIP;
    check_mistake(spec, ERR_SCHEDULE_INVALID, "with cron only", "leave", SCHEDULE_PART_TEXT, 0);
    spec = text_spec(&text);
    spec.calendar = calendar;
    spec.calendar_count = 1;
    check_mistake(spec, ERR_SCHEDULE_INVALID, "with cron only", "leave", SCHEDULE_PART_TEXT, 0);
}

TEST(wrong_dates_name_the_part_they_are_in)
{
    const char *text = "@daily", *dates[] = {"2024-01-01", "2024-02-30"};
    const char *calendar[] = {"2024-12-25", "Christmas"}, *times[] = {"2024-12-25T12:00"};
    struct schedule_spec spec = text_spec(&text);
    spec.start_date = "yesterday";
    check_mistake(spec, ERR_SCHEDULE_INVALID, "not a date", "2007-04-12", SCHEDULE_PART_START, 0);
    spec = text_spec(&text);
    spec.end_date = "2024-13-01";
    check_mistake(
        spec, ERR_SCHEDULE_INVALID, "does not exist", "docs/schedules.md", SCHEDULE_PART_END, 0);
    spec.start_date = "2024-01-02";
    spec.end_date = "2024-01-01";
    check_mistake(
        spec, ERR_SCHEDULE_INVALID, "is before start_date", "inclu", SCHEDULE_PART_END, 0);
    spec = (struct schedule_spec){.form = SCHEDULE_DATES, .texts = dates, .text_count = 2};
    check_mistake(
        spec, ERR_SCHEDULE_INVALID, "does not exist", "docs/schedules.md", SCHEDULE_PART_TEXT, 1);
    spec = text_spec(&text);
    spec.calendar = calendar;
    spec.calendar_count = 2;
    check_mistake(spec, ERR_SCHEDULE_INVALID, "not a date", "", SCHEDULE_PART_CALENDAR, 1);
    spec.calendar = times;
    spec.calendar_count = 1;
    check_mistake(
        spec, ERR_SCHEDULE_INVALID, "is a time", "a day alone", SCHEDULE_PART_CALENDAR, 0);
}

TEST(the_last_day_may_be_the_first)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err = {0};
    struct timetable *timetable;
    const char *text = "@daily";
    struct schedule_spec spec = text_spec(&text);
    spec.start_date = spec.end_date = "2024-01-01";
    REQUIRE_OK(parse(arena, spec, &timetable, &err), &err);
    CHECK_INT(timetable_count(timetable, TIME_MIN_US, TIME_MAX_US, 10), 1);
}

TEST(ceilings_are_errors)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err = {0};
    struct timetable *timetable;
    const char **texts = arena_array(arena, const char *, SCHEDULE_DATES_MAX + 1);
    for (size_t i = 0; i <= SCHEDULE_DATES_MAX; i++)
        texts[i] = "2024-01-01";
    struct schedule_spec spec = {
        .form = SCHEDULE_DATES, .texts = texts, .text_count = SCHEDULE_DATES_MAX + 1};
    CHECK_INT(parse(arena, spec, &timetable, &err), ERR_LIMIT);
    spec.form = SCHEDULE_TEXT;
    spec.text_count = SCHEDULE_CRONS_MAX + 1;
    CHECK_INT(parse(arena, spec, &timetable, &err), ERR_LIMIT);
    const char *daily = "@daily";
    spec = text_spec(&daily);
    spec.calendar = texts;
    spec.calendar_count = SCHEDULE_CALENDAR_MAX + 1;
    CHECK_INT(parse(arena, spec, &timetable, &err), ERR_LIMIT);
    struct strbuf longest = {0};
    strbuf_add_repeat(&longest, '*', SCHEDULE_TEXT_MAX + 1);
    CHECK_INT(timetable_parse_text(arena, longest.text, zone_utc(), &timetable, &err), ERR_LIMIT);
    strbuf_done(&longest);
}

TEST(a_file_of_dates_has_one_a_line_and_comments)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err = {0};
    const char *const *dates;
    const uint32_t *lines;
    size_t count;
    struct slice text =
        slice_of("# holidays\n2024-12-25  # Christmas\r\n\n  2024-12-26\n2025-01-01");
    CHECK_OK(timetable_read_dates(arena, text, &dates, &lines, &count, &err), &err);
    REQUIRE(count == 3);
    CHECK_STR(dates[0], "2024-12-25");
    CHECK_STR(dates[1], "2024-12-26");
    CHECK_STR(dates[2], "2025-01-01");
    CHECK_INT(lines[0], 2);
    CHECK_INT(lines[1], 4);
    CHECK_INT(lines[2], 5);
    CHECK_OK(timetable_read_dates(arena, slice_of(""), &dates, &lines, &count, &err), &err);
    CHECK_INT(count, 0);
}

TEST(a_file_of_too_many_dates_is_refused)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err = {0};
    struct strbuf text = {0};
    const char *const *dates;
    const uint32_t *lines;
    size_t count;
    for (size_t i = 0; i <= SCHEDULE_DATES_MAX; i++)
        strbuf_add_str(&text, "x\n");
    struct slice all = slice_make(text.text, text.size);
    CHECK_INT(timetable_read_dates(arena, all, &dates, &lines, &count, &err), ERR_LIMIT);
    strbuf_done(&text);
}
