/*
 * The model of a DAG and of a project: plain, checked, immutable data.
 *
 * A `struct dag` is one version of one DAG.  It owns everything it points to (one arena) and is
 * counted: the catalogue, live runs and attempts hold references.  Nothing in it changes after it
 * was made, so any thread may read it; the count is atomic.
 */
#ifndef DEFINITION_MODEL_MODEL_H
#define DEFINITION_MODEL_MODEL_H

#include <stdatomic.h>
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "definition/model/state.h"

struct timetable;     /* language/timetable/timetable.h */
struct zone;          /* language/timetable/zone.h */
struct sql_functions; /* language/sql/tables.h */

/* A value as the user wrote it, with its place in the DAG file (so that what it renders to, or what
   a database says about it, can be shown there). */
struct text {
    const char *value; /* NULL = the key was not given */
    /* Of the value's first character; of a block scalar's content. */
    uint32_t line, column;
    bool exact;      /* the text stands in the file byte for byte from there (plain or literal) */
    uint32_t indent; /* spaces the file has before each further line (block scalars) */
};
struct texts {
    const struct text *at;
    size_t count;
};
struct named_text {
    const char *name;
    struct text text;
};
struct named_texts {
    const struct named_text *at;
    size_t count;
};
struct names {
    const char *const *at;
    size_t count;
};
struct indexes {
    const uint32_t *at;
    size_t count;
};

enum task_kind {
    KIND_EMPTY,
    KIND_SQL,
    KIND_BASH,
    KIND_EXEC,
    KIND_PYTHON,
    KIND_HTTP,
    KIND_WAIT_FOR,
    KIND_BRANCH,
    KIND_SHORT_CIRCUIT,
    KIND_TRIGGER_DAG,
    KIND_LATEST_ONLY,
    KIND_COUNT
};
const char *task_kind_name(enum task_kind kind); /* "sql" … */
/* Whether a variable of a process's environment is dag's own, and not for `env`. */
bool process_env_is_kept(const char *name);
/* Whether tasks of this kind decide which of those that follow are skipped. */
bool task_kind_decides(enum task_kind kind);

enum weight_rule { WEIGHT_DOWNSTREAM, WEIGHT_UPSTREAM, WEIGHT_ABSOLUTE };
enum catchup { CATCHUP_LATEST, CATCHUP_ALL, CATCHUP_NONE };
enum sql_isolation {
    ISOLATION_DEFAULT,
    ISOLATION_READ_COMMITTED,
    ISOLATION_REPEATABLE_READ,
    ISOLATION_SERIALIZABLE
};
enum sql_session { SESSION_AUTO, SESSION_FRESH, SESSION_REUSE };
enum sql_result { RESULT_NONE, RESULT_SCALAR, RESULT_ROW, RESULT_ROWS };

/* What must hold of the rows that a SQL task wrote. */
enum sql_check_kind {
    CHECK_ROW_COUNT,       /* `condition`: "> 0" */
    CHECK_NOT_NULL,        /* no NULL in any of `columns` */
    CHECK_UNIQUE,          /* no two rows share all of `columns`; those with a NULL do not count */
    CHECK_ACCEPTED_VALUES, /* of each column one of `values`, or NULL */
    CHECK_SQL              /* `condition`: a query, each of whose rows gives true */
};
struct sql_check {
    enum sql_check_kind kind;
    bool warns;            /* severity: warn */
    uint32_t line, column; /* of the check in the DAG file */
    struct text table;     /* a template; not given: the only table that the task writes */
    struct text where;     /* a template; not given: all rows */
    struct text condition; /* a template */
    bool is_path;          /* CHECK_SQL: `condition` is the path of a template */
    struct names columns;
    const json_t *values; /* a mapping of columns to lists of scalars; texts are templates */
};

struct sql_task {
    struct text sql; /* the text, or the path of a template */
    bool is_path, transaction;
    enum sql_isolation isolation;
    enum sql_session session;
    enum sql_result result;
    const char *connection;       /* NULL = it asks no database */
    const json_t *parameters;     /* bound parameters (list or mapping of texts), NULL = none */
    int64_t statement_timeout_us; /* 0 = none */
    struct named_texts settings;  /* SET LOCAL, over the connection's */
    const struct sql_check *checks;
    size_t check_count;
    struct texts copy_from, copy_to; /* files of COPY, in the order of the statements */
};

