/* The commands that ask for an act: trigger, backfill, clear, mark, cancel, pause, unpause. */
#include "cli/cli.h"
#include "daemon/client.h"

static const char *logical_date, *conf_text, *from_text, *to_text, *note, *only = "missing";
static bool wait_for, dry_run, reverse, downstream, failed, same_version, force, yes;
static int64_t max_active_runs;

static json_t *act_begin(const char *op, const char *dag_id)
{
    json_t *act = json_object();
    json_object_set_new(act, "op", json_string(op));
    json_object_set_new(act, "dag_id", json_string(dag_id));
    return act;
}

static void set_text(json_t *act, const char *key, const char *value)
{
    if (value)
        json_object_set_new(act, key, json_string(value));
}

static void set_flag(json_t *act, const char *key, bool value)
{
    if (value)
        json_object_set_new(act, key, json_true());
}

static enum status set_conf(struct cli *cli, json_t *act, struct error *err)
{
    json_t *conf = NULL;
    if (!conf_text)
        return OK;
    enum status status = cli_parse_json_argument(cli, conf_text, &conf, err);
    if (status == OK)
        json_object_set_new(act, "conf", conf);
    return status == OK ? OK : error_context(err, "--conf: ");
}

static int64_t number_of(const json_t *outcome, const char *key)
{
    return json_integer_value(json_object_get(outcome, key));
}

static void print_run(const json_t *outcome)
{
    printf("%s%s\n", dry_run ? "would create " : "",
        json_string_value(json_object_get(outcome, "run_id")));
    printf("  data interval %s … %s\n",
        json_string_value(json_object_get(outcome, "data_interval_start")),
        json_string_value(json_object_get(outcome, "data_interval_end")));
}

static void print_dates(const json_t *outcome)
{
    int64_t count = number_of(outcome, "count"), left_out = number_of(outcome, "left_out");
    const json_t *dates = json_object_get(outcome, "dates");
    size_t i;
    json_t *date;
    printf("%lld runs%s%s\n", (long long)count,
        json_is_true(json_object_get(outcome, "more")) ? " or more" : "",
        dry_run ? " would be made" : "");
    if (dry_run)
        json_array_foreach(dates, i, date) printf("  %s\n", json_string_value(date));
    if (dry_run && (int64_t)json_array_size(dates) < count)
        printf("  … and %lld more\n", (long long)(count - (int64_t)json_array_size(dates)));
    if (left_out)
        printf("%lld dates are left out (--only %s)\n", (long long)left_out, only);
}

/* The tasks of each run that an act concerns, in a preview. */
static void print_choice(const json_t *runs)
{
    size_t i, j;
    json_t *run, *task;
    json_array_foreach(runs, i, run)
    {
        printf("%s\n", json_string_value(json_object_get(run, "run_id")));
        json_array_foreach(json_object_get(run, "tasks"), j, task)
            printf("  %s\n", json_string_value(task));
    }
}

/* Says what an act did, or would do. */
static void print_outcome(struct cli *cli, const json_t *outcome)
{
    const json_t *runs = json_object_get(outcome, "runs");
    if (cli->json)
        cli_print_json(outcome);
    else if (json_object_get(outcome, "dates"))
        print_dates(outcome);
    else if (json_object_get(outcome, "paused"))
        printf(
            "%s\n", json_is_true(json_object_get(outcome, "changed")) ? "done" : "nothing to do");
    else if (json_object_get(outcome, "run_id"))
        print_run(outcome);
    else if (json_is_array(runs))
        print_choice(runs);
    if (!cli->json && json_object_get(outcome, "tasks"))
        printf("%lld tasks%s\n", (long long)number_of(outcome, "tasks"),
            dry_run ? " would be concerned" : "");
}

static enum status finish(struct cli *cli, json_t *act, bool alone, json_t **ret, struct error *err)
{
    json_t *outcome = NULL;
    set_flag(act, "dry_run", dry_run);
    enum status status = cli_act(cli, act, alone, &outcome, err);
    if (status == OK)
        print_outcome(cli, outcome);
    json_decref(act);
    if (ret && status == OK)
        *ret = outcome;
    else
        json_decref(outcome);
    return status;
}

/* ---- trigger --------------------------------------------------------------------------------- */

