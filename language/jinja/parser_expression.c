/*
 * Expressions, by recursive descent with Jinja2's order of binding:
 * `if else`, `or`, `and`, `not`, comparisons, `+ -`, `~`, `* / // %`, `**`, sign, postfix, filters.
 */
#include "language/jinja/parser.h"

/* Nesting of the tree: long chains of operators are as deep as they are long. */
enum { TREE_DEPTH_MAX = 500 };

typedef enum status parse_function(struct jinja_parser *p, struct jinja_expression **ret);

struct jinja_expression *jinja_new_expression(
    struct jinja_parser *p, enum jinja_expression_kind kind, uint32_t line, uint32_t offset)
{
    struct jinja_expression *e = arena_new_of(p->arena, struct jinja_expression);
    e->kind = (uint8_t)kind;
    e->line = line;
    e->offset = offset;
    e->depth = 1;
    return e;
}

static enum status deepen(
    struct jinja_parser *p, struct jinja_expression *e, const struct jinja_expression *child)
{
    if (child && child->depth >= e->depth)
        e->depth = (uint16_t)(child->depth + 1);
    if (e->depth <= TREE_DEPTH_MAX)
        return OK;
    jinja_parser_fail_at(p, e->line, e->offset, "the expression is nested too deeply");
    if (p->err)
        p->err->status = ERR_TEMPLATE_DEPTH_LIMIT;
    return ERR_TEMPLATE_DEPTH_LIMIT;
}

static enum status make_pair(struct jinja_parser *p, enum jinja_expression_kind kind, uint32_t line,
    uint32_t offset, struct jinja_expression *left, struct jinja_expression *right,
    struct jinja_expression **ret)
{
    struct jinja_expression *e = jinja_new_expression(p, kind, line, offset);
    e->pair.left = left;
    e->pair.right = right;
    *ret = e;
    enum status status = deepen(p, e, left);
    return status ? status : deepen(p, e, right);
}

/* Growing lists of expressions while their number is unknown. */
typedef VEC(struct jinja_expression *) expression_vec;

static struct jinja_expression **keep_items(struct jinja_parser *p, expression_vec *items)
{
    struct jinja_expression **kept = arena_array(p->arena, struct jinja_expression *, items->count);
    if (items->count)
        memcpy(kept, items->at, items->count * sizeof *kept);
    vec_done(items);
    return kept;
}

static enum status parse_or(struct jinja_parser *p, struct jinja_expression **ret);
static enum status parse_unary(
    struct jinja_parser *p, bool with_filter, struct jinja_expression **ret);
static enum status parse_primary(
    struct jinja_parser *p, bool with_namespace, struct jinja_expression **ret);
static enum status parse_postfix(struct jinja_parser *p, struct jinja_expression **e);

static enum status parse_condition(struct jinja_parser *p, struct jinja_expression **ret)
{
    uint32_t line = p->current.line, offset = p->current.offset;
    bool more;
    enum status status = parse_or(p, ret);
    while (!status && !(status = jinja_skip_name(p, "if", &more)) && more) {
        struct jinja_expression *e = jinja_new_expression(p, E_CONDITION, line, offset);
        e->condition.then = *ret;
        status = parse_or(p, &e->condition.test);
        if (!status)
            status = jinja_skip_name(p, "else", &more);
        if (!status && more) {
            status = jinja_parser_enter(p);
            if (!status)
                status = parse_condition(p, &e->condition.otherwise);
            p->nesting--;
        }
        if (!status)
            status = deepen(p, e, e->condition.then);
        if (!status)
            status = deepen(p, e, e->condition.test);
        if (!status)
            status = deepen(p, e, e->condition.otherwise);
        *ret = e;
        line = p->current.line;
    }
    return status;
}

enum status jinja_parse_expression(struct jinja_parser *p, struct jinja_expression **ret)
{
    enum status status = jinja_parser_enter(p);
    if (!status)
        status = parse_condition(p, ret);
    p->nesting--;
    return status;
}

static enum status parse_compare(struct jinja_parser *p, struct jinja_expression **ret);

