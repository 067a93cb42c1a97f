#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "base/limits.h"
#include "base/vec.h"

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* strerror shares its buffer between threads; "%m" does not. */
static enum status io_error(struct error *err, const char *act, const char *path)
{
    enum status status = errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO;
    return error_set(err, status, "cannot %s %s: %m", act, path);
}

static enum status too_large(struct error *err, const char *path, size_t size_max)
{
    return error_set(err, ERR_LIMIT, "%s is larger than %zu bytes", path, size_max);
}

static enum status read_all(
    int fd, const char *path, size_t size_max, struct strbuf *text, struct error *err)
{
    char part[64 * 1024];
    for (;;) {
        ssize_t size = read(fd, part, sizeof part);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return io_error(err, "read", path);
        if (size == 0)
            return OK;
        if ((size_t)size > size_max - text->size)
            return too_large(err, path, size_max);
        strbuf_add(text, part, (size_t)size);
    }
}

enum status file_read(const char *path, size_t size_max, struct arena *arena,
    struct slice *ret_text, struct error *err)
{
    /* Non-blocking, so that a named pipe cannot hold the caller. */
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) < 0)
        return io_error(err, "read", path);
    if (!S_ISREG(info.st_mode))
        return error_set(err, ERR_IO, "cannot read %s: it is not a regular file", path);
    if ((uint64_t)info.st_size > size_max)
        return too_large(err, path, size_max);
    CLEANUP(strbuf_done) struct strbuf text = {0};
    enum status status = read_all(fd, path, size_max, &text, err);
    if (status == OK)
        *ret_text = slice_make(strbuf_to_arena(&text, arena), text.size);
    return status;
}

static bool write_all(int fd, struct slice text)
{
    while (text.size) {
        ssize_t size = write(fd, text.p, text.size);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return false;
        text = slice_make(text.p + size, text.size - (size_t)size);
    }
    return true;
}

/* A rename is durable once its folder is written. */
static bool sync_dir(const char *path, struct arena *arena)
{
    CLEANUP(close_fd) int fd = open(path_dir(arena, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0;
}

static bool fill_temporary(int fd, struct slice text, unsigned mode, bool durable)
{
    return write_all(fd, text) && fchmod(fd, (mode_t)mode) == 0 && (!durable || fdatasync(fd) == 0);
}

enum status file_write(
    const char *path, struct slice text, unsigned mode, bool durable, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    char *temporary = arena_printf(arena, "%s.XXXXXX", path);
    CLEANUP(close_fd) int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return io_error(err, "write", path);
    if (!fill_temporary(fd, text, mode, durable) || rename(temporary, path) < 0) {
        int failure = errno;
        unlink(temporary);
        errno = failure;
        return io_error(err, "write", path);
    }
    if (durable && !sync_dir(path, arena))
        return io_error(err, "write the folder of", path);
    return OK;
}

bool file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

bool dir_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

enum status dir_make(const char *path, bool private, struct error *err)
{
    if (dir_exists(path))
        return OK;
    mode_t mode = private ? 0700 : 0777;
    int rc = mkdir(path, mode);
    if (rc < 0 && errno == ENOENT) { /* from below: most often only the last is missing */
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        enum status status = dir_make(path_dir(arena, path), private, err);
        if (status)
            return status;
        rc = mkdir(path, mode);
    }
    if (rc < 0 && errno != EEXIST)
        return io_error(err, "make the folder", path);
    if (!dir_exists(path))
        return error_set(
            err, ERR_IO, "cannot make the folder %s: something else has that name", path);
    return OK;
}

struct walk {
    const char *root, *suffix;
    struct arena *arena;
    VEC(const char *) paths;
    struct error *err;
};

static enum status walk_dir(struct walk *walk, const char *relative, unsigned depth);

static enum status walk_entry(
    struct walk *walk, const char *relative, const char *name, unsigned depth)
{
    if (name[0] == '.' || name[0] == '_')
        return OK;
    char *path = path_join(walk->arena, relative, name);
    char *full = path_join(walk->arena, walk->root, path);
    if (dir_exists(full))
        return walk_dir(walk, path, depth + 1);
    if (!str_ends(name, walk->suffix) || !file_exists(full))
        return OK;
    if (walk->paths.count == DIR_FILES_MAX)
        return error_set(
            walk->err, ERR_LIMIT, "%s has more than %d files", walk->root, DIR_FILES_MAX);
    vec_push(&walk->paths, path);
    return OK;
}

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static enum status walk_dir(struct walk *walk, const char *relative, unsigned depth)
{
    char *full = relative[0] ? path_join(walk->arena, walk->root, relative)
                             : arena_strdup(walk->arena, walk->root);
    if (depth > DIR_DEPTH_MAX)
        return error_set(
            walk->err, ERR_LIMIT, "%s is nested deeper than %d folders", full, DIR_DEPTH_MAX);
    CLEANUP(close_dir) DIR *dir = opendir(full);
    if (!dir)
        return errno == ENOENT ? OK : io_error(walk->err, "read the folder", full);
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry)
            return errno ? io_error(walk->err, "read the folder", full) : OK;
        enum status status = walk_entry(walk, relative, entry->d_name, depth);
        if (status != OK)
            return status;
    }
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum status dir_list(const char *dir, const char *suffix, struct arena *arena,
    const char ***ret_paths, size_t *ret_count, struct error *err)
{
    struct walk walk = {.root = dir, .suffix = suffix, .arena = arena, .err = err};
    enum status status = walk_dir(&walk, "", 0);
    if (status == OK) {
        size_t count = walk.paths.count;
        if (count)
            qsort(walk.paths.at, count, sizeof *walk.paths.at, compare_paths);
        *ret_paths = arena_memdup(arena, walk.paths.at, count * sizeof *walk.paths.at);
        *ret_count = count;
    }
    vec_done(&walk.paths);
    return status;
}
