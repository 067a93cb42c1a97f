/*
 * How fair the choice of what starts next is, as bounds that hold after every single start while
 * all wait: classes get slots as 8 : 8 : 4 : 2 to within one start, DAGs of a class equally many to
 * within one, and nobody waits longer than one round of all of them.
 */
#include <stdlib.h>
#include "tests/unit/scheduler/world.h"

enum { SEEDS = 60, SEEDS_LONG = 3000, DAGS_OF_CLASS_MAX = 4, SLOTS_MAX = 8 };
enum class_of_dag { FRESH, MANUAL, BACKFILL, CLASSES };
static const int64_t weights[CLASSES] = {8, 8, 2};

struct dag_of_test {
    char dag_id[8];
    int tasks;
    int64_t given, waits; /* starts of others since its last one */
};

struct fairness {
    struct world w;
    uint64_t random;
    struct dag_of_test dags[CLASSES][DAGS_OF_CLASS_MAX];
    int counts[CLASSES];
};

static uint64_t draw(struct fairness *f, uint64_t below)
{
    f->random = f->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (f->random >> 33) % below;
}

/* A DAG with one run whose tasks are all ready, of the class. */
static void add_dag(struct fairness *f, enum class_of_dag class, int number)
{
    struct dag_of_test *d = &f->dags[class][number];
    struct strbuf text = {0};
    snprintf(d->dag_id, sizeof d->dag_id, "%c%d", "fmb"[class], number);
    d->tasks = 50 + (int)draw(f, 100);
    for (int n = 0; n < d->tasks; n++)
        strbuf_printf(&text, "t%03d: {bash: 1, weight: %d}\n", n, 1 + (int)draw(f, 9));
    struct dag *dag = dag_build(d->dag_id, strbuf_text(&text));
    strbuf_done(&text);
    dag->max_active_tasks = 1000;
    if (class != MANUAL)
        dag_set_schedule(dag, "@daily", class == FRESH ? "2029-12-31" : "2029-01-01", NULL);
    if (class == BACKFILL)
        dag->catchup = CATCHUP_NONE;
    world_adopt(&f->w, dag);
    int64_t date_us = time_of("2029-06-01");
    struct request backfill = {.kind = REQUEST_BACKFILL,
        .dag_id = d->dag_id,
        .backfill = {.from_us = date_us, .to_us = date_us, .only = "missing"}};
    if (class == MANUAL)
        REQUIRE(world_trigger(&f->w, d->dag_id, date_us) == OK);
    else if (class == BACKFILL)
        REQUIRE(world_request(&f->w, &backfill) == OK);
}

static bool all_wait(const struct fairness *f)
{
    for (int c = 0; c < CLASSES; c++)
        for (int n = 0; n < f->counts[c]; n++)
            if (f->dags[c][n].given >= f->dags[c][n].tasks)
                return false;
    return true;
}

static int64_t given_to(const struct fairness *f, int class)
{
    int64_t given = 0;
    for (int n = 0; n < f->counts[class]; n++)
        given += f->dags[class][n].given;
    return given;
}

static void check_shares(const struct fairness *f)
{
    for (int a = 0; a < CLASSES; a++)
        for (int b = 0; b < a; b++) {
            int64_t larger = weights[a] > weights[b] ? weights[a] : weights[b];
            int64_t apart = given_to(f, a) * weights[b] - given_to(f, b) * weights[a];
            if (f->counts[a] && f->counts[b])
                CHECK(llabs(apart) <= larger);
        }
    for (int c = 0; c < CLASSES; c++)
        for (int n = 1; n < f->counts[c]; n++)
            CHECK(llabs(f->dags[c][n].given - f->dags[c][0].given) <= 1);
}

/* One round of all: as many starts as give each DAG of its class one. */
static int64_t longest_wait(const struct fairness *f, int class)
{
    int64_t of_all = 0;
    for (int c = 0; c < CLASSES; c++)
        of_all += f->counts[c] ? weights[c] : 0;
    return (f->counts[class] + 1) * (of_all + weights[class] - 1) / weights[class];
}

static void note_start(struct fairness *f, const char *dag_id)
{
    for (int c = 0; c < CLASSES; c++)
        for (int n = 0; n < f->counts[c]; n++) {
            struct dag_of_test *d = &f->dags[c][n];
            bool started = str_equal(d->dag_id, dag_id);
            d->given += started;
            d->waits = started ? 0 : d->waits + 1;
            CHECK(d->waits <= longest_wait(f, c));
        }
}

static void play(uint64_t seed)
{
    struct fairness f = {.random = seed};
    int slots = 1 + (int)draw(&f, SLOTS_MAX);
    world_init(&f.w, NULL);
    scheduler_set_pool(f.w.s, "default_pool", 0);
    for (int c = 0; c < CLASSES; c++) {
        f.counts[c] = (int)draw(&f, DAGS_OF_CLASS_MAX + 1);
        for (int n = 0; n < f.counts[c]; n++)
            add_dag(&f, (enum class_of_dag)c, n);
    }
    scheduler_set_pool(f.w.s, "default_pool", slots);
    world_apply(&f.w, &(struct event){.kind = EVENT_POOLS_CHANGED});
    for (size_t seen = 0; f.w.under_way.count && all_wait(&f);) {
        for (; seen < f.w.under_way.count; seen++)
            note_start(&f, f.w.under_way.at[seen].dag_id);
        check_shares(&f);
        struct attempt_under_way *ended = &f.w.under_way.at[draw(&f, f.w.under_way.count)];
        struct attempt_id id = ended->id;
        *ended = vec_pop(&f.w.under_way);
        seen = f.w.under_way.count;
        struct attempt_result success = {.outcome = OUTCOME_SUCCESS, .exit_code = -1};
        world_apply(&f.w,
            &(struct event){.kind = EVENT_ATTEMPT_FINISHED, .attempt = id, .result = &success});
        CHECK(f.w.under_way.count == (size_t)slots || !all_wait(&f));
    }
    world_done(&f.w);
}

TEST(slots_are_shared_by_class_and_dag_and_nobody_waits_longer_than_a_round)
{
    int64_t only = 0;
    uint64_t seeds = str_equal(getenv("DAG_LONG"), "1") ? SEEDS_LONG : SEEDS;
    if (parse_int64(slice_of(getenv("DAG_SEED")), &only)) {
        play((uint64_t)only);
        return;
    }
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        printf("DAG_SEED=%llu\n", (unsigned long long)seed);
        play(seed);
    }
}
