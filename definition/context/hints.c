/* What to say about a name that does not exist. */
#include "definition/context/context_data.h"

/* Names that Airflow 3 removed, and what people mean by others.  How to add one: a row here; the
   test context_hints_test.c goes through all of Airflow's. */
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
static const char *const names[] = {"ds", "ds_nodash", "ts", "ts_nodash", "ts_nodash_with_tz",
    "logical_date", "data_interval_start", "data_interval_end", "prev_data_interval_start_success",
    "prev_data_interval_end_success", "prev_start_date_success", "prev_end_date_success", "run_id",
    "dag", "dag_run", "task", "ti", "task_instance", "task_instance_key_str", "params", "var",
    "conn", "macros", "inlets", "outlets", "triggering_asset_events", "test_mode", "local_ds",
    "local_ds_nodash", "mapped", "target"};

static bool hint_missing(const struct context *context, struct slice name, struct error *err)
{
    if (!context->missing || !slice_equal_str(name, context->missing))
        return false;
    bool variable = str_equal(context->missing_kind, "variable");
    const struct project *project = context->project;
    size_t count = variable ? project->variable_count : project->connection_count;
    const char **candidates = arena_array(context->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        candidates[i] = variable ? project->variables[i].name : project->connections[i].name;
    const char *near = suggest(context->missing, candidates, count);
    if (near)
        error_hint(err, "there is no %s `%s`; did you mean `%s`?", context->missing_kind,
            context->missing, near);
    else
        error_hint(err, "there is no %s `%s`: declare it under `%ss` in dag.yaml, or set DAG_%s_…",
            context->missing_kind, context->missing, context->missing_kind,
            variable ? "VAR" : "CONN");
    return true;
}

void context_undefined_hint(void *user, struct slice name, struct error *err)
{
    const struct context *context = user;
    if (hint_missing(context, name, err))
        return;
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
    const char *word = arena_strndup(context->arena, name.p, name.size);
    const char *near = suggest(word, names, ARRAY_SIZE(names));
    if (near)
        error_hint(err, "did you mean `%s`?", near);
}
