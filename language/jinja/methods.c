/*
 * The methods of lists, tuples, dicts and numbers that templates use.
 */
#include <math.h>
#include "language/jinja/runtime.h"

typedef const struct jinja_call *call_t;

static enum status list_append(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"object"};
    struct jinja_value v;
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    if (!status)
        status = jinja_check_size(call->render, sizeof v, err);
    if (!status)
        jinja_list_add(call->arena, call->self, v);
    *ret = jinja_none();
    return status;
}

static enum status list_extend(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"iterable"};
    struct jinja_value v, items;
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    if (!status)
        status = jinja_collect(call->render, call->arena, v, &items, err);
    for (size_t i = 0; !status && i < items.list->count; i++)
        jinja_list_add(call->arena, call->self, items.list->items[i]);
    *ret = jinja_none();
    return status;
}

static enum status list_insert(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"index", "object"};
    struct jinja_value values[2];
    int64_t at;
    struct jinja_list *list = call->self.list;
    enum status status = jinja_arguments(call, names, 2, 2, values, err);
    if (!status)
        status = jinja_argument_int(call, "index", values[0], 0, &at, err);
    if (status)
        return status;
    int64_t count = (int64_t)list->count;
    at = at < 0 ? at + count : at;
    at = at < 0 ? 0 : at > count ? count : at;
    jinja_list_add(call->arena, call->self, values[1]);
    memmove(&list->items[at + 1], &list->items[at], (size_t)(count - at) * sizeof list->items[0]);
    list->items[at] = values[1];
    *ret = jinja_none();
    return OK;
}

static enum status list_pop(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"index"};
    struct jinja_value v;
    int64_t at;
    struct jinja_list *list = call->self.list;
    enum status status = jinja_arguments(call, names, 1, 0, &v, err);
    if (!status)
        status = jinja_argument_int(call, "index", v, -1, &at, err);
    if (status)
        return status;
    if (at < 0)
        at += (int64_t)list->count;
    if (at < 0 || at >= (int64_t)list->count)
        return error_set(err, ERR_TEMPLATE_VALUE,
            list->count ? "pop index out of range" : "pop from empty list");
    *ret = list->items[at];
    list->count--;
    memmove(
        &list->items[at], &list->items[at + 1], (list->count - (size_t)at) * sizeof list->items[0]);
    return OK;
}

static bool find_item(
    const struct jinja_list *list, struct jinja_value v, int64_t from, int64_t to, size_t *ret)
{
    for (int64_t i = from; i < to && i < (int64_t)list->count; i++) {
        if (jinja_equal(list->items[i], v)) {
            *ret = (size_t)i;
            return true;
        }
    }
    return false;
}

static enum status list_remove(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value"};
    struct jinja_value v;
    struct jinja_list *list = call->self.list;
    size_t at;
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    if (status)
        return status;
    if (!find_item(list, v, 0, INT64_MAX, &at))
        return error_set(err, ERR_TEMPLATE_VALUE, "list.remove(x): x not in list");
    list->count--;
    memmove(&list->items[at], &list->items[at + 1], (list->count - at) * sizeof list->items[0]);
    *ret = jinja_none();
    return OK;
}

static enum status list_index(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "start", "stop"};
    struct jinja_value values[3];
    int64_t from, to, count = (int64_t)call->self.list->count;
    size_t at;
    enum status status = jinja_arguments(call, names, 3, 1, values, err);
    if (!status)
        status = jinja_argument_int(call, "start", values[1], 0, &from, err);
    if (!status)
        status = jinja_argument_int(call, "stop", values[2], INT64_MAX, &to, err);
    if (status)
        return status;
    from = from < 0 ? (from + count < 0 ? 0 : from + count) : from;
    to = to < 0 ? to + count : to;
    if (!find_item(call->self.list, values[0], from, to, &at))
        return error_set(
            err, ERR_TEMPLATE_VALUE, "the value is not in the %s", jinja_type_name(call->self));
    *ret = jinja_int((int64_t)at);
    return OK;
}

