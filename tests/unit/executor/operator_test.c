/*
 * What every operator must do, whatever its kind: the shared suite, a table of kinds × points ×
 * requests.
 *
 * At each point that a kind has, the attempt is held (a gate, a lock, a proxy or a file; never a
 * pause), the request is made there, the hold is let go, and what came of it is looked at: how it
 * ended, that it ended once, what it did outside, that nothing of it is left.
 *
 * How to add a kind: a row in operator_rows.c; the first test fails without one.
 */
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "executor/executor_internal.h"
#include "executor/limits.h"
#include "tests/unit/executor/operator_rows.h"
#include "tests/unit/executor/proxy.h"
#include "tests/unit/executor/sql_cases.h"

static const char *const point_names[] = {"at once", "rendering", "waiting for a thread",
    "connecting", "spawning", "running", "committing", "ending", "ended"};

static const struct row *current;

static bool is_sql(void)
{
    return current->make == make_sql;
}

static bool is_process(void)
{
    return current->operator== & operator_process;
}

/* ---- holding --------------------------------------------------------------------------------- */

static struct effect effect;
static pid_t supervisor;
static int counted; /* before the start, of what the point counts */

static struct attempt *attempt_now(void)
{
    struct attempt *attempt = rig->ex->attempts;
    while (attempt && strcmp(attempt->effect.attempt.text, effect.attempt.text) != 0)
        attempt = attempt->next;
    return attempt;
}

static const char *file_text(const char *name)
{
    struct slice text = {0};
    return file_read(in_dir(name), 1 << 20, rig->arena, &text, NULL) ? "" : text.p;
}

static void put_file(const char *name)
{
    REQUIRE(file_write(in_dir(name), slice_of("x\n"), 0600, false, NULL) == OK);
}

static void drop_file(const char *name)
{
    unlink(in_dir(name));
}

static pid_t process_pid(void)
{
    int64_t pid = 0;
    return parse_int64(slice_trim(slice_of(file_text("pid"))), &pid) ? (pid_t)pid : 0;
}

static char process_state(pid_t pid)
{
    char path[64], state = 0;
    struct slice text = {0};
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (!pid || file_read(path, 4096, rig->arena, &text, NULL))
        return 0;
    const char *name_end = strrchr(text.p, ')');
    if (name_end)
        sscanf(name_end, ") %c", &state);
    return state;
}

/* Jobs of our own that keep every thread of an offload busy. */
static struct offload_job jams[CONNECT_THREADS_MAX];
static atomic_bool jammed;
static atomic_int jamming;

static void jam_work(struct offload_job *job)
{
    (void)job;
    jamming++;
    while (jammed)
        poll(NULL, 0, 2);
    jamming--;
}

static void jam_done(struct offload_job *job)
{
    (void)job;
}

static void jam(struct offload *offload, int count)
{
    jammed = true;
    for (int i = 0; i < count; i++) {
        jams[i] = (struct offload_job){.work = jam_work, .done = jam_done, .discard = jam_done};
        offload_run(offload, &jams[i]);
    }
}

static int jam_size(void)
{
    return current->operator== & operator_wait && current->wait == WAIT_FILE ? LOOK_THREADS_MAX
                                                                             : CONNECT_THREADS_MAX;
}

static void hold(enum point point)
{
    switch (point) {
    case RENDERING: rig_gate(true); break;
    case THREAD:
        jam(jam_size() == LOOK_THREADS_MAX ? rig->ex->looks : rig->ex->connects, jam_size());
        break;
    case CONNECTING:
        counted = proxy_connections();
        proxy_set(PROXY_HANG);
        break;
    case SPAWNING: put_file("gate"); break;
    case RUNNING:
        postgres_run(db, "SELECT pg_advisory_lock(7)");
        put_file("hold");
        break;
    case ENDING: put_file("hold"); break;
    case COMMITTING:
        counted = proxy_commits();
        proxy_set(PROXY_HOLD_COMMIT);
        break;
    default: break;
    }
}

static bool is_running(void)
{
    char sql[256];
    if (is_process())
        return process_pid() != 0;
    if (current->operator== & operator_http || current->wait == WAIT_HTTP)
        return *file_text("spawned");
    snprintf(sql, sizeof(sql),
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '%s'"
        " AND wait_event = 'advisory'",
        effect.attempt.text);
    return postgres_number(db, sql) == 1;
}

/* The process has ended, and the supervisor is stopped before it could tell. */
static bool is_ending(void)
{
    pid_t pid = process_pid();
    if (pid && !supervisor) {
        struct attempt *attempt = attempt_now();
        int64_t number = 0;
        struct slice text = {0};
        const char *path = attempt_file_path(rig->arena, attempt->log_file, ".proc/pids");
        if (file_read(path, 4096, rig->arena, &text, NULL))
            return false;
        text = slice_make(text.p + 11, strcspn(text.p + 11, " "));
        REQUIRE(parse_int64(text, &number));
        supervisor = (pid_t)number;
        kill(supervisor, SIGSTOP);
        drop_file("hold");
    }
    return supervisor && process_state(supervisor) == 'T' && process_state(pid) == 'Z';
}

