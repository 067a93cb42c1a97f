/* The keys of dag.yaml. */
#include "definition/keys.h"
#include "definition/limits.h"

#define AT(field) offsetof(struct project_keys, field)

static const struct key project_rows[] = {
    {"dags", KEY_WORD, 0, AT(project.dags), "dags", "the folder of DAG files", NULL, 0, 0, 0},
    {"templates", KEY_WORD, 0, AT(project.templates), "templates", "the folder of templates", NULL,
        0, 0, 0},
    {"migrations", KEY_WORD, 0, AT(project.migrations), "migrations",
        "the folder of migrations: <connection>/NNNN_name.sql", NULL, 0, 0, 0},
    {"tests", KEY_WORD, 0, AT(project.tests), "tests", "the folder of tests of SQL tasks", NULL, 0,
        0, 0},
    {"state", KEY_WORD, 0, AT(state), ".dag",
        "where the state lives; an environment's in a folder of its name in it", NULL, 0, 0, 0},
    {"timezone", KEY_WORD, 0, AT(project.timezone), "UTC", "the DAGs' default", NULL, 0, 0, 0},
    {"connections", KEY_MAPPING, 0, AT(connections), "{}", "databases, by name", NULL, 0, 0, 0},
    {"pools", KEY_MAPPING, 0, AT(pools), "{default_pool: 128}", "slots, by the pool's name", NULL,
        0, 0, 0},
    {"max_processes", KEY_INT, 0, AT(project.max_processes), "32", "process tasks at the same time",
        NULL, 1, 100000, 0},
    {"paused_upon_creation", KEY_BOOL, 0, AT(project.paused_upon_creation), "false",
        "whether new DAGs start paused", NULL, 0, 0, 0},
    {"variables", KEY_MAPPING, 0, AT(variables), "{}",
        "values for templates: `var.value.NAME`; {value: …, secret: true} hides one", NULL, 0, 0,
        0},
    {"functions", KEY_MAPPING, 0, AT(functions), "{}",
        "the tables that functions of the databases touch, by the function's name", NULL, 0, 0, 0},
    {"alerts", KEY_MAPPING, KEY_LATER, AT(later), "{}", "where alerts go, by name", NULL, 0, 0, 0},
    {"smtp", KEY_MAPPING, KEY_LATER | KEY_SECRET, AT(later), "{}",
        "host, port, tls, user, password, from", NULL, 0, 0, 0},
    {"endpoints", KEY_MAPPING, 0, AT(endpoints), "{}", "predictions over HTTP, by name", NULL, 0, 0,
        0},
    {"models", KEY_MAPPING, 0, AT(models), "none", "the registry of models", NULL, 0, 0, 0},
    {"retention", KEY_DURATION, 0, AT(project.retention_us), "90d",
        "how long attempts, logs and XComs are kept", NULL, 0, 0, 0},
    {"shutdown_grace", KEY_DURATION, 0, AT(project.shutdown_grace_us), "0s",
        "how long a stopping daemon lets SQL tasks run before it cancels them", NULL, 0, 0, 0},
    {"web", KEY_MAPPING, 0, AT(web), "{listen: 127.0.0.1:8080}", "the status pages", NULL, 0, 0, 0},
};
#undef AT

static const struct airflow_word project_words[] = {
    {"dags_folder", "dags", NULL},
    {"template_searchpath", "templates", NULL},
    {"default_timezone", "timezone", NULL},
    {"dags_are_paused_at_creation", "paused_upon_creation", NULL},
    {"parallelism", "max_processes", NULL},
    {"conns", "connections", NULL},
    {"vars", "variables", NULL},
    {"webserver", "web", NULL},
    {"api", "web", NULL},
};

const struct level project_level = {
    "dag.yaml", project_rows, ARRAY_SIZE(project_rows), project_words, ARRAY_SIZE(project_words)};

#define AT(field) offsetof(struct connection_keys, connection.field)

static const char *const dialect_choices[] = {"postgresql", "greenplum6", "greenplum7", NULL};

static const struct key connection_rows[] = {
    {"uri", KEY_WORD, KEY_SECRET, AT(uri), "libpq's own defaults (PG*, ~/.pgpass)",
        "a libpq URI or conninfo text", NULL, 0, 0, 0},
    {"dialect", KEY_CHOICE, 0, AT(dialect), "postgresql", "what the server is", dialect_choices, 0,
        0, 0},
    {"max_connections", KEY_INT, 0, AT(max_connections), "8",
        "tasks on it at the same time: a pool of that many slots", NULL, 1, 10000, 0},
    {"settings", KEY_TEXT_MAP, 0, AT(settings), "{}", "SET LOCAL of these in every task", NULL, 0,
        0, 0},
    {"test_uri", KEY_WORD, KEY_SECRET, AT(test_uri), "the sandbox",
        "where `dag test` makes its scratch databases", NULL, 0, 0, 0},
    {"ledger", KEY_BOOL, 0, AT(ledger), "true", "whether tasks are recorded in the database", NULL,
        0, 0, 0},
    {"ledger_schema", KEY_WORD, 0, AT(ledger_schema), "dag", "in which schema", NULL, 0, 0, 0},
};
#undef AT

static const char uri_hint[] =
    "write all of it in `uri: postgresql://user@host:port/dbname`, the password in ~/.pgpass";

