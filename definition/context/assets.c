/* `inlets`, `outlets` and `triggering_asset_events`. */
#include "definition/context/context_data.h"

static const struct jinja_class asset_class = {RECORD_CLASS("Asset")};
static const struct jinja_class event_class = {RECORD_CLASS("AssetEvent")};
static const struct jinja_class source_class = {RECORD_CLASS("DagRun")};

/* Prints as its name. */
static struct jinja_value asset_new(struct context *context, const char *name)
{
    struct record *record = record_new(context, &asset_class, name);
    record_put(record, "name", jinja_string(name));
    record_put(record, "uri", jinja_string(name));
    return record_value(record);
}

static struct jinja_value assets_new(struct context *context, const struct names *names)
{
    struct jinja_value list = jinja_list_new(context->arena, names->count);
    for (size_t i = 0; i < names->count; i++)
        jinja_list_add(context->arena, list, asset_new(context, names->at[i]));
    return list;
}

static struct jinja_value source_new(struct context *context, const struct asset_event_facts *event)
{
    struct arena *arena = context->arena;
    if (!event->dag_id)
        return jinja_none();
    struct record *record = record_new(context, &source_class,
        arena_printf(arena, "<DagRun %s @ %s>", event->dag_id, event->run_id));
    record_put(record, "dag_id", jinja_string(event->dag_id));
    record_put(record, "run_id", text_or_none(event->run_id));
    record_put(record, "logical_date", date_new_utc(arena, event->logical_us));
    record_put(record, "data_interval_start", date_new_utc(arena, event->interval_start_us));
    record_put(record, "data_interval_end", date_new_utc(arena, event->interval_end_us));
    return record_value(record);
}

/* What an event carries beside comes from outside. */
static struct jinja_value extra_of(struct context *context, const char *text)
{
    CLEANUP(json_decrefp) json_t *extra = NULL;
    if (!text || json_parse(text, strlen(text), NULL, &extra, NULL) != OK)
        return jinja_mapping_new(context->arena);
    return jinja_mark(jinja_from_json(context->arena, extra), JINJA_UNTRUSTED);
}

static struct jinja_value event_new(struct context *context, const struct asset_event_facts *event)
{
    struct record *record = record_new(
        context, &event_class, arena_printf(context->arena, "<AssetEvent of %s>", event->asset));
    record_put(record, "asset", asset_new(context, event->asset));
    record_put(record, "uri", jinja_string(event->asset));
    record_put(record, "timestamp", date_new_utc(context->arena, event->at_us));
    record_put(record, "source_dag_id", text_or_none(event->dag_id));
    record_put(record, "source_task_id", text_or_none(event->task_id));
    record_put(record, "source_run_id", text_or_none(event->run_id));
    record_put(record, "source_map_index", jinja_int(event->map_index));
    record_put(record, "source_dag_run", source_new(context, event));
    record_put(record, "extra", extra_of(context, event->extra));
    return record_value(record);
}

/* Name → events, oldest first; the facts come by asset. */
static struct jinja_value events_new(struct context *context)
{
    const struct run_facts *run = context->run;
    struct jinja_value mapping = jinja_mapping_new(context->arena), list = {0};
    for (size_t i = 0; i < run->asset_event_count; i++) {
        const struct asset_event_facts *event = &run->asset_events[i];
        if (i == 0 || !str_equal(event->asset, run->asset_events[i - 1].asset)) {
            list = jinja_list_new(context->arena, 1);
            jinja_mapping_put(context->arena, mapping, event->asset, list);
        }
        jinja_list_add(context->arena, list, event_new(context, event));
    }
    return mapping;
}

void context_put_assets(struct context *context, struct jinja_value variables)
{
    struct arena *arena = context->arena;
    bool sampled = context->attempt->sampled && context->dag->assets;
    jinja_mapping_put(
        arena, variables, "inlets", assets_new(context, &context->task->data->inlets));
    jinja_mapping_put(
        arena, variables, "outlets", assets_new(context, &context->task->data->outlets));
    jinja_mapping_put(arena, variables, "triggering_asset_events",
        sampled ? context_sample(context) : events_new(context));
}
