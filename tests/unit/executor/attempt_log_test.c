#include "executor/attempt_log.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "executor/attempt_memo.h"
#include "executor/limits.h"
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
    static const char *const names[] = {"a/b/1.log", "a/b", "a", "big.log", "file", "1.json", ""};
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

TEST(paths_lie_below_the_run_and_the_task)
{
    path_of("");
    CHECK_STR(attempt_log_path(arena, "geo", "scheduled__x", "g.t", -1, 2),
        "logs/geo/scheduled__x/g.t/2.log");
    CHECK_STR(attempt_log_path(arena, "geo", "r", "t", 3, 1), "logs/geo/r/t.3/1.log");
    CHECK_STR(attempt_file_path(arena, "/s/logs/d/r/t/1.log", ".sql"), "/s/logs/d/r/t/1.sql");
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

TEST(a_log_is_bounded_and_its_end_gets_in)
{
    struct attempt_log *log;
    struct error err;
    const char *path = path_of("big.log");
    REQUIRE_OK(attempt_log_open(path, &log, &err), &err);
    char *line = arena_alloc(arena, 20000);
    memset(line, 'x', 20000);
    for (int i = 0; i < 2000; i++)
        attempt_log_text(log, 0, LOG_KIND_OUT, slice_make(line, 20000));
    attempt_log_printf(log, LOG_KIND_ERROR, "the end");
    attempt_log_close(log);
    const char *text = text_of(path);
    CHECK(strlen(text) <= ATTEMPT_LOG_MAX + 1000);
    CHECK(strstr(text, "… (3616 bytes more)\n") != NULL);
    CHECK(strstr(text, "the log has reached its ceiling of 16 MiB") != NULL);
    CHECK(str_ends(text, "error the end\n"));
}

TEST(a_log_that_cannot_be_made_is_an_error)
{
    struct attempt_log *log;
    struct error err;
    REQUIRE(file_write(path_of("file"), slice_of("x"), 0600, false, NULL) == OK);
    CHECK(attempt_log_open(path_of("file/1.log"), &log, &err) != OK);
}

TEST(a_memo_reads_back_and_tells_the_ledger_of_its_generation)
{
    struct error err;
    struct attempt_memo memo = {.operator= "sql",
        .generation = INT64_MIN,
        .connection = "db",
        .commit_sent = true,
        .started_us = 5};
    uuid_make(memo.attempt);
    uuid_make(memo.ledger_id);
    struct attempt_memo read;
    REQUIRE_OK(attempt_memo_write(path_of("1.json"), &memo, &err), &err);
    REQUIRE_OK(attempt_memo_read(path_of("1.json"), arena, &read, &err), &err);
    CHECK_STR(read.attempt, memo.attempt);
    CHECK_STR(read.operator, "sql");
    CHECK(read.generation == INT64_MIN);
    CHECK_STR(read.connection, "db");
    CHECK_STR(read.ledger_id, memo.ledger_id);
    CHECK(read.commit_sent);
    CHECK(attempt_memo_pinned(dir, 3, INT64_MIN, arena, &read));
    CHECK(!attempt_memo_pinned(dir, 3, 0, arena, &read));
    CHECK(!attempt_memo_pinned(dir, 1, INT64_MIN, arena, &read));
    CHECK(attempt_memo_read(path_of("2.json"), arena, &read, &err) == ERR_NOT_FOUND);
    remove_all();
}
