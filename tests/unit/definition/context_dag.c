#include "tests/unit/definition/context_dag.h"
#include "language/timetable/timetable.h"
#include "tests/unit/test.h"

static void set_schedule(
    struct context_dag *d, struct arena *arena, const char *schedule, const char *logical_date)
{
    struct timetable *timetable;
    struct error err;
    bool trigger = schedule && schedule[0] == '!';
    schedule += trigger;
    struct schedule_spec spec = {.form = SCHEDULE_TEXT,
        .texts = &schedule,
        .text_count = 1,
        .trigger = trigger,
        .start_date = strpbrk(schedule, "*@") ? NULL : logical_date};
    REQUIRE_OK(timetable_parse(arena, &spec, d->dag.zone, &timetable, &err), &err);
    d->dag.timetable = timetable;
}

void context_dag_init(struct context_dag *d, struct arena *arena, const char *schedule,
    const char *timezone, const char *logical_date)
{
    struct error err;
    int64_t logical_us;
    *d = (struct context_dag){
        .project = {.root = DAG_SOURCE_DIR, .dags = "dags", .templates = "templates"},
        .dag = {.dag_id = "geo_daily",
            .file = "dags/geo_daily.yaml",
            .start_us = INT64_MIN,
            .end_us = INT64_MAX},
        .task = {.task_id = "load_points", .kind = KIND_SQL, .pool = "default_pool"},
        .attempt = {.attempt_id = "a", .try_number = 1, .map_index = -1, .seed = 42},
        .target = {.name = "default", .version = "", .plpython = "plpython3u"},
        .owned = json_array(),
    };
    REQUIRE_OK(zone_load(timezone, &d->dag.zone, &err), &err);
    if (schedule)
        set_schedule(d, arena, schedule, logical_date);
    task_set_parts(&d->task, NULL, NULL);
    d->dag.tasks = &d->task;
    d->dag.task_count = 1;
    REQUIRE_OK(zone_parse_time(d->dag.zone, slice_of(logical_date), &logical_us, NULL, &err), &err);
    REQUIRE_OK(
        context_facts_at(&d->dag, logical_us, RUN_TYPE_SCHEDULED, arena, &d->run, &err), &err);
    d->attempt.now_us = logical_us + 3 * US_PER_DAY;
}

void context_dag_done(struct context_dag *d)
{
    json_decref(d->owned);
}

static const json_t *own(struct context_dag *d, const char *text)
{
    json_t *json = NULL;
    struct error err;
    if (text)
        REQUIRE_OK(json_parse(text, strlen(text), NULL, &json, &err), &err);
    if (json)
        json_array_append_new(d->owned, json);
    return json;
}

void context_dag_add_param(struct context_dag *d, struct arena *arena, const char *name,
    const char *schema, const char *default_value)
{
    struct param *params = arena_array(arena, struct param, d->dag.param_count + 1);
    if (d->dag.param_count)
        memcpy(params, d->dag.params, d->dag.param_count * sizeof(*params));
    params[d->dag.param_count++] =
        (struct param){name, own(d, schema), own(d, default_value), 7, 3};
    d->dag.params = params;
}

enum status context_dag_try(struct context_dag *d, struct arena *arena, const char *sql,
    struct rendered_task *ret, struct error *err)
{
    d->task.sql.sql.value = sql;
    if (!d->task.sql.sql.line)
        d->task.sql.sql.line = 1;
    return context_render_task(
        &d->project, &d->dag, &d->task, &d->run, &d->attempt, &d->target, arena, ret, err);
}

const char *context_dag_render(struct context_dag *d, struct arena *arena, const char *sql)
{
    struct rendered_task rendered;
    struct error err;
    if (context_dag_try(d, arena, sql, &rendered, &err) == OK)
        return rendered_find(&rendered, "sql")->text.p;
    return err.hint[0] ? arena_printf(arena, "ERROR: %s (%s)", err.message, err.hint)
                       : arena_printf(arena, "ERROR: %s", err.message);
}
