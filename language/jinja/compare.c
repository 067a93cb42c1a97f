/*
 * Equality, order, membership, sorting: as Python does them.
 */
#include "language/jinja/runtime.h"

static bool numbers_equal(struct jinja_value a, struct jinja_value b)
{
    int64_t x, y;
    bool a_whole = jinja_is_integer(a, &x), b_whole = jinja_is_integer(b, &y);
    if (a_whole && b_whole)
        return x == y;
    /* The mantissa of a long double holds every 64-bit integer. */
    long double left = a_whole ? (long double)x : (long double)a.real;
    long double right = b_whole ? (long double)y : (long double)b.real;
    return left == right;
}

static bool equal_at(struct jinja_value a, struct jinja_value b, unsigned depth);

static bool lists_equal(const struct jinja_list *a, const struct jinja_list *b, unsigned depth)
{
    if (a == b)
        return true;
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!equal_at(a->items[i], b->items[i], depth))
            return false;
    return true;
}

static bool mappings_equal(
    const struct jinja_mapping *a, const struct jinja_mapping *b, unsigned depth)
{
    if (a == b)
        return true;
    if (a->live != b->live)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct jinja_mapping_entry *entry = &a->entries[i];
        if (entry->removed)
            continue;
        const struct jinja_mapping_entry *other = jinja_mapping_find(b, entry->key, entry->hash);
        if (!other || !equal_at(entry->value, other->value, depth))
            return false;
    }
    return true;
}

static bool equal_at(struct jinja_value a, struct jinja_value b, unsigned depth)
{
    if (++depth > JINJA_NESTING_MAX)
        return false;
    if (jinja_is_number(a) && jinja_is_number(b))
        return numbers_equal(a, b);
    if (a.kind == JINJA_OBJECT && a.object->class->equal)
        return a.object->class->equal(a.object, b);
    if (b.kind == JINJA_OBJECT && b.object->class->equal)
        return b.object->class->equal(b.object, a);
    if (a.kind != b.kind)
        return false;
    switch ((enum jinja_kind)a.kind) {
    case JINJA_STRING: return slice_equal(jinja_text(a), jinja_text(b));
    case JINJA_LIST:
    case JINJA_TUPLE: return lists_equal(a.list, b.list, depth);
    case JINJA_MAPPING: return mappings_equal(a.mapping, b.mapping, depth);
    case JINJA_OBJECT: return a.object == b.object;
    default: return true;
    }
}

bool jinja_equal(struct jinja_value a, struct jinja_value b)
{
    return equal_at(a, b, 0);
}

bool jinja_same(struct jinja_value a, struct jinja_value b)
{
    if (a.kind != b.kind)
        return false;
    switch ((enum jinja_kind)a.kind) {
    case JINJA_LIST:
    case JINJA_TUPLE: return a.list == b.list;
    case JINJA_MAPPING: return a.mapping == b.mapping;
    case JINJA_OBJECT: return a.object == b.object;
    case JINJA_UNDEFINED: return a.missing == b.missing;
    default: return jinja_equal(a, b);
    }
}

static enum status fail_order(
    struct jinja_value a, struct jinja_value b, const char *op, struct error *err)
{
    return error_set(err, ERR_TEMPLATE_TYPE,
        "'%s' not supported between instances of '%s' and '%s'", op, jinja_type_name(a),
        jinja_type_name(b));
}

static int sign_of(long double a, long double b)
{
    return a < b ? -1 : a > b ? 1 : a == b ? 0 : 2; /* 2: not comparable (nan) */
}

static enum status order_lists(
    struct jinja_value a, struct jinja_value b, const char *op, int *ret, struct error *err)
{
    size_t count = a.list->count < b.list->count ? a.list->count : b.list->count;
    for (size_t i = 0; i < count; i++)
        if (!jinja_equal(a.list->items[i], b.list->items[i]))
            return jinja_order(a.list->items[i], b.list->items[i], op, ret, err);
    *ret = sign_of((long double)a.list->count, (long double)b.list->count);
    return OK;
}

static enum status order_objects(
    struct jinja_value a, struct jinja_value b, const char *op, int *ret, struct error *err)
{
    bool known = false, swapped = false;
    enum status status = OK;
    if (a.kind == JINJA_OBJECT && a.object->class->compare)
        status = a.object->class->compare(a.object, b, ret, &known, err);
    if (!status && !known && b.kind == JINJA_OBJECT && b.object->class->compare) {
        status = b.object->class->compare(b.object, a, ret, &known, err);
        swapped = true;
    }
    if (status)
        return status;
    if (!known)
        return fail_order(a, b, op, err);
    if (swapped)
        *ret = -*ret;
    return OK;
}

enum status jinja_order(
    struct jinja_value a, struct jinja_value b, const char *op, int *ret, struct error *err)
{
    if (jinja_is_number(a) && jinja_is_number(b)) {
        int64_t x, y;
        bool a_whole = jinja_is_integer(a, &x), b_whole = jinja_is_integer(b, &y);
        *ret = sign_of(a_whole ? (long double)x : (long double)a.real,
            b_whole ? (long double)y : (long double)b.real);
        return OK;
    }
    if (a.kind == JINJA_OBJECT || b.kind == JINJA_OBJECT)
        return order_objects(a, b, op, ret, err);
    if (a.kind != b.kind)
        return fail_order(a, b, op, err);
    if (a.kind == JINJA_STRING) {
        int order = slice_compare(jinja_text(a), jinja_text(b));
        *ret = order < 0 ? -1 : order > 0;
        return OK;
    }
    if (a.kind == JINJA_LIST || a.kind == JINJA_TUPLE)
        return order_lists(a, b, op, ret, err);
    return fail_order(a, b, op, err);
}

