/*
 * Everything at once, from one seed: schedules, backfills, requests, failures of every kind,
 * crashes between any two events, versions that change, clocks that step.  First safety: what must
 * never happen is looked for after every event.  Then liveness: when nothing fails any more, all
 * ends.
 */
#include <stdlib.h>
#include "tests/unit/scheduler/world.h"

enum { SEEDS = 10, SEEDS_LONG = 300, STEPS = 1500, DAG_COUNT = 3, VERSIONS = 3 };

static const char *const texts[VERSIONS] = {
    "a: {sql: db, retries: 1, retry_delay: 60}\nk: {branch: 1, depends_on: [a], retries: 1}\n"
    "b: {bash: 1, depends_on: [a, k], trigger_rule: one_success}\n"
    "c: {sql: db, depends_on: [k], execution_timeout: 300}\n"
    "m: {sql: db, depends_on: [a, k], expand: 1, retries: 1, retry_delay: 60}\n"
    "d: {sql: db, depends_on: [b, c, m], trigger_rule: all_done}\n",
    "a: {sql: db, retries: 2, retry_delay: 30}\nb: {bash: 1, depends_on: [a], pool_slots: 2}\n"
    "k: {short_circuit: 1, depends_on: [b]}\n"
    "c: {sql: db, depends_on: [a, k], execution_timeout: 600}\n"
    "m: {sql: db, depends_on: [a], expand: 1, max_active_tis_per_dagrun: 1}\n"
    "d: {sql: db, depends_on: [b, c, m], trigger_rule: all_done}\n",
    "a: {sql: db, depends_on_past: true}\nk: {latest_only: 1}\nc: {sql: db, depends_on: [a, k]}\n"
    "m: {sql: db, depends_on: [c], expand: 1, depends_on_past: true}\n"
    "e: {bash: 1, depends_on: [c, m]}\n",
};

struct torture {
    struct world w;
    uint64_t state;
    int versions;
    bool calm;          /* nothing fails any more */
    struct map *doubts; /* run/task → struct doubt */
    struct map *known;  /* attempts that were looked at when they began */
};

/* The generation of which an attempt that has ended may still commit. */
struct doubt {
    bool set;
    int64_t generation;
};

static uint64_t pick(struct torture *t, uint64_t below)
{
    t->state = t->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (t->state >> 33) % below;
}

/* d1 updates x and y, on which d2 is scheduled. */
static void add_assets(struct torture *t, struct dag *dag, uint64_t which)
{
    static const char *const names[] = {"x", "y"};
    struct task *tasks = (struct task *)dag->tasks;
    for (uint32_t n = 0; which == 1 && n < dag->task_count; n++) {
        struct data_keys *data = arena_new_of(dag->arena, struct data_keys);
        data->outlets = (struct names){&names[n % 2], 1};
        tasks[n].data = data;
    }
    if (which == 2)
        dag_set_assets(dag, pick(t, 2) ? ASSET_ANY : ASSET_ALL, pick(t, 3) ? "x y" : "y");
}

static void add_deadlines(struct torture *t, struct dag *dag)
{
    struct task *tasks = (struct task *)dag->tasks;
    enum deadline_kind kind = (enum deadline_kind)pick(t, DEADLINE_TYPICAL + 1);
    struct deadline deadline = {kind, (int64_t)pick(t, 48) * US_PER_HOUR, 1.5};
    dag_set_deadline(dag, deadline);
    tasks[0].deadline = tasks[dag->task_count - 1].deadline = deadline;
}

static struct dag *make_dag(struct torture *t, uint64_t which, uint64_t version)
{
    char dag_id[8];
    snprintf(dag_id, sizeof dag_id, "d%d", (int)which);
    struct dag *dag = dag_build(dag_id, texts[version]);
    dag_set_schedule(dag, which == 0 ? "@hourly" : "@daily", "2029-12-30", NULL);
    dag->catchup = (enum catchup)(which % 3);
    dag->max_active_runs = 1 + (int)which;
    dag->max_active_tasks = 2;
    dag->run_timeout_us = which == 1 ? 6 * US_PER_HOUR : 0;
    dag->fail_fast = false;
    add_assets(t, dag, which);
    add_deadlines(t, dag);
    /* a version of its own even when the text was there before */
    snprintf(dag->version, sizeof dag->version, "v%d", ++t->versions);
    return dag;
}

