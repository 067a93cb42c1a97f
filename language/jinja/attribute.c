/*
 * `x.name`, `x[key]` and `x[a:b:c]`.
 */
#include "language/jinja/runtime.h"
#include "language/jinja/unicode.h"

/* A method taken without calling it. */
struct bound_method {
    struct jinja_object object;
    struct jinja_value self;
    const struct jinja_method *method;
};

static enum status call_bound(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    const struct bound_method *bound = (const struct bound_method *)call->self.object;
    struct jinja_call inner = *call;
    return jinja_call_method(bound->method, bound->self, &inner, ret, err);
}

static const struct jinja_class bound_method_class = {
    .type_name = "builtin_function_or_method", .call = call_bound};

const struct jinja_method *jinja_find_method(struct jinja_value v, struct slice name)
{
    static const struct jinja_method *const tables[] = {[JINJA_BOOL] = jinja_int_methods,
        [JINJA_INT] = jinja_int_methods,
        [JINJA_FLOAT] = jinja_float_methods,
        [JINJA_STRING] = jinja_string_methods,
        [JINJA_LIST] = jinja_list_methods,
        [JINJA_TUPLE] = jinja_tuple_methods,
        [JINJA_MAPPING] = jinja_mapping_methods,
        [JINJA_OBJECT] = NULL};
    const struct jinja_method *row =
        v.kind == JINJA_OBJECT ? v.object->class->methods : tables[v.kind];
    for (; row && row->name; row++)
        if (row->name[0] == name.p[0] && slice_equal_str(name, row->name))
            return row;
    bool markup = v.kind == JINJA_STRING && (v.marks & JINJA_SAFE);
    for (row = markup ? jinja_markup_methods : NULL; row && row->name; row++)
        if (slice_equal_str(name, row->name))
            return row;
    return NULL;
}

bool jinja_is_dict_method(struct slice name)
{
    return name.size && jinja_find_method((struct jinja_value){.kind = JINJA_MAPPING}, name);
}

struct jinja_value jinja_missing_member(
    struct jinja_render *render, struct jinja_value object, struct jinja_value name)
{
    struct jinja_missing *missing = arena_new_of(render->arena, struct jinja_missing);
    missing->type = jinja_object_words(object);
    missing->kind = MISSING_ATTRIBUTE;
    if (name.kind == JINJA_STRING) {
        missing->name = jinja_text(name);
    } else {
        struct strbuf text = {0};
        missing->kind = MISSING_ELEMENT;
        if (jinja_append_repr(render, name, &text, NULL) != OK)
            strbuf_add_str(&text, "…");
        missing->name = slice_make(strbuf_to_arena(&text, render->arena), text.size);
        strbuf_done(&text);
    }
    return (struct jinja_value){.missing = missing};
}

