/* What people read when a template fails: the place, the stack, the hint; and the ceilings. */
#include <stdlib.h>
#include <unistd.h>
#include "base/file.h"
#include "language/jinja/jinja.h"
#include "tests/unit/test.h"

struct file {
    const char *name, *text;
};
static const struct file files[] = {
    {"lib.sql", "{% macro rate(a) %}\n  {{ a.total / a.count }}\n{% endmacro %}"},
    {"part.sql", "-- part\n{% from 'lib.sql' import rate %}\n\n{{ rate(row) }}"},
    {"bad.sql", "x\n{{ 1 + }}"},
    {"self.sql", "{% include 'self.sql' %}"},
    {"loop.sql", "{% extends 'loop.sql' %}"},
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
    return error_set(err, ERR_TEMPLATE_NOT_FOUND, "template '%.*s' not found", SLICE_ARG(name));
}

static void hint(void *user, struct slice name, struct error *err)
{
    (void)user;
    if (slice_equal_str(name, "yesterday_ds"))
        error_hint(err, "`yesterday_ds` is gone: use `macros.ds_add(ds, -1)`");
}

static enum status render_limited(
    const char *text, struct jinja_limits limits, struct arena *arena, struct error *err)
{
    CLEANUP(jinja_environment_freep)
    struct jinja_environment *env = jinja_environment_new(&(struct jinja_options){
        .strict = true, .loader = {load_file, NULL}, .undefined_hint = hint, .limits = limits});
    struct jinja_value context = jinja_mapping_new(arena), row = jinja_mapping_new(arena);
    struct jinja_result result;
    jinja_mapping_put(arena, row, "total", jinja_int(1));
    jinja_mapping_put(arena, row, "count", jinja_int(0));
    jinja_mapping_put(arena, context, "row", row);
    jinja_mapping_put(arena, context, "data_interval_start", jinja_int(0));
    return jinja_render_text(env, "main.sql", slice_of(text), context, arena, &result, err);
}

static enum status render(const char *text, struct arena *arena, struct error *err)
{
    return render_limited(text, (struct jinja_limits){0}, arena, err);
}

TEST(an_error_in_a_macro_shows_the_way_there)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err;
    CHECK(render("SELECT 1;\n  {% include 'part.sql' %}", arena, &err) == ERR_TEMPLATE_VALUE);
    CHECK_STR(err.message, "division by zero");
    CHECK_STR(err.place.file, "lib.sql");
    CHECK_INT(err.place.line, 2);
    CHECK_INT(err.place.column, 6);
    CHECK_STR(err.excerpt, "  {{ a.total / a.count }}");
    CHECK(strstr(err.trace, "in macro `rate` called at part.sql:4:8"));
    CHECK(strstr(err.trace, "included from main.sql:2:6"));
}

TEST(a_broken_included_file_is_named_with_its_own_line)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err;
    CHECK(render("\n{% include 'bad.sql' %}", arena, &err) == ERR_TEMPLATE_SYNTAX);
    CHECK_STR(err.place.file, "bad.sql");
    CHECK_INT(err.place.line, 2);
    CHECK(strstr(err.trace, "included from main.sql:2:4"));
}

