/* The JSON-Schema subset of parameters. */
#include "definition/param.h"
#include "tests/unit/test.h"

static const char *check(const char *schema_text, const char *value_text, struct error *err)
{
    CLEANUP(json_decrefp) json_t *schema = json_loads(schema_text, JSON_DECODE_ANY, NULL);
    CLEANUP(json_decrefp) json_t *value = json_loads(value_text, JSON_DECODE_ANY, NULL);
    REQUIRE(schema && value);
    struct param param = {.name = "p", .schema = schema};
    REQUIRE_OK(param_schema_check("p", schema, err), err);
    return param_check(&param, value, err) == OK ? "" : err->message;
}

TEST(every_keyword_accepts_and_refuses)
{
    static const struct {
        const char *schema, *good, *bad, *message;
    } rows[] = {
        {"{\"type\": \"integer\"}", "1", "1.5", "must be of type integer, this is number"},
        {"{\"type\": \"number\"}", "1", "\"1\"", "must be of type number, this is string"},
        {"{\"type\": [\"string\", \"null\"]}", "null", "1",
            "must be of one of the types [\"string\",\"null\"], this is integer"},
        {"{\"type\": \"boolean\"}", "false", "0", "must be of type boolean, this is integer"},
        {"{\"enum\": [\"a\", 2]}", "2", "\"b\"", "must be one of [\"a\",2], this is \"b\""},
        {"{\"const\": 3}", "3", "4", "has just one value"},
        {"{\"minimum\": 1}", "1", "0", "must be at least 1"},
        {"{\"maximum\": 1.5}", "1.5", "2", "must be at most 1.5"},
        {"{\"exclusiveMinimum\": 1}", "2", "1", "must be greater than 1"},
        {"{\"exclusiveMaximum\": 1}", "0", "1", "must be less than 1"},
        {"{\"multipleOf\": 5}", "10", "11", "must be a multiple of 5"},
        {"{\"minLength\": 2}", "\"ää\"", "\"ä\"", "must have a length of at least 2"},
        {"{\"maxLength\": 1}", "\"ä\"", "\"ää\"", "must have a length of at most 1"},
        {"{\"pattern\": \"^[a-z]+$\"}", "\"abc\"", "\"a1\"", "must match the pattern ^[a-z]+$"},
        {"{\"format\": \"date\"}", "\"2007-04-12\"", "\"12.4.2007\"",
            "must be a date such as 2007-04-12"},
        {"{\"format\": \"date-time\"}", "\"2007-04-12T08:00:00Z\"", "\"soon\"",
            "must be a time such as 2007-04-12T08:30:00+02:00"},
        {"{\"items\": {\"type\": \"integer\"}}", "[1, 2]", "[1, \"x\"]",
            "`p[1]` must be of type integer, this is string"},
        {"{\"minItems\": 1}", "[1]", "[]", "must have a number of items of at least 1"},
        {"{\"maxItems\": 1}", "[1]", "[1, 2]", "must have a number of items of at most 1"},
        {"{\"uniqueItems\": true}", "[1, 2]", "[1, 1]", "must not hold an item twice"},
        {"{\"properties\": {\"a\": {\"type\": \"string\"}}}", "{\"a\": \"x\", \"b\": 1}",
            "{\"a\": 1}", "`p.a` must be of type string, this is integer"},
        {"{\"required\": [\"a\"]}", "{\"a\": 1}", "{}", "needs `a`"},
        {"{\"properties\": {\"a\": {}}, \"additionalProperties\": false}", "{\"a\": 1}",
            "{\"b\": 1}", "has no member `b`"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct error err;
        CHECK_STR(check(rows[i].schema, rows[i].good, &err), "");
        const char *message = check(rows[i].schema, rows[i].bad, &err);
        if (!CHECK(strstr(message, rows[i].message) != NULL))
            printf("  got %s, want %s\n", message, rows[i].message);
    }
}

TEST(declarations_are_checked)
{
    static const struct {
        const char *schema, *message;
    } rows[] = {
        {"[]", "the declaration of `p` is no mapping"},
        {"{\"typ\": 1}", "`typ` is no keyword of the parameter `p`"},
        {"{\"type\": \"text\"}", "`type` of the parameter `p` is not what it should be"},
        {"{\"minimum\": \"1\"}", "`minimum` of the parameter `p` is not what it should be"},
        {"{\"minLength\": -1}", "`minLength` of the parameter `p` is not what it should be"},
        {"{\"pattern\": \"(\"}", "the pattern of the parameter `p` cannot be read"},
        {"{\"items\": {\"x\": 1}}", "`x` is no keyword of the parameter `p`"},
        {"{\"properties\": {\"a\": {\"x\": 1}}}", "`x` is no keyword of the parameter `a`"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct error err;
        CLEANUP(json_decrefp) json_t *schema = json_loads(rows[i].schema, 0, NULL);
        CHECK(param_schema_check("p", schema, &err) == ERR_PARAM);
        CHECK_STR(err.message, rows[i].message);
    }
}
