#include "scheduler/simulate.h"

#include <stdlib.h>
#include "base/heap.h"
#include "base/json.h"
#include "base/map.h"
#include "definition/model/choice.h"
#include "language/timetable/timetable.h"
#include "scheduler/limits.h"

/* An attempt in virtual time: it ends when the heap says so. */
struct play_attempt {
    struct heap_entry entry;
    struct attempt_id id;
    enum task_state outcome;
    const char *decision;        /* as in struct attempt_result */
    const struct expand *expand; /* it is an expansion */
};

/* States of the instances of each mapped task of a run, by task and map index. */
struct play_instances {
    enum task_state **states; /* NULL: not expanded */
};

struct play {
    const struct dag *dag;
    const struct simulate_options *options;
    const char **decisions; /* of each outcome: as in struct attempt_result */
    struct arena *arena;
    struct scheduler *scheduler;
    struct plan plan;
    struct instant now;
    struct heap ends;
    uint64_t sequence;
    VEC(struct simulated_run) runs;
    VEC(struct run_id) ids;
    VEC(struct play_instances) instances;
    enum status reply;
    const char *outcome; /* of the request */
};

/* What the outcome's choice comes to: as in struct attempt_result. */
static enum status read_choice(const struct dag *dag, const struct simulate_outcome *outcome,
    struct arena *arena, const char **ret, struct error *err)
{
    const struct task *task = dag_find_task(dag, outcome->task_id);
    *ret = NULL;
    if (!outcome->choice)
        return OK;
    if (!task_kind_decides(task->kind))
        return error_set(err, ERR_INVALID,
            "`%s` decides nothing: it is no branch, short_circuit "
            "or latest_only",
            task->task_id);
    if (task->kind != KIND_BRANCH) {
        *ret = choice_is_no(slice_of(outcome->choice)) ? "[]" : NULL;
        return OK;
    }
    bool *marks = arena_array(arena, bool, task->downstream.count);
    enum status status = choice_read(dag, task, slice_of(outcome->choice), marks, err);
    if (status == OK)
        *ret = choice_json(dag, task, marks, arena);
    return status;
}

static enum status report_no_task(const struct dag *dag, const char *task_id, struct error *err)
{
    CLEANUP(mem_freep) void *names = mem_alloc_zero(dag->task_count, sizeof(const char *));
    const char **ids = names;
    for (uint32_t n = 0; n < dag->task_count; n++)
        ids[n] = dag->tasks[n].task_id;
    error_set(err, ERR_NOT_FOUND, "`%s` has no task `%s`", dag->dag_id, task_id);
    const char *near = suggest(task_id, ids, dag->task_count);
    if (near)
        error_hint(err, "did you mean `%s`?", near);
    return ERR_NOT_FOUND;
}

static enum status read_outcomes(struct play *play, struct error *err)
{
    const struct simulate_options *options = play->options;
    enum status status = OK;
    play->decisions = arena_array(play->arena, const char *, options->outcome_count);
    for (size_t n = 0; status == OK && n < options->outcome_count; n++) {
        const struct simulate_outcome *outcome = &options->outcomes[n];
        if (!dag_find_task(play->dag, outcome->task_id))
            return report_no_task(play->dag, outcome->task_id, err);
        if (outcome->state != TASK_SUCCESS && outcome->state != TASK_FAILED &&
            outcome->state != TASK_SKIPPED)
            return error_set(err, ERR_INVALID, "`%s` cannot end in %s when it is run",
                outcome->task_id, task_state_name(outcome->state));
        status = read_choice(play->dag, outcome, play->arena, &play->decisions[n], err);
    }
    return status;
}

/* ---- what the plans say ---- */

static size_t place_of(const struct play *play, struct run_id id)
{
    size_t n = play->ids.count;
    while (n > 0 && play->ids.at[n - 1].v != id.v)
        n--;
    return n ? n - 1 : play->ids.count;
}

