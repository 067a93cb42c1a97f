/* Python's strptime, in the C locale. */
#include "definition/context/date.h"

#include <ctype.h>
#include <strings.h>

struct strptime {
    struct slice text;
    size_t i;
    struct civil c;
    int hour12, afternoon; /* -1 = not given */
    int day_of_year;       /* 0 = not given */
    int32_t offset_s;
    bool aware;
};

/* Up to `digits` digits with a value in [min, max]; as few as make it fit. */
static bool read_number(struct strptime *p, int digits, int min, int max, int *ret)
{
    int value = 0, best = -1;
    size_t end = 0;
    for (int k = 0; k < digits && p->i + (size_t)k < p->text.size; k++) {
        char c = p->text.p[p->i + (size_t)k];
        if (!isdigit((unsigned char)c))
            break;
        value = value * 10 + (c - '0');
        if (value >= min && value <= max) {
            best = value;
            end = p->i + (size_t)k + 1;
        }
    }
    if (best < 0)
        return false;
    *ret = best;
    p->i = end;
    return true;
}

static bool read_exactly(struct strptime *p, int digits, int min, int *ret)
{
    size_t start = p->i;
    return read_number(p, digits, min, 9999, ret) && p->i == start + (size_t)digits;
}

static bool read_word(struct strptime *p, const char *word, size_t size)
{
    if (p->text.size - p->i < size || strncasecmp(p->text.p + p->i, word, size) != 0)
        return false;
    p->i += size;
    return true;
}

/* The index of the name that stands here, in full or by three letters. */
static bool read_name(struct strptime *p, const char *const *names, int count, bool full, int *ret)
{
    for (int k = 0; k < count; k++)
        if (read_word(p, names[k], full ? strlen(names[k]) : 3)) {
            *ret = k;
            return true;
        }
    return false;
}

static bool read_fraction(struct strptime *p)
{
    int value = 0;
    size_t start = p->i;
    while (p->i < p->text.size && p->i - start < 6 && isdigit((unsigned char)p->text.p[p->i]))
        value = value * 10 + (p->text.p[p->i++] - '0');
    for (size_t k = p->i - start; k < 6; k++)
        value *= 10;
    p->c.microsecond = value;
    return p->i > start;
}

static bool read_offset(struct strptime *p)
{
    int hours, minutes = 0, seconds = 0;
    p->aware = true;
    if (read_word(p, "z", 1))
        return true;
    bool minus = p->i < p->text.size && p->text.p[p->i] == '-';
    if (!read_word(p, "+", 1) && !read_word(p, "-", 1))
        return false;
    if (!read_exactly(p, 2, 0, &hours))
        return false;
    bool colon = read_word(p, ":", 1);
    if (!read_exactly(p, 2, 0, &minutes) || minutes > 59)
        return false;
    if (!colon || read_word(p, ":", 1))
        (void)read_number(p, 2, 0, 59, &seconds);
    p->offset_s = ((hours * 60 + minutes) * 60 + seconds) * (minus ? -1 : 1);
    return hours < 24;
}

static bool read_day_name(struct strptime *p, bool full)
{
    int ignored;
    return read_name(p, weekday_names, 7, full, &ignored);
}

static bool read_month_name(struct strptime *p, bool full)
{
    if (!read_name(p, month_names, 12, full, &p->c.month))
        return false;
    p->c.month++;
    return true;
}

static bool read_afternoon(struct strptime *p)
{
    p->afternoon = read_word(p, "am", 2) ? 0 : read_word(p, "pm", 2) ? 1 : -1;
    return p->afternoon >= 0;
}

static bool read_short_year(struct strptime *p)
{
    if (!read_exactly(p, 2, 0, &p->c.year))
        return false;
    p->c.year += p->c.year <= 68 ? 2000 : 1900; /* POSIX */
    return true;
}

