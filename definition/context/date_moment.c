/* Moments: wall clocks, sums and differences. */
#include "definition/context/date.h"

static int64_t wall_us(const struct moment *at)
{
    return at->us + at->offset_s * US_PER_SECOND;
}

struct civil moment_civil(const struct moment *at)
{
    return civil_from_us(wall_us(at));
}

static int64_t floor_seconds(int64_t us)
{
    return us / US_PER_SECOND - (us % US_PER_SECOND < 0);
}

int64_t moment_seconds(const struct moment *at)
{
    return floor_seconds(at->us);
}

bool moment_fold(const struct moment *at)
{
    struct civil civil = moment_civil(at);
    return at->zone && at->us == zone_from_civil(at->zone, &civil).second_us &&
           zone_from_civil(at->zone, &civil).match == ZONE_TWICE;
}

struct moment moment_at_civil(const struct moment *like, const struct civil *civil, bool fold)
{
    struct moment at = *like;
    at.us = civil_to_us(civil) - (like->aware ? like->offset_s * US_PER_SECOND : 0);
    if (like->zone) {
        struct zone_instants instants = zone_from_civil(like->zone, civil);
        at.us = fold ? instants.second_us : instants.first_us;
        at.offset_s = zone_span_at(like->zone, floor_seconds(at.us)).offset_s;
    }
    return at;
}

struct moment moment_in(int64_t us, const struct tz *tz)
{
    struct moment at = {us, tz->zone, tz->offset_s, true};
    if (tz->zone)
        at.offset_s = zone_span_at(tz->zone, floor_seconds(us)).offset_s;
    return at;
}

enum status moment_check(const struct moment *at, struct error *err)
{
    static const struct civil first = {.year = 1, .month = 1, .day = 1};
    static const struct civil last = {9999, 12, 31, 23, 59, 59, 999999};
    int64_t us = wall_us(at);
    if (us >= civil_to_us(&first) && us <= civil_to_us(&last))
        return OK;
    return error_set(err, ERR_TEMPLATE_VALUE, "date value out of range");
}

/* --- sums ----------------------------------------------------------------------------------- */

/* Far beyond any date, and safe to add up. */
static const int64_t units_max = INT64_C(1000000000000000);

static bool is_sane(const struct units *units)
{
    const int64_t parts[] = {units->years, units->months, units->weeks, units->days};
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (parts[i] > 5000000 || parts[i] < -5000000)
            return false;
    return units->us <= units_max * 400 && units->us >= -units_max * 400;
}

static bool add_months(struct civil *civil, int64_t months)
{
    int64_t total = (int64_t)civil->year * 12 + civil->month - 1 + months;
    if (total < 12 || total >= INT64_C(12) * 10000)
        return false;
    civil->year = (int)(total / 12);
    civil->month = (int)(total % 12) + 1;
    int days = days_in_month(civil->year, civil->month);
    civil->day = civil->day < days ? civil->day : days;
    return true;
}

enum status moment_add(
    const struct moment *at, const struct units *units, struct moment *ret, struct error *err)
{
    struct moment sum = *at;
    struct civil civil = moment_civil(at);
    int64_t days = units->weeks * 7 + units->days;
    if (!is_sane(units) || !add_months(&civil, units->years * 12 + units->months))
        return error_set(err, ERR_TEMPLATE_VALUE, "date value out of range");
    if (units->years || units->months || days || !at->aware) {
        int64_t us = civil_to_us(&civil) + days * US_PER_DAY + units->us;
        struct moment wall = {.us = us};
        enum status status = moment_check(&wall, err);
        if (status)
            return status;
        civil = civil_from_us(us);
        sum = moment_at_civil(at, &civil, true);
    } else {
        struct tz tz = {.zone = at->zone, .offset_s = at->offset_s};
        sum = moment_in(at->us + units->us, &tz);
    }
    *ret = sum;
    return moment_check(ret, err);
}

/* --- differences ---------------------------------------------------------------------------- */

static bool same_clock(const struct moment *a, const struct moment *b)
{
    return a->aware == b->aware && a->zone == b->zone && (a->zone || a->offset_s == b->offset_s);
}

/* Days that do not fill a month, made positive with the length of the month before `to`, as
   pendulum does: from the last day of a longer month to the last of a shorter one is a month. */
static void borrow_month(struct difference *d, const struct civil *from, const struct civil *to)
{
    int before = to->month == 1 ? 31 : days_in_month(to->year, to->month - 1);
    int shorter = days_in_month(to->year, to->month) - before;
    if (d->days >= 0)
        return;
    if (d->days == shorter) {
        d->days = 0;
        return;
    }
    d->months--;
    d->days += d->days < shorter && from->day > before ? from->day : before;
}

static void borrow(int *small, int *large, int size)
{
    if (*small < 0) {
        *small += size;
        --*large;
    }
}

struct difference moment_difference(const struct moment *from, const struct moment *to)
{
    bool swapped = from->us > to->us;
    const struct moment *first = swapped ? to : from, *last = swapped ? from : to;
    struct civil a = moment_civil(first), b = moment_civil(last);
    /* Within one day of the wall clock a change of it would count. */
    bool same_day = a.year == b.year && a.month == b.month && a.day == b.day;
    if (!same_clock(first, last) || same_day) {
        a = civil_from_us(first->us);
        b = civil_from_us(last->us);
    }
    struct difference d = {
        .sign = swapped ? -1 : 1,
        .years = b.year - a.year,
        .months = b.month - a.month,
        .days = b.day - a.day,
        .hours = b.hour - a.hour,
        .minutes = b.minute - a.minute,
        .seconds = b.second - a.second,
        .microseconds = b.microsecond - a.microsecond,
        .total_days =
            days_from_civil(b.year, b.month, b.day) - days_from_civil(a.year, a.month, a.day),
    };
    borrow(&d.microseconds, &d.seconds, (int)US_PER_SECOND);
    borrow(&d.seconds, &d.minutes, 60);
    borrow(&d.minutes, &d.hours, 60);
    borrow(&d.hours, &d.days, 24);
    borrow_month(&d, &a, &b);
    borrow(&d.months, &d.years, 12);
    return d;
}
