/*
 * Calling: arguments over parameters, C functions, methods, anything callable.
 */
#include "language/jinja/runtime.h"

unsigned jinja_marks_of_call(const struct jinja_call *call)
{
    unsigned marks = call->self.marks;
    for (size_t i = 0; i < call->arg_count; i++)
        marks |= call->args[i].marks;
    for (size_t i = 0; i < call->keyword_count; i++)
        marks |= call->keywords[i].value.marks;
    return marks & JINJA_SPREADING_MARKS;
}

enum status jinja_arguments(const struct jinja_call *call, const char *const *names, size_t count,
    size_t required, struct jinja_value *ret_values, struct error *err)
{
    if (call->arg_count > count)
        return error_set(err, ERR_TEMPLATE_TYPE,
            "%s() takes at most %zu argument%s but %zu were given", call->name, count,
            count == 1 ? "" : "s", call->arg_count);
    for (size_t i = 0; i < call->arg_count; i++)
        ret_values[i] = call->args[i];
    for (size_t i = call->arg_count; i < count; i++)
        ret_values[i] = (struct jinja_value){0};
    for (size_t k = 0; k < call->keyword_count; k++) {
        const struct jinja_keyword *keyword = &call->keywords[k];
        size_t at = 0;
        while (at < count && !slice_equal_str(keyword->name, names[at]))
            at++;
        if (at == count)
            return error_set(err, ERR_TEMPLATE_TYPE,
                "%s() got an unexpected keyword argument '%.*s'", call->name,
                SLICE_ARG(keyword->name));
        if (at < call->arg_count)
            return error_set(err, ERR_TEMPLATE_TYPE, "%s() got multiple values for argument '%s'",
                call->name, names[at]);
        ret_values[at] = keyword->value;
    }
    for (size_t i = 0; i < required; i++)
        if (jinja_is_absent(ret_values[i]))
            return error_set(err, ERR_TEMPLATE_TYPE,
                "%s() missing 1 required positional argument: '%s'", call->name, names[i]);
    return OK;
}

enum status jinja_argument_int(const struct jinja_call *call, const char *name,
    struct jinja_value v, int64_t absent, int64_t *ret, struct error *err)
{
    *ret = absent;
    if (jinja_is_absent(v) || jinja_is_integer(v, ret))
        return OK;
    if (v.kind == JINJA_UNDEFINED)
        return jinja_undefined_error(call->render, v, err);
    return error_set(err, ERR_TEMPLATE_TYPE, "%s(): '%s' must be an integer, not '%s'", call->name,
        name, jinja_type_name(v));
}

enum status jinja_argument_text(const struct jinja_call *call, const char *name,
    struct jinja_value v, const char *absent, struct slice *ret, struct error *err)
{
    *ret = slice_of(absent ? absent : "");
    if (jinja_is_absent(v))
        return OK;
    if (v.kind == JINJA_UNDEFINED)
        return jinja_undefined_error(call->render, v, err);
    if (v.kind != JINJA_STRING)
        return error_set(err, ERR_TEMPLATE_TYPE, "%s(): '%s' must be a string, not '%s'",
            call->name, name, jinja_type_name(v));
    *ret = jinja_text(v);
    return OK;
}

struct function {
    struct jinja_object object;
    const char *name;
    jinja_function *function;
    void *user;
};

static enum status call_function(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    const struct function *function = (const struct function *)call->self.object;
    struct jinja_call inner = *call;
    inner.self = (struct jinja_value){0};
    inner.user = function->user;
    inner.name = function->name;
    enum status status = function->function(&inner, ret, err);
    if (!status)
        *ret = jinja_mark(*ret, jinja_marks_of_call(&inner));
    return status;
}

/* Whether it is one of the language's own functions. */
static bool is_builtin(const struct function *function)
{
    const struct jinja_row *row = jinja_global_functions;
    while (row->name && row->function != function->function)
        row++;
    return row->name != NULL;
}

static enum status function_text(
    struct jinja_render *render, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    static const struct {
        const char *function, *class;
    } classes[] = {{"cycler", "jinja2.utils.Cycler"}, {"joiner", "jinja2.utils.Joiner"},
        {"namespace", "jinja2.utils.Namespace"}, {"range", "range"}};
    const struct function *function = (const struct function *)self;
    (void)render, (void)err;
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        if (strcmp(classes[i].function, function->name) == 0 && is_builtin(function)) {
            strbuf_printf(out, "<class '%s'>", classes[i].class);
            return OK;
        }
    }
    strbuf_printf(out, "<function %s>", function->name);
    return OK;
}

const struct jinja_class jinja_function_class = {
    .type_name = "function", .call = call_function, .text = function_text};

struct jinja_value jinja_function_new(
    struct arena *arena, const char *name, jinja_function *function, void *user)
{
    struct function *f = arena_new_of(arena, struct function);
    f->object.class = &jinja_function_class;
    f->name = name;
    f->function = function;
    f->user = user;
    return jinja_object(&f->object);
}

bool jinja_is_callable(struct jinja_value v)
{
    /* An undefined value has Python's __call__, which raises. */
    return v.kind == JINJA_UNDEFINED || (v.kind == JINJA_OBJECT && v.object->class->call);
}

enum status jinja_call_with(
    struct jinja_value callee, struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    if (callee.kind == JINJA_UNDEFINED)
        return jinja_undefined_error(call->render, callee, err);
    if (!jinja_is_callable(callee))
        return error_set(
            err, ERR_TEMPLATE_TYPE, "'%s' object is not callable", jinja_type_name(callee));
    call->self = callee;
    call->name = callee.object->class->type_name;
    *ret = jinja_none();
    enum status status = callee.object->class->call(call, ret, err);
    if (!status && callee.marks)
        *ret = jinja_mark(*ret, callee.marks & JINJA_SPREADING_MARKS);
    return status;
}

enum status jinja_call_value(struct jinja_render *render, struct jinja_value callee,
    const struct jinja_value *args, size_t arg_count, struct jinja_value *ret, struct error *err)
{
    struct jinja_call call = {
        .render = render, .arena = render->arena, .args = args, .arg_count = arg_count};
    return jinja_call_with(callee, &call, ret, err);
}

enum status jinja_call_row(const struct jinja_row *row, struct jinja_call *call,
    struct jinja_value *ret, struct error *err)
{
    call->name = row->name;
    call->user = row->user;
    unsigned before = call->render->seen_marks;
    call->render->seen_marks = 0;
    *ret = jinja_none();
    enum status status = row->function(call, ret, err);
    unsigned marks = jinja_marks_of_call(call) | call->render->seen_marks;
    call->render->seen_marks |= before;
    if (status || (row->flags & JINJA_ROW_OWN_MARKS))
        return status;
    if (row->flags & JINJA_ROW_CLEARS)
        marks &= ~(unsigned)JINJA_UNTRUSTED;
    *ret = jinja_mark(*ret, marks);
    return OK;
}

enum status jinja_call_method(const struct jinja_method *method, struct jinja_value self,
    struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    call->self = self;
    call->name = method->name;
    *ret = jinja_none();
    enum status status = method->function(call, ret, err);
    if (!status)
        *ret = jinja_mark(*ret, jinja_marks_of_call(call));
    return status;
}
