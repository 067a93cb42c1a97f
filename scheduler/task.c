#include <assert.h>
#include "scheduler/internal.h"

/* ---- what waits for what ---- */

void task_wants_evaluation(struct scheduler *s, struct instance *i)
{
    if (i->evaluating)
        return;
    i->evaluating = true;
    vec_push(&s->evaluate, i);
}

void task_changed(struct scheduler *s, struct instance *i)
{
    if (i->changed)
        return;
    i->changed = true;
    vec_push(&s->changed_tasks, i);
}

static void set_text(char **text, const char *value)
{
    char *copy = mem_strdup(value);
    mem_free(*text);
    *text = copy;
}

void task_set_reason(struct scheduler *s, struct instance *i, enum reason reason, const char *text)
{
    i->reason = reason;
    set_text(&i->text, text);
    task_changed(s, i);
}

void task_set_intent(struct instance *i, const struct intent *intent)
{
    set_text(&i->intent.text, intent->text);
    i->intent.set = true;
    i->intent.event = intent->event;
    i->intent.reason = intent->reason;
}

void task_drop_intent(struct instance *i)
{
    mem_free(i->intent.text);
    i->intent = (struct intent){0};
}

void task_free_texts(struct instance *i)
{
    mem_free(i->text);
    mem_free(i->intent.text);
    decision_drop(i);
}

/* ---- counters ---- */

static void count_state(
    struct upstream_counts *counts, enum task_state state, bool setup, uint32_t by)
{
    switch (state) {
    case TASK_SUCCESS:
        counts->success += by;
        counts->setup_success += setup ? by : 0;
        break;
    case TASK_FAILED: counts->failed += by; break;
    case TASK_UPSTREAM_FAILED: counts->upstream_failed += by; break;
    case TASK_SKIPPED:
        counts->skipped += by;
        counts->setup_skipped += setup ? by : 0;
        break;
    case TASK_REMOVED:
        counts->total -= by;
        counts->setups -= setup ? by : 0;
        break;
    default: break;
    }
}

/* Tells those that wait for it that an upstream went from one state to another. */
static void wants_evaluation_of_all(struct scheduler *s, struct instance *head)
{
    task_wants_evaluation(s, head);
    for (uint32_t n = 0; head->mapping && n < head->mapping->count; n++) {
        struct instance *i = head->mapping->at[n];
        if (i->state == TASK_NONE || i->state == TASK_SCHEDULED)
            task_wants_evaluation(s, i);
    }
}

static void tell_downstream(struct scheduler *s, struct instance *i, enum task_state from)
{
    const struct run *run = i->run;
    for (size_t n = 0; n < i->task->downstream.count; n++) {
        struct instance *down = run->tasks[i->task->downstream.at[n]];
        if (!PLANTED(COUNTER_NOT_RESET_BY_CLEAR) || i->state != TASK_NONE)
            count_state(&down->up, from, i->task->setup, (uint32_t)-1);
        count_state(&down->up, i->state, i->task->setup, PLANTED(FINISH_COUNTED_TWICE) ? 2 : 1);
        wants_evaluation_of_all(s, down);
    }
    const struct indexes *scoped = &run->shape->tasks[i->task->index].scoped;
    for (size_t n = 0; n < scoped->count; n++) {
        struct instance *within = run->tasks[scoped->at[n]];
        count_state(&within->setups, from, false, (uint32_t)-1);
        count_state(&within->setups, i->state, false, 1);
        wants_evaluation_of_all(s, within);
    }
    const struct indexes *decides = &run->shape->tasks[i->task->index].decides;
    for (size_t n = 0; n < decides->count; n++)
        wants_evaluation_of_all(s, run->tasks[decides->at[n]]);
}

static void count_in_run(struct scheduler *s, struct instance *i, enum task_state from)
{
    struct run *run = i->run;
    run->counts[from]--;
    run->counts[i->state]++;
    run->finished_count += task_state_finished(i->state);
    run->finished_count -= task_state_finished(from);
    if (task_state_finished(from) != task_state_finished(i->state) ||
        task_is_moving(from) != task_is_moving(i->state))
        run_wants_check(s, run);
}

