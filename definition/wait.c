#include "definition/wait.h"
#include <ctype.h>

static bool read_digits(struct slice text, size_t at, int max, int *ret)
{
    if (at + 2 > text.size || !isdigit((unsigned char)text.p[at]) ||
        !isdigit((unsigned char)text.p[at + 1]))
        return false;
    *ret = (text.p[at] - '0') * 10 + (text.p[at + 1] - '0');
    return *ret <= max;
}

/* HH:MM or HH:MM:SS */
static bool read_clock(struct slice text, struct civil *ret)
{
    bool seconds = text.size == 8;
    ret->second = ret->microsecond = 0;
    return (text.size == 5 || seconds) && text.p[2] == ':' && (!seconds || text.p[5] == ':') &&
           read_digits(text, 0, 23, &ret->hour) && read_digits(text, 3, 59, &ret->minute) &&
           (!seconds || read_digits(text, 6, 59, &ret->second));
}

/* The first time at or after `from_us` when the zone's clock shows what `clock` says. */
static int64_t next_clock(const struct zone *zone, int64_t from_us, const struct civil *clock)
{
    struct civil civil = zone_to_civil(zone, from_us, NULL);
    struct civil at = *clock;
    at.year = civil.year;
    at.month = civil.month;
    at.day = civil.day;
    int64_t us = zone_from_civil(zone, &at).second_us;
    if (us >= from_us)
        return us;
    struct civil next = civil_from_us(civil_to_us(&at) + US_PER_DAY);
    return zone_from_civil(zone, &next).second_us;
}

enum status wait_time_read(
    const struct zone *zone, int64_t end_us, struct slice text, int64_t *ret_us, struct error *err)
{
    struct civil clock;
    struct error ignored;
    int64_t us;
    text = slice_trim(text);
    if (read_clock(text, &clock)) {
        *ret_us = next_clock(zone, end_us, &clock);
        return OK;
    }
    if (duration_parse(text, &us, &ignored) == OK) {
        if (!__builtin_add_overflow(end_us, us, ret_us))
            return OK;
    } else if (zone_parse_time(zone, text, ret_us, NULL, &ignored) == OK) {
        return OK;
    }
    error_set(err, ERR_VALUE_RANGE, "`%.*s` is no point of time", SLICE_ARG(text));
    error_hint(err, "write a time (2030-01-31T06:00), a time of day (06:00) or how long after the "
                    "end of the run's interval (90m)");
    return ERR_VALUE_RANGE;
}
