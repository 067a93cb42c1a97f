/* Assets: events of successes, what is queued, and the runs that follow. */
#include "tests/unit/scheduler/world.h"

static struct dag *consumer(const char *dag_id, enum asset_op op, const char *assets)
{
    struct dag *dag = dag_build(dag_id, "use: {bash: 1}\n");
    dag_set_assets(dag, op, assets);
    return dag;
}

static struct dag *producer(const char *dag_id, const char *asset)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    return dag_build(
        dag_id, arena_printf(arena, "make-%s: {bash: 1, outlets: [%s]}\n", asset, asset));
}

/* Runs a producer by hand to its end. */
static void produce(struct world *w, const char *dag_id, const char *task_id)
{
    world_pass(w, US_PER_SECOND);
    CHECK_INT(world_trigger(w, dag_id, w->now.wall_us), OK);
    world_end_task(w, task_id, OUTCOME_SUCCESS);
}

static void begin(struct world *w)
{
    world_init(w, NULL);
    world_adopt(w, producer("pa", "a"));
    world_adopt(w, producer("pb", "b"));
}

static size_t runs_of(struct world *w, const char *dag_id)
{
    return world_count_runs(w, dag_id, 0);
}

static const struct asset_queue_record *queue_of(
    struct world *w, const char *dag_id, const char *asset)
{
    return map_get(w->queues, arena_printf(w->arena, "%s/%s", dag_id, asset));
}

/* Consumed events of a run, by the store's rule. */
static size_t consumed(struct world *w, struct run_id run, const char *asset)
{
    size_t count = 0;
    vec_each (record, &w->run_assets)
        vec_each (event, &w->asset_events)
            count += record->run.v == run.v && str_equal(record->asset, asset) &&
                     str_equal(event->asset, asset) && event->id > record->after_event &&
                     event->id <= record->last_event;
    return count;
}

TEST(a_success_makes_one_event_an_asset_and_it_is_told_who_made_it)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, dag_build("p", "two: {bash: 1, outlets: [a b]}\nnone: {bash: 1}\n"));
    CHECK_INT(world_trigger(&w, "p", time_of("2029-12-30")), OK);
    world_end_task(&w, "none", OUTCOME_SUCCESS);
    CHECK_INT(w.asset_events.count, 0);
    world_end_task(&w, "two", OUTCOME_SUCCESS);
    REQUIRE(w.asset_events.count == 2);
    const struct asset_event_record *event = &w.asset_events.at[0];
    CHECK_STR(event->asset, "a");
    CHECK_STR(event->dag_id, "p");
    CHECK_STR(event->task_id, "two");
    CHECK_INT(event->run.v, world_last_run(&w)->id.v);
    CHECK_INT(event->logical_us, time_of("2029-12-30"));
    CHECK_INT(event->at_us, w.now.wall_us);
    CHECK_STR(w.asset_events.at[1].asset, "b");
    world_done(&w);
}

TEST(only_a_success_makes_events_and_a_mark_is_none)
{
    struct world w;
    world_init(&w, NULL);
    world_adopt(&w, dag_build("p", "a: {bash: 1, outlets: [x]}\nb: {bash: 1, outlets: [x]}\n"
                                   "c: {bash: 1, outlets: [x], retries: 1}\n"
                                   "d: {empty: {}, outlets: [y]}\n"));
    CHECK_INT(world_trigger(&w, "p", time_of("2029-12-30")), OK);
    CHECK_INT(w.asset_events.count, 1); /* the empty task's */
    world_end_task(&w, "a", OUTCOME_FAILED);
    world_end_task(&w, "b", OUTCOME_SKIPPED);
    world_end_task(&w, "c", OUTCOME_FAILED);
    struct run_id run = world_last_run(&w)->id;
    CHECK_INT(w.asset_events.count, 1);
    const char *task = "a";
    CHECK_INT(world_request(&w, &(struct request){.kind = REQUEST_MARK,
                                    .dag_id = "p",
                                    .runs = &run,
                                    .run_count = 1,
                                    .tasks = &task,
                                    .task_count = 1,
                                    .mark_state = TASK_SUCCESS}),
        OK);
    CHECK_INT(w.asset_events.count, 1);
    world_advance(&w, US_PER_HOUR);
    world_end_task(&w, "c", OUTCOME_SUCCESS);
    CHECK_INT(w.asset_events.count, 2);
    world_done(&w);
}

