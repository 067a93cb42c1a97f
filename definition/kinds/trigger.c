/* `trigger_dag`: the run that a task makes. */
#include "definition/kinds/kinds.h"
#include "definition/limits.h"
#include "definition/report.h"
#include "language/timetable/zone.h"

static const struct kind_keys trigger_kind = {"trigger_dag", &trigger_level, "dag_id"};

static bool is_plain(const char *text)
{
    return !strchr(text, '{');
}

static void check_dag_id(
    struct loading *l, const struct yaml_node *node, const struct trigger_task *trigger)
{
    const char *dag_id = trigger->dag_id.value;
    if (!dag_id || slice_trim(slice_of(dag_id)).size == 0)
        report_hint(report(l->diagnostics, node, ERR_KEY_MISSING,
                        "the task does not say which DAG it triggers"),
            "write `trigger_dag: {dag_id: …}`");
}

/* A template is read when it is rendered. */
static void check_date(
    struct loading *l, const struct yaml_node *node, const struct trigger_task *trigger)
{
    const char *text = trigger->logical_date.value;
    struct error error;
    int64_t us;
    if (text && is_plain(text) &&
        zone_parse_time(zone_utc(), slice_trim(slice_of(text)), &us, NULL, &error) != OK)
        report_from(l->diagnostics, node, &error, NULL);
}

static void take_conf(struct loading *l, const struct yaml_node *conf, struct trigger_task *trigger)
{
    if (!conf || (conf->kind == YAML_SCALAR && conf->type == YAML_NULL))
        return;
    if (conf->kind == YAML_MAPPING) {
        trigger->json = yaml_to_json(conf);
        trigger->json_line = conf->line;
    } else if (conf->kind == YAML_SCALAR && conf->type == YAML_TEXT && !is_plain(conf->value.p)) {
        trigger->conf = conf->text;
        trigger->conf.value = arena_strndup(l->arena, conf->value.p, conf->value.size);
    } else {
        report_hint(report(l->diagnostics, conf, ERR_VALUE_TYPE,
                        "`conf` takes a mapping, or a template that gives a JSON object; this is "
                        "%s",
                        yaml_describe(conf)),
            "write `conf: {name: value}`");
    }
}

void kind_trigger_load(struct loading *l, const struct yaml_node *key, const struct yaml_node *own,
    struct task_keys *keys)
{
    const struct yaml_node *node = keys->kind ? keys->kind : key;
    struct trigger_task *trigger = &keys->parts.trigger;
    if (!keys->kind || kind_keys_twice(l, &trigger_kind, node, own) ||
        !kind_keys_read(l, &trigger_kind, node, &keys->trigger, &keys->trigger.dag_id))
        return;
    *trigger = (struct trigger_task){.dag_id = keys->trigger.dag_id,
        .logical_date = keys->trigger.logical_date,
        .wait = keys->trigger.wait};
    check_dag_id(l, node, trigger);
    check_date(l, node, trigger);
    take_conf(l, keys->trigger.conf, trigger);
}
