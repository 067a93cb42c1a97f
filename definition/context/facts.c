/* Facts about runs, and small questions to what was rendered. */
#include "definition/context/context.h"
#include "language/timetable/timetable.h"

struct render_target render_target_of(
    const struct project *project, const struct connection *connection)
{
    enum dialect dialect = connection ? connection->dialect : DIALECT_POSTGRESQL;
    return (struct render_target){
        .name = project->environment ? project->environment : "default",
        .dialect = dialect,
        .version = "",
        /* Greenplum 6 has Python 3 only as an extra. */
        .plpython = dialect == DIALECT_GREENPLUM6 ? "plpythonu" : "plpython3u",
    };
}

const struct rendered *rendered_find(const struct rendered_task *task, const char *name)
{
    for (size_t i = 0; i < task->count; i++)
        if (str_equal(task->fields[i].name, name))
            return &task->fields[i];
    return NULL;
}

char *run_id_make(struct arena *arena, enum run_type type, int64_t logical_us)
{
    char text[TIME_TEXT_SIZE];
    time_format_iso(logical_us, text);
    return arena_printf(arena, "%s__%s", run_type_name(type), text);
}

enum run_type context_run_type_at(const struct dag *dag, int64_t logical_us)
{
    struct timetable_run run;
    bool scheduled = dag->timetable &&
                     timetable_next(dag->timetable, NULL, logical_us, &run) == TIMETABLE_RUN &&
                     run.logical_us == logical_us;
    return scheduled ? RUN_TYPE_SCHEDULED : RUN_TYPE_MANUAL;
}

enum status context_facts_at(const struct dag *dag, int64_t logical_us, enum run_type type,
    struct arena *arena, struct run_facts *ret, struct error *err)
{
    static const struct civil first = {.year = 1, .month = 1, .day = 1};
    static const struct civil last = {9999, 12, 31, 23, 59, 59, 999999};
    if (logical_us < civil_to_us(&first) || logical_us > civil_to_us(&last))
        return error_set(err, ERR_INVALID, "a logical date lies between the years 1 and 9999");
    struct data_interval interval = {logical_us, logical_us};
    if (dag->timetable)
        interval = timetable_interval_of(dag->timetable, logical_us);
    *ret = (struct run_facts){
        .run_id = run_id_make(arena, type, logical_us),
        .type = type,
        .logical_us = logical_us,
        .interval_start_us = interval.start_us,
        .interval_end_us = interval.end_us,
        .run_after_us = interval.end_us > logical_us ? interval.end_us : logical_us,
        .started_us = INT64_MIN,
        .conf = "{}",
        .prev_interval_start_success_us = INT64_MIN,
        .prev_interval_end_success_us = INT64_MIN,
        .prev_start_success_us = INT64_MIN,
        .prev_end_success_us = INT64_MIN,
    };
    return OK;
}
