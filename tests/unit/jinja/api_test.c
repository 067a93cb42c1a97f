/* The interface as other modules use it: values, functions, objects, needs, evaluation, threads. */
#include <pthread.h>
#include "base/json.h"
#include "language/jinja/jinja.h"
#include "tests/unit/test.h"

static struct jinja_environment *strict_environment(void)
{
    return jinja_environment_new(&(struct jinja_options){.strict = true});
}

static const char *render(struct jinja_environment *env, struct arena *arena, const char *text,
    struct jinja_value context)
{
    struct jinja_result result;
    struct error err;
    enum status status =
        jinja_render_text(env, "t.sql", slice_of(text), context, arena, &result, &err);
    return status ? arena_printf(arena, "error: %s", err.message) : result.text.p;
}

/* A type of another module: a day, with attributes, methods, arithmetic and order. */
struct day {
    struct jinja_object object;
    int64_t number;
};
static const struct jinja_class day_class;

static struct jinja_value day_new(struct arena *arena, int64_t number)
{
    struct day *day = arena_new_of(arena, struct day);
    day->object.class = &day_class;
    day->number = number;
    return jinja_object(&day->object);
}

static enum status day_attribute(struct jinja_render *r, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    (void)r, (void)err;
    if (slice_equal_str(name, "number"))
        *ret = jinja_int(((struct day *)self)->number);
    return OK;
}

static enum status day_text(
    struct jinja_render *r, struct jinja_object *self, struct strbuf *out, struct error *err)
{
    (void)r, (void)err;
    strbuf_printf(out, "day %lld", (long long)((struct day *)self)->number);
    return OK;
}

static enum status day_binary(struct jinja_render *r, enum jinja_operator op,
    struct jinja_value left, struct jinja_value right, struct jinja_value *ret, struct error *err)
{
    struct day *a = (struct day *)jinja_object_of(left, &day_class);
    struct day *b = (struct day *)jinja_object_of(right, &day_class);
    (void)err;
    if (op == JINJA_ADD && a && right.kind == JINJA_INT)
        *ret = day_new(jinja_render_arena(r), a->number + right.integer);
    else if (op == JINJA_SUBTRACT && a && b)
        *ret = jinja_int(a->number - b->number);
    return OK;
}

static enum status day_compare(struct jinja_object *self, struct jinja_value other, int *ret_order,
    bool *ret_known, struct error *err)
{
    struct day *b = (struct day *)jinja_object_of(other, &day_class);
    (void)err;
    *ret_known = b != NULL;
    int64_t a = ((struct day *)self)->number;
    *ret_order = !b ? 0 : a < b->number ? -1 : a > b->number;
    return OK;
}

static bool day_equal(struct jinja_object *self, struct jinja_value other)
{
    struct day *b = (struct day *)jinja_object_of(other, &day_class);
    return b && b->number == ((struct day *)self)->number;
}

static uint64_t day_hash(struct jinja_object *self)
{
    return (uint64_t)((struct day *)self)->number * 31;
}

static enum status day_shift(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"by", "times"};
    struct jinja_value values[2];
    int64_t by, times;
    enum status status = jinja_arguments(call, names, 2, 1, values, err);
    if (!status)
        status = jinja_argument_int(call, "by", values[0], 0, &by, err);
    if (!status)
        status = jinja_argument_int(call, "times", values[1], 1, &times, err);
    if (!status)
        *ret = day_new(call->arena, ((struct day *)call->self.object)->number + by * times);
    return status;
}

static const struct jinja_method day_methods[] = {{"shift", day_shift}, {NULL, NULL}};
static const struct jinja_class day_class = {.type_name = "Day",
    .methods = day_methods,
    .attribute = day_attribute,
    .text = day_text,
    .binary = day_binary,
    .compare = day_compare,
    .equal = day_equal,
    .hash = day_hash};