static struct doubt *doubt_of(struct torture *t, int64_t run, const char *task_id)
{
    const char *key = key_of(&t->w, run, task_id);
    struct doubt *doubt = map_get(t->doubts, key);
    if (!doubt) {
        doubt = arena_new_of(t->w.arena, struct doubt);
        map_set(t->doubts, key, doubt);
    }
    return doubt;
}

/* What the ledger would know after an attempt's end: a success of the generation, or of a later one
   (whose attempt began with a void), leaves no doubt; nor does an end that may commit itself. */
static void note_end(
    struct torture *t, const struct attempt_under_way *a, const struct attempt_result *result)
{
    struct doubt *doubt = doubt_of(t, a->run.v, a->task_id);
    bool read_ledger = result->outcome == OUTCOME_SUCCESS || result->outcome == OUTCOME_PARTLY ||
                       result->outcome == OUTCOME_SUPERSEDED;
    if (result->may_commit && !read_ledger)
        *doubt = (struct doubt){true, a->generation};
    else if (result->outcome == OUTCOME_SUCCESS)
        doubt->set = false;
    else if (read_ledger && doubt->generation == a->generation)
        doubt->set = false;
}

/* ---- safety ---- */

/* A new generation never starts without a void of one that may still commit. */
static void check_voids(struct torture *t)
{
    vec_each (a, &t->w.under_way) {
        const struct doubt *doubt = doubt_of(t, a->run.v, a->task_id);
        if (!a->is_void && doubt->set && doubt->generation != a->generation)
            REQUIRE(a->void_before && a->void_generation == doubt->generation);
    }
}

/* Two attempts of one task and date may be under way at once only when one of them is not started
   by this scheduler any more; the ledger's key is (dag, date, task, generation). */
static void check_attempts(struct torture *t)
{
    struct world *w = &t->w;
    for (size_t n = 0; n < w->under_way.count; n++)
        for (size_t k = 0; k < n; k++) {
            const struct attempt_under_way *a = &w->under_way.at[n], *b = &w->under_way.at[k];
            bool same = a->run.v == b->run.v && str_equal(a->task_id, b->task_id);
            REQUIRE(!same || a->is_void || b->is_void);
        }
}

/* An attempt never begins of a task that the decision of `k` skips: no path joins another one that
   was chosen, but `d`, and that is no direct downstream. */
static void check_decided(struct torture *t, const struct attempt_under_way *a)
{
    const struct task_record *k = world_task_of(&t->w, a->run, "k");
    const struct run_record *run = map_get(t->w.runs, key_of(&t->w, a->run.v, NULL));
    const struct dag *dag = run ? version_of(&t->w, run->version) : NULL;
    const struct task *by = dag ? dag_find_task(dag, "k") : NULL;
    if (!k || k->state != TASK_SUCCESS || !k->decision || !by)
        return;
    char id[16];
    snprintf(id, sizeof id, "\"%s\"", a->task_id);
    for (size_t n = 0; n < by->downstream.count; n++)
        if (str_equal(dag->tasks[by->downstream.at[n]].task_id, a->task_id))
            REQUIRE(strstr(k->decision, id) != NULL);
}

static void check_decisions(struct torture *t)
{
    vec_each (a, &t->w.under_way)
        if (!a->is_void && !map_set(t->known, a->id.text, t))
            check_decided(t, a);
}

static size_t count_started(struct torture *t, enum task_kind of)
{
    size_t count = 0;
    vec_each (a, &t->w.under_way) {
        const char *task_id = arena_strndup(t->w.arena, a->task_id, strcspn(a->task_id, "["));
        const struct task *task = dag_find_task(newest_of(&t->w, a->dag_id), task_id);
        count += !a->is_void && task && task->kind == of;
    }
    return count;
}

/* One run per DAG and date, whatever its type. */
static void check_dates(struct torture *t)
{
    CLEANUP(map_freep) struct map *dates = map_new();
    size_t cursor = 0;
    void *value;
    while (map_next(t->w.runs, &cursor, NULL, &value)) {
        const struct run_record *run = value;
        char key[64];
        snprintf(key, sizeof key, "%s/%lld", run->dag_id, (long long)run->logical_us);
        REQUIRE(map_set(dates, key, value) == NULL);
    }
}

