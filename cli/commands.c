#include <ctype.h>

#include "cli/cli.h"
#include "cli/command.h"

const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "cli/commands.def"
#undef COMMAND
};
const size_t command_count = sizeof(commands) / sizeof(commands[0]);

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < command_count; i++)
        if (str_equal(commands[i]->name, name))
            return commands[i];
    return NULL;
}

/* ---- parsing --------------------------------------------------------------------------------- */

static const struct option *find_in(const struct option *options, struct slice name, char letter)
{
    for (const struct option *option = options; option && option->name; option++)
        if (letter ? option->letter == letter : slice_equal_str(name, option->name))
            return option;
    return NULL;
}

static enum status unknown_option(
    const struct command *command, const char *word, struct error *err)
{
    const char *names[64];
    size_t count = 0;
    for (const struct option *o = command->options; o && o->name && count < 40; o++)
        names[count++] = o->name;
    for (const struct option *o = global_options; o->name && count < 60; o++)
        names[count++] = o->name;
    error_set(err, ERR_USAGE, "dag %s has no option `%s`", command->name, word);
    const char *near = suggest(word + strspn(word, "-"), names, count);
    if (near)
        error_hint(err, "did you mean `--%s`?", near);
    else
        error_hint(err, "see `dag %s -h`", command->name);
    return ERR_USAGE;
}

static enum status set_option(
    struct cli *cli, const struct option *option, const char *value, struct error *err)
{
    int64_t number = 0;
    switch (option->type) {
    case OPTION_TYPE_FLAG: *(bool *)option->value = true; return OK;
    case OPTION_TYPE_TEXT: *(const char **)option->value = value; return OK;
    case OPTION_TYPE_INT:
        if (!parse_int64(slice_of(value), &number))
            return error_set(
                err, ERR_USAGE, "--%s wants a whole number, not `%s`", option->name, value);
        *(int64_t *)option->value = number;
        return OK;
    case OPTION_TYPE_LIST: {
        struct text_list *list = option->value;
        const char **at = arena_array(cli->arena, const char *, list->count + 1);
        if (list->count)
            memcpy(at, list->at, list->count * sizeof(*at));
        at[list->count] = value;
        *list = (struct text_list){at, list->count + 1};
        return OK;
    }
    }
    return OK;
}

/* One option at argv[*i]; takes its value from behind "=" or from the next word. */
static enum status parse_option(struct cli *cli, const struct command *command, int argc,
    char **argv, int *i, struct error *err)
{
    const char *word = argv[*i];
    bool is_long = word[1] == '-';
    const char *name = word + (is_long ? 2 : 1);
    const char *equals = is_long ? strchr(name, '=') : NULL;
    struct slice key = slice_make(name, equals ? (size_t)(equals - name) : strlen(name));
    char letter = is_long ? 0 : name[0];
    const struct option *option = find_in(command->options, key, letter);
    if (!option)
        option = find_in(global_options, key, letter);
    if (!option || (!is_long && option->type == OPTION_TYPE_FLAG && name[1]))
        return unknown_option(command, word, err);
    if (option->type == OPTION_TYPE_FLAG) {
        if (equals)
            return error_set(err, ERR_USAGE, "--%s takes no value", option->name);
        return set_option(cli, option, NULL, err);
    }
    if (equals)
        return set_option(cli, option, equals + 1, err);
    if (!is_long && name[1])
        return set_option(cli, option, name + 1, err);
    if (*i + 1 >= argc)
        return error_set(err, ERR_USAGE, "--%s wants a value: %s", option->name, option->argument);
    *i += 1;
    return set_option(cli, option, argv[*i], err);
}

static enum status check_count(struct cli *cli, const struct command *command, struct error *err)
{
    int count = (int)cli->arg_count;
    if (count < command->arguments_min)
        error_set(err, ERR_USAGE, "dag %s wants %s", command->name, command->arguments);
    else if (command->arguments_max >= 0 && count > command->arguments_max)
        error_set(err, ERR_USAGE, "dag %s: `%s` is one word too many", command->name,
            cli->args[command->arguments_max]);
    else
        return OK;
    error_hint(
        err, "usage: dag %s %s; see `dag %s -h`", command->name, command->arguments, command->name);
    return ERR_USAGE;
}

