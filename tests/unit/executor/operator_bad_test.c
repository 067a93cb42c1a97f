/*
 * The shared operator suite, bad parameters: what somebody gave wrong shows only when it is
 * rendered or acted on.  Whatever the kind, the attempt fails once, says what is wrong, in its log
 * too, and has done nothing outside.
 *
 * How to add a kind: a row in `bad`; the first test fails without one.
 */
#include <stdio.h>

#include "base/file.h"
#include "executor/executor_internal.h"
#include "tests/unit/executor/operator_rows.h"
#include "tests/unit/executor/sql_cases.h"

static struct sql_task query(const char *sql)
{
    return (struct sql_task){.sql = {.value = sql}, .connection = "db", .transaction = true};
}

static void bad_sql(void)
{
    rig_sql(rig, "insert into t values (1); select {{ nope }}");
}

static void bad_sql_control(void)
{
    rig_sql(rig, "insert into t values (1); {{ 'com' ~ 'mit' }}");
}

static void bad_sql_syntax(void)
{
    rig_sql(rig, "insert into t values (1); selec 1");
}

static struct task *process(enum task_kind kind, const char *script)
{
    struct task *task = rig_task(rig, kind);
    *PARTS(task, process) = (struct process_task){
        .script.value = script, .skip_on_exit_code = 99, .kill_grace_us = US_PER_SECOND};
    return task;
}

static void bad_bash(void)
{
    process(KIND_BASH, "echo x >> runs; {{ nope }}");
}

static void bad_bash_folder(void)
{
    PARTS(process(KIND_BASH, "echo x >> runs"), process)->cwd.value = "not/there";
}

static void bad_exec(void)
{
    static const struct text argv[] = {{.value = "/not/there"}};
    PARTS(process(KIND_EXEC, NULL), process)->argv = (struct texts){argv, 1};
}

static void bad_python(void)
{
    process(KIND_PYTHON, "not_there.py");
}

static const char *const follows[] = {"a", "b", NULL};

static void bad_branch(void)
{
    PARTS(rig_decider(rig, KIND_BRANCH, follows), decision)->text.value = "a, {{ 'elsewhere' }}";
}

static void bad_branch_sql(void)
{
    rig_decider(rig, KIND_BRANCH, follows)->sql = query("insert into t values (1)");
}

static void bad_circuit(void)
{
    PARTS(rig_decider(rig, KIND_SHORT_CIRCUIT, follows), decision)->text.value = "{{ nope }}";
}

static void bad_circuit_sql(void)
{
    rig_decider(rig, KIND_SHORT_CIRCUIT, follows)->sql = query("select v from nowhere");
}

static struct task *sensor(enum wait_kind kind, const char *text)
{
    struct task *task = rig_task(rig, KIND_WAIT_FOR);
    *PARTS(task, wait) = (struct wait_task){.kind = kind, .text = {.value = text}};
    return task;
}

static void bad_wait_sql(void)
{
    sensor(WAIT_SQL, NULL)->sql = query("delete from t returning true");
}

static void bad_wait_file(void)
{
    sensor(WAIT_FILE, "{{ nope }}");
}

static void bad_wait_time(void)
{
    sensor(WAIT_TIME, "half past {{ 'eight' }}");
}

static void bad_wait_task(void)
{
    PARTS(sensor(WAIT_TASK, NULL), wait)->dag_id.value = "{{ nope }}";
}

static void bad_http(void)
{
    rig_http(rig, "/{{ nope }}");
}

static void bad_wait_http(void)
{
    bad_http();
    rig->tasks[0].kind = KIND_WAIT_FOR;
    PARTS(&rig->tasks[0], wait)->kind = WAIT_HTTP;
}

static void bad_trigger(void)
{
    struct task *task = rig_task(rig, KIND_TRIGGER_DAG);
    PARTS(task, trigger)->dag_id.value = "other";
    PARTS(task, trigger)->logical_date.value = "{{ 'yesterday' }}";
}

