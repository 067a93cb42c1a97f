#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

static struct {
    pthread_mutex_t lock;
    int fd;
    enum log_level level;
} settings = {PTHREAD_MUTEX_INITIALIZER, STDERR_FILENO, LOG_INFO};

static const struct {
    const char *name, *colour;
} levels[] = {
    [LOG_DEBUG] = {"DEBUG", "\033[2m"},
    [LOG_INFO] = {"INFO", "\033[32m"},
    [LOG_WARNING] = {"WARNING", "\033[33m"},
    [LOG_ERROR] = {"ERROR", "\033[31m"},
};

void log_configure(int fd, enum log_level level)
{
    pthread_mutex_lock(&settings.lock);
    settings.fd = fd;
    settings.level = level;
    pthread_mutex_unlock(&settings.lock);
}

static bool in_colour(int fd)
{
    const char *no_color = getenv("NO_COLOR");
    return isatty(fd) && (!no_color || no_color[0] == '\0');
}

static void add_head(struct strbuf *line, enum log_level level, int fd)
{
    int64_t now_us = clock_now().wall_us;
    struct civil c = civil_from_us(now_us);
    bool colour = in_colour(fd);
    strbuf_printf(line, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s%s%s ", c.year, c.month, c.day,
        c.hour, c.minute, c.second, c.microsecond / 1000, colour ? levels[level].colour : "",
        levels[level].name, colour ? "\033[0m" : "");
}

static void write_line(int fd, struct strbuf *line)
{
    if (line->size == 0 || line->text[line->size - 1] != '\n')
        strbuf_add_char(line, '\n');
    size_t at = 0;
    while (at < line->size) {
        ssize_t size = write(fd, line->text + at, line->size - at);
        if (size < 0 && errno == EINTR)
            continue;
        /* There is nowhere to tell that the log cannot be written. */
        if (size <= 0)
            return;
        at += (size_t)size;
    }
}

/* Cuts what is over the ceiling, on a code point's border. */
static void cut_line(struct strbuf *line)
{
    if (line->size <= LOG_LINE_MAX)
        return;
    line->size = LOG_LINE_MAX;
    while (line->size && ((unsigned char)line->text[line->size] & 0xC0) == 0x80)
        line->size--;
    strbuf_add_str(line, "…");
}

__attribute__((format(printf, 3, 0))) static void log_write(
    enum log_level level, const struct error *err, const char *format, va_list args)
{
    struct strbuf line = {0};
    pthread_mutex_lock(&settings.lock);
    if (level >= settings.level) {
        add_head(&line, level, settings.fd);
        strbuf_vprintf(&line, format, args);
        if (err) {
            strbuf_add_str(&line, ": ");
            error_format(err, "error", &line);
        }
        cut_line(&line);
        write_line(settings.fd, &line);
    }
    pthread_mutex_unlock(&settings.lock);
    strbuf_done(&line);
}

void log_line(enum log_level level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_write(level, NULL, format, args);
    va_end(args);
}

void log_error(const struct error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_write(LOG_ERROR, err, format, args);
    va_end(args);
}
