#include "definition/versions.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/map.h"
#include "base/vec.h"
#include "definition/dagfile.h"
#include "definition/limits.h"
#include "definition/report.h"

enum { HASH_SIZE = HASH_TEXT_SIZE - 1 };

/* A line of a manifest is a hash and a path, which the system bounds. */
enum { MANIFEST_SIZE_MAX = MANIFEST_FILES_MAX * 4200 };

void versions_manifest(const struct manifest_file *files, size_t count, struct strbuf *ret)
{
    for (size_t i = 0; i < count; i++)
        strbuf_printf(ret, "%s %s\n", files[i].hash, files[i].path);
}

char *versions_folder(const struct project *project, struct arena *arena)
{
    return path_join(arena, project->state, "versions");
}

/* ---- keeping ---- */

static enum status keep_text(
    const char *folder, const char *hash, struct slice text, struct arena *arena, struct error *err)
{
    struct stat st;
    const char *path = path_join(arena, folder, hash);
    /* Of another size: its writing did not reach the disk before the power went.  The time says
       since when it was not needed. */
    if (stat(path, &st) == 0 && (uint64_t)st.st_size == text.size &&
        utimensat(AT_FDCWD, path, NULL, 0) == 0)
        return OK;
    return file_write(path, text, 0600, false, err);
}

enum status versions_keep(
    const char *folder, struct dag *dag, const struct sources *sources, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct strbuf manifest = {.arena = arena};
    enum status status = dir_make(folder, true, err);
    for (size_t i = 0; status == OK && i < dag->file_count; i++) {
        const struct source *source = sources_find(sources, dag->files[i].path);
        if (!source || !str_equal(source->hash, dag->files[i].hash))
            status = error_set(err, ERR_INTERNAL, "%s was not read", dag->files[i].path);
        else
            status = keep_text(folder, source->hash, source->text, arena, err);
    }
    versions_manifest(dag->files, dag->file_count, &manifest);
    if (status == OK)
        status = keep_text(
            folder, dag->version, slice_make(strbuf_text(&manifest), manifest.size), arena, err);
    if (status == OK)
        dag->kept = arena_strdup(dag->arena, folder);
    return status;
}

/* ---- reading ---- */

/* What is damaged is not found. */
static bool read_kept(
    const char *folder, const char *hash, size_t size_max, struct arena *arena, struct slice *ret)
{
    char found[HASH_TEXT_SIZE];
    if (file_read(path_join(arena, folder, hash), size_max, arena, ret, NULL) != OK)
        return false;
    hash_sha256(ret->p, ret->size, found);
    return str_equal(found, hash);
}

typedef VEC(struct manifest_file) file_list;

static bool read_manifest(
    const char *folder, const char *version, struct arena *arena, file_list *ret)
{
    struct slice text;
    if (strlen(version) != HASH_SIZE ||
        !read_kept(folder, version, MANIFEST_SIZE_MAX, arena, &text))
        return false;
    for (const char *line = text.p, *end; (end = strchr(line, '\n')); line = end + 1) {
        struct manifest_file *file = vec_add(ret);
        if (end - line <= HASH_SIZE + 1 || line[HASH_SIZE] != ' ')
            return false; /* the text of a file, and no manifest */
        memcpy(file->hash, line, HASH_SIZE);
        file->path =
            arena_strndup(arena, line + HASH_SIZE + 1, (size_t)(end - line) - HASH_SIZE - 1);
    }
    return true;
}

static bool put_files(
    const char *folder, const file_list *files, struct sources *sources, struct arena *arena)
{
    vec_each (file, files) {
        struct slice text;
        if (!read_kept(folder, file->hash, SOURCE_SIZE_MAX, arena, &text))
            return false;
        sources_put(sources, file->path, text);
    }
    sources_seal(sources);
    return true;
}

