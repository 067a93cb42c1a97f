#include "language/timetable/limits.h"
#include "language/timetable/timetable_data.h"
#include "language/timetable/zone_data.h"

#define INSTANT_MIN_US (ZONE_SECONDS_MIN * US_PER_SECOND)
#define INSTANT_MAX_US (ZONE_SECONDS_MAX * US_PER_SECOND - 1)

enum timetable_kind timetable_kind(const struct timetable *timetable)
{
    return timetable->kind;
}

const struct zone *timetable_zone(const struct timetable *timetable)
{
    return timetable->zone;
}

bool timetable_has_intervals(const struct timetable *timetable)
{
    return timetable->kind == TIMETABLE_EVERY ||
           (timetable->kind == TIMETABLE_CRON && !timetable->trigger);
}

int64_t timetable_start_us(const struct timetable *timetable)
{
    return timetable->start_us;
}

int64_t timetable_end_us(const struct timetable *timetable)
{
    return timetable->end_us;
}

/* ---- ticks of every kind ---- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The instants next to one; beyond the ends there is nothing. */
static int64_t after(int64_t us)
{
    return us == INT64_MAX ? us : us + 1;
}

static int64_t before(int64_t us)
{
    return us == INT64_MIN ? us : us - 1;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static bool cron_tick_next(const struct timetable *t, int64_t us, int64_t *ret_us)
{
    int64_t at_s = -floor_div(-us, US_PER_SECOND), best_s = INT64_MAX, found_s;
    for (size_t i = 0; i < t->ticker_count; i++)
        if (ticker_next(&t->tickers[i], at_s, &found_s))
            best_s = least(best_s, found_s);
    *ret_us = best_s == INT64_MAX ? 0 : best_s * US_PER_SECOND;
    return best_s != INT64_MAX;
}

static bool cron_tick_previous(const struct timetable *t, int64_t us, int64_t *ret_us)
{
    int64_t at_s = floor_div(us, US_PER_SECOND), best_s = INT64_MIN, found_s;
    for (size_t i = 0; i < t->ticker_count; i++)
        if (ticker_previous(&t->tickers[i], at_s, &found_s))
            best_s = most(best_s, found_s);
    *ret_us = best_s == INT64_MIN ? 0 : best_s * US_PER_SECOND;
    return best_s != INT64_MIN;
}

/* The number of dates before an instant. */
static size_t dates_before(const struct timetable *t, int64_t us)
{
    size_t low = 0, high = t->date_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->dates[middle] < us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The first tick at or after an instant. */
static bool tick_next(const struct timetable *t, int64_t us, int64_t *ret_us)
{
    size_t index;
    if (us > INSTANT_MAX_US)
        return false;
    us = most(us, INSTANT_MIN_US);
    switch (t->kind) {
    case TIMETABLE_CRON: return cron_tick_next(t, us, ret_us);
    case TIMETABLE_EVERY:
        *ret_us = t->anchor_us - floor_div(t->anchor_us - us, t->every_us) * t->every_us;
        return *ret_us <= INSTANT_MAX_US;
    case TIMETABLE_ONCE:
    case TIMETABLE_DATES:
        index = dates_before(t, us);
        if (index < t->date_count)
            *ret_us = t->dates[index];
        return index < t->date_count;
    case TIMETABLE_MANUAL:
    case TIMETABLE_CONTINUOUS: break;
    }
    return false;
}

/* The last tick at or before an instant. */
static bool tick_previous(const struct timetable *t, int64_t us, int64_t *ret_us)
{
    size_t count;
    if (us < INSTANT_MIN_US)
        return false;
    us = least(us, INSTANT_MAX_US);
    switch (t->kind) {
    case TIMETABLE_CRON: return cron_tick_previous(t, us, ret_us);
    case TIMETABLE_EVERY:
        *ret_us = t->anchor_us + floor_div(us - t->anchor_us, t->every_us) * t->every_us;
        return *ret_us >= INSTANT_MIN_US;
    case TIMETABLE_ONCE:
    case TIMETABLE_DATES:
        count = dates_before(t, after(us));
        if (count > 0)
            *ret_us = t->dates[count - 1];
        return count > 0;
    case TIMETABLE_MANUAL:
    case TIMETABLE_CONTINUOUS: break;
    }
    return false;
}

/* ---- runs ---- */

/* The run whose logical date is `start_us`; false when its interval has no end or it lies outside
   start_date and end_date. */
static bool run_at(const struct timetable *t, int64_t start_us, struct timetable_run *ret)
{
    int64_t end_us = start_us;
    if (start_us < t->start_us || start_us > t->end_us)
        return false;
    if (timetable_has_intervals(t) && !tick_next(t, after(start_us), &end_us))
        return false;
    *ret = (struct timetable_run){{start_us, end_us}, start_us, end_us};
    return true;
}

static enum timetable_answer next_continuous(
    const struct timetable *t, int64_t earliest_us, struct timetable_run *ret)
{
    if (earliest_us > t->end_us)
        return TIMETABLE_NO_MORE;
    *ret = (struct timetable_run){{earliest_us, earliest_us}, earliest_us, earliest_us};
    return TIMETABLE_WHEN_IDLE;
}

enum timetable_answer timetable_next(const struct timetable *timetable,
    const struct data_interval *last, int64_t from_us, struct timetable_run *ret)
{
    int64_t earliest_us = most(timetable->start_us, from_us), start_us;
    if (timetable->kind == TIMETABLE_CONTINUOUS)
        return next_continuous(
            timetable, last ? most(earliest_us, last->end_us) : earliest_us, ret);
    if (timetable->kind == TIMETABLE_ONCE && timetable->date_count == 0) {
        if (last || from_us < INSTANT_MIN_US)
            return TIMETABLE_NO_MORE;
        return run_at(timetable, from_us, ret) ? TIMETABLE_RUN : TIMETABLE_NO_MORE;
    }
    if (timetable->kind == TIMETABLE_ONCE && last)
        return TIMETABLE_NO_MORE;
    bool covers = last && last->start_us < last->end_us;
    if (covers && timetable_has_intervals(timetable) && earliest_us <= last->end_us) {
        start_us = last->end_us;
    } else {
        if (last)
            earliest_us = most(earliest_us, after(last->start_us));
        if (!tick_next(timetable, earliest_us, &start_us))
            return TIMETABLE_NO_MORE;
    }
    return run_at(timetable, start_us, ret) ? TIMETABLE_RUN : TIMETABLE_NO_MORE;
}

bool timetable_latest(const struct timetable *timetable, int64_t now_us, struct timetable_run *ret)
{
    int64_t start_us, end_us = after(now_us);
    /* What starts before the last tick has ended by it. */
    if (timetable_has_intervals(timetable) && !tick_previous(timetable, now_us, &end_us))
        return false;
    return tick_previous(timetable, least(before(end_us), timetable->end_us), &start_us) &&
           run_at(timetable, start_us, ret);
}

bool timetable_previous(
    const struct timetable *timetable, int64_t logical_us, struct timetable_run *ret)
{
    int64_t start_us;
    return tick_previous(timetable, least(before(logical_us), timetable->end_us), &start_us) &&
           run_at(timetable, start_us, ret);
}

struct data_interval timetable_interval_of(const struct timetable *timetable, int64_t logical_us)
{
    const struct data_interval empty = {logical_us, logical_us};
    int64_t tick_us, other_us;
    if (timetable->kind == TIMETABLE_ONCE || !tick_previous(timetable, logical_us, &tick_us))
        return empty;
    if (!timetable_has_intervals(timetable))
        return (struct data_interval){tick_us, tick_us};
    if (tick_us == logical_us)
        return tick_next(timetable, after(tick_us), &other_us)
                   ? (struct data_interval){tick_us, other_us}
                   : empty;
    return tick_previous(timetable, before(tick_us), &other_us)
               ? (struct data_interval){other_us, tick_us}
               : empty;
}

static size_t count_steps(
    const struct timetable *t, int64_t from_us, int64_t to_us, size_t count_max)
{
    size_t count = 0;
    int64_t tick_us;
    while (count < count_max && tick_next(t, from_us, &tick_us) && tick_us <= to_us) {
        count++;
        from_us = after(tick_us);
    }
    return count;
}

size_t timetable_count(
    const struct timetable *timetable, int64_t from_us, int64_t to_us, size_t count_max)
{
    size_t count = 0;
    int64_t first_us, last_us;
    from_us = most(from_us, timetable->start_us);
    to_us = least(to_us, timetable->end_us);
    if (from_us > to_us || !tick_next(timetable, from_us, &first_us) ||
        !tick_previous(timetable, to_us, &last_us) || first_us > last_us)
        return 0;
    if (timetable->kind == TIMETABLE_CRON)
        return count_steps(timetable, first_us, last_us, count_max);
    if (timetable->kind == TIMETABLE_EVERY)
        count = (size_t)((last_us - first_us) / timetable->every_us) + 1;
    else
        count = dates_before(timetable, after(last_us)) - dates_before(timetable, first_us);
    return count < count_max ? count : count_max;
}
