/*
 * The walk that gives every name its place, in the order in which Jinja2 generates code: the same
 * mistakes are found, and tags without a line of their own get the line that Jinja2 reports.
 */
#include "language/jinja/resolver.h"

static enum status resolve_body(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_body *body);

static const struct jinja_symbol *symbol_of(struct jinja_resolver *r, const char *name)
{
    return jinja_parser_symbol(r->parser, slice_of(name));
}

/* What is made in this function can outlive its run, and refers to all functions around it. */
static void capture(struct jinja_function_scope *function)
{
    for (; function; function = function->parent)
        function->code->captured = true;
}

static enum jinja_escape escape_of(const struct jinja_resolver *r)
{
    return r->escape_unknown ? ESCAPE_ASK : r->escape ? ESCAPE_YES : ESCAPE_NO;
}

static enum status resolve_output(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_statement *s)
{
    if (frame->check_output && r->known_extends) {
        s->output.check = CHECK_NEVER;
        return OK;
    }
    s->output.check = frame->check_output ? CHECK_PARENT : CHECK_NONE;
    s->escape = escape_of(r);
    enum status status = OK;
    for (size_t i = 0; !status && i < s->output.count; i++) {
        struct jinja_expression *e = s->output.parts[i].expression;
        if (!e && s->escape == ESCAPE_ASK)
            r->last_line = s->output.parts[i].line;
        if (!e || jinja_fold_text(r, e))
            continue;
        r->last_line = e->line;
        status = jinja_resolve_expression(r, frame, e);
    }
    return status;
}

static enum status resolve_if(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_statement *s)
{
    bool soft = frame->soft, rootlevel = frame->rootlevel;
    enum status status = OK;
    frame->soft = true;
    frame->rootlevel = false;
    for (size_t i = 0; !status && i < s->branch.count; i++) {
        struct jinja_branch *branch = &s->branch.branches[i];
        if (branch->test)
            r->last_line = branch->line;
        status = jinja_resolve_expression(r, frame, branch->test);
        if (!status)
            status = resolve_body(r, frame, &branch->body);
    }
    frame->soft = soft;
    frame->rootlevel = rootlevel;
    return status;
}

static enum status resolve_for_test(struct jinja_resolver *r, struct jinja_frame_scope *frame,
    struct jinja_function_scope *function, struct jinja_statement *s)
{
    if (!s->loop.test)
        return OK;
    struct jinja_frame_scope test = jinja_frame_inner(frame, function);
    s->loop.test_target = jinja_clone_target(r, s->loop.target);
    jinja_list_target(&test, s->loop.test_target, true);
    jinja_list_expression(&test, s->loop.test);
    s->loop.test_loads = jinja_frame_loads(r, &test);
    r->last_line = s->loop.test->line;
    enum status status = jinja_resolve_target(r, &test, s->loop.test_target, false);
    if (!status)
        status = jinja_resolve_expression(r, &test, s->loop.test);
    jinja_frame_done(&test);
    return status;
}

static enum status resolve_for_body(struct jinja_resolver *r, struct jinja_frame_scope *frame,
    struct jinja_function_scope *function, struct jinja_statement *s)
{
    struct jinja_frame_scope body = jinja_frame_inner(frame, function);
    if (s->loop.has_loop)
        s->loop.loop_slot = jinja_frame_declare(&body, symbol_of(r, "loop"));
    jinja_list_target(&body, s->loop.target, true);
    jinja_list_body(&body, &s->loop.body);
    s->loop.loads = jinja_frame_loads(r, &body);
    enum status status = jinja_resolve_target(r, &body, s->loop.target, false);
    r->last_line = s->line;
    if (!status && !s->loop.recursive)
        status = jinja_resolve_expression(r, frame, s->loop.iterable);
    r->breakable++;
    if (!status)
        status = resolve_body(r, &body, &s->loop.body);
    r->breakable--;
    jinja_frame_done(&body);
    return status;
}

static enum status resolve_for_parts(struct jinja_resolver *r, struct jinja_frame_scope *frame,
    struct jinja_function_scope *function, struct jinja_statement *s)
{
    s->loop.has_loop = s->loop.recursive || jinja_reads_name(&s->loop.body, "loop") ||
                       jinja_has_scoped_block(&s->loop.body) ||
                       jinja_has_scoped_block(&s->loop.otherwise);
    enum status status = resolve_for_test(r, frame, function, s);
    if (!status)
        status = resolve_for_body(r, frame, function, s);
    if (status || !s->loop.otherwise.first)
        return status;
    struct jinja_frame_scope otherwise = jinja_frame_inner(frame, function);
    jinja_list_body(&otherwise, &s->loop.otherwise);
    s->loop.else_loads = jinja_frame_loads(r, &otherwise);
    status = resolve_body(r, &otherwise, &s->loop.otherwise);
    jinja_frame_done(&otherwise);
    return status;
}

