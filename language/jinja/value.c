/*
 * Making values, and what can be said about one without a rendering.
 */
#include "language/jinja/runtime.h"
#include "language/jinja/unicode.h"

struct jinja_value jinja_string_copy(struct arena *arena, struct slice s)
{
    if (utf8_valid(s.p, s.size, NULL))
        return jinja_slice(slice_make(arena_strndup(arena, s.p, s.size), s.size));
    struct strbuf fixed = {0};
    for (size_t at = 0; at < s.size;)
        strbuf_add_utf8(&fixed, jinja_char_next(s, &at));
    return jinja_take_text(arena, &fixed);
}

struct jinja_value jinja_take_text(struct arena *arena, struct strbuf *buf)
{
    return jinja_slice(strbuf_finish(buf, arena));
}

static struct jinja_value new_sequence(struct arena *arena, enum jinja_kind kind, size_t capacity)
{
    struct jinja_list *list = arena_new_of(arena, struct jinja_list);
    list->capacity = capacity;
    if (capacity)
        list->items = arena_array(arena, struct jinja_value, capacity);
    return (struct jinja_value){.kind = (uint8_t)kind, .list = list};
}

struct jinja_value jinja_list_new(struct arena *arena, size_t capacity)
{
    return new_sequence(arena, JINJA_LIST, capacity);
}

struct jinja_value jinja_tuple_new(struct arena *arena, size_t capacity)
{
    return new_sequence(arena, JINJA_TUPLE, capacity);
}

void jinja_list_add(struct arena *arena, struct jinja_value v, struct jinja_value item)
{
    struct jinja_list *list = v.list;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 4;
        struct jinja_value *items = arena_array(arena, struct jinja_value, capacity);
        if (list->count)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
}

struct jinja_value jinja_tuple2(struct arena *arena, struct jinja_value a, struct jinja_value b)
{
    struct jinja_value tuple = jinja_tuple_new(arena, 2);
    jinja_list_add(arena, tuple, a);
    jinja_list_add(arena, tuple, b);
    return tuple;
}

const char *jinja_type_name(struct jinja_value v)
{
    static const char *const names[] = {[JINJA_UNDEFINED] = "Undefined",
        [JINJA_NONE] = "NoneType",
        [JINJA_BOOL] = "bool",
        [JINJA_INT] = "int",
        [JINJA_FLOAT] = "float",
        [JINJA_STRING] = "str",
        [JINJA_LIST] = "list",
        [JINJA_TUPLE] = "tuple",
        [JINJA_MAPPING] = "dict"};
    return v.kind == JINJA_OBJECT ? v.object->class->type_name : names[v.kind];
}

const char *jinja_object_words(struct jinja_value v)
{
    static const char *const words[] = {[JINJA_UNDEFINED] = "undefined",
        [JINJA_NONE] = "None",
        [JINJA_BOOL] = "bool object",
        [JINJA_INT] = "int object",
        [JINJA_FLOAT] = "float object",
        [JINJA_STRING] = "str object",
        [JINJA_LIST] = "list object",
        [JINJA_TUPLE] = "tuple object",
        [JINJA_MAPPING] = "dict object"};
    return v.kind == JINJA_OBJECT ? v.object->class->type_name : words[v.kind];
}

bool jinja_is_true(struct jinja_value v)
{
    switch ((enum jinja_kind)v.kind) {
    case JINJA_UNDEFINED:
    case JINJA_NONE: return false;
    case JINJA_BOOL: return v.boolean;
    case JINJA_INT: return v.integer != 0;
    case JINJA_FLOAT: return v.real != 0;
    case JINJA_STRING: return v.size > 0;
    case JINJA_LIST:
    case JINJA_TUPLE: return v.list->count > 0;
    case JINJA_MAPPING: return v.mapping->live > 0;
    case JINJA_OBJECT: break;
    }
    const struct jinja_class *class = v.object->class;
    if (class->truth)
        return class->truth(v.object);
    return !class->length || class->length(v.object) != 0;
}

enum status jinja_truth(
    struct jinja_render *render, struct jinja_value v, bool *ret, struct error *err)
{
    if (v.kind == JINJA_UNDEFINED) {
        enum status status = jinja_check_defined(render, v, err);
        if (status)
            return status;
    }
    *ret = jinja_is_true(v);
    return OK;
}

enum status jinja_check_defined(
    struct jinja_render *render, struct jinja_value v, struct error *err)
{
    if (v.kind != JINJA_UNDEFINED || !render || !render->strict ||
        (v.missing && v.missing->lenient))
        return OK;
    return jinja_undefined_error(render, v, err);
}

static void suggest_variable(
    struct jinja_render *render, const struct jinja_missing *missing, struct error *err)
{
    const char *names[512];
    size_t count = 0;
    struct jinja_value key, value;
    for (const struct jinja_layer *layer = render->context ? render->context->parent : NULL; layer;
         layer = layer->next)
        for (size_t cursor = 0;
             count < ARRAY_SIZE(names) && jinja_mapping_next(layer->names, &cursor, &key, &value);)
            if (key.kind == JINJA_STRING)
                names[count++] = arena_strndup(render->arena, key.text, key.size);
    const char *word = arena_strndup(render->arena, missing->name.p, missing->name.size);
    const char *near = suggest(word, names, count);
    if (near)
        error_hint(err, "did you mean `%s`?", near);
}

