/* Tasks that no outcome of the tasks before them lets run. */
#include "definition/lint_internal.h"

/* Which end states a task can have: a set. */
enum { CAN_SUCCEED = 1, CAN_FAIL = 2, CAN_SKIP = 4 }; /* CAN_FAIL: failed or upstream_failed */

static const unsigned own_states[KIND_COUNT] = {
    [KIND_EMPTY] = CAN_SUCCEED,
    [KIND_SQL] = CAN_SUCCEED | CAN_FAIL,
    [KIND_BASH] = CAN_SUCCEED | CAN_FAIL | CAN_SKIP,
    [KIND_EXEC] = CAN_SUCCEED | CAN_FAIL | CAN_SKIP,
    [KIND_PYTHON] = CAN_SUCCEED | CAN_FAIL | CAN_SKIP,
    [KIND_HTTP] = CAN_SUCCEED | CAN_FAIL,
    [KIND_WAIT_FOR] = CAN_SUCCEED | CAN_FAIL | CAN_SKIP,
    [KIND_BRANCH] = CAN_SUCCEED | CAN_FAIL,
    [KIND_SHORT_CIRCUIT] = CAN_SUCCEED | CAN_FAIL,
    [KIND_TRIGGER_DAG] = CAN_SUCCEED | CAN_FAIL,
    [KIND_LATEST_ONLY] = CAN_SUCCEED,
};

/* What a rule asks of the upstreams: `each` must be able to have one of these states, and at least
   one of them one of `any`; 0 asks nothing. */
static const struct {
    unsigned each, any;
} rule_needs[TRIGGER_RULE_COUNT] = {
    [RULE_ALL_SUCCESS] = {CAN_SUCCEED, 0},
    [RULE_ALL_FAILED] = {CAN_FAIL, 0},
    [RULE_ALL_DONE] = {0, 0},
    [RULE_ALL_DONE_MIN_ONE_SUCCESS] = {0, CAN_SUCCEED},
    [RULE_ALL_SKIPPED] = {CAN_SKIP, 0},
    [RULE_ONE_FAILED] = {0, CAN_FAIL},
    [RULE_ONE_SUCCESS] = {0, CAN_SUCCEED},
    [RULE_ONE_DONE] = {0, CAN_SUCCEED | CAN_FAIL},
    [RULE_NONE_FAILED] = {CAN_SUCCEED | CAN_SKIP, 0},
    [RULE_NONE_FAILED_MIN_ONE_SUCCESS] = {CAN_SUCCEED | CAN_SKIP, CAN_SUCCEED},
    [RULE_NONE_SKIPPED] = {CAN_SUCCEED | CAN_FAIL, 0},
    [RULE_ALWAYS] = {0, 0},
    [RULE_ALL_DONE_SETUP_SUCCESS] = {0, 0},
};

/* The states a task can end in; *ret_runs: whether it can start at all. */
static unsigned states_of(const struct task *task, const unsigned *states, bool *ret_runs)
{
    unsigned any = 0;
    bool each = true, skips = task->trigger_rule != RULE_ALL_SUCCESS;
    for (size_t i = 0; i < task->upstream.count; i++) {
        unsigned upstream = states[task->upstream.at[i]];
        any |= upstream;
        each &= !rule_needs[task->trigger_rule].each ||
                (upstream & rule_needs[task->trigger_rule].each);
    }
    unsigned needed = rule_needs[task->trigger_rule].any;
    *ret_runs = task->upstream.count == 0 || (each && (!needed || (any & needed)));
    unsigned result = *ret_runs ? own_states[task->kind] : 0;
    if (task->upstream.count == 0 || task->trigger_rule == RULE_ALWAYS)
        return result;
    return result | (any & (CAN_FAIL | CAN_SKIP)) | (skips ? CAN_SKIP | CAN_FAIL : 0);
}

/* Whether a task before it may decide that it is skipped; `cut`: the tasks that a short circuit
   before them may, directly or not. */
static bool may_be_decided(const struct dag *dag, const struct task *task, bool *cut)
{
    bool decided = false;
    for (size_t i = 0; i < task->upstream.count; i++) {
        const struct task *up = &dag->tasks[task->upstream.at[i]];
        cut[task->index] |=
            cut[up->index] || (up->kind == KIND_SHORT_CIRCUIT && !up->decision->only_direct);
        decided |= task_kind_decides(up->kind);
    }
    return (decided || cut[task->index]) && !task->teardown;
}

/* Whether a task before it can never run either: that one is told. */
static bool is_told(const struct dag *dag, const struct task *task, const bool *dead)
{
    for (size_t i = 0; i < task->upstream.count; i++)
        if (dead[dag->tasks[task->upstream.at[i]].index])
            return true;
    return false;
}

static void report_never(struct linting *l, const struct task *task)
{
    struct error error;
    error_set(&error, ERR_LINT, "the task `%s` can never run: its trigger rule is %s",
        task->task_id, trigger_rule_name(task->trigger_rule));
    error_hint(&error, "the tasks before it cannot end so");
    lint_place(l, &error, task->line, 1, NULL, NULL);
    lint_add(l, "warning", "never-runs", &error);
}

static void check_decides(struct linting *l, const struct task *task)
{
    struct error error;
    if (!task_kind_decides(task->kind) || task->downstream.count)
        return;
    error_set(&error, ERR_LINT, "`%s` decides what follows, and nothing follows it", task->task_id);
    error_hint(&error, "write `depends_on: %s` at the tasks that it is to keep from running",
        task->task_id);
    lint_place(l, &error, task->line, 1, NULL, NULL);
    lint_add(l, "warning", "decides-nothing", &error);
}

void lint_rules(struct linting *l)
{
    const struct dag *dag = l->dag;
    unsigned *states = mem_alloc_zero(dag->task_count, sizeof(*states));
    bool *cut = mem_alloc_zero(dag->task_count, sizeof(*cut));
    bool *dead = mem_alloc_zero(dag->task_count, sizeof(*dead));
    for (uint32_t i = 0; i < dag->task_count; i++) {
        const struct task *task = &dag->tasks[dag->topological[i]];
        bool runs;
        states[task->index] = states_of(task, states, &runs);
        if (may_be_decided(dag, task, cut))
            states[task->index] |= CAN_SKIP;
        dead[task->index] = !runs;
        if (!runs && !is_told(dag, task, dead))
            report_never(l, task);
        check_decides(l, task);
    }
    mem_free(dead);
    mem_free(cut);
    mem_free(states);
}
