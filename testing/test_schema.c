/* What the tables of keys cannot say of values in test files. */
#include "definition/schema.h"
#include "testing/testfile.h"

#define TABLES(name)                                                                               \
    "'type': 'object', 'additionalProperties': {'oneOf': [{'$ref': '#/$defs/rows'},"               \
    "{'$ref': '#/$defs/" name "'}]}"
#define ROWS "'$ref': '#/$defs/rows'"

static const struct schema_definition definitions[] = {
    {"test", &test_level, NULL, false},
    {"given", &test_given_level, NULL, false},
    {"expected", &test_expect_level, NULL, false},
    {"error", &test_error_level, NULL, false},
    {"rows", NULL, "'type': 'array', 'items': {'type': 'object'}", false},
};

static const struct schema_form forms[] = {
    {&test_file_level, "tests", "'type': 'array', 'items': {'$ref': '#/$defs/test'}"},
    {&test_level, "params", "'type': 'object'"},
    {&test_level, "variables", "'type': 'object'"},
    {&test_level, "conf", "'type': 'object'"},
    {&test_level, "connections", "'type': 'object'"},
    {&test_level, "xcom", "'type': 'object', 'additionalProperties': {'type': 'object'}"},
    {&test_level, "given", TABLES("given")},
    {&test_level, "expect", TABLES("expected")},
    {&test_level, "error", "'$ref': '#/$defs/error'"},
    {&test_level, NULL,
        "'oneOf': [{'required': ['task']}, {'required': ['tasks']}],"
        "'anyOf': [{'required': ['expect']}, {'required': ['error']}]"},
    {&test_given_level, "rows", ROWS},
    {&test_given_level, NULL,
        "'oneOf': [{'required': ['rows']}, {'required': ['csv']}, {'required': ['sql']}]"},
    {&test_expect_level, "rows", ROWS},
    {&test_expect_level, "row_count",
        "'oneOf': [{'type': 'integer'}, {'type': 'string', 'pattern': '^[<>=!]{0,2} *-?[0-9]+$'}]"},
    {&test_expect_level, "order",
        "'oneOf': [{'type': ['string', 'boolean']},"
        "{'type': 'array', 'items': {'type': 'string'}}]"},
    {&test_expect_level, "tolerance", "'type': 'number', 'minimum': 0"},
    {&test_expect_level, NULL,
        "'anyOf': [{'required': ['rows']}, {'required': ['csv']}, {'required': ['row_count']}],"
        "'not': {'required': ['rows', 'csv']}"},
};

const struct schema test_schema = {"test", "a test file of dag (*.test.yaml)", &test_file_level,
    definitions, ARRAY_SIZE(definitions), forms, ARRAY_SIZE(forms), NULL};
