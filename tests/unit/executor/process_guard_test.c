/* What a process gets from the daemon and what it does not, what it may do to it, and what is left
 * of it. */
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "executor/operators/process_attempt.h"
#include "tests/unit/executor/sql_cases.h"

extern char **environ;

static struct task *bash(const char *script)
{
    struct task *task = rig_task(rig, KIND_BASH);
    *PARTS(task, process) = (struct process_task){
        .script = {.value = script}, .kill_grace_us = 300 * US_PER_MS, .skip_on_exit_code = 99};
    return task;
}

static const char *log_of(const char *script)
{
    bash(script);
    CHECK_INT(rig_run(rig).outcome, OUTCOME_SUCCESS);
    return rig_log(rig, rig_last(rig));
}

static struct attempt_result run_exec(const char *a, const char *b, const char *c)
{
    struct text *argv = arena_array(rig->arena, struct text, 3);
    argv[0].value = a, argv[1].value = b, argv[2].value = c;
    *PARTS(rig_task(rig, KIND_EXEC), process) = (struct process_task){
        .argv = {argv, 1u + (b != NULL) + (c != NULL)}, .skip_on_exit_code = 99};
    return rig_run(rig);
}

static const char *in_rig(const char *name)
{
    return path_join(rig->arena, rig->dir, name);
}

static void put(const char *name, const char *text, unsigned mode)
{
    REQUIRE(file_write(in_rig(name), slice_of(text), 0600, false, NULL) == OK);
    REQUIRE(chmod(in_rig(name), mode) == 0);
}

static bool has_file(struct rig *r, void *user)
{
    (void)r;
    struct slice text = {0};
    return file_read(user, 1 << 20, rig->arena, &text, NULL) == OK && text.size;
}

/* Nothing carries the attempt's mark any more. */
static bool nothing_left(struct rig *r, void *user)
{
    (void)r;
    struct process_ids none = {0};
    return process_kill_all(&none, ((struct effect *)user)->attempt.text, true) == 0;
}

/* ---- what it gets ---------------------------------------------------------------------------- */

TEST(a_process_has_three_descriptors_and_no_terminal)
{
    rig = rig_new(NULL);
    CHECK_INT(run_exec("ls", "/proc/self/fd", NULL).outcome, OUTCOME_SUCCESS);
    const char *log = rig_log(rig, rig_last(rig));
    CHECK(contains(log, " out 2\n"));
    CHECK(contains(log, " out 3\n")); /* the folder that ls reads */
    CHECK(!strstr(log, " out 4\n"));
    log = log_of("wc -c; tty; : < /dev/tty || echo none");
    CHECK(contains(log, " out 0\n"));
    CHECK(contains(log, " out not a tty\n"));
    CHECK(contains(log, " out none\n"));
    rig_free(rig);
}

TEST(a_process_has_signals_as_at_first_no_core_files_and_the_daemons_umask)
{
    rig = rig_new(NULL);
    CHECK_INT(
        run_exec("grep", "^Sig\\(Blk\\|Ign\\):", "/proc/self/status").outcome, OUTCOME_SUCCESS);
    const char *log = rig_log(rig, rig_last(rig));
    CHECK(contains(log, " out SigBlk:\t0000000000000000\n"));
    CHECK(contains(log, " out SigIgn:\t0000000000000000\n"));
    mode_t before = umask(0027);
    log = log_of("ulimit -c; umask; yes | head -n 1 > /dev/null; echo pipe ${PIPESTATUS[0]}");
    umask(before);
    CHECK(contains(log, " out 0\n"));
    CHECK(contains(log, " out 0027\n"));
    CHECK(contains(log, " out pipe 141\n"));
    rig_free(rig);
}

TEST(a_process_gets_no_secret_that_it_did_not_ask_for)
{
    static const char *const leaks[] = {"PGPASSWORD", "PGPASSFILE", "PGSERVICE", "DAG_CONN_DB",
        "DAG_VAR_X", "AWS_SECRET_ACCESS_KEY"};
    rig = rig_new("postgresql://me:passw0rd@nowhere/db");
    for (size_t i = 0; i < ARRAY_SIZE(leaks); i++)
        setenv(leaks[i], "leaked", 1);
    const char *log = log_of("env; tr '\\0' '\\n' < /proc/$PPID/environ; set");
    for (size_t i = 0; i < ARRAY_SIZE(leaks); i++) {
        CHECK(!strstr(log, leaks[i]));
        unsetenv(leaks[i]);
    }
    CHECK(!strstr(log, "leaked"));
    CHECK(!strstr(log, "passw0rd"));
    rig_free(rig);
}