static enum status resolve_for(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_statement *s)
{
    r->loops++;
    s->escape = escape_of(r);
    enum status status;
    if (s->loop.recursive) {
        struct jinja_code *code = s->loop.code = arena_new_of(r->arena, struct jinja_code);
        code->template = r->template;
        code->name = "loop";
        struct jinja_function_scope function = {frame->function, code};
        unsigned breakable = r->breakable;
        r->breakable = 0;
        capture(frame->function);
        status = resolve_for_parts(r, frame, &function, s);
        r->breakable = breakable;
        code->last_line = r->last_line;
        r->last_line = s->line;
        if (!status)
            status = jinja_resolve_expression(r, frame, s->loop.iterable);
    } else {
        status = resolve_for_parts(r, frame, frame->function, s);
    }
    r->loops--;
    return status;
}

static bool has_namespace_ref(const struct jinja_expression *e)
{
    if (e->kind == E_NAMESPACE_REF)
        return true;
    for (size_t i = 0; e->kind == E_TUPLE && i < e->list.count; i++)
        if (has_namespace_ref(e->list.items[i]))
            return true;
    return false;
}

static enum status resolve_set(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_statement *s)
{
    s->set.check_line = r->last_line;
    if (!has_namespace_ref(s->set.target))
        s->set.check_line = s->line;
    r->last_line = s->line;
    enum status status = jinja_resolve_target(r, frame, s->set.target, frame->toplevel);
    return status ? status : jinja_resolve_expression(r, frame, s->set.value);
}

static enum status resolve_set_block(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_statement *s)
{
    struct jinja_frame_scope inner = jinja_frame_inner(frame, frame->function);
    inner.check_output = false;
    s->escape = escape_of(r);
    jinja_list_body(&inner, &s->set.body);
    jinja_list_expression(&inner, s->set.filter);
    s->set.loads = jinja_frame_loads(r, &inner);
    enum status status = resolve_body(r, &inner, &s->set.body);
    r->last_line = s->line;
    s->set.check_line = s->line;
    if (!status)
        status = jinja_resolve_target(r, frame, s->set.target, frame->toplevel);
    if (!status)
        status = jinja_resolve_expression(r, &inner, s->set.filter);
    jinja_frame_done(&inner);
    return status;
}

static enum status resolve_with(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_statement *s)
{
    struct jinja_frame_scope inner = jinja_frame_inner(frame, frame->function);
    for (size_t i = 0; i < s->with.count; i++)
        jinja_list_target(&inner, s->with.targets[i], true);
    jinja_list_body(&inner, &s->with.body);
    s->with.loads = jinja_frame_loads(r, &inner);
    s->with.value_line = r->last_line;
    enum status status = OK;
    for (size_t i = 0; !status && i < s->with.count; i++) {
        status = jinja_resolve_target(r, &inner, s->with.targets[i], false);
        if (!status)
            status = jinja_resolve_expression(r, frame, s->with.values[i]);
    }
    if (!status)
        status = resolve_body(r, &inner, &s->with.body);
    jinja_frame_done(&inner);
    return status;
}

static enum status declare_special(struct jinja_resolver *r, struct jinja_frame_scope *frame,
    const struct jinja_statement *s, struct jinja_macro_node *macro)
{
    size_t explicit_caller = SIZE_MAX;
    bool explicit_keywords = false, explicit_varargs = false;
    for (size_t i = 0; i < macro->parameter_count; i++) {
        struct slice name = macro->parameters[i]->variable.name->text;
        if (slice_equal_str(name, "caller"))
            explicit_caller = i;
        explicit_keywords |= slice_equal_str(name, "kwargs");
        explicit_varargs |= slice_equal_str(name, "varargs");
    }
    macro->explicit_caller = explicit_caller != SIZE_MAX;
    macro->uses_caller = jinja_reads_name(&macro->code.body, "caller");
    if (macro->uses_caller && macro->explicit_caller) {
        if (macro->parameter_count - explicit_caller > macro->default_count)
            return jinja_parser_fail_at(r->parser, s->line, s->offset,
                "when defining macros or call blocks the special \"caller\" argument must be "
                "omitted or be given a default");
    } else if (macro->uses_caller) {
        macro->caller_slot = jinja_frame_declare(frame, symbol_of(r, "caller"));
    }
    macro->uses_keywords = !explicit_keywords && jinja_reads_name(&macro->code.body, "kwargs");
    if (macro->uses_keywords)
        macro->keywords_slot = jinja_frame_declare(frame, symbol_of(r, "kwargs"));
    macro->uses_varargs = !explicit_varargs && jinja_reads_name(&macro->code.body, "varargs");
    if (macro->uses_varargs)
        macro->varargs_slot = jinja_frame_declare(frame, symbol_of(r, "varargs"));
    return OK;
}

