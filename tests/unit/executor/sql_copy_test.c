/* COPY with a file on our side: in, out, and what breaks in between. */
#include "tests/unit/executor/proxy.h"
#include "tests/unit/executor/sql_cases.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "executor/limits.h"

static struct texts files(const char *first, const char *second)
{
    struct text *at = arena_array(rig->arena, struct text, 2);
    at[0].value = first;
    at[1].value = second;
    return (struct texts){at, (size_t)(!!first + !!second)};
}

static struct task *copying(const char *sql, const char *from, const char *to)
{
    struct task *task = rig_sql(rig, sql);
    task->sql.copy_from = files(from, NULL);
    task->sql.copy_to = files(to, NULL);
    return task;
}

static const char *at(const char *name)
{
    return path_join(rig->arena, rig->dir, name);
}

static void put(const char *name, const char *text)
{
    struct error err;
    REQUIRE_OK(file_write(at(name), slice_of(text), 0600, false, &err), &err);
}

/* "" when there is none. */
static const char *get(const char *name)
{
    struct slice text;
    return file_read(at(name), 64 << 20, rig->arena, &text, NULL) == OK ? text.p : "";
}

static size_t parts_left(void)
{
    size_t count = 0;
    DIR *dir = opendir(rig->dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        count += str_ends(entry->d_name, ".part");
    closedir(dir);
    return count;
}

static int64_t claims(void)
{
    return postgres_number(db, "SELECT count(*) FROM pg_tables WHERE tablename = 'claim'")
               ? postgres_number(db, "SELECT count(*) FROM dag.claim")
               : 0;
}

static struct attempt_result refused(const char *sqlstate, const char *says)
{
    int64_t before = claims();
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_STR(result.sqlstate, sqlstate);
    CHECK(contains(result.message, says));
    CHECK_INT(claims(), before);
    CHECK_INT(parts_left(), 0);
    return result;
}

TEST(a_file_goes_in_and_comes_out_again)
{
    sql_begin("copyround");
    copying("insert into t select generate_series(1, 400000);\n"
            "copy t to stdout (format csv, header)",
        NULL, "{{ ds }}.csv");
    struct attempt_result out = rig_run(rig);
    CHECK_INT(out.outcome, OUTCOME_SUCCESS);
    struct stat st;
    REQUIRE(stat(at("2007-04-12.csv"), &st) == 0);
    CHECK_INT(st.st_size, 2688897); /* "v", and the numbers' digits and line ends */
    CHECK_INT(parts_left(), 0);
    CHECK(contains(rig_log(rig, rig_last(rig)), "2688897 bytes for `2007-04-12.csv`"));
    CHECK(contains(rig_log(rig, rig_last(rig)), "is in its place"));

    rig->generation = 1;
    copying("truncate t; copy t from stdin (format csv, header)", "2007-04-12.csv", NULL);
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK_INT(postgres_number(db, "SELECT sum(v) FROM t"), 80000200000);
    CHECK(contains(rig_log(rig, rig_last(rig)), "2688897 bytes from `2007-04-12.csv`"));
    sql_finish();
}

TEST(files_are_used_in_the_order_of_the_statements)
{
    sql_begin("copyorder");
    put("a", "1\n");
    put("b", "2\n");
    struct task *task = rig_sql(rig, "copy t from stdin; copy t to stdout;\n"
                                     "/* from stdin */ COPY \"t\" (v) From /* to */ STDIN;\n"
                                     "copy (select sum(v) from t) to stdout");
    task->sql.copy_from = files("a", "b");
    task->sql.copy_to = files("c", "d");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK_STR(get("c"), "1\n");
    CHECK_STR(get("d"), "3\n");
    sql_finish();
}

TEST(an_empty_file_and_one_long_row_are_copied)
{
    sql_begin("copyedges");
    put("none", "");
    copying("copy t from stdin; copy t to stdout", "none", "empty");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK(file_exists(at("empty")));
    CHECK_STR(get("empty"), "");
    rig->generation = 1;
    copying("copy (select repeat('x', 5000000)) to stdout", NULL, "long");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK_INT(strlen(get("long")), 5000001);
    rig->generation = 2;
    copying("create table w (x text); copy w from stdin", "long", NULL);
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK_INT(postgres_number(db, "SELECT length(x) FROM w"), 5000000);
    sql_finish();
}

/* ---- what does not fit ----------------------------------------------------------------------- */

TEST(a_copy_without_its_file_is_refused_before_anything_is_sent)
{
    sql_begin("copyrefused");
    copying("select 1;\n  copy t from stdin", NULL, NULL);
    CHECK_STR(refused("42601", "there is no file for this COPY … FROM STDIN: name it in"
                               " `copy_from`")
                  .place,
        "templates/t.sql:2:3");
    copying("copy t to stdout", NULL, NULL);
    refused("42601", "name it in `copy_to`");
    copying("copy t from stdin; copy t from stdin", "a", NULL);
    refused("42601", "`copy_from` names only 1");
    copying("copy t from '/etc/hostname'", "a", NULL);
    refused("42601", "`copy_from` names 1 file, but the text has 0 statements COPY … FROM STDIN");
    struct task *task = rig_sql(rig, "copy t to stdout; copy t to stdout");
    task->sql.copy_to = files("x", "./x");
    task->sql.copy_to = files("x", "x");
    refused("42601", "`copy_to` names `x` twice");
    copying("copy t to stdout", NULL, "{{ '' }}");
    refused("42601", "`copy_to` gives an empty path");
    copying("copy t from stdin;\n1\nit's\n\\.\nselect 1", "a", NULL);
    CHECK_STR(refused("0A000", "write the rows to a file").place, "templates/t.sql:2:1");
    sql_finish();
}

TEST(files_that_cannot_be_had_are_told_before_anything_is_sent)
{
    sql_begin("copymissing");
    copying("copy t from stdin", "nowhere.csv", NULL);
    refused("58P01", "cannot read `nowhere.csv` of `copy_from`: No such file or directory");
    copying("copy t from stdin", "templates", NULL);
    refused("58030", "`templates` of `copy_from` is no regular file");
    REQUIRE(mkfifo(at("fifo"), 0600) == 0);
    copying("copy t from stdin", "fifo", NULL);
    refused("58030", "is no regular file");
    copying("copy t to stdout", NULL, "nowhere/x.csv");
    refused("58P01", "cannot write into the folder of `nowhere/x.csv` of `copy_to`");
    copying("copy t to stdout", NULL, "templates");
    refused("58030", "is there, and is no regular file");
    sql_finish();
}

TEST(an_error_in_the_middle_of_a_file_names_its_line)
{
    sql_begin("copyline");
    put("bad", "1\n2\nthree\n4\n");
    copying("copy t from stdin", "bad", NULL);
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_STR(result.sqlstate, "22P02");
    CHECK_STR(result.place, "templates/t.sql:1:1");
    CHECK(contains(result.message, "`bad`: invalid input syntax for type integer: \"three\""));
    CHECK(contains(result.message, "CONTEXT: COPY t, line 3, column v: \"three\""));
    CHECK_INT(sql_rows(), 0);
    sql_finish();
}

TEST(what_fails_leaves_no_file)
{
    sql_begin("copyundone");
    put("x", "as it was\n");
    copying("insert into t values (1); copy t to stdout; select 1/0", NULL, "x");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_FAILED);
    copying("copy (select 1 / (5000 - g) from generate_series(1, 10000) g) to stdout", NULL, "x");
    CHECK_STR(rig_run(rig).sqlstate, "22012");
    CHECK_STR(get("x"), "as it was\n");
    /* The part goes away on a thread; the next attempt's end comes behind it. */
    copying("copy (select 7) to stdout", NULL, "x");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK_STR(get("x"), "7\n");
    CHECK_INT(parts_left(), 0);
    sql_finish();
}