static enum status follow(
    struct cli *cli, const char *dag_id, const char *run_id, struct error *err)
{
    enum run_state state;
    enum status status = cli_follow(cli, dag_id, run_id, &state, err);
    if (status != OK || state == RUN_SUCCESS)
        return status;
    error_set(err, ERR_RUN_FAILED, "%s %s failed", dag_id, run_id);
    error_hint(err, "dag status %s '%s'", dag_id, run_id);
    return ERR_RUN_FAILED;
}

static enum status run_trigger(struct cli *cli, struct error *err)
{
    const char *dag_id = cli->args[0];
    json_t *act = act_begin("trigger", dag_id), *outcome = NULL;
    set_text(act, "logical_date", logical_date);
    set_text(act, "note", note);
    enum status status = set_conf(cli, act, err);
    if (status != OK) {
        json_decref(act);
        return status;
    }
    status = finish(cli, act, false, &outcome, err);
    const char *run_id = json_string_value(json_object_get(outcome, "run_id"));
    if (status == OK && wait_for && run_id)
        status = follow(cli, dag_id, run_id, err);
    json_decref(outcome);
    return status;
}

static const struct option trigger_options[] = {
    OPTION_TEXT("logical-date", 0, &logical_date, "DATE", "the run's logical date"),
    OPTION_TEXT("conf", 0, &conf_text, "J", "values for the run: JSON, or @FILE"),
    OPTION_TEXT("note", 0, &note, "TEXT", "kept with the run"),
    OPTION_FLAG("wait", 0, &wait_for, "follow the run; exit 1 when it fails"),
    OPTION_FLAG("dry-run", 0, &dry_run, "show what would be done"),
    OPTION_END,
};

const struct command command_trigger = {
    .name = "trigger",
    .arguments = "DAG",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "a run by hand",
    .description = "Asks the daemon for a run: of the newest complete interval, or of the date "
                   "given. A date that has a run already is refused with the command to use.",
    .examples = "dag trigger geolife --logical-date 2007-04-12 --wait\n"
                "dag trigger report --conf '{\"region\": \"north\"}'",
    .options = trigger_options,
    .project = PROJECT_OR_STATE,
    .run = run_trigger,
};

/* ---- backfill -------------------------------------------------------------------------------- */

static enum status run_backfill(struct cli *cli, struct error *err)
{
    if (!from_text || !to_text) {
        error_set(err, ERR_USAGE, "dag backfill wants --from and --to");
        error_hint(err, "dag backfill %s --from 2007-04-12 --to 2007-05-07", cli->args[0]);
        return ERR_USAGE;
    }
    json_t *act = act_begin("backfill", cli->args[0]), *outcome = NULL;
    set_text(act, "from", from_text);
    set_text(act, "to", to_text);
    set_text(act, "only", only);
    set_flag(act, "reverse", reverse);
    if (max_active_runs)
        json_object_set_new(act, "max_active_runs", json_integer(max_active_runs));
    enum status status = set_conf(cli, act, err);
    if (status != OK) {
        json_decref(act);
        return status;
    }
    status = finish(cli, act, false, &outcome, err);
    int64_t id = json_integer_value(json_object_get(outcome, "backfill"));
    json_decref(outcome);
    return status == OK && wait_for && id ? cli_follow_backfill(cli, id, err) : status;
}

static const struct option backfill_options[] = {
    OPTION_TEXT("from", 0, &from_text, "DATE", "first logical date"),
    OPTION_TEXT("to", 0, &to_text, "DATE", "last logical date, inclusive"),
    OPTION_TEXT("only", 0, &only, "WHICH",
        "missing (default): dates without a run; failed: clear their failed tasks; all: every "
        "task"),
    OPTION_INT("max-active-runs", 0, &max_active_runs, "N", "of this backfill at once"),
    OPTION_FLAG("reverse", 0, &reverse, "newest date first"),
    OPTION_TEXT("conf", 0, &conf_text, "J", "values for the runs: JSON, or @FILE"),
    OPTION_FLAG("dry-run", 0, &dry_run, "show what would be created and stop"),
    OPTION_FLAG("wait", 0, &wait_for, "follow it to its end; exit 1 when a run fails"),
    OPTION_END,
};

