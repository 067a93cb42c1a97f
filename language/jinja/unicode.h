/*
 * Characters as Python's str methods see them.  Private to the module.
 */
#ifndef LANGUAGE_JINJA_UNICODE_H
#define LANGUAGE_JINJA_UNICODE_H

#include "base/string.h"

bool jinja_char_is_space(uint32_t c);
bool jinja_char_is_alpha(uint32_t c);
bool jinja_char_is_decimal(uint32_t c);
/* The value of a decimal digit of any script, -1 for other characters. */
int jinja_char_decimal(uint32_t c);
bool jinja_char_is_digit(uint32_t c);
bool jinja_char_is_numeric(uint32_t c);
bool jinja_char_is_lower(uint32_t c);
bool jinja_char_is_upper(uint32_t c);
bool jinja_char_is_title(uint32_t c);
bool jinja_char_is_printable(uint32_t c);
/* A letter, digit or number: what `\w` matches besides "_". */
bool jinja_char_is_word(uint32_t c);
/* A letter with upper and lower case forms. */
bool jinja_char_is_cased(uint32_t c);

/* The character of a Unicode name in any case, among those of character_names.h. */
bool jinja_char_by_name(struct slice name, uint32_t *ret);

/* Full case mappings, appended to `out`; `jinja_text_lower` knows the final sigma. */
void jinja_text_lower(struct slice s, struct strbuf *out);
void jinja_text_upper(struct slice s, struct strbuf *out);
void jinja_text_fold(struct slice s, struct strbuf *out);
/* Python's str.title and str.capitalize. */
void jinja_text_title(struct slice s, struct strbuf *out);
void jinja_text_capitalize(struct slice s, struct strbuf *out);
/* Python's str.swapcase. */
void jinja_text_swapcase(struct slice s, struct strbuf *out);

/* The code point at *at, which is moved behind it; bytes that are not UTF-8 count one each. */
uint32_t jinja_char_next(struct slice s, size_t *at);
/* The code point before *at, which is moved to its start. */
uint32_t jinja_char_previous(struct slice s, size_t *at);
/* Code points in `s`. */
size_t jinja_text_length(struct slice s);
/* The byte offset of the `index`th code point; s.size when there are fewer. */
size_t jinja_text_offset(struct slice s, size_t index);
/* Without white space (Python's) at the left, right. */
struct slice jinja_text_strip(struct slice s, bool left, bool right);

#endif
