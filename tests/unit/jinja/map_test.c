/* The source map, the marks it carries, and what is masked. */
#include "language/jinja/jinja.h"
#include "tests/unit/test.h"

struct file {
    const char *name, *text;
};

static const struct file files[] = {
    {"main.sql", "-- start\n{% from 'lib.sql' import cast %}\nSELECT {{ cast('a') }},\n"
                 "  {% include 'part.sql' %}\n{% set where %}x = {{ n }}{% endset %}WHERE "
                 "{{ where }}\n"},
    {"lib.sql", "\n{% macro cast(c) -%}\nCAST({{ c }} AS int)\n{%- endmacro %}"},
    {"part.sql", "{{ n + 1 }} AS é, {{ n }}"},
    {"child.sql", "{% extends 'base.sql' %}{% block body %}[{{ super() }}]{% endblock %}"},
    {"base.sql", "a\n{% block body %}base{% endblock %}\nz"},
};

static enum status load_file(void *user, struct slice name, struct arena *arena,
    struct jinja_text_source *ret, struct error *err)
{
    (void)user, (void)arena;
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        if (slice_equal_str(name, files[i].name)) {
            ret->text = slice_of(files[i].text);
            ret->file = files[i].name;
            return OK;
        }
    }
    return error_set(err, ERR_TEMPLATE_NOT_FOUND, "no such template");
}

static struct jinja_environment *environment(void)
{
    return jinja_environment_new(
        &(struct jinja_options){.strict = true, .loader = {load_file, NULL}});
}

static struct jinja_result render_file(struct jinja_environment *env, const char *name,
    struct jinja_value context, struct arena *arena)
{
    const struct jinja_template *template;
    struct jinja_result result = {0};
    struct error err;
    REQUIRE_OK(jinja_template_load(env, slice_of(name), &template, &err), &err);
    REQUIRE_OK(jinja_render(env, template, context, arena, &result, &err), &err);
    return result;
}

/* "file:line:column" of where `what` in the rendered text came from. */
static const char *origin_of(
    const struct jinja_result *result, const char *what, struct arena *arena)
{
    struct jinja_origin origin;
    const char *at = strstr(result->text.p, what);
    if (!at || !jinja_map_find(result, (size_t)(at - result->text.p), &origin))
        return "nowhere";
    return arena_printf(arena, "%s:%u:%u", origin.file, origin.line, origin.column);
}

TEST(each_byte_leads_to_its_place_through_macros_and_includes)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(jinja_environment_freep) struct jinja_environment *env = environment();
    struct jinja_value context = jinja_mapping_new(arena);
    jinja_mapping_put(arena, context, "n", jinja_int(70));
    struct jinja_result r = render_file(env, "main.sql", context, arena);
    CHECK_STR(r.text.p, "-- start\n\nSELECT CAST(a AS int),\n  71 AS é, 70\nWHERE x = 70");
    CHECK_STR(origin_of(&r, "start", arena), "main.sql:1:4");
    CHECK_STR(origin_of(&r, "SELECT", arena), "main.sql:3:1");
    CHECK_STR(origin_of(&r, "CAST", arena), "lib.sql:3:1");
    CHECK_STR(origin_of(&r, "a AS", arena), "lib.sql:3:9");
    CHECK_STR(origin_of(&r, "S int", arena), "lib.sql:3:15");
    CHECK_STR(origin_of(&r, "71", arena), "part.sql:1:4");
    CHECK_STR(origin_of(&r, ", 70", arena), "part.sql:1:17");
    CHECK_STR(origin_of(&r, "WHERE", arena), "main.sql:5:39");
    CHECK_STR(origin_of(&r, "x = 70", arena), "main.sql:5:16");
    CHECK_STR(origin_of(&r, "70\nWHERE", arena), "part.sql:1:22");
    struct jinja_origin origin;
    CHECK(!jinja_map_find(&r, r.text.size, &origin));
}

