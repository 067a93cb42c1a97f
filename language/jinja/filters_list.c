/*
 * Filters of lists and mappings that give a value at once.
 */
#include "language/jinja/filters.h"
#include "language/jinja/unicode.h"

void jinja_getter_init(struct arena *arena, struct jinja_value attribute, struct jinja_getter *ret)
{
    *ret = (struct jinja_getter){0};
    if (jinja_is_absent(attribute) || attribute.kind == JINJA_NONE)
        return;
    size_t count = 1;
    for (size_t i = 0; attribute.kind == JINJA_STRING && i < attribute.size; i++)
        count += attribute.text[i] == '.';
    ret->parts = arena_array(arena, struct jinja_value, count);
    ret->count = count;
    ret->parts[0] = attribute;
    if (attribute.kind != JINJA_STRING)
        return;
    for (size_t i = 0, start = 0; i < count; i++) {
        size_t end = start;
        while (end < attribute.size && attribute.text[end] != '.')
            end++;
        struct slice part = slice_make(attribute.text + start, end - start);
        int64_t number;
        bool digits = part.size > 0 && part.p[0] >= '0' && part.p[0] <= '9';
        ret->parts[i] =
            digits && parse_int64(part, &number) ? jinja_int(number) : jinja_slice(part);
        start = end + 1;
    }
}

enum status jinja_getter_apply(struct jinja_render *render, const struct jinja_getter *getter,
    struct jinja_value item, struct jinja_value *ret, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; !status && i < getter->count; i++) {
        struct jinja_value next;
        status = jinja_get_item(render, item, getter->parts[i], &next, err);
        if (!status && next.kind == JINJA_UNDEFINED && !jinja_is_absent(getter->absent) &&
            getter->absent.kind != JINJA_NONE)
            next = getter->absent;
        item = next;
    }
    if (!status && getter->fold && item.kind == JINJA_STRING) {
        struct strbuf out = {.arena = render->arena};
        jinja_text_lower(jinja_text(item), &out);
        item = jinja_mark(jinja_take_text(render->arena, &out), item.marks);
    }
    *ret = item;
    return status;
}

/* A list's items with the keys they are to be sorted by. */
static enum status make_cells(call_t call, struct jinja_value value,
    const struct jinja_getter *getters, size_t getter_count, struct jinja_sort_cell **ret,
    size_t *ret_count, struct error *err)
{
    struct jinja_value items;
    enum status status = jinja_collect(call->render, call->arena, value, &items, err);
    if (status)
        return status;
    *ret_count = items.list->count;
    *ret = arena_array(call->arena, struct jinja_sort_cell, items.list->count + 1);
    for (size_t i = 0; !status && i < items.list->count; i++) {
        struct jinja_sort_cell *cell = &(*ret)[i];
        cell->value = items.list->items[i];
        if (getter_count == 1) {
            status = jinja_getter_apply(call->render, getters, cell->value, &cell->key, err);
            continue;
        }
        cell->key = jinja_list_new(call->arena, getter_count);
        for (size_t k = 0; !status && k < getter_count; k++) {
            struct jinja_value part;
            status = jinja_getter_apply(call->render, &getters[k], cell->value, &part, err);
            jinja_list_add(call->arena, cell->key, part);
        }
    }
    return status;
}

static struct jinja_value cells_to_list(
    struct arena *arena, const struct jinja_sort_cell *cells, size_t count)
{
    struct jinja_value list = jinja_list_new(arena, count);
    for (size_t i = 0; i < count; i++)
        jinja_list_add(arena, list, cells[i].value);
    return list;
}

/* The sort filter's keys are lists in Jinja2, and equal items of lists are not ordered: keys that
   have no order do no harm as long as all are equal. */
