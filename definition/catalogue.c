/* The catalogue: which files changed, when to read them, and what holds afterwards. */
#include "definition/catalogue.h"
#include <sys/stat.h>
#include "base/clock.h"
#include "definition/catalogue_internal.h"
#include "definition/limits.h"

struct catalogue *catalogue_new(const struct catalogue_options *options)
{
    struct catalogue *c = mem_alloc_zero(1, sizeof(*c));
    c->options = *options;
    c->options.keep = options->keep ? mem_strdup(options->keep) : NULL;
    c->options.project = project_ref(options->project);
    if (c->options.quiet_us == 0)
        c->options.quiet_us = CATALOGUE_QUIET_MS * US_PER_MS;
    c->arena = arena_new();
    c->changed_us = INT64_MIN;
    return c;
}

void catalogue_free(struct catalogue *c)
{
    if (!c)
        return;
    vec_each (file, &c->files)
        catalogue_file_done(*file);
    vec_each (dag, &c->retired)
        dag_unref(*dag);
    vec_done(&c->files);
    vec_done(&c->all);
    vec_done(&c->retired);
    vec_done(&c->changes);
    project_free((struct project *)(uintptr_t)c->options.project);
    arena_free(c->arena);
    mem_free((char *)(uintptr_t)c->options.keep);
    mem_free(c);
}

void catalogue_set_project(struct catalogue *c, const struct project *project)
{
    const struct project *before = c->options.project;
    c->options.project = project_ref(project);
    if (before != project)
        vec_each (file, &c->files)
            (*file)->read_again |= (*file)->broken;
    project_free((struct project *)(uintptr_t)before);
}

void catalogue_file_done(struct catalogue_file *file)
{
    for (size_t i = 0; i < file->dags.count; i++)
        dag_unref(file->dags.at[i]);
    vec_done(&file->dags);
    arena_free(file->arena);
    mem_free(file->path);
    mem_free(file);
}

/* ---- looking ---- */

typedef VEC(const char *) path_list;

