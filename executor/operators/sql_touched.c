/*
 * The tables that an attempt really touched: the locks that its transaction holds at its end.
 *
 * PostgreSQL and Greenplum keep a relation's lock until the transaction ends, and reading takes
 * another mode than writing.  (pg_stat_xact_user_tables would visit every table there is, and on
 * Greenplum it does not see what segments read.)  The locks of other sessions do not matter; those
 * of catalogues and of the ledger are left out.  (Not its whole schema: a role of that name makes
 * its own tables there.)
 */
#include "executor/limits.h"
#include "executor/operators/sql_attempt.h"
#include "language/sql/tables.h"

bool sql_touches_tables(const struct sql_attempt *s)
{
    return s->task->transaction && !s->reader && !sql_text_is_clean(s->sql->text, true);
}

char *sql_touched_text(const struct sql_attempt *s)
{
    return arena_printf(s->attempt->arena,
        "SELECT n.nspname, c.relname,"
        " bool_or(l.mode NOT IN ('AccessShareLock', 'RowShareLock'))"
        " FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE l.locktype = 'relation' AND l.pid = pg_catalog.pg_backend_pid() AND l.granted"
        " AND c.relkind IN ('r', 'p', 'm', 'f', 'v')"
        " AND n.nspname !~ '^(pg_|information_schema$)' AND NOT (n.nspname = %s"
        " AND c.relname IN ('ledger', 'claim', 'result'))"
        " GROUP BY 1, 2 ORDER BY 1, 2 LIMIT %d",
        sql_literal(s->attempt->arena, s->connection->ledger_schema), ATTEMPT_TOUCHED_KEPT);
}

bool sql_touched_row(struct sql_attempt *s, const PGresult *row)
{
    struct arena *arena = s->attempt->arena;
    if (PQnfields(row) != 3)
        return false;
    struct sql_table table = {.schema = PQgetvalue(row, 0, 0), .name = PQgetvalue(row, 0, 1)};
    struct sql_touched *touched = vec_add(&s->touched);
    touched->table = sql_table_shown(&table, arena);
    touched->written = *PQgetvalue(row, 0, 2) == 't';
    return true;
}

/* "writes a, b" */
static void add_shown(const struct sql_attempt *s, bool written, struct strbuf *out)
{
    bool any = false;
    for (size_t i = 0; i < s->touched.count; i++) {
        if (s->touched.at[i].written != written)
            continue;
        if (!any)
            strbuf_printf(out, "%s%s ", out->size ? "; " : "", written ? "wrote" : "read");
        strbuf_printf(out, "%s%s", any ? ", " : "", s->touched.at[i].table);
        any = true;
    }
}

void sql_touched_say(struct sql_attempt *s)
{
    struct strbuf text = {0};
    add_shown(s, true, &text);
    add_shown(s, false, &text);
    if (text.size)
        attempt_say(s->attempt, LOG_KIND_INFO, "touched: %s", strbuf_text(&text));
    strbuf_done(&text);
}

static void add_list(
    const struct sql_attempt *s, const char *key, bool written, struct json_writer *w)
{
    json_key(w, key);
    json_array_begin(w);
    for (size_t i = 0; i < s->touched.count; i++)
        if (s->touched.at[i].written == written)
            json_str(w, s->touched.at[i].table);
    json_array_end(w);
}

void sql_touched_json(const struct sql_attempt *s, struct json_writer *w)
{
    if (!s->touched.count)
        return;
    json_key(w, "touched");
    json_object_begin(w);
    add_list(s, "wrote", true, w);
    add_list(s, "read", false, w);
    json_object_end(w);
}
