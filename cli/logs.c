#include <unistd.h>

#include "base/file.h"
#include "base/vec.h"
#include "cli/cli.h"
#include "cli/log_stream.h"
#include "daemon/lock.h"
#include "store/record.h"

static int64_t try_number;
static bool follow;

enum {
    FOLLOW_POLL_US = 100000,
    FOLLOW_LEADER_TURNS = 20, /* between two looks whether something runs the project */
};

/* How many indexes a task of a run was expanded into. */
static int32_t count_indexes(const struct task_rows *tasks, const char *task_id)
{
    int32_t count = 0;
    for (size_t i = 0; i < tasks->count; i++)
        if (str_equal(tasks->at[i].task_id, task_id) && tasks->at[i].map_index >= count)
            count = tasks->at[i].map_index + 1;
    return count;
}

static enum status no_such_index(const struct run_record *run, const char *task_id,
    int32_t map_index, int32_t count, struct error *err)
{
    error_set(
        err, ERR_NOT_FOUND, "`%s` of run %s has no index %d", task_id, run->run_id, (int)map_index);
    if (count)
        error_hint(err, "it has 0 to %d", (int)count - 1);
    else
        error_hint(err, "it was not expanded");
    return ERR_NOT_FOUND;
}

static enum status no_such_task(struct cli *cli, struct store *reader, const struct run_record *run,
    const char *task_id, int32_t map_index, struct error *err)
{
    struct task_rows tasks;
    enum status status = store_read_tasks(reader, run->id, cli->arena, &tasks, err);
    if (status != OK)
        return status;
    const char **ids = arena_array(cli->arena, const char *, tasks.count + 1);
    for (size_t i = 0; i < tasks.count; i++) {
        ids[i] = tasks.at[i].task_id;
        if (!str_equal(ids[i], task_id))
            continue;
        int32_t count = count_indexes(&tasks, task_id);
        if (map_index >= count)
            return no_such_index(run, task_id, map_index, count, err);
        if (tasks.at[i].map_index != map_index)
            continue;
        error_set(err, ERR_NOT_FOUND, "`%s` has not been started in %s (it is %s)",
            task_word(cli->arena, task_id, map_index), run->run_id,
            task_state_name(tasks.at[i].state));
        if (tasks.at[i].reason_text)
            error_hint(err, "%s", tasks.at[i].reason_text);
        return ERR_NOT_FOUND;
    }
    const char *near = suggest(task_id, ids, tasks.count);
    error_set(err, ERR_NOT_FOUND, "run %s has no task `%s`", run->run_id, task_id);
    if (near)
        error_hint(err, "did you mean `%s`?", near);
    return ERR_NOT_FOUND;
}

/* ---- what is shown --------------------------------------------------------------------------- */

struct shown {
    struct attempt_record attempt;
    struct log_stream stream;
    bool closed; /* all of it is printed, and no more will come */
};

struct view {
    struct cli *cli;
    struct store *reader;
    struct run_record run;
    const char *task_id;
    int32_t map_index;
    bool all_indexes; /* `map_index` was not given, and the task is mapped */
    VEC(struct shown) shown;
    size_t last; /* the one printed last, from 1; 0 = none */
    bool done;   /* every instance that is meant is finished */
    bool started;
};

static bool is_meant(const struct view *view, int32_t map_index)
{
    return view->all_indexes || map_index == view->map_index;
}

/* How the instances stand.  A task has no row before its run has started. */
static enum status look_at_tasks(struct view *view, struct arena *arena, struct error *err)
{
    struct task_rows tasks;
    struct run_rows runs;
    struct run_filter filter = {.dag_id = view->run.dag_id, .run_id = view->run.run_id};
    enum status status = store_read_runs(view->reader, &filter, arena, &runs, err);
    if (status == OK)
        status =
            store_read_instances(view->reader, view->run.id, view->task_id, arena, &tasks, err);
    if (status != OK)
        return status;
    size_t meant = 0;
    view->done = true;
    view->all_indexes |= view->map_index < 0 && tasks.count > 1;
    for (size_t i = 0; i < tasks.count; i++) {
        if (!is_meant(view, tasks.at[i].map_index))
            continue;
        meant++;
        view->done &= task_state_finished(tasks.at[i].state);
    }
    view->started = meant > 0;
    bool waits = !runs.count || !run_state_finished(runs.at[0].state);
    if (!meant && (tasks.count || !waits || runs.at[0].state != RUN_QUEUED))
        return no_such_task(
            view->cli, view->reader, &view->run, view->task_id, view->map_index, err);
    view->done &= meant > 0;
    return OK;
}

