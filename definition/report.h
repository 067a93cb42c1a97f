/*
 * Mistakes in users' files as diagnostics with places and codes.  Private to definition/.
 */
#ifndef DEFINITION_REPORT_H
#define DEFINITION_REPORT_H

#include "base/error.h"
#include "definition/yaml.h"

/* The code that people see for a status: "unknown-key"; "definition" for what has none of its own.
 */
const char *report_code(enum status status);

/* Adds a diagnostic.  One that stands there already (an alias, or default_args read for each task)
   is not added again.  Returns NULL when it was not kept. */
struct diagnostic *report_error(struct diagnostics *diagnostics, const struct error *error);
struct diagnostic *report_warning(
    struct diagnostics *diagnostics, const struct error *error, const char *code);
/* A diagnostic of another list. */
void report_copy(struct diagnostics *diagnostics, const struct diagnostic *from);
/* An error at a node, or at an offset of a source. */
struct diagnostic *report(struct diagnostics *diagnostics, const struct yaml_node *node,
    enum status status, const char *format, ...) __attribute__((format(printf, 4, 5)));
struct diagnostic *report_offset(struct diagnostics *diagnostics, const struct yaml_source *source,
    size_t offset, enum status status, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Another function's error, placed at a node. */
struct diagnostic *report_from(struct diagnostics *diagnostics, const struct yaml_node *node,
    const struct error *error, const char *context);
/* `diagnostic` may be NULL. */
void report_hint(struct diagnostic *diagnostic, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "did you mean `x`?" when a candidate is near; else nothing. */
void report_suggest(
    struct diagnostic *diagnostic, const char *word, const char *const *candidates, size_t count);

#endif
