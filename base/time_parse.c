#include "base/clock.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A text and the place that is read next. */
struct reader {
    struct slice text;
    size_t at;
};

static char peek(const struct reader *r)
{
    return r->at < r->text.size ? r->text.p[r->at] : '\0';
}

static bool read_char(struct reader *r, char c)
{
    if (peek(r) != c || r->at == r->text.size)
        return false;
    r->at++;
    return true;
}

/* Exactly `count` digits. */
static bool read_digits(struct reader *r, int count, int *ret)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (!is_digit(peek(r)))
            return false;
        value = value * 10 + (r->text.p[r->at++] - '0');
    }
    *ret = value;
    return true;
}

static bool read_date(struct reader *r, struct civil *ret)
{
    return read_digits(r, 4, &ret->year) && read_char(r, '-') && read_digits(r, 2, &ret->month) &&
           read_char(r, '-') && read_digits(r, 2, &ret->day);
}

/* One to nine digits behind the point; what is finer than microseconds is cut. */
static bool read_fraction(struct reader *r, int *ret_us)
{
    int us = 0, count = 0;
    for (; is_digit(peek(r)); r->at++, count++)
        if (count < 6)
            us = us * 10 + (r->text.p[r->at] - '0');
    for (int i = count; i < 6; i++)
        us *= 10;
    *ret_us = us;
    return count >= 1 && count <= 9;
}

static bool read_clock(struct reader *r, struct civil *ret)
{
    if (!read_digits(r, 2, &ret->hour) || !read_char(r, ':') || !read_digits(r, 2, &ret->minute))
        return false;
    if (!read_char(r, ':'))
        return true;
    if (!read_digits(r, 2, &ret->second))
        return false;
    return !read_char(r, '.') || read_fraction(r, &ret->microsecond);
}

/* Z, ±HH, ±HH:MM or ±HHMM. */
static bool read_offset(struct reader *r, int64_t *ret_us)
{
    if (read_char(r, 'Z') || read_char(r, 'z'))
        return true;
    int hours, minutes = 0;
    bool west = peek(r) == '-';
    r->at++;
    if (!read_digits(r, 2, &hours))
        return false;
    if (r->at < r->text.size && (read_char(r, ':'), !read_digits(r, 2, &minutes)))
        return false;
    *ret_us = (hours * US_PER_HOUR + minutes * US_PER_MINUTE) * (west ? -1 : 1);
    return hours <= 23 && minutes <= 59;
}

static bool civil_exists(const struct civil *c)
{
    return c->year >= 1 && c->month >= 1 && c->month <= 12 && c->day >= 1 &&
           c->day <= days_in_month(c->year, c->month) && c->hour <= 23 && c->minute <= 59 &&
           c->second <= 59;
}

static enum status not_a_time(struct slice text, struct error *err)
{
    error_set(err, ERR_INVALID, "'%.*s' is not a date or time", SLICE_ARG(text));
    error_hint(err, "write it as 2007-04-12, 2007-04-12T08:30 or 2007-04-12T08:30:00+02:00");
    return ERR_INVALID;
}

enum status time_parse_iso(struct slice text, int64_t *ret_us, bool *ret_has_offset,
    bool *ret_date_only, struct error *err)
{
    struct reader r = {.text = text};
    struct civil civil = {0};
    int64_t offset_us = 0;
    bool has_offset = false, date_only = true;
    if (!read_date(&r, &civil))
        return not_a_time(text, err);
    if (r.at < text.size) {
        date_only = false;
        if (!(read_char(&r, 'T') || read_char(&r, 't') || read_char(&r, ' ')) ||
            !read_clock(&r, &civil))
            return not_a_time(text, err);
    }
    if (peek(&r) && strchr("Zz+-", peek(&r))) {
        has_offset = true;
        if (!read_offset(&r, &offset_us))
            return not_a_time(text, err);
    }
    if (r.at < text.size)
        return not_a_time(text, err);
    if (!civil_exists(&civil))
        return error_set(
            err, ERR_INVALID, "'%.*s' names a day or time that does not exist", SLICE_ARG(text));
    *ret_us = civil_to_us(&civil) - offset_us;
    *ret_has_offset = has_offset;
    *ret_date_only = date_only;
    return OK;
}
