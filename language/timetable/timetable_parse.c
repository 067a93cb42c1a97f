#include <inttypes.h>
#include <stdlib.h>
#include "base/vec.h"
#include "language/timetable/limits.h"
#include "language/timetable/timetable_data.h"

/*
 * Airflow's presets.  How to add one: a row here, one in docs/schedules.md, and what it means in
 * tests/unit/timetable/timetable_parse_test.c, which fails for a row that docs/schedules.md lacks.
 */
static const struct preset {
    const char *name;
    enum timetable_kind kind;
    const char *cron; /* CRON only */
} presets[] = {
    {"@hourly", TIMETABLE_CRON, "0 * * * *"},
    {"@daily", TIMETABLE_CRON, "0 0 * * *"},
    {"@midnight", TIMETABLE_CRON, "0 0 * * *"},
    {"@weekly", TIMETABLE_CRON, "0 0 * * 0"},
    {"@monthly", TIMETABLE_CRON, "0 0 1 * *"},
    {"@quarterly", TIMETABLE_CRON, "0 0 1 */3 *"},
    {"@yearly", TIMETABLE_CRON, "0 0 1 1 *"},
    {"@annually", TIMETABLE_CRON, "0 0 1 1 *"},
    {"@once", TIMETABLE_ONCE, NULL},
    {"@continuous", TIMETABLE_CONTINUOUS, NULL},
};

struct builder {
    struct arena *arena;
    const struct schedule_spec *spec;
    struct timetable *timetable;
    struct ticker *tickers;      /* the timetable's, while they are made */
    struct schedule_place place; /* of what is read at the moment */
    const char *text;            /* its text */
    struct error *err;
};

/* ---- errors ---- */

