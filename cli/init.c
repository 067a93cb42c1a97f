#include <errno.h>
#include <sys/stat.h>

#include "base/embedded.h"
#include "base/file.h"
#include "cli/cli.h"
#include "definition/schema.h"
#include "testing/testfile.h"

/* The example project's files: cli/files/init/…, compiled in. */
extern const struct embedded_file cli_files[];
extern const size_t cli_files_count;

static const char prefix[] = "init/";

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

static enum status run(struct cli *cli, struct error *err)
{
    const char *dir = cli->arg_count ? cli->args[0] : ".";
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

static const struct option options[] = {OPTION_END};

const struct command command_init = {
    .name = "init",
    .arguments = "[DIR]",
    .arguments_max = 1,
    .summary = "a new project with working examples",
    .description = "Writes a small project into DIR (default: here): two DAGs, a template, a "
                   "migration, a test, a CI file, and schemas for editors. Nothing that is there "
                   "is overwritten.",
    .examples = "dag init\ndag init pipelines && cd pipelines && dag run hello",
    .options = options,
    .run = run,
};
