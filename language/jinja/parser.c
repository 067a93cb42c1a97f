/*
 * Statements: the tags and what stands between them.
 */
#include "language/jinja/parser.h"
#include "language/jinja/unicode.h"

enum status jinja_parser_fail_at(
    struct jinja_parser *p, uint32_t line, uint32_t offset, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_vset(p->err, ERR_TEMPLATE_SYNTAX, format, args);
    va_end(args);
    return jinja_lexer_fail(&p->lexer, line, offset, p->err);
}

enum status jinja_parser_fail(struct jinja_parser *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_vset(p->err, ERR_TEMPLATE_SYNTAX, format, args);
    va_end(args);
    return jinja_lexer_fail(&p->lexer, p->current.line, p->current.offset, p->err);
}

enum status jinja_parser_enter(struct jinja_parser *p)
{
    if (++p->nesting <= JINJA_NESTING_MAX)
        return OK;
    jinja_parser_fail(p, "the template is nested more than %d levels deep", JINJA_NESTING_MAX);
    if (p->err)
        p->err->status = ERR_TEMPLATE_DEPTH_LIMIT;
    return ERR_TEMPLATE_DEPTH_LIMIT;
}

enum status jinja_parser_advance(struct jinja_parser *p)
{
    if (p->has_ahead) {
        p->current = p->ahead;
        p->has_ahead = false;
        return OK;
    }
    uint32_t line = p->current.line;
    enum status status = jinja_lexer_next(&p->lexer, &p->current, p->err);
    /* The end stands on the line of the last token. */
    if (!status && p->current.kind == TOKEN_END && line)
        p->current.line = line;
    return status;
}

enum status jinja_parser_look(struct jinja_parser *p, struct jinja_token *ret)
{
    if (!p->has_ahead) {
        enum status status = jinja_lexer_next(&p->lexer, &p->ahead, p->err);
        if (status)
            return status;
        if (p->ahead.kind == TOKEN_END)
            p->ahead.line = p->current.line;
        p->has_ahead = true;
    }
    *ret = p->ahead;
    return OK;
}

bool jinja_at_name(const struct jinja_parser *p, const char *name)
{
    return p->current.kind == TOKEN_NAME && slice_equal_str(p->current.text, name);
}

bool jinja_at_sign(const struct jinja_parser *p, enum jinja_sign sign)
{
    return p->current.kind == TOKEN_OPERATOR && p->current.sign == sign;
}

enum status jinja_skip_name(struct jinja_parser *p, const char *name, bool *ret_skipped)
{
    *ret_skipped = jinja_at_name(p, name);
    return *ret_skipped ? jinja_parser_advance(p) : OK;
}

enum status jinja_skip_sign(struct jinja_parser *p, enum jinja_sign sign, bool *ret_skipped)
{
    *ret_skipped = jinja_at_sign(p, sign);
    return *ret_skipped ? jinja_parser_advance(p) : OK;
}

static const char *const kind_words[] = {[TOKEN_END] = "end of template",
    [TOKEN_DATA] = "template text",
    [TOKEN_VARIABLE_BEGIN] = "`{{`",
    [TOKEN_VARIABLE_END] = "`}}`",
    [TOKEN_BLOCK_BEGIN] = "`{%`",
    [TOKEN_BLOCK_END] = "`%}`",
    [TOKEN_NAME] = "a name",
    [TOKEN_STRING] = "a string",
    [TOKEN_INTEGER] = "an integer",
    [TOKEN_FLOAT] = "a number"};

const char *jinja_describe_token(struct jinja_parser *p, const struct jinja_token *token)
{
    if (token->kind == TOKEN_NAME || token->kind == TOKEN_OPERATOR)
        return arena_printf(p->arena, "`%.*s`",
            (int)(token->text.size < 60 ? token->text.size : 60), token->text.p);
    return kind_words[token->kind];
}

