/*
 * Constants: what is made of literals alone is computed when the template is parsed.
 *
 * Not for speed alone: Jinja2 does so too, and what it computes then differs here and there from
 * what the same expression gives when it is rendered.  A slice of a value that has none is
 * undefined instead of an error, `~` joins without escaping, and `or` hides what stands to its
 * right, even a filter that does not exist.  The rules are those of `as_const` in jinja2/nodes.py
 * and of jinja2/optimizer.py.
 */
#include <math.h>
#include "language/jinja/resolver.h"
#include "language/jinja/runtime.h"

/* What computing a constant may take; an expression that takes more is left for the rendering. */
enum { FOLD_MEMORY_MAX = 1024 * 1024, FOLD_STEPS_MAX = 200 * 1000, FOLD_DURATION_MS = 200 };

struct jinja_folder {
    struct jinja_render render;
    struct error err;
};

enum constancy {
    NOT_CONSTANT,
    CONSTANT,
    FAILS /* an error that Jinja2's compiler does not catch */
};

static enum constancy value_of(
    struct jinja_resolver *r, const struct jinja_expression *e, struct jinja_value *ret);

static struct jinja_folder *folder_of(struct jinja_resolver *r)
{
    const struct jinja_options *options = jinja_options_of(r->template->env);
    if (r->folder)
        return r->folder;
    struct jinja_folder *folder = r->folder = arena_new_of(r->arena, struct jinja_folder);
    folder->render = (struct jinja_render){.env = r->template->env,
        .arena = r->arena,
        .err = &folder->err,
        .limits = options->limits,
        .strict = options->strict,
        .started = clock_now(),
        .memory_start = arena_used(r->arena),
        .stack_start = __builtin_frame_address(0)};
    struct jinja_limits *limits = &folder->render.limits;
    if (limits->steps > FOLD_STEPS_MAX)
        limits->steps = FOLD_STEPS_MAX;
    if (limits->memory_bytes > FOLD_MEMORY_MAX)
        limits->memory_bytes = FOLD_MEMORY_MAX;
    if (limits->duration_ms > FOLD_DURATION_MS)
        limits->duration_ms = FOLD_DURATION_MS;
    return folder;
}

static enum constancy constant_if(struct jinja_resolver *r, enum status status)
{
    if (!status)
        return CONSTANT;
    r->folder->err = (struct error){0};
    return NOT_CONSTANT;
}

static enum constancy constant_or_fails(enum status status)
{
    return status ? FAILS : CONSTANT;
}

static enum constancy value_of_items(
    struct jinja_resolver *r, const struct jinja_expression *e, struct jinja_value *ret)
{
    struct jinja_value item;
    *ret = e->kind == E_LIST ? jinja_list_new(r->arena, e->list.count)
                             : jinja_tuple_new(r->arena, e->list.count);
    for (size_t i = 0; i < e->list.count; i++) {
        enum constancy constancy = value_of(r, e->list.items[i], &item);
        if (constancy != CONSTANT)
            return constancy;
        jinja_list_add(r->arena, *ret, item);
    }
    return CONSTANT;
}

static enum constancy value_of_dict(
    struct jinja_resolver *r, const struct jinja_expression *e, struct jinja_value *ret)
{
    struct jinja_render *render = &folder_of(r)->render;
    struct jinja_value key, value;
    uint64_t hash;
    *ret = jinja_mapping_new(r->arena);
    for (size_t i = 0; i < e->list.count; i += 2) {
        enum constancy constancy = value_of(r, e->list.items[i], &key);
        if (constancy == CONSTANT)
            constancy = value_of(r, e->list.items[i + 1], &value);
        if (constancy == CONSTANT)
            constancy = constant_or_fails(jinja_check_defined(render, key, render->err));
        if (constancy == CONSTANT)
            constancy = constant_or_fails(jinja_hash_or_fail(key, &hash, render->err));
        if (constancy != CONSTANT)
            return constancy;
        jinja_mapping_set(r->arena, ret->mapping, key, hash, value);
    }
    return CONSTANT;
}

