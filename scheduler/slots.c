#include "scheduler/slots.h"

#include <assert.h>
#include <limits.h>
#include "scheduler/internal.h"

/* Shares of a pool's slots while several classes wait: 8 : 8 : 4 : 2. */
static const uint64_t class_weight[SERVICE_CLASS_COUNT] = {
    [CLASS_FRESH] = 8, [CLASS_MANUAL] = 8, [CLASS_RETRY] = 4, [CLASS_BACKFILL] = 2};
/* What one slot adds to what a class was given, before it is divided by its weight. */
enum { CLASS_SCALE = 64 };

/* ---- pools, connections, processes ---- */

static struct slots *slots_new(const char *kind, const char *name, int total)
{
    struct slots *slots = mem_alloc_zero(1, sizeof *slots);
    slots->kind = kind;
    slots->name = mem_strdup(name);
    slots->total = total;
    return slots;
}

void slots_free(struct slots *slots)
{
    if (!slots)
        return;
    vec_done(&slots->lanes);
    mem_free(slots->name);
    mem_free(slots);
}

/* The place that holds the slots of that kind and name. */
static struct slots *look_up(struct scheduler *s, const char *kind, const char *name)
{
    if (str_equal(kind, "processes"))
        return s->processes;
    return map_get(str_equal(kind, "pool") ? s->pools : s->connections, name);
}

void slots_set(struct scheduler *s, const char *kind, const char *name, int total)
{
    struct slots *slots = look_up(s, kind, name);
    if (slots) {
        slots->total = total;
        return;
    }
    slots = slots_new(kind, name, total);
    if (str_equal(kind, "processes"))
        s->processes = slots;
    else
        map_set(str_equal(kind, "pool") ? s->pools : s->connections, name, slots);
}

/* A pool that nobody has set has no slots; a connection that nobody has set no limit. */
struct slots *slots_find(struct scheduler *s, const char *kind, const char *name)
{
    if (!look_up(s, kind, name))
        slots_set(s, kind, name, str_equal(kind, "pool") ? 0 : INT_MAX);
    return look_up(s, kind, name);
}

static void touch(struct scheduler *s, struct slots *slots)
{
    if (!slots || slots->dirty)
        return;
    slots->dirty = true;
    vec_push(&s->dirty, slots);
}

void slots_touch_all(struct scheduler *s)
{
    size_t cursor = 0;
    void *slots;
    while (map_next(s->pools, &cursor, NULL, &slots))
        touch(s, slots);
}

/* ---- lanes ---- */

static bool is_process(enum task_kind kind)
{
    return kind == KIND_BASH || kind == KIND_EXEC || kind == KIND_PYTHON;
}

static struct lane *lane_make(struct scheduler *s, const struct lane *wanted)
{
    struct lane *lane = mem_alloc_zero(1, sizeof *lane);
    *lane = *wanted;
    vec_push(&s->lanes, lane);
    vec_push(&lane->pool->lanes, lane);
    if (lane->connection)
        vec_push(&lane->connection->lanes, lane);
    if (lane->processes)
        vec_push(&lane->processes->lanes, lane);
    return lane;
}

void lane_free(struct lane *lane)
{
    for (size_t c = 0; c < SERVICE_CLASS_COUNT; c++)
        heap_done(&lane->dags[c]);
    mem_free(lane);
}

static struct lane *lane_find(struct scheduler *s, const struct instance *i)
{
    struct task_shape *shape = &i->run->shape->tasks[i->task->index];
    if (shape->lane)
        return shape->lane;
    const struct task *task = i->task;
    struct lane wanted = {.need = task->pool_slots > 0 ? task->pool_slots : 1};
    wanted.pool = slots_find(s, "pool", task->pool ? task->pool : "default_pool");
    if (task->sql.connection)
        wanted.connection = slots_find(s, "connection", task->sql.connection);
    if (is_process(task->kind))
        wanted.processes = s->processes;
    vec_each (lane, &wanted.pool->lanes)
        if ((*lane)->need == wanted.need && (*lane)->connection == wanted.connection &&
            (*lane)->processes == wanted.processes) {
            shape->lane = *lane;
            return *lane;
        }
    return shape->lane = lane_make(s, &wanted);
}

static bool has_room(const struct slots *slots, int need)
{
    return !slots || slots->total - slots->used >= need;
}

/* Whether all but the pool's slots are there. */
static bool rest_is_free(const struct lane *lane)
{
    return has_room(lane->connection, 1) && has_room(lane->processes, 1);
}

