#include "definition/context/render_cache.h"

#include "base/map.h"
#include "definition/context/context_data.h"
#include "definition/dagfile.h"
#include "definition/limits.h"
#include "definition/versions.h"

struct render_cache {
    const struct project *project;
    const struct dag *dag; /* whose version it is; NULL = of none */
    struct arena *arena;
    struct jinja_directory at[2];
    struct jinja_directories directories;
    struct jinja_environment *env;
    struct slice dag_text; /* read when it is needed */
    bool dag_text_read;
    struct map *inlines; /* address of a text's value → struct inline_template */
};

/* ---- where templates are found --------------------------------------------------------------- */

static const char *shown_folder(const char *folder)
{
    return str_equal(folder, ".") ? "" : folder;
}

/* A version's own files go before those that are in the project now.  What is not in its manifest
   was not known when it was loaded: its name is a template's. */
static enum status load_kept(void *user, struct slice name, struct arena *arena,
    struct jinja_text_source *ret, struct error *err)
{
    const struct render_cache *cache = user;
    const char *text = arena_strndup(arena, name.p, name.size);
    struct names paths = dagfile_template_paths(cache->project, cache->dag->file, text, arena);
    for (size_t i = 0; i < paths.count && !memchr(name.p, '\0', name.size); i++) {
        enum status status =
            versions_read(cache->project, cache->dag, paths.at[i], arena, &ret->text, err);
        ret->file = paths.at[i];
        if (status != ERR_NOT_FOUND)
            return status;
    }
    struct jinja_loader rest = jinja_directory_loader(&cache->directories);
    return rest.load(rest.user, name, arena, ret, err);
}

/* Next to the file, then the templates. */
static struct jinja_loader loader_of(struct render_cache *cache, const char *file)
{
    const struct project *project = cache->project;
    const char *folder = path_dir(cache->arena, file);
    cache->at[0] = (struct jinja_directory){
        path_join(cache->arena, project->root, folder), shown_folder(folder)};
    cache->at[1] =
        (struct jinja_directory){path_join(cache->arena, project->root, project->templates),
            shown_folder(project->templates)};
    cache->directories = (struct jinja_directories){cache->at, ARRAY_SIZE(cache->at)};
    return cache->dag && cache->dag->kept ? (struct jinja_loader){load_kept, cache}
                                          : jinja_directory_loader(&cache->directories);
}

/* ---- life ------------------------------------------------------------------------------------ */

struct render_cache *render_cache_of(
    const struct project *project, const struct dag *dag, const char *file, struct arena *arena)
{
    struct render_cache *cache = arena_new_of(arena, struct render_cache);
    *cache =
        (struct render_cache){.project = project, .dag = dag, .arena = arena, .inlines = map_new()};
    cache->env = jinja_environment_new(&(struct jinja_options){
        .strict = true,
        .loader = loader_of(cache, file),
        .undefined_hint = context_undefined_hint,
    });
    context_add_date_filters(cache->env);
    return cache;
}

struct render_cache *render_cache_new(
    const struct project *project, const struct dag *dag, struct arena *arena)
{
    return render_cache_of(project, dag, dag->file, arena);
}

void render_cache_free(struct render_cache *cache)
{
    void *parsed;
    if (!cache)
        return;
    /* Templates go before their environment. */
    for (size_t cursor = 0; map_next(cache->inlines, &cursor, NULL, &parsed);)
        jinja_template_free(
            (struct jinja_template *)(uintptr_t)((struct inline_template *)parsed)->template);
    map_free(cache->inlines);
    jinja_environment_free(cache->env);
}

/* ---- what is kept ---------------------------------------------------------------------------- */

struct jinja_environment *render_cache_environment(const struct render_cache *cache)
{
    return cache->env;
}

struct slice render_cache_dag_text(struct render_cache *cache)
{
    const struct dag *dag = cache->dag;
    struct error ignored;
    if (cache->dag_text_read)
        return cache->dag_text;
    cache->dag_text_read = true;
    const char *path = path_join(cache->arena, cache->project->root, dag->file);
    enum status status =
        dag->kept ? versions_read(
                        cache->project, dag, dag->file, cache->arena, &cache->dag_text, &ignored)
                  : file_read(path, SOURCE_SIZE_MAX, cache->arena, &cache->dag_text, &ignored);
    if (status != OK)
        cache->dag_text = (struct slice){0};
    return cache->dag_text;
}

enum status render_cache_inline(struct render_cache *cache, const char *file,
    const struct text *text, struct slice whole, const struct inline_template **ret,
    struct error *err)
{
    struct slice key = slice_make((const char *)&text->value, sizeof(text->value));
    struct inline_template *parsed = map_get_slice(cache->inlines, key);
    if (!parsed) {
        struct jinja_template *template;
        struct inline_text place = inline_find(cache->arena, file, whole, text);
        enum status status = jinja_template_parse_at(
            cache->env, file, place.line, slice_of(text->value), &template, err);
        if (status) {
            inline_move_error(&place, err);
            return status;
        }
        parsed = arena_new_of(cache->arena, struct inline_template);
        *parsed = (struct inline_template){template, place};
        map_set_slice(cache->inlines, key, parsed);
    }
    *ret = parsed;
    return OK;
}