/* A finished run has only finished tasks, and none that may still commit. */
static void check_finished(struct torture *t)
{
    size_t cursor = 0;
    void *value;
    while (map_next(t->w.tasks, &cursor, NULL, &value)) {
        const struct task_record *task = value;
        const struct run_record *run = map_get(t->w.runs, key_of(&t->w, task->run.v, NULL));
        const char *name = name_of(&t->w, task->task_id, task->map_index);
        REQUIRE(run != NULL);
        REQUIRE(task->map_index < 0 || task->mapped || task->state == TASK_REMOVED);
        if (run_state_finished(run->state)) {
            REQUIRE(task_state_finished(task->state));
            /* "marked success" is the user's word: what may commit is voided by the next clear */
            REQUIRE(!task->unsettled || task->reason == REASON_MARKED);
            REQUIRE(!doubt_of(t, task->run.v, name)->set || task->reason == REASON_MARKED ||
                    task->state == TASK_REMOVED);
        }
    }
}

/* What is noted as missed is told, once; an event is consumed once, and what was consumed is not
   queued any more. */
static void check_told(struct torture *t)
{
    REQUIRE(t->w.missed.count == t->w.missed_notes);
    vec_each (record, &t->w.run_assets) {
        const struct run_record *run = map_get(t->w.runs, key_of(&t->w, record->run.v, NULL));
        const char *key = arena_printf(t->w.arena, "%s/%s", run->dag_id, record->asset);
        const struct asset_queue_record *queue = map_get(t->w.queues, key);
        REQUIRE(queue && record->last_event <= queue->after_event);
        REQUIRE(!queue->last_event || queue->last_event > queue->after_event);
    }
}

static void check_safety(struct torture *t, int step)
{
    check_attempts(t);
    check_voids(t);
    check_decisions(t);
    REQUIRE(count_started(t, KIND_SQL) <= 3);
    if (step % 50 == 0) {
        check_dates(t);
        check_finished(t);
        check_told(t);
    }
}

/* ---- what happens ---- */

/* It reads, so that nothing of it can commit. */
static bool is_expansion(const struct attempt_under_way *a)
{
    return str_equal(a->task_id, "m");
}

static void end_attempt(struct torture *t)
{
    static const char *const values[] = {"{\"n\": 0}", "{\"n\": 1}", "{\"n\": 2}"};
    if (!t->w.under_way.count)
        return;
    struct attempt_under_way *a = &t->w.under_way.at[pick(t, t->w.under_way.count)];
    if (a->is_void) {
        uint64_t n = t->calm ? 0 : pick(t, 4);
        if (n != 2)
            doubt_of(t, a->run.v, a->task_id)->set = false;
        end_void(&t->w, a, n == 1 ? VOID_COMMITTED : n == 2 ? VOID_UNREACHABLE : VOID_INSERTED);
        return;
    }
    if (!a->started && pick(t, 2)) {
        world_started(&t->w, a);
        return;
    }
    struct attempt_result result = {.outcome = OUTCOME_SUCCESS, .exit_code = -1};
    if (a->cancelled && pick(t, 3))
        result.outcome = OUTCOME_CANCELLED;
    else if (!t->calm && pick(t, 2))
        result.outcome = (enum attempt_outcome)pick(t, OUTCOME_SUPERSEDED + 1);
    if (is_expansion(a)) {
        result.mapped = values;
        result.mapped_count = pick(t, ARRAY_SIZE(values) + 1);
    }
    result.may_commit =
        !is_expansion(a) && (result.outcome == OUTCOME_LOST ||
                                (result.outcome != OUTCOME_SUCCESS && !t->calm && pick(t, 4) == 0));
    static const char *const decisions[] = {NULL, "[]", "[\"b\"]", "[\"c\",\"m\"]"};
    result.decision = decisions[pick(t, ARRAY_SIZE(decisions))];
    note_end(t, a, &result);
    world_end(&t->w, a, &result);
}