static struct simulated_run *find_run(struct play *play, struct run_id id)
{
    size_t place = place_of(play, id);
    if (place < play->ids.count)
        return &play->runs.at[place];
    struct simulated_run *run = vec_add(&play->runs);
    vec_push(&play->ids, id);
    *(struct play_instances *)vec_add(&play->instances) =
        (struct play_instances){arena_array(play->arena, enum task_state *, play->dag->task_count)};
    struct simulated_task *tasks =
        arena_array(play->arena, struct simulated_task, play->dag->task_count);
    for (uint32_t n = 0; n < play->dag->task_count; n++) {
        tasks[n].task_id = play->dag->tasks[n].task_id;
        tasks[n].started_us = tasks[n].ended_us = TIME_NONE;
    }
    run->tasks = tasks;
    run->task_count = play->dag->task_count;
    return run;
}

static void take_run(struct play *play, const struct run_record *record)
{
    struct simulated_run *run = find_run(play, record->id);
    run->run_id = arena_strdup(play->arena, record->run_id);
    run->logical_us = record->logical_us;
    run->interval_start_us = record->interval_start_us;
    run->interval_end_us = record->interval_end_us;
    run->state = record->state;
    run->reason = record->reason;
    run->reason_text = arena_strdup(play->arena, record->reason_text);
    run->started_us = record->started_us;
    run->ended_us = record->ended_us;
}

/* What counts first for what follows: what is not finished, then what failed. */
static int rank(enum task_state state)
{
    if (!task_state_finished(state))
        return 0;
    return state == TASK_FAILED            ? 1
           : state == TASK_UPSTREAM_FAILED ? 2
           : state == TASK_SUCCESS         ? 3
           : state == TASK_SKIPPED         ? 4
                                           : 5;
}

/* Notes the state of an instance; true when it is the one that decides. */
static bool take_instance(struct play *play, const struct task_record *record,
    const struct task *task, struct simulated_task *into)
{
    struct play_instances *run = &play->instances.at[place_of(play, record->run)];
    if (!run->states[task->index])
        run->states[task->index] = arena_array(play->arena, enum task_state, MAPPED_MAX);
    enum task_state *states = run->states[task->index];
    states[record->map_index] = record->state;
    if (into->instances <= record->map_index)
        into->instances = record->map_index + 1;
    for (int32_t n = 0; n < into->instances; n++)
        if (rank(states[n]) < rank(record->state))
            return false;
    return true;
}

static void take_task(struct play *play, const struct task_record *record)
{
    struct simulated_run *run = find_run(play, record->run);
    const struct task *task = dag_find_task(play->dag, record->task_id);
    struct simulated_task *into = (struct simulated_task *)&run->tasks[task->index];
    if (into->started_us == TIME_NONE)
        into->started_us = record->started_us;
    bool expanded = record->state == TASK_REMOVED && record->reason == REASON_EXPANDED;
    if (expanded || (record->map_index >= 0 && !take_instance(play, record, task, into)))
        return;
    into->state = record->state;
    into->reason = record->reason;
    into->reason_text = arena_strdup(play->arena, record->reason_text);
    into->attempts = record->tries_total;
    into->ended_us = record->ended_us;
}

static void take_outcome(const struct play *play, const char *task_id, struct play_attempt *attempt)
{
    attempt->outcome = TASK_SUCCESS;
    for (size_t n = 0; n < play->options->outcome_count; n++)
        if (str_equal(play->options->outcomes[n].task_id, task_id)) {
            attempt->outcome = play->options->outcomes[n].state;
            attempt->decision = play->decisions[n];
            return;
        }
}

static void take_start(struct play *play, const struct effect *effect)
{
    struct play_attempt *attempt = arena_new_of(play->arena, struct play_attempt);
    attempt->id = effect->attempt;
    const struct task *task = &play->dag->tasks[effect->task];
    take_outcome(play, task->task_id, attempt);
    int64_t duration_us = play->options->task_duration_us;
    duration_us = duration_us > 0 ? duration_us : US_PER_SECOND;
    if (task->expand.count && effect->map_index < 0) {
        attempt->expand = &task->expand;
        duration_us = 0;
    }
    heap_set(&play->ends, &attempt->entry, play->now.mono_us + duration_us, ++play->sequence);
}

static void take_reply(struct play *play, const struct effect *effect)
{
    play->reply = effect->status;
    play->outcome = arena_strdup(play->arena, effect->outcome);
}

static void take_plan(struct play *play)
{
    vec_each (change, &play->plan.changes) {
        if (change->kind == CHANGE_RUN)
            take_run(play, &change->run);
        else if (change->kind == CHANGE_TASK)
            take_task(play, &change->task.record);
    }
    vec_each (effect, &play->plan.effects) {
        if (effect->kind == EFFECT_START)
            take_start(play, effect);
        else if (effect->kind == EFFECT_REPLY)
            take_reply(play, effect);
    }
    plan_clear(&play->plan);
}