static enum constancy truth_of(struct jinja_resolver *r, const struct jinja_expression *e,
    struct jinja_value *ret, bool *truth)
{
    struct jinja_render *render = &folder_of(r)->render;
    enum constancy constancy = value_of(r, e, ret);
    if (constancy != CONSTANT)
        return constancy;
    return constant_or_fails(jinja_truth(render, *ret, truth, render->err));
}

static enum constancy value_of_pair(
    struct jinja_resolver *r, const struct jinja_expression *e, struct jinja_value *ret)
{
    struct jinja_render *render = &folder_of(r)->render;
    struct jinja_value left, right;
    bool truth;
    enum constancy constancy;
    switch ((enum jinja_expression_kind)e->kind) {
    case E_AND:
    case E_OR:
        constancy = truth_of(r, e->pair.left, ret, &truth);
        if (constancy != CONSTANT || truth == (e->kind == E_OR))
            return constancy;
        return value_of(r, e->pair.right, ret);
    case E_NOT:
        constancy = value_of(r, e->pair.left, &left);
        if (constancy == CONSTANT)
            constancy = constant_if(r, jinja_truth(render, left, &truth, render->err));
        if (constancy == CONSTANT)
            *ret = jinja_bool(!truth);
        return constancy;
    case E_BINARY:
        constancy = value_of(r, e->pair.left, &left);
        if (constancy == CONSTANT)
            constancy = value_of(r, e->pair.right, &right);
        if (constancy != CONSTANT)
            return constancy;
        return constant_if(
            r, jinja_binary(render, (enum jinja_operator)e->op, left, right, ret, render->err));
    default:
        constancy = value_of(r, e->pair.left, &left);
        if (constancy != CONSTANT)
            return constancy;
        return constant_if(r, jinja_negate(render, left, e->kind == E_NEGATE, ret, render->err));
    }
}

static enum constancy value_of_concat(
    struct jinja_resolver *r, const struct jinja_expression *e, struct jinja_value *ret)
{
    struct jinja_render *render = &folder_of(r)->render;
    struct strbuf text = {0};
    enum constancy constancy = CONSTANT;
    for (size_t i = 0; constancy == CONSTANT && i < e->list.count; i++) {
        struct jinja_value item;
        constancy = value_of(r, e->list.items[i], &item);
        if (constancy == CONSTANT)
            constancy = constant_or_fails(jinja_append_text(render, item, &text, render->err));
        if (constancy == CONSTANT && jinja_check_size(render, text.size, render->err) != OK)
            constancy = NOT_CONSTANT;
    }
    *ret = jinja_take_text(r->arena, &text);
    return constancy;
}

static enum constancy value_of_comparison(
    struct jinja_resolver *r, const struct jinja_expression *e, struct jinja_value *ret)
{
    struct jinja_render *render = &folder_of(r)->render;
    struct jinja_value left, right;
    bool holds = true;
    enum constancy constancy = value_of(r, e->compare.first, &left);
    for (size_t i = 0; constancy == CONSTANT && holds && i < e->compare.count; i++) {
        constancy = value_of(r, e->compare.operands[i].value, &right);
        if (constancy == CONSTANT)
            constancy = constant_if(r,
                jinja_compare(render, e->compare.operands[i].op, left, right, &holds, render->err));
        left = right;
    }
    *ret = jinja_bool(holds);
    return constancy;
}

static enum constancy value_of_condition(
    struct jinja_resolver *r, const struct jinja_expression *e, struct jinja_value *ret)
{
    bool truth;
    enum constancy constancy = truth_of(r, e->condition.test, ret, &truth);
    if (constancy != CONSTANT)
        return constancy;
    if (truth)
        return value_of(r, e->condition.then, ret);
    return e->condition.otherwise ? value_of(r, e->condition.otherwise, ret) : NOT_CONSTANT;
}

