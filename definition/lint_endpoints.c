/* Whether the connections that endpoints and the registry of models ask are there, as far as is
   known now. */
#include "definition/lint_internal.h"
#include "definition/project.h"
#include "definition/report.h"

/* What asks a connection. */
struct asker {
    const char *words;      /* "the endpoint `walk`" */
    const char *connection; /* NULL: it does not say */
    const char *keys[2];    /* where to show a mistake: the first of these that stands in a file */
};

static const struct setting *find_place(const struct project *project, const struct asker *asker)
{
    const struct setting *setting = project_find_setting(project, asker->keys[0]);
    return setting && setting->line ? setting : project_find_setting(project, asker->keys[1]);
}

static void check_connection(const struct project *project, const struct asker *asker,
    struct arena *arena, struct diagnostics *found)
{
    struct error error;
    const char **names = arena_array(arena, const char *, project->connection_count);
    if (asker->connection && project_find_connection(project, asker->connection))
        return;
    for (size_t i = 0; i < project->connection_count; i++)
        names[i] = project->connections[i].name;
    if (asker->connection)
        error_set(&error, ERR_UNKNOWN_REFERENCE, "%s asks `%s`, which is no connection",
            asker->words, asker->connection);
    else
        error_set(&error, ERR_KEY_MISSING, "%s does not say on which connection", asker->words);
    const char *near =
        asker->connection ? suggest(asker->connection, names, project->connection_count) : NULL;
    if (near)
        error_hint(&error, "did you mean `%s`?", near);
    else
        error_hint(&error, "declare it under `connections` in dag.yaml, or store it with "
                           "`dag conn set`");
    const struct setting *place = find_place(project, asker);
    if (place && place->line)
        error_place(&error, place->source, place->line, place->column, NULL);
    report_error(found, &error);
}

void lint_endpoints(const struct project *project, struct diagnostics *found)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const struct registry *registry = project->registry;
    for (size_t i = 0; i < project->endpoint_count; i++) {
        const struct endpoint *endpoint = &project->endpoints[i];
        const struct asker asker = {arena_printf(arena, "the endpoint `%s`", endpoint->name),
            endpoint->connection,
            {arena_printf(arena, "endpoints.%s.connection", endpoint->name),
                arena_printf(arena, "endpoints.%s.sql", endpoint->name)}};
        check_connection(project, &asker, arena, found);
    }
    if (registry) {
        const struct asker asker = {
            "`models`", registry->connection, {"models.connection", "models.table"}};
        check_connection(project, &asker, arena, found);
    }
}
