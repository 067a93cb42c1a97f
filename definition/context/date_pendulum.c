/* What pendulum's dates can do beyond Python's. */
#include <math.h>
#include "definition/context/date.h"
#include "definition/context/date_method.h"

/* The result for `self`: a Date stays a Date. */
static struct jinja_value like_self(const struct jinja_call *call, struct moment at)
{
    if (jinja_object_of(call->self, &day_class))
        return day_new(call->arena, at.us / US_PER_DAY - (at.us % US_PER_DAY < 0));
    return date_new(call->arena, call->self.object->class, at);
}

/* --- add and subtract ----------------------------------------------------------------------- */

enum status read_number(const struct jinja_call *call, const char *name, struct jinja_value v,
    double *ret, struct error *err)
{
    int64_t integer;
    *ret = 0;
    if (v.kind == JINJA_FLOAT) {
        *ret = v.real;
        return OK;
    }
    enum status status = jinja_argument_int(call, name, v, 0, &integer, err);
    if (status == OK)
        *ret = (double)integer;
    return status;
}

enum status read_units(
    const struct jinja_call *call, int sign, struct units *ret, struct error *err)
{
    static const char *const names[] = {
        "years", "months", "weeks", "days", "hours", "minutes", "seconds", "microseconds"};
    static const double us[] = {0, 0, 0, 0, 3.6e9, 6e7, 1e6, 1};
    struct jinja_value v[ARRAY_SIZE(names)];
    int64_t *const whole[] = {&ret->years, &ret->months, &ret->weeks, &ret->days};
    double rest = 0;
    *ret = (struct units){0};
    enum status status = jinja_arguments(call, names, ARRAY_SIZE(names), 0, v, err);
    for (size_t i = 0; status == OK && i < ARRAY_SIZE(names); i++) {
        double value;
        status = read_number(call, names[i], v[i], &value, err);
        if (status)
            return status;
        if (!(fabs(value) < 1e15))
            return error_set(err, ERR_TEMPLATE_VALUE, "date value out of range");
        if (i < ARRAY_SIZE(whole))
            *whole[i] = sign * (int64_t)value;
        else
            rest += value * us[i];
    }
    if (status == OK && !(fabs(rest) < 1e17))
        return error_set(err, ERR_TEMPLATE_VALUE, "date value out of range");
    ret->us = sign * (int64_t)llround(rest);
    return status;
}

static enum status add_units(
    const struct jinja_call *call, int sign, struct jinja_value *ret, struct error *err)
{
    struct moment at = moment_of_self(call);
    struct units units;
    enum status status = read_units(call, sign, &units, err);
    if (status == OK)
        status = moment_add(&at, &units, &at, err);
    if (status == OK)
        *ret = like_self(call, at);
    return status;
}

enum status method_add(const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    return add_units(call, 1, ret, err);
}

enum status method_subtract(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    return add_units(call, -1, ret, err);
}

/* --- the start and the end of a unit -------------------------------------------------------- */

enum unit { SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, YEAR, DECADE, CENTURY, UNIT_COUNT };
static const char *const unit_names[UNIT_COUNT] = {
    "second", "minute", "hour", "day", "week", "month", "year", "decade", "century"};

static enum status read_unit(const struct jinja_call *call, unsigned *ret, struct error *err)
{
    static const char *const names[] = {"unit"};
    struct jinja_value v[1];
    struct slice text;
    enum status status = jinja_arguments(call, names, 1, 1, v, err);
    if (status == OK)
        status = jinja_argument_text(call, names[0], v[0], NULL, &text, err);
    if (status)
        return status;
    for (*ret = 0; *ret < UNIT_COUNT; ++*ret)
        if (slice_equal_str(text, unit_names[*ret]))
            return OK;
    error_set(
        err, ERR_TEMPLATE_VALUE, "Invalid unit \"%.*s\" for %s()", SLICE_ARG(text), call->name);
    error_hint(err, "second, minute, hour, day, week, month, year, decade or century");
    return ERR_TEMPLATE_VALUE;
}

