/* Expansions: what a mapped task is mapped over becomes the values of its instances. */
#include "base/json.h"
#include "executor/limits.h"
#include "executor/operators/query.h"
#include "executor/target/sql_value.h"

struct expansion {
    struct attempt *attempt;
    const struct expand *expand;
    json_t **lists; /* by source; NULL: a query that was not run yet */
    size_t at;      /* the source that is worked on */
    struct query *query;
    const char *detail; /* of the last query */
};

/* ---- the end --------------------------------------------------------------------------------- */

static void fail(struct expansion *x, const struct error *err)
{
    attempt_fail(x->attempt, CLASS_TEMPLATE, err);
}

static enum status check_size(
    const struct expansion *x, const char *const *values, size_t count, struct error *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += strlen(values[i]);
    if (bytes <= XCOM_MAX)
        return OK;
    error_set(err, ERR_LIMIT, "the values of all instances take more than 1 MiB");
    error_hint(err, "map over keys, and let each instance look up the rest");
    (void)x;
    return ERR_LIMIT;
}

static void finish(struct expansion *x)
{
    struct attempt *attempt = x->attempt;
    struct attempt_result result = {
        .outcome = OUTCOME_SUCCESS, .exit_code = -1, .detail = x->detail};
    struct error err = {0};
    enum status status =
        context_expand(attempt->effect.dag, attempt->task, (const json_t *const *)x->lists,
            attempt->arena, &result.mapped, &result.mapped_count, &err);
    if (status == OK)
        status = check_size(x, result.mapped, result.mapped_count, &err);
    if (status) {
        fail(x, &err);
        return;
    }
    attempt_say(attempt, LOG_KIND_INFO, "expanded into %zu instance%s", result.mapped_count,
        result.mapped_count == 1 ? "" : "s");
    for (size_t i = 0; i < result.mapped_count; i++)
        attempt_say(attempt, LOG_KIND_INFO, "[%zu] %s", i, result.mapped[i]);
    attempt_finish(attempt, &result);
}

/* ---- queries --------------------------------------------------------------------------------- */

/* Values of the only column, or a mapping of the columns for each row. */
static void write_rows(const struct query_rows *rows, struct json_writer *w)
{
    size_t columns = rows->column_count;
    json_array_begin(w);
    for (size_t row = 0; row < rows->count; row++) {
        const struct query_value *values = &rows->values[row * columns];
        if (columns != 1)
            json_object_begin(w);
        for (size_t i = 0; i < columns; i++) {
            if (columns != 1)
                json_key(w, rows->columns[i]);
            sql_value_json(w, values[i].text, values[i].type);
        }
        if (columns != 1)
            json_object_end(w);
    }
    json_array_end(w);
}

static void next_source(struct expansion *x);

static void on_rows(struct attempt *attempt, void *user, const struct query_rows *rows)
{
    struct expansion *x = user;
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    struct error err;
    write_rows(rows, &w);
    x->detail = rows->detail;
    enum status status = json_parse(text.text, text.size, NULL, &x->lists[x->at], &err);
    strbuf_done(&text);
    query_free(take(x->query));
    (void)attempt;
    if (status) {
        error_context(&err, "`%s`: ", x->expand->at[x->at].name);
        fail(x, &err);
        return;
    }
    x->at++;
    next_source(x);
}

static void next_source(struct expansion *x)
{
    struct arena *arena = x->attempt->arena;
    while (x->at < x->expand->count && x->lists[x->at])
        x->at++;
    if (x->at == x->expand->count) {
        finish(x);
        return;
    }
    const struct expand_source *source = &x->expand->at[x->at];
    struct sql_task *sql = arena_new_of(arena, struct sql_task);
    sql->connection = source->connection;
    x->query = query_start(x->attempt, &(struct query_options){.sql = sql,
                                           .field = arena_printf(arena, "expand.%s", source->name),
                                           .rows_max = MAPPED_MAX,
                                           .done = on_rows,
                                           .user = x});
}

/* ---- start ----------------------------------------------------------------------------------- */

static struct expansion *new_expansion(struct attempt *attempt)
{
    struct expansion *x = arena_new_of(attempt->arena, struct expansion);
    x->attempt = attempt;
    x->expand = attempt->task ? &attempt->task->expand : NULL;
    attempt->own = x;
    return x;
}

static enum status read_lists(struct expansion *x, struct error *err)
{
    struct arena *arena = x->attempt->arena;
    x->lists = arena_array(arena, json_t *, x->expand->count);
    for (size_t i = 0; i < x->expand->count; i++) {
        const struct expand_source *source = &x->expand->at[i];
        const struct rendered *field =
            rendered_find(&x->attempt->rendered, arena_printf(arena, "expand.%s", source->name));
        if (source->kind == EXPAND_SQL)
            continue;
        enum status status = json_parse(field->text.p, field->text.size, NULL, &x->lists[i], err);
        if (status)
            return error_context(err, "`%s`: ", source->name);
    }
    return OK;
}

static void expand_start(struct attempt *attempt)
{
    struct expansion *x = new_expansion(attempt);
    struct error err;
    if (attempt_write_memo(attempt, &err))
        attempt_fail(attempt, CLASS_OTHER, &err);
    else if (read_lists(x, &err))
        fail(x, &err);
    else
        next_source(x);
}

static void expand_recover(struct attempt *attempt)
{
    struct expansion *x = new_expansion(attempt);
    x->query = query_recover(attempt);
}

static void expand_cancel(struct attempt *attempt, bool force)
{
    struct expansion *x = attempt->own;
    if (x && x->query && !attempt->finished)
        query_cancel(x->query, force);
}

static void expand_done(struct attempt *attempt)
{
    struct expansion *x = attempt->own;
    if (!x)
        return;
    query_free(take(x->query));
    for (size_t i = 0; x->lists && i < x->expand->count; i++)
        json_decref(x->lists[i]);
}

const struct operator operator_expand = {
    .name = "expand",
    .renders = true,
    .start = expand_start,
    .recover = expand_recover,
    .cancel = expand_cancel,
    .done = expand_done,
};
