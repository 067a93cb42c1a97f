/*
 * Other templates: include, import, from.
 */
#include "language/jinja/runtime.h"

static enum status fail_missing(struct jinja_frame *frame, struct jinja_value names)
{
    struct strbuf text = {0};
    enum status status = jinja_append_repr(frame->render, names, &text, frame->render->err);
    if (!status)
        status = error_set(frame->render->err, ERR_TEMPLATE_NOT_FOUND,
            names.kind == JINJA_STRING ? "template %s not found"
                                       : "none of the templates %s was found",
            strbuf_text(&text));
    strbuf_done(&text);
    return status;
}

static enum status find_one(
    struct jinja_frame *frame, struct jinja_value name, const struct jinja_template **ret)
{
    struct jinja_render *render = frame->render;
    if (name.kind == JINJA_UNDEFINED)
        return jinja_undefined_error(render, name, render->err);
    if (name.kind != JINJA_STRING)
        return error_set(render->err, ERR_TEMPLATE_TYPE,
            "a template's name must be a string, not '%s'", jinja_type_name(name));
    enum status status = jinja_template_load(render->env, jinja_text(name), ret, render->err);
    if (status == ERR_TEMPLATE_NOT_FOUND && !render->err->hint[0])
        return fail_missing(frame, name);
    if (status && render->err->place.line) {
        /* A template that cannot be parsed: the place is its own. */
        return status;
    }
    return status;
}

enum status jinja_find_template(struct jinja_frame *frame, struct jinja_value name,
    enum template_names use, const struct jinja_template **ret)
{
    struct jinja_render *render = frame->render;
    if (name.kind == JINJA_STRING || name.kind == JINJA_UNDEFINED)
        return find_one(frame, name, ret);
    if (use == TEMPLATE_ONE)
        return error_set(render->err, ERR_TEMPLATE_TYPE,
            "the name of a template must be a string, not '%s'", jinja_type_name(name));
    struct jinja_value names = name;
    enum status status = jinja_collect(render, render->arena, name, &names, render->err);
    for (size_t i = 0; !status && i < names.list->count; i++) {
        status = find_one(frame, names.list->items[i], ret);
        if (status != ERR_TEMPLATE_NOT_FOUND && status != ERR_TEMPLATE_UNDEFINED)
            return status;
        render->fault = NULL;
        status = OK;
    }
    return status ? status : fail_missing(frame, names);
}

static enum status module_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    const struct jinja_module *module = (const struct jinja_module *)self;
    (void)render, (void)err;
    struct jinja_value v = jinja_mapping_get_value(module->exported, jinja_slice(name));
    if (!jinja_is_absent(v))
        *ret = v;
    return OK;
}

static enum status module_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    const struct jinja_module *module = (const struct jinja_module *)self;
    (void)render;
    if (module->oddity.type)
        return error_set(err, ERR_TEMPLATE_TYPE,
            "the text of `%s` has a part that is no text but '%s'", module->template->name,
            module->oddity.type);
    strbuf_add_slice(out, jinja_text(module->body));
    return OK;
}

static enum status module_repr(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    (void)render, (void)err;
    const char *name = ((const struct jinja_module *)self)->template->name;
    strbuf_add_str(out, "<TemplateModule ");
    jinja_append_quoted(slice_of(name), out);
    strbuf_add_char(out, '>');
    return OK;
}

const struct jinja_class jinja_module_class = {.type_name = "TemplateModule",
    .attribute = module_attribute,
    .text = module_text,
    .repr = module_repr};

static enum status make_module(struct jinja_render *render, const struct jinja_template *template,
    const struct jinja_layer *layer, struct jinja_module **ret)
{
    struct jinja_context *context = jinja_context_new(render, template, layer);
    struct jinja_capture capture = jinja_capture_begin(render);
    enum jinja_flow flow = render->flow;
    struct jinja_module *module = arena_new_of(render->arena, struct jinja_module);
    enum status status = jinja_run_root(render, template, context);
    render->flow = flow;
    module->object.class = &jinja_module_class;
    module->template = template;
    module->exported = context->exported;
    /* The module is there even if its text is none. */
    module->oddity = render->oddity;
    render->oddity = (struct jinja_oddity){0};
    *ret = module;
    return jinja_capture_end(render, &capture, status, false, &module->body);
}