static enum status fail_expected(struct jinja_parser *p, const char *what)
{
    if (p->current.kind == TOKEN_END)
        return jinja_parser_fail(p, "unexpected end of template, expected %s", what);
    return jinja_parser_fail(p, "expected %s, got %s", what, jinja_describe_token(p, &p->current));
}

enum status jinja_expect_sign(struct jinja_parser *p, enum jinja_sign sign)
{
    static const char *const words[] = {[SIGN_COMMA] = "`,`",
        [SIGN_COLON] = "`:`",
        [SIGN_ASSIGN] = "`=`",
        [SIGN_PAREN_OPEN] = "`(`",
        [SIGN_PAREN_CLOSE] = "`)`",
        [SIGN_BRACKET_CLOSE] = "`]`",
        [SIGN_BRACE_CLOSE] = "`}`"};
    if (jinja_at_sign(p, sign))
        return jinja_parser_advance(p);
    return fail_expected(p, words[sign]);
}

enum status jinja_expect_name(struct jinja_parser *p, const char *name)
{
    if (jinja_at_name(p, name))
        return jinja_parser_advance(p);
    return fail_expected(p, arena_printf(p->arena, "`%s`", name));
}

enum status jinja_expect_kind(struct jinja_parser *p, enum jinja_token_kind kind)
{
    if (p->current.kind == kind)
        return jinja_parser_advance(p);
    return fail_expected(p, kind_words[kind]);
}

const struct jinja_symbol *jinja_parser_symbol(struct jinja_parser *p, struct slice text)
{
    struct jinja_symbol *symbol = map_get_slice(p->symbols, text);
    if (!symbol) {
        symbol = arena_new_of(p->arena, struct jinja_symbol);
        symbol->text = text;
        symbol->hash = jinja_hash_text(text);
        map_set_slice(p->symbols, text, symbol);
    }
    return symbol;
}

enum status jinja_expect_symbol(struct jinja_parser *p, const struct jinja_symbol **ret)
{
    if (p->current.kind != TOKEN_NAME)
        return fail_expected(p, "a name");
    *ret = jinja_parser_symbol(p, p->current.text);
    return jinja_parser_advance(p);
}

static enum status parse_body(
    struct jinja_parser *p, const char *const *ends, struct jinja_body *ret);

static struct jinja_statement *new_statement(struct jinja_parser *p, enum jinja_statement_kind kind)
{
    struct jinja_statement *s = arena_new_of(p->arena, struct jinja_statement);
    s->kind = kind;
    s->line = p->current.line;
    s->offset = p->current.offset;
    return s;
}

static void add_statement(struct jinja_body *body, struct jinja_statement *s)
{
    if (!body->last)
        body->last = &body->first;
    *body->last = s;
    body->last = &s->next;
}

static bool at_any_name(const struct jinja_parser *p, const char *const *names)
{
    for (size_t i = 0; names[i]; i++)
        if (jinja_at_name(p, names[i]))
            return true;
    return false;
}

static void describe_ends(const char *const *ends, struct strbuf *out)
{
    for (size_t i = 0; ends[i]; i++) {
        strbuf_add_str(out, i ? " or `" : "`");
        strbuf_add_str(out, ends[i]);
        strbuf_add_char(out, '`');
    }
}

/* "unknown tag" and "unexpected end": says what is open and what would close it. */
static enum status fail_open(struct jinja_parser *p, const struct jinja_token *unknown)
{
    struct strbuf message = {0};
    if (unknown)
        strbuf_printf(&message, "encountered unknown tag `%.*s`",
            (int)(unknown->text.size < 60 ? unknown->text.size : 60), unknown->text.p);
    else
        strbuf_add_str(&message, "unexpected end of template");
    if (p->end_tags.count) {
        strbuf_add_str(&message, unknown ? "; looking for " : "; it lacks ");
        describe_ends(p->end_tags.at[p->end_tags.count - 1], &message);
    }
    if (p->open_tags.count)
        strbuf_printf(&message, "; the innermost block that needs to be closed is `%s`",
            p->open_tags.at[p->open_tags.count - 1]);
    uint32_t line = unknown ? unknown->line : p->current.line;
    uint32_t offset = unknown ? unknown->offset : p->current.offset;
    jinja_parser_fail_at(p, line, offset, "%s", strbuf_text(&message));
    strbuf_done(&message);
    return ERR_TEMPLATE_SYNTAX;
}

