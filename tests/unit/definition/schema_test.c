/* The schemas of DAG files, dag.yaml and test files have every key of the tables. */
#include "base/json.h"
#include "definition/schema.h"
#include "tests/unit/test.h"

static const json_t *level_in(
    const struct schema *schema, const json_t *root, const char *name, const struct level *level)
{
    const json_t *found = NULL;
    if (level == schema->root)
        found = root;
    else if (name)
        found = json_object_get(json_object_get(root, "$defs"), name);
    return json_object_get(found, "properties");
}

static void check_keys_of(
    const struct schema *schema, const json_t *root, const char *name, const struct level *level)
{
    const json_t *properties = level_in(schema, root, name, level);
    for (size_t i = 0; i < level->count; i++) {
        const struct key *key = &level->keys[i];
        const json_t *property = json_object_get(properties, key->name);
        if (!CHECK(property != NULL))
            printf("  %s has no `%s`\n", level->name, key->name);
        bool open =
            (key->type == KEY_NODE || key->type == KEY_MAPPING) && !(key->flags & KEY_LATER);
        if (!CHECK(!open || schema_form_find(schema, level, key->name) != NULL))
            printf("  `%s` of %s has no form\n", key->name, level->name);
        const json_t *any = json_object_get(property, "anyOf");
        CHECK(json_object_get(property, "description") ||
              json_object_get(json_array_get(any, 0), "description"));
    }
}

static void check_schema(const struct schema *schema)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err;
    const char *text = schema_write(schema, arena);
    CLEANUP(json_decrefp) json_t *root = NULL;
    REQUIRE_OK(json_parse(text, strlen(text), NULL, &root, &err), &err);
    check_keys_of(schema, root, NULL, schema->root);
    for (size_t i = 0; i < schema->definition_count; i++) {
        const struct schema_definition *definition = &schema->definitions[i];
        if (definition->level && !definition->partial)
            check_keys_of(schema, root, definition->name, definition->level);
    }
    for (size_t i = 0; i < schema->form_count; i++) {
        const struct schema_form *form = &schema->forms[i];
        CHECK(!form->key || level_find(form->level, slice_of(form->key)) != NULL);
    }
}

TEST(schemas_have_every_key_and_a_form_for_each_open_one)
{
    check_schema(&dag_schema);
    check_schema(&project_schema);
}

TEST(every_level_of_the_reference_is_in_a_schema)
{
    size_t count;
    const struct level *const *levels = definition_levels(&count);
    static const struct schema *const schemas[] = {&dag_schema, &project_schema};
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t s = 0; s < ARRAY_SIZE(schemas); s++) {
            found |= schemas[s]->root == levels[i];
            for (size_t k = 0; k < schemas[s]->definition_count; k++)
                found |= schemas[s]->definitions[k].level == levels[i];
        }
        if (!CHECK(found))
            printf("  %s\n", levels[i]->name);
    }
}

TEST(a_default_is_a_value_where_it_can_be_one)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err;
    const char *text = schema_write(&dag_schema, arena);
    CLEANUP(json_decrefp) json_t *root = NULL;
    REQUIRE_OK(json_parse(text, strlen(text), NULL, &root, &err), &err);
    CHECK_INT(json_integer_value(json_at(root, "/properties/max_active_runs/default")), 16);
    CHECK(json_is_false(json_at(root, "/properties/fail_fast/default")));
    CHECK_STR(json_string_value(json_at(root, "/$defs/task/properties/retry_delay/default")), "5m");
    CHECK_STR(json_string_value(json_at(root, "/$defs/task/properties/trigger_rule/default")),
        "all_success");
    CHECK(json_at(root, "/properties/timezone/default") == NULL);
}