TEST(blocks_lead_to_the_template_that_wrote_them)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(jinja_environment_freep) struct jinja_environment *env = environment();
    struct jinja_result r = render_file(env, "child.sql", jinja_mapping_new(arena), arena);
    CHECK_STR(r.text.p, "a\n[base]\nz");
    CHECK_STR(origin_of(&r, "a\n", arena), "base.sql:1:1");
    CHECK_STR(origin_of(&r, "[", arena), "child.sql:1:41");
    CHECK_STR(origin_of(&r, "base", arena), "base.sql:2:17");
    CHECK_STR(origin_of(&r, "z", arena), "base.sql:3:1");
}

TEST(text_inside_a_larger_file_counts_its_lines)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(jinja_environment_freep) struct jinja_environment *env = environment();
    CLEANUP(jinja_template_freep) struct jinja_template *template = NULL;
    struct error err;
    struct jinja_result r;
    REQUIRE_OK(jinja_template_parse_at(
                   env, "dag.yaml", 40, slice_of("a\nb {{ 1 }}\n{{ x }}"), &template, &err),
        &err);
    CHECK(jinja_render(env, template, jinja_mapping_new(arena), arena, &r, &err) ==
          ERR_TEMPLATE_UNDEFINED);
    CHECK_STR(err.place.file, "dag.yaml");
    CHECK_INT(err.place.line, 42);
    CHECK_STR(err.excerpt, "{{ x }}");
    struct jinja_value context = jinja_mapping_new(arena);
    jinja_mapping_put(arena, context, "x", jinja_int(5));
    REQUIRE_OK(jinja_render(env, template, context, arena, &r, &err), &err);
    CHECK_STR(origin_of(&r, "1", arena), "dag.yaml:41:6");
}

/* The rendered text with marked stretches in brackets: u untrusted, s secret, b bound. */
static const char *marked(const char *text, struct arena *arena)
{
    CLEANUP(jinja_environment_freep) struct jinja_environment *env = environment();
    struct jinja_value context = jinja_mapping_new(arena);
    struct jinja_value params = jinja_mapping_new(arena), list = jinja_list_new(arena, 2);
    jinja_mapping_put(arena, params, "name", jinja_string("o'x"));
    jinja_mapping_put(arena, params, "n", jinja_int(7));
    jinja_list_add(arena, list, jinja_mark(jinja_string("pw"), JINJA_SECRET));
    jinja_list_add(arena, list, jinja_string("open"));
    jinja_mapping_put(arena, context, "params", jinja_mark(params, JINJA_UNTRUSTED));
    jinja_mapping_put(arena, context, "pw", jinja_mark(jinja_string("secret"), JINJA_SECRET));
    jinja_mapping_put(arena, context, "list", list);
    struct jinja_result r;
    struct error err;
    if (jinja_render_text(env, "t.sql", slice_of(text), context, arena, &r, &err))
        return arena_printf(arena, "error: %s", err.message);
    struct strbuf out = {0};
    unsigned before = 0;
    for (size_t i = 0; i < r.segment_count; i++) {
        const struct jinja_segment *s = &r.segments[i];
        if (s->marks != before && before)
            strbuf_add_char(&out, ']');
        if (s->marks != before && s->marks)
            strbuf_printf(&out, "[%s%s%s:", s->marks & JINJA_UNTRUSTED ? "u" : "",
                s->marks & JINJA_SECRET ? "s" : "", s->marks & JINJA_BOUND ? "b" : "");
        before = s->marks;
        strbuf_add(&out, r.text.p + s->offset, s->length);
    }
    strbuf_add_str(&out, before ? "]" : "");
    const char *kept = strbuf_to_arena(&out, arena);
    strbuf_done(&out);
    return kept;
}

