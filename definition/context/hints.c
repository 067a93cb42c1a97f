/* What to say about a name that does not exist. */
#include "definition/context/context_data.h"

/* Names that Airflow 3 removed, and what people mean by others.  How to add one: a row here; the
   test context_variables_test.c goes through all of Airflow's. */
static const struct {
    const char *name, *instead;
} gone[] = {
    {"execution_date", "`logical_date`"},
    {"next_execution_date", "`data_interval_end`"},
    {"prev_execution_date", "`data_interval_start - (data_interval_end - data_interval_start)`, or "
                            "`prev_data_interval_start_success`"},
    {"prev_execution_date_success", "`prev_data_interval_start_success`"},
    {"next_ds", "`data_interval_end | ds`"},
    {"next_ds_nodash", "`data_interval_end | ds_nodash`"},
    {"prev_ds", "`macros.ds_add(ds, -1)`, or `prev_data_interval_start_success | ds`"},
    {"prev_ds_nodash", "`macros.ds_add(ds, -1) | replace(\"-\", \"\")`, or "
                       "`prev_data_interval_start_success | ds_nodash`"},
    {"yesterday_ds", "`macros.ds_add(ds, -1)`"},
    {"yesterday_ds_nodash", "`macros.ds_add(ds, -1) | replace(\"-\", \"\")`"},
    {"tomorrow_ds", "`macros.ds_add(ds, 1)`"},
    {"tomorrow_ds_nodash", "`macros.ds_add(ds, 1) | replace(\"-\", \"\")`"},
    {"triggering_dataset_events", "`triggering_asset_events`"},
};
static const struct {
    const char *name, *instead;
} meant[] = {
    {"conf", "the run's values are in `dag_run.conf`, declared ones in `params`"},
    {"variable", "variables are `var.value.NAME` and `var.json.NAME`"},
    {"variables", "variables are `var.value.NAME` and `var.json.NAME`"},
    {"connection", "connections are `conn.NAME.host` and so on"},
    {"connections", "connections are `conn.NAME.host` and so on"},
    {"dialect", "the database's dialect is `target.dialect`"},
    {"env", "the environment's name is `target.name`; values come from `var.value.NAME`"},
};
static const char *upper(struct arena *arena, const char *name)
{
    char *copy = arena_strdup(arena, name);
    for (char *p = copy; *p; p++)
        *p = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
    return copy;
}

void context_explain_missing(const struct context *context, struct error *err)
{
    const char *name = context->missing;
    bool is_about_it = name && err && !err->hint[0] &&
                       str_ends(err->message, arena_printf(context->arena, "`%s`", name));
    is_about_it |= name && err && !err->hint[0] &&
                   str_ends(err->message, arena_printf(context->arena, "'%s'", name));
    if (!is_about_it)
        return;
    bool variable = str_equal(context->missing_kind, "variable");
    const struct project *project = context->project;
    size_t count = variable ? project->variable_count : project->connection_count;
    const char **candidates = arena_array(context->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        candidates[i] = variable ? project->variables[i].name : project->connections[i].name;
    const char *near = suggest(name, candidates, count);
    if (near)
        error_hint(
            err, "there is no %s `%s`; did you mean `%s`?", context->missing_kind, name, near);
    else
        error_hint(err, "there is no %s `%s`: declare it under `%ss` in dag.yaml, or set DAG_%s_%s",
            context->missing_kind, name, context->missing_kind, variable ? "VAR" : "CONN",
            upper(context->arena, name));
}

void context_undefined_hint(void *user, struct slice name, struct error *err)
{
    (void)user;
    for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
        if (slice_equal_str(name, gone[i].name)) {
            error_hint(err, "`%s` is gone: use %s", gone[i].name, gone[i].instead);
            return;
        }
    for (size_t i = 0; i < ARRAY_SIZE(meant); i++)
        if (slice_equal_str(name, meant[i].name)) {
            error_hint(err, "%s", meant[i].instead);
            return;
        }
}
