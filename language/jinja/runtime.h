/*
 * The state of a rendering and what the evaluator is made of.  Private to the module.
 */
#ifndef LANGUAGE_JINJA_RUNTIME_H
#define LANGUAGE_JINJA_RUNTIME_H

#include "base/clock.h"
#include "language/jinja/syntax.h"

/* --- strings that know where their parts came from ---------------------------------------- */

enum {
    JINJA_FLAG_SPANS = 1, /* a struct jinja_spans stands right before the text */
    JINJA_FLAG_GROUP = 2, /* a tuple made by `groupby`: its items have names */
};
enum { JINJA_NO_SOURCE = UINT16_MAX }; /* a span whose source is the expression that prints it */
enum { JINJA_SPREADING_MARKS = JINJA_UNTRUSTED | JINJA_SECRET };

struct jinja_spans {
    const struct jinja_segment *at; /* offsets count from the text's start */
    size_t count;
};
static inline const struct jinja_spans *jinja_spans_of(struct jinja_value v)
{
    return v.kind == JINJA_STRING && (v.flags & JINJA_FLAG_SPANS)
               ? (const struct jinja_spans *)(const void *)(v.text - sizeof(struct jinja_spans))
               : NULL;
}

/* Puts text together from values, keeping their marks and origins. */
struct jinja_builder {
    struct strbuf text;
    VEC(struct jinja_segment) spans;
    unsigned marks; /* of all parts */
};
void jinja_builder_done(struct jinja_builder *b);
void jinja_builder_add(struct jinja_builder *b, const char *p, size_t size);
/* Bytes start … start + size of a string value. */
void jinja_builder_add_part(
    struct jinja_builder *b, struct jinja_value string, size_t start, size_t size);
/* str() of the value; with `escape`, HTML-escaped unless it is marked as safe. */
enum status jinja_builder_add_value(struct jinja_builder *b, struct jinja_render *render,
    struct jinja_value v, bool escape, struct error *err) MUST_CHECK;
/* The string, in the arena; the builder is done. */
struct jinja_value jinja_builder_end(struct jinja_builder *b, struct arena *arena);
/* A copy of the text; the spans, which must live as long, are taken as they are. */
struct jinja_value jinja_with_spans(struct arena *arena, struct slice text,
    const struct jinja_segment *spans, size_t count, unsigned marks);
/* A part of a string value, with the part's spans. */
struct jinja_value jinja_substring(
    struct arena *arena, struct jinja_value string, size_t start, size_t size);

/* Notes the marks of an item that becomes part of a text. */
void jinja_note_marks(struct jinja_render *render, struct jinja_value v);

/* --- contexts, frames, the rendering ------------------------------------------------------- */

/* Variables from outside, looked up in order. */
struct jinja_layer {
    const struct jinja_layer *next;
    struct jinja_value names; /* a mapping */
};

struct jinja_block_stack {
    struct slice name;
    const struct jinja_block_node **at;
    size_t count, capacity;
};

struct jinja_context {
    struct jinja_value vars;     /* assigned at top level: a mapping, absent until the first */
    struct jinja_value exported; /* those of them that importers see */
    const struct jinja_layer *parent;
    struct jinja_block_stack *blocks;
    size_t block_count, block_capacity;
    struct jinja_value *autoescape; /* as last set; shared with the contexts of scoped blocks */
    const struct jinja_template *parent_template;
    const char *name;
};

/* Something that is no text was written, by a call or filter block: an error when the text that it
   would be part of is put together. */
struct jinja_oddity {
    const char *type; /* NULL: there is none */
    const struct jinja_template *template;
    uint32_t line, offset;
};

/* The rendered text from here on is taken out of it again. */
struct jinja_capture {
    size_t text, segments;
    struct jinja_oddity oddity;  /* of the text before */
    struct jinja_capture *outer; /* of the same frame */
};

struct jinja_frame {
    struct jinja_frame *parent; /* of the function around */
    struct jinja_context *context;
    const struct jinja_template *template;
    struct jinja_render *render;
    uint16_t source; /* the template's index in the map */
    struct jinja_value *slots;
    struct jinja_capture *captures; /* set and filter blocks around */
    struct jinja_value yielded;     /* a list: what a generator includes; else absent */
};

