/*
 * `"{} {name:>10}".format(…)`: Python's str.format and its format specifications.
 */
#include <math.h>
#include "language/jinja/runtime.h"
#include "language/jinja/unicode.h"

struct specification {
    uint32_t fill;
    char align;         /* '<' '>' '^' '=' or 0 */
    char sign;          /* '+' '-' ' ' or 0 */
    bool positive_zero; /* 'z': what rounds to nothing has no sign */
    bool alternate;
    bool zero;     /* '0' before the width: zeros behind a number's sign */
    char grouping; /* ',' '_' or 0 */
    int64_t width, precision;
    char type; /* 0: none */
};

struct braces {
    const struct jinja_call *call;
    struct arena *arena;
    struct jinja_builder out;
    size_t next;
    bool automatic, manual;
    bool safe;
    struct error *err;
};

enum { WIDTH_MAX = 1000000 };

static enum status fail_braces(struct braces *b, const char *message)
{
    return error_set(b->err, ERR_TEMPLATE_VALUE, "%s", message);
}

static bool read_digits(struct slice s, size_t *at, int64_t *ret)
{
    size_t start = *at;
    int64_t value = 0;
    while (*at < s.size && s.p[*at] >= '0' && s.p[*at] <= '9' && value <= WIDTH_MAX)
        value = value * 10 + (s.p[(*at)++] - '0');
    if (*at > start)
        *ret = value;
    return value <= WIDTH_MAX;
}

static bool is_align(uint32_t c)
{
    return c == '<' || c == '>' || c == '^' || c == '=';
}

static bool take_flag(struct slice s, size_t *at, char flag)
{
    bool found = *at < s.size && s.p[*at] == flag;
    *at += found;
    return found;
}

static enum status read_specification(struct braces *b, struct slice s, struct specification *ret)
{
    size_t at = 0, second;
    bool filled = false;
    *ret = (struct specification){.fill = ' ', .width = -1, .precision = -1};
    if (s.size) {
        uint32_t first = jinja_char_next(s, &(size_t){0});
        second = 0;
        jinja_char_next(s, &second);
        if (second < s.size && is_align((unsigned char)s.p[second])) {
            ret->fill = first;
            ret->align = s.p[second];
            at = second + 1;
            filled = true;
        } else if (is_align(first)) {
            ret->align = (char)first;
            at = 1;
        }
    }
    if (at < s.size && strchr("+- ", s.p[at]))
        ret->sign = s.p[at++];
    ret->positive_zero = take_flag(s, &at, 'z');
    ret->alternate = take_flag(s, &at, '#');
    if (!filled && take_flag(s, &at, '0')) {
        ret->fill = '0';
        ret->zero = true;
    }
    bool ok = read_digits(s, &at, &ret->width);
    if (at < s.size && (s.p[at] == ',' || s.p[at] == '_'))
        ret->grouping = s.p[at++];
    if (ok && at < s.size && s.p[at] == '.') {
        at++;
        ok = read_digits(s, &at, &ret->precision) && ret->precision >= 0;
        if (ret->precision < 0)
            return fail_braces(b, "format specifier missing precision");
    }
    if (!ok)
        return fail_braces(b, "too many decimal digits in format string");
    if (at < s.size)
        ret->type = s.p[at++];
    if (at < s.size)
        return fail_braces(b, "invalid format specifier");
    if (ret->grouping && ret->type && !strchr("deEfFgG%", ret->type) &&
        !(ret->grouping == '_' && strchr("boxX", ret->type)))
        return error_set(
            b->err, ERR_TEMPLATE_VALUE, "cannot specify '%c' with '%c'", ret->grouping, ret->type);
    return OK;
}

static void add_fill(struct braces *b, uint32_t fill, size_t count)
{
    for (size_t i = 0; i < count; i++)
        strbuf_add_utf8(&b->out.text, fill);
}

