/* Hundreds of templates, with what real Jinja2 made of them (make_cases.py). */
#include "base/file.h"
#include "base/json.h"
#include "language/jinja/jinja.h"
#include "tests/unit/test.h"

struct files {
    const json_t *files;
    const char *main;
};

static enum status load_file(void *user, struct slice name, struct arena *arena,
    struct jinja_text_source *ret, struct error *err)
{
    const struct files *files = user;
    const char *key = arena_strndup(arena, name.p, name.size);
    const char *text = strcmp(key, "main") == 0
                           ? files->main
                           : json_string_value(json_object_get(files->files, key));
    if (!text)
        return error_set(err, ERR_TEMPLATE_NOT_FOUND, "no template %s", key);
    ret->text = slice_of(text);
    ret->file = key;
    return OK;
}

static const char *member(const json_t *item, const char *key)
{
    const char *text = json_string_value(json_object_get(item, key));
    return text ? text : "";
}

static bool check_case(const json_t *item, const json_t *all)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct files files = {json_object_get(all, "files"), member(item, "template")};
    const char *options = member(item, "options");
    bool trim = strcmp(options, "trim") == 0;
    CLEANUP(jinja_environment_freep)
    struct jinja_environment *env =
        jinja_environment_new(&(struct jinja_options){.strict = strcmp(options, "strict") == 0,
            .trim_blocks = trim,
            .lstrip_blocks = trim,
            .keep_trailing_newline = strcmp(options, "keep") == 0,
            .loader = {load_file, &files}});
    const json_t *context =
        json_object_get(json_object_get(all, "contexts"), member(item, "context"));
    const struct jinja_template *template;
    struct jinja_result result = {0};
    struct error err = {0};
    enum status status = jinja_template_load(env, slice_of("main"), &template, &err);
    if (!status)
        status = jinja_render(env, template, jinja_from_json(arena, context), arena, &result, &err);
    if (json_object_get(item, "output")) {
        bool ok = CHECK_OK(status, &err);
        return ok && CHECK_STR(result.text.p, member(item, "output"));
    }
    bool ok = CHECK(status != OK);
    ok = CHECK_STR(err.place.file, member(item, "file")) && ok;
    return CHECK_INT(err.place.line, json_integer_value(json_object_get(item, "line"))) && ok;
}

TEST(templates_render_and_fail_as_in_jinja2)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct slice text;
    struct error err;
    json_t *all = NULL;
    const json_t *item;
    size_t i;
    REQUIRE_OK(file_read(DAG_SOURCE_DIR "/tests/unit/jinja/language_cases.json", 16 << 20, arena,
                   &text, &err),
        &err);
    REQUIRE_OK(json_parse(text.p, text.size, "language_cases.json", &all, &err), &err);
    const json_t *cases = json_object_get(all, "cases");
    CHECK(json_array_size(cases) > 400);
    json_array_foreach(cases, i, item) if (!check_case(item, all)) fprintf(
        stderr, "  in case %zu (%s): %s\n", i, member(item, "options"), member(item, "template"));
    json_decref(all);
}