static enum status invalid(struct builder *b, const char *hint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum status invalid(struct builder *b, const char *hint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_vset(b->err, ERR_SCHEDULE_INVALID, format, args);
    va_end(args);
    error_at(b->err, NULL, b->text, strlen(b->text), strspn(b->text, " \t\r\n"));
    error_hint(b->err, "%s", hint);
    return ERR_SCHEDULE_INVALID;
}

/* Passes on what base/ says of a date or duration. */
static enum status invalid_because(struct builder *b, const struct error *cause)
{
    return invalid(b, cause->hint[0] ? cause->hint : "docs/schedules.md lists the forms", "%s",
        cause->message);
}

static enum status start_reading(
    struct builder *b, enum schedule_part part, size_t index, const char *text)
{
    b->place = (struct schedule_place){part, index};
    b->text = text;
    if (strlen(text) <= SCHEDULE_TEXT_MAX)
        return OK;
    error_set(b->err, ERR_LIMIT, "a schedule text has more than %d bytes", SCHEDULE_TEXT_MAX);
    return ERR_LIMIT;
}

/* ---- presets, durations and cron ---- */

static const struct preset *find_preset(struct slice name)
{
    for (size_t i = 0; i < ARRAY_SIZE(presets); i++)
        if (slice_equal_str(name, presets[i].name))
            return &presets[i];
    return NULL;
}

static enum status unknown_preset(struct builder *b, struct slice text)
{
    const char *names[ARRAY_SIZE(presets)];
    for (size_t i = 0; i < ARRAY_SIZE(presets); i++)
        names[i] = presets[i].name;
    const char *word = arena_strndup(b->arena, text.p, text.size);
    if (text.size > 0 && text.p[0] != '@')
        word = arena_printf(b->arena, "@%s", word);
    const char *nearest = suggest(word, names, ARRAY_SIZE(names));
    const char *hint = nearest ? arena_printf(b->arena, "did you mean \"%s\"?", nearest)
                               : "write a preset (\"@daily\"), five cron fields (\"30 2 * * *\"), "
                                 "or a duration (90m)";
    return invalid(b, hint, "'%.*s' is no schedule", SLICE_ARG(text));
}

static struct tick_policy policy_of(const struct cron *cron, const struct schedule_spec *spec)
{
    static const enum tick_overlap overlaps[] = {
        [SCHEDULE_OVERLAP_DEFAULT] = TICK_SECOND,
        [SCHEDULE_OVERLAP_SECOND] = TICK_SECOND,
        [SCHEDULE_OVERLAP_FIRST] = TICK_FIRST,
        [SCHEDULE_OVERLAP_BOTH] = TICK_BOTH,
    };
    bool chosen = spec->gap != SCHEDULE_GAP_DEFAULT || spec->overlap != SCHEDULE_OVERLAP_DEFAULT;
    return (struct tick_policy){
        .elapsed = cron_is_hourly(cron) && !chosen,
        .shift_gap = spec->gap != SCHEDULE_GAP_SKIP,
        .overlap = overlaps[spec->overlap],
    };
}

static int64_t seconds_ceil(int64_t us)
{
    return us / US_PER_SECOND + (us % US_PER_SECOND > 0);
}

static enum status add_cron(struct builder *b, struct slice text)
{
    struct timetable *t = b->timetable;
    struct ticker *ticker = &b->tickers[t->ticker_count];
    enum status status = cron_parse(text, &ticker->cron, b->err);
    if (status != OK)
        return status;
    ticker->zone = t->zone;
    ticker->policy = policy_of(&ticker->cron, b->spec);
    t->kind = TIMETABLE_CRON;
    t->trigger = b->spec->trigger;
    t->ticker_count++;
    return OK;
}

static enum status set_every(struct builder *b, struct slice text)
{
    struct error cause = {0};
    int64_t us;
    if (duration_parse(text, &us, &cause) != OK)
        return invalid_because(b, &cause);
    if (us < SCHEDULE_EVERY_MIN_S * US_PER_SECOND)
        return invalid(
            b, "the shortest is 1s", "an interval of '%.*s' is too short", SLICE_ARG(text));
    b->timetable->kind = TIMETABLE_EVERY;
    b->timetable->every_us = us;
    b->timetable->anchor_us = b->timetable->start_us == TIME_MIN_US ? 0 : b->timetable->start_us;
    return OK;
}

static enum status set_once(struct builder *b)
{
    struct timetable *t = b->timetable;
    t->kind = TIMETABLE_ONCE;
    if (t->start_us != TIME_MIN_US) {
        t->dates = arena_memdup(b->arena, &t->start_us, sizeof t->start_us);
        t->date_count = 1;
    }
    return OK;
}

static enum status read_text(struct builder *b, const char *text)
{
    struct slice word = slice_trim(slice_of(text));
    const struct preset *preset = find_preset(word);
    if (preset) {
        if (preset->kind == TIMETABLE_CRON)
            return add_cron(b, slice_of(preset->cron));
        if (preset->kind == TIMETABLE_ONCE)
            return set_once(b);
        b->timetable->kind = preset->kind;
        return OK;
    }
    bool many_words = false, number = word.size > 0 && strchr("-0123456789", word.p[0]);
    for (size_t i = 0; i < word.size; i++)
        many_words |= strchr(" \t\r\n", word.p[i]) != NULL;
    if (many_words)
        return add_cron(b, slice_of(text));
    return number ? set_every(b, word) : unknown_preset(b, word);
}

/* Several texts together, and options, go with cron alone. */
static enum status check_cron_only(struct builder *b)
{
    const struct schedule_spec *spec = b->spec;
    if (b->timetable->kind == TIMETABLE_CRON)
        return OK;
    if (spec->form == SCHEDULE_TEXT && spec->text_count > 1)
        return invalid(b, "write this schedule alone, or cron expressions only",
            "a list of schedules can hold cron expressions only");
    if (spec->trigger || spec->gap || spec->overlap || spec->calendar_count)
        return invalid(b, "leave the options out, or write a cron expression",
            "interval, dst and calendar go with cron only");
    return OK;
}

static enum status read_texts(struct builder *b)
{
    size_t count = b->spec->text_count;
    if (count > SCHEDULE_CRONS_MAX)
        return error_set(b->err, ERR_LIMIT, "a schedule has %zu cron expressions, more than %d",
            count, SCHEDULE_CRONS_MAX);
    b->tickers = arena_array(b->arena, struct ticker, count);
    b->timetable->tickers = b->tickers;
    for (size_t i = 0; i < count; i++) {
        b->timetable->kind = TIMETABLE_MANUAL;
        enum status status = start_reading(b, SCHEDULE_PART_TEXT, i, b->spec->texts[i]);
        if (status == OK)
            status = read_text(b, b->spec->texts[i]);
        if (status == OK)
            status = check_cron_only(b);
        if (status != OK)
            return status;
    }
    return OK;
}

/* ---- dates ---- */

static int compare_int64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Sorts, and drops what is there twice; returns the new count. */
static size_t sort_unique(int64_t *at, size_t count)
{
    size_t kept = 0;
    if (count)
        qsort(at, count, sizeof *at, compare_int64);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || at[i] != at[i - 1])
            at[kept++] = at[i];
    return kept;
}

