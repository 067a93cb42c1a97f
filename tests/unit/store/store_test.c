/* The conformance suite: what every back end of the store must do. */
#include "store/store.h"

#include <stdlib.h>
#include <sqlite3.h>
#include <unistd.h>
#include "base/file.h"
#include "store/thread.h"
#include "tests/unit/test.h"

static char directory[] = "/tmp/dag-store-XXXXXX";

static const char *fresh_path(void)
{
    static char path[64];
    static int number;
    if (number == 0)
        REQUIRE(mkdtemp(directory) != NULL);
    snprintf(path, sizeof(path), "%s/%d.db", directory, ++number);
    return path;
}

__attribute__((destructor)) static void remove_files(void)
{
    char command[128];
    snprintf(command, sizeof(command), "%s/", directory);
    for (int i = 1; i < 40; i++) {
        static const char *const endings[] = {"", "-wal", "-shm"};
        for (size_t j = 0; j < ARRAY_SIZE(endings); j++) {
            snprintf(command, sizeof(command), "%s/%d.db%s", directory, i, endings[j]);
            unlink(command);
        }
    }
    rmdir(directory);
}

/* Runs the body once for each back end. */
static struct store *open_backend(int backend)
{
    struct store *store = NULL;
    struct error err;
    if (backend == 0)
        return store_open_memory();
    REQUIRE_OK(store_open_sqlite(fresh_path(), &store, &err), &err);
    return store;
}
#define EACH_BACKEND(store)                                                                        \
    for (int backend_ = 0; backend_ < 2; backend_++)                                               \
        for (struct store *store = open_backend(backend_); store; store_close(store), store = NULL)

static struct run_record run_row(int64_t id, const char *dag_id, int64_t logical_us)
{
    return (struct run_record){.id = {id},
        .dag_id = dag_id,
        .run_id = "manual__x",
        .type = RUN_TYPE_MANUAL,
        .state = RUN_RUNNING,
        .reason = REASON_RUN_STARTED,
        .reason_text = "the run started",
        .logical_us = logical_us,
        .interval_start_us = logical_us,
        .interval_end_us = logical_us + US_PER_DAY,
        .run_after_us = TIME_NONE,
        .queued_us = 1,
        .started_us = 2,
        .ended_us = TIME_NONE,
        .conf = "{\"a\": 1}",
        .version = "v1",
        .triggered_by = "someone"};
}

static struct task_record task_row(int64_t run, const char *task_id, enum task_state state)
{
    return (struct task_record){.run = {run},
        .task_id = task_id,
        .map_index = -1,
        .state = state,
        .reason = REASON_WAITING_UPSTREAM,
        .reason_text = "waiting for `a`",
        .max_tries = 3,
        .generation = INT64_MAX - 5,
        .ready_us = TIME_NONE,
        .queued_us = TIME_NONE,
        .started_us = TIME_NONE,
        .ended_us = TIME_NONE,
        .retry_at_us = TIME_NONE,
        .waiting_since_us = TIME_NONE};
}

static void add_run(struct plan *plan, struct run_record run)
{
    *(struct change *)vec_add(&plan->changes) =
        (struct change){.kind = CHANGE_RUN, .run = run, .at_us = 10};
}

static void add_task(struct plan *plan, struct task_record task, enum task_state from, bool is_new)
{
    *(struct change *)vec_add(&plan->changes) = (struct change){
        .kind = CHANGE_TASK, .task = {.record = task, .from = from, .is_new = is_new}, .at_us = 11};
}

static enum status apply(struct store *store, struct plan *plan, int64_t batch)
{
    struct error err;
    enum status status = store_apply(store, plan, batch, &err);
    plan_clear(plan);
    return status;
}

