#include <errno.h>
#include <sys/stat.h>

#include "base/embedded.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/notebook.h"
#include "definition/schema.h"
#include "testing/testfile.h"

/* The example project's files: cli/files/init/…, compiled in. */
extern const struct embedded_file cli_files[];
extern const size_t cli_files_count;

static const char prefix[] = "init/";
static const char *notebook_path;

static enum status check_empty(struct cli *cli, const char *dir, struct error *err)
{
    for (size_t i = 0; i < cli_files_count; i++) {
        if (!str_starts(cli_files[i].name, prefix))
            continue;
        const char *name = cli_files[i].name + strlen(prefix);
        if (!file_exists(path_join(cli->arena, dir, name)))
            continue;
        error_set(err, ERR_CONFLICT, "%s has a %s already", dir, name);
        error_hint(err, "nothing was written; name another folder: dag init DIR");
        return ERR_CONFLICT;
    }
    return OK;
}

static enum status write_files(struct cli *cli, const char *dir, struct error *err)
{
    for (size_t i = 0; i < cli_files_count; i++) {
        if (!str_starts(cli_files[i].name, prefix))
            continue;
        const char *path = path_join(cli->arena, dir, cli_files[i].name + strlen(prefix));
        enum status status = dir_make(path_dir(cli->arena, path), false, err);
        if (status == OK)
            status = file_write(
                path, slice_make(cli_files[i].data, cli_files[i].size), 0644, false, err);
        if (status != OK)
            return status;
        printf("%s\n", path);
    }
    return OK;
}

/* What the modelines of the files point to; docs/editors.md. */
static enum status write_schemas(struct cli *cli, const char *dir, struct error *err)
{
    static const struct schema *const schemas[] = {&dag_schema, &project_schema, &test_schema};
    const char *folder = path_join(cli->arena, dir, ".schema");
    enum status status = dir_make(folder, false, err);
    for (size_t i = 0; status == OK && i < ARRAY_SIZE(schemas); i++) {
        const char *path =
            path_join(cli->arena, folder, arena_printf(cli->arena, "%s.json", schemas[i]->name));
        if (file_exists(path))
            continue;
        status = file_write(path, slice_of(schema_write(schemas[i], cli->arena)), 0644, false, err);
        if (status == OK)
            printf("%s\n", path);
    }
    return status;
}

/* ---- a notebook ------------------------------------------------------------------------------ */

struct made_file {
    const char *path;
    struct slice text;
};
typedef VEC(struct made_file) made_files;

static void add_file(made_files *files, const char *path, struct slice text)
{
    struct made_file file = {path, text};
    vec_push(files, file);
}

static void list_notebook_files(
    struct cli *cli, const struct notebook *notebook, const char *dir, made_files *ret)
{
    struct arena *arena = cli->arena;
    const char *settings = path_join(arena, dir, "dag.yaml");
    for (size_t i = 0; !file_exists(settings) && i < cli_files_count; i++)
        if (str_equal(cli_files[i].name, "init/dag.yaml"))
            add_file(ret, settings, slice_make(cli_files[i].data, cli_files[i].size));
    add_file(ret, arena_printf(arena, "%s/dags/%s.yaml", dir, notebook->name),
        notebook_dag_file(notebook));
    vec_each (query, &notebook->queries)
        add_file(ret,
            arena_printf(arena, "%s/templates/%s/%s.sql", dir, notebook->name, query->task_id),
            slice_of(arena_printf(arena, "%s\n", query->text)));
}

static enum status write_made_files(struct cli *cli, const made_files *files, struct error *err)
{
    vec_each (file, files)
        if (file_exists(file->path)) {
            error_set(err, ERR_CONFLICT, "there is a %s already", file->path);
            error_hint(err, "nothing was written; name another folder, or rename the notebook");
            return ERR_CONFLICT;
        }
    enum status status = OK;
    vec_each (file, files) {
        if (status == OK)
            status = dir_make(path_dir(cli->arena, file->path), false, err);
        if (status == OK)
            status = file_write(file->path, file->text, 0644, false, err);
        if (status == OK)
            printf("%s\n", file->path);
    }
    return status;
}

static enum status from_notebook(struct cli *cli, const char *dir, struct error *err)
{
    struct notebook notebook = {0};
    made_files files = {0};
    enum status status = notebook_read(&notebook, notebook_path, cli->arena, err);
    if (status == OK) {
        notebook_decide(&notebook);
        list_notebook_files(cli, &notebook, dir, &files);
        status = write_made_files(cli, &files, err);
    }
    if (status == OK)
        status = write_schemas(cli, dir, err);
    if (status == OK && notebook.date)
        fprintf(stderr, "\nthe run's date, {{ ds }}: %s\n", notebook.date);
    if (status == OK && notebook.notes.count)
        fprintf(stderr, "\nto look at:\n");
    for (size_t i = 0; status == OK && i < notebook.notes.count; i++)
        fprintf(stderr, "  %s\n", notebook.notes.at[i]);
    if (status == OK)
        fprintf(stderr, "\nnext:\n  cd %s\n  dag lint\n  dag render %s %s\n", dir, notebook.name,
            notebook.queries.at[0].task_id);
    vec_done(&files);
    notebook_done(&notebook);
    return status;
}

static enum status run(struct cli *cli, struct error *err)
{
    const char *dir = cli->arg_count ? cli->args[0] : ".";
    if (notebook_path)
        return from_notebook(cli, dir, err);
    enum status status = check_empty(cli, dir, err);
    if (status == OK)
        status = dir_make(dir, false, err);
    if (status == OK)
        status = write_files(cli, dir, err);
    if (status == OK)
        status = write_schemas(cli, dir, err);
    if (status == OK)
        fprintf(stderr, "\nnext:\n  cd %s\n  dag lint\n  dag test\n  dag run hello\n", dir);
    return status;
}

static const struct option options[] = {
    OPTION_TEXT("from-notebook", 0, &notebook_path, "FILE",
        "a DAG of the SQL in a Jupyter notebook (.ipynb), in the project in DIR"),
    OPTION_END,
};

const struct command command_init = {
    .name = "init",
    .arguments = "[DIR]",
    .arguments_max = 1,
    .summary = "a new project with working examples",
    .description =
        "Writes a small project into DIR (default: here): two DAGs, a template, a "
        "migration, a test, a CI file, and schemas for editors. Nothing that is there "
        "is overwritten. With --from-notebook: each %%sql cell becomes a template and a task; "
        "the notebook's date becomes {{ ds }}, tables become dependencies, and what "
        "could not be decided is said.",
    .examples = "dag init\ndag init pipelines && cd pipelines && dag run hello\n"
                "dag init --from-notebook analysis.ipynb",
    .options = options,
    .run = run,
};
