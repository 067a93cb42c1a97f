/*
 * Expressions.  The innermost expression that failed is remembered for the column of the message;
 * the statement that it is part of adds the place (jinja_fail_at).
 */
#include "language/jinja/runtime.h"

enum { ARGUMENTS_ON_STACK = 8 };

static enum status evaluate_node(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret);

/* Half of all nodes are names and constants. */
static inline enum status evaluate(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret)
{
    if (e->kind == E_CONSTANT) {
        *ret = e->constant;
        return OK;
    }
    if (e->kind != E_NAME)
        return evaluate_node(frame, e, ret);
    *ret = *jinja_slot(frame, e->variable.place);
    if (jinja_is_absent(*ret))
        ret->missing = e->variable.missing;
    return OK;
}

static enum status evaluate_items(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret)
{
    struct arena *arena = frame->render->arena;
    struct jinja_value list = e->kind == E_LIST ? jinja_list_new(arena, e->list.count)
                                                : jinja_tuple_new(arena, e->list.count);
    for (size_t i = 0; i < e->list.count; i++) {
        struct jinja_value item;
        enum status status = evaluate(frame, e->list.items[i], &item);
        if (status)
            return status;
        jinja_list_add(arena, list, item);
    }
    *ret = list;
    return OK;
}

static enum status evaluate_dict(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret)
{
    struct arena *arena = frame->render->arena;
    struct jinja_value mapping = jinja_mapping_new(arena), key, value;
    for (size_t i = 0; i < e->list.count; i += 2) {
        uint64_t hash;
        enum status status = evaluate(frame, e->list.items[i], &key);
        if (!status)
            status = evaluate(frame, e->list.items[i + 1], &value);
        if (!status)
            status = jinja_check_defined(frame->render, key, frame->render->err);
        if (!status)
            status = jinja_hash_or_fail(key, &hash, frame->render->err);
        if (status)
            return status;
        jinja_mapping_set(arena, mapping.mapping, key, hash, value);
    }
    *ret = mapping;
    return OK;
}

static enum status evaluate_concat(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret)
{
    struct jinja_value values[ARGUMENTS_ON_STACK], *items = values;
    enum status status = OK;
    bool escape = false;
    if (e->list.count > ARGUMENTS_ON_STACK)
        items = arena_array(frame->render->arena, struct jinja_value, e->list.count);
    for (size_t i = 0; !status && i < e->list.count; i++)
        status = evaluate(frame, e->list.items[i], &items[i]);
    if (status)
        return status;
    for (size_t i = 0; e->op == ESCAPE_YES && i < e->list.count; i++)
        escape |= items[i].kind == JINJA_STRING && (items[i].marks & JINJA_SAFE);
    struct jinja_builder b = {.text.arena = frame->render->arena};
    for (size_t i = 0; !status && i < e->list.count; i++) {
        status = jinja_builder_add_value(&b, frame->render, items[i], escape, frame->render->err);
        if (!status)
            status = jinja_check_size(frame->render, b.text.size, frame->render->err);
    }
    *ret = jinja_mark(jinja_builder_end(&b, frame->render->arena), escape ? JINJA_SAFE : 0);
    return status;
}

static enum status evaluate_logic(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret)
{
    bool truth;
    enum status status = evaluate(frame, e->pair.left, ret);
    if (!status)
        status = jinja_truth(frame->render, *ret, &truth, frame->render->err);
    if (status || truth == (e->kind == E_OR))
        return status;
    return evaluate(frame, e->pair.right, ret);
}

static enum status evaluate_not(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret)
{
    bool truth;
    enum status status = evaluate(frame, e->pair.left, ret);
    if (!status)
        status = jinja_truth(frame->render, *ret, &truth, frame->render->err);
    if (!status)
        *ret = jinja_bool(!truth);
    return status;
}

static enum status evaluate_compare(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret)
{
    struct jinja_value left, right;
    bool holds = true;
    enum status status = evaluate(frame, e->compare.first, &left);
    for (size_t i = 0; !status && holds && i < e->compare.count; i++) {
        status = evaluate(frame, e->compare.operands[i].value, &right);
        if (!status)
            status = jinja_compare(
                frame->render, e->compare.operands[i].op, left, right, &holds, frame->render->err);
        left = right;
    }
    *ret = jinja_bool(holds);
    return status;
}

