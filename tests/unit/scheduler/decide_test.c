/* Branches, short circuits and latest_only: whom they skip, for how long, and why. */
#include "tests/unit/scheduler/world.h"

static void start(struct world *w, const char *text)
{
    world_init(w, NULL);
    world_adopt(w, dag_build("d", text));
    REQUIRE(world_trigger(w, "d", time_of("2030-01-01")) == OK);
}

/* The task under way succeeds with that decision; NULL: all goes on. */
static void decide(struct world *w, const char *task_id, const char *decision)
{
    struct attempt_under_way *a = world_attempt(w, task_id);
    REQUIRE(a != NULL);
    world_end(w, a,
        &(struct attempt_result){
            .outcome = OUTCOME_SUCCESS, .exit_code = -1, .decision = decision});
}

static void check_skipped(struct world *w, const char *task_id, const char *why)
{
    CHECK_STR(world_state(w, task_id), "skipped");
    CHECK_INT(world_task(w, task_id)->reason, REASON_DECIDED);
    CHECK_STR(world_task(w, task_id)->reason_text, why);
}

static enum status ask(struct world *w, enum request_kind kind, const char *task,
    enum task_state mark, bool downstream)
{
    const struct run_record *run = world_last_run(w);
    struct run_id id = run->id;
    if (run_state_finished(run->state))
        world_load_run(w, run);
    return world_request(w, &(struct request){.kind = kind,
                                .dag_id = "d",
                                .runs = &id,
                                .run_count = 1,
                                .tasks = &task,
                                .task_count = 1,
                                .mark_state = mark,
                                .downstream = downstream});
}

static const char fan[] = "choose: {branch: 1}\n"
                          "a: {bash: 1, depends_on: [choose]}\n"
                          "b: {bash: 1, depends_on: [choose]}\n"
                          "c: {bash: 1, depends_on: [choose]}\n";

TEST(a_branch_skips_in_the_same_step_what_it_did_not_choose)
{
    struct world w;
    start(&w, fan);
    decide(&w, "choose", "[\"b\"]");
    CHECK_STR(world_task(&w, "choose")->decision, "[\"b\"]");
    check_skipped(&w, "a", "skipped: `choose` chose `b`");
    check_skipped(&w, "c", "skipped: `choose` chose `b`");
    CHECK_STR(world_state(&w, "b"), "queued");
    world_end_task(&w, "b", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(several_can_be_chosen_and_none)
{
    struct world w;
    start(&w, fan);
    decide(&w, "choose", "[\"a\",\"c\"]");
    check_skipped(&w, "b", "skipped: `choose` chose `a`, `c`");
    CHECK(world_attempt(&w, "a") && world_attempt(&w, "c"));
    world_done(&w);
    start(&w, fan);
    decide(&w, "choose", "[]");
    check_skipped(&w, "a", "skipped: `choose` chose nothing");
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
    start(&w, fan);
    decide(&w, "choose", NULL);
    CHECK(world_attempt(&w, "a") && world_attempt(&w, "b") && world_attempt(&w, "c"));
    world_done(&w);
}

/* choose ─▶ join, choose ─▶ a ─▶ join: what a chosen path leads to is not skipped. */
TEST(a_path_that_the_chosen_one_joins_again_goes_on)
{
    struct world w;
    start(&w, "choose: {branch: 1}\na: {bash: 1, depends_on: [choose]}\n"
              "b: {bash: 1, depends_on: [choose]}\n"
              "join: {bash: 1, depends_on: [choose, a, b],"
              " trigger_rule: none_failed_min_one_success}\n");
    decide(&w, "choose", "[\"a\"]");
    check_skipped(&w, "b", "skipped: `choose` chose `a`");
    CHECK_STR(world_state(&w, "join"), "none");
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "join"), "queued");
    world_done(&w);
}

TEST(what_follows_a_skipped_one_is_up_to_its_rule)
{
    struct world w;
    start(&w, "choose: {branch: 1}\na: {bash: 1, depends_on: [choose]}\n"
              "b: {bash: 1, depends_on: [choose]}\n"
              "after_b: {bash: 1, depends_on: [b]}\n"
              "any: {bash: 1, depends_on: [a, b], trigger_rule: none_failed}\n");
    decide(&w, "choose", "[\"a\"]");
    CHECK_STR(world_state(&w, "after_b"), "skipped");
    CHECK_STR(world_task(&w, "after_b")->reason_text, "skipped: `b` was skipped");
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "any"), "queued");
    world_done(&w);
}

static const char circuit[] = "check: {short_circuit: 1}\n"
                              "a: {bash: 1, depends_on: [check]}\n"
                              "last: {bash: 1, depends_on: [a], trigger_rule: all_done}\n"
                              "other: {bash: 1}\n";

