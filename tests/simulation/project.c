/* Random projects: DAGs, their versions, and the slots they share. */
#include <stdio.h>
#include "tests/simulation/sim.h"

static const char *const task_ids[TASKS_IN_DAG_MAX] = {"t0", "t1", "t2", "t3", "t4", "t5", "t6",
    "t7", "t8", "t9", "t10", "t11", "t12", "t13", "t14", "t15", "t16", "t17", "t18", "t19", "t20",
    "t21", "t22", "t23", "t24", "t25", "t26", "t27", "t28", "t29", "t30", "t31", "t32", "t33",
    "t34", "t35", "t36", "t37", "t38", "t39"};
static const char *const pools[POOLS] = {"default_pool", "p1", "p2"};
static const char *const connections[CONNECTIONS] = {"c0", "c1"};

static int find(const char *name, const char *const *names, int count)
{
    for (int n = 0; n < count; n++)
        if (str_equal(name, names[n]))
            return n;
    return -1;
}

int task_number(const char *task_id)
{
    int64_t number = -1;
    bool ok = parse_int64(slice_of(task_id + 1), &number);
    return ok && number < TASKS_IN_DAG_MAX ? (int)number : -1;
}

const char *task_name(int number)
{
    return task_ids[number];
}

int pool_number(const char *pool)
{
    return find(pool, pools, POOLS);
}

int connection_number(const char *connection)
{
    return connection ? find(connection, connections, CONNECTIONS) : -1;
}

int asset_number(const char *asset)
{
    int64_t number = -1;
    return parse_int64(slice_of(asset + 1), &number) && number < ASSETS ? (int)number : -1;
}

const struct dag *project_newest(const struct sim_dag *dag)
{
    return dag->versions.count ? dag->versions.at[dag->versions.count - 1] : NULL;
}

const struct dag *project_kept_version(const struct sim *sim, const struct row_run *run)
{
    bool lost = run->dag->gone || sim_hash(sim, (uint64_t)run->dag->number, 5, 5, 5) % 4 == 0;
    vec_each (version, &run->dag->versions)
        if (!lost && str_equal((*version)->version, run->durable.version))
            return *version;
    return NULL;
}

/* Chaos and its like: people and clocks may do anything. */
static bool is_chaos(const struct sim *sim)
{
    return sim->kind == EPISODE_CHAOS;
}

/* ---- graphs ---- */

/* What decides by the clock would not do so twice in the same way, when plays are compared. */
static enum task_kind draw_kind(struct sim *sim, const struct sim_dag *dag, uint32_t n)
{
    uint64_t what = sim_pick(sim, 16);
    if (dag->sql >> n & 1)
        return KIND_SQL;
    if (dag->sensors >> n & 1)
        return KIND_WAIT_FOR;
    if (what == 0 && is_chaos(sim))
        return KIND_LATEST_ONLY;
    if (what == 15 && sim->kind != EPISODE_STEADY)
        return KIND_TRIGGER_DAG;
    return what < 2   ? KIND_BRANCH
           : what < 4 ? KIND_SHORT_CIRCUIT
           : what < 6 ? KIND_EMPTY
                      : KIND_BASH;
}