static enum status evaluate_condition(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret)
{
    struct jinja_value test;
    bool truth;
    enum status status = evaluate(frame, e->condition.test, &test);
    if (!status)
        status = jinja_truth(frame->render, test, &truth, frame->render->err);
    if (status)
        return status;
    if (truth)
        return evaluate(frame, e->condition.then, ret);
    if (e->condition.otherwise)
        return evaluate(frame, e->condition.otherwise, ret);
    *ret = (struct jinja_value){.missing = e->condition.missing};
    return OK;
}

/* What `object.name` is looked up in at first: a mapping without a method of that name, the macros
   and variables of an import; NULL when there are detours. */
static const struct jinja_mapping *entries_of(
    const struct jinja_expression *e, struct jinja_value object)
{
    if (object.kind == JINJA_MAPPING)
        return e->flag ? NULL : object.mapping;
    struct jinja_object *module = jinja_object_of(object, &jinja_module_class);
    struct jinja_value exported = module ? ((struct jinja_module *)module)->exported : object;
    return exported.kind == JINJA_MAPPING ? exported.mapping : NULL;
}

/* `object.name`: of mappings, which are most of what templates look into, without detours. */
static enum status take_attribute(struct jinja_frame *frame, const struct jinja_expression *e,
    struct jinja_value object, struct jinja_value *ret)
{
    const struct jinja_symbol *name = e->attribute.name;
    const struct jinja_mapping *entries = entries_of(e, object);
    const struct jinja_mapping_entry *entry =
        entries ? jinja_mapping_find_text(entries, name->text, name->hash) : NULL;
    if (entry) {
        *ret = jinja_mark(entry->value, object.marks & JINJA_SPREADING_MARKS);
        return OK;
    }
    if (entries && object.kind == JINJA_MAPPING) {
        *ret = jinja_missing_member(frame->render, object, jinja_slice(name->text));
        return OK;
    }
    return jinja_get_attribute(frame->render, object, name->text, ret, frame->render->err);
}

static enum status evaluate_attribute(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret)
{
    struct jinja_value object;
    enum status status = evaluate(frame, e->attribute.object, &object);
    return status ? status : take_attribute(frame, e, object, ret);
}

static enum status evaluate_bound(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret)
{
    *ret = jinja_none();
    return e ? evaluate(frame, e, ret) : OK;
}

static enum status evaluate_item(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret)
{
    struct jinja_value object, key, bounds[3];
    const struct jinja_expression *k = e->item.key;
    enum status status = evaluate(frame, e->item.object, &object);
    if (status)
        return status;
    if (k->kind != E_SLICE) {
        status = evaluate(frame, k, &key);
        return status ? status
                      : jinja_get_item(frame->render, object, key, ret, frame->render->err);
    }
    status = evaluate_bound(frame, k->slice.start, &bounds[0]);
    if (!status)
        status = evaluate_bound(frame, k->slice.stop, &bounds[1]);
    if (!status)
        status = evaluate_bound(frame, k->slice.step, &bounds[2]);
    return status ? status
                  : jinja_get_slice(frame->render, object, bounds, ret, frame->render->err);
}

/* Evaluated arguments; `first` values stand before those of the template. */
struct arguments {
    struct jinja_value on_stack[ARGUMENTS_ON_STACK];
    struct jinja_keyword keywords_on_stack[ARGUMENTS_ON_STACK];
    struct jinja_value *args;
    struct jinja_keyword *keywords;
    size_t count, keyword_count, capacity, keyword_capacity;
};

static void add_argument(struct jinja_frame *frame, struct arguments *a, struct jinja_value v)
{
    if (a->count == a->capacity) {
        struct jinja_value *grown =
            arena_array(frame->render->arena, struct jinja_value, a->capacity * 2);
        memcpy(grown, a->args, a->count * sizeof *grown);
        a->args = grown;
        a->capacity *= 2;
    }
    a->args[a->count++] = v;
}

