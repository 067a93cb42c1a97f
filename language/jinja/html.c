/*
 * HTML as text: character references and tags, as Python's html.unescape and markupsafe's striptags
 * take them.
 */
#include "language/jinja/runtime.h"
#include "language/jinja/unicode.h"

struct entity {
    const char *name; /* without "&"; most end with ";" */
    uint32_t text[2]; /* the second is 0 in most */
};

#include "language/jinja/html_entities.h"

enum { NAME_MAX_SIZE = 32 };

static int compare_entity(const void *key, const void *entity)
{
    const struct slice *name = key;
    const char *other = ((const struct entity *)entity)->name;
    size_t size = strlen(other);
    int order = memcmp(name->p, other, name->size < size ? name->size : size);
    return order ? order : (name->size > size) - (name->size < size);
}

static const struct entity *find_entity(struct slice name)
{
    return bsearch(&name, entities, ARRAY_SIZE(entities), sizeof *entities, compare_entity);
}

/* What a number stands for, as HTML 5 repairs it; false: nothing. */
static bool character_of(uint64_t number, uint32_t *ret)
{
    static const uint16_t windows[] = {0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
        0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C,
        0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E,
        0x0178};
    *ret = (uint32_t)number;
    if (number >= 0x80 && number <= 0x9F)
        *ret = windows[number - 0x80];
    else if (number == 0 || number > 0x10FFFF || (number >= 0xD800 && number <= 0xDFFF))
        *ret = 0xFFFD;
    else if (number < 9 || number == 0xB || (number >= 0xE && number < 0x20) || number == 0x7F ||
             (number >= 0xFDD0 && number <= 0xFDEF) || (number & 0xFFFE) == 0xFFFE)
        return false;
    return true;
}

/* `#123;` or `#x7B;` at *at, which is moved behind it; false when there is none. */
static bool add_number(struct slice s, size_t *at, struct strbuf *out)
{
    size_t i = *at + 1;
    bool hexadecimal = i < s.size && (s.p[i] | 32) == 'x';
    size_t start = i += hexadecimal;
    uint64_t number = 0;
    uint32_t c;
    for (; i < s.size; i++) {
        char digit = s.p[i], letter = (char)(digit | 32);
        unsigned value;
        if (digit >= '0' && digit <= '9')
            value = (unsigned)(digit - '0');
        else if (hexadecimal && letter >= 'a' && letter <= 'f')
            value = (unsigned)(letter - 'a' + 10);
        else
            break;
        if (number <= 0x10FFFF)
            number = number * (hexadecimal ? 16 : 10) + value;
    }
    if (i == start)
        return false;
    if (character_of(number, &c))
        strbuf_add_utf8(out, c);
    *at = i + (i < s.size && s.p[i] == ';');
    return true;
}

/* A name at *at, or the longest start of it that is one; at least its first character is taken. */
static void add_name(struct slice s, size_t *at, struct strbuf *out)
{
    size_t start = *at, end = start, chars = 0;
    while (end < s.size && chars++ < NAME_MAX_SIZE && s.p[end] && !strchr("\t\n\f <&#;", s.p[end]))
        jinja_char_next(s, &end);
    if (end > start && end < s.size && s.p[end] == ';')
        end++;
    /* A name that is not there as a whole has at least two characters. */
    for (size_t stop = end; stop > start + 1; stop--) {
        const struct entity *entity = find_entity(slice_make(s.p + start, stop - start));
        if (!entity)
            continue;
        strbuf_add_utf8(out, entity->text[0]);
        if (entity->text[1])
            strbuf_add_utf8(out, entity->text[1]);
        *at = stop;
        return;
    }
    strbuf_add_char(out, '&');
}

void jinja_unescape_html(struct slice s, struct strbuf *out)
{
    for (size_t at = 0; at < s.size;) {
        const char *reference = memchr(s.p + at, '&', s.size - at);
        size_t end = reference ? (size_t)(reference - s.p) : s.size;
        strbuf_add(out, s.p + at, end - at);
        at = end + 1;
        if (!reference)
            break;
        if (at >= s.size || s.p[at] != '#')
            add_name(s, &at, out);
        else if (!add_number(s, &at, out))
            strbuf_add_char(out, '&');
    }
}

/* Cuts from each `open` to the next `close` behind it; an open one without end stays. */
static struct slice cut_between(
    struct arena *arena, struct slice s, const char *open, const char *close)
{
    struct strbuf out = {0};
    size_t at = 0;
    for (;;) {
        const char *start = memmem(s.p + at, s.size - at, open, strlen(open));
        const char *end = NULL;
        if (start)
            end = memmem(start, (size_t)(s.p + s.size - start), close, strlen(close));
        if (!end)
            break;
        strbuf_add(&out, s.p + at, (size_t)(start - s.p) - at);
        at = (size_t)(end - s.p) + strlen(close);
    }
    strbuf_add(&out, s.p + at, s.size - at);
    struct slice kept = slice_make(strbuf_to_arena(&out, arena), out.size);
    strbuf_done(&out);
    return kept;
}

void jinja_strip_tags(struct arena *arena, struct slice s, struct strbuf *out)
{
    s = cut_between(arena, s, "<!--", "-->");
    s = cut_between(arena, s, "<", ">");
    struct strbuf joined = {0};
    bool space = false;
    for (size_t at = 0; at < s.size;) {
        size_t start = at;
        if (jinja_char_is_space(jinja_char_next(s, &at))) {
            space = joined.size > 0;
            continue;
        }
        if (space)
            strbuf_add_char(&joined, ' ');
        space = false;
        strbuf_add(&joined, s.p + start, at - start);
    }
    jinja_unescape_html(slice_make(strbuf_text(&joined), joined.size), out);
    strbuf_done(&joined);
}

static enum status markup_unescape(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct strbuf out = {0};
    jinja_unescape_html(jinja_text(call->self), &out);
    *ret = jinja_take_text(call->arena, &out);
    return jinja_arguments(call, NULL, 0, 0, NULL, err);
}

static enum status markup_striptags(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct strbuf out = {0};
    jinja_strip_tags(call->arena, jinja_text(call->self), &out);
    *ret = jinja_take_text(call->arena, &out);
    return jinja_arguments(call, NULL, 0, 0, NULL, err);
}

const struct jinja_method jinja_markup_methods[] = {
    {"striptags", markup_striptags}, {"unescape", markup_unescape}, {NULL, NULL}};
