#include "scheduler/forecast.h"

#include <limits.h>
#include <stdlib.h>
#include "base/heap.h"
#include "base/vec.h"
#include "language/timetable/timetable.h"
#include "scheduler/limits.h"
#include "scheduler/simulate.h"

struct cast_attempt {
    struct heap_entry entry;
    struct attempt_id id;
    const struct task *task;
    int64_t logical_us;
    bool expands;
};

/* From when on how many slots were in use. */
struct use_change {
    int64_t at_us;
    size_t slots;
    int used;
};

struct cast {
    const struct forecast_options *options;
    struct arena *arena;
    struct scheduler *scheduler;
    struct plan plan;
    struct instant now;
    struct heap ends;
    uint64_t sequence;
    bool closed; /* the period is over: no further runs are made */
    VEC(struct forecast_run) runs;
    VEC(int64_t) ids;
    VEC(struct forecast_slots) slots;
    VEC(int) used; /* of each, as last seen */
    VEC(struct use_change) changes;
};

/* ---- what the plans say ---- */

static struct forecast_run *run_of(struct cast *cast, const struct run_record *record)
{
    for (size_t n = cast->ids.count; n-- > 0;)
        if (cast->ids.at[n] == record->id.v)
            return &cast->runs.at[n];
    struct forecast_run *run = vec_add(&cast->runs);
    vec_push(&cast->ids, record->id.v);
    run->dag_id = arena_strdup(cast->arena, record->dag_id);
    run->run_id = arena_strdup(cast->arena, record->run_id);
    run->logical_us = record->logical_us;
    run->due_us = record->run_after_us;
    return run;
}

static void take_run(struct cast *cast, const struct run_record *record)
{
    struct forecast_run *run = run_of(cast, record);
    run->started_us = record->started_us;
    run->ended_us = record->ended_us;
    run->state = record->state;
}

static void take_start(struct cast *cast, const struct effect *effect)
{
    struct cast_attempt *attempt = arena_new_of(cast->arena, struct cast_attempt);
    const struct task *task = &effect->dag->tasks[effect->task];
    attempt->id = effect->attempt;
    attempt->task = task;
    attempt->logical_us = effect->run.logical_us;
    attempt->expands = task->expand.count && effect->map_index < 0;
    int64_t us = cast->options->duration_us(cast->options->context, effect->dag, task);
    heap_set(&cast->ends, &attempt->entry, cast->now.mono_us + us, ++cast->sequence);
}

static size_t find_slots(struct cast *cast, const struct slots_use *use)
{
    size_t n = 0;
    while (n < cast->slots.count && !(str_equal(cast->slots.at[n].kind, use->kind) &&
                                        str_equal(cast->slots.at[n].name, use->name)))
        n++;
    if (n < cast->slots.count)
        return n;
    struct forecast_slots *slots = vec_add(&cast->slots);
    slots->kind = use->kind;
    slots->name = arena_strdup(cast->arena, use->name);
    slots->total = use->total;
    vec_push(&cast->used, 0);
    return n;
}

static void see_slots(void *context, const struct slots_use *use)
{
    struct cast *cast = context;
    size_t n = find_slots(cast, use);
    struct forecast_slots *slots = &cast->slots.at[n];
    slots->most = use->used > slots->most ? use->used : slots->most;
    slots->most_waiting = use->waiting > slots->most_waiting ? use->waiting : slots->most_waiting;
    if (cast->used.at[n] == use->used)
        return;
    struct use_change change = {cast->now.wall_us, n, use->used};
    vec_push(&cast->changes, change);
    cast->used.at[n] = use->used;
}

static enum status apply(struct cast *cast, const struct event *event, struct error *err)
{
    plan_clear(&cast->plan);
    enum status status = scheduler_apply(cast->scheduler, event, cast->now, &cast->plan, err);
    if (status)
        return status;
    vec_each (change, &cast->plan.changes)
        if (change->kind == CHANGE_RUN)
            take_run(cast, &change->run);
    vec_each (effect, &cast->plan.effects)
        if (effect->kind == EFFECT_START)
            take_start(cast, effect);
    scheduler_slots(cast->scheduler, see_slots, cast);
    if (cast->runs.count <= SIMULATED_RUNS_MAX)
        return OK;
    error_set(err, ERR_LIMIT, "more than %d runs would be made", (int)SIMULATED_RUNS_MAX);
    error_hint(err, "take a shorter period");
    return ERR_LIMIT;
}

