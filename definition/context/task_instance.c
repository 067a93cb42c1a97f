/* `ti` and `task_instance`: the attempt, and the XCom of other tasks. */
#include "definition/context/context_data.h"

/* What is asked of a task: its XCom under that key, of all its indexes or of some. */
struct wish {
    const char *key;
    struct jinja_value map_indexes; /* undefined or none: all of them */
};

/* The XCom of one instance, none when it has none. */
static enum status pull_instance(struct context *context, const char *task_id, int32_t map_index,
    const char *key, struct jinja_value *ret, struct error *err)
{
    const struct attempt_facts *attempt = context->attempt;
    const char *text =
        attempt->xcom ? attempt->xcom(attempt->xcom_user, task_id, map_index, key, context->arena)
                      : NULL;
    CLEANUP(json_decrefp) json_t *json = NULL;
    *ret = jinja_none();
    if (!text)
        return OK;
    enum status status = json_parse(text, strlen(text), NULL, &json, err);
    if (status)
        return error_context(err, "the XCom of `%s`: ", task_id);
    *ret = jinja_mark(jinja_from_json(context->arena, json), JINJA_UNTRUSTED);
    return OK;
}

/* The XComs of the indexes that have one, as Airflow's sequence of a mapped task. */
static enum status pull_mapped(struct context *context, const struct task *task, const char *key,
    struct jinja_value *ret, struct error *err)
{
    const struct attempt_facts *attempt = context->attempt;
    const int32_t *indexes = NULL;
    size_t count = attempt->indexes ? attempt->indexes(attempt->xcom_user, task->task_id,
                                          context->arena, &indexes)
                                    : 0;
    struct jinja_value list = jinja_list_new(context->arena, count);
    for (size_t i = 0; i < count; i++) {
        struct jinja_value one;
        enum status status = pull_instance(context, task->task_id, indexes[i], key, &one, err);
        if (status)
            return status;
        if (one.kind != JINJA_NONE)
            jinja_list_add(context->arena, list, one);
    }
    *ret = jinja_mark(list, JINJA_UNTRUSTED);
    return OK;
}

enum status context_xcom(struct context *context, const struct task *task, const char *key,
    struct jinja_value *ret, struct error *err)
{
    if (context->attempt->sampled) {
        *ret = context_sample(context);
        return OK;
    }
    return task->expand.count ? pull_mapped(context, task, key, ret, err)
                              : pull_instance(context, task->task_id, -1, key, ret, err);
}

static enum status pull_index(struct context *context, const char *task_id, const char *key,
    struct jinja_value index, struct jinja_value *ret, struct error *err)
{
    if (index.kind != JINJA_INT || index.integer < 0 || index.integer >= MAPPED_MAX)
        return error_set(err, ERR_TEMPLATE_TYPE,
            "xcom_pull(): map_indexes is a number from 0 to %d, or a list of them", MAPPED_MAX - 1);
    return pull_instance(context, task_id, (int32_t)index.integer, key, ret, err);
}

static enum status pull_indexes(struct context *context, const char *task_id, const char *key,
    struct jinja_value indexes, struct jinja_value *ret, struct error *err)
{
    if (indexes.kind != JINJA_LIST && indexes.kind != JINJA_TUPLE)
        return pull_index(context, task_id, key, indexes, ret, err);
    struct jinja_value list = jinja_list_new(context->arena, indexes.list->count);
    for (size_t i = 0; i < indexes.list->count; i++) {
        struct jinja_value one;
        enum status status = pull_index(context, task_id, key, indexes.list->items[i], &one, err);
        if (status)
            return status;
        jinja_list_add(context->arena, list, one);
    }
    *ret = jinja_mark(list, JINJA_UNTRUSTED);
    return OK;
}

static enum status check_task(
    struct context *context, const char *task_id, const struct task **ret, struct error *err)
{
    const struct dag *dag = context->dag;
    *ret = dag_find_task(dag, task_id);
    if (*ret)
        return OK;
    const char **ids = arena_array(context->arena, const char *, dag->task_count + 1);
    for (uint32_t i = 0; i < dag->task_count; i++)
        ids[i] = dag->tasks[i].task_id;
    const char *near = suggest(task_id, ids, dag->task_count);
    error_set(err, ERR_TEMPLATE_VALUE, "xcom_pull(): there is no task `%s`", task_id);
    if (near)
        error_hint(err, "did you mean `%s`?", near);
    return ERR_TEMPLATE_VALUE;
}

