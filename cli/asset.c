/* Assets: who makes them, who is scheduled on them, their events and what is queued. */
#include <stdlib.h>
#include "base/vec.h"
#include "cli/cli.h"

static const char *extra_text;
static bool dry_run;
static int64_t limit = 25;

/* One asset as the DAGs name it. */
struct asset {
    const char *name;
    VEC(const char *) makers, readers, consumers; /* "dag.task", "dag.task", "dag" */
    int64_t last_us;                              /* newest event; TIME_NONE = none */
};

struct assets {
    struct arena *arena;
    VEC(struct asset) at;
    struct dag **dags;
    size_t dag_count;
};

static void assets_done(struct assets *all)
{
    vec_each (asset, &all->at) {
        vec_done(&asset->makers);
        vec_done(&asset->readers);
        vec_done(&asset->consumers);
    }
    vec_done(&all->at);
    for (size_t i = 0; i < all->dag_count; i++)
        dag_unref(all->dags[i]);
}

static struct asset *asset_of(struct assets *all, const char *name)
{
    vec_each (asset, &all->at)
        if (str_equal(asset->name, name))
            return asset;
    struct asset *asset = vec_add(&all->at);
    *asset = (struct asset){.name = arena_strdup(all->arena, name), .last_us = TIME_NONE};
    return asset;
}

static void add_dag(struct assets *all, const struct dag *dag)
{
    for (uint32_t i = 0; i < dag->task_count; i++) {
        const struct task *task = &dag->tasks[i];
        const char *name = arena_printf(all->arena, "%s.%s", dag->dag_id, task->task_id);
        for (size_t n = 0; n < task->data->outlets.count; n++)
            vec_push(&asset_of(all, task->data->outlets.at[n])->makers, name);
        for (size_t n = 0; n < task->data->inlets.count; n++)
            vec_push(&asset_of(all, task->data->inlets.at[n])->readers, name);
    }
    for (size_t n = 0; n < dag->asset_names.count; n++)
        vec_push(&asset_of(all, dag->asset_names.at[n])->consumers, dag->dag_id);
}

static int compare_assets(const void *a, const void *b)
{
    return strcmp(((const struct asset *)a)->name, ((const struct asset *)b)->name);
}

/* The store when there is one: before the first run there are no events. */
static struct store *find_reader(struct cli *cli)
{
    struct store *reader = NULL;
    struct error ignored;
    return cli_reader(cli, &reader, &ignored) == OK ? reader : NULL;
}

static enum status load_assets(struct cli *cli, struct assets *all, struct error *err)
{
    all->arena = cli->arena;
    enum status status = cli_load_all(cli, &all->dags, &all->dag_count, err);
    for (size_t i = 0; status == OK && i < all->dag_count; i++)
        add_dag(all, all->dags[i]);
    if (all->at.count)
        qsort(all->at.at, all->at.count, sizeof(*all->at.at), compare_assets);
    struct store *reader = find_reader(cli);
    for (size_t i = 0; status == OK && reader && i < all->at.count; i++) {
        struct asset_event_rows rows;
        status = store_read_asset_events(reader, all->at.at[i].name, 1, cli->arena, &rows, err);
        if (status == OK && rows.count)
            all->at.at[i].last_us = rows.at[0].at_us;
    }
    return status;
}

/* ---- list ---- */

static const char *joined(struct cli *cli, const char *const *names, size_t count)
{
    struct strbuf text = {0};
    for (size_t i = 0; i < count; i++)
        strbuf_printf(&text, "%s%s", i ? ", " : "", names[i]);
    const char *result = strbuf_to_arena(&text, cli->arena);
    strbuf_done(&text);
    return result;
}

static void write_names(
    struct json_writer *w, const char *key, const char *const *names, size_t count)
{
    json_key(w, key);
    json_array_begin(w);
    for (size_t i = 0; i < count; i++)
        json_str(w, names[i]);
    json_array_end(w);
}

static void print_asset_json(const struct asset *asset)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "asset", asset->name);
    write_names(&w, "made_by", asset->makers.at, asset->makers.count);
    write_names(&w, "read_by", asset->readers.at, asset->readers.count);
    write_names(&w, "schedules", asset->consumers.at, asset->consumers.count);
    json_kv_time(&w, "last_event", asset->last_us);
    json_object_end(&w);
    puts(strbuf_text(&text));
    strbuf_done(&text);
}