/* A shape, then who is before whom: a task's upstreams have lower numbers. */
static void draw_graph(struct sim *sim, struct sim_dag *dag)
{
    enum { CHAIN, FAN, LAYERS, ANY, SHAPES } shape = (int)sim_pick(sim, SHAPES);
    bool large = sim_pick(sim, 20) == 0;
    dag->task_count = 1 + (uint32_t)sim_pick(sim, large ? TASKS_IN_DAG_MAX - 1 : 12);
    uint32_t width = 1 + (uint32_t)sim_pick(sim, 5);
    for (uint32_t n = 0; n < dag->task_count; n++) {
        uint64_t up = 0;
        for (uint32_t u = 0; u < n; u++) {
            bool is_up = shape == CHAIN    ? u + 1 == n
                         : shape == FAN    ? u == 0 || n + 1 == dag->task_count
                         : shape == LAYERS ? u / width + 1 == n / width
                                           : sim_pick(sim, 100) < 30;
            up |= (uint64_t)is_up << u;
        }
        dag->upstream[n] = up;
        dag->rule[n] = sim_pick(sim, 3) ? RULE_ALL_SUCCESS
                                        : (enum trigger_rule)sim_pick(sim, TRIGGER_RULE_COUNT);
        if (dag->rule[n] == RULE_ALL_DONE_SETUP_SUCCESS)
            dag->rule[n] = RULE_ALL_DONE;
        dag->kind[n] = draw_kind(sim, dag, n);
    }
    dag->setup = dag->teardown = 0;
}

/* One setup with its teardown, around some of the others. */
static void draw_setup(struct sim *sim, struct sim_dag *dag)
{
    if (dag->task_count < 3 || sim_pick(sim, 4))
        return;
    uint32_t down = dag->task_count - 1, up = (uint32_t)sim_pick(sim, dag->task_count - 2);
    if (dag->mapped >> up & 1 || dag->mapped >> down & 1)
        return;
    dag->setup = UINT64_C(1) << up;
    dag->teardown = UINT64_C(1) << down;
    dag->upstream[down] |= UINT64_C(1) << up;
    dag->rule[down] = RULE_ALL_DONE_SETUP_SUCCESS;
}

static struct indexes indexes_of(struct arena *arena, uint64_t mask)
{
    uint32_t *at = arena_array(arena, uint32_t, TASKS_IN_DAG_MAX);
    size_t count = 0;
    for (uint32_t n = 0; n < TASKS_IN_DAG_MAX; n++)
        if (mask >> n & 1)
            at[count++] = n;
    return (struct indexes){at, count};
}

static uint64_t downstream_of(const struct sim_dag *dag, uint32_t number)
{
    uint64_t mask = 0;
    for (uint32_t n = 0; n < dag->task_count; n++)
        mask |= (dag->upstream[n] >> number & 1) << n;
    return mask;
}

/* ---- settings ---- */

static void draw_limits(struct sim *sim, struct sim_dag *spec, struct task *task)
{
    bool chaos = is_chaos(sim);
    task->pool = pools[sim_pick(sim, POOLS)];
    task->pool_slots = sim_pick(sim, 6) ? 1 : 1 + (int)sim_pick(sim, 3);
    if (sim_pick(sim, 6) == 0)
        task->max_active_tis_per_dag = 1 + (int)sim_pick(sim, 3);
    task->weight = 1 + (int64_t)sim_pick(sim, 10);
    if (chaos && sim_pick(sim, 5) == 0)
        task->execution_timeout_us = (int64_t)(1 + sim_pick(sim, 900)) * US_PER_SECOND;
    if (spec->always_past >> task->index & 1) {
        task->depends_on_past = true;
        task->wait_for_downstream = sim_pick(sim, 4) == 0;
    }
}

/* One of a greater number, as with assets, so that no run leads to itself.  In plays that are
   compared none whose runs, or the task's own, depend on which of them was there first: a date that
   is taken fails the task for good, and the run after it would wait for ever. */
int project_target(const struct sim *sim, const struct sim_dag *dag, int task)
{
    int after = sim->dag_count - dag->number - 1;
    if (after <= 0)
        return -1;
    uint64_t hash = sim_hash(sim, (uint64_t)dag->number, (uint64_t)task, 31, 31);
    int target = dag->number + 1 + (int)(hash % (uint64_t)after);
    bool uses_past = sim->dags[target].uses_past || dag->uses_past;
    return uses_past && !is_chaos(sim) ? -1 : target;
}

bool project_waits(const struct sim *sim, const struct sim_dag *dag, int task)
{
    return sim_hash(sim, (uint64_t)dag->number, (uint64_t)task, 32, 32) & 1;
}

