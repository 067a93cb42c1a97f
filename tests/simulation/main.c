/* The driver: what happens next, from one seed; what is told when something must not have. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "tests/simulation/invariants.h"
#include "tests/simulation/planted.h"

static struct sim *current; /* for the report when an assertion fails */

/* ---- random choices ---- */

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

uint64_t sim_random(struct sim *sim)
{
    return mix(sim->random += UINT64_C(0x9E3779B97F4A7C15));
}

uint64_t sim_pick(struct sim *sim, uint64_t below)
{
    return below ? sim_random(sim) % below : 0;
}

bool sim_chance(struct sim *sim, uint64_t of_thousand)
{
    return sim_pick(sim, 1000) < of_thousand;
}

uint64_t sim_hash(const struct sim *sim, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return mix(mix(mix(mix(mix(sim->seed) + a) + b) + c) + d);
}

/* ---- time ---- */

void sim_at(struct sim *sim, struct due *due, int64_t delay_us)
{
    heap_set(&sim->clock, &due->entry, sim->now.mono_us + delay_us, ++sim->sequence);
}

void sim_never(struct sim *sim, struct due *due)
{
    heap_remove(&sim->clock, &due->entry);
}

static void move_clock(struct sim *sim, int64_t to_mono_us)
{
    if (to_mono_us <= sim->now.mono_us)
        return;
    sim->now.wall_us += to_mono_us - sim->now.mono_us;
    sim->now.mono_us = to_mono_us;
}

/* ---- the report ---- */

static void print_line(const struct trace_line *line);

void sim_trace(struct sim *sim, const struct trace_line *line)
{
    struct trace_line *to = &sim->trace[sim->traced++ % TRACE_SIZE];
    *to = *line;
    to->step = sim->step;
    to->wall_us = sim->now.wall_us;
    if (sim->follow && (to->run == sim->follow || to->dag < 0))
        print_line(to);
}

void sim_trace_task(struct sim *sim, const char *what, const struct row_task *task, int from,
    int to, int64_t detail)
{
    sim_trace(sim, &(struct trace_line){.what = what,
                       .run = task->run->live.id.v,
                       .dag = task->run->dag->number,
                       .task = task->number,
                       .map_index = task->map_index,
                       .from = from,
                       .to = to,
                       .generation = task->live.generation,
                       .detail = detail});
}

static void print_line(const struct trace_line *line)
{
    char at[TIME_TEXT_SIZE], subject[48] = "";
    time_format_iso(line->wall_us, at);
    if (line->task >= 0 && line->map_index >= 0)
        snprintf(subject, sizeof subject, "d%d run %lld %s[%d]", line->dag, (long long)line->run,
            task_name(line->task), line->map_index);
    else if (line->task >= 0)
        snprintf(subject, sizeof subject, "d%d run %lld %s", line->dag, (long long)line->run,
            task_name(line->task));
    else if (line->dag >= 0)
        snprintf(subject, sizeof subject, "d%d run %lld", line->dag, (long long)line->run);
    bool states = str_equal(line->what, "decided");
    printf("  %8lld  %s  %-22s %-26s ", (long long)line->step, at, line->what, subject);
    if (states)
        printf("%s -> %s (%s) generation %llx\n",
            line->from < 0 ? "-" : task_state_name((enum task_state)line->from),
            task_state_name((enum task_state)line->to), reason_code((enum reason)line->detail),
            (unsigned long long)line->generation);
    else
        printf("%d %d %lld\n", line->from, line->to, (long long)line->detail);
}