enum jinja_flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };

struct jinja_module {
    struct jinja_object object;
    const struct jinja_template *template;
    struct jinja_value exported; /* mapping, may be absent */
    struct jinja_value body;     /* its text */
    struct jinja_oddity oddity;
};

struct jinja_render {
    struct jinja_environment *env;
    struct arena *arena;
    struct error *err;
    struct jinja_limits limits;
    bool strict;
    struct instant started;
    uint64_t steps, loops, next_check;
    unsigned depth;
    size_t memory_start;
    const char *stack_start;
    struct strbuf out;
    VEC(struct jinja_segment) segments;
    VEC(const struct jinja_template *) sources;
    VEC(struct jinja_module *) modules;
    enum jinja_flow flow;
    struct jinja_oddity oddity; /* in the text since the last capture began */
    unsigned seen_marks;        /* of the items of containers that became text */
    const struct jinja_layer *globals;
    const struct jinja_context *context;  /* the outermost */
    const struct jinja_expression *fault; /* the innermost expression that failed */
};

/* Counts a step; every so often looks at time and memory. */
enum status jinja_check_slowly(struct jinja_render *render, struct error *err);
static inline enum status jinja_step(struct jinja_render *render, struct error *err)
{
    return ++render->steps < render->next_check ? OK : jinja_check_slowly(render, err);
}
/* Before something of that many bytes is made. */
enum status jinja_check_size(
    struct jinja_render *render, uint64_t bytes, struct error *err) MUST_CHECK;
enum status jinja_check_loop(struct jinja_render *render, struct error *err) MUST_CHECK;
/* Decides at which step to look the next time. */
void jinja_plan_check(struct jinja_render *render);
/* Whether the C stack still has room for another level: threads have at least two megabytes. */
enum { JINJA_STACK_MAX = 1024 * 1024 };
enum status jinja_stack_error(struct error *err);
static inline MUST_CHECK enum status jinja_check_stack(
    const struct jinja_render *render, struct error *err)
{
    ptrdiff_t used = render->stack_start - (const char *)__builtin_frame_address(0);
    return used < JINJA_STACK_MAX && used > -JINJA_STACK_MAX ? OK : jinja_stack_error(err);
}

/* --- values --------------------------------------------------------------------------------- */

struct jinja_mapping_entry {
    struct jinja_value key, value;
    uint64_t hash;
    bool removed;
};
struct jinja_mapping {
    struct jinja_mapping_entry *entries;
    size_t count, capacity; /* with the removed ones */
    size_t live;
    uint32_t *index; /* entry number + 1 by hash; NULL for small mappings */
    size_t index_size;
};
/* The entry, or NULL.  `hash` as jinja_hash gives it. */
struct jinja_mapping_entry *jinja_mapping_find(
    const struct jinja_mapping *mapping, struct jinja_value key, uint64_t hash);
struct jinja_mapping_entry *jinja_mapping_find_text(
    const struct jinja_mapping *mapping, struct slice key, uint64_t hash);
void jinja_mapping_set(struct arena *arena, struct jinja_mapping *mapping, struct jinja_value key,
    uint64_t hash, struct jinja_value value);
void jinja_mapping_remove(struct jinja_mapping *mapping, struct jinja_mapping_entry *entry);
void jinja_mapping_clear(struct jinja_mapping *mapping);
/* False when it is not hashable. */
bool jinja_hash(struct jinja_value v, uint64_t *ret);
enum status jinja_hash_or_fail(struct jinja_value v, uint64_t *ret, struct error *err) MUST_CHECK;