/* The first second of the unit that the wall clock stands in. */
static struct civil start_of(struct civil c, unsigned unit)
{
    c.microsecond = 0;
    c.second = unit >= MINUTE ? 0 : c.second;
    c.minute = unit >= HOUR ? 0 : c.minute;
    c.hour = unit >= DAY ? 0 : c.hour;
    if (unit == WEEK) {
        int64_t days = days_from_civil(c.year, c.month, c.day);
        c = civil_from_us((days - weekday_of(days)) * US_PER_DAY);
    }
    c.day = unit >= MONTH ? 1 : c.day;
    c.month = unit >= YEAR ? 1 : c.month;
    if (unit == DECADE)
        c.year -= c.year % 10;
    else if (unit == CENTURY)
        c.year = (c.year - 1) / 100 * 100 + 1;
    return c;
}

/* The last microsecond of the unit that starts at `c`. */
static struct civil end_of(struct civil c, unsigned unit)
{
    static const int years[UNIT_COUNT] = {[YEAR] = 1, [DECADE] = 10, [CENTURY] = 100};
    static const int64_t us[UNIT_COUNT] = {
        US_PER_SECOND, US_PER_MINUTE, US_PER_HOUR, US_PER_DAY, 7 * US_PER_DAY};
    int64_t start = civil_to_us(&c);
    if (unit == MONTH)
        return civil_from_us(start + days_in_month(c.year, c.month) * US_PER_DAY - 1);
    if (unit < MONTH)
        return civil_from_us(start + us[unit] - 1);
    c.year += years[unit];
    return civil_from_us(days_from_civil(c.year, 1, 1) * US_PER_DAY - 1);
}

static enum status bound_of(
    const struct jinja_call *call, bool end, struct jinja_value *ret, struct error *err)
{
    unsigned unit;
    struct moment at = moment_of_self(call);
    enum status status = read_unit(call, &unit, err);
    if (status)
        return status;
    struct civil c = start_of(moment_civil(&at), unit);
    if (end)
        c = end_of(c, unit);
    if (c.year < 1 || c.year > 9999)
        return error_set(err, ERR_TEMPLATE_VALUE, "date value out of range");
    *ret = like_self(call, moment_at_civil(&at, &c, moment_fold(&at)));
    return OK;
}

enum status method_start_of(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    return bound_of(call, false, ret, err);
}

enum status method_end_of(const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    return bound_of(call, true, ret, err);
}

/* --- weekdays ------------------------------------------------------------------------------- */

static enum status read_weekday(
    const struct jinja_call *call, int absent, int *ret, struct error *err)
{
    static const char *const names[] = {"day_of_week"};
    struct jinja_value v[1];
    int64_t day;
    enum status status = jinja_arguments(call, names, 1, 0, v, err);
    if (status == OK && v[0].kind == JINJA_NONE)
        v[0] = (struct jinja_value){0};
    if (status == OK)
        status = jinja_argument_int(call, names[0], v[0], absent, &day, err);
    if (status == OK && (day < -1 || day > 6))
        return error_set(err, ERR_TEMPLATE_VALUE, "Invalid day of week");
    if (status == OK)
        *ret = (int)day;
    return status;
}

/* Midnight of a day, in the zone of `self`. */
static enum status at_midnight(
    const struct jinja_call *call, int64_t days, struct jinja_value *ret, struct error *err)
{
    struct moment like = moment_of_self(call);
    struct moment wall = {.us = days * US_PER_DAY};
    enum status status = moment_check(&wall, err);
    if (status)
        return status;
    struct civil c = moment_civil(&wall);
    *ret = like_self(call, moment_at_civil(&like, &c, moment_fold(&like)));
    return OK;
}

enum status method_next(const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    int64_t days = days_of(call->self);
    int want;
    enum status status = read_weekday(call, weekday_of(days), &want, err);
    if (status)
        return status;
    int ahead = (want - weekday_of(days) + 7) % 7;
    return at_midnight(call, days + (ahead ? ahead : 7), ret, err);
}

enum status method_previous(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    int64_t days = days_of(call->self);
    int want;
    enum status status = read_weekday(call, weekday_of(days), &want, err);
    if (status)
        return status;
    int back = (weekday_of(days) - want + 7) % 7;
    return at_midnight(call, days - (back ? back : 7), ret, err);
}

