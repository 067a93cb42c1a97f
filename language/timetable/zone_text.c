#include <stdio.h>
#include <stdlib.h>
#include "language/timetable/zone.h"
#include "language/timetable/limits.h"

enum status zone_parse_time(const struct zone *zone, struct slice text, int64_t *ret_us,
    bool *ret_date_only, struct error *err)
{
    int64_t us;
    bool has_offset, date_only;
    enum status status = time_parse_iso(text, &us, &has_offset, &date_only, err);
    if (status != OK)
        return status;
    if (!has_offset) {
        struct civil civil = civil_from_us(us);
        us = zone_from_civil(zone, &civil).second_us;
    }
    *ret_us = us;
    if (ret_date_only)
        *ret_date_only = date_only;
    return OK;
}

/* The last microsecond at which the zone's wall clock shows this day, given as UTC microseconds of
   its midnight; for a day that was left out, the last one before it.  The clock may show a part of
   a day twice, and midnight itself too: so every span around the day's end is looked at. */
static int64_t last_of_day(const struct zone *zone, int64_t day_us)
{
    int64_t end_s = day_us / US_PER_SECOND + US_PER_DAY / US_PER_SECOND; /* local */
    struct zone_span span = zone_span_at(zone, end_s - 2 * ZONE_OFFSET_MAX_S);
    int64_t last_s = end_s - span.offset_s;
    for (;;) {
        int64_t at_s = end_s - span.offset_s;
        if (at_s > span.start_s)
            last_s = at_s < span.end_s ? at_s : span.end_s;
        if (span.end_s > end_s + ZONE_OFFSET_MAX_S)
            return last_s * US_PER_SECOND - 1;
        span = zone_span_at(zone, span.end_s);
    }
}

enum status zone_parse_end(
    const struct zone *zone, struct slice text, int64_t *ret_us, struct error *err)
{
    int64_t us;
    bool has_offset, date_only;
    enum status status = time_parse_iso(text, &us, &has_offset, &date_only, err);
    if (status != OK)
        return status;
    if (!date_only)
        return zone_parse_time(zone, text, ret_us, NULL, err);
    *ret_us = last_of_day(zone, us);
    return OK;
}

static void format_offset(int32_t offset_s, char ret[16])
{
    unsigned magnitude = (unsigned)abs(offset_s);
    unsigned hour = magnitude / 3600 % 100, minute = magnitude / 60 % 60, second = magnitude % 60;
    char sign = offset_s < 0 ? '-' : '+';
    if (second)
        snprintf(ret, 16, "%c%02u:%02u:%02u", sign, hour, minute, second);
    else
        snprintf(ret, 16, "%c%02u:%02u", sign, hour, minute);
}

void zone_format_iso(const struct zone *zone, int64_t us, char ret[TIME_TEXT_SIZE])
{
    struct zone_span span;
    struct civil local = zone_to_civil(zone, us, &span);
    char text[TIME_TEXT_SIZE], offset[16];
    time_format_iso(civil_to_us(&local), text);
    format_offset(span.offset_s, offset);
    size_t size = strlen(text) - strlen("+00:00");
    snprintf(ret, TIME_TEXT_SIZE, "%.*s%.9s", (int)size, text, offset);
}

void zone_format_date(const struct zone *zone, int64_t us, char ret[TIME_TEXT_SIZE])
{
    struct civil local = zone_to_civil(zone, us, NULL);
    time_format_date(civil_to_us(&local), ret);
}
