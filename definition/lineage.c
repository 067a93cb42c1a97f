#include "definition/lineage.h"

#include "base/clock.h"
#include "base/vec.h"
#include "definition/project.h"
#include "language/timetable/timetable.h"

/* ---- sample runs ----------------------------------------------------------------------------- */

static int64_t sample_date(const struct dag *dag)
{
    static const struct civil day = {.year = 2024, .month = 1, .day = 1};
    struct timetable_run run;
    if (dag->timetable && timetable_next(dag->timetable, NULL, TIME_MIN_US, &run) == TIMETABLE_RUN)
        return run.logical_us;
    return civil_to_us(&day);
}

/* The day's first run; false when there is none that day. */
static bool find_run(const struct dag *dag, const struct civil *day, int64_t *ret)
{
    struct timetable_run run;
    *ret = civil_to_us(day);
    if (!dag->timetable)
        return true;
    if (timetable_next(dag->timetable, NULL, *ret, &run) != TIMETABLE_RUN ||
        run.logical_us >= *ret + US_PER_DAY)
        return false;
    *ret = run.logical_us;
    return true;
}

static int leap_year_from(int year)
{
    while (days_in_month(year, 2) < 29)
        year++;
    return year;
}

size_t sample_run_dates(const struct dag *dag, int64_t ret[SAMPLE_DATES_MAX])
{
    struct civil first = civil_from_us(sample_date(dag));
    int year = first.year, month = first.month, leap = leap_year_from(year + (month > 2));
    bool december = month == 12;
    const struct civil days[SAMPLE_DATES_MAX] = {
        {.year = year, .month = month, .day = days_in_month(year, month)},
        {.year = year + december, .month = december ? 1 : month + 1, .day = 1},
        {.year = leap, .month = 2, .day = 29},
        {.year = year, .month = 12, .day = 31},
    };
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(days); i++)
        count += find_run(dag, &days[i], &ret[count]);
    return count;
}

enum status sample_run_facts(
    const struct dag *dag, struct arena *arena, struct run_facts *ret, struct error *err)
{
    return sample_run_facts_at(dag, sample_date(dag), arena, ret, err);
}

enum status sample_run_facts_at(const struct dag *dag, int64_t logical_us, struct arena *arena,
    struct run_facts *ret, struct error *err)
{
    enum status status = context_facts_at(dag, logical_us, RUN_TYPE_SCHEDULED, arena, ret, err);
    if (status != OK)
        return status;
    ret->started_us = ret->run_after_us;
    ret->prev_interval_start_success_us = ret->interval_start_us;
    ret->prev_interval_end_success_us = ret->interval_end_us;
    ret->prev_start_success_us = ret->run_after_us;
    ret->prev_end_success_us = ret->run_after_us;
    return OK;
}

static const struct connection *connection_of(
    const struct project *project, const struct task *task)
{
    return task->sql.connection ? project_find_connection(project, task->sql.connection) : NULL;
}

enum dialect task_dialect(const struct project *project, const struct task *task)
{
    return render_target_of(project, connection_of(project, task)).dialect;
}

enum status sample_run_render(const struct project *project, const struct dag *dag,
    const struct task *task, const struct sample_run *run, struct arena *arena,
    struct rendered_task *ret, bool *ret_sampled, struct error *err)
{
    struct connection connection = {0};
    const struct connection *known = connection_of(project, task);
    if (known)
        connection = *known;
    connection.dialect = run->dialect;
    struct render_target target = render_target_of(project, &connection);
    struct attempt_facts attempt = {.attempt_id = "",
        .try_number = 1,
        .map_index = -1,
        .now_us = run->facts->run_after_us,
        .cache = run->cache,
        .sampled = ret_sampled};
    *ret_sampled = false;
    enum status status =
        context_render_task(project, dag, task, run->facts, &attempt, &target, arena, ret, err);
    struct rendered_task expand;
    if (status == OK && task->expand.count)
        status = context_render_expand(
            project, dag, task, run->facts, &attempt, &target, arena, &expand, err);
    return status;
}

/* ---- uses ------------------------------------------------------------------------------------ */

struct collecting {
    struct arena *arena;
    const char *schema; /* of names without one */
    VEC(struct lineage_use) uses;
};

