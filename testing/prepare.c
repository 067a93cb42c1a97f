#include "testing/prepare.h"

#include "base/map.h"
#include "definition/lineage.h"
#include "executor/target/sql_error.h"
#include "language/sql/lex.h"
#include "language/sql/name.h"
#include "language/sql/parameters.h"
#include "language/sql/split.h"

struct preparing {
    const struct prepare_options *options;
    const struct dag *dag;
    struct arena *arena;
    struct run_facts facts;
    const struct lineage_task *lineages;
    struct diagnostics *findings;
    const struct task *task; /* at hand */
};

/* One connection of a DAG. */
struct target {
    struct scratch_copy copy;
    PGconn *conn;
};

/* ---- a statement ----------------------------------------------------------------------------- */

static bool begins_with(struct slice statement, const char *const *words)
{
    struct sql_token token = sql_first_word(statement);
    for (; *words; words++)
        if (sql_token_is(statement, token, *words))
            return true;
    return false;
}

/* Statements that are carried out.  What needs to be outside of a transaction fails in it with a
   code of its own (25001), which is passed over. */
static bool is_carried_out(struct slice statement)
{
    static const char *const words[] = {
        "create", "alter", "drop", "truncate", "comment", "grant", "revoke", "set", "lock", NULL};
    return begins_with(statement, words);
}

static PGresult *ask(PGconn *conn, struct slice statement, struct arena *arena)
{
    char *text = arena_strndup(arena, statement.p, statement.size);
    if (sql_takes_parameters(statement))
        return PQprepare(conn, "", text, 0, NULL);
    return is_carried_out(statement) ? PQexec(conn, text) : NULL;
}

static void run(PGconn *conn, const char *statement)
{
    PQclear(PQexec(conn, statement));
}

/* Whether the message names a table that a task of the DAG makes. */
static bool is_made_unseen(const struct preparing *p, const char *message)
{
    for (uint32_t i = 0; i < p->dag->task_count; i++)
        for (size_t k = 0; k < p->lineages[i].use_count; k++) {
            const struct lineage_use *use = &p->lineages[i].uses[k];
            const char *dot = strrchr(use->table, '.');
            if ((use->use & SQL_CREATES) && strstr(message, dot ? dot + 1 : use->table))
                return true;
        }
    return false;
}

/* Errors that say nothing of the statement: no rows (22, 23), not in a transaction (25), time (57),
   what its own functions say (P0, 38, XX), rights. */
static bool is_about_statement(const struct preparing *p, const struct sql_error *e)
{
    if (!e->sqlstate || !e->message)
        return false;
    bool missing = str_equal(e->sqlstate, "42P01");
    return (str_starts(e->sqlstate, "42") || str_starts(e->sqlstate, "0A") ||
               str_starts(e->sqlstate, "3F")) &&
           !str_equal(e->sqlstate, "42501") && !(missing && is_made_unseen(p, e->message));
}

static void report(const struct preparing *p, const PGresult *result, PGconn *conn,
    const struct rendered *sql, struct slice statement)
{
    struct sql_error e = sql_error_read(result, conn, p->arena);
    struct jinja_origin origin;
    struct error error;
    if (!is_about_statement(p, &e))
        return;
    size_t offset = sql_error_offset(&e, sql->text, statement);
    error_set(&error, ERR_LINT, "`%s`: %s", p->task->task_id, e.message);
    error_hint(&error,
        "%s%sthe server says so of the tables that the migrations make (SQLSTATE %s)",
        e.hint ? e.hint : "", e.hint ? "; " : "", e.sqlstate);
    if (jinja_map_find(sql->map, offset, &origin)) {
        char excerpt[ERROR_EXCERPT_SIZE];
        snprintf(excerpt, sizeof(excerpt), "%.*s", SLICE_ARG(origin.source_line));
        error_place(&error, origin.file, origin.line, origin.column, excerpt);
    } else {
        error_place(&error, p->dag->file, p->task->line, 1, NULL);
    }
    struct diagnostic *d = diagnostics_add(p->findings, "error", &error);
    if (d)
        d->code = "database";
}

/* ---- a task ---------------------------------------------------------------------------------- */