struct process_task {
    struct text script;      /* bash: text; python: path */
    struct texts argv;       /* exec: program and arguments */
    struct texts args;       /* bash, python: further arguments */
    struct text cwd;         /* default: the project's root */
    const char *interpreter; /* python; NULL = .venv/bin/python of the project, else python3 */
    int64_t kill_grace_us;
    struct names connections; /* whose URIs are passed as DAG_CONN_<NAME> */
    struct named_texts env;
    int skip_on_exit_code; /* 99 by default */
};

/* Where the values of one name in `mapped` come from. */
enum expand_kind {
    EXPAND_VALUES, /* a list in the DAG file */
    EXPAND_TEXT,   /* a template that gives a JSON list */
    EXPAND_TASK,   /* a task's XCom */
    EXPAND_SQL     /* the rows of a query */
};
struct expand_source {
    const char *name;
    enum expand_kind kind;
    uint32_t line;
    const json_t *values; /* EXPAND_VALUES: texts in it are templates */
    struct text text;     /* EXPAND_TEXT; EXPAND_SQL: the query, or the path of a template */
    bool is_path;
    const char *task_id;    /* EXPAND_TASK: one of its upstreams */
    const char *connection; /* EXPAND_SQL */
};
enum {
    /* Instances of one mapped task in a run, as Airflow's max_map_length. */
    MAPPED_MAX = 1024,
};
/* A mapped task has an instance for each combination of its sources' values. */
struct expand {
    const struct expand_source *at;
    size_t count; /* 0 = not mapped */
    bool zip;     /* values of the same place belong together; else all combinations */
};

/* What a schedule asks of assets: that one was updated, or all or any of several. */
enum asset_op { ASSET_ONE, ASSET_ALL, ASSET_ANY };
struct asset_expr {
    enum asset_op op;
    const char *name;               /* ASSET_ONE */
    const struct asset_expr *items; /* the others */
    size_t count;
};

/* When a run or a task should have ended. */
enum deadline_kind {
    DEADLINE_NONE,
    DEADLINE_START,   /* `after_us` after it started */
    DEADLINE_LOGICAL, /* `after_us` after the logical date */
    DEADLINE_TYPICAL, /* `factor` times the median of its past durations after it started */
};
struct deadline {
    enum deadline_kind kind;
    int64_t after_us;
    double factor;
};

/* What a branch or a short circuit decides by.  What latest_only decides by is the clock. */
struct decision_task {
    struct text text; /* a template; not given: the task's `sql` is asked */
    bool only_direct; /* short_circuit: skips what follows directly, and rules do the rest */
};

/* A request over HTTP. */
struct http_statuses {
    int from, to; /* both inclusive */
};
struct http_task {
    const char *method; /* "GET"; NULL = no request */
    struct text url;
    struct named_texts headers;
    struct text body;   /* not given: `json`, or none */
    const json_t *json; /* a mapping or list; the texts in it are templates; NULL = none */
    uint32_t json_line;
    const struct http_statuses *expect; /* what counts as a success */
    size_t expect_count;
    const char *result; /* JSON pointer (RFC 6901) into the answer, NULL = not wanted */
};

/* What a sensor waits for. */
enum wait_kind {
    WAIT_SQL,   /* the first value of the task's `sql` is there, and not false */
    WAIT_FILE,  /* `text`: a path or pattern that something matches */
    WAIT_TASK,  /* another DAG's runs over this run's interval */
    WAIT_TIME,  /* `text`: a point of time */
    WAIT_ASSET, /* `text`: an asset that was updated since this run's interval began */
    WAIT_HTTP   /* the task's `http` is answered as expected */
};
struct wait_task {
    enum wait_kind kind;
    struct text text;            /* a template */
    struct text dag_id, task_id; /* WAIT_TASK; templates; `task_id` not given: the whole runs */
    bool failed_waits;           /* WAIT_TASK: what failed may yet succeed; else it fails too */
    int64_t poke_interval_us, timeout_us; /* timeout_us 0 = none */
    bool soft_fail, exponential_backoff;
};

/* The run that a `trigger_dag` task makes; all texts are templates. */
struct trigger_task {
    struct text dag_id;
    struct text conf;   /* gives a JSON object; not given: `json`, or {} */
    const json_t *json; /* a mapping; the texts in it are templates; NULL = none */
    uint32_t json_line;
    struct text logical_date; /* not given: that of the task's own run */
    bool wait;
};

/* What a task says of its data. */
struct data_keys {
    struct names outlets, inlets; /* assets, each once */
    struct names reads, writes;   /* tables that its text does not show, as they were written */
};

