#include "cli/cli.h"

static enum status run(struct cli *cli, struct error *err)
{
    (void)cli;
    (void)err;
    command_reference(stdout);
    return OK;
}

static const struct option options[] = {OPTION_END};

const struct command command_docs = {
    .name = "docs",
    .arguments = "",
    .summary = "the reference of commands, as Markdown",
    .examples = "dag docs > docs/reference/commands.md",
    .options = options,
    .run = run,
};
