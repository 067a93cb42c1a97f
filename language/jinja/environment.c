/*
 * Environments: the filters, tests and global names there are, and the templates loaded so far.
 */
#include <pthread.h>
#include <sys/stat.h>
#include "base/file.h"
#include "language/jinja/runtime.h"

struct jinja_environment {
    struct jinja_options options;
    struct arena *arena;         /* of the globals, and of what the loader gives */
    struct map *filters, *tests; /* name → struct jinja_row */
    struct jinja_layer globals;
    pthread_mutex_t lock;  /* guards `templates`, `arena` and the loader */
    struct map *templates; /* name → struct jinja_template */
};

static void set_row(struct jinja_environment *env, struct map *map, struct jinja_row row)
{
    map_set(map, row.name, arena_memdup(env->arena, &row, sizeof row));
}

static void set_rows(struct jinja_environment *env, struct map *map, const struct jinja_row *rows)
{
    for (; rows->name; rows++)
        set_row(env, map, *rows);
}

static struct jinja_limits with_defaults(struct jinja_limits limits)
{
    if (!limits.output_bytes)
        limits.output_bytes = JINJA_OUTPUT_MAX;
    if (!limits.memory_bytes)
        limits.memory_bytes = JINJA_MEMORY_MAX;
    /* Places in texts are 32-bit. */
    if (limits.output_bytes > UINT32_MAX / 2)
        limits.output_bytes = UINT32_MAX / 2;
    if (limits.memory_bytes > UINT32_MAX / 2)
        limits.memory_bytes = UINT32_MAX / 2;
    if (!limits.depth)
        limits.depth = JINJA_DEPTH_MAX;
    if (!limits.loops)
        limits.loops = JINJA_LOOPS_MAX;
    if (!limits.steps)
        limits.steps = JINJA_STEPS_MAX;
    if (!limits.duration_ms)
        limits.duration_ms = JINJA_DURATION_MAX_MS;
    return limits;
}

