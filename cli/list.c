#include "base/file.h"
#include "base/map.h"
#include "cli/cli.h"
#include "definition/listing.h"
#include "language/timetable/timetable.h"

static const char *next_run(struct cli *cli, const struct listed_dag *dag)
{
    const struct timetable *timetable = listed_timetable(dag, cli->arena);
    struct timetable_run run;
    if (!timetable || cli_coming_run(timetable, clock_now().wall_us, &run) != TIMETABLE_RUN)
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

/* What has been decided of each DAG: id → its row. */
static struct map *index_records(const struct dag_rows *records)
{
    struct map *by_id = map_new();
    for (size_t i = 0; i < records->count; i++)
        map_set(by_id, records->at[i].dag_id, (void *)(uintptr_t)&records->at[i]);
    return by_id;
}

static bool is_paused(const struct map *records, const struct listed_dag *dag)
{
    const struct dag_record *row = map_get(records, dag->dag_id);
    return row ? row->paused : dag->paused;
}

static void print_json(const struct listed_dag *dag, bool paused)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "dag_id", dag->dag_id);
    json_kv_str(&w, "file", dag->file);
    json_kv_str(&w, "schedule", dag->schedule);
    json_kv_str(&w, "timezone", dag->timezone);
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

/* DAGs that were loaded because of two files with one id: the catalogue tells whose it is. */
struct loaded {
    struct dag **dags;
    size_t count;
};

static enum status list_catalogue(
    struct cli *cli, struct loaded *loaded, struct listing *ret, struct error *err)
{
    enum status status = cli_load_all(cli, &loaded->dags, &loaded->count, err);
    struct listed_dag *listed = arena_array(cli->arena, struct listed_dag, loaded->count);
    for (size_t i = 0; status == OK && i < loaded->count; i++)
        listed[i] = listed_dag_of(loaded->dags[i]);
    *ret = (struct listing){listed, loaded->count};
    return status;
}

static enum status read_listing(
    struct cli *cli, struct loaded *loaded, struct listing *ret, struct error *err)
{
    struct diagnostics mistakes;
    diagnostics_init(&mistakes, cli->arena);
    enum status status = listing_read(cli->project, cli->arena, ret, &mistakes, err);
    if (status == ERR_DUPLICATE)
        return list_catalogue(cli, loaded, ret, err);
    cli_print_diagnostics(&mistakes, stderr);
    return status;
}

static void print_table(struct cli *cli, const struct listing *listing, const struct map *records)
{
    static const char *const headings[] = {"DAG", "SCHEDULE", "TASKS", "NEXT RUN", "OWNER", "FILE"};
    struct table table = table_begin(cli->arena, ARRAY_SIZE(headings), headings);
    for (size_t i = 0; i < listing->count; i++) {
        const struct listed_dag *dag = &listing->at[i];
        table_add(&table, dag->dag_id);
        table_add(&table, dag->schedule);
        table_add(&table, arena_printf(cli->arena, "%u", dag->task_count));
        table_add(&table, is_paused(records, dag) ? "paused" : next_run(cli, dag));
        table_add(&table, dag->owner);
        table_add(&table, dag->file);
    }
    if (listing->count)
        table_print(&table, stdout);
    else
        fprintf(stderr, "no DAGs in %s/; `dag init` makes an example\n", cli->project->dags);
}

static enum status run(struct cli *cli, struct error *err)
{
    struct dag_rows rows;
    struct listing listing = {0};
    struct loaded loaded = {0};
    enum status status = read_records(cli, &rows, err);
    if (status == OK)
        status = read_listing(cli, &loaded, &listing, err);
    if (status != OK)
        return status;
    CLEANUP(map_freep) struct map *records = index_records(&rows);
    if (!cli->json)
        print_table(cli, &listing, records);
    for (size_t i = 0; cli->json && i < listing.count; i++)
        print_json(&listing.at[i], is_paused(records, &listing.at[i]));
    for (size_t i = 0; i < loaded.count; i++)
        dag_unref(loaded.dags[i]);
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