TEST(marks_stay_with_values_through_every_operation)
{
    static const struct {
        const char *text, *want;
    } cases[] = {{"a {{ params.name }} b", "a [u:o'x] b"}, {"{{ params['n'] + 1 }}", "[u:8]"},
        {"{{ 'a' ~ pw ~ 'b' }}", "a[s:secret]b"}, {"{{ 'a' + pw + 'b' }}", "a[s:secret]b"},
        {"{{ pw | upper }}", "[s:SECRET]"}, {"{{ pw[1:3] }}{{ pw[0] }}", "[s:ecs]"},
        {"{{ ('<' ~ pw ~ '>')[0:4] }}", "<[s:sec]"}, {"{{ list | join('-') }}", "[s:pw]-open"},
        {"{{ list }}", "[s:['pw', 'open']]"}, {"{{ list | tojson }}", "[s:[\"pw\", \"open\"]]"},
        {"{{ [pw, 1] ~ '' }}", "[s:['secret', 1]]"}, {"{{ 'x=%s;' % pw }}", "x=[s:secret];"},
        {"{% set x %}a{{ pw }}b{% endset %}{{ x }}", "a[s:secret]b"},
        {"{% macro m(v) %}<{{ v }}>{% endmacro %}{{ m(pw) }}{{ m(1) }}", "<[s:secret]><1>"},
        {"{% for k, v in params.items() %}{{ v }},{% endfor %}", "[u:o'x],[u:7],"},
        {"{{ params.name | replace('x', pw) }}", "[u:o'][s:secret]"},
        {"{{ pw | default('x') }}{{ nope | default(pw) }}", "[s:secretsecret]"},
        {"{{ params.name if params.n else 1 }}", "[u:o'x]"}, {"{{ pw | length }}", "[s:6]"},
        {"{{ {'a': pw} | items | list }}", "[s:[('a', 'secret')]]"},
        {"{{ (params.name ~ 'z') | indent(2, true) }}", "  [u:o'x]z"},
        {"{{ [pw] | map('upper') | first }}", "[s:SECRET]"},
        {"{{ params.name | literal }}", "'o''x'"}, {"{{ params.name | identifier }}", "\"o'x\""},
        {"{{ params.name | bind }}", "[b:'o''x']"}, {"{{ pw | literal }}", "[s:'secret']"},
        {"{{ list | literal }}", "[s:ARRAY['pw', 'open']]"}, {"{{ pw | bind }}", "[sb:'secret']"}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        if (!CHECK_STR(marked(cases[i].text, arena), cases[i].want))
            fprintf(stderr, "  of %s\n", cases[i].text);
    }
}

TEST(secrets_are_masked_in_what_is_stored)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(jinja_environment_freep) struct jinja_environment *env = environment();
    struct jinja_value context = jinja_mapping_new(arena);
    struct jinja_result r;
    struct error err;
    jinja_mapping_put(arena, context, "pw", jinja_mark(jinja_string("hush"), JINJA_SECRET));
    REQUIRE_OK(jinja_render_text(env, "t.sql",
                   slice_of("ALTER ROLE a PASSWORD '{{ pw }}'; -- {{ pw | upper }}"), context,
                   arena, &r, &err),
        &err);
    CHECK_STR(
        jinja_masked_text(&r, JINJA_SECRET, "***", arena).p, "ALTER ROLE a PASSWORD '***'; -- ***");
    /* The map goes along. */
    struct jinja_result shown = jinja_masked(&r, JINJA_SECRET, "***", arena);
    struct jinja_origin origin;
    CHECK_INT(shown.segment_count, r.segment_count);
    CHECK(jinja_map_find(&shown, strlen("ALTER ROLE a PASSWORD '***"), &origin));
    CHECK_INT(origin.column, strlen("ALTER ROLE a PASSWORD '{{ pw }}") + 1);
    CHECK(jinja_map_find(&shown, shown.text.size - 1, &origin));
    CHECK_INT(origin.marks, JINJA_SECRET);
    CHECK(!jinja_map_find(&shown, shown.text.size, &origin));
    shown = jinja_masked(&r, JINJA_UNTRUSTED, "***", arena);
    CHECK_STR(shown.text.p, r.text.p);
}
