/*
 * DAGs for the scheduler's tests, written as the flow mappings of a DAG file:
 *
 *     load: {sql: db}
 *     score: {bash: 1, depends_on: [load], retries: 2, retry_delay: 60}
 *
 * One task a line; other lines of a DAG file ("dag_id:", "schedule:", "tasks:") are passed over, so
 * that the trigger rule vectors can be read as they are.  Durations are seconds.
 */
#ifndef TESTS_SCHEDULER_BUILD_H
#define TESTS_SCHEDULER_BUILD_H

#include "base/clock.h"
#include "base/vec.h"
#include "definition/model/model.h"
#include "language/timetable/timetable.h"
#include "tests/unit/test.h"

#define UNUSED __attribute__((unused))

struct built_task {
    struct task task;
    struct task_parts parts;
    VEC(const char *) depends_on;
    VEC(const char *) retry_on;
    VEC(const char *) outlets;
};

struct task_line {
    struct arena *arena;
    const char *p;
};

static void skip_blanks(struct task_line *line)
{
    while (*line->p == ' ' || *line->p == ',' || *line->p == ':')
        line->p++;
}

static const char *next_word(struct task_line *line)
{
    skip_blanks(line);
    size_t size = strcspn(line->p, " ,:[]{}\n");
    const char *word = arena_strndup(line->arena, line->p, size);
    line->p += size;
    skip_blanks(line);
    return word;
}

static int64_t number_of(const char *word)
{
    int64_t value = 0;
    REQUIRE(parse_int64(slice_of(word), &value));
    return value;
}

static const struct expand_source some_source = {.name = "n", .kind = EXPAND_VALUES};

static void set_value(struct built_task *b, const char *key, const char *value)
{
    struct task *t = &b->task;
    bool flag = str_equal(value, "true");
    if (str_equal(key, "trigger_rule"))
        REQUIRE(trigger_rule_parse(value, &t->trigger_rule));
    else if (str_equal(key, "sql"))
        t->kind = KIND_SQL, t->sql.connection = value;
    else if (str_equal(key, "bash"))
        t->kind = KIND_BASH;
    else if (str_equal(key, "wait_for"))
        t->kind = KIND_WAIT_FOR, b->parts.wait.kind = WAIT_FILE;
    else if (str_equal(key, "poke_interval"))
        b->parts.wait.poke_interval_us = number_of(value) * US_PER_SECOND;
    else if (str_equal(key, "timeout"))
        b->parts.wait.timeout_us = number_of(value) * US_PER_SECOND;
    else if (str_equal(key, "soft_fail"))
        b->parts.wait.soft_fail = flag;
    else if (str_equal(key, "exponential_backoff"))
        b->parts.wait.exponential_backoff = flag;
    else if (str_equal(key, "trigger_dag")) /* which one is the executor's business */
        t->kind = KIND_TRIGGER_DAG;
    else if (str_equal(key, "wait"))
        b->parts.trigger.wait = flag;
    else if (str_equal(key, "branch"))
        t->kind = KIND_BRANCH;
    else if (str_equal(key, "short_circuit"))
        t->kind = KIND_SHORT_CIRCUIT, b->parts.decision.only_direct = str_equal(value, "direct");
    else if (str_equal(key, "latest_only"))
        t->kind = KIND_LATEST_ONLY;
    else if (str_equal(key, "setup"))
        t->setup = flag;
    else if (str_equal(key, "teardown"))
        t->teardown = flag;
    else if (str_equal(key, "on_failure_fail_dagrun"))
        t->on_failure_fail_dagrun = flag;
    else if (str_equal(key, "retries"))
        t->retries = (int)number_of(value);
    else if (str_equal(key, "retry_delay"))
        t->retry_delay_us = number_of(value) * US_PER_SECOND;
    else if (str_equal(key, "backoff"))
        t->retry_exponential_backoff = (double)number_of(value);
    else if (str_equal(key, "execution_timeout"))
        t->execution_timeout_us = number_of(value) * US_PER_SECOND;
    else if (str_equal(key, "depends_on_past"))
        t->depends_on_past = flag;
    else if (str_equal(key, "wait_for_downstream"))
        t->depends_on_past = t->wait_for_downstream = flag;
    else if (str_equal(key, "pool"))
        t->pool = value;
    else if (str_equal(key, "pool_slots"))
        t->pool_slots = (int)number_of(value);
    else if (str_equal(key, "weight"))
        t->weight = number_of(value);
    else if (str_equal(key, "max_active_tis_per_dag"))
        t->max_active_tis_per_dag = (int)number_of(value);
    else if (str_equal(key, "max_active_tis_per_dagrun"))
        t->max_active_tis_per_dagrun = (int)number_of(value);
    else if (str_equal(key, "expand")) /* over one name; what it takes is the executor's business */
        t->expand = (struct expand){&some_source, 1, false};
    else if (str_equal(key, "deadline"))
        t->deadline = (struct deadline){DEADLINE_START, number_of(value) * US_PER_SECOND, 0};
    else if (str_equal(key, "deadline_logical"))
        t->deadline = (struct deadline){DEADLINE_LOGICAL, number_of(value) * US_PER_SECOND, 0};
    else if (str_equal(key, "typical"))
        t->deadline = (struct deadline){DEADLINE_TYPICAL, 0, (double)number_of(value)};
    else
        REQUIRE(!"a known key");
}