struct task {
    const char *task_id; /* with its groups: "features.pivot" */
    uint32_t index;      /* in dag.tasks */
    uint32_t line;       /* of the task's key in the DAG file */
    enum task_kind kind;
    struct indexes upstream;   /* direct; groups resolved */
    struct indexes downstream; /* direct */
    enum trigger_rule trigger_rule;
    bool setup, teardown, on_failure_fail_dagrun;
    bool depends_on_past, wait_for_downstream;

    int retries;
    int pool_slots;
    enum weight_rule weight_rule;
    int64_t retry_delay_us;
    double retry_exponential_backoff; /* 0 = off, else the multiplier */
    int64_t max_retry_delay_us;
    /* SQLSTATEs, two-character classes, exit codes, "all"; empty = default */
    struct names retry_on;
    int64_t execution_timeout_us; /* 0 = none */

    const char *pool;
    int64_t priority_weight; /* own */
    int64_t weight;          /* by the rule: own plus descendants' or ancestors' */
    int max_active_tis_per_dag, max_active_tis_per_dagrun; /* 0 = none */

    const json_t *params; /* a mapping over the DAG's, NULL = none */
    const char *doc;
    struct deadline deadline;
    struct expand expand;
    struct sql_task sql;
    /* What only some tasks have, or some kinds: of every other task an empty one, never NULL. */
    const struct data_keys *data;
    const struct decision_task *decision;
    const struct process_task *process;
    const struct http_task *http;
    const struct wait_task *wait;
    const struct trigger_task *trigger;
};

/* The parts that only some tasks have, before a task is made of them. */
struct task_parts {
    struct data_keys data;
    struct decision_task decision;
    struct process_task process;
    struct http_task http;
    struct wait_task wait;
    struct trigger_task trigger;
};

/* Gives `task` those of `parts` that it has, copied into `arena`; empty ones for the rest,
   and without `parts`. */
void task_set_parts(struct task *task, const struct task_parts *parts, struct arena *arena);

/* A parameter's declaration: a JSON-Schema subset, or just a default. */
struct param {
    const char *name;
    const json_t *schema;        /* NULL when only a value was given */
    const json_t *default_value; /* NULL = must be given */
    uint32_t line, column;
};

/* One file of a version's manifest. */
struct manifest_file {
    const char *path; /* relative to the project's root */
    char hash[HASH_TEXT_SIZE];
};

struct dag {
    atomic_int references;
    struct arena *arena;

    const char *dag_id;
    const char *file;                /* relative to the project's root */
    const char *description, *owner; /* may be NULL */
    struct names tags;
    uint32_t line;

    const char *schedule_text; /* as shown to people: "@daily", "30 2 * * *", "none" */
    const char *schedule_spec; /* from which the timetable can be made again; NULL: without, or not
                                  asked for (dagfile_options.keep_schedule) */
    const struct timetable *timetable; /* NULL without a schedule */
    const struct zone *zone;
    int64_t start_us;                /* INT64_MIN = none given */
    int64_t end_us;                  /* last logical date, inclusive; INT64_MAX = none */
    const struct asset_expr *assets; /* that it is scheduled on, NULL = none */
    struct names asset_names;        /* those in `assets`, each once */
    struct deadline deadline;        /* of a run */
    bool has_deadlines;              /* of its runs or of any task */
    bool uses_durations;             /* any of these is DEADLINE_TYPICAL */
    enum catchup catchup;
    int max_active_runs, max_active_tasks;
    int max_consecutive_failed_runs; /* 0 = off */
    int64_t priority;
    int64_t run_timeout_us; /* 0 = none */
    bool fail_fast, paused;
    const struct param *params;
    size_t param_count;

    const struct task *tasks; /* in the file's order */
    uint32_t task_count;
    const uint32_t *topological; /* indexes of tasks, upstreams first, ties in the file's order */
    bool uses_past;              /* any task has depends_on_past or wait_for_downstream */

    char version[HASH_TEXT_SIZE]; /* of the manifest */
    /* Of ids, kinds, edges and rules only: what a live run needs to stay the same to take a newer
       version. */
    char graph_version[HASH_TEXT_SIZE];
    const struct manifest_file *files;
    size_t file_count;
    const char *kept; /* the folder that keeps them (definition/versions.h), NULL = none */
};

