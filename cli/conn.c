/* dag conn: connections to databases. */

#include "cli/conn_test.h"
#include "cli/stored.h"
#include "daemon/settings.h"
#include "definition/context/connection_uri.h"
#include "definition/keys.h"
#include "executor/target/address.h"

static const char *dialect, *test_uri, *ledger_schema, *ledger;
static int64_t max_connections;
static struct text_list settings;

static const struct setting *setting_of(struct cli *cli, const char *name, const char *key)
{
    return project_find_setting(
        cli->project, arena_printf(cli->arena, "connections.%s.%s", name, key));
}

static const char *shown_uri(struct cli *cli, const struct connection *connection)
{
    if (connection->problem)
        return "(cannot be read)";
    return stored_options.secrets ? connection->uri
                                  : connection_uri_shown(cli->arena, connection->uri);
}

static void print_json(struct cli *cli, const struct connection *connection)
{
    const struct setting *setting = setting_of(cli, connection->name, "uri");
    CLEANUP(strbuf_done) struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "name", connection->name);
    json_kv_str(&w, "uri", shown_uri(cli, connection));
    json_kv_str(&w, "dialect", dialect_name(connection->dialect));
    json_kv_int(&w, "max_connections", connection->max_connections);
    json_key(&w, "settings");
    json_object_begin(&w);
    for (size_t i = 0; i < connection->settings.count; i++)
        json_kv_str(&w, connection->settings.at[i].name, connection->settings.at[i].text.value);
    json_object_end(&w);
    json_kv_bool(&w, "ledger", connection->ledger);
    json_kv_str(&w, "ledger_schema", connection->ledger_schema);
    json_kv_str(&w, "origin", origin_name(setting->origin));
    json_kv_str(&w, "source", setting->source);
    if (connection->problem)
        json_kv_str(&w, "problem", connection->problem);
    json_object_end(&w);
    puts(strbuf_text(&text));
}

static enum status list(struct cli *cli, struct error *err)
{
    (void)err;
    static const char *const headings[] = {"CONNECTION", "URI", "DIALECT", "SLOTS", "FROM"};
    struct table table = table_begin(cli->arena, ARRAY_SIZE(headings), headings);
    for (size_t i = 0; i < cli->project->connection_count; i++) {
        const struct connection *connection = &cli->project->connections[i];
        if (cli->json) {
            print_json(cli, connection);
            continue;
        }
        table_add(&table, connection->name);
        table_add(&table, shown_uri(cli, connection));
        table_add(&table, dialect_name(connection->dialect));
        table_add(&table, arena_printf(cli->arena, "%d", connection->max_connections));
        table_add(&table, stored_from(cli, setting_of(cli, connection->name, "uri")));
    }
    if (!cli->json && cli->project->connection_count)
        table_print(&table, stdout);
    else if (!cli->json)
        fprintf(stderr, "no connections; `dag conn set NAME URI` stores one\n");
    return OK;
}

static enum status get(struct cli *cli, struct error *err)
{
    const struct connection *connection = project_find_connection(cli->project, cli->args[1]);
    if (!connection)
        return stored_unknown(cli, "connection", "connections.", cli->args[1], err);
    if (cli->json) {
        print_json(cli, connection);
        return OK;
    }
    for (size_t i = 0; i < connection_level.count; i++) {
        const char *key = connection_level.keys[i].name;
        const struct setting *setting = setting_of(cli, connection->name, key);
        if (setting)
            printf("%-16s %s  (%s)\n", key,
                str_equal(key, "uri") ? shown_uri(cli, connection) : setting->value,
                stored_from(cli, setting));
    }
    for (size_t i = 0; i < connection->settings.count; i++)
        printf("%-16s %s = %s\n", i ? "" : "settings", connection->settings.at[i].name,
            connection->settings.at[i].text.value);
    if (connection->problem)
        return stored_unreadable("connection", connection->name, connection->problem, err);
    return OK;
}

/* ---- storing --------------------------------------------------------------------------------- */

static void set_key(
    struct cli *cli, json_t *act, const char *name, const char *key, const char *value)
{
    if (value)
        stored_set(act, arena_printf(cli->arena, "connections.%s.%s", name, key), value, NULL);
}

static enum status set_settings(struct cli *cli, json_t *act, const char *name, struct error *err)
{
    for (size_t i = 0; i < settings.count; i++) {
        const char *equals = strchr(settings.at[i], '=');
        if (!equals)
            return error_set(
                err, ERR_USAGE, "--setting wants NAME=VALUE, not `%s`", settings.at[i]);
        set_key(cli, act, name,
            arena_printf(
                cli->arena, "settings.%.*s", (int)(equals - settings.at[i]), settings.at[i]),
            equals + 1);
    }
    return OK;
}