bool jinja_is_number(struct jinja_value v);                /* int, float or bool */
bool jinja_is_integer(struct jinja_value v, int64_t *ret); /* int or bool */
double jinja_number_of(struct jinja_value v);
bool jinja_equal(struct jinja_value a, struct jinja_value b);
/* The same object, as Python's `is` for what can be told. */
bool jinja_same(struct jinja_value a, struct jinja_value b);
/* -1, 0, 1; what cannot be ordered is an error, `op` naming the sign for it. */
enum status jinja_order(struct jinja_value a, struct jinja_value b, const char *op, int *ret,
    struct error *err) MUST_CHECK;
enum status jinja_compare(struct jinja_render *render, enum jinja_comparison op,
    struct jinja_value a, struct jinja_value b, bool *ret, struct error *err) MUST_CHECK;
enum status jinja_contains(struct jinja_render *render, struct jinja_value container,
    struct jinja_value item, bool *ret, struct error *err) MUST_CHECK;
/* Stable; a cell is what is compared and what is kept. */
struct jinja_sort_cell {
    struct jinja_value key, value;
};
enum status jinja_sort(struct jinja_render *render, struct jinja_sort_cell *cells, size_t count,
    bool reverse, struct error *err) MUST_CHECK;

enum status jinja_truth(
    struct jinja_render *render, struct jinja_value v, bool *ret, struct error *err) MUST_CHECK;
/* len(); a value without one is an error. */
enum status jinja_length(
    struct jinja_render *render, struct jinja_value v, int64_t *ret, struct error *err) MUST_CHECK;
/* str() and repr(), appended. */
enum status jinja_append_text(struct jinja_render *render, struct jinja_value v, struct strbuf *out,
    struct error *err) MUST_CHECK;
enum status jinja_append_repr(struct jinja_render *render, struct jinja_value v, struct strbuf *out,
    struct error *err) MUST_CHECK;
/* Around the repr() of what holds other values, so that what holds itself is told by its outside
   alone, as in Python: "[...]".  *ret_again: `what` is being written already, and there is no end
   to call.  `around` lives until the end.  ERR_TEMPLATE_DEPTH_LIMIT above JINJA_NESTING_MAX. */
struct jinja_around {
    const struct jinja_around *outer;
    const void *what;
    unsigned depth;
};
enum status jinja_repr_begin(
    struct jinja_around *around, const void *what, bool *ret_again, struct error *err) MUST_CHECK;
void jinja_repr_end(const struct jinja_around *around);
void jinja_append_quoted(struct slice s, struct strbuf *out);
/* Python's ascii() of what repr() gave: other characters as \x, \u and \U. */
void jinja_append_ascii(struct slice s, struct strbuf *out);
/* str() as a string value (a string stays itself, with its spans). */
enum status jinja_stringify(struct jinja_render *render, struct arena *arena, struct jinja_value v,
    struct jinja_value *ret, struct error *err) MUST_CHECK;
struct jinja_value jinja_take_text(struct arena *arena, struct strbuf *buf);
void jinja_escape_html(struct slice s, struct strbuf *out);
/* html.c: without character references (all of HTML 5's, as html.unescape); without comments, tags
   and character references, white space folded (as Markup.striptags). */
void jinja_unescape_html(struct slice s, struct strbuf *out);
void jinja_strip_tags(struct arena *arena, struct slice s, struct strbuf *out);

/* The error of using an undefined value. */
enum status jinja_undefined_error(
    struct jinja_render *render, struct jinja_value v, struct error *err);
/* OK unless the value is undefined and its use is an error in a strict environment. */
enum status jinja_check_defined(
    struct jinja_render *render, struct jinja_value v, struct error *err) MUST_CHECK;
/* "dict object", "None" … */
const char *jinja_object_words(struct jinja_value v);

enum status jinja_binary(struct jinja_render *render, enum jinja_operator op, struct jinja_value a,
    struct jinja_value b, struct jinja_value *ret, struct error *err) MUST_CHECK;
enum status jinja_negate(struct jinja_render *render, struct jinja_value v, bool negative,
    struct jinja_value *ret, struct error *err) MUST_CHECK;