static void print_trace(const struct sim *sim, int dag)
{
    enum { LINES = 60 };
    size_t from = sim->traced > TRACE_SIZE ? sim->traced - TRACE_SIZE : 0, fitting = 0;
    for (size_t n = from; n < sim->traced; n++)
        fitting +=
            dag < 0 || sim->trace[n % TRACE_SIZE].dag == dag || sim->trace[n % TRACE_SIZE].dag < 0;
    printf("the last of what happened%s:\n", dag < 0 ? "" : " to this DAG");
    for (size_t n = from; n < sim->traced; n++) {
        const struct trace_line *line = &sim->trace[n % TRACE_SIZE];
        if (dag < 0 || line->dag == dag || line->dag < 0) {
            if (fitting-- <= LINES)
                print_line(line);
        }
    }
}

static void report(const struct sim *sim, const struct invariant *invariant, int dag)
{
    static const char *const kinds[] = {"chaos", "undisturbed", "disturbed", "steady"};
    printf("\nVIOLATED: %s: %s\n", invariant->name, invariant->sentence);
    printf("seed %llu (%s%s), step %lld\n", (unsigned long long)sim->seed, kinds[sim->kind],
        sim->calm ? ", faults are over" : "", (long long)sim->step);
    print_trace(sim, dag);
    printf("to see it again: simulation --seed %llu --episodes 1 --until-step %lld\n",
        (unsigned long long)sim->seed, (long long)sim->step);
    fflush(stdout);
}

void sim_violation(struct sim *sim, const struct invariant *invariant, int dag)
{
    report(sim, invariant, dag);
    _exit(planted_was_found(invariant->name) ? 0 : 1);
}

static void on_abort(int signal)
{
    (void)signal;
    if (current)
        sim_violation(current, &invariant_assertions, -1);
}

/* ---- steps ---- */

static void due_now(struct sim *sim, struct due *due)
{
    sim_never(sim, due);
    switch (due->kind) {
    case DUE_ATTEMPT: executor_attempt_due(sim, CONTAINER_OF(due, struct attempt, due)); break;
    case DUE_MESSAGE: message_due(sim, CONTAINER_OF(due, struct message, due)); break;
    case DUE_BATCH: daemon_batch_due(sim, CONTAINER_OF(due, struct batch, due)); break;
    case DUE_TURN: daemon_turn(sim, CONTAINER_OF(due, struct daemon, turn)); break;
    case DUE_LOOK:
        if (!sim->calm)
            sim_at(sim, &sim->look, US_PER_HOUR);
        daemon_event(sim, sim->leader, &(struct event){.kind = EVENT_TICK});
        break;
    }
}

/* Lets the next thing happen; false when nothing ever will. */
static bool step(struct sim *sim)
{
    if (++sim->step == sim->until_step) {
        print_trace(sim, -1);
        exit(0);
    }
    faults_maybe(sim);
    struct heap_entry *first = heap_first(&sim->clock);
    int64_t tick_us = scheduler_next_due(sim->leader->scheduler);
    if (!first && tick_us == INT64_MAX)
        return false;
    if (!first || tick_us < first->due) {
        move_clock(sim, tick_us);
        daemon_event(sim, sim->leader, &(struct event){.kind = EVENT_TICK});
        return true;
    }
    move_clock(sim, first->due);
    due_now(sim, (struct due *)CONTAINER_OF(first, struct due, entry));
    return true;
}

/* ---- an episode ---- */

static size_t unfinished(const struct sim *sim)
{
    size_t count = 0;
    vec_each (run, &sim->runs)
        count += *run && (*run)->is_live && !run_state_finished((*run)->live.state);
    return count;
}

static bool has_failed(const struct row_run *run)
{
    bool failed = run->durable.state == RUN_FAILED;
    row_each(task, run) failed |= run_state_finished(run->durable.state) && task->in_store &&
                                  task_state_failed_like(task->durable.state);
    return failed;
}

/* What waits rightly for people, when nothing else is left: DAGs that have paused themselves, tasks
   after a failed one in the run before. */
