#include "testing/twice.h"
#include "executor/target/connect.h"
#include "executor/target/ledger.h"

#define KEPT "dag_test_kept"
enum { ROWS_SHOWN = 5 };

/* Of pg_class c: tables of people, no partitions (their parents have their rows), nothing of
   extensions. */
static const char *tables_from(const char *ledger_schema, struct arena *arena)
{
    return arena_printf(arena,
        " FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema', %s, '" KEPT "')"
        " AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid)"
        " AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.objid = c.oid"
        "  AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'e')",
        sql_literal(arena, ledger_schema));
}

/* Those tables, and how a row of each is written, without what varies. */
static const char *tables_query(
    const char *ledger_schema, const struct names *varies, struct arena *arena)
{
    struct strbuf list = {.arena = arena};
    strbuf_add_str(&list, "ARRAY[");
    for (size_t i = 0; i < varies->count; i++)
        strbuf_printf(&list, "%s%s", i ? ", " : "", sql_literal(arena, varies->at[i]));
    strbuf_add_str(&list, "]::text[]");
    const char *names = strbuf_finish(&list, arena).p;
    return arena_printf(arena,
        "SELECT c.oid::pg_catalog.regclass::text AS name, coalesce((SELECT 'ROW('"
        " || pg_catalog.string_agg('t.' || pg_catalog.quote_ident(a.attname), ', '"
        " ORDER BY a.attnum) || ')::text' FROM pg_catalog.pg_attribute a"
        " WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " AND c.oid::pg_catalog.regclass::text || '.' || a.attname <> ALL (%s)),"
        " '''()''::text') AS written%s AND c.oid::pg_catalog.regclass::text <> ALL (%s)",
        names, tables_from(ledger_schema, arena), names);
}

enum status twice_names(PGconn *conn, const char *ledger_schema, struct arena *arena,
    struct names *ret, struct error *err)
{
    CLEANUP(pq_clearp) PGresult *found = NULL;
    const char *from = tables_from(ledger_schema, arena);
    enum status status = connect_query(conn,
        arena_printf(arena,
            "SELECT c.oid::pg_catalog.regclass::text%s UNION ALL"
            " SELECT q.name || '.' || a.attname FROM"
            " (SELECT c.oid, c.oid::pg_catalog.regclass::text AS name%s) q"
            " JOIN pg_catalog.pg_attribute a ON a.attrelid = q.oid AND a.attnum > 0"
            " AND NOT a.attisdropped",
            from, from),
        ERR_TEST, &found, err);
    if (status != OK)
        return status;
    const char **names = arena_array(arena, const char *, (size_t)PQntuples(found));
    for (int i = 0; i < PQntuples(found); i++)
        names[i] = arena_strdup(arena, PQgetvalue(found, i, 0));
    *ret = (struct names){names, (size_t)PQntuples(found)};
    return OK;
}

enum status twice_keep(PGconn *conn, const char *ledger_schema, const struct names *varies,
    struct arena *arena, struct error *err)
{
    CLEANUP(pq_clearp) PGresult *tables = NULL;
    enum status status = connect_run(conn,
        arena_printf(arena,
            "CREATE SCHEMA " KEPT "; CREATE TABLE " KEPT ".tables AS"
            " SELECT row_number() OVER () AS number, q.* FROM (%s) q",
            tables_query(ledger_schema, varies, arena)),
        ERR_TEST, err);
    if (status == OK)
        status = connect_query(
            conn, "SELECT number, name, written FROM " KEPT ".tables", ERR_TEST, &tables, err);
    for (int i = 0; status == OK && i < PQntuples(tables); i++)
        status = connect_run(conn,
            arena_printf(arena, "CREATE TABLE " KEPT ".t%s AS SELECT %s AS row FROM %s t",
                PQgetvalue(tables, i, 0), PQgetvalue(tables, i, 2), PQgetvalue(tables, i, 1)),
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

/* `then`, `now`: queries of a table's rows. */
static enum status compare_rows(PGconn *conn, const char *name, const char *then, const char *now,
    struct arena *arena, struct strbuf *out, struct error *err)
{
    struct strbuf shown = {.arena = arena};
    size_t gone = 0, new = 0;
    enum status status = add_rows(conn, "-", then, now, arena, &shown, &gone, err);
    if (status == OK)
        status = add_rows(conn, "+", now, then, arena, &shown, &new, err);
    if (status == OK && (gone || new))
        strbuf_printf(out, "%s: the second run took away %zu and added %zu rows\n%s", name, gone,
            new, strbuf_text(&shown));
    return status;
}

enum status twice_compare(PGconn *conn, const char *ledger_schema, const struct names *varies,
    struct arena *arena, struct strbuf *out, struct error *err)
{
    static const char none[] = "SELECT NULL::text AS row WHERE false";
    CLEANUP(pq_clearp) PGresult *tables = NULL;
    enum status status = connect_query(conn,
        arena_printf(arena,
            "SELECT coalesce(k.name, n.name), k.number, n.written FROM " KEPT ".tables k"
            " FULL JOIN (%s) n ON n.name = k.name ORDER BY 1",
            tables_query(ledger_schema, varies, arena)),
        ERR_TEST, &tables, err);
    for (int i = 0; status == OK && i < PQntuples(tables); i++) {
        const char *name = PQgetvalue(tables, i, 0);
        const char *then = none, *now = none;
        if (!PQgetisnull(tables, i, 1))
            then = arena_printf(arena, "SELECT row FROM " KEPT ".t%s", PQgetvalue(tables, i, 1));
        if (!PQgetisnull(tables, i, 2))
            now = arena_printf(arena, "SELECT %s AS row FROM %s t", PQgetvalue(tables, i, 2), name);
        status = compare_rows(conn, name, then, now, arena, out, err);
    }
    return status;
}
