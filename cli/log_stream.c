#include "cli/log_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/string.h"
#include "executor/limits.h"
#include "executor/supervisor/log_file.h"

struct log_stream log_stream_of(const char *path)
{
    return (struct log_stream){.path = path, .fd = -1};
}

void log_stream_close(struct log_stream *stream)
{
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
}

static int64_t size_of(const struct log_stream *stream)
{
    struct stat st;
    return fstat(stream->fd, &st) == 0 ? st.st_size : 0;
}

/* ---- a middle that was left out meanwhile ---------------------------------------------------- */

static bool find_mark(const char *text, size_t size, struct log_stream *ret)
{
    for (const char *line = text, *end; (end = memchr(line, '\n', size - (size_t)(line - text)));
         line = end + 1) {
        long long left_out = log_left_out(line, (size_t)(end - line));
        if (left_out < 0)
            continue;
        ret->mark_at = line - text;
        ret->mark_size = end + 1 - line;
        ret->left_out = left_out;
        return true;
    }
    return false;
}

/* The file's bytes moved: goes on where we were, or at the mark when that is gone. */
static void move(struct log_stream *stream, const struct log_stream *now)
{
    bool beyond = stream->mark_size && stream->at > stream->mark_at;
    int64_t in_all = stream->at + (beyond ? stream->left_out - stream->mark_size : 0);
    int64_t kept_from = now->mark_at + now->left_out;
    stream->mark_at = now->mark_at;
    stream->mark_size = now->mark_size;
    stream->left_out = now->left_out;
    if (in_all >= kept_from)
        stream->at = in_all - now->left_out + now->mark_size;
    else if (in_all > now->mark_at)
        stream->at = now->mark_at;
}

/* A log has one mark at most, in its first quarter and a line. */
static void look_for_mark(struct log_stream *stream)
{
    enum { LOOK_SIZE = ATTEMPT_LOG_MAX / 4 + 64 * 1024 };
    struct log_stream now = {0};
    if (size_of(stream) < ATTEMPT_LOG_MAX / 2)
        return;
    char *text = mem_alloc(LOOK_SIZE);
    ssize_t size = pread(stream->fd, text, LOOK_SIZE, 0);
    if (size > 0 && find_mark(text, (size_t)size, &now) && now.left_out != stream->left_out)
        move(stream, &now);
    mem_free(text);
}

/* ---- printing -------------------------------------------------------------------------------- */

enum status log_stream_look(struct log_stream *stream, bool *ret_more, struct error *err)
{
    if (stream->fd < 0)
        stream->fd = open(stream->path, O_RDONLY | O_CLOEXEC);
    if (stream->fd < 0)
        return error_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %m", stream->path);
    look_for_mark(stream);
    *ret_more = size_of(stream) > stream->at;
    return OK;
}

enum status log_stream_print(struct log_stream *stream, struct error *err)
{
    char buffer[65536];
    ssize_t size;
    while ((size = pread(stream->fd, buffer, sizeof(buffer), stream->at)) > 0) {
        stream->at += size;
        if (fwrite(buffer, 1, (size_t)size, stdout) != (size_t)size)
            return error_set(err, ERR_INTERRUPTED, "nobody reads the output");
    }
    if (fflush(stdout) != 0)
        return error_set(err, ERR_INTERRUPTED, "nobody reads the output");
    return size < 0 ? error_set(err, ERR_IO, "%s: %m", stream->path) : OK;
}
