/* Sensors that wait for runs of a DAG, or for a task, that there is not. */
#include "definition/lint_internal.h"

/* What a template will give is not known here. */
static bool is_plain(const struct text *text)
{
    return text->value && !strchr(text->value, '{');
}

static void warn(struct linting *l, const struct text *at, const char *const *names, size_t count,
    struct error *error)
{
    const char *near = suggest(at->value, names, count);
    if (near)
        error_hint(error, "did you mean `%s`?", near);
    else
        error_hint(error, "`dag list` shows the DAGs, `dag show DAG` their tasks");
    lint_place(l, error, at->line, at->column, NULL, NULL);
    lint_add(l, "warning", "unknown-wait", error);
}

static void check_dag(struct linting *l, const struct catalogue *catalogue, const struct task *task)
{
    const char **names = arena_array(l->arena, const char *, catalogue_count(catalogue));
    struct error error;
    for (size_t i = 0; i < catalogue_count(catalogue); i++)
        names[i] = catalogue_at(catalogue, i)->dag_id;
    error_set(&error, ERR_LINT, "`%s` waits for DAG `%s`, which there is not", task->task_id,
        task->wait.dag_id.value);
    warn(l, &task->wait.dag_id, names, catalogue_count(catalogue), &error);
}

static void check_task(struct linting *l, const struct dag *other, const struct task *task)
{
    const char **names = arena_array(l->arena, const char *, other->task_count);
    struct error error;
    for (uint32_t i = 0; i < other->task_count; i++)
        names[i] = other->tasks[i].task_id;
    error_set(&error, ERR_LINT, "`%s` waits for task `%s`, which DAG `%s` does not have",
        task->task_id, task->wait.task_id.value, other->dag_id);
    warn(l, &task->wait.task_id, names, other->task_count, &error);
}

static void check_sensor(
    struct linting *l, const struct catalogue *catalogue, const struct task *task)
{
    if (task->kind != KIND_WAIT_FOR || task->wait.kind != WAIT_TASK ||
        !is_plain(&task->wait.dag_id))
        return;
    const struct dag *other = catalogue_find(catalogue, task->wait.dag_id.value);
    if (!other)
        check_dag(l, catalogue, task);
    else if (is_plain(&task->wait.task_id) && !dag_find_task(other, task->wait.task_id.value))
        check_task(l, other, task);
}

void lint_sensors(struct linting *l, const struct catalogue *catalogue)
{
    if (catalogue_broken_count(catalogue)) /* it may be in one of those files */
        return;
    for (size_t i = 0; i < catalogue_count(catalogue); i++) {
        const struct dag *dag = catalogue_at(catalogue, i);
        l->dag = dag;
        if (sources_read(l->sources, dag->file, &l->dag_source, NULL) != OK)
            continue;
        for (uint32_t n = 0; n < dag->task_count; n++)
            check_sensor(l, catalogue, &dag->tasks[n]);
    }
}
