{%- import "macros/dialect.sql" as dialect with context -%}
{%- import "macros/models.sql" as models -%}
{%- set unlabelled = dialect.day_partition("geolife.tsfresh_predict_features", ds) -%}
{%- set predicted = "geolife.walk_prediction_results_" ~ ds_nodash -%}
{%- set before = data_interval_end | ds -%}
-- Is it a walk? Asks the newest model in service of a date before {{ before }}, the end of the
-- day: so the day gives the same answer when it is run again later.
{{ dialect.replace_day_partition("geolife.walk_prediction_results", ds) }}

drop table if exists {{ predicted }};

do $task$
declare
    model text;
    model_version text;
    trajectories bigint;
begin
    if not exists (select 1 from {{ unlabelled }}) then
        raise notice {{ ("no trajectories to predict on " ~ ds) | literal }};
        return;
    end if;

    select newest.place, newest.version into model, model_version
    from (
        {{ models.in_service("rf_walk", before) | indent(8) }}
    ) as newest;

    if model is null then
        raise warning {{ ("no predictions: no model before " ~ before) | literal }};
        return;
    end if;

    perform madlib.forest_predict(
        model,
        {{ unlabelled | literal }},
        {{ predicted | literal }},
        'response'
    );

    insert into geolife.walk_prediction_results (id, estimated_label, tdate, model_version)
    select id, estimated_label, date {{ ds | literal }}, model_version
    from {{ predicted }};
    get diagnostics trajectories = row_count;
    raise notice '% trajectories, by % of %', trajectories, model, model_version;
end
$task$;

drop table if exists {{ predicted }};
