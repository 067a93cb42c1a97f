/*
 * The commit path alone: batches a second that the store thread makes durable, one after the other,
 * beside bare SQLite commits (WAL, synchronous=FULL) of one row of the same size.
 *
 *     bench_commit DIRECTORY [ROUNDS [MILLISECONDS]]
 *
 * A batch is what the end of a task changes: its row and its attempt's, with the history.  Turns
 * alternate; a line each: commits a second of the floor, of the store thread.  bench/commit.py
 * judges.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/vec.h"
#include "store/thread.h"

enum { RUN = 1 };

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench_commit: %s\n", what);
    exit(1);
}

/* ---- the floor ------------------------------------------------------------------------------- */

static sqlite3 *open_floor(const char *path)
{
    sqlite3 *db;
    must(sqlite3_open(path, &db) == SQLITE_OK, "cannot open the floor's file");
    must(sqlite3_exec(db,
             "pragma journal_mode = wal; pragma synchronous = full;"
             "create table t (a integer primary key, b blob)",
             NULL, NULL, NULL) == SQLITE_OK,
        sqlite3_errmsg(db));
    return db;
}

static double measure_floor(sqlite3 *db, int64_t turn_us)
{
    int64_t began_us = clock_now().mono_us, count = 0, took_us;
    do {
        must(sqlite3_exec(db, "begin immediate; insert into t (b) values (zeroblob(1000)); commit",
                 NULL, NULL, NULL) == SQLITE_OK,
            sqlite3_errmsg(db));
        count++;
    } while ((took_us = clock_now().mono_us - began_us) < turn_us);
    return (double)count * US_PER_SECOND / (double)took_us;
}

/* ---- ours ------------------------------------------------------------------------------------ */

static void add_change(struct plan *plan, const struct change *change)
{
    *(struct change *)vec_add(&plan->changes) = *change;
}

static void add_run(struct plan *plan)
{
    struct run_record run = {.id = {RUN},
        .dag_id = "bench",
        .run_id = "manual__bench",
        .type = RUN_TYPE_MANUAL,
        .state = RUN_RUNNING,
        .reason = REASON_RUN_STARTED,
        .conf = "{}",
        .ended_us = TIME_NONE};
    add_change(plan, &(struct change){.kind = CHANGE_RUN, .run = run});
}

static void add_task_end(struct plan *plan, int64_t number)
{
    const char *task_id = arena_printf(plan->arena, "task_%lld", (long long)number);
    struct attempt_record attempt = {.run = {RUN},
        .task_id = task_id,
        .map_index = -1,
        .number = 1,
        .state = ATTEMPT_ENDED,
        .outcome = "success",
        .exit_code = -1,
        .detail = "{\"hash\": \"822ae07d4783158bc1912bb623e5107cc9002d519e1143a9c200ed6ee18b6d0f\","
                  " \"statements\": [{\"line\": 1, \"tag\": \"SELECT 1\", \"rows\": 1}]}",
        .log = "logs/bench/manual__bench/task/1.log"};
    uuid_make(attempt.id.text);
    struct task_record task = {.run = {RUN},
        .task_id = task_id,
        .map_index = -1,
        .state = TASK_SUCCESS,
        .reason = REASON_SUCCEEDED,
        .attempt = attempt.id};
    add_change(plan, &(struct change){.kind = CHANGE_TASK,
                         .task = {.record = task, .from = TASK_RUNNING, .is_new = true}});
    add_change(plan, &(struct change){.kind = CHANGE_ATTEMPT, .attempt = attempt});
}

static void commit(struct store_thread *thread, struct plan *plan, int64_t batch)
{
    struct error err;
    struct finished_batch finished;
    must(store_thread_submit(thread, plan, batch, &err) == OK, "the batch is not taken");
    store_thread_drain(thread);
    must(store_thread_finished(thread, &finished), "the batch is not finished");
    must(finished.status == OK, finished.error.message);
    plan_done(&finished.plan);
}

static double measure_store(struct store_thread *thread, int64_t turn_us, int64_t *batch)
{
    struct plan plan;
    plan_init(&plan);
    int64_t began_us = clock_now().mono_us, first = *batch, took_us;
    do {
        if (*batch == 1)
            add_run(&plan);
        add_task_end(&plan, *batch);
        commit(thread, &plan, (*batch)++);
    } while ((took_us = clock_now().mono_us - began_us) < turn_us);
    plan_done(&plan);
    return (double)(*batch - first) * US_PER_SECOND / (double)took_us;
}

static void notify(void *user)
{
    (void)user;
}

int main(int argc, char **argv)
{
    must(argc >= 2, "usage: bench_commit DIRECTORY [ROUNDS [MILLISECONDS]]");
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 5;
    int64_t turn_us = (argc > 3 ? strtol(argv[3], NULL, 10) : 1000) * US_PER_MS, batch = 1;
    struct store *store;
    struct error err;
    must(store_open_sqlite(path_join(arena, argv[1], "store.db"), &store, &err) == OK, err.message);
    struct store_thread *thread = store_thread_start(store, notify, NULL);
    sqlite3 *db = open_floor(path_join(arena, argv[1], "floor.db"));
    for (int i = 0; i < rounds; i++) {
        double floor = measure_floor(db, turn_us);
        printf("%.1f %.1f\n", floor, measure_store(thread, turn_us, &batch));
    }
    store_thread_stop(thread);
    sqlite3_close(db);
    return 0;
}
