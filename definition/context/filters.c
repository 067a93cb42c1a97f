/* Airflow's filters on dates. */
#include "definition/context/context_data.h"

/* `date | ds`: none stays none; what is no date is an error. */
static enum status filter_date(
    const struct jinja_call *call, struct moment *ret, bool *ret_none, struct error *err)
{
    static const char *const names[] = {"value"};
    struct jinja_value v[1];
    enum status status = jinja_arguments(call, names, 1, 1, v, err);
    *ret_none = status == OK && v[0].kind == JINJA_NONE;
    if (status || *ret_none)
        return status;
    if (v[0].kind == JINJA_STRING) {
        error_set(err, ERR_TEMPLATE_TYPE, "the filter `%s` takes a date, not a string", call->name);
        error_hint(err, "for texts there is `macros.ds_format(text, from, to)`");
        return ERR_TEMPLATE_TYPE;
    }
    return date_argument(call, names[0], v[0], ret, err);
}

/* `user` is the format of strftime; NULL: ISO 8601. */
static enum status by_format(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct moment at;
    bool none;
    enum status status = filter_date(call, &at, &none, err);
    *ret = jinja_none();
    if (status || none)
        return status;
    struct strbuf text = {0};
    if (call->user)
        date_add_strftime(&text, &at, slice_of(call->user));
    else
        date_add_iso(&text, &at, 'T');
    *ret = text_value(call->arena, &text);
    return OK;
}

/* ISO 8601 without what stands between the digits. */
static enum status ts_nodash_with_tz(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    enum status status = by_format(call, ret, err);
    if (status || ret->kind != JINJA_STRING)
        return status;
    struct strbuf text = {0};
    for (uint32_t i = 0; i < ret->size; i++)
        if (ret->text[i] != '-' && ret->text[i] != ':')
            strbuf_add_char(&text, ret->text[i]);
    *ret = text_value(call->arena, &text);
    return OK;
}

void context_add_date_filters(struct jinja_environment *env)
{
    static char ds[] = "%Y-%m-%d", ds_nodash[] = "%Y%m%d", ts_nodash[] = "%Y%m%dT%H%M%S";
    jinja_add_filter(env, "ds", by_format, ds);
    jinja_add_filter(env, "ds_nodash", by_format, ds_nodash);
    jinja_add_filter(env, "ts", by_format, NULL);
    jinja_add_filter(env, "ts_nodash", by_format, ts_nodash);
    jinja_add_filter(env, "ts_nodash_with_tz", ts_nodash_with_tz, NULL);
}
