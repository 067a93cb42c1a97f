/* What the tables of keys cannot say of values: forms of the schemas of DAG files and dag.yaml. */
#include "definition/schema.h"

#define REF(name) "'$ref': '#/$defs/" name "'"
#define MAP_OF(name) "'type': 'object', 'additionalProperties': {" REF(name) "}"
#define SCALAR "{'type': ['string', 'number', 'boolean']}"
#define TEXT_OR_LIST                                                                               \
    "'oneOf': [{'type': 'string'}, {'type': 'array', 'items': {'type': 'string'}, 'minItems': 1}]"
#define DEADLINE "'oneOf': [{'type': 'null'}, {" REF("duration") "}, {" REF("deadline") "}]"
#define DATE "'oneOf': [{'type': 'null'}, {'type': 'string', 'pattern': '^[0-9]{4}'}]"
#define REQUEST "'oneOf': [{'type': 'string'}, {" REF("request") "}]"
#define CONF "'oneOf': [{'type': 'null'}, {'type': 'object'}, {'type': 'string', 'pattern': '[{]'}]"
#define QUESTION "'oneOf': [" SCALAR ", {" REF("question") "}]"
#define STATUS                                                                                     \
    "{'type': 'integer', 'minimum': 100, 'maximum': 599},"                                         \
    "{'type': 'string', 'pattern': '^[1-5][xX][xX]$'}"
#define STATUSES                                                                                   \
    "'oneOf': [{'type': 'null'}, " STATUS                                                          \
    ", {'type': 'array', 'minItems': 1, 'items': {'oneOf': [" STATUS "]}}]"
#define ANYTHING "'type': ['null', 'string', 'number', 'boolean', 'array', 'object']"

static const struct schema_definition dag_definitions[] = {
    {"task", &task_level, NULL, false},
    {"default_args", &task_level, NULL, true},
    {"group", &group_level, NULL, false},
    {"schedule", &schedule_level, NULL, false},
    {"dst", &dst_level, NULL, false},
    {"deadline", &deadline_level, NULL, false},
    {"question", &ask_level, NULL, false},
    {"check", &check_level, NULL, false},
    {"request", &http_level, NULL, false},
    {"triggered_run", &trigger_level, NULL, false},
    {"sensor", &wait_level, NULL, false},
    {"sensor_task", &wait_task_level, NULL, false},
    {"source", &expand_level, NULL, false},
    {"duration", NULL, "'type': 'string', 'pattern': '^([0-9]+(ms|s|m|h|d|w))+$'", false},
    {"assets", NULL,
        "'oneOf': [{'type': 'string'}, {'type': 'object', 'minProperties': 1, 'maxProperties': 1,"
        "'additionalProperties': false, 'properties': {"
        "'all': {'type': 'array', 'minItems': 1, 'items': {" REF(
            "assets") "}},"
                      "'any': {'type': 'array', 'minItems': 1, 'items': {" REF("assets") "}}}}]",
        false},
};

