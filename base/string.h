/*
 * Text: slices that own nothing, growing buffers with a ceiling, and small helpers.
 *
 * Text is UTF-8 everywhere.  A `struct slice` points into somebody else's bytes (which need not end
 * with NUL); a `struct strbuf` owns its bytes and keeps a NUL behind them.
 */
#ifndef BASE_STRING_H
#define BASE_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "base/memory.h"

struct slice {
    const char *p;
    size_t size; /* bytes */
};

/* For printf: printf("%.*s", SLICE_ARG(s)) */
#define SLICE_ARG(s) (int)(s).size, (s).p

static inline struct slice slice_of(const char *s)
{
    return (struct slice){s, s ? strlen(s) : 0};
}
static inline struct slice slice_make(const char *p, size_t size)
{
    return (struct slice){p, size};
}
static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.p, b.p, a.size) == 0);
}
static inline bool slice_equal_str(struct slice a, const char *b)
{
    return slice_equal(a, slice_of(b));
}
int slice_compare(struct slice a, struct slice b);
/* Without ASCII white space at both ends. */
struct slice slice_trim(struct slice s);

bool str_equal(const char *a, const char *b); /* NULL equals only NULL */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* A growing buffer.  `{0}` is an empty one on the heap, which strbuf_done frees; `{.arena = arena}`
   one in an arena.  `text` is NULL until written to; strbuf_text never is. */
struct strbuf {
    char *text;
    size_t size;     /* bytes in use, without the NUL */
    size_t capacity; /* bytes allocated; with a limit at most that and the NUL */
    size_t limit;    /* ceiling in bytes, 0 = none; what goes over it is dropped and `over` set */
    bool over;
    struct arena *arena; /* NULL: the heap */
};

void strbuf_done(struct strbuf *buf);
void strbuf_clear(struct strbuf *buf);
/* Makes room for `size` bytes in all, so that adding them does not allocate. */
void strbuf_reserve(struct strbuf *buf, size_t size);
const char *strbuf_text(const struct strbuf *buf);
void strbuf_add_slowly_(struct strbuf *buf, const char *p, size_t size);
static inline void strbuf_add(struct strbuf *buf, const char *p, size_t size)
{
    if (size >= buf->capacity - buf->size) {
        strbuf_add_slowly_(buf, p, size);
        return;
    }
    if (size)
        memcpy(buf->text + buf->size, p, size);
    buf->size += size;
    buf->text[buf->size] = '\0';
}
static inline void strbuf_add_str(struct strbuf *buf, const char *s)
{
    strbuf_add(buf, s, strlen(s));
}
static inline void strbuf_add_slice(struct strbuf *buf, struct slice s)
{
    strbuf_add(buf, s.p, s.size);
}
static inline void strbuf_add_char(struct strbuf *buf, char c)
{
    strbuf_add(buf, &c, 1);
}
void strbuf_add_repeat(struct strbuf *buf, char c, size_t count);
void strbuf_printf(struct strbuf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void strbuf_vprintf(struct strbuf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
/* Adds the code point as UTF-8 (an invalid one as U+FFFD). */
void strbuf_add_utf8(struct strbuf *buf, uint32_t code_point);
/* The text as an arena copy. */
char *strbuf_to_arena(const struct strbuf *buf, struct arena *arena);
/* Hands the heap text over to the caller (mem_free) and leaves the buffer empty. */
char *strbuf_take(struct strbuf *buf);
/* The finished text, NUL-terminated, in `arena`: of a buffer in that arena without a copy.  Leaves
   the buffer empty. */
struct slice strbuf_finish(struct strbuf *buf, struct arena *arena);

/* Decodes one code point at p[0..size); returns its length in bytes, 0 when the bytes are not valid
   UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF). */
size_t utf8_decode(const char *p, size_t size, uint32_t *ret_code_point);
/* True when all of the text is valid UTF-8; else *ret_offset (may be NULL) is the first bad byte.
 */
bool utf8_valid(const char *p, size_t size, size_t *ret_offset);
/* Code points in valid UTF-8. */
size_t utf8_length(const char *p, size_t size);
/* Display columns (wide characters two, combining ones none). */
size_t utf8_width(const char *p, size_t size);

/* Line and column (both from 1; columns count code points) of a byte offset in a text, and that
   line's text without its line end. */
struct text_position {
    uint32_t line, column;
    struct slice text;
};
struct text_position text_locate(const char *text, size_t size, size_t offset);

/* The candidate nearest to `word` in edit distance, NULL when none is near enough to suggest. */
const char *suggest(const char *word, const char *const *candidates, size_t count);

/* Shell-style match of * ? [..] on whole strings. */
bool glob_match(const char *pattern, const char *s);

/* Decimal text to number; false on anything else than a whole, in-range number. */
bool parse_int64(struct slice s, int64_t *ret);
bool parse_double(struct slice s, double *ret);
enum { UINT64_TEXT_SIZE = 20 };
/* Decimal digits, without NUL; returns how many. */
size_t format_uint64(uint64_t v, char ret[UINT64_TEXT_SIZE]);
/* Shortest text that reads back as the same double, as Python's repr: "1e-05", "0.1", "1e+16",
   "inf", "nan"; always with ".0" when it would look whole. */
void format_double(double v, char ret[32]);

#endif
