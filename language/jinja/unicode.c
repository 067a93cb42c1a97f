#include "language/jinja/unicode.h"

struct unicode_range {
    uint32_t first, last;
};
/* Code points first, first + step … last map to themselves plus delta. */
struct unicode_run {
    uint32_t first, last;
    uint32_t step;
    int32_t delta;
};
struct unicode_many {
    uint32_t from;
    uint32_t to[3];
};

#include "language/jinja/unicode_table.h"

/* A name of Unicode in capitals, and its character. */
struct character_name {
    const char *name;
    uint32_t code;
};
#include "language/jinja/character_names.h"

/* The range that has `c`, or NULL. */
static const struct unicode_range *find_range(
    uint32_t c, const struct unicode_range *ranges, size_t count)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c > ranges[middle].last)
            low = middle + 1;
        else if (c < ranges[middle].first)
            high = middle;
        else
            return &ranges[middle];
    }
    return NULL;
}

#define FIND(table, c) find_range((c), (table), ARRAY_SIZE(table))
#define IN(table, c) (FIND(table, c) != NULL)

bool jinja_char_is_space(uint32_t c)
{
    if (c < 0x80)
        return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F);
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool jinja_char_is_alpha(uint32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return IN(unicode_alpha, c);
}

bool jinja_char_is_decimal(uint32_t c)
{
    return c < 0x80 ? c >= '0' && c <= '9' : IN(unicode_decimal, c);
}

int jinja_char_decimal(uint32_t c)
{
    /* Decimal digits come in tens. */
    const struct unicode_range *range = FIND(unicode_decimal, c);
    return range ? (int)((c - range->first) % 10) : -1;
}

bool jinja_char_is_digit(uint32_t c)
{
    return c < 0x80 ? c >= '0' && c <= '9' : IN(unicode_digit, c);
}

bool jinja_char_is_numeric(uint32_t c)
{
    return c < 0x80 ? c >= '0' && c <= '9' : IN(unicode_numeric, c);
}

bool jinja_char_is_lower(uint32_t c)
{
    return c < 0x80 ? c >= 'a' && c <= 'z' : IN(unicode_lower, c);
}

bool jinja_char_is_upper(uint32_t c)
{
    return c < 0x80 ? c >= 'A' && c <= 'Z' : IN(unicode_upper, c);
}

bool jinja_char_is_title(uint32_t c)
{
    return c >= 0x80 && IN(unicode_title, c);
}

bool jinja_char_is_printable(uint32_t c)
{
    return c < 0x7F ? c >= ' ' : !IN(unicode_unprintable, c);
}

bool jinja_char_is_word(uint32_t c)
{
    return jinja_char_is_alpha(c) || jinja_char_is_numeric(c);
}

bool jinja_char_is_cased(uint32_t c)
{
    return jinja_char_is_lower(c) || jinja_char_is_upper(c) || jinja_char_is_title(c);
}

struct case_table {
    const struct unicode_run *runs;
    size_t run_count;
    const struct unicode_many *many;
    size_t many_count;
};
#define CASE_TABLE(name)                                                                           \
    {                                                                                              \
        name##_runs, ARRAY_SIZE(name##_runs), name##_many, ARRAY_SIZE(name##_many)                 \
    }
static const struct case_table lower_table = CASE_TABLE(unicode_to_lower);
static const struct case_table upper_table = CASE_TABLE(unicode_to_upper);
static const struct case_table title_table = CASE_TABLE(unicode_to_title);
static const struct case_table fold_table = CASE_TABLE(unicode_to_fold);

static uint32_t run_map(const struct case_table *table, uint32_t c)
{
    size_t low = 0, high = table->run_count;
    /* The last run that starts at or before c; runs of step 2 may interleave by one place. */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (table->runs[middle].first <= c)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = low; i > 0 && i + 2 > low; i--) {
        const struct unicode_run *run = &table->runs[i - 1];
        if (c <= run->last && (c - run->first) % run->step == 0)
            return (uint32_t)((int64_t)c + run->delta);
    }
    return c;
}

static void add_mapped(const struct case_table *table, uint32_t c, struct strbuf *out)
{
    size_t low = 0, high = table->many_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (table->many[middle].from < c)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < table->many_count && table->many[low].from == c) {
        for (size_t i = 0; i < 3 && table->many[low].to[i]; i++)
            strbuf_add_utf8(out, table->many[low].to[i]);
        return;
    }
    strbuf_add_utf8(out, run_map(table, c));
}

uint32_t jinja_char_next(struct slice s, size_t *at)
{
    unsigned char first = (unsigned char)s.p[*at];
    if (first < 0x80) {
        (*at)++;
        return first;
    }
    uint32_t c = 0;
    size_t size = utf8_decode(s.p + *at, s.size - *at, &c);
    if (size == 0) {
        (*at)++;
        return 0xFFFD;
    }
    *at += size;
    return c;
}

