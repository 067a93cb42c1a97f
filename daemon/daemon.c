#include "daemon/daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/limits.h"
#include "daemon/lock.h"
#include "daemon/notify.h"
#include "daemon/retention.h"
#include "daemon/server.h"
#include "daemon/watch.h"
#include "definition/versions.h"

enum { SIGNAL_COUNT = 3 };

struct daemon {
    struct daemon_options options;
    uv_loop_t loop;
    int lock_fd;
    struct catalogue *catalogue;
    struct engine *engine; /* NULL while it reloads */
    struct server *server;
    struct watch *watch;
    void *pages;
    uv_signal_t signals[SIGNAL_COUNT];
    uv_timer_t files_timer;  /* the next poll of the catalogue */
    uv_timer_t reload_timer; /* the next try to load the state */
    uv_timer_t trim_timer;   /* memory is given back */
    uv_timer_t stop_timer;   /* when waiting, and then when cancelling, has lasted long enough */
    uv_timer_t notify_timer; /* the next sign of life to the service manager */
    int reloads;             /* in a row */
    bool files_failed;       /* the last poll, which was told */
    bool loaded;             /* the state has been loaded once */
    int64_t started_us;
    bool stopping, cancelling; /* told to stop; SQL tasks are being cancelled */
    enum status status;        /* what daemon_run returns */
    struct error error;
};

const struct project *daemon_project(const struct daemon *daemon)
{
    return daemon->options.project;
}

struct catalogue *daemon_catalogue(const struct daemon *daemon)
{
    return daemon->catalogue;
}

struct engine *daemon_engine(const struct daemon *daemon)
{
    return daemon->engine;
}

const char *daemon_address(const struct daemon *daemon)
{
    return daemon->pages ? daemon->options.pages.address(daemon->pages) : NULL;
}

int64_t daemon_started_us(const struct daemon *daemon)
{
    return daemon->started_us;
}

/* ---- definitions ----------------------------------------------------------------------------- */

static void tell_change(const struct daemon *daemon, const struct catalogue_change *change)
{
    switch (change->kind) {
    case CATALOGUE_ADOPTED:
        log_line(LOG_INFO, "DAG `%s`: version %.12s of %s %s", change->dag->dag_id,
            change->dag->version, change->file, change->from ? "replaces the last" : "is new");
        break;
    case CATALOGUE_REMOVED:
        log_line(LOG_INFO, "DAG `%s`: its file is gone; it is not scheduled any more",
            change->dag->dag_id);
        break;
    case CATALOGUE_MENDED: log_line(LOG_INFO, "%s: its mistakes are gone", change->file); break;
    case CATALOGUE_BROKEN:
        for (size_t i = 0; i < catalogue_broken_count(daemon->catalogue); i++) {
            struct broken_file broken = catalogue_broken_at(daemon->catalogue, i);
            if (!str_equal(broken.file, change->file))
                continue;
            log_line(LOG_ERROR, "%s is broken%s", broken.file,
                broken.has_last_good ? "; its last good version goes on" : "");
            for (const struct diagnostic *d = broken.diagnostics->first; d; d = d->next)
                log_error(&d->error, "%s", d->severity);
        }
        break;
    }
}

static void tell_changes(const struct daemon *daemon, const struct catalogue_changes *changes)
{
    for (size_t i = 0; i < changes->count; i++)
        tell_change(daemon, &changes->at[i]);
    if (changes->count && catalogue_unkept(daemon->catalogue))
        log_error(catalogue_unkept(daemon->catalogue), "a version's files could not be kept");
}

static bool watch_folders(struct daemon *daemon)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct names folders = catalogue_folders(daemon->catalogue, arena);
    return watch_set(daemon->watch, &folders);
}

static void read_files(struct daemon *daemon, bool at_once);

static void on_files_timer(uv_timer_t *timer)
{
    read_files(timer->data, false);
}

static void on_trim_timer(uv_timer_t *timer)
{
    (void)timer;
    mem_trim();
}

/* Reading definitions, and making them durable, takes memory that is not needed afterwards. */
static void trim_soon(struct daemon *daemon)
{
    uv_timer_start(&daemon->trim_timer, on_trim_timer, DAEMON_TRIM_DELAY_MS, 0);
}