/* From the rest of the begin tag to one of the end tags, which becomes the current token; with
   `drop`, to behind its name. */
static enum status parse_until(
    struct jinja_parser *p, const char *const *ends, bool drop, struct jinja_body *ret)
{
    bool colon;
    enum status status = jinja_skip_sign(p, SIGN_COLON, &colon);
    if (!status)
        status = jinja_expect_kind(p, TOKEN_BLOCK_END);
    if (!status)
        status = parse_body(p, ends, ret);
    if (!status && p->current.kind == TOKEN_END) {
        vec_push(&p->end_tags, ends);
        status = fail_open(p, NULL);
    }
    return status || !drop ? status : jinja_parser_advance(p);
}

static enum status parse_tag_filters(struct jinja_parser *p, struct jinja_expression **ret)
{
    return jinja_parse_filters(p, NULL, true, ret);
}

static enum status parse_if(struct jinja_parser *p, struct jinja_statement **ret)
{
    static const char *const ends[] = {"elif", "else", "endif", NULL};
    static const char *const last[] = {"endif", NULL};
    struct jinja_statement *s = *ret = new_statement(p, S_IF);
    VEC(struct jinja_branch) branches = {0};
    uint32_t line = s->line;
    enum status status = jinja_parser_advance(p);
    while (!status) {
        struct jinja_branch branch = {.line = line};
        status =
            jinja_parse_tuple(p, (struct jinja_tuple_options){.no_condition = true}, &branch.test);
        if (!status)
            status = parse_until(p, ends, false, &branch.body);
        if (status)
            break;
        vec_push(&branches, branch);
        bool is_elif = jinja_at_name(p, "elif"), is_else = jinja_at_name(p, "else");
        status = jinja_parser_advance(p);
        line = p->current.line;
        if (!status && is_else) {
            branch = (struct jinja_branch){.line = line};
            status = parse_until(p, last, true, &branch.body);
            vec_push(&branches, branch);
        }
        if (!is_elif)
            break;
    }
    s->branch.count = branches.count;
    if (branches.count)
        s->branch.branches =
            arena_memdup(p->arena, branches.at, branches.count * sizeof *branches.at);
    vec_done(&branches);
    return status;
}

static enum status parse_for(struct jinja_parser *p, struct jinja_statement **ret)
{
    static const char *const ends[] = {"endfor", "else", NULL}, *const last[] = {"endfor", NULL};
    struct jinja_statement *s = *ret = new_statement(p, S_FOR);
    bool filtered = false;
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = jinja_parse_target(p, false, TUPLE_END_IN, &s->loop.target);
    if (!status)
        status = jinja_expect_name(p, "in");
    if (!status)
        status = jinja_parse_tuple(p,
            (struct jinja_tuple_options){.no_condition = true, .end = TUPLE_END_RECURSIVE},
            &s->loop.iterable);
    if (!status)
        status = jinja_skip_name(p, "if", &filtered);
    if (!status && filtered)
        status = jinja_parse_expression(p, &s->loop.test);
    if (!status)
        status = jinja_skip_name(p, "recursive", &s->loop.recursive);
    if (!status)
        status = parse_until(p, ends, false, &s->loop.body);
    if (status)
        return status;
    bool has_else = jinja_at_name(p, "else");
    status = jinja_parser_advance(p);
    return status || !has_else ? status : parse_until(p, last, true, &s->loop.otherwise);
}

