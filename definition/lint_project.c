/* Lint of all DAG files together, and of some of them among all. */
#include <limits.h>
#include "definition/dagfile.h"
#include "definition/lint_across.h"
#include "definition/lint_unit.h"
#include "definition/report.h"

/* The project's DAG files, and what is said of each. */
struct linted {
    const struct project *project;
    struct sources *sources; /* all that any of them depends on */
    struct arena *arena;
    unit_list units; /* sorted by their files */
    bool changed;    /* not all units are as they were kept */
};

static void linted_done(struct linted *all)
{
    vec_done(&all->units);
    sources_free(all->sources);
    arena_free(all->arena);
}

/* The project's own files, for what stands in them. */
static void read_project_files(const struct linted *all)
{
    const struct source *source;
    const char *environment = all->project->environment;
    char name[PATH_MAX];
    snprintf(name, sizeof(name), "dag.%s.yaml", environment ? environment : "");
    const char *const names[] = {"dag.yaml", name};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (sources_read(all->sources, names[i], &source, NULL) != OK)
            return; /* the project could not have been read */
}

/* Each file's unit as it was kept when it still holds, else a new one. */
static enum status lint_all(const struct project *project, struct linted *ret, struct error *err)
{
    struct names files;
    *ret = (struct linted){
        .project = project, .sources = sources_new(project->root), .arena = arena_new()};
    CLEANUP(map_freep) struct map *kept = lint_cache_units(project, ret->arena);
    enum status status = dagfile_list(project, ret->arena, &files, err);
    read_project_files(ret);
    for (size_t i = 0; status == OK && i < files.count; i++) {
        struct lint_unit *unit = map_get(kept, files.at[i]);
        if (!unit || !lint_unit_holds(unit, ret->sources)) {
            ret->changed = true;
            status = lint_unit_new(project, ret->sources, files.at[i], ret->arena, &unit, err);
        }
        if (status == OK)
            vec_push(&ret->units, unit);
        else if (status == ERR_NOT_FOUND)
            status = OK; /* it was removed just now */
    }
    return status;
}

/* ---- all together ---------------------------------------------------------------------------- */

static void report_duplicate(
    const struct dag_facts *dag, const struct dag_facts *first, struct diagnostics *found)
{
    struct error error;
    error_set(&error, ERR_DUPLICATE, "the DAG `%s` is in %s already", dag->dag_id, first->file);
    error_hint(&error, "give one of the two another `dag_id`");
    error_place(&error, dag->file, dag->line, 1, NULL);
    report_error(found, &error);
}

/* Whether all of a file's ids are its own; the file that comes first has an id. */
static bool owns_its_ids(
    const struct lint_unit *unit, const struct map *owners, struct diagnostics *found)
{
    bool own = true;
    for (size_t i = 0; i < unit->dag_count; i++) {
        const struct dag_facts *first = map_get(owners, unit->dags[i]->dag_id);
        if (first == unit->dags[i])
            continue;
        report_duplicate(unit->dags[i], first, found);
        own = false;
    }
    return own;
}

static int compare_ids(const void *a, const void *b)
{
    const struct dag_facts *x = *(const struct dag_facts *const *)a;
    const struct dag_facts *y = *(const struct dag_facts *const *)b;
    return strcmp(x->dag_id, y->dag_id);
}

/* What only the files together show. */
static void check_across(const struct linted *all, struct diagnostics *found)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(map_freep) struct map *owners = map_new();
    struct linting l = {
        .project = all->project, .sources = all->sources, .arena = arena, .findings = found};
    struct across across = {.l = &l, .by_id = owners};
    VEC(const struct dag_facts *) dags = {0};
    vec_each (unit, &all->units)
        for (size_t i = 0; i < (*unit)->dag_count; i++)
            if (!map_has(owners, (*unit)->dags[i]->dag_id))
                map_set(owners, (*unit)->dags[i]->dag_id, (void *)(uintptr_t)(*unit)->dags[i]);
    vec_each (unit, &all->units) {
        bool whole = !(*unit)->broken && owns_its_ids(*unit, owners, found);
        across.broken |= !whole;
        for (size_t i = 0; whole && i < (*unit)->dag_count; i++)
            vec_push(&dags, (*unit)->dags[i]);
    }
    if (dags.count)
        qsort(dags.at, dags.count, sizeof(*dags.at), compare_ids);
    across.dags = dags.at;
    across.count = dags.count;
    lint_assets(&across);
    lint_sensors(&across);
    lint_triggers(&across);
    lint_shared_tables(&across);
    vec_done(&dags);
}

