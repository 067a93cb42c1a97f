#include "definition/report.h"

static const struct {
    enum status status;
    const char *code;
} codes[] = {
    {ERR_YAML, "yaml"},
    {ERR_DEFINITION, "definition"},
    {ERR_UNKNOWN_KEY, "unknown-key"},
    {ERR_AIRFLOW_KEY, "airflow-key"},
    {ERR_NOT_SUPPORTED_YET, "not-supported-yet"},
    {ERR_KEY_MISSING, "key-missing"},
    {ERR_VALUE_TYPE, "value-type"},
    {ERR_VALUE_RANGE, "value-range"},
    {ERR_DUPLICATE, "duplicate"},
    {ERR_BAD_NAME, "bad-name"},
    {ERR_UNKNOWN_REFERENCE, "unknown-reference"},
    {ERR_CYCLE, "cycle"},
    {ERR_SETTING_UNSET, "setting-unset"},
    {ERR_PARAM, "param"},
    {ERR_LIMIT, "limit"},
    {ERR_SCHEDULE_INVALID, "schedule"},
    {ERR_SCHEDULE_NEVER, "schedule-never"},
    {ERR_ZONE_UNKNOWN, "time-zone"},
    {ERR_ZONE_BROKEN, "time-zone"},
    {ERR_INVALID, "value-range"},
    {ERR_TEMPLATE_SYNTAX, "template-syntax"},
    {ERR_TEMPLATE_NOT_FOUND, "template-not-found"},
    {ERR_TEMPLATE_UNDEFINED, "template-undefined"},
};

const char *report_code(enum status status)
{
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (codes[i].status == status)
            return codes[i].code;
    return "definition";
}

static bool is_known(const struct diagnostics *diagnostics, const struct error *error)
{
    for (const struct diagnostic *d = diagnostics->first; d; d = d->next)
        if (d->error.place.line == error->place.line &&
            d->error.place.column == error->place.column &&
            str_equal(d->error.place.file, error->place.file) &&
            str_equal(d->error.message, error->message))
            return true;
    return false;
}

static struct diagnostic *add(struct diagnostics *diagnostics, const char *severity,
    const char *code, const struct error *error)
{
    if (is_known(diagnostics, error))
        return NULL;
    struct diagnostic *diagnostic = diagnostics_add(diagnostics, severity, error);
    if (diagnostic)
        diagnostic->code = code;
    return diagnostic;
}

struct diagnostic *report_error(struct diagnostics *diagnostics, const struct error *error)
{
    return add(diagnostics, "error", report_code(error->status), error);
}

struct diagnostic *report_warning(
    struct diagnostics *diagnostics, const struct error *error, const char *code)
{
    return add(diagnostics, "warning", code, error);
}

void report_copy(struct diagnostics *diagnostics, const struct diagnostic *from)
{
    add(diagnostics, from->severity, from->code, &from->error);
}

__attribute__((format(printf, 5, 0))) static struct diagnostic *report_va(
    struct diagnostics *diagnostics, const struct yaml_source *source, size_t offset,
    enum status status, const char *format, va_list args)
{
    struct error error;
    error_vset(&error, status, format, args);
    error_at(&error, source->file, source->text.p, source->text.size, offset);
    return report_error(diagnostics, &error);
}

struct diagnostic *report(struct diagnostics *diagnostics, const struct yaml_node *node,
    enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct diagnostic *diagnostic =
        report_va(diagnostics, node->source, node->offset, status, format, args);
    va_end(args);
    return diagnostic;
}

struct diagnostic *report_offset(struct diagnostics *diagnostics, const struct yaml_source *source,
    size_t offset, enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct diagnostic *diagnostic = report_va(diagnostics, source, offset, status, format, args);
    va_end(args);
    return diagnostic;
}

struct diagnostic *report_from(struct diagnostics *diagnostics, const struct yaml_node *node,
    const struct error *error, const char *context)
{
    struct error placed = *error;
    if (context)
        error_context(&placed, "%s: ", context);
    error_at(
        &placed, node->source->file, node->source->text.p, node->source->text.size, node->offset);
    return report_error(diagnostics, &placed);
}

void report_hint(struct diagnostic *diagnostic, const char *format, ...)
{
    if (!diagnostic)
        return;
    va_list args;
    va_start(args, format);
    char hint[ERROR_HINT_SIZE];
    vsnprintf(hint, sizeof(hint), format, args);
    va_end(args);
    error_hint(&diagnostic->error, "%s", hint);
}

void report_suggest(
    struct diagnostic *diagnostic, const char *word, const char *const *candidates, size_t count)
{
    const char *near = suggest(word, candidates, count);
    if (near)
        report_hint(diagnostic, "did you mean `%s`?", near);
}
