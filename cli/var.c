/* dag var: variables, `var.value.NAME` in templates. */
#include "cli/stored.h"
#include "daemon/settings.h"

static bool secret;
static const char *fallback;

static const struct setting *setting_of(struct cli *cli, const char *name)
{
    return project_find_setting(cli->project, arena_printf(cli->arena, "variables.%s", name));
}

static const char *shown_value(const struct variable *variable)
{
    if (variable->problem)
        return "(cannot be read)";
    return variable->secret && !stored_options.secrets ? "***" : variable->value;
}

static const char *description_of(struct cli *cli, const char *name)
{
    const struct setting_record *row =
        stored_row(cli, arena_printf(cli->arena, "variables.%s", name));
    return row ? row->description : NULL;
}

static void print_json(struct cli *cli, const struct variable *variable)
{
    const struct setting *setting = setting_of(cli, variable->name);
    CLEANUP(strbuf_done) struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "name", variable->name);
    json_kv_str(&w, "value", shown_value(variable));
    json_kv_bool(&w, "secret", variable->secret);
    json_kv_str(&w, "description", description_of(cli, variable->name));
    json_kv_str(&w, "origin", origin_name(setting->origin));
    json_kv_str(&w, "source", setting->source);
    if (variable->problem)
        json_kv_str(&w, "problem", variable->problem);
    json_object_end(&w);
    puts(strbuf_text(&text));
}

static enum status list(struct cli *cli, struct error *err)
{
    (void)err;
    static const char *const headings[] = {"VARIABLE", "VALUE", "FROM", "DESCRIPTION"};
    struct table table = table_begin(cli->arena, ARRAY_SIZE(headings), headings);
    for (size_t i = 0; i < cli->project->variable_count; i++) {
        const struct variable *variable = &cli->project->variables[i];
        if (cli->json) {
            print_json(cli, variable);
            continue;
        }
        table_add(&table, variable->name);
        table_add(&table, shown_value(variable));
        table_add(&table, stored_from(cli, setting_of(cli, variable->name)));
        table_add(&table, description_of(cli, variable->name));
    }
    if (!cli->json && cli->project->variable_count)
        table_print(&table, stdout);
    else if (!cli->json)
        fprintf(stderr, "no variables; `dag var set NAME VALUE` stores one\n");
    return OK;
}

static enum status get(struct cli *cli, struct error *err)
{
    const struct variable *variable = project_find_variable(cli->project, cli->args[1]);
    if (!variable && fallback) {
        puts(fallback);
        return OK;
    }
    if (!variable)
        return stored_unknown(cli, "variable", "variables.", cli->args[1], err);
    if (variable->problem)
        return stored_unreadable("variable", variable->name, variable->problem, err);
    if (cli->json)
        print_json(cli, variable);
    else
        puts(shown_value(variable));
    if (variable->secret && !stored_options.secrets)
        fprintf(stderr, "it is a secret: --secrets shows it\n");
    return OK;
}

static enum status set(struct cli *cli, struct error *err)
{
    const char *name = cli->args[1], *value;
    enum status status = stored_argument(cli, cli->args[2], &value, err);
    if (status != OK)
        return status;
    json_t *act = stored_act();
    stored_set(
        act, arena_printf(cli->arena, "variables.%s", name), value, stored_options.description);
    if (secret)
        stored_set_secret(act);
    return stored_send(
        cli, act, arena_printf(cli->arena, "variable `%s` is stored", name), false, err);
}

static enum status delete (struct cli *cli, struct error *err) {
    json_t *act = stored_act(); for (size_t i = 1; i < cli->arg_count; i++)
        stored_delete(act, arena_printf(cli->arena, "variables.%s", cli->args[i]));
    return stored_send(cli, act, "deleted", false, err);
}

/* Airflow keeps what is not a text as its JSON. */
static const char *imported_text(struct cli *cli, const json_t *value)
{
    if (json_is_string(value))
        return json_string_value(value);
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_tree(&w, value);
    const char *copy = strbuf_to_arena(&text, cli->arena);
    strbuf_done(&text);
    return copy;
}

/* {"value": …, "description": …}, as Airflow writes a variable that has a description. */
static bool is_described(const json_t *value)
{
    size_t known = (json_object_get(value, "value") != NULL) +
                   (json_object_get(value, "description") != NULL) +
                   (json_object_get(value, "secret") != NULL);
    return json_object_get(value, "value") && json_object_size(value) == known && known > 1;
}

