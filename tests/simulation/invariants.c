#include "tests/simulation/invariants.h"

#include <stdio.h>
#include <stdlib.h>
#include "tests/simulation/rule_statement.h"

/* ---- states ---- */

/* From one event to the next, what may a task that was in the row's state be found in?  Several
   moves may lie between, but never the start of an attempt, which is an event of its own: only what
   was queued is found running.  Marks reach every end from everywhere. */
#define S(state) (1u << TASK_##state)
#define ENDS (S(SUCCESS) | S(FAILED) | S(SKIPPED) | S(UPSTREAM_FAILED))
#define WAITS (S(NONE) | S(SCHEDULED) | S(QUEUED))
static const unsigned followers[TASK_STATE_COUNT] = {
    [TASK_NONE] = WAITS | ENDS | S(REMOVED),
    [TASK_SCHEDULED] = WAITS | ENDS | S(REMOVED),
    [TASK_QUEUED] = WAITS | ENDS | S(RUNNING) | S(UP_FOR_RETRY) | S(UP_FOR_RESCHEDULE) |
                    S(DEFERRED) | S(RESTARTING) | S(REMOVED),
    [TASK_RUNNING] = WAITS | ENDS | S(RUNNING) | S(UP_FOR_RETRY) | S(UP_FOR_RESCHEDULE) |
                     S(DEFERRED) | S(RESTARTING) | S(REMOVED),
    [TASK_SUCCESS] = WAITS | ENDS | S(REMOVED),
    [TASK_FAILED] = WAITS | ENDS | S(REMOVED),
    [TASK_SKIPPED] = WAITS | ENDS | S(REMOVED),
    [TASK_UPSTREAM_FAILED] = WAITS | ENDS | S(REMOVED),
    [TASK_UP_FOR_RETRY] = WAITS | ENDS | S(UP_FOR_RETRY) | S(REMOVED),
    [TASK_UP_FOR_RESCHEDULE] = WAITS | ENDS | S(UP_FOR_RESCHEDULE) | S(REMOVED),
    [TASK_DEFERRED] = WAITS | ENDS | S(DEFERRED) | S(UP_FOR_RETRY) | S(REMOVED),
    [TASK_REMOVED] = WAITS | ENDS | S(REMOVED),
    [TASK_RESTARTING] = WAITS | ENDS | S(RESTARTING) | S(REMOVED),
};

static bool check_state_table(struct sim *sim, const struct moment *m)
{
    (void)sim;
    enum task_state from = m->task->is_live ? m->task->live.state : TASK_NONE;
    enum task_state to = m->change->task.record.state;
    bool ended_alone = task_state_finished(from) && task_state_finished(to) && from != to;
    bool by_hand = m->change->task.record.reason == REASON_MARKED || to == TASK_REMOVED;
    /* an end becomes another one by a mark, or by a clear that made something of it at once */
    if (ended_alone && !by_hand && m->change->task.record.generation == m->task->live.generation &&
        to == TASK_FAILED)
        return false;
    return from == m->change->task.from && (followers[from] & 1u << to);
}

static bool check_run_states(struct sim *sim, const struct moment *m)
{
    (void)sim;
    enum run_state from = m->run->live.state, to = m->change->run.state;
    return !m->run->is_live || !(from == RUN_RUNNING && to == RUN_QUEUED);
}

static bool check_compare_and_set(struct sim *sim, const struct moment *m)
{
    (void)sim;
    if (m->change->task.is_new == m->task->in_store)
        return false;
    return !m->task->in_store || m->task->durable.state == m->change->task.from;
}

/* ---- dates ---- */

static bool check_one_run_a_date(struct sim *sim, const struct moment *m)
{
    (void)sim;
    vec_each (run, &m->dag->runs)
        if (*run != m->run && (*run)->is_live &&
            (*run)->live.logical_us == m->change->run.logical_us)
            return false;
    return true;
}

/* The instant that a time of a local day means: the later one of two; one that is skipped is read
   with the offset before the gap.  Nothing of the timetables is used but the zone's offsets. */
