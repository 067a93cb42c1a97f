/* Loads DAG files: documents, the keys of a DAG, parameters. */
#include "definition/dagfile.h"
#include <ctype.h>
#include "definition/limits.h"
#include "definition/loading.h"
#include "definition/param.h"
#include "definition/report.h"

void loading_use(struct loading *l, const struct source *source)
{
    vec_each (used, &l->used)
        if (*used == source)
            return;
    vec_push(&l->used, source);
}

const struct source *loading_find(struct loading *l, const struct yaml_node *node)
{
    const struct source *source = NULL;
    struct error error;
    const char *name = node->kind == YAML_SCALAR ? node->value.p : "";
    const char *beside = path_join(l->scratch, path_dir(l->scratch, l->file), name);
    const char *paths[] = {beside, name};
    for (size_t i = 0; path_is_inside(name) && i < ARRAY_SIZE(paths); i++) {
        if (sources_read(l->sources, paths[i], &source, &error) != OK) {
            report_from(l->diagnostics, node, &error, NULL);
            return NULL;
        }
        if (!source->missing) {
            loading_use(l, source);
            return source;
        }
    }
    report_hint(report(l->diagnostics, node, ERR_UNKNOWN_REFERENCE, "there is no file `%s`", name),
        "looked for %s and %s", beside, name);
    return NULL;
}

bool loading_check_id(
    struct loading *l, const struct yaml_node *node, const char *id, const char *what, bool dots)
{
    if (strlen(id) > ID_LENGTH_MAX) {
        report(l->diagnostics, node, ERR_BAD_NAME, "the id of this %s is longer than %d characters",
            what, ID_LENGTH_MAX);
        return false;
    }
    /* Dots of the groups before it are no mistake of this name. */
    const char *name = node->kind == YAML_SCALAR ? node->value.p : id;
    bool ok = name[0] != '\0';
    for (const char *p = name; *p; p++)
        ok &= isalnum((unsigned char)*p) || *p == '_' || *p == '-' || (dots && *p == '.');
    if (!ok)
        report_hint(
            report(l->diagnostics, node, ERR_BAD_NAME, "`%s` cannot be the id of a %s", name, what),
            "use letters, digits, `_`%s and `-`", dots ? ", `.`" : "");
    return ok;
}

void loading_unknown(struct loading *l, const struct yaml_node *node, const char *what,
    const char *name, const struct names *candidates)
{
    struct error error;
    error_set(&error, ERR_UNKNOWN_REFERENCE, "there is no %s `%s`", what, name);
    error_at(
        &error, node->source->file, node->source->text.p, node->source->text.size, node->offset);
    const char *near = suggest(name, candidates->at, candidates->count);
    if (near)
        error_hint(&error, "did you mean `%s`?", near);
    else
        error_hint(&error, "declare it under `%ss` in dag.yaml", what);
    if (l->options->references_optional)
        report_warning(l->diagnostics, &error, report_code(ERR_UNKNOWN_REFERENCE));
    else
        report_error(l->diagnostics, &error);
}

/* ---- the keys of a DAG ---- */

