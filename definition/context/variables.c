/* The variables that templates of tasks see. */
#include "definition/context/context_data.h"

static const struct jinja_class dag_run_class = {RECORD_CLASS("DagRun")};
static const struct jinja_class task_class = {RECORD_CLASS("Operator")};
static const struct jinja_class target_class = {RECORD_CLASS("target")};

static struct jinja_value list_of_names(struct arena *arena, struct names names)
{
    struct jinja_value list = jinja_list_new(arena, names.count);
    for (size_t i = 0; i < names.count; i++)
        jinja_list_add(arena, list, jinja_string(names.at[i]));
    return list;
}

/* --- the run's type ------------------------------------------------------------------------- */

/* Airflow's is a text that prints its own name: "DagRunType.MANUAL", equal to "manual". */
struct run_kind {
    struct record record;
    enum run_type type;
};

static struct slice run_kind_value(const struct jinja_object *self)
{
    return slice_of(run_type_name(((const struct run_kind *)self)->type));
}

static const struct jinja_class run_type_class;

static bool run_type_equal(struct jinja_object *self, struct jinja_value other)
{
    if (jinja_object_of(other, &run_type_class))
        return slice_equal(run_kind_value(self), run_kind_value(other.object));
    return other.kind == JINJA_STRING && slice_equal(run_kind_value(self), jinja_text(other));
}

static enum status run_type_json(
    struct jinja_object *self, struct arena *arena, struct jinja_value *ret, struct error *err)
{
    (void)arena, (void)err;
    *ret = jinja_slice(run_kind_value(self));
    return OK;
}

static const struct jinja_class run_type_class = {
    RECORD_CLASS("DagRunType"), .equal = run_type_equal, .json = run_type_json};

static char *upper(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);
    for (char *p = copy; *p; p++)
        *p = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
    return copy;
}

static struct jinja_value run_type_new(struct context *context)
{
    struct run_kind *kind = arena_new_of(context->arena, struct run_kind);
    const char *name = upper(context->arena, run_type_name(context->run->type));
    const char *text = arena_printf(context->arena, "DagRunType.%s", name);
    kind->record = *record_new(context, &run_type_class, text);
    kind->type = context->run->type;
    record_put(&kind->record, "name", jinja_string(name));
    record_put(&kind->record, "value", jinja_string(run_type_name(kind->type)));
    return record_value(&kind->record);
}

/* --- dag, dag_run, task --------------------------------------------------------------------- */

/* `task_ids` is made when it is asked for: a DAG may have thousands, and each task makes a context.
 */
static enum status dag_attribute(struct jinja_render *render, struct jinja_object *self,
    struct slice name, struct jinja_value *ret, struct error *err)
{
    if (!slice_equal_str(name, "task_ids"))
        return record_attribute(render, self, name, ret, err);
    const struct context *context = ((const struct record *)self)->context;
    const struct dag *dag = context->dag;
    *ret = jinja_list_new(context->arena, dag->task_count);
    for (uint32_t i = 0; i < dag->task_count; i++)
        jinja_list_add(context->arena, *ret, jinja_string(dag->tasks[i].task_id));
    return OK;
}

static const struct jinja_class dag_class = {
    .type_name = "DAG", .attribute = dag_attribute, .text = record_text};

static struct jinja_value new_dag(struct context *context, struct jinja_value params)
{
    const struct dag *dag = context->dag;
    struct arena *arena = context->arena;
    struct record *record =
        record_new(context, &dag_class, arena_printf(arena, "<DAG: %s>", dag->dag_id));
    record_put(record, "dag_id", jinja_string(dag->dag_id));
    record_put(record, "description", text_or_none(dag->description));
    record_put(record, "owner", text_or_none(dag->owner));
    record_put(record, "tags", list_of_names(arena, dag->tags));
    record_put(record, "schedule", text_or_none(dag->schedule_text));
    record_put(record, "timezone", tz_new(arena, dag->zone ? dag->zone : zone_utc(), 0));
    record_put(record, "start_date", date_new_utc(arena, dag->start_us));
    record_put(record, "end_date",
        date_new_utc(arena, dag->end_us == INT64_MAX ? INT64_MIN : dag->end_us));
    record_put(record, "catchup", jinja_bool(dag->catchup == CATCHUP_ALL));
    record_put(record, "max_active_runs", jinja_int(dag->max_active_runs));
    record_put(record, "max_active_tasks", jinja_int(dag->max_active_tasks));
    record_put(record, "fileloc", text_or_none(dag->file));
    record_put(record, "params", params);
    return record_value(record);
}