uint32_t jinja_char_previous(struct slice s, size_t *at)
{
    size_t start = *at - 1;
    while (start > 0 && *at - start < 4 && ((unsigned char)s.p[start] & 0xC0) == 0x80)
        start--;
    size_t end = start;
    uint32_t c = jinja_char_next(s, &end);
    *at = end == *at ? start : *at - 1;
    return c;
}

size_t jinja_text_length(struct slice s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.size; i++)
        count += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return count;
}

size_t jinja_text_offset(struct slice s, size_t index)
{
    size_t at = 0;
    while (at < s.size && index > 0) {
        at++;
        while (at < s.size && ((unsigned char)s.p[at] & 0xC0) == 0x80)
            at++;
        index--;
    }
    return at;
}

struct slice jinja_text_strip(struct slice s, bool left, bool right)
{
    size_t start = 0, end = s.size;
    while (left && start < end) {
        size_t next = start;
        if (!jinja_char_is_space(jinja_char_next(slice_make(s.p, end), &next)))
            break;
        start = next;
    }
    while (right && end > start) {
        size_t previous = end;
        if (!jinja_char_is_space(jinja_char_previous(s, &previous)))
            break;
        end = previous;
    }
    return slice_make(s.p + start, end - start);
}

/* Python's rule: a sigma ends a word when a cased letter is before it and none behind, letters
   that cannot have case (apostrophes, accents) not counting. */
static bool is_final_sigma(struct slice s, size_t start, size_t end)
{
    bool before = false;
    for (size_t at = start; at > 0;) {
        uint32_t c = jinja_char_previous(s, &at);
        if (IN(unicode_case_ignorable, c))
            continue;
        before = jinja_char_is_cased(c);
        break;
    }
    if (!before)
        return false;
    for (size_t at = end; at < s.size;) {
        uint32_t c = jinja_char_next(s, &at);
        if (!IN(unicode_case_ignorable, c))
            return !jinja_char_is_cased(c);
    }
    return true;
}

static void add_lower(struct slice s, size_t start, size_t end, uint32_t c, struct strbuf *out)
{
    if (c < 0x80)
        strbuf_add_char(out, c >= 'A' && c <= 'Z' ? (char)(c + 32) : (char)c);
    else if (c == 0x3A3)
        strbuf_add_utf8(out, is_final_sigma(s, start, end) ? 0x3C2 : 0x3C3);
    else
        add_mapped(&lower_table, c, out);
}

void jinja_text_lower(struct slice s, struct strbuf *out)
{
    for (size_t at = 0; at < s.size;) {
        size_t start = at;
        uint32_t c = jinja_char_next(s, &at);
        add_lower(s, start, at, c, out);
    }
}

void jinja_text_upper(struct slice s, struct strbuf *out)
{
    for (size_t at = 0; at < s.size;) {
        uint32_t c = jinja_char_next(s, &at);
        if (c < 0x80)
            strbuf_add_char(out, c >= 'a' && c <= 'z' ? (char)(c - 32) : (char)c);
        else
            add_mapped(&upper_table, c, out);
    }
}

void jinja_text_fold(struct slice s, struct strbuf *out)
{
    for (size_t at = 0; at < s.size;) {
        uint32_t c = jinja_char_next(s, &at);
        add_mapped(&fold_table, c, out);
    }
}

void jinja_text_title(struct slice s, struct strbuf *out)
{
    bool inside = false;
    for (size_t at = 0; at < s.size;) {
        size_t start = at;
        uint32_t c = jinja_char_next(s, &at);
        if (inside)
            add_lower(s, start, at, c, out);
        else
            add_mapped(&title_table, c, out);
        inside = jinja_char_is_cased(c);
    }
}

void jinja_text_capitalize(struct slice s, struct strbuf *out)
{
    for (size_t at = 0; at < s.size;) {
        size_t start = at;
        uint32_t c = jinja_char_next(s, &at);
        if (start == 0)
            add_mapped(&title_table, c, out);
        else
            add_lower(s, start, at, c, out);
    }
}

void jinja_text_swapcase(struct slice s, struct strbuf *out)
{
    for (size_t at = 0; at < s.size;) {
        size_t start = at;
        uint32_t c = jinja_char_next(s, &at);
        if (jinja_char_is_upper(c))
            add_lower(s, start, at, c, out);
        else if (jinja_char_is_lower(c))
            add_mapped(&upper_table, c, out);
        else
            strbuf_add_utf8(out, c);
    }
}

static int compare_name(const void *key, const void *row)
{
    return strcmp(key, ((const struct character_name *)row)->name);
}

bool jinja_char_by_name(struct slice name, uint32_t *ret)
{
    char key[64] = {0};
    if (name.size >= sizeof key)
        return false;
    for (size_t i = 0; i < name.size; i++)
        key[i] = name.p[i] >= 'a' && name.p[i] <= 'z' ? (char)(name.p[i] - 'a' + 'A') : name.p[i];
    const struct character_name *found = bsearch(
        key, character_names, ARRAY_SIZE(character_names), sizeof character_names[0], compare_name);
    if (found)
        *ret = found->code;
    return found != NULL;
}