static enum status parse_not(struct jinja_parser *p, struct jinja_expression **ret)
{
    if (!jinja_at_name(p, "not"))
        return parse_compare(p, ret);
    uint32_t line = p->current.line, offset = p->current.offset;
    enum status status = jinja_parser_enter(p);
    if (!status)
        status = jinja_parser_advance(p);
    struct jinja_expression *operand;
    if (!status)
        status = parse_not(p, &operand);
    p->nesting--;
    return status ? status : make_pair(p, E_NOT, line, offset, operand, NULL, ret);
}

static enum status parse_word_chain(struct jinja_parser *p, const char *word,
    enum jinja_expression_kind kind, parse_function *operand, struct jinja_expression **ret)
{
    uint32_t line = p->current.line, offset = p->current.offset;
    enum status status = operand(p, ret);
    bool more;
    while (!status && !(status = jinja_skip_name(p, word, &more)) && more) {
        struct jinja_expression *right;
        status = operand(p, &right);
        if (!status)
            status = make_pair(p, kind, line, offset, *ret, right, ret);
        line = p->current.line;
    }
    return status;
}

static enum status parse_and(struct jinja_parser *p, struct jinja_expression **ret)
{
    return parse_word_chain(p, "and", E_AND, parse_not, ret);
}

static enum status parse_or(struct jinja_parser *p, struct jinja_expression **ret)
{
    return parse_word_chain(p, "or", E_OR, parse_and, ret);
}

struct sign_operator {
    enum jinja_sign sign;
    int op;
};

/* The row of the current token among `count` operators, or NULL. */
static const struct sign_operator *current_operator(
    const struct jinja_parser *p, const struct sign_operator *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (jinja_at_sign(p, rows[i].sign))
            return &rows[i];
    return NULL;
}

static enum status parse_binary_chain(struct jinja_parser *p, const struct sign_operator *rows,
    size_t count, parse_function *operand, struct jinja_expression **ret)
{
    uint32_t line = p->current.line, offset = p->current.offset;
    enum status status = operand(p, ret);
    const struct sign_operator *row;
    while (!status && (row = current_operator(p, rows, count))) {
        uint8_t op = (uint8_t)row->op;
        struct jinja_expression *right;
        status = jinja_parser_advance(p);
        if (!status)
            status = operand(p, &right);
        if (!status)
            status = make_pair(p, E_BINARY, line, offset, *ret, right, ret);
        if (!status)
            (*ret)->op = op;
        line = p->current.line;
    }
    return status;
}

static enum status parse_signed(struct jinja_parser *p, struct jinja_expression **ret)
{
    return parse_unary(p, true, ret);
}

static enum status parse_power(struct jinja_parser *p, struct jinja_expression **ret)
{
    static const struct sign_operator rows[] = {{SIGN_POWER, JINJA_POWER}};
    return parse_binary_chain(p, rows, ARRAY_SIZE(rows), parse_signed, ret);
}

static enum status parse_product(struct jinja_parser *p, struct jinja_expression **ret)
{
    static const struct sign_operator rows[] = {{SIGN_MULTIPLY, JINJA_MULTIPLY},
        {SIGN_DIVIDE, JINJA_DIVIDE}, {SIGN_FLOOR_DIVIDE, JINJA_FLOOR_DIVIDE},
        {SIGN_MODULO, JINJA_MODULO}};
    return parse_binary_chain(p, rows, ARRAY_SIZE(rows), parse_power, ret);
}

static enum status parse_concat(struct jinja_parser *p, struct jinja_expression **ret)
{
    uint32_t line = p->current.line, offset = p->current.offset;
    enum status status = parse_product(p, ret);
    if (status || !jinja_at_sign(p, SIGN_TILDE))
        return status;
    struct jinja_expression *e = jinja_new_expression(p, E_CONCAT, line, offset);
    expression_vec items = {0};
    vec_push(&items, *ret);
    while (!status && jinja_at_sign(p, SIGN_TILDE)) {
        struct jinja_expression *item;
        status = jinja_parser_advance(p);
        if (!status)
            status = parse_product(p, &item);
        if (!status)
            vec_push(&items, item);
    }
    for (size_t i = 0; !status && i < items.count; i++)
        status = deepen(p, e, items.at[i]);
    e->list.count = items.count;
    e->list.items = keep_items(p, &items);
    *ret = e;
    return status;
}