static int64_t instant_of(const struct zone *zone, int64_t local_s)
{
    int64_t found_s = INT64_MIN;
    struct zone_span before = zone_span_at(zone, local_s - 86400);
    struct zone_span after = zone_span_at(zone, local_s + 86400);
    const int32_t offsets[] = {before.offset_s, after.offset_s};
    for (size_t n = 0; n < ARRAY_SIZE(offsets); n++) {
        int64_t utc_s = local_s - offsets[n];
        if (zone_span_at(zone, utc_s).offset_s == offsets[n] && utc_s > found_s)
            found_s = utc_s;
    }
    return found_s != INT64_MIN ? found_s : local_s - before.offset_s;
}

/* The tick of the local day `days` after that of `us`. */
static int64_t daily_tick_us(const struct sim_dag *dag, int64_t us, int days)
{
    int64_t utc_s = us / US_PER_SECOND;
    int64_t local_s = utc_s + zone_span_at(dag->zone, utc_s).offset_s;
    int64_t day = local_s / 86400 - (local_s % 86400 < 0);
    return US_PER_SECOND *
           instant_of(dag->zone, (day + days) * 86400 + dag->hour * 3600 + dag->minute * 60);
}

static bool check_dates_as_scheduled(struct sim *sim, const struct moment *m)
{
    (void)sim;
    const struct run_record *run = &m->change->run;
    if (m->dag->hour < 0 || m->run->is_live || run->type != RUN_TYPE_SCHEDULED)
        return true;
    return run->logical_us == daily_tick_us(m->dag, run->logical_us, 0) &&
           run->interval_start_us == run->logical_us &&
           run->interval_end_us == daily_tick_us(m->dag, run->logical_us, 1);
}

static bool check_schedule_goes_on(struct sim *sim, const struct moment *m)
{
    (void)sim;
    return !m->dag->is_live || m->change->dag.covered_until_us >= m->dag->live.covered_until_us;
}

static bool check_none_lost(struct sim *sim, const struct moment *m)
{
    (void)m;
    for (int n = 0; n < sim->dag_count; n++) {
        const struct sim_dag *dag = &sim->dags[n];
        if (dag->hour < 0 || dag->catchup != CATCHUP_ALL || dag->touched)
            continue;
        int64_t tick_us = daily_tick_us(dag, dag->start_us, -1);
        for (; tick_us <= dag->end_us; tick_us = daily_tick_us(dag, tick_us, 1))
            if (tick_us >= dag->start_us && !store_run_at(dag, tick_us))
                return false;
    }
    return true;
}

/* ---- runs ---- */

static bool starts_by_turn(const struct moment *m)
{
    return m->run->is_live && m->run->live.state == RUN_QUEUED &&
           m->change->run.state == RUN_RUNNING && m->change->run.reason == REASON_RUN_STARTED;
}

static int own_cap_of(const struct sim *sim, const struct row_run *run)
{
    int64_t id = run->live.backfill_id;
    if (!id || (size_t)id >= sim->backfills.count || sim->backfills.at[id]->live.finished)
        return 0;
    return sim->backfills.at[id]->live.max_active_runs;
}

/* A backfill that shares its DAG's places, and has dates left. */
static bool waits_for_place(const struct row_backfill *b, const struct sim_dag *dag)
{
    return b->is_live && !b->live.finished && b->live.cursor_us != TIME_NONE &&
           str_equal(b->live.dag_id, dag->dag_id) && !b->live.max_active_runs;
}

/* Counted by events: in one a backfill may have had several turns, of which the last is seen. */
static bool check_backfill_turns(struct sim *sim, const struct moment *m)
{
    enum { STARTS_BETWEEN_MAX = 8 };
    struct sim_dag *dag = m->dag;
    if (!starts_by_turn(m) || own_cap_of(sim, m->run))
        return true;
    int64_t cursors = 0;
    bool others = false; /* they come first, and may wait for something else than a place */
    vec_each (b, &sim->backfills) {
        if (!waits_for_place(*b, dag))
            continue;
        cursors += (*b)->live.cursor_us / US_PER_SECOND;
        others |= !str_equal((*b)->live.only, "missing");
    }
    cursors = others ? 0 : cursors;
    if (!dag->run_started)
        dag->backfill_moved = !cursors || cursors != dag->backfill_cursors;
    dag->run_started = true;
    dag->backfill_cursors = cursors;
    if (dag->backfill_moved || dag->uses_past || dag->gone)
        dag->starts_while_backfill_waits = 0;
    return dag->starts_while_backfill_waits++ <= STARTS_BETWEEN_MAX;
}

