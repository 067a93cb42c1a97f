#include "cli/cli.h"

static const char *what = "commands";

/* The error table as Markdown. */
static void print_errors(void)
{
    printf(
        "# Errors\n\nMade by `dag docs --what errors` from the tables of errors.\n\n"
        "| code | exit | HTTP | retryable | meaning | what to do |\n|---|---|---|---|---|---|\n");
    for (int i = 1; i < ERR_COUNT_; i++) {
        const struct status_info *info = status_info((enum status)i);
        printf("| `%s` | %d | %d | %s | %s | %s |\n", info->name, info->exit_status,
            info->http_status, info->retryable ? "yes" : "no", info->meaning, info->remedy);
    }
}

static enum status run(struct cli *cli, struct error *err)
{
    (void)cli;
    if (str_equal(what, "commands"))
        command_reference(stdout);
    else if (str_equal(what, "errors"))
        print_errors();
    else
        return error_set(err, ERR_USAGE, "--what is `commands` or `errors`, not `%s`", what);
    return OK;
}

static const struct option options[] = {
    OPTION_TEXT("what", 0, &what, "PAGE", "commands (default) or errors"),
    OPTION_END,
};

const struct command command_docs = {
    .name = "docs",
    .arguments = "",
    .summary = "the reference pages, as Markdown",
    .examples = "dag docs > docs/reference/commands.md\n"
                "dag docs --what errors > docs/reference/errors.md",
    .options = options,
    .run = run,
};
