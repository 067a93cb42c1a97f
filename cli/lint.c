#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/lint_format.h"
#include "definition/lint.h"
#include "testing/prepare.h"

static bool strict, codes, with_database;
static const char *format = "text";

static enum status check_path(
    struct cli *cli, const char *path, struct diagnostics *findings, struct error *err)
{
    struct stat info;
    const char **paths = NULL;
    size_t count = 0;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        return lint_file(cli->project, path_absolute(cli->arena, path), findings, err);
    enum status status = dir_list(path, ".yaml", cli->arena, &paths, &count, err);
    for (size_t i = 0; status == OK && i < count; i++)
        status = check_path(cli, path_join(cli->arena, path, paths[i]), findings, err);
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
    enum status status = OK;
    if (cli->arg_count == 0)
        status = lint_project(cli->project, &findings, err);
    for (size_t i = 0; status == OK && i < cli->arg_count; i++)
        status = check_path(cli, cli->args[i], &findings, err);
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