TEST(a_file_that_cannot_be_written_to_its_end_fails_the_task)
{
    sql_begin("copyfull");
    struct rlimit before, small = {4 << 20, 4 << 20};
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    rig_sql(rig, "select 1");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    rig->generation = 1;
    setrlimit(RLIMIT_FSIZE, &small);
    copying("copy (select repeat('x', 1000) from generate_series(1, 100000)) to stdout", NULL, "x");
    struct attempt_result result = rig_run(rig);
    setrlimit(RLIMIT_FSIZE, &before);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_STR(result.sqlstate, "58030");
    CHECK(contains(result.message, "cannot write `x` of `copy_to`: File too large"));
    CHECK(!file_exists(at("x")));
    copying("copy (select 7) to stdout", NULL, "x");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK_INT(parts_left(), 0);
    sql_finish();
}

/* ---- cancelled, lost, taken over ------------------------------------------------------------- */

static bool has_part(struct rig *r, void *user)
{
    (void)r, (void)user;
    return parts_left() > 0;
}

TEST(a_copy_out_is_cancelled_in_the_middle)
{
    sql_begin("copycancelout");
    put("x", "as it was\n");
    copying("copy (select repeat('x', 1000), generate_series(1, 100000000)) to stdout", NULL, "x");
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    REQUIRE(rig_until(rig, has_part, NULL, 30));
    rig_cancel(rig, &effect, false);
    CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_CANCELLED);
    CHECK_INT(sql_backends(&effect), 0);
    CHECK_STR(get("x"), "as it was\n");
    sql_finish();
}

