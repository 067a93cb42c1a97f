/* YAML files, and the DAG files among them. */
#include <assert.h>
#include "definition/dagfile.h"
#include "definition/limits.h"
#include "definition/project.h"
#include "definition/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A scalar's place and a span lie within the text; collections hold their parts. */
static void check_node(const struct yaml_node *node, size_t size, unsigned depth)
{
    assert(depth <= YAML_DEPTH_MAX + 1);
    assert(node->offset <= size && node->end <= size && node->line > 0 && node->column > 0);
    for (size_t i = 0; i < node->count; i++)
        if (node->kind == YAML_MAPPING) {
            check_node(node->pairs[i].key, size, depth + 1);
            check_node(node->pairs[i].value, size, depth + 1);
        } else {
            check_node(node->items[i], size, depth + 1);
        }
}

static bool read_yaml(struct slice text)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct diagnostics diagnostics;
    struct yaml_file file;
    diagnostics_init(&diagnostics, arena);
    enum status status = yaml_read("x.yaml", text, arena, &diagnostics, &file);
    assert((status == OK) == (diagnostics.error_count == 0));
    for (size_t i = 0; i < file.count; i++)
        if (file.documents[i]->weight < 1000) {
            check_node(file.documents[i], text.size, 1);
            CLEANUP(json_decrefp) json_t *json = yaml_to_json(file.documents[i]);
            assert(json);
        }
    return status == OK && text.size < 4096;
}

static struct project *bare_project(void)
{
    static struct project *project;
    static const char *const no_environment[] = {NULL};
    struct diagnostics diagnostics;
    struct project_options options = {
        .dir = "/nonexistent", .environ = no_environment, .bare = true};
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    diagnostics_init(&diagnostics, arena);
    enum status status = project ? OK : project_load(&options, &project, &diagnostics, NULL);
    assert(status == OK);
    return project;
}

static void load_dags(struct slice text)
{
    struct project *project = bare_project();
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(sources_freep) struct sources *sources = sources_new(project->root);
    struct dagfile_options options = {
        .project = project, .sources = sources, .references_optional = true};
    struct diagnostics diagnostics;
    struct dagfile file;
    diagnostics_init(&diagnostics, arena);
    sources_put(sources, "x.yaml", text);
    enum status status = dagfile_load(&options, "x.yaml", &file, &diagnostics, NULL);
    assert((status == OK) == (diagnostics.error_count == 0));
    assert((status == OK) == (file.count > 0));
    dagfile_done(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make((const char *)data, size);
    if (read_yaml(text))
        load_dags(text);
    return 0;
}