TEST(what_was_written_is_read_back_in_every_column)
{
    EACH_BACKEND(store)
    {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct plan plan;
        struct error err;
        plan_init(&plan);
        add_run(&plan, run_row(7, "geolife", 1000));
        struct task_record task = task_row(7, "clean", TASK_RUNNING);
        task.unsettled = true;
        task.decision = "[\"a\"]";
        snprintf(task.attempt.text, sizeof(task.attempt.text), "%s",
            "00000000-0000-4000-8000-000000000001");
        add_task(&plan, task, TASK_NONE, true);
        struct task_record index = task_row(7, "load", TASK_SCHEDULED);
        index.map_index = 3;
        index.mapped = "{\"table\": \"a\"}";
        add_task(&plan, index, TASK_NONE, true);
        CHECK_OK(store_apply(store, &plan, 1, &err), &err);
        plan_done(&plan);

        struct run_rows runs;
        struct run_filter filter = {.dag_id = "geolife"};
        REQUIRE_OK(store_read_runs(store, &filter, arena, &runs, &err), &err);
        REQUIRE(runs.count == 1);
        CHECK_INT(runs.at[0].id.v, 7);
        CHECK_INT(runs.at[0].state, RUN_RUNNING);
        CHECK_INT(runs.at[0].interval_end_us, 1000 + US_PER_DAY);
        CHECK(runs.at[0].ended_us == TIME_NONE);
        CHECK_STR(runs.at[0].conf, "{\"a\": 1}");
        CHECK(runs.at[0].note == NULL);

        struct task_rows tasks;
        REQUIRE_OK(store_read_tasks(store, (struct run_id){7}, arena, &tasks, &err), &err);
        REQUIRE(tasks.count == 2);
        CHECK_STR(tasks.at[0].task_id, "clean");
        CHECK(tasks.at[0].mapped == NULL);
        CHECK_INT(tasks.at[1].map_index, 3);
        CHECK_STR(tasks.at[1].mapped, "{\"table\": \"a\"}");
        CHECK_INT(tasks.at[0].state, TASK_RUNNING);
        CHECK_INT(tasks.at[0].generation, INT64_MAX - 5);
        CHECK(tasks.at[0].unsettled);
        CHECK_STR(tasks.at[0].decision, "[\"a\"]");
        CHECK_STR(tasks.at[0].attempt.text, "00000000-0000-4000-8000-000000000001");
        CHECK_INT(tasks.at[0].reason, REASON_WAITING_UPSTREAM);
    }
}

static void add_asset_event(struct plan *plan, int64_t id, const char *asset, int64_t run)
{
    struct change *change = vec_add(&plan->changes);
    change->kind = CHANGE_ASSET_EVENT;
    change->asset_event = (struct asset_event_record){.id = id,
        .asset = asset,
        .at_us = id * 10,
        .run = {run},
        .dag_id = run ? "p" : NULL,
        .task_id = run ? "make" : NULL,
        .map_index = -1,
        .logical_us = run ? 1000 : TIME_NONE,
        .interval_start_us = TIME_NONE,
        .interval_end_us = TIME_NONE,
        .extra = "{}",
        .made_by = "alice"};
}

static void add_asset_queue(struct plan *plan, const char *asset, int64_t after, int64_t last)
{
    struct change *change = vec_add(&plan->changes);
    change->kind = CHANGE_ASSET_QUEUE;
    change->asset_queue = (struct asset_queue_record){.dag_id = "c",
        .asset = asset,
        .after_event = after,
        .last_event = last,
        .first_us = last ? 10 : TIME_NONE,
        .last_us = TIME_NONE,
        .count = last ? 2 : 0};
}

