/* Versions of a DAG, and which one a run goes on with. */
#include "scheduler/internal.h"

void run_add_gone(struct run *run, const struct task_record *record)
{
    struct gone_task *gone = arena_new_of(run->arena, struct gone_task);
    gone->record = *record;
    gone->record.task_id = arena_strdup(run->arena, record->task_id);
    gone->record.mapped = arena_strdup(run->arena, record->mapped);
    gone->record.reason_text = gone->record.decision = NULL;
    gone->next = run->gone;
    run->gone = gone;
}

void run_settle_gone(struct scheduler *s, struct run *run)
{
    for (struct gone_task *gone = run->gone; gone; gone = gone->next) {
        enum task_state from = gone->record.state;
        if (task_state_finished(from))
            continue;
        gone->record.state = TASK_REMOVED;
        gone->record.reason = REASON_REMOVED_TASK;
        gone->record.reason_text = reason_text(REASON_REMOVED_TASK);
        emit_task_record(s, &gone->record, from);
    }
}

/* A row of a task that is back, taken out of those that are gone. */
static bool take_gone(struct run *run, const char *task_id, struct task_record *ret)
{
    for (struct gone_task **at = &run->gone; *at; at = &(*at)->next)
        if (str_equal((*at)->record.task_id, task_id)) {
            *ret = (*at)->record;
            *at = (*at)->next;
            return true;
        }
    return false;
}

/* It starts as a new generation: its old one may have committed. */
static void take_back(struct scheduler *s, struct instance *i, const struct task_record *before)
{
    i->is_new = false;
    i->saved = before->state;
    i->tries_total = before->tries_total;
    i->unsettled = before->unsettled;
    i->unsettled_generation = before->unsettled_generation;
    i->attempt = before->attempt;
    i->mapped = before->mapped;
    i->generation = generation_next(s);
    /* an index of which an old attempt may still commit is voided before its task ends */
    if (i->map_index >= 0 && i->unsettled)
        i->reason = REASON_REMOVED_TASK;
}

/* Makes an instance of a task that the run does not have; its indexes of before stay removed until
   it is expanded again. */
static struct instance *add_instance(struct scheduler *s, struct run *run, const struct task *task)
{
    struct instance *head = arena_new_of(run->arena, struct instance);
    instance_init(head, run, task, -1);
    for (struct task_record before; take_gone(run, task->task_id, &before);) {
        if (before.map_index >= 0)
            mapping_reserve(run, head, (size_t)before.map_index + 1);
        take_back(s, before.map_index >= 0 ? head->mapping->at[before.map_index] : head, &before);
    }
    return head;
}

/* The rows of indexes say that they are removed, too: those that a smaller expansion lacks are
   never written again. */
static void tell_taken_back(struct scheduler *s, struct instance *head)
{
    task_changed(s, head);
    for (uint32_t n = 0; head->mapping && n < head->mapping->count; n++)
        if (!head->mapping->at[n]->is_new)
            task_changed(s, head->mapping->at[n]);
}

/* A task that the version does not have leaves the run; its row says so. */
static void drop_instance(struct scheduler *s, struct instance *i)
{
    slots_dequeue(s, i);
    slots_release(s, i);
    if (i->alive) {
        emit_task_effect(s, EFFECT_CANCEL, i);
        i->unsettled = true; /* what it commits before it has ended is not this run's any more */
        i->unsettled_generation = i->attempt_generation;
    }
    i->alive = false;
    attempt_end_wait(s, i);
    task_stop_settling(s, i);
    if (i->waiting_past) {
        i->waiting_past = false;
        i->run->waiting_past_count--;
    }
    if (i->attempt.text[0] && map_get(s->attempts, i->attempt.text) == i)
        map_remove(s->attempts, i->attempt.text);
    i->state = TASK_REMOVED;
    task_set_reason(s, i, REASON_REMOVED_TASK, NULL);
    struct task_record record = task_record_of(s, i);
    run_add_gone(i->run, &record);
}

static void drop_task(struct scheduler *s, struct instance *head)
{
    for (uint32_t n = 0; head->mapping && n < head->mapping->count; n++) {
        drop_instance(s, head->mapping->at[n]);
        vec_push(&s->removed, head->mapping->at[n]);
    }
    if (head->mapping)
        parking_done(&head->mapping->parking);
    head->mapping = NULL;
    drop_instance(s, head);
    vec_push(&s->removed, head);
}

/* `before`: as many as were counted when the run had its old version. */
static void count_instances(struct scheduler *s, struct run *run, struct instance *const *heads,
    uint32_t count, uint32_t before)
{
    run->instance_count = count;
    for (uint32_t n = 0; n < count; n++)
        run->instance_count += heads[n]->mapping ? heads[n]->mapping->count : 0;
    if (run->live)
        s->instance_count = s->instance_count + run->instance_count - before;
}

