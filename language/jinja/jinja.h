/*
 * The template language: Jinja2 3.1's language for text, in C.
 *
 * What `jinja2.Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"])` renders from a
 * template and a context, this renders byte for byte; an error is reported on the line that
 * Jinja2 reports.  The differences are deliberate: integers have 64 bits (more is an error),
 * attributes that start with an underscore do not exist, and all work has ceilings (limits.h).
 *
 *     struct jinja_environment *env = jinja_environment_new(&(struct jinja_options){
 *         .strict = true, .loader = jinja_directory_loader(&directories)});
 *     const struct jinja_template *template;
 *     jinja_template_load(env, slice_of("geolife/clean.sql"), &template, err);
 *     struct jinja_value context = jinja_mapping_new(arena);
 *     jinja_mapping_put(arena, context, "ds", jinja_string("2007-04-12"));
 *     struct jinja_result result;
 *     jinja_render(env, template, context, arena, &result, err);
 *     printf("%s", result.text.p);
 *
 * Who owns what.  An environment owns the templates that were loaded through its loader and keeps
 * them, parsed, until it is freed: what the loader gave first holds (one environment per version
 * of a set of files).  A template from jinja_template_parse is the caller's.  Everything that a
 * rendering makes, its values, text and map, lives in the arena it was given; the map's sources
 * point into the templates.
 *
 * Threads.  After it has been set up (filters, tests and globals added) an environment and its
 * templates may be used by any number of threads at once, each rendering with an arena of its own.
 * Values belong to one thread at a time.
 *
 * Errors carry the place in the user's template (file, line, column, the line's text) and, in the
 * trace, the stack of includes and macros that led there.
 */
#ifndef LANGUAGE_JINJA_H
#define LANGUAGE_JINJA_H

#include <jansson.h>
#include "base/error.h"
#include "base/memory.h"
#include "base/string.h"
#include "language/jinja/limits.h"

/* ---------------------------------------------------------------------------------------------
 * Values: a small tagged union, passed by value.  Lists, mappings and objects are references, as
 * in Python.  A zeroed value is "absent": an undefined value without a name.
 */

enum jinja_kind {
    JINJA_UNDEFINED,
    JINJA_NONE,
    JINJA_BOOL,
    JINJA_INT,
    JINJA_FLOAT,
    JINJA_STRING, /* UTF-8; not NUL-terminated in general */
    JINJA_LIST,
    JINJA_TUPLE,
    JINJA_MAPPING, /* a dict: any hashable key, order of insertion */
    JINJA_OBJECT,  /* everything else: functions, macros, loops, dates: see struct jinja_class */
};

/* Marks of a value.  They stay with it through every operation: what is made of marked values is
   marked, what is taken out of a marked container is marked.  The segments of rendered text tell
   which bytes came from marked values. */
enum jinja_mark {
    JINJA_UNTRUSTED = 1, /* params, conf, XCom: not to be pasted into SQL as it is */
    JINJA_SECRET = 2,    /* to be masked in everything that is stored or shown */
    JINJA_BOUND = 4,     /* made by the `bind` filter */
    JINJA_SAFE = 8,      /* Markup: text that HTML escaping leaves alone */
};

struct jinja_value {
    uint8_t kind;  /* enum jinja_kind */
    uint8_t marks; /* enum jinja_mark */
    uint8_t flags; /* private to the module */
    uint32_t size; /* of a string, in bytes */
    union {
        bool boolean;
        int64_t integer;
        double real;
        const char *text;        /* of a string */
        struct jinja_list *list; /* of a list or a tuple */
        struct jinja_mapping *mapping;
        struct jinja_object *object;
        const struct jinja_missing *missing; /* of an undefined value: what it is about */
    };
};

/* A list's or tuple's items; read them, change them only through the functions below. */
struct jinja_list {
    struct jinja_value *items;
    size_t count, capacity;
};