static void add_padded(
    struct braces *b, const struct specification *spec, struct jinja_value text, char default_align)
{
    size_t length = jinja_text_length(jinja_text(text));
    size_t pad = spec->width > 0 && (size_t)spec->width > length ? (size_t)spec->width - length : 0;
    char align = spec->align ? spec->align : default_align;
    size_t left = align == '>' ? pad : align == '^' ? pad / 2 : 0;
    add_fill(b, spec->fill, left);
    jinja_builder_add_part(&b->out, text, 0, text.size);
    add_fill(b, spec->fill, pad - left);
}

/* Puts separators into the digits before the point and zeros between sign and digits. */
static void group_digits(struct slice digits, const struct specification *spec, size_t signs,
    size_t step, struct strbuf *out)
{
    size_t whole = 0;
    while (whole < digits.size && strchr("0123456789abcdefABCDEF", digits.p[whole]) &&
           !((digits.p[whole] == 'e' || digits.p[whole] == 'E') && strchr("eEgG", spec->type) &&
               spec->type))
        whole++;
    size_t rest = digits.size - whole, zeros = 0;
    bool fill_zeros = spec->align == '=' && spec->fill == '0' && spec->width > 0;
    if (fill_zeros) {
        for (;;) {
            size_t n = whole + zeros;
            size_t size = n + (spec->grouping && n ? (n - 1) / step : 0) + rest + signs;
            if (size >= (size_t)spec->width)
                break;
            zeros++;
        }
    }
    for (size_t i = 0; i < zeros + whole; i++) {
        if (spec->grouping && i && (zeros + whole - i) % step == 0)
            strbuf_add_char(out, spec->grouping);
        strbuf_add_char(out, i < zeros ? '0' : digits.p[i - zeros]);
    }
    strbuf_add(out, digits.p + whole, rest);
}

static void add_number(struct braces *b, const struct specification *spec, bool negative,
    const char *prefix, struct slice digits, size_t step)
{
    struct strbuf text = {0}, sign = {0};
    if (negative || spec->sign == '+' || spec->sign == ' ')
        strbuf_add_char(&sign, negative ? '-' : spec->sign);
    strbuf_add_str(&sign, prefix);
    strbuf_add(&text, strbuf_text(&sign), sign.size);
    size_t signs = sign.size;
    group_digits(digits, spec, signs, step, &text);
    size_t pad =
        spec->width > 0 && (size_t)spec->width > text.size ? (size_t)spec->width - text.size : 0;
    if (spec->align == '=' && pad) {
        strbuf_add(&b->out.text, strbuf_text(&sign), signs);
        add_fill(b, spec->fill, pad);
        strbuf_add(&b->out.text, strbuf_text(&text) + signs, text.size - signs);
        strbuf_done(&text);
    } else {
        add_padded(b, spec, jinja_take_text(b->arena, &text), '>');
    }
    strbuf_done(&sign);
}

static enum status format_float(struct braces *b, const struct specification *spec, double v)
{
    struct strbuf digits = {0};
    char type = spec->type;
    bool negative = signbit(v) && !isnan(v);
    double size = negative ? -v : v;
    int precision = spec->precision < 0 ? 6 : (int)spec->precision;
    if (type == '%') {
        jinja_format_float(size * 100, 'f', precision, spec->alternate, &digits);
        strbuf_add_char(&digits, '%');
    } else if (!type && spec->precision < 0) {
        char text[32];
        format_double(size, text);
        strbuf_add_str(&digits, text);
    } else if (!type) {
        /* As 'g', but a number that looks whole gets ".0". */
        if (precision == 0)
            precision = 1;
        jinja_format_float(size, 'g', precision, false, &digits);
        const char *text = strbuf_text(&digits);
        double whole = fabs(size) > 0 ? floor(log10(size)) : 0;
        if (isfinite(v) && !strpbrk(text, ".e")) {
            if (whole + 1 >= precision) {
                strbuf_clear(&digits);
                jinja_format_float(size, 'e', precision - 1, false, &digits);
            } else {
                strbuf_add_str(&digits, ".0");
            }
        }
    } else {
        jinja_format_float(size, type == 'n' ? 'g' : type, precision, spec->alternate, &digits);
    }
    if (spec->positive_zero && !strpbrk(strbuf_text(&digits), "123456789in"))
        negative = false;
    add_number(b, spec, negative, "", slice_make(strbuf_text(&digits), digits.size), 3);
    strbuf_done(&digits);
    return OK;
}

