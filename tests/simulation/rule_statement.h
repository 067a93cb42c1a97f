/*
 * The trigger rules, stated a second time and in another way than scheduler/rules.c: as what they
 * say of upstreams that have all ended, and from that what can be said before they have.
 */
#ifndef TESTS_SIMULATION_RULE_STATEMENT_H
#define TESTS_SIMULATION_RULE_STATEMENT_H

#include <stddef.h>
#include "scheduler/rules.h"

enum { STATED_UPSTREAMS_MAX = 512 };

struct stated_upstream {
    enum task_state state; /* anything that is not an end state: it has not ended */
    bool setup;
};

/* How many there are of each end state. */
struct stated_counts {
    size_t all, success, failed, upstream_failed, skipped;
    size_t setups, setup_success, setup_skipped;
};

static inline struct stated_counts state_counts(const struct stated_upstream *up, size_t count)
{
    struct stated_counts n = {0};
    for (size_t i = 0; i < count; i++) {
        if (up[i].state == TASK_REMOVED)
            continue;
        n.all++;
        n.success += up[i].state == TASK_SUCCESS;
        n.failed += up[i].state == TASK_FAILED;
        n.upstream_failed += up[i].state == TASK_UPSTREAM_FAILED;
        n.skipped += up[i].state == TASK_SKIPPED;
        n.setups += up[i].setup;
        n.setup_success += up[i].setup && up[i].state == TASK_SUCCESS;
        n.setup_skipped += up[i].setup && up[i].state == TASK_SKIPPED;
    }
    return n;
}

static inline enum verdict state_run_if(bool met, enum verdict otherwise)
{
    return met ? VERDICT_RUN : otherwise;
}

/* What a rule says when all have ended. */
static inline enum verdict state_when_all_ended(enum trigger_rule rule, struct stated_counts n)
{
    size_t failed_like = n.failed + n.upstream_failed;
    enum verdict failed_else_skip = failed_like ? VERDICT_UPSTREAM_FAILED : VERDICT_SKIP;
    switch (rule) {
    case RULE_ALL_SUCCESS: return state_run_if(n.success == n.all, failed_else_skip);
    case RULE_ALL_FAILED: return state_run_if(failed_like == n.all, VERDICT_SKIP);
    case RULE_ALL_DONE: return VERDICT_RUN;
    case RULE_ALL_DONE_MIN_ONE_SUCCESS:
        return n.skipped ? VERDICT_SKIP : state_run_if(n.success > 0, VERDICT_UPSTREAM_FAILED);
    case RULE_ALL_SKIPPED: return state_run_if(n.skipped == n.all, VERDICT_SKIP);
    case RULE_ONE_FAILED: return state_run_if(failed_like > 0, VERDICT_SKIP);
    case RULE_ONE_SUCCESS: return state_run_if(n.success > 0, failed_else_skip);
    case RULE_ONE_DONE: return state_run_if(n.success + n.failed > 0, VERDICT_SKIP);
    case RULE_NONE_FAILED: return state_run_if(!failed_like, VERDICT_UPSTREAM_FAILED);
    case RULE_NONE_FAILED_MIN_ONE_SUCCESS:
        return failed_like ? VERDICT_UPSTREAM_FAILED : state_run_if(n.success, VERDICT_SKIP);
    case RULE_NONE_SKIPPED: return state_run_if(!n.skipped, VERDICT_SKIP);
    case RULE_ALWAYS: return VERDICT_RUN;
    case RULE_ALL_DONE_SETUP_SUCCESS:
        if (!n.setups || n.setup_success)
            return VERDICT_RUN;
        return n.setup_skipped == n.setups ? VERDICT_SKIP : VERDICT_UPSTREAM_FAILED;
    case TRIGGER_RULE_COUNT: break;
    }
    return VERDICT_WAIT;
}

/* These may start their task while upstreams are still under way. */
static inline bool stated_at_once(enum trigger_rule rule)
{
    return rule == RULE_ALWAYS || rule == RULE_ONE_FAILED || rule == RULE_ONE_SUCCESS ||
           rule == RULE_ONE_DONE;
}

/* What every way in which the others may end has in common; VERDICT_WAIT: nothing. */
static inline enum verdict state_common(
    enum trigger_rule rule, struct stated_upstream *up, size_t from, size_t count)
{
    static const enum task_state ends[] = {
        TASK_SUCCESS, TASK_FAILED, TASK_UPSTREAM_FAILED, TASK_SKIPPED};
    while (from < count && task_state_finished(up[from].state))
        from++;
    if (from == count)
        return state_when_all_ended(rule, state_counts(up, count));
    enum task_state before = up[from].state;
    enum verdict common = VERDICT_WAIT;
    for (size_t e = 0; e < sizeof ends / sizeof ends[0]; e++) {
        up[from].state = ends[e];
        enum verdict verdict = state_common(rule, up, from + 1, count);
        if (e > 0 && verdict != common)
            verdict = VERDICT_WAIT;
        common = verdict;
        if (common == VERDICT_WAIT)
            break;
    }
    up[from].state = before;
    return common;
}

/* The rule's verdict now.  `up` is as before when this returns.  Of those that have not ended as
   many are tried as there are end states: rules ask whether all or any are of a kind, and more of
   them can say nothing else. */
static inline enum verdict rule_stated(
    enum trigger_rule rule, const struct stated_upstream *up, size_t count)
{
    struct stated_upstream tried[STATED_UPSTREAMS_MAX];
    size_t under_way = 0, kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool open = !task_state_finished(up[i].state);
        under_way += open;
        if (!open || under_way <= 4 || up[i].setup)
            tried[kept++] = up[i];
    }
    struct stated_counts n = state_counts(up, count);
    if (!n.all || rule == RULE_ALWAYS)
        return VERDICT_RUN;
    if (!under_way)
        return state_when_all_ended(rule, n);
    if (rule == RULE_ALL_DONE_SETUP_SUCCESS) /* a teardown is never decided ahead of the work */
        return VERDICT_WAIT;
    enum verdict verdict = state_common(rule, tried, 0, kept);
    return verdict == VERDICT_RUN && !stated_at_once(rule) ? VERDICT_WAIT : verdict;
}

#endif
