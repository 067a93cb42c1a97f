/* Lengths of time: Python's timedelta and pendulum's Interval. */
#include <math.h>
#include "definition/context/date.h"
#include "definition/context/date_method.h"

static int64_t us_of(const struct jinja_object *self)
{
    return ((const struct delta *)self)->us;
}

/* Python's limits: a thousand million days less one. */
static enum status new_checked(
    struct arena *arena, long double us, struct jinja_value *ret, struct error *err)
{
    if (!(fabsl(us) < 9.2e18L))
        return error_set(err, ERR_TEMPLATE_VALUE, "days=%.0Lf; must have magnitude <= 999999999",
            us / (long double)US_PER_DAY);
    *ret = delta_new(arena, (int64_t)llroundl(us));
    return OK;
}

/* --- order and arithmetic ------------------------------------------------------------------- */

static bool delta_equal(struct jinja_object *self, struct jinja_value other)
{
    int64_t us;
    return delta_of(other, &us) && us == us_of(self);
}

static uint64_t delta_hash(struct jinja_object *self)
{
    int64_t us = us_of(self);
    return hash_u64(&us, sizeof(us));
}

static enum status delta_compare(struct jinja_object *self, struct jinja_value other,
    int *ret_order, bool *ret_known, struct error *err)
{
    (void)err;
    int64_t a = us_of(self), b;
    *ret_known = delta_of(other, &b);
    if (*ret_known)
        *ret_order = a < b ? -1 : a > b;
    return OK;
}

static bool number_of(struct jinja_value v, long double *ret)
{
    if (v.kind == JINJA_INT)
        *ret = (long double)v.integer;
    else if (v.kind == JINJA_BOOL)
        *ret = v.boolean;
    else if (v.kind == JINJA_FLOAT)
        *ret = (long double)v.real;
    return v.kind == JINJA_INT || v.kind == JINJA_BOOL || v.kind == JINJA_FLOAT;
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    int64_t quotient = a / b;
    return quotient - (a % b != 0 && (a < 0) != (b < 0));
}

static enum status divided_by_zero(struct error *err)
{
    return error_set(err, ERR_TEMPLATE_VALUE, "division by zero");
}

static enum status binary_deltas(struct arena *arena, enum jinja_operator op, int64_t a, int64_t b,
    struct jinja_value *ret, struct error *err)
{
    bool divides = op == JINJA_DIVIDE || op == JINJA_FLOOR_DIVIDE || op == JINJA_MODULO;
    if (divides && b == 0)
        return divided_by_zero(err);
    switch (op) {
    case JINJA_ADD: return new_checked(arena, (long double)a + (long double)b, ret, err);
    case JINJA_SUBTRACT: return new_checked(arena, (long double)a - (long double)b, ret, err);
    case JINJA_DIVIDE: *ret = jinja_float((double)a / (double)b); break;
    case JINJA_FLOOR_DIVIDE: *ret = jinja_int(floor_divide(a, b)); break;
    case JINJA_MODULO: *ret = delta_new(arena, a - floor_divide(a, b) * b); break;
    default: break;
    }
    return OK;
}

static enum status delta_binary(struct jinja_render *render, enum jinja_operator op,
    struct jinja_value left, struct jinja_value right, struct jinja_value *ret, struct error *err)
{
    struct arena *arena = jinja_render_arena(render);
    int64_t a, b;
    long double number;
    bool left_is = delta_of(left, &a), right_is = delta_of(right, &b);
    if (left_is && right_is)
        return binary_deltas(arena, op, a, b, ret, err);
    if (op == JINJA_MULTIPLY && left_is && number_of(right, &number))
        return new_checked(arena, (long double)a * number, ret, err);
    if (op == JINJA_MULTIPLY && right_is && number_of(left, &number))
        return new_checked(arena, (long double)b * number, ret, err);
    bool divides = op == JINJA_DIVIDE || (op == JINJA_FLOOR_DIVIDE && right.kind != JINJA_FLOAT);
    if (!divides || !left_is || !number_of(right, &number))
        return OK;
    if (number == 0)
        return divided_by_zero(err);
    long double quotient = (long double)a / number;
    return new_checked(arena, op == JINJA_DIVIDE ? quotient : floorl(quotient), ret, err);
}

