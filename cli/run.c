/* dag run: a run followed to its end in the foreground. */
#include <signal.h>
#include <unistd.h>
#include <uv.h>

#include "cli/cli.h"
#include "daemon/client.h"
#include "daemon/engine.h"
#include "daemon/lock.h"
#include "definition/versions.h"

static const char *logical_date, *conf_text;
static struct text_list only_tasks;
static bool scratch;

/* Another DAG's run, which a task has triggered. */
struct other_run {
    struct run_id id;
    const char *dag_id;
};

/* A run in this process. */
struct here {
    struct cli *cli;
    const struct dag *dag;
    int64_t logical_us;
    uv_loop_t loop;
    struct engine *engine;
    uv_signal_t interrupt;
    struct run_id run; /* {0} until it is known */
    VEC(struct other_run) others;
    enum run_state state;
    bool ended, interrupted, stopping;
    enum status status;
    struct error *err;
};

/* ---- which date ------------------------------------------------------------------------------ */

/* The run of that date, if there is one. */
static enum status find_run(struct cli *cli, struct store *reader, const struct dag *dag,
    int64_t logical_us, struct run_rows *ret, struct error *err)
{
    struct run_filter filter = {.dag_id = dag->dag_id,
        .has_from = true,
        .from_us = logical_us,
        .has_to = true,
        .to_us = logical_us};
    return store_read_runs(reader, &filter, cli->arena, ret, err);
}

static enum status refuse_finished(struct cli *cli, const struct run_record *run, struct error *err)
{
    const char *date = cli_time(cli->arena, run->logical_us);
    error_set(err, ERR_CONFLICT, "`%s` has a run of %s already, and it ended in %s", run->dag_id,
        date, run_state_name(run->state));
    error_hint(err, "to run it again: dag clear %s '%s', then dag run %s --logical-date '%s'",
        run->dag_id, date, run->dag_id, date);
    return ERR_CONFLICT;
}

static json_t *trigger_act(
    struct cli *cli, const struct dag *dag, int64_t logical_us, struct error *err)
{
    char date[TIME_TEXT_SIZE], uuid[UUID_TEXT_SIZE];
    json_t *act = json_object(), *conf = NULL;
    time_format_iso(logical_us, date);
    uuid_make(uuid);
    json_object_set_new(act, "op", json_string("trigger"));
    json_object_set_new(act, "uuid", json_string(uuid));
    json_object_set_new(act, "dag_id", json_string(dag->dag_id));
    json_object_set_new(act, "logical_date", json_string(date));
    if (conf_text) {
        if (cli_parse_json_argument(cli, conf_text, &conf, err) != OK) {
            json_decref(act);
            return NULL;
        }
        json_object_set_new(act, "conf", conf);
    }
    return act;
}

/* ---- by the daemon --------------------------------------------------------------------------- */

static enum status failed(const struct dag *dag, const char *run_id, struct error *err)
{
    error_set(err, ERR_RUN_FAILED, "%s %s failed", dag->dag_id, run_id);
    error_hint(err, "dag status %s '%s'", dag->dag_id, run_id);
    return ERR_RUN_FAILED;
}

static enum status run_by_daemon(
    struct cli *cli, const struct dag *dag, int64_t logical_us, struct error *err)
{
    struct store *reader = NULL;
    struct run_rows rows = {0};
    const char *run_id = NULL;
    enum run_state state;
    enum status status = cli_reader(cli, &reader, err);
    if (status == OK)
        status = find_run(cli, reader, dag, logical_us, &rows, err);
    if (status == OK && rows.count && run_state_finished(rows.at[0].state))
        return refuse_finished(cli, &rows.at[0], err);
    if (status == OK && rows.count) {
        run_id = rows.at[0].run_id;
    } else if (status == OK) {
        json_t *outcome = NULL, *act = trigger_act(cli, dag, logical_us, err);
        if (!act)
            return err->status;
        status = cli_act(cli, act, false, &outcome, err);
        if (status == OK)
            run_id =
                arena_strdup(cli->arena, json_string_value(json_object_get(outcome, "run_id")));
        json_decref(act);
        json_decref(outcome);
    }
    if (status != OK)
        return status;
    fprintf(stderr, "%s %s runs under the daemon\n", dag->dag_id, run_id);
    status = cli_follow(cli, dag->dag_id, run_id, &state, err);
    return status == OK && state == RUN_FAILED ? failed(dag, run_id, err) : status;
}

