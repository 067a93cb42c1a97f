/*
 * `"%s" % value`: Python's printf-style formatting.
 */
#include <math.h>
#include "language/jinja/runtime.h"
#include "language/jinja/unicode.h"

struct conversion {
    bool left, zero, space, plus, alternate;
    int64_t width, precision; /* -1: none */
    char type;
    bool has_key;
    struct slice key;
};

struct percent {
    struct jinja_render *render;
    struct arena *arena;
    struct slice format;
    size_t at;
    struct jinja_value args;
    size_t next;
    bool safe;
    struct jinja_builder out;
    struct error *err;
};

enum { WIDTH_MAX = 1000000 };

static enum status fail_format(struct percent *p, const char *message)
{
    return error_set(p->err, ERR_TEMPLATE_VALUE, "%s", message);
}

static enum status next_argument(struct percent *p, struct jinja_value *ret)
{
    if (p->args.kind == JINJA_TUPLE) {
        if (p->next < p->args.list->count) {
            *ret =
                jinja_mark(p->args.list->items[p->next++], p->args.marks & JINJA_SPREADING_MARKS);
            return OK;
        }
    } else if (p->next++ == 0) {
        *ret = p->args;
        return OK;
    }
    return error_set(p->err, ERR_TEMPLATE_TYPE, "not enough arguments for format string");
}

static enum status read_key(struct percent *p, struct conversion *c)
{
    size_t start = ++p->at;
    for (int depth = 1; p->at < p->format.size; p->at++) {
        depth += p->format.p[p->at] == '(' ? 1 : p->format.p[p->at] == ')' ? -1 : 0;
        if (depth == 0) {
            c->has_key = true;
            c->key = slice_make(p->format.p + start, p->at - start);
            p->at++;
            return OK;
        }
    }
    return fail_format(p, "incomplete format key");
}

static enum status read_number(struct percent *p, int64_t *ret)
{
    if (p->at < p->format.size && p->format.p[p->at] == '*') {
        struct jinja_value v;
        p->at++;
        enum status status = next_argument(p, &v);
        if (status)
            return status;
        if (!jinja_is_integer(v, ret))
            return error_set(p->err, ERR_TEMPLATE_TYPE, "* wants int");
    } else {
        *ret = 0;
        while (p->at < p->format.size && p->format.p[p->at] >= '0' && p->format.p[p->at] <= '9' &&
               *ret <= WIDTH_MAX)
            *ret = *ret * 10 + (p->format.p[p->at++] - '0');
    }
    if (*ret > WIDTH_MAX || *ret < -WIDTH_MAX)
        return fail_format(p, "a width in a format is too large");
    return OK;
}

static enum status read_conversion(struct percent *p, struct conversion *c)
{
    enum status status = OK;
    *c = (struct conversion){.width = -1, .precision = -1};
    if (p->at < p->format.size && p->format.p[p->at] == '(')
        status = read_key(p, c);
    for (; !status && p->at < p->format.size; p->at++) {
        char flag = p->format.p[p->at];
        if (!strchr("-+ #0", flag) || !flag)
            break;
        c->left |= flag == '-';
        c->plus |= flag == '+';
        c->space |= flag == ' ';
        c->alternate |= flag == '#';
        c->zero |= flag == '0';
    }
    if (!status && p->at < p->format.size &&
        (p->format.p[p->at] == '*' || (p->format.p[p->at] >= '1' && p->format.p[p->at] <= '9')))
        status = read_number(p, &c->width);
    if (c->width < -1) {
        c->left = true;
        c->width = -c->width;
    }
    if (!status && p->at < p->format.size && p->format.p[p->at] == '.') {
        p->at++;
        status = read_number(p, &c->precision);
        if (c->precision < 0)
            c->precision = 0;
    }
    while (p->at < p->format.size && p->format.p[p->at] && strchr("hlL", p->format.p[p->at]))
        p->at++;
    if (status)
        return status;
    if (p->at >= p->format.size)
        return fail_format(p, "incomplete format");
    c->type = p->format.p[p->at++];
    return OK;
}

