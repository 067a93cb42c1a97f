#include <sys/stat.h>

#include "base/file.h"
#include "cli/cli.h"
#include "definition/lint.h"

static bool strict;
static const char *format = "text";

static void print_json(const struct diagnostic *finding)
{
    const struct error *e = &finding->error;
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "severity", finding->severity);
    json_kv_str(&w, "code", finding->code);
    json_kv_str(&w, "message", e->message);
    json_kv_str(&w, "hint", e->hint[0] ? e->hint : NULL);
    json_kv_str(&w, "file", e->place.file);
    json_kv_int(&w, "line", e->place.line);
    json_kv_int(&w, "column", e->place.column);
    json_object_end(&w);
    puts(strbuf_text(&text));
    strbuf_done(&text);
}

/* Annotations of a CI service: a message's line ends are escaped. */
static void print_github(const struct diagnostic *finding)
{
    const struct error *e = &finding->error;
    const char *level = str_equal(finding->severity, "info") ? "notice" : finding->severity;
    printf("::%s file=%s,line=%u,col=%u,title=%s::", level, e->place.file, e->place.line,
        e->place.column, finding->code ? finding->code : "");
    for (const char *p = e->message; *p; p++) {
        if (*p == '\n')
            fputs("%0A", stdout);
        else if (*p == '%')
            fputs("%25", stdout);
        else
            putchar(*p);
    }
    putchar('\n');
}

static enum status print_findings(
    struct cli *cli, const struct diagnostics *findings, struct error *err)
{
    bool json = cli->json || str_equal(format, "json");
    if (!json && !str_equal(format, "text") && !str_equal(format, "github")) {
        error_set(err, ERR_USAGE, "--format is text, json or github, not `%s`", format);
        if (str_equal(format, "sarif"))
            error_hint(err, "sarif is not supported yet");
        return ERR_USAGE;
    }
    if (!json && str_equal(format, "text")) {
        cli_print_diagnostics(findings, stdout);
        return OK;
    }
    for (const struct diagnostic *d = findings->first; d; d = d->next)
        json ? print_json(d) : print_github(d);
    return OK;
}

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

static enum status run(struct cli *cli, struct error *err)
{
    struct diagnostics findings;
    diagnostics_init(&findings, cli->arena);
    enum status status = OK;
    if (cli->arg_count == 0)
        status = lint_project(cli->project, &findings, err);
    for (size_t i = 0; status == OK && i < cli->arg_count; i++)
        status = check_path(cli, cli->args[i], &findings, err);
    if (status == OK)
        status = print_findings(cli, &findings, err);
    if (status != OK)
        return status;
    if (!cli->json && str_equal(format, "text") && (findings.error_count || findings.warning_count))
        fprintf(stderr, "%zu errors, %zu warnings\n", findings.error_count, findings.warning_count);
    bool failed = findings.error_count || (strict && findings.warning_count);
    return failed ? ERR_LINT_FAILED : OK;
}

static const struct option options[] = {
    OPTION_FLAG("strict", 0, &strict, "warnings fail too"),
    OPTION_TEXT("format", 0, &format, "FORMAT", "text (default), json or github"),
    OPTION_END,
};

const struct command command_lint = {
    .name = "lint",
    .arguments = "[PATH…]",
    .arguments_max = -1,
    .summary = "every check that needs no server",
    .description = "Checks DAG files and their templates without running anything: all of the "
                   "project's, or the files and folders named. A line with `dag: ignore CODE` in "
                   "a comment suppresses findings of that code there.",
    .examples = "dag lint\ndag lint dags/geolife.yaml --strict\n"
                "dag lint --format github   # annotations in CI",
    .options = options,
    .project = PROJECT_OPTIONAL,
    .run = run,
};