static void read_value(struct built_task *b, struct task_line *line, const char *key)
{
    if (*line->p == '{') { /* empty: {} */
        REQUIRE(str_equal(key, "empty"));
        b->task.kind = KIND_EMPTY;
        line->p += 2;
        return;
    }
    if (*line->p != '[') {
        set_value(b, key, next_word(line));
        return;
    }
    for (line->p++; *line->p != ']'; skip_blanks(line)) {
        const char *word = next_word(line);
        if (str_equal(key, "retry_on"))
            vec_push(&b->retry_on, word);
        else if (str_equal(key, "outlets"))
            vec_push(&b->outlets, word);
        else
            vec_push(&b->depends_on, word);
    }
    line->p++;
}

static void read_task(struct built_task *b, struct task_line *line)
{
    *b = (struct built_task){.task = {.pool = "default_pool",
                                 .pool_slots = 1,
                                 .weight = 1,
                                 .kind = KIND_BASH,
                                 .retry_delay_us = 300 * US_PER_SECOND}};
    b->task.task_id = next_word(line);
    REQUIRE(*line->p == '{');
    line->p++;
    for (skip_blanks(line); *line->p != '}'; skip_blanks(line)) {
        const char *key = next_word(line);
        read_value(b, line, key);
    }
    b->parts.data.outlets =
        (struct names){arena_memdup(line->arena, b->outlets.at, b->outlets.count * sizeof(char *)),
            b->outlets.count};
    vec_done(&b->outlets);
    task_set_parts(&b->task, &b->parts, line->arena);
    if (b->task.teardown)
        b->task.trigger_rule = RULE_ALL_DONE_SETUP_SUCCESS;
}

static uint32_t index_of(const struct task *tasks, size_t count, const char *task_id)
{
    for (uint32_t n = 0; n < count; n++)
        if (str_equal(tasks[n].task_id, task_id))
            return n;
    REQUIRE(!"an upstream that exists");
    return 0;
}

static void add_index(struct arena *arena, struct indexes *list, uint32_t index)
{
    uint32_t *grown = arena_array(arena, uint32_t, list->count + 1);
    if (list->count)
        memcpy(grown, list->at, list->count * sizeof *grown);
    grown[list->count] = index;
    *list = (struct indexes){grown, list->count + 1};
}

static void sort_topologically(struct dag *dag)
{
    uint32_t *order = arena_array(dag->arena, uint32_t, dag->task_count);
    bool *done = arena_array(dag->arena, bool, dag->task_count);
    uint32_t count = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t n = 0; n < dag->task_count; n++) {
            bool ready = !done[n];
            for (size_t u = 0; ready && u < dag->tasks[n].upstream.count; u++)
                ready = done[dag->tasks[n].upstream.at[u]];
            if (!ready)
                continue;
            order[count++] = n;
            done[n] = moved = true;
        }
    }
    for (uint32_t n = 0; n < dag->task_count; n++)
        if (!done[n])
            order[count++] = n;
    dag->topological = order;
}

