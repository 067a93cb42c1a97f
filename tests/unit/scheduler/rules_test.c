/* Trigger rules as functions of sets. */
#include "scheduler/rules.h"
#include "tests/simulation/rule_statement.h"
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

/* ---- against a second statement of the rules ---- */

static const enum task_state stated[] = {
    TASK_RUNNING, TASK_SUCCESS, TASK_FAILED, TASK_UPSTREAM_FAILED, TASK_SKIPPED, TASK_REMOVED};
enum { STATED = 6 };

/* What the scheduler's counters are for these upstreams. */
static struct upstream_counts counts_of(const struct stated_upstream *ups, size_t total)
{
    struct stated_counts n = state_counts(ups, total);
    return (struct upstream_counts){.total = (uint32_t)n.all,
        .success = (uint32_t)n.success,
        .failed = (uint32_t)n.failed,
        .upstream_failed = (uint32_t)n.upstream_failed,
        .skipped = (uint32_t)n.skipped,
        .setups = (uint32_t)n.setups,
        .setup_success = (uint32_t)n.setup_success,
        .setup_skipped = (uint32_t)n.setup_skipped};
}

/* Calls `check` for all combinations of up to four upstreams, each a setup or not. */
static size_t each_combination(
    enum trigger_rule rule, bool (*check)(enum trigger_rule, struct stated_upstream *, size_t))
{
    size_t wrong = 0;
    for (size_t total = 0; total <= UPSTREAMS_MAX; total++) {
        size_t combinations = 1;
        for (size_t n = 0; n < total; n++)
            combinations *= 2 * STATED;
        for (size_t c = 0; c < combinations; c++) {
            struct stated_upstream ups[UPSTREAMS_MAX];
            for (size_t n = 0, rest = c; n < total; n++, rest /= 2 * STATED)
                ups[n] = (struct stated_upstream){stated[rest % STATED], rest / STATED % 2};
            wrong += !check(rule, ups, total);
        }
    }
    return wrong;
}

static bool is_as_stated(enum trigger_rule rule, struct stated_upstream *ups, size_t total)
{
    struct upstream_counts counts = counts_of(ups, total);
    return rule_verdict(rule, &counts) == rule_stated(rule, ups, total);
}

TEST(every_rule_says_what_it_is_stated_to_say_for_all_combinations_of_upstream_states)
{
    for (int rule = 0; rule < TRIGGER_RULE_COUNT; rule++)
        if (!CHECK(each_combination((enum trigger_rule)rule, is_as_stated) == 0))
            fprintf(stderr, "  %s\n", trigger_rule_name((enum trigger_rule)rule));
}

/* The first verdict other than "wait" as upstreams end one after the other, in every order. */
static bool every_order_gives(enum trigger_rule rule, struct stated_upstream *now,
    const struct stated_upstream *ends, size_t total, enum verdict want)
{
    struct upstream_counts counts = counts_of(now, total);
    enum verdict verdict = rule_verdict(rule, &counts);
    if (verdict != VERDICT_WAIT)
        return verdict == want;
    for (size_t n = 0; n < total; n++) {
        if (task_state_finished(now[n].state) || !task_state_finished(ends[n].state))
            continue;
        now[n].state = ends[n].state;
        bool same = every_order_gives(rule, now, ends, total, want);
        now[n].state = TASK_RUNNING;
        if (!same)
            return false;
    }
    return true;
}

static bool is_the_same_in_every_order(
    enum trigger_rule rule, struct stated_upstream *ends, size_t total)
{
    struct stated_upstream now[UPSTREAMS_MAX];
    for (size_t n = 0; n < total; n++)
        now[n] = (struct stated_upstream){TASK_RUNNING, ends[n].setup};
    struct upstream_counts counts = counts_of(ends, total);
    return every_order_gives(rule, now, ends, total, rule_verdict(rule, &counts));
}

TEST(every_order_of_finishes_gives_the_same_verdict)
{
    for (int rule = 0; rule < TRIGGER_RULE_COUNT; rule++)
        if (!CHECK(each_combination((enum trigger_rule)rule, is_the_same_in_every_order) == 0))
            fprintf(stderr, "  %s\n", trigger_rule_name((enum trigger_rule)rule));
}