static enum status parse_set(struct jinja_parser *p, struct jinja_statement **ret)
{
    static const char *const ends[] = {"endset", NULL};
    struct jinja_statement *s = *ret = new_statement(p, S_SET);
    bool has_value = false;
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = jinja_parse_target(p, true, TUPLE_END_NONE, &s->set.target);
    if (!status)
        status = jinja_skip_sign(p, SIGN_ASSIGN, &has_value);
    if (status)
        return status;
    if (has_value)
        return jinja_parse_tuple(p, (struct jinja_tuple_options){0}, &s->set.value);
    s->kind = S_SET_BLOCK;
    status = jinja_parse_filters(p, NULL, false, &s->set.filter);
    return status ? status : parse_until(p, ends, true, &s->set.body);
}

static enum status parse_with(struct jinja_parser *p, struct jinja_statement **ret)
{
    static const char *const ends[] = {"endwith", NULL};
    struct jinja_statement *s = *ret = new_statement(p, S_WITH);
    VEC(struct jinja_expression *) targets = {0}, values = {0};
    enum status status = jinja_parser_advance(p);
    while (!status && p->current.kind != TOKEN_BLOCK_END) {
        struct jinja_expression *target, *value;
        if (targets.count)
            status = jinja_expect_sign(p, SIGN_COMMA);
        if (!status)
            status = jinja_parse_target(p, false, TUPLE_END_NONE, &target);
        if (!status)
            status = jinja_expect_sign(p, SIGN_ASSIGN);
        if (!status)
            status = jinja_parse_expression(p, &value);
        if (!status) {
            vec_push(&targets, target);
            vec_push(&values, value);
        }
    }
    s->with.count = targets.count;
    size_t size = targets.count * sizeof *targets.at;
    s->with.targets = arena_memdup(p->arena, size ? (void *)targets.at : (void *)"", size);
    s->with.values = arena_memdup(p->arena, size ? (void *)values.at : (void *)"", size);
    vec_done(&targets);
    vec_done(&values);
    return status ? status : parse_until(p, ends, true, &s->with.body);
}

/* `(a, b=1)` of macros and call blocks. */
static enum status parse_signature(struct jinja_parser *p, struct jinja_macro_node *macro)
{
    VEC(struct jinja_expression *) parameters = {0}, defaults = {0};
    enum status status = jinja_expect_sign(p, SIGN_PAREN_OPEN);
    while (!status && !jinja_at_sign(p, SIGN_PAREN_CLOSE)) {
        if (parameters.count)
            status = jinja_expect_sign(p, SIGN_COMMA);
        struct jinja_expression *e =
            jinja_new_expression(p, E_NAME, p->current.line, p->current.offset);
        bool has_default = false;
        if (!status)
            status = jinja_expect_symbol(p, &e->variable.name);
        if (!status)
            status = jinja_skip_sign(p, SIGN_ASSIGN, &has_default);
        if (status)
            break;
        for (size_t i = 0; !status && i < parameters.count; i++)
            if (parameters.at[i]->variable.name == e->variable.name)
                status = jinja_parser_fail_at(p, e->line, e->offset, "duplicate argument '%.*s'",
                    SLICE_ARG(e->variable.name->text));
        vec_push(&parameters, e);
        if (!status && has_default) {
            struct jinja_expression *value;
            status = jinja_parse_expression(p, &value);
            if (!status)
                vec_push(&defaults, value);
        } else if (!status && defaults.count) {
            status = jinja_parser_fail(p, "non-default argument follows default argument");
        }
        if (!status && parameters.count > JINJA_ARGUMENTS_MAX)
            status = jinja_parser_fail(p, "more than %d parameters", JINJA_ARGUMENTS_MAX);
    }
    macro->parameter_count = parameters.count;
    macro->default_count = defaults.count;
    if (parameters.count)
        macro->parameters =
            arena_memdup(p->arena, parameters.at, parameters.count * sizeof *parameters.at);
    if (defaults.count)
        macro->defaults = arena_memdup(p->arena, defaults.at, defaults.count * sizeof *defaults.at);
    vec_done(&parameters);
    vec_done(&defaults);
    return status ? status : jinja_expect_sign(p, SIGN_PAREN_CLOSE);
}

