/* Acts: through the daemon, or here under the leader lock when none runs. */
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "daemon/client.h"
#include "daemon/engine.h"
#include "daemon/lock.h"
#include "daemon/request.h"
#include "definition/catalogue.h"
#include "language/timetable/zone.h"

enum { FOLLOW_POLL_US = 50000 };

/* ---- alone ----------------------------------------------------------------------------------- */

struct alone {
    uv_loop_t loop;
    struct engine *engine;
    bool answered;
    json_t *outcome;
    enum status status;
    struct error *err;
};

static void drop(struct alone *alone)
{
    if (alone->engine)
        engine_free(alone->engine, NULL, NULL);
    alone->engine = NULL;
}

static void on_answer(void *user, const char *outcome, const struct error *err)
{
    struct alone *alone = user;
    alone->answered = true;
    if (err) {
        *alone->err = *err;
        alone->status = err->status;
    } else {
        alone->status = json_parse(outcome, strlen(outcome), NULL, &alone->outcome, alone->err);
    }
    uv_stop(&alone->loop);
}

static void on_failed(void *user, const struct error *err)
{
    struct alone *alone = user;
    *alone->err = *err;
    alone->status = err->status;
    uv_stop(&alone->loop);
}

static enum status act_with_engine(
    struct cli *cli, const json_t *act, struct alone *alone, struct error *err)
{
    struct catalogue_changes changes;
    const struct catalogue_options catalogue_options = {.project = cli->project};
    CLEANUP(catalogue_freep) struct catalogue *catalogue = catalogue_new(&catalogue_options);
    enum status status = catalogue_load(catalogue, &changes, err);
    struct engine_options options = {
        .loop = &alone->loop, .project = cli->project, .user = alone, .failed = on_failed};
    if (status == OK)
        status = engine_new(&options, &alone->engine, err);
    if (status == OK)
        status = engine_start(alone->engine, catalogue, err);
    if (status == OK) {
        const char *user = getlogin();
        engine_request(alone->engine, act, user ? user : "command line", on_answer, alone);
        if (!alone->answered)
            uv_run(&alone->loop, UV_RUN_DEFAULT);
        status = alone->status;
    }
    drop(alone);
    while (uv_run(&alone->loop, UV_RUN_DEFAULT)) {
        /* closes the handles; more than once when it had been told to stop before it ran */
    }
    return status;
}

static enum status act_alone(struct cli *cli, const json_t *act, json_t **ret, struct error *err)
{
    struct alone alone = {.err = err};
    int lock = -1;
    enum status status = lock_take(cli->project->state, "dag act", &lock, err);
    if (status != OK)
        return status;
    uv_loop_init(&alone.loop);
    status = act_with_engine(cli, act, &alone, err);
    uv_loop_close(&alone.loop);
    lock_release(lock);
    if (status == OK)
        *ret = alone.outcome;
    return status;
}

/* ---- acts ------------------------------------------------------------------------------------ */

enum status cli_act(struct cli *cli, json_t *act, bool alone, json_t **ret, struct error *err)
{
    char uuid[UUID_TEXT_SIZE];
    uuid_make(uuid);
    json_object_set_new(act, "uuid", json_string(uuid));
    struct strbuf line = {0};
    struct json_writer w = json_begin(&line);
    json_tree(&w, act);
    json_t *answer = NULL;
    enum status status = client_call(cli->project->state, strbuf_text(&line), &answer, err);
    strbuf_done(&line);
    if (status == OK)
        status = client_error(answer, err);
    else if (status == ERR_NO_DAEMON && alone)
        status = act_alone(cli, act, &answer, err);
    if (status != OK) {
        json_decref(answer);
        return status;
    }
    *ret = answer;
    return OK;
}

enum status cli_find_runs(
    struct cli *cli, const char *dag_id, const char *run, struct run_rows *ret, struct error *err)
{
    struct store *reader = NULL;
    enum status status = cli_reader(cli, &reader, err);
    return status == OK ? request_find_runs(dag_id, run, cli_zone(cli, dag_id), reader, false,
                              cli->arena, ret, err)
                        : status;
}

