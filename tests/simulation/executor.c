/* Attempts: what the executor, its processes and its database sessions do. */
#include "tests/simulation/invariants.h"

static int64_t between(struct sim *sim, int64_t low_us, int64_t high_us)
{
    return low_us + (int64_t)sim_pick(sim, (uint64_t)(high_us - low_us + 1));
}

/* An error of the moment, on the way to something: never when all is calm. */
static bool goes_wrong(struct sim *sim, uint64_t of_thousand)
{
    bool faults = sim->kind == EPISODE_CHAOS || sim->kind == EPISODE_DISTURBED;
    return faults && !sim->calm && sim_chance(sim, of_thousand);
}

struct attempt *attempt_find(struct sim *sim, const char *uuid)
{
    return map_get(sim->attempts, uuid);
}

/* ---- slots, as the leader sees them ---- */

static void use_slots(struct sim *sim, const struct attempt *attempt, int by)
{
    int connection = connection_number(attempt->connection);
    sim->pool_used[pool_number(attempt->pool)] += by * attempt->pool_slots;
    if (connection >= 0)
        sim->connection_used[connection] += by;
    if (attempt->def->kind == KIND_BASH)
        sim->process_used += by;
    attempt->task->run->active += by;
}

void attempt_set_ended(struct sim *sim, struct attempt *attempt, bool ended)
{
    if (attempt->ended == ended)
        return;
    attempt->ended = ended;
    use_slots(sim, attempt, ended ? -1 : 1);
}

static void take_needs(struct attempt *attempt, const struct task *def)
{
    attempt->def = def;
    attempt->connection = def->sql.connection;
    attempt->pool = def->pool;
    attempt->pool_slots = def->pool_slots;
}

/* After a restart an attempt counts with what the newest version says that its task needs; with one
   slot of the default pool while there is no version. */
void attempt_reload(struct sim *sim, struct attempt *attempt)
{
    static const struct task unknown = {.kind = KIND_SQL, .pool = "default_pool", .pool_slots = 1};
    const struct sim_dag *dag = attempt->task->run->dag;
    const struct dag *version = project_kept_version(sim, attempt->task->run);
    const struct dag *newest = project_newest(dag);
    bool takes_newest = !version || (!attempt->task->run->durable.keeps_version &&
                                        str_equal(version->graph_version, newest->graph_version));
    if (!dag->gone && takes_newest)
        version = newest;
    const struct task *def =
        version ? dag_find_task(version, task_name(attempt->task->number)) : &unknown;
    attempt_set_ended(sim, attempt, true);
    if (def)
        take_needs(attempt, def);
    const struct task_record *record = &attempt->task->durable;
    bool is_current = attempt->task->in_store && task_state_holds_slots(record->state) &&
                      record->ended_us == TIME_NONE &&
                      str_equal(record->attempt.text, attempt->id.text);
    attempt_set_ended(
        sim, attempt, !def || !is_current || !attempt->in_store || attempt->ended_in_store);
}

/* The leader has decided that it starts. */
void attempt_decided(struct sim *sim, const struct effect *effect)
{
    const struct task *def = &effect->dag->tasks[effect->task];
    struct attempt *attempt = effect->looks ? attempt_find(sim, effect->attempt.text) : NULL;
    if (attempt) { /* a sensor looks again */
        take_needs(attempt, def);
        attempt_set_ended(sim, attempt, false);
        return;
    }
    bool is_head = def->expand.count && effect->map_index < 0;
    attempt = arena_new_of(sim->arena, struct attempt);
    *attempt = (struct attempt){.due.kind = DUE_ATTEMPT,
        .id = effect->attempt,
        .task = store_task(sim, effect->run.id, def->task_id, effect->map_index),
        .is_sql = def->kind == KIND_SQL && !is_head,
        .is_head = is_head,
        .is_sensor = def->kind == KIND_WAIT_FOR && !is_head,
        .triggers = def->kind == KIND_TRIGGER_DAG && !is_head,
        .ended = true,
        .generation = effect->generation,
        .try_number = effect->try_number,
        .number = effect->number,
        .fresh = effect->fresh_session,
        .void_before = effect->void_before,
        .void_generation = effect->void_generation};
    take_needs(attempt, def);
    map_set(sim->attempts, attempt->id.text, attempt);
    vec_push(&sim->open, attempt);
    attempt_set_ended(sim, attempt, false);
}

