/* Versions of DAGs, kept and read again. */
#include "definition/versions.h"
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "definition/catalogue.h"
#include "definition/context/context.h"
#include "tests/unit/definition/project_dir.h"

struct fixture {
    struct project_dir dir;
    const struct project *project;
    const char *folder;
    struct catalogue *catalogue;
    struct catalogue_changes changes;
};

static void load(struct fixture *f)
{
    struct catalogue_options options = {.project = f->project, .keep = f->folder};
    catalogue_free(f->catalogue);
    f->catalogue = catalogue_new(&options);
    REQUIRE_OK(catalogue_load(f->catalogue, &f->changes, &f->dir.error), &f->dir.error);
}

static void begin(struct fixture *f)
{
    *f = (struct fixture){.dir = dir_new()};
    dir_write(&f->dir, "dag.yaml", "connections: {gp: {}}\n");
    dir_write(&f->dir, "dags/a.yaml", "tasks: {t: {sql: t.sql}}\n");
    dir_write(&f->dir, "templates/t.sql", "select 1 {% include 'u.sql' %}");
    dir_write(&f->dir, "templates/u.sql", "one");
    f->project = dir_project(&f->dir);
    f->folder = versions_folder(f->project, f->dir.arena);
    load(f);
}

static void done(struct fixture *f)
{
    catalogue_free(f->catalogue);
    dir_done(&f->dir);
}

static const char *kept_path(const struct fixture *f, const char *hash)
{
    return path_join(f->dir.arena, f->folder, hash);
}

/* What the SQL of the only task is rendered to, or the error's message. */
static const char *rendered(struct fixture *f, const struct dag *dag)
{
    struct run_facts run;
    struct attempt_facts attempt = {.try_number = 1};
    struct rendered_task task;
    struct render_target target = {.name = "default", .version = "", .plpython = "plpython3u"};
    REQUIRE_OK(context_facts_at(dag, 0, RUN_TYPE_MANUAL, f->dir.arena, &run, &f->dir.error),
        &f->dir.error);
    if (context_render_task(f->project, dag, &dag->tasks[0], &run, &attempt, &target, f->dir.arena,
            &task, &f->dir.error) != OK)
        return f->dir.error.message;
    struct slice text = rendered_find(&task, "sql")->text;
    return arena_strndup(f->dir.arena, text.p, text.size);
}

TEST(a_version_outlives_its_files)
{
    struct fixture f;
    begin(&f);
    struct dag *before = dag_ref(catalogue_find(f.catalogue, "a")), *found = NULL;
    dir_write(&f.dir, "dags/a.yaml", "tasks: {other: {sql: t.sql}}\n");
    dir_write(&f.dir, "templates/t.sql", "select 2");
    dir_remove(&f.dir, "templates/u.sql");
    load(&f);
    CHECK_STR(rendered(&f, catalogue_find(f.catalogue, "a")), "select 2");
    REQUIRE_OK(versions_load(f.project, before->version, "a", &found, &f.dir.error), &f.dir.error);
    CHECK_STR(found->version, before->version);
    CHECK_STR(found->graph_version, before->graph_version);
    CHECK_STR(found->tasks[0].task_id, "t");
    CHECK_STR(rendered(&f, found), "select 1 one");
    CHECK_STR(rendered(&f, before), "select 1 one"); /* the one in memory too */
    dag_unref(found);
    dag_unref(before);
    done(&f);
}

TEST(what_is_rendered_is_the_version_and_not_a_file_half_changed)
{
    struct fixture f;
    begin(&f);
    dir_write(&f.dir, "templates/u.sql", "two");
    CHECK_STR(rendered(&f, catalogue_find(f.catalogue, "a")), "select 1 one");
    done(&f);
}

TEST(what_was_not_kept_or_is_damaged_is_not_found)
{
    struct fixture f;
    begin(&f);
    struct dag *found = NULL;
    struct dag *dag = dag_ref(catalogue_find(f.catalogue, "a"));
    char none[HASH_TEXT_SIZE];
    hash_sha256("", 0, none);
    CHECK_INT(versions_load(f.project, none, "a", &found, &f.dir.error), ERR_NOT_FOUND);
    CHECK_INT(versions_load(f.project, "", "a", &found, &f.dir.error), ERR_NOT_FOUND);
    CHECK_INT(versions_load(f.project, "../dag.yaml", "a", &found, &f.dir.error), ERR_NOT_FOUND);
    CHECK_INT(versions_load(f.project, dag->version, "b", &found, &f.dir.error), ERR_NOT_FOUND);
    /* the hash of a file is no version */
    CHECK_INT(
        versions_load(f.project, dag->files[0].hash, "a", &found, &f.dir.error), ERR_NOT_FOUND);
    struct slice junk = slice_of("tasks: {t: {empty: {}}}\n");
    REQUIRE_OK(file_write(kept_path(&f, dag->files[0].hash), junk, 0600, false, &f.dir.error),
        &f.dir.error);
    CHECK_INT(versions_load(f.project, dag->version, "a", &found, &f.dir.error), ERR_NOT_FOUND);
    load(&f); /* keeping it again mends what has another size */
    REQUIRE_OK(versions_load(f.project, dag->version, "a", &found, &f.dir.error), &f.dir.error);
    dag_unref(found);
    dag_unref(dag);
    done(&f);
}

