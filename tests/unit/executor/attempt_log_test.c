#include "executor/attempt_log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "executor/attempt_memo.h"
#include "executor/attempt_sql.h"
#include "executor/limits.h"
#include "executor/supervisor/log_file.h"
#include "tests/unit/test.h"

static struct arena *arena;
static const char *dir;

static const char *path_of(const char *name)
{
    if (!arena) {
        static char folder[] = "/tmp/dag-test-log-XXXXXX";
        arena = arena_new();
        REQUIRE(mkdtemp(folder) != NULL);
        dir = folder;
    }
    return path_join(arena, dir, name);
}

static void remove_all(void)
{
    static const char *const names[] = {"a/b/1.log", "a/b", "a", "big.log", "long.log", "junk.log",
        "lines.log", "full.log", "file", "t.1.log", "t.2.log", "t.3.log", "rendered.sql", ""};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        CHECK(remove(path_of(names[i])) == 0);
    arena_free(take(arena));
}

static const char *text_of(const char *path)
{
    struct slice text;
    struct error err;
    REQUIRE_OK(file_read(path, 64 * 1024 * 1024, arena, &text, &err), &err);
    return text.p;
}

TEST(paths_lie_below_the_run)
{
    path_of("");
    CHECK_STR(
        log_path_of(arena, "geo", "scheduled__x", "g.t", -1, 2), "logs/geo/scheduled__x/g.t.2.log");
    CHECK_STR(log_path_of(arena, "geo", "r", "t", 3, 1), "logs/geo/r/t.3.1.log");
    char name[251];
    memset(name, 't', 250);
    name[250] = '\0';
    const char *longest = log_path_of(arena, "geo", "r", name, 1023, 1000000);
    name[249] = 'u';
    CHECK(strlen(path_base(longest)) + strlen(".proc") <= 255);
    CHECK(strcmp(log_path_of(arena, "geo", "r", name, 1023, 1000000), longest) != 0);
    CHECK_STR(attempt_file_path(arena, "/s/logs/d/r/t.1.log", ".proc"), "/s/logs/d/r/t.1.proc");
    CHECK_STR(attempt_log_of(arena, "/s/logs/d/r/g.t.3.12.log", 2), "/s/logs/d/r/g.t.3.2.log");
}

TEST(lines_have_time_and_kind_and_secrets_are_masked)
{
    struct attempt_log *log;
    struct error err;
    struct stat st;
    const char *path = path_of("a/b/1.log");
    REQUIRE_OK(attempt_log_open(path, &log, &err), &err);
    attempt_log_secret(log, slice_of("s3cret"));
    attempt_log_secret(log, slice_of("abc")); /* too short to be masked */
    int64_t at = INT64_C(45296789) * US_PER_MS;
    attempt_log_text(log, at, LOG_KIND_OUT, slice_of("one s3cret abc\ntwo\n\n"));
    attempt_log_text(log, at, LOG_KIND_ERROR, slice_of(""));
    CHECK_STR(attempt_log_mask(log, slice_of("xs3cretx"), arena), "x***x");
    attempt_log_flush(log);
    CHECK_STR(
        text_of(path), "12:34:56.789 out one *** abc\n12:34:56.789 out two\n12:34:56.789 error \n");
    attempt_log_close(log);
    REQUIRE(stat(path, &st) == 0);
    CHECK_INT(st.st_mode & 0777, 0600);
}

/* `count` lines of 1,000 bytes: "12:34:56.789 out line <number> xxx…". */
static void fill(struct attempt_log *log, int from, int count)
{
    char line[1001];
    memset(line, 'x', sizeof(line));
    for (int i = from; i < from + count; i++) {
        int size = snprintf(line, sizeof(line), "line %07d ", i);
        line[size] = 'x';
        attempt_log_text(log, 0, LOG_KIND_OUT, slice_make(line, 982));
    }
}