/* The DAG, when this file of the version is where it was. */
static struct dag *load_from(const struct project *project, const char *path,
    struct sources *sources, const char *dag_id, struct arena *arena)
{
    struct dagfile file;
    struct diagnostics diagnostics;
    struct dag *found = NULL;
    struct dagfile_options options = {.project = project, .sources = sources};
    diagnostics_init(&diagnostics, arena);
    if (dagfile_load(&options, path, &file, &diagnostics, NULL) != OK)
        return NULL;
    for (size_t i = 0; i < file.count; i++)
        if (str_equal(file.dags[i]->dag_id, dag_id))
            found = dag_ref(file.dags[i]);
    dagfile_done(&file);
    return found;
}

static struct dag *load_version(const struct project *project, const char *folder,
    const char *version, const char *dag_id, struct arena *arena)
{
    CLEANUP(sources_freep) struct sources *sources = sources_new(project->root);
    struct dag *dag = NULL;
    file_list files = {0};
    bool there =
        read_manifest(folder, version, arena, &files) && put_files(folder, &files, sources, arena);
    for (size_t i = 0; there && !dag && i < files.count; i++)
        if (str_ends(files.at[i].path, ".yaml") || str_ends(files.at[i].path, ".yml"))
            dag = load_from(project, files.at[i].path, sources, dag_id, arena);
    vec_done(&files);
    if (dag && !str_equal(dag->version, version)) { /* a dag that counts other files wrote it */
        dag_unref(dag);
        return NULL;
    }
    if (dag)
        dag->kept = arena_strdup(dag->arena, folder);
    return dag;
}

enum status versions_load(const struct project *project, const char *version, const char *dag_id,
    struct dag **ret, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *folder = versions_folder(project, arena);
    struct dag *dag = load_version(project, folder, version, dag_id, arena);
    if (!dag)
        return error_set(err, ERR_NOT_FOUND,
            "version %.12s of `%s` was not kept, or cannot be loaded any more", version, dag_id);
    *ret = dag;
    return OK;
}

enum status versions_read(const struct project *project, const struct dag *dag, const char *path,
    struct arena *arena, struct slice *ret, struct error *err)
{
    for (size_t i = 0; i < dag->file_count; i++) {
        char hash[HASH_TEXT_SIZE];
        if (!str_equal(dag->files[i].path, path))
            continue;
        if (read_kept(dag->kept, dag->files[i].hash, SOURCE_SIZE_MAX, arena, ret))
            return OK;
        const char *now = path_join(arena, project->root, path);
        if (file_read(now, SOURCE_SIZE_MAX, arena, ret, NULL) == OK) {
            hash_sha256(ret->p, ret->size, hash);
            if (str_equal(hash, dag->files[i].hash))
                return OK;
        }
        error_set(err, ERR_IO, "%s has changed, and how it was in version %.12s was not kept", path,
            dag->version);
        error_hint(err, "`dag reload` takes the newest version in");
        return ERR_IO;
    }
    return error_set(err, ERR_NOT_FOUND, "%s is no file of this version", path);
}

/* ---- cleaning ---- */

static void find_reached(
    const char *folder, const struct names *versions, struct map *reached, struct arena *arena)
{
    for (size_t i = 0; i < versions->count; i++) {
        file_list files = {0};
        if (!map_has(reached, versions->at[i]) &&
            read_manifest(folder, versions->at[i], arena, &files))
            vec_each (file, &files)
                map_set(reached, file->hash, reached);
        map_set(reached, versions->at[i], reached);
        vec_done(&files);
    }
}

enum status versions_clean(const char *folder, const struct names *versions, int64_t before_us,
    bool dry_run, size_t *ret_count, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(map_freep) struct map *reached = map_new();
    const char **names;
    size_t count = 0;
    *ret_count = 0;
    enum status status = dir_list(folder, "", arena, &names, &count, err);
    if (status == OK)
        find_reached(folder, versions, reached, arena);
    for (size_t i = 0; status == OK && i < count; i++) {
        struct stat st;
        const char *path = path_join(arena, folder, names[i]);
        if (map_has(reached, names[i]) || stat(path, &st) != 0 ||
            (int64_t)st.st_mtim.tv_sec * US_PER_SECOND >= before_us)
            continue;
        if (dry_run || unlink(path) == 0)
            ++*ret_count;
    }
    return status;
}
