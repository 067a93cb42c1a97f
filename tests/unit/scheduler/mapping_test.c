/* Mapped tasks: expanded, run index by index, cleared, taken over after a crash. */
#include "tests/unit/scheduler/world.h"

static const char *fan = "a: {sql: db}\n"
                         "m: {sql: db, depends_on: [a], expand: 1, retries: 1, retry_delay: 60}\n"
                         "z: {sql: db, depends_on: [m]}\n";

static void start(struct world *w, const char *tasks)
{
    world_init(w, NULL);
    world_adopt(w, dag_build("d", tasks));
    REQUIRE(world_trigger(w, "d", time_of("2030-01-01")) == OK);
}

/* Until `m` is expanded into `count` instances. */
static void start_fan(struct world *w, const char *tasks, size_t count)
{
    start(w, tasks);
    if (world_attempt(w, "a"))
        world_end_task(w, "a", OUTCOME_SUCCESS);
    world_expand(w, "m", count);
}

static enum status ask(struct world *w, struct request request, const char *task)
{
    const struct run_record *run = world_last_run(w);
    if (run_state_finished(run->state))
        world_load_run(w, run);
    struct run_id id = run->id;
    request.dag_id = "d";
    request.runs = &id;
    request.run_count = 1;
    request.tasks = &task;
    request.task_count = task != NULL;
    return world_request(w, &request);
}

static enum status clear(struct world *w, const char *task)
{
    return ask(w, (struct request){.kind = REQUEST_CLEAR}, task);
}

/* ---- expansion ---- */

