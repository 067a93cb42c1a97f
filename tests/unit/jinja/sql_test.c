/* SQL's filters: what they write must read back as the value, whatever it is. */
#include "language/jinja/jinja.h"
#include "tests/unit/test.h"

TEST(values_become_sql)
{
    static const struct {
        const char *expression, *want;
    } cases[] = {{"'plain' | literal", "'plain'"}, {"\"it's\" | literal", "'it''s'"},
        {"'a\\\\b' | literal", "E'a\\\\b'"}, {"\"\\\\'\" | literal", "E'\\\\'''"},
        {"'' | literal", "''"}, {"'é; --' | literal", "'é; --'"}, {"none | literal", "NULL"},
        {"true | literal", "true"}, {"false | literal", "false"}, {"42 | literal", "42"},
        {"-42 | literal", "(-42)"}, {"2.5 | literal", "2.5"}, {"-0.5 | literal", "(-0.5)"},
        {"1e100 | literal", "1e+100"}, {"'inf' | float | literal", "'Infinity'::float8"},
        {"'nan' | float | literal", "'NaN'::float8"},
        {"[1, 'a', none] | literal", "ARRAY[1, 'a', NULL]"}, {"[] | literal", "'{}'"},
        {"[[1, 2], [3, 4]] | literal", "ARRAY[ARRAY[1, 2], ARRAY[3, 4]]"},
        {"(1, 2) | literal", "ARRAY[1, 2]"}, {"range(3) | literal", "ARRAY[0, 1, 2]"},
        {"['b'] | map('upper') | literal", "ARRAY['B']"},
        {"{} | literal", "error: literal() cannot make a literal of a mapping: write `x | tojson | "
                         "literal`"},
        {"{'a': \"'\"} | tojson | literal", "E'{\"a\": \"\\\\u0027\"}'"},
        {"nope | literal", "error: 'nope' is undefined"},
        {"range | literal", "error: literal() cannot make a literal of a 'function'"},
        {"'a\\x00b' | literal", "error: literal(): text for SQL cannot hold a zero byte"},
        {"\"it's\" | bind", "'it''s'"}, {"'t' | identifier", "\"t\""},
        {"'Odd \"name\"' | identifier", "\"Odd \"\"name\"\"\""},
        {"['geo', 'points'] | identifier", "\"geo\".\"points\""},
        {"'' | identifier",
            "error: identifier(): a name cannot be empty, none or hold a zero byte"},
        {"none | identifier",
            "error: identifier(): a name cannot be empty, none or hold a zero byte"}};
    CLEANUP(jinja_environment_freep)
    struct jinja_environment *env = jinja_environment_new(&(struct jinja_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        struct jinja_result result;
        struct error err;
        const char *text = arena_printf(arena, "{{ %s }}", cases[i].expression);
        enum status status = jinja_render_text(
            env, "t.sql", slice_of(text), jinja_mapping_new(arena), arena, &result, &err);
        CHECK_STR(
            status ? arena_printf(arena, "error: %s", err.message) : result.text.p, cases[i].want);
    }
}
