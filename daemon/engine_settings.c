/* Stored settings: what is in force while the engine runs. */
#include "base/log.h"
#include "daemon/engine_internal.h"
#include "daemon/settings.h"

enum status engine_read_settings(struct engine *engine, const json_t *act, struct arena *arena,
    struct request *request, struct error *err)
{
    struct project *project = NULL;
    enum status status =
        settings_request(act, engine->project, engine->reader, arena, request, &project, err);
    if (status != OK)
        return status;
    /* At most one is on its way: an act waits until all before it are durable. */
    project_free(engine->prepared);
    engine->prepared = project;
    engine->rotated = json_is_true(json_object_get(act, "rotate"));
    return OK;
}

/* A pool that is gone has no slots; a connection that is gone no limit, as one never named. */
static void set_slots(struct engine *engine, const struct project *before)
{
    const struct project *now = engine->project;
    struct scheduler *scheduler = engine->scheduler;
    for (size_t i = 0; i < before->pool_count; i++)
        if (!project_find_pool(now, before->pools[i].name))
            scheduler_set_pool(scheduler, before->pools[i].name, 0);
    for (size_t i = 0; i < now->pool_count; i++)
        scheduler_set_pool(scheduler, now->pools[i].name, now->pools[i].slots);
    for (size_t i = 0; i < now->connection_count; i++)
        scheduler_set_connection(
            scheduler, now->connections[i].name, now->connections[i].max_connections);
    engine_apply(engine, &(struct event){.kind = EVENT_POOLS_CHANGED});
}

static void drop_old_keys(struct engine *engine)
{
    struct error err;
    if (engine->rotated && settings_rotated(engine->project, &err) != OK)
        log_error(&err, "the old key could not be taken out of the key file");
    engine->rotated = false;
}

void engine_take_settings(struct engine *engine)
{
    struct project *before = engine->project;
    if (!engine->prepared)
        return;
    engine->project = engine->prepared;
    engine->prepared = NULL;
    drop_old_keys(engine);
    catalogue_set_project(engine->catalogue, engine->project);
    if (engine->options.acting) {
        executor_set_project(engine->executor, engine->project);
        set_slots(engine, before);
    }
    project_free(before);
    if (engine->options.settings)
        engine->options.settings(engine->options.user);
}
