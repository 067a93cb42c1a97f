#include "executor/attempt_sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

static const char file_name[] = "rendered.sql";

enum {
    MARK_SIZE = 64,        /* "-- attempt <uuid> of " */
    PART_SIZE = 64 * 1024, /* bytes looked through at a time */
    TITLE_MAX = 4 * 1024,  /* of a section's first line: task ids are far shorter */
};

static char *path_of(struct arena *arena, const char *log_file)
{
    return path_join(arena, path_dir(arena, log_file), file_name);
}

static enum status append(const char *path, struct slice text, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ssize_t size = -1;
    if (fd >= 0) {
        do
            size = write(fd, text.p, text.size);
        while (size < 0 && errno == EINTR);
    }
    int trouble = size < 0 ? errno : ENOSPC; /* a short write: the next one would say so */
    if (fd >= 0)
        close(fd);
    return size == (ssize_t)text.size
               ? OK
               : error_set(err, ERR_IO, "cannot write %s: %s", path, strerror(trouble));
}

enum status attempt_sql_add(const char *log_file, const struct attempt_sql_title *title,
    struct slice text, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(strbuf_done) struct strbuf out = {0};
    strbuf_printf(&out, "-- attempt %s of %s", title->attempt, title->task_id);
    if (title->map_index >= 0)
        strbuf_printf(&out, "[%d]", (int)title->map_index);
    strbuf_printf(&out, ", number %d: %zu bytes\n", (int)title->number, text.size);
    strbuf_add_slice(&out, text);
    strbuf_add_char(&out, '\n');
    return append(path_of(arena, log_file), slice_make(out.text, out.size), err);
}

/* Where the first `mark` from the file's beginning stands; -1 when there is none. */
static off_t find_mark(int fd, const char *mark, size_t mark_size)
{
    char part[MARK_SIZE + PART_SIZE];
    size_t kept = 0; /* the end of the part before: a mark may begin there */
    for (off_t at = 0;;) {
        ssize_t size = pread(fd, part + kept, PART_SIZE, at + (off_t)kept);
        if (size <= 0)
            return -1;
        size_t all = kept + (size_t)size;
        const char *found = memmem(part, all, mark, mark_size);
        if (found)
            return at + (found - part);
        kept = all < mark_size ? all : mark_size - 1;
        memmove(part, part + all - kept, kept);
        at += (off_t)(all - kept);
    }
}

/* The size that the title at `at` tells, and where its line ends. */
static bool read_title(int fd, off_t at, uint64_t *ret_offset, uint64_t *ret_size)
{
    char line[TITLE_MAX];
    ssize_t size = pread(fd, line, sizeof(line) - 1, at);
    char *end = size > 0 ? memchr(line, '\n', (size_t)size) : NULL;
    if (!end)
        return false;
    *end = '\0';
    const char *last = strrchr(line, ':');
    const char *bytes = last ? strstr(last, " bytes") : NULL;
    int64_t told;
    if (!bytes || !parse_int64(slice_make(last + 2, (size_t)(bytes - last) - 2), &told) || told < 0)
        return false;
    *ret_offset = (uint64_t)at + (uint64_t)(end - line) + 1;
    *ret_size = (uint64_t)told;
    return true;
}

/* A text that was cut short ends the file, or runs into the next section. */
static bool is_whole(int fd, const struct attempt_sql *found)
{
    char end[2];
    struct stat info;
    off_t last = (off_t)(found->offset + found->size);
    if (fstat(fd, &info) || last >= info.st_size || pread(fd, end, 2, last) < 1 || end[0] != '\n')
        return false;
    return last + 1 == info.st_size || end[1] == '-';
}

enum status attempt_sql_find(
    const char *log_file, const char *attempt, struct attempt_sql *ret, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    char mark[MARK_SIZE];
    int mark_size = snprintf(mark, sizeof(mark), "-- attempt %s of ", attempt);
    int fd = open(path_of(arena, log_file), O_RDONLY | O_CLOEXEC);
    off_t at = fd >= 0 ? find_mark(fd, mark, (size_t)mark_size) : -1;
    *ret = (struct attempt_sql){.fd = fd};
    if (at >= 0 && read_title(fd, at, &ret->offset, &ret->size) && is_whole(fd, ret))
        return OK;
    if (fd >= 0)
        close(fd);
    return error_set(err, ERR_NOT_FOUND, "attempt %s has no rendered SQL", attempt);
}

enum status attempt_sql_read(const char *log_file, const char *attempt, size_t size_max,
    struct arena *arena, struct slice *ret, struct error *err)
{
    struct attempt_sql found;
    enum status status = attempt_sql_find(log_file, attempt, &found, err);
    if (status)
        return status;
    if (found.size > size_max) {
        close(found.fd);
        return error_set(err, ERR_LIMIT, "the rendered SQL is larger than %zu bytes", size_max);
    }
    char *text = arena_alloc(arena, found.size + 1);
    ssize_t size = pread(found.fd, text, found.size, (off_t)found.offset);
    close(found.fd);
    if (size != (ssize_t)found.size)
        return error_set(err, ERR_IO, "the rendered SQL of attempt %s cannot be read", attempt);
    text[size] = '\0';
    *ret = slice_make(text, (size_t)size);
    return OK;
}