/* The number of the only mark, -1 without. */
static long long marked(const char *text)
{
    const char *mark = strstr(text, "error left out here: ");
    REQUIRE(!mark || !strstr(mark + 1, "error left out here: "));
    return mark ? log_left_out(mark - 13, strlen(mark) + 13) : -1;
}

TEST(a_log_is_bounded_and_keeps_how_it_began_and_how_it_ended)
{
    enum { MIB = 1024 * 1024, LINES = 100000 };
    struct attempt_log *log;
    struct error err;
    const char *path = path_of("big.log");
    REQUIRE_OK(attempt_log_open(path, &log, &err), &err);
    fill(log, 0, LINES / 2);
    attempt_log_close(log); /* another process goes on with it */
    REQUIRE_OK(attempt_log_open(path, &log, &err), &err);
    fill(log, LINES / 2, LINES / 2);
    attempt_log_printf(log, LOG_KIND_ERROR, "the end");
    attempt_log_close(log);
    const char *text = text_of(path);
    size_t size = strlen(text);
    CHECK(size <= ATTEMPT_LOG_MAX && size > ATTEMPT_LOG_MAX / 2);
    CHECK(str_starts(text, "00:00:00.000 out line 0000000 xx"));
    CHECK(str_ends(text, "error the end\n"));
    const char *mark = strstr(text, "error left out here: ");
    REQUIRE(mark);
    const char *mark_end = strchr(mark, '\n');
    size_t whole = size - (size_t)(mark_end - mark) - 14;
    CHECK_INT((long long)whole - 27 + marked(text), LINES * 1000LL); /* to the byte */
    /* every line is whole, in order, and but for the mark nothing is between them */
    int last = -1, jumps = 0;
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        if (!str_starts(line + 13, "out line "))
            continue;
        int number = (int)strtol(line + 22, NULL, 10);
        CHECK(number > last);
        jumps += number != last + 1;
        last = number;
        CHECK_INT(strchr(line, '\n') - line, 999);
    }
    CHECK_INT(last, LINES - 1);
    CHECK_INT(jumps, 1);
}

TEST(a_line_that_is_too_long_says_how_much_more_there_was)
{
    struct attempt_log *log;
    struct error err;
    const char *path = path_of("long.log");
    char *line = arena_alloc(arena, 20001);
    memset(line, 'x', 20000);
    memcpy(line + 16380, "s3cret", 6); /* over the cut */
    REQUIRE_OK(attempt_log_open(path, &log, &err), &err);
    attempt_log_secret(log, slice_of("s3cret"));
    attempt_log_text(log, 0, LOG_KIND_OUT, slice_make(line, 20000));
    attempt_log_close(log);
    CHECK(str_ends(text_of(path), "xx***x … (3613 bytes more)\n"));
}

TEST(what_is_no_text_is_shown_safely)
{
    struct attempt_log *log;
    struct error err;
    const char *path = path_of("junk.log");
    REQUIRE_OK(attempt_log_open(path, &log, &err), &err);
    attempt_log_text(log, 0, LOG_KIND_OUT,
        slice_of("\033[1;31mred\033[0m \033]0;title\007 \tß\xff\xc3 \xed\xa0\x80 \xc2\x9b \b €"));
    attempt_log_close(log);
    CHECK_STR(text_of(path),
        "00:00:00.000 out red \\x1b]0;title\\x07 \tß\\xff\\xc3 \\xed\\xa0\\x80 \\xc2\\x9b "
        "\\x08 €\n");
}

TEST(a_secret_of_several_lines_is_masked_in_each)
{
    struct attempt_log *log;
    struct error err;
    const char *path = path_of("lines.log");
    REQUIRE_OK(attempt_log_open(path, &log, &err), &err);
    attempt_log_secret(log, slice_of("-----BEGIN\nabcdef\n-----END"));
    attempt_log_text(log, 0, LOG_KIND_OUT, slice_of("key: -----BEGIN\nabcdef\n-----END"));
    attempt_log_close(log);
    CHECK_STR(
        text_of(path), "00:00:00.000 out key: ***\n00:00:00.000 out ***\n00:00:00.000 out ***\n");
}

