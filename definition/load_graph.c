/* From names in depends_on to edges between tasks, their order and their weights. */
#include "base/heap.h"
#include "definition/limits.h"
#include "definition/loading.h"
#include "definition/report.h"

typedef VEC(uint32_t) index_list;

/* What a name can mean: tasks first, then groups. */
struct edge_plan {
    uint32_t from, to; /* items: tasks are 0 … task count − 1, groups follow */
    unsigned depth;    /* of the innermost group that holds both */
};

struct graph {
    struct loading *l;
    uint32_t task_count, group_count;
    struct map *items; /* id → item + 1 */
    VEC(struct edge_plan) edges;
    index_list *upstream; /* of each task */
    size_t edge_count;
    bool failed;
};

static bool is_group(const struct graph *g, uint32_t item)
{
    return item >= g->task_count;
}

static struct group_plan *group_of(const struct graph *g, uint32_t item)
{
    return &g->l->groups.at[item - g->task_count];
}

static const char *item_id(const struct graph *g, uint32_t item)
{
    return is_group(g, item) ? group_of(g, item)->id : g->l->tasks.at[item].task.task_id;
}

static const struct yaml_node *item_key(const struct graph *g, uint32_t item)
{
    return is_group(g, item) ? group_of(g, item)->key : g->l->tasks.at[item].key;
}

static int parent_of(const struct graph *g, uint32_t item)
{
    return is_group(g, item) ? group_of(g, item)->parent : g->l->tasks.at[item].group;
}

static bool group_holds(const struct graph *g, int group, uint32_t item)
{
    for (int at = parent_of(g, item); at >= 0; at = g->l->groups.at[at].parent)
        if (at == group)
            return true;
    return false;
}

/* ---- names ---- */

static void add_items(struct graph *g)
{
    for (uint32_t i = 0; i < g->task_count + g->group_count; i++) {
        const char *id = item_id(g, i);
        uintptr_t other = (uintptr_t)map_get(g->items, id);
        if (!other) {
            map_set(g->items, id, (void *)(uintptr_t)(i + 1));
            continue;
        }
        const struct yaml_node *first = item_key(g, (uint32_t)other - 1);
        report_hint(report(g->l->diagnostics, item_key(g, i), ERR_DUPLICATE,
                        "the id `%s` is used twice", id),
            "the first one is on line %u", first->line);
    }
}

static uint32_t find_item(const struct graph *g, int group, const char *name)
{
    for (int at = group;; at = g->l->groups.at[at].parent) {
        struct strbuf id = {0};
        if (at >= 0)
            strbuf_printf(&id, "%s.", g->l->groups.at[at].id);
        strbuf_add_str(&id, name);
        uintptr_t item = (uintptr_t)map_get(g->items, id.text);
        strbuf_done(&id);
        if (item || at < 0)
            return (uint32_t)item;
    }
}

static void report_unknown(struct graph *g, const struct yaml_node *node, const char *name)
{
    size_t count = 0, cursor = 0;
    const char *key;
    void *value;
    const char **ids = arena_array(g->l->scratch, const char *, 2 * map_count(g->items));
    while (map_next(g->items, &cursor, &key, &value)) {
        const char *dot = strrchr(key, '.');
        ids[count++] = key;
        if (dot)
            ids[count++] = dot + 1; /* as it is called inside its group */
    }
    struct diagnostic *d = report(
        g->l->diagnostics, node, ERR_UNKNOWN_REFERENCE, "there is no task or group `%s`", name);
    report_suggest(d, name, ids, count);
}

static unsigned common_depth(const struct graph *g, uint32_t a, uint32_t b)
{
    for (int at = parent_of(g, a); at >= 0; at = g->l->groups.at[at].parent)
        if (group_holds(g, at, b))
            return g->l->groups.at[at].depth;
    return 0;
}