/* getitem() of Jinja2's environment takes a slice as it takes any key: a value that has none has no
   such element. */
static enum constancy value_of_slice(struct jinja_resolver *r, const struct jinja_expression *e,
    struct jinja_value object, struct jinja_value *ret)
{
    struct jinja_render *render = &folder_of(r)->render;
    const struct jinja_expression *const bounds[] = {e->slice.start, e->slice.stop, e->slice.step};
    struct jinja_value v[] = {jinja_none(), jinja_none(), jinja_none()};
    for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
        enum constancy constancy = bounds[i] ? value_of(r, bounds[i], &v[i]) : CONSTANT;
        if (constancy != CONSTANT)
            return constancy;
    }
    enum status status = jinja_get_slice(render, object, v, ret, render->err);
    if (status == ERR_TEMPLATE_TYPE) {
        render->err->place = (struct place){0};
        *ret = jinja_missing_member(render, object, jinja_string("slice"));
        status = OK;
    }
    return constant_if(r, status);
}

static enum constancy value_of_member(
    struct jinja_resolver *r, const struct jinja_expression *e, struct jinja_value *ret)
{
    struct jinja_render *render = &folder_of(r)->render;
    struct jinja_value object, key;
    bool is_item = e->kind == E_ITEM;
    enum constancy constancy = value_of(r, is_item ? e->item.object : e->attribute.object, &object);
    if (constancy != CONSTANT)
        return constancy;
    if (!is_item)
        return constant_if(
            r, jinja_get_attribute(render, object, e->attribute.name->text, ret, render->err));
    if (e->item.key->kind == E_SLICE)
        return value_of_slice(r, e->item.key, object, ret);
    constancy = value_of(r, e->item.key, &key);
    if (constancy != CONSTANT)
        return constancy;
    return constant_if(r, jinja_get_item(render, object, key, ret, render->err));
}

/* The arguments of a filter or test behind its operand; those with stars are left to the
   rendering, which gives the same. */
static enum constancy values_of_arguments(struct jinja_resolver *r,
    const struct jinja_arguments_node *node, struct jinja_value *args,
    struct jinja_keyword *keywords)
{
    enum constancy constancy = node->rest || node->keyword_rest ? NOT_CONSTANT : CONSTANT;
    for (size_t i = 0; constancy == CONSTANT && i < node->count; i++)
        constancy = value_of(r, node->items[i], &args[i]);
    for (size_t i = 0; constancy == CONSTANT && i < node->keyword_count; i++) {
        keywords[i].name = node->keywords[i].name->text;
        constancy = value_of(r, node->keywords[i].value, &keywords[i].value);
    }
    return constancy;
}

static enum constancy value_of_row(
    struct jinja_resolver *r, const struct jinja_expression *e, struct jinja_value *ret)
{
    struct jinja_render *render = &folder_of(r)->render;
    const struct jinja_arguments_node *node = &e->call.arguments;
    const struct jinja_row *row = jinja_row_of(r, e);
    if (r->escape_unknown || !row || (row->flags & JINJA_ROW_WHEN_RENDERED) || !e->call.callee)
        return NOT_CONSTANT;
    struct jinja_value operand;
    enum constancy constancy = value_of(r, e->call.callee, &operand);
    if (constancy != CONSTANT)
        return constancy;
    struct jinja_value *args = arena_array(r->arena, struct jinja_value, node->count + 1);
    struct jinja_keyword *keywords =
        arena_array(r->arena, struct jinja_keyword, node->keyword_count + 1);
    args[0] = operand;
    constancy = values_of_arguments(r, node, args + 1, keywords);
    if (constancy != CONSTANT)
        return constancy;
    struct jinja_call call = {.render = render,
        .arena = r->arena,
        .args = args,
        .arg_count = node->count + 1,
        .keywords = keywords,
        .keyword_count = node->keyword_count,
        .autoescape = r->escape};
    return constant_if(r, jinja_call_row(row, &call, ret, render->err));
}

