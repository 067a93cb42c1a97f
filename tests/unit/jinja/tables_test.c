/*
 * docs/templates.md says what the tables in code say: every statement, filter, test, function and
 * method is there and none that does not exist, with the parameters and defaults that it has.
 */
#include "base/file.h"
#include "base/vec.h"
#include "language/jinja/parser.h"
#include "language/jinja/runtime.h"
#include "tests/unit/test.h"

static struct arena *arena;
static struct jinja_environment *env;

static const char *page(void)
{
    struct slice text;
    struct error err;
    arena = arena_new();
    env = jinja_environment_new(&(struct jinja_options){.strict = true});
    enum status status =
        file_read(DAG_SOURCE_DIR "/docs/templates.md", 1 << 20, arena, &text, &err);
    REQUIRE_OK(status, &err);
    return arena_strndup(arena, text.p, text.size);
}

static void done(void)
{
    jinja_environment_free(env);
    arena_free(arena);
}

/* The part of the page from one line on to another. */
static const char *part(const char *text, const char *from, const char *to)
{
    const char *begin = strstr(text, from), *end = begin ? strstr(begin, to) : NULL;
    REQUIRE(begin && end);
    return arena_strndup(arena, begin, (size_t)(end - begin));
}

struct texts {
    VEC(const char *) at;
};

/* The code spans in the first cells of the tables of a part: "join(d='', attribute=none)". */
static struct texts first_cells(const char *text)
{
    struct texts spans = {0};
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *end = line[0] == '|' ? strstr(line, " | ") : NULL, *open = line;
        while (end && (open = strchr(open, '`')) && open < end) {
            size_t size = strcspn(open + 1, "`");
            vec_push(&spans.at, arena_strndup(arena, open + 1, size));
            open += size + 2;
        }
    }
    return spans;
}

static char *name_of(const char *span)
{
    return arena_strndup(arena, span, strcspn(span, "("));
}

static bool is_among(const struct texts *spans, const char *name)
{
    for (size_t i = 0; i < spans->at.count; i++)
        if (str_equal(name_of(spans->at.at[i]), name))
            return true;
    return false;
}

static bool is_in(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(names[i], name))
            return true;
    return false;
}

/* The page names these and no others. */
static void check_same(struct texts *spans, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!CHECK(is_among(spans, names[i])))
            fprintf(stderr, "  docs/templates.md lacks `%s`\n", names[i]);
    for (size_t i = 0; i < spans->at.count; i++)
        if (!CHECK(is_in(names, count, name_of(spans->at.at[i]))))
            fprintf(stderr, "  docs/templates.md has `%s`\n", spans->at.at[i]);
}

static const char *const *method_names(const struct jinja_method *methods, size_t *ret_count)
{
    size_t count = 0;
    while (methods[count].name)
        count++;
    const char **names = arena_array(arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        names[i] = methods[i].name;
    *ret_count = count;
    return names;
}

TEST(every_filter_test_and_function_is_described_and_no_other)
{
    const char *text = page(), **names;
    struct texts spans = first_cells(part(text, "## Filters", "## Tests"));
    size_t count = jinja_filter_names(env, arena, &names);
    CHECK(count > 50);
    check_same(&spans, names, count);
    vec_done(&spans.at);

    spans = first_cells(part(text, "## Tests", "## When something"));
    count = jinja_test_names(env, arena, &names);
    CHECK(count > 35);
    check_same(&spans, names, count);
    vec_done(&spans.at);

    spans = first_cells(part(text, "## Functions", "## Filters"));
    struct jinja_value globals = jinja_globals_of(env)->names, key, value;
    count = 0;
    names = arena_array(arena, const char *, jinja_mapping_count(globals));
    for (size_t at = 0; jinja_mapping_next(globals, &at, &key, &value);)
        names[count++] = arena_strndup(arena, key.text, key.size);
    CHECK(count > 5);
    check_same(&spans, names, count);
    vec_done(&spans.at);
    done();
}

TEST(every_method_is_described_and_no_other)
{
    static const struct {
        const char *from, *to;
        const struct jinja_method *methods;
    } parts[] = {{"Of texts:", "Of lists", jinja_string_methods},
        {"Of lists", "Of mappings:", jinja_list_methods},
        {"Of mappings:", "Of numbers:", jinja_mapping_methods}};
    const char *text = page();
    size_t count;
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        struct texts spans = first_cells(part(text, parts[i].from, parts[i].to));
        const char *const *names = method_names(parts[i].methods, &count);
        check_same(&spans, names, count);
        vec_done(&spans.at);
    }
    const char *tuples = part(text, "Of lists", "|"), *numbers = part(text, "Of numbers:", "## F");
    for (const struct jinja_method *m = jinja_tuple_methods; m->name; m++)
        CHECK(strstr(tuples, arena_printf(arena, "`%s`", m->name)));
    for (const struct jinja_method *m = jinja_float_methods; m->name; m++)
        CHECK(strstr(numbers, arena_printf(arena, "`%s()`", m->name)));
    for (const struct jinja_method *m = jinja_int_methods; m->name; m++)
        CHECK(strstr(numbers, arena_printf(arena, "`%s()`", m->name)));
    done();
}

