#include "testing/tables.h"
#include "base/file.h"
#include "definition/dagfile.h"
#include "executor/target/connect.h"
#include "executor/target/ledger.h"
#include "testing/csv.h"
#include "testing/limits.h"
#include "testing/rows.h"

/* A table of the database with the columns that matter. */
struct relation {
    const char *name; /* quoted, as SQL reads it */
    bool partitioned;
    struct {
        const char *name, *type; /* "points", "double precision" */
    } * columns;
    size_t count;
};

static enum status query(PGconn *conn, const char *sql, PGresult **ret, struct error *err)
{
    return connect_query(conn, sql, ERR_TEST, ret, err);
}

static enum status run(PGconn *conn, const char *sql, struct error *err)
{
    return connect_run(conn, sql, ERR_TEST, err);
}

/* ---- relations ------------------------------------------------------------------------------- */

static enum status find_columns(
    PGconn *conn, const char *oid, struct relation *ret, struct arena *arena, struct error *err)
{
    CLEANUP(pq_clearp) PGresult *found = NULL;
    enum status status = query(conn,
        arena_printf(arena,
            "SELECT attname, pg_catalog.format_type(atttypid, atttypmod)"
            " FROM pg_catalog.pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped"
            " ORDER BY attnum",
            oid),
        &found, err);
    if (status != OK)
        return status;
    ret->count = (size_t)PQntuples(found);
    ret->columns = arena_alloc(arena, (ret->count + 1) * sizeof(*ret->columns));
    for (size_t i = 0; i < ret->count; i++) {
        ret->columns[i].name = arena_strdup(arena, PQgetvalue(found, (int)i, 0));
        ret->columns[i].type = arena_strdup(arena, PQgetvalue(found, (int)i, 1));
    }
    return OK;
}

static enum status find_relation(
    PGconn *conn, const char *name, struct arena *arena, struct relation *ret, struct error *err)
{
    CLEANUP(pq_clearp) PGresult *found = NULL;
    enum status status = query(conn,
        arena_printf(arena,
            "SELECT oid, oid::pg_catalog.regclass::text, relkind FROM pg_catalog.pg_class"
            " WHERE oid = pg_catalog.to_regclass(%s)",
            sql_literal(arena, name)),
        &found, err);
    if (status != OK)
        return status;
    if (PQntuples(found) == 0) {
        error_set(err, ERR_TEST, "there is no table `%s` in the scratch database", name);
        error_hint(err, "it is made from the migrations; name its schema too, as in schema.table");
        return ERR_TEST;
    }
    ret->name = arena_strdup(arena, PQgetvalue(found, 0, 1));
    ret->partitioned = PQgetvalue(found, 0, 2)[0] == 'p';
    return find_columns(conn, PQgetvalue(found, 0, 0), ret, arena, err);
}

static const char *type_of(const struct relation *relation, struct slice column)
{
    for (size_t i = 0; i < relation->count; i++)
        if (slice_equal_str(column, relation->columns[i].name))
            return relation->columns[i].type;
    return NULL;
}

static enum status unknown_column(
    const struct relation *relation, struct slice name, struct arena *arena, struct error *err)
{
    const char **names = arena_array(arena, const char *, relation->count + 1);
    for (size_t i = 0; i < relation->count; i++)
        names[i] = relation->columns[i].name;
    const char *near = suggest(arena_strndup(arena, name.p, name.size), names, relation->count);
    error_set(err, ERR_TEST, "%s has no column `%.*s`", relation->name, SLICE_ARG(name));
    if (near)
        error_hint(err, "did you mean `%s`?", near);
    return ERR_TEST;
}

/* ---- values ---------------------------------------------------------------------------------- */

static void add_array(const struct yaml_node *list, struct strbuf *out)
{
    strbuf_add_char(out, '{');
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *item = list->items[i];
        if (i)
            strbuf_add_char(out, ',');
        if (item->kind == YAML_SEQUENCE) {
            add_array(item, out);
        } else if (item->type == YAML_NULL) {
            strbuf_add_str(out, "NULL");
        } else {
            strbuf_add_char(out, '"');
            for (size_t k = 0; k < item->value.size; k++) {
                if (item->value.p[k] == '"' || item->value.p[k] == '\\')
                    strbuf_add_char(out, '\\');
                strbuf_add_char(out, item->value.p[k]);
            }
            strbuf_add_char(out, '"');
        }
    }
    strbuf_add_char(out, '}');
}

