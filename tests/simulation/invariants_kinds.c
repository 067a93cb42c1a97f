/* What must hold of assets, deadlines, mapped tasks and sensors. */
#include "tests/simulation/invariants.h"

static bool is_due(const struct sim *sim)
{
    enum { EVERY = 32 };
    return sim->decisions % EVERY == 0;
}

/* ---- assets ---- */

bool check_success_per_event(struct sim *sim, const struct moment *m)
{
    (void)sim;
    return m->change->kind != CHANGE_ASSET_EVENT || !m->task || m->task->awaits_event ||
           m->task->run->dag->gone;
}

bool check_event_per_success(struct sim *sim, const struct moment *m)
{
    (void)m;
    return sim->awaited_events == 0;
}

bool check_event_ids(struct sim *sim, const struct moment *m)
{
    return m->change->kind != CHANGE_ASSET_EVENT ||
           m->change->asset_event.id == (int64_t)sim->events.count;
}

bool check_events_consumed(struct sim *sim, const struct moment *m)
{
    if (m->change->kind != CHANGE_RUN_ASSET)
        return true;
    const struct run_asset_record *record = &m->change->run_asset;
    const struct row_queue *queue = &m->dag->queues[asset_number(record->asset)];
    bool is_first = !queue->is_live && !queue->live_until;
    return (is_first || record->after_event == queue->live_until) &&
           record->last_event > record->after_event &&
           record->last_event < (int64_t)sim->events.count;
}

static bool is_met(const struct sim_dag *dag, const struct asset_expr *expr)
{
    if (expr->op == ASSET_ONE)
        return dag->queues[asset_number(expr->name)].durable.last_event > 0;
    size_t met = 0;
    for (size_t n = 0; n < expr->count; n++)
        met += is_met(dag, &expr->items[n]);
    return expr->op == ASSET_ALL ? met == expr->count : met > 0;
}

bool check_no_event_lost(struct sim *sim, const struct moment *m)
{
    (void)m;
    for (size_t id = 1; id < sim->events.count; id++) {
        const struct row_event *event = &sim->events.at[id];
        for (int n = 0; n < sim->dag_count; n++) {
            const struct row_queue *queue =
                &sim->dags[n].queues[event->asset < 0 ? 0 : event->asset];
            if (!(event->queued_for >> n & 1) || (int64_t)id <= queue->durable_until)
                continue;
            if ((int64_t)id > queue->durable.last_event)
                return false;
        }
    }
    for (int n = 0; n < sim->dag_count; n++) {
        const struct sim_dag *dag = &sim->dags[n];
        if (dag->assets && dag->in_store && !dag->durable.paused && is_met(dag, dag->assets))
            return false;
    }
    return true;
}

/* ---- deadlines ---- */

struct noted {
    int64_t generation, deadline_us, missed_us;
};

/* Whether this change notes it; *ret_ok: rightly. */
static bool notes(const struct sim *sim, struct noted before, struct noted after, bool *ret_ok)
{
    if (after.missed_us == TIME_NONE || after.missed_us == before.missed_us)
        return false;
    bool again = before.missed_us != TIME_NONE && before.deadline_us == after.deadline_us &&
                 before.generation == after.generation;
    *ret_ok &= !again && after.deadline_us != TIME_NONE && after.deadline_us <= sim->now.wall_us &&
               after.missed_us == sim->now.wall_us;
    return true;
}

/* A run that starts anew counts as another one. */
static struct noted run_noted(const struct run_record *run)
{
    return (struct noted){run->started_us, run->deadline_us, run->deadline_missed_us};
}

static struct noted task_noted(const struct task_record *task)
{
    return (struct noted){task->generation, task->deadline_us, task->deadline_missed_us};
}

bool check_deadline_once(struct sim *sim, const struct moment *m)
{
    static const struct noted nothing = {0, TIME_NONE, TIME_NONE};
    size_t noted = 0, told = 0, started = 0; /* a start forgets what was noted in the same event */
    bool ok = true;
    for (size_t n = m->changes; n < m->plan->changes.count; n++) {
        const struct change *change = &m->plan->changes.at[n];
        const struct run_record *run = &change->run;
        const struct task_record *task = &change->task.record;
        struct noted before = nothing;
        if (change->kind == CHANGE_RUN) {
            const struct row_run *row = store_run(sim, run->id);
            if (row && row->is_live)
                before = run_noted(&row->live);
            noted += notes(sim, before, run_noted(run), &ok);
            started += run->started_us == sim->now.wall_us;
        } else if (change->kind == CHANGE_TASK) {
            const struct row_task *row = store_task(sim, task->run, task->task_id, task->map_index);
            if (row && row->is_live)
                before = task_noted(&row->live);
            noted += notes(sim, before, task_noted(task), &ok);
        }
    }
    for (size_t n = m->effects; n < m->plan->effects.count; n++)
        told += m->plan->effects.at[n].kind == EFFECT_DEADLINE_MISSED;
    return ok && noted <= told && told <= noted + started;
}

