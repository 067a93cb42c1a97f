/* Reads changed files as one set, and works out what holds after it. */
#include "definition/catalogue_internal.h"
#include "definition/report.h"
#include "definition/versions.h"

/* What the new reading of one file gave. */
struct reading {
    struct catalogue_file *file;
    struct dagfile dags;
    struct arena *arena;
    struct diagnostics *diagnostics; /* in the arena */
    struct source *sources;
    size_t source_count;
    bool broken, duplicate;
};

struct adoption {
    struct catalogue *c;
    struct sources *sources;
    VEC(struct reading) readings;
};

/* Those that this reading asked for, of all that the adoption has read. */
static void keep_sources(struct adoption *a, struct reading *r)
{
    size_t count = sources_asked_count(a->sources);
    r->sources = arena_array(r->arena, struct source, count);
    for (size_t i = 0; i < count; i++) {
        const struct source *source = sources_asked_at(a->sources, i);
        struct source *kept = &r->sources[r->source_count++];
        *kept = *source;
        kept->path = arena_strdup(r->arena, source->path);
        kept->shown = NULL; /* the text and its names go with the readings */
        kept->text = (struct slice){0};
    }
}

static void read_file(struct adoption *a, struct catalogue_file *file)
{
    struct reading r = {.file = file, .arena = arena_new_tight()};
    struct error error;
    r.diagnostics = arena_new_of(r.arena, struct diagnostics);
    diagnostics_init(r.diagnostics, r.arena);
    struct dagfile_options options = {.project = a->c->options.project, .sources = a->sources};
    sources_begin(a->sources);
    enum status status = dagfile_load(&options, file->path, &r.dags, r.diagnostics, &error);
    r.broken = status != OK;
    if (r.broken && r.diagnostics->error_count == 0) {
        error_place(&error, file->path, 0, 0, NULL);
        report_error(r.diagnostics, &error);
    }
    keep_sources(a, &r);
    vec_push(&a->readings, r);
    file->reading = a->readings.count;
}

static enum status read_again(struct adoption *a, struct error *err)
{
    const struct catalogue_options *options = &a->c->options;
    if (options->between_reads)
        options->between_reads(options->between_reads_user);
    for (size_t i = 0; i < sources_count(a->sources); i++) {
        const struct source *source = sources_at(a->sources, i);
        if (!source_looks_same(source) || !source_reads_same(source))
            return error_set(err, ERR_UNSETTLED, "%s changed while it was read", source->shown);
    }
    return OK;
}

/* ---- who has which dag_id ---- */

/* What a file gives after the adoption: its new reading's DAGs, or its last good ones. */
struct given {
    struct dag *const *dags;
    size_t count;
};

static struct given what_it_gives(const struct adoption *a, const struct catalogue_file *file)
{
    const struct reading *r = file->reading ? &a->readings.at[file->reading - 1] : NULL;
    if (!file->present)
        return (struct given){0};
    if (r && !r->broken)
        return (struct given){r->dags.dags, r->dags.count};
    return (struct given){file->dags.at, file->dags.count};
}

static bool had(const struct catalogue_file *file, const char *dag_id)
{
    vec_each (dag, &file->dags)
        if (str_equal((*dag)->dag_id, dag_id))
            return true;
    return false;
}

/* The file that each dag_id belongs to: the one that had it, else the first that gives it. */
static void find_owners(const struct adoption *a, struct map *owners)
{
    for (int had_it = 1; had_it >= 0; had_it--)
        vec_each (file, &a->c->files) {
            struct given given = what_it_gives(a, *file);
            for (size_t i = 0; i < given.count; i++)
                if (!map_has(owners, given.dags[i]->dag_id) &&
                    (!had_it || had(*file, given.dags[i]->dag_id)))
                    map_set(owners, given.dags[i]->dag_id, *file);
        }
}

static void check_owner(const struct map *owners, struct reading *r, const struct dag *dag)
{
    const struct catalogue_file *owner = map_get(owners, dag->dag_id);
    struct error error;
    if (!owner || owner == r->file)
        return;
    error_set(&error, ERR_DUPLICATE, "the DAG `%s` is in %s already", dag->dag_id, owner->path);
    error_hint(&error, "give one of the two another `dag_id`");
    error_place(&error, r->file->path, dag->line, 1, NULL);
    report_error(r->diagnostics, &error);
    r->duplicate = true;
}

static void find_duplicates(struct adoption *a)
{
    CLEANUP(map_freep) struct map *owners = map_new();
    find_owners(a, owners);
    vec_each (r, &a->readings)
        for (size_t i = 0; !r->broken && i < r->dags.count; i++)
            check_owner(owners, r, r->dags.dags[i]);
    vec_each (r, &a->readings)
        r->broken |= r->duplicate;
}

/* ---- making it hold ---- */

static struct catalogue_change *add_change(
    struct catalogue *c, enum catalogue_change_kind kind, const char *path)
{
    struct catalogue_change change = {.kind = kind, .file = arena_strdup(c->arena, path)};
    vec_push(&c->changes, change);
    return &c->changes.at[c->changes.count - 1];
}

static bool same_mistakes(const struct diagnostics *a, const struct diagnostics *b)
{
    const struct diagnostic *x = a->first, *y = b->first;
    while (x && y && str_equal(x->error.message, y->error.message) &&
           x->error.place.line == y->error.place.line) {
        x = x->next;
        y = y->next;
    }
    return !x && !y;
}

