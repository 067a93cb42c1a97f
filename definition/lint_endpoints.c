/* Whether the connections that endpoints ask are there, as far as is known now. */
#include "definition/lint_internal.h"
#include "definition/project.h"
#include "definition/report.h"

/* Where a key of the endpoint stands; its query where it has none. */
static const struct setting *find_place(
    const struct project *project, const struct endpoint *endpoint, struct arena *arena)
{
    const struct setting *setting = project_find_setting(
        project, arena_printf(arena, "endpoints.%s.connection", endpoint->name));
    return setting && setting->line ? setting
                                    : project_find_setting(project,
                                          arena_printf(arena, "endpoints.%s.sql", endpoint->name));
}

static void check_endpoint(const struct project *project, const struct endpoint *endpoint,
    struct arena *arena, struct diagnostics *found)
{
    struct error error;
    const char **names = arena_array(arena, const char *, project->connection_count);
    if (endpoint->connection && project_find_connection(project, endpoint->connection))
        return;
    for (size_t i = 0; i < project->connection_count; i++)
        names[i] = project->connections[i].name;
    if (endpoint->connection)
        error_set(&error, ERR_UNKNOWN_REFERENCE,
            "the endpoint `%s` asks `%s`, which is no "
            "connection",
            endpoint->name, endpoint->connection);
    else
        error_set(&error, ERR_KEY_MISSING, "the endpoint `%s` does not say on which connection",
            endpoint->name);
    const char *near = endpoint->connection
                           ? suggest(endpoint->connection, names, project->connection_count)
                           : NULL;
    if (near)
        error_hint(&error, "did you mean `%s`?", near);
    else
        error_hint(&error, "declare it under `connections` in dag.yaml, or store it with "
                           "`dag conn set`");
    const struct setting *place = find_place(project, endpoint, arena);
    if (place && place->line)
        error_place(&error, place->source, place->line, place->column, NULL);
    report_error(found, &error);
}

void lint_endpoints(const struct project *project, struct diagnostics *found)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    for (size_t i = 0; i < project->endpoint_count; i++)
        check_endpoint(project, &project->endpoints[i], arena, found);
}