TEST(any_runs_at_the_first_event_and_the_date_is_its_time)
{
    struct world w;
    begin(&w);
    world_adopt(&w, consumer("c", ASSET_ANY, "a b"));
    produce(&w, "pb", "make-b");
    CHECK_INT(runs_of(&w, "c"), 1);
    const struct run_record *run = world_last_run(&w);
    CHECK_INT(run->type, RUN_TYPE_ASSET);
    CHECK_STR(run->run_id, "asset_triggered__2030-01-01T00:00:01+00:00");
    CHECK_INT(run->logical_us, w.now.wall_us);
    CHECK_INT(run->interval_start_us, run->interval_end_us);
    CHECK(world_attempt(&w, "use") != NULL);
    CHECK_INT(consumed(&w, run->id, "b"), 1);
    CHECK_INT(consumed(&w, run->id, "a"), 0);
    CHECK_INT(queue_of(&w, "c", "b")->last_event, 0);
    world_done(&w);
}

TEST(all_waits_for_each_and_a_run_is_given_every_event_since_the_last)
{
    struct world w;
    begin(&w);
    world_adopt(&w, consumer("c", ASSET_ALL, "a b"));
    produce(&w, "pa", "make-a");
    produce(&w, "pa", "make-a");
    CHECK_INT(runs_of(&w, "c"), 0);
    CHECK_INT(queue_of(&w, "c", "a")->count, 2);
    produce(&w, "pb", "make-b");
    CHECK_INT(runs_of(&w, "c"), 1);
    struct run_id run = world_last_run(&w)->id;
    CHECK_INT(consumed(&w, run, "a"), 2);
    CHECK_INT(consumed(&w, run, "b"), 1);
    world_end_task(&w, "use", OUTCOME_SUCCESS);
    produce(&w, "pb", "make-b");
    CHECK_INT(runs_of(&w, "c"), 1); /* the queue was emptied: `a` again */
    produce(&w, "pa", "make-a");
    CHECK_INT(runs_of(&w, "c"), 2);
    CHECK_INT(consumed(&w, world_last_run(&w)->id, "a"), 1);
    world_done(&w);
}

TEST(expressions_nest)
{
    struct world w;
    begin(&w);
    world_adopt(&w, producer("pc", "c"));
    struct dag *dag = consumer("x", ASSET_ANY, "a b c");
    struct asset_expr *expr = arena_array(dag->arena, struct asset_expr, 2);
    expr[0] = (struct asset_expr){.op = ASSET_ONE, .name = "a"};
    expr[1] = (struct asset_expr){
        .op = ASSET_ANY, .items = dag->assets->items + 1, .count = dag->assets->count - 1};
    struct asset_expr *all = arena_new_of(dag->arena, struct asset_expr);
    *all = (struct asset_expr){.op = ASSET_ALL, .items = expr, .count = 2};
    dag->assets = all;
    world_adopt(&w, dag);
    produce(&w, "pb", "make-b");
    produce(&w, "pc", "make-c");
    CHECK_INT(runs_of(&w, "x"), 0);
    produce(&w, "pa", "make-a");
    CHECK_INT(runs_of(&w, "x"), 1);
    CHECK_INT(consumed(&w, world_last_run(&w)->id, "c"), 1);
    world_done(&w);
}

