/* Attempts: started, ended, settled. */
#include <stdio.h>
#include "scheduler/internal.h"
#include "scheduler/retry.h"

static const char *const outcome_names[] = {
    [OUTCOME_SUCCESS] = "success",
    [OUTCOME_SKIPPED] = "skipped",
    [OUTCOME_FAILED] = "failed",
    [OUTCOME_CANCELLED] = "cancelled",
    [OUTCOME_INTERRUPTED] = "interrupted",
    [OUTCOME_LOST] = "lost",
    [OUTCOME_PARTLY] = "partly_committed",
    [OUTCOME_SUPERSEDED] = "superseded",
    [OUTCOME_WAIT] = "waiting",
};

/* ---- start ---- */

static void make_attempt_id(struct scheduler *s, struct attempt_id *ret)
{
    uint64_t high = random_next(s), low = random_next(s);
    high = (high & ~UINT64_C(0xF000)) | UINT64_C(0x4000);     /* version 4 */
    low = (low & ~(UINT64_C(3) << 62)) | (UINT64_C(1) << 63); /* RFC 9562's variant */
    snprintf(ret->text, sizeof ret->text, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
        (unsigned)(high >> 16 & 0xFFFF), (unsigned)(high & 0xFFFF), (unsigned)(low >> 48),
        (unsigned long long)(low & UINT64_C(0xFFFFFFFFFFFF)));
}

static void know(struct scheduler *s, struct instance *i)
{
    map_set(s->attempts, i->attempt.text, i);
}

static void forget(struct scheduler *s, struct instance *i)
{
    map_remove(s->attempts, i->attempt.text);
}

/* A sensor looks again: the attempt that waited goes on. */
static void look_again(struct scheduler *s, struct instance *i)
{
    i->ended_us = i->retry_at_us = TIME_NONE;
    i->alive = true;
    know(s, i);
    task_move(s, i, TASK_EVENT_GIVE, REASON_SLOTS_GIVEN, NULL);
    emit_task_effect(s, EFFECT_START, i);
}

void attempt_begin(struct scheduler *s, struct instance *i)
{
    note_dag(s, i->run->dag);
    if (i->looks) {
        look_again(s, i);
        return;
    }
    i->try_number++;
    i->tries_total++;
    make_attempt_id(s, &i->attempt);
    i->attempt_generation = i->generation;
    i->attempt_version = keep(s, i->run->shape->version);
    i->queued_us = s->now.wall_us;
    i->started_us = i->ended_us = i->retry_at_us = TIME_NONE;
    i->alive = true;
    know(s, i);
    task_move(s, i, TASK_EVENT_GIVE, REASON_SLOTS_GIVEN, NULL);
    emit_attempt(s, i, NULL, NULL);
    emit_task_effect(s, EFFECT_START, i);
}

static struct instance *find(const struct scheduler *s, const struct event *event)
{
    return map_get(s->attempts, event->attempt.text);
}

void attempt_arm_timeout(struct scheduler *s, struct instance *i)
{
    int64_t from_us = i->looks ? s->now.wall_us : i->started_us;
    if (i->task->execution_timeout_us > 0)
        wake_set(s, &i->timer, mono_of_wall(s, from_us + i->task->execution_timeout_us));
}

static bool is_sensor(const struct instance *i)
{
    return i->task->kind == KIND_WAIT_FOR && !mapping_is_head(i);
}

static void look_started(struct scheduler *s, struct instance *i)
{
    if (i->state != TASK_QUEUED || i->intent.set)
        return;
    task_move(s, i, TASK_EVENT_START, REASON_STARTED, NULL);
    attempt_arm_timeout(s, i);
}