static void add_edge(struct graph *g, uint32_t item, const char *name, const struct yaml_node *node)
{
    uint32_t found = find_item(g, parent_of(g, item), name);
    if (!found) {
        report_unknown(g, node, name);
        return;
    }
    uint32_t from = found - 1;
    if (from == item) {
        report_hint(
            report(g->l->diagnostics, node, ERR_CYCLE, "`%s` depends on itself", item_id(g, item)),
            "a name means the task in the innermost group first; remove it, or rename one");
        return;
    }
    bool inside = (is_group(g, from) && group_holds(g, (int)(from - g->task_count), item)) ||
                  (is_group(g, item) && group_holds(g, (int)(item - g->task_count), from));
    if (inside) {
        report(g->l->diagnostics, node, ERR_CYCLE,
            "`%s` cannot depend on `%s`: one is part of the other", item_id(g, item),
            item_id(g, from));
        return;
    }
    vec_push(&g->edges, ((struct edge_plan){from, item, common_depth(g, item, from)}));
}

/* What a task is mapped over comes before it, as in Airflow. */
static void add_source(struct graph *g, uint32_t item, struct expand_plan *source)
{
    uint32_t found = find_item(g, parent_of(g, item), source->source.task_id);
    if (found && is_group(g, found - 1)) {
        report(g->l->diagnostics, source->node, ERR_UNKNOWN_REFERENCE,
            "`%s` is a group: `expand` takes the XCom of a task", source->source.task_id);
        return;
    }
    add_edge(g, item, source->source.task_id, source->node);
    if (found)
        source->source.task_id = item_id(g, found - 1);
}

static void add_edges(struct graph *g, uint32_t item)
{
    bool group = is_group(g, item);
    const struct names *names = group ? &group_of(g, item)->names : &g->l->tasks.at[item].names;
    const struct yaml_node *node =
        group ? group_of(g, item)->depends_on : g->l->tasks.at[item].depends_on;
    for (size_t i = 0; node && i < names->count; i++)
        add_edge(g, item, names->at[i], node->kind == YAML_SEQUENCE ? node->items[i] : node);
    struct task_plan *plan = group ? NULL : &g->l->tasks.at[item];
    for (size_t i = 0; plan && i < plan->expand_count; i++)
        if (plan->expand[i].source.kind == EXPAND_TASK)
            add_source(g, item, &plan->expand[i]);
}

/* ---- groups to tasks ---- */

static bool has_upstream_in(const struct graph *g, uint32_t task, const struct group_plan *group)
{
    vec_each (up, &g->upstream[task])
        if (*up >= group->first && *up < group->end)
            return true;
    return false;
}

/* The tasks of a group that others wait for: those that no work of the group follows.  Teardowns
   are not waited for, as in Airflow. */
static void add_leaves(const struct graph *g, const struct group_plan *group, index_list *ret)
{
    uint32_t count = group->end - group->first;
    bool *followed = mem_alloc_zero(count, sizeof(bool));
    for (uint32_t i = group->first; i < group->end; i++) {
        bool teardown = g->l->tasks.at[i].task.teardown;
        vec_each (up, &g->upstream[i])
            if (!teardown && *up >= group->first && *up < group->end)
                followed[*up - group->first] = true;
    }
    size_t before = ret->count;
    for (uint32_t i = 0; i < count; i++)
        if (!followed[i] && !g->l->tasks.at[group->first + i].task.teardown)
            vec_push(ret, group->first + i);
    for (uint32_t i = 0; ret->count == before && i < count; i++)
        vec_push(ret, group->first + i); /* teardowns only */
    mem_free(followed);
}

static void add_ends(const struct graph *g, uint32_t item, bool leaves, index_list *ret)
{
    if (!is_group(g, item)) {
        vec_push(ret, item);
        return;
    }
    const struct group_plan *group = group_of(g, item);
    if (leaves) {
        add_leaves(g, group, ret);
        return;
    }
    for (uint32_t i = group->first; i < group->end; i++)
        if (!has_upstream_in(g, i, group))
            vec_push(ret, i);
}

