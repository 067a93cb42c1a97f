#include "definition/kept.h"

#include <sys/stat.h>

#include "definition/dagfile.h"
#include "definition/limits.h"

enum { KEPT_SIZE_MAX = 1 << 30 };

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

/* Of the program itself, and of all settings: values may be secret, so that only the hash is
   kept. */
static void hash_settings(const struct project *project, char ret[HASH_TEXT_SIZE])
{
    struct strbuf text = {0};
    struct stat program = {0};
    if (stat("/proc/self/exe", &program) != 0)
        program.st_size = 0;
    strbuf_printf(&text, "%s %lld %lld.%09ld ", DAG_VERSION, (long long)program.st_size,
        (long long)program.st_mtim.tv_sec, program.st_mtim.tv_nsec);
    add_text(&text, project->environment);
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

struct kept_files kept_files_asked(
    const struct sources *sources, struct arena *arena, bool *ret_unreadable)
{
    size_t count = sources_asked_count(sources);
    struct kept_file *files = arena_array(arena, struct kept_file, count);
    *ret_unreadable = false;
    for (size_t i = 0; i < count; i++) {
        const struct source *source = sources_asked_at(sources, i);
        files[i] = (struct kept_file){arena_strdup(arena, source->path),
            source->missing ? NULL : arena_strdup(arena, source->hash)};
        *ret_unreadable |= source->unreadable;
    }
    return (struct kept_files){files, count};
}

/* ---- writing --------------------------------------------------------------------------------- */

bool kept_begin(struct keeping *k, const struct project *project, struct kept_files all)
{
    char settings[HASH_TEXT_SIZE], names[HASH_TEXT_SIZE];
    *k = (struct keeping){0};
    if (!dir_exists(project->state) || !hash_names(project, names))
        return false;
    hash_settings(project, settings);
    k->numbers = map_new();
    k->head = json_begin(&k->text);
    json_object_begin(&k->head);
    json_kv_str(&k->head, "settings", settings);
    json_kv_str(&k->head, "names", names);
    json_key(&k->head, "files");
    json_array_begin(&k->head);
    for (size_t i = 0; i < all.count; i++) {
        if (map_has(k->numbers, all.at[i].path))
            continue;
        map_set(k->numbers, all.at[i].path, (void *)(uintptr_t)(map_count(k->numbers) + 1));
        json_str(&k->head, all.at[i].path);
        json_str(&k->head, all.at[i].hash);
    }
    json_array_end(&k->head);
    return true;
}

void kept_end_head(struct keeping *k)
{
    json_object_end(&k->head);
    strbuf_add_char(&k->text, '\n');
}

void kept_put_files(const struct keeping *k, struct json_writer *w, struct kept_files files)
{
    json_key(w, "files");
    json_array_begin(w);
    for (size_t i = 0; i < files.count; i++)
        json_int(w, (int64_t)(uintptr_t)map_get(k->numbers, files.at[i].path) - 1);
    json_array_end(w);
}

void kept_write(struct keeping *k, const struct project *project, const char *name)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error ignored; /* the next run looks at everything again */
    enum status status = file_write(path_join(arena, project->state, name),
        slice_make(strbuf_text(&k->text), k->text.size), 0600, false, &ignored);
    (void)status;
    map_free(k->numbers);
    strbuf_done(&k->text);
}

/* ---- reading --------------------------------------------------------------------------------- */

bool kept_next(struct kept *kept, json_t **ret)
{
    struct slice rest = kept->rest;
    const char *end = rest.size ? memchr(rest.p, '\n', rest.size) : NULL;
    size_t size = end ? (size_t)(end - rest.p) : 0;
    if (!end || json_parse(rest.p, size, NULL, ret, NULL) != OK)
        return false;
    kept->rest = slice_make(end + 1, rest.size - size - 1);
    return true;
}

static const json_t *files_of(const struct kept *kept)
{
    return json_object_get(kept->head, "files");
}

static bool head_is(const struct kept *kept, const char *key, const char *hash)
{
    return str_equal(json_string_value(json_object_get(kept->head, key)), hash);
}

bool kept_open(struct kept *kept, const struct project *project, const char *name)
{
    char settings[HASH_TEXT_SIZE];
    *kept = (struct kept){.arena = arena_new()};
    hash_settings(project, settings);
    if (file_read(path_join(kept->arena, project->state, name), KEPT_SIZE_MAX, kept->arena,
            &kept->rest, NULL) != OK ||
        !kept_next(kept, &kept->head) || !head_is(kept, "settings", settings))
        return false;
    kept->file_count = json_array_size(files_of(kept)) / 2;
    kept->states = arena_alloc(kept->arena, kept->file_count * sizeof(*kept->states));
    return true;
}

void kept_done(struct kept *kept)
{
    json_decref(kept->head);
    arena_free(kept->arena);
}

bool kept_names_hold(const struct kept *kept, const struct project *project)
{
    char names[HASH_TEXT_SIZE];
    return hash_names(project, names) && head_is(kept, "names", names);
}

static struct kept_file file_at(const struct kept *kept, size_t place)
{
    return (struct kept_file){json_string_value(json_array_get(files_of(kept), 2 * place)),
        json_string_value(json_array_get(files_of(kept), 2 * place + 1))};
}

bool kept_file_at(const struct kept *kept, size_t place, struct arena *arena, struct kept_file *ret)
{
    struct kept_file file = file_at(kept, place);
    if (place >= kept->file_count || !file.path)
        return false;
    *ret = (struct kept_file){arena_strdup(arena, file.path), arena_strdup(arena, file.hash)};
    return true;
}

static bool reads_same(struct kept_file file, struct arena *arena)
{
    char now[HASH_TEXT_SIZE];
    struct slice text;
    if (!file.path)
        return false;
    if (!file.hash)
        return !file_exists(file.path);
    arena_clear(arena);
    if (file_read(file.path, SOURCE_SIZE_MAX, arena, &text, NULL) != OK)
        return false;
    hash_sha256(text.p, text.size, now);
    return str_equal(file.hash, now);
}

static bool holds(struct kept *kept, size_t place, struct arena *arena)
{
    if (place >= kept->file_count)
        return false;
    if (kept->states[place] == KEPT_UNKNOWN)
        kept->states[place] = reads_same(file_at(kept, place), arena) ? KEPT_SAME : KEPT_CHANGED;
    return kept->states[place] == KEPT_SAME;
}

bool kept_file_holds(struct kept *kept, size_t place)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    return holds(kept, place, arena);
}

bool kept_all_hold(struct kept *kept)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    for (size_t i = 0; i < kept->file_count; i++)
        if (!holds(kept, i, arena))
            return false;
    return kept->file_count > 0;
}