/* The first schema of the task's search path, which is where tables are made. */
static const char *first_schema(
    const struct project *project, const struct task *task, struct arena *arena)
{
    const struct connection *connection = connection_of(project, task);
    const struct named_texts *lists[] = {
        &task->sql.settings, connection ? &connection->settings : NULL};
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        for (size_t k = 0; lists[i] && k < lists[i]->count; k++) {
            struct sql_table first;
            const char *value = lists[i]->at[k].text.value;
            if (!str_equal(lists[i]->at[k].name, "search_path") || !value)
                continue;
            struct slice name = slice_make(value, strcspn(value, ","));
            if (sql_table_read(slice_trim(name), arena, &first))
                return first.name;
        }
    return "public";
}

static void add_use(struct collecting *c, const struct sql_table *table, struct lineage_use use)
{
    struct sql_table whole = *table;
    const char *mark = strstr(table->name, "_1_prt_");
    if (!whole.schema)
        whole.schema = c->schema;
    if (mark && mark != table->name && mark[7]) {
        whole.name = arena_strndup(c->arena, table->name, (size_t)(mark - table->name));
        use.partition = arena_strdup(c->arena, mark + 7);
    }
    if (str_equal(whole.schema, "pg_catalog") || str_equal(whole.schema, "information_schema"))
        return;
    use.table = sql_table_shown(&whole, c->arena);
    vec_push(&c->uses, use);
}

static bool is_own(const struct sql_table *table)
{
    return table->temporary || (table->gone && (table->uses & SQL_CREATES));
}

static void add_keys(struct collecting *c, const struct names *names, unsigned kind)
{
    for (size_t i = 0; i < names->count; i++) {
        struct sql_table table;
        struct lineage_use use = {.use = kind, .manner = SQL_OPTIONALLY, .statement = SIZE_MAX};
        if (sql_table_read(slice_of(names->at[i]), c->arena, &table))
            add_use(c, &table, use);
    }
}

void lineage_of_task(const struct project *project, const struct task *task,
    const struct jinja_result *map, bool sampled, struct arena *arena, struct lineage_task *ret)
{
    struct collecting c = {.arena = arena, .schema = first_schema(project, task, arena)};
    *ret = (struct lineage_task){.task = task, .sampled = sampled, .map = map};
    if (map)
        ret->tables = sql_tables_find(map->text, project->functions, arena);
    for (size_t i = 0; i < ret->tables.mention_count; i++) {
        const struct sql_mention *mention = &ret->tables.mentions[i];
        const struct sql_table *table = &ret->tables.at[mention->table];
        struct lineage_use use = {.use = mention->use,
            .manner = mention->manner,
            .offset = mention->offset,
            .statement = mention->statement};
        if (!is_own(table))
            add_use(&c, table, use);
    }
    add_keys(&c, &task->data->reads, SQL_READS);
    add_keys(&c, &task->data->writes, SQL_WRITES);
    ret->complete =
        map && !sampled && task->kind == KIND_SQL && !ret->tables.guessed && !ret->tables.calls;
    ret->use_count = c.uses.count;
    ret->uses =
        c.uses.count ? arena_memdup(arena, c.uses.at, c.uses.count * sizeof(*c.uses.at)) : NULL;
    vec_done(&c.uses);
}

enum status lineage_of_dag(const struct project *project, const struct dag *dag,
    struct arena *arena, const struct lineage_task **ret, struct error *err)
{
    struct run_facts facts;
    struct lineage_task *tasks = arena_array(arena, struct lineage_task, dag->task_count + 1);
    enum status status = sample_run_facts(dag, arena, &facts, err);
    for (uint32_t i = 0; status == OK && i < dag->task_count; i++) {
        const struct task *task = &dag->tasks[i];
        struct rendered_task rendered;
        struct error ignored;
        bool sampled;
        struct sample_run run = {.facts = &facts, .dialect = task_dialect(project, task)};
        bool ok =
            sample_run_render(project, dag, task, &run, arena, &rendered, &sampled, &ignored) == OK;
        const struct rendered *sql = ok ? rendered_find(&rendered, "sql") : NULL;
        lineage_of_task(project, task, sql ? sql->map : NULL, sampled, arena, &tasks[i]);
    }
    if (status == OK)
        *ret = tasks;
    return status;
}
