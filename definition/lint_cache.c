/*
 * What `dag lint` found last, kept with the hashes of all that it depends on.
 *
 * A line of JSON each: first the whole report with all files, for the run after which nothing has
 * changed; then a unit for each DAG file, so that a change is followed by the check of the files
 * that it concerns.  What only all DAGs together show is worked out again from the units.
 */
#include <sys/stat.h>
#include "definition/dagfile.h"
#include "definition/limits.h"
#include "definition/lint_internal.h"
#include "definition/lint_unit.h"

static const char file_name[] = "lint.json";
enum { CACHE_SIZE_MAX = 1 << 30 };

/* ---- what it depends on besides files -------------------------------------------------------- */

static void add_text(struct strbuf *out, const char *text)
{
    strbuf_add_str(out, text ? text : "");
    strbuf_add_char(out, '\0');
}

static void add_connection(struct strbuf *out, const struct connection *connection)
{
    add_text(out, connection->name);
    add_text(out, connection->uri);
    add_text(out, dialect_name(connection->dialect));
    for (size_t i = 0; i < connection->settings.count; i++) {
        add_text(out, connection->settings.at[i].name);
        add_text(out, connection->settings.at[i].text.value);
    }
}

/* Of the program itself, and of all settings: values may be secret, so that only the
   hash is kept. */
static void hash_settings(const struct project *project, char ret[HASH_TEXT_SIZE])
{
    struct strbuf text = {0};
    struct stat program = {0};
    if (stat("/proc/self/exe", &program) != 0)
        program.st_size = 0;
    strbuf_printf(&text, "%s %lld %lld ", DAG_VERSION, (long long)program.st_size,
        (long long)program.st_mtim.tv_sec);
    add_text(&text, project->environment);
    for (size_t i = 0; i < lint_code_count; i++)
        add_text(&text, lint_codes[i].code);
    for (size_t i = 0; i < project->setting_count; i++) {
        add_text(&text, project->settings[i].name);
        add_text(&text, project->settings[i].value);
    }
    for (size_t i = 0; i < project->connection_count; i++)
        add_connection(&text, &project->connections[i]);
    for (size_t i = 0; i < project->variable_count; i++) {
        add_text(&text, project->variables[i].name);
        add_text(&text, project->variables[i].value);
    }
    hash_sha256(strbuf_text(&text), text.size, ret);
    strbuf_done(&text);
}

/* The DAG files that there are: one more is a change. */
static bool hash_names(const struct project *project, char ret[HASH_TEXT_SIZE])
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct strbuf text = {.arena = arena};
    struct names files;
    if (dagfile_list(project, arena, &files, NULL) != OK)
        return false;
    for (size_t i = 0; i < files.count; i++)
        add_text(&text, files.at[i]);
    hash_sha256(strbuf_text(&text), text.size, ret);
    return true;
}

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

/* All files, each once, as "path", "hash" or null; units name them by their place.  `numbers`:
   path → 1 + that place. */
static void write_files(struct json_writer *w, const struct sources *sources, struct map *numbers)
{
    json_key(w, "files");
    json_array_begin(w);
    for (size_t i = 0; i < sources_count(sources); i++) {
        const struct source *source = sources_at(sources, i);
        map_set(numbers, source->path, (void *)(uintptr_t)(i + 1));
        json_str(w, source->path);
        json_str(w, source->missing ? NULL : source->hash);
    }
    json_array_end(w);
}

static void write_unit(
    struct json_writer *w, const struct lint_unit *unit, const struct map *numbers)
{
    json_object_begin(w);
    json_kv_str(w, "file", unit->file);
    json_kv_bool(w, "broken", unit->broken);
    json_key(w, "files");
    json_array_begin(w);
    for (size_t i = 0; i < unit->file_count; i++)
        json_int(w, (int64_t)(uintptr_t)map_get(numbers, unit->files[i].path) - 1);
    json_array_end(w);
    write_findings(w, unit->found);
    json_key(w, "dags");
    json_array_begin(w);
    for (size_t i = 0; i < unit->dag_count; i++)
        dag_facts_write(w, unit->dags[i]);
    json_array_end(w);
    json_object_end(w);
}

static void write_head(struct strbuf *text, const struct project *project, const char *names,
    const struct sources *sources, const struct diagnostics *findings, struct map *numbers)
{
    char settings[HASH_TEXT_SIZE];
    struct json_writer w = json_begin(text);
    hash_settings(project, settings);
    json_object_begin(&w);
    json_kv_str(&w, "settings", settings);
    json_kv_str(&w, "names", names);
    write_files(&w, sources, numbers);
    if (findings)
        write_findings(&w, findings);
    json_object_end(&w);
    strbuf_add_char(text, '\n');
}

