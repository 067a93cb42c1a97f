#include "executor/copy_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "executor/limits.h"

/* ---- places ---------------------------------------------------------------------------------- */

char *copy_part(struct arena *arena, const char *path, const char *attempt)
{
    return path_join(
        arena, path_dir(arena, path), arena_printf(arena, ".%s.%s.part", path_base(path), attempt));
}

void copy_places_json(const struct copy_places *places, struct json_writer *w)
{
    if (!places->count)
        return;
    json_key(w, "files");
    json_array_begin(w);
    for (size_t i = 0; i < places->count; i++) {
        json_object_begin(w);
        json_kv_str(w, "path", places->at[i].path);
        json_kv_str(w, "part", places->at[i].part);
        json_kv_int(w, "bytes", places->at[i].bytes);
        json_kv_int(w, "inode", (int64_t)places->at[i].inode);
        json_object_end(w);
    }
    json_array_end(w);
}

static const char *copy_member(const json_t *object, const char *name, struct arena *arena)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? arena_strdup(arena, text) : NULL;
}

struct copy_places copy_places_read(const char *detail, struct arena *arena)
{
    CLEANUP(json_decrefp) json_t *tree = NULL;
    struct copy_places places = {0};
    if (!detail || json_parse(detail, strlen(detail), NULL, &tree, NULL))
        return places;
    const json_t *files = json_object_get(tree, "files");
    size_t count = json_array_size(files);
    struct copy_place *at = arena_array(arena, struct copy_place, count);
    for (size_t i = 0; i < count; i++) {
        const json_t *file = json_array_get(files, i);
        at[places.count] = (struct copy_place){
            .path = copy_member(file, "path", arena),
            .part = copy_member(file, "part", arena),
            .bytes = json_integer_value(json_object_get(file, "bytes")),
            .inode = (uint64_t)json_integer_value(json_object_get(file, "inode")),
        };
        places.count += at[places.count].path && at[places.count].part;
    }
    places.at = at;
    return places;
}

static bool is_there(const struct copy_place *place)
{
    struct stat st;
    return stat(place->path, &st) == 0 && st.st_ino == place->inode && st.st_size == place->bytes;
}