static void name_macro(struct jinja_resolver *r, struct jinja_macro_node *macro)
{
    macro->code.template = r->template;
    macro->code.name = macro->name
                           ? arena_strndup(r->arena, macro->name->text.p, macro->name->text.size)
                           : "caller";
    macro->missing = arena_array(r->arena, struct jinja_missing *, macro->parameter_count);
    for (size_t i = 0; i < macro->parameter_count; i++) {
        struct slice name = macro->parameters[i]->variable.name->text;
        struct jinja_missing *missing = arena_new_of(r->arena, struct jinja_missing);
        missing->kind = MISSING_HINT;
        missing->name = name;
        missing->hint =
            arena_printf(r->arena, "parameter '%.*s' was not provided", SLICE_ARG(name));
        macro->missing[i] = missing;
    }
}

/* Macros and the bodies of call blocks. */
static enum status resolve_macro_body(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_statement *s)
{
    struct jinja_macro_node *macro = s->macro.macro;
    struct jinja_function_scope function = {frame->function, &macro->code};
    struct jinja_frame_scope inner = jinja_frame_inner(frame, &function);
    unsigned breakable = r->breakable;
    r->breakable = 0;
    capture(frame->function);
    name_macro(r, macro);
    for (size_t i = 0; i < macro->parameter_count; i++)
        jinja_list_target(&inner, macro->parameters[i], true);
    for (size_t i = 0; i < macro->default_count; i++)
        jinja_list_expression(&inner, macro->defaults[i]);
    jinja_list_body(&inner, &macro->code.body);
    enum status status = declare_special(r, &inner, s, macro);
    inner.check_output = false;
    r->last_line = s->line;
    macro->code.loads = jinja_frame_loads(r, &inner);
    for (size_t i = 0; !status && i < macro->parameter_count; i++)
        jinja_resolve_name(r, &inner, macro->parameters[i]);
    for (size_t i = 0; !status && i < macro->default_count; i++)
        status = jinja_resolve_expression(r, &inner, macro->defaults[i]);
    if (!status)
        status = resolve_body(r, &inner, &macro->code.body);
    macro->code.last_line = r->last_line;
    jinja_frame_done(&inner);
    r->breakable = breakable;
    return status;
}

static struct jinja_place place_of(
    struct jinja_frame_scope *frame, const struct jinja_symbol *symbol)
{
    struct jinja_location location = {frame->function, 0};
    jinja_frame_find(frame, symbol, &location);
    return jinja_place_from(frame->function, location);
}

static enum status resolve_macro(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_statement *s)
{
    s->macro.exported = frame->toplevel;
    enum status status = resolve_macro_body(r, frame, s);
    s->macro.place = place_of(frame, s->macro.macro->name);
    return status;
}

static enum status resolve_call(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_statement *s)
{
    enum status status = resolve_macro_body(r, frame, s);
    r->last_line = s->line;
    return status ? status : jinja_resolve_expression(r, frame, s->macro.call);
}

static enum status resolve_filter(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_statement *s)
{
    struct jinja_frame_scope inner = jinja_frame_inner(frame, frame->function);
    s->escape = escape_of(r);
    jinja_list_body(&inner, &s->filter.body);
    jinja_list_expression(&inner, s->filter.filter);
    s->filter.loads = jinja_frame_loads(r, &inner);
    enum status status = resolve_body(r, &inner, &s->filter.body);
    r->last_line = s->line;
    if (!status)
        status = jinja_resolve_expression(r, &inner, s->filter.filter);
    jinja_frame_done(&inner);
    return status;
}

