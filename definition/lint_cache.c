/*
 * What `dag lint` found last, kept with the hashes of all that it depends on.  It is all or
 * nothing: DAGs are compared with each other, so that one changed file may change what is said of
 * others.
 */
#include <sys/stat.h>
#include "base/json.h"
#include "definition/limits.h"
#include "definition/lint_internal.h"

static const char file_name[] = "lint.json";
enum { CACHE_SIZE_MAX = 256 << 20 };

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
    const char **paths;
    size_t count;
    if (dir_list(path_join(arena, project->root, project->dags), ".yaml", arena, &paths, &count,
            NULL) != OK)
        return false;
    for (size_t i = 0; i < count; i++)
        add_text(&text, paths[i]);
    hash_sha256(strbuf_text(&text), text.size, ret);
    return true;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void write_file(struct json_writer *w, const struct source *source)
{
    json_array_begin(w);
    json_str(w, source->path);
    json_str(w, source->missing ? NULL : source->hash);
    json_array_end(w);
}

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

void lint_cache_write(const struct project *project, const struct sources *sources,
    const struct diagnostics *findings)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    char settings[HASH_TEXT_SIZE], names[HASH_TEXT_SIZE];
    if (!dir_exists(project->state) || findings->dropped || !hash_names(project, names))
        return;
    hash_settings(project, settings);
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "settings", settings);
    json_kv_str(&w, "names", names);
    json_key(&w, "files");
    json_array_begin(&w);
    for (size_t i = 0; i < sources_count(sources); i++)
        write_file(&w, sources_at(sources, i));
    json_array_end(&w);
    json_key(&w, "findings");
    json_array_begin(&w);
    for (const struct diagnostic *d = findings->first; d; d = d->next)
        write_finding(&w, d);
    json_array_end(&w);
    json_object_end(&w);
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

static bool reads_same(const json_t *file, struct arena *arena)
{
    const char *path = json_string_value(json_array_get(file, 0));
    const char *hash = json_string_value(json_array_get(file, 1));
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

static bool holds(const struct project *project, const json_t *kept)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    char settings[HASH_TEXT_SIZE], names[HASH_TEXT_SIZE];
    const json_t *files = json_object_get(kept, "files");
    hash_settings(project, settings);
    if (!str_equal(text_of(kept, "settings"), settings) || !hash_names(project, names) ||
        !str_equal(text_of(kept, "names"), names) || json_array_size(files) == 0)
        return false;
    for (size_t i = 0; i < json_array_size(files); i++)
        if (!reads_same(json_array_get(files, i), arena))
            return false;
    return true;
}

static const char *severity_of(const char *name)
{
    return str_equal(name, "error") ? "error" : str_equal(name, "warning") ? "warning" : "info";
}

static void read_finding(const json_t *kept, struct diagnostics *findings)
{
    struct error error;
    const char *code = text_of(kept, "code");
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
        d->code = *code ? arena_strdup(findings->arena, code) : NULL;
}

bool lint_cache_read(const struct project *project, struct diagnostics *findings)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(json_decrefp) json_t *kept = NULL;
    struct slice text;
    if (file_read(path_join(arena, project->state, file_name), CACHE_SIZE_MAX, arena, &text,
            NULL) != OK ||
        json_parse(text.p, text.size, NULL, &kept, NULL) != OK || !holds(project, kept))
        return false;
    const json_t *list = json_object_get(kept, "findings");
    for (size_t i = 0; i < json_array_size(list); i++)
        read_finding(json_array_get(list, i), findings);
    return true;
}