static enum status delta_negate(struct jinja_render *render, struct jinja_object *self,
    struct jinja_value *ret, struct error *err)
{
    (void)err;
    *ret = delta_new(jinja_render_arena(render), -us_of(self));
    return OK;
}

static enum status interval_negate(struct jinja_render *render, struct jinja_object *self,
    struct jinja_value *ret, struct error *err)
{
    (void)err;
    const struct interval *interval = (const struct interval *)self;
    *ret = interval_new(jinja_render_arena(render), interval->end, interval->start);
    ((struct interval *)ret->object)->of_days = interval->of_days;
    return OK;
}

static bool delta_truth(struct jinja_object *self)
{
    return us_of(self) != 0;
}

/* --- text ----------------------------------------------------------------------------------- */

static enum status delta_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    (void)render, (void)err;
    delta_add_text(out, us_of(self));
    return OK;
}

static enum status delta_repr(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    (void)render, (void)err;
    int64_t days = floor_divide(us_of(self), US_PER_DAY), rest = us_of(self) - days * US_PER_DAY;
    const struct {
        const char *name;
        int64_t value;
    } parts[] = {
        {"days", days}, {"seconds", rest / US_PER_SECOND}, {"microseconds", rest % US_PER_SECOND}};
    const char *between = "";
    strbuf_add_str(out, "datetime.timedelta(");
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (parts[i].value) {
            strbuf_printf(out, "%s%s=%lld", between, parts[i].name, (long long)parts[i].value);
            between = ", ";
        }
    strbuf_add_str(out, *between ? ")" : "0)");
    return OK;
}

static void add_bound(struct strbuf *out, const struct interval *interval, const struct moment *at)
{
    if (interval->of_days)
        date_add_strftime(out, at, slice_of("%Y-%m-%d"));
    else
        date_add_iso(out, at, ' ');
}

static struct jinja_value bound(
    struct arena *arena, const struct interval *interval, struct moment at)
{
    return interval->of_days ? day_new(arena, at.us / US_PER_DAY)
                             : date_new(arena, &pendulum_class, at);
}

static enum status interval_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    (void)render, (void)err;
    const struct interval *interval = (const struct interval *)self;
    strbuf_add_str(out, "<Interval [");
    add_bound(out, interval, &interval->start);
    strbuf_add_str(out, " -> ");
    add_bound(out, interval, &interval->end);
    strbuf_add_str(out, "]>");
    return OK;
}

/* --- attributes and methods ----------------------------------------------------------------- */

static enum status delta_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    (void)render, (void)err;
    int64_t days = floor_divide(us_of(self), US_PER_DAY), rest = us_of(self) - days * US_PER_DAY;
    if (slice_equal_str(name, "days"))
        *ret = jinja_int(days);
    else if (slice_equal_str(name, "seconds"))
        *ret = jinja_int(rest / US_PER_SECOND);
    else if (slice_equal_str(name, "microseconds"))
        *ret = jinja_int(rest % US_PER_SECOND);
    return OK;
}

static enum status interval_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    (void)err;
    const struct interval *interval = (const struct interval *)self;
    struct difference d = moment_difference(&interval->start, &interval->end);
    struct arena *arena = jinja_render_arena(render);
    const struct {
        const char *name;
        int64_t value;
    } rows[] = {
        {"years", d.sign * d.years},
        {"months", d.sign * d.months},
        {"weeks", d.sign * (d.days / 7)},
        {"days", us_of(self) / US_PER_DAY},
        {"remaining_days", d.sign * (d.days % 7)},
        {"hours", d.sign * d.hours},
        {"minutes", d.sign * d.minutes},
        {"remaining_seconds", d.sign * d.seconds},
        {"seconds", us_of(self) / US_PER_SECOND % 86400},
        {"microseconds", us_of(self) % US_PER_SECOND},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (slice_equal_str(name, rows[i].name))
            *ret = jinja_int(rows[i].value);
    if (slice_equal_str(name, "start"))
        *ret = bound(arena, interval, interval->start);
    else if (slice_equal_str(name, "end"))
        *ret = bound(arena, interval, interval->end);
    return OK;
}