/* Of sensors that are compared, or steady, only when they look again. */
struct wait_task project_wait(const struct sim *sim, const struct sim_dag *dag, int task)
{
    uint64_t hash = sim_hash(sim, (uint64_t)dag->number, (uint64_t)task, 77, 77);
    struct wait_task wait = {.kind = hash & 1 ? WAIT_SQL : WAIT_FILE,
        .poke_interval_us = (int64_t)(1 + (hash >> 8) % 600) * US_PER_SECOND,
        .exponential_backoff = (hash >> 1 & 3) == 0};
    if (is_chaos(sim) && hash >> 3 & 1)
        wait.timeout_us = (int64_t)(1 + (hash >> 20) % 7200) * US_PER_SECOND;
    wait.soft_fail = hash >> 4 & 1;
    return wait;
}

static struct deadline draw_deadline(struct sim *sim, uint64_t one_in)
{
    struct deadline deadline = {.factor = 1.5};
    if (sim_pick(sim, one_in))
        return deadline;
    deadline.kind = DEADLINE_START + (enum deadline_kind)sim_pick(sim, 3);
    deadline.after_us = (int64_t)(1 + sim_pick(sim, 7200)) * US_PER_SECOND;
    return deadline;
}

/* Where its values come from is the executor model's affair: the scheduler sees that it has some.
 */
static struct expand expand_of(const struct sim_dag *spec, const struct task *task)
{
    static const struct expand_source source = {.name = "x", .kind = EXPAND_TEXT};
    bool may = task->kind == KIND_SQL || task->kind == KIND_BASH || task->kind == KIND_WAIT_FOR ||
               task->kind == KIND_TRIGGER_DAG;
    bool is = may && (spec->mapped >> task->index & 1);
    return (struct expand){.at = is ? &source : NULL, .count = is};
}

static struct names outlets_of(struct sim *sim, const struct sim_dag *spec, uint32_t n)
{
    const char **name = arena_array(sim->arena, const char *, 1);
    *name = arena_printf(sim->arena, "a%d", 2 * spec->number + (int)(n % 2));
    return (struct names){name, spec->outlets >> n & 1};
}

static void draw_task(
    struct sim *sim, struct sim_dag *spec, const struct dag *dag, uint32_t n, struct task *task)
{
    uint64_t bit = UINT64_C(1) << n;
    *task = (struct task){.task_id = task_ids[n],
        .index = n,
        .trigger_rule = spec->rule[n],
        .setup = (spec->setup & bit) != 0,
        .teardown = (spec->teardown & bit) != 0,
        .upstream = indexes_of(dag->arena, spec->upstream[n]),
        .downstream = indexes_of(dag->arena, downstream_of(spec, n)),
        .retries = (int)sim_pick(sim, 4),
        .retry_delay_us = (int64_t)(1 + sim_pick(sim, 300)) * US_PER_SECOND,
        .retry_exponential_backoff = sim_pick(sim, 4) ? 0 : 2};
    task->on_failure_fail_dagrun = task->teardown && sim_pick(sim, 2);
    task->kind = spec->kind[n];
    task->deadline = draw_deadline(sim, 10);
    task->expand = expand_of(spec, task);
    struct task_parts parts = {.data.outlets = outlets_of(sim, spec, n),
        .decision.only_direct = !(spec->transactional & bit),
        .trigger.wait = task->kind == KIND_TRIGGER_DAG && project_waits(sim, spec, (int)n)};
    if (task->kind == KIND_WAIT_FOR)
        parts.wait = project_wait(sim, spec, (int)n);
    task_set_parts(task, &parts, dag->arena);
    if (task->kind == KIND_WAIT_FOR && task->wait->kind == WAIT_SQL)
        task->sql.connection = connections[n % CONNECTIONS];
    if (task->kind == KIND_SQL) {
        task->sql.connection = connections[n % CONNECTIONS];
        task->sql.transaction = (spec->transactional & bit) != 0;
    }
    draw_limits(sim, spec, task);
    bool is_many = task->expand.count || task->kind == KIND_WAIT_FOR;
    if (sim->kind == EPISODE_STEADY && is_many)
        task->max_active_tis_per_dag = 0; /* it would be a load above capacity of its own */
}