static void set_waiting_past(struct scheduler *s, struct instance *i, bool waiting)
{
    if (i->waiting_past == waiting)
        return;
    i->waiting_past = waiting;
    run_wants_check(s, i->run);
    if (waiting)
        i->run->waiting_past_count++;
    else
        i->run->waiting_past_count--;
}

void run_past_changed(struct scheduler *s, const struct run *run)
{
    struct run *next = run_next(run);
    if (!next || !next->tasks || !next->waiting_past_count)
        return;
    run_each (waiting, next)
        if (waiting->waiting_past)
            task_wants_evaluation(s, waiting);
}

void task_move(struct scheduler *s, struct instance *i, enum task_event event, enum reason reason,
    const char *text)
{
    enum task_state from = i->state;
    bool possible = task_transition(from, event, &i->state);
    assert(possible);
    (void)possible;
    if (event != TASK_EVENT_SUCCEED)
        decision_drop(i); /* it belongs to the success that it came with */
    set_waiting_past(s, i, false);
    task_set_reason(s, i, reason, text);
    if (event == TASK_EVENT_SUCCEED)
        assets_update(s, i);
    if (task_state_finished(i->state))
        attempt_end_wait(s, i);
    if (i->state != TASK_SCHEDULED)
        slots_dequeue(s, i);
    count_in_run(s, i, from);
    if (task_state_finished(from) && !task_state_finished(i->state) && i->run->live)
        deadline_task_waits(s, i);
    if (task_state_finished(from) || task_state_finished(i->state)) {
        tell_downstream(s, i, from);
        run_past_changed(s, i->run);
    }
    if (i->mapping && event != TASK_EVENT_EXPAND && task_state_finished(i->state))
        mapping_remove(s, i, 0);
}

/* ---- deciding ---- */

enum verdict task_verdict(const struct instance *i)
{
    const struct instance *head = instance_head(i);
    if (decision_on(i))
        return VERDICT_SKIP;
    if (decision_awaited(i))
        return VERDICT_WAIT;
    if (i->task->trigger_rule == RULE_ALWAYS)
        return VERDICT_RUN;
    enum verdict verdict = head->setups.total ? scope_verdict(&head->setups) : VERDICT_RUN;
    return verdict == VERDICT_RUN ? rule_verdict(i->task->trigger_rule, &head->up) : verdict;
}

/* Which end states of upstreams are the cause of a skip, and whether the rule is only unmet. */
enum {
    SUCCESS_BIT = 1u << TASK_SUCCESS,
    SKIPPED_BIT = 1u << TASK_SKIPPED,
    FAILED_BITS = 1u << TASK_FAILED | 1u << TASK_UPSTREAM_FAILED,
};
static const struct {
    unsigned causes;
    enum reason reason;
} skip_causes[TRIGGER_RULE_COUNT] = {
    [RULE_ALL_SUCCESS] = {SKIPPED_BIT, REASON_UPSTREAM_SKIPPED},
    [RULE_ALL_FAILED] = {SUCCESS_BIT | SKIPPED_BIT, REASON_RULE_UNMET},
    [RULE_ALL_DONE] = {SKIPPED_BIT, REASON_UPSTREAM_SKIPPED},
    [RULE_ALL_DONE_MIN_ONE_SUCCESS] = {SKIPPED_BIT, REASON_UPSTREAM_SKIPPED},
    [RULE_ALL_SKIPPED] = {SUCCESS_BIT | FAILED_BITS, REASON_RULE_UNMET},
    [RULE_ONE_FAILED] = {SUCCESS_BIT | SKIPPED_BIT, REASON_RULE_UNMET},
    [RULE_ONE_SUCCESS] = {SKIPPED_BIT, REASON_UPSTREAM_SKIPPED},
    [RULE_ONE_DONE] = {SKIPPED_BIT | FAILED_BITS, REASON_RULE_UNMET},
    [RULE_NONE_FAILED] = {SKIPPED_BIT, REASON_UPSTREAM_SKIPPED},
    [RULE_NONE_FAILED_MIN_ONE_SUCCESS] = {SKIPPED_BIT, REASON_UPSTREAM_SKIPPED},
    [RULE_NONE_SKIPPED] = {SKIPPED_BIT, REASON_UPSTREAM_SKIPPED},
    [RULE_ALWAYS] = {0, REASON_RULE_UNMET},
    [RULE_ALL_DONE_SETUP_SUCCESS] = {SKIPPED_BIT, REASON_UPSTREAM_SKIPPED},
};