/* ---- here ------------------------------------------------------------------------------------ */

static void on_stopped(void *user)
{
    struct here *here = user;
    uv_stop(&here->loop);
}

static void stop(struct here *here)
{
    if (here->stopping)
        return;
    here->stopping = true;
    engine_stop(here->engine, true, on_stopped, here);
}

static void on_interrupt(uv_signal_t *handle, int number)
{
    struct here *here = handle->data;
    (void)number;
    if (here->interrupted)
        _exit(130);
    here->interrupted = true;
    fprintf(stderr, "\ninterrupted: SQL is cancelled, processes go on by themselves (again to end "
                    "at once)\n");
    stop(here);
}

static const char *dag_of(const struct here *here, struct run_id run)
{
    for (size_t i = 0; i < here->others.count; i++)
        if (here->others.at[i].id.v == run.v)
            return here->others.at[i].dag_id;
    const char *dag_id = scheduler_run_dag(engine_scheduler(here->engine), run);
    return dag_id ? dag_id : "?";
}

/* "load[3]"; of another DAG's run "reports: load[3]". */
static const char *word_of(const struct here *here, const struct task_record *task)
{
    struct arena *arena = here->cli->arena;
    const char *word = task_word(arena, task->task_id, task->map_index);
    if (!here->run.v || task->run.v == here->run.v)
        return word;
    return arena_printf(arena, "%s: %s", dag_of(here, task->run), word);
}

static void take_other_run(struct here *here, const struct change *change)
{
    const struct run_record *run = &change->run;
    struct civil at = civil_from_us(change->at_us);
    for (size_t i = 0; i < here->others.count; i++)
        if (here->others.at[i].id.v == run->id.v)
            return;
    vec_push(
        &here->others, ((struct other_run){run->id, arena_strdup(here->cli->arena, run->dag_id)}));
    if (run->state == RUN_QUEUED)
        printf("%02d:%02d:%02d  triggered  run %s of `%s`%s\n", at.hour, at.minute, at.second,
            run->run_id, run->dag_id,
            run->reason == REASON_WAITING_DAEMON
                ? ", which nothing here waits for: it starts with the daemon (dag up)"
                : "");
}

static void print_task(struct here *here, const struct change *change)
{
    const struct task_record *task = &change->task.record;
    if (task->state == TASK_NONE || task->state == TASK_SCHEDULED || task->state == TASK_QUEUED ||
        task_record_looks_again(task))
        return;
    struct civil at = civil_from_us(change->at_us);
    char duration[32] = "";
    if (task_state_finished(task->state) && task->started_us != TIME_NONE &&
        task->ended_us != TIME_NONE)
        duration_format(task->ended_us - task->started_us, duration);
    /* Of a failed attempt its message follows. */
    bool tell = task->state != TASK_SUCCESS && task->state != TASK_RUNNING &&
                task->state != TASK_FAILED && task->reason_text;
    printf("%02d:%02d:%02d  %s  %s%s%s%s%s\n", at.hour, at.minute, at.second,
        task->reason == REASON_EXPANDED ? "  expanded"
                                        : cli_state_text(here->cli, task_state_name(task->state)),
        word_of(here, task), duration[0] ? "  " : "", duration, tell ? "  " : "",
        tell ? task->reason_text : "");
    fflush(stdout);
}

