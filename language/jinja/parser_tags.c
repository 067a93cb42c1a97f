/*
 * The tags, each with its own function.
 */
#include "language/jinja/parser.h"
#include "language/jinja/unicode.h"

static enum status parse_tag_filters(struct jinja_parser *p, struct jinja_expression **ret)
{
    return jinja_parse_filters(p, NULL, true, ret);
}

static enum status parse_if(struct jinja_parser *p, struct jinja_statement **ret)
{
    static const char *const ends[] = {"elif", "else", "endif", NULL};
    static const char *const last[] = {"endif", NULL};
    struct jinja_statement *s = *ret = jinja_new_statement(p, S_IF);
    VEC(struct jinja_branch) branches = {0};
    uint32_t line = s->line;
    enum status status = jinja_parser_advance(p);
    while (!status) {
        struct jinja_branch branch = {.line = line};
        status =
            jinja_parse_tuple(p, (struct jinja_tuple_options){.no_condition = true}, &branch.test);
        if (!status)
            status = jinja_parse_until(p, ends, false, &branch.body);
        if (status)
            break;
        vec_push(&branches, branch);
        bool is_elif = jinja_at_name(p, "elif"), is_else = jinja_at_name(p, "else");
        status = jinja_parser_advance(p);
        line = p->current.line;
        if (!status && is_else) {
            branch = (struct jinja_branch){.line = line};
            status = jinja_parse_until(p, last, true, &branch.body);
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
    struct jinja_statement *s = *ret = jinja_new_statement(p, S_FOR);
    bool filtered = false;
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = jinja_parse_target(p, false, &s->loop.target);
    if (!status)
        status = jinja_expect_name(p, "in");
    if (!status)
        status = jinja_parse_tuple(
            p, (struct jinja_tuple_options){.no_condition = true}, &s->loop.iterable);
    if (!status)
        status = jinja_skip_name(p, "if", &filtered);
    if (!status && filtered)
        status = jinja_parse_expression(p, &s->loop.test);
    if (!status)
        status = jinja_skip_name(p, "recursive", &s->loop.recursive);
    if (!status)
        status = jinja_parse_until(p, ends, false, &s->loop.body);
    if (status)
        return status;
    bool has_else = jinja_at_name(p, "else");
    status = jinja_parser_advance(p);
    return status || !has_else ? status : jinja_parse_until(p, last, true, &s->loop.otherwise);
}

static enum status parse_set(struct jinja_parser *p, struct jinja_statement **ret)
{
    static const char *const ends[] = {"endset", NULL};
    struct jinja_statement *s = *ret = jinja_new_statement(p, S_SET);
    bool has_value = false;
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = jinja_parse_target(p, true, &s->set.target);
    if (!status)
        status = jinja_skip_sign(p, SIGN_ASSIGN, &has_value);
    if (status)
        return status;
    if (has_value)
        return jinja_parse_tuple(p, (struct jinja_tuple_options){0}, &s->set.value);
    s->kind = S_SET_BLOCK;
    status = jinja_parse_filters(p, NULL, false, &s->set.filter);
    return status ? status : jinja_parse_until(p, ends, true, &s->set.body);
}

static enum status parse_with(struct jinja_parser *p, struct jinja_statement **ret)
{
    static const char *const ends[] = {"endwith", NULL};
    struct jinja_statement *s = *ret = jinja_new_statement(p, S_WITH);
    VEC(struct jinja_expression *) targets = {0}, values = {0};
    enum status status = jinja_parser_advance(p);
    while (!status && p->current.kind != TOKEN_BLOCK_END) {
        struct jinja_expression *target, *value;
        if (targets.count)
            status = jinja_expect_sign(p, SIGN_COMMA);
        if (!status)
            status = jinja_parse_target(p, false, &target);
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
    return status ? status : jinja_parse_until(p, ends, true, &s->with.body);
}

/* A name that can be assigned to. */
static enum status expect_target(struct jinja_parser *p, const struct jinja_symbol **ret)
{
    static const char *const constants[] = {"true", "false", "none", "True", "False", "None"};
    uint32_t line = p->current.line, offset = p->current.offset;
    enum status status = jinja_expect_symbol(p, ret);
    for (size_t i = 0; !status && i < ARRAY_SIZE(constants); i++)
        if (slice_equal_str((*ret)->text, constants[i]))
            status = jinja_parser_fail_at(p, line, offset, "can't assign to '%s'", constants[i]);
    return status;
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
            status = expect_target(p, &e->variable.name);
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
    struct jinja_statement *s = *ret = jinja_new_statement(p, S_MACRO);
    struct jinja_macro_node *macro = s->macro.macro =
        arena_new_of(p->arena, struct jinja_macro_node);
    macro->line = s->line;
    macro->offset = s->offset;
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = expect_target(p, &macro->name);
    if (!status)
        status = parse_signature(p, macro);
    return status ? status : jinja_parse_until(p, ends, true, &macro->code.body);
}

static enum status parse_call_block(struct jinja_parser *p, struct jinja_statement **ret)
{
    static const char *const ends[] = {"endcall", NULL};
    struct jinja_statement *s = *ret = jinja_new_statement(p, S_CALL);
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
    return status ? status : jinja_parse_until(p, ends, true, &macro->code.body);
}

static enum status parse_filter_block(struct jinja_parser *p, struct jinja_statement **ret)
{
    static const char *const ends[] = {"endfilter", NULL};
    struct jinja_statement *s = *ret = jinja_new_statement(p, S_FILTER);
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = parse_tag_filters(p, &s->filter.filter);
    return status ? status : jinja_parse_until(p, ends, true, &s->filter.body);
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
    struct jinja_statement *s = *ret = jinja_new_statement(p, S_INCLUDE);
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
    struct jinja_statement *s = *ret = jinja_new_statement(p, S_IMPORT);
    bool found;
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = jinja_parse_expression(p, &s->import.template);
    if (!status)
        status = jinja_expect_name(p, "as");
    if (!status)
        status = expect_target(p, &s->import.target);
    if (status)
        return status;
    add_references(p, JINJA_IMPORT, s->import.template, false);
    return parse_with_context(p, &s->import.with_context, &found);
}

static enum status parse_import_name(struct jinja_parser *p, struct jinja_import_name *ret)
{
    uint32_t line = p->current.line, offset = p->current.offset;
    bool renamed = false;
    enum status status = expect_target(p, &ret->name);
    if (status)
        return status;
    if (ret->name->text.p[0] == '_')
        return jinja_parser_fail_at(
            p, line, offset, "names starting with an underline can not be imported");
    ret->alias = ret->name;
    status = jinja_skip_name(p, "as", &renamed);
    return status || !renamed ? status : expect_target(p, &ret->alias);
}

static enum status parse_from(struct jinja_parser *p, struct jinja_statement **ret)
{
    struct jinja_statement *s = *ret = jinja_new_statement(p, S_FROM);
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
    struct jinja_statement *s = *ret = jinja_new_statement(p, S_EXTENDS);
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
    struct jinja_statement *s = *ret = jinja_new_statement(p, S_BLOCK);
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
        status = jinja_parse_until(p, ends, true, &block->code.body);
    }
    if (!status && block->required)
        status = check_required(p, &block->code.body);
    bool named;
    return status ? status : jinja_skip_name(p, block->code.name, &named);
}

static enum status parse_print(struct jinja_parser *p, struct jinja_statement **ret)
{
    struct jinja_statement *s = *ret = jinja_new_statement(p, S_OUTPUT);
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
    struct jinja_statement *s = *ret = jinja_new_statement(p, S_DO);
    enum status status = jinja_parser_advance(p);
    return status ? status
                  : jinja_parse_tuple(p, (struct jinja_tuple_options){0}, &s->expression.value);
}

static enum status parse_jump(struct jinja_parser *p, struct jinja_statement **ret)
{
    *ret = jinja_new_statement(p, jinja_at_name(p, "break") ? S_BREAK : S_CONTINUE);
    return jinja_parser_advance(p);
}

static enum status parse_autoescape(struct jinja_parser *p, struct jinja_statement **ret)
{
    static const char *const ends[] = {"endautoescape", NULL};
    struct jinja_statement *s = *ret = jinja_new_statement(p, S_AUTOESCAPE);
    enum status status = jinja_parser_advance(p);
    if (!status)
        status = jinja_parse_expression(p, &s->expression.value);
    return status ? status : jinja_parse_until(p, ends, true, &s->expression.body);
}

/* How to add a tag: write its parse function here and list it, give it a kind in syntax.h, resolve
   its names in resolver.c and execute it in render.c; language_test.c renders every kind. */
const struct jinja_tag jinja_tags[] = {{"autoescape", parse_autoescape}, {"block", parse_block},
    {"break", parse_jump}, {"call", parse_call_block}, {"continue", parse_jump}, {"do", parse_do},
    {"extends", parse_extends}, {"filter", parse_filter_block}, {"for", parse_for},
    {"from", parse_from}, {"if", parse_if}, {"import", parse_import}, {"include", parse_include},
    {"macro", parse_macro}, {"print", parse_print}, {"set", parse_set}, {"with", parse_with}};
const size_t jinja_tag_count = ARRAY_SIZE(jinja_tags);
