/* The engine reads rows back while it decides: what it is told is what is so. */
#include "daemon/engine.h"

#include <ftw.h>
#include <stdlib.h>

#include "base/file.h"
#include "definition/project.h"
#include "tests/unit/test.h"

/* A project in a folder of its own, and an engine over it that decides and commits but starts
   nothing: tasks that need an attempt wait for a slot for ever. */
struct bench {
    struct arena *arena;
    const char *root;
    struct project *project;
    struct catalogue *catalogue;
    uv_loop_t loop;
    struct engine *engine;
    bool failed;
    enum status answered;
    char *outcome;
};

static void on_failed(void *user, const struct error *err)
{
    struct bench *b = user;
    fprintf(stderr, "the engine failed: %s\n", err->message);
    b->failed = true;
}

static void write_file(struct bench *b, const char *name, const char *text)
{
    struct error err;
    REQUIRE_OK(
        file_write(path_join(b->arena, b->root, name), slice_of(text), 0600, false, &err), &err);
}

static void write_dag(struct bench *b, const char *tasks)
{
    const char *text = arena_printf(b->arena,
        "dag_id: d\nschedule: \"@daily\"\nstart_date: 2020-01-01\nend_date: 2020-01-10\n"
        "catchup: none\nmax_active_runs: 1\ntasks:\n%s",
        tasks);
    write_file(b, "dags/d.yaml", text);
}

static struct catalogue *load(struct bench *b, struct catalogue_changes *ret)
{
    struct error err;
    struct catalogue *catalogue = catalogue_new(&(struct catalogue_options){.project = b->project});
    REQUIRE_OK(catalogue_load(catalogue, ret, &err), &err);
    REQUIRE(ret->count == 1 && ret->at[0].kind == CATALOGUE_ADOPTED);
    return catalogue;
}

static void bench_init(struct bench *b, const char *tasks)
{
    struct error err;
    struct diagnostics diagnostics = {0};
    struct catalogue_changes changes;
    const char *tmp = getenv("TMPDIR");
    *b = (struct bench){.arena = arena_new()};
    char *root = arena_printf(b->arena, "%s/dag-engine-test.XXXXXX", tmp ? tmp : "/tmp");
    REQUIRE(mkdtemp(root));
    b->root = root;
    REQUIRE_OK(dir_make(path_join(b->arena, root, "dags"), false, &err), &err);
    REQUIRE_OK(dir_make(path_join(b->arena, root, ".dag"), true, &err), &err);
    write_file(b, "dag.yaml", "timezone: UTC\n");
    write_dag(b, tasks);
    REQUIRE_OK(
        project_load(&(struct project_options){.dir = root}, &b->project, &diagnostics, &err),
        &err);
    b->catalogue = load(b, &changes);
    uv_loop_init(&b->loop);
    REQUIRE_OK(engine_new(
                   &(struct engine_options){
                       .loop = &b->loop, .project = b->project, .user = b, .failed = on_failed},
                   &b->engine, &err),
        &err);
    REQUIRE_OK(engine_start(b->engine, b->catalogue, &err), &err);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *position)
{
    (void)status;
    (void)kind;
    (void)position;
    return remove(path);
}