static bool is_waiting(struct rig *r, void *user)
{
    (void)r, (void)user;
    return postgres_number(
        db, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'");
}

/* More rows than the connection holds, into a table whose trigger waits for the test's lock. */
static struct effect start_held(const char *name)
{
    sql_begin(name);
    postgres_run(db,
        "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM pg_advisory_xact_lock_shared(7); RETURN NEW; END $$;"
        " CREATE TRIGGER hold BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION hold()");
    copying("copy (select generate_series(1, 3000000)) to stdout", NULL, "rows");
    rig->generation = 99;
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    rig->generation = 0;
    postgres_run(db, "SELECT pg_advisory_lock(7)");
    copying("copy t from stdin", "rows", NULL);
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    REQUIRE(rig_until(rig, is_waiting, NULL, 30));
    return effect;
}

static void run_to_its_end(void)
{
    postgres_run(db, "SELECT pg_advisory_unlock(7)");
    postgres_run(db, "DROP TRIGGER hold ON t");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK_INT(sql_rows(), 3000000);
}

TEST(a_copy_in_is_cancelled_in_the_middle)
{
    struct effect effect = start_held("copycancelin");
    rig_cancel(rig, &effect, false);
    CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_CANCELLED);
    CHECK_INT(sql_backends(&effect), 0);
    CHECK_INT(sql_rows(), 0);
    run_to_its_end();
    sql_finish();
}

TEST(a_backend_that_dies_in_the_middle_of_a_copy_leaves_nothing)
{
    struct effect effect = start_held("copykilled");
    postgres_run(db, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                     " WHERE wait_event = 'advisory'");
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_STR(result.sqlstate, "57P01");
    CHECK_INT(sql_rows(), 0);
    run_to_its_end();
    sql_finish();
}

static void recover(const struct effect *effect)
{
    struct attempt_record record = rig_record(rig, effect);
    executor_recover(rig->ex, &record, &rig->dag, &rig->run);
}

TEST(a_daemon_that_dies_in_the_middle_of_a_copy_leaves_nothing)
{
    struct effect effect = start_held("copycrashed");
    rig_restart(rig);
    recover(&effect);
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_INTERRUPTED);
    CHECK_INT(sql_rows(), 0);
    run_to_its_end();
    sql_finish();
}

/* An attempt that committed, and whose answer to COMMIT is lost. */
static void lose(const char *name, enum proxy_mode mode)
{
    proxy_set(PROXY_PASS);
    sql_begin(name);
    rig->connection.uri = arena_strdup(rig->arena, proxy_start(name));
    rig->generation = 99;
    rig_sql(rig, "select 1");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    rig->generation = 0;
    put("x", "as it was\n");
    copying("insert into t values (1); copy (select count(*) from t) to stdout", NULL, "x");
    proxy_set(mode);
    CHECK_INT(rig_run(rig).outcome, OUTCOME_LOST);
    CHECK_STR(get("x"), "as it was\n");
    CHECK_INT(parts_left(), 1);
    CHECK(contains(rig_log(rig, rig_last(rig)), "what was written for `x` is in `"));
    proxy_set(PROXY_PASS);
}

TEST(the_next_attempt_puts_the_file_of_one_that_committed_into_its_place)
{
    lose("copylost", PROXY_DROP_AFTER_COMMIT);
    struct attempt_result next = rig_run(rig);
    CHECK_INT(next.outcome, OUTCOME_SUCCESS);
    CHECK(next.committed_before);
    CHECK_STR(get("x"), "1\n");
    CHECK_INT(parts_left(), 0);
    CHECK_INT(sql_rows(), 1);
    sql_finish();
}

TEST(the_next_attempt_removes_the_part_of_one_that_did_not_commit)
{
    lose("copyundone2", PROXY_DROP_BEFORE_COMMIT);
    struct attempt_result next = rig_run(rig);
    CHECK_INT(next.outcome, OUTCOME_SUCCESS);
    CHECK(!next.committed_before);
    CHECK_STR(get("x"), "1\n");
    CHECK_INT(parts_left(), 0);
    sql_finish();
}

TEST(a_new_daemon_puts_the_file_into_its_place_any_number_of_times)
{
    lose("copyrecover", PROXY_DROP_AFTER_COMMIT);
    for (int i = 0; i < 2; i++) {
        struct effect effect = *rig_last(rig);
        rig->ends.count = 0;
        rig_restart(rig);
        recover(&effect);
        CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_SUCCESS);
        CHECK_STR(get("x"), "1\n");
        CHECK_INT(parts_left(), 0);
    }
    sql_finish();
}

TEST(a_void_puts_the_file_into_its_place)
{
    lose("copyvoid", PROXY_DROP_AFTER_COMMIT);
    CHECK_INT(rig_void(rig, rig_last(rig)).void_outcome, VOID_COMMITTED);
    CHECK_STR(get("x"), "1\n");
    sql_finish();
}

TEST(a_file_that_is_gone_after_the_commit_is_no_success)
{
    lose("copygone", PROXY_DROP_AFTER_COMMIT);
    struct effect lost = *rig_last(rig);
    REQUIRE(unlink(arena_printf(rig->arena, "%s/.x.%s.part", rig->dir, lost.attempt.text)) == 0);
    struct attempt_result next = rig_run(rig);
    CHECK_INT(next.outcome, OUTCOME_PARTLY);
    CHECK(contains(next.message, "committed, but what was written for `"));
    CHECK(contains(next.message, "`dag mark` the task a success, or clear it"));
    CHECK_STR(get("x"), "as it was\n");
    sql_finish();
}