/* v in plain notation, as printf's %.*f; false when it has too many digits for the short way. */
static bool add_fixed(double v, int precision, struct strbuf *out)
{
    static const uint64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    enum { MANTISSA_BITS = 53, SHIFT_MAX = 120 };
    double size = fabs(v);
    int exponent;
    double fraction = frexp(size, &exponent);
    int shift = MANTISSA_BITS - exponent;
    if (precision >= (int)ARRAY_SIZE(powers) || size >= 1e12 || shift > SHIFT_MAX)
        return false;
    /* size = mantissa / 2^shift exactly; ties go to the even digit. */
    unsigned __int128 scaled = (uint64_t)ldexp(fraction, MANTISSA_BITS), half = 1;
    scaled *= powers[precision];
    half <<= shift - 1;
    uint64_t whole = (uint64_t)(scaled >> shift);
    unsigned __int128 rest = scaled - ((unsigned __int128)whole << shift);
    whole += rest > half || (rest == half && whole % 2 == 1);
    char digits[UINT64_TEXT_SIZE];
    if (signbit(v))
        strbuf_add_char(out, '-');
    strbuf_add(out, digits, format_uint64(whole / powers[precision], digits));
    if (precision == 0)
        return true;
    size_t count = format_uint64(whole % powers[precision], digits);
    strbuf_add_char(out, '.');
    strbuf_add_repeat(out, '0', (size_t)precision - count);
    strbuf_add(out, digits, count);
    return true;
}

void jinja_format_float(double v, char type, int precision, bool alternate, struct strbuf *out)
{
    char low = (char)(type | 32);
    bool upper = type != low;
    if (!isfinite(v)) {
        const char *word = isnan(v) ? "nan" : v < 0 ? "-inf" : "inf";
        for (; *word; word++)
            strbuf_add_char(out, upper && *word != '-' ? (char)(*word - 32) : *word);
        return;
    }
    if (low == 'f' && !alternate && add_fixed(v, precision, out))
        return;
    switch (type) {
    case 'e': strbuf_printf(out, alternate ? "%#.*e" : "%.*e", precision, v); break;
    case 'E': strbuf_printf(out, alternate ? "%#.*E" : "%.*E", precision, v); break;
    case 'g': strbuf_printf(out, alternate ? "%#.*g" : "%.*g", precision, v); break;
    case 'G': strbuf_printf(out, alternate ? "%#.*G" : "%.*G", precision, v); break;
    default: strbuf_printf(out, alternate ? "%#.*f" : "%.*f", precision, v); break;
    }
}

/* Digits with their sign, padded. */
static void add_number(
    struct percent *p, const struct conversion *c, const char *prefix, struct slice digits)
{
    bool negative = digits.size && digits.p[0] == '-';
    const char *sign = negative ? "-" : c->plus ? "+" : c->space ? " " : "";
    if (negative)
        digits = slice_make(digits.p + 1, digits.size - 1);
    size_t size = strlen(sign) + strlen(prefix) + digits.size;
    size_t pad = c->width > 0 && (size_t)c->width > size ? (size_t)c->width - size : 0;
    bool zeros = c->zero && !c->left;
    struct strbuf *out = &p->out.text;
    if (!c->left && !zeros)
        strbuf_add_repeat(out, ' ', pad);
    strbuf_add_str(out, sign);
    strbuf_add_str(out, prefix);
    if (zeros)
        strbuf_add_repeat(out, '0', pad);
    strbuf_add_slice(out, digits);
    if (c->left)
        strbuf_add_repeat(out, ' ', pad);
}

static enum status add_float(struct percent *p, const struct conversion *c, struct jinja_value v)
{
    if (!jinja_is_number(v))
        return error_set(
            p->err, ERR_TEMPLATE_TYPE, "must be real number, not %s", jinja_type_name(v));
    struct strbuf digits = {.arena = p->arena};
    int precision = c->precision < 0 ? 6 : (int)c->precision;
    jinja_format_float(jinja_number_of(v), c->type, precision, c->alternate, &digits);
    add_number(p, c, "", slice_make(strbuf_text(&digits), digits.size));
    strbuf_done(&digits);
    return OK;
}