/* The slots that it waits for may be others. */
static void move_to_task(struct scheduler *s, struct instance *i, const struct task *task)
{
    i->task = task;
    slots_requeue(s, i);
}

/* Moves instances to the tasks of the same name in `shape`.  Those that are dropped keep their task
   of the old version until the event's changes are written, and their texts until the run ends. */
void run_take_version(struct scheduler *s, struct run *run, struct shape *shape)
{
    const struct dag *dag = shape->dag;
    uint32_t before = run->instance_count;
    struct instance **tasks = arena_array(run->arena, struct instance *, dag->task_count);
    for (uint32_t n = 0; n < run->task_count; n++) {
        struct instance *i = run->tasks[n];
        const struct task *task = dag_find_task(dag, i->task->task_id);
        if (task)
            tasks[task->index] = i;
        else
            drop_task(s, i);
    }
    for (uint32_t n = 0; n < dag->task_count; n++) {
        if (!tasks[n]) {
            tasks[n] = add_instance(s, run, &dag->tasks[n]);
            tell_taken_back(s, tasks[n]);
            if (run->live)
                deadline_task_waits(s, tasks[n]);
        }
    }
    count_instances(s, run, tasks, dag->task_count, before);
    run->tasks = tasks;
    run->task_count = dag->task_count;
    vec_push(&s->left_shapes, run->shape);
    run->shape = shape_ref(shape);
    for (uint32_t n = 0; n < run->task_count; n++) {
        move_to_task(s, tasks[n], &dag->tasks[n]);
        for (uint32_t k = 0; tasks[n]->mapping && k < tasks[n]->mapping->count; k++)
            move_to_task(s, tasks[n]->mapping->at[k], &dag->tasks[n]);
    }
    run->version = keep(s, shape->version);
    run->version_is_other = false;
    run_changed(s, run);
    run_recount(s, run);
    run_past_changed(s, run);
    run_each (i, run)
        if (run->state == RUN_RUNNING)
            task_wants_evaluation(s, i);
}

const char *run_blocks_version(const struct run *run, const struct shape *shape)
{
    run_each (i, run) {
        if ((i->alive || i->unsettled) && !dag_find_task(shape->dag, i->task->task_id))
            return i->task->task_id;
    }
    return NULL;
}

/* Attempts not yet started take a version in which only templates or parameters changed; a changed
   graph is for new runs and for `clear`. */
void offer_version(struct scheduler *s, struct run *run, struct shape *shape)
{
    if (PLANTED(STALE_VERSION_STARTED) && !run->held)
        return;
    /* a held run has no version of its own that it could keep */
    if (!run->tasks || (run->keep_version && !run->held) || run->shape == shape)
        return;
    if (!run->held && !str_equal(run->shape->dag->graph_version, shape->dag->graph_version))
        return;
    run->held = false;
    run_take_version(s, run, shape);
    if (run->state == RUN_RUNNING && !run_is_ending(run)) {
        wake_stop(s, &run->timer);
        run_arm_timeout(s, run);
    }
    parking_release(s, &run->parking, true);
}

static void release_caps(struct scheduler *s, struct live_dag *dag)
{
    size_t cursor = 0;
    void *cap;
    while (map_next(dag->caps, &cursor, NULL, &cap))
        parking_release(s, &((struct task_cap *)cap)->parking, true);
}

static void set_text(char **text, const char *value)
{
    char *copy = mem_strdup(value);
    mem_free(*text);
    *text = copy;
}

void dag_adopt(struct scheduler *s, const struct dag *version)
{
    struct live_dag *dag = dag_find(s, version->dag_id);
    bool is_first = !dag;
    if (!dag) {
        dag = dag_new(s, version->dag_id);
        dag->paused = s->paused_upon_creation || version->paused;
    }
    struct shape *before = dag->newest;
    dag->newest = shape_new(version);
    dag->starting |= is_first || !before || dag->removed;
    dag->removed = false;
    set_text(&dag->file, version->file);
    set_text(&dag->broken, NULL);
    for (size_t n = 0; n < dag->runs.count; n++)
        offer_version(s, dag->runs.at[n], dag->newest);
    assets_adopt(s, dag);
    release_caps(s, dag);
    parking_release(s, &dag->paused_tasks, true);
    shape_unref(before);
    dag_changed(s, dag);
    dag_wants_step(s, dag);
}

void dag_remove(struct scheduler *s, const char *dag_id)
{
    struct live_dag *dag = dag_find(s, dag_id);
    if (!dag || dag->removed)
        return;
    dag->removed = true;
    wake_stop(s, &dag->timer);
    dag_changed(s, dag);
}