static enum status list_count(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value"};
    struct jinja_value v;
    int64_t count = 0;
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    for (size_t i = 0; !status && i < call->self.list->count; i++)
        count += jinja_equal(call->self.list->items[i], v);
    *ret = jinja_int(count);
    return status;
}

static enum status list_clear(call_t call, struct jinja_value *ret, struct error *err)
{
    enum status status = jinja_arguments(call, NULL, 0, 0, NULL, err);
    call->self.list->count = 0;
    *ret = jinja_none();
    return status;
}

static enum status list_copy(call_t call, struct jinja_value *ret, struct error *err)
{
    enum status status = jinja_arguments(call, NULL, 0, 0, NULL, err);
    return status ? status : jinja_collect(call->render, call->arena, call->self, ret, err);
}

static enum status list_reverse(call_t call, struct jinja_value *ret, struct error *err)
{
    struct jinja_list *list = call->self.list;
    enum status status = jinja_arguments(call, NULL, 0, 0, NULL, err);
    for (size_t i = 0; !status && i < list->count / 2; i++) {
        struct jinja_value v = list->items[i];
        list->items[i] = list->items[list->count - 1 - i];
        list->items[list->count - 1 - i] = v;
    }
    *ret = jinja_none();
    return status;
}

static enum status list_sort(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"key", "reverse"};
    struct jinja_value values[2];
    struct jinja_list *list = call->self.list;
    int64_t reverse;
    enum status status = jinja_arguments(call, names, 2, 0, values, err);
    if (!status && call->arg_count)
        status = error_set(err, ERR_TEMPLATE_TYPE, "sort() takes no positional arguments");
    if (!status)
        status = jinja_argument_int(call, "reverse", values[1], 0, &reverse, err);
    bool has_key = !jinja_is_absent(values[0]) && values[0].kind != JINJA_NONE;
    struct jinja_sort_cell *cells = arena_array(call->arena, struct jinja_sort_cell, list->count);
    for (size_t i = 0; !status && i < list->count; i++) {
        cells[i].key = cells[i].value = list->items[i];
        if (has_key)
            status =
                jinja_call_value(call->render, values[0], &list->items[i], 1, &cells[i].key, err);
    }
    if (!status)
        status = jinja_sort(call->render, cells, list->count, reverse != 0, err);
    for (size_t i = 0; !status && i < list->count; i++)
        list->items[i] = cells[i].value;
    *ret = jinja_none();
    return status;
}

const struct jinja_method jinja_list_methods[] = {{"append", list_append}, {"clear", list_clear},
    {"copy", list_copy}, {"count", list_count}, {"extend", list_extend}, {"index", list_index},
    {"insert", list_insert}, {"pop", list_pop}, {"remove", list_remove}, {"reverse", list_reverse},
    {"sort", list_sort}, {NULL, NULL}};

const struct jinja_method jinja_tuple_methods[] = {
    {"count", list_count}, {"index", list_index}, {NULL, NULL}};

/* dict.keys(), values(), items(): views that follow the dict. */
struct view {
    struct jinja_object object;
    struct jinja_value mapping;
    bool keys, values;
};
struct view_walk {
    struct jinja_object object;
    struct jinja_value mapping;
    size_t at, size;
    bool keys, values;
};

static struct jinja_value view_item(struct arena *arena, struct jinja_value mapping,
    const struct jinja_mapping_entry *entry, bool keys, bool values)
{
    unsigned marks = mapping.marks & JINJA_SPREADING_MARKS;
    if (!keys || !values)
        return jinja_mark(keys ? entry->key : entry->value, marks);
    return jinja_tuple2(arena, jinja_mark(entry->key, marks), jinja_mark(entry->value, marks));
}

