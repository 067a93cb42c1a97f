#include "language/timetable/cron.h"
#include "base/clock.h"

enum {
    MINUTES_PER_DAY = 24 * 60,
    YEAR_MIN = 1,
    YEAR_MAX = 9999,
    YEARS_PER_CYCLE = 400, /* after which dates fall on the same weekdays again */
};
#define ALL_HOURS ((UINT32_C(1) << 24) - 1)

bool cron_is_hourly(const struct cron *cron)
{
    return cron->hours == ALL_HOURS;
}

/* ---- days ---- */

static uint32_t bit(int n)
{
    return UINT32_C(1) << n;
}

/* Bits 1 to n. */
static uint32_t bits_until(int n)
{
    return (uint32_t)((UINT64_C(2) << n) - 2);
}

struct month {
    int year, month;
    int length;
    int64_t first_day; /* since 1970 */
    int first_weekday;
};

static struct month month_make(int year, int month)
{
    int64_t first_day = days_from_civil(year, month, 1);
    return (struct month){
        year, month, days_in_month(year, month), first_day, weekday_of_days(first_day)};
}

/* The Monday to Friday nearest to a day, within its month. */
static int nearest_weekday(const struct month *m, int day)
{
    switch ((m->first_weekday + day - 1) % 7) {
    case 6: return day > 1 ? day - 1 : day + 2;
    case 0: return day < m->length ? day + 1 : day - 2;
    default: return day;
    }
}

static uint32_t days_by_date(const struct cron *cron, const struct month *m)
{
    uint32_t days = cron->days;
    if (cron->last_day)
        days |= bit(m->length);
    if (cron->near_last_day)
        days |= bit(nearest_weekday(m, m->length));
    for (uint32_t near = cron->near_days & bits_until(m->length); near; near &= near - 1)
        days |= bit(nearest_weekday(m, __builtin_ctz(near)));
    return days;
}

static uint32_t days_by_weekday(const struct cron *cron, const struct month *m)
{
    uint32_t days = 0;
    for (int weekday = 0; weekday < 7; weekday++) {
        int first = 1 + (weekday - m->first_weekday + 7) % 7, nth = 1;
        for (int day = first; day <= m->length; day += 7, nth++) {
            bool last = day + 7 > m->length;
            if ((cron->weekdays & bit(weekday)) || (cron->weekday_nth[weekday] & bit(nth)) ||
                (last && (cron->weekday_nth[weekday] & bit(WEEKDAY_LAST))))
                days |= bit(day);
        }
    }
    return days;
}

static uint32_t days_without_calendar(const struct cron *cron, const struct month *m)
{
    if (!(cron->months & bit(m->month)))
        return 0;
    uint32_t days = bits_until(m->length);
    if (cron->days_restricted && cron->weekdays_restricted)
        days &= days_by_date(cron, m) | days_by_weekday(cron, m);
    else if (cron->days_restricted)
        days &= days_by_date(cron, m);
    else if (cron->weekdays_restricted)
        days &= days_by_weekday(cron, m);
    return days;
}

static uint32_t days_in_list(const struct day_list *list, const struct month *m)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->at[middle] < m->first_day)
            low = middle + 1;
        else
            high = middle;
    }
    uint32_t days = 0;
    for (; low < list->count && list->at[low] < m->first_day + m->length; low++)
        days |= bit((int)(list->at[low] - m->first_day) + 1);
    return days;
}

static uint32_t days_of(const struct cron *cron, const struct month *m)
{
    return (days_without_calendar(cron, m) & ~days_in_list(&cron->holidays, m)) |
           days_in_list(&cron->moved_days, m);
}

uint32_t cron_days_of_month(const struct cron *cron, int year, int month)
{
    struct month m = month_make(year, month);
    return days_of(cron, &m);
}

bool cron_has_days(const struct cron *cron)
{
    for (int year = 2000; year < 2000 + YEARS_PER_CYCLE; year++)
        for (int month = 1; month <= 12; month++) {
            struct month m = month_make(year, month);
            if (days_without_calendar(cron, &m))
                return true;
        }
    return false;
}