static void bench_done(struct bench *b)
{
    engine_free(b->engine, NULL, NULL);
    while (uv_run(&b->loop, UV_RUN_DEFAULT)) {
    }
    uv_loop_close(&b->loop);
    catalogue_free(b->catalogue);
    project_free(b->project);
    nftw(b->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    mem_free(b->outcome);
    arena_free(b->arena);
}

static void on_answer(void *user, const char *outcome, const struct error *err)
{
    struct bench *b = user;
    b->answered = err ? err->status : OK;
    mem_free(b->outcome);
    b->outcome = mem_strdup(outcome);
}

/* Decides an act; what it leads to is durable and acted on when the next one is asked for. */
static void ask(struct bench *b, const char *text)
{
    struct error err;
    char uuid[UUID_TEXT_SIZE];
    json_t *act = NULL;
    REQUIRE_OK(json_parse(text, strlen(text), NULL, &act, &err), &err);
    uuid_make(uuid);
    json_object_set_new(act, "uuid", json_string(uuid));
    json_object_set_new(act, "dag_id", json_string("d"));
    engine_request(b->engine, act, "tester", on_answer, b);
    json_decref(act);
}

/* The act's answer comes when it is durable: with the next act at the latest. */
static void ask_and_settle(struct bench *b, const char *text)
{
    b->answered = ERR_INTERRUPTED;
    ask(b, text);
    ask(b, "{\"op\": \"unpause\"}");
    ask(b, "{\"op\": \"unpause\"}");
}

static const struct run_record *run_at(struct bench *b, const char *run_id)
{
    struct error err;
    struct run_rows rows;
    REQUIRE_OK(store_read_runs(engine_reader(b->engine), &(struct run_filter){.dag_id = "d"},
                   b->arena, &rows, &err),
        &err);
    for (size_t i = 0; i < rows.count; i++)
        if (str_equal(rows.at[i].run_id, run_id))
            return &rows.at[i];
    return NULL;
}

static const struct task_record *task_at(struct bench *b, const char *run_id, const char *task_id)
{
    struct error err;
    struct task_rows rows;
    const struct run_record *run = run_at(b, run_id);
    REQUIRE(run);
    REQUIRE_OK(store_read_tasks(engine_reader(b->engine), run->id, b->arena, &rows, &err), &err);
    for (size_t i = 0; i < rows.count; i++)
        if (str_equal(rows.at[i].task_id, task_id))
            return &rows.at[i];
    return NULL;
}

#define MANUAL(date) "manual__" date "T00:00:00+00:00"
#define DAY "backfill__2020-01-05T00:00:00+00:00"

/* Two backfills get their turn in one event; the first one's run ends at once, otherwise than
   before, and is wanted by the second while its rows are still those of before. */
TEST(a_run_that_two_backfills_want_is_read_back_as_it_is_not_as_it_was)
{
    struct bench b;
    bench_init(&b, "  newest: {latest_only: }\n  work: {bash: \"true\", depends_on: newest}\n");
    static const char backfill[] = "{\"op\": \"backfill\", \"from\": \"2020-01-05\", \"to\": "
                                   "\"2020-01-05\", \"only\": \"all\"}";
    ask_and_settle(&b, backfill);
    CHECK_INT(task_at(&b, DAY, "work")->state, TASK_SKIPPED);
    ask_and_settle(&b, "{\"op\": \"mark\", \"runs\": [\"" DAY "\"], \"tasks\": [\"work\"], "
                       "\"state\": \"success\"}");
    CHECK_INT(task_at(&b, DAY, "work")->state, TASK_SUCCESS);
    ask_and_settle(&b, "{\"op\": \"trigger\", \"logical_date\": \"2020-02-01\"}");
    ask_and_settle(&b, backfill);
    ask_and_settle(&b, backfill);
    CHECK_INT(task_at(&b, DAY, "work")->state, TASK_SUCCESS);
    ask_and_settle(&b, "{\"op\": \"cancel\", \"runs\": [\"" MANUAL("2020-02-01") "\"]}");
    CHECK(!b.failed);
    CHECK_INT(task_at(&b, DAY, "work")->state, TASK_SKIPPED);
    CHECK_STR(run_state_name(run_at(&b, DAY)->state), "success");
    bench_done(&b);
}

/* Rows of finished runs are read when the first version is adopted in which tasks depend on the
   past. */
TEST(a_version_in_which_tasks_depend_on_the_past_knows_the_runs_that_have_ended)
{
    struct bench b;
    struct catalogue_changes changes;
    bench_init(&b, "  work: {bash: \"true\"}\n");
    ask_and_settle(&b, "{\"op\": \"mark\", \"runs\": [\"2020-01-05\"], \"state\": \"failed\"}");
    for (int n = 0; n < 20; n++) /* more than are remembered while nothing depends on them */
        ask_and_settle(&b, arena_printf(b.arena,
                               "{\"op\": \"mark\", \"runs\": [\"2020-03-%02d\"], \"state\": "
                               "\"success\"}",
                               n + 1));
    CHECK_INT(task_at(&b, MANUAL("2020-01-05"), "work")->state, TASK_FAILED);
    write_dag(&b, "  work: {bash: \"true\", depends_on_past: true}\n");
    struct catalogue *newer = load(&b, &changes);
    engine_adopt(b.engine, &changes);
    ask_and_settle(&b, "{\"op\": \"trigger\", \"logical_date\": \"2020-01-06\"}");
    CHECK_INT(task_at(&b, MANUAL("2020-01-06"), "work")->state, TASK_NONE);
    CHECK_INT(task_at(&b, MANUAL("2020-01-06"), "work")->reason, REASON_WAITING_PAST);
    bench_done(&b);
    catalogue_free(newer);
}