/* Python's int(text, base) and float(text); false when they would fail. */
bool jinja_parse_int(struct slice s, int base, int64_t *ret, bool *ret_overflow);
bool jinja_parse_float(struct slice s, double *ret);
/* A float as an integer, toward zero; false when it does not fit. */
bool jinja_float_to_int(double v, int64_t *ret);
/* Python's round(v, digits). */
double jinja_round(double v, int digits);
/* `format % args` and `format.format(args)`. */
enum status jinja_format_percent(struct jinja_render *render, struct arena *arena,
    struct jinja_value format, struct jinja_value args, struct jinja_value *ret,
    struct error *err) MUST_CHECK;
enum status jinja_format_braces(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err) MUST_CHECK;
/* A number's digits: `type` as in C's conversions e, f, g with Python's spelling. */
void jinja_format_float(double v, char type, int precision, bool alternate, struct strbuf *out);

/* --- iteration ------------------------------------------------------------------------------ */

struct jinja_iteration {
    struct jinja_value source;
    size_t at, size;
    uint8_t marks;
};
enum status jinja_iterate(struct jinja_render *render, struct jinja_value v,
    struct jinja_iteration *ret, struct error *err) MUST_CHECK;
enum status jinja_next(struct jinja_render *render, struct jinja_iteration *iteration,
    bool *ret_more, struct jinja_value *ret, struct error *err) MUST_CHECK;
/* All items, as a new list. */
enum status jinja_collect(struct jinja_render *render, struct arena *arena, struct jinja_value v,
    struct jinja_value *ret, struct error *err) MUST_CHECK;

/* A lazy sequence made by a filter: `step` gives one item of the result. */
struct jinja_generator {
    struct jinja_object object;
    enum status (*step)(struct jinja_render *render, struct jinja_generator *generator,
        bool *ret_more, struct jinja_value *ret, struct error *err);
    struct jinja_value value; /* what it goes through, from the first step on */
    bool false_is_empty;      /* a value that is false has no items, whatever it is */
    struct jinja_iteration source;
    bool started, ended;
};
extern const struct jinja_class jinja_generator_class;
struct jinja_value jinja_generator_start(
    struct jinja_generator *generator, struct jinja_value value);

/* --- attributes and calls ------------------------------------------------------------------- */

enum status jinja_get_attribute(struct jinja_render *render, struct jinja_value object,
    struct slice name, struct jinja_value *ret, struct error *err) MUST_CHECK;
enum status jinja_get_item(struct jinja_render *render, struct jinja_value object,
    struct jinja_value key, struct jinja_value *ret, struct error *err) MUST_CHECK;
/* getattr(object, name) alone, without falling back to items; absent when there is none. */
enum status jinja_plain_attribute(struct jinja_render *render, struct jinja_value object,
    struct slice name, struct jinja_value *ret, struct error *err) MUST_CHECK;
/* object[start:stop:step]; a bound that is not given is none. */
enum status jinja_get_slice(struct jinja_render *render, struct jinja_value object,
    const struct jinja_value bounds[3], struct jinja_value *ret, struct error *err) MUST_CHECK;
struct jinja_value jinja_missing_member(
    struct jinja_render *render, struct jinja_value object, struct jinja_value name);
const struct jinja_method *jinja_find_method(struct jinja_value v, struct slice name);

/* Calls `callee` with everything in `call` but its self, user and name. */
enum status jinja_call_with(struct jinja_value callee, struct jinja_call *call,
    struct jinja_value *ret, struct error *err) MUST_CHECK;
bool jinja_is_callable(struct jinja_value v);
const char *jinja_macro_name(struct jinja_value macro);
/* Runs a filter's or test's row; the result gets the marks that are due. */
enum status jinja_call_row(const struct jinja_row *row, struct jinja_call *call,
    struct jinja_value *ret, struct error *err) MUST_CHECK;
enum status jinja_call_method(const struct jinja_method *method, struct jinja_value self,
    struct jinja_call *call, struct jinja_value *ret, struct error *err) MUST_CHECK;
unsigned jinja_marks_of_call(const struct jinja_call *call);

extern const struct jinja_class jinja_function_class, jinja_macro_class, jinja_loop_class,
    jinja_namespace_class, jinja_module_class;