TEST(a_short_circuit_skips_all_that_follows_whatever_its_rule)
{
    struct world w;
    start(&w, circuit);
    decide(&w, "check", "[]");
    check_skipped(&w, "a", "skipped: the condition of `check` was not met");
    check_skipped(&w, "last", "skipped: the condition of `check` was not met");
    CHECK_STR(world_state(&w, "other"), "queued");
    world_done(&w);
    start(&w, circuit);
    decide(&w, "check", NULL);
    CHECK_STR(world_state(&w, "a"), "queued");
    world_done(&w);
}

TEST(one_that_leaves_trigger_rules_alone_skips_only_what_follows_directly)
{
    struct world w;
    start(&w, "check: {short_circuit: direct}\na: {bash: 1, depends_on: [check]}\n"
              "last: {bash: 1, depends_on: [a], trigger_rule: all_done}\n"
              "next: {bash: 1, depends_on: [a]}\n");
    decide(&w, "check", "[]");
    check_skipped(&w, "a", "skipped: the condition of `check` was not met");
    CHECK_STR(world_state(&w, "last"), "queued");
    CHECK_STR(world_task(&w, "next")->reason_text, "skipped: `a` was skipped");
    world_done(&w);
}

TEST(teardowns_run_whatever_was_decided)
{
    struct world w;
    start(&w, "make: {bash: 1, setup: true}\ncheck: {short_circuit: 1, depends_on: [make]}\n"
              "work: {bash: 1, depends_on: [check]}\n"
              "drop: {bash: 1, depends_on: [make, work], teardown: true}\n");
    world_end_task(&w, "make", OUTCOME_SUCCESS);
    decide(&w, "check", "[]");
    CHECK_STR(world_state(&w, "work"), "skipped");
    CHECK_STR(world_state(&w, "drop"), "queued");
    world_done(&w);
}

/* A rule that is met at once must not outrun a decision, or the order would matter. */
TEST(who_may_be_skipped_waits_for_the_decision)
{
    static const char text[] = "choose: {branch: 1}\nx: {bash: 1}\n"
                               "a: {bash: 1, depends_on: [choose, x], trigger_rule: one_success}\n"
                               "b: {bash: 1, depends_on: [choose, x], trigger_rule: always}\n"
                               "c: {bash: 1, depends_on: [choose]}\n";
    struct world w;
    start(&w, text);
    CHECK_STR(world_state(&w, "b"), "none");
    world_end_task(&w, "x", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "a"), "none");
    decide(&w, "choose", "[\"c\"]");
    check_skipped(&w, "a", "skipped: `choose` chose `c`");
    check_skipped(&w, "b", "skipped: `choose` chose `c`");
    world_done(&w);
    start(&w, text);
    decide(&w, "choose", "[\"c\"]");
    world_end_task(&w, "x", OUTCOME_SUCCESS);
    check_skipped(&w, "a", "skipped: `choose` chose `c`");
    check_skipped(&w, "b", "skipped: `choose` chose `c`");
    world_done(&w);
}

TEST(a_decision_wins_over_a_failure_whoever_comes_first)
{
    static const char text[] = "choose: {branch: 1}\nx: {bash: 1}\n"
                               "a: {bash: 1, depends_on: [choose, x]}\n"
                               "b: {bash: 1, depends_on: [choose]}\n";
    for (int first = 0; first < 2; first++) {
        struct world w;
        start(&w, text);
        if (first == 0)
            world_end_task(&w, "x", OUTCOME_FAILED);
        decide(&w, "choose", "[\"b\"]");
        if (first == 1)
            world_end_task(&w, "x", OUTCOME_FAILED);
        check_skipped(&w, "a", "skipped: `choose` chose `b`");
        world_done(&w);
    }
}

TEST(a_decider_that_failed_or_was_skipped_decides_nothing)
{
    struct world w;
    start(&w, fan);
    world_end_task(&w, "choose", OUTCOME_FAILED);
    CHECK_STR(world_state(&w, "a"), "upstream_failed");
    world_done(&w);
    start(&w, fan);
    world_end_task(&w, "choose", OUTCOME_SKIPPED);
    CHECK_STR(world_task(&w, "a")->reason_text, "skipped: `choose` was skipped");
    world_done(&w);
}

