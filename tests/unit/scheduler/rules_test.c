/* Trigger rules as functions of sets. */
#include "scheduler/rules.h"
#include "tests/unit/test.h"

enum { UPSTREAMS_MAX = 4, END_STATES = 4 };

/* An upstream that has not ended, or one of the end states. */
static void count(struct upstream_counts *up, int state)
{
    switch (state) {
    case 1: up->success++; break;
    case 2: up->failed++; break;
    case 3: up->upstream_failed++; break;
    case 4: up->skipped++; break;
    default: break;
    }
}

static enum verdict verdict_of(enum trigger_rule rule, const int *states, int total)
{
    struct upstream_counts up = {.total = (uint32_t)total};
    for (int n = 0; n < total; n++)
        count(&up, states[n]);
    return rule_verdict(rule, &up);
}

/* All ways in which the unfinished upstreams may end must give the verdict that was given early. */
static size_t contradictions(
    enum trigger_rule rule, int *states, int total, int from, enum verdict early)
{
    if (from == total) {
        enum verdict late = verdict_of(rule, states, total);
        return late == VERDICT_WAIT || (early != VERDICT_WAIT && late != early);
    }
    if (states[from])
        return contradictions(rule, states, total, from + 1, early);
    size_t wrong = 0;
    for (int state = 1; state <= END_STATES; state++) {
        states[from] = state;
        wrong += contradictions(rule, states, total, from + 1, early);
    }
    states[from] = 0;
    return wrong;
}

static size_t contradictions_of(enum trigger_rule rule, int total)
{
    size_t wrong = 0;
    int combinations = 1;
    for (int n = 0; n < total; n++)
        combinations *= END_STATES + 1;
    for (int c = 0; c < combinations; c++) {
        int states[UPSTREAMS_MAX];
        for (int n = 0, rest = c; n < total; n++, rest /= END_STATES + 1)
            states[n] = rest % (END_STATES + 1);
        wrong += contradictions(rule, states, total, 0, verdict_of(rule, states, total));
    }
    return wrong;
}

TEST(a_verdict_given_early_is_never_overturned_and_all_ends_give_one)
{
    for (size_t rule = 0; rule < TRIGGER_RULE_COUNT; rule++)
        for (int total = 1; total <= UPSTREAMS_MAX; total++)
            CHECK_INT(contradictions_of((enum trigger_rule)rule, total), 0);
}

TEST(a_task_without_upstreams_runs_whatever_its_rule)
{
    struct upstream_counts none = {0};
    for (size_t rule = 0; rule < TRIGGER_RULE_COUNT; rule++)
        CHECK_INT(rule_verdict((enum trigger_rule)rule, &none), VERDICT_RUN);
}

TEST(a_skip_that_a_failure_would_override_waits_for_the_rest)
{
    struct upstream_counts up = {.total = 2, .skipped = 1};
    CHECK_INT(rule_verdict(RULE_ALL_SUCCESS, &up), VERDICT_WAIT);
    up.failed = 1;
    CHECK_INT(rule_verdict(RULE_ALL_SUCCESS, &up), VERDICT_UPSTREAM_FAILED);
    up.failed = 0;
    up.success = 1;
    CHECK_INT(rule_verdict(RULE_ALL_SUCCESS, &up), VERDICT_SKIP);
}

TEST(a_teardown_runs_when_one_of_its_setups_succeeded)
{
    struct upstream_counts up = {
        .total = 3, .success = 1, .failed = 2, .setups = 2, .setup_success = 1};
    CHECK_INT(rule_verdict(RULE_ALL_DONE_SETUP_SUCCESS, &up), VERDICT_RUN);
    up = (struct upstream_counts){.total = 2, .skipped = 2, .setups = 1, .setup_skipped = 1};
    CHECK_INT(rule_verdict(RULE_ALL_DONE_SETUP_SUCCESS, &up), VERDICT_SKIP);
    up = (struct upstream_counts){.total = 2, .failed = 1, .skipped = 1, .setups = 1};
    CHECK_INT(rule_verdict(RULE_ALL_DONE_SETUP_SUCCESS, &up), VERDICT_UPSTREAM_FAILED);
}

TEST(work_in_a_setups_scope_waits_for_all_setups_and_a_failed_one_wins)
{
    struct upstream_counts setups = {.total = 2, .skipped = 1};
    CHECK_INT(scope_verdict(&setups), VERDICT_WAIT);
    setups.failed = 1;
    CHECK_INT(scope_verdict(&setups), VERDICT_UPSTREAM_FAILED);
    setups = (struct upstream_counts){.total = 2, .success = 2};
    CHECK_INT(scope_verdict(&setups), VERDICT_RUN);
}