/* With `look_again` soon: something changed that may not be all there yet, or was not told. */
static void plan_next_poll(struct daemon *daemon, bool look_again)
{
    int64_t due_us = catalogue_due(daemon->catalogue), now_us = clock_now().mono_us;
    int64_t wait_ms = due_us == INT64_MAX ? INT64_MAX : (due_us - now_us) / US_PER_MS + 1;
    if (watch_must_poll(daemon->watch) && wait_ms > DAEMON_FILES_POLL_MS)
        wait_ms = DAEMON_FILES_POLL_MS;
    if (look_again && wait_ms > DAEMON_FILES_QUIET_MS)
        wait_ms = DAEMON_FILES_QUIET_MS;
    if (wait_ms == INT64_MAX)
        uv_timer_stop(&daemon->files_timer);
    else
        uv_timer_start(
            &daemon->files_timer, on_files_timer, wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
}

/* What has changed is adopted when it is quiet, or `at_once`, when somebody says that all is there.
 */
static void read_files(struct daemon *daemon, bool at_once)
{
    struct catalogue_changes changes;
    struct error err;
    if (daemon->stopping)
        return;
    enum status status =
        at_once ? catalogue_load(daemon->catalogue, &changes, &err)
                : catalogue_poll(daemon->catalogue, clock_now().mono_us, &changes, &err);
    if (status != OK) {
        if (!daemon->files_failed)
            log_error(&err, "reading the definitions");
    } else if (changes.count) {
        tell_changes(daemon, &changes);
        if (daemon->engine)
            engine_adopt(daemon->engine, &changes);
        if (daemon->pages)
            daemon->options.pages.changed(daemon->pages, NULL);
        trim_soon(daemon);
    }
    daemon->files_failed = status != OK;
    plan_next_poll(daemon, watch_folders(daemon) || status != OK);
}

static void on_files_changed(void *user)
{
    struct daemon *daemon = user;
    read_files(daemon, false);
    plan_next_poll(daemon, true); /* what is written into a folder made now is not told */
}

/* ---- the engine ------------------------------------------------------------------------------ */

static void end_loop(struct daemon *daemon);
static void start_engine(struct daemon *daemon);

static void on_reload_timer(uv_timer_t *timer)
{
    start_engine(timer->data);
}

static void reload_later(struct daemon *daemon)
{
    if (++daemon->reloads > DAEMON_RELOADS_MAX) {
        log_line(LOG_ERROR, "the state could not be loaded %d times in a row: giving up",
            DAEMON_RELOADS_MAX);
        daemon->status = daemon->error.status;
        end_loop(daemon);
        return;
    }
    uv_timer_start(&daemon->reload_timer, on_reload_timer, DAEMON_RELOAD_DELAY_MS, 0);
}

static void on_engine_freed(void *user)
{
    struct daemon *daemon = user;
    if (!daemon->stopping)
        reload_later(daemon);
    else
        end_loop(daemon);
}

static void drop_engine(struct daemon *daemon)
{
    struct engine *engine = daemon->engine;
    daemon->engine = NULL;
    engine_free(engine, on_engine_freed, daemon);
}

static void on_engine_failed(void *user, const struct error *err)
{
    struct daemon *daemon = user;
    daemon->error = *err;
    log_error(err, "nothing is acted on until the state has been loaded again");
    /* From a callback of the engine: free it in the next turn. */
    uv_timer_start(&daemon->reload_timer, on_reload_timer, 0, 0);
}

static void tell_deadline(const struct effect *effect)
{
    char deadline[TIME_TEXT_SIZE];
    time_format_iso(effect->deadline_us, deadline);
    if (effect->task_id)
        log_line(LOG_WARNING, "%s %s: task `%s` missed its deadline, %s", effect->run.dag_id,
            effect->run.run_id, effect->task_id, deadline);
    else
        log_line(LOG_WARNING, "%s %s: the run missed its deadline, %s", effect->run.dag_id,
            effect->run.run_id, deadline);
}

static void tell_effect(const struct effect *effect)
{
    if (effect->kind == EFFECT_RUN_ENDED)
        log_line(effect->run.state == RUN_FAILED ? LOG_WARNING : LOG_INFO, "%s %s: %s%s%s",
            effect->run.dag_id, effect->run.run_id, run_state_name(effect->run.state),
            effect->run.state == RUN_FAILED ? ": " : "",
            effect->run.state == RUN_FAILED && effect->run.reason_text ? effect->run.reason_text
                                                                       : "");
    else if (effect->kind == EFFECT_DAG_PAUSED)
        log_line(LOG_WARNING, "DAG `%s` was paused: max_consecutive_failed_runs was reached",
            effect->run.dag_id);
    else if (effect->kind == EFFECT_DEADLINE_MISSED)
        tell_deadline(effect);
    else if (effect->kind == EFFECT_CLOCK_JUMPED)
        log_line(LOG_WARNING,
            "the wall clock jumped by %lld s: schedules hold for a minute; check the clock",
            (long long)(effect->generation / US_PER_SECOND));
}

static void on_committed(void *user, const struct plan *plan)
{
    struct daemon *daemon = user;
    daemon->reloads = 0;
    for (size_t i = 0; i < plan->effects.count; i++)
        tell_effect(&plan->effects.at[i]);
    if (daemon->pages)
        daemon->options.pages.changed(daemon->pages, plan);
}

/* A DAG may have waited for a connection or pool that is there now. */
static void on_settings(void *user)
{
    read_files(user, false);
}

static enum status load_state(struct daemon *daemon)
{
    struct engine_options options = {.loop = &daemon->loop,
        .project = daemon->options.project,
        .acting = true,
        .must_exist = daemon->loaded,
        .user = daemon,
        .committed = on_committed,
        .settings = on_settings,
        .failed = on_engine_failed};
    enum status status = engine_new(&options, &daemon->engine, &daemon->error);
    if (status == OK)
        status = engine_start(daemon->engine, daemon->catalogue, &daemon->error);
    daemon->loaded |= status == OK;
    return status;
}

static void start_engine(struct daemon *daemon)
{
    if (daemon->engine) { /* it failed */
        drop_engine(daemon);
        return;
    }
    if (load_state(daemon) == OK)
        return;
    log_error(&daemon->error, "loading the state");
    if (daemon->engine)
        drop_engine(daemon);
    else
        reload_later(daemon);
}

/* ---- stopping -------------------------------------------------------------------------------- */

static void end_loop(struct daemon *daemon)
{
    if (daemon->pages)
        daemon->options.pages.close(daemon->pages);
    daemon->pages = NULL;
    if (daemon->server)
        server_close(daemon->server);
    daemon->server = NULL;
    if (daemon->watch)
        watch_free(daemon->watch);
    daemon->watch = NULL;
    for (int i = 0; i < SIGNAL_COUNT; i++)
        uv_close((uv_handle_t *)&daemon->signals[i], NULL);
    uv_close((uv_handle_t *)&daemon->files_timer, NULL);
    uv_close((uv_handle_t *)&daemon->reload_timer, NULL);
    uv_close((uv_handle_t *)&daemon->trim_timer, NULL);
    uv_close((uv_handle_t *)&daemon->stop_timer, NULL);
    uv_close((uv_handle_t *)&daemon->notify_timer, NULL);
}

/* How tasks under way are treated.  Processes go on by themselves in any case. */
enum stop_policy { STOP_GRACE, STOP_WAIT, STOP_CANCEL };

/* A watchdog's sign comes from the loop: one that hangs sends none.  While it stops, more time is
   asked for, as long as it goes on. */
static void on_notify_timer(uv_timer_t *timer)
{
    const struct daemon *daemon = timer->data;
    notify_send(daemon->stopping ? "WATCHDOG=1\nEXTEND_TIMEOUT_USEC=30000000" : "WATCHDOG=1");
}

static void notify_every(struct daemon *daemon, int64_t ms)
{
    if (ms > 0)
        uv_timer_start(&daemon->notify_timer, on_notify_timer, 0, (uint64_t)ms);
}

static void on_engine_stopped(void *user)
{
    drop_engine(user);
}

/* A database that cannot be reached confirms nothing: the next start settles it by the ledger. */
static void on_cancel_bound(uv_timer_t *timer)
{
    struct daemon *daemon = timer->data;
    log_line(LOG_WARNING,
        "not all cancels were confirmed within %d s: ending without; the next start makes sure",
        DAEMON_CANCEL_MS / 1000);
    if (daemon->engine)
        drop_engine(daemon);
}

static void cancel_tasks(struct daemon *daemon)
{
    if (daemon->cancelling || !daemon->engine)
        return;
    daemon->cancelling = true;
    uv_timer_start(&daemon->stop_timer, on_cancel_bound, DAEMON_CANCEL_MS, 0);
    engine_stop(daemon->engine, true, on_engine_stopped, daemon);
}

static void on_grace_over(uv_timer_t *timer)
{
    log_line(LOG_INFO, "shutdown_grace is over: SQL tasks are cancelled");
    cancel_tasks(timer->data);
}

static void begin_stopping(struct daemon *daemon, enum stop_policy policy)
{
    int64_t grace_ms = daemon->options.project->shutdown_grace_us / US_PER_MS;
    notify_send("STOPPING=1");
    notify_every(daemon, DAEMON_NOTIFY_MS);
    uv_timer_stop(&daemon->reload_timer);
    if (!daemon->engine) {
        end_loop(daemon);
        return;
    }
    if (policy == STOP_CANCEL || (policy == STOP_GRACE && grace_ms == 0)) {
        log_line(LOG_INFO, "stopping: SQL tasks are cancelled, processes go on by themselves");
        cancel_tasks(daemon);
        return;
    }
    log_line(LOG_INFO, "stopping: waiting for the SQL tasks to end; a signal ends it at once");
    if (policy == STOP_GRACE)
        uv_timer_start(&daemon->stop_timer, on_grace_over, (uint64_t)grace_ms, 0);
    engine_stop(daemon->engine, false, on_engine_stopped, daemon);
}

/* Told again, a daemon that waits begins to cancel if that is what it was told. */
static void stop(struct daemon *daemon, enum stop_policy policy)
{
    bool again = daemon->stopping;
    daemon->stopping = true;
    if (!again)
        begin_stopping(daemon, policy);
    else if (policy == STOP_CANCEL)
        cancel_tasks(daemon);
}

static void reload(struct daemon *daemon)
{
    notify_reloading();
    read_files(daemon, true);
    notify_send("READY=1");
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct daemon *daemon = handle->data;
    if (number == SIGHUP) {
        log_line(LOG_INFO, "SIGHUP: reading the definitions again");
        reload(daemon);
    } else if (daemon->stopping) {
        log_line(LOG_WARNING, "told twice to stop: ending at once");
        _exit(1);
    } else {
        stop(daemon, STOP_GRACE);
    }
}

/* ---- requests -------------------------------------------------------------------------------- */

static void answer_request(void *user, const char *outcome, const struct error *err)
{
    if (err)
        server_answer_error(user, err);
    else
        server_answer(user, outcome);
}

static void write_queue_item(void *context, const struct queue_item *item)
{
    struct json_writer *w = context;
    json_object_begin(w);
    json_kv_str(w, "dag_id", item->dag_id);
    json_kv_str(w, "run_id", item->run_id);
    json_kv_time(w, "logical_date", item->logical_us);
    json_kv_str(w, "task_id", item->task_id);
    json_kv_int(w, "map_index", item->map_index);
    json_kv_str(
        w, "state", item->task_id ? task_state_name(item->state) : run_state_name(RUN_QUEUED));
    json_kv_str(w, "reason", item->text);
    json_kv_str(w, "reason_code", reason_code(item->reason));
    json_kv_str(w, "pool", item->pool);
    json_kv_time(w, "since", item->since_us);
    json_object_end(w);
}

static void write_slots(void *context, const struct slots_use *use)
{
    struct json_writer *w = context;
    json_object_begin(w);
    json_kv_str(w, "kind", use->kind);
    json_kv_str(w, "name", use->name);
    json_kv_int(w, "total", use->total);
    json_kv_int(w, "used", use->used);
    json_kv_int(w, "waiting", use->waiting);
    json_object_end(w);
}

static void answer_queue(struct daemon *daemon, struct server_call *call)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    const struct scheduler *scheduler = engine_scheduler(daemon->engine);
    json_object_begin(&w);
    json_key(&w, "queue");
    json_array_begin(&w);
    scheduler_queue(scheduler, write_queue_item, &w);
    json_array_end(&w);
    json_key(&w, "slots");
    json_array_begin(&w);
    scheduler_slots(scheduler, write_slots, &w);
    json_array_end(&w);
    json_object_end(&w);
    server_answer(call, strbuf_text(&text));
    strbuf_done(&text);
}

