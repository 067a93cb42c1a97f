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
bool slice_equal(struct slice a, struct slice b);
bool slice_equal_str(struct slice a, const char *b);
int slice_compare(struct slice a, struct slice b);
/* Without ASCII white space at both ends. */
struct slice slice_trim(struct slice s);

bool str_equal(const char *a, const char *b); /* NULL equals only NULL */
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* A growing buffer.  `{0}` is an empty one; strbuf_done frees it.  `text` is NULL until written to;
   strbuf_text never is. */
struct strbuf {
    char *text;
    size_t size;     /* bytes in use, without the NUL */
    size_t capacity; /* bytes allocated */
    size_t limit;    /* ceiling in bytes, 0 = none; what goes over it is dropped and `over` set */
    bool over;
};

void strbuf_done(struct strbuf *buf);
void strbuf_clear(struct strbuf *buf);
const char *strbuf_text(const struct strbuf *buf);
void strbuf_add(struct strbuf *buf, const char *p, size_t size);
void strbuf_add_str(struct strbuf *buf, const char *s);
void strbuf_add_slice(struct strbuf *buf, struct slice s);
void strbuf_add_char(struct strbuf *buf, char c);
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
/* Shortest text that reads back as the same double, as Python's repr: "1e-05", "0.1", "1e+16",
   "inf", "nan"; always with ".0" when it would look whole. */
void format_double(double v, char ret[32]);

#endif