static void print_attempt(const struct attempt_record *attempt)
{
    if (attempt->state != ATTEMPT_ENDED || !attempt->message ||
        str_equal(attempt->outcome, "success"))
        return;
    for (const char *p = attempt->message; *p;) {
        size_t size = strcspn(p, "\n");
        printf("          %.*s\n", (int)size, p);
        p += size + (p[size] == '\n');
    }
}

static void print_missed(const struct effect *effect)
{
    char deadline[TIME_TEXT_SIZE];
    time_format_iso(effect->deadline_us, deadline);
    fprintf(stderr, "warning: %s%s missed its deadline, %s\n",
        effect->task_id ? "task " : "the run", effect->task_id ? effect->task_id : "", deadline);
}

static bool is_own(const struct here *here, const struct run_record *run)
{
    return run->logical_us == here->logical_us && str_equal(run->dag_id, here->dag->dag_id);
}

static void on_committed(void *user, const struct plan *plan)
{
    struct here *here = user;
    for (size_t i = 0; i < plan->changes.count; i++) {
        const struct change *change = &plan->changes.at[i];
        if (change->kind == CHANGE_TASK)
            print_task(here, change);
        else if (change->kind == CHANGE_ATTEMPT)
            print_attempt(&change->attempt);
        else if (change->kind == CHANGE_RUN && !is_own(here, &change->run))
            take_other_run(here, change);
        else if (change->kind == CHANGE_RUN) {
            here->run = change->run.id;
            here->state = change->run.state;
            here->ended = run_state_finished(change->run.state);
        }
    }
    for (size_t i = 0; i < plan->effects.count; i++)
        if (plan->effects.at[i].kind == EFFECT_DEADLINE_MISSED)
            print_missed(&plan->effects.at[i]);
    if (here->ended)
        stop(here);
}

static void on_failed(void *user, const struct error *err)
{
    struct here *here = user;
    *here->err = *err;
    here->status = err->status;
    uv_stop(&here->loop);
}

static void on_answer(void *user, const char *outcome, const struct error *err)
{
    struct here *here = user;
    (void)outcome;
    if (!err)
        return;
    *here->err = *err;
    here->status = err->status;
    stop(here);
}

/* Continues the unfinished run of the date, or asks for a new one. */
static enum status begin(struct here *here, struct error *err)
{
    struct run_rows rows;
    enum status status =
        find_run(here->cli, engine_reader(here->engine), here->dag, here->logical_us, &rows, err);
    if (status != OK)
        return status;
    if (rows.count && run_state_finished(rows.at[0].state))
        return refuse_finished(here->cli, &rows.at[0], err);
    if (rows.count) {
        here->run = rows.at[0].id;
        fprintf(stderr, "continuing %s %s\n", here->dag->dag_id, rows.at[0].run_id);
        return OK;
    }
    json_t *act = trigger_act(here->cli, here->dag, here->logical_us, err);
    if (!act)
        return err->status;
    engine_request(here->engine, act, "dag run", on_answer, here);
    json_decref(act);
    return OK;
}

static enum status follow_here(struct here *here, struct catalogue *catalogue, struct error *err)
{
    struct engine_options options = {.loop = &here->loop,
        .project = here->cli->project,
        .acting = true,
        .only_dag = here->dag->dag_id,
        .only_logical_us = here->logical_us,
        .user = here,
        .committed = on_committed,
        .failed = on_failed};
    struct catalogue_change change = {.kind = CATALOGUE_ADOPTED, .dag = here->dag};
    struct catalogue_changes changes = {&change, 1};
    enum status status = engine_new(&options, &here->engine, err);
    if (status == OK)
        status = engine_start(here->engine, catalogue, err);
    if (status == OK && !catalogue_find(catalogue, here->dag->dag_id))
        engine_adopt(here->engine, &changes); /* a file that stands alone */
    if (status == OK)
        status = begin(here, err);
    if (status == OK) {
        uv_run(&here->loop, UV_RUN_DEFAULT);
        status = here->status;
    }
    return status;
}

