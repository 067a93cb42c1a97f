#include "testing/case.h"
#include "base/temporary.h"
#include "definition/report.h"
#include "executor/target/connect.h"
#include "testing/attempts.h"
#include "testing/limits.h"
#include "testing/tables.h"
#include "testing/twice.h"

/* ---- what it refers to ----------------------------------------------------------------------- */

static void add_name(struct names *names, const char *name)
{
    if (name && !names_have(names, name))
        ((const char **)(uintptr_t)names->at)[names->count++] = name;
}

static void report_unknown_task(struct diagnostics *diagnostics, const struct yaml_node *at,
    const struct dag *dag, const struct sql_test *test, const char *name, struct arena *arena)
{
    const char **ids = arena_array(arena, const char *, dag->task_count + 1);
    for (uint32_t i = 0; i < dag->task_count; i++)
        ids[i] = dag->tasks[i].task_id;
    report_suggest(report(diagnostics, at, ERR_UNKNOWN_REFERENCE,
                       "the test `%s`: `%s` has no task `%s`", test->name, dag->dag_id, name),
        name, ids, dag->task_count);
}

static bool check_connection(const struct project *project, const struct test_table *table,
    struct names *names, struct diagnostics *diagnostics)
{
    const char *name = table->is.connection;
    if (name && !project_find_connection(project, name)) {
        report(diagnostics, table->at, ERR_UNKNOWN_REFERENCE, "`%s` is no connection of dag.yaml",
            name);
        return false;
    }
    add_name(names, name);
    return true;
}

/* The connections of tasks come first, in their order. */
static bool find_connections(const struct project *project, struct test_case *c,
    struct arena *arena, struct diagnostics *diagnostics)
{
    struct names *names = &c->connections;
    bool ok = true;
    names->at = arena_array(arena, const char *, project->connection_count + 1);
    for (size_t i = 0; i < c->task_count; i++) {
        const struct task *task = c->tasks[i];
        add_name(names, task->sql.connection);
        for (size_t k = 0; k < task->process->connections.count; k++)
            add_name(names, task->process->connections.at[k]);
        for (size_t k = 0; k < task->expand.count; k++)
            add_name(names, task->expand.at[k].connection);
    }
    if (!names->count && project->connection_count == 1)
        add_name(names, project->connections[0].name);
    vec_each (table, &c->test->given)
        ok &= check_connection(project, table, names, diagnostics);
    vec_each (table, &c->test->expect)
        ok &= check_connection(project, table, names, diagnostics);
    if (ok && !names->count && (c->test->given.count || c->test->expect.count)) {
        report_hint(report(diagnostics, c->test->at, ERR_UNKNOWN_REFERENCE,
                        "the test `%s` has tables, and its tasks use no connection", c->test->name),
            "name one with `connection:` at each table");
        ok = false;
    }
    const struct test_case *test = c;
    for (size_t i = 0; test->test->connections && i < test->test->connections->count; i++) {
        const struct yaml_node *key = test->test->connections->pairs[i].key;
        if (!names_have(names, arena_strndup(arena, key->value.p, key->value.size)))
            continue;
        report(diagnostics, key, ERR_VALUE_RANGE,
            "`%.*s` is a scratch database in this test, and cannot be something else",
            SLICE_ARG(key->value));
        ok = false;
    }
    return ok;
}

/* What the test says that other tasks gave: {task: {key: value}}. */
static bool check_xcom(const struct dag *dag, const struct sql_test *test, struct arena *arena,
    struct diagnostics *diagnostics)
{
    size_t before = diagnostics->error_count;
    for (size_t i = 0; test->xcom && i < test->xcom->count; i++) {
        const struct yaml_pair *pair = &test->xcom->pairs[i];
        const char *name = arena_strndup(arena, pair->key->value.p, pair->key->value.size);
        if (!dag_find_task(dag, name))
            report_unknown_task(diagnostics, pair->key, dag, test, name, arena);
        else if (pair->value->kind != YAML_MAPPING)
            report_hint(
                report(diagnostics, pair->value, ERR_VALUE_TYPE,
                    "the results of a task are a mapping, this is %s", yaml_describe(pair->value)),
                "write {%s: {return_value: …}}", name);
    }
    return diagnostics->error_count == before;
}