static enum status parse_sum(struct jinja_parser *p, struct jinja_expression **ret)
{
    static const struct sign_operator rows[] = {
        {SIGN_ADD, JINJA_ADD}, {SIGN_SUBTRACT, JINJA_SUBTRACT}};
    return parse_binary_chain(p, rows, ARRAY_SIZE(rows), parse_concat, ret);
}

/* The comparison at the current token, moved behind; *ret_found false when there is none. */
static enum status parse_comparison_sign(
    struct jinja_parser *p, enum jinja_comparison *ret, bool *ret_found)
{
    static const struct sign_operator rows[] = {{SIGN_EQUAL, COMPARE_EQUAL},
        {SIGN_NOT_EQUAL, COMPARE_NOT_EQUAL}, {SIGN_LESS, COMPARE_LESS},
        {SIGN_LESS_EQUAL, COMPARE_LESS_EQUAL}, {SIGN_GREATER, COMPARE_GREATER},
        {SIGN_GREATER_EQUAL, COMPARE_GREATER_EQUAL}};
    const struct sign_operator *row = current_operator(p, rows, ARRAY_SIZE(rows));
    *ret_found = true;
    if (row || jinja_at_name(p, "in")) {
        *ret = row ? (enum jinja_comparison)row->op : COMPARE_IN;
        return jinja_parser_advance(p);
    }
    *ret_found = false;
    if (!jinja_at_name(p, "not"))
        return OK;
    struct jinja_token next;
    enum status status = jinja_parser_look(p, &next);
    if (status || next.kind != TOKEN_NAME || !slice_equal_str(next.text, "in"))
        return status;
    *ret_found = true;
    *ret = COMPARE_NOT_IN;
    status = jinja_parser_advance(p);
    return status ? status : jinja_parser_advance(p);
}

static enum status parse_compare(struct jinja_parser *p, struct jinja_expression **ret)
{
    uint32_t line = p->current.line, offset = p->current.offset;
    VEC(struct jinja_operand) operands = {0};
    enum status status = parse_sum(p, ret);
    while (!status) {
        struct jinja_operand operand;
        bool found;
        status = parse_comparison_sign(p, &operand.op, &found);
        if (status || !found)
            break;
        status = parse_sum(p, &operand.value);
        if (!status)
            vec_push(&operands, operand);
        line = p->current.line;
    }
    if (!status && operands.count) {
        struct jinja_expression *e = jinja_new_expression(p, E_COMPARE, line, offset);
        e->compare.first = *ret;
        e->compare.count = operands.count;
        e->compare.operands =
            arena_memdup(p->arena, operands.at, operands.count * sizeof *operands.at);
        status = deepen(p, e, *ret);
        for (size_t i = 0; !status && i < operands.count; i++)
            status = deepen(p, e, operands.at[i].value);
        *ret = e;
    }
    vec_done(&operands);
    return status;
}

/* Arguments in brackets, from `(` to behind `)`. */
static enum status parse_argument(struct jinja_parser *p, struct jinja_arguments_node *a,
    expression_vec *items, struct jinja_keyword_argument *ret_keyword)
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
    expression_vec items = {0};
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
    ret->items = keep_items(p, &items);
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
    enum status status = deepen(p, e, a->rest);
    if (!status)
        status = deepen(p, e, a->keyword_rest);
    for (size_t i = 0; !status && i < a->count; i++)
        status = deepen(p, e, a->items[i]);
    for (size_t i = 0; !status && i < a->keyword_count; i++)
        status = deepen(p, e, a->keywords[i].value);
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
        status = deepen(p, call, call->call.callee);
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
            status = deepen(p, e, e->call.callee);
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
    enum status status = parse_primary(p, false, &item);
    if (!status)
        status = parse_postfix(p, &item);
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
        status = deepen(p, e, *operand);
    if (!status)
        status = deepen_arguments(p, e, &e->call.arguments);
    *operand = e;
    if (status || !negated)
        return status;
    return make_pair(p, E_NOT, line, offset, e, NULL, operand);
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
        status = deepen(p, e, e->slice.start);
    if (!status)
        status = deepen(p, e, e->slice.stop);
    return status ? status : deepen(p, e, e->slice.step);
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
    status = deepen(p, e, *object);
    *object = e;
    return status ? status : jinja_parser_advance(p);
}