const struct command command_backfill = {
    .name = "backfill",
    .arguments = "DAG",
    .arguments_min = 1,
    .arguments_max = 1,
    .summary = "runs of many dates",
    .description = "Asks the daemon for the runs of a range of logical dates. A date that has a "
                   "run never gets a second one.",
    .examples = "dag backfill geolife --from 2007-04-12 --to 2007-04-30 --dry-run\n"
                "dag backfill geolife --from 2007-04-12 --to 2007-04-30 --wait\n"
                "dag backfill geolife --from 2007-04-12 --to 2007-04-30 --only failed",
    .options = backfill_options,
    .project = PROJECT_OR_STATE,
    .run = run_backfill,
};

/* ---- selections ------------------------------------------------------------------------------ */

/* DAG [RUN] [TASK…], or DAG --from A --to B [TASK…]. */
static json_t *selection(struct cli *cli, const char *op)
{
    json_t *act = act_begin(op, cli->args[0]), *tasks = json_array();
    size_t next = 1;
    if (from_text || to_text) {
        set_text(act, "from", from_text ? from_text : to_text);
        set_text(act, "to", to_text ? to_text : from_text);
    } else {
        const char *run = cli->arg_count > 1 ? cli->args[1] : "latest";
        json_t *runs = json_array();
        json_array_append_new(runs, json_string(run));
        json_object_set_new(act, "runs", runs);
        next = 2;
    }
    for (size_t i = next; i < cli->arg_count; i++)
        json_array_append_new(tasks, json_string(cli->args[i]));
    json_object_set_new(act, "tasks", tasks);
    return act;
}

static enum status confirm_range(struct cli *cli, json_t *act, struct error *err)
{
    if (!(from_text || to_text) || dry_run)
        return OK;
    const char *question = arena_printf(cli->arena, "%s all runs of `%s` from %s to %s?",
        cli->command->name, cli->args[0], json_string_value(json_object_get(act, "from")),
        json_string_value(json_object_get(act, "to")));
    return cli_confirm(cli, yes, question, err);
}

/* An act that a scheduler has to carry on with. */
static enum status finish_later(struct cli *cli, json_t *act, struct error *err)
{
    enum status status = finish(cli, act, true, NULL, err);
    if (status == OK && !dry_run && !client_alive(cli->project->state))
        fprintf(stderr, "no daemon runs: `dag up`, or `dag run`, carries on from here\n");
    return status;
}

static enum status run_clear(struct cli *cli, struct error *err)
{
    json_t *act = selection(cli, "clear");
    set_flag(act, "downstream", downstream);
    set_flag(act, "failed", failed);
    set_flag(act, "same_version", same_version);
    set_text(act, "note", note);
    enum status status = confirm_range(cli, act, err);
    if (status != OK) {
        json_decref(act);
        return status;
    }
    return finish_later(cli, act, err);
}

#define RANGE_OPTIONS                                                                              \
    OPTION_TEXT("from", 0, &from_text, "DATE", "instead of RUN: all runs from this logical date"), \
        OPTION_TEXT("to", 0, &to_text, "DATE", "… to this one, inclusive"),                        \
        OPTION_FLAG("yes", 'y', &yes, "do not ask about more than one run"),                       \
        OPTION_TEXT("note", 0, &note, "TEXT", "kept with the act"),                                \
        OPTION_FLAG("dry-run", 0, &dry_run, "show what would be done")

static const struct option clear_options[] = {
    OPTION_FLAG("downstream", 0, &downstream, "and all tasks that follow"),
    OPTION_FLAG("failed", 0, &failed, "only failed tasks and what follows them"),
    OPTION_FLAG("same-version", 0, &same_version, "with the definition that the run had"),
    RANGE_OPTIONS,
    OPTION_END,
};

const struct command command_clear = {
    .name = "clear",
    .arguments = "DAG [RUN [TASK…]]",
    .arguments_min = 1,
    .arguments_max = -1,
    .summary = "run again, as a new generation",
    .description = "Sets tasks of a run back, so that they run again with the newest definition. "
                   "RUN is a run id, a logical date, `latest` or `failed`; TASK takes globs and "
                   "`+task`, `task+`. Earlier attempts are kept.",
    .examples = "dag clear geolife 2007-05-03 create_tsfresh_features --downstream\n"
                "dag clear geolife failed --failed\n"
                "dag clear geolife --from 2007-05-01 --to 2007-05-07 --dry-run",
    .options = clear_options,
    .project = PROJECT_OR_STATE,
    .run = run_clear,
};

