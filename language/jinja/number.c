/*
 * Arithmetic with Python's rules: `/` gives a float, `//` and `%` round down, integers that leave
 * 64 bits are errors.  Also `+`, `*` and `%` of strings and lists.
 */
#include <math.h>
#include <stdlib.h>
#include "language/jinja/runtime.h"
#include "language/jinja/unicode.h"

static const char *const operator_signs[] = {[JINJA_ADD] = "+",
    [JINJA_SUBTRACT] = "-",
    [JINJA_MULTIPLY] = "*",
    [JINJA_DIVIDE] = "/",
    [JINJA_FLOOR_DIVIDE] = "//",
    [JINJA_MODULO] = "%",
    [JINJA_POWER] = "** or pow()"};

static enum status fail_range(struct error *err)
{
    return error_set(err, ERR_TEMPLATE_VALUE, "the integer result does not fit in 64 bits");
}

static enum status fail_zero(enum jinja_operator op, bool floats, struct error *err)
{
    if (op == JINJA_POWER)
        return error_set(err, ERR_TEMPLATE_VALUE, "0.0 cannot be raised to a negative power");
    return error_set(
        err, ERR_TEMPLATE_VALUE, "%s", floats ? "float division by zero" : "division by zero");
}

static enum status float_power(double a, double b, struct jinja_value *ret, struct error *err)
{
    if (a == 0 && b < 0)
        return fail_zero(JINJA_POWER, true, err);
    if (a < 0 && isfinite(a) && isfinite(b) && b != floor(b))
        return error_set(
            err, ERR_TEMPLATE_VALUE, "a negative number to a fractional power is complex");
    double power = pow(a, b);
    if (isinf(power) && isfinite(a) && isfinite(b))
        return error_set(err, ERR_TEMPLATE_VALUE, "numerical result out of range");
    *ret = jinja_float(power);
    return OK;
}

static enum status integer_power(int64_t a, int64_t b, struct jinja_value *ret, struct error *err)
{
    if (b < 0)
        return float_power((double)a, (double)b, ret, err);
    int64_t power = 1;
    while (b > 0) {
        if ((b & 1) && __builtin_mul_overflow(power, a, &power))
            return fail_range(err);
        b >>= 1;
        /* The last square is not needed and may overflow. */
        if (b > 0 && __builtin_mul_overflow(a, a, &a))
            return fail_range(err);
    }
    *ret = jinja_int(power);
    return OK;
}

static enum status integer_operation(
    enum jinja_operator op, int64_t a, int64_t b, struct jinja_value *ret, struct error *err)
{
    int64_t v = 0;
    bool over = false;
    switch (op) {
    case JINJA_ADD: over = __builtin_add_overflow(a, b, &v); break;
    case JINJA_SUBTRACT: over = __builtin_sub_overflow(a, b, &v); break;
    case JINJA_MULTIPLY: over = __builtin_mul_overflow(a, b, &v); break;
    case JINJA_POWER: return integer_power(a, b, ret, err);
    case JINJA_DIVIDE:
        if (b == 0)
            return fail_zero(op, false, err);
        *ret = jinja_float((double)((long double)a / (long double)b));
        return OK;
    case JINJA_FLOOR_DIVIDE:
    case JINJA_MODULO:
        if (b == 0)
            return error_set(err, ERR_TEMPLATE_VALUE, "integer division or modulo by zero");
        over = b == -1 && a == INT64_MIN && op == JINJA_FLOOR_DIVIDE;
        if (b == -1)
            v = op == JINJA_MODULO || over ? 0 : -a;
        else if (op == JINJA_FLOOR_DIVIDE)
            v = a / b - (a % b != 0 && (a < 0) != (b < 0));
        else
            v = a % b + (a % b != 0 && (a < 0) != (b < 0) ? b : 0);
        break;
    }
    if (over)
        return fail_range(err);
    *ret = jinja_int(v);
    return OK;
}

/* Quotient rounded down and remainder with the divisor's sign. */
static void float_divmod(double a, double b, double *ret_quotient, double *ret_remainder)
{
    double remainder = fmod(a, b);
    double quotient = (a - remainder) / b;
    if (remainder != 0) {
        if ((b < 0) != (remainder < 0)) {
            remainder += b;
            quotient -= 1.0;
        }
    } else {
        remainder = copysign(0.0, b);
    }
    double floored = copysign(0.0, a / b);
    if (quotient != 0) {
        floored = floor(quotient);
        if (quotient - floored > 0.5)
            floored += 1.0;
    }
    *ret_quotient = floored;
    *ret_remainder = remainder;
}