static bool is_there(struct rig *r, void *user)
{
    (void)r;
    struct attempt *attempt = attempt_now();
    switch (*(enum point *)user) {
    case RENDERING: return rig_gate_waiting() > 0;
    case THREAD: return jamming == jam_size() && attempt->acting;
    case CONNECTING: return proxy_connections() > counted;
    case SPAWNING: return *file_text("spawned");
    case RUNNING: return is_running();
    case COMMITTING: return proxy_commits() > counted;
    case ENDING: return is_ending();
    default: return true;
    }
}

static void let_go(enum point point)
{
    rig_gate(false);
    jammed = false;
    proxy_set(PROXY_PASS);
    drop_file("gate");
    drop_file("hold");
    if (point == RUNNING)
        postgres_run(db, "SELECT pg_advisory_unlock(7)");
    if (supervisor)
        kill(supervisor, SIGCONT);
    supervisor = 0;
}

/* Starts it as the next generation, and holds it there. */
static void start_until(enum point point)
{
    drop_file("pid");
    drop_file("spawned");
    drop_file("runs");
    if (point == CONNECTING || point == THREAD)
        rig_restart(rig); /* no session is left */
    rig->generation++;
    effect = rig_effect(rig);
    hold(point);
    rig_start(rig, &effect);
    if (point == ENDED) {
        while (attempt_now() && !attempt_now()->finished)
            uv_run(&rig->loop, UV_RUN_ONCE);
    } else if (point != AT_ONCE) {
        bool there = rig_until(rig, is_there, &point, 20);
        if (!there) {
            fprintf(stderr, "  %s never came to: %s\n%s\n", current->name, point_names[point],
                rig_log(rig, &effect));
            let_go(point);
        }
        REQUIRE(there);
    }
}

/* ---- the frame ------------------------------------------------------------------------------- */

/* dag-exec, when the gate is open. */
static void make_supervisor(void)
{
    const char *path = in_dir("supervisor");
    const char *text = arena_printf(rig->arena,
        "#!/bin/sh\ncd '%s'\necho x > spawned\nwhile [ -e gate ]; do sleep 0.01; done\n"
        "exec '%s/dag-exec' \"$@\"\n",
        rig->dir, DAG_BUILD_DIR);
    REQUIRE(file_write(path, slice_of(text), 0700, false, NULL) == OK);
    REQUIRE(chmod(path, 0700) == 0);
    rig->supervisor = path;
    rig_restart(rig);
}

static void each_point(void (*test)(enum point point))
{
    for (enum point point = 0; point < POINT_COUNT; point++) {
        if (!((current->points | ANY) & BIT(point)))
            continue;
        size_t before = test_failures();
        test(point);
        if (test_failures() > before)
            fprintf(stderr, "  that was: %s, %s\n%s\n", current->name, point_names[point],
                rig_log(rig, &effect));
    }
}

/* One database for all of them; an executor for each test. */
static void each(void (*test)(enum point point))
{
    static char uri[512];
    if (!*uri)
        snprintf(uri, sizeof(uri), "%s", postgres_database("operators"));
    rig = rig_new(uri);
    db = postgres_connect(uri);
    postgres_run(db, "DROP TABLE IF EXISTS t; DROP SCHEMA IF EXISTS dag CASCADE;"
                     "CREATE TABLE t (v int)");
    proxy_set(PROXY_PASS);
    rig->connection.uri = arena_strdup(rig->arena, proxy_start("operators"));
    rig->look = LOOK_YES;
    make_supervisor();
    for (size_t i = 0; i < operator_row_count; i++) {
        current = &operator_rows[i];
        current->make();
        rig->generation++;
        CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS); /* which makes the ledger */
        each_point(test);
    }
    sql_finish();
}

/* Of this generation. */
static int64_t results(void)
{
    char sql[128];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM dag.result WHERE generation = %lld",
        (long long)rig->generation);
    return postgres_number(db, sql);
}

static int64_t inserted(void)
{
    char sql[128];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM t WHERE v = %lld", (long long)rig->generation);
    return postgres_number(db, sql);
}

static int64_t runs(void)
{
    int64_t count = 0;
    for (const char *p = file_text("runs"); *p; p++)
        count += *p == '\n';
    return count;
}

static size_t ends_of(const struct attempt_id *id)
{
    size_t count = 0;
    vec_each (end, &rig->ends)
        count += strcmp(end->attempt.text, id->text) == 0;
    return count;
}