static enum status list(struct cli *cli, struct error *err)
{
    static const char *const headings[] = {"ASSET", "MADE BY", "SCHEDULES", "LAST EVENT"};
    struct assets all = {0};
    struct table table = table_begin(cli->arena, ARRAY_SIZE(headings), headings);
    enum status status = load_assets(cli, &all, err);
    for (size_t i = 0; status == OK && i < all.at.count; i++) {
        const struct asset *asset = &all.at.at[i];
        if (cli->json) {
            print_asset_json(asset);
            continue;
        }
        table_add(&table, asset->name);
        table_add(&table, joined(cli, asset->makers.at, asset->makers.count));
        table_add(&table, joined(cli, asset->consumers.at, asset->consumers.count));
        table_add(&table, cli_time(cli->arena, asset->last_us));
    }
    if (status == OK && !cli->json && all.at.count)
        table_print(&table, stdout);
    else if (status == OK && !cli->json)
        fprintf(stderr, "no DAG names an asset in outlets, inlets or its schedule\n");
    assets_done(&all);
    return status;
}

/* ---- get ---- */

static void print_event_json(const struct asset_event_record *event)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_int(&w, "id", event->id);
    json_kv_str(&w, "asset", event->asset);
    json_kv_time(&w, "timestamp", event->at_us);
    json_kv_str(&w, "source_dag_id", event->dag_id);
    json_kv_str(&w, "source_run_id", event->run_id);
    json_kv_str(&w, "source_task_id", event->task_id);
    json_kv_int(&w, "source_map_index", event->map_index);
    json_kv_str(&w, "made_by", event->made_by);
    json_key(&w, "extra");
    json_raw(&w, event->extra ? event->extra : "{}");
    json_object_end(&w);
    puts(strbuf_text(&text));
    strbuf_done(&text);
}

static const char *source_of(struct cli *cli, const struct asset_event_record *event)
{
    return event->dag_id
               ? arena_printf(cli->arena, "%s %s %s", event->dag_id, event->run_id, event->task_id)
               : arena_printf(cli->arena, "by hand, by %s", event->made_by);
}

static enum status print_events(
    struct cli *cli, struct store *reader, const char *name, struct error *err)
{
    static const char *const headings[] = {"EVENT", "AT", "MADE BY", "EXTRA"};
    struct table table = table_begin(cli->arena, ARRAY_SIZE(headings), headings);
    struct asset_event_rows rows = {0};
    size_t rows_max = limit > 0 ? (size_t)limit : 0;
    enum status status =
        reader ? store_read_asset_events(reader, name, rows_max, cli->arena, &rows, err) : OK;
    for (size_t i = 0; i < rows.count; i++) {
        const struct asset_event_record *event = &rows.at[i];
        if (cli->json) {
            print_event_json(event);
            continue;
        }
        table_add(&table, arena_printf(cli->arena, "%lld", (long long)event->id));
        table_add(&table, cli_time(cli->arena, event->at_us));
        table_add(&table, source_of(cli, event));
        table_add(&table, str_equal(event->extra, "{}") ? "" : event->extra);
    }
    if (status == OK && !cli->json && rows.count)
        table_print(&table, stdout);
    else if (status == OK && !cli->json)
        printf("no events yet\n");
    return status;
}

enum status cli_print_asset_queue(struct cli *cli, const struct dag *dag, struct error *err)
{
    struct asset_queue_rows rows = {0};
    struct store *reader = find_reader(cli);
    if (!dag->assets || !reader)
        return OK;
    enum status status = store_read_asset_queues(reader, dag->dag_id, cli->arena, &rows, err);
    printf("\n%s is scheduled on: %s\n", dag->dag_id, dag->schedule_text);
    for (size_t n = 0; status == OK && n < dag->asset_names.count; n++) {
        const struct asset_queue_record *queue = NULL;
        for (size_t i = 0; i < rows.count; i++)
            if (str_equal(rows.at[i].asset, dag->asset_names.at[n]) && rows.at[i].count)
                queue = &rows.at[i];
        if (queue)
            printf("  %s: %d event%s queued since %s\n", queue->asset, queue->count,
                queue->count == 1 ? "" : "s", cli_time(cli->arena, queue->first_us));
        else
            printf("  %s: none queued\n", dag->asset_names.at[n]);
    }
    return status;
}

static const struct asset *find_asset(
    struct cli *cli, const struct assets *all, const char *name, struct error *err)
{
    const char **names = arena_array(cli->arena, const char *, all->at.count);
    for (size_t i = 0; i < all->at.count; i++) {
        names[i] = all->at.at[i].name;
        if (str_equal(names[i], name))
            return &all->at.at[i];
    }
    error_set(err, ERR_NOT_FOUND, "no DAG makes, reads or is scheduled on an asset `%s`", name);
    const char *near = suggest(name, names, all->at.count);
    if (near)
        error_hint(err, "did you mean `%s`?", near);
    else
        error_hint(err, "`dag asset list` shows those there are");
    return NULL;
}