static void append_radix(uint64_t v, unsigned base, bool upper, struct strbuf *out)
{
    char digits[65];
    size_t at = sizeof digits;
    do {
        digits[--at] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[v % base];
        v /= base;
    } while (v);
    strbuf_add(out, digits + at, sizeof digits - at);
}

static enum status format_character(struct braces *b, const struct specification *spec, int64_t v)
{
    struct strbuf text = {0};
    if (spec->sign || spec->alternate)
        return fail_braces(b, "sign and '#' not allowed with integer format specifier 'c'");
    if (v < 0 || v > 0x10FFFF)
        return fail_braces(b, "the character's number is not in range(0x110000)");
    strbuf_add_utf8(&text, (uint32_t)v);
    add_padded(b, spec, jinja_take_text(b->arena, &text), '>');
    return OK;
}

static enum status format_integer(struct braces *b, const struct specification *spec, int64_t v)
{
    static const struct {
        char type;
        unsigned base;
        const char *prefix;
    } radixes[] = {{0, 10, ""}, {'d', 10, ""}, {'n', 10, ""}, {'x', 16, "0x"}, {'X', 16, "0X"},
        {'o', 8, "0o"}, {'b', 2, "0b"}};
    if (spec->type && strchr("eEfFgG%", spec->type))
        return format_float(b, spec, (double)v);
    if (spec->precision >= 0 || spec->positive_zero)
        return fail_braces(b, "precision and 'z' not allowed in integer format specifier");
    if (spec->type == 'c')
        return format_character(b, spec, v);
    for (size_t i = 0; i < ARRAY_SIZE(radixes); i++) {
        if (spec->type != radixes[i].type)
            continue;
        struct strbuf digits = {0};
        append_radix(
            v < 0 ? 0 - (uint64_t)v : (uint64_t)v, radixes[i].base, spec->type == 'X', &digits);
        add_number(b, spec, v < 0, spec->alternate ? radixes[i].prefix : "",
            slice_make(strbuf_text(&digits), digits.size), radixes[i].base == 10 ? 3 : 4);
        strbuf_done(&digits);
        return OK;
    }
    return error_set(b->err, ERR_TEMPLATE_VALUE,
        "unknown format code '%c' for object of type 'int'", spec->type);
}

static enum status format_text(
    struct braces *b, const struct specification *spec, struct jinja_value v)
{
    if (spec->type && spec->type != 's')
        return error_set(b->err, ERR_TEMPLATE_VALUE,
            "unknown format code '%c' for object of type 'str'", spec->type);
    if (spec->sign || spec->alternate || spec->grouping || spec->positive_zero ||
        spec->align == '=')
        return fail_braces(b, "sign, '#', 'z', ',', '_' and '=' are not allowed in a string's "
                              "format specifier");
    if (spec->precision >= 0)
        v = jinja_substring(
            b->arena, v, 0, jinja_text_offset(jinja_text(v), (size_t)spec->precision));
    add_padded(b, spec, v, '<');
    return OK;
}

static enum status format_plain(struct braces *b, struct jinja_value v, struct slice spec_text)
{
    struct specification spec;
    enum status status = read_specification(b, spec_text, &spec);
    int64_t integer;
    b->out.marks |= v.marks & JINJA_SPREADING_MARKS;
    if (status)
        return status;
    if (spec.zero && !spec.align && jinja_is_number(v))
        spec.align = '=';
    if (v.kind == JINJA_INT || (v.kind == JINJA_BOOL && spec_text.size)) {
        jinja_is_integer(v, &integer);
        return format_integer(b, &spec, integer);
    }
    if (v.kind == JINJA_FLOAT) {
        if (spec.type && !strchr("eEfFgGn%", spec.type))
            return error_set(b->err, ERR_TEMPLATE_VALUE,
                "unknown format code '%c' for object of type 'float'", spec.type);
        return format_float(b, &spec, v.real);
    }
    if (spec_text.size && v.kind != JINJA_STRING && v.kind != JINJA_OBJECT)
        return error_set(b->err, ERR_TEMPLATE_TYPE,
            "unsupported format string passed to %s.__format__", jinja_type_name(v));
    struct jinja_builder text = {0};
    status = jinja_builder_add_value(&text, b->call->render, v, false, b->err);
    struct jinja_value string = jinja_builder_end(&text, b->arena);
    return status ? status : format_text(b, &spec, string);
}

