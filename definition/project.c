/* Finds and loads a project. */
#include "definition/project.h"
#include <ctype.h>
#include <unistd.h>
#include "definition/limits.h"
#include "definition/report.h"
#include "definition/setting.h"

static const char *const origins[] = {
    [ORIGIN_FLAG] = "flag",
    [ORIGIN_ENVIRONMENT] = "environment",
    [ORIGIN_FILE] = "file",
    [ORIGIN_STORED] = "stored",
    [ORIGIN_DEFAULT] = "default",
};

const char *origin_name(enum origin origin)
{
    return origins[origin];
}

enum status project_find(
    const char *start_dir, struct arena *arena, const char **ret_root, struct error *err)
{
    char *start = path_absolute(arena, start_dir);
    for (char *dir = start;; dir = path_dir(arena, dir)) {
        if (file_exists(path_join(arena, dir, "dag.yaml"))) {
            *ret_root = dir;
            return OK;
        }
        if (str_equal(dir, "/") || str_equal(dir, "."))
            break;
    }
    error_set(err, ERR_PROJECT_NOT_FOUND, "there is no dag.yaml in %s or a folder above it", start);
    error_hint(err, "run `dag init` to make a project, or name one with --project DIR");
    return ERR_PROJECT_NOT_FOUND;
}

const struct setting *project_find_setting(const struct project *project, const char *name)
{
    for (size_t i = 0; i < project->setting_count; i++)
        if (str_equal(project->settings[i].name, name))
            return &project->settings[i];
    return NULL;
}

const char *settling_environment(const struct settling *s, const char *name)
{
    size_t size = strlen(name);
    for (const char *const *at = s->environ; *at; at++)
        if (strncmp(*at, name, size) == 0 && (*at)[size] == '=')
            return *at + size + 1;
    return NULL;
}

/* ---- files ---- */

const struct named_text *settling_taken(const struct settling *s, const char *name)
{
    const struct project *like = s->options->like;
    for (size_t i = 0; like && i < like->taken_count; i++)
        if (str_equal(like->taken[i].name, name))
            return &like->taken[i];
    return NULL;
}

void settling_take(struct settling *s, const char *name, struct slice text)
{
    struct named_text taken = {.name = arena_strdup(s->arena, name)};
    taken.text.value = arena_strndup(s->arena, text.p, text.size);
    vec_push(&s->taken, taken);
}

enum status settling_file(
    struct settling *s, const char *name, size_t size_max, struct slice *ret, struct error *err)
{
    if (s->options->like) {
        const struct named_text *taken = settling_taken(s, name);
        if (!taken)
            return error_set(err, ERR_NOT_FOUND, "there is no %s", name);
        *ret = slice_of(taken->text.value);
        settling_take(s, name, *ret);
        return OK;
    }
    const char *path = path_join(s->scratch, s->project->root, name);
    enum status status = file_read(path, size_max, s->scratch, ret, err);
    if (status == OK)
        settling_take(s, name, *ret);
    return status;
}

static enum status read_tree(
    struct settling *s, const char *name, struct yaml_node **ret, struct error *err)
{
    struct slice text;
    struct yaml_file file;
    *ret = NULL;
    enum status status = settling_file(s, name, YAML_SIZE_MAX, &text, err);
    if (status != OK)
        return status;
    /* Its mistakes are in the diagnostics. */
    if (yaml_read(name, text, s->scratch, s->diagnostics, &file) != OK && file.count == 0)
        return OK;
    struct yaml_node *tree = file.count ? file.documents[0] : NULL;
    if (file.count > 1)
        report(s->diagnostics, file.documents[1], ERR_YAML, "%s has just one document", name);
    if (tree && tree->kind == YAML_MAPPING)
        *ret = settling_expand(s, tree);
    else if (tree && tree->type != YAML_NULL)
        report(s->diagnostics, tree, ERR_VALUE_TYPE, "%s is a mapping, this is %s", name,
            yaml_describe(tree));
    return OK;
}

static enum status check_environment_name(const char *name, struct error *err)
{
    bool ok = name[0] != '\0';
    for (const char *p = name; *p; p++)
        ok &= isalnum((unsigned char)*p) || *p == '_' || *p == '-';
    if (ok)
        return OK;
    error_set(err, ERR_BAD_NAME, "`%s` cannot be the name of an environment", name);
    error_hint(err, "use letters, digits, `_` and `-`");
    return ERR_BAD_NAME;
}

static enum status read_environment_tree(
    struct settling *s, struct yaml_node **ret, struct error *err)
{
    const char *name = s->options->environment;
    *ret = NULL;
    if (!name)
        name = settling_environment(s, "DAG_ENV");
    if (!name || !name[0])
        return OK;
    enum status status = check_environment_name(name, err);
    if (status != OK)
        return status;
    s->project->environment = arena_strdup(s->arena, name);
    char *file = arena_printf(s->scratch, "dag.%s.yaml", name);
    status = read_tree(s, file, ret, err);
    if (status == ERR_NOT_FOUND) {
        error_set(err, ERR_NOT_FOUND, "there is no environment `%s`", name);
        error_hint(err, "it is what %s would say, in %s", file, s->project->root);
    }
    return status;
}

static enum status read_files(struct settling *s, struct error *err)
{
    struct yaml_node *base = NULL, *over = NULL;
    enum status status = read_tree(s, "dag.yaml", &base, err);
    if (status == ERR_NOT_FOUND && s->options->bare)
        status = OK;
    if (status == ERR_NOT_FOUND)
        return project_find(s->project->root, s->scratch, &(const char *){NULL}, err);
    if (status == OK && !(s->options->bare && !base && !s->options->environment))
        status = read_environment_tree(s, &over, err);
    if (status == OK)
        s->tree = yaml_merge(s->scratch, base, over);
    return status;
}

extern char **environ;

static enum status load(struct settling *s, struct error *err)
{
    struct diagnostics *diagnostics = s->diagnostics;
    size_t errors = diagnostics->error_count;
    enum status status = read_files(s, err);
    if (status != OK)
        return status;
    status = settling_overlay(s, err);
    if (status != OK)
        return status;
    settling_read(s);
    if (diagnostics->error_count > errors) {
        size_t count = diagnostics->error_count - errors;
        return error_set(err, ERR_DEFINITION, "the project's settings have %zu mistake%s", count,
            count == 1 ? "" : "s");
    }
    settling_list(s);
    s->project->taken = arena_memdup(s->arena, s->taken.at, s->taken.count * sizeof(*s->taken.at));
    s->project->taken_count = s->taken.count;
    return OK;
}

enum status project_load(const struct project_options *options, struct project **ret,
    struct diagnostics *diagnostics, struct error *err)
{
    struct arena *arena = arena_new();
    CLEANUP(arena_freep) struct arena *scratch = arena_new();
    struct project *project = arena_new_of(arena, struct project);
    struct settling s = {.options = options,
        .project = project,
        .arena = arena,
        .scratch = scratch,
        .diagnostics = diagnostics,
        .environ = options->environ ? options->environ : (const char *const *)environ};
    project->arena = arena;
    project->root = path_absolute(arena, options->dir);
    enum status status = load(&s, err);
    vec_done(&s.sources);
    vec_done(&s.hidden);
    vec_done(&s.taken);
    vec_done(&s.problems);
    if (status != OK) {
        project_free(project);
        return status;
    }
    *ret = project;
    return OK;
}
