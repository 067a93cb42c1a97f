/*
 * What stands behind an operand: calls, attributes, items, filters, tests.
 */
#include "language/jinja/parser.h"

/* Arguments in brackets, from `(` to behind `)`. */
static enum status parse_argument(struct jinja_parser *p, struct jinja_arguments_node *a,
    jinja_expression_vec *items, struct jinja_keyword_argument *ret_keyword)
{
    struct jinja_token next = {0};
    enum status status = OK;
    ret_keyword->name = NULL;
    if (jinja_at_sign(p, SIGN_MULTIPLY) || jinja_at_sign(p, SIGN_POWER)) {
        bool keywords = jinja_at_sign(p, SIGN_POWER);
        if (a->keyword_rest || (!keywords && a->rest))
            return jinja_parser_fail(p, "invalid syntax for function call expression");
        status = jinja_parser_advance(p);
        return status ? status : jinja_parse_expression(p, keywords ? &a->keyword_rest : &a->rest);
    }
    if (p->current.kind == TOKEN_NAME)
        status = jinja_parser_look(p, &next);
    if (status)
        return status;
    if (next.kind == TOKEN_OPERATOR && next.sign == SIGN_ASSIGN) {
        if (a->keyword_rest)
            return jinja_parser_fail(p, "invalid syntax for function call expression");
        ret_keyword->name = jinja_parser_symbol(p, p->current.text);
        status = jinja_parser_advance(p);
        if (!status)
            status = jinja_parser_advance(p);
        return status ? status : jinja_parse_expression(p, &ret_keyword->value);
    }
    if (a->rest || a->keyword_rest || a->keyword_count)
        return jinja_parser_fail(p, "invalid syntax for function call expression");
    struct jinja_expression *item;
    status = jinja_parse_expression(p, &item);
    if (!status)
        vec_push(items, item);
    return status;
}

static enum status check_keywords(struct jinja_parser *p, const struct jinja_arguments_node *a)
{
    for (size_t i = 0; i < a->keyword_count; i++)
        for (size_t k = 0; k < i; k++)
            if (a->keywords[k].name == a->keywords[i].name)
                return jinja_parser_fail(
                    p, "keyword argument repeated: %.*s", SLICE_ARG(a->keywords[i].name->text));
    return OK;
}

static enum status parse_arguments(struct jinja_parser *p, struct jinja_arguments_node *ret)
{
    *ret = (struct jinja_arguments_node){0};
    jinja_expression_vec items = {0};
    VEC(struct jinja_keyword_argument) keywords = {0};
    enum status status = jinja_expect_sign(p, SIGN_PAREN_OPEN);
    bool first = true;
    while (!status && !jinja_at_sign(p, SIGN_PAREN_CLOSE)) {
        if (!first)
            status = jinja_expect_sign(p, SIGN_COMMA);
        if (status || (!first && jinja_at_sign(p, SIGN_PAREN_CLOSE)))
            break;
        first = false;
        struct jinja_keyword_argument keyword;
        status = parse_argument(p, ret, &items, &keyword);
        if (!status && keyword.name)
            vec_push(&keywords, keyword);
        ret->keyword_count = keywords.count;
        if (!status && items.count + keywords.count > JINJA_ARGUMENTS_MAX)
            status = jinja_parser_fail(p, "a call has more than %d arguments", JINJA_ARGUMENTS_MAX);
    }
    ret->count = items.count;
    ret->items = jinja_keep_items(p, &items);
    ret->keywords = keywords.count
                        ? arena_memdup(p->arena, keywords.at, keywords.count * sizeof *keywords.at)
                        : NULL;
    vec_done(&keywords);
    if (!status)
        status = check_keywords(p, ret);
    return status ? status : jinja_expect_sign(p, SIGN_PAREN_CLOSE);
}

static enum status deepen_arguments(
    struct jinja_parser *p, struct jinja_expression *e, const struct jinja_arguments_node *a)
{
    enum status status = jinja_deepen(p, e, a->rest);
    if (!status)
        status = jinja_deepen(p, e, a->keyword_rest);
    for (size_t i = 0; !status && i < a->count; i++)
        status = jinja_deepen(p, e, a->items[i]);
    for (size_t i = 0; !status && i < a->keyword_count; i++)
        status = jinja_deepen(p, e, a->keywords[i].value);
    return status;
}

static enum status parse_call(struct jinja_parser *p, struct jinja_expression **e)
{
    struct jinja_expression *call =
        jinja_new_expression(p, E_CALL, p->current.line, p->current.offset);
    call->call.callee = *e;
    *e = call;
    enum status status = parse_arguments(p, &call->call.arguments);
    if (!status)
        status = jinja_deepen(p, call, call->call.callee);
    return status ? status : deepen_arguments(p, call, &call->call.arguments);
}