TEST(events_of_assets_their_queues_and_what_runs_consumed)
{
    EACH_BACKEND(store)
    {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct plan plan;
        struct error err;
        struct store_meta meta;
        plan_init(&plan);
        REQUIRE_OK(store_read_meta(store, &meta, &err), &err);
        CHECK_INT(meta.next_asset_event, 1);
        struct run_record run = run_row(1, "c", 1000);
        run.deadline_us = 77;
        run.deadline_missed_us = TIME_NONE;
        add_run(&plan, run);
        for (int64_t id = 1; id <= 4; id++)
            add_asset_event(&plan, id, id == 3 ? "b" : "a", id == 4 ? 0 : 1);
        add_asset_queue(&plan, "a", 0, 4);
        struct change *change = vec_add(&plan.changes);
        change->kind = CHANGE_RUN_ASSET;
        change->run_asset = (struct run_asset_record){{1}, "a", 1, 4};
        add_asset_queue(&plan, "a", 4, 0);
        CHECK_INT(apply(store, &plan, 1), OK);
        plan_done(&plan);

        struct asset_event_rows events;
        REQUIRE_OK(store_read_asset_events(store, "a", 2, arena, &events, &err), &err);
        REQUIRE(events.count == 2);
        CHECK_INT(events.at[0].id, 4);
        CHECK(events.at[0].dag_id == NULL);
        CHECK(events.at[0].logical_us == TIME_NONE);
        CHECK_STR(events.at[1].task_id, "make");
        CHECK_INT(events.at[1].logical_us, 1000);
        REQUIRE_OK(store_read_asset_events(store, NULL, 0, arena, &events, &err), &err);
        CHECK_INT(events.count, 4);
        REQUIRE_OK(
            store_read_run_asset_events(store, (struct run_id){1}, arena, &events, &err), &err);
        REQUIRE(events.count == 2);
        CHECK_INT(events.at[0].id, 2);
        CHECK_INT(events.at[1].id, 4);

        struct asset_queue_rows queues;
        REQUIRE_OK(store_read_asset_queues(store, "c", arena, &queues, &err), &err);
        REQUIRE(queues.count == 1);
        CHECK_INT(queues.at[0].after_event, 4);
        CHECK_INT(queues.at[0].count, 0);
        CHECK(queues.at[0].first_us == TIME_NONE);
        struct run_rows runs;
        REQUIRE_OK(store_read_runs(store, &(struct run_filter){0}, arena, &runs, &err), &err);
        CHECK_INT(runs.at[0].deadline_us, 77);
        CHECK(runs.at[0].deadline_missed_us == TIME_NONE);
        REQUIRE_OK(store_read_meta(store, &meta, &err), &err);
        CHECK_INT(meta.next_asset_event, 5);
    }
}

static void add_setting(struct plan *plan, const char *name, const char *value)
{
    struct change *change = vec_add(&plan->changes);
    change->kind = CHANGE_SETTING;
    change->setting = (struct setting_record){.name = name,
        .value = value,
        .sealed = true,
        .description = value,
        .changed_by = "alice",
        .changed_us = 7};
}

TEST(settings_are_stored_replaced_and_removed)
{
    EACH_BACKEND(store)
    {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct plan plan;
        struct error err;
        struct setting_rows rows;
        plan_init(&plan);
        add_setting(&plan, "variables.b", "2");
        add_setting(&plan, "variables.a", "1");
        add_setting(&plan, "variables.b", "3");
        CHECK_INT(apply(store, &plan, 1), OK);
        REQUIRE_OK(store_read_settings(store, arena, &rows, &err), &err);
        REQUIRE(rows.count == 2);
        CHECK_STR(rows.at[0].name, "variables.a");
        CHECK_STR(rows.at[1].value, "3");
        CHECK_STR(rows.at[1].description, "3");
        CHECK_STR(rows.at[1].changed_by, "alice");
        CHECK_INT(rows.at[1].changed_us, 7);
        CHECK(rows.at[1].sealed);
        plan_clear(&plan);
        add_setting(&plan, "variables.a", NULL);
        add_setting(&plan, "variables.never", NULL);
        CHECK_INT(apply(store, &plan, 2), OK);
        REQUIRE_OK(store_read_settings(store, arena, &rows, &err), &err);
        REQUIRE(rows.count == 1);
        CHECK_STR(rows.at[0].name, "variables.b");
        plan_done(&plan);
    }
}

TEST(settings_are_read_of_a_file_that_is_missing_or_old)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err;
    struct setting_rows rows = {.count = 9};
    const char *path = fresh_path();
    REQUIRE_OK(store_read_settings_of(path, arena, &rows, &err), &err);
    CHECK_INT(rows.count, 0);
    sqlite3 *db = NULL;
    sqlite3_open(path, &db);
    sqlite3_exec(db, "pragma user_version = 6", NULL, NULL, NULL);
    sqlite3_close(db);
    rows.count = 9;
    REQUIRE_OK(store_read_settings_of(path, arena, &rows, &err), &err);
    CHECK_INT(rows.count, 0);
}