static enum status float_operation(
    enum jinja_operator op, double a, double b, struct jinja_value *ret, struct error *err)
{
    double quotient, remainder;
    switch (op) {
    case JINJA_ADD: *ret = jinja_float(a + b); return OK;
    case JINJA_SUBTRACT: *ret = jinja_float(a - b); return OK;
    case JINJA_MULTIPLY: *ret = jinja_float(a * b); return OK;
    case JINJA_POWER: return float_power(a, b, ret, err);
    case JINJA_DIVIDE:
        if (b == 0)
            return fail_zero(op, true, err);
        *ret = jinja_float(a / b);
        return OK;
    case JINJA_FLOOR_DIVIDE:
    case JINJA_MODULO:
        if (b == 0)
            return error_set(err, ERR_TEMPLATE_VALUE, "%s",
                op == JINJA_MODULO ? "float modulo" : "float floor division by zero");
        float_divmod(a, b, &quotient, &remainder);
        *ret = jinja_float(op == JINJA_MODULO ? remainder : quotient);
        return OK;
    }
    return OK;
}

static bool is_sequence(struct jinja_value v)
{
    return v.kind == JINJA_STRING || v.kind == JINJA_LIST || v.kind == JINJA_TUPLE;
}

static enum status concatenate_lists(struct jinja_render *render, struct jinja_value a,
    struct jinja_value b, struct jinja_value *ret, struct error *err)
{
    size_t count = a.list->count + b.list->count;
    enum status status = jinja_check_size(render, count * sizeof(struct jinja_value), err);
    if (status)
        return status;
    *ret = a.kind == JINJA_LIST ? jinja_list_new(render->arena, count)
                                : jinja_tuple_new(render->arena, count);
    for (size_t i = 0; i < count; i++) {
        bool first = i < a.list->count;
        struct jinja_value from = first ? a : b;
        struct jinja_value item = from.list->items[first ? i : i - a.list->count];
        jinja_list_add(render->arena, *ret, jinja_mark(item, from.marks & JINJA_SPREADING_MARKS));
    }
    return OK;
}

static enum status concatenate(struct jinja_render *render, struct jinja_value a,
    struct jinja_value b, struct jinja_value *ret, struct error *err)
{
    if (a.kind != b.kind || !is_sequence(a))
        return error_set(err, ERR_TEMPLATE_TYPE,
            a.kind == JINJA_STRING || a.kind == JINJA_LIST || a.kind == JINJA_TUPLE
                ? "can only concatenate %s (not \"%s\") to %s"
                : "unsupported operand type(s) for +: '%s' and '%s'%.0s",
            jinja_type_name(a), jinja_type_name(b), jinja_type_name(a));
    if (a.kind != JINJA_STRING)
        return concatenate_lists(render, a, b, ret, err);
    enum status status = jinja_check_size(render, (uint64_t)a.size + b.size, err);
    if (status)
        return status;
    bool safe = (a.marks | b.marks) & JINJA_SAFE;
    struct jinja_builder builder = {0};
    status = jinja_builder_add_value(&builder, render, a, safe, err);
    if (!status)
        status = jinja_builder_add_value(&builder, render, b, safe, err);
    *ret = jinja_mark(jinja_builder_end(&builder, render->arena), safe ? JINJA_SAFE : 0);
    return status;
}

static enum status repeat(struct jinja_render *render, struct jinja_value sequence, int64_t times,
    struct jinja_value *ret, struct error *err)
{
    uint64_t count = times < 0 ? 0 : (uint64_t)times;
    bool is_text = sequence.kind == JINJA_STRING;
    uint64_t size = is_text ? sequence.size : sequence.list->count * sizeof(struct jinja_value),
             total;
    if (size && __builtin_mul_overflow(size, count, &total))
        total = UINT64_MAX;
    enum status status = jinja_check_size(render, size ? total : 0, err);
    if (status)
        return status;
    if (size == 0)
        count = 0;
    if (is_text) {
        struct jinja_builder builder = {0};
        for (uint64_t i = 0; i < count; i++)
            jinja_builder_add_part(&builder, sequence, 0, sequence.size);
        *ret = jinja_mark(jinja_builder_end(&builder, render->arena), sequence.marks);
        return OK;
    }
    size_t items = sequence.list->count;
    *ret = sequence.kind == JINJA_LIST ? jinja_list_new(render->arena, items * count)
                                       : jinja_tuple_new(render->arena, items * count);
    for (uint64_t i = 0; i < count; i++)
        for (size_t k = 0; k < items; k++)
            jinja_list_add(render->arena, *ret, sequence.list->items[k]);
    return OK;
}