static bool fits(const struct lane *lane)
{
    const struct lane *reserved = lane->pool->reserved;
    if (reserved && reserved != lane && reserved->waiting && rest_is_free(reserved))
        return false;
    return has_room(lane->pool, lane->need) && rest_is_free(lane);
}

/* ---- a DAG in a lane ---- */

static struct account *account_of(struct live_dag *dag, struct slots *pool)
{
    vec_each (account, &dag->accounts)
        if ((*account)->pool == pool)
            return *account;
    struct account *account = mem_alloc_zero(1, sizeof *account);
    account->pool = pool;
    vec_push(&dag->accounts, account);
    return account;
}

static struct lane_dag *place_of(struct live_dag *dag, struct lane *lane)
{
    vec_each (place, &dag->places)
        if ((*place)->lane == lane)
            return *place;
    struct lane_dag *place = mem_alloc_zero(1, sizeof *place);
    place->lane = lane;
    place->dag = dag;
    place->account = account_of(dag, lane->pool);
    vec_push(&dag->places, place);
    return place;
}

void lane_dag_free(struct lane_dag *place)
{
    for (size_t c = 0; c < SERVICE_CLASS_COUNT; c++) {
        heap_remove(&place->lane->dags[c], &place->in_class[c]);
        heap_done(&place->tasks[c]);
    }
    mem_free(place);
}

static int64_t priority_of(const struct live_dag *dag)
{
    return dag->newest ? dag->newest->dag->priority : 0;
}

/* Puts a DAG at its place among the DAGs of its lane and class, or takes it out when it has no task
   there: highest priority first, then who was given least, then who became known first. */
static void place_update(struct lane_dag *place, enum service_class class)
{
    struct heap *dags = &place->lane->dags[class];
    if (!place->tasks[class].count)
        heap_remove(dags, &place->in_class[class]);
    else
        heap_set(dags, &place->in_class[class], -priority_of(place->dag),
            place->account->given << 16 | (place->dag->order & 0xFFFF));
}

/* ---- in and out ---- */

static enum service_class class_of(const struct instance *i)
{
    if (i->run->type == RUN_TYPE_BACKFILL || i->run->backfill_id)
        return CLASS_BACKFILL;
    if (i->tries_total > 0 && i->try_number > (i->looks ? 1 : 0))
        return CLASS_RETRY;
    return i->run->type == RUN_TYPE_MANUAL ? CLASS_MANUAL : CLASS_FRESH;
}

/* Order within a DAG after the weight: logical date in seconds (39 bits), then place in the file
   and map index. */
static uint64_t order_of(const struct instance *i)
{
    static const int64_t first_s = INT64_C(-62135596800); /* year 1 */
    uint64_t seconds = (uint64_t)(i->run->logical_us / US_PER_SECOND - first_s);
    uint64_t place = (uint64_t)i->task->index * (MAPPED_MAX + 1) + (uint64_t)(i->map_index + 1);
    return seconds << 25 | (place & 0x1FFFFFF);
}

static void count_waiting(struct scheduler *s, const struct lane *lane, int by)
{
    lane->pool->waiting += by;
    if (lane->connection)
        lane->connection->waiting += by;
    if (lane->processes)
        lane->processes->waiting += by;
    s->ready_count += (size_t)by;
}

/* Those that were idle start level with who was served last: turns are not saved up. */
static void wake_class(struct slots *pool, enum service_class class)
{
    if (pool->class_waiting[class]++ == 0 && pool->class_given[class] < pool->class_floor)
        pool->class_given[class] = pool->class_floor;
}

static void join_lane(struct scheduler *s, struct instance *i)
{
    struct lane_dag *place = place_of(i->run->dag, i->lane);
    if (!place->tasks[i->class].count && place->account->given < i->lane->pool->dag_floor)
        place->account->given = i->lane->pool->dag_floor;
    i->place = place;
    i->heap = &place->tasks[i->class];
    i->parked_at = CAP_NONE;
    heap_set(i->heap, &i->entry, -i->task->weight, order_of(i));
    place_update(place, i->class);
    i->lane->waiting++;
    wake_class(i->lane->pool, i->class);
    touch(s, i->lane->pool);
}

void slots_enqueue(struct scheduler *s, struct instance *i)
{
    if (i->heap)
        return;
    i->lane = lane_find(s, i);
    i->class = class_of(i);
    count_waiting(s, i->lane, 1);
    join_lane(s, i);
}