static enum status wrap_keys(
    call_t call, struct jinja_sort_cell *cells, size_t count, struct error *err)
{
    bool awkward = false;
    for (size_t i = 0; i < count; i++)
        awkward |= cells[i].key.kind == JINJA_UNDEFINED || cells[i].key.kind == JINJA_NONE ||
                   cells[i].key.kind == JINJA_MAPPING || cells[i].key.kind == JINJA_OBJECT;
    for (size_t i = 0; awkward && count > 1 && i < count; i++) {
        enum status status = jinja_check_defined(call->render, cells[i].key, err);
        if (status)
            return status;
        struct jinja_value list = jinja_list_new(call->arena, 1);
        jinja_list_add(call->arena, list, cells[i].key);
        cells[i].key = list;
    }
    return OK;
}

static enum status filter_sort(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "reverse", "case_sensitive", "attribute"};
    struct jinja_value values[4];
    struct jinja_sort_cell *cells;
    size_t count, getter_count = 1;
    int64_t reverse;
    enum status status = jinja_arguments(call, names, 4, 1, values, err);
    if (!status)
        status = jinja_argument_int(call, "reverse", values[1], 0, &reverse, err);
    if (status)
        return status;
    bool fold = !jinja_argument_bool(values[2], false);
    struct jinja_value attribute = values[3];
    for (size_t i = 0; attribute.kind == JINJA_STRING && i < attribute.size; i++)
        getter_count += attribute.text[i] == ',';
    struct jinja_getter *getters = arena_array(call->arena, struct jinja_getter, getter_count);
    for (size_t i = 0, start = 0; i < getter_count; i++) {
        struct jinja_value part = attribute;
        if (attribute.kind == JINJA_STRING) {
            size_t end = start;
            while (end < attribute.size && attribute.text[end] != ',')
                end++;
            part = jinja_slice(slice_make(attribute.text + start, end - start));
            start = end + 1;
        }
        jinja_getter_init(call->arena, part, &getters[i]);
        getters[i].fold = fold;
    }
    status = make_cells(call, values[0], getters, getter_count, &cells, &count, err);
    if (!status)
        status = wrap_keys(call, cells, count, err);
    if (!status)
        status = jinja_sort(call->render, cells, count, reverse != 0, err);
    if (!status)
        *ret = cells_to_list(call->arena, cells, count);
    return status;
}

static enum status filter_dictsort(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "case_sensitive", "by", "reverse"};
    struct jinja_value values[4], key, value, pairs = jinja_list_new(call->arena, 0);
    struct jinja_sort_cell *cells;
    struct jinja_getter getter;
    struct slice by;
    size_t count;
    int64_t reverse;
    enum status status = jinja_arguments(call, names, 4, 1, values, err);
    if (!status)
        status = jinja_argument_int(call, "reverse", values[3], 0, &reverse, err);
    if (!status)
        status = jinja_argument_text(call, "by", values[2], "key", &by, err);
    if (status)
        return status;
    bool by_value = slice_equal_str(by, "value");
    if (!by_value && !slice_equal_str(by, "key"))
        return error_set(
            err, ERR_TEMPLATE_VALUE, "You can only sort by either \"key\" or \"value\"");
    if (values[0].kind == JINJA_UNDEFINED)
        return jinja_undefined_error(call->render, values[0], err);
    if (values[0].kind != JINJA_MAPPING)
        return error_set(err, ERR_TEMPLATE_TYPE, "dictsort() takes a mapping, not '%s'",
            jinja_type_name(values[0]));
    for (size_t cursor = 0; jinja_mapping_next(values[0], &cursor, &key, &value);)
        jinja_list_add(call->arena, pairs, jinja_tuple2(call->arena, key, value));
    jinja_getter_init(call->arena, jinja_int(by_value), &getter);
    getter.fold = !jinja_argument_bool(values[1], false);
    status = make_cells(call, pairs, &getter, 1, &cells, &count, err);
    if (!status)
        status = jinja_sort(call->render, cells, count, reverse != 0, err);
    if (!status)
        *ret = cells_to_list(call->arena, cells, count);
    return status;
}

