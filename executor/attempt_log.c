#include "executor/attempt_log.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/secrets.h"
#include "executor/limits.h"
#include "executor/supervisor/log_file.h"

struct attempt_log {
    struct log_file file;
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
    [LOG_KIND_MEMO] = "memo",
};

char *attempt_file_path(struct arena *arena, const char *log_path, const char *ending)
{
    size_t size = strlen(log_path);
    if (str_ends(log_path, ".log"))
        size -= strlen(".log");
    return arena_printf(arena, "%.*s%s", (int)size, log_path, ending);
}

char *attempt_log_of(struct arena *arena, const char *log_path, int32_t number)
{
    const char *end = attempt_file_path(arena, log_path, "");
    const char *dot = strrchr(end, '.');
    return arena_printf(arena, "%.*s.%d.log", (int)(dot ? dot - end : 0), end, (int)number);
}

static bool is_full_disk(int number)
{
    return number == ENOSPC || number == EDQUOT;
}

enum status attempt_log_open(const char *path, struct attempt_log **ret, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct attempt_log *log = mem_alloc_zero(1, sizeof(*log));
    bool open = log_file_open(&log->file, path, ATTEMPT_LOG_MAX);
    if (!open && log->file.trouble == ENOENT) {
        errno = 0;
        enum status status = dir_make(path_dir(arena, path), false, err);
        if (status && !is_full_disk(errno)) {
            attempt_log_close(log);
            return status;
        }
        log_file_close(&log->file, 0);
        open = log_file_open(&log->file, path, ATTEMPT_LOG_MAX);
    }
    int trouble = log->file.trouble;
    if (!open && !is_full_disk(trouble) && trouble != ENOENT) {
        attempt_log_close(log);
        return error_set(err, ERR_IO, "cannot make the log %s: %s", path, strerror(trouble));
    }
    *ret = log;
    return OK;
}

void attempt_log_close(struct attempt_log *log)
{
    if (!log)
        return;
    attempt_log_flush(log);
    log_file_close(&log->file, clock_now().wall_us);
    strbuf_done(&log->buffer);
    secrets_done(&log->secrets);
    mem_free(log);
}

/* Texts are masked line by line, so a secret of several lines is as many secrets. */
void attempt_log_secret(struct attempt_log *log, struct slice secret)
{
    secrets_add(&log->secrets, secret);
    for (const char *end; (end = memchr(secret.p, '\n', secret.size));) {
        secrets_add(&log->secrets, slice_make(secret.p, (size_t)(end - secret.p)));
        secret.size -= (size_t)(end - secret.p) + 1;
        secret.p = end + 1;
        if (!memchr(secret.p, '\n', secret.size))
            secrets_add(&log->secrets, secret);
    }
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

static void add_line(
    struct attempt_log *log, int64_t wall_us, enum log_kind kind, struct slice line)
{
    struct strbuf masked = {0};
    char stamp[LOG_STAMP_SIZE];
    secrets_mask(&log->secrets, line, &masked);
    size_t size = masked.size < ATTEMPT_LOG_LINE_MAX ? masked.size : ATTEMPT_LOG_LINE_MAX;
    while (size > 0 && size < masked.size && ((unsigned char)masked.text[size] & 0xC0) == 0x80)
        size--; /* no part of a character */
    struct strbuf *out = &log->buffer;
    strbuf_add(out, stamp, (size_t)log_stamp(stamp, wall_us, kind_names[kind]));
    strbuf_reserve(out, out->size + size * LOG_CLEAN_GROWTH);
    out->size += log_clean(strbuf_text(&masked), size, out->text + out->size);
    out->text[out->size] = '\0';
    if (size < masked.size)
        strbuf_printf(out, " … (%zu bytes more)", masked.size - size);
    strbuf_add_char(out, '\n');
    strbuf_done(&masked);
    if (out->size >= ATTEMPT_LOG_BUFFER)
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

enum status attempt_log_note(struct attempt_log *log, struct slice line, struct error *err)
{
    char stamp[LOG_STAMP_SIZE];
    int size = log_stamp(stamp, clock_now().wall_us, kind_names[LOG_KIND_MEMO]);
    strbuf_add(&log->buffer, stamp, (size_t)size);
    strbuf_add_slice(&log->buffer, line);
    strbuf_add_char(&log->buffer, '\n');
    attempt_log_flush(log);
    if (!log->file.lost)
        return OK;
    return error_set(
        err, ERR_IO, "cannot write %s: %s", log->file.path, strerror(log->file.trouble));
}

void attempt_log_flush(struct attempt_log *log)
{
    if (log->buffer.size)
        log_file_write(&log->file, clock_now().wall_us, log->buffer.text, log->buffer.size);
    strbuf_clear(&log->buffer);
}

int attempt_log_trouble(const struct attempt_log *log)
{
    return log->file.trouble;
}