static inline struct jinja_value jinja_none(void)
{
    return (struct jinja_value){.kind = JINJA_NONE};
}
static inline struct jinja_value jinja_bool(bool v)
{
    return (struct jinja_value){.kind = JINJA_BOOL, .boolean = v};
}
static inline struct jinja_value jinja_int(int64_t v)
{
    return (struct jinja_value){.kind = JINJA_INT, .integer = v};
}
static inline struct jinja_value jinja_float(double v)
{
    return (struct jinja_value){.kind = JINJA_FLOAT, .real = v};
}
/* Borrows the bytes, which must be valid UTF-8 and live as long as the value is used. */
static inline struct jinja_value jinja_slice(struct slice s)
{
    return (struct jinja_value){.kind = JINJA_STRING, .size = (uint32_t)s.size, .text = s.p};
}
static inline struct jinja_value jinja_string(const char *s)
{
    return jinja_slice(slice_of(s));
}
/* Copies the bytes; invalid UTF-8 becomes U+FFFD. */
struct jinja_value jinja_string_copy(struct arena *arena, struct slice s);

/* The bytes of a string value (of nothing else). */
static inline struct slice jinja_text(struct jinja_value v)
{
    return (struct slice){v.text, v.size};
}
/* True for the zeroed value: an argument that was not given, an attribute that is not there. */
static inline bool jinja_is_absent(struct jinja_value v)
{
    return v.kind == JINJA_UNDEFINED && !v.missing;
}
/* The value with more marks; what is later taken out of a marked container gets them too. */
static inline struct jinja_value jinja_mark(struct jinja_value v, unsigned marks)
{
    v.marks = (uint8_t)(v.marks | marks);
    return v;
}

struct jinja_value jinja_list_new(struct arena *arena, size_t capacity);
struct jinja_value jinja_tuple_new(struct arena *arena, size_t capacity);
/* Appends to a list, or to a tuple that nobody else has seen yet. */
void jinja_list_add(struct arena *arena, struct jinja_value list, struct jinja_value item);
struct jinja_value jinja_tuple2(struct arena *arena, struct jinja_value a, struct jinja_value b);

struct jinja_value jinja_mapping_new(struct arena *arena);
/* Sets or replaces.  The key is borrowed. */
void jinja_mapping_put(
    struct arena *arena, struct jinja_value mapping, const char *key, struct jinja_value value);
/* As above with any hashable key (number, string, none, tuple of such, object with `hash`). */
void jinja_mapping_put_value(struct arena *arena, struct jinja_value mapping,
    struct jinja_value key, struct jinja_value value);
/* Absent when there is none. */
struct jinja_value jinja_mapping_get(struct jinja_value mapping, const char *key);
struct jinja_value jinja_mapping_get_value(struct jinja_value mapping, struct jinja_value key);
size_t jinja_mapping_count(struct jinja_value mapping);
/* Entries in order of insertion: start with *cursor = 0; false at the end. */
bool jinja_mapping_next(struct jinja_value mapping, size_t *cursor, struct jinja_value *ret_key,
    struct jinja_value *ret_value);

/* A JSON tree as values (objects → mappings, integers → 64 bits); all data is copied.  Nesting
   beyond JINJA_NESTING_MAX becomes none. */
struct jinja_value jinja_from_json(struct arena *arena, const json_t *json);
/* The value as a new JSON tree (owned by the caller).  Tuples become arrays, objects their text,
   keys their text, undefined null. */
enum status jinja_to_json(
    struct jinja_value value, struct arena *arena, json_t **ret, struct error *err) MUST_CHECK;
/* Python's str() of the value, NUL-terminated, in the arena. */
enum status jinja_to_text(
    struct jinja_value value, struct arena *arena, struct slice *ret, struct error *err) MUST_CHECK;
/* Python's bool() of the value. */
bool jinja_is_true(struct jinja_value value);
/* The type's name as Python says it: "int", "str", "NoneType", "dict", an object's `type_name`. */
const char *jinja_type_name(struct jinja_value value);