struct dag *dag_ref(const struct dag *dag);
void dag_unref(struct dag *dag); /* NULL is fine */
DEFINE_CLEANUP(struct dag, dag_unref);
bool names_have(const struct names *names, const char *name);
/* The task of that id, or NULL. */
const struct task *dag_find_task(const struct dag *dag, const char *task_id);
/* An instance as people write it: "task", or "task[3]" of a mapped one.  May be `task_id` itself.
 */
const char *task_word(struct arena *arena, const char *task_id, int64_t map_index);

enum dialect { DIALECT_POSTGRESQL, DIALECT_GREENPLUM6, DIALECT_GREENPLUM7 };
const char *dialect_name(enum dialect dialect);
bool dialect_parse(const char *name, enum dialect *ret);

/* Where a setting's value came from, highest first. */
enum origin { ORIGIN_FLAG, ORIGIN_ENVIRONMENT, ORIGIN_FILE, ORIGIN_STORED, ORIGIN_DEFAULT };

struct connection {
    const char *name;
    const char *uri; /* secret: never printed; connection_uri_shown() is for people */
    enum dialect dialect;
    int max_connections;
    struct named_texts settings;
    const char *test_uri; /* may be NULL */
    bool ledger;
    const char *ledger_schema;
    enum origin origin;
    const char *problem; /* why its stored address cannot be used; NULL: it can */
};

struct pool {
    const char *name;
    int slots;
};

struct variable {
    const char *name;
    const char *value; /* text; JSON for structured values */
    bool secret;
    enum origin origin;
    const char *problem; /* why its stored value cannot be used; NULL: it can */
};

/* A question over HTTP: one statement that reads, its parameters bound. */
struct endpoint {
    const char *name;
    const char *description; /* may be NULL */
    const char *connection;
    const char *sql;            /* $1 is the first of `params`; each of them is in it */
    const struct param *params; /* what a request may give, or must where there is no default */
    size_t param_count;
    int64_t timeout_us; /* of a request, the waiting in it included */
    int64_t cache_us;   /* how long an answer is given again; 0 = never */
    int max_concurrent; /* queries on the database at once: sessions */
    int max_waiting;    /* requests that wait for one of those */
    int max_body_bytes; /* of a request */
    int max_rows;       /* of an answer */
};

/* Where the models that pipelines train are recorded (docs/models.md). */
struct registry {
    const char *connection;
    const char *table, *evaluation; /* quoted names */
    const struct endpoint *scored;  /* what versions have scored; NULL: nobody tells */
};

/* A setting as `dag config --origin` shows it. */
struct setting {
    const char *name;  /* dotted: "timezone", "connections.greenplum.uri" */
    const char *value; /* as text; "***" when it is secret */
    enum origin origin;
    const char *source;    /* "--state", "DAG_STATE", "dag.yaml"; NULL for defaults */
    uint32_t line, column; /* in a file, else 0 */
};

/* A project: dag.yaml with the environment's file merged over it, flags and variables applied. */
struct project {
    struct arena *arena;
    const char *root;                                  /* absolute */
    const char *environment;                           /* NULL = none */
    const char *dags, *templates, *migrations, *tests; /* relative to root */
    const char *state;                                 /* absolute: .dag or .dag/<environment> */
    const char *timezone;
    const struct connection *connections;
    size_t connection_count;
    const struct pool *pools; /* default_pool is always there */
    size_t pool_count;
    const struct variable *variables;
    size_t variable_count;
    const struct sql_functions *functions; /* whose tables dag.yaml tells; NULL = none */
    int max_processes;
    bool paused_upon_creation;
    int64_t retention_us;
    int64_t shutdown_grace_us; /* that running SQL tasks get when the daemon is told to stop */
    const struct endpoint *endpoints;
    size_t endpoint_count;
    const struct registry *registry; /* of models; NULL = none */
    const char *web_listen;
    const struct setting *settings; /* all of the above, with their origins */
    size_t setting_count;
    const struct named_text
        *taken; /* what was read of the outside: "dag.yaml", "cmd:…", "file:…" */
    size_t taken_count;
    bool bare;           /* there need be no dag.yaml */
    unsigned references; /* beyond the first */
};
const struct connection *project_find_connection(const struct project *project, const char *name);
const struct pool *project_find_pool(const struct project *project, const char *name);
const struct variable *project_find_variable(const struct project *project, const char *name);
const struct endpoint *project_find_endpoint(const struct project *project, const char *name);
/* Another holder; project_free lets go.  One thread counts. */
const struct project *project_ref(const struct project *project);
void project_free(struct project *project); /* NULL is fine */
DEFINE_CLEANUP(struct project, project_free);

#endif