static const struct run_record *any_run(struct torture *t)
{
    size_t count = map_count(t->w.runs), at = 0, cursor = 0;
    if (!count)
        return NULL;
    uint64_t wanted = pick(t, count);
    void *value = NULL;
    while (map_next(t->w.runs, &cursor, NULL, &value) && at++ < wanted)
        ;
    return value;
}

static void ask_about_run(struct torture *t)
{
    static const enum request_kind kinds[] = {REQUEST_CLEAR, REQUEST_MARK, REQUEST_CANCEL};
    static const enum task_state marks[] = {TASK_SUCCESS, TASK_FAILED, TASK_SKIPPED};
    static const char *const tasks[] = {
        "a", "b", "c+", "+d", "*", "e", "m", "m[1]", "m[0]+", "k", "k+"};
    const struct run_record *run = any_run(t);
    if (!run)
        return;
    if (run_state_finished(run->state))
        world_load_run(&t->w, run);
    struct run_id id = run->id;
    const char *task = tasks[pick(t, ARRAY_SIZE(tasks))];
    struct request request = {.kind = kinds[pick(t, ARRAY_SIZE(kinds))],
        .dag_id = run->dag_id,
        .runs = &id,
        .run_count = 1,
        .tasks = &task,
        .task_count = pick(t, 2),
        .mark_state = marks[pick(t, ARRAY_SIZE(marks))],
        .downstream = pick(t, 2),
        .only_failed = pick(t, 4) == 0,
        .same_version = pick(t, 4) == 0,
        .force = pick(t, 4) == 0};
    (void)world_request(&t->w, &request);
    CHECK(t->w.reply.outcome != NULL);
}

static void ask_for_runs(struct torture *t)
{
    char dag_id[8];
    snprintf(dag_id, sizeof dag_id, "d%d", (int)pick(t, DAG_COUNT));
    int64_t date_us = time_of("2029-12-20") + (int64_t)pick(t, 30) * US_PER_DAY;
    struct known_date *dates;
    size_t count = dates_from(&t->w, dag_id, INT64_MIN, &dates);
    int64_t *existing = arena_array(t->w.arena, int64_t, count);
    enum run_state *states = arena_array(t->w.arena, enum run_state, count);
    for (size_t n = 0; n < count; n++) {
        existing[n] = dates[n].logical_us;
        states[n] = dates[n].state;
    }
    static const char *const only[] = {"missing", "failed", "all"};
    struct request request = {.kind = pick(t, 2) ? REQUEST_TRIGGER : REQUEST_BACKFILL,
        .dag_id = dag_id,
        .logical_us = date_us,
        .existing = existing,
        .existing_state = states,
        .existing_count = count,
        .backfill = {.from_us = date_us,
            .to_us = date_us + 5 * US_PER_DAY,
            .only = only[pick(t, 3)],
            .max_active_runs = (int32_t)pick(t, 3)}};
    (void)world_request(&t->w, &request);
}

static void answer_wish(struct torture *t)
{
    size_t cursor = 0;
    void *value;
    t->w.load_wishes = 0;
    for (int which = 0; which < DAG_COUNT; which++) {
        char dag_id[8];
        snprintf(dag_id, sizeof dag_id, "d%d", which);
        cursor = 0;
        while (map_next(t->w.runs, &cursor, NULL, &value)) {
            const struct run_record *run = value;
            if (str_equal(run->dag_id, dag_id) && run->logical_us == t->w.wished_us &&
                run_state_finished(run->state))
                world_load_run(&t->w, run);
        }
        world_apply(&t->w, &(struct event){.kind = EVENT_RUN_LOADED,
                               .dag_id = arena_strdup(t->w.arena, dag_id),
                               .logical_us = t->w.wished_us});
    }
}

static void pause_or_not(struct torture *t)
{
    char dag_id[8];
    snprintf(dag_id, sizeof dag_id, "d%d", (int)pick(t, DAG_COUNT));
    struct request request = {
        .kind = pick(t, 3) ? REQUEST_UNPAUSE : REQUEST_PAUSE, .dag_id = dag_id};
    CHECK_INT(world_request(&t->w, &request), OK);
}

