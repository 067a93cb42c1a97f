/*
 * Renders many cases in one process, for the tests that compare with Jinja2: reads one case a line
 * as JSON, {"files": {name: text}, "context": {…}, and any of "strict", "keep", "trim", "lstrip",
 * "autoescape": true}, renders the file "main" (or that of "main"), and writes one line: {"out":
 * text} or
 * {"error": message, "file": …, "line": …}.  real_jinja.py does the same with Jinja2.
 */
#include <stdio.h>
#include <stdlib.h>
#include "base/json.h"
#include "language/jinja/jinja.h"

static enum status load_file(void *user, struct slice name, struct arena *arena,
    struct jinja_text_source *ret, struct error *err)
{
    const char *key = arena_strndup(arena, name.p, name.size);
    const json_t *text = json_object_get(user, key);
    if (!text)
        return error_set(err, ERR_TEMPLATE_NOT_FOUND, "there is no template %s", key);
    ret->text = slice_make(json_string_value(text), json_string_length(text));
    ret->file = key;
    return OK;
}

static bool option(const json_t *item, const char *name)
{
    return json_is_true(json_object_get(item, name));
}

static json_t *answer_of_error(const struct error *err)
{
    json_t *answer = json_object();
    json_object_set_new(answer, "error", json_string(err->message));
    json_object_set_new(answer, "file", json_string(err->place.file));
    json_object_set_new(answer, "line", json_integer(err->place.line));
    return answer;
}

static json_t *render_case(const json_t *item, struct arena *arena)
{
    struct jinja_environment *env =
        jinja_environment_new(&(struct jinja_options){.strict = option(item, "strict"),
            .keep_trailing_newline = option(item, "keep"),
            .trim_blocks = option(item, "trim"),
            .lstrip_blocks = option(item, "lstrip"),
            .autoescape = option(item, "autoescape"),
            .loader = {load_file, json_object_get(item, "files")}});
    struct error err = {0};
    const struct jinja_template *template = NULL;
    struct jinja_result result = {0};
    const char *main = json_string_value(json_object_get(item, "main"));
    enum status status = jinja_template_load(env, slice_of(main ? main : "main"), &template, &err);
    if (!status) {
        struct jinja_value context = jinja_from_json(arena, json_object_get(item, "context"));
        status = jinja_render(env, template, context, arena, &result, &err);
    }
    json_t *answer = status ? answer_of_error(&err) : json_object();
    if (!status)
        json_object_set_new(answer, "out", json_stringn(result.text.p, result.text.size));
    jinja_environment_free(env);
    return answer;
}

static bool answer_line(const char *line, size_t size)
{
    json_error_t wrong;
    json_t *item = json_loadb(line, size, JSON_ALLOW_NUL, &wrong);
    if (!item) {
        fprintf(stderr, "render_many: not JSON: %s\n", wrong.text);
        return false;
    }
    struct arena *arena = arena_new();
    json_t *answer = render_case(item, arena);
    json_dumpf(answer, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(answer);
    json_decref(item);
    arena_free(arena);
    return true;
}

int main(void)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    bool good = true;
    while (good && (size = getline(&line, &capacity, stdin)) > 0)
        good = answer_line(line, (size_t)size);
    free(line);
    return good ? 0 : 2;
}