static enum status import(struct cli *cli, struct error *err)
{
    CLEANUP(json_decrefp) json_t *tree = NULL;
    enum status status = stored_read_file(cli, cli->args[1], &tree, err);
    if (status != OK)
        return status;
    json_t *act = stored_act(), *value;
    const char *name;
    json_object_foreach(tree, name, value)
    {
        bool described = is_described(value);
        const json_t *inner = described ? json_object_get(value, "value") : value;
        stored_set(act, arena_printf(cli->arena, "variables.%s", name), imported_text(cli, inner),
            described ? json_string_value(json_object_get(value, "description")) : NULL);
        if (described && json_is_true(json_object_get(value, "secret")))
            stored_set_secret(act);
    }
    return stored_send(cli, act,
        arena_printf(cli->arena, "%zu variables imported", json_object_size(tree)), true, err);
}

static json_t *exported(struct cli *cli, const struct variable *variable)
{
    json_t *value = NULL;
    struct error ignored;
    const char *description = description_of(cli, variable->name);
    bool named_secret = name_is_sensitive(variable->name);
    if (json_parse(variable->value, strlen(variable->value), NULL, &value, &ignored) != OK)
        value = json_string(variable->value);
    if (!description && (!variable->secret || named_secret))
        return value;
    json_t *object = json_object();
    json_object_set_new(object, "value", value);
    if (description)
        json_object_set_new(object, "description", json_string(description));
    if (variable->secret && !named_secret)
        json_object_set_new(object, "secret", json_true());
    return object;
}

static enum status export(struct cli *cli, struct error *err) {
    CLEANUP(json_decrefp) json_t *tree = json_object(); size_t left_out = 0;
    for (size_t i = 0; i < cli->project->variable_count; i++){
        const struct variable *variable = &cli->project->variables[i];
        bool shown = !variable->problem && (!variable->secret || stored_options.secrets);
        left_out += !shown;
        if (shown) json_object_set_new(tree, variable->name, exported(cli, variable));}
if (left_out) fprintf(stderr, "%zu secret variable%s left out: --secrets writes them in clear\n",
    left_out, left_out == 1 ? " is" : "s are");
return stored_write_file(cli, cli->arg_count > 1 ? cli->args[1] : "-", tree, err);
}

static const struct verb verbs[] = {{"list", 1, 1, list}, {"get", 2, 2, get}, {"set", 3, 3, set},
    {"delete", 2, SIZE_MAX, delete}, {"import", 2, 2, import}, {"export", 1, 2, export}};

static enum status run(struct cli *cli, struct error *err)
{
    return verb_run(cli, verbs, ARRAY_SIZE(verbs), err);
}

static const struct option options[] = {
    OPTION_FLAG("secret", 0, &secret, "set: seal the value, and never show it"),
    OPTION_TEXT("description", 0, &stored_options.description, "TEXT", "set: what it is for"),
    OPTION_TEXT("default", 0, &fallback, "VALUE", "get: what to print when there is none"),
    OPTION_FLAG(
        "secrets", 0, &stored_options.secrets, "list, get, export: secrets in clear as well"),
    STORED_DRY_RUN,
    OPTION_END,
};

const struct command command_var = {
    .name = "var",
    .arguments = "list | get NAME | set NAME VALUE | delete NAME… | import FILE | export [FILE]",
    .arguments_min = 1,
    .arguments_max = -1,
    .summary = "variables: values for templates",
    .description =
        "Variables are `var.value.NAME` and `var.json.NAME` in templates. `list` and `get` show "
        "those in force, whatever their source; `set` and `delete` change what is stored in the "
        "metadata, at once for a daemon that runs. A name that the environment (DAG_VAR_<NAME>) or "
        "dag.yaml gives cannot be stored. VALUE `-` reads standard input. Secrets (--secret, and "
        "names such as api_key that Airflow would mask) are sealed with the key in the state "
        "directory. `import` and `export` use Airflow's JSON: {\"NAME\": VALUE}; `export` writes "
        "what is in force.",
    .examples = "dag var list\ndag var set threshold 0.8\n"
                "pass show api | dag var set api_key -  # a secret stays out of the history\n"
                "dag var export variables.json\ndag var import variables.json --dry-run",
    .options = options,
    .project = PROJECT_NEEDED,
    .run = run,
};
