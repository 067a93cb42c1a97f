#include "cli/forecast.h"

#include <stdlib.h>
#include "base/file.h"
#include "base/map.h"
#include "scheduler/forecast.h"

enum { DURATIONS_SIZE_MAX = 8 << 20, HISTORY_RUNS = 20 };

/* How long tasks take: "dag\ntask" → int64_t. */
struct durations {
    struct arena *arena;
    struct map *tasks;
};

static const char *key_of(struct arena *arena, const char *dag_id, const char *task_id)
{
    return arena_printf(arena, "%s\n%s", dag_id, task_id);
}

static void set_duration(
    struct durations *durations, const char *dag_id, const char *task_id, int64_t us)
{
    int64_t *value = arena_new_of(durations->arena, int64_t);
    *value = us > 0 ? us : 1;
    map_set(durations->tasks, key_of(durations->arena, dag_id, task_id), value);
}

static int64_t duration_of(void *context, const struct dag *dag, const struct task *task)
{
    struct durations *durations = context;
    const int64_t *us =
        map_get(durations->tasks, key_of(durations->arena, dag->dag_id, task->task_id));
    if (task->kind == KIND_EMPTY)
        return 1;
    return us ? *us : US_PER_MINUTE;
}

/* ---- given ---- */

static enum status read_duration(struct durations *durations, const char *dag_id,
    const char *task_id, const json_t *value, struct error *err)
{
    int64_t us = 0;
    const char *text = json_string_value(value);
    enum status status = text ? duration_parse(slice_of(text), &us, err)
                              : error_set(err, ERR_INVALID, "it is not a text");
    if (status == OK)
        set_duration(durations, dag_id, task_id, us);
    else
        error_hint(err, "write {\"%s\": {\"%s\": \"5m\"}}", dag_id, task_id);
    return status == OK ? OK : error_context(err, "the duration of `%s`: ", task_id);
}

static enum status read_durations_of(
    struct durations *durations, const struct dag *dag, const json_t *given, struct error *err)
{
    const char *task_id;
    json_t *value;
    enum status status = OK;
    json_object_foreach((json_t *)given, task_id, value)
    {
        if (dag_find_task(dag, task_id))
            status = read_duration(durations, dag->dag_id, task_id, value, err);
        else
            status = error_set(err, ERR_NOT_FOUND, "`%s` has no task `%s`", dag->dag_id, task_id);
        if (status != OK)
            break;
    }
    return status;
}

/* {dag_id: {task_id: "5m"}} */
static enum status read_durations(struct durations *durations, const char *path,
    struct dag *const *dags, size_t count, struct error *err)
{
    struct slice text;
    CLEANUP(json_decrefp) json_t *tree = NULL;
    enum status status = file_read(path, DURATIONS_SIZE_MAX, durations->arena, &text, err);
    if (status == OK)
        status = json_parse(text.p, text.size, path, &tree, err);
    for (size_t n = 0; n < count && status == OK; n++)
        status = read_durations_of(durations, dags[n], json_object_get(tree, dags[n]->dag_id), err);
    return status == OK ? OK : error_context(err, "%s: ", path);
}

/* ---- recorded ---- */

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The median of what each task took in the newest successful runs. */
static enum status read_history(
    struct durations *durations, struct store *reader, const struct dag *dag, struct error *err)
{
    struct arena *arena = durations->arena;
    struct run_rows runs;
    struct run_filter filter = {
        .dag_id = dag->dag_id, .states = 1u << RUN_SUCCESS, .limit = HISTORY_RUNS};
    enum status status = store_read_runs(reader, &filter, arena, &runs, err);
    struct task_rows *tasks = arena_array(arena, struct task_rows, status == OK ? runs.count : 0);
    for (size_t n = 0; status == OK && n < runs.count; n++)
        status = store_read_tasks(reader, runs.at[n].id, arena, &tasks[n], err);
    for (uint32_t t = 0; status == OK && t < dag->task_count; t++) {
        VEC(int64_t) took = {0};
        for (size_t n = 0; n < runs.count; n++)
            for (size_t k = 0; k < tasks[n].count; k++) {
                const struct task_record *task = &tasks[n].at[k];
                if (task->state == TASK_SUCCESS && task->started_us != TIME_NONE &&
                    str_equal(task->task_id, dag->tasks[t].task_id))
                    vec_push(&took, task->ended_us - task->started_us);
            }
        if (took.count) {
            qsort(took.at, took.count, sizeof *took.at, compare);
            set_duration(durations, dag->dag_id, dag->tasks[t].task_id, took.at[took.count / 2]);
        }
        vec_done(&took);
    }
    return status;
}

