/* Slots, caps, order and fairness. */
#include "tests/unit/scheduler/world.h"

static struct dag *fan(const char *dag_id, int tasks, const char *more)
{
    struct strbuf text = {0};
    for (int n = 0; n < tasks; n++)
        strbuf_printf(&text, "t%03d: {%s}\n", n, more);
    struct dag *dag = dag_build(dag_id, strbuf_text(&text));
    dag->max_active_tasks = 1000;
    dag->max_active_runs = 1000;
    strbuf_done(&text);
    return dag;
}

static void init(struct world *w, int pool_slots)
{
    world_init(w, NULL);
    scheduler_set_pool(w->s, "default_pool", pool_slots);
}

static size_t running_of(struct world *w, const char *dag_id)
{
    size_t count = 0;
    vec_each (a, &w->under_way)
        count += str_equal(a->dag_id, dag_id);
    return count;
}

/* Ends the attempt that was started first. */
static void end_oldest(struct world *w)
{
    REQUIRE(w->under_way.count > 0);
    struct attempt_id id = w->under_way.at[0].id;
    vec_remove(&w->under_way, 0);
    struct attempt_result result = {.outcome = OUTCOME_SUCCESS, .exit_code = -1};
    world_apply(
        w, &(struct event){.kind = EVENT_ATTEMPT_FINISHED, .attempt = id, .result = &result});
}

struct queue_look {
    size_t count;
    enum reason reason;
    char text[256];
};

static void look(void *context, const struct queue_item *item)
{
    struct queue_look *into = context;
    if (!item->task_id)
        return;
    into->count++;
    into->reason = item->reason;
    snprintf(into->text, sizeof into->text, "%s", item->text);
}

static struct queue_look queue_of(struct world *w)
{
    struct queue_look result = {0};
    scheduler_queue(w->s, look, &result);
    return result;
}