static enum status parse_macro(struct jinja_parser *p, struct jinja_statement **ret)
{
    static const char *const ends[] = {"endmacro", NULL};
    struct jinja_statement *s = *ret = new_statement(p, S_MACRO);
    struct jinja_macro_node *macro = s->macro.macro =
        arena_new_of(p->arena, struct jinja_macro_node);
    macro->line = s->line;
    macro->offset = s->offset;
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = jinja_expect_symbol(p, &macro->name);
    if (!status)
        status = parse_signature(p, macro);
    return status ? status : parse_until(p, ends, true, &macro->code.body);
}

static enum status parse_call_block(struct jinja_parser *p, struct jinja_statement **ret)
{
    static const char *const ends[] = {"endcall", NULL};
    struct jinja_statement *s = *ret = new_statement(p, S_CALL);
    struct jinja_macro_node *macro = s->macro.macro =
        arena_new_of(p->arena, struct jinja_macro_node);
    macro->line = s->line;
    macro->offset = s->offset;
    enum status status = jinja_parser_advance(p);
    if (!status && jinja_at_sign(p, SIGN_PAREN_OPEN))
        status = parse_signature(p, macro);
    if (!status)
        status = jinja_parse_expression(p, &s->macro.call);
    if (!status && s->macro.call->kind != E_CALL)
        status = jinja_parser_fail_at(p, s->line, s->offset, "expected call");
    return status ? status : parse_until(p, ends, true, &macro->code.body);
}

static enum status parse_filter_block(struct jinja_parser *p, struct jinja_statement **ret)
{
    static const char *const ends[] = {"endfilter", NULL};
    struct jinja_statement *s = *ret = new_statement(p, S_FILTER);
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = parse_tag_filters(p, &s->filter.filter);
    return status ? status : parse_until(p, ends, true, &s->filter.body);
}

static void add_reference(struct jinja_parser *p, enum jinja_reference_kind kind,
    const struct jinja_expression *name, bool ignore_missing)
{
    struct jinja_origin at = jinja_locate(p->template, name->offset);
    struct jinja_reference reference = {
        .kind = kind, .ignore_missing = ignore_missing, .line = at.line, .column = at.column};
    if (name->kind == E_CONSTANT && name->constant.kind == JINJA_STRING)
        reference.name = jinja_text(name->constant);
    vec_push(&p->references, reference);
}

static void add_references(struct jinja_parser *p, enum jinja_reference_kind kind,
    const struct jinja_expression *name, bool ignore_missing)
{
    if (name->kind != E_LIST && name->kind != E_TUPLE) {
        add_reference(p, kind, name, ignore_missing);
        return;
    }
    for (size_t i = 0; i < name->list.count; i++)
        add_reference(p, kind, name->list.items[i], ignore_missing);
}

/* `with context` and `without context`, if they stand here. */
static enum status parse_with_context(
    struct jinja_parser *p, bool *ret_with_context, bool *ret_found)
{
    struct jinja_token next;
    *ret_found = false;
    if (!jinja_at_name(p, "with") && !jinja_at_name(p, "without"))
        return OK;
    enum status status = jinja_parser_look(p, &next);
    if (status || next.kind != TOKEN_NAME || !slice_equal_str(next.text, "context"))
        return status;
    *ret_found = true;
    *ret_with_context = jinja_at_name(p, "with");
    status = jinja_parser_advance(p);
    return status ? status : jinja_parser_advance(p);
}

static enum status parse_include(struct jinja_parser *p, struct jinja_statement **ret)
{
    struct jinja_statement *s = *ret = new_statement(p, S_INCLUDE);
    struct jinja_token next;
    bool found;
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = jinja_parse_expression(p, &s->import.template);
    if (!status && jinja_at_name(p, "ignore")) {
        status = jinja_parser_look(p, &next);
        if (!status && next.kind == TOKEN_NAME && slice_equal_str(next.text, "missing")) {
            s->import.ignore_missing = true;
            status = jinja_parser_advance(p);
            if (!status)
                status = jinja_parser_advance(p);
        }
    }
    if (status)
        return status;
    add_references(p, JINJA_INCLUDE, s->import.template, s->import.ignore_missing);
    s->import.with_context = true;
    return parse_with_context(p, &s->import.with_context, &found);
}