/* In a safe format, what is formatted is escaped; what is safe itself takes no specification. */
static enum status format_value(struct braces *b, struct jinja_value v, struct slice spec_text)
{
    if (!b->safe)
        return format_plain(b, v, spec_text);
    if ((v.marks & JINJA_SAFE) && spec_text.size)
        return fail_braces(b, "a format specification cannot be applied to Markup");
    struct jinja_builder outer = b->out;
    b->out = (struct jinja_builder){0};
    enum status status = format_plain(b, v, spec_text);
    struct jinja_value text =
        jinja_mark(jinja_builder_end(&b->out, b->arena), v.marks & JINJA_SAFE);
    b->out = outer;
    return status ? status : jinja_builder_add_value(&b->out, b->call->render, text, true, b->err);
}

/* The argument that "name", "0" or "" stands for. */
static enum status first_value(struct braces *b, struct slice name, struct jinja_value *ret)
{
    int64_t index = 0;
    size_t at = 0;
    bool numeric = name.size && read_digits(name, &at, &index) && at == name.size;
    if (name.size == 0 || numeric) {
        b->automatic |= name.size == 0;
        b->manual |= numeric;
        if (b->automatic && b->manual)
            return fail_braces(
                b, "cannot mix automatic field numbering and manual field specification");
        if (name.size == 0)
            index = (int64_t)b->next++;
        if ((uint64_t)index >= b->call->arg_count)
            return error_set(b->err, ERR_TEMPLATE_VALUE,
                "Replacement index %lld out of range for positional args tuple", (long long)index);
        *ret = b->call->args[index];
        return OK;
    }
    for (size_t i = 0; i < b->call->keyword_count; i++) {
        if (slice_equal(b->call->keywords[i].name, name)) {
            *ret = b->call->keywords[i].value;
            return OK;
        }
    }
    return error_set(
        b->err, ERR_TEMPLATE_VALUE, "the format's field '%.*s' is not there", SLICE_ARG(name));
}

/* `name`, then `.attribute` and `[item]`s. */
static enum status field_value(struct braces *b, struct slice field, struct jinja_value *ret)
{
    size_t at = 0;
    while (at < field.size && field.p[at] != '.' && field.p[at] != '[')
        at++;
    enum status status = first_value(b, slice_make(field.p, at), ret);
    while (!status && at < field.size) {
        bool item = field.p[at++] == '[';
        size_t start = at, digits = 0;
        while (at < field.size && (item ? field.p[at] != ']' : field.p[at] != '.') &&
               (item || field.p[at] != '['))
            at++;
        struct slice name = slice_make(field.p + start, at - start);
        struct jinja_value key = jinja_slice(name), next = {0};
        int64_t index;
        if (item && name.size && read_digits(name, &digits, &index) && digits == name.size)
            key = jinja_int(index);
        status = item ? jinja_get_item(b->call->render, *ret, key, &next, b->err)
                      : jinja_plain_attribute(b->call->render, *ret, name, &next, b->err);
        /* An undefined value in a mapping is there. */
        bool held = item && !jinja_is_absent(jinja_mapping_get_value(*ret, key));
        if (!status && next.kind == JINJA_UNDEFINED && !held)
            status = error_set(b->err, ERR_TEMPLATE_VALUE, "the format's field '%.*s' is not there",
                SLICE_ARG(field));
        *ret = next;
        at += item;
    }
    return status;
}

