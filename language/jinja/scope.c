#include "language/jinja/resolver.h"

enum { INDEX_FROM = 16 }; /* entries: below, a linear look is faster than a map */

struct jinja_frame_scope jinja_frame_inner(
    struct jinja_frame_scope *parent, struct jinja_function_scope *function)
{
    return (struct jinja_frame_scope){.parent = parent,
        .function = function,
        .check_output = parent ? parent->check_output : false};
}

void jinja_frame_done(struct jinja_frame_scope *frame)
{
    vec_done(&frame->entries);
    map_free(frame->index);
}

struct jinja_entry *jinja_frame_own(struct jinja_frame_scope *frame, const struct jinja_symbol *s)
{
    if (frame->index) {
        uintptr_t number = (uintptr_t)map_get_slice(frame->index, s->text);
        return number ? &frame->entries.at[number - 1] : NULL;
    }
    vec_each (entry, &frame->entries)
        if (entry->symbol == s)
            return entry;
    return NULL;
}

static struct jinja_entry *add_entry(
    struct jinja_frame_scope *frame, const struct jinja_symbol *symbol, uint32_t offset)
{
    struct jinja_entry *entry = vec_add(&frame->entries);
    entry->symbol = symbol;
    entry->offset = offset;
    entry->slot = frame->function->code->slot_count++;
    if (!frame->index && frame->entries.count > INDEX_FROM) {
        frame->index = map_new();
        for (size_t i = 0; i < frame->entries.count; i++)
            map_set_slice(
                frame->index, frame->entries.at[i].symbol->text, (void *)(uintptr_t)(i + 1));
    } else if (frame->index) {
        map_set_slice(frame->index, symbol->text, (void *)(uintptr_t)frame->entries.count);
    }
    return entry;
}

bool jinja_frame_find(
    struct jinja_frame_scope *frame, const struct jinja_symbol *symbol, struct jinja_location *ret)
{
    for (; frame; frame = frame->parent) {
        struct jinja_entry *entry = jinja_frame_own(frame, symbol);
        if (entry) {
            *ret = (struct jinja_location){frame->function, entry->slot};
            return true;
        }
    }
    return false;
}

void jinja_frame_load(
    struct jinja_frame_scope *frame, const struct jinja_symbol *symbol, uint32_t offset)
{
    struct jinja_location location;
    if (!jinja_frame_find(frame, symbol, &location))
        add_entry(frame, symbol, offset)->load = LOAD_RESOLVE;
}

void jinja_frame_store(
    struct jinja_frame_scope *frame, const struct jinja_symbol *symbol, uint32_t offset)
{
    struct jinja_entry *entry = jinja_frame_own(frame, symbol);
    if (!entry) {
        struct jinja_location outer;
        bool known = jinja_frame_find(frame->parent, symbol, &outer);
        entry = add_entry(frame, symbol, offset);
        /* Assigned only under a condition, the name may still be the context's. */
        entry->load = known ? LOAD_ALIAS : frame->branches ? LOAD_RESOLVE : LOAD_MISSING;
        if (known)
            entry->source = outer;
    }
    entry->stored = true;
}

uint32_t jinja_frame_declare(struct jinja_frame_scope *frame, const struct jinja_symbol *symbol)
{
    struct jinja_entry *entry = jinja_frame_own(frame, symbol);
    if (!entry)
        entry = add_entry(frame, symbol, 0);
    entry->load = LOAD_PARAMETER;
    entry->stored = true;
    return entry->slot;
}

struct jinja_place jinja_place_from(
    const struct jinja_function_scope *from, struct jinja_location location)
{
    struct jinja_place place = {.slot = location.slot};
    for (; from && from != location.function; from = from->parent)
        place.hops++;
    return place;
}

/* Lists a name that comes from the context, once, with the first of its uses. */
static void note_need(struct jinja_resolver *r, const struct jinja_entry *entry)
{
    uintptr_t number = (uintptr_t)map_get_slice(r->needed, entry->symbol->text);
    if (number) {
        struct jinja_name *known = &r->names.at[number - 1];
        known->line = known->line < entry->offset ? known->line : entry->offset;
        return;
    }
    struct jinja_name name = {.name = entry->symbol->text, .line = entry->offset};
    vec_push(&r->names, name);
    map_set_slice(r->needed, entry->symbol->text, (void *)(uintptr_t)r->names.count);
}

struct jinja_loads jinja_frame_loads(struct jinja_resolver *r, struct jinja_frame_scope *frame)
{
    struct jinja_load *loads = arena_array(r->arena, struct jinja_load, frame->entries.count);
    size_t count = 0;
    vec_each (entry, &frame->entries) {
        if (entry->load == LOAD_PARAMETER)
            continue;
        loads[count].kind = entry->load;
        loads[count].slot = entry->slot;
        loads[count].name = entry->symbol;
        if (entry->load == LOAD_ALIAS)
            loads[count].source = jinja_place_from(frame->function, entry->source);
        if (entry->load == LOAD_RESOLVE)
            note_need(r, entry);
        count++;
    }
    return (struct jinja_loads){loads, count};
}

struct jinja_visibles jinja_frame_visibles(
    struct jinja_resolver *r, struct jinja_frame_scope *frame)
{
    VEC(struct jinja_visible) visibles = {0};
    struct map *seen = map_new();
    for (struct jinja_frame_scope *f = frame; f; f = f->parent) {
        vec_each (entry, &f->entries) {
            if (!entry->stored || map_get_slice(seen, entry->symbol->text))
                continue;
            map_set_slice(seen, entry->symbol->text, seen);
            struct jinja_location location = {f->function, entry->slot};
            struct jinja_visible visible = {
                entry->symbol, jinja_place_from(frame->function, location)};
            vec_push(&visibles, visible);
        }
    }
    map_free(seen);
    struct jinja_visibles kept = {.count = visibles.count};
    if (visibles.count)
        kept.at = arena_memdup(r->arena, visibles.at, visibles.count * sizeof *visibles.at);
    vec_done(&visibles);
    return kept;
}