/* The literal of a cell, for a column of that type. */
static const char *literal_of(const struct yaml_node *cell, const char *type, struct arena *arena)
{
    if (cell->kind == YAML_SCALAR)
        return cell->type == YAML_NULL
                   ? "NULL"
                   : sql_literal(arena, arena_strndup(arena, cell->value.p, cell->value.size));
    struct strbuf text = {.arena = arena};
    if (cell->kind == YAML_SEQUENCE && str_ends(type, "[]")) {
        add_array(cell, &text);
    } else {
        CLEANUP(json_decrefp) json_t *json = yaml_to_json(cell);
        struct json_writer w = json_begin(&text);
        json_tree(&w, json);
    }
    return sql_literal(arena, strbuf_finish(&text, arena).p);
}

/* ---- putting rows ---------------------------------------------------------------------------- */

/* The day of a row of a table that is partitioned by list of one date; NULL otherwise. */
static enum status find_day(PGconn *conn, const struct relation *relation,
    const struct yaml_node *row, struct arena *arena, const char **ret, struct error *err)
{
    CLEANUP(pq_clearp) PGresult *found = NULL;
    *ret = NULL;
    enum status status = query(conn,
        arena_printf(arena,
            "SELECT a.attname FROM pg_catalog.pg_partitioned_table p"
            " JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid"
            " AND a.attnum = p.partattrs[0] AND a.atttypid = 'date'::pg_catalog.regtype"
            " WHERE p.partrelid = %s::pg_catalog.regclass AND p.partstrat = 'l'"
            " AND p.partnatts = 1",
            sql_literal(arena, relation->name)),
        &found, err);
    if (status != OK || PQntuples(found) == 0 || !row)
        return status;
    const struct yaml_node *cell = yaml_get(row, PQgetvalue(found, 0, 0));
    if (cell && cell->kind == YAML_SCALAR && cell->type != YAML_NULL)
        *ret = arena_strndup(arena, cell->value.p, cell->value.size);
    return OK;
}

static enum status add_partition(PGconn *conn, const struct relation *relation,
    const struct yaml_node *row, struct arena *arena, struct error *err)
{
    const char *day;
    enum status status = find_day(conn, relation, row, arena, &day, err);
    if (status != OK)
        return status;
    const char *literal = day ? sql_literal(arena, day) : "NULL";
    const char *suffix =
        day ? arena_printf(arena, "'_1_prt_p' || pg_catalog.to_char(%s::date, 'YYYYMMDD')", literal)
            : "'_dag_test_given'";
    const char *values =
        day ? arena_printf(arena, "' FOR VALUES IN (' || quote_literal(%s::date) || ')'", literal)
            : "' DEFAULT'";
    CLEANUP(pq_clearp) PGresult *made = NULL;
    status = query(conn,
        arena_printf(arena,
            "SELECT 'CREATE TABLE ' || quote_ident(n.nspname) || '.'"
            " || quote_ident(c.relname || %s) || ' PARTITION OF %s' || %s"
            " FROM pg_catalog.pg_class c"
            " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.oid = %s::pg_catalog.regclass",
            suffix, relation->name, values, sql_literal(arena, relation->name)),
        &made, err);
    return status == OK ? run(conn, PQgetvalue(made, 0, 0), err) : status;
}

static bool lacks_partition(const struct relation *relation, const struct error *err)
{
    return relation->partitioned && str_equal(err->sqlstate, "23514") &&
           strstr(err->message, "no partition");
}

/* `row`: the mapping that is inserted, for the partition that it may need. */
static enum status insert(PGconn *conn, const struct relation *relation, const char *sql,
    const struct yaml_node *row, struct arena *arena, struct error *err)
{
    enum status status = run(conn, sql, err);
    if (status == OK || !lacks_partition(relation, err))
        return status;
    status = add_partition(conn, relation, row, arena, err);
    return status == OK ? run(conn, sql, err) : status;
}

/* A mapping in a column of no JSON whose only key looks like a condition's. */
static bool is_misspelt_condition(
    const struct yaml_node *cell, const char *type, struct arena *arena, struct error *err)
{
    static const char *const conditions[] = {"matches", "not"};
    if (cell->kind != YAML_MAPPING || cell->count != 1 || rows_is_condition(cell) ||
        str_starts(type, "json"))
        return false;
    struct slice key = cell->pairs[0].key->value;
    const char *near =
        suggest(arena_strndup(arena, key.p, key.size), conditions, ARRAY_SIZE(conditions));
    if (near) {
        error_set(err, ERR_TEST, "`%.*s` is no condition", SLICE_ARG(key));
        error_hint(err, "did you mean `%s`?", near);
    }
    return near != NULL;
}