TEST(a_mapped_task_runs_once_for_each_of_its_values)
{
    struct world w;
    start(&w, fan);
    CHECK_STR(world_state(&w, "m"), "none");
    CHECK_STR(world_state(&w, "m[0]"), "(no row)");
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    world_expand(&w, "m", 3);
    CHECK_STR(world_state(&w, "m"), "removed");
    CHECK_INT(world_task(&w, "m")->reason, REASON_EXPANDED);
    CHECK_STR(world_task(&w, "m")->reason_text, "expanded into 3 instances");
    CHECK_INT(w.under_way.count, 3);
    CHECK_STR(world_attempt(&w, "m[2]")->mapped, "{\"n\": 2}");
    CHECK_STR(world_task(&w, "m[1]")->mapped, "{\"n\": 1}");
    CHECK_INT(scheduler_count(w.s).instances, 6);
    world_end_task(&w, "m[1]", OUTCOME_SUCCESS);
    world_end_task(&w, "m[0]", OUTCOME_SUCCESS);
    CHECK(!world_attempt(&w, "z"));
    world_end_task(&w, "m[2]", OUTCOME_SUCCESS);
    world_end_task(&w, "z", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_INT(scheduler_count(w.s).instances, 0);
    world_done(&w);
}

TEST(over_nothing_it_is_skipped)
{
    struct world w;
    start_fan(&w, fan, 0);
    CHECK_STR(world_state(&w, "m"), "skipped");
    CHECK_STR(world_task(&w, "m")->reason_text, "skipped: there is nothing to map over");
    CHECK_STR(world_state(&w, "z"), "skipped");
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(an_expansion_is_retried_as_any_attempt)
{
    struct world w;
    start(&w, fan);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    world_end_task(&w, "m", OUTCOME_FAILED);
    CHECK_STR(world_state(&w, "m"), "up_for_retry");
    world_advance(&w, US_PER_MINUTE);
    world_end_task(&w, "m", OUTCOME_FAILED);
    CHECK_STR(world_state(&w, "m"), "failed");
    CHECK_STR(world_state(&w, "z"), "upstream_failed");
    CHECK_STR(world_run_state(&w), "failed");
    world_done(&w);
}

TEST(more_instances_than_allowed_fail_it)
{
    struct world w;
    start(&w, "m: {sql: db, expand: 1}\n");
    world_expand(&w, "m", MAPPED_MAX + 1);
    CHECK_STR(world_state(&w, "m"), "failed");
    CHECK(strstr(world_task(&w, "m")->reason_text, "at most 1024") != NULL);
    world_done(&w);
    start(&w, "m: {sql: db, expand: 1}\n");
    world_expand(&w, "m", MAPPED_MAX);
    CHECK_STR(world_state(&w, "m"), "removed");
    CHECK_INT(w.under_way.count, 16);
    world_done(&w);
}

TEST(an_empty_task_is_expanded_too)
{
    struct world w;
    start(&w, "m: {empty: {}, expand: 1}\nz: {sql: db, depends_on: [m]}\n");
    world_expand(&w, "m", 2);
    CHECK_STR(world_state(&w, "m[0]"), "success");
    CHECK_STR(world_state(&w, "m[1]"), "success");
    CHECK(world_attempt(&w, "z") != NULL);
    world_done(&w);
}

TEST(a_mapped_task_after_a_mapped_task_waits_for_all_its_indexes)
{
    struct world w;
    start(&w, "m: {sql: db, expand: 1}\nn: {sql: db, expand: 1, depends_on: [m]}\n");
    world_expand(&w, "m", 2);
    world_end_task(&w, "m[0]", OUTCOME_SUCCESS);
    CHECK(!world_attempt(&w, "n"));
    world_end_task(&w, "m[1]", OUTCOME_SUCCESS);
    world_expand(&w, "n", 2);
    world_end_task(&w, "n[0]", OUTCOME_SUCCESS);
    world_end_task(&w, "n[1]", OUTCOME_FAILED);
    CHECK_STR(world_run_state(&w), "failed");
    CHECK_STR(world_last_run(&w)->reason_text, "`n[1]` failed");
    world_done(&w);
}

/* ---- what follows ---- */

static const struct {
    const char *rule;
    enum attempt_outcome ends[3];
    const char *state; /* of what follows: "run" when it runs */
} rules[] = {
    {"all_success", {OUTCOME_SUCCESS, OUTCOME_SUCCESS, OUTCOME_SUCCESS}, "run"},
    {"all_success", {OUTCOME_SUCCESS, OUTCOME_FAILED, OUTCOME_SUCCESS}, "upstream_failed"},
    {"all_success", {OUTCOME_SUCCESS, OUTCOME_SKIPPED, OUTCOME_SUCCESS}, "skipped"},
    {"all_done", {OUTCOME_FAILED, OUTCOME_SKIPPED, OUTCOME_SUCCESS}, "run"},
    {"one_failed", {OUTCOME_SUCCESS, OUTCOME_SUCCESS, OUTCOME_FAILED}, "run"},
    {"one_failed", {OUTCOME_SUCCESS, OUTCOME_SUCCESS, OUTCOME_SUCCESS}, "skipped"},
    {"one_success", {OUTCOME_FAILED, OUTCOME_FAILED, OUTCOME_SUCCESS}, "run"},
    {"all_failed", {OUTCOME_FAILED, OUTCOME_FAILED, OUTCOME_FAILED}, "run"},
    {"none_failed_min_one_success", {OUTCOME_SKIPPED, OUTCOME_SKIPPED, OUTCOME_SUCCESS}, "run"},
};

TEST(every_index_counts_for_the_trigger_rules_of_what_follows)
{
    for (size_t n = 0; n < ARRAY_SIZE(rules); n++) {
        struct world w;
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        start_fan(&w,
            arena_printf(arena,
                "m: {sql: db, expand: 1}\nz: {sql: db, depends_on: [m], trigger_rule: %s}\n",
                rules[n].rule),
            3);
        for (int k = 0; k < 3; k++) {
            bool early = world_attempt(&w, "z") != NULL;
            CHECK(!early || str_starts(rules[n].rule, "one_"));
            world_end_task(&w, arena_printf(arena, "m[%d]", k), rules[n].ends[k]);
        }
        CHECK_STR(world_attempt(&w, "z") ? "run" : world_state(&w, "z"), rules[n].state);
        world_done(&w);
    }
}

TEST(a_mapped_setup_must_succeed_at_every_index)
{
    struct world w;
    start(&w, "s: {sql: db, setup: true, expand: 1}\nx: {sql: db, depends_on: [s]}\n"
              "y: {sql: db, depends_on: [x], trigger_rule: all_done}\n"
              "t: {sql: db, teardown: true, depends_on: [y, s]}\n");
    world_expand(&w, "s", 2);
    world_end_task(&w, "s[0]", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "x"), "none");
    world_end_task(&w, "s[1]", OUTCOME_FAILED);
    CHECK_STR(world_state(&w, "x"), "upstream_failed");
    CHECK_STR(world_state(&w, "y"), "upstream_failed");
    CHECK(world_attempt(&w, "t") != NULL);
    world_done(&w);
}

TEST(max_active_tis_per_dagrun_binds)
{
    struct world w;
    start_fan(&w, "m: {sql: db, expand: 1, max_active_tis_per_dagrun: 2}\nb: {sql: db}\n", 5);
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-02")) == OK);
    world_expand(&w, "m", 5); /* another run has a count of its own */
    CHECK_INT(w.under_way.count, 2 * 3);
    for (int n = 0; n < 100 && w.under_way.count; n++) {
        int per_run[3] = {0};
        vec_each (a, &w.under_way)
            if (a->task_id[0] == 'm')
                per_run[a->run.v]++;
        CHECK(per_run[1] <= 2 && per_run[2] <= 2);
        world_end(&w, &w.under_way.at[0],
            &(struct attempt_result){.outcome = OUTCOME_SUCCESS, .exit_code = -1});
    }
    CHECK_INT(world_count_runs(&w, "d", 1u << RUN_SUCCESS), 2);
    world_done(&w);
}

TEST(depends_on_past_looks_at_every_index_of_the_run_before)
{
    struct world w;
    start_fan(&w, "m: {sql: db, expand: 1, depends_on_past: true}\n", 2);
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-02")) == OK);
    world_end_task(&w, "m[0]", OUTCOME_SUCCESS);
    CHECK(!world_attempt(&w, "m"));
    world_end_task(&w, "m[1]", OUTCOME_FAILED);
    CHECK(!world_attempt(&w, "m"));
    world_crash(&w);
    CHECK(!world_attempt(&w, "m"));
    const struct run_record *first = world_run_at(&w, "d", time_of("2030-01-01"));
    world_load_run(&w, first);
    struct run_id id = first->id;
    const char *task = "m[1]";
    CHECK_INT(world_request(&w, &(struct request){.kind = REQUEST_MARK,
                                    .dag_id = "d",
                                    .runs = &id,
                                    .run_count = 1,
                                    .tasks = &task,
                                    .task_count = 1,
                                    .mark_state = TASK_SUCCESS}),
        OK);
    world_expand(&w, "m", 1);
    CHECK(world_attempt(&w, "m[0]") != NULL);
    world_done(&w);
}

/* ---- requests ---- */

TEST(one_index_is_cleared_alone)
{
    struct world w;
    start_fan(&w, fan, 2);
    world_end_task(&w, "m[0]", OUTCOME_SUCCESS);
    world_end_task(&w, "m[1]", OUTCOME_SUCCESS);
    world_end_task(&w, "z", OUTCOME_SUCCESS);
    CHECK_INT(clear(&w, "m[1]"), OK);
    CHECK(strstr(w.reply.outcome, "\"m[1]\"") != NULL);
    CHECK_INT(w.under_way.count, 1);
    struct attempt_under_way *a = world_attempt(&w, "m[1]");
    REQUIRE(a != NULL);
    CHECK_STR(a->mapped, "{\"n\": 1}");
    CHECK(a->generation != 0);
    CHECK_INT(a->number, 2);
    CHECK_STR(world_state(&w, "m[0]"), "success");
    CHECK_STR(world_state(&w, "z"), "success");
    world_end_task(&w, "m[1]", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(an_index_that_is_not_there_is_refused)
{
    struct world w;
    start_fan(&w, fan, 2);
    CHECK_INT(clear(&w, "m[2]"), ERR_NO_TASK_MATCHES);
    CHECK(strstr(w.reply.outcome, "has no index 2") != NULL);
    CHECK(strstr(w.reply.outcome, "it has 0 to 1") != NULL);
    CHECK_INT(clear(&w, "a[0]"), ERR_NO_TASK_MATCHES);
    CHECK(strstr(w.reply.outcome, "it was not expanded") != NULL);
    CHECK_INT(clear(&w, "m[5000]"), ERR_NO_TASK_MATCHES);
    CHECK_INT(clear(&w, "q[0]"), ERR_NO_TASK_MATCHES);
    world_done(&w);
}

TEST(a_cleared_task_is_expanded_anew_and_indexes_that_it_lacks_are_removed)
{
    struct world w;
    start_fan(&w, fan, 3);
    for (int n = 0; n < 3; n++)
        world_end(&w, &w.under_way.at[0],
            &(struct attempt_result){.outcome = OUTCOME_SUCCESS, .exit_code = -1});
    world_end_task(&w, "z", OUTCOME_SUCCESS);
    CHECK_INT(clear(&w, "m+"), OK);
    CHECK_STR(world_state(&w, "m[0]"), "none");
    CHECK(!world_attempt(&w, "m[0]"));
    world_expand(&w, "m", 2);
    CHECK_STR(world_state(&w, "m[2]"), "removed");
    CHECK_INT(world_task(&w, "m[2]")->reason, REASON_REMOVED_INDEX);
    CHECK(world_attempt(&w, "m[1]")->generation != 0);
    CHECK(!world_attempt(&w, "z"));
    world_end_task(&w, "m[0]", OUTCOME_SUCCESS);
    world_end_task(&w, "m[1]", OUTCOME_SUCCESS);
    world_end_task(&w, "z", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_INT(clear(&w, "m"), OK);
    world_expand(&w, "m", 4);
    CHECK(world_attempt(&w, "m[2]") != NULL);
    CHECK(world_attempt(&w, "m[2]")->generation != 0);
    CHECK_INT(world_attempt(&w, "m[2]")->number, 2);
    CHECK_INT(world_attempt(&w, "m[3]")->generation, 0);
    world_done(&w);
}

TEST(an_index_that_may_still_commit_is_voided_before_it_is_removed)
{
    struct world w;
    start_fan(&w, fan, 2);
    world_end_task(&w, "m[0]", OUTCOME_SUCCESS);
    world_end(&w, world_attempt(&w, "m[1]"),
        &(struct attempt_result){.outcome = OUTCOME_FAILED, .may_commit = true, .exit_code = -1});
    int64_t before = world_task(&w, "m[1]")->generation;
    CHECK_INT(clear(&w, "m"), OK);
    world_expand(&w, "m", 1);
    world_end_task(&w, "m[0]", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "m[1]"), "none");
    CHECK(!world_attempt(&w, "z"));
    world_crash(&w);
    REQUIRE(world_void(&w, "m[1]") != NULL);
    CHECK_INT(world_void(&w, "m[1]")->generation, before);
    CHECK(!world_attempt(&w, "z"));
    world_end_void(&w, "m[1]", VOID_INSERTED);
    CHECK_STR(world_state(&w, "m[1]"), "removed");
    CHECK(world_attempt(&w, "z") != NULL);
    world_done(&w);
}

TEST(an_index_without_a_value_is_only_removed_whatever_is_asked_of_it)
{
    struct world w;
    start_fan(&w, fan, 2);
    world_end_task(&w, "m[0]", OUTCOME_SUCCESS);
    world_end(&w, world_attempt(&w, "m[1]"),
        &(struct attempt_result){.outcome = OUTCOME_FAILED, .may_commit = true, .exit_code = -1});
    CHECK_INT(clear(&w, "m"), OK);
    world_expand(&w, "m", 1);
    CHECK_INT(clear(&w, "m[1]"), ERR_WRONG_STATE);
    CHECK_INT(
        ask(&w, (struct request){.kind = REQUEST_MARK, .mark_state = TASK_SUCCESS}, "m[1]"), OK);
    CHECK_STR(world_state(&w, "m[1]"), "none");
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CANCEL, .force = true}, "m[1]"), OK);
    world_crash(&w);
    world_end_void(&w, "m[1]", VOID_INSERTED);
    CHECK_STR(world_state(&w, "m[1]"), "removed");
    world_done(&w);
}

