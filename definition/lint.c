/* Checks of definitions that need no server. */
#include "definition/lint_internal.h"
#include <ctype.h>
#include "definition/catalogue.h"
#include "definition/dagfile.h"
#include "definition/report.h"
#include "definition/templates.h"
#include "language/timetable/timetable.h"

const struct lint_code lint_codes[] = {
    {"yaml", "error", "a file is not the YAML that is read here"},
    {"definition", "error", "a file gives no DAG, or a mistake of another kind"},
    {"unknown-key", "error", "a key does not exist, or not at this place"},
    {"airflow-key", "error", "Airflow's spelling of a key or value"},
    {"not-supported-yet", "error", "a key that this version does not carry out"},
    {"key-missing", "error", "a key that is needed is missing"},
    {"value-type", "error", "a value of another type than its key asks for"},
    {"value-range", "error", "a value that is none of those allowed"},
    {"duplicate", "error", "a name that is used twice"},
    {"bad-name", "error", "an id with characters that ids do not have"},
    {"unknown-reference", "error", "a task, connection, pool or file that does not exist"},
    {"cycle", "error", "tasks that depend on each other in a circle"},
    {"param", "error", "a parameter whose default or declaration does not fit"},
    {"limit", "error", "a ceiling was passed"},
    {"schedule", "error", "a schedule that cannot be read"},
    {"schedule-never", "error", "a schedule that never fires between start_date and end_date"},
    {"time-zone", "error", "a time zone that does not exist"},
    {"template-syntax", "error", "a template that cannot be parsed"},
    {"template-not-found", "error", "a template file that is in none of the places"},
    {"template-undefined", "error", "a template variable that does not exist"},
    {"template-error", "error", "a template that fails when it is rendered for a sample run"},
    {"untrusted-value", "warning", "a value from outside in SQL without a filter that quotes it"},
    {"literal-in-quotes", "warning", "what `literal` or `bind` made stands inside of quotes"},
    {"bind-literal", "info", "what `bind` made stays a literal: no parameter can stand there"},
    {"transaction-control", "error", "BEGIN, COMMIT and their like in a task's SQL"},
    {"check-table", "error", "a check without `table` of a task that writes none, or several"},
    {"check-too-late", "warning",
        "checks of a task with `transaction: false`: what it wrote stays"},
    {"script-not-found", "error", "a script that does not exist"},
    {"unknown-variable", "warning", "`var.value.NAME` that dag.yaml does not declare"},
    {"unknown-connection", "error", "`conn.NAME` that dag.yaml does not declare"},
    {"unknown-branch", "error", "an id that a branch chooses and that does not directly follow it"},
    {"decides-nothing", "warning", "a short_circuit or latest_only that nothing follows"},
    {"never-runs", "warning", "a task whose trigger rule no outcome can satisfy"},
    {"no-tasks", "warning", "a DAG without tasks"},
    {"unknown-asset", "warning", "an asset that a schedule waits for and no task makes"},
    {"unknown-wait", "warning", "a sensor that waits for a DAG or task that there is not"},
    {"asset-circle", "warning", "DAGs that start each other in a circle through assets"},
};
const size_t lint_code_count = ARRAY_SIZE(lint_codes);

static const char *static_code(const char *code)
{
    for (size_t i = 0; i < lint_code_count; i++)
        if (str_equal(lint_codes[i].code, code))
            return lint_codes[i].code;
    return NULL;
}

void lint_add(struct linting *l, const char *severity, const char *code, const struct error *error)
{
    size_t before = l->findings->kept;
    struct diagnostic *d = report_warning(l->findings, error, static_code(code));
    if (!d || l->findings->kept == before || str_equal(severity, "warning"))
        return;
    d->severity = severity;
    l->findings->warning_count--;
    l->findings->error_count++;
}

void lint_place(struct linting *l, struct error *error, uint32_t line, uint32_t column,
    const struct text *text, const struct source *source)
{
    const struct source *at = source ? source : l->dag_source;
    struct text whole = {.exact = true, .line = 1, .column = 1};
    error->place.line = line;
    error->place.column = column;
    text_place_error(text ? text : &whole, at->shown, at->text, error);
}

static void check_schedule(struct linting *l)
{
    struct timetable_run run;
    const struct dag *dag = l->dag;
    if (!dag->timetable ||
        timetable_next(dag->timetable, NULL, TIME_MIN_US, &run) != TIMETABLE_NO_MORE)
        return;
    struct error error;
    error_set(&error, ERR_SCHEDULE_NEVER,
        "the DAG `%s` never runs: its schedule has no date from "
        "start_date to end_date",
        dag->dag_id);
    error_hint(&error, "change one of the three");
    lint_place(l, &error, dag->line, 1, NULL, NULL);
    lint_add(l, "error", "schedule-never", &error);
}

static void check_has_tasks(struct linting *l)
{
    struct error error;
    if (l->dag->task_count)
        return;
    error_set(&error, ERR_LINT, "the DAG `%s` has no tasks", l->dag->dag_id);
    error_hint(&error, "write them under `tasks`");
    lint_place(l, &error, l->dag->line, 1, NULL, NULL);
    lint_add(l, "warning", "no-tasks", &error);
}

