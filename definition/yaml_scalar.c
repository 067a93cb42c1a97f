/* Scalars: their type by the core schema, and where their content stands. */
#include "definition/yaml_internal.h"
#include <math.h>

static bool is_one_of(struct slice s, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal_str(s, words[i]))
            return true;
    return false;
}

static size_t count_digits(struct slice s, size_t at)
{
    size_t start = at;
    while (at < s.size && s.p[at] >= '0' && s.p[at] <= '9')
        at++;
    return at - start;
}

static bool resolve_based_integer(struct slice s, int64_t *ret)
{
    if (s.size < 3 || s.size > 18 || s.p[0] != '0' || (s.p[1] != 'x' && s.p[1] != 'o'))
        return false;
    unsigned base = s.p[1] == 'x' ? 16 : 8;
    uint64_t value = 0;
    for (size_t i = 2; i < s.size; i++) {
        char c = s.p[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 99;
        if (digit >= base || value > (uint64_t)INT64_MAX / base - 1)
            return false;
        value = value * base + digit;
    }
    *ret = (int64_t)value;
    return true;
}

/* [-+]? ( \. digits | digits ( \. digits? )? ) ( [eE] [-+]? digits )? */
static bool is_number(struct slice s, bool *ret_whole)
{
    size_t at = s.size && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
    size_t whole = count_digits(s, at), fraction = 0;
    at += whole;
    *ret_whole = whole > 0 && at == s.size;
    if (at < s.size && s.p[at] == '.') {
        fraction = count_digits(s, at + 1);
        at += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (at < s.size && (s.p[at] == 'e' || s.p[at] == 'E')) {
        at++;
        if (at < s.size && (s.p[at] == '-' || s.p[at] == '+'))
            at++;
        size_t exponent = count_digits(s, at);
        if (exponent == 0)
            return false;
        at += exponent;
    }
    return at == s.size;
}

static bool resolve_special_float(struct slice s, double *ret)
{
    static const char *const nans[] = {".nan", ".NaN", ".NAN"};
    static const char *const infinities[] = {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"};
    static const char *const minus[] = {"-.inf", "-.Inf", "-.INF"};
    if (is_one_of(s, nans, ARRAY_SIZE(nans)))
        *ret = NAN;
    else if (is_one_of(s, infinities, ARRAY_SIZE(infinities)))
        *ret = INFINITY;
    else if (is_one_of(s, minus, ARRAY_SIZE(minus)))
        *ret = -INFINITY;
    else
        return false;
    return true;
}

static bool resolve_integer(struct slice s, bool whole, int64_t *ret)
{
    if (whole && s.p[0] == '+')
        s = slice_make(s.p + 1, s.size - 1);
    return whole ? parse_int64(s, ret) : resolve_based_integer(s, ret);
}

static enum yaml_type resolve_number(struct yaml_node *node)
{
    struct slice s = node->value;
    bool whole = false;
    bool number = is_number(s, &whole);
    if (resolve_integer(s, whole, &node->integer)) {
        node->real = (double)node->integer;
        return YAML_INT;
    }
    if (resolve_special_float(s, &node->real))
        return YAML_FLOAT;
    struct slice unsigned_part = s.size && s.p[0] == '+' ? slice_make(s.p + 1, s.size - 1) : s;
    if (number && parse_double(unsigned_part, &node->real))
        return YAML_FLOAT;
    return YAML_TEXT;
}

void yaml_resolve(struct yaml_node *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    static const char *const trues[] = {"true", "True", "TRUE"};
    static const char *const falses[] = {"false", "False", "FALSE"};
    node->boolean = false;
    if (node->style != YAML_PLAIN)
        node->type = YAML_TEXT;
    else if (is_one_of(node->value, nulls, ARRAY_SIZE(nulls)))
        node->type = YAML_NULL;
    else if (is_one_of(node->value, trues, ARRAY_SIZE(trues)))
        node->type = YAML_BOOL, node->boolean = true;
    else if (is_one_of(node->value, falses, ARRAY_SIZE(falses)))
        node->type = YAML_BOOL;
    else
        node->type = resolve_number(node);
}

/* ---- where the content stands ---- */

/* The first line of a block scalar's content that is not blank tells how far the file indents it:
   what it has more at its start than the value has on the same line. */
static uint32_t find_indent(struct slice source, size_t at, struct slice value)
{
    size_t value_at = 0;
    while (at < source.size) {
        size_t spaces = 0, value_spaces = 0;
        while (at + spaces < source.size && source.p[at + spaces] == ' ')
            spaces++;
        while (value_at + value_spaces < value.size && value.p[value_at + value_spaces] == ' ')
            value_spaces++;
        char c = at + spaces < source.size ? source.p[at + spaces] : '\0';
        if (c != '\n' && c != '\r')
            return spaces >= value_spaces ? (uint32_t)(spaces - value_spaces) : 0;
        const char *end = memchr(source.p + at, '\n', source.size - at);
        const char *value_end =
            value_at < value.size ? memchr(value.p + value_at, '\n', value.size - value_at) : NULL;
        if (!end || !value_end)
            return 0;
        at = (size_t)(end - source.p) + 1;
        value_at = (size_t)(value_end - value.p) + 1;
    }
    return 0;
}

static void place_block(struct yaml_node *node, struct slice source)
{
    const char *header_end = memchr(source.p + node->offset, '\n', source.size - node->offset);
    if (!header_end)
        return;
    node->text.line = node->line + 1;
    node->text.indent = find_indent(source, (size_t)(header_end - source.p) + 1, node->value);
    node->text.column = node->text.indent + 1;
    node->text.exact = node->style == YAML_LITERAL;
}

void yaml_place_text(struct yaml_node *node)
{
    struct slice source = node->source->text;
    node->text = (struct text){.value = node->value.p, .line = node->line, .column = node->column};
    if (node->style == YAML_LITERAL || node->style == YAML_FOLDED) {
        place_block(node, source);
        return;
    }
    size_t content = node->offset + (node->style == YAML_PLAIN ? 0 : 1);
    node->text.column += node->style == YAML_PLAIN ? 0 : 1;
    /* Escapes and folded lines make the value differ from what stands there. */
    node->text.exact = content + node->value.size <= source.size &&
                       memcmp(source.p + content, node->value.p, node->value.size) == 0;
}
