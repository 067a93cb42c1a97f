/* What people ask for, often at a bad moment. */
#include <stdio.h>
#include "tests/simulation/invariants.h"

static void request(struct sim *sim, struct request *request)
{
    snprintf(request->uuid, sizeof request->uuid, "r%lld", (long long)++sim->next_request);
    request->user = "someone";
    sim_trace(sim, &(struct trace_line){.what = request_kind_name(request->kind),
                       .dag = request->dag_id ? store_dag(sim, request->dag_id)->number : -1,
                       .task = -1,
                       .run = request->run_count ? request->runs[0].v : 0});
    daemon_event(sim, sim->leader, &(struct event){.kind = EVENT_REQUEST, .request = request});
}

/* The dates of a DAG that have runs, as an act's caller looks them up. */
static void fill_existing(struct sim *sim, const struct sim_dag *dag, struct request *request)
{
    int64_t *dates = arena_array(sim->arena, int64_t, dag->runs.count);
    enum run_state *states = arena_array(sim->arena, enum run_state, dag->runs.count);
    size_t count = 0;
    vec_each (run, &dag->runs)
        if ((*run)->in_store) {
            dates[count] = (*run)->durable.logical_us;
            states[count++] = (*run)->durable.state;
        }
    request->existing = dates;
    request->existing_state = states;
    request->existing_count = count;
}

void act_trigger(struct sim *sim, struct sim_dag *dag, int64_t logical_us)
{
    if (!daemon_settle(sim, sim->leader))
        return;
    struct request what = {
        .kind = REQUEST_TRIGGER, .dag_id = dag->dag_id, .logical_us = logical_us};
    fill_existing(sim, dag, &what);
    request(sim, &what);
}

void act_backfill(struct sim *sim, struct sim_dag *dag, struct backfill_record range)
{
    if (!daemon_settle(sim, sim->leader))
        return;
    struct request what = {.kind = REQUEST_BACKFILL, .dag_id = dag->dag_id, .backfill = range};
    fill_existing(sim, dag, &what);
    request(sim, &what);
}

void act_set_paused(struct sim *sim, struct sim_dag *dag, bool pause)
{
    if (!dag->is_live || !daemon_settle(sim, sim->leader))
        return;
    dag->touched |= pause;
    request(sim,
        &(struct request){.kind = pause ? REQUEST_PAUSE : REQUEST_UNPAUSE, .dag_id = dag->dag_id});
}

void act_adopt(struct sim *sim, struct sim_dag *dag)
{
    dag->gone = false;
    if (dag->uses_past && !scheduler_dag_version(sim->leader->scheduler, dag->dag_id))
        daemon_load_past(sim->leader, dag);
    sim_trace(sim, &(struct trace_line){.what = "adopted", .dag = dag->number, .task = -1});
    daemon_event(
        sim, sim->leader, &(struct event){.kind = EVENT_DAG_ADOPTED, .dag = project_newest(dag)});
}

static void ask_about(struct sim *sim, struct row_run *run, struct request *what)
{
    if (!run || !run->in_store || !daemon_settle(sim, sim->leader))
        return;
    if (run_state_finished(run->durable.state))
        daemon_load_run(sim, sim->leader, run);
    struct run_id id = run->durable.id;
    what->dag_id = run->dag->dag_id;
    what->runs = &id;
    what->run_count = 1;
    run->dag->touched = true;
    run->keeps_version |= what->same_version;
    request(sim, what);
}

void act_mark_run(struct sim *sim, struct row_run *run, enum task_state state)
{
    ask_about(sim, run, &(struct request){.kind = REQUEST_MARK, .mark_state = state});
}

static struct row_run *any_run(struct sim *sim, const struct sim_dag *dag)
{
    return dag->runs.count ? dag->runs.at[sim_pick(sim, dag->runs.count)] : NULL;
}

static void ask_about_a_run(struct sim *sim, const struct sim_dag *dag)
{
    static const enum request_kind kinds[] = {
        REQUEST_CLEAR, REQUEST_CLEAR, REQUEST_MARK, REQUEST_CANCEL};
    static const enum task_state marks[] = {TASK_SUCCESS, TASK_FAILED, TASK_SKIPPED};
    char pattern[16];
    static const char *const around[] = {"%s", "%s+", "+%s", "*"};
    const char *form = around[sim_pick(sim, ARRAY_SIZE(around))];
    const char *name = task_name((int)sim_pick(sim, dag->task_count));
    snprintf(pattern, sizeof pattern, "%s%s%s", form[0] == '+' ? "+" : "",
        form[0] == '*' ? "*" : name, form[0] == '%' && form[2] ? "+" : "");
    const char *const tasks[] = {pattern};
    ask_about(sim, any_run(sim, dag),
        &(struct request){.kind = kinds[sim_pick(sim, ARRAY_SIZE(kinds))],
            .tasks = tasks,
            .task_count = sim_pick(sim, 2),
            .mark_state = marks[sim_pick(sim, ARRAY_SIZE(marks))],
            .downstream = sim_pick(sim, 2),
            .only_failed = sim_pick(sim, 4) == 0,
            .same_version = sim_pick(sim, 4) == 0,
            .force = sim_pick(sim, 8) == 0});
}

static void ask_for_backfill(struct sim *sim, struct sim_dag *dag)
{
    static const char *const only[] = {"missing", "failed", "all"};
    int64_t from_us = dag->start_us + (int64_t)sim_pick(sim, 4) * US_PER_DAY;
    act_backfill(sim, dag,
        (struct backfill_record){.from_us = from_us,
            .to_us = from_us + (int64_t)sim_pick(sim, 48) * US_PER_HOUR,
            .only = only[sim_pick(sim, 3)],
            .reverse = sim_pick(sim, 4) == 0,
            .max_active_runs = (int32_t)sim_pick(sim, 3)});
}

static void ask_for_a_run(struct sim *sim, struct sim_dag *dag)
{
    int64_t back_us = (int64_t)sim_pick(sim, 96) * US_PER_HOUR;
    act_trigger(sim, dag, sim_pick(sim, 2) ? TIME_NONE : sim->now.wall_us - back_us);
}

static void update_asset(struct sim *sim)
{
    char name[16];
    if (!daemon_settle(sim, sim->leader))
        return;
    snprintf(name, sizeof name, "a%d", (int)sim_pick(sim, ASSETS));
    struct request what = {.kind = REQUEST_ASSET_EVENT, .asset = name};
    request(sim, &what);
}

void acts_one(struct sim *sim)
{
    struct sim_dag *dag = &sim->dags[sim_pick(sim, (uint64_t)sim->dag_count)];
    uint64_t what = sim_pick(sim, 100);
    if (!dag->is_live)
        act_adopt(sim, dag);
    else if (what < 60)
        ask_about_a_run(sim, dag);
    else if (what < 72)
        ask_for_a_run(sim, dag);
    else if (what < 82)
        ask_for_backfill(sim, dag);
    else if (what < 87)
        update_asset(sim);
    else
        act_set_paused(sim, dag, sim_pick(sim, 3) == 0);
}