static enum status find_durations(struct cli *cli, struct durations *durations, const char *path,
    struct dag *const *dags, size_t count, struct error *err)
{
    struct store *reader = NULL;
    enum status status = OK;
    bool recorded = file_exists(path_join(cli->arena, cli->project->state, "dag.db"));
    if (recorded)
        status = cli_reader(cli, &reader, err);
    for (size_t n = 0; recorded && status == OK && n < count; n++)
        status = read_history(durations, reader, dags[n], err);
    if (status == OK && path)
        status = read_durations(durations, path, dags, count, err);
    return status;
}

/* ---- output ---- */

static void print_run(struct cli *cli, struct table *table, const struct forecast_run *run)
{
    char took[32] = "";
    if (run->ended_us != TIME_NONE && run->started_us != TIME_NONE)
        duration_format(run->ended_us - run->started_us, took);
    table_add(table, run->dag_id);
    table_add(table, cli_time(cli->arena, run->logical_us));
    table_add(table, run->started_us != TIME_NONE ? cli_time(cli->arena, run->started_us) : "");
    table_add(table, run->ended_us != TIME_NONE ? cli_time(cli->arena, run->ended_us) : "never");
    table_add(table, took);
    table_add(table, cli_state_text(cli, run_state_name(run->state)));
}

/* One character a column: how full it is. */
static void print_slots(struct cli *cli, struct table *table, const struct forecast_slots *slots)
{
    static const char levels[] = ".:-=+*#%@";
    char bar[FORECAST_COLUMNS + 1] = "";
    for (int n = 0; n < FORECAST_COLUMNS; n++) {
        double share = slots->total > 0 ? slots->use[n] / slots->total : 0;
        int level = (int)(share * (int)(sizeof levels - 2) + 0.5);
        bar[n] = slots->use[n] > 0 ? levels[level < 0 ? 0 : level > 8 ? 8 : level] : ' ';
    }
    table_add(table, arena_printf(cli->arena, "%s %s", slots->kind,
                         str_equal(slots->kind, slots->name) ? "" : slots->name));
    table_add(table, arena_printf(cli->arena, "%d", slots->total));
    table_add(table, arena_printf(cli->arena, "%d", slots->most));
    table_add(table, arena_printf(cli->arena, "%d", slots->most_waiting));
    table_add(table, arena_printf(cli->arena, "|%s|", bar));
}

static void print_text(struct cli *cli, const struct forecast *result, int64_t from_us)
{
    static const char *const of_runs[] = {
        "DAG", "LOGICAL DATE", "STARTS", "ENDS", "TAKES", "STATE"};
    static const char *const of_slots[] = {"SLOTS OF", "TOTAL", "MOST USED", "MOST WAITING", "USE"};
    struct table runs = table_begin(cli->arena, ARRAY_SIZE(of_runs), of_runs);
    struct table slots = table_begin(cli->arena, ARRAY_SIZE(of_slots), of_slots);
    for (size_t n = 0; n < result->run_count; n++)
        print_run(cli, &runs, &result->runs[n]);
    for (size_t n = 0; n < result->slots_count; n++)
        print_slots(cli, &slots, &result->slots[n]);
    table_print(&runs, stdout);
    char column[32];
    duration_format((result->until_us - from_us) / FORECAST_COLUMNS, column);
    printf("\nUse of slots from %s to %s, a character for %s:\n", cli_time(cli->arena, from_us),
        cli_time(cli->arena, result->until_us), column);
    table_print(&slots, stdout);
}

