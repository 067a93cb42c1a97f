/* The child's output, line by line into the log. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "executor/supervisor/log_file.h"
#include "executor/supervisor/supervisor.h"

static struct {
    struct log_file file;
    char **secrets;
    size_t secret_count;
    size_t secret_longest;
} out_log = {.file = {.fd = -1}};

int64_t wall_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t mono_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void log_open(const char *path, long long max)
{
    (void)log_file_open(&out_log.file, path, max); /* a full disk must not end the task */
}

void log_close(void)
{
    log_file_close(&out_log.file, wall_us());
}

static void add_secret(char *secret)
{
    size_t size = strlen(secret);
    char **more = realloc(out_log.secrets, (out_log.secret_count + 1) * sizeof(*more));
    if (!size || !more)
        return;
    out_log.secrets = more;
    out_log.secrets[out_log.secret_count++] = secret;
    if (size > out_log.secret_longest)
        out_log.secret_longest = size;
}

void log_secrets(char *lines)
{
    while (lines && *lines) {
        char *end = strchr(lines, '\n');
        if (end)
            *end = '\0';
        add_secret(lines);
        lines = end ? end + 1 : NULL;
    }
}

/* Overwrites secrets with asterisks, in place. */
static void mask(char *text, size_t size)
{
    for (size_t i = 0; i < out_log.secret_count; i++) {
        size_t length = strlen(out_log.secrets[i]);
        char *from = text;
        char *found;
        while ((found = memmem(from, size - (size_t)(from - text), out_log.secrets[i], length))) {
            memset(found, '*', length);
            from = found + length;
        }
    }
}

/* One write a line, so that the daemon's lines do not get between.  `text` is masked already. */
static void add_line(const char *kind, const char *text, size_t size)
{
    static char line[LOG_STAMP_SIZE + LINE_MAX_BYTES * LOG_CLEAN_GROWTH + 1];
    int64_t now_us = wall_us();
    size_t used = (size_t)log_stamp(line, now_us, kind);
    used += log_clean(text, size, line + used);
    line[used++] = '\n';
    log_file_write(&out_log.file, now_us, line, used);
}

void log_line(const char *kind, const char *text, size_t size)
{
    char copy[LINE_MAX_BYTES];
    size = size < sizeof(copy) ? size : sizeof(copy);
    memcpy(copy, text, size);
    mask(copy, size);
    add_line(kind, copy, size);
}

void log_say(const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (size > 0)
        log_line("info", text, (size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1);
}

/* Where a full line without an end is parted: what may be the beginning of a secret or of a
   character stays for the next part. */
static size_t part_of(const char *text, size_t size)
{
    size_t keep = out_log.secret_longest ? out_log.secret_longest - 1 : 0;
    size_t part = keep < size / 2 ? size - keep : size / 2;
    for (size_t back = 0; back < 3 && part > back; back++)
        if (((unsigned char)text[part - back] & 0xC0) != 0x80)
            return part - back;
    return part;
}

/* A carriage return alone ends a line, too: so do progress bars. */
static void flush_lines(struct output *output, bool at_end)
{
    size_t start = 0;
    mask(output->line, output->used);
    for (size_t i = 0; i < output->used; i++) {
        char c = output->line[i];
        if (c != '\n' && c != '\r')
            continue;
        if (c == '\r' && i + 1 == output->used && !at_end)
            break; /* what follows decides */
        bool pair = c == '\r' && i + 1 < output->used && output->line[i + 1] == '\n';
        add_line(output->kind, output->line + start, i - start);
        i += pair;
        start = i + 1;
    }
    memmove(output->line, output->line + start, output->used - start);
    output->used -= start;
    size_t part = output->used;
    if (!at_end && output->used == sizeof(output->line))
        part = part_of(output->line, output->used - 1);
    else if (!at_end)
        part = 0;
    if (!part)
        return;
    add_line(output->kind, output->line, part);
    memmove(output->line, output->line + part, output->used - part);
    output->used -= part;
}

bool output_read(struct output *output)
{
    ssize_t n = read(output->fd, output->line + output->used, sizeof(output->line) - output->used);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n > 0)
        output->used += (size_t)n;
    if (n > 0 || output->used)
        flush_lines(output, n <= 0);
    if (n > 0)
        return true;
    close(output->fd);
    output->fd = -1;
    return false;
}
