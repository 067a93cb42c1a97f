#include "language/timetable/zone_data.h"
#include "base/clock.h"

enum { DAY_S = 86400 };

/* ---- reading ---- */

struct reader {
    const char *p, *end;
};

static bool accept(struct reader *r, char c)
{
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static bool is_digit(const struct reader *r)
{
    return r->p < r->end && *r->p >= '0' && *r->p <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool read_number(struct reader *r, int max, int *ret)
{
    if (!is_digit(r))
        return false;
    int value = 0;
    while (is_digit(r)) {
        value = value * 10 + (*r->p++ - '0');
        if (value > max)
            return false;
    }
    *ret = value;
    return true;
}

/* [+-]hh[:mm[:ss]] in seconds */
static bool read_time(struct reader *r, int hours_max, int32_t *ret)
{
    bool negative = accept(r, '-');
    if (!negative)
        (void)accept(r, '+');
    int hour, minute = 0, second = 0;
    if (!read_number(r, hours_max, &hour))
        return false;
    if (accept(r, ':') && !read_number(r, 59, &minute))
        return false;
    if (accept(r, ':') && !read_number(r, 59, &second))
        return false;
    int32_t total = hour * 3600 + minute * 60 + second;
    *ret = negative ? -total : total;
    return true;
}

/* Letters, or anything but '>' within angle brackets. */
static bool read_abbreviation(struct reader *r, struct arena *arena, const char **ret)
{
    bool quoted = accept(r, '<');
    const char *start = r->p;
    while (r->p < r->end && (quoted ? *r->p != '>' : is_letter(*r->p)))
        r->p++;
    size_t size = (size_t)(r->p - start);
    if (size < 3 || (quoted && !accept(r, '>')))
        return false;
    *ret = arena_strndup(arena, start, size);
    return true;
}

static bool read_day(struct reader *r, struct rule_date *ret)
{
    if (accept(r, 'J')) {
        ret->kind = RULE_DAY_FROM_ONE;
        return read_number(r, 365, &ret->day) && ret->day >= 1;
    }
    if (!accept(r, 'M')) {
        ret->kind = RULE_DAY_FROM_ZERO;
        return read_number(r, 365, &ret->day);
    }
    ret->kind = RULE_WEEKDAY;
    return read_number(r, 12, &ret->month) && ret->month >= 1 && accept(r, '.') &&
           read_number(r, 5, &ret->week) && ret->week >= 1 && accept(r, '.') &&
           read_number(r, 6, &ret->day);
}

static bool read_date(struct reader *r, struct rule_date *ret)
{
    ret->time_s = 2 * 3600;
    return accept(r, ',') && read_day(r, ret) &&
           (!accept(r, '/') || read_time(r, 167, &ret->time_s));
}

static bool read_daylight(struct reader *r, struct arena *arena, struct zone_rule *ret)
{
    int32_t west = 0;
    if (!read_abbreviation(r, arena, &ret->daylight.abbreviation))
        return false;
    ret->daylight.offset_s = ret->standard.offset_s + 3600;
    if (r->p < r->end && *r->p != ',') {
        if (!read_time(r, 24, &west))
            return false;
        ret->daylight.offset_s = -west;
    }
    ret->daylight.is_dst = true;
    ret->has_daylight = true;
    return read_date(r, &ret->start) && read_date(r, &ret->end);
}

bool zone_rule_parse(struct arena *arena, struct slice text, struct zone_rule *ret)
{
    struct reader r = {text.p, text.p + text.size};
    struct zone_rule rule = {.present = true};
    int32_t west;
    if (!read_abbreviation(&r, arena, &rule.standard.abbreviation) || !read_time(&r, 24, &west))
        return false;
    rule.standard.offset_s = -west; /* POSIX counts west of Greenwich as positive */
    if (r.p < r.end && !read_daylight(&r, arena, &rule))
        return false;
    if (r.p != r.end)
        return false;
    *ret = rule;
    return true;
}

/* ---- evaluating ---- */

static int64_t weekday_of_month(int year, const struct rule_date *date)
{
    int64_t first = days_from_civil(year, date->month, 1);
    int64_t day = first + (date->day - weekday_of_days(first) + 7) % 7 + 7 * (date->week - 1);
    if (day >= first + days_in_month(year, date->month))
        day -= 7;
    return day;
}

/* Seconds of the wall clock. */
static int64_t date_in_year(int year, const struct rule_date *date)
{
    int64_t day = 0;
    bool leap = days_in_month(year, 2) == 29;
    switch (date->kind) {
    case RULE_DAY_FROM_ONE:
        day = days_from_civil(year, 1, 1) + date->day - 1 + (leap && date->day >= 60);
        break;
    case RULE_DAY_FROM_ZERO: day = days_from_civil(year, 1, 1) + date->day; break;
    case RULE_WEEKDAY: day = weekday_of_month(year, date); break;
    }
    return day * DAY_S + date->time_s;
}

struct change {
    int64_t at;
    const struct zone_type *type;
};

/* Both changes of a year, the earlier one first. */
static void changes_of_year(const struct zone_rule *rule, int year, struct change ret[2])
{
    struct change start = {
        date_in_year(year, &rule->start) - rule->standard.offset_s, &rule->daylight};
    struct change end = {date_in_year(year, &rule->end) - rule->daylight.offset_s, &rule->standard};
    bool start_first = start.at <= end.at;
    ret[0] = start_first ? start : end;
    ret[1] = start_first ? end : start;
}

const struct zone_type *zone_rule_at(
    const struct zone_rule *rule, int64_t utc_s, int64_t *ret_start, int64_t *ret_end)
{
    *ret_start = INT64_MIN;
    *ret_end = INT64_MAX;
    if (!rule->has_daylight)
        return &rule->standard;
    /* Two years on either side hold the neighbours, wherever in its year a change lies.  Of changes
       at one instant the later one counts: so a rule may say "daylight time all year". */
    int year = civil_from_us(utc_s * US_PER_SECOND).year;
    const struct zone_type *type = &rule->standard;
    for (int y = year - 2; y <= year + 2; y++) {
        struct change changes[2];
        changes_of_year(rule, y, changes);
        for (int i = 0; i < 2; i++) {
            if (changes[i].at <= utc_s) {
                *ret_start = changes[i].at;
                type = changes[i].type;
            } else if (changes[i].at < *ret_end) {
                *ret_end = changes[i].at;
            }
        }
    }
    return type;
}
