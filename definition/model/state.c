#include "definition/model/state.h"
#include <stddef.h>
#include "base/string.h"

struct task_state_row {
    const char *name;
    bool finished, success_like, failed_like, holds_slots;
};

static const struct task_state_row task_states[TASK_STATE_COUNT] = {
#define ROW(id, name, finished, success, failed, slots) {name, finished, success, failed, slots},
    TASK_STATES(ROW)
#undef ROW
};

static const struct {
    const char *name;
    bool finished;
} run_states[RUN_STATE_COUNT] = {
#define ROW(id, name, finished) {name, finished},
    RUN_STATES(ROW)
#undef ROW
};

static const char *const run_types[RUN_TYPE_COUNT] = {
#define ROW(id, name) name,
    RUN_TYPES(ROW)
#undef ROW
};

static const char *const trigger_rules[TRIGGER_RULE_COUNT] = {
#define ROW(id, name) name,
    TRIGGER_RULES(ROW)
#undef ROW
};

const char *task_state_name(enum task_state state)
{
    return task_states[state].name;
}

bool task_state_parse(const char *name, enum task_state *ret)
{
    for (int i = 0; i < TASK_STATE_COUNT; i++)
        if (str_equal(task_states[i].name, name)) {
            *ret = (enum task_state)i;
            return true;
        }
    return false;
}

bool task_state_finished(enum task_state state)
{
    return task_states[state].finished;
}

bool task_state_success_like(enum task_state state)
{
    return task_states[state].success_like;
}

bool task_state_failed_like(enum task_state state)
{
    return task_states[state].failed_like;
}

bool task_state_holds_slots(enum task_state state)
{
    return task_states[state].holds_slots;
}

const char *run_state_name(enum run_state state)
{
    return run_states[state].name;
}

bool run_state_parse(const char *name, enum run_state *ret)
{
    for (int i = 0; i < RUN_STATE_COUNT; i++)
        if (str_equal(run_states[i].name, name)) {
            *ret = (enum run_state)i;
            return true;
        }
    return false;
}

bool run_state_finished(enum run_state state)
{
    return run_states[state].finished;
}

const char *run_type_name(enum run_type type)
{
    return run_types[type];
}

bool run_type_parse(const char *name, enum run_type *ret)
{
    for (int i = 0; i < RUN_TYPE_COUNT; i++)
        if (str_equal(run_types[i], name)) {
            *ret = (enum run_type)i;
            return true;
        }
    return false;
}

const char *trigger_rule_name(enum trigger_rule rule)
{
    return trigger_rules[rule];
}

bool trigger_rule_parse(const char *name, enum trigger_rule *ret)
{
    for (int i = 0; i < TRIGGER_RULE_COUNT; i++)
        if (str_equal(trigger_rules[i], name)) {
            *ret = (enum trigger_rule)i;
            return true;
        }
    return false;
}
