#include "executor/looks.h"

/* The interval that is looked at: a run without one has its date. */
struct span {
    int64_t from_us, to_us;
};

static struct span span_of(const struct run_record *run)
{
    if (run->interval_start_us == TIME_NONE || run->interval_end_us == TIME_NONE)
        return (struct span){run->logical_us, run->logical_us};
    return (struct span){run->interval_start_us, run->interval_end_us};
}

static const char *time_text(struct arena *arena, int64_t us)
{
    char text[TIME_TEXT_SIZE];
    time_format_iso(us, text);
    return arena_strdup(arena, text);
}

/* ---- assets ---------------------------------------------------------------------------------- */

static enum status ask_asset(struct store *reader, const struct look_question *question,
    struct arena *arena, enum look_answer *ret, const char **ret_saw, struct error *err)
{
    struct asset_event_rows rows;
    int64_t since_us = span_of(question->run).from_us;
    enum status status = store_read_asset_events(reader, question->asset, 1, arena, &rows, err);
    if (status)
        return status;
    bool found = rows.count && rows.at[0].at_us >= since_us;
    *ret = found ? LOOK_YES : LOOK_NOT_YET;
    *ret_saw = found ? arena_printf(arena, "`%s` was updated at %s", question->asset,
                           time_text(arena, rows.at[0].at_us))
                     : arena_printf(arena, "`%s` was not updated since %s", question->asset,
                           time_text(arena, since_us));
    return OK;
}

/* ---- runs ------------------------------------------------------------------------------------ */

struct asking {
    struct store *reader;
    const struct look_question *question;
    struct arena *arena;
    struct span span;
    struct run_rows runs;
    enum look_answer *answers; /* of each run */
    const char *saw;           /* of the last one that is no LOOK_YES */
};

static enum look_answer state_answer(bool finished, bool success)
{
    return success ? LOOK_YES : finished ? LOOK_FAILED : LOOK_NOT_YET;
}

/* All instances of the task; a skipped one is no success, and no failure. */
static enum status ask_task(
    struct asking *a, const struct run_record *run, enum look_answer *ret, struct error *err)
{
    struct task_rows rows;
    enum status status =
        store_read_instances(a->reader, run->id, a->question->task_id, a->arena, &rows, err);
    if (status)
        return status;
    task_rows_leave_expanded(&rows);
    const char *state = "is not there";
    *ret = rows.count ? LOOK_YES : LOOK_NOT_YET;
    for (size_t i = 0; i < rows.count && *ret != LOOK_FAILED; i++) {
        enum task_state is = rows.at[i].state;
        bool failed = is == TASK_FAILED || is == TASK_UPSTREAM_FAILED;
        enum look_answer answer = state_answer(failed, is == TASK_SUCCESS);
        if (answer == LOOK_YES)
            continue;
        *ret = answer;
        state = arena_printf(a->arena, "is %s", task_state_name(is));
    }
    if (*ret != LOOK_YES)
        a->saw =
            arena_printf(a->arena, "task `%s` of %s %s", a->question->task_id, run->run_id, state);
    return OK;
}

static enum status ask_run(
    struct asking *a, const struct run_record *run, enum look_answer *ret, struct error *err)
{
    if (a->question->task_id)
        return ask_task(a, run, ret, err);
    *ret = state_answer(run->state == RUN_FAILED, run->state == RUN_SUCCESS);
    if (*ret != LOOK_YES)
        a->saw = arena_printf(a->arena, "run %s is %s", run->run_id, run_state_name(run->state));
    return OK;
}

/* How far the successes reach without a gap. */
static int64_t reach(const struct asking *a)
{
    int64_t reached_us = a->span.from_us;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < a->runs.count; i++) {
            struct span span = span_of(&a->runs.at[i]);
            if (a->answers[i] != LOOK_YES || span.from_us > reached_us || span.to_us <= reached_us)
                continue;
            reached_us = span.to_us;
            moved = true;
        }
    }
    return reached_us;
}

static bool is_covered(const struct asking *a)
{
    for (size_t i = 0; i < a->runs.count; i++) {
        struct span span = span_of(&a->runs.at[i]);
        if (a->answers[i] == LOOK_YES && span.from_us == a->span.from_us &&
            span.to_us == a->span.to_us)
            return true;
    }
    int64_t reached_us = reach(a);
    return a->span.from_us == a->span.to_us ? reached_us > a->span.from_us
                                            : reached_us >= a->span.to_us;
}

/* Whether a run has to do with the span, not only touches its ends. */
static bool overlaps(const struct asking *a, const struct run_record *run)
{
    struct span span = span_of(run);
    if (span.from_us == a->span.from_us && span.to_us == a->span.to_us)
        return true;
    if (a->span.from_us == a->span.to_us)
        return span.from_us <= a->span.from_us && span.to_us > a->span.from_us;
    return span.from_us < a->span.to_us && span.to_us > a->span.from_us;
}

static enum status ask_runs(struct asking *a, enum look_answer *ret, struct error *err)
{
    bool failed = false;
    enum status status = store_read_runs_over(
        a->reader, a->question->dag_id, a->span.from_us, a->span.to_us, a->arena, &a->runs, err);
    if (status)
        return status;
    a->answers = arena_array(a->arena, enum look_answer, a->runs.count);
    for (size_t i = 0; i < a->runs.count; i++) {
        if (!overlaps(a, &a->runs.at[i]))
            continue;
        status = ask_run(a, &a->runs.at[i], &a->answers[i], err);
        if (status)
            return status;
        failed |= a->answers[i] == LOOK_FAILED;
    }
    *ret = is_covered(a) ? LOOK_YES : failed ? LOOK_FAILED : LOOK_NOT_YET;
    return OK;
}

static const char *describe(const struct asking *a, enum look_answer answer)
{
    const char *dag_id = a->question->dag_id;
    if (answer == LOOK_YES)
        return arena_printf(a->arena, "the runs of `%s` succeeded", dag_id);
    if (a->saw)
        return arena_printf(a->arena, "`%s`: %s", dag_id, a->saw);
    return arena_printf(a->arena, "`%s` has no run of %s", dag_id, time_text(a->arena, reach(a)));
}

enum status looks_answer(struct store *reader, const struct look_question *question,
    struct arena *arena, enum look_answer *ret, const char **ret_saw, struct error *err)
{
    if (question->asset)
        return ask_asset(reader, question, arena, ret, ret_saw, err);
    struct asking a = {
        .reader = reader, .question = question, .arena = arena, .span = span_of(question->run)};
    enum look_answer answer;
    enum status status = ask_runs(&a, &answer, err);
    if (status)
        return status;
    *ret = answer;
    *ret_saw = describe(&a, answer);
    return OK;
}
