/* The registry of models: which version of a model scores, and what is not there. */
#include "executor/registry.h"
#include "scheduler/plan.h"
#include "tests/unit/test.h"

static const char rows_text[] =
    "[{\"name\": \"a\", \"version\": \"3\", \"mdate\": \"2007-07-01\", \"in_service\": false},"
    "{\"name\": \"a\", \"version\": \"2\", \"mdate\": \"2007-06-01\", \"in_service\": true,"
    " \"rows_train\": 7, \"trained_at\": \"1970-01-01T00:00:01Z\", \"metrics\": {\"auc\": 1}},"
    "{\"name\": \"a\", \"version\": \"1\", \"mdate\": \"2007-05-01\", \"in_service\": true},"
    "{\"name\": \"b\", \"version\": \"1\", \"mdate\": \"2007-05-01\", \"in_service\": true}]";

static json_t *parse(const char *text)
{
    json_t *tree = NULL;
    struct error err;
    REQUIRE_OK(json_parse(text, strlen(text), NULL, &tree, &err), &err);
    return tree;
}

TEST(the_newest_version_in_service_is_the_current_one)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(json_decrefp) json_t *rows = parse(rows_text);
    struct model_versions all;
    registry_read_versions(rows, arena, &all);
    REQUIRE(all.count == 4);
    CHECK(!all.at[0].current && all.at[1].current && !all.at[2].current && all.at[3].current);
    CHECK(!all.at[1].until);
    CHECK_STR(all.at[2].until, "2007-06-01");
    CHECK_INT(all.at[1].rows_train, 7);
    CHECK_INT(all.at[1].rows_test, -1);
    CHECK_INT(all.at[1].trained_us, 1000000);
    CHECK_INT(all.at[0].trained_us, TIME_NONE);
    CHECK_STR(all.at[0].place, "");
    CHECK(all.at[0].reason == NULL);
}

TEST(what_was_scored_goes_to_its_version)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(json_decrefp) json_t *rows = parse(rows_text);
    CLEANUP(json_decrefp)
    json_t *scored =
        parse("[{\"name\": \"a\", \"version\": \"1\", \"scored\": 5, \"newest\": \"x\"},"
              "{\"name\": \"c\", \"version\": \"1\", \"scored\": 6}, {}, 1]");
    struct model_versions all;
    registry_read_versions(rows, arena, &all);
    registry_read_scored(scored, &all);
    CHECK_INT(all.at[2].scored, 5);
    CHECK_STR(all.at[2].scored_newest, "x");
    CHECK_INT(all.at[0].scored, 0);
    CHECK_INT(all.at[3].scored, -1);
}

TEST(a_version_is_found_and_what_is_not_there_is_named)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(json_decrefp) json_t *rows = parse(rows_text);
    struct model_versions all;
    const struct model_version *found;
    struct error err;
    registry_read_versions(rows, arena, &all);
    REQUIRE_OK(registry_find(&all, "a", NULL, &found, &err), &err);
    CHECK_STR(found->version, "3");
    REQUIRE_OK(registry_find(&all, "b", "1", &found, &err), &err);
    CHECK_STR(found->name, "b");
    CHECK(registry_find(&all, "b", "2", &found, &err) == ERR_NOT_FOUND);
    CHECK_STR(err.message, "there is no version of `b`: `2` in the registry");
    CHECK(registry_find(&all, "c", NULL, &found, &err) == ERR_NOT_FOUND);
}
