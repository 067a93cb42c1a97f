/*
 * Contexts: what names mean outside of the slots of a template's own variables.
 */
#include "language/jinja/runtime.h"

struct jinja_value jinja_context_find(
    const struct jinja_context *context, const struct jinja_symbol *name)
{
    const struct jinja_mapping_entry *entry;
    if (context->vars.kind == JINJA_MAPPING) {
        entry = jinja_mapping_find_text(context->vars.mapping, name->text, name->hash);
        if (entry)
            return entry->value;
    }
    for (const struct jinja_layer *layer = context->parent; layer; layer = layer->next) {
        entry = jinja_mapping_find_text(layer->names.mapping, name->text, name->hash);
        if (entry)
            return jinja_mark(entry->value, layer->names.marks & JINJA_SPREADING_MARKS);
    }
    return (struct jinja_value){0};
}

static void set_name(struct arena *arena, struct jinja_value *mapping,
    const struct jinja_symbol *name, struct jinja_value v)
{
    if (mapping->kind != JINJA_MAPPING)
        *mapping = jinja_mapping_new(arena);
    jinja_mapping_set(arena, mapping->mapping, jinja_slice(name->text), name->hash, v);
}

void jinja_context_set(struct jinja_render *render, struct jinja_context *context,
    const struct jinja_symbol *name, struct jinja_value v, bool exported)
{
    set_name(render->arena, &context->vars, name, v);
    if (exported) {
        set_name(render->arena, &context->exported, name, v);
    } else if (context->exported.kind == JINJA_MAPPING) {
        struct jinja_mapping_entry *entry =
            jinja_mapping_find_text(context->exported.mapping, name->text, name->hash);
        if (entry)
            jinja_mapping_remove(context->exported.mapping, entry);
    }
}

const struct jinja_layer *jinja_context_all(
    struct jinja_frame *frame, const struct jinja_context *context, struct jinja_visibles visibles)
{
    struct arena *arena = frame->render->arena;
    struct jinja_value names = {0}, key, value;
    /* A copy: what is assigned later is not seen by the template that gets this. */
    for (size_t cursor = 0; jinja_mapping_next(context->vars, &cursor, &key, &value);) {
        struct jinja_symbol name = {jinja_text(key), jinja_hash_text(jinja_text(key))};
        set_name(arena, &names, &name, value);
    }
    for (size_t i = 0; i < visibles.count; i++) {
        struct jinja_value v = *jinja_slot(frame, visibles.at[i].place);
        if (!jinja_is_absent(v))
            set_name(arena, &names, visibles.at[i].name, v);
    }
    if (names.kind != JINJA_MAPPING)
        return context->parent;
    struct jinja_layer *layer = arena_new_of(arena, struct jinja_layer);
    layer->names = names;
    layer->next = context->parent;
    return layer;
}

struct jinja_context *jinja_context_new(struct jinja_render *render,
    const struct jinja_template *template, const struct jinja_layer *parent)
{
    struct jinja_context *context = arena_new_of(render->arena, struct jinja_context);
    context->parent = parent;
    context->name = template->name;
    context->autoescape = arena_new_of(render->arena, struct jinja_value);
    *context->autoescape = jinja_bool(jinja_options_of(render->env)->autoescape);
    context->block_count = context->block_capacity = template->block_count;
    context->blocks = arena_array(render->arena, struct jinja_block_stack, template->block_count);
    for (size_t i = 0; i < template->block_count; i++) {
        struct jinja_block_stack *stack = &context->blocks[i];
        stack->name = template->blocks[i]->name;
        stack->at = arena_array(render->arena, const struct jinja_block_node *, 2);
        stack->at[0] = template->blocks[i];
        stack->count = 1;
        stack->capacity = 2;
    }
    return context;
}