static void realize(struct graph *g, const struct edge_plan *edge)
{
    index_list from = {0}, to = {0};
    add_ends(g, edge->from, true, &from);
    add_ends(g, edge->to, false, &to);
    g->edge_count += from.count * to.count;
    if (g->edge_count > DAG_EDGES_MAX) {
        if (!g->failed)
            report(g->l->diagnostics, item_key(g, edge->to), ERR_LIMIT,
                "the DAG has more than %d dependencies between tasks", DAG_EDGES_MAX);
        g->failed = true;
    }
    for (size_t i = 0; !g->failed && i < to.count; i++)
        for (size_t j = 0; j < from.count; j++)
            vec_push(&g->upstream[to.at[i]], from.at[j]);
    vec_done(&from);
    vec_done(&to);
}

static int compare_indexes(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void sort_unique(index_list *list)
{
    if (list->count)
        qsort(list->at, list->count, sizeof(*list->at), compare_indexes);
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (i == 0 || list->at[i] != list->at[i - 1])
            list->at[kept++] = list->at[i];
    list->count = kept;
}

/* Inner edges come first, because where a group begins and ends depends on the edges inside it. */
static void realize_all(struct graph *g)
{
    unsigned deepest = 0;
    vec_each (edge, &g->edges)
        deepest = edge->depth > deepest ? edge->depth : deepest;
    for (unsigned depth = deepest + 1; depth-- > 0;)
        vec_each (edge, &g->edges)
            if (edge->depth == depth)
                realize(g, edge);
    for (uint32_t i = 0; i < g->task_count; i++)
        sort_unique(&g->upstream[i]);
}

/* ---- into the model ---- */

static struct indexes keep(struct loading *l, const index_list *list)
{
    size_t size = list->count * sizeof(*list->at);
    return (struct indexes){size ? arena_memdup(l->arena, list->at, size) : NULL, list->count};
}

static void fill_expand(struct loading *l, const struct task_plan *plan, struct task *task)
{
    if (!plan->expand_count)
        return;
    struct expand_source *at = arena_array(l->arena, struct expand_source, plan->expand_count);
    for (size_t i = 0; i < plan->expand_count; i++)
        at[i] = plan->expand[i].source;
    task->expand.at = at;
    task->expand.count = plan->expand_count;
}

static struct task *fill_tasks(struct graph *g)
{
    struct loading *l = g->l;
    struct task *tasks = arena_array(l->arena, struct task, g->task_count);
    index_list *downstream = mem_alloc_zero(g->task_count, sizeof(*downstream));
    for (uint32_t i = 0; i < g->task_count; i++) {
        tasks[i] = l->tasks.at[i].task;
        tasks[i].index = i;
        tasks[i].upstream = keep(l, &g->upstream[i]);
        fill_expand(l, &l->tasks.at[i], &tasks[i]);
        vec_each (up, &g->upstream[i])
            vec_push(&downstream[*up], i);
        l->dag->uses_past |= tasks[i].depends_on_past;
        l->dag->has_deadlines |= tasks[i].deadline.kind != DEADLINE_NONE;
        l->dag->uses_durations |= tasks[i].deadline.kind == DEADLINE_TYPICAL;
    }
    for (uint32_t i = 0; i < g->task_count; i++) {
        tasks[i].downstream = keep(l, &downstream[i]);
        vec_done(&downstream[i]);
    }
    mem_free(downstream);
    l->dag->has_deadlines |= l->dag->deadline.kind != DEADLINE_NONE;
    l->dag->uses_durations |= l->dag->deadline.kind == DEADLINE_TYPICAL;
    l->dag->tasks = tasks;
    l->dag->task_count = g->task_count;
    return tasks;
}

/* Kahn's algorithm; the heap gives those that are ready in the file's order. */
static uint32_t sort_tasks(struct loading *l, const struct task *tasks, uint32_t *order)
{
    uint32_t count = l->dag->task_count, done = 0;
    struct heap ready = {0};
    struct heap_entry *entries = mem_alloc_zero(count, sizeof(*entries));
    size_t *missing = mem_alloc_zero(count, sizeof(*missing));
    for (uint32_t i = 0; i < count; i++) {
        missing[i] = tasks[i].upstream.count;
        if (missing[i] == 0)
            heap_set(&ready, &entries[i], i, i);
    }
    for (struct heap_entry *first; (first = heap_first(&ready));) {
        uint32_t task = (uint32_t)first->due;
        heap_remove(&ready, first);
        order[done++] = task;
        for (size_t i = 0; i < tasks[task].downstream.count; i++) {
            uint32_t next = tasks[task].downstream.at[i];
            if (--missing[next] == 0)
                heap_set(&ready, &entries[next], next, next);
        }
    }
    heap_done(&ready);
    mem_free(entries);
    mem_free(missing);
    return done;
}

/* Follows dependencies among the tasks that could not be sorted until one comes twice. */
static void report_cycle(struct loading *l, const struct task *tasks, const bool *sorted)
{
    uint32_t count = l->dag->task_count, task = 0;
    uint32_t *seen = mem_alloc_zero(count, sizeof(*seen));
    index_list path = {0};
    while (sorted[task])
        task++;
    while (!seen[task]) {
        vec_push(&path, task);
        seen[task] = (uint32_t)path.count;
        size_t up = 0;
        while (sorted[tasks[task].upstream.at[up]])
            up++;
        task = tasks[task].upstream.at[up];
    }
    struct strbuf text = {0};
    strbuf_add_str(&text, tasks[task].task_id);
    for (size_t i = path.count; i-- > seen[task] - 1;)
        strbuf_printf(&text, " → %s", tasks[path.at[i]].task_id);
    const struct task_plan *plan = &l->tasks.at[task];
    report_hint(report(l->diagnostics, plan->depends_on ? plan->depends_on : plan->key, ERR_CYCLE,
                    "tasks depend on each other in a circle: %s", text.text),
        "each waits for the one before it; remove one of these dependencies");
    strbuf_done(&text);
    vec_done(&path);
    mem_free(seen);
}

static bool order_tasks(struct loading *l, const struct task *tasks)
{
    uint32_t count = l->dag->task_count;
    uint32_t *order = arena_array(l->arena, uint32_t, count);
    uint32_t done = sort_tasks(l, tasks, order);
    l->dag->topological = order;
    if (done == count)
        return true;
    bool *sorted = mem_alloc_zero(count, sizeof(*sorted));
    for (uint32_t i = 0; i < done; i++)
        sorted[order[i]] = true;
    report_cycle(l, tasks, sorted);
    mem_free(sorted);
    return false;
}

static int64_t add_weights(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? (b > 0 ? INT64_MAX : INT64_MIN) : sum;
}

/* Adds up the weights of a task and of all that can be reached from it; gives how many they are.
   `seen` is shared by the walks from different tasks. */
static size_t walk(const struct task *tasks, uint32_t from, bool down, uint32_t *seen,
    index_list *stack, int64_t *weight)
{
    size_t count = 0;
    vec_clear(stack);
    vec_push(stack, from);
    seen[from] = from + 1;
    while (stack->count) {
        const struct task *at = &tasks[vec_pop(stack)];
        const struct indexes *next = down ? &at->downstream : &at->upstream;
        *weight = add_weights(*weight, at->priority_weight);
        count++;
        for (size_t i = 0; i < next->count; i++)
            if (seen[next->at[i]] != from + 1) {
                seen[next->at[i]] = from + 1;
                vec_push(stack, next->at[i]);
            }
    }
    return count;
}

/* Own weight and those of all tasks that can be reached. */
static int64_t weigh(const struct task *tasks, uint32_t task, uint32_t *seen, index_list *stack)
{
    int64_t weight = 0;
    walk(tasks, task, tasks[task].weight_rule == WEIGHT_DOWNSTREAM, seen, stack, &weight);
    return weight;
}

static size_t count_followers(
    const struct task *tasks, uint32_t task, uint32_t *seen, index_list *stack)
{
    int64_t ignored = 0;
    return walk(tasks, task, true, seen, stack, &ignored) - 1;
}

static void weigh_tasks(struct loading *l, struct task *tasks)
{
    uint32_t count = l->dag->task_count;
    uint32_t *seen = mem_alloc_zero(count, sizeof(*seen));
    index_list stack = {0};
    for (uint32_t i = 0; i < count; i++)
        tasks[i].weight = tasks[i].weight_rule == WEIGHT_ABSOLUTE ? tasks[i].priority_weight
                                                                  : weigh(tasks, i, seen, &stack);
    vec_done(&stack);
    mem_free(seen);
}

static void check_fail_fast(struct loading *l)
{
    vec_each (plan, &l->tasks) {
        enum trigger_rule rule = plan->task.trigger_rule;
        if (rule != RULE_ALL_SUCCESS && rule != RULE_ALL_DONE_SETUP_SUCCESS)
            report_hint(report(l->diagnostics, plan->key, ERR_VALUE_RANGE,
                            "with `fail_fast` every task has the rule all_success, `%s` has %s",
                            plan->task.task_id, trigger_rule_name(rule)),
                "leave out `fail_fast`, or the task's `trigger_rule`");
    }
}

/* Of a branch that nothing follows every id would be a mistake; several instances of a task could
   decide differently. */
static void check_deciders(struct loading *l, const struct task *tasks)
{
    for (uint32_t i = 0; i < l->dag->task_count; i++) {
        const char *task_id = tasks[i].task_id;
        if (tasks[i].kind == KIND_BRANCH && tasks[i].downstream.count == 0)
            report_hint(report(l->diagnostics, l->tasks.at[i].key, ERR_VALUE_RANGE,
                            "the branch `%s` has nothing to choose from", task_id),
                "write `depends_on: %s` at the tasks that it chooses from", task_id);
        if (task_kind_decides(tasks[i].kind) && tasks[i].expand.count)
            report_hint(report(l->diagnostics, l->tasks.at[i].key, ERR_VALUE_RANGE,
                            "`%s` decides for the whole run: it cannot be mapped", task_id),
                "leave out `expand`");
    }
}

/* What each short circuit may skip is kept for each of them. */
static void check_circuits(struct loading *l, const struct task *tasks)
{
    uint32_t count = l->dag->task_count;
    uint32_t *seen = mem_alloc_zero(count, sizeof(*seen));
    index_list stack = {0};
    size_t followers = 0;
    for (uint32_t i = 0; i < count && followers <= DAG_CIRCUIT_TASKS_MAX; i++)
        if (tasks[i].kind == KIND_SHORT_CIRCUIT && !tasks[i].decision->only_direct)
            followers += count_followers(tasks, i, seen, &stack);
    if (followers > DAG_CIRCUIT_TASKS_MAX)
        report_hint(report(l->diagnostics, l->document, ERR_LIMIT,
                        "the DAG's short circuits are followed by more than %d tasks, each counted "
                        "for each circuit before it",
                        DAG_CIRCUIT_TASKS_MAX),
            "write `ignore_downstream_trigger_rules: false` at them");
    vec_done(&stack);
    mem_free(seen);
}

void load_graph(struct loading *l)
{
    struct graph g = {.l = l,
        .task_count = (uint32_t)l->tasks.count,
        .group_count = (uint32_t)l->groups.count,
        .items = map_new()};
    g.upstream = mem_alloc_zero(g.task_count, sizeof(*g.upstream));
    add_items(&g);
    for (uint32_t i = 0; i < g.task_count + g.group_count; i++)
        add_edges(&g, i);
    realize_all(&g);
    struct task *tasks = fill_tasks(&g);
    if (order_tasks(l, tasks)) {
        weigh_tasks(l, tasks);
        check_circuits(l, tasks);
    }
    check_deciders(l, tasks);
    if (l->dag->fail_fast)
        check_fail_fast(l);
    for (uint32_t i = 0; i < g.task_count; i++)
        vec_done(&g.upstream[i]);
    mem_free(g.upstream);
    vec_done(&g.edges);
    map_free(g.items);
}