static void answer_ping(struct daemon *daemon, struct server_call *call)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "version", DAG_VERSION);
    json_kv_int(&w, "pid", getpid());
    json_kv_time(&w, "started", daemon->started_us);
    json_kv_str(&w, "address", daemon_address(daemon));
    json_object_end(&w);
    server_answer(call, strbuf_text(&text));
    strbuf_done(&text);
}

static void answer_down(struct daemon *daemon, struct server_call *call, const char *how)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_int(&w, "tasks", daemon->engine ? (int64_t)engine_active(daemon->engine) : 0);
    json_object_end(&w);
    server_answer(call, strbuf_text(&text));
    strbuf_done(&text);
    stop(daemon, str_equal(how, "wait")     ? STOP_WAIT
                 : str_equal(how, "cancel") ? STOP_CANCEL
                                            : STOP_GRACE);
}

static void on_request(
    void *user, struct server_call *call, const json_t *line, const char *user_name)
{
    struct daemon *daemon = user;
    const char *op = json_string_value(json_object_get(line, "op"));
    struct error err;
    if (str_equal(op, "ping")) {
        answer_ping(daemon, call);
    } else if (str_equal(op, "down")) {
        answer_down(daemon, call, json_string_value(json_object_get(line, "how")));
    } else if (str_equal(op, "reload")) {
        reload(daemon);
        server_answer(call, "{}");
    } else if (!daemon->engine || daemon->stopping) {
        error_set(&err, ERR_NO_DAEMON, "the daemon is %s",
            daemon->stopping ? "stopping" : "loading its state again");
        error_hint(&err, "try again in a moment");
        server_answer_error(call, &err);
    } else if (str_equal(op, "queue")) {
        answer_queue(daemon, call);
    } else {
        engine_request(daemon->engine, line, user_name, answer_request, call);
    }
}