static enum status parse_import(struct jinja_parser *p, struct jinja_statement **ret)
{
    struct jinja_statement *s = *ret = new_statement(p, S_IMPORT);
    bool found;
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = jinja_parse_expression(p, &s->import.template);
    if (!status)
        status = jinja_expect_name(p, "as");
    if (!status)
        status = jinja_expect_symbol(p, &s->import.target);
    if (status)
        return status;
    add_references(p, JINJA_IMPORT, s->import.template, false);
    return parse_with_context(p, &s->import.with_context, &found);
}

static enum status parse_import_name(struct jinja_parser *p, struct jinja_import_name *ret)
{
    uint32_t line = p->current.line, offset = p->current.offset;
    bool renamed = false;
    enum status status = jinja_expect_symbol(p, &ret->name);
    if (status)
        return status;
    if (ret->name->text.p[0] == '_')
        return jinja_parser_fail_at(
            p, line, offset, "names starting with an underline can not be imported");
    ret->alias = ret->name;
    status = jinja_skip_name(p, "as", &renamed);
    return status || !renamed ? status : jinja_expect_symbol(p, &ret->alias);
}

static enum status parse_from(struct jinja_parser *p, struct jinja_statement **ret)
{
    struct jinja_statement *s = *ret = new_statement(p, S_FROM);
    VEC(struct jinja_import_name) names = {0};
    bool done = false;
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = jinja_parse_expression(p, &s->import.template);
    if (!status)
        status = jinja_expect_name(p, "import");
    while (!status && !done) {
        struct jinja_import_name name = {0};
        if (names.count)
            status = jinja_expect_sign(p, SIGN_COMMA);
        if (!status)
            status = parse_with_context(p, &s->import.with_context, &done);
        if (status || done)
            break;
        status = parse_import_name(p, &name);
        if (!status)
            vec_push(&names, name);
        if (!status)
            status = parse_with_context(p, &s->import.with_context, &done);
        done = done || !jinja_at_sign(p, SIGN_COMMA);
    }
    s->import.name_count = names.count;
    if (names.count)
        s->import.names = arena_memdup(p->arena, names.at, names.count * sizeof *names.at);
    vec_done(&names);
    if (!status)
        add_references(p, JINJA_FROM, s->import.template, false);
    return status;
}

static enum status parse_extends(struct jinja_parser *p, struct jinja_statement **ret)
{
    struct jinja_statement *s = *ret = new_statement(p, S_EXTENDS);
    p->template->extends = true;
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = jinja_parse_expression(p, &s->expression.value);
    if (!status)
        add_references(p, JINJA_EXTENDS, s->expression.value, false);
    return status;
}

static enum status check_required(struct jinja_parser *p, const struct jinja_body *body)
{
    for (const struct jinja_statement *s = body->first; s; s = s->next) {
        bool blank = s->kind == S_OUTPUT;
        for (size_t i = 0; blank && i < s->output.count; i++)
            blank = !s->output.parts[i].expression &&
                    jinja_text_strip(s->output.parts[i].text, true, false).size == 0;
        if (!blank)
            return jinja_parser_fail(p, "required blocks can only contain comments or whitespace");
    }
    return OK;
}

