#include <math.h>
#include "base/clock.h"
#include "base/json.h"
#include "tests/unit/test.h"

TEST(json_is_read_into_a_tree)
{
    struct error err;
    CLEANUP(json_decrefp) json_t *tree = NULL;
    const char text[] = "{\"a\": [1, 2.5, \"x\"], \"b\": null}";
    REQUIRE_OK(json_parse(text, strlen(text), NULL, &tree, &err), &err);
    CHECK_INT(json_integer_value(json_array_get(json_object_get(tree, "a"), 0)), 1);
    CHECK(json_is_null(json_object_get(tree, "b")));
    CLEANUP(json_decrefp) json_t *bare = NULL;
    CHECK_OK(json_parse("7", 1, NULL, &bare, &err), &err);
    CHECK_INT(json_integer_value(bare), 7);
}

struct bad {
    const char *text;
    uint32_t line, column;
};

TEST(json_that_is_wrong_is_refused_at_its_place)
{
    static const struct bad rows[] = {
        {"", 1, 1},
        {"{", 1, 2},
        {"{\"a\": 1,\n \"é\": oops}", 2, 7},
        {"{\"a\": 1, \"a\": 2}", 1, 10},
        {"[1] x", 1, 5},
        {"[01]", 1, 2},
        {"'a'", 1, 1},
        {"[\"\xff\"]", 1, 3},
        {"[1,]", 1, 4},
        {"NaN", 1, 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct error err;
        json_t *tree = NULL;
        CHECK_INT(json_parse(rows[i].text, strlen(rows[i].text), "x.json", &tree, &err), ERR_JSON);
        CHECK(tree == NULL);
        CHECK_STR(err.place.file, "x.json");
        if (!CHECK(err.place.line == rows[i].line && err.place.column == rows[i].column))
            fprintf(stderr, "  %s: %u:%u %s\n", rows[i].text, err.place.line, err.place.column,
                err.message);
    }
}

TEST(the_writer_keeps_the_commas_right)
{
    CLEANUP(strbuf_done) struct strbuf out = {0};
    struct json_writer w = json_begin(&out);
    json_object_begin(&w);
    json_kv_int(&w, "a", 1);
    json_key(&w, "b");
    json_array_begin(&w);
    json_array_begin(&w);
    json_array_end(&w);
    json_bool(&w, true);
    json_null_value(&w);
    json_object_begin(&w);
    json_kv_bool(&w, "x", false);
    json_object_end(&w);
    json_raw(&w, "[9]");
    json_array_end(&w);
    json_kv_str(&w, "c", NULL);
    json_object_end(&w);
    CHECK_STR(out.text, "{\"a\":1,\"b\":[[],true,null,{\"x\":false},[9]],\"c\":null}");
}

TEST(strings_are_escaped_and_made_valid)
{
    CLEANUP(strbuf_done) struct strbuf out = {0};
    struct json_writer w = json_begin(&out);
    static const char text[] = "q\" b\\ n\n t\t e\033 0\0 bad\xff é";
    json_strn(&w, text, sizeof text - 1);
    CHECK_STR(out.text, "\"q\\\" b\\\\ n\\n t\\t e\\u001b 0\\u0000 bad\uFFFD é\"");
}

TEST(what_is_written_reads_back_as_the_same_text)
{
    char all[256 + 1];
    for (int i = 1; i < 128; i++)
        all[i - 1] = (char)i;
    all[127] = '\0';
    CLEANUP(strbuf_done) struct strbuf out = {0};
    struct json_writer w = json_begin(&out);
    json_array_begin(&w);
    json_str(&w, all);
    json_array_end(&w);
    struct error err;
    CLEANUP(json_decrefp) json_t *tree = NULL;
    REQUIRE_OK(json_parse(out.text, out.size, NULL, &tree, &err), &err);
    CHECK_STR(json_string_value(json_array_get(tree, 0)), all);
}

TEST(numbers_and_times_have_their_usual_form)
{
    CLEANUP(strbuf_done) struct strbuf out = {0};
    struct json_writer w = json_begin(&out);
    json_array_begin(&w);
    json_int(&w, INT64_MIN);
    json_double(&w, 0.1);
    json_double(&w, 1e300);
    json_double(&w, INFINITY);
    json_double(&w, NAN);
    json_time(&w, 0);
    json_time(&w, INT64_MIN);
    json_array_end(&w);
    CHECK_STR(out.text, "[-9223372036854775808,0.1,1e+300,null,null,"
                        "\"1970-01-01T00:00:00+00:00\",null]");
}

TEST(a_pointer_leads_to_a_part_of_a_tree)
{
    /* The examples of RFC 6901, section 5, and what leads nowhere. */
    static const struct {
        const char *pointer, *value;
    } cases[] = {{"/foo", "[\"bar\",\"baz\"]"}, {"/foo/0", "\"bar\""}, {"/", "0"}, {"/a~1b", "1"},
        {"/c%d", "2"}, {"/e^f", "3"}, {"/g|h", "4"}, {"/i\\j", "5"}, {"/k\"l", "6"}, {"/ ", "7"},
        {"/m~0n", "8"}, {"/foo/2", "null"}, {"/foo/-", "null"}, {"/foo/00", "null"},
        {"/foo/+1", "null"}, {"/foo/0/x", "null"}, {"/none", "null"}, {"foo", "null"}};
    static const char text[] = "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,"
                               "\"g|h\":4,\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8}";
    struct error err;
    CLEANUP(json_decrefp) json_t *tree = NULL;
    REQUIRE_OK(json_parse(text, strlen(text), NULL, &tree, &err), &err);
    CHECK(json_at(tree, "") == tree);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(strbuf_done) struct strbuf out = {0};
        struct json_writer w = json_begin(&out);
        json_tree(&w, json_at(tree, cases[i].pointer));
        CHECK_STR(out.text, cases[i].value);
    }
}

TEST(a_tree_is_written_as_it_was_read)
{
    const char text[] =
        "{\"z\":1,\"a\":[0.1,-7,\"x\\\"y\",true,false,null,{},[]],\"m\":{\"k\":2.0}}";
    struct error err;
    CLEANUP(json_decrefp) json_t *tree = NULL;
    REQUIRE_OK(json_parse(text, strlen(text), NULL, &tree, &err), &err);
    CLEANUP(strbuf_done) struct strbuf out = {0};
    struct json_writer w = json_begin(&out);
    json_tree(&w, tree);
    CHECK_STR(out.text, text);
    strbuf_clear(&out);
    w = json_begin(&out);
    json_tree(&w, NULL);
    CHECK_STR(out.text, "null");
}