static enum status add_integer(struct percent *p, const struct conversion *c, struct jinja_value v)
{
    int64_t integer;
    bool radix = c->type == 'x' || c->type == 'X' || c->type == 'o';
    if (v.kind == JINJA_FLOAT && !radix) {
        if (!jinja_float_to_int(v.real, &integer))
            return fail_format(p, "the float does not fit in 64 bits");
    } else if (!jinja_is_integer(v, &integer)) {
        return error_set(p->err, ERR_TEMPLATE_TYPE, "%%%c format: %s is required, not %s", c->type,
            radix ? "an integer" : "a real number", jinja_type_name(v));
    }
    uint64_t size = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    char digits[32] = "";
    switch (c->type) {
    case 'x': snprintf(digits, sizeof digits, "%llx", (unsigned long long)size); break;
    case 'X': snprintf(digits, sizeof digits, "%llX", (unsigned long long)size); break;
    case 'o': snprintf(digits, sizeof digits, "%llo", (unsigned long long)size); break;
    default: format_uint64(size, digits); break;
    }
    struct strbuf text = {.arena = p->arena};
    if (integer < 0)
        strbuf_add_char(&text, '-');
    if (c->precision > (int64_t)strlen(digits))
        strbuf_add_repeat(&text, '0', (size_t)c->precision - strlen(digits));
    strbuf_add_str(&text, digits);
    const char *prefix = !c->alternate    ? ""
                         : c->type == 'x' ? "0x"
                         : c->type == 'X' ? "0X"
                         : c->type == 'o' ? "0o"
                                          : "";
    add_number(p, c, prefix, slice_make(strbuf_text(&text), text.size));
    strbuf_done(&text);
    return OK;
}

/* Text of %s, %r, %a and %c, cut and padded in characters. */
static void add_text(struct percent *p, const struct conversion *c, struct jinja_value text)
{
    size_t end =
        c->precision >= 0 ? jinja_text_offset(jinja_text(text), (size_t)c->precision) : text.size;
    size_t length = jinja_text_length(slice_make(text.text, end));
    size_t pad = c->width > 0 && (size_t)c->width > length ? (size_t)c->width - length : 0;
    if (!c->left)
        strbuf_add_repeat(&p->out.text, ' ', pad);
    jinja_builder_add_part(&p->out, text, 0, end);
    if (c->left)
        strbuf_add_repeat(&p->out.text, ' ', pad);
}

