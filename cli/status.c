#include "base/file.h"
#include "cli/cli.h"
#include "daemon/client.h"

static int64_t limit = -1; /* not given: a screenful for people, all for programs */

enum { LIMIT_DEFAULT = 25 };

/* ---- runs ------------------------------------------------------------------------------------ */

static const char *run_duration(struct cli *cli, const struct run_record *run)
{
    char text[32];
    if (run->started_us == TIME_NONE)
        return "";
    int64_t end = run->ended_us == TIME_NONE ? clock_now().wall_us : run->ended_us;
    duration_format(end - run->started_us, text);
    return arena_strdup(cli->arena, text);
}

static void write_deadline(struct json_writer *w, int64_t deadline_us, int64_t missed_us)
{
    if (deadline_us != TIME_NONE)
        json_kv_time(w, "deadline", deadline_us);
    if (missed_us != TIME_NONE)
        json_kv_time(w, "deadline_missed", missed_us);
}

/* A reason, and that the deadline was missed. */
static const char *reason_of(
    struct cli *cli, const char *reason, int64_t deadline_us, int64_t missed_us)
{
    if (missed_us == TIME_NONE)
        return reason;
    return arena_printf(cli->arena, "%s%smissed its deadline, %s", reason ? reason : "",
        reason && reason[0] ? "; " : "", cli_time(cli->arena, deadline_us));
}

static void print_run_json(const struct run_record *run)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "dag_id", run->dag_id);
    json_kv_str(&w, "run_id", run->run_id);
    json_kv_time(&w, "logical_date", run->logical_us);
    json_kv_str(&w, "state", run_state_name(run->state));
    json_kv_str(&w, "run_type", run_type_name(run->type));
    json_kv_time(&w, "data_interval_start", run->interval_start_us);
    json_kv_time(&w, "data_interval_end", run->interval_end_us);
    json_kv_time(&w, "queued_at", run->queued_us);
    json_kv_time(&w, "start_date", run->started_us);
    json_kv_time(&w, "end_date", run->ended_us);
    json_kv_str(&w, "reason", run->reason_text);
    json_kv_str(&w, "triggered_by", run->triggered_by);
    json_kv_str(&w, "note", run->note);
    write_deadline(&w, run->deadline_us, run->deadline_missed_us);
    json_key(&w, "conf");
    json_raw(&w, run->conf ? run->conf : "{}");
    json_object_end(&w);
    puts(strbuf_text(&text));
    strbuf_done(&text);
}

static void print_runs(struct cli *cli, const struct run_rows *runs)
{
    static const char *const headings[] = {
        "DAG", "LOGICAL DATE", "STATE", "TYPE", "STARTED", "DURATION", "REASON"};
    struct table table = table_begin(cli->arena, ARRAY_SIZE(headings), headings);
    for (size_t i = 0; i < runs->count; i++) {
        const struct run_record *run = &runs->at[i];
        if (cli->json) {
            print_run_json(run);
            continue;
        }
        table_add(&table, run->dag_id);
        table_add(&table, cli_time(cli->arena, run->logical_us));
        table_add(&table, cli_state_text(cli, run_state_name(run->state)));
        table_add(&table, run_type_name(run->type));
        table_add(&table, cli_time(cli->arena, run->started_us));
        table_add(&table, run_duration(cli, run));
        table_add(
            &table, reason_of(cli, run->reason_text, run->deadline_us, run->deadline_missed_us));
    }
    if (!cli->json && runs->count)
        table_print(&table, stdout);
}

/* ---- tasks of a run -------------------------------------------------------------------------- */

static const struct attempt_record *last_attempt(
    const struct attempt_rows *attempts, const struct task_record *task)
{
    for (size_t i = attempts->count; i-- > 0;)
        if (str_equal(attempts->at[i].task_id, task->task_id) &&
            attempts->at[i].map_index == task->map_index)
            return &attempts->at[i];
    return NULL;
}

