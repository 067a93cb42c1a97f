#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/log.h"
#include "tests/unit/test.h"

static char written[64 * 1024];

/* What the log wrote since the call before. */
static const char *drain(int fd)
{
    ssize_t size = read(fd, written, sizeof written - 1);
    written[size > 0 ? size : 0] = '\0';
    return written;
}

static int start(enum log_level level)
{
    int ends[2];
    REQUIRE(pipe2(ends, O_NONBLOCK) == 0);
    log_configure(ends[1], level);
    return ends[0];
}

TEST(a_line_has_time_level_and_message)
{
    int fd = start(LOG_INFO);
    log_line(LOG_INFO, "started %d tasks", 3);
    CHECK(glob_match("2[0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]."
                     "[0-9][0-9][0-9]Z INFO started 3 tasks\n",
        drain(fd)));
    close(fd);
}

TEST(lines_below_the_level_are_not_written)
{
    int fd = start(LOG_WARNING);
    log_line(LOG_INFO, "quiet");
    log_line(LOG_DEBUG, "quiet");
    CHECK_STR(drain(fd), "");
    log_line(LOG_WARNING, "loud");
    CHECK(strstr(drain(fd), " WARNING loud\n"));
    close(fd);
}

TEST(an_error_is_logged_with_place_and_hint)
{
    int fd = start(LOG_INFO);
    struct error err;
    error_set(&err, ERR_INVALID, "wrong");
    error_place(&err, "dags/x.yaml", 3, 5, "some text");
    error_hint(&err, "mend it");
    log_error(&err, "loading %s", "x");
    const char *text = drain(fd);
    CHECK(strstr(text, " ERROR loading x: dags/x.yaml:3:5: error: wrong\n"));
    CHECK(strstr(text, "    3 | some text\n"));
    CHECK(str_ends(text, "  hint: mend it\n"));
    close(fd);
}

TEST(a_very_long_line_is_cut_and_says_so)
{
    int fd = start(LOG_INFO);
    log_line(LOG_INFO, "%0*d", LOG_LINE_MAX * 2, 7);
    const char *text = drain(fd);
    CHECK(str_ends(text, "…\n"));
    CHECK(strlen(text) <= LOG_LINE_MAX + 8);
    close(fd);
}