/* Attempts that a restart found under way are asked first whether they ended in time. */
static bool is_over(const struct sim *sim, int64_t deadline_us, int64_t missed_us)
{
    int64_t grace_us = 10 * US_PER_SECOND;
    return deadline_us != TIME_NONE && missed_us == TIME_NONE &&
           deadline_us + grace_us < sim->now.wall_us &&
           sim->now.mono_us - sim->started_us > grace_us;
}

bool check_deadline_kept(struct sim *sim, const struct moment *m)
{
    (void)m;
    /* one that is over when it becomes known is noted by a tick that is due at once */
    if (!is_due(sim) || scheduler_next_due(sim->leader->scheduler) <= sim->now.mono_us)
        return true;
    for (int d = 0; d < sim->dag_count; d++) {
        const struct sim_dag *dag = &sim->dags[d];
        vec_each (run, &dag->runs) {
            const struct run_record *record = &(*run)->live;
            if (!(*run)->is_live || run_state_finished(record->state))
                continue;
            if (is_over(sim, record->deadline_us, record->deadline_missed_us))
                return false;
            row_each(
                task, *run) if (task->is_live && !task_state_finished(task->live.state) &&
                                is_over(sim, task->live.deadline_us, task->live.deadline_missed_us))
            {
                sim_trace_task(sim, "over its deadline", task, (int)task->live.state,
                    (int)task->live.reason, task->live.deadline_us);
                return false;
            }
        }
    }
    return true;
}

/* ---- sensors ---- */

bool check_sensor_time(struct sim *sim, const struct moment *m)
{
    const struct task_record *record = &m->change->task.record;
    bool gives_up = record->reason == REASON_WAITED_TOO_LONG;
    bool waits = record->state == TASK_UP_FOR_RESCHEDULE;
    bool same = m->task->is_live && m->task->live.generation == record->generation;
    if (same && m->task->live.waiting_since_us != TIME_NONE && m->task->live.tries_total > 0 &&
        record->waiting_since_us != m->task->live.waiting_since_us)
        return false;
    if (!waits && !gives_up)
        return true;
    int64_t timeout_us = project_wait(sim, m->dag, m->task->number).timeout_us;
    int64_t end_us = record->waiting_since_us + timeout_us;
    if (record->waiting_since_us == TIME_NONE)
        return false;
    if (gives_up)
        return timeout_us > 0 && (record->ended_us == TIME_NONE || record->ended_us >= end_us);
    return timeout_us <= 0 || record->retry_at_us <= end_us;
}

struct slots_look {
    const struct sim *sim;
    bool ok;
};

static void compare_slots(void *context, const struct slots_use *use)
{
    struct slots_look *look = context;
    const struct sim *sim = look->sim;
    int used =
        use->kind[0] == 'p' && str_equal(use->kind, "pool") ? sim->pool_used[pool_number(use->name)]
        : str_equal(use->kind, "connection") ? sim->connection_used[connection_number(use->name)]
                                             : sim->process_used;
    look->ok &= used == use->used;
}

bool check_slots_as_counted(struct sim *sim, const struct moment *m)
{
    struct slots_look look = {sim, true};
    (void)m;
    if (is_due(sim))
        scheduler_slots(sim->leader->scheduler, compare_slots, &look);
    return look.ok;
}

/* ---- mapped tasks ---- */

static bool has_value(struct sim *sim, const struct row_task *task, const char *mapped)
{
    const struct row_task *head = task->run->tasks[task->number];
    return str_equal(mapped, expansion_value(sim, head->live.generation, task->map_index));
}

bool check_values(struct sim *sim, const struct moment *m)
{
    if (m->task->map_index < 0)
        return !m->effect->mapped;
    const struct row_task *head = m->task->run->tasks[m->task->number];
    return head->live.state == TASK_REMOVED && head->live.reason == REASON_EXPANDED &&
           has_value(sim, m->task, m->effect->mapped);
}

static bool has_its_indexes(struct sim *sim, const struct row_task *head)
{
    size_t count = expansion_count(sim, head, head->durable.generation);
    for (size_t k = 0; k < MAPPED_ROWS; k++) {
        const struct row_task *task = head->mapped[k];
        bool is_there = task && task->in_store && task->durable.state != TASK_REMOVED;
        if (task && task->in_store && task->durable.reason == REASON_REMOVED_TASK)
            continue; /* the task left the run */
        if (is_there != (k < count))
            return false;
        if (is_there && !has_value(sim, task, task->durable.mapped))
            return false;
    }
    return true;
}

bool check_indexes(struct sim *sim, const struct moment *m)
{
    (void)m;
    vec_each (run, &sim->runs)
        for (int n = 0; *run && (*run)->in_store && n < TASKS_IN_DAG_MAX; n++) {
            const struct row_task *head = (*run)->tasks[n];
            bool expanded = head && head->in_store && head->durable.state == TASK_REMOVED &&
                            head->durable.reason == REASON_EXPANDED;
            if (expanded && !has_its_indexes(sim, head)) {
                sim_trace_task(sim, "indexes are not those of its expansion", head,
                    (int)expansion_count(sim, head, head->durable.generation), 0, 0);
                return false;
            }
        }
    return true;
}

bool check_removed_for_good(struct sim *sim, const struct moment *m)
{
    (void)sim;
    return m->task->durable.state != TASK_REMOVED ||
           m->task->durable.reason != REASON_REMOVED_INDEX;
}
