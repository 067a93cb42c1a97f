#include "testing/testfile.h"
#include "tests/unit/test.h"

#include "base/file.h"
#include "definition/dagfile.h"
#include "definition/schema.h"

/* The tables of keys in docs/testing.md are made of the levels. */
TEST(the_reference_in_docs_is_what_the_tables_say)
{
    static const struct level *const levels[] = {
        &test_level, &test_given_level, &test_expect_level, &test_error_level};
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err;
    struct slice page;
    REQUIRE_OK(file_read(DAG_SOURCE_DIR "/docs/testing.md", 1 << 20, arena, &page, &err), &err);
    for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
        struct strbuf table = {.arena = arena};
        definition_reference(levels[i], &table);
        if (!CHECK(strstr(page.p, strbuf_text(&table)) != NULL))
            printf("docs/testing.md lacks, of %s:\n%s", levels[i]->name, strbuf_text(&table));
    }
}

TEST(every_open_key_of_a_test_has_a_form_in_the_schema)
{
    static const struct level *const levels[] = {
        &test_file_level, &test_level, &test_given_level, &test_expect_level, &test_error_level};
    for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
        for (size_t k = 0; k < levels[i]->count; k++) {
            const struct key *key = &levels[i]->keys[k];
            bool open = key->type == KEY_NODE || key->type == KEY_MAPPING;
            if (!CHECK(!open || schema_form_find(&test_schema, levels[i], key->name) != NULL))
                printf("  `%s` of %s\n", key->name, levels[i]->name);
        }
}