static enum status walk_next(struct jinja_render *render, struct jinja_object *self, bool *ret_more,
    struct jinja_value *ret, struct error *err)
{
    struct view_walk *walk = (struct view_walk *)self;
    const struct jinja_mapping *mapping = walk->mapping.mapping;
    if (mapping->live != walk->size)
        return error_set(err, ERR_TEMPLATE_VALUE, "dictionary changed size during iteration");
    while (walk->at < mapping->count && mapping->entries[walk->at].removed)
        walk->at++;
    *ret_more = walk->at < mapping->count;
    if (*ret_more)
        *ret = view_item(
            render->arena, walk->mapping, &mapping->entries[walk->at++], walk->keys, walk->values);
    return OK;
}

static const struct jinja_class walk_class = {.type_name = "dict_itemiterator", .next = walk_next};

static enum status view_iterate(struct jinja_render *render, struct jinja_object *self,
    struct jinja_value *ret, struct error *err)
{
    const struct view *view = (const struct view *)self;
    struct view_walk *walk = arena_new_of(render->arena, struct view_walk);
    (void)err;
    walk->object.class = &walk_class;
    walk->mapping = view->mapping;
    walk->size = view->mapping.mapping->live;
    walk->keys = view->keys;
    walk->values = view->values;
    *ret = jinja_object(&walk->object);
    return OK;
}

static int64_t view_length(struct jinja_object *self)
{
    return (int64_t)((const struct view *)self)->mapping.mapping->live;
}

static enum status view_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    const struct view *view = (const struct view *)self;
    const struct jinja_mapping *mapping = view->mapping.mapping;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct jinja_around around;
    bool again;
    enum status status = jinja_repr_begin(&around, view, &again, err);
    if (status)
        return status;
    if (again) {
        strbuf_add_str(out, "...");
        return OK;
    }
    struct jinja_value list = jinja_list_new(arena, mapping->live);
    for (size_t i = 0; i < mapping->count; i++)
        if (!mapping->entries[i].removed)
            jinja_list_add(arena, list,
                view_item(arena, view->mapping, &mapping->entries[i], view->keys, view->values));
    strbuf_printf(out, "%s(", self->class->type_name);
    status = jinja_append_repr(render, list, out, err);
    strbuf_add_char(out, ')');
    jinja_repr_end(&around);
    return status;
}

/* Keys and items are equal as sets. */
static bool view_equal(struct jinja_object *self, struct jinja_value other)
{
    const struct view *a = (const struct view *)self;
    const struct view *b = (const struct view *)jinja_object_of(other, self->class);
    if (!b || a->mapping.mapping->live != b->mapping.mapping->live)
        return false;
    const struct jinja_mapping *left = a->mapping.mapping, *right = b->mapping.mapping;
    for (size_t i = 0; i < left->count; i++) {
        const struct jinja_mapping_entry *entry = &left->entries[i], *found;
        if (entry->removed)
            continue;
        found = jinja_mapping_find(right, entry->key, entry->hash);
        if (!found || (a->values && !jinja_equal(entry->value, found->value)))
            return false;
    }
    return true;
}

#define VIEW_CLASS(name, equality)                                                                 \
    {                                                                                              \
        .type_name = (name), .iterate = view_iterate, .length = view_length, .text = view_text,    \
        .equal = (equality)                                                                        \
    }
static const struct jinja_class keys_class = VIEW_CLASS("dict_keys", view_equal),
                                values_class = VIEW_CLASS("dict_values", NULL),
                                items_class = VIEW_CLASS("dict_items", view_equal);

static enum status make_view(call_t call, const struct jinja_class *class, bool keys, bool values,
    struct jinja_value *ret, struct error *err)
{
    struct view *view = arena_new_of(call->arena, struct view);
    view->object.class = class;
    view->mapping = call->self;
    view->keys = keys;
    view->values = values;
    *ret = jinja_object(&view->object);
    return jinja_arguments(call, NULL, 0, 0, NULL, err);
}

static enum status dict_keys(call_t call, struct jinja_value *ret, struct error *err)
{
    return make_view(call, &keys_class, true, false, ret, err);
}

static enum status dict_values(call_t call, struct jinja_value *ret, struct error *err)
{
    return make_view(call, &values_class, false, true, ret, err);
}

