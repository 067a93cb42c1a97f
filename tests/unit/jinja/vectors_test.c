/* The template vectors: what real Jinja2 made of the same templates, byte for byte. */
#include "base/file.h"
#include "base/json.h"
#include "language/jinja/jinja.h"
#include "tests/unit/test.h"

static json_t *load_cases(struct arena *arena)
{
    struct error err;
    struct slice text;
    json_t *json = NULL;
    REQUIRE_OK(file_read(DAG_SOURCE_DIR "/tests/vectors/templates/sql_cases.json", 16 << 20, arena,
                   &text, &err),
        &err);
    REQUIRE_OK(json_parse(text.p, text.size, "sql_cases.json", &json, &err), &err);
    return json;
}

/* A loader over a case's "files" object. */
static enum status load_file(void *user, struct slice name, struct arena *arena,
    struct jinja_text_source *ret, struct error *err)
{
    const char *key = arena_strndup(arena, name.p, name.size);
    const json_t *text = json_object_get(user, key);
    if (!text)
        return error_set(err, ERR_TEMPLATE_NOT_FOUND, "no template %s", key);
    ret->text = slice_make(json_string_value(text), json_string_length(text));
    ret->file = key;
    return OK;
}

static enum status render_case(const json_t *item, struct arena *arena, struct jinja_result *ret,
    struct error *err, struct jinja_environment **ret_env)
{
    *ret_env = jinja_environment_new(
        &(struct jinja_options){.strict = json_is_true(json_object_get(item, "strict")),
            .keep_trailing_newline = json_is_true(json_object_get(item, "keep_trailing_newline")),
            .loader = {load_file, json_object_get(item, "files")}});
    const struct jinja_template *template;
    enum status status = jinja_template_load(
        *ret_env, slice_of(json_string_value(json_object_get(item, "main"))), &template, err);
    if (!status)
        status = jinja_render(*ret_env, template,
            jinja_from_json(arena, json_object_get(item, "context")), arena, ret, err);
    return status;
}

/* Segments follow each other without gap or overlap, from the first byte to the last. */
static bool covers(const struct jinja_result *result)
{
    size_t at = 0;
    for (size_t i = 0; i < result->segment_count; i++) {
        const struct jinja_segment *s = &result->segments[i];
        if (s->offset != at || s->length == 0 || s->template >= result->source_count)
            return false;
        const struct slice *source = &result->sources[s->template].text;
        if (s->source + (s->verbatim ? s->length : 0) > source->size)
            return false;
        if (s->verbatim && memcmp(source->p + s->source, result->text.p + at, s->length) != 0)
            return false;
        at += s->length;
    }
    return at == result->text.size;
}

static void check_case(const json_t *item)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *id = json_string_value(json_object_get(item, "id"));
    const char *want = json_string_value(json_object_get(item, "status"));
    struct jinja_environment *env = NULL;
    struct jinja_result result = {0};
    struct error err = {0};
    enum status status = render_case(item, arena, &result, &err, &env);
    if (strcmp(want, "ok") == 0) {
        if (!CHECK_OK(status, &err))
            fprintf(stderr, "  in case %s: %s\n", id, err.message);
        else if (!CHECK_STR(result.text.p, json_string_value(json_object_get(item, "output"))))
            fprintf(stderr, "  in case %s\n", id);
        if (!status && !CHECK(covers(&result)))
            fprintf(stderr, "  the map of case %s\n", id);
    } else {
        CHECK(status != OK);
        bool file =
            CHECK_STR(err.place.file, json_string_value(json_object_get(item, "error_file")));
        bool line =
            CHECK_INT(err.place.line, json_integer_value(json_object_get(item, "error_line")));
        if (!file || !line)
            fprintf(stderr, "  in case %s: %s\n", id, err.message);
    }
    jinja_environment_free(env);
}

TEST(every_vector_renders_as_jinja2_did)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    json_t *json = load_cases(arena);
    const json_t *cases = json_object_get(json, "cases");
    const json_t *item;
    size_t i;
    CHECK(json_array_size(cases) == 82);
    json_array_foreach(cases, i, item) check_case(item);
    json_decref(json);
}
