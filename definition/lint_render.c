/*
 * What only rendering shows: mistakes in expressions, and what stands in the SQL.  Each task is
 * rendered as for a sample run (attempt_facts.sampled).
 */
#include "definition/check.h"
#include "definition/dagfile.h"
#include "definition/lineage.h"
#include "definition/lint_internal.h"
#include "definition/model/choice.h"

bool lint_is_said(const struct linting *l, const struct error *error)
{
    for (const struct diagnostic *d = l->findings->first; d; d = d->next)
        if (d->error.place.line == error->place.line &&
            str_equal(d->error.place.file, error->place.file))
            return true;
    return false;
}

/* A branch whose text is known without a run: its ids must follow it directly. */
static void check_choice(struct linting *l, const struct rendered *text)
{
    struct error error;
    if (!text)
        return;
    bool *marks = arena_array(l->arena, bool, l->task->downstream.count);
    if (choice_read(l->dag, l->task, text->text, marks, &error) == OK)
        return;
    lint_place(l, &error, l->task->decision->text.line, 1, &l->task->decision->text, NULL);
    lint_add(l, "error", "unknown-branch", &error);
}

/* What only the rendered text tells: of which table a check is. */
static void check_checks(struct linting *l, const struct rendered *sql)
{
    const struct sql_task *task = &l->task->sql;
    struct error error;
    const char *table;
    for (size_t i = 0; i < task->check_count; i++) {
        const struct sql_check *check = &task->checks[i];
        if (check->kind == CHECK_SQL || check->table.value)
            continue;
        if (check_only_table(l->project, l->task, sql->text, l->arena, &table, &error) == OK)
            continue;
        lint_place(l, &error, check->line, check->column, NULL, NULL);
        lint_add(l, "error", "check-table", &error);
    }
    if (!task->check_count || task->transaction)
        return;
    error_set(&error, ERR_LINT, "the checks of `%s` come too late to take anything back",
        l->task->task_id);
    error_hint(&error, "with `transaction: false` every statement is committed by itself; put the "
                       "checks into a task of their own that comes behind");
    lint_place(l, &error, task->checks[0].line, task->checks[0].column, NULL, NULL);
    lint_add(l, "warning", "check-too-late", &error);
}

/* Of a check; its table is quoted, and its numbers are read as such. */
static bool is_pasted(const char *field)
{
    return str_starts(field, "checks[") && (str_ends(field, ".where") || str_ends(field, ".sql"));
}

/* Files that only rendering finds, by names that templates compute: with the places before them
   where there was none. */
static void note_sources(struct linting *l, const struct jinja_result *map)
{
    const struct source *source;
    for (size_t i = 0; i < map->source_count; i++) {
        const char *file = map->sources[i].file;
        if (!file || sources_read(l->sources, file, &source, NULL) != OK)
            continue; /* it was read just now */
        struct names paths =
            dagfile_template_paths(l->project, l->dag->file, map->sources[i].name, l->arena);
        for (size_t k = 0; k < paths.count && !str_equal(paths.at[k], file); k++)
            if (sources_read(l->sources, paths.at[k], &source, NULL) != OK)
                break;
    }
}

void lint_template_error(struct linting *l, const struct error *error)
{
    l->passing |= error->status == ERR_TEMPLATE_NOT_FOUND;
    if (!lint_is_said(l, error))
        lint_add(l, "error", "template-error", error);
}

static void check_fields(struct linting *l, const struct rendered_task *rendered,
    const struct rendered *sql, const struct sql_tables *tables)
{
    for (size_t i = 0; i < rendered->count; i++)
        if (rendered->fields[i].map)
            note_sources(l, rendered->fields[i].map);
    if (sql)
        lint_sql(l, sql->map, tables);
    for (size_t i = 0; sql && i < rendered->count; i++)
        if (is_pasted(rendered->fields[i].name))
            lint_sql_part(l, rendered->fields[i].map);
}

/* Renders for another dialect than the connection's: only whether it can be. */
static void check_variant(struct linting *l, const struct run_facts *facts, enum dialect dialect)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct rendered_task rendered;
    struct error error;
    bool sampled;
    struct sample_run run = {facts, dialect, l->cache};
    enum status status =
        sample_run_render(l->project, l->dag, l->task, &run, arena, &rendered, &sampled, &error);
    if (status && !sampled)
        lint_template_error(l, &error);
}

static void check_task(
    struct linting *l, const struct run_facts *facts, struct lineage_task *ret_lineage)
{
    struct rendered_task rendered;
    struct error error;
    bool sampled;
    enum dialect dialect = task_dialect(l->project, l->task);
    struct sample_run run = {facts, dialect, l->cache};
    enum status status =
        sample_run_render(l->project, l->dag, l->task, &run, l->arena, &rendered, &sampled, &error);
    const struct rendered *sql = status == OK ? rendered_find(&rendered, "sql") : NULL;
    lineage_of_task(
        l->project, l->task, sql ? sql->map : NULL, sampled || status, l->arena, ret_lineage);
    if (status == OK)
        check_fields(l, &rendered, sql, &ret_lineage->tables);
    if (sql && !sampled)
        check_checks(l, sql);
    if (sql && !sampled)
        lint_copy(l, sql, &ret_lineage->tables);
    if (status == OK && !sampled)
        check_choice(l, rendered_find(&rendered, "branch"));
    if (status && !sampled)
        lint_template_error(l, &error);
    if (sql && !sampled)
        lint_syntax(l, ret_lineage);
    bool differs = sql && l->asks_target;
    for (enum dialect other = DIALECT_POSTGRESQL; differs && other <= DIALECT_GREENPLUM7; other++)
        if (other != dialect)
            check_variant(l, facts, other);
}

void lint_rendered(struct linting *l)
{
    struct run_facts facts;
    struct error error;
    struct lineage_task *lineages =
        arena_array(l->arena, struct lineage_task, l->dag->task_count + 1);
    if (sample_run_facts(l->dag, l->arena, &facts, &error) != OK)
        return;
    for (uint32_t i = 0; i < l->dag->task_count; i++) {
        l->task = &l->dag->tasks[i];
        check_task(l, &facts, &lineages[i]);
    }
    lint_data(l, &facts, lineages);
    lint_dates(l, lineages);
}
