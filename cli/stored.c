#include "cli/stored.h"

#include <unistd.h>

#include "base/file.h"
#include "daemon/settings.h"
#include "definition/limits.h"
#include "definition/yaml.h"

struct stored_options stored_options;

enum { IMPORT_SIZE_MAX = 1 << 20 };

enum status verb_run(struct cli *cli, const struct verb *verbs, size_t count, struct error *err)
{
    const char *names[16];
    for (size_t i = 0; i < count; i++) {
        names[i] = verbs[i].name;
        if (str_equal(cli->args[0], verbs[i].name) && cli->arg_count >= verbs[i].words_min &&
            cli->arg_count <= verbs[i].words_max)
            return verbs[i].run(cli, err);
    }
    const char *near = suggest(cli->args[0], names, count);
    if (near && !str_equal(near, cli->args[0])) {
        error_set(err, ERR_USAGE, "dag %s has no `%s`", cli->command->name, cli->args[0]);
        error_hint(err, "did you mean `dag %s %s`?", cli->command->name, near);
        return ERR_USAGE;
    }
    error_set(err, ERR_USAGE, "dag %s wants: %s", cli->command->name, cli->command->arguments);
    error_hint(err, "see `dag %s -h`", cli->command->name);
    return ERR_USAGE;
}

/* ---- words and files ------------------------------------------------------------------------- */