static bool is_tag(const char *word)
{
    static const char *const others[] = {"elif", "else", "raw", "endraw", "endset", "tag"};
    const char *begun = str_starts(word, "end") ? word + 3 : word;
    for (size_t i = 0; i < jinja_tag_count; i++)
        if (str_equal(jinja_tags[i].tag, begun))
            return true;
    return is_in(others, ARRAY_SIZE(others), word);
}

TEST(every_statement_is_described_and_no_other)
{
    const char *text = part(page(), "# Templates", "## Where it differs");
    const char *statements = part(text, "## Statements", "## Expressions");
    for (size_t i = 0; i < jinja_tag_count; i++)
        if (!CHECK(strstr(statements, arena_printf(arena, "`{%% %s %%}`", jinja_tags[i].tag))))
            fprintf(stderr, "  docs/templates.md lacks `{%% %s %%}`\n", jinja_tags[i].tag);
    CHECK(strstr(statements, "`{% raw %}`") && strstr(statements, "`{% endraw %}`"));
    for (const char *at = text; (at = strstr(at, "{%"));) {
        at += 2 + strspn(at + 2, "-+ ");
        const char *word = arena_strndup(arena, at, strspn(at, "abcdefghijklmnopqrstuvwxyz"));
        if (!CHECK(is_tag(word)))
            fprintf(stderr, "  docs/templates.md has {%% %s %%}\n", word);
    }
    done();
}

/* ---- parameters ------------------------------------------------------------------------------ */

/* What a template gives, or why it fails. */
static const char *render(const char *text)
{
    struct jinja_value context = jinja_mapping_new(arena);
    struct jinja_result result;
    struct error err;
    jinja_mapping_put(arena, context, "value", jinja_int(1));
    enum status status = jinja_render_text(env, "t", slice_of(text), context, arena, &result, &err);
    return status ? arena_strdup(arena, err.message) : result.text.p;
}

TEST(what_a_loop_is_said_to_have_it_has)
{
    struct texts spans = first_cells(part(page(), "In a loop, `loop` has", "With `recursive`"));
    CHECK(spans.at.count >= 13);
    for (size_t i = 0; i < spans.at.count; i++) {
        const char *text = arena_printf(arena,
            "{%% for i in [1, 2, 3] %%}{%% if loop.index == 2 %%}{%% set x = %s %%}"
            "{{ x is defined }}{%% endif %%}{%% endfor %%}",
            spans.at.at[i]);
        if (!CHECK_STR(render(text), "True"))
            fprintf(stderr, "  of %s\n", spans.at.at[i]);
    }
    vec_done(&spans.at);
    done();
}

/* A parameter as the page has it: "width=4", or "old" when it must be given. */
struct parameters {
    VEC(const char *) names, defaults; /* of one that must be given: NULL */
};

/* Of "f(a, b='x, y')". */
static struct parameters parameters_of(const char *span)
{
    struct parameters parameters = {0};
    const char *at = strchr(span, '(');
    while (at && *at != ')') {
        at += 1 + strspn(at + 1, " ");
        const char *name = at, *end = at + strcspn(at, "=,)"), *value = NULL;
        at = end;
        if (*at == '=') {
            bool quoted = at[1] == '\'';
            size_t size = quoted ? 2 + strcspn(at + 2, "'") : strcspn(at + 1, ",)");
            value = arena_strndup(arena, at + 1, size);
            at += 1 + size;
        }
        vec_push(&parameters.names, arena_strndup(arena, name, (size_t)(end - name)));
        vec_push(&parameters.defaults, value);
    }
    return parameters;
}