static enum status add_keyword(
    struct jinja_frame *frame, struct arguments *a, struct slice name, struct jinja_value v)
{
    for (size_t i = 0; i < a->keyword_count; i++)
        if (slice_equal(a->keywords[i].name, name))
            return error_set(frame->render->err, ERR_TEMPLATE_TYPE,
                "got multiple values for keyword argument '%.*s'", SLICE_ARG(name));
    if (a->keyword_count == a->keyword_capacity) {
        struct jinja_keyword *grown =
            arena_array(frame->render->arena, struct jinja_keyword, a->keyword_capacity * 2);
        memcpy(grown, a->keywords, a->keyword_count * sizeof *grown);
        a->keywords = grown;
        a->keyword_capacity *= 2;
    }
    a->keywords[a->keyword_count++] = (struct jinja_keyword){name, v};
    return OK;
}

static enum status add_rest(
    struct jinja_frame *frame, struct arguments *a, const struct jinja_expression *rest)
{
    struct jinja_value v, item;
    struct jinja_iteration iteration;
    bool more = true;
    enum status status = evaluate(frame, rest, &v);
    if (!status)
        status = jinja_iterate(frame->render, v, &iteration, frame->render->err);
    while (!status && more) {
        status = jinja_next(frame->render, &iteration, &more, &item, frame->render->err);
        if (!status && more)
            add_argument(frame, a, item);
    }
    return status;
}

static enum status add_keyword_rest(
    struct jinja_frame *frame, struct arguments *a, const struct jinja_expression *rest)
{
    struct jinja_value v, key, value;
    enum status status = evaluate(frame, rest, &v);
    if (status)
        return status;
    if (v.kind != JINJA_MAPPING)
        return error_set(frame->render->err, ERR_TEMPLATE_TYPE,
            "argument after ** must be a mapping, not %s", jinja_type_name(v));
    for (size_t cursor = 0; !status && jinja_mapping_next(v, &cursor, &key, &value);) {
        if (key.kind != JINJA_STRING)
            return error_set(frame->render->err, ERR_TEMPLATE_TYPE, "keywords must be strings");
        status = add_keyword(frame, a, jinja_text(key), value);
    }
    return status;
}

static enum status evaluate_arguments(
    struct jinja_frame *frame, const struct jinja_arguments_node *node, struct arguments *a)
{
    enum status status = OK;
    struct jinja_value v;
    for (size_t i = 0; !status && i < node->count; i++)
        status = evaluate(frame, node->items[i], &a->args[a->count++]);
    if (!status && node->rest)
        status = add_rest(frame, a, node->rest);
    for (size_t i = 0; !status && i < node->keyword_count; i++) {
        status = evaluate(frame, node->keywords[i].value, &v);
        if (!status)
            status = add_keyword(frame, a, node->keywords[i].name->text, v);
    }
    if (!status && node->keyword_rest)
        status = add_keyword_rest(frame, a, node->keyword_rest);
    return status;
}

/* With room for the node's positional arguments and one before them. */
static void begin_arguments(
    struct jinja_frame *frame, const struct jinja_arguments_node *node, struct arguments *a)
{
    a->args = a->on_stack;
    a->keywords = a->keywords_on_stack;
    a->count = a->keyword_count = 0;
    a->capacity = a->keyword_capacity = ARGUMENTS_ON_STACK;
    if (node->count >= ARGUMENTS_ON_STACK) {
        a->capacity = node->count + 1;
        a->args = arena_array(frame->render->arena, struct jinja_value, a->capacity);
    }
}

static struct jinja_call make_call(struct jinja_frame *frame, const struct arguments *a)
{
    return (struct jinja_call){.render = frame->render,
        .arena = frame->render->arena,
        .args = a->args,
        .arg_count = a->count,
        .keywords = a->keywords,
        .keyword_count = a->keyword_count,
        .autoescape = jinja_is_true(*frame->context->autoescape)};
}

