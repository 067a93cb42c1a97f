/*
 * What `dag lint` found last, kept with all that it depends on (definition/kept.h).
 *
 * The head has the whole report, for the run after which nothing has changed; then comes a unit for
 * each DAG file, so that a change is followed by the check of the files
 * that it concerns.  What only all DAGs together show is worked out again from the units.
 */
#include "definition/kept.h"
#include "definition/lint_internal.h"
#include "definition/lint_unit.h"

static const char file_name[] = "lint.json";

/* ---- writing --------------------------------------------------------------------------------- */

static void write_finding(struct json_writer *w, const struct diagnostic *d)
{
    json_object_begin(w);
    json_kv_str(w, "severity", d->severity);
    json_kv_str(w, "code", d->code);
    json_kv_int(w, "status", d->error.status);
    json_kv_str(w, "message", d->error.message);
    json_kv_str(w, "hint", d->error.hint);
    json_kv_str(w, "file", d->error.place.file);
    json_kv_int(w, "line", d->error.place.line);
    json_kv_int(w, "column", d->error.place.column);
    json_kv_str(w, "excerpt", d->error.excerpt);
    json_kv_str(w, "trace", d->error.trace);
    json_object_end(w);
}

static void write_findings(struct json_writer *w, const struct diagnostics *findings)
{
    json_key(w, "findings");
    json_array_begin(w);
    for (const struct diagnostic *d = findings->first; d; d = d->next)
        write_finding(w, d);
    json_array_end(w);
}

static void write_unit(struct keeping *k, const struct lint_unit *unit)
{
    struct json_writer w = json_begin(&k->text);
    json_object_begin(&w);
    json_kv_str(&w, "file", unit->file);
    json_kv_bool(&w, "broken", unit->broken);
    kept_put_files(k, &w, unit->files);
    write_findings(&w, unit->found);
    json_key(&w, "dags");
    json_array_begin(&w);
    for (size_t i = 0; i < unit->dag_count; i++)
        dag_facts_write(&w, unit->dags[i]);
    json_array_end(&w);
    json_object_end(&w);
    strbuf_add_char(&k->text, '\n');
}

/* All that any unit depends on, and what the project itself is made of. */
static struct kept_files all_files(const struct sources *sources, struct arena *arena)
{
    struct kept_file *files = arena_array(arena, struct kept_file, sources_count(sources));
    for (size_t i = 0; i < sources_count(sources); i++) {
        const struct source *source = sources_at(sources, i);
        files[i] = (struct kept_file){source->path, source->missing ? NULL : source->hash};
    }
    return (struct kept_files){files, sources_count(sources)};
}

void lint_cache_write(const struct project *project, const struct sources *sources,
    const unit_list *units, const struct diagnostics *findings)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct keeping k;
    if (!kept_begin(&k, project, all_files(sources, arena)))
        return;
    bool whole = findings && !findings->dropped;
    vec_each (unit, units)
        whole &= !(*unit)->passing;
    if (whole)
        write_findings(&k.head, findings);
    kept_end_head(&k);
    vec_each (unit, units)
        if (!(*unit)->passing && !(*unit)->found->dropped)
            write_unit(&k, *unit);
    kept_write(&k, project, file_name);
}

/* ---- reading --------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static const char *severity_of(const char *name)
{
    return str_equal(name, "error") ? "error" : str_equal(name, "warning") ? "warning" : "info";
}

static void read_finding(const json_t *kept, struct diagnostics *findings)
{
    struct error error;
    const struct lint_code *code = lint_code_find(slice_of(text_of(kept, "code")));
    const char *severity = severity_of(text_of(kept, "severity"));
    int64_t status = json_integer_value(json_object_get(kept, "status"));
    error_set(&error, (enum status)status, "%s", text_of(kept, "message"));
    error_hint(&error, "%s", text_of(kept, "hint"));
    error_place(&error, text_of(kept, "file"),
        (uint32_t)json_integer_value(json_object_get(kept, "line")),
        (uint32_t)json_integer_value(json_object_get(kept, "column")), text_of(kept, "excerpt"));
    snprintf(error.trace, sizeof(error.trace), "%s", text_of(kept, "trace"));
    struct diagnostic *d = diagnostics_add(findings, severity, &error);
    if (d)
        d->code = code ? code->code : NULL;
}

static void read_findings(const json_t *object, struct diagnostics *findings)
{
    const json_t *list = json_object_get(object, "findings");
    for (size_t i = 0; i < json_array_size(list); i++)
        read_finding(json_array_get(list, i), findings);
}

bool lint_cache_read(const struct project *project, struct diagnostics *findings)
{
    struct kept kept;
    bool same = kept_open(&kept, project, file_name) && json_object_get(kept.head, "findings") &&
                kept_names_hold(&kept, project) && kept_all_hold(&kept);
    if (same)
        read_findings(kept.head, findings);
    kept_done(&kept);
    return same;
}

static bool read_files(
    const struct kept *kept, const json_t *places, struct arena *arena, struct kept_files *ret)
{
    struct kept_file *files = arena_array(arena, struct kept_file, json_array_size(places));
    *ret = (struct kept_files){files, json_array_size(places)};
    for (size_t i = 0; i < ret->count; i++)
        if (!kept_file_at(
                kept, (size_t)json_integer_value(json_array_get(places, i)), arena, &files[i]))
            return false;
    return ret->count > 0;
}

/* NULL when it is no unit. */
static struct lint_unit *read_unit(const struct kept *kept, const json_t *line, struct arena *arena)
{
    struct lint_unit *unit = arena_new_of(arena, struct lint_unit);
    const json_t *dags = json_object_get(line, "dags");
    unit->file = arena_strdup(arena, text_of(line, "file"));
    unit->broken = json_is_true(json_object_get(line, "broken"));
    if (!read_files(kept, json_object_get(line, "files"), arena, &unit->files))
        return NULL;
    unit->found = arena_new_of(arena, struct diagnostics);
    diagnostics_init(unit->found, arena);
    read_findings(line, unit->found);
    unit->dags = arena_array(arena, const struct dag_facts *, json_array_size(dags));
    for (; unit->dag_count < json_array_size(dags); unit->dag_count++) {
        unit->dags[unit->dag_count] =
            dag_facts_read(json_array_get(dags, unit->dag_count), unit->file, arena);
        if (!unit->dags[unit->dag_count])
            return NULL;
    }
    return unit;
}

struct map *lint_cache_units(const struct project *project, struct arena *arena)
{
    struct map *units = map_new();
    struct kept kept;
    json_t *line = NULL;
    bool same = kept_open(&kept, project, file_name);
    while (same && kept_next(&kept, &line)) {
        struct lint_unit *unit = read_unit(&kept, line, arena);
        if (unit)
            map_set(units, unit->file, unit);
        json_decref(line);
    }
    kept_done(&kept);
    return units;
}