void attempt_started(struct scheduler *s, const struct event *event)
{
    struct instance *i = find(s, event);
    if (i && i->alive && i->looks) {
        look_started(s, i);
        return;
    }
    if (!i || !i->alive || i->started_us != TIME_NONE)
        return;
    i->started_us = s->now.wall_us;
    if (is_sensor(i) && i->waiting_since_us == TIME_NONE)
        i->waiting_since_us = i->started_us;
    if (i->intent.set) {
        task_changed(s, i);
    } else {
        task_move(s, i, TASK_EVENT_START, REASON_STARTED, NULL);
        attempt_arm_timeout(s, i);
        deadline_task_started(s, i);
    }
    emit_attempt(s, i, NULL, NULL);
}

/* A reason is one line; the attempt's row has the whole message. */
static const char *first_line(struct scheduler *s, const char *message)
{
    size_t size = message ? strcspn(message, "\n") : 0;
    return message ? arena_strndup(s->plan->arena, message, size) : NULL;
}

/* ---- making sure that nothing can commit any more ---- */

/* "in doubt: <why>; asked again at 2007-04-12T00:05:00+00:00" */
static void void_unreachable(struct scheduler *s, struct instance *i, const char *why)
{
    int64_t delay_us = VOID_RETRY_FIRST_US;
    for (int32_t n = 0; n < i->void_tries && delay_us < VOID_RETRY_LAST_US; n++)
        delay_us *= 2;
    i->void_tries++;
    if (delay_us > VOID_RETRY_LAST_US)
        delay_us = VOID_RETRY_LAST_US;
    wake_set(s, &i->timer, s->now.mono_us + delay_us);
    enum reason shown = i->reason == REASON_SETTLING ? REASON_IN_DOUBT : i->reason;
    char at[TIME_TEXT_SIZE];
    time_format_iso(s->now.wall_us + delay_us, at);
    task_set_reason(s, i, shown,
        why ? arena_printf(
                  s->plan->arena, "in doubt: %s; asked again at %s", first_line(s, why), at)
            : arena_printf(
                  s->plan->arena, "%s; asked again at %s", reason_text(REASON_IN_DOUBT), at));
}

void attempt_settle(struct scheduler *s, struct instance *i)
{
    if (!i->settling) {
        i->settling = true;
        i->run->settling_count++;
    }
    know(s, i);
    if (i->run->held)
        void_unreachable(s, i, "its DAG has no version, so whom to ask is not known");
    else
        emit_task_effect(s, EFFECT_VOID, i);
}

static void settled(struct scheduler *s, struct instance *i)
{
    if (i->settling) {
        i->settling = false;
        i->run->settling_count--;
        run_wants_check(s, i->run);
    }
    i->void_tries = 0;
    i->unsettled = false;
    wake_stop(s, &i->timer);
    forget(s, i);
}

/* The attempt is gone and settled: the task becomes what was wanted of it. */
static void carry_out(struct scheduler *s, struct instance *i)
{
    struct intent intent = i->intent;
    i->intent = (struct intent){0};
    if (i->state == TASK_RESTARTING && intent.event != TASK_EVENT_RESTART)
        task_move(s, i, TASK_EVENT_RESTART, REASON_CLEARED, NULL);
    if (i->ended_us == TIME_NONE && intent.event != TASK_EVENT_RESTART)
        i->ended_us = s->now.wall_us;
    task_move(s, i, intent.event, intent.reason, intent.text);
    mem_free(intent.text);
    if (i->state == TASK_NONE) {
        i->queued_us = i->started_us = i->ended_us = TIME_NONE;
        task_wants_evaluation(s, i);
    }
}

/* `result` may be NULL. */
static void succeed(struct scheduler *s, struct instance *i, const struct attempt_result *result,
    enum reason reason, const char *text)
{
    const char *decision = result ? result->decision : NULL;
    task_drop_intent(i);
    if (i->state == TASK_RESTARTING)
        task_move(s, i, TASK_EVENT_RESTART, REASON_CLEARED, NULL);
    if (i->task->kind == KIND_LATEST_ONLY && !decision)
        decision = decision_by_clock(s, i->run);
    decision_set(i, decision);
    task_move(s, i, TASK_EVENT_SUCCEED, reason, text);
}

