/* Runs from their first task to their verdict. */
#include "tests/unit/scheduler/world.h"

TEST(a_chain_runs_in_order_and_the_run_succeeds)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, dag_build("d", "a: {sql: db}\nb: {sql: db, depends_on: [a]}\n"));
    CHECK_INT(world_trigger(&w, "d", time_of("2030-01-01")), OK);
    CHECK_STR(world_last_run(&w)->run_id, "manual__2030-01-01T00:00:00+00:00");
    CHECK_STR(world_run_state(&w), "running");
    CHECK_STR(world_state(&w, "a"), "queued");
    CHECK_STR(world_state(&w, "b"), "none");
    CHECK(world_attempt(&w, "b") == NULL);
    world_started(&w, world_attempt(&w, "a"));
    CHECK_STR(world_state(&w, "a"), "running");
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "a"), "success");
    CHECK_STR(world_state(&w, "b"), "queued");
    world_end_task(&w, "b", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_INT(world_last_run(&w)->reason, REASON_ALL_LEAVES_DONE);
    CHECK_INT(w.ended_runs, 1);
    CHECK_INT(scheduler_count(w.s).runs, 0);
    CHECK_INT(scheduler_count(w.s).instances, 0);
    CHECK_INT(scheduler_count(w.s).active, 0);
    world_done(&w);
}
