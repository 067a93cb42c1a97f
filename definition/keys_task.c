/* The keys of a task: those of every task, and those of each kind. */
#include "definition/keys.h"
#include "definition/limits.h"

#define AT(field) offsetof(struct task_keys, field)
#define BIT(kind) (1U << (kind))
#define SQL BIT(KIND_SQL)
#define PROCESS (BIT(KIND_BASH) | BIT(KIND_EXEC) | BIT(KIND_PYTHON))
#define ASKS_SQL (SQL | BIT(KIND_WAIT_FOR) | BIT(KIND_BRANCH) | BIT(KIND_SHORT_CIRCUIT))

static const char *const trigger_rule_choices[] = {
#define ROW(id, name) name,
    TRIGGER_RULES(ROW)
#undef ROW
        NULL};
static const char *const weight_rule_choices[] = {"downstream", "upstream", "absolute", NULL};
static const char *const isolation_choices[] = {
    "default", "read committed", "repeatable read", "serializable", NULL};
static const char *const session_choices[] = {"auto", "fresh", "reuse", NULL};
static const char *const result_choices[] = {"none", "scalar", "row", "rows", NULL};
static const char *const expand_mode_choices[] = {"product", "zip", NULL};

/* A request's keys stand in a mapping of their own, or beside a task's `http`. */
#define OF_TASK(field) offsetof(struct task_keys, http.field)
#define OF_HTTP(field) offsetof(struct http_keys, field)
#define HTTP_ROWS(OF, kinds)                                                                       \
    {"url", KEY_TEXT, KEY_TEMPLATED, OF(url), NULL, "where it goes: http:// or https://", NULL, 0, \
        0, kinds},                                                                                 \
        {"method", KEY_WORD, 0, OF(method), "GET, with a body POST", "of the request", NULL, 0, 0, \
            kinds},                                                                                \
        {"headers", KEY_TEXT_MAP, KEY_TEMPLATED, OF(headers), "{}", "of the request", NULL, 0, 0,  \
            kinds},                                                                                \
        {"body", KEY_NODE, KEY_TEMPLATED, OF(body), NULL,                                          \
            "text; or a mapping or list, which is sent as JSON", NULL, 0, 0, kinds},               \
        {"expect", KEY_NODE, 0, OF(expect), "2xx",                                                 \
            "the statuses that are a success: 200, 2xx, or a list", NULL, 0, 0, kinds},            \
    {                                                                                              \
        "result", KEY_WORD, 0, OF(result), NULL,                                                   \
            "JSON pointer to what of the answer is its XCom; \"\" is all of it", NULL, 0, 0, kinds \
    }

/* So do those of a run to trigger. */
#define OF_TASK_TRIGGER(field) offsetof(struct task_keys, trigger.field)
#define OF_TRIGGER(field) offsetof(struct trigger_keys, field)
#define TRIGGER_ROWS(OF, kinds)                                                                    \
    {"dag_id", KEY_TEXT, KEY_TEMPLATED, OF(dag_id), NULL, "the DAG to run", NULL, 0, 0, kinds},    \
        {"conf", KEY_NODE, KEY_TEMPLATED, OF(conf), "{}",                                          \
            "the run's conf: a mapping, or a template that gives a JSON object", NULL, 0, 0,       \
            kinds},                                                                                \
        {"logical_date", KEY_TEXT, KEY_TEMPLATED, OF(logical_date), "this run's",                  \
            "the run's date", NULL, 0, 0, kinds},                                                  \
    {                                                                                              \
        "wait", KEY_BOOL, 0, OF(wait), "false", "ends when that run has ended, and as it did",     \
            NULL, 0, 0, kinds                                                                      \
    }

