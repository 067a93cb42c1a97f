#include "tests/unit/executor/rig.h"
#include "language/timetable/zone.h"

#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/file.h"
#include "executor/attempt_log.h"
#include "tests/unit/executor/web.h"
#include "tests/unit/test.h"

extern char **environ;

static struct effect last;

struct effect *rig_last(struct rig *rig)
{
    (void)rig;
    return &last;
}

static const char *keep(struct rig *rig, const char *text)
{
    return text ? arena_strdup(rig->arena, text) : NULL;
}

static struct attempt_result keep_result(struct rig *rig, const struct attempt_result *result)
{
    struct attempt_result copy = *result;
    copy.message = keep(rig, result->message);
    copy.place = keep(rig, result->place);
    copy.detail = keep(rig, result->detail);
    copy.xcom = keep(rig, result->xcom);
    copy.decision = keep(rig, result->decision);
    const char **mapped = arena_array(rig->arena, const char *, result->mapped_count);
    for (size_t i = 0; i < result->mapped_count; i++)
        mapped[i] = keep(rig, result->mapped[i]);
    copy.mapped = mapped;
    if (result->trigger) {
        struct trigger_order *order =
            arena_memdup(rig->arena, result->trigger, sizeof(*result->trigger));
        order->dag_id = keep(rig, order->dag_id);
        order->conf = keep(rig, order->conf);
        copy.trigger = order;
    }
    return copy;
}

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t opened;
    bool closed;
    int waiting;
} gate = {.mutex = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER};

void rig_gate(bool closed)
{
    pthread_mutex_lock(&gate.mutex);
    gate.closed = closed;
    pthread_cond_broadcast(&gate.opened);
    pthread_mutex_unlock(&gate.mutex);
}

int rig_gate_waiting(void)
{
    pthread_mutex_lock(&gate.mutex);
    int waiting = gate.waiting;
    pthread_mutex_unlock(&gate.mutex);
    return waiting;
}

static void pass_gate(void)
{
    pthread_mutex_lock(&gate.mutex);
    gate.waiting++;
    while (gate.closed)
        pthread_cond_wait(&gate.opened, &gate.mutex);
    gate.waiting--;
    pthread_mutex_unlock(&gate.mutex);
}

static const char *give_xcom(void *user, struct run_id run, const char *task_id, int32_t map_index,
    const char *key, struct arena *arena)
{
    const struct rig *rig = user;
    (void)run, (void)task_id, (void)map_index, (void)key;
    pass_gate();
    return rig->xcom ? arena_strdup(arena, rig->xcom) : NULL;
}

static size_t give_indexes(
    void *user, struct run_id run, const char *task_id, struct arena *arena, const int32_t **ret)
{
    (void)user, (void)run, (void)task_id, (void)arena, (void)ret;
    return 0;
}

static const struct dag *give_dag(void *user, const char *dag_id)
{
    const struct rig *rig = user;
    return rig->target && str_equal(rig->target->dag_id, dag_id) ? rig->target : NULL;
}

static enum status give_look(void *user, const struct look_question *question, struct arena *arena,
    enum look_answer *ret, const char **ret_saw, struct error *err)
{
    const struct rig *rig = user;
    (void)question, (void)err;
    *ret = rig->look;
    *ret_saw = arena_strdup(arena, "what the test says");
    return OK;
}

static void on_event(void *user, const struct event *event)
{
    struct rig *rig = user;
    if (event->kind == EVENT_ATTEMPT_STARTED) {
        rig->started++;
    } else if (event->kind == EVENT_ATTEMPT_FINISHED) {
        struct rig_end *end = vec_add(&rig->ends);
        end->attempt = event->attempt;
        end->result = keep_result(rig, event->result);
    } else {
        struct event copy = *event;
        struct attempt_result *result = arena_new_of(rig->arena, struct attempt_result);
        *result = keep_result(rig, event->result);
        copy.result = result;
        vec_push(&rig->voids, copy);
    }
}

static void make_executor(struct rig *rig)
{
    struct error err;
    static const char helper[] = DAG_BUILD_DIR "/dag-exec";
    struct executor_options options = {
        .loop = &rig->loop,
        .project = &rig->project,
        .metadata_id = "11111111-2222-4333-8444-555555555555",
        .supervisor = rig->supervisor ? rig->supervisor : helper,
        .user = rig,
        .event = on_event,
        .look = give_look,
        .dag = give_dag,
        .xcom = {give_xcom, give_indexes},
    };
    REQUIRE_OK(executor_new(&options, &rig->ex, &err), &err);
}

