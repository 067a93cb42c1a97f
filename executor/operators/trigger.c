/*
 * `trigger_dag`: says which run is wanted.  The scheduler makes it, together with the task's
 * success (scheduler/trigger.c); here nothing is changed, so that an attempt that was broken off is
 * made again.
 */
#include "definition/param.h"
#include "executor/attempt.h"
#include "language/timetable/zone.h"

static struct slice field_of(const struct attempt *attempt, const char *name)
{
    const struct rendered *field = rendered_find(&attempt->rendered, name);
    return field ? slice_trim(field->text) : slice_of("");
}

static enum status read_dag_id(struct attempt *attempt, const char **ret, struct error *err)
{
    struct slice text = field_of(attempt, "dag_id");
    if (!text.size) {
        error_set(err, ERR_VALUE_RANGE, "`dag_id` came out empty");
        error_hint(err, "look at the template's values with `dag render`");
        return ERR_VALUE_RANGE;
    }
    *ret = arena_strndup(attempt->arena, text.p, text.size);
    return OK;
}

/* In the zone of the task's own DAG, where it has no offset. */
static enum status read_date(struct attempt *attempt, int64_t *ret_us, struct error *err)
{
    const struct task *task = attempt->task;
    *ret_us = attempt->effect.run.logical_us;
    if (!task->trigger->logical_date.value)
        return OK;
    enum status status = zone_parse_time(
        attempt->effect.dag->zone, field_of(attempt, "logical_date"), ret_us, NULL, err);
    return status == OK ? OK : error_context(err, "logical_date: ");
}

/* Its texts are stored with the run, readable for all who may see it. */
static enum status refuse_secrets(const struct attempt *attempt, struct error *err)
{
    for (size_t i = 0; i < attempt->rendered.count; i++) {
        const struct rendered *field = &attempt->rendered.fields[i];
        for (size_t k = 0; field->map && k < field->map->segment_count; k++) {
            if (!(field->map->segments[k].marks & JINJA_SECRET))
                continue;
            error_set(err, ERR_VALUE_RANGE, "`%s` has a secret in it, and is stored with the run",
                field->name);
            error_hint(err, "let the triggered DAG take it from `var` or `conn` itself");
            return ERR_VALUE_RANGE;
        }
    }
    return OK;
}

static enum status read_conf(
    struct attempt *attempt, const struct dag *dag, const char **ret, struct error *err)
{
    const struct trigger_task *trigger = attempt->task->trigger;
    CLEANUP(json_decrefp) json_t *conf = NULL;
    struct slice text =
        trigger->json ? rendered_json(&attempt->rendered, "conf", trigger->json, attempt->arena)
                      : field_of(attempt, "conf");
    if (!text.size)
        text = slice_of("{}");
    enum status status = json_parse(text.p, text.size, NULL, &conf, err);
    if (status == OK && !json_is_object(conf)) {
        status = error_set(err, ERR_VALUE_TYPE, "it is no JSON object");
        error_hint(err, "a template gives one with `| tojson`");
    }
    if (status == OK && dag)
        status = param_check_conf(dag, conf, err);
    if (status)
        return error_context(err, "conf: ");
    *ret = arena_strndup(attempt->arena, text.p, text.size);
    return OK;
}

static void trigger_start(struct attempt *attempt)
{
    struct trigger_order *order = arena_new_of(attempt->arena, struct trigger_order);
    struct error err;
    enum status status = refuse_secrets(attempt, &err);
    if (status == OK)
        status = read_dag_id(attempt, &order->dag_id, &err);
    if (status == OK)
        status = read_date(attempt, &order->logical_us, &err);
    if (status == OK)
        status = read_conf(attempt, attempt_find_dag(attempt, order->dag_id), &order->conf, &err);
    if (status) {
        /* The same texts would be wrong again: like a template's mistake, it is not retried. */
        attempt_fail(attempt, CLASS_TEMPLATE, &err);
        return;
    }
    char date[TIME_TEXT_SIZE];
    time_format_iso(order->logical_us, date);
    attempt_say(attempt, LOG_KIND_INFO, "wants a run of `%s` of %s with conf %s%s", order->dag_id,
        date, order->conf, attempt->task->trigger->wait ? ", and waits for its end" : "");
    attempt_finish(attempt,
        &(struct attempt_result){.outcome = OUTCOME_SUCCESS, .exit_code = -1, .trigger = order});
}

/* Nothing outside can have happened: what it wanted, if it came to that, was not recorded. */
static void trigger_recover(struct attempt *attempt)
{
    attempt_finish(
        attempt, &(struct attempt_result){.outcome = OUTCOME_INTERRUPTED, .exit_code = -1});
}

static void trigger_cancel(struct attempt *attempt, bool force)
{
    /* It has finished already: start and recover end it at once. */
    (void)attempt;
    (void)force;
}

static void trigger_done(struct attempt *attempt)
{
    (void)attempt;
}

const struct operator operator_trigger = {
    .name = "trigger",
    .renders = true,
    .start = trigger_start,
    .recover = trigger_recover,
    .cancel = trigger_cancel,
    .done = trigger_done,
};