TEST(objects_take_part_in_everything)
{
    static const struct {
        const char *text, *want;
    } cases[] = {{"{{ d }}", "day 3"}, {"{{ [d] }}", "[day 3]"}, {"{{ d.number }}", "3"},
        {"{{ d.shift(2) }}", "day 5"}, {"{{ d.shift(by=2, times=3) }}", "day 9"},
        {"{{ (d + 4).number }}", "7"}, {"{{ (d + 4) - d }}", "4"}, {"{{ d < d + 1 }}", "True"},
        {"{{ d == d.shift(0) }}", "True"}, {"{{ d != 3 }}", "True"},
        {"{{ {d: 'x'}[d.shift(0)] }}", "x"},
        {"{{ [d + 2, d, d + 1] | sort }}", "[day 3, day 4, day 5]"},
        {"{{ [d, d.shift(0)] | unique | list | length }}", "1"},
        {"{% set f = d.shift %}{{ f(1) }}", "day 4"}, {"{{ d ~ '!' }}", "day 3!"},
        {"{{ '%s' % d }} {{ '{}'.format(d) }}", "day 3 day 3"},
        {"{{ d | string | upper }}", "DAY 3"}, {"{{ d.nope is defined }}", "False"},
        {"{{ d.nope }}", "error: 'Day' has no attribute 'nope'"},
        {"{{ d + 'x' }}", "error: unsupported operand type(s) for +: 'Day' and 'str'"},
        {"{{ d < 1 }}", "error: '<' not supported between instances of 'Day' and 'int'"},
        {"{{ d() }}", "error: 'Day' object is not callable"},
        {"{{ d.shift() }}", "error: shift() missing 1 required positional argument: 'by'"},
        {"{{ d.shift(1, by=2) }}", "error: shift() got multiple values for argument 'by'"},
        {"{{ d.shift(1, to=2) }}", "error: shift() got an unexpected keyword argument 'to'"},
        {"{{ d.shift('x') }}", "error: shift(): 'by' must be an integer, not 'str'"}};
    CLEANUP(jinja_environment_freep) struct jinja_environment *env = strict_environment();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct jinja_value context = jinja_mapping_new(arena);
        jinja_mapping_put(arena, context, "d", day_new(arena, 3));
        CHECK_STR(render(env, arena, cases[i].text, context), cases[i].want);
    }
}

static enum status double_it(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"value"};
    struct jinja_value v;
    int64_t number;
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    if (!status)
        status = jinja_argument_int(call, "value", v, 0, &number, err);
    *ret = jinja_int(number * *(const int64_t *)call->user);
    return status;
}

static enum status is_big(const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    (void)err;
    *ret = jinja_bool(call->args[0].kind == JINJA_INT && call->args[0].integer > 100);
    return OK;
}

TEST(callers_add_filters_tests_functions_and_globals)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(jinja_environment_freep) struct jinja_environment *env = strict_environment();
    int64_t factor = 2;
    jinja_add_filter(env, "double", double_it, &factor);
    jinja_add_test(env, "big", is_big, NULL);
    jinja_add_function(env, "twice", double_it, &factor);
    jinja_add_global(env, "answer", jinja_int(42));
    struct jinja_value none = jinja_mapping_new(arena);
    CHECK_STR(render(env, arena, "{{ 4 | double }} {{ [1, 2] | map('double') | list }}", none),
        "8 [2, 4]");
    CHECK_STR(render(env, arena, "{{ 101 is big }} {{ [1, 200] | select('big') | list }}", none),
        "True [200]");
    CHECK_STR(render(env, arena, "{{ twice(answer) }}", none), "84");
    CHECK_STR(render(env, arena, "{{ 1 | dubble }}", none), "error: no filter named 'dubble'");
}

static enum status evaluate(
    const char *text, struct arena *arena, struct jinja_value *ret, struct error *err)
{
    CLEANUP(jinja_environment_freep)
    struct jinja_environment *env = jinja_environment_new(&(struct jinja_options){0});
    struct jinja_value context = jinja_mapping_new(arena);
    jinja_mapping_put(arena, context, "x", jinja_int(20));
    return jinja_evaluate(env, "dag.yaml", slice_of(text), context, arena, ret, err);
}

TEST(a_bare_expression_has_a_value)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct jinja_value v;
    struct error err;
    CHECK_OK(evaluate("x * 2 + 2", arena, &v, &err), &err);
    CHECK(v.kind == JINJA_INT && v.integer == 42);
    CHECK_OK(evaluate("['a', x] + [none]", arena, &v, &err), &err);
    CHECK(v.kind == JINJA_LIST && v.list->count == 3);
    CHECK_OK(evaluate("nope", arena, &v, &err), &err);
    CHECK(v.kind == JINJA_NONE);
    CHECK(evaluate("x +", arena, &v, &err) == ERR_TEMPLATE_SYNTAX);
    CHECK(evaluate("x y", arena, &v, &err) == ERR_TEMPLATE_SYNTAX);
    CHECK(evaluate("x / 0", arena, &v, &err) == ERR_TEMPLATE_VALUE);
    CHECK_STR(err.place.file, "dag.yaml");
    CHECK_INT(err.place.column, 1);
}

TEST(json_goes_in_and_comes_out)
{
    static const char text[] =
        "{\"a\": [1, 2.5, null, true, \"\\u00e9\"], \"b\": {\"c\": -9223372036854775808}}";
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err;
    json_t *in = NULL, *out = NULL;
    REQUIRE_OK(json_parse(text, sizeof text - 1, NULL, &in, &err), &err);
    struct jinja_value v = jinja_from_json(arena, in);
    REQUIRE_OK(jinja_to_json(v, arena, &out, &err), &err);
    CHECK(json_equal(in, out));
    struct slice printed;
    REQUIRE_OK(jinja_to_text(v, arena, &printed, &err), &err);
    CHECK_STR(printed.p, "{'a': [1, 2.5, None, True, 'é'], 'b': {'c': -9223372036854775808}}");
    json_decref(in);
    json_decref(out);
    REQUIRE_OK(jinja_to_json(day_new(arena, 7), arena, &out, &err), &err);
    CHECK_STR(json_string_value(out), "day 7");
    json_decref(out);
}