/* `into`: the table that gets the rows, of `relation`'s columns.  Conditions are left NULL. */
static enum status put_row(PGconn *conn, const struct sql_test *test,
    const struct relation *relation, const char *into, const struct yaml_node *row,
    struct arena *arena, struct error *err)
{
    struct strbuf columns = {.arena = arena}, values = {.arena = arena};
    for (size_t i = 0; i < row->count; i++) {
        const struct yaml_node *key = row->pairs[i].key;
        const char *type = type_of(relation, key->value);
        if (!type) {
            (void)!unknown_column(relation, key->value, arena, err);
            return test_place(test, key, err);
        }
        const struct yaml_node *cell = row->pairs[i].value;
        if (is_misspelt_condition(cell, type, arena, err))
            return test_place(test, cell, err);
        strbuf_printf(&columns, "%s%s", i ? ", " : "",
            sql_identifier(arena, arena_strndup(arena, key->value.p, key->value.size)));
        strbuf_printf(&values, "%s%s", i ? ", " : "",
            rows_is_condition(cell) ? "NULL" : literal_of(cell, type, arena));
    }
    const char *sql = row->count ? arena_printf(arena, "INSERT INTO %s (%s) VALUES (%s)", into,
                                       strbuf_text(&columns), strbuf_text(&values))
                                 : arena_printf(arena, "INSERT INTO %s DEFAULT VALUES", into);
    if (insert(conn, relation, sql, row, arena, err) != OK)
        return test_place(test, row, err);
    return OK;
}

static enum status put_rows(PGconn *conn, const struct sql_test *test,
    const struct relation *relation, const char *into, const struct yaml_node *rows,
    struct arena *arena, struct error *err)
{
    for (size_t i = 0; i < rows->count; i++) {
        enum status status = put_row(conn, test, relation, into, rows->items[i], arena, err);
        if (status != OK)
            return status;
    }
    return OK;
}

/* A file beside the test file. */
static enum status read_beside(const struct sql_test *test, const struct test_table *table,
    const char *name, struct arena *arena, struct slice *ret, struct error *err)
{
    enum status status =
        file_read(path_join(arena, test->folder, name), TEST_FILE_MAX, arena, ret, err);
    if (status == OK)
        return OK;
    error_hint(err, "files are looked for beside the test file");
    return test_place(test, table->at, err);
}

static enum status place_in_csv(const struct sql_test *test, const struct csv *csv, size_t offset,
    struct arena *arena, struct error *err)
{
    const char *path = path_join(arena, path_dir(arena, test->file), csv->name);
    error_at(err, path, csv->text.p, csv->text.size, offset);
    return err->status;
}

/* Reads a table's CSV file, whose columns must be the relation's. */
static enum status read_csv(const struct sql_test *test, const struct test_table *table,
    const struct relation *relation, struct arena *arena, struct csv *ret, struct error *err)
{
    struct slice text;
    enum status status = read_beside(test, table, table->is.csv, arena, &text, err);
    if (status != OK)
        return status;
    *ret = csv_open(table->is.csv, text, arena);
    for (size_t i = 0; i < ret->column_count; i++)
        if (!type_of(relation, ret->columns[i])) {
            (void)!unknown_column(relation, ret->columns[i], arena, err);
            return place_in_csv(test, ret, csv_column_offset(ret, i), arena, err);
        }
    return OK;
}

/* A list for SQL. */
static const char *csv_columns(const struct csv *csv, struct arena *arena)
{
    struct strbuf list = {.arena = arena};
    for (size_t i = 0; i < csv->column_count; i++) {
        struct slice name = csv->columns[i];
        strbuf_printf(&list, "%s%s", i ? ", " : "",
            sql_identifier(arena, arena_strndup(arena, name.p, name.size)));
    }
    return strbuf_finish(&list, arena).p;
}