static const struct key task_rows[] = {
    /* the kinds */
    {"sql", KEY_TEXT, KEY_KIND | KEY_TEMPLATED, AT(value), NULL,
        "SQL text, or a path that ends in .sql", NULL, 0, 0, SQL},
    {"bash", KEY_TEXT, KEY_KIND | KEY_TEMPLATED, AT(value), NULL, "a script for bash", NULL, 0, 0,
        BIT(KIND_BASH)},
    {"exec", KEY_TEXTS, KEY_KIND | KEY_TEMPLATED, AT(argv), NULL, "a program and its arguments",
        NULL, 0, 0, BIT(KIND_EXEC)},
    {"python", KEY_TEXT, KEY_KIND | KEY_TEMPLATED, AT(value), NULL, "a Python file", NULL, 0, 0,
        BIT(KIND_PYTHON)},
    {"http", KEY_NODE, KEY_KIND | KEY_TEMPLATED, AT(kind), NULL,
        "an HTTP request: its url, or a mapping of its keys", NULL, 0, 0, BIT(KIND_HTTP)},
    {"wait_for", KEY_MAPPING, KEY_KIND | KEY_TEMPLATED, AT(kind), NULL,
        "a sensor: sql, file, http, task, time or asset", NULL, 0, 0, BIT(KIND_WAIT_FOR)},
    {"branch", KEY_NODE, KEY_KIND | KEY_TEMPLATED, AT(kind), NULL,
        "text or `{sql: …}` that gives the ids to go on with", NULL, 0, 0, BIT(KIND_BRANCH)},
    {"short_circuit", KEY_NODE, KEY_KIND | KEY_TEMPLATED, AT(kind), NULL,
        "text or `{sql: …}`; what is empty or false skips all that follows", NULL, 0, 0,
        BIT(KIND_SHORT_CIRCUIT)},
    {"trigger_dag", KEY_NODE, KEY_KIND | KEY_TEMPLATED, AT(kind), NULL,
        "makes a run of a DAG: its id, or a mapping of its keys", NULL, 0, 0,
        BIT(KIND_TRIGGER_DAG)},
    {"latest_only", KEY_NODE, KEY_KIND, AT(kind), NULL,
        "skips what follows unless this is the newest interval", NULL, 0, 0, BIT(KIND_LATEST_ONLY)},
    {"empty", KEY_NODE, KEY_KIND, AT(kind), NULL, "nothing; joins and anchors", NULL, 0, 0,
        BIT(KIND_EMPTY)},

    /* every task */
    {"depends_on", KEY_WORDS, 0, AT(depends_on), "[]", "tasks and groups that come before", NULL, 0,
        0, 0},
    {"retries", KEY_INT, 0, AT(task.retries), "0", "further attempts after a failed one", NULL, 0,
        RETRIES_MAX, 0},
    {"retry_delay", KEY_DURATION, 0, AT(task.retry_delay_us), "5m", "the wait before a retry", NULL,
        0, 0, 0},
    {"retry_exponential_backoff", KEY_NODE, 0, AT(retry_exponential_backoff), "false",
        "the factor of each further wait; true: 2", NULL, 0, 0, 0},
    {"max_retry_delay", KEY_DURATION, 0, AT(task.max_retry_delay_us), "24h", "the longest wait",
        NULL, 0, 0, 0},
    {"retry_on", KEY_WORDS, 0, AT(task.retry_on), "all but the hopeless",
        "all, SQLSTATEs, two-character classes, exit codes, HTTP statuses", NULL, 0, 0, 0},
    {"execution_timeout", KEY_DURATION, 0, AT(task.execution_timeout_us), NULL,
        "how long an attempt may take", NULL, 0, 0, 0},
    {"trigger_rule", KEY_CHOICE, 0, AT(task.trigger_rule), "all_success",
        "what the tasks before must have ended in", trigger_rule_choices, 0, 0, 0},
    {"depends_on_past", KEY_BOOL, 0, AT(task.depends_on_past), "false",
        "needs itself done in the run before", NULL, 0, 0, 0},
    {"wait_for_downstream", KEY_BOOL, 0, AT(task.wait_for_downstream), "false",
        "needs itself and what follows directly done in the run before", NULL, 0, 0, 0},
    {"pool", KEY_WORD, 0, AT(task.pool), "default_pool", "the pool it takes slots of", NULL, 0, 0,
        0},
    {"pool_slots", KEY_INT, 0, AT(task.pool_slots), "1", "how many", NULL, 1, 1000000, 0},
    {"priority_weight", KEY_NUMBER64, 0, AT(task.priority_weight), "1",
        "its weight among the DAG's ready tasks", NULL, -1000000000, 1000000000, 0},
    {"weight_rule", KEY_CHOICE, 0, AT(task.weight_rule), "downstream",
        "what is added to its weight", weight_rule_choices, 0, 0, 0},
    {"max_active_tis_per_dag", KEY_INT, 0, AT(task.max_active_tis_per_dag), NULL,
        "instances of it at the same time, in all runs", NULL, 1, 1000000, 0},
    {"max_active_tis_per_dagrun", KEY_INT, 0, AT(task.max_active_tis_per_dagrun), NULL,
        "instances of it at the same time, in one run", NULL, 1, 1000000, 0},
    {"params", KEY_MAPPING, 0, AT(params), "{}", "values over the DAG's", NULL, 0, 0, 0},
    {"env", KEY_TEXT_MAP, KEY_TEMPLATED, AT(parts.process.env), "{}", "environment variables", NULL,
        0, 0, 0},
    {"setup", KEY_BOOL, 0, AT(task.setup), "false", "makes what others need", NULL, 0, 0, 0},
    {"teardown", KEY_BOOL, 0, AT(task.teardown), "false",
        "removes what a setup made; runs even after failures", NULL, 0, 0, 0},
    {"on_failure_fail_dagrun", KEY_BOOL, 0, AT(task.on_failure_fail_dagrun), "false",
        "of a teardown: its failure fails the run", NULL, 0, 0, 0},
    {"settings", KEY_TEXT_MAP, KEY_TEMPLATED, AT(task.sql.settings), "{}",
        "SET LOCAL of these, over the connection's", NULL, 0, 0, 0},
    {"doc", KEY_WORD, 0, AT(task.doc), NULL, "a note for people", NULL, 0, 0, 0},
    {"expand", KEY_MAPPING, KEY_TEMPLATED, AT(expand), NULL,
        "one instance for each of these values", NULL, 0, 0, 0},
    {"expand_mode", KEY_CHOICE, 0, AT(expand_mode), "product", "how several lists are put together",
        expand_mode_choices, 0, 0, 0},
    {"reads", KEY_WORDS, 0, AT(parts.data.reads), "[]",
        "tables it reads that its text does not show", NULL, 0, 0, 0},
    {"writes", KEY_WORDS, 0, AT(parts.data.writes), "[]",
        "tables it writes that its text does not show", NULL, 0, 0, 0},
    {"outlets", KEY_WORDS, 0, AT(parts.data.outlets), "[]", "assets that its success updates", NULL,
        0, 0, 0},
    {"inlets", KEY_WORDS, 0, AT(parts.data.inlets), "[]", "assets it reads", NULL, 0, 0, 0},
    {"deadline", KEY_NODE, 0, AT(deadline), NULL,
        "when it should have ended: a duration from its start, or a mapping", NULL, 0, 0, 0},
    {"on_failure", KEY_NODE, KEY_LATER, AT(later), NULL, "alerts when it fails", NULL, 0, 0, 0},
    {"on_success", KEY_NODE, KEY_LATER, AT(later), NULL, "alerts when it succeeds", NULL, 0, 0, 0},
    {"on_retry", KEY_NODE, KEY_LATER, AT(later), NULL, "alerts when it is retried", NULL, 0, 0, 0},

    /* sql */
    {"connection", KEY_WORD, 0, AT(task.sql.connection), "the only one",
        "the database, one of dag.yaml's connections", NULL, 0, 0, ASKS_SQL},
    {"parameters", KEY_NODE, KEY_TEMPLATED, AT(parameters), NULL,
        "values bound to the statement: a list or a mapping", NULL, 0, 0, ASKS_SQL},
    {"transaction", KEY_BOOL, 0, AT(task.sql.transaction), "true",
        "false: statements are committed one by one", NULL, 0, 0, SQL},
    {"isolation", KEY_CHOICE, 0, AT(task.sql.isolation), "default", "of the transaction",
        isolation_choices, 0, 0, SQL},
    {"session", KEY_CHOICE, 0, AT(task.sql.session), "auto", "whether a session may be used again",
        session_choices, 0, 0, SQL},
    {"statement_timeout", KEY_DURATION, 0, AT(task.sql.statement_timeout_us), NULL,
        "how long one statement may take", NULL, 0, 0, ASKS_SQL},
    {"checks", KEY_NODE, KEY_TEMPLATED, AT(checks), "[]", "what must hold of the rows it wrote",
        NULL, 0, 0, SQL},
    {"copy_from", KEY_PATHS, KEY_TEMPLATED, AT(task.sql.copy_from), "[]",
        "the files that COPY … FROM STDIN reads: one for each, in their order", NULL, 0, 0, SQL},
    {"copy_to", KEY_PATHS, KEY_TEMPLATED, AT(task.sql.copy_to), "[]",
        "the files that COPY … TO STDOUT writes: one for each, in their order", NULL, 0, 0, SQL},
    {"result", KEY_CHOICE, 0, AT(task.sql.result), "none", "what of the last result is its XCom",
        result_choices, 0, 0, SQL},

    /* bash, exec, python */
    {"args", KEY_TEXTS, KEY_TEMPLATED, AT(parts.process.args), "[]", "further arguments", NULL, 0,
        0, BIT(KIND_BASH) | BIT(KIND_PYTHON)},
    {"cwd", KEY_TEXT, KEY_TEMPLATED, AT(parts.process.cwd), "the project's root",
        "the working directory", NULL, 0, 0, PROCESS},
    {"interpreter", KEY_WORD, 0, AT(parts.process.interpreter), ".venv/bin/python, else python3",
        "what runs the file", NULL, 0, 0, BIT(KIND_PYTHON)},
    {"kill_grace", KEY_DURATION, 0, AT(parts.process.kill_grace_us), "60s",
        "from SIGTERM to SIGKILL", NULL, 0, 0, PROCESS},
    {"connections", KEY_WORDS, 0, AT(parts.process.connections), "[]",
        "whose URIs are in its environment", NULL, 0, 0, PROCESS},
    {"skip_on_exit_code", KEY_INT, 0, AT(parts.process.skip_on_exit_code), "99",
        "the exit code that means skipped", NULL, 0, 255, PROCESS},

    /* http */
    HTTP_ROWS(OF_TASK, BIT(KIND_HTTP)),

    /* wait_for, short_circuit, trigger_dag */
    {"poke_interval", KEY_DURATION, 0, AT(parts.wait.poke_interval_us), "60s", "between two looks",
        NULL, 0, 0, BIT(KIND_WAIT_FOR)},
    {"timeout", KEY_DURATION, 0, AT(parts.wait.timeout_us), "7d", "how long to wait at most", NULL,
        0, 0, BIT(KIND_WAIT_FOR)},
    {"soft_fail", KEY_BOOL, 0, AT(parts.wait.soft_fail), "false", "skipped instead of failed", NULL,
        0, 0, BIT(KIND_WAIT_FOR)},
    {"exponential_backoff", KEY_BOOL, 0, AT(parts.wait.exponential_backoff), "false",
        "looks less and less often", NULL, 0, 0, BIT(KIND_WAIT_FOR)},
    {"ignore_downstream_trigger_rules", KEY_BOOL, 0, AT(ignore_downstream_trigger_rules), "true",
        "false: skips only the direct ones", NULL, 0, 0, BIT(KIND_SHORT_CIRCUIT)},
    TRIGGER_ROWS(OF_TASK_TRIGGER, BIT(KIND_TRIGGER_DAG)),
};