static bool is_gone(struct rig *r, void *user)
{
    (void)r, (void)user;
    pid_t pid = process_pid();
    return sql_backends(&effect) == 0 && (!pid || process_state(pid) == 0);
}

/* It ended once, and nothing of it is left; a SQL task's effect is there if its result is. */
static void check_end(void)
{
    CHECK(rig_until(rig, is_gone, NULL, 20));
    CHECK_INT(ends_of(&effect.attempt), 1);
    CHECK_INT(executor_active(rig->ex), 0);
    if (is_sql())
        CHECK_INT(inserted(), results());
}

static bool works_at(enum point point)
{
    return point < COMMITTING && current->operator->renders;
}

/* Statements that ran outside of a transaction may have run: nobody else may say cancelled. */
static enum attempt_outcome broken_off(enum point point, enum attempt_outcome outcome)
{
    return current->make == make_sql_plain && point == RUNNING ? OUTCOME_PARTLY : outcome;
}

/* ---- the table ------------------------------------------------------------------------------- */

TEST(every_kind_that_can_run_is_in_the_table)
{
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        const struct operator* operator= operator_find((enum task_kind)kind);
        size_t found = 0;
        for (size_t i = 0; i < operator_row_count; i++)
            found += (int)operator_rows[i].kind == kind && operator_rows[i].operator== operator;
        if (!CHECK(!operator|| found))
            fprintf(stderr, "  `%s` has no row\n", task_kind_name((enum task_kind)kind));
    }
    for (int wait = 0; wait <= WAIT_HTTP; wait++) {
        size_t found = 0;
        for (size_t i = 0; i < operator_row_count; i++)
            found += operator_rows[i].operator== & operator_wait && operator_rows[i].wait == wait;
        CHECK_INT(found, 1);
    }
    for (size_t i = 0; i < operator_row_count; i++) {
        const struct operator* operator= operator_rows[i].operator;
        CHECK(operator->name && operator->start && operator->recover && operator->cancel &&
              operator->done);
    }
}

TEST(a_kind_that_cannot_run_yet_fails_and_says_so)
{
    rig = rig_new(NULL);
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        if (operator_find((enum task_kind)kind))
            continue;
        rig_task(rig, (enum task_kind)kind);
        struct attempt_result result = rig_run(rig);
        CHECK_INT(result.outcome, OUTCOME_FAILED);
        CHECK(contains(result.message, "cannot run yet"));
    }
    CHECK(rig->ends.count <= KIND_COUNT);
    rig_free(rig);
}

/* ---- without a request ----------------------------------------------------------------------- */

static void succeeds(enum point point)
{
    size_t started = rig->started;
    start_until(point);
    let_go(point);
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_SUCCESS);
    CHECK_INT(rig->started, started + 1);
    CHECK(result.started_us > 0 && result.ended_us >= result.started_us);
    CHECK(contains(rig_log(rig, &effect), "end: success"));
    if (is_process())
        CHECK_INT(runs(), 1);
    check_end();
}

TEST(it_starts_once_and_ends_once_however_long_each_step_takes)
{
    each(succeeds);
}

/* ---- cancel ---------------------------------------------------------------------------------- */

static void request(enum reason why, bool force)
{
    struct effect cancel = effect;
    cancel.kind = EFFECT_CANCEL;
    cancel.force = force;
    cancel.why = why;
    executor_cancel(rig->ex, &cancel);
}

static void cancel_at(enum point point, enum reason why, int times)
{
    start_until(point);
    for (int i = 0; i < times; i++)
        request(why, false);
    if (is_process() && point == RUNNING)
        rig_wait(rig, &effect.attempt); /* it must not go on while its end is under way */
    let_go(point);
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    if (works_at(point))
        CHECK_INT(result.outcome, broken_off(point, OUTCOME_CANCELLED));
    else
        CHECK(result.outcome == OUTCOME_CANCELLED || result.outcome == OUTCOME_SUCCESS);
    CHECK(!result.may_commit);
    if (works_at(point))
        CHECK(contains(rig_log(rig, &effect), reason_text(why)));
    if (is_process() && result.outcome == OUTCOME_CANCELLED)
        CHECK_INT(runs(), 0);
    request(why, true); /* too late: ignored */
    check_end();
}

static void cancels(enum point point)
{
    cancel_at(point, REASON_CANCELLED, 1);
}

TEST(a_cancel_at_any_point_ends_it_once)
{
    each(cancels);
}

static void cancels_twice(enum point point)
{
    cancel_at(point, REASON_CANCELLED, 2);
}

TEST(a_cancel_that_comes_twice_is_one)
{
    each(cancels_twice);
}

static void times_out(enum point point)
{
    cancel_at(point, REASON_TIMED_OUT, 1);
}