void attempt_void_done(struct scheduler *s, const struct event *event)
{
    struct instance *i = find(s, event);
    if (!i || !i->settling)
        return;
    if (event->void_outcome == VOID_UNREACHABLE) {
        void_unreachable(s, i, event->result ? event->result->message : NULL);
        return;
    }
    bool own = i->unsettled_generation == i->generation;
    settled(s, i);
    if (!i->intent.set) { /* the next generation may begin */
        task_wants_evaluation(s, i);
        return;
    }
    if (event->void_outcome == VOID_INSERTED || !own || i->intent.event == TASK_EVENT_RESTART) {
        carry_out(s, i);
        return;
    }
    if (event->result)
        emit_attempt(s, i, event->result, outcome_names[OUTCOME_SUCCESS]);
    succeed(s, i, event->result, REASON_COMMITTED_BEFORE,
        arena_printf(s->plan->arena, "committed by attempt %d after all", i->tries_total));
}

/* ---- end ---- */

static void end_row(struct scheduler *s, struct instance *i, const struct attempt_result *result)
{
    i->looks = 0;
    emit_attempt(s, i, result, outcome_names[result->outcome]);
}

void attempt_end_wait(struct scheduler *s, struct instance *i)
{
    if ((!i->looks && !i->deferred) || i->alive)
        return;
    i->ended_us = s->now.wall_us;
    end_row(s, i,
        &(struct attempt_result){.outcome = OUTCOME_CANCELLED,
            .message = i->deferred ? "ended while it waited for the run that it triggered, which "
                                     "goes on"
                                   : "ended while it waited for its next look",
            .exit_code = -1});
    trigger_leave(i);
}

/* "at 2007-04-12T00:05:00+00:00: attempt 2 of 3; <message>" */
static const char *retry_text(struct scheduler *s, const struct instance *i, const char *message)
{
    char at[TIME_TEXT_SIZE];
    time_format_iso(i->retry_at_us, at);
    return arena_printf(s->plan->arena, "%s; attempt %d of %d follows at %s",
        message ? first_line(s, message) : "the attempt failed", i->try_number + 1, i->max_tries,
        at);
}

static void plan_retry(struct scheduler *s, struct instance *i, const struct attempt_result *result)
{
    const struct run *run = i->run;
    int64_t delay_us = retry_wait_us(
        run->dag->dag_id, i->task, run->logical_us, i->try_number, result->retry_after_us);
    i->retry_at_us = s->now.wall_us + delay_us;
    task_move(s, i, TASK_EVENT_RETRY, REASON_RETRY_PLANNED, retry_text(s, i, result->message));
    wake_set(s, &i->timer, s->now.mono_us + delay_us);
}

static enum reason final_reason(const struct instance *i, const struct attempt_result *result)
{
    if (result->error_class == CLASS_TIMEOUT)
        return REASON_TIMED_OUT;
    if (i->max_tries > 1)
        return i->try_number < i->max_tries ? REASON_NOT_RETRIED : REASON_RETRIES_USED_UP;
    return REASON_ATTEMPT_FAILED;
}

static void fail(struct scheduler *s, struct instance *i, const struct attempt_result *result)
{
    if (i->try_number < i->max_tries && retry_helps(i->task, result)) {
        if (result->new_generation)
            i->generation = generation_next(s);
        plan_retry(s, i, result);
        return;
    }
    task_finish(s, i, TASK_EVENT_FAIL, final_reason(i, result), first_line(s, result->message));
}

/* ---- sensors ---- */

static int64_t wait_end_us(const struct instance *i)
{
    int64_t end_us;
    bool none = i->task->wait->timeout_us <= 0 || i->waiting_since_us == TIME_NONE ||
                __builtin_add_overflow(i->waiting_since_us, i->task->wait->timeout_us, &end_us);
    return none ? INT64_MAX : end_us;
}

