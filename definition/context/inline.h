/*
 * Templates that stand inside a YAML file: from positions in the text to positions in the file.
 * Private to definition/context.
 */
#ifndef DEFINITION_CONTEXT_INLINE_H
#define DEFINITION_CONTEXT_INLINE_H

#include "definition/model/model.h"
#include "language/jinja/jinja.h"

struct inline_text {
    const char *file;   /* as messages name it */
    struct slice whole; /* the file's text */
    struct slice text;  /* the template */
    uint32_t line;      /* of its first line in the file */
    size_t line_count;
    const uint32_t *starts;  /* of each line in the text, bytes */
    const uint32_t *offsets; /* of each line in the file; NULL: it could not be found there */
};

/* Finds a value of a file's text in it, line by line.  What is not there byte for byte (folded,
   with escapes, or changed since) has no offsets: then positions stay the text's own. */
struct inline_text inline_find(
    struct arena *arena, const char *file, struct slice whole, const struct text *text);
/* Moves an error's place from the text to the file. */
void inline_move_error(const struct inline_text *text, struct error *err);
/* The same for a result whose first source is the text.  Makes what it changes anew. */
void inline_move_result(
    const struct inline_text *text, struct arena *arena, struct jinja_result *result);

#endif
