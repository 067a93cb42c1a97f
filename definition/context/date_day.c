/* Dates without a time, times without a date, and time zones. */
#include "definition/context/date.h"
#include "definition/context/date_method.h"

/* --- Date ----------------------------------------------------------------------------------- */

static int64_t days_in(const struct jinja_object *self)
{
    return ((const struct day *)self)->days;
}

static bool day_equal(struct jinja_object *self, struct jinja_value other)
{
    return jinja_object_of(other, &day_class) && days_in(other.object) == days_in(self);
}

static uint64_t day_hash(struct jinja_object *self)
{
    int64_t days = days_in(self);
    return hash_u64(&days, sizeof(days));
}

static enum status day_compare(struct jinja_object *self, struct jinja_value other, int *ret_order,
    bool *ret_known, struct error *err)
{
    (void)err;
    *ret_known = jinja_object_of(other, &day_class) != NULL;
    if (*ret_known)
        *ret_order =
            days_in(self) < days_in(other.object) ? -1 : days_in(self) > days_in(other.object);
    return OK;
}

static enum status add_days(struct arena *arena, const struct jinja_object *day, int64_t days,
    struct jinja_value *ret, struct error *err)
{
    struct moment sum = {.us = (days_in(day) + days) * US_PER_DAY};
    enum status status = moment_check(&sum, err);
    if (status == OK)
        *ret = day_new(arena, days_in(day) + days);
    return status;
}

/* Whole days, as Python's timedelta counts them: towards the past. */
static int64_t whole_days(int64_t us)
{
    return us / US_PER_DAY - (us % US_PER_DAY < 0);
}

static enum status day_binary(struct jinja_render *render, enum jinja_operator op,
    struct jinja_value left, struct jinja_value right, struct jinja_value *ret, struct error *err)
{
    struct arena *arena = jinja_render_arena(render);
    const struct jinja_object *a = jinja_object_of(left, &day_class);
    const struct jinja_object *b = jinja_object_of(right, &day_class);
    int64_t us;
    if (op == JINJA_ADD && a && delta_of(right, &us))
        return add_days(arena, a, whole_days(us), ret, err);
    if (op == JINJA_ADD && b && delta_of(left, &us))
        return add_days(arena, b, whole_days(us), ret, err);
    if (op == JINJA_SUBTRACT && a && delta_of(right, &us))
        return add_days(arena, a, -whole_days(us), ret, err);
    if (op == JINJA_SUBTRACT && a && b)
        *ret = interval_new_days(arena, days_in(b), days_in(a));
    return OK;
}

static enum status day_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    (void)render, (void)err;
    char text[TIME_TEXT_SIZE];
    time_format_date(days_in(self) * US_PER_DAY, text);
    strbuf_add_str(out, text);
    return OK;
}

static enum status day_repr(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    (void)render, (void)err;
    struct civil c = civil_from_us(days_in(self) * US_PER_DAY);
    strbuf_printf(out, "Date(%d, %d, %d)", c.year, c.month, c.day);
    return OK;
}

static enum status day_json(
    struct jinja_object *self, struct arena *arena, struct jinja_value *ret, struct error *err)
{
    struct strbuf text = {0};
    enum status status = day_text(NULL, self, &text, err);
    *ret = text_value(arena, &text);
    return status;
}

static enum status day_isoformat(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    char text[TIME_TEXT_SIZE];
    time_format_date(days_in(call->self.object) * US_PER_DAY, text);
    *ret = jinja_string(arena_strdup(call->arena, text));
    return no_arguments(call, err);
}

static enum status day_replace(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {
        "year", "month", "day", "hour", "minute", "second", "microsecond"};
    struct jinja_value v[7] = {0};
    struct civil c = civil_from_us(days_of(call->self) * US_PER_DAY);
    enum status status = jinja_arguments(call, names, 3, 0, v, err);
    if (status == OK)
        status = read_civil(call, v, names, &c, err);
    if (status == OK)
        *ret = day_new(call->arena, days_from_civil(c.year, c.month, c.day));
    return status;
}

