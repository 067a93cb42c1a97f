#include "web/events.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"
#include "web/limits.h"

/* Who listens.  Freed when its file watch, if any, is closed. */
struct listener {
    struct events *events;
    struct http_stream *stream; /* NULL when the peer is gone */
    char *log_path;             /* NULL = none is followed */
    uv_fs_event_t watch;
    bool log_grew;
};

/* A live run's names, which task changes do not carry. */
struct known_run {
    char *dag_id, *run_id;
};

struct events {
    uv_loop_t *loop;
    uv_timer_t delay, heartbeat;
    int open_handles;
    VEC(struct listener *) listeners;
    struct map *runs;  /* number as text → known_run */
    struct map *names; /* what changed since the last event: "d\tDAG", "r\tDAG\tRUN" … */
    bool all;
    int64_t revision;
};

/* ---- names of runs --------------------------------------------------------------------------- */

static void known_run_free(struct known_run *run)
{
    if (!run)
        return;
    mem_free(run->dag_id);
    mem_free(run->run_id);
    mem_free(run);
}

static void run_key(struct run_id run, char ret[24])
{
    snprintf(ret, 24, "%lld", (long long)run.v);
}

static void learn_run(struct events *events, const struct run_record *run)
{
    char key[24];
    run_key(run->id, key);
    if (map_has(events->runs, key) || !run->dag_id || !run->run_id)
        return;
    struct known_run *known = mem_alloc_zero(1, sizeof(*known));
    known->dag_id = mem_strdup(run->dag_id);
    known->run_id = mem_strdup(run->run_id);
    map_set(events->runs, key, known);
}

static void forget_run(struct events *events, struct run_id run)
{
    char key[24];
    run_key(run, key);
    known_run_free(map_remove(events->runs, key));
}

void events_learn(struct events *events, const struct run_rows *live)
{
    for (size_t i = 0; i < live->count; i++)
        learn_run(events, &live->at[i]);
}

/* ---- telling --------------------------------------------------------------------------------- */

static void send_all(struct events *events, const char *event, const char *data)
{
    CLEANUP(strbuf_done) struct strbuf text = {0};
    strbuf_printf(&text, "event: %s\ndata: %s\n\n", event, data);
    vec_each (listener, &events->listeners) {
        if ((*listener)->stream)
            http_stream_send((*listener)->stream, text.text, text.size);
    }
}

/* One list of the event: the names of a kind; each is one text or an array of texts. */
static void write_names(struct json_writer *w, const struct map *names, char kind, const char *key)
{
    size_t cursor = 0;
    const char *name;
    json_key(w, key);
    json_array_begin(w);
    while (map_next(names, &cursor, &name, NULL)) {
        if (name[0] != kind)
            continue;
        if (kind == 'd') {
            json_str(w, name + 2);
            continue;
        }
        json_array_begin(w);
        for (const char *p = name + 1; *p == '\t';) {
            size_t size = strcspn(++p, "\t");
            json_strn(w, p, size);
            p += size;
        }
        json_array_end(w);
    }
    json_array_end(w);
}

static void tell_changes(struct events *events)
{
    if (!events->all && map_count(events->names) == 0)
        return;
    CLEANUP(strbuf_done) struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_int(&w, "revision", events->revision);
    if (events->all) {
        json_kv_bool(&w, "all", true);
    } else {
        write_names(&w, events->names, 'd', "dags");
        write_names(&w, events->names, 'r', "runs");
        write_names(&w, events->names, 't', "tasks");
    }
    json_object_end(&w);
    events->all = false;
    map_clear(events->names);
    send_all(events, "change", strbuf_text(&text));
}

static void tell_log(struct listener *listener)
{
    struct stat status;
    listener->log_grew = false;
    if (!listener->stream || stat(listener->log_path, &status) != 0)
        return;
    CLEANUP(strbuf_done) struct strbuf text = {0};
    strbuf_printf(&text, "event: log\ndata: %lld\n\n", (long long)status.st_size);
    http_stream_send(listener->stream, text.text, text.size);
}

static void on_delay(uv_timer_t *timer)
{
    struct events *events = timer->data;
    vec_each (listener, &events->listeners) {
        if ((*listener)->log_grew)
            tell_log(*listener);
    }
    tell_changes(events);
}

static void tell_soon(struct events *events)
{
    if (!uv_is_active((uv_handle_t *)&events->delay))
        uv_timer_start(&events->delay, on_delay, EVENTS_DELAY_MS, 0);
}

static void on_heartbeat(uv_timer_t *timer)
{
    static const char beat[] = ": alive\n\n";
    struct events *events = timer->data;
    vec_each (listener, &events->listeners) {
        if ((*listener)->stream)
            http_stream_send((*listener)->stream, beat, sizeof(beat) - 1);
    }
}

/* ---- what changed ---------------------------------------------------------------------------- */

static void note_name(
    struct events *events, char kind, const char *dag_id, const char *run_id, const char *task_id)
{
    CLEANUP(strbuf_done) struct strbuf name = {0};
    if (events->all)
        return;
    if (map_count(events->names) >= EVENTS_NAMES_MAX) {
        events->all = true;
        return;
    }
    strbuf_printf(&name, "%c\t%s", kind, dag_id);
    if (run_id)
        strbuf_printf(&name, "\t%s", run_id);
    if (task_id)
        strbuf_printf(&name, "\t%s", task_id);
    map_set(events->names, strbuf_text(&name), events);
}