static enum status parse_item(struct jinja_parser *p, struct jinja_expression **object)
{
    struct jinja_expression *e =
        jinja_new_expression(p, E_ITEM, p->current.line, p->current.offset);
    expression_vec items = {0};
    enum status status = jinja_parser_advance(p);
    while (!status && !jinja_at_sign(p, SIGN_BRACKET_CLOSE)) {
        struct jinja_expression *item;
        if (items.count)
            status = jinja_expect_sign(p, SIGN_COMMA);
        if (!status)
            status = parse_subscribed(p, &item);
        if (!status)
            status = deepen(p, e, item);
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
            status = deepen(p, e->item.key, items.at[i]);
            if (!status && items.at[i]->kind == E_SLICE)
                status = jinja_parser_fail(p, "a slice stands alone between its brackets");
        }
    }
    vec_done(&items);
    if (!status)
        status = deepen(p, e, e->item.key);
    if (!status)
        status = deepen(p, e, *object);
    *object = e;
    return status ? status : jinja_expect_sign(p, SIGN_BRACKET_CLOSE);
}

static enum status parse_postfix(struct jinja_parser *p, struct jinja_expression **e)
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

static enum status parse_filter_chain(struct jinja_parser *p, struct jinja_expression **e)
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

static enum status parse_unary(
    struct jinja_parser *p, bool with_filter, struct jinja_expression **ret)
{
    uint32_t line = p->current.line, offset = p->current.offset;
    enum status status;
    if (jinja_at_sign(p, SIGN_SUBTRACT) || jinja_at_sign(p, SIGN_ADD)) {
        enum jinja_expression_kind kind = jinja_at_sign(p, SIGN_SUBTRACT) ? E_NEGATE : E_POSITIVE;
        struct jinja_expression *operand;
        status = jinja_parser_enter(p);
        if (!status)
            status = jinja_parser_advance(p);
        if (!status)
            status = parse_unary(p, false, &operand);
        p->nesting--;
        if (!status)
            status = make_pair(p, kind, line, offset, operand, NULL, ret);
    } else {
        status = parse_primary(p, false, ret);
    }
    if (!status)
        status = parse_postfix(p, ret);
    return status || !with_filter ? status : parse_filter_chain(p, ret);
}

static enum status parse_name(
    struct jinja_parser *p, bool with_namespace, struct jinja_expression **ret)
{
    static const struct {
        const char *word;
        uint8_t kind;
        bool value;
    } constants[] = {{"true", JINJA_BOOL, true}, {"True", JINJA_BOOL, true},
        {"false", JINJA_BOOL, false}, {"False", JINJA_BOOL, false}, {"none", JINJA_NONE, false},
        {"None", JINJA_NONE, false}};
    struct jinja_token token = p->current;
    struct jinja_expression *e = jinja_new_expression(p, E_NAME, token.line, token.offset);
    *ret = e;
    enum status status = jinja_parser_advance(p);
    if (status)
        return status;
    for (size_t i = 0; i < ARRAY_SIZE(constants); i++) {
        if (slice_equal_str(token.text, constants[i].word)) {
            e->kind = E_CONSTANT;
            e->constant =
                constants[i].kind == JINJA_NONE ? jinja_none() : jinja_bool(constants[i].value);
            return OK;
        }
    }
    e->variable.name = jinja_parser_symbol(p, token.text);
    if (!with_namespace || !jinja_at_sign(p, SIGN_DOT))
        return OK;
    e->kind = E_NAMESPACE_REF;
    status = jinja_parser_advance(p);
    return status ? status : jinja_expect_symbol(p, &e->variable.attribute);
}