/* ---- messages ---- */

static void post(struct sim *sim, const struct message *what, int64_t delay_us)
{
    struct message *message = sim->free_messages;
    if (message)
        sim->free_messages = message->next_free;
    else
        message = arena_new_of(sim->arena, struct message);
    *message = *what;
    message->due = (struct due){.kind = DUE_MESSAGE};
    sim_at(sim, &message->due, delay_us);
}

static int64_t delivery_us(struct sim *sim)
{
    return goes_wrong(sim, 20) ? between(sim, US_PER_SECOND, 20 * US_PER_MINUTE)
                               : between(sim, 1, US_PER_MS);
}

static void tell_started(struct sim *sim, struct attempt *attempt)
{
    post(sim,
        &(struct message){
            .kind = EVENT_ATTEMPT_STARTED, .epoch = attempt->owner, .attempt = attempt},
        between(sim, 1, US_PER_MS));
}

static void tell_finished(struct sim *sim, struct attempt *attempt, int epoch)
{
    struct message message = {.kind = EVENT_ATTEMPT_FINISHED,
        .epoch = epoch,
        .attempt = attempt,
        .result = attempt->result};
    if (PLANTED(FINISH_LOST) && sim_pick(sim, 500) == 0)
        return;
    post(sim, &message, delivery_us(sim));
    if (goes_wrong(sim, 30))
        post(sim, &message, between(sim, 1, US_PER_HOUR));
}

/* What looks on the daemon's own loop ends with it. */
static bool dies_with_daemon(const struct attempt *attempt)
{
    return attempt->is_sql || attempt->is_head || attempt->is_sensor || attempt->triggers;
}

static void finish(struct sim *sim, struct attempt *attempt, const struct attempt_result *result)
{
    attempt->result = *result;
    attempt->result.exit_code = -1;
    if (result->outcome != OUTCOME_SUCCESS && !result->message)
        attempt->result.message = "it went wrong";
    bool lands =
        attempt->row && attempt->row->state == LEDGER_SENT && attempt->row->holder == attempt;
    attempt->stage = lands ? STAGE_LANDING : STAGE_OVER;
    if (result->outcome == OUTCOME_WAIT) {
        attempt->looks++;
        attempt->stage = STAGE_NONE;
    }
    if (lands)
        sim_at(sim, &attempt->due, between(sim, 1, 2 * US_PER_HOUR));
    sim_trace_task(sim, "executor: ended", attempt->task, (int)result->outcome, attempt->number, 0);
    tell_finished(sim, attempt, attempt->owner);
}

static void fail(struct sim *sim, struct attempt *attempt, enum error_class class)
{
    struct attempt_result result = {.outcome = OUTCOME_FAILED, .error_class = class};
    finish(sim, attempt, &result);
}

/* ---- start ---- */

void executor_start(struct sim *sim, struct daemon *by, const struct effect *effect)
{
    struct attempt *attempt = attempt_find(sim, effect->attempt.text);
    invariants_check(sim, WHEN_ACTED, &(struct moment){.effect = effect, .attempt = attempt});
    bool looked = attempt && effect->looks && attempt->stage == STAGE_OVER;
    if (!attempt || (attempt->stage != STAGE_NONE && !looked))
        return;
    attempt->stage = STAGE_HANDED;
    attempt->owner = by->epoch;
    sim_at(sim, &attempt->due,
        goes_wrong(sim, 20) ? between(sim, 1, US_PER_MINUTE) : between(sim, 1, 50 * US_PER_MS));
}

