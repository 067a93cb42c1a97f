/*
 * The places of names in expressions and targets.
 */
#include "language/jinja/resolver.h"

void jinja_resolve_name(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_expression *e)
{
    struct jinja_location location;
    (void)r;
    if (!jinja_frame_find(frame, e->variable.name, &location)) {
        /* Only a set block's filter reads names that its frames have not listed. */
        jinja_frame_load(frame, e->variable.name, e->offset);
        jinja_frame_find(frame, e->variable.name, &location);
    }
    e->variable.place = jinja_place_from(frame->function, location);
    struct jinja_missing *missing = arena_new_of(r->arena, struct jinja_missing);
    missing->kind = MISSING_NAME;
    missing->name = e->variable.name->text;
    e->variable.missing = missing;
}

static enum status resolve(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_expression *e);

const struct jinja_row *jinja_row_of(
    const struct jinja_resolver *r, const struct jinja_expression *e)
{
    return e->kind == E_FILTER ? jinja_find_filter(r->template->env, e->call.name)
                               : jinja_find_test(r->template->env, e->call.name);
}

static enum status resolve_arguments(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, const struct jinja_arguments_node *a)
{
    enum status status = OK;
    for (size_t i = 0; !status && i < a->count; i++)
        status = resolve(r, frame, a->items[i]);
    for (size_t i = 0; !status && i < a->keyword_count; i++)
        status = resolve(r, frame, a->keywords[i].value);
    if (!status)
        status = resolve(r, frame, a->rest);
    return status ? status : resolve(r, frame, a->keyword_rest);
}

static enum status resolve_row(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_expression *e)
{
    bool is_filter = e->kind == E_FILTER;
    e->call.row = jinja_row_of(r, e);
    if (!e->call.row && !frame->soft) {
        jinja_parser_fail_at(r->parser, e->line, e->offset, "no %s named '%.*s'",
            is_filter ? "filter" : "test", SLICE_ARG(e->call.name->text));
        jinja_suggest_row(r->template->env, is_filter, e->call.name->text, r->err);
        return ERR_TEMPLATE_SYNTAX;
    }
    enum status status = resolve(r, frame, e->call.callee);
    return status ? status : resolve_arguments(r, frame, &e->call.arguments);
}

static enum status resolve_condition(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_expression *e)
{
    bool soft = frame->soft;
    frame->soft = true;
    enum status status = resolve(r, frame, e->condition.then);
    if (!status)
        status = resolve(r, frame, e->condition.test);
    if (!status)
        status = resolve(r, frame, e->condition.otherwise);
    frame->soft = soft;
    struct jinja_missing *missing = arena_new_of(r->arena, struct jinja_missing);
    missing->kind = MISSING_HINT;
    missing->lenient = true;
    missing->hint = "the inline if-expression evaluated to false and no else section was defined";
    e->condition.missing = missing;
    return status;
}

static enum status resolve_items(struct jinja_resolver *r, struct jinja_frame_scope *frame,
    struct jinja_expression *const *items, size_t count)
{
    enum status status = OK;
    for (size_t i = 0; !status && i < count; i++)
        status = resolve(r, frame, items[i]);
    return status;
}

static enum status resolve(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_expression *e)
{
    enum status status = OK;
    if (!e)
        return OK;
    switch ((enum jinja_expression_kind)e->kind) {
    case E_CONSTANT:
    case E_CONSTANT_COPY: return OK;
    case E_NAME:
    case E_NAMESPACE_REF: jinja_resolve_name(r, frame, e); return OK;
    case E_LIST:
    case E_TUPLE:
    case E_DICT: return resolve_items(r, frame, e->list.items, e->list.count);
    case E_CONCAT:
        /* Jinja2 asks whether the context is volatile, which it never is. */
        e->op = r->escape && !r->escape_unknown ? ESCAPE_YES : ESCAPE_NO;
        return resolve_items(r, frame, e->list.items, e->list.count);
    case E_NEGATE:
    case E_POSITIVE:
    case E_NOT:
    case E_BINARY:
    case E_AND:
    case E_OR:
        status = resolve(r, frame, e->pair.left);
        return status ? status : resolve(r, frame, e->pair.right);
    case E_COMPARE:
        status = resolve(r, frame, e->compare.first);
        for (size_t i = 0; !status && i < e->compare.count; i++)
            status = resolve(r, frame, e->compare.operands[i].value);
        return status;
    case E_CONDITION: return resolve_condition(r, frame, e);
    case E_ATTRIBUTE:
        e->flag = jinja_is_dict_method(e->attribute.name->text);
        return resolve(r, frame, e->attribute.object);
    case E_ITEM:
        status = resolve(r, frame, e->item.object);
        return status ? status : resolve(r, frame, e->item.key);
    case E_SLICE:
        status = resolve(r, frame, e->slice.start);
        if (!status)
            status = resolve(r, frame, e->slice.stop);
        return status ? status : resolve(r, frame, e->slice.step);
    case E_CALL:
        status = resolve(r, frame, e->call.callee);
        return status ? status : resolve_arguments(r, frame, &e->call.arguments);
    case E_FILTER:
    case E_TEST: return resolve_row(r, frame, e);
    }
    return OK;
}

/* Literals of lists and mappings are computed when they are part of something. */
static enum status fold(struct jinja_resolver *r, struct jinja_expression *e)
{
    enum status status = OK;
    switch ((enum jinja_expression_kind)e->kind) {
    case E_LIST:
    case E_TUPLE:
    case E_DICT:
        for (size_t i = 0; !status && i < e->list.count; i++)
            status = fold(r, e->list.items[i]);
        return status;
    default: return jinja_fold(r, e);
    }
}

enum status jinja_resolve_expression(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_expression *e)
{
    enum status status = e && !r->escape_unknown ? fold(r, e) : OK;
    return status ? status : resolve(r, frame, e);
}

/* A target of `set` and `for`; `exported`: what is assigned is seen by templates that import this
   one. */
enum status jinja_resolve_target(struct jinja_resolver *r, struct jinja_frame_scope *frame,
    struct jinja_expression *e, bool exported)
{
    if (e->kind == E_TUPLE) {
        enum status status = OK;
        for (size_t i = 0; !status && i < e->list.count; i++)
            status = jinja_resolve_target(r, frame, e->list.items[i], exported);
        return status;
    }
    if (e->kind == E_NAME && r->loops && slice_equal_str(e->variable.name->text, "loop"))
        return jinja_parser_fail_at(r->parser, e->line, e->offset,
            "can't assign to special loop variable in for-loop target");
    jinja_resolve_name(r, frame, e);
    e->flag = exported && e->kind == E_NAME;
    return OK;
}

struct jinja_expression *jinja_clone_target(
    struct jinja_resolver *r, const struct jinja_expression *e)
{
    struct jinja_expression *clone = arena_memdup(r->arena, e, sizeof *e);
    if (e->kind == E_TUPLE) {
        clone->list.items = arena_array(r->arena, struct jinja_expression *, e->list.count);
        for (size_t i = 0; i < e->list.count; i++)
            clone->list.items[i] = jinja_clone_target(r, e->list.items[i]);
    }
    return clone;
}