/* The state is the last word. */
static enum status run_mark(struct cli *cli, struct error *err)
{
    const char *state = cli->args[cli->arg_count - 1];
    cli->arg_count--;
    json_t *act = selection(cli, "mark");
    set_text(act, "state", state);
    set_text(act, "note", note);
    enum status status = confirm_range(cli, act, err);
    if (status != OK) {
        json_decref(act);
        return status;
    }
    return finish(cli, act, true, NULL, err);
}

static const struct option mark_options[] = {RANGE_OPTIONS, OPTION_END};

const struct command command_mark = {
    .name = "mark",
    .arguments = "DAG RUN [TASK…] success|failed|skipped",
    .arguments_min = 2,
    .arguments_max = -1,
    .summary = "set a run's or tasks' state by hand",
    .description =
        "Marks tasks of a run, or the whole run, without running them. Dates without a run "
        "may be marked too, one or a range of them: work that was done elsewhere.",
    .examples = "dag mark geolife 2007-05-03 create_tsfresh_features success --note \"by hand\"\n"
                "dag mark geolife 2007-05-03 failed\n"
                "dag mark geolife --from 2007-04-12 --to 2007-04-30 success",
    .options = mark_options,
    .project = PROJECT_OR_STATE,
    .run = run_mark,
};

static enum status run_cancel(struct cli *cli, struct error *err)
{
    json_t *act = selection(cli, "cancel");
    set_flag(act, "force", force);
    set_text(act, "note", note);
    enum status status = confirm_range(cli, act, err);
    if (status != OK) {
        json_decref(act);
        return status;
    }
    return finish_later(cli, act, err);
}

static const struct option cancel_options[] = {
    OPTION_FLAG("force", 0, &force, "do not wait until the attempt is confirmed gone"),
    RANGE_OPTIONS,
    OPTION_END,
};

const struct command command_cancel = {
    .name = "cancel",
    .arguments = "DAG [RUN [TASK…]]",
    .arguments_min = 1,
    .arguments_max = -1,
    .summary = "end what runs",
    .description = "Cancels running tasks, and fails them when they are really gone: nothing that "
                   "follows begins before. The rest of the run is skipped.",
    .examples = "dag cancel geolife\ndag cancel geolife 2007-05-03 create_tsfresh_features",
    .options = cancel_options,
    .project = PROJECT_OR_STATE,
    .run = run_cancel,
};

/* ---- pause ----------------------------------------------------------------------------------- */

static enum status each_dag(struct cli *cli, const char *op, struct error *err)
{
    for (size_t i = 0; i < cli->arg_count; i++) {
        enum status status = finish(cli, act_begin(op, cli->args[i]), true, NULL, err);
        if (status != OK)
            return status;
    }
    return OK;
}

static enum status run_pause(struct cli *cli, struct error *err)
{
    return each_dag(cli, "pause", err);
}

static enum status run_unpause(struct cli *cli, struct error *err)
{
    return each_dag(cli, "unpause", err);
}

static const struct option pause_options[] = {
    OPTION_FLAG("dry-run", 0, &dry_run, "show what would be done"),
    OPTION_END,
};

const struct command command_pause = {
    .name = "pause",
    .arguments = "DAG…",
    .arguments_min = 1,
    .arguments_max = -1,
    .summary = "no new scheduled runs",
    .description = "Stops new scheduled runs and new tasks of those there are. Manual and backfill "
                   "runs go on.",
    .examples = "dag pause geolife",
    .options = pause_options,
    .project = PROJECT_OR_STATE,
    .run = run_pause,
};

const struct command command_unpause = {
    .name = "unpause",
    .arguments = "DAG…",
    .arguments_min = 1,
    .arguments_max = -1,
    .summary = "scheduled runs again",
    .examples = "dag unpause geolife",
    .options = pause_options,
    .project = PROJECT_OR_STATE,
    .run = run_unpause,
};
