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

enum status jinja_deepen(
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

enum status jinja_make_pair(struct jinja_parser *p, enum jinja_expression_kind kind, uint32_t line,
    uint32_t offset, struct jinja_expression *left, struct jinja_expression *right,
    struct jinja_expression **ret)
{
    struct jinja_expression *e = jinja_new_expression(p, kind, line, offset);
    e->pair.left = left;
    e->pair.right = right;
    *ret = e;
    enum status status = jinja_deepen(p, e, left);
    return status ? status : jinja_deepen(p, e, right);
}

struct jinja_expression **jinja_keep_items(struct jinja_parser *p, jinja_expression_vec *items)
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
            status = jinja_deepen(p, e, e->condition.then);
        if (!status)
            status = jinja_deepen(p, e, e->condition.test);
        if (!status)
            status = jinja_deepen(p, e, e->condition.otherwise);
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
    return status ? status : jinja_make_pair(p, E_NOT, line, offset, operand, NULL, ret);
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
            status = jinja_make_pair(p, kind, line, offset, *ret, right, ret);
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
            status = jinja_make_pair(p, E_BINARY, line, offset, *ret, right, ret);
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
    jinja_expression_vec items = {0};
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
        status = jinja_deepen(p, e, items.at[i]);
    e->list.count = items.count;
    e->list.items = jinja_keep_items(p, &items);
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
        status = jinja_deepen(p, e, *ret);
        for (size_t i = 0; !status && i < operands.count; i++)
            status = jinja_deepen(p, e, operands.at[i].value);
        *ret = e;
    }
    vec_done(&operands);
    return status;
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
            status = jinja_make_pair(p, kind, line, offset, operand, NULL, ret);
    } else {
        status = jinja_parse_primary(p, false, ret);
    }
    if (!status)
        status = jinja_parse_postfix(p, ret);
    return status || !with_filter ? status : jinja_parse_filter_chain(p, ret);
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
    jinja_expression_vec items = {0};
    enum status status = jinja_parser_advance(p);
    while (!status && !jinja_at_sign(p, SIGN_BRACKET_CLOSE)) {
        struct jinja_expression *item;
        if (items.count)
            status = jinja_expect_sign(p, SIGN_COMMA);
        if (status || jinja_at_sign(p, SIGN_BRACKET_CLOSE))
            break;
        status = jinja_parse_expression(p, &item);
        if (!status)
            status = jinja_deepen(p, e, item);
        if (!status)
            vec_push(&items, item);
    }
    e->list.count = items.count;
    e->list.items = jinja_keep_items(p, &items);
    *ret = e;
    return status ? status : jinja_expect_sign(p, SIGN_BRACKET_CLOSE);
}

static enum status parse_dict(struct jinja_parser *p, struct jinja_expression **ret)
{
    struct jinja_expression *e =
        jinja_new_expression(p, E_DICT, p->current.line, p->current.offset);
    jinja_expression_vec items = {0};
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
            status = jinja_deepen(p, e, key);
        if (!status)
            status = jinja_deepen(p, e, value);
        if (!status) {
            vec_push(&items, key);
            vec_push(&items, value);
        }
    }
    e->list.count = items.count;
    e->list.items = jinja_keep_items(p, &items);
    *ret = e;
    return status ? status : jinja_expect_sign(p, SIGN_BRACE_CLOSE);
}

enum status jinja_parse_primary(
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

/* Not at `in` or `recursive`: there Jinja2 takes them for a name. */
static bool at_tuple_end(const struct jinja_parser *p)
{
    return p->current.kind == TOKEN_VARIABLE_END || p->current.kind == TOKEN_BLOCK_END ||
           jinja_at_sign(p, SIGN_PAREN_CLOSE);
}

static enum status parse_tuple_item(struct jinja_parser *p,
    const struct jinja_tuple_options *options, struct jinja_expression **ret)
{
    if (options->simplified)
        return jinja_parse_primary(p, options->with_namespace, ret);
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
    jinja_expression_vec items = {0};
    bool is_tuple = false;
    enum status status = jinja_parser_enter(p);
    while (!status) {
        if (items.count)
            status = jinja_expect_sign(p, SIGN_COMMA);
        if (status || at_tuple_end(p))
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
            status = jinja_deepen(p, e, items.at[i]);
        e->list.count = items.count;
        e->list.items = jinja_keep_items(p, &items);
        *ret = e;
    }
    vec_done(&items);
    return status;
}

/* As Jinja2 calls the kinds of expressions that a parser can meet. */
static const char *kind_name(const struct jinja_expression *e)
{
    static const char *const kinds[] = {[E_CONSTANT] = "const",
        [E_NAME] = "name",
        [E_LIST] = "list",
        [E_TUPLE] = "tuple",
        [E_DICT] = "dict",
        [E_NEGATE] = "neg",
        [E_POSITIVE] = "pos",
        [E_NOT] = "not",
        [E_AND] = "and",
        [E_OR] = "or",
        [E_CONCAT] = "concat",
        [E_COMPARE] = "compare",
        [E_CONDITION] = "condexpr",
        [E_ATTRIBUTE] = "getattr",
        [E_ITEM] = "getitem",
        [E_SLICE] = "getitem",
        [E_CALL] = "call",
        [E_FILTER] = "filter",
        [E_TEST] = "test",
        [E_NAMESPACE_REF] = "nsref"};
    static const char *const operators[] = {[JINJA_ADD] = "add",
        [JINJA_SUBTRACT] = "sub",
        [JINJA_MULTIPLY] = "mul",
        [JINJA_DIVIDE] = "div",
        [JINJA_FLOOR_DIVIDE] = "floordiv",
        [JINJA_MODULO] = "mod",
        [JINJA_POWER] = "pow"};
    return e->kind == E_BINARY ? operators[e->op] : kinds[e->kind];
}

static enum status check_target(
    struct jinja_parser *p, const struct jinja_expression *e, const struct jinja_expression *whole)
{
    if (e->kind == E_NAME || e->kind == E_NAMESPACE_REF)
        return OK;
    if (e->kind != E_TUPLE)
        return jinja_parser_fail_at(
            p, whole->line, e->offset, "can't assign to '%s'", kind_name(whole));
    for (size_t i = 0; i < e->list.count; i++) {
        enum status status = check_target(p, e->list.items[i], whole);
        if (status)
            return status;
    }
    return OK;
}

enum status jinja_parse_target(
    struct jinja_parser *p, bool with_namespace, struct jinja_expression **ret)
{
    enum status status = jinja_parse_tuple(
        p, (struct jinja_tuple_options){.simplified = true, .with_namespace = with_namespace}, ret);
    return status ? status : check_target(p, *ret, *ret);
}