static const char *const state_verbs[TASK_STATE_COUNT] = {
    [TASK_SUCCESS] = "succeeded",
    [TASK_FAILED] = "failed",
    [TASK_SKIPPED] = "was skipped",
    [TASK_UPSTREAM_FAILED] = "is upstream_failed",
};

static void name_cause(
    const struct instance *cause, unsigned states, size_t *count, struct strbuf *out)
{
    if (!(states & 1u << cause->state) || !state_verbs[cause->state])
        return;
    if (++*count > CAUSES_NAMED_MAX)
        return;
    strbuf_add_str(out, *count > 1 ? ", `" : "`");
    instance_name(cause, out);
    strbuf_printf(out, "` %s", state_verbs[cause->state]);
}

static void name_causes(const struct instance *i, const struct indexes *from, unsigned states,
    size_t *count, struct strbuf *out)
{
    for (size_t n = 0; n < from->count; n++) {
        const struct instance *cause = i->run->tasks[from->at[n]];
        name_cause(cause, states, count, out);
        for (uint32_t k = 0; cause->mapping && k < cause->mapping->count; k++)
            name_cause(cause->mapping->at[k], states, count, out);
    }
}

/* "`choose` was skipped, `b` failed and 4 more": direct upstreams, then the setups it needs. */
static void describe_causes(const struct instance *i, unsigned states, struct strbuf *out)
{
    size_t count = 0;
    name_causes(i, &i->task->upstream, states, &count, out);
    if (!count)
        name_causes(i, &i->run->shape->tasks[i->task->index].setups, states, &count, out);
    if (count > CAUSES_NAMED_MAX)
        strbuf_printf(out, " and %zu more", count - CAUSES_NAMED_MAX);
}

static void end_by_rule(struct scheduler *s, struct instance *i, enum verdict verdict)
{
    const struct instance *head = instance_head(i);
    struct strbuf text = {0};
    enum reason reason = REASON_UPSTREAM_FAILED;
    const struct instance *by = decision_on(i);
    if (by) {
        reason = REASON_DECIDED;
        decision_describe(by, &text);
    } else if (verdict == VERDICT_UPSTREAM_FAILED) {
        describe_causes(i, FAILED_BITS, &text);
    } else if (scope_verdict(&head->setups) == VERDICT_SKIP && head->setups.total) {
        reason = REASON_UPSTREAM_SKIPPED;
        strbuf_add_str(&text, "skipped: ");
        describe_causes(i, SKIPPED_BIT, &text);
    } else {
        reason = skip_causes[i->task->trigger_rule].reason;
        if (reason == REASON_RULE_UNMET)
            strbuf_printf(&text,
                "skipped: its rule %s is not met: ", trigger_rule_name(i->task->trigger_rule));
        else
            strbuf_add_str(&text, "skipped: ");
        describe_causes(i, skip_causes[i->task->trigger_rule].causes, &text);
    }
    enum task_event event = verdict == VERDICT_SKIP ? TASK_EVENT_SKIP : TASK_EVENT_UPSTREAM_FAIL;
    task_finish(s, i, event, reason, text.text);
    strbuf_done(&text);
}

static bool needs_no_attempt(const struct scheduler *s, const struct instance *i)
{
    enum task_kind kind = i->task->kind;
    return (kind == KIND_EMPTY || kind == KIND_LATEST_ONLY) && !s->start_empty_tasks &&
           !mapping_is_head(i);
}