static bool read_directive(struct strptime *p, char directive)
{
    int ignored;
    switch (directive) {
    case 'Y': return read_exactly(p, 4, 1, &p->c.year);
    case 'y': return read_short_year(p);
    case 'm': return read_number(p, 2, 1, 12, &p->c.month);
    case 'd': return read_number(p, 2, 1, 31, &p->c.day);
    case 'H': return read_number(p, 2, 0, 23, &p->c.hour);
    case 'I': return read_number(p, 2, 1, 12, &p->hour12);
    case 'M': return read_number(p, 2, 0, 59, &p->c.minute);
    case 'S': return read_number(p, 2, 0, 59, &p->c.second);
    case 'j': return read_number(p, 3, 1, 366, &p->day_of_year);
    case 'w': return read_number(p, 1, 0, 6, &ignored);
    case 'u': return read_number(p, 1, 1, 7, &ignored);
    case 'f': return read_fraction(p);
    case 'p': return read_afternoon(p);
    case 'A': return read_day_name(p, true);
    case 'a': return read_day_name(p, false);
    case 'B': return read_month_name(p, true);
    case 'b': return read_month_name(p, false);
    case 'z': return read_offset(p);
    case 'Z': return read_word(p, "UTC", 3) || read_word(p, "GMT", 3);
    case '%': return read_word(p, "%", 1);
    default: return false;
    }
}

static const char *composite(char directive)
{
    switch (directive) {
    case 'c': return "%a %b %d %H:%M:%S %Y";
    case 'x': return "%m/%d/%y";
    case 'X': return "%H:%M:%S";
    default: return NULL;
    }
}

static bool read_format(struct strptime *p, struct slice format, struct error *err)
{
    for (size_t k = 0; k < format.size; k++) {
        char c = format.p[k];
        bool ok;
        if (isspace((unsigned char)c)) {
            size_t start = p->i;
            while (p->i < p->text.size && isspace((unsigned char)p->text.p[p->i]))
                p->i++;
            while (k + 1 < format.size && isspace((unsigned char)format.p[k + 1]))
                k++;
            ok = p->i > start;
        } else if (c == '%' && k + 1 < format.size) {
            c = format.p[++k];
            ok = composite(c) ? read_format(p, slice_of(composite(c)), err) : read_directive(p, c);
        } else {
            ok = read_word(p, &c, 1);
        }
        if (!ok)
            return false;
    }
    return true;
}

static bool settle(struct strptime *p)
{
    if (p->hour12 >= 0)
        p->c.hour = p->hour12 % 12 + (p->afternoon == 1 ? 12 : 0);
    if (p->day_of_year) {
        int64_t day = days_from_civil(p->c.year, 1, 1) + p->day_of_year - 1;
        struct civil date = civil_from_us(day * US_PER_DAY);
        if (date.year != p->c.year)
            return false;
        p->c.month = date.month;
        p->c.day = date.day;
    }
    return p->c.day <= days_in_month(p->c.year, p->c.month);
}

enum status date_parse_strptime(
    struct slice text, struct slice format, struct moment *ret, struct error *err)
{
    struct strptime p = {
        .text = text, .c = {.year = 1900, .month = 1, .day = 1}, .hour12 = -1, .afternoon = -1};
    if (!read_format(&p, format, err))
        return error_set(err, ERR_TEMPLATE_VALUE, "time data '%.*s' does not match format '%.*s'",
            SLICE_ARG(text), SLICE_ARG(format));
    if (p.i < text.size)
        return error_set(err, ERR_TEMPLATE_VALUE, "unconverted data remains: %.*s",
            (int)(text.size - p.i), text.p + p.i);
    if (!settle(&p))
        return error_set(err, ERR_TEMPLATE_VALUE, "day is out of range for month");
    struct moment like = {.aware = p.aware, .offset_s = p.offset_s};
    *ret = moment_at_civil(&like, &p.c, false);
    return OK;
}

enum status date_parse_iso(struct slice text, struct moment *ret, struct error *err)
{
    struct error inner;
    bool has_offset, date_only;
    int64_t us, wall_us;
    if (time_parse_iso(text, &us, &has_offset, &date_only, &inner) != OK)
        return error_set(
            err, ERR_TEMPLATE_VALUE, "Invalid isoformat string: '%.*s'", SLICE_ARG(text));
    *ret = (struct moment){.us = us};
    if (!has_offset)
        return OK;
    /* What stands before the offset is the wall clock. */
    size_t end = strlen("YYYY-MM-DD");
    while (end < text.size && !strchr("+-Zz", text.p[end]))
        end++;
    struct slice wall = slice_trim(slice_make(text.p, end));
    enum status status = time_parse_iso(wall, &wall_us, &has_offset, &date_only, err);
    ret->aware = true;
    ret->offset_s = (int32_t)((wall_us - us) / US_PER_SECOND);
    if (ret->offset_s == 0)
        ret->zone = zone_utc();
    return status;
}
