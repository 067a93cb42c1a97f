/*
 * Inheritance: extends, blocks, `super()` and `self`.
 */
#include "language/jinja/runtime.h"

static struct jinja_block_stack *find_stack(struct jinja_context *context, struct slice name)
{
    for (size_t i = 0; i < context->block_count; i++)
        if (slice_equal(context->blocks[i].name, name))
            return &context->blocks[i];
    return NULL;
}

static void push_block(struct jinja_render *render, struct jinja_context *context,
    const struct jinja_block_node *block)
{
    struct arena *arena = render->arena;
    struct jinja_block_stack *stack = find_stack(context, block->name);
    if (!stack) {
        if (context->block_count == context->block_capacity) {
            size_t capacity = context->block_capacity * 2 + 4;
            struct jinja_block_stack *grown =
                arena_array(arena, struct jinja_block_stack, capacity);
            if (context->block_count)
                memcpy(grown, context->blocks, context->block_count * sizeof *grown);
            context->blocks = grown;
            context->block_capacity = capacity;
        }
        stack = &context->blocks[context->block_count++];
        *stack = (struct jinja_block_stack){.name = block->name};
    }
    if (stack->count == stack->capacity) {
        size_t capacity = stack->capacity * 2 + 2;
        const struct jinja_block_node **grown =
            arena_array(arena, const struct jinja_block_node *, capacity);
        if (stack->count)
            memcpy(grown, stack->at, stack->count * sizeof(void *));
        stack->at = grown;
        stack->capacity = capacity;
    }
    stack->at[stack->count++] = block;
}

enum status jinja_run_extends(struct jinja_frame *frame, const struct jinja_statement *s)
{
    struct jinja_value name;
    struct jinja_context *context = frame->context;
    const struct jinja_template *parent;
    if (s->extended_twice || (s->extended_before && context->parent_template)) {
        error_set(frame->render->err, ERR_TEMPLATE_TYPE, "extended multiple times");
        return jinja_fail_at(frame, ERR_TEMPLATE_TYPE, s->expression.value_line, s->offset);
    }
    enum status status = jinja_evaluate_expression(frame, s->expression.value, &name);
    if (!status)
        status = jinja_find_template(frame, name, TEMPLATE_ONE, &parent);
    if (status)
        return jinja_fail_at(frame, status, s->line, s->expression.value->offset);
    for (size_t i = 0; i < parent->block_count; i++)
        push_block(frame->render, context, parent->blocks[i]);
    context->parent_template = parent;
    return OK;
}

/* A block of a context: what `self.name` and `super` are. */
struct block_reference {
    struct jinja_object object;
    struct jinja_context *context;
    struct slice name;
    size_t depth;
};
static const struct jinja_class block_reference_class;

static struct jinja_value reference_new(
    struct jinja_render *render, struct jinja_context *context, struct slice name, size_t depth)
{
    const struct jinja_block_stack *stack = find_stack(context, name);
    if (!stack || depth >= stack->count) {
        struct jinja_missing *missing = arena_new_of(render->arena, struct jinja_missing);
        missing->kind = MISSING_HINT;
        missing->hint =
            arena_printf(render->arena, "there is no parent block called '%.*s'", SLICE_ARG(name));
        return (struct jinja_value){.missing = missing};
    }
    struct block_reference *reference = arena_new_of(render->arena, struct block_reference);
    reference->object.class = &block_reference_class;
    reference->context = context;
    reference->name = name;
    reference->depth = depth;
    return jinja_object(&reference->object);
}

static enum status run_block(struct jinja_render *render, struct jinja_context *context,
    const struct jinja_block_node *block)
{
    struct jinja_frame space, *frame;
    struct jinja_slots slots;
    enum status status =
        jinja_frame_begin(&frame, &space, &slots, render, &block->code, context, NULL);
    if (status)
        return status;
    enum jinja_flow flow = render->flow;
    if (block->uses_self)
        frame->slots[block->self_slot] = jinja_self_new(render, context);
    if (block->uses_super) {
        const struct jinja_block_stack *stack = find_stack(context, block->name);
        size_t depth = 0;
        while (stack && depth < stack->count && stack->at[depth] != block)
            depth++;
        frame->slots[block->super_slot] = reference_new(render, context, block->name, depth + 1);
    }
    jinja_enter(frame, block->code.loads);
    status = jinja_run_body(frame, &block->code.body);
    render->flow = flow;
    jinja_frame_end(render);
    return status;
}

