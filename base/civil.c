#include <stdio.h>
#include "base/clock.h"

/* The arithmetic counts years from March, so that a leap day is the last day of its year, in eras
   of 400 years, each of which has the same number of days (the method that Howard Hinnant describes
   in "chrono-Compatible Low-Level Date Algorithms"). */
enum {
    YEARS_PER_ERA = 400,
    DAYS_PER_ERA = 146097,
    DAYS_TO_1970 = 719468, /* from 0000-03-01 */
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* Days from 1 March to the first of a month counted from March (0 … 11). */
static int days_to_march_month(int month)
{
    return (153 * month + 2) / 5;
}

int64_t days_from_civil(int year, int month, int day)
{
    int64_t march_year = (int64_t)year - (month <= 2);
    int march_month = month > 2 ? month - 3 : month + 9;
    int64_t era = floor_div(march_year, YEARS_PER_ERA);
    int64_t year_of_era = march_year - era * YEARS_PER_ERA;
    int64_t day_of_year = days_to_march_month(march_month) + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
}

static void civil_set_date(struct civil *civil, int64_t days)
{
    days += DAYS_TO_1970;
    int64_t era = floor_div(days, DAYS_PER_ERA);
    int64_t day_of_era = days - era * DAYS_PER_ERA;
    /* Leap days passed are taken out before the division by 365. */
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int march_month = (int)((5 * day_of_year + 2) / 153);
    civil->day = (int)day_of_year - days_to_march_month(march_month) + 1;
    civil->month = march_month < 10 ? march_month + 3 : march_month - 9;
    civil->year = (int)(era * YEARS_PER_ERA + year_of_era) + (civil->month <= 2);
}

struct civil civil_from_us(int64_t us)
{
    struct civil civil = {0};
    int64_t days = floor_div(us, US_PER_DAY);
    int64_t rest = us - days * US_PER_DAY;
    civil_set_date(&civil, days);
    civil.hour = (int)(rest / US_PER_HOUR);
    civil.minute = (int)(rest / US_PER_MINUTE % 60);
    civil.second = (int)(rest / US_PER_SECOND % 60);
    civil.microsecond = (int)(rest % US_PER_SECOND);
    return civil;
}

int64_t civil_to_us(const struct civil *civil)
{
    return days_from_civil(civil->year, civil->month, civil->day) * US_PER_DAY +
           civil->hour * US_PER_HOUR + civil->minute * US_PER_MINUTE +
           civil->second * US_PER_SECOND + civil->microsecond;
}

int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

int weekday_of_days(int64_t days)
{
    enum { THURSDAY = 4 }; /* 1970-01-01 */
    return (int)(days + THURSDAY - floor_div(days + THURSDAY, 7) * 7);
}

void time_format_iso(int64_t wall_us, char ret[TIME_TEXT_SIZE])
{
    struct civil c = civil_from_us(wall_us);
    char fraction[16] = "";
    if (c.microsecond)
        snprintf(fraction, sizeof fraction, ".%06d", c.microsecond);
    snprintf(ret, TIME_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d%.7s+00:00", c.year, c.month, c.day,
        c.hour, c.minute, c.second, fraction);
}

void time_format_date(int64_t wall_us, char ret[TIME_TEXT_SIZE])
{
    struct civil c = civil_from_us(wall_us);
    snprintf(ret, TIME_TEXT_SIZE, "%04d-%02d-%02d", c.year, c.month, c.day);
}
