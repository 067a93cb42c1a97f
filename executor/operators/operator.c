#include "executor/operators/operator.h"

#include "base/string.h"

static const struct operator* const operators[KIND_COUNT] = {
    [KIND_EMPTY] = &operator_empty,
    [KIND_SQL] = &operator_sql,
    [KIND_BASH] = &operator_process,
    [KIND_EXEC] = &operator_process,
    [KIND_PYTHON] = &operator_process,
    [KIND_BRANCH] = &operator_decide,
    [KIND_SHORT_CIRCUIT] = &operator_decide,
    [KIND_WAIT_FOR] = &operator_wait,
    [KIND_HTTP] = &operator_http,
    [KIND_TRIGGER_DAG] = &operator_trigger,
    [KIND_LATEST_ONLY] = &operator_empty, /* the scheduler decides it */
};

const struct operator* operator_find(enum task_kind kind)
{
    return (size_t)kind < ARRAY_SIZE(operators) ? operators[kind] : NULL;
}

const struct operator* operator_of(const struct task *task, int32_t map_index)
{
    bool expands = task->expand.count && map_index < 0;
    return expands ? &operator_expand : operator_find(task->kind);
}

const struct operator* operator_named(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
        if (operators[i] && str_equal(operators[i]->name, name))
            return operators[i];
    return str_equal(operator_expand.name, name) ? &operator_expand : NULL;
}
