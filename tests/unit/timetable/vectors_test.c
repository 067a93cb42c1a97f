/*
 * The runs that real Airflow gives (tests/vectors/timetables): each vector, asked as `dag next`
 * asks. Optional ones must pass too, except the class `overlap`: there Airflow's intervals overlap
 * or leave gaps at a change of the clock, and ours tile time.
 */
#include "base/file.h"
#include "base/json.h"
#include "language/timetable/timetable.h"
#include "tests/unit/test.h"

static json_t *load_vectors(struct arena *arena)
{
    struct error err = {0};
    struct slice text;
    json_t *root = NULL;
    const char *path = DAG_SOURCE_DIR "/tests/vectors/timetables/vectors.json";
    REQUIRE_OK(file_read(path, 16 * 1024 * 1024, arena, &text, &err), &err);
    REQUIRE_OK(json_parse(text.p, text.size, path, &root, &err), &err);
    return root;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static int64_t instant_of(const json_t *object, const char *key)
{
    struct error err = {0};
    int64_t us = 0;
    REQUIRE_OK(zone_parse_time(zone_utc(), slice_of(text_of(object, key)), &us, NULL, &err), &err);
    return us;
}

static enum status parse_vector(
    struct arena *arena, const json_t *vector, struct timetable **ret, struct error *err)
{
    const struct zone *zone;
    enum status status = zone_load(text_of(vector, "timezone"), &zone, err);
    if (status != OK)
        return status;
    const char *schedule = text_of(vector, "schedule");
    struct schedule_spec spec = {.form = SCHEDULE_TEXT,
        .texts = &schedule,
        .text_count = 1,
        .trigger = str_equal(text_of(vector, "timetable"), "trigger"),
        .start_date = text_of(vector, "from")};
    return timetable_parse(arena, &spec, zone, ret, err);
}

static bool same_run(const struct timetable_run *run, const json_t *want)
{
    return run->run_after_us == instant_of(want, "run_after") &&
           run->logical_us == instant_of(want, "logical_date") &&
           run->interval.start_us == instant_of(want, "data_interval_start") &&
           run->interval.end_us == instant_of(want, "data_interval_end");
}

static bool runs_pass(const struct timetable *timetable, const json_t *vector)
{
    const json_t *runs = json_object_get(vector, "runs");
    struct timetable_run run;
    const struct data_interval *last = NULL;
    for (size_t i = 0; i < json_array_size(runs); i++) {
        if (timetable_next(timetable, last, TIME_MIN_US, &run) != TIMETABLE_RUN ||
            !same_run(&run, json_array_get(runs, i)))
            return false;
        last = &run.interval;
    }
    bool more = timetable_next(timetable, last, TIME_MIN_US, &run) == TIMETABLE_RUN;
    return json_array_size(runs) == (size_t)json_integer_value(json_object_get(vector, "count")) ||
           !more;
}

static bool vector_passes(const json_t *vector)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err = {0};
    struct timetable *timetable;
    enum status status = parse_vector(arena, vector, &timetable, &err);
    if (!json_is_null(json_object_get(vector, "error")))
        return status != OK && err.message[0] && err.hint[0];
    return status == OK && runs_pass(timetable, vector);
}

TEST(every_vector_of_airflow_passes_but_those_where_its_intervals_overlap)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    json_t *root = load_vectors(arena);
    const json_t *vectors = json_object_get(root, "vectors");
    size_t overlaps = 0, overlaps_passed = 0;
    REQUIRE(json_array_size(vectors) > 200);
    for (size_t i = 0; i < json_array_size(vectors); i++) {
        const json_t *vector = json_array_get(vectors, i);
        bool passes = vector_passes(vector);
        if (str_equal(text_of(vector, "class"), "overlap")) {
            overlaps++;
            overlaps_passed += passes;
            continue;
        }
        if (!CHECK(passes))
            fprintf(stderr, "  vector %s: %s in %s\n", text_of(vector, "id"),
                text_of(vector, "schedule"), text_of(vector, "timezone"));
    }
    printf("class overlap: %zu of %zu are as Airflow's\n", overlaps_passed, overlaps);
    json_decref(root);
}
