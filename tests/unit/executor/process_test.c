/* Process attempts with the real dag-exec. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "executor/attempt_log.h"
#include "executor/executor.h"
#include "tests/unit/executor/rig.h"
#include "tests/unit/test.h"

static struct rig *rig;

static struct task *bash(const char *script)
{
    struct task *task = rig_task(rig, KIND_BASH);
    *PARTS(task, process) = (struct process_task){
        .script = {.value = script, .line = 5, .column = 7},
        .kill_grace_us = 300 * US_PER_MS,
        .skip_on_exit_code = 99,
    };
    return task;
}

static bool contains(const char *text, const char *part)
{
    bool found = text && strstr(text, part);
    if (!found)
        fprintf(stderr, "  \"%s\" is not in:\n%s\n", part, text ? text : "(null)");
    return found;
}

static const char *file_text(const char *path)
{
    struct slice text = {0};
    if (file_read(path, 1 << 20, rig->arena, &text, NULL))
        return NULL;
    return text.p;
}

/* Waits until the file is there, with something in it. */
static bool has_file(struct rig *r, void *user)
{
    (void)r;
    const char *text = file_text(user);
    return text && *text;
}

static const char *in_dir(const char *name)
{
    return path_join(rig->arena, rig->dir, name);
}

static bool is_gone(struct rig *r, void *user)
{
    (void)r;
    return kill(*(pid_t *)user, 0) != 0;
}

static pid_t read_pid(const char *path)
{
    int64_t pid = 0;
    REQUIRE(rig_until(rig, has_file, (void *)path, 10));
    REQUIRE(parse_int64(slice_trim(slice_of(file_text(path))), &pid));
    return (pid_t)pid;
}

TEST(a_script_succeeds_and_its_output_is_in_the_log)
{
    rig = rig_new(NULL);
    bash("echo out {{ ds }}\necho err >&2\nprintf 'no newline'");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_SUCCESS);
    CHECK_INT(result.exit_code, 0);
    CHECK_STR(result.message, NULL);
    const char *log = rig_log(rig, rig_last(rig));
    CHECK(contains(log, " out out 2007-04-12\n"));
    CHECK(contains(log, " err err\n"));
    CHECK(contains(log, " out no newline\n"));
    rig_free(rig);
}

TEST(an_exit_status_fails_skips_or_names_the_signal)
{
    rig = rig_new(NULL);
    bash("echo went wrong >&2; exit 3");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_INT(result.error_class, CLASS_EXIT);
    CHECK_INT(result.exit_code, 3);
    CHECK_STR(result.message, "exit status 3\nwent wrong");
    bash("exit 99");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SKIPPED);
    bash("kill -9 $$");
    result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_INT(result.exit_code, 137);
    CHECK_STR(result.message, "ended by signal 9 (Killed)");
    rig_free(rig);
}

TEST(a_program_that_is_not_there_is_exit_status_127)
{
    rig = rig_new(NULL);
    struct task *task = rig_task(rig, KIND_EXEC);
    struct text argv[] = {{.value = "no-such-program"}, {.value = "{{ ds }}"}};
    *PARTS(task, process) = (struct process_task){.argv = {argv, 2}, .skip_on_exit_code = 99};
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_INT(result.exit_code, 127);
    CHECK(contains(result.message, "cannot run no-such-program: it is in no folder of PATH"));
    argv[0].value = "echo";
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK(contains(rig_log(rig, rig_last(rig)), " out 2007-04-12\n"));
    rig_free(rig);
}

TEST(the_environment_is_the_runs_and_nothing_of_the_daemons)
{
    rig = rig_new("postgresql://me:passw0rd@nowhere/db");
    REQUIRE(setenv("DAG_TEST_LEAK", "leaked", 1) == 0);
    struct task *task = bash("env; echo $DAG_CONN_DB; ls -l /proc/self/fd");
    const char *names[] = {"db"};
    struct named_text env[] = {{"COLOUR", {.value = "of {{ ds }}"}}, {"HOME", {.value = "/x"}}};
    PARTS(task, process)->connections = (struct names){names, 1};
    PARTS(task, process)->env = (struct named_texts){env, 2};
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_SUCCESS);
    const char *log = rig_log(rig, rig_last(rig));
    CHECK(!strstr(log, "leaked"));
    CHECK(!strstr(log, "passw0rd"));
    CHECK(!strstr(log, "DAG_EXEC_SECRETS"));
    CHECK(contains(log, "DAG_DS=2007-04-12\n"));
    CHECK(contains(log, "DAG_LOGICAL_DATE=2007-04-12T00:00:00+00:00\n"));
    CHECK(contains(log, "DAG_DATA_INTERVAL_END=2007-04-13T00:00:00+00:00\n"));
    CHECK(contains(log, "DAG_TASK_ID=t\n"));
    CHECK(contains(log, "DAG_TRY_NUMBER=1\n"));
    CHECK(contains(log, "COLOUR=of 2007-04-12\n"));
    CHECK(contains(log, "HOME=/x\n"));
    CHECK(contains(log, "DAG_CONN_DB=postgresql://me:********@nowhere/db\n"));
    CHECK(!strstr(log, "socket:")); /* no descriptor of the daemon */
    rig_free(rig);
}