TEST(a_cancelled_task_whose_next_generation_waited_for_a_void_does_not_begin_after_a_crash)
{
    struct world w;
    start(&w, "a: {sql: db, retries: 1}\n");
    world_end(&w, world_attempt(&w, "a"),
        &(struct attempt_result){.outcome = OUTCOME_FAILED, .may_commit = true, .exit_code = -1});
    CHECK_INT(clear(&w, "a"), OK);
    CHECK_STR(world_state(&w, "a"), "none");
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CANCEL}, NULL), OK);
    world_crash(&w);
    world_end_void(&w, "a", VOID_INSERTED);
    CHECK(world_attempt(&w, "a") == NULL);
    CHECK_STR(world_state(&w, "a"), "skipped");
    CHECK_STR(world_run_state(&w), "failed");
    world_done(&w);
}

TEST(a_run_ends_when_an_index_that_was_marked_is_voided_and_removed)
{
    struct world w;
    start_fan(&w, fan, 2);
    world_end_task(&w, "m[0]", OUTCOME_SUCCESS);
    world_end(&w, world_attempt(&w, "m[1]"),
        &(struct attempt_result){.outcome = OUTCOME_FAILED, .may_commit = true, .exit_code = -1});
    CHECK_INT(
        ask(&w, (struct request){.kind = REQUEST_MARK, .mark_state = TASK_SUCCESS}, "m[1]"), OK);
    CHECK_INT(clear(&w, "m"), OK);
    CHECK_INT(
        ask(&w, (struct request){.kind = REQUEST_MARK, .mark_state = TASK_SUCCESS}, "m[1]"), OK);
    world_end_task(&w, "z", OUTCOME_CANCELLED);
    CHECK_INT(
        ask(&w, (struct request){.kind = REQUEST_MARK, .mark_state = TASK_SUCCESS}, NULL), OK);
    world_end_task(&w, "m", OUTCOME_CANCELLED);
    CHECK_STR(world_state(&w, "m[1]"), "success");
    CHECK_STR(world_run_state(&w), "running");
    world_crash(&w);
    CHECK_STR(world_run_state(&w), "running");
    REQUIRE(world_void(&w, "m[1]") != NULL);
    world_end_void(&w, "m[1]", VOID_INSERTED);
    CHECK_STR(world_state(&w, "m[1]"), "removed");
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(a_running_index_that_a_new_expansion_lacks_is_stopped_first)
{
    struct world w;
    start_fan(&w, fan, 2);
    world_started(&w, world_attempt(&w, "m[1]"));
    CHECK_INT(clear(&w, "m"), OK);
    CHECK_STR(world_state(&w, "m[1]"), "restarting");
    CHECK(world_attempt(&w, "m[1]")->cancelled);
    world_expand(&w, "m", 0);
    CHECK_STR(world_state(&w, "m"), "skipped");
    CHECK_STR(world_state(&w, "m[1]"), "restarting");
    CHECK_STR(world_run_state(&w), "running");
    world_crash(&w);
    world_end_task(&w, "m[0]", OUTCOME_CANCELLED);
    world_end_task(&w, "m[1]", OUTCOME_CANCELLED);
    CHECK_STR(world_state(&w, "m[0]"), "removed");
    CHECK_STR(world_state(&w, "m[1]"), "removed");
    CHECK_STR(world_state(&w, "z"), "skipped");
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(clear_of_what_failed_takes_only_the_failed_indexes)
{
    struct world w;
    start_fan(&w, "m: {sql: db, expand: 1}\nz: {sql: db, depends_on: [m]}\n", 3);
    world_end_task(&w, "m[0]", OUTCOME_SUCCESS);
    world_end_task(&w, "m[1]", OUTCOME_FAILED);
    world_end_task(&w, "m[2]", OUTCOME_FAILED);
    CHECK_STR(world_state(&w, "z"), "upstream_failed");
    CHECK_INT(
        ask(&w, (struct request){.kind = REQUEST_CLEAR, .only_failed = true, .downstream = true},
            NULL),
        OK);
    CHECK(!world_attempt(&w, "m"));
    CHECK(!world_attempt(&w, "m[0]"));
    CHECK(strstr(w.reply.outcome, "\"m[1]\", \"m[2]\", \"z\"") != NULL ||
          strstr(w.reply.outcome, "\"m[1]\",\"m[2]\",\"z\"") != NULL);
    world_end_task(&w, "m[1]", OUTCOME_SUCCESS);
    world_end_task(&w, "m[2]", OUTCOME_SUCCESS);
    world_end_task(&w, "z", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(indexes_are_marked_and_cancelled)
{
    struct world w;
    start_fan(&w, fan, 3);
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CANCEL}, "m[0]"), OK);
    CHECK(world_attempt(&w, "m[0]")->cancelled);
    CHECK(!world_attempt(&w, "m[1]")->cancelled);
    world_end_task(&w, "m[0]", OUTCOME_CANCELLED);
    CHECK_STR(world_state(&w, "m[0]"), "failed");
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_MARK, .mark_state = TASK_SUCCESS}, "m"), OK);
    CHECK_STR(world_state(&w, "m[0]"), "success");
    world_end_task(&w, "m[1]", OUTCOME_CANCELLED);
    world_end_task(&w, "m[2]", OUTCOME_CANCELLED);
    CHECK_STR(world_state(&w, "m[2]"), "success");
    CHECK_STR(world_state(&w, "m"), "removed");
    CHECK(world_attempt(&w, "z") != NULL);
    world_done(&w);
}