static int running_at_shared_places(const struct sim *sim, const struct sim_dag *dag)
{
    int running = 0;
    vec_each (run, &dag->runs)
        running += (*run)->is_live && (*run)->live.state == RUN_RUNNING && !own_cap_of(sim, *run);
    return running;
}

/* After ticks and ends of attempts: people may ask for more.  Where tasks depend on the past an
   earlier run may start above it, or neither would ever go on. */
static bool check_run_cap(struct sim *sim, const struct moment *m)
{
    bool ok = true;
    bool by_itself = m->event->kind == EVENT_TICK || m->event->kind == EVENT_ATTEMPT_FINISHED;
    for (int n = 0; n < sim->dag_count; n++) {
        struct sim_dag *dag = &sim->dags[n];
        if (dag->run_started && by_itself && !dag->uses_past && !dag->gone)
            ok &= running_at_shared_places(sim, dag) <= project_newest(dag)->max_active_runs;
        dag->run_started = false;
    }
    return ok;
}

/* ---- starts ---- */

static bool rule_is_met(const struct moment *m, const struct dag *dag, const struct task *task)
{
    struct stated_upstream up[STATED_UPSTREAMS_MAX];
    size_t count = 0;
    for (size_t n = 0; n < task->upstream.count; n++) {
        const struct task *def = &dag->tasks[task->upstream.at[n]];
        const struct row_task *row = m->task->run->tasks[task_number(def->task_id)];
        bool is_live = row && row->is_live;
        up[count++] = (struct stated_upstream){is_live ? row->live.state : TASK_NONE, def->setup};
        for (int k = 0; row && k < MAPPED_ROWS; k++)
            if (row->mapped[k] && row->mapped[k]->is_live)
                up[count++] = (struct stated_upstream){row->mapped[k]->live.state, def->setup};
    }
    return rule_stated(task->trigger_rule, up, count) == VERDICT_RUN;
}

static uint64_t all_before(const struct dag *dag, uint32_t task)
{
    uint64_t before = 0;
    for (size_t n = 0; n < dag->tasks[task].upstream.count; n++) {
        uint32_t up = dag->tasks[task].upstream.at[n];
        before |= UINT64_C(1) << up | all_before(dag, up);
    }
    return before;
}

/* A setup guards what comes after it and before one of its teardowns (all that comes after it when
   it has none). */
static bool setups_are_done(const struct moment *m, const struct dag *dag, const struct task *task)
{
    uint64_t before = all_before(dag, task->index);
    if (task->trigger_rule == RULE_ALWAYS || task->teardown)
        return true;
    for (uint32_t n = 0; n < dag->task_count; n++) {
        const struct task *setup = &dag->tasks[n];
        if (!setup->setup || !(before >> n & 1))
            continue;
        bool has_teardown = false, within = false;
        for (size_t k = 0; k < setup->downstream.count; k++) {
            const struct task *down = &dag->tasks[setup->downstream.at[k]];
            has_teardown |= down->teardown;
            within |= down->teardown && (all_before(dag, down->index) >> task->index & 1);
        }
        const struct row_task *row = m->task->run->tasks[task_number(setup->task_id)];
        bool counts = !has_teardown || within;
        if (counts &&
            (!row || (row->live.state != TASK_SUCCESS && row->live.state != TASK_REMOVED)))
            return false;
    }
    return true;
}

static bool check_conditions(struct sim *sim, const struct moment *m)
{
    (void)sim;
    const struct dag *dag = m->effect->dag;
    const struct task *task = &dag->tasks[m->effect->task];
    const struct row_run *run = m->task->run;
    bool by_schedule = run->live.type == RUN_TYPE_SCHEDULED && !run->live.backfill_id;
    if (run->live.state != RUN_RUNNING || (by_schedule && m->dag->live.paused))
        return false;
    return rule_is_met(m, dag, task) && setups_are_done(m, dag, task);
}