/* Parameters of the DAG, or of a task of the test. */
static bool check_params(
    const struct test_case *c, struct arena *arena, struct diagnostics *diagnostics)
{
    const struct dag *dag = c->dag;
    const struct yaml_node *params = c->test->params;
    VEC(const char *) known = {0};
    size_t before = diagnostics->error_count;
    for (size_t i = 0; i < dag->param_count; i++)
        vec_push(&known, dag->params[i].name);
    for (size_t i = 0; i < c->task_count; i++)
        for (void *at = json_object_iter((json_t *)c->tasks[i]->params); at;
             at = json_object_iter_next((json_t *)c->tasks[i]->params, at))
            vec_push(&known, json_object_iter_key(at));
    const struct names names = {known.at, known.count};
    for (size_t i = 0; params && i < params->count; i++) {
        const struct yaml_node *key = params->pairs[i].key;
        const char *name = arena_strndup(arena, key->value.p, key->value.size);
        if (names_have(&names, name))
            continue;
        struct diagnostic *d = report(diagnostics, key, ERR_UNKNOWN_REFERENCE,
            "the test `%s`: `%s` declares no parameter `%s`", c->test->name, dag->dag_id, name);
        report_hint(d, "what only a run's conf has stands in `conf`");
        report_suggest(d, name, known.at, known.count);
    }
    vec_done(&known);
    return diagnostics->error_count == before;
}

bool case_resolve(const struct project *project, const struct dag *dag, const struct sql_test *test,
    struct arena *arena, struct diagnostics *diagnostics, struct test_case *ret)
{
    *ret = (struct test_case){.test = test, .dag = dag};
    ret->tasks = arena_array(arena, const struct task *, test->tasks.count + 1);
    bool ok = true;
    for (size_t i = 0; i < test->tasks.count; i++) {
        const struct task *task = dag_find_task(dag, test->tasks.at[i]);
        if (!task)
            report_unknown_task(diagnostics, test->at, dag, test, test->tasks.at[i], arena);
        else
            ret->tasks[ret->task_count++] = task;
        ok &= task != NULL;
    }
    ok &= check_xcom(dag, test, arena, diagnostics);
    ok = ok && check_params(ret, arena, diagnostics);
    return ok && find_connections(project, ret, arena, diagnostics);
}

/* ---- its project ----------------------------------------------------------------------------- */

struct running {
    const struct test_case *c;
    struct scratch *scratch;
    struct arena *arena;
    struct project project;
    struct scratch_copy *copies; /* as c->connections */
    PGconn **sessions;           /* as c->connections; NULL until it is needed */
    struct strbuf text, notes;
    test_updates updates; /* dropped after an error that was not expected */
    bool keep_updates;
};

static const char *value_text(const struct yaml_node *node, struct arena *arena)
{
    if (node->kind == YAML_SCALAR)
        return arena_strndup(arena, node->value.p, node->value.size);
    CLEANUP(json_decrefp) json_t *json = yaml_to_json(node);
    struct strbuf text = {.arena = arena};
    struct json_writer w = json_begin(&text);
    json_tree(&w, json);
    return strbuf_finish(&text, arena).p;
}

static void override_variables(struct running *r)
{
    const struct yaml_node *over = r->c->test->variables;
    size_t count = r->project.variable_count;
    struct variable *all =
        arena_array(r->arena, struct variable, count + (over ? over->count : 0) + 1);
    if (count)
        memcpy(all, r->project.variables, count * sizeof(*all));
    for (size_t i = 0; over && i < over->count; i++) {
        const char *name = value_text(over->pairs[i].key, r->arena);
        size_t at = 0;
        while (at < count && !str_equal(all[at].name, name))
            at++;
        count += at == count;
        all[at].name = name;
        all[at].value = value_text(over->pairs[i].value, r->arena);
        all[at].origin = ORIGIN_FLAG;
        all[at].problem = NULL;
    }
    r->project.variables = all;
    r->project.variable_count = count;
}

/* Scratch databases for those that tasks use; what the test says for others. */
static void override_connections(struct running *r)
{
    size_t count = r->project.connection_count;
    struct connection *all = arena_array(r->arena, struct connection, count + 1);
    if (count)
        memcpy(all, r->project.connections, count * sizeof(*all));
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *other = yaml_get(r->c->test->connections, all[i].name);
        if (other)
            all[i].uri = value_text(other, r->arena);
        for (size_t k = 0; k < r->c->connections.count; k++)
            if (str_equal(r->copies[k].connection, all[i].name)) {
                all[i].uri = r->copies[k].uri;
                all[i].dialect = r->copies[k].dialect;
                all[i].settings = r->copies[k].settings;
            }
    }
    r->project.connections = all;
}