static const struct airflow_word task_words[] = {
    {"task_id", NULL, "the task's id is its key in `tasks`"},
    {"id", NULL, "the task's id is its key in `tasks`"},
    {"name", NULL, "the task's id is its key in `tasks`"},
    {"operator", NULL, "the key says the kind: write `sql: …`, `bash: …`, `python: …`"},
    {"type", NULL, "the key says the kind: write `sql: …`, `bash: …`, `python: …`"},
    {"bash_command", "bash", NULL},
    {"command", "bash", NULL},
    {"script", "bash", NULL},
    {"shell", "bash", NULL},
    {"python_callable", "python", "put the code in a file and write `python: file.py`"},
    {"op_args", "args", NULL},
    {"op_kwargs", "args", NULL},
    {"SQLExecuteQueryOperator", "sql", NULL},
    {"PostgresOperator", "sql", NULL},
    {"GreenplumOperator", "sql", NULL},
    {"BashOperator", "bash", NULL},
    {"PythonOperator", "python", NULL},
    {"EmptyOperator", "empty", NULL},
    {"DummyOperator", "empty", NULL},
    {"HttpOperator", "http", NULL},
    {"SimpleHttpOperator", "http", NULL},
    {"BranchPythonOperator", "branch", NULL},
    {"ShortCircuitOperator", "short_circuit", NULL},
    {"LatestOnlyOperator", "latest_only", NULL},
    {"TriggerDagRunOperator", "trigger_dag", NULL},
    {"ExternalTaskSensor", "wait_for", NULL},
    {"SqlSensor", "wait_for", NULL},
    {"FileSensor", "wait_for", NULL},
    {"sensor", "wait_for", NULL},
    {"external_task_id", "wait_for", NULL},
    {"external_dag_id", "wait_for", NULL},
    {"trigger_dag_id", "trigger_dag", NULL},
    {"wait_for_completion", "wait", NULL},
    {"conn_id", "connection", NULL},
    {"postgres_conn_id", "connection", NULL},
    {"greenplum_conn_id", "connection", NULL},
    {"http_conn_id", "connection", NULL},
    {"database", "connection", NULL},
    {"autocommit", "transaction", "`autocommit: true` is `transaction: false`"},
    {"isolation_level", "isolation", NULL},
    {"do_xcom_push", "result", NULL},
    {"upstream", "depends_on", NULL},
    {"upstream_task_ids", "depends_on", NULL},
    {"dependencies", "depends_on", NULL},
    {"depends", "depends_on", NULL},
    {"needs", "depends_on", NULL},
    {"after", "depends_on", NULL},
    {"set_upstream", "depends_on", NULL},
    {"downstream", NULL, "write `depends_on` at the tasks that follow"},
    {"set_downstream", NULL, "write `depends_on` at the tasks that follow"},
    {"task_concurrency", "max_active_tis_per_dag", NULL},
    {"max_active_tasks", "max_active_tis_per_dagrun", NULL},
    {"weight", "priority_weight", NULL},
    {"priority", "priority_weight", NULL},
    {"queue", "pool", NULL},
    {"on_failure_callback", "on_failure", NULL},
    {"on_success_callback", "on_success", NULL},
    {"on_retry_callback", "on_retry", NULL},
    {"email_on_failure", "on_failure", NULL},
    {"email_on_retry", "on_retry", NULL},
    {"email", "on_failure", NULL},
    {"sla", "deadline", NULL},
    {"doc_md", "doc", NULL},
    {"description", "doc", NULL},
    {"env_vars", "env", NULL},
    {"append_env", NULL, "leave it out: `env` is added to the environment"},
    {"skip_exit_code", "skip_on_exit_code", NULL},
    {"as_setup", "setup", NULL},
    {"is_setup", "setup", NULL},
    {"as_teardown", "teardown", NULL},
    {"is_teardown", "teardown", NULL},
    {"hook_params", "settings", NULL},
    {"mode", NULL, "leave it out: what waits holds no slot"},
    {"expand_kwargs", "expand", NULL},
    {"partial", "expand", NULL},
    {"split_statements", NULL, "leave it out: statements are sent one at a time"},
    {"owner", NULL, "write `owner` at the DAG"},
    {"start_date", NULL, "write `start_date` at the DAG"},
    {"end_date", NULL, "write `end_date` at the DAG"},
};