TEST(a_batch_is_all_or_nothing_and_a_task_state_is_compared_before_it_is_set)
{
    EACH_BACKEND(store)
    {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct plan plan;
        struct error err;
        plan_init(&plan);
        add_run(&plan, run_row(1, "d", 1000));
        add_task(&plan, task_row(1, "a", TASK_NONE), TASK_NONE, true);
        add_task(&plan, task_row(1, "b", TASK_NONE), TASK_NONE, true);
        CHECK_INT(apply(store, &plan, 1), OK);
        add_task(&plan, task_row(1, "a", TASK_SCHEDULED), TASK_NONE, false);
        add_task(&plan, task_row(1, "a", TASK_QUEUED), TASK_SCHEDULED, false);
        add_task(&plan, task_row(1, "b", TASK_SUCCESS), TASK_RUNNING, false);
        CHECK_INT(apply(store, &plan, 2), ERR_STORE_CONFLICT);
        plan_done(&plan);

        int64_t batch = 0;
        CHECK_OK(store_last_batch(store, &batch, &err), &err);
        CHECK_INT(batch, 1);
        struct task_rows tasks;
        REQUIRE_OK(store_read_tasks(store, (struct run_id){1}, arena, &tasks, &err), &err);
        CHECK_INT(tasks.count, 2);
        CHECK_INT(tasks.at[0].state, TASK_NONE);
        CHECK_INT(tasks.at[1].state, TASK_NONE);
    }
}

TEST(a_batch_number_is_used_once)
{
    EACH_BACKEND(store)
    {
        struct plan plan;
        plan_init(&plan);
        add_run(&plan, run_row(1, "d", 1000));
        CHECK_INT(apply(store, &plan, 5), OK);
        add_run(&plan, run_row(2, "d", 2000));
        CHECK_INT(apply(store, &plan, 5), ERR_STORE_CONFLICT);
        plan_done(&plan);
    }
}

TEST(runs_are_filtered_and_come_newest_first)
{
    EACH_BACKEND(store)
    {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct plan plan;
        struct error err;
        plan_init(&plan);
        for (int i = 1; i <= 5; i++) {
            struct run_record run = run_row(i, i == 5 ? "other" : "d", i * 1000);
            run.state = i == 2 ? RUN_FAILED : i == 3 ? RUN_SUCCESS : RUN_QUEUED;
            add_run(&plan, run);
        }
        CHECK_INT(apply(store, &plan, 1), OK);
        plan_done(&plan);

        struct run_rows runs;
        struct run_filter live = {.states = 1u << RUN_QUEUED | 1u << RUN_RUNNING};
        REQUIRE_OK(store_read_runs(store, &live, arena, &runs, &err), &err);
        REQUIRE(runs.count == 3);
        CHECK_INT(runs.at[0].id.v, 5);
        CHECK_INT(runs.at[2].id.v, 1);
        struct run_filter range = {.dag_id = "d",
            .has_from = true,
            .from_us = 2000,
            .has_to = true,
            .to_us = 3000,
            .oldest_first = true};
        REQUIRE_OK(store_read_runs(store, &range, arena, &runs, &err), &err);
        REQUIRE(runs.count == 2);
        CHECK_INT(runs.at[0].id.v, 2);
        REQUIRE_OK(store_read_previous_success(store, "d", 4000, arena, &runs, &err), &err);
        REQUIRE(runs.count == 1);
        CHECK_INT(runs.at[0].id.v, 3);
        struct store_meta meta;
        REQUIRE_OK(store_read_meta(store, &meta, &err), &err);
        CHECK_INT(meta.next_run, 6);
        CHECK_INT(meta.next_backfill, 1);
        CHECK(uuid_valid(meta.metadata_id));
    }
}

