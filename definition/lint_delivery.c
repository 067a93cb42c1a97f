/* What a task gives up or cannot have when it runs: the ledger, and names that are dag's own. */
#include "definition/lint_internal.h"
#include "definition/project.h"

/* Whether a task before it in the file is on the same connection: one finding is enough. */
static bool is_told(const struct dag *dag, uint32_t task)
{
    for (uint32_t i = 0; i < task; i++)
        if (dag->tasks[i].kind == KIND_SQL &&
            str_equal(dag->tasks[i].sql.connection, dag->tasks[task].sql.connection))
            return true;
    return false;
}

static void check_ledger(struct linting *l, uint32_t index)
{
    const struct task *task = &l->dag->tasks[index];
    const struct connection *connection =
        task->kind == KIND_SQL && task->sql.connection
            ? project_find_connection(l->project, task->sql.connection)
            : NULL;
    struct error error;
    if (!connection || connection->ledger || is_told(l->dag, index))
        return;
    error_set(
        &error, ERR_LINT, "the SQL on `%s` runs at least once, not exactly once", connection->name);
    error_hint(&error, "with `ledger: false` a COMMIT whose answer is lost may be repeated, or not:"
                       " the tasks must stand that");
    lint_place(l, &error, task->line, 1, NULL, NULL);
    lint_add(l, "info", "at-least-once", &error);
}

static void check_env(struct linting *l, const struct task *task)
{
    for (size_t i = 0; i < task->process->env.count; i++) {
        const struct named_text *variable = &task->process->env.at[i];
        struct error error;
        if (!process_env_is_kept(variable->name))
            continue;
        error_set(&error, ERR_LINT, "`%s` in `env` is set by dag itself", variable->name);
        error_hint(&error, "choose another name");
        lint_place(l, &error, variable->text.line, 1, NULL, NULL);
        lint_add(l, "error", "env-kept", &error);
    }
}

void lint_delivery(struct linting *l)
{
    for (uint32_t i = 0; i < l->dag->task_count; i++) {
        check_ledger(l, i);
        check_env(l, &l->dag->tasks[i]);
    }
}
