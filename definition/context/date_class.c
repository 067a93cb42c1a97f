/* What dates, times, lengths and zones are to the template language. */
#include "definition/context/date.h"

#include <math.h>

struct jinja_value text_value(struct arena *arena, struct strbuf *out)
{
    struct slice text = {strbuf_to_arena(out, arena), out->size};
    strbuf_done(out);
    return jinja_slice(text);
}

/* --- making and reading --------------------------------------------------------------------- */

struct jinja_value date_new(struct arena *arena, const struct jinja_class *class, struct moment at)
{
    struct date_time *date = arena_new_of(arena, struct date_time);
    date->object.class = class;
    date->at = at;
    return jinja_object(&date->object);
}

struct jinja_value date_new_utc(struct arena *arena, int64_t us)
{
    if (us == INT64_MIN)
        return jinja_none();
    return date_new(arena, &pendulum_class, (struct moment){us, zone_utc(), 0, true});
}

struct jinja_value day_new(struct arena *arena, int64_t days)
{
    struct day *day = arena_new_of(arena, struct day);
    day->object.class = &day_class;
    day->days = days;
    return jinja_object(&day->object);
}

struct jinja_value day_time_new(struct arena *arena, int64_t us)
{
    struct day_time *time = arena_new_of(arena, struct day_time);
    time->object.class = &day_time_class;
    time->us = us;
    return jinja_object(&time->object);
}

struct jinja_value delta_new(struct arena *arena, int64_t us)
{
    struct delta *delta = arena_new_of(arena, struct delta);
    delta->object.class = &delta_class;
    delta->us = us;
    return jinja_object(&delta->object);
}

struct jinja_value interval_new(struct arena *arena, struct moment start, struct moment end)
{
    struct interval *interval = arena_new_of(arena, struct interval);
    interval->delta = (struct delta){{&interval_class}, end.us - start.us};
    interval->start = start;
    interval->end = end;
    return jinja_object(&interval->delta.object);
}

struct jinja_value tz_new(struct arena *arena, const struct zone *zone, int32_t offset_s)
{
    struct tz *tz = arena_new_of(arena, struct tz);
    *tz = (struct tz){{&tz_class}, zone, offset_s};
    return jinja_object(&tz->object);
}

struct jinja_value interval_new_days(struct arena *arena, int64_t start, int64_t end)
{
    struct moment from = {.us = start * US_PER_DAY}, to = {.us = end * US_PER_DAY};
    struct jinja_value interval = interval_new(arena, from, to);
    ((struct interval *)interval.object)->of_days = true;
    return interval;
}

const struct moment *date_of(struct jinja_value v)
{
    bool is_date = jinja_object_of(v, &pendulum_class) || jinja_object_of(v, &datetime_class);
    return is_date ? &((const struct date_time *)v.object)->at : NULL;
}

bool delta_of(struct jinja_value v, int64_t *ret_us)
{
    if (!jinja_object_of(v, &delta_class) && !jinja_object_of(v, &interval_class))
        return false;
    *ret_us = ((const struct delta *)v.object)->us;
    return true;
}

enum status date_argument(const struct jinja_call *call, const char *name, struct jinja_value v,
    struct moment *ret, struct error *err)
{
    const struct moment *at = date_of(v);
    const struct jinja_object *day = jinja_object_of(v, &day_class);
    if (at)
        *ret = *at;
    else if (day)
        *ret = (struct moment){.us = ((const struct day *)day)->days * US_PER_DAY};
    else
        return error_set(err, ERR_TEMPLATE_TYPE, "%s(): '%s' must be a date, not '%s'", call->name,
            name, jinja_type_name(v));
    return OK;
}

enum status tz_argument(
    const struct jinja_call *call, struct jinja_value v, struct tz *ret, struct error *err)
{
    const struct jinja_object *object = jinja_object_of(v, &tz_class);
    if (object) {
        *ret = *(const struct tz *)object;
        return OK;
    }
    if (v.kind != JINJA_STRING)
        return error_set(err, ERR_TEMPLATE_TYPE, "%s() takes the name of a time zone, not '%s'",
            call->name, jinja_type_name(v));
    char *name = arena_strndup(call->arena, v.text, v.size);
    struct error inner;
    *ret = (struct tz){{&tz_class}, NULL, 0};
    if (zone_load(name, &ret->zone, &inner) == OK)
        return OK;
    error_set(err, ERR_TEMPLATE_VALUE, "%s", inner.message);
    error_hint(err, "%s", inner.hint);
    return ERR_TEMPLATE_VALUE;
}

/* --- order and arithmetic ------------------------------------------------------------------- */

static uint64_t hash_of(int64_t v)
{
    return hash_u64(&v, sizeof(v));
}

static bool date_equal(struct jinja_object *self, struct jinja_value other)
{
    const struct moment *a = &((const struct date_time *)self)->at, *b = date_of(other);
    return b && a->aware == b->aware && a->us == b->us;
}

static uint64_t date_hash(struct jinja_object *self)
{
    return hash_of(((const struct date_time *)self)->at.us);
}