/* What libpq can read; of anything else it would complain when a task runs. */
static enum status check_uri(const char *name, const char *uri, struct error *err)
{
    if (address_valid(uri, err))
        return OK;
    char message[ERROR_MESSAGE_SIZE];
    snprintf(message, sizeof(message), "%s", err->message);
    error_set(err, ERR_INVALID, "the address of `%s` cannot be read: %s", name, message);
    error_hint(err, "write postgresql://user:password@host:5432/database, or host=… dbname=…");
    return ERR_INVALID;
}

static enum status set(struct cli *cli, struct error *err)
{
    const char *name = cli->args[1], *uri = NULL;
    json_t *act = stored_act();
    enum status status = OK;
    if (cli->arg_count > 2) {
        status = stored_argument(cli, cli->args[2], &uri, err);
        if (status == OK)
            status = check_uri(name, uri, err);
    }
    if (status == OK)
        status = set_settings(cli, act, name, err);
    set_key(cli, act, name, "uri", uri);
    set_key(cli, act, name, "dialect", dialect);
    set_key(cli, act, name, "test_uri", test_uri);
    set_key(cli, act, name, "ledger", ledger);
    set_key(cli, act, name, "ledger_schema", ledger_schema);
    if (max_connections)
        set_key(cli, act, name, "max_connections",
            arena_printf(cli->arena, "%lld", (long long)max_connections));
    if (status == OK && !json_array_size(json_object_get(act, "set")))
        status = error_set(err, ERR_USAGE,
            "nothing to store: give a URI, or an option such as "
            "--dialect");
    if (status != OK) {
        json_decref(act);
        return status;
    }
    return stored_send(
        cli, act, arena_printf(cli->arena, "connection `%s` is stored", name), false, err);
}

static enum status delete (struct cli *cli, struct error *err) {
    json_t *act = stored_act(); for (size_t i = 1; i < cli->arg_count; i++)
        stored_delete(act, arena_printf(cli->arena, "connections.%s.", cli->args[i]));
    return stored_send(cli, act, "deleted", false, err);
}

static enum status rotate_key(struct cli *cli, struct error *err)
{
    json_t *act = stored_act();
    json_object_set_new(act, "rotate", json_true());
    return stored_send(cli, act, "all stored secrets are sealed with a new key", false, err);
}

/* ---- import and export ----------------------------------------------------------------------- */

static const char *scalar_text(struct cli *cli, const json_t *value)
{
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_integer(value))
        return arena_printf(cli->arena, "%lld", (long long)json_integer_value(value));
    return json_is_boolean(value) ? (json_is_true(value) ? "true" : "false") : NULL;
}

static enum status import_one(
    struct cli *cli, json_t *act, const char *name, const json_t *value, struct error *err)
{
    const char *uri = NULL;
    enum status status = address_read(cli->arena, name, value, &uri, err);
    if (status == OK)
        status = check_uri(name, uri, err);
    if (status != OK)
        return status;
    set_key(cli, act, name, "uri", uri);
    for (size_t i = 0; json_is_object(value) && i < connection_level.count; i++) {
        const char *key = connection_level.keys[i].name;
        if (!str_equal(key, "uri"))
            set_key(cli, act, name, key, scalar_text(cli, json_object_get(value, key)));
    }
    const char *key;
    json_t *setting;
    json_object_foreach(json_object_get(value, "settings"), key, setting) set_key(
        cli, act, name, arena_printf(cli->arena, "settings.%s", key), scalar_text(cli, setting));
    return OK;
}

static enum status import(struct cli *cli, struct error *err)
{
    CLEANUP(json_decrefp) json_t *tree = NULL;
    enum status status = str_ends(cli->args[1], ".env")
                             ? address_read_env(cli->arena, cli->args[1], &tree, err)
                             : stored_read_file(cli, cli->args[1], &tree, err);
    json_t *act = stored_act(), *value;
    const char *name;
    if (status == OK)
        json_object_foreach(tree, name, value)
        {
            status = import_one(cli, act, name, value, err);
            if (status != OK)
                break;
        }
    if (status != OK) {
        json_decref(act);
        return status;
    }
    return stored_send(cli, act,
        arena_printf(cli->arena, "%zu connections imported", json_object_size(tree)), true, err);
}

/* What Airflow's form has no place for, as dag.yaml names it. */
static void export_rest(struct cli *cli, json_t *object, const struct connection *connection)
{
    static const char *const keys[] = {"dialect", "max_connections", "ledger", "ledger_schema"};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        const struct setting *setting = setting_of(cli, connection->name, keys[i]);
        if (setting && setting->origin != ORIGIN_DEFAULT)
            json_object_set_new(object, keys[i], json_string(setting->value));
    }
    if (!connection->settings.count)
        return;
    json_t *all = json_object();
    for (size_t i = 0; i < connection->settings.count; i++)
        json_object_set_new(all, connection->settings.at[i].name,
            json_string(connection->settings.at[i].text.value));
    json_object_set_new(object, "settings", all);
}