TEST(a_cancelled_run_ends_its_indexes)
{
    struct world w;
    start_fan(&w, "m: {sql: db, expand: 1, max_active_tis_per_dagrun: 1}\n", 3);
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CANCEL}, NULL), OK);
    CHECK_STR(world_state(&w, "m[2]"), "skipped");
    world_end_task(&w, "m[0]", OUTCOME_CANCELLED);
    CHECK_STR(world_state(&w, "m[0]"), "failed");
    CHECK_STR(world_run_state(&w), "failed");
    world_done(&w);
}

/* ---- versions and crashes ---- */

TEST(a_cleared_run_takes_a_version_without_the_task_and_one_that_has_it_again)
{
    struct world w;
    start_fan(&w, fan, 2);
    world_end_task(&w, "m[0]", OUTCOME_SUCCESS);
    world_end_task(&w, "m[1]", OUTCOME_SUCCESS);
    world_end_task(&w, "z", OUTCOME_SUCCESS);
    world_adopt(&w, dag_build("d", "a: {sql: db}\nz: {sql: db, depends_on: [a]}\n"));
    CHECK_INT(clear(&w, "z"), OK);
    CHECK_STR(world_state(&w, "m[1]"), "removed");
    world_end_task(&w, "z", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    world_adopt(&w, dag_build("d", fan));
    CHECK_INT(clear(&w, "z"), OK);
    world_crash(&w);
    world_expand(&w, "m", 3);
    CHECK_INT(world_attempt(&w, "m[1]")->number, 2);
    CHECK(world_attempt(&w, "m[1]")->generation != 0);
    CHECK_INT(world_attempt(&w, "m[2]")->number, 1);
    for (int n = 0; n < 10 && w.under_way.count; n++)
        world_end(&w, &w.under_way.at[0],
            &(struct attempt_result){.outcome = OUTCOME_SUCCESS, .exit_code = -1});
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(a_task_that_is_no_longer_mapped_loses_its_indexes_when_it_is_cleared)
{
    struct world w;
    start_fan(&w, fan, 2);
    world_end_task(&w, "m[0]", OUTCOME_SUCCESS);
    world_end_task(&w, "m[1]", OUTCOME_FAILED);
    world_advance(&w, US_PER_MINUTE);
    world_adopt(&w, dag_build("d", "a: {sql: db}\nm: {sql: db, depends_on: [a]}\n"));
    world_end_task(&w, "m[1]", OUTCOME_FAILED);
    CHECK_INT(clear(&w, "m"), OK);
    world_end_task(&w, "m", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "m"), "success");
    CHECK_STR(world_state(&w, "m[0]"), "removed");
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

/* A crash after every event ends as without. */
TEST(a_crash_at_any_step_changes_nothing)
{
    struct world w;
    start(&w, fan);
    world_crash(&w);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    world_crash(&w);
    world_expand(&w, "m", 3);
    world_crash(&w);
    CHECK_INT(w.under_way.count, 3);
    CHECK_INT(scheduler_count(w.s).instances, 6);
    world_started(&w, world_attempt(&w, "m[0]"));
    world_crash(&w);
    world_end_task(&w, "m[1]", OUTCOME_FAILED);
    world_crash(&w);
    CHECK_STR(world_state(&w, "m[1]"), "up_for_retry");
    world_end_task(&w, "m[0]", OUTCOME_SUCCESS);
    world_crash(&w);
    world_end_task(&w, "m[2]", OUTCOME_INTERRUPTED);
    world_crash(&w);
    world_advance(&w, US_PER_MINUTE);
    CHECK_STR(world_attempt(&w, "m[1]")->mapped, "{\"n\": 1}");
    CHECK_STR(world_attempt(&w, "m[2]")->mapped, "{\"n\": 2}");
    world_end_task(&w, "m[1]", OUTCOME_SUCCESS);
    world_crash(&w);
    CHECK(!world_attempt(&w, "z"));
    world_end_task(&w, "m[2]", OUTCOME_SUCCESS);
    world_crash(&w);
    world_end_task(&w, "z", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(an_interrupted_expansion_is_done_again)
{
    struct world w;
    start(&w, "m: {sql: db, expand: 1}\n");
    world_started(&w, world_attempt(&w, "m"));
    world_crash(&w);
    world_end_task(&w, "m", OUTCOME_INTERRUPTED);
    world_expand(&w, "m", 1);
    world_end_task(&w, "m[0]", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

/* ---- looking ---- */

static size_t waiting_indexes;
static void count_waiting(void *context, const struct queue_item *item)
{
    (void)context;
    waiting_indexes += item->map_index >= 0 && item->reason == REASON_WAITING_TASK_CAP;
}

TEST(the_queue_names_indexes)
{
    struct world w;
    start_fan(&w, "m: {sql: db, expand: 1, max_active_tis_per_dagrun: 1}\n", 4);
    scheduler_queue(w.s, count_waiting, NULL);
    CHECK_INT(waiting_indexes, 3);
    world_done(&w);
}

/* A run may go on with a version that lacks the task (its own is not kept any more): its rows stay
   as they were until a later version brings the task back. */
/* The version that the run had is not known any more. */
static void restart_into(struct world *w, const struct dag *version)
{
    dag_unref((struct dag *)(uintptr_t)w->versions.at[0]);
    vec_clear(&w->versions);
    vec_push(&w->versions, version);
    world_crash(w);
}

TEST(indexes_of_a_task_that_comes_back_are_removed_until_it_is_expanded)
{
    struct world w;
    start_fan(&w, fan, 3);
    for (int n = 0; n < 3; n++)
        world_end_task(&w, (const char *[]){"m[0]", "m[1]", "m[2]"}[n], OUTCOME_SUCCESS);
    world_end_task(&w, "z", OUTCOME_FAILED);
    struct dag *without = dag_build("d", "a: {sql: db}\nz: {sql: db, depends_on: [a]}\n");
    world_adopt(&w, without);
    ((struct run_record *)(uintptr_t)world_last_run(&w))->version = without->version;
    REQUIRE(clear(&w, "z") == OK);
    world_end_task(&w, "z", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "m[2]"), "success");
    world_adopt(&w, dag_build("d", fan));
    REQUIRE(clear(&w, NULL) == OK);
    CHECK_STR(world_state(&w, "m[2]"), "removed");
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    world_expand(&w, "m", 1);
    world_end_task(&w, "m[0]", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "m[0]"), "success");
    CHECK_STR(world_state(&w, "m[1]"), "removed");
    world_end_task(&w, "z", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(an_index_that_comes_back_and_may_still_commit_is_voided_before_its_task_ends)
{
    struct world w;
    start_fan(&w, fan, 2);
    world_end_task(&w, "m[0]", OUTCOME_SUCCESS);
    world_end(&w, world_attempt(&w, "m[1]"),
        &(struct attempt_result){.outcome = OUTCOME_FAILED, .may_commit = true, .exit_code = -1});
    restart_into(&w, dag_build("d", "a: {sql: db}\nz: {sql: db, depends_on: [a]}\n"));
    world_end_task(&w, "z", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_INT(world_task(&w, "m[1]")->reason, REASON_REMOVED_TASK);
    world_adopt(&w, dag_build("d", fan));
    REQUIRE(clear(&w, NULL) == OK);
    CHECK_INT(world_task(&w, "m[1]")->reason, REASON_REMOVED_TASK); /* not for good yet */
    CHECK_INT(ask(&w, (struct request){.kind = REQUEST_CANCEL}, NULL), OK);
    world_end_task(&w, "a", OUTCOME_CANCELLED);
    CHECK_STR(world_run_state(&w), "running");
    world_crash(&w);
    REQUIRE(world_void(&w, "m[1]") != NULL);
    CHECK_INT(world_void(&w, "m[1]")->generation, 0);
    world_end_void(&w, "m[1]", VOID_COMMITTED);
    CHECK_STR(world_state(&w, "m[1]"), "removed");
    CHECK_INT(world_task(&w, "m[1]")->reason, REASON_REMOVED_INDEX);
    CHECK_STR(world_run_state(&w), "failed");
    world_done(&w);
}

TEST(an_index_that_comes_back_and_was_running_when_its_task_left_is_voided_too)
{
    struct world w;
    start_fan(&w, fan, 2);
    world_end_task(&w, "m[0]", OUTCOME_SUCCESS);
    world_started(&w, world_attempt(&w, "m[1]"));
    restart_into(&w, dag_build("d", "a: {sql: db}\nz: {sql: db, depends_on: [a]}\n"));
    world_end_task(&w, "z", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    CHECK(world_task(&w, "m[1]")->unsettled);
    world_adopt(&w, dag_build("d", fan));
    REQUIRE(clear(&w, NULL) == OK);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    world_expand(&w, "m", 1);
    REQUIRE(world_void(&w, "m[1]") != NULL);
    CHECK_INT(world_void(&w, "m[1]")->generation, 0);
    world_end_void(&w, "m[1]", VOID_INSERTED);
    CHECK_INT(world_task(&w, "m[1]")->reason, REASON_REMOVED_INDEX);
    world_done(&w);
}
