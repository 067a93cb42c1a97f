/* An attempt's log, printed as it grows. */
#ifndef CLI_LOG_STREAM_H
#define CLI_LOG_STREAM_H

#include "base/error.h"

struct log_stream {
    const char *path;
    int fd;          /* -1: not opened so far */
    int64_t at;      /* how much of the file is printed */
    int64_t mark_at; /* where its middle was left out, and how long that line is; 0 = nowhere */
    int64_t mark_size;
    int64_t left_out; /* bytes */
};

/* The path outlives the stream. */
struct log_stream log_stream_of(const char *path);
/* Whether there is something to print.  ERR_NOT_FOUND: there is no such file (yet). */
enum status log_stream_look(
    struct log_stream *stream, bool *ret_more, struct error *err) MUST_CHECK;
/* Prints what there is by now to standard output.  What was left out of the file before it could be
   printed is left out, with the file's mark.  ERR_INTERRUPTED when nobody reads the output. */
enum status log_stream_print(struct log_stream *stream, struct error *err) MUST_CHECK;
void log_stream_close(struct log_stream *stream);

#endif
