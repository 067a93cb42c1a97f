/*
 * Filters that give their result one item at a time, when it is asked for: map, select and their
 * kin, batch, slice, unique, items, reverse.
 */
#include "language/jinja/filters.h"
#include "language/jinja/unicode.h"

/* What map and select do to an item. */
struct pick {
    struct jinja_generator generator;
    struct jinja_getter getter;
    const struct jinja_row *row; /* NULL: the item itself, or its truth */
    struct jinja_value *args;    /* args[0] is the item's place */
    size_t arg_count;
    const struct jinja_keyword *keywords;
    size_t keyword_count;
    bool autoescape, reject;
    const char *problem; /* what is wrong with the arguments: said when the first item comes */
};

static enum status apply(struct jinja_render *render, struct pick *pick, struct jinja_value item,
    struct jinja_value *ret, struct error *err)
{
    struct jinja_call call = {.render = render,
        .arena = render->arena,
        .args = pick->args,
        .arg_count = pick->arg_count,
        .keywords = pick->keywords,
        .keyword_count = pick->keyword_count,
        .autoescape = pick->autoescape};
    pick->args[0] = item;
    return jinja_call_row(pick->row, &call, ret, err);
}

static enum status map_step(struct jinja_render *render, struct jinja_generator *generator,
    bool *ret_more, struct jinja_value *ret, struct error *err)
{
    struct pick *pick = (struct pick *)generator;
    struct jinja_value item;
    enum status status = jinja_next(render, &generator->source, ret_more, &item, err);
    if (status || !*ret_more)
        return status;
    if (pick->problem)
        return error_set(err, ERR_TEMPLATE_TYPE, "%s", pick->problem);
    return pick->row ? apply(render, pick, item, ret, err)
                     : jinja_getter_apply(render, &pick->getter, item, ret, err);
}

static enum status select_step(struct jinja_render *render, struct jinja_generator *generator,
    bool *ret_more, struct jinja_value *ret, struct error *err)
{
    struct pick *pick = (struct pick *)generator;
    for (;;) {
        struct jinja_value v;
        bool truth = false;
        enum status status = jinja_next(render, &generator->source, ret_more, ret, err);
        if (status || !*ret_more)
            return status;
        if (pick->problem)
            return error_set(err, ERR_TEMPLATE_TYPE, "%s", pick->problem);
        status = jinja_getter_apply(render, &pick->getter, *ret, &v, err);
        if (!status && pick->row)
            status = apply(render, pick, v, &v, err);
        if (!status)
            status = jinja_truth(render, v, &truth, err);
        if (status || truth != pick->reject)
            return status;
    }
}

/* The row that `name` names and the arguments behind it. */
static void find_row(call_t call, struct pick *pick, bool is_filter, size_t name_at)
{
    const char *kind = is_filter ? "filter" : "test";
    struct jinja_value name = call->args[name_at];
    struct jinja_symbol symbol = {jinja_text(name), 0};
    if (name.kind == JINJA_STRING)
        pick->row = is_filter ? jinja_find_filter(call->render->env, &symbol)
                              : jinja_find_test(call->render->env, &symbol);
    if (name.kind != JINJA_STRING)
        pick->problem = arena_printf(call->arena, "%s(): a %s's name must be a string, not '%s'",
            call->name, kind, jinja_type_name(name));
    else if (!pick->row)
        pick->problem =
            arena_printf(call->arena, "no %s named '%.*s'", kind, SLICE_ARG(symbol.text));
    pick->arg_count = call->arg_count - name_at;
    pick->args = arena_array(call->arena, struct jinja_value, pick->arg_count);
    for (size_t i = 1; i < pick->arg_count; i++)
        pick->args[i] = call->args[name_at + i];
    if (call->keyword_count)
        pick->keywords =
            arena_memdup(call->arena, call->keywords, call->keyword_count * sizeof *call->keywords);
    pick->keyword_count = call->keyword_count;
}