/* ---- time ---- */

static void move_clock(struct cast *cast, int64_t to_mono_us)
{
    if (to_mono_us <= cast->now.mono_us)
        return;
    cast->now.wall_us += to_mono_us - cast->now.mono_us;
    cast->now.mono_us = to_mono_us;
}

/* The run that a task triggers at its own date; false: a template says which, it is another date's,
   or the period is over. */
static bool find_order(
    const struct cast *cast, const struct cast_attempt *attempt, struct trigger_order *ret)
{
    const struct trigger_task *trigger = attempt->task->trigger;
    *ret = (struct trigger_order){trigger->dag_id.value, attempt->logical_us, "{}"};
    return !cast->closed && !attempt->expands && ret->dag_id && !strchr(ret->dag_id, '{') &&
           !trigger->logical_date.value && scheduler_dag_version(cast->scheduler, ret->dag_id);
}

static bool has_run(const struct cast *cast, const struct trigger_order *order)
{
    for (size_t n = 0; n < cast->runs.count; n++)
        if (cast->runs.at[n].logical_us == order->logical_us &&
            str_equal(cast->runs.at[n].dag_id, order->dag_id))
            return true;
    return false;
}

/* What a task triggers fails when the date has a run, as it would.  No other one is known to a
   store: there is none. */
static enum status tell_orders(struct cast *cast, const struct trigger_order *order,
    struct attempt_result *result, const struct event *end, struct error *err)
{
    struct event answer = {
        .kind = EVENT_RUN_LOADED, .dag_id = order->dag_id, .logical_us = order->logical_us};
    result->trigger = order;
    if (has_run(cast, order)) {
        result->outcome = OUTCOME_FAILED;
        result->error_class = CLASS_TEMPLATE;
    }
    enum status status = apply(cast, end, err);
    return status ? status : apply(cast, &answer, err);
}

static enum status finish(struct cast *cast, struct cast_attempt *attempt, struct error *err)
{
    struct attempt_result result = {.outcome = OUTCOME_SUCCESS, .exit_code = -1};
    struct trigger_order order;
    if (attempt->expands)
        simulated_expansion(&attempt->task->expand, cast->arena, &result);
    enum status status =
        apply(cast, &(struct event){.kind = EVENT_ATTEMPT_STARTED, .attempt = attempt->id}, err);
    struct event end = {.kind = EVENT_ATTEMPT_FINISHED, .attempt = attempt->id, .result = &result};
    if (status == OK && find_order(cast, attempt, &order))
        return tell_orders(cast, &order, &result, &end, err);
    return status ? status : apply(cast, &end, err);
}

/* The period is over: what has been made goes on to its end. */
static enum status close(struct cast *cast, struct error *err)
{
    enum status status = OK;
    cast->closed = true;
    for (size_t n = 0; n < cast->options->dag_count && !status; n++)
        status = apply(cast,
            &(struct event){.kind = EVENT_DAG_REMOVED, .dag_id = cast->options->dags[n]->dag_id},
            err);
    return status;
}

/* The next thing that happens; *ret_more false when nothing does any more. */
static enum status turn(struct cast *cast, bool *ret_more, struct error *err)
{
    struct heap_entry *end = heap_first(&cast->ends);
    int64_t tick_us = scheduler_next_due(cast->scheduler);
    int64_t over_us = cast->options->to_us - cast->options->from_us;
    int64_t next_us = end && end->due <= tick_us ? end->due : tick_us;
    if (!cast->closed && next_us > over_us) {
        move_clock(cast, over_us);
        return close(cast, err);
    }
    *ret_more = next_us != INT64_MAX;
    if (!*ret_more)
        return OK;
    move_clock(cast, next_us);
    if (!end || tick_us < end->due)
        return apply(cast, &(struct event){.kind = EVENT_TICK}, err);
    heap_remove(&cast->ends, end);
    return finish(cast, CONTAINER_OF(end, struct cast_attempt, entry), err);
}

/* ---- the project ---- */