/* ---- following ------------------------------------------------------------------------------- */

static void draw_progress(
    struct cli *cli, const struct run_record *run, struct store *reader, struct arena *arena)
{
    struct task_rows tasks;
    size_t done = 0, failed = 0, running = 0;
    if (!isatty(STDERR_FILENO) || store_read_tasks(reader, run->id, arena, &tasks, NULL) != OK)
        return;
    task_rows_leave_expanded(&tasks);
    for (size_t i = 0; i < tasks.count; i++) {
        done += task_state_finished(tasks.at[i].state);
        failed += task_state_failed_like(tasks.at[i].state);
        running += tasks.at[i].state == TASK_RUNNING;
    }
    (void)cli;
    fprintf(stderr, "\r\033[K%s %s: %s, %zu of %zu tasks done, %zu running, %zu failed",
        run->dag_id, run->run_id, run_state_name(run->state), done, tasks.count, running, failed);
    if (run_state_finished(run->state))
        fputc('\n', stderr);
}

static enum status check_daemon(struct cli *cli, struct error *err)
{
    if (lock_is_held(cli->project->state))
        return OK;
    error_set(err, ERR_NO_DAEMON, "the daemon ended; the run is not finished");
    error_hint(err, "start it again with `dag up`: the run goes on where it was");
    return ERR_NO_DAEMON;
}

enum status cli_follow(
    struct cli *cli, const char *dag_id, const char *run_id, enum run_state *ret, struct error *err)
{
    struct store *reader = NULL;
    enum status status = cli_reader(cli, &reader, err);
    if (status != OK)
        return status;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct run_filter filter = {.dag_id = dag_id, .run_id = run_id, .limit = 1};
    for (unsigned turn = 0; status == OK; turn++) {
        struct run_rows rows;
        arena_clear(arena);
        status = store_read_runs(reader, &filter, arena, &rows, err);
        if (status != OK)
            return status;
        if (rows.count && (turn % 4 == 0 || run_state_finished(rows.at[0].state)))
            draw_progress(cli, &rows.at[0], reader, arena);
        if (rows.count && run_state_finished(rows.at[0].state)) {
            *ret = rows.at[0].state;
            return OK;
        }
        if (turn % 100 == 99)
            status = check_daemon(cli, err);
        usleep(FOLLOW_POLL_US);
    }
    return status;
}

/* How a backfill stands: false while it goes on. */
static enum status look_at_backfill(struct store *reader, int64_t id, struct arena *arena,
    bool *ret_ended, size_t *ret_failed, struct error *err)
{
    struct backfill_rows backfills;
    struct run_rows runs;
    struct run_filter filter = {.backfill_id = id};
    bool created = false;
    size_t done = 0;
    enum status status = store_read_backfills(reader, false, arena, &backfills, err);
    if (status == OK)
        status = store_read_runs(reader, &filter, arena, &runs, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < backfills.count; i++)
        if (backfills.at[i].id == id)
            created = backfills.at[i].finished;
    *ret_failed = 0;
    for (size_t i = 0; i < runs.count; i++) {
        done += run_state_finished(runs.at[i].state);
        *ret_failed += runs.at[i].state == RUN_FAILED;
    }
    *ret_ended = created && done == runs.count;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K%zu of %zu runs done, %zu failed%s", done, runs.count, *ret_failed,
            *ret_ended ? "\n" : "");
    return OK;
}

enum status cli_follow_backfill(struct cli *cli, int64_t backfill_id, struct error *err)
{
    struct store *reader = NULL;
    enum status status = cli_reader(cli, &reader, err);
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    for (unsigned turn = 0; status == OK; turn++) {
        bool ended = false;
        size_t failed = 0;
        arena_clear(arena);
        status = look_at_backfill(reader, backfill_id, arena, &ended, &failed, err);
        if (status == OK && ended) {
            if (failed)
                return error_set(err, ERR_RUN_FAILED, "%zu runs of the backfill failed", failed);
            return OK;
        }
        if (status == OK && turn % 50 == 49)
            status = check_daemon(cli, err);
        usleep(2 * FOLLOW_POLL_US);
    }
    return status;
}
