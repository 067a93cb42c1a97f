/*
 * Statements, and the frames they run in.
 */
#include "language/jinja/runtime.h"

enum { STEPS_BETWEEN_CHECKS = 4096 };

enum status jinja_stack_error(struct error *err)
{
    return error_set(err, ERR_TEMPLATE_DEPTH_LIMIT, "expressions and tags are nested too deeply");
}

void jinja_plan_check(struct jinja_render *render)
{
    render->next_check = render->steps + STEPS_BETWEEN_CHECKS;
    if (render->next_check > render->limits.steps)
        render->next_check = render->limits.steps + 1;
}

enum status jinja_check_slowly(struct jinja_render *render, struct error *err)
{
    const struct jinja_limits *limits = &render->limits;
    jinja_plan_check(render);
    if (render->steps > limits->steps)
        return error_set(err, ERR_TEMPLATE_STEP_LIMIT, "the template took more than %llu steps",
            (unsigned long long)limits->steps);
    int64_t elapsed = clock_now().mono_us - render->started.mono_us;
    if (elapsed > (int64_t)limits->duration_ms * US_PER_MS)
        return error_set(err, ERR_TEMPLATE_TIME_LIMIT, "the template took longer than %llu ms",
            (unsigned long long)limits->duration_ms);
    return jinja_check_size(render, 0, err);
}

enum status jinja_check_size(struct jinja_render *render, uint64_t bytes, struct error *err)
{
    size_t used = arena_used(render->arena) - render->memory_start;
    if (used <= render->limits.memory_bytes && bytes <= render->limits.memory_bytes - used)
        return OK;
    return error_set(err, ERR_TEMPLATE_MEMORY_LIMIT,
        "the values of the template take more than %zu bytes", render->limits.memory_bytes);
}

enum status jinja_check_loop(struct jinja_render *render, struct error *err)
{
    if (++render->loops <= render->limits.loops)
        return OK;
    return error_set(err, ERR_TEMPLATE_LOOP_LIMIT,
        "the template's loops took more than %llu rounds",
        (unsigned long long)render->limits.loops);
}

enum status jinja_fail_at(
    struct jinja_frame *frame, enum status status, uint32_t line, uint32_t offset)
{
    struct jinja_render *render = frame->render;
    struct error *err = render->err;
    if (!status || err->place.line)
        return status;
    if (render->fault)
        offset = render->fault->offset;
    render->fault = NULL;
    jinja_set_place(frame->template, line, offset, err);
    return status;
}

enum status jinja_frame_begin(struct jinja_frame **ret, struct jinja_frame *space,
    struct jinja_slots *slots, struct jinja_render *render, const struct jinja_code *code,
    struct jinja_context *context, struct jinja_frame *outer)
{
    if (render->depth >= render->limits.depth)
        return error_set(render->err, ERR_TEMPLATE_DEPTH_LIMIT,
            "macros, includes and blocks are nested more than %u levels deep",
            render->limits.depth);
    if (render->sources.count > JINJA_TEMPLATES_MAX)
        return error_set(render->err, ERR_TEMPLATE_DEPTH_LIMIT,
            "the template uses more than %d other templates", JINJA_TEMPLATES_MAX);
    render->depth++;
    struct jinja_frame *frame =
        code->captured ? arena_new_of(render->arena, struct jinja_frame) : space;
    *frame = (struct jinja_frame){.parent = outer,
        .context = context,
        .template = code->template,
        .render = render,
        .source = jinja_source_index(render, code->template)};
    if (code->captured || code->slot_count > JINJA_SLOTS_ON_STACK) {
        frame->slots = arena_array(render->arena, struct jinja_value, code->slot_count);
    } else {
        memset(slots->at, 0, code->slot_count * sizeof slots->at[0]);
        frame->slots = slots->at;
    }
    *ret = frame;
    return OK;
}

void jinja_enter(struct jinja_frame *frame, struct jinja_loads loads)
{
    for (size_t i = 0; i < loads.count; i++) {
        const struct jinja_load *load = &loads.at[i];
        struct jinja_value *slot = &frame->slots[load->slot];
        if (load->kind == LOAD_RESOLVE)
            *slot = jinja_context_find(frame->context, load->name);
        else if (load->kind == LOAD_ALIAS)
            *slot = *jinja_slot(frame, load->source);
        else
            *slot = (struct jinja_value){0};
    }
}

enum status jinja_run_root(struct jinja_render *render, const struct jinja_template *template,
    struct jinja_context *context)
{
    struct jinja_frame space, *frame;
    struct jinja_slots slots;
    enum status status =
        jinja_frame_begin(&frame, &space, &slots, render, &template->root, context, NULL);
    if (status)
        return status;
    if (template->uses_self)
        frame->slots[template->self_slot] = jinja_self_new(render, context);
    jinja_enter(frame, template->root.loads);
    status = jinja_run_body(frame, &template->root.body);
    const struct jinja_template *parent = context->parent_template;
    context->parent_template = NULL;
    if (!status && parent) {
        status = jinja_run_root(render, parent, context);
        if (status && render->err->place.line)
            error_trace(render->err, "extended by %s", template->file);
    }
    /* Only a chain of parents that is too long fails outside of all tags. */
    if (status && !render->err->place.line)
        jinja_set_place(template, 1, 0, render->err);
    jinja_frame_end(render);
    return status;
}

