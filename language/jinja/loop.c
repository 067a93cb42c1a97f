/*
 * `for`: the loop itself, its `loop` variable, filtered and recursive loops.
 */
#include "language/jinja/runtime.h"

struct loop {
    struct jinja_object object;
    struct jinja_frame *frame; /* where the loop's variables are */
    struct jinja_frame *outer; /* where the tag stands */
    const struct jinja_statement *s;
    struct jinja_iteration iteration;
    bool filtered;
    int64_t index0; /* -1 before the first round */
    int64_t length; /* -1: not known yet */
    int64_t depth0;
    struct jinja_value iterable, after, current, before;
    bool has_after, exhausted;
    struct jinja_value last_changed; /* a tuple, absent at first */
};

/* The next item that passes the tag's `if`. */
static enum status pull(struct loop *loop, bool *ret_more, struct jinja_value *ret)
{
    struct jinja_render *render = loop->frame->render;
    for (;;) {
        enum status status = jinja_next(render, &loop->iteration, ret_more, ret, render->err);
        if (status || !*ret_more || !loop->filtered)
            return status;
        const struct jinja_statement *s = loop->s;
        struct jinja_value v;
        bool truth = false;
        status = jinja_assign(loop->frame, s->loop.test_target, *ret);
        if (!status)
            status = jinja_evaluate_expression(loop->frame, s->loop.test, &v);
        if (!status)
            status = jinja_truth(render, v, &truth, render->err);
        if (status)
            return jinja_fail_at(loop->frame, status, s->loop.test->line, s->loop.test->offset);
        if (truth)
            return OK;
    }
}

static enum status peek(struct loop *loop, bool *ret_more)
{
    enum status status = OK;
    if (!loop->has_after && !loop->exhausted) {
        status = pull(loop, &loop->has_after, &loop->after);
        loop->exhausted = !loop->has_after;
    }
    *ret_more = loop->has_after;
    return status;
}

static enum status advance(struct loop *loop, bool *ret_more)
{
    struct jinja_value item;
    enum status status = OK;
    *ret_more = loop->has_after;
    if (loop->has_after)
        item = loop->after;
    else if (!loop->exhausted)
        status = pull(loop, ret_more, &item);
    loop->has_after = false;
    if (status || !*ret_more)
        return status;
    loop->index0++;
    loop->before = loop->current;
    loop->current = item;
    return OK;
}

static enum status find_length(struct loop *loop, struct jinja_render *render)
{
    struct jinja_value v = loop->iterable;
    struct jinja_value rest, item;
    bool more = true;
    if (loop->length >= 0)
        return OK;
    bool sized = v.kind != JINJA_OBJECT ||
                 (v.object->class->length && v.object->class->length(v.object) >= 0);
    if (sized && !loop->filtered)
        return jinja_length(render, v, &loop->length, render->err);
    /* What is left is taken out to be counted, and gone through from there. */
    rest = jinja_list_new(render->arena, 0);
    enum status status = OK;
    while (!status && more && !loop->exhausted) {
        status = pull(loop, &more, &item);
        if (!status && more)
            jinja_list_add(render->arena, rest, item);
    }
    loop->iteration = (struct jinja_iteration){.source = rest};
    loop->filtered = false;
    loop->length = (int64_t)rest.list->count + loop->index0 + 1 + loop->has_after;
    return status;
}

static struct jinja_value missing_item(struct jinja_render *render, const char *hint)
{
    struct jinja_missing *missing = arena_new_of(render->arena, struct jinja_missing);
    missing->kind = MISSING_HINT;
    missing->hint = hint;
    return (struct jinja_value){.missing = missing};
}

enum loop_attribute {
    LOOP_DEPTH,
    LOOP_DEPTH0,
    LOOP_FIRST,
    LOOP_INDEX,
    LOOP_INDEX0,
    LOOP_LAST,
    LOOP_LENGTH,
    LOOP_NEXTITEM,
    LOOP_PREVITEM,
    LOOP_REVINDEX,
    LOOP_REVINDEX0,
};
static const struct slice loop_attributes[] = {{"depth", 5}, {"depth0", 6}, {"first", 5},
    {"index", 5}, {"index0", 6}, {"last", 4}, {"length", 6}, {"nextitem", 8}, {"previtem", 8},
    {"revindex", 8}, {"revindex0", 9}};