TEST(every_change_leaves_its_reason_in_the_history)
{
    EACH_BACKEND(store)
    {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct plan plan;
        struct error err;
        plan_init(&plan);
        add_run(&plan, run_row(1, "d", 1000));
        add_task(&plan, task_row(1, "a", TASK_NONE), TASK_NONE, true);
        struct task_record skipped = task_row(1, "a", TASK_SKIPPED);
        skipped.reason = REASON_UPSTREAM_SKIPPED;
        skipped.reason_text = "skipped: `choose` chose `b`";
        add_task(&plan, skipped, TASK_NONE, false);
        CHECK_INT(apply(store, &plan, 1), OK);
        plan_done(&plan);

        struct transition_rows history;
        REQUIRE_OK(
            store_read_transitions(store, (struct run_id){1}, "a", arena, &history, &err), &err);
        REQUIRE(history.count == 1);
        CHECK_STR(history.at[0].to_state, "skipped");
        CHECK_STR(history.at[0].reason_text, "skipped: `choose` chose `b`");
        REQUIRE_OK(
            store_read_transitions(store, (struct run_id){1}, "", arena, &history, &err), &err);
        REQUIRE(history.count == 1);
        CHECK_STR(history.at[0].to_state, "running");
    }
}

TEST(a_sensor_that_looks_again_and_again_leaves_no_history_of_it)
{
    EACH_BACKEND(store)
    {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        static const struct {
            enum task_state from, to;
            int32_t looks;
        } moves[] = {{TASK_NONE, TASK_RUNNING, 0}, {TASK_RUNNING, TASK_UP_FOR_RESCHEDULE, 1},
            {TASK_UP_FOR_RESCHEDULE, TASK_QUEUED, 1}, {TASK_QUEUED, TASK_RUNNING, 1},
            {TASK_RUNNING, TASK_UP_FOR_RESCHEDULE, 2}, {TASK_UP_FOR_RESCHEDULE, TASK_RUNNING, 2},
            {TASK_RUNNING, TASK_SUCCESS, 0}};
        struct plan plan;
        struct error err;
        plan_init(&plan);
        add_run(&plan, run_row(1, "d", 1000));
        for (size_t n = 0; n < ARRAY_SIZE(moves); n++) {
            struct task_record task = task_row(1, "a", moves[n].to);
            task.looks = moves[n].looks;
            task.waiting_since_us = 12;
            add_task(&plan, task, moves[n].from, n == 0);
        }
        CHECK_INT(apply(store, &plan, 1), OK);
        plan_done(&plan);

        static const char *const kept[] = {"running", "up_for_reschedule", "success"};
        struct transition_rows history;
        struct task_rows tasks;
        REQUIRE_OK(
            store_read_transitions(store, (struct run_id){1}, "a", arena, &history, &err), &err);
        REQUIRE(history.count == ARRAY_SIZE(kept));
        for (size_t n = 0; n < ARRAY_SIZE(kept); n++)
            CHECK_STR(history.at[n].to_state, kept[n]);
        REQUIRE_OK(store_read_tasks(store, (struct run_id){1}, arena, &tasks, &err), &err);
        CHECK_INT(tasks.at[0].waiting_since_us, 12);
        CHECK_INT(tasks.at[0].looks, 0);
    }
}

TEST(a_request_is_found_by_its_uuid_and_never_written_twice)
{
    EACH_BACKEND(store)
    {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct plan plan;
        struct error err;
        plan_init(&plan);
        struct change change = {.kind = CHANGE_REQUEST, .at_us = 3};
        change.request.uuid = "00000000-0000-4000-8000-000000000002";
        change.request.kind = REQUEST_TRIGGER;
        change.request.user = "root";
        change.request.dag_id = "d";
        change.request.request = "{}";
        change.request.status = ERR_CONFLICT;
        change.request.outcome = "{\"message\": \"there is a run\"}";
        vec_push(&plan.changes, change);
        CHECK_INT(apply(store, &plan, 1), OK);
        struct request_rows found;
        REQUIRE_OK(store_read_requests(store, change.request.uuid, 0, arena, &found, &err), &err);
        REQUIRE(found.count == 1);
        CHECK_STR(found.at[0].status, "CONFLICT");
        CHECK_STR(found.at[0].kind, "trigger");
        REQUIRE_OK(store_read_requests(store, "nothing", 0, arena, &found, &err), &err);
        CHECK_INT(found.count, 0);
        plan_done(&plan);
    }
}