static void map_attribute(call_t call, struct pick *pick)
{
    struct jinja_value attribute = {0}, absent = {0};
    pick->problem = "map requires a filter argument";
    for (size_t i = 0; i < call->keyword_count; i++) {
        const struct jinja_keyword *keyword = &call->keywords[i];
        if (slice_equal_str(keyword->name, "attribute")) {
            attribute = keyword->value;
            pick->problem = NULL;
        } else if (slice_equal_str(keyword->name, "default")) {
            absent = keyword->value;
        } else {
            pick->problem = arena_printf(
                call->arena, "map(): unexpected keyword argument '%.*s'", SLICE_ARG(keyword->name));
            break;
        }
    }
    jinja_getter_init(call->arena, attribute, &pick->getter);
    pick->getter.absent = absent;
}

static enum status filter_map(call_t call, struct jinja_value *ret, struct error *err)
{
    struct pick *pick = arena_new_of(call->arena, struct pick);
    if (call->arg_count == 0)
        return error_set(err, ERR_TEMPLATE_TYPE, "map() takes a value");
    pick->generator.step = map_step;
    pick->generator.false_is_empty = true;
    pick->autoescape = call->autoescape;
    if (call->arg_count > 1)
        find_row(call, pick, true, 1);
    else
        map_attribute(call, pick);
    *ret = jinja_generator_start(&pick->generator, call->args[0]);
    return OK;
}

/* select, reject, selectattr, rejectattr. */
static enum status filter_select(call_t call, struct jinja_value *ret, struct error *err)
{
    struct pick *pick = arena_new_of(call->arena, struct pick);
    bool attribute = strstr(call->name, "attr") != NULL;
    if (call->arg_count == 0)
        return error_set(err, ERR_TEMPLATE_TYPE, "%s() takes a value", call->name);
    pick->generator.step = select_step;
    pick->generator.false_is_empty = true;
    pick->reject = call->name[0] == 'r';
    pick->autoescape = call->autoescape;
    if (attribute && call->arg_count < 2)
        pick->problem = "Missing parameter for attribute name";
    else if (attribute)
        jinja_getter_init(call->arena, call->args[1], &pick->getter);
    if (call->arg_count > 1 + (size_t)attribute)
        find_row(call, pick, false, 1 + (size_t)attribute);
    *ret = jinja_generator_start(&pick->generator, call->args[0]);
    return OK;
}

struct unique {
    struct jinja_generator generator;
    struct jinja_getter getter;
    struct jinja_value seen;
};

static enum status unique_step(struct jinja_render *render, struct jinja_generator *generator,
    bool *ret_more, struct jinja_value *ret, struct error *err)
{
    struct unique *unique = (struct unique *)generator;
    for (;;) {
        struct jinja_value key;
        uint64_t hash;
        enum status status = jinja_next(render, &generator->source, ret_more, ret, err);
        if (status || !*ret_more)
            return status;
        status = jinja_getter_apply(render, &unique->getter, *ret, &key, err);
        if (!status)
            status = jinja_check_defined(render, key, err);
        if (!status)
            status = jinja_hash_or_fail(key, &hash, err);
        if (status)
            return status;
        if (jinja_mapping_find(unique->seen.mapping, key, hash))
            continue;
        jinja_mapping_set(render->arena, unique->seen.mapping, key, hash, jinja_none());
        return OK;
    }
}

static enum status filter_unique(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "case_sensitive", "attribute"};
    struct jinja_value values[3];
    struct unique *unique = arena_new_of(call->arena, struct unique);
    enum status status = jinja_arguments(call, names, 3, 1, values, err);
    if (status)
        return status;
    unique->generator.step = unique_step;
    unique->seen = jinja_mapping_new(call->arena);
    jinja_getter_init(call->arena, values[2], &unique->getter);
    unique->getter.fold = !jinja_argument_bool(values[1], false);
    *ret = jinja_generator_start(&unique->generator, values[0]);
    return OK;
}