TEST(a_lost_copy_does_not_matter_while_the_file_is_as_it_was)
{
    struct fixture f;
    begin(&f);
    const struct dag *dag = catalogue_find(f.catalogue, "a");
    for (size_t i = 0; i < dag->file_count; i++)
        CHECK_INT(unlink(kept_path(&f, dag->files[i].hash)), 0);
    CHECK_STR(rendered(&f, dag), "select 1 one");
    dir_write(&f.dir, "templates/u.sql", "two");
    CHECK(strstr(rendered(&f, dag), "templates/u.sql has changed, and how it was in version"));
    CHECK_INT(f.dir.error.status, ERR_IO);
    done(&f);
}

TEST(a_file_that_is_broken_at_the_start_goes_on_as_it_was_kept)
{
    struct fixture f;
    begin(&f);
    char version[HASH_TEXT_SIZE];
    memcpy(version, catalogue_find(f.catalogue, "a")->version, sizeof(version));
    dir_write(&f.dir, "dags/a.yaml", "tasks: {t: {sqll: t.sql}}\n");
    load(&f);
    CHECK(catalogue_find(f.catalogue, "a") == NULL);
    CHECK(!catalogue_broken_at(f.catalogue, 0).has_last_good);
    struct dag *found = NULL;
    REQUIRE_OK(versions_load(f.project, version, "a", &found, &f.dir.error), &f.dir.error);
    CHECK(catalogue_restore(f.catalogue, found));
    CHECK(!catalogue_restore(f.catalogue, found)); /* it is there */
    CHECK(catalogue_find(f.catalogue, "a") == found);
    CHECK(catalogue_is_stale(f.catalogue, found));
    CHECK(catalogue_broken_at(f.catalogue, 0).has_last_good);
    dir_write(&f.dir, "dags/a.yaml", "tasks: {t: {sql: t.sql}}\n");
    load(&f);
    CHECK(!catalogue_restore(f.catalogue, found));
    dag_unref(found);
    done(&f);
}

TEST(a_folder_that_cannot_be_written_stops_nothing)
{
    struct fixture f;
    begin(&f);
    f.folder = path_join(f.dir.arena, f.dir.path, "dag.yaml/versions");
    load(&f);
    REQUIRE(catalogue_unkept(f.catalogue));
    const struct dag *dag = catalogue_find(f.catalogue, "a");
    REQUIRE(dag);
    CHECK(dag->kept == NULL);
    CHECK_STR(rendered(&f, dag), "select 1 one");
    done(&f);
}

TEST(only_what_no_version_reaches_and_is_old_is_deleted)
{
    struct fixture f;
    begin(&f);
    const char *first = arena_strdup(f.dir.arena, catalogue_find(f.catalogue, "a")->version);
    dir_write(&f.dir, "templates/u.sql", "two");
    load(&f);
    const char *second = arena_strdup(f.dir.arena, catalogue_find(f.catalogue, "a")->version);
    int64_t now_us = clock_now().wall_us;
    size_t count = 0;
    struct names both = {(const char *[]){first, second}, 2}, one = {&second, 1};
    int64_t later_us = now_us + US_PER_HOUR;
    REQUIRE_OK(
        versions_clean(f.folder, &both, later_us, false, &count, &f.dir.error), &f.dir.error);
    CHECK_INT(count, 0);
    REQUIRE_OK(versions_clean(f.folder, &one, now_us - US_PER_HOUR, false, &count, &f.dir.error),
        &f.dir.error);
    CHECK_INT(count, 0);
    REQUIRE_OK(versions_clean(f.folder, &one, later_us, true, &count, &f.dir.error), &f.dir.error);
    CHECK_INT(count, 2); /* the manifest, and the first u.sql */
    CHECK(file_exists(kept_path(&f, first)));
    REQUIRE_OK(versions_clean(f.folder, &one, later_us, false, &count, &f.dir.error), &f.dir.error);
    CHECK_INT(count, 2);
    CHECK(!file_exists(kept_path(&f, first)));
    struct dag *found = NULL;
    REQUIRE_OK(versions_load(f.project, second, "a", &found, &f.dir.error), &f.dir.error);
    CHECK_STR(rendered(&f, found), "select 1 two");
    dag_unref(found);
    done(&f);
}