static enum status parse_block(struct jinja_parser *p, struct jinja_statement **ret)
{
    static const char *const ends[] = {"endblock", NULL};
    struct jinja_statement *s = *ret = new_statement(p, S_BLOCK);
    struct jinja_block_node *block = s->block.block =
        arena_new_of(p->arena, struct jinja_block_node);
    const struct jinja_symbol *name = NULL;
    block->line = s->line;
    block->offset = s->offset;
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = jinja_expect_symbol(p, &name);
    if (!status)
        status = jinja_skip_name(p, "scoped", &s->block.scoped);
    if (!status)
        status = jinja_skip_name(p, "required", &block->required);
    if (!status && jinja_at_sign(p, SIGN_SUBTRACT))
        status =
            jinja_parser_fail(p, "block names may not contain hyphens, use an underscore instead");
    /* Blocks are listed in the order of their begin tags. */
    if (!status) {
        block->name = name->text;
        block->code.name = arena_strndup(p->arena, name->text.p, name->text.size);
        vec_push(&p->blocks, block);
        status = parse_until(p, ends, true, &block->code.body);
    }
    if (!status && block->required)
        status = check_required(p, &block->code.body);
    bool named;
    return status ? status : jinja_skip_name(p, block->code.name, &named);
}

static enum status parse_print(struct jinja_parser *p, struct jinja_statement **ret)
{
    struct jinja_statement *s = *ret = new_statement(p, S_OUTPUT);
    VEC(struct jinja_part) parts = {0};
    enum status status = jinja_parser_advance(p);
    while (!status && p->current.kind != TOKEN_BLOCK_END) {
        struct jinja_part part = {0};
        if (parts.count)
            status = jinja_expect_sign(p, SIGN_COMMA);
        part.offset = p->current.offset;
        if (!status)
            status = jinja_parse_expression(p, &part.expression);
        if (!status)
            vec_push(&parts, part);
    }
    s->output.count = parts.count;
    if (parts.count)
        s->output.parts = arena_memdup(p->arena, parts.at, parts.count * sizeof *parts.at);
    vec_done(&parts);
    return status;
}

static enum status parse_do(struct jinja_parser *p, struct jinja_statement **ret)
{
    struct jinja_statement *s = *ret = new_statement(p, S_DO);
    enum status status = jinja_parser_advance(p);
    return status ? status
                  : jinja_parse_tuple(p, (struct jinja_tuple_options){0}, &s->expression.value);
}

static enum status parse_jump(struct jinja_parser *p, struct jinja_statement **ret)
{
    *ret = new_statement(p, jinja_at_name(p, "break") ? S_BREAK : S_CONTINUE);
    return jinja_parser_advance(p);
}

static enum status parse_autoescape(struct jinja_parser *p, struct jinja_statement **ret)
{
    static const char *const ends[] = {"endautoescape", NULL};
    struct jinja_statement *s = *ret = new_statement(p, S_AUTOESCAPE);
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = jinja_parse_expression(p, &s->expression.value);
    return status ? status : parse_until(p, ends, true, &s->expression.body);
}

/* How to add a tag: write its parse function here and list it, give it a kind in syntax.h, resolve
   its names in resolver.c and execute it in render.c; language_test.c renders every kind. */
static const struct {
    const char *tag;
    enum status (*parse)(struct jinja_parser *p, struct jinja_statement **ret);
} tags[] = {{"autoescape", parse_autoescape}, {"block", parse_block}, {"break", parse_jump},
    {"call", parse_call_block}, {"continue", parse_jump}, {"do", parse_do},
    {"extends", parse_extends}, {"filter", parse_filter_block}, {"for", parse_for},
    {"from", parse_from}, {"if", parse_if}, {"import", parse_import}, {"include", parse_include},
    {"macro", parse_macro}, {"print", parse_print}, {"set", parse_set}, {"with", parse_with}};

static enum status parse_statement(struct jinja_parser *p, struct jinja_statement **ret)
{
    if (p->current.kind != TOKEN_NAME)
        return jinja_parser_fail(p, "tag name expected");
    for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
        if (!jinja_at_name(p, tags[i].tag))
            continue;
        vec_push(&p->open_tags, tags[i].tag);
        enum status status = jinja_parser_enter(p);
        if (!status)
            status = tags[i].parse(p, ret);
        p->nesting--;
        p->open_tags.count--;
        return status;
    }
    struct jinja_token unknown = p->current;
    return fail_open(p, &unknown);
}

