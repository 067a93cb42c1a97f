/* The repository's own pipelines, rendered as the daemon renders them, against the reviewed texts
   in tests/pipelines/golden. */
#include "base/clock.h"
#include "base/file.h"
#include "definition/context/context.h"
#include "definition/dagfile.h"
#include "definition/project.h"
#include "language/timetable/zone.h"
#include "tests/unit/test.h"

static struct project *load_project(struct arena *arena)
{
    struct diagnostics diagnostics;
    struct project *project = NULL;
    struct error err;
    diagnostics_init(&diagnostics, arena);
    const char *environ[] = {NULL};
    struct project_options options = {.dir = DAG_SOURCE_DIR, .environ = environ};
    REQUIRE_OK(project_load(&options, &project, &diagnostics, &err), &err);
    return project;
}

static struct dagfile load_dags(
    const struct project *project, const char *path, struct arena *arena)
{
    struct diagnostics diagnostics;
    struct dagfile file;
    struct error err;
    diagnostics_init(&diagnostics, arena);
    struct dagfile_options options = {.project = project};
    enum status status = dagfile_load(&options, path, &file, &diagnostics, &err);
    for (const struct diagnostic *d = diagnostics.first; status && d; d = d->next)
        fprintf(stderr, "%s:%u: %s\n", d->error.place.file, d->error.place.line, d->error.message);
    REQUIRE_OK(status, &err);
    return file;
}

static struct render_target target_for(const struct project *project, enum dialect dialect)
{
    struct connection connection = {.dialect = dialect};
    return render_target_of(project, &connection);
}

static enum status render(const struct project *project, const struct dag *dag,
    const struct task *task, const char *date, enum dialect dialect, struct arena *arena,
    struct rendered_task *ret, struct error *err)
{
    struct run_facts run;
    struct attempt_facts attempt = {.attempt_id = "", .try_number = 1, .map_index = -1, .seed = 7};
    struct render_target target = target_for(project, dialect);
    int64_t logical_us;
    enum status status = zone_parse_time(dag->zone, slice_of(date), &logical_us, NULL, err);
    if (status == OK)
        status = context_facts_at(dag, logical_us, RUN_TYPE_SCHEDULED, arena, &run, err);
    if (status == OK)
        status = context_render_task(project, dag, task, &run, &attempt, &target, arena, ret, err);
    return status;
}

/* The text with exactly one newline at its end. */
static const char *one_newline(struct arena *arena, struct slice text)
{
    while (text.size && text.p[text.size - 1] == '\n')
        text.size--;
    return arena_printf(arena, "%.*s\n", SLICE_ARG(text));
}

static void check_golden(
    struct arena *arena, enum dialect dialect, const char *name, const struct rendered *rendered)
{
    struct slice golden;
    struct error err;
    const char *path = arena_printf(
        arena, DAG_SOURCE_DIR "/tests/pipelines/golden/%s/%s.sql", dialect_name(dialect), name);
    REQUIRE_OK(file_read(path, SIZE_MAX, arena, &golden, &err), &err);
    CHECK_STR(one_newline(arena, rendered->text), one_newline(arena, golden));
}

static size_t check_dag(const struct project *project, const char *file, const char *date)
{
    size_t checked = 0;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct dagfile dags = load_dags(project, file, arena);
    const struct dag *dag = dags.dags[0];
    for (enum dialect d = DIALECT_POSTGRESQL; d <= DIALECT_GREENPLUM7; d++)
        for (uint32_t i = 0; i < dag->task_count; i++) {
            const struct task *task = &dag->tasks[i];
            struct rendered_task rendered;
            struct error err;
            enum status status = render(project, dag, task, date, d, arena, &rendered, &err);
            CHECK_OK(status, &err);
            if (status)
                continue;
            const char *name = arena_printf(arena, "%s.%s", dag->dag_id, task->task_id);
            check_golden(arena, d, name, rendered_find(&rendered, "sql"));
            checked++;
        }
    dagfile_done(&dags);
    return checked;
}

TEST(every_task_of_the_geolife_dags_has_its_reviewed_text_on_every_dialect)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct project *project = load_project(arena);
    CHECK_INT(check_dag(project, "dags/geolife.yaml", "2007-04-30"), 3 * 12);
    CHECK_INT(check_dag(project, "dags/geolife_model_training.yaml", "2007-05-01"), 3 * 5);
    project_free(project);
}

TEST(a_program_s_arguments_are_rendered_with_variables_of_the_project)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct project *project = load_project(arena);
    struct dagfile dags = load_dags(project, "dags/initial_load.yaml", arena);
    struct rendered_task rendered;
    struct error err;
    REQUIRE_OK(render(project, dags.dags[0], &dags.dags[0]->tasks[0], "2007-04-12",
                   DIALECT_POSTGRESQL, arena, &rendered, &err),
        &err);
    CHECK_INT(rendered.count, 4);
    CHECK_STR(rendered.fields[1].name, "argv[1]");
    CHECK_STR(rendered.fields[1].text.p, ".dag/geolife");
    CHECK_STR(rendered.fields[1].source, "dags/initial_load.yaml");
    dagfile_done(&dags);
    project_free(project);
}

TEST(every_migration_has_its_reviewed_text_on_every_dialect)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct project *project = load_project(arena);
    const char **paths;
    size_t count;
    struct error err;
    REQUIRE_OK(
        dir_list(DAG_SOURCE_DIR "/migrations/greenplum", ".sql", arena, &paths, &count, &err),
        &err);
    CHECK(count >= 4);
    for (size_t i = 0; i < 3 * count; i++) {
        enum dialect dialect = (enum dialect)(i / count);
        struct render_target target = target_for(project, dialect);
        const char *path = arena_printf(arena, "migrations/greenplum/%s", paths[i % count]);
        struct rendered rendered;
        REQUIRE_OK(context_render_migration(project, path, &target, arena, &rendered, &err), &err);
        CHECK_STR(rendered.source, path);
        const char *stem = arena_strndup(arena, paths[i % count], strlen(paths[i % count]) - 4);
        check_golden(arena, dialect, arena_printf(arena, "migrations/%s", stem), &rendered);
    }
    project_free(project);
}