static void read_tasks(struct dag *dag, const char *text)
{
    VEC(struct built_task) built = {0};
    for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
        struct task_line line = {dag->arena, p};
        size_t size = strcspn(p, "\n");
        if (!memchr(p, '{', size))
            continue;
        struct built_task task;
        read_task(&task, &line);
        vec_push(&built, task);
    }
    struct task *tasks = arena_array(dag->arena, struct task, built.count);
    for (size_t n = 0; n < built.count; n++)
        tasks[n] = built.at[n].task;
    for (uint32_t n = 0; n < built.count; n++) {
        tasks[n].index = n;
        struct built_task *b = &built.at[n];
        vec_each (id, &b->depends_on) {
            uint32_t up = index_of(tasks, built.count, *id);
            add_index(dag->arena, &tasks[n].upstream, up);
            add_index(dag->arena, &tasks[up].downstream, n);
        }
        tasks[n].retry_on = (struct names){
            arena_memdup(dag->arena, b->retry_on.at, b->retry_on.count * sizeof(char *)),
            b->retry_on.count};
        dag->uses_past |= tasks[n].depends_on_past;
        dag->has_deadlines |= tasks[n].deadline.kind != DEADLINE_NONE;
        dag->uses_durations |= tasks[n].deadline.kind == DEADLINE_TYPICAL;
        vec_done(&b->depends_on);
        vec_done(&b->retry_on);
    }
    dag->tasks = tasks;
    dag->task_count = (uint32_t)built.count;
    vec_done(&built);
    sort_topologically(dag);
}

/* What a version is known by: the text, and its ids and edges. */
static void set_versions(struct dag *dag, const char *text)
{
    hash_sha256(text, strlen(text), dag->version);
    struct strbuf graph = {0};
    for (uint32_t n = 0; n < dag->task_count; n++) {
        strbuf_printf(&graph, "%s %d %zu", dag->tasks[n].task_id, (int)dag->tasks[n].trigger_rule,
            dag->tasks[n].expand.count);
        for (size_t u = 0; u < dag->tasks[n].upstream.count; u++)
            strbuf_printf(&graph, " %u", dag->tasks[n].upstream.at[u]);
        strbuf_add_char(&graph, '\n');
    }
    hash_sha256(graph.text, graph.size, dag->graph_version);
    strbuf_done(&graph);
}

/* A DAG without a schedule. */
UNUSED static struct dag *dag_build(const char *dag_id, const char *text)
{
    struct arena *arena = arena_new();
    struct dag *dag = arena_new_of(arena, struct dag);
    atomic_init(&dag->references, 1);
    dag->arena = arena;
    dag->dag_id = arena_strdup(arena, dag_id);
    dag->file = arena_printf(arena, "dags/%s.yaml", dag_id);
    dag->schedule_text = "none";
    dag->zone = zone_utc();
    dag->start_us = INT64_MIN;
    dag->end_us = INT64_MAX;
    dag->max_active_runs = dag->max_active_tasks = 16;
    read_tasks(dag, text);
    set_versions(dag, text);
    return dag;
}

/* `start` and `end` may be NULL. */
UNUSED static void dag_set_schedule(
    struct dag *dag, const char *schedule, const char *start, const char *end)
{
    struct error err;
    struct timetable *timetable = NULL;
    struct schedule_spec spec = {.form = SCHEDULE_TEXT,
        .texts = &schedule,
        .text_count = 1,
        .start_date = start,
        .end_date = end};
    REQUIRE_OK(timetable_parse(dag->arena, &spec, dag->zone, &timetable, &err), &err);
    dag->timetable = timetable;
    dag->schedule_text = schedule;
    dag->start_us = timetable_start_us(timetable);
    dag->end_us = timetable_end_us(timetable);
}

/* Scheduled on all, or any, of the assets named in `names` ("a b"). */
UNUSED static void dag_set_assets(struct dag *dag, enum asset_op op, const char *names)
{
    VEC(const char *) list = {0};
    struct task_line line = {dag->arena, names};
    while (*line.p)
        vec_push(&list, next_word(&line));
    struct asset_expr *items = arena_array(dag->arena, struct asset_expr, list.count);
    for (size_t n = 0; n < list.count; n++)
        items[n] = (struct asset_expr){.op = ASSET_ONE, .name = list.at[n]};
    struct asset_expr *expr = arena_new_of(dag->arena, struct asset_expr);
    *expr = (struct asset_expr){.op = op, .items = items, .count = list.count};
    dag->assets = expr;
    dag->asset_names =
        (struct names){arena_memdup(dag->arena, list.at, list.count * sizeof(char *)), list.count};
    vec_done(&list);
    hash_sha256(names, strlen(names), dag->version);
}

UNUSED static void dag_set_deadline(struct dag *dag, struct deadline deadline)
{
    dag->deadline = deadline;
    dag->has_deadlines = true;
    dag->uses_durations |= deadline.kind == DEADLINE_TYPICAL;
}

UNUSED static int64_t time_of(const char *text)
{
    struct error err;
    int64_t us = 0;
    bool offset, date_only;
    REQUIRE_OK(time_parse_iso(slice_of(text), &us, &offset, &date_only, &err), &err);
    return us;
}

#endif
