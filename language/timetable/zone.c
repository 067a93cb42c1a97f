#include "language/timetable/zone.h"
#include "language/timetable/zone_data.h"

#define ZONE_US_MIN (ZONE_SECONDS_MIN * US_PER_SECOND)
#define ZONE_US_MAX (ZONE_SECONDS_MAX * US_PER_SECOND - 1)

static int64_t clamp(int64_t value, int64_t min, int64_t max)
{
    return value < min ? min : value > max ? max : value;
}

static int64_t seconds_of_us(int64_t us)
{
    return us / US_PER_SECOND - (us % US_PER_SECOND < 0);
}

/* The number of changes at or before an instant. */
static size_t changes_until(const struct zone *zone, int64_t utc_s)
{
    size_t low = 0, high = zone->change_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->change_at[middle] <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A span that reaches over the years 1 to 9999 reaches without end. */
static struct zone_span span_make(const struct zone_type *type, int64_t start_s, int64_t end_s)
{
    return (struct zone_span){start_s < ZONE_SECONDS_MIN ? INT64_MIN : start_s,
        end_s >= ZONE_SECONDS_MAX ? INT64_MAX : end_s, type->offset_s, type->is_dst,
        type->abbreviation};
}

struct zone_span zone_span_at(const struct zone *zone, int64_t utc_s)
{
    int64_t at_s = clamp(utc_s, ZONE_SECONDS_MIN, ZONE_SECONDS_MAX - 1);
    size_t passed = changes_until(zone, at_s), count = zone->change_count;
    int64_t start_s = passed ? zone->change_at[passed - 1] : INT64_MIN;
    if (passed == count && zone->rule.present) {
        int64_t rule_start_s, rule_end_s;
        const struct zone_type *type = zone_rule_at(&zone->rule, at_s, &rule_start_s, &rule_end_s);
        return span_make(type, rule_start_s > start_s ? rule_start_s : start_s, rule_end_s);
    }
    const struct zone_type *type = &zone->types[passed ? zone->change_type[passed - 1] : 0];
    return span_make(type, start_s, passed < count ? zone->change_at[passed] : INT64_MAX);
}

struct civil zone_to_civil(const struct zone *zone, int64_t us, struct zone_span *ret_span)
{
    us = clamp(us, ZONE_US_MIN, ZONE_US_MAX);
    struct zone_span span = zone_span_at(zone, seconds_of_us(us));
    if (ret_span)
        *ret_span = span;
    int64_t local_us = us + span.offset_s * US_PER_SECOND;
    return civil_from_us(clamp(local_us, ZONE_US_MIN, ZONE_US_MAX));
}

/* The readings of a local time by the spans around it. */
struct readings {
    int hits;                        /* spans that really had this local time */
    int64_t first_hit_s, last_hit_s; /* the instants */
    int64_t behind_s;                /* by the last span that had ended before it */
    int64_t ahead_s;                 /* by the first span that starts after it */
};

static void read_in_span(struct readings *r, const struct zone_span *span, int64_t local_s)
{
    int64_t at_s = local_s - span->offset_s;
    if (at_s >= span->end_s) {
        r->behind_s = at_s;
    } else if (at_s < span->start_s) {
        if (r->ahead_s == INT64_MIN)
            r->ahead_s = at_s;
    } else {
        if (r->hits++ == 0)
            r->first_hit_s = at_s;
        r->last_hit_s = at_s;
    }
}

struct zone_instants zone_from_civil(const struct zone *zone, const struct civil *civil)
{
    int64_t local_us = civil_to_us(civil), local_s = seconds_of_us(local_us);
    struct readings r = {.ahead_s = INT64_MIN};
    struct zone_span span = zone_span_at(zone, local_s - ZONE_OFFSET_MAX_S);
    read_in_span(&r, &span, local_s);
    while (span.end_s <= local_s + ZONE_OFFSET_MAX_S) {
        span = zone_span_at(zone, span.end_s);
        read_in_span(&r, &span, local_s);
    }
    struct zone_instants found = {r.hits == 0   ? ZONE_GAP
                                  : r.hits == 1 ? ZONE_ONCE
                                                : ZONE_TWICE,
        r.hits ? r.first_hit_s : r.ahead_s, r.hits ? r.last_hit_s : r.behind_s};
    int64_t rest_us = local_us - local_s * US_PER_SECOND;
    found.first_us = found.first_us * US_PER_SECOND + rest_us;
    found.second_us = found.second_us * US_PER_SECOND + rest_us;
    return found;
}