static enum status dict_items(call_t call, struct jinja_value *ret, struct error *err)
{
    return make_view(call, &items_class, true, true, ret, err);
}

/* The entry of the first argument; *ret_default the second one or none. */
static enum status find_entry(
    call_t call, struct jinja_mapping_entry **ret, struct jinja_value *values, struct error *err)
{
    static const char *const names[] = {"key", "default"};
    uint64_t hash;
    enum status status = jinja_arguments(call, names, 2, 1, values, err);
    if (!status)
        status = jinja_check_defined(call->render, values[0], err);
    if (!status)
        status = jinja_hash_or_fail(values[0], &hash, err);
    if (!status)
        *ret = jinja_mapping_find(call->self.mapping, values[0], hash);
    return status;
}

static enum status dict_get(call_t call, struct jinja_value *ret, struct error *err)
{
    struct jinja_mapping_entry *entry;
    struct jinja_value values[2];
    enum status status = find_entry(call, &entry, values, err);
    if (!status)
        *ret = entry ? entry->value : jinja_is_absent(values[1]) ? jinja_none() : values[1];
    return status;
}

static enum status dict_setdefault(call_t call, struct jinja_value *ret, struct error *err)
{
    struct jinja_mapping_entry *entry;
    struct jinja_value values[2];
    enum status status = find_entry(call, &entry, values, err);
    if (status)
        return status;
    *ret = entry ? entry->value : jinja_is_absent(values[1]) ? jinja_none() : values[1];
    if (!entry)
        jinja_mapping_put_value(call->arena, call->self, values[0], *ret);
    return OK;
}

static enum status dict_pop(call_t call, struct jinja_value *ret, struct error *err)
{
    struct jinja_mapping_entry *entry;
    struct jinja_value values[2];
    enum status status = find_entry(call, &entry, values, err);
    if (status)
        return status;
    if (!entry && jinja_is_absent(values[1]))
        return error_set(err, ERR_TEMPLATE_VALUE, "pop(): the key is not in the dict");
    *ret = entry ? entry->value : values[1];
    if (entry)
        jinja_mapping_remove(call->self.mapping, entry);
    return OK;
}

static enum status dict_popitem(call_t call, struct jinja_value *ret, struct error *err)
{
    struct jinja_mapping *mapping = call->self.mapping;
    enum status status = jinja_arguments(call, NULL, 0, 0, NULL, err);
    size_t at = mapping->count;
    while (at > 0 && mapping->entries[at - 1].removed)
        at--;
    if (!status && at == 0)
        return error_set(err, ERR_TEMPLATE_VALUE, "popitem(): dictionary is empty");
    if (status)
        return status;
    *ret = jinja_tuple2(call->arena, mapping->entries[at - 1].key, mapping->entries[at - 1].value);
    jinja_mapping_remove(mapping, &mapping->entries[at - 1]);
    return OK;
}

static enum status dict_clear(call_t call, struct jinja_value *ret, struct error *err)
{
    enum status status = jinja_arguments(call, NULL, 0, 0, NULL, err);
    jinja_mapping_clear(call->self.mapping);
    *ret = jinja_none();
    return status;
}

static void copy_entries(struct arena *arena, struct jinja_value to, struct jinja_value from)
{
    struct jinja_value key, value;
    for (size_t cursor = 0; jinja_mapping_next(from, &cursor, &key, &value);)
        jinja_mapping_put_value(arena, to, key, value);
}

static enum status dict_copy(call_t call, struct jinja_value *ret, struct error *err)
{
    *ret = jinja_mapping_new(call->arena);
    copy_entries(call->arena, *ret, call->self);
    return jinja_arguments(call, NULL, 0, 0, NULL, err);
}