/* ---- times of day ---- */

/* The first minute of the day at or after `minute`, -1 when there is none. */
static int time_next(const struct cron *cron, int minute)
{
    int hour = minute / 60;
    uint64_t minutes = cron->minutes >> (minute % 60);
    if ((cron->hours & bit(hour)) && minutes)
        return minute + __builtin_ctzll(minutes);
    uint32_t hours = cron->hours & ~(bit(hour + 1) - 1);
    return hours ? __builtin_ctz(hours) * 60 + __builtin_ctzll(cron->minutes) : -1;
}

static int highest_bit(uint64_t bits)
{
    return 63 - __builtin_clzll(bits);
}

/* The last minute of the day at or before `minute`, -1 when there is none. */
static int time_previous(const struct cron *cron, int minute)
{
    int hour = minute / 60;
    uint64_t minutes = cron->minutes & ((UINT64_C(2) << (minute % 60)) - 1);
    if ((cron->hours & bit(hour)) && minutes)
        return hour * 60 + highest_bit(minutes);
    uint32_t hours = cron->hours & (bit(hour) - 1);
    return hours ? highest_bit(hours) * 60 + highest_bit(cron->minutes) : -1;
}

/* ---- the search ---- */

/* A wall clock minute taken apart. */
struct position {
    struct month month;
    int day;
    int minute; /* of the day */
};

static int64_t minutes_of_year(int year)
{
    return days_from_civil(year, 1, 1) * MINUTES_PER_DAY;
}

static struct position position_make(int64_t minute)
{
    struct civil c = civil_from_us(minute * US_PER_MINUTE);
    return (struct position){month_make(c.year, c.month), c.day, c.hour * 60 + c.minute};
}

static int64_t minute_at(const struct month *m, int day, int minute)
{
    return (m->first_day + day - 1) * MINUTES_PER_DAY + minute;
}

/* To the next or the previous month; false at the end of the calendar. */
static bool month_move(struct month *m, int by)
{
    int months = m->year * 12 + m->month - 1 + by;
    if (months < YEAR_MIN * 12 || months >= (YEAR_MAX + 1) * 12)
        return false;
    *m = month_make(months / 12, months % 12 + 1);
    return true;
}

bool cron_next(const struct cron *cron, int64_t minute, int64_t *ret)
{
    if (minute >= minutes_of_year(YEAR_MAX + 1))
        return false;
    if (minute < minutes_of_year(YEAR_MIN))
        minute = minutes_of_year(YEAR_MIN);
    struct position p = position_make(minute);
    int time = time_next(cron, p.minute);
    uint32_t days = days_of(cron, &p.month);
    if (time >= 0 && (days & bit(p.day))) {
        *ret = minute_at(&p.month, p.day, time);
        return true;
    }
    days &= ~bits_until(p.day);
    while (!days) {
        if (!month_move(&p.month, 1))
            return false;
        days = days_of(cron, &p.month);
    }
    *ret = minute_at(&p.month, __builtin_ctz(days), time_next(cron, 0));
    return true;
}

bool cron_previous(const struct cron *cron, int64_t minute, int64_t *ret)
{
    if (minute < minutes_of_year(YEAR_MIN))
        return false;
    if (minute >= minutes_of_year(YEAR_MAX + 1))
        minute = minutes_of_year(YEAR_MAX + 1) - 1;
    struct position p = position_make(minute);
    int time = time_previous(cron, p.minute);
    uint32_t days = days_of(cron, &p.month);
    if (time >= 0 && (days & bit(p.day))) {
        *ret = minute_at(&p.month, p.day, time);
        return true;
    }
    days &= bits_until(p.day - 1);
    while (!days) {
        if (!month_move(&p.month, -1))
            return false;
        days = days_of(cron, &p.month);
    }
    *ret = minute_at(&p.month, highest_bit(days), time_previous(cron, MINUTES_PER_DAY - 1));
    return true;
}
