/* pendulum's `format`: tokens such as YYYY-MM-DD, in English. */
#include "definition/context/date.h"

#include <ctype.h>

struct token_date {
    const struct moment *at;
    struct civil c;
    int weekday, day_of_year, quarter, week; /* weekday from 0 = Monday, the rest from 1 */
};

typedef void add_token(struct strbuf *out, const struct token_date *d);

static void add_ordinal(struct strbuf *out, int n)
{
    static const char *const ends[] = {"th", "st", "nd", "rd"};
    bool teen = n % 100 >= 11 && n % 100 <= 13;
    strbuf_printf(out, "%d%s", n, ends[teen || n % 10 > 3 ? 0 : n % 10]);
}

static int hour12(const struct token_date *d)
{
    return d->c.hour % 12 ? d->c.hour % 12 : 12;
}

static void add_fraction(struct strbuf *out, const struct token_date *d, int digits)
{
    char text[16];
    snprintf(text, sizeof(text), "%06d", d->c.microsecond);
    strbuf_add(out, text, (size_t)digits);
}

static void add_offset(struct strbuf *out, const struct token_date *d, bool colon)
{
    int32_t minutes = d->at->offset_s / 60;
    if (d->at->aware)
        date_add_offset(out, minutes * 60, colon);
}

#define TOKEN(name, code)                                                                          \
    static void name(struct strbuf *out, const struct token_date *d)                               \
    {                                                                                              \
        code;                                                                                      \
    }
#define TOKEN_NUMBER(name, format, value) TOKEN(name, strbuf_printf(out, format, value))
#define TOKEN_FORMAT(name, format) TOKEN(name, date_add_tokens(out, d->at, slice_of(format)))

TOKEN_NUMBER(year, "%d", d->c.year)
TOKEN_NUMBER(year2, "%02d", d->c.year % 100)
TOKEN_NUMBER(quarter, "%d", d->quarter)
TOKEN_NUMBER(month2, "%02d", d->c.month)
TOKEN_NUMBER(month, "%d", d->c.month)
TOKEN_NUMBER(day2, "%02d", d->c.day)
TOKEN_NUMBER(day, "%d", d->c.day)
TOKEN_NUMBER(day_of_year3, "%03d", d->day_of_year)
TOKEN_NUMBER(day_of_year, "%d", d->day_of_year)
TOKEN_NUMBER(weekday, "%d", (d->weekday + 1) % 7)
TOKEN_NUMBER(iso_weekday, "%d", d->weekday + 1)
TOKEN_NUMBER(local_weekday, "%d", (d->weekday + 1) % 7)
TOKEN_NUMBER(hour2, "%02d", d->c.hour)
TOKEN_NUMBER(hour, "%d", d->c.hour)
TOKEN_NUMBER(half2, "%02d", hour12(d))
TOKEN_NUMBER(half, "%d", hour12(d))
TOKEN_NUMBER(minute2, "%02d", d->c.minute)
TOKEN_NUMBER(minute, "%d", d->c.minute)
TOKEN_NUMBER(second2, "%02d", d->c.second)
TOKEN_NUMBER(second, "%d", d->c.second)
TOKEN_NUMBER(seconds, "%lld", (long long)moment_seconds(d->at))
TOKEN_NUMBER(milliseconds, "%lld", (long long)(d->at->us / US_PER_MS))
TOKEN(month_name, strbuf_add_str(out, month_names[d->c.month - 1]))
TOKEN(month_short, strbuf_add(out, month_names[d->c.month - 1], 3))
TOKEN(weekday_name, strbuf_add_str(out, weekday_names[d->weekday]))
TOKEN(weekday_short, strbuf_add(out, weekday_names[d->weekday], 3))
TOKEN(weekday_two, strbuf_add(out, weekday_names[d->weekday], 2))
TOKEN(quarter_ordinal, add_ordinal(out, d->quarter))
TOKEN(month_ordinal, add_ordinal(out, d->c.month))
TOKEN(day_ordinal, add_ordinal(out, d->c.day))
TOKEN(day_of_year_ordinal, add_ordinal(out, d->day_of_year))
TOKEN(weekday_ordinal, add_ordinal(out, (d->weekday + 1) % 7))
TOKEN(local_weekday_ordinal, add_ordinal(out, (d->weekday + 1) % 7 + 1))
TOKEN(week_ordinal, add_ordinal(out, d->week))
TOKEN(fraction1, add_fraction(out, d, 1))
TOKEN(fraction2, add_fraction(out, d, 2))
TOKEN(fraction3, add_fraction(out, d, 3))
TOKEN(fraction4, add_fraction(out, d, 4))
TOKEN(fraction5, add_fraction(out, d, 5))
TOKEN(fraction6, add_fraction(out, d, 6))
TOKEN(meridiem, strbuf_add_str(out, d->c.hour < 12 ? "AM" : "PM"))
TOKEN(offset_colon, add_offset(out, d, true))
TOKEN(offset, add_offset(out, d, false))
TOKEN(abbreviation, date_add_zone_name(out, d->at))
TOKEN(zone, if (d->at->zone) strbuf_add_str(out, zone_name(d->at->zone)))
TOKEN_FORMAT(time_full, "h:mm:ss A")
TOKEN_FORMAT(time_short, "h:mm A")
TOKEN_FORMAT(date_short, "MM/DD/YYYY")
TOKEN_FORMAT(date_long, "MMMM D, YYYY")
TOKEN_FORMAT(date_time_long, "MMMM D, YYYY h:mm A")
TOKEN_FORMAT(date_time_full, "dddd, MMMM D, YYYY h:mm A")