/* What its attempt has told of the data: tables that it touched, checks that were made. */
static void write_data(struct json_writer *w, const struct attempt_record *attempt)
{
    static const char *const keys[] = {"touched", "checks"};
    CLEANUP(json_decrefp) json_t *detail = NULL;
    if (!attempt->detail ||
        json_parse(attempt->detail, strlen(attempt->detail), NULL, &detail, NULL))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        const json_t *value = json_object_get(detail, keys[i]);
        if (!value)
            continue;
        json_key(w, keys[i]);
        json_tree(w, value);
    }
}

static void print_task_json(const struct task_record *task, const struct attempt_record *attempt)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "task_id", task->task_id);
    json_kv_int(&w, "map_index", task->map_index);
    json_kv_str(&w, "state", task_state_name(task->state));
    json_kv_int(&w, "try_number", task->try_number);
    json_kv_int(&w, "max_tries", task->max_tries);
    json_kv_str(&w, "reason", task->reason_text);
    json_kv_str(&w, "reason_code", reason_code(task->reason));
    json_kv_time(&w, "start_date", task->started_us);
    json_kv_time(&w, "end_date", task->ended_us);
    if (task->retry_at_us != TIME_NONE)
        json_kv_time(&w, "retry_at", task->retry_at_us);
    write_deadline(&w, task->deadline_us, task->deadline_missed_us);
    if (attempt) {
        json_kv_int(&w, "attempts", attempt->number);
        json_kv_str(&w, "message", attempt->message);
        json_kv_str(&w, "sqlstate", attempt->sqlstate);
        json_kv_str(&w, "place", attempt->place);
        json_kv_str(&w, "log", attempt->log);
        write_data(&w, attempt);
    }
    json_object_end(&w);
    puts(strbuf_text(&text));
    strbuf_done(&text);
}

static const char *task_duration(struct cli *cli, const struct task_record *task)
{
    char text[32];
    if (task->started_us == TIME_NONE)
        return "";
    int64_t end = task->ended_us == TIME_NONE ? clock_now().wall_us : task->ended_us;
    duration_format(end - task->started_us, text);
    return arena_strdup(cli->arena, text);
}

/* What went wrong, below the table: message, SQLSTATE, place in the user's file. */
static void print_failures(
    struct cli *cli, const struct task_rows *tasks, const struct attempt_rows *attempts)
{
    for (size_t i = 0; i < tasks->count; i++) {
        const struct task_record *task = &tasks->at[i];
        const struct attempt_record *attempt = last_attempt(attempts, task);
        bool failing = task->state == TASK_FAILED || task->state == TASK_UP_FOR_RETRY;
        if (!failing || !attempt || !attempt->message)
            continue;
        printf("\n%s (try %d)", task_word(cli->arena, task->task_id, task->map_index),
            attempt->number);
        if (attempt->sqlstate)
            printf(" %s", attempt->sqlstate);
        printf("\n");
        for (const char *p = attempt->message; *p;) {
            size_t size = strcspn(p, "\n");
            printf("  %.*s\n", (int)size, p);
            p += size + (p[size] == '\n');
        }
        if (attempt->place && !strstr(attempt->message, attempt->place))
            printf("  at %s\n", attempt->place);
    }
}

static enum status show_run(
    struct cli *cli, struct store *reader, const struct run_record *run, struct error *err)
{
    struct task_rows tasks;
    struct attempt_rows attempts;
    enum status status = store_read_tasks(reader, run->id, cli->arena, &tasks, err);
    if (status == OK)
        status = store_read_attempts(reader, run->id, NULL, cli->arena, &attempts, err);
    if (status != OK)
        return status;
    task_rows_leave_expanded(&tasks);
    static const char *const headings[] = {"TASK", "STATE", "TRY", "DURATION", "REASON"};
    struct table table = table_begin(cli->arena, ARRAY_SIZE(headings), headings);
    for (size_t i = 0; i < tasks.count; i++) {
        const struct task_record *task = &tasks.at[i];
        if (cli->json) {
            print_task_json(task, last_attempt(&attempts, task));
            continue;
        }
        table_add(&table, task_word(cli->arena, task->task_id, task->map_index));
        table_add(&table, cli_state_text(cli, task_state_name(task->state)));
        table_add(&table, arena_printf(cli->arena, "%d of %d", task->try_number, task->max_tries));
        table_add(&table, task_duration(cli, task));
        table_add(
            &table, reason_of(cli, task->reason_text, task->deadline_us, task->deadline_missed_us));
    }
    if (cli->json)
        return OK;
    printf("%s  %s  %s  %s\n\n", run->dag_id, run->run_id,
        cli_state_text(cli, run_state_name(run->state)), run->reason_text ? run->reason_text : "");
    table_print(&table, stdout);
    print_failures(cli, &tasks, &attempts);
    return OK;
}

