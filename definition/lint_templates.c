/* Checks of the templates and scripts of a DAG's tasks. */
#include <ctype.h>
#include "definition/context/context_data.h"
#include "definition/lint_internal.h"
#include "definition/report.h"
#include "definition/templates.h"

static void template_problem(void *user, const struct error *error)
{
    struct linting *l = user;
    lint_add(l, "error", report_code(error->status), error);
}

/* The variables of a task's templates (CONTRACT: "Templates"), Jinja's own functions left out. */
static const char *const variables[] = {"ds", "ds_nodash", "ts", "ts_nodash", "ts_nodash_with_tz",
    "logical_date", "data_interval_start", "data_interval_end", "prev_data_interval_start_success",
    "prev_data_interval_end_success", "prev_start_date_success", "prev_end_date_success", "run_id",
    "dag", "dag_run", "task", "ti", "task_instance", "params", "var", "conn", "macros", "inlets",
    "outlets", "triggering_asset_events", "test_mode", "local_ds", "local_ds_nodash", "mapped",
    "target", "task_instance_key_str",
    /* Jinja's */
    "range", "dict", "lipsum", "cycler", "joiner", "namespace", "loop", "self", "caller", "varargs",
    "kwargs", "super", "true", "false", "none", "True", "False", "None"};

static bool is_variable(struct slice name)
{
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
        if (slice_equal_str(name, variables[i]))
            return true;
    return false;
}

static void check_name(struct linting *l, const struct jinja_name *used, const struct text *text,
    const struct source *source)
{
    struct error error;
    if (is_variable(used->name) || used->assigned)
        return;
    char *name = arena_strndup(l->arena, used->name.p, used->name.size);
    error_set(&error, ERR_TEMPLATE_UNDEFINED, "`%s` is undefined", name);
    context_undefined_hint(NULL, used->name, &error);
    const char *near = error.hint[0] ? NULL : suggest(name, variables, ARRAY_SIZE(variables));
    if (near)
        error_hint(&error, "did you mean `%s`?", near);
    lint_place(l, &error, used->line, used->column, text, source);
    lint_add(l, "error", "template-undefined", &error);
}

/* `var.value.NAME`, `var.json.NAME`, `conn.NAME`: as they stand in the template's text. */
static void check_reference(struct linting *l, struct slice text, size_t at, const char *prefix,
    bool connection, const struct text *inline_text, const struct source *source)
{
    size_t start = at + strlen(prefix), end = start;
    while (end < text.size && (isalnum((unsigned char)text.p[end]) || text.p[end] == '_'))
        end++;
    char *name = arena_strndup(l->arena, text.p + start, end - start);
    bool known = connection ? project_find_connection(l->project, name) != NULL
                            : project_find_variable(l->project, name) != NULL;
    /* var.value.get('x', default) says itself what to do without. */
    if (end == start || known || str_equal(name, "get"))
        return;
    struct error error;
    error_set(&error, ERR_UNKNOWN_REFERENCE, "there is no %s `%s`",
        connection ? "connection" : "variable", name);
    error_hint(
        &error, "declare it under `%s` in dag.yaml", connection ? "connections" : "variables");
    struct text_position position = text_locate(text.p, text.size, at);
    uint32_t line = position.line + (inline_text ? inline_text->line - 1 : 0);
    lint_place(l, &error, line, position.column, inline_text, source);
    if (connection)
        lint_add(l, "error", "unknown-connection", &error);
    else
        lint_add(l, "warning", "unknown-variable", &error);
}

static bool is_inside_expression(struct slice text, size_t at)
{
    for (size_t i = at; i-- > 1;) {
        if (text.p[i - 1] == '{' && (text.p[i] == '{' || text.p[i] == '%'))
            return true;
        if (text.p[i] == '}' && (text.p[i - 1] == '}' || text.p[i - 1] == '%'))
            return false;
    }
    return false;
}