/* A task that the version of that run does not have holds nobody; which one that is depends on when
   the run was loaded last. */
static bool is_in_all_versions(const struct sim_dag *dag, const char *task_id)
{
    vec_each (version, &dag->versions)
        if (!dag_find_task(*version, task_id))
            return false;
    return true;
}

static bool is_done_in(const struct row_run *run, const char *task_id)
{
    const struct row_task *row = run->tasks[task_number(task_id)];
    bool has_tasks = false;
    for (int n = 0; n < TASKS_IN_DAG_MAX; n++)
        has_tasks |= run->tasks[n] && run->tasks[n]->is_live;
    if (!row || !row->is_live || !is_in_all_versions(run->dag, task_id))
        return has_tasks;
    bool done = task_state_success_like(row->live.state) || row->live.state == TASK_REMOVED;
    for (int k = 0; k < MAPPED_ROWS && row->live.state == TASK_REMOVED; k++)
        if (row->mapped[k] && row->mapped[k]->is_live)
            done &= task_state_success_like(row->mapped[k]->live.state) ||
                    row->mapped[k]->live.state == TASK_REMOVED;
    return done;
}

static const struct row_run *run_before(const struct row_run *run)
{
    const struct row_run *before = NULL;
    vec_each (other, &run->dag->runs)
        if ((*other)->is_live && (*other)->live.logical_us < run->live.logical_us)
            before = *other;
    return before;
}

static bool check_past(struct sim *sim, const struct moment *m)
{
    const struct dag *dag = m->effect->dag;
    const struct task *task = &dag->tasks[m->effect->task];
    const struct row_run *before = run_before(m->task->run);
    if ((!task->depends_on_past && !task->wait_for_downstream) || !before)
        return true;
    bool done = is_done_in(before, task->task_id);
    for (size_t n = 0; task->wait_for_downstream && n < task->downstream.count; n++)
        done &= is_done_in(before, dag->tasks[task->downstream.at[n]].task_id);
    if (!done)
        sim_trace(sim, &(struct trace_line){.what = "the run before",
                           .dag = m->dag->number,
                           .task = -1,
                           .run = before->live.id.v,
                           .detail = (int64_t)before->live.state});
    return done;
}

static bool fits(struct sim *sim, const struct moment *m, const char *what, int used, int slots)
{
    if (used <= slots)
        return true;
    sim_trace_task(sim, what, m->task, used, slots, 0);
    return false;
}

static bool check_slots(struct sim *sim, const struct moment *m)
{
    int pool = pool_number(m->attempt->pool);
    int connection = connection_number(m->attempt->connection);
    bool is_process = m->attempt->def->kind == KIND_BASH;
    return fits(sim, m, "pool (used, of)", sim->pool_used[pool], sim->pool_slots[pool]) &&
           (connection < 0 ||
               fits(sim, m, "connection (used, of)", sim->connection_used[connection],
                   sim->connection_slots[connection])) &&
           (!is_process ||
               fits(sim, m, "processes (used, of)", sim->process_used, sim->process_slots));
}

static bool check_task_caps(struct sim *sim, const struct moment *m)
{
    const struct task *task = &m->effect->dag->tasks[m->effect->task];
    int active = 0;
    vec_each (attempt, &sim->open)
        active += task->max_active_tis_per_dag && !(*attempt)->ended &&
                  (*attempt)->task->number == m->task->number &&
                  (*attempt)->task->run->dag == m->dag;
    return fits(sim, m, "max_active_tasks", m->task->run->active,
               m->effect->dag->max_active_tasks) &&
           fits(sim, m, "max_active_tis", active, task->max_active_tis_per_dag);
}

static bool check_one_attempt(struct sim *sim, const struct moment *m)
{
    int active = 0;
    vec_each (attempt, &sim->open)
        active += !(*attempt)->ended && (*attempt)->task == m->task;
    return active == 1;
}

