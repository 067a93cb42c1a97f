#include "definition/model/model.h"
#include <stdlib.h>
#include <strings.h>

static const char *const task_kinds[KIND_COUNT] = {
    [KIND_EMPTY] = "empty",
    [KIND_SQL] = "sql",
    [KIND_BASH] = "bash",
    [KIND_EXEC] = "exec",
    [KIND_PYTHON] = "python",
    [KIND_HTTP] = "http",
    [KIND_WAIT_FOR] = "wait_for",
    [KIND_BRANCH] = "branch",
    [KIND_SHORT_CIRCUIT] = "short_circuit",
    [KIND_TRIGGER_DAG] = "trigger_dag",
    [KIND_LATEST_ONLY] = "latest_only",
};

static const char *const dialects[] = {
    [DIALECT_POSTGRESQL] = "postgresql",
    [DIALECT_GREENPLUM6] = "greenplum6",
    [DIALECT_GREENPLUM7] = "greenplum7",
};

bool names_have(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_equal(names->at[i], name))
            return true;
    return false;
}

bool process_env_is_kept(const char *name)
{
    static const char *const names[] = {"DAG_ATTEMPT_ID", "DAG_XCOM", "DAG_EXEC_SECRETS"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (str_equal(names[i], name))
            return true;
    return false;
}

const char *task_kind_name(enum task_kind kind)
{
    return task_kinds[kind];
}

bool task_kind_decides(enum task_kind kind)
{
    return kind == KIND_BRANCH || kind == KIND_SHORT_CIRCUIT || kind == KIND_LATEST_ONLY;
}

const char *dialect_name(enum dialect dialect)
{
    return dialects[dialect];
}

bool dialect_parse(const char *name, enum dialect *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(dialects); i++)
        if (str_equal(dialects[i], name)) {
            *ret = (enum dialect)i;
            return true;
        }
    return false;
}

struct dag *dag_ref(const struct dag *dag)
{
    /* The count is the one thing in a DAG that changes after it was made. */
    struct dag *counted = (struct dag *)(uintptr_t)dag;
    atomic_fetch_add_explicit(&counted->references, 1, memory_order_relaxed);
    return counted;
}

static void json_release(const json_t *json)
{
    json_decref((json_t *)(uintptr_t)json);
}

static void release_params(const struct param *params, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_release(params[i].schema);
        json_release(params[i].default_value);
    }
}

static bool says_of_data(const struct data_keys *data)
{
    return data->outlets.count || data->inlets.count || data->reads.count || data->writes.count;
}

void task_set_parts(struct task *task, const struct task_parts *parts, struct arena *arena)
{
    static const struct task_parts empty;
    enum task_kind kind = parts ? task->kind : KIND_EMPTY;
    task->data = &empty.data;
    task->decision = &empty.decision;
    task->process = &empty.process;
    task->http = &empty.http;
    task->wait = &empty.wait;
    task->trigger = &empty.trigger;
    if (parts && says_of_data(&parts->data))
        task->data = arena_memdup(arena, &parts->data, sizeof(parts->data));
    if (kind == KIND_BRANCH || kind == KIND_SHORT_CIRCUIT)
        task->decision = arena_memdup(arena, &parts->decision, sizeof(parts->decision));
    bool is_process = kind == KIND_BASH || kind == KIND_EXEC || kind == KIND_PYTHON;
    if (is_process || (parts && parts->process.env.count)) /* every task may have `env` */
        task->process = arena_memdup(arena, &parts->process, sizeof(parts->process));
    if (kind == KIND_HTTP || (kind == KIND_WAIT_FOR && parts->wait.kind == WAIT_HTTP))
        task->http = arena_memdup(arena, &parts->http, sizeof(parts->http));
    if (kind == KIND_WAIT_FOR)
        task->wait = arena_memdup(arena, &parts->wait, sizeof(parts->wait));
    if (kind == KIND_TRIGGER_DAG)
        task->trigger = arena_memdup(arena, &parts->trigger, sizeof(parts->trigger));
}

void dag_unref(struct dag *dag)
{
    if (!dag || atomic_fetch_sub_explicit(&dag->references, 1, memory_order_acq_rel) > 1)
        return;
    release_params(dag->params, dag->param_count);
    for (uint32_t i = 0; i < dag->task_count; i++) {
        json_release(dag->tasks[i].params);
        json_release(dag->tasks[i].sql.parameters);
        for (size_t k = 0; k < dag->tasks[i].sql.check_count; k++)
            json_release(dag->tasks[i].sql.checks[k].values);
        json_release(dag->tasks[i].http->json);
        json_release(dag->tasks[i].trigger->json);
        for (size_t k = 0; k < dag->tasks[i].expand.count; k++)
            json_release(dag->tasks[i].expand.at[k].values);
    }
    arena_free(dag->arena);
}

const struct task *dag_find_task(const struct dag *dag, const char *task_id)
{
    for (uint32_t i = 0; i < dag->task_count; i++)
        if (str_equal(dag->tasks[i].task_id, task_id))
            return &dag->tasks[i];
    return NULL;
}

const char *task_word(struct arena *arena, const char *task_id, int64_t map_index)
{
    return map_index < 0 ? task_id : arena_printf(arena, "%s[%lld]", task_id, (long long)map_index);
}

const struct connection *project_find_connection(const struct project *project, const char *name)
{
    for (size_t i = 0; i < project->connection_count; i++)
        if (str_equal(project->connections[i].name, name))
            return &project->connections[i];
    return NULL;
}

const struct pool *project_find_pool(const struct project *project, const char *name)
{
    for (size_t i = 0; i < project->pool_count; i++)
        if (str_equal(project->pools[i].name, name))
            return &project->pools[i];
    return NULL;
}

const struct endpoint *project_find_endpoint(const struct project *project, const char *name)
{
    for (size_t i = 0; i < project->endpoint_count; i++)
        if (str_equal(project->endpoints[i].name, name))
            return &project->endpoints[i];
    return NULL;
}

/* A name in the environment has lost its case: DAG_VAR_RELEASE is `release`, or `Release`. */
const struct variable *project_find_variable(const struct project *project, const char *name)
{
    const struct variable *loose = NULL;
    for (size_t i = 0; i < project->variable_count; i++) {
        const struct variable *variable = &project->variables[i];
        if (str_equal(variable->name, name))
            return variable;
        if (variable->origin == ORIGIN_ENVIRONMENT && strcasecmp(variable->name, name) == 0)
            loose = variable;
    }
    return loose;
}

const struct project *project_ref(const struct project *project)
{
    ((struct project *)(uintptr_t)project)->references++;
    return project;
}

void project_free(struct project *project)
{
    if (!project || project->references-- > 0)
        return;
    for (size_t i = 0; i < project->endpoint_count; i++)
        release_params(project->endpoints[i].params, project->endpoints[i].param_count);
    arena_free(project->arena);
}