static enum status read_input(
    struct cli *cli, size_t size_max, struct slice *ret, struct error *err)
{
    struct strbuf text = {0};
    char bytes[4096];
    ssize_t count;
    while ((count = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0 && text.size <= size_max)
        strbuf_add(&text, bytes, (size_t)count);
    enum status status = OK;
    if (count < 0)
        status = error_set(err, ERR_IO, "standard input could not be read");
    else if (text.size > size_max)
        status = error_set(err, ERR_LIMIT, "standard input has more than %zu bytes", size_max);
    else
        *ret = slice_make(arena_strndup(cli->arena, strbuf_text(&text), text.size), text.size);
    strbuf_done(&text);
    return status;
}

enum status stored_argument(struct cli *cli, const char *word, const char **ret, struct error *err)
{
    struct slice text = {0};
    *ret = word;
    if (!str_equal(word, "-"))
        return OK;
    enum status status = read_input(cli, SETTING_VALUE_MAX, &text, err);
    if (status != OK)
        return status;
    size_t size = text.size - (text.size && text.p[text.size - 1] == '\n');
    *ret = arena_strndup(cli->arena, text.p, size);
    return OK;
}

static enum status parse_yaml(
    struct cli *cli, const char *file, struct slice text, json_t **ret, struct error *err)
{
    struct diagnostics mistakes;
    struct yaml_file yaml = {0};
    diagnostics_init(&mistakes, cli->arena);
    if (yaml_read(file, text, cli->arena, &mistakes, &yaml) != OK || yaml.count != 1) {
        cli_print_diagnostics(&mistakes, stderr);
        return error_set(err, ERR_INVALID, "%s cannot be imported", file);
    }
    *ret = yaml_to_json(yaml.documents[0]);
    return OK;
}

enum status stored_read_file(struct cli *cli, const char *path, json_t **ret, struct error *err)
{
    struct slice text;
    bool input = str_equal(path, "-");
    const char *shown = input ? "standard input" : path;
    enum status status = input ? read_input(cli, IMPORT_SIZE_MAX, &text, err)
                               : file_read(path, IMPORT_SIZE_MAX, cli->arena, &text, err);
    if (status != OK)
        return status;
    struct slice trimmed = slice_trim(text);
    status = trimmed.size && trimmed.p[0] == '{' ? json_parse(text.p, text.size, shown, ret, err)
                                                 : parse_yaml(cli, shown, text, ret, err);
    if (status == OK && !json_is_object(*ret)) {
        json_decref(*ret);
        *ret = NULL;
        error_set(err, ERR_INVALID, "%s is not a mapping of names", shown);
        error_hint(err, "see `dag %s -h` for what it looks like", cli->command->name);
        return ERR_INVALID;
    }
    return status;
}

enum status stored_write_file(
    struct cli *cli, const char *path, const json_t *tree, struct error *err)
{
    char *text = json_dumps(tree, JSON_INDENT(4) | JSON_ENSURE_ASCII);
    char *lines = arena_printf(cli->arena, "%s\n", text);
    free(text);
    if (str_equal(path, "-")) {
        fputs(lines, stdout);
        return OK;
    }
    enum status status = file_write(path, slice_of(lines), 0600, false, err);
    if (status == OK)
        fprintf(stderr, "%zu written to %s\n", json_object_size(tree), path);
    return status;
}

/* ---- acts ------------------------------------------------------------------------------------ */

json_t *stored_act(void)
{
    json_t *act = json_object();
    json_object_set_new(act, "op", json_string("settings"));
    json_object_set_new(act, "set", json_array());
    json_object_set_new(act, "delete", json_array());
    return act;
}

void stored_set(json_t *act, const char *name, const char *value, const char *description)
{
    json_t *entry = json_object();
    json_object_set_new(entry, "name", json_string(name));
    json_object_set_new(entry, "value", json_string(value));
    if (description)
        json_object_set_new(entry, "description", json_string(description));
    json_array_append_new(json_object_get(act, "set"), entry);
}

void stored_set_secret(json_t *act)
{
    json_t *set = json_object_get(act, "set");
    json_object_set_new(json_array_get(set, json_array_size(set) - 1), "secret", json_true());
}

void stored_delete(json_t *act, const char *name)
{
    json_array_append_new(json_object_get(act, "delete"), json_string(name));
}

static void tell(struct cli *cli, const json_t *outcome, const char *what)
{
    int64_t changed = json_integer_value(json_object_get(outcome, "changed"));
    if (cli->json)
        cli_print_json(outcome);
    else if (!changed)
        printf("nothing to do\n");
    else if (stored_options.dry_run)
        printf("would change %lld stored setting%s\n", (long long)changed, changed == 1 ? "" : "s");
    else
        printf("%s\n", what);
}

enum status stored_send(
    struct cli *cli, json_t *act, const char *what, bool lenient, struct error *err)
{
    json_t *outcome = NULL;
    if (lenient)
        json_object_set_new(act, "lenient", json_true());
    if (stored_options.dry_run)
        json_object_set_new(act, "dry_run", json_true());
    enum status status = cli_act(cli, act, true, &outcome, err);
    if (status == OK)
        tell(cli, outcome, what);
    json_decref(outcome);
    json_decref(act);
    return status;
}

/* ---- what there is --------------------------------------------------------------------------- */

const struct setting_record *stored_row(struct cli *cli, const char *name)
{
    static struct setting_rows rows;
    static bool read;
    struct error err;
    const char *path = path_join(cli->arena, cli->project->state, "dag.db");
    if (!read && store_read_settings_of(path, cli->arena, &rows, &err) != OK)
        rows.count = 0;
    read = true;
    for (size_t i = 0; i < rows.count; i++)
        if (str_equal(rows.at[i].name, name))
            return &rows.at[i];
    return NULL;
}

enum status stored_unknown(
    struct cli *cli, const char *what, const char *prefix, const char *name, struct error *err)
{
    const struct project *project = cli->project;
    const char **names = arena_array(cli->arena, const char *, project->setting_count);
    size_t count = 0;
    for (size_t i = 0; i < project->setting_count; i++)
        if (str_starts(project->settings[i].name, prefix))
            names[count++] = project->settings[i].name + strlen(prefix);
    error_set(err, ERR_NOT_FOUND, "there is no %s `%s`", what, name);
    const char *near = suggest(name, names, count);
    if (near)
        error_hint(err, "did you mean `%s`?", near);
    else
        error_hint(err, "`dag %s list` shows those there are", cli->command->name);
    return ERR_NOT_FOUND;
}

const char *stored_from(struct cli *cli, const struct setting *setting)
{
    return setting->source ? settings_place(setting, cli->arena) : origin_name(setting->origin);
}
