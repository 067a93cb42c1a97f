/*
 * The tests behind `is`.
 *
 * How to add a test: write its function, list it in the table at the end, describe it in
 * docs/templates.md; tables_test.c fails when a row has no line there.
 */
#include "language/jinja/runtime.h"
#include "language/jinja/unicode.h"

typedef const struct jinja_call *call_t;

static enum status no_arguments(call_t call, struct error *err)
{
    if (call->arg_count == 1 && call->keyword_count == 0)
        return OK;
    return error_set(err, ERR_TEMPLATE_TYPE, "the test '%s' takes no argument", call->name);
}

#define SIMPLE_TEST(function, expression)                                                          \
    static enum status function(call_t call, struct jinja_value *ret, struct error *err)           \
    {                                                                                              \
        struct jinja_value v = call->args[0];                                                      \
        *ret = jinja_bool(expression);                                                             \
        return no_arguments(call, err);                                                            \
    }                                                                                              \
    struct function##_is_defined

SIMPLE_TEST(is_boolean, v.kind == JINJA_BOOL);
SIMPLE_TEST(is_callable, jinja_is_callable(v));
SIMPLE_TEST(is_defined, v.kind != JINJA_UNDEFINED);
SIMPLE_TEST(is_undefined, v.kind == JINJA_UNDEFINED);
SIMPLE_TEST(is_escaped, v.kind == JINJA_STRING && (v.marks & JINJA_SAFE));
SIMPLE_TEST(is_false, v.kind == JINJA_BOOL && !v.boolean);
SIMPLE_TEST(is_true, v.kind == JINJA_BOOL && v.boolean);
SIMPLE_TEST(is_float, v.kind == JINJA_FLOAT);
SIMPLE_TEST(is_integer, v.kind == JINJA_INT);
SIMPLE_TEST(
    is_mapping, v.kind == JINJA_MAPPING || (v.kind == JINJA_OBJECT && v.object->class->is_mapping));
SIMPLE_TEST(is_none, v.kind == JINJA_NONE);
SIMPLE_TEST(is_number, jinja_is_number(v));
SIMPLE_TEST(is_string, v.kind == JINJA_STRING);

static enum status is_iterable(call_t call, struct jinja_value *ret, struct error *err)
{
    struct jinja_value v = call->args[0];
    bool can = v.kind == JINJA_STRING || v.kind == JINJA_LIST || v.kind == JINJA_TUPLE ||
               v.kind == JINJA_MAPPING || v.kind == JINJA_UNDEFINED ||
               (v.kind == JINJA_OBJECT && (v.object->class->iterate || v.object->class->next));
    *ret = jinja_bool(can);
    enum status status = no_arguments(call, err);
    return status ? status : jinja_check_defined(call->render, v, err);
}

static enum status is_sequence(call_t call, struct jinja_value *ret, struct error *err)
{
    struct jinja_value v = call->args[0];
    bool can = v.kind == JINJA_STRING || v.kind == JINJA_LIST || v.kind == JINJA_TUPLE ||
               v.kind == JINJA_MAPPING || v.kind == JINJA_UNDEFINED ||
               (v.kind == JINJA_OBJECT && v.object->class->is_sequence);
    *ret = jinja_bool(can && !(v.kind == JINJA_UNDEFINED && call->render->strict));
    return no_arguments(call, err);
}

static enum status is_lower(call_t call, struct jinja_value *ret, struct error *err)
{
    struct jinja_value text;
    bool cased = false, other = false, upper = call->name[0] == 'u';
    enum status status = jinja_stringify(call->render, call->arena, call->args[0], &text, err);
    if (status)
        return status;
    for (size_t at = 0; at < text.size;) {
        uint32_t c = jinja_char_next(jinja_text(text), &at);
        bool right = upper ? jinja_char_is_upper(c) : jinja_char_is_lower(c);
        cased |= right;
        other |= !right && jinja_char_is_cased(c);
    }
    *ret = jinja_bool(cased && !other);
    return no_arguments(call, err);
}

static enum status number_test(
    call_t call, int64_t divisor, int64_t remainder, struct jinja_value *ret, struct error *err)
{
    struct jinja_value rest;
    enum status status =
        jinja_binary(call->render, JINJA_MODULO, call->args[0], jinja_int(divisor), &rest, err);
    if (!status)
        *ret = jinja_bool(jinja_equal(rest, jinja_int(remainder)));
    return status;
}

static enum status is_even(call_t call, struct jinja_value *ret, struct error *err)
{
    enum status status = no_arguments(call, err);
    return status ? status : number_test(call, 2, 0, ret, err);
}

static enum status is_odd(call_t call, struct jinja_value *ret, struct error *err)
{
    enum status status = no_arguments(call, err);
    return status ? status : number_test(call, 2, 1, ret, err);
}