static struct jinja_value group_attribute(struct jinja_value group, struct slice name)
{
    static const char *const names[] = {"grouper", "list"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (slice_equal_str(name, names[i]))
            return jinja_mark(group.list->items[i], group.marks & JINJA_SPREADING_MARKS);
    return (struct jinja_value){0};
}

/* What Python's numbers have: they are fractions and complex as well. */
static struct jinja_value number_attribute(struct jinja_value v, struct slice name)
{
    int64_t integer;
    bool whole = jinja_is_integer(v, &integer);
    struct jinja_value self = whole ? jinja_int(integer) : jinja_float(v.real);
    if (slice_equal_str(name, "real") || (whole && slice_equal_str(name, "numerator")))
        return self;
    if (slice_equal_str(name, "imag"))
        return whole ? jinja_int(0) : jinja_float(0);
    return whole && slice_equal_str(name, "denominator") ? jinja_int(1) : (struct jinja_value){0};
}

enum status jinja_plain_attribute(struct jinja_render *render, struct jinja_value object,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    *ret = (struct jinja_value){0};
    if (object.kind == JINJA_UNDEFINED)
        return jinja_undefined_error(render, object, err);
    if (name.size == 0 || name.p[0] == '_')
        return OK;
    const struct jinja_method *method = jinja_find_method(object, name);
    if (method) {
        struct bound_method *bound = arena_new_of(render->arena, struct bound_method);
        bound->object.class = &bound_method_class;
        bound->self = object;
        bound->method = method;
        *ret = jinja_object(&bound->object);
        return OK;
    }
    if (object.kind == JINJA_TUPLE && (object.flags & JINJA_FLAG_GROUP))
        *ret = group_attribute(object, name);
    if (jinja_is_number(object))
        *ret = number_attribute(object, name);
    if (object.kind != JINJA_OBJECT || !object.object->class->attribute)
        return OK;
    enum status status = object.object->class->attribute(render, object.object, name, ret, err);
    if (!status && ret->kind != JINJA_UNDEFINED)
        *ret = jinja_mark(*ret, object.marks & JINJA_SPREADING_MARKS);
    return status;
}

/* A Python index; SIZE_MAX when it is out of range. */
static size_t sequence_index(int64_t index, size_t count)
{
    if (index < 0)
        index += (int64_t)count;
    return index >= 0 && (uint64_t)index < count ? (size_t)index : SIZE_MAX;
}

/* object[key] alone; absent when there is none. */
static enum status plain_item(struct jinja_render *render, struct jinja_value object,
    struct jinja_value key, struct jinja_value *ret, struct error *err)
{
    int64_t integer;
    uint64_t hash;
    size_t at;
    *ret = (struct jinja_value){0};
    switch ((enum jinja_kind)object.kind) {
    case JINJA_UNDEFINED: return jinja_undefined_error(render, object, err);
    case JINJA_MAPPING:
        if (key.kind == JINJA_UNDEFINED && jinja_check_defined(render, key, err))
            return ERR_TEMPLATE_UNDEFINED;
        if (jinja_hash(key, &hash)) {
            const struct jinja_mapping_entry *entry = jinja_mapping_find(object.mapping, key, hash);
            if (entry)
                *ret = entry->value;
        }
        break;
    case JINJA_LIST:
    case JINJA_TUPLE:
        if (!jinja_is_integer(key, &integer))
            return OK;
        at = sequence_index(integer, object.list->count);
        if (at != SIZE_MAX)
            *ret = object.list->items[at];
        break;
    case JINJA_STRING:
        if (!jinja_is_integer(key, &integer))
            return OK;
        at = sequence_index(integer, jinja_text_length(jinja_text(object)));
        if (at != SIZE_MAX) {
            size_t start = jinja_text_offset(jinja_text(object), at), end = start;
            jinja_char_next(jinja_text(object), &end);
            *ret = jinja_substring(render->arena, object, start, end - start);
        }
        break;
    case JINJA_OBJECT:
        if (object.object->class->item) {
            enum status status = object.object->class->item(render, object.object, key, ret, err);
            if (status)
                return status;
        }
        break;
    default: break;
    }
    if (!jinja_is_absent(*ret))
        *ret = jinja_mark(*ret, object.marks & JINJA_SPREADING_MARKS);
    return OK;
}

enum status jinja_get_attribute(struct jinja_render *render, struct jinja_value object,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    enum status status = jinja_plain_attribute(render, object, name, ret, err);
    if (!status && jinja_is_absent(*ret))
        status = plain_item(render, object, jinja_slice(name), ret, err);
    if (!status && jinja_is_absent(*ret))
        *ret = jinja_missing_member(render, object, jinja_slice(name));
    return status;
}

enum status jinja_get_item(struct jinja_render *render, struct jinja_value object,
    struct jinja_value key, struct jinja_value *ret, struct error *err)
{
    enum status status = plain_item(render, object, key, ret, err);
    if (!status && jinja_is_absent(*ret) && key.kind == JINJA_STRING)
        status = jinja_plain_attribute(render, object, jinja_text(key), ret, err);
    if (!status && jinja_is_absent(*ret))
        *ret = jinja_missing_member(render, object, key);
    return status;
}

/* A bound of a slice: none or an integer. */
static enum status slice_bound(struct jinja_render *render, struct jinja_value v, int64_t absent,
    int64_t *ret, struct error *err)
{
    *ret = absent;
    if (v.kind == JINJA_NONE || jinja_is_integer(v, ret))
        return OK;
    if (v.kind == JINJA_UNDEFINED)
        return jinja_undefined_error(render, v, err);
    return error_set(err, ERR_TEMPLATE_TYPE,
        "slice indices must be integers or None or have an __index__ method");
}

static int64_t clamp_bound(int64_t bound, int64_t count, int64_t low, int64_t high)
{
    if (bound < 0)
        bound += count;
    return bound < low ? low : bound > high ? high : bound;
}

static struct jinja_value slice_text(struct jinja_render *render, struct jinja_value text,
    int64_t start, int64_t count, int64_t step)
{
    struct slice s = jinja_text(text);
    struct jinja_builder b = {.text.arena = render->arena};
    if (count > 0 && step == 1) {
        size_t from = jinja_text_offset(s, (size_t)start);
        size_t size = jinja_text_offset(slice_make(s.p + from, s.size - from), (size_t)count);
        return jinja_substring(render->arena, text, from, size);
    }
    /* Where each character starts, for strides and the way back. */
    size_t length = jinja_text_length(s), at = 0;
    uint32_t *starts = mem_alloc((length + 1) * sizeof *starts);
    for (size_t i = 0; i < length; i++) {
        starts[i] = (uint32_t)at;
        jinja_char_next(s, &at);
    }
    starts[length] = (uint32_t)s.size;
    for (int64_t i = 0; i < count; i++) {
        int64_t index = start + i * step;
        jinja_builder_add_part(&b, text, starts[index], starts[index + 1] - starts[index]);
    }
    mem_free(starts);
    return jinja_mark(jinja_builder_end(&b, render->arena), text.marks);
}

/* What a slice takes of a sequence: `count` items from `from` on, every `by`; `to` is where
   Python's slice.indices() says it ends. */
struct range_of_slice {
    int64_t from, to, by, count;
};

static enum status find_range(struct jinja_render *render, int64_t length,
    const struct jinja_value bounds[3], struct range_of_slice *ret, struct error *err)
{
    int64_t by = 1, from = 0, to = 0;
    enum status status = slice_bound(render, bounds[2], 1, &by, err);
    if (!status && by == 0)
        status = error_set(err, ERR_TEMPLATE_VALUE, "slice step cannot be zero");
    if (!status && (by > INT32_MAX || by < -INT32_MAX))
        by = by > 0 ? INT32_MAX : -INT32_MAX;
    if (!status)
        status = slice_bound(render, bounds[0], by > 0 ? 0 : INT64_MAX, &from, err);
    if (!status)
        status = slice_bound(render, bounds[1], by > 0 ? INT64_MAX : INT64_MIN, &to, err);
    if (status)
        return status;
    int64_t low = by > 0 ? 0 : -1, high = by > 0 ? length : length - 1;
    from = clamp_bound(from, length, low, high);
    to = bounds[1].kind == JINJA_NONE && by < 0 ? -1 : clamp_bound(to, length, low, high);
    int64_t span = by > 0 ? to - from : from - to, stride = by > 0 ? by : -by;
    *ret = (struct range_of_slice){from, to, by, span > 0 ? (span + stride - 1) / stride : 0};
    return OK;
}

enum status jinja_get_slice(struct jinja_render *render, struct jinja_value object,
    const struct jinja_value bounds[3], struct jinja_value *ret, struct error *err)
{
    struct range_of_slice range;
    int64_t length;
    if (object.kind == JINJA_UNDEFINED)
        return jinja_undefined_error(render, object, err);
    const struct jinja_class *class = object.kind == JINJA_OBJECT ? object.object->class : NULL;
    if (object.kind != JINJA_STRING && object.kind != JINJA_LIST && object.kind != JINJA_TUPLE &&
        !(class && class->slice))
        return error_set(err, ERR_TEMPLATE_TYPE,
            object.kind == JINJA_MAPPING ? "unhashable type: 'slice'%.0s"
                                         : "'%s' object is not subscriptable",
            jinja_type_name(object));
    enum status status = jinja_length(render, object, &length, err);
    if (!status)
        status = find_range(render, length, bounds, &range, err);
    if (status)
        return status;
    if (object.kind == JINJA_STRING) {
        *ret = slice_text(render, object, range.from, range.count, range.by);
        return OK;
    }
    if (class) {
        *ret = class->slice(render->arena, object.object, range.from, range.to, range.by);
        return OK;
    }
    *ret = object.kind == JINJA_LIST ? jinja_list_new(render->arena, (size_t)range.count)
                                     : jinja_tuple_new(render->arena, (size_t)range.count);
    for (int64_t i = 0; i < range.count; i++)
        jinja_list_add(render->arena, *ret, object.list->items[range.from + i * range.by]);
    *ret = jinja_mark(*ret, object.marks & JINJA_SPREADING_MARKS);
    return OK;
}