static enum status fail_operands(
    enum jinja_operator op, struct jinja_value a, struct jinja_value b, struct error *err)
{
    return error_set(err, ERR_TEMPLATE_TYPE, "unsupported operand type(s) for %s: '%s' and '%s'",
        operator_signs[op], jinja_type_name(a), jinja_type_name(b));
}

static enum status object_operation(struct jinja_render *render, enum jinja_operator op,
    struct jinja_value a, struct jinja_value b, struct jinja_value *ret, struct error *err)
{
    enum status status = OK;
    *ret = (struct jinja_value){0};
    if (a.kind == JINJA_OBJECT && a.object->class->binary)
        status = a.object->class->binary(render, op, a, b, ret, err);
    if (!status && jinja_is_absent(*ret) && b.kind == JINJA_OBJECT && b.object->class->binary)
        status = b.object->class->binary(render, op, a, b, ret, err);
    if (status || !jinja_is_absent(*ret))
        return status;
    if (op == JINJA_MODULO && a.kind == JINJA_STRING)
        return jinja_format_percent(render, render->arena, a, b, ret, err);
    if (op == JINJA_ADD && is_sequence(a))
        return concatenate(render, a, b, ret, err);
    return fail_operands(op, a, b, err);
}

static enum status operate(struct jinja_render *render, enum jinja_operator op,
    struct jinja_value a, struct jinja_value b, struct jinja_value *ret, struct error *err)
{
    int64_t x, y;
    if (jinja_is_integer(a, &x) && jinja_is_integer(b, &y))
        return integer_operation(op, x, y, ret, err);
    if (jinja_is_number(a) && jinja_is_number(b))
        return float_operation(op, jinja_number_of(a), jinja_number_of(b), ret, err);
    if (a.kind == JINJA_UNDEFINED || b.kind == JINJA_UNDEFINED) {
        /* `"%s" % undefined` is formatting, whatever the argument. */
        if (!(op == JINJA_MODULO && a.kind == JINJA_STRING))
            return jinja_undefined_error(render, a.kind == JINJA_UNDEFINED ? a : b, err);
    }
    if (a.kind == JINJA_OBJECT || b.kind == JINJA_OBJECT)
        return object_operation(render, op, a, b, ret, err);
    if (op == JINJA_MODULO && a.kind == JINJA_STRING)
        return jinja_format_percent(render, render->arena, a, b, ret, err);
    if (op == JINJA_ADD)
        return concatenate(render, a, b, ret, err);
    if (op == JINJA_MULTIPLY && is_sequence(a) && jinja_is_integer(b, &y))
        return repeat(render, a, y, ret, err);
    if (op == JINJA_MULTIPLY && is_sequence(b) && jinja_is_integer(a, &x))
        return repeat(render, b, x, ret, err);
    if (op == JINJA_MULTIPLY && (is_sequence(a) || is_sequence(b)))
        return error_set(err, ERR_TEMPLATE_TYPE, "can't multiply sequence by non-int of type '%s'",
            jinja_type_name(is_sequence(a) ? b : a));
    return fail_operands(op, a, b, err);
}

enum status jinja_binary(struct jinja_render *render, enum jinja_operator op, struct jinja_value a,
    struct jinja_value b, struct jinja_value *ret, struct error *err)
{
    struct jinja_value result;
    enum status status = operate(render, op, a, b, &result, err);
    if (!status)
        *ret = jinja_mark(result, (a.marks | b.marks) & JINJA_SPREADING_MARKS);
    return status;
}

