/*
 * Rendering for these tests: the task's fields through the template language, with the variables
 * `ds` and `secret` only.  What templates see in earnest is tested with definition/context.
 */
#include <stdio.h>

#include "base/file.h"
#include "definition/context/context.h"

struct render_target render_target_of(
    const struct project *project, const struct connection *connection)
{
    (void)project;
    return (struct render_target){.name = "default",
        .dialect = connection ? connection->dialect : DIALECT_POSTGRESQL,
        .version = "",
        .plpython = "plpython3u"};
}

const struct rendered *rendered_find(const struct rendered_task *task, const char *name)
{
    for (size_t i = 0; i < task->count; i++) {
        if (str_equal(task->fields[i].name, name))
            return &task->fields[i];
    }
    return NULL;
}

static enum status render_field(const char *name, const struct text *text, struct arena *arena,
    struct rendered *ret, struct error *err)
{
    struct jinja_options options = {.strict = true, .keep_trailing_newline = true};
    struct jinja_environment *env = jinja_environment_new(&options);
    struct jinja_value context = jinja_mapping_new(arena);
    struct jinja_value secret = jinja_string("hunter2secret");
    struct jinja_result *result = arena_new_of(arena, struct jinja_result);
    secret.marks = JINJA_SECRET;
    jinja_mapping_put(arena, context, "ds", jinja_string("2007-04-12"));
    jinja_mapping_put(arena, context, "secret", secret);
    struct jinja_template *template = NULL;
    enum status status =
        jinja_template_parse(env, "templates/t.sql", slice_of(text->value), &template, err);
    if (status == OK)
        status = jinja_render(env, template, context, arena, result, err);
    *ret = (struct rendered){.name = name, .map = result, .source = "templates/t.sql"};
    if (status == OK) {
        /* The map points into the template, which goes away with the environment. */
        struct jinja_source *sources =
            arena_memdup(arena, result->sources, result->source_count * sizeof(*result->sources));
        for (size_t i = 0; i < result->source_count; i++) {
            sources[i].file = arena_strdup(arena, sources[i].file);
            sources[i].name = arena_strdup(arena, sources[i].name);
            sources[i].text =
                slice_make(arena_strndup(arena, sources[i].text.p, sources[i].text.size),
                    sources[i].text.size);
        }
        result->sources = sources;
        ret->text = result->text;
        hash_sha256(result->text.p, result->text.size, ret->hash);
    }
    jinja_template_free(template);
    jinja_environment_free(env);
    return status;
}

enum { FIELDS_MAX = 32 };

struct fields {
    struct rendered at[FIELDS_MAX];
    size_t count;
    struct arena *arena;
    struct error *err;
};

static enum status add(struct fields *fields, const char *name, const struct text *text)
{
    if (!text->value)
        return OK;
    return render_field(arena_strdup(fields->arena, name), text, fields->arena,
        &fields->at[fields->count++], fields->err);
}

static enum status add_list(struct fields *fields, const char *name, const struct texts *texts)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < texts->count; i++)
        status = add(fields, arena_printf(fields->arena, "%s[%zu]", name, i), &texts->at[i]);
    return status;
}

static enum status add_named(
    struct fields *fields, const char *name, const struct named_texts *texts)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < texts->count; i++)
        status = add(fields, arena_printf(fields->arena, "%s.%s", name, texts->at[i].name),
            &texts->at[i].text);
    return status;
}

enum status context_render_task(const struct project *project, const struct dag *dag,
    const struct task *task, const struct run_facts *run, const struct attempt_facts *attempt,
    const struct render_target *target, struct arena *arena, struct rendered_task *ret,
    struct error *err)
{
    (void)project, (void)dag, (void)run, (void)attempt, (void)target;
    struct fields *fields = arena_new_of(arena, struct fields);
    fields->arena = arena;
    fields->err = err;
    enum status status = add(fields, "sql", &task->sql.sql);
    if (status == OK)
        status = add_named(fields, "settings", &task->sql.settings);
    if (status == OK)
        status = add(fields, task->kind == KIND_PYTHON ? "python" : "bash", &task->process.script);
    if (status == OK)
        status = add_list(fields, "argv", &task->process.argv);
    if (status == OK)
        status = add_list(fields, "args", &task->process.args);
    if (status == OK)
        status = add(fields, "cwd", &task->process.cwd);
    if (status == OK)
        status = add_named(fields, "env", &task->process.env);
    *ret = (struct rendered_task){.fields = fields->at, .count = fields->count};
    return status;
}
