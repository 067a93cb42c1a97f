/*
 * What a decision costs: events a second and memory per live task, for shapes that are hard on a
 * scheduler, and whether the cost per event stays flat as DAGs and runs grow tenfold.
 *
 *     decisions [--years N]
 *
 * Only the ratio decides: exit status 1 when an event costs more than FLAT_MAX times as much with
 * ten times as many DAGs or runs.  Everything is done by scheduler_apply under a virtual clock, on
 * one core; plans are thrown away.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include "base/clock.h"
#include "base/vec.h"
#include "language/timetable/timetable.h"
#include "scheduler/scheduler.h"

#define FLAT_MAX 2.0

struct world {
    struct scheduler *scheduler;
    struct plan plan;
    struct instant now;
    VEC(struct attempt_id) under_way;
    size_t next; /* of them, to end */
    int64_t events, decisions, most_live;
    double memory; /* bytes per live task, with all of them live */
};

static void must(enum status status, const struct error *err)
{
    if (status == OK)
        return;
    fprintf(stderr, "decisions: %s\n", err->message);
    abort();
}

static void apply(struct world *w, const struct event *event)
{
    struct error err;
    plan_clear(&w->plan);
    must(scheduler_apply(w->scheduler, event, w->now, &w->plan, &err), &err);
    w->events++;
    vec_each (change, &w->plan.changes)
        w->decisions += change->kind == CHANGE_TASK || change->kind == CHANGE_RUN;
    vec_each (effect, &w->plan.effects)
        if (effect->kind == EFFECT_START)
            vec_push(&w->under_way, effect->attempt);
}

static void begin(struct world *w, int64_t start_us)
{
    enum { SLOTS = 1 << 20 };
    struct slots_setting pool = {"default_pool", SLOTS};
    *w = (struct world){.now = {start_us, US_PER_HOUR}};
    w->scheduler = scheduler_new(&(struct scheduler_options){
        .seed = 1, .pools = &pool, .pool_count = 1, .max_processes = SLOTS});
    plan_init(&w->plan);
}

static void finish(struct world *w)
{
    scheduler_free(w->scheduler);
    plan_done(&w->plan);
    vec_done(&w->under_way);
}

/* ---- DAGs ---- */

static struct dag *dag_new(int number, uint32_t task_count)
{
    struct arena *arena = arena_new();
    struct dag *dag = arena_new_of(arena, struct dag);
    atomic_init(&dag->references, 1);
    dag->arena = arena;
    dag->dag_id = arena_printf(arena, "dag%d", number);
    dag->file = "dags/bench.yaml";
    dag->schedule_text = "none";
    dag->zone = zone_utc();
    dag->start_us = INT64_MIN;
    dag->end_us = INT64_MAX;
    dag->max_active_runs = dag->max_active_tasks = 1 << 20;
    snprintf(dag->version, sizeof dag->version, "v%d", number);
    snprintf(dag->graph_version, sizeof dag->graph_version, "g%d", number);
    struct task *tasks = arena_array(arena, struct task, task_count);
    uint32_t *order = arena_array(arena, uint32_t, task_count);
    for (uint32_t n = 0; n < task_count; n++) {
        order[n] = n;
        tasks[n] = (struct task){.task_id = arena_printf(arena, "task%u", n),
            .index = n,
            .kind = KIND_BASH,
            .pool = "default_pool",
            .pool_slots = 1,
            .weight = 1};
        task_set_parts(&tasks[n], NULL, NULL);
    }
    dag->tasks = tasks;
    dag->task_count = task_count;
    dag->topological = order;
    return dag;
}