TEST(a_variable_that_dag_goes_by_cannot_be_set)
{
    static const char *const names[] = {"DAG_ATTEMPT_ID", "DAG_XCOM", "A=B", ""};
    rig = rig_new(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct named_text env[] = {{names[i], {.value = "x"}}};
        PARTS(bash("true"), process)->env = (struct named_texts){env, 1};
        struct attempt_result result = rig_run(rig);
        CHECK_INT(result.outcome, OUTCOME_FAILED);
        CHECK(contains(result.message, "hint: "));
    }
    rig_free(rig);
}

/* ---- what does not run ----------------------------------------------------------------------- */

TEST(what_does_not_run_says_why_and_what_to_do)
{
    rig = rig_new(NULL);
    put("no-shell", "#!/no/such/shell\n", 0700);
    put("not-executable", "#!/bin/sh\n", 0600);
    struct attempt_result result = run_exec("no-such-program", NULL, NULL);
    CHECK_INT(result.exit_code, 127);
    CHECK(contains(result.message, "it is in no folder of PATH ("));
    result = run_exec("/no/such/program", NULL, NULL);
    CHECK_INT(result.exit_code, 127);
    CHECK(contains(result.message, "cannot run /no/such/program: there is no such file"));
    result = run_exec(in_rig("no-shell"), NULL, NULL);
    CHECK_INT(result.exit_code, 127);
    CHECK(contains(result.message, "its first line asks for /no/such/shell, which is not there"));
    result = run_exec(in_rig("not-executable"), NULL, NULL);
    CHECK_INT(result.exit_code, 126);
    CHECK(contains(result.message, "(is it executable? chmod +x)"));
    PARTS(bash("true"), process)->cwd.value = "no/such/folder";
    result = rig_run(rig);
    CHECK_INT(result.exit_code, 126);
    CHECK(contains(result.message, "cannot enter "));
    CHECK(contains(result.message, "no/such/folder: No such file or directory (the task's `cwd`)"));
    PARTS(rig_task(rig, KIND_PYTHON), process)->script.value = "no/such.py";
    result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK(contains(result.message, "there is no script "));
    CHECK(contains(result.message, "hint: `python` is the path of a file"));
    static const char *names[] = {"nope"};
    PARTS(bash("true"), process)->connections = (struct names){names, 1};
    result = rig_run(rig);
    CHECK(contains(result.message, "there is no connection `nope`"));
    CHECK(contains(result.message, "hint: add it to `connections`"));
    bash("echo 'a{{ \"\\0\" }}b'");
    CHECK(contains(rig_run(rig).message, "`bash` has a byte of zero in it"));
    rig_free(rig);
}

TEST(a_supervisor_that_is_not_there_fails_the_task_and_says_so)
{
    rig = rig_new(NULL);
    rig->supervisor = "/no/such/dag-exec";
    rig_restart(rig);
    bash("true");
    struct attempt_result result = rig_run(rig);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK(contains(result.message, "cannot start /no/such/dag-exec: No such file or directory"));
    CHECK(contains(result.message, "hint: dag-exec belongs beside dag"));
    rig_free(rig);
}

/* ---- what it says ---------------------------------------------------------------------------- */

TEST(an_xcom_that_is_none_fails_the_task_and_holds_up_nobody)
{
    static const char *const scripts[] = {"mkfifo $DAG_XCOM", "mkdir $DAG_XCOM",
        "printf '\\377\\376' > $DAG_XCOM", "printf 'a\\0b' > $DAG_XCOM",
        "head -c 2000000 /dev/zero > $DAG_XCOM", "ln -s /dev/zero $DAG_XCOM"};
    rig = rig_new(NULL);
    for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
        bash(scripts[i]);
        struct attempt_result result = rig_run(rig);
        CHECK_INT(result.outcome, OUTCOME_FAILED);
        CHECK(contains(result.message, "DAG_XCOM"));
        CHECK(contains(result.message, "hint: "));
    }
    bash("echo '{\"half\": ' > $DAG_XCOM");
    CHECK_STR(rig_run(rig).xcom, "\"{\\\"half\\\":\"");
    bash(": > $DAG_XCOM");
    CHECK_STR(rig_run(rig).xcom, NULL);
    rig_free(rig);
}