static enum status apply(struct play *play, const struct event *event, struct error *err)
{
    enum status status = scheduler_apply(play->scheduler, event, play->now, &play->plan, err);
    if (!status)
        take_plan(play);
    return status;
}

/* ---- playing ---- */

/* Of what only a run knows there is one value. */
static size_t count_values(const struct expand *expand)
{
    size_t count = 1;
    for (size_t n = 0; n < expand->count; n++) {
        const struct expand_source *source = &expand->at[n];
        size_t values = source->kind == EXPAND_VALUES ? json_array_size(source->values) : 1;
        if (!expand->zip)
            count *= values;
        else if (source->kind == EXPAND_VALUES)
            count = values;
    }
    return count;
}

void simulated_expansion(
    const struct expand *expand, struct arena *arena, struct attempt_result *ret)
{
    ret->mapped_count = count_values(expand);
    const char **values = arena_array(arena, const char *, ret->mapped_count);
    for (size_t n = 0; n < ret->mapped_count; n++)
        values[n] = "{}";
    ret->mapped = values;
}

static enum status expand(struct play *play, struct play_attempt *attempt, struct error *err)
{
    struct attempt_result result = {.outcome = OUTCOME_SUCCESS, .exit_code = -1};
    simulated_expansion(attempt->expand, play->arena, &result);
    return apply(play,
        &(struct event){.kind = EVENT_ATTEMPT_FINISHED, .attempt = attempt->id, .result = &result},
        err);
}

static enum status finish(struct play *play, struct play_attempt *attempt, struct error *err)
{
    if (attempt->expand)
        return expand(play, attempt, err);
    struct attempt_result result = {.exit_code = -1,
        .decision = attempt->decision,
        .outcome = attempt->outcome == TASK_SUCCESS   ? OUTCOME_SUCCESS
                   : attempt->outcome == TASK_SKIPPED ? OUTCOME_SKIPPED
                                                      : OUTCOME_FAILED};
    if (result.outcome == OUTCOME_FAILED)
        result.message = "failed, as the outcomes say";
    else if (result.outcome == OUTCOME_SKIPPED)
        result.message = "skipped, as the outcomes say";
    return apply(play,
        &(struct event){.kind = EVENT_ATTEMPT_FINISHED, .attempt = attempt->id, .result = &result},
        err);
}

static void move_clock(struct play *play, int64_t to_mono_us)
{
    if (to_mono_us <= play->now.mono_us)
        return;
    play->now.wall_us += to_mono_us - play->now.mono_us;
    play->now.mono_us = to_mono_us;
}

/* Each turn takes the next thing that happens; true when something did. */
static enum status turn(struct play *play, bool *ret_more, struct error *err)
{
    struct heap_entry *end = heap_first(&play->ends);
    int64_t tick_us = scheduler_next_due(play->scheduler);
    *ret_more = end || tick_us != INT64_MAX;
    if (!*ret_more)
        return OK;
    if (!end || tick_us < end->due) {
        move_clock(play, tick_us);
        return apply(play, &(struct event){.kind = EVENT_TICK}, err);
    }
    move_clock(play, end->due);
    heap_remove(&play->ends, end);
    struct play_attempt *attempt = CONTAINER_OF(end, struct play_attempt, entry);
    enum status status =
        apply(play, &(struct event){.kind = EVENT_ATTEMPT_STARTED, .attempt = attempt->id}, err);
    return status ? status : finish(play, attempt, err);
}

/* The request's answer as an error. */
static enum status refusal(const struct play *play, struct error *err)
{
    CLEANUP(json_decrefp) json_t *answer = NULL;
    if (json_parse(play->outcome, strlen(play->outcome), NULL, &answer, err))
        return ERR_INTERNAL;
    error_set(err, play->reply, "%s", json_string_value(json_object_get(answer, "message")));
    error_hint(err, "%s", json_string_value(json_object_get(answer, "hint")));
    return play->reply;
}