static void leave_lane(struct instance *i)
{
    struct lane_dag *place = i->place;
    heap_remove(i->heap, &i->entry);
    i->heap = NULL;
    i->place = NULL;
    place_update(place, i->class);
    place->lane->waiting--;
    place->lane->pool->class_waiting[i->class]--;
    if (place->lane->waiting)
        return;
    place->lane->passed_by = 0;
    if (place->lane->pool->reserved == place->lane)
        place->lane->pool->reserved = NULL;
}

/* Whether it was in a lane, and not parked. */
static bool take_out(struct scheduler *s, struct instance *i)
{
    bool was_in_lane = i->place != NULL;
    count_waiting(s, i->lane, -1);
    if (was_in_lane) {
        leave_lane(i);
        touch(s, i->lane->pool);
        return true;
    }
    heap_remove(i->heap, &i->entry);
    i->heap = NULL;
    i->parked_at = CAP_NONE;
    return false;
}

/* ---- caps ---- */

static void count_against(struct task_cap *cap, struct instance *i)
{
    if (!i->holding || i->cap)
        return;
    i->cap = cap;
    cap->active++;
}

/* Attempts of versions without the cap count as well. */
static void count_under_way(const struct live_dag *dag, const char *task_id, struct task_cap *cap)
{
    vec_each (run, &dag->runs) {
        const struct task *task =
            (*run)->active ? dag_find_task((*run)->shape->dag, task_id) : NULL;
        struct instance *head = task ? (*run)->tasks[task->index] : NULL;
        if (head)
            count_against(cap, head);
        for (uint32_t n = 0; head && head->mapping && n < head->mapping->count; n++)
            count_against(cap, head->mapping->at[n]);
    }
}

static struct task_cap *cap_of(const struct instance *i)
{
    struct live_dag *dag = i->run->dag;
    struct task_cap *cap = map_get(dag->caps, i->task->task_id);
    if (!cap && i->task->max_active_tis_per_dag > 0) {
        cap = mem_alloc_zero(1, sizeof *cap);
        map_set(dag->caps, i->task->task_id, cap);
        count_under_way(dag, i->task->task_id, cap);
    }
    return cap;
}

/* A scheduled run's new tasks wait while the DAG is paused; what people asked for goes on.  So do
   those of a run whose version is not known. */
static bool waits_for_unpause(const struct run *run)
{
    if (run->held)
        return true;
    return run->dag->paused && run->type != RUN_TYPE_MANUAL && run->type != RUN_TYPE_BACKFILL &&
           !run->backfill_id;
}

static bool run_has_room(const struct instance *i)
{
    int max = i->run->shape->dag->max_active_tasks;
    return max <= 0 || i->run->active < max + PLANTED(CAP_OFF_BY_ONE);
}

static bool task_has_room(const struct instance *i)
{
    int max = i->task->max_active_tis_per_dag;
    return max <= 0 || cap_of(i)->active < max;
}

static bool mapping_has_room(const struct instance *i)
{
    int max = i->task->max_active_tis_per_dagrun;
    return i->map_index < 0 || max <= 0 || instance_head(i)->mapping->active < max;
}

static enum cap cap_against(const struct instance *i)
{
    return waits_for_unpause(i->run) ? CAP_PAUSED
           : !run_has_room(i)        ? CAP_RUN
           : !task_has_room(i)       ? CAP_TASK
           : !mapping_has_room(i)    ? CAP_MAPPED
                                     : CAP_NONE;
}

static struct heap *parking_lane(struct parking *parking, struct lane *lane)
{
    vec_each (parked, &parking->lanes)
        if ((*parked)->lane == lane)
            return &(*parked)->tasks;
    struct parked_lane *parked = mem_alloc_zero(1, sizeof *parked);
    parked->lane = lane;
    vec_push(&parking->lanes, parked);
    return &parked->tasks;
}

void parking_done(struct parking *parking)
{
    vec_each (parked, &parking->lanes) {
        heap_done(&(*parked)->tasks);
        mem_free(*parked);
    }
    vec_done(&parking->lanes);
}

static void unpark_first(struct scheduler *s, struct heap *tasks)
{
    struct instance *i = CONTAINER_OF(heap_first(tasks), struct instance, entry);
    heap_remove(tasks, &i->entry);
    i->heap = NULL;
    join_lane(s, i);
}