TEST(the_last_line_of_the_xcom_file_is_the_xcom)
{
    rig = rig_new(NULL);
    bash("echo first > $DAG_XCOM; echo '{\"rows\": 3}' >> $DAG_XCOM; echo >> $DAG_XCOM");
    CHECK_STR(rig_run(rig).xcom, "{\"rows\": 3}");
    bash("echo 'plain words' > $DAG_XCOM");
    CHECK_STR(rig_run(rig).xcom, "\"plain words\"");
    bash("head -c 2000000 /dev/zero | tr '\\0' x > $DAG_XCOM");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK(contains(result.message, "DAG_XCOM"));
    rig_free(rig);
}

TEST(a_template_error_fails_before_anything_runs)
{
    rig = rig_new(NULL);
    bash("echo {{ nope }}");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_INT(result.error_class, CLASS_TEMPLATE);
    CHECK(contains(rig_log(rig, rig_last(rig)), "'nope' is undefined"));
    CHECK_INT(rig->started, 1);
    rig_free(rig);
}

TEST(a_cancel_ends_the_process_and_what_it_started)
{
    rig = rig_new(NULL);
    const char *pid_file = in_dir("pid");
    /* It ignores SIGTERM, and so does its child in a session of its own. */
    bash(arena_printf(rig->arena,
        "trap '' TERM\nsetsid bash -c 'trap \"\" TERM; echo $$ > %s; sleep 100' &\nsleep 100",
        pid_file));
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    pid_t pid = read_pid(pid_file);
    rig_cancel(rig, &effect, false);
    rig_cancel(rig, &effect, false);
    CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_CANCELLED);
    CHECK(is_gone(rig, &pid));
    CHECK_INT(rig->ends.count, 1);
    CHECK(contains(rig_log(rig, &effect), "SIGTERM to process group"));
    rig_free(rig);
}

TEST(a_process_that_ends_well_on_sigterm_has_succeeded)
{
    rig = rig_new(NULL);
    const char *pid_file = in_dir("pid");
    struct task *task = bash(arena_printf(rig->arena,
        "trap 'echo cleaning; exit 0' TERM\necho $$ > %s\nwhile :; do sleep 0.05; done", pid_file));
    PARTS(task, process)->kill_grace_us = 20 * US_PER_SECOND;
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    read_pid(pid_file);
    rig_cancel(rig, &effect, false);
    CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_SUCCESS);
    CHECK(contains(rig_log(rig, &effect), " out cleaning\n"));
    rig_free(rig);
}

TEST(a_process_outlives_the_daemon_and_is_adopted)
{
    rig = rig_new(NULL);
    const char *pid_file = in_dir("pid"), *go = in_dir("go");
    bash(arena_printf(rig->arena,
        "echo $$ > %s; until [ -e %s ]; do sleep 0.02; done; echo done; echo 5 > $DAG_XCOM; exit 0",
        pid_file, go));
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    pid_t pid = read_pid(pid_file);
    executor_stop(rig->ex, true);
    CHECK_INT(executor_active(rig->ex), 0);
    rig_restart(rig);
    CHECK(!is_gone(rig, &pid));
    struct attempt_record record = rig_record(rig, &effect);
    executor_recover(rig->ex, &record, &rig->dag, &rig->run);
    CHECK_INT(rig->ends.count, 0);
    REQUIRE(file_write(go, slice_of("x"), 0600, false, NULL) == OK);
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_SUCCESS);
    CHECK_STR(result.xcom, "5");
    CHECK(contains(rig_log(rig, &effect), " out done\n"));
    rig_free(rig);
}

TEST(a_process_that_ended_while_nobody_looked_is_found_ended)
{
    rig = rig_new(NULL);
    const char *pid_file = in_dir("pid"), *go = in_dir("go");
    bash(arena_printf(
        rig->arena, "echo $$ > %s; until [ -e %s ]; do sleep 0.02; done; exit 4", pid_file, go));
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    pid_t pid = read_pid(pid_file);
    rig_restart(rig);
    REQUIRE(file_write(go, slice_of("x"), 0600, false, NULL) == OK);
    REQUIRE(rig_until(rig, is_gone, &pid, 10));
    struct attempt_record record = rig_record(rig, &effect);
    executor_recover(rig->ex, &record, &rig->dag, &rig->run);
    CHECK_INT(rig_wait(rig, &effect.attempt).exit_code, 4);
    rig_free(rig);
}