static struct shown *find_shown(struct view *view, const struct attempt_record *attempt)
{
    vec_each (shown, &view->shown)
        if (str_equal(shown->attempt.id.text, attempt->id.text))
            return shown;
    return NULL;
}

/* A later attempt of the same index. */
static bool has_later(const struct attempt_rows *attempts, size_t i)
{
    for (size_t j = i + 1; j < attempts->count; j++)
        if (attempts->at[j].map_index == attempts->at[i].map_index)
            return true;
    return false;
}

static void show(struct view *view, const struct attempt_record *attempt)
{
    struct arena *arena = view->cli->arena;
    struct shown *shown = vec_add(&view->shown);
    record_copy(&record_attempt, &shown->attempt, attempt, arena);
    shown->stream = log_stream_of(
        attempt->log ? path_join(arena, view->cli->project->state, attempt->log) : "");
}

/* Takes in attempts that are new: at first the last one of each index (or the one that --try
   names), later each. */
static enum status look_at_attempts(struct view *view, struct arena *arena, struct error *err)
{
    struct attempt_rows attempts;
    bool first = !view->shown.count;
    enum status status =
        store_read_attempts(view->reader, view->run.id, view->task_id, arena, &attempts, err);
    size_t meant = 0;
    for (size_t i = 0; status == OK && i < attempts.count; i++) {
        const struct attempt_record *attempt = &attempts.at[i];
        struct shown *known = find_shown(view, attempt);
        if (!is_meant(view, attempt->map_index))
            continue;
        meant++;
        if (known)
            known->attempt.state = attempt->state;
        else if (try_number ? attempt->number == try_number : !first || !has_later(&attempts, i))
            show(view, attempt);
    }
    if (status != OK || view->shown.count || !meant || !try_number || (follow && !view->done))
        return status;
    return error_set(err, ERR_NOT_FOUND, "`%s` has no try %lld (it has %zu)",
        task_word(view->cli->arena, view->task_id, view->map_index), (long long)try_number, meant);
}

/* ---- printing -------------------------------------------------------------------------------- */

/* As `tail` does it, when there is more than one. */
static void print_heading(struct view *view, const struct shown *shown)
{
    size_t number = (size_t)(shown - view->shown.at) + 1;
    bool several = view->shown.count > 1 || (follow && view->all_indexes);
    if (number != view->last && several)
        printf("%s==> %s, try %d <==\n", view->last ? "\n" : "",
            task_word(view->cli->arena, shown->attempt.task_id, shown->attempt.map_index),
            (int)shown->attempt.number);
    view->last = number;
}

static enum status print_one(struct view *view, struct shown *shown, struct error *err)
{
    bool more = false;
    bool ended = shown->attempt.state == ATTEMPT_ENDED; /* told before the file is looked at */
    enum status status = log_stream_look(&shown->stream, &more, err);
    if (status == ERR_NOT_FOUND && !ended && follow)
        return OK; /* it is about to be made */
    if (status == ERR_NOT_FOUND) {
        error_set(err, ERR_NOT_FOUND, "the log of try %d of `%s` is gone",
            (int)shown->attempt.number, shown->attempt.task_id);
        error_hint(err, "logs are deleted when they are older than `retention`");
    }
    if (status == OK && more) {
        print_heading(view, shown);
        status = log_stream_print(&shown->stream, err);
    }
    shown->closed = ended || !follow;
    if (shown->closed)
        log_stream_close(&shown->stream);
    return status;
}

static enum status print_all(struct view *view, bool *ret_open, struct error *err)
{
    enum status status = OK;
    *ret_open = false;
    for (size_t i = 0; status == OK && i < view->shown.count; i++) {
        struct shown *shown = &view->shown.at[i];
        if (!shown->closed)
            status = print_one(view, shown, err);
        *ret_open |= !shown->closed;
    }
    return status;
}

/* ---- following ------------------------------------------------------------------------------- */