static const char *no_work_text(const struct instance *i)
{
    if (i->task->kind != KIND_LATEST_ONLY)
        return NULL;
    return i->decision ? "not the newest interval: what follows is skipped"
                       : "what follows goes on";
}

/* A generation of which an attempt may still commit is voided before the next one begins: were it
   done by the next one's first attempt, a loss of that attempt would leave two in doubt. */
static void become_ready(struct scheduler *s, struct instance *i)
{
    const char *why_not = NULL;
    if (!past_allows(s, i, &why_not)) {
        if (!i->waiting_past)
            task_set_reason(s, i, REASON_WAITING_PAST, why_not);
        set_waiting_past(s, i, true);
        return;
    }
    bool in_doubt = i->unsettled && i->unsettled_generation != i->generation;
    if (in_doubt && !PLANTED(VOID_SKIPPED)) {
        task_set_reason(s, i, REASON_SETTLING, NULL);
        attempt_settle(s, i);
        return;
    }
    if (needs_no_attempt(s, i)) {
        i->started_us = i->ended_us = s->now.wall_us;
        if (i->task->kind == KIND_LATEST_ONLY)
            decision_set(i, decision_by_clock(s, i->run));
        task_move(s, i, TASK_EVENT_SUCCEED, REASON_NO_WORK, no_work_text(i));
        return;
    }
    i->ready_us = s->now.wall_us;
    task_move(s, i, TASK_EVENT_READY, REASON_WAITING_TURN, NULL);
    slots_enqueue(s, i);
}

void task_evaluate(struct scheduler *s, struct instance *i)
{
    if (i->run->state != RUN_RUNNING || i->run->held || i->settling)
        return;
    if (i->state != TASK_NONE && i->state != TASK_SCHEDULED)
        return; /* one that has left the run since is removed, and has no head there */
    if (i->map_index >= 0 && !mapping_is_expanded(instance_head(i)))
        return;
    if (i->state == TASK_SCHEDULED && task_verdict(i) != VERDICT_RUN)
        task_move(s, i, TASK_EVENT_UNREADY, REASON_WAITING_UPSTREAM, NULL);
    if (i->state != TASK_NONE)
        return;
    enum verdict verdict = task_verdict(i);
    if (verdict == VERDICT_RUN)
        become_ready(s, i);
    else if (verdict != VERDICT_WAIT)
        end_by_rule(s, i, verdict);
    else
        set_waiting_past(s, i, false);
}

/* ---- ending and clearing from outside ---- */

/* What a task that must not go on any more becomes, by the reason that it shows until then.  The
   reason is durable, so a restart finds the intent again. */
static const struct {
    enum reason shown;
    struct intent intent;
} intents[] = {
    {REASON_CANCELLING, {true, TASK_EVENT_FAIL, REASON_CANCELLED, NULL}},
    {REASON_RUN_TIMED_OUT, {true, TASK_EVENT_SKIP, REASON_RUN_TIMED_OUT, NULL}},
    {REASON_FAIL_FAST, {true, TASK_EVENT_FAIL, REASON_FAIL_FAST, NULL}},
    {REASON_MARKING_SUCCESS, {true, TASK_EVENT_MARK_SUCCESS, REASON_MARKED, NULL}},
    {REASON_MARKING_FAILED, {true, TASK_EVENT_MARK_FAILED, REASON_MARKED, NULL}},
    {REASON_MARKING_SKIPPED, {true, TASK_EVENT_MARK_SKIPPED, REASON_MARKED, NULL}},
    {REASON_SKIPPED_SELF, {true, TASK_EVENT_SKIP, REASON_SKIPPED_SELF, NULL}},
    {REASON_SETTLING, {true, TASK_EVENT_FAIL, REASON_RETRIES_USED_UP, NULL}},
    {REASON_IN_DOUBT, {true, TASK_EVENT_FAIL, REASON_RETRIES_USED_UP, NULL}},
    {REASON_REMOVED_INDEX, {true, TASK_EVENT_REMOVE, REASON_REMOVED_INDEX, NULL}},
};

