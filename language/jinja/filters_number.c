/*
 * Filters of numbers, and `default`, `attr`, `items`, `length`, `list`.
 */
#include <math.h>
#include "language/jinja/filters.h"

static enum status filter_abs(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"x"};
    struct jinja_value v;
    int64_t integer;
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    if (status)
        return status;
    if (jinja_is_integer(v, &integer))
        return jinja_negate(call->render, v, integer < 0, ret, err);
    if (v.kind == JINJA_FLOAT) {
        *ret = jinja_float(fabs(v.real));
        return OK;
    }
    if (v.kind == JINJA_UNDEFINED)
        return jinja_undefined_error(call->render, v, err);
    return error_set(
        err, ERR_TEMPLATE_TYPE, "bad operand type for abs(): '%s'", jinja_type_name(v));
}

/* A float that is too large for 64 bits is an error that default does not catch. */
static enum status fail_large(struct error *err)
{
    return error_set(err, ERR_TEMPLATE_VALUE, "int(): the number does not fit in 64 bits");
}

static enum status filter_int(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "default", "base"};
    struct jinja_value values[3];
    int64_t base = 10, integer;
    bool overflow = false;
    double real;
    enum status status = jinja_arguments(call, names, 3, 1, values, err);
    if (!status && values[0].kind == JINJA_UNDEFINED)
        return jinja_undefined_error(call->render, values[0], err);
    if (status)
        return status;
    struct jinja_value v = values[0];
    *ret = jinja_is_absent(values[1]) ? jinja_int(0) : values[1];
    /* What is no base is one that nothing can be read with. */
    if (!jinja_is_absent(values[2]) && !jinja_is_integer(values[2], &base))
        base = -1;
    if (jinja_is_integer(v, &integer)) {
        *ret = jinja_int(integer);
    } else if (v.kind == JINJA_FLOAT) {
        if (jinja_float_to_int(v.real, &integer))
            *ret = jinja_int(integer);
        else if (isfinite(v.real))
            return fail_large(err);
    } else if (v.kind == JINJA_STRING) {
        bool valid_base = base == 0 || (base >= 2 && base <= 36);
        if (valid_base && jinja_parse_int(jinja_text(v), (int)base, &integer, &overflow))
            *ret = jinja_int(integer);
        else if (overflow)
            return fail_large(err);
        else if (jinja_parse_float(jinja_text(v), &real) && isfinite(real)) {
            if (!jinja_float_to_int(real, &integer))
                return fail_large(err);
            *ret = jinja_int(integer);
        }
    }
    return OK;
}

static enum status filter_float(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "default"};
    struct jinja_value values[2];
    double real;
    enum status status = jinja_arguments(call, names, 2, 1, values, err);
    if (!status && values[0].kind == JINJA_UNDEFINED)
        return jinja_undefined_error(call->render, values[0], err);
    if (status)
        return status;
    *ret = jinja_is_absent(values[1]) ? jinja_float(0) : values[1];
    if (jinja_is_number(values[0]))
        *ret = jinja_float(jinja_number_of(values[0]));
    else if (values[0].kind == JINJA_STRING && jinja_parse_float(jinja_text(values[0]), &real))
        *ret = jinja_float(real);
    return OK;
}

static enum status round_integer(
    int64_t v, int64_t digits, struct jinja_value *ret, struct error *err)
{
    *ret = jinja_int(v);
    if (digits >= 0)
        return OK;
    if (digits < -18) {
        *ret = jinja_int(0);
        return OK;
    }
    int64_t unit = 1;
    for (int64_t i = 0; i < -digits; i++)
        unit *= 10;
    int64_t rest = v % unit, whole = v - rest, half = unit / 2;
    int64_t away = rest < 0 ? -rest : rest;
    if (away > half || (away == half && (whole / unit) % 2 != 0))
        if (__builtin_add_overflow(whole, rest < 0 ? -unit : unit, &whole))
            return fail_large(err);
    *ret = jinja_int(whole);
    return OK;
}