/* The module that all imports without context share. */
static enum status shared_module(
    struct jinja_render *render, const struct jinja_template *template, struct jinja_module **ret)
{
    vec_each (module, &render->modules) {
        if ((*module)->template == template) {
            *ret = *module;
            return OK;
        }
    }
    enum status status = make_module(render, template, render->globals, ret);
    if (!status)
        vec_push(&render->modules, *ret);
    return status;
}

static void trace(struct jinja_frame *frame, const char *how, uint32_t offset)
{
    struct jinja_origin at = jinja_locate(frame->template, offset);
    if (frame->render->err->place.line)
        error_trace(
            frame->render->err, "%s from %s:%u:%u", how, frame->template->file, at.line, at.column);
}

enum status jinja_run_include(struct jinja_frame *frame, const struct jinja_statement *s)
{
    struct jinja_render *render = frame->render;
    struct jinja_value name;
    const struct jinja_template *template;
    enum status status = jinja_evaluate_expression(frame, s->import.template, &name);
    if (!status)
        status = jinja_find_template(frame, name, TEMPLATE_FIRST_OF, &template);
    if (status == ERR_TEMPLATE_NOT_FOUND && s->import.ignore_missing) {
        error_clear(render->err);
        render->fault = NULL;
        return OK;
    }
    if (status) {
        trace(frame, "included", s->offset);
        return jinja_fail_at(frame, status, s->line, s->import.template->offset);
    }
    if (s->import.with_context) {
        const struct jinja_layer *layer =
            jinja_context_all(frame, frame->context, s->import.visibles);
        enum jinja_flow flow = render->flow;
        status = jinja_run_root(render, template, jinja_context_new(render, template, layer));
        render->flow = flow;
    } else {
        struct jinja_module *module;
        status = shared_module(render, template, &module);
        if (!status)
            status = jinja_output_module(frame, module, s->offset);
    }
    if (status)
        trace(frame, "included", s->offset);
    return jinja_fail_at(frame, status, s->line, s->offset);
}

static void take_names(
    struct jinja_frame *frame, const struct jinja_statement *s, struct jinja_module *module)
{
    struct jinja_render *render = frame->render;
    for (size_t i = 0; i < s->import.name_count; i++) {
        const struct jinja_import_name *name = &s->import.names[i];
        struct jinja_value v =
            jinja_mapping_get_value(module->exported, jinja_slice(name->name->text));
        if (jinja_is_absent(v))
            v.missing = name->missing;
        *jinja_slot(frame, name->place) = v;
        if (s->import.exported)
            jinja_context_set(render, frame->context, name->alias, v, false);
    }
}

enum status jinja_run_import(struct jinja_frame *frame, const struct jinja_statement *s)
{
    struct jinja_render *render = frame->render;
    struct jinja_value name;
    const struct jinja_template *template;
    struct jinja_module *module;
    enum status status = jinja_evaluate_expression(frame, s->import.template, &name);
    if (!status)
        status = find_one(frame, name, &template);
    if (!status && s->import.with_context)
        status = make_module(render, template,
            jinja_context_all(frame, frame->context, s->import.visibles), &module);
    else if (!status)
        status = shared_module(render, template, &module);
    if (status) {
        trace(frame, "imported", s->offset);
        return jinja_fail_at(frame, status, s->line, s->import.template->offset);
    }
    if (s->kind == S_FROM) {
        take_names(frame, s, module);
        return OK;
    }
    struct jinja_value v = jinja_object(&module->object);
    *jinja_slot(frame, s->import.place) = v;
    if (s->import.exported)
        jinja_context_set(render, frame->context, s->import.target, v, false);
    return OK;
}