static enum status filter_groupby(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "attribute", "default", "case_sensitive"};
    struct jinja_value values[4], items = {0};
    struct jinja_sort_cell *cells;
    struct jinja_getter getter, plain;
    size_t count;
    enum status status = jinja_arguments(call, names, 4, 2, values, err);
    if (status)
        return status;
    jinja_getter_init(call->arena, values[1], &getter);
    getter.absent = values[2];
    plain = getter;
    getter.fold = !jinja_argument_bool(values[3], false);
    status = make_cells(call, values[0], &getter, 1, &cells, &count, err);
    if (!status)
        status = jinja_sort(call->render, cells, count, false, err);
    *ret = jinja_list_new(call->arena, 0);
    for (size_t i = 0; !status && i < count; i++) {
        if (i == 0 || !jinja_equal(cells[i].key, cells[i - 1].key)) {
            struct jinja_value key, group;
            status = jinja_getter_apply(call->render, &plain, cells[i].value, &key, err);
            items = jinja_list_new(call->arena, 0);
            group = jinja_tuple2(call->arena, key, items);
            group.flags = JINJA_FLAG_GROUP;
            jinja_list_add(call->arena, *ret, group);
        }
        jinja_list_add(call->arena, items, cells[i].value);
    }
    return status;
}

static struct jinja_value missing_value(call_t call, const char *hint)
{
    struct jinja_missing *missing = arena_new_of(call->arena, struct jinja_missing);
    missing->kind = MISSING_HINT;
    missing->hint = hint;
    return (struct jinja_value){.missing = missing};
}

/* min and max, told apart by the filter's name. */
static enum status filter_extreme(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "case_sensitive", "attribute"};
    struct jinja_value values[3];
    struct jinja_sort_cell *cells;
    struct jinja_getter getter;
    size_t count, best = 0;
    bool max = strcmp(call->name, "max") == 0;
    enum status status = jinja_arguments(call, names, 3, 1, values, err);
    if (status)
        return status;
    jinja_getter_init(call->arena, values[2], &getter);
    getter.fold = !jinja_argument_bool(values[1], false);
    status = make_cells(call, values[0], &getter, 1, &cells, &count, err);
    for (size_t i = 1; !status && i < count; i++) {
        bool better;
        status = jinja_compare(call->render, max ? COMPARE_GREATER : COMPARE_LESS, cells[i].key,
            cells[best].key, &better, err);
        if (!status && better)
            best = i;
    }
    if (!status)
        *ret = count ? cells[best].value
                     : missing_value(call, "No aggregated item, sequence was empty.");
    return status;
}

static enum status filter_sum(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"iterable", "attribute", "start"};
    struct jinja_value values[3], item, sum;
    struct jinja_iteration iteration;
    struct jinja_getter getter;
    bool more = true;
    enum status status = jinja_arguments(call, names, 3, 1, values, err);
    if (status)
        return status;
    jinja_getter_init(call->arena, values[1], &getter);
    sum = jinja_is_absent(values[2]) ? jinja_int(0) : values[2];
    if (sum.kind == JINJA_STRING)
        return error_set(
            err, ERR_TEMPLATE_TYPE, "sum() can't sum strings [use ''.join(seq) instead]");
    status = jinja_iterate(call->render, values[0], &iteration, err);
    while (!status) {
        status = jinja_next(call->render, &iteration, &more, &item, err);
        if (status || !more)
            break;
        status = jinja_getter_apply(call->render, &getter, item, &item, err);
        if (!status)
            status = jinja_binary(call->render, JINJA_ADD, sum, item, &sum, err);
    }
    *ret = sum;
    return status;
}

static enum status filter_list(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value"};
    struct jinja_value v;
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    return status ? status : jinja_collect(call->render, call->arena, v, ret, err);
}

static enum status filter_first(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"seq"};
    struct jinja_value v;
    struct jinja_iteration iteration;
    bool more = false;
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    if (!status)
        status = jinja_iterate(call->render, v, &iteration, err);
    if (!status)
        status = jinja_next(call->render, &iteration, &more, ret, err);
    if (!status && !more)
        *ret = missing_value(call, "No first item, sequence was empty.");
    return status;
}

static bool is_reversible(struct jinja_value v)
{
    if (v.kind == JINJA_OBJECT)
        return v.object->class->iterate && v.object->class->length;
    return v.kind == JINJA_STRING || v.kind == JINJA_LIST || v.kind == JINJA_TUPLE ||
           v.kind == JINJA_MAPPING;
}