TEST(what_is_queued_survives_a_restart_at_any_step)
{
    struct world w;
    begin(&w);
    world_adopt(&w, consumer("c", ASSET_ALL, "a b"));
    produce(&w, "pa", "make-a");
    world_crash(&w);
    CHECK_INT(runs_of(&w, "c"), 0);
    produce(&w, "pb", "make-b");
    CHECK_INT(runs_of(&w, "c"), 1);
    world_crash(&w);
    world_crash(&w);
    CHECK_INT(runs_of(&w, "c"), 1);
    CHECK_INT(w.asset_events.count, 2);
    CHECK_INT(consumed(&w, world_last_run(&w)->id, "a"), 1);
    world_end_task(&w, "use", OUTCOME_SUCCESS);
    produce(&w, "pa", "make-a");
    world_crash(&w);
    CHECK_INT(runs_of(&w, "c"), 1);
    world_done(&w);
}

static void set_paused(struct world *w, const char *dag_id, bool paused)
{
    CHECK_INT(world_request(w, &(struct request){.kind = paused ? REQUEST_PAUSE : REQUEST_UNPAUSE,
                                   .dag_id = dag_id}),
        OK);
}

/* Airflow's AssetManager. */
TEST(events_do_not_queue_for_a_paused_dag_but_its_next_run_is_given_them)
{
    struct world w;
    begin(&w);
    world_adopt(&w, consumer("c", ASSET_ANY, "a b"));
    set_paused(&w, "c", true);
    produce(&w, "pa", "make-a");
    CHECK_INT(queue_of(&w, "c", "a")->count, 0);
    world_crash(&w);
    set_paused(&w, "c", false);
    CHECK_INT(runs_of(&w, "c"), 0);
    produce(&w, "pa", "make-a");
    CHECK_INT(runs_of(&w, "c"), 1);
    CHECK_INT(consumed(&w, world_last_run(&w)->id, "a"), 2);
    world_done(&w);
}

TEST(what_was_queued_before_a_pause_runs_after_it)
{
    struct world w;
    begin(&w);
    struct dag *dag = consumer("c", ASSET_ANY, "a");
    dag->max_active_runs = 1;
    world_adopt(&w, dag);
    produce(&w, "pa", "make-a");
    produce(&w, "pa", "make-a");
    produce(&w, "pa", "make-a");
    CHECK_INT(runs_of(&w, "c"), 1); /* the others gather while one run is live */
    set_paused(&w, "c", true);
    world_end_task(&w, "use", OUTCOME_SUCCESS);
    CHECK_INT(runs_of(&w, "c"), 1);
    set_paused(&w, "c", false);
    CHECK_INT(runs_of(&w, "c"), 2);
    CHECK_INT(consumed(&w, world_last_run(&w)->id, "a"), 2);
    world_done(&w);
}

TEST(assets_and_cron_together_run_at_whichever_comes_first)
{
    struct world w;
    begin(&w);
    struct dag *dag = consumer("c", ASSET_ANY, "a");
    dag_set_schedule(dag, "@daily", "2030-01-01", NULL);
    world_adopt(&w, dag);
    produce(&w, "pa", "make-a");
    CHECK_INT(runs_of(&w, "c"), 1);
    world_end_task(&w, "use", OUTCOME_SUCCESS);
    world_advance(&w, US_PER_DAY);
    CHECK_INT(runs_of(&w, "c"), 2);
    CHECK_STR(world_last_run(&w)->run_id, "scheduled__2030-01-01T00:00:00+00:00");
    world_end_task(&w, "use", OUTCOME_SUCCESS);
    produce(&w, "pa", "make-a");
    CHECK_INT(world_last_run(&w)->type, RUN_TYPE_ASSET);
    world_done(&w);
}

TEST(a_date_that_is_taken_is_passed_by)
{
    struct world w;
    begin(&w);
    world_adopt(&w, consumer("c", ASSET_ANY, "a"));
    world_adopt(&w, consumer("d", ASSET_ANY, "a"));
    CHECK_INT(world_trigger(&w, "c", w.now.wall_us + US_PER_SECOND), OK);
    produce(&w, "pa", "make-a");
    CHECK_INT(runs_of(&w, "c"), 2);
    CHECK(world_run_at(&w, "c", w.now.wall_us + 1) != NULL);
    CHECK(world_run_at(&w, "d", w.now.wall_us) != NULL);
    world_done(&w);
}

