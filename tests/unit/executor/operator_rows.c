#include "tests/unit/executor/operator_rows.h"

#include "base/file.h"
#include "tests/unit/executor/sql_cases.h"

#define TEXT (ANY | BIT(RENDERING))
#define QUERY (TEXT | BIT(THREAD) | BIT(CONNECTING) | BIT(RUNNING))
#define TRANSACTION (QUERY | BIT(COMMITTING))
#define PROCESS (TEXT | BIT(SPAWNING) | BIT(RUNNING) | BIT(ENDING))

#define PULL "{{ ti.xcom_pull(task_ids='t') or '' }}"
/* Waits while the test has the lock. */
#define HELD "pg_advisory_xact_lock_shared(7)"

const char *in_dir(const char *name)
{
    return path_join(rig->arena, rig->dir, name);
}

static void make_simple(enum task_kind kind)
{
    rig_task(rig, kind);
}

static void make_empty(void)
{
    make_simple(KIND_EMPTY);
}

static void make_latest_only(void)
{
    make_simple(KIND_LATEST_ONLY);
}

static struct sql_task query(const char *sql)
{
    return (struct sql_task){.sql = {.value = sql}, .connection = "db", .transaction = true};
}

/* Inserts its generation. */
void make_sql(void)
{
    rig_sql(rig, "insert into t select generation from dag.claim where attempt ="
                 " current_setting('application_name') " PULL "; select " HELD);
}

void make_sql_plain(void)
{
    rig_sql(rig, "select 1 " PULL "; select " HELD)->sql.transaction = false;
}

/* Says who it is, waits while the test holds it, and counts how often it came so far. */
#define SCRIPT "cd '%s'; echo $$ > pid; while [ -e hold ]; do sleep 0.01; done; echo x >> runs" PULL

static struct task *make_process(enum task_kind kind)
{
    struct task *task = rig_task(rig, kind);
    *PARTS(task, process) =
        (struct process_task){.skip_on_exit_code = 99, .kill_grace_us = 20 * US_PER_SECOND};
    return task;
}

static void make_bash(void)
{
    PARTS(make_process(KIND_BASH), process)->script.value =
        arena_printf(rig->arena, SCRIPT, rig->dir);
}

static void make_exec(void)
{
    struct task *task = make_process(KIND_EXEC);
    struct text *argv = arena_array(rig->arena, struct text, 3);
    argv[0].value = "sh";
    argv[1].value = "-c";
    argv[2].value = arena_printf(rig->arena, SCRIPT, rig->dir);
    PARTS(task, process)->argv = (struct texts){argv, 3};
}

static void make_python(void)
{
    static const char program[] = "import os, sys, time\n"
                                  "open('pid', 'w').write(str(os.getpid()))\n"
                                  "while os.path.exists('hold'): time.sleep(0.01)\n"
                                  "open('runs', 'a').write('x\\n')\n";
    struct task *task = make_process(KIND_PYTHON);
    struct text *args = arena_array(rig->arena, struct text, 1);
    REQUIRE(file_write(in_dir("p.py"), slice_of(program), 0600, false, NULL) == OK);
    args[0].value = "a" PULL;
    PARTS(task, process)->script.value = "p.py";
    PARTS(task, process)->args = (struct texts){args, 1};
}

static const char *const follows[] = {"a", "b", NULL};

static void make_branch(void)
{
    PARTS(rig_decider(rig, KIND_BRANCH, follows), decision)->text.value = "a" PULL;
}

static void make_branch_sql(void)
{
    rig_decider(rig, KIND_BRANCH, follows)->sql = query("select 'a', " HELD PULL);
}

static void make_circuit(void)
{
    PARTS(rig_decider(rig, KIND_SHORT_CIRCUIT, follows), decision)->text.value = "no" PULL;
}

static void make_circuit_sql(void)
{
    rig_decider(rig, KIND_SHORT_CIRCUIT, follows)->sql = query("select false, " HELD PULL);
}

static struct task *make_wait(enum wait_kind kind, const char *text)
{
    struct task *task = rig_task(rig, KIND_WAIT_FOR);
    *PARTS(task, wait) = (struct wait_task){.kind = kind, .text = {.value = text}};
    return task;
}