static enum status edge_of(
    const struct jinja_call *call, bool last, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"unit", "day_of_week"};
    struct jinja_value v[2];
    struct slice unit;
    int64_t want;
    enum status status = jinja_arguments(call, names, 2, 1, v, err);
    if (status == OK)
        status = jinja_argument_text(call, names[0], v[0], NULL, &unit, err);
    if (status == OK)
        status = jinja_argument_int(call, names[1], v[1], -1, &want, err);
    if (status)
        return status;
    struct civil c = civil_from_us(days_of(call->self) * US_PER_DAY);
    bool quarter = slice_equal_str(unit, "quarter"), year = slice_equal_str(unit, "year");
    if ((!quarter && !year && !slice_equal_str(unit, "month")) || want < -1 || want > 6)
        return error_set(
            err, ERR_TEMPLATE_VALUE, "Invalid unit \"%.*s\" for %s()", SLICE_ARG(unit), call->name);
    int size = year ? 12 : quarter ? 3 : 1;
    int first = (c.month - 1) / size * size + 1, month = last ? first + size - 1 : first;
    int64_t days = days_from_civil(c.year, month, last ? days_in_month(c.year, month) : 1);
    if (want >= 0)
        days += last ? -((weekday_of(days) - want + 7) % 7) : (want - weekday_of(days) + 7) % 7;
    return at_midnight(call, days, ret, err);
}

enum status method_first_of(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    return edge_of(call, false, ret, err);
}

enum status method_last_of(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    return edge_of(call, true, ret, err);
}

/* --- text ----------------------------------------------------------------------------------- */

enum status method_format(const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"fmt", "locale"};
    struct jinja_value v[2];
    struct slice format, locale;
    struct moment at = moment_of_self(call);
    enum status status = jinja_arguments(call, names, 2, 1, v, err);
    if (status == OK)
        status = jinja_argument_text(call, names[0], v[0], NULL, &format, err);
    if (status == OK && v[1].kind != JINJA_NONE)
        status = jinja_argument_text(call, names[1], v[1], "en", &locale, err);
    if (status)
        return status;
    if (v[1].kind == JINJA_STRING && !slice_equal_str(locale, "en"))
        return error_set(
            err, ERR_TEMPLATE_VALUE, "Locale [%.*s] does not exist", SLICE_ARG(locale));
    struct strbuf text = {0};
    date_add_tokens(&text, &at, format);
    *ret = text_value(call->arena, &text);
    return OK;
}

/* `self` by a fixed format of tokens. */
static enum status fixed(
    const struct jinja_call *call, const char *format, struct jinja_value *ret, struct error *err)
{
    struct moment at = moment_of_self(call);
    struct strbuf text = {0};
    date_add_tokens(&text, &at, slice_of(format));
    *ret = text_value(call->arena, &text);
    return no_arguments(call, err);
}

#define FIXED(name, format)                                                                        \
    enum status name(const struct jinja_call *call, struct jinja_value *ret, struct error *err)    \
    {                                                                                              \
        return fixed(call, format, ret, err);                                                      \
    }
FIXED(method_to_date_string, "YYYY-MM-DD")
FIXED(method_to_formatted_date_string, "MMM DD, YYYY")
static FIXED(to_time_string, "HH:mm:ss") static FIXED(
    to_datetime_string, "YYYY-MM-DD HH:mm:ss") static FIXED(to_day_datetime_string,
    "ddd, MMM D, YYYY h:mm A") static FIXED(to_atom_string,
    "YYYY-MM-DDTHH:mm:ssZ") static FIXED(to_cookie_string,
    "dddd, DD-MMM-YYYY HH:mm:ss zz") static FIXED(to_rfc822_string,
    "ddd, DD MMM YY HH:mm:ss ZZ") static FIXED(to_rfc850_string,
    "dddd, DD-MMM-YY HH:mm:ss zz") static FIXED(to_rfc1123_string, "ddd, DD MMM YYYY HH:mm:ss ZZ")

    static enum status
    to_iso(const struct jinja_call *call, bool zulu, struct jinja_value *ret, struct error *err)
{
    struct moment at = moment_of_self(call);
    struct strbuf text = {0};
    date_add_iso(&text, &at, 'T');
    if (zulu && at.zone == zone_utc()) {
        text.size -= strlen("+00:00");
        strbuf_add_char(&text, 'Z');
    }
    *ret = text_value(call->arena, &text);
    return no_arguments(call, err);
}

static enum status to_iso8601_string(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    return to_iso(call, true, ret, err);
}

static enum status to_rfc3339_string(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    return to_iso(call, false, ret, err);
}

/* --- set ------------------------------------------------------------------------------------ */

