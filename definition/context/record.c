#include "definition/context/context_data.h"

struct record *record_new(
    struct context *context, const struct jinja_class *class, const char *text)
{
    struct record *record = arena_new_of(context->arena, struct record);
    *record = (struct record){
        {class}, jinja_mapping_new(context->arena), text ? text : class->type_name, context};
    return record;
}

void record_put(struct record *record, const char *name, struct jinja_value value)
{
    jinja_mapping_put(record->context->arena, record->fields, name, value);
}

void record_put_function(struct record *record, const char *name, jinja_function *function)
{
    struct arena *arena = record->context->arena;
    record_put(record, name, jinja_function_new(arena, name, function, record->context));
}

enum status record_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    (void)render, (void)err;
    *ret = jinja_mapping_get_value(((const struct record *)self)->fields, jinja_slice(name));
    return OK;
}

enum status record_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    (void)render, (void)err;
    strbuf_add_str(out, ((const struct record *)self)->text);
    return OK;
}

struct jinja_value text_or_none(const char *text)
{
    return text ? jinja_string(text) : jinja_none();
}

/* splitmix64: every seed gives a good sequence. */
uint64_t context_random(struct context *context)
{
    uint64_t z = context->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}