TEST(xcom_is_that_of_the_last_successful_attempt)
{
    EACH_BACKEND(store)
    {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct plan plan;
        struct error err;
        plan_init(&plan);
        add_run(&plan, run_row(1, "d", 1000));
        for (int i = 0; i < 3; i++) {
            struct change change = {.kind = CHANGE_ATTEMPT};
            change.attempt = (struct attempt_record){.run = {1},
                .task_id = "a",
                .map_index = -1,
                .number = i + 1,
                .state = ATTEMPT_ENDED,
                .outcome = i == 2 ? "failed" : "success",
                .queued_us = i,
                .started_us = i,
                .ended_us = i == 2 ? TIME_NONE : i,
                .exit_code = -1,
                .xcom = i == 0   ? "1"
                        : i == 1 ? "\"two\""
                                 : NULL};
            snprintf(change.attempt.id.text, sizeof(change.attempt.id.text),
                "00000000-0000-4000-8000-00000000000%d", i);
            vec_push(&plan.changes, change);
        }
        CHECK_INT(apply(store, &plan, 1), OK);
        plan_done(&plan);
        const char *xcom = NULL;
        CHECK_OK(store_read_xcom(store, (struct run_id){1}, "a", -1, arena, &xcom, &err), &err);
        CHECK_STR(xcom, "\"two\"");
        struct attempt_rows live;
        REQUIRE_OK(store_read_live_attempts(store, arena, &live, &err), &err);
        REQUIRE(live.count == 1);
        CHECK_INT(live.at[0].number, 3);
    }
}

/* ---- SQLite only ----------------------------------------------------------------------------- */

TEST(a_file_of_a_newer_dag_is_refused_and_a_missing_one_is_named)
{
    struct store *store = NULL;
    struct error err;
    const char *path = fresh_path();
    CHECK_INT(store_open_reader(path, &store, &err), ERR_NOT_FOUND);
    CHECK(strstr(err.hint, "dag up") != NULL);
    REQUIRE_OK(store_open_sqlite(path, &store, &err), &err);
    store_close(store);
    sqlite3 *db = NULL;
    sqlite3_open(path, &db);
    sqlite3_exec(db, "pragma user_version = 9999", NULL, NULL, NULL);
    sqlite3_close(db);
    CHECK_INT(store_open_sqlite(path, &store, &err), ERR_STORE_NEWER);
    CHECK_INT(store_open_reader(path, &store, &err), ERR_STORE_NEWER);
}