TEST(output_of_any_kind_gets_into_the_log_and_ends_nothing)
{
    rig = rig_new(NULL);
    const char *log = log_of("printf 'a\\0b\\n'; exec >&- 2>&-; sleep 0.01");
    CHECK(contains(log, " out a\\x00b\n"));
    log = log_of("head -c 100000 /dev/zero | tr '\\0' x; echo; echo end");
    CHECK(contains(log, "xxx\n"));
    CHECK(contains(log, " out end\n"));
    size_t count = 0;
    for (const char *p = log; *p; p++)
        count += *p == 'x';
    CHECK(count >= 100000);
    rig_free(rig);
}

TEST(a_secret_is_masked_across_the_parts_of_a_long_line)
{
    rig = rig_new(NULL);
    for (int at = 16370; at <= 16386; at += 4) {
        const char *log = log_of(arena_printf(rig->arena,
            "head -c %d /dev/zero | tr '\\0' x; echo -n {{ var.value.token }}; head -c 20000"
            " /dev/zero | tr '\\0' y",
            at));
        size_t stars = 0;
        for (const char *p = log; *p; p++)
            stars += *p == '*';
        CHECK_INT(stars, strlen("hunter2secret"));
    }
    rig_free(rig);
}

/* ---- what is left of it ---------------------------------------------------------------------- */

TEST(a_crowd_is_gone_when_it_is_cancelled)
{
    rig = rig_new(NULL);
    const char *ready = in_rig("ready");
    bash(arena_printf(rig->arena,
        "trap '' TERM; for i in $(seq 100); do (setsid sleep 100 &) ; sleep 100 & done;"
        " echo x > %s; sleep 100",
        ready));
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    CHECK(rig_until(rig, has_file, (void *)ready, 60));
    rig_cancel(rig, &effect, false);
    CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_CANCELLED);
    CHECK(nothing_left(rig, &effect));
    rig_free(rig);
}

TEST(what_forks_and_goes_on_in_its_child_is_caught)
{
    static const char hopper[] = "import os, sys\n"
                                 "for hop in range(20000):\n"
                                 "    if os.fork(): os._exit(0)\n"
                                 "    if hop % 100 == 0: os.setsid()\n"
                                 "    if hop == 50: open(sys.argv[1], 'w').write('x')\n";
    rig = rig_new(NULL);
    const char *ready = in_rig("ready");
    put("hopper.py", hopper, 0600);
    bash(arena_printf(rig->arena, "python3 -S hopper.py %s &\nuntil [ -e %s ]; do sleep 0.01; done",
        ready, ready));
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    CHECK_INT(rig_wait(rig, &effect.attempt).outcome, OUTCOME_SUCCESS);
    CHECK(nothing_left(rig, &effect));
    CHECK(contains(rig_log(rig, &effect), "that it left behind"));
    rig_free(rig);
}

/* ---- a machine that was started again -------------------------------------------------------- */

TEST(after_a_restart_of_the_machine_it_is_lost_and_nobody_elses_process_is_touched)
{
    rig = rig_new(NULL);
    const char *ready = in_rig("ready");
    bash(arena_printf(rig->arena, "echo x > %s; sleep 100", ready));
    struct effect effect = rig_effect(rig);
    rig_start(rig, &effect);
    CHECK(rig_until(rig, has_file, (void *)ready, 20));
    rig_restart(rig);
    rig->ends.count = 0;
    struct process_ids none = {0};
    while (process_kill_all(&none, effect.attempt.text, true) > 0)
        continue;
    /* Now its numbers are those of a process that has nothing to do with it. */
    char *argv[] = {"sleep", "100", NULL};
    pid_t innocent;
    REQUIRE(posix_spawnp(&innocent, "sleep", NULL, NULL, argv, environ) == 0);
    const char *pids = attempt_file_path(rig->arena,
        path_join(rig->arena, rig->project.state,
            log_path_of(rig->arena, "d", effect.run.run_id, "t", -1, effect.number)),
        ".proc/pids");
    REQUIRE(file_write(pids,
                slice_of(arena_printf(rig->arena,
                    "supervisor %d 1\nchild %d 1\nboot 00000000-0000-0000-0000-000000000000\n",
                    (int)innocent, (int)innocent)),
                0600, true, NULL) == OK);
    struct attempt_record record = rig_record(rig, &effect);
    executor_recover(rig->ex, &record, &rig->dag, &rig->run);
    struct attempt_result result = rig_wait(rig, &effect.attempt);
    CHECK_INT(result.outcome, OUTCOME_FAILED);
    CHECK(contains(result.message, "the machine was started again while it ran"));
    CHECK_INT(waitpid(innocent, NULL, WNOHANG), 0);
    kill(innocent, SIGKILL);
    waitpid(innocent, NULL, 0);
    rig_free(rig);
}
