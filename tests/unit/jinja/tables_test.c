/* Every filter and test has its line in docs/templates.md. */
#include "base/file.h"
#include "language/jinja/jinja.h"
#include "tests/unit/test.h"

/* Whether the page has `name` or `name(…)` in code marks. */
static bool described(const char *page, const char *name, struct arena *arena)
{
    return strstr(page, arena_printf(arena, "`%s`", name)) ||
           strstr(page, arena_printf(arena, "`%s(", name));
}

static void check_names(
    const char *page, const char *const *names, size_t count, struct arena *arena)
{
    for (size_t i = 0; i < count; i++)
        if (!CHECK(described(page, names[i], arena)))
            fprintf(stderr, "  docs/templates.md lacks %s\n", names[i]);
}

TEST(every_filter_and_test_is_described)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(jinja_environment_freep)
    struct jinja_environment *env = jinja_environment_new(&(struct jinja_options){0});
    struct error err;
    struct slice page;
    const char **names;
    REQUIRE_OK(file_read(DAG_SOURCE_DIR "/docs/templates.md", 1 << 20, arena, &page, &err), &err);
    const char *filters = strstr(page.p, "## Filters"), *tests = strstr(page.p, "## Tests");
    REQUIRE(filters && tests && filters < tests);
    char *filter_text = arena_strndup(arena, filters, (size_t)(tests - filters));
    size_t count = jinja_filter_names(env, arena, &names);
    CHECK(count > 50);
    check_names(filter_text, names, count, arena);
    count = jinja_test_names(env, arena, &names);
    CHECK(count > 35);
    check_names(tests, names, count, arena);
}