/* --- evaluation ----------------------------------------------------------------------------- */

/* A constant list or mapping as a new one. */
struct jinja_value jinja_copy_constant(struct arena *arena, struct jinja_value v);
enum status jinja_evaluate_expression(struct jinja_frame *frame, const struct jinja_expression *e,
    struct jinja_value *ret) MUST_CHECK;
/* A filter applied to captured text; `operand` stands for the innermost callee. */
enum status jinja_evaluate_filter(struct jinja_frame *frame, const struct jinja_expression *e,
    struct jinja_value operand, struct jinja_value *ret) MUST_CHECK;
/* A call with one more keyword argument, `caller`. */
enum status jinja_evaluate_call(struct jinja_frame *frame, const struct jinja_expression *e,
    const struct jinja_value *caller, struct jinja_value *ret) MUST_CHECK;
enum status jinja_assign(struct jinja_frame *frame, const struct jinja_expression *target,
    struct jinja_value v) MUST_CHECK;
static inline struct jinja_value *jinja_slot(struct jinja_frame *frame, struct jinja_place place)
{
    for (uint32_t i = 0; i < place.hops; i++)
        frame = frame->parent;
    return &frame->slots[place.slot];
}
/* Adds place and trace to the rendering's error, for a statement on `line`. */
enum status jinja_fail_at(
    struct jinja_frame *frame, enum status status, uint32_t line, uint32_t offset);

struct jinja_value jinja_context_find(
    const struct jinja_context *context, const struct jinja_symbol *name);
void jinja_context_set(struct jinja_render *render, struct jinja_context *context,
    const struct jinja_symbol *name, struct jinja_value v, bool exported);
/* A layer with all that a context knows now, and `frame`'s visible variables over it. */
const struct jinja_layer *jinja_context_all(
    struct jinja_frame *frame, const struct jinja_context *context, struct jinja_visibles visibles);
struct jinja_context *jinja_context_new(struct jinja_render *render,
    const struct jinja_template *template, const struct jinja_layer *parent);

enum status jinja_run_body(struct jinja_frame *frame, const struct jinja_body *body) MUST_CHECK;
enum status jinja_run_root(struct jinja_render *render, const struct jinja_template *template,
    struct jinja_context *context) MUST_CHECK;
void jinja_enter(struct jinja_frame *frame, struct jinja_loads loads);
/* A frame for a run of `code`; small ones that nothing refers to later live on the C stack. */
enum { JINJA_SLOTS_ON_STACK = 24 };
struct jinja_slots {
    struct jinja_value at[JINJA_SLOTS_ON_STACK];
};
enum status jinja_frame_begin(struct jinja_frame **ret, struct jinja_frame *space,
    struct jinja_slots *slots, struct jinja_render *render, const struct jinja_code *code,
    struct jinja_context *context, struct jinja_frame *outer) MUST_CHECK;
static inline void jinja_frame_end(struct jinja_render *render)
{
    render->depth--;
}
struct jinja_value jinja_macro_new(struct jinja_frame *frame, const struct jinja_macro_node *macro);

/* Inheritance (inherit.c). */
enum status jinja_run_block(struct jinja_frame *frame, const struct jinja_statement *s) MUST_CHECK;
enum status jinja_run_extends(
    struct jinja_frame *frame, const struct jinja_statement *s) MUST_CHECK;
struct jinja_value jinja_self_new(struct jinja_render *render, struct jinja_context *context);
/* The block that `self.name` or `super` is; {NULL, 0} for other values. */
struct slice jinja_block_of_reference(struct jinja_value v);
/* Loops (loop.c). */
enum status jinja_run_for(struct jinja_frame *frame, const struct jinja_statement *s) MUST_CHECK;
/* Includes and imports (import.c). */
enum status jinja_run_include(
    struct jinja_frame *frame, const struct jinja_statement *s) MUST_CHECK;