/* ---- the beginning --------------------------------------------------------------------------- */

static void open_handles(struct daemon *daemon)
{
    static const int numbers[SIGNAL_COUNT] = {SIGINT, SIGTERM, SIGHUP};
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&daemon->loop, &daemon->signals[i]);
        daemon->signals[i].data = daemon;
        uv_signal_start(&daemon->signals[i], on_signal, numbers[i]);
        uv_unref((uv_handle_t *)&daemon->signals[i]);
    }
    uv_timer_init(&daemon->loop, &daemon->files_timer);
    uv_timer_init(&daemon->loop, &daemon->reload_timer);
    uv_timer_init(&daemon->loop, &daemon->trim_timer);
    uv_timer_init(&daemon->loop, &daemon->stop_timer);
    uv_timer_init(&daemon->loop, &daemon->notify_timer);
    daemon->files_timer.data = daemon->reload_timer.data = daemon;
    daemon->stop_timer.data = daemon->notify_timer.data = daemon;
    daemon->watch = watch_new(&daemon->loop, on_files_changed, daemon);
}

static enum status open_parts(struct daemon *daemon, struct error *err)
{
    struct catalogue_changes changes;
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const struct catalogue_options options = {.project = daemon->options.project,
        .quiet_us = DAEMON_FILES_QUIET_MS * US_PER_MS,
        .keep = versions_folder(daemon->options.project, arena)};
    daemon->catalogue = catalogue_new(&options);
    enum status status = catalogue_load(daemon->catalogue, &changes, err);
    if (status != OK)
        return status;
    tell_changes(daemon, &changes);
    plan_next_poll(daemon, watch_folders(daemon));
    status = load_state(daemon); /* what fails at the start is told, and not tried again */
    if (status == OK)
        status = server_open(&daemon->loop, daemon->options.project->state, on_request, daemon,
            &daemon->server, err);
    else
        *err = daemon->error;
    if (status == OK && daemon->options.pages.open) {
        daemon->pages = daemon->options.pages.open(daemon, &daemon->loop, err);
        status = daemon->pages ? OK : err->status;
    }
    return status;
}