static enum status expand(
    struct braces *b, struct slice format, struct jinja_value source, unsigned depth);

static enum status convert(struct braces *b, char conversion, struct jinja_value *v)
{
    struct strbuf text = {0};
    enum status status;
    if (conversion == 's')
        status = jinja_append_text(b->call->render, *v, &text, b->err);
    else if (conversion == 'r' || conversion == 'a')
        status = jinja_append_repr(b->call->render, *v, &text, b->err);
    else
        status = fail_braces(b, "unknown conversion specifier");
    if (!status && conversion == 'a') {
        struct strbuf ascii = {0};
        jinja_append_ascii(slice_make(strbuf_text(&text), text.size), &ascii);
        strbuf_done(&text);
        text = ascii;
    }
    unsigned marks = v->marks & JINJA_SPREADING_MARKS;
    *v = jinja_mark(jinja_take_text(b->arena, &text), marks);
    return status;
}

/* What stands between `{` and `}`. */
static enum status add_field(struct braces *b, struct slice field, unsigned depth)
{
    size_t end = 0;
    while (end < field.size && field.p[end] != '!' && field.p[end] != ':') {
        /* An item's brackets may hold anything. */
        if (field.p[end] == '[')
            while (end < field.size && field.p[end] != ']')
                end++;
        if (end < field.size)
            end++;
    }
    struct jinja_value v;
    enum status status = field_value(b, slice_make(field.p, end), &v);
    if (!status && end < field.size && field.p[end] == '!') {
        if (end + 1 >= field.size)
            return fail_braces(b, "end of string while looking for conversion specifier");
        status = convert(b, field.p[end + 1], &v);
        end += 2;
        if (!status && end < field.size && field.p[end] != ':')
            return fail_braces(b, "expected ':' after conversion specifier");
    }
    struct slice spec = {"", 0};
    if (!status && end < field.size) {
        spec = slice_make(field.p + end + 1, field.size - end - 1);
        if (memchr(spec.p, '{', spec.size)) {
            struct jinja_builder outer = b->out;
            b->out = (struct jinja_builder){0};
            status = depth > 0 ? fail_braces(b, "Max string recursion exceeded")
                               : expand(b, spec, jinja_slice(spec), depth + 1);
            spec = jinja_text(jinja_builder_end(&b->out, b->arena));
            b->out = outer;
        }
    }
    return status ? status : format_value(b, v, spec);
}

static enum status expand(
    struct braces *b, struct slice format, struct jinja_value source, unsigned depth)
{
    enum status status = OK;
    for (size_t at = 0; !status && at < format.size;) {
        size_t start = at;
        while (at < format.size && format.p[at] != '{' && format.p[at] != '}')
            at++;
        jinja_builder_add_part(&b->out, source, start, at - start);
        if (at >= format.size)
            break;
        char c = format.p[at++];
        if (at < format.size && format.p[at] == c) {
            strbuf_add_char(&b->out.text, c);
            at++;
            continue;
        }
        if (c == '}')
            return fail_braces(b, "Single '}' encountered in format string");
        start = at;
        int open = 1;
        for (; at < format.size && open > 0; at++)
            open += format.p[at] == '{' ? 1 : format.p[at] == '}' ? -1 : 0;
        if (open > 0)
            return fail_braces(b, at > start ? "expected '}' before end of string"
                                             : "Single '{' encountered in format string");
        status = add_field(b, slice_make(format.p + start, at - 1 - start), depth);
        if (!status)
            status = jinja_check_size(b->call->render, b->out.text.size, b->err);
    }
    return status;
}

enum status jinja_format_braces(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct braces b = {
        .call = call, .arena = call->arena, .safe = call->self.marks & JINJA_SAFE, .err = err};
    enum status status = expand(&b, jinja_text(call->self), call->self, 0);
    struct jinja_value text = jinja_builder_end(&b.out, call->arena);
    if (!status)
        *ret = jinja_mark(text, b.safe ? JINJA_SAFE : 0);
    return status;
}
