#include "definition/listing.h"

#include "base/vec.h"
#include "definition/dagfile.h"
#include "definition/kept.h"
#include "definition/report.h"
#include "definition/schedule_spec.h"

static const char file_name[] = "list.json";

/* A DAG file's. */
struct unit {
    const char *file; /* relative to the root */
    struct kept_files files;
    const struct listed_dag *dags;
    size_t dag_count;
    bool passing; /* not to be kept */
};
typedef VEC(struct unit *) unit_list;

/* ---- kept ------------------------------------------------------------------------------------ */

static const struct text_field {
    const char *key;
    size_t offset;
} text_fields[] = {
    {"dag_id", offsetof(struct listed_dag, dag_id)},
    {"file", offsetof(struct listed_dag, file)},
    {"schedule", offsetof(struct listed_dag, schedule)},
    {"schedule_spec", offsetof(struct listed_dag, schedule_spec)},
    {"timezone", offsetof(struct listed_dag, timezone)},
    {"version", offsetof(struct listed_dag, version)},
    {"owner", offsetof(struct listed_dag, owner)},
    {"description", offsetof(struct listed_dag, description)},
};

static const char **text_at(const struct listed_dag *dag, const struct text_field *field)
{
    return (const char **)((char *)(uintptr_t)dag + field->offset);
}

static void write_dag(struct json_writer *w, const struct listed_dag *dag)
{
    json_object_begin(w);
    for (size_t i = 0; i < ARRAY_SIZE(text_fields); i++)
        json_kv_str(w, text_fields[i].key, *text_at(dag, &text_fields[i]));
    json_key(w, "tags");
    json_array_begin(w);
    for (size_t i = 0; i < dag->tags.count; i++)
        json_str(w, dag->tags.at[i]);
    json_array_end(w);
    json_kv_int(w, "tasks", dag->task_count);
    json_kv_bool(w, "paused", dag->paused);
    json_object_end(w);
}

static struct listed_dag read_dag(const json_t *object, struct arena *arena)
{
    struct listed_dag dag = {.paused = json_is_true(json_object_get(object, "paused")),
        .task_count = (uint32_t)json_integer_value(json_object_get(object, "tasks"))};
    const json_t *tags = json_object_get(object, "tags");
    const char **names = arena_array(arena, const char *, json_array_size(tags));
    for (size_t i = 0; i < ARRAY_SIZE(text_fields); i++)
        *text_at(&dag, &text_fields[i]) =
            arena_strdup(arena, json_string_value(json_object_get(object, text_fields[i].key)));
    for (size_t i = 0; i < json_array_size(tags); i++)
        names[i] = arena_strdup(arena, json_string_value(json_array_get(tags, i)));
    dag.tags = (struct names){names, json_array_size(tags)};
    return dag;
}

/* A unit that still holds; NULL otherwise. */
static struct unit *read_unit(struct kept *kept, const json_t *line, struct arena *arena)
{
    const json_t *places = json_object_get(line, "files"), *dags = json_object_get(line, "dags");
    struct kept_file *files = arena_array(arena, struct kept_file, json_array_size(places));
    struct listed_dag *listed = arena_array(arena, struct listed_dag, json_array_size(dags));
    struct unit *unit = arena_new_of(arena, struct unit);
    *unit =
        (struct unit){.file = arena_strdup(arena, json_string_value(json_object_get(line, "file"))),
            .files = {files, json_array_size(places)},
            .dags = listed,
            .dag_count = json_array_size(dags)};
    for (size_t i = 0; i < unit->files.count; i++) {
        size_t place = (size_t)json_integer_value(json_array_get(places, i));
        if (!kept_file_at(kept, place, arena, &files[i]) || !kept_file_holds(kept, place))
            return NULL;
    }
    for (size_t i = 0; i < unit->dag_count; i++) {
        listed[i] = read_dag(json_array_get(dags, i), arena);
        if (!listed[i].dag_id || !listed[i].file || !listed[i].version)
            return NULL;
    }
    return unit->file && unit->files.count ? unit : NULL;
}

/* Those that still hold, by their files. */
static struct map *read_units(const struct project *project, struct arena *arena)
{
    struct map *units = map_new();
    struct kept kept;
    json_t *line = NULL;
    bool same = kept_open(&kept, project, file_name);
    while (same && kept_next(&kept, &line)) {
        struct unit *unit = read_unit(&kept, line, arena);
        if (unit)
            map_set(units, unit->file, unit);
        json_decref(line);
    }
    kept_done(&kept);
    return units;
}

static void write_units(const struct project *project, const unit_list *units)
{
    struct keeping k;
    VEC(struct kept_file) all = {0};
    vec_each (unit, units)
        for (size_t i = 0; i < (*unit)->files.count; i++)
            vec_push(&all, (*unit)->files.at[i]);
    bool keeps = kept_begin(&k, project, (struct kept_files){all.at, all.count});
    vec_done(&all);
    if (!keeps)
        return;
    kept_end_head(&k);
    vec_each (unit, units) {
        struct json_writer w = json_begin(&k.text);
        if ((*unit)->passing)
            continue;
        json_object_begin(&w);
        json_kv_str(&w, "file", (*unit)->file);
        kept_put_files(&k, &w, (*unit)->files);
        json_key(&w, "dags");
        json_array_begin(&w);
        for (size_t i = 0; i < (*unit)->dag_count; i++)
            write_dag(&w, &(*unit)->dags[i]);
        json_array_end(&w);
        json_object_end(&w);
        strbuf_add_char(&k.text, '\n');
    }
    kept_write(&k, project, file_name);
}

