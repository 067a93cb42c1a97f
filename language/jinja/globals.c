/*
 * The global functions: range, dict, namespace, cycler, joiner (and lipsum, in lipsum.c).
 */
#include "language/jinja/runtime.h"

typedef const struct jinja_call *call_t;

struct range {
    struct jinja_object object;
    int64_t start, stop, step, count;
};
struct range_walk {
    struct jinja_object object;
    const struct range *range;
    int64_t at;
};

static struct jinja_value range_new(struct arena *arena, int64_t start, int64_t stop, int64_t step);

static enum status walk_next(struct jinja_render *render, struct jinja_object *self, bool *ret_more,
    struct jinja_value *ret, struct error *err)
{
    struct range_walk *walk = (struct range_walk *)self;
    (void)render, (void)err;
    *ret_more = walk->at < walk->range->count;
    if (*ret_more)
        *ret = jinja_int(walk->range->start + walk->at++ * walk->range->step);
    return OK;
}

static const struct jinja_class walk_class = {.type_name = "range_iterator", .next = walk_next};

static enum status range_iterate(struct jinja_render *render, struct jinja_object *self,
    struct jinja_value *ret, struct error *err)
{
    struct range_walk *walk = arena_new_of(render->arena, struct range_walk);
    (void)err;
    walk->object.class = &walk_class;
    walk->range = (const struct range *)self;
    *ret = jinja_object(&walk->object);
    return OK;
}

static int64_t range_length(struct jinja_object *self)
{
    return ((const struct range *)self)->count;
}

static enum status range_item(struct jinja_render *render, struct jinja_object *self,
    struct jinja_value key, struct jinja_value *ret, struct error *err)
{
    const struct range *range = (const struct range *)self;
    int64_t at;
    (void)render, (void)err;
    if (!jinja_is_integer(key, &at))
        return OK;
    at = at < 0 ? at + range->count : at;
    if (at >= 0 && at < range->count)
        *ret = jinja_int(range->start + at * range->step);
    return OK;
}

static struct jinja_value range_slice(
    struct arena *arena, struct jinja_object *self, int64_t from, int64_t to, int64_t by)
{
    const struct range *range = (const struct range *)self;
    int64_t step;
    if (__builtin_mul_overflow(by, range->step, &step))
        step = (by < 0) == (range->step < 0) ? INT64_MAX / 4 : INT64_MIN / 4;
    return range_new(
        arena, range->start + from * range->step, range->start + to * range->step, step);
}

static enum status range_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    const struct range *range = (const struct range *)self;
    (void)render, (void)err;
    strbuf_printf(out, range->step == 1 ? "range(%lld, %lld)" : "range(%lld, %lld, %lld)",
        (long long)range->start, (long long)range->stop, (long long)range->step);
    return OK;
}

static bool range_equal(struct jinja_object *self, struct jinja_value other)
{
    const struct range *a = (const struct range *)self;
    const struct range *b = (const struct range *)jinja_object_of(other, self->class);
    return b && a->count == b->count &&
           (a->count == 0 || (a->start == b->start && (a->count == 1 || a->step == b->step)));
}

static uint64_t range_hash(struct jinja_object *self)
{
    const struct range *range = (const struct range *)self;
    uint64_t hash = (uint64_t)range->count;
    if (range->count)
        hash = hash * 31 + (uint64_t)range->start;
    return range->count > 1 ? hash * 31 + (uint64_t)range->step : hash;
}

/* Where `v` stands in the range; -1 when it does not. */
static int64_t find_in_range(const struct range *range, struct jinja_value v)
{
    int64_t number;
    bool whole = jinja_is_integer(v, &number);
    if (v.kind == JINJA_FLOAT && v.real >= -0x1p62 && v.real <= 0x1p62) {
        number = (int64_t)v.real;
        whole = (double)number == v.real;
    }
    if (!whole || (number - range->start) % range->step)
        return -1;
    int64_t at = (number - range->start) / range->step;
    return at >= 0 && at < range->count ? at : -1;
}

static enum status range_find(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value"};
    struct jinja_value v;
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    int64_t at = status ? -1 : find_in_range((const struct range *)call->self.object, v);
    if (!status && strcmp(call->name, "count") == 0)
        *ret = jinja_int(at >= 0);
    else if (!status && at < 0)
        status = error_set(err, ERR_TEMPLATE_VALUE, "the value is not in the range");
    else
        *ret = jinja_int(at);
    return status;
}

static const struct jinja_method range_methods[] = {
    {"count", range_find}, {"index", range_find}, {NULL, NULL}};

