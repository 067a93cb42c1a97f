#include "definition/templates.h"
#include "base/map.h"
#include "base/vec.h"
#include "definition/dagfile.h"
#include "definition/limits.h"

struct template_walk {
    const struct project *project;
    struct sources *sources;
    const char *file;
    struct slice file_text;
    struct template_visitor visitor;
    struct arena *arena;
    struct jinja_environment *env;
    struct map *seen; /* names of templates that were visited or are missing */
};

struct names dagfile_template_paths(
    const struct project *project, const char *dag_file, const char *name, struct arena *arena)
{
    const char **paths = arena_array(arena, const char *, 2);
    if (!path_is_inside(name))
        return (struct names){paths, 0};
    paths[0] = path_join(arena, path_dir(arena, dag_file), name);
    paths[1] = path_join(arena, project->templates, name);
    return (struct names){paths, 2};
}

static enum status not_found(
    struct template_walk *walk, const char *name, const struct names *paths, struct error *err)
{
    error_set(err, ERR_TEMPLATE_NOT_FOUND, "there is no template `%s`", name);
    struct strbuf places = {0};
    for (size_t i = 0; i < paths->count; i++)
        strbuf_printf(&places, "%s%s", i ? ", " : "", paths->at[i]);
    if (paths->count)
        error_hint(err, "looked for %s", places.text);
    else
        error_hint(err, "templates are named relative to the DAG file's folder or to `%s`",
            walk->project->templates);
    strbuf_done(&places);
    return ERR_TEMPLATE_NOT_FOUND;
}

static enum status find(
    struct template_walk *walk, const char *name, const struct source **ret, struct error *err)
{
    struct names paths = dagfile_template_paths(walk->project, walk->file, name, walk->arena);
    for (size_t i = 0; i < paths.count; i++) {
        enum status status = sources_read(walk->sources, paths.at[i], ret, err);
        if (status != OK || !(*ret)->missing)
            return status;
    }
    return not_found(walk, name, &paths, err);
}

/* Filters that templates of tasks have besides Jinja's (definition/context gives them a meaning).
 */
static enum status pass_through(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    (void)err;
    *ret = call->arg_count ? call->args[0] : jinja_none();
    return OK;
}

struct template_walk *template_walk_new(const struct project *project, struct sources *sources,
    const char *file, struct slice file_text, const struct template_visitor *visitor)
{
    static const char *const filters[] = {
        "ds", "ds_nodash", "ts", "ts_nodash", "ts_nodash_with_tz"};
    struct template_walk *walk = mem_alloc_zero(1, sizeof(*walk));
    *walk = (struct template_walk){.project = project,
        .sources = sources,
        .file = file,
        .file_text = file_text,
        .visitor = *visitor,
        .arena = arena_new(),
        .env = jinja_environment_new(&(struct jinja_options){.strict = true}),
        .seen = map_new()};
    for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
        jinja_add_filter(walk->env, filters[i], pass_through, NULL);
    return walk;
}

void template_walk_free(struct template_walk *walk)
{
    if (!walk)
        return;
    jinja_environment_free(walk->env);
    map_free(walk->seen);
    arena_free(walk->arena);
    mem_free(walk);
}

static void tell_problem(struct template_walk *walk, const struct error *error)
{
    if (walk->visitor.problem)
        walk->visitor.problem(walk->visitor.user, error);
}

static void visit_file(struct template_walk *walk, const struct source *source);

/* A template that another one refers to; `from` is the place of that. */
static void visit_reference(struct template_walk *walk, const struct jinja_reference *reference,
    const char *file, struct slice file_text, const struct text *text)
{
    if (!reference->name.p)
        return; /* computed while rendering */
    char *name = arena_strndup(walk->arena, reference->name.p, reference->name.size);
    const struct source *source = NULL;
    struct error error;
    if (find(walk, name, &source, &error) == OK) {
        visit_file(walk, source);
        return;
    }
    if (error.status == ERR_TEMPLATE_NOT_FOUND && reference->ignore_missing)
        return;
    error.place.line = reference->line;
    error.place.column = reference->column;
    if (text)
        text_place_error(text, file, file_text, &error);
    else {
        struct slice rest = file_text;
        for (uint32_t line = 1; line < reference->line && rest.size; line++) {
            size_t skip = 0;
            while (skip < rest.size && rest.p[skip] != '\n')
                skip++;
            skip += skip < rest.size;
            rest = slice_make(rest.p + skip, rest.size - skip);
        }
        char *line = arena_strndup(walk->arena, rest.p, rest.size);
        error_place(&error, file, reference->line, reference->column, line);
    }
    tell_problem(walk, &error);
}

static void visit_template(struct template_walk *walk, const struct jinja_template *template,
    const struct text *text, const struct source *source)
{
    if (walk->visitor.parsed)
        walk->visitor.parsed(walk->visitor.user, template, text, source);
    struct jinja_needs needs = jinja_template_needs(template, walk->arena);
    for (size_t i = 0; i < needs.reference_count; i++)
        visit_reference(walk, &needs.references[i], source ? source->shown : walk->file,
            source ? source->text : walk->file_text, text);
}