static void name_versions(struct sim *sim, const struct sim_dag *spec, struct dag *dag)
{
    struct strbuf graph = {0};
    strbuf_printf(
        &graph, "%llx %llx", (unsigned long long)spec->setup, (unsigned long long)spec->teardown);
    for (uint32_t n = 0; n < spec->task_count; n++)
        strbuf_printf(&graph, " %llx:%d:%d", (unsigned long long)spec->upstream[n],
            (int)spec->rule[n], (int)dag->tasks[n].kind);
    hash_sha256(graph.text, graph.size, dag->graph_version);
    snprintf(dag->version, sizeof dag->version, "v%d", ++sim->version_count);
    strbuf_done(&graph);
}

static const struct timetable *timetable_of(const struct sim_dag *spec, struct arena *arena)
{
    struct error err;
    struct timetable *timetable = NULL;
    struct schedule_spec schedule = {.form = SCHEDULE_TEXT,
        .texts = &spec->schedule,
        .text_count = 1,
        .start_date = spec->start_text,
        .end_date = spec->end_text};
    if (!spec->schedule || timetable_parse(arena, &schedule, spec->zone, &timetable, &err) == OK)
        return timetable;
    fprintf(stderr, "schedule %s: %s\n", spec->schedule, err.message);
    abort();
}

static void draw_dag_limits(struct sim *sim, const struct sim_dag *spec, struct dag *dag)
{
    bool chaos = is_chaos(sim);
    dag->max_active_runs = 1 + (int)sim_pick(sim, sim_pick(sim, 2) ? 3 : 16);
    dag->max_active_tasks = 1 + (int)sim_pick(sim, sim_pick(sim, 2) ? 3 : 16);
    dag->priority = (int64_t)sim_pick(sim, 3);
    if (sim->kind == EPISODE_STEADY)
        dag->max_active_runs = dag->max_active_tasks = 1000;
    if (chaos && sim_pick(sim, 4) == 0)
        dag->run_timeout_us = (int64_t)(1 + sim_pick(sim, 8)) * US_PER_HOUR;
    if (chaos && sim_pick(sim, 6) == 0)
        dag->max_consecutive_failed_runs = 1 + (int)sim_pick(sim, 4);
    dag->fail_fast = chaos && sim_pick(sim, 8) == 0;
    dag->deadline = draw_deadline(sim, 4);
    dag->catchup = spec->catchup;
}

void project_new_version(struct sim *sim, struct sim_dag *spec, bool other_graph)
{
    if (other_graph) {
        draw_graph(sim, spec);
        draw_setup(sim, spec);
    }
    struct arena *arena = arena_new();
    struct dag *dag = arena_new_of(arena, struct dag);
    atomic_init(&dag->references, 1);
    dag->arena = arena;
    dag->dag_id = spec->dag_id;
    dag->file = "dags/simulated.yaml";
    dag->schedule_text = spec->schedule ? spec->schedule : "none";
    dag->zone = spec->zone;
    dag->timetable = timetable_of(spec, arena);
    dag->start_us = spec->start_us;
    dag->end_us = spec->end_us;
    draw_dag_limits(sim, spec, dag);
    dag->task_count = spec->task_count;
    struct task *tasks = arena_array(arena, struct task, spec->task_count);
    uint32_t *order = arena_array(arena, uint32_t, spec->task_count);
    dag->tasks = tasks;
    dag->topological = order;
    for (uint32_t n = 0; n < spec->task_count; n++) {
        draw_task(sim, spec, dag, n, &tasks[n]);
        order[n] = n;
        dag->has_deadlines |= tasks[n].deadline.kind != DEADLINE_NONE;
        dag->uses_durations |= tasks[n].deadline.kind == DEADLINE_TYPICAL;
    }
    dag->has_deadlines |= dag->deadline.kind != DEADLINE_NONE;
    dag->uses_durations |= dag->deadline.kind == DEADLINE_TYPICAL;
    dag->assets = spec->assets;
    dag->asset_names = spec->asset_names;
    dag->uses_past = spec->uses_past;
    name_versions(sim, spec, dag);
    vec_push(&spec->versions, dag);
}