static enum status range_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    const struct range *range = (const struct range *)self;
    (void)render, (void)err;
    if (slice_equal_str(name, "start"))
        *ret = jinja_int(range->start);
    else if (slice_equal_str(name, "stop"))
        *ret = jinja_int(range->stop);
    else if (slice_equal_str(name, "step"))
        *ret = jinja_int(range->step);
    return OK;
}

static const struct jinja_class range_class = {.type_name = "range",
    .methods = range_methods,
    .attribute = range_attribute,
    .iterate = range_iterate,
    .length = range_length,
    .item = range_item,
    .slice = range_slice,
    .text = range_text,
    .equal = range_equal,
    .hash = range_hash,
    .is_sequence = true};

static enum status make_range(call_t call, struct jinja_value *ret, struct error *err)
{
    int64_t v[3] = {0, 0, 1};
    if (call->arg_count < 1 || call->arg_count > 3 || call->keyword_count)
        return error_set(err, ERR_TEMPLATE_TYPE, "range expected 1 to 3 arguments, got %zu",
            call->arg_count + call->keyword_count);
    for (size_t i = 0; i < call->arg_count; i++) {
        size_t at = call->arg_count == 1 ? 1 : i;
        if (call->args[i].kind == JINJA_UNDEFINED)
            return jinja_undefined_error(call->render, call->args[i], err);
        if (!jinja_is_integer(call->args[i], &v[at]))
            return error_set(err, ERR_TEMPLATE_TYPE,
                "'%s' object cannot be interpreted as an integer", jinja_type_name(call->args[i]));
        if (v[at] > INT64_MAX / 4 || v[at] < INT64_MIN / 4)
            return error_set(err, ERR_TEMPLATE_VALUE, "range(): the number is too large");
    }
    if (v[2] == 0)
        return error_set(err, ERR_TEMPLATE_VALUE, "range() arg 3 must not be zero");
    *ret = range_new(call->arena, v[0], v[1], v[2]);
    return OK;
}

static struct jinja_value range_new(struct arena *arena, int64_t start, int64_t stop, int64_t step)
{
    struct range *range = arena_new_of(arena, struct range);
    int64_t span = step > 0 ? stop - start : start - stop, stride = step > 0 ? step : -step;
    *range = (struct range){.object.class = &range_class,
        .start = start,
        .stop = stop,
        .step = step,
        .count = span > 0 ? (span + stride - 1) / stride : 0};
    return jinja_object(&range->object);
}

static enum status fill_mapping(
    call_t call, struct jinja_value mapping, const char *what, struct error *err)
{
    enum status status = OK;
    if (call->arg_count > 1)
        return error_set(err, ERR_TEMPLATE_TYPE, "%s expected at most 1 argument, got %zu", what,
            call->arg_count);
    if (call->arg_count)
        status = jinja_mapping_fill(call, mapping, call->args[0], err);
    for (size_t i = 0; !status && i < call->keyword_count; i++)
        jinja_mapping_put_value(
            call->arena, mapping, jinja_slice(call->keywords[i].name), call->keywords[i].value);
    return status;
}

static enum status make_dict(call_t call, struct jinja_value *ret, struct error *err)
{
    *ret = jinja_mapping_new(call->arena);
    enum status status = fill_mapping(call, *ret, "dict", err);
    *ret = jinja_mark(*ret, jinja_marks_of_call(call));
    return status;
}

/* `dict.fromkeys(…)`, the one method that needs no dict. */
static enum status dict_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    (void)self;
    if (!slice_equal_str(name, "fromkeys"))
        return OK;
    return jinja_plain_attribute(render, jinja_mapping_new(render->arena), name, ret, err);
}

static enum status dict_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    (void)render, (void)self, (void)err;
    strbuf_add_str(out, "<class 'dict'>");
    return OK;
}

static const struct jinja_class dict_class = {
    .type_name = "type", .call = make_dict, .attribute = dict_attribute, .text = dict_text};

struct jinja_value jinja_dict_type(void)
{
    static struct jinja_object type = {&dict_class};
    return jinja_object(&type);
}

struct namespace
{
    struct jinja_object object;
    struct jinja_value attributes;
};

static enum status namespace_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    (void)render, (void)err;
    *ret = jinja_mapping_get_value(((const struct namespace *)self)->attributes, jinja_slice(name));
    return OK;
}

static enum status namespace_set(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value value, struct error *err)
{
    (void)err;
    jinja_mapping_put_value(
        render->arena, ((struct namespace *)self)->attributes, jinja_slice(name), value);
    return OK;
}