static void tell_breakage(struct catalogue *c, const struct reading *r)
{
    const struct catalogue_file *file = r->file;
    bool told = file->broken && same_mistakes(file->diagnostics, r->diagnostics);
    if (r->broken && !told)
        add_change(c, CATALOGUE_BROKEN, file->path);
    else if (!r->broken && file->broken)
        add_change(c, CATALOGUE_MENDED, file->path);
}

/* A version that is the same stays the same object. */
static struct dag *same_version(const struct catalogue_file *file, const struct dag *dag)
{
    vec_each (old, &file->dags)
        if (str_equal((*old)->dag_id, dag->dag_id) && str_equal((*old)->version, dag->version))
            return *old;
    return NULL;
}

/* A version that is new to the catalogue, before anybody sees it. */
static void keep_version(struct catalogue *c, struct dag *dag, const struct sources *sources)
{
    if (c->options.keep && versions_keep(c->options.keep, dag, sources, &c->unkept) == OK)
        c->unkept.status = OK;
}

static void renew_dags(struct catalogue *c, struct reading *r, const struct sources *sources)
{
    dag_list dags = {0};
    for (size_t i = 0; i < r->dags.count; i++) {
        struct dag *old = same_version(r->file, r->dags.dags[i]);
        if (!old)
            keep_version(c, r->dags.dags[i], sources);
        vec_push(&dags, dag_ref(old ? old : r->dags.dags[i]));
    }
    vec_each (old, &r->file->dags)
        vec_push(&c->retired, *old);
    vec_done(&r->file->dags);
    r->file->dags = dags;
}

static void take_reading(struct catalogue *c, struct reading *r, const struct sources *sources)
{
    struct catalogue_file *file = r->file;
    tell_breakage(c, r);
    if (!r->broken)
        renew_dags(c, r, sources);
    arena_free(file->arena);
    file->arena = take(r->arena);
    file->sources = r->sources;
    file->source_count = r->source_count;
    file->diagnostics = r->diagnostics;
    file->broken = r->broken;
    file->read_again = false;
    file->duplicate = r->duplicate;
}

static void drop_removed(struct catalogue *c)
{
    for (size_t i = c->files.count; i-- > 0;) {
        struct catalogue_file *file = c->files.at[i];
        if (file->present)
            continue;
        if (file->broken)
            add_change(c, CATALOGUE_MENDED, file->path);
        vec_each (dag, &file->dags)
            vec_push(&c->retired, *dag);
        vec_clear(&file->dags);
        catalogue_file_done(file);
        vec_remove(&c->files, i);
    }
}

static int compare_dags(const void *a, const void *b)
{
    return strcmp((*(struct dag *const *)a)->dag_id, (*(struct dag *const *)b)->dag_id);
}

/* Both lists are sorted by dag_id. */
static const struct dag *find_in(const dag_list *dags, const struct dag *wanted)
{
    struct dag *const *found = NULL;
    if (dags->count)
        found = bsearch(&wanted, dags->at, dags->count, sizeof(*dags->at), compare_dags);
    return found ? *found : NULL;
}

static void tell_dags(struct catalogue *c, const dag_list *before)
{
    vec_each (dag, &c->all) {
        const struct dag *from = find_in(before, *dag);
        if (from == *dag)
            continue;
        struct catalogue_change *change = add_change(c, CATALOGUE_ADOPTED, (*dag)->file);
        change->dag = *dag;
        change->from = from;
    }
    vec_each (dag, before)
        if (!catalogue_find(c, (*dag)->dag_id))
            add_change(c, CATALOGUE_REMOVED, (*dag)->file)->dag = *dag;
}

static void list_dags(struct catalogue *c)
{
    vec_clear(&c->all);
    vec_each (file, &c->files)
        vec_each (dag, &(*file)->dags)
            vec_push(&c->all, *dag);
    if (c->all.count)
        qsort(c->all.at, c->all.count, sizeof(*c->all.at), compare_dags);
}

bool catalogue_restore(struct catalogue *c, struct dag *dag)
{
    if (catalogue_find(c, dag->dag_id))
        return false;
    vec_each (file, &c->files) {
        if (!(*file)->broken || !str_equal((*file)->path, dag->file))
            continue;
        vec_push(&(*file)->dags, dag_ref(dag));
        list_dags(c);
        return true;
    }
    return false;
}

static void make_hold(struct adoption *a)
{
    struct catalogue *c = a->c;
    dag_list before = c->all;
    c->all = (dag_list){0};
    find_duplicates(a);
    vec_each (r, &a->readings)
        take_reading(c, r, a->sources);
    drop_removed(c);
    list_dags(c);
    tell_dags(c, &before);
    vec_done(&before);
}

enum status catalogue_adopt(struct catalogue *c, struct error *err)
{
    struct adoption a = {.c = c, .sources = sources_new(c->options.project->root)};
    vec_each (file, &c->files)
        (*file)->reading = 0;
    /* A file that was broken by another one's dag_id may be whole now. */
    vec_each (file, &c->files)
        if ((*file)->present && ((*file)->dirty || (*file)->duplicate))
            read_file(&a, *file);
    enum status status = read_again(&a, err);
    if (status == OK)
        make_hold(&a);
    vec_each (r, &a.readings) {
        dagfile_done(&r->dags);
        arena_free(r->arena);
    }
    vec_done(&a.readings);
    sources_free(a.sources);
    return status;
}
