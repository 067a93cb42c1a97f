#include "tests/unit/definition/project_dir.h"
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

struct project_dir dir_new(void)
{
    struct project_dir dir = {.arena = arena_new()};
    dir.path = arena_strdup(dir.arena, "/tmp/dag-definition-XXXXXX");
    REQUIRE(mkdtemp(dir.path) != NULL);
    dir.diagnostics = arena_new_of(dir.arena, struct diagnostics);
    diagnostics_init(dir.diagnostics, dir.arena);
    return dir;
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

void dir_done(struct project_dir *dir)
{
    nftw(dir->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    project_free(dir->project);
    arena_free(dir->arena);
}

void dir_write(struct project_dir *dir, const char *path, const char *text)
{
    char *full = path_join(dir->arena, dir->path, path);
    REQUIRE_OK(dir_make(path_dir(dir->arena, full), false, &dir->error), &dir->error);
    REQUIRE_OK(file_write(full, slice_of(text), 0644, false, &dir->error), &dir->error);
}

void dir_remove(struct project_dir *dir, const char *path)
{
    REQUIRE(unlink(path_join(dir->arena, dir->path, path)) == 0);
}

const struct project *dir_project(struct project_dir *dir)
{
    static const char *const no_environment[] = {NULL};
    struct project_options options = {.dir = dir->path, .environ = no_environment, .bare = true};
    project_free(dir->project);
    dir->project = NULL;
    REQUIRE_OK(project_load(&options, &dir->project, dir->diagnostics, &dir->error), &dir->error);
    return dir->project;
}

struct dag *dir_load(struct project_dir *dir, const char *text)
{
    dir_write(dir, "dags/x.yaml", text);
    diagnostics_init(dir->diagnostics, dir->arena);
    struct dagfile_options options = {.project = dir_project(dir)};
    struct dagfile file;
    if (dagfile_load(&options, "dags/x.yaml", &file, dir->diagnostics, &dir->error) != OK)
        return NULL;
    struct dag *dag = dag_ref(file.dags[0]);
    dagfile_done(&file);
    return dag;
}

static const char *finding_text(struct project_dir *dir, const struct diagnostic *d)
{
    return arena_printf(dir->arena, "%u:%u %s%s%s", d->error.place.line, d->error.place.column,
        d->error.message, d->error.hint[0] ? "; " : "", d->error.hint);
}

const char *dir_finding(struct project_dir *dir, size_t i)
{
    const struct diagnostic *d = dir->diagnostics->first;
    for (; d && i > 0; i--)
        d = d->next;
    return d ? finding_text(dir, d) : "";
}

const char *dir_findings(struct project_dir *dir)
{
    struct strbuf text = {0};
    for (const struct diagnostic *d = dir->diagnostics->first; d; d = d->next)
        strbuf_printf(&text, "%s\n", finding_text(dir, d));
    char *copy = strbuf_to_arena(&text, dir->arena);
    strbuf_done(&text);
    return copy;
}
