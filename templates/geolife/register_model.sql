{%- import "macros/models.sql" as models -%}
{%- set split = "geolife.features_walk_" ~ ds_nodash -%}
{%- set model = "geolife.rf_walk_" ~ ds_nodash ~ "_output" -%}
{%- set result = "geolife.walk_" ~ ds_nodash ~ "_result" -%}
{%- set auc = "geolife.walk_" ~ ds_nodash ~ "_auc" -%}
{%- set confusion = "geolife.walk_" ~ ds_nodash ~ "_confusion" -%}
-- The model's row in the registry, with what a page draws of it. It enters service if it is viable
-- (enough rows, its AUC reaches the threshold) and not worse than the model in service on this date.
{{ models.forget("rf_walk", ds) }}

do $task$
declare
    walk_auc double precision;
    accuracy double precision;
    recall double precision;
    precision_of_walk double precision;
    specificity double precision;
    counts text;
    features text;
    rows_train bigint := 0;
    rows_test bigint := 0;
    against text;
begin
    if to_regclass({{ auc | literal }}) is not null then
        select count(*) into rows_train from {{ split }}_train;
        select independent_varnames into features from {{ model }}_summary;
        select area_under_roc into walk_auc from {{ auc }};
        select
            string_agg(class || ': ' || array_to_string(confusion_arr, ', '), '; ' order by row_id)
        into counts
        from {{ confusion }};
        select
            count(*),
            avg(case when predicted_class = observed_class then 1 else 0 end),
            avg(case when observed = 1 then
                case when predicted_class = 'walk' then 1 else 0 end end),
            avg(case when predicted_class = 'walk' then observed end),
            avg(case when observed = 0 then
                case when predicted_class = 'other' then 1 else 0 end end)
        into rows_test, accuracy, recall, precision_of_walk, specificity
        from {{ result }};
    end if;

    if to_regclass({{ model | literal }}) is null then
        against := 'not trained: too few rows, labels or features';
    elsif walk_auc is null then
        against := 'the test part has one class only';
    end if;

    insert into models.registry
        (name, version, mdate, kind, place, metrics, features, dag_id, run_id, rows_train,
        rows_test, reason)
    values (
        'rf_walk',
        {{ ds | literal }},
        date {{ ds | literal }},
        'madlib_forest',
        {{ model | literal }},
        json_build_object(
            'auc', walk_auc,
            'accuracy', accuracy,
            'balanced_accuracy', (recall + specificity) / 2,
            'recall', recall,
            'precision', precision_of_walk,
            'threshold', 0.5,
            'confusion', counts
        )::text::jsonb,
        features,
        {{ dag.dag_id | literal }},
        {{ run_id | literal }},
        rows_train,
        rows_test,
        against
    );
end
$task$;

{{ models.keep_evaluation("rf_walk", ds, result) }}

{{ models.decide("rf_walk", ds, least={"auc": params.min_auc}, compare="auc",
    min_rows=params.min_rows) }}
