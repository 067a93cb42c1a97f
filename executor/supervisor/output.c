/* The child's output, line by line into the log. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "executor/supervisor/supervisor.h"

static struct {
    int fd;
    long long size, max;
    bool over;
    char **secrets;
    size_t secret_count, secret_size; /* of the longest */
} out_log = {.fd = -1};

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
    struct stat st;
    out_log.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    out_log.max = max;
    out_log.size = out_log.fd >= 0 && fstat(out_log.fd, &st) == 0 ? (long long)st.st_size : 0;
}

static void add_secret(char *secret)
{
    size_t size = strlen(secret);
    char **more = realloc(out_log.secrets, (out_log.secret_count + 1) * sizeof(*more));
    if (!size || !more)
        return;
    out_log.secrets = more;
    out_log.secrets[out_log.secret_count++] = secret;
    if (size > out_log.secret_size)
        out_log.secret_size = size;
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

static int stamp(char *to, size_t size, const char *kind)
{
    int64_t us = wall_us();
    int64_t second = us / 1000000 % 86400;
    return snprintf(to, size, "%02d:%02d:%02d.%03d %s ", (int)(second / 3600),
        (int)(second / 60 % 60), (int)(second % 60), (int)(us / 1000 % 1000), kind);
}

static void write_all(const char *text, size_t size)
{
    while (size) {
        ssize_t n = write(out_log.fd, text, size);
        if (n <= 0)
            return; /* a full disk must not end the task */
        text += n;
        size -= (size_t)n;
    }
}

/* One write a line, so that the daemon's lines do not get between. */
void log_line(const char *kind, const char *text, size_t size)
{
    char line[LINE_MAX_BYTES + 64];
    if (out_log.fd < 0 || out_log.over)
        return;
    int head = stamp(line, sizeof(line), kind);
    if (out_log.size + head + (long long)size + 1 > out_log.max) {
        out_log.over = true;
        head = stamp(line, sizeof(line), "error");
        int rest = snprintf(line + head, sizeof(line) - (size_t)head,
            "the log has reached its ceiling of %lld MiB: what follows is dropped\n",
            out_log.max / 1024 / 1024);
        write_all(line, (size_t)(head + rest));
        return;
    }
    memcpy(line + head, text, size);
    mask(line + head, size);
    line[(size_t)head + size] = '\n';
    write_all(line, (size_t)head + size + 1);
    out_log.size += head + (long long)size + 1;
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

/* A byte of zero would end the text for most who read the log: the mark of what is no text. */
static void blank_zeros(char *text, size_t size)
{
    for (char *zero = size ? memchr(text, '\0', size) : NULL; zero;
         zero = memchr(zero, '\0', size - (size_t)(zero - text)))
        *zero = '?';
}

static void flush_lines(struct output *output, bool at_end)
{
    size_t start = 0;
    for (size_t i = 0; i < output->used; i++) {
        if (output->line[i] != '\n')
            continue;
        size_t size = i - start;
        if (size && output->line[i - 1] == '\r')
            size--;
        log_line(output->kind, output->line + start, size);
        start = i + 1;
    }
    memmove(output->line, output->line + start, output->used - start);
    output->used -= start;
    if (output->used && at_end) {
        log_line(output->kind, output->line, output->used);
        output->used = 0;
    } else if (output->used == sizeof(output->line)) {
        /* A part of a long line; a secret that ends in the next part must still be found. */
        size_t kept = out_log.secret_size < sizeof(output->line) / 2 ? out_log.secret_size : 0;
        mask(output->line, output->used);
        log_line(output->kind, output->line, output->used - kept);
        memmove(output->line, output->line + output->used - kept, kept);
        output->used = kept;
    }
}

bool output_read(struct output *output)
{
    ssize_t n = read(output->fd, output->line + output->used, sizeof(output->line) - output->used);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n > 0) {
        blank_zeros(output->line + output->used, (size_t)n);
        output->used += (size_t)n;
    }
    flush_lines(output, n <= 0);
    if (n > 0)
        return true;
    close(output->fd);
    output->fd = -1;
    return false;
}