enum status jinja_negate(struct jinja_render *render, struct jinja_value v, bool negative,
    struct jinja_value *ret, struct error *err)
{
    int64_t integer;
    if (jinja_is_integer(v, &integer)) {
        if (negative && integer == INT64_MIN)
            return fail_range(err);
        *ret =
            jinja_mark(jinja_int(negative ? -integer : integer), v.marks & JINJA_SPREADING_MARKS);
        return OK;
    }
    if (v.kind == JINJA_FLOAT) {
        if (negative)
            v.real = -v.real;
        *ret = v;
        return OK;
    }
    if (v.kind == JINJA_UNDEFINED)
        return jinja_undefined_error(render, v, err);
    struct jinja_value result = {0};
    enum status status = OK;
    if (v.kind == JINJA_OBJECT && !negative && v.object->class->negate)
        result = v;
    else if (v.kind == JINJA_OBJECT && v.object->class->negate)
        status = v.object->class->negate(render, v.object, &result, err);
    if (status)
        return status;
    if (jinja_is_absent(result))
        return error_set(err, ERR_TEMPLATE_TYPE, "bad operand type for unary %c: '%s'",
            negative ? '-' : '+', jinja_type_name(v));
    *ret = jinja_mark(result, v.marks & JINJA_SPREADING_MARKS);
    return OK;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* The text with the decimal digits of all scripts as ASCII ones, in `copy` when it has others;
   empty when it does not fit there, or has a character that no number has. */
static struct slice with_ascii_digits(struct slice s, char *copy, size_t capacity)
{
    size_t size = 0, at = 0;
    while (at < s.size && (unsigned char)s.p[at] < 0x80)
        at++;
    if (at == s.size)
        return s;
    for (at = 0; at < s.size; size++) {
        uint32_t c = jinja_char_next(s, &at);
        int digit = c < 0x80 ? -1 : jinja_char_decimal(c);
        if (size == capacity || (c >= 0x80 && digit < 0))
            return slice_make(copy, 0);
        copy[size] = (char)(digit >= 0 ? '0' + digit : (int)c);
    }
    return slice_make(copy, size);
}

bool jinja_parse_int(struct slice s, int base, int64_t *ret, bool *ret_overflow)
{
    char ascii[512];
    static const struct {
        char letter;
        int base;
    } prefixes[] = {{'x', 16}, {'o', 8}, {'b', 2}};
    s = with_ascii_digits(jinja_text_strip(s, true, true), ascii, sizeof ascii);
    size_t at = s.size && (s.p[0] == '-' || s.p[0] == '+');
    bool negative = at && s.p[0] == '-', digit_before = false, any = false;
    *ret_overflow = false;
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        if (at + 2 < s.size && s.p[at] == '0' && (s.p[at + 1] | 32) == prefixes[i].letter &&
            (base == prefixes[i].base || base == 0)) {
            base = prefixes[i].base;
            at += 2;
            digit_before = true;
            break;
        }
    }
    if (base == 0)
        base = 10;
    uint64_t value = 0, limit = (uint64_t)INT64_MAX + negative;
    for (; at < s.size; at++) {
        if (s.p[at] == '_' && digit_before && at + 1 < s.size) {
            digit_before = false;
            continue;
        }
        int digit = digit_of(s.p[at]);
        if (digit >= base)
            return false;
        if (value > (limit - (uint64_t)digit) / (uint64_t)base)
            *ret_overflow = true;
        value = value * (uint64_t)base + (uint64_t)digit;
        digit_before = any = true;
    }
    if (!any || !digit_before || *ret_overflow)
        return false;
    *ret = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

bool jinja_parse_float(struct slice s, double *ret)
{
    char copy[512], ascii[512];
    size_t size = 0;
    s = with_ascii_digits(jinja_text_strip(s, true, true), ascii, sizeof ascii);
    if (s.size == 0 || s.size >= sizeof copy)
        return false;
    for (size_t i = 0; i < s.size; i++) {
        char c = s.p[i];
        bool between = i > 0 && i + 1 < s.size && s.p[i - 1] >= '0' && s.p[i - 1] <= '9' &&
                       s.p[i + 1] >= '0' && s.p[i + 1] <= '9';
        if (c == '_' && between)
            continue;
        copy[size++] = c;
    }
    copy[size] = '\0';
    /* strtod reads more than Python does: hexadecimal numbers and "nan(…)". */
    if (strspn(copy, "0123456789+-.eEinfINFatyATY") != size)
        return false;
    char *end;
    *ret = strtod(copy, &end);
    return *end == '\0' && end != copy;
}

/* Rounds the decimal digits in `text` ("-123.456") to a power of ten above the point. */
static double round_above_point(double v, int digits)
{
    long double power = powl(10.0L, (long double)digits);
    long double scaled = (long double)v / power;
    return (double)(nearbyintl(scaled) * power);
}

double jinja_round(double v, int digits)
{
    char text[400];
    if (!isfinite(v))
        return v;
    if (digits > 20 || fabs(v) >= 1e17)
        return digits < 0 ? round_above_point(v, -digits) : v;
    if (digits < -308)
        return copysign(0.0, v);
    if (digits < 0)
        return round_above_point(v, -digits);
    /* The C library's decimal conversion is exact, as Python's is. */
    snprintf(text, sizeof text, "%.*f", digits, v);
    return strtod(text, NULL);
}