/* Neighbouring string literals are one. */
static enum status parse_strings(struct jinja_parser *p, struct jinja_expression **ret)
{
    struct jinja_expression *e =
        jinja_new_expression(p, E_CONSTANT, p->current.line, p->current.offset);
    struct slice text = p->current.text;
    enum status status = jinja_parser_advance(p);
    if (!status && p->current.kind == TOKEN_STRING) {
        struct strbuf joined = {0};
        strbuf_add_slice(&joined, text);
        while (!status && p->current.kind == TOKEN_STRING) {
            strbuf_add_slice(&joined, p->current.text);
            status = jinja_parser_advance(p);
        }
        text = slice_make(strbuf_to_arena(&joined, p->arena), joined.size);
        strbuf_done(&joined);
    }
    e->constant = jinja_slice(text);
    *ret = e;
    return status;
}

static enum status parse_list(struct jinja_parser *p, struct jinja_expression **ret)
{
    struct jinja_expression *e =
        jinja_new_expression(p, E_LIST, p->current.line, p->current.offset);
    expression_vec items = {0};
    enum status status = jinja_parser_advance(p);
    while (!status && !jinja_at_sign(p, SIGN_BRACKET_CLOSE)) {
        struct jinja_expression *item;
        if (items.count)
            status = jinja_expect_sign(p, SIGN_COMMA);
        if (status || jinja_at_sign(p, SIGN_BRACKET_CLOSE))
            break;
        status = jinja_parse_expression(p, &item);
        if (!status)
            status = deepen(p, e, item);
        if (!status)
            vec_push(&items, item);
    }
    e->list.count = items.count;
    e->list.items = keep_items(p, &items);
    *ret = e;
    return status ? status : jinja_expect_sign(p, SIGN_BRACKET_CLOSE);
}

static enum status parse_dict(struct jinja_parser *p, struct jinja_expression **ret)
{
    struct jinja_expression *e =
        jinja_new_expression(p, E_DICT, p->current.line, p->current.offset);
    expression_vec items = {0};
    enum status status = jinja_parser_advance(p);
    while (!status && !jinja_at_sign(p, SIGN_BRACE_CLOSE)) {
        struct jinja_expression *key, *value;
        if (items.count)
            status = jinja_expect_sign(p, SIGN_COMMA);
        if (status || jinja_at_sign(p, SIGN_BRACE_CLOSE))
            break;
        status = jinja_parse_expression(p, &key);
        if (!status)
            status = jinja_expect_sign(p, SIGN_COLON);
        if (!status)
            status = jinja_parse_expression(p, &value);
        if (!status)
            status = deepen(p, e, key);
        if (!status)
            status = deepen(p, e, value);
        if (!status) {
            vec_push(&items, key);
            vec_push(&items, value);
        }
    }
    e->list.count = items.count;
    e->list.items = keep_items(p, &items);
    *ret = e;
    return status ? status : jinja_expect_sign(p, SIGN_BRACE_CLOSE);
}

static enum status parse_primary(
    struct jinja_parser *p, bool with_namespace, struct jinja_expression **ret)
{
    switch (p->current.kind) {
    case TOKEN_NAME: return parse_name(p, with_namespace, ret);
    case TOKEN_STRING: return parse_strings(p, ret);
    case TOKEN_INTEGER:
    case TOKEN_FLOAT:
        *ret = jinja_new_expression(p, E_CONSTANT, p->current.line, p->current.offset);
        (*ret)->constant = p->current.kind == TOKEN_INTEGER ? jinja_int(p->current.integer)
                                                            : jinja_float(p->current.real);
        return jinja_parser_advance(p);
    default: break;
    }
    if (jinja_at_sign(p, SIGN_BRACKET_OPEN))
        return parse_list(p, ret);
    if (jinja_at_sign(p, SIGN_BRACE_OPEN))
        return parse_dict(p, ret);
    if (!jinja_at_sign(p, SIGN_PAREN_OPEN))
        return jinja_parser_fail(p, "unexpected %s", jinja_describe_token(p, &p->current));
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = jinja_parse_tuple(p, (struct jinja_tuple_options){.parenthesized = true}, ret);
    return status ? status : jinja_expect_sign(p, SIGN_PAREN_CLOSE);
}