static enum status make_copies(struct running *r, struct error *err)
{
    const struct names *names = &r->c->connections;
    r->copies = arena_array(r->arena, struct scratch_copy, names->count + 1);
    r->sessions = arena_array(r->arena, PGconn *, names->count + 1);
    for (size_t i = 0; i < names->count; i++) {
        enum status status =
            scratch_copy_make(r->scratch, names->at[i], r->arena, &r->copies[i], err);
        if (status != OK)
            return status;
        if (r->copies[i].settings_left_out)
            strbuf_printf(&r->notes, "settings that the test's server does not have: %s\n",
                r->copies[i].settings_left_out);
    }
    return OK;
}

static void drop_copies(struct running *r)
{
    for (size_t i = 0; i < r->c->connections.count; i++) {
        PQfinish(r->sessions[i]);
        if (r->copies[i].database)
            scratch_copy_drop(r->scratch, &r->copies[i]);
    }
}

/* ---- the steps ------------------------------------------------------------------------------- */

static enum status session_of(
    struct running *r, const char *connection, PGconn **ret, struct error *err)
{
    size_t i = 0;
    while (connection && !str_equal(r->copies[i].connection, connection))
        i++;
    enum status status = OK;
    if (!r->sessions[i])
        status = scratch_open(&r->copies[i], &r->sessions[i], err);
    *ret = r->sessions[i];
    return status;
}

static enum status put_given(struct running *r, struct error *err)
{
    PGconn *conn = NULL;
    vec_each (table, &r->c->test->given) {
        enum status status = session_of(r, table->is.connection, &conn, err);
        if (status == OK)
            status = tables_put(conn, r->c->test, table, r->arena, err);
        if (status != OK)
            return status;
    }
    return OK;
}

static enum status compare_expected(struct running *r, struct error *err)
{
    PGconn *conn = NULL;
    vec_each (table, &r->c->test->expect) {
        enum status status = session_of(r, table->is.connection, &conn, err);
        if (status == OK)
            status = tables_compare(conn, r->c->test, table, r->arena, &r->text, &r->updates, err);
        if (status != OK)
            return status;
    }
    return OK;
}

static const char *ledger_schema(const struct running *r, size_t i)
{
    return project_find_connection(&r->project, r->copies[i].connection)->ledger_schema;
}

/* What may differ after a second run must be there after the first, in one of the databases. */
static enum status check_varies(struct running *r, struct error *err)
{
    const struct sql_test *test = r->c->test;
    VEC(const char *) known = {0};
    enum status status = OK;
    PGconn *conn = NULL;
    for (size_t i = 0; status == OK && test->varies.count && i < r->c->connections.count; i++) {
        struct names names = {0};
        status = session_of(r, r->copies[i].connection, &conn, err);
        if (status == OK)
            status = twice_names(conn, ledger_schema(r, i), r->arena, &names, err);
        for (size_t k = 0; k < names.count; k++)
            vec_push(&known, names.at[k]);
    }
    const struct names names = {known.at, known.count};
    for (size_t i = 0; status == OK && i < test->varies.count; i++) {
        const char *name = test->varies.at[i];
        const struct yaml_node *at = test->varies_at;
        if (names_have(&names, name))
            continue;
        const char *near = suggest(name, known.at, known.count);
        error_set(err, ERR_TEST, "`varies`: there is no table or column `%s`", name);
        if (near)
            error_hint(err, "did you mean `%s`?", near);
        else
            error_hint(err, "a table is named with its schema, as PostgreSQL writes it");
        status = test_place(test, at->kind == YAML_SEQUENCE ? at->items[i] : at, err);
    }
    vec_done(&known);
    return status;
}

/* Again for the same date, as a cleared run would. */
static enum status run_twice(struct running *r, struct test_run *run, struct error *err)
{
    enum status status = OK;
    PGconn *conn = NULL;
    struct strbuf changed = {.arena = r->arena};
    size_t count = r->c->connections.count;
    for (size_t i = 0; status == OK && i < count; i++) {
        status = session_of(r, r->copies[i].connection, &conn, err);
        if (status == OK)
            status = twice_keep(conn, ledger_schema(r, i), &r->c->test->varies, r->arena, err);
    }
    for (size_t i = 0; status == OK && i < r->c->task_count; i++) {
        status = test_run_task(run, r->c->tasks[i], 1, err);
        if (status != OK && status != ERR_INTERRUPTED)
            error_context(err, "the second run of `%s`: ", r->c->tasks[i]->task_id);
    }
    for (size_t i = 0; status == OK && i < count; i++)
        status = twice_compare(
            r->sessions[i], ledger_schema(r, i), &r->c->test->varies, r->arena, &changed, err);
    if (status == OK && changed.size)
        strbuf_printf(&r->text, "not the same after a second run for the same date:\n%s",
            strbuf_text(&changed));
    return status;
}