static enum status export(struct cli *cli, struct error *err) {
    CLEANUP(json_decrefp) json_t *tree = json_object(); size_t without = 0;
    for (size_t i = 0; i < cli->project->connection_count; i++){
        const struct connection *connection = &cli->project->connections[i]; bool hidden = false;
        if (connection->problem) return stored_unreadable(
            "connection", connection->name, connection->problem, err);
        json_t *object = address_write(
            cli->arena, connection->uri, stored_options.secrets, &hidden);
        without += hidden; export_rest(cli, object, connection);
        json_object_set_new(tree, connection->name, object);}
if (without) fprintf(stderr, "%zu password%s left out: --secrets writes them in clear\n", without,
    without == 1 ? " is" : "s are");
return stored_write_file(cli, cli->arg_count > 1 ? cli->args[1] : "-", tree, err);
}

/* ---- testing --------------------------------------------------------------------------------- */

static enum status test(struct cli *cli, struct error *err)
{
    const struct project *project = cli->project;
    size_t count = cli->arg_count > 1 ? cli->arg_count - 1 : project->connection_count;
    const struct connection **all = arena_array(cli->arena, const struct connection *, count);
    if (!count) {
        error_set(err, ERR_NOT_FOUND, "there are no connections");
        error_hint(err, "`dag conn set NAME URI` stores one");
        return ERR_NOT_FOUND;
    }
    for (size_t i = 0; i < count; i++) {
        all[i] = cli->arg_count > 1 ? project_find_connection(project, cli->args[i + 1])
                                    : &project->connections[i];
        if (!all[i])
            return stored_unknown(cli, "connection", "connections.", cli->args[i + 1], err);
    }
    return conn_test(cli, all, count, err);
}

/* ---- the command ----------------------------------------------------------------------------- */

static const struct verb verbs[] = {{"list", 1, 1, list}, {"get", 2, 2, get}, {"set", 2, 3, set},
    {"delete", 2, SIZE_MAX, delete}, {"import", 2, 2, import}, {"export", 1, 2, export},
    {"rotate-key", 1, 1, rotate_key}, {"test", 1, SIZE_MAX, test}};

static enum status run(struct cli *cli, struct error *err)
{
    return verb_run(cli, verbs, ARRAY_SIZE(verbs), err);
}

static const struct option options[] = {
    OPTION_TEXT("dialect", 0, &dialect, "D", "set: postgresql, greenplum6 or greenplum7"),
    OPTION_INT("max-connections", 0, &max_connections, "N", "set: tasks on it at the same time"),
    OPTION_LIST("setting", 0, &settings, "NAME=VALUE", "set: SET LOCAL in every task"),
    OPTION_TEXT("test-uri", 0, &test_uri, "URI", "set: where `dag test` makes its databases"),
    OPTION_TEXT("ledger", 0, &ledger, "true|false", "set: whether tasks are recorded there"),
    OPTION_TEXT("ledger-schema", 0, &ledger_schema, "NAME", "set: in which schema"),
    OPTION_FLAG(
        "secrets", 0, &stored_options.secrets, "list, get, export: passwords in clear as well"),
    STORED_DRY_RUN,
    OPTION_END,
};

const struct command command_conn = {
    .name = "conn",
    .arguments = "list | get NAME | set NAME [URI] | delete NAME… | test [NAME…] | import FILE | "
                 "export [FILE] | rotate-key",
    .arguments_min = 1,
    .arguments_max = -1,
    .summary = "connections to databases",
    .description =
        "`list` and `get` show the connections in force, whatever their source, without "
        "passwords. `set` and `delete` change what is stored in the metadata, at once for a daemon "
        "that runs; what the environment (DAG_CONN_<NAME>) or dag.yaml gives cannot be stored, but "
        "keys that they leave out can: a password need not be in a file. URI is a libpq URI or "
        "conninfo text, `-` reads it from standard input. Addresses are sealed with the key in the "
        "state directory (`key`, made when it is needed; DAG_KEY and DAG_KEY_FILE go before it); "
        "`rotate-key` seals everything with a new one. `test` tries connections (default: all) as "
        "a "
        "task would use them, the ledger and `settings` included, within half a minute, and says "
        "what is wrong and what to do; exit status 1 when one fails. `import` and `export` use "
        "Airflow's JSON; "
        "`import` also reads YAML and .env files.",
    .examples = "dag conn list\ndag conn test greenplum\n"
                "dag conn set greenplum postgresql://etl:secret@mdw:5432/geolife "
                "--dialect greenplum6\n"
                "dag conn import connections.json  # of `airflow connections export`\n"
                "dag conn export --secrets all.json\ndag conn rotate-key",
    .options = options,
    .project = PROJECT_NEEDED,
    .run = run,
};