/* ---- the command ----------------------------------------------------------------------------- */

static void print_daemon(struct cli *cli)
{
    json_t *answer = NULL;
    struct error err;
    if (cli->json)
        return;
    if (client_call(cli->project->state, "{\"op\": \"ping\"}", &answer, &err) == OK) {
        const char *address = json_string_value(json_object_get(answer, "address"));
        printf("daemon: running%s%s\n\n", address ? ", " : "", address ? address : "");
    } else {
        printf("daemon: not running (start it with `dag up`)\n\n");
    }
    json_decref(answer);
}

/* The mistakes of broken files, and the DAGs of before that they concern. */
static void print_broken(struct cli *cli)
{
    struct dag **dags = NULL;
    size_t count = 0;
    struct error err;
    if (cli_load_all(cli, &dags, &count, &err) == OK)
        for (size_t i = 0; i < count; i++)
            dag_unref(dags[i]);
}

static bool any_failed(const struct run_rows *runs)
{
    for (size_t i = 0; i < runs->count; i++)
        if (runs->at[i].state == RUN_FAILED)
            return true;
    return false;
}

/* A DAG without runs is no mistake, an unknown one is; one that is gone or broken has its runs. */
static enum status show_missed(struct cli *cli, const struct run_rows *runs, struct error *err)
{
    struct dag *dag = NULL;
    if (cli->json && runs->count)
        return OK;
    enum status status = cli_load_dag(cli, cli->args[0], &dag, err);
    if (status != OK)
        return runs->count ? OK : status;
    if (!cli->json)
        status = cli_print_missed(cli, dag, err);
    if (status == OK && !cli->json)
        status = cli_print_asset_queue(cli, dag, err);
    dag_unref(dag);
    return status;
}

static enum status run(struct cli *cli, struct error *err)
{
    struct store *reader = NULL;
    struct run_rows runs;
    enum status status = cli_reader(cli, &reader, err);
    if (status != OK)
        return status;
    if (cli->arg_count == 2) {
        status = cli_find_runs(cli, cli->args[0], cli->args[1], &runs, err);
        for (size_t i = 0; status == OK && i < runs.count; i++)
            status = show_run(cli, reader, &runs.at[i], err);
    } else {
        struct run_filter filter = {.dag_id = cli->arg_count ? cli->args[0] : NULL,
            .limit = limit >= 0  ? (size_t)limit
                     : cli->json ? 0
                                 : LIMIT_DEFAULT};
        if (!cli->arg_count) {
            print_daemon(cli);
            print_broken(cli);
        }
        status = store_read_runs(reader, &filter, cli->arena, &runs, err);
        if (status == OK)
            print_runs(cli, &runs);
        if (status == OK && cli->arg_count)
            status = show_missed(cli, &runs, err);
    }
    return status == OK && cli->exit_status && any_failed(&runs) ? ERR_RUN_FAILED : status;
}

static const struct option options[] = {
    OPTION_INT("limit", 'n', &limit, "N", "how many runs (default 25, with --json all; 0: all)"),
    OPTION_END,
};

const struct command command_status = {
    .name = "status",
    .arguments = "[DAG [RUN]]",
    .arguments_max = 2,
    .summary = "where things stand",
    .description = "Without a DAG: the newest runs of all. With one: its runs. With a run too: its "
                   "tasks, each with the reason of its state, and what failed. RUN is a run id, a "
                   "logical date, `latest` or `failed`.",
    .examples = "dag status\ndag status geolife\ndag status geolife 2007-05-03\n"
                "dag status geolife latest --json",
    .options = options,
    .project = PROJECT_OR_STATE,
    .run = run,
};