/* What the ledger says instead of letting it claim. */
static void finish_by_ledger(struct sim *sim, struct attempt *attempt, enum ledger_state met)
{
    struct attempt_result result = {.outcome = OUTCOME_SUPERSEDED};
    if (met == LEDGER_COMMITTED)
        result = (struct attempt_result){.outcome = OUTCOME_SUCCESS, .committed_before = true};
    else if (met == LEDGER_PARTLY)
        result.outcome = OUTCOME_PARTLY;
    finish(sim, attempt, &result);
}

/* Of a try: those of indexes differ. */
static uint64_t number_of_index(const struct attempt *attempt)
{
    return (uint64_t)attempt->try_number + ((uint64_t)attempt->task->map_index + 1) * 100000;
}

/* Between seconds and minutes; always the same for a try of a date. */
static int64_t duration_us(const struct sim *sim, const struct attempt *attempt)
{
    const struct row_run *run = attempt->task->run;
    uint64_t hash = sim_hash(sim, (uint64_t)run->live.logical_us, (uint64_t)run->dag->number,
        (uint64_t)attempt->task->number, number_of_index(attempt) + 1000);
    int64_t longest_us = hash % 16 == 0 ? 20 * US_PER_MINUTE : US_PER_MINUTE;
    return (int64_t)(hash >> 8) % longest_us + 1;
}

static void begin(struct sim *sim, struct attempt *attempt)
{
    if (attempt->cancelled) {
        finish(sim, attempt, &(struct attempt_result){.outcome = OUTCOME_CANCELLED});
        return;
    }
    /* it costs a retry, which would change outcomes that are to be compared */
    if (sim->kind == EPISODE_CHAOS && goes_wrong(sim, 10)) {
        fail(sim, attempt, CLASS_CONNECT);
        return;
    }
    if (attempt->is_sql) {
        if (attempt->void_before)
            ledger_void(sim, ledger_row_of(sim, attempt->task, attempt->void_generation));
        enum ledger_state met = ledger_claim(sim, attempt);
        if (met != LEDGER_FREE) {
            finish_by_ledger(sim, attempt, met);
            return;
        }
    }
    attempt->stage = STAGE_RUNNING;
    tell_started(sim, attempt);
    sim_at(sim, &attempt->due, duration_us(sim, attempt));
}

/* ---- end ---- */

/* A COMMIT whose answer is lost: at most twice a task while outcomes are compared, so that it never
   costs a retry. */
static bool loses_answer(struct sim *sim, struct attempt *attempt)
{
    if (!attempt->is_sql || !goes_wrong(sim, 60))
        return false;
    return sim->kind != EPISODE_DISTURBED || ++attempt->task->lost <= 2;
}

/* What a task decides: always the same for a date and generation. */
static const char *decision_of(struct sim *sim, const struct attempt *attempt)
{
    const struct row_run *run = attempt->task->run;
    const struct indexes *after = &attempt->def->downstream;
    uint64_t hash = sim_hash(sim, (uint64_t)run->live.logical_us, (uint64_t)run->dag->number,
        (uint64_t)attempt->task->number, (uint64_t)attempt->generation + 7);
    if (attempt->def->kind == KIND_SHORT_CIRCUIT)
        return hash % 3 ? NULL : "[]";
    if (attempt->def->kind != KIND_BRANCH)
        return NULL;
    struct strbuf text = {0};
    for (size_t n = 0; n < after->count; n++)
        if (hash >> n & 1)
            strbuf_printf(&text, "%s\"%s\"", text.size ? "," : "", task_name((int)after->at[n]));
    const char *list = arena_printf(sim->arena, "[%s]", strbuf_text(&text));
    strbuf_done(&text);
    return list;
}

