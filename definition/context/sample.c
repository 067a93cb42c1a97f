/*
 * A value that nobody knows before the run: of `dag_run.conf`, an XCom, a parameter without
 * default, a mapped task.  Lint renders with it: it has every member, it can be gone through, its
 * text is "sample", and it is untrusted.  Whoever looks at it learns nothing, so that errors after
 * that are not the template's (`attempt_facts.sampled`).
 */
#include "definition/context/context_data.h"

static const char sample_word[] = "sample";

struct sample {
    struct jinja_object object;
    struct context *context;
};

static const struct jinja_class sample_class;

static struct context *touch(struct jinja_object *self)
{
    struct context *context = ((struct sample *)self)->context;
    *context->attempt->sampled = true;
    return context;
}

static enum status sample_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    (void)render, (void)name, (void)err;
    *ret = context_sample(touch(self));
    return OK;
}

static enum status sample_item(struct jinja_render *render, struct jinja_object *self,
    struct jinja_value key, struct jinja_value *ret, struct error *err)
{
    (void)render, (void)key, (void)err;
    *ret = context_sample(touch(self));
    return OK;
}

static enum status sample_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    (void)render, (void)err;
    touch(self);
    strbuf_add_str(out, sample_word);
    return OK;
}

static bool sample_truth(struct jinja_object *self)
{
    touch(self);
    return true;
}

static bool sample_equal(struct jinja_object *self, struct jinja_value other)
{
    touch(self);
    return jinja_object_of(other, &sample_class) != NULL;
}

static uint64_t sample_hash(struct jinja_object *self)
{
    touch(self);
    return 0;
}

static int64_t sample_length(struct jinja_object *self)
{
    touch(self);
    return 1;
}

/* Of texts: the literal of a sample must come to an end. */
static enum status sample_iterate(struct jinja_render *render, struct jinja_object *self,
    struct jinja_value *ret, struct error *err)
{
    (void)render, (void)err;
    struct arena *arena = touch(self)->arena;
    *ret = jinja_list_new(arena, 1);
    jinja_list_add(arena, *ret, jinja_mark(jinja_string(sample_word), JINJA_UNTRUSTED));
    return OK;
}

static enum status sample_compare(struct jinja_object *self, struct jinja_value other,
    int *ret_order, bool *ret_known, struct error *err)
{
    (void)other, (void)err;
    touch(self);
    *ret_order = 0;
    *ret_known = true;
    return OK;
}

static enum status sample_binary(struct jinja_render *render, enum jinja_operator op,
    struct jinja_value left, struct jinja_value right, struct jinja_value *ret, struct error *err)
{
    (void)render, (void)op, (void)err;
    struct jinja_object *self = jinja_object_of(left, &sample_class);
    *ret = context_sample(touch(self ? self : jinja_object_of(right, &sample_class)));
    return OK;
}

static enum status sample_json(
    struct jinja_object *self, struct arena *arena, struct jinja_value *ret, struct error *err)
{
    (void)arena, (void)err;
    touch(self);
    *ret = jinja_mark(jinja_string(sample_word), JINJA_UNTRUSTED);
    return OK;
}

/* `conf.get('name', default)` and what else can be called. */
static enum status sample_call(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    (void)err;
    *ret = context_sample(touch(call->self.object));
    return OK;
}

static enum status sample_items(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    (void)err;
    struct context *context = touch(call->self.object);
    *ret = jinja_list_new(call->arena, 1);
    jinja_list_add(call->arena, *ret,
        jinja_tuple2(call->arena, context_sample(context), context_sample(context)));
    return OK;
}

static const struct jinja_method sample_methods[] = {
    {"get", sample_call}, {"items", sample_items}, {NULL, NULL}};

static const struct jinja_class sample_class = {
    .type_name = sample_word,
    .methods = sample_methods,
    .attribute = sample_attribute,
    .item = sample_item,
    .text = sample_text,
    .truth = sample_truth,
    .equal = sample_equal,
    .hash = sample_hash,
    .compare = sample_compare,
    .binary = sample_binary,
    .length = sample_length,
    .iterate = sample_iterate,
    .json = sample_json,
    .is_mapping = true,
};

struct jinja_value context_sample(struct context *context)
{
    struct sample *sample = arena_new_of(context->arena, struct sample);
    *sample = (struct sample){{&sample_class}, context};
    return jinja_mark(jinja_object(&sample->object), JINJA_UNTRUSTED);
}
