/* `macros.dateutil`: parser.parse, for ISO 8601 texts, and relativedelta. */
#include "definition/context/context_data.h"
#include "definition/context/date_method.h"

enum { FIELD_COUNT = 7 };
static const char *const field_names[] = {
    "year", "month", "day", "hour", "minute", "second", "microsecond"};

/* Fields that are set first, then units that are added. */
struct relative {
    struct jinja_object object;
    struct jinja_value fields[FIELD_COUNT]; /* absent: left as it is */
    struct units units;
};

static enum status relative_binary(struct jinja_render *render, enum jinja_operator op,
    struct jinja_value left, struct jinja_value right, struct jinja_value *ret, struct error *err);

static enum status relative_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    (void)render, (void)err;
    const struct units *units = &((const struct relative *)self)->units;
    const struct {
        const char *name;
        int64_t value;
    } parts[] = {{"years", units->years}, {"months", units->months},
        {"days", units->weeks * 7 + units->days}, {"hours", units->us / US_PER_HOUR},
        {"minutes", units->us / US_PER_MINUTE % 60}, {"seconds", units->us / US_PER_SECOND % 60},
        {"microseconds", units->us % US_PER_SECOND}};
    const char *between = "";
    strbuf_add_str(out, "relativedelta(");
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (parts[i].value) {
            strbuf_printf(out, "%s%s=%+lld", between, parts[i].name, (long long)parts[i].value);
            between = ", ";
        }
    const struct jinja_value *fields = ((const struct relative *)self)->fields;
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (!jinja_is_absent(fields[i])) {
            strbuf_printf(out, "%s%s=%lld", between, field_names[i], (long long)fields[i].integer);
            between = ", ";
        }
    strbuf_add_char(out, ')');
    return OK;
}

static const struct jinja_class relative_class = {
    .type_name = "relativedelta", .text = relative_text, .binary = relative_binary};

static struct units negative(struct units units)
{
    return (struct units){-units.years, -units.months, -units.weeks, -units.days, -units.us};
}

/* A day that the month does not have becomes its last. */
static enum status set_fields(const struct jinja_call *call, const struct jinja_value *fields,
    struct moment *at, struct error *err)
{
    struct jinja_value v[FIELD_COUNT];
    struct civil c = moment_civil(at);
    bool fold = moment_fold(at);
    memcpy(v, fields, sizeof(v));
    int64_t year = v[0].kind == JINJA_INT ? v[0].integer : c.year;
    int64_t month = v[1].kind == JINJA_INT ? v[1].integer : c.month;
    if (year >= 1 && year <= 9999 && month >= 1 && month <= 12) {
        int last = days_in_month((int)year, (int)month);
        c.day = c.day < last ? c.day : last;
        if (v[2].kind == JINJA_INT && v[2].integer > last && v[2].integer <= 31)
            v[2].integer = last;
    }
    enum status status = read_civil(call, v, field_names, &c, err);
    if (status == OK)
        *at = moment_at_civil(at, &c, fold);
    return status;
}

static enum status relative_binary(struct jinja_render *render, enum jinja_operator op,
    struct jinja_value left, struct jinja_value right, struct jinja_value *ret, struct error *err)
{
    bool swapped = op == JINJA_ADD && jinja_object_of(left, &relative_class);
    struct jinja_value date = swapped ? right : left, length = swapped ? left : right;
    if ((op != JINJA_ADD && op != JINJA_SUBTRACT) || !jinja_object_of(length, &relative_class) ||
        (!date_of(date) && !jinja_object_of(date, &day_class)))
        return OK;
    const struct relative *relative = (const struct relative *)length.object;
    struct jinja_call call = {
        .render = render, .arena = jinja_render_arena(render), .name = "relativedelta"};
    call.self = date;
    struct moment at = moment_of_self(&call);
    enum status status = set_fields(&call, relative->fields, &at, err);
    struct units units = op == JINJA_ADD ? relative->units : negative(relative->units);
    if (status == OK)
        status = moment_add(&at, &units, &at, err);
    if (status)
        return status;
    struct jinja_value sum = date_new(call.arena, &datetime_class, at);
    *ret = date_of(date) ? date_new(call.arena, date.object->class, at)
                         : day_new(call.arena, days_of(sum));
    return OK;
}

/* The arguments whose names are those of fields, or of units. */
static struct jinja_call arguments_of(
    const struct jinja_call *call, bool fields, struct jinja_keyword *keywords)
{
    struct jinja_call part = *call;
    part.keywords = keywords;
    part.keyword_count = 0;
    for (size_t i = 0; i < call->keyword_count; i++) {
        bool is_field = false;
        for (size_t k = 0; k < FIELD_COUNT; k++)
            is_field |= slice_equal_str(call->keywords[i].name, field_names[k]);
        if (is_field == fields)
            keywords[part.keyword_count++] = call->keywords[i];
    }
    return part;
}

static enum status relativedelta(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct jinja_keyword *keywords =
        arena_array(call->arena, struct jinja_keyword, call->keyword_count + 1);
    struct relative *relative = arena_new_of(call->arena, struct relative);
    relative->object.class = &relative_class;
    if (call->arg_count)
        return error_set(err, ERR_TEMPLATE_TYPE, "relativedelta() takes keyword arguments only");
    struct jinja_call fields = arguments_of(call, true, keywords);
    enum status status =
        jinja_arguments(&fields, field_names, FIELD_COUNT, 0, relative->fields, err);
    for (size_t i = 0; status == OK && i < FIELD_COUNT; i++)
        if (!jinja_is_absent(relative->fields[i]) && relative->fields[i].kind != JINJA_INT)
            status = error_set(
                err, ERR_TEMPLATE_TYPE, "relativedelta(): '%s' must be an integer", field_names[i]);
    struct jinja_call units = arguments_of(call, false, keywords);
    if (status == OK)
        status = read_units(&units, 1, &relative->units, err);
    *ret = jinja_object(&relative->object);
    return status;
}

static enum status parse(const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"timestr"};
    struct jinja_value v[1];
    struct slice text;
    struct moment at;
    enum status status = jinja_arguments(call, names, 1, 1, v, err);
    if (status == OK)
        status = jinja_argument_text(call, names[0], v[0], NULL, &text, err);
    if (status == OK && date_parse_iso(text, &at, err) != OK) {
        status = error_set(err, ERR_TEMPLATE_VALUE, "parse() cannot read '%.*s'", SLICE_ARG(text));
        error_hint(err, "dates are read as ISO 8601; for other forms use "
                        "`macros.datetime.strptime(text, format)`");
    }
    if (status == OK)
        *ret = date_new(call->arena, &datetime_class, at);
    return status;
}

struct jinja_value context_dateutil_module(struct context *context)
{
    static const struct jinja_class class = {RECORD_CLASS("module")};
    struct record *dateutil = record_new(context, &class, "<module 'dateutil'>");
    struct record *parser = record_new(context, &class, "<module 'dateutil.parser'>");
    struct record *relative = record_new(context, &class, "<module 'dateutil.relativedelta'>");
    record_put_function(parser, "parse", parse);
    record_put_function(parser, "isoparse", parse);
    record_put_function(relative, "relativedelta", relativedelta);
    record_put(dateutil, "parser", record_value(parser));
    record_put(dateutil, "relativedelta", record_value(relative));
    return record_value(dateutil);
}