static bool at_tuple_end(const struct jinja_parser *p, enum jinja_tuple_end end)
{
    if (p->current.kind == TOKEN_VARIABLE_END || p->current.kind == TOKEN_BLOCK_END ||
        jinja_at_sign(p, SIGN_PAREN_CLOSE))
        return true;
    return (end == TUPLE_END_IN && jinja_at_name(p, "in")) ||
           (end == TUPLE_END_RECURSIVE && jinja_at_name(p, "recursive"));
}

static enum status parse_tuple_item(struct jinja_parser *p,
    const struct jinja_tuple_options *options, struct jinja_expression **ret)
{
    if (options->simplified)
        return parse_primary(p, options->with_namespace, ret);
    if (!options->no_condition)
        return jinja_parse_expression(p, ret);
    enum status status = jinja_parser_enter(p);
    if (!status)
        status = parse_or(p, ret);
    p->nesting--;
    return status;
}

enum status jinja_parse_tuple(
    struct jinja_parser *p, struct jinja_tuple_options options, struct jinja_expression **ret)
{
    uint32_t line = p->current.line, offset = p->current.offset;
    expression_vec items = {0};
    bool is_tuple = false;
    enum status status = jinja_parser_enter(p);
    while (!status) {
        if (items.count)
            status = jinja_expect_sign(p, SIGN_COMMA);
        if (status || at_tuple_end(p, options.end))
            break;
        struct jinja_expression *item;
        status = parse_tuple_item(p, &options, &item);
        if (!status)
            vec_push(&items, item);
        if (status || !jinja_at_sign(p, SIGN_COMMA))
            break;
        is_tuple = true;
        line = p->current.line;
    }
    p->nesting--;
    if (!status && !is_tuple && items.count) {
        *ret = items.at[0];
    } else if (!status && !is_tuple && !options.parenthesized) {
        status = jinja_parser_fail(
            p, "expected an expression, got %s", jinja_describe_token(p, &p->current));
    } else if (!status) {
        struct jinja_expression *e = jinja_new_expression(p, E_TUPLE, line, offset);
        for (size_t i = 0; !status && i < items.count; i++)
            status = deepen(p, e, items.at[i]);
        e->list.count = items.count;
        e->list.items = keep_items(p, &items);
        *ret = e;
    }
    vec_done(&items);
    return status;
}

static const char *const kind_names[] = {[E_CONSTANT] = "const",
    [E_NAME] = "name",
    [E_LIST] = "list",
    [E_TUPLE] = "tuple",
    [E_DICT] = "dict"};

static enum status check_target(
    struct jinja_parser *p, const struct jinja_expression *e, const struct jinja_expression *whole)
{
    if (e->kind == E_NAME || e->kind == E_NAMESPACE_REF)
        return OK;
    if (e->kind != E_TUPLE)
        return jinja_parser_fail_at(p, whole->line, e->offset, "can't assign to '%s'",
            kind_names[whole == e ? e->kind : E_TUPLE]);
    for (size_t i = 0; i < e->list.count; i++) {
        enum status status = check_target(p, e->list.items[i], whole);
        if (status)
            return status;
    }
    return OK;
}

enum status jinja_parse_target(struct jinja_parser *p, bool with_namespace,
    enum jinja_tuple_end end, struct jinja_expression **ret)
{
    enum status status = jinja_parse_tuple(p,
        (struct jinja_tuple_options){
            .simplified = true, .with_namespace = with_namespace, .end = end},
        ret);
    return status ? status : check_target(p, *ret, *ret);
}
