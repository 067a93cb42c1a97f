/* Sensors that wait for runs of a DAG, or for a task, that there is not. */
#include "definition/lint_across.h"

static void warn(const struct across *a, const struct dag_facts *dag, const struct fact_name *at,
    const char *const *names, size_t count, struct error *error)
{
    const char *near = suggest(at->name, names, count);
    if (near)
        error_hint(error, "did you mean `%s`?", near);
    else
        error_hint(error, "`dag list` shows the DAGs, `dag show DAG` their tasks");
    across_add(a, dag, at, "unknown-wait", error);
}

static void check_sensor(
    const struct across *a, const struct dag_facts *dag, const struct fact_wait *wait)
{
    struct error error;
    if (!wait->dag.name)
        return;
    const struct dag_facts *other = map_get(a->by_id, wait->dag.name);
    if (!other) {
        error_set(&error, ERR_LINT, "`%s` waits for DAG `%s`, which there is not", wait->by,
            wait->dag.name);
        warn(a, dag, &wait->dag, across_ids(a), a->count, &error);
    } else if (wait->task.name && !names_have(&other->tasks, wait->task.name)) {
        error_set(&error, ERR_LINT, "`%s` waits for task `%s`, which DAG `%s` does not have",
            wait->by, wait->task.name, other->dag_id);
        warn(a, dag, &wait->task, other->tasks.at, other->tasks.count, &error);
    }
}

void lint_sensors(const struct across *a)
{
    if (a->broken)
        return;
    for (size_t i = 0; i < a->count; i++)
        for (size_t n = 0; n < a->dags[i]->waits.count; n++)
            check_sensor(a, a->dags[i], &a->dags[i]->waits.at[n]);
}
