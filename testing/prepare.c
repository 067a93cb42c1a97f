#include "testing/prepare.h"

#include "base/map.h"
#include "definition/lineage.h"
#include "language/sql/name.h"
#include "testing/prepare_internal.h"

/* One connection of a DAG. */
struct target {
    struct scratch_copy copy;
    PGconn *conn;
};

/* ---- a task ---------------------------------------------------------------------------------- */

static void run(PGconn *conn, const char *statement)
{
    PQclear(PQexec(conn, statement));
}

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
    struct lineage_task lineage;
    struct error ignored; /* lint without a database tells it */
    bool sampled;
    const struct sample_run sample = {.facts = &p->facts, .dialect = target->copy.dialect};
    if (sample_run_render(p->options->project, p->dag, p->task, &sample, p->arena, &rendered,
            &sampled, &ignored) != OK)
        return OK;
    p->sql = rendered_find(&rendered, "sql");
    if (!p->sql || sampled)
        return OK;
    p->conn = target->conn;
    p->unchecked = (struct unchecked){.words = {.arena = p->arena}};
    lineage_of_task(p->options->project, p->task, p->sql->map, false, p->arena, &lineage);
    run(target->conn, "SAVEPOINT task");
    set_settings(p, target->conn, &target->copy.settings);
    set_settings(p, target->conn, &p->task->sql.settings);
    for (size_t i = 0; i < lineage.tables.statement_count; i++) {
        if (*p->options->stop)
            return error_set(err, ERR_INTERRUPTED, "interrupted");
        prepare_statement(p, &lineage.tables, i);
    }
    prepare_tell_unchecked(p);
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
