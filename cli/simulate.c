#include "base/file.h"
#include "cli/cli.h"
#include "cli/forecast.h"
#include "language/timetable/zone.h"
#include "scheduler/simulate.h"

static const char *outcomes_path, *durations_path, *from_text, *to_text;

enum { OUTCOMES_SIZE_MAX = 8 << 20 };

/* What a success decides, as a branch's or short circuit's text: ids, or true and false. */
static const char *choice_of(struct cli *cli, const json_t *value)
{
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    if (json_is_string(value))
        return arena_strdup(cli->arena, json_string_value(value));
    if (!json_is_array(value))
        return NULL;
    struct strbuf ids = {0};
    bool ok = true;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *id = json_string_value(json_array_get(value, i));
        ok = ok && id;
        strbuf_printf(&ids, "%s%s", i ? "," : "", id ? id : "");
    }
    const char *text = ok ? strbuf_to_arena(&ids, cli->arena) : NULL;
    strbuf_done(&ids);
    return text;
}

/* "success", or {"success": what it decides}. */
static bool read_outcome(struct cli *cli, json_t *value, struct simulate_outcome *ret)
{
    const char *name = json_string_value(value);
    if (name)
        return task_state_parse(name, &ret->state);
    ret->state = TASK_SUCCESS;
    ret->choice = choice_of(cli, json_object_get(value, task_state_name(TASK_SUCCESS)));
    return ret->choice && json_object_size(value) == 1;
}

/* {task_id: outcome} */
static enum status read_outcomes(
    struct cli *cli, struct simulate_options *options, struct error *err)
{
    struct slice text;
    json_t *tree = NULL;
    enum status status = file_read(outcomes_path, OUTCOMES_SIZE_MAX, cli->arena, &text, err);
    if (status == OK)
        status = json_parse(text.p, text.size, outcomes_path, &tree, err);
    if (status == OK && !json_is_object(tree))
        status = error_set(err, ERR_INVALID,
            "%s: outcomes are a JSON object of task ids and states", outcomes_path);
    if (status != OK) {
        json_decref(tree);
        return status;
    }
    struct simulate_outcome *outcomes =
        arena_array(cli->arena, struct simulate_outcome, json_object_size(tree));
    const char *task_id;
    json_t *state;
    json_object_foreach(tree, task_id, state)
    {
        struct simulate_outcome *outcome = &outcomes[options->outcome_count++];
        outcome->task_id = arena_strdup(cli->arena, task_id);
        if (read_outcome(cli, state, outcome))
            continue;
        status = error_set(
            err, ERR_INVALID, "%s: the outcome of `%s` is not a state", outcomes_path, task_id);
        error_hint(err, "write \"success\", \"failed\" or \"skipped\"; of a branch {\"success\": "
                        "[ids]}, of a short_circuit {\"success\": false}");
        break;
    }
    json_decref(tree);
    options->outcomes = outcomes;
    return status;
}

static void print_run(struct cli *cli, const struct simulated_run *run, bool many)
{
    if (cli->json) {
        struct strbuf text = {0};
        simulated_run_json(run, many, &text);
        puts(strbuf_text(&text));
        strbuf_done(&text);
        return;
    }
    printf("%s  %s  %s\n", run->run_id, cli_state_text(cli, run_state_name(run->state)),
        run->reason_text ? run->reason_text : "");
    static const char *const headings[] = {"  TASK", "STATE", "STARTS AFTER", "WHY"};
    struct table table = table_begin(cli->arena, ARRAY_SIZE(headings), headings);
    for (size_t i = 0; i < run->task_count; i++) {
        const struct simulated_task *task = &run->tasks[i];
        char after[32] = "";
        if (task->started_us != TIME_NONE && run->started_us != TIME_NONE)
            duration_format(task->started_us - run->started_us, after);
        const char *times =
            task->instances ? arena_printf(cli->arena, " × %d", (int)task->instances) : "";
        table_add(&table, arena_printf(cli->arena, "  %s%s", task->task_id, times));
        table_add(&table, cli_state_text(cli, task_state_name(task->state)));
        table_add(&table, after);
        table_add(&table, task->reason_text);
    }
    table_print(&table, stdout);
}