static struct jinja_value new_dag_run(struct context *context, struct jinja_value conf)
{
    const struct run_facts *run = context->run;
    struct arena *arena = context->arena;
    struct record *record = record_new(context, &dag_run_class,
        arena_printf(arena, "<DagRun %s @ %s>", context->dag->dag_id, run->run_id));
    record_put(record, "dag_id", jinja_string(context->dag->dag_id));
    record_put(record, "run_id", jinja_string(run->run_id));
    record_put(record, "run_type", run_type_new(context));
    record_put(record, "logical_date", date_new_utc(arena, run->logical_us));
    record_put(record, "data_interval_start", date_new_utc(arena, run->interval_start_us));
    record_put(record, "data_interval_end", date_new_utc(arena, run->interval_end_us));
    record_put(record, "run_after", date_new_utc(arena, run->run_after_us));
    record_put(record, "start_date", date_new_utc(arena, run->started_us));
    record_put(record, "end_date", jinja_none());
    record_put(record, "state", jinja_string(run_state_name(RUN_RUNNING)));
    record_put(record, "conf", conf);
    return record_value(record);
}

static struct jinja_value ids_of(struct context *context, struct indexes indexes)
{
    struct jinja_value list = jinja_list_new(context->arena, indexes.count);
    for (size_t i = 0; i < indexes.count; i++)
        jinja_list_add(
            context->arena, list, jinja_string(context->dag->tasks[indexes.at[i]].task_id));
    return list;
}

static struct jinja_value new_task(
    struct context *context, struct jinja_value dag, struct jinja_value params)
{
    const struct task *task = context->task;
    struct arena *arena = context->arena;
    const char *kind = task_kind_name(task->kind);
    struct record *record = record_new(
        context, &task_class, arena_printf(arena, "<Task(%s): %s>", kind, task->task_id));
    record_put(record, "task_id", jinja_string(task->task_id));
    record_put(record, "task_type", jinja_string(kind));
    record_put(record, "dag", dag);
    record_put(record, "dag_id", jinja_string(context->dag->dag_id));
    record_put(record, "owner", text_or_none(context->dag->owner));
    record_put(record, "doc", text_or_none(task->doc));
    record_put(record, "params", params);
    record_put(record, "retries", jinja_int(task->retries));
    record_put(record, "retry_delay", delta_new(arena, task->retry_delay_us));
    record_put(record, "trigger_rule", jinja_string(trigger_rule_name(task->trigger_rule)));
    record_put(record, "pool", text_or_none(task->pool));
    record_put(record, "pool_slots", jinja_int(task->pool_slots));
    record_put(record, "priority_weight", jinja_int(task->priority_weight));
    record_put(record, "depends_on_past", jinja_bool(task->depends_on_past));
    record_put(record, "wait_for_downstream", jinja_bool(task->wait_for_downstream));
    record_put(record, "execution_timeout",
        task->execution_timeout_us ? delta_new(arena, task->execution_timeout_us) : jinja_none());
    record_put(record, "upstream_task_ids", ids_of(context, task->upstream));
    record_put(record, "downstream_task_ids", ids_of(context, task->downstream));
    return record_value(record);
}

/* --- dates ---------------------------------------------------------------------------------- */

static void put_format(struct context *context, struct jinja_value variables, const char *name,
    const struct moment *at, const char *format)
{
    struct strbuf text = {0};
    date_add_strftime(&text, at, slice_of(format));
    jinja_mapping_put(context->arena, variables, name, text_value(context->arena, &text));
}

static void put_texts(struct context *context, struct jinja_value variables)
{
    struct moment at = {context->run->logical_us, zone_utc(), 0, true};
    put_format(context, variables, "ds", &at, "%Y-%m-%d");
    put_format(context, variables, "ds_nodash", &at, "%Y%m%d");
    put_format(context, variables, "ts_nodash", &at, "%Y%m%dT%H%M%S");
    put_format(context, variables, "ts_nodash_with_tz", &at, "%Y%m%dT%H%M%S%z");
    struct strbuf text = {0};
    date_add_iso(&text, &at, 'T');
    jinja_mapping_put(context->arena, variables, "ts", text_value(context->arena, &text));
    if (at.us % US_PER_SECOND)
        put_format(context, variables, "ts_nodash_with_tz", &at, "%Y%m%dT%H%M%S.%f%z");
    struct tz local = {.zone = context->dag->zone ? context->dag->zone : zone_utc()};
    at = moment_in(at.us, &local);
    put_format(context, variables, "local_ds", &at, "%Y-%m-%d");
    put_format(context, variables, "local_ds_nodash", &at, "%Y%m%d");
}