static enum status resolve_import(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_statement *s)
{
    r->last_line = s->line;
    s->import.exported = frame->toplevel;
    if (s->import.with_context)
        s->import.visibles = jinja_frame_visibles(r, frame);
    if (s->kind == S_INCLUDE && !s->import.with_context) {
        frame->function->code->is_generator = true;
        capture(frame->function);
    }
    if (s->kind == S_IMPORT)
        s->import.place = place_of(frame, s->import.target);
    for (size_t i = 0; i < s->import.name_count; i++) {
        struct jinja_import_name *name = &s->import.names[i];
        name->place = place_of(frame, name->alias);
        name->missing = arena_new_of(r->arena, struct jinja_missing);
        name->missing->kind = MISSING_HINT;
        name->missing->name = name->name->text;
        name->missing->hint = arena_printf(r->arena,
            "the imported template (line %u) does not export the requested name '%.*s'",
            s->line + r->template->first_line - 1, SLICE_ARG(name->name->text));
    }
    return jinja_resolve_expression(r, frame, s->import.template);
}

static enum status resolve_extends(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_statement *s)
{
    if (!frame->toplevel)
        return jinja_parser_fail_at(
            r->parser, s->line, s->offset, "cannot use extend from a non top-level scope");
    s->extended_before = r->extends_so_far > 0;
    s->extended_twice = s->extended_before && r->known_extends;
    /* The error of a second extends is raised before its own line is noted. */
    s->expression.value_line = r->last_line;
    r->extends_so_far++;
    r->last_line = s->line;
    enum status status = jinja_resolve_expression(r, frame, s->expression.value);
    if (frame->rootlevel)
        r->known_extends = true;
    return status;
}

static enum status resolve_block_tag(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_statement *s)
{
    s->block.check = CHECK_NONE;
    if (frame->toplevel && r->known_extends) {
        s->block.check = CHECK_NEVER;
        return OK;
    }
    if (frame->toplevel && r->extends_so_far > 0)
        s->block.check = CHECK_PARENT;
    if (s->block.scoped)
        s->block.visibles = jinja_frame_visibles(r, frame);
    r->last_line = s->line;
    return OK;
}

static enum status resolve_autoescape(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_statement *s)
{
    struct jinja_frame_scope inner = jinja_frame_inner(frame, frame->function);
    jinja_list_expression(&inner, s->expression.value);
    jinja_list_body(&inner, &s->expression.body);
    s->expression.loads = jinja_frame_loads(r, &inner);
    s->expression.value_line = r->last_line;
    bool escape = r->escape, unknown = r->escape_unknown;
    enum status status = jinja_resolve_expression(r, &inner, s->expression.value);
    if (!status && !jinja_fold_truth(r, s->expression.value, &r->escape))
        r->escape_unknown = true;
    if (!status)
        status = resolve_body(r, &inner, &s->expression.body);
    r->escape = escape;
    r->escape_unknown = unknown;
    jinja_frame_done(&inner);
    return status;
}

static enum status resolve_do(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_statement *s)
{
    r->last_line = s->line;
    return jinja_resolve_expression(r, frame, s->expression.value);
}

static enum status resolve_jump(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_statement *s)
{
    (void)frame;
    r->last_line = s->line;
    if (r->breakable)
        return OK;
    return jinja_parser_fail_at(r->parser, s->line, s->offset, "'%s' outside loop",
        s->kind == S_BREAK ? "break" : "continue");
}

typedef enum status resolve_function(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_statement *s);
static resolve_function *const resolvers[] = {[S_OUTPUT] = resolve_output,
    [S_IF] = resolve_if,
    [S_FOR] = resolve_for,
    [S_SET] = resolve_set,
    [S_SET_BLOCK] = resolve_set_block,
    [S_WITH] = resolve_with,
    [S_MACRO] = resolve_macro,
    [S_CALL] = resolve_call,
    [S_FILTER] = resolve_filter,
    [S_INCLUDE] = resolve_import,
    [S_IMPORT] = resolve_import,
    [S_FROM] = resolve_import,
    [S_EXTENDS] = resolve_extends,
    [S_BLOCK] = resolve_block_tag,
    [S_DO] = resolve_do,
    [S_BREAK] = resolve_jump,
    [S_CONTINUE] = resolve_jump,
    [S_AUTOESCAPE] = resolve_autoescape};

static enum status resolve_body(
    struct jinja_resolver *r, struct jinja_frame_scope *frame, struct jinja_body *body)
{
    enum status status = OK;
    for (struct jinja_statement *s = body->first; !status && s; s = s->next) {
        status = resolvers[s->kind](r, frame, s);
        /* Nothing behind a certain second `extends` is ever reached. */
        if (s->kind == S_EXTENDS && s->extended_twice)
            break;
    }
    return status;
}