enum status jinja_run_import(struct jinja_frame *frame, const struct jinja_statement *s) MUST_CHECK;
/* What a tag takes as a name: a text, or the first of a list that is there. */
enum template_names { TEMPLATE_ONE, TEMPLATE_FIRST_OF };
enum status jinja_find_template(struct jinja_frame *frame, struct jinja_value name,
    enum template_names use, const struct jinja_template **ret) MUST_CHECK;

/* Output (output.c). */
/* Whether the context escapes HTML now; an undefined `autoescape` is an error in a strict one. */
static inline enum status jinja_context_escapes(
    struct jinja_render *render, const struct jinja_context *context, bool *ret)
{
    return jinja_truth(render, *context->autoescape, ret, render->err);
}
static inline enum status jinja_escapes(
    struct jinja_frame *frame, enum jinja_escape escape, bool *ret)
{
    *ret = escape == ESCAPE_YES;
    return escape == ESCAPE_ASK ? jinja_context_escapes(frame->render, frame->context, ret) : OK;
}
void jinja_output_text(struct jinja_frame *frame, struct slice text, uint32_t offset);
enum status jinja_output_value(
    struct jinja_frame *frame, struct jinja_value v, bool escape, uint32_t offset) MUST_CHECK;
/* The result of a call or filter block, as it is. */
enum status jinja_output_result(struct jinja_frame *frame, const struct jinja_statement *s,
    struct jinja_value v, uint32_t offset) MUST_CHECK;
/* The text of a template included without context.  Jinja2 hands it to whoever runs the function
   that the tag stands in: it comes before what set and filter blocks around have captured. */
enum status jinja_output_module(
    struct jinja_frame *frame, const struct jinja_module *module, uint32_t offset) MUST_CHECK;
/* An error when something that is no text was written since the last capture began. */
enum status jinja_check_text(struct jinja_render *render) MUST_CHECK;
struct jinja_capture jinja_capture_begin(struct jinja_render *render);
/* Takes out what was captured: into *ret, marked as safe on demand, unless there was an error. */
enum status jinja_capture_end(struct jinja_render *render, const struct jinja_capture *capture,
    enum status status, bool safe, struct jinja_value *ret) MUST_CHECK;
uint16_t jinja_source_index(struct jinja_render *render, const struct jinja_template *template);

/* What methods and filters of strings share (string_methods.c). */
struct jinja_value jinja_pad_text(
    struct arena *arena, struct jinja_value text, int64_t left, int64_t right, struct slice fill);
int64_t jinja_center_left(int64_t pad, int64_t width);
/* `set` NULL: white space. */
struct jinja_value jinja_strip(
    struct arena *arena, struct jinja_value text, const struct slice *set, bool left, bool right);
struct slice jinja_strip_set(struct slice s, struct slice set, bool left, bool right);
enum status jinja_replace(const struct jinja_call *call, struct jinja_value text, struct slice from,
    struct jinja_value to, int64_t count, struct jinja_value *ret, struct error *err) MUST_CHECK;
struct jinja_value jinja_split_lines(struct arena *arena, struct jinja_value text, bool keep_ends);

/* encode.c */
jinja_function jinja_text_encode, jinja_text_translate;
/* lipsum.c */
jinja_function jinja_lipsum;

/* Adds a mapping's entries or an iterable's pairs, as dict.update does. */
enum status jinja_mapping_fill(const struct jinja_call *call, struct jinja_value mapping,
    struct jinja_value from, struct error *err) MUST_CHECK;

/* Tables. */
extern const struct jinja_row jinja_builtin_tests[];
extern const struct jinja_row jinja_global_functions[];
/* The global `dict`. */
struct jinja_value jinja_dict_type(void);
extern const struct jinja_row jinja_text_filters[], jinja_html_filters[], jinja_list_filters[],
    jinja_pick_filters[], jinja_number_filters[], jinja_sql_filters[], jinja_pretty_filters[];
extern const struct jinja_method jinja_markup_methods[], jinja_string_methods[],
    jinja_list_methods[], jinja_tuple_methods[], jinja_mapping_methods[], jinja_float_methods[],
    jinja_int_methods[];

const struct jinja_layer *jinja_globals_of(const struct jinja_environment *env);

#endif
