#include "executor/target/ledger_list.h"

#include "executor/limits.h"
#include "executor/target/backend.h"
#include "executor/target/connect.h"
#include "executor/target/ledger.h"

static int64_t number_of(const PGresult *result, int row, int column)
{
    int64_t number = 0;
    (void)parse_int64(slice_of(PQgetvalue(result, row, column)), &number);
    return number;
}

static const char *text_of(const PGresult *result, int row, int column, struct arena *arena)
{
    return arena_strdup(arena, PQgetvalue(result, row, column));
}

/* ---- rows ------------------------------------------------------------------------------------ */

static char *rows_query(struct arena *arena, const char *schema, const struct ledger_range *range)
{
    const char *name = sql_identifier(arena, schema);
    const char *from = "", *to = "";
    if (range->from_us != TIME_NONE)
        from = arena_printf(
            arena, " AND c.logical_date >= %s", ledger_time_literal(arena, range->from_us));
    if (range->to_us != TIME_NONE)
        to = arena_printf(
            arena, " AND c.logical_date < %s", ledger_time_literal(arena, range->to_us));
    return arena_printf(arena,
        "SELECT (extract(epoch FROM c.logical_date) * 1000000)::bigint, c.task_id, c.map_index,"
        " c.generation, c.attempt, c.void, r.attempt IS NOT NULL"
        " FROM %s.claim c LEFT JOIN %s.result r ON r.metadata_id = c.metadata_id"
        " AND r.dag_id = c.dag_id AND r.logical_date = c.logical_date AND r.task_id = c.task_id"
        " AND r.map_index = c.map_index AND r.generation = c.generation"
        " WHERE c.metadata_id = %s AND c.dag_id = %s AND c.claimed_at >= %s%s%s"
        " ORDER BY 1, 2, 3, 4 LIMIT %d",
        name, name, sql_literal(arena, range->metadata_id), sql_literal(arena, range->dag_id),
        ledger_time_literal(arena, range->since_us), from, to, LEDGER_ROWS_MAX + 1);
}

enum status ledger_list_rows(PGconn *conn, const char *schema, const struct ledger_range *range,
    struct arena *arena, struct ledger_rows *ret, struct error *err)
{
    CLEANUP(pq_clearp) PGresult *result = NULL;
    enum status status =
        connect_query(conn, rows_query(arena, schema, range), ERR_LEDGER, &result, err);
    if (status)
        return status;
    size_t count = (size_t)PQntuples(result);
    if (count > LEDGER_ROWS_MAX)
        return error_set(err, ERR_LIMIT, "the ledger has more than %d rows of `%s` for a few runs",
            LEDGER_ROWS_MAX, range->dag_id);
    struct ledger_row *rows = arena_array(arena, struct ledger_row, count);
    for (int i = 0; i < PQntuples(result); i++)
        rows[i] = (struct ledger_row){
            .logical_us = number_of(result, i, 0),
            .task_id = text_of(result, i, 1, arena),
            .map_index = (int32_t)number_of(result, i, 2),
            .generation = number_of(result, i, 3),
            .attempt = text_of(result, i, 4, arena),
            .is_void = *PQgetvalue(result, i, 5) == 't',
            .has_result = *PQgetvalue(result, i, 6) == 't',
        };
    *ret = (struct ledger_rows){rows, count};
    return OK;
}

/* ---- DAGs, sessions -------------------------------------------------------------------------- */

enum status ledger_list_dags(PGconn *conn, const char *schema, const char *metadata_id,
    int64_t since_us, struct arena *arena, const char *const **ret, size_t *ret_count,
    struct error *err)
{
    CLEANUP(pq_clearp) PGresult *result = NULL;
    enum status status = connect_query(conn,
        arena_printf(arena,
            "SELECT DISTINCT dag_id FROM %s.claim WHERE metadata_id = %s AND claimed_at >= %s"
            " ORDER BY 1",
            sql_identifier(arena, schema), sql_literal(arena, metadata_id),
            ledger_time_literal(arena, since_us)),
        ERR_LEDGER, &result, err);
    if (status)
        return status;
    size_t count = (size_t)PQntuples(result);
    const char **dags = arena_array(arena, const char *, count);
    for (int i = 0; i < PQntuples(result); i++)
        dags[i] = text_of(result, i, 0, arena);
    *ret = dags;
    *ret_count = count;
    return OK;
}

enum status ledger_list_sessions(
    PGconn *conn, struct arena *arena, struct ledger_sessions *ret, struct error *err)
{
    static const char sql[] = "SELECT pid, backend_start, application_name"
                              " FROM pg_catalog.pg_stat_activity"
                              " WHERE pid <> pg_catalog.pg_backend_pid()"
                              " AND application_name ~ " ATTEMPT_NAME_PATTERN " ORDER BY pid";
    CLEANUP(pq_clearp) PGresult *result = NULL;
    enum status status = connect_query(conn, sql, ERR_CONNECT, &result, err);
    if (status)
        return status;
    size_t count = (size_t)PQntuples(result);
    struct ledger_session *sessions = arena_array(arena, struct ledger_session, count);
    for (int i = 0; i < PQntuples(result); i++)
        sessions[i] = (struct ledger_session){
            .pid = (int)number_of(result, i, 0),
            .start = text_of(result, i, 1, arena),
            .attempt = text_of(result, i, 2, arena),
        };
    *ret = (struct ledger_sessions){sessions, count};
    return OK;
}