static bool help(struct sim *sim)
{
    bool helped = false;
    for (int n = 0; n < sim->dag_count; n++)
        if (sim->dags[n].live.paused) {
            act_set_paused(sim, &sim->dags[n], false);
            helped = true;
        }
    for (size_t n = 0; n < sim->runs.count; n++) {
        struct row_run *run = sim->runs.at[n];
        if (!run || !run->in_store || !run->dag->uses_past || !has_failed(run))
            continue;
        act_mark_run(sim, run, TASK_SUCCESS);
        helped = true;
    }
    return helped;
}

/* Faults and acts are over: everything ends, within a number of steps. */
static void come_to_rest(struct sim *sim)
{
    enum { STEPS_MAX = 3000000, HELP_MORE = 200 };
    sim->calm = true;
    daemon_free(sim, sim->former);
    for (int n = 0; n < sim->dag_count; n++) {
        struct sim_dag *dag = &sim->dags[n];
        if (dag->gone || !dag->is_live)
            act_adopt(sim, dag);
        act_set_paused(sim, dag, false);
    }
    /* where tasks depend on the past each run may need it anew */
    size_t help_max = sim->runs.count + HELP_MORE, helped = 0;
    for (int64_t n = 0; n < STEPS_MAX; n++) {
        if (step(sim))
            continue;
        if (!unfinished(sim))
            return;
        if (helped++ == help_max || sim->kind != EPISODE_CHAOS || !help(sim))
            break;
    }
    invariants_check(sim, WHEN_STUCK, &(struct moment){0});
}

/* In an undisturbed play runs after one that was skipped or failed may wait for ever; so must they
   in a disturbed one.  Nothing of this kind is drawn, so all ends. */
static char *states_of(const struct sim *sim)
{
    struct strbuf text = {0};
    for (int d = 0; d < sim->dag_count; d++) {
        vec_each (run, &sim->dags[d].runs) {
            strbuf_printf(&text, "d%d %lld %s:", d, (long long)(*run)->durable.logical_us,
                run_state_name((*run)->durable.state));
            row_each(task, *run) strbuf_printf(&text, " %s[%d]=%s", task_name(task->number),
                (int)task->map_index, task_state_name(task->durable.state));
            strbuf_printf(&text, " #%lld\n", (long long)(*run)->durable.id.v);
        }
    }
    return strbuf_take(&text);
}

/* Slots for twice what is offered, and what a ready task may wait then: until all that could have
   come at once is done four times over. */
static void draw_capacity(struct sim *sim)
{
    int64_t pool_work[POOLS] = {0}, connection_work[CONNECTIONS] = {0}, process_work = 0;
    enum { MEAN_S = 150, RUNS_PER_HOUR = 6, LOOKS = 3 };
    for (int d = 0; d < sim->dag_count; d++) {
        const struct dag *dag = project_newest(&sim->dags[d]);
        for (uint32_t n = 0; n < dag->task_count; n++) {
            const struct task *task = &dag->tasks[n];
            int connection = connection_number(task->sql.connection);
            int64_t work = MEAN_S * (task->expand.count ? 1 + MAPPED_ROWS : 1) *
                           (task->kind == KIND_WAIT_FOR ? LOOKS : 1);
            pool_work[pool_number(task->pool)] += work * task->pool_slots;
            if (connection >= 0)
                connection_work[connection] += work;
            process_work += task->kind == KIND_BASH ? work : 0;
        }
    }
    for (int n = 0; n < POOLS; n++)
        sim->pool_slots[n] = 3 + (int)(2 * RUNS_PER_HOUR * pool_work[n] / 3600);
    for (int n = 0; n < CONNECTIONS; n++)
        sim->connection_slots[n] = 3 + (int)(2 * RUNS_PER_HOUR * connection_work[n] / 3600);
    sim->process_slots = 3 + (int)(2 * RUNS_PER_HOUR * process_work / 3600);
    sim->wait_bound_us = 90 * US_PER_MINUTE;
}