static enum constancy value_of(
    struct jinja_resolver *r, const struct jinja_expression *e, struct jinja_value *ret)
{
    switch ((enum jinja_expression_kind)e->kind) {
    case E_CONSTANT:
    case E_CONSTANT_COPY: *ret = e->constant; return CONSTANT;
    case E_LIST:
    case E_TUPLE: return value_of_items(r, e, ret);
    case E_DICT: return value_of_dict(r, e, ret);
    case E_NEGATE:
    case E_POSITIVE:
    case E_NOT:
    case E_BINARY:
    case E_AND:
    case E_OR: return value_of_pair(r, e, ret);
    case E_CONCAT: return value_of_concat(r, e, ret);
    case E_COMPARE: return value_of_comparison(r, e, ret);
    case E_CONDITION: return value_of_condition(r, e, ret);
    case E_ATTRIBUTE:
    case E_ITEM: return value_of_member(r, e, ret);
    case E_FILTER:
    case E_TEST: return value_of_row(r, e, ret);
    case E_NAME:
    case E_NAMESPACE_REF:
    case E_SLICE:
    case E_CALL: break;
    }
    return NOT_CONSTANT;
}

enum writable { WRITABLE, MUTABLE, NO_LITERAL };

/* Whether a value can be written as a literal of Python's.  Jinja2 writes infinity and NaN as names
   that Python does not know, and fails when it meets them: here they are left as they stand. */
static enum writable is_writable(struct jinja_value v)
{
    enum writable worst = WRITABLE, found;
    struct jinja_value key, value;
    switch ((enum jinja_kind)v.kind) {
    case JINJA_UNDEFINED:
    case JINJA_OBJECT: return NO_LITERAL;
    case JINJA_FLOAT: return isfinite(v.real) ? WRITABLE : NO_LITERAL;
    case JINJA_LIST:
    case JINJA_TUPLE:
        if (v.flags & JINJA_FLAG_GROUP)
            return NO_LITERAL;
        worst = v.kind == JINJA_LIST ? MUTABLE : WRITABLE;
        for (size_t i = 0; i < v.list->count; i++) {
            found = is_writable(v.list->items[i]);
            worst = found > worst ? found : worst;
        }
        return worst;
    case JINJA_MAPPING:
        worst = MUTABLE;
        for (size_t cursor = 0; jinja_mapping_next(v, &cursor, &key, &value);) {
            found = is_writable(key);
            worst = found > worst ? found : worst;
            found = is_writable(value);
            worst = found > worst ? found : worst;
        }
        return worst;
    default: return WRITABLE;
    }
}

/* Makes the node the constant, if it can be one. */
static void replace(struct jinja_expression *e, struct jinja_value v)
{
    enum writable writable = is_writable(v);
    if (writable == NO_LITERAL)
        return;
    e->kind = writable == MUTABLE ? E_CONSTANT_COPY : E_CONSTANT;
    e->constant = v;
}

static enum status fold_all(
    struct jinja_resolver *r, struct jinja_expression *const *items, size_t count)
{
    enum status status = OK;
    for (size_t i = 0; !status && i < count; i++)
        status = items[i] ? jinja_fold(r, items[i]) : OK;
    return status;
}

static enum status fold_arguments(
    struct jinja_resolver *r, const struct jinja_arguments_node *arguments)
{
    enum status status = fold_all(r, arguments->items, arguments->count);
    for (size_t i = 0; !status && i < arguments->keyword_count; i++)
        status = jinja_fold(r, arguments->keywords[i].value);
    if (!status)
        status = fold_all(r, &arguments->rest, 1);
    return status ? status : fold_all(r, &arguments->keyword_rest, 1);
}