static enum status resolve_root(struct jinja_resolver *r)
{
    struct jinja_template *template = r->template;
    struct jinja_function_scope function = {NULL, &template->root};
    struct jinja_frame_scope frame = jinja_frame_inner(NULL, &function);
    template->root.template = template;
    template->uses_self = jinja_reads_name(&template->root.body, "self");
    if (template->uses_self)
        template->self_slot = jinja_frame_declare(&frame, symbol_of(r, "self"));
    jinja_list_body(&frame, &template->root.body);
    jinja_list_expression(&frame, template->expression);
    frame.toplevel = frame.rootlevel = true;
    frame.check_output = template->extends;
    template->root.loads = jinja_frame_loads(r, &frame);
    enum status status = resolve_body(r, &frame, &template->root.body);
    if (!status)
        status = jinja_resolve_expression(r, &frame, template->expression);
    jinja_frame_done(&frame);
    return status;
}

static enum status resolve_block(struct jinja_resolver *r, struct jinja_block_node *block)
{
    struct jinja_function_scope function = {NULL, &block->code};
    struct jinja_frame_scope frame = jinja_frame_inner(NULL, &function);
    block->code.template = r->template;
    r->last_line = block->line;
    block->uses_self = jinja_reads_name(&block->code.body, "self");
    if (block->uses_self)
        block->self_slot = jinja_frame_declare(&frame, symbol_of(r, "self"));
    block->uses_super = jinja_reads_name(&block->code.body, "super");
    if (block->uses_super)
        block->super_slot = jinja_frame_declare(&frame, symbol_of(r, "super"));
    jinja_list_body(&frame, &block->code.body);
    block->code.loads = jinja_frame_loads(r, &frame);
    enum status status = resolve_body(r, &frame, &block->code.body);
    jinja_frame_done(&frame);
    return status;
}

static enum status check_block_names(struct jinja_resolver *r)
{
    struct map *seen = map_new();
    enum status status = OK;
    for (size_t i = 0; !status && i < r->template->block_count; i++) {
        struct jinja_block_node *block = r->template->blocks[i];
        if (map_set_slice(seen, block->name, block))
            status = jinja_parser_fail_at(r->parser, block->line, block->offset,
                "block '%.*s' defined twice", SLICE_ARG(block->name));
    }
    map_free(seen);
    return status;
}

static bool is_assigned(const struct jinja_resolver *r, struct slice name)
{
    const struct jinja_template *template = r->template;
    const char *text = arena_strndup(r->arena, name.p, name.size);
    bool assigned = jinja_assigns_name(&template->root.body, text);
    for (size_t i = 0; i < template->block_count; i++) {
        const struct jinja_body *body = &template->blocks[i]->code.body;
        if (jinja_reads_name(body, text))
            return false;
        assigned = assigned || jinja_assigns_name(body, text);
    }
    return assigned;
}

/* Until now `line` held the offset of the name's first use. */
static void keep_names(struct jinja_resolver *r)
{
    struct jinja_template *template = r->template;
    template->needs.name_count = r->names.count;
    if (r->names.count == 0)
        return;
    struct jinja_name *names =
        arena_memdup(r->arena, r->names.at, r->names.count * sizeof *r->names.at);
    for (size_t i = 0; i < r->names.count; i++) {
        struct jinja_origin at = jinja_locate(template, names[i].line);
        names[i].line = at.line;
        names[i].column = at.column;
        names[i].assigned = is_assigned(r, names[i].name);
    }
    template->needs.names = names;
}

enum status jinja_resolve(
    struct jinja_template *template, struct jinja_parser *parser, struct error *err)
{
    struct jinja_resolver resolver = {.template = template,
        .parser = parser,
        .arena = template->arena,
        .err = err,
        .last_line = 1,
        .escape = jinja_options_of(template->env)->autoescape};
    struct jinja_resolver *r = &resolver;
    r->needed = map_new();
    template->block_count = parser->blocks.count;
    if (parser->blocks.count)
        template->blocks = arena_memdup(
            r->arena, parser->blocks.at, parser->blocks.count * sizeof *parser->blocks.at);
    enum status status = check_block_names(r);
    if (!status)
        status = resolve_root(r);
    for (size_t i = 0; !status && i < template->block_count; i++) {
        r->breakable = 0;
        r->loops = 0;
        status = resolve_block(r, template->blocks[i]);
    }
    if (!status)
        keep_names(r);
    map_free(r->needed);
    vec_done(&r->names);
    return status;
}