/* The filter says the same with each default written out. */
static void check_defaults(const char *name, const struct parameters *p, const char *given)
{
    static const char *const operands[] = {"'a bb-ccc\\n<d> www.x.org 1.5 \\n'", "['b', 'A', 'a']",
        "{'b': 2, 'a': 1}", "2345.678", "[{'a': 1}, {'a': 0}]", "''", "'12'", "1250000"};
    for (size_t i = 0; i < p->names.count; i++)
        for (size_t k = 0; p->defaults.at[i] && k < ARRAY_SIZE(operands); k++) {
            const char *bare = arena_printf(arena,
                "{%% set x = %s | %s(%s) %%}{{ x if x is not "
                "iterable else x | list }}",
                operands[k], name, given);
            const char *full = arena_printf(arena,
                "{%% set x = %s | %s(%s%s=%s) %%}{{ x if x is not iterable else x | list }}",
                operands[k], name, given, p->names.at[i], p->defaults.at[i]);
            if (!CHECK_STR(render(full), render(bare)))
                fprintf(stderr, "  of %s\n", full);
        }
}

static void check_parameters(const char *name, const struct parameters *p)
{
    struct strbuf given = {0}, positional = {0};
    for (size_t i = 0; i < p->names.count; i++) {
        const char *text = arena_printf(arena, "{{ 'x' | %s(%s=1) }}", name, p->names.at[i]);
        if (!CHECK(!strstr(render(text), "unexpected keyword argument")))
            fprintf(stderr, "  docs/templates.md: `%s` has no `%s`\n", name, p->names.at[i]);
        if (!p->defaults.at[i])
            strbuf_add_str(&given, "'a', ");
        strbuf_add_str(&positional, "1, ");
    }
    const char *text = arena_printf(arena, "{{ 'x' | %s(%s1) }}", name, strbuf_text(&positional));
    const char *want = arena_printf(arena, "%s() takes at most %zu argument%s but %zu were given",
        name, p->names.count + 1, p->names.count ? "s" : "", p->names.count + 2);
    if (!CHECK_STR(render(text), want))
        fprintf(stderr, "  docs/templates.md: `%s` has more parameters\n", name);
    check_defaults(name, p, strbuf_text(&given));
    strbuf_done(&given);
    strbuf_done(&positional);
}

/* One of its rows has "…". */
static bool takes_any_number(const struct texts *spans, const char *name)
{
    for (size_t i = 0; i < spans->at.count; i++)
        if (strstr(spans->at.at[i], "…") && str_equal(name_of(spans->at.at[i]), name))
            return true;
    return false;
}

TEST(filters_have_the_parameters_and_defaults_that_are_described)
{
    struct texts spans = first_cells(part(page(), "## Filters", "## Tests"));
    size_t checked = 0;
    for (size_t i = 0; i < spans.at.count; i++) {
        if (takes_any_number(&spans, name_of(spans.at.at[i])))
            continue;
        struct parameters parameters = parameters_of(spans.at.at[i]);
        check_parameters(name_of(spans.at.at[i]), &parameters);
        vec_done(&parameters.names);
        vec_done(&parameters.defaults);
        checked++;
    }
    CHECK(checked > 45);
    vec_done(&spans.at);
    done();
}

TEST(ceilings_are_those_of_the_code)
{
    const char *text = part(page(), "### Ceilings", "## Where it differs");
    const struct {
        const char *what;
        int value;
        const char *unit;
    } rows[] = {{"text that comes out", JINJA_OUTPUT_MAX >> 20, " MiB"},
        {"values made on the way", JINJA_MEMORY_MAX >> 20, " MiB"},
        {"nested macros, includes, imports and blocks", JINJA_DEPTH_MAX, ""},
        {"rounds of all loops", JINJA_LOOPS_MAX / 1000000, ",000,000"},
        {"steps of evaluation", JINJA_STEPS_MAX / 1000000, ",000,000"},
        {"time", JINJA_DURATION_MAX_MS / 1000, " s"},
        {"nesting of brackets and tags, and of values in each other", JINJA_NESTING_MAX, ""},
        {"size of a template", JINJA_SOURCE_MAX >> 20, " MiB"}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (!CHECK(strstr(text,
                arena_printf(arena, "| %s | %d%s |", rows[i].what, rows[i].value, rows[i].unit))))
            fprintf(stderr, "  %s\n", rows[i].what);
    done();
}
