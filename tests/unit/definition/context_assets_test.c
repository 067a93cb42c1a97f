/* What templates see of assets. */
#include "base/clock.h"
#include "definition/context/context_data.h"
#include "tests/unit/definition/context_dag.h"
#include "tests/unit/test.h"

static const struct asset_event_facts events[] = {
    {.asset = "geo.labels", .at_us = 5 * US_PER_DAY, .map_index = -1, .extra = "{\"rows\": 7}"},
    {.asset = "geo.speed",
        .at_us = US_PER_DAY,
        .dag_id = "load",
        .run_id = "scheduled__1970-01-01T00:00:00+00:00",
        .task_id = "speed",
        .map_index = 3,
        .logical_us = 0,
        .interval_start_us = 0,
        .interval_end_us = US_PER_DAY,
        .extra = "{}"},
    {.asset = "geo.speed",
        .at_us = 2 * US_PER_DAY,
        .dag_id = "load",
        .run_id = "scheduled__1970-01-02T00:00:00+00:00",
        .task_id = "speed",
        .map_index = -1,
        .logical_us = US_PER_DAY,
        .interval_start_us = US_PER_DAY,
        .interval_end_us = 2 * US_PER_DAY},
};

struct expectation {
    const char *expression, *text;
};

static void check_all(const struct expectation *rows, size_t count, bool triggered)
{
    static const char *const outlets[] = {"geo.out", "s3://x/y"};
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct context_dag d;
    context_dag_init(&d, arena, "@daily", "UTC", "2024-02-29");
    struct data_keys data = {.outlets = {outlets, 2}, .inlets = {outlets, 1}};
    d.task.data = &data;
    d.run.asset_events = triggered ? events : NULL;
    d.run.asset_event_count = triggered ? ARRAY_SIZE(events) : 0;
    for (size_t i = 0; i < count; i++)
        test_check_str(
            context_dag_render(&d, arena, arena_printf(arena, "{{ %s }}", rows[i].expression)),
            rows[i].text, "row", (int)i, rows[i].expression);
    context_dag_done(&d);
}

TEST(a_task_sees_its_outlets_and_inlets)
{
    static const struct expectation rows[] = {
        {"outlets | length", "2"},
        {"outlets[1]", "s3://x/y"},
        {"outlets[1].uri", "s3://x/y"},
        {"inlets | map(attribute='name') | join", "geo.out"},
        {"triggering_asset_events", "{}"},
    };
    check_all(rows, ARRAY_SIZE(rows), false);
}

TEST(a_run_that_assets_triggered_sees_their_events)
{
    static const struct expectation rows[] = {
        {"triggering_asset_events | join(' ')", "geo.labels geo.speed"},
        {"triggering_asset_events['geo.speed'] | length", "2"},
        {"triggering_asset_events['geo.labels'][0].extra.rows", "7"},
        {"triggering_asset_events['geo.labels'][0].source_dag_run", "None"},
        {"triggering_asset_events['geo.labels'][0].source_map_index", "-1"},
        {"(triggering_asset_events.values() | last | last).source_run_id",
            "scheduled__1970-01-02T00:00:00+00:00"},
        {"(triggering_asset_events.values() | last | first).source_dag_run.data_interval_end | ds",
            "1970-01-02"},
        {"triggering_asset_events['geo.speed'][0].timestamp | ds", "1970-01-02"},
        {"triggering_asset_events['geo.speed'][0].asset", "geo.speed"},
        {"triggering_asset_events['geo.speed'][0].source_task_id", "speed"},
        {"triggering_asset_events['geo.speed'][1].extra", "{}"},
    };
    check_all(rows, ARRAY_SIZE(rows), true);
}

TEST(what_an_event_carries_comes_from_outside)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct context_dag d;
    struct rendered_task task;
    struct error err = {0};
    context_dag_init(&d, arena, "@daily", "UTC", "2024-02-29");
    d.run.asset_events = events;
    d.run.asset_event_count = 1;
    REQUIRE_OK(context_dag_try(&d, arena,
                   "{{ triggering_asset_events['geo.labels'][0].extra.rows }}", &task, &err),
        &err);
    struct jinja_origin origin;
    REQUIRE(jinja_map_find(task.fields[0].map, 0, &origin));
    CHECK_INT(origin.marks, JINJA_UNTRUSTED);
    context_dag_done(&d);
}
