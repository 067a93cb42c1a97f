/*
 * Commands as data.  One table (commands.c) of commands, each with its options and examples, from
 * which parsing, `-h`, the usage errors and docs/reference/commands.md are made.
 *
 * How to add a command:
 *  1. write cli/<name>.c with `const struct command command_<name>`;
 *  2. add it to the list in cli/commands.def;
 *  3. run `dag docs > docs/reference/commands.md` (tests/cli/test_reference.py fails while they
 *     differ) and add a test that runs it to tests/cli.
 *
 * A command's `run` returns a status; its error, printed by main, decides the exit status (see
 * errors.def).  Results go to standard output, everything else to standard error.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stdio.h>
#include "base/error.h"
#include "base/memory.h"
#include "base/string.h"

struct cli;

enum option_type { OPTION_TYPE_FLAG, OPTION_TYPE_TEXT, OPTION_TYPE_INT, OPTION_TYPE_LIST };

/* Values of an option that may be given more than once. */
struct text_list {
    const char **at;
    size_t count;
};

struct option {
    const char *name; /* without the dashes */
    char letter;      /* 0 = none */
    enum option_type type;
    void *value;          /* bool *, const char **, int64_t *, struct text_list * */
    const char *argument; /* "DATE", NULL for flags */
    const char *help;
};
#define OPTION_FLAG(name, letter, p, help)                                                         \
    {                                                                                              \
        name, letter, OPTION_TYPE_FLAG, p, NULL, help                                              \
    }
#define OPTION_TEXT(name, letter, p, argument, help)                                               \
    {                                                                                              \
        name, letter, OPTION_TYPE_TEXT, p, argument, help                                          \
    }
#define OPTION_INT(name, letter, p, argument, help)                                                \
    {                                                                                              \
        name, letter, OPTION_TYPE_INT, p, argument, help                                           \
    }
#define OPTION_LIST(name, letter, p, argument, help)                                               \
    {                                                                                              \
        name, letter, OPTION_TYPE_LIST, p, argument, help                                          \
    }
#define OPTION_END                                                                                 \
    {                                                                                              \
        NULL, 0, OPTION_TYPE_FLAG, NULL, NULL, NULL                                                \
    }

/* What a command wants of a project. */
enum project_use {
    PROJECT_UNUSED,
    PROJECT_OPTIONAL, /* defaults where there is none: for files and texts that stand alone */
    PROJECT_OR_STATE, /* as OPTIONAL where a stand-alone run left its state, else as NEEDED */
    PROJECT_NEEDED,
    PROJECT_STATE, /* where its daemon is; a dag.yaml with mistakes is told, and does not matter */
};

struct command {
    const char *name;
    const char *arguments;            /* "DAG [RUN]" */
    int arguments_min, arguments_max; /* -1 = any number */
    const char *summary;              /* one line */
    const char *description;
    const char *examples; /* lines "dag … ", each may end with "# what it does" */
    const struct option *options;
    enum project_use project;
    enum status (*run)(struct cli *cli, struct error *err);
};

#define COMMAND(name) extern const struct command command_##name;
#include "cli/commands.def"
#undef COMMAND
extern const struct command *const commands[];
extern const size_t command_count;
const struct command *command_find(const char *name);
/* Options that every command takes. */
extern const struct option global_options[];

/* Parses the words after the command's name: options anywhere, `--` ends them.  Fills cli->args. */
enum status command_parse(struct cli *cli, const struct command *command, int argc, char **argv,
    struct error *err) MUST_CHECK;
void command_help(const struct command *command, FILE *out);
void command_overview(FILE *out);
/* The reference page of all commands, as Markdown. */
void command_reference(FILE *out);

#endif
