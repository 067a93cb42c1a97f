/* Dates as text and back: isoformat, strftime, strptime, pendulum's format. */
#include "definition/context/date.h"

const char *const month_names[12] = {"January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December"};
const char *const weekday_names[7] = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

int weekday_of(int64_t days)
{
    return (weekday_of_days(days) + 6) % 7;
}

static int64_t days_of_civil(const struct civil *c)
{
    return days_from_civil(c->year, c->month, c->day);
}

void iso_week_of(int64_t days, int *ret_year, int *ret_week, int *ret_day)
{
    int weekday = weekday_of(days);
    /* A week belongs to the year of its Thursday. */
    int64_t thursday = days - weekday + 3;
    struct civil c = civil_from_us(thursday * US_PER_DAY);
    *ret_year = c.year;
    *ret_week = (int)((thursday - days_from_civil(c.year, 1, 1)) / 7) + 1;
    *ret_day = weekday + 1;
}

/* --- ISO 8601 ------------------------------------------------------------------------------- */

void date_add_offset(struct strbuf *out, int32_t offset_s, bool colon)
{
    int32_t s = offset_s < 0 ? -offset_s : offset_s;
    const char *between = colon ? ":" : "";
    strbuf_printf(out, "%c%02d%s%02d", offset_s < 0 ? '-' : '+', s / 3600, between, s / 60 % 60);
    if (s % 60)
        strbuf_printf(out, "%s%02d", between, s % 60);
}

bool date_add_iso_spec(
    struct strbuf *out, const struct moment *at, struct slice separator, struct slice timespec)
{
    static const char *const formats[] = {
        "%H", "%H:%M", "%H:%M:%S", "%H:%M:%S", "%H:%M:%S.%f", "%H:%M:%S.%f"};
    static const char *const names[] = {
        "hours", "minutes", "seconds", "auto", "milliseconds", "microseconds"};
    enum { AUTO = 3, MILLISECONDS = 4, MICROSECONDS = 5 };
    struct civil c = moment_civil(at);
    size_t i = 0;
    while (i < ARRAY_SIZE(names) && !slice_equal_str(timespec, names[i]))
        i++;
    if (i == ARRAY_SIZE(names))
        return false;
    if (i == AUTO && c.microsecond)
        i = MICROSECONDS;
    strbuf_printf(out, "%04d-%02d-%02d%.*s", c.year, c.month, c.day, SLICE_ARG(separator));
    date_add_strftime(out, at, slice_of(formats[i]));
    if (i == MILLISECONDS)
        out->size -= strlen("000");
    if (at->aware)
        date_add_offset(out, at->offset_s, true);
    return true;
}

void date_add_iso(struct strbuf *out, const struct moment *at, char separator)
{
    (void)date_add_iso_spec(out, at, slice_make(&separator, 1), slice_of("auto"));
}

void date_add_zone_name(struct strbuf *out, const struct moment *at)
{
    if (at->zone)
        strbuf_add_str(out, zone_span_at(at->zone, moment_seconds(at)).abbreviation);
    else if (at->aware) {
        strbuf_add_str(out, "UTC");
        if (at->offset_s)
            date_add_offset(out, at->offset_s, true);
    }
}

void delta_add_text(struct strbuf *out, int64_t us)
{
    int64_t days = us / US_PER_DAY - (us % US_PER_DAY < 0);
    int64_t rest = us - days * US_PER_DAY;
    if (days)
        strbuf_printf(out, "%lld day%s, ", (long long)days, days == 1 || days == -1 ? "" : "s");
    strbuf_printf(out, "%d:%02d:%02d", (int)(rest / US_PER_HOUR), (int)(rest / US_PER_MINUTE % 60),
        (int)(rest / US_PER_SECOND % 60));
    if (rest % US_PER_SECOND)
        strbuf_printf(out, ".%06d", (int)(rest % US_PER_SECOND));
}

/* --- strftime ------------------------------------------------------------------------------- */

struct strftime {
    struct strbuf *out;
    const struct moment *at;
    struct civil c;
    int weekday, day_of_year; /* from 0 = Monday; from 1 */
    char flag;                /* of "%-d": '-', '_', '0', '^', or 0 */
    int width;                /* of "%05d", 0 = the directive's */
};

static void add_number(const struct strftime *f, int64_t value, int width, char pad)
{
    char text[32];
    width = f->width ? f->width : f->flag == '-' ? 0 : width;
    pad = f->flag == '_' ? ' ' : f->flag == '0' ? '0' : pad;
    int size = snprintf(text, sizeof(text), "%lld", (long long)value);
    strbuf_add_repeat(f->out, pad, width > size ? (size_t)(width - size) : 0);
    strbuf_add_str(f->out, text);
}

static void add_word(const struct strftime *f, const char *word, size_t size)
{
    for (size_t i = 0; i < size && word[i]; i++) {
        bool lower = word[i] >= 'a' && word[i] <= 'z';
        strbuf_add_char(f->out, f->flag == '^' && lower ? (char)(word[i] - 'a' + 'A') : word[i]);
    }
}

