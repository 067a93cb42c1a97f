/*
 * Macros and the `caller` of call blocks.
 */
#include "language/jinja/runtime.h"

struct macro {
    struct jinja_object object;
    const struct jinja_macro_node *node;
    struct jinja_frame *frame; /* of the function it was defined in */
};

const char *jinja_macro_name(struct jinja_value macro)
{
    return ((const struct macro *)macro.object)->node->code.name;
}

static const struct jinja_value *find_keyword(
    const struct jinja_call *call, const char *taken, struct slice name, size_t *ret_at)
{
    for (size_t i = 0; i < call->keyword_count; i++) {
        if (!taken[i] && slice_equal(call->keywords[i].name, name)) {
            *ret_at = i;
            return &call->keywords[i].value;
        }
    }
    return NULL;
}

/* The arguments behind the last parameter and the keywords that are left. */
static enum status bind_rest(struct jinja_frame *frame, const struct jinja_macro_node *node,
    const struct jinja_call *call, const char *taken)
{
    struct jinja_value keywords = {0}, varargs;
    struct error *err = frame->render->err;
    if (node->uses_keywords)
        keywords = jinja_mapping_new(call->arena);
    for (size_t i = 0; i < call->keyword_count; i++) {
        struct slice name = call->keywords[i].name;
        if (taken[i])
            continue;
        if (node->uses_keywords)
            jinja_mapping_put_value(
                call->arena, keywords, jinja_slice(name), call->keywords[i].value);
        else
            return error_set(err, ERR_TEMPLATE_TYPE,
                slice_equal_str(name, "caller")
                    ? "macro '%s' was invoked with two values for the special caller argument"
                    : "macro '%s' takes no keyword argument '%.*s'",
                node->code.name, SLICE_ARG(name));
    }
    if (node->uses_keywords)
        frame->slots[node->keywords_slot] = keywords;
    if (node->uses_varargs) {
        varargs = jinja_tuple_new(call->arena, 0);
        for (size_t i = node->parameter_count; i < call->arg_count; i++)
            jinja_list_add(call->arena, varargs, call->args[i]);
        frame->slots[node->varargs_slot] = varargs;
    } else if (call->arg_count > node->parameter_count) {
        return error_set(err, ERR_TEMPLATE_TYPE, "macro '%s' takes not more than %zu argument(s)",
            node->code.name, node->parameter_count);
    }
    return OK;
}

static enum status bind(
    struct jinja_frame *frame, const struct jinja_macro_node *node, const struct jinja_call *call)
{
    static const struct jinja_missing no_caller = {
        .kind = MISSING_HINT, .hint = "no caller defined"};
    char taken[JINJA_ARGUMENTS_MAX] = {0};
    bool found_caller = node->explicit_caller;
    const struct jinja_value *v;
    size_t at;
    if (call->keyword_count > JINJA_ARGUMENTS_MAX)
        return error_set(frame->render->err, ERR_TEMPLATE_TYPE,
            "macro '%s' got more than %d keyword arguments", node->code.name, JINJA_ARGUMENTS_MAX);
    for (size_t i = 0; i < node->parameter_count; i++) {
        struct jinja_value *slot = &frame->slots[node->parameters[i]->variable.place.slot];
        *slot = (struct jinja_value){0};
        if (i < call->arg_count) {
            *slot = call->args[i];
        } else if ((v = find_keyword(call, taken, node->parameters[i]->variable.name->text, &at))) {
            *slot = *v;
            taken[at] = 1;
        }
    }
    if (node->uses_caller && !found_caller) {
        v = find_keyword(call, taken, slice_of("caller"), &at);
        if (v)
            taken[at] = 1;
        frame->slots[node->caller_slot] =
            v && v->kind != JINJA_NONE ? *v : (struct jinja_value){.missing = &no_caller};
    }
    return bind_rest(frame, node, call, taken);
}

static enum status fill_defaults(struct jinja_frame *frame, const struct jinja_macro_node *node)
{
    size_t first = node->parameter_count - node->default_count;
    for (size_t i = 0; i < node->parameter_count; i++) {
        struct jinja_value *slot = &frame->slots[node->parameters[i]->variable.place.slot];
        if (!jinja_is_absent(*slot))
            continue;
        if (i < first) {
            *slot = (struct jinja_value){.missing = node->missing[i]};
            continue;
        }
        struct jinja_value v;
        enum status status = jinja_evaluate_expression(frame, node->defaults[i - first], &v);
        if (status)
            return jinja_fail_at(frame, status, node->line, node->offset);
        *slot = v;
    }
    return OK;
}