/* The process number of the attempt's supervisor, from its file. */
static pid_t supervisor_of(const struct effect *effect)
{
    int pid = 0;
    const char *path = attempt_file_path(rig->arena,
        path_join(rig->arena, rig->project.state,
            log_path_of(rig->arena, "d", effect->run.run_id, "t", -1, effect->number)),
        ".proc/pids");
    REQUIRE(rig_until(rig, has_file, (void *)path, 10));
    REQUIRE(sscanf(file_text(path), "supervisor %d", &pid) == 1);
    return (pid_t)pid;
}

TEST(when_the_supervisor_is_killed_everything_of_it_is_killed_and_the_attempt_fails)
{
    rig = rig_new(NULL);
    const char *pid_file = in_dir("pid");
    bash(arena_printf(
        rig->arena, "setsid bash -c 'echo $$ > %s; sleep 100' &\nsleep 100", pid_file));
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    pid_t hidden = read_pid(pid_file);
    REQUIRE(kill(supervisor_of(&effect), SIGKILL) == 0);
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK_INT(result.error_class, CLASS_OTHER);
    CHECK(contains(result.message, "lost"));
    CHECK(rig_until(rig, is_gone, &hidden, 5));
    rig_free(rig);
}

TEST(a_supervisor_lost_while_the_daemon_was_down_is_cleaned_up_after)
{
    rig = rig_new(NULL);
    const char *pid_file = in_dir("pid");
    bash(arena_printf(
        rig->arena, "setsid bash -c 'echo $$ > %s; sleep 100' &\nsleep 100", pid_file));
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    pid_t hidden = read_pid(pid_file), supervisor = supervisor_of(&effect);
    rig_restart(rig);
    REQUIRE(kill(supervisor, SIGKILL) == 0);
    struct attempt_record record = rig_record(rig, &effect);
    executor_recover(rig->ex, &record, &rig->dag, &rig->run);
    CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_FAILED);
    CHECK(rig_until(rig, is_gone, &hidden, 5));
    rig_free(rig);
}

TEST(an_attempt_that_never_started_is_interrupted_and_never_will)
{
    rig = rig_new(NULL);
    const char *mark = in_dir("mark");
    bash(arena_printf(rig->arena, "touch %s", mark));
    struct effect effect = rig_effect(rig);
    struct attempt_record record = rig_record(rig, &effect);
    executor_recover(rig->ex, &record, &rig->dag, &rig->run);
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_INTERRUPTED);
    CHECK(!result.may_commit);
    /* The same attempt started late finds its folder taken. */
    rig->ends.count = 0;
    rig_start(rig, &effect);
    CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_FAILED);
    CHECK(!file_exists(mark));
    rig_free(rig);
}

TEST(much_output_is_bounded_with_a_mark)
{
    rig = rig_new(NULL);
    bash("yes 0123456789012345678901234567890123456789 | head -c 40000000");
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    const char *log = rig_log(rig, rig_last(rig));
    CHECK(strlen(log) < 17u * 1024 * 1024);
    CHECK(contains(log, " bytes; a log has a ceiling of 16 MiB"));
    CHECK(contains(log + strlen(log) - 400, "end: success"));
    rig_free(rig);
}

TEST(many_processes_at_once)
{
    rig = rig_new(NULL);
    bash("exit $((DAG_TRY_NUMBER % 2))");
    for (int i = 0; i < 40; i++) {
        struct effect effect = rig_effect(rig);
        effect.try_number = i + 1;
        rig_start(rig, &effect);
    }
    struct effect last = rig_effect(rig);
    rig_start(rig, &last);
    rig_wait(rig, &last.attempt);
    for (int i = 0; i < 600 && rig->ends.count < 41; i++)
        uv_run(&rig->loop, UV_RUN_ONCE);
    CHECK_INT(rig->ends.count, 41);
    size_t good = 0;
    vec_each (end, &rig->ends)
        good += end->result.outcome == OUTCOME_SUCCESS;
    CHECK_INT(good, 20);
    CHECK_INT(rig->started, 41);
    rig_free(rig);
}

TEST(an_empty_task_succeeds_and_has_a_log)
{
    rig = rig_new(NULL);
    rig_task(rig, KIND_EMPTY);
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    CHECK(contains(rig_log(rig, rig_last(rig)), "end: success"));
    struct effect effect = rig_effect(rig);
    struct attempt_record record = rig_record(rig, &effect);
    executor_recover(rig->ex, &record, NULL, &rig->run);
    CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_INTERRUPTED);
    rig_free(rig);
}

TEST(after_a_stop_nothing_starts)
{
    rig = rig_new(NULL);
    bash("exit 0");
    executor_stop(rig->ex, false);
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_INTERRUPTED);
    CHECK_INT(rig->started, 0);
    CHECK_INT(executor_active(rig->ex), 0);
    rig_free(rig);
}
