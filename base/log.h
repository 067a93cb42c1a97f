/*
 * The program's own log, for the edges (daemon, cli, web) only; libraries return errors instead.
 * Lines: "2026-11-20T12:00:00.123Z LEVEL message"; on a terminal the level is coloured unless
 * NO_COLOR is set.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/error.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* Where lines go from now on (default: standard error, LOG_INFO). */
void log_configure(int fd, enum log_level level);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_error(const struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
