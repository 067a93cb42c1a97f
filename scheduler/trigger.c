/*
 * Runs that tasks make: `trigger_dag`.  The attempt only says which run is wanted; the run is made
 * here, in the plan that makes the task's success durable, so that a crash loses both or neither.
 * Its row names its maker: a retry finds what the generation has made, a cleared task clears it,
 * and a run that somebody else made is left alone.
 */
#include "scheduler/internal.h"

/* An attempt that has ended with an order, while its date's run, if there is one, is loaded. */
struct asked_run {
    struct attempt_id attempt;
    struct attempt_result result; /* texts in the arena */
    struct trigger_order order;
    struct arena *arena;
};

/* ---- waiting for the run's end ---- */

static const char *run_name(struct scheduler *s, const struct run *run)
{
    return arena_printf(s->plan->arena, "run %s of `%s`", run->run_id, run->dag->dag_id);
}

/* The task's XCom: which run it made. */
static const char *run_json(struct scheduler *s, const struct run *run)
{
    struct strbuf text = {.arena = s->plan->arena};
    struct json_writer out = json_begin(&text);
    json_object_begin(&out);
    json_kv_str(&out, "dag_id", run->dag->dag_id);
    json_kv_str(&out, "run_id", run->run_id);
    json_kv_time(&out, "logical_date", run->logical_us);
    json_object_end(&out);
    return strbuf_finish(&text, s->plan->arena).p;
}

/* What a finished run means for the task that waits for it. */
static struct attempt_result result_of(struct scheduler *s, const struct run *run)
{
    bool failed = run->state == RUN_FAILED;
    return (struct attempt_result){.outcome = failed ? OUTCOME_FAILED : OUTCOME_SUCCESS,
        .error_class = failed ? CLASS_OTHER : CLASS_NONE,
        .exit_code = -1,
        .message = failed ? arena_printf(s->plan->arena,
                                "%s failed: %s\nhint: when that is mended, clear this task: it "
                                "clears the run",
                                run_name(s, run), run->text ? run->text : reason_text(run->reason))
                          : arena_printf(s->plan->arena, "%s succeeded", run_name(s, run)),
        .xcom = run_json(s, run)};
}

static void wait_for(struct instance *i, struct run *run)
{
    run->waiter = i;
    i->waits_for = run;
}

void trigger_leave(struct instance *i)
{
    i->deferred = false;
    if (i->waits_for)
        i->waits_for->waiter = NULL;
    i->waits_for = NULL;
}

void trigger_run_ended(struct scheduler *s, struct run *run)
{
    if (!run->waiter)
        return;
    struct attempt_result result = result_of(s, run);
    attempt_end_deferred(s, run->waiter, &result, REASON_TRIGGERED_FAILED);
}

/* Where that run is not live, the next attempt finds out what became of it. */
void trigger_resume(struct scheduler *s, struct instance *i)
{
    struct run *run = run_find(s, i->triggered);
    if (!run || !run->live) {
        attempt_defer_again(s, i);
        return;
    }
    if (!PLANTED(WAIT_FORGOTTEN))
        wait_for(i, run);
    attempt_arm_timeout(s, i);
    dag_wants_step(s, run->dag);
}

/* ---- the run ---- */

static bool is_maker(const struct run *run, const struct instance *i)
{
    if (PLANTED(FOREIGN_RUN_TAKEN))
        return true;
    return run->maker.run.v == i->run->id.v && run->maker.map_index == i->map_index &&
           str_equal(run->maker.task_id, i->task->task_id);
}

static struct run_maker maker_of(const struct instance *i)
{
    return (struct run_maker){i->run->id, i->task->task_id, i->map_index, i->generation};
}