/* ---------------------------------------------------------------------------------------------
 * Functions.  Filters, tests, global functions and methods are all one kind of C function.
 */

struct jinja_render; /* a rendering that is under way */

struct jinja_keyword {
    struct slice name;
    struct jinja_value value;
};

/* One call.  Of a filter or test, args[0] is the value it is applied to; of a method, `self` is
   the object. */
struct jinja_call {
    struct jinja_render *render;
    struct arena *arena; /* what the function makes lives here */
    void *user;          /* as registered */
    const char *name;    /* for messages: "indent" */
    struct jinja_value self;
    const struct jinja_value *args;
    size_t arg_count;
    const struct jinja_keyword *keywords;
    size_t keyword_count;
    bool autoescape; /* whether the calling template escapes HTML at this place */
};

/* Returns OK with *ret filled, or error_set(err, ERR_TEMPLATE_TYPE or ERR_TEMPLATE_VALUE, …); the
   evaluator adds the place.  The result gets the marks of `self` and the arguments, unless the
   function was registered as one that clears them. */
typedef enum status jinja_function(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err);

/* Spreads positional and keyword arguments over parameters in Python's way.  `names` are `count`
   parameter names of which the first `required` must be given; others that are missing come back
   absent (jinja_is_absent).  Unknown, doubled and surplus arguments are ERR_TEMPLATE_TYPE. */
enum status jinja_arguments(const struct jinja_call *call, const char *const *names, size_t count,
    size_t required, struct jinja_value *ret_values, struct error *err) MUST_CHECK;

/* Argument readers: absent gives the default; a wrong type is ERR_TEMPLATE_TYPE naming the
   function and the parameter.  Integers take booleans as Python does; bools take anything. */
enum status jinja_argument_int(const struct jinja_call *call, const char *name,
    struct jinja_value v, int64_t absent, int64_t *ret, struct error *err) MUST_CHECK;
enum status jinja_argument_text(const struct jinja_call *call, const char *name,
    struct jinja_value v, const char *absent, struct slice *ret, struct error *err) MUST_CHECK;
static inline bool jinja_argument_bool(struct jinja_value v, bool absent)
{
    return jinja_is_absent(v) ? absent : jinja_is_true(v);
}

/* A value that calls `function`; `name` is borrowed. */
struct jinja_value jinja_function_new(
    struct arena *arena, const char *name, jinja_function *function, void *user);
/* Calls anything that can be called: a function, macro, method, class object. */
enum status jinja_call_value(struct jinja_render *render, struct jinja_value callee,
    const struct jinja_value *args, size_t arg_count, struct jinja_value *ret,
    struct error *err) MUST_CHECK;

/* ---------------------------------------------------------------------------------------------
 * Objects: how other modules bring their own types (dates, connections, task instances).
 *
 *     struct date { struct jinja_object object; int64_t us; };
 *     static const struct jinja_class date_class = {.type_name = "DateTime", .text = date_text, …};
 *     struct jinja_value v = jinja_object(&date->object);
 */

struct jinja_object {
    const struct jinja_class *class;
};

static inline struct jinja_value jinja_object(struct jinja_object *object)
{
    return (struct jinja_value){.kind = JINJA_OBJECT, .object = object};
}
/* The object when `v` is one of that class, else NULL. */
static inline struct jinja_object *jinja_object_of(
    struct jinja_value v, const struct jinja_class *class)
{
    return v.kind == JINJA_OBJECT && v.object->class == class ? v.object : NULL;
}

struct jinja_method {
    const char *name;
    jinja_function *function; /* call->self is the object */
};

enum jinja_operator {
    JINJA_ADD,
    JINJA_SUBTRACT,
    JINJA_MULTIPLY,
    JINJA_DIVIDE,
    JINJA_FLOOR_DIVIDE,
    JINJA_MODULO,
    JINJA_POWER,
};