static void visit_file(struct template_walk *walk, const struct source *source)
{
    struct error error;
    struct jinja_template *template;
    if (map_set(walk->seen, source->path, walk) || map_count(walk->seen) > MANIFEST_FILES_MAX)
        return;
    if (walk->visitor.file)
        walk->visitor.file(walk->visitor.user, source);
    if (jinja_template_parse(walk->env, source->shown, source->text, &template, &error) != OK) {
        tell_problem(walk, &error);
        return;
    }
    visit_template(walk, template, NULL, source);
    jinja_template_free(template);
}

void text_place_error(
    const struct text *text, const char *file, struct slice file_text, struct error *err)
{
    uint32_t line = err->place.line, column = err->place.column;
    if (!text->exact || line == 0) {
        line = text->line;
        column = text->column;
    } else if (line == text->line)
        column += text->column - 1;
    else
        column += text->indent;
    size_t at = 0;
    for (uint32_t i = 1; i < line && at < file_text.size; at++)
        i += file_text.p[at] == '\n';
    error_at(err, file, file_text.p, file_text.size, at);
    err->place.line = line;
    err->place.column = column;
}

static void visit_text(struct template_walk *walk, const struct text *text)
{
    struct error error;
    struct jinja_template *template;
    if (!text->value || !strchr(text->value, '{'))
        return;
    if (jinja_template_parse_at(
            walk->env, walk->file, text->line, slice_of(text->value), &template, &error) != OK) {
        text_place_error(text, walk->file, walk->file_text, &error);
        tell_problem(walk, &error);
        return;
    }
    visit_template(walk, template, text, NULL);
    jinja_template_free(template);
}

static void visit_path(struct template_walk *walk, const struct text *text)
{
    const struct source *source;
    struct error error;
    if (strstr(text->value, "{{")) {
        visit_text(walk, text);
        return;
    }
    if (find(walk, text->value, &source, &error) == OK) {
        visit_file(walk, source);
        return;
    }
    error.place.line = 0;
    text_place_error(text, walk->file, walk->file_text, &error);
    tell_problem(walk, &error);
}

static void visit_texts(struct template_walk *walk, const struct texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        visit_text(walk, &texts->at[i]);
}

static void visit_named(struct template_walk *walk, const struct named_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        visit_text(walk, &texts->at[i].text);
}

/* Texts in a value of the DAG file. */
static void visit_json(struct template_walk *walk, const json_t *value, uint32_t line)
{
    struct text text = {.value = json_string_value(value), .line = line};
    visit_text(walk, &text);
    for (size_t i = 0; i < json_array_size(value); i++)
        visit_json(walk, json_array_get(value, i), line);
    for (void *at = json_object_iter((json_t *)value); at;
         at = json_object_iter_next((json_t *)value, at))
        visit_json(walk, json_object_iter_value(at), line);
}

static void visit_expand(struct template_walk *walk, const struct expand_source *source)
{
    visit_json(walk, source->values, source->line);
    if (source->is_path)
        visit_path(walk, &source->text);
    else
        visit_text(walk, &source->text);
}

static void visit_check(struct template_walk *walk, const struct sql_check *check)
{
    visit_text(walk, &check->table);
    visit_text(walk, &check->where);
    visit_json(walk, check->values, check->line);
    if (check->is_path)
        visit_path(walk, &check->condition);
    else
        visit_text(walk, &check->condition);
}

void template_walk_task(struct template_walk *walk, const struct task *task)
{
    for (size_t i = 0; i < task->expand.count; i++)
        visit_expand(walk, &task->expand.at[i]);
    if (task->sql.is_path)
        visit_path(walk, &task->sql.sql);
    else
        visit_text(walk, &task->sql.sql);
    visit_named(walk, &task->sql.settings);
    for (size_t i = 0; i < task->sql.check_count; i++)
        visit_check(walk, &task->sql.checks[i]);
    visit_text(walk, &task->decision->text);
    visit_text(walk, &task->http->url);
    visit_named(walk, &task->http->headers);
    visit_text(walk, &task->http->body);
    visit_json(walk, task->http->json, task->http->json_line);
    visit_text(walk, &task->trigger->dag_id);
    visit_text(walk, &task->trigger->logical_date);
    visit_text(walk, &task->trigger->conf);
    visit_json(walk, task->trigger->json, task->trigger->json_line);
    visit_text(walk, &task->wait->text);
    visit_text(walk, &task->wait->dag_id);
    visit_text(walk, &task->wait->task_id);
    visit_text(walk, &task->process->script);
    visit_texts(walk, &task->process->argv);
    visit_texts(walk, &task->process->args);
    visit_text(walk, &task->process->cwd);
    visit_named(walk, &task->process->env);
}
