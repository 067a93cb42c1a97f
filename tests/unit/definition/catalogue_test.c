/* Adoption of changed files. */
#include "definition/catalogue.h"
#include <unistd.h>
#include "base/clock.h"
#include "tests/unit/definition/project_dir.h"

struct fixture {
    struct project_dir dir;
    struct catalogue *catalogue;
    struct catalogue_changes changes;
    int64_t now_us;
    const char *meddle; /* what is written between both readings; NULL = nothing */
};

static void meddle(void *user)
{
    struct fixture *f = user;
    if (f->meddle)
        dir_write(&f->dir, "dags/a.yaml", f->meddle);
}

static void begin(struct fixture *f)
{
    *f = (struct fixture){.dir = dir_new(), .now_us = 1000 * US_PER_SECOND};
    dir_write(&f->dir, "dag.yaml", "connections: {gp: {}}\n");
    dir_write(&f->dir, "dags/a.yaml", "tasks: {t: {sql: t.sql}}\n");
    dir_write(&f->dir, "dags/sub/b.yaml", "tasks: {t: {empty: {}}}\n");
    dir_write(&f->dir, "templates/t.sql", "select 1");
    struct catalogue_options options = {
        .project = dir_project(&f->dir), .between_reads = meddle, .between_reads_user = f};
    f->catalogue = catalogue_new(&options);
    REQUIRE_OK(catalogue_load(f->catalogue, &f->changes, &f->dir.error), &f->dir.error);
}

static void done(struct fixture *f)
{
    catalogue_free(f->catalogue);
    dir_done(&f->dir);
}

/* Polls after so many milliseconds: "adopted a, broken dags/b.yaml". */
static const char *poll_after(struct fixture *f, int64_t ms)
{
    static const char *const kinds[] = {"adopted", "removed", "broken", "mended"};
    struct strbuf text = {0};
    f->now_us += ms * US_PER_MS;
    REQUIRE_OK(catalogue_poll(f->catalogue, f->now_us, &f->changes, &f->dir.error), &f->dir.error);
    for (size_t i = 0; i < f->changes.count; i++) {
        const struct catalogue_change *change = &f->changes.at[i];
        strbuf_printf(&text, "%s%s %s", i ? ", " : "", kinds[change->kind],
            change->dag ? change->dag->dag_id : change->file);
    }
    char *copy = strbuf_to_arena(&text, f->dir.arena);
    strbuf_done(&text);
    return copy;
}

TEST(a_first_load_adopts_everything)
{
    struct fixture f;
    begin(&f);
    CHECK_INT(f.changes.count, 2);
    CHECK_INT(f.changes.at[0].kind, CATALOGUE_ADOPTED);
    CHECK(f.changes.at[0].from == NULL);
    CHECK_INT(catalogue_count(f.catalogue), 2);
    CHECK_STR(catalogue_at(f.catalogue, 0)->dag_id, "a");
    CHECK_STR(catalogue_at(f.catalogue, 1)->file, "dags/sub/b.yaml");
    CHECK(catalogue_find(f.catalogue, "b") == catalogue_at(f.catalogue, 1));
    CHECK(catalogue_find(f.catalogue, "c") == NULL);
    CHECK_INT(catalogue_broken_count(f.catalogue), 0);
    CHECK_INT(catalogue_due(f.catalogue), INT64_MAX);
    CHECK_STR(poll_after(&f, 0), "");
    struct names folders = catalogue_folders(f.catalogue, f.dir.arena);
    CHECK_INT(folders.count, 3);
    CHECK_STR(folders.at[1], path_join(f.dir.arena, f.dir.path, "dags/sub"));
    done(&f);
}

TEST(a_change_is_adopted_when_it_has_been_quiet_for_a_moment)
{
    struct fixture f;
    begin(&f);
    const struct dag *before = catalogue_find(f.catalogue, "a");
    dir_write(&f.dir, "dags/a.yaml", "tasks: {t: {sql: t.sql}, u: {empty: {}}}\n");
    CHECK_STR(poll_after(&f, 0), "");
    CHECK_INT(catalogue_due(f.catalogue), f.now_us + 500 * US_PER_MS);
    CHECK_STR(poll_after(&f, 499), "");
    CHECK(catalogue_find(f.catalogue, "a") == before);
    CHECK_STR(poll_after(&f, 1), "adopted a");
    CHECK(f.changes.at[0].from == before);
    CHECK_INT(catalogue_find(f.catalogue, "a")->task_count, 2);
    CHECK_INT(catalogue_due(f.catalogue), INT64_MAX);
    done(&f);
}

TEST(a_file_that_changes_within_the_quiet_period_is_not_adopted)
{
    struct fixture f;
    begin(&f);
    for (int i = 0; i < 5; i++) {
        dir_write(&f.dir, "dags/a.yaml",
            arena_printf(f.dir.arena, "priority: %d\ntasks: {}\n", i + 10 * i));
        CHECK_STR(poll_after(&f, 400), "");
    }
    CHECK_STR(poll_after(&f, 500), "adopted a");
    CHECK_INT(catalogue_find(f.catalogue, "a")->priority, 44);
    done(&f);
}

