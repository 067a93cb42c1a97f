/*
 * The scopes of names while a template is resolved, shared by scope.c (which names a frame knows)
 * and resolver.c with resolver_expression.c (the walk over the tree).  Private to the module.
 *
 * Jinja2 decides where a name lives when it compiles, not when it renders: every tag that opens a
 * scope has a frame; a name that is assigned anywhere in a frame belongs to it from the start, even
 * before the assignment; other names come from the frames around it or from the context.
 */
#ifndef LANGUAGE_JINJA_RESOLVER_H
#define LANGUAGE_JINJA_RESOLVER_H

#include "language/jinja/parser.h"

/* What has slots of its own when it runs. */
struct jinja_function_scope {
    struct jinja_function_scope *parent;
    struct jinja_code *code;
};

struct jinja_location {
    struct jinja_function_scope *function;
    uint32_t slot;
};

struct jinja_entry {
    const struct jinja_symbol *symbol;
    enum jinja_load_kind load;
    uint32_t slot;
    uint32_t offset; /* of the first use, for the list of needs */
    bool stored;
    struct jinja_location source; /* of an alias */
};

struct jinja_frame_scope {
    struct jinja_frame_scope *parent;
    struct jinja_function_scope *function;
    VEC(struct jinja_entry) entries;
    struct map *index; /* symbol → entry number + 1, once there are many */
    bool toplevel;     /* the root: what is assigned here is exported */
    bool rootlevel;    /* … and not within an `if` */
    bool soft;         /* within an `if`: unknown filters are errors when they are reached */
    bool check_output; /* output is dropped once a parent template is known */
    unsigned branches; /* `if`s around what is being listed */
};

struct jinja_resolver {
    struct jinja_template *template;
    struct jinja_parser *parser;
    struct arena *arena;
    struct error *err;
    struct jinja_function_scope *blocks_function;
    uint32_t last_line; /* the line that errors of tags without one of their own get */
    unsigned loops;     /* `for`s around */
    unsigned breakable; /* … in the same function */
    unsigned extends_so_far;
    bool known_extends;
    /* Whether HTML is escaped here; of an `autoescape` whose value is no constant, what holds
       around it, and `escape_unknown` for all that is inside. */
    bool escape, escape_unknown;
    struct jinja_folder *folder; /* made by the first constant that is computed */
    struct map *needed;          /* names already listed */
    VEC(struct jinja_name) names;
};

/* scope.c */
struct jinja_frame_scope jinja_frame_inner(
    struct jinja_frame_scope *parent, struct jinja_function_scope *function);
void jinja_frame_done(struct jinja_frame_scope *frame);
/* The entry of a name in the frame itself, or NULL. */
struct jinja_entry *jinja_frame_own(struct jinja_frame_scope *frame, const struct jinja_symbol *s);
/* Where a name lives; false when it is unknown in all frames. */
bool jinja_frame_find(
    struct jinja_frame_scope *frame, const struct jinja_symbol *symbol, struct jinja_location *ret);
void jinja_frame_load(
    struct jinja_frame_scope *frame, const struct jinja_symbol *symbol, uint32_t offset);
void jinja_frame_store(
    struct jinja_frame_scope *frame, const struct jinja_symbol *symbol, uint32_t offset);
uint32_t jinja_frame_declare(struct jinja_frame_scope *frame, const struct jinja_symbol *symbol);
struct jinja_place jinja_place_from(
    const struct jinja_function_scope *from, struct jinja_location location);
/* The frame's entry code; lists the names it takes from the context. */
struct jinja_loads jinja_frame_loads(struct jinja_resolver *r, struct jinja_frame_scope *frame);
struct jinja_visibles jinja_frame_visibles(
    struct jinja_resolver *r, struct jinja_frame_scope *frame);

/* Which names the frame of a tag knows: lists all that occur in it, not descending into the frames
   inside. */
void jinja_list_expression(struct jinja_frame_scope *frame, const struct jinja_expression *e);
void jinja_list_target(
    struct jinja_frame_scope *frame, const struct jinja_expression *e, bool parameter);
void jinja_list_body(struct jinja_frame_scope *frame, const struct jinja_body *body);
void jinja_list_arguments(
    struct jinja_frame_scope *frame, const struct jinja_arguments_node *arguments);

/* resolver_expression.c: sets the places of the names in a tree.  Filters and tests that do not
   exist are errors, unless the frame is soft. */
void jinja_resolve_name(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_expression *e);
enum status jinja_resolve_expression(struct jinja_resolver *r, struct jinja_frame_scope *frame,
    struct jinja_expression *e) MUST_CHECK;
/* A target of `set` and `for`; `exported`: what is assigned is seen by templates that import this
   one. */
enum status jinja_resolve_target(struct jinja_resolver *r, struct jinja_frame_scope *frame,
    struct jinja_expression *e, bool exported) MUST_CHECK;
struct jinja_expression *jinja_clone_target(
    struct jinja_resolver *r, const struct jinja_expression *e);

/* The filter or test that an expression applies; NULL when there is none of that name. */
const struct jinja_row *jinja_row_of(
    const struct jinja_resolver *r, const struct jinja_expression *e);

/* fold.c: replaces all that is constant in a tree.  An error is one that nobody could avoid by not
   coming there: a constant mapping with a list as its key. */
enum status jinja_fold(struct jinja_resolver *r, struct jinja_expression *e) MUST_CHECK;
/* Replaces a constant by the text that an output tag writes for it; false when it is none. */
bool jinja_fold_text(struct jinja_resolver *r, struct jinja_expression *e);
/* The truth of a constant; false when it is none. */
bool jinja_fold_truth(struct jinja_resolver *r, const struct jinja_expression *e, bool *ret);

/* undeclared.c: whether `name` is read in the body before it is assigned there, blocks aside. */
bool jinja_reads_name(const struct jinja_body *body, const char *name);
/* … or is assigned there before it is read. */
bool jinja_assigns_name(const struct jinja_body *body, const char *name);
bool jinja_has_scoped_block(const struct jinja_body *body);

#endif
