/* dag pool: pools of slots that tasks share. */
#include "cli/stored.h"
#include "daemon/client.h"
#include "daemon/settings.h"

static const struct setting *setting_of(struct cli *cli, const char *name)
{
    return project_find_setting(cli->project, arena_printf(cli->arena, "pools.%s", name));
}

static const char *description_of(struct cli *cli, const char *name)
{
    const struct setting_record *row = stored_row(cli, arena_printf(cli->arena, "pools.%s", name));
    return row && row->description ? row->description : "";
}

static void print_json(struct cli *cli, const struct pool *pool)
{
    const struct setting *setting = setting_of(cli, pool->name);
    CLEANUP(strbuf_done) struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "name", pool->name);
    json_kv_int(&w, "slots", pool->slots);
    json_kv_str(&w, "description", description_of(cli, pool->name));
    json_kv_str(&w, "origin", origin_name(setting->origin));
    json_kv_str(&w, "source", setting->source);
    json_object_end(&w);
    puts(strbuf_text(&text));
}

static void print_pools(struct cli *cli, const struct pool *pools, size_t count)
{
    static const char *const headings[] = {"POOL", "SLOTS", "FROM", "DESCRIPTION"};
    struct table table = table_begin(cli->arena, ARRAY_SIZE(headings), headings);
    for (size_t i = 0; i < count; i++) {
        if (cli->json) {
            print_json(cli, &pools[i]);
            continue;
        }
        table_add(&table, pools[i].name);
        table_add(&table, arena_printf(cli->arena, "%d", pools[i].slots));
        table_add(&table, stored_from(cli, setting_of(cli, pools[i].name)));
        table_add(&table, description_of(cli, pools[i].name));
    }
    if (!cli->json)
        table_print(&table, stdout);
}

static enum status list(struct cli *cli, struct error *err)
{
    (void)err;
    print_pools(cli, cli->project->pools, cli->project->pool_count);
    return OK;
}

static enum status get(struct cli *cli, struct error *err)
{
    const struct pool *pool = project_find_pool(cli->project, cli->args[1]);
    if (!pool)
        return stored_unknown(cli, "pool", "pools.", cli->args[1], err);
    print_pools(cli, pool, 1);
    return OK;
}

static enum status set(struct cli *cli, struct error *err)
{
    const char *name = cli->args[1];
    const char *description = cli->arg_count > 3 ? cli->args[3] : stored_options.description;
    json_t *act = stored_act();
    stored_set(act, arena_printf(cli->arena, "pools.%s", name), cli->args[2], description);
    return stored_send(cli, act, arena_printf(cli->arena, "pool `%s` is stored", name), false, err);
}

static enum status delete (struct cli *cli, struct error *err) {
    json_t *act = stored_act(); for (size_t i = 1; i < cli->arg_count; i++)
        stored_delete(act, arena_printf(cli->arena, "pools.%s", cli->args[i]));
    return stored_send(cli, act, "deleted", false, err);
}

static enum status import_one(
    struct cli *cli, json_t *act, const char *name, const json_t *pool, struct error *err)
{
    const json_t *slots = json_is_object(pool) ? json_object_get(pool, "slots") : pool;
    if (!json_is_integer(slots)) {
        error_set(err, ERR_INVALID, "pool `%s` has no `slots`", name);
        error_hint(err, "write {\"%s\": {\"slots\": 8, \"description\": \"…\"}}", name);
        return ERR_INVALID;
    }
    stored_set(act, arena_printf(cli->arena, "pools.%s", name),
        arena_printf(cli->arena, "%lld", (long long)json_integer_value(slots)),
        json_string_value(json_object_get(pool, "description")));
    return OK;
}

static enum status import(struct cli *cli, struct error *err)
{
    CLEANUP(json_decrefp) json_t *tree = NULL;
    enum status status = stored_read_file(cli, cli->args[1], &tree, err);
    json_t *act = stored_act(), *pool;
    const char *name;
    if (status == OK)
        json_object_foreach(tree, name, pool)
        {
            status = import_one(cli, act, name, pool, err);
            if (status != OK)
                break;
        }
    if (status != OK) {
        json_decref(act);
        return status;
    }
    return stored_send(cli, act,
        arena_printf(cli->arena, "%zu pools imported", json_object_size(tree)), true, err);
}

static enum status export(struct cli *cli, struct error *err) {
    CLEANUP(json_decrefp) json_t *tree = json_object();
    for (size_t i = 0; i < cli->project->pool_count; i++){
        const struct pool *pool = &cli->project->pools[i]; json_t *object = json_object();
        json_object_set_new(object, "slots", json_integer(pool->slots));
        json_object_set_new(object, "description", json_string(description_of(cli, pool->name)));
        json_object_set_new(object, "include_deferred", json_false());
        json_object_set_new(tree, pool->name, object);}
return stored_write_file(cli, cli->arg_count > 1 ? cli->args[1] : "-", tree, err);
}

static const struct verb verbs[] = {{"list", 1, 1, list}, {"get", 2, 2, get}, {"set", 3, 4, set},
    {"delete", 2, SIZE_MAX, delete}, {"import", 2, 2, import}, {"export", 1, 2, export}};

static enum status run(struct cli *cli, struct error *err)
{
    return verb_run(cli, verbs, ARRAY_SIZE(verbs), err);
}

static const struct option options[] = {
    OPTION_TEXT("description", 0, &stored_options.description, "TEXT", "set: what it is for"),
    STORED_DRY_RUN,
    OPTION_END,
};

const struct command command_pool = {
    .name = "pool",
    .arguments = "list | get NAME | set NAME SLOTS [DESCRIPTION] | delete NAME… | import FILE | "
                 "export [FILE]",
    .arguments_min = 1,
    .arguments_max = -1,
    .summary = "pools: slots that tasks share",
    .description =
        "A task takes `pool_slots` of its `pool` while it runs. `list` and `get` show the pools in "
        "force, whatever their source; `set` and `delete` change what is stored in the metadata, "
        "at once for a daemon that runs: with more slots waiting tasks start, with fewer what "
        "runs goes on. A pool that dag.yaml gives cannot be stored; `default_pool` cannot be "
        "deleted. `dag queue` shows how they are used. `import` and `export` use Airflow's JSON.",
    .examples = "dag pool list\ndag pool set heavy 2 \"one for each scratch disk\"\n"
                "dag pool export pools.json",
    .options = options,
    .project = PROJECT_NEEDED,
    .run = run,
};