static bool check_void_first(struct sim *sim, const struct moment *m)
{
    (void)sim;
    const struct effect *start = m->effect;
    for (const struct ledger_row *row = m->task->ledger; row; row = row->next) {
        bool may_commit = row->state == LEDGER_SENT;
        if (may_commit && row->generation != start->generation &&
            !(start->void_before && start->void_generation == row->generation))
            return false;
    }
    return true;
}

static bool check_newest_version(struct sim *sim, const struct moment *m)
{
    (void)sim;
    const struct dag *newest = project_newest(m->dag);
    return m->effect->dag == newest || m->task->run->keeps_version ||
           !str_equal(m->effect->dag->graph_version, newest->graph_version);
}

static bool check_version_named(struct sim *sim, const struct moment *m)
{
    (void)sim;
    return str_equal(m->task->run->live.version, m->effect->dag->version);
}

/* ---- waiting ---- */

static bool check_wait_bound(struct sim *sim, const struct moment *m)
{
    if (sim->kind != EPISODE_STEADY)
        return true;
    return sim->now.wall_us - m->task->live.ready_us <= sim->wait_bound_us;
}

struct idle_look {
    struct sim *sim;
    bool ready[POOLS], large[POOLS]; /* waits for its turn; waits and needs more than one slot */
};

static void look_at_waiting(void *context, const struct queue_item *item)
{
    struct idle_look *look = context;
    if (!item->task_id)
        return;
    int pool = pool_number(item->pool);
    const struct row_task *row = store_task(look->sim, item->run, item->task_id, item->map_index);
    if (item->reason == REASON_WAITING_TURN)
        sim_trace_task(look->sim, "waits for its turn", row, pool, 0, item->since_us);
    look->ready[pool] |= item->reason == REASON_WAITING_TURN;
    vec_each (version, &row->run->dag->versions) {
        const struct task *def = dag_find_task(*version, item->task_id);
        look->large[pool] |= def && def->pool_slots > 1;
    }
}

/* A pool may keep slots free for a task that needs several. */
static bool check_no_idle_slot(struct sim *sim, const struct moment *m)
{
    enum { EVERY = 32 };
    struct idle_look look = {.sim = sim};
    (void)m;
    if (sim->decisions % EVERY)
        return true;
    scheduler_queue(sim->leader->scheduler, look_at_waiting, &look);
    for (int pool = 0; pool < POOLS; pool++)
        if (look.ready[pool] && !look.large[pool])
            return false;
    return true;
}

/* ---- store, target ---- */

static bool check_one_leader(struct sim *sim, const struct moment *m)
{
    return m->batch->owner == sim->leader && m->batch->number == sim->last_batch + 1;
}

static bool check_commit_before_act(struct sim *sim, const struct moment *m)
{
    const struct effect *effect = m->effect;
    int64_t number;
    switch (effect->kind) {
    case EFFECT_START: return m->attempt && m->attempt->in_store;
    case EFFECT_REPLY:
        return !parse_int64(slice_of(effect->request_uuid + 1), &number) ||
               ((size_t)number < sim->requests.count && sim->requests.at[number]);
    case EFFECT_RUN_ENDED: {
        const struct row_run *run = store_run(sim, effect->run.id);
        return run && run->in_store;
    }
    default: return true;
    }
}

static bool check_exactly_once(struct sim *sim, const struct moment *m)
{
    (void)sim;
    return m->row->commits == 1;
}

static bool check_newest_generation(struct sim *sim, const struct moment *m)
{
    (void)sim;
    return !m->row->order || m->row->order == m->task->generations;
}

/* ---- the end ---- */

static void trace_tasks(struct sim *sim, const char *what, const struct row_run *run)
{
    row_each(task, run) if (task->is_live) sim_trace_task(
        sim, what, task, (int)task->live.state, (int)task->live.reason, task->live.unsettled);
}

static bool check_all_ends(struct sim *sim, const struct moment *m)
{
    int shown = 0;
    (void)m;
    vec_each (run, &sim->runs) {
        if (!*run || !(*run)->is_live || run_state_finished((*run)->live.state) || shown++ >= 3)
            continue;
        if (run_before(*run))
            trace_tasks(sim, "in the run before", run_before(*run));
        trace_tasks(sim, "has not ended", *run);
        sim_trace(sim, &(struct trace_line){.what = run_state_name((*run)->live.state),
                           .dag = (*run)->dag->number,
                           .task = -1,
                           .run = (*run)->live.id.v,
                           .detail = (int64_t)(*run)->live.reason});
    }
    return false;
}

