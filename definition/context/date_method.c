/* What Python's datetime can do, and the attributes of dates. */
#include "definition/context/date.h"
#include "definition/context/date_method.h"

int64_t days_of(struct jinja_value self)
{
    if (jinja_object_of(self, &day_class))
        return ((const struct day *)self.object)->days;
    struct civil c = moment_civil(date_of(self));
    return days_from_civil(c.year, c.month, c.day);
}

struct moment moment_of_self(const struct jinja_call *call)
{
    const struct moment *at = date_of(call->self);
    return at ? *at : (struct moment){.us = days_of(call->self) * US_PER_DAY};
}

enum status no_arguments(const struct jinja_call *call, struct error *err)
{
    return jinja_arguments(call, NULL, 0, 0, NULL, err);
}

/* --- text ----------------------------------------------------------------------------------- */

enum status method_strftime(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"format"};
    struct jinja_value v[1];
    struct slice format;
    struct moment at = moment_of_self(call);
    enum status status = jinja_arguments(call, names, 1, 1, v, err);
    if (status == OK)
        status = jinja_argument_text(call, names[0], v[0], NULL, &format, err);
    if (status)
        return status;
    struct strbuf text = {0};
    date_add_strftime(&text, &at, format);
    *ret = text_value(call->arena, &text);
    return OK;
}

enum status method_isoformat(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"sep", "timespec"};
    struct jinja_value v[2];
    struct slice separator, timespec;
    struct moment at = moment_of_self(call);
    enum status status = jinja_arguments(call, names, 2, 0, v, err);
    if (status == OK)
        status = jinja_argument_text(call, names[0], v[0], "T", &separator, err);
    if (status == OK)
        status = jinja_argument_text(call, names[1], v[1], "auto", &timespec, err);
    if (status)
        return status;
    struct strbuf text = {0};
    if (!date_add_iso_spec(&text, &at, separator, timespec))
        status = error_set(
            err, ERR_TEMPLATE_VALUE, "Unknown timespec value '%.*s'", SLICE_ARG(timespec));
    *ret = text_value(call->arena, &text);
    return status;
}

enum status method_ctime(const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct moment at = moment_of_self(call);
    struct strbuf text = {0};
    date_add_strftime(&text, &at, slice_of("%a %b %e %H:%M:%S %Y"));
    *ret = text_value(call->arena, &text);
    return no_arguments(call, err);
}

/* --- parts ---------------------------------------------------------------------------------- */

enum status method_date(const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    *ret = day_new(call->arena, days_of(call->self));
    return no_arguments(call, err);
}

enum status method_time(const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct moment at = moment_of_self(call);
    struct civil c = moment_civil(&at);
    *ret = day_time_new(call->arena, civil_to_us(&c) - days_of(call->self) * US_PER_DAY);
    return no_arguments(call, err);
}

enum status method_timestamp(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    *ret = jinja_float((double)moment_of_self(call).us / (double)US_PER_SECOND);
    return no_arguments(call, err);
}

enum status method_weekday(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    *ret = jinja_int(weekday_of(days_of(call->self)));
    return no_arguments(call, err);
}

enum status method_isoweekday(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    *ret = jinja_int(weekday_of(days_of(call->self)) + 1);
    return no_arguments(call, err);
}

enum status method_isocalendar(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    int year, week, day;
    iso_week_of(days_of(call->self), &year, &week, &day);
    *ret = jinja_tuple_new(call->arena, 3);
    jinja_list_add(call->arena, *ret, jinja_int(year));
    jinja_list_add(call->arena, *ret, jinja_int(week));
    jinja_list_add(call->arena, *ret, jinja_int(day));
    return no_arguments(call, err);
}

enum status method_toordinal(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    *ret = jinja_int(days_of(call->self) - days_from_civil(1, 1, 1) + 1);
    return no_arguments(call, err);
}

enum status method_utcoffset(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct moment at = moment_of_self(call);
    *ret = at.aware ? delta_new(call->arena, at.offset_s * US_PER_SECOND) : jinja_none();
    return no_arguments(call, err);
}

enum status method_tzname(const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct moment at = moment_of_self(call);
    struct strbuf text = {0};
    date_add_zone_name(&text, &at);
    *ret = text_value(call->arena, &text);
    if (!at.aware)
        *ret = jinja_none();
    return no_arguments(call, err);
}

/* --- others made of it ---------------------------------------------------------------------- */

enum { CIVIL_FIELDS = 7 };
static const char *const civil_names[] = {
    "year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo"};

enum status read_civil(const struct jinja_call *call, const struct jinja_value *values,
    const char *const *names, struct civil *civil, struct error *err)
{
    int *const fields[CIVIL_FIELDS] = {&civil->year, &civil->month, &civil->day, &civil->hour,
        &civil->minute, &civil->second, &civil->microsecond};
    static const int least[] = {1, 1, 1, 0, 0, 0, 0}, most[] = {9999, 12, 31, 23, 59, 59, 999999};
    for (size_t i = 0; i < CIVIL_FIELDS; i++) {
        int64_t value;
        enum status status = jinja_argument_int(call, names[i], values[i], *fields[i], &value, err);
        if (status)
            return status;
        if (value < least[i] || value > most[i])
            return error_set(err, ERR_TEMPLATE_VALUE, "%s must be in %d..%d, not %lld", names[i],
                least[i], most[i], (long long)value);
        *fields[i] = (int)value;
    }
    if (civil->day > days_in_month(civil->year, civil->month))
        return error_set(err, ERR_TEMPLATE_VALUE, "day is out of range for month");
    return OK;
}