/* ---- schedules ---- */

static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York",
    "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Tokyo", "Africa/Casablanca", "Asia/Tehran"};

static const struct {
    const char *text;
    int hour, minute;
} schedules[] = {
    {"30 2 * * *", 2, 30},
    {"15 1 * * *", 1, 15},
    {"@daily", 0, 0},
    {"45 23 * * *", 23, 45},
    {"@hourly", -1, -1},
    {"*/20 * * * *", -1, -1},
    {"0 */6 * * MON-FRI", -1, -1},
    {"90m", -1, -1},
    {"@once", -1, -1},
    {NULL, -1, -1},
};

/* A day or two before a change of the zone's clock, when it has one to come. */
static int64_t near_a_change(struct sim *sim, const struct zone *zone)
{
    int64_t year_us = 365 * US_PER_DAY;
    int64_t us = INT64_C(1577836800) * US_PER_SECOND + (int64_t)sim_pick(sim, 12) * year_us;
    struct zone_span span = zone_span_at(zone, us / US_PER_SECOND);
    if (span.end_s != INT64_MAX && span.end_s < INT64_C(2) << 31)
        us = span.end_s * US_PER_SECOND - (int64_t)(1 + sim_pick(sim, 4)) * US_PER_DAY;
    return us - us % US_PER_DAY + (int64_t)sim_pick(sim, 86400) * US_PER_SECOND;
}

static void draw_schedule(struct sim *sim, struct sim_dag *dag)
{
    size_t n = sim_pick(sim, ARRAY_SIZE(schedules));
    char text[TIME_TEXT_SIZE];
    dag->schedule = schedules[n].text;
    dag->hour = schedules[n].hour;
    dag->minute = schedules[n].minute;
    dag->start_us = sim->now.wall_us - (int64_t)sim_pick(sim, 4) * US_PER_DAY;
    dag->start_us -= dag->start_us % US_PER_DAY;
    dag->end_us = sim->end_us;
    time_format_iso(dag->start_us, text);
    dag->start_text = arena_strdup(sim->arena, text);
    time_format_iso(dag->end_us, text);
    dag->end_text = arena_strdup(sim->arena, text);
    dag->catchup = is_chaos(sim)                 ? (enum catchup)sim_pick(sim, 3)
                   : sim->kind == EPISODE_STEADY ? CATCHUP_NONE
                                                 : CATCHUP_ALL;
}

/* Half the time the first DAG ticks at a time that the coming change of the clock skips or
   repeats. */
static void draw_schedule_at_change(struct sim *sim, struct sim_dag *dag)
{
    struct zone_span before = zone_span_at(dag->zone, sim->now.wall_us / US_PER_SECOND);
    if (before.end_s == INT64_MAX || sim_pick(sim, 2))
        return;
    struct zone_span after = zone_span_at(dag->zone, before.end_s);
    int32_t offset_s = before.offset_s < after.offset_s ? before.offset_s : after.offset_s;
    int64_t local_s = before.end_s + offset_s + (int64_t)sim_pick(sim, 60) * 60;
    struct civil civil = civil_from_us(local_s * US_PER_SECOND);
    dag->hour = civil.hour;
    dag->minute = civil.minute;
    dag->schedule = arena_printf(sim->arena, "%d %d * * *", civil.minute, civil.hour);
}