TEST(a_file_of_an_older_dag_is_brought_forward)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct store *store = NULL;
    struct error err;
    const char *path = fresh_path();
    struct slice old;
    REQUIRE_OK(
        file_read(DAG_SOURCE_DIR "/tests/unit/store/version_1.sql", 1 << 20, arena, &old, &err),
        &err);
    sqlite3 *db = NULL;
    sqlite3_open(path, &db);
    CHECK_INT(sqlite3_exec(db, old.p, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    CHECK_INT(store_open_reader(path, &store, &err), ERR_STORE);
    CHECK(strstr(err.hint, "start the daemon") != NULL);
    REQUIRE_OK(store_open_sqlite(path, &store, &err), &err);
    struct task_rows tasks;
    REQUIRE_OK(store_read_tasks(store, (struct run_id){1}, arena, &tasks, &err), &err);
    REQUIRE(tasks.count == 2);
    CHECK_INT(tasks.at[0].state, TASK_SUCCESS);
    CHECK_INT(tasks.at[1].state, TASK_NONE);
    struct plan plan;
    plan_init(&plan);
    add_task(&plan, task_row(1, "b", TASK_SCHEDULED), TASK_NONE, false);
    CHECK_INT(apply(store, &plan, 5), OK);
    plan_done(&plan);
    store_close(store);
}

TEST(nothing_is_written_to_a_file_that_was_removed_or_replaced)
{
    struct error err;
    struct store *store = NULL;
    const char *path = fresh_path();
    char aside[80];
    snprintf(aside, sizeof(aside), "%s.aside", path);
    REQUIRE_OK(store_open_sqlite(path, &store, &err), &err);
    struct plan plan;
    plan_init(&plan);
    REQUIRE(rename(path, aside) == 0);
    CHECK_INT(store_apply(store, &plan, 1, &err), ERR_STORE);
    CHECK(strstr(err.message, "was removed or replaced") != NULL);
    REQUIRE(rename(aside, path) == 0);
    CHECK_INT(store_apply(store, &plan, 1, &err), OK);
    plan_done(&plan);
    store_close(store);
}

TEST(a_reader_sees_what_is_committed_and_cannot_write)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct store *store = NULL, *reader = NULL;
    struct error err;
    const char *path = fresh_path();
    REQUIRE_OK(store_open_sqlite(path, &store, &err), &err);
    REQUIRE_OK(store_open_reader(path, &reader, &err), &err);
    struct plan plan;
    plan_init(&plan);
    add_run(&plan, run_row(1, "d", 1000));
    CHECK_INT(apply(store, &plan, 1), OK);
    struct run_rows runs;
    struct run_filter all = {0};
    REQUIRE_OK(store_read_runs(reader, &all, arena, &runs, &err), &err);
    CHECK_INT(runs.count, 1);
    add_run(&plan, run_row(2, "d", 2000));
    CHECK_INT(apply(reader, &plan, 2), ERR_STORE);
    plan_done(&plan);
    store_close(reader);
    store_close(store);
}

static void count_notify(void *user)
{
    __atomic_add_fetch((int *)user, 1, __ATOMIC_SEQ_CST);
}

TEST(the_store_thread_applies_batches_in_order_and_hands_them_back)
{
    struct store *store = NULL;
    struct error err;
    int notified = 0;
    REQUIRE_OK(store_open_sqlite(fresh_path(), &store, &err), &err);
    struct store_thread *thread = store_thread_start(store, count_notify, &notified);
    struct plan plan;
    plan_init(&plan);
    for (int i = 1; i <= 20; i++) {
        add_run(&plan, run_row(i, "d", i));
        REQUIRE_OK(store_thread_submit(thread, &plan, i, &err), &err);
        CHECK_INT(plan.changes.count, 0);
    }
    store_thread_drain(thread);
    CHECK_INT(notified, 20);
    struct finished_batch finished;
    for (int i = 1; i <= 20; i++) {
        REQUIRE(store_thread_finished(thread, &finished));
        CHECK_INT(finished.batch, i);
        CHECK_OK(finished.status, &finished.error);
        CHECK_INT(finished.plan.changes.count, 1);
        plan_done(&finished.plan);
    }
    CHECK(!store_thread_finished(thread, &finished));
    plan_done(&plan);
    store_thread_stop(thread);
}

TEST(after_a_failed_batch_nothing_behind_it_is_applied)
{
    struct store *store = NULL;
    struct error err;
    int notified = 0;
    REQUIRE_OK(store_open_sqlite(fresh_path(), &store, &err), &err);
    struct store_thread *thread = store_thread_start(store, count_notify, &notified);
    struct plan plan;
    plan_init(&plan);
    add_task(&plan, task_row(1, "a", TASK_RUNNING), TASK_QUEUED, false);
    REQUIRE_OK(store_thread_submit(thread, &plan, 1, &err), &err);
    add_run(&plan, run_row(1, "d", 1));
    REQUIRE_OK(store_thread_submit(thread, &plan, 2, &err), &err);
    store_thread_drain(thread);
    struct finished_batch finished;
    REQUIRE(store_thread_finished(thread, &finished));
    CHECK_INT(finished.status, ERR_STORE_CONFLICT);
    plan_done(&finished.plan);
    REQUIRE(store_thread_finished(thread, &finished));
    CHECK_INT(finished.status, ERR_INTERRUPTED);
    plan_done(&finished.plan);
    plan_done(&plan);
    store_thread_stop(thread);
}
