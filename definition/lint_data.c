/* Checks of what a DAG's tasks read and write: what they have in common. */
#include "definition/lint_data.h"

#include "language/timetable/zone.h"

/* ---- days ------------------------------------------------------------------------------------ */

static int64_t day_of(const struct zone *zone, int64_t us)
{
    struct civil civil = zone ? zone_to_civil(zone, us, NULL) : civil_from_us(us);
    return days_from_civil(civil.year, civil.month, civil.day);
}

static struct days days_of(const struct dag *dag, const struct run_facts *facts)
{
    int64_t begin = facts->interval_start_us, end = facts->interval_end_us;
    struct days days = {.empty = end <= begin};
    const struct zone *zones[] = {NULL, dag->zone};
    days.first = days.last = day_of(NULL, begin);
    for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
        int64_t first = day_of(zones[i], begin);
        int64_t last = day_of(zones[i], days.empty ? begin : end - 1);
        days.first = first < days.first ? first : days.first;
        days.last = last > days.last ? last : days.last;
    }
    return days;
}

static void look_at_days(const struct days *days, struct statement_facts *facts)
{
    bool least = false, most = false;
    for (size_t i = 0; i < facts->where.count; i++) {
        const struct sql_condition *c = &facts->where.at[i];
        int64_t day;
        if (!sql_day_read(c->value, &day))
            continue;
        bool inside = day >= days->first && day <= days->last;
        most |= c->relation == SQL_AT_MOST;
        least |= c->relation == SQL_AT_LEAST && inside;
        facts->today |= c->relation == SQL_EQUAL && inside;
        facts->other_days |= c->relation != SQL_AT_MOST && !inside;
    }
    facts->today |= least;
    facts->other_days |= most && !least;
}

/* ---- tasks ----------------------------------------------------------------------------------- */

static struct data_task facts_of(
    const struct data *d, const struct lineage_task *lineage, struct arena *arena)
{
    const struct sql_tables *tables = &lineage->tables;
    struct data_task task = {.lineage = lineage,
        .facts = arena_array(arena, struct statement_facts, tables->statement_count)};
    for (size_t i = 0; i < tables->statement_count; i++) {
        task.facts[i].where = sql_conditions_find(&tables->statements[i].tokens, arena);
        look_at_days(&d->days, &task.facts[i]);
    }
    for (size_t i = 0; i < tables->mention_count; i++) {
        const struct sql_mention *mention = &tables->mentions[i];
        struct statement_facts *facts = &task.facts[mention->statement];
        if (mention->manner == SQL_INSERTED && !facts->inserted.count)
            facts->inserted =
                sql_constants_inserted(&tables->statements[mention->statement].tokens, arena);
    }
    return task;
}

/* Upstreams come first in topological order, so what is before them is known. */
static void find_order(struct data *d, const struct dag *dag, struct arena *arena)
{
    d->words = (dag->task_count + 63) / 64;
    d->before = arena_array(arena, uint64_t, d->words * dag->task_count);
    for (uint32_t i = 0; i < dag->task_count; i++) {
        const struct task *task = &dag->tasks[dag->topological[i]];
        uint64_t *own = d->before + task->index * d->words;
        for (size_t k = 0; k < task->upstream.count; k++) {
            uint32_t up = task->upstream.at[k];
            for (size_t w = 0; w < d->words; w++)
                own[w] |= d->before[up * d->words + w];
            own[up / 64] |= UINT64_C(1) << (up % 64);
        }
    }
}

bool data_is_before(const struct data *d, uint32_t task, uint32_t other)
{
    return d->before[other * d->words + task / 64] >> (task % 64) & 1;
}

void data_place_at(
    const struct data *d, const struct lineage_task *task, size_t offset, struct error *error)
{
    struct jinja_origin origin;
    if (!task->map || !jinja_map_find(task->map, offset, &origin)) {
        lint_place(d->l, error, task->task->line, 1, NULL, NULL);
        return;
    }
    char excerpt[ERROR_EXCERPT_SIZE];
    snprintf(excerpt, sizeof(excerpt), "%.*s", SLICE_ARG(origin.source_line));
    error_place(error, origin.file, origin.line, origin.column, excerpt);
}

void data_place(const struct data *d, const struct lineage_task *task,
    const struct lineage_use *use, struct error *error)
{
    data_place_at(d, task, use->statement == SIZE_MAX ? SIZE_MAX : use->offset, error);
}

const struct statement_facts *data_facts(
    const struct data *d, const struct lineage_task *task, const struct lineage_use *use)
{
    return use->statement == SIZE_MAX ? NULL : &d->tasks[task->task->index].facts[use->statement];
}

void lint_data(
    struct linting *l, const struct run_facts *facts, const struct lineage_task *lineages)
{
    struct data d = {.l = l, .days = days_of(l->dag, facts)};
    struct data_task *tasks = arena_array(l->arena, struct data_task, l->dag->task_count);
    for (uint32_t i = 0; i < l->dag->task_count; i++)
        tasks[i] = facts_of(&d, &lineages[i], l->arena);
    d.tasks = tasks;
    find_order(&d, l->dag, l->arena);
    lint_order(&d);
    lint_days(&d);
    lint_repeats(&d);
}