static void step(struct torture *t)
{
    uint64_t n = pick(t, 100);
    if (t->w.load_wishes)
        answer_wish(t);
    else if (n < 55)
        end_attempt(t);
    else if (n < 75)
        world_advance(&t->w, (int64_t)pick(t, 1200) * US_PER_SECOND);
    else if (n < 82)
        ask_about_run(t);
    else if (n < 86)
        ask_for_runs(t);
    else if (n < 90)
        pause_or_not(t);
    else if (n < 93)
        world_adopt(&t->w, make_dag(t, pick(t, DAG_COUNT), pick(t, VERSIONS)));
    else if (n < 95)
        t->w.now.wall_us += (int64_t)pick(t, 240) * US_PER_SECOND - 120 * US_PER_SECOND;
    else
        world_crash(&t->w);
}

/* ---- liveness ---- */

static size_t unfinished(struct torture *t)
{
    size_t cursor = 0, count = 0;
    void *value;
    while (map_next(t->w.runs, &cursor, NULL, &value))
        count += !run_state_finished(((const struct run_record *)value)->state);
    return count;
}

static void unpause_all(struct torture *t, bool pause)
{
    for (int which = 0; which < DAG_COUNT; which++) {
        char dag_id[8];
        snprintf(dag_id, sizeof dag_id, "d%d", which);
        struct request request = {
            .kind = pause ? REQUEST_PAUSE : REQUEST_UNPAUSE, .dag_id = dag_id};
        CHECK_INT(world_request(&t->w, &request), OK);
    }
}

/* Runs that a failed task of an earlier date holds (depends_on_past) wait rightly: the user marks.
 */
static void mark_failed_ones(struct torture *t)
{
    for (size_t n = 1; n <= map_count(t->w.runs); n++) {
        const struct run_record *run = map_get(t->w.runs, key_of(&t->w, (int64_t)n, NULL));
        if (!run_state_finished(run->state))
            continue;
        world_load_run(&t->w, run);
        struct run_id id = run->id;
        struct request request = {.kind = REQUEST_MARK,
            .dag_id = run->dag_id,
            .runs = &id,
            .run_count = 1,
            .mark_state = TASK_SUCCESS};
        CHECK_INT(world_request(&t->w, &request), OK);
    }
}

static void come_to_rest(struct torture *t)
{
    t->calm = true;
    unpause_all(t, false);
    for (int n = 0; n < 20000 && (unfinished(t) || t->w.under_way.count); n++) {
        if (t->w.load_wishes)
            answer_wish(t);
        else if (t->w.under_way.count)
            end_attempt(t);
        else
            world_advance(&t->w, US_PER_MINUTE);
        if (n % 100 == 99)
            mark_failed_ones(t);
        check_safety(t, 1);
    }
    CHECK_INT(unfinished(t), 0);
    CHECK_INT(scheduler_count(t->w.s).active, 0);
    CHECK_INT(scheduler_count(t->w.s).ready, 0);
    CHECK_INT(scheduler_count(t->w.s).instances, 0);
    CHECK_INT(t->w.under_way.count, 0);
}

static void torture(uint64_t seed)
{
    struct torture t = {.state = seed, .doubts = map_new(), .known = map_new()};
    struct slots_setting connection = {"db", 3};
    world_init(&t.w, &(struct scheduler_options){
                         .seed = seed, .connections = &connection, .connection_count = 1});
    for (uint64_t which = 0; which < DAG_COUNT; which++)
        world_adopt(&t.w, make_dag(&t, which, pick(&t, VERSIONS)));
    for (int n = 0; n < STEPS; n++) {
        step(&t);
        check_safety(&t, n);
    }
    come_to_rest(&t);
    check_dates(&t);
    check_finished(&t);
    check_told(&t);
    CHECK(t.w.missed.count > 0);
    CHECK(t.w.run_assets.count > 0);
    map_free(t.doubts);
    map_free(t.known);
    world_done(&t.w);
}

TEST(whatever_happens_nothing_wrong_happens_and_in_the_end_all_ends)
{
    int64_t only = 0;
    if (parse_int64(slice_of(getenv("DAG_SEED")), &only)) {
        torture((uint64_t)only);
        return;
    }
    uint64_t seeds = str_equal(getenv("DAG_LONG"), "1") ? SEEDS_LONG : SEEDS;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        printf("DAG_SEED=%llu\n", (unsigned long long)seed);
        fflush(stdout); /* to be repeated alone when it fails */
        torture(seed);
    }
}