static bool error_fits(const struct test_error *wanted, const struct error *got)
{
    return (!wanted->sqlstate || str_equal(wanted->sqlstate, got->sqlstate)) &&
           (!wanted->message || strstr(got->message, wanted->message));
}

/* The last task must have failed, and so. */
static void compare_error(struct running *r, enum status status, const struct error *got)
{
    const struct test_error *wanted = &r->c->test->error;
    if (status != OK && error_fits(wanted, got))
        return;
    strbuf_printf(&r->text, "expected an error%s%s%s%s%s, ", wanted->sqlstate ? " " : "",
        wanted->sqlstate ? wanted->sqlstate : "", wanted->message ? " with \"" : "",
        wanted->message ? wanted->message : "", wanted->message ? "\"" : "");
    if (status == OK) {
        strbuf_add_str(&r->text, "and the task succeeded\n");
    } else {
        strbuf_add_str(&r->text, "and got another one:\n");
        error_format(got, "error", &r->text);
    }
}

/* True when all went well so far; a task's failure is what the test found, not a defect of it. */
static bool run_tasks(
    struct running *r, struct test_run *run, enum test_outcome *ret, struct error *err)
{
    const struct test_case *c = r->c;
    for (size_t i = 0; i < c->task_count; i++) {
        enum status status = test_run_task(run, c->tasks[i], 0, err);
        bool last = i + 1 == c->task_count;
        if (status == ERR_INTERRUPTED) {
            *ret = TEST_NOT_RUN;
            return false;
        }
        if (last && c->test->fails) {
            compare_error(r, status, err);
            r->keep_updates = r->text.size == 0;
        } else if (status != OK) {
            strbuf_printf(&r->text, "the task `%s` failed\n", c->tasks[i]->task_id);
            error_format(err, "error", &r->text);
            *ret = TEST_FAILED;
            return false;
        }
    }
    return true;
}

static enum test_outcome run_steps(struct running *r, bool twice, struct error *err)
{
    struct test_run *run = NULL;
    enum test_outcome outcome = TEST_PASSED;
    enum status status = temporary_make("test-state", r->arena, &r->project.state, err);
    if (status == OK)
        status = make_copies(r, err);
    if (status == OK) {
        override_variables(r);
        override_connections(r);
        status = put_given(r, err);
    }
    if (status == OK)
        status = test_run_new(&r->project, r->c->dag, r->c->test, r->arena, &run, err);
    if (status == OK && run_tasks(r, run, &outcome, err)) {
        status = compare_expected(r, err);
        if (status == OK && !r->c->test->fails)
            status = check_varies(r, err);
        if (status == OK && twice && !r->c->test->fails)
            status = run_twice(r, run, err);
    }
    test_run_free(run);
    if (status == ERR_INTERRUPTED)
        return TEST_NOT_RUN;
    if (status != OK) {
        error_format(err, "error", &r->text);
        return TEST_BROKEN;
    }
    return outcome == TEST_PASSED && r->text.size ? TEST_FAILED : outcome;
}

void case_run(const struct test_case *c, const struct project *project, struct scratch *scratch,
    bool twice, struct arena *arena, struct test_result *ret)
{
    struct error err;
    int64_t began_us = clock_now().mono_us;
    struct running r = {.c = c,
        .scratch = scratch,
        .arena = arena,
        .project = *project,
        .text = {.arena = arena},
        .notes = {.arena = arena},
        .keep_updates = true};
    r.project.state = NULL;
    *ret = (struct test_result){.test = c->test, .outcome = run_steps(&r, twice, &err)};
    if (r.copies)
        drop_copies(&r);
    temporary_remove(r.project.state);
    ret->text = strbuf_text(&r.text);
    ret->notes = strbuf_text(&r.notes);
    if (ret->outcome == TEST_FAILED && r.keep_updates && r.updates.count) {
        ret->updates = arena_memdup(arena, r.updates.at, r.updates.count * sizeof(*r.updates.at));
        ret->update_count = r.updates.count;
    }
    vec_done(&r.updates);
    ret->duration_us = clock_now().mono_us - began_us;
}