/* A disk of that many bytes. */
static void limit_files(rlim_t size)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = size;
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

TEST(what_a_full_disk_swallowed_is_marked_when_there_is_room_again)
{
    struct attempt_log *log;
    struct error err;
    const char *path = path_of("full.log");
    signal(SIGXFSZ, SIG_IGN);
    REQUIRE_OK(attempt_log_open(path, &log, &err), &err);
    limit_files(1020);
    for (int i = 0; i < 3; i++) { /* the second is torn */
        fill(log, i, 1);
        attempt_log_flush(log);
    }
    CHECK_INT(attempt_log_trouble(log), EFBIG);
    limit_files(RLIM_INFINITY);
    attempt_log_printf(log, LOG_KIND_INFO, "there is room");
    attempt_log_close(log);
    const char *text = text_of(path);
    CHECK(strncmp(text + 1000, "00:00:00.000 out lin\n", 21) == 0);
    CHECK(
        strstr(text, " error lost: 1980 bytes of the log could not be written: File too large\n"));
    CHECK(str_ends(text, "info there is room\n"));
    limit_files(0); /* nothing more, up to its end */
    REQUIRE_OK(attempt_log_open(path, &log, &err), &err);
    attempt_log_printf(log, LOG_KIND_INFO, "gone");
    limit_files(RLIM_INFINITY);
    attempt_log_close(log);
    CHECK(strstr(text_of(path), "gone") != NULL);
}

TEST(a_log_that_cannot_be_made_is_an_error)
{
    struct attempt_log *log;
    struct error err;
    REQUIRE(file_write(path_of("file"), slice_of("x"), 0600, false, NULL) == OK);
    CHECK(attempt_log_open(path_of("file/1.log"), &log, &err) != OK);
}

static void write_memo(const char *name, const struct attempt_memo *memo, const char *more)
{
    struct attempt_log *log;
    struct error err;
    REQUIRE_OK(attempt_log_open(path_of(name), &log, &err), &err);
    attempt_log_secret(log, slice_of("greenplum"));
    attempt_log_printf(log, LOG_KIND_INFO, "begins");
    if (memo)
        REQUIRE_OK(attempt_memo_write(log, memo, &err), &err);
    attempt_log_printf(log, LOG_KIND_OUT, "%s", more);
    attempt_log_close(log);
}

TEST(a_memo_reads_back_and_tells_the_ledger_of_its_generation)
{
    struct error err;
    struct attempt_memo memo = {.operator= "sql",
        .generation = INT64_MIN,
        .connection = "greenplum", /* a password may be the same word */
        .started_us = 5};
    uuid_make(memo.attempt);
    uuid_make(memo.ledger_id);
    struct attempt_memo read;
    write_memo("t.1.log", &memo, "\n00:00:00.000 memo {\"connection\": \"forged\"}");
    REQUIRE_OK(attempt_memo_read(path_of("t.1.log"), arena, &read, &err), &err);
    CHECK_STR(read.attempt, memo.attempt);
    CHECK_STR(read.operator, "sql");
    CHECK(read.generation == INT64_MIN);
    CHECK_STR(read.connection, "greenplum");
    CHECK_STR(read.ledger_id, memo.ledger_id);
    CHECK(!read.commit_sent);
    memo.commit_sent = true;
    write_memo("t.1.log", &memo, "the last one counts");
    REQUIRE_OK(attempt_memo_read(path_of("t.1.log"), arena, &read, &err), &err);
    CHECK(read.commit_sent);
    write_memo("t.2.log", NULL, "it did not come so far");
    CHECK_INT(attempt_memo_read(path_of("t.2.log"), arena, &read, &err), ERR_NOT_FOUND);
    CHECK(attempt_memo_pinned(path_of("t.3.log"), 3, INT64_MIN, arena, &read));
    CHECK_STR(read.ledger_id, memo.ledger_id);
    CHECK(!attempt_memo_pinned(path_of("t.3.log"), 3, 0, arena, &read));
    CHECK(!attempt_memo_pinned(path_of("t.3.log"), 1, INT64_MIN, arena, &read));
    CHECK_INT(attempt_memo_read(path_of("t.3.log"), arena, &read, &err), ERR_NOT_FOUND);
}