TEST(no_more_tasks_run_than_the_pool_has_slots)
{
    struct world w;
    init(&w, 3);
    world_adopt(&w, fan("d", 10, "bash: 1"));
    REQUIRE(world_trigger(&w, "d", 0) == OK);
    for (int n = 0; n < 10; n++) {
        CHECK_INT(w.under_way.count, n <= 7 ? 3 : 10 - n);
        end_oldest(&w);
    }
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(a_task_that_waits_says_for_what)
{
    struct world w;
    init(&w, 1);
    world_adopt(&w, fan("d", 2, "bash: 1"));
    REQUIRE(world_trigger(&w, "d", 0) == OK);
    CHECK_STR(world_state(&w, "t001"), "scheduled");
    CHECK_INT(world_task(&w, "t001")->reason, REASON_WAITING_POOL);
    struct queue_look queue = queue_of(&w);
    CHECK_INT(queue.count, 1);
    CHECK_STR(queue.text, "waiting for a slot of pool `default_pool` (1 of 1 in use)");
    world_done(&w);
}

TEST(a_full_connection_does_not_hold_tasks_of_another_one)
{
    struct world w;
    world_init(&w, NULL);
    scheduler_set_connection(w.s, "one", 1);
    scheduler_set_connection(w.s, "two", 1);
    world_adopt(
        &w, dag_build("d", "a: {sql: one, weight: 9}\nb: {sql: one, weight: 9}\nc: {sql: two}\n"));
    REQUIRE(world_trigger(&w, "d", 0) == OK);
    CHECK(world_attempt(&w, "a") != NULL);
    CHECK(world_attempt(&w, "b") == NULL);
    CHECK(world_attempt(&w, "c") != NULL);
    CHECK_INT(queue_of(&w).reason, REASON_WAITING_CONNECTION);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK(world_attempt(&w, "b") != NULL);
    world_done(&w);
}

TEST(max_processes_limits_processes_and_not_sql)
{
    struct world w;
    world_init(&w, &(struct scheduler_options){.seed = 1, .max_processes = 1});
    world_adopt(&w, dag_build("d", "p: {bash: 1}\nq: {bash: 1}\ns: {sql: db}\n"));
    REQUIRE(world_trigger(&w, "d", 0) == OK);
    CHECK_INT(w.under_way.count, 2);
    CHECK(world_attempt(&w, "s") != NULL);
    CHECK_INT(queue_of(&w).reason, REASON_WAITING_PROCESS);
    world_end_task(&w, "p", OUTCOME_SUCCESS);
    CHECK(world_attempt(&w, "q") != NULL);
    world_done(&w);
}

TEST(max_active_tasks_is_per_run)
{
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = fan("d", 5, "bash: 1");
    dag->max_active_tasks = 2;
    world_adopt(&w, dag);
    REQUIRE(world_trigger(&w, "d", 0) == OK);
    REQUIRE(world_trigger(&w, "d", US_PER_DAY) == OK);
    CHECK_INT(w.under_way.count, 4);
    CHECK_INT(queue_of(&w).reason, REASON_WAITING_TASK_CAP);
    while (w.under_way.count) {
        CHECK(w.under_way.count <= 4);
        end_oldest(&w);
    }
    CHECK_INT(world_count_runs(&w, "d", 1u << RUN_SUCCESS), 2);
    world_done(&w);
}

/* A turn under a cap, and no slot of the pool: who leaves then leaves the turn to the next one. */
TEST(a_task_that_leaves_before_its_start_leaves_its_turn_to_the_next_one)
{
    struct world w;
    const char *next = "t001";
    init(&w, 2);
    struct dag *dag = fan("d", 3, "bash: 1"), *urgent = fan("urgent", 2, "bash: 1");
    dag->max_active_tasks = 1;
    urgent->priority = 5;
    world_adopt(&w, dag);
    world_adopt(&w, urgent);
    REQUIRE(world_trigger(&w, "d", 0) == OK);
    struct run_id run = world_last_run(&w)->id;
    REQUIRE(world_trigger(&w, "urgent", 0) == OK);
    end_oldest(&w);
    CHECK_INT(running_of(&w, "urgent"), 2);
    CHECK_INT(world_request(&w, &(struct request){.kind = REQUEST_MARK,
                                    .dag_id = "d",
                                    .mark_state = TASK_SUCCESS,
                                    .runs = &run,
                                    .run_count = 1,
                                    .tasks = &next,
                                    .task_count = 1}),
        OK);
    while (w.under_way.count)
        end_oldest(&w);
    CHECK_STR(run_state_name(world_run_at(&w, "d", 0)->state), "success");
    world_done(&w);
}

TEST(a_task_that_the_past_holds_back_leaves_its_turn_to_the_next_one)
{
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = dag_build("d", "x: {bash: 1}\na: {bash: 1, depends_on_past: true}\n"
                                     "b: {bash: 1}\n");
    const char *held = "a";
    dag->max_active_tasks = 1;
    dag->uses_past = true;
    world_adopt(&w, dag);
    REQUIRE(world_trigger(&w, "d", 0) == OK);
    struct run_id first = world_last_run(&w)->id;
    for (int n = 0; n < 3; n++)
        end_oldest(&w);
    REQUIRE(world_trigger(&w, "d", US_PER_DAY) == OK);
    CHECK(world_attempt(&w, "x") != NULL);
    world_load_run(&w, map_get(w.runs, key_of(&w, first.v, NULL)));
    CHECK_INT(world_request(&w, &(struct request){.kind = REQUEST_CLEAR,
                                    .dag_id = "d",
                                    .runs = &first,
                                    .run_count = 1,
                                    .tasks = &held,
                                    .task_count = 1}),
        OK);
    world_end_task(&w, "x", OUTCOME_SUCCESS);
    CHECK(world_attempt(&w, "b") != NULL);
    while (w.under_way.count)
        end_oldest(&w);
    CHECK_INT(world_count_runs(&w, "d", 1u << RUN_SUCCESS), 2);
    world_done(&w);
}

TEST(max_active_tis_per_dag_counts_over_all_runs)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, dag_build("d", "a: {bash: 1, max_active_tis_per_dag: 1}\nb: {bash: 1}\n"));
    for (int n = 0; n < 3; n++)
        REQUIRE(world_trigger(&w, "d", n * US_PER_DAY) == OK);
    CHECK_INT(w.under_way.count, 4);
    for (int n = 0; n < 3; n++) {
        CHECK_INT(world_attempt(&w, "a")->logical_us, n * US_PER_DAY);
        world_end_task(&w, "a", OUTCOME_SUCCESS);
    }
    CHECK(world_attempt(&w, "a") == NULL);
    world_done(&w);
}

