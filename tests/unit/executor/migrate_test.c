/* Migrations against a real PostgreSQL. */
#include "executor/target/migrate.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/file.h"
#include "tests/unit/executor/sql_cases.h"

static void put(const char *name, const char *sql)
{
    struct error err;
    const char *folder = path_join(rig->arena, rig->dir, "migrations/db");
    REQUIRE_OK(dir_make(folder, false, &err), &err);
    REQUIRE_OK(
        file_write(path_join(rig->arena, folder, name), slice_of(sql), 0600, false, &err), &err);
}

static atomic_int told_now, told_all;

static void told(void *user, const struct migration *migration, bool applied_now)
{
    (void)user;
    CHECK(migration->number > 0 && migration->name && strlen(migration->checksum) == 64);
    told_all++;
    told_now += applied_now;
}

static enum status migrate(bool dry_run, size_t *ret_count, struct error *err)
{
    struct migrate_options options = {
        .project = &rig->project, .connection = &rig->connection, .dry_run = dry_run, .told = told};
    return migrate_run(&options, ret_count, err);
}

TEST(migrations_are_applied_in_order_and_once)
{
    struct error err;
    size_t count = 0;
    sql_begin("migrate");
    put("0002_more.sql", "insert into m values (2);");
    put("0001_first.sql", "create table m (v int);\ninsert into m values (1);");
    REQUIRE_OK(migrate(true, &count, &err), &err);
    CHECK_INT(count, 2);
    CHECK_INT(postgres_number(db, "SELECT count(*) FROM pg_tables WHERE tablename = 'm'"), 0);
    REQUIRE_OK(migrate(false, &count, &err), &err);
    CHECK_INT(count, 2);
    CHECK_INT(told_now, 2);
    told_all = 0;
    REQUIRE_OK(migrate(false, &count, &err), &err);
    CHECK_INT(count, 0);
    CHECK_INT(told_all, 2);
    CHECK_INT(told_now, 2);
    CHECK_STR(postgres_value(db, "SELECT string_agg(v::text, ',' ORDER BY v) FROM m"), "1,2");
    sql_finish();
}

TEST(a_failing_migration_leaves_nothing_and_names_its_place)
{
    struct error err;
    size_t count = 0;
    sql_begin("migratebad");
    put("0001_good.sql", "create table m (v int)");
    put("0002_bad.sql", "insert into m values (1);\ninsert into nowhere values (2);");
    CHECK(migrate(false, &count, &err) != OK);
    CHECK_STR(err.sqlstate, "42P01");
    CHECK_STR(err.place.file, "migrations/db/0002_bad.sql");
    CHECK_INT(err.place.line, 2);
    CHECK_INT(postgres_number(db, "SELECT count(*) FROM m"), 0);
    put("0002_bad.sql", "insert into m values (1);");
    REQUIRE_OK(migrate(false, &count, &err), &err);
    CHECK_INT(count, 1);
    sql_finish();
}

TEST(what_was_applied_must_not_change_and_must_not_be_overtaken)
{
    struct error err;
    size_t count = 0;
    sql_begin("migratechanged");
    put("0005_five.sql", "create table m (v int)");
    REQUIRE_OK(migrate(false, &count, &err), &err);
    put("0003_three.sql", "select 1");
    CHECK(migrate(false, &count, &err) == ERR_MIGRATION);
    CHECK(contains(err.message, "0003_three.sql"));
    put("0003_three.sql", "");
    REQUIRE(remove(path_join(rig->arena, rig->dir, "migrations/db/0003_three.sql")) == 0);
    put("0005_five.sql", "create table m (v bigint)");
    CHECK(migrate(false, &count, &err) == ERR_MIGRATION);
    CHECK(contains(err.message, "0005_five.sql"));
    sql_finish();
}

static void *migrate_on_thread(void *count)
{
    struct error err;
    if (migrate(false, count, &err))
        *(size_t *)count = 100;
    return NULL;
}

TEST(two_at_once_apply_each_migration_once)
{
    sql_begin("migratetwice");
    put("0001_slow.sql", "create table m (v int); select pg_sleep(0.3)");
    put("0002_row.sql", "insert into m values (1)");
    size_t counts[2] = {0};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        REQUIRE(pthread_create(&threads[i], NULL, migrate_on_thread, &counts[i]) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(counts[0] + counts[1], 2);
    CHECK_INT(postgres_number(db, "SELECT count(*) FROM m"), 1);
    sql_finish();
}
