#include "cli/revision.h"
#include <unistd.h>
#include "base/file.h"
#include "base/spawn.h"
#include "base/temporary.h"
#include "definition/project.h"
#include "definition/yaml.h"

enum {
    QUIET_S = 120,
    OUTPUT_MAX = 64 * 1024,
    DAG_FILE_MAX = 16 << 20,
};

/* True when it ran and ended with 0. */
static bool ran(struct cli *cli, const char *const *argv, const char *dir)
{
    struct strbuf out = {.arena = cli->arena};
    int status = 0;
    return !spawn_output(argv, dir, QUIET_S, OUTPUT_MAX, &out, &status) && status == 0;
}

/* The files of a revision below the project's root, into a folder of our own. */
static enum status extract(
    struct cli *cli, const char *name, struct revision *ret, struct error *err)
{
    const char *root = cli->project->root;
    const char *commit = arena_printf(cli->arena, "%s^{commit}", name);
    const char *const verify[] = {
        "git", "rev-parse", "--quiet", "--verify", "--end-of-options", commit, NULL};
    if (name[0] == '-' || !ran(cli, verify, root)) {
        error_set(
            err, ERR_NOT_FOUND, "`%s` is neither a project's folder nor a git revision", name);
        error_hint(err, "name a folder with a dag.yaml, or what `git rev-parse` knows, as HEAD~1");
        return ERR_NOT_FOUND;
    }
    const char **left, *folder;
    for (size_t i = 0, count = temporary_left("diff", cli->arena, &left); i < count; i++)
        temporary_remove(left[i]); /* of commands that were interrupted */
    enum status status = temporary_make("diff", cli->arena, &folder, err);
    if (status != OK)
        return status;
    ret->temporary = folder;
    const char *tar = path_join(cli->arena, folder, ".tar");
    const char *const archive[] = {"git", "archive", "--format=tar", "-o", tar, name, NULL};
    const char *const unpack[] = {"tar", "-xf", tar, NULL};
    if (!ran(cli, archive, root) || !ran(cli, unpack, folder))
        return error_set(err, ERR_IO, "the files of `%s` cannot be taken from git", name);
    unlink(tar);
    return OK;
}

static enum status load(struct cli *cli, const char *dir, struct revision *ret, struct error *err)
{
    struct diagnostics mistakes;
    struct catalogue_changes changes;
    const struct project_options options = {.dir = dir, .environment = cli->environment};
    diagnostics_init(&mistakes, cli->arena);
    enum status status = project_load(&options, &ret->project, &mistakes, err);
    cli_print_diagnostics(&mistakes, stderr);
    if (status != OK)
        return error_context(err, "%s: ", ret->name);
    const struct catalogue_options catalogue = {.project = ret->project};
    ret->catalogue = catalogue_new(&catalogue);
    status = catalogue_load(ret->catalogue, &changes, err);
    for (size_t i = 0; status == OK && i < catalogue_broken_count(ret->catalogue); i++) {
        fprintf(stderr, "%s:\n", ret->name);
        cli_print_diagnostics(catalogue_broken_at(ret->catalogue, i).diagnostics, stderr);
    }
    return status;
}

enum status revision_open(
    struct cli *cli, const char *name, struct revision *ret, struct error *err)
{
    *ret = (struct revision){.name = name ? name : "the working folder"};
    const char *dir = name ? path_absolute(cli->arena, name) : cli->project->root;
    enum status status = OK;
    if (name && !file_exists(path_join(cli->arena, dir, "dag.yaml"))) {
        status = extract(cli, name, ret, err);
        dir = ret->temporary;
    }
    return status == OK ? load(cli, dir, ret, err) : status;
}

void revision_close(struct revision *revision)
{
    catalogue_free(revision->catalogue);
    project_free(revision->project);
    temporary_remove(revision->temporary);
}

const struct yaml_node *revision_document(
    const struct revision *revision, const struct dag *dag, struct arena *arena)
{
    struct slice text;
    struct yaml_file file;
    struct diagnostics ignored;
    struct error err;
    const char *path = path_join(arena, revision->project->root, dag->file);
    diagnostics_init(&ignored, arena);
    if (file_read(path, DAG_FILE_MAX, arena, &text, &err) != OK ||
        yaml_read(dag->file, text, arena, &ignored, &file) != OK)
        return NULL;
    for (size_t i = 0; i < file.count; i++) {
        const struct yaml_node *id =
            file.documents[i]->kind == YAML_MAPPING ? yaml_get(file.documents[i], "dag_id") : NULL;
        if (id && yaml_is_text(id, dag->dag_id))
            return file.documents[i];
    }
    return file.count == 1 && file.documents[0]->kind == YAML_MAPPING ? file.documents[0] : NULL;
}
