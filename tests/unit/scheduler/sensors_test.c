/* Sensors: looks that hold nothing while they wait, and what ends the waiting. */
#include "scheduler/retry.h"
#include "tests/unit/scheduler/world.h"

static void start(struct world *w, const char *tasks)
{
    world_init(w, NULL);
    world_adopt(w, dag_build("d", tasks));
    REQUIRE(world_trigger(w, "d", time_of("2030-01-01")) == OK);
}

static const struct attempt_record *attempt_row(struct world *w, const char *task_id)
{
    return map_get(w->attempts, world_task(w, task_id)->attempt.text);
}

static void not_yet(struct world *w, const char *task_id)
{
    struct attempt_under_way *a = world_attempt(w, task_id);
    REQUIRE(a != NULL);
    world_started(w, a);
    world_end(w, a,
        &(struct attempt_result){
            .outcome = OUTCOME_WAIT, .message = "nothing there", .exit_code = -1});
}

TEST(a_sensor_looks_again_as_the_same_attempt_and_holds_nothing_meanwhile)
{
    struct world w;
    start(&w, "a: {wait_for: f, poke_interval: 60, timeout: 3600}\n"
              "b: {bash: 1, depends_on: [a]}\n");
    struct attempt_id first = world_attempt(&w, "a")->id;
    for (int look = 1; look <= 3; look++) {
        CHECK_STR(world_attempt(&w, "a")->id.text, first.text);
        CHECK_INT(world_attempt(&w, "a")->try_number, 1);
        CHECK_INT(world_attempt(&w, "a")->number, 1);
        not_yet(&w, "a");
        CHECK_STR(world_state(&w, "a"), "up_for_reschedule");
        CHECK_INT(scheduler_count(w.s).active, 0);
        CHECK_INT(attempt_row(&w, "a")->state, ATTEMPT_RUNNING);
        world_advance(&w, 59 * US_PER_SECOND);
        CHECK(world_attempt(&w, "a") == NULL);
        world_advance(&w, US_PER_SECOND);
        REQUIRE(world_attempt(&w, "a") != NULL);
    }
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_state(&w, "a"), "success");
    CHECK_INT(map_count(w.attempts), 2); /* one of `a`, and `b`'s */
    CHECK_INT(attempt_row(&w, "a")->state, ATTEMPT_ENDED);
    CHECK_STR(attempt_row(&w, "a")->outcome, "success");
    CHECK_INT(
        attempt_row(&w, "a")->ended_us - attempt_row(&w, "a")->started_us, 180 * US_PER_SECOND);
    world_end_task(&w, "b", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    world_done(&w);
}

TEST(the_reason_says_since_when_it_waits_when_it_looks_again_and_what_it_saw)
{
    struct world w;
    start(&w, "a: {wait_for: f, poke_interval: 60, timeout: 3600}\n");
    not_yet(&w, "a");
    world_advance(&w, 60 * US_PER_SECOND);
    not_yet(&w, "a");
    CHECK_STR(world_task(&w, "a")->reason_text,
        "waiting since 2030-01-01T00:00:00+00:00, next look at 2030-01-01T00:02:00+00:00: "
        "nothing there");
    world_done(&w);
}

TEST(hundreds_of_waiting_sensors_leave_the_only_slot_to_others)
{
    struct world w;
    struct strbuf text = {0};
    for (int n = 0; n < 300; n++)
        strbuf_printf(&text, "s%03d: {wait_for: f, poke_interval: 3600, timeout: 90000}\n", n);
    strbuf_add_str(&text, "z: {bash: 1}\n");
    world_init(&w, NULL);
    scheduler_set_pool(w.s, "default_pool", 1);
    world_adopt(&w, dag_build("d", text.text));
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-01")) == OK);
    for (int n = 0; n < 300; n++) {
        CHECK_INT(w.under_way.count, 1);
        not_yet(&w, w.under_way.at[0].task_id);
    }
    CHECK_INT(scheduler_count(w.s).active, 1);
    world_end_task(&w, "z", OUTCOME_SUCCESS);
    CHECK_INT(scheduler_count(w.s).active, 0);
    strbuf_done(&text);
    world_done(&w);
}