void jinja_list_arguments(
    struct jinja_frame_scope *frame, const struct jinja_arguments_node *arguments)
{
    for (size_t i = 0; i < arguments->count; i++)
        jinja_list_expression(frame, arguments->items[i]);
    for (size_t i = 0; i < arguments->keyword_count; i++)
        jinja_list_expression(frame, arguments->keywords[i].value);
    jinja_list_expression(frame, arguments->rest);
    jinja_list_expression(frame, arguments->keyword_rest);
}

void jinja_list_expression(struct jinja_frame_scope *frame, const struct jinja_expression *e)
{
    if (!e)
        return;
    switch ((enum jinja_expression_kind)e->kind) {
    case E_CONSTANT:
    case E_CONSTANT_COPY: break;
    case E_NAME:
    case E_NAMESPACE_REF: jinja_frame_load(frame, e->variable.name, e->offset); break;
    case E_LIST:
    case E_TUPLE:
    case E_DICT:
    case E_CONCAT:
        for (size_t i = 0; i < e->list.count; i++)
            jinja_list_expression(frame, e->list.items[i]);
        break;
    case E_NEGATE:
    case E_POSITIVE:
    case E_NOT:
    case E_BINARY:
    case E_AND:
    case E_OR:
        jinja_list_expression(frame, e->pair.left);
        jinja_list_expression(frame, e->pair.right);
        break;
    case E_COMPARE:
        jinja_list_expression(frame, e->compare.first);
        for (size_t i = 0; i < e->compare.count; i++)
            jinja_list_expression(frame, e->compare.operands[i].value);
        break;
    case E_CONDITION:
        jinja_list_expression(frame, e->condition.test);
        jinja_list_expression(frame, e->condition.then);
        jinja_list_expression(frame, e->condition.otherwise);
        break;
    case E_ATTRIBUTE: jinja_list_expression(frame, e->attribute.object); break;
    case E_ITEM:
        jinja_list_expression(frame, e->item.object);
        jinja_list_expression(frame, e->item.key);
        break;
    case E_SLICE:
        jinja_list_expression(frame, e->slice.start);
        jinja_list_expression(frame, e->slice.stop);
        jinja_list_expression(frame, e->slice.step);
        break;
    case E_CALL:
    case E_FILTER:
    case E_TEST:
        jinja_list_expression(frame, e->call.callee);
        jinja_list_arguments(frame, &e->call.arguments);
        break;
    }
}

void jinja_list_target(
    struct jinja_frame_scope *frame, const struct jinja_expression *e, bool parameter)
{
    if (e->kind == E_TUPLE) {
        for (size_t i = 0; i < e->list.count; i++)
            jinja_list_target(frame, e->list.items[i], parameter);
    } else if (e->kind == E_NAMESPACE_REF) {
        jinja_frame_load(frame, e->variable.name, e->offset);
    } else if (parameter) {
        jinja_frame_declare(frame, e->variable.name);
    } else {
        jinja_frame_store(frame, e->variable.name, e->offset);
    }
}

static void list_if(struct jinja_frame_scope *frame, const struct jinja_statement *s)
{
    /* The tests after the first are only evaluated under a condition, but reading is reading. */
    for (size_t i = 0; i < s->branch.count; i++) {
        jinja_list_expression(frame, s->branch.branches[i].test);
        frame->branches++;
        jinja_list_body(frame, &s->branch.branches[i].body);
        frame->branches--;
    }
}

static void list_statement(struct jinja_frame_scope *frame, const struct jinja_statement *s)
{
    switch (s->kind) {
    case S_OUTPUT:
        for (size_t i = 0; i < s->output.count; i++)
            jinja_list_expression(frame, s->output.parts[i].expression);
        break;
    case S_IF: list_if(frame, s); break;
    case S_FOR: jinja_list_expression(frame, s->loop.iterable); break;
    case S_SET:
        jinja_list_expression(frame, s->set.value);
        jinja_list_target(frame, s->set.target, false);
        break;
    case S_SET_BLOCK: jinja_list_target(frame, s->set.target, false); break;
    case S_WITH:
        for (size_t i = 0; i < s->with.count; i++)
            jinja_list_expression(frame, s->with.values[i]);
        break;
    case S_MACRO: jinja_frame_store(frame, s->macro.macro->name, s->offset); break;
    case S_CALL: jinja_list_expression(frame, s->macro.call); break;
    case S_FILTER: jinja_list_expression(frame, s->filter.filter); break;
    case S_INCLUDE: jinja_list_expression(frame, s->import.template); break;
    case S_IMPORT:
        jinja_list_expression(frame, s->import.template);
        jinja_frame_store(frame, s->import.target, s->offset);
        break;
    case S_FROM:
        jinja_list_expression(frame, s->import.template);
        for (size_t i = 0; i < s->import.name_count; i++)
            jinja_frame_store(frame, s->import.names[i].alias, s->offset);
        break;
    case S_EXTENDS:
    case S_DO: jinja_list_expression(frame, s->expression.value); break;
    case S_BLOCK:
    case S_AUTOESCAPE:
    case S_BREAK:
    case S_CONTINUE: break;
    }
}

void jinja_list_body(struct jinja_frame_scope *frame, const struct jinja_body *body)
{
    for (const struct jinja_statement *s = body->first; s; s = s->next)
        list_statement(frame, s);
}