enum status jinja_undefined_error(
    struct jinja_render *render, struct jinja_value v, struct error *err)
{
    const struct jinja_missing *missing = v.missing;
    if (!missing)
        return error_set(err, ERR_TEMPLATE_UNDEFINED, "the value is undefined");
    switch (missing->kind) {
    case MISSING_NAME:
        error_set(err, ERR_TEMPLATE_UNDEFINED, "'%.*s' is undefined", SLICE_ARG(missing->name));
        break;
    case MISSING_ATTRIBUTE:
        error_set(err, ERR_TEMPLATE_UNDEFINED, "'%s' has no attribute '%.*s'", missing->type,
            SLICE_ARG(missing->name));
        break;
    case MISSING_ELEMENT:
        error_set(err, ERR_TEMPLATE_UNDEFINED, "%s has no element %.*s", missing->type,
            SLICE_ARG(missing->name));
        break;
    case MISSING_HINT: error_set(err, ERR_TEMPLATE_UNDEFINED, "%s", missing->hint); break;
    }
    if (!err || !render || missing->kind != MISSING_NAME)
        return ERR_TEMPLATE_UNDEFINED;
    const struct jinja_options *options = jinja_options_of(render->env);
    if (options->undefined_hint)
        options->undefined_hint(options->undefined_hint_user, missing->name, err);
    if (!err->hint[0])
        suggest_variable(render, missing, err);
    return ERR_TEMPLATE_UNDEFINED;
}

enum status jinja_length(
    struct jinja_render *render, struct jinja_value v, int64_t *ret, struct error *err)
{
    enum status status;
    switch ((enum jinja_kind)v.kind) {
    case JINJA_UNDEFINED:
        status = jinja_check_defined(render, v, err);
        *ret = 0;
        return status;
    case JINJA_STRING: *ret = (int64_t)jinja_text_length(jinja_text(v)); return OK;
    case JINJA_LIST:
    case JINJA_TUPLE: *ret = (int64_t)v.list->count; return OK;
    case JINJA_MAPPING: *ret = (int64_t)v.mapping->live; return OK;
    case JINJA_OBJECT:
        if (v.object->class->length && (*ret = v.object->class->length(v.object)) >= 0)
            return OK;
        break;
    default: break;
    }
    return error_set(
        err, ERR_TEMPLATE_TYPE, "object of type '%s' has no len()", jinja_type_name(v));
}

bool jinja_is_number(struct jinja_value v)
{
    return v.kind == JINJA_INT || v.kind == JINJA_FLOAT || v.kind == JINJA_BOOL;
}

bool jinja_is_integer(struct jinja_value v, int64_t *ret)
{
    if (v.kind == JINJA_INT)
        *ret = v.integer;
    else if (v.kind == JINJA_BOOL)
        *ret = v.boolean;
    else
        return false;
    return true;
}

double jinja_number_of(struct jinja_value v)
{
    int64_t integer;
    if (jinja_is_integer(v, &integer))
        return (double)integer;
    return v.kind == JINJA_FLOAT ? v.real : 0;
}

/* Fowler–Noll–Vo over 8 bytes at a time where they are; names are short. */
uint64_t jinja_hash_text(struct slice s)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325) ^ s.size;
    size_t i = 0;
    for (; i + 8 <= s.size; i += 8) {
        uint64_t word;
        memcpy(&word, s.p + i, 8);
        hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    for (; i < s.size; i++)
        hash = (hash ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001B3);
    hash ^= hash >> 32;
    hash *= UINT64_C(0xD6E8FEB86659FD93);
    return hash ^ (hash >> 32);
}

static uint64_t mix(uint64_t h)
{
    h ^= h >> 33;
    h *= UINT64_C(0xFF51AFD7ED558CCD);
    h ^= h >> 33;
    return h;
}

bool jinja_float_to_int(double v, int64_t *ret)
{
    if (!(v > -9223372036854777856.0 && v < 9223372036854775808.0))
        return false;
    *ret = (int64_t)v;
    return true;
}

bool jinja_hash(struct jinja_value v, uint64_t *ret)
{
    int64_t integer;
    switch ((enum jinja_kind)v.kind) {
    case JINJA_UNDEFINED: *ret = 1; return true;
    case JINJA_NONE: *ret = 2; return true;
    case JINJA_BOOL:
    case JINJA_INT:
        jinja_is_integer(v, &integer);
        *ret = mix((uint64_t)integer);
        return true;
    case JINJA_FLOAT:
        if (jinja_float_to_int(v.real, &integer) && (double)integer == v.real)
            *ret = mix((uint64_t)integer);
        else
            memcpy(ret, &v.real, sizeof *ret);
        return true;
    case JINJA_STRING: *ret = jinja_hash_text(jinja_text(v)); return true;
    case JINJA_TUPLE: {
        uint64_t hash = 3, part;
        for (size_t i = 0; i < v.list->count; i++) {
            if (!jinja_hash(v.list->items[i], &part))
                return false;
            hash = mix(hash * 31 + part);
        }
        *ret = hash;
        return true;
    }
    case JINJA_LIST:
    case JINJA_MAPPING: return false;
    case JINJA_OBJECT: break;
    }
    if (v.object->class->hash)
        *ret = v.object->class->hash(v.object);
    else
        *ret = mix((uint64_t)(uintptr_t)v.object);
    return v.object->class->hash || !v.object->class->equal;
}

enum status jinja_hash_or_fail(struct jinja_value v, uint64_t *ret, struct error *err)
{
    return jinja_hash(v, ret)
               ? OK
               : error_set(err, ERR_TEMPLATE_TYPE, "unhashable type: '%s'", jinja_type_name(v));
}