void jinja_append_ascii(struct slice s, struct strbuf *out)
{
    for (size_t at = 0; at < s.size;) {
        uint32_t c = jinja_char_next(s, &at);
        if (c < 0x80)
            strbuf_add_char(out, (char)c);
        else
            strbuf_printf(out, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
    }
}

static enum status add_string(struct percent *p, const struct conversion *c, struct jinja_value v)
{
    struct strbuf text = {0};
    struct jinja_value string = v;
    enum status status = OK;
    if (c->type == 's' && v.kind != JINJA_STRING) {
        status = jinja_append_text(p->render, v, &text, p->err);
    } else if (c->type != 's') {
        status = jinja_append_repr(p->render, v, &text, p->err);
        if (!status && c->type == 'a') {
            struct strbuf ascii = {0};
            jinja_append_ascii(slice_make(strbuf_text(&text), text.size), &ascii);
            strbuf_done(&text);
            text = ascii;
        }
    }
    if (status) {
        strbuf_done(&text);
        return status;
    }
    if (c->type != 's' || v.kind != JINJA_STRING)
        string = jinja_mark(jinja_take_text(p->arena, &text), v.marks & JINJA_SPREADING_MARKS);
    if (p->safe && !(string.marks & JINJA_SAFE)) {
        struct strbuf escaped = {0};
        jinja_escape_html(jinja_text(string), &escaped);
        string = jinja_mark(jinja_take_text(p->arena, &escaped), string.marks);
    }
    add_text(p, c, string);
    return OK;
}

static enum status add_character(
    struct percent *p, const struct conversion *c, struct jinja_value v)
{
    int64_t code;
    if (v.kind == JINJA_STRING && jinja_text_length(jinja_text(v)) == 1) {
        add_text(p, c, v);
        return OK;
    }
    if (!jinja_is_integer(v, &code))
        return error_set(p->err, ERR_TEMPLATE_TYPE, "%%c requires int or char");
    if (code < 0 || code > 0x10FFFF)
        return fail_format(p, "%c arg not in range(0x110000)");
    struct strbuf text = {0};
    strbuf_add_utf8(&text, (uint32_t)code);
    add_text(p, c, jinja_take_text(p->arena, &text));
    return OK;
}

static enum status add_conversion(struct percent *p, const struct conversion *c)
{
    struct jinja_value v;
    enum status status = OK;
    if (c->type == '%') {
        strbuf_add_char(&p->out.text, '%');
        return OK;
    }
    if (c->has_key) {
        if (p->args.kind != JINJA_MAPPING)
            return error_set(p->err, ERR_TEMPLATE_TYPE, "format requires a mapping");
        v = jinja_mapping_get_value(p->args, jinja_slice(c->key));
        if (jinja_is_absent(v))
            return error_set(p->err, ERR_TEMPLATE_VALUE, "the format's key '%.*s' is not there",
                SLICE_ARG(c->key));
    } else {
        status = next_argument(p, &v);
    }
    if (!status && v.kind == JINJA_UNDEFINED && !strchr("ra", c->type))
        status = strchr("s", c->type) ? jinja_check_defined(p->render, v, p->err)
                                      : jinja_undefined_error(p->render, v, p->err);
    if (status)
        return status;
    p->out.marks |= v.marks & JINJA_SPREADING_MARKS;
    switch (c->type) {
    case 's':
    case 'r':
    case 'a': return add_string(p, c, v);
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o': return add_integer(p, c, v);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': return add_float(p, c, v);
    case 'c': return add_character(p, c, v);
    default:
        return error_set(p->err, ERR_TEMPLATE_VALUE, "unsupported format character '%c'", c->type);
    }
}

/* Python takes what has items for names' values, of which some may be left. */
static bool has_items(struct jinja_value v)
{
    return v.kind == JINJA_MAPPING || v.kind == JINJA_LIST || v.kind == JINJA_UNDEFINED ||
           (v.kind == JINJA_OBJECT && (v.object->class->item || v.object->class->slice));
}

static enum status format_all(struct percent *p, struct jinja_value format)
{
    enum status status = OK;
    while (!status && p->at < p->format.size) {
        const char *percent = memchr(p->format.p + p->at, '%', p->format.size - p->at);
        size_t end = percent ? (size_t)(percent - p->format.p) : p->format.size;
        jinja_builder_add_part(&p->out, format, p->at, end - p->at);
        p->at = end;
        if (!percent)
            break;
        struct conversion c;
        p->at++;
        status = read_conversion(p, &c);
        if (!status)
            status = add_conversion(p, &c);
        if (!status)
            status = jinja_check_size(p->render, p->out.text.size, p->err);
    }
    if (status)
        return status;
    bool all = p->args.kind == JINJA_TUPLE ? p->next >= p->args.list->count
                                           : p->next > 0 || has_items(p->args);
    if (!all)
        return error_set(
            p->err, ERR_TEMPLATE_TYPE, "not all arguments converted during string formatting");
    return OK;
}

enum status jinja_format_percent(struct jinja_render *render, struct arena *arena,
    struct jinja_value format, struct jinja_value args, struct jinja_value *ret, struct error *err)
{
    struct percent p = {.render = render,
        .arena = arena,
        .format = jinja_text(format),
        .args = args,
        .safe = format.marks & JINJA_SAFE,
        .out.text.arena = arena,
        .err = err};
    enum status status = format_all(&p, format);
    if (status)
        jinja_builder_done(&p.out);
    else
        *ret = jinja_mark(jinja_builder_end(&p.out, arena), p.safe ? JINJA_SAFE : 0);
    return status;
}
