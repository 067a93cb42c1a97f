#include "definition/sources.h"
#include <errno.h>
#include <sys/stat.h>
#include "base/map.h"
#include "base/vec.h"
#include "definition/limits.h"

struct sources {
    struct arena *arena;
    char *root;
    struct map *by_path; /* absolute path → struct source */
    VEC(struct source *) all;
    VEC(struct source *) asked; /* in this round */
    unsigned round;             /* from 1 */
    bool sealed;
};

struct sources *sources_new(const char *root)
{
    struct sources *sources = mem_alloc_zero(1, sizeof(*sources));
    sources->arena = arena_new();
    sources->root = mem_strdup(root);
    sources->by_path = map_new();
    sources->round = 1;
    return sources;
}

void sources_free(struct sources *sources)
{
    if (!sources)
        return;
    arena_free(sources->arena);
    map_free(sources->by_path);
    vec_done(&sources->all);
    vec_done(&sources->asked);
    mem_free(sources->root);
    mem_free(sources);
}

void sources_begin(struct sources *sources)
{
    sources->round++;
    vec_clear(&sources->asked);
}

size_t sources_asked_count(const struct sources *sources)
{
    return sources->asked.count;
}

const struct source *sources_asked_at(const struct sources *sources, size_t i)
{
    return sources->asked.at[i];
}

static void note_asked(struct sources *sources, struct source *source)
{
    if (source->asked == sources->round)
        return;
    source->asked = sources->round;
    vec_push(&sources->asked, source);
}

void sources_seal(struct sources *sources)
{
    sources->sealed = true;
}

const struct source *sources_find(const struct sources *sources, const char *shown)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    return map_get(sources->by_path, path_absolute(arena, path_join(arena, sources->root, shown)));
}

size_t sources_count(const struct sources *sources)
{
    return sources->all.count;
}

const struct source *sources_at(const struct sources *sources, size_t i)
{
    return sources->all.at[i];
}

struct looks {
    bool missing;
    int64_t changed_ns, size;
    uint64_t inode;
};

static struct looks look_at(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return (struct looks){.missing = true};
    return (struct looks){
        .changed_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
        .size = st.st_size,
        .inode = st.st_ino};
}

bool source_looks_same(const struct source *source)
{
    struct looks looks = look_at(source->path);
    if (looks.missing || source->missing)
        return looks.missing == source->missing;
    return looks.changed_ns == source->changed_ns && looks.size == source->size &&
           looks.inode == source->inode;
}

bool source_reads_same(const struct source *source)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct slice text;
    char hash[HASH_TEXT_SIZE];
    if (source->missing)
        return look_at(source->path).missing;
    if (file_read(source->path, SOURCE_SIZE_MAX, arena, &text, NULL) != OK)
        return source->unreadable;
    hash_sha256(text.p, text.size, hash);
    return str_equal(hash, source->hash);
}

static const char *shown_path(const struct sources *sources, const char *path)
{
    size_t size = strlen(sources->root);
    bool inside = strncmp(path, sources->root, size) == 0 && path[size] == '/';
    return inside ? path + size + 1 : path;
}

static struct source *add_source(struct sources *sources, const char *absolute)
{
    struct source *source = arena_new_of(sources->arena, struct source);
    struct looks looks = sources->sealed ? (struct looks){.missing = true} : look_at(absolute);
    source->path = absolute;
    source->shown = shown_path(sources, absolute);
    source->missing = looks.missing;
    source->changed_ns = looks.changed_ns;
    source->size = looks.size;
    source->inode = looks.inode;
    map_set(sources->by_path, absolute, source);
    vec_push(&sources->all, source);
    return source;
}

static enum status read_text(struct sources *sources, struct source *source, struct error *err)
{
    enum status status =
        file_read(source->path, SOURCE_SIZE_MAX, sources->arena, &source->text, err);
    source->unreadable = status != OK;
    if (status == OK)
        hash_sha256(source->text.p, source->text.size, source->hash);
    return status;
}

enum status sources_read(
    struct sources *sources, const char *path, const struct source **ret, struct error *err)
{
    char *absolute = path_absolute(sources->arena, path_join(sources->arena, sources->root, path));
    struct source *source = map_get(sources->by_path, absolute);
    if (source && !source->unreadable) {
        note_asked(sources, source);
        *ret = source;
        return OK;
    }
    if (!source)
        source = add_source(sources, absolute);
    note_asked(sources, source);
    *ret = source;
    return source->missing ? OK : read_text(sources, source, err);
}

void sources_put(struct sources *sources, const char *path, struct slice text)
{
    char *absolute = path_absolute(sources->arena, path_join(sources->arena, sources->root, path));
    struct source *source = map_get(sources->by_path, absolute);
    if (!source)
        source = add_source(sources, absolute);
    source->missing = source->unreadable = false;
    source->text = slice_make(arena_strndup(sources->arena, text.p, text.size), text.size);
    hash_sha256(text.p, text.size, source->hash);
}
