#include <assert.h>
#include <stdio.h>
#include "base/string.h"

enum { STRBUF_CAPACITY_MIN = 64 };

int slice_compare(struct slice a, struct slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common ? memcmp(a.p, b.p, common) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct slice slice_trim(struct slice s)
{
    while (s.size && is_space(s.p[0]))
        s = slice_make(s.p + 1, s.size - 1);
    while (s.size && is_space(s.p[s.size - 1]))
        s.size--;
    return s;
}

bool str_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
    size_t size = strlen(s), tail = strlen(suffix);
    return size >= tail && memcmp(s + size - tail, suffix, tail) == 0;
}

void strbuf_done(struct strbuf *buf)
{
    if (!buf->arena)
        mem_free(buf->text);
    buf->text = NULL;
    buf->size = buf->capacity = 0;
    buf->over = false;
}

void strbuf_clear(struct strbuf *buf)
{
    buf->size = 0;
    buf->over = false;
    if (buf->text)
        buf->text[0] = '\0';
}

const char *strbuf_text(const struct strbuf *buf)
{
    return buf->text ? buf->text : "";
}

/* Room for `size` more bytes and the NUL, less where the limit says so: the room there is. */
static size_t strbuf_room(struct strbuf *buf, size_t size)
{
    if (buf->limit && size > buf->limit - buf->size) {
        buf->over = true;
        size = buf->limit - buf->size;
    }
    size_t needed = buf->size + size + 1;
    assert(needed > buf->size);
    if (needed > buf->capacity) {
        size_t grown = buf->capacity ? buf->capacity * 2 : STRBUF_CAPACITY_MIN;
        if (grown < needed)
            grown = needed;
        if (buf->limit && grown > buf->limit + 1)
            grown = buf->limit + 1;
        buf->text = buf->arena ? arena_resize(buf->arena, buf->text, buf->capacity, grown)
                               : mem_realloc(buf->text, grown);
        buf->capacity = grown;
    }
    return size;
}

void strbuf_reserve(struct strbuf *buf, size_t size)
{
    if (size > buf->size && (!buf->limit || size <= buf->limit))
        strbuf_room(buf, size - buf->size);
}

void strbuf_add_slowly_(struct strbuf *buf, const char *p, size_t size)
{
    size = strbuf_room(buf, size);
    if (size)
        memcpy(buf->text + buf->size, p, size);
    buf->size += size;
    buf->text[buf->size] = '\0';
}

void strbuf_add_repeat(struct strbuf *buf, char c, size_t count)
{
    count = strbuf_room(buf, count);
    memset(buf->text + buf->size, c, count);
    buf->size += count;
    buf->text[buf->size] = '\0';
}

void strbuf_vprintf(struct strbuf *buf, const char *format, va_list args)
{
    char small[256];
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(small, sizeof small, format, again);
    va_end(again);
    assert(size >= 0);
    if ((size_t)size < sizeof small) {
        strbuf_add(buf, small, (size_t)size);
        return;
    }
    char *large = mem_alloc((size_t)size + 1);
    vsnprintf(large, (size_t)size + 1, format, args);
    strbuf_add(buf, large, (size_t)size);
    mem_free(large);
}

void strbuf_printf(struct strbuf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    strbuf_vprintf(buf, format, args);
    va_end(args);
}

char *strbuf_to_arena(const struct strbuf *buf, struct arena *arena)
{
    return arena_strndup(arena, strbuf_text(buf), buf->size);
}

struct slice strbuf_finish(struct strbuf *buf, struct arena *arena)
{
    struct slice text = slice_make("", 0);
    if (!buf->arena || buf->arena != arena || !buf->text) {
        if (buf->size)
            text = slice_make(strbuf_to_arena(buf, arena), buf->size);
        strbuf_done(buf);
        return text;
    }
    /* What is left of a small buffer is not worth giving back. */
    text = slice_make(buf->text, buf->size);
    if (buf->capacity > STRBUF_CAPACITY_MIN)
        arena_resize(arena, buf->text, buf->capacity, buf->size + 1);
    buf->text = NULL;
    buf->size = buf->capacity = 0;
    return text;
}

char *strbuf_take(struct strbuf *buf)
{
    assert(!buf->arena);
    char *text = buf->text ? buf->text : mem_strdup("");
    buf->text = NULL;
    buf->size = buf->capacity = 0;
    buf->over = false;
    return text;
}