bool intent_of_reason(const struct run *run, enum reason reason, struct intent *ret)
{
    for (size_t n = 0; n < ARRAY_SIZE(intents); n++)
        if (intents[n].shown == reason) {
            *ret = intents[n].intent;
            if (reason == REASON_CANCELLING && run->reason == REASON_RUN_CANCELLED)
                ret->reason = REASON_RUN_CANCELLED;
            return true;
        }
    return false;
}

/* An attempt that may still commit must be voided before any state but success is final. */
static bool needs_void(const struct instance *i, enum task_event event)
{
    return i->unsettled && event != TASK_EVENT_MARK_SUCCESS && event != TASK_EVENT_SUCCEED;
}

void task_stop_settling(struct scheduler *s, struct instance *i)
{
    wake_stop(s, &i->timer);
    task_drop_intent(i);
    if (!i->settling)
        return;
    i->settling = false;
    i->run->settling_count--;
}

void task_finish(struct scheduler *s, struct instance *i, enum task_event event, enum reason reason,
    const char *text)
{
    if (!needs_void(i, event)) {
        task_stop_settling(s, i);
        if (i->ended_us == TIME_NONE)
            i->ended_us = s->now.wall_us;
        task_move(s, i, event, reason, text);
        return;
    }
    struct intent ignored;
    task_set_intent(i, &(struct intent){true, event, reason, (char *)text});
    if (!intent_of_reason(i->run, i->reason, &ignored))
        task_set_reason(s, i, REASON_SETTLING, text);
    attempt_settle(s, i);
}

void task_end_early(struct scheduler *s, struct instance *i, enum reason shown,
    const struct intent *intent, bool force)
{
    struct intent removal = {true, TASK_EVENT_REMOVE, REASON_REMOVED_INDEX, NULL};
    if (mapping_is_leaving(i)) { /* it has no value: it becomes nothing else */
        intent = &removal;
        shown = REASON_REMOVED_INDEX;
    }
    if (!i->alive && !needs_void(i, intent->event)) {
        task_finish(s, i, intent->event, intent->reason, intent->text);
        return;
    }
    slots_dequeue(s, i);
    set_waiting_past(s, i, false);
    task_set_intent(i, intent);
    task_set_reason(s, i, shown, NULL);
    if (!i->alive) {
        wake_stop(s, &i->timer);
        attempt_settle(s, i);
        return;
    }
    emit_task_effect(s, EFFECT_CANCEL, i);
    s->plan->effects.at[s->plan->effects.count - 1].force = force;
}

static void forget_tries(struct instance *i, int64_t generation)
{
    i->generation = generation;
    i->try_number = i->lost_count = i->interrupted_count = i->void_tries = 0;
    i->max_tries = i->task->retries + 1;
    i->ready_us = i->retry_at_us = i->waiting_since_us = TIME_NONE;
    i->triggered.v = 0;
    deadline_task_cleared(i);
}

void task_clear(struct scheduler *s, struct instance *i, int64_t generation, const char *text)
{
    attempt_end_wait(s, i);
    forget_tries(i, generation);
    if (!i->alive) {
        task_stop_settling(s, i);
        i->queued_us = i->started_us = i->ended_us = TIME_NONE;
        task_move(s, i, TASK_EVENT_CLEAR, REASON_CLEARED, text);
        if (i->state == TASK_RESTARTING)
            task_move(s, i, TASK_EVENT_RESTART, REASON_CLEARED, text);
        task_wants_evaluation(s, i);
        return;
    }
    if (!i->unsettled)
        i->unsettled_generation = i->attempt_generation;
    task_set_intent(i, &(struct intent){true, TASK_EVENT_RESTART, REASON_CLEARED, (char *)text});
    task_move(s, i, TASK_EVENT_CLEAR, REASON_CLEARED, text);
    emit_task_effect(s, EFFECT_CANCEL, i);
}