/* ---- from the files -------------------------------------------------------------------------- */

struct listed_dag listed_dag_of(const struct dag *dag)
{
    return (struct listed_dag){.dag_id = dag->dag_id,
        .file = dag->file,
        .schedule = dag->schedule_text,
        .schedule_spec = dag->schedule_spec,
        .timezone = zone_name(dag->zone),
        .version = dag->version,
        .owner = dag->owner,
        .description = dag->description,
        .tags = dag->tags,
        .task_count = dag->task_count,
        .paused = dag->paused,
        .timetable = dag->timetable};
}

static struct listed_dag copy_of(struct listed_dag dag, struct arena *arena)
{
    const char **names = arena_array(arena, const char *, dag.tags.count);
    for (size_t i = 0; i < ARRAY_SIZE(text_fields); i++) {
        const char **text = text_at(&dag, &text_fields[i]);
        *text = arena_strdup(arena, *text);
    }
    for (size_t i = 0; i < dag.tags.count; i++)
        names[i] = arena_strdup(arena, dag.tags.at[i]);
    dag.tags.at = names;
    dag.timetable = NULL;
    return dag;
}

/* What has mistakes is not kept: they are told each time. */
static void load_unit(const struct project *project, const char *file, struct arena *arena,
    struct unit **ret, struct diagnostics *mistakes)
{
    CLEANUP(sources_freep) struct sources *sources = sources_new(project->root);
    struct dagfile_options options = {
        .project = project, .sources = sources, .keep_schedule = true};
    struct diagnostics own;
    struct dagfile loaded;
    struct error error;
    struct unit *unit = arena_new_of(arena, struct unit);
    diagnostics_init(&own, arena);
    enum status status = dagfile_load(&options, file, &loaded, &own, &error);
    struct listed_dag *dags = arena_array(arena, struct listed_dag, loaded.count);
    unit->file = arena_strdup(arena, file);
    unit->files = kept_files_asked(sources, arena, &unit->passing);
    unit->passing |= status != OK;
    for (size_t i = 0; i < loaded.count; i++)
        dags[i] = copy_of(listed_dag_of(loaded.dags[i]), arena);
    unit->dags = dags;
    unit->dag_count = loaded.count;
    dagfile_done(&loaded);
    *ret = unit;
    if (status == OK || status == ERR_NOT_FOUND) /* it was removed just now */
        return;
    if (status != ERR_DEFINITION)
        report_error(&own, &error);
    for (const struct diagnostic *d = own.first; d; d = d->next)
        report_copy(mistakes, d);
}

/* ---- all ------------------------------------------------------------------------------------- */

static int compare_ids(const void *a, const void *b)
{
    const struct listed_dag *x = a, *y = b;
    return strcmp(x->dag_id, y->dag_id);
}

static enum status gather(
    const unit_list *units, struct arena *arena, struct listing *ret, struct error *err)
{
    VEC(struct listed_dag) all = {0};
    enum status status = OK;
    vec_each (unit, units)
        for (size_t i = 0; i < (*unit)->dag_count; i++)
            vec_push(&all, (*unit)->dags[i]);
    if (all.count)
        qsort(all.at, all.count, sizeof(*all.at), compare_ids);
    for (size_t i = 1; status == OK && i < all.count; i++)
        if (str_equal(all.at[i].dag_id, all.at[i - 1].dag_id))
            status = error_set(err, ERR_DUPLICATE, "two files have a DAG `%s`", all.at[i].dag_id);
    *ret = (struct listing){.count = all.count};
    if (all.count)
        ret->at = arena_memdup(arena, all.at, all.count * sizeof(*all.at));
    vec_done(&all);
    return status;
}

enum status listing_read(const struct project *project, struct arena *arena, struct listing *ret,
    struct diagnostics *mistakes, struct error *err)
{
    struct names files;
    unit_list units = {0};
    enum status status = dagfile_list(project, arena, &files, err);
    CLEANUP(map_freep) struct map *kept = read_units(project, arena);
    bool changed = status == OK && map_count(kept) != files.count;
    for (size_t i = 0; status == OK && i < files.count; i++) {
        struct unit *unit = map_get(kept, files.at[i]);
        if (!unit) {
            changed = true;
            load_unit(project, files.at[i], arena, &unit, mistakes);
        }
        vec_push(&units, unit);
    }
    if (status == OK && changed)
        write_units(project, &units);
    if (status == OK)
        status = gather(&units, arena, ret, err);
    vec_done(&units);
    return status;
}

const struct timetable *listed_timetable(const struct listed_dag *dag, struct arena *arena)
{
    struct schedule_spec spec;
    struct timetable *timetable;
    const struct zone *zone;
    if (dag->timetable)
        return dag->timetable;
    if (!dag->schedule_spec || !schedule_spec_read(dag->schedule_spec, arena, &spec) ||
        zone_load(dag->timezone, &zone, NULL) != OK ||
        timetable_parse(arena, &spec, zone, &timetable, NULL) != OK)
        return NULL;
    return timetable;
}
