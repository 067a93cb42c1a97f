#include "scheduler/rules.h"

#include <stdbool.h>
#include <stddef.h>

/* What a rule looks at, derived once. */
struct facts {
    const struct upstream_counts *up;
    uint32_t failed; /* failed-like */
    bool all_done;
};

static enum verdict all_success(const struct facts *f)
{
    if (f->failed)
        return VERDICT_UPSTREAM_FAILED;
    if (!f->all_done)
        return VERDICT_WAIT;
    return f->up->skipped ? VERDICT_SKIP : VERDICT_RUN;
}

static enum verdict all_failed(const struct facts *f)
{
    if (f->up->success || f->up->skipped)
        return VERDICT_SKIP;
    return f->all_done ? VERDICT_RUN : VERDICT_WAIT;
}

static enum verdict all_done(const struct facts *f)
{
    return f->all_done ? VERDICT_RUN : VERDICT_WAIT;
}

static enum verdict all_done_min_one_success(const struct facts *f)
{
    if (f->up->skipped)
        return VERDICT_SKIP;
    if (!f->all_done)
        return VERDICT_WAIT;
    return f->up->success ? VERDICT_RUN : VERDICT_UPSTREAM_FAILED;
}

static enum verdict all_skipped(const struct facts *f)
{
    if (f->up->success || f->failed)
        return VERDICT_SKIP;
    return f->all_done ? VERDICT_RUN : VERDICT_WAIT;
}

static enum verdict one_failed(const struct facts *f)
{
    if (f->failed)
        return VERDICT_RUN;
    return f->all_done ? VERDICT_SKIP : VERDICT_WAIT;
}

static enum verdict one_success(const struct facts *f)
{
    if (f->up->success)
        return VERDICT_RUN;
    if (!f->all_done)
        return VERDICT_WAIT;
    return f->failed ? VERDICT_UPSTREAM_FAILED : VERDICT_SKIP;
}

static enum verdict one_done(const struct facts *f)
{
    if (f->up->success || f->up->failed)
        return VERDICT_RUN;
    return f->all_done ? VERDICT_SKIP : VERDICT_WAIT;
}

static enum verdict none_failed(const struct facts *f)
{
    if (f->failed)
        return VERDICT_UPSTREAM_FAILED;
    return f->all_done ? VERDICT_RUN : VERDICT_WAIT;
}

static enum verdict none_failed_min_one_success(const struct facts *f)
{
    if (f->failed)
        return VERDICT_UPSTREAM_FAILED;
    if (!f->all_done)
        return VERDICT_WAIT;
    return f->up->success ? VERDICT_RUN : VERDICT_SKIP;
}

static enum verdict none_skipped(const struct facts *f)
{
    if (f->up->skipped)
        return VERDICT_SKIP;
    return f->all_done ? VERDICT_RUN : VERDICT_WAIT;
}

static enum verdict always(const struct facts *f)
{
    (void)f;
    return VERDICT_RUN;
}

static enum verdict all_done_setup_success(const struct facts *f)
{
    if (!f->all_done)
        return VERDICT_WAIT;
    if (!f->up->setups || f->up->setup_success)
        return VERDICT_RUN;
    return f->up->setup_skipped == f->up->setups ? VERDICT_SKIP : VERDICT_UPSTREAM_FAILED;
}

static enum verdict (*const rules[TRIGGER_RULE_COUNT])(const struct facts *) = {
    [RULE_ALL_SUCCESS] = all_success,
    [RULE_ALL_FAILED] = all_failed,
    [RULE_ALL_DONE] = all_done,
    [RULE_ALL_DONE_MIN_ONE_SUCCESS] = all_done_min_one_success,
    [RULE_ALL_SKIPPED] = all_skipped,
    [RULE_ONE_FAILED] = one_failed,
    [RULE_ONE_SUCCESS] = one_success,
    [RULE_ONE_DONE] = one_done,
    [RULE_NONE_FAILED] = none_failed,
    [RULE_NONE_FAILED_MIN_ONE_SUCCESS] = none_failed_min_one_success,
    [RULE_NONE_SKIPPED] = none_skipped,
    [RULE_ALWAYS] = always,
    [RULE_ALL_DONE_SETUP_SUCCESS] = all_done_setup_success,
};

static struct facts facts_of(const struct upstream_counts *up)
{
    uint32_t failed = up->failed + up->upstream_failed;
    return (struct facts){
        .up = up, .failed = failed, .all_done = up->success + up->skipped + failed >= up->total};
}

enum verdict rule_verdict(enum trigger_rule rule, const struct upstream_counts *up)
{
    if (!up->total)
        return VERDICT_RUN;
    struct facts facts = facts_of(up);
    return rules[rule](&facts);
}

enum verdict scope_verdict(const struct upstream_counts *setups)
{
    struct facts facts = facts_of(setups);
    return all_success(&facts);
}