static const struct jinja_method day_methods[] = {
    PYTHON_DAY_METHODS,
    {"isoformat", day_isoformat},
    {"replace", day_replace},
    {"set", day_replace},
    {"add", method_add},
    {"subtract", method_subtract},
    {"start_of", method_start_of},
    {"end_of", method_end_of},
    {"next", method_next},
    {"previous", method_previous},
    {"first_of", method_first_of},
    {"last_of", method_last_of},
    {"is_leap_year", method_is_leap_year},
    {"is_same_day", method_is_same_day},
    {"diff", method_diff},
    {"diff_for_humans", method_diff_for_humans},
    {"format", method_format},
    {"to_date_string", method_to_date_string},
    {"to_formatted_date_string", method_to_formatted_date_string},
    {NULL, NULL},
};
const struct jinja_class day_class = {
    .type_name = "Date",
    .methods = day_methods,
    .attribute = day_attribute,
    .text = day_text,
    .repr = day_repr,
    .equal = day_equal,
    .hash = day_hash,
    .compare = day_compare,
    .binary = day_binary,
    .json = day_json,
};

/* --- Time ----------------------------------------------------------------------------------- */

static int64_t time_in(const struct jinja_object *self)
{
    return ((const struct day_time *)self)->us;
}

static void add_time(struct strbuf *out, int64_t us)
{
    struct civil c = civil_from_us(us);
    strbuf_printf(out, "%02d:%02d:%02d", c.hour, c.minute, c.second);
    if (c.microsecond)
        strbuf_printf(out, ".%06d", c.microsecond);
}

static enum status time_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    (void)render, (void)err;
    add_time(out, time_in(self));
    return OK;
}

static bool time_equal(struct jinja_object *self, struct jinja_value other)
{
    return jinja_object_of(other, &day_time_class) && time_in(other.object) == time_in(self);
}

static uint64_t time_hash(struct jinja_object *self)
{
    int64_t us = time_in(self);
    return hash_u64(&us, sizeof(us));
}

static enum status time_compare(struct jinja_object *self, struct jinja_value other, int *ret_order,
    bool *ret_known, struct error *err)
{
    (void)err;
    *ret_known = jinja_object_of(other, &day_time_class) != NULL;
    if (*ret_known)
        *ret_order =
            time_in(self) < time_in(other.object) ? -1 : time_in(self) > time_in(other.object);
    return OK;
}

static enum status time_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    (void)render, (void)err;
    struct civil c = civil_from_us(time_in(self));
    const struct {
        const char *name;
        int value;
    } rows[] = {{"hour", c.hour}, {"minute", c.minute}, {"second", c.second},
        {"microsecond", c.microsecond}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (slice_equal_str(name, rows[i].name))
            *ret = jinja_int(rows[i].value);
    return OK;
}

static enum status time_strftime(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct jinja_call of_date = *call;
    /* Python takes the first of January 1900 for its day. */
    struct moment at = {
        .us = days_from_civil(1900, 1, 1) * US_PER_DAY + time_in(call->self.object)};
    of_date.self = date_new(call->arena, &datetime_class, at);
    return method_strftime(&of_date, ret, err);
}

static enum status time_isoformat(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct strbuf text = {0};
    add_time(&text, time_in(call->self.object));
    *ret = text_value(call->arena, &text);
    return no_arguments(call, err);
}

static const struct jinja_method time_methods[] = {
    {"strftime", time_strftime}, {"isoformat", time_isoformat}, {NULL, NULL}};
const struct jinja_class day_time_class = {
    .type_name = "Time",
    .methods = time_methods,
    .attribute = time_attribute,
    .text = time_text,
    .equal = time_equal,
    .hash = time_hash,
    .compare = time_compare,
};

/* --- Timezone ------------------------------------------------------------------------------- */

static enum status tz_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    (void)render, (void)err;
    const struct tz *tz = (const struct tz *)self;
    if (tz->zone)
        strbuf_add_str(out, zone_name(tz->zone));
    else
        date_add_offset(out, tz->offset_s, true);
    return OK;
}

static enum status tz_repr(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    strbuf_add_str(out, "Timezone('");
    enum status status = tz_text(render, self, out, err);
    strbuf_add_str(out, "')");
    return status;
}

static enum status tz_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    if (!slice_equal_str(name, "name") && !slice_equal_str(name, "key"))
        return OK;
    struct strbuf text = {0};
    enum status status = tz_text(render, self, &text, err);
    *ret = text_value(jinja_render_arena(render), &text);
    return status;
}

static bool tz_equal(struct jinja_object *self, struct jinja_value other)
{
    const struct tz *a = (const struct tz *)self;
    const struct tz *b = (const struct tz *)jinja_object_of(other, &tz_class);
    return b && a->zone == b->zone && (a->zone || a->offset_s == b->offset_s);
}

const struct jinja_class tz_class = {
    .type_name = "Timezone",
    .attribute = tz_attribute,
    .text = tz_text,
    .repr = tz_repr,
    .equal = tz_equal,
};
