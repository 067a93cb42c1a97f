/* `macros`: Airflow's functions for templates, and the parts of Python's modules that they bring.
 */
#include <math.h>
#include "definition/context/context_data.h"
#include "definition/context/date_method.h"

static const struct jinja_class macros_class = {RECORD_CLASS("macros")};
static const struct jinja_class module_class = {RECORD_CLASS("module")};

static struct moment now_of(const struct context *context)
{
    return (struct moment){context->attempt->now_us, zone_utc(), 0, true};
}

/* Texts of a call without defaults. */
static enum status read_texts(const struct jinja_call *call, const char *const *names, size_t count,
    struct slice *ret, struct error *err)
{
    struct jinja_value v[4];
    enum status status = jinja_arguments(call, names, count, count, v, err);
    for (size_t i = 0; status == OK && i < count; i++)
        status = jinja_argument_text(call, names[i], v[i], NULL, &ret[i], err);
    return status;
}

/* --- ds_add, ds_format ---------------------------------------------------------------------- */

static enum status ds_add(const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"ds", "days"};
    struct jinja_value v[2];
    struct slice ds;
    int64_t days;
    struct moment at;
    enum status status = jinja_arguments(call, names, 2, 2, v, err);
    if (status == OK)
        status = jinja_argument_text(call, names[0], v[0], NULL, &ds, err);
    if (status == OK)
        status = jinja_argument_int(call, names[1], v[1], 0, &days, err);
    if (status == OK)
        status = date_parse_strptime(ds, slice_of("%Y-%m-%d"), &at, err);
    if (status == OK) {
        struct units units = {.days = days};
        status = moment_add(&at, &units, &at, err);
    }
    if (status)
        return status;
    struct strbuf text = {0};
    date_add_strftime(&text, &at, slice_of("%Y-%m-%d"));
    *ret = text_value(call->arena, &text);
    return OK;
}

static enum status ds_format(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"ds", "input_format", "output_format"};
    struct slice v[3];
    struct moment at;
    enum status status = read_texts(call, names, 3, v, err);
    if (status == OK)
        status = date_parse_strptime(v[0], v[1], &at, err);
    if (status)
        return status;
    struct strbuf text = {0};
    date_add_strftime(&text, &at, v[2]);
    *ret = text_value(call->arena, &text);
    return OK;
}

static enum status datetime_diff_for_humans(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"dt", "since"};
    struct jinja_value v[2];
    struct moment at;
    enum status status = jinja_arguments(call, names, 2, 1, v, err);
    if (status == OK)
        status = date_argument(call, names[0], v[0], &at, err);
    if (status)
        return status;
    struct jinja_call of_date = *call;
    of_date.self = v[0];
    of_date.args = &v[1];
    of_date.arg_count = !jinja_is_absent(v[1]);
    of_date.keyword_count = 0;
    return method_diff_for_humans(&of_date, ret, err);
}

/* --- timedelta ------------------------------------------------------------------------------ */

static enum status timedelta(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {
        "days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks"};
    static const double unit_us[] = {8.64e10, 1e6, 1, 1e3, 6e7, 3.6e9, 6.048e11};
    struct jinja_value v[ARRAY_SIZE(names)];
    double value;
    long double us = 0;
    enum status status = jinja_arguments(call, names, ARRAY_SIZE(names), 0, v, err);
    for (size_t i = 0; status == OK && i < ARRAY_SIZE(names); i++) {
        status = read_number(call, names[i], v[i], &value, err);
        us += (long double)value * (long double)unit_us[i];
    }
    if (status)
        return status;
    if (!(fabsl(us) < 9.2e18L))
        return error_set(err, ERR_TEMPLATE_VALUE, "the timedelta is out of range");
    *ret = delta_new(call->arena, llroundl(us));
    return OK;
}

/* --- datetime ------------------------------------------------------------------------------- */

static enum status datetime_call(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {
        "year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo"};
    struct jinja_value v[8];
    struct civil civil = {.year = 1, .month = 1, .day = 1};
    struct moment like = {0};
    enum status status = jinja_arguments(call, names, 8, 3, v, err);
    if (status == OK)
        status = read_civil(call, v, names, &civil, err);
    if (status == OK && !jinja_is_absent(v[7]) && v[7].kind != JINJA_NONE) {
        struct tz tz;
        status = tz_argument(call, v[7], &tz, err);
        like = (struct moment){.zone = tz.zone, .offset_s = tz.offset_s, .aware = true};
    }
    if (status == OK)
        *ret = date_new(call->arena, &datetime_class, moment_at_civil(&like, &civil, false));
    return status;
}

static enum status datetime_strptime(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"date_string", "format"};
    struct slice v[2];
    struct moment at;
    enum status status = read_texts(call, names, 2, v, err);
    if (status == OK)
        status = date_parse_strptime(v[0], v[1], &at, err);
    if (status == OK)
        *ret = date_new(call->arena, &datetime_class, at);
    return status;
}

static enum status datetime_fromisoformat(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"date_string"};
    struct slice text;
    struct moment at;
    enum status status = read_texts(call, names, 1, &text, err);
    if (status == OK)
        status = date_parse_iso(text, &at, err);
    if (status == OK)
        *ret = date_new(call->arena, &datetime_class, at);
    return status;
}