/* Edges [from, to) → each of [after, until), both ways. */
static void connect(struct dag *dag, uint32_t from, uint32_t to, uint32_t after, uint32_t until)
{
    struct task *tasks = (struct task *)dag->tasks;
    uint32_t *ups = arena_array(dag->arena, uint32_t, to - from);
    uint32_t *downs = arena_array(dag->arena, uint32_t, until - after);
    for (uint32_t n = from; n < to; n++)
        ups[n - from] = n;
    for (uint32_t n = after; n < until; n++)
        downs[n - after] = n;
    for (uint32_t n = from; n < to; n++)
        tasks[n].downstream = (struct indexes){downs, until - after};
    for (uint32_t n = after; n < until; n++)
        tasks[n].upstream = (struct indexes){ups, to - from};
}

/* Layers of `width` tasks, in groups of four that depend on the four before them. */
static struct dag *waves(int number, uint32_t count, uint32_t width)
{
    struct dag *dag = dag_new(number, count);
    for (uint32_t n = width; n < count; n += 4)
        connect(dag, n - width, n - width + 4, n, n + 4);
    return dag;
}

static struct dag *chain(int number, uint32_t count)
{
    struct dag *dag = dag_new(number, count);
    for (uint32_t n = 1; n < count; n++)
        connect(dag, n - 1, n, n, n + 1);
    return dag;
}

static struct dag *fan(int number, uint32_t count)
{
    struct dag *dag = dag_new(number, count + 1);
    connect(dag, 0, count, count, count + 1);
    return dag;
}

/* ---- playing ---- */

static void adopt(struct world *w, struct dag *dag)
{
    apply(w, &(struct event){.kind = EVENT_DAG_ADOPTED, .dag = dag});
    dag_unref(dag);
}

static void trigger(struct world *w, int number, int64_t logical_us)
{
    char dag_id[32];
    snprintf(dag_id, sizeof dag_id, "dag%d", number);
    struct request request = {
        .kind = REQUEST_TRIGGER, .dag_id = dag_id, .logical_us = logical_us, .user = "bench"};
    apply(w, &(struct event){.kind = EVENT_REQUEST, .request = &request});
}

/* Starts and ends attempts, first come first served, until none is left. */
static void play(struct world *w)
{
    static const struct attempt_result success = {.outcome = OUTCOME_SUCCESS, .exit_code = -1};
    while (w->next < w->under_way.count) {
        struct attempt_id id = w->under_way.at[w->next++];
        w->now.wall_us += 10;
        w->now.mono_us += 10;
        apply(w, &(struct event){.kind = EVENT_ATTEMPT_STARTED, .attempt = id});
        apply(
            w, &(struct event){.kind = EVENT_ATTEMPT_FINISHED, .attempt = id, .result = &success});
    }
}

/* Of this process on its core: others may use the machine too. */
static double seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return (double)(info.uordblks + info.hblkhd);
}

/* With all that it has grown to: it is not the scheduler's. */
static void forget_plan(struct world *w)
{
    plan_done(&w->plan);
    plan_init(&w->plan);
}

struct figures {
    double per_event_us;
};

static struct figures tell(const char *name, const struct world *w, double took_s)
{
    printf("%-46s %9lld %9lld %10.0f %11.0f %8.0f\n", name, (long long)w->events,
        (long long)w->decisions, (double)w->events / took_s, (double)w->decisions / took_s,
        w->memory);
    fflush(stdout);
    return (struct figures){took_s * 1e6 / (double)w->events};
}

/* One run of one DAG. */
static void one_run(const char *name, struct dag *dag)
{
    struct world w;
    uint32_t count = dag->task_count;
    begin(&w, INT64_C(1900000000) * US_PER_SECOND);
    adopt(&w, dag);
    double before = in_use(), started_s = seconds();
    trigger(&w, 0, 0);
    forget_plan(&w);
    w.memory = (in_use() - before) / count;
    play(&w);
    tell(name, &w, seconds() - started_s);
    finish(&w);
}

/* Many DAGs with live runs of ten tasks each; what is timed is the work of them, not their start:
   three times through all of them, with new runs in the place of those that end. */