/* Scheduled on one asset, or on all or any of two or three, of DAGs before it: no run leads to
   itself.  Half of these DAGs have a schedule of time as well. */
static void draw_assets(struct sim *sim, struct sim_dag *dag)
{
    if (!is_chaos(sim) || dag->number == 0 || sim_pick(sim, 3))
        return;
    size_t count = 1 + sim_pick(sim, 3);
    struct asset_expr *items = arena_array(sim->arena, struct asset_expr, count);
    const char **names = arena_array(sim->arena, const char *, count);
    size_t kept = 0;
    for (size_t n = 0; n < count; n++) {
        int asset = (int)sim_pick(sim, 2 * (uint64_t)dag->number);
        const char *name = arena_printf(sim->arena, "a%d", asset);
        if (names_have(&(struct names){names, kept}, name))
            continue;
        names[kept] = name;
        items[kept++] = (struct asset_expr){.op = ASSET_ONE, .name = name};
    }
    struct asset_expr *all = arena_new_of(sim->arena, struct asset_expr);
    *all = (struct asset_expr){
        .op = sim_pick(sim, 2) ? ASSET_ALL : ASSET_ANY, .items = items, .count = kept};
    dag->assets = kept == 1 ? items : all;
    dag->asset_names = (struct names){names, kept};
    if (sim_pick(sim, 2)) {
        dag->schedule = NULL;
        dag->hour = dag->minute = -1;
    }
}

static void draw_dag(struct sim *sim, int number)
{
    struct sim_dag *dag = &sim->dags[number];
    struct error err;
    dag->number = number;
    snprintf(dag->dag_id, sizeof dag->dag_id, "d%d", number);
    if (zone_load(zones[sim_pick(sim, ARRAY_SIZE(zones))], &dag->zone, &err))
        dag->zone = zone_utc();
    if (number == 0)
        sim->now.wall_us = near_a_change(sim, dag->zone);
    if (number == 0)
        sim->end_us = sim->now.wall_us + (int64_t)(2 + sim_pick(sim, 6)) * US_PER_DAY;
    draw_schedule(sim, dag);
    if (number == 0)
        draw_schedule_at_change(sim, dag);
    draw_assets(sim, dag);
    dag->mapped = sim_random(sim) & sim_random(sim) & sim_random(sim);
    dag->outlets = sim_random(sim) & sim_random(sim);
    dag->sql = sim_random(sim) | sim_random(sim);
    dag->sensors = sim_random(sim) & sim_random(sim);
    dag->transactional = ~(sim_random(sim) & sim_random(sim) & sim_random(sim));
    dag->uses_past = sim_pick(sim, 4) == 0 && sim->kind != EPISODE_STEADY;
    dag->always_past = dag->uses_past ? sim_random(sim) & sim_random(sim) : 0;
    project_new_version(sim, dag, true);
}

void project_make(struct sim *sim)
{
    sim->dag_count = 1 + (int)sim_pick(sim, DAGS_IN_PROJECT_MAX);
    for (int n = 0; n < POOLS; n++)
        sim->pool_slots[n] = 3 + (int)sim_pick(sim, 12);
    for (int n = 0; n < CONNECTIONS; n++)
        sim->connection_slots[n] = 1 + (int)sim_pick(sim, 8);
    sim->process_slots = 2 + (int)sim_pick(sim, 12);
    for (int n = 0; n < sim->dag_count; n++)
        draw_dag(sim, n);
}

void project_done(struct sim *sim)
{
    for (int n = 0; n < sim->dag_count; n++) {
        vec_each (version, &sim->dags[n].versions)
            dag_unref((struct dag *)*version);
        vec_done(&sim->dags[n].versions);
        vec_done(&sim->dags[n].runs);
    }
}