static enum status list_suffix(const struct catalogue *c, const char *folder, const char *suffix,
    struct arena *arena, path_list *ret, struct error *err)
{
    const char **paths;
    size_t count;
    const char *dir = path_join(arena, c->options.project->root, folder);
    enum status status = dir_list(dir, suffix, arena, &paths, &count, err);
    for (size_t i = 0; status == OK && i < count; i++)
        vec_push(ret, path_join(arena, folder, paths[i]));
    return status;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A folder that is gone as a whole was not emptied: a file system is not mounted, or a checkout is
   under way. */
static enum status check_folder(const struct catalogue *c, struct arena *arena, struct error *err)
{
    const struct project *project = c->options.project;
    const char *dags = path_join(arena, project->root, project->dags);
    const char *gone = !dir_exists(project->root)              ? project->root
                       : c->all.count > 0 && !dir_exists(dags) ? dags
                                                               : NULL;
    if (!gone)
        return OK;
    error_set(err, ERR_IO, "the folder %s is gone: what was read from it goes on", gone);
    error_hint(err, "put it back; a DAG ends with its file, all of them with an empty folder");
    return ERR_IO;
}

/* Adds how a file looks now to a fingerprint. */
static uint64_t add_looks(uint64_t print, const char *path)
{
    struct stat st;
    struct {
        uint64_t print, path, inode;
        int64_t seconds, nanoseconds, size;
    } looks = {.print = print, .path = hash_u64(path, strlen(path))};
    if (stat(path, &st) == 0) {
        looks.inode = st.st_ino;
        looks.seconds = st.st_mtim.tv_sec;
        looks.nanoseconds = st.st_mtim.tv_nsec;
        looks.size = st.st_size;
    }
    return hash_u64(&looks, sizeof(looks));
}

/* A fingerprint of all that definitions are made of: both folders, and what was read elsewhere. */
static enum status fingerprint(
    const struct catalogue *c, struct arena *arena, uint64_t *ret, struct error *err)
{
    const struct project *project = c->options.project;
    path_list paths = {0};
    enum status status = list_suffix(c, project->dags, "", arena, &paths, err);
    if (status == OK)
        status = list_suffix(c, project->templates, "", arena, &paths, err);
    uint64_t print = 0;
    vec_each (path, &paths)
        print = add_looks(print, path_join(arena, project->root, *path));
    vec_each (file, &c->files)
        for (size_t i = 0; i < (*file)->source_count; i++)
            print = add_looks(print, (*file)->sources[i].path);
    vec_done(&paths);
    *ret = print;
    return status;
}

static bool file_is_dirty(const struct catalogue_file *file)
{
    bool dirty = !file->present || file->source_count == 0 || file->read_again;
    for (size_t i = 0; !dirty && i < file->source_count; i++)
        dirty = !source_looks_same(&file->sources[i]);
    return dirty;
}

static int compare_files(const void *a, const void *b)
{
    const struct catalogue_file *x = *(struct catalogue_file *const *)a;
    const struct catalogue_file *y = *(struct catalogue_file *const *)b;
    return strcmp(x->path, y->path);
}

/* Among the first `count` files, which are sorted. */
static struct catalogue_file *find_file(const struct catalogue *c, size_t count, const char *path)
{
    const struct catalogue_file key = {.path = (char *)(uintptr_t)path}, *wanted = &key;
    struct catalogue_file *const *found = NULL;
    if (count)
        found = bsearch(&wanted, c->files.at, count, sizeof(*c->files.at), compare_files);
    return found ? *found : NULL;
}

/* Notes which files are there and which of them have to be read. */
static enum status look(struct catalogue *c, bool *ret_dirty, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct names paths;
    size_t known = c->files.count;
    enum status status = check_folder(c, arena, err);
    if (status == OK)
        status = dagfile_list(c->options.project, arena, &paths, err);
    if (status == OK) {
        vec_each (file, &c->files)
            (*file)->present = false;
        for (size_t i = 0; i < paths.count; i++) {
            struct catalogue_file *file = find_file(c, known, paths.at[i]);
            if (!file) {
                file = mem_alloc_zero(1, sizeof(*file));
                file->path = mem_strdup(paths.at[i]);
                vec_push(&c->files, file);
            }
            file->present = true;
        }
        if (c->files.count)
            qsort(c->files.at, c->files.count, sizeof(*c->files.at), compare_files);
    }
    *ret_dirty = false;
    vec_each (file, &c->files) {
        (*file)->dirty = file_is_dirty(*file);
        *ret_dirty |= (*file)->dirty;
    }
    return status;
}

/* ---- entry points ---- */

static void begin_changes(struct catalogue *c, struct catalogue_changes *ret)
{
    vec_each (dag, &c->retired)
        dag_unref(*dag);
    vec_clear(&c->retired);
    vec_clear(&c->changes);
    arena_clear(c->arena);
    *ret = (struct catalogue_changes){0};
}

enum { LOAD_ATTEMPTS_MAX = 5 };

enum status catalogue_load(struct catalogue *c, struct catalogue_changes *ret, struct error *err)
{
    bool dirty;
    begin_changes(c, ret);
    for (int attempt = 0; attempt < LOAD_ATTEMPTS_MAX; attempt++) {
        enum status status = look(c, &dirty, err);
        if (status == OK && dirty)
            status = catalogue_adopt(c, err);
        if (status == OK) {
            c->changed_us = INT64_MIN;
            *ret = (struct catalogue_changes){c->changes.at, c->changes.count};
        }
        if (status != ERR_UNSETTLED)
            return status;
    }
    return ERR_UNSETTLED;
}

enum status catalogue_poll(
    struct catalogue *c, int64_t now_us, struct catalogue_changes *ret, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    bool dirty;
    uint64_t print;
    begin_changes(c, ret);
    enum status status = look(c, &dirty, err);
    if (status == OK)
        status = fingerprint(c, arena, &print, err);
    if (status != OK)
        return status;
    if (!dirty) {
        c->changed_us = INT64_MIN;
        return OK;
    }
    if (c->changed_us == INT64_MIN || print != c->print) {
        c->changed_us = now_us;
        c->print = print;
    }
    if (now_us - c->changed_us < c->options.quiet_us)
        return OK;
    status = catalogue_adopt(c, err);
    if (status == ERR_UNSETTLED) {
        c->changed_us = now_us;
        return fingerprint(c, arena, &c->print, err);
    }
    c->changed_us = INT64_MIN;
    *ret = (struct catalogue_changes){c->changes.at, c->changes.count};
    return status;
}

int64_t catalogue_due(const struct catalogue *c)
{
    return c->changed_us == INT64_MIN ? INT64_MAX : c->changed_us + c->options.quiet_us;
}

/* ---- questions ---- */

size_t catalogue_count(const struct catalogue *c)
{
    return c->all.count;
}

const struct dag *catalogue_at(const struct catalogue *c, size_t i)
{
    return c->all.at[i];
}

const struct dag *catalogue_find(const struct catalogue *c, const char *dag_id)
{
    size_t low = 0, high = c->all.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(c->all.at[middle]->dag_id, dag_id);
        if (order == 0)
            return c->all.at[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

size_t catalogue_broken_count(const struct catalogue *c)
{
    size_t count = 0;
    vec_each (file, &c->files)
        count += (*file)->broken;
    return count;
}

struct broken_file catalogue_broken_at(const struct catalogue *c, size_t i)
{
    vec_each (file, &c->files)
        if ((*file)->broken && i-- == 0)
            return (struct broken_file){
                (*file)->path, (*file)->diagnostics, (*file)->dags.count > 0};
    return (struct broken_file){0};
}

bool catalogue_is_stale(const struct catalogue *c, const struct dag *dag)
{
    const struct catalogue_file *file = find_file(c, c->files.count, dag->file);
    return file && file->broken;
}

const struct error *catalogue_unkept(const struct catalogue *c)
{
    return c->unkept.status == OK ? NULL : &c->unkept;
}

static void add_folder(struct map *folders, struct arena *arena, const char *path)
{
    map_set(folders, path_dir(arena, path), folders);
}

struct names catalogue_folders(const struct catalogue *c, struct arena *arena)
{
    const struct project *project = c->options.project;
    const char *const roots[] = {project->dags, project->templates};
    CLEANUP(map_freep) struct map *folders = map_new();
    for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
        path_list paths = {0};
        map_set(folders, path_join(arena, project->root, roots[i]), folders);
        /* A folder that cannot be listed is reported by the next poll. */
        if (list_suffix(c, roots[i], "", arena, &paths, NULL) == OK)
            vec_each (path, &paths)
                add_folder(folders, arena, path_join(arena, project->root, *path));
        vec_done(&paths);
    }
    vec_each (file, &c->files)
        for (size_t i = 0; i < (*file)->source_count; i++)
            add_folder(folders, arena, (*file)->sources[i].path);
    const char **at = arena_array(arena, const char *, map_count(folders));
    size_t count = 0, cursor = 0;
    const char *key;
    void *value;
    while (map_next(folders, &cursor, &key, &value))
        at[count++] = arena_strdup(arena, key);
    qsort(at, count, sizeof(*at), compare_paths);
    return (struct names){at, count};
}
