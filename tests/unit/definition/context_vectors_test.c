/* tests/vectors/context: what Airflow renders for single expressions, in runs of many schedules. */
#include "base/file.h"
#include "tests/unit/definition/context_dag.h"
#include "tests/unit/test.h"

static const char *text_of(const json_t *vector, const char *key)
{
    return json_string_value(json_object_get(vector, key));
}

/* Our schedules by what Airflow calls them; "!" stands for `interval: false`. */
static const char *schedule_of(const json_t *vector, struct arena *arena)
{
    const char *timetable = text_of(vector, "timetable"), *schedule = text_of(vector, "schedule");
    if (str_equal(timetable, "none"))
        return NULL;
    return str_equal(timetable, "trigger") ? arena_printf(arena, "!%s", schedule) : schedule;
}

static void set_run(struct context_dag *d, const json_t *vector, struct arena *arena)
{
    enum run_type type;
    struct error err;
    struct strbuf conf = {0};
    REQUIRE(run_type_parse(text_of(vector, "run_type"), &type));
    REQUIRE_OK(context_facts_at(&d->dag, d->run.logical_us, type, arena, &d->run, &err), &err);
    struct json_writer w = json_begin(&conf);
    json_tree(&w, json_object_get(vector, "conf"));
    d->run.conf = strbuf_to_arena(&conf, arena);
    strbuf_done(&conf);
}

static void set_params(struct context_dag *d, const json_t *vector, struct arena *arena)
{
    json_t *params = json_object_get(vector, "params");
    for (void *at = json_object_iter(params); at; at = json_object_iter_next(params, at)) {
        struct strbuf text = {0};
        struct json_writer w = json_begin(&text);
        json_tree(&w, json_object_iter_value(at));
        context_dag_add_param(d, arena, json_object_iter_key(at), NULL, strbuf_text(&text));
        strbuf_done(&text);
    }
}

/* Our run ids have the logical date, Airflow's the time at which the run fires. */
static const char *expected(
    const struct context_dag *d, const char *expression, const char *airflow)
{
    return strstr(expression, "run_id }}") ? d->run.run_id : airflow;
}

/* Returns how many expressions were compared. */
static size_t check_vector(const json_t *vector)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct context_dag d;
    size_t count = 0;
    json_t *groups = json_object_get(vector, "rendered");
    context_dag_init(&d, arena, schedule_of(vector, arena), text_of(vector, "timezone"),
        text_of(vector, "logical_date"));
    set_run(&d, vector, arena);
    set_params(&d, vector, arena);
    CHECK_STR(d.dag.dag_id, text_of(vector, "dag_id"));
    for (void *g = json_object_iter(groups); g; g = json_object_iter_next(groups, g)) {
        json_t *group = json_object_iter_value(g);
        for (void *at = json_object_iter(group); at; at = json_object_iter_next(group, at)) {
            const char *expression = json_object_iter_key(at);
            const char *want =
                expected(&d, expression, json_string_value(json_object_iter_value(at)));
            const char *got = context_dag_render(&d, arena, expression);
            if (!test_check_str(got, want, text_of(vector, "id"), 0, expression))
                fprintf(stderr, "in group %s\n", json_object_iter_key(g));
            count++;
        }
    }
    context_dag_done(&d);
    return count;
}

TEST(every_expression_gives_what_airflow_gives)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct slice text;
    struct error err;
    json_t *all = NULL;
    REQUIRE_OK(file_read(DAG_SOURCE_DIR "/tests/vectors/context/vectors.json", SIZE_MAX, arena,
                   &text, &err),
        &err);
    REQUIRE_OK(json_parse(text.p, text.size, "vectors.json", &all, &err), &err);
    json_t *vectors = json_object_get(all, "vectors");
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(vectors); i++)
        count += check_vector(json_array_get(vectors, i));
    CHECK_INT(count, 19 * 68);
    json_decref(all);
}
