/* From the tree of settings to the project, and to the list that `dag config` shows. */
#include <ctype.h>
#include "base/clock.h"
#include "definition/report.h"
#include "definition/setting.h"
#include "language/sql/tables.h"
#include "language/timetable/zone.h"

static struct keys_reader reader_of(struct settling *s)
{
    return (struct keys_reader){s->arena, s->diagnostics, 0, false};
}

bool settling_check_name(struct settling *s, const struct yaml_node *key, const char *what)
{
    bool ok = key->value.size > 0 && key->value.size <= 250;
    for (size_t i = 0; i < key->value.size; i++)
        ok &= isalnum((unsigned char)key->value.p[i]) || key->value.p[i] == '_' ||
              key->value.p[i] == '-';
    if (!ok)
        report_hint(report(s->diagnostics, key, ERR_BAD_NAME, "`%s` cannot be the name of a %s",
                        key->value.p, what),
            "use letters, digits, `_` and `-`, at most 250 of them");
    return ok;
}

static void read_connection(
    struct settling *s, const struct yaml_pair *pair, struct connection *ret)
{
    struct connection_keys keys = {.connection = {.uri = "",
                                       .max_connections = 8,
                                       .ledger = true,
                                       .ledger_schema = "dag",
                                       .origin = settling_origin(s, pair->key)}};
    struct keys_given given;
    struct keys_reader reader = reader_of(s);
    settling_check_name(s, pair->key, "connection");
    keys_read(&reader, &connection_level, pair->value, &keys, &given);
    keys.connection.name = arena_strdup(s->arena, pair->key->value.p);
    const struct yaml_node *uri = keys_given_value(&given, &connection_level, "uri");
    if (uri)
        keys.connection.origin = settling_origin(s, uri);
    keys.connection.problem = settling_problem(s, uri);
    *ret = keys.connection;
}

static void read_connections(struct settling *s, const struct yaml_node *node)
{
    size_t count = node ? node->count : 0;
    struct connection *all = arena_array(s->arena, struct connection, count);
    for (size_t i = 0; i < count; i++)
        read_connection(s, &node->pairs[i], &all[i]);
    s->project->connections = all;
    s->project->connection_count = count;
}

static void read_pools(struct settling *s, const struct yaml_node *node)
{
    static const struct key slots = {"slots", KEY_INT, 0, 0, NULL, NULL, NULL, 1, 1000000, 0};
    size_t count = node ? node->count : 0;
    struct pool *all = arena_array(s->arena, struct pool, count + 1);
    struct keys_reader reader = reader_of(s);
    bool has_default = yaml_get(node, "default_pool") != NULL;
    s->project->pools = all;
    if (!has_default)
        *all++ = (struct pool){"default_pool", 128};
    for (size_t i = 0; i < count; i++) {
        struct key key = slots;
        key.name = node->pairs[i].key->value.p;
        settling_check_name(s, node->pairs[i].key, "pool");
        all[i].name = arena_strdup(s->arena, key.name);
        keys_read_value(&reader, &key, node->pairs[i].value, &all[i].slots);
    }
    s->project->pool_count = count + !has_default;
}

static const char *value_text(struct settling *s, const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR)
        return arena_strndup(
            s->arena, node->value.p, node->type == YAML_NULL ? 0 : node->value.size);
    CLEANUP(json_decrefp) json_t *json = yaml_to_json(node);
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_tree(&w, json);
    char *copy = strbuf_to_arena(&text, s->arena);
    strbuf_done(&text);
    return copy;
}

/* {value: …} or {value: …, secret: true}; any other mapping is itself the value. */
static bool is_declaration(const struct yaml_node *node)
{
    bool known = node->kind == YAML_MAPPING && node->count > 0;
    for (size_t i = 0; known && i < node->count; i++)
        known = level_find(&variable_level, node->pairs[i].key->value) != NULL;
    return known;
}

static void read_variable(struct settling *s, const struct yaml_pair *pair, struct variable *ret)
{
    struct variable_keys keys = {.value = pair->value};
    struct keys_reader reader = reader_of(s);
    if (is_declaration(pair->value))
        keys_read(&reader, &variable_level, pair->value, &keys, NULL);
    const char *name = pair->key->value.p;
    *ret = (struct variable){.name = arena_strdup(s->arena, name),
        .value = value_text(s, keys.value),
        .secret = keys.secret || name_is_sensitive(name) || settling_is_hidden(s, keys.value),
        .origin = settling_origin(s, keys.value),
        .problem = settling_problem(s, keys.value)};
}