/* Between two looks it holds nothing.  The last look is made when its timeout is over. */
static void wait_on(struct scheduler *s, struct instance *i, const struct attempt_result *result)
{
    const struct run *run = i->run;
    int64_t next_us = result->look_at_us;
    if (next_us <= s->now.wall_us)
        next_us =
            s->now.wall_us + poke_delay_us(run->dag->dag_id, i->task, run->logical_us, i->looks);
    if (next_us > wait_end_us(i))
        next_us = wait_end_us(i);
    char since[TIME_TEXT_SIZE], next[TIME_TEXT_SIZE];
    time_format_iso(i->waiting_since_us / US_PER_SECOND * US_PER_SECOND, since);
    time_format_iso(next_us / US_PER_SECOND * US_PER_SECOND, next);
    i->retry_at_us = next_us;
    i->ended_us = TIME_NONE;
    task_move(s, i, TASK_EVENT_RESCHEDULE, REASON_WAITING_LOOK,
        arena_printf(s->plan->arena, "waiting since %s, next look at %s%s%s", since, next,
            result->message ? ": " : "", result->message ? first_line(s, result->message) : ""));
    wake_set(s, &i->timer, mono_of_wall(s, next_us));
}

/* As in Airflow the end of a sensor's time is not retried, and retries do not begin it anew. */
static void end_of_wait(
    struct scheduler *s, struct instance *i, const struct attempt_result *result)
{
    enum task_event event = i->task->wait->soft_fail ? TASK_EVENT_SKIP : TASK_EVENT_FAIL;
    task_finish(s, i, event, REASON_WAITED_TOO_LONG, first_line(s, result->message));
}

/* What a look that found nothing comes to when it was the last one. */
static struct attempt_result waited_too_long(
    struct scheduler *s, const struct instance *i, const struct attempt_result *result)
{
    struct attempt_result last = *result;
    char limit[32];
    duration_format(i->task->wait->timeout_us, limit);
    last.outcome = i->task->wait->soft_fail ? OUTCOME_SKIPPED : OUTCOME_FAILED;
    last.error_class = CLASS_TIMEOUT;
    last.message = arena_printf(s->plan->arena, "waited for %s, its timeout%s%s", limit,
        result->message ? ": " : "", result->message ? result->message : "");
    return last;
}

/* The attempt ended without being the task's fault: another one at once, as the same try. */
static void again(struct scheduler *s, struct instance *i, enum reason reason, const char *message)
{
    i->try_number--;
    i->ready_us = s->now.wall_us;
    task_move(s, i, TASK_EVENT_AGAIN, reason, first_line(s, message));
    if (task_verdict(i) == VERDICT_RUN) {
        slots_enqueue(s, i);
        return;
    }
    task_move(s, i, TASK_EVENT_UNREADY, REASON_WAITING_UPSTREAM, NULL);
    task_wants_evaluation(s, i);
}

static void again_or_fail(struct scheduler *s, struct instance *i, int32_t *count, int32_t free_max,
    const struct attempt_result *result)
{
    bool lost = result->outcome == OUTCOME_LOST;
    if (++*count <= free_max)
        again(s, i, lost ? REASON_LOST : REASON_INTERRUPTED, result->message);
    else
        fail(s, i, result);
}

static void expand(struct scheduler *s, struct instance *i, const struct attempt_result *result)
{
    struct attempt_result failure = *result;
    failure.outcome = OUTCOME_FAILED;
    failure.error_class = CLASS_OTHER;
    if (s->instance_count + result->mapped_count > INSTANCES_MAX) {
        failure.message =
            arena_printf(s->plan->arena, "%d task instances are live already", (int)INSTANCES_MAX);
        fail(s, i, &failure);
    } else if (result->mapped_count > MAPPED_MAX) {
        failure.message = arena_printf(s->plan->arena, "%zu instances: at most %d are allowed",
            result->mapped_count, (int)MAPPED_MAX);
        fail(s, i, &failure);
    } else {
        mapping_expand(s, i, result);
    }
}