TEST(a_pull_of_several_files_is_one_change)
{
    struct fixture f;
    begin(&f);
    dir_write(&f.dir, "dags/a.yaml", "priority: 1\ntasks: {}\n");
    CHECK_STR(poll_after(&f, 0), "");
    dir_write(&f.dir, "dags/sub/b.yaml", "priority: 1\ntasks: {}\n");
    CHECK_STR(poll_after(&f, 499), "");
    CHECK_STR(poll_after(&f, 499), "");
    CHECK_STR(poll_after(&f, 1), "adopted a, adopted b");
    done(&f);
}

TEST(a_file_that_reads_differently_twice_is_not_adopted)
{
    struct fixture f;
    begin(&f);
    const struct dag *before = catalogue_find(f.catalogue, "a");
    dir_write(&f.dir, "dags/a.yaml", "priority: 1\ntasks: {}\n");
    CHECK_STR(poll_after(&f, 0), "");
    f.meddle = "priority: 22\ntasks: {}\n";
    CHECK_STR(poll_after(&f, 500), "");
    CHECK(catalogue_find(f.catalogue, "a") == before);
    f.meddle = NULL;
    CHECK_STR(poll_after(&f, 500), "adopted a");
    CHECK_INT(catalogue_find(f.catalogue, "a")->priority, 22);
    done(&f);
}

TEST(a_load_that_never_settles_says_so)
{
    struct fixture f;
    begin(&f);
    dir_write(&f.dir, "dags/a.yaml", "tasks: {}\n");
    f.meddle = "tasks: {t: {empty: {}}}\n";
    /* Each round finds the file as the last one left it, and writes it anew. */
    CHECK(catalogue_load(f.catalogue, &f.changes, &f.dir.error) == ERR_UNSETTLED);
    CHECK_STR(f.dir.error.message, "dags/a.yaml changed while it was read");
    CHECK_INT(f.changes.count, 0);
    done(&f);
}

TEST(a_changed_template_is_a_new_version)
{
    struct fixture f;
    begin(&f);
    dir_write(&f.dir, "templates/t.sql", "select 22");
    CHECK_STR(poll_after(&f, 0), "");
    CHECK_STR(poll_after(&f, 500), "adopted a");
    CHECK_STR(f.changes.at[0].from->graph_version, f.changes.at[0].dag->graph_version);
    dir_write(&f.dir, "templates/unrelated.sql", "select 3");
    CHECK_STR(poll_after(&f, 500), "");
    CHECK_INT(catalogue_due(f.catalogue), INT64_MAX);
    done(&f);
}

TEST(a_file_that_is_written_again_with_the_same_text_is_no_new_version)
{
    struct fixture f;
    begin(&f);
    const struct dag *before = catalogue_find(f.catalogue, "a");
    dir_write(&f.dir, "dags/a.yaml", "tasks: {t: {sql: t.sql}}\n");
    CHECK_STR(poll_after(&f, 0), "");
    CHECK_STR(poll_after(&f, 500), "");
    CHECK(catalogue_find(f.catalogue, "a") == before);
    CHECK_INT(catalogue_due(f.catalogue), INT64_MAX);
    done(&f);
}

TEST(a_file_that_breaks_keeps_its_last_good_version_and_its_mistakes)
{
    struct fixture f;
    begin(&f);
    const struct dag *before = catalogue_find(f.catalogue, "a");
    dir_write(&f.dir, "dags/a.yaml", "taks: {}\nowner: [x]\n");
    CHECK_STR(poll_after(&f, 0), "");
    CHECK_STR(poll_after(&f, 500), "broken dags/a.yaml");
    CHECK(catalogue_find(f.catalogue, "a") == before);
    CHECK(catalogue_is_stale(f.catalogue, before));
    REQUIRE(catalogue_broken_count(f.catalogue) == 1);
    struct broken_file broken = catalogue_broken_at(f.catalogue, 0);
    CHECK_STR(broken.file, "dags/a.yaml");
    CHECK(broken.has_last_good);
    CHECK_INT(broken.diagnostics->error_count, 2);
    CHECK_STR(poll_after(&f, 5000), "");
    dir_write(&f.dir, "dags/a.yaml", "tasks: {}\n");
    CHECK_STR(poll_after(&f, 0), "");
    CHECK_STR(poll_after(&f, 500), "mended dags/a.yaml, adopted a");
    CHECK_INT(catalogue_broken_count(f.catalogue), 0);
    done(&f);
}

TEST(a_file_that_was_never_good_is_only_broken)
{
    struct fixture f;
    begin(&f);
    dir_write(&f.dir, "dags/c.yml", "x: [\n");
    CHECK_STR(poll_after(&f, 0), "");
    CHECK_STR(poll_after(&f, 500), "broken dags/c.yml");
    CHECK(!catalogue_broken_at(f.catalogue, 0).has_last_good);
    CHECK_INT(catalogue_count(f.catalogue), 2);
    dir_remove(&f.dir, "dags/c.yml");
    CHECK_STR(poll_after(&f, 0), "");
    CHECK_STR(poll_after(&f, 500), "mended dags/c.yml");
    done(&f);
}