static void set_settings(
    const struct preparing *p, PGconn *conn, const struct named_texts *settings)
{
    for (size_t i = 0; i < settings->count; i++) {
        const char *value = settings->at[i].text.value;
        if (!value || strchr(value, '{'))
            continue;
        run(conn, "SAVEPOINT setting");
        PGresult *result = PQexec(
            conn, arena_printf(p->arena, "SELECT pg_catalog.set_config(%s, %s, true)",
                      sql_literal(p->arena, settings->at[i].name), sql_literal(p->arena, value)));
        if (PQresultStatus(result) == PGRES_FATAL_ERROR) /* this server does not have it */
            run(conn, "ROLLBACK TO setting");
        PQclear(result);
    }
}

static enum status prepare_task(struct preparing *p, const struct target *target, struct error *err)
{
    struct rendered_task rendered;
    struct sql_statements statements;
    struct error ignored; /* lint without a database tells it */
    size_t offset;
    bool sampled;
    const struct sample_run sample = {.facts = &p->facts, .dialect = target->copy.dialect};
    if (sample_run_render(p->options->project, p->dag, p->task, &sample, p->arena, &rendered,
            &sampled, &ignored) != OK)
        return OK;
    const struct rendered *sql = rendered_find(&rendered, "sql");
    if (!sql || sampled || sql_split(sql->text, p->arena, &statements, &offset, &ignored) != OK)
        return OK;
    run(target->conn, "SAVEPOINT task");
    set_settings(p, target->conn, &target->copy.settings);
    set_settings(p, target->conn, &p->task->sql.settings);
    for (size_t i = 0; i < statements.count; i++) {
        struct slice text =
            slice_make(sql->text.p + statements.at[i].offset, statements.at[i].size);
        if (*p->options->stop)
            return error_set(err, ERR_INTERRUPTED, "interrupted");
        if (statements.at[i].control != SQL_CONTROL_NONE)
            continue;
        run(target->conn, "SAVEPOINT statement");
        PGresult *result = ask(target->conn, text, p->arena);
        if (result && PQresultStatus(result) == PGRES_FATAL_ERROR) {
            report(p, result, target->conn, sql, text);
            run(target->conn, "ROLLBACK TO statement");
        }
        PQclear(result);
    }
    return OK;
}

/* ---- a DAG ----------------------------------------------------------------------------------- */

static enum status open_target(
    struct preparing *p, const char *name, struct target *target, struct error *err)
{
    const struct project *project = p->options->project;
    const struct connection *connection = project_find_connection(project, name);
    enum status status = scratch_prepare(p->options->scratch, connection, err);
    if (status == OK)
        status = scratch_copy_make(p->options->scratch, name, p->arena, &target->copy, err);
    if (status == OK)
        status = scratch_open(&target->copy, &target->conn, err);
    if (status == OK)
        run(target->conn, "BEGIN");
    return status;
}

static void close_targets(struct preparing *p, struct map *targets)
{
    void *value;
    for (size_t cursor = 0; map_next(targets, &cursor, NULL, &value);) {
        struct target *target = value;
        PQfinish(target->conn);
        if (target->copy.database)
            scratch_copy_drop(p->options->scratch, &target->copy);
    }
    map_free(targets);
}

static enum status prepare_tasks(struct preparing *p, struct map *targets, struct error *err)
{
    enum status status = OK;
    for (uint32_t i = 0; status == OK && i < p->dag->task_count; i++) {
        p->task = &p->dag->tasks[p->dag->topological[i]];
        const char *name = p->task->sql.connection;
        if (!p->task->sql.sql.value || !name)
            continue;
        struct target *target = map_get(targets, name);
        if (!target) {
            target = arena_new_of(p->arena, struct target);
            map_set(targets, name, target);
            status = open_target(p, name, target, err);
        }
        if (status == OK)
            status = prepare_task(p, target, err);
    }
    return status;
}

enum status prepare_dag(const struct prepare_options *options, const struct dag *dag,
    struct diagnostics *findings, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct preparing p = {.options = options, .dag = dag, .arena = arena, .findings = findings};
    struct map *targets = map_new();
    enum status status = sample_run_facts(dag, arena, &p.facts, err);
    if (status == OK)
        status = lineage_of_dag(options->project, dag, arena, &p.lineages, err);
    if (status == OK)
        status = prepare_tasks(&p, targets, err);
    close_targets(&p, targets);
    return status;
}