TEST(an_execution_timeout_at_any_point_ends_it_and_says_so)
{
    each(times_out);
}

/* What a forced end leaves open where COMMIT had been sent, the void settles. */
static void settle_forced(const struct attempt_result *result)
{
    CHECK_INT(result->may_commit, is_sql());
    enum void_outcome outcome = rig_void(rig, &effect).void_outcome;
    CHECK(outcome == VOID_COMMITTED || outcome == VOID_INSERTED);
    CHECK_INT(inserted(), results());
}

static void forces(enum point point)
{
    start_until(point);
    if (point == RUNNING)
        request(REASON_CANCELLED, false);
    request(REASON_CANCELLED, true);
    struct attempt_result result = {.outcome = OUTCOME_CANCELLED};
    if (point == COMMITTING) /* before the server has it, and without its word */
        result = rig_wait(rig, &effect.attempt);
    let_go(point);
    if (point != COMMITTING)
        result = rig_wait(rig, &effect.attempt);
    if (works_at(point) || point == COMMITTING)
        CHECK_INT(result.outcome, broken_off(point, OUTCOME_CANCELLED));
    else
        CHECK(result.outcome == OUTCOME_CANCELLED || result.outcome == OUTCOME_SUCCESS);
    if (point == COMMITTING)
        settle_forced(&result);
    else
        CHECK(!result.may_commit);
    check_end();
}

TEST(a_forced_cancel_at_any_point_ends_it_at_once)
{
    each(forces);
}

/* ---- the daemon ------------------------------------------------------------------------------ */

static void recover(void)
{
    struct attempt_record record = rig_record(rig, &effect);
    executor_recover(rig->ex, &record, &rig->dag, &rig->run);
}

/* After what ended with the daemon comes the same generation again; never twice, never not at all.
 */
static void go_on(const struct attempt_result *result, enum point point)
{
    bool adopted = is_process() && point > SPAWNING;
    CHECK(result->outcome == OUTCOME_SUCCESS ||
          (result->outcome == OUTCOME_INTERRUPTED && !adopted) ||
          (result->outcome == OUTCOME_PARTLY && current->make == make_sql_plain));
    check_end();
    if (result->outcome == OUTCOME_INTERRUPTED)
        CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    if (is_process())
        CHECK_INT(runs(), 1);
    if (is_sql())
        CHECK_INT(inserted(), 1);
}

/* As after a crash: our ends are closed, and the next daemon takes it over. */
static void restarts(enum point point)
{
    start_until(point);
    if (point == RENDERING)
        rig_gate(false); /* its worker is waited for */
    rig_restart(rig);
    rig->ends.count = 0;
    if (point == RUNNING || point == SPAWNING || point == ENDING)
        recover(); /* while it is held */
    let_go(point);
    if (point != RUNNING && point != SPAWNING && point != ENDING)
        recover();
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    go_on(&result, point);
}

TEST(a_restart_at_any_point_loses_and_repeats_nothing)
{
    each(restarts);
}

static void recover_after_stop(enum point point)
{
    rig_restart(rig);
    if (!ends_of(&effect.attempt)) {
        CHECK(current->operator->outlives_daemon);
        recover();
    }
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    go_on(&result, point);
}

static bool is_idle(struct rig *r, void *user)
{
    (void)user;
    return executor_active(r->ex) == 0;
}

static void stops(enum point point)
{
    start_until(point);
    executor_stop(rig->ex, true);
    executor_stop(rig->ex, true);
    let_go(point);
    CHECK(rig_until(rig, is_idle, NULL, 20));
    if (works_at(point) && !(is_process() && point >= SPAWNING))
        CHECK_INT(rig_wait(rig, &effect.attempt).outcome, broken_off(point, OUTCOME_INTERRUPTED));
    recover_after_stop(point);
}

TEST(a_stop_at_any_point_ends_it_or_leaves_it_to_the_next_daemon)
{
    each(stops);
}

static void drains(enum point point)
{
    start_until(point);
    executor_stop(rig->ex, false);
    let_go(point);
    CHECK(rig_until(rig, is_idle, NULL, 20));
    if (point >= THREAD && !is_process())
        CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_SUCCESS);
    recover_after_stop(point);
}

TEST(a_stop_that_waits_lets_what_has_begun_run_to_its_end)
{
    each(drains);
}

static void never_began(enum point point)
{
    if (point != AT_ONCE)
        return;
    size_t started = rig->started;
    rig->generation++;
    effect = rig_effect(rig);
    recover();
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK(result.outcome ==
          (current->operator== & operator_empty ? OUTCOME_SUCCESS : OUTCOME_INTERRUPTED));
    CHECK_INT(rig->started, started);
    check_end();
}

TEST(what_never_began_is_interrupted)
{
    each(never_began);
}