static const struct variable secret = {
    .name = "token", .value = "hunter2secret", .secret = true, .origin = ORIGIN_FILE};

static void make_project(struct rig *rig, const char *uri)
{
    rig->connection = (struct connection){
        .name = "db",
        .uri = arena_strdup(rig->arena, uri ? uri : ""),
        .dialect = DIALECT_POSTGRESQL,
        .max_connections = 16,
        .ledger = true,
        .ledger_schema = "dag",
    };
    rig->project = (struct project){
        .root = rig->dir,
        .dags = "dags",
        .templates = "templates",
        .migrations = "migrations",
        .state = path_join(rig->arena, rig->dir, ".dag"),
        .timezone = "UTC",
        .connections = &rig->connection,
        .connection_count = uri ? 1 : 0,
        .max_processes = 8,
        .variables = &secret,
        .variable_count = 1,
    };
}

static void make_run(struct rig *rig)
{
    int64_t day = civil_to_us(&(struct civil){.year = 2007, .month = 4, .day = 12});
    rig->run = (struct run_record){
        .id = {1},
        .dag_id = "d",
        .run_id = "scheduled__2007-04-12T00:00:00+00:00",
        .type = RUN_TYPE_SCHEDULED,
        .state = RUN_RUNNING,
        .logical_us = day,
        .interval_start_us = day,
        .interval_end_us = day + US_PER_DAY,
        .run_after_us = day + US_PER_DAY,
        .conf = "{}",
    };
}

struct rig *rig_new(const char *uri)
{
    struct arena *arena = arena_new();
    struct rig *rig = arena_new_of(arena, struct rig);
    rig->arena = arena;
    snprintf(rig->dir, sizeof(rig->dir), "/tmp/dag-test-rig-XXXXXX");
    REQUIRE(mkdtemp(rig->dir) != NULL);
    REQUIRE(uv_loop_init(&rig->loop) == 0);
    make_project(rig, uri);
    make_run(rig);
    rig->dag = (struct dag){.references = 1,
        .dag_id = "d",
        .zone = zone_utc(),
        .file = "dags/d.yaml",
        .tasks = rig->tasks,
        .task_count = 1};
    make_executor(rig);
    return rig;
}

static void on_closed(void *user)
{
    struct rig *rig = user;
    rig->closed = true;
}

static void close_executor(struct rig *rig)
{
    rig->closed = false;
    executor_free(rig->ex, on_closed, rig);
    while (!rig->closed)
        uv_run(&rig->loop, UV_RUN_ONCE);
}

void rig_restart(struct rig *rig)
{
    close_executor(rig);
    make_executor(rig);
}

void rig_free(struct rig *rig)
{
    close_executor(rig);
    CHECK_INT(rig->dag.references, 1);
    while (uv_loop_close(&rig->loop) == UV_EBUSY)
        uv_run(&rig->loop, UV_RUN_ONCE);
    char *argv[] = {"rm", "-rf", rig->dir, NULL};
    pid_t pid;
    if (posix_spawnp(&pid, "rm", NULL, NULL, argv, environ) == 0)
        waitpid(pid, NULL, 0);
    vec_done(&rig->ends);
    vec_done(&rig->voids);
    arena_free(rig->arena);
}

struct task *rig_task(struct rig *rig, enum task_kind kind)
{
    rig->tasks[0] = (struct task){.task_id = "t", .kind = kind, .line = 3};
    own_parts(&rig->tasks[0], rig->arena);
    return &rig->tasks[0];
}

void rig_write(struct rig *rig, const char *sql)
{
    struct error err;
    const char *folder = path_join(rig->arena, rig->dir, "templates");
    REQUIRE_OK(dir_make(folder, false, &err), &err);
    REQUIRE_OK(
        file_write(path_join(rig->arena, folder, "t.sql"), slice_of(sql), 0600, false, &err), &err);
}

struct task *rig_sql(struct rig *rig, const char *sql)
{
    rig_write(rig, sql);
    struct task *task = rig_task(rig, KIND_SQL);
    task->sql = (struct sql_task){
        .sql = {.value = "t.sql", .line = 1, .column = 1},
        .is_path = true,
        .connection = "db",
        .transaction = true,
    };
    return task;
}