static void bad_expand(void)
{
    static const struct expand_source sources[] = {{.name = "a",
        .kind = EXPAND_SQL,
        .text = {.value = "select n from generate_series(1, 1025) n"},
        .connection = "db"}};
    rig_task(rig, KIND_EMPTY)->expand = (struct expand){sources, ARRAY_SIZE(sources), false};
}

/* ROW: how it is made, and a part of what it says. */
static const struct bad {
    enum task_kind kind; /* KIND_COUNT: of every kind */
    void (*make)(void);
    const char *name, *says;
} bad[] = {
    {KIND_SQL, bad_sql, "an undefined name in sql", "nope"},
    {KIND_SQL, bad_sql_control, "transaction control", "COMMIT is not for a task's SQL"},
    {KIND_SQL, bad_sql_syntax, "a misspelt statement", "syntax error at or near \"selec\""},
    {KIND_BASH, bad_bash, "an undefined name in bash", "nope"},
    {KIND_BASH, bad_bash_folder, "a folder that is not there", "not/there"},
    {KIND_EXEC, bad_exec, "a program that is not there", "/not/there"},
    {KIND_PYTHON, bad_python, "a script that is not there", "not_there.py"},
    {KIND_BRANCH, bad_branch, "an id that does not follow", "elsewhere"},
    {KIND_BRANCH, bad_branch_sql, "a branch that writes", "read-only"},
    {KIND_SHORT_CIRCUIT, bad_circuit, "an undefined name in short_circuit", "nope"},
    {KIND_SHORT_CIRCUIT, bad_circuit_sql, "a table that is not there", "nowhere"},
    {KIND_WAIT_FOR, bad_wait_sql, "a sensor that writes", "read-only"},
    {KIND_WAIT_FOR, bad_wait_file, "an undefined name in a sensor", "nope"},
    {KIND_WAIT_FOR, bad_wait_time, "no time", "half past eight"},
    {KIND_WAIT_FOR, bad_wait_task, "an undefined DAG id", "nope"},
    {KIND_WAIT_FOR, bad_wait_http, "an undefined name in a sensor's url", "nope"},
    {KIND_HTTP, bad_http, "an undefined name in a url", "nope"},
    {KIND_TRIGGER_DAG, bad_trigger, "no date", "yesterday"},
    {KIND_COUNT, bad_expand, "more than a task can be mapped over", "1024"},
};

TEST(every_kind_with_parameters_is_in_the_table)
{
    for (size_t i = 0; i < operator_row_count; i++) {
        enum task_kind kind = operator_rows[i].kind;
        size_t found = kind == KIND_EMPTY || kind == KIND_LATEST_ONLY; /* these have none */
        for (size_t k = 0; k < ARRAY_SIZE(bad); k++)
            found += bad[k].kind == kind;
        if (!CHECK(found))
            fprintf(stderr, "  `%s` has no row\n", operator_rows[i].name);
    }
}

static void fails_and_does_nothing(const struct bad *row)
{
    char name[16];
    snprintf(name, sizeof(name), "bad%zu", (size_t)(row - bad));
    sql_begin(name);
    row->make();
    struct attempt_result result = rig_run(rig);
    bool ok = CHECK_INT(result.outcome, OUTCOME_FAILED);
    ok &= CHECK(contains(result.message, row->says));
    ok &= CHECK(contains(rig_log(rig, rig_last(rig)), row->says));
    ok &= CHECK(contains(rig_log(rig, rig_last(rig)), "end: failed"));
    ok &= CHECK_INT(rig->ends.count, 1);
    ok &= CHECK_INT(sql_rows(), 0);
    ok &= CHECK(!file_exists(in_dir("runs")));
    ok &= CHECK(!rig->ex->attempts);
    if (!ok)
        fprintf(stderr, "  %s: %s\n", row->name, result.message ? result.message : "(nothing)");
    sql_finish();
}

TEST(bad_parameters_fail_the_attempt_once_and_say_what_is_wrong)
{
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        fails_and_does_nothing(&bad[i]);
}