static void tell_waiting(const struct view *view, unsigned turn, bool *told)
{
    if (turn % FOLLOW_LEADER_TURNS == 0 && !*told && !lock_is_held(view->cli->project->state)) {
        fputs("dag: nothing runs this project now; `dag up` goes on with it\n", stderr);
        *told = true;
    }
    if (turn == 0 && !view->shown.count)
        fprintf(stderr, "dag: `%s` has not been started; waiting for it\n",
            task_word(view->cli->arena, view->task_id, view->map_index));
}

static enum status look(struct view *view, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    enum status status = look_at_tasks(view, arena, err);
    return status == OK ? look_at_attempts(view, arena, err) : status;
}

static enum status print_logs(struct view *view, struct error *err)
{
    bool open = true, told = false;
    for (unsigned turn = 0;; turn++) {
        enum status status = look(view, err);
        if (status == OK && !view->shown.count && (!follow || view->done))
            status = no_such_task(
                view->cli, view->reader, &view->run, view->task_id, view->map_index, err);
        if (status == OK)
            status = print_all(view, &open, err);
        bool enough = view->done || (try_number && view->shown.count);
        if (status != OK || !follow || (!open && enough))
            return status;
        tell_waiting(view, turn, &told);
        usleep(FOLLOW_POLL_US);
    }
}

static void print_json(const struct attempt_record *attempt)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "attempt", attempt->id.text);
    json_kv_str(&w, "task_id", attempt->task_id);
    json_kv_int(&w, "map_index", attempt->map_index);
    json_kv_int(&w, "number", attempt->number);
    json_kv_int(&w, "try_number", attempt->try_number);
    json_kv_str(&w, "outcome", attempt->outcome);
    json_kv_time(&w, "start_date", attempt->started_us);
    json_kv_time(&w, "end_date", attempt->ended_us);
    json_kv_str(&w, "message", attempt->message);
    json_kv_str(&w, "sqlstate", attempt->sqlstate);
    json_kv_str(&w, "place", attempt->place);
    json_kv_str(&w, "log", attempt->log);
    json_key(&w, "detail");
    json_raw(&w, attempt->detail ? attempt->detail : "null");
    json_key(&w, "xcom");
    json_raw(&w, attempt->xcom ? attempt->xcom : "null");
    json_object_end(&w);
    puts(strbuf_text(&text));
    strbuf_done(&text);
}

static enum status print_attempts(struct view *view, struct error *err)
{
    enum status status = look(view, err);
    if (status == OK && !view->shown.count)
        status =
            no_such_task(view->cli, view->reader, &view->run, view->task_id, view->map_index, err);
    for (size_t i = 0; status == OK && i < view->shown.count; i++)
        print_json(&view->shown.at[i].attempt);
    return status;
}

static enum status run(struct cli *cli, struct error *err)
{
    struct view view = {.cli = cli};
    struct run_rows runs;
    enum status status = cli_reader(cli, &view.reader, err);
    if (status == OK)
        status = cli_find_runs(cli, cli->args[0], cli->args[1], &runs, err);
    if (status == OK)
        status = cli_split_task(cli, cli->args[2], &view.task_id, &view.map_index, err);
    if (status != OK)
        return status;
    view.run = runs.at[0];
    status = cli->json ? print_attempts(&view, err) : print_logs(&view, err);
    vec_each (shown, &view.shown)
        log_stream_close(&shown->stream);
    vec_done(&view.shown);
    return status == ERR_INTERRUPTED ? OK : status;
}

static const struct option options[] = {
    OPTION_INT("try", 0, &try_number, "N", "this attempt (default: the last)"),
    OPTION_FLAG("follow", 'f', &follow, "go on until the task has ended, or the attempt of --try"),
    OPTION_END,
};

const struct command command_logs = {
    .name = "logs",
    .arguments = "DAG RUN TASK",
    .arguments_min = 3,
    .arguments_max = 3,
    .summary = "a task's log",
    .description = "Prints the log of a task's last attempt in a run, or of the one named; of a "
                   "mapped task without an index, those of all its instances. RUN is a run id, a "
                   "logical date, `latest` or `failed`. With -f a task that has not been started "
                   "is waited for, and the log of a retry follows; Ctrl-C ends only the following. "
                   "With --json: the attempts.",
    .examples = "dag logs geolife 2007-05-03 create_tsfresh_features\n"
                "dag logs geolife latest predict_walk_trajectories -f\n"
                "dag logs geolife latest 'load[3]'\n"
                "dag logs geolife failed clean_daily_trajectory --try 1",
    .options = options,
    .project = PROJECT_OR_STATE,
    .run = run,
};