enum status method_replace(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct jinja_value v[CIVIL_FIELDS + 1];
    struct moment like = moment_of_self(call);
    struct civil civil = moment_civil(&like);
    bool fold = moment_fold(&like);
    struct tz tz = {0};
    enum status status = jinja_arguments(call, civil_names, CIVIL_FIELDS + 1, 0, v, err);
    if (status == OK)
        status = read_civil(call, v, civil_names, &civil, err);
    if (status)
        return status;
    struct jinja_value zone = v[CIVIL_FIELDS];
    if (zone.kind == JINJA_NONE)
        like = (struct moment){0};
    else if (!jinja_is_absent(zone)) {
        status = tz_argument(call, zone, &tz, err);
        if (status)
            return status;
        like = (struct moment){.zone = tz.zone, .offset_s = tz.offset_s, .aware = true};
    }
    like = moment_at_civil(&like, &civil, fold);
    *ret = date_new(call->arena, call->self.object->class, like);
    return OK;
}

enum status method_in_timezone(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"tz"};
    struct jinja_value v[1];
    struct tz tz;
    enum status status = jinja_arguments(call, names, 1, 1, v, err);
    if (status == OK)
        status = tz_argument(call, v[0], &tz, err);
    if (status)
        return status;
    struct moment at = moment_of_self(call);
    struct moment like = {.zone = tz.zone, .offset_s = tz.offset_s, .aware = true};
    struct civil civil = moment_civil(&at);
    at = at.aware ? moment_in(at.us, &tz) : moment_at_civil(&like, &civil, true);
    *ret = date_new(call->arena, call->self.object->class, at);
    return moment_check(&at, err);
}

/* --- attributes ----------------------------------------------------------------------------- */

static bool civil_attribute(struct slice name, const struct civil *c, struct jinja_value *ret)
{
    const int values[] = {c->year, c->month, c->day, c->hour, c->minute, c->second, c->microsecond};
    for (size_t i = 0; i < CIVIL_FIELDS; i++)
        if (slice_equal_str(name, civil_names[i])) {
            *ret = jinja_int(values[i]);
            return true;
        }
    return false;
}

/* What a Date has as well. */
bool calendar_attribute(struct slice name, int64_t days, struct jinja_value *ret)
{
    struct civil c = civil_from_us(days * US_PER_DAY);
    int year, week, day;
    iso_week_of(days, &year, &week, &day);
    int first = weekday_of(days - (c.day - 1));
    const struct {
        const char *name;
        int64_t value;
    } rows[] = {
        {"day_of_week", weekday_of(days)},
        {"day_of_year", days - days_from_civil(c.year, 1, 1) + 1},
        {"week_of_year", week},
        {"week_of_month", (c.day + first - 1) / 7 + 1},
        {"days_in_month", days_in_month(c.year, c.month)},
        {"quarter", (c.month - 1) / 3 + 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (slice_equal_str(name, rows[i].name)) {
            *ret = jinja_int(rows[i].value);
            return true;
        }
    return false;
}

static void zone_attribute(
    struct arena *arena, const struct moment *at, struct slice name, struct jinja_value *ret)
{
    if (slice_equal_str(name, "offset"))
        *ret = at->aware ? jinja_int(at->offset_s) : jinja_none();
    else if (slice_equal_str(name, "offset_hours"))
        *ret = at->aware ? jinja_float(at->offset_s / 3600.0) : jinja_none();
    else if (slice_equal_str(name, "timezone_name"))
        *ret = at->zone ? jinja_string(zone_name(at->zone)) : jinja_none();
    else if (slice_equal_str(name, "tzinfo") || slice_equal_str(name, "timezone") ||
             slice_equal_str(name, "tz"))
        *ret = at->aware ? tz_new(arena, at->zone, at->offset_s) : jinja_none();
}

enum status date_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    (void)err;
    const struct moment *at = &((const struct date_time *)self)->at;
    struct civil c = moment_civil(at);
    if (civil_attribute(name, &c, ret))
        return OK;
    if (slice_equal_str(name, "tzinfo"))
        zone_attribute(jinja_render_arena(render), at, name, ret);
    if (self->class == &datetime_class)
        return OK;
    if (calendar_attribute(name, days_from_civil(c.year, c.month, c.day), ret))
        return OK;
    if (slice_equal_str(name, "int_timestamp"))
        *ret = jinja_int(moment_seconds(at));
    else if (slice_equal_str(name, "float_timestamp"))
        *ret = jinja_float((double)at->us / (double)US_PER_SECOND);
    else
        zone_attribute(jinja_render_arena(render), at, name, ret);
    return OK;
}

enum status day_attribute(struct jinja_render *render, struct jinja_object *self, struct slice name,
    struct jinja_value *ret, struct error *err)
{
    (void)render, (void)err;
    int64_t days = ((const struct day *)self)->days;
    struct civil c = civil_from_us(days * US_PER_DAY);
    bool of_day = slice_equal_str(name, "year") || slice_equal_str(name, "month") ||
                  slice_equal_str(name, "day");
    if (!of_day || !civil_attribute(name, &c, ret))
        calendar_attribute(name, days, ret);
    return OK;
}

const struct jinja_method python_methods[] = {PYTHON_METHODS, {NULL, NULL}};