TEST(attempts_of_versions_without_a_cap_count_against_it)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, dag_build("d", "a: {bash: 1}\n"));
    REQUIRE(world_trigger(&w, "d", 0) == OK);
    struct attempt_id first = world_attempt(&w, "a")->id;
    world_adopt(&w, dag_build("d", "a: {bash: 1, max_active_tis_per_dag: 1}\n"));
    REQUIRE(world_trigger(&w, "d", US_PER_DAY) == OK);
    CHECK_INT(w.under_way.count, 1);
    CHECK_STR(world_attempt(&w, "a")->id.text, first.text);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    REQUIRE(world_attempt(&w, "a") != NULL);
    CHECK_INT(world_attempt(&w, "a")->logical_us, US_PER_DAY);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(the_heavier_task_runs_first_and_then_the_earlier_date)
{
    struct world w;
    init(&w, 0);
    world_adopt(&w, dag_build("d", "light: {bash: 1}\nheavy: {bash: 1, weight: 5}\n"));
    REQUIRE(world_trigger(&w, "d", 2 * US_PER_DAY) == OK);
    REQUIRE(world_trigger(&w, "d", 1 * US_PER_DAY) == OK);
    scheduler_set_pool(w.s, "default_pool", 1);
    world_apply(&w, &(struct event){.kind = EVENT_POOLS_CHANGED});
    static const struct {
        const char *task;
        int day;
    } order[] = {{"heavy", 1}, {"heavy", 2}, {"light", 1}, {"light", 2}};
    for (size_t n = 0; n < ARRAY_SIZE(order); n++) {
        CHECK_INT(w.under_way.count, 1);
        CHECK_STR(w.under_way.at[0].task_id, order[n].task);
        CHECK_INT(w.under_way.at[0].logical_us, order[n].day * US_PER_DAY);
        end_oldest(&w);
    }
    world_done(&w);
}

TEST(dags_of_equal_priority_share_a_full_pool_evenly)
{
    struct world w;
    init(&w, 4);
    world_adopt(&w, fan("big", 400, "bash: 1"));
    REQUIRE(world_trigger(&w, "big", 0) == OK);
    world_adopt(&w, fan("small", 40, "bash: 1"));
    REQUIRE(world_trigger(&w, "small", 0) == OK);
    for (int n = 0; n < 84; n++)
        end_oldest(&w);
    CHECK_INT(running_of(&w, "small"), 0);
    CHECK_STR(run_state_name(world_run_at(&w, "small", 0)->state), "success");
    CHECK_STR(run_state_name(world_run_at(&w, "big", 0)->state), "running");
    world_done(&w);
}

TEST(a_dag_of_higher_priority_goes_first)
{
    struct world w;
    init(&w, 2);
    world_adopt(&w, fan("low", 50, "bash: 1"));
    struct dag *urgent = fan("urgent", 10, "bash: 1");
    urgent->priority = 5;
    world_adopt(&w, urgent);
    REQUIRE(world_trigger(&w, "low", 0) == OK);
    REQUIRE(world_trigger(&w, "urgent", 0) == OK);
    for (int n = 0; n < 12; n++)
        end_oldest(&w);
    CHECK_STR(run_state_name(world_run_at(&w, "urgent", 0)->state), "success");
    world_done(&w);
}

TEST(a_backfill_leaves_most_of_the_pool_to_fresh_work_and_is_not_starved)
{
    struct world w;
    init(&w, 10);
    struct dag *old = fan("old", 400, "bash: 1");
    dag_set_schedule(old, "@daily", "2029-01-01", NULL);
    old->catchup = CATCHUP_NONE;
    world_adopt(&w, old);
    int64_t date_us = time_of("2029-06-01");
    struct request backfill = {.kind = REQUEST_BACKFILL,
        .dag_id = "old",
        .backfill = {.from_us = date_us, .to_us = date_us, .only = "missing"}};
    REQUIRE(world_request(&w, &backfill) == OK);
    CHECK_INT(running_of(&w, "old"), 10);
    struct dag *fresh = fan("fresh", 400, "bash: 1");
    dag_set_schedule(fresh, "@daily", "2029-12-31", NULL);
    world_adopt(&w, fresh);
    size_t fresh_starts = 0, old_starts = 0;
    for (int n = 0; n < 200; n++) {
        size_t before = w.starts;
        end_oldest(&w);
        CHECK_INT(w.starts, before + 1);
        bool is_fresh = str_equal(w.under_way.at[w.under_way.count - 1].dag_id, "fresh");
        fresh_starts += is_fresh;
        old_starts += !is_fresh;
    }
    CHECK(fresh_starts >= 150);
    CHECK(old_starts >= 30);
    world_done(&w);
}