TEST(messages_name_the_place_and_what_to_do)
{
    static const struct {
        const char *text;
        enum status status;
        uint32_t line, column;
        const char *message, *hint;
    } cases[] = {{"a\n{{ data_interval_strat }}", ERR_TEMPLATE_UNDEFINED, 2, 4,
                     "'data_interval_strat' is undefined", "did you mean `data_interval_start`?"},
        {"{{ yesterday_ds }}", ERR_TEMPLATE_UNDEFINED, 1, 4, "'yesterday_ds' is undefined",
            "`yesterday_ds` is gone: use `macros.ds_add(ds, -1)`"},
        {"{{ row.nope }}", ERR_TEMPLATE_UNDEFINED, 1, 8, "'dict object' has no attribute 'nope'",
            ""},
        {"{{ 1 | uper }}", ERR_TEMPLATE_SYNTAX, 1, 8, "no filter named 'uper'",
            "did you mean `upper`?"},
        {"{{ 1 is intger }}", ERR_TEMPLATE_SYNTAX, 1, 9, "no test named 'intger'",
            "did you mean `integer`?"},
        {"{% include 'x.sql' %}", ERR_TEMPLATE_NOT_FOUND, 1, 12, "template 'x.sql' not found", ""},
        {"{{ 'é' + 1 }}", ERR_TEMPLATE_TYPE, 1, 4, "can only concatenate str (not \"int\") to str",
            ""},
        {"{{ 9223372036854775807 + 1 }}", ERR_TEMPLATE_VALUE, 1, 4,
            "the integer result does not fit in 64 bits", ""},
        {"{{ 9223372036854775808 }}", ERR_TEMPLATE_SYNTAX, 1, 4,
            "the integer is larger than 64 bits hold", ""},
        {"x\n{% if a %}\n", ERR_TEMPLATE_SYNTAX, 2, 11,
            "unexpected end of template; it lacks `elif` or `else` or `endif`; the innermost block "
            "that needs to be closed is `if`",
            ""},
        {"{% for x in y %}{% endif %}", ERR_TEMPLATE_SYNTAX, 1, 20,
            "encountered unknown tag `endif`; looking for `endfor` or `else`; the innermost block "
            "that needs to be closed is `for`",
            ""},
        {"{{ f(1 }}", ERR_TEMPLATE_SYNTAX, 1, 8, "unexpected '}', expected ')'", ""},
        {"{{ 1 if }}", ERR_TEMPLATE_SYNTAX, 1, 9, "unexpected `}}`", ""},
        {"\xff{{ 1 }}", ERR_TEMPLATE_SYNTAX, 1, 1, "the template is not valid UTF-8", ""}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct error err;
        enum status status = render(cases[i].text, arena, &err);
        CHECK_STR(status_info(status)->name, status_info(cases[i].status)->name);
        CHECK_STR(err.message, cases[i].message);
        CHECK_STR(err.hint, cases[i].hint);
        CHECK_STR(err.place.file, "main.sql");
        CHECK_INT(err.place.line, cases[i].line);
        if (!CHECK_INT(err.place.column, cases[i].column))
            fprintf(stderr, "  of %s\n", cases[i].text);
    }
}

TEST(what_cannot_be_a_target_is_named)
{
    static const char *const cases[][2] = {{"1", "const"}, {"[a]", "list"}, {"{1: 2}", "dict"},
        {"(1, b)", "tuple"}, {"-a", "neg"}, {"+a", "pos"}, {"not a", "not"}, {"a and b", "and"},
        {"a or b", "or"}, {"a ~ b", "concat"}, {"a < b", "compare"}, {"a if b", "condexpr"},
        {"a.b", "getattr"}, {"a[1]", "getitem"}, {"a[1:]", "getitem"}, {"a()", "call"},
        {"a|e", "filter"}, {"a is odd", "test"}, {"a + b", "add"}, {"a - b", "sub"},
        {"a * b", "mul"}, {"a / b", "div"}, {"a // b", "floordiv"}, {"a % b", "mod"},
        {"a ** b", "pow"}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct error err;
        const char *text = arena_printf(arena, "{%% for (%s) in [] %%}{%% endfor %%}", cases[i][0]);
        CHECK_INT(render(text, arena, &err), ERR_TEMPLATE_SYNTAX);
        CHECK_STR(err.message, arena_printf(arena, "can't assign to '%s'", cases[i][1]));
    }
}

TEST(an_expression_over_several_lines_is_reported_where_it_begins_and_where_it_fails)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err;
    CHECK(render("a\n{{ [1,\n  row.x.y] }}", arena, &err) == ERR_TEMPLATE_UNDEFINED);
    CHECK_INT(err.place.line, 2);
    CHECK(strstr(err.trace, "line 3, column 9"));
}