TEST(the_timeout_counts_from_the_first_look_and_ends_with_a_last_one)
{
    struct world w;
    start(&w, "a: {wait_for: f, poke_interval: 60, timeout: 90, retries: 3}\n"
              "b: {bash: 1, depends_on: [a]}\n");
    not_yet(&w, "a");
    world_advance(&w, 60 * US_PER_SECOND);
    not_yet(&w, "a");
    world_advance(&w, 29 * US_PER_SECOND);
    CHECK(world_attempt(&w, "a") == NULL);
    world_advance(&w, US_PER_SECOND);
    not_yet(&w, "a");
    CHECK_STR(world_state(&w, "a"), "failed");
    CHECK_INT(world_task(&w, "a")->reason, REASON_WAITED_TOO_LONG);
    CHECK_STR(world_task(&w, "a")->reason_text, "waited for 1m 30s, its timeout: nothing there");
    CHECK_STR(attempt_row(&w, "a")->outcome, "failed");
    CHECK_STR(world_state(&w, "b"), "upstream_failed");
    world_done(&w);
}

TEST(a_retry_does_not_begin_the_timeout_anew)
{
    struct world w;
    start(&w, "a: {wait_for: f, poke_interval: 60, timeout: 90, retries: 3, retry_delay: 50}\n");
    not_yet(&w, "a");
    world_advance(&w, 60 * US_PER_SECOND);
    world_end_task(&w, "a", OUTCOME_FAILED);
    CHECK_STR(world_state(&w, "a"), "up_for_retry");
    CHECK_STR(attempt_row(&w, "a")->outcome, "failed");
    world_crash(&w);
    world_advance(&w, 50 * US_PER_SECOND);
    CHECK_INT(world_attempt(&w, "a")->try_number, 2);
    CHECK_INT(world_attempt(&w, "a")->number, 2);
    not_yet(&w, "a");
    CHECK_STR(world_state(&w, "a"), "failed");
    CHECK_INT(world_task(&w, "a")->reason, REASON_WAITED_TOO_LONG);
    world_done(&w);
}

TEST(soft_fail_skips_instead)
{
    struct world w;
    start(&w, "a: {wait_for: f, poke_interval: 60, timeout: 30, soft_fail: true}\n"
              "b: {bash: 1, depends_on: [a]}\n");
    not_yet(&w, "a");
    world_advance(&w, 30 * US_PER_SECOND);
    not_yet(&w, "a");
    CHECK_STR(world_state(&w, "a"), "skipped");
    CHECK_STR(attempt_row(&w, "a")->outcome, "skipped");
    CHECK_STR(world_state(&w, "b"), "skipped");
    world_done(&w);
}

TEST(a_sensor_may_say_itself_when_to_look_again)
{
    struct world w;
    start(&w, "a: {wait_for: t, poke_interval: 60, timeout: 7200}\n");
    struct attempt_under_way *a = world_attempt(&w, "a");
    world_started(&w, a);
    world_end(&w, a,
        &(struct attempt_result){
            .outcome = OUTCOME_WAIT, .look_at_us = w.now.wall_us + US_PER_HOUR, .exit_code = -1});
    world_advance(&w, US_PER_HOUR - 1);
    CHECK(world_attempt(&w, "a") == NULL);
    world_advance(&w, 1);
    CHECK(world_attempt(&w, "a") != NULL);
    world_done(&w);
}

TEST(a_clock_that_is_set_brings_the_next_look_with_it)
{
    struct world w;
    start(&w, "a: {wait_for: f, poke_interval: 3600}\n");
    not_yet(&w, "a");
    w.now.wall_us += US_PER_HOUR - US_PER_MINUTE;
    world_tick(&w);
    world_advance(&w, 59 * US_PER_SECOND);
    CHECK(world_attempt(&w, "a") == NULL);
    world_advance(&w, US_PER_SECOND);
    CHECK(world_attempt(&w, "a") != NULL);
    world_done(&w);
}

TEST(a_look_may_be_over_before_its_start_is_told)
{
    struct world w;
    start(&w, "a: {wait_for: f, poke_interval: 60}\n");
    world_end(&w, world_attempt(&w, "a"),
        &(struct attempt_result){.outcome = OUTCOME_WAIT, .exit_code = -1});
    CHECK_STR(world_state(&w, "a"), "up_for_reschedule");
    CHECK_INT(scheduler_count(w.s).active, 0);
    world_done(&w);
}