static void add_week(const struct strftime *f, char directive)
{
    int year, week, day;
    iso_week_of(days_of_civil(&f->c), &year, &week, &day);
    switch (directive) {
    case 'G': add_number(f, year, 0, '0'); break;
    case 'g': add_number(f, year % 100, 2, '0'); break;
    case 'V': add_number(f, week, 2, '0'); break;
    case 'U': add_number(f, (f->day_of_year + 6 - (f->weekday + 1) % 7) / 7, 2, '0'); break;
    default: add_number(f, (f->day_of_year + 6 - f->weekday) / 7, 2, '0'); break; /* W */
    }
}

static void add_clock(const struct strftime *f, char directive)
{
    const struct civil *c = &f->c;
    int hour12 = c->hour % 12 ? c->hour % 12 : 12;
    switch (directive) {
    case 'H': add_number(f, c->hour, 2, '0'); break;
    case 'k': add_number(f, c->hour, 2, ' '); break;
    case 'I': add_number(f, hour12, 2, '0'); break;
    case 'l': add_number(f, hour12, 2, ' '); break;
    case 'M': add_number(f, c->minute, 2, '0'); break;
    case 'S': add_number(f, c->second, 2, '0'); break;
    case 'f': add_number(f, c->microsecond, 6, '0'); break;
    case 'p': strbuf_add_str(f->out, c->hour < 12 ? "AM" : "PM"); break;
    case 'P': strbuf_add_str(f->out, c->hour < 12 ? "am" : "pm"); break;
    case 's': add_number(f, moment_seconds(f->at), 0, '0'); break;
    case 'Z': date_add_zone_name(f->out, f->at); break;
    default: /* z */
        if (f->at->aware)
            date_add_offset(f->out, f->at->offset_s, false);
        break;
    }
}

static void add_calendar(const struct strftime *f, char directive)
{
    const struct civil *c = &f->c;
    const char *month = month_names[c->month - 1], *weekday = weekday_names[f->weekday];
    switch (directive) {
    case 'Y': add_number(f, c->year, 0, '0'); break;
    case 'C': add_number(f, c->year / 100, 2, '0'); break;
    case 'y': add_number(f, c->year % 100, 2, '0'); break;
    case 'm': add_number(f, c->month, 2, '0'); break;
    case 'd': add_number(f, c->day, 2, '0'); break;
    case 'e': add_number(f, c->day, 2, ' '); break;
    case 'j': add_number(f, f->day_of_year, 3, '0'); break;
    case 'B': add_word(f, month, SIZE_MAX); break;
    case 'b':
    case 'h': add_word(f, month, 3); break;
    case 'A': add_word(f, weekday, SIZE_MAX); break;
    case 'a': add_word(f, weekday, 3); break;
    case 'w': add_number(f, (f->weekday + 1) % 7, 0, '0'); break;
    default: add_number(f, f->weekday + 1, 0, '0'); break; /* u */
    }
}

static const char *composite(char directive)
{
    switch (directive) {
    case 'c': return "%a %b %e %H:%M:%S %Y";
    case 'D':
    case 'x': return "%m/%d/%y";
    case 'F': return "%Y-%m-%d";
    case 'r': return "%I:%M:%S %p";
    case 'R': return "%H:%M";
    case 'T':
    case 'X': return "%H:%M:%S";
    case 'n': return "\n";
    case 't': return "\t";
    default: return NULL;
    }
}

static void add_directive(const struct strftime *f, char directive)
{
    if (strchr("HkIlMSfpPsZz", directive))
        add_clock(f, directive);
    else if (strchr("GgVUW", directive))
        add_week(f, directive);
    else
        add_calendar(f, directive);
}

void date_add_strftime(struct strbuf *out, const struct moment *at, struct slice format)
{
    struct strftime f = {.out = out, .at = at, .c = moment_civil(at)};
    int64_t days = days_of_civil(&f.c);
    f.weekday = weekday_of(days);
    f.day_of_year = (int)(days - days_from_civil(f.c.year, 1, 1)) + 1;
    for (size_t i = 0; i < format.size; i++) {
        if (format.p[i] != '%' || i + 1 == format.size) {
            strbuf_add_char(out, format.p[i]);
            continue;
        }
        size_t start = i++;
        f.flag = strchr("-_0^", format.p[i]) && i + 1 < format.size ? format.p[i++] : '\0';
        f.width = 0;
        while (format.p[i] >= '0' && format.p[i] <= '9' && f.width < 100 && i + 1 < format.size)
            f.width = f.width * 10 + (format.p[i++] - '0');
        char directive = format.p[i];
        if (directive == '%')
            strbuf_add_char(out, '%');
        else if (composite(directive))
            date_add_strftime(out, at, slice_of(composite(directive)));
        else if (directive && strchr("aAbBCdefgGhHIjklmMpPsSuUVwWyYzZ", directive))
            add_directive(&f, directive);
        else
            strbuf_add(out, format.p + start, i + 1 - start); /* as glibc does */
    }
}