static void read_variables(struct settling *s, const struct yaml_node *node)
{
    size_t count = node ? node->count : 0;
    struct variable *all = arena_array(s->arena, struct variable, count);
    for (size_t i = 0; i < count; i++)
        read_variable(s, &node->pairs[i], &all[i]);
    s->project->variables = all;
    s->project->variable_count = count;
}

/* Each of a function's tables must be a name; `key` is "reads" or "writes". */
static void check_tables(
    struct settling *s, const struct yaml_pair *pair, const char *key, const struct names *tables)
{
    for (size_t i = 0; i < tables->count; i++)
        if (!sql_function_table_is_name(tables->at[i], s->scratch))
            report_hint(report(s->diagnostics, yaml_get(pair->value, key), ERR_BAD_NAME,
                            "`%s` is not the name of a table", tables->at[i]),
                "write mart.days, $1 for the first argument, or $1_summary");
}

static void read_function(
    struct settling *s, const struct yaml_pair *pair, struct sql_function *ret)
{
    struct function_keys keys = {0};
    struct keys_reader reader = reader_of(s);
    struct sql_table name = {0};
    keys_read(&reader, &function_level, pair->value, &keys, NULL);
    if (!sql_table_read(pair->key->value, s->arena, &name))
        report_hint(report(s->diagnostics, pair->key, ERR_BAD_NAME,
                        "`%s` cannot be the name of a function", pair->key->value.p),
            "write it as SQL does, without arguments: mart.refresh");
    check_tables(s, pair, "reads", &keys.reads);
    check_tables(s, pair, "writes", &keys.writes);
    *ret = (struct sql_function){.schema = name.schema,
        .name = name.name,
        .reads = keys.reads.at,
        .read_count = keys.reads.count,
        .writes = keys.writes.at,
        .write_count = keys.writes.count};
}

static void read_functions(struct settling *s, const struct yaml_node *node)
{
    size_t count = node ? node->count : 0;
    struct sql_function *all = arena_array(s->arena, struct sql_function, count);
    struct sql_functions *functions = arena_new_of(s->arena, struct sql_functions);
    for (size_t i = 0; i < count; i++)
        read_function(s, &node->pairs[i], &all[i]);
    *functions = (struct sql_functions){all, count};
    s->project->functions = functions;
}

static void read_web(struct settling *s, const struct yaml_node *node)
{
    struct web_keys keys = {.listen = "127.0.0.1:8080"};
    struct keys_reader reader = reader_of(s);
    if (node)
        keys_read(&reader, &web_level, node, &keys, NULL);
    s->project->web_listen = keys.listen;
    const char *colon = strrchr(keys.listen, ':');
    int64_t port;
    bool ok = colon && parse_int64(slice_of(colon + 1), &port) && port >= 0 && port <= 65535;
    const struct yaml_node *listen = yaml_get(node, "listen");
    if (!ok && listen)
        report_hint(report(s->diagnostics, listen, ERR_VALUE_RANGE,
                        "`listen` is not an address and a port"),
            "write 127.0.0.1:8080 or [::1]:8080");
}

/* An environment's state is beside the others', unless its own file, a flag or the environment says
   where. */
const char *settling_state(struct settling *s, const char *state)
{
    const struct project *project = s->project;
    const struct yaml_node *node = yaml_get(s->tree, "state");
    char *own =
        project->environment ? arena_printf(s->scratch, "dag.%s.yaml", project->environment) : NULL;
    bool said = node && (settling_origin(s, node) < ORIGIN_FILE ||
                            (own && str_equal(node->source->file, own)));
    char *path = path_join(s->arena, project->root, state);
    if (project->environment && !said)
        path = path_join(s->arena, path, project->environment);
    return path_absolute(s->arena, path);
}

static void check_zone(struct settling *s)
{
    const struct zone *zone;
    struct error error;
    const struct yaml_node *node = yaml_get(s->tree, "timezone");
    if (zone_load(s->project->timezone, &zone, &error) == OK)
        return;
    struct diagnostic *d = report_from(s->diagnostics, node ? node : s->tree, &error, NULL);
    report_hint(d, "%s", error.hint);
}