static void print_run_json(const struct forecast_run *run)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "dag_id", run->dag_id);
    json_kv_str(&w, "run_id", run->run_id);
    json_kv_time(&w, "logical_date", run->logical_us);
    json_kv_time(&w, "run_after", run->due_us);
    json_kv_time(&w, "start_date", run->started_us);
    json_kv_time(&w, "end_date", run->ended_us);
    json_kv_str(&w, "run_state", run_state_name(run->state));
    json_object_end(&w);
    puts(strbuf_text(&text));
    strbuf_done(&text);
}

static void print_slots_json(
    const struct forecast *result, const struct forecast_slots *slots, int64_t from_us)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "slots_of", slots->kind);
    json_kv_str(&w, "name", slots->name);
    json_kv_int(&w, "total", slots->total);
    json_kv_int(&w, "most_used", slots->most);
    json_kv_int(&w, "most_waiting", slots->most_waiting);
    json_kv_time(&w, "from", from_us);
    json_kv_time(&w, "to", result->until_us);
    json_key(&w, "use");
    json_array_begin(&w);
    for (int n = 0; n < FORECAST_COLUMNS; n++)
        json_double(&w, (double)(int64_t)(slots->use[n] * 1000) / 1000);
    json_array_end(&w);
    json_object_end(&w);
    puts(strbuf_text(&text));
    strbuf_done(&text);
}

/* ---- all ---- */

static enum status play(struct cli *cli, struct forecast_options *options,
    const char *durations_path, struct error *err)
{
    struct durations durations = {cli->arena, map_new()};
    struct dag **dags = NULL;
    struct forecast result;
    enum status status = cli_load_all(cli, &dags, &options->dag_count, err);
    size_t count = status == OK ? options->dag_count : 0;
    options->dags = (const struct dag *const *)dags;
    options->duration_us = duration_of;
    options->context = &durations;
    if (status == OK)
        status = find_durations(cli, &durations, durations_path, dags, count, err);
    if (status == OK)
        status = forecast(options, cli->arena, &result, err);
    if (status == OK && !cli->json)
        print_text(cli, &result, options->from_us);
    for (size_t n = 0; status == OK && cli->json && n < result.run_count; n++)
        print_run_json(&result.runs[n]);
    for (size_t n = 0; status == OK && cli->json && n < result.slots_count; n++)
        print_slots_json(&result, &result.slots[n], options->from_us);
    for (size_t n = 0; n < count; n++)
        dag_unref(dags[n]);
    map_free(durations.tasks);
    return status;
}

enum status cli_forecast(struct cli *cli, const char *from_text, const char *to_text,
    const char *durations_path, struct error *err)
{
    const struct project *project = cli->project;
    struct forecast_options options = {.max_processes = project->max_processes,
        .pool_count = project->pool_count,
        .connection_count = project->connection_count};
    struct slots_setting *pools =
        arena_array(cli->arena, struct slots_setting, project->pool_count);
    struct slots_setting *connections =
        arena_array(cli->arena, struct slots_setting, project->connection_count);
    for (size_t n = 0; n < project->pool_count; n++)
        pools[n] = (struct slots_setting){project->pools[n].name, project->pools[n].slots};
    for (size_t n = 0; n < project->connection_count; n++)
        connections[n] = (struct slots_setting){
            project->connections[n].name, project->connections[n].max_connections};
    options.pools = pools;
    options.connections = connections;
    if (!from_text || !to_text) {
        error_set(err, ERR_USAGE, "a whole project is simulated over a period");
        error_hint(err, "write --from and --to, or name a DAG");
        return ERR_USAGE;
    }
    enum status status = cli_parse_date(cli, NULL, from_text, false, &options.from_us, err);
    if (status == OK)
        status = cli_parse_date(cli, NULL, to_text, true, &options.to_us, err);
    if (status == OK && options.to_us < options.from_us)
        status = error_set(err, ERR_USAGE, "the period ends before it starts");
    return status == OK ? play(cli, &options, durations_path, err) : status;
}