/* ---- suppression ---- */

static bool line_ignores(struct slice text, uint32_t line, const char *code)
{
    size_t at = 0;
    for (uint32_t i = 1; i < line && at < text.size; at++)
        i += text.p[at] == '\n';
    size_t end = at;
    while (end < text.size && text.p[end] != '\n')
        end++;
    struct slice rest = slice_make(text.p + at, end - at);
    const char *mark = memmem(rest.p, rest.size, "dag: ignore", 11);
    if (line == 0 || !mark)
        return false;
    struct slice codes = slice_make(mark + 11, (size_t)(rest.p + rest.size - mark) - 11);
    const char *found = memmem(codes.p, codes.size, code, strlen(code));
    size_t after = found ? (size_t)(found - codes.p) + strlen(code) : 0;
    /* "template-undefined" is no "template"; words are separated by spaces and commas. */
    return found && (found == codes.p || !isalnum((unsigned char)found[-1])) &&
           (after == codes.size ||
               (!isalnum((unsigned char)codes.p[after]) && codes.p[after] != '-'));
}

static bool is_suppressed(struct sources *sources, const struct diagnostic *d)
{
    const struct source *source;
    uint32_t line = d->error.place.line;
    if (!d->code || !d->error.place.file[0] || line == 0 ||
        sources_read(sources, d->error.place.file, &source, NULL) != OK || source->missing)
        return false;
    return line_ignores(source->text, line, d->code) ||
           line_ignores(source->text, line - 1, d->code);
}

static void take_findings(
    struct sources *sources, const struct diagnostics *from, struct diagnostics *to)
{
    for (const struct diagnostic *d = from->first; d; d = d->next)
        if (!is_suppressed(sources, d))
            report_copy(to, d);
}

/* ---- entry points ---- */

static enum status check_dag(struct linting *l, struct error *err)
{
    enum status status = sources_read(l->sources, l->dag->file, &l->dag_source, err);
    if (status != OK)
        return status;
    lint_templates(l);
    lint_rendered(l);
    lint_rules(l);
    check_schedule(l);
    check_has_tasks(l);
    return OK;
}

static enum status lint_one(const struct project *project, struct sources *sources,
    const struct dag *dag, struct diagnostics *found, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct linting l = {
        .project = project, .dag = dag, .sources = sources, .arena = arena, .findings = found};
    return check_dag(&l, err);
}

enum status lint_dag(const struct project *project, const struct dag *dag,
    struct diagnostics *findings, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(sources_freep) struct sources *sources = sources_new(project->root);
    struct diagnostics found;
    diagnostics_init(&found, arena);
    enum status status = lint_one(project, sources, dag, &found, err);
    take_findings(sources, &found, findings);
    return status;
}

enum status lint_file(const struct project *project, const char *path, struct diagnostics *findings,
    struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(sources_freep) struct sources *sources = sources_new(project->root);
    struct diagnostics found;
    diagnostics_init(&found, arena);
    struct dagfile_options options = {.project = project, .sources = sources};
    struct dagfile file;
    enum status status = dagfile_load(&options, path, &file, &found, err);
    for (size_t i = 0; status == OK && i < file.count; i++)
        status = lint_one(project, sources, file.dags[i], &found, err);
    dagfile_done(&file);
    take_findings(sources, &found, findings);
    return status == ERR_DEFINITION ? OK : status;
}

/* What only the files together show: ids that two of them give. */
static void lint_catalogue(
    const struct project *project, struct diagnostics *findings, const struct catalogue *catalogue)
{
    CLEANUP(sources_freep) struct sources *sources = sources_new(project->root);
    for (size_t i = 0; i < catalogue_broken_count(catalogue); i++)
        take_findings(sources, catalogue_broken_at(catalogue, i).diagnostics, findings);
}

static void check_assets(
    const struct project *project, const struct catalogue *catalogue, struct diagnostics *findings)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(sources_freep) struct sources *sources = sources_new(project->root);
    struct diagnostics found;
    diagnostics_init(&found, arena);
    struct linting l = {.project = project, .sources = sources, .arena = arena, .findings = &found};
    lint_assets(&l, catalogue);
    lint_sensors(&l, catalogue);
    take_findings(sources, &found, findings);
}

enum status lint_project(
    const struct project *project, struct diagnostics *findings, struct error *err)
{
    struct catalogue_options options = {.project = project};
    CLEANUP(catalogue_freep) struct catalogue *catalogue = catalogue_new(&options);
    struct catalogue_changes changes;
    enum status status = catalogue_load(catalogue, &changes, err);
    if (status != OK)
        return status;
    lint_catalogue(project, findings, catalogue);
    for (size_t i = 0; status == OK && i < catalogue_count(catalogue); i++)
        status = lint_dag(project, catalogue_at(catalogue, i), findings, err);
    if (status == OK)
        check_assets(project, catalogue, findings);
    return status;
}
