/* Mapped tasks: expanded into instances, and these removed again. */
#include "scheduler/internal.h"

struct instance *instance_head(const struct instance *i)
{
    return i->run->tasks[i->task->index];
}

struct instance *run_after(const struct run *run, const struct instance *i)
{
    uint32_t next = 0;
    if (i) {
        const struct mapping *mapping = instance_head(i)->mapping;
        if (mapping && i->map_index + 1 < (int32_t)mapping->count)
            return mapping->at[i->map_index + 1];
        next = i->task->index + 1;
    }
    return next < run->task_count ? run->tasks[next] : NULL;
}

struct instance *mapping_find(const struct run *run, const struct task *task, int32_t map_index)
{
    struct instance *head = run->tasks[task->index];
    if (map_index < 0)
        return head;
    const struct mapping *mapping = head->mapping;
    return mapping && map_index < (int32_t)mapping->count ? mapping->at[map_index] : NULL;
}

bool mapping_is_head(const struct instance *i)
{
    return i->map_index < 0 && i->task->expand.count > 0;
}

bool mapping_is_expanded(const struct instance *head)
{
    return head->state == TASK_REMOVED && head->reason == REASON_EXPANDED;
}

bool mapping_is_leaving(const struct instance *i)
{
    return i->intent.set && i->intent.event == TASK_EVENT_REMOVE;
}

enum task_state mapping_state(const struct instance *head)
{
    if (!mapping_is_expanded(head) || !head->mapping)
        return head->state;
    enum task_state state = TASK_SKIPPED;
    for (uint32_t n = 0; n < head->mapping->count; n++) {
        enum task_state one = head->mapping->at[n]->state;
        if (one == TASK_REMOVED)
            continue;
        if (!task_state_success_like(one))
            return one;
        if (one == TASK_SUCCESS)
            state = TASK_SUCCESS;
    }
    return state;
}

void instance_name(const struct instance *i, struct strbuf *out)
{
    strbuf_add_str(out, i->task->task_id);
    if (i->map_index >= 0)
        strbuf_printf(out, "[%d]", (int)i->map_index);
}

/* ---- more of them ---- */

void mapping_reserve(struct run *run, struct instance *head, size_t count)
{
    if (!head->mapping)
        head->mapping = arena_new_of(run->arena, struct mapping);
    struct mapping *mapping = head->mapping;
    if (count <= mapping->count)
        return;
    size_t more = count - mapping->count;
    struct instance **at = arena_array(run->arena, struct instance *, count);
    struct instance *fresh = arena_array(run->arena, struct instance, more);
    if (mapping->count)
        memcpy(at, mapping->at, mapping->count * sizeof(struct instance *));
    for (size_t n = 0; n < more; n++) {
        instance_init(&fresh[n], run, head->task, (int32_t)(mapping->count + n));
        fresh[n].state = TASK_REMOVED;
        fresh[n].reason = REASON_REMOVED_INDEX;
        at[mapping->count + n] = &fresh[n];
    }
    mapping->at = at;
    mapping->count = (uint32_t)count;
    run->instance_count += (uint32_t)more;
    run->counts[TASK_REMOVED] += (uint32_t)more;
    run->finished_count += (uint32_t)more;
}

/* Has values, and waits for its turn; one that a mark finished stays as it is. */
static void give_values(struct scheduler *s, struct instance *i, const char *mapped)
{
    i->mapped = arena_strdup(i->run->arena, mapped);
    if (i->state == TASK_REMOVED) {
        if (i->tries_total)
            i->generation = generation_next(s);
        i->try_number = i->lost_count = i->interrupted_count = 0;
        i->ended_us = TIME_NONE;
        task_move(s, i, TASK_EVENT_CLEAR, REASON_WAITING_UPSTREAM, NULL);
    }
    i->max_tries = i->task->retries + 1;
    task_changed(s, i);
    task_wants_evaluation(s, i);
}

void mapping_expand(struct scheduler *s, struct instance *head, const struct attempt_result *result)
{
    struct run *run = head->run;
    size_t count = result->mapped_count, before = run->instance_count;
    if (!count) {
        task_finish(s, head, TASK_EVENT_SKIP, REASON_NOTHING_TO_MAP, NULL);
        return;
    }
    mapping_reserve(run, head, count);
    s->instance_count += run->instance_count - before;
    const char *text =
        arena_printf(s->plan->arena, "expanded into %zu instance%s", count, count == 1 ? "" : "s");
    task_move(s, head, TASK_EVENT_EXPAND, REASON_EXPANDED, text);
    for (size_t n = 0; n < count; n++)
        give_values(s, head->mapping->at[n], result->mapped[n]);
    mapping_remove(s, head, (uint32_t)count);
}

/* ---- fewer of them ---- */

void mapping_remove(struct scheduler *s, struct instance *head, uint32_t first)
{
    static const struct intent intent = {true, TASK_EVENT_REMOVE, REASON_REMOVED_INDEX, NULL};
    for (uint32_t n = first; head->mapping && n < head->mapping->count; n++) {
        struct instance *i = head->mapping->at[n];
        if (i->state == TASK_REMOVED && !i->unsettled)
            continue;
        /* Its task had left the run before an old attempt was void: what that has committed counts
           no more. */
        if (i->state == TASK_REMOVED) {
            i->generation = generation_next(s);
            task_move(s, i, TASK_EVENT_CLEAR, REASON_REMOVED_INDEX, NULL);
        }
        if (PLANTED(INDEX_VOID_SKIPPED))
            i->unsettled = false;
        /* the reason tells a restart, should a void come first, what it is to become */
        task_set_reason(s, i, REASON_REMOVED_INDEX, NULL);
        task_end_early(s, i, REASON_REMOVED_INDEX, &intent, false);
    }
}
