#include "definition/check.h"

#include "language/sql/tables.h"

enum {
    /* Tables that a message names. */
    SHOWN_TABLES = 8,
};

/* Longer signs before those that they begin with. */
static const struct {
    const char *sign;
    enum check_comparison comparison;
} signs[] = {{">=", CHECK_AT_LEAST}, {"<=", CHECK_AT_MOST}, {"<>", CHECK_NOT_EQUAL},
    {"!=", CHECK_NOT_EQUAL}, {"==", CHECK_EQUAL}, {">", CHECK_MORE}, {"<", CHECK_LESS},
    {"=", CHECK_EQUAL}, {"", CHECK_EQUAL}};

enum status check_count_read(struct slice text, struct check_count *ret, struct error *err)
{
    struct slice rest = slice_trim(text);
    size_t i = 0;
    while (rest.size < strlen(signs[i].sign) ||
           memcmp(rest.p, signs[i].sign, strlen(signs[i].sign)) != 0)
        i++;
    size_t size = strlen(signs[i].sign);
    struct slice number = slice_trim(slice_make(rest.p + size, rest.size - size));
    int64_t count;
    if (!parse_int64(number, &count) || count < 0) {
        error_set(err, ERR_VALUE_RANGE, "`%.*s` is not a number of rows", SLICE_ARG(text));
        error_hint(err, "write \"> 0\", \">= 10\", \"= 5\", \"!= 3\", \"< 1000\" or \"<= 5\"");
        return ERR_VALUE_RANGE;
    }
    *ret = (struct check_count){signs[i].comparison, count};
    return OK;
}

bool check_count_holds(const struct check_count *count, int64_t rows)
{
    switch (count->comparison) {
    case CHECK_EQUAL: return rows == count->count;
    case CHECK_NOT_EQUAL: return rows != count->count;
    case CHECK_AT_LEAST: return rows >= count->count;
    case CHECK_AT_MOST: return rows <= count->count;
    case CHECK_MORE: return rows > count->count;
    case CHECK_LESS: return rows < count->count;
    }
    return false;
}

/* Tables that the task writes: neither temporary nor dropped again. */
struct written {
    struct arena *arena;
    const char *at[SHOWN_TABLES];
    size_t count;
};

static void add_written(struct written *w, const char *table)
{
    for (size_t i = 0; i < w->count && i < SHOWN_TABLES; i++)
        if (str_equal(w->at[i], table))
            return;
    if (w->count < SHOWN_TABLES)
        w->at[w->count] = table;
    w->count++;
}

static void find_written(
    const struct project *project, const struct task *task, struct slice sql, struct written *w)
{
    const struct names *writes = &task->data->writes;
    struct sql_tables tables = sql_tables_find(sql, project->functions, w->arena);
    for (size_t i = 0; i < tables.count; i++)
        if ((tables.at[i].uses & SQL_WRITES) && !tables.at[i].temporary && !tables.at[i].gone)
            add_written(w, sql_table_shown(&tables.at[i], w->arena));
    for (size_t i = 0; i < writes->count; i++) {
        struct sql_table table;
        if (sql_table_read(slice_of(writes->at[i]), w->arena, &table))
            add_written(w, sql_table_shown(&table, w->arena));
    }
}

enum status check_only_table(const struct project *project, const struct task *task,
    struct slice sql, struct arena *arena, const char **ret_table, struct error *err)
{
    struct written written = {.arena = arena};
    find_written(project, task, sql, &written);
    if (written.count == 1) {
        *ret_table = written.at[0];
        return OK;
    }
    if (written.count == 0) {
        error_set(err, ERR_KEY_MISSING,
            "the check does not say of which table, and the task's"
            " text shows none that it writes");
        error_hint(err, "write `table: …` into the check, or `writes: …` into the task");
        return ERR_KEY_MISSING;
    }
    struct strbuf shown = {.arena = written.arena};
    for (size_t i = 0; i < written.count && i < SHOWN_TABLES; i++)
        strbuf_printf(&shown, "%s`%s`", i ? ", " : "", written.at[i]);
    error_set(err, ERR_KEY_MISSING, "the check does not say of which table: the task writes %s%s",
        strbuf_text(&shown), written.count > SHOWN_TABLES ? " …" : "");
    error_hint(err, "write `table: …` into the check");
    return ERR_KEY_MISSING;
}