TEST(a_mapped_task_is_skipped_before_it_is_expanded_and_index_by_index_after)
{
    static const char text[] = "choose: {branch: 1}\n"
                               "m: {bash: 1, depends_on: [choose], expand: 1}\n"
                               "b: {bash: 1, depends_on: [choose]}\n";
    struct world w;
    start(&w, text);
    decide(&w, "choose", "[\"b\"]");
    check_skipped(&w, "m", "skipped: `choose` chose `b`");
    CHECK(world_attempt(&w, "m") == NULL);
    world_done(&w);
    start(&w, text);
    decide(&w, "choose", "[\"m\"]");
    world_expand(&w, "m", 2);
    world_end_task(&w, "m[0]", OUTCOME_SUCCESS);
    CHECK_INT(ask(&w, REQUEST_CLEAR, "choose", TASK_NONE, false), OK);
    decide(&w, "choose", "[\"b\"]");
    world_end_task(&w, "m[1]", OUTCOME_SUCCESS); /* it had begun */
    CHECK_STR(world_state(&w, "m[1]"), "success");
    CHECK_INT(ask(&w, REQUEST_CLEAR, "m[0]", TASK_NONE, false), OK);
    check_skipped(&w, "m[0]", "skipped: `choose` chose `b`");
    world_done(&w);
}

/* ---- clear and mark ---- */

