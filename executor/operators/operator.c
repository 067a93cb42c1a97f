#include "executor/operators/operator.h"

#include "base/memory.h"

static const struct operator* const operators[KIND_COUNT] = {
    [KIND_EMPTY] = &operator_empty,
    [KIND_SQL] = &operator_sql,
    [KIND_BASH] = &operator_process,
    [KIND_EXEC] = &operator_process,
    [KIND_PYTHON] = &operator_process,
};

const struct operator* operator_find(enum task_kind kind)
{
    return (size_t)kind < ARRAY_SIZE(operators) ? operators[kind] : NULL;
}