/* What a type can do.  Any member but type_name may be NULL: then the type cannot do it and using
   it so is an error as in Python (truth: always true; equality: identity; hash: identity; repr:
   as text).  `render` may be NULL in text, repr and equal.  Attributes whose name starts with an
   underscore are not asked for. */
struct jinja_class {
    const char *type_name; /* "DateTime" */
    /* {name, function} rows ending with {NULL, NULL}; asked before `attribute`. */
    const struct jinja_method *methods;
    /* `x.name`; leaves *ret alone when there is no such attribute. */
    enum status (*attribute)(struct jinja_render *render, struct jinja_object *self,
        struct slice name, struct jinja_value *ret, struct error *err);
    /* `x[key]`; leaves *ret alone when there is no such item. */
    enum status (*item)(struct jinja_render *render, struct jinja_object *self,
        struct jinja_value key, struct jinja_value *ret, struct error *err);
    /* `{% set x.name = value %}` */
    enum status (*set_attribute)(struct jinja_render *render, struct jinja_object *self,
        struct slice name, struct jinja_value value, struct error *err);
    /* `x(…)`; call->self is the object */
    jinja_function *call;
    /* str(x) and repr(x), appended to `out`. */
    enum status (*text)(struct jinja_render *render, struct jinja_object *self, struct strbuf *out,
        struct error *err);
    enum status (*repr)(struct jinja_render *render, struct jinja_object *self, struct strbuf *out,
        struct error *err);
    bool (*truth)(struct jinja_object *self);
    bool (*equal)(struct jinja_object *self, struct jinja_value other);
    uint64_t (*hash)(struct jinja_object *self);
    /* Order against another value; *ret_known = false when they cannot be ordered. */
    enum status (*compare)(struct jinja_object *self, struct jinja_value other, int *ret_order,
        bool *ret_known, struct error *err);
    /* `left op right` where at least one is of this class (asked of the left's class first); leaves
     *ret alone when it cannot. */
    enum status (*binary)(struct jinja_render *render, enum jinja_operator op,
        struct jinja_value left, struct jinja_value right, struct jinja_value *ret,
        struct error *err);
    /* x[from:to:by], the bounds as Python's slice.indices() gives them for the length. */
    struct jinja_value (*slice)(
        struct arena *arena, struct jinja_object *self, int64_t from, int64_t to, int64_t by);
    /* `-x`; leaves *ret alone when it cannot. */
    enum status (*negate)(struct jinja_render *render, struct jinja_object *self,
        struct jinja_value *ret, struct error *err);
    /* len(x), -1 when it has none */
    int64_t (*length)(struct jinja_object *self);
    /* What a loop over x goes over: a list, a string, a mapping or an object with `next`. */
    enum status (*iterate)(struct jinja_render *render, struct jinja_object *self,
        struct jinja_value *ret, struct error *err);
    /* The next item; *ret_more = false at the end.  Makes the object an iterator: it can be gone
       through once. */
    enum status (*next)(struct jinja_render *render, struct jinja_object *self, bool *ret_more,
        struct jinja_value *ret, struct error *err);
    /* What `tojson` and jinja_to_json write for it; NULL: its text in the latter, an error in the
       former. */
    enum status (*json)(
        struct jinja_object *self, struct arena *arena, struct jinja_value *ret, struct error *err);
    bool is_mapping, is_sequence; /* for the tests of these names */
};

/* ---------------------------------------------------------------------------------------------
 * Environments and templates.
 */

/* A template's text as a loader gives it.  All is in the given arena or lives as long as the
   environment. */
struct jinja_text_source {
    struct slice text;
    const char *file; /* for messages: the path as the user knows it */
};

/* Finds the template `name`; ERR_TEMPLATE_NOT_FOUND (and only that) when there is none, so that
   `ignore missing` and lists of names work.  Called at most once a name and environment if it
   succeeds; one call at a time.  The search path and what may be read are the loader's business. */