TEST(a_skipped_task_that_is_cleared_is_skipped_again_until_the_decision_is_made_anew)
{
    struct world w;
    start(&w, fan);
    decide(&w, "choose", "[\"b\"]");
    world_end_task(&w, "b", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_INT(ask(&w, REQUEST_CLEAR, "a", TASK_NONE, false), OK);
    check_skipped(&w, "a", "skipped: `choose` chose `b`");
    CHECK_STR(world_run_state(&w), "success");
    CHECK_INT(ask(&w, REQUEST_CLEAR, "choose", TASK_NONE, true), OK);
    CHECK_STR(world_state(&w, "a"), "none");
    CHECK(world_task(&w, "choose")->decision == NULL);
    decide(&w, "choose", "[\"a\"]");
    CHECK_STR(world_state(&w, "a"), "queued");
    check_skipped(&w, "b", "skipped: `choose` chose `a`");
    world_done(&w);
}

TEST(what_had_ended_before_a_decision_was_made_anew_stays)
{
    struct world w;
    start(&w, fan);
    decide(&w, "choose", "[\"b\"]");
    world_end_task(&w, "b", OUTCOME_SUCCESS);
    CHECK_INT(ask(&w, REQUEST_CLEAR, "choose", TASK_NONE, false), OK);
    decide(&w, "choose", "[\"a\"]");
    CHECK_STR(world_state(&w, "b"), "success");
    check_skipped(&w, "a", "skipped: `choose` chose `b`");
    world_done(&w);
}

TEST(a_decider_marked_by_hand_decides_nothing)
{
    struct world w;
    start(&w, fan);
    CHECK_INT(ask(&w, REQUEST_MARK, "choose", TASK_SUCCESS, false), OK);
    struct attempt_under_way *a = world_attempt(&w, "choose");
    REQUIRE(a != NULL && a->cancelled);
    world_end(&w, a,
        &(struct attempt_result){
            .outcome = OUTCOME_SUCCESS, .exit_code = -1, .decision = "[\"b\"]"});
    CHECK(world_task(&w, "choose")->decision == NULL);
    CHECK(world_attempt(&w, "a") && world_attempt(&w, "b") && world_attempt(&w, "c"));
    world_done(&w);
    start(&w, fan);
    decide(&w, "choose", "[\"b\"]");
    CHECK_INT(ask(&w, REQUEST_MARK, "choose", TASK_FAILED, false), OK);
    CHECK(world_task(&w, "choose")->decision == NULL);
    world_done(&w);
}

TEST(a_skipped_task_can_be_marked_and_stays_so)
{
    struct world w;
    start(&w, fan);
    decide(&w, "choose", "[\"b\"]");
    CHECK_INT(ask(&w, REQUEST_MARK, "a", TASK_SUCCESS, false), OK);
    CHECK_STR(world_state(&w, "a"), "success");
    world_crash(&w);
    CHECK_STR(world_state(&w, "a"), "success");
    world_done(&w);
}

TEST(a_new_task_in_the_newest_version_is_skipped_when_it_was_not_chosen)
{
    struct world w;
    start(&w, fan);
    decide(&w, "choose", "[\"b\"]");
    world_end_task(&w, "b", OUTCOME_FAILED);
    world_adopt(&w, dag_build("d", "new: {bash: 1, depends_on: [choose]}\n"
                                   "choose: {branch: 1}\n"
                                   "b: {bash: 1, depends_on: [choose]}\n"
                                   "a: {bash: 1, depends_on: [choose]}\n"));
    CHECK_INT(ask(&w, REQUEST_CLEAR, "b", TASK_NONE, false), OK);
    check_skipped(&w, "new", "skipped: `choose` chose `b`");
    CHECK_STR(world_state(&w, "b"), "queued");
    world_done(&w);
}

/* ---- restarts ---- */

TEST(a_decision_outlives_a_restart)
{
    struct world w;
    start(&w, "choose: {branch: 1}\na: {bash: 1, depends_on: [choose]}\n"
              "slow: {bash: 1}\n"
              "b: {bash: 1, depends_on: [choose, slow]}\n"
              "check: {short_circuit: 1, depends_on: [a]}\n"
              "far: {bash: 1, depends_on: [check]}\n");
    decide(&w, "choose", "[\"a\"]");
    world_crash(&w);
    check_skipped(&w, "b", "skipped: `choose` chose `a`");
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    world_crash(&w);
    decide(&w, "check", "[]");
    world_crash(&w);
    CHECK_INT(ask(&w, REQUEST_CLEAR, "b", TASK_NONE, false), OK);
    check_skipped(&w, "b", "skipped: `choose` chose `a`");
    check_skipped(&w, "far", "skipped: the condition of `check` was not met");
    world_end_task(&w, "slow", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(a_retry_of_what_came_to_be_skipped_is_not_made)
{
    struct world w;
    start(&w, "choose: {branch: 1}\n"
              "a: {bash: 1, depends_on: [choose], retries: 1, retry_delay: 60}\n"
              "b: {bash: 1, depends_on: [choose]}\n");
    decide(&w, "choose", "[\"a\"]");
    world_end_task(&w, "a", OUTCOME_FAILED);
    CHECK_STR(world_state(&w, "a"), "up_for_retry");
    CHECK_INT(ask(&w, REQUEST_CLEAR, "choose", TASK_NONE, false), OK);
    decide(&w, "choose", "[\"b\"]");
    world_advance(&w, 2 * US_PER_MINUTE);
    check_skipped(&w, "a", "skipped: `choose` chose `b`");
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

/* ---- latest_only ---- */

static void start_daily(struct world *w)
{
    world_init(w, NULL);
    struct dag *dag = dag_build("d", "newest: {latest_only: 1}\n"
                                     "a: {bash: 1, depends_on: [newest]}\n"
                                     "b: {bash: 1, depends_on: [a], trigger_rule: all_done}\n");
    dag_set_schedule(dag, "@daily", "2029-12-01", NULL);
    world_adopt(w, dag);
}

static const char *state_at(struct world *w, const char *date, const char *task_id)
{
    const struct run_record *run = world_run_at(w, "d", time_of(date));
    REQUIRE(run != NULL);
    return task_state_name(world_task_of(w, run->id, task_id)->state);
}

TEST(latest_only_skips_what_follows_directly_unless_the_interval_is_the_newest)
{
    struct world w;
    start_daily(&w);
    /* the world's clock stands at 2030-01-01: the newest complete day is 2029-12-31 */
    CHECK_STR(state_at(&w, "2029-12-31", "newest"), "success");
    CHECK_STR(state_at(&w, "2029-12-31", "a"), "queued");
    CHECK_INT(world_request(&w, &(struct request){.kind = REQUEST_BACKFILL,
                                    .dag_id = "d",
                                    .backfill = {.from_us = time_of("2029-12-29"),
                                        .to_us = time_of("2029-12-30"),
                                        .only = "missing"}}),
        OK);
    CHECK_STR(state_at(&w, "2029-12-29", "newest"), "success");
    CHECK_STR(state_at(&w, "2029-12-29", "a"), "skipped");
    CHECK_STR(state_at(&w, "2029-12-30", "a"), "skipped");
    CHECK_STR(state_at(&w, "2029-12-30", "b"), "queued");
    const struct run_record *run = world_run_at(&w, "d", time_of("2029-12-30"));
    CHECK_STR(world_task_of(&w, run->id, "a")->reason_text,
        "skipped: this was not the newest interval at `newest`");
    CHECK_INT(w.starts, 3); /* a of the 31st, b of the others: latest_only needs no attempt */
    world_done(&w);
}

TEST(latest_only_lets_runs_by_hand_go_on)
{
    struct world w;
    start_daily(&w);
    CHECK_INT(world_trigger(&w, "d", time_of("2029-12-05")), OK);
    CHECK_STR(state_at(&w, "2029-12-05", "a"), "queued");
    world_done(&w);
}

TEST(latest_only_decides_when_it_runs_and_a_restart_does_not_change_it)
{
    struct world w;
    start_daily(&w);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    world_end_task(&w, "b", OUTCOME_SUCCESS);
    world_advance(&w, US_PER_DAY + US_PER_HOUR);
    CHECK_STR(state_at(&w, "2030-01-01", "a"), "queued");
    world_pass(&w, US_PER_DAY);
    world_crash(&w);
    CHECK_STR(state_at(&w, "2030-01-01", "a"), "queued");
    CHECK_STR(state_at(&w, "2030-01-02", "a"), "queued");
    world_done(&w);
}