/* Pairs of an iterable, or another mapping, into `mapping`; also dict(…). */
enum status jinja_mapping_fill(const struct jinja_call *call, struct jinja_value mapping,
    struct jinja_value from, struct error *err)
{
    struct jinja_value items, pair;
    if (from.kind == JINJA_UNDEFINED)
        return jinja_undefined_error(call->render, from, err);
    if (from.kind == JINJA_MAPPING) {
        copy_entries(call->arena, mapping, from);
        return OK;
    }
    enum status status = jinja_collect(call->render, call->arena, from, &items, err);
    for (size_t i = 0; !status && i < items.list->count; i++) {
        uint64_t hash;
        status = jinja_collect(call->render, call->arena, items.list->items[i], &pair, err);
        if (!status && pair.list->count != 2)
            return error_set(err, ERR_TEMPLATE_VALUE,
                "dictionary update sequence element #%zu has length %zu; 2 is required", i,
                pair.list->count);
        if (!status)
            status = jinja_hash_or_fail(pair.list->items[0], &hash, err);
        if (!status)
            jinja_mapping_put_value(call->arena, mapping, pair.list->items[0], pair.list->items[1]);
    }
    return status;
}

static enum status dict_update(call_t call, struct jinja_value *ret, struct error *err)
{
    enum status status = OK;
    *ret = jinja_none();
    if (call->arg_count > 1)
        return error_set(
            err, ERR_TEMPLATE_TYPE, "update expected at most 1 argument, got %zu", call->arg_count);
    if (call->arg_count)
        status = jinja_mapping_fill(call, call->self, call->args[0], err);
    for (size_t i = 0; !status && i < call->keyword_count; i++)
        jinja_mapping_put_value(
            call->arena, call->self, jinja_slice(call->keywords[i].name), call->keywords[i].value);
    return status;
}

static enum status dict_fromkeys(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"iterable", "value"};
    struct jinja_value values[2], keys;
    enum status status = jinja_arguments(call, names, 2, 1, values, err);
    if (!status)
        status = jinja_collect(call->render, call->arena, values[0], &keys, err);
    *ret = jinja_mapping_new(call->arena);
    for (size_t i = 0; !status && i < keys.list->count; i++) {
        uint64_t hash;
        status = jinja_hash_or_fail(keys.list->items[i], &hash, err);
        if (!status)
            jinja_mapping_put_value(call->arena, *ret, keys.list->items[i],
                jinja_is_absent(values[1]) ? jinja_none() : values[1]);
    }
    return status;
}

const struct jinja_method jinja_mapping_methods[] = {{"clear", dict_clear}, {"copy", dict_copy},
    {"fromkeys", dict_fromkeys}, {"get", dict_get}, {"items", dict_items}, {"keys", dict_keys},
    {"pop", dict_pop}, {"popitem", dict_popitem}, {"setdefault", dict_setdefault},
    {"update", dict_update}, {"values", dict_values}, {NULL, NULL}};

static enum status float_is_integer(call_t call, struct jinja_value *ret, struct error *err)
{
    *ret = jinja_bool(isfinite(call->self.real) && floor(call->self.real) == call->self.real);
    return jinja_arguments(call, NULL, 0, 0, NULL, err);
}

const struct jinja_method jinja_float_methods[] = {{"is_integer", float_is_integer}, {NULL, NULL}};

static uint64_t absolute(struct jinja_value integer)
{
    int64_t v = 0;
    jinja_is_integer(integer, &v);
    return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

static enum status int_bit_length(call_t call, struct jinja_value *ret, struct error *err)
{
    uint64_t size = absolute(call->self);
    *ret = jinja_int(size ? 64 - __builtin_clzll(size) : 0);
    return jinja_arguments(call, NULL, 0, 0, NULL, err);
}

static enum status int_bit_count(call_t call, struct jinja_value *ret, struct error *err)
{
    *ret = jinja_int(__builtin_popcountll(absolute(call->self)));
    return jinja_arguments(call, NULL, 0, 0, NULL, err);
}

const struct jinja_method jinja_int_methods[] = {
    {"bit_count", int_bit_count}, {"bit_length", int_bit_length}, {NULL, NULL}};
