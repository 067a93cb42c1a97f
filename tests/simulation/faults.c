/* What breaks, and when. */
#include "tests/simulation/invariants.h"

static void step_clock(struct sim *sim, int64_t by_us)
{
    sim->now.wall_us += by_us;
    sim_trace(sim,
        &(struct trace_line){.what = "the clock is set", .dag = -1, .task = -1, .detail = by_us});
}

static int64_t either_way(struct sim *sim, int64_t at_most_us)
{
    return (int64_t)sim_pick(sim, (uint64_t)(2 * at_most_us)) - at_most_us;
}

static void change_pools(struct sim *sim)
{
    static const char *const pools[POOLS] = {"default_pool", "p1", "p2"};
    static const char *const connections[CONNECTIONS] = {"c0", "c1"};
    int pool = (int)sim_pick(sim, POOLS), connection = (int)sim_pick(sim, CONNECTIONS);
    sim->pool_slots[pool] = 3 + (int)sim_pick(sim, 12);
    sim->connection_slots[connection] = 1 + (int)sim_pick(sim, 8);
    scheduler_set_pool(sim->leader->scheduler, pools[pool], sim->pool_slots[pool]);
    scheduler_set_connection(
        sim->leader->scheduler, connections[connection], sim->connection_slots[connection]);
    daemon_event(sim, sim->leader, &(struct event){.kind = EVENT_POOLS_CHANGED});
}

static void change_version(struct sim *sim)
{
    struct sim_dag *dag = &sim->dags[sim_pick(sim, (uint64_t)sim->dag_count)];
    project_new_version(sim, dag, sim_pick(sim, 3) == 0);
    act_adopt(sim, dag);
}

static void remove_file(struct sim *sim)
{
    struct sim_dag *dag = &sim->dags[sim_pick(sim, (uint64_t)sim->dag_count)];
    dag->gone = dag->touched = true;
    sim_trace(sim, &(struct trace_line){.what = "removed", .dag = dag->number, .task = -1});
    daemon_event(
        sim, sim->leader, &(struct event){.kind = EVENT_DAG_REMOVED, .dag_id = dag->dag_id});
}

static void chaos(struct sim *sim)
{
    uint64_t what = sim_pick(sim, 100000);
    if (what < 500)
        daemon_crash(sim);
    else if (what < 650)
        daemon_take_over(sim);
    else if (what < 3000)
        acts_one(sim);
    else if (what < 3400)
        change_version(sim);
    else if (what < 3500)
        change_pools(sim);
    else if (what < 3550)
        remove_file(sim);
    else if (what < 3700)
        step_clock(sim, either_way(sim, 4 * US_PER_MINUTE));
    else if (what < 3730)
        step_clock(sim, either_way(sim, 3 * US_PER_HOUR));
    else if (what < 3780 && sim->former)
        daemon_free(sim, sim->former);
}

/* Only what must not change how anything ends. */
static void disturb(struct sim *sim)
{
    uint64_t what = sim_pick(sim, 1000);
    if (what < 4 && sim->crashes_left)
        daemon_crash(sim);
    else if (what < 6 && sim->crashes_left)
        daemon_take_over(sim);
    else if (what < 8)
        step_clock(sim, either_way(sim, US_PER_MINUTE));
    else if (what < 9 && sim->former)
        daemon_free(sim, sim->former);
}

void faults_maybe(struct sim *sim)
{
    if (sim->calm)
        return;
    if (sim->kind == EPISODE_CHAOS)
        chaos(sim);
    else if (sim->kind == EPISODE_DISTURBED)
        disturb(sim);
}