struct batch {
    struct jinja_generator generator;
    struct jinja_value fill;
    int64_t count;
    struct jinja_value waiting; /* a list that is not full yet, absent at first */
};

static enum status batch_step(struct jinja_render *render, struct jinja_generator *generator,
    bool *ret_more, struct jinja_value *ret, struct error *err)
{
    struct batch *batch = (struct batch *)generator;
    if (jinja_is_absent(batch->waiting))
        batch->waiting = jinja_list_new(render->arena, 0);
    for (;;) {
        struct jinja_value item;
        bool more;
        enum status status = jinja_next(render, &generator->source, &more, &item, err);
        if (status)
            return status;
        struct jinja_list *list = batch->waiting.list;
        if (!more) {
            generator->ended = true;
            *ret_more = list->count > 0;
            *ret = batch->waiting;
            bool fills =
                *ret_more && batch->fill.kind != JINJA_NONE && batch->count > (int64_t)list->count;
            if (fills)
                status = jinja_check_size(
                    render, (uint64_t)batch->count * sizeof(struct jinja_value), err);
            while (!status && fills && (int64_t)list->count < batch->count)
                jinja_list_add(render->arena, batch->waiting, batch->fill);
            return status;
        }
        if ((int64_t)list->count == batch->count) {
            *ret = batch->waiting;
            *ret_more = true;
            batch->waiting = jinja_list_new(render->arena, 0);
            jinja_list_add(render->arena, batch->waiting, item);
            return OK;
        }
        jinja_list_add(render->arena, batch->waiting, item);
    }
}

static enum status filter_batch(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "linecount", "fill_with"};
    struct jinja_value values[3];
    int64_t whole;
    struct batch *batch = arena_new_of(call->arena, struct batch);
    enum status status = jinja_arguments(call, names, 3, 2, values, err);
    if (!status && values[1].kind == JINJA_FLOAT && jinja_float_to_int(values[1].real, &whole) &&
        (double)whole == values[1].real)
        values[1] = jinja_int(whole); /* only compared with, unless there is something to fill */
    if (!status)
        status = jinja_argument_int(call, "linecount", values[1], 0, &batch->count, err);
    if (status)
        return status;
    batch->generator.step = batch_step;
    batch->fill = jinja_is_absent(values[2]) ? jinja_none() : values[2];
    *ret = jinja_generator_start(&batch->generator, values[0]);
    return OK;
}

struct slices {
    struct jinja_generator generator;
    struct jinja_value items, fill;
    int64_t count, at, offset;
};

static enum status slice_step(struct jinja_render *render, struct jinja_generator *generator,
    bool *ret_more, struct jinja_value *ret, struct error *err)
{
    struct slices *s = (struct slices *)generator;
    struct jinja_value item;
    bool more = true;
    enum status status = OK;
    if (jinja_is_absent(s->items)) {
        s->items = jinja_list_new(render->arena, 0);
        while (!status && more) {
            status = jinja_next(render, &generator->source, &more, &item, err);
            if (!status && more)
                jinja_list_add(render->arena, s->items, item);
        }
        if (!status && s->count == 0)
            status = error_set(err, ERR_TEMPLATE_VALUE, "integer division or modulo by zero");
    }
    *ret_more = !status && s->at < s->count;
    if (status || !*ret_more)
        return status;
    int64_t length = (int64_t)s->items.list->count;
    int64_t per_slice = length / s->count, extra = length % s->count;
    int64_t start = s->offset + s->at * per_slice;
    bool longer = s->at < extra;
    s->offset += longer;
    int64_t end = s->offset + (s->at + 1) * per_slice;
    *ret = jinja_list_new(render->arena, (size_t)(end - start) + 1);
    for (int64_t i = start; i < end; i++)
        jinja_list_add(render->arena, *ret, s->items.list->items[i]);
    if (s->fill.kind != JINJA_NONE && !longer)
        jinja_list_add(render->arena, *ret, s->fill);
    s->at++;
    return OK;
}

