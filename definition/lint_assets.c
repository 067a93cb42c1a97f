/* Checks of assets, which only all DAGs together show. */
#include "base/map.h"
#include "base/vec.h"
#include "definition/lint_across.h"

struct node {
    const struct dag_facts *dag;
    enum { UNSEEN, ON_PATH, DONE } state;
    struct node *from; /* the one before it on the path */
};

struct searching {
    const struct across *a;
    struct map *consumers; /* asset → struct consumers */
    struct map *made;      /* asset → struct node of a maker */
    struct map *nodes;     /* dag_id → struct node */
};

struct consumers {
    VEC(struct node *) at;
};

static void add_consumer(struct searching *s, const char *asset, struct node *node)
{
    struct consumers *consumers = map_get(s->consumers, asset);
    if (!consumers) {
        consumers = arena_new_of(s->a->l->arena, struct consumers);
        map_set(s->consumers, asset, consumers);
    }
    vec_push(&consumers->at, node);
}

static void add_dag(struct searching *s, const struct dag_facts *dag)
{
    struct node *node = arena_new_of(s->a->l->arena, struct node);
    *node = (struct node){.dag = dag};
    map_set(s->nodes, dag->dag_id, node);
    for (size_t i = 0; i < dag->consumes.count; i++)
        add_consumer(s, dag->consumes.at[i], node);
    for (size_t i = 0; i < dag->makes.count; i++)
        map_set(s->made, dag->makes.at[i], node);
}

static void warn(
    struct searching *s, const struct dag_facts *dag, const char *code, struct error *error)
{
    const struct fact_name at = {.line = dag->line, .column = 1};
    across_add(s->a, dag, &at, code, error);
}

static void check_made(struct searching *s, const struct dag_facts *dag)
{
    for (size_t i = 0; i < dag->consumes.count; i++) {
        const char *asset = dag->consumes.at[i];
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
    for (size_t i = 0; i < node->dag->makes.count; i++) {
        const struct consumers *consumers = map_get(s->consumers, node->dag->makes.at[i]);
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
    node->state = DONE;
}

void lint_assets(const struct across *a)
{
    struct searching s = {.a = a, .consumers = map_new(), .made = map_new(), .nodes = map_new()};
    size_t cursor = 0;
    void *consumers;
    for (size_t i = 0; i < a->count; i++)
        add_dag(&s, a->dags[i]);
    for (size_t i = 0; i < a->count; i++) {
        struct node *node = map_get(s.nodes, a->dags[i]->dag_id);
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