TEST(a_removed_file_takes_its_dags_away_when_it_stays_away)
{
    struct fixture f;
    begin(&f);
    struct dag *held = dag_ref(catalogue_find(f.catalogue, "b"));
    dir_remove(&f.dir, "dags/sub/b.yaml");
    CHECK_STR(poll_after(&f, 0), "");
    dir_write(&f.dir, "dags/sub/b.yaml", "tasks: {t: {empty: {}}}\n");
    CHECK_STR(poll_after(&f, 499), "");
    CHECK_STR(poll_after(&f, 500), "");
    CHECK(catalogue_find(f.catalogue, "b") == held);
    dir_remove(&f.dir, "dags/sub/b.yaml");
    CHECK_STR(poll_after(&f, 0), "");
    CHECK_STR(poll_after(&f, 500), "removed b");
    CHECK(f.changes.at[0].dag == held);
    CHECK(catalogue_find(f.catalogue, "b") == NULL);
    CHECK_STR(held->dag_id, "b");
    dag_unref(held);
    done(&f);
}

TEST(a_dag_id_belongs_to_the_file_that_had_it)
{
    struct fixture f;
    begin(&f);
    dir_write(&f.dir, "dags/0.yaml", "dag_id: a\ntasks: {}\n");
    CHECK_STR(poll_after(&f, 0), "");
    CHECK_STR(poll_after(&f, 500), "broken dags/0.yaml");
    const struct diagnostic *d = catalogue_broken_at(f.catalogue, 0).diagnostics->first;
    CHECK_STR(d->error.message, "the DAG `a` is in dags/a.yaml already");
    CHECK_STR(catalogue_find(f.catalogue, "a")->file, "dags/a.yaml");
    dir_remove(&f.dir, "dags/a.yaml");
    CHECK_STR(poll_after(&f, 0), "");
    CHECK_STR(poll_after(&f, 500), "mended dags/0.yaml, adopted a");
    CHECK_STR(catalogue_find(f.catalogue, "a")->file, "dags/0.yaml");
    done(&f);
}

TEST(of_two_new_files_with_one_dag_id_the_later_is_broken)
{
    struct fixture f;
    begin(&f);
    dir_write(&f.dir, "dags/y.yaml", "dag_id: new\ntasks: {}\n");
    dir_write(&f.dir, "dags/x.yaml", "dag_id: new\ntasks: {}\n");
    CHECK_STR(poll_after(&f, 0), "");
    CHECK_STR(poll_after(&f, 500), "broken dags/y.yaml, adopted new");
    CHECK_STR(catalogue_find(f.catalogue, "new")->file, "dags/x.yaml");
    done(&f);
}

TEST(a_dag_that_moves_to_another_file_is_adopted_not_removed)
{
    struct fixture f;
    begin(&f);
    dir_remove(&f.dir, "dags/a.yaml");
    dir_write(&f.dir, "dags/moved.yaml", "dag_id: a\ntasks: {t: {sql: t.sql}}\n");
    CHECK_STR(poll_after(&f, 0), "");
    CHECK_STR(poll_after(&f, 500), "adopted a");
    CHECK(f.changes.at[0].from != NULL);
    done(&f);
}

TEST(a_file_that_cannot_be_read_is_broken_until_it_changes)
{
    struct fixture f;
    begin(&f);
    dir_write(&f.dir, "dags/huge.yaml", "");
    REQUIRE(truncate(path_join(f.dir.arena, f.dir.path, "dags/huge.yaml"), 20 << 20) == 0);
    CHECK_STR(poll_after(&f, 0), "");
    CHECK_STR(poll_after(&f, 500), "broken dags/huge.yaml");
    CHECK_STR(poll_after(&f, 500), "");
    CHECK_INT(catalogue_due(f.catalogue), INT64_MAX);
    done(&f);
}

TEST(a_file_that_was_missing_mends_its_dag_when_it_appears)
{
    struct fixture f;
    begin(&f);
    dir_write(&f.dir, "dags/c.yaml", "schedule: {dates: days.txt}\ntasks: {}\n");
    CHECK_STR(poll_after(&f, 0), "");
    CHECK_STR(poll_after(&f, 500), "broken dags/c.yaml");
    dir_write(&f.dir, "days.txt", "2007-04-12\n");
    CHECK_STR(poll_after(&f, 0), "");
    CHECK_STR(poll_after(&f, 500), "mended dags/c.yaml, adopted c");
    CHECK_INT(catalogue_find(f.catalogue, "c")->file_count, 2);
    done(&f);
}

TEST(a_project_without_dags_has_none)
{
    struct project_dir dir = dir_new();
    struct catalogue_options options = {.project = dir_project(&dir)};
    struct catalogue *catalogue = catalogue_new(&options);
    struct catalogue_changes changes;
    CHECK_OK(catalogue_load(catalogue, &changes, &dir.error), &dir.error);
    CHECK_INT(changes.count, 0);
    catalogue_free(catalogue);
    dir_done(&dir);
}