TEST(mappings_keep_their_order_through_removal_and_growth)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(jinja_environment_freep) struct jinja_environment *env = strict_environment();
    struct jinja_value mapping = jinja_mapping_new(arena);
    for (int i = 0; i < 1000; i++)
        jinja_mapping_put(arena, mapping, arena_printf(arena, "k%d", i), jinja_int(i));
    jinja_mapping_put(arena, mapping, "k500", jinja_string("changed"));
    CHECK_INT((intmax_t)jinja_mapping_count(mapping), 1000);
    CHECK_STR(jinja_text(jinja_mapping_get(mapping, "k500")).p, "changed");
    CHECK(jinja_is_absent(jinja_mapping_get(mapping, "k1000")));
    struct jinja_value context = jinja_mapping_new(arena);
    jinja_mapping_put(arena, context, "m", mapping);
    CHECK_STR(render(env, arena,
                  "{% for i in range(999) %}{% if i != 7 %}{% do m.pop('k%d' % i) %}{% endif %}"
                  "{% endfor %}{% do m.update(z=1) %}{{ m }}",
                  context),
        "{'k7': 7, 'k999': 999, 'z': 1}");
}

TEST(a_template_says_what_it_needs)
{
    static const char text[] =
        "{% extends 'base.sql' %}\n{% include ['a.sql', 'b.sql'] ignore missing %}\n"
        "{% import name as m %}{% from 'lib.sql' import f %}\n"
        "{% block x %}{{ ds }} {{ params.limit }} {{ m.y }}{% endblock %}"
        "{% for i in range(3) %}{{ i }}{{ ds }}{% endfor %}";
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(jinja_environment_freep) struct jinja_environment *env = strict_environment();
    CLEANUP(jinja_template_freep) struct jinja_template *template = NULL;
    struct error err;
    REQUIRE_OK(jinja_template_parse(env, "t.sql", slice_of(text), &template, &err), &err);
    struct jinja_needs needs = jinja_template_needs(template, arena);
    REQUIRE(needs.reference_count == 5);
    CHECK(needs.references[0].kind == JINJA_EXTENDS && needs.references[0].line == 1);
    CHECK(slice_equal_str(needs.references[1].name, "a.sql"));
    CHECK(slice_equal_str(needs.references[2].name, "b.sql"));
    CHECK(needs.references[2].ignore_missing && needs.references[2].line == 2);
    CHECK(needs.references[3].kind == JINJA_IMPORT && !needs.references[3].name.p);
    CHECK(slice_equal_str(needs.references[4].name, "lib.sql"));
    struct strbuf names = {0};
    for (size_t i = 0; i < needs.name_count; i++)
        strbuf_printf(&names, "%.*s:%u:%u ", SLICE_ARG(needs.names[i].name), needs.names[i].line,
            needs.names[i].column);
    CHECK_STR(strbuf_text(&names), "name:3:11 range:4:77 ds:4:17 params:4:26 m:4:45 ");
    strbuf_done(&names);
}

struct job {
    struct jinja_environment *env;
    const struct jinja_template *template;
    int64_t number;
    bool ok;
};

static void *render_often(void *argument)
{
    struct job *job = argument;
    job->ok = true;
    for (int i = 0; i < 200; i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct jinja_value context = jinja_mapping_new(arena);
        struct jinja_result result;
        jinja_mapping_put(arena, context, "n", jinja_int(job->number));
        job->ok &= jinja_render(job->env, job->template, context, arena, &result, NULL) == OK;
        job->ok &= strcmp(result.text.p,
                       arena_printf(arena, "part 0 1 2 of %lld", (long long)job->number)) == 0;
    }
    return NULL;
}

static enum status load_part(void *user, struct slice name, struct arena *arena,
    struct jinja_text_source *ret, struct error *err)
{
    (void)user, (void)arena, (void)name, (void)err;
    ret->text = slice_of("part{% for i in range(3) %} {{ i }}{% endfor %}");
    return OK;
}

TEST(threads_share_an_environment)
{
    CLEANUP(jinja_environment_freep)
    struct jinja_environment *env =
        jinja_environment_new(&(struct jinja_options){.loader = {load_part, NULL}});
    CLEANUP(jinja_template_freep) struct jinja_template *template = NULL;
    struct error err;
    REQUIRE_OK(jinja_template_parse(
                   env, "t.sql", slice_of("{% include 'p' %} of {{ n }}"), &template, &err),
        &err);
    struct job jobs[3];
    pthread_t threads[ARRAY_SIZE(jobs)];
    for (size_t i = 0; i < ARRAY_SIZE(jobs); i++) {
        jobs[i] = (struct job){env, template, (int64_t)i, false};
        REQUIRE(pthread_create(&threads[i], NULL, render_often, &jobs[i]) == 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(jobs); i++) {
        pthread_join(threads[i], NULL);
        CHECK(jobs[i].ok);
    }
}