/* What people ask for at the start of a play that is compared, or steady. */
static void ask_at_start(struct sim *sim)
{
    bool steady = sim->kind == EPISODE_STEADY; /* a backfill makes few runs, one after the other */
    for (int n = 0; n < sim->dag_count; n++) {
        struct sim_dag *dag = &sim->dags[n];
        uint64_t what = sim_hash(sim, (uint64_t)n, 1, 1, 1);
        if (!dag->uses_past && dag->schedule && !str_equal(dag->schedule, "@once") && what % 2)
            act_backfill(sim, dag,
                (struct backfill_record){.from_us = dag->start_us,
                    .to_us = dag->start_us + (steady ? 1 : 30) * US_PER_HOUR,
                    .only = "missing",
                    .reverse = what % 3 == 0,
                    .max_active_runs = steady ? 1 : (int32_t)(what >> 8) % 3});
        if (!dag->uses_past && what >> 16 & 1)
            act_trigger(sim, dag, dag->start_us - US_PER_HOUR);
    }
}

static void begin(struct sim *sim)
{
    sim->arena = arena_new();
    sim->attempts = map_new();
    sim->now = (struct instant){0, US_PER_HOUR};
    sim->look.kind = DUE_LOOK;
    *vec_add(&sim->events) = (struct row_event){.in_store = true, .asset = -1}; /* ids are from 1 */
    project_make(sim);
    sim->crashes_left = 8;
    if (sim->kind == EPISODE_STEADY)
        draw_capacity(sim);
    daemon_start(sim);
    for (int n = 0; n < sim->dag_count; n++)
        act_adopt(sim, &sim->dags[n]);
    sim_at(sim, &sim->look, US_PER_MINUTE);
    sim->calm = true; /* nothing goes wrong with what is asked for at the start */
    if (sim->kind != EPISODE_CHAOS)
        ask_at_start(sim);
    daemon_settle(sim, sim->leader);
    sim->calm = false;
}

static void finish(struct sim *sim)
{
    daemon_free(sim, sim->former);
    daemon_free(sim, sim->leader);
    project_done(sim);
    map_free(sim->attempts);
    vec_done(&sim->runs);
    vec_done(&sim->backfills);
    vec_done(&sim->requests);
    vec_done(&sim->events);
    vec_done(&sim->open);
    heap_done(&sim->clock);
    arena_free(sim->arena);
}

void sim_play(struct sim *sim, char **ret_states)
{
    enum { STEPS_MAX = 20000 };
    current = sim;
    sim->random = sim->seed * UINT64_C(0x2545F4914F6CDD1D) + 1;
    begin(sim);
    bool more = true;
    for (int64_t n = 0; more && n < STEPS_MAX && sim->now.wall_us < sim->end_us; n++)
        more = step(sim);
    come_to_rest(sim);
    invariants_check(sim, WHEN_OVER, &(struct moment){0});
    if (ret_states)
        *ret_states = states_of(sim);
    finish(sim);
}

/* ---- many episodes ---- */

struct totals {
    int64_t episodes, instances, decisions, crashes, commits, steps;
};

static void add(struct totals *totals, const struct sim *sim)
{
    totals->episodes++;
    totals->instances += sim->instances;
    totals->decisions += sim->decisions;
    totals->crashes += sim->crashes;
    totals->commits += sim->commits;
    totals->steps += sim->step;
}

struct options {
    int64_t seed, episodes, instances, until_step, follow;
    const char *planted;
};

/* The same project twice, with nothing wrong and with everything. */
static void compare(
    struct sim *sim, uint64_t seed, const struct options *options, struct totals *totals)
{
    char *undisturbed = NULL, *disturbed = NULL;
    *sim = (struct sim){.seed = seed, .kind = EPISODE_UNDISTURBED};
    sim_play(sim, &undisturbed);
    add(totals, sim);
    *sim = (struct sim){.seed = seed,
        .kind = EPISODE_DISTURBED,
        .until_step = options->until_step,
        .follow = options->follow};
    sim_play(sim, &disturbed);
    add(totals, sim);
    invariants_check(
        sim, WHEN_COMPARED, &(struct moment){.states = undisturbed, .other_states = disturbed});
    mem_free(undisturbed);
    mem_free(disturbed);
}