static enum status attribute_value(struct jinja_render *render, struct loop *loop,
    enum loop_attribute attribute, struct jinja_value *ret)
{
    bool more;
    enum status status = OK;
    switch (attribute) {
    case LOOP_DEPTH: *ret = jinja_int(loop->depth0 + 1); return OK;
    case LOOP_DEPTH0: *ret = jinja_int(loop->depth0); return OK;
    case LOOP_FIRST: *ret = jinja_bool(loop->index0 == 0); return OK;
    case LOOP_INDEX: *ret = jinja_int(loop->index0 + 1); return OK;
    case LOOP_INDEX0: *ret = jinja_int(loop->index0); return OK;
    case LOOP_PREVITEM:
        *ret = loop->index0 == 0 ? missing_item(render, "there is no previous item") : loop->before;
        return OK;
    case LOOP_LAST:
        status = peek(loop, &more);
        *ret = jinja_bool(!more);
        return status;
    case LOOP_NEXTITEM:
        status = peek(loop, &more);
        *ret = more ? loop->after : missing_item(render, "there is no next item");
        return status;
    case LOOP_LENGTH:
    case LOOP_REVINDEX:
    case LOOP_REVINDEX0:
        status = find_length(loop, render);
        *ret = jinja_int(attribute == LOOP_LENGTH     ? loop->length
                         : attribute == LOOP_REVINDEX ? loop->length - loop->index0
                                                      : loop->length - loop->index0 - 1);
        return status;
    }
    return OK;
}

static enum status loop_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    (void)err;
    for (size_t i = 0; i < ARRAY_SIZE(loop_attributes); i++)
        if (slice_equal(name, loop_attributes[i]))
            return attribute_value(render, (struct loop *)self, (enum loop_attribute)i, ret);
    return OK;
}

static enum status loop_cycle(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    const struct loop *loop = (const struct loop *)call->self.object;
    if (call->arg_count == 0)
        return error_set(err, ERR_TEMPLATE_TYPE, "no items for cycling given");
    *ret = call->args[(uint64_t)loop->index0 % call->arg_count];
    return OK;
}

static enum status loop_changed(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    struct loop *loop = (struct loop *)call->self.object;
    (void)err;
    struct jinja_value values = jinja_tuple_new(call->arena, call->arg_count);
    for (size_t i = 0; i < call->arg_count; i++)
        jinja_list_add(call->arena, values, call->args[i]);
    bool changed = jinja_is_absent(loop->last_changed) || !jinja_equal(loop->last_changed, values);
    if (changed)
        loop->last_changed = values;
    *ret = jinja_bool(changed);
    return OK;
}

static int64_t loop_length(struct jinja_object *self)
{
    struct loop *loop = (struct loop *)self;
    return find_length(loop, loop->frame->render) == OK ? loop->length : -1;
}

static enum status loop_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    struct loop *loop = (struct loop *)self;
    (void)render, (void)err;
    enum status status = find_length(loop, loop->frame->render);
    strbuf_printf(
        out, "<LoopContext %lld/%lld>", (long long)(loop->index0 + 1), (long long)loop->length);
    return status;
}

static enum status loop_next(struct jinja_render *render, struct jinja_object *self, bool *ret_more,
    struct jinja_value *ret, struct error *err)
{
    struct loop *loop = (struct loop *)self;
    (void)err;
    enum status status = advance(loop, ret_more);
    if (!status && *ret_more)
        *ret = jinja_tuple2(render->arena, loop->current, jinja_object(self));
    return status;
}

static enum status run_recursive(struct jinja_frame *outer, const struct jinja_statement *s,
    struct jinja_value iterable, int64_t depth0);

/* `loop(items)` in a recursive loop. */
static enum status loop_call(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"iterable"};
    struct loop *loop = (struct loop *)call->self.object;
    struct jinja_render *render = call->render;
    struct jinja_value iterable;
    if (!loop->s->loop.recursive)
        return error_set(err, ERR_TEMPLATE_TYPE,
            "the loop must have the 'recursive' marker to be called recursively");
    enum status status = jinja_arguments(call, names, 1, 1, &iterable, err);
    if (status)
        return status;
    struct jinja_capture capture = jinja_capture_begin(render);
    status = run_recursive(loop->outer, loop->s, iterable, loop->depth0 + 1);
    bool safe = false;
    if (!status)
        status = jinja_escapes(loop->frame, loop->s->escape, &safe);
    return jinja_capture_end(render, &capture, status, safe, ret);
}

