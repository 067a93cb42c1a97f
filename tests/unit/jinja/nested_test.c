/* Values that hold themselves, and values nested deep: told as Jinja2 tells them, or an error. */
#include "language/jinja/jinja.h"
#include "tests/unit/test.h"

static enum status render(
    const char *text, struct arena *arena, struct jinja_result *ret, struct error *err)
{
    CLEANUP(jinja_environment_freep)
    struct jinja_environment *env = jinja_environment_new(&(struct jinja_options){0});
    return jinja_render_text(
        env, "main.sql", slice_of(text), jinja_mapping_new(arena), arena, ret, err);
}

TEST(what_holds_itself_is_told_by_its_outside)
{
    static const char *const cases[][2] = {
        {"{% set x = [1] %}{% do x.append(x) %}{{ x }}", "[1, [...]]"},
        {"{% set x = {} %}{% do x.update(a=x) %}{{ x }}", "{'a': {...}}"},
        {"{% set x = [] %}{% do x.append((x,)) %}{{ x }} {{ x[0] }}", "[([...],)] ([(...)],)"},
        {"{% set ns = namespace(a=1) %}{% set ns.a = ns, 3 %}{{ ns }}|{{ ns.a }}",
            "<Namespace {'a': (<Namespace {...}>, 3)}>|(<Namespace {'a': (...)}>, 3)"},
        {"{% set x = {} %}{% do x.update(a=x.values()) %}{{ x }}|{{ x.a }}",
            "{'a': dict_values([...])}|dict_values([...])"},
        {"{% set x = {} %}{% do x.update(a=x.items()) %}{{ x.a }}", "dict_items([('a', ...)])"},
        {"{% set x = {} %}{% do x.update(a=x.items()) %}{{ '%s' % x.a }}{{ x.a|string }}",
            "dict_items([('a', ...)])dict_items([('a', ...)])"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct jinja_result result;
        struct error err;
        REQUIRE_OK(render(cases[i][0], arena, &result, &err), &err);
        CHECK_STR(result.text.p, cases[i][1]);
    }
}

TEST(what_is_nested_too_deep_is_an_error_wherever_the_nesting_is)
{
    static const char *const cases[] = {
        "{% set ns = namespace(x=1) %}{% for i in range(200) %}{% set ns.x = [ns.x] %}{% endfor %}"
        "{{ ns }}",
        "{% set ns = namespace(x=1) %}{% for i in range(200) %}{% set ns.x = namespace(x=ns.x) %}"
        "{% endfor %}{{ ns }}",
        "{% set ns = namespace(x=1) %}{% for i in range(200) %}{% set ns.x = {'a': ns.x}.values() "
        "%}{% endfor %}{{ ns.x }}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct jinja_result result;
        struct error err;
        CHECK_INT(render(cases[i], arena, &result, &err), ERR_TEMPLATE_DEPTH_LIMIT);
        /* What was being written when it failed is forgotten. */
        CHECK_INT(render("{{ [1, [2]] }}", arena, &result, &err), OK);
        CHECK_STR(result.text.p, "[1, [2]]");
    }
}
