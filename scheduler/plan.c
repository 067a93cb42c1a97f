#include "scheduler/plan.h"

#include "base/string.h"
#include "definition/model/model.h"

static const struct {
    const char *code, *text;
} reasons[REASON_COUNT] = {
#define ROW(id, code, text) [REASON_##id] = {code, text},
    REASONS(ROW)
#undef ROW
};

const char *reason_code(enum reason reason)
{
    return reasons[reason].code;
}

const char *reason_text(enum reason reason)
{
    return reasons[reason].text;
}

bool reason_parse(const char *code, enum reason *ret)
{
    for (size_t i = 0; i < REASON_COUNT; i++)
        if (str_equal(reasons[i].code, code)) {
            *ret = (enum reason)i;
            return true;
        }
    return false;
}

static const char *const request_kinds[REQUEST_KIND_COUNT] = {
#define ROW(id, name) [REQUEST_##id] = name,
    REQUEST_KINDS(ROW)
#undef ROW
};

const char *request_kind_name(enum request_kind kind)
{
    return request_kinds[kind];
}

bool request_kind_parse(const char *name, enum request_kind *ret)
{
    for (size_t i = 0; i < REQUEST_KIND_COUNT; i++)
        if (str_equal(request_kinds[i], name)) {
            *ret = (enum request_kind)i;
            return true;
        }
    return false;
}

bool task_record_looks_again(const struct task_record *task)
{
    bool first = task->looks == 1 && task->state == TASK_UP_FOR_RESCHEDULE;
    return task->looks && !first && !task_state_finished(task->state);
}

void plan_init(struct plan *plan)
{
    *plan = (struct plan){.arena = arena_new()};
}

static void release_dags(struct plan *plan)
{
    vec_each (effect, &plan->effects)
        if (effect->dag)
            dag_unref((struct dag *)effect->dag);
}

void plan_clear(struct plan *plan)
{
    release_dags(plan);
    vec_clear(&plan->changes);
    vec_clear(&plan->effects);
    arena_clear(plan->arena);
}

void plan_done(struct plan *plan)
{
    release_dags(plan);
    vec_done(&plan->changes);
    vec_done(&plan->effects);
    arena_free(plan->arena);
    plan->arena = NULL;
}