static enum status conclude(struct here *here, struct error *err)
{
    const char *date = cli_time(here->cli->arena, here->logical_us);
    if (here->interrupted && !here->ended) {
        error_set(err, ERR_INTERRUPTED, "the run of %s is not finished", date);
        error_hint(err, "to go on: dag run %s --logical-date '%s'", here->dag->dag_id, date);
        return ERR_INTERRUPTED;
    }
    printf("%s %s: %s\n", here->dag->dag_id, date, run_state_name(here->state));
    return here->state == RUN_FAILED ? failed(here->dag, date, err) : OK;
}

static enum status run_here(
    struct cli *cli, const struct dag *dag, int64_t logical_us, struct error *err)
{
    struct here here = {.cli = cli, .dag = dag, .logical_us = logical_us, .err = err};
    struct catalogue_changes changes;
    const struct catalogue_options options = {
        .project = cli->project, .keep = versions_folder(cli->project, cli->arena)};
    int lock = -1;
    enum status status = lock_take(cli->project->state, "dag run", &lock, err);
    if (status != OK)
        return status;
    CLEANUP(catalogue_freep) struct catalogue *catalogue = catalogue_new(&options);
    status = catalogue_load(catalogue, &changes, err);
    uv_loop_init(&here.loop);
    uv_signal_init(&here.loop, &here.interrupt);
    here.interrupt.data = &here;
    uv_signal_start(&here.interrupt, on_interrupt, SIGINT);
    uv_unref((uv_handle_t *)&here.interrupt);
    if (status == OK)
        status = follow_here(&here, catalogue, err);
    if (status == OK)
        status = conclude(&here, err);
    if (here.engine)
        engine_free(here.engine, NULL, NULL);
    uv_close((uv_handle_t *)&here.interrupt, NULL);
    while (uv_run(&here.loop, UV_RUN_DEFAULT)) {
        /* closes the handles; more than once when it had been told to stop before it ran */
    }
    uv_loop_close(&here.loop);
    vec_done(&here.others);
    lock_release(lock);
    return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

static enum status run(struct cli *cli, struct error *err)
{
    struct dag *dag = NULL;
    int64_t logical_us = 0;
    if (only_tasks.count || scratch) {
        error_set(err, ERR_USAGE, "--%s is not supported yet", scratch ? "scratch" : "task");
        return ERR_USAGE;
    }
    enum status status = cli_load_dag(cli, cli->args[0], &dag, err);
    if (status == OK)
        status = cli_find_date(dag, logical_date, &logical_us, err);
    if (status == OK)
        status = client_alive(cli->project->state) ? run_by_daemon(cli, dag, logical_us, err)
                                                   : run_here(cli, dag, logical_us, err);
    dag_unref(dag);
    return status;
}

static const struct option options[] = {
    OPTION_TEXT(
        "logical-date", 0, &logical_date, "DATE", "(default: the newest complete interval)"),
    OPTION_TEXT("conf", 0, &conf_text, "J", "values for the run: JSON, or @FILE"),
    OPTION_LIST("task", 0, &only_tasks, "TASK", "only these tasks (not supported yet)"),
    OPTION_FLAG("scratch", 0, &scratch, "in a scratch database (not supported yet)"),
    OPTION_END,
};

const struct command command_run = {
    .name = "run",
    .arguments = "DAG",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "a run, followed to its end in the foreground",
    .description = "Runs a DAG for a date and follows it. A daemon that runs does the work, else "
                   "this process does; it is recorded and exactly-once either way. An unfinished "
                   "run of the date is continued, a finished one is refused.",
    .examples = "dag run geolife --logical-date 2007-04-12\n"
                "dag run report --conf @values.json",
    .options = options,
    .project = PROJECT_OPTIONAL,
    .run = run,
};