static const struct schema_form dag_forms[] = {
    {&dag_level, "schedule",
        "'anyOf': [{'type': 'null'}, {'enum': ['@hourly', '@daily', '@weekly', '@monthly',"
        "'@quarterly', '@yearly', '@once', '@continuous']},"
        "{'type': 'string', 'not': {'enum': ['none', 'None', '@none', '@None', 'manual', 'never']},"
        "'examples': ['30 2 * * MON-FRI', '90m']},"
        "{'type': 'array', 'minItems': 1, 'items': {'type': 'string'}}, {" REF("schedule") "}]"},
    {&dag_level, "start_date", DATE},
    {&dag_level, "end_date", DATE},
    {&dag_level, "catchup", "'enum': [null, 'latest', 'all', 'none', true, false]"},
    {&dag_level, "params", "'type': 'object'"},
    {&dag_level, "default_args", REF("default_args")},
    {&dag_level, "deadline", DEADLINE},
    {&dag_level, "foreach", "'type': 'array', 'minItems': 1"},
    {&dag_level, "tasks", MAP_OF("task")},
    {&dag_level, "groups", MAP_OF("group")},
    {&group_level, "tasks", MAP_OF("task")},
    {&group_level, "groups", MAP_OF("group")},
    {&group_level, "default_args", REF("default_args")},
    {&schedule_level, "cron", TEXT_OR_LIST},
    {&schedule_level, "dst", REF("dst")},
    {&schedule_level, "dates", TEXT_OR_LIST},
    {&schedule_level, "calendar",
        "'oneOf': [{'type': 'null'}, {'type': 'string'},"
        "{'type': 'array', 'items': {'type': 'string'}, 'minItems': 1}]"},
    {&schedule_level, "assets", "'anyOf': [{'type': 'null'}, {" REF("assets") "}]"},
    {&schedule_level, NULL,
        "'oneOf': [{'required': ['cron']}, {'required': ['dates']},"
        "{'required': ['assets'], 'not': {'required': ['cron']}}]"},
    {&deadline_level, "typical", "'type': 'number', 'minimum': 1, 'maximum': 1000"},
    {&deadline_level, NULL,
        "'oneOf': [{'required': ['after']}, {'required': ['typical'],"
        "'not': {'required': ['from']}}]"},
    {&task_level, "http", REQUEST},
    {&task_level, "trigger_dag", "'oneOf': [" SCALAR ", {" REF("triggered_run") "}]"},
    {&task_level, "wait_for", REF("sensor")},
    {&task_level, "branch", QUESTION},
    {&task_level, "short_circuit", QUESTION},
    {&task_level, "latest_only", "'enum': [null, true, {}]"},
    {&task_level, "empty", "'enum': [null, {}]"},
    {&task_level, "retry_exponential_backoff",
        "'oneOf': [{'enum': [null, true, false, 'off', 0]},"
        "{'type': 'number', 'minimum': 1, 'maximum': 1000}]"},
    {&task_level, "params", "'type': 'object'"},
    {&task_level, "expand",
        "'type': 'object', 'minProperties': 1, 'additionalProperties': {'oneOf': ["
        "{'type': 'array'}, {'type': 'string', 'pattern': '[{][{].*[}][}]'},"
        "{" REF("source") "}]}"},
    {&task_level, "deadline", DEADLINE},
    {&task_level, "parameters", "'type': ['null', 'array', 'object']"},
    {&task_level, "checks",
        "'oneOf': [{'type': 'null'}, {'type': 'array', 'items': {" REF("check") "}}]"},
    {&task_level, "body", ANYTHING},
    {&task_level, "expect", STATUSES},
    {&task_level, "conf", CONF},
    {&trigger_level, "conf", CONF},
    {&http_level, "body", ANYTHING},
    {&http_level, "expect", STATUSES},
    {&wait_level, "task", REF("sensor_task")},
    {&wait_level, "http", REQUEST},
    {&wait_level, NULL, "'minProperties': 1, 'maxProperties': 1"},
    {&check_level, "accepted_values",
        "'type': 'object', 'minProperties': 1,"
        "'additionalProperties': {'type': 'array', 'items':" SCALAR "}"},
    {&check_level, NULL,
        "'anyOf': [{'required': ['row_count']}, {'required': ['not_null']},"
        "{'required': ['unique']}, {'required': ['accepted_values']}, {'required': ['sql']}]"},
    {&expand_level, NULL, "'oneOf': [{'required': ['task']}, {'required': ['sql']}]"},
};

/* An expression that names `item` is replaced before the types are looked at. */
const struct schema dag_schema = {"dag", "a DAG file of dag", &dag_level, dag_definitions,
    ARRAY_SIZE(dag_definitions), dag_forms, ARRAY_SIZE(dag_forms), "[{][{].*\\bitem\\b.*[}][}]"};

static const struct schema_definition project_definitions[] = {
    {"connection", &connection_level, NULL, false},
    {"endpoint", &endpoint_level, NULL, false},
    {"models", &registry_level, NULL, false},
    {"web", &web_level, NULL, false},
    {"variable", &variable_level, NULL, false},
    {"function", &function_level, NULL, false},
};

static const struct schema_form project_forms[] = {
    {&project_level, "connections", MAP_OF("connection")},
    {&project_level, "pools",
        "'type': 'object', 'additionalProperties': {'anyOf': ["
        "{'type': 'integer', 'minimum': 1, 'maximum': 1000000},"
        "{'type': 'string', 'pattern': '[$][{]'}]}"},
    {&project_level, "variables",
        "'type': 'object', 'additionalProperties': {'anyOf': [{" REF("variable") "}, {" ANYTHING
                                                                                 "}]}"},
    {&project_level, "functions", MAP_OF("function")},
    {&project_level, "endpoints", MAP_OF("endpoint")},
    {&endpoint_level, "params", "'type': 'object'"},
    {&project_level, "models", REF("models")},
    {&project_level, "web", REF("web")},
    {&variable_level, "value", ANYTHING},
};

const struct schema project_schema = {"project", "a project of dag (dag.yaml)", &project_level,
    project_definitions, ARRAY_SIZE(project_definitions), project_forms, ARRAY_SIZE(project_forms),
    "[$][{]"};