void lint_cache_write(const struct project *project, const struct sources *sources,
    const unit_list *units, const struct diagnostics *findings)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(map_freep) struct map *numbers = map_new();
    struct strbuf text = {0};
    char names[HASH_TEXT_SIZE];
    if (!dir_exists(project->state) || !hash_names(project, names))
        return;
    bool whole = findings && !findings->dropped;
    vec_each (unit, units)
        whole &= !(*unit)->passing;
    write_head(&text, project, names, sources, whole ? findings : NULL, numbers);
    vec_each (unit, units) {
        struct json_writer w = json_begin(&text);
        if ((*unit)->passing || (*unit)->found->dropped)
            continue;
        write_unit(&w, *unit, numbers);
        strbuf_add_char(&text, '\n');
    }
    struct error ignored; /* the next run looks at everything again */
    enum status status = file_write(path_join(arena, project->state, file_name),
        slice_make(strbuf_text(&text), text.size), 0600, false, &ignored);
    (void)status;
    strbuf_done(&text);
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

/* What is kept, line by line. */
struct reading {
    struct arena *arena;
    struct slice rest;
    json_t *head;
};

static bool next_line(struct reading *r, json_t **ret)
{
    const char *end = memchr(r->rest.p, '\n', r->rest.size);
    size_t size = end ? (size_t)(end - r->rest.p) : 0;
    if (!end || json_parse(r->rest.p, size, NULL, ret, NULL) != OK)
        return false;
    r->rest = slice_make(end + 1, r->rest.size - size - 1);
    return true;
}

static void reading_done(struct reading *r)
{
    json_decref(r->head);
    arena_free(r->arena);
}

/* False: nothing is kept, or it is of other settings or another dag. */
static bool reading_begin(struct reading *r, const struct project *project)
{
    char settings[HASH_TEXT_SIZE];
    *r = (struct reading){.arena = arena_new()};
    hash_settings(project, settings);
    return file_read(path_join(r->arena, project->state, file_name), CACHE_SIZE_MAX, r->arena,
               &r->rest, NULL) == OK &&
           next_line(r, &r->head) && str_equal(text_of(r->head, "settings"), settings);
}

static bool reads_same(const char *path, const char *hash, struct arena *arena)
{
    char now[HASH_TEXT_SIZE];
    struct slice text;
    if (!path)
        return false;
    if (!hash)
        return !file_exists(path);
    arena_clear(arena);
    if (file_read(path, SOURCE_SIZE_MAX, arena, &text, NULL) != OK)
        return false;
    hash_sha256(text.p, text.size, now);
    return str_equal(hash, now);
}

static bool all_read_same(const json_t *files)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    for (size_t i = 0; i + 1 < json_array_size(files); i += 2)
        if (!reads_same(json_string_value(json_array_get(files, i)),
                json_string_value(json_array_get(files, i + 1)), arena))
            return false;
    return json_array_size(files) > 0;
}

bool lint_cache_read(const struct project *project, struct diagnostics *findings)
{
    struct reading r;
    char names[HASH_TEXT_SIZE];
    bool same = reading_begin(&r, project) && json_object_get(r.head, "findings") &&
                hash_names(project, names) && str_equal(text_of(r.head, "names"), names) &&
                all_read_same(json_object_get(r.head, "files"));
    if (same)
        read_findings(r.head, findings);
    reading_done(&r);
    return same;
}

/* NULL when it is no unit. */
static struct lint_unit *read_unit(const json_t *kept, const json_t *all, struct arena *arena)
{
    struct lint_unit *unit = arena_new_of(arena, struct lint_unit);
    const json_t *files = json_object_get(kept, "files"), *dags = json_object_get(kept, "dags");
    struct unit_file *at = arena_array(arena, struct unit_file, json_array_size(files));
    unit->file = arena_strdup(arena, text_of(kept, "file"));
    unit->broken = json_is_true(json_object_get(kept, "broken"));
    unit->files = at;
    unit->file_count = json_array_size(files);
    for (size_t i = 0; i < unit->file_count; i++) {
        size_t number = 2 * (size_t)json_integer_value(json_array_get(files, i));
        const char *path = json_string_value(json_array_get(all, number));
        const char *hash = json_string_value(json_array_get(all, number + 1));
        if (!path)
            return NULL;
        at[i].path = arena_strdup(arena, path);
        at[i].hash = hash ? arena_strdup(arena, hash) : NULL;
    }
    unit->found = arena_new_of(arena, struct diagnostics);
    diagnostics_init(unit->found, arena);
    read_findings(kept, unit->found);
    unit->dags = arena_array(arena, const struct dag_facts *, json_array_size(dags));
    for (; unit->dag_count < json_array_size(dags); unit->dag_count++) {
        unit->dags[unit->dag_count] =
            dag_facts_read(json_array_get(dags, unit->dag_count), unit->file, arena);
        if (!unit->dags[unit->dag_count])
            return NULL;
    }
    return unit->file_count ? unit : NULL;
}

struct map *lint_cache_units(const struct project *project, struct arena *arena)
{
    struct map *units = map_new();
    struct reading r;
    json_t *line = NULL;
    bool same = reading_begin(&r, project);
    while (same && next_line(&r, &line)) {
        struct lint_unit *unit = read_unit(line, json_object_get(r.head, "files"), arena);
        if (unit)
            map_set(units, unit->file, unit);
        json_decref(line);
    }
    reading_done(&r);
    return units;
}