static void print_head(struct cli *cli, const struct asset *asset)
{
    printf("%s\n", asset->name);
    printf("  made by    %s\n", joined(cli, asset->makers.at, asset->makers.count));
    printf("  read by    %s\n", joined(cli, asset->readers.at, asset->readers.count));
    printf("  schedules  %s\n\n", joined(cli, asset->consumers.at, asset->consumers.count));
}

static enum status get(struct cli *cli, struct error *err)
{
    struct assets all = {0};
    enum status status = load_assets(cli, &all, err);
    const struct asset *asset = status == OK ? find_asset(cli, &all, cli->args[1], err) : NULL;
    if (status == OK && !asset)
        status = ERR_NOT_FOUND;
    if (status == OK && !cli->json)
        print_head(cli, asset);
    if (status == OK)
        status = print_events(cli, find_reader(cli), asset->name, err);
    for (size_t i = 0; status == OK && !cli->json && i < all.dag_count; i++)
        for (size_t n = 0; status == OK && n < asset->consumers.count; n++)
            if (str_equal(asset->consumers.at[n], all.dags[i]->dag_id))
                status = cli_print_asset_queue(cli, all.dags[i], err);
    assets_done(&all);
    return status;
}

/* ---- event ---- */

static void print_outcome(struct cli *cli, const json_t *outcome)
{
    const json_t *queued = json_object_get(outcome, "queued_for");
    size_t i;
    json_t *dag_id;
    if (cli->json) {
        cli_print_json(outcome);
        return;
    }
    if (dry_run) {
        printf("would add an event of `%s`\n", cli->args[1]);
        return;
    }
    printf("event %lld of `%s`\n", (long long)json_integer_value(json_object_get(outcome, "event")),
        cli->args[1]);
    json_array_foreach(queued, i, dag_id) printf("  queued for %s\n", json_string_value(dag_id));
}

static enum status event(struct cli *cli, struct error *err)
{
    json_t *act = json_object(), *extra = NULL, *outcome = NULL;
    json_object_set_new(act, "op", json_string("asset_event"));
    json_object_set_new(act, "asset", json_string(cli->args[1]));
    if (dry_run)
        json_object_set_new(act, "dry_run", json_true());
    enum status status = OK;
    if (extra_text) {
        status = cli_parse_json_argument(cli, extra_text, &extra, err);
        if (status != OK)
            error_context(err, "--extra: ");
        else
            json_object_set_new(act, "extra", extra);
    }
    if (status == OK)
        status = cli_act(cli, act, true, &outcome, err);
    if (status == OK)
        print_outcome(cli, outcome);
    json_decref(outcome);
    json_decref(act);
    return status;
}

/* ---- the command ---- */

static const struct {
    const char *name;
    size_t words;
    enum status (*run)(struct cli *cli, struct error *err);
} verbs[] = {{"list", 1, list}, {"get", 2, get}, {"event", 2, event}};

static enum status run(struct cli *cli, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (str_equal(cli->args[0], verbs[i].name) && cli->arg_count == verbs[i].words)
            return verbs[i].run(cli, err);
    error_set(err, ERR_USAGE, "dag asset wants `list`, `get NAME` or `event NAME`");
    error_hint(err, "see `dag asset -h`");
    return ERR_USAGE;
}

static const struct option options[] = {
    OPTION_TEXT("extra", 0, &extra_text, "J", "event: a JSON object for templates, or @FILE"),
    OPTION_INT("limit", 'n', &limit, "N", "get: how many events (default 25; 0: all)"),
    OPTION_FLAG("dry-run", 0, &dry_run, "event: show what would happen and stop"),
    OPTION_END,
};

const struct command command_asset = {
    .name = "asset",
    .arguments = "list | get NAME | event NAME",
    .arguments_min = 1,
    .arguments_max = 2,
    .summary = "assets: who makes them, who waits for them, their events",
    .description = "`list` shows the assets that DAGs name; `get` one of them with its newest "
                   "events and what is queued for the DAGs that are scheduled on it; `event` adds "
                   "an event by hand, as if a task had updated the asset: for data that comes from "
                   "elsewhere. To have the asset made by its DAG, trigger that DAG.",
    .examples = "dag asset list\ndag asset get geolife.speed\n"
                "dag asset event s3://bucket/orders.csv --extra '{\"rows\": 1200}'",
    .options = options,
    .project = PROJECT_NEEDED,
    .run = run,
};
