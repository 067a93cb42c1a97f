/* Tasks that trigger a DAG that there is not, or themselves. */
#include "base/map.h"
#include "base/vec.h"
#include "definition/lint_internal.h"

/* One search over all DAGs along the tasks that wait for what they trigger. */
struct search {
    struct linting *l;
    const struct catalogue *catalogue;
    struct map *seen;             /* DAG ids, also those on the path */
    VEC(const struct dag *) path; /* from the DAG where the search began */
};

/* What a template will give is not known here. */
static const char *plain(const struct text *text)
{
    return text->value && !strchr(text->value, '{') ? text->value : NULL;
}

static void add(struct linting *l, const struct dag *dag, const struct task *task,
    const char *severity, const char *code, struct error *error)
{
    const struct text *at = &task->trigger.dag_id;
    l->dag = dag;
    if (sources_read(l->sources, dag->file, &l->dag_source, NULL) != OK)
        return;
    lint_place(l, error, at->line, at->column, NULL, NULL);
    lint_add(l, severity, code, error);
}

static void report_unknown(
    const struct search *s, const struct dag *dag, const struct task *task, const char *target)
{
    size_t count = catalogue_count(s->catalogue);
    const char **names = arena_array(s->l->arena, const char *, count);
    struct error error;
    for (size_t i = 0; i < count; i++)
        names[i] = catalogue_at(s->catalogue, i)->dag_id;
    error_set(
        &error, ERR_LINT, "`%s` triggers DAG `%s`, which there is not", task->task_id, target);
    const char *near = suggest(target, names, count);
    if (near)
        error_hint(&error, "did you mean `%s`?", near);
    else
        error_hint(&error, "`dag list` shows the DAGs");
    add(s->l, dag, task, "error", "unknown-trigger", &error);
}

static bool is_own_date(const struct dag *dag, const struct task *task)
{
    const char *target = plain(&task->trigger.dag_id);
    return !task->trigger.logical_date.value && str_equal(target, dag->dag_id);
}

static void check_task(const struct search *s, const struct dag *dag, const struct task *task)
{
    const char *target = plain(&task->trigger.dag_id);
    struct error error;
    bool broken = catalogue_broken_count(s->catalogue); /* it may be in one of those files */
    if (target && !broken && !catalogue_find(s->catalogue, target))
        report_unknown(s, dag, task, target);
    if (!is_own_date(dag, task))
        return;
    error_set(&error, ERR_LINT, "`%s` triggers its own DAG for its own date, which has a run: this",
        task->task_id);
    error_hint(&error, "give it another `logical_date`");
    add(s->l, dag, task, "error", "trigger-self", &error);
}

/* "a → b → a" */
static void report_circle(const struct search *s, size_t first, const struct task *task)
{
    struct strbuf text = {.arena = s->l->arena};
    struct error error;
    for (size_t i = first; i < s->path.count; i++)
        strbuf_printf(&text, "%s → ", s->path.at[i]->dag_id);
    strbuf_add_str(&text, s->path.at[first]->dag_id);
    error_set(&error, ERR_LINT, "DAGs wait for each other in a circle: %s", strbuf_text(&text));
    error_hint(&error, "leave `wait` out at one of them");
    add(s->l, s->path.at[s->path.count - 1], task, "warning", "trigger-circle", &error);
}

static void follow(struct search *s, const struct dag *dag);

static void follow_task(struct search *s, const struct dag *dag, const struct task *task)
{
    const char *target = task->trigger.wait ? plain(&task->trigger.dag_id) : NULL;
    const struct dag *next = target ? catalogue_find(s->catalogue, target) : NULL;
    if (!next || is_own_date(dag, task))
        return;
    for (size_t i = 0; i < s->path.count; i++)
        if (s->path.at[i] == next) {
            report_circle(s, i, task);
            return;
        }
    if (!map_has(s->seen, target))
        follow(s, next);
}

static void follow(struct search *s, const struct dag *dag)
{
    map_set(s->seen, dag->dag_id, s);
    vec_push(&s->path, dag);
    for (uint32_t i = 0; i < dag->task_count; i++)
        follow_task(s, dag, &dag->tasks[i]);
    (void)vec_pop(&s->path);
}

void lint_triggers(struct linting *l, const struct catalogue *catalogue)
{
    struct search s = {.l = l, .catalogue = catalogue, .seen = map_new()};
    for (size_t i = 0; i < catalogue_count(catalogue); i++) {
        const struct dag *dag = catalogue_at(catalogue, i);
        for (uint32_t n = 0; n < dag->task_count; n++)
            if (dag->tasks[n].kind == KIND_TRIGGER_DAG)
                check_task(&s, dag, &dag->tasks[n]);
        if (!map_has(s.seen, dag->dag_id))
            follow(&s, dag);
    }
    map_free(s.seen);
    vec_done(&s.path);
}
