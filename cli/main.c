/* dag: finds the command, the project, runs it, prints its error. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "daemon/settings.h"
#include "definition/project.h"
#include "executor/offload.h"

static void print_error(const struct error *err)
{
    struct strbuf text = {0};
    error_format(err, "error", &text);
    fputs(strbuf_text(&text), stderr);
    strbuf_done(&text);
}

static enum status unknown_command(const char *word, struct error *err)
{
    const char *names[128];
    for (size_t i = 0; i < command_count; i++)
        names[i] = commands[i]->name;
    error_set(err, ERR_USAGE, "there is no command `dag %s`", word);
    const char *near = suggest(word, names, command_count);
    if (near)
        error_hint(err, "did you mean `dag %s`?", near);
    else
        error_hint(err, "`dag help` lists the commands");
    return ERR_USAGE;
}

/* Where the project is: --project, DAG_PROJECT, or found upwards from here. */
static enum status find_project(
    struct cli *cli, enum project_use use, struct project_options *options, struct error *err)
{
    const char *named = cli->project_dir ? cli->project_dir : getenv("DAG_PROJECT");
    const char *here = path_absolute(cli->arena, ".");
    if (named && *named) {
        options->dir = path_absolute(cli->arena, named);
        return OK;
    }
    enum status status = project_find(here, cli->arena, &options->dir, err);
    bool optional = use == PROJECT_OPTIONAL ||
                    (use == PROJECT_OR_STATE && dir_exists(path_join(cli->arena, here, ".dag")));
    if (status == OK || !optional)
        return status;
    options->dir = here;
    options->bare = true;
    return OK;
}

/* A project of defaults with the state directory where this one has it unless its dag.yaml, which
   cannot be read now, names another. */
static enum status load_state(struct cli *cli, const char *root, struct error *err)
{
    static const char *const no_environment[] = {NULL};
    const char *environment = cli->environment ? cli->environment : getenv("DAG_ENV");
    const char *named = getenv("DAG_STATE");
    const char *state = path_join(cli->arena, root, named && *named ? named : ".dag");
    if (environment && *environment && !(named && *named))
        state = path_join(cli->arena, state, environment);
    struct setting_override override = {.name = "state", .value = state, .flag = "state"};
    struct project_options options = {.dir = "/",
        .overrides = &override,
        .override_count = 1,
        .environ = no_environment,
        .bare = true};
    struct diagnostics mistakes;
    diagnostics_init(&mistakes, cli->arena);
    return project_load(&options, &cli->project, &mistakes, err);
}

/* Metadata that cannot be read is the trouble of those who need it; they say so. */
static enum status read_stored(void *user, const char *state, struct arena *arena,
    struct stored_settings *ret, struct error *err)
{
    enum status status = settings_stored(user, state, arena, ret, err);
    if (status != OK)
        fprintf(stderr, "warning: stored settings are not read: %s\n", err->message);
    return OK;
}

static enum status load_project(struct cli *cli, enum project_use use, struct error *err)
{
    struct diagnostics mistakes;
    struct project_options options = {.environment = cli->environment, .stored = read_stored};
    diagnostics_init(&mistakes, cli->arena);
    enum status status = find_project(cli, use, &options, err);
    if (status == OK)
        status = project_load(&options, &cli->project, &mistakes, err);
    cli_print_diagnostics(&mistakes, stderr);
    if (status == ERR_DEFINITION && use == PROJECT_STATE)
        return load_state(cli, options.dir, err);
    return status;
}

/* `dag --env production up` is `dag up --env production`: options with a value may stand before the
   command.  Returns the place of the command's word. */
static int find_word(int argc, char **argv)
{
    int at = 1;
    while (at < argc && str_starts(argv[at], "--")) {
        bool takes_value = false;
        for (const struct option *option = global_options; option->name; option++)
            if (str_equal(argv[at] + 2, option->name))
                takes_value = option->type == OPTION_TYPE_TEXT;
        bool known = takes_value || str_starts(argv[at], "--env=") ||
                     str_starts(argv[at], "--project=") || str_equal(argv[at], "--json");
        if (!known)
            break;
        at += takes_value ? 2 : 1;
    }
    return at < argc ? at : argc;
}

/* The words without the command's: its own and those before it. */
static char **other_words(struct cli *cli, int argc, char **argv, int at, int *ret_count)
{
    char **words = arena_array(cli->arena, char *, (size_t)argc + 1);
    int count = 0;
    for (int i = 1; i < argc; i++)
        if (i != at)
            words[count++] = argv[i];
    *ret_count = count;
    return words;
}

static enum status run(struct cli *cli, int argc, char **argv, struct error *err)
{
    int at = find_word(argc, argv), count = 0;
    char **words = other_words(cli, argc, argv, at, &count);
    const char *word = at < argc ? argv[at] : "help";
    if (str_equal(word, "help") || str_equal(word, "-h") || str_equal(word, "--help")) {
        const struct command *about = count ? command_find(words[0]) : NULL;
        if (count && !about)
            return unknown_command(words[0], err);
        about ? command_help(about, stdout) : command_overview(stdout);
        return OK;
    }
    if (str_equal(word, "--version"))
        word = "version";
    const struct command *command = command_find(word);
    if (!command)
        return unknown_command(word, err);
    enum status status = command_parse(cli, command, count, words, err);
    if (status != OK)
        return status;
    if (cli->help) {
        command_help(command, stdout);
        return OK;
    }
    if (command->project != PROJECT_UNUSED)
        status = load_project(cli, command->project, err);
    return status == OK ? command->run(cli, err) : status;
}

int main(int argc, char **argv)
{
    struct cli *cli = cli_begin();
    struct error err = {0};
    signal(SIGPIPE, SIG_IGN);
    enum status status = run(cli, argc, argv, &err);
    if (status != OK && err.message[0])
        print_error(&err);
    /* A pipe that was closed, or a full disk, must not look like success. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == OK) {
        if (errno != EPIPE)
            fprintf(stderr, "error: the output could not be written: %s\n", strerror(errno));
        status = ERR_IO;
    }
    cli_end(cli);
    int exit_status = status == OK ? 0 : status_info(status)->exit_status;
    if (offload_at_work()) {
        fflush(stderr);
        _exit(exit_status);
    }
    return exit_status;
}
