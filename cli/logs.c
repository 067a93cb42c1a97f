#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"

static int64_t try_number;
static bool follow;

enum { FOLLOW_POLL_US = 100000 };

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
            cli_task_word(cli->arena, task_id, map_index), run->run_id,
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

static enum status find_attempt(struct cli *cli, struct store *reader, const struct run_record *run,
    struct attempt_record *ret, struct error *err)
{
    const char *task_id = NULL;
    int32_t map_index = -1;
    struct attempt_rows attempts;
    enum status status = cli_split_task(cli, cli->args[2], &task_id, &map_index, err);
    if (status == OK)
        status = store_read_attempts(reader, run->id, task_id, cli->arena, &attempts, err);
    if (status != OK)
        return status;
    const struct attempt_record *found = NULL;
    size_t tries = 0;
    for (size_t i = 0; i < attempts.count; i++) {
        if (attempts.at[i].map_index != map_index)
            continue;
        tries++;
        if (!try_number || attempts.at[i].number == try_number)
            found = &attempts.at[i];
    }
    if (!found && tries && try_number)
        return error_set(err, ERR_NOT_FOUND, "`%s` has no try %lld (it has %zu)",
            cli_task_word(cli->arena, task_id, map_index), (long long)try_number, tries);
    if (!found)
        return no_such_task(cli, reader, run, task_id, map_index, err);
    *ret = *found;
    return OK;
}

static void copy_out(int fd)
{
    char buffer[65536];
    ssize_t size;
    while ((size = read(fd, buffer, sizeof(buffer))) > 0)
        fwrite(buffer, 1, (size_t)size, stdout);
    fflush(stdout);
}

static bool has_ended(struct store *reader, const struct attempt_record *attempt)
{
    struct attempt_rows attempts;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    if (store_read_attempts(reader, attempt->run, attempt->task_id, arena, &attempts, NULL) != OK)
        return true;
    for (size_t i = 0; i < attempts.count; i++)
        if (str_equal(attempts.at[i].id.text, attempt->id.text))
            return attempts.at[i].state == ATTEMPT_ENDED;
    return true;
}

static enum status print_log(
    struct cli *cli, struct store *reader, const struct attempt_record *attempt, struct error *err)
{
    if (!attempt->log)
        return error_set(err, ERR_NOT_FOUND, "the attempt has no log");
    const char *path = path_join(cli->arena, cli->project->state, attempt->log);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && attempt->state == ATTEMPT_QUEUED && follow) {
        for (int i = 0; fd < 0 && i < 600 && !has_ended(reader, attempt); i++) {
            usleep(FOLLOW_POLL_US);
            fd = open(path, O_RDONLY | O_CLOEXEC);
        }
    }
    if (fd < 0)
        return error_set(err, ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
    copy_out(fd);
    while (follow) {
        bool ended = has_ended(reader, attempt);
        copy_out(fd);
        if (ended)
            break;
        usleep(FOLLOW_POLL_US);
    }
    close(fd);
    return OK;
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

static enum status run(struct cli *cli, struct error *err)
{
    struct store *reader = NULL;
    struct run_rows runs;
    struct attempt_record attempt;
    enum status status = cli_reader(cli, &reader, err);
    if (status == OK)
        status = cli_find_runs(cli, cli->args[0], cli->args[1], &runs, err);
    if (status == OK)
        status = find_attempt(cli, reader, &runs.at[0], &attempt, err);
    if (status != OK)
        return status;
    if (cli->json) {
        print_json(&attempt);
        return OK;
    }
    return print_log(cli, reader, &attempt, err);
}

static const struct option options[] = {
    OPTION_INT("try", 0, &try_number, "N", "this attempt (default: the last)"),
    OPTION_FLAG("follow", 'f', &follow, "go on until the attempt has ended"),
    OPTION_END,
};

const struct command command_logs = {
    .name = "logs",
    .arguments = "DAG RUN TASK",
    .arguments_min = 3,
    .arguments_max = 3,
    .summary = "a task's log",
    .description = "Prints the log of a task's last attempt in a run, or of the one named. RUN is "
                   "a run id, a logical date, `latest` or `failed`. With --json: the attempt.",
    .examples = "dag logs geolife 2007-05-03 create_tsfresh_features\n"
                "dag logs geolife latest predict_walk_trajectories -f\n"
                "dag logs geolife latest 'load[3]'\n"
                "dag logs geolife failed clean_daily_trajectory --try 1",
    .options = options,
    .project = PROJECT_OR_STATE,
    .run = run,
};