static void put_dates(struct context *context, struct jinja_value variables)
{
    const struct run_facts *run = context->run;
    const struct {
        const char *name;
        int64_t us;
    } rows[] = {
        {"logical_date", run->logical_us},
        {"data_interval_start", run->interval_start_us},
        {"data_interval_end", run->interval_end_us},
        {"prev_data_interval_start_success", run->prev_interval_start_success_us},
        {"prev_data_interval_end_success", run->prev_interval_end_success_us},
        {"prev_start_date_success", run->prev_start_success_us},
        {"prev_end_date_success", run->prev_end_success_us},
        {"_now", context->attempt->now_us},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        jinja_mapping_put(
            context->arena, variables, rows[i].name, date_new_utc(context->arena, rows[i].us));
}

/* --- all of them ---------------------------------------------------------------------------- */

void context_put_project(struct context *context, struct jinja_value variables)
{
    struct arena *arena = context->arena;
    const struct render_target *target = context->target;
    struct record *record =
        record_new(context, &target_class, target->name ? target->name : "default");
    record_put(record, "name", jinja_string(record->text));
    record_put(record, "dialect", jinja_string(dialect_name(target->dialect)));
    record_put(record, "version", jinja_string(target->version ? target->version : ""));
    record_put(record, "plpython", text_or_none(target->plpython));
    jinja_mapping_put(arena, variables, "target", record_value(record));
    jinja_mapping_put(arena, variables, "var", context_var(context));
    jinja_mapping_put(arena, variables, "conn", context_connection_accessor(context));
}

static void put_task(struct context *context, struct jinja_value variables, struct jinja_value conf,
    struct jinja_value params)
{
    struct arena *arena = context->arena;
    struct jinja_value dag = new_dag(context, params), task = new_task(context, dag, params);
    struct jinja_value dag_run = new_dag_run(context, conf);
    struct jinja_value ti = context_task_instance(context, task);
    const char *ds = jinja_mapping_get(variables, "ds_nodash").text;
    const struct {
        const char *name;
        struct jinja_value value;
    } rows[] = {
        {"dag", dag},
        {"dag_run", dag_run},
        {"task", task},
        {"ti", ti},
        {"task_instance", ti},
        {"run_id", jinja_string(context->run->run_id)},
        {"task_instance_key_str", jinja_string(arena_printf(arena, "%s__%s__%s",
                                      context->dag->dag_id, context->task->task_id, ds))},
        {"params", params},
        {"macros", context_macros(context)},
        {"test_mode", jinja_bool(context->attempt->test_mode)},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        jinja_mapping_put(arena, variables, rows[i].name, rows[i].value);
    context_put_assets(context, variables);
}

/* A JSON object of the run or the attempt; NULL is an empty one. */
static enum status read_object(const char *text, const char *what, json_t **ret, struct error *err)
{
    if (!text)
        text = "{}";
    enum status status = json_parse(text, strlen(text), NULL, ret, err);
    if (status)
        return error_context(err, "%s: ", what);
    if (json_is_object(*ret))
        return OK;
    json_decref(*ret);
    *ret = NULL;
    return error_set(err, ERR_INVALID, "%s must be a JSON object", what);
}

/* What comes from outside. */
static struct jinja_value unknown_or(struct context *context, const json_t *object)
{
    if (context->attempt->sampled && json_object_size(object) == 0)
        return context_sample(context);
    return jinja_mark(jinja_from_json(context->arena, object), JINJA_UNTRUSTED);
}

/* What lint renders with: a value that stands in the DAG file as it is, else a sample. */
static struct jinja_value sample_of(struct context *context, const struct expand_source *source)
{
    const json_t *first = json_array_get(source->values, 0);
    const char *text = json_string_value(first);
    bool known = text ? !strchr(text, '{') : json_is_number(first) || json_is_boolean(first);
    return known ? jinja_from_json(context->arena, first) : context_sample(context);
}

static enum status put_mapped(
    struct context *context, struct jinja_value variables, struct error *err)
{
    CLEANUP(json_decrefp) json_t *mapped = NULL;
    enum status status =
        read_object(context->attempt->mapped, "the values of the mapped task", &mapped, err);
    if (status)
        return status;
    bool sampled = context->attempt->sampled;
    struct jinja_value value =
        jinja_mark(jinja_from_json(context->arena, mapped), sampled ? 0 : JINJA_UNTRUSTED);
    const struct expand *expand = &context->task->expand;
    for (size_t i = 0; sampled && i < expand->count; i++)
        jinja_mapping_put(
            context->arena, value, expand->at[i].name, sample_of(context, &expand->at[i]));
    jinja_mapping_put(context->arena, variables, "mapped", value);
    return OK;
}

enum status context_variables(struct context *context, struct jinja_value *ret, struct error *err)
{
    CLEANUP(json_decrefp) json_t *conf = NULL;
    struct jinja_value params;
    enum status status = read_object(context->run->conf, "the run's conf", &conf, err);
    if (status == OK)
        status = context_params(context, conf, &params, err);
    if (status)
        return status;
    struct jinja_value variables = jinja_mapping_new(context->arena);
    put_texts(context, variables);
    put_dates(context, variables);
    put_task(context, variables, unknown_or(context, conf), params);
    context_put_project(context, variables);
    *ret = variables;
    return put_mapped(context, variables, err);
}