/* *ret_line: of the text, where the server refused it, counted from 1; 0 = it did not say. */
static enum status copy_in(
    PGconn *conn, const char *sql, struct slice text, size_t *ret_line, struct error *err)
{
    *ret_line = 0;
    CLEANUP(pq_clearp) PGresult *began = PQexec(conn, sql);
    if (PQresultStatus(began) != PGRES_COPY_IN)
        return run(conn, sql, err); /* says why */
    PQputCopyData(conn, text.p, (int)text.size);
    PQputCopyEnd(conn, NULL);
    enum status status = OK;
    for (PGresult *result; (result = PQgetResult(conn)); PQclear(result))
        if (PQresultStatus(result) != PGRES_COMMAND_OK && status == OK) {
            const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
            const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
            *ret_line = csv_line_of_context(context ? context : "");
            status =
                error_set(err, ERR_TEST, "%s", PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
            snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", sqlstate ? sqlstate : "");
        }
    return status;
}

static enum status put_csv(PGconn *conn, const struct sql_test *test, const struct csv *csv,
    const struct relation *relation, const char *into, struct arena *arena, struct error *err)
{
    size_t line;
    const char *sql = arena_printf(
        arena, "COPY %s (%s) FROM STDIN WITH CSV HEADER", into, csv_columns(csv, arena));
    enum status status = copy_in(conn, sql, csv->text, &line, err);
    if (status != OK && lacks_partition(relation, err)) {
        status = add_partition(conn, relation, NULL, arena, err);
        if (status == OK)
            status = copy_in(conn, sql, csv->text, &line, err);
    }
    return status == OK ? OK : place_in_csv(test, csv, csv_line_offset(csv, line), arena, err);
}

/* SQL text, or the file that it names. */
static enum status sql_text(const struct sql_test *test, const struct test_table *table,
    struct arena *arena, const char **ret, struct error *err)
{
    struct slice text;
    *ret = table->is.sql;
    if (!str_ends(*ret, ".sql") || strchr(*ret, '\n'))
        return OK;
    enum status status = read_beside(test, table, *ret, arena, &text, err);
    if (status == OK)
        *ret = arena_strndup(arena, text.p, text.size);
    return status;
}

enum status tables_put(PGconn *conn, const struct sql_test *test, const struct test_table *table,
    struct arena *arena, struct error *err)
{
    struct relation relation;
    const char *sql;
    if (table->is.sql) {
        enum status status = sql_text(test, table, arena, &sql, err);
        if (status == OK && run(conn, sql, err) != OK)
            return test_place(test, table->at, err);
        return status;
    }
    if (find_relation(conn, table->name, arena, &relation, err) != OK)
        return test_place(test, table->at, err);
    if (table->is.csv) {
        struct csv csv;
        enum status status = read_csv(test, table, &relation, arena, &csv, err);
        return status == OK ? put_csv(conn, test, &csv, &relation, relation.name, arena, err)
                            : status;
    }
    return put_rows(conn, test, &relation, relation.name, table->is.rows, arena, err);
}

/* ---- comparing ------------------------------------------------------------------------------- */

#define EXPECTED "pg_temp.dag_test_expected"
#define ACTUAL "pg_temp.dag_test_actual"

/* The columns to compare: those that any row names, in the order in which they come up; all, where
   none is named. */
static const char *compared_columns(const struct test_table *table, const struct relation *relation,
    const struct csv *csv, struct arena *arena)
{
    struct strbuf list = {.arena = arena};
    if (table->is.csv)
        return csv_columns(csv, arena);
    const struct yaml_node *rows = table->is.rows;
    VEC(struct slice) seen = {0};
    for (size_t i = 0; rows && i < rows->count; i++)
        for (size_t k = 0; k < rows->items[i]->count; k++) {
            struct slice name = rows->items[i]->pairs[k].key->value;
            bool known = false;
            vec_each (s, &seen)
                known |= slice_equal(*s, name);
            if (!known)
                vec_push(&seen, name);
        }
    for (size_t i = 0; i < (seen.count ? seen.count : relation->count); i++)
        strbuf_printf(&list, "%s%s", i ? ", " : "",
            sql_identifier(arena, seen.count ? arena_strndup(arena, seen.at[i].p, seen.at[i].size)
                                             : relation->columns[i].name));
    vec_done(&seen);
    return strbuf_finish(&list, arena).p;
}

/* "a, b" → what gives these columns as text. */
static const char *as_text(PGconn *conn, const char *table, const char *columns, struct rows *ret,
    struct arena *arena, const char *order, struct error *err)
{
    CLEANUP(pq_clearp) PGresult *empty = NULL;
    if (query(conn, arena_printf(arena, "SELECT %s FROM %s LIMIT 0", columns, table), &empty, err))
        return NULL;
    struct strbuf list = {.arena = arena};
    ret->column_count = (size_t)PQnfields(empty);
    ret->columns = arena_array(arena, struct row_column, ret->column_count + 1);
    for (size_t i = 0; i < ret->column_count; i++) {
        const char *name = arena_strdup(arena, PQfname(empty, (int)i));
        ret->columns[i] = (struct row_column){name, rows_number_kind(PQftype(empty, (int)i))};
        strbuf_printf(&list, "%s%s::text", i ? ", " : "", sql_identifier(arena, name));
    }
    return arena_printf(
        arena, "SELECT %s FROM %s%s LIMIT %d", strbuf_text(&list), table, order, TEST_ROWS_MAX + 1);
}

static enum status read_rows(PGconn *conn, const char *table, const char *columns,
    const char *order, struct arena *arena, struct rows *ret, struct error *err)
{
    CLEANUP(pq_clearp) PGresult *result = NULL;
    *ret = (struct rows){0};
    const char *sql = as_text(conn, table, columns, ret, arena, order, err);
    if (!sql)
        return err->status;
    if (ret->column_count > TEST_COLUMNS_MAX)
        return error_set(
            err, ERR_TEST, "more than %d columns cannot be compared", TEST_COLUMNS_MAX);
    enum status status = query(conn, sql, &result, err);
    if (status != OK)
        return status;
    ret->count = (size_t)PQntuples(result);
    if (ret->count > TEST_ROWS_MAX)
        return error_set(err, ERR_TEST,
            "more than %d rows cannot be compared; expect a `row_count`, "
            "or a query that sums up",
            TEST_ROWS_MAX);
    ret->cells = arena_array(arena, const char *, ret->count * ret->column_count + 1);
    for (size_t i = 0; i < ret->count; i++)
        for (size_t k = 0; k < ret->column_count; k++)
            ret->cells[i * ret->column_count + k] =
                PQgetisnull(result, (int)i, (int)k)
                    ? NULL
                    : arena_strdup(arena, PQgetvalue(result, (int)i, (int)k));
    return OK;
}

/* What orders the rows: nothing, or the columns that are named. */
static const char *order_of(const struct test_table *table, struct arena *arena)
{
    const struct yaml_node *order = table->is.order;
    if (!order || (order->kind == YAML_SCALAR && order->type == YAML_BOOL))
        return "";
    struct strbuf text = {.arena = arena};
    for (size_t i = 0; i < (order->kind == YAML_SEQUENCE ? order->count : 1); i++) {
        const struct yaml_node *name = order->kind == YAML_SEQUENCE ? order->items[i] : order;
        strbuf_printf(&text, "%s%s", i ? ", " : " ORDER BY ",
            sql_identifier(arena, arena_strndup(arena, name->value.p, name->value.size)));
    }
    return strbuf_finish(&text, arena).p;
}

static enum status tolerance_of(
    const struct sql_test *test, const struct test_table *table, double *ret, struct error *err)
{
    const struct yaml_node *node = table->is.tolerance;
    *ret = -1;
    if (!node)
        return OK;
    bool number = node->kind == YAML_SCALAR && (node->type == YAML_INT || node->type == YAML_FLOAT);
    if (!number || node->real < 0) {
        error_set(err, ERR_TEST, "`tolerance` must be a number from 0 on");
        return test_place(test, node, err);
    }
    *ret = node->real;
    return OK;
}

/* The rows that are expected, as their columns write them. */
static enum status read_expected(PGconn *conn, const struct sql_test *test,
    const struct test_table *table, const struct relation *relation, const struct csv *csv,
    struct arena *arena, struct rows *ret, struct error *err)
{
    const char *columns = compared_columns(table, relation, csv, arena);
    enum status status = run(conn,
        arena_printf(arena,
            "DROP TABLE IF EXISTS " EXPECTED "; CREATE TEMP TABLE dag_test_expected AS"
            " SELECT %s FROM %s LIMIT 0",
            columns, relation->name),
        err);
    if (status == OK && table->is.csv)
        status = put_csv(conn, test, csv, relation, EXPECTED, arena, err);
    else if (status == OK)
        status = put_rows(conn, test, relation, EXPECTED, table->is.rows, arena, err);
    /* A plain scan of a small table gives its rows as they were put. */
    if (status == OK)
        status = read_rows(conn, EXPECTED, columns, "", arena, ret, err);
    return status;
}

static enum status compare_rows(PGconn *conn, const struct sql_test *test,
    const struct test_table *table, const struct relation *relation, struct arena *arena,
    struct strbuf *out, test_updates *updates, struct error *err)
{
    struct rows expected, actual;
    struct rows_pairing pairing;
    size_t before = out->size;
    struct csv csv = {0};
    struct rows_comparison how = {.label = table->name,
        .subset = table->is.match == ROWS_SUBSET,
        .ordered =
            table->is.order && !(table->is.order->type == YAML_BOOL && !table->is.order->boolean &&
                                   table->is.order->kind == YAML_SCALAR),
        .conditions = table->is.rows};
    enum status status = tolerance_of(test, table, &how.tolerance, err);
    if (status == OK && table->is.csv)
        status = read_csv(test, table, relation, arena, &csv, err);
    if (status != OK)
        return status;
    for (size_t i = 0; table->is.rows && i < table->is.rows->count; i++) {
        const struct yaml_node *row = table->is.rows->items[i];
        for (size_t k = 0; k < row->count; k++)
            if (!type_of(relation, row->pairs[k].key->value)) {
                (void)!unknown_column(relation, row->pairs[k].key->value, arena, err);
                return test_place(test, row->pairs[k].key, err);
            }
    }
    status = read_expected(conn, test, table, relation, &csv, arena, &expected, err);
    if (status == OK)
        status = read_rows(conn, relation->name, compared_columns(table, relation, &csv, arena),
            order_of(table, arena), arena, &actual, err);
    if (status != OK)
        return err->place.file[0] ? status : test_place(test, table->at, err);
    status = rows_compare(&how, &expected, &actual, arena, out, &pairing, err);
    if (status == OK && out->size != before)
        update_rows(test, table, &expected, &actual, &pairing, arena, updates);
    return status;
}

/* `3`, or a comparison as text: "> 0". */
static enum status compare_count(PGconn *conn, const struct sql_test *test,
    const struct test_table *table, const struct relation *relation, struct arena *arena,
    struct strbuf *out, test_updates *updates, struct error *err)
{
    const struct yaml_node *node = table->is.row_count;
    CLEANUP(pq_clearp) PGresult *counted = NULL;
    const char *comparison =
        node->kind == YAML_SCALAR ? arena_strndup(arena, node->value.p, node->value.size) : "";
    size_t operator= strspn(comparison, "<>=!");
    int64_t number;
    if (operator> 2 || !parse_int64(slice_trim(slice_of(comparison + operator)), &number)) {
        error_set(err, ERR_TEST, "`row_count` must be a number, or a comparison");
        error_hint(err, "write `row_count: 3` or `row_count: \"> 0\"`");
        return test_place(test, node, err);
    }
    enum status status = query(conn,
        arena_printf(arena, "SELECT n, n %.*s %lld FROM (SELECT count(*) AS n FROM %s) q",
            operator? (int) operator: 1, operator? comparison : "=", (long long)number,
            relation->name),
        &counted, err);
    if (status != OK)
        return test_place(test, node, err);
    if (str_equal(PQgetvalue(counted, 0, 1), "t"))
        return OK;
    strbuf_printf(
        out, "%s: %s rows, expected %s\n", table->name, PQgetvalue(counted, 0, 0), comparison);
    update_count(test, table, PQgetvalue(counted, 0, 0), arena, updates);
    return OK;
}

/* The table, or what the expectation's query gives. */
static enum status find_actual(PGconn *conn, const struct sql_test *test,
    const struct test_table *table, struct arena *arena, struct relation *ret, struct error *err)
{
    const char *sql;
    if (!table->is.sql)
        return find_relation(conn, table->name, arena, ret, err);
    enum status status = sql_text(test, table, arena, &sql, err);
    if (status == OK)
        status = run(conn,
            arena_printf(arena,
                "DROP TABLE IF EXISTS " ACTUAL "; CREATE TEMP TABLE dag_test_actual AS %s", sql),
            err);
    return status == OK ? find_relation(conn, ACTUAL, arena, ret, err) : status;
}

enum status tables_compare(PGconn *conn, const struct sql_test *test,
    const struct test_table *table, struct arena *arena, struct strbuf *out, test_updates *updates,
    struct error *err)
{
    struct relation relation;
    enum status status = find_actual(conn, test, table, arena, &relation, err);
    if (status != OK)
        return err->place.file[0] ? status : test_place(test, table->at, err);
    if (table->is.row_count)
        status = compare_count(conn, test, table, &relation, arena, out, updates, err);
    if (status == OK && (table->is.rows || table->is.csv))
        status = compare_rows(conn, test, table, &relation, arena, out, updates, err);
    return status;
}
