/* Checks of definitions that need no server. */
#include "definition/lint_internal.h"
#include "base/map.h"
#include "definition/context/context.h"
#include "definition/lint_facts.h"
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
    {"sql-syntax", "error", "a statement that no server takes"},
    {"sql-not-checked", "info", "a statement that the parser does not know: nothing is said of it"},
    {"database", "error", "a statement that the server does not take (`dag lint --database`)"},
    {"read-before-write", "warning", "a table that is read without waiting for who writes it"},
    {"read-across-dags", "info", "a table that another DAG writes, without waiting for it"},
    {"unordered-writers", "warning", "two tasks that write one table in no certain order"},
    {"edge-without-data", "info", "a dependency for which the tables give no reason"},
    {"other-day", "warning", "rows of another day than the run's are written"},
    {"not-repeatable", "warning", "a task that adds or makes again what its first run left"},
    {"plain-secret", "warning", "a password, key or token that stands in a file as it is"},
    {"ignore-without-reason", "warning", "`dag: ignore` that does not say why"},
    {"ignore-unused", "warning", "`dag: ignore` of something that is not found there"},
    {"transaction-control", "error", "BEGIN, COMMIT and their like in a task's SQL"},
    {"copy-file", "error", "a COPY with the client without a file, or files without a COPY"},
    {"copy-inline", "error", "psql's data for COPY within the text"},
    {"at-least-once", "info", "SQL on a connection without ledger"},
    {"env-kept", "error", "a variable in `env` that dag sets itself"},
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
    {"unknown-trigger", "error", "a task that triggers a DAG that there is not"},
    {"trigger-self", "error", "a task that triggers its own DAG for its own date"},
    {"trigger-circle", "warning", "DAGs that wait in a circle for runs that they trigger"},
    {"asset-circle", "warning", "DAGs that start each other in a circle through assets"},
};
const size_t lint_code_count = ARRAY_SIZE(lint_codes);

const struct lint_code *lint_code_find(struct slice code)
{
    for (size_t i = 0; i < lint_code_count; i++)
        if (slice_equal_str(code, lint_codes[i].code))
            return &lint_codes[i];
    return NULL;
}

/* Whether an earlier run has shown it. */
static bool is_found(const struct linting *l, const char *code, const struct error *error)
{
    for (const struct diagnostic *d = l->findings->first; d; d = d->next)
        if (str_equal(d->code, code) && d->error.place.line == error->place.line &&
            d->error.place.column == error->place.column &&
            str_equal(d->error.place.file, error->place.file))
            return true;
    return false;
}

void lint_add(struct linting *l, const char *severity, const char *code, const struct error *error)
{
    const struct lint_code *row = lint_code_find(slice_of(code));
    size_t before = l->findings->kept;
    struct error dated = *error;
    if (l->only_date && is_found(l, code, error))
        return;
    if (l->only_date)
        snprintf(dated.message, sizeof(dated.message), "%.*s (in the run of %s)",
            (int)(sizeof(dated.message) - 40), error->message, l->only_date);
    struct diagnostic *d = report_warning(l->findings, &dated, row ? row->code : NULL);
    if (!d || l->findings->kept == before || str_equal(severity, "warning"))
        return;
    d->severity = severity;
    l->findings->warning_count--;
    l->findings->error_count += str_equal(severity, "error");
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

/* ---- entry points ---- */

static enum status check_dag(struct linting *l, struct error *err)
{
    enum status status = sources_read(l->sources, l->dag->file, &l->dag_source, err);
    if (status != OK)
        return status;
    lint_templates(l);
    lint_rendered(l);
    lint_delivery(l);
    lint_rules(l);
    check_schedule(l);
    check_has_tasks(l);
    return OK;
}

enum status lint_one(const struct project *project, struct sources *sources, const struct dag *dag,
    struct diagnostics *found, struct dag_facts **ret_facts, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct linting l = {.project = project,
        .dag = dag,
        .sources = sources,
        .arena = arena,
        .findings = found,
        .cache = render_cache_new(project, dag, arena),
        .kept = found->arena};
    if (ret_facts)
        *ret_facts = l.facts = dag_facts_of(dag, l.kept);
    enum status status = check_dag(&l, err);
    render_cache_free(l.cache);
    if (ret_facts)
        (*ret_facts)->passing = l.passing;
    return status;
}

void lint_finish(struct sources *sources, const struct map *only, struct diagnostics *found,
    struct diagnostics *findings)
{
    lint_secrets(sources, found);
    lint_take(sources, only, found, findings);
}

enum status lint_dag(const struct project *project, const struct dag *dag,
    struct diagnostics *findings, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(sources_freep) struct sources *sources = sources_new(project->root);
    CLEANUP(map_freep) struct map *only = map_new();
    struct diagnostics found;
    diagnostics_init(&found, arena);
    enum status status = lint_one(project, sources, dag, &found, NULL, err);
    map_set(only, dag->file, only);
    lint_finish(sources, only, &found, findings);
    return status;
}
