#include "executor/facts.h"

static void take_events(
    const struct asset_event_rows *rows, struct arena *arena, struct run_facts *ret)
{
    struct asset_event_facts *events = arena_array(arena, struct asset_event_facts, rows->count);
    for (size_t i = 0; i < rows->count; i++) {
        const struct asset_event_record *row = &rows->at[i];
        events[i] = (struct asset_event_facts){.asset = row->asset,
            .at_us = row->at_us,
            .dag_id = row->dag_id,
            .run_id = row->run_id,
            .task_id = row->task_id,
            .map_index = row->map_index,
            .logical_us = row->logical_us,
            .interval_start_us = row->interval_start_us,
            .interval_end_us = row->interval_end_us,
            .extra = row->extra};
    }
    ret->asset_events = events;
    ret->asset_event_count = rows->count;
}

enum status run_facts_read(struct store *reader, const struct run_record *run, struct arena *arena,
    struct run_facts *ret, struct error *err)
{
    struct run_rows rows;
    struct asset_event_rows events = {0};
    enum status status =
        store_read_previous_success(reader, run->dag_id, run->logical_us, arena, &rows, err);
    if (status == OK && run->type == RUN_TYPE_ASSET)
        status = store_read_run_asset_events(reader, run->id, arena, &events, err);
    if (status != OK)
        return status;
    const struct run_record *previous = rows.count ? &rows.at[0] : NULL;
    *ret = (struct run_facts){.run_id = arena_strdup(arena, run->run_id),
        .type = run->type,
        .logical_us = run->logical_us,
        .interval_start_us = run->interval_start_us,
        .interval_end_us = run->interval_end_us,
        .run_after_us = run->run_after_us,
        .started_us = run->started_us,
        .conf = arena_strdup(arena, run->conf),
        .prev_interval_start_success_us = previous ? previous->interval_start_us : TIME_NONE,
        .prev_interval_end_success_us = previous ? previous->interval_end_us : TIME_NONE,
        .prev_start_success_us = previous ? previous->started_us : TIME_NONE,
        .prev_end_success_us = previous ? previous->ended_us : TIME_NONE};
    take_events(&events, arena, ret);
    return OK;
}