/* "`wake[2]` of etl 2030-01-01T00:00:00+00:00" */
static const char *maker_name(struct scheduler *s, const struct instance *i)
{
    struct strbuf text = {.arena = s->plan->arena};
    char date[TIME_TEXT_SIZE];
    time_format_iso(i->run->logical_us, date);
    strbuf_add_char(&text, '`');
    instance_name(i, &text);
    strbuf_printf(&text, "` of %s %s", i->run->dag->dag_id, date);
    return strbuf_finish(&text, s->plan->arena).p;
}

static void refuse_date(const struct run *run, struct error *err)
{
    char date[TIME_TEXT_SIZE];
    time_format_iso(run->logical_us, date);
    error_set(err, ERR_DATE_TAKEN, "`%s` has a run of %s that this task did not make: %s",
        run->dag->dag_id, date, run->run_id);
    error_hint(err, "to run it again: dag clear %s %s", run->dag->dag_id, run->run_id);
}

/* The task was cleared: what it made runs again, as `dag clear` has it, with the conf of now. */
static void clear_own(
    struct scheduler *s, struct run *run, struct instance *i, const struct trigger_order *order)
{
    const char *by = maker_name(s, i);
    struct shape *newest = run->dag->newest;
    run->keep_version = false;
    if (run->tasks && run->shape != newest && !run_blocks_version(run, newest))
        run_take_version(s, run, newest);
    run->conf = arena_strdup(run->arena, order->conf);
    run->maker.generation = i->generation;
    run_clear(s, run, NULL, arena_printf(s->plan->arena, "cleared by %s", by));
}

/* Finds, clears or makes it; `existing` is the run of its date, NULL without. */
static enum status find_or_make(struct scheduler *s, struct instance *i,
    const struct trigger_order *order, struct run *existing, struct run **ret, struct error *err)
{
    struct live_dag *dag = NULL;
    if (existing && !is_maker(existing, i)) {
        refuse_date(existing, err);
        return ERR_DATE_TAKEN;
    }
    if (existing && existing->maker.generation == i->generation) {
        *ret = existing;
        return OK;
    }
    enum status status = dag_for_new_run(s, order->dag_id, &dag, err);
    if (status)
        return status;
    if (existing)
        clear_own(s, existing, i, order);
    else
        existing = run_make_manual(s, (struct run_spec){.dag = dag,
                                          .logical_us = order->logical_us,
                                          .conf = order->conf,
                                          .triggered_by = maker_name(s, i),
                                          .maker = maker_of(i)});
    existing->only_awaited = s->no_schedules;
    *ret = existing;
    return OK;
}

static void fail(struct scheduler *s, struct instance *i, const struct attempt_result *result,
    const struct error *err)
{
    struct attempt_result failure = *result;
    const char *hint = err->hint[0] ? err->hint : status_info(err->status)->remedy;
    failure.outcome = OUTCOME_FAILED;
    failure.error_class = CLASS_OTHER;
    failure.message = arena_printf(s->plan->arena, "%s%s%s", err->message,
        hint && hint[0] ? "\nhint: " : "", hint ? hint : "");
    if (err->status == ERR_DATE_TAKEN)
        attempt_fail_for_good(s, i, &failure, REASON_DATE_TAKEN);
    else
        attempt_end(s, i, &failure);
}

static void carry_out(struct scheduler *s, struct instance *i, const struct attempt_result *result,
    struct run *existing)
{
    struct error err = {0};
    struct run *run = NULL;
    if (find_or_make(s, i, result->trigger, existing, &run, &err)) {
        fail(s, i, result, &err);
        return;
    }
    struct attempt_result success = *result;
    bool ended = run_state_finished(run->state);
    success.xcom = run_json(s, run);
    i->triggered = run->id;
    if (!i->task->trigger->wait) {
        success.message = arena_printf(s->plan->arena, "triggered %s", run_name(s, run));
        attempt_end(s, i, &success);
    } else if (!ended) {
        attempt_defer(
            s, i, &success, arena_printf(s->plan->arena, "waiting for %s", run_name(s, run)));
        wait_for(i, run);
        dag_wants_step(s, run->dag);
    } else if (run->state == RUN_FAILED) {
        success = result_of(s, run);
        attempt_fail_for_good(s, i, &success, REASON_TRIGGERED_FAILED);
    } else {
        success.message = result_of(s, run).message;
        attempt_end(s, i, &success);
    }
}