static enum status read_dates(struct builder *b)
{
    const struct schedule_spec *spec = b->spec;
    struct timetable *t = b->timetable;
    if (spec->text_count > SCHEDULE_DATES_MAX)
        return error_set(b->err, ERR_LIMIT, "a schedule has %zu dates, more than %d",
            spec->text_count, SCHEDULE_DATES_MAX);
    int64_t *dates = arena_array(b->arena, int64_t, spec->text_count);
    t->kind = TIMETABLE_DATES;
    for (size_t i = 0; i < spec->text_count; i++) {
        struct error cause = {0};
        enum status status = start_reading(b, SCHEDULE_PART_TEXT, i, spec->texts[i]);
        if (status != OK)
            return status;
        struct slice text = slice_trim(slice_of(spec->texts[i]));
        if (zone_parse_time(t->zone, text, &dates[i], NULL, &cause) != OK)
            return invalid_because(b, &cause);
    }
    t->dates = dates;
    t->date_count = sort_unique(dates, spec->text_count);
    return check_cron_only(b);
}

static enum status check_not_empty(struct builder *b)
{
    if (b->spec->form == SCHEDULE_NONE || b->spec->text_count > 0)
        return OK;
    error_set(b->err, ERR_SCHEDULE_NEVER, "the schedule is an empty list");
    error_hint(b->err, "write null for a DAG that is only started by hand");
    return ERR_SCHEDULE_NEVER;
}

static enum status read_bounds(struct builder *b)
{
    struct timetable *t = b->timetable;
    struct error cause = {0};
    enum status status = OK;
    if (b->spec->start_date)
        status = start_reading(b, SCHEDULE_PART_START, 0, b->spec->start_date);
    if (status == OK && b->spec->start_date &&
        zone_parse_time(t->zone, slice_trim(slice_of(b->text)), &t->start_us, NULL, &cause) != OK)
        return invalid_because(b, &cause);
    if (status != OK || !b->spec->end_date)
        return status;
    status = start_reading(b, SCHEDULE_PART_END, 0, b->spec->end_date);
    if (status != OK)
        return status;
    if (zone_parse_end(t->zone, slice_trim(slice_of(b->text)), &t->end_us, &cause) != OK)
        return invalid_because(b, &cause);
    if (t->end_us < t->start_us)
        return invalid(b, "end_date is the last logical date, that day included",
            "end_date '%s' is before start_date '%s'", b->spec->end_date, b->spec->start_date);
    return OK;
}

/* ---- calendars ---- */

static enum status read_calendar(struct builder *b, struct day_list *ret)
{
    size_t count = b->spec->calendar_count;
    if (count > SCHEDULE_CALENDAR_MAX)
        return error_set(b->err, ERR_LIMIT, "a calendar has %zu days, more than %d", count,
            SCHEDULE_CALENDAR_MAX);
    int64_t *days = arena_array(b->arena, int64_t, count);
    for (size_t i = 0; i < count; i++) {
        struct error cause = {0};
        bool has_offset, date_only;
        enum status status = start_reading(b, SCHEDULE_PART_CALENDAR, i, b->spec->calendar[i]);
        if (status != OK)
            return status;
        struct slice text = slice_trim(slice_of(b->text));
        if (time_parse_iso(text, &days[i], &has_offset, &date_only, &cause) != OK)
            return invalid_because(b, &cause);
        if (!date_only)
            return invalid(b, "write a day alone, such as 2026-12-25",
                "a calendar has days, and '%.*s' is a time", SLICE_ARG(text));
        days[i] /= US_PER_DAY;
    }
    count = sort_unique(days, count);
    int32_t *at = arena_array(b->arena, int32_t, count);
    for (size_t i = 0; i < count; i++)
        at[i] = (int32_t)days[i];
    *ret = (struct day_list){at, count};
    return OK;
}

static bool runs_on_day(const struct cron *cron, int32_t day)
{
    struct civil civil = civil_from_us(day * US_PER_DAY);
    return cron_days_of_month(cron, civil.year, civil.month) >> civil.day & 1;
}

/* Where the ticks of holidays go: for every unbroken row of them, in which the expression would
   have run, the day behind it or the day before it. */
