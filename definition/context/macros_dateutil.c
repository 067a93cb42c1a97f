/* `macros.dateutil`: parser.parse, for ISO 8601 texts, and relativedelta. */
#include "definition/context/context_data.h"
#include "definition/context/date_method.h"

struct relative {
    struct jinja_object object;
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
    strbuf_add_char(out, ')');
    return OK;
}

static const struct jinja_class relative_class = {
    .type_name = "relativedelta", .text = relative_text, .binary = relative_binary};

static struct units negative(struct units units)
{
    return (struct units){-units.years, -units.months, -units.weeks, -units.days, -units.us};
}

static enum status relative_binary(struct jinja_render *render, enum jinja_operator op,
    struct jinja_value left, struct jinja_value right, struct jinja_value *ret, struct error *err)
{
    bool swapped = op == JINJA_ADD && jinja_object_of(left, &relative_class);
    struct jinja_value date = swapped ? right : left, length = swapped ? left : right;
    if ((op != JINJA_ADD && op != JINJA_SUBTRACT) || !jinja_object_of(length, &relative_class) ||
        (!date_of(date) && !jinja_object_of(date, &day_class)))
        return OK;
    struct units units = ((const struct relative *)length.object)->units;
    struct jinja_call call = {.arena = jinja_render_arena(render), .self = date};
    struct moment at = moment_of_self(&call);
    if (op == JINJA_SUBTRACT)
        units = negative(units);
    enum status status = moment_add(&at, &units, &at, err);
    if (status == OK)
        *ret = date_of(date)
                   ? date_new(call.arena, date.object->class, at)
                   : day_new(call.arena, days_of(date_new(call.arena, &datetime_class, at)));
    return status;
}

static enum status relativedelta(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct relative *relative = arena_new_of(call->arena, struct relative);
    relative->object.class = &relative_class;
    *ret = jinja_object(&relative->object);
    return read_units(call, 1, &relative->units, err);
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