TEST(each_ceiling_has_its_own_error)
{
    static const struct {
        const char *text;
        enum status status;
    } cases[] = {{"{% for i in range(1000) %}0123456789{% endfor %}", ERR_TEMPLATE_OUTPUT_LIMIT},
        {"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", ERR_TEMPLATE_DEPTH_LIMIT},
        {"{% include 'self.sql' %}", ERR_TEMPLATE_DEPTH_LIMIT},
        {"{% extends 'loop.sql' %}", ERR_TEMPLATE_DEPTH_LIMIT},
        {"{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}", ERR_TEMPLATE_DEPTH_LIMIT},
        {"{% for i in range(100000) %}{% endfor %}", ERR_TEMPLATE_LOOP_LIMIT},
        {"{% set l = [1] %}{% for i in l %}{% do l.append(i) %}{% endfor %}",
            ERR_TEMPLATE_LOOP_LIMIT},
        {"{{ range(10000000) | sum }}", ERR_TEMPLATE_STEP_LIMIT},
        {"{{ 'x' * 1000000000 }}", ERR_TEMPLATE_MEMORY_LIMIT},
        {"{{ [1] * 1000000000 }}", ERR_TEMPLATE_MEMORY_LIMIT},
        {"{{ 'x' | center(1000000000) }}", ERR_TEMPLATE_MEMORY_LIMIT},
        {"{{ ('%1000000d' % 1) | replace('', 'xxxxxxxxxxxx') }}", ERR_TEMPLATE_MEMORY_LIMIT},
        {"{{ ('a' * 1000000) | replace('a', 'b' * 1000000) }}", ERR_TEMPLATE_MEMORY_LIMIT},
        {"{{ ('a ' * 100000) | wordwrap(1, wrapstring='x' * 1000000) }}",
            ERR_TEMPLATE_MEMORY_LIMIT},
        {"{{ [1] | batch(1000000000, 'x') | list }}", ERR_TEMPLATE_MEMORY_LIMIT},
        {"{{ ([1] * 100000) | tojson('x' * 1000000) }}", ERR_TEMPLATE_MEMORY_LIMIT},
        {"{% set s = 'x' * 9000000 %}{{ s ~ s ~ s ~ s }}", ERR_TEMPLATE_MEMORY_LIMIT},
        {"{{ ['x' * 100000] * 100000 }}", ERR_TEMPLATE_OUTPUT_LIMIT},
        {"{{ (['x' * 100000] * 100000) | literal }}", ERR_TEMPLATE_MEMORY_LIMIT},
        {"{{ (['x' * 100000] * 100000) | pprint }}", ERR_TEMPLATE_MEMORY_LIMIT},
        {"{{ (['x' * 100000] * 100000) | join }}", ERR_TEMPLATE_MEMORY_LIMIT},
        {"{{ ('a,' * 4000000).split(',') | length }}", ERR_TEMPLATE_MEMORY_LIMIT},
        {"{% set ns = namespace(s='xx') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}"
         "{% endfor %}",
            ERR_TEMPLATE_MEMORY_LIMIT},
        {"{% set ns = namespace(l=[]) %}{% for i in range(500) %}{% set ns.l = [ns.l] %}"
         "{% endfor %}{{ ns.l }}",
            ERR_TEMPLATE_DEPTH_LIMIT}};
    struct jinja_limits limits = {.output_bytes = 5000,
        .memory_bytes = 10 << 20,
        .depth = 50,
        .loops = 20000,
        .steps = 1000000};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct error err;
        enum status status = render_limited(cases[i].text, limits, arena, &err);
        if (!CHECK_STR(status_info(status)->name, status_info(cases[i].status)->name))
            fprintf(stderr, "  of %s\n", cases[i].text);
        CHECK(err.place.line == 1);
    }
}

TEST(a_template_that_takes_too_long_is_ended)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct jinja_limits limits = {.duration_ms = 1, .steps = UINT64_C(1) << 40};
    struct error err;
    CHECK(render_limited("\n{{ range(1000000000) | sum }}", limits, arena, &err) ==
          ERR_TEMPLATE_TIME_LIMIT);
    CHECK_STR(err.message, "the template took longer than 1 ms");
    CHECK_INT(err.place.line, 2);
}