/* ---- whether the date has a run ---- */

static struct asked_run *copy_result(const struct instance *i, const struct attempt_result *result)
{
    struct arena *arena = arena_new();
    struct asked_run *asked = arena_new_of(arena, struct asked_run);
    asked->arena = arena;
    asked->attempt = i->attempt;
    asked->result = *result;
    asked->order = *result->trigger;
    asked->order.dag_id = arena_strdup(arena, result->trigger->dag_id);
    asked->order.conf = arena_strdup(arena, result->trigger->conf);
    asked->result.trigger = &asked->order;
    asked->result.message = arena_strdup(arena, result->message);
    asked->result.place = arena_strdup(arena, result->place);
    asked->result.detail = arena_strdup(arena, result->detail);
    asked->result.xcom = asked->result.decision = NULL;
    return asked;
}

/* Only live runs are in memory: of any other date the store is asked. */
static void ask(struct scheduler *s, struct instance *i, const struct attempt_result *result)
{
    struct asked_run *asked = copy_result(i, result);
    vec_push(&s->asked, asked);
    struct effect *effect = emit_effect(s, EFFECT_LOAD_RUN, NULL);
    effect->run.dag_id = in_plan(s, asked->order.dag_id);
    effect->run.logical_us = asked->order.logical_us;
}

bool trigger_is_asked(const struct scheduler *s, const struct instance *i)
{
    for (size_t n = 0; n < s->asked.count; n++)
        if (str_equal(s->asked.at[n]->attempt.text, i->attempt.text))
            return true;
    return false;
}

/* Whoever wants the attempt stopped, or its timeout, has come before the run was made. */
static void take_order(struct scheduler *s, struct instance *i, const struct attempt_result *result,
    struct run *existing)
{
    if (!i->intent.set && i->reason != REASON_TIMED_OUT) {
        carry_out(s, i, result, existing);
        return;
    }
    struct attempt_result cancelled = *result;
    cancelled.outcome = OUTCOME_CANCELLED;
    attempt_end(s, i, &cancelled);
}

void trigger_take(struct scheduler *s, struct instance *i, const struct attempt_result *result)
{
    const struct live_dag *dag = dag_find(s, result->trigger->dag_id);
    struct run *live = dag ? dag_live_run(dag, result->trigger->logical_us) : NULL;
    bool refused = !dag || map_count(s->runs) >= RUNS_MAX; /* without a look at the store */
    if (refused || live || i->intent.set || i->reason == REASON_TIMED_OUT)
        take_order(s, i, result, live);
    else
        ask(s, i, result);
}

/* Its attempt may be gone meanwhile: the task has left its run. */
static void answer(struct scheduler *s, struct asked_run *asked, const struct live_dag *dag)
{
    struct instance *i = map_get(s->attempts, asked->attempt.text);
    struct run *existing = dag_live_run(dag, asked->order.logical_us);
    if (!existing)
        existing = dag_loaded_run(s, dag, asked->order.logical_us);
    if (i && i->alive)
        take_order(s, i, &asked->result, existing);
    arena_free(asked->arena);
}

void trigger_run_loaded(struct scheduler *s, struct live_dag *dag, int64_t logical_us)
{
    for (size_t n = 0; n < s->asked.count;) {
        struct asked_run *asked = s->asked.at[n];
        if (asked->order.logical_us != logical_us || !str_equal(asked->order.dag_id, dag->dag_id)) {
            n++;
            continue;
        }
        vec_remove(&s->asked, n);
        answer(s, asked, dag);
    }
}

void trigger_free(struct scheduler *s)
{
    vec_each (asked, &s->asked)
        arena_free((*asked)->arena);
    vec_done(&s->asked);
}