static const struct jinja_method loop_methods[] = {
    {"changed", loop_changed}, {"cycle", loop_cycle}, {NULL, NULL}};

const struct jinja_class jinja_loop_class = {.type_name = "LoopContext",
    .methods = loop_methods,
    .attribute = loop_attribute,
    .call = loop_call,
    .text = loop_text,
    .length = loop_length,
    .next = loop_next};

/* One round behind the assignment of the targets. */
static enum status run_round(struct loop *loop, bool *ret_stop, bool *ret_completed)
{
    struct jinja_frame *frame = loop->frame;
    const struct jinja_statement *s = loop->s;
    struct jinja_render *render = frame->render;
    enum status status = jinja_check_loop(render, render->err);
    if (!status)
        status = jinja_assign(frame, s->loop.target, loop->current);
    if (status)
        return jinja_fail_at(frame, status, s->line, s->loop.target->offset);
    if (s->loop.has_loop)
        frame->slots[s->loop.loop_slot] = jinja_object(&loop->object);
    jinja_enter(frame, s->loop.loads);
    status = jinja_run_body(frame, &s->loop.body);
    /* A round that was left by `continue` or `break` does not keep `else` from running. */
    *ret_completed |= !status && render->flow == FLOW_ON;
    *ret_stop = status || render->flow == FLOW_BREAK;
    if (!status)
        render->flow = FLOW_ON;
    return status;
}

static enum status run_rounds(struct jinja_frame *frame, struct jinja_frame *outer,
    const struct jinja_statement *s, struct jinja_value iterable, int64_t depth0)
{
    struct jinja_render *render = frame->render;
    struct loop on_stack, *loop = &on_stack;
    if (s->loop.has_loop)
        loop = arena_new_of(render->arena, struct loop);
    *loop = (struct loop){.object.class = &jinja_loop_class,
        .frame = frame,
        .outer = outer,
        .s = s,
        .filtered = s->loop.test != NULL,
        .index0 = -1,
        .length = -1,
        .depth0 = depth0,
        .iterable = iterable};
    if (s->loop.test)
        jinja_enter(frame, s->loop.test_loads);
    bool more = true, stop = false, completed = false;
    enum status status = jinja_iterate(render, iterable, &loop->iteration, render->err);
    while (!status && !stop) {
        status = advance(loop, &more);
        if (status || !more)
            break;
        status = run_round(loop, &stop, &completed);
    }
    if (status)
        return jinja_fail_at(frame, status, s->line, s->loop.iterable->offset);
    if (completed || !s->loop.otherwise.first)
        return OK;
    jinja_enter(frame, s->loop.else_loads);
    return jinja_run_body(frame, &s->loop.otherwise);
}

static enum status run_recursive(struct jinja_frame *outer, const struct jinja_statement *s,
    struct jinja_value iterable, int64_t depth0)
{
    struct jinja_frame space, *frame;
    struct jinja_slots slots;
    struct jinja_render *render = outer->render;
    enum status status =
        jinja_frame_begin(&frame, &space, &slots, render, s->loop.code, outer->context, outer);
    if (status)
        return status;
    enum jinja_flow flow = render->flow;
    status = run_rounds(frame, outer, s, iterable, depth0);
    if (!status)
        status = jinja_fail_at(frame, jinja_check_text(render), s->loop.code->last_line, s->offset);
    render->flow = flow;
    jinja_frame_end(render);
    return status;
}

enum status jinja_run_for(struct jinja_frame *frame, const struct jinja_statement *s)
{
    struct jinja_value iterable;
    enum status status = jinja_evaluate_expression(frame, s->loop.iterable, &iterable);
    if (status)
        return jinja_fail_at(frame, status, s->line, s->offset);
    if (!s->loop.recursive)
        return run_rounds(frame, frame, s, iterable, 0);
    struct jinja_oddity before = frame->render->oddity;
    frame->render->oddity = (struct jinja_oddity){0};
    if (s->loop.code->is_generator)
        before = (struct jinja_oddity){"generator", frame->template, s->line, s->offset};
    else
        status = run_recursive(frame, s, iterable, 0);
    frame->render->oddity = before;
    return status;
}