/* `name` or `name.name` of a filter or test. */
static enum status parse_row_name(struct jinja_parser *p, const struct jinja_symbol **ret)
{
    enum status status = jinja_expect_symbol(p, ret);
    while (!status && jinja_at_sign(p, SIGN_DOT)) {
        const struct jinja_symbol *more;
        status = jinja_parser_advance(p);
        if (!status)
            status = jinja_expect_symbol(p, &more);
        if (!status)
            *ret = jinja_parser_symbol(p, slice_of(arena_printf(p->arena, "%.*s.%.*s",
                                              SLICE_ARG((*ret)->text), SLICE_ARG(more->text))));
    }
    return status;
}

enum status jinja_parse_filters(struct jinja_parser *p, struct jinja_expression *operand,
    bool start, struct jinja_expression **ret)
{
    *ret = operand;
    enum status status = OK;
    while (!status && (start || jinja_at_sign(p, SIGN_PIPE))) {
        if (!start)
            status = jinja_parser_advance(p);
        start = false;
        if (status)
            break;
        struct jinja_expression *e =
            jinja_new_expression(p, E_FILTER, p->current.line, p->current.offset);
        e->call.callee = *ret;
        status = parse_row_name(p, &e->call.name);
        if (!status && jinja_at_sign(p, SIGN_PAREN_OPEN))
            status = parse_arguments(p, &e->call.arguments);
        if (!status)
            status = jinja_deepen(p, e, e->call.callee);
        if (!status)
            status = deepen_arguments(p, e, &e->call.arguments);
        *ret = e;
    }
    return status;
}

/* Whether the current token can start a test's single argument without brackets. */
static bool at_bare_argument(const struct jinja_parser *p)
{
    switch (p->current.kind) {
    case TOKEN_NAME:
        return !jinja_at_name(p, "else") && !jinja_at_name(p, "or") && !jinja_at_name(p, "and");
    case TOKEN_STRING:
    case TOKEN_INTEGER:
    case TOKEN_FLOAT: return true;
    default: return jinja_at_sign(p, SIGN_BRACKET_OPEN) || jinja_at_sign(p, SIGN_BRACE_OPEN);
    }
}

static enum status parse_bare_argument(struct jinja_parser *p, struct jinja_expression *e)
{
    if (jinja_at_name(p, "is"))
        return jinja_parser_fail(p, "you cannot chain multiple tests with `is`");
    struct jinja_expression *item;
    enum status status = jinja_parse_primary(p, false, &item);
    if (!status)
        status = jinja_parse_postfix(p, &item);
    if (status)
        return status;
    e->call.arguments.items = arena_new_of(p->arena, struct jinja_expression *);
    e->call.arguments.items[0] = item;
    e->call.arguments.count = 1;
    return OK;
}

static enum status parse_test(struct jinja_parser *p, struct jinja_expression **operand)
{
    uint32_t line = p->current.line, offset = p->current.offset;
    bool negated = false;
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = jinja_skip_name(p, "not", &negated);
    if (status)
        return status;
    struct jinja_expression *e = jinja_new_expression(p, E_TEST, line, p->current.offset);
    e->call.callee = *operand;
    status = parse_row_name(p, &e->call.name);
    if (!status && jinja_at_sign(p, SIGN_PAREN_OPEN))
        status = parse_arguments(p, &e->call.arguments);
    else if (!status && at_bare_argument(p))
        status = parse_bare_argument(p, e);
    if (!status)
        status = jinja_deepen(p, e, *operand);
    if (!status)
        status = deepen_arguments(p, e, &e->call.arguments);
    *operand = e;
    if (status || !negated)
        return status;
    return jinja_make_pair(p, E_NOT, line, offset, e, NULL, operand);
}

/* What stands between the brackets of `x[…]`, up to a comma: an expression or a slice. */
static enum status parse_slice_end(struct jinja_parser *p, struct jinja_expression **ret)
{
    if (jinja_at_sign(p, SIGN_BRACKET_CLOSE) || jinja_at_sign(p, SIGN_COMMA) ||
        jinja_at_sign(p, SIGN_COLON))
        return OK;
    return jinja_parse_expression(p, ret);
}

