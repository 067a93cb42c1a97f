/*
 * Our side of bench/templates.py: renders the templates of some folders for a while and counts.
 *
 *     bench_templates FOLDER...
 *
 * Reads one request a line as JSON, {"template": name, "context": {…}, "mode": …, "seconds": …},
 * and writes one line: {"out": text} for the mode "text", else {"renders": …, "seconds": …}.
 * "cached": the template and all that it imports are parsed before the clock starts; "parsed":
 * every rendering has a new environment, so that it reads and parses everything anew.
 * templates_jinja.py does the same with Jinja2.
 */
#include <stdio.h>
#include "base/clock.h"
#include "base/json.h"
#include "language/jinja/jinja.h"

enum { RENDERS_BETWEEN_LOOKS = 16 };

struct bench {
    struct jinja_directories directories;
    struct jinja_environment *env; /* NULL: each rendering makes one */
    struct slice name;
    struct jinja_value context;
    struct arena *arena; /* of one rendering */
};

static struct jinja_environment *environment_new(const struct bench *bench)
{
    return jinja_environment_new(&(struct jinja_options){
        .strict = true, .loader = jinja_directory_loader(&bench->directories)});
}

static enum status render(
    struct bench *bench, struct jinja_environment *env, struct slice *ret, struct error *err)
{
    const struct jinja_template *template;
    struct jinja_result result = {0};
    arena_clear(bench->arena);
    enum status status = jinja_template_load(env, bench->name, &template, err);
    if (!status)
        status = jinja_render(env, template, bench->context, bench->arena, &result, err);
    *ret = result.text;
    return status;
}

static enum status render_once(struct bench *bench, struct slice *ret, struct error *err)
{
    if (bench->env)
        return render(bench, bench->env, ret, err);
    CLEANUP(jinja_environment_freep) struct jinja_environment *env = environment_new(bench);
    return render(bench, env, ret, err);
}

static enum status measure(
    struct bench *bench, double seconds, int64_t *ret_renders, int64_t *ret_us, struct error *err)
{
    struct slice text;
    enum status status = render_once(bench, &text, err);
    int64_t started = clock_now().mono_us;
    *ret_renders = *ret_us = 0;
    while (!status && (double)*ret_us < seconds * US_PER_SECOND) {
        for (int i = 0; !status && i < RENDERS_BETWEEN_LOOKS; i++)
            status = render_once(bench, &text, err);
        *ret_renders += RENDERS_BETWEEN_LOOKS;
        *ret_us = clock_now().mono_us - started;
    }
    return status;
}

static const char *text_of(const json_t *request, const char *key)
{
    const char *text = json_string_value(json_object_get(request, key));
    return text ? text : "";
}

static enum status answer(
    struct bench *bench, const json_t *request, json_t *ret_answer, struct error *err)
{
    const char *mode = text_of(request, "mode");
    struct slice text;
    int64_t renders, us;
    enum status status;
    if (str_equal(mode, "text")) {
        status = render_once(bench, &text, err);
        if (!status)
            json_object_set_new(ret_answer, "out", json_stringn(text.p, text.size));
        return status;
    }
    status =
        measure(bench, json_number_value(json_object_get(request, "seconds")), &renders, &us, err);
    if (!status) {
        json_object_set_new(ret_answer, "renders", json_integer(renders));
        json_object_set_new(ret_answer, "seconds", json_real((double)us / US_PER_SECOND));
    }
    return status;
}

static bool answer_line(struct bench *bench, const char *line, size_t size)
{
    json_error_t wrong;
    json_t *request = json_loadb(line, size, 0, &wrong);
    if (!request) {
        fprintf(stderr, "bench_templates: not JSON: %s\n", wrong.text);
        return false;
    }
    CLEANUP(arena_freep) struct arena *kept = arena_new();
    CLEANUP(arena_freep) struct arena *rendering = arena_new();
    CLEANUP(jinja_environment_freep) struct jinja_environment *env = NULL;
    struct error err = {0};
    if (!str_equal(text_of(request, "mode"), "parsed"))
        env = environment_new(bench);
    bench->env = env;
    bench->name = slice_of(text_of(request, "template"));
    bench->context = jinja_from_json(kept, json_object_get(request, "context"));
    bench->arena = rendering;
    json_t *found = json_object();
    enum status status = answer(bench, request, found, &err);
    if (status)
        fprintf(
            stderr, "bench_templates: %s:%u: %s\n", err.place.file, err.place.line, err.message);
    json_dumpf(found, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(found);
    json_decref(request);
    return status == OK;
}

int main(int argc, char **argv)
{
    struct jinja_directory *folders = mem_alloc_zero((size_t)argc, sizeof *folders);
    struct bench bench = {.directories = {folders, (size_t)argc - 1}};
    for (int i = 1; i < argc; i++)
        folders[i - 1] = (struct jinja_directory){argv[i], NULL};
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    bool good = true;
    while (good && (size = getline(&line, &capacity, stdin)) > 0)
        good = answer_line(&bench, line, (size_t)size);
    mem_free(line);
    mem_free(folders);
    return good ? 0 : 1;
}