static void note_task(struct events *events, struct run_id run, const char *task_id)
{
    char key[24];
    run_key(run, key);
    const struct known_run *known = map_get(events->runs, key);
    if (known)
        note_name(events, 't', known->dag_id, known->run_id, task_id);
    else
        events->all = true;
}

static void note_change(struct events *events, const struct change *change)
{
    switch (change->kind) {
    case CHANGE_RUN: note_name(events, 'r', change->run.dag_id, change->run.run_id, NULL); break;
    case CHANGE_TASK:
        note_task(events, change->task.record.run, change->task.record.task_id);
        break;
    case CHANGE_ATTEMPT: note_task(events, change->attempt.run, change->attempt.task_id); break;
    case CHANGE_DAG: note_name(events, 'd', change->dag.dag_id, NULL, NULL); break;
    case CHANGE_BACKFILL: note_name(events, 'd', change->backfill.dag_id, NULL, NULL); break;
    case CHANGE_REQUEST:
        if (change->request.dag_id)
            note_name(events, 'd', change->request.dag_id, NULL, NULL);
        break;
    case CHANGE_ASSET_QUEUE: note_name(events, 'd', change->asset_queue.dag_id, NULL, NULL); break;
    case CHANGE_ASSET_EVENT:
    case CHANGE_SETTING:
    case CHANGE_RUN_ASSET: break; /* what they lead to is told */
    }
}

void events_changed(struct events *events, const struct plan *plan)
{
    events->revision++;
    for (size_t i = 0; plan && i < plan->changes.count; i++)
        if (plan->changes.at[i].kind == CHANGE_RUN)
            learn_run(events, &plan->changes.at[i].run);
    if (events->listeners.count) {
        for (size_t i = 0; plan && i < plan->changes.count; i++)
            note_change(events, &plan->changes.at[i]);
        events->all = events->all || !plan;
        tell_soon(events);
    }
    for (size_t i = 0; plan && i < plan->changes.count; i++)
        if (plan->changes.at[i].kind == CHANGE_RUN &&
            run_state_finished(plan->changes.at[i].run.state))
            forget_run(events, plan->changes.at[i].run.id);
}

/* ---- listeners ------------------------------------------------------------------------------- */

static void listener_free(struct listener *listener)
{
    mem_free(listener->log_path);
    mem_free(listener);
}

static void on_watch_closed(uv_handle_t *handle)
{
    listener_free(handle->data);
}

static void on_gone(void *user)
{
    struct listener *listener = user;
    struct events *events = listener->events;
    for (size_t i = 0; i < events->listeners.count; i++) {
        if (events->listeners.at[i] != listener)
            continue;
        vec_remove(&events->listeners, i);
        break;
    }
    listener->stream = NULL;
    if (listener->log_path)
        uv_close((uv_handle_t *)&listener->watch, on_watch_closed);
    else
        listener_free(listener);
}

static void on_log_changed(uv_fs_event_t *watch, const char *file, int what, int status)
{
    struct listener *listener = watch->data;
    (void)file;
    (void)what;
    (void)status;
    listener->log_grew = true;
    tell_soon(listener->events);
}

static void greet(const struct listener *listener)
{
    CLEANUP(strbuf_done) struct strbuf text = {0};
    strbuf_printf(&text, "retry: %d\nevent: hello\ndata: {\"revision\": %lld}\n\n", EVENTS_RETRY_MS,
        (long long)listener->events->revision);
    http_stream_send(listener->stream, text.text, text.size);
}

int64_t events_revision(const struct events *events)
{
    return events->revision;
}

struct http_stream *events_open(
    struct events *events, struct http_server *server, const char *log_path)
{
    struct listener *listener = mem_alloc_zero(1, sizeof(*listener));
    listener->events = events;
    listener->stream = http_stream_new(server, on_gone, listener);
    if (!listener->stream) {
        mem_free(listener);
        return NULL;
    }
    if (log_path) {
        listener->log_path = mem_strdup(log_path);
        uv_fs_event_init(events->loop, &listener->watch);
        listener->watch.data = listener;
        /* A file that cannot be watched is not followed; the page shows it when it is loaded. */
        listener->log_grew = uv_fs_event_start(&listener->watch, on_log_changed, log_path, 0) == 0;
        tell_soon(events);
    }
    vec_push(&events->listeners, listener);
    greet(listener);
    return listener->stream;
}

/* ---- the beginning and the end --------------------------------------------------------------- */

struct events *events_new(uv_loop_t *loop)
{
    struct events *events = mem_alloc_zero(1, sizeof(*events));
    events->loop = loop;
    events->revision = clock_now().wall_us;
    events->runs = map_new();
    events->names = map_new();
    uv_timer_init(loop, &events->delay);
    uv_timer_init(loop, &events->heartbeat);
    events->delay.data = events->heartbeat.data = events;
    events->open_handles = 2;
    uv_timer_start(&events->heartbeat, on_heartbeat, EVENTS_HEARTBEAT_MS, EVENTS_HEARTBEAT_MS);
    return events;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct events *events = handle->data;
    if (--events->open_handles)
        return;
    size_t cursor = 0;
    void *run;
    while (map_next(events->runs, &cursor, NULL, &run))
        known_run_free(run);
    map_free(events->runs);
    map_free(events->names);
    vec_done(&events->listeners);
    mem_free(events);
}

void events_free(struct events *events)
{
    uv_close((uv_handle_t *)&events->delay, on_timer_closed);
    uv_close((uv_handle_t *)&events->heartbeat, on_timer_closed);
}