TEST(looks_become_rarer_with_backoff_in_the_same_way_each_time)
{
    struct wait_task wait = {.poke_interval_us = 60 * US_PER_SECOND, .exponential_backoff = true};
    struct task task = {.task_id = "a", .wait = &wait};
    for (int32_t look = 1; look < 9; look++) {
        int64_t lower_us = (60 * US_PER_SECOND) << (look - 1);
        int64_t delay_us = poke_delay_us("d", &task, 5, look);
        CHECK(delay_us >= lower_us && delay_us < 2 * lower_us);
        CHECK_INT(poke_delay_us("d", &task, 5, look), delay_us);
    }
    CHECK_INT(poke_delay_us("d", &task, 5, 10000), US_PER_DAY);
    CHECK(poke_delay_us("d", &task, 5, 1) != poke_delay_us("d", &task, 6, 1));
    wait.exponential_backoff = false;
    CHECK_INT(poke_delay_us("d", &task, 5, 9), 60 * US_PER_SECOND);
    wait.poke_interval_us = 0;
    CHECK_INT(poke_delay_us("d", &task, 5, 9), US_PER_SECOND);
}

TEST(a_restart_waits_on)
{
    struct world w;
    start(&w, "a: {wait_for: f, poke_interval: 60, timeout: 90}\n");
    struct attempt_id first = world_attempt(&w, "a")->id;
    not_yet(&w, "a");
    world_advance(&w, 20 * US_PER_SECOND);
    world_crash(&w);
    CHECK_STR(world_state(&w, "a"), "up_for_reschedule");
    world_advance(&w, 39 * US_PER_SECOND);
    CHECK(world_attempt(&w, "a") == NULL);
    world_crash(&w);
    world_advance(&w, US_PER_SECOND);
    CHECK_STR(world_attempt(&w, "a")->id.text, first.text);
    not_yet(&w, "a");
    CHECK_INT(world_task(&w, "a")->retry_at_us, time_of("2030-01-01T00:01:30"));
    world_done(&w);
}

TEST(a_look_that_a_restart_broke_costs_no_try)
{
    struct world w;
    start(&w, "a: {wait_for: f, poke_interval: 60, timeout: 3600}\n");
    for (int n = 1; n <= 25; n++) {
        world_started(&w, world_attempt(&w, "a"));
        world_crash(&w);
        world_end(&w, world_attempt(&w, "a"),
            &(struct attempt_result){.outcome = OUTCOME_INTERRUPTED, .exit_code = -1});
        CHECK_INT(world_attempt(&w, "a")->try_number, 1);
        not_yet(&w, "a");
        world_advance(&w, 60 * US_PER_SECOND);
    }
    CHECK_INT(map_count(w.attempts), 26);
    world_done(&w);
}

TEST(execution_timeout_is_of_one_look)
{
    struct world w;
    start(&w,
        "a: {wait_for: f, poke_interval: 60, timeout: 3600, execution_timeout: 10, retries: 1}\n");
    for (int n = 0; n < 3; n++) {
        world_started(&w, world_attempt(&w, "a"));
        world_advance(&w, 9 * US_PER_SECOND);
        CHECK(!world_attempt(&w, "a")->cancelled);
        not_yet(&w, "a");
        world_advance(&w, 60 * US_PER_SECOND);
    }
    world_started(&w, world_attempt(&w, "a"));
    world_advance(&w, 10 * US_PER_SECOND);
    CHECK(world_attempt(&w, "a")->cancelled);
    world_end_task(&w, "a", OUTCOME_CANCELLED);
    CHECK_STR(world_state(&w, "a"), "up_for_retry");
    world_done(&w);
}

/* ---- requests while it waits ---- */

static enum status act(struct world *w, enum request_kind kind, enum task_state mark)
{
    struct run_id run = world_last_run(w)->id;
    const char *task = "a";
    return world_request(w, &(struct request){.kind = kind,
                                .dag_id = "d",
                                .runs = &run,
                                .run_count = 1,
                                .tasks = &task,
                                .task_count = 1,
                                .mark_state = mark});
}

