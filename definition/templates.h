/*
 * Which files the templates of a DAG reach, and what is wrong with them.  Private to definition/.
 */
#ifndef DEFINITION_TEMPLATES_H
#define DEFINITION_TEMPLATES_H

#include "definition/model/model.h"
#include "definition/sources.h"
#include "language/jinja/jinja.h"

struct template_walk;

/* What a walk tells; members may be NULL. */
struct template_visitor {
    /* A file was read: a template. */
    void (*file)(void *user, const struct source *source);
    /* A template was parsed: `text` is an inline one's place, `source` a file's; the other NULL. */
    void (*parsed)(void *user, const struct jinja_template *template, const struct text *text,
        const struct source *source);
    /* A template is missing or cannot be parsed. */
    void (*problem)(void *user, const struct error *error);
    void *user;
};

/* `file` is the DAG file (relative to the root), `shown` its text for places, may be empty. */
struct template_walk *template_walk_new(const struct project *project, struct sources *sources,
    const char *file, struct slice file_text, const struct template_visitor *visitor);
void template_walk_free(struct template_walk *walk); /* NULL is fine */
DEFINE_CLEANUP(struct template_walk, template_walk_free);

/* Visits every template of a task, and what those include, import and extend; each file once. */
void template_walk_task(struct template_walk *walk, const struct task *task);

/* Moves an error of a text to where the text stands in its file. */
void text_place_error(
    const struct text *text, const char *file, struct slice file_text, struct error *err);

#endif