static void on_opening_failed(void *user)
{
    end_loop(user);
}

enum status daemon_run(const struct daemon_options *options, struct error *err)
{
    struct daemon daemon = {.options = *options, .lock_fd = -1};
    struct retention *retention = NULL;
    enum status status = lock_take(options->project->state, "dag up", &daemon.lock_fd, err);
    if (status != OK)
        return status;
    daemon.started_us = clock_now().wall_us;
    uv_loop_init(&daemon.loop);
    open_handles(&daemon);
    status = open_parts(&daemon, err);
    if (status == OK) {
        trim_soon(&daemon);
        notify_send("READY=1");
        notify_every(&daemon, notify_watchdog_us() / US_PER_MS / 2);
        if (options->ready)
            options->ready(options->user, &daemon);
        retention = retention_start(options->project);
    } else {
        daemon.stopping = true;
        if (daemon.engine) {
            struct engine *engine = daemon.engine;
            daemon.engine = NULL;
            engine_free(engine, on_opening_failed, &daemon);
        } else {
            end_loop(&daemon);
        }
    }
    uv_run(&daemon.loop, UV_RUN_DEFAULT);
    retention_stop(retention);
    uv_loop_close(&daemon.loop);
    catalogue_free(daemon.catalogue);
    lock_release(daemon.lock_fd);
    if (status == OK && daemon.status != OK) {
        *err = daemon.error;
        status = daemon.status;
    }
    return status;
}
