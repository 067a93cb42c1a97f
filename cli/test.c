/* dag test: tests of SQL tasks. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/test_watch.h"
#include "testing/limits.h"
#include "testing/report.h"

static const char *format = "text", *filter;
static int64_t jobs;
static bool twice, update, watch_files;

#define TEST_SUFFIX ".test.yaml"

struct testing {
    struct cli *cli;
    const struct report_format *format;
    struct test_totals totals;
    size_t number;
    struct scratch *scratch; /* NULL: of each run */
    test_updates updates;
    size_t not_updated; /* tests that did not pass, and have nothing to write */
};

static void print(struct strbuf *text)
{
    fputs(strbuf_text(text), stdout);
    fflush(stdout);
    strbuf_done(text);
}

static void tell(void *user, const struct test_result *result)
{
    struct testing *t = user;
    struct strbuf text = {0};
    t->format->result(result, ++t->number, &text);
    print(&text);
    for (size_t i = 0; i < result->update_count; i++)
        vec_push(&t->updates, result->updates[i]);
    t->not_updated += result->outcome != TEST_PASSED && !result->update_count;
}

/* On a terminal: what takes a while. */
static void notice(void *user, const char *text)
{
    (void)user;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "%s …\n", text);
}

/* ---- files ---- */

static enum status read_path(struct cli *cli, const char *path, struct diagnostics *mistakes,
    sql_tests *tests, struct error *err)
{
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
        enum status status = testfile_read(cli->project, path, cli->arena, mistakes, tests, err);
        return status == ERR_DEFINITION ? OK : status; /* the others' mistakes too */
    }
    const char **paths = NULL;
    size_t count = 0;
    enum status status = dir_list(path, TEST_SUFFIX, cli->arena, &paths, &count, err);
    for (size_t i = 0; status == OK && i < count; i++)
        status = read_path(cli, path_join(cli->arena, path, paths[i]), mistakes, tests, err);
    return status;
}

static enum status read_tests(
    struct cli *cli, struct diagnostics *mistakes, sql_tests *tests, struct error *err)
{
    enum status status = OK;
    const char *folder = path_join(cli->arena, cli->project->root, cli->project->tests);
    if (cli->arg_count == 0 && dir_exists(folder))
        status = read_path(cli, folder, mistakes, tests, err);
    for (size_t i = 0; status == OK && i < cli->arg_count; i++)
        status = read_path(cli, path_absolute(cli->arena, cli->args[i]), mistakes, tests, err);
    if (status == OK && tests->count > TESTS_MAX)
        return error_set(err, ERR_LIMIT, "there are more than %d tests", TESTS_MAX);
    return status;
}

/* Those whose name or task has the text. */
static void apply_filter(sql_tests *tests)
{
    for (size_t i = tests->count; filter && i-- > 0;) {
        const struct sql_test *test = &tests->at[i];
        bool kept = strstr(test->name, filter) || strstr(test->dag, filter);
        for (size_t k = 0; k < test->tasks.count; k++)
            kept |= strstr(test->tasks.at[k], filter) != NULL;
        if (!kept)
            vec_remove(tests, i);
    }
}

/* ---- the command ---- */

static enum status nothing_to_do(struct cli *cli, struct error *err)
{
    if (filter)
        error_set(err, ERR_NOT_FOUND, "no test has `%s` in its name, DAG or tasks", filter);
    else
        error_set(err, ERR_NOT_FOUND, "there are no tests in %s",
            cli->arg_count ? cli->args[0] : cli->project->tests);
    error_hint(err, "tests are files NAME" TEST_SUFFIX "; docs/testing.md shows one");
    return ERR_NOT_FOUND;
}

/* Writes what came out.  OK when every test that did not pass expects it now. */
static enum status write_updates(struct testing *t, const sql_tests *tests, struct error *err)
{
    struct names files = {0};
    const struct test_update *conflict = update_conflict(&t->updates);
    if (conflict) {
        error_set(
            err, ERR_CONFLICT, "tests that share rows in %s got different ones", conflict->path);
        error_hint(err, "nothing was written; give each test rows of its own");
        return ERR_CONFLICT;
    }
    enum status status =
        update_write(&t->updates, tests->at, tests->count, t->cli->arena, &files, err);
    for (size_t i = 0; i < files.count; i++)
        fprintf(stderr, "wrote %s\n", files.at[i]);
    if (files.count)
        fprintf(stderr, "review what is expected now: `git diff`\n");
    if (status == OK && t->not_updated)
        return error_set(err, ERR_TESTS_FAILED,
            "%zu of %zu tests ended in an error, or differ in what is not written", t->not_updated,
            t->totals.count);
    return status;
}

