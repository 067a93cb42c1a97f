/*
 * An input: one byte (its low bits: 1 strict, 2 nothing is known of a run, as in lint), then a
 * template that is rendered with what tasks see: dates, macros, connections, parameters.  No
 * masked text and no error repeats a secret.
 */
#include <assert.h>
#include "base/clock.h"
#include "definition/context/context_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STRICT = 1, SAMPLED = 2 };

static const char secret[] = "Qy7secretXw";

static const struct variable variables[] = {{.name = "release", .value = "/data/geolife"},
    {.name = "limits", .value = "{\"rows\": [1, 2.5, null]}"},
    {.name = "api_token", .value = secret}};
static const struct connection connections[] = {
    {.name = "gp", .uri = "postgresql://etl:Qy7secretXw@gp.example:5433/geolife?sslmode=require"}};
static const struct project project = {.root = "/nonexistent",
    .dags = "dags",
    .templates = "templates",
    .variables = variables,
    .variable_count = ARRAY_SIZE(variables),
    .connections = connections,
    .connection_count = ARRAY_SIZE(connections)};
static const struct render_target target = {
    .name = "default", .version = "", .plpython = "plpython3u"};

static const char *pull(
    void *user, const char *task_id, int32_t map_index, const char *key, struct arena *arena)
{
    (void)user, (void)map_index, (void)key, (void)arena;
    return str_equal(task_id, "t") ? "{\"a\": [1, \"2007-04-12T01:02:03+02:00\", null]}" : NULL;
}

static size_t instances(void *user, const char *task_id, struct arena *arena, const int32_t **ret)
{
    static const int32_t indexes[] = {0, 2};
    (void)user, (void)task_id, (void)arena;
    *ret = indexes;
    return ARRAY_SIZE(indexes);
}

/* In a zone with clock changes, on a day with one. */
static void dag_init(struct dag *dag, struct task *task)
{
    struct error err;
    *task = (struct task){.task_id = "t", .kind = KIND_SQL, .pool = "default_pool"};
    task_set_parts(task, NULL, NULL);
    *dag = (struct dag){.dag_id = "d",
        .file = "dags/d.yaml",
        .start_us = INT64_MIN,
        .end_us = INT64_MAX,
        .tasks = task,
        .task_count = 1};
    enum status status = zone_load("Europe/Berlin", &dag->zone, &err);
    assert(status == OK);
}

static void check_secret(struct slice input, const char *shown)
{
    /* Who writes it in the template shows it. */
    if (memmem(input.p, input.size, secret, 4) || memmem(input.p, input.size, "etXw", 4))
        return;
    assert(!strstr(shown, secret));
}

static enum status render(struct context *context, struct slice text, bool strict,
    struct jinja_result *ret, struct error *err)
{
    struct jinja_value values;
    CLEANUP(jinja_environment_freep)
    struct jinja_environment *env = jinja_environment_new(&(struct jinja_options){.strict = strict,
        .undefined_hint = context_undefined_hint,
        .limits = {.steps = 100000,
            .loops = 10000,
            .memory_bytes = 8 << 20,
            .output_bytes = 1 << 20,
            .depth = 50}});
    context_add_date_filters(env);
    enum status status = context_variables(context, &values, err);
    assert(status == OK);
    status = jinja_render_text(env, "fuzz", text, values, context->arena, ret, err);
    if (status == OK)
        check_secret(text, jinja_masked_text(ret, JINJA_SECRET, "***", context->arena).p);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dag dag;
    static struct task task;
    if (!dag.zone)
        dag_init(&dag, &task);
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct run_facts facts;
    struct jinja_result result;
    struct error err = {0};
    bool sampled = false;
    unsigned flags = size ? data[0] : 0;
    struct slice text = slice_make((const char *)data + 1, size ? size - 1 : 0);
    enum { LAST_SUNDAY_OF_MARCH_2024 = 1711839600 };
    int64_t date_us = LAST_SUNDAY_OF_MARCH_2024 * US_PER_SECOND;
    enum status status = context_facts_at(&dag, date_us, RUN_TYPE_SCHEDULED, arena, &facts, &err);
    assert(status == OK);
    facts.conf = "{\"day\": \"2024-02-29\", \"n\": [1, {\"a\": null}]}";
    struct attempt_facts attempt = {.attempt_id = "a",
        .try_number = 1,
        .map_index = -1,
        .now_us = date_us + US_PER_DAY,
        .seed = 42,
        .xcom = pull,
        .indexes = instances,
        .sampled = flags & SAMPLED ? &sampled : NULL};
    struct context context = {.arena = arena,
        .project = &project,
        .dag = &dag,
        .task = &task,
        .run = &facts,
        .attempt = &attempt,
        .target = &target};
    status = render(&context, text, flags & STRICT, &result, &err);
    if (status != OK) {
        assert(err.status == status && err.message[0] && err.place.line);
        secrets_mask_error(&context.secrets, &err);
        check_secret(text, err.message);
        check_secret(text, err.hint);
    }
    secrets_done(&context.secrets);
    return 0;
}