static void take_outcome(
    struct scheduler *s, struct instance *i, const struct attempt_result *result)
{
    switch (result->outcome) {
    case OUTCOME_SUCCESS:
        if (mapping_is_head(i))
            expand(s, i, result);
        else
            succeed(s, i, result,
                result->committed_before ? REASON_COMMITTED_BEFORE : REASON_SUCCEEDED,
                result->committed_before ? result->message : first_line(s, result->message));
        break;
    case OUTCOME_SKIPPED:
        /* the reason tells a restart, should a void come first, what the task is to become */
        task_set_reason(s, i, REASON_SKIPPED_SELF, first_line(s, result->message));
        task_finish(s, i, TASK_EVENT_SKIP, REASON_SKIPPED_SELF, first_line(s, result->message));
        break;
    case OUTCOME_FAILED: fail(s, i, result); break;
    case OUTCOME_CANCELLED:
        task_finish(s, i, TASK_EVENT_FAIL, REASON_CANCELLED, first_line(s, result->message));
        break;
    case OUTCOME_INTERRUPTED:
        again_or_fail(s, i, &i->interrupted_count, INTERRUPTED_FREE_MAX, result);
        break;
    case OUTCOME_LOST: again_or_fail(s, i, &i->lost_count, LOST_FREE_MAX, result); break;
    case OUTCOME_PARTLY:
        task_finish(s, i, TASK_EVENT_FAIL, REASON_PARTLY_COMMITTED, first_line(s, result->message));
        break;
    case OUTCOME_SUPERSEDED:
        task_finish(s, i, TASK_EVENT_FAIL, REASON_SUPERSEDED, first_line(s, result->message));
        break;
    case OUTCOME_WAIT: wait_on(s, i, result); break;
    }
}

/* What the end says about commits.  A success, a partly committed attempt and one that found its
   generation void have read the ledger: nothing of the generation can commit behind our back. */
static void take_commit_state(struct instance *i, const struct attempt_result *result)
{
    bool proven = result->outcome == OUTCOME_SUCCESS || result->outcome == OUTCOME_PARTLY ||
                  result->outcome == OUTCOME_SUPERSEDED;
    if (result->may_commit && !proven) {
        i->unsettled = true;
        i->unsettled_generation = i->attempt_generation;
    } else if (proven && (i->unsettled_generation == i->attempt_generation ||
                             result->outcome == OUTCOME_SUCCESS)) {
        /* a success of this generation came after the void of the one before */
        i->unsettled = false;
    }
}

/* The executor has nothing of it any more, and it holds nothing. */
static void let_go(struct scheduler *s, struct instance *i, const struct attempt_result *result)
{
    i->alive = false;
    wake_stop(s, &i->timer);
    if (result->outcome != OUTCOME_WAIT || !PLANTED(SENSOR_KEEPS_SLOT))
        slots_release(s, i);
    forget(s, i);
    if (i->started_us == TIME_NONE && result->started_us > 0)
        i->started_us = result->started_us;
}

static void take_end(struct scheduler *s, struct instance *i, const struct attempt_result *result)
{
    let_go(s, i, result);
    i->ended_us = s->now.wall_us;
    take_commit_state(i, result);
    task_changed(s, i); /* durable even when what follows waits for a void */
    if (result->outcome != OUTCOME_WAIT) {
        end_row(s, i, result);
        return;
    }
    i->looks++;
    i->interrupted_count = 0; /* it gets on */
    if (i->waiting_since_us == TIME_NONE)
        i->waiting_since_us = s->now.wall_us;
}

/* What was wanted of it stands, unless it has succeeded: what is committed is committed. */
static void take_end_with_intent(
    struct scheduler *s, struct instance *i, const struct attempt_result *result)
{
    if (i->intent.event == TASK_EVENT_RESTART || i->intent.event == TASK_EVENT_MARK_SUCCESS) {
        carry_out(s, i);
    } else if (result->outcome == OUTCOME_SUCCESS && i->attempt_generation == i->generation &&
               !mapping_is_head(i)) {
        succeed(s, i, result, REASON_COMMITTED_BEFORE, "it succeeded before it could be stopped");
    } else if (i->unsettled) {
        attempt_settle(s, i);
    } else {
        carry_out(s, i);
    }
}