static void load_catchup(struct loading *l, const struct yaml_node *node)
{
    static const struct {
        const char *word;
        enum catchup catchup;
    } words[] = {{"latest", CATCHUP_LATEST}, {"all", CATCHUP_ALL}, {"none", CATCHUP_NONE}};
    l->dag->catchup = CATCHUP_LATEST;
    if (!node || (node->kind == YAML_SCALAR && node->type == YAML_NULL))
        return;
    if (node->kind == YAML_SCALAR && node->type == YAML_BOOL) {
        l->dag->catchup = node->boolean ? CATCHUP_ALL : CATCHUP_LATEST;
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (yaml_is_text(node, words[i].word)) {
            l->dag->catchup = words[i].catchup;
            return;
        }
    report_hint(report(l->diagnostics, node, ERR_VALUE_RANGE, "`catchup` has no such form"),
        "write latest (or false), all (or true) or none");
}

void load_params(struct loading *l, const struct yaml_node *params)
{
    l->dag->params = params_read(params, l->arena, l->diagnostics, &l->dag->param_count);
}

static const char *default_dag_id(struct loading *l)
{
    const char *base = path_base(l->file);
    const char *dot = strrchr(base, '.');
    return arena_strndup(l->arena, base, dot ? (size_t)(dot - base) : strlen(base));
}

static void fill_dag(struct loading *l, const struct dag_keys *keys)
{
    struct dag *dag = l->dag;
    const struct yaml_node *id = yaml_get(l->document, "dag_id");
    dag->dag_id = keys->dag_id ? keys->dag_id : default_dag_id(l);
    loading_check_id(l, id && id->kind == YAML_SCALAR ? id : l->document, dag->dag_id, "DAG", true);
    dag->file = arena_strdup(l->arena, l->file);
    dag->description = keys->description;
    dag->owner = keys->owner;
    dag->tags = keys->tags;
    dag->line = l->document->line;
    dag->max_active_runs = keys->max_active_runs;
    dag->max_active_tasks = keys->max_active_tasks;
    dag->max_consecutive_failed_runs = keys->max_consecutive_failed_runs;
    dag->priority = keys->priority;
    dag->run_timeout_us = keys->run_timeout_us;
    dag->fail_fast = keys->fail_fast;
    dag->paused = keys->paused;
    dag->deadline = load_deadline(l, keys->deadline);
}

static void load_document(struct loading *l)
{
    struct dag_keys keys = {
        .max_active_runs = 16, .max_active_tasks = 16, .paused = l->project->paused_upon_creation};
    struct keys_reader reader = {l->arena, l->diagnostics, 0, false};
    keys_read(&reader, &dag_level, l->document, &keys, NULL);
    if (l->document->kind != YAML_MAPPING)
        return;
    fill_dag(l, &keys);
    load_catchup(l, keys.catchup);
    load_schedule(l, &keys);
    load_params(l, keys.params);
    load_tasks(l, keys.default_args);
    load_graph(l);
}

/* ---- one file ---- */

typedef VEC(struct dag *) dag_list;

static struct dag *new_dag(void)
{
    struct arena *arena = arena_new_tight();
    struct dag *dag = arena_new_of(arena, struct dag);
    atomic_init(&dag->references, 1);
    dag->arena = arena;
    return dag;
}

static void check_duplicate(struct loading *l, const dag_list *dags)
{
    vec_each (other, dags) {
        if (!str_equal((*other)->dag_id, l->dag->dag_id))
            continue;
        const struct yaml_node *id = yaml_get(l->document, "dag_id");
        struct diagnostic *d = report(l->diagnostics, id ? id : l->document, ERR_DUPLICATE,
            "the file has two DAGs `%s`", l->dag->dag_id);
        report_hint(d, id ? "give each a `dag_id` of its own"
                          : "without `dag_id` a DAG has the file's name: give each its own");
        return;
    }
}

static void load_one(struct loading *l, const struct yaml_node *document,
    const struct source *source, dag_list *dags)
{
    size_t errors = l->diagnostics->error_count;
    l->dag = new_dag();
    l->arena = l->dag->arena;
    l->document = document;
    vec_clear(&l->used);
    vec_clear(&l->tasks);
    vec_clear(&l->groups);
    loading_use(l, source);
    load_document(l);
    if (l->dag->dag_id)
        check_duplicate(l, dags);
    if (l->diagnostics->error_count == errors)
        load_manifest(l);
    vec_push(dags, l->dag);
}

static bool is_empty_document(const struct yaml_node *document)
{
    return document->kind == YAML_SCALAR && document->type == YAML_NULL;
}

static void load_documents(
    struct loading *l, const struct yaml_file *file, const struct source *source, dag_list *dags)
{
    bool any = false;
    for (size_t i = 0; i < file->count; i++) {
        struct yaml_node **documents;
        size_t count;
        if (is_empty_document(file->documents[i]))
            continue;
        any = true;
        load_foreach(l, file->documents[i], &documents, &count);
        for (size_t j = 0; j < count; j++)
            load_one(l, documents[j], source, dags);
    }
    if (!any && l->diagnostics->error_count == 0)
        report_offset(l->diagnostics, &file->source, 0, ERR_DEFINITION, "the file has no DAG");
}

void dagfile_done(struct dagfile *file)
{
    for (size_t i = 0; i < file->count; i++)
        dag_unref(file->dags[i]);
    mem_free(file->dags);
    *file = (struct dagfile){0};
}

static enum status finish(
    struct loading *l, dag_list *dags, size_t errors, struct dagfile *ret, struct error *err)
{
    *ret = (struct dagfile){dags->at, dags->count};
    vec_done(&l->used);
    vec_done(&l->tasks);
    vec_done(&l->groups);
    if (l->diagnostics->error_count == errors)
        return OK;
    dagfile_done(ret);
    size_t count = l->diagnostics->error_count - errors;
    return error_set(
        err, ERR_DEFINITION, "%s has %zu mistake%s", l->file, count, count == 1 ? "" : "s");
}

static enum status load_source(const struct dagfile_options *options, struct sources *sources,
    const char *path, struct dagfile *ret, struct diagnostics *diagnostics, struct error *err)
{
    const struct source *source;
    enum status status = sources_read(sources, path, &source, err);
    if (status != OK)
        return status;
    if (source->missing)
        return error_set(err, ERR_NOT_FOUND, "there is no DAG file %s", source->shown);
    CLEANUP(arena_freep) struct arena *scratch = arena_new();
    struct loading l = {.options = options,
        .project = options->project,
        .sources = sources,
        .scratch = scratch,
        .diagnostics = diagnostics,
        .file = source->shown};
    struct yaml_file file;
    dag_list dags = {0};
    size_t errors = diagnostics->error_count;
    /* Mistakes in the YAML are in the diagnostics; what could be read is checked all the same. */
    if (yaml_read(source->shown, source->text, scratch, diagnostics, &file) == OK || file.count)
        load_documents(&l, &file, source, &dags);
    return finish(&l, &dags, errors, ret, err);
}

enum status dagfile_load(const struct dagfile_options *options, const char *path,
    struct dagfile *ret, struct diagnostics *diagnostics, struct error *err)
{
    *ret = (struct dagfile){0};
    if (options->sources)
        return load_source(options, options->sources, path, ret, diagnostics, err);
    CLEANUP(sources_freep) struct sources *sources = sources_new(options->project->root);
    return load_source(options, sources, path, ret, diagnostics, err);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum status dagfile_list(
    const struct project *project, struct arena *arena, struct names *ret, struct error *err)
{
    static const char *const suffixes[] = {".yaml", ".yml"};
    const char *folder = path_join(arena, project->root, project->dags);
    const char **found[ARRAY_SIZE(suffixes)], **all;
    size_t counts[ARRAY_SIZE(suffixes)], count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        enum status status = dir_list(folder, suffixes[i], arena, &found[i], &counts[i], err);
        if (status != OK)
            return status;
        count += counts[i];
    }
    *ret = (struct names){all = arena_array(arena, const char *, count), count};
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
        for (size_t k = 0; k < counts[i]; k++)
            *all++ = path_join(arena, project->dags, found[i][k]);
    if (count)
        qsort(all - count, count, sizeof(*all), compare_paths);
    return OK;
}
