#include "testing/twice.h"
#include "executor/target/connect.h"
#include "executor/target/ledger.h"

#define KEPT "dag_test_kept"
enum { ROWS_SHOWN = 5 };

/* Tables of people: no partitions (their parents have their rows), nothing of extensions. */
static enum status find_tables(
    PGconn *conn, const char *ledger_schema, struct arena *arena, PGresult **ret, struct error *err)
{
    return connect_query(conn,
        arena_printf(arena,
            "SELECT c.oid, c.oid::pg_catalog.regclass::text FROM pg_catalog.pg_class c"
            " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'"
            " AND n.nspname NOT IN ('pg_catalog', 'information_schema', %s, '" KEPT "')"
            " AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid)"
            " AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.objid = c.oid"
            "  AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'e')"
            " ORDER BY 2",
            sql_literal(arena, ledger_schema)),
        ERR_TEST, ret, err);
}

enum status twice_keep(
    PGconn *conn, const char *ledger_schema, struct arena *arena, struct error *err)
{
    CLEANUP(pq_clearp) PGresult *tables = NULL;
    enum status status = connect_run(conn, "CREATE SCHEMA " KEPT, ERR_TEST, err);
    if (status == OK)
        status = find_tables(conn, ledger_schema, arena, &tables, err);
    for (int i = 0; status == OK && i < PQntuples(tables); i++)
        status = connect_run(conn,
            arena_printf(arena, "CREATE TABLE " KEPT ".t%s AS SELECT t::text AS row FROM %s t",
                PQgetvalue(tables, i, 0), PQgetvalue(tables, i, 1)),
            ERR_TEST, err);
    return status;
}

/* Rows of one that the other has not, as bags. */
static enum status add_rows(PGconn *conn, const char *mark, const char *one, const char *other,
    struct arena *arena, struct strbuf *out, size_t *ret_count, struct error *err)
{
    CLEANUP(pq_clearp) PGresult *rows = NULL;
    enum status status = connect_query(conn,
        arena_printf(arena, "SELECT row, count(*) OVER () FROM (%s EXCEPT ALL %s) q LIMIT %d", one,
            other, ROWS_SHOWN),
        ERR_TEST, &rows, err);
    int64_t count = 0;
    for (int i = 0; status == OK && i < PQntuples(rows); i++) {
        (void)!parse_int64(slice_of(PQgetvalue(rows, i, 1)), &count);
        strbuf_printf(out, "  %s %s\n", mark, PQgetvalue(rows, i, 0));
    }
    if (count > ROWS_SHOWN)
        strbuf_printf(out, "  %s … and %lld more\n", mark, (long long)count - ROWS_SHOWN);
    *ret_count = (size_t)count;
    return status;
}

static enum status compare_table(PGconn *conn, const char *oid, const char *name,
    struct arena *arena, struct strbuf *out, struct error *err)
{
    struct strbuf shown = {.arena = arena};
    size_t gone = 0, new = 0;
    const char *now = arena_printf(arena, "SELECT t::text AS row FROM %s t", name);
    CLEANUP(pq_clearp) PGresult *kept = NULL;
    enum status status = connect_query(conn,
        arena_printf(arena, "SELECT pg_catalog.to_regclass('" KEPT ".t%s')::text", oid), ERR_TEST,
        &kept, err);
    if (status != OK)
        return status;
    const char *then = PQgetisnull(kept, 0, 0) ? "SELECT NULL::text AS row WHERE false"
                                               : "SELECT row FROM " KEPT ".t";
    if (!PQgetisnull(kept, 0, 0))
        then = arena_printf(arena, "%s%s", then, oid);
    status = add_rows(conn, "-", then, now, arena, &shown, &gone, err);
    if (status == OK)
        status = add_rows(conn, "+", now, then, arena, &shown, &new, err);
    if (status == OK && (gone || new))
        strbuf_printf(out, "%s: the second run took away %zu and added %zu rows\n%s", name, gone,
            new, strbuf_text(&shown));
    return status;
}

enum status twice_compare(PGconn *conn, const char *ledger_schema, struct arena *arena,
    struct strbuf *out, struct error *err)
{
    CLEANUP(pq_clearp) PGresult *tables = NULL;
    enum status status = find_tables(conn, ledger_schema, arena, &tables, err);
    for (int i = 0; status == OK && i < PQntuples(tables); i++)
        status = compare_table(
            conn, PQgetvalue(tables, i, 0), PQgetvalue(tables, i, 1), arena, out, err);
    return status;
}