/* An attempt that was told to end because of execution_timeout, and did. */
static struct attempt_result timed_out(
    struct scheduler *s, const struct instance *i, const struct attempt_result *result)
{
    struct attempt_result timeout = *result;
    char limit[32];
    duration_format(i->task->execution_timeout_us, limit);
    timeout.outcome = OUTCOME_FAILED;
    timeout.error_class = CLASS_TIMEOUT;
    timeout.message =
        arena_printf(s->plan->arena, "stopped: execution_timeout of %s was reached", limit);
    return timeout;
}

void attempt_end(
    struct scheduler *s, struct instance *i, const struct attempt_result *end_of_attempt)
{
    struct attempt_result result = *end_of_attempt;
    bool stopped = result.outcome == OUTCOME_CANCELLED || result.outcome == OUTCOME_INTERRUPTED;
    bool is_last = result.outcome == OUTCOME_WAIT && s->now.wall_us >= wait_end_us(i);
    if (!i->intent.set && i->reason == REASON_TIMED_OUT && stopped)
        result = timed_out(s, i, &result);
    else if (i->intent.set && result.outcome == OUTCOME_WAIT)
        result.outcome = OUTCOME_CANCELLED;
    else if (is_last)
        result = waited_too_long(s, i, &result);
    take_end(s, i, &result);
    if (i->intent.set)
        take_end_with_intent(s, i, &result);
    else if (is_last)
        end_of_wait(s, i, &result);
    else
        take_outcome(s, i, &result);
}

void attempt_finished(struct scheduler *s, const struct event *event)
{
    struct instance *i = find(s, event);
    const struct attempt_result *result = event->result;
    if (!i || !i->alive || trigger_is_asked(s, i))
        return;
    if (result->outcome == OUTCOME_SUCCESS && result->trigger && !mapping_is_head(i))
        trigger_take(s, i, result);
    else
        attempt_end(s, i, result);
}

/* ---- deferred tasks ---- */

void attempt_fail_for_good(struct scheduler *s, struct instance *i,
    const struct attempt_result *result, enum reason reason)
{
    take_end(s, i, result);
    task_finish(s, i, TASK_EVENT_FAIL, reason, first_line(s, result->message));
}

void attempt_defer(
    struct scheduler *s, struct instance *i, const struct attempt_result *result, const char *text)
{
    let_go(s, i, result);
    i->deferred = true;
    task_move(s, i, TASK_EVENT_DEFER, REASON_WAITING_RUN, text);
    attempt_arm_timeout(s, i);
}

static void leave_deferred(
    struct scheduler *s, struct instance *i, const struct attempt_result *result)
{
    trigger_leave(i);
    wake_stop(s, &i->timer);
    i->ended_us = s->now.wall_us;
    end_row(s, i, result);
}

void attempt_end_deferred(struct scheduler *s, struct instance *i,
    const struct attempt_result *result, enum reason reason)
{
    leave_deferred(s, i, result);
    if (result->outcome == OUTCOME_SUCCESS)
        succeed(s, i, result, REASON_SUCCEEDED, first_line(s, result->message));
    else
        task_finish(s, i, TASK_EVENT_FAIL, reason, first_line(s, result->message));
}

void attempt_defer_again(struct scheduler *s, struct instance *i)
{
    leave_deferred(s, i,
        &(struct attempt_result){.outcome = OUTCOME_INTERRUPTED,
            .message = "the run that it waits for is looked for again",
            .exit_code = -1});
    i->try_number--;
    i->ready_us = s->now.wall_us;
    task_move(s, i, TASK_EVENT_WAKE, REASON_INTERRUPTED, NULL);
    slots_enqueue(s, i);
    task_wants_evaluation(s, i);
}