static enum status run_tests(
    struct testing *t, const sql_tests *tests, struct diagnostics *mistakes, struct error *err)
{
    struct suite_options options = {.project = t->cli->project,
        .tests = tests->at,
        .count = tests->count,
        .jobs = (unsigned)jobs,
        .twice = twice,
        .scratch = t->scratch,
        .user = t,
        .notice = notice,
        .told = tell};
    struct strbuf text = {0};
    int64_t began_us = clock_now().mono_us;
    t->totals.count = tests->count;
    t->format->begin(&t->totals, &text);
    print(&text);
    enum status status = suite_run(&options, t->cli->arena, mistakes, &t->totals.failed, err);
    t->totals.duration_us = clock_now().mono_us - began_us;
    if (t->number == tests->count) {
        t->format->end(&t->totals, &text);
        print(&text);
    }
    if (status == OK && update)
        return write_updates(t, tests, err);
    if (status == OK && t->totals.failed)
        return error_set(err, ERR_TESTS_FAILED, "%zu of %zu tests did not pass", t->totals.failed,
            t->totals.count);
    return status;
}

/* Reads the tests and runs them, or, with a watch, those of them that a change concerns. */
static enum status run_once(struct testing *t, struct test_watch *watch, struct error *err)
{
    struct cli *cli = t->cli;
    struct diagnostics mistakes;
    sql_tests tests = {0};
    diagnostics_init(&mistakes, cli->arena);
    enum status status = read_tests(cli, &mistakes, &tests, err);
    apply_filter(&tests);
    if (status == OK && mistakes.error_count)
        status = error_set(err, ERR_DEFINITION, "test files have mistakes");
    else if (status == OK && !tests.count)
        status = nothing_to_do(cli, err);
    else if (status == OK && watch)
        status = test_watch_filter(watch, &tests, &t->scratch, err);
    if (status == OK && tests.count)
        status = run_tests(t, &tests, &mistakes, err);
    cli_print_diagnostics(&mistakes, stderr);
    vec_done(&tests);
    return status;
}

/* Until it is interrupted. */
static enum status follow_files(struct testing *t, struct error *err)
{
    struct test_watch *watch = test_watch_new(t->cli);
    for (;;) {
        struct arena *arena = t->cli->arena;
        t->cli->arena = arena_new(); /* of one round */
        t->number = t->not_updated = 0;
        test_watch_begin(watch);
        enum status status = run_once(t, watch, err);
        if (status != OK && status != ERR_TESTS_FAILED) { /* all are run when it is mended */
            scratch_free(t->scratch);
            t->scratch = NULL;
        }
        t->updates.count = 0;
        if (status != OK && status != ERR_INTERRUPTED) {
            struct strbuf text = {0};
            error_format(err, "error", &text);
            fputs(strbuf_text(&text), stderr);
            strbuf_done(&text);
        }
        arena_free(t->cli->arena);
        t->cli->arena = arena;
        if (status == ERR_INTERRUPTED || !test_watch_wait(watch))
            break;
    }
    test_watch_free(watch);
    scratch_free(t->scratch);
    error_clear(err);
    return OK;
}

static enum status run(struct cli *cli, struct error *err)
{
    struct testing t = {.cli = cli, .format = report_format_find(cli->json ? "json" : format)};
    if (!t.format)
        return error_set(err, ERR_USAGE, "there is no format `%s`; there are %s", format,
            report_format_names(cli->arena));
    if (jobs < 0 || jobs > TEST_JOBS_MAX)
        return error_set(err, ERR_USAGE, "--jobs is from 1 to %d", TEST_JOBS_MAX);
    if (watch_files && update)
        return error_set(err, ERR_USAGE,
            "--watch and --update do not go together: what is written "
            "is to be reviewed");
    enum status status = watch_files ? follow_files(&t, err) : run_once(&t, NULL, err);
    vec_done(&t.updates);
    return status;
}

static const struct option options[] = {
    OPTION_TEXT("format", 0, &format, "FORMAT", "text (default), tap or junit"),
    OPTION_TEXT("only", 'k', &filter, "TEXT", "tests with this in their name, DAG or tasks"),
    OPTION_INT("jobs", 'j', &jobs, "N", "tests side by side (default: one a processor)"),
    OPTION_FLAG("twice", 0, &twice,
        "run tasks again for the same date, and fail where that changes anything"),
    OPTION_FLAG(
        "update", 0, &update, "write what came out in the place of what was expected, for review"),
    OPTION_FLAG("watch", 0, &watch_files,
        "go on: when a file is saved, run the tests that it concerns, until Ctrl-C"),
    OPTION_END,
};

const struct command command_test = {
    .name = "test",
    .arguments = "[PATH…]",
    .arguments_max = -1,
    .summary = "tests of SQL tasks: rows in, rows out",
    .description =
        "Runs the tests of the project, or of the files and folders named (*.test.yaml). Each runs "
        "in a scratch database made from the migrations, at the connection's `test_uri`, else in "
        "the sandbox, which is started and ended when it does not run; never at its `uri`.",
    .examples = "dag test\ndag test tests/speed.test.yaml --twice\n"
                "dag test --only speed --watch\ndag test --format junit > results.xml   # for CI",
    .options = options,
    .project = PROJECT_NEEDED,
    .run = run,
};