static enum status set_fields(const struct jinja_call *call, const char *const *names, size_t first,
    size_t count, struct jinja_value *ret, struct error *err)
{
    static const char *const all[] = {
        "year", "month", "day", "hour", "minute", "second", "microsecond", "tz"};
    struct jinja_value given[8], v[8] = {0};
    struct moment at = moment_of_self(call);
    struct civil c = moment_civil(&at);
    bool fold = moment_fold(&at);
    enum status status = jinja_arguments(call, names, count, 0, given, err);
    for (size_t i = 0; status == OK && i < count; i++)
        v[first + i] = given[i];
    /* `at` starts from the full hour. */
    for (size_t i = 4; first == 3 && i < 7; i++)
        v[i] = jinja_is_absent(v[i]) ? jinja_int(0) : v[i];
    if (status == OK)
        status = read_civil(call, v, all, &c, err);
    if (status == OK && !jinja_is_absent(v[7])) {
        struct tz tz;
        status = tz_argument(call, v[7], &tz, err);
        at = (struct moment){.zone = tz.zone, .offset_s = tz.offset_s, .aware = true};
    }
    if (status == OK)
        *ret = date_new(call->arena, &pendulum_class, moment_at_civil(&at, &c, fold));
    return status;
}

static enum status m_set(const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {
        "year", "month", "day", "hour", "minute", "second", "microsecond", "tz"};
    return set_fields(call, names, 0, 8, ret, err);
}

static enum status m_on(const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"year", "month", "day"};
    return set_fields(call, names, 0, 3, ret, err);
}

static enum status m_at(const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"hour", "minute", "second", "microsecond"};
    return set_fields(call, names, 3, 4, ret, err);
}

static enum status m_naive(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct moment at = moment_of_self(call);
    at = (struct moment){.us = at.us + at.offset_s * US_PER_SECOND};
    *ret = date_new(call->arena, &pendulum_class, at);
    return no_arguments(call, err);
}

/* --- questions ------------------------------------------------------------------------------ */

enum status method_is_leap_year(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct civil c = civil_from_us(days_of(call->self) * US_PER_DAY);
    *ret = jinja_bool(days_in_month(c.year, 2) == 29);
    return no_arguments(call, err);
}

enum status method_is_same_day(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"dt"};
    struct jinja_value v[1];
    struct moment other;
    enum status status = jinja_arguments(call, names, 1, 1, v, err);
    if (status == OK)
        status = date_argument(call, names[0], v[0], &other, err);
    if (status == OK)
        *ret = jinja_bool(days_of(v[0]) == days_of(call->self));
    return status;
}

static enum status m_is_utc(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct moment at = moment_of_self(call);
    *ret = jinja_bool(at.aware && at.offset_s == 0);
    return no_arguments(call, err);
}

static enum status m_is_dst(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct moment at = moment_of_self(call);
    *ret = jinja_bool(at.zone && zone_span_at(at.zone, moment_seconds(&at)).is_dst);
    return no_arguments(call, err);
}

const struct jinja_method pendulum_methods[] = {
    {"is_leap_year", method_is_leap_year},
    {"is_same_day", method_is_same_day},
    {"is_utc", m_is_utc},
    {"is_dst", m_is_dst},
    {"add", method_add},
    {"subtract", method_subtract},
    {"start_of", method_start_of},
    {"end_of", method_end_of},
    {"next", method_next},
    {"previous", method_previous},
    {"first_of", method_first_of},
    {"last_of", method_last_of},
    {"in_timezone", method_in_timezone},
    {"in_tz", method_in_timezone},
    {"diff", method_diff},
    {"diff_for_humans", method_diff_for_humans},
    {"format", method_format},
    {"to_date_string", method_to_date_string},
    {"to_formatted_date_string", method_to_formatted_date_string},
    {"to_time_string", to_time_string},
    {"to_datetime_string", to_datetime_string},
    {"to_day_datetime_string", to_day_datetime_string},
    {"to_atom_string", to_atom_string},
    {"to_w3c_string", to_atom_string},
    {"to_cookie_string", to_cookie_string},
    {"to_iso8601_string", to_iso8601_string},
    {"to_rfc3339_string", to_rfc3339_string},
    {"to_rfc822_string", to_rfc822_string},
    {"to_rfc1036_string", to_rfc822_string},
    {"to_rfc850_string", to_rfc850_string},
    {"to_rfc1123_string", to_rfc1123_string},
    {"to_rfc2822_string", to_rfc1123_string},
    {"to_rss_string", to_rfc1123_string},
    {"set", m_set},
    {"on", m_on},
    {"at", m_at},
    {"naive", m_naive},
    PYTHON_METHODS,
    {NULL, NULL},
};