size_t expansion_count(const struct sim *sim, const struct row_task *head, int64_t generation)
{
    uint64_t hash = sim_hash(sim, (uint64_t)head->run->live.logical_us,
        (uint64_t)head->run->dag->number, (uint64_t)head->number, (uint64_t)generation + 99);
    bool too_many = sim->kind == EPISODE_CHAOS && (hash >> 8) % 32 == 0;
    return too_many ? MAPPED_MAX + 1 : hash % (MAPPED_ROWS + 1);
}

const char *expansion_value(struct sim *sim, int64_t generation, int32_t map_index)
{
    return arena_printf(
        sim->arena, "{\"x\": \"%llx-%d\"}", (unsigned long long)generation, (int)map_index);
}

static void expand(struct sim *sim, struct attempt *attempt)
{
    static const char *too_many[MAPPED_MAX + 1];
    size_t count = expansion_count(sim, attempt->task, attempt->generation);
    const char **values = too_many;
    if (count <= MAPPED_ROWS)
        values = arena_array(sim->arena, const char *, count + 1);
    for (size_t n = 0; n < count && count <= MAPPED_ROWS; n++)
        values[n] = expansion_value(sim, attempt->generation, (int32_t)n);
    finish(sim, attempt,
        &(struct attempt_result){
            .outcome = OUTCOME_SUCCESS, .mapped = values, .mapped_count = count});
}

/* What it waits for comes by and by; when everything is to end, at once. */
static bool comes(const struct sim *sim, const struct attempt *attempt)
{
    uint64_t hash = sim_hash(sim, (uint64_t)attempt->task->number, number_of_index(attempt),
        (uint64_t)attempt->generation, (uint64_t)attempt->looks + 55);
    return sim->calm || attempt->looks > 8 || hash % 3 == 0;
}

/* Always the same for an index of a date: often a date of its own, else that of the run, which may
   have a run of somebody else.  NULL: there is no DAG that it could want. */
static const struct trigger_order *order_of(struct sim *sim, const struct attempt *attempt)
{
    const struct row_run *run = attempt->task->run;
    int number = attempt->task->number;
    int target = attempt->triggers ? project_target(sim, run->dag, number) : -1;
    if (target < 0)
        return NULL;
    uint64_t hash = sim_hash(
        sim, (uint64_t)run->live.logical_us, (uint64_t)run->dag->number, (uint64_t)number, 33);
    int64_t own_us =
        ((run->dag->number * 64 + number) * (MAPPED_ROWS + 2) + attempt->task->map_index + 2) *
        US_PER_MS;
    bool same = sim->kind == EPISODE_CHAOS && hash % 4 == 0;
    struct trigger_order *order = arena_new_of(sim->arena, struct trigger_order);
    *order = (struct trigger_order){.dag_id = sim->dags[target].dag_id,
        .logical_us = run->live.logical_us + (same ? 0 : own_us),
        .conf = "{}"};
    return order;
}

static void succeed(struct sim *sim, struct attempt *attempt)
{
    if (attempt->is_head) {
        expand(sim, attempt);
        return;
    }
    if (attempt->is_sensor && !comes(sim, attempt)) {
        finish(sim, attempt, &(struct attempt_result){.outcome = OUTCOME_WAIT});
        return;
    }
    if (loses_answer(sim, attempt)) {
        ledger_send(attempt);
        struct attempt_result lost = {.outcome = OUTCOME_LOST, .may_commit = true};
        finish(sim, attempt, &lost);
        return;
    }
    if (attempt->is_sql)
        ledger_commit(sim, attempt);
    finish(sim, attempt,
        &(struct attempt_result){.outcome = OUTCOME_SUCCESS,
            .decision = decision_of(sim, attempt),
            .trigger = order_of(sim, attempt)});
}

static void end_cancelled(struct sim *sim, struct attempt *attempt)
{
    struct attempt_result result = {.outcome = OUTCOME_CANCELLED};
    if (sim_pick(sim, 4) == 0) {
        succeed(sim, attempt); /* it was faster */
        return;
    }
    if (attempt->is_sql && sim_pick(sim, 4) == 0) {
        ledger_send(attempt);
        result.may_commit = true;
    } else if (attempt->is_sql) {
        ledger_rollback(attempt, LEDGER_FREE);
    }
    finish(sim, attempt, &result);
}