/* A character of safe text, taken by its number, is safe as well. */
static struct jinja_value item_of(struct jinja_value v, struct jinja_value items, size_t at)
{
    return jinja_mark(items.list->items[at], v.kind == JINJA_STRING ? v.marks & JINJA_SAFE : 0u);
}

static enum status filter_last(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"seq"};
    struct jinja_value v, items;
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    if (!status && v.kind == JINJA_UNDEFINED) {
        status = jinja_check_defined(call->render, v, err);
        *ret = missing_value(call, "No last item, sequence was empty.");
        return status;
    }
    if (!status && !is_reversible(v))
        status =
            error_set(err, ERR_TEMPLATE_TYPE, "'%s' object is not reversible", jinja_type_name(v));
    if (!status)
        status = jinja_collect(call->render, call->arena, v, &items, err);
    if (!status)
        *ret = items.list->count ? item_of(v, items, items.list->count - 1)
                                 : missing_value(call, "No last item, sequence was empty.");
    return status;
}

/* The same rendering always picks the same: what it did so far decides. */
static enum status filter_random(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"seq"};
    struct jinja_value v, items;
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    if (!status && !is_reversible(v) && v.kind != JINJA_UNDEFINED)
        status = error_set(
            err, ERR_TEMPLATE_TYPE, "object of type '%s' has no len()", jinja_type_name(v));
    if (!status)
        status = jinja_collect(call->render, call->arena, v, &items, err);
    if (status)
        return status;
    uint64_t seed = jinja_hash_text(slice_make((const char *)&call->render->steps, 8));
    *ret = items.list->count ? item_of(v, items, seed % items.list->count)
                             : missing_value(call, "No random item, sequence was empty.");
    return OK;
}

static enum status filter_join(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "d", "attribute"};
    struct jinja_value values[3], between, items;
    struct jinja_getter getter;
    bool escape = false;
    enum status status = jinja_arguments(call, names, 3, 1, values, err);
    if (status)
        return status;
    between = jinja_is_absent(values[1]) ? jinja_string("") : values[1];
    jinja_getter_init(call->arena, values[2], &getter);
    status = jinja_filter_text(call, between, &between, err);
    if (!status)
        status = jinja_collect(call->render, call->arena, values[0], &items, err);
    for (size_t i = 0; !status && i < items.list->count; i++) {
        struct jinja_value *item = &items.list->items[i];
        status = jinja_getter_apply(call->render, &getter, *item, item, err);
        escape |= call->autoescape && item->kind == JINJA_STRING && (item->marks & JINJA_SAFE);
    }
    escape |= call->autoescape && (between.marks & JINJA_SAFE);
    struct jinja_builder b = {.text.arena = call->arena};
    for (size_t i = 0; !status && i < items.list->count; i++) {
        if (i)
            status = jinja_builder_add_value(&b, call->render, between, escape, err);
        if (!status)
            status = jinja_builder_add_value(&b, call->render, items.list->items[i], escape, err);
        if (!status)
            status = jinja_check_size(call->render, b.text.size, err);
    }
    /* The parts carry their own marks. */
    *ret = jinja_mark(jinja_builder_end(&b, call->arena), escape ? JINJA_SAFE : 0);
    return status;
}

const struct jinja_row jinja_list_filters[] = {{"dictsort", filter_dictsort, 0, NULL},
    {"first", filter_first, JINJA_ROW_OWN_MARKS, NULL}, {"groupby", filter_groupby, 0, NULL},
    {"join", filter_join, JINJA_ROW_OWN_MARKS, NULL},
    {"last", filter_last, JINJA_ROW_OWN_MARKS, NULL}, {"list", filter_list, 0, NULL},
    {"max", filter_extreme, JINJA_ROW_OWN_MARKS, NULL},
    {"min", filter_extreme, JINJA_ROW_OWN_MARKS, NULL},
    {"random", filter_random, JINJA_ROW_WHEN_RENDERED, NULL}, {"sort", filter_sort, 0, NULL},
    {"sum", filter_sum, 0, NULL}, {NULL, NULL, 0, NULL}};
