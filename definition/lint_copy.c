/* COPY with the client: each needs a file of the task's, and its data cannot stand in the text. */
#include "definition/context/context.h"
#include "definition/lint_internal.h"
#include "language/sql/copy.h"
#include "language/sql/tables.h"

static void report(struct linting *l, const struct rendered *sql, size_t offset, const char *code,
    struct error *error)
{
    struct jinja_origin origin;
    if (sql->map && jinja_map_find(sql->map, offset, &origin)) {
        char excerpt[ERROR_EXCERPT_SIZE];
        snprintf(excerpt, sizeof(excerpt), "%.*s", SLICE_ARG(origin.source_line));
        error_place(error, origin.file, origin.line, origin.column, excerpt);
    } else {
        lint_place(l, error, l->task->line, 1, NULL, NULL);
    }
    lint_add(l, "error", code, error);
}

static void report_missing(
    struct linting *l, const struct rendered *sql, size_t offset, enum sql_copy_way way)
{
    struct error error;
    error_set(&error, ERR_LINT, "there is no file for this %s", sql_copy_ways[way].words);
    if (l->task->kind == KIND_SQL)
        error_hint(&error, "name it in `%s`, which takes one file for each, in their order",
            sql_copy_ways[way].key);
    else
        error_hint(&error, "only a task of the kind `sql` has files: `%s`", sql_copy_ways[way].key);
    report(l, sql, offset, "copy-file", &error);
}

static void count_copies(
    struct linting *l, const struct rendered *sql, const struct sql_tables *tables)
{
    const struct sql_task *task = &l->task->sql;
    size_t found[] = {0, 0, 0}, named[] = {0, task->copy_from.count, task->copy_to.count};
    for (size_t i = 0; i < tables->statement_count; i++) {
        const struct sql_examined *statement = &tables->statements[i];
        enum sql_copy_way way =
            statement->inner ? SQL_COPY_NONE : sql_copy_of(statement->tokens.text);
        if (way && found[way]++ >= named[way])
            report_missing(l, sql, statement->offset, way);
    }
    for (enum sql_copy_way way = SQL_COPY_FROM; way <= SQL_COPY_TO; way++) {
        struct error error;
        if (found[way] >= named[way])
            continue;
        error_set(&error, ERR_LINT, "`%s` names %zu, but the text has %zu of %s",
            sql_copy_ways[way].key, named[way], found[way], sql_copy_ways[way].words);
        error_hint(&error, "it takes one file for each, in their order");
        report(l, sql, 0, "copy-file", &error);
    }
}

void lint_copy(struct linting *l, const struct rendered *sql, const struct sql_tables *tables)
{
    struct error error;
    size_t offset;
    if (sql_copy_inline_data(sql->text, &offset)) {
        error_set(&error, ERR_LINT, "data within the text, as psql reads it, is not supported");
        error_hint(&error, "write the rows to a file and name it in `copy_from`");
        report(l, sql, offset, "copy-inline", &error);
    } else if (!tables->unended) {
        count_copies(l, sql, tables);
    }
}