static enum status contains_text(
    struct jinja_value container, struct jinja_value item, bool *ret, struct error *err)
{
    if (item.kind != JINJA_STRING)
        return error_set(err, ERR_TEMPLATE_TYPE,
            "'in <string>' requires string as left operand, not %s", jinja_type_name(item));
    *ret = item.size == 0 || memmem(container.text, container.size, item.text, item.size);
    return OK;
}

enum status jinja_contains(struct jinja_render *render, struct jinja_value container,
    struct jinja_value item, bool *ret, struct error *err)
{
    uint64_t hash;
    enum status status;
    *ret = false;
    if (container.kind == JINJA_STRING)
        return contains_text(container, item, ret, err);
    if (container.kind == JINJA_MAPPING) {
        status = jinja_check_defined(render, item, err);
        if (!status)
            status = jinja_hash_or_fail(item, &hash, err);
        if (!status)
            *ret = jinja_mapping_find(container.mapping, item, hash) != NULL;
        return status;
    }
    if (container.kind == JINJA_UNDEFINED || container.kind == JINJA_LIST ||
        container.kind == JINJA_TUPLE ||
        (container.kind == JINJA_OBJECT &&
            (container.object->class->iterate || container.object->class->next))) {
        struct jinja_iteration iteration;
        struct jinja_value other;
        bool more = true;
        status = jinja_iterate(render, container, &iteration, err);
        while (!status && !*ret && more) {
            status = jinja_next(render, &iteration, &more, &other, err);
            if (!status && more)
                status = jinja_check_defined(render, item, err);
            if (!status && more)
                status = jinja_check_defined(render, other, err);
            if (!status && more)
                *ret = jinja_equal(other, item);
        }
        return status;
    }
    return error_set(err, ERR_TEMPLATE_TYPE, "argument of type '%s' is not iterable",
        jinja_type_name(container));
}

enum status jinja_compare(struct jinja_render *render, enum jinja_comparison op,
    struct jinja_value a, struct jinja_value b, bool *ret, struct error *err)
{
    static const char *const signs[] = {[COMPARE_LESS] = "<",
        [COMPARE_LESS_EQUAL] = "<=",
        [COMPARE_GREATER] = ">",
        [COMPARE_GREATER_EQUAL] = ">="};
    int order = 0;
    enum status status = OK;
    if (op == COMPARE_IN || op == COMPARE_NOT_IN) {
        status = jinja_contains(render, b, a, ret, err);
        *ret = *ret != (op == COMPARE_NOT_IN);
        return status;
    }
    if (a.kind == JINJA_UNDEFINED || b.kind == JINJA_UNDEFINED) {
        struct jinja_value undefined = a.kind == JINJA_UNDEFINED ? a : b;
        if (op != COMPARE_EQUAL && op != COMPARE_NOT_EQUAL)
            return jinja_undefined_error(render, undefined, err);
        status = jinja_check_defined(render, undefined, err);
        if (status)
            return status;
    }
    if (op == COMPARE_EQUAL || op == COMPARE_NOT_EQUAL) {
        *ret = jinja_equal(a, b) == (op == COMPARE_EQUAL);
        return OK;
    }
    status = jinja_order(a, b, signs[op], &order, err);
    if (status)
        return status;
    *ret = (op == COMPARE_LESS && order == -1) || (op == COMPARE_GREATER && order == 1) ||
           (op == COMPARE_LESS_EQUAL && order < 1) ||
           (op == COMPARE_GREATER_EQUAL && (order == 0 || order == 1));
    return OK;
}

/* Whether `a` has to stand behind `b`: equal keys keep their order in both directions. */
static enum status must_follow(
    struct jinja_value a, struct jinja_value b, bool reverse, bool *ret, struct error *err)
{
    int order;
    enum status status =
        reverse ? jinja_order(a, b, "<", &order, err) : jinja_order(b, a, "<", &order, err);
    *ret = !status && order == -1;
    return status;
}

static enum status merge(struct jinja_sort_cell *cells, struct jinja_sort_cell *spare,
    size_t middle, size_t count, bool reverse, struct error *err)
{
    size_t left = 0, right = middle, at = 0;
    while (left < middle && right < count) {
        bool follows;
        enum status status = must_follow(cells[left].key, cells[right].key, reverse, &follows, err);
        if (status)
            return status;
        spare[at++] = cells[follows ? right++ : left++];
    }
    while (left < middle)
        spare[at++] = cells[left++];
    while (right < count)
        spare[at++] = cells[right++];
    memcpy(cells, spare, count * sizeof *cells);
    return OK;
}

static enum status sort_range(struct jinja_sort_cell *cells, struct jinja_sort_cell *spare,
    size_t count, bool reverse, struct error *err)
{
    if (count < 2)
        return OK;
    size_t middle = count / 2;
    enum status status = sort_range(cells, spare, middle, reverse, err);
    if (!status)
        status = sort_range(cells + middle, spare, count - middle, reverse, err);
    return status ? status : merge(cells, spare, middle, count, reverse, err);
}

enum status jinja_sort(struct jinja_render *render, struct jinja_sort_cell *cells, size_t count,
    bool reverse, struct error *err)
{
    for (size_t i = 0; count > 1 && i < count; i++)
        if (cells[i].key.kind == JINJA_UNDEFINED)
            return jinja_undefined_error(render, cells[i].key, err);
    struct jinja_sort_cell *spare = mem_alloc(count * sizeof *spare);
    enum status status = sort_range(cells, spare, count, reverse, err);
    mem_free(spare);
    return status;
}