static void deferred_too_long(struct scheduler *s, struct instance *i)
{
    struct attempt_result result = timed_out(s, i, &(struct attempt_result){.exit_code = -1});
    leave_deferred(s, i, &result);
    fail(s, i, &result);
}

/* ---- timers and restarts ---- */

static void wake(struct scheduler *s, struct instance *i)
{
    i->ready_us = s->now.wall_us;
    i->retry_at_us = TIME_NONE;
    if (task_verdict(i) != VERDICT_RUN) {
        task_move(s, i, TASK_EVENT_UNREADY, REASON_WAITING_UPSTREAM, NULL);
        task_wants_evaluation(s, i);
        return;
    }
    task_move(s, i, TASK_EVENT_WAKE, REASON_WAITING_TURN, NULL);
    slots_enqueue(s, i);
}

static void time_out(struct scheduler *s, struct instance *i)
{
    task_set_reason(s, i, REASON_TIMED_OUT, "execution_timeout was reached: stopping the attempt");
    emit_task_effect(s, EFFECT_CANCEL, i);
}

static bool waits_for_its_time(const struct instance *i)
{
    return i->state == TASK_UP_FOR_RETRY || i->state == TASK_UP_FOR_RESCHEDULE;
}

/* A retry waits for a length of time, the next look of a sensor for a time. */
void attempt_clock_moved(struct scheduler *s, struct instance *i)
{
    if (i->state == TASK_UP_FOR_RESCHEDULE && i->timer.entry.slot && !i->settling)
        wake_set(s, &i->timer, mono_of_wall(s, i->retry_at_us));
}

void task_timer_due(struct scheduler *s, struct instance *i)
{
    if (i->settling)
        attempt_settle(s, i);
    else if (i->alive && !i->intent.set)
        time_out(s, i);
    else if (i->deferred)
        deferred_too_long(s, i);
    else if (waits_for_its_time(i))
        wake(s, i);
}

static void resume_alive(struct scheduler *s, struct instance *i)
{
    know(s, i);
    slots_hold(s, i);
    if (i->state == TASK_RESTARTING && i->reason == REASON_CLEARED)
        task_set_intent(i, &(struct intent){true, TASK_EVENT_RESTART, REASON_CLEARED, NULL});
    if (i->intent.set || i->reason == REASON_TIMED_OUT)
        emit_task_effect(s, EFFECT_CANCEL, i);
    else if (i->started_us != TIME_NONE)
        attempt_arm_timeout(s, i);
}

/* Whether the reason of its row tells what it is to become.  In state none "settling" tells that a
   generation waits to begin, and nothing else. */
static bool tells_intent(const struct instance *i)
{
    bool begins = i->reason == REASON_SETTLING || i->reason == REASON_IN_DOUBT;
    if (i->reason == REASON_REMOVED_INDEX)
        return i->state != TASK_REMOVED;
    return !task_state_finished(i->state) && (i->state != TASK_NONE || !begins);
}

void attempt_resume(struct scheduler *s, struct instance *i)
{
    struct intent intent;
    if (tells_intent(i) && intent_of_reason(i->run, i->reason, &intent)) {
        bool own_text = i->reason == REASON_SETTLING || i->reason == REASON_SKIPPED_SELF;
        intent.text = own_text ? i->text : NULL;
        bool stopped = i->reason == REASON_CANCELLING || i->reason == REASON_FAIL_FAST;
        if (stopped && !task_state_holds_slots(i->state)) /* no attempt of it was under way */
            intent.event = TASK_EVENT_SKIP;
        task_set_intent(i, &intent);
    }
    if (i->alive)
        resume_alive(s, i);
    else if (i->intent.set && i->unsettled)
        attempt_settle(s, i);
    else if (i->intent.set)
        carry_out(s, i);
    else if (waits_for_its_time(i))
        wake_set(s, &i->timer, mono_of_wall(s, i->retry_at_us));
    else if (i->state == TASK_SCHEDULED)
        slots_enqueue(s, i);
    else if (i->deferred)
        trigger_resume(s, i);
    task_wants_evaluation(s, i);
}