#define TOTAL(function, unit_us)                                                                   \
    static enum status function(                                                                   \
        const struct jinja_call *call, struct jinja_value *ret, struct error *err)                 \
    {                                                                                              \
        *ret = jinja_float((double)us_of(call->self.object) / (double)(unit_us));                  \
        return no_arguments(call, err);                                                            \
    }
#define WHOLE(function, unit_us)                                                                   \
    static enum status function(                                                                   \
        const struct jinja_call *call, struct jinja_value *ret, struct error *err)                 \
    {                                                                                              \
        *ret = jinja_int(us_of(call->self.object) / (unit_us));                                    \
        return no_arguments(call, err);                                                            \
    }
TOTAL(total_seconds, US_PER_SECOND)
TOTAL(total_minutes, US_PER_MINUTE)
TOTAL(total_hours, US_PER_HOUR)
TOTAL(total_days, US_PER_DAY)
TOTAL(total_weeks, 7 * US_PER_DAY)
WHOLE(in_seconds, US_PER_SECOND)
WHOLE(in_minutes, US_PER_MINUTE)
WHOLE(in_hours, US_PER_HOUR)

/* As people count, not by length. */
#define COUNT(function, count)                                                                     \
    static enum status function(                                                                   \
        const struct jinja_call *call, struct jinja_value *ret, struct error *err)                 \
    {                                                                                              \
        const struct interval *interval = (const struct interval *)call->self.object;              \
        struct difference d = moment_difference(&interval->start, &interval->end);                 \
        *ret = jinja_int(d.sign * (count));                                                        \
        return no_arguments(call, err);                                                            \
    }
COUNT(in_days, d.total_days)
COUNT(in_weeks, d.total_days / 7)
COUNT(in_months, d.years * 12 + d.months)
COUNT(in_years, d.years)

static void add_words(struct strbuf *out, const struct difference *d)
{
    const struct {
        const char *unit;
        int count;
    } parts[] = {{"year", d->years}, {"month", d->months}, {"week", d->days / 7},
        {"day", d->days % 7}, {"hour", d->hours}, {"minute", d->minutes}, {"second", d->seconds}};
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (parts[i].count)
            strbuf_printf(out, "%s%d %s%s", out->size ? " " : "", d->sign * parts[i].count,
                parts[i].unit, parts[i].count == 1 ? "" : "s");
    if (!out->size)
        strbuf_add_str(out, "0 microseconds");
}

static enum status in_words(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    const struct interval *interval = (const struct interval *)call->self.object;
    struct difference d = moment_difference(&interval->start, &interval->end);
    struct strbuf text = {0};
    add_words(&text, &d);
    *ret = text_value(call->arena, &text);
    return no_arguments(call, err);
}

#define DELTA_CLASS                                                                                \
    .truth = delta_truth, .equal = delta_equal, .hash = delta_hash, .compare = delta_compare,      \
    .binary = delta_binary

static const struct jinja_method delta_methods[] = {{"total_seconds", total_seconds}, {NULL, NULL}};
static const struct jinja_method interval_methods[] = {
    {"total_seconds", total_seconds},
    {"total_minutes", total_minutes},
    {"total_hours", total_hours},
    {"total_days", total_days},
    {"total_weeks", total_weeks},
    {"in_seconds", in_seconds},
    {"in_minutes", in_minutes},
    {"in_hours", in_hours},
    {"in_days", in_days},
    {"in_weeks", in_weeks},
    {"in_months", in_months},
    {"in_years", in_years},
    {"in_words", in_words},
    {NULL, NULL},
};
const struct jinja_class delta_class = {
    .type_name = "datetime.timedelta",
    .methods = delta_methods,
    .attribute = delta_attribute,
    .text = delta_text,
    .repr = delta_repr,
    .negate = delta_negate,
    DELTA_CLASS,
};
const struct jinja_class interval_class = {
    .type_name = "Interval",
    .methods = interval_methods,
    .attribute = interval_attribute,
    .text = interval_text,
    .negate = interval_negate,
    DELTA_CLASS,
};

