/* The ledger of a target database: one row for each generation of a task and date. */
#include "tests/simulation/invariants.h"

struct ledger_row *ledger_find(const struct row_task *task, int64_t generation)
{
    struct ledger_row *row = task->ledger;
    while (row && row->generation != generation)
        row = row->next;
    return row;
}

struct ledger_row *ledger_row_of(struct sim *sim, struct row_task *task, int64_t generation)
{
    struct ledger_row *row = ledger_find(task, generation);
    if (row)
        return row;
    row = arena_new_of(sim->arena, struct ledger_row);
    row->generation = generation;
    row->next = task->ledger;
    return task->ledger = row;
}

static void take_commit(struct sim *sim, struct row_task *task, struct ledger_row *row)
{
    row->state = LEDGER_COMMITTED;
    row->commits++;
    sim->commits++;
    sim_trace_task(sim, "target: committed", task, 0, 0, row->generation);
    invariants_check(sim, WHEN_TARGET_COMMITS,
        &(struct moment){.task = task, .row = row, .dag = task->run->dag});
}

/* Whoever holds the claim is ended; whether a COMMIT that was sent was heard is only seen now. */
void ledger_settle(struct sim *sim, struct ledger_row *row)
{
    if (row->state == LEDGER_SENT && sim_pick(sim, 2))
        take_commit(sim, row->holder->task, row);
    else if (row->state == LEDGER_SENT || row->state == LEDGER_CLAIMED)
        row->state = LEDGER_FREE;
    row->holder = NULL;
}

enum ledger_state ledger_claim(struct sim *sim, struct attempt *attempt)
{
    struct ledger_row *row = ledger_row_of(sim, attempt->task, attempt->generation);
    attempt->row = row;
    if (PLANTED(RETRY_WITHOUT_CLAIM) && attempt->fresh)
        return LEDGER_FREE;
    /* of two leaders' attempts the one that waits is the former's: it is ended, as its batches are
     */
    if (row->state == LEDGER_CLAIMED && attempt->owner != sim->leader->epoch)
        return LEDGER_VOID;
    ledger_settle(sim, row);
    if (row->state != LEDGER_FREE)
        return row->state;
    row->state = LEDGER_CLAIMED;
    row->holder = attempt;
    if (!row->order)
        row->order = ++attempt->task->generations;
    return LEDGER_FREE;
}

void ledger_commit(struct sim *sim, struct attempt *attempt)
{
    take_commit(sim, attempt->task, attempt->row);
    attempt->row->holder = NULL;
}

void ledger_rollback(struct attempt *attempt, enum ledger_state left)
{
    if (attempt->row->holder != attempt)
        return;
    attempt->row->state = left;
    attempt->row->holder = NULL;
}

void ledger_send(struct attempt *attempt)
{
    attempt->row->state = LEDGER_SENT;
    attempt->row->holder = attempt;
}

void ledger_land(struct sim *sim, struct attempt *attempt)
{
    struct ledger_row *row = attempt->row;
    if (row->state == LEDGER_SENT && row->holder == attempt)
        ledger_settle(sim, row);
}

enum ledger_state ledger_void(struct sim *sim, struct ledger_row *row)
{
    ledger_settle(sim, row);
    if (row->state == LEDGER_FREE)
        row->state = LEDGER_VOID;
    return row->state;
}