static enum status filter_slice(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "slices", "fill_with"};
    struct jinja_value values[3];
    struct slices *s = arena_new_of(call->arena, struct slices);
    enum status status = jinja_arguments(call, names, 3, 2, values, err);
    if (!status)
        status = jinja_argument_int(call, "slices", values[1], 0, &s->count, err);
    if (status)
        return status;
    s->generator.step = slice_step;
    s->fill = jinja_is_absent(values[2]) ? jinja_none() : values[2];
    *ret = jinja_generator_start(&s->generator, values[0]);
    return OK;
}

static enum status plain_step(struct jinja_render *render, struct jinja_generator *generator,
    bool *ret_more, struct jinja_value *ret, struct error *err)
{
    return jinja_next(render, &generator->source, ret_more, ret, err);
}

static enum status filter_items(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value"};
    struct jinja_value v, key, value;
    struct jinja_generator *generator = arena_new_of(call->arena, struct jinja_generator);
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    if (!status && v.kind != JINJA_MAPPING && v.kind != JINJA_UNDEFINED)
        status = error_set(err, ERR_TEMPLATE_TYPE, "Can only get item pairs from a mapping.");
    if (status)
        return status;
    struct jinja_value pairs = jinja_list_new(call->arena, 0);
    for (size_t cursor = 0; jinja_mapping_next(v, &cursor, &key, &value);)
        jinja_list_add(call->arena, pairs, jinja_tuple2(call->arena, key, value));
    generator->step = plain_step;
    *ret = jinja_generator_start(generator, pairs);
    return OK;
}

static struct jinja_value reversed_text(call_t call, struct jinja_value text)
{
    struct slice s = jinja_text(text);
    struct jinja_builder b = {.text.arena = call->arena};
    for (size_t at = s.size; at > 0;) {
        size_t end = at;
        jinja_char_previous(s, &at);
        jinja_builder_add_part(&b, text, at, end - at);
    }
    return jinja_mark(jinja_builder_end(&b, call->arena), text.marks);
}

static enum status filter_reverse(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value"};
    struct jinja_value v, items;
    struct jinja_generator *generator = arena_new_of(call->arena, struct jinja_generator);
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    if (!status && v.kind == JINJA_STRING) {
        *ret = reversed_text(call, v);
        return OK;
    }
    if (!status)
        status = jinja_collect(call->render, call->arena, v, &items, err);
    if (status)
        return status;
    struct jinja_list *list = items.list;
    for (size_t i = 0; i < list->count / 2; i++) {
        struct jinja_value swapped = list->items[i];
        list->items[i] = list->items[list->count - 1 - i];
        list->items[list->count - 1 - i] = swapped;
    }
    *ret = items;
    /* Python reverses what has no end to start from by making a list of it. */
    if (v.kind == JINJA_OBJECT && !v.object->class->length)
        return OK;
    generator->step = plain_step;
    *ret = jinja_generator_start(generator, items);
    return OK;
}

const struct jinja_row jinja_pick_filters[] = {{"batch", filter_batch, 0, NULL},
    {"items", filter_items, 0, NULL}, {"map", filter_map, JINJA_ROW_WHEN_RENDERED, NULL},
    {"reject", filter_select, JINJA_ROW_WHEN_RENDERED, NULL},
    {"rejectattr", filter_select, JINJA_ROW_WHEN_RENDERED, NULL},
    {"reverse", filter_reverse, 0, NULL}, {"select", filter_select, JINJA_ROW_WHEN_RENDERED, NULL},
    {"selectattr", filter_select, JINJA_ROW_WHEN_RENDERED, NULL}, {"slice", filter_slice, 0, NULL},
    {"unique", filter_unique, 0, NULL}, {NULL, NULL, 0, NULL}};