static enum status read_dates(
    const struct dag *dag, struct simulate_options *options, struct error *err)
{
    options->from_us = options->to_us = TIME_NONE;
    if (!from_text != !to_text)
        return error_set(err, ERR_USAGE, "--from and --to go together");
    if (!from_text)
        return OK;
    enum status status =
        zone_parse_time(dag->zone, slice_of(from_text), &options->from_us, NULL, err);
    return status == OK ? zone_parse_end(dag->zone, slice_of(to_text), &options->to_us, err)
                        : status;
}

static enum status run(struct cli *cli, struct error *err)
{
    if (!cli->arg_count && outcomes_path)
        return error_set(err, ERR_USAGE, "--outcomes is for one DAG: name it");
    if (cli->arg_count && durations_path)
        return error_set(err, ERR_USAGE, "--durations is for a whole project");
    if (!cli->arg_count)
        return cli_forecast(cli, from_text, to_text, durations_path, err);
    struct dag *dag = NULL;
    struct simulation simulation;
    struct simulate_options options = {.now_us = clock_now().wall_us};
    enum status status = cli_load_dag(cli, cli->args[0], &dag, err);
    if (status == OK)
        status = read_dates(dag, &options, err);
    if (status == OK && outcomes_path)
        status = read_outcomes(cli, &options, err);
    if (status == OK)
        status = simulate(dag, &options, cli->arena, &simulation, err);
    bool failed = false;
    for (size_t i = 0; status == OK && i < simulation.run_count; i++) {
        print_run(cli, &simulation.runs[i], from_text != NULL);
        failed = failed || simulation.runs[i].state == RUN_FAILED;
    }
    if (status == OK && simulation.unfinished)
        fprintf(stderr, "some runs would wait for ever\n");
    dag_unref(dag);
    return status == OK && failed && cli->exit_status ? ERR_RUN_FAILED : status;
}

static const struct option options[] = {
    OPTION_TEXT("outcomes", 0, &outcomes_path, "FILE",
        "JSON: task id → success, failed or skipped; others succeed. {\"success\": [ids]}: what a "
        "branch chooses; all else goes on"),
    OPTION_TEXT("from", 0, &from_text, "DATE",
        "first logical date of many runs; without a DAG: when the period begins"),
    OPTION_TEXT("to", 0, &to_text, "DATE",
        "last logical date, inclusive; without a DAG: when the period ends"),
    OPTION_TEXT("durations", 0, &durations_path, "FILE",
        "without a DAG, JSON: DAG id → task id → duration; others as recorded, or 1m"),
    OPTION_END,
};

const struct command command_simulate = {
    .name = "simulate",
    .arguments = "[DAG]",
    .arguments_min = 0,
    .arguments_max = 1,
    .summary = "what would happen, in virtual time",
    .description =
        "Plays a run (or those from --from to --to) in virtual time, with the outcomes given for "
        "single tasks. A branch chooses all that follows it unless its outcome says {\"success\": "
        "[\"a\", \"b\"]}; {\"success\": false} lets a short_circuit or latest_only skip what "
        "follows. Without a DAG it plays the schedules of the whole project over a period, with "
        "the slots of its pools and connections, each task as long as it took in the median of "
        "the last successful runs: when each run would end, and how full the pools would be. "
        "Nothing is started or written.",
    .examples = "dag simulate geolife\n"
                "dag simulate dags/geolife.yaml --outcomes out.json --json\n"
                "dag simulate --from 2026-01-05 --to 2026-01-11 --durations durations.json",
    .options = options,
    .project = PROJECT_OPTIONAL,
    .run = run,
};
