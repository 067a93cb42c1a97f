/* The checks of all DAGs together, and that of the tables they share. */
#include "definition/lint_across.h"

#include "base/vec.h"

void across_add(const struct across *a, const struct dag_facts *dag, const struct fact_name *at,
    const char *code, struct error *error)
{
    struct linting *l = a->l;
    if (sources_read(l->sources, dag->file, &l->dag_source, NULL) != OK)
        return; /* it is told as unreadable */
    lint_place(l, error, at->line, at->column, NULL, NULL);
    lint_add(l, lint_code_find(slice_of(code))->severity, code, error);
}

const char *const *across_ids(const struct across *a)
{
    const char **ids = arena_array(a->l->arena, const char *, a->count);
    for (size_t i = 0; i < a->count; i++)
        ids[i] = a->dags[i]->dag_id;
    return ids;
}

/* ---- which DAGs follow which ----------------------------------------------------------------- */

/* A DAG of a list, and the table for which it is in it; NULL: for another reason. */
struct member {
    const struct dag_facts *dag;
    const struct fact_table *table;
};
typedef VEC(struct member) member_list;

/* By what a DAG is known to wait for another, or to be started by it. */
struct following {
    const struct across *a;
    struct map *makers;   /* asset → member_list */
    struct map *starters; /* id of a DAG → member_list of those that trigger it */
};

static void add_to(
    struct map *lists, const char *key, const struct dag_facts *dag, const struct fact_table *table)
{
    member_list *list = map_get(lists, key);
    if (!list) {
        list = mem_alloc_zero(1, sizeof(*list));
        map_set(lists, key, list);
    }
    vec_push(list, ((struct member){dag, table}));
}

static void free_lists(struct map *lists)
{
    void *list;
    for (size_t cursor = 0; map_next(lists, &cursor, NULL, &list);) {
        vec_done((member_list *)list);
        mem_free(list);
    }
    map_free(lists);
}

static struct following following_new(const struct across *a)
{
    struct following f = {a, map_new(), map_new()};
    for (size_t i = 0; i < a->count; i++) {
        const struct dag_facts *dag = a->dags[i];
        for (size_t k = 0; k < dag->makes.count; k++)
            add_to(f.makers, dag->makes.at[k], dag, NULL);
        for (size_t k = 0; k < dag->triggers.count; k++)
            if (dag->triggers.at[k].dag.name)
                add_to(f.starters, dag->triggers.at[k].dag.name, dag, NULL);
    }
    return f;
}

struct search {
    struct map *seen; /* ids */
    VEC(const struct dag_facts *) open;
};

static void push(struct search *s, const struct dag_facts *dag)
{
    if (!dag || map_has(s->seen, dag->dag_id))
        return;
    map_set(s->seen, dag->dag_id, s);
    vec_push(&s->open, dag);
}

static void push_list(struct search *s, const struct map *lists, const char *key)
{
    const member_list *list = map_get(lists, key);
    for (size_t i = 0; list && i < list->count; i++)
        push(s, list->at[i].dag);
}

/* The DAGs that one follows directly. */
static void push_before(struct search *s, const struct following *f, const struct dag_facts *dag)
{
    const struct names *assets[] = {&dag->consumes, &dag->awaits};
    for (size_t n = 0; n < ARRAY_SIZE(assets); n++)
        for (size_t i = 0; i < assets[n]->count; i++)
            push_list(s, f->makers, assets[n]->at[i]);
    for (size_t i = 0; i < dag->waits.count; i++)
        if (dag->waits.at[i].dag.name)
            push(s, map_get(f->a->by_id, dag->waits.at[i].dag.name));
    for (size_t i = 0; i < dag->triggers.count; i++)
        if (dag->triggers.at[i].wait && dag->triggers.at[i].dag.name)
            push(s, map_get(f->a->by_id, dag->triggers.at[i].dag.name));
    push_list(s, f->starters, dag->dag_id);
}

/* The ids of all DAGs that one follows, through others too, itself among them. */
static struct map *all_before(const struct following *f, const struct dag_facts *dag)
{
    struct search s = {.seen = map_new()};
    push(&s, dag);
    for (size_t i = 0; i < s.open.count; i++)
        push_before(&s, f, s.open.at[i]);
    vec_done(&s.open);
    return s.seen;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static char *key_of(struct arena *arena, const struct fact_table *table)
{
    return arena_printf(arena, "%s %s", table->connection ? table->connection : "", table->table);
}

/* What people start, they put in order. */
static bool runs_by_itself(const struct following *f, const struct dag_facts *dag)
{
    return dag->scheduled || map_has(f->starters, dag->dag_id);
}

/* Table → member_list */
static struct map *find_fillers(const struct following *f)
{
    struct map *fillers = map_new();
    for (size_t i = 0; i < f->a->count; i++) {
        const struct dag_facts *dag = f->a->dags[i];
        bool counts = runs_by_itself(f, dag);
        for (size_t k = 0; counts && k < dag->tables.count; k++)
            if (dag->tables.at[k].fills)
                add_to(
                    fillers, key_of(f->a->l->arena, &dag->tables.at[k]), dag, &dag->tables.at[k]);
    }
    return fillers;
}

static void report_shared(const struct across *a, const struct dag_facts *dag,
    const struct fact_table *table, const struct member *filler)
{
    const struct fact_name at = {.line = table->line, .column = 1};
    struct error error;
    error_set(&error, ERR_LINT,
        "`%s` reads `%s`, which `%s` of the DAG `%s` writes at no certain time before it",
        table->by, table->table, filler->table->by, filler->dag->dag_id);
    error_hint(&error,
        "let a sensor wait for it (`wait_for: {task: {dag: %s}}`), or an asset, unless it is to "
        "read what was there before",
        filler->dag->dag_id);
    across_add(a, dag, &at, "read-across-dags", &error);
}

/* One finding for each other DAG; none for a table that a DAG which it follows fills too. */
static void check_reader(
    const struct following *f, const struct dag_facts *dag, const struct map *fillers)
{
    struct map *before = all_before(f, dag); /* and what is told of */
    for (size_t i = 0; i < dag->tables.count; i++) {
        const struct fact_table *table = &dag->tables.at[i];
        const member_list *list =
            table->fills ? NULL : map_get(fillers, key_of(f->a->l->arena, table));
        bool follows = false;
        for (size_t k = 0; list && k < list->count; k++)
            follows |= list->at[k].dag->opaque || map_has(before, list->at[k].dag->dag_id);
        if (!list || follows)
            continue;
        report_shared(f->a, dag, table, &list->at[0]);
        map_set(before, list->at[0].dag->dag_id, before);
    }
    map_free(before);
}

void lint_shared_tables(const struct across *a)
{
    struct following f = following_new(a);
    struct map *fillers = find_fillers(&f);
    for (size_t i = 0; i < a->count; i++)
        if (a->dags[i]->tables.count && !a->dags[i]->opaque && runs_by_itself(&f, a->dags[i]))
            check_reader(&f, a->dags[i], fillers);
    free_lists(fillers);
    free_lists(f.makers);
    free_lists(f.starters);
}