struct jinja_environment *jinja_environment_new(const struct jinja_options *options)
{
    static const struct jinja_row *const filters[] = {jinja_text_filters, jinja_html_filters,
        jinja_list_filters, jinja_pick_filters, jinja_number_filters, jinja_pretty_filters,
        jinja_sql_filters};
    struct jinja_environment *env = mem_alloc_zero(1, sizeof *env);
    env->options = *options;
    env->options.limits = with_defaults(options->limits);
    env->arena = arena_new();
    env->filters = map_new();
    env->tests = map_new();
    env->templates = map_new();
    env->globals.names = jinja_mapping_new(env->arena);
    pthread_mutex_init(&env->lock, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
        set_rows(env, env->filters, filters[i]);
    set_rows(env, env->tests, jinja_builtin_tests);
    for (const struct jinja_row *row = jinja_global_functions; row->name; row++)
        jinja_add_function(env, row->name, row->function, row->user);
    jinja_add_global(env, "dict", jinja_dict_type());
    return env;
}

void jinja_environment_free(struct jinja_environment *env)
{
    if (!env)
        return;
    const char *name;
    void *template;
    for (size_t cursor = 0; map_next(env->templates, &cursor, &name, &template);)
        jinja_template_free(template);
    map_free(env->templates);
    map_free(env->filters);
    map_free(env->tests);
    pthread_mutex_destroy(&env->lock);
    arena_free(env->arena);
    mem_free(env);
}

void jinja_add_filter(
    struct jinja_environment *env, const char *name, jinja_function *function, void *user)
{
    set_row(env, env->filters, (struct jinja_row){name, function, JINJA_ROW_WHEN_RENDERED, user});
}

void jinja_add_test(
    struct jinja_environment *env, const char *name, jinja_function *function, void *user)
{
    set_row(env, env->tests, (struct jinja_row){name, function, JINJA_ROW_WHEN_RENDERED, user});
}

void jinja_add_function(
    struct jinja_environment *env, const char *name, jinja_function *function, void *user)
{
    jinja_add_global(env, name, jinja_function_new(env->arena, name, function, user));
}

void jinja_add_global(struct jinja_environment *env, const char *name, struct jinja_value value)
{
    jinja_mapping_put(env->arena, env->globals.names, name, value);
}

const struct jinja_row *jinja_find_filter(
    const struct jinja_environment *env, const struct jinja_symbol *name)
{
    return map_get_slice(env->filters, name->text);
}

const struct jinja_row *jinja_find_test(
    const struct jinja_environment *env, const struct jinja_symbol *name)
{
    return map_get_slice(env->tests, name->text);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t list_names(const struct map *map, struct arena *arena, const char ***ret)
{
    const char **names = arena_array(arena, const char *, map_count(map));
    size_t count = 0;
    void *row;
    for (size_t cursor = 0; map_next(map, &cursor, &names[count], &row);)
        if (++count == map_count(map))
            break;
    qsort(names, count, sizeof *names, compare_names);
    *ret = names;
    return count;
}

size_t jinja_filter_names(
    const struct jinja_environment *env, struct arena *arena, const char ***ret)
{
    return list_names(env->filters, arena, ret);
}

size_t jinja_test_names(const struct jinja_environment *env, struct arena *arena, const char ***ret)
{
    return list_names(env->tests, arena, ret);
}

void jinja_suggest_row(
    const struct jinja_environment *env, bool is_filter, struct slice name, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char **names;
    size_t count = list_names(is_filter ? env->filters : env->tests, arena, &names);
    const char *near = suggest(arena_strndup(arena, name.p, name.size), names, count);
    if (near)
        error_hint(err, "did you mean `%s`?", near);
}

struct jinja_options jinja_environment_options(const struct jinja_environment *env)
{
    return env->options;
}

const struct jinja_options *jinja_options_of(const struct jinja_environment *env)
{
    return &env->options;
}

const struct jinja_layer *jinja_globals_of(const struct jinja_environment *env)
{
    return &env->globals;
}

static enum status load(struct jinja_environment *env, struct slice name,
    const struct jinja_template **ret, struct error *err)
{
    struct jinja_text_source source = {0};
    struct jinja_template *template;
    if (!env->options.loader.load)
        return error_set(err, ERR_TEMPLATE_NOT_FOUND, "template '%.*s' not found", SLICE_ARG(name));
    enum status status =
        env->options.loader.load(env->options.loader.user, name, env->arena, &source, err);
    if (status)
        return status;
    const char *kept = arena_strndup(env->arena, name.p, name.size);
    status =
        jinja_template_parse(env, source.file ? source.file : kept, source.text, &template, err);
    if (status)
        return status;
    template->name = kept;
    map_set_slice(env->templates, name, template);
    *ret = template;
    return OK;
}

enum status jinja_template_load(struct jinja_environment *env, struct slice name,
    const struct jinja_template **ret, struct error *err)
{
    pthread_mutex_lock(&env->lock);
    const struct jinja_template *template = map_get_slice(env->templates, name);
    enum status status = OK;
    if (template)
        *ret = template;
    else
        status = load(env, name, ret, err);
    pthread_mutex_unlock(&env->lock);
    return status;
}

/* Whether `path`, with its links followed, lies in the directory. */
static bool leads_inside(const char *directory, const char *path)
{
    char *base = realpath(directory, NULL), *real = realpath(path, NULL);
    size_t size = base ? strlen(base) : 0;
    bool inside = base && real && strncmp(real, base, size) == 0 &&
                  (real[size] == '/' || (size && base[size - 1] == '/'));
    free(base);
    free(real);
    return inside;
}

/* Whether `path`, the directory and a name without "..", is a file in the directory.  It can only
   leave it by a link, which is rare: with one the whole path is resolved. */
static bool is_file_inside(const char *directory, char *path, size_t name_at)
{
    struct stat info = {0};
    bool linked = false;
    for (size_t at = name_at; path[at]; at += path[at] == '/') {
        at += strcspn(path + at, "/");
        char rest = path[at];
        path[at] = '\0';
        bool found = lstat(path, &info) == 0;
        path[at] = rest;
        linked |= found && S_ISLNK(info.st_mode);
        if (!found || (rest && S_ISREG(info.st_mode)))
            return false;
    }
    if (linked && (!leads_inside(directory, path) || stat(path, &info) != 0))
        return false;
    return S_ISREG(info.st_mode);
}

static enum status load_from(const struct jinja_directory *directory, const char *name,
    struct arena *arena, struct jinja_text_source *ret, struct error *err)
{
    char *path = path_join(arena, directory->path, name);
    enum status status = ERR_TEMPLATE_NOT_FOUND;
    if (is_file_inside(directory->path, path, strlen(path) - strlen(name)))
        status = file_read(path, JINJA_SOURCE_MAX, arena, &ret->text, err);
    if (status == ERR_NOT_FOUND)
        return ERR_TEMPLATE_NOT_FOUND;
    if (status)
        return status;
    const char *shown = directory->shown ? directory->shown : directory->path;
    ret->file = shown[0] ? path_join(arena, shown, name) : name;
    return OK;
}

static enum status load_directories(void *user, struct slice name, struct arena *arena,
    struct jinja_text_source *ret, struct error *err)
{
    const struct jinja_directories *directories = user;
    const char *text = arena_strndup(arena, name.p, name.size);
    bool allowed = !memchr(name.p, '\0', name.size) && path_is_inside(text);
    for (size_t i = 0; allowed && i < directories->count; i++) {
        enum status status = load_from(&directories->at[i], text, arena, ret, err);
        if (status != ERR_TEMPLATE_NOT_FOUND)
            return status;
    }
    return error_set(err, ERR_TEMPLATE_NOT_FOUND, "template '%s' not found", text);
}

struct jinja_loader jinja_directory_loader(const struct jinja_directories *directories)
{
    return (struct jinja_loader){load_directories, (void *)(uintptr_t)directories};
}