typedef enum status jinja_load(void *user, struct slice name, struct arena *arena,
    struct jinja_text_source *ret, struct error *err);
struct jinja_loader {
    jinja_load *load; /* NULL: there are no other templates */
    void *user;
};

/* A loader over directories, tried in order.  Names that would leave them ("..", absolute, empty)
   are not found, nor are links that lead outside.  Messages name files as `shown` + "/" + name
   (`shown` NULL: the path; "" the bare name).  The struct is borrowed. */
struct jinja_directory {
    const char *path;
    const char *shown;
};
struct jinja_directories {
    const struct jinja_directory *at;
    size_t count;
};
struct jinja_loader jinja_directory_loader(const struct jinja_directories *directories);

/* Zero members mean the defaults of limits.h. */
struct jinja_limits {
    size_t output_bytes;
    size_t memory_bytes;
    unsigned depth;
    uint64_t loops;
    uint64_t steps;
    uint64_t duration_ms;
};

/* Called when a name that is undefined leads to an error: may add a hint (error_hint), e.g. for
   names that are gone. */
typedef void jinja_undefined_hint(void *user, struct slice name, struct error *err);

struct jinja_options {
    bool strict; /* using an undefined value is an error (StrictUndefined) */
    bool trim_blocks;
    bool lstrip_blocks;
    bool keep_trailing_newline;
    bool autoescape;
    struct jinja_loader loader;
    struct jinja_limits limits;
    jinja_undefined_hint *undefined_hint; /* NULL: none */
    void *undefined_hint_user;
};

struct jinja_environment;

/* An environment with Jinja2's filters, tests and global functions and SQL's filters (`literal`,
   `identifier`, `bind`). */
struct jinja_environment *jinja_environment_new(const struct jinja_options *options);
void jinja_environment_free(struct jinja_environment *env); /* NULL is fine */
DEFINE_CLEANUP(struct jinja_environment, jinja_environment_free);

/* Adds or replaces; names are borrowed (string constants).  Before the first rendering only. */
void jinja_add_filter(
    struct jinja_environment *env, const char *name, jinja_function *function, void *user);
void jinja_add_test(
    struct jinja_environment *env, const char *name, jinja_function *function, void *user);
void jinja_add_function(
    struct jinja_environment *env, const char *name, jinja_function *function, void *user);
/* A global variable; what it refers to must live as long as the environment and is only read. */
void jinja_add_global(struct jinja_environment *env, const char *name, struct jinja_value value);
/* For lint and docs: the names there are, sorted. */
size_t jinja_filter_names(
    const struct jinja_environment *env, struct arena *arena, const char ***ret);
size_t jinja_test_names(
    const struct jinja_environment *env, struct arena *arena, const char ***ret);

struct jinja_template;

/* The template of that name, through the loader, parsed once per environment and owned by it. */
enum status jinja_template_load(struct jinja_environment *env, struct slice name,
    const struct jinja_template **ret, struct error *err) MUST_CHECK;
/* Parses a text; all is copied.  `file` names it in messages.  The caller frees it, before the
   environment.  Finds every error that Jinja2 finds when it compiles. */
enum status jinja_template_parse(struct jinja_environment *env, const char *file, struct slice text,
    struct jinja_template **ret, struct error *err) MUST_CHECK;
/* The same for a text that stands inside a larger file (a string in a DAG file): messages and the
   source map then count lines from `line` (1 = as above); columns are the text's own. */
enum status jinja_template_parse_at(struct jinja_environment *env, const char *file, uint32_t line,
    struct slice text, struct jinja_template **ret, struct error *err) MUST_CHECK;
void jinja_template_free(struct jinja_template *template); /* NULL is fine */
DEFINE_CLEANUP(struct jinja_template, jinja_template_free);
const char *jinja_template_file(const struct jinja_template *template);