enum status command_parse(
    struct cli *cli, const struct command *command, int argc, char **argv, struct error *err)
{
    const char **args = arena_array(cli->arena, const char *, (size_t)argc + 1);
    size_t count = 0;
    bool options_over = false;
    cli->command = command;
    for (int i = 0; i < argc; i++) {
        bool is_option = !options_over && argv[i][0] == '-' && argv[i][1];
        if (is_option && str_equal(argv[i], "--")) {
            options_over = true;
        } else if (is_option) {
            enum status status = parse_option(cli, command, argc, argv, &i, err);
            if (status != OK)
                return status;
        } else {
            args[count++] = argv[i];
        }
    }
    cli->args = args;
    cli->arg_count = count;
    return cli->help ? OK : check_count(cli, command, err);
}

/* ---- help ------------------------------------------------------------------------------------ */

static void option_label(const struct option *option, char *ret, size_t size)
{
    char letter[5] = "    ";
    if (option->letter)
        snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    snprintf(ret, size, "%s--%s%s%s", letter, option->name, option->argument ? " " : "",
        option->argument ? option->argument : "");
}

static void print_options(const struct option *options, FILE *out)
{
    for (const struct option *option = options; option && option->name; option++) {
        char label[80];
        option_label(option, label, sizeof(label));
        fprintf(out, "  %-30s %s\n", label, option->help);
    }
}

static void print_indented(const char *text, FILE *out)
{
    while (*text) {
        size_t size = strcspn(text, "\n");
        fprintf(out, "  %.*s\n", (int)size, text);
        text += size + (text[size] == '\n');
    }
}

void command_help(const struct command *command, FILE *out)
{
    fprintf(
        out, "dag %s%s%s\n\n", command->name, command->arguments[0] ? " " : "", command->arguments);
    fprintf(out, "%s\n", command->description ? command->description : command->summary);
    fprintf(out, "\nExamples:\n");
    print_indented(command->examples, out);
    fprintf(out, "\nOptions:\n");
    print_options(command->options, out);
    print_options(global_options, out);
}

void command_overview(FILE *out)
{
    fprintf(out, "dag: a workflow scheduler for people whose work is SQL\n\n"
                 "Usage: dag COMMAND [ARGUMENT…] [OPTION…]\n\nCommands:\n");
    for (size_t i = 0; i < command_count; i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(out, "\n`dag COMMAND -h` tells more, with examples.\n");
}

static void reference_options(const struct option *options, FILE *out)
{
    for (const struct option *option = options; option && option->name; option++) {
        char label[80];
        option_label(option, label, sizeof(label));
        fprintf(out, "- `%s` %s\n", label + strspn(label, " "), option->help);
    }
}

void command_reference(FILE *out)
{
    fprintf(out, "# Commands\n\nMade by `dag docs` from the table of commands.\n\n"
                 "Exit status: 0 done; 1 it failed; 2 wrong use; 3 no such thing; 4 cannot reach "
                 "what is needed.\n\nEvery command takes:\n\n");
    reference_options(global_options, out);
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = commands[i];
        fprintf(out, "\n## dag %s\n\n", command->name);
        fprintf(out, "    dag %s%s%s\n\n", command->name, command->arguments[0] ? " " : "",
            command->arguments);
        fprintf(out, "%s\n", command->description ? command->description : command->summary);
        if (command->options && command->options->name)
            fprintf(out, "\n");
        reference_options(command->options, out);
        fprintf(out, "\nExamples:\n\n");
        for (const char *p = command->examples; *p;) {
            size_t size = strcspn(p, "\n");
            fprintf(out, "    %.*s\n", (int)size, p);
            p += size + (p[size] == '\n');
        }
    }
}