static void play_seed(
    struct sim *sim, uint64_t seed, const struct options *options, struct totals *totals)
{
    if (seed % 8 == 6) {
        compare(sim, seed, options, totals);
        return;
    }
    *sim = (struct sim){.seed = seed,
        .kind = seed % 8 == 7 ? EPISODE_STEADY : EPISODE_CHAOS,
        .until_step = options->until_step,
        .follow = options->follow};
    sim_play(sim, NULL);
    add(totals, sim);
}

static void print_totals(const struct totals *totals)
{
    printf("%lld episodes: %lld task instances, %lld decisions, %lld commits in targets, %lld "
           "crashes and take-overs, %lld steps\n",
        (long long)totals->episodes, (long long)totals->instances, (long long)totals->decisions,
        (long long)totals->commits, (long long)totals->crashes, (long long)totals->steps);
    fflush(stdout);
}

static const char usage[] =
    "usage: simulation [--seed N] [--instances N] [--episodes N] [--until-step M] [--follow RUN]\n "
    "                 [--planted BUG]\n"
    "\n"
    "Plays random projects with random faults, from one seed, and checks every invariant of\n"
    "tests/simulation/invariants.h.\n"
    "\n"
    "  --seed N        of the first episode (default 1); each further one takes the next number\n"
    "  --instances N   play until so many task instances were made (default 20000)\n"
    "  --episodes N    play so many episodes instead\n"
    "  --until-step M  stop at this step and print what happened before it\n"
    "  --follow RUN    print all that happens to the run of that number (see a trace), as it does\n"
    "  --planted BUG   plant a bug that must be found: 0 = it was, by the right invariant\n"
    "\n"
    "exit status: 0 nothing was violated (with --planted: it was), 1 something was, 2 wrong use\n";

static bool read_number(const char *text, int64_t *ret)
{
    return text && parse_int64(slice_of(text), ret) && *ret >= 0;
}

static bool read_options(int count, char **words, struct options *ret)
{
    *ret = (struct options){.seed = 1, .instances = 20000};
    for (int n = 1; n < count; n += 2) {
        const char *value = n + 1 < count ? words[n + 1] : NULL;
        int64_t *number = str_equal(words[n], "--seed")         ? &ret->seed
                          : str_equal(words[n], "--instances")  ? &ret->instances
                          : str_equal(words[n], "--episodes")   ? &ret->episodes
                          : str_equal(words[n], "--until-step") ? &ret->until_step
                          : str_equal(words[n], "--follow")     ? &ret->follow
                                                                : NULL;
        if (number && read_number(value, number))
            continue;
        if (!str_equal(words[n], "--planted") || !value)
            return false;
        ret->planted = value;
    }
    return !ret->planted || planted_choose(ret->planted);
}

int main(int count, char **words)
{
    struct options options;
    if (!read_options(count, words, &options)) {
        fputs(usage, stderr);
        return 2;
    }
    signal(SIGABRT, on_abort);
    signal(SIGSEGV, on_abort);
    printf("simulation: --seed %lld\n", (long long)options.seed);
    fflush(stdout);
    struct sim *sim = mem_alloc_zero(1, sizeof *sim);
    struct totals totals = {0};
    for (int64_t n = 0;
         options.episodes ? n < options.episodes : totals.instances < options.instances; n++) {
        play_seed(sim, (uint64_t)(options.seed + n), &options, &totals);
        if (n % 1000 == 999)
            print_totals(&totals);
    }
    current = NULL;
    mem_free(sim);
    print_totals(&totals);
    if (options.planted)
        printf("the planted bug %s was not found\n", options.planted);
    return options.planted ? 1 : 0;
}
