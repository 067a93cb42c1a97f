/*
 * What only rendering shows: mistakes in expressions, and what stands in the SQL.  Each task is
 * rendered as for a sample run (attempt_facts.sampled).
 */
#include "definition/check.h"
#include "definition/context/context.h"
#include "definition/lint_internal.h"
#include "definition/model/choice.h"
#include "definition/project.h"
#include "language/timetable/timetable.h"

/* The schedule's first date; without a schedule any day will do. */
static int64_t sample_date(const struct dag *dag)
{
    static const struct civil day = {.year = 2024, .month = 1, .day = 1};
    struct timetable_run run;
    if (dag->timetable && timetable_next(dag->timetable, NULL, TIME_MIN_US, &run) == TIMETABLE_RUN)
        return run.logical_us;
    return civil_to_us(&day);
}

/* Runs that succeeded before are assumed: templates may count on them. */
static void assume_runs_before(struct run_facts *facts)
{
    facts->started_us = facts->run_after_us;
    facts->prev_interval_start_success_us = facts->interval_start_us;
    facts->prev_interval_end_success_us = facts->interval_end_us;
    facts->prev_start_success_us = facts->run_after_us;
    facts->prev_end_success_us = facts->run_after_us;
}

/* Another check has said it, with a better message. */
static bool is_said(const struct linting *l, const struct error *error)
{
    for (const struct diagnostic *d = l->findings->first; d; d = d->next)
        if (d->error.place.line == error->place.line &&
            str_equal(d->error.place.file, error->place.file))
            return true;
    return false;
}

static struct render_target target_of(const struct linting *l)
{
    const char *name = l->task->sql.connection;
    return render_target_of(l->project, name ? project_find_connection(l->project, name) : NULL);
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
    lint_place(l, &error, l->task->decision.text.line, 1, &l->task->decision.text, NULL);
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
        if (check_only_table(sql->text, &l->task->writes, l->arena, &table, &error) == OK)
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

static void check_task(struct linting *l, const struct run_facts *facts)
{
    bool sampled = false;
    struct rendered_task rendered;
    struct error error;
    struct render_target target = target_of(l);
    struct attempt_facts attempt = {.attempt_id = "",
        .try_number = 1,
        .map_index = -1,
        .now_us = facts->run_after_us,
        .sampled = &sampled};
    enum status status = context_render_task(
        l->project, l->dag, l->task, facts, &attempt, &target, l->arena, &rendered, &error);
    if (status == OK && l->task->expand.count) {
        struct rendered_task expand;
        status = context_render_expand(
            l->project, l->dag, l->task, facts, &attempt, &target, l->arena, &expand, &error);
    }
    const struct rendered *sql = status == OK ? rendered_find(&rendered, "sql") : NULL;
    if (sql)
        lint_sql(l, sql->map);
    for (size_t i = 0; sql && i < rendered.count; i++)
        if (is_pasted(rendered.fields[i].name))
            lint_sql_part(l, rendered.fields[i].map);
    if (sql && !sampled)
        check_checks(l, sql);
    if (status == OK && !sampled)
        check_choice(l, rendered_find(&rendered, "branch"));
    if (status && !sampled && !is_said(l, &error))
        lint_add(l, "error", "template-error", &error);
}

void lint_rendered(struct linting *l)
{
    struct run_facts facts;
    struct error error;
    int64_t date = sample_date(l->dag);
    if (context_facts_at(l->dag, date, RUN_TYPE_SCHEDULED, l->arena, &facts, &error) != OK)
        return;
    assume_runs_before(&facts);
    for (uint32_t i = 0; i < l->dag->task_count; i++) {
        l->task = &l->dag->tasks[i];
        check_task(l, &facts);
    }
}
