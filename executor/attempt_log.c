#include "executor/attempt_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/secrets.h"
#include "executor/limits.h"

struct attempt_log {
    int fd;
    int trouble;
    size_t size; /* bytes in the file and in the buffer */
    bool over;   /* the mark of the ceiling was written */
    struct strbuf buffer;
    struct secrets secrets;
};

static const char *const kind_names[] = {
    [LOG_KIND_INFO] = "info",
    [LOG_KIND_SQL] = "sql",
    [LOG_KIND_NOTICE] = "notice",
    [LOG_KIND_OUT] = "out",
    [LOG_KIND_ERR] = "err",
    [LOG_KIND_ERROR] = "error",
};

char *attempt_log_path(struct arena *arena, const char *dag_id, const char *run_id,
    const char *task_id, int32_t map_index, int32_t number)
{
    if (map_index >= 0)
        return arena_printf(
            arena, "logs/%s/%s/%s.%d/%d.log", dag_id, run_id, task_id, map_index, number);
    return arena_printf(arena, "logs/%s/%s/%s/%d.log", dag_id, run_id, task_id, number);
}

char *attempt_file_path(struct arena *arena, const char *log_path, const char *ending)
{
    size_t size = strlen(log_path);
    if (str_ends(log_path, ".log"))
        size -= strlen(".log");
    return arena_printf(arena, "%.*s%s", (int)size, log_path, ending);
}

enum status attempt_file_put(const char *path, struct slice text, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0;
    while (ok && text.size) {
        ssize_t n = write(fd, text.p, text.size);
        ok = n > 0 || (n < 0 && errno == EINTR);
        text = n > 0 ? slice_make(text.p + n, text.size - (size_t)n) : text;
    }
    int trouble = errno;
    if (fd >= 0)
        close(fd);
    return ok ? OK : error_set(err, ERR_IO, "cannot write %s: %s", path, strerror(trouble));
}

enum status attempt_log_open(const char *path, struct attempt_log **ret, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
    int fd = open(path, flags, 0600);
    if (fd < 0 && errno == ENOENT) {
        enum status status = dir_make(path_dir(arena, path), false, err);
        if (status)
            return status;
        fd = open(path, flags, 0600);
    }
    if (fd < 0)
        return error_set(err, ERR_IO, "cannot make the log %s: %s", path, strerror(errno));
    struct stat st;
    struct attempt_log *log = mem_alloc_zero(1, sizeof(*log));
    log->fd = fd;
    log->size = fstat(fd, &st) == 0 ? (size_t)st.st_size : 0;
    *ret = log;
    return OK;
}

void attempt_log_close(struct attempt_log *log)
{
    if (!log)
        return;
    attempt_log_flush(log);
    close(log->fd);
    strbuf_done(&log->buffer);
    secrets_done(&log->secrets);
    mem_free(log);
}

void attempt_log_secret(struct attempt_log *log, struct slice secret)
{
    secrets_add(&log->secrets, secret);
}

char *attempt_log_mask(const struct attempt_log *log, struct slice text, struct arena *arena)
{
    struct strbuf out = {0};
    if (log)
        secrets_mask(&log->secrets, text, &out);
    else
        strbuf_add_slice(&out, text);
    char *masked = strbuf_to_arena(&out, arena);
    strbuf_done(&out);
    return masked;
}

static void add_stamp(struct strbuf *out, int64_t wall_us, enum log_kind kind)
{
    struct civil t = civil_from_us(wall_us);
    strbuf_printf(out, "%02d:%02d:%02d.%03d %s ", t.hour, t.minute, t.second, t.microsecond / 1000,
        kind_names[kind]);
}

/* Whether a line of that kind still gets in. */
static bool admits(struct attempt_log *log, enum log_kind kind, size_t size)
{
    bool ours = kind == LOG_KIND_INFO || kind == LOG_KIND_ERROR;
    size_t ceiling = ATTEMPT_LOG_MAX + (ours ? ATTEMPT_LOG_RESERVE : 0);
    return log->size + size <= ceiling;
}

static void add_line(
    struct attempt_log *log, int64_t wall_us, enum log_kind kind, struct slice line)
{
    struct strbuf out = {0};
    add_stamp(&out, wall_us, kind);
    bool cut = line.size > ATTEMPT_LOG_LINE_MAX;
    secrets_mask(&log->secrets, slice_make(line.p, cut ? ATTEMPT_LOG_LINE_MAX : line.size), &out);
    if (cut)
        strbuf_printf(&out, " … (%zu bytes more)", line.size - ATTEMPT_LOG_LINE_MAX);
    strbuf_add_char(&out, '\n');
    bool admitted = admits(log, kind, out.size);
    if (!admitted && !log->over) {
        log->over = true;
        strbuf_clear(&out);
        add_stamp(&out, wall_us, LOG_KIND_ERROR);
        strbuf_printf(&out, "the log has reached its ceiling of %d MiB: what follows is dropped\n",
            ATTEMPT_LOG_MAX / 1024 / 1024);
        admitted = true;
    }
    if (admitted) {
        strbuf_add_slice(&log->buffer, slice_make(out.text, out.size));
        log->size += out.size;
    }
    strbuf_done(&out);
    if (log->buffer.size >= ATTEMPT_LOG_BUFFER)
        attempt_log_flush(log);
}

void attempt_log_text(
    struct attempt_log *log, int64_t wall_us, enum log_kind kind, struct slice text)
{
    while (text.size && (text.p[text.size - 1] == '\n' || text.p[text.size - 1] == '\r'))
        text.size--;
    do {
        const char *end = text.size ? memchr(text.p, '\n', text.size) : NULL;
        size_t size = end ? (size_t)(end - text.p) : text.size;
        add_line(log, wall_us, kind, slice_make(text.p, size));
        text.p += end ? size + 1 : size;
        text.size -= end ? size + 1 : size;
    } while (text.size);
}

void attempt_log_printf(struct attempt_log *log, enum log_kind kind, const char *format, ...)
{
    struct strbuf text = {0};
    va_list args;
    va_start(args, format);
    strbuf_vprintf(&text, format, args);
    va_end(args);
    attempt_log_text(log, clock_now().wall_us, kind, slice_make(strbuf_text(&text), text.size));
    strbuf_done(&text);
}

void attempt_log_flush(struct attempt_log *log)
{
    size_t done = 0;
    while (done < log->buffer.size) {
        ssize_t n = write(log->fd, log->buffer.text + done, log->buffer.size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            log->trouble = log->trouble ? log->trouble : errno;
            break;
        }
        done += (size_t)n;
    }
    strbuf_clear(&log->buffer);
}

int attempt_log_trouble(const struct attempt_log *log)
{
    return log->trouble;
}