static bool is_dropped(const struct jinja_frame *frame, enum jinja_output_check check)
{
    return check == CHECK_NEVER || (check == CHECK_PARENT && frame->context->parent_template);
}

static enum status run_output(struct jinja_frame *frame, const struct jinja_statement *s)
{
    struct jinja_render *render = frame->render;
    if (is_dropped(frame, s->output.check))
        return OK;
    for (size_t i = 0; i < s->output.count; i++) {
        const struct jinja_part *part = &s->output.parts[i];
        enum status status = OK;
        uint32_t line = part->line;
        bool escape;
        if (part->expression) {
            struct jinja_value v;
            line = part->expression->line;
            status = jinja_evaluate_expression(frame, part->expression, &v);
            if (!status)
                status = jinja_escapes(frame, s->escape, &escape);
            if (!status)
                status = jinja_output_value(frame, v, escape, part->offset);
            if (status && !render->fault)
                render->fault = part->expression;
        } else {
            /* Jinja2 escapes or does not escape even text, and asks. */
            status = jinja_escapes(frame, s->escape, &escape);
            jinja_output_text(frame, part->text, part->offset);
        }
        if (!status && render->out.over)
            status = error_set(render->err, ERR_TEMPLATE_OUTPUT_LIMIT,
                "the rendered text is larger than %zu bytes", render->limits.output_bytes);
        if (status)
            return jinja_fail_at(frame, status, line, part->offset);
    }
    return OK;
}

static enum status run_if(struct jinja_frame *frame, const struct jinja_statement *s)
{
    for (size_t i = 0; i < s->branch.count; i++) {
        const struct jinja_branch *branch = &s->branch.branches[i];
        bool truth = true;
        if (branch->test) {
            struct jinja_value v;
            enum status status = jinja_evaluate_expression(frame, branch->test, &v);
            if (!status)
                status = jinja_truth(frame->render, v, &truth, frame->render->err);
            if (status)
                return jinja_fail_at(frame, status, branch->line, branch->test->offset);
        }
        if (truth)
            return jinja_run_body(frame, &branch->body);
    }
    return OK;
}

/* `{% set x.name = … %}` works on namespaces only. */
static enum status check_namespaces(
    struct jinja_frame *frame, const struct jinja_expression *target)
{
    enum status status = OK;
    if (target->kind == E_NAMESPACE_REF) {
        struct jinja_value v = *jinja_slot(frame, target->variable.place);
        if (!jinja_object_of(v, &jinja_namespace_class)) {
            frame->render->fault = target;
            return error_set(frame->render->err, ERR_TEMPLATE_TYPE,
                "cannot assign attribute on non-namespace object");
        }
    }
    for (size_t i = 0; !status && target->kind == E_TUPLE && i < target->list.count; i++)
        status = check_namespaces(frame, target->list.items[i]);
    return status;
}

static enum status run_set(struct jinja_frame *frame, const struct jinja_statement *s)
{
    struct jinja_value v;
    enum status status = check_namespaces(frame, s->set.target);
    if (status)
        return jinja_fail_at(frame, status, s->set.check_line, s->offset);
    status = jinja_evaluate_expression(frame, s->set.value, &v);
    if (!status)
        status = jinja_assign(frame, s->set.target, v);
    return jinja_fail_at(frame, status, s->line, s->offset);
}

/* Runs a body into a value; nothing comes of it (*ret_done false) when it broke out of a loop. */
static enum status capture_body(struct jinja_frame *frame, const struct jinja_body *body,
    enum jinja_escape escape, struct jinja_value *ret, bool *ret_done)
{
    struct jinja_render *render = frame->render;
    struct jinja_capture capture = jinja_capture_begin(render);
    bool safe = false;
    capture.outer = frame->captures;
    frame->captures = &capture;
    enum status status = jinja_run_body(frame, body);
    frame->captures = capture.outer;
    *ret_done = render->flow == FLOW_ON;
    if (!*ret_done)
        render->oddity = (struct jinja_oddity){0};
    else if (!status)
        status = jinja_escapes(frame, escape, &safe);
    return jinja_capture_end(render, &capture, status, safe, ret);
}

static enum status run_set_block(struct jinja_frame *frame, const struct jinja_statement *s)
{
    struct jinja_value v;
    bool done, safe = false;
    jinja_enter(frame, s->set.loads);
    /* The text is marked as safe only when a filter gets it. */
    enum jinja_escape escape = s->set.filter ? s->escape : ESCAPE_NO;
    enum status status = capture_body(frame, &s->set.body, escape, &v, &done);
    if (!status && !done)
        return OK;
    if (!status)
        status = check_namespaces(frame, s->set.target);
    if (!status)
        status = jinja_context_escapes(frame->render, frame->context, &safe);
    if (!status && s->set.filter)
        status = jinja_evaluate_filter(frame, s->set.filter, v, &v);
    if (!status && safe)
        status = jinja_stringify(frame->render, frame->render->arena, v, &v, frame->render->err);
    if (!status && safe)
        v = jinja_mark(v, JINJA_SAFE);
    if (!status)
        status = jinja_assign(frame, s->set.target, v);
    return jinja_fail_at(frame, status, s->line, s->offset);
}