static void make_wait_sql(void)
{
    make_wait(WAIT_SQL, NULL)->sql = query("select true, " HELD PULL);
}

static void make_wait_file(void)
{
    make_wait(WAIT_FILE, "/" PULL);
}

static void make_wait_time(void)
{
    make_wait(WAIT_TIME, "2007-04-12" PULL);
}

static void make_wait_task(void)
{
    PARTS(make_wait(WAIT_TASK, NULL), wait)->dag_id.value = "other" PULL;
}

static void make_wait_asset(void)
{
    make_wait(WAIT_ASSET, "asset");
}

/* The server says when it has the request, and answers when the test lets it. */
static void make_http(void)
{
    rig_http(rig, arena_printf(rig->arena, "/held" PULL "?%s", rig->dir));
}

static void make_wait_http(void)
{
    make_http();
    rig->tasks[0].kind = KIND_WAIT_FOR;
    PARTS(&rig->tasks[0], wait)->kind = WAIT_HTTP;
}

static void make_trigger(void)
{
    PARTS(rig_task(rig, KIND_TRIGGER_DAG), trigger)->dag_id.value = "other" PULL;
}

static void make_expand(void)
{
    static const struct expand_source sources[] = {
        {.name = "a",
            .kind = EXPAND_SQL,
            .text = {.value = "select n from generate_series(1, 2) n " PULL},
            .connection = "db"},
        {.name = "b", .kind = EXPAND_SQL, .text = {.value = "select 1, " HELD}, .connection = "db"},
    };
    rig_task(rig, KIND_EMPTY)->expand = (struct expand){sources, ARRAY_SIZE(sources), false};
}

const struct row operator_rows[] = {
    {&operator_empty, KIND_EMPTY, make_empty, ANY, "empty", 0},
    {&operator_empty, KIND_LATEST_ONLY, make_latest_only, ANY, "latest_only", 0},
    {&operator_sql, KIND_SQL, make_sql, TRANSACTION, "sql", 0},
    {&operator_sql, KIND_SQL, make_sql_plain, QUERY, "sql, transaction: false", 0},
    {&operator_process, KIND_BASH, make_bash, PROCESS, "bash", 0},
    {&operator_process, KIND_EXEC, make_exec, PROCESS, "exec", 0},
    {&operator_process, KIND_PYTHON, make_python, ANY | BIT(RUNNING), "python", 0},
    {&operator_decide, KIND_BRANCH, make_branch, TEXT, "branch", 0},
    {&operator_decide, KIND_BRANCH, make_branch_sql, QUERY, "branch by sql", 0},
    {&operator_decide, KIND_SHORT_CIRCUIT, make_circuit, TEXT, "short_circuit", 0},
    {&operator_decide, KIND_SHORT_CIRCUIT, make_circuit_sql, QUERY, "short_circuit by sql", 0},
    {&operator_wait, KIND_WAIT_FOR, make_wait_sql, QUERY, "wait_for sql", WAIT_SQL},
    {&operator_wait, KIND_WAIT_FOR, make_wait_file, TEXT | BIT(THREAD), "wait_for file", WAIT_FILE},
    {&operator_wait, KIND_WAIT_FOR, make_wait_time, TEXT, "wait_for time", WAIT_TIME},
    {&operator_wait, KIND_WAIT_FOR, make_wait_task, TEXT, "wait_for task", WAIT_TASK},
    {&operator_wait, KIND_WAIT_FOR, make_wait_asset, ANY, "wait_for asset", WAIT_ASSET},
    {&operator_wait, KIND_WAIT_FOR, make_wait_http, TEXT | BIT(RUNNING), "wait_for http",
        WAIT_HTTP},
    {&operator_http, KIND_HTTP, make_http, TEXT | BIT(RUNNING), "http", 0},
    {&operator_trigger, KIND_TRIGGER_DAG, make_trigger, TEXT, "trigger_dag", 0},
    {&operator_expand, KIND_COUNT, make_expand, QUERY & ~BIT(RENDERING), "expand", 0},
};
const size_t operator_row_count = ARRAY_SIZE(operator_rows);