struct task *rig_http(struct rig *rig, const char *path)
{
    static const struct http_statuses usual = {200, 299};
    struct task *task = rig_task(rig, KIND_HTTP);
    *PARTS(task, http) = (struct http_task){
        .method = "GET",
        .url = {.value = arena_printf(rig->arena, "%s%s", web_url(), path), .line = 3},
        .expect = &usual,
        .expect_count = 1,
    };
    return task;
}

struct task *rig_decider(struct rig *rig, enum task_kind kind, const char *const *follows)
{
    static const uint32_t numbers[] = {1, 2, 3, 4, 5, 6, 7};
    struct task *task = rig_task(rig, kind);
    task->downstream.at = numbers;
    for (; follows[task->downstream.count]; task->downstream.count++) {
        uint32_t n = (uint32_t)task->downstream.count + 1;
        rig->tasks[n] = (struct task){.task_id = follows[n - 1], .index = n, .kind = KIND_EMPTY};
    }
    rig->dag.task_count = (uint32_t)task->downstream.count + 1;
    return task;
}

struct effect rig_effect(struct rig *rig)
{
    struct effect effect = {
        .kind = EFFECT_START,
        .dag = &rig->dag,
        .task = 0,
        .run = rig->run,
        .map_index = -1,
        .try_number = 1,
        .number = ++rig->number,
        .generation = rig->generation,
    };
    uuid_make(effect.attempt.text);
    return effect;
}

void rig_start(struct rig *rig, const struct effect *effect)
{
    last = *effect;
    executor_start(rig->ex, effect);
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

bool rig_until(struct rig *rig, bool (*done)(struct rig *rig, void *user), void *user, int seconds)
{
    uv_timer_t tick; /* so that the condition is looked at again */
    int64_t until = clock_now().mono_us + seconds * US_PER_SECOND;
    uv_timer_init(&rig->loop, &tick);
    uv_timer_start(&tick, on_tick, 10, 10);
    bool ok;
    while (!(ok = done(rig, user)) && clock_now().mono_us < until)
        uv_run(&rig->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(&rig->loop, UV_RUN_NOWAIT);
    return ok;
}

static const struct rig_end *find_end(struct rig *rig, const struct attempt_id *attempt)
{
    vec_each (end, &rig->ends) {
        if (strcmp(end->attempt.text, attempt->text) == 0)
            return end;
    }
    return NULL;
}

static bool has_ended(struct rig *rig, void *user)
{
    return find_end(rig, user) != NULL;
}

struct attempt_result rig_wait(struct rig *rig, const struct attempt_id *attempt)
{
    struct attempt_id id = *attempt;
    REQUIRE(rig_until(rig, has_ended, &id, 60));
    return find_end(rig, &id)->result;
}

struct attempt_result rig_run(struct rig *rig)
{
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    return rig_wait(rig, &effect.attempt);
}

void rig_cancel(struct rig *rig, const struct effect *effect, bool force)
{
    struct effect cancel = *effect;
    cancel.kind = EFFECT_CANCEL;
    cancel.force = force;
    cancel.why = REASON_CANCELLED;
    executor_cancel(rig->ex, &cancel);
}

static bool has_void(struct rig *rig, void *user)
{
    return rig->voids.count > *(size_t *)user;
}

struct event rig_void(struct rig *rig, const struct effect *effect)
{
    size_t before = rig->voids.count;
    struct effect copy = *effect;
    copy.kind = EFFECT_VOID;
    executor_void(rig->ex, &copy);
    REQUIRE(rig_until(rig, has_void, &before, 90));
    return rig->voids.at[before];
}

struct attempt_record rig_record(struct rig *rig, const struct effect *effect)
{
    (void)rig;
    return (struct attempt_record){
        .id = effect->attempt,
        .run = effect->run.id,
        .task_id = "t",
        .map_index = effect->map_index,
        .generation = effect->generation,
        .try_number = effect->try_number,
        .number = effect->number,
        .state = ATTEMPT_RUNNING,
        .started_us = clock_now().wall_us,
        .exit_code = -1,
    };
}

const char *rig_log(struct rig *rig, const struct effect *effect)
{
    struct slice text;
    struct error err;
    const char *path = path_join(rig->arena, rig->project.state,
        log_path_of(rig->arena, effect->run.dag_id, effect->run.run_id, "t", effect->map_index,
            effect->number));
    REQUIRE_OK(file_read(path, 64 * 1024 * 1024, rig->arena, &text, &err), &err);
    return text.p;
}