typedef VEC(struct jinja_part) part_vec;

/* Text and expressions between two tags are one output statement. */
static void flush_parts(struct jinja_parser *p, part_vec *parts, struct jinja_body *body)
{
    if (parts->count == 0)
        return;
    struct jinja_statement *s = arena_new_of(p->arena, struct jinja_statement);
    s->kind = S_OUTPUT;
    s->offset = parts->at[0].offset;
    s->line = parts->at[0].line;
    s->output.count = parts->count;
    s->output.parts = arena_memdup(p->arena, parts->at, parts->count * sizeof *parts->at);
    add_statement(body, s);
    vec_clear(parts);
}

static enum status parse_variable(struct jinja_parser *p, part_vec *parts)
{
    struct jinja_part part = {0};
    enum status status = jinja_parser_advance(p);
    part.offset = p->current.offset;
    part.line = p->current.line;
    if (!status)
        status = jinja_parse_tuple(p, (struct jinja_tuple_options){0}, &part.expression);
    if (!status)
        vec_push(parts, part);
    return status ? status : jinja_expect_kind(p, TOKEN_VARIABLE_END);
}

static enum status parse_parts(
    struct jinja_parser *p, const char *const *ends, part_vec *parts, struct jinja_body *ret)
{
    enum status status = OK;
    while (!status && p->current.kind != TOKEN_END) {
        if (p->current.kind == TOKEN_DATA) {
            struct jinja_part part = {
                .text = p->current.text, .offset = p->current.offset, .line = p->current.line};
            vec_push(parts, part);
            status = jinja_parser_advance(p);
        } else if (p->current.kind == TOKEN_VARIABLE_BEGIN) {
            status = parse_variable(p, parts);
        } else {
            struct jinja_statement *s;
            flush_parts(p, parts, ret);
            status = jinja_parser_advance(p);
            if (status || (ends && at_any_name(p, ends)))
                return status;
            status = parse_statement(p, &s);
            if (!status)
                add_statement(ret, s);
            if (!status)
                status = jinja_expect_kind(p, TOKEN_BLOCK_END);
        }
    }
    flush_parts(p, parts, ret);
    return status;
}

static enum status parse_body(
    struct jinja_parser *p, const char *const *ends, struct jinja_body *ret)
{
    part_vec parts = {0};
    if (ends)
        vec_push(&p->end_tags, ends);
    enum status status = parse_parts(p, ends, &parts, ret);
    /* After a failure the list is left as it is: the message has been made. */
    if (ends && !status)
        p->end_tags.count--;
    vec_done(&parts);
    return status;
}

static enum status parse_bare(struct jinja_parser *p)
{
    p->lexer.state = LEXER_VARIABLE;
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = jinja_parse_expression(p, &p->template->expression);
    if (!status && p->current.kind != TOKEN_END)
        status = jinja_parser_fail(p, "chunk after expression");
    return status;
}

enum status jinja_parse(struct jinja_template *template, bool bare, struct error *err)
{
    struct jinja_options options = jinja_environment_options(template->env);
    struct jinja_parser parser = {.template = template, .arena = template->arena, .err = err};
    struct jinja_parser *p = &parser;
    p->symbols = map_new();
    jinja_lexer_init(&p->lexer, template, &options);
    enum status status;
    if (bare) {
        status = parse_bare(p);
    } else {
        status = jinja_parser_advance(p);
        if (!status)
            status = parse_body(p, NULL, &template->root.body);
    }
    if (!status)
        status = jinja_resolve(template, p, err);
    if (!status && p->references.count)
        template->needs.references = arena_memdup(
            p->arena, p->references.at, p->references.count * sizeof *p->references.at);
    template->needs.reference_count = p->references.count;
    jinja_lexer_done(&p->lexer);
    vec_done(&p->open_tags);
    vec_done(&p->end_tags);
    vec_done(&p->blocks);
    vec_done(&p->references);
    map_free(p->symbols);
    return status;
}