static enum status parse_subscribed(struct jinja_parser *p, struct jinja_expression **ret)
{
    uint32_t line = p->current.line, offset = p->current.offset;
    struct jinja_expression *start = NULL;
    enum status status = OK;
    if (!jinja_at_sign(p, SIGN_COLON)) {
        status = jinja_parse_expression(p, &start);
        if (status || !jinja_at_sign(p, SIGN_COLON)) {
            *ret = start;
            return status;
        }
    }
    struct jinja_expression *e = jinja_new_expression(p, E_SLICE, line, offset);
    e->slice.start = start;
    status = jinja_parser_advance(p);
    if (!status)
        status = parse_slice_end(p, &e->slice.stop);
    bool step = false;
    if (!status)
        status = jinja_skip_sign(p, SIGN_COLON, &step);
    if (!status && step)
        status = parse_slice_end(p, &e->slice.step);
    *ret = e;
    if (!status)
        status = jinja_deepen(p, e, e->slice.start);
    if (!status)
        status = jinja_deepen(p, e, e->slice.stop);
    return status ? status : jinja_deepen(p, e, e->slice.step);
}

static enum status parse_attribute(struct jinja_parser *p, struct jinja_expression **object)
{
    uint32_t line = p->current.line, offset = p->current.offset;
    enum status status = jinja_parser_advance(p);
    if (status)
        return status;
    struct jinja_expression *e = jinja_new_expression(p, E_ATTRIBUTE, line, offset);
    if (p->current.kind == TOKEN_NAME) {
        e->attribute.object = *object;
        e->attribute.name = jinja_parser_symbol(p, p->current.text);
        e->offset = p->current.offset;
    } else if (p->current.kind == TOKEN_INTEGER) {
        e->kind = E_ITEM;
        e->item.object = *object;
        e->item.key = jinja_new_expression(p, E_CONSTANT, p->current.line, p->current.offset);
        e->item.key->constant = jinja_int(p->current.integer);
    } else {
        return jinja_parser_fail(p, "expected name or number");
    }
    status = jinja_deepen(p, e, *object);
    *object = e;
    return status ? status : jinja_parser_advance(p);
}

static enum status parse_item(struct jinja_parser *p, struct jinja_expression **object)
{
    struct jinja_expression *e =
        jinja_new_expression(p, E_ITEM, p->current.line, p->current.offset);
    jinja_expression_vec items = {0};
    enum status status = jinja_parser_advance(p);
    while (!status && !jinja_at_sign(p, SIGN_BRACKET_CLOSE)) {
        struct jinja_expression *item;
        if (items.count)
            status = jinja_expect_sign(p, SIGN_COMMA);
        if (!status)
            status = parse_subscribed(p, &item);
        if (!status)
            status = jinja_deepen(p, e, item);
        if (!status)
            vec_push(&items, item);
    }
    e->item.object = *object;
    if (!status && items.count == 1) {
        e->item.key = items.at[0];
    } else if (!status) {
        e->item.key = jinja_new_expression(p, E_TUPLE, e->line, e->offset);
        e->item.key->list.count = items.count;
        e->item.key->list.items = arena_memdup(
            p->arena, items.at ? (void *)items.at : (void *)"", items.count * sizeof *items.at);
        for (size_t i = 0; !status && i < items.count; i++) {
            status = jinja_deepen(p, e->item.key, items.at[i]);
            if (!status && items.at[i]->kind == E_SLICE)
                status = jinja_parser_fail(p, "a slice stands alone between its brackets");
        }
    }
    vec_done(&items);
    if (!status)
        status = jinja_deepen(p, e, e->item.key);
    if (!status)
        status = jinja_deepen(p, e, *object);
    *object = e;
    return status ? status : jinja_expect_sign(p, SIGN_BRACKET_CLOSE);
}

enum status jinja_parse_postfix(struct jinja_parser *p, struct jinja_expression **e)
{
    enum status status = OK;
    for (;;) {
        if (jinja_at_sign(p, SIGN_DOT))
            status = parse_attribute(p, e);
        else if (jinja_at_sign(p, SIGN_BRACKET_OPEN))
            status = parse_item(p, e);
        else if (jinja_at_sign(p, SIGN_PAREN_OPEN))
            status = parse_call(p, e);
        else
            return OK;
        if (status)
            return status;
    }
}

enum status jinja_parse_filter_chain(struct jinja_parser *p, struct jinja_expression **e)
{
    enum status status = OK;
    for (;;) {
        if (jinja_at_sign(p, SIGN_PIPE))
            status = jinja_parse_filters(p, *e, false, e);
        else if (jinja_at_name(p, "is"))
            status = parse_test(p, e);
        else if (jinja_at_sign(p, SIGN_PAREN_OPEN))
            status = parse_call(p, e);
        else
            return OK;
        if (status)
            return status;
    }
}