/* The schedule has covered all that could have started by the period's begin. */
static enum status load_dag(struct cast *cast, const struct dag *dag, struct error *err)
{
    struct timetable_run newest;
    struct dag_record record = {.dag_id = dag->dag_id,
        .file = dag->file,
        .version = dag->version,
        .paused = dag->paused,
        .covered_until_us = TIME_NONE,
        .last_logical_us = TIME_NONE};
    if (dag->timetable && timetable_latest(dag->timetable, cast->options->from_us, &newest))
        record.covered_until_us =
            timetable_has_intervals(dag->timetable) ? newest.interval.end_us : newest.logical_us;
    return scheduler_load_dag(cast->scheduler, dag, &record, NULL, 0, err);
}

static enum status play(struct cast *cast, struct error *err)
{
    enum status status = OK;
    for (size_t n = 0; n < cast->options->dag_count && !status; n++)
        status = load_dag(cast, cast->options->dags[n], err);
    if (!status)
        status = apply(cast, &(struct event){.kind = EVENT_TICK}, err);
    for (bool more = true; more && !status;)
        status = turn(cast, &more, err);
    return status;
}

/* ---- the result ---- */

static int by_time(const void *a, const void *b)
{
    const struct forecast_run *x = a, *y = b;
    int order = (x->due_us > y->due_us) - (x->due_us < y->due_us);
    return order ? order : strcmp(x->dag_id, y->dag_id);
}

/* Adds what was in use from one time to another to the columns that it touches. */
static void add_use(
    struct forecast_slots *slots, int used, int64_t from_us, int64_t to_us, double column_us)
{
    for (int n = 0; n < FORECAST_COLUMNS && used; n++) {
        double low = (double)n * column_us, high = low + column_us;
        double first = (double)from_us > low ? (double)from_us : low;
        double last = (double)to_us < high ? (double)to_us : high;
        if (last > first)
            slots->use[n] += used * (last - first) / column_us;
    }
}

static void measure_use(struct cast *cast, int64_t until_us)
{
    int64_t from_us = cast->options->from_us;
    double column_us = (double)(until_us - from_us) / FORECAST_COLUMNS;
    int64_t *since = arena_array(cast->arena, int64_t, cast->slots.count);
    int *used = arena_array(cast->arena, int, cast->slots.count);
    vec_each (change, &cast->changes) {
        size_t n = change->slots;
        int64_t at_us = change->at_us - from_us;
        add_use(&cast->slots.at[n], used[n], since[n], at_us, column_us);
        since[n] = at_us;
        used[n] = change->used;
    }
    for (size_t n = 0; n < cast->slots.count; n++)
        add_use(&cast->slots.at[n], used[n], since[n], until_us - from_us, column_us);
}

static void give_result(struct cast *cast, struct forecast *ret)
{
    int64_t until_us = cast->options->to_us;
    size_t kept = 0;
    vec_each (run, &cast->runs)
        if (run->ended_us != TIME_NONE && run->ended_us > until_us)
            until_us = run->ended_us;
    measure_use(cast, until_us);
    for (size_t n = 0; n < cast->slots.count; n++)
        if (cast->slots.at[n].total != INT_MAX)
            cast->slots.at[kept++] = cast->slots.at[n];
    struct forecast_run *runs =
        arena_memdup(cast->arena, cast->runs.at, cast->runs.count * sizeof *runs);
    if (cast->runs.count)
        qsort(runs, cast->runs.count, sizeof *runs, by_time);
    *ret = (struct forecast){.runs = runs,
        .run_count = cast->runs.count,
        .slots = arena_memdup(cast->arena, cast->slots.at, kept * sizeof *cast->slots.at),
        .slots_count = kept,
        .until_us = until_us};
}

enum status forecast(const struct forecast_options *options, struct arena *arena,
    struct forecast *ret, struct error *err)
{
    struct cast cast = {.options = options, .arena = arena};
    struct scheduler_options scheduler_options = {.seed = 1,
        .pools = options->pools,
        .pool_count = options->pool_count,
        .connections = options->connections,
        .connection_count = options->connection_count,
        .max_processes = options->max_processes};
    cast.scheduler = scheduler_new(&scheduler_options);
    cast.now.wall_us = options->from_us;
    plan_init(&cast.plan);
    enum status status = play(&cast, err);
    if (!status)
        give_result(&cast, ret);
    scheduler_free(cast.scheduler);
    plan_done(&cast.plan);
    heap_done(&cast.ends);
    vec_done(&cast.runs);
    vec_done(&cast.ids);
    vec_done(&cast.slots);
    vec_done(&cast.used);
    vec_done(&cast.changes);
    return status;
}