static int order_of(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static enum status date_compare(struct jinja_object *self, struct jinja_value other, int *ret_order,
    bool *ret_known, struct error *err)
{
    const struct moment *a = &((const struct date_time *)self)->at, *b = date_of(other);
    *ret_known = b != NULL;
    if (!b)
        return OK;
    if (a->aware != b->aware) {
        error_set(err, ERR_TEMPLATE_TYPE, "can't compare offset-naive and offset-aware datetimes");
        error_hint(err, "one of the two has no time zone: write `.replace(tzinfo=…)` behind it");
        return ERR_TEMPLATE_TYPE;
    }
    *ret_order = order_of(a->us, b->us);
    return OK;
}

/* An Interval is added as it is counted: months as months. */
static struct units units_of(struct jinja_value length, int sign)
{
    const struct interval *interval = (const struct interval *)length.object;
    if (!jinja_object_of(length, &interval_class))
        return (struct units){.us = sign * ((const struct delta *)length.object)->us};
    struct difference d = moment_difference(&interval->start, &interval->end);
    int64_t seconds = (d.hours * 60 + d.minutes) * 60 + d.seconds;
    sign *= d.sign;
    return (struct units){.years = sign * d.years,
        .months = sign * d.months,
        .days = sign * d.days,
        .us = sign * (seconds * US_PER_SECOND + d.microseconds)};
}

static enum status add_length(struct arena *arena, struct jinja_value date,
    struct jinja_value length, int sign, struct jinja_value *ret, struct error *err)
{
    const struct moment *at = date_of(date);
    const struct jinja_class *class = date.object->class;
    struct units units = units_of(length, sign);
    struct moment sum;
    /* Python's datetime moves its wall clock. */
    if (class == &datetime_class)
        units = (struct units){.days = units.us / US_PER_DAY, .us = units.us % US_PER_DAY};
    enum status status = moment_add(at, &units, &sum, err);
    if (status == OK)
        *ret = date_new(arena, class, sum);
    return status;
}

static enum status subtract_dates(struct arena *arena, struct jinja_value left,
    struct jinja_value right, struct jinja_value *ret, struct error *err)
{
    const struct moment *a = date_of(left), *b = date_of(right);
    if (a->aware != b->aware)
        return error_set(
            err, ERR_TEMPLATE_TYPE, "can't subtract offset-naive and offset-aware datetimes");
    bool pendulum = left.object->class == &pendulum_class || right.object->class == &pendulum_class;
    *ret = pendulum ? interval_new(arena, *b, *a) : delta_new(arena, a->us - b->us);
    return OK;
}

static enum status date_binary(struct jinja_render *render, enum jinja_operator op,
    struct jinja_value left, struct jinja_value right, struct jinja_value *ret, struct error *err)
{
    struct arena *arena = jinja_render_arena(render);
    int64_t us;
    if (op == JINJA_ADD && date_of(left) && delta_of(right, &us))
        return add_length(arena, left, right, 1, ret, err);
    if (op == JINJA_ADD && date_of(right) && delta_of(left, &us))
        return add_length(arena, right, left, 1, ret, err);
    if (op == JINJA_SUBTRACT && date_of(left) && delta_of(right, &us))
        return add_length(arena, left, right, -1, ret, err);
    if (op == JINJA_SUBTRACT && date_of(left) && date_of(right))
        return subtract_dates(arena, left, right, ret, err);
    return OK;
}

/* --- the text of a date --------------------------------------------------------------------- */

static enum status date_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    (void)render, (void)err;
    date_add_iso(out, &((const struct date_time *)self)->at, ' ');
    return OK;
}

static void add_tz_repr(struct strbuf *out, const struct moment *at)
{
    if (at->zone)
        strbuf_printf(out, ", tzinfo=Timezone('%s')", zone_name(at->zone));
    else if (at->aware)
        strbuf_printf(out, ", tzinfo=FixedTimezone(%d)", at->offset_s);
    strbuf_add_char(out, ')');
}

static enum status date_repr(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    (void)render, (void)err;
    const struct moment *at = &((const struct date_time *)self)->at;
    struct civil c = moment_civil(at);
    bool plain = self->class == &datetime_class;
    strbuf_printf(out, "%s(%d, %d, %d, %d, %d", plain ? "datetime.datetime" : "DateTime", c.year,
        c.month, c.day, c.hour, c.minute);
    if (c.second || c.microsecond || !plain)
        strbuf_printf(out, ", %d", c.second);
    if (c.microsecond)
        strbuf_printf(out, ", %d", c.microsecond);
    add_tz_repr(out, at);
    return OK;
}

static enum status date_json(
    struct jinja_object *self, struct arena *arena, struct jinja_value *ret, struct error *err)
{
    (void)err;
    struct strbuf text = {0};
    date_add_iso(&text, &((const struct date_time *)self)->at, 'T');
    *ret = text_value(arena, &text);
    return OK;
}

enum status date_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err);

const struct jinja_class pendulum_class = {
    .type_name = "DateTime",
    .methods = pendulum_methods,
    .attribute = date_attribute,
    .text = date_text,
    .repr = date_repr,
    .equal = date_equal,
    .hash = date_hash,
    .compare = date_compare,
    .binary = date_binary,
    .json = date_json,
};
const struct jinja_class datetime_class = {
    .type_name = "datetime.datetime",
    .methods = python_methods,
    .attribute = date_attribute,
    .text = date_text,
    .repr = date_repr,
    .equal = date_equal,
    .hash = date_hash,
    .compare = date_compare,
    .binary = date_binary,
    .json = date_json,
};