void settling_read(struct settling *s)
{
    struct project_keys keys = {.project = {.dags = "dags",
                                    .templates = "templates",
                                    .migrations = "migrations",
                                    .tests = "tests",
                                    .timezone = "UTC",
                                    .max_processes = 32,
                                    .retention_us = 90 * US_PER_DAY},
        .state = ".dag"};
    struct keys_reader reader = reader_of(s);
    keys_read(&reader, &project_level, s->tree, &keys, NULL);
    struct project *project = s->project;
    keys.project.arena = project->arena;
    keys.project.root = project->root;
    keys.project.environment = project->environment;
    keys.project.bare = s->options->bare;
    *project = keys.project;
    project->state = settling_state(s, keys.state);
    read_connections(s, keys.connections);
    read_pools(s, keys.pools);
    read_variables(s, keys.variables);
    read_functions(s, keys.functions);
    settling_endpoints(s, keys.endpoints);
    settling_registry(s, keys.models);
    read_web(s, keys.web);
    check_zone(s);
}

/* ---- the list ---- */

typedef VEC(struct setting) setting_list;

static void add_setting(struct settling *s, setting_list *list, const char *name,
    const struct yaml_node *node, const char *value)
{
    struct setting setting = {.name = arena_strdup(s->arena, name),
        .value = arena_strdup(s->arena, value),
        .origin = ORIGIN_DEFAULT};
    if (node) {
        setting.origin = settling_origin(s, node);
        setting.source = arena_strdup(s->arena, node->source->file);
        setting.line = setting.origin == ORIGIN_FILE ? node->line : 0;
        setting.column = setting.origin == ORIGIN_FILE ? node->column : 0;
    }
    vec_push(list, setting);
}

static const char *shown_value(
    struct settling *s, const struct key *key, const struct yaml_node *node)
{
    if (!node)
        return key->fallback ? key->fallback : "";
    const char *text = value_text(s, node);
    if (settling_is_hidden(s, node))
        return "***";
    return key->flags & KEY_SECRET ? connection_uri_shown(s->scratch, text) : text;
}

static void list_level(struct settling *s, setting_list *list, const struct level *level,
    const char *prefix, const struct yaml_node *mapping)
{
    for (size_t i = 0; i < level->count; i++) {
        const struct key *key = &level->keys[i];
        const struct yaml_node *node = yaml_get(mapping, key->name);
        if (key->type == KEY_TEXT_MAP) {
            for (size_t j = 0; node && j < node->count; j++)
                add_setting(s, list,
                    arena_printf(
                        s->scratch, "%s%s.%s", prefix, key->name, node->pairs[j].key->value.p),
                    node->pairs[j].value, value_text(s, node->pairs[j].value));
        } else if (key->type != KEY_MAPPING) {
            add_setting(s, list, arena_printf(s->scratch, "%s%s", prefix, key->name), node,
                shown_value(s, key, node));
        }
    }
}

/* A section whose mappings have names: "connections.NAME.". */
static void list_named(
    struct settling *s, setting_list *list, const struct level *level, const char *section)
{
    const struct yaml_node *node = yaml_get(s->tree, section);
    for (size_t i = 0; node && i < node->count; i++)
        list_level(s, list, level,
            arena_printf(s->scratch, "%s.%s.", section, node->pairs[i].key->value.p),
            node->pairs[i].value);
}

static void list_pools(struct settling *s, setting_list *list)
{
    for (size_t i = 0; i < s->project->pool_count; i++) {
        const struct pool *pool = &s->project->pools[i];
        add_setting(s, list, arena_printf(s->scratch, "pools.%s", pool->name),
            yaml_get(yaml_get(s->tree, "pools"), pool->name),
            arena_printf(s->scratch, "%d", pool->slots));
    }
}

static void list_variables(struct settling *s, setting_list *list)
{
    const struct yaml_node *node = yaml_get(s->tree, "variables");
    for (size_t i = 0; i < s->project->variable_count; i++) {
        const struct variable *variable = &s->project->variables[i];
        const struct yaml_node *value = node->pairs[i].value;
        if (is_declaration(value))
            value = yaml_get(value, "value");
        add_setting(s, list, arena_printf(s->scratch, "variables.%s", variable->name), value,
            variable->secret ? "***" : variable->value);
    }
}

void settling_list(struct settling *s)
{
    setting_list list = {0};
    list_level(s, &list, &project_level, "", s->tree);
    list_level(s, &list, &web_level, "web.", yaml_get(s->tree, "web"));
    if (s->project->registry)
        list_level(s, &list, &registry_level, "models.", yaml_get(s->tree, "models"));
    list_named(s, &list, &connection_level, "connections");
    list_named(s, &list, &endpoint_level, "endpoints");
    list_pools(s, &list);
    list_variables(s, &list);
    list_named(s, &list, &function_level, "functions");
    s->project->settings = arena_memdup(s->arena, list.at, list.count * sizeof(*list.at));
    s->project->setting_count = list.count;
    vec_done(&list);
}