/* The attempt's time: naive in UTC, or in the zone that is given. */
static enum status datetime_now(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"tz"};
    struct jinja_value v[1];
    struct moment at = now_of(context_of(call));
    enum status status = jinja_arguments(call, names, 1, 0, v, err);
    if (status)
        return status;
    if (jinja_is_absent(v[0]) || v[0].kind == JINJA_NONE) {
        at = (struct moment){.us = at.us};
    } else {
        struct tz tz;
        status = tz_argument(call, v[0], &tz, err);
        if (status)
            return status;
        at = moment_in(at.us, &tz);
    }
    *ret = date_new(call->arena, &datetime_class, at);
    return OK;
}

static enum status datetime_fromtimestamp(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"timestamp", "tz"};
    struct jinja_value v[2];
    double seconds;
    enum status status = jinja_arguments(call, names, 2, 1, v, err);
    if (status == OK)
        status = read_number(call, names[0], v[0], &seconds, err);
    if (status)
        return status;
    if (!(fabs(seconds) < 1e12))
        return error_set(err, ERR_TEMPLATE_VALUE, "year is out of range");
    struct moment at = {.us = llround(seconds * 1e6)};
    if (!jinja_is_absent(v[1]) && v[1].kind != JINJA_NONE) {
        struct tz tz;
        status = tz_argument(call, v[1], &tz, err);
        at = status == OK ? moment_in(at.us, &tz) : at;
    }
    if (status == OK)
        status = moment_check(&at, err);
    if (status == OK)
        *ret = date_new(call->arena, &datetime_class, at);
    return status;
}

static const struct jinja_method datetime_methods[] = {
    {"strptime", datetime_strptime},
    {"fromisoformat", datetime_fromisoformat},
    {"fromtimestamp", datetime_fromtimestamp},
    {"utcfromtimestamp", datetime_fromtimestamp},
    {"now", datetime_now},
    {"utcnow", datetime_now},
    {"today", datetime_now},
    {NULL, NULL},
};
/* The class itself, as `macros.datetime` is in Airflow; also the module, for those who write
   `macros.datetime.datetime(…)`. */
static const struct jinja_class datetime_type_class = {
    RECORD_CLASS("datetime"), .methods = datetime_methods, .call = datetime_call};

static struct jinja_value datetime_type(struct context *context)
{
    struct record *type = record_new(context, &datetime_type_class, "<class 'datetime.datetime'>");
    record_put(type, "datetime", record_value(type));
    record_put_function(type, "timedelta", timedelta);
    return record_value(type);
}

/* --- random, uuid, time --------------------------------------------------------------------- */

static enum status random_call(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    *ret = jinja_float((double)(context_random(call->user) >> 11) * 0x1p-53);
    return no_arguments(call, err);
}

static enum status uuid4(const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const struct jinja_class uuid_class = {RECORD_CLASS("UUID")};
    struct context *context = call->user;
    uint64_t high = context_random(context), low = context_random(context);
    high = (high & ~UINT64_C(0xF000)) | 0x4000;             /* version 4 */
    low = (low & ~(UINT64_C(3) << 62)) | UINT64_C(1) << 63; /* the variant of RFC 9562 */
    const char *text = arena_printf(context->arena, "%08x-%04x-%04x-%04x-%012llx",
        (unsigned)(high >> 32), (unsigned)(high >> 16 & 0xFFFF), (unsigned)(high & 0xFFFF),
        (unsigned)(low >> 48), (unsigned long long)(low & UINT64_C(0xFFFFFFFFFFFF)));
    struct record *uuid = record_new(context, &uuid_class, text);
    record_put(uuid, "hex",
        jinja_string(arena_printf(
            context->arena, "%016llx%016llx", (unsigned long long)high, (unsigned long long)low)));
    *ret = record_value(uuid);
    return no_arguments(call, err);
}

static enum status time_time(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    const struct context *context = call->user;
    *ret = jinja_float((double)context->attempt->now_us / (double)US_PER_SECOND);
    return no_arguments(call, err);
}

static enum status time_strftime(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"format"};
    struct moment now = now_of(call->user);
    struct slice format;
    enum status status = read_texts(call, names, 1, &format, err);
    if (status)
        return status;
    struct strbuf text = {0};
    date_add_strftime(&text, &now, format);
    *ret = text_value(call->arena, &text);
    return OK;
}

/* --- all ------------------------------------------------------------------------------------ */

static struct jinja_value module_of(
    struct context *context, const char *name, const char *function_name, jinja_function *function)
{
    struct record *module =
        record_new(context, &module_class, arena_printf(context->arena, "<module '%s'>", name));
    record_put_function(module, function_name, function);
    return record_value(module);
}

struct jinja_value context_macros(struct context *context)
{
    struct record *macros =
        record_new(context, &macros_class, "<module 'airflow.sdk.execution_time.macros'>");
    record_put_function(macros, "ds_add", ds_add);
    record_put_function(macros, "ds_format", ds_format);
    record_put_function(macros, "datetime_diff_for_humans", datetime_diff_for_humans);
    record_put_function(macros, "timedelta", timedelta);
    record_put_function(macros, "random", random_call);
    record_put(macros, "datetime", datetime_type(context));
    record_put(macros, "json", context_json_module(context));
    record_put(macros, "dateutil", context_dateutil_module(context));
    record_put(macros, "uuid", module_of(context, "uuid", "uuid4", uuid4));
    struct jinja_value time = module_of(context, "time", "time", time_time);
    record_put_function((struct record *)time.object, "strftime", time_strftime);
    record_put(macros, "time", time);
    return record_value(macros);
}