static struct day_list moved_days(
    struct builder *b, const struct cron *cron, const struct day_list *holidays)
{
    int32_t *moved = arena_array(b->arena, int32_t, holidays->count);
    size_t moved_count = 0;
    for (size_t i = 0, row = 0; i < holidays->count; i = row) {
        bool runs = false;
        for (row = i;
             row < holidays->count && holidays->at[row] == holidays->at[i] + (int32_t)(row - i);
             row++)
            runs |= runs_on_day(cron, holidays->at[row]);
        int32_t target = b->spec->on_holiday == SCHEDULE_HOLIDAY_NEXT ? holidays->at[row - 1] + 1
                                                                      : holidays->at[i] - 1;
        if (runs && (moved_count == 0 || moved[moved_count - 1] != target))
            moved[moved_count++] = target;
    }
    return (struct day_list){moved, moved_count};
}

static enum status apply_calendar(struct builder *b)
{
    struct day_list holidays = {0};
    enum status status = read_calendar(b, &holidays);
    for (size_t i = 0; status == OK && i < b->timetable->ticker_count; i++) {
        struct cron *cron = &b->tickers[i].cron;
        if (b->spec->on_holiday != SCHEDULE_HOLIDAY_SKIP)
            cron->moved_days = moved_days(b, cron, &holidays);
        cron->holidays = holidays;
    }
    return status;
}

/* ---- all of it ---- */

static enum status read_form(struct builder *b)
{
    switch (b->spec->form) {
    case SCHEDULE_TEXT: return read_texts(b);
    case SCHEDULE_DATES: return read_dates(b);
    case SCHEDULE_NONE: break;
    }
    return OK;
}

enum status timetable_parse(struct arena *arena, const struct schedule_spec *spec,
    const struct zone *zone, struct timetable **ret, struct error *err)
{
    struct timetable *t = arena_new_of(arena, struct timetable);
    *t = (struct timetable){.zone = zone, .start_us = TIME_MIN_US, .end_us = TIME_MAX_US};
    struct builder b = {.arena = arena, .spec = spec, .timetable = t, .err = err};
    enum status status = read_bounds(&b);
    if (status == OK)
        status = check_not_empty(&b);
    if (status == OK)
        status = read_form(&b);
    if (status == OK && spec->calendar_count)
        status = apply_calendar(&b);
    for (size_t i = 0; status == OK && i < t->ticker_count; i++)
        ticker_start(&b.tickers[i], seconds_ceil(t->start_us));
    if (status == OK)
        *ret = t;
    else if (spec->place)
        *spec->place = b.place;
    return status;
}

enum status timetable_parse_text(struct arena *arena, const char *text, const struct zone *zone,
    struct timetable **ret, struct error *err)
{
    struct schedule_spec spec = {.form = SCHEDULE_TEXT, .texts = &text, .text_count = 1};
    return timetable_parse(arena, &spec, zone, ret, err);
}

/* ---- files of dates ---- */

enum status timetable_read_dates(struct arena *arena, struct slice text,
    const char *const **ret_dates, const uint32_t **ret_lines, size_t *ret_count, struct error *err)
{
    VEC(const char *) dates = {0};
    VEC(uint32_t) lines = {0};
    uint32_t line = 0;
    for (size_t at = 0; at < text.size && dates.count <= SCHEDULE_DATES_MAX; line++) {
        const char *newline = memchr(text.p + at, '\n', text.size - at);
        size_t end = newline ? (size_t)(newline - text.p) : text.size;
        const char *comment = memchr(text.p + at, '#', end - at);
        size_t size = (comment ? (size_t)(comment - text.p) : end) - at;
        struct slice item = slice_trim(slice_make(text.p + at, size));
        if (item.size > 0) {
            vec_push(&dates, arena_strndup(arena, item.p, item.size));
            vec_push(&lines, line + 1);
        }
        at = end + 1;
    }
    bool too_many = dates.count > SCHEDULE_DATES_MAX;
    *ret_dates = arena_memdup(arena, dates.at, dates.count * sizeof *dates.at);
    *ret_lines = arena_memdup(arena, lines.at, lines.count * sizeof *lines.at);
    *ret_count = dates.count;
    vec_done(&dates);
    vec_done(&lines);
    return too_many ? error_set(err, ERR_LIMIT, "a list has more than %d dates", SCHEDULE_DATES_MAX)
                    : OK;
}