#undef AT
#define AT(field) offsetof(struct expand_keys, field)

static const struct key expand_rows[] = {
    {"task", KEY_WORD, 0, AT(task), NULL, "the task whose XCom is the list; it comes before", NULL,
        0, 0, 0},
    {"sql", KEY_TEXT, KEY_TEMPLATED, AT(sql), NULL, "a query, or a path that ends in .sql", NULL, 0,
        0, 0},
    {"connection", KEY_WORD, 0, AT(connection), "the task's, or the only one", "of the query", NULL,
        0, 0, 0},
};

const struct level expand_level = {
    "a source of `expand`", expand_rows, ARRAY_SIZE(expand_rows), NULL, 0};

#undef AT
#define AT(field) offsetof(struct ask_keys, field)

static const struct key ask_rows[] = {
    {"sql", KEY_TEXT, KEY_TEMPLATED | KEY_REQUIRED, AT(sql), NULL,
        "a statement that only reads, or a path that ends in .sql", NULL, 0, 0, 0},
};

const struct level ask_level = {"a question", ask_rows, ARRAY_SIZE(ask_rows), NULL, 0};

static const struct key http_rows[] = {HTTP_ROWS(OF_HTTP, 0)};

static const struct airflow_word http_words[] = {
    {"endpoint", "url", NULL},
    {"data", "body", NULL},
    {"json", "body", NULL},
    {"response_check", "expect", NULL},
    {"response_filter", "result", NULL},
    {"verify", NULL, "certificates are always checked: SSL_CERT_FILE names further ones"},
};

