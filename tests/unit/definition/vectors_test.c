/* Every DAG of the trigger-rule vectors and of this repository loads. */
#include <unistd.h>
#include "tests/unit/definition/project_dir.h"

TEST(every_dag_of_the_trigger_rule_vectors_loads)
{
    struct project_dir dir = dir_new();
    struct slice text;
    struct error err;
    CLEANUP(json_decrefp) json_t *root = NULL;
    REQUIRE_OK(file_read(DAG_SOURCE_DIR "/tests/vectors/trigger_rules/cases.json", 64 << 20,
                   dir.arena, &text, &err),
        &err);
    REQUIRE_OK(json_parse(text.p, text.size, "cases.json", &root, &err), &err);
    const json_t *cases = json_object_get(root, "cases");
    REQUIRE(json_array_size(cases) > 400);
    const struct project *project = dir_project(&dir);
    struct dagfile_options options = {.project = project};
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *one = json_array_get(cases, i);
        struct dagfile file;
        dir_write(&dir, "case.yaml", json_string_value(json_object_get(one, "yaml")));
        enum status status = dagfile_load(&options, "case.yaml", &file, dir.diagnostics, &err);
        if (status != OK)
            printf("%s: %s", json_string_value(json_object_get(one, "id")), dir_findings(&dir));
        REQUIRE(status == OK);
        REQUIRE(file.count == 1);
        CHECK_STR(file.dags[0]->dag_id, json_string_value(json_object_get(one, "id")));
        CHECK_INT(file.dags[0]->task_count, json_object_size(json_object_get(one, "tasks")));
        dagfile_done(&file);
    }
    dir_done(&dir);
}

TEST(the_pipelines_of_this_repository_load)
{
    static const char *const files[] = {
        "dags/geolife.yaml", "dags/geolife_model_training.yaml", "dags/initial_load.yaml"};
    static const char *const environments[] = {NULL, "greenplum6", "greenplum7"};
    static const char *const no_environment[] = {NULL};
    struct error err;
    for (size_t e = 0; e < ARRAY_SIZE(environments); e++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        CLEANUP(project_freep) struct project *project = NULL;
        struct diagnostics diagnostics;
        diagnostics_init(&diagnostics, arena);
        struct project_options options = {
            .dir = DAG_SOURCE_DIR, .environment = environments[e], .environ = no_environment};
        REQUIRE_OK(project_load(&options, &project, &diagnostics, &err), &err);
        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
            struct dagfile_options dagfile_options = {.project = project};
            struct dagfile file;
            enum status status =
                dagfile_load(&dagfile_options, files[i], &file, &diagnostics, &err);
            CHECK(status == OK);
            if (status != OK)
                printf("%s\n", diagnostics.first ? diagnostics.first->error.message : err.message);
            else
                CHECK(file.dags[0]->file_count > (size_t)(i < 2));
            dagfile_done(&file);
        }
    }
}