static enum status fold_parts(struct jinja_resolver *r, struct jinja_expression *e)
{
    enum status status = OK;
    switch ((enum jinja_expression_kind)e->kind) {
    case E_LIST:
    case E_TUPLE:
    case E_DICT:
    case E_CONCAT: return fold_all(r, e->list.items, e->list.count);
    case E_NEGATE:
    case E_POSITIVE:
    case E_NOT:
    case E_BINARY:
    case E_AND:
    case E_OR:
        status = jinja_fold(r, e->pair.left);
        return status ? status : fold_all(r, &e->pair.right, 1);
    case E_COMPARE:
        status = jinja_fold(r, e->compare.first);
        for (size_t i = 0; !status && i < e->compare.count; i++)
            status = jinja_fold(r, e->compare.operands[i].value);
        return status;
    case E_CONDITION:
        return fold_all(r,
            (struct jinja_expression *[]){
                e->condition.test, e->condition.then, e->condition.otherwise},
            3);
    case E_ATTRIBUTE: return jinja_fold(r, e->attribute.object);
    case E_ITEM:
        status = jinja_fold(r, e->item.object);
        return status ? status : jinja_fold(r, e->item.key);
    case E_SLICE:
        return fold_all(
            r, (struct jinja_expression *[]){e->slice.start, e->slice.stop, e->slice.step}, 3);
    case E_CALL:
    case E_FILTER:
    case E_TEST:
        status = fold_all(r, &e->call.callee, 1);
        return status ? status : fold_arguments(r, &e->call.arguments);
    case E_CONSTANT:
    case E_CONSTANT_COPY:
    case E_NAME:
    case E_NAMESPACE_REF: break;
    }
    return OK;
}

enum status jinja_fold(struct jinja_resolver *r, struct jinja_expression *e)
{
    struct jinja_value v;
    if (e->kind == E_NAME || e->kind == E_NAMESPACE_REF || e->kind == E_CONSTANT_COPY)
        return OK;
    enum status status = fold_parts(r, e);
    if (status)
        return status;
    enum constancy constancy = value_of(r, e, &v);
    if (constancy == CONSTANT)
        replace(e, v);
    if (constancy != FAILS)
        return OK;
    jinja_parser_fail_at(r->parser, e->line, e->offset, "%s", r->folder->err.message);
    return ERR_TEMPLATE_SYNTAX;
}

bool jinja_fold_text(struct jinja_resolver *r, struct jinja_expression *e)
{
    struct jinja_value v;
    if (value_of(r, e, &v) != CONSTANT)
        return false;
    struct jinja_render *render = &folder_of(r)->render;
    struct jinja_builder b = {0};
    enum status status = jinja_builder_add_value(&b, render, v, r->escape, render->err);
    struct jinja_value text = jinja_builder_end(&b, r->arena);
    if (constant_if(r, status) != CONSTANT)
        return false;
    e->kind = E_CONSTANT;
    e->constant = jinja_mark(text, JINJA_SAFE);
    return true;
}

bool jinja_fold_truth(struct jinja_resolver *r, const struct jinja_expression *e, bool *ret)
{
    struct jinja_value v;
    return truth_of(r, e, &v, ret) == CONSTANT;
}

struct jinja_value jinja_copy_constant(struct arena *arena, struct jinja_value v)
{
    struct jinja_value copy, key, value;
    switch ((enum jinja_kind)v.kind) {
    case JINJA_LIST:
    case JINJA_TUPLE:
        copy = v.kind == JINJA_LIST ? jinja_list_new(arena, v.list->count)
                                    : jinja_tuple_new(arena, v.list->count);
        for (size_t i = 0; i < v.list->count; i++)
            jinja_list_add(arena, copy, jinja_copy_constant(arena, v.list->items[i]));
        return copy;
    case JINJA_MAPPING:
        copy = jinja_mapping_new(arena);
        for (size_t cursor = 0; jinja_mapping_next(v, &cursor, &key, &value);)
            jinja_mapping_put_value(arena, copy, key, jinja_copy_constant(arena, value));
        return copy;
    default: return v;
    }
}
