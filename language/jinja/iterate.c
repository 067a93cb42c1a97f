/*
 * Going through values: lists as they are at each moment, strings by character, mappings by key,
 * objects by what their class says; and the lazy sequences that filters make.
 */
#include "language/jinja/runtime.h"
#include "language/jinja/unicode.h"

enum status jinja_iterate(struct jinja_render *render, struct jinja_value v,
    struct jinja_iteration *ret, struct error *err)
{
    uint8_t marks = v.marks & JINJA_SPREADING_MARKS;
    enum status status = OK;
    for (int depth = 0; v.kind == JINJA_OBJECT && v.object->class->iterate && depth < 8; depth++) {
        struct jinja_value inner = {0};
        status = v.object->class->iterate(render, v.object, &inner, err);
        if (status)
            return status;
        v = inner;
    }
    *ret = (struct jinja_iteration){.source = v, .marks = marks};
    switch ((enum jinja_kind)v.kind) {
    case JINJA_UNDEFINED: return jinja_check_defined(render, v, err);
    case JINJA_STRING:
    case JINJA_LIST:
    case JINJA_TUPLE: return OK;
    case JINJA_MAPPING: ret->size = v.mapping->live; return OK;
    case JINJA_OBJECT:
        if (v.object->class->next)
            return OK;
        break;
    default: break;
    }
    return error_set(err, ERR_TEMPLATE_TYPE, "'%s' object is not iterable", jinja_type_name(v));
}

static enum status next_key(
    struct jinja_iteration *iteration, bool *ret_more, struct jinja_value *ret, struct error *err)
{
    const struct jinja_mapping *mapping = iteration->source.mapping;
    if (mapping->live != iteration->size)
        return error_set(err, ERR_TEMPLATE_VALUE, "dictionary changed size during iteration");
    while (iteration->at < mapping->count && mapping->entries[iteration->at].removed)
        iteration->at++;
    *ret_more = iteration->at < mapping->count;
    if (*ret_more)
        *ret = jinja_mark(mapping->entries[iteration->at++].key, iteration->marks);
    return OK;
}

enum status jinja_next(struct jinja_render *render, struct jinja_iteration *iteration,
    bool *ret_more, struct jinja_value *ret, struct error *err)
{
    struct jinja_value v = iteration->source;
    enum status status = jinja_step(render, err);
    if (status)
        return status;
    switch ((enum jinja_kind)v.kind) {
    case JINJA_STRING:
        *ret_more = iteration->at < v.size;
        if (*ret_more) {
            size_t start = iteration->at;
            jinja_char_next(jinja_text(v), &iteration->at);
            *ret = jinja_mark(
                jinja_slice(slice_make(v.text + start, iteration->at - start)), iteration->marks);
        }
        return OK;
    case JINJA_LIST:
    case JINJA_TUPLE:
        *ret_more = iteration->at < v.list->count;
        if (*ret_more)
            *ret = jinja_mark(v.list->items[iteration->at++], iteration->marks);
        return OK;
    case JINJA_MAPPING: return next_key(iteration, ret_more, ret, err);
    case JINJA_OBJECT:
        status = v.object->class->next(render, v.object, ret_more, ret, err);
        if (!status && *ret_more)
            *ret = jinja_mark(*ret, iteration->marks);
        return status;
    default: *ret_more = false; return OK;
    }
}

enum status jinja_collect(struct jinja_render *render, struct arena *arena, struct jinja_value v,
    struct jinja_value *ret, struct error *err)
{
    struct jinja_iteration iteration;
    struct jinja_value item, list = jinja_list_new(arena, 0);
    bool more = true;
    enum status status = jinja_iterate(render, v, &iteration, err);
    while (!status && more) {
        status = jinja_next(render, &iteration, &more, &item, err);
        if (!status && more)
            jinja_list_add(arena, list, item);
    }
    *ret = list;
    return status;
}

static enum status start(
    struct jinja_render *render, struct jinja_generator *generator, struct error *err)
{
    bool truth = true;
    enum status status = OK;
    generator->started = true;
    if (generator->false_is_empty)
        status = jinja_truth(render, generator->value, &truth, err);
    generator->ended = !truth;
    if (status || !truth)
        return status;
    return jinja_iterate(render, generator->value, &generator->source, err);
}

static enum status generator_next(struct jinja_render *render, struct jinja_object *self,
    bool *ret_more, struct jinja_value *ret, struct error *err)
{
    struct jinja_generator *generator = (struct jinja_generator *)self;
    enum status status = generator->started ? OK : start(render, generator, err);
    *ret_more = false;
    if (!status && !generator->ended)
        status = generator->step(render, generator, ret_more, ret, err);
    if (status || !*ret_more)
        generator->ended = true;
    return status;
}

const struct jinja_class jinja_generator_class = {.type_name = "generator", .next = generator_next};

struct jinja_value jinja_generator_start(
    struct jinja_generator *generator, struct jinja_value value)
{
    generator->object.class = &jinja_generator_class;
    generator->value = value;
    return jinja_object(&generator->object);
}