static enum status is_divisibleby(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "num"};
    struct jinja_value values[2], rest;
    enum status status = jinja_arguments(call, names, 2, 2, values, err);
    if (!status)
        status = jinja_binary(call->render, JINJA_MODULO, values[0], values[1], &rest, err);
    if (!status)
        *ret = jinja_bool(jinja_equal(rest, jinja_int(0)));
    return status;
}

/* The operators: which one is in the row's `user`. */
static enum status compare_test(call_t call, struct jinja_value *ret, struct error *err)
{
    bool holds = false;
    if (call->arg_count != 2 || call->keyword_count)
        return error_set(err, ERR_TEMPLATE_TYPE, "the test '%s' takes one argument", call->name);
    enum jinja_comparison op = (enum jinja_comparison)(uintptr_t)call->user;
    enum status status = jinja_compare(call->render, op, call->args[0], call->args[1], &holds, err);
    *ret = jinja_bool(holds);
    return status;
}

static enum status is_in(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "seq"};
    struct jinja_value values[2];
    bool holds = false;
    enum status status = jinja_arguments(call, names, 2, 2, values, err);
    if (!status)
        status = jinja_contains(call->render, values[1], values[0], &holds, err);
    *ret = jinja_bool(holds);
    return status;
}

static enum status is_sameas(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value", "other"};
    struct jinja_value values[2];
    enum status status = jinja_arguments(call, names, 2, 2, values, err);
    if (!status)
        *ret = jinja_bool(jinja_same(values[0], values[1]));
    return status;
}

/* Whether a filter or test of that name exists; `user` says which. */
static enum status names_row(call_t call, struct jinja_value *ret, struct error *err)
{
    struct jinja_value v = call->args[0];
    uint64_t hash;
    enum status status = no_arguments(call, err);
    if (!status)
        status = jinja_check_defined(call->render, v, err);
    if (!status)
        status = jinja_hash_or_fail(v, &hash, err);
    *ret = jinja_bool(false);
    if (status || v.kind != JINJA_STRING)
        return status;
    struct jinja_symbol name = {jinja_text(v), 0};
    const struct jinja_environment *env = call->render->env;
    *ret = jinja_bool(
        call->user ? jinja_find_filter(env, &name) != NULL : jinja_find_test(env, &name) != NULL);
    return OK;
}

#define COMPARE(op) (void *)(uintptr_t)(op)

const struct jinja_row jinja_builtin_tests[] = {{"!=", compare_test, 0, COMPARE(COMPARE_NOT_EQUAL)},
    {"<", compare_test, 0, COMPARE(COMPARE_LESS)},
    {"<=", compare_test, 0, COMPARE(COMPARE_LESS_EQUAL)},
    {"==", compare_test, 0, COMPARE(COMPARE_EQUAL)},
    {">", compare_test, 0, COMPARE(COMPARE_GREATER)},
    {">=", compare_test, 0, COMPARE(COMPARE_GREATER_EQUAL)}, {"boolean", is_boolean, 0, NULL},
    {"callable", is_callable, 0, NULL}, {"defined", is_defined, 0, NULL},
    {"divisibleby", is_divisibleby, 0, NULL}, {"eq", compare_test, 0, COMPARE(COMPARE_EQUAL)},
    {"equalto", compare_test, 0, COMPARE(COMPARE_EQUAL)}, {"escaped", is_escaped, 0, NULL},
    {"even", is_even, 0, NULL}, {"false", is_false, 0, NULL}, {"filter", names_row, 0, (void *)1},
    {"float", is_float, 0, NULL}, {"ge", compare_test, 0, COMPARE(COMPARE_GREATER_EQUAL)},
    {"greaterthan", compare_test, 0, COMPARE(COMPARE_GREATER)},
    {"gt", compare_test, 0, COMPARE(COMPARE_GREATER)}, {"in", is_in, 0, NULL},
    {"integer", is_integer, 0, NULL}, {"iterable", is_iterable, 0, NULL},
    {"le", compare_test, 0, COMPARE(COMPARE_LESS_EQUAL)},
    {"lessthan", compare_test, 0, COMPARE(COMPARE_LESS)}, {"lower", is_lower, 0, NULL},
    {"lt", compare_test, 0, COMPARE(COMPARE_LESS)}, {"mapping", is_mapping, 0, NULL},
    {"ne", compare_test, 0, COMPARE(COMPARE_NOT_EQUAL)}, {"none", is_none, 0, NULL},
    {"number", is_number, 0, NULL}, {"odd", is_odd, 0, NULL}, {"sameas", is_sameas, 0, NULL},
    {"sequence", is_sequence, 0, NULL}, {"string", is_string, 0, NULL},
    {"test", names_row, 0, NULL}, {"true", is_true, 0, NULL}, {"undefined", is_undefined, 0, NULL},
    {"upper", is_lower, 0, NULL}, {NULL, NULL, 0, NULL}};
