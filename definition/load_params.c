/* Declarations of parameters, of DAGs and endpoints. */
#include "definition/param.h"
#include "definition/report.h"

static bool is_declaration(const struct yaml_node *node)
{
    return node->kind == YAML_MAPPING &&
           (yaml_get(node, "type") || yaml_get(node, "enum") || yaml_get(node, "default"));
}

static void read_param(const struct yaml_pair *pair, struct arena *arena,
    struct diagnostics *diagnostics, struct param *ret)
{
    struct error error;
    json_t *json = yaml_to_json(pair->value);
    *ret = (struct param){.name = arena_strdup(arena, pair->key->value.p),
        .line = pair->key->line,
        .column = pair->key->column};
    if (!is_declaration(pair->value)) {
        ret->default_value = json;
        return;
    }
    ret->schema = json;
    ret->default_value = json_incref(json_object_get(json, "default"));
    if (param_schema_check(ret->name, json, &error) != OK) {
        struct diagnostic *d = report_from(diagnostics, pair->value, &error, NULL);
        report_hint(d, "%s", error.hint);
        return;
    }
    const struct yaml_node *place = yaml_get(pair->value, "default");
    if (ret->default_value && param_check(ret, ret->default_value, &error) != OK)
        report_from(diagnostics, place, &error, "the default");
}

const struct param *params_read(const struct yaml_node *params, struct arena *arena,
    struct diagnostics *diagnostics, size_t *ret_count)
{
    size_t count = params ? params->count : 0;
    struct param *all = arena_array(arena, struct param, count);
    for (size_t i = 0; i < count; i++)
        read_param(&params->pairs[i], arena, diagnostics, &all[i]);
    *ret_count = count;
    return all;
}