void parking_release(struct scheduler *s, struct parking *parking, bool all)
{
    vec_each (parked, &parking->lanes) {
        if (heap_first(&(*parked)->tasks))
            unpark_first(s, &(*parked)->tasks);
        while (all && heap_first(&(*parked)->tasks))
            unpark_first(s, &(*parked)->tasks);
    }
}

/* What leaves a lane without a start leaves its turn under each cap that has room to the next one.
   Who is released from a cap with room is never parked at it again at once: this ends. */
static void pass_on(struct scheduler *s, const struct instance *i)
{
    struct task_cap *cap = map_get(i->run->dag->caps, i->task->task_id);
    if (run_has_room(i))
        parking_release(s, &i->run->parking, false);
    if (cap && task_has_room(i))
        parking_release(s, &cap->parking, false);
    if (i->map_index >= 0 && mapping_has_room(i))
        parking_release(s, &instance_head(i)->mapping->parking, false);
}

static void park(struct scheduler *s, struct instance *i, enum cap cap)
{
    struct parking *parking = cap == CAP_RUN      ? &i->run->parking
                              : cap == CAP_TASK   ? &cap_of(i)->parking
                              : cap == CAP_MAPPED ? &instance_head(i)->mapping->parking
                                                  : &i->run->dag->paused_tasks;
    leave_lane(i);
    i->heap = parking_lane(parking, i->lane);
    i->parked_at = cap;
    heap_set(i->heap, &i->entry, -i->task->weight, order_of(i));
    pass_on(s, i);
}

void slots_dequeue(struct scheduler *s, struct instance *i)
{
    if (i->heap && take_out(s, i))
        pass_on(s, i);
}

void slots_requeue(struct scheduler *s, struct instance *i)
{
    if (!i->heap)
        return;
    slots_dequeue(s, i);
    slots_enqueue(s, i);
}

/* ---- holding ---- */

static void use(struct scheduler *s, struct instance *i, int by)
{
    struct lane *lane = i->lane;
    lane->pool->used += by * lane->need;
    if (lane->connection)
        lane->connection->used += by;
    if (lane->processes)
        lane->processes->used += by;
    i->run->active += by;
    s->active_count += (size_t)by;
    if (by > 0)
        i->cap = cap_of(i);
    if (i->cap)
        i->cap->active += by;
    if (by < 0)
        i->cap = NULL;
    if (i->map_index >= 0)
        instance_head(i)->mapping->active += by;
    i->holding = by > 0;
}

void slots_hold(struct scheduler *s, struct instance *i)
{
    if (i->holding)
        return;
    i->lane = lane_find(s, i);
    use(s, i, 1);
}

void slots_release(struct scheduler *s, struct instance *i)
{
    if (!i->holding || (PLANTED(SLOT_LEAKED_ON_CANCEL) && i->intent.set))
        return;
    struct task_cap *cap = i->cap;
    use(s, i, -1);
    touch(s, i->lane->pool);
    touch(s, i->lane->connection);
    touch(s, i->lane->processes);
    parking_release(s, &i->run->parking, false);
    if (cap)
        parking_release(s, &cap->parking, false);
    if (i->map_index >= 0)
        parking_release(s, &instance_head(i)->mapping->parking, false);
}

/* ---- giving ---- */

/* The first DAG of a class in a lane. */
struct candidate {
    struct lane *lane;
    enum service_class class;
    struct lane_dag *place;
    struct instance *task;
};