/* What a template needs, for lint and for manifests of versions. */
enum jinja_reference_kind { JINJA_EXTENDS, JINJA_INCLUDE, JINJA_IMPORT, JINJA_FROM };
struct jinja_reference {
    enum jinja_reference_kind kind;
    struct slice name; /* {NULL, 0} when it is computed while rendering */
    bool ignore_missing;
    uint32_t line, column;
};
struct jinja_name {
    struct slice name;
    uint32_t line, column; /* of its first use */
    bool assigned; /* the template gives it a value before that use, on some path: {% if a %}{% set
                      x = 1 %}… */
};
struct jinja_needs {
    const struct jinja_name *names; /* taken from context or globals, in order of first use */
    size_t name_count;
    const struct jinja_reference *references; /* a list of names in one tag gives several */
    size_t reference_count;
};
struct jinja_needs jinja_template_needs(const struct jinja_template *template, struct arena *arena);

/* ---------------------------------------------------------------------------------------------
 * Rendering.
 */

/* A stretch of rendered text and where it came from.  Segments are sorted by `offset`, do not
   overlap and cover the text.  `verbatim`: the bytes stand so in the source, from `source` on;
   otherwise all of them were made by what stands at `source`. */
struct jinja_segment {
    uint32_t offset, length; /* in the rendered text, bytes */
    uint32_t source;         /* in the template's text, bytes */
    uint16_t template;       /* index in the result's sources */
    uint8_t marks;           /* enum jinja_mark */
    bool verbatim;
};

/* A template that took part.  `text` has its line ends normalized to "\n".  Points into the
   template. */
struct jinja_source {
    const char *name; /* as loaded, or the file */
    const char *file;
    uint32_t line; /* of the text's first line in the file, from 1 */
    struct slice text;
};

struct jinja_result {
    struct slice text; /* NUL-terminated behind */
    const struct jinja_segment *segments;
    size_t segment_count;
    const struct jinja_source *sources;
    size_t source_count;
};

/* `context` is a mapping of the template's variables (absent: none).  Setting a variable does not
   change it, but as in Python a template may change a list or mapping that it holds (`append`,
   `update`): give each rendering values of its own. */
enum status jinja_render(struct jinja_environment *env, const struct jinja_template *template,
    struct jinja_value context, struct arena *arena, struct jinja_result *ret,
    struct error *err) MUST_CHECK;

/* Parses and renders a text in one step, for short strings. */
enum status jinja_render_text(struct jinja_environment *env, const char *file, struct slice text,
    struct jinja_value context, struct arena *arena, struct jinja_result *ret,
    struct error *err) MUST_CHECK;

/* The value of a bare expression ("params.trees * 2"), as Jinja2's compile_expression gives it:
   an undefined result is none, unless strict. */
enum status jinja_evaluate(struct jinja_environment *env, const char *file, struct slice text,
    struct jinja_value context, struct arena *arena, struct jinja_value *ret,
    struct error *err) MUST_CHECK;

/* Where a byte of the rendered text came from; false when the offset lies behind the text. */
struct jinja_origin {
    const char *file;
    uint32_t line, column;
    struct slice source_line;
    unsigned marks;
};
bool jinja_map_find(
    const struct jinja_result *result, size_t rendered_offset, struct jinja_origin *ret);

/* The result with every stretch that carries one of `marks` replaced by `mask` ("***", once for
   neighbours), and the map moved along; its sources are those of `result`. */
struct jinja_result jinja_masked(
    const struct jinja_result *result, unsigned marks, const char *mask, struct arena *arena);
/* Its text alone. */
struct slice jinja_masked_text(
    const struct jinja_result *result, unsigned marks, const char *mask, struct arena *arena);

/* For functions and objects: the rendering's environment and arena. */
struct jinja_environment *jinja_render_environment(struct jinja_render *render);
struct arena *jinja_render_arena(struct jinja_render *render);
/* A variable of the rendering's context (absent when there is none), for functions that need one.
 */
struct jinja_value jinja_render_variable(struct jinja_render *render, const char *name);

#endif