static void check_references(struct linting *l, struct slice text, const struct text *inline_text,
    const struct source *source)
{
    static const struct {
        const char *prefix;
        bool connection;
    } prefixes[] = {{"var.value.", false}, {"var.json.", false}, {"conn.", true}};
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        size_t size = strlen(prefixes[i].prefix);
        if (!memmem(text.p, text.size, prefixes[i].prefix, size))
            continue;
        for (size_t at = 0; at + size < text.size; at++) {
            bool word = at > 0 && (isalnum((unsigned char)text.p[at - 1]) ||
                                      text.p[at - 1] == '_' || text.p[at - 1] == '.');
            if (!word && memcmp(text.p + at, prefixes[i].prefix, size) == 0 &&
                is_inside_expression(text, at))
                check_reference(
                    l, text, at, prefixes[i].prefix, prefixes[i].connection, inline_text, source);
        }
    }
}

void lint_control_error(const struct linting *l, const char *statement, struct error *ret)
{
    error_set(ret, ERR_LINT, "%s in the SQL of the task `%s`", statement, l->task->task_id);
    error_hint(ret, "a task is one transaction, and dag ends it; leave it out, or use a "
                    "savepoint");
}

static void check_control(struct linting *l, struct slice text, const struct text *inline_text,
    const struct source *source)
{
    size_t offset = 0;
    const char *statement;
    while (sql_find_transaction_control(text, offset, &offset, &statement)) {
        struct error error;
        lint_control_error(l, statement, &error);
        struct text_position position = text_locate(text.p, text.size, offset);
        uint32_t line = position.line + (inline_text ? inline_text->line - 1 : 0);
        lint_place(l, &error, line, position.column, inline_text, source);
        lint_add(l, "error", "transaction-control", &error);
        offset++;
        while (offset < text.size && text.p[offset] != ';')
            offset++;
    }
}

static void template_parsed(void *user, const struct jinja_template *template,
    const struct text *text, const struct source *source)
{
    struct linting *l = user;
    struct jinja_needs needs = jinja_template_needs(template, l->arena);
    struct slice all = source ? source->text : slice_of(text->value);
    l->asks_target |= memmem(all.p, all.size, "target", 6) != NULL;
    l->takes_ways |= lint_takes_ways(all);
    l->passing |= memmem(all.p, all.size, "ignore missing", 14) != NULL;
    for (size_t i = 0; i < needs.name_count; i++)
        check_name(l, &needs.names[i], text, source);
    check_references(l, all, text, source);
    if (source && l->task->sql.sql.value)
        check_control(l, all, NULL, source);
}

static void check_script(struct linting *l, const struct text *script)
{
    const struct source *source;
    const struct process_task *process = l->task->process;
    if (process->cwd.value || strchr(script->value, '{') || !path_is_inside(script->value))
        return;
    if (sources_read(l->sources, script->value, &source, NULL) != OK || !source->missing)
        return;
    struct error error;
    error_set(&error, ERR_LINT, "there is no file `%s`", script->value);
    error_hint(&error, "it is looked for in the project's root, %s", l->project->root);
    lint_place(l, &error, script->line, 1, script, NULL);
    lint_add(l, "error", "script-not-found", &error);
}

static void check_task(struct linting *l, struct template_walk *walk, const struct task *task)
{
    l->task = task;
    template_walk_task(walk, task);
    if (task->sql.sql.value && !task->sql.is_path)
        check_control(l, slice_of(task->sql.sql.value), &task->sql.sql, NULL);
    if (task->kind == KIND_PYTHON)
        check_script(l, &task->process->script);
}

void lint_templates(struct linting *l)
{
    struct template_visitor visitor = {
        .parsed = template_parsed, .problem = template_problem, .user = l};
    CLEANUP(template_walk_freep)
    struct template_walk *walk =
        template_walk_new(l->project, l->sources, l->dag->file, l->dag_source->text, &visitor);
    for (uint32_t i = 0; i < l->dag->task_count; i++)
        check_task(l, walk, &l->dag->tasks[i]);
}
