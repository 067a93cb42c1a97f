#include "cli/cli.h"
#include "language/timetable/timetable.h"

static void json_names(
    struct json_writer *w, const char *key, const struct dag *dag, const struct indexes *indexes)
{
    json_key(w, key);
    json_array_begin(w);
    for (size_t i = 0; i < indexes->count; i++)
        json_str(w, dag->tasks[indexes->at[i]].task_id);
    json_array_end(w);
}

static void json_texts(struct json_writer *w, const char *key, const struct names *names)
{
    json_key(w, key);
    json_array_begin(w);
    for (size_t i = 0; i < names->count; i++)
        json_str(w, names->at[i]);
    json_array_end(w);
}

static void print_json(const struct dag *dag)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "dag_id", dag->dag_id);
    json_kv_str(&w, "file", dag->file);
    json_kv_str(&w, "description", dag->description);
    json_kv_str(&w, "owner", dag->owner);
    json_kv_str(&w, "schedule", dag->schedule_text);
    json_kv_str(&w, "timezone", zone_name(dag->zone));
    json_kv_time(&w, "start_date", dag->start_us);
    json_kv_time(&w, "end_date", dag->end_us == INT64_MAX ? TIME_NONE : dag->end_us);
    json_kv_str(&w, "version", dag->version);
    json_texts(&w, "assets", &dag->asset_names);
    json_key(&w, "tasks");
    json_array_begin(&w);
    for (uint32_t i = 0; i < dag->task_count; i++) {
        const struct task *task = &dag->tasks[dag->topological[i]];
        json_object_begin(&w);
        json_kv_str(&w, "task_id", task->task_id);
        json_kv_str(&w, "kind", task_kind_name(task->kind));
        if (task->trigger->dag_id.value) {
            json_kv_str(&w, "triggers", task->trigger->dag_id.value);
            json_kv_bool(&w, "wait", task->trigger->wait);
        }
        json_kv_str(&w, "trigger_rule", trigger_rule_name(task->trigger_rule));
        json_kv_int(&w, "retries", task->retries);
        json_kv_str(&w, "pool", task->pool);
        json_kv_int(&w, "priority_weight", task->weight);
        json_kv_int(&w, "line", task->line);
        json_kv_bool(&w, "is_mapped", task->expand.count > 0);
        json_texts(&w, "outlets", &task->data->outlets);
        json_texts(&w, "inlets", &task->data->inlets);
        json_names(&w, "upstream", dag, &task->upstream);
        json_names(&w, "downstream", dag, &task->downstream);
        json_object_end(&w);
    }
    json_array_end(&w);
    json_object_end(&w);
    puts(strbuf_text(&text));
    strbuf_done(&text);
}

static const char *upstream_names(struct cli *cli, const struct dag *dag, const struct task *task)
{
    struct strbuf text = {0};
    for (size_t i = 0; i < task->upstream.count; i++)
        strbuf_printf(&text, "%s%s", i ? ", " : "", dag->tasks[task->upstream.at[i]].task_id);
    const char *names = strbuf_to_arena(&text, cli->arena);
    strbuf_done(&text);
    return names;
}

static void print_head(struct cli *cli, const struct dag *dag)
{
    printf("%s", dag->dag_id);
    if (dag->description)
        printf(": %s", dag->description);
    printf("\n  schedule  %s (%s)\n", dag->schedule_text, zone_name(dag->zone));
    if (dag->start_us != TIME_NONE)
        printf("  dates     %s … %s\n", cli_time(cli->arena, dag->start_us),
            dag->end_us == INT64_MAX ? "" : cli_time(cli->arena, dag->end_us));
    if (dag->owner)
        printf("  owner     %s\n", dag->owner);
    printf("  file      %s:%u\n  version   %.12s\n\n", dag->file, dag->line, dag->version);
}

static void print_task_assets(
    const struct task *task, const char *verb, const struct names *names, bool *any)
{
    for (size_t i = 0; i < names->count; i++) {
        printf("%s%s %s %s\n", *any ? "" : "\n", task->task_id, verb, names->at[i]);
        *any = true;
    }
}

static void print_assets(const struct dag *dag)
{
    bool any = false;
    for (uint32_t i = 0; i < dag->task_count; i++) {
        const struct task *task = &dag->tasks[dag->topological[i]];
        print_task_assets(task, "makes", &task->data->outlets, &any);
        print_task_assets(task, "reads", &task->data->inlets, &any);
    }
}

/* Connections on which SQL is not exactly once. */
static void print_downgrades(const struct cli *cli, const struct dag *dag)
{
    for (size_t i = 0; i < cli->project->connection_count; i++) {
        const struct connection *connection = &cli->project->connections[i];
        size_t count = 0;
        for (uint32_t k = 0; k < dag->task_count; k++)
            count += dag->tasks[k].kind == KIND_SQL &&
                     str_equal(dag->tasks[k].sql.connection, connection->name);
        if (count && !connection->ledger)
            printf("\non `%s`, without ledger: SQL runs at least once, not exactly once\n",
                connection->name);
    }
}

static enum status run(struct cli *cli, struct error *err)
{
    struct dag *dag = NULL;
    enum status status = cli_load_dag(cli, cli->args[0], &dag, err);
    if (status != OK)
        return status;
    if (cli->json) {
        print_json(dag);
        dag_unref(dag);
        return OK;
    }
    print_head(cli, dag);
    static const char *const headings[] = {"TASK", "KIND", "AFTER", "RULE", "RETRIES"};
    struct table table = table_begin(cli->arena, ARRAY_SIZE(headings), headings);
    for (uint32_t i = 0; i < dag->task_count; i++) {
        const struct task *task = &dag->tasks[dag->topological[i]];
        table_add(&table, task->task_id);
        table_add(&table, arena_printf(cli->arena, "%s%s", cli_kind_words(cli->arena, task),
                              task->expand.count ? ", mapped" : ""));
        table_add(&table, upstream_names(cli, dag, task));
        table_add(&table, trigger_rule_name(task->trigger_rule));
        table_add(&table, arena_printf(cli->arena, "%d", task->retries));
    }
    table_print(&table, stdout);
    print_assets(dag);
    print_downgrades(cli, dag);
    dag_unref(dag);
    return OK;
}

static const struct option options[] = {OPTION_END};

const struct command command_show = {
    .name = "show",
    .arguments = "DAG",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "a DAG: its schedule and tasks",
    .description = "Shows a DAG's schedule, dates and tasks in the order in which they run. DAG is "
                   "a dag_id or a file.",
    .examples = "dag show geolife\ndag show dags/geolife.yaml --json",
    .options = options,
    .project = PROJECT_OPTIONAL,
    .run = run,
};