static enum status filter_round(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "precision", "method"};
    struct jinja_value values[3];
    int64_t digits = 0, integer;
    struct slice method;
    enum status status = jinja_arguments(call, names, 3, 1, values, err);
    bool whole = !status && values[1].kind == JINJA_NONE; /* round(x, None) is an integer */
    if (!status && !whole)
        status = jinja_argument_int(call, "precision", values[1], 0, &digits, err);
    if (!status)
        status = jinja_argument_text(call, "method", values[2], "common", &method, err);
    if (status)
        return status;
    bool ceiling = slice_equal_str(method, "ceil"), floored = slice_equal_str(method, "floor");
    if (!ceiling && !floored && !slice_equal_str(method, "common"))
        return error_set(err, ERR_TEMPLATE_VALUE, "method must be common, ceil or floor");
    if (values[0].kind == JINJA_UNDEFINED)
        return jinja_undefined_error(call->render, values[0], err);
    if (!jinja_is_number(values[0]))
        return error_set(err, ERR_TEMPLATE_TYPE, "type %s doesn't define __round__ method",
            jinja_type_name(values[0]));
    if (whole && (ceiling || floored))
        return error_set(err, ERR_TEMPLATE_TYPE, "round(): 'precision' must be an integer");
    digits = digits > 400 ? 400 : digits < -400 ? -400 : digits;
    if (!ceiling && !floored && jinja_is_integer(values[0], &integer))
        return round_integer(integer, digits, ret, err);
    double v = jinja_number_of(values[0]);
    if (whole && !(v > -0x1p63 && v < 0x1p63))
        return error_set(err, ERR_TEMPLATE_VALUE, "round(): the number has no 64 bits integer");
    if (!ceiling && !floored) {
        v = jinja_round(v, (int)digits);
        *ret = whole ? jinja_int((int64_t)v) : jinja_float(v);
        return OK;
    }
    double unit = pow(10.0, (double)digits), scaled = v * unit;
    if (!isfinite(scaled))
        return error_set(err, ERR_TEMPLATE_VALUE, "cannot convert float infinity to integer");
    /* Python's ceil and floor give integers, which have no negative zero. */
    *ret = jinja_float(((ceiling ? ceil(scaled) : floor(scaled)) + 0.0) / unit);
    return OK;
}

static enum status filter_filesizeformat(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "binary"};
    static const char letters[] = "kMGTPEZY";
    struct jinja_value values[2];
    double bytes;
    enum status status = jinja_arguments(call, names, 2, 1, values, err);
    if (status)
        return status;
    if (values[0].kind == JINJA_UNDEFINED)
        return jinja_undefined_error(call->render, values[0], err);
    if (jinja_is_number(values[0]))
        bytes = jinja_number_of(values[0]);
    else if (values[0].kind != JINJA_STRING || !jinja_parse_float(jinja_text(values[0]), &bytes))
        return error_set(err, ERR_TEMPLATE_TYPE, "filesizeformat() takes a number, not '%s'",
            jinja_type_name(values[0]));
    bool binary = jinja_argument_bool(values[1], false);
    double base = binary ? 1024 : 1000;
    long double unit = (long double)base * base; /* exact, as Python's integers are */
    struct strbuf out = {0};
    if (bytes == 1) {
        strbuf_add_str(&out, "1 Byte");
    } else if (bytes < base) {
        strbuf_printf(&out, "%.0f Bytes", trunc(bytes) + 0.0);
    } else {
        size_t i = 0;
        while (i + 1 < strlen(letters) && bytes >= unit) {
            unit *= (long double)base;
            i++;
        }
        char letter = binary && i == 0 ? 'K' : letters[i];
        strbuf_printf(&out, "%.1f %c%s", base * bytes / (double)unit, letter, binary ? "iB" : "B");
    }
    *ret = jinja_take_text(call->arena, &out);
    return OK;
}

static enum status filter_default(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "default_value", "boolean"};
    struct jinja_value values[3];
    if (call->arg_count == 0)
        return error_set(err, ERR_TEMPLATE_TYPE, "default() takes a value");
    enum status status = jinja_arguments(call, names, 3, 0, values, err);
    if (status)
        return status;
    bool boolean = jinja_argument_bool(values[2], false);
    bool use = values[0].kind == JINJA_UNDEFINED || (boolean && !jinja_is_true(values[0]));
    *ret = !use ? values[0] : jinja_is_absent(values[1]) ? jinja_string("") : values[1];
    return OK;
}

static enum status filter_attr(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"obj", "name"};
    struct jinja_value values[2];
    enum status status = jinja_arguments(call, names, 2, 2, values, err);
    if (!status && values[1].kind != JINJA_STRING)
        status = error_set(err, ERR_TEMPLATE_TYPE, "attribute name must be string, not '%s'",
            jinja_type_name(values[1]));
    if (!status)
        status = jinja_plain_attribute(call->render, values[0], jinja_text(values[1]), ret, err);
    if (!status && jinja_is_absent(*ret))
        *ret = jinja_missing_member(call->render, values[0], values[1]);
    return status;
}

static enum status filter_length(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"obj"};
    struct jinja_value v;
    int64_t length;
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    if (!status)
        status = jinja_length(call->render, v, &length, err);
    if (!status)
        *ret = jinja_int(length);
    return status;
}

const struct jinja_row jinja_number_filters[] = {{"abs", filter_abs, 0, NULL},
    {"attr", filter_attr, 0, NULL}, {"count", filter_length, 0, NULL},
    {"d", filter_default, JINJA_ROW_OWN_MARKS, NULL},
    {"default", filter_default, JINJA_ROW_OWN_MARKS, NULL},
    {"filesizeformat", filter_filesizeformat, 0, NULL}, {"float", filter_float, 0, NULL},
    {"int", filter_int, 0, NULL}, {"length", filter_length, 0, NULL},
    {"round", filter_round, 0, NULL}, {NULL, NULL, 0, NULL}};