static struct figures many(const char *name, int dag_count, int run_count)
{
    enum { TASKS = 10, ROUNDS = 3 };
    struct world w;
    begin(&w, INT64_C(1900000000) * US_PER_SECOND);
    for (int n = 0; n < dag_count; n++)
        adopt(&w, waves(n, TASKS + 2, 4));
    double before = in_use();
    for (int run = 0; run < run_count; run++)
        for (int n = 0; n < dag_count; n++)
            trigger(&w, n, run * US_PER_DAY);
    forget_plan(&w);
    w.memory = (in_use() - before) / ((double)dag_count * run_count * (TASKS + 2));
    w.events = w.decisions = 0;
    double started_s = seconds();
    for (int round = 1; round <= ROUNDS; round++) {
        play(&w);
        for (int n = 0; round < ROUNDS && n < dag_count; n++)
            for (int run = 0; run < run_count; run++)
                trigger(&w, n, (round * run_count + run) * US_PER_DAY);
    }
    struct figures figures = tell(name, &w, seconds() - started_s);
    finish(&w);
    return figures;
}

/* Years of hourly ticks: every run has one task that does nothing. */
static void ticks(int64_t years, int dag_count)
{
    struct error err;
    struct world w;
    int64_t start_us = INT64_C(1577836800) * US_PER_SECOND;
    int64_t end_us = start_us + years * 365 * US_PER_DAY + years / 4 * US_PER_DAY;
    const char *texts[] = {"@hourly"};
    begin(&w, start_us);
    for (int n = 0; n < dag_count; n++) {
        struct dag *dag = dag_new(n, 1);
        struct schedule_spec spec = {
            .form = SCHEDULE_TEXT, .texts = texts, .text_count = 1, .start_date = "2020-01-01"};
        struct timetable *timetable;
        must(timetable_parse(dag->arena, &spec, dag->zone, &timetable, &err), &err);
        dag->timetable = timetable;
        ((struct task *)dag->tasks)->kind = KIND_EMPTY;
        adopt(&w, dag);
    }
    double started_s = seconds();
    while (w.now.wall_us < end_us) {
        int64_t due_us = scheduler_next_due(w.scheduler);
        if (due_us == INT64_MAX)
            break;
        if (due_us > w.now.mono_us) {
            w.now.wall_us += due_us - w.now.mono_us;
            w.now.mono_us = due_us;
        }
        apply(&w, &(struct event){.kind = EVENT_TICK});
    }
    char name[64];
    snprintf(
        name, sizeof name, "%lld years of hourly ticks of %d DAGs", (long long)years, dag_count);
    tell(name, &w, seconds() - started_s);
    finish(&w);
}

static bool is_flat(const char *what, struct figures small, struct figures large)
{
    double ratio = large.per_event_us / small.per_event_us;
    printf("an event costs %.2f times as much with %s (at most %.1f)\n", ratio, what, FLAT_MAX);
    return ratio <= FLAT_MAX;
}

int main(int count, char **words)
{
    int64_t years = 10;
    if (count > 1 && (count != 3 || !str_equal(words[1], "--years") ||
                         !parse_int64(slice_of(words[2]), &years))) {
        fprintf(stderr, "usage: decisions [--years N]\n");
        return 2;
    }
    printf("%-46s %9s %9s %10s %11s %8s\n", "", "events", "decisions", "events/s", "decisions/s",
        "B/task");
    one_run("20,000 tasks in waves of 200", waves(0, 20000, 200));
    one_run("a chain of 10,000", chain(0, 10000));
    one_run("a fan of 10,000 into one", fan(0, 10000));
    struct figures small = many("100 DAGs, 10 live runs each", 100, 10);
    struct figures large = many("1,000 DAGs, 10 live runs each", 1000, 10);
    struct figures deep = many("100 DAGs, 100 live runs each", 100, 100);
    ticks(years, 100);
    bool flat = is_flat("ten times as many DAGs", small, large);
    flat &= is_flat("ten times as many runs", small, deep);
    return flat ? 0 : 1;
}