TEST(a_dag_may_be_scheduled_on_what_it_makes)
{
    struct world w;
    world_init(&w, NULL);
    struct dag *dag = dag_build("loop", "use: {bash: 1, outlets: [a]}\n");
    dag_set_assets(dag, ASSET_ANY, "a");
    world_adopt(&w, dag);
    CHECK_INT(world_trigger(&w, "loop", w.now.wall_us - 1), OK);
    for (int n = 0; n < 5; n++) {
        CHECK_INT(runs_of(&w, "loop"), (size_t)n + 1);
        world_pass(&w, US_PER_SECOND);
        world_end_task(&w, "use", OUTCOME_SUCCESS);
    }
    world_done(&w);
}

TEST(a_schedule_that_leaves_an_asset_forgets_what_was_queued)
{
    struct world w;
    begin(&w);
    world_adopt(&w, consumer("c", ASSET_ALL, "a b"));
    produce(&w, "pa", "make-a");
    world_adopt(&w, consumer("c", ASSET_ANY, "b"));
    CHECK_INT(queue_of(&w, "c", "a")->count, 0);
    produce(&w, "pa", "make-a");
    CHECK_INT(queue_of(&w, "c", "a")->count, 0);
    world_adopt(&w, consumer("c", ASSET_ANY, "a b"));
    CHECK_INT(runs_of(&w, "c"), 0);
    produce(&w, "pa", "make-a");
    CHECK_INT(runs_of(&w, "c"), 1);
    world_done(&w);
}

TEST(an_event_by_hand_counts_as_one_and_an_unknown_asset_is_refused)
{
    struct world w;
    begin(&w);
    world_adopt(&w, consumer("c", ASSET_ANY, "a"));
    struct request request = {
        .kind = REQUEST_ASSET_EVENT, .asset = "a", .extra = "{\"rows\": 3}", .user = "bob"};
    request.dry_run = true;
    CHECK_INT(world_request(&w, &request), OK);
    CHECK_INT(w.asset_events.count, 0);
    request.dry_run = false;
    CHECK_INT(world_request(&w, &request), OK);
    CHECK_STR(w.reply.outcome, "{\"asset\":\"a\",\"event\":1,\"queued_for\":[\"c\"]}");
    REQUIRE(w.asset_events.count == 1);
    CHECK_STR(w.asset_events.at[0].extra, "{\"rows\": 3}");
    CHECK_STR(w.asset_events.at[0].made_by, "bob");
    CHECK_INT(w.asset_events.at[0].map_index, -1);
    CHECK_INT(runs_of(&w, "c"), 1);
    request.asset = "b"; /* made, but nobody is scheduled on it */
    CHECK_INT(world_request(&w, &request), OK);
    request.asset = "nothing";
    CHECK_INT(world_request(&w, &request), ERR_NOT_FOUND);
    world_done(&w);
}

TEST(a_dag_whose_file_is_broken_at_a_restart_loses_nothing)
{
    struct world w;
    begin(&w);
    world_adopt(&w, consumer("c", ASSET_ALL, "a b"));
    produce(&w, "pa", "make-a");
    struct dag *version = dag_ref(vec_pop(&w.versions));
    world_crash(&w); /* no version of `c` now */
    produce(&w, "pb", "make-b");
    CHECK_INT(runs_of(&w, "c"), 0);
    CHECK_INT(queue_of(&w, "c", "b")->count, 1);
    dag_unref(version);
    world_adopt(&w, version);
    CHECK_INT(runs_of(&w, "c"), 1);
    CHECK_INT(consumed(&w, world_last_run(&w)->id, "a"), 1);
    world_done(&w);
}

TEST(a_removed_consumer_is_left_alone)
{
    struct world w;
    begin(&w);
    world_adopt(&w, consumer("c", ASSET_ANY, "a"));
    world_apply(&w, &(struct event){.kind = EVENT_DAG_REMOVED, .dag_id = "c"});
    produce(&w, "pa", "make-a");
    CHECK_INT(runs_of(&w, "c"), 0);
    world_done(&w);
}
