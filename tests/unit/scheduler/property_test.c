/* What must hold for every DAG, every order of finishes and every crash. */
#include "tests/unit/scheduler/world.h"

enum { DAGS = 150, ORDERS = 6, TASKS_MAX = 14 };

static uint64_t next_number(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static bool chance(uint64_t *state, uint64_t of_hundred)
{
    return next_number(state) % 100 < of_hundred;
}

static void add_task(struct strbuf *text, uint64_t n, uint64_t *state)
{
    static const char *const kinds[] = {"sql: db", "bash: 1", "sql: db", "bash: 1", "branch: 1",
        "short_circuit: 1", "short_circuit: direct"};
    strbuf_printf(
        text, "t%llu: {%s", (unsigned long long)n, kinds[next_number(state) % ARRAY_SIZE(kinds)]);
    bool any = false;
    for (uint64_t up = 0; up < n; up++)
        if (chance(state, 30)) {
            strbuf_printf(text, "%st%llu", any ? ", " : ", depends_on: [", (unsigned long long)up);
            any = true;
        }
    strbuf_add_str(text, any ? "]" : "");
    uint64_t rule =
        chance(state, 50) ? RULE_ALL_SUCCESS : next_number(state) % RULE_ALL_DONE_SETUP_SUCCESS;
    strbuf_printf(text, ", trigger_rule: %s", trigger_rule_name((enum trigger_rule)rule));
    if (chance(state, 30))
        strbuf_printf(text, ", retries: %d, retry_delay: 60", (int)(next_number(state) % 3));
    strbuf_add_str(text, "}\n");
}

static struct dag *random_dag(uint64_t seed)
{
    struct strbuf text = {0};
    uint64_t state = seed, count = 2 + next_number(&state) % (TASKS_MAX - 1);
    for (uint64_t n = 0; n < count; n++)
        add_task(&text, n, &state);
    struct dag *dag = dag_build("d", strbuf_text(&text));
    strbuf_done(&text);
    return dag;
}

/* What a branch or short circuit decides: the same whenever it is asked. */
static const char *decision_of(struct world *w, uint64_t *state, const struct attempt_under_way *a)
{
    const struct task *task = dag_find_task(w->versions.at[0], a->task_id);
    bool nothing = chance(state, 40);
    if (task->kind == KIND_SHORT_CIRCUIT || !task->downstream.count || nothing)
        return nothing ? "[]" : NULL;
    uint32_t chosen = task->downstream.at[next_number(state) % task->downstream.count];
    return arena_printf(w->arena, "[\"%s\"]", w->versions.at[0]->tasks[chosen].task_id);
}

/* How an attempt ends depends on the task and the try alone, so that all plays agree: the first
   tries may be lost, interrupted or failed, the last one has the task's own end. */
static struct attempt_result result_of(
    struct world *w, uint64_t seed, const struct attempt_under_way *a)
{
    uint64_t state = seed ^ hash_u64(a->task_id, strlen(a->task_id));
    struct attempt_result result = {.exit_code = -1};
    uint64_t end = next_number(&state) % 100;
    result.decision = decision_of(w, &state, a);
    result.outcome = end < 60 ? OUTCOME_SUCCESS : end < 75 ? OUTCOME_SKIPPED : OUTCOME_FAILED;
    if (result.outcome == OUTCOME_FAILED)
        result.may_commit = chance(&state, 30);
    else if (a->number == 1 && chance(&state, 20)) {
        result.outcome = chance(&state, 50) ? OUTCOME_LOST : OUTCOME_INTERRUPTED;
        result.may_commit = result.outcome == OUTCOME_LOST;
    }
    return result;
}

static void end_one(struct world *w, uint64_t seed, uint64_t *order)
{
    struct attempt_under_way *a = &w->under_way.at[next_number(order) % w->under_way.count];
    if (a->is_void) {
        world_end_void(w, a->task_id, chance(order, 20) ? VOID_UNREACHABLE : VOID_INSERTED);
        return;
    }
    if (!a->started && chance(order, 50)) {
        world_started(w, a);
        return;
    }
    struct attempt_result result = result_of(w, seed, a);
    world_end(w, a, &result);
}

/* The end states of a play, as one text. */
static char *play(uint64_t seed, uint64_t order_seed, uint64_t crashes_of_hundred)
{
    struct world w;
    world_init(&w, &(struct scheduler_options){.seed = order_seed});
    uint64_t order = order_seed;
    world_adopt(&w, random_dag(seed));
    REQUIRE(world_trigger(&w, "d", time_of("2030-01-01")) == OK);
    for (int steps = 0; !run_state_finished(world_last_run(&w)->state); steps++) {
        REQUIRE(steps < 10000);
        if (chance(&order, crashes_of_hundred))
            world_crash(&w);
        if (w.under_way.count && chance(&order, 80))
            end_one(&w, seed, &order);
        else
            world_advance(&w, US_PER_MINUTE);
    }
    CHECK_INT(scheduler_count(w.s).active, 0);
    CHECK_INT(scheduler_count(w.s).instances, 0);
    CHECK_INT(w.under_way.count, 0);
    struct strbuf text = {0};
    strbuf_printf(&text, "%s", world_run_state(&w));
    const struct dag *dag = w.versions.at[0];
    for (uint32_t n = 0; n < dag->task_count; n++)
        strbuf_printf(
            &text, " %s=%s", dag->tasks[n].task_id, world_state(&w, dag->tasks[n].task_id));
    world_done(&w);
    return strbuf_take(&text);
}

TEST(the_order_of_finishes_never_changes_the_outcome)
{
    for (uint64_t seed = 1; seed <= DAGS; seed++) {
        char *first = play(seed, 1, 0);
        for (uint64_t order = 2; order <= ORDERS; order++) {
            char *other = play(seed, order, 0);
            CHECK_STR(other, first);
            mem_free(other);
        }
        mem_free(first);
    }
}

TEST(a_crash_between_any_two_events_never_changes_the_outcome)
{
    for (uint64_t seed = 1; seed <= DAGS; seed++) {
        char *undisturbed = play(seed, 1, 0);
        for (uint64_t order = 2; order <= ORDERS; order++) {
            char *crashed = play(seed, order, 25);
            CHECK_STR(crashed, undisturbed);
            mem_free(crashed);
        }
        mem_free(undisturbed);
    }
}

TEST(the_same_events_give_the_same_plan)
{
    struct strbuf texts[2] = {{0}, {0}};
    for (int n = 0; n < 2; n++) {
        struct world w;
        world_init(&w, &(struct scheduler_options){.seed = 42});
        world_adopt(&w, random_dag(3));
        REQUIRE(world_trigger(&w, "d", time_of("2030-01-01")) == OK);
        vec_each (a, &w.under_way)
            strbuf_printf(&texts[n], "%s %s %d\n", a->task_id, a->id.text, a->number);
        world_done(&w);
    }
    CHECK(texts[0].size > 40);
    CHECK_STR(strbuf_text(&texts[0]), strbuf_text(&texts[1]));
    strbuf_done(&texts[0]);
    strbuf_done(&texts[1]);
}
