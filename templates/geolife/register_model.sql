{%- set split = "geolife.features_walk_" ~ ds_nodash -%}
{%- set model = "geolife.rf_walk_" ~ ds_nodash ~ "_output" -%}
{%- set result = "geolife.walk_" ~ ds_nodash ~ "_result" -%}
{%- set auc = "geolife.walk_" ~ ds_nodash ~ "_auc" -%}
{%- set confusion = "geolife.walk_" ~ ds_nodash ~ "_confusion" -%}
-- The model's row in the registry. It enters service if it is viable (its AUC reaches the
-- threshold) and not worse than the model that is in service on this date.
delete from geolife.models_metadata
where model_type = 'rf_walk'
    and mdate = date {{ ds | literal }};

do $task$
declare
    new_row geolife.models_metadata%rowtype;
    rival geolife.models_metadata%rowtype;
begin
    new_row.rows_train := 0;
    new_row.rows_test := 0;

    if to_regclass({{ auc | literal }}) is not null then
        select count(*) into new_row.rows_train from {{ split }}_train;
        select independent_varnames into new_row.features from {{ model }}_summary;
        select area_under_roc into new_row.auc from {{ auc }};
        select
            string_agg(class || ': ' || array_to_string(confusion_arr, ', '), '; ' order by row_id)
        into new_row.confusion
        from {{ confusion }};
        select
            count(*),
            avg(case when predicted_class = observed_class then 1 else 0 end),
            avg(case when observed = 1 and predicted_class = 'walk' then 1
                when observed = 1 then 0 end) / 2
            + avg(case when observed = 0 and predicted_class = 'other' then 1
                when observed = 0 then 0 end) / 2
        into new_row.rows_test, new_row.accuracy, new_row.balanced_accuracy
        from {{ result }};
    end if;

    select * into rival
    from geolife.models_metadata
    where model_type = 'rf_walk'
        and in_service
        and mdate < date {{ ds | literal }}
    order by mdate desc
    limit 1;

    new_row.in_service := false;
    if to_regclass({{ model | literal }}) is null then
        new_row.reason := 'not trained: too few rows, labels or features';
    elsif new_row.auc is null then
        new_row.reason := 'the test part has one class only';
    elsif new_row.auc < {{ params.min_auc | literal }} then
        new_row.reason := 'AUC ' || round(new_row.auc::numeric, 4)
            || ' is below ' || {{ params.min_auc | literal }};
    elsif new_row.auc < rival.auc then
        new_row.reason := 'AUC ' || round(new_row.auc::numeric, 4)
            || ' is below ' || round(rival.auc::numeric, 4)
            || ' of the model of ' || rival.mdate;
    else
        new_row.in_service := true;
        new_row.reason := 'AUC ' || round(new_row.auc::numeric, 4);
    end if;

    insert into geolife.models_metadata
        (mdate, nodash, model_type, model_tabname, auc, accuracy, balanced_accuracy, confusion,
        features, rows_train, rows_test, in_service, reason)
    values (
        date {{ ds | literal }},
        {{ ds_nodash | literal }},
        'rf_walk',
        {{ model | literal }},
        new_row.auc,
        new_row.accuracy,
        new_row.balanced_accuracy,
        new_row.confusion,
        new_row.features,
        new_row.rows_train,
        new_row.rows_test,
        new_row.in_service,
        new_row.reason
    );
    raise notice 'in service: %, %', new_row.in_service, new_row.reason;
end
$task$;