static enum status reference_call(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    const struct block_reference *reference = (const struct block_reference *)call->self.object;
    struct jinja_render *render = call->render;
    if (call->arg_count || call->keyword_count)
        return error_set(err, ERR_TEMPLATE_TYPE, "a block takes no arguments");
    struct jinja_capture capture = jinja_capture_begin(render);
    const struct jinja_block_stack *stack = find_stack(reference->context, reference->name);
    enum status status = run_block(render, reference->context, stack->at[reference->depth]);
    bool safe = false;
    if (!status)
        status = jinja_context_escapes(render, reference->context, &safe);
    return jinja_capture_end(render, &capture, status, safe, ret);
}

static enum status reference_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    const struct block_reference *reference = (const struct block_reference *)self;
    (void)err;
    if (slice_equal_str(name, "super"))
        *ret = reference_new(render, reference->context, reference->name, reference->depth + 1);
    else if (slice_equal_str(name, "name"))
        *ret = jinja_slice(reference->name);
    return OK;
}

static const struct jinja_class block_reference_class = {
    .type_name = "BlockReference", .call = reference_call, .attribute = reference_attribute};

struct slice jinja_block_of_reference(struct jinja_value v)
{
    const struct jinja_object *object = jinja_object_of(v, &block_reference_class);
    return object ? ((const struct block_reference *)object)->name : (struct slice){NULL, 0};
}

struct self_reference {
    struct jinja_object object;
    struct jinja_context *context;
};

static enum status self_item(struct jinja_render *render, struct jinja_object *self,
    struct jinja_value key, struct jinja_value *ret, struct error *err)
{
    struct jinja_context *context = ((struct self_reference *)self)->context;
    (void)err;
    if (key.kind == JINJA_STRING && find_stack(context, jinja_text(key)))
        *ret = reference_new(render, context, jinja_text(key), 0);
    return OK;
}

static enum status self_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    const char *name = ((const struct self_reference *)self)->context->name;
    (void)render, (void)err;
    strbuf_add_str(out, "<TemplateReference ");
    jinja_append_quoted(slice_of(name), out);
    strbuf_add_char(out, '>');
    return OK;
}

static const struct jinja_class self_class = {
    .type_name = "TemplateReference", .item = self_item, .text = self_text};

struct jinja_value jinja_self_new(struct jinja_render *render, struct jinja_context *context)
{
    struct self_reference *self = arena_new_of(render->arena, struct self_reference);
    self->object.class = &self_class;
    self->context = context;
    return jinja_object(&self->object);
}

/* A scoped block sees the variables around it. */
static struct jinja_context *derive(struct jinja_frame *frame, struct jinja_visibles visibles)
{
    struct arena *arena = frame->render->arena;
    struct jinja_context *context = arena_memdup(arena, frame->context, sizeof *frame->context);
    context->vars = context->exported = (struct jinja_value){0};
    context->parent = jinja_context_all(frame, frame->context, visibles);
    return context;
}

enum status jinja_run_block(struct jinja_frame *frame, const struct jinja_statement *s)
{
    const struct jinja_block_node *block = s->block.block;
    struct jinja_context *context = frame->context;
    if (s->block.check == CHECK_NEVER ||
        (s->block.check == CHECK_PARENT && context->parent_template))
        return OK;
    if (s->block.scoped)
        context = derive(frame, s->block.visibles);
    const struct jinja_block_stack *stack = find_stack(context, block->name);
    enum status status;
    if (block->required && stack->count <= 1)
        status = error_set(frame->render->err, ERR_TEMPLATE_VALUE,
            "required block '%.*s' not found", SLICE_ARG(block->name));
    else
        status = run_block(frame->render, context, stack->at[0]);
    return jinja_fail_at(frame, status, s->line, s->offset);
}