static bool is_nothing(struct sim *sim, const char *what, int64_t count)
{
    if (count)
        sim_trace(sim, &(struct trace_line){.what = what, .dag = -1, .task = -1, .detail = count});
    return !count;
}

static bool check_nothing_left(struct sim *sim, const struct moment *m)
{
    (void)m;
    struct scheduler_counts counts = scheduler_count(sim->leader->scheduler);
    bool ok = is_nothing(sim, "processes are held", sim->process_used);
    for (int n = 0; n < POOLS; n++)
        ok &= is_nothing(sim, "slots of a pool are held", sim->pool_used[n]);
    for (int n = 0; n < CONNECTIONS; n++)
        ok &= is_nothing(sim, "slots of a connection are held", sim->connection_used[n]);
    return ok & is_nothing(sim, "runs are live", (int64_t)counts.runs) &
           is_nothing(sim, "instances are live", (int64_t)counts.instances) &
           is_nothing(sim, "tasks are ready", (int64_t)counts.ready) &
           is_nothing(sim, "tasks hold slots", (int64_t)counts.active) &
           is_nothing(sim, "backfills are live", (int64_t)counts.backfills);
}

static bool is_true(struct row_task *task)
{
    const struct task_record *record = &task->durable;
    bool is_sql = task->run->dag->sql >> task->number & 1;
    if (!task->in_store || !is_sql || record->reason == REASON_MARKED ||
        record->state == TASK_REMOVED)
        return true;
    const struct ledger_row *row = ledger_find(task, record->generation);
    bool committed = row && row->state == LEDGER_COMMITTED;
    return committed == (record->state == TASK_SUCCESS);
}

static bool check_truth(struct sim *sim, const struct moment *m)
{
    (void)m;
    vec_each (run, &sim->runs) {
        if (!*run || !(*run)->in_store)
            continue;
        row_each(task, *run) if (!is_true(task))
        {
            sim_trace_task(sim, "is not true", task, (int)task->durable.state, 0,
                (int64_t)task->durable.reason);
            return false;
        }
    }
    return true;
}

static bool check_files_go_on(struct sim *sim, const struct moment *m)
{
    (void)m;
    for (int n = 0; n < sim->dag_count; n++) {
        const struct sim_dag *dag = &sim->dags[n];
        if (!dag->gone && dag->in_store && dag->durable.removed)
            return false;
    }
    return true;
}

/* One line a run, its number after a `#`: the first that is not the same. */
static bool check_same_end(struct sim *sim, const struct moment *m)
{
    const char *a = m->states, *b = m->other_states;
    (void)sim;
    while (*a || *b) {
        size_t a_size = strcspn(a, "#"), b_size = strcspn(b, "#");
        size_t a_line = strcspn(a, "\n"), b_line = strcspn(b, "\n");
        if (a_size != b_size || memcmp(a, b, a_size)) {
            printf("undisturbed: %.*s\ndisturbed:   %.*s\n", (int)a_line, a, (int)b_line, b);
            return false;
        }
        a += a_line + (a[a_line] == '\n');
        b += b_line + (b[b_line] == '\n');
    }
    return true;
}

/* ---- the table ---- */

const struct invariant invariants[] = {
#define ROW(name, when, sentence, check) {name, when, sentence, check},
    INVARIANTS(ROW)
#undef ROW
};
const size_t invariant_count = ARRAY_SIZE(invariants);
const struct invariant invariant_assertions = {
    "assertions", WHEN_DECIDED, "no assertion of the scheduler fails, and it does not crash", NULL};

void invariants_check(struct sim *sim, enum when when, const struct moment *moment)
{
    for (size_t n = 0; n < invariant_count; n++)
        if (invariants[n].when == when && !invariants[n].check(sim, moment))
            sim_violation(sim, &invariants[n], moment->dag ? moment->dag->number : -1);
}
