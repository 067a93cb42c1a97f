/* Tasks that do nothing: joins and anchors. */
#include "executor/attempt.h"

static void empty_start(struct attempt *attempt)
{
    attempt_finish(attempt, &(struct attempt_result){.outcome = OUTCOME_SUCCESS, .exit_code = -1});
}

/* Nothing outside can have happened, so it is done now. */
static void empty_recover(struct attempt *attempt)
{
    empty_start(attempt);
}

static void empty_cancel(struct attempt *attempt, bool force)
{
    /* It has finished already: start and recover end it at once. */
    (void)attempt;
    (void)force;
}

static void empty_done(struct attempt *attempt)
{
    (void)attempt;
}

const struct operator operator_empty = {
    .name = "empty",
    .renders = false,
    .start = empty_start,
    .recover = empty_recover,
    .cancel = empty_cancel,
    .done = empty_done,
};
