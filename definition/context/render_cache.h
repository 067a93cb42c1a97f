/*
 * The templates that renderings share (context.h: render_cache).  Private to definition/context.
 */
#ifndef DEFINITION_CONTEXT_RENDER_CACHE_H
#define DEFINITION_CONTEXT_RENDER_CACHE_H

#include "definition/context/context.h"
#include "definition/context/inline.h"

/* A text of a YAML file, parsed. */
struct inline_template {
    const struct jinja_template *template;
    struct inline_text place;
};

/* One of the templates of a file, a DAG's (of `dag`) or another (NULL), whose path is relative to
   the root.  Texts that are read live in the arena. */
struct render_cache *render_cache_of(
    const struct project *project, const struct dag *dag, const char *file, struct arena *arena);
struct jinja_environment *render_cache_environment(const struct render_cache *cache);
/* The DAG file's text; empty when it cannot be read. */
struct slice render_cache_dag_text(struct render_cache *cache);
/* Parses a text of a file whose own text is `whole` (none: not known), once.  The value's address
   is its key. */
enum status render_cache_inline(struct render_cache *cache, const char *file,
    const struct text *text, struct slice whole, const struct inline_template **ret,
    struct error *err) MUST_CHECK;

#endif