static const struct airflow_word connection_words[] = {
    {"url", "uri", NULL},
    {"dsn", "uri", NULL},
    {"conninfo", "uri", NULL},
    {"conn_type", "dialect", NULL},
    {"type", "dialect", NULL},
    {"host", "uri", uri_hint},
    {"port", "uri", uri_hint},
    {"schema", "uri", uri_hint},
    {"dbname", "uri", uri_hint},
    {"database", "uri", uri_hint},
    {"login", "uri", uri_hint},
    {"user", "uri", uri_hint},
    {"password", "uri", uri_hint},
    {"extra", "settings", NULL},
};

const struct level connection_level = {"a connection", connection_rows, ARRAY_SIZE(connection_rows),
    connection_words, ARRAY_SIZE(connection_words)};

#define AT(field) offsetof(struct endpoint_keys, field)

static const struct key endpoint_rows[] = {
    {"sql", KEY_TEXT, KEY_REQUIRED, AT(sql), NULL,
        "one query, or the path of its file in `templates`; `%(name)s` and `$1` are parameters",
        NULL, 0, 0, 0},
    {"connection", KEY_WORD, 0, AT(endpoint.connection), "the only one that is declared",
        "the database that it asks", NULL, 0, 0, 0},
    {"description", KEY_WORD, 0, AT(endpoint.description), NULL, "what it answers, in a line", NULL,
        0, 0, 0},
    {"params", KEY_MAPPING, 0, AT(params), "{}",
        "what a request gives, declared like a DAG's `params`", NULL, 0, 0, 0},
    {"timeout", KEY_DURATION, 0, AT(endpoint.timeout_us), "5s",
        "how long a request may take, waiting included; at most 10m", NULL, 0, 0, 0},
    {"cache", KEY_DURATION, 0, AT(endpoint.cache_us), "0s",
        "how long an answer is given again for the same values; at most 1d", NULL, 0, 0, 0},
    {"max_concurrent", KEY_INT, 0, AT(endpoint.max_concurrent), "4",
        "queries at the same time; each has a session, beside the connection's `max_connections`",
        NULL, 1, ENDPOINT_CONCURRENT_MAX, 0},
    {"max_waiting", KEY_INT, 0, AT(endpoint.max_waiting), "32",
        "requests that wait for their turn; more are told to come back", NULL, 0,
        ENDPOINT_WAITING_MAX, 0},
    {"max_body_bytes", KEY_INT, 0, AT(endpoint.max_body_bytes), "65536", "bytes of a request", NULL,
        2, ENDPOINT_BODY_MAX, 0},
    {"max_rows", KEY_INT, 0, AT(endpoint.max_rows), "1000", "rows of an answer", NULL, 1,
        ENDPOINT_ROWS_MAX, 0},
};
#undef AT

static const struct airflow_word endpoint_words[] = {
    {"query", "sql", NULL},
    {"conn_id", "connection", NULL},
    {"parameters", "params", NULL},
};

const struct level endpoint_level = {"an endpoint", endpoint_rows, ARRAY_SIZE(endpoint_rows),
    endpoint_words, ARRAY_SIZE(endpoint_words)};

#define AT(field) offsetof(struct registry_keys, field)

static const struct key registry_rows[] = {
    {"connection", KEY_WORD, 0, AT(registry.connection), "the only one that is declared",
        "the database that it is in", NULL, 0, 0, 0},
    {"table", KEY_WORD, 0, AT(registry.table), "models.registry", "a row a model and version", NULL,
        0, 0, 0},
    {"evaluation", KEY_WORD, 0, AT(registry.evaluation), "models.evaluation",
        "the points of their curves", NULL, 0, 0, 0},
    {"scored", KEY_TEXT, 0, AT(scored), NULL,
        "what versions have scored: a query, or the path of its file in `templates`, that gives "
        "`name`, `version`, `scored` (how many) and `newest` (a date)",
        NULL, 0, 0, 0},
};
#undef AT

const struct level registry_level = {"`models`", registry_rows, ARRAY_SIZE(registry_rows), NULL, 0};

static const struct key web_rows[] = {
    {"listen", KEY_WORD, 0, offsetof(struct web_keys, listen), "127.0.0.1:8080",
        "address and port of the pages", NULL, 0, 0, 0},
};

const struct level web_level = {"`web`", web_rows, ARRAY_SIZE(web_rows), NULL, 0};

static const struct key variable_rows[] = {
    {"value", KEY_NODE, KEY_REQUIRED, offsetof(struct variable_keys, value), NULL, "the value",
        NULL, 0, 0, 0},
    {"secret", KEY_BOOL, 0, offsetof(struct variable_keys, secret), "false",
        "whether it is hidden wherever it would show", NULL, 0, 0, 0},
};

const struct level variable_level = {
    "a variable", variable_rows, ARRAY_SIZE(variable_rows), NULL, 0};

static const struct key function_rows[] = {
    {"reads", KEY_WORDS, 0, offsetof(struct function_keys, reads), "none",
        "tables that a call reads; in a name `$1` is the first argument's text", NULL, 0, 0, 0},
    {"writes", KEY_WORDS, 0, offsetof(struct function_keys, writes), "none",
        "tables that a call writes", NULL, 0, 0, 0},
};

const struct level function_level = {
    "a function", function_rows, ARRAY_SIZE(function_rows), NULL, 0};