/* Always the same for a try of a date and generation, whatever else goes on. */
static enum attempt_outcome outcome_of(const struct sim *sim, const struct attempt *attempt)
{
    const struct row_run *run = attempt->task->run;
    uint64_t hash = sim_hash(sim, (uint64_t)run->live.logical_us, (uint64_t)run->dag->number,
        (uint64_t)attempt->task->number + (uint64_t)attempt->generation * 64,
        number_of_index(attempt));
    uint64_t of_hundred = hash % 100;
    bool may_fail = sim->kind == EPISODE_CHAOS || !run->dag->uses_past;
    if (sim->calm && sim->kind == EPISODE_CHAOS)
        return OUTCOME_SUCCESS;
    if (of_hundred < 12 && may_fail)
        return OUTCOME_FAILED;
    if (of_hundred < 18 && !attempt->is_sql)
        return OUTCOME_SKIPPED;
    if (of_hundred < 16 && may_fail && !attempt->def->sql.transaction && attempt->is_sql)
        return OUTCOME_PARTLY;
    return OUTCOME_SUCCESS;
}

/* Its work is done. */
static void end(struct sim *sim, struct attempt *attempt)
{
    bool stolen = attempt->is_sql && !PLANTED(RETRY_WITHOUT_CLAIM) &&
                  attempt->row->holder != attempt; /* its backend was terminated */
    if (stolen) {
        fail(sim, attempt, CLASS_CONNECT);
        return;
    }
    if (attempt->cancelled) {
        end_cancelled(sim, attempt);
        return;
    }
    struct attempt_result result = {.outcome = outcome_of(sim, attempt)};
    if (result.outcome == OUTCOME_SUCCESS) {
        succeed(sim, attempt);
        return;
    }
    if (attempt->is_sql)
        ledger_rollback(attempt, result.outcome == OUTCOME_PARTLY ? LEDGER_PARTLY : LEDGER_FREE);
    if (result.outcome == OUTCOME_FAILED) {
        uint64_t hash = sim_hash(sim, attempt->task->number, attempt->try_number, 3, 4);
        result.error_class = CLASS_SQL;
        memcpy(result.sqlstate, hash % 5 ? "40001" : "22012", 6);
    }
    finish(sim, attempt, &result);
}

void executor_attempt_due(struct sim *sim, struct attempt *attempt)
{
    switch (attempt->stage) {
    case STAGE_HANDED: begin(sim, attempt); break;
    case STAGE_RUNNING: end(sim, attempt); break;
    case STAGE_LANDING:
        ledger_land(sim, attempt);
        attempt->stage = STAGE_OVER;
        break;
    case STAGE_NONE:
    case STAGE_OVER: break;
    }
}

/* ---- cancel, void ---- */

void executor_cancel(struct sim *sim, const struct effect *effect)
{
    struct attempt *attempt = attempt_find(sim, effect->attempt.text);
    if (!attempt || (attempt->stage != STAGE_HANDED && attempt->stage != STAGE_RUNNING))
        return;
    attempt->cancelled = true;
    sim_at(sim, &attempt->due, between(sim, 1, 10 * US_PER_SECOND));
}

void executor_void(struct sim *sim, struct daemon *by, const struct effect *effect)
{
    struct attempt *attempt = attempt_find(sim, effect->attempt.text);
    if (attempt)
        post(sim,
            &(struct message){.kind = EVENT_VOID_DONE,
                .epoch = by->epoch,
                .attempt = attempt,
                .generation = effect->generation},
            between(sim, 1, US_PER_SECOND));
}