static enum status ask(struct play *play, struct error *err)
{
    const struct simulate_options *options = play->options;
    bool range = options->from_us != TIME_NONE || options->to_us != TIME_NONE;
    struct request request = {.kind = range ? REQUEST_BACKFILL : REQUEST_TRIGGER,
        .dag_id = play->dag->dag_id,
        .logical_us = TIME_NONE,
        .user = "simulation",
        .backfill = {.from_us = options->from_us,
            .to_us = options->to_us == TIME_NONE ? INT64_MAX : options->to_us,
            .only = "missing"}};
    enum status status =
        apply(play, &(struct event){.kind = EVENT_REQUEST, .request = &request}, err);
    if (status)
        return status;
    return play->reply ? refusal(play, err) : OK;
}

static enum status play_all(struct play *play, struct error *err)
{
    enum status status =
        apply(play, &(struct event){.kind = EVENT_DAG_ADOPTED, .dag = play->dag}, err);
    if (!status)
        status = ask(play, err);
    for (bool more = true; more && !status;)
        status = turn(play, &more, err);
    return status;
}

static int by_date(const void *a, const void *b)
{
    int64_t x = ((const struct simulated_run *)a)->logical_us;
    int64_t y = ((const struct simulated_run *)b)->logical_us;
    return (x > y) - (x < y);
}

static void give_result(struct play *play, struct simulation *ret)
{
    *ret = (struct simulation){.run_count = play->runs.count};
    struct simulated_run *runs =
        arena_memdup(play->arena, play->runs.at, play->runs.count * sizeof *runs);
    qsort(runs, play->runs.count, sizeof *runs, by_date);
    ret->runs = runs;
    for (size_t n = 0; n < ret->run_count; n++)
        ret->unfinished |= !run_state_finished(runs[n].state);
}

static struct scheduler *scheduler_for(const struct dag *dag)
{
    enum { SLOTS_ENOUGH = 1 << 30 };
    /* paused: no scheduled runs, only what is asked for */
    struct scheduler_options options = {.seed = 1,
        .max_processes = SLOTS_ENOUGH,
        .paused_upon_creation = true,
        .start_empty_tasks = true};
    struct scheduler *scheduler = scheduler_new(&options);
    for (uint32_t n = 0; n < dag->task_count; n++)
        if (dag->tasks[n].pool)
            scheduler_set_pool(scheduler, dag->tasks[n].pool, SLOTS_ENOUGH);
    return scheduler;
}

static enum status check_range(
    const struct dag *dag, const struct simulate_options *options, struct error *err)
{
    if (options->from_us == TIME_NONE || !dag->timetable)
        return OK;
    int64_t to_us = options->to_us == TIME_NONE ? INT64_MAX : options->to_us;
    if (timetable_count(dag->timetable, options->from_us, to_us, SIMULATED_RUNS_MAX + 1) <=
        SIMULATED_RUNS_MAX)
        return OK;
    return error_set(
        err, ERR_LIMIT, "more than %d runs lie between the two dates", (int)SIMULATED_RUNS_MAX);
}

enum status simulate(const struct dag *dag, const struct simulate_options *options,
    struct arena *arena, struct simulation *ret, struct error *err)
{
    struct play play = {.dag = dag, .options = options, .arena = arena};
    enum status status = read_outcomes(&play, err);
    if (!status)
        status = check_range(dag, options, err);
    if (status)
        return status;
    play.scheduler = scheduler_for(dag);
    play.now.wall_us = options->now_us;
    plan_init(&play.plan);
    status = play_all(&play, err);
    if (!status)
        give_result(&play, ret);
    scheduler_free(play.scheduler);
    plan_done(&play.plan);
    heap_done(&play.ends);
    vec_done(&play.runs);
    vec_done(&play.ids);
    vec_done(&play.instances);
    return status;
}

void simulated_run_json(const struct simulated_run *run, bool with_run, struct strbuf *out)
{
    struct json_writer w = json_begin(out);
    json_object_begin(&w);
    if (with_run) {
        json_kv_str(&w, "run_id", run->run_id);
        json_kv_time(&w, "logical_date", run->logical_us);
    }
    json_kv_str(&w, "run_state", run_state_name(run->state));
    json_key(&w, "tasks");
    json_object_begin(&w);
    for (size_t n = 0; n < run->task_count; n++)
        json_kv_str(&w, run->tasks[n].task_id, task_state_name(run->tasks[n].state));
    json_object_end(&w);
    json_object_end(&w);
}