static void add_found(const struct lint_unit *unit, struct diagnostics *found)
{
    for (const struct diagnostic *d = unit->found->first; d; d = d->next)
        report_copy(found, d);
    found->dropped += unit->found->dropped;
}

enum status lint_project(
    const struct project *project, struct diagnostics *findings, struct error *err)
{
    struct linted all;
    struct diagnostics found;
    if (lint_cache_read(project, findings))
        return OK;
    enum status status = lint_all(project, &all, err);
    diagnostics_init(&found, all.arena);
    vec_each (unit, &all.units)
        add_found(*unit, &found);
    if (status == OK) {
        check_across(&all, &found);
        lint_endpoints(project, &found);
        lint_finish(all.sources, NULL, &found, findings);
        lint_cache_write(project, all.sources, &all.units, findings);
    }
    linted_done(&all);
    return status;
}

/* ---- some of them ---------------------------------------------------------------------------- */

static struct lint_unit *find_unit(const struct linted *all, const char *path)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char *wanted = path_absolute(arena, path_join(arena, all->project->root, path));
    vec_each (unit, &all->units)
        if (str_equal(wanted, (*unit)->files.at[0].path))
            return *unit;
    return NULL;
}

/* The files that the chosen units depend on, and no others. */
static void read_their_files(const struct map *chosen, struct sources *sources)
{
    void *unit;
    for (size_t cursor = 0; map_next(chosen, &cursor, NULL, &unit);)
        (void)lint_unit_holds(unit, sources); /* what has changed since is told next time */
}

/* What was found in the chosen files, and of what only all together show what stands in them. */
static void finish_chosen(
    struct linted *all, const struct map *chosen, struct diagnostics *findings)
{
    CLEANUP(sources_freep) struct sources *sources = sources_new(all->project->root);
    struct diagnostics found, across;
    void *unit;
    diagnostics_init(&found, all->arena);
    diagnostics_init(&across, all->arena);
    for (size_t cursor = 0; map_next(chosen, &cursor, NULL, &unit);)
        add_found(unit, &found);
    check_across(all, &across);
    for (const struct diagnostic *d = across.first; d; d = d->next)
        if (map_has(chosen, d->error.place.file))
            report_copy(&found, d);
    read_their_files(chosen, sources);
    lint_finish(sources, chosen, &found, findings);
}

enum status lint_files(const struct project *project, const struct names *paths,
    struct diagnostics *findings, struct error *err)
{
    struct linted all = {.project = project};
    CLEANUP(map_freep) struct map *chosen = map_new();
    enum status status = OK;
    if (!project->bare)
        status = lint_all(project, &all, err);
    else
        all = (struct linted){project, sources_new(project->root), arena_new(), {0}, false};
    for (size_t i = 0; status == OK && i < paths->count; i++) {
        struct lint_unit *unit = find_unit(&all, paths->at[i]);
        if (!unit)
            status = lint_unit_new(project, all.sources, paths->at[i], all.arena, &unit, err);
        if (status == OK)
            map_set(chosen, unit->file, unit);
    }
    if (status == OK && all.changed && !project->bare)
        lint_cache_write(project, all.sources, &all.units, NULL);
    if (status == OK)
        finish_chosen(&all, chosen, findings);
    linted_done(&all);
    return status;
}

enum status lint_file(const struct project *project, const char *path, struct diagnostics *findings,
    struct error *err)
{
    return lint_files(project, &(struct names){&path, 1}, findings, err);
}