/* The way to an error in a macro or block. */
static void trace_call(struct jinja_frame *frame, struct jinja_value callee, uint32_t offset)
{
    bool macro = jinja_object_of(callee, &jinja_macro_class) != NULL;
    struct slice name =
        macro ? slice_of(jinja_macro_name(callee)) : jinja_block_of_reference(callee);
    struct jinja_origin at = jinja_locate(frame->template, offset);
    if (name.p)
        error_trace(frame->render->err, "in %s `%.*s` called at %s:%u:%u",
            macro ? "macro" : "block", SLICE_ARG(name), frame->template->file, at.line, at.column);
}

enum status jinja_evaluate_call(struct jinja_frame *frame, const struct jinja_expression *e,
    const struct jinja_value *caller, struct jinja_value *ret)
{
    const struct jinja_expression *callee = e->call.callee;
    const struct jinja_method *method = NULL;
    struct jinja_value object = {0}, function = {0};
    enum status status;
    if (callee->kind == E_ATTRIBUTE) {
        status = evaluate(frame, callee->attribute.object, &object);
        if (!status && object.kind != JINJA_UNDEFINED)
            method = jinja_find_method(object, callee->attribute.name->text);
        if (!status && !method) {
            status = take_attribute(frame, callee, object, &function);
            if (status && !frame->render->fault)
                frame->render->fault = callee;
        }
    } else {
        status = evaluate(frame, callee, &function);
    }
    if (status)
        return status;
    struct arguments a;
    begin_arguments(frame, &e->call.arguments, &a);
    status = evaluate_arguments(frame, &e->call.arguments, &a);
    if (!status && caller)
        status = add_keyword(frame, &a, slice_of("caller"), *caller);
    if (status)
        return status;
    struct jinja_call call = make_call(frame, &a);
    status = method ? jinja_call_method(method, object, &call, ret, frame->render->err)
                    : jinja_call_with(function, &call, ret, frame->render->err);
    if (status && frame->render->err && frame->render->err->place.line)
        trace_call(frame, function, e->offset);
    return status;
}

static enum status fail_no_row(struct jinja_frame *frame, const struct jinja_expression *e)
{
    error_set(frame->render->err, ERR_TEMPLATE_SYNTAX, "no %s named '%.*s'",
        e->kind == E_FILTER ? "filter" : "test", SLICE_ARG(e->call.name->text));
    jinja_suggest_row(
        frame->template->env, e->kind == E_FILTER, e->call.name->text, frame->render->err);
    return ERR_TEMPLATE_SYNTAX;
}

/* A filter or test whose operand is known. */
static enum status apply_row(struct jinja_frame *frame, const struct jinja_expression *e,
    struct jinja_value operand, struct jinja_value *ret)
{
    struct arguments a;
    begin_arguments(frame, &e->call.arguments, &a);
    a.args[a.count++] = operand;
    enum status status = evaluate_arguments(frame, &e->call.arguments, &a);
    if (status)
        return status;
    if (!e->call.row)
        return fail_no_row(frame, e);
    struct jinja_call call = make_call(frame, &a);
    return jinja_call_row(e->call.row, &call, ret, frame->render->err);
}

static enum status evaluate_row(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret)
{
    struct jinja_value operand;
    enum status status = evaluate(frame, e->call.callee, &operand);
    return status ? status : apply_row(frame, e, operand, ret);
}

enum status jinja_evaluate_filter(struct jinja_frame *frame, const struct jinja_expression *e,
    struct jinja_value operand, struct jinja_value *ret)
{
    enum status status = jinja_check_stack(frame->render, frame->render->err);
    if (!status && e->call.callee)
        status = jinja_evaluate_filter(frame, e->call.callee, operand, &operand);
    if (!status)
        status = apply_row(frame, e, operand, ret);
    if (status && !frame->render->fault)
        frame->render->fault = e;
    return status;
}

static enum status evaluate_sign(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret)
{
    struct jinja_value v;
    enum status status = evaluate(frame, e->pair.left, &v);
    return status ? status
                  : jinja_negate(frame->render, v, e->kind == E_NEGATE, ret, frame->render->err);
}