/* Longer tokens stand before their beginnings. */
static const struct {
    const char *token;
    add_token *add;
} tokens[] = {
    {"YYYY", year},
    {"YY", year2},
    {"Y", year},
    {"Qo", quarter_ordinal},
    {"Q", quarter},
    {"MMMM", month_name},
    {"MMM", month_short},
    {"MM", month2},
    {"Mo", month_ordinal},
    {"M", month},
    {"DDDo", day_of_year_ordinal},
    {"DDDD", day_of_year3},
    {"DDD", day_of_year},
    {"DD", day2},
    {"Do", day_ordinal},
    {"D", day},
    {"dddd", weekday_name},
    {"ddd", weekday_short},
    {"dd", weekday_two},
    {"do", weekday_ordinal},
    {"d", weekday},
    {"E", iso_weekday},
    {"eo", local_weekday_ordinal},
    {"e", local_weekday},
    {"wo", week_ordinal},
    {"HH", hour2},
    {"H", hour},
    {"hh", half2},
    {"h", half},
    {"mm", minute2},
    {"m", minute},
    {"ss", second2},
    {"s", second},
    {"SSSSSS", fraction6},
    {"SSSSS", fraction5},
    {"SSSS", fraction4},
    {"SSS", fraction3},
    {"SS", fraction2},
    {"S", fraction1},
    {"A", meridiem},
    {"X", seconds},
    {"x", milliseconds},
    {"ZZ", offset},
    {"Z", offset_colon},
    {"zz", abbreviation},
    {"z", zone},
    {"LTS", time_full},
    {"LT", time_short},
    {"LLLL", date_time_full},
    {"LLL", date_time_long},
    {"LL", date_long},
    {"L", date_short},
};

/* Bytes of the format that were used. */
static size_t add_one(struct strbuf *out, const struct token_date *d, struct slice rest)
{
    const char *close = rest.p[0] == '[' ? memchr(rest.p, ']', rest.size) : NULL;
    if (close) {
        strbuf_add(out, rest.p + 1, (size_t)(close - rest.p) - 1);
        return (size_t)(close - rest.p) + 1;
    }
    if (rest.p[0] == '\\' && rest.size > 1) {
        strbuf_add_char(out, rest.p[1]);
        return 2;
    }
    for (size_t i = 0; isalpha((unsigned char)rest.p[0]) && i < ARRAY_SIZE(tokens); i++) {
        size_t size = strlen(tokens[i].token);
        if (size <= rest.size && memcmp(rest.p, tokens[i].token, size) == 0) {
            tokens[i].add(out, d);
            return size;
        }
    }
    strbuf_add_char(out, rest.p[0]);
    return 1;
}

void date_add_tokens(struct strbuf *out, const struct moment *at, struct slice format)
{
    struct token_date d = {.at = at, .c = moment_civil(at)};
    int64_t days = days_from_civil(d.c.year, d.c.month, d.c.day);
    int year_of_week, day_of_week;
    iso_week_of(days, &year_of_week, &d.week, &day_of_week);
    d.weekday = weekday_of(days);
    d.day_of_year = (int)(days - days_from_civil(d.c.year, 1, 1)) + 1;
    d.quarter = (d.c.month - 1) / 3 + 1;
    for (size_t i = 0; i < format.size;)
        i += add_one(out, &d, slice_make(format.p + i, format.size - i));
}