static enum status run_with(struct jinja_frame *frame, const struct jinja_statement *s)
{
    enum status status = OK;
    jinja_enter(frame, s->with.loads);
    for (size_t i = 0; !status && i < s->with.count; i++) {
        struct jinja_value v;
        status = jinja_evaluate_expression(frame, s->with.values[i], &v);
        if (!status)
            status = jinja_assign(frame, s->with.targets[i], v);
        status = jinja_fail_at(frame, status, s->with.value_line, s->offset);
    }
    return status ? status : jinja_run_body(frame, &s->with.body);
}

static enum status run_macro_tag(struct jinja_frame *frame, const struct jinja_statement *s)
{
    struct jinja_value macro = jinja_macro_new(frame, s->macro.macro);
    *jinja_slot(frame, s->macro.place) = macro;
    if (s->macro.exported)
        jinja_context_set(frame->render, frame->context, s->macro.macro->name, macro,
            s->macro.macro->name->text.p[0] != '_');
    return OK;
}

static enum status run_call(struct jinja_frame *frame, const struct jinja_statement *s)
{
    struct jinja_value caller = jinja_macro_new(frame, s->macro.macro), v;
    enum status status = jinja_evaluate_call(frame, s->macro.call, &caller, &v);
    if (status && !frame->render->fault)
        frame->render->fault = s->macro.call;
    if (!status)
        status = jinja_output_result(frame, s, v, s->macro.call->offset);
    return jinja_fail_at(frame, status, s->line, s->offset);
}

static enum status run_filter(struct jinja_frame *frame, const struct jinja_statement *s)
{
    struct jinja_value v;
    bool done;
    jinja_enter(frame, s->filter.loads);
    enum status status = capture_body(frame, &s->filter.body, s->escape, &v, &done);
    if (!status && !done)
        return OK;
    if (!status)
        status = jinja_evaluate_filter(frame, s->filter.filter, v, &v);
    if (!status)
        status = jinja_output_result(frame, s, v, s->filter.filter->offset);
    return jinja_fail_at(frame, status, s->line, s->offset);
}

static enum status run_do(struct jinja_frame *frame, const struct jinja_statement *s)
{
    struct jinja_value v;
    enum status status = jinja_evaluate_expression(frame, s->expression.value, &v);
    return jinja_fail_at(frame, status, s->line, s->offset);
}

static enum status run_jump(struct jinja_frame *frame, const struct jinja_statement *s)
{
    frame->render->flow = s->kind == S_BREAK ? FLOW_BREAK : FLOW_CONTINUE;
    return OK;
}

static enum status run_autoescape(struct jinja_frame *frame, const struct jinja_statement *s)
{
    struct jinja_value v, before = *frame->context->autoescape;
    jinja_enter(frame, s->expression.loads);
    enum status status = jinja_evaluate_expression(frame, s->expression.value, &v);
    if (status)
        return jinja_fail_at(frame, status, s->expression.value_line, s->offset);
    *frame->context->autoescape = v;
    status = jinja_run_body(frame, &s->expression.body);
    /* `break` and `continue` leave it as it is. */
    if (frame->render->flow == FLOW_ON)
        *frame->context->autoescape = before;
    return status;
}

typedef enum status run_function(struct jinja_frame *frame, const struct jinja_statement *s);
static run_function *const runners[] = {[S_OUTPUT] = run_output,
    [S_IF] = run_if,
    [S_FOR] = jinja_run_for,
    [S_SET] = run_set,
    [S_SET_BLOCK] = run_set_block,
    [S_WITH] = run_with,
    [S_MACRO] = run_macro_tag,
    [S_CALL] = run_call,
    [S_FILTER] = run_filter,
    [S_INCLUDE] = jinja_run_include,
    [S_IMPORT] = jinja_run_import,
    [S_FROM] = jinja_run_import,
    [S_EXTENDS] = jinja_run_extends,
    [S_BLOCK] = jinja_run_block,
    [S_DO] = run_do,
    [S_BREAK] = run_jump,
    [S_CONTINUE] = run_jump,
    [S_AUTOESCAPE] = run_autoescape};

enum status jinja_run_body(struct jinja_frame *frame, const struct jinja_body *body)
{
    struct jinja_render *render = frame->render;
    for (const struct jinja_statement *s = body->first; s; s = s->next) {
        enum status status = jinja_step(render, render->err);
        if (!status)
            status = jinja_check_stack(render, render->err);
        if (!status)
            status = runners[s->kind](frame, s);
        if (status)
            return jinja_fail_at(frame, status, s->line, s->offset);
        if (render->flow != FLOW_ON)
            break;
    }
    return OK;
}