static enum status evaluate_binary(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret)
{
    struct jinja_value left, right;
    enum status status = evaluate(frame, e->pair.left, &left);
    if (!status)
        status = evaluate(frame, e->pair.right, &right);
    return status ? status
                  : jinja_binary(frame->render, (enum jinja_operator)e->op, left, right, ret,
                        frame->render->err);
}

static enum status evaluate_copy(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret)
{
    *ret = jinja_copy_constant(frame->render->arena, e->constant);
    return OK;
}

static enum status evaluate_plain_call(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret)
{
    return jinja_evaluate_call(frame, e, NULL, ret);
}

typedef enum status evaluate_function(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret);
/* Names and constants do not come here; a slice is only met inside an item, a namespace's
   attribute only as a target. */
static evaluate_function *const evaluators[] = {[E_CONSTANT_COPY] = evaluate_copy,
    [E_LIST] = evaluate_items,
    [E_TUPLE] = evaluate_items,
    [E_DICT] = evaluate_dict,
    [E_NEGATE] = evaluate_sign,
    [E_POSITIVE] = evaluate_sign,
    [E_NOT] = evaluate_not,
    [E_BINARY] = evaluate_binary,
    [E_AND] = evaluate_logic,
    [E_OR] = evaluate_logic,
    [E_CONCAT] = evaluate_concat,
    [E_COMPARE] = evaluate_compare,
    [E_CONDITION] = evaluate_condition,
    [E_ATTRIBUTE] = evaluate_attribute,
    [E_ITEM] = evaluate_item,
    [E_CALL] = evaluate_plain_call,
    [E_FILTER] = evaluate_row,
    [E_TEST] = evaluate_row};

static enum status evaluate_node(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret)
{
    struct jinja_render *render = frame->render;
    enum status status = jinja_step(render, render->err);
    if (!status)
        status = jinja_check_stack(render, render->err);
    if (!status)
        status = evaluators[e->kind](frame, e, ret);
    if (status && !render->fault)
        render->fault = e;
    return status;
}

enum status jinja_evaluate_expression(
    struct jinja_frame *frame, const struct jinja_expression *e, struct jinja_value *ret)
{
    return evaluate(frame, e, ret);
}

static enum status unpack(
    struct jinja_frame *frame, const struct jinja_expression *target, struct jinja_value v)
{
    struct jinja_render *render = frame->render;
    size_t count = target->list.count, got = 0;
    struct jinja_value *items = arena_array(render->arena, struct jinja_value, count + 1);
    struct jinja_iteration iteration;
    bool more = true;
    if (v.kind != JINJA_UNDEFINED && v.kind < JINJA_STRING)
        return error_set(render->err, ERR_TEMPLATE_TYPE, "cannot unpack non-iterable %s object",
            jinja_type_name(v));
    enum status status = jinja_iterate(render, v, &iteration, render->err);
    while (!status && more && got <= count) {
        status = jinja_next(render, &iteration, &more, &items[got], render->err);
        got += !status && more;
    }
    if (status)
        return status;
    if (got > count)
        return error_set(
            render->err, ERR_TEMPLATE_VALUE, "too many values to unpack (expected %zu)", count);
    if (got < count)
        return error_set(render->err, ERR_TEMPLATE_VALUE,
            "not enough values to unpack (expected %zu, got %zu)", count, got);
    for (size_t i = 0; !status && i < count; i++)
        status = jinja_assign(frame, target->list.items[i], items[i]);
    return status;
}

enum status jinja_assign(
    struct jinja_frame *frame, const struct jinja_expression *target, struct jinja_value v)
{
    struct jinja_render *render = frame->render;
    if (target->kind == E_TUPLE)
        return unpack(frame, target, v);
    struct jinja_value *slot = jinja_slot(frame, target->variable.place);
    if (target->kind == E_NAMESPACE_REF)
        return slot->object->class->set_attribute(
            render, slot->object, target->variable.attribute->text, v, render->err);
    /* An absent value in a slot would read as a name that was never assigned. */
    *slot = v;
    if (target->flag)
        jinja_context_set(render, frame->context, target->variable.name, v,
            target->variable.name->text.p[0] != '_');
    return OK;
}
