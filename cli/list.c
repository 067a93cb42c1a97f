#include "base/file.h"
#include "cli/cli.h"
#include "language/timetable/timetable.h"

static const char *next_run(struct cli *cli, const struct dag *dag)
{
    struct timetable_run run;
    if (!dag->timetable ||
        cli_coming_run(dag->timetable, clock_now().wall_us, &run) != TIMETABLE_RUN)
        return "";
    return cli_time(cli->arena, run.run_after_us);
}

/* The DAGs' rows, none where there is no metadata yet. */
static enum status read_records(struct cli *cli, struct dag_rows *ret, struct error *err)
{
    struct store *reader = NULL;
    *ret = (struct dag_rows){0};
    if (!file_exists(path_join(cli->arena, cli->project->state, "dag.db")))
        return OK;
    enum status status = cli_reader(cli, &reader, err);
    return status == OK ? store_read_dags(reader, cli->arena, ret, err) : status;
}

static bool is_paused(const struct dag_rows *records, const struct dag *dag)
{
    for (size_t i = 0; i < records->count; i++)
        if (str_equal(records->at[i].dag_id, dag->dag_id))
            return records->at[i].paused;
    return dag->paused;
}

static void print_json(const struct dag *dag, bool paused)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "dag_id", dag->dag_id);
    json_kv_str(&w, "file", dag->file);
    json_kv_str(&w, "schedule", dag->schedule_text);
    json_kv_str(&w, "timezone", zone_name(dag->zone));
    json_kv_bool(&w, "is_paused", paused);
    json_kv_int(&w, "tasks", dag->task_count);
    json_kv_str(&w, "owner", dag->owner);
    json_kv_str(&w, "description", dag->description);
    json_key(&w, "tags");
    json_array_begin(&w);
    for (size_t i = 0; i < dag->tags.count; i++)
        json_str(&w, dag->tags.at[i]);
    json_array_end(&w);
    json_kv_str(&w, "version", dag->version);
    json_object_end(&w);
    puts(strbuf_text(&text));
    strbuf_done(&text);
}

static enum status run(struct cli *cli, struct error *err)
{
    struct dag **dags = NULL;
    struct dag_rows records;
    size_t count = 0;
    enum status status = read_records(cli, &records, err);
    if (status == OK)
        status = cli_load_all(cli, &dags, &count, err);
    if (status != OK)
        return status;
    static const char *const headings[] = {"DAG", "SCHEDULE", "TASKS", "NEXT RUN", "OWNER", "FILE"};
    struct table table = table_begin(cli->arena, ARRAY_SIZE(headings), headings);
    for (size_t i = 0; i < count; i++) {
        const struct dag *dag = dags[i];
        bool paused = is_paused(&records, dag);
        if (cli->json) {
            print_json(dag, paused);
            dag_unref(dags[i]);
            continue;
        }
        table_add(&table, dag->dag_id);
        table_add(&table, dag->schedule_text);
        table_add(&table, arena_printf(cli->arena, "%u", dag->task_count));
        table_add(&table, paused ? "paused" : next_run(cli, dag));
        table_add(&table, dag->owner);
        table_add(&table, dag->file);
        dag_unref(dags[i]);
    }
    if (!cli->json && count)
        table_print(&table, stdout);
    else if (!cli->json)
        fprintf(stderr, "no DAGs in %s/; `dag init` makes an example\n", cli->project->dags);
    return OK;
}

static const struct option options[] = {OPTION_END};

const struct command command_list = {
    .name = "list",
    .arguments = "",
    .summary = "the DAGs of the project",
    .description = "Lists the DAGs that load; mistakes of files that do not are printed to "
                   "standard error.",
    .examples = "dag list\ndag list --json",
    .options = options,
    .project = PROJECT_NEEDED,
    .run = run,
};
