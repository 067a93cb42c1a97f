#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/limits.h"
#include "base/string.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool parse_int64(struct slice s, int64_t *ret)
{
    bool negative = s.size && s.p[0] == '-';
    size_t at = s.size && (s.p[0] == '-' || s.p[0] == '+');
    if (at == s.size)
        return false;
    int64_t value = 0;
    for (; at < s.size; at++) {
        if (!is_digit(s.p[at]))
            return false;
        int digit = s.p[at] - '0';
        /* Counted downwards, because INT64_MIN has no positive counterpart. */
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *ret = negative ? value : -value;
    return true;
}

static size_t skip_digits(struct slice s, size_t at)
{
    while (at < s.size && is_digit(s.p[at]))
        at++;
    return at;
}

/* [+-] digits [. digits] [e [+-] digits], with a digit before or behind the point. */
static bool is_decimal(struct slice s)
{
    size_t start = s.size && (s.p[0] == '-' || s.p[0] == '+');
    size_t at = skip_digits(s, start), digits = at - start;
    if (at < s.size && s.p[at] == '.') {
        size_t end = skip_digits(s, at + 1);
        digits += end - at - 1;
        at = end;
    }
    if (digits == 0)
        return false;
    if (at < s.size && (s.p[at] == 'e' || s.p[at] == 'E')) {
        at++;
        at += at < s.size && (s.p[at] == '-' || s.p[at] == '+');
        size_t end = skip_digits(s, at);
        if (end == at)
            return false;
        at = end;
    }
    return at == s.size;
}

bool parse_double(struct slice s, double *ret)
{
    char text[NUMBER_TEXT_MAX];
    if (s.size >= sizeof text || !is_decimal(s))
        return false;
    memcpy(text, s.p, s.size);
    text[s.size] = '\0';
    double value = strtod(text, NULL);
    if (isinf(value))
        return false;
    *ret = value;
    return true;
}

size_t format_uint64(uint64_t v, char ret[UINT64_TEXT_SIZE])
{
    char digits[UINT64_TEXT_SIZE];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + v % 10);
    while (v /= 10);
    memcpy(ret, digits + at, sizeof digits - at);
    return sizeof digits - at;
}

enum { DIGITS_MAX = 17, DIGITS_SIZE = 32 };

/* The digits of a finite positive double, and its decimal exponent: d.ddd × 10^exponent. */
struct decimal {
    char digits[DIGITS_SIZE];
    int count;
    int exponent;
};

static struct decimal decimal_of(double v, int precision)
{
    char text[DIGITS_SIZE];
    struct decimal decimal = {0};
    snprintf(text, sizeof text, "%.*e", precision - 1, v);
    char *e = strchr(text, 'e');
    decimal.exponent = (int)strtol(e + 1, NULL, 10);
    for (const char *p = text; p < e; p++)
        if (is_digit(*p))
            decimal.digits[decimal.count++] = *p;
    return decimal;
}

static double decimal_value(const struct decimal *decimal)
{
    char text[DIGITS_SIZE * 2];
    snprintf(
        text, sizeof text, "%c.%se%d", decimal->digits[0], decimal->digits + 1, decimal->exponent);
    return strtod(text, NULL);
}

/* One more in the last digit. */
static struct decimal decimal_next(struct decimal decimal)
{
    int i = decimal.count - 1;
    while (i >= 0 && decimal.digits[i] == '9')
        decimal.digits[i--] = '0';
    if (i >= 0) {
        decimal.digits[i]++;
    } else {
        decimal.digits[0] = '1';
        decimal.exponent++;
    }
    return decimal;
}

/* v as whole / 10^places with few places, when there is such a number of at most 15 digits.  Then
   the division, of two numbers that doubles hold exactly, is rounded as reading the decimal is; and
   no other decimal of at most 15 digits reads back as v. */
static bool short_decimal(double v, struct decimal *ret)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    for (size_t places = 0; places < ARRAY_SIZE(powers) && v * powers[places] < 1e15; places++) {
        double whole = nearbyint(v * powers[places]);
        if (whole < 1 || whole / powers[places] != v)
            continue;
        ret->count = (int)format_uint64((uint64_t)whole, ret->digits);
        ret->exponent = ret->count - 1 - (int)places;
        return true;
    }
    return false;
}

/* The shortest decimal that reads back as v.  At a power of two the doubles below lie closer than
   those above, so that the decimal above v may read back though the nearest one does not.  Any
   decimal of up to DBL_DIG digits that reads back is the one rounded to DBL_DIG (normal numbers),
   with zeros at the end. */
static struct decimal shortest_decimal(double v)
{
    struct decimal found = {0};
    if (short_decimal(v, &found))
        return found;
    for (int precision = v < DBL_MIN ? 1 : DBL_DIG; precision < DIGITS_MAX; precision++) {
        struct decimal nearest = decimal_of(v, precision), above = decimal_next(nearest);
        if (decimal_value(&nearest) == v)
            return nearest;
        if (decimal_value(&above) == v)
            return above;
    }
    return decimal_of(v, DIGITS_MAX);
}

/* Python's repr: plain notation for exponents from -4 to 15. */
enum { PLAIN_EXPONENT_MIN = -4, PLAIN_EXPONENT_MAX = 15 };

/* Digits on both sides of the point, as most floats have them. */
static void write_point(const struct decimal *decimal, const char *sign, char ret[32])
{
    size_t whole = (size_t)decimal->exponent + 1, rest = (size_t)decimal->count - whole;
    size_t at = strlen(sign);
    memcpy(ret, sign, at);
    memcpy(ret + at, decimal->digits, whole);
    ret[at + whole] = '.';
    memcpy(ret + at + whole + 1, decimal->digits + whole, rest);
    ret[at + whole + 1 + rest] = '\0';
}

static void write_decimal(const struct decimal *decimal, const char *sign, char ret[32])
{
    const char *digits = decimal->digits;
    int count = decimal->count, exponent = decimal->exponent;
    if (exponent < PLAIN_EXPONENT_MIN || exponent > PLAIN_EXPONENT_MAX)
        snprintf(ret, 32, "%s%c%s%.*se%c%02d", sign, digits[0], count > 1 ? "." : "", count - 1,
            digits + 1, exponent < 0 ? '-' : '+', abs(exponent));
    else if (exponent < 0)
        snprintf(ret, 32, "%s0.%.*s%.*s", sign, -exponent - 1, "000", count, digits);
    else if (count <= exponent + 1)
        snprintf(
            ret, 32, "%s%.*s%.*s.0", sign, count, digits, exponent + 1 - count, "000000000000000");
    else
        write_point(decimal, sign, ret);
}

void format_double(double v, char ret[32])
{
    const char *sign = signbit(v) && !isnan(v) ? "-" : "";
    if (isnan(v) || isinf(v)) {
        snprintf(ret, 32, "%s%s", sign, isnan(v) ? "nan" : "inf");
    } else if (v == 0) {
        snprintf(ret, 32, "%s0.0", sign);
    } else {
        struct decimal decimal = shortest_decimal(fabs(v));
        while (decimal.count > 1 && decimal.digits[decimal.count - 1] == '0')
            decimal.count--;
        write_decimal(&decimal, sign, ret);
    }
}
