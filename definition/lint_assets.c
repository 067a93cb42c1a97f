/* Checks of assets, which only all DAGs together show. */
#include "base/map.h"
#include "base/vec.h"
#include "definition/lint_internal.h"

struct node {
    const struct dag *dag;
    enum { UNSEEN, ON_PATH, DONE } state;
    struct node *from; /* the one before it on the path */
};

struct searching {
    struct linting *l;
    struct map *consumers; /* asset → struct consumers */
    struct map *made;      /* asset → itself */
    struct map *nodes;     /* dag_id → struct node */
};

struct consumers {
    VEC(struct node *) at;
};

static void add_consumer(struct searching *s, const char *asset, struct node *node)
{
    struct consumers *consumers = map_get(s->consumers, asset);
    if (!consumers) {
        consumers = arena_new_of(s->l->arena, struct consumers);
        map_set(s->consumers, asset, consumers);
    }
    vec_push(&consumers->at, node);
}

static void add_dag(struct searching *s, const struct dag *dag)
{
    struct node *node = arena_new_of(s->l->arena, struct node);
    *node = (struct node){.dag = dag};
    map_set(s->nodes, dag->dag_id, node);
    for (size_t i = 0; i < dag->asset_names.count; i++)
        add_consumer(s, dag->asset_names.at[i], node);
    for (uint32_t i = 0; i < dag->task_count; i++)
        for (size_t n = 0; n < dag->tasks[i].outlets.count; n++)
            map_set(s->made, dag->tasks[i].outlets.at[n], (void *)dag->tasks[i].outlets.at[n]);
}

static void warn(struct searching *s, const struct dag *dag, const char *code, struct error *error)
{
    s->l->dag = dag;
    if (sources_read(s->l->sources, dag->file, &s->l->dag_source, NULL) != OK)
        return;
    lint_place(s->l, error, dag->line, 1, NULL, NULL);
    lint_add(s->l, "warning", code, error);
}

static void check_made(struct searching *s, const struct dag *dag)
{
    for (size_t i = 0; i < dag->asset_names.count; i++) {
        const char *asset = dag->asset_names.at[i];
        struct error error;
        if (map_has(s->made, asset))
            continue;
        error_set(&error, ERR_LINT, "`%s` is scheduled on the asset `%s`, which no task makes",
            dag->dag_id, asset);
        error_hint(&error, "name it in the `outlets` of the task that does, or add events with "
                           "`dag asset event`");
        warn(s, dag, "unknown-asset", &error);
    }
}

/* "a → b → a" */
static void report_circle(struct searching *s, struct node *last, const struct node *first)
{
    struct strbuf text = {0};
    struct error error;
    VEC(const char *) path = {0};
    for (const struct node *node = last; node != first; node = node->from)
        vec_push(&path, node->dag->dag_id);
    strbuf_add_str(&text, first->dag->dag_id);
    while (path.count)
        strbuf_printf(&text, " → %s", vec_pop(&path));
    error_set(&error, ERR_LINT, "DAGs start each other in a circle: %s → %s", text.text,
        first->dag->dag_id);
    error_hint(&error, "each run makes the asset that starts the next: they never end");
    warn(s, first->dag, "asset-circle", &error);
    vec_done(&path);
    strbuf_done(&text);
}

static void follow(struct searching *s, struct node *node)
{
    node->state = ON_PATH;
    for (uint32_t i = 0; i < node->dag->task_count; i++) {
        const struct names *outlets = &node->dag->tasks[i].outlets;
        for (size_t n = 0; n < outlets->count; n++) {
            const struct consumers *consumers = map_get(s->consumers, outlets->at[n]);
            for (size_t k = 0; consumers && k < consumers->at.count; k++) {
                struct node *next = consumers->at.at[k];
                if (next->state == ON_PATH) {
                    report_circle(s, node, next);
                } else if (next->state == UNSEEN) {
                    next->from = node;
                    follow(s, next);
                }
            }
        }
    }
    node->state = DONE;
}

void lint_assets(struct linting *l, const struct catalogue *catalogue)
{
    struct searching s = {.l = l, .consumers = map_new(), .made = map_new(), .nodes = map_new()};
    size_t cursor = 0;
    void *consumers;
    for (size_t i = 0; i < catalogue_count(catalogue); i++)
        add_dag(&s, catalogue_at(catalogue, i));
    for (size_t i = 0; i < catalogue_count(catalogue); i++) {
        struct node *node = map_get(s.nodes, catalogue_at(catalogue, i)->dag_id);
        check_made(&s, node->dag);
        if (node->state == UNSEEN)
            follow(&s, node);
    }
    while (map_next(s.consumers, &cursor, NULL, &consumers))
        vec_done(&((struct consumers *)consumers)->at);
    map_free(s.consumers);
    map_free(s.made);
    map_free(s.nodes);
}
