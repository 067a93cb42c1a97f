/*
 * Decisions: what branches, short circuits and latest_only skip.
 *
 * A decision belongs to the success that it came with, and is durable with it.  Whoever it skips is
 * skipped whatever its trigger rule, and is skipped again when it alone is cleared.  A task that
 * may still be skipped so waits for the decision: what it becomes never depends on who finished
 * first. What had begun when a decision was made anew goes on.
 */
#include "base/json.h"
#include "language/timetable/timetable.h"
#include "scheduler/internal.h"

struct decision {
    char *text;         /* JSON, as in the row */
    bool all;           /* everything it may skip is skipped */
    uint32_t *skips;    /* else these tasks, ascending */
    size_t skips_count; /* of them */
};

void decision_drop(struct instance *i)
{
    if (!i->decision)
        return;
    mem_free(i->decision->text);
    mem_free(i->decision->skips);
    mem_free(take(i->decision));
}

void decision_set(struct instance *i, const char *text)
{
    decision_drop(i);
    if (!text || !task_kind_decides(i->task->kind))
        return;
    i->decision = mem_alloc_zero(1, sizeof *i->decision);
    i->decision->text = mem_strdup(text);
    decision_bind(i);
}

const char *decision_text(const struct instance *i)
{
    return i->decision ? i->decision->text : NULL;
}

/* ---- whom it skips ---- */

/* The ids in the text; NULL when it holds none. */
static struct map *chosen_ids(const struct decision *decision, json_t **ret_list)
{
    struct error ignored;
    *ret_list = NULL;
    if (json_parse(decision->text, strlen(decision->text), NULL, ret_list, &ignored) ||
        !json_array_size(*ret_list))
        return NULL;
    struct map *ids = map_new();
    size_t n;
    json_t *id;
    json_array_foreach(*ret_list, n, id)
    {
        if (json_is_string(id))
            map_set(ids, json_string_value(id), id);
    }
    return ids;
}

/* Marks what is chosen and all that follows it: a path that joins another one is not skipped. */
static void mark_followed(const struct instance *i, const struct map *ids, bool *marks)
{
    const struct dag *dag = i->run->shape->dag;
    uint32_t *stack = mem_alloc((dag->task_count + 1) * sizeof *stack);
    for (size_t n = 0; n < i->task->downstream.count; n++) {
        uint32_t task = i->task->downstream.at[n];
        if (!map_has(ids, dag->tasks[task].task_id))
            continue;
        marks[task] = true;
        shape_mark_relatives(dag, task, true, marks, stack);
    }
    mem_free(stack);
}

void decision_bind(struct instance *i)
{
    struct decision *decision = i->decision;
    const struct run *run = i->run;
    CLEANUP(json_decrefp) json_t *list = NULL;
    CLEANUP(map_freep) struct map *ids = chosen_ids(decision, &list);
    mem_free(take(decision->skips));
    decision->skips_count = 0;
    decision->all = !ids;
    if (!ids)
        return;
    const struct indexes *may = &run->shape->tasks[i->task->index].decides;
    bool *marks = mem_alloc_zero(run->task_count, sizeof *marks);
    mark_followed(i, ids, marks);
    decision->skips = mem_alloc_zero(may->count, sizeof *decision->skips);
    for (size_t n = 0; n < may->count; n++)
        if (!marks[may->at[n]])
            decision->skips[decision->skips_count++] = may->at[n];
    mem_free(marks);
}

static bool skips(const struct decision *decision, uint32_t task)
{
    size_t low = 0, high = decision->skips_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (decision->skips[middle] < task)
            low = middle + 1;
        else
            high = middle;
    }
    return decision->all || (low < decision->skips_count && decision->skips[low] == task);
}

const struct instance *decision_on(const struct instance *i)
{
    const struct indexes *deciders = &i->run->shape->tasks[i->task->index].deciders;
    for (size_t n = 0; n < deciders->count; n++) {
        const struct instance *by = i->run->tasks[deciders->at[n]];
        if (by->state == TASK_SUCCESS && by->decision && skips(by->decision, i->task->index))
            return by;
    }
    return NULL;
}

bool decision_awaited(const struct instance *i)
{
    const struct indexes *deciders = &i->run->shape->tasks[i->task->index].deciders;
    for (size_t n = 0; n < deciders->count; n++)
        if (!task_state_finished(i->run->tasks[deciders->at[n]]->state))
            return true;
    return false;
}

/* ---- in words ---- */

static void describe_choice(const struct instance *by, struct strbuf *out)
{
    CLEANUP(json_decrefp) json_t *list = NULL;
    CLEANUP(map_freep) struct map *ids = chosen_ids(by->decision, &list);
    size_t count = json_array_size(list);
    strbuf_printf(out, "skipped: `%s` chose ", by->task->task_id);
    for (size_t n = 0; n < count && n < CAUSES_NAMED_MAX; n++)
        strbuf_printf(out, "%s`%s`", n ? ", " : "", json_string_value(json_array_get(list, n)));
    if (count > CAUSES_NAMED_MAX)
        strbuf_printf(out, " and %zu more", count - CAUSES_NAMED_MAX);
    if (!count)
        strbuf_add_str(out, "nothing");
}

void decision_describe(const struct instance *by, struct strbuf *out)
{
    if (by->task->kind == KIND_BRANCH)
        describe_choice(by, out);
    else if (by->task->kind == KIND_LATEST_ONLY)
        strbuf_printf(out, "skipped: this was not the newest interval at `%s`", by->task->task_id);
    else
        strbuf_printf(out, "skipped: the condition of `%s` was not met", by->task->task_id);
}

/* ---- the clock's decision ---- */

/* As Airflow's LatestOnlyOperator: a run by hand, or of arrived data, is never skipped. */
static bool is_newest(const struct scheduler *s, const struct run *run)
{
    struct timetable_run newest;
    const struct timetable *t = run->shape->dag->timetable;
    if (!t || run->type == RUN_TYPE_MANUAL || run->type == RUN_TYPE_ASSET)
        return true;
    return !timetable_latest(t, s->schedule_us, &newest) || newest.logical_us <= run->logical_us;
}

const char *decision_by_clock(const struct scheduler *s, const struct run *run)
{
    return is_newest(s, run) ? NULL : "[]";
}