TEST(marked_cancelled_or_cleared_while_it_waits_its_attempt_has_ended)
{
    static const struct {
        enum request_kind kind;
        enum task_state mark;
        const char *state;
    } acts[] = {{REQUEST_MARK, TASK_SUCCESS, "success"}, {REQUEST_MARK, TASK_FAILED, "failed"},
        {REQUEST_CANCEL, TASK_NONE, "skipped"}, {REQUEST_CLEAR, TASK_NONE, "queued"}};
    for (size_t n = 0; n < ARRAY_SIZE(acts); n++) {
        struct world w;
        start(&w, "a: {wait_for: f, poke_interval: 60, timeout: 3600}\n");
        struct attempt_id first = world_attempt(&w, "a")->id;
        not_yet(&w, "a");
        world_advance(&w, 10 * US_PER_SECOND);
        CHECK_INT(act(&w, acts[n].kind, acts[n].mark), OK);
        CHECK_STR(world_state(&w, "a"), acts[n].state);
        const struct attempt_record *row = map_get(w.attempts, first.text);
        CHECK_INT(row->state, ATTEMPT_ENDED);
        CHECK_STR(row->outcome, "cancelled");
        CHECK_INT(row->ended_us, time_of("2030-01-01T00:00:10"));
        world_advance(&w, 60 * US_PER_SECOND);
        CHECK((world_attempt(&w, "a") != NULL) == (acts[n].kind == REQUEST_CLEAR));
        world_done(&w);
    }
}

TEST(a_clear_begins_the_timeout_anew)
{
    struct world w;
    start(&w, "a: {wait_for: f, poke_interval: 60, timeout: 90}\n");
    not_yet(&w, "a");
    world_advance(&w, 50 * US_PER_SECOND);
    CHECK_INT(act(&w, REQUEST_CLEAR, TASK_NONE), OK);
    CHECK_INT(world_attempt(&w, "a")->number, 2);
    not_yet(&w, "a");
    world_advance(&w, 60 * US_PER_SECOND);
    not_yet(&w, "a");
    CHECK_INT(world_task(&w, "a")->retry_at_us, time_of("2030-01-01T00:02:20"));
    world_done(&w);
}

TEST(cancelled_during_a_look_that_finds_nothing_it_does_not_wait_on)
{
    struct world w;
    start(&w, "a: {wait_for: f, poke_interval: 60, timeout: 3600}\n");
    not_yet(&w, "a");
    world_advance(&w, 60 * US_PER_SECOND);
    world_started(&w, world_attempt(&w, "a"));
    CHECK_INT(act(&w, REQUEST_CANCEL, TASK_NONE), OK);
    not_yet(&w, "a");
    CHECK_STR(world_state(&w, "a"), "failed");
    CHECK_STR(attempt_row(&w, "a")->outcome, "cancelled");
    world_done(&w);
}

TEST(a_clear_before_it_stops_it_until_its_rule_is_met_again)
{
    struct world w;
    start(&w, "z: {bash: 1}\na: {wait_for: f, depends_on: [z], poke_interval: 60, timeout: 600}\n");
    world_end_task(&w, "z", OUTCOME_SUCCESS);
    not_yet(&w, "a");
    struct run_id run = world_last_run(&w)->id;
    const char *task = "z";
    REQUIRE(world_request(&w, &(struct request){.kind = REQUEST_CLEAR,
                                  .dag_id = "d",
                                  .runs = &run,
                                  .run_count = 1,
                                  .tasks = &task,
                                  .task_count = 1}) == OK);
    world_advance(&w, 60 * US_PER_SECOND);
    CHECK_STR(world_state(&w, "a"), "none");
    world_crash(&w);
    world_end_task(&w, "z", OUTCOME_SUCCESS);
    REQUIRE(world_attempt(&w, "a") != NULL);
    CHECK_INT(world_attempt(&w, "a")->number, 1);
    world_end_task(&w, "a", OUTCOME_SUCCESS);
    CHECK_STR(world_run_state(&w), "success");
    CHECK_INT(map_count(w.attempts), 3);
    world_done(&w);
}
