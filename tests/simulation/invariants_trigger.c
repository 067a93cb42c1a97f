/* What must hold of runs that tasks make. */
#include "tests/simulation/invariants.h"

static bool is_of(const struct run_maker *maker, const struct task_record *task)
{
    return maker->run.v == task->run.v && maker->map_index == task->map_index &&
           str_equal(maker->task_id, task->task_id);
}

/* Success, or waiting; what was waited for may end badly, or be over time, and a task that failed
   beside it may end the run, in the same event. */
static bool is_done(const struct task_record *task)
{
    bool waited = task->reason == REASON_TRIGGERED_FAILED || task->reason == REASON_TIMED_OUT ||
                  task->reason == REASON_RETRIES_USED_UP || task->reason == REASON_RETRY_PLANNED;
    if (task->reason == REASON_FAIL_FAST && task_state_finished(task->state))
        return true;
    return task->state == TASK_SUCCESS || task->state == TASK_DEFERRED ||
           ((task->state == TASK_FAILED || task->state == TASK_UP_FOR_RETRY) && waited);
}

/* The row of the maker's task among the changes of the event. */
static bool has_success(const struct moment *m, const struct run_record *run)
{
    for (size_t n = m->changes; n < m->plan->changes.count; n++) {
        const struct change *change = &m->plan->changes.at[n];
        const struct task_record *task = &change->task.record;
        if (change->kind != CHANGE_TASK || !is_of(&run->maker, task))
            continue;
        return is_done(task) && task->triggered.v == run->id.v &&
               task->generation == run->maker.generation;
    }
    return false;
}

static bool is_only_one(const struct sim *sim, const struct run_record *run)
{
    vec_each (other, &sim->runs) {
        const struct run_maker *maker = *other && (*other)->is_live ? &(*other)->live.maker : NULL;
        if (maker && (*other)->live.id.v != run->id.v && maker->run.v == run->maker.run.v &&
            maker->map_index == run->maker.map_index &&
            str_equal(maker->task_id, run->maker.task_id))
            return false;
    }
    return true;
}

bool check_trigger_of_run(struct sim *sim, const struct moment *m)
{
    for (size_t n = m->changes; n < m->plan->changes.count; n++) {
        const struct change *change = &m->plan->changes.at[n];
        if (change->kind != CHANGE_RUN)
            continue;
        const struct run_record *run = &change->run;
        const struct row_run *row = store_run(sim, run->id);
        const struct run_maker *before = row && row->is_live ? &row->live.maker : NULL;
        if (before && before->run.v != run->maker.run.v)
            return false;
        if (!run->maker.run.v || (before && before->generation == run->maker.generation))
            continue;
        if (!has_success(m, run) || (!before && !is_only_one(sim, run)))
            return false;
    }
    return true;
}

/* By the newest version: a run goes on with it, or with the one it has. */
static bool waits_in_newest(const struct moment *m)
{
    const struct dag *newest = project_newest(m->dag);
    const struct task *task = dag_find_task(newest, task_name(m->task->number));
    return task && task->kind == KIND_TRIGGER_DAG && task->trigger->wait;
}

bool check_run_of_trigger(struct sim *sim, const struct moment *m)
{
    const struct task_record *task = &m->change->task.record;
    const struct attempt *attempt = attempt_find(sim, task->attempt.text);
    bool ordered = attempt && attempt->triggers && attempt->result.trigger &&
                   attempt->generation == task->generation;
    bool succeeded = task->state == TASK_SUCCESS && task->reason == REASON_SUCCEEDED;
    if (!task->triggered.v)
        return task->state != TASK_DEFERRED && !(ordered && succeeded);
    const struct row_run *run = store_run(sim, task->triggered);
    if (!run || !run->is_live || !is_of(&run->live.maker, task))
        return false;
    if (task->reason == REASON_TRIGGERED_FAILED)
        return run->live.state == RUN_FAILED;
    bool was_open = !m->task->is_live || m->task->live.state != TASK_SUCCESS;
    bool waited = ordered && succeeded && was_open && waits_in_newest(m);
    return !waited || run->live.state == RUN_SUCCESS;
}

/* Every so often: it looks at all that is deferred. */
bool check_waits_for_live_run(struct sim *sim, const struct moment *m)
{
    enum { EVERY = 32 };
    (void)m;
    if (sim->decisions % EVERY)
        return true;
    vec_each (run, &sim->runs) {
        if (!*run || !(*run)->is_live || (*run)->live.state != RUN_RUNNING)
            continue;
        row_each(task, *run)
        {
            if (!task->is_live || task->live.state != TASK_DEFERRED)
                continue;
            const struct row_run *waited = store_run(sim, task->live.triggered);
            if (!waited || !waited->is_live || run_state_finished(waited->live.state)) {
                sim_trace_task(
                    sim, "waits for a run that is over", task, 0, 0, task->live.triggered.v);
                return false;
            }
        }
    }
    return true;
}