/* What a disk that is full lets nobody write. */
TEST(a_memo_that_cannot_be_written_is_an_error)
{
    struct attempt_log *log;
    struct error err;
    REQUIRE(symlink("/dev/full", path_of("t.3.log")) == 0);
    REQUIRE_OK(attempt_log_open(path_of("t.3.log"), &log, &err), &err);
    CHECK_INT(attempt_memo_write(log, &(struct attempt_memo){.operator= "sql"}, &err), ERR_IO);
    CHECK(strstr(err.message, "No space left") != NULL);
    attempt_log_close(log);
}

static const char *sql_of(const char *attempt)
{
    struct slice text;
    struct error err;
    enum status status =
        attempt_sql_read(path_of("t.1.log"), attempt, 100 * 1024, arena, &text, &err);
    return status == OK ? text.p : status == ERR_LIMIT ? "(too large)" : "(none)";
}

TEST(the_sql_of_each_attempt_of_a_run_reads_back)
{
    enum { SECTIONS = 40, BIG = 90 * 1024 };
    struct error err;
    char uuid[SECTIONS][UUID_TEXT_SIZE];
    char *big = arena_alloc(arena, BIG);
    memset(big, '-', BIG); /* marks begin like it */
    for (int n = 0; n < SECTIONS; n++) {
        uuid_make(uuid[n]);
        struct attempt_sql_title title = {uuid[n], "load: 3 bytes", n % 2 ? n : -1, n};
        struct slice text = slice_of(arena_printf(arena, "select %d\n", n));
        if (n % 7 == 3)
            text = slice_make(big, BIG - (size_t)n);
        REQUIRE_OK(attempt_sql_add(path_of("t.1.log"), &title, text, &err), &err);
    }
    for (int n = 0; n < SECTIONS; n++) {
        if (n % 7 == 3)
            CHECK_INT(strlen(sql_of(uuid[n])), BIG - (size_t)n);
        else
            CHECK_STR(sql_of(uuid[n]), arena_printf(arena, "select %d\n", n));
    }
    CHECK_STR(sql_of("nobody"), "(none)");
    struct attempt_sql_title title = {"x", "t", -1, 1};
    char *too_big = arena_alloc(arena, 2 * BIG);
    memset(too_big, 'a', 2 * BIG);
    REQUIRE_OK(
        attempt_sql_add(path_of("t.1.log"), &title, slice_make(too_big, 2 * BIG), &err), &err);
    CHECK_STR(sql_of("x"), "(too large)");
}

TEST(sql_that_was_cut_short_is_not_found_and_what_follows_is)
{
    struct error err;
    struct stat info;
    struct attempt_sql_title torn = {"torn", "t", -1, 1}, next = {"next", "t", -1, 2};
    REQUIRE_OK(attempt_sql_add(path_of("t.1.log"), &torn, slice_of("select 1"), &err), &err);
    REQUIRE(stat(path_of("rendered.sql"), &info) == 0);
    CHECK_INT(info.st_mode & 0777, 0600);
    REQUIRE(truncate(path_of("rendered.sql"), info.st_size - 3) == 0);
    CHECK_STR(sql_of("torn"), "(none)");
    REQUIRE_OK(attempt_sql_add(path_of("t.1.log"), &next, slice_of("select 2"), &err), &err);
    CHECK_STR(sql_of("torn"), "(none)");
    CHECK_STR(sql_of("next"), "select 2");
    remove_all();
}