const struct level http_level = {
    "a request", http_rows, ARRAY_SIZE(http_rows), http_words, ARRAY_SIZE(http_words)};

static const struct key trigger_rows[] = {TRIGGER_ROWS(OF_TRIGGER, 0)};

static const struct airflow_word trigger_words[] = {
    {"trigger_dag_id", "dag_id", NULL},
    {"execution_date", "logical_date", NULL},
    {"wait_for_completion", "wait", NULL},
    {"reset_dag_run", NULL, "leave it out: the task cleared clears the run that it made"},
    {"skip_when_already_exists", NULL, "a date whose run this task did not make fails it"},
    {"trigger_run_id", NULL, "leave it out: the id follows from the date"},
    {"poke_interval", NULL, "leave it out: the run's end is noticed at once"},
};

const struct level trigger_level = {"a run to trigger", trigger_rows, ARRAY_SIZE(trigger_rows),
    trigger_words, ARRAY_SIZE(trigger_words)};

#undef AT
#define AT(field) offsetof(struct check_keys, field)

static const char *const severity_choices[] = {"error", "warn", NULL};

static const struct key check_rows[] = {
    {"table", KEY_TEXT, KEY_TEMPLATED, AT(table), "the only one that the task writes",
        "whose rows are looked at", NULL, 0, 0, 0},
    {"where", KEY_TEXT, KEY_TEMPLATED, AT(where), "all rows", "which of them: a condition", NULL, 0,
        0, 0},
    {"severity", KEY_CHOICE, 0, AT(severity), "error", "whether it fails the task or warns",
        severity_choices, 0, 0, 0},
    {"row_count", KEY_TEXT, KEY_TEMPLATED, AT(row_count), NULL,
        "how many there are: `\"> 0\"`, `\">= 10\"`, `\"!= 3\"`, a number", NULL, 0, 0, 0},
    {"not_null", KEY_WORDS, 0, AT(not_null), NULL, "columns without NULL", NULL, 0, 0, 0},
    {"unique", KEY_WORDS, 0, AT(unique), NULL,
        "columns that together are different in every row; a NULL is equal to nothing", NULL, 0, 0,
        0},
    {"accepted_values", KEY_MAPPING, KEY_TEMPLATED, AT(accepted_values), NULL,
        "columns and the values they may have, besides NULL", NULL, 0, 0, 0},
    {"sql", KEY_TEXT, KEY_TEMPLATED, AT(sql), NULL,
        "instead: a query, or a path that ends in .sql, of which every row gives true", NULL, 0, 0,
        0},
};

