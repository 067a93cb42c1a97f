/* dag test: tests of SQL tasks. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "testing/limits.h"
#include "testing/report.h"

static const char *format = "text", *filter;
static int64_t jobs;
static bool twice;

#define TEST_SUFFIX ".test.yaml"

struct testing {
    struct cli *cli;
    const struct report_format *format;
    struct test_totals totals;
    size_t number;
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

static enum status run_tests(
    struct testing *t, const sql_tests *tests, struct diagnostics *mistakes, struct error *err)
{
    struct suite_options options = {.project = t->cli->project,
        .tests = tests->at,
        .count = tests->count,
        .jobs = (unsigned)jobs,
        .twice = twice,
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
    if (status == OK && t->totals.failed)
        return error_set(err, ERR_TESTS_FAILED, "%zu of %zu tests did not pass", t->totals.failed,
            t->totals.count);
    return status;
}

static enum status run(struct cli *cli, struct error *err)
{
    struct testing t = {.cli = cli, .format = report_format_find(cli->json ? "json" : format)};
    if (!t.format)
        return error_set(err, ERR_USAGE, "there is no format `%s`; there are %s", format,
            report_format_names(cli->arena));
    if (jobs < 0 || jobs > TEST_JOBS_MAX)
        return error_set(err, ERR_USAGE, "--jobs is from 1 to %d", TEST_JOBS_MAX);
    struct diagnostics mistakes;
    sql_tests tests = {0};
    diagnostics_init(&mistakes, cli->arena);
    enum status status = read_tests(cli, &mistakes, &tests, err);
    apply_filter(&tests);
    if (status == OK && mistakes.error_count)
        status = error_set(err, ERR_DEFINITION, "test files have mistakes");
    else if (status == OK && !tests.count)
        status = nothing_to_do(cli, err);
    else if (status == OK)
        status = run_tests(&t, &tests, &mistakes, err);
    cli_print_diagnostics(&mistakes, stderr);
    vec_done(&tests);
    return status;
}

static const struct option options[] = {
    OPTION_TEXT("format", 0, &format, "FORMAT", "text (default), tap or junit"),
    OPTION_TEXT("only", 'k', &filter, "TEXT", "tests with this in their name, DAG or tasks"),
    OPTION_INT("jobs", 'j', &jobs, "N", "tests side by side (default: one a processor)"),
    OPTION_FLAG("twice", 0, &twice,
        "run tasks again for the same date, and fail where that changes anything"),
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
                "dag test --only speed\ndag test --format junit > results.xml   # for CI",
    .options = options,
    .project = PROJECT_NEEDED,
    .run = run,
};