static enum status pull(struct context *context, struct jinja_value id, const struct wish *wish,
    struct jinja_value *ret, struct error *err)
{
    const struct task *task = NULL;
    if (id.kind != JINJA_STRING)
        return error_set(err, ERR_TEMPLATE_TYPE, "xcom_pull(): a task_id is a string, not '%s'",
            jinja_type_name(id));
    const char *task_id = arena_strndup(context->arena, id.text, id.size);
    enum status status = check_task(context, task_id, &task, err);
    if (status)
        return status;
    if (context->attempt->sampled || jinja_is_absent(wish->map_indexes))
        return context_xcom(context, task, wish->key, ret, err);
    return pull_indexes(context, task_id, wish->key, wish->map_indexes, ret, err);
}

static enum status pull_list(struct context *context, const struct jinja_list *ids,
    const struct wish *wish, struct jinja_value *ret, struct error *err)
{
    struct jinja_value list = jinja_list_new(context->arena, ids->count);
    for (size_t i = 0; i < ids->count; i++) {
        struct jinja_value one;
        enum status status = pull(context, ids->items[i], wish, &one, err);
        if (status)
            return status;
        jinja_list_add(context->arena, list, one);
    }
    *ret = jinja_mark(list, JINJA_UNTRUSTED);
    return OK;
}

enum { ARG_TASK_IDS, ARG_KEY, ARG_DAG_ID, ARG_MAP_INDEXES, ARG_DEFAULT, ARG_COUNT };

/* What this version cannot pull. */
static enum status check_pull(
    const struct context *context, const struct jinja_value *v, struct error *err)
{
    struct jinja_value dag_id = v[ARG_DAG_ID];
    bool other_dag =
        dag_id.kind != JINJA_UNDEFINED && dag_id.kind != JINJA_NONE &&
        !(dag_id.kind == JINJA_STRING && slice_equal_str(jinja_text(dag_id), context->dag->dag_id));
    if (other_dag)
        return error_set(
            err, ERR_TEMPLATE_VALUE, "xcom_pull(): only tasks of the same run can be asked");
    return OK;
}

static enum status xcom_pull(
    const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"task_ids", "key", "dag_id", "map_indexes", "default"};
    struct context *context = context_of(call);
    struct jinja_value v[ARG_COUNT];
    struct slice key;
    enum status status = jinja_arguments(call, names, ARG_COUNT, 0, v, err);
    if (status == OK)
        status = jinja_argument_text(call, names[ARG_KEY], v[ARG_KEY], "return_value", &key, err);
    if (status == OK)
        status = check_pull(context, v, err);
    if (status)
        return status;
    struct wish wish = {arena_strndup(context->arena, key.p, key.size), v[ARG_MAP_INDEXES]};
    struct jinja_value ids = v[ARG_TASK_IDS];
    if (ids.kind == JINJA_UNDEFINED || ids.kind == JINJA_NONE)
        ids = jinja_string(context->task->task_id);
    if (ids.kind == JINJA_LIST || ids.kind == JINJA_TUPLE)
        return pull_list(context, ids.list, &wish, ret, err);
    status = pull(context, ids, &wish, ret, err);
    if (status == OK && ret->kind == JINJA_NONE && !jinja_is_absent(v[ARG_DEFAULT]))
        *ret = v[ARG_DEFAULT];
    return status;
}

static const struct jinja_method methods[] = {{"xcom_pull", xcom_pull}, {NULL, NULL}};
static const struct jinja_class task_instance_class = {
    RECORD_CLASS("TaskInstance"), .methods = methods};

struct jinja_value context_task_instance(struct context *context, struct jinja_value task)
{
    const struct attempt_facts *attempt = context->attempt;
    const struct run_facts *run = context->run;
    struct record *ti = record_new(context, &task_instance_class,
        arena_printf(context->arena, "<TaskInstance: %s.%s %s [running]>", context->dag->dag_id,
            context->task->task_id, run->run_id));
    record_put(ti, "id", jinja_string(attempt->attempt_id ? attempt->attempt_id : ""));
    record_put(ti, "task_id", jinja_string(context->task->task_id));
    record_put(ti, "dag_id", jinja_string(context->dag->dag_id));
    record_put(ti, "run_id", jinja_string(run->run_id));
    record_put(ti, "try_number", jinja_int(attempt->try_number));
    record_put(ti, "max_tries", jinja_int(context->task->retries));
    record_put(ti, "map_index", jinja_int(attempt->map_index));
    record_put(ti, "is_mapped", jinja_bool(attempt->map_index >= 0));
    record_put(ti, "start_date", date_new_utc(context->arena, attempt->now_us));
    record_put(ti, "state", jinja_string(task_state_name(TASK_RUNNING)));
    record_put(ti, "task", task);
    return record_value(ti);
}