static const struct airflow_word check_words[] = {
    {"partition_clause", "where", NULL},
    {"tests", NULL, "write `not_null`, `unique`, `accepted_values`, `row_count` or `sql`"},
    {"relationships", "sql", "write a query that gives true when nothing is missing"},
};

const struct level check_level = {
    "a check", check_rows, ARRAY_SIZE(check_rows), check_words, ARRAY_SIZE(check_words)};

#undef AT
#define AT(field) offsetof(struct wait_keys, field)

static const char *const failed_choices[] = {"fail", "wait", NULL};

static const struct key wait_rows[] = {
    {"sql", KEY_TEXT, KEY_TEMPLATED, AT(sql), NULL,
        "a statement that only reads, until its first value is there and true", NULL, 0, 0, 0},
    {"file", KEY_TEXT, KEY_TEMPLATED, AT(file), NULL,
        "a path or pattern (`*`, `?`, `[…]`), until something matches", NULL, 0, 0, 0},
    {"http", KEY_NODE, KEY_TEMPLATED, AT(http), NULL,
        "a request: its url, or a mapping; until it is answered as expected", NULL, 0, 0, 0},
    {"task", KEY_MAPPING, KEY_TEMPLATED, AT(task), NULL,
        "another DAG, until its runs over this run's interval succeeded", NULL, 0, 0, 0},
    {"time", KEY_TEXT, KEY_TEMPLATED, AT(time), NULL,
        "a time, a time of day, or how long after the interval's end", NULL, 0, 0, 0},
    {"asset", KEY_TEXT, 0, AT(asset), NULL,
        "an asset, until it was updated after the interval's start", NULL, 0, 0, 0},
};

