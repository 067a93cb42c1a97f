/*
 * Writing HTML.  What is not a literal of the program is escaped, by construction: html() takes
 * string literals only, and html_printf() escapes every %s, so that the same call is right for text
 * and for quoted attributes.
 *
 * Text that is not UTF-8 has its bad bytes shown as U+FFFD; control characters are left out.
 */
#ifndef WEB_HTML_H
#define WEB_HTML_H

#include "base/string.h"

/* Adds a string literal as it is. */
#define html(out, literal) strbuf_add((out), "" literal, sizeof(literal) - 1)

/* Adds text, escaped. */
void html_text(struct strbuf *out, const char *text); /* NULL adds nothing */
void html_slice(struct strbuf *out, struct slice text);
/* Adds ` name="value"`, the value escaped; nothing when `value` is NULL.  `name` is a literal. */
void html_attr(struct strbuf *out, const char *name, const char *value);
/* printf with %s (escaped), %d, %u, %lld, %zu and %%. */
void html_printf(struct strbuf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends a path segment of an address, percent-encoded (RFC 3986: what is not unreserved; ':' and
   '+', which run ids have, stay readable). */
void url_segment(struct strbuf *out, const char *segment);

#endif