static enum status namespace_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    strbuf_add_str(out, "<Namespace ");
    enum status status =
        jinja_append_repr(render, ((const struct namespace *)self)->attributes, out, err);
    strbuf_add_char(out, '>');
    return status;
}

const struct jinja_class jinja_namespace_class = {.type_name = "Namespace",
    .attribute = namespace_attribute,
    .set_attribute = namespace_set,
    .text = namespace_text};

static enum status make_namespace(call_t call, struct jinja_value *ret, struct error *err)
{
    struct namespace *namespace = arena_new_of(call->arena, struct namespace);
    namespace->object.class = &jinja_namespace_class;
    namespace->attributes = jinja_mapping_new(call->arena);
    *ret = jinja_object(&namespace->object);
    return fill_mapping(call, namespace->attributes, "namespace", err);
}

struct cycler {
    struct jinja_object object;
    struct jinja_value items;
    size_t at;
};

static enum status cycler_next(call_t call, struct jinja_value *ret, struct error *err)
{
    struct cycler *cycler = (struct cycler *)call->self.object;
    *ret = cycler->items.list->items[cycler->at];
    cycler->at = (cycler->at + 1) % cycler->items.list->count;
    return jinja_arguments(call, NULL, 0, 0, NULL, err);
}

static enum status cycler_reset(call_t call, struct jinja_value *ret, struct error *err)
{
    ((struct cycler *)call->self.object)->at = 0;
    *ret = jinja_none();
    return jinja_arguments(call, NULL, 0, 0, NULL, err);
}

static enum status cycler_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    const struct cycler *cycler = (const struct cycler *)self;
    (void)render, (void)err;
    if (slice_equal_str(name, "current"))
        *ret = cycler->items.list->items[cycler->at];
    else if (slice_equal_str(name, "pos"))
        *ret = jinja_int((int64_t)cycler->at);
    else if (slice_equal_str(name, "items"))
        *ret = cycler->items;
    return OK;
}

static const struct jinja_method cycler_methods[] = {
    {"next", cycler_next}, {"reset", cycler_reset}, {NULL, NULL}};
static const struct jinja_class cycler_class = {
    .type_name = "Cycler", .methods = cycler_methods, .attribute = cycler_attribute};

static enum status make_cycler(call_t call, struct jinja_value *ret, struct error *err)
{
    if (call->arg_count == 0 || call->keyword_count)
        return error_set(err, ERR_TEMPLATE_TYPE, "at least one item has to be provided");
    struct cycler *cycler = arena_new_of(call->arena, struct cycler);
    cycler->object.class = &cycler_class;
    cycler->items = jinja_tuple_new(call->arena, call->arg_count);
    for (size_t i = 0; i < call->arg_count; i++)
        jinja_list_add(call->arena, cycler->items, call->args[i]);
    *ret = jinja_object(&cycler->object);
    return OK;
}

struct joiner {
    struct jinja_object object;
    struct jinja_value separator;
    bool used;
};

static enum status joiner_call(call_t call, struct jinja_value *ret, struct error *err)
{
    struct joiner *joiner = (struct joiner *)call->self.object;
    *ret = joiner->used ? joiner->separator : jinja_string("");
    joiner->used = true;
    return jinja_arguments(call, NULL, 0, 0, NULL, err);
}

static enum status joiner_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    const struct joiner *joiner = (const struct joiner *)self;
    (void)render, (void)err;
    if (slice_equal_str(name, "sep"))
        *ret = joiner->separator;
    else if (slice_equal_str(name, "used"))
        *ret = jinja_bool(joiner->used);
    return OK;
}

static const struct jinja_class joiner_class = {
    .type_name = "Joiner", .call = joiner_call, .attribute = joiner_attribute};

static enum status make_joiner(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"sep"};
    struct jinja_value separator;
    struct joiner *joiner = arena_new_of(call->arena, struct joiner);
    enum status status = jinja_arguments(call, names, 1, 0, &separator, err);
    joiner->object.class = &joiner_class;
    joiner->separator = jinja_is_absent(separator) ? jinja_string(", ") : separator;
    *ret = jinja_object(&joiner->object);
    return status;
}

const struct jinja_row jinja_global_functions[] = {{"cycler", make_cycler, 0, NULL},
    {"joiner", make_joiner, 0, NULL}, {"lipsum", jinja_lipsum, 0, NULL},
    {"namespace", make_namespace, 0, NULL}, {"range", make_range, 0, NULL}, {NULL, NULL, 0, NULL}};