static const struct airflow_word wait_words[] = {
    {"filepath", "file", NULL},
    {"external_dag_id", "task", "write `task: {dag: …, task: …}`"},
    {"external_task_id", "task", "write `task: {dag: …, task: …}`"},
    {"target_time", "time", NULL},
    {"delta", "time", NULL},
};

const struct level wait_level = {
    "a sensor", wait_rows, ARRAY_SIZE(wait_rows), wait_words, ARRAY_SIZE(wait_words)};

#undef AT
#define AT(field) offsetof(struct wait_task_keys, field)

static const struct key wait_task_rows[] = {
    {"dag", KEY_TEXT, KEY_TEMPLATED | KEY_REQUIRED, AT(dag), NULL, "the DAG", NULL, 0, 0, 0},
    {"task", KEY_TEXT, KEY_TEMPLATED, AT(task), "the whole run", "one of its tasks", NULL, 0, 0, 0},
    {"failed", KEY_CHOICE, 0, AT(failed), "fail",
        "what becomes of the sensor when a run, or the task in it, failed", failed_choices, 0, 0,
        0},
};

const struct level wait_task_level = {
    "the task of a sensor", wait_task_rows, ARRAY_SIZE(wait_task_rows), NULL, 0};

const struct level task_level = {
    "a task", task_rows, ARRAY_SIZE(task_rows), task_words, ARRAY_SIZE(task_words)};

_Static_assert(ARRAY_SIZE(task_rows) <= LEVEL_KEYS_MAX, "keys_given has room for every row");