/* The body of a macro whose arguments are bound. */
static enum status run_macro(struct jinja_frame *frame, const struct jinja_macro_node *node,
    bool safe, struct jinja_value *ret)
{
    struct jinja_render *render = frame->render;
    enum jinja_flow flow = render->flow;
    struct jinja_capture capture = jinja_capture_begin(render);
    jinja_enter(frame, node->code.loads);
    enum status status = fill_defaults(frame, node);
    if (!status)
        status = jinja_run_body(frame, &node->code.body);
    render->flow = flow;
    if (!status)
        status = jinja_fail_at(frame, jinja_check_text(render), node->code.last_line, node->offset);
    return jinja_capture_end(render, &capture, status, safe, ret);
}

/* A macro that includes without context is a generator in Jinja2: it runs when its result is gone
   through, and gives what it includes. */
struct deferred {
    struct jinja_object object;
    struct jinja_frame *frame;
    const struct jinja_macro_node *node;
};

static enum status run_deferred(struct jinja_render *render, struct jinja_object *self,
    struct jinja_value *ret, struct error *err)
{
    struct deferred *deferred = (struct deferred *)self;
    struct jinja_value dropped;
    (void)err;
    deferred->frame->yielded = jinja_list_new(render->arena, 0);
    *ret = deferred->frame->yielded;
    return run_macro(deferred->frame, deferred->node, false, &dropped);
}

static const struct jinja_class deferred_class = {
    .type_name = "generator", .iterate = run_deferred};

static enum status deferred_step(struct jinja_render *render, struct jinja_generator *generator,
    bool *ret_more, struct jinja_value *ret, struct error *err)
{
    return jinja_next(render, &generator->source, ret_more, ret, err);
}

static struct jinja_value make_generator(
    struct jinja_frame *frame, const struct jinja_macro_node *node)
{
    struct jinja_generator *generator = arena_new_of(frame->render->arena, struct jinja_generator);
    struct deferred *deferred = arena_new_of(frame->render->arena, struct deferred);
    *deferred = (struct deferred){{&deferred_class}, frame, node};
    generator->step = deferred_step;
    return jinja_generator_start(generator, jinja_object(&deferred->object));
}

static enum status call_macro(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    const struct macro *macro = (const struct macro *)call->self.object;
    const struct jinja_macro_node *node = macro->node;
    struct jinja_render *render = call->render;
    struct jinja_frame space, *frame;
    struct jinja_slots slots;
    (void)err;
    enum status status = jinja_frame_begin(
        &frame, &space, &slots, render, &node->code, macro->frame->context, macro->frame);
    if (status)
        return status;
    status = bind(frame, node, call);
    if (!status && node->code.is_generator)
        *ret = make_generator(frame, node);
    else if (!status)
        status = run_macro(frame, node, call->autoescape, ret);
    jinja_frame_end(render);
    return status;
}

static enum status macro_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    const struct macro *macro = (const struct macro *)self;
    (void)render, (void)err;
    if (macro->node->name)
        strbuf_printf(out, "<Macro '%s'>", macro->node->code.name);
    else
        strbuf_add_str(out, "<Macro anonymous>");
    return OK;
}

/* `arguments`, `catch_kwargs` … of a macro, as Jinja2 documents them. */
static enum status macro_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    const struct jinja_macro_node *node = ((const struct macro *)self)->node;
    (void)err;
    if (slice_equal_str(name, "name")) {
        *ret = node->name ? jinja_slice(node->name->text) : jinja_none();
    } else if (slice_equal_str(name, "catch_kwargs")) {
        *ret = jinja_bool(node->uses_keywords);
    } else if (slice_equal_str(name, "catch_varargs")) {
        *ret = jinja_bool(node->uses_varargs);
    } else if (slice_equal_str(name, "caller")) {
        *ret = jinja_bool(node->uses_caller);
    } else if (slice_equal_str(name, "arguments")) {
        *ret = jinja_tuple_new(render->arena, node->parameter_count);
        for (size_t i = 0; i < node->parameter_count; i++)
            jinja_list_add(
                render->arena, *ret, jinja_slice(node->parameters[i]->variable.name->text));
    }
    return OK;
}

const struct jinja_class jinja_macro_class = {
    .type_name = "Macro", .call = call_macro, .text = macro_text, .attribute = macro_attribute};

struct jinja_value jinja_macro_new(struct jinja_frame *frame, const struct jinja_macro_node *node)
{
    struct macro *macro = arena_new_of(frame->render->arena, struct macro);
    macro->object.class = &jinja_macro_class;
    macro->node = node;
    macro->frame = frame;
    return jinja_object(&macro->object);
}
