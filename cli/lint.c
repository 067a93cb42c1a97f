#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/lint_format.h"
#include "definition/lint.h"
#include "definition/project.h"
#include "testing/prepare.h"

static bool strict, codes, with_database;
static const char *format = "text";

typedef VEC(const char *) path_list;

/* A file, or the DAG files of a folder. */
static enum status add_path(struct cli *cli, const char *path, path_list *ret, struct error *err)
{
    static const char *const suffixes[] = {".yaml", ".yml"};
    struct stat info;
    enum status status = OK;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
        vec_push(ret, path_absolute(cli->arena, path));
        return OK;
    }
    for (size_t n = 0; status == OK && n < ARRAY_SIZE(suffixes); n++) {
        const char **paths = NULL;
        size_t count = 0;
        status = dir_list(path, suffixes[n], cli->arena, &paths, &count, err);
        for (size_t i = 0; status == OK && i < count; i++)
            vec_push(ret, path_absolute(cli->arena, path_join(cli->arena, path, paths[i])));
    }
    return status;
}

static enum status check_paths(struct cli *cli, struct diagnostics *findings, struct error *err)
{
    path_list paths = {0};
    enum status status = OK;
    for (size_t i = 0; status == OK && i < cli->arg_count; i++)
        status = add_path(cli, cli->args[i], &paths, err);
    if (status == OK)
        status = lint_files(cli->project, &(struct names){paths.at, paths.count}, findings, err);
    vec_done(&paths);
    return status;
}

/* ---- --database ---- */

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
    scratch_cancel();
}

/* On a terminal: what takes a while. */
static void notice(void *user, const char *text)
{
    (void)user;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "%s …\n", text);
}

static enum status prepare_named(struct cli *cli, const struct prepare_options *options,
    struct diagnostics *findings, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < cli->arg_count; i++) {
        struct dag *dag = NULL;
        status = cli_load_dag(cli, cli->args[i], &dag, err);
        if (status == OK)
            status = prepare_dag(options, dag, findings, err);
        dag_unref(dag);
    }
    return status;
}

static enum status prepare_all(struct cli *cli, const struct prepare_options *options,
    struct diagnostics *findings, struct error *err)
{
    struct dag **dags = NULL;
    size_t count = 0;
    enum status status = cli_load_all(cli, &dags, &count, err);
    for (size_t i = 0; status == OK && i < count; i++)
        status = prepare_dag(options, dags[i], findings, err);
    for (size_t i = 0; i < count; i++)
        dag_unref(dags[i]);
    return status;
}

/* Interrupted, it still drops what it has made. */
static enum status prepare(struct cli *cli, struct diagnostics *findings, struct error *err)
{
    struct sigaction action = {.sa_handler = stop}, before[2];
    sigaction(SIGINT, &action, &before[0]);
    sigaction(SIGTERM, &action, &before[1]);
    struct prepare_options options = {.project = cli->project,
        .scratch = scratch_new(cli->project, notice, NULL),
        .stop = &stopped};
    enum status status = cli->arg_count ? prepare_named(cli, &options, findings, err)
                                        : prepare_all(cli, &options, findings, err);
    scratch_free(options.scratch);
    sigaction(SIGINT, &before[0], NULL);
    sigaction(SIGTERM, &before[1], NULL);
    return status;
}

/* In a folder of no project there is nothing to check, which is no success. */
static enum status check_project(struct cli *cli, struct diagnostics *findings, struct error *err)
{
    const char *root;
    enum status status = project_find(cli->project->root, cli->arena, &root, err);
    return status == OK ? lint_project(cli->project, findings, err) : status;
}

static enum status run(struct cli *cli, struct error *err)
{
    if (codes) {
        lint_print_codes(cli->json);
        return OK;
    }
    const struct lint_format *printed = lint_format_find(cli->json ? "json" : format);
    if (!printed)
        return error_set(err, ERR_USAGE, "there is no format `%s`; there are %s", format,
            lint_format_names(cli->arena));
    struct diagnostics findings;
    diagnostics_init(&findings, cli->arena);
    enum status status =
        cli->arg_count ? check_paths(cli, &findings, err) : check_project(cli, &findings, err);
    if (status == OK && with_database && !findings.error_count)
        status = prepare(cli, &findings, err);
    if (status != OK)
        return status;
    printed->print(&findings);
    if (!cli->json && str_equal(format, "text") && (findings.error_count || findings.warning_count))
        fprintf(stderr, "%zu errors, %zu warnings\n", findings.error_count, findings.warning_count);
    bool failed = findings.error_count || (strict && findings.warning_count);
    return failed ? ERR_LINT_FAILED : OK;
}

static const struct option options[] = {
    OPTION_FLAG("strict", 0, &strict, "warnings fail too"),
    OPTION_TEXT("format", 0, &format, "FORMAT", "text (default), json, github, gitlab or sarif"),
    OPTION_FLAG("database", 0, &with_database,
        "then let a server prepare every statement, in a scratch database as of `dag test`"),
    OPTION_FLAG("codes", 0, &codes, "list the codes that findings have, and stop"),
    OPTION_END,
};

const struct command command_lint = {
    .name = "lint",
    .arguments = "[PATH…]",
    .arguments_max = -1,
    .summary = "every check that needs no server",
    .description = "Checks DAG files and their templates without running anything: all of the "
                   "project's, or the files and folders named. A comment with `dag: ignore "
                   "CODE: why` suppresses findings of that code on its line and the next.",
    .examples = "dag lint\ndag lint dags/geolife.yaml --strict\n"
                "dag lint --database\n"
                "dag lint --format github   # annotations in CI\n"
                "dag lint --format sarif > lint.sarif",
    .options = options,
    .project = PROJECT_OPTIONAL,
    .run = run,
};
