#include "base/file.h"
#include "cli/render.h"
#include "executor/attempt_sql.h"
#include "executor/facts.h"
#include "executor/xcom.h"

/* Of a stored text; those of the renderer are smaller. */
enum { STORED_SIZE_MAX = 256 << 20 };

static const char *instance_name(struct cli *cli, const struct render_instance *instance)
{
    return task_word(cli->arena, instance->task->task_id, instance->map_index);
}

static enum status find_attempt(struct cli *cli, const struct run_record *run,
    const struct render_instance *instance, struct attempt_record *ret, struct error *err)
{
    const struct task *task = instance->task;
    struct store *reader = NULL;
    struct attempt_rows attempts = {0};
    enum status status = cli_reader(cli, &reader, err);
    if (status == OK)
        status = store_read_attempts(reader, run->id, task->task_id, cli->arena, &attempts, err);
    if (status != OK)
        return status;
    const struct attempt_record *found = NULL;
    for (size_t i = 0; i < attempts.count; i++)
        if (attempts.at[i].map_index == instance->map_index)
            found = &attempts.at[i];
    if (!found)
        return error_set(err, ERR_NOT_FOUND, "`%s` has not been started in %s",
            instance_name(cli, instance), run->run_id);
    *ret = *found;
    return OK;
}

static enum status read_stored(
    struct cli *cli, const struct attempt_record *attempt, struct slice *ret, struct error *err)
{
    if (!attempt->log)
        return error_set(err, ERR_NOT_FOUND, "the attempt has no log");
    const char *log = path_join(cli->arena, cli->project->state, attempt->log);
    return attempt_sql_read(log, attempt->id.text, STORED_SIZE_MAX, cli->arena, ret, err);
}

/* As the daemon finds them for an attempt. */
static enum status find_facts(
    struct cli *cli, const struct run_record *run, struct run_facts *ret, struct error *err)
{
    struct store *reader = NULL;
    enum status status = cli_reader(cli, &reader, err);
    return status == OK ? run_facts_read(reader, run, cli->arena, ret, err) : status;
}

struct run_reader {
    struct store *reader;
    struct run_id run;
};

static const char *find_xcom(
    void *user, const char *task_id, int32_t map_index, const char *key, struct arena *arena)
{
    const struct run_reader *of = user;
    return xcom_read(of->reader, of->run, task_id, map_index, key, arena);
}

static size_t find_indexes(
    void *user, const char *task_id, struct arena *arena, const int32_t **ret)
{
    const struct run_reader *of = user;
    return xcom_read_indexes(of->reader, of->run, task_id, arena, ret);
}

/* The values that an instance was made for; NULL when the task is not mapped. */
static enum status find_mapped(struct cli *cli, const struct run_record *run,
    const struct render_instance *instance, const char **ret, struct error *err)
{
    struct task_rows tasks = {0};
    enum status status = OK;
    *ret = NULL;
    if (instance->map_index >= 0)
        status = store_read_instances(
            cli->reader, run->id, instance->task->task_id, cli->arena, &tasks, err);
    for (size_t i = 0; i < tasks.count && status == OK; i++)
        if (tasks.at[i].map_index == instance->map_index)
            *ret = tasks.at[i].mapped;
    return status;
}

/* Secrets are masked as they are in what was stored. */
static enum status render_again(struct cli *cli, const struct render_instance *instance,
    const struct render_target *target, const struct run_record *run,
    const struct attempt_record *record, struct slice *ret, struct error *err)
{
    struct run_facts facts;
    struct rendered_task rendered;
    struct run_reader source = {cli->reader, run->id};
    struct attempt_facts attempt = {.attempt_id = record->id.text,
        .try_number = record->try_number,
        .map_index = record->map_index,
        .now_us = record->started_us,
        .seed = hash_u64(record->id.text, strlen(record->id.text)),
        .xcom = find_xcom,
        .indexes = find_indexes,
        .xcom_user = &source};
    enum status status = find_facts(cli, run, &facts, err);
    if (status == OK)
        status = find_mapped(cli, run, instance, &attempt.mapped, err);
    if (status == OK)
        status = context_render_task(cli->project, instance->dag, instance->task, &facts, &attempt,
            target, cli->arena, &rendered, err);
    if (status != OK)
        return status;
    const struct rendered *sql = rendered_find(&rendered, "sql");
    *ret = sql ? jinja_masked_text(sql->map, JINJA_SECRET, "***", cli->arena) : (struct slice){0};
    return OK;
}

enum status render_print_diff(struct cli *cli, const struct render_instance *instance,
    const struct render_target *target, const char *run, struct error *err)
{
    const struct task *task = instance->task;
    struct run_rows runs;
    struct attempt_record attempt;
    struct slice before, now;
    if (task->kind != KIND_SQL)
        return error_set(err, ERR_USAGE, "--diff is for SQL: `%s` is no SQL task", task->task_id);
    enum status status = cli_find_runs(cli, instance->dag->dag_id, run, &runs, err);
    if (status == OK)
        status = find_attempt(cli, &runs.at[0], instance, &attempt, err);
    if (status == OK)
        status = read_stored(cli, &attempt, &before, err);
    if (status == OK)
        status = render_again(cli, instance, target, &runs.at[0], &attempt, &now, err);
    if (status != OK)
        return status;
    const char *name =
        arena_printf(cli->arena, "%s, attempt %d", runs.at[0].run_id, (int)attempt.number);
    if (!diff_print(name, before, "now", now, stdout))
        puts("no difference");
    return OK;
}