static bool candidate_of(struct lane *lane, enum service_class class, struct candidate *ret)
{
    struct heap_entry *entry = heap_first(&lane->dags[class]);
    if (!entry)
        return false;
    struct lane_dag *place =
        (struct lane_dag *)((char *)(entry - class) - offsetof(struct lane_dag, in_class));
    struct heap_entry *first = heap_first(&place->tasks[class]);
    *ret = (struct candidate){lane, class, place, CONTAINER_OF(first, struct instance, entry)};
    return true;
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Below zero: `a` comes before `b`. */
static int compare(const struct candidate *a, const struct candidate *b)
{
    const struct slots *pool = a->lane->pool;
    /* What was given of different pools cannot be compared: lanes of theirs take turns. */
    if (pool != b->lane->pool)
        return compare_u64(a->lane->served, b->lane->served);
    int order = compare_u64(pool->class_given[a->class], pool->class_given[b->class]);
    if (!order)
        order = (int)a->class - (int)b->class;
    if (!order)
        order = compare_u64((uint64_t)priority_of(b->place->dag) ^ UINT64_C(1) << 63,
            (uint64_t)priority_of(a->place->dag) ^ UINT64_C(1) << 63);
    if (!order && a->place->dag != b->place->dag)
        order = compare_u64(a->place->account->given, b->place->account->given);
    if (!order && a->place->dag != b->place->dag)
        order = compare_u64(a->place->dag->order, b->place->dag->order);
    if (!order)
        order = (b->task->task->weight > a->task->task->weight) -
                (b->task->task->weight < a->task->task->weight);
    return order ? order : compare_u64(order_of(a->task), order_of(b->task));
}

/* The best that fits, and whether a better one was passed by because it is too large. */
static bool pick(struct slots *slots, struct candidate *ret, struct lane **ret_passed)
{
    struct candidate best = {0}, large = {0}, candidate;
    vec_each (lane, &slots->lanes) {
        if (!(*lane)->waiting)
            continue;
        bool fit = fits(*lane);
        bool too_large = !fit && rest_is_free(*lane) && (*lane)->need <= (*lane)->pool->total;
        struct candidate *into = fit ? &best : too_large ? &large : NULL;
        for (int class = 0; into && class < SERVICE_CLASS_COUNT; class ++)
            if (candidate_of(*lane, (enum service_class) class, &candidate) &&
                (!into->lane || compare(&candidate, into) < 0))
                *into = candidate;
    }
    *ret = best;
    *ret_passed =
        best.lane && large.lane && large.lane->pool == best.lane->pool && compare(&large, &best) < 0
            ? large.lane
            : NULL;
    return best.lane != NULL;
}

static void give(struct scheduler *s, const struct candidate *c)
{
    struct slots *pool = c->lane->pool;
    struct instance *i = c->task;
    uint64_t need = (uint64_t)c->lane->need;
    pool->class_floor = pool->class_given[c->class];
    pool->class_given[c->class] += need * CLASS_SCALE / class_weight[c->class];
    pool->dag_floor = c->place->account->given;
    c->place->account->given += need;
    vec_each (place, &c->place->dag->places)
        for (int class = 0; class < SERVICE_CLASS_COUNT; class ++)
            place_update(*place, (enum service_class) class);
    c->lane->served = ++s->served;
    c->lane->passed_by = 0;
    if (pool->reserved == c->lane)
        pool->reserved = NULL;
    take_out(s, i);
    use(s, i, 1);
    attempt_begin(s, i);
}

static void note_passed_by(struct lane *passed, int given)
{
    passed->passed_by += given;
    if (passed->passed_by >= passed->pool->total && !passed->pool->reserved)
        passed->pool->reserved = passed;
}

/* An earlier run may have been cleared, or come to be, since the task became ready: then it is not
   ready any more. */
static bool past_holds_back(struct scheduler *s, struct instance *i)
{
    const char *why_not = NULL;
    if (past_allows(s, i, &why_not))
        return false;
    task_move(s, i, TASK_EVENT_UNREADY, REASON_WAITING_PAST, why_not);
    task_wants_evaluation(s, i);
    return true;
}

static bool dispatch(struct scheduler *s, struct slots *slots)
{
    bool any = false;
    struct candidate best;
    struct lane *passed;
    while (!s->draining && pick(slots, &best, &passed)) {
        if (past_holds_back(s, best.task)) {
            any = true;
            continue;
        }
        enum cap cap = cap_against(best.task);
        if (cap != CAP_NONE) {
            park(s, best.task, cap);
            continue;
        }
        int need = best.lane->need;
        give(s, &best);
        if (passed)
            note_passed_by(passed, need);
        any = true;
    }
    return any;
}

bool slots_dispatch(struct scheduler *s)
{
    bool any = false;
    for (size_t n = 0; n < s->dirty.count; n++) {
        struct slots *slots = s->dirty.at[n];
        slots->dirty = false;
        any |= dispatch(s, slots);
    }
    vec_clear(&s->dirty);
    return any;
}

/* ---- why not ---- */

enum reason slots_reason(const struct scheduler *s, const struct instance *i)
{
    (void)s;
    if (i->parked_at == CAP_PAUSED)
        return REASON_WAITING_PAUSED;
    if (i->parked_at != CAP_NONE)
        return REASON_WAITING_TASK_CAP;
    if (!has_room(i->lane->pool, i->lane->need))
        return REASON_WAITING_POOL;
    if (!has_room(i->lane->connection, 1))
        return REASON_WAITING_CONNECTION;
    if (!has_room(i->lane->processes, 1))
        return REASON_WAITING_PROCESS;
    return REASON_WAITING_TURN;
}