TEST(deep_nesting_of_the_source_is_an_error_and_no_crash)
{
    static const struct {
        const char *open, *close;
    } cases[] = {{"(", ")"}, {"[", "]"}, {"{1:", "}"}, {"-", ""}, {"not ", ""}, {"f(", ")"},
        {"a[", "]"}, {"1 if 1 else ", ""}, {"1 + ", ""}, {"1 ** ", ""}, {"x.", ""}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct strbuf text = {0};
        struct error err;
        strbuf_add_str(&text, "{{ ");
        for (int k = 0; k < 20000; k++)
            strbuf_add_str(&text, cases[i].open);
        strbuf_add_str(&text, "x");
        for (int k = 0; k < 20000; k++)
            strbuf_add_str(&text, cases[i].close);
        strbuf_add_str(&text, " }}");
        enum status status = render(strbuf_text(&text), arena, &err);
        if (!CHECK(status == ERR_TEMPLATE_DEPTH_LIMIT))
            fprintf(stderr, "  of %s: %s\n", cases[i].open, err.message);
        strbuf_done(&text);
    }
}

static void write_text(const char *dir, const char *name, const char *text)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err;
    REQUIRE_OK(file_write(path_join(arena, dir, name), slice_of(text), 0644, false, &err), &err);
}

TEST(the_directory_loader_stays_inside_its_directories)
{
    char base[] = "/tmp/jinja-loader-XXXXXX";
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err;
    REQUIRE(mkdtemp(base));
    const char *one = path_join(arena, base, "one"), *two = path_join(arena, base, "two");
    REQUIRE_OK(dir_make(path_join(arena, one, "sub"), false, &err), &err);
    REQUIRE_OK(dir_make(two, false, &err), &err);
    write_text(base, "secret.sql", "secret");
    write_text(one, "sub/a.sql", "one {{ 1 }}");
    write_text(two, "b.sql", "two");
    REQUIRE(symlink("../secret.sql", path_join(arena, one, "link.sql")) == 0);
    REQUIRE(symlink("..", path_join(arena, one, "up")) == 0);
    REQUIRE(symlink("sub", path_join(arena, one, "same")) == 0);
    const struct jinja_directory at[] = {{one, "dags"}, {two, NULL}};
    const struct jinja_directories directories = {at, 2};
    CLEANUP(jinja_environment_freep)
    struct jinja_environment *env = jinja_environment_new(
        &(struct jinja_options){.loader = jinja_directory_loader(&directories)});
    static const char *const refused[] = {"../secret.sql", "sub/../../secret.sql", "link.sql", "",
        "/etc/passwd", "sub", "nope.sql", ".", "up/secret.sql", "same", "sub/a.sql/",
        "sub/a.sql/b"};
    const struct jinja_template *template = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        if (!CHECK(jinja_template_load(env, slice_of(refused[i]), &template, &err) ==
                   ERR_TEMPLATE_NOT_FOUND))
            fprintf(stderr, "  for %s\n", refused[i]);
    CHECK_OK(jinja_template_load(env, slice_of("sub/a.sql"), &template, &err), &err);
    CHECK_STR(jinja_template_file(template), "dags/sub/a.sql");
    CHECK_OK(jinja_template_load(env, slice_of("b.sql"), &template, &err), &err);
    CHECK_STR(jinja_template_file(template), path_join(arena, two, "b.sql"));
    CHECK_OK(jinja_template_load(env, slice_of("same/a.sql"), &template, &err), &err);
    CHECK_STR(jinja_template_file(template), "dags/same/a.sql");
    unlink(path_join(arena, one, "link.sql"));
    unlink(path_join(arena, one, "up"));
    unlink(path_join(arena, one, "same"));
    unlink(path_join(arena, one, "sub/a.sql"));
    unlink(path_join(arena, two, "b.sql"));
    unlink(path_join(arena, base, "secret.sql"));
    rmdir(path_join(arena, one, "sub"));
    rmdir(one);
    rmdir(two);
    CHECK(rmdir(base) == 0);
}