/* --- differences between dates -------------------------------------------------------------- */

static enum status moment_now(const struct jinja_call *call, struct moment *ret, struct error *err)
{
    struct jinja_value now = jinja_render_variable(call->render, "_now");
    if (!date_of(now))
        return error_set(err, ERR_TEMPLATE_VALUE, "%s() needs a date to compare with", call->name);
    *ret = *date_of(now);
    return OK;
}

/* The other date of a call: the argument, or now. */
static enum status read_other(
    const struct jinja_call *call, struct jinja_value v, struct moment *ret, struct error *err)
{
    struct moment self = moment_of_self(call);
    if (jinja_is_absent(v) || v.kind == JINJA_NONE)
        return moment_now(call, ret, err);
    enum status status = date_argument(call, "dt", v, ret, err);
    if (status == OK && self.aware != ret->aware)
        status = error_set(
            err, ERR_TEMPLATE_TYPE, "can't compare offset-naive and offset-aware datetimes");
    return status;
}

enum status method_diff(const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"dt", "abs"};
    struct jinja_value v[2];
    struct moment self = moment_of_self(call), other;
    enum status status = jinja_arguments(call, names, 2, 0, v, err);
    if (status == OK)
        status = read_other(call, v[0], &other, err);
    if (status)
        return status;
    bool swap = jinja_argument_bool(v[1], true) && self.us > other.us;
    struct jinja_value interval =
        swap ? interval_new(call->arena, other, self) : interval_new(call->arena, self, other);
    ((struct interval *)interval.object)->of_days = jinja_object_of(call->self, &day_class);
    *ret = interval;
    return OK;
}

/* The largest unit; when the next smaller one comes near it, one more. */
static void add_humans(struct strbuf *out, const struct difference *d)
{
    bool almost_a_year = !d->years && d->months == 11 && d->days > 15;
    const struct {
        const char *unit;
        int count;
        bool more;
    } rows[] = {
        {"year", almost_a_year ? 1 : d->years, !almost_a_year && d->months > 6},
        {"month", d->months, d->days >= 27},
        {"week", d->days / 7, d->days % 7 > 3},
        {"day", d->days % 7, d->hours >= 22},
        {"hour", d->hours, false},
        {"minute", d->minutes, false},
        {"second", d->seconds > 10 ? d->seconds : 0, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int count = rows[i].count + rows[i].more;
        if (!rows[i].count)
            continue;
        strbuf_printf(out, "%d %s%s", count, rows[i].unit, count == 1 ? "" : "s");
        return;
    }
    strbuf_add_str(out, "a few seconds");
}

enum status method_diff_for_humans(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"other", "absolute", "locale"};
    struct jinja_value v[3];
    struct moment self = moment_of_self(call), other;
    enum status status = jinja_arguments(call, names, 3, 0, v, err);
    if (status == OK)
        status = read_other(call, v[0], &other, err);
    if (status)
        return status;
    bool from_now = jinja_is_absent(v[0]) || v[0].kind == JINJA_NONE;
    struct difference d = moment_difference(&other, &self);
    struct strbuf text = {0};
    bool prefix = from_now && d.sign > 0 && !jinja_argument_bool(v[1], false);
    strbuf_add_str(&text, prefix ? "in " : "");
    add_humans(&text, &d);
    if (!jinja_argument_bool(v[1], false) && !prefix)
        strbuf_add_str(&text, from_now ? " ago" : d.sign > 0 ? " after" : " before");
    *ret = text_value(call->arena, &text);
    return OK;
}