/* The name in the folder is on the disk; a file system that cannot do that has done what it can. */
static void sync_folder(const char *path)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    int fd = open(path_dir(arena, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

static enum status put_one(const struct copy_place *place, struct error *err)
{
    if (rename(place->part, place->path) == 0) {
        sync_folder(place->path);
        return OK;
    }
    if (errno == ENOENT && is_there(place))
        return OK;
    if (errno == ENOENT)
        return error_set(err, ERR_NOT_FOUND,
            "committed, but what was written for `%s` is gone: there is no `%s`", place->path,
            place->part);
    return error_set(err, ERR_IO, "committed, but `%s` cannot take the place of `%s`: %s",
        place->part, place->path, strerror(errno));
}

enum status copy_places_put(const struct copy_places *places, struct error *err)
{
    enum status first = OK;
    for (size_t i = 0; i < places->count; i++) {
        struct error one;
        enum status status = put_one(&places->at[i], &one);
        if (status && first == OK) {
            first = status;
            *err = one;
        }
    }
    return first;
}

/* ---- steps, on a thread ---------------------------------------------------------------------- */

static void fail(struct copy_file *file, const char *doing)
{
    int number = errno;
    file->status = error_set(&file->err, number == ENOENT ? ERR_NOT_FOUND : ERR_IO,
        "cannot %s `%s` of `%s`: %s", doing, file->shown, file->key, strerror(number));
}

static void refuse(struct copy_file *file, const char *why)
{
    file->status = error_set(&file->err, ERR_IO, "`%s` of `%s` %s", file->shown, file->key, why);
}

static void open_to_read(struct copy_file *file)
{
    struct stat st;
    file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would wait */
    if (file->fd < 0 || fstat(file->fd, &st))
        fail(file, "read");
    else if (!S_ISREG(st.st_mode))
        refuse(file, "is no regular file");
}

static void check_to_write(struct copy_file *file)
{
    struct stat st;
    const char *folder = path_dir(file->arena, file->path);
    if (access(folder, W_OK | X_OK))
        fail(file, "write into the folder of");
    else if (stat(file->path, &st) == 0 && !S_ISREG(st.st_mode))
        refuse(file, "is there, and is no regular file");
}

static void work_check(struct copy_file *file)
{
    if (file->part) {
        check_to_write(file);
        return;
    }
    open_to_read(file);
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

static void work_open(struct copy_file *file)
{
    struct stat st;
    if (!file->part) {
        open_to_read(file);
        return;
    }
    for (size_t i = 0; i < file->old_count; i++)
        (void)unlink(file->old[i]);
    file->fd = open(file->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file->fd < 0 || fstat(file->fd, &st))
        fail(file, "write");
    else
        file->inode = st.st_ino;
}

static void make_room(struct copy_file *file, size_t size)
{
    if (size <= file->capacity)
        return;
    file->buffer = mem_realloc(file->buffer, size);
    file->capacity = size;
}

static void read_chunk(struct copy_file *file)
{
    make_room(file, COPY_CHUNK);
    ssize_t n;
    do
        n = read(file->fd, file->buffer, COPY_CHUNK);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        fail(file, "read");
        return;
    }
    file->size = (size_t)n;
    file->bytes += n;
}

static void write_chunk(struct copy_file *file)
{
    for (size_t at = 0; at < file->size;) {
        ssize_t n = write(file->fd, file->buffer + at, file->size - at);
        if (n < 0 && errno != EINTR) {
            fail(file, "write");
            return;
        }
        at += n < 0 ? 0 : (size_t)n;
    }
    file->bytes += (int64_t)file->size;
    file->size = 0;
    if (file->capacity > (size_t)2 * COPY_CHUNK) { /* a large row came by */
        mem_free(take(file->buffer));
        file->capacity = 0;
    }
}

static void work_transfer(struct copy_file *file)
{
    (file->part ? write_chunk : read_chunk)(file);
}

static void work_close(struct copy_file *file)
{
    if (fsync(file->fd))
        fail(file, "write");
    if (close(file->fd) && file->status == OK)
        fail(file, "write");
    file->fd = -1;
}

static void work_remove(struct copy_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
    (void)unlink(file->part);
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static void (*const works[])(struct copy_file *file) = {
    [COPY_CHECK] = work_check,
    [COPY_OPEN] = work_open,
    [COPY_TRANSFER] = work_transfer,
    [COPY_CLOSE] = work_close,
    [COPY_REMOVE] = work_remove,
};

static void start(struct copy_file *file, enum copy_step step)
{
    file->busy = true;
    file->step = step;
    file->status = OK;
    offload_run(file->offload, &file->job);
}

static void on_work(struct offload_job *job)
{
    struct copy_file *file = CONTAINER_OF(job, struct copy_file, job);
    works[file->step](file);
}

static void on_discard(struct offload_job *job)
{
    struct copy_file *file = CONTAINER_OF(job, struct copy_file, job);
    file->busy = false;
    copy_file_free(file);
}

static void on_done(struct offload_job *job)
{
    struct copy_file *file = CONTAINER_OF(job, struct copy_file, job);
    file->busy = false;
    if (file->dropped && file->step != COPY_REMOVE)
        start(file, COPY_REMOVE);
    else if (file->freed)
        copy_file_free(file);
    else
        file->done(file);
}

struct copy_file *copy_file_new(
    const char *key, const char *shown, const char *path, const char *part)
{
    struct copy_file *file = mem_alloc_zero(1, sizeof(*file));
    file->arena = arena_new();
    file->key = key;
    file->shown = arena_strdup(file->arena, shown);
    file->path = arena_strdup(file->arena, path);
    file->part = part ? arena_strdup(file->arena, part) : NULL;
    file->fd = -1;
    file->job = (struct offload_job){.work = on_work, .done = on_done, .discard = on_discard};
    return file;
}

void copy_file_do(struct offload *offload, struct copy_file *file, enum copy_step step)
{
    assert(!file->busy && !file->freed);
    file->offload = offload;
    start(file, step);
}

void copy_file_add(struct copy_file *file, const char *data, size_t size)
{
    assert(!file->busy);
    if (file->size + size > file->capacity)
        make_room(file, file->size + size > COPY_CHUNK ? file->size + size : COPY_CHUNK);
    memcpy(file->buffer + file->size, data, size);
    file->size += size;
}

void copy_file_free(struct copy_file *file)
{
    if (!file)
        return;
    file->freed = true;
    if (file->busy)
        return;
    if (file->fd >= 0)
        close(file->fd);
    mem_free(file->buffer);
    arena_free(file->arena);
    mem_free(file);
}

void copy_file_drop(struct copy_file *file)
{
    if (!file)
        return;
    file->dropped = file->part && file->offload; /* without a step there is nothing */
    file->freed = true;
    if (file->busy)
        return;
    if (file->dropped)
        start(file, COPY_REMOVE);
    else
        copy_file_free(file);
}