static void answer_void(struct sim *sim, const struct message *message, struct event *event)
{
    static const struct attempt_result committed = {.outcome = OUTCOME_SUCCESS, .exit_code = -1};
    struct ledger_row *row = ledger_row_of(sim, message->attempt->task, message->generation);
    event->void_outcome = VOID_UNREACHABLE;
    if (goes_wrong(sim, 200))
        return;
    event->void_outcome = VOID_INSERTED;
    if (ledger_void(sim, row) == LEDGER_COMMITTED) {
        event->void_outcome = VOID_COMMITTED;
        event->result = &committed;
    }
}

/* ---- a daemon is gone, another one asks ---- */

void executor_lose(struct sim *sim, int epoch)
{
    size_t kept = 0;
    for (size_t n = 0; n < sim->open.count; n++) {
        struct attempt *attempt = sim->open.at[n];
        bool dies = attempt->owner == epoch && dies_with_daemon(attempt) &&
                    (attempt->stage == STAGE_HANDED || attempt->stage == STAGE_RUNNING);
        if (dies) {
            /* a claim is left to the backend, which notices by and by */
            attempt->stage = STAGE_OVER;
            sim_never(sim, &attempt->due);
        }
        bool idle = attempt->stage == STAGE_OVER || attempt->stage == STAGE_NONE;
        if (!attempt->ended_in_store || !idle)
            sim->open.at[kept++] = attempt;
    }
    sim->open.count = kept;
}

static struct attempt_result recovered_sql(struct sim *sim, struct attempt *attempt)
{
    struct attempt_result result = {.outcome = OUTCOME_INTERRUPTED, .may_commit = true};
    if (goes_wrong(sim, 100))
        return result;
    struct row_task *task = attempt->task;
    struct ledger_row *row = ledger_row_of(sim, task, attempt->generation);
    ledger_settle(sim, row);
    if (row->state == LEDGER_COMMITTED)
        result = (struct attempt_result){
            .outcome = OUTCOME_SUCCESS, .committed_before = row != attempt->row};
    else if (row->state == LEDGER_VOID)
        result = (struct attempt_result){.outcome = OUTCOME_SUPERSEDED};
    else if (row->state == LEDGER_PARTLY)
        result = (struct attempt_result){.outcome = OUTCOME_PARTLY};
    return result;
}

/* Called for each attempt that is not over as far as the store knows. */
void executor_recover(struct sim *sim, struct daemon *by, struct attempt *attempt)
{
    bool never = attempt->stage == STAGE_NONE;
    if (!dies_with_daemon(attempt) && !never) { /* it has outlived the daemon */
        attempt->owner = by->epoch;
        if (attempt->stage == STAGE_RUNNING)
            tell_started(sim, attempt);
        else if (attempt->stage == STAGE_OVER)
            tell_finished(sim, attempt, by->epoch);
        return;
    }
    attempt->result = (struct attempt_result){.outcome = OUTCOME_INTERRUPTED};
    if (attempt->is_sql)
        attempt->result = recovered_sql(sim, attempt);
    attempt->result.exit_code = -1;
    attempt->result.message = "it ended with the scheduler";
    sim_trace_task(sim, "executor: recovered", attempt->task, (int)attempt->result.outcome,
        attempt->number, 0);
    tell_finished(sim, attempt, by->epoch);
}

/* ---- delivery ---- */

void message_due(struct sim *sim, struct message *message)
{
    struct event event = {.kind = message->kind,
        .attempt = message->attempt->id,
        .result = message->kind == EVENT_ATTEMPT_FINISHED ? &message->result : NULL};
    if (sim->leader->epoch == message->epoch) {
        if (message->kind == EVENT_VOID_DONE)
            answer_void(sim, message, &event);
        sim_trace_task(sim, "event", message->attempt->task, (int)message->kind,
            (int)message->result.outcome, event.void_outcome);
        daemon_event(sim, sim->leader, &event);
    }
    message->next_free = sim->free_messages;
    sim->free_messages = message;
}
