/* Tasks that trigger a DAG that there is not, or themselves. */
#include "base/vec.h"
#include "definition/lint_across.h"

/* One search over all DAGs along the tasks that wait for what they trigger. */
struct search {
    const struct across *a;
    struct map *seen;                   /* DAG ids, also those on the path */
    VEC(const struct dag_facts *) path; /* from the DAG where the search began */
};

static void report_unknown(
    const struct across *a, const struct dag_facts *dag, const struct fact_trigger *trigger)
{
    const char *target = trigger->dag.name;
    struct error error;
    error_set(&error, ERR_LINT, "`%s` triggers DAG `%s`, which there is not", trigger->by, target);
    const char *near = suggest(target, across_ids(a), a->count);
    if (near)
        error_hint(&error, "did you mean `%s`?", near);
    else
        error_hint(&error, "`dag list` shows the DAGs");
    across_add(a, dag, &trigger->dag, "unknown-trigger", &error);
}

static bool is_own_date(const struct dag_facts *dag, const struct fact_trigger *trigger)
{
    return trigger->own_date && str_equal(trigger->dag.name, dag->dag_id);
}

static void check_trigger(
    const struct across *a, const struct dag_facts *dag, const struct fact_trigger *trigger)
{
    struct error error;
    if (trigger->dag.name && !a->broken && !map_has(a->by_id, trigger->dag.name))
        report_unknown(a, dag, trigger);
    if (!is_own_date(dag, trigger))
        return;
    error_set(&error, ERR_LINT, "`%s` triggers its own DAG for its own date, which has a run: this",
        trigger->by);
    error_hint(&error, "give it another `logical_date`");
    across_add(a, dag, &trigger->dag, "trigger-self", &error);
}

/* "a → b → a" */
static void report_circle(const struct search *s, size_t first, const struct fact_trigger *trigger)
{
    struct strbuf text = {.arena = s->a->l->arena};
    struct error error;
    for (size_t i = first; i < s->path.count; i++)
        strbuf_printf(&text, "%s → ", s->path.at[i]->dag_id);
    strbuf_add_str(&text, s->path.at[first]->dag_id);
    error_set(&error, ERR_LINT, "DAGs wait for each other in a circle: %s", strbuf_text(&text));
    error_hint(&error, "leave `wait` out at one of them");
    across_add(s->a, s->path.at[s->path.count - 1], &trigger->dag, "trigger-circle", &error);
}

static void follow(struct search *s, const struct dag_facts *dag);

static void follow_trigger(
    struct search *s, const struct dag_facts *dag, const struct fact_trigger *trigger)
{
    const char *target = trigger->wait ? trigger->dag.name : NULL;
    const struct dag_facts *next = target ? map_get(s->a->by_id, target) : NULL;
    if (!next || is_own_date(dag, trigger))
        return;
    for (size_t i = 0; i < s->path.count; i++)
        if (s->path.at[i] == next) {
            report_circle(s, i, trigger);
            return;
        }
    if (!map_has(s->seen, target))
        follow(s, next);
}

static void follow(struct search *s, const struct dag_facts *dag)
{
    map_set(s->seen, dag->dag_id, s);
    vec_push(&s->path, dag);
    for (size_t i = 0; i < dag->triggers.count; i++)
        follow_trigger(s, dag, &dag->triggers.at[i]);
    (void)vec_pop(&s->path);
}

void lint_triggers(const struct across *a)
{
    struct search s = {.a = a, .seen = map_new()};
    for (size_t i = 0; i < a->count; i++) {
        const struct dag_facts *dag = a->dags[i];
        for (size_t n = 0; n < dag->triggers.count; n++)
            check_trigger(a, dag, &dag->triggers.at[n]);
        if (!map_has(s.seen, dag->dag_id))
            follow(&s, dag);
    }
    map_free(s.seen);
    vec_done(&s.path);
}
