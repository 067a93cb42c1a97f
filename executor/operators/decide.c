/*
 * Branches and short circuits: a template, or a query that only reads, says which of the tasks that
 * follow are skipped.  Nothing outside is changed, so that a decision that was not recorded is made
 * again.
 */
#include "definition/model/choice.h"
#include "executor/limits.h"
#include "executor/operators/query.h"
#include "executor/target/sql_value.h"

static void say_decision(struct attempt *attempt, const struct attempt_result *result)
{
    if (attempt->task->kind == KIND_BRANCH)
        attempt_say(attempt, LOG_KIND_INFO, "goes on with %s", result->decision);
    else
        attempt_say(attempt, LOG_KIND_INFO,
            result->decision ? "the condition is not met: what follows is skipped"
                             : "the condition is met: what follows goes on");
}

static void finish(struct attempt *attempt, struct attempt_result result)
{
    say_decision(attempt, &result);
    attempt_finish(attempt, &result);
}

/* ---- branch ---------------------------------------------------------------------------------- */

static bool read_choice(struct attempt *attempt, struct slice text, bool *marks)
{
    struct error err;
    if (choice_read(attempt->effect.dag, attempt->task, text, marks, &err) == OK)
        return true;
    /* The same text would be wrong again: like a template's mistake, it is not retried. */
    attempt_fail(attempt, CLASS_TEMPLATE, &err);
    return false;
}

static void finish_branch(struct attempt *attempt, const bool *marks, const char *detail)
{
    char *decision = choice_json(attempt->effect.dag, attempt->task, marks, attempt->arena);
    finish(attempt, (struct attempt_result){.outcome = OUTCOME_SUCCESS,
                        .exit_code = -1,
                        .detail = detail,
                        .xcom = decision,
                        .decision = decision});
}

static void branch_text(struct attempt *attempt, struct slice text)
{
    bool *marks = arena_array(attempt->arena, bool, attempt->task->downstream.count);
    if (read_choice(attempt, text, marks))
        finish_branch(attempt, marks, NULL);
}

/* Each row is one id or a comma list. */
static void branch_rows(struct attempt *attempt, const struct query_rows *rows)
{
    bool *marks = arena_array(attempt->arena, bool, attempt->task->downstream.count);
    for (size_t i = 0; i < rows->count; i++)
        if (!read_choice(attempt, slice_of(rows->values[i * rows->column_count].text), marks))
            return;
    finish_branch(attempt, marks, rows->detail);
}

/* ---- short_circuit --------------------------------------------------------------------------- */

static void finish_circuit(
    struct attempt *attempt, struct slice text, const char *xcom, const char *detail)
{
    finish(attempt, (struct attempt_result){.outcome = OUTCOME_SUCCESS,
                        .exit_code = -1,
                        .detail = detail,
                        .xcom = xcom,
                        .decision = choice_is_no(text) ? "[]" : NULL});
}

static void circuit_text(struct attempt *attempt, struct slice text)
{
    finish_circuit(attempt, text, attempt_xcom_of_text(slice_trim(text), attempt->arena), NULL);
}

static void circuit_rows(struct attempt *attempt, const struct query_rows *rows)
{
    static const struct query_value no_row;
    const struct query_value *value = rows->count ? &rows->values[0] : &no_row;
    struct strbuf json = {0};
    struct json_writer w = json_begin(&json);
    sql_value_json(&w, value->text, value->type);
    char *xcom = strbuf_to_arena(&json, attempt->arena);
    strbuf_done(&json);
    finish_circuit(attempt, slice_of(value->text), xcom, rows->detail);
}

/* ---- both ------------------------------------------------------------------------------------ */

static const struct {
    void (*text)(struct attempt *attempt, struct slice text);
    void (*rows)(struct attempt *attempt, const struct query_rows *rows);
    bool first_only;
} kinds[KIND_COUNT] = {
    [KIND_BRANCH] = {branch_text, branch_rows, false},
    [KIND_SHORT_CIRCUIT] = {circuit_text, circuit_rows, true},
};

static void on_rows(struct attempt *attempt, void *user, const struct query_rows *rows)
{
    (void)user;
    kinds[attempt->task->kind].rows(attempt, rows);
}

static void decide_start(struct attempt *attempt)
{
    enum task_kind kind = attempt->task->kind;
    const struct rendered *text = rendered_find(&attempt->rendered, task_kind_name(kind));
    if (text)
        kinds[kind].text(attempt, text->text);
    else
        attempt->own = query_start(attempt, &(struct query_options){.sql = &attempt->task->sql,
                                                .field = "sql",
                                                .rows_max = BRANCH_ROWS_MAX,
                                                .first_only = kinds[kind].first_only,
                                                .done = on_rows});
}

static void decide_recover(struct attempt *attempt)
{
    attempt->own = query_recover(attempt);
}

static void decide_cancel(struct attempt *attempt, bool force)
{
    if (attempt->own)
        query_cancel(attempt->own, force);
}

static void decide_done(struct attempt *attempt)
{
    query_free(attempt->own);
}

const struct operator operator_decide = {
    .name = "decide",
    .renders = true,
    .start = decide_start,
    .recover = decide_recover,
    .cancel = decide_cancel,
    .done = decide_done,
};