TEST(a_large_task_gets_its_slots_in_spite_of_a_stream_of_small_ones)
{
    struct world w;
    init(&w, 8);
    world_adopt(&w, fan("small", 500, "bash: 1"));
    REQUIRE(world_trigger(&w, "small", 0) == OK);
    world_adopt(&w, dag_build("large", "big: {bash: 1, pool_slots: 6}\n"));
    REQUIRE(world_trigger(&w, "large", 0) == OK);
    int ended = 0;
    for (; !world_attempt(&w, "big") && ended < 100; ended++)
        end_oldest(&w);
    CHECK(world_attempt(&w, "big") != NULL);
    CHECK(ended <= 20);
    CHECK(running_of(&w, "small") <= 2);
    world_end_task(&w, "big", OUTCOME_SUCCESS);
    CHECK_INT(running_of(&w, "small"), 8);
    world_done(&w);
}

TEST(a_task_larger_than_its_pool_says_that_it_can_never_run_and_holds_nobody)
{
    struct world w;
    init(&w, 2);
    world_adopt(&w, dag_build("d", "big: {bash: 1, pool_slots: 3}\n"));
    REQUIRE(world_trigger(&w, "d", 0) == OK);
    CHECK_STR(queue_of(&w).text, "can never run: it needs 3 slots, and pool `default_pool` has 2");
    world_adopt(&w, fan("small", 20, "bash: 1"));
    REQUIRE(world_trigger(&w, "small", 0) == OK);
    while (running_of(&w, "small"))
        end_oldest(&w);
    CHECK_STR(run_state_name(world_run_at(&w, "small", 0)->state), "success");
    scheduler_set_pool(w.s, "default_pool", 3);
    world_apply(&w, &(struct event){.kind = EVENT_POOLS_CHANGED});
    CHECK(world_attempt(&w, "big") != NULL);
    world_done(&w);
}

TEST(a_pool_made_smaller_lets_what_runs_end)
{
    struct world w;
    init(&w, 4);
    world_adopt(&w, fan("d", 10, "bash: 1"));
    REQUIRE(world_trigger(&w, "d", 0) == OK);
    scheduler_set_pool(w.s, "default_pool", 1);
    world_apply(&w, &(struct event){.kind = EVENT_POOLS_CHANGED});
    CHECK_INT(w.under_way.count, 4);
    for (int n = 0; n < 4; n++)
        end_oldest(&w);
    CHECK_INT(w.under_way.count, 1);
    world_done(&w);
}

TEST(slots_are_counted_anew_after_a_crash)
{
    struct world w;
    init(&w, 2);
    world_adopt(&w, fan("d", 6, "bash: 1"));
    REQUIRE(world_trigger(&w, "d", 0) == OK);
    struct slots_setting pool = {"default_pool", 2};
    w.options.pools = &pool;
    w.options.pool_count = 1;
    for (int n = 0; n < 6; n++) {
        world_crash(&w);
        CHECK_INT(scheduler_count(w.s).active, n < 5 ? 2 : 1);
        end_oldest(&w);
    }
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(random_pools_connections_and_needs_never_overbook_and_always_end)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct world w;
        init(&w, 5);
        w.random = seed;
        scheduler_set_connection(w.s, "db", 2);
        scheduler_set_max_processes(w.s, 3);
        for (int d = 0; d < 4; d++) {
            struct strbuf text = {0};
            for (int n = 0; n < 12; n++)
                strbuf_printf(&text, "t%d: {%s, pool_slots: %d, weight: %d}\n", n,
                    world_random(&w) % 2 ? "sql: db" : "bash: 1", (int)(world_random(&w) % 4) + 1,
                    (int)(world_random(&w) % 3));
            char dag_id[8];
            snprintf(dag_id, sizeof dag_id, "d%d", d);
            struct dag *dag = dag_build(dag_id, text.text);
            dag->max_active_tasks = 3;
            strbuf_done(&text);
            world_adopt(&w, dag);
            REQUIRE(world_trigger(&w, dag_id, 0) == OK);
        }
        for (int n = 0; n < 48; n++) {
            size_t used = 0, sql = 0;
            vec_each (a, &w.under_way) {
                const struct task *task = dag_find_task(newest_of(&w, a->dag_id), a->task_id);
                used += (size_t)task->pool_slots;
                sql += task->kind == KIND_SQL;
            }
            CHECK(used <= 5 && sql <= 2 && w.under_way.count - sql <= 3);
            size_t any = world_random(&w) % w.under_way.count;
            world_end(&w, &w.under_way.at[any],
                &(struct attempt_result){.outcome = OUTCOME_SUCCESS, .exit_code = -1});
        }
        CHECK_INT(w.ended_runs, 4);
        CHECK_INT(scheduler_count(w.s).active, 0);
        CHECK_INT(scheduler_count(w.s).ready, 0);
        world_done(&w);
    }
}
